//! The verdict and the numbers behind it: what every report begins with, whoever made the runs.

use maud::{Markup, html};

use super::chart::{self, Effect};
use super::ladder_chart::{self, Fan, PathPoint, RungMark};
use super::table;
use crate::bet::Require;
use crate::figures;
use crate::judge::{
    Defined, DropReason, GuardrailChange, GuardrailState, Judgement, Ruling, RungJudgement, Scale,
};
use crate::ledger::Coverage;
use crate::rule::plural;
use crate::score::title_of;
use crate::verdict_text::multiplier_in_words;

/// What stands above the verdict.
pub(super) struct Heading<'a> {
    /// Kind and name of what was judged.
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) notes: Vec<&'a str>,
    pub(super) question: &'a str,
}

pub(super) fn section(heading: &Heading<'_>, j: &Judgement) -> Markup {
    let (class, because) = match j.ruling {
        Ruling::Ship => ("ship", ""),
        Ruling::Undecided => ("undecided", ""),
        Ruling::Drop(reason) => (
            "drop",
            match reason {
                DropReason::Harm => "it does harm",
                DropReason::Equal => "it makes no difference",
                DropReason::Fades => "the gain fades with scale",
                DropReason::Futile => "it is not going to ship",
            },
        ),
    };
    html! {
        header {
            div.eyebrow {
                span { (heading.kind) " " b { (heading.name) } }
                @for note in &heading.notes { span { (note) } }
            }
            @if !heading.question.is_empty() { p.question { (heading.question) } }
            h1 class=(format!("ruling {class}")) {
                (j.ruling)
                @if !because.is_empty() { small { (because) } }
            }
            p.sentence { (j.sentence) }
            @for reason in &j.reasons { p.note { (reason) } }
            (keys(j))
            @let effects = effects(j);
            @if !effects.is_empty() {
                figure {
                    (chart::forest(&effects, j.rule.on_scale(j.rule.margin), &|v| tick(j, v)))
                    p.note {
                        (if j.rule.scale == Scale::Multiplier { "Compute multiplier of the candidate by size, on a logarithmic axis." } else { "Improvement of the candidate by size." })
                        " Bar: " (j.rule.confidence()) " interval over all looks together. Small rings: the single pairs of "
                        "runs. The largest size decides."
                    }
                }
            }
            @if !j.next.is_empty() {
                h3 { "What would decide it" }
                ul { @for n in &j.next { li { (n) } } }
            }
            @if !j.caveats.is_empty() {
                h3 { "To bear in mind" }
                ul { @for c in &j.caveats { li { (c) } } }
            }
        }
    }
}

