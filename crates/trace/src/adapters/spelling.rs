//! JSON to the trace language and back, letter by letter.
//!
//! A call `pay(to="Ann", cents=5)` and the JSON object `{"to":"Ann","cents":5}` are the same tokens in two
//! notations, and here each token and each white space is carried over by itself. So the *spelling* of an
//! argument, not only its value, survives: `1.0`, `\u00e9`, a key given twice, a line break after a comma.
//! The usual spelling of a format (its [`Style`]) and the canonical print of the trace language stand for each
//! other; any other spelling becomes a call that is readable but not canonical, and is found again from it.
//!
//! An object that was cut off becomes a call that is never closed. What is no JSON object at all becomes
//! `pay: …`, which is no call, and says what was said.

use memchr::memchr2;

use super::json::{push_escape, quoted, unescaped};
use crate::Value;
use crate::plain::plain_length;
use crate::print::{write_name, write_quoted};
use crate::scan::{MAX_DEPTH, Scanner, is_identifier, number_length};

/// The white space that a format's JSON usually has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    after_colon: &'static str,
    after_comma: &'static str,
}

/// `{"a":1,"b":2}`: as programs in most languages write it.
pub(crate) const COMPACT: Style = Style { after_colon: "", after_comma: "" };
/// `{"a": 1, "b": 2}`: as Python and chat templates write it.
pub(crate) const SPACED: Style = Style { after_colon: " ", after_comma: " " };

/// What the body of an action says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A call: the tool and its arguments as a JSON object, which is whole or cut off where the body is.
    Call { tool: String, arguments: String, whole: bool },
    /// A call of a tool whose arguments are no JSON object, in the words used.
    Unread { tool: String, arguments: String },
    /// No call.
    Raw(String),
}

/// The body of an action that gave `arguments`, a text that should be a JSON object, to `tool`; and whether it
/// can be read as a call.
pub(crate) fn action_body(tool: &str, arguments: &str, style: Style) -> (String, bool) {
    let mut body = String::with_capacity(tool.len() + arguments.len() + 8);
    // Writing into a String cannot fail.
    let _ = write_name(&mut body, tool);
    let name = body.len();
    match (FromJson { style, ..FromJson::new(arguments, &mut body, true) }).run() {
        Some(true) => return (body, true),
        Some(false) if to_json(&body[name..], style, true).is_some_and(|(json, _)| json == arguments) => {
            return (body, false);
        }
        _ => body.truncate(name),
    }
    body.push_str(": ");
    body.push_str(arguments);
    (body, false)
}

/// What the body of an action says, in JSON's notation.
pub(crate) fn said(body: &str, style: Style) -> Said {
    let mut s = Scanner::new(body);
    s.skip_space();
    let Ok(tool) = s.name("the name of a tool") else { return Said::Raw(body.to_owned()) };
    let rest = &body[s.position()..];
    if let Some(arguments) = rest.strip_prefix(": ") {
        return Said::Unread { tool, arguments: arguments.to_owned() };
    }
    match to_json(rest, style, true) {
        Some((arguments, whole)) => Said::Call { tool, arguments, whole },
        None => Said::Raw(body.to_owned()),
    }
}

/// The body of an observation in which a tool returned `text`: a value if the text is JSON other than a string,
/// and a string otherwise. [`observation_text`] gives the text back.
pub(crate) fn observation_body(text: &str, style: Style) -> String {
    if let Some(body) = value_body(text, style) {
        return body;
    }
    let mut body = String::with_capacity(text.len() + 2);
    let _ = match literal(text) {
        Some(inner) if ambiguous(&inner) => write_quoted(&mut body, &inner),
        _ => write_quoted(&mut body, text),
    };
    body
}

/// What a tool returned, as text: a string is itself unless it would be read as another value, and is then
/// written with JSON's quotes.
pub(crate) fn observation_text(body: &str, style: Style) -> String {
    if body.starts_with('"')
        && let Ok(Value::Str(s)) = Value::parse(body)
    {
        return if ambiguous(&s) { quoted(&s) } else { s };
    }
    value_json(body, style).unwrap_or_else(|| body.to_owned())
}

