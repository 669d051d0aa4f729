//! The calls of a turn, in the notation of a dialect.

use std::borrow::Cow;

use super::markers::{escaped, guarded, guarded_name};
use super::read::{opened, until};
use super::{Calls, Dialect, Notation, Tags, gemma, pythonic};
use crate::adapters::json::{self, Kind, Node, quoted};
use crate::adapters::spelling::{Said, Style, said};
use crate::{Tool, Type};

/// A call as a text says it.
#[derive(Debug)]
pub(crate) struct ReadCall {
    pub(crate) id: Option<String>,
    pub(crate) said: Said,
    /// Whether the dialect spells it so; otherwise it is written back in another way.
    pub(crate) usual: bool,
}

impl ReadCall {
    pub(crate) fn new(said: Said) -> Self {
        ReadCall { id: None, said, usual: true }
    }
}

/// Writes the calls of one turn, of which the first has the number `first`.
pub(crate) fn write_calls(bodies: &[&str], first: usize, d: &Dialect) -> String {
    let c = &d.calls;
    let calls: Vec<Said> = bodies.iter().map(|body| said(body, d.style)).collect();
    let mut out = String::from(c.group.0);
    match c.notation {
        Notation::List if matches!(calls.as_slice(), [Said::Raw(_)]) => {
            out.push_str(c.each.0);
            out.push_str(&object(&calls[0], "", None, d.markers));
        }
        Notation::List => {
            let objects: Vec<String> = calls
                .iter()
                .enumerate()
                .map(|(i, call)| object(call, "arguments", Some(&list_id(first + i)), d.markers))
                .collect();
            out.push_str(&format!("{}[{}]{}", c.each.0, objects.join(", "), c.each.1));
        }
        Notation::Pythonic => out.push_str(&guarded(&pythonic::write(&calls), d.markers)),
        _ => {
            for (i, call) in calls.iter().enumerate() {
                if i > 0 {
                    out.push_str(c.between);
                }
                out.push_str(c.each.0);
                one(&mut out, call, first + i, d);
                out.push_str(c.each.1);
            }
        }
    }
    out.push_str(c.group.1);
    out
}

/// The id of a call where ids have nine characters.
pub(crate) fn list_id(number: usize) -> String {
    format!("c{number:08}")
}

fn one(out: &mut String, call: &Said, number: usize, d: &Dialect) {
    let markers = d.markers;
    let separator = match d.calls.notation {
        Notation::Tagged { after_name, .. } => after_name,
        Notation::Gemma => "{",
        Notation::Numbered(_) => "\n",
        _ => "",
    };
    let (tool, arguments) = match call {
        Said::Call { tool, arguments, whole: true } => {
            (guarded_name(tool, markers, separator), escaped(arguments, markers))
        }
        Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => {
            (guarded_name(tool, markers, separator), guarded(arguments, markers))
        }
        Said::Raw(text) => (String::new(), guarded(text, markers)),
    };
    match &d.calls.notation {
        Notation::Object(key) => out.push_str(&object(call, key, None, markers)),
        Notation::Named { arguments: after, .. } => out.push_str(&[&tool, *after, &arguments].concat()),
        Notation::Numbered(after) => {
            out.push_str(&format!("functions.{tool}:{number}{after}{arguments}"));
        }
        Notation::Tagged { after_name, tags } => match call {
            Said::Raw(_) => {
                out.push_str(&arguments);
                out.push_str(if is_bare_name(&arguments, after_name) { after_name } else { "" });
            }
            Said::Call { arguments, whole: true, .. } => {
                out.push_str(&tool);
                out.push_str(after_name);
                tagged(out, arguments, tags, markers);
            }
            _ => out.push_str(&[&tool, *after_name, &arguments].concat()),
        },
        Notation::Gemma => match call {
            Said::Call { arguments, whole: true, .. } => {
                out.push_str(&format!("call:{tool}"));
                gemma::write_arguments(out, arguments, markers);
            }
            Said::Raw(_) => out.push_str(&arguments),
            _ => out.push_str(&format!("call:{tool}{{{arguments}}}")),
        },
        Notation::List | Notation::Pythonic => {}
    }
}

