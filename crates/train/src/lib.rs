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
mod machine;
mod optimizer;
mod processor;
mod recipe;
mod run;
mod schedule;
mod toml_input;
mod trained;
mod trial;

pub use groundwork_kernels::keep_freed_memory;

pub use checkpoint::{Checkpoint, latest_checkpoint};
pub use error::TrainError;
pub use events::{Done, Event, EventLog, StepEvent};
pub use machine::{available_memory, measure_peak, peak_memory};
pub use optimizer::{Optimizer, OptimizerKind, OptimizerSpec, ParameterGradients, Rates};
pub use processor::Processor;
pub use recipe::{Recipe, RecipeHash, Resolved, TrainSpec};
pub use run::{Outcome, corpus_folder, train};
pub use schedule::{DecayShape, ScheduleSpec};
pub use toml_input::{from_toml, from_toml_table};
pub use trained::Trained;
pub use trial::Trial;
