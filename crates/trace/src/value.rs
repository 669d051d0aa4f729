//! Values, calls and errors: the typed contents of actions and observations.

use compact_str::{CompactString, ToCompactString};

/// A number with its spelling: `1`, `1.0` and `1e3` stay what they were, at any size.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Number(pub(crate) CompactString);

impl Number {
    /// The number as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number as an integer, if it was written as one and fits.
    pub fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    /// The nearest double.
    pub fn as_f64(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }
}

impl From<i64> for Number {
    fn from(n: i64) -> Self {
        Number(n.to_compact_string())
    }
}

/// A value of the trace language.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1`, `1.0`, `1e3`
    Number(Number),
    /// `"text"`
    Str(String),
    /// `[1, 2]`
    List(Vec<Value>),
    /// `{name: "a", size: 3}`; the order of the fields is kept
    Record(Vec<(String, Value)>),
}

impl Value {
    /// A string value.
    pub fn str(s: impl Into<String>) -> Self {
        Value::Str(s.into())
    }

    /// An integer value.
    pub fn int(n: i64) -> Self {
        Value::Number(Number::from(n))
    }

    /// The string inside, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::Str(s) => Some(s),
            _ => None,
        }
    }

    /// The integer inside, if this is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(n) => n.as_i64(),
            _ => None,
        }
    }
}

/// One typed call of a tool: `read(path="/docs/a", max=10)`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Call {
    /// The tool's name.
    pub tool: String,
    /// The arguments by name, in the order written.
    pub args: Vec<(String, Value)>,
}

impl Call {
    /// A call of `tool` with `args`.
    pub fn new(tool: impl Into<String>, args: impl IntoIterator<Item = (&'static str, Value)>) -> Self {
        Call { tool: tool.into(), args: args.into_iter().map(|(k, v)| (k.to_owned(), v)).collect() }
    }

    /// The argument called `name`.
    pub fn arg(&self, name: &str) -> Option<&Value> {
        self.args.iter().find(|(k, _)| k == name).map(|(_, v)| v)
    }
}

/// How a tool refused: `NotFound("/docs/raport.txt")`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ToolError {
    /// The error type's name.
    pub name: String,
    /// Its values.
    pub args: Vec<Value>,
}

impl ToolError {
    /// An error called `name` with `args`.
    pub fn new(name: impl Into<String>, args: impl IntoIterator<Item = Value>) -> Self {
        ToolError { name: name.into(), args: args.into_iter().collect() }
    }
}
