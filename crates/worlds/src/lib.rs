//! Simulated tool environments: worlds, their tasks, experts, faults and verifiers.
//!
//! An [`Episode`] is a world with a goal, a fault (or none) and what was done so far: a pure function of its
//! [`Task`] and of the calls made. It clones in a microsecond or two, has a [state hash](Episode::state_hash),
//! and knows its [legal actions](Episode::legal_actions). [`Episode::expert_trace`] writes a whole expert
//! episode down as a trace, [`styled_trace`] in one of several [styles](style); the [`agent`] module has the reference agents that show a grader's floor and ceiling.
//!
//! The worlds are [`files`] (a file tree), [`route`] (a road map), [`ledger`] (accounts), [`tracking`] (keys that change
//! hands), [`arithmetic`] (quantities, with and without a calculator), [`logic`] (facts and rules), [`library`] (dated entries and a search), [`database`] (tables and
//! SQL), [`repository`] (a code base in Python), [`planning`] (problems in PDDL), [`unseen`] (tools that are new in every task; [`renamed`]: tools that are known, under new names), and the
//! games [`labyrinth`], [`questions`] and [`mastermind`]; [`guide`] has three of them again with a policy and a user; each module tells its levels, its goals and what success
//! asks for. The faults are those of the [`faults`] module. How names and structures are cut into training and testing
//! is told at [`name_split`], and in [`route`], [`tracking`] and [`arithmetic`].
//!
//! ```
//! use groundwork_worlds::{Declare, Episode, FaultKind, Split, Task};
//!
//! let fault = Some(FaultKind::Misspelt);
//! let task = Task { world: "files".into(), split: Split::Train, seed: 3, level: 1, fault };
//! let trace = Episode::expert_trace(&task, Declare::Name)?;
//!
//! // The same actions, taken as text by an agent, meet the same answers and succeed.
//! let mut episode = Episode::new(&task)?;
//! for span in trace.spans.iter().filter(|s| s.kind == groundwork_trace::SpanKind::Action) {
//!     episode.act(&span.body);
//! }
//! let answer = &trace.spans.last().expect("a trace ends with its answer").body;
//! assert!(episode.verify(answer).success && episode.fault_met());
//! # Ok::<(), groundwork_worlds::WorldError>(())
//! ```
//!
//! `docs/worlds.md` describes every world and tells how to add one.

#![forbid(unsafe_code)]

pub mod agent;
pub mod arithmetic;
mod capability;
pub mod database;
mod dice;
mod episode;
mod error;
mod expert;
pub mod faults;
pub mod files;
pub mod guide;
mod hash;
pub mod labyrinth;
pub mod ledger;
pub mod library;
pub mod logic;
pub mod mastermind;
mod mistake;
mod names;
mod own;
pub mod planning;
mod python;
pub mod questions;
mod recovery;
mod registry;
pub mod renamed;
mod replay;
pub mod repository;
pub mod route;
pub mod style;
mod task;
pub mod tracking;
pub mod unseen;
mod world;

pub use agent::play;
pub use arithmetic::formula;
pub use capability::Capability;
pub use episode::{Declare, Episode, MAX_LEVEL, Reply};
pub use error::WorldError;
pub use faults::FaultKind;
pub use library::chain;
pub use mistake::one_argument_off;
pub use names::name_split;
pub use recovery::{Recovery, recovery};
pub use registry::{capabilities_of, faults_of, held_out_structure, tool_set, world_names};
pub use replay::{Parted, replays};
pub use route::topology;
pub use style::{Style, styled_trace, styled_trace_at};
pub use task::{Split, Task};
pub use tracking::pattern;
pub use world::{Outcome, Verification};
