//! From the messages of a conversation to a trace: what all readers share.

use std::collections::HashMap;

use super::loss::{FormatError, Loss, LossKind, Place, Read};
use super::spelling::{Style, action_body, observation_body};
use crate::{Span, SpanKind, Trace, Value};

/// Builds a trace from messages in order. It tells a goal from a later turn and a plan from an answer, and
/// pairs results with calls.
pub(crate) struct Builder {
    style: Style,
    spans: Vec<Span>,
    pub(crate) losses: Vec<Loss>,
    /// Whether a user has spoken.
    has_goal: bool,
    /// The agent's texts since the user last spoke, of which it is open whether they are plans or answers.
    open: Vec<usize>,
    /// The calls that wait for results.
    waiting: Vec<Waiting>,
    /// Their numbers by id, where they are more than a few; and how many of them it knows.
    ids: HashMap<String, usize>,
    indexed: usize,
    /// How many results have come for them, in which order.
    arrived: usize,
    disordered: Option<Place>,
    calls: usize,
    /// Metadata of the next span.
    notes: Vec<(String, Value)>,
}

/// As many calls of a message are looked through one by one.
const FEW: usize = 16;

struct Waiting {
    span: usize,
    place: Place,
    id: Option<String>,
    result: Option<Span>,
}

impl Builder {
    pub(crate) fn new(style: Style) -> Self {
        Builder {
            style,
            spans: Vec::new(),
            losses: Vec::new(),
            has_goal: false,
            open: Vec::new(),
            waiting: Vec::new(),
            ids: HashMap::new(),
            indexed: 0,
            arrived: 0,
            disordered: None,
            calls: 0,
            notes: Vec::new(),
        }
    }

    /// How many calls there have been: the number of the next.
    pub(crate) fn calls(&self) -> usize {
        self.calls
    }

    /// Metadata of the span that comes next.
    pub(crate) fn note(&mut self, name: &str, value: Value) {
        self.notes.push((name.to_owned(), value));
    }

    /// Notes what is attached to the next span.
    pub(crate) fn attach(&mut self, reference: String) {
        match self.notes.iter_mut().find(|(name, _)| name == "attach") {
            Some((_, Value::List(all))) => all.push(Value::Str(reference)),
            _ => self.note("attach", Value::List(vec![Value::Str(reference)])),
        }
    }

    /// The id of the call that comes next, which is noted unless it is the one that the format's writer would give.
    pub(crate) fn note_call(&mut self, id: Option<&str>, prefix: &str) {
        if let Some(id) = id.filter(|id| !self.is_next(id, prefix)) {
            self.note("call", Value::str(id));
        }
    }

    /// `span` with the metadata that was noted for it.
    fn noted(&mut self, mut span: Span) -> Span {
        span.meta = std::mem::take(&mut self.notes);
        span
    }

    pub(crate) fn lose(&mut self, kind: LossKind, place: Place, what: impl Into<String>) {
        self.losses.push(Loss { kind, place, what: what.into() });
    }

    /// Reports a loss of which one report a document is enough.
    pub(crate) fn lose_once(&mut self, kind: LossKind, place: impl FnOnce() -> Place, what: &str) {
        if !self.losses.iter().any(|l| l.kind == kind && l.what == what) {
            self.lose(kind, place(), what);
        }
    }

    /// Reports losses that were held back, each once a document.
    pub(crate) fn lose_all(&mut self, losses: Vec<Loss>) {
        for Loss { kind, place, what } in losses {
            self.lose_once(kind, || place, &what);
        }
    }

    /// Declarations; only what stands before everything else is one.
    pub(crate) fn tools(&mut self, body: String) {
        self.spans.insert(0, Span::new(SpanKind::Tools, body));
        let later = |i: &mut usize| *i += 1;
        self.open.iter_mut().for_each(later);
        self.waiting.iter_mut().for_each(|w| w.span += 1);
    }

    pub(crate) fn system(&mut self, text: impl Into<String>) -> Read<()> {
        self.push(SpanKind::System, text)
    }

    pub(crate) fn user(&mut self, text: impl Into<String>) -> Read<()> {
        let kind = if self.has_goal { SpanKind::User } else { SpanKind::Goal };
        self.has_goal = true;
        self.push(kind, text)?;
        self.open.clear();
        Ok(())
    }

