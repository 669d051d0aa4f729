//! A place in the source of a program.

use crate::adapters::loss::{FormatError, Place, Read};
use crate::scan::number_length;
use crate::{Number, Value};

/// Brackets nest at most so deep.
const MAX_DEPTH: usize = 100;

/// Reads symbols of a program; white space and comments stand between any two.
pub(super) struct Cursor<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// What begins a comment that ends with its line.
    pub(super) comment: &'static str,
    pub(super) depth: usize,
}

impl<'t> Cursor<'t> {
    pub(super) fn new(text: &'t str, at: usize, comment: &'static str) -> Self {
        Cursor { text, at, comment, depth: 0 }
    }

    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn place(&self) -> Place {
        Place::of(self.text, self.at)
    }

    pub(super) fn expected<T>(&self, what: &str, hint: &str) -> Read<T> {
        let mut next = Cursor::new(self.text, self.at, self.comment);
        next.space();
        let found = match next.rest().chars().next() {
            Some(c) => format!("`{}`", c.escape_debug()),
            None => "the end".to_owned(),
        };
        Err(FormatError::new(next.place(), format!("expected {what}, found {found}"), hint))
    }

    /// Skips white space and comments.
    pub(super) fn space(&mut self) {
        loop {
            self.at += self.rest().len() - self.rest().trim_start().len();
            if self.rest().starts_with(self.comment) {
                self.line();
            } else if self.comment == "//" && self.rest().starts_with("/*") {
                self.at += self.rest().find("*/").map_or(self.rest().len(), |n| n + 2);
            } else if self.comment == "#" && self.rest().starts_with("\\\n") {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    /// The rest of the line, behind which the cursor goes.
    pub(super) fn line(&mut self) -> &'t str {
        let rest = self.rest();
        let len = rest.find('\n').unwrap_or(rest.len());
        self.at += (len + 1).min(rest.len());
        rest[..len].trim_end_matches('\r')
    }

    /// Goes behind `symbol`, if it comes next; otherwise stays where it is.
    pub(super) fn eat(&mut self, symbol: &str) -> bool {
        let from = self.at;
        self.space();
        let found = self.rest().starts_with(symbol);
        self.at = if found { self.at + symbol.len() } else { from };
        found
    }

    pub(super) fn need(&mut self, symbol: &str, hint: &str) -> Read<()> {
        if self.eat(symbol) { Ok(()) } else { self.expected(&format!("`{symbol}`"), hint) }
    }

    /// The character that comes next, behind white space.
    pub(super) fn peek(&mut self) -> Option<char> {
        let from = self.at;
        self.space();
        let next = self.rest().chars().next();
        self.at = from;
        next
    }

    /// A name; empty where there is none.
    pub(super) fn name(&mut self) -> &'t str {
        self.space();
        if self.rest().starts_with(char::is_numeric) {
            return "";
        }
        self.word(|c| c.is_alphanumeric() || c == '_' || c == '$')
    }

    /// The characters for which `belongs` is true.
    pub(super) fn word(&mut self, belongs: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !belongs(c)).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// Goes one bracket deeper.
    pub(super) fn enter(&mut self) -> Read<()> {
        if self.depth == MAX_DEPTH {
            let message = format!("brackets nest deeper than {MAX_DEPTH}");
            return Err(FormatError::new(self.place(), message, "nest them less deeply"));
        }
        self.depth += 1;
        Ok(())
    }

    /// Comes back from [`Cursor::enter`].
    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// A number, as JSON or Python write it; none where there is no number.
    pub(super) fn number(&mut self) -> Option<Value> {
        let rest = self.rest();
        let len = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)));
        let token = rest[..len.unwrap_or(rest.len())].replace('_', "");
        let spelt = match token.strip_suffix('.') {
            Some(whole) => format!("{whole}.0"),
            None => token.strip_prefix('+').unwrap_or(&token).to_owned(),
        };
        let whole = number_length(spelt.as_bytes()) == Some(spelt.len());
        whole.then(|| {
            self.at += len.unwrap_or(rest.len());
            Value::Number(Number(spelt.into()))
        })
    }

    /// A string in these quotes, which may be three, with its escapes; none where it does not end.
    pub(super) fn string(&mut self) -> Option<String> {
        let rest = self.rest();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
        let triple = [quote; 3].iter().collect::<String>();
        let close = if rest.starts_with(&triple) { triple } else { quote.to_string() };
        self.at += close.len();
        let raw = self.text[..self.at - close.len()].ends_with(['r', 'R']);
        let mut out = String::new();
        loop {
            if self.rest().starts_with(&close) {
                self.at += close.len();
                return Some(out);
            }
            let c = self.rest().chars().next()?;
            self.at += c.len_utf8();
            match c {
                '\\' if !raw => self.escape(&mut out)?,
                '\n' if close.len() == 1 && quote != '`' => return None,
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Option<()> {
        let c = self.rest().chars().next()?;
        self.at += c.len_utf8();
        let one = match c {
            'n' => Some('\n'),
            't' => Some('\t'),
            'r' => Some('\r'),
            '0' if !self.rest().starts_with(|c: char| c.is_ascii_digit()) => Some('\0'),
            '\\' | '"' | '\'' | '`' | '/' => Some(c),
            _ => None,
        };
        if let Some(one) = one {
            out.push(one);
            return Some(());
        }
        let digits = match c {
            // The line goes on.
            '\n' => return Some(()),
            'x' => 2,
            'u' => 4,
            'U' => 8,
            other => {
                out.extend(['\\', other]);
                return Some(());
            }
        };
        let hex = self.rest().get(..digits)?;
        let mut code = u32::from_str_radix(hex, 16).ok()?;
        self.at += digits;
        // JSON and TypeScript write what is beyond 16 bits as a pair.
        if digits == 4 && (0xd800..0xdc00).contains(&code) {
            let low = u32::from_str_radix(self.rest().strip_prefix("\\u")?.get(..4)?, 16).ok()?;
            code = 0x10000 + ((code - 0xd800) << 10) + low.checked_sub(0xdc00)?;
            self.at += 6;
        }
        out.push(char::from_u32(code)?);
        Some(())
    }
}
