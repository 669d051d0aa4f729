//! Calls as Python writes them: `[pay(to="Ann", cents=5)]`.

use std::borrow::Cow;

use crate::Tool;
use crate::adapters::json::{self, Kind, Node, quoted};
use crate::adapters::spelling::Said;
use crate::scan::number_length;

const MAX_DEPTH: usize = 128;

/// Writes calls; what is no call is written as it was said.
pub(crate) fn write(calls: &[Said]) -> String {
    if let [Said::Raw(text)] = calls {
        return text.clone();
    }
    let calls: Vec<String> = calls
        .iter()
        .map(|call| match call {
            Said::Call { tool, arguments, whole: true } => write_call(tool, arguments),
            Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => {
                write_call_or_raw(tool, arguments)
            }
            Said::Raw(text) => text.clone(),
        })
        .collect();
    format!("[{}]", calls.join(", "))
}

fn write_call_or_raw(tool: &str, arguments: &str) -> String {
    match json::parse_all(arguments).as_deref() {
        Ok([Node { kind: Kind::Object(_), .. }]) => write_call(tool, arguments),
        _ => format!("{tool}({arguments})"),
    }
}

fn write_call(tool: &str, arguments: &str) -> String {
    let mut out = format!("{tool}(");
    if let Ok([Node { kind: Kind::Object(fields), .. }]) = json::parse_all(arguments).as_deref() {
        for (i, (key, value)) in fields.iter().enumerate() {
            if i > 0 {
                out.push_str(", ");
            }
            out.push_str(&json::unescaped(key).unwrap_or_default());
            out.push('=');
            write_value(&mut out, value);
        }
    }
    out.push(')');
    out
}

fn write_value(out: &mut String, node: &Node<'_>) {
    match &node.kind {
        Kind::Str => write_string(out, &node.raw[1..node.raw.len() - 1]),
        Kind::Null => out.push_str("None"),
        Kind::Bool => out.push_str(if node.raw == "true" { "True" } else { "False" }),
        Kind::Number => out.push_str(node.raw),
        Kind::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_value(out, item);
            }
            out.push(']');
        }
        Kind::Object(fields) => {
            out.push('{');
            for (i, (key, value)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                write_string(out, key);
                out.push_str(": ");
                write_value(out, value);
            }
            out.push('}');
        }
    }
}

fn write_string(out: &mut String, raw: &str) {
    write_text(out, &json::unescaped(raw).unwrap_or_default());
}

