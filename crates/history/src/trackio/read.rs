//! Reading a database.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

use crate::jsonl::flatten;
use crate::table::{Cell, Row, Table};
use crate::{Findings, HistoryError};

/// True if a file begins as SQLite databases do.
pub(crate) fn is_database(start: &[u8]) -> bool {
    start.starts_with(b"SQLite format 3\0")
}

/// Reads all runs: a row a logged step, with the columns `run`, `step`, `timestamp`, the metrics, and the run's
/// configuration. A key of the configuration that is also a metric's name is a column `config.<key>`.
pub(crate) fn read(path: &Path, source: &str, findings: &mut Findings) -> Result<Table, HistoryError> {
    let broken = |e: rusqlite::Error| {
        let hint = "Trackio keeps a project in `<its folder>/<project>.db`; copy it with its `-wal` file where there is one";
        HistoryError::malformed(path, format!("is no readable Trackio database: {e}"), hint)
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let base = Connection::open_with_flags(path, flags).map_err(broken)?;
    let columns = columns(&base, "metrics").map_err(broken)?;
    if !["run_name", "step", "metrics"].iter().all(|want| columns.iter().any(|c| c == want)) {
        let hint = "want a table `metrics` with `run_name`, `step` and `metrics`, as Trackio makes it";
        return Err(HistoryError::malformed(path, "is a SQLite database, but none of Trackio's", hint));
    }
    let with_ids = columns.iter().any(|c| c == "run_id");
    let id = if with_ids { "run_id" } else { "run_name" };

    let mut table = Table::new(source, "row");
    let (run, step, timestamp) =
        (table.column_or_new("run"), table.column_or_new("step"), table.column_or_new("timestamp"));
    let mut ids = Vec::new();
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let time = if columns.iter().any(|c| c == "timestamp") { "timestamp" } else { "NULL" };
    let query = format!("SELECT rowid, {id}, run_name, step, {time}, metrics FROM metrics ORDER BY rowid");
    let mut statement = base.prepare(&query).map_err(broken)?;
    let mut rows = statement.query([]).map_err(broken)?;
    while let Some(from) = rows.next().map_err(broken)? {
        let mut row =
            Row { number: from.get::<_, i64>(0).map_err(broken)?.cast_unsigned(), cells: Vec::new() };
        let (id, name): (String, String) = (from.get(1).map_err(broken)?, from.get(2).map_err(broken)?);
        row.set(step, Cell::Number(from.get::<_, i64>(3).map_err(broken)? as f64));
        if let Some(text) = from.get::<_, Option<String>>(4).map_err(broken)? {
            row.set(timestamp, Cell::Text(text));
        }
        match json(from.get_ref(5).map_err(broken)?) {
            Some(fields) => flatten(&mut table, &mut row, "", fields),
            None => {
                let what = "the metrics of a step are no JSON object";
                findings.note(source, table.place(&row), what, "the step is left out");
                continue;
            }
        }
        names.insert(id.clone(), name);
        ids.push(id);
        table.rows.push(row);
    }
    // Two runs may have one name; their ids tell them apart.
    let mut of_name: BTreeMap<&str, usize> = BTreeMap::new();
    names.values().for_each(|name| *of_name.entry(name).or_default() += 1);
    let mut metrics: Vec<String> = table.names().to_vec();
    metrics.retain(|name| !["run", "step", "timestamp"].contains(&name.as_str()));
    let configs = configs(&base, with_ids).map_err(broken)?;
    for (i, id) in ids.iter().enumerate() {
        let name = &names[id];
        let shown = if of_name[name.as_str()] > 1 { format!("{name} ({id})") } else { name.clone() };
        table.rows[i].set(run, Cell::Text(shown));
        let Some(config) = configs.get(id) else { continue };
        let mut row = std::mem::replace(&mut table.rows[i], Row { number: 0, cells: Vec::new() });
        let renamed = config.clone().into_iter().map(|(key, value)| {
            let taken = metrics.contains(&key) || ["run", "step", "timestamp"].contains(&key.as_str());
            (if taken { format!("config.{key}") } else { key }, value)
        });
        flatten(&mut table, &mut row, "", renamed.collect());
        table.rows[i] = row;
    }
    Ok(table)
}

fn columns(base: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = base.prepare("SELECT name FROM pragma_table_info(?1)")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

type Fields = serde_json::Map<String, Value>;

fn configs(base: &Connection, with_ids: bool) -> rusqlite::Result<BTreeMap<String, Fields>> {
    let columns = columns(base, "configs")?;
    if columns.is_empty() {
        return Ok(BTreeMap::new());
    }
    let id = if with_ids && columns.iter().any(|c| c == "run_id") { "run_id" } else { "run_name" };
    let mut statement = base.prepare(&format!("SELECT {id}, config FROM configs"))?;
    let mut rows = statement.query([])?;
    let mut configs = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if let Some(fields) = json(row.get_ref(1)?) {
            configs.insert(row.get(0)?, fields);
        }
    }
    Ok(configs)
}

/// Trackio stores JSON as a blob, other programs as text.
fn json(value: ValueRef<'_>) -> Option<Fields> {
    let bytes = match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        _ => return None,
    };
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}
