//! The attention family: what a layer of the pattern may be.

use serde::{Deserialize, Serialize};

use crate::ModelError;

/// One member of the attention family, as a layer of the pattern names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum AttentionKind {
    /// `full`: every earlier position of the document.
    Full,
    /// `window:N`: the last N positions, the own one included.
    Window(usize),
}

impl AttentionKind {
    /// How many positions back a layer looks, its own included; `None` is all of them.
    pub fn window(self) -> Option<usize> {
        match self {
            AttentionKind::Full => None,
            AttentionKind::Window(n) => Some(n),
        }
    }
}

impl std::fmt::Display for AttentionKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            AttentionKind::Full => f.write_str("full"),
            AttentionKind::Window(n) => write!(f, "window:{n}"),
        }
    }
}

impl From<AttentionKind> for String {
    fn from(kind: AttentionKind) -> String {
        kind.to_string()
    }
}

impl TryFrom<String> for AttentionKind {
    type Error = ModelError;

    fn try_from(s: String) -> Result<Self, ModelError> {
        if s == "full" {
            return Ok(AttentionKind::Full);
        }
        match s.strip_prefix("window:").and_then(|n| n.parse().ok()) {
            Some(n) if n > 0 => Ok(AttentionKind::Window(n)),
            _ => Err(ModelError::Spec {
                field: "attention",
                what: format!("`{s}` is no member of the attention family"),
                hint: "use `full` or `window:N` with N ≥ 1, such as `window:128`".into(),
            }),
        }
    }
}
