//! Anthropic messages: `{"system": …, "messages": […], "tools": […]}`.

use super::arguments;
use super::attach::{Attached, Style};
use super::builder::Builder;
use super::content;
use super::json::{At, Kind, Node, quote, quoted};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::openai_chat::comma;
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, observation_text};
use super::turns::{Agent, Outcome, Turn, placed};
use crate::{Trace, Value};

/// The metadata of a thought that the service hid: its text is empty, its signature is what stands for it.
pub(crate) const REDACTED: &str = "x_redacted";

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let mut out = String::from("{");
    let attached = Attached::of(trace);
    let mut systems = Vec::new();
    let mut tools = None;
    let mut messages = String::from("[");
    let (mut calls, mut ids) = (0, Vec::new());
    for turn in placed(trace, |t| matches!(t, Turn::Tools(_) | Turn::System(_))) {
        match turn {
            Turn::Tools(body) => tools = schemas::declared(body).or(tools),
            Turn::System(text) => systems.push(text),
            Turn::User(text) => {
                comma(&mut messages);
                messages.push_str("{\"role\":\"user\",\"content\":");
                messages.push_str(&attached.content(text, text, Style::Anthropic));
                messages.push('}');
            }
            Turn::Agent(agent) => {
                ids = agent.ids("toolu_", calls);
                calls += agent.calls.len();
                write_agent(&mut messages, &agent, &ids);
            }
            Turn::Results(results) => write_results(&mut messages, &results, &ids, &attached),
        }
    }
    match systems.as_slice() {
        [] => {}
        [one] => {
            out.push_str("\"system\":");
            quote(&mut out, one);
            out.push(',');
        }
        many => {
            let blocks: Vec<String> =
                many.iter().map(|text| format!("{{\"type\":\"text\",\"text\":{}}}", quoted(text))).collect();
            out.push_str(&format!("\"system\":[{}],", blocks.join(",")));
        }
    }
    out.push_str("\"messages\":");
    out.push_str(&messages);
    schemas::end(&mut out, tools.as_deref(), Shape::Anthropic);
    out
}

fn write_agent(out: &mut String, agent: &Agent<'_>, ids: &[String]) {
    comma(out);
    out.push_str("{\"role\":\"assistant\",\"content\":[");
    match (agent.thought, agent.signature) {
        // What the service hid goes back to it as it came.
        (Some(_), Some(data)) if agent.meta(REDACTED) == Some(&Value::Bool(true)) => {
            out.push_str("{\"type\":\"redacted_thinking\",\"data\":");
            quote(out, data);
            out.push('}');
        }
        (Some(thought), signature) => {
            out.push_str("{\"type\":\"thinking\",\"thinking\":");
            quote(out, thought);
            out.push_str(",\"signature\":");
            quote(out, signature.unwrap_or_default());
            out.push('}');
        }
        (None, _) => {}
    }
    if let Some(text) = agent.text {
        comma(out);
        out.push_str("{\"type\":\"text\",\"text\":");
        quote(out, text);
        out.push('}');
    }
    for (body, id) in agent.calls.iter().zip(ids) {
        comma(out);
        let (tool, input) = arguments::object(body);
        out.push_str("{\"type\":\"tool_use\",\"id\":");
        quote(out, id);
        out.push_str(",\"name\":");
        quote(out, &tool);
        out.push_str(",\"input\":");
        out.push_str(&input);
        out.push('}');
    }
    out.push_str("]}");
}

fn write_results(out: &mut String, results: &[Outcome<'_>], ids: &[String], attached: &Attached<'_>) {
    comma(out);
    out.push_str("{\"role\":\"user\",\"content\":[");
    for (r, id) in results.iter().zip(ids) {
        comma(out);
        out.push_str("{\"type\":\"tool_result\",\"tool_use_id\":");
        quote(out, id);
        out.push_str(",\"content\":");
        let text = if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) };
        out.push_str(&attached.content(r.body, &text, Style::Anthropic));
        if r.error {
            out.push_str(",\"is_error\":true");
        }
        out.push('}');
    }
    out.push_str("]}");
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    if let Kind::Array(messages) = &node.kind {
        for (i, m) in messages.iter().enumerate() {
            read_message(&mut b, m, At::Item(&at, i))?;
        }
        b.lose(LossKind::Layout, at.place(), "messages without an object around them");
        return b.finish();
    }
    let mut fields = node.fields(at)?;
    if let Some(system) = fields.take("system", at)? {
        let at = At::Key(&at, "system");
        match &system.kind {
            Kind::Array(blocks) => {
                for (i, block) in blocks.iter().enumerate() {
                    let at = At::Item(&at, i);
                    let mut f = block.fields(at)?;
                    f.take("type", at)?;
                    b.system(f.need_text("text", at)?)?;
                    f.rest(at, &mut b.losses);
                }
                if blocks.len() < 2 {
                    b.lose(LossKind::Layout, at.place(), "a system text in blocks");
                }
            }
            _ => b.system(system.text(at)?)?,
        }
    }
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
    let content = m.need("content", at)?;
    let inside = At::Key(&at, "content");
    m.rest(at, &mut b.losses);
    match (&*role, &content.kind) {
        ("user", Kind::Array(blocks)) => read_user(b, blocks, inside),
        ("user", _) => b.user(content.text(inside)?),
        ("assistant", Kind::Array(blocks)) => read_agent(b, blocks, inside),
        ("assistant", _) => {
            b.lose_once(LossKind::Layout, || inside.place(), "an assistant's text that is no block");
            b.message(false)?;
            b.say(content.text(inside)?)
        }
        (other, _) => {
            let message = format!("there is no role `{other}`");
            Err(FormatError::new(At::Key(&at, "role").place(), message, "the roles are user and assistant"))
        }
    }
}

