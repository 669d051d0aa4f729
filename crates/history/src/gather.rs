//! Rows made into runs, and what is wrong with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::roles::{Record, records};
use crate::survey::survey;
use crate::table::Table;
use crate::{Columns, Findings, HistoryError, MetricSpec};

/// A metric at a step of a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// The step of training; 0 where the data has no steps.
    pub step: f64,
    /// What was measured; always finite.
    pub value: f64,
    /// Floating-point operations up to there.
    pub flops: Option<f64>,
    /// Tokens trained on up to there.
    pub tokens: Option<f64>,
    /// Seconds of training up to there.
    pub seconds: Option<f64>,
}

/// One run: an arm at a size with a seed, and what it measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunHistory {
    /// The side of the comparison.
    pub arm: String,
    /// The size of the model, as the data writes it; `one size` where it says none.
    pub size: String,
    /// The size as a number, where it is one: parameters.
    pub params: Option<f64>,
    /// The seed, or the number of the run within its arm and size where the data has none.
    pub seed: String,
    /// The run's name, or its file.
    pub name: String,
    /// Curves by metric, in the order of steps; a metric that the run did not measure is not there.
    pub metrics: BTreeMap<String, Vec<Point>>,
    /// The step from which on the primary metric was no number until the end, if it was.
    pub diverged: Option<f64>,
}

impl RunHistory {
    /// The last point of a metric's curve.
    pub fn last(&self, metric: &str) -> Option<&Point> {
        self.metrics.get(metric)?.last()
    }

    /// How messages call it: `base, 1M, seed 3`.
    pub fn label(&self) -> String {
        format!("{}, {}, seed {}", self.arm, self.size, self.seed)
    }
}

/// The runs that were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gathered {
    /// The runs that can be compared, by arm and size in the order in which they first occur, then by seed as found.
    pub runs: Vec<RunHistory>,
    /// Runs that are left out, with the primary metric's curve where they have one: diverged, unfinished, or with a seed
    /// that stands twice. [`Gathered::findings`] says why.
    pub left_out: Vec<RunHistory>,
    /// Everything that was wrong.
    pub findings: Findings,
}

/// Makes runs of tables. `metrics` are the primary metric and then the others; `findings` are those of the reading.
///
/// # Errors
/// [`HistoryError`] if a column that is named, or needed, is in no table, or no row belongs to a run.
pub fn gather(
    tables: &[Table],
    columns: &Columns,
    metrics: &[MetricSpec],
    findings: Findings,
) -> Result<Gathered, HistoryError> {
    let (runs, findings) = collect(tables, columns, metrics, findings)?;
    Ok(survey(runs, tables, metrics, columns.at, findings))
}

/// The runs as they are, before they are compared with each other.
pub(crate) fn collect(
    tables: &[Table],
    columns: &Columns,
    metrics: &[MetricSpec],
    mut findings: Findings,
) -> Result<(Vec<RunHistory>, Findings), HistoryError> {
    let records = records(tables, columns, metrics, &mut findings)?;
    if records.is_empty() {
        let hint = findings
            .list()
            .first()
            .map_or_else(|| "check what `where` asks for".to_owned(), |f| format!("the first reason: {f}"));
        let rows: usize = tables.iter().map(|t| t.rows.len()).sum();
        let message = format!("none of the {rows} rows belongs to a run");
        return Err(HistoryError::Nothing { message, hint });
    }
    let with_seeds = records.iter().any(|r| r.seed.is_some());
    let mut runs = assemble(&records, columns, metrics, &mut findings);
    if !with_seeds {
        number(&mut runs);
        // A fit pairs nothing.
        if columns.only_arm.is_none() {
            findings.note(
                "seed",
                "all runs",
                "no column says the seed",
                "runs are numbered, and paired, in the order in which they stand",
            );
        }
    }
    Ok((runs, findings))
}

/// Groups records by what run they belong to, in the order in which runs first occur.
fn assemble(
    records: &[Record],
    columns: &Columns,
    metrics: &[MetricSpec],
    findings: &mut Findings,
) -> Vec<RunHistory> {
    let mut order: BTreeMap<(&str, &str, Option<&str>, &str, usize), usize> = BTreeMap::new();
    let mut groups: Vec<Vec<&Record>> = Vec::new();
    for (i, record) in records.iter().enumerate() {
        // Without steps, a row is a run.
        let row = if record.step.is_none() { i } else { 0 };
        let key =
            (record.arm.as_str(), record.size.as_str(), record.seed.as_deref(), record.run.as_str(), row);
        let at = *order.entry(key).or_insert_with(|| {
            groups.push(Vec::new());
            groups.len() - 1
        });
        groups[at].push(record);
    }
    groups.into_iter().map(|group| run(&group, columns, metrics, findings)).collect()
}

fn run(group: &[&Record], columns: &Columns, metrics: &[MetricSpec], findings: &mut Findings) -> RunHistory {
    let first = group[0];
    let mut run = RunHistory {
        arm: first.arm.clone(),
        size: first.size.clone(),
        params: first.params,
        seed: first.seed.clone().unwrap_or_default(),
        name: first.run.clone(),
        metrics: BTreeMap::new(),
        diverged: None,
    };
    for (i, metric) in metrics.iter().enumerate() {
        // By step; a later row stands for an earlier one of the same step.
        let mut by_step: Vec<(Point, &Record)> = Vec::new();
        for record in group {
            let Some(value) = record.values[i] else { continue };
            let step = record.step.unwrap_or(0.0);
            if columns.at.is_some_and(|at| step > at) {
                continue;
            }
            let point =
                Point { step, value, flops: record.flops, tokens: record.tokens, seconds: record.seconds };
            let at = by_step.partition_point(|(p, _)| p.step < step);
            match by_step.get_mut(at) {
                Some((p, earlier)) if p.step == step => {
                    if p.value != value && p.value.is_finite() && value.is_finite() {
                        let what =
                            format!("`{}` stands twice for one step of a run, with two values", metric.name);
                        let consequence = format!("the later row counts ({})", record.place);
                        findings.note(&first.run, &earlier.place, what, consequence);
                    }
                    *p = point;
                    *earlier = record;
                }
                _ => by_step.insert(at, (point, record)),
            }
        }
        if i == 0 && by_step.last().is_some_and(|(p, _)| !p.value.is_finite()) {
            let from = by_step.iter().rposition(|(p, _)| p.value.is_finite()).map_or(0, |at| at + 1);
            run.diverged = Some(by_step[from].0.step);
        }
        let curve: Vec<Point> = by_step.into_iter().map(|(p, _)| p).filter(|p| p.value.is_finite()).collect();
        if !curve.is_empty() {
            run.metrics.insert(metric.name.clone(), curve);
        }
    }
    run
}

/// Gives the runs of an arm and size the numbers 1, 2, … for seeds.
fn number(runs: &mut [RunHistory]) {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for run in runs {
        let n = counts.entry((run.arm.clone(), run.size.clone())).or_default();
        *n += 1;
        run.seed = n.to_string();
    }
}
