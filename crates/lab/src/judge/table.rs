//! The judge's input: a plain table of runs, wherever they came from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One run: an arm at a rung, with the number that pairs it with the other arms' runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRow {
    /// Which recipe: one arm is the baseline, every other one is a candidate.
    pub arm: String,
    /// Which size of the ladder, as a person writes it. Runs of one rung are comparable; rungs are ordered by the compute
    /// of the baseline.
    pub rung: String,
    /// What the runs of a pair share: the seed, or any other label.
    pub pair: String,
    /// Floating-point operations of training.
    pub flops: Option<f64>,
    /// Seconds of training.
    pub seconds: Option<f64>,
    /// What was measured at the end of the run, by metric.
    pub metrics: BTreeMap<String, Outcome>,
    /// The primary metric, or whatever the report shall draw, against steps or compute.
    pub curve: Vec<(f64, f64)>,
    /// The run came to no number, and whoever made the table has said so: it counts for stability alone.
    #[serde(default)]
    pub diverged: bool,
    /// How calmly it trained, where that is known.
    #[serde(default)]
    pub calm: Option<Calm>,
}

/// Spikes of a run's loss.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calm {
    /// Steps in which they were looked for.
    pub steps: f64,
    /// Spikes; what follows one at once belongs to it.
    pub spikes: u32,
}

/// What a run measured in one metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A number, such as an annealed loss on a fixed set of held-out tokens.
    Value(f64),
    /// Successes and attempts, each attempt at an item of its own.
    Counts {
        /// Attempts that succeeded.
        successes: f64,
        /// All attempts.
        attempts: f64,
    },
    /// A ratio of sums over groups of test items that belong together.
    Groups(Vec<Group>),
}

/// What a group of test items adds to a metric that is a ratio of sums.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// The part of the suite that it was drawn from; groups are resampled within it.
    pub stratum: u32,
    /// Which group; the same in every run.
    pub id: u64,
    /// What it adds above the line.
    pub numerator: f64,
    /// What it adds below the line.
    pub denominator: f64,
}

impl Outcome {
    /// The metric's value; not a number where nothing was attempted.
    pub fn value(&self) -> f64 {
        match self {
            Outcome::Value(value) => *value,
            Outcome::Counts { successes, attempts } => successes / attempts,
            Outcome::Groups(groups) => {
                let sums = groups.iter().fold((0.0, 0.0), |s, g| (s.0 + g.numerator, s.1 + g.denominator));
                sums.0 / sums.1
            }
        }
    }
}

/// The runs to be judged.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunTable {
    /// Name of the arm that stands for what is done today.
    pub baseline: String,
    /// The rungs of the plan, smallest first, so that a rung without runs is known to be missing. Empty: the rungs that
    /// appear, in the order of the baseline's compute.
    pub planned: Vec<PlannedRung>,
    /// The runs. Pairs count in the order in which the baseline's runs appear.
    pub runs: Vec<RunRow>,
}

/// A rung of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlannedRung {
    /// The rung as the runs call it.
    pub rung: String,
    /// FLOPs of a run of the baseline.
    pub flops: Option<f64>,
}

/// Something in a table that a verdict has to do without, and what can still be said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where: arm, rung and pair, as far as they are concerned.
    pub place: String,
    /// What is wrong.
    pub what: String,
    /// What the judge does about it.
    pub consequence: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.place, self.what, self.consequence)
    }
}

/// The usable pairs of one rung.
#[derive(Clone, Debug)]
pub(crate) struct RungPairs<'a> {
    pub(crate) rung: &'a str,
    /// By label; the baseline's run first.
    pub(crate) pairs: Vec<(&'a RunRow, &'a RunRow)>,
    /// All usable runs of the baseline at this rung, paired or not.
    pub(crate) baseline: Vec<&'a RunRow>,
    /// The candidate was run here, or is to be. Other rungs only show what compute buys the baseline.
    pub(crate) compared: bool,
}

impl RunTable {
    /// The candidates, in the order in which they first appear.
    pub fn candidates(&self) -> Vec<&str> {
        let mut seen: Vec<&str> = Vec::new();
        for run in &self.runs {
            if run.arm != self.baseline && !seen.contains(&run.arm.as_str()) {
                seen.push(&run.arm);
            }
        }
        seen
    }

