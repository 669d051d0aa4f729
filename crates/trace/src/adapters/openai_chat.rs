//! OpenAI chat completions: `{"messages": […], "tools": […]}`, or the messages alone.

use super::attach::{Attached, Style};
use super::builder::Builder;
use super::content::{self, Part};
use super::json::{At, Fields, Node, quote, quoted};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, Said, observation_text, said};
use super::turns::{Agent, Turn, placed_with_calls, take_tools};
use crate::Trace;

const ROLES: &str = "the roles are system, developer, user, assistant and tool";

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let mut out = String::from("{\"messages\":[");
    let mut turns = placed_with_calls(trace, |turn| matches!(turn, Turn::Tools(_)));
    let tools = take_tools(&mut turns);
    write_turns(&mut out, turns, &Attached::of(trace), Calls::Nested, |_| ());
    schemas::end(&mut out, tools.as_deref(), Shape::Function);
    out
}

/// Where the name and the arguments of a call stand.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Calls {
    /// In an object of their own, `function`.
    Nested,
    /// Beside the id, as verifiers writes them.
    Flat,
}

/// The messages of turns, each by itself.
pub(crate) fn messages(turns: Vec<Turn<'_>>, attached: &Attached<'_>, shape: Calls) -> Vec<String> {
    let mut out = String::from("[");
    let mut starts = Vec::new();
    write_turns(&mut out, turns, attached, shape, |at| starts.push(at));
    let ends = starts.iter().skip(1).map(|at| at - 1).chain([out.len()]);
    starts.iter().zip(ends).map(|(&start, end)| out[start..end].to_owned()).collect()
}

/// Writes messages with commas between; `begins` hears where each begins.
fn write_turns(
    out: &mut String,
    turns: Vec<Turn<'_>>,
    attached: &Attached<'_>,
    shape: Calls,
    mut begins: impl FnMut(usize),
) {
    let (mut calls, mut ids) = (0, Vec::new());
    let mut begin = |out: &mut String| {
        comma(out);
        begins(out.len());
    };
    for turn in turns {
        match turn {
            Turn::Tools(_) => {}
            Turn::System(text) => {
                begin(out);
                message(out, "system", &quoted(text));
            }
            Turn::User(text) => {
                begin(out);
                message(out, "user", &attached.content(text, text, Style::OpenAi));
            }
            Turn::Agent(agent) => {
                ids = agent.ids("call_", calls);
                calls += agent.calls.len();
                begin(out);
                write_agent(out, &agent, &ids, shape);
            }
            Turn::Results(results) => {
                for (r, id) in results.iter().zip(&ids) {
                    begin(out);
                    out.push_str("{\"role\":\"tool\",\"tool_call_id\":");
                    quote(out, id);
                    out.push_str(",\"content\":");
                    let text = if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) };
                    quote(out, &text);
                    out.push('}');
                }
            }
        }
    }
}

/// A comma, unless nothing stands in the list yet.
pub(crate) fn comma(out: &mut String) {
    if !out.ends_with('[') {
        out.push(',');
    }
}

fn message(out: &mut String, role: &str, content: &str) {
    out.push_str("{\"role\":\"");
    out.push_str(role);
    out.push_str("\",\"content\":");
    out.push_str(content);
    out.push('}');
}

fn write_agent(out: &mut String, agent: &Agent<'_>, ids: &[String], shape: Calls) {
    out.push_str("{\"role\":\"assistant\",\"content\":");
    match agent.text {
        Some(text) => quote(out, text),
        None => out.push_str("null"),
    }
    if let Some(thought) = agent.thought {
        out.push_str(",\"reasoning_content\":");
        quote(out, thought);
    }
    if !agent.calls.is_empty() {
        out.push_str(",\"tool_calls\":[");
        for (body, id) in agent.calls.iter().zip(ids) {
            comma(out);
            out.push_str("{\"id\":");
            quote(out, id);
            out.push_str(match shape {
                Calls::Nested => ",\"type\":\"function\",\"function\":{\"name\":",
                Calls::Flat => ",\"type\":\"function\",\"name\":",
            });
            let (tool, arguments) = named(body);
            quote(out, &tool);
            out.push_str(",\"arguments\":");
            quote(out, &arguments);
            out.push_str(if shape == Calls::Nested { "}}" } else { "}" });
        }
        out.push(']');
    }
    out.push('}');
}

