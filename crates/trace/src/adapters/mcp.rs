//! The Model Context Protocol: the JSON-RPC messages of a session, one a line or in a list. It holds what passes
//! between a client and a server: tools, calls and their results.

use std::collections::HashMap;

use super::attach::{Attached, Style};
use super::builder::Builder;
use super::content;
use super::json::{At, Fields, Kind, Node, quoted};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::schemas::{self, Shape};
use super::spelling::{COMPACT, Said, json_body, observation_text, said, value_json};
use super::turns::{Turn, placed};
use crate::{Tool, Trace};

/// The two dialects.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Revision {
    /// 2025-11-25: a session opens with a handshake.
    Handshake,
    /// 2026-07-28: every request says for itself what it needs.
    Stateless,
}

const CLIENT: &str = "{\"name\":\"groundwork\",\"version\":\"1\"}";
const HANDSHAKE: [&str; 3] = [
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"groundwork\",\"version\":\"1\"}}}",
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"groundwork\",\"version\":\"1\"}}}",
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
];

impl Revision {
    /// The `_meta` of every request, as the last of its parameters.
    fn meta(self) -> String {
        match self {
            Revision::Handshake => String::new(),
            Revision::Stateless => format!(
                "\"_meta\":{{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
                 \"io.modelcontextprotocol/clientInfo\":{CLIENT},\
                 \"io.modelcontextprotocol/clientCapabilities\":{{}}}}"
            ),
        }
    }

    fn complete(self) -> &'static str {
        match self {
            Revision::Handshake => "",
            Revision::Stateless => "\"resultType\":\"complete\",",
        }
    }
}

/// Writes one session, a message a line.
pub(crate) fn write(trace: &Trace, revision: Revision) -> String {
    let attached = Attached::of(trace);
    let mut w = Writer { out: String::new(), revision, id: 0 };
    if revision == Revision::Handshake {
        HANDSHAKE.iter().for_each(|line| w.line(line));
        w.id = 1;
    }
    let turns = placed(trace, |t| matches!(t, Turn::Tools(_)));
    let acts = |t: &Turn<'_>| matches!(t, Turn::Agent(a) if !a.calls.is_empty());
    let mut to_come = turns.iter().filter(|t| acts(t)).count();
    let mut turns = turns.into_iter().peekable();
    let mut tools: Option<Vec<Tool>> = None;
    while let Some(Turn::Tools(body)) = turns.next_if(|t| matches!(t, Turn::Tools(_))) {
        tools = schemas::declared(body).or(tools);
    }
    if let Some(tools) = tools {
        w.tools(&tools);
    }
    while let Some(turn) = turns.next() {
        let Turn::Agent(agent) = turn else { continue };
        let results = match turns.next_if(|t| matches!(t, Turn::Results(_))) {
            Some(Turn::Results(results)) => results,
            _ => Vec::new(),
        };
        // Without what was said between them, calls that were not answered would join those that follow.
        to_come -= usize::from(!agent.calls.is_empty());
        let last = to_come == 0;
        let mut ids = Vec::new();
        for (i, body) in agent.calls.iter().enumerate() {
            // Only an object can be sent; a call that is none never reached the server.
            let Said::Call { tool, arguments, whole: true } = said(body, COMPACT) else { continue };
            if i < results.len() || last {
                w.call(&tool, &arguments);
                ids.push((w.id - 1, results.get(i)));
            }
        }
        for (id, result) in ids {
            if let Some(r) = result {
                w.result(id, r.body, r.error, &attached);
            }
        }
    }
    w.out
}

struct Writer {
    out: String,
    revision: Revision,
    id: usize,
}

impl Writer {
    /// A message is a line: breaks between tokens, the only ones that JSON has, become spaces.
    fn line(&mut self, line: &str) {
        self.out.push_str(&line.replace(['\n', '\r'], " "));
        self.out.push('\n');
    }

