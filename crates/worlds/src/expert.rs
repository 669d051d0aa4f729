//! What the experts of all worlds share: the trace writer and the recoveries that need no knowledge of
//! the world.

use std::borrow::Cow;

use groundwork_trace::{Call, Span, SpanKind, ToolError, Trace, Value};

use crate::episode::{Declare, Episode, reply};
use crate::faults::FaultKind;
use crate::guide::Policy;
use crate::world::{Outcome, World};

/// Performs an expert's calls and writes down everything said.
pub(crate) struct Recorder {
    episode: Episode,
    spans: Vec<Span>,
    /// A tool that is away, and the number of steps after which it is back.
    gone: Option<(String, u32)>,
    /// The rule to keep to, and the calls made that it asks for.
    policy: Option<Policy>,
    done: Vec<Call>,
    /// What the user said last, until somebody listens.
    heard: Option<String>,
}

impl Recorder {
    /// Begins with the prompt.
    pub(crate) fn new(episode: Episode, declare: Declare) -> Self {
        let spans = episode.prompt(declare);
        Recorder { episode, spans, gone: None, policy: None, done: Vec::new(), heard: None }
    }

    /// The whole trace.
    pub(crate) fn finish(self) -> Trace {
        Trace::new(self.spans)
    }

    /// Says something that is no action.
    pub(crate) fn say(&mut self, kind: SpanKind, text: impl Into<String>) {
        self.spans.push(Span::new(kind, text));
    }

    /// Concludes something from a failure.
    pub(crate) fn reflect(&mut self, text: impl Into<String>) {
        self.say(SpanKind::Reflection, text);
    }

    /// Performs a call once.
    pub(crate) fn act(&mut self, call: &Call) -> Outcome {
        let mut action = Span::action(&self.episode.outward(call));
        let (outcome, fault) = self.episode.perform(call);
        let answer = reply(&self.episode.shown(&call.tool, Cow::Borrowed(&outcome)), fault);
        action.failed = answer.failed;
        self.spans.push(action);
        self.spans.push(answer.span);
        if let Some(said) = self.episode.said() {
            self.spans.push(Span::new(SpanKind::User, said));
            self.heard = Some(said.to_owned());
        }
        outcome
    }

    /// Keeps to a rule from now on.
    pub(crate) fn keep_to(&mut self, policy: Policy) {
        if let Policy::Never { tool, .. } = policy {
            self.gone = Some((tool.to_owned(), u32::MAX));
        }
        self.policy = Some(policy);
    }

    /// What the user has said since somebody last listened.
    pub(crate) fn heard(&mut self) -> Option<String> {
        self.heard.take()
    }

    /// Makes the call that the rule asks for before this one.
    fn prepare(&mut self, call: &Call) {
        let Some(required) = self.policy.and_then(|p| p.required(call)) else { return };
        while !self.done.contains(&required) {
            match self.act(&required) {
                Outcome::Observation { .. } => self.done.push(required.clone()),
                Outcome::Error(error) if error.name == "Denied" => {
                    let name = carried(&error).to_owned();
                    self.ask(&name);
                }
                Outcome::Error(_) => return,
            }
        }
    }

