//! What names an episode before anything is done in it.

use serde::{Deserialize, Serialize};

use crate::FaultKind;

/// The side of the cut between training and testing. The two share no invented name (and, in most worlds, no
/// structure: [`held_out_structure`](crate::held_out_structure) says which).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// For training data.
    Train = 0,
    /// For benchmarks.
    Test = 1,
}

impl Split {
    /// Both sides.
    pub const ALL: [Split; 2] = [Split::Train, Split::Test];
}

/// One task: everything that determines an episode but the agent's actions.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Task {
    /// The world's name, one of [`world_names`](crate::world_names).
    pub world: String,
    /// The side of the cut that its names come from.
    pub split: Split,
    /// The seed.
    pub seed: u64,
    /// The difficulty, from 1 to [`MAX_LEVEL`](crate::MAX_LEVEL); each world derives its knobs from it.
    pub level: u32,
    /// The injected fault, if any.
    #[serde(default)]
    pub fault: Option<FaultKind>,
}

impl Task {
    /// The same task without its fault: same seed, same names, same goal but for a misspelling.
    pub fn twin(&self) -> Task {
        Task { fault: None, ..self.clone() }
    }
}