/// The body that says the JSON value `text`; none for strings, and with white space around it.
fn value_body(text: &str, style: Style) -> Option<String> {
    let plain = matches!(text.as_bytes().first()?, b'{' | b'[' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n');
    let mut body = String::new();
    let whole = plain
        && !text.ends_with([' ', '\n', '\r', '\t'])
        && FromJson { style, ..FromJson::new(text, &mut body, false) }.run()?;
    whole.then_some(body)
}

/// The JSON of any value that is written in `body`.
pub(crate) fn value_json(body: &str, style: Style) -> Option<String> {
    Value::parse(body).ok()?;
    to_json(body, style, false).map(|(json, _)| json)
}

/// As [`observation_body`], where the text is known to be JSON and a string is one in quotes.
pub(crate) fn json_body(json: &str, style: Style) -> Option<String> {
    if let Some(inner) = json.strip_prefix('"') {
        let mut body = String::with_capacity(json.len());
        let _ = write_quoted(&mut body, &unescaped(inner.strip_suffix('"')?)?);
        return Some(body);
    }
    value_body(json, style)
}

/// Whether `text` would be taken for something else than itself.
fn ambiguous(text: &str) -> bool {
    value_body(text, COMPACT).is_some() || literal(text).is_some_and(|inner| ambiguous(&inner))
}

/// The string of which `text` is the usual JSON spelling.
fn literal(text: &str) -> Option<String> {
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let inner = unescaped(inner)?.into_owned();
    (quoted(&inner) == text).then_some(inner)
}

/// What the white space at the cursor follows.
#[derive(Clone, Copy, PartialEq)]
enum Gap {
    Other,
    /// The `=` of an argument.
    Equals,
    Colon,
    Comma,
}

/// White space of one notation in the other: what is usual here and what is usual there change places.
fn gap(space: &str, gap: Gap, style: Style) -> &str {
    let (json, ours) = match gap {
        Gap::Other => return space,
        Gap::Equals => (style.after_colon, ""),
        Gap::Colon => (style.after_colon, " "),
        Gap::Comma => (style.after_comma, " "),
    };
    if space == json {
        ours
    } else if space == ours {
        json
    } else {
        space
    }
}

fn space_at(text: &str, at: usize) -> &str {
    let rest = &text[at..];
    let len = rest.bytes().take_while(|b| matches!(b, b' ' | b'\n' | b'\r' | b'\t')).count();
    &rest[..len]
}

/// What may stand next.
#[derive(Clone, Copy, PartialEq)]
enum Next {
    Value,
    /// The first item of a list, or its end.
    Item,
    /// A key; the flag says that the end may stand there instead.
    Key(bool),
    Colon,
    /// A comma or a closing bracket.
    More,
    End,
}

/// JSON to the trace language.
struct FromJson<'a, 'o> {
    json: &'a str,
    at: usize,
    out: &'o mut String,
    style: Style,
    /// Whether the outermost object becomes the brackets of a call.
    call: bool,
    /// The open brackets: true for an object.
    open: Vec<bool>,
}

impl<'a, 'o> FromJson<'a, 'o> {
    fn new(json: &'a str, out: &'o mut String, call: bool) -> Self {
        FromJson { json, at: 0, out, style: COMPACT, call, open: Vec::new() }
    }

    fn peek(&self) -> Option<u8> {
        self.json.as_bytes().get(self.at).copied()
    }

    fn is_call(&self) -> bool {
        self.call && self.open.len() == 1
    }

    /// Whether the text is whole (true), or was cut off (false); none where it is not JSON, or not an object
    /// for a call, or cannot be said in the trace language.
    fn run(mut self) -> Option<bool> {
        let (mut next, mut after) = (Next::Value, Gap::Other);
        loop {
            let space = space_at(self.json, self.at);
            self.at += space.len();
            self.out.push_str(gap(space, after, self.style));
            after = Gap::Other;
            let Some(byte) = self.peek() else { return Some(next == Next::End) };
            match (next, byte) {
                (Next::Key(end), b'}') if end => next = self.close(),
                (Next::Item, b']') | (Next::More, b'}' | b']') => next = self.close(),
                (Next::More, b',') => {
                    self.push(',');
                    after = Gap::Comma;
                    next = if *self.open.last()? { Next::Key(false) } else { Next::Value };
                }
                (Next::Key(_), b'"') => {
                    if !self.key()? {
                        return Some(false);
                    }
                    next = Next::Colon;
                }
                (Next::Colon, b':') => {
                    let call = self.is_call();
                    self.push(if call { '=' } else { ':' });
                    after = if call { Gap::Equals } else { Gap::Colon };
                    next = Next::Value;
                }
                (Next::Value | Next::Item, b'{' | b'[') => {
                    let object = byte == b'{';
                    if self.open.len() == MAX_DEPTH as usize || (self.call && self.open.is_empty() && !object)
                    {
                        return None;
                    }
                    self.open.push(object);
                    let call = self.is_call();
                    self.push(if call { '(' } else { char::from(byte) });
                    next = if object { Next::Key(true) } else { Next::Item };
                }
                (Next::Value | Next::Item, _) if self.call && self.open.is_empty() => return None,
                (Next::Value | Next::Item, b'"') => {
                    if !self.string()? {
                        return Some(false);
                    }
                    next = self.more();
                }
                (Next::Value | Next::Item, _) => {
                    if !self.scalar()? {
                        return Some(false);
                    }
                    next = self.more();
                }
                _ => return None,
            }
        }
    }

    /// Writes a character in place of the one at the cursor.
    fn push(&mut self, c: char) {
        self.at += 1;
        self.out.push(c);
    }

    fn more(&self) -> Next {
        if self.open.is_empty() { Next::End } else { Next::More }
    }

    fn close(&mut self) -> Next {
        let call = self.is_call();
        let object = self.open.pop();
        let fits = object == Some(self.peek() == Some(b'}'));
        if !fits {
            // Left where it is: no state accepts it.
            return Next::End;
        }
        self.push(match object {
            Some(true) if call => ')',
            Some(true) => '}',
            _ => ']',
        });
        self.more()
    }

    /// A number or a word; false where the text ends in it.
    fn scalar(&mut self) -> Option<bool> {
        let rest = &self.json[self.at..];
        let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
        let token = &rest[..len];
        let whole =
            matches!(token, "true" | "false" | "null") || number_length(token.as_bytes()) == Some(len);
        self.out.push_str(token);
        self.at += len;
        if whole {
            return Some(true);
        }
        let number = token.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        let cut = number || ["true", "false", "null"].iter().any(|w| w.starts_with(token));
        (cut && len > 0 && self.at == self.json.len() && !self.open.is_empty()).then_some(false)
    }

    fn key(&mut self) -> Option<bool> {
        let rest = &self.json[self.at + 1..];
        let len = rest.bytes().take_while(|b| !matches!(b, b'"' | b'\\')).count();
        if rest.as_bytes().get(len) == Some(&b'"') && is_identifier(&rest[..len]) {
            self.out.push_str(&rest[..len]);
            self.at += len + 2;
            return Some(true);
        }
        self.string()
    }

    /// A string; false where the text ends in it.
    fn string(&mut self) -> Option<bool> {
        self.push('"');
        loop {
            let rest = &self.json[self.at..];
            // The bytes that need attention: an escape, the end, a control character, 0xC2 before a C1 control.
            let len = plain_length(rest.as_bytes());
            let len = memchr2(0x7f, 0xc2, &rest.as_bytes()[..len]).unwrap_or(len);
            self.out.push_str(&rest[..len]);
            self.at += len;
            let Some(c) = rest[len..].chars().next() else { return Some(false) };
            match c {
                '"' => {
                    self.push('"');
                    return Some(true);
                }
                '\\' => {
                    if !self.escape()? {
                        return Some(false);
                    }
                }
                '\0'..='\u{1f}' => return None,
                c => {
                    self.at += c.len_utf8();
                    if c.is_control() {
                        self.code(c);
                    } else {
                        self.out.push(c);
                    }
                }
            }
        }
    }

    /// The canonical escape of a control character.
    fn code(&mut self, c: char) {
        self.out.push_str(&format!("\\u{{{:x}}}", c as u32));
    }

    fn escape(&mut self) -> Option<bool> {
        let rest = &self.json[self.at..];
        let Some(&kind) = rest.as_bytes().get(1) else {
            self.out.push('\\');
            self.at += 1;
            return Some(false);
        };
        self.at += 2;
        match kind {
            b'"' | b'\\' | b'n' | b't' | b'r' => self.out.push_str(&rest[..2]),
            b'/' => self.out.push_str("\\u{2f}"),
            b'b' => self.out.push_str("\\u{8}"),
            b'f' => self.out.push_str("\\u{c}"),
            b'u' => return self.unicode(rest),
            _ => return None,
        }
        Some(true)
    }

    /// `\uXXXX` at the start of `rest`: four digits are kept as four digits, save where they are the usual
    /// escape; a pair in small letters becomes one code point, and in capitals one of six capital digits.
    fn unicode(&mut self, rest: &str) -> Option<bool> {
        let digits = |from: usize| {
            let hex = rest.as_bytes()[from..].iter().take(4).take_while(|b| b.is_ascii_hexdigit()).count();
            &rest[from..from + hex]
        };
        let first = digits(2);
        self.at += first.len();
        if first.len() < 4 {
            self.out.push_str("\\u{");
            self.out.push_str(first);
            return (self.at == self.json.len()).then_some(false);
        }
        let unit = u32::from_str_radix(first, 16).ok()?;
        if let Some(c) = char::from_u32(unit) {
            let mut usual = String::new();
            push_escape(&mut usual, c);
            if c < ' ' && usual == rest[..6] {
                self.code(c);
            } else {
                self.out.push_str(&format!("\\u{{{first}}}"));
            }
            return Some(true);
        }
        if unit >= 0xdc00 || rest.get(6..8) != Some("\\u") {
            return None;
        }
        let second = digits(8);
        let low = u32::from_str_radix(second, 16).ok().filter(|l| (0xdc00..0xe000).contains(l))?;
        let code = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
        self.at += 6;
        let pair = [first, second].concat();
        if !pair.contains(|c: char| c.is_ascii_uppercase()) {
            self.out.push_str(&format!("\\u{{{code:x}}}"));
        } else {
            let capitals = format!("{code:06X}");
            let found_again =
                capitals.starts_with('0') || capitals.contains(|c: char| c.is_ascii_uppercase());
            if pair.contains(|c: char| c.is_ascii_lowercase()) || !found_again {
                return None;
            }
            self.out.push_str(&format!("\\u{{{capitals}}}"));
        }
        Some(true)
    }
}

/// A call (after its name) or a value in JSON, and whether it is whole; a call that is cut off becomes an object
/// that is.
fn to_json(body: &str, style: Style, call: bool) -> Option<(String, bool)> {
    let mut t = ToJson { body, at: 0, out: String::with_capacity(body.len() + 16), open: Vec::new(), call };
    let whole = t.run(style)?;
    Some((t.out, whole))
}

/// The trace language to JSON. It accepts whatever [`crate::Call::parse`] or [`Value::parse`] accept, and the
/// beginnings of calls.
struct ToJson<'a> {
    body: &'a str,
    at: usize,
    out: String,
    open: Vec<bool>,
    call: bool,
}

