//! A file of traces with the place of everything in it, for editors.

use std::ops::Range;

use crate::attempt::CallPlaces;
use crate::declare::declarations;
use crate::file::{Document, Located};
use crate::{Call, Span, SpanKind, Tool};

/// The spans of a file, each with its place, as far as the file can be read ([`crate::check`] says what is wrong with
/// the rest). All places are bytes of the file.
pub struct Outline {
    /// The spans of every trace.
    pub traces: Vec<Vec<SpanPlace>>,
}

/// A span and where it stands.
pub struct SpanPlace {
    located: Located,
    whole: Range<usize>,
}

/// A call and where its parts stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallPlace {
    /// The call.
    pub call: Call,
    /// The place of the tool's name.
    pub tool: Range<usize>,
    /// The places of each argument's name and value.
    pub args: Vec<(Range<usize>, Range<usize>)>,
}

impl Outline {
    /// Reads a file.
    pub fn read(text: &str) -> Outline {
        let traces = Document::read(text).traces.into_iter().map(|spans| {
            let starts: Vec<usize> = spans.iter().map(|s| s.keyword.start).collect();
            let place = |(i, located): (usize, Located)| {
                let last = located.place(&(0..located.span.body.len())).end.min(text.len());
                let next = starts.get(i + 1).copied().unwrap_or(text.len());
                // The line that the body ends with, without its line feed.
                let end = text[last..].find('\n').map_or(text.len(), |n| last + n).min(next);
                let whole = located.keyword.start..end;
                SpanPlace { located, whole }
            };
            spans.into_iter().enumerate().map(place).collect()
        });
        Outline { traces: traces.collect() }
    }

    /// The trace and the span that the byte `at` of the file is in, or that ends there.
    pub fn at(&self, at: usize) -> Option<(usize, usize)> {
        let inside = |s: &SpanPlace| s.whole.start <= at && at <= s.whole.end;
        self.traces.iter().enumerate().find_map(|(t, spans)| Some((t, spans.iter().rposition(inside)?)))
    }
}

impl SpanPlace {
    /// The span.
    pub fn span(&self) -> &Span {
        &self.located.span
    }

    /// Where its keyword stands.
    pub fn keyword(&self) -> Range<usize> {
        self.located.keyword.clone()
    }

    /// Where all of it stands, from the keyword to the end of its last line.
    pub fn whole(&self) -> Range<usize> {
        self.whole.clone()
    }

    /// The place in the file of a range of the body.
    pub fn in_file(&self, body: Range<usize>) -> Range<usize> {
        self.located.place(&body)
    }

    /// The byte of the body that stands at a place in the file, or the nearest before it; `None` before the body.
    pub fn in_body(&self, at: usize) -> Option<usize> {
        let place = |b: usize| self.located.place(&(b..b)).start;
        let body = &self.located.span.body;
        if at < place(0) {
            return None;
        }
        // Places grow with the bytes of the body.
        let (mut low, mut high) = (0, body.len());
        while low < high {
            let middle = (low + high).div_ceil(2);
            if place(middle) <= at { low = middle } else { high = middle - 1 }
        }
        Some(body.floor_char_boundary(low))
    }

    /// The call, if this is an action that can be read as one.
    pub fn call(&self) -> Option<CallPlace> {
        let body = self.located.span.body.as_str();
        if self.located.span.kind != SpanKind::Action {
            return None;
        }
        let call = Call::parse(body).ok()?;
        let places = CallPlaces::of(body);
        let moved = |r: &Range<usize>| self.in_file(r.clone());
        let args = places.args.iter().map(|(name, value)| (moved(name), moved(value))).collect();
        Some(CallPlace { call, tool: moved(&places.tool), args })
    }

    /// The tools that this span declares, each with the place of its name; those that can be read.
    pub fn declarations(&self) -> Vec<(Tool, Range<usize>)> {
        let span = &self.located.span;
        if span.kind != SpanKind::Tools || !span.body.trim_start().starts_with('{') {
            return Vec::new();
        }
        let (declared, _) = declarations(&span.body);
        declared.into_iter().map(|d| (d.tool, self.in_file(d.at))).collect()
    }

    /// The name of the set of tools that this span relies on, if it names one.
    pub fn tool_set(&self) -> Option<String> {
        let span = &self.located.span;
        if span.kind == SpanKind::Tools { crate::span::set_name(&span.body) } else { None }
    }
}
