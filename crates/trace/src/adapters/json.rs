//! JSON as it was spelt.
//!
//! `serde_json` keeps neither the spelling of numbers and strings nor a key that is given twice, and its raw
//! values cannot be looked into. Here every node knows the text that it was read from, so that a number or a
//! whole object can be handed on to the byte; nothing is decoded until somebody asks for it.

use std::borrow::Cow;
use std::fmt::Write;

use memchr::memchr;

use super::loss::{FormatError, Loss, LossKind, Place, Read};
use super::spelling::{COMPACT, json_body};
use crate::Value;
use crate::plain::plain_length;
use crate::scan::number_length;

/// How deep a document may be nested: what surrounds a value of the deepest sort that a trace can hold.
const MAX_DEPTH: usize = 160;

/// A value and its text.
#[derive(Debug)]
pub(crate) struct Node<'a> {
    pub(crate) raw: &'a str,
    pub(crate) kind: Kind<'a>,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Null,
    Bool,
    Number,
    Str,
    Array(Vec<Node<'a>>),
    Object(Vec<(&'a str, Node<'a>)>),
}

/// Reads JSON values one after another, with white space between them: one document, or one a line.
pub(crate) fn parse_all(text: &str) -> Read<Vec<Node<'_>>> {
    let from = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut p = Parser { text, bytes: text.as_bytes(), at: from };
    let mut values = Vec::new();
    p.space();
    if p.at == text.len() {
        return Ok(values);
    }
    values.push(p.value(0)?);
    loop {
        let end = p.at;
        p.space();
        if p.at == text.len() {
            return Ok(values);
        }
        if !text[end..p.at].contains('\n') {
            return p.fail("the document ends before this", "a further document stands on its own line");
        }
        values.push(p.value(0)?);
    }
}

struct Parser<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    #[cold]
    fn fail<T>(&self, message: &str, hint: &str) -> Read<T> {
        Err(FormatError::new(Place::of(self.text, self.at), message, hint))
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Read<Node<'a>> {
        self.space();
        if depth == MAX_DEPTH {
            return self.fail("nested too deeply", "documents nest at most 160 deep");
        }
        let from = self.at;
        let kind = match self.peek() {
            Some(b'"') => {
                self.string()?;
                Kind::Str
            }
            Some(b'{') => Kind::Object(self.object(depth)?),
            Some(b'[') => Kind::Array(self.array(depth)?),
            Some(b'-' | b'0'..=b'9') => {
                match number_length(&self.bytes[self.at..]) {
                    Some(n) => self.at += n,
                    None => return self.fail("this is no number", "numbers are written `-12`, `0.5`, `1e3`"),
                }
                Kind::Number
            }
            Some(b't') => self.word("true", Kind::Bool)?,
            Some(b'f') => self.word("false", Kind::Bool)?,
            Some(b'n') => self.word("null", Kind::Null)?,
            None => return self.fail("the document ends where a value should stand", "was it cut off?"),
            Some(_) => return self.fail("this is no JSON value", "strings stand in double quotes"),
        };
        Ok(Node { raw: &self.text[from..self.at], kind })
    }

    fn word(&mut self, word: &str, kind: Kind<'a>) -> Read<Kind<'a>> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(kind);
        }
        self.fail("this is no JSON value", "the words are `true`, `false` and `null`")
    }

    /// The text of a string, between its quotes.
    fn string(&mut self) -> Read<&'a str> {
        let from = self.at + 1;
        self.at = from;
        loop {
            self.at += plain_length(&self.bytes[self.at..]);
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.text[from..self.at - 1]);
                }
                Some(b'\\') => match self.bytes.get(self.at + 1) {
                    Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 2,
                    Some(b'u') => {
                        let hex = self.bytes.get(self.at + 2..self.at + 6);
                        if !hex.is_some_and(|h| h.iter().all(u8::is_ascii_hexdigit)) {
                            return self.fail("this is no escape", "four hexadecimal digits follow `\\u`");
                        }
                        self.at += 6;
                    }
                    _ => return self.fail("this is no escape", "a backslash is written `\\\\`"),
                },
                Some(b'\n') => {
                    let hint = "was it cut off? a line break in a string is written `\\n`";
                    return self.fail("this string is not closed on its line", hint);
                }
                Some(_) => {
                    return self.fail("a control character in a string", "write it as an escape: `\\n`");
                }
                None => {
                    self.at = from - 1;
                    return self.fail("this string is never closed", "was the document cut off?");
                }
            }
        }
    }

    fn array(&mut self, depth: usize) -> Read<Vec<Node<'a>>> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(items);
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(items);
                }
                _ => return self.fail("expected `,` or `]`", "items are separated by commas"),
            }
        }
    }

    fn object(&mut self, depth: usize) -> Read<Vec<(&'a str, Node<'a>)>> {
        self.at += 1;
        let mut fields = Vec::new();
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(fields);
        }
        loop {
            self.space();
            if self.peek() != Some(b'"') {
                return self.fail("expected a key in double quotes", "keys are strings");
            }
            let key = self.string()?;
            self.space();
            if self.peek() != Some(b':') {
                return self.fail("expected `:` after the key", "write `\"key\": value`");
            }
            self.at += 1;
            fields.push((key, self.value(depth + 1)?));
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(fields);
                }
                _ => return self.fail("expected `,` or `}`", "fields are separated by commas"),
            }
        }
    }
}

