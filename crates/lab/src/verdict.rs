//! The verdict on a bet: the judge's word on its runs, with what they cost.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bet::Arm;
use crate::judge::{ArchiveNoise, Calm, Group, Judgement, Outcome, PlannedRung, RunRow, RunTable, judge};
use crate::registration::write_atomically;
use crate::result::{BetResult, CellResult};
use crate::rule::plural;
use crate::score;
use crate::tuning::{self, TrialSummary};

/// What an arm cost, and how calmly it trained.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmCost {
    /// Runs.
    pub runs: usize,
    /// Floating-point operations of training.
    pub flops: f64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Seconds of training.
    pub train_seconds: f64,
    /// Seconds of evaluation.
    pub evaluation_seconds: f64,
    /// Largest memory of a training process.
    pub peak_memory_bytes: u64,
    /// Spikes of the loss: seven standard deviations above its mean over the 128 steps before.
    pub spikes: usize,
    /// Optimiser steps in which they were looked for.
    pub steps: u64,
    /// Incidents that the trainer reported, spikes apart.
    pub incidents: usize,
}

/// A verdict, as `verdict.json` holds it. A function of the registration and the runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// Hash of the registration that it answers.
    pub registration: String,
    /// The bet.
    pub name: String,
    /// What the judge says.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// Cost of baseline and candidate.
    pub cost: [ArmCost; 2],
    /// Cost of both arms' trials of learning rates, in neither of the above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning_cost: Option<ArmCost>,
    /// The trials of learning rates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<TrialSummary>,
}

impl ArmCost {
    fn of<'a>(cells: impl Iterator<Item = &'a CellResult>) -> ArmCost {
        let mut cost = ArmCost::default();
        for cell in cells {
            cost.runs += 1;
            cost.flops += cell.flops;
            cost.tokens += cell.tokens;
            cost.train_seconds += cell.seconds;
            cost.evaluation_seconds += cell.evaluation_seconds;
            cost.peak_memory_bytes = cost.peak_memory_bytes.max(cell.peak_memory_bytes);
            cost.spikes += cell.spikes.len();
            cost.steps += cell.curve.last().map_or(0, |p| p.step);
            cost.incidents += cell.incidents.iter().filter(|i| !i.is_spike()).count();
        }
        cost
    }
}

impl Verdict {
    /// Judges the runs of a bet by its registered rule. Runs may be missing: the verdict says what can be said without.
    pub fn of(result: &BetResult) -> Verdict {
        let registered = &result.registration.content;
        let (table, notes) = table(result);
        let noise: &ArchiveNoise = &registered.noise;
        let mut judgement = judge(&table, &Arm::Candidate.to_string(), &registered.rule, noise);
        judgement.caveats.extend(notes);
        judgement.caveats.extend(tuning::caveats(&result.trials));
        let cost = Arm::BOTH.map(|arm| ArmCost::of(result.cells.iter().filter(|c| c.arm == arm)));
        for (arm, cost) in Arm::BOTH.into_iter().zip(&cost) {
            if cost.spikes + cost.incidents > 0 {
                judgement.caveats.push(format!(
                    "The {arm} did not train calmly: {}, {}.",
                    plural(cost.spikes, "spike of the loss", "spikes of the loss"),
                    plural(cost.incidents, "incident", "incidents"),
                ));
            }
        }
        for rung in &judgement.rungs {
            if let [Some(b), Some(c)] = rung.flops
                && (c / b - 1.0).abs() > registered.decision.compute_tolerance
            {
                judgement.caveats.push(format!(
                    "At {} the candidate took {:+.1} % compute against the baseline; the comparison is not at equal \
                     compute.",
                    rung.rung,
                    (c / b - 1.0) * 100.0
                ));
            }
        }
        Verdict {
            registration: result.registration.hash.clone(),
            name: registered.name.clone(),
            judgement,
            cost,
            tuning_cost: (!result.trials.is_empty())
                .then(|| ArmCost::of(result.trials.iter().map(|t| &t.cell))),
            trials: result.trials.iter().map(TrialSummary::from).collect(),
        }
    }

