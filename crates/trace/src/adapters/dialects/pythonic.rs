//! Calls as Python writes them: `[pay(to="Ann", cents=5)]`.

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

/// Reads a list of calls; none if `text` is anything else.
pub(crate) fn read(text: &str) -> Option<Vec<Said>> {
    let mut r = Reader { text, at: 0 };
    let mut calls = Vec::new();
    r.eat('[').then_some(())?;
    loop {
        let tool = r.name('(')?;
        let arguments = r.arguments()?;
        calls.push(Said::Call { tool, arguments, whole: true });
        if r.eat(']') {
            break;
        }
        r.eat(',').then_some(())?;
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
    fn arguments(&mut self) -> Option<String> {
        let mut out = String::from("{");
        while !self.eat(')') {
            if out.len() > 1 {
                self.eat(',').then_some(())?;
                out.push_str(", ");
            }
            let key = self.name('=')?;
            out.push_str(&quoted(&key));
            out.push_str(": ");
            self.value(&mut out, 1)?;
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
            '[' => self.items(out, '[', ']', |r, out| r.value(out, depth + 1))?,
            '{' => self.items(out, '{', '}', |r, out| {
                r.space();
                let quote = r.rest().chars().next().filter(|c| matches!(c, '"' | '\''))?;
                out.push_str(&quoted(&r.string(quote)?));
                r.eat(':').then_some(())?;
                out.push_str(": ");
                r.value(out, depth + 1)
            })?,
            _ => {
                let len = self.rest().find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
                let token = &self.rest()[..len.unwrap_or(self.rest().len())];
                out.push_str(match token {
                    "True" => "true",
                    "False" => "false",
                    "None" => "null",
                    number if number_length(number.as_bytes()) == Some(number.len()) => number,
                    _ => return None,
                });
                self.at += token.len();
            }
        }
        Some(())
    }

    fn items(
        &mut self,
        out: &mut String,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self, &mut String) -> Option<()>,
    ) -> Option<()> {
        self.at += 1;
        out.push(open);
        let mut first = true;
        while !self.eat(close) {
            if !first {
                self.eat(',').then_some(())?;
                out.push_str(", ");
            }
            first = false;
            item(self, out)?;
        }
        out.push(close);
        Some(())
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
