//! What a goal asks of a database: in words, in SQL, and what is right.

use super::schema::{Cell, Kind, Schema};
use crate::dice::Dice;
use crate::hash::mix;
use crate::names::Name;
use crate::task::Split;

/// How a condition compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Compare {
    Is,
    Over,
    Under,
}

impl Compare {
    fn sign(self) -> &'static str {
        match self {
            Compare::Is => "=",
            Compare::Over => ">",
            Compare::Under => "<",
        }
    }

    fn holds(self, cell: Cell, value: Cell) -> bool {
        match self {
            Compare::Is => cell == value,
            Compare::Over => cell.int() > value.int(),
            Compare::Under => cell.int() < value.int(),
        }
    }
}

/// A condition on a column of the asked table or of one that its rows refer to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Condition {
    pub(super) column: Name,
    pub(super) compare: Compare,
    pub(super) value: Cell,
}

impl Condition {
    fn words(&self) -> String {
        format!("{} {} {}", self.column, self.compare.sign(), self.value)
    }

    fn sql(&self) -> String {
        format!("{} {} {}", self.column, self.compare.sign(), self.value.sql())
    }
}

/// A number made of many rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Aggregate {
    Count,
    Sum(Name),
    Max(Name),
    Min(Name),
}

impl Aggregate {
    fn sql(self) -> String {
        match self {
            Aggregate::Count => "count(*)".to_owned(),
            Aggregate::Sum(column) => format!("sum({column})"),
            Aggregate::Max(column) => format!("max({column})"),
            Aggregate::Min(column) => format!("min({column})"),
        }
    }

    fn words(self) -> String {
        match self {
            Aggregate::Count => "number".to_owned(),
            Aggregate::Sum(column) => format!("sum of {column}"),
            Aggregate::Max(column) => format!("largest {column}"),
            Aggregate::Min(column) => format!("smallest {column}"),
        }
    }
}

/// What is to be found out or done with the rows that meet the conditions.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    /// The cell in a column (of the table or one above) of the row with a name.
    Look { column: Name, name: Name },
    /// A number made of the rows.
    Fold(Aggregate),
    /// The name of the row with the largest (or smallest) number in a column.
    Top { column: Name, largest: bool },
    /// The name of the row of the parent with the largest number made of the rows that refer to it.
    Group { parent: Name, by: Aggregate },
    /// Puts a number into a column.
    Set { column: Name, value: i64 },
    /// Deletes the rows.
    Delete,
}

/// The goal, with the table's name as the goal spells it. Columns are told without the table they are in.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Request {
    pub(super) table: Name,
    pub(super) what: What,
    pub(super) conditions: Vec<Condition>,
}

impl Request {
    pub(super) fn changes(&self) -> bool {
        matches!(self.what, What::Set { .. } | What::Delete)
    }

    pub(super) fn goal(&self) -> String {
        let table = self.table;
        let mut goal = match &self.what {
            What::Look { column, name } => format!("{column} of {name} in {table}"),
            What::Fold(sum) => format!("{} in {table}", sum.words()),
            What::Top { column, largest: true } => format!("name with the largest {column} in {table}"),
            What::Top { column, largest: false } => format!("name with the smallest {column} in {table}"),
            What::Group { parent, by } => {
                format!("name of the {parent} with the largest {} in {table}", by.words())
            }
            What::Set { column, value } => format!("set {column} to {value} in {table}"),
            What::Delete => format!("delete from {table}"),
        };
        for (i, condition) in self.conditions.iter().enumerate() {
            goal += if i == 0 { " where " } else { " and " };
            goal += &condition.words();
        }
        if !self.changes() {
            goal.push('?');
        }
        goal
    }

    /// The tables that the statement needs, of those from the asked one upwards: as far as a column is that it names.
    /// `holds`: whether the table at a place of the line has a column.
    pub(super) fn reach(&self, line: usize, holds: impl Fn(usize, Name) -> bool) -> usize {
        let at = |column: &Name| (0..line).find(|t| holds(*t, *column)).unwrap_or(0);
        let least = usize::from(matches!(self.what, What::Group { .. }));
        1 + self.columns().iter().map(at).max().unwrap_or(0).max(least).min(line.saturating_sub(1))
    }

    /// The columns that it names, the conditions' last.
    pub(super) fn columns(&self) -> Vec<Name> {
        let sum = |sum: &Aggregate| match *sum {
            Aggregate::Count => None,
            Aggregate::Sum(c) | Aggregate::Max(c) | Aggregate::Min(c) => Some(c),
        };
        let first = match &self.what {
            What::Look { column, .. } | What::Top { column, .. } | What::Set { column, .. } => Some(*column),
            What::Fold(by) | What::Group { by, .. } => sum(by),
            What::Delete => None,
        };
        first.into_iter().chain(self.conditions.iter().map(|c| c.column)).collect()
    }