    /// Writes `verdict.json` into `folder`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        write_atomically(&folder.join("verdict.json"), text.as_bytes())
    }
}

/// The runs of a bet as the judge wants them, and what weakens them.
pub(crate) fn table(result: &BetResult) -> (RunTable, Vec<String>) {
    let registered = &result.registration.content;
    let mut metrics = vec![registered.primary.metric.as_str()];
    metrics.extend(registered.guardrails.iter().map(|g| g.metric.as_str()));
    let strata = strata(result);
    let mut notes: Vec<String> = Vec::new();
    let runs = result
        .cells
        .iter()
        .map(|cell| RunRow {
            arm: cell.arm.to_string(),
            rung: cell.size.clone(),
            pair: format!("seed {}", cell.seed),
            flops: Some(cell.flops),
            seconds: (cell.seconds > 0.0).then_some(cell.seconds),
            metrics: metrics
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), outcome(cell, name, &strata, &mut notes)?)))
                .collect(),
            curve: Vec::new(),
            diverged: false,
            calm: cell.curve.last().map(|p| Calm { steps: p.step as f64, spikes: episodes(&cell.spikes) }),
        })
        .collect();
    let planned = registered
        .sizes
        .iter()
        .map(|size| PlannedRung {
            rung: size.clone(),
            flops: registered
                .cells
                .iter()
                .find(|c| c.arm == Arm::Baseline && c.size == *size)
                .map(|c| c.flops),
        })
        .collect();
    (RunTable { baseline: Arm::Baseline.to_string(), planned, runs }, notes)
}

/// Spikes that are not the wake of another: further than the window in which they are looked for from the one before.
fn episodes(spikes: &[u64]) -> u32 {
    const WINDOW: u64 = 128;
    let mut last = None;
    let mut count = 0;
    for step in spikes {
        count += u32::from(last.is_none_or(|last| step - last > WINDOW));
        last = Some(*step);
    }
    count
}

/// World and level of test tasks, numbered.
fn strata(result: &BetResult) -> BTreeMap<(&str, u32), u32> {
    let mut strata: BTreeMap<(&str, u32), u32> = BTreeMap::new();
    for s in result.cells.iter().flat_map(|c| &c.scores) {
        strata.insert((s.world.as_str(), s.level), 0);
    }
    strata.values_mut().zip(0..).for_each(|(slot, number)| *slot = number);
    strata
}

/// A metric of a run: by groups of tasks, a clean task with its faulty twins, where the scores add up to it; else as a number.
fn outcome(
    cell: &CellResult,
    metric: &str,
    strata: &BTreeMap<(&str, u32), u32>,
    notes: &mut Vec<String>,
) -> Option<Outcome> {
    let value = cell.metrics.get(metric)?.value;
    let mut without = |why: &str| {
        let note = format!(
            "The interval of {} leaves out the chance in the choice of test tasks: {why}.",
            score::title_of(metric)
        );
        if !notes.contains(&note) {
            notes.push(note);
        }
        Some(Outcome::Value(value))
    };
    if cell.scores.is_empty() {
        return without("a run gives one number");
    }
    let Some(part) = score::part_of(metric) else {
        return without("the metric is no ratio of sums over attempts");
    };
    let mut groups: BTreeMap<(u32, u64), Group> = BTreeMap::new();
    for s in &cell.scores {
        let stratum = strata.get(&(s.world.as_str(), s.level)).copied().unwrap_or(0);
        let empty = Group { stratum, id: s.seed, numerator: 0.0, denominator: 0.0 };
        let group = groups.entry((stratum, s.seed)).or_insert(empty);
        if let Some((numerator, denominator)) = part(s) {
            group.numerator += numerator;
            group.denominator += denominator;
        }
    }
    let outcome = Outcome::Groups(groups.into_values().collect());
    if !value.is_finite() {
        return Some(Outcome::Value(value));
    }
    if (outcome.value() - value).abs() <= 1e-6 * value.abs().max(1.0) {
        Some(outcome)
    } else {
        without("the scores of a run do not add up to its metric")
    }
}
