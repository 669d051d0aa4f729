//! The scanner of everything inside a span: names, values, calls and errors.
//!
//! One pass over the bytes, no look-behind; in the good case nothing is allocated but the result.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Parsed};
use crate::plain::plain_length;
use crate::{Call, Number, ToolError, Value, suggest};

/// How deep lists, records and types may be nested.
pub(crate) const MAX_DEPTH: u32 = 128;

pub(crate) struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    depth: u32,
    /// Where the innermost open bracket stands, for the message when the text ends before it is closed.
    open: Option<usize>,
    /// Where types are named that the language does not have.
    named_types: Vec<Range<usize>>,
    /// Mistakes after which reading goes on where it was.
    wrong: Vec<Diagnostic>,
}

/// Whether `name` is written without quotes.
pub(crate) fn is_identifier(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.first().is_some_and(|&b| is_start(b)) && bytes.iter().all(|&b| is_part(b))
}

const fn is_start(b: u8) -> bool {
    b.is_ascii_alphabetic() || b == b'_'
}

const fn is_part(b: u8) -> bool {
    b.is_ascii_alphanumeric() || b == b'_'
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Scanner {
            text,
            bytes: text.as_bytes(),
            at: 0,
            depth: 0,
            open: None,
            named_types: Vec::new(),
            wrong: Vec::new(),
        }
    }

    pub(crate) fn position(&self) -> usize {
        self.at
    }

    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
        self.depth = 0;
        self.open = None;
    }

    pub(crate) fn note_type(&mut self, at: Range<usize>) {
        self.named_types.push(at);
    }

    /// Keeps a mistake that does not keep what follows from being read.
    pub(crate) fn note_wrong(&mut self, wrong: Diagnostic) {
        self.wrong.push(wrong);
    }

    /// The mistakes that were kept.
    pub(crate) fn take_wrong(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.wrong)
    }

    /// Where types were named that the language does not have.
    pub(crate) fn named_types(self) -> Vec<Range<usize>> {
        self.named_types
    }

    /// Goes on at `at`, with no bracket between.
    pub(crate) fn go_back_to(&mut self, at: usize) {
        self.at = at;
    }

    pub(crate) fn text(&self) -> &'a str {
        self.text
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\t' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    #[inline]
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub(crate) fn eat_str(&mut self, s: &str) -> bool {
        let found = self.bytes[self.at..].starts_with(s.as_bytes());
        if found {
            self.at += s.len();
        }
        found
    }

    /// The range of the character at the cursor, empty at the end of the text.
    fn here(&self) -> Range<usize> {
        let width = self.text[self.at..].chars().next().map_or(0, char::len_utf8);
        self.at..self.at + width
    }

    #[cold]
    pub(crate) fn expected<T>(&self, what: &str) -> Parsed<T> {
        if self.at == self.bytes.len()
            && let Some(open) = self.open
        {
            let bracket = char::from(self.bytes[open]);
            return Err(Box::new(
                Diagnostic::error("unclosed", format!("`{bracket}` is never closed"), open..open + 1)
                    .hint(format!("the text ends where {what} should stand")),
            ));
        }
        let found = match self.text[self.at..].chars().next() {
            None => "the end of the text".to_owned(),
            Some(c) if c.is_control() => format!("{c:?}"),
            Some(c) => format!("`{c}`"),
        };
        Err(Box::new(Diagnostic::error("syntax", format!("expected {what}, found {found}"), self.here())))
    }

    /// Runs `inside` between the bracket at the cursor and its partner, which `inside` consumes.
    pub(crate) fn nested<T>(&mut self, inside: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_DEPTH {
            return Err(Box::new(Diagnostic::error(
                "too-deep",
                format!("nested deeper than {MAX_DEPTH} brackets"),
                self.here(),
            )));
        }
        let outer = self.open.replace(self.at);
        self.depth += 1;
        self.at += 1;
        let result = inside(self)?;
        self.depth -= 1;
        self.open = outer;
        Ok(result)
    }

    /// After an item: a comma (true) or the closing bracket (false); a comma before the bracket is allowed.
    pub(crate) fn more(&mut self, close: u8, what: &str) -> Parsed<bool> {
        self.skip_space();
        if self.eat(b',') {
            self.skip_space();
            return Ok(!self.eat(close));
        }
        if self.eat(close) {
            return Ok(false);
        }
        self.expected(what)
    }

    /// The whole text must have been read.
    pub(crate) fn end(&mut self, what: &str) -> Parsed<()> {
        self.skip_space();
        if self.at == self.bytes.len() {
            return Ok(());
        }
        let rest = self.at..self.text.trim_end().len();
        Err(Box::new(Diagnostic::error("syntax", format!("{what} ends before this"), rest)))
    }

    /// The identifier at the cursor; empty if there is none.
    pub(crate) fn identifier(&mut self) -> &'a str {
        let from = self.at;
        if self.peek().is_some_and(is_start) {
            self.at += 1;
            while self.peek().is_some_and(is_part) {
                self.at += 1;
            }
        }
        &self.text[from..self.at]
    }

    /// Skips spaces within a line.
    pub(crate) fn skip_blanks(&mut self) {
        while self.peek() == Some(b' ') {
            self.at += 1;
        }
    }

    pub(crate) fn digits(&mut self) -> &'a str {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        &self.text[from..self.at]
    }

    /// Everything up to a space or the ASCII character `end`.
    pub(crate) fn until_blank_or(&mut self, end: u8) -> &'a str {
        let from = self.at;
        while self.peek().is_some_and(|b| b != b' ' && b != end) {
            self.at += 1;
        }
        &self.text[from..self.at]
    }

    pub(crate) fn name(&mut self, what: &str) -> Parsed<String> {
        if self.peek() == Some(b'"') {
            return self.string();
        }
        let name = self.identifier();
        if name.is_empty() {
            return self.expected(what).map_err(|d: Box<Diagnostic>| self.quoting_hint(d));
        }
        Ok(name.to_owned())
    }

    fn quoting_hint(&self, d: Box<Diagnostic>) -> Box<Diagnostic> {
        match self.peek() {
            Some(0x80..) => Box::new(d.hint("names other than ASCII identifiers are written in quotes")),
            _ => d,
        }
    }

    /// The string whose opening quote is at the cursor.
    fn string(&mut self) -> Parsed<String> {
        let quote = self.at;
        self.at += 1;
        let mut chunk = self.at;
        let mut out = String::new();
        loop {
            self.at += plain_length(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    let last = &self.text[chunk..self.at];
                    self.at += 1;
                    if out.is_empty() {
                        return Ok(last.to_owned());
                    }
                    out.push_str(last);
                    return Ok(out);
                }
                Some(b'\\') => {
                    out.push_str(&self.text[chunk..self.at]);
                    out.push(self.escape(quote)?);
                    chunk = self.at;
                }
                // A control character may stand for itself.
                Some(_) => self.at += 1,
                None => return Err(unclosed_string(quote)),
            }
        }
    }

    fn escape(&mut self, quote: usize) -> Parsed<char> {
        let from = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'u') => return self.unicode_escape(from, quote),
            Some(_) => {
                let range = from..self.here().end;
                // What cannot be seen is shown by its number.
                let shown: String = self.text[range.clone()].chars().fold(String::new(), |mut shown, c| {
                    match c.is_control() {
                        true => shown.extend(c.escape_debug()),
                        false => shown.push(c),
                    }
                    shown
                });
                return Err(Box::new(
                    Diagnostic::error("escape", format!("there is no escape `{shown}`"), range)
                        .hint("the escapes are `\\\"`, `\\\\`, `\\n`, `\\t`, `\\r` and `\\u{…}`"),
                ));
            }
            None => return Err(unclosed_string(quote)),
        };
        self.at += 1;
        Ok(c)
    }

    fn unicode_escape(&mut self, from: usize, quote: usize) -> Parsed<char> {
        self.at += 1;
        if self.eat(b'{') {
            let digits = self.at;
            while self.peek().is_some_and(|b| b.is_ascii_hexdigit()) {
                self.at += 1;
            }
            let hex = &self.text[digits..self.at];
            if self.peek() == Some(b'}') && (1..=6).contains(&hex.len()) {
                self.at += 1;
                if let Some(c) = u32::from_str_radix(hex, 16).ok().and_then(char::from_u32) {
                    return Ok(c);
                }
            }
        }
        if self.peek().is_none() {
            return Err(unclosed_string(quote));
        }
        Err(Box::new(
            Diagnostic::error("escape", "this is no Unicode escape", from..self.at)
                .hint("write the code point in hexadecimal between braces: `\\u{e9}`"),
        ))
    }

    fn number(&mut self) -> Parsed<Number> {
        let from = self.at;
        let len = number_length(&self.bytes[from..]);
        self.at += len.unwrap_or(0);
        let ends = !self.peek().is_some_and(|b| is_part(b) || b == b'.' || b == b'+' || b == b'-');
        if len.is_some() && ends {
            return Ok(Number(self.text[from..self.at].into()));
        }
        self.at = from;
        while self.peek().is_some_and(|b| is_part(b) || b == b'.' || b == b'+' || b == b'-') {
            self.at += 1;
        }
        let spelt = &self.text[from..self.at];
        Err(Box::new(
            Diagnostic::error("number", format!("`{spelt}` is no number"), from..self.at)
                .hint("numbers are written as in JSON: `-12`, `0.5`, `1e3`"),
        ))
    }

    pub(crate) fn value(&mut self) -> Parsed<Value> {
        match self.peek() {
            Some(b'"') => self.string().map(Value::Str),
            Some(b'-' | b'0'..=b'9') => self.number().map(Value::Number),
            Some(b'[') => self.nested(|s| {
                let mut items = Vec::new();
                s.skip_space();
                let mut more = !s.eat(b']');
                while more {
                    items.push(s.value()?);
                    more = s.more(b']', "`,` or `]`")?;
                }
                Ok(Value::List(items))
            }),
            Some(b'{') => self.nested(|s| {
                let mut fields = Vec::new();
                s.skip_space();
                let mut more = !s.eat(b'}');
                while more {
                    let name = s.name("a field's name or `}`")?;
                    s.skip_space();
                    if !s.eat(b':') {
                        return s.expected("`:` after the field's name");
                    }
                    s.skip_space();
                    fields.push((name, s.value()?));
                    more = s.more(b'}', "`,` or `}`")?;
                }
                Ok(Value::Record(fields))
            }),
            _ => self.word(),
        }
    }

    fn word(&mut self) -> Parsed<Value> {
        let from = self.at;
        match self.identifier() {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            "" => self.expected("a value"),
            // A word that the end of the text cut short says nothing about what was meant.
            _ if self.at == self.bytes.len() && self.open.is_some() => self.expected("a value"),
            word => {
                let hint = match word {
                    "None" | "nil" | "undefined" => "did you mean `null`?".to_owned(),
                    _ => match suggest::nearest(word, ["null", "true", "false"]) {
                        Some(w) => format!("did you mean `{w}`?"),
                        None => format!("text is written in quotes: `\"{word}\"`"),
                    },
                };
                Err(Box::new(
                    Diagnostic::error("syntax", format!("`{word}` is no value"), from..self.at).hint(hint),
                ))
            }
        }
    }

    /// A call; `note` is told where each argument's name and value stand.
    pub(crate) fn call(
        &mut self,
        note: &mut impl FnMut(Range<usize>, Range<usize>),
    ) -> Parsed<(Call, Range<usize>)> {
        let from = self.at;
        let tool = self.name("the name of a tool")?;
        let tool_at = from..self.at;
        self.skip_space();
        if self.peek() != Some(b'(') {
            return self.expected("`(` after the tool's name");
        }
        let args = self.nested(|s| {
            let mut args = Vec::new();
            s.skip_space();
            let mut more = !s.eat(b')');
            while more {
                let name_from = s.at;
                if let Some(b'-' | b'0'..=b'9' | b'[' | b'{') = s.peek() {
                    return Err(positional(s.here()));
                }
                let name = s.name("a parameter's name or `)`")?;
                let name_range = name_from..s.at;
                s.skip_space();
                if !s.eat(b'=') {
                    return match s.peek() {
                        Some(b',' | b')') => Err(positional(name_range)),
                        Some(b':') => s.expected("`=`").map_err(|d: Box<Diagnostic>| {
                            Box::new(d.hint(format!("arguments are written `{}=…`", printed_name(&name))))
                        }),
                        _ => s.expected("`=` after the parameter's name"),
                    };
                }
                s.skip_space();
                let value_from = s.at;
                let value = s.value()?;
                note(name_range, value_from..s.at);
                if args.is_empty() {
                    args.reserve_exact(2);
                }
                args.push((name, value));
                more = s.more(b')', "`,` or `)`")?;
            }
            Ok(args)
        })?;
        Ok((Call { tool, args }, tool_at))
    }

    fn tool_error(&mut self) -> Parsed<ToolError> {
        let name = self.name("the name of an error")?;
        self.skip_space();
        if self.peek() != Some(b'(') {
            return Ok(ToolError { name, args: Vec::new() });
        }
        let args = self.nested(|s| {
            let mut args = Vec::new();
            s.skip_space();
            let mut more = !s.eat(b')');
            while more {
                args.push(s.value()?);
                more = s.more(b')', "`,` or `)`")?;
            }
            Ok(args)
        })?;
        Ok(ToolError { name, args })
    }
}

