//! OpenAI Responses: items, in a request (`{"input": […], "tools": […]}`), a response (`{"output": […]}`), or
//! alone.

use super::attach::{Attached, Style};
use super::builder::Builder;
use super::content::{self, Part};
use super::json::{At, Fields, Kind, Node, quote, quoted};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::openai_chat::{self, comma};
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, observation_text};
use super::turns::{Turn, placed};
use crate::{Trace, Value};

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let mut out = String::from("{\"input\":[");
    let attached = Attached::of(trace);
    let mut tools = None;
    let (mut calls, mut ids) = (0, Vec::new());
    for turn in placed(trace, |t| matches!(t, Turn::Tools(_))) {
        match turn {
            Turn::Tools(body) => tools = schemas::declared(body).or(tools),
            Turn::System(text) => message(&mut out, "system", &quoted(text)),
            Turn::User(text) => message(&mut out, "user", &attached.content(text, text, Style::Responses)),
            Turn::Agent(agent) => {
                if let Some(thought) = agent.thought {
                    comma(&mut out);
                    out.push_str("{\"type\":\"reasoning\",\"summary\":[],\"content\":[{\"type\":\"reasoning_text\",\"text\":");
                    quote(&mut out, thought);
                    out.push_str("}]");
                    if let Some(signature) = agent.signature {
                        out.push_str(",\"encrypted_content\":");
                        quote(&mut out, signature);
                    }
                    out.push('}');
                }
                if let Some(text) = agent.text {
                    message(&mut out, "assistant", &quoted(text));
                }
                ids = agent.ids("call_", calls);
                calls += agent.calls.len();
                for (body, id) in agent.calls.iter().zip(&ids) {
                    comma(&mut out);
                    let (tool, arguments) = openai_chat::named(body);
                    out.push_str("{\"type\":\"function_call\",\"call_id\":");
                    quote(&mut out, id);
                    out.push_str(",\"name\":");
                    quote(&mut out, &tool);
                    out.push_str(",\"arguments\":");
                    quote(&mut out, &arguments);
                    out.push('}');
                }
            }
            Turn::Results(results) => {
                for (r, id) in results.iter().zip(&ids) {
                    comma(&mut out);
                    out.push_str("{\"type\":\"function_call_output\",\"call_id\":");
                    quote(&mut out, id);
                    out.push_str(",\"output\":");
                    let text = if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) };
                    out.push_str(&attached.content(r.body, &text, Style::Responses));
                    out.push('}');
                }
            }
        }
    }
    schemas::end(&mut out, tools.as_deref(), Shape::Flat);
    out
}

fn message(out: &mut String, role: &str, content: &str) {
    comma(out);
    out.push_str(&format!("{{\"type\":\"message\",\"role\":\"{role}\",\"content\":"));
    out.push_str(content);
    out.push('}');
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    if let Kind::Array(items) = &node.kind {
        for (i, item) in items.iter().enumerate() {
            read_item(&mut b, item, At::Item(&at, i))?;
        }
        b.lose(LossKind::Layout, at.place(), "items without an object around them");
        return b.finish();
    }
    let mut fields = node.fields(at)?;
    let instructions = fields.text("instructions", at)?;
    if let Some(text) = instructions {
        b.lose(LossKind::Layout, At::Key(&at, "instructions").place(), "instructions beside the items");
        b.system(text)?;
    }
    let (input, output) = (fields.take("input", at)?, fields.take("output", at)?);
    if input.is_none() && output.is_none() {
        let hint = "a request has `input`, a response `output`";
        return Err(FormatError::new(at.place(), "there are no items", hint));
    }
    if output.is_some() {
        b.lose(LossKind::Layout, At::Key(&at, "output").place(), "the border between input and output");
    }
    for (key, items) in [("input", input), ("output", output)] {
        let Some(items) = items else { continue };
        let inside = At::Key(&at, key);
        if let Kind::Str = items.kind {
            b.lose(LossKind::Layout, inside.place(), "an input that is no list");
            b.user(items.text(inside)?)?;
            continue;
        }
        for (i, item) in items.items(inside)?.iter().enumerate() {
            read_item(&mut b, item, At::Item(&inside, i))?;
        }
    }
    schemas::take(&mut fields, &mut b, at)?;
    fields.rest(at, &mut b.losses);
    b.finish()
}

