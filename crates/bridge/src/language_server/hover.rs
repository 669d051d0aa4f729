//! What a thing in a trace is.

use std::ops::Range;

use groundwork_trace::{ErrorType, Field, SpanKind, Tool, ToolError, Type};
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
            Some((argument(tool, param), name.start..value.end))
        }
        SpanKind::Tools => {
            if let Some((tool, range)) = span.declarations().into_iter().find(|(_, r)| on(r)) {
                return Some((declaration(&tool), range));
            }
            let set = (scope.known.tools)(&span.tool_set()?)?;
            Some((set_of_tools(&set), body()))
        }
        SpanKind::Observation => {
            let tool = scope.answered(at)?;
            let result = code(&with_types(tool, &tool.result, &tool.result.to_string()));
            Some((format!("result of `{}`\n\n{result}", tool.name), body()))
        }
        SpanKind::Error => {
            let tool = scope.answered(at)?;
            let error = ToolError::parse(&span.span().body).ok()?;
            let declared = tool.errors.iter().find(|e| e.name == error.name);
            let about = match declared {
                Some(error) => format!("an error of `{}`\n\n{}", tool.name, raised(tool, error)),
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

/// A thing of which something may be said.
fn explained(code: String, doc: &str) -> String {
    if doc.is_empty() { code } else { format!("{code}\n\n{doc}") }
}

/// `text` under the named types that `ty` uses.
fn with_types(tool: &Tool, ty: &Type, text: &str) -> String {
    let types = tool.types_in(ty).map(|named| format!("{named}\n"));
    types.chain([text.to_owned()]).collect()
}

pub(crate) fn declaration(tool: &Tool) -> String {
    let types: String = tool.types.iter().map(|named| format!("{named}\n")).collect();
    explained(code(&(types + &tool.signature())), &tool.doc)
}

/// A parameter: its type, its default and what it is for.
pub(crate) fn argument(tool: &Tool, param: &Field) -> String {
    explained(code(&with_types(tool, &param.ty, &param.to_string())), &param.doc)
}

/// An error that a tool may raise: what it carries and when it comes.
pub(crate) fn raised(tool: &Tool, error: &ErrorType) -> String {
    let types = Type::Union(error.args.clone());
    explained(code(&with_types(tool, &types, &error.to_string())), &error.doc)
}

/// What a set of tools declares.
pub(crate) fn set_of_tools(tools: &[Tool]) -> String {
    let signatures: Vec<String> = tools.iter().map(Tool::signature).collect();
    code(&signatures.join("\n"))
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