    fn tools(&mut self, tools: &[Tool]) {
        let (id, meta) = (self.id, self.revision.meta());
        self.line(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/list\",\"params\":{{{meta}}}}}"
        ));
        let stateless = self.revision == Revision::Stateless;
        let list = schemas::list(tools, Shape::Mcp(stateless));
        let cache = if stateless { ",\"ttlMs\":0,\"cacheScope\":\"private\"" } else { "" };
        let complete = self.revision.complete();
        self.line(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{complete}\"tools\":{list}{cache}}}}}"
        ));
        self.id += 1;
    }

    fn call(&mut self, tool: &str, arguments: &str) {
        let (id, name) = (self.id, quoted(tool));
        let meta = self.revision.meta();
        let meta = if meta.is_empty() { meta } else { format!(",{meta}") };
        self.line(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"tools/call\",\"params\":{{\"name\":{name},\"arguments\":{arguments}{meta}}}}}"
        ));
        self.id += 1;
    }

    fn result(&mut self, id: usize, body: &str, error: bool, attached: &Attached<'_>) {
        let json = value_json(body, COMPACT).filter(|_| !error);
        let structured = json.filter(|j| match self.revision {
            Revision::Handshake => j.starts_with('{'),
            Revision::Stateless => !j.starts_with('"'),
        });
        let text = if error { body.to_owned() } else { observation_text(body, COMPACT) };
        // The text says the value that stands beside it, which has no white space around it.
        let text = if structured.is_some() { text.trim() } else { &text };
        let content = attached.content(body, text, Style::Mcp);
        let structured = structured.map_or(String::new(), |j| format!(",\"structuredContent\":{}", j.trim()));
        let flag = if error { ",\"isError\":true" } else { "" };
        let complete = self.revision.complete();
        self.line(&format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{{complete}\"content\":{content}{structured}{flag}}}}}"
        ));
    }
}

/// What a request asked for.
enum Asked {
    Tools,
    /// A call, by the id under which the builder knows it.
    Call(String),
    Other,
}

/// Reads one session: its messages, each with its place.
pub(crate) fn read(messages: &[(&Node<'_>, At<'_>)]) -> Read<(Trace, Vec<Loss>)> {
    let mut r = Reader {
        b: Builder::new(COMPACT),
        asked: HashMap::new(),
        requests: 0,
        called: HashMap::new(),
        questions: Vec::new(),
        tools: None,
    };
    for (node, at) in messages {
        r.message(node, *at)?;
    }
    if let Some(tools) = r.tools {
        r.b.tools(Tool::print_all(&tools));
    }
    r.b.finish()
}

struct Reader {
    b: Builder,
    asked: HashMap<String, Asked>,
    requests: usize,
    /// What the calls said, by their ids.
    called: HashMap<String, String>,
    /// Calls that the server answered with a question: what was said, and its id.
    questions: Vec<(String, String)>,
    tools: Option<Vec<Tool>>,
}

impl Reader {
    fn message(&mut self, node: &Node<'_>, at: At<'_>) -> Read<()> {
        let mut f = node.fields(at)?;
        if HANDSHAKE.contains(&node.raw) {
            self.requests = self.requests.max(1);
            return Ok(());
        }
        f.need("jsonrpc", at)?;
        let id = f.take("id", at)?.map(|id| id.raw.to_owned());
        let method = f.text("method", at)?;
        match (method, id) {
            (Some(method), Some(id)) => {
                if id != self.requests.to_string() {
                    self.b.lose_once(LossKind::Ids, || At::Key(&at, "id").place(), "ids of requests");
                }
                self.requests += 1;
                let params = f.take("params", at)?;
                let asked = self.request(&method, params, &id, at)?;
                if self.asked.insert(id.clone(), asked).is_some() {
                    let message = format!("a second request has the id {id}, and the first has no response");
                    return Err(FormatError::new(at.place(), message, "give every request its own id"));
                }
            }
            (Some(method), None) => {
                self.b.lose_once(LossKind::Metadata, || at.place(), &format!("`{method}`"));
                return Ok(());
            }
            (None, Some(id)) => {
                let Some(asked) = self.asked.remove(&id) else {
                    let message = format!("no request waits for a response with the id {id}");
                    return Err(FormatError::new(at.place(), message, "responses follow their requests"));
                };
                self.response(&mut f, asked, &id, at)?;
            }
            (None, None) => {
                let hint = "requests have `method` and `id`, responses `id` and `result`";
                return Err(FormatError::new(at.place(), "neither a request nor a response", hint));
            }
        }
        f.rest(at, &mut self.b.losses);
        Ok(())
    }

    fn request(&mut self, method: &str, params: Option<&Node<'_>>, id: &str, at: At<'_>) -> Read<Asked> {
        let at = At::Key(&at, "params");
        let place = || at.place();
        match method {
            "tools/list" => Ok(Asked::Tools),
            "tools/call" => {
                let Some(params) = params else {
                    return Err(FormatError::new(
                        place(),
                        "a call without parameters",
                        "add `name` and `arguments`",
                    ));
                };
                let mut f = params.fields(at)?;
                let name = f.need_text("name", at)?;
                let arguments = f.take("arguments", at)?;
                if arguments.is_none() {
                    self.b.lose_once(LossKind::Layout, place, "a call without `arguments`");
                }
                self.meta(&mut f, at)?;
                let arguments = arguments.map_or("{}", |a| a.raw);
                let answers = f.take("inputResponses", at)?.is_some() | f.take("requestState", at)?.is_some();
                f.rest(at, &mut self.b.losses);
                let said = format!("{name} {arguments}");
                let before = self.questions.iter().position(|(call, _)| answers && *call == said);
                if let Some(i) = before {
                    return Ok(Asked::Call(self.questions.swap_remove(i).1));
                }
                self.called.insert(id.to_owned(), said);
                self.b.call(&name, arguments, Some(id), place())?;
                Ok(Asked::Call(id.to_owned()))
            }
            other => {
                self.b.lose_once(LossKind::Metadata, place, &format!("`{other}`"));
                Ok(Asked::Other)
            }
        }
    }

