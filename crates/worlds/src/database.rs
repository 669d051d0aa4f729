//! A database: tables that refer to each other, and a question or a change, in SQL against an embedded SQLite.
//!
//! | level | tables | rows of the asked table, of the others | columns of a table | conditions | told where columns are |
//! |---|---|---|---|---|---|
//! | 1 | 1 | 6 | 2 | 0 or 1 | all in the asked table |
//! | 2 | 2 | 8, 4 | 2 | 1 | all in the asked table |
//! | ℓ | 1 + ⌈ℓ/3⌉, 5 at most | 4 + 2ℓ, 3 + ⌊ℓ/2⌋ | 2 to 4 | 1; from level 6 on 1 or 2 | no: in it, or in one that its rows refer to |
//!
//! Every table has an `id`, a `name`, numbers and texts, and may refer to one other (`bada_id`); all names are invented. Goals:
//! `lupa of kilo in bada?`, `sum of lupa in bada where vime = tola?` (also `number`, `largest …`, `smallest …`),
//! `name with the largest lupa in bada …?`, `name of the zeru with the largest number in bada …?` (grouped by what the rows
//! refer to), `set lupa to 120 in bada where …`, `delete from bada where …`. The answer is what was asked, or `done`. Success
//! asks for it and for every row to be as it should; rows that are otherwise than before *and* than asked are collateral
//! damage.
//!
//! Statements run in SQLite, one at a time, with limits on work, rows and size that are counted, not timed; what is random,
//! tells the time, reaches outside or changes the schema is refused. A state is its beginning and what changed it; a thread
//! keeps one connection and puts the state into it that is asked for, so a clone costs nothing.
//!
//! **Held-out structure**: besides the names, from level 3 on the *shape of the request* (its kind, and how far away and of
//! which comparison its conditions are) decides the split: a hash of it belongs to `Test` if it is divisible by four,
//! otherwise to `Train`. (Before that there are too few shapes.)
//!
//! **Faults**: `transient`, `gone` and `stale` strike the query or the change (`stale` an answer that is wrong, or the change
//! until one has looked at the table's schema), `denied` the table asked about, `misspelt` its name.
//!
//! The expert makes one statement; from level 3 on it first reads the schema of the asked table and of those that it refers to
//! until it knows where all columns are. That is optimal for an agent that must not guess.

mod engine;
mod expert;
mod request;
mod schema;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock, OnceLock};

use groundwork_trace::{Call, Tool, ToolError, Value};

use self::engine::{Image, Log, MAX_ROWS, Refusal};
use self::request::{Aggregate, Compare, Condition, Request, What};
use self::schema::{Cell, Kind, Schema};
use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::{Recorder, carried};
use crate::faults::FaultKind;
use crate::hash::Fnv;
use crate::names::{Name, Names};
use crate::world::{Outcome, Verification, World, name_arg, text};

/// The level from which on columns may be in other tables.
const SEARCH_COLUMNS: u32 = 3;

/// What never changes in an episode.
#[derive(Debug)]
struct Scene {
    schema: Schema,
    answer: String,
    /// The rows that a change is to change.
    selected: Vec<usize>,
    level: u32,
    /// A hash of the schema and its rows.
    hash: u64,
    /// Made when it is first needed.
    image: OnceLock<Image>,
}

impl Scene {
    fn image(&self) -> &Image {
        self.image.get_or_init(|| Image::build(&self.schema.script()))
    }

    /// The table that the goal is about.
    fn asked(&self) -> usize {
        self.schema.tables.len() - 1
    }

    /// A row as it should be in the end, if it should be there.
    fn wanted(&self, request: &Request, table: usize, row: usize) -> Option<Vec<Cell>> {
        let mut cells = self.schema.row(table, row);
        if table == self.asked() && self.selected.contains(&row) {
            match request.what {
                What::Delete => return None,
                What::Set { column, value } => {
                    let columns = &self.schema.tables[table].columns;
                    if let Some(i) = columns.iter().position(|c| c.0 == column) {
                        cells[2 + i] = Cell::Int(value);
                    }
                }
                _ => {}
            }
        }
        Some(cells)
    }
}

