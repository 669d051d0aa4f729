//! What a span of a trace is.

use serde::{Deserialize, Serialize};

/// What a span of a trace is. The discriminants are part of the token-shard format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum SpanKind {
    /// Plain text: a document of ordinary pre-training data is a trace with one such span.
    Text = 0,
    /// Declarations of the tools that may be called, or the name of a known set of them.
    Tools = 1,
    /// System text: the rules that hold for the whole episode.
    System = 2,
    /// The task, as the user first states it.
    Goal = 3,
    /// A later turn of the user.
    User = 4,
    /// What the agent intends to do.
    Plan = 5,
    /// What the agent thinks on the way.
    Thought = 6,
    /// One typed call of a tool.
    Action = 7,
    /// What a tool answered.
    Observation = 8,
    /// How a tool refused.
    Error = 9,
    /// What the agent concludes from a failure.
    Reflection = 10,
    /// The agent's final answer.
    Answer = 11,
}

impl SpanKind {
    /// Every kind, in the order of its discriminant.
    pub const ALL: [SpanKind; 12] = [
        SpanKind::Text,
        SpanKind::Tools,
        SpanKind::System,
        SpanKind::Goal,
        SpanKind::User,
        SpanKind::Plan,
        SpanKind::Thought,
        SpanKind::Action,
        SpanKind::Observation,
        SpanKind::Error,
        SpanKind::Reflection,
        SpanKind::Answer,
    ];

    /// The keyword that opens a span of this kind in a trace (`action` in `action: …`).
    pub const fn keyword(self) -> &'static str {
        match self {
            SpanKind::Text => "text",
            SpanKind::Tools => "tools",
            SpanKind::System => "system",
            SpanKind::Goal => "goal",
            SpanKind::User => "user",
            SpanKind::Plan => "plan",
            SpanKind::Thought => "thought",
            SpanKind::Action => "action",
            SpanKind::Observation => "observation",
            SpanKind::Error => "error",
            SpanKind::Reflection => "reflection",
            SpanKind::Answer => "answer",
        }
    }

    /// The kind with this keyword.
    pub fn from_keyword(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.keyword() == word)
    }

    /// The kind with this discriminant.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// The special token that stands for this span's opening marker in a token sequence.
    pub const fn marker(self) -> &'static str {
        match self {
            SpanKind::Text => "<|text|>",
            SpanKind::Tools => "<|tools|>",
            SpanKind::System => "<|system|>",
            SpanKind::Goal => "<|goal|>",
            SpanKind::User => "<|user|>",
            SpanKind::Plan => "<|plan|>",
            SpanKind::Thought => "<|thought|>",
            SpanKind::Action => "<|action|>",
            SpanKind::Observation => "<|observation|>",
            SpanKind::Error => "<|error|>",
            SpanKind::Reflection => "<|reflection|>",
            SpanKind::Answer => "<|answer|>",
        }
    }

    /// Whether the agent writes spans of this kind (as opposed to the user, the system or a tool).
    pub const fn is_agents(self) -> bool {
        matches!(
            self,
            SpanKind::Plan | SpanKind::Thought | SpanKind::Action | SpanKind::Reflection | SpanKind::Answer
        )
    }
}

impl std::fmt::Display for SpanKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.keyword())
    }
}
