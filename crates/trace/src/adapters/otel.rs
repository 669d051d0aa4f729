//! OpenTelemetry spans of generative AI (semantic conventions 1.37 and later, in development): the messages of a chat
//! stand in attributes of its span. Read are exports in OTLP's JSON and spans with attributes as a plain object.

use super::arguments;
use super::beside;
use super::builder::Builder;
use super::json::{self, At, Fields, Kind, Node, json_text, quoted};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::openai_chat;
use super::output::Output;
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, observation_text};
use super::turns::{Agent, Turn, placed, take_tools};
use crate::Trace;

const INPUT: &str = "gen_ai.input.messages";
const OUTPUT: &str = "gen_ai.output.messages";
const SYSTEM: &str = "gen_ai.system_instructions";
const TOOLS: &str = "gen_ai.tool.definitions";

/// Writes one document: an export with one span, of the last call of the model.
pub(crate) fn write(trace: &Trace, beside: Option<&str>) -> String {
    let mut turns = placed(trace, |t| matches!(t, Turn::Tools(_) | Turn::System(_)));
    let tools = take_tools(&mut turns);
    let (mut system, mut input, mut output) = (Output::default(), Output::default(), Output::default());
    system.open('[');
    input.open('[');
    output.open('[');
    let (mut calls, mut ids) = (0, Vec::new());
    let last = turns.len().saturating_sub(1);
    let mut has_system = false;
    for (i, turn) in turns.into_iter().enumerate() {
        match turn {
            Turn::System(text) => {
                has_system = true;
                part(&mut system, "text", text);
            }
            Turn::User(text) => {
                input.open('{').key("role").text("user").key("parts").open('[');
                part(&mut input, "text", text);
                input.close(']').close('}');
            }
            Turn::Agent(agent) => {
                ids = agent.ids("call_", calls);
                calls += agent.calls.len();
                write_agent(if i == last { &mut output } else { &mut input }, &agent, &ids, i == last);
            }
            Turn::Results(results) => {
                input.open('{').key("role").text("tool").key("parts").open('[');
                for (r, id) in results.iter().zip(&ids) {
                    input.open('{').key("type").text("tool_call_response").key("id").text(id).key("response");
                    if r.error {
                        input.text(r.body).key("is_error").raw("true");
                    } else {
                        input.text(&observation_text(r.body, COMPACT));
                    }
                    input.close('}');
                }
                input.close(']').close('}');
            }
            Turn::Tools(_) => {}
        }
    }
    let mut out = Output::default();
    out.open('{')
        .key("resourceSpans")
        .open('[')
        .open('{')
        .key("scopeSpans")
        .open('[')
        .open('{')
        .key("spans")
        .open('[');
    out.open('{')
        .key("traceId")
        .text("00000000000000000000000000000001")
        .key("spanId")
        .text("0000000000000001");
    out.key("name").text("chat").key("kind").raw("3").key("attributes").open('[');
    attribute(&mut out, "gen_ai.operation.name", "chat");
    for (key, list, given) in [(SYSTEM, system, has_system), (INPUT, input, true), (OUTPUT, output, true)] {
        let mut list = list;
        list.close(']');
        if given {
            attribute(&mut out, key, &list.finish());
        }
    }
    if let Some(tools) = tools {
        attribute(&mut out, TOOLS, &schemas::list(&tools, Shape::Flat));
    }
    if let Some(beside) = beside {
        attribute(&mut out, beside::KEY, beside);
    }
    for bracket in "]}]}]}]}".chars() {
        out.close(bracket);
    }
    out.finish()
}

fn attribute(out: &mut Output, key: &str, text: &str) {
    out.open('{')
        .key("key")
        .text(key)
        .key("value")
        .open('{')
        .key("stringValue")
        .text(text)
        .close('}')
        .close('}');
}

fn part(out: &mut Output, kind: &str, text: &str) {
    out.open('{').key("type").text(kind).key("content").text(text).close('}');
}

fn write_agent(out: &mut Output, agent: &Agent<'_>, ids: &[String], last: bool) {
    out.open('{').key("role").text("assistant").key("parts").open('[');
    if let Some(thought) = agent.thought {
        part(out, "reasoning", thought);
    }
    if let Some(text) = agent.text {
        part(out, "text", text);
    }
    for (body, id) in agent.calls.iter().zip(ids) {
        let (tool, input) = arguments::object(body);
        out.open('{').key("type").text("tool_call").key("id").text(id).key("name").text(&tool);
        out.key("arguments").raw(&input).close('}');
    }
    out.close(']');
    if last {
        out.key("finish_reason").text(if agent.calls.is_empty() { "stop" } else { "tool_call" });
    }
    out.close('}');
}

