//! The arena: agents are tested in the worlds, with and without injected faults.
//!
//! A [`SuiteSpec`] is a grid of tasks of the test split. [`evaluate`] plays them with a model ([`Policy`]: the
//! decoder, or anything else that gives logits) and measures, on the same tasks, how likely and how highly ranked
//! the expert's actions are to it. The result is a [`ScoreRow`] an attempt, kept as Parquet ([`write_scores`]);
//! [`summarise`] and [`breakdown`] turn rows into metrics with 95% intervals. [`floors`] plays the same tasks with
//! reference agents, from one that does nothing to the expert, so that every score has its floor and ceiling.

#![forbid(unsafe_code)]

mod completion;
mod decoder;
mod error;
mod evaluate;
mod floors;
mod held_out;
mod likelihood;
mod metrics;
mod policy;
mod rank;
mod rollout;
mod sampler;
mod score;
mod score_file;
mod seat;
mod statistics;
mod suite;

pub use completion::{Completion, complete};
pub use error::ArenaError;
pub use evaluate::{Progress, evaluate};
pub use floors::floors;
pub use held_out::{HeldOut, check_held_out, how_test_tasks_are_held_out};
pub use likelihood::{Likelihood, likelihoods};
pub use metrics::{Breakdown, Faults, Metrics, breakdown, summarise};
pub use policy::Policy;
pub use rank::{Ranking, rank};
pub use rollout::{Ended, Rollout, play};
pub use score::ScoreRow;
pub use score_file::{read_scores, write_scores};
pub use statistics::Metric;
pub use suite::SuiteSpec;
