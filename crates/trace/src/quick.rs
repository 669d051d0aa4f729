//! The reader of files without a mistake, several times faster than the one that can say what is wrong.
//!
//! It gives up at the first thing that is not written as usual, and [`crate::file`] then reads the file from its
//! beginning. What it accepts it reads exactly as that reader does, which a property test checks.

use memchr::memchr;

use crate::file::attribute;
use crate::layout::INDENT;
use crate::scan::Scanner;
use crate::{Span, SpanKind, Trace};

/// The traces of `text`, or none where the other reader has to look at it.
pub(crate) fn traces(text: &str) -> Option<Vec<Trace>> {
    let mut traces = Vec::new();
    let mut spans = Vec::new();
    let mut rest = text;
    while let Some(&first) = rest.as_bytes().first() {
        match first {
            b'\n' => rest = &rest[1..],
            b'-' => {
                rest = rest.strip_prefix("---\n")?;
                if !spans.is_empty() {
                    // The next trace is perhaps as long as this one.
                    let next = Vec::with_capacity(spans.len());
                    traces.push(Trace::new(std::mem::replace(&mut spans, next)));
                }
            }
            _ => {
                let (span, after) = span(rest)?;
                spans.push(span);
                rest = after;
            }
        }
    }
    if !spans.is_empty() {
        traces.push(Trace::new(spans));
    }
    Some(traces)
}

/// The span at the beginning of `text`, and what follows it.
fn span(text: &str) -> Option<(Span, &str)> {
    let kind = kind(text.as_bytes())?;
    let mut span = Span::new(kind, String::new());
    let mut rest = &text[kind.keyword().len()..];
    if rest.starts_with(" [") {
        rest = attributes(rest, &mut span)?;
    }
    let (body, rest) = match rest.strip_prefix(':') {
        Some(rest) => body(rest.strip_prefix(' ').unwrap_or(rest)),
        None if kind == SpanKind::Tools => braces(rest.strip_prefix(' ')?)?,
        None => return None,
    };
    span.body = body;
    Some((span, rest))
}

/// The kind whose keyword stands first in `text`; what follows the keyword is not looked at.
fn kind(text: &[u8]) -> Option<SpanKind> {
    let kind = match (text.first()?, text.get(1)?) {
        (b'a', b'c') => SpanKind::Action,
        (b'a', _) => SpanKind::Answer,
        (b'e', _) => SpanKind::Error,
        (b'g', _) => SpanKind::Goal,
        (b'o', _) => SpanKind::Observation,
        (b'p', _) => SpanKind::Plan,
        (b'r', _) => SpanKind::Reflection,
        (b's', _) => SpanKind::System,
        (b't', b'h') => SpanKind::Thought,
        (b't', b'o') => SpanKind::Tools,
        (b't', _) => SpanKind::Text,
        (b'u', _) => SpanKind::User,
        _ => return None,
    };
    text.starts_with(kind.keyword().as_bytes()).then_some(kind)
}

/// Metadata as it is printed, from the space before the bracket to what follows it.
fn attributes<'a>(text: &'a str, span: &mut Span) -> Option<&'a str> {
    let line = &text[..memchr(b'\n', text.as_bytes()).unwrap_or(text.len())];
    let mut s = Scanner::new(line);
    s.go_to(2);
    // Spans with more are for the other reader.
    let mut seen = [""; 16];
    for place in &mut seen {
        let from = s.position();
        let name = s.identifier();
        *place = name;
        attribute(&mut s, name, from, span).ok()?;
        if s.eat(b']') {
            let twice = (1..seen.len()).any(|i| !seen[i].is_empty() && seen[..i].contains(&seen[i]));
            return (!twice).then(|| &text[s.position()..]);
        }
        if !s.eat(b' ') {
            return None;
        }
    }
    None
}

/// A body from its first line on, and what follows it.
fn body(text: &str) -> (String, &str) {
    let bytes = text.as_bytes();
    let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
    let first = &text[..end];
    // Most bodies are one line.
    if !matches!(bytes.get(end + 1), Some(b' ' | b'\n')) {
        return (first.to_owned(), text.get(end + 1..).unwrap_or_default());
    }
    let mut body = first.to_owned();
    let mut rest = text.get(end + 1..).unwrap_or_default();
    // Empty lines belong to the body if another line of it follows.
    let mut after_body = rest;
    let mut blanks = 0;
    loop {
        if let Some(line) = rest.strip_prefix(INDENT) {
            let end = memchr(b'\n', line.as_bytes()).unwrap_or(line.len());
            (0..=blanks).for_each(|_| body.push('\n'));
            body.push_str(&line[..end]);
            blanks = 0;
            rest = line.get(end + 1..).unwrap_or_default();
            after_body = rest;
        } else if let Some(next) = rest.strip_prefix('\n') {
            blanks += 1;
            rest = next;
        } else {
            return (body, after_body);
        }
    }
}

/// Declarations that begin with `{`: on one line, or up to a line `}`.
fn braces(text: &str) -> Option<(String, &str)> {
    let end = memchr(b'\n', text.as_bytes()).unwrap_or(text.len());
    let after = |at: usize| text.get(at + 1..).unwrap_or_default();
    let first = &text[..end];
    if !first.starts_with('{') {
        return None;
    }
    if first != "{" {
        return (first.trim_end() != "{").then(|| (first.to_owned(), after(end)));
    }
    let mut at = end + 1;
    loop {
        let line = text.get(at..)?;
        let end = memchr(b'\n', line.as_bytes()).unwrap_or(line.len());
        match &line[..end] {
            "}" => return Some((text[..at + 1].to_owned(), after(at + end))),
            inside if inside.is_empty() || inside.starts_with(INDENT) => at += end + 1,
            _ => return None,
        }
    }
}
