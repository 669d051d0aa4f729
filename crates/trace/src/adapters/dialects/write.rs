//! The writer of all dialects.

use super::exchange::{Exchanges, State};
use super::markers::{escaped, guarded, guarded_name, shielded};
use super::{Content, Dialect, Stand, calls, gemma, write_calls};
use crate::adapters::json::quoted;
use crate::adapters::schemas;
use crate::adapters::spelling::{Said, observation_text, said, value_json};
use crate::adapters::turns::{Agent, Outcome, Turn, quietly_placed, take_tools};
use crate::adapters::verbatim::{Chooser, Kept};
use crate::{SpanKind, Tool, Trace};

/// Writes a trace. Where calls cannot be made in parallel, there are none.
pub(crate) fn write(trace: &Trace, d: &Dialect) -> String {
    written(trace, d).0
}

/// For each span that holds what its run was, how that is written.
pub(super) fn kept(trace: &Trace, d: &Dialect) -> Vec<(usize, Kept)> {
    written(trace, d).1
}

fn written(trace: &Trace, d: &Dialect) -> (String, Vec<(usize, Kept)>) {
    let mut out = String::from(d.begin);
    let is_system = |t: &Turn<'_>| matches!(t, Turn::System(_));
    let bare = d.system.is_none_or(|(open, _)| open.is_empty());
    let first = |t: &Turn<'_>| matches!(t, Turn::Tools(_)) || (bare && is_system(t));
    let mut turns = quietly_placed(trace, first, |a| quiet(a, d));
    let tools = take_tools(&mut turns);
    // Tools stand at the front of a trace, whatever stands there in the text.
    let mut declared = tools.as_ref().map(|tools| declarations(tools, d));
    let tools = tools.unwrap_or_default();
    let mut before_user = String::new();
    let mut at_start = true;
    let placed = |kind| kind == SpanKind::Tools || (bare && kind == SpanKind::System);
    let front =
        trace.spans.iter().take_while(|s| matches!(s.kind, SpanKind::Tools | SpanKind::System)).count();
    let mut exchanges = Exchanges {
        d,
        tools: &tools,
        in_order: !trace.spans[front..].iter().any(|s| placed(s.kind)),
        state: State::default(),
        chooser: Chooser::new(trace, d.format, d.style, d.markers),
    };
    let mut rest = turns.as_slice();
    while let Some(turn) = rest.first() {
        let in_system = d.tools.stand.in_system() && is_system(turn);
        if at_start && !in_system && !(d.tools.stand == Stand::AfterSystem && is_system(turn)) {
            put_declarations(&mut out, declared.take(), d);
        }
        at_start = false;
        if matches!(turn, Turn::Agent(_) | Turn::Results(_)) {
            let agents = rest.iter().take_while(|t| matches!(t, Turn::Agent(_))).count();
            let results = usize::from(matches!(rest.get(agents), Some(Turn::Results(_))));
            let (exchange, behind) = rest.split_at(agents + results);
            out.push_str(&exchanges.write(exchange, behind.first()));
            rest = behind;
            continue;
        }
        exchanges.interrupted();
        match turn {
            Turn::System(text) => {
                let text = guarded(text, d.markers);
                match (d.system, declared.take_if(|_| in_system)) {
                    (None, _) => before_user.extend([&text, "\n\n"]),
                    (Some((open, close)), None) => out.extend([open, &text, close]),
                    (Some((open, close)), Some(tools)) => match d.tools.stand {
                        Stand::BeforeSystem(between) => out.extend([open, &tools, between, &text, close]),
                        _ => out.extend([open, &text, "\n\n", &tools, close]),
                    },
                }
            }
            Turn::User(text) => {
                let system = std::mem::take(&mut before_user);
                out.extend([d.user.0, &system, &guarded(text, d.markers), d.user.1]);
            }
            Turn::Tools(_) | Turn::Agent(_) | Turn::Results(_) => {}
        }
        // A second chance for declarations that stand after the system text.
        if d.tools.stand == Stand::AfterSystem && is_system(turn) {
            put_declarations(&mut out, declared.take(), d);
        }
        rest = &rest[1..];
    }
    put_declarations(&mut out, declared, d);
    if !before_user.is_empty() {
        out.extend([d.user.0, before_user.trim_end_matches("\n\n"), d.user.1]);
    }
    (out, exchanges.chooser.kept)
}

/// Takes out what cannot be shown: white space before calls, and an empty thought where it is the mark of no thought.
pub(crate) fn quiet(a: &mut Agent<'_>, d: &Dialect) {
    let shown = d.calls.alone || a.calls.is_empty();
    let (empty, blank) = (|t: &&str| t.is_empty(), |t: &&str| t.trim().is_empty());
    // Neither is there an empty text after a thought, with nothing behind it.
    let ended = a.calls.is_empty() && a.thought.is_some() && d.thought.is_some() && d.text.is_empty();
    a.text.take_if(|t| (!shown && blank(t)) || (ended && empty(t)));
    let goes_on = a.text.is_some() || !a.calls.is_empty();
    let mark = match &d.thought {
        Some(t) => goes_on && t.none == [t.around.0, t.around.1].concat(),
        None => false,
    };
    // Said aloud, it is a text.
    let aloud = d.thought.is_none() && !shown && a.text.is_none();
    a.thought.take_if(|t| (mark && empty(t)) || (aloud && blank(t)));
}