fn keys(j: &Judgement) -> Markup {
    let Some((top, effect)) = j.top().and_then(|t| Some((t, t.effect.value()?))) else { return html! {} };
    html! {
        div.keys {
            div {
                strong {
                    (j.rule.say(effect.mean))
                    @if j.rule.scale == Scale::Metric { small { (figures::unit(&j.rule.metric)) } }
                }
                span {
                    (if j.rule.scale == Scale::Multiplier { "the baseline's compute, at " } else { "improvement at " })
                    (top.rung)
                }
            }
            div {
                strong { (j.rule.say_interval(effect.low, effect.high)) }
                span { (j.rule.confidence()) " interval" }
            }
            @if j.rule.scale == Scale::Metric {
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
            @if let Defined::Value(l) = &j.ladder {
                div {
                    strong { (figures::share(l.probability)) }
                    span { "probability of a gain at the target, " (figures::flops(l.target)) }
                }
            }
        }
    }
}

fn tick(j: &Judgement, v: f64) -> String {
    match j.rule.scale {
        Scale::Multiplier => format!("{}×", figures::tick((v.exp() * 1000.0).round() / 1000.0)),
        Scale::Metric => figures::tick_of(&j.rule.metric, v),
    }
}

fn effects(j: &Judgement) -> Vec<Effect> {
    j.rungs
        .iter()
        .filter_map(|r| {
            let e = r.effect.value()?;
            Some(Effect {
                name: r.rung.clone(),
                value: e.mean,
                interval: e.interval(),
                pairs: r.pairs.iter().filter_map(|p| p.effect).collect(),
                words: format!("{}   ({})", j.rule.say(e.mean), j.rule.say_interval(e.low, e.high)),
            })
        })
        .collect()
}

/// The extrapolation, if there is one.
pub(super) fn extrapolation(j: &Judgement) -> Markup {
    let Defined::Value(l) = &j.ladder else {
        let Defined::Undefined(why) = &j.ladder else { return html! {} };
        return html! { section { h2 { "Beyond the ladder" } p.lead { "No prediction: " (why) "." } } };
    };
    let rungs: Vec<RungMark> = j
        .rungs
        .iter()
        .filter_map(|r| {
            let e = r.effect.value()?;
            Some(RungMark { name: r.rung.clone(), flops: r.flops[0]?, mean: e.mean, interval: e.interval() })
        })
        .collect();
    let test = l.back_test.value();
    let fan = Fan {
        rungs,
        fan: &l.fan,
        back_test: test.map(|t| [t.predicted, t.low, t.high]),
        target: l.target,
        margin: j.rule.on_scale(j.rule.margin),
    };
    html! {
        section {
            h2 { "Beyond the ladder" }
            p.lead {
                "At the target the ladder predicts " (j.rule.say(l.at_target)) ", 90 % interval "
                (j.rule.say_interval(Some(l.low), Some(l.high))) ". With each factor ten of compute the effect changes by "
                (slope(j, l.slope)) " ± " (slope(j, l.slope_error).trim_start_matches(['+', '−'])) "."
            }
            figure { (ladder_chart::fan(&fan, &|v| tick(j, v))) }
            p.note {
                "Dashed line and band: prediction and its 90 % interval, by a line in the logarithm of compute with a misfit of "
                "every size of its own. Diamond: the largest size as the smaller ones predict it"
                @match test {
                    Some(t) => {
                        ", " (j.rule.say(t.predicted)) " (90 % " (j.rule.say_interval(Some(t.low), Some(t.high)))
                        "); measured " (j.rule.say(t.measured)) @if t.holds() { ", inside." } @else { ", outside." }
                    },
                    None => ".",
                }
            }
        }
    }
}

fn slope(j: &Judgement, v: f64) -> String {
    match j.rule.scale {
        Scale::Multiplier => {
            let sign = if v < 0.0 { "−" } else { "+" };
            format!("{sign}{}", figures::share(v.abs().exp_m1()))
        }
        Scale::Metric => figures::difference(&j.rule.metric, v),
    }
}

/// How the effect at the largest size came about, pair by pair.
pub(super) fn path(j: &Judgement) -> Markup {
    let Some(top) = j.top().filter(|t| !t.path.is_empty()) else { return html! {} };
    let points: Vec<PathPoint> = top
        .path
        .iter()
        .map(|s| PathPoint { n: s.n, mean: s.mean, interval: s.low.zip(s.high), decides: s.decides })
        .collect();
    html! {
        section {
            h2 { "Pair by pair" }
            p.lead {
                "The effect at " (top.rung) " after each pair, with the interval of that time. All intervals hold together in "
                (j.rule.confidence()) " of bets, so that looking early costs nothing. Filled: a registered look; ring: not one."
            }
            figure {
                (ladder_chart::path(&points, j.rule.on_scale(j.rule.margin), j.rule.cap_of(&top.rung), &|v| tick(j, v)))
            }
        }
    }
}

/// How the engine's predictions have fared so far.
pub(super) fn ledger(coverage: &Coverage) -> Markup {
    html! {
        section {
            h2 { "How far to trust the predictions" }
            p.lead {
                "Every prediction of this engine in this folder of runs is kept, right or wrong: " (coverage) "."
            }
        }
    }
}

pub(super) fn by_size(j: &Judgement) -> Markup {
    let metric = &j.rule.metric;
    let mut head = vec!["size", "compute a run", "pairs", "baseline", "candidate", "improvement"];
    head.push(if j.rule.scale == Scale::Multiplier { "compute multiplier" } else { "interval" });
    head.push(if j.rule.scale == Scale::Multiplier { "by time" } else { "compute multiplier" });
    head.push("evidence");
    let rows: Vec<Vec<Markup>> = j.rungs.iter().map(|r| size_row(j, r)).collect();
    html! {
        section {
            h2 { "By size" }
            p.lead {
                "The primary metric, " (title_of(metric)) (figures::unit(metric).replacen(' ', ", in ", 1)) ": "
                (j.rule.direction) " is better. Means over pairs. Evidence is an e-value against no effect: 20 is worth what "
                "p = 0.05 is, and may be looked at at any time."
            }
            (table(&head, &rows))
            @for r in &j.rungs {
                @if let (Defined::Undefined(why), false) = (&r.multiplier, r.pairs.is_empty()) {
                    p.note { "No multiplier at " (r.rung) ": " (why) "." }
                }
            }
            (guardrails(j))
            (pairs(j))
            p.note { "Noise: " (j.noise) }
        }
    }
}

fn size_row(j: &Judgement, r: &RungJudgement) -> Vec<Markup> {
    let metric = &j.rule.metric;
    let [before, after] = figures::both(metric, r.means);
    let effect = r.effect.value();
    let multiplier = match &r.multiplier {
        Defined::Value(m) => html! { span.wrap { (multiplier_in_words(m)) } },
        Defined::Undefined(_) => html! { small { "undefined" } },
    };
    let mut row = vec![
        html! { (r.rung) },
        html! { (r.flops[0].map_or("–".into(), figures::flops)) },
        html! { (r.pairs.len()) },
        html! { (before) },
        html! { (after) },
        html! { strong { (figures::difference(metric, r.improvement)) } },
    ];
    match j.rule.scale {
        Scale::Multiplier => {
            row.push(multiplier);
            row.push(
                html! { span.wrap { (r.time_multiplier.map_or("–".into(), |m| multiplier_in_words(&m))) } },
            );
        }
        Scale::Metric => {
            row.push(html! { (effect.map_or("–".into(), |e| j.rule.say_interval(e.low, e.high))) });
            row.push(multiplier);
        }
    }
    row.push(html! { (effect.map_or("–".into(), |e| figures::evidence(e.evidence))) });
    row
}

fn guardrails(j: &Judgement) -> Markup {
    let rows: Vec<Vec<Markup>> = j
        .guardrails
        .iter()
        .map(|g| {
            let number = |f: &dyn Fn(&GuardrailChange) -> String| g.change.value().map_or("–".to_owned(), f);
            let margin = figures::margin(&g.metric, g.margin);
            vec![
                html! { (title_of(&g.metric)) },
                html! { (number(&|c| figures::value(&g.metric, c.means[0]))) },
                html! { (number(&|c| figures::value(&g.metric, c.means[1]))) },
                html! { strong { (number(&|c| figures::difference(&g.metric, c.effect.mean))) } },
                html! { (number(&|c| figures::interval(&g.metric, c.effect.interval()))) },
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
        @if let Some(s) = &j.stability {
            @let told = |i: usize| {
                let arm = s.arms[i];
                let spikes = match arm.steps > 0.0 {
                    true => format!(", {} of the loss in {} steps", plural(arm.spikes as usize, "spike", "spikes"), figures::count(arm.steps)),
                    false => String::new(),
                };
                format!("{} of {} runs diverged{spikes}", arm.diverged, arm.runs)
            };
            p.note {
                "Stability, over all sizes: baseline " (told(0)) "; candidate " (told(1)) "."
                @if s.against.is_empty() { " Nothing here forbids a SHIP." } @else { strong.drop { " This forbids a SHIP." } }
            }
        }
    }
}

fn pairs(j: &Judgement) -> Markup {
    let metric = &j.rule.metric;
    let rows: Vec<Vec<Markup>> = j
        .rungs
        .iter()
        .flat_map(|r| r.pairs.iter().map(move |p| (&r.rung, p)))
        .map(|(rung, p)| {
            let [before, after] = figures::both(metric, p.values);
            vec![
                html! { (rung) ", " (p.label) },
                html! { (before) },
                html! { (after) },
                html! { (figures::difference(metric, p.improvement)) },
                html! { (p.effect.map_or("–".into(), |e| j.rule.say(e))) },
            ]
        })
        .collect();
    html! {
        details {
            summary { "Every pair of runs" }
            (table(&["pair", "baseline", "candidate", "improvement", "effect"], &rows))
            @for r in &j.rungs {
                @if let Some(e) = r.effect.value() {
                    p.note {
                        (r.rung) ": standard deviation of a pair " (figures::digits(e.sd)) " on " (figures::digits(e.df))
                        " degrees of freedom, standard error of the mean " (figures::digits(e.error))
                        @if e.items > 0.0 { ", of which the choice of test items " (figures::digits(e.items)) }
                        @if e.noisier { "; noisier than the archive says" }
                        "."
                    }
                }
            }
        }
    }
}
