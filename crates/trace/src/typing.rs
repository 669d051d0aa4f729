//! Whether a value fits a type, and a call its declaration.

use std::cell::Cell;
use std::collections::HashSet;
use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use crate::scan::printed_name;
use crate::{ActionStatus, Call, Field, NamedType, Number, Tool, Type, Value, suggest};

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

/// The named types that values are compared with, and how much comparing is still done: types that name themselves
/// can make a short text cost without end.
struct Types<'a> {
    declared: &'a [Arc<NamedType>],
    left: Cell<u32>,
    /// How many names lead from one to the other at present.
    depth: Cell<u32>,
}

/// No honest value takes this many comparisons with parts of its type.
const MOST_COMPARISONS: u32 = 1_000_000;
/// A value nests at most 128 deep, and a name rarely leads to another at once.
const DEEPEST: u32 = 500;

impl<'a> Types<'a> {
    fn of(declared: &'a [Arc<NamedType>]) -> Self {
        Types { declared, left: Cell::new(MOST_COMPARISONS), depth: Cell::new(0) }
    }

    /// What comes of the type that is named so; none where there is none.
    fn follow<T>(&self, name: &str, ask: impl FnOnce(&'a Type) -> T) -> Option<T> {
        let ty = self.declared.iter().find(|d| d.name == name).map(|d| &d.ty)?;
        let depth = self.depth.get();
        if depth == DEEPEST {
            return None;
        }
        self.depth.set(depth + 1);
        let answer = ask(ty);
        self.depth.set(depth);
        Some(answer)
    }
}

impl Type {
    /// Whether `value` is of this type.
    ///
    /// An `int` is a number spelt without fraction and exponent; a `float` is any number. A field that is needed must
    /// be there; one that the type does not name must not, unless the record is open. Nothing is of a type that is
    /// named and not known: [`Type::accepts_with`] knows those that a tool declares.
    ///
    /// # Errors
    /// The first place at which the value does not fit.
    pub fn accepts(&self, value: &Value) -> Result<(), Mismatch> {
        self.accepts_with(value, &[])
    }

    /// As [`Type::accepts`], where `declared` are the types that may be named ([`Tool::types`]).
    ///
    /// # Errors
    /// The first place at which the value does not fit.
    pub fn accepts_with(&self, value: &Value, declared: &[Arc<NamedType>]) -> Result<(), Mismatch> {
        if self.fits(value, &Types::of(declared)) {
            return Ok(());
        }
        Err(self.mismatch(value, "", &Types::of(declared)))
    }

    fn fits(&self, value: &Value, types: &Types<'_>) -> bool {
        let Some(left) = types.left.get().checked_sub(1) else { return false };
        types.left.set(left);
        match (self, value) {
            (Type::Any, _)
            | (Type::Bool, Value::Bool(_))
            | (Type::Float, Value::Number(_))
            | (Type::Str | Type::Path, Value::Str(_))
            | (Type::Optional(_), Value::Null) => true,
            (Type::Int, Value::Number(n)) => n.is_integer(),
            (Type::List(item), Value::List(items)) => items.iter().all(|v| item.fits(v, types)),
            (Type::Record(fields), Value::Record(values)) => {
                first_problem(fields, false, values).is_none()
                    && values.iter().all(|(k, v)| field(fields, k).is_some_and(|f| f.ty.fits(v, types)))
            }
            (Type::Open(fields, rest), Value::Record(values)) => {
                first_problem(fields, true, values).is_none()
                    && values.iter().all(|(k, v)| field(fields, k).map_or(&**rest, |f| &f.ty).fits(v, types))
            }
            (Type::Enum(allowed), value) => allowed.contains(value),
            (Type::Optional(inner), value) => inner.fits(value, types),
            (Type::Union(all), value) => all.iter().any(|t| t.fits(value, types)),
            (Type::Bounded(inner, bounds), value) => inner.fits(value, types) && bounds.keeps(value),
            (Type::Named(name), value) => types.follow(name, |t| t.fits(value, types)) == Some(true),
            _ => false,
        }
    }

