//! The Agent Data Protocol: a list of actions and observations.

use super::arguments;
use super::builder::Builder;
use super::json::{At, Fields, Node, json_text, value_number};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::output::Output;
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, observation_text};
use super::turns::{Agent, Turn, take_tools, tersely_placed};
use crate::{Call, Trace, Value};

/// The tool by which code is run, which the protocol has an action of its own for.
const CODE: &str = "code_action";

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let mut turns = tersely_placed(trace, |t| matches!(t, Turn::Tools(_)));
    let tools = take_tools(&mut turns);
    let mut out = Output::default();
    out.open('{').key("schema_version").text("1.2.0").key("id").text("0").key("content").open('[');
    let (mut calls, mut ids) = (0, Vec::new());
    for turn in turns {
        match turn {
            Turn::System(text) => {
                observation(&mut out, text, "environment");
                out.key("name").text("system").close('}');
            }
            Turn::User(text) => {
                observation(&mut out, text, "user");
                out.close('}');
            }
            Turn::Agent(agent) => {
                ids = agent.ids("call_", calls);
                calls += agent.calls.len();
                write_agent(&mut out, &agent, &ids);
            }
            Turn::Results(results) => {
                for (r, id) in results.iter().zip(&ids) {
                    let text = if r.error { r.body.to_owned() } else { observation_text(r.body, COMPACT) };
                    observation(&mut out, &text, "environment");
                    out.key("tool_call_id").text(id);
                    if r.error {
                        out.key("name").text("error");
                    }
                    out.close('}');
                }
            }
            Turn::Tools(_) => {}
        }
    }
    out.close(']').key("details").open('{');
    if let Some(tools) = tools {
        out.key("tools").raw(&schemas::list(&tools, Shape::Function));
    }
    out.close('}').close('}');
    out.finish()
}

fn observation(out: &mut Output, text: &str, source: &str) {
    out.open('{').key("class_").text("text_observation").key("content").text(text).key("source").text(source);
}

fn write_agent(out: &mut Output, agent: &Agent<'_>, ids: &[String]) {
    let begin = |out: &mut Output, class: &str, first: bool| {
        out.open('{').key("class_").text(class);
        if let Some(thought) = agent.thought.filter(|_| first) {
            out.key("reasoning_content").text(thought);
        }
        if let Some(reward) = agent.meta("score").and_then(value_number).filter(|_| first) {
            out.key("reward").raw(reward);
        }
    };
    if agent.calls.is_empty() {
        begin(out, "message_action", true);
        out.key("content").text(agent.text.unwrap_or_default()).close('}');
    }
    for (i, (body, id)) in agent.calls.iter().zip(ids).enumerate() {
        match code(body) {
            Some((language, content)) => {
                begin(out, CODE, i == 0);
                out.key("language").text(&language).key("content").text(&content);
            }
            None => {
                let (tool, input) = arguments::object(body);
                begin(out, "api_action", i == 0);
                out.key("function").text(&tool).key("kwargs").raw(&input);
            }
        }
        if let Some(text) = agent.text.filter(|_| i == 0) {
            out.key("description").text(text);
        }
        out.key("tool_call_id").text(id).close('}');
    }
}

/// The language and the text of a call that runs code, if it is written as [`read`] writes it.
fn code(body: &str) -> Option<(String, String)> {
    let call = Call::parse(body).ok().filter(|c| c.tool == CODE && c.to_string() == body)?;
    match call.args.as_slice() {
        [(l, Value::Str(language)), (c, Value::Str(content))] if l == "language" && c == "content" => {
            Some((language.clone(), content.clone()))
        }
        _ => None,
    }
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    let mut fields = node.fields(at)?;
    fields.text("schema_version", at)?;
    if fields.take("id", at)?.is_some_and(|id| id.raw != "\"0\"") {
        b.lose(LossKind::Metadata, At::Key(&at, "id").place(), "the id of the trajectory");
    }
    let inside = At::Key(&at, "content");
    for (i, item) in fields.need("content", at)?.items(inside)?.iter().enumerate() {
        read_item(&mut b, item, At::Item(&inside, i))?;
    }
    schemas::take_within(&mut fields, "details", &mut b, at)?;
    fields.rest(at, &mut b.losses);
    b.finish()
}

