//! Writing a database that Trackio opens.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, params};
use serde_json::Value;

use crate::HistoryError;

/// The tables as Trackio 0.43 makes them; it adds what else it wants when it opens the file.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS metrics (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    timestamp TEXT NOT NULL,
    run_name TEXT NOT NULL,
    step INTEGER NOT NULL,
    metrics TEXT NOT NULL,
    log_id TEXT,
    space_id TEXT
);
CREATE INDEX IF NOT EXISTS idx_metrics_run_step ON metrics(run_id, step);
CREATE TABLE IF NOT EXISTS configs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL,
    run_name TEXT NOT NULL,
    config TEXT NOT NULL,
    created_at TEXT NOT NULL,
    UNIQUE(run_id)
);
";

/// Writes runs into a Trackio database. To open it: `TRACKIO_DIR=<folder> trackio show --project <name without .db>`.
#[derive(Debug)]
pub struct TrackioWriter {
    path: PathBuf,
    base: Connection,
}

impl TrackioWriter {
    /// Opens a database, or makes one.
    ///
    /// # Errors
    /// If it cannot be opened, or is in an older schema than this.
    pub fn open(path: &Path) -> Result<TrackioWriter, HistoryError> {
        if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|e| HistoryError::write(folder, e))?;
        }
        let base = Connection::open(path).map_err(|e| HistoryError::write(path, e))?;
        base.execute_batch(SCHEMA).map_err(|e| HistoryError::write(path, e))?;
        Ok(TrackioWriter { path: path.to_owned(), base })
    }

    /// Writes a run, in place of an earlier one with the same `id`: all of it or nothing. `rows` are step, time (RFC 3339)
    /// and metrics.
    ///
    /// # Errors
    /// If the database cannot be written.
    pub fn run<'a>(
        &mut self,
        id: &str,
        name: &str,
        created_at: &str,
        config: &Value,
        rows: impl IntoIterator<Item = (i64, String, Vec<(&'a str, f64)>)>,
    ) -> Result<(), HistoryError> {
        let write = |to: &Transaction<'_>| -> rusqlite::Result<()> {
            to.execute("DELETE FROM metrics WHERE run_id = ?1", [id])?;
            let mut insert = to.prepare(
                "INSERT INTO metrics (run_id, timestamp, run_name, step, metrics) VALUES (?1, ?2, ?3, ?4, ?5)",
            )?;
            for (step, time, metrics) in rows {
                let fields: serde_json::Map<String, Value> =
                    metrics.into_iter().map(|(k, v)| (k.to_owned(), number(v))).collect();
                insert.execute(params![id, time, name, step, Value::Object(fields).to_string()])?;
            }
            to.execute(
                "INSERT OR REPLACE INTO configs (run_id, run_name, config, created_at) VALUES (?1, ?2, ?3, ?4)",
                params![id, name, config.to_string(), created_at],
            )?;
            Ok(())
        };
        let failed = |e: rusqlite::Error| HistoryError::write(&self.path, e);
        let transaction = self.base.transaction().map_err(failed)?;
        write(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}

/// A number as Trackio writes it: those that JSON lacks as text.
fn number(v: f64) -> Value {
    if v.is_nan() {
        "NaN".into()
    } else if v.is_infinite() {
        if v > 0.0 { "Infinity".into() } else { "-Infinity".into() }
    } else {
        v.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Findings;
    use crate::trackio::read;

    type Row = (i64, String, Vec<(&'static str, f64)>);

    fn rows(loss: f64) -> Vec<Row> {
        (0..3).map(|i| (i, format!("2026-01-01T00:00:0{i}+00:00"), vec![("loss", loss - i as f64)])).collect()
    }

    #[test]
    fn runs_come_back_with_their_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/project.db");
        let mut writer = TrackioWriter::open(&path).unwrap();
        let config = json!({"seed": 3, "loss": "huber", "model": {"size": "1M"}});
        for (id, name, loss) in
            [("a1", "a", 9.0), ("b1", "b", f64::INFINITY), ("a1", "a", 5.0), ("b2", "b", 1.0)]
        {
            writer.run(id, name, "2026-01-01T00:00:00+00:00", &config, rows(loss)).unwrap();
        }
        drop(writer);

        let mut findings = Findings::default();
        let table = read(&path, "project.db", &mut findings).unwrap();
        let cell = |row: usize, name: &str| table.rows[row].cell(table.column(name).unwrap()).clone();
        assert_eq!(table.rows.len(), 9);
        let runs: Vec<Cell> = [0, 3, 6].map(|row| cell(row, "run")).to_vec();
        assert_eq!(runs, ["b (b1)", "a", "b (b2)"].map(|t| Cell::Text(t.into())));
        assert_eq!(cell(0, "loss").number(), Some(f64::INFINITY));
        assert_eq!(cell(4, "loss").number(), Some(4.0));
        assert_eq!(cell(4, "step").number(), Some(1.0));
        assert_eq!(cell(4, "seed").number(), Some(3.0));
        assert_eq!(cell(4, "config.loss"), Cell::Text("huber".into()));
        assert_eq!(cell(4, "model.size"), Cell::Text("1M".into()));
        assert!(findings.list().is_empty());
    }
    use crate::Cell;

    #[test]
    fn databases_of_the_older_schema_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old.db");
        let base = Connection::open(&path).unwrap();
        base.execute_batch(
            "CREATE TABLE metrics (id INTEGER PRIMARY KEY, timestamp TEXT, run_name TEXT, step INTEGER, metrics TEXT);
             INSERT INTO metrics VALUES (1, 't', 'r', 0, CAST('{\"loss\": 2}' AS BLOB)), (2, 't', 'r', 1, 'oops');",
        )
        .unwrap();
        let mut findings = Findings::default();
        let table = read(&path, "old.db", &mut findings).unwrap();
        assert_eq!(table.rows.len(), 1);
        assert_eq!(findings.list()[0].place, "old.db, row 2");
        base.execute_batch("DROP TABLE metrics; CREATE TABLE other (a)").unwrap();
        assert!(read(&path, "old.db", &mut findings).unwrap_err().to_string().contains("none of Trackio's"));
    }
}
