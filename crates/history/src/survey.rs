//! Runs compared with each other: what is there twice, what ended early, what one arm has and the other lacks.

use std::collections::{BTreeMap, BTreeSet};

use crate::gather::{Gathered, RunHistory};
use crate::table::Table;
use crate::{Findings, MetricSpec};

pub(crate) fn survey(
    runs: Vec<RunHistory>,
    tables: &[Table],
    metrics: &[MetricSpec],
    at: Option<f64>,
    mut findings: Findings,
) -> Gathered {
    let mut left_out = Vec::new();
    let runs = once_a_seed(runs, &mut left_out, &mut findings);
    if let Some(primary) = metrics.first() {
        different_metrics(&runs, tables, metrics, &mut findings);
        let runs = measured(runs, &primary.name, &mut left_out, &mut findings);
        let runs = finished(runs, &primary.name, at, &mut left_out, &mut findings);
        return Gathered { runs, left_out, findings };
    }
    Gathered { runs, left_out, findings }
}

/// A seed that an arm ran more than once at a size counts only if all its runs say the same.
fn once_a_seed(
    runs: Vec<RunHistory>,
    left_out: &mut Vec<RunHistory>,
    findings: &mut Findings,
) -> Vec<RunHistory> {
    let mut cells: BTreeMap<(String, String, String), Vec<usize>> = BTreeMap::new();
    for (i, run) in runs.iter().enumerate() {
        cells.entry((run.arm.clone(), run.size.clone(), run.seed.clone())).or_default().push(i);
    }
    let (mut drop, mut conflicts) = (BTreeSet::<usize>::new(), BTreeSet::<usize>::new());
    for same in cells.values().filter(|same| same.len() > 1) {
        let first = &runs[same[0]];
        let what = format!("the seed stands {} times in its arm and size", same.len());
        if same.iter().all(|i| runs[*i].metrics == first.metrics) {
            drop.extend(&same[1..]);
            findings.note("repeated", first.label(), what, "all of them say the same, and it counts once");
        } else {
            conflicts.extend(same);
            let names: BTreeSet<&str> = same.iter().map(|i| runs[*i].name.as_str()).collect();
            let names: Vec<String> = names.into_iter().map(|n| format!("`{n}`")).collect();
            let what = format!("{what}, with different results ({})", names.join(", "));
            let consequence = "none of them is used, since to choose one would be to choose the result";
            findings.note("conflict", first.label(), what, consequence);
        }
    }
    let mut kept = Vec::new();
    for (i, run) in runs.into_iter().enumerate() {
        if conflicts.contains(&i) {
            left_out.push(run);
        } else if !drop.contains(&i) {
            kept.push(run);
        }
    }
    kept
}

/// Names arms of which no run has a metric that another arm's runs have.
fn different_metrics(runs: &[RunHistory], tables: &[Table], metrics: &[MetricSpec], findings: &mut Findings) {
    let arms: BTreeSet<&str> = runs.iter().map(|r| r.arm.as_str()).collect();
    for (i, metric) in metrics.iter().enumerate() {
        let has = |arm: &str| runs.iter().any(|r| r.arm == arm && r.metrics.contains_key(&metric.name));
        let without: Vec<&str> = arms.iter().copied().filter(|arm| !has(arm)).collect();
        if without.len() == arms.len() {
            let consequence = if i == 0 { "nothing can be said of it" } else { "it guards nothing" };
            let what = format!("no run has a number in `{}`", metric.column());
            findings.note("metric", format!("`{}`", metric.name), what, consequence);
            continue;
        }
        for arm in without {
            let what = format!("none of its runs has `{}`, which other arms have", metric.name);
            let near = near_names(runs, tables, arm, metric.column());
            let consequence = match near.as_slice() {
                [] => "the arm cannot be compared in it".to_owned(),
                names => {
                    format!("the arm cannot be compared in it; do its runs call it {}?", names.join(" or "))
                }
            };
            findings.note("metric", format!("arm {arm}"), what, consequence);
        }
    }
}

