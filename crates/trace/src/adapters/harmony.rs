//! Harmony, the chat text of gpt-oss: one message for everything that is said, with its author, channel and
//! recipient in its heading.

use super::Format;
use super::builder::Builder;
use super::dialects::markers::{escaped, guarded, guarded_name, spelt};
use super::loss::{FormatError, Loss, LossKind, Place, Read};
use super::signatures;
use super::spelling::{COMPACT, Said, observation_text, said};
use super::turns::{Agent, Outcome, Turn, exchange, placed, take_tools};
use super::verbatim::{Chooser, Kept, Listener, Who};
use crate::{SpanKind, Trace};

/// What no text may spell.
pub(crate) const MARKERS: &[&str] =
    &["<|start|>", "<|end|>", "<|message|>", "<|channel|>", "<|constrain|>", "<|return|>", "<|call|>"];
const INSTRUCTIONS: &str = "# Instructions\n\n";
const TOOLS: &str = "# Tools\n\n## functions\n\n";
const SECTION: &str = "\n\n# Tools\n\n## functions\n\n";

/// Writes one text.
pub(crate) fn write(trace: &Trace) -> String {
    written(trace).0
}

fn written(trace: &Trace) -> (String, Vec<(usize, Kept)>) {
    let mut out = String::new();
    let mut turns = placed(trace, |t| matches!(t, Turn::Tools(_)));
    let mut chooser = Chooser::new(trace, Format::Harmony, COMPACT, MARKERS);
    // The declarations stand in the first system message, where there is one.
    let mut declared = take_tools(&mut turns)
        .map(|tools| format!("{TOOLS}{}", guarded(&signatures::namespace(&tools), MARKERS)));
    if declared.is_some() && !matches!(turns.first(), Some(Turn::System(_))) {
        put(&mut out, "developer", &declared.take().unwrap_or_default(), "<|end|>");
    }
    let mut turns = turns.iter().peekable();
    while let Some(turn) = turns.next() {
        match turn {
            Turn::Tools(_) => {}
            Turn::System(text) => {
                let mut text = [INSTRUCTIONS, &guarded(text, MARKERS)].concat();
                if let Some(tools) = declared.take() {
                    text.extend(["\n\n", &tools]);
                }
                put(&mut out, "developer", &text, "<|end|>");
            }
            Turn::User(text) => put(&mut out, "user", &guarded(text, MARKERS), "<|end|>"),
            Turn::Results(results) => write_results(&mut out, results),
            Turn::Agent(first) => {
                let (said, results) = exchange(first, &mut turns, write_agent, write_results);
                let (answered, results) = (results.is_some(), results.unwrap_or_default());
                let last = turns.peek().is_none();
                // What is not ended would go on into the next message.
                let read = |text: &str, _| {
                    let after = if last { "" } else { "<|start|>user<|message|>x<|end|>" };
                    let (mut read, _) = parse(&[text, after].concat()).ok()?.0.finish().ok()?;
                    let user = read.spans.pop_if(|s| !last && s.kind == SpanKind::Goal && s.body == "x");
                    (last || user.is_some()).then_some(read.spans)
                };
                let (raw, raw_results) = chooser.choose(first.first, (&said, &results), answered, read);
                out.extend([raw.unwrap_or(&said), raw_results.unwrap_or(&results)]);
            }
        }
    }
    (out, chooser.kept)
}

fn put(out: &mut String, heading: &str, text: &str, end: &str) {
    out.extend(["<|start|>", heading, "<|message|>", text, end]);
}

fn write_agent(out: &mut String, a: &Agent<'_>) {
    if let Some(thought) = a.thought {
        put(out, "assistant<|channel|>analysis", &guarded(thought, MARKERS), "<|end|>");
    }
    if let Some(text) = a.text {
        let channel = if a.plan { "commentary" } else { "final" };
        put(out, &format!("assistant<|channel|>{channel}"), &guarded(text, MARKERS), "<|end|>");
    }
    for body in &a.calls {
        let (tool, arguments) = match said(body, COMPACT) {
            Said::Call { tool, arguments, whole: true } => (tool, escaped(&arguments, MARKERS)),
            Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => {
                (tool, guarded(&arguments, MARKERS))
            }
            Said::Raw(text) => (String::new(), guarded(&text, MARKERS)),
        };
        let tool = guarded_name(&tool, MARKERS, " ");
        let heading = format!("assistant to=functions.{tool}<|channel|>commentary <|constrain|>json");
        put(out, &heading, &arguments, "<|call|>");
    }
}

fn write_results(out: &mut String, results: &[Outcome<'_>]) {
    for r in results {
        let tool = match said(r.call, COMPACT) {
            Said::Call { tool, .. } | Said::Unread { tool, .. } => guarded_name(&tool, MARKERS, " "),
            Said::Raw(_) => String::new(),
        };
        let text = if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) };
        let heading = format!("functions.{tool} to=assistant<|channel|>commentary");
        put(out, &heading, &guarded(&text, MARKERS), "<|end|>");
    }
}

/// Reads one text.
pub(crate) fn read(text: &str) -> Read<(Trace, Vec<Loss>)> {
    let (b, listener) = parse(text)?;
    listener.finish(b, text, |trace| written(trace).1)
}