impl ToJson<'_> {
    fn peek(&self) -> Option<u8> {
        self.body.as_bytes().get(self.at).copied()
    }

    fn push(&mut self, c: char) {
        self.at += 1;
        self.out.push(c);
    }

    fn run(&mut self, style: Style) -> Option<bool> {
        let (mut next, mut after) = (Next::Value, Gap::Other);
        loop {
            let space = space_at(self.body, self.at);
            self.at += space.len();
            let Some(byte) = self.peek() else {
                self.out.push_str(gap(space, after, style));
                // A value must be whole; a call may be cut off, but it must have begun.
                let begun = next == Next::End || (self.call && !self.open.is_empty());
                return begun.then_some(next == Next::End);
            };
            // A comma before a closing bracket has no place in JSON.
            if after == Gap::Comma && matches!(byte, b')' | b'}' | b']') {
                let comma = self.out.rfind(',')?;
                self.out.truncate(comma);
                next = Next::More;
            }
            self.out.push_str(gap(space, after, style));
            after = Gap::Other;
            let outermost = self.open.len() == usize::from(self.call);
            match (next, byte) {
                (Next::Key(_) | Next::More, b')') if self.call && self.open.len() == 1 => {
                    self.open.pop();
                    self.push('}');
                    next = Next::End;
                }
                (Next::Key(_) | Next::More, b'}') | (Next::Item | Next::More, b']') => {
                    if self.open.pop()? != (byte == b'}') || (self.call && self.open.is_empty()) {
                        return None;
                    }
                    self.push(char::from(byte));
                    next = if self.open.is_empty() { Next::End } else { Next::More };
                }
                (Next::More, b',') => {
                    self.push(',');
                    after = Gap::Comma;
                    next = if *self.open.last()? { Next::Key(false) } else { Next::Value };
                }
                (Next::Key(_), _) => {
                    self.key(byte)?;
                    next = Next::Colon;
                }
                (Next::Colon, b'=') if self.call && outermost => {
                    self.push(':');
                    after = Gap::Equals;
                    next = Next::Value;
                }
                (Next::Colon, b':') if !(self.call && outermost) => {
                    self.push(':');
                    after = Gap::Colon;
                    next = Next::Value;
                }
                (Next::Value, b'(') if self.call && self.open.is_empty() => {
                    self.open.push(true);
                    self.push('{');
                    next = Next::Key(true);
                }
                (Next::Value | Next::Item, _) if self.call && self.open.is_empty() => return None,
                (Next::Value | Next::Item, b'{' | b'[') if self.open.len() < MAX_DEPTH as usize => {
                    self.open.push(byte == b'{');
                    self.push(char::from(byte));
                    next = if byte == b'{' { Next::Key(true) } else { Next::Item };
                }
                (Next::Value | Next::Item, b'"') => {
                    self.string()?;
                    next = if self.open.is_empty() { Next::End } else { Next::More };
                }
                (Next::Value | Next::Item, _) => {
                    self.scalar()?;
                    next = if self.open.is_empty() { Next::End } else { Next::More };
                }
                _ => return None,
            }
        }
    }

    fn scalar(&mut self) -> Option<()> {
        let rest = &self.body[self.at..];
        let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b)).count();
        self.at += len;
        self.out.push_str(&rest[..len]);
        let token = &rest[..len];
        let whole =
            matches!(token, "true" | "false" | "null") || number_length(token.as_bytes()) == Some(len);
        (whole || (len > 0 && self.call && self.at == self.body.len())).then_some(())
    }

    fn key(&mut self, byte: u8) -> Option<()> {
        if byte == b'"' {
            return self.string();
        }
        let rest = &self.body[self.at..];
        let len = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
        if !is_identifier(&rest[..len]) {
            return None;
        }
        self.at += len;
        self.out.push('"');
        self.out.push_str(&rest[..len]);
        self.out.push('"');
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.push('"');
        loop {
            let rest = &self.body[self.at..];
            let len = plain_length(rest.as_bytes());
            self.out.push_str(&rest[..len]);
            self.at += len;
            match self.peek() {
                None => return self.call.then_some(()),
                Some(b'"') => {
                    self.push('"');
                    return Some(());
                }
                Some(b'\\') => self.escape()?,
                Some(control) => {
                    self.at += 1;
                    push_escape(&mut self.out, char::from(control));
                }
            }
        }
    }

    fn escape(&mut self) -> Option<()> {
        let rest = &self.body[self.at..];
        match rest.as_bytes().get(1) {
            None => {
                self.push('\\');
                return self.call.then_some(());
            }
            Some(b'"' | b'\\' | b'n' | b't' | b'r') => {
                self.at += 2;
                self.out.push_str(&rest[..2]);
                return Some(());
            }
            Some(b'u') if rest.as_bytes().get(2) == Some(&b'{') => {}
            Some(_) => return None,
        }
        let hex = rest[3..].bytes().take_while(u8::is_ascii_hexdigit).count();
        let digits = &rest[3..3 + hex];
        self.at += 3 + hex;
        if self.peek() != Some(b'}') {
            // Cut off inside the escape.
            self.out.push_str("\\u");
            self.out.push_str(digits);
            return (self.call && self.at == self.body.len()).then_some(());
        }
        self.at += 1;
        if hex > 6 {
            return None;
        }
        let code = u32::from_str_radix(digits, 16).ok()?;
        let c = char::from_u32(code)?;
        match digits {
            "2f" => self.out.push_str("\\/"),
            _ if hex == 4 => {
                self.out.push_str("\\u");
                self.out.push_str(digits);
            }
            _ if code > 0xffff => {
                let mut units = [0; 2];
                let pair = c.encode_utf16(&mut units);
                let capitals = hex == 6
                    && (digits.starts_with('0') || digits.contains(|c: char| c.is_ascii_uppercase()));
                for unit in pair {
                    let unit = if capitals { format!("\\u{unit:04X}") } else { format!("\\u{unit:04x}") };
                    self.out.push_str(&unit);
                }
            }
            _ if c < ' ' || c == '"' || c == '\\' => push_escape(&mut self.out, c),
            _ => self.out.push(c),
        }
        Some(())
    }
}
