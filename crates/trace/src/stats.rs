//! What a collection of traces consists of.

use std::collections::BTreeMap;

use crate::{ActionStatus, Attempt, SpanKind, Tool, Trace};

/// Counts over traces. Add traces one by one: it takes the memory of the names that occur.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// How many traces.
    pub traces: usize,
    /// Spans, and the bytes of their bodies, by kind.
    pub spans: BTreeMap<SpanKind, Count>,
    /// Bytes that are the world's own.
    pub own_bytes: usize,
    /// Actions marked `failed`.
    pub failed: usize,
    /// What came of the actions, by [`Attempt`].
    pub statuses: BTreeMap<&'static str, usize>,
    /// Injected faults by name.
    pub faults: BTreeMap<String, usize>,
    /// Readable calls by tool.
    pub tools: BTreeMap<String, usize>,
}

/// How many spans, and how many bytes their bodies have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Spans.
    pub spans: usize,
    /// Bytes.
    pub bytes: usize,
}

impl Stats {
    /// Counts `trace`. Its actions are compared with the tools that it declares, or with those that `known` gives
    /// for a named set; without either, a call of any tool is fine.
    pub fn add(&mut self, trace: &Trace, known: impl Fn(&str) -> Option<Vec<Tool>>) {
        self.traces += 1;
        let declares = trace.spans.iter().any(|s| s.kind == SpanKind::Tools);
        let set = trace.tool_set().map(|name| known(&name));
        let tools = match set {
            Some(known) => known,
            None => declares.then(|| trace.tools()),
        };
        for span in &trace.spans {
            let count = self.spans.entry(span.kind).or_default();
            count.spans += 1;
            count.bytes += span.body.len();
            self.own_bytes += span.own.iter().map(ExactSizeIterator::len).sum::<usize>();
            if let Some(fault) = &span.fault {
                *self.faults.entry(fault.clone()).or_default() += 1;
            }
            if span.kind != SpanKind::Action {
                continue;
            }
            self.failed += usize::from(span.failed);
            let attempt = Attempt::parse(&span.body, tools.as_deref().unwrap_or_default());
            let status = match attempt.status {
                ActionStatus::UnknownTool if tools.is_none() => ActionStatus::Fine,
                status => status,
            };
            *self.statuses.entry(name(status)).or_default() += 1;
            if let Some(call) = attempt.call {
                *self.tools.entry(call.tool).or_default() += 1;
            }
        }
    }
}

/// A status as the language reference names it.
const fn name(status: ActionStatus) -> &'static str {
    match status {
        ActionStatus::Fine => "fine",
        ActionStatus::Unclosed => "unclosed",
        ActionStatus::Malformed => "malformed",
        ActionStatus::UnknownTool => "unknown tool",
        ActionStatus::MissingArgument => "missing argument",
        ActionStatus::WrongType => "wrong type",
    }
}
