//! Whether a value fits a type, and a call its declaration.

use std::fmt::{self, Display, Formatter};

use crate::scan::printed_name;
use crate::{ActionStatus, Call, Field, Number, Tool, Type, Value, suggest};

/// Why a value does not fit a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// Where inside the value: `.files[2].size`, empty for the value itself.
    pub place: String,
    /// What should stand there.
    pub expected: String,
    /// What stands there.
    pub found: String,
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.place.is_empty() {
            write!(f, "at `{}`: ", self.place)?;
        }
        write!(f, "expected {}, found {}", self.expected, self.found)
    }
}

impl std::error::Error for Mismatch {}

impl Number {
    /// Whether it is spelt as an integer, of any size.
    pub fn is_integer(&self) -> bool {
        self.0.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    }
}

impl Type {
    /// Whether `value` is of this type.
    ///
    /// An `int` is a number spelt without fraction and exponent; a `float` is any number. A field without a
    /// default must be there; a field that the type does not name must not.
    ///
    /// # Errors
    /// The first place at which the value does not fit.
    pub fn accepts(&self, value: &Value) -> Result<(), Mismatch> {
        if self.fits(value) { Ok(()) } else { Err(self.mismatch(value, "")) }
    }

    fn fits(&self, value: &Value) -> bool {
        match (self, value) {
            (Type::Any, _)
            | (Type::Bool, Value::Bool(_))
            | (Type::Float, Value::Number(_))
            | (Type::Str | Type::Path, Value::Str(_))
            | (Type::Optional(_), Value::Null) => true,
            (Type::Int, Value::Number(n)) => n.is_integer(),
            (Type::List(item), Value::List(items)) => items.iter().all(|v| item.fits(v)),
            (Type::Record(fields), Value::Record(values)) => {
                first_problem(fields, values).is_none()
                    && values.iter().all(|(k, v)| field(fields, k).is_some_and(|f| f.ty.fits(v)))
            }
            (Type::Enum(allowed), value) => allowed.contains(value),
            (Type::Optional(inner), value) => inner.fits(value),
            (Type::Union(types), value) => types.iter().any(|t| t.fits(value)),
            _ => false,
        }
    }

    #[cold]
    fn mismatch(&self, value: &Value, place: &str) -> Mismatch {
        match (self, value) {
            (Type::List(item), Value::List(items)) => {
                if let Some(i) = items.iter().position(|v| !item.fits(v)) {
                    return item.mismatch(&items[i], &format!("{place}[{i}]"));
                }
            }
            (Type::Record(fields), Value::Record(values)) => {
                if let Some((expected, found)) = first_problem(fields, values) {
                    return Mismatch { place: place.to_owned(), expected, found };
                }
                for (name, v) in values {
                    if let Some(f) = field(fields, name).filter(|f| !f.ty.fits(v)) {
                        return f.ty.mismatch(v, &format!("{place}.{}", printed_name(name)));
                    }
                }
            }
            (Type::Optional(inner), _) if !matches!(**inner, Type::Union(_) | Type::Enum(_)) => {
                let inside = inner.mismatch(value, place);
                if inside.place != place {
                    return inside;
                }
            }
            _ => {}
        }
        Mismatch { place: place.to_owned(), expected: format!("`{self}`"), found: shown(value) }
    }
}

fn field<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|f| f.name == name)
}

/// What is wrong with the names of a record's fields.
fn first_problem(fields: &[Field], values: &[(String, Value)]) -> Option<(String, String)> {
    for (i, (name, _)) in values.iter().enumerate() {
        if field(fields, name).is_none() {
            let near = suggest::nearest(name, fields.iter().map(|f| f.name.as_str()));
            let expected = match near {
                Some(near) => format!("the field `{near}`"),
                None => "no such field".to_owned(),
            };
            return Some((expected, format!("a field `{name}`")));
        }
        if values[..i].iter().any(|(earlier, _)| earlier == name) {
            return Some((format!("the field `{name}` once"), "it twice".to_owned()));
        }
    }
    let missing = fields.iter().find(|f| f.default.is_none() && !values.iter().any(|(k, _)| *k == f.name))?;
    Some((format!("a field `{}`", missing.name), "none".to_owned()))
}

/// The value as it stands in a message: cut where it is long.
fn shown(value: &Value) -> String {
    const LONGEST: usize = 40;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((cut, _)) => format!("`{}…`", &text[..cut]),
        None => format!("`{text}`"),
    }
}

/// One way in which a call does not fit the declared tools.
pub(crate) struct CallProblem {
    pub(crate) status: ActionStatus,
    /// The argument that it is about, and whether it is about the argument's name.
    pub(crate) arg: Option<(usize, bool)>,
    pub(crate) code: &'static str,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Reports what is wrong with `call`, argument by argument, until `report` says that it has heard enough.
pub(crate) fn check_call(call: &Call, tools: &[Tool], report: &mut impl FnMut(CallProblem) -> bool) {
    let Some(tool) = tools.iter().find(|t| t.name == call.tool) else {
        report(CallProblem {
            status: ActionStatus::UnknownTool,
            arg: None,
            code: "unknown-tool",
            message: format!("there is no tool `{}`", call.tool),
            hint: suggest::hint(&call.tool, tools.iter().map(|t| t.name.as_str())),
        });
        return;
    };
    for (i, (name, value)) in call.args.iter().enumerate() {
        let wrong = |on_name, code, message, hint| CallProblem {
            status: ActionStatus::WrongType,
            arg: Some((i, on_name)),
            code,
            message,
            hint,
        };
        let problem = match field(&tool.params, name) {
            None => {
                let message = format!("`{}` has no parameter `{name}`", tool.name);
                let hint = suggest::hint(name, tool.params.iter().map(|p| p.name.as_str()));
                Some(wrong(true, "unknown-parameter", message, hint))
            }
            Some(_) if call.args[..i].iter().any(|(earlier, _)| earlier == name) => {
                Some(wrong(true, "repeated-argument", format!("`{name}` is given twice"), None))
            }
            Some(param) => param.ty.accepts(value).err().map(|mismatch| {
                wrong(
                    false,
                    "wrong-type",
                    format!("`{name}`: {mismatch}"),
                    Some(format!("declared `{param}`")),
                )
            }),
        };
        if let Some(problem) = problem
            && !report(problem)
        {
            return;
        }
    }
    for param in tool.params.iter().filter(|p| p.default.is_none() && call.arg(&p.name).is_none()) {
        // An argument whose name was misspelt has been reported already.
        let names = || tool.params.iter().map(|p| p.name.as_str());
        let unknown = call.args.iter().filter(|(name, _)| field(&tool.params, name).is_none());
        if unknown.filter_map(|(name, _)| suggest::nearest(name, names())).any(|near| near == param.name) {
            continue;
        }
        let problem = CallProblem {
            status: ActionStatus::MissingArgument,
            arg: None,
            code: "missing-argument",
            message: format!("`{}` needs `{}`", tool.name, param.name),
            hint: Some(format!("declared `{}`", tool.signature())),
        };
        if !report(problem) {
            return;
        }
    }
}