    pub(crate) fn thought(&mut self, text: impl Into<String>) -> Read<()> {
        self.push(SpanKind::Thought, text)
    }

    /// What the agent says to the user: a plan if it acts afterwards, else an answer.
    pub(crate) fn say(&mut self, text: impl Into<String>) -> Read<()> {
        self.push(SpanKind::Answer, text)?;
        self.open.push(self.spans.len() - 1);
        Ok(())
    }

    /// A span of which the format says what it is.
    pub(crate) fn push(&mut self, kind: SpanKind, text: impl Into<String>) -> Read<()> {
        self.answered()?;
        let span = self.noted(Span::new(kind, text));
        self.spans.push(span);
        Ok(())
    }

    /// A new message of the agent begins here. Calls of the message before that were not answered would run
    /// together with those of this one.
    pub(crate) fn message(&mut self, calls: bool) -> Read<()> {
        if let Some(w) = self.waiting.first().filter(|_| calls && self.arrived == 0) {
            return Err(FormatError::new(
                w.place.clone(),
                "this call has no result, and other calls follow it",
                "give each call a result before the next message",
            ));
        }
        self.answered()
    }

    /// A call of `tool` with `arguments` as they were said.
    pub(crate) fn call(&mut self, tool: &str, arguments: &str, id: Option<&str>, place: Place) -> Read<()> {
        let (body, readable) = action_body(tool, arguments, self.style);
        self.action(body, readable, id, place)
    }

    /// An attempt to act that says `body`.
    pub(crate) fn action(
        &mut self,
        body: String,
        readable: bool,
        id: Option<&str>,
        place: Place,
    ) -> Read<()> {
        if self.arrived > 0 {
            self.answered()?;
        }
        for i in self.open.drain(..) {
            self.spans[i].kind = SpanKind::Plan;
        }
        if let Some(id) = id
            && self.waits(id).is_some()
        {
            let message = format!("two calls have the id `{id}`");
            return Err(FormatError::new(place, message, "give every call of a message its own"));
        }
        let id = id.map(str::to_owned);
        self.wait(Waiting { span: self.spans.len(), place, id, result: None });
        let span = self.noted(Span::new(SpanKind::Action, body));
        self.spans.push(Span { failed: !readable, ..span });
        self.calls += 1;
        Ok(())
    }

    /// The number of the call whose result comes next, counted over the whole trace.
    pub(crate) fn result_number(&self) -> usize {
        self.calls.saturating_sub(self.waiting.len()) + self.arrived
    }

    /// The body of the call whose result comes next.
    pub(crate) fn next_call(&self) -> Option<&str> {
        self.waiting.get(self.arrived).map(|w| self.spans[w.span].body.as_str())
    }

    /// The number of the waiting call that has this id.
    pub(crate) fn waits(&self, id: &str) -> Option<usize> {
        if self.waiting.len() > FEW {
            return self.ids.get(id).copied();
        }
        self.waiting.iter().position(|w| w.id.as_deref() == Some(id))
    }

    fn wait(&mut self, call: Waiting) {
        self.waiting.push(call);
        if self.waiting.len() > FEW {
            for (i, w) in self.waiting.iter().enumerate().skip(self.indexed) {
                self.ids.extend(w.id.clone().map(|id| (id, i)));
            }
            self.indexed = self.waiting.len();
        }
    }

    /// Whether a result with this id, or without one, has a call that it can belong to.
    pub(crate) fn waits_for(&self, id: Option<&str>) -> bool {
        let next = self.waiting.get(self.arrived);
        match id.and_then(|id| self.waits(id)) {
            Some(index) => self.waiting[index].result.is_none(),
            None => next.is_some_and(|w| w.result.is_none() && (id.is_none() || w.id.is_none())),
        }
    }

    /// Whether `id` is the one that the format's writer gives to the next call: `prefix` and its number.
    pub(crate) fn is_next(&self, id: &str, prefix: &str) -> bool {
        let digits = id.strip_prefix(prefix).filter(|d| d.len() == 1 || !d.starts_with(['0', '+']));
        digits.and_then(|d| d.parse().ok()) == Some(self.calls)
    }

