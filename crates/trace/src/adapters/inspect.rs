//! Inspect: an evaluation log with its samples, or a sample alone, as it lies in an `.eval` archive.

use super::anthropic::REDACTED;
use super::arguments;
use super::attach::{Attached, Style};
use super::beside;
use super::builder::Builder;
use super::content;
use super::json::{At, Kind, Node, quoted};
use super::loss::{Loss, LossKind, Read};
use super::openai_chat;
use super::output::Output;
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, observation_text};
use super::turns::{Agent, Turn, take_tools, tersely_placed};
use crate::{Trace, Value};

/// Writes one document: a log with one sample.
pub(crate) fn write(trace: &Trace, beside: Option<&str>) -> String {
    let mut turns = tersely_placed(trace, |t| matches!(t, Turn::Tools(_)));
    let tools = take_tools(&mut turns);
    let attached = Attached::of(trace);
    let mut out = Output::default();
    out.open('{').key("version").raw("2").key("status").text("success").key("eval").open('{');
    out.key("created").text("1970-01-01T00:00:00+00:00").key("task").text("groundwork");
    out.key("dataset").raw("{}").key("model").text("none").key("config").raw("{}").close('}');
    out.key("samples").open('[').open('{').key("id").raw("1").key("epoch").raw("1");
    out.key("input").text("").key("target").text("").key("messages").open('[');
    let (mut calls, mut ids) = (0, Vec::new());
    for turn in turns {
        match turn {
            Turn::System(text) => message(&mut out, "system", &quoted(text)),
            Turn::User(text) => {
                message(&mut out, "user", &attached.content(text, text, Style::Inspect));
            }
            Turn::Agent(agent) => {
                ids = agent.ids("call_", calls);
                calls += agent.calls.len();
                write_agent(&mut out, &agent, &ids);
            }
            Turn::Results(results) => {
                for (r, id) in results.iter().zip(&ids) {
                    out.open('{').key("role").text("tool").key("tool_call_id").text(id).key("content");
                    if r.error {
                        out.text("").key("error").open('{').key("type").text("unknown");
                        out.key("message").text(r.body).close('}');
                    } else {
                        let text = observation_text(r.body, COMPACT);
                        out.raw(&attached.content(r.body, &text, Style::Inspect));
                    }
                    out.close('}');
                }
            }
            Turn::Tools(_) => {}
        }
    }
    out.close(']');
    if tools.is_some() || beside.is_some() {
        out.key("metadata").open('{');
        if let Some(tools) = tools {
            out.key("tools").raw(&schemas::list(&tools, Shape::Bare));
        }
        if let Some(beside) = beside {
            out.key(beside::KEY).raw(beside);
        }
        out.close('}');
    }
    out.close('}').close(']').close('}');
    out.finish()
}

fn message(out: &mut Output, role: &str, content: &str) {
    out.open('{').key("role").text(role).key("content").raw(content).close('}');
}

fn write_agent(out: &mut Output, agent: &Agent<'_>, ids: &[String]) {
    out.open('{').key("role").text("assistant");
    if let Some(model) = agent.meta("author").and_then(Value::as_str) {
        out.key("model").text(model);
    }
    out.key("content");
    match agent.thought {
        None => drop(out.text(agent.text.unwrap_or_default())),
        Some(thought) => {
            let hidden = agent.signature.filter(|_| agent.meta(REDACTED) == Some(&Value::Bool(true)));
            out.open('[').open('{').key("type").text("reasoning").key("reasoning");
            match (hidden, agent.signature) {
                (Some(data), _) => drop(out.text(data).key("redacted").raw("true")),
                (None, Some(signature)) => drop(out.text(thought).key("signature").text(signature)),
                (None, None) => drop(out.text(thought)),
            }
            out.close('}');
            if let Some(text) = agent.text {
                out.open('{').key("type").text("text").key("text").text(text).close('}');
            }
            out.close(']');
        }
    }
    if !agent.calls.is_empty() {
        out.key("tool_calls").open('[');
        for (body, id) in agent.calls.iter().zip(ids) {
            let (tool, input) = arguments::object(body);
            out.open('{').key("id").text(id).key("function").text(&tool);
            out.key("arguments").raw(&input).key("type").text("function").close('}');
        }
        out.close(']');
    }
    out.close('}');
}

/// The samples of a document, each with its place.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<Vec<(Trace, Vec<Loss>)>> {
    let Some(samples) = node.get("samples") else { return Ok(vec![read_sample(node, at)?]) };
    let mut fields = node.fields(at)?;
    fields.take("version", at)?;
    fields.take("status", at)?;
    fields.take("samples", at)?;
    let inside = At::Key(&at, "samples");
    let mut traces = Vec::new();
    for (i, sample) in samples.items(inside)?.iter().enumerate() {
        traces.push(read_sample(sample, At::Item(&inside, i))?);
    }
    let mut losses = Vec::new();
    let spec = fields.take("eval", at)?;
    if spec.and_then(|e| e.get("model")).is_some_and(|m| m.raw != "\"none\"") {
        losses.push(Loss {
            kind: LossKind::Metadata,
            place: At::Key(&at, "eval").place(),
            what: "what was evaluated".to_owned(),
        });
    }
    fields.rest(at, &mut losses);
    if let Some((_, first)) = traces.first_mut() {
        first.extend(losses);
    }
    Ok(traces)
}

