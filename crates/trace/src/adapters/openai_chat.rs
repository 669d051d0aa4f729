//! OpenAI chat completions: `{"messages": […], "tools": […]}`, or the messages alone.

use super::builder::Builder;
use super::content::{self, Part};
use super::json::{At, Node, quote};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, Said, observation_text, said};
use super::turns::{Agent, Turn, placed};
use crate::Trace;

const ROLES: &str = "the roles are system, developer, user, assistant and tool";

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let mut out = String::from("{\"messages\":[");
    let mut tools = None;
    let (mut calls, mut first) = (0, 0);
    for turn in placed(trace, |turn| matches!(turn, Turn::Tools(_))) {
        match turn {
            Turn::Tools(body) => tools = schemas::declared(body).or(tools),
            Turn::System(text) => message(&mut out, "system", text),
            Turn::User(text) => message(&mut out, "user", text),
            Turn::Agent(agent) => {
                first = calls;
                calls += agent.calls.len();
                write_agent(&mut out, &agent, first);
            }
            Turn::Results(results) => {
                for (i, r) in results.iter().enumerate() {
                    comma(&mut out);
                    out.push_str(&format!(
                        "{{\"role\":\"tool\",\"tool_call_id\":\"call_{}\",\"content\":",
                        first + i
                    ));
                    let text = if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) };
                    quote(&mut out, &text);
                    out.push('}');
                }
            }
        }
    }
    schemas::end(&mut out, tools.as_deref(), Shape::Function);
    out
}

/// A comma, unless nothing stands in the list yet.
pub(crate) fn comma(out: &mut String) {
    if !out.ends_with('[') {
        out.push(',');
    }
}

fn message(out: &mut String, role: &str, text: &str) {
    comma(out);
    out.push_str("{\"role\":\"");
    out.push_str(role);
    out.push_str("\",\"content\":");
    quote(out, text);
    out.push('}');
}

fn write_agent(out: &mut String, agent: &Agent<'_>, first: usize) {
    comma(out);
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
        for (i, body) in agent.calls.iter().enumerate() {
            comma(out);
            out.push_str(&format!(
                "{{\"id\":\"call_{}\",\"type\":\"function\",\"function\":{{\"name\":",
                first + i
            ));
            let (tool, arguments) = named(body);
            quote(out, &tool);
            out.push_str(",\"arguments\":");
            quote(out, &arguments);
            out.push_str("}}");
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
            read_message(&mut b, m, At::Item(&at, i))?;
        }
        b.lose(LossKind::Layout, at.place(), "messages without an object around them");
        return b.finish();
    }
    let mut fields = node.fields(at)?;
    let inside = At::Key(&at, "messages");
    for (i, m) in fields.need("messages", at)?.items(inside)?.iter().enumerate() {
        read_message(&mut b, m, At::Item(&inside, i))?;
    }
    schemas::take(&mut fields, &mut b, at)?;
    fields.rest(at, &mut b.losses);
    b.finish()
}

fn read_message(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
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
        "assistant" => read_agent(b, &mut m, content, at)?,
        "tool" | "function" => {
            let id = m.text("tool_call_id", at)?;
            let text = content::text(b, content, inside)?;
            if role == "function" {
                b.lose_once(LossKind::Layout, || at.place(), "the role `function`");
            }
            b.result(id.as_deref(), &text.unwrap_or_default(), false, at)?;
        }
        other => {
            let message = format!("there is no role `{other}`");
            return Err(FormatError::new(At::Key(&at, "role").place(), message, ROLES));
        }
    }
    m.rest(at, &mut b.losses);
    Ok(())
}

fn read_agent(
    b: &mut Builder,
    m: &mut super::json::Fields<'_, '_>,
    content: Option<&Node<'_>>,
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
        read_call(b, node, At::Item(&inside, i))?;
    }
    if let Some(node) = legacy {
        let at = At::Key(&at, "function_call");
        b.lose_once(LossKind::Layout, || at.place(), "the key `function_call`");
        read_function(b, node, None, at)?;
    }
    Ok(())
}

fn read_call(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut c = node.fields(at)?;
    let id = c.text("id", at)?;
    if !id.as_deref().is_some_and(|id| b.is_next(id, "call_")) {
        b.lose_once(LossKind::Ids, || At::Key(&at, "id").place(), "ids of calls");
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
    } else {
        read_function(b, c.need("function", at)?, id.as_deref(), At::Key(&at, "function"))?;
    }
    // The position of a call among those of a stream; it says what the order says.
    c.take("index", at)?;
    c.rest(at, &mut b.losses);
    Ok(())
}

fn read_function(b: &mut Builder, node: &Node<'_>, id: Option<&str>, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
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
    call(b, &tool, &text, id, at)?;
    f.rest(at, &mut b.losses);
    Ok(())
}
