//! What operators, comparisons, items and printing mean.

use super::{Comparison, MAX_LENGTH, Machine, Operator, Raised, Value, int, kind, position};

/// How deep lists may be nested where they are compared or printed.
const MAX_DEPTH: u32 = 20;

pub(super) fn overflow() -> Raised {
    "OverflowError: the number is too large".to_owned()
}

impl Machine<'_> {
    pub(super) fn truth(&self, value: &Value) -> bool {
        match value {
            Value::None => false,
            Value::Bool(b) => *b,
            Value::Int(n) => *n != 0,
            Value::Text(text) => !text.is_empty(),
            Value::List(list) => !self.lists[*list].is_empty(),
            Value::Range(from, to, by) => range_length(*from, *to, *by) > 0,
            Value::Function(..) | Value::Builtin(_) => true,
        }
    }

    pub(super) fn binary(
        &mut self,
        operator: Operator,
        left: &Value,
        right: &Value,
    ) -> Result<Value, Raised> {
        if let (Some(a), Some(b)) = (int(left), int(right)) {
            return arithmetic(operator, a, b);
        }
        match (operator, left, right) {
            (Operator::Add, Value::Text(a), Value::Text(b)) => self.new_text(format!("{a}{b}")),
            (Operator::Add, Value::List(a), Value::List(b)) => {
                let items = self.lists[*a].iter().chain(&self.lists[*b]).cloned().collect();
                self.new_list(items)
            }
            (Operator::Multiply, Value::Text(text), n) | (Operator::Multiply, n, Value::Text(text))
                if int(n).is_some() =>
            {
                let times = times(n, text.len())?;
                self.new_text(text.repeat(times))
            }
            (Operator::Multiply, Value::List(list), n) | (Operator::Multiply, n, Value::List(list))
                if int(n).is_some() =>
            {
                let items = &self.lists[*list];
                let times = times(n, items.len())?;
                let items = std::iter::repeat_n(items, times).flatten().cloned().collect();
                self.new_list(items)
            }
            _ => Err(format!(
                "TypeError: unsupported operand type(s) for {}: '{}' and '{}'",
                operator.sign(),
                kind(left),
                kind(right)
            )),
        }
    }

    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: &Value,
        right: &Value,
    ) -> Result<bool, Raised> {
        use Comparison::{Equal, Greater, GreaterOrEqual, In, Is, IsNot, Less, LessOrEqual, NotIn, Unequal};
        Ok(match comparison {
            Equal => self.equal(left, right, 0)?,
            Unequal => !self.equal(left, right, 0)?,
            Is => self.same(left, right),
            IsNot => !self.same(left, right),
            In => self.contains(right, left)?,
            NotIn => !self.contains(right, left)?,
            Less | LessOrEqual | Greater | GreaterOrEqual => {
                let order = self.order(left, right, comparison, 0)?;
                match comparison {
                    Less => order.is_lt(),
                    LessOrEqual => order.is_le(),
                    Greater => order.is_gt(),
                    _ => order.is_ge(),
                }
            }
        })
    }

    fn same(&self, left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::None, Value::None) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Text(a), Value::Text(b)) => a == b,
            (Value::List(a), Value::List(b)) => a == b,
            _ => false,
        }
    }

    pub(super) fn equal(&mut self, left: &Value, right: &Value, depth: u32) -> Result<bool, Raised> {
        self.spend(1)?;
        if depth > MAX_DEPTH {
            return Err("RecursionError: maximum recursion depth exceeded in comparison".to_owned());
        }
        if let (Some(a), Some(b)) = (int(left), int(right)) {
            return Ok(a == b);
        }
        match (left, right) {
            (Value::None, Value::None) => Ok(true),
            (Value::Text(a), Value::Text(b)) => Ok(a == b),
            (Value::List(a), Value::List(b)) => {
                if self.lists[*a].len() != self.lists[*b].len() {
                    return Ok(false);
                }
                for i in 0..self.lists[*a].len() {
                    let (x, y) = (self.lists[*a][i].clone(), self.lists[*b][i].clone());
                    if !self.equal(&x, &y, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Range(a, b, c), Value::Range(d, e, f)) => Ok((a, b, c) == (d, e, f)),
            (Value::Function(m, f), Value::Function(n, g)) => Ok(m == n && std::sync::Arc::ptr_eq(f, g)),
            (Value::Builtin(a), Value::Builtin(b)) => Ok(a == b),
            _ => Ok(false),
        }
    }

    pub(super) fn order(
        &mut self,
        left: &Value,
        right: &Value,
        comparison: Comparison,
        depth: u32,
    ) -> Result<std::cmp::Ordering, Raised> {
        self.spend(1)?;
        if let (Some(a), Some(b)) = (int(left), int(right)) {
            return Ok(a.cmp(&b));
        }
        match (left, right) {
            (Value::Text(a), Value::Text(b)) => Ok(a.cmp(b)),
            (Value::List(a), Value::List(b)) if depth < MAX_DEPTH => {
                for i in 0..self.lists[*a].len().min(self.lists[*b].len()) {
                    let (x, y) = (self.lists[*a][i].clone(), self.lists[*b][i].clone());
                    if !self.equal(&x, &y, depth + 1)? {
                        return self.order(&x, &y, comparison, depth + 1);
                    }
                }
                Ok(self.lists[*a].len().cmp(&self.lists[*b].len()))
            }
            _ => Err(format!(
                "TypeError: '{}' not supported between instances of '{}' and '{}'",
                comparison.sign(),
                kind(left),
                kind(right)
            )),
        }
    }

    fn contains(&mut self, inside: &Value, item: &Value) -> Result<bool, Raised> {
        if let (Value::Text(text), Value::Text(part)) = (inside, item) {
            self.spend(text.len() / 8)?;
            return Ok(text.contains(&**part));
        }
        let mut at = 0;
        while let Some(next) = self.nth(inside, at)? {
            at += 1;
            if self.equal(&next, item, 0)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The item at a place of what can be walked, if it reaches so far.
    pub(super) fn nth(&mut self, over: &Value, at: usize) -> Result<Option<Value>, Raised> {
        match over {
            Value::List(list) => Ok(self.lists[*list].get(at).cloned()),
            Value::Range(from, to, by) => {
                Ok((at < range_length(*from, *to, *by)).then(|| Value::Int(from + at as i64 * by)))
            }
            Value::Text(text) => {
                self.spend(at / 32)?;
                Ok(text.chars().nth(at).map(|c| Value::Text(c.to_string().into())))
            }
            other => Err(format!("TypeError: '{}' object is not iterable", kind(other))),
        }
    }

    /// All items of what can be walked.
    pub(super) fn items(&mut self, over: &Value) -> Result<Vec<Value>, Raised> {
        let mut out = Vec::new();
        while let Some(item) = self.nth(over, out.len())? {
            if out.len() >= MAX_LENGTH {
                return Err("MemoryError: the list is too long".to_owned());
            }
            out.push(item);
        }
        self.spend(out.len() / 8)?;
        Ok(out)
    }

    pub(super) fn item(&mut self, on: &Value, index: &Value) -> Result<Value, Raised> {
        match on {
            Value::List(list) => {
                let at = position(index, self.lists[*list].len(), "list")?;
                Ok(self.lists[*list][at].clone())
            }
            Value::Text(text) => {
                let at = position(index, text.chars().count(), "str")?;
                Ok(self.nth(on, at)?.unwrap_or(Value::None))
            }
            Value::Range(from, to, by) => {
                let at = position(index, range_length(*from, *to, *by), "range object")?;
                Ok(Value::Int(from + at as i64 * by))
            }
            other => Err(format!("TypeError: '{}' object is not subscriptable", kind(other))),
        }
    }

    pub(super) fn slice(
        &mut self,
        on: &Value,
        from: Option<&Value>,
        to: Option<&Value>,
    ) -> Result<Value, Raised> {
        let items = match on {
            Value::List(_) | Value::Text(_) => self.items(on)?,
            other => return Err(format!("TypeError: '{}' object is not subscriptable", kind(other))),
        };
        let length = items.len() as i64;
        let bound = |value: Option<&Value>, otherwise: i64| match value {
            None | Some(Value::None) => Ok(otherwise),
            Some(value) => match int(value) {
                Some(n) if n < 0 => Ok(n.saturating_add(length).max(0)),
                Some(n) => Ok(n.min(length)),
                None => Err("TypeError: slice indices must be integers or None".to_owned()),
            },
        };
        let (from, to) = (bound(from, 0)?, bound(to, length)?);
        let items: Vec<Value> = items.into_iter().take(to as usize).skip(from as usize).collect();
        if let Value::Text(_) = on {
            let text = items.iter().map(|c| self.text(c)).collect::<Result<String, Raised>>()?;
            return self.new_text(text);
        }
        self.new_list(items)
    }

    /// What `str` makes of a value.
    pub(super) fn text(&mut self, value: &Value) -> Result<String, Raised> {
        match value {
            Value::Text(text) => Ok(text.to_string()),
            other => self.print(other, 0),
        }
    }

    /// What `repr` makes of a value.
    pub(super) fn print(&mut self, value: &Value, depth: u32) -> Result<String, Raised> {
        self.spend(1)?;
        Ok(match value {
            Value::None => "None".to_owned(),
            Value::Bool(true) => "True".to_owned(),
            Value::Bool(false) => "False".to_owned(),
            Value::Int(n) => n.to_string(),
            Value::Text(text) => {
                let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
                let mut out = String::from(quote);
                for c in text.chars() {
                    match c {
                        '\n' => out.push_str("\\n"),
                        '\t' => out.push_str("\\t"),
                        '\\' => out.push_str("\\\\"),
                        c if c == quote => out.extend(['\\', c]),
                        c => out.push(c),
                    }
                }
                out.push(quote);
                out
            }
            Value::List(_) if depth > MAX_DEPTH => "[...]".to_owned(),
            Value::List(list) => {
                let mut out = String::from("[");
                for i in 0..self.lists[*list].len() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    let item = self.lists[*list][i].clone();
                    out += &self.print(&item, depth + 1)?;
                    if out.len() > MAX_LENGTH {
                        return Err("MemoryError: the string is too long".to_owned());
                    }
                }
                out.push(']');
                out
            }
            Value::Range(from, to, 1) => format!("range({from}, {to})"),
            Value::Range(from, to, by) => format!("range({from}, {to}, {by})"),
            Value::Function(_, function) => format!("<function {}>", function.name),
            Value::Builtin(name) => format!("<built-in function {name}>"),
        })
    }
}

fn times(n: &Value, length: usize) -> Result<usize, Raised> {
    let n = usize::try_from(int(n).unwrap_or(0)).unwrap_or(0);
    match n.checked_mul(length.max(1)) {
        Some(total) if total <= MAX_LENGTH => Ok(n),
        _ if length == 0 => Ok(0),
        _ => Err("MemoryError: the result is too long".to_owned()),
    }
}

pub(super) fn range_length(from: i64, to: i64, by: i64) -> usize {
    let (from, to, by) = (i128::from(from), i128::from(to), i128::from(by));
    let length =
        if by > 0 { (to - from + by - 1).div_euclid(by) } else { (from - to - by - 1).div_euclid(-by) };
    usize::try_from(length).unwrap_or(0)
}

fn arithmetic(operator: Operator, a: i64, b: i64) -> Result<Value, Raised> {
    let zero = |what: &str| Err(format!("ZeroDivisionError: integer {what} by 0"));
    let result = match operator {
        Operator::Add => a.checked_add(b),
        Operator::Subtract => a.checked_sub(b),
        Operator::Multiply => a.checked_mul(b),
        Operator::Divide if b == 0 => return zero("division or modulo"),
        Operator::Modulo if b == 0 => return zero("modulo"),
        // Python rounds down; the remainder has the sign of the divisor.
        Operator::Divide => {
            a.checked_div(b).map(|q| if a % b != 0 && (a < 0) != (b < 0) { q - 1 } else { q })
        }
        Operator::Modulo => a.checked_rem(b).map(|r| if r != 0 && (r < 0) != (b < 0) { r + b } else { r }),
        Operator::Power => {
            if b < 0 {
                return Err("TypeError: there are no floats here".to_owned());
            }
            match a {
                0 | 1 => Some(if b == 0 { 1 } else { a }),
                -1 => Some(if b % 2 == 0 { 1 } else { -1 }),
                _ => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
            }
        }
    };
    result.map(Value::Int).ok_or_else(overflow)
}
