//! The notation of Gemma: keys are bare and sorted, and strings stand between quotes that are a token of their
//! own, so that nothing in them is escaped.

use serde_json::Value as Json;

use super::markers::guarded;
use crate::adapters::json::{self, Kind, Node, quoted};

const QUOTE: &str = "<|\"|>";
const MAX_DEPTH: usize = 128;

/// Writes the arguments (a JSON object) with their braces.
pub(crate) fn write_arguments(out: &mut String, object: &str, markers: &[&str]) {
    match json::parse_all(object).as_deref() {
        Ok([node]) => write_value(out, node, markers),
        _ => out.push_str("{}"),
    }
}

fn write_value(out: &mut String, node: &Node<'_>, markers: &[&str]) {
    match &node.kind {
        Kind::Str => write_string(out, &node.raw[1..node.raw.len() - 1], markers),
        Kind::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_value(out, item, markers);
            }
            out.push(']');
        }
        Kind::Object(fields) => {
            let mut sorted: Vec<_> = fields.iter().collect();
            sorted.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (i, (key, value)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                if is_bare(key) {
                    out.push_str(key);
                } else {
                    write_string(out, key, markers);
                }
                out.push(':');
                write_value(out, value, markers);
            }
            out.push('}');
        }
        // As the template of the model prints it, which is Python's.
        Kind::Null => out.push_str("None"),
        _ => out.push_str(node.raw),
    }
}

fn write_string(out: &mut String, raw: &str, markers: &[&str]) {
    let text = json::unescaped(raw).unwrap_or_default();
    out.push_str(QUOTE);
    out.push_str(&guarded(&text, markers));
    out.push_str(QUOTE);
}

fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b))
}

/// Reads arguments with their braces: the JSON object, and whether it would be written so.
pub(crate) fn read_arguments(text: &str) -> Option<(String, bool)> {
    let mut r = Reader { text, at: 0, out: String::new() };
    r.value(0)?;
    if r.at != text.len() || !text.starts_with('{') {
        return None;
    }
    let mut again = String::new();
    write_arguments(&mut again, &r.out, &[]);
    let usual = again == text;
    Some((r.out, usual))
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    /// JSON in the spaced style.
    out: String,
}

impl Reader<'_> {
    fn eat(&mut self, what: &str) -> bool {
        let found = self.text[self.at..].starts_with(what);
        if found {
            self.at += what.len();
        }
        found
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        if self.eat("{") {
            self.list(depth, '{', "}", |r| {
                r.key()?;
                r.eat(":").then_some(())?;
                r.out.push_str(": ");
                r.value(depth + 1)
            })
        } else if self.eat("[") {
            self.list(depth, '[', "]", |r| r.value(depth + 1))
        } else if self.eat(QUOTE) {
            self.string()
        } else {
            let rest = &self.text[self.at..];
            let len = rest.find([',', '}', ']', '{', '[', ':']).unwrap_or(rest.len());
            let token = &rest[..len];
            let value = if token == "None" { "null" } else { token };
            let node = json::parse_all(value).ok()?;
            matches!(node.as_slice(), [n] if n.raw == value).then_some(())?;
            self.out.push_str(value);
            self.at += len;
            Some(())
        }
    }

    fn list(
        &mut self,
        _depth: usize,
        open: char,
        close: &str,
        mut item: impl FnMut(&mut Self) -> Option<()>,
    ) -> Option<()> {
        self.out.push(open);
        if !self.eat(close) {
            loop {
                item(self)?;
                if self.eat(close) {
                    break;
                }
                self.eat(",").then_some(())?;
                self.out.push_str(", ");
            }
        }
        self.out.push_str(close);
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let len = rest.find(QUOTE)?;
        self.out.push_str(&quoted(&rest[..len]));
        self.at += len + QUOTE.len();
        Some(())
    }

    fn key(&mut self) -> Option<()> {
        if self.eat(QUOTE) {
            return self.string();
        }
        let rest = &self.text[self.at..];
        let len = rest.find(':')?;
        is_bare(&rest[..len]).then_some(())?;
        self.out.push_str(&quoted(&rest[..len]));
        self.at += len;
        Some(())
    }
}

/// `response:pay{value:…}` of the text that a tool returned.
pub(crate) fn write_response(tool: &str, text: &str) -> String {
    format!("response:{tool}{{value:{QUOTE}{text}{QUOTE}}}")
}

/// The text that a tool returned.
pub(crate) fn read_text(response: &str) -> Option<&str> {
    let open = response.strip_prefix("response:")?.find('{')? + "response:".len();
    let text = response[open..].strip_prefix("{value:")?.strip_prefix(QUOTE)?;
    text.strip_suffix('}')?.strip_suffix(QUOTE).filter(|t| !t.contains(QUOTE))
}

/// The JSON value of a response that is no text.
pub(crate) fn read_response(text: &str) -> Option<String> {
    let open = text.strip_prefix("response:")?.find('{')? + "response:".len();
    let (object, _) = read_arguments(&text[open..])?;
    let only = object.strip_prefix("{\"value\": ").and_then(|o| o.strip_suffix('}'));
    let value = only.filter(|v| json::parse_all(v).is_ok_and(|n| n.len() == 1)).map(str::to_owned);
    Some(value.unwrap_or(object))
}

/// The JSON of a tool that is declared as the template of the model does it: `declaration:pay{…}`, types in capitals.
pub(crate) fn read_declaration(text: &str) -> Option<String> {
    let declared = text.strip_prefix("declaration:")?;
    let (name, fields) = declared.split_at(declared.find('{')?);
    let (object, _) = read_arguments(fields)?;
    let mut tool: Json = serde_json::from_str(&object).ok()?;
    small_types(tool.get_mut("parameters"));
    tool.as_object_mut()?.insert("name".to_owned(), name.into());
    Some(tool.to_string())
}

/// Writes the types of a schema in small letters, and what may be null as JSON Schema does.
fn small_types(schema: Option<&mut Json>) {
    let Some(Json::Object(schema)) = schema else { return };
    if let Some(types) = schema.get_mut("properties").and_then(Json::as_object_mut) {
        types.values_mut().for_each(|schema| small_types(Some(schema)));
    }
    small_types(schema.get_mut("items"));
    let nullable = schema.get("nullable") == Some(&Json::Bool(true));
    match schema.get_mut("type") {
        Some(Json::String(name)) => {
            *name = name.to_lowercase();
            if nullable {
                let types = Json::from(vec![name.as_str(), "null"]);
                schema.insert("type".to_owned(), types);
                schema.remove("nullable");
            }
        }
        Some(Json::Array(names)) => {
            for name in names {
                if let Json::String(name) = name {
                    *name = name.to_lowercase();
                }
            }
        }
        _ => {}
    }
}