fn parse(text: &str) -> Read<(Builder, Listener)> {
    let mut b = Builder::new(COMPACT);
    let mut listener = Listener::new(Format::Harmony);
    let mut rest = text;
    while !rest.is_empty() {
        let place = || Place::of(text, text.len() - rest.len());
        let Some(after) = rest.strip_prefix("<|start|>") else {
            return Err(FormatError::new(
                place(),
                "no message begins here",
                "a message begins with `<|start|>`",
            ));
        };
        let Some((heading, after)) = after.split_once("<|message|>") else {
            return Err(FormatError::new(
                place(),
                "a message that has only a heading",
                "`<|message|>` and the text follow the heading",
            ));
        };
        let (content, end, next) = until_end(after);
        let who = match heading.split(['<', ' ']).next().unwrap_or_default() {
            "assistant" => Who::Agent,
            "system" | "developer" | "user" => Who::Others,
            _ => Who::Tools,
        };
        listener.speaks(&mut b, who, text, text.len() - rest.len())?;
        message(&mut b, heading, content, end, &place())?;
        rest = next;
    }
    Ok((b, listener))
}

/// The text up to the end of a message, how it ends, and what follows.
fn until_end(text: &str) -> (&str, &str, &str) {
    let mut from = 0;
    while let Some(at) = text[from..].find("<|").map(|at| from + at) {
        if let Some(end) =
            ["<|end|>", "<|call|>", "<|return|>"].into_iter().find(|e| text[at..].starts_with(e))
        {
            return (&text[..at], end, &text[at + end.len()..]);
        }
        from = at + 2;
    }
    (text, "", "")
}

fn message(b: &mut Builder, heading: &str, content: &str, end: &str, place: &Place) -> Read<()> {
    let (author, channel) = heading.split_once("<|channel|>").unwrap_or((heading, ""));
    // The recipient stands behind the author or behind the channel.
    let recipient = |part: &str| {
        part.split(' ')
            .find_map(|w| w.strip_prefix("to="))
            .map(|w| w.trim_end_matches("<|constrain|>json").to_owned())
    };
    let to = recipient(author).or_else(|| recipient(channel));
    let (author, channel) = (author.split(' ').next().unwrap_or(""), channel.split(' ').next().unwrap_or(""));
    let calls = author == "assistant" && to.is_some();
    if end != if calls { "<|call|>" } else { "<|end|>" } {
        b.lose_once(LossKind::Layout, || place.clone(), "messages that end in another way, or not at all");
    }
    for marker in spelt(content, MARKERS) {
        b.lose_once(LossKind::Marker, || place.clone(), &format!("`{marker}` stands in a text"));
    }
    match (author, to) {
        ("system", _) => {
            b.lose_once(LossKind::Layout, || place.clone(), "a system message beside the developer's");
            b.system(content)
        }
        ("developer", _) => developer(b, content, place),
        ("user", _) => b.user(content),
        ("assistant", Some(to)) => {
            let tool = to.strip_prefix("functions.");
            let usual = format!("assistant to={to}<|channel|>commentary <|constrain|>json");
            if tool.is_none() || heading != usual {
                b.lose_once(LossKind::Spelling, || place.clone(), "calls with another heading");
            }
            let tool = tool.unwrap_or(&to);
            if tool.is_empty() && matches!(said(content, COMPACT), Said::Raw(_)) {
                return b.action(content.to_owned(), false, None, place.clone());
            }
            b.call(tool, content, None, place.clone())
        }
        ("assistant", None) => match channel {
            "analysis" => b.thought(content),
            "commentary" => b.push(SpanKind::Plan, content),
            _ => {
                if channel != "final" {
                    b.lose_once(LossKind::Layout, || place.clone(), "a message in no channel that is known");
                }
                b.push(SpanKind::Answer, content)
            }
        },
        (tool, _) if tool.starts_with("functions.") || heading.contains("to=assistant") => {
            b.result(None, content, false, place.clone())
        }
        (other, _) => {
            let message = format!("`{other}` is no author");
            let hint = "the authors are system, developer, user, assistant and functions.…";
            Err(FormatError::new(place.clone(), message, hint))
        }
    }
}

fn developer(b: &mut Builder, content: &str, place: &Place) -> Read<()> {
    // The declarations end the message.
    let start = if content.starts_with(TOOLS) { Some(0) } else { content.find(SECTION).map(|at| at + 2) };
    if let Some(start) = start
        && let source = &content[start + TOOLS.len()..]
        && signatures::is_namespace(source)
        && let Ok((trace, losses)) = signatures::read_typescript(source)
    {
        b.losses.extend(losses.into_iter().map(|l| Loss { place: place.clone(), ..l }));
        if let Some(tools) = trace.spans.into_iter().next() {
            b.tools(tools.body);
        }
        if start == 0 {
            return Ok(());
        }
        return developer(b, &content[..start - 2], place);
    }
    match content.strip_prefix(INSTRUCTIONS) {
        Some(text) => b.system(text),
        None => {
            b.lose_once(
                LossKind::Layout,
                || place.clone(),
                "a developer's message that is laid out in another way",
            );
            b.system(content)
        }
    }
}