    /// The usable pairs of `candidate` with the baseline at each rung, the cheapest rung first, and everything that had to
    /// be left out.
    pub(crate) fn pairs(&self, candidate: &str, metric: &str) -> (Vec<RungPairs<'_>>, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut cells: BTreeMap<(&str, &str), Vec<(&str, &RunRow)>> = BTreeMap::new();
        let mut order: Vec<&str> = self.planned.iter().map(|p| p.rung.as_str()).collect();
        let mut tried = order.clone();
        let arms = [self.baseline.as_str(), candidate];
        for run in self.runs.iter().filter(|r| arms.contains(&r.arm.as_str())) {
            if !order.contains(&run.rung.as_str()) {
                order.push(&run.rung);
            }
            if run.arm == candidate && !tried.contains(&run.rung.as_str()) {
                tried.push(&run.rung);
            }
            if run.diverged {
                continue;
            }
            match fault(run, metric) {
                Some((what, consequence)) => {
                    problems.push(Problem { place: place(run), what, consequence });
                }
                None => cells.entry((&run.rung, &run.arm)).or_default().push((&run.pair, run)),
            }
        }
        for runs in cells.values_mut() {
            drop_repeated(runs, &mut problems);
        }
        let mut rungs: Vec<RungPairs<'_>> = Vec::new();
        for rung in order {
            let of = |arm: &str| cells.get(&(rung, arm)).cloned().unwrap_or_default();
            let (base, cand) = (of(arms[0]), of(arms[1]));
            let mut pairs = Vec::new();
            let (mut base_alone, mut cand_alone) = (Vec::new(), Vec::new());
            for (label, b) in &base {
                match cand.iter().find(|(other, _)| other == label) {
                    Some((_, c)) => pairs.push((*b, *c)),
                    None if tried.contains(&rung) => base_alone.push(*b),
                    None => {}
                }
            }
            cand_alone.extend(cand.iter().filter(|(l, _)| !base.iter().any(|b| b.0 == *l)).map(|(_, c)| *c));
            problems.extend(alone(&base_alone, candidate));
            problems.extend(alone(&cand_alone, &self.baseline));
            unequal(rung, &base, &mut problems);
            unequal(rung, &cand, &mut problems);
            let baseline = base.iter().map(|(_, r)| *r).collect();
            rungs.push(RungPairs { rung, pairs, baseline, compared: tried.contains(&rung) });
        }
        let planned = |rung: &str| self.planned.iter().find(|p| p.rung == rung).and_then(|p| p.flops);
        let compute = |r: &RungPairs<'_>| mean(r.baseline.iter().filter_map(|b| b.flops)).or(planned(r.rung));
        // A stable sort: rungs without a compute stay where they were, at the end.
        rungs.sort_by(|a, b| match (compute(a), compute(b)) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => a.is_none().cmp(&b.is_none()),
        });
        (rungs, problems)
    }
}

pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
    (n > 0.0).then(|| sum / n)
}

fn place(run: &RunRow) -> String {
    format!("{} at {}, pair {}", run.arm, run.rung, run.pair)
}

fn fault(run: &RunRow, metric: &str) -> Option<(String, String)> {
    let left_out = || "the run is left out, and its pair with it".to_owned();
    let Some(outcome) = run.metrics.get(metric) else {
        let has = run.metrics.keys().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ");
        let has = if has.is_empty() { "nothing".to_owned() } else { has };
        return Some((format!("has no `{metric}`, only {has}"), left_out()));
    };
    let value = outcome.value();
    if !value.is_finite() {
        return Some((format!("`{metric}` is {value}: the run failed or was cut short"), left_out()));
    }
    for (name, cost) in [("FLOPs", run.flops), ("seconds", run.seconds)] {
        if let Some(cost) = cost
            && !(cost.is_finite() && cost > 0.0)
        {
            return Some((format!("{cost} is no number of {name}"), left_out()));
        }
    }
    None
}

fn drop_repeated<'a>(runs: &mut Vec<(&'a str, &'a RunRow)>, problems: &mut Vec<Problem>) {
    let mut seen: Vec<&str> = Vec::new();
    runs.retain(|(label, run)| {
        let first = !seen.contains(label);
        if first {
            seen.push(label);
        } else {
            problems.push(Problem {
                place: place(run),
                what: "there is more than one run with this label".into(),
                consequence: "the first is used; give runs of different seeds different labels".into(),
            });
        }
        first
    });
}

