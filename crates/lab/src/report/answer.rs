//! The verdict, what was asked, the rule, and the numbers by size.

use maud::{Markup, html};

use super::chart::{self, Effect};
use super::table;
use crate::bet::Require;
use crate::figures;
use crate::registration::Registration;
use crate::result::BetResult;
use crate::rule::percent;
use crate::scaling::Defined;
use crate::score::title_of;
use crate::verdict::{DropReason, GuardrailState, Ruling, Verdict};
use crate::verdict_text::multiplier_in_words;

pub(super) fn section(result: &BetResult, verdict: &Verdict) -> Markup {
    let registered = &result.registration.content;
    let metric = &verdict.primary.metric;
    let (class, because) = match verdict.ruling {
        Ruling::Ship => ("ship", ""),
        Ruling::Undecided => ("undecided", ""),
        Ruling::Drop(reason) => (
            "drop",
            match reason {
                DropReason::Harm => "it does harm",
                DropReason::Equal => "it makes no difference",
                DropReason::TooSmall => "it gains too little",
                DropReason::Guardrail => "a guardrail is broken",
            },
        ),
    };
    let confidence = percent(registered.decision.confidence);
    html! {
        header {
            div.eyebrow {
                span { "Groundwork bet " b { (registered.name) } }
                span { (result.registration.registered_at.get(..10).unwrap_or("")) }
                span { code { (result.registration.hash.get(..8).unwrap_or("")) } }
            }
            p.question { (registered.question) }
            h1 class=(format!("ruling {class}")) {
                (verdict.ruling)
                @if !because.is_empty() { small { (because) } }
            }
            p.sentence { (verdict.sentence) }
            @for reason in verdict.reasons.iter().filter(|r| **r != verdict.sentence) { p.note { (reason) } }
            @if let Some(top) = verdict.top() {
                div.keys {
                    div {
                        strong { (figures::difference(metric, top.difference.value)) small { (figures::unit(metric)) } }
                        span { "improvement at " (top.difference.size) }
                    }
                    div {
                        strong { (figures::interval(metric, top.difference.interval())) }
                        span { (confidence) " interval" }
                    }
                    div {
                        @match &top.multiplier {
                            Defined::Value(m) => {
                                strong { (figures::times(m.value)) }
                                span { "compute multiplier" @if m.extrapolated { ", extrapolated" } }
                            },
                            Defined::Undefined(why) => { strong { "–" } span { "no compute multiplier: " (why) } },
                        }
                    }
                }
                figure {
                    (chart::forest(&effects(verdict), verdict.primary.margin, &|v| figures::tick_of(metric, v)))
                    p.note {
                        "Improvement of the candidate by model size. Bar: " (confidence) " interval. Small rings: the "
                        "single pairs of runs. The largest size decides."
                    }
                }
            }
            @if !verdict.next.is_empty() {
                h3 { "What would decide it" }
                ul { @for n in &verdict.next { li { (n) } } }
            }
            @if !verdict.caveats.is_empty() {
                h3 { "To bear in mind" }
                ul { @for c in &verdict.caveats { li { (c) } } }
            }
        }
    }
}

fn effects(verdict: &Verdict) -> Vec<Effect> {
    let metric = &verdict.primary.metric;
    verdict
        .rungs
        .iter()
        .map(|r| Effect {
            name: r.difference.size.clone(),
            value: r.difference.value,
            interval: r.difference.interval(),
            pairs: r.difference.pairs.iter().map(|p| p.1).collect(),
            words: format!(
                "{}   ({})",
                figures::difference(metric, r.difference.value),
                figures::interval(metric, r.difference.interval())
            ),
        })
        .collect()
}

pub(super) fn rule(registration: &Registration) -> Markup {
    let c = &registration.content;
    html! {
        section {
            h2 { "What was asked, and how it is decided" }
            p.lead { "Frozen before the first training step, on " (registration.registered_at) "." }
            dl {
                dt { "Baseline" } dd { (c.labels[0]) }
                dt { "Candidate" } dd { (c.labels[1]) }
                dt { "Ladder" }
                dd {
                    (c.sizes.join(", ")) " parameters, " (crate::rule::plural(c.seeds.len(), "seed", "seeds"))
                    " each, " (c.cells.len()) " runs, both arms at equal compute and with the same seeds"
                }
            }
            ol { @for line in &c.rule { li { (line) } } }
        }
    }
}