/// `{"name": "pay", "arguments": {…}}`; a text that is no call stands for itself.
fn object(call: &Said, key: &str, id: Option<&str>, markers: &[&str]) -> String {
    let (tool, arguments) = match call {
        Said::Call { tool, arguments, whole: true } => (tool, escaped(arguments, markers)),
        Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => {
            (tool, guarded(arguments, markers))
        }
        Said::Raw(text) => return guarded(text, markers),
    };
    let id = id.map_or(String::new(), |id| format!(", \"id\": \"{id}\""));
    format!("{{\"name\": {}, \"{key}\": {arguments}{id}}}", escaped(&quoted(tool), markers))
}

fn tagged(out: &mut String, arguments: &str, tags: &Tags, markers: &[&str]) {
    let Ok(nodes) = json::parse_all(arguments) else { return };
    let Some(Node { kind: Kind::Object(fields), .. }) = nodes.first() else { return };
    for (key, value) in fields {
        out.push_str(tags.open);
        let name = json::unescaped(key).unwrap_or_default();
        out.push_str(&guarded_name(&name, markers, tags.after_name.0));
        match value.kind {
            Kind::Str => {
                out.push_str(tags.after_name.0);
                let text = json::unescaped(&value.raw[1..value.raw.len() - 1]).unwrap_or_default();
                out.push_str(&guarded(&text, markers));
            }
            _ => {
                out.push_str(tags.after_name.1);
                out.push_str(&match python(value.raw) {
                    Some(word) if tags.python => Cow::Borrowed(word),
                    _ => Cow::Owned(escaped(value.raw, markers)),
                });
            }
        }
        out.push_str(tags.close);
    }
}

/// Reads the calls at the start of `text`, and what is left behind them. The text of a call that is never
/// closed is its attempt.
pub(crate) fn read_calls<'t>(text: &'t str, d: &Dialect, tools: &[Tool]) -> (Vec<ReadCall>, &'t str) {
    read_calls_of(text, &d.calls, d.style, tools)
}

/// As [`read_calls`], where they are made in this way.
pub(crate) fn read_calls_of<'t>(
    text: &'t str,
    c: &Calls,
    style: Style,
    tools: &[Tool],
) -> (Vec<ReadCall>, &'t str) {
    let mut calls = Vec::new();
    let mut rest = opened(text, c.group.0).map_or(text, |(rest, _)| rest);
    while let Some((inside, exact)) = opened(rest, c.each.0).filter(|_| !rest.is_empty()) {
        let (inner, after, closed) = match c.each.1 {
            "" => {
                let end = inside.find(c.each.0).filter(|_| !c.each.0.is_empty()).unwrap_or(inside.len());
                (&inside[..end], &inside[end..], true)
            }
            close => until(inside, close).unwrap_or((inside, "", false)),
        };
        let from = calls.len();
        read_one(inner, c, style, tools, &mut calls);
        calls[from..].iter_mut().for_each(|call| call.usual &= exact && closed);
        rest = after;
        match rest.strip_prefix(c.between) {
            Some(next) if opened(next, c.each.0).is_some() => rest = next,
            _ => break,
        }
    }
    (calls, opened(rest, c.group.1).map_or(rest, |(rest, _)| rest))
}