/// The database world.
#[derive(Clone, Debug)]
pub(crate) struct Database {
    scene: Arc<Scene>,
    request: Request,
    /// How an old answer differs: a number by so much, a text by being this one.
    outdated: (i64, Name),
    log: Log,
    tables_seen: bool,
    /// The tables whose schema was shown, as bits.
    schemas_seen: u32,
    /// Hashes of the queries made and of the state in which they were.
    asked: Vec<u64>,
}

impl Hash for Database {
    fn hash<H: Hasher>(&self, h: &mut H) {
        (self.scene.hash, &self.request, self.outdated, &self.log).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Lists the tables.
tables() -> [str]
/// Shows how a table was created.
schema(of: str) -> str ! NotFound(str)
/// Answers an SQL query with its rows, 50 at most.
query(sql: str) -> [[any]] ! Sql(str) | WrongTool | Rows(int) | Work | Denied(str) | Busy | Gone(str, int)
/// Performs an SQL statement that changes rows; tells how many.
execute(sql: str) -> int ! Sql(str) | WrongTool | Work | Denied(str) | Busy | Gone(str, int) | Stale(str)
/// Lets time pass.
wait() -> str
/// Asks for access to a table.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

fn refuse(refusal: Refusal) -> Outcome {
    match refusal {
        Refusal::Sql(message) => Outcome::refuse("Sql", [Value::str(message)]),
        Refusal::WrongTool => Outcome::refuse("WrongTool", []),
        Refusal::Rows => Outcome::refuse("Rows", [Value::int(MAX_ROWS as i64)]),
        Refusal::Work => Outcome::refuse("Work", []),
    }
}

impl Database {
    fn table(&self, call: &Call, arg: &str) -> Result<usize, Outcome> {
        let found = name_arg(call, arg).and_then(|n| self.scene.schema.find(n));
        found.ok_or_else(|| Outcome::refuse("NotFound", [Value::str(text(call, arg))]))
    }

    fn perform(&mut self, call: &Call) -> Result<Outcome, Outcome> {
        let sql = text(call, "sql");
        match call.tool.as_str() {
            "tables" => {
                let mut names: Vec<Name> = self.scene.schema.tables.iter().map(|t| t.name).collect();
                names.sort_unstable();
                let names = names.iter().map(|n| Value::str(n.as_str())).collect();
                Ok(Outcome::shown(Value::List(names), &mut self.tables_seen))
            }
            "schema" => {
                let table = self.table(call, "of")?;
                let own = self.schemas_seen >> table & 1 == 0;
                self.schemas_seen |= 1 << table;
                Ok(Outcome::Observation { value: Value::str(self.scene.schema.declaration(table)), own })
            }
            "query" => {
                let rows = engine::query(self.scene.image(), &self.log, sql).map_err(refuse)?;
                let mut h = Fnv::default();
                (sql, self.log.len()).hash(&mut h);
                let own = !self.asked.contains(&h.finish());
                self.asked.push(h.finish());
                Ok(Outcome::Observation {
                    value: Value::List(rows.into_iter().map(Value::List).collect()),
                    own,
                })
            }
            "execute" => {
                let changed = engine::execute(self.scene.image(), &mut self.log, sql).map_err(refuse)?;
                Ok(Outcome::Observation { value: Value::int(changed as i64), own: true })
            }
            "wait" => Ok(Outcome::known(Value::str("ok"))),
            _ => self.table(call, "name").map(|_| Outcome::known(Value::str("granted"))),
        }
    }

    /// The statement of a request to the asked table, called `name`.
    fn statement(&self, request: &Request, name: Name) -> String {
        let Scene { schema, .. } = &*self.scene;
        let line = schema.line(self.scene.asked());
        let reach = request
            .reach(line.len(), |t, column| schema.tables[line[t]].columns.iter().any(|c| c.0 == column));
        let mut path: Vec<Name> = line[..reach].iter().map(|t| schema.tables[*t].name).collect();
        path[0] = name;
        request.sql(&path)
    }

    /// What else might be asked of the same table: other numbers made of its rows, or other changes.
    fn whats(&self) -> Vec<What> {
        let schema = &self.scene.schema;
        let table = &schema.tables[self.scene.asked()];
        let mut sums = vec![Aggregate::Count];
        let mut whats = vec![self.request.what.clone()];
        for &(column, _) in table.columns.iter().filter(|c| c.1 == Kind::Int) {
            sums.extend([Aggregate::Sum(column), Aggregate::Max(column), Aggregate::Min(column)]);
            whats.extend([true, false].map(|largest| What::Top { column, largest }));
            if let What::Set { value, .. } = self.request.what {
                whats.push(What::Set { column, value });
            }
        }
        if let What::Look { name, .. } = self.request.what {
            for t in schema.line(self.scene.asked()) {
                whats.extend(schema.tables[t].columns.iter().map(|c| What::Look { column: c.0, name }));
            }
        }
        whats.extend(sums.iter().map(|by| What::Fold(*by)));
        if let Some(parent) = table.parent {
            let parent = schema.tables[parent].name;
            whats.extend(sums.iter().map(|by| What::Group { parent, by: *by }));
        }
        if self.request.changes() {
            whats.push(What::Delete);
        }
        whats
    }

    /// The conditions of the goal and what differs from them in one thing.
    fn conditions(&self) -> Vec<Vec<Condition>> {
        let goal = &self.request.conditions;
        let mut all = vec![goal.clone()];
        for (i, condition) in goal.iter().enumerate() {
            let mut fewer = goal.clone();
            fewer.remove(i);
            all.push(fewer);
            let mut vary = |condition: Condition| {
                let mut other = goal.clone();
                other[i] = condition;
                all.push(other);
            };
            let flipped = match condition.compare {
                Compare::Is => None,
                Compare::Over => Some(Compare::Under),
                Compare::Under => Some(Compare::Over),
            };
            if let Some(compare) = flipped {
                vary(Condition { compare, ..condition.clone() });
            }
            let tables = &self.scene.schema.tables;
            let home = tables.iter().find(|t| t.columns.iter().any(|c| c.0 == condition.column));
            let kind = if condition.compare == Compare::Is { Kind::Text } else { Kind::Int };
            for &(column, _) in home.iter().flat_map(|t| &t.columns).filter(|c| c.1 == kind) {
                vary(Condition { column, ..condition.clone() });
            }
        }
        all
    }
}

impl crate::world::Kind for Database {
    type World = Self;
    const NAME: &str = "database";
    const HELD_OUT: Option<&str> = Some("the shapes of requests (from level 3 on)");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::ToolUse, Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Misspelt, Denied, Stale, Gone]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let schema = Schema::draw(level, names, dice);
        // Some request can always be drawn: shapes of both splits are many, and so are columns and rows.
        let drawn = loop {
            if let Some(drawn) = request::draw(level, &schema, names.split(), dice) {
                break drawn;
            }
        };
        let mut h = Fnv::default();
        schema.hash(&mut h);
        let scene = Scene {
            hash: h.finish(),
            schema,
            answer: drawn.answer,
            selected: drawn.selected,
            level,
            image: OnceLock::new(),
        };
        Database {
            scene: Arc::new(scene),
            request: drawn.request,
            outdated: (0, Name::NONE),
            log: Log::default(),
            tables_seen: false,
            schemas_seen: 0,
            asked: Vec::new(),
        }
    }
}