pub(crate) fn printed_name(name: &str) -> String {
    let mut out = String::new();
    let _ = crate::print::write_name(&mut out, name);
    out
}

#[cold]
fn unclosed_string(quote: usize) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("unclosed", "this string is never closed", quote..quote + 1)
            .hint("a quote inside a string is written `\\\"`"),
    )
}

#[cold]
fn positional(range: Range<usize>) -> Box<Diagnostic> {
    Box::new(
        Diagnostic::error("positional", "this argument has no name", range)
            .hint("arguments are named: `path=\"/docs\"`"),
    )
}

/// The length of the JSON number at the start of `bytes`.
pub(crate) fn number_length(bytes: &[u8]) -> Option<usize> {
    let digits =
        |from: usize| bytes[from.min(bytes.len())..].iter().take_while(|b| b.is_ascii_digit()).count();
    let mut at = usize::from(bytes.first() == Some(&b'-'));
    match digits(at) {
        0 => return None,
        n if n > 1 && bytes[at] == b'0' => return None,
        n => at += n,
    }
    if bytes.get(at) == Some(&b'.') {
        match digits(at + 1) {
            0 => return None,
            n => at += 1 + n,
        }
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        match digits(at + 1 + sign) {
            0 => return None,
            n => at += 1 + sign + n,
        }
    }
    Some(at)
}