fn read_item(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
    let kind = f.text("type", at)?;
    if f.text("id", at)?.is_some() {
        b.lose_once(LossKind::Ids, || At::Key(&at, "id").place(), "ids of items");
    }
    // Items of a finished response all say `completed`.
    if f.text("status", at)?.is_some_and(|s| s != "completed") {
        b.lose_once(LossKind::Metadata, || At::Key(&at, "status").place(), "the status of items");
    }
    match kind.as_deref() {
        None | Some("message") => {
            if kind.is_none() {
                b.lose_once(LossKind::Layout, || at.place(), "messages without a type");
            }
            read_message(b, &mut f, at)?;
        }
        Some("reasoning") => {
            let mut thoughts = Vec::new();
            for key in ["summary", "content"] {
                let Some(parts) = f.take(key, at)? else { continue };
                let inside = At::Key(&at, key);
                for (i, part) in parts.items(inside)?.iter().enumerate() {
                    let at = At::Item(&inside, i);
                    thoughts.push(part.fields(at)?.need_text("text", at)?);
                    if key == "summary" {
                        b.lose_once(LossKind::Layout, || at.place(), "that a thought is a summary");
                    }
                }
            }
            let encrypted = f.text("encrypted_content", at)?;
            let last = thoughts.len().saturating_sub(1);
            for (i, thought) in thoughts.into_iter().enumerate() {
                if let Some(encrypted) = encrypted.as_deref().filter(|_| i == last) {
                    b.note("signature", Value::str(encrypted));
                }
                b.thought(thought)?;
            }
        }
        Some("function_call" | "custom_tool_call") => {
            let id = f.need_text("call_id", at)?;
            b.note_call(Some(&id), "call_");
            let custom = kind.as_deref() == Some("custom_tool_call");
            let tool = f.need_text("name", at)?;
            let arguments = f.need_text(if custom { "input" } else { "arguments" }, at)?;
            if custom {
                b.lose_once(LossKind::Layout, || at.place(), "that a tool is a custom one");
            }
            openai_chat::call(b, &tool, &arguments, Some(&id), at)?;
        }
        Some("function_call_output" | "custom_tool_call_output") => {
            let id = f.need_text("call_id", at)?;
            let text = content::text(b, f.take("output", at)?, At::Key(&at, "output"))?;
            b.result(Some(&id), &text.unwrap_or_default(), false, at)?;
        }
        Some(other) => {
            b.lose(LossKind::Attachment, at.place(), format!("an item of type `{other}`"));
            return Ok(());
        }
    }
    f.rest(at, &mut b.losses);
    Ok(())
}

fn read_message(b: &mut Builder, f: &mut Fields<'_, '_>, at: At<'_>) -> Read<()> {
    let role = f.need_text("role", at)?;
    let content = f.take("content", at)?;
    let inside = At::Key(&at, "content");
    match &*role {
        "system" | "developer" => {
            if role == "developer" {
                b.lose_once(LossKind::Metadata, || at.place(), "the role `developer`");
            }
            let text = content::text(b, content, inside)?;
            b.system(text.unwrap_or_default())
        }
        "user" => {
            let text = content::text(b, content, inside)?;
            b.user(text.unwrap_or_default())
        }
        "assistant" => {
            for part in content::parts(b, content, inside)? {
                match part {
                    Part::Text(text) => b.say(text)?,
                    Part::Thought(text) => b.thought(text)?,
                }
            }
            Ok(())
        }
        other => {
            let message = format!("there is no role `{other}`");
            let hint = "the roles are system, developer, user and assistant";
            Err(FormatError::new(At::Key(&at, "role").place(), message, hint))
        }
    }
}