impl World for Database {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        match fault {
            FaultKind::Misspelt => self.request.table = names.misspell(self.request.table, dice),
            FaultKind::Stale => self.outdated = (dice.between(1, 9), names.draw(dice)),
            _ => {}
        }
    }

    fn goal(&self) -> String {
        self.request.goal()
    }

    fn step(&mut self, call: &Call) -> Outcome {
        self.perform(call).unwrap_or_else(|refusal| refusal)
    }

    fn verify(&self, answer: &str) -> Verification {
        let scene = &*self.scene;
        let (mut done, mut collateral) = (true, 0);
        if self.log.is_empty() {
            done = !self.request.changes();
        } else {
            for (t, table) in scene.schema.tables.iter().enumerate() {
                let now = engine::table(scene.image(), &self.log, table.name.as_str()).unwrap_or_default();
                let value = |cell: Cell| match cell {
                    Cell::Int(n) => Value::int(n),
                    Cell::Text(name) => Value::str(name.as_str()),
                };
                let row = |cells: Vec<Cell>| cells.into_iter().map(value).collect::<Vec<Value>>();
                let id = |r: usize| Value::int(r as i64 + 1);
                for r in 0..table.rows.len() {
                    let found = now.iter().find(|cells| cells[0] == id(r));
                    let wanted = scene.wanted(&self.request, t, r).map(row);
                    let right = found == wanted.as_ref();
                    done &= right;
                    let before = found.is_some_and(|cells| *cells == row(scene.schema.row(t, r)));
                    collateral += u32::from(!right && !before);
                }
                let known = |cells: &&Vec<Value>| (0..table.rows.len()).any(|r| cells[0] == id(r));
                let more = now.iter().filter(|cells| !known(cells)).count() as u32;
                done &= more == 0;
                collateral += more;
            }
        }
        Verification { success: done && collateral == 0 && answer == scene.answer, collateral }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let schema = &self.scene.schema;
        let mut names: BTreeSet<Name> = schema.tables.iter().map(|t| t.name).collect();
        // A name that the goal misspells may be tried all the same.
        names.insert(self.request.table);
        let mut calls: Vec<Call> = ["tables", "wait"].into_iter().map(|tool| Call::new(tool, [])).collect();
        let mut statements: BTreeSet<(&str, String)> = BTreeSet::new();
        for name in &names {
            calls.push(Call::new("schema", [("of", Value::str(name.as_str()))]));
            calls.push(Call::new("ask", [("name", Value::str(name.as_str()))]));
            statements.insert(("query", format!("SELECT * FROM {name}")));
        }
        let asked = BTreeSet::from([self.request.table, schema.tables[self.scene.asked()].name]);
        for what in self.whats() {
            for conditions in self.conditions() {
                let request = Request { what: what.clone(), conditions, ..self.request.clone() };
                let tool = if request.changes() { "execute" } else { "query" };
                statements.extend(asked.iter().map(|name| (tool, self.statement(&request, *name))));
            }
        }
        calls.extend(statements.into_iter().map(|(tool, sql)| Call::new(tool, [("sql", Value::str(sql))])));
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        (if self.request.changes() { "execute" } else { "query" }.into(), 1)
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.scene.schema.tables[self.scene.asked()].name.to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        if !matches!(call.tool.as_str(), "query" | "execute") {
            return None;
        }
        let sql = text(call, "sql");
        let named = |name: &Name| {
            sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').any(|w| w == name.as_str())
        };
        // The asked table before those that it refers to.
        self.scene.schema.tables.iter().rev().map(|t| t.name).find(named).map(|n| n.to_string())
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        if call.tool != "query" {
            return None;
        }
        let rows = engine::query(self.scene.image(), &self.log, text(call, "sql")).ok()?;
        let (drift, name) = self.outdated;
        let old = |cell: Value| match cell {
            Value::Number(n) => n.as_i64().map_or(Value::Null, |n| Value::int(n + drift)),
            Value::Str(_) => Value::str(name.as_str()),
            other => other,
        };
        Some(Value::List(
            rows.into_iter().map(|row| Value::List(row.into_iter().map(old).collect())).collect(),
        ))
    }

    fn refresh(name: &str) -> Call {
        Call::new("schema", [("of", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        let mut words = carried(error).split(' ');
        fault == FaultKind::Misspelt && words.any(|word| word == self.request.table.as_str())
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self.request, self.scene.level, expert);
    }
}
