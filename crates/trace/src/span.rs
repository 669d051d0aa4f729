//! Spans and traces.

use std::fmt::{Display, Write};
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::scan::Scanner;
use crate::{Call, SpanKind, Tool, ToolError, Value};

/// What came of an attempt to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionStatus {
    /// It parsed and its arguments fit the declaration.
    Fine,
    /// A bracket or a string was never closed.
    Unclosed,
    /// It is not a call at all.
    Malformed,
    /// No such tool is declared.
    UnknownTool,
    /// A parameter without a default was left out.
    MissingArgument,
    /// An argument does not fit its parameter's type, or there is no such parameter.
    WrongType,
}

/// A part of a trace: its kind, the bytes that were said, and what is known about them.
///
/// The metadata (`failed`, `fault`, `own`, `weight`, `meta`) does not enter the training text.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What the span is.
    pub kind: SpanKind,
    /// The body exactly as it was said, without the marker that opens the span.
    pub body: String,
    /// For an action: the attempt failed (the tool refused it, or it was no valid call).
    pub failed: bool,
    /// The name of the injected fault that this span shows, if it does.
    pub fault: Option<String>,
    /// The bytes of `body` that nobody could have predicted: the world's own values.
    pub own: Vec<Range<usize>>,
    /// A training weight that the source states.
    pub weight: Option<f32>,
    /// What else is known of it, by name: `author`, `time`, `tokens`, `cost`, `score` and so on (the reference lists
    /// them), or a name of one's own that begins with `x_`.
    pub meta: Vec<(String, Value)>,
}

impl Span {
    /// A span of `kind` that says `body`.
    pub fn new(kind: SpanKind, body: impl Into<String>) -> Self {
        Span {
            kind,
            body: body.into(),
            failed: false,
            fault: None,
            own: Vec::new(),
            weight: None,
            meta: Vec::new(),
        }
    }

    /// The metadata called `name`.
    pub fn meta(&self, name: &str) -> Option<&Value> {
        self.meta.iter().find(|(k, _)| k == name).map(|(_, v)| v)
    }

    /// The same span with this metadata besides.
    pub fn with_meta(mut self, name: impl Into<String>, value: Value) -> Self {
        self.meta.push((name.into(), value));
        self
    }

    /// An action in canonical print.
    pub fn action(call: &Call) -> Self {
        Span::new(SpanKind::Action, printed(call))
    }

    /// An observation in canonical print.
    pub fn observation(value: &Value) -> Self {
        Span::new(SpanKind::Observation, printed(value))
    }

    /// An error in canonical print.
    pub fn error(error: &ToolError) -> Self {
        Span::new(SpanKind::Error, printed(error))
    }
}

/// Most calls and values fit the first allocation.
fn printed(what: &impl Display) -> String {
    let mut out = String::with_capacity(96);
    // Writing into a String cannot fail.
    let _ = write!(out, "{what}");
    out
}

/// One episode.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trace {
    /// The spans in order. A `tools` span, where there is one, comes first.
    pub spans: Vec<Span>,
}

impl Trace {
    /// A trace of these spans.
    pub fn new(spans: Vec<Span>) -> Self {
        Trace { spans }
    }

    /// A document of plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Trace { spans: vec![Span::new(SpanKind::Text, text)] }
    }

    /// The tools that the trace declares in full: none where it names a known set, or where a
    /// declaration cannot be read ([`crate::check`] says why).
    pub fn tools(&self) -> Vec<Tool> {
        let bodies = self.spans.iter().filter(|s| s.kind == SpanKind::Tools).map(|s| s.body.as_str());
        bodies.filter_map(|body| Tool::parse_all(body).ok()).flatten().collect()
    }

    /// The name of the known set of tools that the trace relies on, if it names one.
    pub fn tool_set(&self) -> Option<String> {
        let tools = self.spans.iter().filter(|s| s.kind == SpanKind::Tools);
        tools.filter_map(|s| set_name(&s.body)).next()
    }
}

/// The name of a set of tools, if `body` is one and not declarations.
pub(crate) fn set_name(body: &str) -> Option<String> {
    let mut s = Scanner::new(body);
    s.skip_space();
    let name = s.name("the name of a set of tools").ok()?;
    s.end("the name").ok()?;
    Some(name)
}
