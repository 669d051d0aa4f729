//! Score against compute, and loss by span kind over tokens.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::chart::{self, Against, Dot, Series};
use crate::bet::Arm;
use crate::event_log::CurvePoint;
use crate::figures;
use crate::judge::{BackTest, Defined, Judgement, PowerLaw};
use crate::result::{BetResult, CellResult};
use crate::score::title_of;

pub(super) fn compute(j: &Judgement) -> Markup {
    let metric = &j.rule.metric;
    let arms: Vec<Against> = Arm::BOTH
        .into_iter()
        .enumerate()
        .map(|(i, arm)| {
            let rungs = j
                .rungs
                .iter()
                .filter(|r| !r.pairs.is_empty())
                .filter_map(|r| {
                    let flops = r.flops[i]?;
                    Some(Dot {
                        flops,
                        value: r.means[i],
                        seeds: r.pairs.iter().map(|p| p.values[i]).collect(),
                        names: [r.rung.clone(), figures::flops(flops)],
                    })
                })
                .collect::<Vec<_>>();
            let fit = j.power_laws[i].value().map_or_else(Vec::new, |law| sampled(law, &rungs));
            Against { arm, label: [&j.baseline, &j.candidate][i].clone(), rungs, fit }
        })
        .collect();
    if arms.iter().all(|a| a.rungs.is_empty()) {
        return html! {};
    }
    html! {
        section {
            h2 { "Score against compute" }
            p.lead {
                "Each size of the ladder at the training compute of one run: means over pairs, the single runs as small rings. "
                "Dashed: the fitted power law."
            }
            figure {
                (chart::against_compute(
                    &arms,
                    &format!("{}{}", title_of(metric), figures::unit(metric).replacen(' ', ", ", 1)),
                    &|v| figures::tick_of(metric, v),
                ))
            }
            @for (i, arm) in Arm::BOTH.into_iter().enumerate() {
                p.note { (fit_in_words(arm, &j.power_laws[i], &j.back_tests[i], metric)) }
            }
        }
    }
}

fn sampled(law: &PowerLaw, rungs: &[Dot]) -> Vec<(f64, f64)> {
    let (Some(first), Some(last)) = (rungs.first(), rungs.last()) else { return Vec::new() };
    let (low, high) = (first.flops.ln(), last.flops.ln());
    (0..=40).map(|i| (low + (high - low) * f64::from(i) / 40.0).exp()).map(|c| (c, law.at(c))).collect()
}

fn fit_in_words(arm: Arm, law: &Defined<PowerLaw>, test: &Defined<BackTest>, metric: &str) -> String {
    let name = if arm == Arm::Baseline { "Baseline" } else { "Candidate" };
    let fit = match law {
        Defined::Value(law) => format!(
            "{name}: falls as compute to the power −{}{}{}.",
            figures::digits(law.exponent),
            if law.floor > 0.0 {
                format!(" towards {}", figures::value(metric, law.floor))
            } else {
                String::new()
            },
            if law.sizes > 2 {
                format!(", misfit {}", crate::rule::percent(law.misfit))
            } else {
                ", two points, so the line is exact".into()
            },
        ),
        Defined::Undefined(why) => format!("{name}: no power law, {why}."),
    };
    let test = match test {
        Defined::Value(test) => format!(
            " Back-test: the smaller sizes predict {} for the largest, measured {}, an error of {:+.1} %.",
            figures::value(metric, test.predicted),
            figures::value(metric, test.measured),
            test.error() * 100.0
        ),
        Defined::Undefined(why) => format!(" No back-test: {why}."),
    };
    fit + &test
}

/// The order in which span kinds are shown; others follow by name.
const KINDS: [&str; 11] = [
    "action",
    "reflection",
    "error",
    "observation",
    "plan",
    "thought",
    "answer",
    "goal",
    "system",
    "tools",
    "text",
];

pub(super) fn losses(result: &BetResult) -> Markup {
    let sizes = &result.registration.content.sizes;
    html! {
        section {
            h2 { "Loss by span kind" }
            p.lead {
                "Training loss in nats a token over tokens seen, means over seeds with the single runs behind them. Each arm "
                "is measured on its own training data, so a gap between the arms may be one between the data; the test "
                "is in the sections above. The steep start is cut by the frame."
            }
            @for (i, size) in sizes.iter().rev().enumerate() {
                @if i == 0 {
                    h3 { (size) }
                    (panels(result, size))
                } @else {
                    details { summary { (size) } (panels(result, size)) }
                }
            }
        }
    }
}

fn panels(result: &BetResult, size: &str) -> Markup {
    let arms = Arm::BOTH.map(|arm| result.at(arm, size));
    let found: BTreeSet<&str> = arms
        .iter()
        .flatten()
        .flat_map(|c| c.curve.iter().flat_map(|p| p.by_kind.keys().map(String::as_str)))
        .collect();
    let mut kinds: Vec<&str> = KINDS.into_iter().filter(|k| found.contains(k)).collect();
    kinds.extend(found.iter().filter(|k| !KINDS.contains(k)));
    html! {
        @if arms.iter().flatten().all(|c| c.curve.is_empty()) { p.note { "No steps were logged." } }
        div.multiples {
            (panel("all, weighted", &arms, &|p| Some(p.loss)))
            @for kind in kinds { (panel(kind, &arms, &|p| p.by_kind.get(kind).copied())) }
        }
    }
}

fn panel(title: &str, arms: &[Vec<&CellResult>; 2], of: &dyn Fn(&CurvePoint) -> Option<f64>) -> Markup {
    let mut series = Vec::new();
    for (arm, cells) in Arm::BOTH.into_iter().zip(arms) {
        let runs: Vec<Vec<(f64, f64)>> = cells.iter().map(|c| thinned(&c.curve, of)).collect();
        let mean = mean_of(&runs);
        series.extend(runs.into_iter().map(|points| Series { arm, points, thin: true }));
        if !mean.is_empty() {
            series.push(Series { arm, points: mean, thin: false });
        }
    }
    html! {
        @if series.iter().any(|s| !s.points.is_empty()) {
            figure style="margin:0" { (chart::panel(title, &series, ["baseline", "candidate"], &figures::count_tick)) }
        }
    }
}

/// At most 120 points, each the mean of its stretch of the curve.
fn thinned(curve: &[CurvePoint], of: &dyn Fn(&CurvePoint) -> Option<f64>) -> Vec<(f64, f64)> {
    let points: Vec<(f64, f64)> = curve.iter().filter_map(|p| of(p).map(|v| (p.tokens as f64, v))).collect();
    in_stretches(&points)
}

/// At most 120 points, each the mean of its stretch.
pub(super) fn in_stretches(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let points: Vec<(f64, f64)> = points.iter().copied().filter(|p| p.1.is_finite()).collect();
    points
        .chunks(points.len().div_ceil(120).max(1))
        .map(|chunk| {
            let n = chunk.len() as f64;
            (chunk.iter().map(|p| p.0).sum::<f64>() / n, chunk.iter().map(|p| p.1).sum::<f64>() / n)
        })
        .collect()
}

pub(super) fn mean_of(runs: &[Vec<(f64, f64)>]) -> Vec<(f64, f64)> {
    let shortest = runs.iter().map(Vec::len).min().unwrap_or(0);
    let n = runs.len() as f64;
    (0..shortest)
        .map(|i| (runs.iter().map(|r| r[i].0).sum::<f64>() / n, runs.iter().map(|r| r[i].1).sum::<f64>() / n))
        .collect()
}