fn read_item(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
    let class = f.need_text("class_", at)?;
    match &*class {
        "text_observation" => read_observation(b, &mut f, at)?,
        "message_action" => {
            let thinks = begin(b, &mut f, at)?;
            let text = f.need_text("content", at)?;
            if let Some(description) = f.text("description", at)? {
                b.lose_once(LossKind::Kind, || at.place(), "the description of a message, read as a thought");
                b.thought(description)?;
            }
            // A thought alone stands in a message that is empty.
            if !(thinks && text.is_empty()) {
                b.say(text)?;
            }
        }
        "api_action" | "code_action" => {
            begin(b, &mut f, at)?;
            if let Some(description) = f.text("description", at)? {
                b.say(description)?;
            }
            let id = f.text("tool_call_id", at)?;
            b.note_call(id.as_deref(), "call_");
            if class == CODE {
                let (language, content) = (f.need_text("language", at)?, f.need_text("content", at)?);
                let args = [("language", Value::str(language)), ("content", Value::str(content))];
                b.action(Call::new(CODE, args).to_string(), true, id.as_deref(), at.place())?;
            } else {
                let tool = f.need_text("function", at)?;
                let kwargs = f.need("kwargs", at)?;
                arguments::call(b, &tool, kwargs, id.as_deref(), At::Key(&at, "kwargs"))?;
            }
        }
        other => {
            b.lose(LossKind::Attachment, at.place(), format!("an item of class `{other}`"));
            // What a tool answered is at least known to have come.
            let id = f.text("tool_call_id", at)?;
            if other.ends_with("_observation") && b.waits_for(id.as_deref()) {
                b.result_body(id.as_deref(), json_text(node.raw), false, at)?;
            }
            return Ok(());
        }
    }
    f.rest(at, &mut b.losses);
    Ok(())
}

/// What an action may say before it acts; whether that is a thought.
fn begin(b: &mut Builder, f: &mut Fields<'_, '_>, at: At<'_>) -> Read<bool> {
    if let Some(reward) = f.take("reward", at)?.and_then(|n| Value::parse(n.raw).ok()) {
        b.note("score", reward);
    }
    let thought = f.text("reasoning_content", at)?;
    let thinks = thought.is_some();
    if let Some(thought) = thought {
        b.thought(thought)?;
    }
    Ok(thinks)
}

fn read_observation(b: &mut Builder, f: &mut Fields<'_, '_>, at: At<'_>) -> Read<()> {
    let (text, source) = (f.need_text("content", at)?, f.need_text("source", at)?);
    let (name, id) = (f.text("name", at)?, f.text("tool_call_id", at)?);
    match (&*source, name.as_deref()) {
        ("user", name) => {
            if let Some(name) = name {
                b.note("author", Value::str(name));
            }
            b.user(text)
        }
        ("agent", _) => b.say(text),
        ("environment", Some("system")) if id.is_none() => b.system(text),
        ("environment", name) => {
            if !b.waits_for(id.as_deref()) {
                b.was_attempt(at.place());
            }
            if b.waits_for(id.as_deref()) {
                return b.result(id.as_deref(), &text, name == Some("error"), at);
            }
            b.lose_once(
                LossKind::Kind,
                || at.place(),
                "an observation without an action, read as a user's text",
            );
            b.user(text)
        }
        (other, _) => {
            let message = format!("there is no source `{other}`");
            let hint = "the sources are user, agent and environment";
            Err(FormatError::new(At::Key(&at, "source").place(), message, hint))
        }
    }
}