impl Number {
    /// Reads a number in JSON's grammar; nothing else may stand around it.
    pub fn parse(text: &str) -> Option<Number> {
        (number_length(text.as_bytes()) == Some(text.len())).then(|| Number(text.into()))
    }
}

impl Value {
    /// Reads one value, with white space around it or not.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<Value, Box<Diagnostic>> {
        let mut s = Scanner::new(text);
        s.skip_space();
        let value = s.value()?;
        s.end("the value")?;
        Ok(value)
    }
}

impl Call {
    /// Reads one call, with white space around it or not.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<Call, Box<Diagnostic>> {
        Call::parse_noting(text, &mut |_, _| ()).map(|(call, _)| call)
    }

    /// As [`Call::parse`]; also gives the place of the tool's name, and of each argument to `note`.
    pub(crate) fn parse_noting(
        text: &str,
        note: &mut impl FnMut(Range<usize>, Range<usize>),
    ) -> Parsed<(Call, Range<usize>)> {
        let mut s = Scanner::new(text);
        s.skip_space();
        let (call, tool) = s.call(note)?;
        s.end("the call")?;
        Ok((call, tool))
    }
}

impl ToolError {
    /// Reads one error, with white space around it or not.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<ToolError, Box<Diagnostic>> {
        let mut s = Scanner::new(text);
        s.skip_space();
        let error = s.tool_error()?;
        s.end("the error")?;
        Ok(error)
    }
}
