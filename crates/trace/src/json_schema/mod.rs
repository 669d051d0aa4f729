//! Tools to and from JSON Schema, in the shape that MCP lists tools in:
//! `{"name", "description", "inputSchema", "outputSchema"}`. Errors, for which JSON Schema has no place, stand
//! under `"x-errors"`.

mod read;
mod write;

use serde_json::{Map, Value as Json};

use crate::{Number, Value};

/// Why a tool has no equivalent on the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at `{pointer}` ({hint})")]
pub struct SchemaError {
    /// Where, as a JSON pointer (of the schema, or of the schema that would have been written).
    pub pointer: String,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Something that a schema says and the imported tool does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// What sort of thing.
    pub kind: NarrowedKind,
    /// Where in the schema, as a JSON pointer.
    pub pointer: String,
    /// What was left out, or how it was read.
    pub what: String,
}

/// What the difference between a schema and the imported tool means for the values that are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NarrowedKind {
    /// The schema demands something that the tool does not.
    Demand,
    /// The schema leaves something open, or says it with other alternatives, and was read in the usual way.
    Reading,
    /// The schema says something beside: a title, an example.
    Note,
}

fn failure<T>(pointer: &str, message: impl Into<String>, hint: &str) -> Result<T, SchemaError> {
    Err(SchemaError { pointer: pointer.to_owned(), message: message.into(), hint: hint.to_owned() })
}

impl Value {
    /// The same value in JSON.
    ///
    /// # Errors
    /// A number or a record that JSON cannot hold as it is written (`1e3`, a field given twice).
    pub fn to_json(&self) -> Result<Json, SchemaError> {
        to_json(self, "")
    }

    /// The same value in the trace language. Numbers are spelt as `serde_json` spells them.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(Number(n.to_string().into())),
            Json::String(s) => Value::Str(s.clone()),
            Json::Array(items) => Value::List(items.iter().map(Value::from_json).collect()),
            Json::Object(fields) => {
                Value::Record(fields.iter().map(|(k, v)| (k.clone(), Value::from_json(v))).collect())
            }
        }
    }
}

fn to_json(value: &Value, at: &str) -> Result<Json, SchemaError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Number(n) => match serde_json::from_str::<serde_json::Number>(n.as_str()) {
            Ok(number) if number.to_string() == n.as_str() => Json::Number(number),
            _ => {
                let message = format!("`{n}` would be spelt otherwise in JSON");
                return failure(at, message, "write it plainly, as `1000.0`");
            }
        },
        Value::Str(s) => Json::String(s.clone()),
        Value::List(items) => {
            let items = items.iter().enumerate().map(|(i, v)| to_json(v, &format!("{at}/{i}")));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Record(fields) => {
            let mut map = Map::new();
            for (name, v) in fields {
                let at = format!("{at}/{}", escaped(name));
                if map.insert(name.clone(), to_json(v, &at)?).is_some() {
                    return failure(&at, format!("the field `{name}` is given twice"), "give it once");
                }
            }
            Json::Object(map)
        }
    })
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
