//! One episode of a task, as its client sees it.

use groundwork_trace::{Call, SpanKind, Tool, Value as Said};
use groundwork_worlds::{Declare, Episode, Reply, Task, WorldError};
use serde_json::{Map, Value, json};

use super::protocol::{Dialect, HANDSHAKE, STATELESS, dialect, server_info, unsupported};
use crate::json_rpc::{INVALID_PARAMS, INVALID_REQUEST, Refusal};

/// The tool by which the agent asks for its task. Not every client shows it the server's instructions.
const GET_TASK: &str = "get_task";
/// The tool by which the agent answers.
const SUBMIT: &str = "submit_answer";
/// The prompt that states the task.
const PROMPT: &str = "task";

/// An episode and how far its client is.
pub(super) struct Session {
    episode: Episode,
    /// The names of the tools at its beginning.
    names: Vec<String>,
    /// Whether the handshake has begun.
    opened: bool,
    /// What came of the answer, once there is one.
    verdict: Option<Value>,
}

impl Session {
    /// A fresh episode.
    pub(super) fn new(task: &Task) -> Result<Session, WorldError> {
        let episode = Episode::new(task)?;
        let names = episode.tools().iter().map(|t| t.name.clone()).collect();
        Ok(Session { episode, names, opened: false, verdict: None })
    }

    /// Answers a request.
    pub(super) fn answer(&mut self, method: &str, params: &Value) -> Result<Value, Refusal> {
        let dialect = dialect(params)?;
        match (method, dialect) {
            ("initialize", Dialect::Handshake) => return Ok(self.initialize(params)),
            ("ping", Dialect::Handshake) => return Ok(json!({})),
            ("server/discover", Dialect::Stateless) => return Ok(dialect.cacheable(self.discover())),
            ("server/discover", Dialect::Handshake) => return Err(unsupported("none")),
            _ if dialect == Dialect::Handshake && !self.opened => {
                let message = format!(
                    "`{method}` comes before `initialize`; a request of {STATELESS} states its version in `_meta`"
                );
                return Err(Refusal::new(INVALID_REQUEST, message));
            }
            _ => {}
        }
        match method {
            "tools/list" => Ok(dialect.cacheable(json!({"tools": self.tools()}))),
            "tools/call" => Ok(dialect.complete(self.call(params, dialect)?)),
            "prompts/list" => {
                let prompt = json!({"name": PROMPT, "title": "The task", "description": "States the task of this episode"});
                Ok(dialect.cacheable(json!({"prompts": [prompt]})))
            }
            "prompts/get" => match params["name"].as_str() {
                Some(PROMPT) => {
                    let message =
                        json!({"role": "user", "content": {"type": "text", "text": self.instructions()}});
                    Ok(dialect
                        .complete(json!({"description": "The task of this episode", "messages": [message]})))
                }
                other => {
                    let message =
                        format!("there is no prompt `{}` (there is `{PROMPT}`)", other.unwrap_or_default());
                    Err(Refusal::new(INVALID_PARAMS, message))
                }
            },
            other => Err(Refusal::unknown_method(other)),
        }
    }

    fn initialize(&mut self, params: &Value) -> Value {
        self.opened = true;
        let asked = params["protocolVersion"].as_str().unwrap_or_default();
        let version = HANDSHAKE.into_iter().find(|v| *v == asked).unwrap_or(HANDSHAKE[0]);
        json!({
            "protocolVersion": version,
            "capabilities": capabilities(),
            "serverInfo": server_info(),
            "instructions": self.instructions(),
        })
    }

    fn discover(&self) -> Value {
        let mut versions = vec![STATELESS];
        versions.extend(HANDSHAKE);
        json!({
            "supportedVersions": versions,
            "capabilities": capabilities(),
            "instructions": self.instructions(),
        })
    }

    /// The policy, where there is one, and the goal.
    fn instructions(&self) -> String {
        let prompt = self.episode.prompt(Declare::None);
        let said = prompt.into_iter().filter(|s| s.kind != SpanKind::Tools).map(|s| s.body);
        let said: Vec<String> = said.collect();
        format!("{}\n\nUse the tools to do this, then give the answer with `{SUBMIT}`.", said.join("\n\n"))
    }

    fn tools(&self) -> Vec<Value> {
        let mut tools: Vec<Value> = self.episode.tools().iter().map(listed).collect();
        tools.push(json!({
            "name": GET_TASK,
            "title": "Get the task",
            "description": "States the task of this episode.",
            "inputSchema": {"type": "object", "properties": {}, "additionalProperties": false},
            "annotations": {"readOnlyHint": true},
        }));
        tools.push(json!({
            "name": SUBMIT,
            "title": "Submit the answer",
            "description": "Gives the final answer, and says whether the task is solved. It ends the episode.",
            "inputSchema": {
                "type": "object",
                "properties": {"answer": {"type": "string", "description": "The answer; empty where the task asks for none."}},
                "required": ["answer"],
                "additionalProperties": false,
            },
        }));
        tools
    }

