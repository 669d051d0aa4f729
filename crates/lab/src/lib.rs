//! The laboratory: bets, their runs, and the verdict with its uncertainty.
//!
//! A [`Bet`] is read from a TOML file and resolved into a [`Plan`]; its [`Registration`] freezes question, rule and
//! recipes before the first training step; a [`Runner`] runs the cells as child processes; a [`Verdict`] judges the
//! [`BetResult`] by the registered rule, and [`render_report`] writes it down as one HTML file. The [`RunStore`] lists
//! what lies on disk. Nothing here prints, and nothing here knows a tensor.

#![forbid(unsafe_code)]

mod archive;
mod bet;
mod child;
mod distribution;
mod evaluated;
mod event_log;
mod figures;
pub mod fit;
pub mod judge;
mod ledger;
mod locate;
mod outside;
mod plan;
mod planning;
mod random;
mod recipe;
mod registration;
mod report;
mod result;
mod rule;
mod run_store;
mod runner;
mod score;
mod time_left;
mod tuning;
mod verdict;
mod verdict_text;

pub use archive::{ARCHIVE_FILE, ArchivedRun, LEAST_SIGNAL, NoiseArchive, NoiseEntry};
pub use bet::{
    Arm, ArmSpec, Bet, BetError, CellSpec, Criterion, Decision, Direction, Guardrail, Ladder, Require,
    nominal_params,
};
pub use event_log::{CurvePoint, EventLog, Incident};
pub use ledger::{Coverage, LEDGER_FILE, Ledger, Prediction};
pub use outside::{Trainer, json_object};
pub use plan::{Cell, Plan, PlanError};
pub use planning::{AssumedNoise, Design, Power, Prospect, ProspectError, Worth};
pub use recipe::{RecipeHash, ResolvedRecipe};
pub use registration::{Registered, RegisteredCell, RegisteredTuning, Registration, RegistrationError};
pub use report::{render_judgement, render_report};
pub use result::{BetResult, CellResult};
pub use run_store::{Done, Run, RunStatus, RunStore, RunStoreError, RunSummary};
pub use runner::{Failure, Runner, RunnerError, RunnerEvent, RunnerOutcome};
pub use score::{MODEL, Metric, Metrics, Score, metric_names};
pub use time_left::Speed;
pub use tuning::{NothingChosen, Trial, TrialSummary, Tuning};
pub use verdict::{ArmCost, Verdict};