pub(super) fn by_size(result: &BetResult, verdict: &Verdict) -> Markup {
    let metric = &verdict.primary.metric;
    let rows: Vec<Vec<Markup>> = verdict
        .rungs
        .iter()
        .map(|r| {
            let d = &r.difference;
            vec![
                html! { (d.size) },
                html! { (figures::flops(r.flops[0])) },
                html! { (figures::value(metric, d.baseline)) },
                html! { (figures::value(metric, d.candidate)) },
                html! { strong { (figures::difference(metric, d.value)) } },
                html! { (figures::interval(metric, d.interval())) },
                match &r.multiplier {
                    Defined::Value(m) => html! { (multiplier_in_words(m)) },
                    Defined::Undefined(_) => html! { small { "undefined" } },
                },
            ]
        })
        .collect();
    html! {
        section {
            h2 { "By size" }
            p.lead {
                "The primary metric, " (title_of(metric)) (figures::unit(metric).replacen(' ', ", in ", 1)) ": "
                (verdict.primary.direction) " is better. Means over seeds."
            }
            (table(&["size", "compute a run", "baseline", "candidate", "improvement", "interval", "compute multiplier"], &rows))
            @for r in &verdict.rungs {
                @if let Defined::Undefined(why) = &r.multiplier {
                    p.note { "No multiplier at " (r.difference.size) ": " (why) "." }
                }
            }
            (guardrails(verdict))
            (pairs(result, verdict))
        }
    }
}

fn guardrails(verdict: &Verdict) -> Markup {
    let rows: Vec<Vec<Markup>> = verdict
        .guardrails
        .iter()
        .map(|g| {
            let number =
                |f: &dyn Fn(&crate::Difference) -> String| g.difference.as_ref().map_or("–".to_owned(), f);
            let margin = figures::margin(&g.metric, g.margin);
            vec![
                html! { (title_of(&g.metric)) },
                html! { (number(&|d| figures::value(&g.metric, d.baseline))) },
                html! { (number(&|d| figures::value(&g.metric, d.candidate))) },
                html! { strong { (number(&|d| figures::difference(&g.metric, d.value))) } },
                html! { (number(&|d| figures::interval(&g.metric, d.interval()))) },
                html! {
                    @match g.require {
                        Require::Held => { "exclude −" (margin) }
                        Require::Unbroken => { "not show −" (margin) }
                    }
                },
                match g.state {
                    GuardrailState::Held => html! { "held" },
                    GuardrailState::Open => html! { span.undecided { "open" } },
                    GuardrailState::Broken => html! { strong.drop { "broken" } },
                },
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h3 { "Guardrails, at the largest size" }
            (table(&["metric", "baseline", "candidate", "change for the better", "interval", "must", "stands"], &rows))
        }
    }
}

fn pairs(result: &BetResult, verdict: &Verdict) -> Markup {
    let metric = &verdict.primary.metric;
    let rows: Vec<Vec<Markup>> = verdict
        .rungs
        .iter()
        .flat_map(|r| r.difference.pairs.iter().map(move |p| (&r.difference.size, p)))
        .map(|(size, (seed, gain))| {
            let value = |arm| {
                let metric_of =
                    |c: &crate::CellResult| c.metrics.get(metric).map(|m| figures::value(metric, m.value));
                result.cell(arm, size, *seed).and_then(metric_of).unwrap_or_default()
            };
            vec![
                html! { (size) ", seed " (seed) },
                html! { (value(crate::Arm::Baseline)) },
                html! { (value(crate::Arm::Candidate)) },
                html! { (figures::difference(metric, *gain)) },
            ]
        })
        .collect();
    html! {
        details {
            summary { "Every pair of runs" }
            (table(&["pair", "baseline", "candidate", "improvement"], &rows))
            @for r in &verdict.rungs {
                @if let (Some((sd, df)), Some(half)) = (r.difference.noise, r.difference.seed_half) {
                    p.note {
                        (r.difference.size) ": standard deviation between pairs " (figures::digits(sd)) " on "
                        (figures::digits(df)) " degrees of freedom; half-width over seeds " (figures::digits(half))
                        @if let Some((below, above)) = r.difference.task_halves {
                            ", over " (r.difference.tasks) " groups of tasks −" (figures::digits(below)) " and +"
                            (figures::digits(above))
                        }
                        "."
                    }
                }
            }
        }
    }
}