/// A string as Python writes it.
pub(crate) fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => out.push_str(&format!("\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// Whether `text` begins as a list of calls does: `[pay(`.
pub(crate) fn begins(text: &str) -> bool {
    let mut r = Reader { text, at: 0 };
    r.eat('[') && r.name('(').is_some()
}

/// Reads a list of calls; none if `text` is anything else. Arguments without names are those that `tools` declare, in
/// their order.
pub(crate) fn read(text: &str, tools: &[Tool]) -> Option<Vec<Said>> {
    let mut r = Reader { text, at: 0 };
    let mut calls = Vec::new();
    r.eat('[').then_some(())?;
    loop {
        let tool = r.name('(')?;
        let arguments = r.arguments(tools.iter().find(|t| t.name == tool))?;
        calls.push(Said::Call { tool, arguments, whole: true });
        // A comma may stand behind the last.
        let more = r.eat(',');
        if r.eat(']') {
            break;
        }
        more.then_some(())?;
    }
    (r.at == text.len()).then_some(calls)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn space(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    fn eat(&mut self, c: char) -> bool {
        self.space();
        let found = self.rest().starts_with(c);
        self.at += if found { c.len_utf8() } else { 0 };
        found
    }

    /// A name and the character that follows it.
    fn name(&mut self, end: char) -> Option<String> {
        self.space();
        let len = self.rest().find(|c: char| !(c.is_alphanumeric() || "_.-".contains(c)))?;
        let name = self.rest()[..len].to_owned();
        self.at += len;
        (len > 0 && self.eat(end)).then_some(name)
    }

    /// Arguments up to the closing bracket, as a JSON object.
    fn arguments(&mut self, tool: Option<&Tool>) -> Option<String> {
        let mut out = String::from("{");
        // The parameters that arguments without names may still stand for: none behind one with a name.
        let mut params = tool.map_or(&[][..], |t| &t.params).iter();
        while !self.eat(')') {
            if out.len() > 1 {
                out.push_str(", ");
            }
            let start = self.at;
            let key = self.name('=');
            match &key {
                Some(key) => {
                    params = [].iter();
                    out.push_str(&quoted(key));
                }
                None => {
                    self.at = start;
                    out.push_str(&quoted(&params.next()?.name));
                }
            }
            out.push_str(": ");
            self.value(&mut out, 1)?;
            if !self.eat(',') {
                self.eat(')').then_some(())?;
                break;
            }
        }
        out.push('}');
        Some(out)
    }

    fn value(&mut self, out: &mut String, depth: usize) -> Option<()> {
        self.space();
        if depth > MAX_DEPTH {
            return None;
        }
        match self.rest().chars().next()? {
            quote @ ('"' | '\'') => out.push_str(&quoted(&self.string(quote)?)),
            '[' => drop(self.items(out, ('[', ']'), ']', |r, out| r.value(out, depth + 1))?),
            '(' => {
                let start = out.len();
                let (items, comma) = self.items(out, ('[', ']'), ')', |r, out| r.value(out, depth + 1))?;
                // Only a comma makes a tuple of one value in brackets.
                if items == 1 && !comma {
                    out.pop();
                    out.remove(start);
                }
            }
            '{' => drop(self.items(out, ('{', '}'), '}', |r, out| {
                r.space();
                let quote = r.rest().chars().next().filter(|c| matches!(c, '"' | '\''))?;
                out.push_str(&quoted(&r.string(quote)?));
                r.eat(':').then_some(())?;
                out.push_str(": ");
                r.value(out, depth + 1)
            })?),
            _ => {
                let len = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)));
                let token = &self.rest()[..len.unwrap_or(self.rest().len())];
                match token {
                    "True" => out.push_str("true"),
                    "False" => out.push_str("false"),
                    "None" => out.push_str("null"),
                    _ => out.push_str(&number(token)?),
                }
                self.at += token.len();
            }
        }
        Some(())
    }

    /// Items up to `close`, written in the brackets `json`: how many, and whether a comma follows the last.
    fn items(
        &mut self,
        out: &mut String,
        json: (char, char),
        close: char,
        mut item: impl FnMut(&mut Self, &mut String) -> Option<()>,
    ) -> Option<(usize, bool)> {
        self.at += 1;
        out.push(json.0);
        let (mut items, mut comma) = (0, true);
        while !self.eat(close) {
            comma.then_some(())?;
            if items > 0 {
                out.push_str(", ");
            }
            item(self, out)?;
            items += 1;
            comma = self.eat(',');
        }
        out.push(json.1);
        Some((items, comma))
    }

    fn string(&mut self, quote: char) -> Option<String> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let c = self.rest().chars().next()?;
            self.at += c.len_utf8();
            if c == quote {
                return Some(out);
            }
            if c == '\n' {
                return None;
            }
            if c != '\\' {
                out.push(c);
                continue;
            }
            let escape = self.rest().chars().next()?;
            self.at += escape.len_utf8();
            let digits = match escape {
                'n' => {
                    out.push('\n');
                    continue;
                }
                't' => {
                    out.push('\t');
                    continue;
                }
                'r' => {
                    out.push('\r');
                    continue;
                }
                '\\' | '"' | '\'' => {
                    out.push(escape);
                    continue;
                }
                'x' => 2,
                'u' => 4,
                'U' => 8,
                // Python keeps the backslash of an escape that it does not know.
                other => {
                    out.extend(['\\', other]);
                    continue;
                }
            };
            let code = u32::from_str_radix(self.rest().get(..digits)?, 16).ok()?;
            out.push(char::from_u32(code)?);
            self.at += digits;
        }
    }
}

/// A number of Python in JSON: `1_000`, `.5`, `1.` and `0x1f` are spelt in another way there.
fn number(token: &str) -> Option<Cow<'_, str>> {
    let is_json = |text: &str| number_length(text.as_bytes()) == Some(text.len());
    if is_json(token) {
        return Some(Cow::Borrowed(token));
    }
    let (sign, digits) = match token.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", token.strip_prefix('+').unwrap_or(token)),
    };
    // An underscore stands between two digits.
    if digits.starts_with('_') || digits.ends_with('_') || digits.contains("__") {
        return None;
    }
    let mut digits = digits.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(rest) = digits.to_ascii_lowercase().strip_prefix(prefix) {
            let number = u128::from_str_radix(rest, radix).ok().filter(|_| !rest.starts_with('+'))?;
            return Some(Cow::Owned(format!("{sign}{number}")));
        }
    }
    if digits.starts_with('.') {
        digits.insert(0, '0');
    }
    if let Some(at) =
        digits.find('.').filter(|at| !digits[at + 1..].starts_with(|c: char| c.is_ascii_digit()))
    {
        digits.insert(at + 1, '0');
    }
    let number = [sign, &digits].concat();
    is_json(&number).then_some(Cow::Owned(number))
}