fn read_one(inner: &str, c: &Calls, style: Style, tools: &[Tool], calls: &mut Vec<ReadCall>) {
    let raw = || ReadCall::new(Said::Raw(inner.to_owned()));
    let unread =
        |tool: &str, arguments: &str| Said::Unread { tool: tool.to_owned(), arguments: arguments.to_owned() };
    match &c.notation {
        Notation::Object(key) => calls.push(read_object(inner, key).unwrap_or_else(raw)),
        Notation::List => match read_list(inner) {
            Some(list) => calls.extend(list),
            None => calls.push(raw()),
        },
        Notation::Pythonic => match read_python(inner, tools) {
            Some(list) => calls.extend(list),
            None => calls.push(raw()),
        },
        Notation::Named { id, arguments: after } => calls.push(match inner.split_once(after) {
            Some(("", text)) if matches!(said(text, style), Said::Raw(_)) => {
                ReadCall::new(Said::Raw(text.to_owned()))
            }
            Some((tool, arguments)) => match tool.split_once(id).filter(|_| !id.is_empty()) {
                Some((tool, id)) => {
                    ReadCall { id: Some(id.to_owned()), ..ReadCall::new(unread(tool, arguments)) }
                }
                None => ReadCall::new(unread(tool, arguments)),
            },
            // A text that names no tool is written behind the separator.
            None => ReadCall { usual: false, ..raw() },
        }),
        Notation::Numbered(after) => calls.push(match inner.split_once(after) {
            Some((id, arguments)) => {
                let name = id.strip_prefix("functions.").and_then(|n| n.rsplit_once(':'));
                let tool = name.map_or(id, |(tool, _)| tool);
                let said = match said(arguments, style) {
                    Said::Raw(text) if tool.is_empty() => Said::Raw(text),
                    _ => unread(tool, arguments),
                };
                ReadCall { id: Some(id.to_owned()), usual: name.is_some(), ..ReadCall::new(said) }
            }
            None => raw(),
        }),
        Notation::Tagged { after_name, tags } => calls.push(read_tagged(inner, after_name, tags, tools)),
        Notation::Gemma => calls.push(match inner.strip_prefix("call:").and_then(|t| t.split_once('{')) {
            Some((tool, rest)) => match gemma::read_arguments(&inner[inner.len() - rest.len() - 1..]) {
                Some((arguments, usual)) => ReadCall { usual, ..ReadCall::new(unread(tool, &arguments)) },
                None => match rest.strip_suffix('}') {
                    Some(arguments) => ReadCall::new(unread(tool, arguments)),
                    None => ReadCall { usual: false, ..ReadCall::new(unread(tool, rest)) },
                },
            },
            None => raw(),
        }),
    }
}

/// The calls that a turn of nothing else makes, in the dialect's own notation or in the other one; none if it makes
/// none.
pub(crate) fn read_alone(text: &str, d: &Dialect, tools: &[Tool]) -> Option<Vec<ReadCall>> {
    let object = |key| read_object(text.trim(), key).map(|call| vec![call]);
    let python = || read_python(text.trim(), tools);
    let (calls, own) = match d.calls.notation {
        Notation::Object(key) => object(key).map(|c| (c, true)).or_else(|| Some((python()?, false)))?,
        _ => python().map(|c| (c, true)).or_else(|| Some((object("parameters")?, false)))?,
    };
    let usual = own && text.trim().len() == text.len();
    Some(calls.into_iter().map(|c| ReadCall { usual: c.usual && usual, ..c }).collect())
}

/// Whether a turn that says `text` acts, or tries to: it begins as calls do.
pub(crate) fn is_attempt(text: &str, d: &Dialect, tools: &[Tool]) -> bool {
    let start = text.trim_start();
    start.starts_with("{\"name\"") || pythonic::begins(start) || read_alone(text, d, tools).is_some()
}

fn read_python(text: &str, tools: &[Tool]) -> Option<Vec<ReadCall>> {
    let list = pythonic::read(text, tools)?;
    let usual = pythonic::write(&list) == text;
    Some(list.into_iter().map(|said| ReadCall { usual, ..ReadCall::new(said) }).collect())
}

