//! Tool declarations in the shapes that the formats give them.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};
use serde_json::{Map, Value as Json, json};

use super::builder::Builder;
use super::json::{At, Fields, Node};
use super::loss::{FormatError, Loss, LossKind, Place, Read};
use crate::{NarrowedKind, Tool};

/// How a format wraps the declaration of a tool.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    /// `{"type": "function", "function": {"name", "description", "parameters"}}`
    Function,
    /// `{"type": "function", "name", "description", "parameters"}`
    Flat,
    /// `{"name", "description", "parameters"}`
    Bare,
    /// `{"name", "description", "input_schema"}`
    Anthropic,
    /// `{"name", "description", "inputSchema", "outputSchema"}`; error types under `_meta`. The flag says
    /// whether a result may be anything; otherwise only an object is declared.
    Mcp(bool),
}

/// Where an MCP tool says which errors it raises.
const ERRORS: &str = "x-errors";

/// The declarations in the body of a `tools` span, if it is not only the name of a set.
pub(crate) fn declared(body: &str) -> Option<Vec<Tool>> {
    Tool::parse_all(body).ok().filter(|_| body.trim_start().starts_with('{'))
}

/// A tool in a format's shape.
pub(crate) fn to_json(tool: &Tool, shape: Shape) -> Json {
    // A default that JSON cannot hold: the tool is declared without its parameters, which is found out as a loss.
    let mut schema = match tool.to_json_schema() {
        Ok(Json::Object(schema)) => schema,
        _ => Map::from_iter([
            ("name".to_owned(), json!(tool.name)),
            ("description".to_owned(), json!(tool.doc)),
            ("inputSchema".to_owned(), json!({"type": "object"})),
        ]),
    };
    let inputs = schema.remove("inputSchema").unwrap_or_default();
    let outputs = schema.remove("outputSchema");
    let errors = schema.remove(ERRORS);
    let mut put = |key: &str, value: Json| drop(schema.insert(key.to_owned(), value));
    match shape {
        Shape::Function | Shape::Flat | Shape::Bare => put("parameters", inputs),
        Shape::Anthropic => put("input_schema", inputs),
        Shape::Mcp(any) => {
            put("inputSchema", inputs);
            if let Some(outputs) = outputs.filter(|o| any || o["type"] == "object") {
                put("outputSchema", outputs);
            }
            if let Some(errors) = errors {
                put("_meta", json!({ERRORS: errors}));
            }
        }
    }
    match shape {
        Shape::Function => json!({"type": "function", "function": schema}),
        Shape::Flat => {
            let mut flat = Map::from_iter([("type".to_owned(), json!("function"))]);
            flat.extend(schema);
            Json::Object(flat)
        }
        _ => Json::Object(schema),
    }
}

/// A list of tools in a format's shape, as JSON.
pub(crate) fn list(tools: &[Tool], shape: Shape) -> String {
    Json::Array(tools.iter().map(|t| to_json(t, shape)).collect()).to_string()
}

/// Ends a document that holds a list of messages or items: the list, its `tools`, and the document.
pub(crate) fn end(out: &mut String, tools: Option<&[Tool]>, shape: Shape) {
    out.push(']');
    if let Some(tools) = tools {
        out.push_str(",\"tools\":");
        out.push_str(&list(tools, shape));
    }
    out.push('}');
}

/// The `tools` of a document, if it has any.
pub(crate) fn take(fields: &mut Fields<'_, '_>, b: &mut Builder, at: At<'_>) -> Read<()> {
    if let Some(tools) = fields.take("tools", at)? {
        let inside = At::Key(&at, "tools");
        let body = read(tools.items(inside)?, inside, &mut b.losses)?;
        b.tools(body);
    }
    Ok(())
}