    /// What a request says about itself; ours says nothing that the revision does not.
    fn meta(&mut self, f: &mut Fields<'_, '_>, at: At<'_>) -> Read<()> {
        if let Some(meta) = f.take("_meta", at)?
            && format!("\"_meta\":{}", meta.raw) != Revision::Stateless.meta()
        {
            self.b.lose_once(LossKind::Metadata, || At::Key(&at, "_meta").place(), "`_meta` of requests");
        }
        Ok(())
    }

    fn response(&mut self, f: &mut Fields<'_, '_>, asked: Asked, id: &str, at: At<'_>) -> Read<()> {
        let (result, error) = (f.take("result", at)?, f.take("error", at)?);
        match (asked, result, error) {
            (Asked::Other, ..) => Ok(()),
            (Asked::Tools, Some(result), _) => self.list(result, At::Key(&at, "result")),
            (Asked::Tools, ..) => {
                self.b.lose(LossKind::Metadata, at.place(), "that the tools could not be listed");
                Ok(())
            }
            (Asked::Call(call), _, Some(error)) => {
                let at = At::Key(&at, "error");
                self.b.lose_once(LossKind::Layout, || at.place(), "an error of the protocol");
                let mut e = error.fields(at)?;
                let message = e.need_text("message", at)?;
                e.rest(at, &mut self.b.losses);
                self.b.result(Some(&call), &message, true, at)
            }
            (Asked::Call(call), Some(result), None) => self.result(result, call, At::Key(&at, "result")),
            (Asked::Call(_), None, None) => {
                let message = format!("the response {id} has neither result nor error");
                Err(FormatError::new(at.place(), message, "add `\"result\"`"))
            }
        }
    }

    fn list(&mut self, result: &Node<'_>, at: At<'_>) -> Read<()> {
        let mut f = result.fields(at)?;
        let inside = At::Key(&at, "tools");
        let mut tools = self.tools.take().unwrap_or_default();
        for (i, node) in f.need("tools", at)?.items(inside)?.iter().enumerate() {
            tools.push(schemas::read_one(node, At::Item(&inside, i), &mut self.b.losses)?);
        }
        self.tools = Some(tools);
        for (key, ours) in [("resultType", "\"complete\""), ("ttlMs", "0"), ("cacheScope", "\"private\"")] {
            if f.take(key, at)?.is_some_and(|n| n.raw != ours) {
                self.b.lose(LossKind::Metadata, At::Key(&at, key).place(), format!("`{key}`"));
            }
        }
        f.rest(at, &mut self.b.losses);
        Ok(())
    }

    fn result(&mut self, result: &Node<'_>, call: String, at: At<'_>) -> Read<()> {
        let mut f = result.fields(at)?;
        if f.text("resultType", at)?.is_some_and(|t| t == "input_required") {
            self.b.lose_once(LossKind::Metadata, || at.place(), "a question of the server before its result");
            self.questions.extend(self.called.get(&call).map(|said| (said.clone(), call)));
            return Ok(());
        }
        let error = f.take("isError", at)?.is_some_and(|e| e.raw == "true");
        let content = f.take("content", at)?;
        let structured = f.take("structuredContent", at)?;
        // One block of text is our own form.
        let inside = At::Key(&at, "content");
        let text = match content.map(|c| &c.kind) {
            Some(Kind::Array(blocks))
                if blocks.len() == 1 && blocks[0].get("type").is_some_and(|t| t.raw == "\"text\"") =>
            {
                let at = At::Item(&inside, 0);
                let mut block = blocks[0].fields(at)?;
                block.take("type", at)?;
                let text = block.need_text("text", at)?.into_owned();
                block.rest(at, &mut self.b.losses);
                text
            }
            _ => content::text(&mut self.b, content, inside)?.unwrap_or_default(),
        };
        f.rest(at, &mut self.b.losses);
        let body = structured.and_then(|s| json_body(s.raw, COMPACT)).filter(|_| !error);
        let Some(body) = body else {
            return self.b.result(Some(&call), &text, error, at);
        };
        if observation_text(&body, COMPACT) != text {
            self.b.lose_once(LossKind::Layout, || inside.place(), "text beside structured content");
        }
        self.b.result_body(Some(&call), body, false, at)
    }
}