fn read_sample(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    let mut fields = node.fields(at)?;
    for known in [fields.take("id", at)?, fields.take("epoch", at)?] {
        if known.is_some_and(|n| n.raw != "1") {
            b.lose_once(LossKind::Metadata, || at.place(), "the number of the sample");
        }
    }
    // The messages begin with the input.
    fields.take("input", at)?;
    if fields.take("target", at)?.is_some_and(|t| t.raw != "\"\"") {
        b.lose(LossKind::Metadata, At::Key(&at, "target").place(), "`target`");
    }
    let inside = At::Key(&at, "messages");
    for (i, m) in fields.need("messages", at)?.items(inside)?.iter().enumerate() {
        read_message(&mut b, m, At::Item(&inside, i))?;
    }
    let mut known = None;
    let metadata = At::Key(&at, "metadata");
    if let Some(node) = fields.take("metadata", at)? {
        let mut inner = node.fields(metadata)?;
        schemas::take(&mut inner, &mut b, metadata)?;
        known = inner.take(beside::KEY, metadata)?;
        inner.rest(metadata, &mut b.losses);
    }
    fields.rest(at, &mut b.losses);
    beside::finish(b, known, metadata)
}

fn read_message(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut m = node.fields(at)?;
    let role = m.need_text("role", at)?;
    let content = m.take("content", at)?;
    let inside = At::Key(&at, "content");
    if m.text("id", at)?.is_some() {
        b.lose_once(LossKind::Ids, || At::Key(&at, "id").place(), "ids of messages");
    }
    match &*role {
        "system" => {
            let text = text_of(b, content, inside)?;
            b.system(text)?;
        }
        "user" => {
            let text = text_of(b, content, inside)?;
            b.user(text)?;
        }
        "assistant" => read_agent(b, &mut m, content, at)?,
        "tool" => {
            let id = m.text("tool_call_id", at)?;
            // The call says which tool it is.
            m.text("function", at)?;
            let text = text_of(b, content, inside)?;
            let error = m.take("error", at)?;
            let said = match error {
                Some(error) => {
                    let at = At::Key(&at, "error");
                    let mut e = error.fields(at)?;
                    if e.text("type", at)?.is_some_and(|t| t != "unknown") {
                        b.lose_once(LossKind::Metadata, || at.place(), "the type of an error");
                    }
                    let message = e.need_text("message", at)?.into_owned();
                    e.rest(at, &mut b.losses);
                    if !text.is_empty() && text != message {
                        b.lose_once(LossKind::Text, || inside.place(), "the content beside an error");
                    }
                    message
                }
                None => text,
            };
            b.result(id.as_deref(), &said, error.is_some(), at)?;
        }
        other => return Err(openai_chat::no_role(other, at)),
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
    let inside = At::Key(&at, "content");
    let calls_at = At::Key(&at, "tool_calls");
    let calls = m.take("tool_calls", at)?.map(|c| c.items(calls_at)).transpose()?.unwrap_or_default();
    let said = match content.map(|c| &c.kind) {
        Some(Kind::Array(parts)) => !parts.is_empty(),
        Some(_) => content.is_some_and(|c| c.raw != "\"\""),
        None => false,
    };
    b.message(!calls.is_empty() && !said)?;
    if let Some(model) = m.text("model", at)? {
        b.note("author", Value::str(model));
    }
    if said {
        read_parts(b, content, inside)?;
    } else if calls.is_empty() {
        b.say("")?;
    }
    for (i, call) in calls.iter().enumerate() {
        let at = At::Item(&calls_at, i);
        let mut c = call.fields(at)?;
        let (id, tool) = (c.text("id", at)?, c.need_text("function", at)?);
        b.note_call(id.as_deref(), "call_");
        arguments::call(b, &tool, c.need("arguments", at)?, id.as_deref(), At::Key(&at, "arguments"))?;
        c.take("type", at)?;
        c.rest(at, &mut b.losses);
    }
    Ok(())
}

fn read_parts(b: &mut Builder, content: Option<&Node<'_>>, at: At<'_>) -> Read<()> {
    let Some(node) = content else { return Ok(()) };
    let Kind::Array(parts) = &node.kind else { return b.say(node.text(at)?) };
    let plain = parts.iter().all(|p| p.get("type").is_none_or(|t| t.raw == "\"text\""));
    if plain {
        b.lose_once(LossKind::Layout, || at.place(), "content in parts");
    }
    for (i, part) in parts.iter().enumerate() {
        let at = At::Item(&at, i);
        let mut p = part.fields(at)?;
        let kind = p.need_text("type", at)?;
        match &*kind {
            "text" => b.say(p.need_text("text", at)?)?,
            "reasoning" => {
                let reasoning = p.need_text("reasoning", at)?;
                let signature = p.text("signature", at)?;
                match p.take("redacted", at)?.is_some_and(|r| r.raw == "true") {
                    true if signature.is_none() => {
                        b.note("signature", Value::str(reasoning));
                        b.note(REDACTED, Value::Bool(true));
                        b.thought("")?;
                    }
                    hidden => {
                        if hidden {
                            b.lose_once(LossKind::Metadata, || at.place(), "that a thought was redacted");
                        }
                        if let Some(signature) = signature {
                            b.note("signature", Value::str(signature));
                        }
                        b.thought(reasoning)?;
                    }
                }
            }
            other => {
                content::attached(b, part, other, at);
                continue;
            }
        }
        p.rest(at, &mut b.losses);
    }
    Ok(())
}

fn text_of(b: &mut Builder, content: Option<&Node<'_>>, at: At<'_>) -> Read<String> {
    Ok(content::text(b, content, at)?.unwrap_or_default())
}