/// A tool and its arguments as a string; what is no call at all is an argument of the tool without a name.
pub(crate) fn named(body: &str) -> (String, String) {
    match said(body, COMPACT) {
        Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => (tool, arguments),
        Said::Raw(text) => (String::new(), text),
    }
}

/// The inverse of [`named`].
pub(crate) fn call(b: &mut Builder, tool: &str, arguments: &str, id: Option<&str>, at: At<'_>) -> Read<()> {
    if tool.is_empty() && matches!(said(arguments, COMPACT), Said::Raw(_)) {
        return b.action(arguments.to_owned(), false, id, at.place());
    }
    b.call(tool, arguments, id, at.place())
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    if let Ok(messages) = node.items(at) {
        for (i, m) in messages.iter().enumerate() {
            read_message(&mut b, m, Calls::Nested, At::Item(&at, i))?;
        }
        b.lose(LossKind::Layout, at.place(), "messages without an object around them");
        return b.finish();
    }
    let mut fields = node.fields(at)?;
    let inside = At::Key(&at, "messages");
    for (i, m) in fields.need("messages", at)?.items(inside)?.iter().enumerate() {
        read_message(&mut b, m, Calls::Nested, At::Item(&inside, i))?;
    }
    schemas::take(&mut fields, &mut b, at)?;
    fields.rest(at, &mut b.losses);
    b.finish()
}

/// The error of a message, at `at`, that nobody says.
pub(crate) fn no_role(role: &str, at: At<'_>) -> Box<FormatError> {
    FormatError::new(At::Key(&at, "role").place(), format!("there is no role `{role}`"), ROLES)
}

/// Reads one message.
pub(crate) fn read_message(b: &mut Builder, node: &Node<'_>, shape: Calls, at: At<'_>) -> Read<()> {
    let mut m = node.fields(at)?;
    let role = m.need_text("role", at)?;
    let content = m.take("content", at)?;
    let inside = At::Key(&at, "content");
    match &*role {
        "system" | "developer" => {
            if role == "developer" {
                b.lose_once(LossKind::Metadata, || at.place(), "the role `developer`");
            }
            let text = content::text(b, content, inside)?;
            b.system(text.unwrap_or_default())?;
        }
        "user" => {
            let text = content::text(b, content, inside)?;
            b.user(text.unwrap_or_default())?;
        }
        "assistant" => read_agent(b, &mut m, content, shape, at)?,
        "tool" | "function" => {
            let id = m.text("tool_call_id", at)?;
            let text = content::text(b, content, inside)?;
            if role == "function" {
                b.lose_once(LossKind::Layout, || at.place(), "the role `function`");
            }
            b.result(id.as_deref(), &text.unwrap_or_default(), false, at)?;
        }
        other => return Err(no_role(other, at)),
    }
    m.rest(at, &mut b.losses);
    Ok(())
}