/// Columns of the tables with an arm's runs that are called much like `wanted`.
fn near_names(runs: &[RunHistory], tables: &[Table], arm: &str, wanted: &str) -> Vec<String> {
    let own: BTreeSet<&str> = runs.iter().filter(|r| r.arm == arm).map(|r| r.name.as_str()).collect();
    let letters = |s: &str| s.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let mut near: Vec<(f64, &String)> = tables
        .iter()
        .filter(|t| own.contains(t.run.as_str()) && t.column(wanted).is_none())
        .flat_map(Table::names)
        .map(|name| (strsim::jaro_winkler(&letters(wanted), &letters(name)), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter().take(2).map(|(_, name)| format!("`{name}`")).collect()
}

/// Leaves out runs without the primary metric, and those that diverged.
fn measured(
    runs: Vec<RunHistory>,
    primary: &str,
    left_out: &mut Vec<RunHistory>,
    findings: &mut Findings,
) -> Vec<RunHistory> {
    let mut kept = Vec::new();
    for run in runs {
        if let Some(step) = run.diverged {
            let what = format!("`{primary}` is no number from step {step} to the end: the run diverged");
            let consequence = "it is left out of the means, which flatters its arm";
            findings.note(&run.label(), run.label(), what, consequence);
            left_out.push(run);
        } else if run.metrics.contains_key(primary) {
            kept.push(run);
        } else {
            let what = format!("the run has no `{primary}`");
            findings.note(&run.arm, run.label(), what, "it is left out, and its pair with it");
        }
    }
    kept
}

/// Leaves out runs that do not end where the runs of their arm and size do, and says where arms end at different steps.
fn finished(
    runs: Vec<RunHistory>,
    primary: &str,
    at: Option<f64>,
    left_out: &mut Vec<RunHistory>,
    findings: &mut Findings,
) -> Vec<RunHistory> {
    let end = |run: &RunHistory| run.last(primary).map_or(0.0, |p| p.step);
    let mut cells: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for run in &runs {
        cells.entry((run.arm.clone(), run.size.clone())).or_default().push(end(run));
    }
    let mut usual: BTreeMap<(String, String), Option<f64>> = BTreeMap::new();
    for (cell, ends) in cells {
        let common = usual_end(&ends);
        if common.is_none() {
            let (low, high) =
                ends.iter().fold((f64::INFINITY, 0.0), |a, e| (f64::min(a.0, *e), f64::max(a.1, *e)));
            let what = format!("its runs end at different steps, {low} to {high}");
            findings.note("ends", format!("{}, {}", cell.0, cell.1), what, "each is taken at its own end");
        }
        usual.insert(cell, common);
    }
    let mut kept = Vec::new();
    for run in runs {
        let common = usual[&(run.arm.clone(), run.size.clone())];
        match common.filter(|c| *c != end(&run)) {
            None => kept.push(run),
            Some(common) => {
                let what = format!(
                    "`{primary}` ends at step {}, other runs of its arm and size at {common}",
                    end(&run)
                );
                let consequence = format!(
                    "the run is left out as unfinished or of another length{}",
                    if at.is_some() { "" } else { "; a step to compare at would keep it" }
                );
                findings.note(&run.label(), run.label(), what, consequence);
                left_out.push(run);
            }
        }
    }
    let mut sizes: BTreeMap<&str, Vec<(&str, f64)>> = BTreeMap::new();
    for ((arm, size), end) in &usual {
        sizes.entry(size).or_default().extend(end.map(|e| (arm.as_str(), e)));
    }
    for (size, ends) in sizes {
        if ends.iter().any(|(_, e)| *e != ends[0].1) {
            let list: Vec<String> = ends.iter().map(|(arm, e)| format!("{arm} at {e}")).collect();
            let what = format!("the arms end at different steps: {}", list.join(", "));
            let consequence =
                "each is taken at its end; only a column of cost can say whether that is equal compute";
            findings.note("arms end", size, what, consequence);
        }
    }
    kept
}

/// The step at which more than half of the runs end.
fn usual_end(ends: &[f64]) -> Option<f64> {
    let count = |e: f64| ends.iter().filter(|other| **other == e).count();
    ends.iter().copied().find(|e| count(*e) * 2 > ends.len())
}