/// A call as a JSON object; where the arguments are no JSON, by the usual spelling of what surrounds them.
pub(crate) fn read_object(inner: &str, key: &str) -> Option<ReadCall> {
    if let Ok(nodes) = json::parse_all(inner)
        && let [node] = nodes.as_slice()
    {
        return object_call(node, key).map(|call| {
            let usual = call.id.is_none() && object(&call.said_whole(), key, None, &[]) == inner;
            ReadCall { usual, ..call }
        });
    }
    let rest = inner.strip_prefix("{\"name\": \"")?;
    let end = rest.find(&format!("\", \"{key}\": "))?;
    let tool = json::unescaped(&rest[..end])?;
    let arguments = rest[end..].strip_prefix(&format!("\", \"{key}\": "))?;
    let arguments = arguments.strip_suffix('}')?.to_owned();
    Some(ReadCall::new(Said::Unread { tool: tool.into_owned(), arguments }))
}

impl ReadCall {
    /// What is said, as it would be written.
    fn said_whole(&self) -> Said {
        match &self.said {
            Said::Unread { tool, arguments } => {
                Said::Call { tool: tool.clone(), arguments: arguments.clone(), whole: true }
            }
            Said::Call { tool, arguments, whole } => {
                Said::Call { tool: tool.clone(), arguments: arguments.clone(), whole: *whole }
            }
            Said::Raw(text) => Said::Raw(text.clone()),
        }
    }
}

fn object_call(node: &Node<'_>, key: &str) -> Option<ReadCall> {
    let name = node.get("name").filter(|n| matches!(n.kind, Kind::Str))?;
    let tool = json::unescaped(&name.raw[1..name.raw.len() - 1])?.into_owned();
    let other = if key == "arguments" { "parameters" } else { "arguments" };
    let arguments = node.get(key).or_else(|| node.get(other))?;
    let id = node.get("id").map(|id| id.raw.trim_matches('"').to_owned());
    let said = Said::Unread { tool, arguments: arguments.raw.to_owned() };
    Some(ReadCall { id, ..ReadCall::new(said) })
}

fn read_list(inner: &str) -> Option<Vec<ReadCall>> {
    let nodes = json::parse_all(inner).ok()?;
    let [Node { kind: Kind::Array(items), .. }] = nodes.as_slice() else { return None };
    if items.is_empty() {
        return None;
    }
    let calls: Option<Vec<ReadCall>> = items.iter().map(|item| object_call(item, "arguments")).collect();
    let calls = calls?;
    let objects: Vec<String> =
        calls.iter().map(|c| object(&c.said_whole(), "arguments", c.id.as_deref(), &[])).collect();
    let usual = format!("[{}]", objects.join(", ")) == inner;
    Some(calls.into_iter().map(|c| ReadCall { usual, ..c }).collect())
}

/// Whether `text` is a call without arguments, where only white space follows a name.
fn is_bare_name(text: &str, after_name: &str) -> bool {
    after_name.trim().is_empty()
        && !text.is_empty()
        && !text.contains(['<', '{', '('])
        && !text.contains(char::is_whitespace)
}

fn read_tagged(inner: &str, after_name: &str, tags: &Tags, tools: &[Tool]) -> ReadCall {
    let mut usual = true;
    let named = inner.split_once(after_name).filter(|(tool, _)| !tool.contains(tags.open)).or_else(|| {
        // Without the line break.
        usual = false;
        let (name, rest) = inner.split_at(inner.find(tags.open)?);
        Some((name.trim_end().strip_suffix(after_name.trim_end())?, rest))
    });
    let Some((tool, rest)) = named else {
        let name = inner.trim_end();
        if is_bare_name(name, after_name) {
            let said = Said::Unread { tool: name.to_owned(), arguments: "{}".to_owned() };
            return ReadCall { usual: false, ..ReadCall::new(said) };
        }
        return ReadCall::new(Said::Raw(inner.to_owned()));
    };
    let declared = tools.iter().find(|t| t.name == tool);
    let unread = |arguments: String| Said::Unread { tool: tool.to_owned(), arguments };
    let mut object = String::from("{");
    let mut left = rest;
    while !left.is_empty() {
        let Some((name, value, next, exact)) = tag(left, tags) else {
            if left.trim().is_empty() {
                usual = false;
                break;
            }
            // Whoever writes JSON here writes another dialect.
            return ReadCall {
                usual: usual && !is_json(rest.trim()),
                ..ReadCall::new(unread(rest.to_owned()))
            };
        };
        usual &= exact;
        if object.len() > 1 {
            object.push_str(", ");
        }
        object.push_str(&quoted(name));
        object.push_str(": ");
        match value {
            Value::Text(text) => object.push_str(&quoted(text)),
            Value::Json(json) if is_json(json) => object.push_str(json),
            Value::Json(text) => {
                usual = false;
                object.push_str(&quoted(text));
            }
            Value::Open(text) if tags.python && !is_text_of(declared, name) && json_of(text).is_some() => {
                object.push_str(json_of(text).unwrap_or(text));
            }
            Value::Open(text) => {
                let string = is_text_of(declared, name) || text.starts_with('"') || !is_json(text);
                usual &= !(tags.python && python(text).is_some()) || string;
                object.push_str(&if string { quoted(text) } else { text.to_owned() });
            }
        }
        left = next;
    }
    object.push('}');
    ReadCall { usual, ..ReadCall::new(unread(object)) }
}

