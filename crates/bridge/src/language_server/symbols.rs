//! The shape of a file: its traces and their spans.

use groundwork_trace::{Outline, SpanKind, SpanPlace};
use serde_json::{Value, json};

use super::document::Document;

/// The characters of a span that stand in its symbol.
const LONGEST: usize = 60;

/// The symbols of a file: its spans, below their traces where there are several.
pub(crate) fn symbols(document: &Document) -> Value {
    let traces = Outline::read(document.text()).traces;
    let spans = |trace: &[SpanPlace]| trace.iter().map(|s| span(document, s)).collect::<Vec<Value>>();
    if let [only] = &traces[..] {
        return json!(spans(only));
    }
    let trace = |(i, trace): (usize, &Vec<SpanPlace>)| {
        let (first, last) = (trace.first()?, trace.last()?);
        let goal = trace.iter().find(|s| s.span().kind == SpanKind::Goal).unwrap_or(first);
        Some(json!({
            "name": format!("trace {i}"),
            "detail": beginning(&goal.span().body),
            "kind": 2,
            "range": document.range(&(first.whole().start..last.whole().end)),
            "selectionRange": document.range(&first.keyword()),
            "children": spans(trace),
        }))
    };
    traces.iter().enumerate().filter_map(trace).collect()
}

fn span(document: &Document, place: &SpanPlace) -> Value {
    let span = place.span();
    // The kinds of symbols are those of programs.
    let kind = match span.kind {
        SpanKind::Tools => 11,
        SpanKind::Action => 12,
        SpanKind::Observation => 13,
        SpanKind::Error => 24,
        SpanKind::Answer => 7,
        _ => 15,
    };
    let failed = if span.failed { " (failed)" } else { "" };
    let tool = |(tool, at): (groundwork_trace::Tool, std::ops::Range<usize>)| {
        let name = if tool.name.is_empty() { "\"\"".to_owned() } else { tool.name.clone() };
        let range = document.range(&at);
        json!({"name": name, "detail": tool.signature(), "kind": 12, "range": range, "selectionRange": range})
    };
    json!({
        "name": format!("{}{failed}", span.kind),
        "detail": beginning(&span.body),
        "kind": kind,
        "range": document.range(&place.whole()),
        "selectionRange": document.range(&place.keyword()),
        "children": place.declarations().into_iter().map(tool).collect::<Vec<Value>>(),
    })
}

fn beginning(body: &str) -> String {
    let line = body.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    line.chars().take(LONGEST).collect()
}

/// Spans of several lines can be folded, and so can traces where there are several.
pub(crate) fn folds(document: &Document) -> Value {
    let traces = Outline::read(document.text()).traces;
    let mut folds = Vec::new();
    let mut fold = |start: usize, end: usize| {
        let (first, last) =
            (document.position(start)["line"].clone(), document.position(end)["line"].clone());
        if first != last {
            folds.push(json!({"startLine": first, "endLine": last}));
        }
    };
    for trace in &traces {
        if let (true, Some(first), Some(last)) = (traces.len() > 1, trace.first(), trace.last()) {
            fold(first.whole().start, last.whole().end);
        }
        trace.iter().for_each(|s| fold(s.whole().start, s.whole().end));
    }
    json!(folds)
}
