//! Trackio's SQLite databases, one a project.
//!
//! Schema: `trackio/sqlite_storage.py` of Trackio 0.43: `metrics(run_id, timestamp, run_name, step, metrics)` with the metrics
//! of a step as JSON, `configs(run_id, run_name, config, created_at)` with a run's configuration as JSON. Databases of before
//! 2026 have no `run_id`.

mod read;
mod write;

pub(crate) use read::{is_database, read};
pub use write::TrackioWriter;