/// A user's message: the results of calls, and then what the user says.
fn read_user(b: &mut Builder, blocks: &[Node<'_>], at: At<'_>) -> Read<()> {
    let is_result = |n: &Node<'_>| n.get("type").is_some_and(|t| t.raw == "\"tool_result\"");
    let results = blocks.iter().take_while(|n| is_result(n)).count();
    if blocks[results..].iter().any(is_result) {
        b.lose_once(LossKind::Order, || at.place(), "results after text");
    }
    for (i, block) in blocks.iter().enumerate().filter(|(_, n)| is_result(n)) {
        let at = At::Item(&at, i);
        let mut f = block.fields(at)?;
        f.take("type", at)?;
        let id = f.need_text("tool_use_id", at)?;
        let error = f.take("is_error", at)?.is_some_and(|e| e.raw == "true");
        let text = content::text(b, f.take("content", at)?, At::Key(&at, "content"))?;
        if text.is_none() {
            b.lose_once(LossKind::Layout, || at.place(), "a result without content");
        }
        f.rest(at, &mut b.losses);
        b.result(Some(&id), &text.unwrap_or_default(), error, at)?;
    }
    if results == blocks.len() && results > 0 {
        return Ok(());
    }
    // A text and what is attached to it is how it is written.
    let is_text = |n: &Node<'_>| n.get("type").is_some_and(|t| t.raw == "\"text\"");
    let usual = blocks.len() > 1 && is_text(&blocks[0]) && !blocks[1..].iter().any(is_text);
    let mut text = String::new();
    for (i, block) in blocks.iter().enumerate().filter(|(_, n)| !is_result(n)) {
        let at = At::Item(&at, i);
        if usual && is_text(block) {
            let mut f = block.fields(at)?;
            f.take("type", at)?;
            text.push_str(&f.need_text("text", at)?);
            f.rest(at, &mut b.losses);
        } else if usual {
            content::attached(b, block, block.get("type").map_or("", |t| t.raw.trim_matches('"')), at);
        } else {
            text.push_str(&content::text(b, Some(block), at)?.unwrap_or_default());
        }
    }
    if results > 0 {
        b.lose_once(LossKind::Layout, || at.place(), "results and a user's text in one message");
    }
    b.user(text)
}

fn read_agent(b: &mut Builder, blocks: &[Node<'_>], at: At<'_>) -> Read<()> {
    let kind = |n: &Node<'_>| n.get("type").map_or("", |t| t.raw).trim_matches('"').to_owned();
    let first_call = blocks.iter().position(|n| kind(n) == "tool_use");
    b.message(first_call == Some(0))?;
    if blocks.is_empty() {
        b.lose(LossKind::Layout, at.place(), "a message that says nothing");
    }
    // The results stand in the next message: what is said between two calls comes before them.
    let late = |i: usize| first_call.is_some_and(|c| i > c);
    for (i, block) in blocks.iter().enumerate() {
        let at = At::Item(&at, i);
        let mut f = block.fields(at)?;
        match &*kind(block) {
            "tool_use" => continue,
            "text" => {
                f.take("type", at)?;
                b.say(f.need_text("text", at)?)?;
            }
            "thinking" => {
                f.take("type", at)?;
                if let Some(signature) = f.text("signature", at)?.filter(|s| !s.is_empty()) {
                    b.note("signature", Value::str(signature));
                }
                b.thought(f.need_text("thinking", at)?)?;
            }
            "redacted_thinking" => {
                f.take("type", at)?;
                b.note("signature", Value::str(f.need_text("data", at)?));
                b.note(REDACTED, Value::Bool(true));
                b.thought("")?;
            }
            other => {
                b.lose(LossKind::Attachment, at.place(), format!("a block of type `{other}`"));
                continue;
            }
        }
        if late(i) {
            b.lose_once(LossKind::Order, || at.place(), "text after a call");
        }
        f.rest(at, &mut b.losses);
    }
    for (i, block) in blocks.iter().enumerate().filter(|(_, n)| kind(n) == "tool_use") {
        let at = At::Item(&at, i);
        let mut f = block.fields(at)?;
        f.take("type", at)?;
        let id = f.need_text("id", at)?;
        b.note_call(Some(&id), "toolu_");
        let tool = f.need_text("name", at)?;
        let input = f.need("input", at)?;
        arguments::call(b, &tool, input, Some(&id), At::Key(&at, "input"))?;
        f.rest(at, &mut b.losses);
    }
    Ok(())
}