/// Runs of an arm at a rung that the other arm has no partners for, in one line.
fn alone(runs: &[&RunRow], other: &str) -> Option<Problem> {
    let (first, last) = (runs.first()?, runs.last()?);
    let (place, it, takes) = match runs.len() {
        1 => (place(first), "it", "it takes"),
        n => {
            let place =
                format!("{} at {}, {n} runs from {} to {}", first.arm, first.rung, first.pair, last.pair);
            (place, "them", "they take")
        }
    };
    Some(Problem {
        place,
        what: format!("{other} has no run to pair {it} with"),
        consequence: format!("{takes} no part in the comparison"),
    })
}

fn unequal(rung: &str, runs: &[(&str, &RunRow)], problems: &mut Vec<Problem>) {
    let Some((_, first)) = runs.first() else { return };
    let ends: Vec<f64> = runs.iter().filter_map(|(_, r)| r.curve.last()).map(|p| p.0).collect();
    let flops: Vec<f64> = runs.iter().filter_map(|(_, r)| r.flops).collect();
    for (what, values) in [("their curves end at", ends), ("their FLOPs are", flops)] {
        let (low, high) =
            values.iter().fold((f64::INFINITY, 0.0), |a, v| (f64::min(a.0, *v), f64::max(a.1, *v)));
        if high > low * 1.005 {
            problems.push(Problem {
                place: format!("{} at {rung}", first.arm),
                what: format!("the runs were not trained alike: {what} {low:.4e} to {high:.4e}"),
                consequence: "they are compared as they are, and the difference counts as noise".into(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arm: &str, rung: &str, pair: &str, loss: f64) -> RunRow {
        RunRow {
            arm: arm.into(),
            rung: rung.into(),
            pair: pair.into(),
            flops: Some(if rung == "small" { 1e15 } else { 4e15 }),
            metrics: [("loss".to_owned(), Outcome::Value(loss))].into_iter().collect(),
            ..RunRow::default()
        }
    }

    fn table(runs: Vec<RunRow>) -> RunTable {
        RunTable { baseline: "a".into(), planned: Vec::new(), runs }
    }

    #[test]
    fn rungs_are_ordered_by_compute_and_pairs_by_label() {
        let runs = vec![
            run("a", "large", "1", 2.0),
            run("b", "large", "1", 1.9),
            run("b", "small", "2", 2.9),
            run("a", "small", "2", 3.0),
        ];
        let table = table(runs);
        let (rungs, problems) = table.pairs("b", "loss");
        assert!(problems.is_empty(), "{problems:?}");
        assert_eq!(rungs.iter().map(|r| r.rung).collect::<Vec<_>>(), ["small", "large"]);
        assert_eq!(rungs[0].pairs[0].0.arm, "a");
        assert_eq!(table.candidates(), ["b"]);
    }

    #[test]
    fn what_cannot_be_used_is_named_and_the_rest_is_used() {
        let mut bad = run("b", "small", "2", f64::NAN);
        let mut other = run("b", "small", "3", 1.0);
        other.metrics = [("accuracy".to_owned(), Outcome::Value(0.5))].into_iter().collect();
        let runs = vec![
            run("a", "small", "1", 3.0),
            run("b", "small", "1", 2.9),
            run("b", "small", "1", 2.8),
            run("a", "small", "2", 3.0),
            bad.clone(),
            run("a", "small", "3", 3.0),
            other,
            run("b", "small", "4", 2.9),
        ];
        let table = table(runs);
        let (rungs, problems) = table.pairs("b", "loss");
        assert_eq!(rungs[0].pairs.len(), 1);
        let text = problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        for want in [
            "more than one run with this label",
            "`loss` is NaN",
            "only `accuracy`",
            "a has no run to pair it",
        ] {
            assert!(text.contains(want), "{want} in {text}");
        }
        bad.flops = Some(-1.0);
        bad.metrics.insert("loss".into(), Outcome::Value(1.0));
        assert!(fault(&bad, "loss").unwrap().0.contains("no number of FLOPs"));
    }

    #[test]
    fn runs_of_different_length_are_named() {
        let mut long = run("a", "small", "2", 2.9);
        long.flops = Some(1.1e15);
        let table = table(vec![run("a", "small", "1", 3.0), long, run("b", "small", "1", 3.0)]);
        assert!(table.pairs("b", "loss").1.iter().any(|p| p.what.contains("not trained alike")));
    }
}
