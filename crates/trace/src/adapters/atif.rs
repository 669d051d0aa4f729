//! ATIF, the agent trajectory interchange format of Harbor: numbered steps, each with what came of its calls.

use super::arguments;
use super::attach::{Attached, Style};
use super::beside;
use super::builder::Builder;
use super::content;
use super::json::{At, Fields, Node, value_number};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::output::Output;
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, observation_text};
use super::turns::{Agent, Outcome, Turn, take_tools, tersely_placed};
use crate::{Trace, Value};

/// Writes one document.
pub(crate) fn write(trace: &Trace, beside: Option<&str>) -> String {
    let mut turns = tersely_placed(trace, |t| matches!(t, Turn::Tools(_)));
    let tools = take_tools(&mut turns);
    let attached = Attached::of(trace);
    let mut out = Output::default();
    out.open('{').key("schema_version").text("ATIF-v1.7").key("agent").open('{');
    out.key("name").text("groundwork").key("version").text("1");
    if let Some(tools) = tools {
        out.key("tool_definitions").raw(&schemas::list(&tools, Shape::Function));
    }
    out.close('}').key("steps").open('[');
    let (mut step, mut calls) = (0, 0);
    let mut turns = turns.into_iter().peekable();
    while let Some(turn) = turns.next() {
        let mut begin = |source: &str, time: Option<&Value>| {
            step += 1;
            out.open('{').key("step_id").raw(&step.to_string());
            if let Some(time) = time.and_then(Value::as_str) {
                out.key("timestamp").text(time);
            }
            out.key("source").text(source);
        };
        match turn {
            Turn::System(text) => {
                begin("system", time_of(trace, text));
                out.key("message").text(text).close('}');
            }
            Turn::User(text) => {
                begin("user", time_of(trace, text));
                out.key("message").raw(&attached.content(text, text, Style::Atif)).close('}');
            }
            Turn::Agent(agent) => {
                begin("agent", agent.meta("time"));
                let ids = agent.ids("call_", calls);
                calls += agent.calls.len();
                let results = turns.next_if(|t| matches!(t, Turn::Results(_)));
                write_agent(&mut out, &agent, &ids);
                if let Some(Turn::Results(results)) = results {
                    write_results(&mut out, &results, &ids, &attached);
                }
                write_metrics(&mut out, &agent);
                out.close('}');
            }
            Turn::Tools(_) | Turn::Results(_) => {}
        }
    }
    out.close(']');
    if let Some(object) = beside::object(beside) {
        out.key("extra").raw(&object);
    }
    out.close('}');
    out.finish()
}

/// When the span was said that says `text`, which is its text and no copy of it.
fn time_of<'a>(trace: &'a Trace, text: &str) -> Option<&'a Value> {
    let said = |s: &&crate::Span| !text.is_empty() && std::ptr::eq(s.body.as_bytes(), text.as_bytes());
    trace.spans.iter().find(said).and_then(|s| s.meta("time"))
}

fn write_agent(out: &mut Output, agent: &Agent<'_>, ids: &[String]) {
    if let Some(author) = agent.meta("author").and_then(Value::as_str) {
        out.key("model_name").text(author);
    }
    out.key("message").text(agent.text.unwrap_or_default());
    if let Some(thought) = agent.thought {
        out.key("reasoning_content").text(thought);
    }
    if agent.calls.is_empty() {
        return;
    }
    out.key("tool_calls").open('[');
    for (body, id) in agent.calls.iter().zip(ids) {
        let (tool, input) = arguments::object(body);
        out.open('{').key("tool_call_id").text(id).key("function_name").text(&tool);
        out.key("arguments").raw(&input).close('}');
    }
    out.close(']');
}

