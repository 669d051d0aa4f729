//! Traces as one HTML page that needs nothing else.

use std::ops::Range;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::graph::{Part, parts};
use crate::terminal::{fold, folded, left_by, visible};
use crate::{Attempt, Span, SpanKind, Tool, Trace, Value};

/// The lines of a body after which the rest is folded away.
const LINES: usize = 16;
/// The characters of a body that stand beside a closed span.
const PREVIEW: usize = 100;
/// The branches that are open at first.
const BRANCHES: usize = 8;

/// Draws traces as one HTML page that loads nothing from elsewhere. `from` is the number of the first of them.
///
/// Every span can be folded, by the pointer or by the keyboard (the page says how), and a printed page shows all of
/// them. Failed actions (`✗`), errors (`!`), reflections (`↻`) and injected faults are marked by signs, words and the
/// form of their edge; colour only adds to that. Under an action that is no valid call stands why; `known` gives the
/// tools of a named set. What a [branch](Trace::branches) has beyond those before it can be folded as a whole.
pub fn page(traces: &[Trace], from: usize, title: &str, known: impl Fn(&str) -> Option<Vec<Tool>>) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (shown_line(title)) }
                style { (PreEscaped(include_str!("page.css"))) }
            }
            body {
                header {
                    h1 { (shown_line(title)) }
                    p.keys {
                        kbd { "j" } " " kbd { "k" } " next and previous span · "
                        kbd { "n" } " " kbd { "p" } " next and previous mark · "
                        kbd { "Enter" } " fold · " kbd { "e" } " open all · " kbd { "c" } " close all"
                    }
                    @if traces.len() > 1 { (contents(traces, from)) }
                }
                main {
                    @for (i, trace) in traces.iter().enumerate() {
                        (episode(trace, from + i, traces.len() > 1, &known))
                    }
                }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    page.into_string()
}

/// What some spans consist of, in a line.
fn counts<'a>(spans: impl Iterator<Item = &'a Span> + Clone) -> String {
    let count = |f: &dyn Fn(&Span) -> bool| spans.clone().filter(|s| f(s)).count();
    let word = |n: usize, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let mut words = vec![word(count(&|s| s.kind == SpanKind::Action), "action", "actions")];
    let (failed, faults) = (count(&|s| s.failed), count(&|s| s.fault.is_some()));
    if failed > 0 {
        words.push(format!("✗ {failed} failed"));
    }
    if faults > 0 {
        words.push(word(faults, "span shows a fault", "spans show a fault"));
    }
    let reflections = count(&|s| s.kind == SpanKind::Reflection);
    if reflections > 0 {
        words.push(format!("↻ {}", word(reflections, "reflection", "reflections")));
    }
    words.join(", ")
}

fn contents(traces: &[Trace], from: usize) -> Markup {
    html! {
        nav aria-label="Traces" {
            ol {
                @for (i, trace) in traces.iter().enumerate() {
                    li {
                        a href=(format!("#trace-{}", from + i)) { (from + i) " " (heading(trace)) }
                        small { (counts(trace.spans.iter())) }
                    }
                }
            }
        }
    }
}

/// What an episode is about: the first line of its goal, or else of what it says first.
fn heading(trace: &Trace) -> String {
    let goal = trace.spans.iter().find(|s| matches!(s.kind, SpanKind::Goal | SpanKind::User));
    let first = goal.or_else(|| trace.spans.iter().find(|s| s.kind != SpanKind::Tools));
    first.map_or_else(String::new, |s| preview(&s.body))
}

fn episode(trace: &Trace, number: usize, headed: bool, known: &impl Fn(&str) -> Option<Vec<Tool>>) -> Markup {
    let tools = match trace.tool_set() {
        Some(name) => known(&name),
        None => Some(trace.tools()).filter(|tools| !tools.is_empty()),
    };
    let tools = tools.as_deref();
    let parts = parts(trace);
    html! {
        section id=(format!("trace-{number}")) {
            @if headed { h2 { "Trace " (number) } }
            p.counts {
                (counts(trace.spans.iter()))
                @if parts.len() > 1 { ", " (parts.len()) " branches" }
            }
            @if parts.len() > 1 {
                @for (n, part) in parts.iter().enumerate() { (branch(trace, number, &parts, n, part, tools)) }
            } @else {
                @for span in &trace.spans { (draw(span, tools, false, &html! {})) }
            }
        }
    }
}

