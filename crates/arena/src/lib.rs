//! The arena: agents are tested in the worlds, with and without injected faults.
//!
//! A [`SuiteSpec`] is a grid of tasks of the test split. [`evaluate`] plays them with a model ([`Policy`]: the
//! decoder, or anything else that gives logits) and measures, on the same tasks, how likely and how highly ranked
//! the expert's actions are to it. The result is a [`ScoreRow`] an attempt, kept as Parquet ([`write_scores`]);
//! [`summarise`] and [`breakdown`] turn rows into metrics with 95% intervals, [`horizons`] into the length of task that a
//! model still solves. [`floors`] plays the same tasks with
//! reference agents, from one that does nothing to the expert, so that every score has its floor and ceiling.
//!
//! [`Attempts`] plays a suite so that it can be interrupted and gone on with ([`Journal`]), with a model in process or with any
//! model behind an OpenAI-compatible [`Endpoint`].
//!
//! [`standard_suite`] has one suite a capability, over whatever worlds exercise it; [`OverlapSearch`] says what a suite
//! shares with a training corpus; [`regrade`] grades stored attempts again without the model.

#![forbid(unsafe_code)]

mod attempts;
mod branch;
mod compare;
mod completion;
mod constrain;
mod decoder;
mod endpoint;
mod error;
mod evaluate;
mod floors;
mod held_out;
mod horizon;
mod journal;
mod likelihood;
mod metrics;
mod mutant;
mod overlap;
mod page;
mod passes;
mod playing;
mod policy;
mod prediction;
mod rank;
mod regrade;
mod replay;
mod rollout;
mod sampler;
mod score;
mod score_file;
mod seat;
mod state;
mod statistics;
mod suite;
mod suites;

pub use attempts::Attempts;
pub use branch::{Branch, branches};
pub use compare::{PairedTest, compare, holm};
pub use completion::{Completion, complete};
pub use constrain::action_grammar;
pub use endpoint::{Endpoint, Protocol, Spent, Stopped, play_endpoint};
pub use error::ArenaError;
pub use evaluate::{Progress, evaluate, measure, score};
pub use floors::{FLOOR_TASKS, floors, reference_agents};
pub use held_out::{HeldOut, check_held_out, how_test_tasks_are_held_out};
pub use horizon::{HORIZON_CAP, Horizons, horizons};
pub use journal::{Journal, Journalled};
pub use likelihood::{Likelihood, likelihoods};
pub use metrics::{Breakdown, Faults, Metrics, breakdown, summarise};
pub use overlap::{Overlap, OverlapSearch, Shared};
pub use page::{Evaluated, render_page, render_replay};
pub use playing::InvalidActions;
pub use policy::Policy;
pub use prediction::{Prediction, predictions};
pub use rank::{Ranking, rank};
pub use regrade::{Regraded, regrade};
pub use replay::{Replay, ReplayStep};
pub use rollout::{Ended, Rollout, play};
pub use score::ScoreRow;
pub use score_file::{read_scores, write_scores};
pub use state::Change;
pub use statistics::Metric;
pub use suite::SuiteSpec;
pub use suites::{standard_suite, with_fresh_seeds};