/// A span that holds messages.
struct Chat<'n, 'a> {
    node: &'n Node<'a>,
    pointer: String,
    start: &'a str,
}

/// The spans of one trace.
struct Group<'n, 'a> {
    /// Its id, as it is spelt.
    trace: &'a str,
    chats: Vec<Chat<'n, 'a>>,
    /// How many other spans there are.
    others: usize,
}

/// Reads one document: the last call of the model in each trace, which was given all that came before.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<Vec<(Trace, Vec<Loss>)>> {
    let mut groups: Vec<Group<'_, '_>> = Vec::new();
    collect(node, at, &mut groups);
    let mut read = Vec::new();
    let mut silent = 0;
    for mut group in groups {
        group.chats.sort_by(|a, b| (a.start.len(), a.start).cmp(&(b.start.len(), b.start)));
        let Some(chat) = group.chats.pop() else {
            silent += 1;
            continue;
        };
        let mut b = Builder::new(COMPACT);
        if !group.chats.is_empty() || group.others > 0 {
            b.lose(LossKind::Layout, at.place(), "spans beside the last call of the model");
        }
        let mut attributes = Attributes::of(chat.node);
        read_attributes(&mut b, &mut attributes, &chat.pointer)?;
        if let Some(model) = attributes.get("gen_ai.request.model") {
            b.lose(LossKind::Metadata, at.place(), format!("the model {}", model.raw));
        }
        let text = attributes.json(beside::KEY, &chat.pointer)?;
        let nodes = text.as_deref().and_then(|t| json::parse_all(t).ok()).unwrap_or_default();
        read.push(beside::finish(b, nodes.first(), At::Key(&At::Root, beside::KEY))?);
    }
    let Some((_, losses)) = read.first_mut() else {
        let hint = "messages are recorded only where an instrumentation is asked to";
        return Err(FormatError::new(at.place(), format!("no span has `{INPUT}`"), hint));
    };
    if silent > 0 {
        let what = format!("{silent} traces without messages");
        losses.push(Loss { kind: LossKind::Layout, place: at.place(), what });
    }
    Ok(read)
}

/// Finds the spans that hold messages, wherever an exporter put them.
fn collect<'n, 'a>(node: &'n Node<'a>, at: At<'_>, groups: &mut Vec<Group<'n, 'a>>) {
    match &node.kind {
        Kind::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                collect(item, At::Item(&at, i), groups);
            }
        }
        Kind::Object(_)
            if node.get("attributes").is_some() && node.get("name").is_some()
                || node.get(INPUT).is_some() =>
        {
            let inside = |key: &str| node.get("context").and_then(|c| c.get(key));
            let id = ["traceId", "trace_id"].iter().find_map(|key| node.get(key).or_else(|| inside(key)));
            let trace = id.map_or("", |id| id.raw);
            let known = groups.iter().position(|g| g.trace == trace);
            let number = known.unwrap_or_else(|| {
                groups.push(Group { trace, chats: Vec::new(), others: 0 });
                groups.len() - 1
            });
            if Attributes::of(node).get(INPUT).is_some() {
                let time = ["startTimeUnixNano", "start_time"].iter().find_map(|k| node.get(k));
                let start = time.map_or("", |t| t.raw.trim_matches('"'));
                groups[number].chats.push(Chat { node, pointer: at.pointer(), start });
            } else {
                groups[number].others += 1;
            }
        }
        Kind::Object(fields) => {
            for (key, value) in fields {
                if ["resourceSpans", "scopeSpans", "spans"].contains(key) {
                    collect(value, At::Key(&at, key), groups);
                }
            }
        }
        _ => {}
    }
}

/// The attributes of a span: a list of `{key, value}`, or an object.
struct Attributes<'n, 'a>(&'n Node<'a>);

impl<'n, 'a> Attributes<'n, 'a> {
    fn of(span: &'n Node<'a>) -> Self {
        Attributes(span.get("attributes").unwrap_or(span))
    }

    fn get(&self, name: &str) -> Option<&'n Node<'a>> {
        let Kind::Array(items) = &self.0.kind else { return self.0.get(name) };
        let quoted = quoted(name);
        items.iter().find(|i| i.get("key").is_some_and(|k| k.raw == quoted)).and_then(|i| i.get("value"))
    }

