//! Training: a recipe in, a run folder out.
//!
//! [`Recipe`] is everything that determines a trained model. [`train`] turns it into
//! `runs/<name>-<hash>/` with an append-only event log, checkpoints that survive a kill at any
//! instant, and a resume that continues bit for bit.

#![forbid(unsafe_code)]

mod checkpoint;
mod error;
mod events;
mod feed;
mod guard;
mod optimizer;
mod recipe;
mod run;
mod schedule;
mod trained;

pub use checkpoint::{Checkpoint, latest_checkpoint};
pub use error::TrainError;
pub use events::{Done, Event, EventLog, StepEvent};
pub use optimizer::{Optimizer, OptimizerKind, OptimizerSpec, Rates};
pub use recipe::{Recipe, RecipeHash, Resolved, TrainSpec};
pub use run::{Outcome, corpus_folder, train};
pub use schedule::{DecayShape, ScheduleSpec};
pub use trained::Trained;
