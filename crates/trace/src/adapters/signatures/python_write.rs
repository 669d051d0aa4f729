//! Tools as Python functions with docstrings in Google's style.

use std::fmt::Write;

use super::declared;
use crate::adapters::dialects::python_string as string;
use crate::scan::is_identifier;
use crate::{Bounds, ErrorType, Field, NamedType, Tool, Trace, Type, Value};

/// Writes the declarations of a trace.
pub(crate) fn write(trace: &Trace) -> String {
    let (types, tools) = crate::print_declaration::shared_types(&declared(trace).unwrap_or_default());
    let mut body = String::new();
    for named in &types {
        type_alias(&mut body, named);
    }
    for tool in &tools {
        function(&mut body, tool);
    }
    imports(&body) + body.trim_start_matches('\n')
}

/// What the declarations need, in the order of the names.
fn imports(body: &str) -> String {
    let mut out = String::new();
    let used = |name: &&&str| body.contains(**name);
    if body.contains("Path") {
        out.push_str("from pathlib import Path\n");
    }
    // Python's own knows no further fields.
    let open = body.contains(", extra_items=");
    let names = ["Annotated", "Any", "Literal", "NotRequired", "TypedDict"];
    let typing: Vec<&str> =
        names.iter().filter(used).filter(|n| !(open && **n == "TypedDict")).copied().collect();
    if !typing.is_empty() {
        let _ = writeln!(out, "from typing import {}", typing.join(", "));
    }
    if open {
        out.push_str("\nfrom typing_extensions import TypedDict\n");
    }
    if body.contains("Field(") {
        out.push_str("\nfrom pydantic import Field\n");
    }
    if !out.is_empty() && !body.is_empty() {
        out.push_str("\n\n");
    }
    out
}

fn type_alias(out: &mut String, named: &NamedType) {
    out.push_str("\n\n");
    if !named.doc.is_empty() {
        for line in named.doc.split('\n') {
            out.push_str(if line.is_empty() { "#" } else { "# " });
            out.push_str(line);
            out.push('\n');
        }
    }
    let _ = write!(out, "type {} = ", named.name);
    ty(out, &named.ty);
    out.push('\n');
}

fn function(out: &mut String, tool: &Tool) {
    let _ = write!(out, "\n\ndef {}(", identifier(&tool.name));
    // Behind one that may be left out, all are given by name.
    let first_optional = tool.params.iter().position(|p| !p.is_needed()).unwrap_or(tool.params.len());
    let by_name = tool.params[first_optional..].iter().any(Field::is_needed);
    for (i, param) in tool.params.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        out.push_str(if by_name && i == first_optional { "*, " } else { "" });
        let _ = write!(out, "{}: ", identifier(&param.name));
        annotation(out, &param.ty);
        match &param.default {
            Some(value) => {
                out.push_str(" = ");
                literal(out, value);
            }
            None if param.optional => out.push_str(" = ..."),
            None => {}
        }
    }
    out.push_str(") -> ");
    annotation(out, &tool.result);
    out.push_str(":\n");
    docstring(out, tool);
    out.push_str("    ...\n");
}

fn docstring(out: &mut String, tool: &Tool) {
    let params: Vec<&Field> = tool.params.iter().filter(|p| !p.doc.is_empty()).collect();
    if tool.doc.is_empty() && params.is_empty() && tool.errors.is_empty() {
        return;
    }
    let mut text = tool.doc.clone();
    let mut section = |name: &str, entries: Vec<(String, &str)>| {
        if entries.is_empty() {
            return;
        }
        let _ = write!(text, "{}{name}:", if text.is_empty() { "\n" } else { "\n\n" });
        for (head, doc) in entries {
            let doc = doc.replace('\n', "\n        ");
            let _ = if doc.is_empty() {
                write!(text, "\n    {head}:")
            } else {
                write!(text, "\n    {head}: {doc}")
            };
        }
    };
    section("Args", params.iter().map(|p| (identifier(&p.name), p.doc.as_str())).collect());
    section("Raises", tool.errors.iter().map(|e| (error(e), e.doc.as_str())).collect());
    let text = text.replace('\\', "\\\\").replace("\"\"\"", "\\\"\\\"\\\"");
    let lines: Vec<&str> = text.split('\n').map(str::trim_end).collect();
    out.push_str("    \"\"\"");
    for (i, line) in lines.iter().enumerate() {
        if i > 0 {
            out.push_str(if line.is_empty() { "\n" } else { "\n    " });
        }
        out.push_str(line);
    }
    if lines.len() > 1 {
        out.push_str("\n    ");
    } else if text.ends_with('"') {
        out.pop();
        out.push_str("\\\"");
    }
    out.push_str("\"\"\"\n");
}

fn error(error: &ErrorType) -> String {
    let mut out = error.name.clone();
    if !error.args.is_empty() {
        out.push('(');
        for (i, arg) in error.args.iter().enumerate() {
            out.push_str(if i > 0 { ", " } else { "" });
            ty(&mut out, arg);
        }
        out.push(')');
    }
    out
}

