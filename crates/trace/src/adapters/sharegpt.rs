//! ShareGPT: `{"conversations": [{"from", "value"}], "tools": "…"}`, where what the agent says is the text of
//! Hermes: calls in `<tool_call>`, results in `<tool_response>`.

use super::builder::Builder;
use super::dialects::{self, SHAREGPT};
use super::json::{self, At, Node, quote};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::openai_chat::comma;
use super::schemas::{self, Shape};
use super::turns::{Turn, quietly_placed};
use crate::{Tool, Trace};

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let mut out = String::from("{\"conversations\":[");
    let mut tools = None;
    let (mut calls, mut first) = (0, 0);
    for turn in quietly_placed(trace, |t| matches!(t, Turn::Tools(_)), |a| dialects::quiet(a, &SHAREGPT)) {
        let (from, value) = match turn {
            Turn::Tools(body) => {
                tools = schemas::declared(body).or(tools);
                continue;
            }
            Turn::System(text) => ("system", text.to_owned()),
            Turn::User(text) => ("human", text.to_owned()),
            Turn::Agent(agent) => {
                first = calls;
                calls += agent.calls.len();
                ("gpt", dialects::write_agent(&agent, first, &SHAREGPT, &[]))
            }
            Turn::Results(results) => ("tool", dialects::write_outcomes(&results, first, &SHAREGPT)),
        };
        comma(&mut out);
        out.push_str(&format!("{{\"from\":\"{from}\",\"value\":"));
        quote(&mut out, &value);
        out.push('}');
    }
    out.push(']');
    if let Some(tools) = tools {
        out.push_str(",\"tools\":");
        quote(&mut out, &schemas::list(&tools, Shape::Function));
    }
    out.push('}');
    out
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(SHAREGPT.style);
    let mut fields = node.fields(at)?;
    let declared = fields.take("tools", at)?;
    let mut tools = None;
    if let Some(declared) = declared {
        let inside = At::Key(&at, "tools");
        let text = declared.text(inside)?;
        let here = |e: Box<FormatError>| FormatError::new(inside.place(), e.message, e.hint);
        let nodes = json::parse_all(&text).map_err(here)?;
        let items = nodes.first().map(|n| n.items(inside)).transpose()?.unwrap_or_default();
        tools = Some(schemas::read(items, inside, &mut b.losses)?);
    }
    let known = tools.as_deref().and_then(|body| Tool::parse_all(body).ok()).unwrap_or_default();
    let inside = At::Key(&at, "conversations");
    for (i, message) in fields.need("conversations", at)?.items(inside)?.iter().enumerate() {
        read_message(&mut b, message, At::Item(&inside, i), &known)?;
    }
    if let Some(body) = tools {
        b.tools(body);
    }
    fields.rest(at, &mut b.losses);
    b.finish()
}

fn read_message(b: &mut Builder, node: &Node<'_>, at: At<'_>, tools: &[Tool]) -> Read<()> {
    let mut m = node.fields(at)?;
    let from = m.need_text("from", at)?;
    let value = m.need_text("value", at)?;
    if !matches!(&*from, "system" | "human" | "gpt" | "tool") {
        b.lose_once(LossKind::Layout, || At::Key(&at, "from").place(), "other names of authors");
    }
    match &*from {
        "system" => b.system(value)?,
        "human" | "user" => b.user(value)?,
        "gpt" | "assistant" | "model" | "chatgpt" => {
            dialects::read_agent(b, &value, &SHAREGPT, tools, &at.place())?;
        }
        "function_call" => {
            let text = format!("<tool_call>\n{value}\n</tool_call>");
            dialects::read_agent(b, &text, &SHAREGPT, tools, &at.place())?;
        }
        "tool" | "observation" | "function_response" => {
            let here = |e: Box<FormatError>| FormatError::new(at.place(), e.message, e.hint);
            let rest = dialects::read_outcomes(b, &value, 0, &SHAREGPT).map_err(here)?;
            if rest.len() == value.len() {
                b.result(None, &value, false, at.place())?;
                b.lose_once(LossKind::Layout, || at.place(), "a result without its marker");
            } else if !rest.is_empty() {
                b.lose_once(LossKind::Layout, || at.place(), "text beside results");
            }
        }
        other => {
            let message = format!("there is no author `{other}`");
            let hint = "the authors are system, human, gpt and tool";
            return Err(FormatError::new(At::Key(&at, "from").place(), message, hint));
        }
    }
    m.rest(at, &mut b.losses);
    Ok(())
}
