//! The report on runs that are not ours: the judgement, the curves and the cost.

use std::collections::BTreeSet;

use maud::{Markup, html};

use super::chart::{self, Series};
use super::{answer, curves, page, table};
use crate::bet::Arm;
use crate::figures;
use crate::judge::{Judgement, RunRow, RunTable};
use crate::ledger::Coverage;

/// Renders a judgement of a plain table of runs as one HTML page that loads nothing from elsewhere. `name` is the
/// question or says what was judged, `notes` where the runs come from; `ledger` is how the engine's predictions have fared so far.
pub fn render_judgement(
    name: &str,
    notes: &[String],
    judgement: &Judgement,
    table: &RunTable,
    ledger: Option<&Coverage>,
) -> String {
    let arms = format!("{} against {}", judgement.candidate, judgement.baseline);
    let heading =
        answer::Heading { kind: "Groundwork verdict", name: &arms, notes: Vec::new(), question: name };
    let body = html! {
        (answer::section(&heading, judgement))
        (about(notes))
        (answer::by_size(judgement))
        (answer::extrapolation(judgement))
        (answer::path(judgement))
        (curves::compute(judgement))
        (runs(judgement, table))
        (cost(judgement, table))
        @if let Some(ledger) = ledger { (answer::ledger(ledger)) }
        footer {
            "Judged by rule version " (judgement.judge) " with " (judgement.baseline) " as the baseline and "
            (judgement.candidate) " as the candidate. This file loads nothing from elsewhere."
        }
    };
    page(&format!("{} – {name}", judgement.ruling), &body)
}

/// Where the runs come from, what was assumed and what is wrong with them.
fn about(notes: &[String]) -> Markup {
    html! {
        @if !notes.is_empty() {
            section {
                h2 { "About these runs" }
                ul { @for note in notes { li { (note) } } }
            }
        }
    }
}

/// The runs of both arms, the baseline's first.
fn of_arms<'a>(j: &Judgement, table: &'a RunTable) -> [Vec<&'a RunRow>; 2] {
    [&j.baseline, &j.candidate].map(|arm| table.runs.iter().filter(|r| r.arm == *arm).collect())
}

fn runs(j: &Judgement, table: &RunTable) -> Markup {
    let arms = of_arms(j, table);
    let rungs: Vec<&str> = j.rungs.iter().map(|r| r.rung.as_str()).rev().collect();
    if arms.iter().flatten().all(|r| r.curve.len() < 2) {
        return html! {};
    }
    html! {
        section {
            h2 { "Curves" }
            p.lead { "Means over runs with the single runs behind them. The steep start is cut by the frame." }
            div.multiples {
                @for rung in rungs { (rung_panel(rung, &arms)) }
            }
        }
    }
}

fn rung_panel(rung: &str, arms: &[Vec<&RunRow>; 2]) -> Markup {
    let mut series = Vec::new();
    for (arm, rows) in Arm::BOTH.into_iter().zip(arms) {
        let runs: Vec<Vec<(f64, f64)>> = rows
            .iter()
            .filter(|r| r.rung == rung && r.curve.len() > 1)
            .map(|r| curves::in_stretches(&r.curve))
            .collect();
        let mean = curves::mean_of(&runs);
        series.extend(runs.into_iter().map(|points| Series { arm, points, thin: true }));
        if !mean.is_empty() {
            series.push(Series { arm, points: mean, thin: false });
        }
    }
    html! {
        @if !series.is_empty() {
            figure style="margin:0" { (chart::panel(rung, &series, ["baseline", "candidate"], &figures::count_tick)) }
        }
    }
}

fn cost(j: &Judgement, runs: &RunTable) -> Markup {
    let arms = of_arms(j, runs);
    let rungs: BTreeSet<&str> = j.rungs.iter().map(|r| r.rung.as_str()).collect();
    let sum = |field: fn(&RunRow) -> Option<f64>, say: fn(f64) -> String| {
        arms.each_ref().map(|rows| {
            let counted: Vec<f64> =
                rows.iter().filter(|r| rungs.contains(r.rung.as_str())).filter_map(|r| field(r)).collect();
            let text = if counted.is_empty() { "–".to_owned() } else { say(counted.iter().sum()) };
            html! { (text) }
        })
    };
    let row = |name: &str, cells: [Markup; 2]| {
        let [b, c] = cells;
        vec![html! { (name) }, b, c]
    };
    let rows = vec![
        row("runs", arms.each_ref().map(|rows| html! { (rows.len()) })),
        row("training compute", sum(|r| r.flops, figures::flops)),
        row("training time, summed over runs", sum(|r| r.seconds, figures::time)),
    ];
    html! {
        section {
            h2 { "What it cost" }
            (table(&["", "baseline", "candidate"], &rows))
        }
    }
}
