//! Tools as a TypeScript namespace, laid out as Harmony prints it.

use std::fmt::Write;

use super::declared;
use crate::adapters::json::quoted;
use crate::adapters::spelling::{COMPACT, value_json};
use crate::scan::is_identifier;
use crate::{Field, NamedType, Tool, Trace, Type, Value};

/// Writes the declarations of a trace.
pub(crate) fn write(trace: &Trace) -> String {
    declared(trace).map_or(String::new(), |tools| namespace(&tools) + "\n")
}

/// The namespace of all functions.
pub(crate) fn namespace(tools: &[Tool]) -> String {
    let mut out = String::from("namespace functions {\n\n");
    let (types, tools) = crate::print_declaration::shared_types(tools);
    for named in &types {
        type_alias(&mut out, named);
    }
    for tool in &tools {
        comment(&mut out, &tool.doc, "");
        let _ = write!(out, "type {} = (", name(&tool.name));
        if !tool.params.is_empty() {
            out.push_str("_: {\n");
            fields(&mut out, &tool.params, None, "");
            out.push('}');
        }
        out.push_str(") => ");
        ty(&mut out, &tool.result, "");
        out.push_str(";\n\n");
    }
    out.push_str("} // namespace functions");
    out
}

fn type_alias(out: &mut String, named: &NamedType) {
    comment(out, &named.doc, "");
    let _ = write!(out, "type {} = ", named.name);
    ty(out, &named.ty, "");
    out.push_str(";\n\n");
}

fn comment(out: &mut String, doc: &str, indent: &str) {
    if doc.is_empty() {
        return;
    }
    for line in doc.split('\n') {
        out.push_str(indent);
        out.push_str(if line.is_empty() { "//" } else { "// " });
        out.push_str(line);
        out.push('\n');
    }
}

/// Names with hyphens and dots are not TypeScript's, but they stand so in what models are given.
fn name(name: &str) -> String {
    let bare = !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        && !name.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.');
    if bare { name.to_owned() } else { quoted(name) }
}

fn fields(out: &mut String, fields: &[Field], rest: Option<&Type>, indent: &str) {
    for field in fields {
        comment(out, &field.doc, indent);
        out.push_str(indent);
        out.push_str(&name(&field.name));
        out.push_str(if field.is_needed() { ": " } else { "?: " });
        ty(out, &field.ty, indent);
        out.push(',');
        if let Some(value) = &field.default {
            let _ = write!(out, " // default: {}", default(value, &field.ty));
        }
        out.push('\n');
    }
    if let Some(rest) = rest {
        out.push_str(indent);
        out.push_str("[key: string]: ");
        ty(out, rest, indent);
        out.push_str(",\n");
    }
}

/// A default in JSON; one of an enum stands without quotes.
fn default(value: &Value, ty: &Type) -> String {
    match (value, ty) {
        (Value::Str(s), Type::Enum(_)) if is_identifier(s) && !matches!(&**s, "true" | "false" | "null") => {
            s.clone()
        }
        _ => value_json(&value.to_string(), COMPACT).unwrap_or_else(|| "null".to_owned()),
    }
}

fn ty(out: &mut String, of: &Type, indent: &str) {
    match of {
        Type::Any => out.push_str("any"),
        Type::Bool => out.push_str("boolean"),
        Type::Int | Type::Float => out.push_str("number"),
        Type::Str | Type::Path => out.push_str("string"),
        Type::Named(name) => out.push_str(name),
        Type::Bounded(inner, _) => ty(out, inner, indent),
        Type::List(item) => {
            let brackets = match &**item {
                Type::Enum(values) => values.len() > 1,
                Type::Union(_) | Type::Optional(_) => true,
                Type::Bounded(inner, _) => matches!(**inner, Type::Union(_)),
                _ => false,
            };
            out.push_str(if brackets { "(" } else { "" });
            ty(out, item, indent);
            out.push_str(if brackets { ")[]" } else { "[]" });
        }
        Type::Record(inside) => record(out, inside, None, indent),
        Type::Open(inside, rest) if inside.is_empty() => {
            out.push_str("Record<string, ");
            ty(out, rest, indent);
            out.push('>');
        }
        Type::Open(inside, rest) => record(out, inside, Some(rest), indent),
        Type::Enum(values) => {
            for (i, value) in values.iter().enumerate() {
                out.push_str(if i > 0 { " | " } else { "" });
                out.push_str(&value_json(&value.to_string(), COMPACT).unwrap_or_default());
            }
        }
        Type::Optional(inner) => {
            ty(out, inner, indent);
            out.push_str(" | null");
        }
        Type::Union(types) => {
            for (i, alternative) in types.iter().enumerate() {
                out.push_str(if i > 0 { " | " } else { "" });
                let brackets = matches!(alternative, Type::Union(_) | Type::Optional(_));
                out.push_str(if brackets { "(" } else { "" });
                ty(out, alternative, indent);
                out.push_str(if brackets { ")" } else { "" });
            }
        }
    }
}

fn record(out: &mut String, inside: &[Field], rest: Option<&Type>, indent: &str) {
    let deeper = format!("{indent}    ");
    out.push_str("{\n");
    fields(out, inside, rest, &deeper);
    out.push_str(&deeper);
    out.push('}');
}
