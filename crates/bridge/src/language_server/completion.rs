//! What could be written at the cursor.

use groundwork_trace::{ErrorType, Field, SpanKind, SpanPlace, Tool, Type};
use serde_json::{Value, json};

use super::cursor::{Cursor, cursor};
use super::document::Document;
use super::hover::{argument, declaration, described, raised, set_of_tools};
use super::scope::{Scope, written};

const FUNCTION: u8 = 3;
const FIELD: u8 = 5;
const MODULE: u8 = 9;
const VALUE: u8 = 12;
const KEYWORD: u8 = 14;
const CLASS: u8 = 7;

/// The metadata of a span: how it is written, and what it means.
const METADATA: [(&str, &str); 14] = [
    ("failed", "the attempt failed"),
    ("fault=", "the span shows this injected fault"),
    ("own=", "these bytes of the body are the world's own"),
    ("weight=", "the weight in training that the source states"),
    ("id=", "a name for the span, which is its own"),
    ("after=", "the span follows the one with this `id`, not the one before it"),
    ("author=", "who said it: a model, a person, a program"),
    ("time=", "when it was said (RFC 3339)"),
    ("tokens=", "how many tokens its author counted"),
    ("cost=", "what it cost, in the currency of the source"),
    ("score=", "how it was judged"),
    ("call=", "the identifier that the source gave the call"),
    ("signature=", "what a service signed a thought with"),
    ("attach=", "what belongs to the span and is no text, by reference"),
];

/// One thing that could be written.
struct Item {
    label: String,
    kind: u8,
    detail: String,
    doc: String,
    /// What is written; what stands between `$` and `$` is where the cursor goes next, in turn.
    text: String,
    snippet: Option<String>,
}

impl Item {
    fn new(label: impl Into<String>, kind: u8, detail: impl Into<String>) -> Item {
        let label = label.into();
        Item { text: label.clone(), label, kind, detail: detail.into(), doc: String::new(), snippet: None }
    }
}

/// The items for the place `at`, in the order in which they make sense.
pub(crate) fn completion(document: &Document, scope: &Scope<'_>, at: usize, snippets: bool) -> Value {
    let (from, items) = items(document.text(), scope, at);
    let range = document.range(&(from..at));
    let item = |(i, item): (usize, Item)| {
        let (text, format) = match item.snippet.filter(|_| snippets) {
            Some(snippet) => (snippet, 2),
            None => (item.text, 1),
        };
        let mut made = json!({
            "label": item.label,
            "kind": item.kind,
            "detail": item.detail,
            "sortText": format!("{i:04}"),
            // What is compared with what stands there already.
            "filterText": item.label,
            "insertTextFormat": format,
            "textEdit": {"range": range, "newText": text},
        });
        if !item.doc.is_empty() {
            made["documentation"] = json!({"kind": "markdown", "value": item.doc});
        }
        made
    };
    json!({"isIncomplete": false, "items": items.into_iter().enumerate().map(item).collect::<Vec<_>>()})
}

fn items(text: &str, scope: &Scope<'_>, at: usize) -> (usize, Vec<Item>) {
    let nothing = (at, Vec::new());
    let line = text[..at].rfind('\n').map_or(0, |i| i + 1);
    let before = &text[line..at];
    let between_braces = scope
        .at(at)
        .is_some_and(|(span, _)| span.span().kind == SpanKind::Tools && span.keyword().end < line);
    if before.bytes().all(|b| b.is_ascii_lowercase()) && !between_braces {
        return (line, keywords(scope, line));
    }
    let Some((span, tools)) = scope.at(at) else { return nothing };
    let header = &text[span.keyword().end.min(at)..at];
    if header.trim_start().starts_with('[') && !header.contains(']') && !header.contains('\n') {
        let from = at - header.len() + header.rfind(['[', ' ']).map_or(0, |i| i + 1);
        let items = METADATA.map(|(name, detail)| Item::new(name, KEYWORD, detail));
        return (from, items.into());
    }
    let Some(in_body) = span.in_body(at) else { return nothing };
    let body = &span.span().body[..in_body];
    // Where in the file a byte of the body stands; the cursor itself stays where it is.
    let place = |b: usize| if b >= in_body { at } else { span.in_file(b..b).start };
    match span.span().kind {
        SpanKind::Action => {
            let (from, items) = call_items(body, span, tools);
            (place(from), items)
        }
        SpanKind::Tools if body.trim_start().starts_with('{') => {
            let from = word(body);
            let typed = body[..from].trim_end().ends_with([':', '>', '[', '|']);
            let items = if typed { types() } else { Vec::new() };
            (place(from), items)
        }
        SpanKind::Tools => (place(word(body)), sets(scope)),
        SpanKind::Error => {
            let Some(tool) = scope.answered(at) else { return nothing };
            let item = |e: &ErrorType| Item {
                doc: raised(tool, e),
                ..Item::new(written(&e.name), CLASS, e.to_string())
            };
            (place(word(body)), tool.errors.iter().map(item).collect())
        }
        _ => nothing,
    }
}

/// Where the word that the text ends in begins.
fn word(text: &str) -> usize {
    text.trim_end_matches(|c: char| c.is_alphanumeric() || c == '_').len()
}

