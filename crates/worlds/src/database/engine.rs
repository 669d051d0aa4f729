//! SQLite in memory, one connection a thread, under limits that count work and not time.
//!
//! A state of a database is an image (the beginning) and the statements that changed it since. Each thread has one
//! connection and remembers which state is loaded there; another state is put in its place by copying the image and
//! replaying the statements. So a clone of an episode costs nothing, and what an agent sees depends on no other one.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

use groundwork_trace::Value;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, MAIN_DB};

/// Rows that a query may answer.
pub(super) const MAX_ROWS: usize = 50;
/// Thousands of operations of SQLite's virtual machine that a statement may take.
const MAX_WORK: u32 = 200;
/// Pages (of 512 bytes) that a database may grow to.
const MAX_PAGES: u32 = 4096;

/// The functions that a statement may call: none that is random, tells the time or reaches outside.
const FUNCTIONS: [&str; 37] = [
    "abs",
    "avg",
    "coalesce",
    "concat",
    "count",
    "dense_rank",
    "first_value",
    "glob",
    "group_concat",
    "ifnull",
    "iif",
    "instr",
    "lag",
    "last_value",
    "lead",
    "length",
    "like",
    "lower",
    "ltrim",
    "max",
    "min",
    "nth_value",
    "ntile",
    "nullif",
    "rank",
    "replace",
    "round",
    "row_number",
    "rtrim",
    "sign",
    "string_agg",
    "substr",
    "substring",
    "sum",
    "total",
    "trim",
    "upper",
];

/// Why a statement was refused.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refusal {
    /// SQLite says so.
    Sql(String),
    /// A query for what changes something, or the other way round.
    WrongTool,
    /// It answers too many rows.
    Rows,
    /// It takes too much work.
    Work,
}

/// The beginning of a database.
pub(super) struct Image {
    bytes: Vec<u8>,
    /// Unlike that of any other image of this process.
    id: u64,
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.bytes.len())
    }
}

impl Image {
    /// What the statements of `script` make.
    pub(super) fn build(script: &str) -> Image {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let built = || -> rusqlite::Result<Vec<u8>> {
            let mut connection = Connection::open_in_memory()?;
            connection.execute_batch("PRAGMA page_size = 512; BEGIN")?;
            connection.execute_batch(script)?;
            connection.execute_batch("COMMIT")?;
            Ok(connection.serialize(MAIN_DB)?.to_vec())
        };
        // Only a lack of memory can make it fail; every query then says that there is no such table.
        Image { bytes: built().unwrap_or_default(), id: NEXT.fetch_add(1, Ordering::Relaxed) }
    }
}

/// What changed a database, in order.
pub(super) type Log = Arc<Vec<Arc<str>>>;

struct Engine {
    connection: Connection,
    /// The image and the statements that are loaded.
    loaded: Option<(u64, Log)>,
    /// Whether the engine itself prepares a statement.
    own: Arc<AtomicBool>,
    /// Thousands of operations that are left to the statement.
    work: Arc<AtomicU32>,
}

thread_local! {
    static ENGINE: RefCell<Option<Engine>> = const { RefCell::new(None) };
}