/// A value in an element.
enum Value<'t> {
    Text(&'t str),
    Json(&'t str),
    /// The element does not say which of the two.
    Open(&'t str),
}

/// One element at the start of `text`: its name, its value, what follows, and whether its layout is the usual.
fn tag<'t>(text: &'t str, tags: &Tags) -> Option<(&'t str, Value<'t>, &'t str, bool)> {
    let (mut exact, mut text) = (text.starts_with(tags.open), text);
    if !exact {
        text = text.trim_start();
    }
    let inside = text.strip_prefix(tags.open)?;
    let head = &inside[..inside.find(tags.close.trim())?];
    let (string, other) = tags.after_name;
    let common = string.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let (name_end, mark, value) = match head.find(&string[..common]) {
        Some(at) => {
            let mark = if head[at..].starts_with(string) { string } else { other };
            (at, mark, inside[at..].strip_prefix(mark)?)
        }
        None => {
            // Without the line break in it.
            exact = false;
            let (first, then) = string.split_once('\n').filter(|_| string == other)?;
            let at = head.find(first)?;
            let value = &inside[at + first.len()..];
            let value = if then.is_empty() { value } else { value.trim_start().strip_prefix(then)? };
            (at, string, value)
        }
    };
    let (content, after, closed) = until(value, tags.close)?;
    exact &= closed;
    let content = match (string == other, mark == string) {
        (true, _) => Value::Open(content),
        (false, true) => Value::Text(content),
        (false, false) => Value::Json(content),
    };
    Some((&inside[..name_end], content, after, exact))
}

fn is_json(text: &str) -> bool {
    // A parser skips a byte order mark before a document; inside one it is no JSON.
    !text.starts_with(|c: char| c.is_whitespace() || c == '\u{feff}')
        && !text.ends_with(char::is_whitespace)
        && json::parse_all(text).is_ok_and(|v| v.len() == 1)
}

/// A constant of JSON as Python spells it.
fn python(json: &str) -> Option<&'static str> {
    PYTHON.into_iter().find(|(ours, _)| *ours == json).map(|(_, theirs)| theirs)
}

/// A constant of Python in JSON.
fn json_of(python: &str) -> Option<&'static str> {
    PYTHON.into_iter().find(|(_, theirs)| *theirs == python).map(|(ours, _)| ours)
}

const PYTHON: [(&str, &str); 3] = [("true", "True"), ("false", "False"), ("null", "None")];

/// Whether the parameter `name` is declared to hold nothing but strings.
fn is_text_of(tool: Option<&Tool>, name: &str) -> bool {
    tool.and_then(|t| t.params.iter().find(|p| p.name == name)).is_some_and(|p| is_text(&p.ty))
}

/// Whether only strings are of this type.
fn is_text(ty: &Type) -> bool {
    match ty {
        Type::Str | Type::Path => true,
        Type::Enum(values) => values.iter().all(|v| v.as_str().is_some()),
        Type::Optional(inner) => is_text(inner),
        _ => false,
    }
}