/// The `tools` of an object inside a document, if it has one; what else stands there is lost.
pub(crate) fn take_within(
    fields: &mut Fields<'_, '_>,
    key: &'static str,
    b: &mut Builder,
    at: At<'_>,
) -> Read<()> {
    let Some(node) = fields.take(key, at)? else { return Ok(()) };
    let at = At::Key(&at, key);
    let mut inner = node.fields(at)?;
    take(&mut inner, b, at)?;
    inner.rest(at, &mut b.losses);
    Ok(())
}

/// The body of a `tools` span that declares these tools.
pub(crate) fn read(nodes: &[Node<'_>], at: At<'_>, losses: &mut Vec<Loss>) -> Read<String> {
    let mut tools = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        let at = At::Item(&at, i);
        match built_in(node) {
            Some(kind) => losses.push(Loss {
                kind: LossKind::Tools,
                place: at.place(),
                what: format!("the tool of type {kind}, which is the service's own"),
            }),
            None => tools.push(read_one(node, at, losses)?),
        }
    }
    Ok(Tool::print_all(&tools))
}

/// The type of a tool that a service has built in: one that is neither named nor declared.
fn built_in<'a>(node: &Node<'a>) -> Option<&'a str> {
    let declared = ["name", "function"].iter().any(|key| node.get(key).is_some());
    node.get("type").filter(|t| !declared && t.raw != "\"function\"").map(|t| t.raw)
}

/// One tool in any of the shapes. What its schema demands and the trace language cannot say is a loss.
pub(crate) fn read_one(node: &Node<'_>, at: At<'_>, losses: &mut Vec<Loss>) -> Read<Tool> {
    let mut json: Json = serde_json::from_str(node.raw)
        .map_err(|e| FormatError::new(at.place(), e.to_string(), "is this a JSON Schema?"))?;
    if let Some(errors) = json.get_mut("_meta").and_then(|m| m.get_mut(ERRORS)).map(Json::take) {
        json[ERRORS] = errors;
    }
    let place = |pointer: &str| Place::Pointer(at.pointer() + pointer);
    let (tool, narrowed) = Tool::narrowed_from_json_schema(&json)
        .map_err(|e| FormatError::new(place(&e.pointer), e.message, e.hint))?;
    losses.extend(narrowed.into_iter().map(|n| Loss {
        kind: if n.kind == NarrowedKind::Note { LossKind::Metadata } else { LossKind::Tools },
        place: place(&n.pointer),
        what: format!("{} of `{}`", n.what, tool.name),
    }));
    let inner = json.get("function").filter(|_| json.get("name").is_none());
    for (key, value) in inner.unwrap_or(&json).as_object().into_iter().flatten() {
        let known = ["type", "name", "description", "parameters", "input_schema", "inputSchema"];
        let known =
            known.contains(&key.as_str()) || ["outputSchema", "output_schema", ERRORS].contains(&&**key);
        let emptied =
            key == "_meta" && value.as_object().is_some_and(|m| m.len() == 1 && m.contains_key(ERRORS));
        if !known && !emptied && !value.is_null() {
            losses.push(Loss {
                kind: LossKind::Metadata,
                place: place(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
                what: format!("`{key}` of the tool `{}`", tool.name),
            });
        }
    }
    Ok(tool)
}

/// JSON over several lines, four spaces deep.
pub(crate) fn indented(json: &Json) -> String {
    let mut out = Vec::new();
    // Writing into a Vec cannot fail, and a JSON value has only keys that are strings.
    let _ = json.serialize(&mut Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b"    ")));
    String::from_utf8(out).unwrap_or_default()
}

/// JSON as chat templates print it, with a space after commas and colons.
pub(crate) fn spaced(json: &Json) -> String {
    struct Spaced;
    impl Formatter for Spaced {
        fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }

        fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
            if first { Ok(()) } else { out.write_all(b", ") }
        }

        fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
            out.write_all(b": ")
        }
    }
    let mut out = Vec::new();
    // Writing into a Vec cannot fail, and a JSON value has only keys that are strings.
    let _ = json.serialize(&mut Serializer::with_formatter(&mut out, Spaced));
    String::from_utf8(out).unwrap_or_default()
}