fn authorize(context: &AuthContext<'_>, own: bool) -> Authorization {
    use AuthAction::{Delete, Function, Insert, Read, Recursive, Select, Update};
    let allowed = match context.action {
        _ if own => true,
        Select | Recursive | Read { .. } => true,
        Insert { table_name } | Delete { table_name } | Update { table_name, .. } => {
            !table_name.starts_with("sqlite_")
        }
        Function { function_name } => {
            FUNCTIONS.binary_search(&function_name.to_ascii_lowercase().as_str()).is_ok()
        }
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

impl Engine {
    fn open() -> rusqlite::Result<Engine> {
        let mut connection = Connection::open_in_memory()?;
        for (limit, most) in [
            (Limit::SQLITE_LIMIT_LENGTH, 16_384),
            (Limit::SQLITE_LIMIT_SQL_LENGTH, 8_192),
            (Limit::SQLITE_LIMIT_COLUMN, 64),
            (Limit::SQLITE_LIMIT_EXPR_DEPTH, 64),
            (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 16),
            (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
            (Limit::SQLITE_LIMIT_FUNCTION_ARG, 16),
            (Limit::SQLITE_LIMIT_ATTACHED, 0),
            (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 64),
            (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 1),
        ] {
            connection.set_limit(limit, most)?;
        }
        let (own, work) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU32::new(0)));
        let trusted = own.clone();
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            authorize(&context, trusted.load(Ordering::Relaxed))
        }))?;
        let left = work.clone();
        connection.progress_handler(
            1_000,
            Some(move || {
                left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_err()
            }),
        )?;
        Ok(Engine { connection, loaded: None, own, work })
    }

    /// Puts a state in place, unless it is there already.
    fn load(&mut self, image: &Image, log: &Log) -> rusqlite::Result<()> {
        if self.loaded.as_ref().is_some_and(|(id, loaded)| *id == image.id && loaded == log) {
            return Ok(());
        }
        // What was done to the same beginning, if it goes on from what is loaded, need not be done again.
        let done = match &self.loaded {
            Some((id, loaded)) if *id == image.id && log.starts_with(loaded) => loaded.len(),
            _ => 0,
        };
        self.own.store(true, Ordering::Relaxed);
        self.loaded = None;
        if done == 0 {
            let bytes = image.bytes.as_slice();
            self.connection.deserialize_read_exact(MAIN_DB, bytes, bytes.len(), false)?;
            self.work.store(MAX_WORK, Ordering::Relaxed);
            self.connection.execute_batch(&format!("PRAGMA max_page_count = {MAX_PAGES}"))?;
        }
        for statement in &log[done..] {
            self.work.store(MAX_WORK, Ordering::Relaxed);
            self.connection.execute(statement, [])?;
        }
        self.loaded = Some((image.id, log.clone()));
        Ok(())
    }

    fn begin(&mut self, image: &Image, log: &Log) -> Result<(), Refusal> {
        let loaded = self.load(image, log);
        self.own.store(false, Ordering::Relaxed);
        self.work.store(MAX_WORK, Ordering::Relaxed);
        loaded.map_err(refusal)
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::SqliteFailure(e, _) if e.code == rusqlite::ErrorCode::OperationInterrupted => Refusal::Work,
        Error::SqliteFailure(_, Some(message)) => Refusal::Sql(message),
        Error::SqlInputError { msg, .. } => Refusal::Sql(msg),
        Error::ExecuteReturnedResults | Error::InvalidQuery => Refusal::WrongTool,
        Error::MultipleStatement => Refusal::Sql("one statement only".to_owned()),
        other => Refusal::Sql(other.to_string()),
    }
}

/// Does something with this thread's engine.
fn with<T>(work: impl FnOnce(&mut Engine) -> Result<T, Refusal>) -> Result<T, Refusal> {
    ENGINE.with_borrow_mut(|engine| {
        if engine.is_none() {
            *engine = Some(Engine::open().map_err(refusal)?);
        }
        engine.as_mut().map_or(Err(Refusal::Work), work)
    })
}

/// Rows of values.
pub(super) type Rows = Vec<Vec<Value>>;

fn value(cell: ValueRef<'_>) -> Value {
    match cell {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(n) => Value::int(n),
        ValueRef::Real(x) => Value::parse(&format!("{x:?}")).unwrap_or_else(|_| Value::str(x.to_string())),
        ValueRef::Text(text) => Value::str(String::from_utf8_lossy(text)),
        ValueRef::Blob(bytes) => Value::str(bytes.iter().map(|b| format!("{b:02x}")).collect::<String>()),
    }
}

/// Answers a query in the state of `image` and `log`.
pub(super) fn query(image: &Image, log: &Log, sql: &str) -> Result<Rows, Refusal> {
    with(|engine| {
        engine.begin(image, log)?;
        let mut statement = engine.connection.prepare(sql).map_err(refusal)?;
        if !statement.readonly() {
            return Err(Refusal::WrongTool);
        }
        let columns = statement.column_count();
        let mut rows = statement.query([]).map_err(refusal)?;
        let mut out = Vec::new();
        while let Some(row) = rows.next().map_err(refusal)? {
            if out.len() == MAX_ROWS {
                return Err(Refusal::Rows);
            }
            let cells: rusqlite::Result<Vec<Value>> =
                (0..columns).map(|i| row.get_ref(i).map(value)).collect();
            out.push(cells.map_err(refusal)?);
        }
        Ok(out)
    })
}