/// The string that `raw` (between the quotes) spells; none if it has half a surrogate pair, or what is no escape.
pub(crate) fn unescaped(raw: &str) -> Option<Cow<'_, str>> {
    let Some(mut at) = memchr(b'\\', raw.as_bytes()) else { return Some(Cow::Borrowed(raw)) };
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    loop {
        out.push_str(&rest[..at]);
        let escape = rest.as_bytes().get(at + 1)?;
        let mut used = 2;
        out.push(match escape {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let unit = |from: usize| {
                    let digits = rest.get(from..from + 4)?;
                    let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
                    hex.then(|| u32::from_str_radix(digits, 16).ok())?
                };
                let high = unit(at + 2)?;
                used = 6;
                match char::from_u32(high) {
                    Some(c) => c,
                    None => {
                        if high >= 0xdc00 || rest.get(at + 6..at + 8) != Some("\\u") {
                            return None;
                        }
                        let low = unit(at + 8).filter(|l| (0xdc00..0xe000).contains(l))?;
                        used = 12;
                        char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))?
                    }
                }
            }
            b'"' | b'\\' | b'/' => char::from(*escape),
            _ => return None,
        });
        rest = &rest[at + used..];
        // Most escapes stand close to the next.
        at = match plain_length(rest.as_bytes()) {
            n if n == rest.len() => break,
            n => n,
        };
        if rest.as_bytes()[at] != b'\\' {
            // Texts that were read as JSON have nothing else to escape.
            match memchr(b'\\', &rest.as_bytes()[at..]) {
                Some(n) => at += n,
                None => break,
            }
        }
    }
    out.push_str(rest);
    Some(Cow::Owned(out))
}

/// Writes `s` as a JSON string.
pub(crate) fn quote(out: &mut String, s: &str) {
    out.push('"');
    let mut rest = s;
    loop {
        let plain = plain_length(rest.as_bytes());
        out.push_str(&rest[..plain]);
        let Some(&special) = rest.as_bytes().get(plain) else { break };
        push_escape(out, char::from(special));
        rest = &rest[plain + 1..];
    }
    out.push('"');
}

/// Writes the usual escape of a character that cannot stand in a JSON string.
pub(crate) fn push_escape(out: &mut String, c: char) {
    match c {
        '"' => out.push_str("\\\""),
        '\\' => out.push_str("\\\\"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\u{8}' => out.push_str("\\b"),
        '\u{c}' => out.push_str("\\f"),
        // Writing into a String cannot fail.
        c => drop(write!(out, "\\u{:04x}", c as u32)),
    }
}

/// The JSON of a number; none of any other value.
pub(crate) fn value_number(value: &Value) -> Option<&str> {
    match value {
        Value::Number(n) => Some(n.as_str()),
        _ => None,
    }
}

/// The body of an observation that is the JSON value `raw`, as a string if the language cannot say it.
pub(crate) fn json_text(raw: &str) -> String {
    json_body(raw, COMPACT).unwrap_or_else(|| Value::str(raw).to_string())
}

pub(crate) fn quoted(s: &str) -> String {
    let mut out = String::with_capacity(s.len() + 2);
    quote(&mut out, s);
    out
}

/// A place in a document, kept as a chain so that no pointer is written until one is needed.
#[derive(Clone, Copy)]
pub(crate) enum At<'p> {
    Root,
    Key(&'p At<'p>, &'p str),
    Item(&'p At<'p>, usize),
}

impl At<'_> {
    pub(crate) fn place(&self) -> Place {
        Place::Pointer(self.pointer())
    }

    pub(crate) fn pointer(&self) -> String {
        let mut out = String::new();
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) {
        match self {
            At::Root => {}
            At::Key(at, key) => {
                at.write(out);
                out.push('/');
                if key.contains(['~', '/']) {
                    out.push_str(&key.replace('~', "~0").replace('/', "~1"));
                } else {
                    out.push_str(key);
                }
            }
            At::Item(at, i) => {
                at.write(out);
                out.push('/');
                // Writing into a String cannot fail.
                let _ = write!(out, "{i}");
            }
        }
    }
}