    /// The statement, where `path` holds the tables from the asked one upwards, as far as columns are needed.
    pub(super) fn sql(&self, path: &[Name]) -> String {
        let Some(&table) = path.first() else { return String::new() };
        if self.changes() {
            return self.change(table, path);
        }
        let mut from = format!(" FROM {table}");
        for pair in path.windows(2) {
            from += &format!(" JOIN {} ON {}_id = {}.id", pair[1], pair[1], pair[1]);
        }
        let mut tests: Vec<String> = self.conditions.iter().map(Condition::sql).collect();
        if let What::Look { name, .. } = self.what {
            tests.insert(0, format!("{} = '{name}'", qualified("name", table, path)));
        }
        if !tests.is_empty() {
            from += &format!(" WHERE {}", tests.join(" AND "));
        }
        let name = |table: Name| qualified("name", table, path);
        match &self.what {
            What::Look { column, .. } => format!("SELECT {column}{from}"),
            What::Fold(sum) => format!("SELECT {}{from}", sum.sql()),
            What::Top { column, largest } => {
                let order = if *largest { " DESC" } else { "" };
                format!("SELECT {}{from} ORDER BY {column}{order} LIMIT 1", name(table))
            }
            What::Group { parent, by } => {
                let by = by.sql();
                format!("SELECT {}{from} GROUP BY {parent}.id ORDER BY {by} DESC LIMIT 1", name(*parent))
            }
            What::Set { .. } | What::Delete => String::new(),
        }
    }

    fn change(&self, table: Name, path: &[Name]) -> String {
        let mut sql = match &self.what {
            What::Set { column, value } => format!("UPDATE {table} SET {column} = {value}"),
            _ => format!("DELETE FROM {table}"),
        };
        for (i, condition) in self.conditions.iter().enumerate() {
            sql += if i == 0 { " WHERE " } else { " AND " };
            // What stands in a table above the asked one is asked there; conditions of a change are on the table
            // itself or on the last of the path.
            let above = path.len() > 1 && i == 0;
            sql += &if above { nested(path, &condition.sql()) } else { condition.sql() };
        }
        sql
    }
}

/// `bada_id IN (SELECT id FROM bada WHERE …)`, down from the asked table.
fn nested(path: &[Name], test: &str) -> String {
    path[1..]
        .iter()
        .rev()
        .fold(test.to_owned(), |inner, t| format!("{t}_id IN (SELECT id FROM {t} WHERE {inner})"))
}

fn qualified(column: &str, table: Name, path: &[Name]) -> String {
    if path.len() > 1 { format!("{table}.{column}") } else { column.to_owned() }
}

/// A request and what is right.
#[derive(Clone, Debug)]
pub(super) struct Drawn {
    pub(super) request: Request,
    /// The right answer; for a change `done`.
    pub(super) answer: String,
    /// The rows of the asked table that the conditions select.
    pub(super) selected: Vec<usize>,
}