fn write_results(out: &mut Output, results: &[Outcome<'_>], ids: &[String], attached: &Attached<'_>) {
    out.key("observation").open('{').key("results").open('[');
    for (r, id) in results.iter().zip(ids) {
        out.open('{').key("source_call_id").text(id);
        if r.error {
            out.key("content").text(r.body).key("extra").raw("{\"is_error\":true}");
        } else {
            let text = observation_text(r.body, COMPACT);
            out.key("content").raw(&attached.content(r.body, &text, Style::Atif));
        }
        out.close('}');
    }
    out.close(']').close('}');
}

fn write_metrics(out: &mut Output, agent: &Agent<'_>) {
    let number = |name| agent.meta(name).and_then(value_number);
    let (tokens, cost) = (number("tokens"), number("cost"));
    if tokens.is_none() && cost.is_none() {
        return;
    }
    out.key("metrics").open('{');
    if let Some(tokens) = tokens {
        out.key("completion_tokens").raw(tokens);
    }
    if let Some(cost) = cost {
        out.key("cost_usd").raw(cost);
    }
    out.close('}');
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    let mut fields = node.fields(at)?;
    fields.text("schema_version", at)?;
    let mut tools = None;
    if let Some(agent) = fields.take("agent", at)? {
        let at = At::Key(&at, "agent");
        let mut f = agent.fields(at)?;
        let (name, version) = (f.text("name", at)?, f.text("version", at)?);
        if (name.as_deref(), version.as_deref()) != (Some("groundwork"), Some("1")) {
            b.lose(LossKind::Metadata, at.place(), "the name of the agent");
        }
        if let Some(list) = f.take("tool_definitions", at)? {
            let at = At::Key(&at, "tool_definitions");
            tools = Some(schemas::read(list.items(at)?, at, &mut b.losses)?);
        }
        f.rest(at, &mut b.losses);
    }
    let inside = At::Key(&at, "steps");
    for (i, step) in fields.need("steps", at)?.items(inside)?.iter().enumerate() {
        read_step(&mut b, step, i, At::Item(&inside, i))?;
    }
    if let Some(tools) = tools {
        b.tools(tools);
    }
    let beside = beside::take(&mut fields, "extra", &mut b.losses, at)?;
    fields.rest(at, &mut b.losses);
    beside::finish(b, beside, At::Key(&at, "extra"))
}

fn read_step(b: &mut Builder, node: &Node<'_>, number: usize, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
    if f.take("step_id", at)?.is_some_and(|n| n.raw != (number + 1).to_string()) {
        b.lose_once(LossKind::Ids, || at.place(), "the numbers of the steps");
    }
    let source = f.need_text("source", at)?;
    let time = f.text("timestamp", at)?;
    let message = f.take("message", at)?;
    let inside = At::Key(&at, "message");
    match &*source {
        "system" | "user" => {
            let text = content::text(b, message, inside)?.unwrap_or_default();
            if let Some(time) = &time {
                b.note("time", Value::str(&**time));
            }
            if source == "system" { b.system(text)? } else { b.user(text)? }
        }
        "agent" => read_agent(b, &mut f, message, time.as_deref(), at)?,
        other => {
            let message = format!("there is no source `{other}`");
            let hint = "the sources are system, user and agent";
            return Err(FormatError::new(At::Key(&at, "source").place(), message, hint));
        }
    }
    read_results(b, &mut f, at)?;
    f.rest(at, &mut b.losses);
    Ok(())
}

fn read_agent(
    b: &mut Builder,
    f: &mut Fields<'_, '_>,
    message: Option<&Node<'_>>,
    time: Option<&str>,
    at: At<'_>,
) -> Read<()> {
    let inside = At::Key(&at, "message");
    let thought = f.text("reasoning_content", at)?;
    let calls = f.take("tool_calls", at)?;
    let calls_at = At::Key(&at, "tool_calls");
    let calls = calls.map(|c| c.items(calls_at)).transpose()?.unwrap_or_default();
    // A message is always there; beside something else, an empty one says nothing.
    let alone = thought.is_none() && calls.is_empty();
    let text = content::text(b, message, inside)?.filter(|t| alone || !t.is_empty());
    b.message(!calls.is_empty() && thought.is_none() && text.is_none())?;
    if let Some(model) = f.text("model_name", at)? {
        b.note("author", Value::str(model));
    }
    if let Some(time) = time {
        b.note("time", Value::str(time));
    }
    if let Some(metrics) = f.take("metrics", at)? {
        let at = At::Key(&at, "metrics");
        let mut m = metrics.fields(at)?;
        let numbers = [("tokens", m.take("completion_tokens", at)?), ("cost", m.take("cost_usd", at)?)];
        for (name, number) in numbers {
            if let Some(value) = number.and_then(|n| Value::parse(n.raw).ok()) {
                b.note(name, value);
            }
        }
        m.rest(at, &mut b.losses);
    }
    if let Some(thought) = thought {
        b.thought(thought)?;
    }
    if let Some(text) = text {
        b.say(text)?;
    }
    for (i, call) in calls.iter().enumerate() {
        let at = At::Item(&calls_at, i);
        let mut c = call.fields(at)?;
        let (id, tool) = (c.text("tool_call_id", at)?, c.need_text("function_name", at)?);
        b.note_call(id.as_deref(), "call_");
        arguments::call(b, &tool, c.need("arguments", at)?, id.as_deref(), At::Key(&at, "arguments"))?;
        c.rest(at, &mut b.losses);
    }
    Ok(())
}

fn read_results(b: &mut Builder, f: &mut Fields<'_, '_>, at: At<'_>) -> Read<()> {
    let Some(observation) = f.take("observation", at)? else { return Ok(()) };
    let at = At::Key(&at, "observation");
    let mut o = observation.fields(at)?;
    let inside = At::Key(&at, "results");
    for (i, result) in o.need("results", at)?.items(inside)?.iter().enumerate() {
        let at = At::Item(&inside, i);
        let mut r = result.fields(at)?;
        let id = r.text("source_call_id", at)?;
        let text = content::text(b, r.take("content", at)?, At::Key(&at, "content"))?.unwrap_or_default();
        let error = r.take("extra", at)?;
        let is_error = error.is_some_and(|e| e.get("is_error").is_some_and(|e| e.raw == "true"));
        if error.is_some() && !is_error {
            b.lose_once(LossKind::Metadata, || at.place(), "`extra` of a result");
        }
        r.rest(at, &mut b.losses);
        if !b.waits_for(id.as_deref()) {
            // Of an agent that acts by what it says, or of the environment on its own.
            b.was_attempt(at.place());
            if !b.waits_for(id.as_deref()) {
                b.lose_once(LossKind::Kind, || at.place(), "a result without a call, read as a user's text");
                b.user(text)?;
                continue;
            }
        }
        b.result(id.as_deref(), &text, is_error, at)?;
    }
    o.rest(at, &mut b.losses);
    Ok(())
}
