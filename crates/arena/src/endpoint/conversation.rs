//! What is sent to an endpoint, and what its replies mean.

use groundwork_trace::{Span, SpanKind, Tool, Trace, Value};
use serde_json::{Map, Value as Json, json};

use super::{Endpoint, Protocol, said};
use crate::SuiteSpec;

/// A conversation with the model, in the form that its protocol asks for.
pub(super) struct Conversation {
    protocol: Protocol,
    /// `tools`, `chat`: the messages so far, the model's own as it sent them.
    messages: Vec<Json>,
    /// `tools`: the declarations.
    tools: Vec<Json>,
    /// `tools`: the calls that wait for a result.
    calls: Vec<String>,
    /// `completions`: the text so far.
    text: String,
}

/// What the model said in one reply.
pub(super) struct Turn {
    pub(super) spans: Vec<(SpanKind, String)>,
    /// It ran out of tokens in the last span.
    pub(super) cut: bool,
}

const RULES_TOOLS: &str = "You act in a simulated world by calling tools. Work on the task until it is done, then reply \
    with the answer alone, without a tool call and without any other word: exactly what was asked for, or `done` \
    where the task asks for a change only. Several answers are joined by `, `.";

const RULES_CHAT: &str = "You act in a simulated world by calling tools. Reply in lines that begin with a keyword:\n\
    thought: what you think\n\
    action: tool(name=value, other=\"text\")\n\
    answer: the answer alone\n\
    After an action, stop. You will be told `observation: …` or `error: …`. Work on the task until it is done, then \
    give the answer: exactly what was asked for and no other word, or `done` where the task asks for a change only. \
    Several answers are joined by `, `.";

impl Conversation {
    /// Begins with what the agent is told; `examples` are texts of solved tasks.
    pub(super) fn new(protocol: Protocol, prompt: &[Span], examples: &[String]) -> Conversation {
        let mut new = Conversation {
            protocol,
            messages: Vec::new(),
            tools: Vec::new(),
            calls: Vec::new(),
            text: String::new(),
        };
        if protocol == Protocol::Completions {
            for example in examples {
                new.text += example;
                new.text += "---\n";
            }
            new.text += &Trace::new(prompt.to_vec()).to_text();
            return new;
        }
        let mut system = if protocol == Protocol::Tools { RULES_TOOLS } else { RULES_CHAT }.to_owned();
        let mut told = Vec::new();
        for span in prompt {
            match span.kind {
                SpanKind::Tools if protocol == Protocol::Tools => {
                    new.tools =
                        Tool::parse_all(&span.body).unwrap_or_default().iter().map(function).collect();
                }
                SpanKind::Tools => system += &format!("\n\nThe tools:\n{}", span.body),
                SpanKind::System => system += &format!("\n\n{}", span.body),
                _ => told.push(json!({"role": "user", "content": span.body})),
            }
        }
        if !examples.is_empty() {
            system += "\n\nTasks of the same kind, as an expert solves them:\n";
            system += &examples.join("---\n");
        }
        new.messages.push(json!({"role": "system", "content": system}));
        new.messages.extend(told);
        new
    }

    /// The path and the body of the next request. `newer`: the limit of a reply goes by its newer name.
    pub(super) fn request(
        &self,
        endpoint: &Endpoint,
        suite: &SuiteSpec,
        sample: u32,
        newer: bool,
    ) -> (&'static str, Json) {
        let mut body = json!({
            "model": endpoint.model,
            "temperature": suite.temperature,
            "seed": suite.seed.wrapping_add(sample.into()) >> 1,
        });
        let limit = if newer { super::NEWER_LIMIT } else { "max_tokens" };
        body[limit] = json!(endpoint.max_reply_tokens);
        if self.protocol == Protocol::Completions {
            body["prompt"] = json!(self.text);
            body["stop"] = json!(["\nobservation:", "\nerror:", "\ngoal:", "\n---"]);
            return ("/completions", body);
        }
        body["messages"] = json!(self.messages);
        if !self.tools.is_empty() {
            body["tools"] = json!(self.tools);
        }
        ("/chat/completions", body)
    }

    /// What a reply says. It has at least one choice.
    pub(super) fn take(&mut self, reply: &Json) -> Turn {
        let choice = &reply["choices"][0];
        let cut = choice["finish_reason"] == "length";
        match self.protocol {
            Protocol::Completions => {
                let text = choice["text"].as_str().unwrap_or_default();
                let spans = said::spans(text);
                let kept = spans.iter().map(|(kind, body)| Span::new(*kind, body.as_str())).collect();
                self.text += &Trace::new(kept).to_text();
                Turn { spans, cut }
            }
            Protocol::Chat => {
                let text = choice["message"]["content"].as_str().unwrap_or_default();
                self.messages.push(json!({"role": "assistant", "content": text}));
                Turn { spans: said::spans(text), cut }
            }
            Protocol::Tools => self.take_calls(&choice["message"], cut),
        }
    }