    fn call(&mut self, params: &Value, dialect: Dialect) -> Result<Value, Refusal> {
        let invalid = |message: String| Refusal::new(INVALID_PARAMS, message);
        let name =
            params["name"].as_str().ok_or_else(|| invalid("`name`, the tool to call, is missing".into()))?;
        let empty = Map::new();
        let arguments = match &params["arguments"] {
            Value::Null => &empty,
            Value::Object(arguments) => arguments,
            _ => return Err(invalid("`arguments` is an object".into())),
        };
        match name {
            GET_TASK => Ok(text(&self.instructions(), false)),
            _ if self.verdict.is_some() => Ok(text("The episode is over: the answer was given.", true)),
            SUBMIT => match arguments.get("answer") {
                Some(Value::String(answer)) => Ok(self.submit(answer)),
                _ => Ok(text("`answer`, a string, is missing", true)),
            },
            // A tool that was renamed since is one that the episode refuses, as it does to any agent.
            _ if !self.names.iter().any(|n| n == name)
                && self.episode.tools().iter().all(|t| t.name != name) =>
            {
                let names: Vec<&str> = self.episode.tools().iter().map(|t| t.name.as_str()).collect();
                Err(invalid(format!(
                    "there is no tool `{name}` (there is {}, {GET_TASK}, {SUBMIT})",
                    names.join(", ")
                )))
            }
            _ => {
                let args = arguments.iter().map(|(k, v)| (k.clone(), Said::from_json(v))).collect();
                Ok(self.act(&Call { tool: name.to_owned(), args }, dialect))
            }
        }
    }

    fn act(&mut self, call: &Call, dialect: Dialect) -> Value {
        let reply = self.episode.act(&call.to_string());
        let mut result = answered(&reply, dialect);
        // The protocol has no other place for what a user says in the middle of an episode.
        if let (Some(turn), Some(content)) = (&reply.turn, result["content"].as_array_mut()) {
            content.push(json!({"type": "text", "text": format!("The user says: {}", turn.body)}));
        }
        result
    }

    fn submit(&mut self, answer: &str) -> Value {
        let verification = self.episode.verify(answer);
        let changed = match verification.collateral {
            0 => String::new(),
            1 => " 1 thing was changed that nobody asked for.".to_owned(),
            n => format!(" {n} things were changed that nobody asked for."),
        };
        let said = if verification.success { "Solved." } else { "Not solved." };
        let mut result = text(&format!("{said}{changed}"), false);
        let verdict = json!({
            "success": verification.success,
            "collateral": verification.collateral,
            "steps": self.episode.steps(),
        });
        result["structuredContent"] = verdict.clone();
        self.verdict = Some(verdict);
        result
    }
}

/// What the tool answered, as the protocol says it.
fn answered(reply: &Reply, dialect: Dialect) -> Value {
    if reply.failed {
        return text(&reply.span.body, true);
    }
    let value = Said::parse(&reply.span.body).ok();
    let json = value.as_ref().and_then(|v| v.to_json().ok());
    let mut result = match (&value, &json) {
        (Some(Said::Str(s)), _) => text(s, false),
        (_, Some(json)) => text(&json.to_string(), false),
        _ => text(&reply.span.body, false),
    };
    // Before the stateless dialect, structured content was an object or nothing.
    if let Some(json) = json.filter(|j| dialect == Dialect::Stateless || j.is_object()) {
        result["structuredContent"] = json;
    }
    result
}

fn capabilities() -> Value {
    json!({"tools": {"listChanged": false}, "prompts": {"listChanged": false}})
}

fn text(text: &str, error: bool) -> Value {
    let mut result = json!({"content": [{"type": "text", "text": text}]});
    if error {
        result["isError"] = json!(true);
    }
    result
}

/// A tool as it is listed. The type of its result stands in its description, not in an `outputSchema`: a fault may
/// answer what no tool declares, and clients refuse results that do not fit.
fn listed(tool: &Tool) -> Value {
    let mut listed = tool
        .to_json_schema()
        .unwrap_or_else(|_| json!({"name": tool.name, "inputSchema": {"type": "object"}}));
    if let Some(fields) = listed.as_object_mut() {
        fields.remove("outputSchema");
        fields.remove("x-errors");
    }
    let errors: Vec<String> = tool.errors.iter().map(ToString::to_string).collect();
    let raises =
        if errors.is_empty() { String::new() } else { format!(", or fails with {}", errors.join(", ")) };
    let doc = if tool.doc.is_empty() { String::new() } else { format!("{}\n\n", tool.doc) };
    listed["description"] = json!(format!("{doc}Returns {}{raises}.", tool.result));
    listed["_meta"] = json!({"groundwork/declaration": tool.signature()});
    listed
}