/// Draws a request to the last table of a schema, such that something is selected, and not everything, and the answer is
/// the only one. `None` if this try came to nothing.
pub(super) fn draw(level: u32, schema: &Schema, split: Split, dice: &mut Dice) -> Option<Drawn> {
    let table = schema.tables.len() - 1;
    let rows = schema.tables[table].rows.len();
    let line = schema.line(table);
    let reach = if level < 3 { 0 } else { line.len() - 1 };
    let column = |kind: Option<Kind>, hops: usize, dice: &mut Dice| {
        let columns = &schema.tables[line[hops]].columns;
        let fit: Vec<usize> =
            (0..columns.len()).filter(|c| kind.is_none_or(|k| columns[*c].1 == k)).collect();
        fit.get(dice.below(fit.len().max(1))).map(|c| (columns[*c].0, *c))
    };
    let kind = dice.below(if level < 2 { 4 } else { 7 });
    let changes = kind >= 5;
    let wanted = match (kind, level) {
        (0, _) => 0,
        (5 | 6, 1..=5) => 1,
        (5 | 6, _) => 1 + dice.below(2),
        (_, 1) => dice.below(2),
        (_, 2..=5) => 1,
        _ => 1 + dice.below(2),
    };
    let (mut conditions, mut selected) = (Vec::new(), (0..rows).collect::<Vec<usize>>());
    // The shape of the request: what is held out.
    let mut shape = vec![kind as u64];
    for i in 0..wanted {
        // A change reaches up by its first condition alone.
        let hops = if changes && i > 0 { 0 } else { dice.below(reach + 1) };
        let (name, c) = column(None, hops, dice)?;
        if conditions.iter().any(|other: &Condition| other.column == name) {
            return None;
        }
        let row = selected[dice.below(selected.len())];
        let value = schema.cell(table, row, hops, c);
        let compare = match value {
            Cell::Text(_) => Compare::Is,
            Cell::Int(_) if dice.coin() => Compare::Over,
            Cell::Int(_) => Compare::Under,
        };
        let meeting = |hops: usize, c: usize| -> Vec<usize> {
            let meets = |r: &usize| compare.holds(schema.cell(table, *r, hops, c), value);
            selected.iter().copied().filter(meets).collect()
        };
        let meet = meeting(hops, c);
        if meet.is_empty() || meet.len() == selected.len() {
            return None;
        }
        // Whoever takes another column must not come to the same rows.
        let columns =
            (0..line.len()).flat_map(|h| (0..schema.tables[line[h]].columns.len()).map(move |c| (h, c)));
        if columns.into_iter().any(|other| other != (hops, c) && meeting(other.0, other.1) == meet) {
            return None;
        }
        selected = meet;
        shape.push(hops as u64 * 4 + compare as u64);
        conditions.push(Condition { column: name, compare, value });
    }
    let sum = |dice: &mut Dice, shape: &mut Vec<u64>| {
        let number = column(Some(Kind::Int), 0, dice).map(|(name, c)| (name, Some(c)));
        let which = dice.below(4);
        shape.push(which as u64);
        let (name, c) = number?;
        Some(match which {
            0 => (Aggregate::Count, None),
            1 => (Aggregate::Sum(name), c),
            2 => (Aggregate::Max(name), c),
            _ => (Aggregate::Min(name), c),
        })
    };
    let fold = |sum: Aggregate, column: Option<usize>, rows: &[usize]| {
        let numbers = rows.iter().map(|r| column.map_or(0, |c| schema.cell(table, *r, 0, c).int()));
        match sum {
            Aggregate::Count => rows.len() as i64,
            Aggregate::Sum(_) => numbers.sum(),
            Aggregate::Max(_) => numbers.max().unwrap_or_default(),
            Aggregate::Min(_) => numbers.min().unwrap_or_default(),
        }
    };
    let own = schema.tables[table].rows.as_slice();
    let (what, answer) = match kind {
        0 => {
            let hops = dice.below(reach + 1);
            shape.push(hops as u64);
            let (name, c) = column(None, hops, dice)?;
            let row = dice.below(rows);
            selected = vec![row];
            let answer = schema.cell(table, row, hops, c).to_string();
            (What::Look { column: name, name: own[row].name }, answer)
        }
        1 | 2 => {
            let (by, c) = sum(dice, &mut shape)?;
            (What::Fold(by), fold(by, c, &selected).to_string())
        }
        3 => {
            let (name, c) = column(Some(Kind::Int), 0, dice)?;
            let largest = dice.coin();
            shape.push(u64::from(largest));
            let number = |r: &&usize| schema.cell(table, **r, 0, c).int();
            let row =
                if largest { selected.iter().max_by_key(number) } else { selected.iter().min_by_key(number) };
            (What::Top { column: name, largest }, own[*row?].name.to_string())
        }
        4 => {
            let parent = schema.tables[table].parent?;
            let (by, c) = sum(dice, &mut shape)?;
            let mut best: Vec<(i64, usize)> = Vec::new();
            for p in 0..schema.tables[parent].rows.len() {
                let of: Vec<usize> = selected.iter().copied().filter(|r| own[*r].parent == Some(p)).collect();
                if !of.is_empty() {
                    best.push((fold(by, c, &of), p));
                }
            }
            best.sort_unstable_by(|a, b| b.cmp(a));
            if best.len() < 2 || best[0].0 == best[1].0 {
                return None;
            }
            let parent = &schema.tables[parent];
            (What::Group { parent: parent.name, by }, parent.rows[best[0].1].name.to_string())
        }
        5 => {
            let (name, _) = column(Some(Kind::Int), 0, dice)?;
            let value = dice.between(100, 199);
            if conditions.iter().any(|other| other.column == name) {
                return None;
            }
            (What::Set { column: name, value }, "done".to_owned())
        }
        _ => (What::Delete, "done".to_owned()),
    };
    let signature = shape.iter().fold(0x6461_7461, |h, part| mix(h ^ (part + 1)));
    let side = if signature.is_multiple_of(4) { Split::Test } else { Split::Train };
    if level >= 3 && side != split {
        return None;
    }
    let request = Request { table: schema.tables[table].name, what, conditions };
    Some(Drawn { request, answer, selected })
}