    fn take_calls(&mut self, message: &Json, cut: bool) -> Turn {
        let content = message["content"].as_str().unwrap_or_default();
        let thinking = ["reasoning_content", "reasoning"].into_iter().find_map(|k| message[k].as_str());
        let calls = message["tool_calls"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut spans = Vec::new();
        spans.extend(thinking.filter(|t| !t.is_empty()).map(|t| (SpanKind::Thought, t.to_owned())));
        // Only what is known is sent back: an endpoint may refuse a field that it invented itself.
        let mut own = json!({"role": "assistant", "content": content});
        if calls.is_empty() {
            spans.push((SpanKind::Answer, content.trim().to_owned()));
        } else {
            if !content.trim().is_empty() {
                spans.push((SpanKind::Thought, content.to_owned()));
            }
            own["tool_calls"] = json!(calls);
            self.calls.clear();
            for (i, call) in calls.iter().enumerate() {
                let id = call["id"].as_str().map_or_else(|| format!("call_{i}"), str::to_owned);
                own["tool_calls"][i]["id"] = json!(id);
                self.calls.push(id);
                spans.push((SpanKind::Action, spelled(&call["function"])));
            }
        }
        self.messages.push(own);
        Turn { spans, cut }
    }

    /// Tells the model what came of its actions.
    pub(super) fn tell(&mut self, results: &[Span]) {
        match self.protocol {
            Protocol::Completions => self.text += &Trace::new(results.to_vec()).to_text(),
            Protocol::Chat => {
                let text = Trace::new(results.to_vec()).to_text();
                self.messages.push(json!({"role": "user", "content": text.trim_end()}));
            }
            Protocol::Tools => {
                let mut ids = std::mem::take(&mut self.calls).into_iter();
                for span in results {
                    if span.kind == SpanKind::User {
                        self.messages.push(json!({"role": "user", "content": span.body}));
                        continue;
                    }
                    let text = match span.kind {
                        SpanKind::Error => format!("error: {}", span.body),
                        _ => span.body.clone(),
                    };
                    self.messages.push(match ids.next() {
                        Some(id) => json!({"role": "tool", "tool_call_id": id, "content": text}),
                        None => json!({"role": "user", "content": text}),
                    });
                }
            }
        }
    }
}

/// A native call in the trace language. What is no object of arguments stays as it was said, to be refused by the world.
fn spelled(function: &Json) -> String {
    let name = function["name"].as_str().unwrap_or_default();
    let raw = match &function["arguments"] {
        Json::String(text) => text.clone(),
        Json::Null => "{}".to_owned(),
        other => other.to_string(),
    };
    let empty = raw.trim().is_empty();
    match if empty { Ok(Map::new()) } else { serde_json::from_str::<Map<String, Json>>(&raw) } {
        Ok(arguments) => {
            let args = arguments.iter().map(|(k, v)| (k.clone(), Value::from_json(v))).collect();
            groundwork_trace::Call { tool: name.to_owned(), args }.to_string()
        }
        Err(_) => format!("{name}({raw})"),
    }
}

/// A tool as chat completions declare it.
fn function(tool: &Tool) -> Json {
    // A default that JSON cannot hold leaves the tool without its parameters' types; the documentation still names them.
    let schema = tool.to_json_schema().unwrap_or_else(|_| json!({"inputSchema": {"type": "object"}}));
    let errors: Vec<String> = tool.errors.iter().map(|e| e.name.clone()).collect();
    let mut doc = tool.doc.clone();
    if !errors.is_empty() {
        doc += &format!(" May fail with {}.", errors.join(", "));
    }
    json!({
        "type": "function",
        "function": {"name": tool.name, "description": doc, "parameters": schema["inputSchema"]},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn native_calls_are_spelled_in_the_language() {
        let said = |arguments: Json| spelled(&json!({"name": "read", "arguments": arguments}));
        assert_eq!(said(json!(r#"{"path": "a/b", "max": 3}"#)), r#"read(path="a/b", max=3)"#);
        assert_eq!(said(json!({"path": ["a"]})), r#"read(path=["a"])"#);
        assert_eq!((said(json!("")), said(Json::Null)), ("read()".into(), "read()".into()));
        assert_eq!(said(json!("{\"path\": ")), "read({\"path\": )", "rubbish stays rubbish");
    }

    #[test]
    fn a_conversation_keeps_the_models_own_words() {
        let tools = Span::new(SpanKind::Tools, "{\n/// Looks.\nlook() -> str ! Busy\n}");
        let goal = Span::new(SpanKind::Goal, "look");
        let mut chat = Conversation::new(Protocol::Tools, &[tools, goal], &["goal: x\n".into()]);
        let (path, body) = chat.request(&Endpoint::new("http://x/v1/", "m"), &SuiteSpec::default(), 0, false);
        assert_eq!(path, "/chat/completions");
        assert_eq!(body["tools"][0]["function"]["name"], "look", "{body}");
        assert_eq!(body["messages"][1], json!({"role": "user", "content": "look"}));
        let call = json!({"id": "c7", "type": "function", "function": {"name": "look", "arguments": "{}"}});
        let turn = chat.take(&json!({"choices": [{"message": {"content": "so", "tool_calls": [call]}}]}));
        assert_eq!(turn.spans, [(SpanKind::Thought, "so".into()), (SpanKind::Action, "look()".into())]);
        chat.tell(&[Span::new(SpanKind::Error, "Busy")]);
        let last = chat.messages.last().unwrap();
        assert_eq!(last, &json!({"role": "tool", "tool_call_id": "c7", "content": "error: Busy"}));
        let turn = chat.take(&json!({"choices": [{"message": {"content": " done\n"}}]}));
        assert_eq!(turn.spans, [(SpanKind::Answer, "done".into())]);
    }
}