impl From<At<'_>> for Place {
    fn from(at: At<'_>) -> Place {
        at.place()
    }
}

impl<'a> Node<'a> {
    /// The string that this is.
    pub(crate) fn text(&self, at: At<'_>) -> Read<Cow<'a, str>> {
        match self.kind {
            Kind::Str => unescaped(&self.raw[1..self.raw.len() - 1]).ok_or_else(|| {
                FormatError::new(
                    at.place(),
                    "a string with half a surrogate pair",
                    "it spells no text; replace it by `\\ufffd`",
                )
            }),
            _ => Err(FormatError::new(at.place(), "this is no string", "write it in double quotes")),
        }
    }

    pub(crate) fn items(&self, at: At<'_>) -> Read<&[Node<'a>]> {
        match &self.kind {
            Kind::Array(items) => Ok(items),
            _ => Err(FormatError::new(at.place(), "this is no array", "write it in `[` `]`")),
        }
    }

    /// The fields of the object that this is.
    pub(crate) fn fields<'n>(&'n self, at: At<'_>) -> Read<Fields<'n, 'a>> {
        match &self.kind {
            Kind::Object(fields) => Ok(Fields { fields, taken: 0, later: Vec::new() }),
            _ => Err(FormatError::new(at.place(), "this is no object", "write it in `{` `}`")),
        }
    }

    /// The field `key`, if this is an object that has it.
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'a>> {
        match &self.kind {
            Kind::Object(fields) => fields.iter().find(|(k, _)| *k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }
}

/// The fields of an object, taken one by one; what nobody takes is a loss.
pub(crate) struct Fields<'n, 'a> {
    fields: &'n [(&'a str, Node<'a>)],
    /// Which of the first 64 were taken, a bit each.
    taken: u64,
    /// Which of the others were, by their number.
    later: Vec<usize>,
}

impl<'n, 'a> Fields<'n, 'a> {
    /// The field `key`; `null` is as good as none. A key that is given twice is an error: readers of the
    /// format disagree on which one counts.
    // Inlined so that the comparison knows the key's length.
    #[inline(always)]
    pub(crate) fn take(&mut self, key: &'static str, at: At<'_>) -> Read<Option<&'n Node<'a>>> {
        let mut found = None;
        for (i, (_, node)) in self.fields.iter().enumerate().filter(|(_, (k, _))| *k == key) {
            match i {
                0..64 => self.taken |= 1 << i,
                _ => self.later.push(i),
            }
            if found.replace(node).is_some() {
                let message = format!("`{key}` is given twice");
                return Err(FormatError::new(At::Key(&at, key).place(), message, "give it once"));
            }
        }
        Ok(found.filter(|n| !n.is_null()))
    }

    /// The field `key` as a string.
    pub(crate) fn text(&mut self, key: &'static str, at: At<'_>) -> Read<Option<Cow<'a, str>>> {
        self.take(key, at)?.map(|n| n.text(At::Key(&at, key))).transpose()
    }

    /// The field `key`, which must be there.
    pub(crate) fn need(&mut self, key: &'static str, at: At<'_>) -> Read<&'n Node<'a>> {
        self.take(key, at)?.ok_or_else(|| {
            FormatError::new(at.place(), format!("`{key}` is missing"), format!("add `\"{key}\"`"))
        })
    }

    pub(crate) fn need_text(&mut self, key: &'static str, at: At<'_>) -> Read<Cow<'a, str>> {
        self.need(key, at)?.text(At::Key(&at, key))
    }

    /// Reports the fields that were not taken.
    pub(crate) fn rest(self, at: At<'_>, losses: &mut Vec<Loss>) {
        for (i, (key, node)) in self.fields.iter().enumerate() {
            let taken = if i < 64 { self.taken >> i & 1 == 1 } else { self.later.contains(&i) };
            if !taken && !node.is_null() {
                losses.push(Loss {
                    kind: LossKind::Metadata,
                    place: At::Key(&at, key).place(),
                    what: format!("`{key}`"),
                });
            }
        }
    }
}
