//! How spans are laid out as text: the training text and the annotated file form.

use std::fmt::Write;

use memchr::memchr;

use crate::print::write_name;
use crate::{Span, SpanKind, Trace};

/// The line between two traces of a file.
pub(crate) const SEPARATOR: &str = "---";
/// What a continuation line begins with.
pub(crate) const INDENT: &str = "  ";

impl Trace {
    /// The training text: every span's keyword and body, without metadata.
    pub fn to_text(&self) -> String {
        self.laid_out(|_, _| {})
    }

    /// The training text with some of the metadata: that whose names are in `shown`, in brackets after the keyword.
    pub fn to_text_with(&self, shown: &[&str]) -> String {
        let shows = |name: &str| shown.contains(&name);
        self.laid_out(|out, span| {
            let kept = Span {
                failed: span.failed && shows("failed"),
                fault: span.fault.clone().filter(|_| shows("fault")),
                own: if shows("own") { span.own.clone() } else { Vec::new() },
                weight: span.weight.filter(|_| shows("weight")),
                meta: span.meta.iter().filter(|(name, _)| shows(name)).cloned().collect(),
                ..Span::new(span.kind, "")
            };
            write_attributes(out, &kept);
        })
    }

    /// The canonical file form: the training text with the spans' metadata in brackets after the keyword.
    /// [`Trace::parse`] gives the same trace back.
    pub fn to_annotated(&self) -> String {
        self.laid_out(write_attributes)
    }

    /// A file of traces in the canonical form, which [`Trace::parse_all`] reads. Traces without spans are
    /// not written.
    pub fn print_all<'a>(traces: impl IntoIterator<Item = &'a Trace>) -> String {
        let mut out = String::new();
        for trace in traces.into_iter().filter(|t| !t.spans.is_empty()) {
            if !out.is_empty() {
                out.push_str(SEPARATOR);
                out.push('\n');
            }
            out.push_str(&trace.to_annotated());
        }
        out
    }

    fn laid_out(&self, attributes: impl Fn(&mut String, &Span)) -> String {
        let size = self.spans.iter().map(|s| s.body.len() + 24).sum();
        let mut out = String::with_capacity(size);
        for span in &self.spans {
            out.push_str(span.kind.keyword());
            attributes(&mut out, span);
            write_body(&mut out, span);
        }
        out
    }
}

pub(crate) fn has_attributes(span: &Span) -> bool {
    span.failed
        || span.fault.is_some()
        || !span.own.is_empty()
        || span.weight.is_some()
        || !span.meta.is_empty()
}

fn write_attributes(out: &mut String, span: &Span) {
    if !has_attributes(span) {
        return;
    }
    let mut before = " [";
    let mut next = |out: &mut String| {
        out.push_str(before);
        before = " ";
    };
    if span.failed {
        next(out);
        out.push_str("failed");
    }
    // Writing into a String cannot fail.
    if let Some(fault) = &span.fault {
        next(out);
        out.push_str("fault=");
        let _ = write_name(out, fault);
    }
    if !span.own.is_empty() {
        next(out);
        out.push_str("own=");
        for (i, range) in span.own.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let _ = write!(out, "{comma}{}..{}", range.start, range.end);
        }
    }
    if let Some(weight) = span.weight {
        next(out);
        let _ = write!(out, "weight={weight}");
    }
    for (name, value) in &span.meta {
        next(out);
        let _ = write!(out, "{name}={value}");
    }
    out.push(']');
}

fn write_body(out: &mut String, span: &Span) {
    let body = span.body.as_str();
    if span.kind == SpanKind::Tools && stands_in_braces(body) {
        out.push(' ');
        out.push_str(body);
        out.push('\n');
        return;
    }
    out.push(':');
    if memchr(b'\n', body.as_bytes()).is_none() {
        out.push_str(if body.is_empty() { "" } else { " " });
        out.push_str(body);
        out.push('\n');
        return;
    }
    // An empty line inside a body is left empty. One that ends it is indented: it would be lost otherwise.
    let solid = body.trim_end_matches('\n').len();
    let mut at = 0;
    for line in body.split('\n') {
        if at == 0 {
            out.push_str(if line.is_empty() { "" } else { " " });
        } else if !line.is_empty() || at > solid {
            out.push_str(INDENT);
        }
        out.push_str(line);
        out.push('\n');
        at += line.len() + 1;
    }
}

/// Whether a `tools` body can be printed as `tools {…}`: either one line, or lines of which all between the
/// braces are indented already.
fn stands_in_braces(body: &str) -> bool {
    if !body.starts_with('{') {
        return false;
    }
    if !body.contains('\n') {
        return body.trim_end() != "{";
    }
    let inside = body.strip_prefix("{\n").and_then(|b| b.strip_suffix('}'));
    inside.is_some_and(|inside| {
        inside.is_empty()
            || inside
                .strip_suffix('\n')
                .is_some_and(|lines| lines.split('\n').all(|l| l.is_empty() || l.starts_with(INDENT)))
    })
}