fn put_declarations(out: &mut String, declared: Option<String>, d: &Dialect) {
    let Some(declared) = declared else { return };
    match d.system.filter(|_| d.tools.stand.in_system()) {
        Some((open, close)) => out.extend([open, &declared, close]),
        None => out.push_str(&declared),
    }
}

fn declarations(tools: &[crate::Tool], d: &Dialect) -> String {
    let t = &d.tools;
    let mut out = String::from(t.around.0);
    match t.each {
        Some((open, close)) => {
            for tool in tools {
                let json = schemas::to_json(tool, t.shape);
                let json = if t.indented { schemas::indented(&json) } else { schemas::spaced(&json) };
                out.extend([open, &escaped(&json, d.markers), close]);
            }
        }
        None => {
            let list = tools.iter().map(|tool| schemas::to_json(tool, t.shape)).collect();
            out.push_str(&escaped(&schemas::spaced(&list), d.markers));
        }
    }
    out.push_str(t.around.1);
    out
}

/// The turns in which an agent's turn is written: one, unless the dialect cannot hold its parts in one.
pub(super) fn agents(a: &Agent<'_>, first: usize, d: &Dialect, tools: &[Tool]) -> Vec<String> {
    let mut pieces = Vec::new();
    let text = |t| Agent { text: Some(t), ..Agent::default() };
    // A thought without a place of its own is said aloud.
    let aloud = a.thought.filter(|_| d.thought.is_none());
    let a = &match aloud {
        Some(_) if a.text.is_none() => {
            Agent { thought: None, text: aloud, plan: a.plan, calls: a.calls.clone(), ..Agent::default() }
        }
        _ => {
            pieces.extend(aloud.map(|t| agent(&text(t), first, d, tools)));
            Agent {
                thought: a.thought,
                text: a.text,
                plan: a.plan,
                calls: a.calls.clone(),
                ..Agent::default()
            }
        }
    };
    let thought = a.thought.filter(|_| d.thought.is_some());
    if d.calls.alone {
        pieces.extend(a.text.map(|t| agent(&text(t), first, d, tools)));
        let size = if d.parallel { a.calls.len().max(1) } else { 1 };
        for (i, calls) in a.calls.chunks(size).enumerate() {
            pieces.push(agent(&Agent { calls: calls.to_vec(), ..Agent::default() }, first + i, d, tools));
        }
    } else if thought.is_some() || a.text.is_some() || !a.calls.is_empty() {
        pieces.push(agent(
            &Agent { thought, text: a.text, plan: a.plan, calls: a.calls.clone(), ..Agent::default() },
            first,
            d,
            tools,
        ));
    }
    pieces
}

/// What an agent says in a turn, without the markers around the turn.
pub(crate) fn agent(a: &Agent<'_>, first: usize, d: &Dialect, tools: &[Tool]) -> String {
    let mut out = String::new();
    if let Some(t) = &d.thought {
        match a.thought {
            Some(thought) => out.extend([t.around.0, &guarded(thought, d.markers), t.around.1]),
            None => out.push_str(t.none),
        }
    }
    if let Some(text) = a.text {
        let text = guarded(text, d.markers);
        out.push_str(d.text);
        let shield = d.calls.alone && calls::is_attempt(&text, d, tools);
        out.push_str(&if shield { shielded(text) } else { text });
    }
    if !a.calls.is_empty() {
        out.push_str(if a.text.is_some() { d.calls.gap.0 } else { d.calls.gap.1 });
        let acts = write_calls(&a.calls, first, d);
        let (open, close) = d.attempt;
        match d.calls.alone && !calls::is_attempt(&acts, d, tools) {
            true => out.extend([open, &acts, close]),
            false => out.push_str(&acts),
        }
    }
    out
}

/// The results of one turn's calls, of which the first has the number `first`.
pub(crate) fn outcomes(results: &[Outcome<'_>], first: usize, d: &Dialect) -> String {
    let r = &d.results;
    let mut out = String::from(r.group.0);
    for (i, outcome) in results.iter().enumerate() {
        if i > 0 {
            out.push_str(r.between);
        }
        out.extend([r.each.0, &content(outcome, first + i, d), r.each.1]);
    }
    out.push_str(r.group.1);
    out
}

fn content(outcome: &Outcome<'_>, number: usize, d: &Dialect) -> String {
    let text = || {
        let body = outcome.body;
        guarded(&if outcome.error { body.to_owned() } else { observation_text(body, d.style) }, d.markers)
    };
    let json = || {
        let value = value_json(outcome.body, d.style).filter(|_| !outcome.error);
        value.map_or_else(|| quoted(outcome.body), |json| json.trim().to_owned())
    };
    let tool = || match said(outcome.call, d.style) {
        Said::Call { tool, .. } | Said::Unread { tool, .. } => guarded_name(&tool, d.markers, "\n"),
        Said::Raw(_) => String::new(),
    };
    match d.results.content {
        Content::Text | Content::After(_) => text(),
        Content::Json => escaped(&json(), d.markers),
        Content::Numbered => format!("functions.{}:{number}\n{}", tool(), text()),
        Content::Object => {
            let id = calls::list_id(number);
            format!("{{\"content\": {}, \"call_id\": \"{id}\"}}", escaped(&json(), d.markers))
        }
        Content::Gemma => gemma::write_response(&guarded_name(&tool(), d.markers, "{"), &text()),
    }
}
