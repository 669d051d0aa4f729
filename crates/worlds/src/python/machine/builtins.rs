//! The functions and methods that are there without an import.

use super::operators::range_length;
use super::{Comparison, MAX_LENGTH, Machine, Raised, Value, int, kind, position};

const NAMES: [&str; 15] = [
    "abs", "all", "any", "bool", "int", "len", "list", "max", "min", "print", "range", "reversed", "sorted",
    "str", "sum",
];

/// The builtin function called `name`.
pub(super) fn named(name: &str) -> Option<&'static str> {
    NAMES.binary_search(&name).ok().map(|i| NAMES[i])
}

fn wrong_number(name: &str, given: usize) -> Raised {
    format!("TypeError: {name}() does not take {given} argument{}", if given == 1 { "" } else { "s" })
}

fn need_int(value: &Value) -> Result<i64, Raised> {
    int(value)
        .ok_or_else(|| format!("TypeError: '{}' object cannot be interpreted as an integer", kind(value)))
}

impl Machine<'_> {
    pub(super) fn builtin(&mut self, name: &'static str, arguments: &[Value]) -> Result<Value, Raised> {
        match (name, arguments) {
            ("abs", [value]) => {
                let n = int(value)
                    .ok_or_else(|| format!("TypeError: bad operand type for abs(): '{}'", kind(value)))?;
                n.checked_abs().map(Value::Int).ok_or_else(super::operators::overflow)
            }
            ("all", [over]) => {
                let items = self.items(over)?;
                Ok(Value::Bool(items.iter().all(|v| self.truth(v))))
            }
            ("any", [over]) => {
                let items = self.items(over)?;
                Ok(Value::Bool(items.iter().any(|v| self.truth(v))))
            }
            ("bool", [value]) => Ok(Value::Bool(self.truth(value))),
            ("int", [Value::Text(text)]) => text.trim().parse().map(Value::Int).map_err(|_| {
                let shown: String = text.chars().take(20).collect();
                format!("ValueError: invalid literal for int(): '{shown}'")
            }),
            ("int", [value]) => need_int(value).map(Value::Int),
            ("len", [value]) => match value {
                Value::List(list) => Ok(Value::Int(self.lists[*list].len() as i64)),
                Value::Text(text) => Ok(Value::Int(text.chars().count() as i64)),
                Value::Range(from, to, by) => Ok(Value::Int(range_length(*from, *to, *by) as i64)),
                other => Err(format!("TypeError: object of type '{}' has no len()", kind(other))),
            },
            ("list", []) => self.new_list(Vec::new()),
            ("list", [over]) => {
                let items = self.items(over)?;
                self.new_list(items)
            }
            ("max" | "min", arguments) if !arguments.is_empty() => {
                let items = if let [over] = arguments { self.items(over)? } else { arguments.to_vec() };
                self.extreme(name, items)
            }
            ("print", _) => Ok(Value::None),
            ("range", [to]) => Ok(Value::Range(0, need_int(to)?, 1)),
            ("range", [from, to]) => Ok(Value::Range(need_int(from)?, need_int(to)?, 1)),
            ("range", [from, to, by]) => match need_int(by)? {
                0 => Err("ValueError: range() arg 3 must not be 0".to_owned()),
                by => Ok(Value::Range(need_int(from)?, need_int(to)?, by)),
            },
            ("reversed", [over]) => {
                let mut items = self.items(over)?;
                items.reverse();
                self.new_list(items)
            }
            ("sorted", [over]) => {
                let items = self.items(over)?;
                let items = self.sort(items)?;
                self.new_list(items)
            }
            ("str", [value]) => {
                let text = self.text(value)?;
                self.new_text(text)
            }
            ("sum", [over]) => {
                let mut total = Value::Int(0);
                for item in self.items(over)? {
                    total = self.binary(super::Operator::Add, &total, &item)?;
                }
                Ok(total)
            }
            (name, arguments) => Err(wrong_number(name, arguments.len())),
        }
    }

    fn extreme(&mut self, name: &str, items: Vec<Value>) -> Result<Value, Raised> {
        let mut items = items.into_iter();
        let Some(mut best) = items.next() else {
            return Err(format!("ValueError: {name}() iterable argument is empty"));
        };
        let comparison = if name == "max" { Comparison::Greater } else { Comparison::Less };
        for item in items {
            if self.compare(comparison, &item, &best)? {
                best = item;
            }
        }
        Ok(best)
    }

    /// A stable merge sort, whose comparisons can fail.
    fn sort(&mut self, mut items: Vec<Value>) -> Result<Vec<Value>, Raised> {
        if items.len() < 2 {
            return Ok(items);
        }
        let right = items.split_off(items.len() / 2);
        let (left, right) = (self.sort(items)?, self.sort(right)?);
        let mut out = Vec::with_capacity(left.len() + right.len());
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let first = self.order(b, a, Comparison::Less, 0)?.is_lt();
            out.extend(if first { right.next() } else { left.next() });
        }
        out.extend(left);
        out.extend(right);
        Ok(out)
    }

    pub(super) fn method(&mut self, on: &Value, name: &str, arguments: &[Value]) -> Result<Value, Raised> {
        let Value::List(list) = *on else {
            return Err(format!("AttributeError: '{}' object has no attribute '{name}'", kind(on)));
        };
        let length = self.lists[list].len();
        match (name, arguments) {
            ("append", [item]) => {
                if length >= MAX_LENGTH {
                    return Err("MemoryError: the list is too long".to_owned());
                }
                self.lists[list].push(item.clone());
                Ok(Value::None)
            }
            ("extend", [over]) => {
                let more = self.items(over)?;
                if length + more.len() > MAX_LENGTH {
                    return Err("MemoryError: the list is too long".to_owned());
                }
                self.lists[list].extend(more);
                Ok(Value::None)
            }
            ("insert", [at, item]) => {
                if length >= MAX_LENGTH {
                    return Err("MemoryError: the list is too long".to_owned());
                }
                self.spend(length / 8)?;
                let at = need_int(at)?;
                let at = if at < 0 { at.saturating_add(length as i64).max(0) } else { at.min(length as i64) };
                self.lists[list].insert(at as usize, item.clone());
                Ok(Value::None)
            }
            ("pop", []) => self.lists[list].pop().ok_or_else(|| "IndexError: pop from empty list".to_owned()),
            ("pop", [at]) => {
                self.spend(length / 8)?;
                let at = position(at, length, "list")
                    .map_err(|_| "IndexError: pop index out of range".to_owned())?;
                Ok(self.lists[list].remove(at))
            }
            ("count" | "index", [item]) => {
                let mut count = 0;
                for i in 0..length {
                    let next = self.lists[list][i].clone();
                    if self.equal(&next, item, 0)? {
                        if name == "index" {
                            return Ok(Value::Int(i as i64));
                        }
                        count += 1;
                    }
                }
                if name == "index" {
                    return Err(format!("ValueError: {} is not in list", self.print(item, 0)?));
                }
                Ok(Value::Int(count))
            }
            ("append" | "extend" | "insert" | "pop" | "count" | "index", _) => {
                Err(wrong_number(name, arguments.len()))
            }
            _ => Err(format!("AttributeError: 'list' object has no attribute '{name}'")),
        }
    }
}