fn read_agent(
    b: &mut Builder,
    m: &mut Fields<'_, '_>,
    content: Option<&Node<'_>>,
    shape: Calls,
    at: At<'_>,
) -> Read<()> {
    let reasoning = m.text("reasoning_content", at)?;
    let other = m.text("reasoning", at)?;
    if reasoning.is_none() && other.is_some() {
        b.lose_once(LossKind::Layout, || At::Key(&at, "reasoning").place(), "the key `reasoning`");
    }
    let thought = reasoning.or(other);
    let refusal = m.text("refusal", at)?;
    if refusal.is_some() {
        b.lose_once(LossKind::Metadata, || At::Key(&at, "refusal").place(), "that an answer is a refusal");
    }
    let calls = m.take("tool_calls", at)?;
    let inside = At::Key(&at, "tool_calls");
    let calls = calls.map(|c| c.items(inside)).transpose()?.unwrap_or_default();
    let legacy = m.take("function_call", at)?;
    let acts = !calls.is_empty() || legacy.is_some();
    let mut parts = content::parts(b, content, At::Key(&at, "content"))?;
    if acts && parts.iter().any(|p| matches!(p, Part::Text(text) if text.is_empty())) {
        b.lose_once(LossKind::Layout, || At::Key(&at, "content").place(), "an empty text beside calls");
        parts.retain(|p| !matches!(p, Part::Text(text) if text.is_empty()));
    }
    parts.extend(refusal.map(|text| Part::Text(text.into_owned())));
    b.message(acts && thought.is_none() && parts.is_empty())?;
    if let Some(thought) = &thought {
        b.thought(&**thought)?;
    }
    if thought.is_none() && parts.is_empty() && !acts {
        b.lose(LossKind::Layout, at.place(), "a message that says nothing");
    }
    for part in parts {
        match part {
            Part::Text(text) => b.say(text)?,
            Part::Thought(text) => b.thought(text)?,
        }
    }
    for (i, node) in calls.iter().enumerate() {
        read_call(b, node, shape, At::Item(&inside, i))?;
    }
    if let Some(node) = legacy {
        let at = At::Key(&at, "function_call");
        b.lose_once(LossKind::Layout, || at.place(), "the key `function_call`");
        read_function(b, node, None, at)?;
    }
    Ok(())
}

fn read_call(b: &mut Builder, node: &Node<'_>, shape: Calls, at: At<'_>) -> Read<()> {
    let mut c = node.fields(at)?;
    let id = c.text("id", at)?;
    b.note_call(id.as_deref(), "call_");
    if id.is_none() {
        b.lose_once(LossKind::Layout, || at.place(), "a call without an id");
    }
    let kind = c.text("type", at)?;
    let custom = c.take("custom", at)?;
    if kind.as_deref() != Some("function") {
        b.lose_once(LossKind::Layout, || at.place(), "the type of a call");
    }
    if let Some(custom) = custom {
        let at = At::Key(&at, "custom");
        let mut f = custom.fields(at)?;
        let (tool, input) = (f.need_text("name", at)?, f.need_text("input", at)?);
        f.rest(at, &mut b.losses);
        call(b, &tool, &input, id.as_deref(), at)?;
    } else if let Some(function) = c.take("function", at)? {
        if shape == Calls::Flat {
            b.lose_once(LossKind::Layout, || at.place(), "the key `function`");
        }
        read_function(b, function, id.as_deref(), At::Key(&at, "function"))?;
    } else {
        if shape == Calls::Nested {
            b.lose_once(LossKind::Layout, || at.place(), "a call without the key `function`");
        }
        function(b, &mut c, id.as_deref(), at)?;
    }
    // The position of a call among those of a stream; it says what the order says.
    c.take("index", at)?;
    c.rest(at, &mut b.losses);
    Ok(())
}

fn read_function(b: &mut Builder, node: &Node<'_>, id: Option<&str>, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
    function(b, &mut f, id, at)?;
    f.rest(at, &mut b.losses);
    Ok(())
}

/// The call whose name and arguments stand in `f`.
fn function(b: &mut Builder, f: &mut Fields<'_, '_>, id: Option<&str>, at: At<'_>) -> Read<()> {
    let tool = f.need_text("name", at)?;
    let arguments = f.need("arguments", at)?;
    // Some data sets hold the object itself.
    let text = match arguments.text(At::Key(&at, "arguments")) {
        Ok(text) => text,
        Err(e) if arguments.raw.starts_with('"') => return Err(e),
        Err(_) => {
            b.lose_once(
                LossKind::Layout,
                || At::Key(&at, "arguments").place(),
                "arguments that are no string",
            );
            arguments.raw.into()
        }
    };
    call(b, &tool, &text, id, at)
}