/// Performs a statement that changes something; says how many rows it changed. `log` grows by it.
pub(super) fn execute(image: &Image, log: &mut Log, sql: &str) -> Result<usize, Refusal> {
    with(|engine| {
        engine.begin(image, log)?;
        let mut statement = engine.connection.prepare(sql).map_err(refusal)?;
        if statement.readonly() {
            return Err(Refusal::WrongTool);
        }
        let changed = statement.execute([]).map_err(refusal)?;
        drop(statement);
        if changed > 0 {
            Arc::make_mut(log).push(sql.into());
            engine.loaded = Some((image.id, log.clone()));
        }
        Ok(changed)
    })
}

/// All rows of a table, by their number, however many.
pub(super) fn table(image: &Image, log: &Log, name: &str) -> Result<Rows, Refusal> {
    with(|engine| {
        engine.begin(image, log)?;
        let mut statement =
            engine.connection.prepare(&format!("SELECT * FROM {name} ORDER BY id")).map_err(refusal)?;
        let columns = statement.column_count();
        let rows = statement.query_map([], |row| (0..columns).map(|i| row.get_ref(i).map(value)).collect());
        rows.and_then(Iterator::collect).map_err(refusal)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        Image::build(
            "CREATE TABLE bada (id INTEGER PRIMARY KEY, lupa INTEGER); INSERT INTO bada VALUES (1, 5), (2, 7)",
        )
    }

    #[test]
    fn the_list_of_functions_is_sorted() {
        assert!(FUNCTIONS.is_sorted());
    }

    #[test]
    fn states_are_kept_apart() {
        let (one, two) = (image(), image());
        let (mut a, mut b) = (Log::default(), Log::default());
        assert_eq!(execute(&one, &mut a, "UPDATE bada SET lupa = 9 WHERE id = 1"), Ok(1));
        let sum = |image, log: &Log| {
            query(image, log, "SELECT sum(lupa) FROM bada").map(|rows| rows[0][0].as_i64())
        };
        assert_eq!(sum(&one, &a), Ok(Some(16)));
        assert_eq!(sum(&one, &b), Ok(Some(12)));
        assert_eq!(sum(&two, &a), Ok(Some(16)));
        assert_eq!(execute(&one, &mut b, "DELETE FROM bada WHERE id = 2"), Ok(1));
        assert_eq!((sum(&one, &b), sum(&one, &a)), (Ok(Some(5)), Ok(Some(16))));
        assert_eq!(execute(&one, &mut a, "UPDATE bada SET lupa = 9 WHERE id = 8"), Ok(0));
        assert_eq!(a.len(), 1, "what changes nothing is no history");
    }

    #[test]
    fn bad_statements_are_refused_and_change_nothing() {
        let image = image();
        let mut log = Log::default();
        let sql = [
            "SELECT random()",
            "SELECT datetime('now')",
            "SELECT CURRENT_TIMESTAMP",
            "ATTACH 'x' AS y",
            "PRAGMA page_size",
            "CREATE TABLE x (a)",
            "DROP TABLE bada",
            "BEGIN",
            "SAVEPOINT x",
            "VACUUM",
            "SELECT 1; DELETE FROM bada",
            "INSERT INTO bada VALUES (1, 2)",
            "INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)",
            "SELECT lupe FROM bada",
            "SELECT ?1",
            "SELECT zeroblob(1000000000)",
            "",
            "\0",
            "🦀",
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT n FROM t",
            "WITH RECURSIVE t(n) AS (SELECT 10 UNION ALL SELECT n + 1 FROM t) INSERT INTO bada SELECT n, n FROM t",
        ];
        for sql in sql {
            assert!(query(&image, &log, sql).is_err(), "{sql}");
            assert!(execute(&image, &mut log, sql).is_err(), "{sql}");
        }
        let long = format!("SELECT '{}'", "x".repeat(1_000_000));
        assert!(query(&image, &log, &long).is_err());
        assert_eq!(query(&image, &log, "DELETE FROM bada"), Err(Refusal::WrongTool));
        assert_eq!(execute(&image, &mut log, "SELECT 1"), Err(Refusal::WrongTool));
        assert!(log.is_empty());
        let rows =
            query(&image, &log, "SELECT *, lupa / 2.0, NULL, x'ab' FROM bada ORDER BY id").expect("rows");
        assert_eq!(
            Value::List(rows.into_iter().map(Value::List).collect()).to_string(),
            "[[1, 5, 2.5, null, \"ab\"], [2, 7, 3.5, null, \"ab\"]]"
        );
        assert_eq!(table(&image, &log, "bada").expect("a table").len(), 2);
    }
}