/// A name that Python allows.
fn identifier(name: &str) -> String {
    if is_identifier(name) && !KEYWORDS.contains(&name) {
        return name.to_owned();
    }
    let mut out: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if out.starts_with(|c: char| c.is_ascii_digit()) || out.is_empty() {
        out.insert(0, '_');
    }
    if KEYWORDS.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

const KEYWORDS: [&str; 35] = [
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is",
    "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
];

/// The type of a parameter or result. One that names others stands in quotes as a whole: they may be declared further
/// down, and a text alone in quotes makes no alternative.
fn annotation(out: &mut String, of: &Type) {
    let mut names = false;
    of.names(&mut |_| names = true);
    if !names {
        return ty(out, of);
    }
    let mut inner = String::new();
    ty(&mut inner, of);
    string(out, &inner);
}

fn ty(out: &mut String, of: &Type) {
    match of {
        Type::Any => out.push_str("Any"),
        Type::Bool => out.push_str("bool"),
        Type::Int => out.push_str("int"),
        Type::Float => out.push_str("float"),
        Type::Str => out.push_str("str"),
        Type::Path => out.push_str("Path"),
        Type::Named(name) => out.push_str(name),
        Type::List(item) => {
            out.push_str("list[");
            ty(out, item);
            out.push(']');
        }
        Type::Open(fields, rest) if fields.is_empty() => {
            out.push_str("dict[str, ");
            ty(out, rest);
            out.push(']');
        }
        Type::Record(fields) => record(out, fields, None),
        Type::Open(fields, rest) => record(out, fields, Some(rest)),
        Type::Enum(values) if values.as_slice() == [Value::Null] => out.push_str("None"),
        Type::Enum(values) => {
            out.push_str("Literal[");
            for (i, value) in values.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                literal(out, value);
            }
            out.push(']');
        }
        Type::Optional(inner) => {
            ty(out, inner);
            out.push_str(" | None");
        }
        Type::Union(types) => {
            for (i, alternative) in types.iter().enumerate() {
                out.push_str(if i > 0 { " | " } else { "" });
                ty(out, alternative);
            }
        }
        Type::Bounded(inner, bounds) => {
            out.push_str("Annotated[");
            ty(out, inner);
            out.push_str(", Field(");
            out.push_str(&arguments(inner, bounds).join(", "));
            out.push_str(")]");
        }
    }
}

/// Bounds as the arguments of pydantic's `Field`.
fn arguments(ty: &Type, bounds: &Bounds) -> Vec<String> {
    let of_numbers = matches!(ty, Type::Int | Type::Float);
    let written = |value: &Value| {
        let mut out = String::new();
        literal(&mut out, value);
        out
    };
    let argument = |(name, value): (&str, Value)| {
        let name = match (name, of_numbers) {
            ("min", true) => "ge",
            ("max", true) => "le",
            ("above", _) => "gt",
            ("below", _) => "lt",
            ("step", _) => "multiple_of",
            ("min", false) => "min_length",
            ("max", false) => "max_length",
            ("format", _) => return format!("json_schema_extra={{\"format\": {}}}", written(&value)),
            ("unique", _) => return "json_schema_extra={\"uniqueItems\": True}".to_owned(),
            (other, _) => other,
        };
        format!("{name}={}", written(&value))
    };
    bounds.given().map(argument).collect()
}

fn record(out: &mut String, fields: &[Field], rest: Option<&Type>) {
    out.push_str("TypedDict(\"Record\", {");
    for (i, field) in fields.iter().enumerate() {
        out.push_str(if i > 0 { ", " } else { "" });
        string(out, &field.name);
        out.push_str(": ");
        out.push_str(if field.is_needed() { "" } else { "NotRequired[" });
        let mut notes = Vec::new();
        if !field.doc.is_empty() {
            let mut note = String::from("description=");
            string(&mut note, &field.doc);
            notes.push(note);
        }
        if let Some(value) = &field.default {
            let mut note = String::from("default=");
            literal(&mut note, value);
            notes.push(note);
        }
        out.push_str(if notes.is_empty() { "" } else { "Annotated[" });
        ty(out, &field.ty);
        if !notes.is_empty() {
            let _ = write!(out, ", Field({})]", notes.join(", "));
        }
        out.push_str(if field.is_needed() { "" } else { "]" });
    }
    out.push('}');
    if let Some(rest) = rest {
        out.push_str(", extra_items=");
        ty(out, rest);
    }
    out.push(')');
}

fn literal(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(b) => out.push_str(if *b { "True" } else { "False" }),
        Value::Number(n) => out.push_str(n.as_str()),
        Value::Str(s) => string(out, s),
        Value::List(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                literal(out, item);
            }
            out.push(']');
        }
        Value::Record(fields) => {
            out.push('{');
            for (i, (name, item)) in fields.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                string(out, name);
                out.push_str(": ");
                literal(out, item);
            }
            out.push('}');
        }
    }
}