    /// A result follows: what was taken for a text was an attempt to act. Whether there was such a text.
    pub(crate) fn was_attempt(&mut self, place: Place) -> bool {
        let was = self.waiting.is_empty() && self.open.last().is_some_and(|&i| i + 1 == self.spans.len());
        if was {
            self.open.pop();
            for i in self.open.drain(..) {
                self.spans[i].kind = SpanKind::Plan;
            }
            self.calls += 1;
            self.wait(Waiting { span: self.spans.len() - 1, place, id: None, result: None });
            if let Some(last) = self.spans.last_mut() {
                last.kind = SpanKind::Action;
                last.failed = true;
            }
        }
        was
    }

    /// What a tool returned, as text.
    pub(crate) fn result(
        &mut self,
        id: Option<&str>,
        text: &str,
        error: bool,
        place: impl Into<Place>,
    ) -> Read<()> {
        let body = if error { text.to_owned() } else { observation_body(text, self.style) };
        self.result_body(id, body, error, place)
    }

    /// The body of what came of the waiting call that has this id; without one, of the next in order.
    pub(crate) fn result_body(
        &mut self,
        id: Option<&str>,
        body: String,
        error: bool,
        place: impl Into<Place>,
    ) -> Read<()> {
        let index = match id {
            None => self.arrived,
            Some(id) => match self.waits(id) {
                Some(index) => index,
                // The attempt was no call, and so has no id that could be named.
                None if self.waiting.get(self.arrived).is_some_and(|w| w.id.is_none()) => self.arrived,
                None => {
                    let message = format!("no call that waits for a result has the id `{id}`");
                    let hint = "results follow the message that made the calls, each with its call's id";
                    return Err(FormatError::new(place.into(), message, hint));
                }
            },
        };
        let Some(waiting) = self.waiting.get_mut(index) else {
            return Err(FormatError::new(
                place.into(),
                "a result that no call waits for",
                "results follow the message that made the calls, in its order",
            ));
        };
        if waiting.result.is_some() {
            let message = "a second result of the same call";
            return Err(FormatError::new(place.into(), message, "a call has one result"));
        }
        if index != self.arrived && self.disordered.is_none() {
            self.disordered = Some(place.into());
        }
        let kind = if error { SpanKind::Error } else { SpanKind::Observation };
        waiting.result = Some(Span { meta: std::mem::take(&mut self.notes), ..Span::new(kind, body) });
        self.arrived += 1;
        Ok(())
    }

    /// How many spans there are, without results that have come and not yet been put in their place.
    pub(crate) fn len(&self) -> usize {
        self.spans.len()
    }

    /// Puts results in their place: nobody but a tool speaks next.
    pub(crate) fn settle(&mut self) -> Read<()> {
        if self.arrived > 0 { self.answered() } else { Ok(()) }
    }

    /// Gives a weight in training to the spans from this number on, or to the result that has just come.
    pub(crate) fn weigh(&mut self, from: usize, weight: f32) {
        match self.spans.get_mut(from..).filter(|new| !new.is_empty()) {
            Some(new) => new.iter_mut().for_each(|span| span.weight = Some(weight)),
            None => {
                let last = self.waiting[..self.arrived].last_mut().and_then(|w| w.result.as_mut());
                last.into_iter().for_each(|span| span.weight = Some(weight));
            }
        }
    }

    /// The span with this number.
    pub(crate) fn span_mut(&mut self, number: usize) -> Option<&mut Span> {
        self.spans.get_mut(number)
    }

    /// Puts the results that have come behind their calls, in the order of the calls.
    fn answered(&mut self) -> Read<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let waiting = std::mem::take(&mut self.waiting);
        self.ids.clear();
        self.indexed = 0;
        if let Some(w) = waiting[..self.arrived].iter().find(|w| w.result.is_none()) {
            return Err(FormatError::new(
                w.place.clone(),
                "this call has no result, though a later one of the same message has",
                "results belong to calls by their order; add the missing one",
            ));
        }
        self.arrived = 0;
        if let Some(place) = self.disordered.take() {
            self.lose(LossKind::Order, place, "results in another order than their calls");
        }
        for w in waiting {
            if let Some(result) = w.result {
                self.spans[w.span].failed |= result.kind == SpanKind::Error;
                self.spans.push(result);
            }
        }
        Ok(())
    }

    pub(crate) fn finish(mut self) -> Read<(Trace, Vec<Loss>)> {
        self.answered()?;
        if self.notes.iter().any(|(name, _)| name == "attach") {
            self.lose(LossKind::Attachment, Place::Pointer(String::new()), "what is attached to no text");
        }
        Ok((Trace::new(self.spans), self.losses))
    }
}