/// What a branch has beyond those before it.
fn branch(
    trace: &Trace,
    number: usize,
    parts: &[Part],
    n: usize,
    part: &Part,
    tools: Option<&[Tool]>,
) -> Markup {
    let place = |n: usize| format!("branch-{number}-{}", n + 1);
    let away = |i: usize| {
        html! {
            @if left_by(parts, i).next().is_some() {
                p.leaves {
                    "here leaves"
                    @for to in left_by(parts, i) { " " a href=(format!("#{}", place(to))) { "branch " (to + 1) } }
                }
            }
        }
    };
    html! {
        details.branch id=(place(n)) style=(format!("--depth:{}", part.depth.min(6))) open[n < BRANCHES] {
            summary {
                b { "Branch " (n + 1) " of " (parts.len()) }
                span.from { (trace.leaving(part)) }
                small { (counts(part.numbers.iter().map(|&i| &trace.spans[i]))) }
            }
            @for (k, &i) in part.numbers.iter().enumerate() {
                (draw(&trace.spans[i], tools, k == 0, &away(i)))
            }
        }
    }
}

/// A span; `placed` where it was said what it follows. `under` stands under its body.
fn draw(span: &Span, tools: Option<&[Tool]>, placed: bool, under: &Markup) -> Markup {
    let kind = span.kind.keyword();
    let mark = match span.kind {
        SpanKind::Action if span.failed => "✗",
        SpanKind::Error => "!",
        SpanKind::Reflection => "↻",
        _ => "",
    };
    let mut class = format!("span {kind}");
    for (add, on) in [
        (" failed", span.failed),
        (" fault", span.fault.is_some()),
        (" marked", !mark.is_empty() || span.fault.is_some()),
    ] {
        class.push_str(if on { add } else { "" });
    }
    let why = match (span.kind, tools) {
        (SpanKind::Action, Some(tools)) => Attempt::parse(&span.body, tools).message,
        _ => String::new(),
    };
    let shown = fold(&span.body, LINES);
    let declarations = span.kind == SpanKind::Tools && span.body.contains('\n');
    html! {
        details class=(class) open[!declarations] {
            summary {
                span.mark aria-hidden="true" { (mark) }
                span.kind { (kind) }
                span.preview { (closed(span)) }
            }
            div.body {
                (notes(span, placed))
                pre { (text(span, 0..shown)) }
                @if shown < span.body.len() {
                    details.more {
                        summary { "… " (folded(&span.body, shown)) }
                        pre { (text(span, shown + usize::from(span.body[shown..].starts_with('\n'))..span.body.len())) }
                    }
                }
                @if !why.is_empty() { p.why { (shown_line(&why)) } }
                (under)
            }
        }
    }
}

/// What is known about a span beside its body.
fn notes(span: &Span, placed: bool) -> Markup {
    let meta: Vec<_> = span.meta.iter().filter(|(name, _)| !placed || name != "after").collect();
    if !span.failed && span.fault.is_none() && span.weight.is_none() && meta.is_empty() {
        return html! {};
    }
    let said = |name: &str, value: &str| {
        html! { span.fact { span.name { (shown_line(name)) } " " (shown_line(value)) } }
    };
    html! {
        p.note {
            @if span.failed { span.flag { "failed" } }
            @if let Some(fault) = &span.fault { span.flag { "fault: " (shown_line(fault)) } }
            @if let Some(weight) = span.weight { (said("weight", &weight.to_string())) }
            @for (name, value) in meta {
                @match value {
                    // A string is clear without its quotes.
                    Value::Str(text) if !text.is_empty() => (said(name, text)),
                    value => (said(name, &value.to_string())),
                }
            }
        }
    }
}

/// What stands beside a span that is closed.
fn closed(span: &Span) -> String {
    if span.kind == SpanKind::Tools
        && let Ok(tools) = Tool::parse_all(&span.body)
        && !tools.is_empty()
    {
        let names: Vec<&str> = tools.iter().map(|t| t.name.as_str()).collect();
        return preview(&names.join(", "));
    }
    preview(&span.body)
}

/// The beginning of a text, in one line.
fn preview(text: &str) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let short: String = line.chars().take(PREVIEW).collect();
    let more = short.len() < text.trim_end().len();
    format!("{}{}", shown_line(&short), if more { " …" } else { "" })
}

/// A line with its invisible characters shown.
fn shown_line(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for c in line.chars() {
        match visible(c) {
            Some(shown) if c != '\t' => out.push_str(&shown),
            _ => out.push(c),
        }
    }
    out
}

/// A part of a body, the world's own values marked.
fn text(span: &Span, part: Range<usize>) -> Markup {
    let mut pieces: Vec<(bool, String)> = Vec::new();
    for (i, c) in span.body[part.clone()].char_indices() {
        let own = span.own.iter().any(|r| r.contains(&(part.start + i)));
        if pieces.last().is_none_or(|(before, _)| *before != own) {
            pieces.push((own, String::new()));
        }
        let Some((_, piece)) = pieces.last_mut() else { continue };
        match visible(c) {
            Some(shown) if !matches!(c, '\n' | '\t') => piece.push_str(&shown),
            _ => piece.push(c),
        }
    }
    html! {
        @for (own, piece) in &pieces {
            @if *own { mark title="the world's own: nobody could have predicted it" { (piece) } } @else { (piece) }
        }
    }
}