    #[cold]
    fn mismatch(&self, value: &Value, place: &str, types: &Types<'_>) -> Mismatch {
        let here =
            || Mismatch { place: place.to_owned(), expected: format!("`{self}`"), found: shown(value) };
        let in_fields = |fields: &[Field], rest: Option<&Type>, values: &[(String, Value)]| {
            if let Some((expected, found)) = first_problem(fields, rest.is_some(), values) {
                return Some(Mismatch { place: place.to_owned(), expected, found });
            }
            values.iter().find_map(|(name, v)| {
                let ty = field(fields, name).map(|f| &f.ty).or(rest)?;
                let place = format!("{place}.{}", printed_name(name));
                (!ty.fits(v, types)).then(|| ty.mismatch(v, &place, types))
            })
        };
        if let (Type::Enum(allowed), Value::Str(word)) = (self, value)
            && let Some(near) = suggest::nearest(word, allowed.iter().filter_map(Value::as_str))
        {
            let found = format!("{} (did you mean `{}`?)", shown(value), Value::str(near));
            return Mismatch { found, ..here() };
        }
        let inside = match (self, value) {
            (Type::List(item), Value::List(items)) => items.iter().enumerate().find_map(|(i, v)| {
                (!item.fits(v, types)).then(|| item.mismatch(v, &format!("{place}[{i}]"), types))
            }),
            (Type::Record(fields), Value::Record(values)) => in_fields(fields, None, values),
            (Type::Open(fields, rest), Value::Record(values)) => in_fields(fields, Some(rest), values),
            (Type::Optional(inner), _) if !matches!(**inner, Type::Union(_) | Type::Enum(_)) => {
                Some(inner.mismatch(value, place, types)).filter(|m| m.place != place)
            }
            (Type::Bounded(inner, _), _) if !inner.fits(value, types) => {
                Some(inner.mismatch(value, place, types)).filter(|m| m.place != place)
            }
            (Type::Named(name), _) => types.follow(name, |t| t.mismatch(value, place, types)),
            _ => None,
        };
        inside.unwrap_or_else(here)
    }
}

fn field<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|f| f.name == name)
}

/// What is wrong with the names of a record's fields.
fn first_problem(fields: &[Field], open: bool, values: &[(String, Value)]) -> Option<(String, String)> {
    let twice = repeated(values);
    for (i, (name, _)) in values.iter().enumerate() {
        if !open && field(fields, name).is_none() {
            let near = suggest::nearest(name, fields.iter().map(|f| f.name.as_str()));
            let expected = match near {
                Some(near) => format!("the field `{near}`"),
                None => "no such field".to_owned(),
            };
            return Some((expected, format!("a field `{name}`")));
        }
        if twice == Some(i) {
            return Some((format!("the field `{name}` once"), "it twice".to_owned()));
        }
    }
    let missing = fields.iter().find(|f| f.is_needed() && !values.iter().any(|(k, _)| *k == f.name))?;
    Some((format!("a field `{}`", missing.name), "none".to_owned()))
}

/// The first field whose name an earlier one has. A map may have many fields.
fn repeated(values: &[(String, Value)]) -> Option<usize> {
    if values.len() < 16 {
        return (1..values.len()).find(|&i| values[..i].iter().any(|(k, _)| *k == values[i].0));
    }
    let mut seen = HashSet::with_capacity(values.len());
    values.iter().position(|(k, _)| !seen.insert(k))
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
                let hint = Some("an argument is given once; take one out".to_owned());
                Some(wrong(true, "repeated-argument", format!("`{name}` is given twice"), hint))
            }
            Some(param) => param.ty.accepts_with(value, &tool.types).err().map(|mismatch| {
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
    for param in tool.params.iter().filter(|p| p.is_needed() && call.arg(&p.name).is_none()) {
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
