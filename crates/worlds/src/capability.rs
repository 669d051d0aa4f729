//! What a world asks of an agent.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{WorldError, did_you_mean};

/// An ability that worlds exercise and suites test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Capability {
    /// Many steps that depend on one another must be chosen ahead.
    Planning,
    /// The right tool must be called with the right arguments.
    ToolUse,
    /// The tools are new: what they do stands in their declarations alone.
    UnseenTools,
    /// What matters stands far back in a long context.
    LongContext,
    /// Something fails, and another way must be found.
    Recovery,
    /// The answer follows from what is shown by several steps of thought.
    Reasoning,
    /// What holds now is the sum of everything that happened.
    StateTracking,
}

impl Capability {
    /// Every capability.
    pub const ALL: [Capability; 7] = [
        Capability::Planning,
        Capability::ToolUse,
        Capability::UnseenTools,
        Capability::LongContext,
        Capability::Recovery,
        Capability::Reasoning,
        Capability::StateTracking,
    ];

    /// Its name in files, commands and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Capability::Planning => "planning",
            Capability::ToolUse => "tool-use",
            Capability::UnseenTools => "unseen-tools",
            Capability::LongContext => "long-context",
            Capability::Recovery => "recovery",
            Capability::Reasoning => "reasoning",
            Capability::StateTracking => "state-tracking",
        }
    }
}

impl std::fmt::Display for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Capability {
    type Err = WorldError;

    fn from_str(name: &str) -> Result<Self, WorldError> {
        let names = || Capability::ALL.into_iter().map(Capability::as_str);
        Capability::ALL.into_iter().find(|k| k.as_str() == name).ok_or_else(|| {
            WorldError::UnknownCapability {
                name: name.to_owned(),
                hint: did_you_mean(name, names()),
                known: names().collect::<Vec<_>>().join(", "),
            }
        })
    }
}