    /// The JSON in the attribute `name`: in a string, or as it is.
    fn json(&self, name: &str, pointer: &str) -> Read<Option<String>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let value = value.get("stringValue").unwrap_or(value);
        match value.kind {
            Kind::Str => Ok(Some(value.text(At::Key(&At::Root, pointer))?.into_owned())),
            _ => Ok(Some(value.raw.to_owned())),
        }
    }
}

fn read_attributes(b: &mut Builder, attributes: &mut Attributes<'_, '_>, pointer: &str) -> Read<()> {
    for name in [SYSTEM, INPUT, OUTPUT, TOOLS] {
        let Some(text) = attributes.json(name, pointer)? else { continue };
        // Places are those inside the attribute.
        let nodes = json::parse_all(&text)?;
        let Some(list) = nodes.first() else { continue };
        let at = At::Key(&At::Root, name);
        if name == TOOLS {
            let body = schemas::read(list.items(at)?, at, &mut b.losses)?;
            b.tools(body);
            continue;
        }
        for (i, item) in list.items(at)?.iter().enumerate() {
            let at = At::Item(&at, i);
            match name {
                SYSTEM => {
                    let mut p = item.fields(at)?;
                    p.take("type", at)?;
                    b.system(p.need_text("content", at)?)?;
                    p.rest(at, &mut b.losses);
                }
                _ => read_message(b, item, at)?,
            }
        }
    }
    Ok(())
}

fn read_message(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut m = node.fields(at)?;
    let role = m.need_text("role", at)?;
    let inside = At::Key(&at, "parts");
    let parts = m.need("parts", at)?.items(inside)?;
    m.text("finish_reason", at)?;
    if role == "assistant" {
        let calls = |p: &Node<'_>| p.get("type").is_some_and(|t| t.raw == "\"tool_call\"");
        b.message(parts.first().is_some_and(calls))?;
    }
    let mut text = None;
    for (i, node) in parts.iter().enumerate() {
        let at = At::Item(&inside, i);
        let mut p = node.fields(at)?;
        let kind = p.need_text("type", at)?;
        match (&*role, &*kind) {
            ("assistant", "text") => b.say(p.need_text("content", at)?)?,
            ("assistant", "reasoning") => b.thought(p.need_text("content", at)?)?,
            ("assistant", "tool_call") => {
                let (id, tool) = (p.text("id", at)?, p.need_text("name", at)?);
                b.note_call(id.as_deref(), "call_");
                match p.take("arguments", at)? {
                    Some(given) => {
                        arguments::call(b, &tool, given, id.as_deref(), At::Key(&at, "arguments"))?
                    }
                    None => b.call(&tool, "{}", id.as_deref(), at.place())?,
                }
            }
            (_, "tool_call_response") => response(b, &mut p, at)?,
            ("system" | "user" | "tool", "text") => {
                let said = p.need_text("content", at)?;
                match &mut text {
                    None => text = Some(said.into_owned()),
                    Some(text) => {
                        b.lose_once(LossKind::Layout, || at.place(), "texts in parts");
                        text.push_str(&said);
                    }
                }
            }
            (_, other) => {
                b.lose(LossKind::Attachment, at.place(), format!("a part of type `{other}`"));
                continue;
            }
        }
        p.rest(at, &mut b.losses);
    }
    match (&*role, text) {
        ("assistant" | "tool", None) => {}
        ("user", text) => b.user(text.unwrap_or_default())?,
        ("system", text) => b.system(text.unwrap_or_default())?,
        ("tool", Some(text)) => b.result(None, &text, false, at)?,
        (other, _) => return Err(openai_chat::no_role(other, at)),
    }
    m.rest(at, &mut b.losses);
    Ok(())
}

fn response(b: &mut Builder, p: &mut Fields<'_, '_>, at: At<'_>) -> Read<()> {
    let id = p.text("id", at)?;
    let error = p.take("is_error", at)?.is_some_and(|e| e.raw == "true");
    // Earlier revisions called it `result`.
    let (response, earlier) = (p.take("response", at)?, p.take("result", at)?);
    match response.or(earlier) {
        None => b.result(id.as_deref(), "", error, at),
        Some(node) if matches!(node.kind, Kind::Str) => {
            b.result(id.as_deref(), &node.text(At::Key(&at, "response"))?, error, at)
        }
        Some(node) => b.result_body(id.as_deref(), json_text(node.raw), error, at),
    }
}
