//! What narrows a type: ranges, lengths, patterns and formats.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt::{self, Display, Formatter};

use regex_lite::{Regex, RegexBuilder};

use crate::{Number, Type, Value, format_names};

/// Bounds of a type's values, written `int(min=0, max=10)` or `str(max=80, pattern="^[a-z]+$")`.
///
/// Numbers have `min`, `max`, `above`, `below` and `step`; strings `min` and `max` (their length in code points),
/// `pattern` and `format`; lists `min`, `max` and `unique`; open records `min` and `max`, the number of their fields.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Bounds {
    /// The least value, or the least length.
    pub min: Option<Number>,
    /// The greatest value, or the greatest length.
    pub max: Option<Number>,
    /// A value that all others are greater than.
    pub above: Option<Number>,
    /// A value that all others are less than.
    pub below: Option<Number>,
    /// A value that all others are whole multiples of.
    pub step: Option<Number>,
    /// A regular expression that matches somewhere in the string.
    pub pattern: Option<String>,
    /// The name of a format. `date`, `time`, `date-time`, `uuid`, `ipv4` and `ipv6` are checked; any other name is
    /// a note for people.
    pub format: Option<String>,
    /// Whether the items of a list differ from each other.
    pub unique: bool,
}

/// The names of all bounds, in the order in which they are printed.
pub(crate) const BOUNDS: [&str; 8] = ["min", "max", "above", "below", "step", "pattern", "format", "unique"];

impl Bounds {
    /// The bounds that are given, with their names.
    pub(crate) fn given(&self) -> impl Iterator<Item = (&'static str, Value)> + '_ {
        let number = |n: &Option<Number>| n.clone().map(Value::Number);
        let text = |t: &Option<String>| t.clone().map(Value::Str);
        let values = [
            number(&self.min),
            number(&self.max),
            number(&self.above),
            number(&self.below),
            number(&self.step),
            text(&self.pattern),
            text(&self.format),
            self.unique.then_some(Value::Bool(true)),
        ];
        BOUNDS.into_iter().zip(values).filter_map(|(name, value)| Some((name, value?)))
    }

    /// Sets the bound `name` of a type, or says what is wrong with it.
    pub(crate) fn set(&mut self, ty: &Type, name: &str, value: Value) -> Result<(), String> {
        let of_numbers = matches!(ty, Type::Int | Type::Float);
        let allowed: &[&str] = match ty {
            Type::Int | Type::Float => &BOUNDS[..5],
            Type::Str => &["min", "max", "pattern", "format"],
            Type::Path => &["min", "max", "pattern"],
            Type::List(_) => &["min", "max", "unique"],
            Type::Open(..) => &["min", "max"],
            _ => &[],
        };
        if !allowed.contains(&name) {
            return Err(match allowed {
                [] => format!("`{ty}` has no bounds"),
                _ => format!("`{ty}` has no bound `{name}`, it has `{}`", allowed.join("`, `")),
            });
        }
        let wrong = |wanted: &str| Err(format!("`{name}` is {wanted}, not `{value}`"));
        match (name, &value) {
            ("pattern", Value::Str(s)) => self.pattern = Some(s.clone()),
            ("format", Value::Str(s)) if s == "path" => {
                return Err("a string that names a place is a `path`".to_owned());
            }
            ("format", Value::Str(s)) => self.format = Some(s.clone()),
            ("pattern" | "format", _) => return wrong("a string"),
            ("unique", Value::Bool(true)) => self.unique = true,
            ("unique", _) => return wrong("`true` or left out"),
            ("min" | "max", Value::Number(n))
                if !of_numbers && (!n.is_integer() || n.as_str().starts_with('-')) =>
            {
                return wrong("a length");
            }
            ("min", Value::Number(n)) => self.min = Some(n.clone()),
            ("max", Value::Number(n)) => self.max = Some(n.clone()),
            ("above", Value::Number(n)) => self.above = Some(n.clone()),
            ("below", Value::Number(n)) => self.below = Some(n.clone()),
            ("step", Value::Number(n)) => self.step = Some(n.clone()),
            _ => return wrong("a number"),
        }
        Ok(())
    }

    /// Whether there is no bound at all.
    pub fn is_empty(&self) -> bool {
        *self == Bounds::default()
    }

    /// The pattern that texts are held to; none where it cannot be compiled, as then every text keeps it.
    pub fn checked_pattern(&self) -> Option<&str> {
        self.pattern.as_deref().filter(|p| is_pattern(p))
    }

    /// The format that texts are held to; none where it is a note for people.
    pub fn checked_format(&self) -> Option<&str> {
        self.format.as_deref().filter(|f| format_names::is_checked(f))
    }

    /// Whether `value`, which is of the type that is bounded, keeps the bounds.
    pub(crate) fn keeps(&self, value: &Value) -> bool {
        let size = |n: usize| self.allows(&Number::from(n as i64));
        match value {
            Value::Number(n) => self.allows(n),
            Value::Str(s) => {
                size(s.chars().count())
                    && self.pattern.as_deref().is_none_or(|p| matches(p, s))
                    && self.format.as_deref().is_none_or(|f| format_names::fits(f, s))
            }
            Value::List(items) => size(items.len()) && (!self.unique || all_differ(items)),
            Value::Record(fields) => size(fields.len()),
            _ => true,
        }
    }

    fn allows(&self, n: &Number) -> bool {
        let holds = |bound: &Option<Number>, ok: fn(std::cmp::Ordering) -> bool| {
            bound.as_ref().is_none_or(|b| ok(n.compare(b)))
        };
        holds(&self.min, |o| o.is_ge())
            && holds(&self.max, |o| o.is_le())
            && holds(&self.above, |o| o.is_gt())
            && holds(&self.below, |o| o.is_lt())
            && self.step.as_ref().is_none_or(|s| n.is_multiple_of(s))
    }
}

fn all_differ(items: &[Value]) -> bool {
    let mut sorted: Vec<&Value> = items.iter().collect();
    sorted.sort();
    sorted.windows(2).all(|w| w[0] != w[1])
}

/// Whether `pattern` can be compiled; patterns of JSON Schema that look around or back cannot.
pub(crate) fn is_pattern(pattern: &str) -> bool {
    compiled(pattern, |regex| regex.is_some())
}

/// Whether `pattern` matches somewhere in `text`; one that cannot be compiled allows every text.
fn matches(pattern: &str, text: &str) -> bool {
    compiled(pattern, |regex| regex.is_none_or(|r| r.is_match(text)))
}

/// Compiling takes thousands of times as long as matching, and the same few patterns are asked for again and again.
fn compiled<T>(pattern: &str, ask: impl FnOnce(Option<&Regex>) -> T) -> T {
    const MOST: usize = 64;
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if !known.contains_key(pattern) {
            if known.len() >= MOST {
                known.clear();
            }
            let regex = RegexBuilder::new(pattern).size_limit(1 << 20).build().ok();
            known.insert(pattern.to_owned(), regex);
        }
        ask(known.get(pattern).and_then(Option::as_ref))
    })
}

/// As it stands behind a type, `(min=0, max=10)`.
impl Display for Bounds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("(")?;
        for (i, (name, value)) in self.given().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{name}={value}")?;
        }
        f.write_str(")")
    }
}