    /// Performs a call; if the tool is busy or a view is old, does what helps and tries again. Other
    /// refusals are the caller's to deal with.
    pub(crate) fn attempt<W: World>(&mut self, call: &Call) -> Outcome {
        self.prepare(call);
        loop {
            let outcome = self.act(call);
            match &outcome {
                Outcome::Observation { value: Value::Record(fields), .. }
                    if fields.first().is_some_and(|(key, _)| key == "old") =>
                {
                    self.reflect("that is old, look again");
                }
                Outcome::Observation { value, .. } if is_cut(value) => {
                    self.reflect("cut off, look again");
                    let again = W::reread(call);
                    if again != *call {
                        return self.attempt::<W>(&again);
                    }
                }
                Outcome::Error(error) if error.name == "Busy" => self.reflect("busy, try again"),
                Outcome::Error(error) if error.name == "Timeout" => self.reflect("no answer, try again"),
                Outcome::Error(error) if error.name == "RateLimit" => {
                    let calls = error.args.first().and_then(Value::as_i64).unwrap_or(0);
                    self.reflect(format!("too many calls, wait {calls}"));
                    for _ in 0..calls {
                        self.act(&Call::new("wait", []));
                    }
                }
                Outcome::Error(error) if error.name == "Renamed" => {
                    let new = error.args.get(1).and_then(Value::as_str).unwrap_or_default();
                    self.reflect(format!("{} is called {new} now", carried(error)));
                }
                Outcome::Error(error) if error.name == "Removed" => {
                    self.gone = Some((call.tool.clone(), u32::MAX));
                    return outcome;
                }
                Outcome::Error(error) if error.name == "Stale" => {
                    let name = carried(error).to_owned();
                    self.reflect(format!("my view of {name} is old, look first"));
                    self.act(&W::refresh(&name));
                }
                Outcome::Error(error) if error.name == "Gone" => {
                    let calls = error.args.get(1).and_then(Value::as_i64).unwrap_or(0);
                    self.gone = Some((call.tool.clone(), self.episode.steps() + calls as u32));
                    return outcome;
                }
                _ => return outcome,
            }
        }
    }

    /// As [`Recorder::attempt`]; where access is denied, asks for it.
    pub(crate) fn attempt_asking<W: World>(&mut self, call: &Call) -> Outcome {
        loop {
            match self.attempt::<W>(call) {
                Outcome::Error(error) if error.name == "Denied" => self.ask(carried(&error)),
                outcome => return outcome,
            }
        }
    }

    /// As [`Recorder::attempt_asking`]; where a tool is away, waits.
    pub(crate) fn insist<W: World>(&mut self, call: &Call) -> Outcome {
        loop {
            for _ in 0..self.away(&call.tool) {
                self.act(&Call::new("wait", []));
            }
            match self.attempt_asking::<W>(call) {
                Outcome::Error(error) if error.name == "Gone" => {
                    self.reflect(format!("{} is gone, wait {}", call.tool, self.away(&call.tool)));
                }
                outcome => return outcome,
            }
        }
    }

    /// Says that what was done before led nowhere, where the prompt tells such a thing, and takes back what is to be taken back.
    pub(crate) fn take_over<W: World>(&mut self) {
        let Some(fault) = self.episode.in_context() else { return };
        let undo: Vec<Call> = self.episode.begun().iter().rev().filter_map(W::undo).collect();
        self.reflect(match (undo.is_empty(), fault) {
            (false, _) => "nobody asked for that, undo it",
            (true, FaultKind::Planted) => "that leads nowhere, plan anew",
            (true, _) => "that was no way to the goal, plan from here",
        });
        for call in &undo {
            self.act(call);
        }
    }

    /// Asks for access to `name`.
    pub(crate) fn ask(&mut self, name: &str) {
        self.reflect(format!("no access to {name}, ask for it"));
        self.act(&Call::new("ask", [("name", Value::str(name))]));
    }

    /// For how many calls more `tool` is known to be away.
    pub(crate) fn away(&self, tool: &str) -> u32 {
        match &self.gone {
            Some((t, back)) if t == tool => back.saturating_sub(self.episode.steps()),
            _ => 0,
        }
    }
}

/// Whether a tool is away, for a while or for good.
pub(crate) fn is_away(error: &ToolError) -> bool {
    error.name == "Gone" || error.name == "Removed"
}

/// Whether a list in the value was cut off.
fn is_cut(value: &Value) -> bool {
    match value {
        Value::List(items) => items.last().and_then(Value::as_str) == Some("..."),
        Value::Record(fields) => fields.iter().any(|(_, v)| is_cut(v)),
        _ => false,
    }
}

/// The name that an error carries.
pub(crate) fn carried(error: &ToolError) -> &str {
    error.args.first().and_then(Value::as_str).unwrap_or_default()
}
