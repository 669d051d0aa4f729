//! ReAct: labelled lines.

use super::Format;
use super::builder::Builder;
use super::dialects::markers::{guarded, guarded_name};
use super::json::{self, At};
use super::loss::{FormatError, Loss, LossKind, Place, Read};
use super::schemas::{self, Shape};
use super::spelling::{SPACED, Said, observation_text, said};
use super::turns::{Agent, Outcome, Turn, exchange, placed, take_tools};
use super::verbatim::{Chooser, Kept, Listener, Who};
use crate::{SpanKind, Trace};

const LABELS: [&str; 8] = [
    "Tools: ",
    "System: ",
    "Question: ",
    "Thought: ",
    "Action: ",
    "Action Input: ",
    "Observation: ",
    "Final Answer: ",
];

/// What no text may spell: a label at the beginning of a line.
pub(crate) const MARKERS: &[&str] = &[
    "\nTools: ",
    "\nSystem: ",
    "\nQuestion: ",
    "\nThought: ",
    "\nAction: ",
    "\nAction Input: ",
    "\nObservation: ",
    "\nFinal Answer: ",
];

/// Writes a trace without parallel calls.
pub(crate) fn write(trace: &Trace) -> String {
    written(trace).0
}

fn written(trace: &Trace) -> (String, Vec<(usize, Kept)>) {
    let mut out = String::new();
    let mut turns = placed(trace, |t| matches!(t, Turn::Tools(_)));
    let mut chooser = Chooser::new(trace, Format::ReAct, SPACED, MARKERS);
    if let Some(tools) = take_tools(&mut turns) {
        let list = tools.iter().map(|t| schemas::to_json(t, Shape::Bare)).collect();
        put(&mut out, "Tools: ", &schemas::spaced(&list));
    }
    let mut turns = turns.iter().peekable();
    while let Some(turn) = turns.next() {
        match turn {
            Turn::Tools(_) => {}
            Turn::System(text) => put(&mut out, "System: ", text),
            Turn::User(text) => put(&mut out, "Question: ", text),
            Turn::Results(results) => write_results(&mut out, results),
            Turn::Agent(first) => {
                let (said, results) = exchange(first, &mut turns, write_agent, write_results);
                let (answered, results) = (results.is_some(), results.unwrap_or_default());
                let last = turns.peek().is_none();
                // A last line that does not end would go on into the next.
                let read = |text: &str, _| {
                    let (b, _) = (last || text.ends_with('\n')).then(|| parse(text))?.ok()?;
                    Some(b.finish().ok()?.0.spans)
                };
                let (raw, raw_results) = chooser.choose(first.first, (&said, &results), answered, read);
                out.extend([raw.unwrap_or(&said), raw_results.unwrap_or(&results)]);
            }
        }
    }
    (out, chooser.kept)
}

fn put(out: &mut String, label: &str, text: &str) {
    out.extend([label, &guarded(text, MARKERS), "\n"]);
}

fn write_agent(out: &mut String, a: &Agent<'_>) {
    a.thought.iter().for_each(|t| put(out, "Thought: ", t));
    let label = if a.plan { "Thought: " } else { "Final Answer: " };
    a.text.iter().for_each(|t| put(out, label, t));
    for body in &a.calls {
        let (tool, input) = match said(body, SPACED) {
            Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => (tool, arguments),
            Said::Raw(text) => (String::new(), text),
        };
        put(out, "Action: ", &guarded_name(&tool, &[], "\n"));
        put(out, "Action Input: ", &input);
    }
}

fn write_results(out: &mut String, results: &[Outcome<'_>]) {
    for r in results {
        let text = if r.error { r.body.to_owned() } else { observation_text(r.body, SPACED) };
        put(out, "Observation: ", &text);
    }
}

/// Reads one text.
pub(crate) fn read(text: &str) -> Read<(Trace, Vec<Loss>)> {
    let (b, listener) = parse(text)?;
    listener.finish(b, text, |trace| written(trace).1)
}

fn parse(text: &str) -> Read<(Builder, Listener)> {
    let mut b = Builder::new(SPACED);
    let mut listener = Listener::new(Format::ReAct);
    let mut action: Option<(&str, Place)> = None;
    let mut rest = text;
    while !rest.is_empty() {
        let place = || Place::of(text, text.len() - rest.len());
        let label = LABELS.into_iter().find(|l| rest.starts_with(l));
        let Some(label) = label else {
            let hint = "a line begins with `Question: `, `Thought: `, `Action: `, `Action Input: `, `Observation: ` or \
                        `Final Answer: `";
            return Err(FormatError::new(place(), "no label begins here", hint));
        };
        let (content, next) = until_label(&rest[label.len()..]);
        let ended = content.is_ok();
        let (Ok(content) | Err(content)) = content;
        let who = match label {
            "Tools: " | "System: " | "Question: " => Who::Others,
            "Observation: " => Who::Tools,
            _ => Who::Agent,
        };
        if who == Who::Agent {
            listener.speaks(&mut b, who, text, text.len() - rest.len())?;
        }
        if let Some((tool, at)) = action.take_if(|_| label != "Action Input: ") {
            b.lose_once(LossKind::Layout, || at.clone(), "an action without input");
            b.call(tool, "", None, at)?;
        }
        listener.speaks(&mut b, who, text, text.len() - rest.len())?;
        if !ended {
            b.lose_once(LossKind::Layout, place, "a last line that does not end");
        }
        match label {
            "Tools: " => {
                let nodes = json::parse_all(content).unwrap_or_default();
                let tools = nodes.first().and_then(|n| n.items(At::Root).ok()).unwrap_or_default();
                let mut losses = Vec::new();
                let here = |e: Box<FormatError>| FormatError::new(place(), e.message, e.hint);
                let body = schemas::read(tools, At::Root, &mut losses).map_err(here)?;
                b.losses.extend(losses.into_iter().map(|l| Loss { place: place(), ..l }));
                b.tools(body);
            }
            "System: " => b.system(content)?,
            "Question: " => b.user(content)?,
            "Thought: " => b.thought(content)?,
            "Action: " => {
                if content.contains('\n') {
                    b.lose_once(LossKind::Spelling, place, "a tool's name of several lines");
                }
                action = Some((content, place()));
            }
            "Action Input: " => match action.take() {
                Some(("", at)) if matches!(said(content, SPACED), Said::Raw(_)) => {
                    b.action(content.to_owned(), false, None, at)?;
                }
                Some((tool, at)) => b.call(tool, content, None, at)?,
                None => {
                    let hint = "`Action: ` and the tool's name stand before it";
                    return Err(FormatError::new(place(), "an input without an action", hint));
                }
            },
            "Observation: " => b.result(None, content, false, place())?,
            _ => b.push(SpanKind::Answer, content)?,
        }
        rest = next;
    }
    if let Some((tool, at)) = action {
        b.lose_once(LossKind::Layout, || at.clone(), "an action without input");
        b.call(tool, "", None, at)?;
    }
    Ok((b, listener))
}

/// The text up to the next label, or (as an error) to an end without a line break; and what follows.
fn until_label(text: &str) -> (Result<&str, &str>, &str) {
    for (at, _) in text.match_indices('\n') {
        let next = &text[at + 1..];
        if next.is_empty() || LABELS.iter().any(|l| next.starts_with(l)) {
            return (Ok(&text[..at]), next);
        }
    }
    (Err(text), "")
}
