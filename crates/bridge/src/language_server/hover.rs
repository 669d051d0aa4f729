//! What a thing in a trace is.

use std::ops::Range;

use groundwork_trace::{SpanKind, Tool, ToolError};
use serde_json::{Value, json};

use super::document::Document;
use super::scope::Scope;

/// What to show for the place `at`.
pub(crate) fn hover(document: &Document, scope: &Scope<'_>, at: usize) -> Value {
    match about(scope, at) {
        Some((markdown, range)) => json!({
            "contents": {"kind": "markdown", "value": markdown},
            "range": document.range(&range),
        }),
        None => Value::Null,
    }
}

fn about(scope: &Scope<'_>, at: usize) -> Option<(String, Range<usize>)> {
    let (span, tools) = scope.at(at)?;
    let on = |r: &Range<usize>| r.start <= at && at < r.end.max(r.start + 1);
    if on(&span.keyword()) {
        let kind = span.span().kind;
        return Some((format!("`{kind}`: {}", described(kind)), span.keyword()));
    }
    let body = || span.in_file(0..span.span().body.trim_end().len());
    match span.span().kind {
        SpanKind::Action => {
            let place = span.call()?;
            let tool = tools.iter().find(|t| t.name == place.call.tool)?;
            if on(&place.tool) {
                return Some((declaration(tool), place.tool));
            }
            let (i, (name, value)) = place.args.iter().enumerate().find(|(_, (n, v))| on(n) || on(v))?;
            let param = tool.params.iter().find(|p| p.name == place.call.args[i].0)?;
            Some((code(&param.to_string()), name.start..value.end))
        }
        SpanKind::Tools => {
            if let Some((tool, range)) = span.declarations().into_iter().find(|(_, r)| on(r)) {
                return Some((declaration(&tool), range));
            }
            let set = (scope.known.tools)(&span.tool_set()?)?;
            let signatures: Vec<String> = set.iter().map(Tool::signature).collect();
            Some((code(&signatures.join("\n")), body()))
        }
        SpanKind::Observation => {
            let tool = scope.answered(at)?;
            Some((format!("result of `{}`\n\n{}", tool.name, code(&tool.result.to_string())), body()))
        }
        SpanKind::Error => {
            let tool = scope.answered(at)?;
            let error = ToolError::parse(&span.span().body).ok()?;
            let declared = tool.errors.iter().find(|e| e.name == error.name);
            let about = match declared {
                Some(error) => format!("an error of `{}`\n\n{}", tool.name, code(&error.to_string())),
                None => format!(
                    "`{}` declares no error `{}`\n\n{}",
                    tool.name,
                    error.name,
                    code(&tool.signature())
                ),
            };
            Some((about, body()))
        }
        _ => None,
    }
}

fn code(text: &str) -> String {
    format!("```trace\n{text}\n```")
}

pub(crate) fn declaration(tool: &Tool) -> String {
    if tool.doc.is_empty() {
        code(&tool.signature())
    } else {
        format!("{}\n\n{}", code(&tool.signature()), tool.doc)
    }
}

/// What a kind of span is.
pub(crate) const fn described(kind: SpanKind) -> &'static str {
    match kind {
        SpanKind::Text => "plain text",
        SpanKind::Tools => "the tools that may be called, declared between braces or by the name of a set",
        SpanKind::System => "rules for the whole episode",
        SpanKind::Goal => "the task",
        SpanKind::User => "a later turn of the user",
        SpanKind::Plan => "what the agent intends to do",
        SpanKind::Thought => "what the agent thinks on the way",
        SpanKind::Action => "one call of a tool",
        SpanKind::Observation => "the value that a tool returned",
        SpanKind::Error => "the error with which a tool refused",
        SpanKind::Reflection => "what the agent concludes from a failure",
        SpanKind::Answer => "the agent's answer",
    }
}
