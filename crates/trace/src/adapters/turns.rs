//! A trace as the turns of a conversation: what all writers share.

use std::iter::Peekable;
use std::slice::Iter;

use super::schemas;
use crate::{Span, SpanKind, Tool, Trace, Value};

/// One turn.
#[derive(Debug)]
pub(crate) enum Turn<'a> {
    Tools(&'a str),
    System(&'a str),
    User(&'a str),
    Agent(Agent<'a>),
    /// What came of the calls of the turn before, in their order; some of the last may be missing.
    Results(Vec<Outcome<'a>>),
}

/// What the agent thinks, says and does, in this order, before anybody else speaks.
#[derive(Debug, Default)]
pub(crate) struct Agent<'a> {
    pub(crate) thought: Option<&'a str>,
    pub(crate) text: Option<&'a str>,
    /// Whether the text is a plan (and not an answer).
    pub(crate) plan: bool,
    /// The bodies of its actions, made in parallel.
    pub(crate) calls: Vec<&'a str>,
    /// For each of them, the id that it has.
    pub(crate) given_ids: Vec<Option<&'a str>>,
    /// What signs the thought.
    pub(crate) signature: Option<&'a str>,
    /// The span with which the turn begins.
    pub(crate) first: Option<&'a Span>,
}

impl<'a> Agent<'a> {
    /// An id for each call: its own, or `prefix` and its number, the first being `first`. Where two would be the same,
    /// all are numbered.
    pub(crate) fn ids(&self, prefix: &str, first: usize) -> Vec<String> {
        let numbered = |i: usize| format!("{prefix}{}", first + i);
        let ids =
            self.given_ids.iter().enumerate().map(|(i, id)| id.map_or_else(|| numbered(i), str::to_owned));
        let ids: Vec<String> = ids.collect();
        let mut sorted: Vec<&String> = ids.iter().collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|w| w[0] == w[1]) {
            return (0..ids.len()).map(numbered).collect();
        }
        ids
    }

    /// The metadata `name` of the span with which the turn begins.
    pub(crate) fn meta(&self, name: &str) -> Option<&'a Value> {
        self.first.and_then(|s| s.meta(name))
    }

    /// Whether the two are one turn, and only something that now stands elsewhere stood between them.
    fn goes_on_with(&self, next: &Agent<'_>) -> bool {
        self.calls.is_empty()
            && (next.thought.is_none() || (self.thought.is_none() && self.text.is_none()))
            && (next.text.is_none() || self.text.is_none())
    }

    fn is_empty(&self) -> bool {
        self.thought.is_none() && self.text.is_none() && self.calls.is_empty()
    }
}

/// What came of a call.
#[derive(Debug)]
pub(crate) struct Outcome<'a> {
    /// The body of the call.
    pub(crate) call: &'a str,
    pub(crate) body: &'a str,
    pub(crate) error: bool,
}