/// The spans that could stand at the line that begins at `line`: those that answer an action first, where one waits.
fn keywords(scope: &Scope<'_>, line: usize) -> Vec<Item> {
    let before = scope.outline.traces.iter().flatten().rfind(|s| s.whole().end < line);
    let waits = before.is_some_and(|s| s.span().kind == SpanKind::Action);
    let mut kinds: Vec<SpanKind> = SpanKind::ALL.into();
    if waits {
        kinds.sort_by_key(|k| !matches!(k, SpanKind::Observation | SpanKind::Error));
    }
    let item = |kind: SpanKind| Item {
        text: format!("{kind}: "),
        ..Item::new(kind.keyword(), KEYWORD, described(kind))
    };
    kinds.into_iter().map(item).collect()
}

fn sets(scope: &Scope<'_>) -> Vec<Item> {
    let item = |name: &String| {
        let tools = (scope.known.tools)(name).unwrap_or_default();
        let names: Vec<&str> = tools.iter().map(|t| t.name.as_str()).collect();
        Item { doc: set_of_tools(&tools), ..Item::new(written(name), MODULE, names.join(", ")) }
    };
    scope.known.names.iter().map(item).collect()
}

fn types() -> Vec<Item> {
    let types = [Type::Any, Type::Bool, Type::Float, Type::Int, Type::Path, Type::Str];
    types.iter().map(|ty| Item::new(ty.to_string(), CLASS, "a type")).collect()
}

fn call_items(body: &str, span: &SpanPlace, tools: &[Tool]) -> (usize, Vec<Item>) {
    let nothing = (body.len(), Vec::new());
    let find = |name: &str| tools.iter().find(|t| t.name == name);
    match cursor(body) {
        Cursor::Elsewhere => nothing,
        Cursor::Tool(from) => (from, tools.iter().map(|tool| tool_item(tool, span)).collect()),
        Cursor::Name { tool, given, from } => {
            let Some(tool) = find(&tool) else { return nothing };
            // What stands after the cursor is given as well.
            let later = span.call().map(|place| place.call.args).unwrap_or_default();
            let free = |p: &&Field| !given.contains(&p.name) && later.iter().all(|(name, _)| *name != p.name);
            let item = |p: &Field| {
                let label = written(&p.name);
                let (text, doc) = (format!("{label}="), argument(tool, p));
                Item { text, doc, ..Item::new(label, FIELD, p.to_string()) }
            };
            let mut params: Vec<&Field> = tool.params.iter().filter(free).collect();
            params.sort_by_key(|p| !p.is_needed());
            (from, params.into_iter().map(item).collect())
        }
        Cursor::Value { tool, name, from } => {
            let Some(tool) = find(&tool) else { return nothing };
            let Some(param) = tool.params.iter().find(|p| p.name == name) else { return nothing };
            let mut values = Vec::new();
            values_of(tool, &param.ty, &mut Vec::new(), &mut values);
            if let Some(default) = &param.default {
                values.push(default.to_string());
            }
            let mut seen: Vec<String> = Vec::new();
            for value in values {
                if !seen.contains(&value) {
                    seen.push(value);
                }
            }
            let doc = argument(tool, param);
            let item = |v| Item { doc: doc.clone(), ..Item::new(v, VALUE, param.to_string()) };
            (from, seen.into_iter().map(item).collect())
        }
    }
}

fn tool_item(tool: &Tool, span: &SpanPlace) -> Item {
    let label = written(&tool.name);
    let mut item = Item::new(label.clone(), FUNCTION, tool.signature());
    item.doc = declaration(tool);
    // Where the brackets stand already, the name alone is changed.
    if !span.span().body.contains('(') {
        let needed: Vec<&Field> = tool.params.iter().filter(|p| p.is_needed()).collect();
        let stop = |(i, p): (usize, &&Field)| {
            let quoted = matches!(p.ty, Type::Str | Type::Path);
            let (open, close) = if quoted { ("\"", "\"") } else { ("", "") };
            format!("{}={open}${}{close}", escaped(&written(&p.name)), i + 1)
        };
        let stops: Vec<String> = needed.iter().enumerate().map(stop).collect();
        item.text = format!("{label}(");
        item.snippet = Some(format!("{}({})$0", escaped(&label), stops.join(", ")));
    }
    item
}

/// A text as a part of a snippet.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('$', "\\$").replace('}', "\\}")
}

/// The values that a type names; `open` are the named types that led here, since one may lead back to itself while it is
/// being written.
fn values_of<'a>(tool: &'a Tool, ty: &'a Type, open: &mut Vec<&'a str>, out: &mut Vec<String>) {
    match ty {
        Type::Bool => out.extend(["true".to_owned(), "false".to_owned()]),
        Type::Enum(values) => out.extend(values.iter().map(ToString::to_string)),
        Type::Optional(inner) => {
            values_of(tool, inner, open, out);
            out.push("null".to_owned());
        }
        Type::Union(types) => types.iter().for_each(|t| values_of(tool, t, open, out)),
        Type::Named(name) if !open.contains(&name.as_str()) => {
            if let Some(named) = tool.types.iter().find(|t| t.name == *name) {
                open.push(name);
                values_of(tool, &named.ty, open, out);
                open.pop();
            }
        }
        _ => {}
    }
}
