//! Simulated tool environments: worlds, their tasks, experts, faults and verifiers.
//!
//! An [`Episode`] is a world with a goal, a fault (or none) and what was done so far: a pure function of its
//! [`Task`] and of the calls made. It clones in a microsecond or two, has a [state hash](Episode::state_hash),
//! and knows its [legal actions](Episode::legal_actions). [`Episode::expert_trace`] writes a whole expert
//! episode down as a trace, [`styled_trace`] in one of several [styles](style); the [`agent`] module has the reference agents that show a grader's floor and ceiling.
//!
//! The worlds are [`files`] (a file tree), [`route`] (a road map), [`ledger`] (accounts), [`tracking`] (keys that change
//! hands), [`arithmetic`] (quantities and a calculator), [`library`] (dated entries and a search), [`database`] (tables and
//! SQL) and [`repository`] (a code base in Python); [`guide`] has three of them again with a policy and a user; each module tells its levels, its goals and what success
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
//! # How to add a world
//!
//! 1. **State.** Write `src/<name>.rs` with a struct for the state: small, `Clone`, `Hash` over what decides
//!    the future. Put what never changes behind an `Arc`, so that a clone costs next to nothing. Open the
//!    file with a table of the knobs that each level sets, the form of the goals, and what success asks for.
//! 2. **Tools.** Declare them in the trace language, in a `const DECLARATIONS`, with short words for names; one of
//!    them is `ask(name: str) -> str`. The module must be able to perform every call that fits the declarations.
//! 3. **Tasks.** `generate` draws all names from the `Names` it is given (so the split holds by construction) and all
//!    choices from its `Dice`. If the structure should be held out too, let a hash of it decide the split, as
//!    `route` and `arithmetic` do. Draw nothing else: the twin of a faulty task must come out of the same choices.
//! 4. **Verifier.** Exact answer and exact final state, and count what else was changed. Ask yourself how an agent
//!    that does nothing, or that answers with every candidate, could pass.
//! 5. **Legal actions.** Every sensible call of a state, also those that the goal suggests and that fail.
//! 6. **Expert.** `solve` may use what the goal says and what the tools answer, nothing else. `Recorder::attempt`
//!    recovers from busy tools and stale views; the rest (`NotFound`, `Gone`, the world's own refusals) is yours.
//!    Say what went wrong and what comes next in a few words, and state in the module's docs how far from
//!    optimal the expert can be.
//! 7. **Faults.** List in `faults` those that make sense; `main_tool`, `guarded`, `resource`, `outdated` and
//!    `refresh` tell the wrapper where to strike, `arm` and `shows` serve those that live in the world.
//! 8. **Capabilities.** Say in `capabilities` what the world exercises; the suites of those capabilities take it up.
//! 9. **Register.** One variant and one line in `src/registry.rs`. The suite in `tests/conformance.rs` takes every
//!    registered world through every level and fault; a world that passes it is done.

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
pub mod ledger;
pub mod library;
mod mistake;
mod names;
mod own;
mod python;
mod registry;
mod replay;
pub mod repository;
pub mod route;
pub mod style;
mod task;
pub mod tracking;
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
pub use registry::{capabilities_of, faults_of, tool_set, world_names};
pub use replay::{Parted, replays};
pub use route::topology;
pub use style::{Style, styled_trace};
pub use task::{Split, Task};
pub use tracking::pattern;
pub use world::{Outcome, Verification};