/// The turns of `trace`, in the order in which a format writes them: those of which `first` is true stand at
/// the front. Results that answer no action are in none of them.
///
/// Calls without results would run together with calls that then follow directly; they are left out.
pub(crate) fn placed(trace: &Trace, first: impl Fn(&Turn<'_>) -> bool) -> Vec<Turn<'_>> {
    quietly_placed(trace, first, |_| ())
}

/// As [`placed`], where `quiet` takes out of an agent's turn what the format cannot show.
pub(crate) fn quietly_placed<'a>(
    trace: &'a Trace,
    first: impl Fn(&Turn<'_>) -> bool,
    quiet: impl Fn(&mut Agent<'a>),
) -> Vec<Turn<'a>> {
    let (mut placed, rest): (Vec<_>, Vec<_>) = turns(trace).into_iter().partition(first);
    for mut turn in rest {
        if let Turn::Agent(agent) = &mut turn {
            quiet(agent);
            if agent.is_empty() {
                continue;
            }
        }
        if let (Turn::Agent(next), Some(Turn::Agent(last))) = (&mut turn, placed.last_mut()) {
            if next.thought.is_none() && next.text.is_none() && !last.calls.is_empty() {
                last.calls.clear();
                last.given_ids.clear();
            }
            if last.goes_on_with(next) {
                last.text = last.text.or(next.text);
                last.thought = last.thought.or(next.thought);
                last.plan |= next.plan;
                last.calls.append(&mut next.calls);
                last.given_ids.append(&mut next.given_ids);
                last.signature = last.signature.or(next.signature);
                quiet(last);
                // What is left of the turn may go on with the one before, whose calls were then not answered.
                if let [.., Turn::Agent(before), Turn::Agent(last)] = placed.as_mut_slice()
                    && last.thought.is_none()
                    && last.text.is_none()
                {
                    before.calls = std::mem::take(&mut last.calls);
                    before.given_ids = std::mem::take(&mut last.given_ids);
                    placed.pop();
                }
                continue;
            }
        }
        placed.push(turn);
    }
    placed.retain(|t| !matches!(t, Turn::Agent(a) if a.is_empty()));
    placed
}

/// As [`placed`], for formats in which an empty text beside a thought or calls is none.
pub(crate) fn tersely_placed(trace: &Trace, first: impl Fn(&Turn<'_>) -> bool) -> Vec<Turn<'_>> {
    quietly_placed(trace, first, |agent| {
        if agent.thought.is_some() || !agent.calls.is_empty() {
            agent.text = agent.text.filter(|t| !t.is_empty());
        }
    })
}

/// As [`placed`], for formats in which an empty text beside calls is none.
pub(crate) fn placed_with_calls(trace: &Trace, first: impl Fn(&Turn<'_>) -> bool) -> Vec<Turn<'_>> {
    quietly_placed(trace, first, |agent| {
        if !agent.calls.is_empty() {
            agent.text = agent.text.filter(|t| !t.is_empty());
        }
    })
}

fn turns(trace: &Trace) -> Vec<Turn<'_>> {
    let mut turns = Vec::new();
    let mut answered = 0;
    for span in &trace.spans {
        let body = span.body.as_str();
        match span.kind {
            SpanKind::Tools => turns.push(Turn::Tools(body)),
            SpanKind::System => turns.push(Turn::System(body)),
            SpanKind::Goal | SpanKind::User | SpanKind::Text => turns.push(Turn::User(body)),
            SpanKind::Thought | SpanKind::Reflection => {
                let agent =
                    agent(&mut turns, |a| a.thought.is_none() && a.text.is_none() && a.calls.is_empty());
                agent.first.get_or_insert(span);
                agent.thought = Some(body);
                agent.signature = text_of(span, "signature");
            }
            SpanKind::Plan | SpanKind::Answer => {
                let agent = agent(&mut turns, |a| a.text.is_none() && a.calls.is_empty());
                agent.first.get_or_insert(span);
                agent.text = Some(body);
                agent.plan = span.kind == SpanKind::Plan;
            }
            SpanKind::Action => {
                let agent = agent(&mut turns, |_| true);
                agent.first.get_or_insert(span);
                agent.calls.push(body);
                agent.given_ids.push(text_of(span, "call"));
                answered = 0;
            }
            SpanKind::Observation | SpanKind::Error => result(&mut turns, span, &mut answered),
        }
    }
    turns
}

/// The metadata `name` of a span, if it is a string.
fn text_of<'a>(span: &'a Span, name: &str) -> Option<&'a str> {
    span.meta(name).and_then(Value::as_str)
}

/// The agent's turn that goes on if `fits`, and otherwise a new one.
fn agent<'t, 'a>(turns: &'t mut Vec<Turn<'a>>, fits: impl Fn(&Agent<'a>) -> bool) -> &'t mut Agent<'a> {
    if !matches!(turns.last(), Some(Turn::Agent(a)) if fits(a)) {
        turns.push(Turn::Agent(Agent::default()));
    }
    match turns.last_mut() {
        Some(Turn::Agent(agent)) => agent,
        _ => unreachable!("an agent's turn was just pushed"),
    }
}

fn result<'a>(turns: &mut Vec<Turn<'a>>, span: &'a Span, answered: &mut usize) {
    let calls = match turns.as_slice() {
        [.., Turn::Agent(agent)] | [.., Turn::Agent(agent), Turn::Results(_)] => &agent.calls,
        _ => return,
    };
    let Some(call) = calls.get(*answered) else { return };
    *answered += 1;
    let outcome = Outcome { call, body: &span.body, error: span.kind == SpanKind::Error };
    match turns.last_mut() {
        Some(Turn::Results(results)) => results.push(outcome),
        _ => turns.push(Turn::Results(vec![outcome])),
    }
}

/// The same trace with its parallel calls one after the other, each with its result, and for each of its spans
/// the number it had before. Calls that cannot be kept apart are left out.
pub(crate) fn sequential(trace: &Trace) -> (Trace, Vec<usize>) {
    let kind = |i: usize| trace.spans.get(i).map(|s| s.kind);
    let is_result = |i| matches!(kind(i), Some(SpanKind::Observation | SpanKind::Error));
    let mut order = Vec::with_capacity(trace.spans.len());
    let mut i = 0;
    while i < trace.spans.len() {
        let calls = (i..).take_while(|&j| kind(j) == Some(SpanKind::Action)).count();
        let results = (i + calls..).take_while(|&j| is_result(j)).count();
        if calls < 2 {
            order.push(i);
            i += 1;
            continue;
        }
        // One that was not answered would be answered by the result of a call that follows.
        let kept =
            if kind(i + calls + results) == Some(SpanKind::Action) { calls.min(results) } else { calls };
        for n in 0..calls.max(results) {
            order.extend((n < kept).then_some(i + n));
            order.extend((n < results).then_some(i + calls + n));
        }
        i += calls + results;
    }
    (Trace::new(order.iter().map(|&i| trace.spans[i].clone()).collect()), order)
}

/// Takes the declarations out of the turns; the last that declare anything count.
pub(crate) fn take_tools(turns: &mut Vec<Turn<'_>>) -> Option<Vec<Tool>> {
    let mut tools = None;
    turns.retain(|turn| match turn {
        Turn::Tools(body) => {
            tools = schemas::declared(body).or(tools.take());
            false
        }
        _ => true,
    });
    tools
}

/// What the agent says from the turn `first` on, before anybody else speaks, and the results that follow, if any do; their
/// turns are taken from `turns`.
pub(crate) fn exchange<'a>(
    first: &Agent<'a>,
    turns: &mut Peekable<Iter<'_, Turn<'a>>>,
    write_agent: impl Fn(&mut String, &Agent<'a>),
    write_results: impl Fn(&mut String, &[Outcome<'a>]),
) -> (String, Option<String>) {
    let mut said = String::new();
    write_agent(&mut said, first);
    while let Some(Turn::Agent(more)) = turns.next_if(|t| matches!(t, Turn::Agent(_))) {
        write_agent(&mut said, more);
    }
    let results = turns.next_if(|t| matches!(t, Turn::Results(_)));
    let results = results.and_then(|turn| if let Turn::Results(found) = turn { Some(found) } else { None });
    let results = results.map(|found| {
        let mut text = String::new();
        write_results(&mut text, found);
        text
    });
    (said, results)
}
