//! Converts documents that other programs hand over, for `benches/formats/`: a line of JSON in, a line out.
//!
//! A request is `{"from": "openai-chat", "to": "hermes", "document": "…"}`, where `from` and `to` are formats, `trace`,
//! or both `tool` (a tool's JSON Schema). The answer holds the documents that were written, what was lost, and whether
//! what was written is read back as the same; or an error.

use std::io::{self, BufRead, Write};

use groundwork_trace::adapters::{Converted, Loss, Side};
use groundwork_trace::{Tool, Trace};
use serde_json::{Value as Json, json};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let answer = answer(&line?).unwrap_or_else(|message| json!({"error": message}));
        writeln!(out, "{answer}")?;
    }
    out.flush()
}

fn answer(line: &str) -> Result<Json, String> {
    let request: Json = serde_json::from_str(line).map_err(|e| e.to_string())?;
    let field = |key: &str| request[key].as_str().ok_or(format!("the request has no `{key}`"));
    let (from, to, document) = (field("from")?, field("to")?, field("document")?);
    if from == "tool" {
        return tool(document);
    }
    let read = read(side(from)?, document)?;
    let to = side(to)?;
    let mut losses = read.losses.iter().map(|l| loss("read", l)).collect::<Vec<_>>();
    let mut documents = Vec::new();
    let mut same = true;
    for trace in &read.value {
        let written = match to {
            Side::Trace => Converted { value: trace.to_annotated(), losses: Vec::new() },
            Side::Format(format) => format.write(trace),
        };
        // Written as a trace, what was read must come back to the letter.
        same &= Trace::parse(&trace.to_annotated()).is_ok_and(|again| again == *trace);
        losses.extend(written.losses.iter().map(|l| loss("written", l)));
        documents.push(written.value);
    }
    Ok(json!({"documents": documents, "losses": losses, "same": same}))
}

fn side(name: &str) -> Result<Side, String> {
    Side::from_name(name).map_err(|hint| format!("there is no format `{name}` ({hint})"))
}

fn read(from: Side, document: &str) -> Result<Converted<Vec<Trace>>, String> {
    match from {
        Side::Trace => Trace::parse_all(document)
            .map(|value| Converted { value, losses: Vec::new() })
            .map_err(|e| e.render(document, "document", false)),
        Side::Format(format) => format.read(document).map_err(|e| e.to_string()),
    }
}

fn loss(when: &str, loss: &Loss) -> Json {
    json!({"when": when, "kind": loss.kind.name(), "place": loss.place.to_string(), "what": loss.what})
}

/// A tool as JSON Schema states it, whether its declaration is read back as the same, and whether its schema is.
fn tool(document: &str) -> Result<Json, String> {
    let schema: Json = serde_json::from_str(document).map_err(|e| e.to_string())?;
    let (tool, narrowed) = Tool::narrowed_from_json_schema(&schema).map_err(|e| e.to_string())?;
    let declared = Tool::print_all(std::slice::from_ref(&tool));
    let again = Tool::parse_all(&declared).map_err(|e| format!("{e}, in {declared}"))?;
    let schema = tool.to_json_schema().map_err(|e| e.to_string())?;
    let back = Tool::from_json_schema(&schema).map_err(|e| e.to_string())?;
    let same = again == std::slice::from_ref(&tool) && back == tool;
    let losses: Vec<Json> = narrowed
        .iter()
        .map(|n| json!({"when": "read", "kind": "tools", "place": n.pointer, "what": n.what}))
        .collect();
    Ok(json!({"documents": [declared], "losses": losses, "same": same, "schema": schema}))
}
