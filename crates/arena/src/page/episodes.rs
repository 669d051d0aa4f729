//! Attempts, step by step.

use std::collections::BTreeMap;

use groundwork_trace::Span;
use maud::{Markup, html};

use super::Evaluated;
use crate::{ArenaError, Replay, ScoreRow};

/// Attempts of all models at the same tasks, at most `most` attempts; tasks first in which the models differ.
pub(super) fn section(models: &[Evaluated<'_>], most: usize) -> Result<Markup, ArenaError> {
    type Task<'a> = (&'a str, u32, u64, Option<&'a str>);
    let mut tasks: BTreeMap<Task<'_>, Vec<(&str, &ScoreRow)>> = BTreeMap::new();
    for model in models {
        for row in model.rows.iter().filter(|r| r.sample == 0) {
            let task = (row.world.as_str(), row.level, row.seed, row.fault.as_deref());
            tasks.entry(task).or_default().push((model.name, row));
        }
    }
    let differs = |rows: &[(&str, &ScoreRow)]| rows.windows(2).any(|w| w[0].1.success != w[1].1.success);
    let mut order: Vec<(&Task<'_>, &Vec<(&str, &ScoreRow)>)> = tasks.iter().collect();
    // Within a choice, faulty attempts and failures say more than successes.
    order.sort_by_key(|(task, rows)| (!differs(rows), rows.iter().all(|(_, r)| r.success), task.3.is_none()));
    let mut left = most;
    let mut shown = Vec::new();
    for (task, rows) in order {
        if left < rows.len() {
            break;
        }
        left -= rows.len();
        let mut attempts = Vec::new();
        for (name, row) in rows {
            attempts.push((*name, Replay::of(row)?));
        }
        shown.push((task, attempts));
    }
    let of: usize = tasks.values().map(Vec::len).sum();
    Ok(html! {
        h2 { "Attempts" }
        p.note {
            (most - left) " of " (of) " first attempts, those first in which models differ. What shows the injected fault is "
            "dark red; what an action changed in the world stands below it. Underlined values could not have been predicted."
        }
        @for ((world, level, seed, fault), attempts) in &shown {
            details {
                summary {
                    (world) ", level " (level) ", " (fault.map_or("no fault".to_owned(), |f| format!("fault {f}")))
                    " "
                    @for (name, replay) in attempts {
                        @if models.len() > 1 { small { (name) " " } }
                        @if replay.success { span.good { "✓ " } } @else { span.bad { "✗ " } }
                    }
                    small { "seed " (seed) }
                }
                @for (name, replay) in attempts {
                    @if models.len() > 1 { h3 { (name) } }
                    (episode(replay))
                }
            }
        }
    })
}

/// One attempt, and the expert's beside it.
pub(super) fn episode(replay: &Replay) -> Markup {
    html! {
        div.episode {
            @for (i, step) in replay.steps.iter().enumerate() {
                (span(&step.span))
                @for change in &step.changes { div.changes { "· " (change) } }
                @if replay.differs_at == Some(i) { div.changes.bad { "· the world would say something else today" } }
            }
            p class=[Some(if replay.success { "good" } else { "bad" })] { (replay.verdict()) }
            details {
                summary { "how the expert does it" }
                @for s in &replay.expert.spans { (span(s)) }
            }
        }
    }
}

fn span(span: &Span) -> Markup {
    let mut class = format!("span {}", span.kind);
    if span.failed {
        class += " failed";
    }
    if span.fault.is_some() {
        class += " fault";
    }
    html! {
        div class=(class) {
            b {
                (span.kind)
                @if span.failed { " ✗" }
            }
            div {
                (body(span))
                @if let Some(fault) = &span.fault { small { "  ← fault: " (fault) } }
            }
        }
    }
}

/// The body, with the world's own values marked.
fn body(span: &Span) -> Markup {
    let mut parts: Vec<(bool, &str)> = Vec::new();
    let mut at = 0;
    for range in &span.own {
        let (Some(plain), Some(own)) = (span.body.get(at..range.start), span.body.get(range.clone())) else {
            break;
        };
        parts.extend([(false, plain), (true, own)]);
        at = range.end;
    }
    parts.push((false, span.body.get(at..).unwrap_or_default()));
    html! { @for (own, text) in parts { @if own { span.own { (text) } } @else { (text) } } }
}
