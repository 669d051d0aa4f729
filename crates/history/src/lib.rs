//! Run histories: what training runs measured, read from anyone's files and written to those that other programs open.
//!
//! [`read`] turns CSV, JSON lines, Parquet, TensorBoard event files and Trackio databases into [`Table`]s of named
//! columns. [`gather`] makes [`RunHistory`]s of them: [`Columns`] says which columns hold a run's arm, size, seed, step and
//! cost, and a [`MetricSpec`] which holds a metric. What is wrong with the data does not stop it: every [`Finding`] has its
//! place, and says what was done about it.
//!
//! A [`HistoryQuestion`] puts all of this into the table and the rule that the lab's judge takes.
//!
//! [`export_to_tensorboard`] and [`export_to_trackio`] write our own runs for other programs, with [`EventWriter`] and
//! [`TrackioWriter`].

#![forbid(unsafe_code)]

mod columns;
mod csv;
mod error;
mod export;
mod finding;
mod fit;
mod gather;
mod jsonl;
mod parquet;
mod pattern;
mod question;
mod roles;
mod source;
mod survey;
mod table;
mod tensorboard;
mod trackio;

pub use columns::{Columns, MetricSpec, parse_size};
pub use error::HistoryError;
pub use export::{export_to_tensorboard, export_to_trackio};
pub use finding::{Finding, Findings};
pub use fit::{Fit, FitQuestion};
pub use gather::{Gathered, Point, RunHistory, gather};
pub use pattern::Pattern;
pub use question::{Histories, HistoriesError, HistoryQuestion, RuleParts};
pub use source::read;
pub use table::{Cell, Row, Table};
pub use tensorboard::EventWriter;
pub use trackio::TrackioWriter;
