//! Sample rollouts: both arms at the same task, side by side.

use std::collections::BTreeMap;

use groundwork_trace::{Span, Trace};
use maud::{Markup, html};

use crate::bet::Arm;
use crate::result::BetResult;
use crate::rule::plural;
use crate::score::Score;

type Task<'a> = (&'a str, u32, u64, &'a str);

/// Who solved a task.
const OUTCOMES: [(bool, bool, &str); 4] = [
    (false, true, "Only the candidate solves it"),
    (true, false, "Only the baseline solves it"),
    (true, true, "Both solve it"),
    (false, false, "Neither solves it"),
];

pub(super) fn section(result: &BetResult) -> Markup {
    let registered = &result.registration.content;
    let (Some(size), Some(&seed)) = (registered.sizes.last(), registered.seeds.first()) else {
        return html! {};
    };
    let attempts = |arm| -> BTreeMap<Task<'_>, &Score> {
        let scores = result.cell(arm, size, seed).map_or(&[][..], |c| c.scores.as_slice());
        // Of several attempts at a task, the first.
        scores
            .iter()
            .rev()
            .filter_map(|s| Some(((s.world.as_str(), s.level, s.seed, s.fault.as_deref()?), s)))
            .collect()
    };
    let [baseline, candidate] = Arm::BOTH.map(attempts);
    let both: Vec<(&Score, &Score)> =
        baseline.iter().filter_map(|(t, b)| Some((*b, *candidate.get(t)?))).collect();
    if both.is_empty() {
        return html! {};
    }
    let mut shown_worlds: Vec<&str> = Vec::new();
    let mut samples = Vec::new();
    for (b_solves, c_solves, title) in OUTCOMES {
        let fitting: Vec<&(&Score, &Score)> =
            both.iter().filter(|(b, c)| (b.success, c.success) == (b_solves, c_solves)).collect();
        // A task whose fault showed itself says more than one that went by, and each world gets its turn.
        let first = fitting.iter().min_by_key(|(b, c)| {
            let met = usize::from(b.fault_met) + usize::from(c.fault_met);
            (2 - met, shown_worlds.iter().filter(|w| **w == b.world).count())
        });
        if let Some((b, _)) = first {
            shown_worlds.push(&b.world);
        }
        samples.push((title, fitting.len(), first.map(|pair| **pair)));
    }
    html! {
        section {
            h2 { "Side by side" }
            p.lead {
                "Both arms at the same tasks with an injected fault, at " (size) ", seed " (seed) ". One task for each outcome, "
                "the first in which the fault showed itself; how common each outcome is stands beside it."
            }
            @for (i, (title, count, sample)) in samples.iter().enumerate() {
                details open[i < 2 && sample.is_some()] {
                    summary {
                        (title)
                        small { (count) " of " (plural(both.len(), "task", "tasks")) }
                    }
                    @match sample {
                        Some((b, c)) => {
                            p.note {
                                (b.world) ", level " (b.level) ", task " (b.seed)
                                @if let Some(fault) = &b.fault { ", fault: " (fault) }
                            }
                            div.pair {
                                (rollout("b", result.label(Arm::Baseline), b))
                                (rollout("c", result.label(Arm::Candidate), c))
                            }
                        }
                        None => { p.note { "No such task." } }
                    }
                }
            }
        }
    }
}

fn rollout(class: &str, label: &str, score: &Score) -> Markup {
    let trace = Trace::parse(&score.transcript);
    html! {
        div {
            h4 class=(class) {
                (label)
                span {
                    @if score.success { "solved" } @else { "not solved (" (score.ended) ")" }
                    " in " (plural(score.steps as usize, "step", "steps"))
                }
            }
            @match &trace {
                Ok(trace) => { @for s in &trace.spans { (span(s)) } }
                Err(_) => { pre { (score.transcript) } }
            }
        }
    }
}

fn span(s: &Span) -> Markup {
    const LIMIT: usize = 400;
    let long = s.body.chars().count() > LIMIT;
    let body: String = s.body.chars().take(LIMIT).collect();
    let class = match (&s.fault, s.failed) {
        (Some(_), _) => "span fault",
        (None, true) => "span failed",
        (None, false) => "span",
    };
    html! {
        div class=(class) {
            span { (s.kind.keyword()) }
            div {
                @if let Some(fault) = &s.fault { em { "fault: " (fault) } }
                @if s.failed { em { "failed action" } }
                code { (body) @if long { " …" } }
            }
        }
    }
}
