//! The verdict: what the registered rule says about the runs, and what would decide it.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bet::{Arm, Criterion, Noise, Require};
use crate::difference::{Difference, differences};
use crate::distribution::student_quantile;
use crate::figures;
use crate::registration::{JUDGE, Registered, write_atomically};
use crate::result::{BetResult, CellResult};
use crate::scaling::{BackTest, Defined, Multiplier, PowerLaw, Rung, multiplier};
use crate::score::title_of;

/// What the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", content = "because", rename_all = "snake_case")]
pub enum Ruling {
    /// The candidate is better by more than the margin, and nothing that matters got worse.
    Ship,
    /// The candidate is not worth having.
    Drop(DropReason),
    /// The runs do not tell.
    Undecided,
}

/// Why a candidate is not worth having.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DropReason {
    /// It is worse.
    Harm,
    /// It is neither better nor worse by the margin.
    Equal,
    /// If it is better, then by less than the margin.
    TooSmall,
    /// A guardrail is broken.
    Guardrail,
}

impl std::fmt::Display for Ruling {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Ruling::Ship => "SHIP",
            Ruling::Drop(_) => "DROP",
            Ruling::Undecided => "UNDECIDED",
        })
    }
}

/// How a guardrail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardrailState {
    /// A loss larger than the margin is excluded.
    Held,
    /// A loss larger than the margin is neither shown nor excluded.
    Open,
    /// A loss larger than the margin is shown.
    Broken,
}

/// A guardrail and how it stands at the largest size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardrailVerdict {
    /// The metric.
    pub metric: String,
    /// The loss that would be accepted.
    pub margin: f64,
    /// What must be shown.
    pub require: Require,
    /// How it stands.
    pub state: GuardrailState,
    /// The difference at the largest size, if both arms have the metric.
    pub difference: Option<Difference>,
}

impl GuardrailVerdict {
    fn permits_shipping(&self) -> bool {
        match self.require {
            Require::Held => self.state == GuardrailState::Held,
            // A metric that nobody measured shows nothing, and may not pass for having shown no loss.
            Require::Unbroken => self.state != GuardrailState::Broken && self.difference.is_some(),
        }
    }
}

/// One size of the ladder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RungVerdict {
    /// The difference in the primary metric.
    pub difference: Difference,
    /// FLOPs of baseline and candidate, mean over seeds.
    pub flops: [f64; 2],
    /// How many times the baseline's compute would match the candidate.
    pub multiplier: Defined<Multiplier>,
}

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
    /// Version of the rule's implementation.
    pub judge: u32,
    /// Hash of the registration that it answers.
    pub registration: String,
    /// The bet.
    pub name: String,
    /// What the rule says.
    pub ruling: Ruling,
    /// The verdict in one plain sentence, with the number and the interval.
    pub sentence: String,
    /// Why the rule says so.
    pub reasons: Vec<String>,
    /// What would decide it, if it is undecided.
    pub next: Vec<String>,
    /// What else a reader must know before believing it.
    pub caveats: Vec<String>,
    /// The number that decided.
    pub primary: Criterion,
    /// The sizes, smallest first.
    pub rungs: Vec<RungVerdict>,
    /// The guardrails.
    pub guardrails: Vec<GuardrailVerdict>,
    /// Score against compute of baseline and candidate.
    pub power_laws: [Defined<PowerLaw>; 2],
    /// The largest size predicted from the smaller ones, in baseline and candidate.
    pub back_tests: [Defined<BackTest>; 2],
    /// Cost of baseline and candidate.
    pub cost: [ArmCost; 2],
}

impl Verdict {
    /// Judges the runs of a bet by its registered rule.
    pub fn of(result: &BetResult) -> Verdict {
        let registered = &result.registration.content;
        let primary = registered.primary.clone();
        let found = differences(result, &primary.metric, primary.direction, &registered.decision);
        let curves = Arm::BOTH.map(|arm| ladder(result, arm, &primary.metric, &found));
        let rungs: Vec<RungVerdict> = found
            .into_iter()
            .enumerate()
            .map(|(i, difference)| {
                let flops = [curves[0][i].flops, curves[1][i].flops];
                let improvement = (difference.value, difference.low, difference.high);
                let multiplier = multiplier(&curves[0], i, flops[1], improvement, primary.direction);
                RungVerdict { difference, flops, multiplier }
            })
            .collect();
        let points =
            |arm: usize| -> Vec<(f64, f64)> { curves[arm].iter().map(|r| (r.flops, r.value)).collect() };
        let mut verdict = Verdict {
            judge: JUDGE,
            registration: result.registration.hash.clone(),
            name: registered.name.clone(),
            ruling: Ruling::Undecided,
            sentence: String::new(),
            reasons: Vec::new(),
            next: Vec::new(),
            caveats: Vec::new(),
            guardrails: guardrails(result),
            power_laws: [0, 1].map(|arm| PowerLaw::fit(&points(arm), primary.direction)),
            back_tests: [0, 1].map(|arm| BackTest::of(&points(arm), primary.direction)),
            cost: Arm::BOTH.map(|arm| cost(result, arm)),
            primary,
            rungs,
        };
        verdict.rule(registered);
        verdict.warn(result);
        verdict
    }

    /// The largest size, if all its runs are there.
    pub fn top(&self) -> Option<&RungVerdict> {
        self.rungs.last()
    }

    /// Writes `verdict.json` into `folder`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        write_atomically(&folder.join("verdict.json"), text.as_bytes())
    }

    fn rule(&mut self, registered: &Registered) {
        let missing: Vec<&String> = registered
            .sizes
            .iter()
            .filter(|size| !self.rungs.iter().any(|r| r.difference.size == **size))
            .collect();
        if !missing.is_empty() {
            let sizes = missing.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", ");
            self.sentence =
                format!("There is no verdict yet: runs or the primary metric are missing at {sizes}.");
            self.reasons.push(self.sentence.clone());
            return;
        }
        let Some(top) = self.rungs.last().map(|r| r.difference.clone()) else { return };
        let metric = self.primary.metric.clone();
        let margin = self.primary.margin;
        self.sentence = sentence(&self.primary, &top, registered.decision.confidence);
        let Some((low, high)) = top.interval() else {
            self.reasons.push("The primary metric has no interval at the largest size.".into());
            return;
        };
        let interval = figures::interval(&metric, Some((low, high)));
        let said_margin = figures::margin(&metric, margin);
        let broken: Vec<String> = self
            .guardrails
            .iter()
            .filter(|g| g.state == GuardrailState::Broken)
            .map(|g| title_of(&g.metric))
            .collect();
        let worse: Vec<String> = self.rungs[..self.rungs.len() - 1]
            .iter()
            .filter(|r| r.difference.high.is_some_and(|high| high < 0.0))
            .map(|r| r.difference.size.clone())
            .collect();
        let at = format!("At {} the interval is {interval}", top.size);
        let (ruling, reason) = if high < 0.0 {
            (Ruling::Drop(DropReason::Harm), format!("{at}: the candidate is worse."))
        } else if !broken.is_empty() {
            (Ruling::Drop(DropReason::Guardrail), format!("A guardrail is broken: {}.", broken.join(", ")))
        } else if -margin < low && high < margin {
            let reason = format!("{at}, within ±{said_margin}: no difference worth having.");
            (Ruling::Drop(DropReason::Equal), reason)
        } else if high < margin {
            let reason =
                format!("{at}, below the margin of {said_margin}: if it is better, then by too little.");
            (Ruling::Drop(DropReason::TooSmall), reason)
        } else if low > margin
            && worse.is_empty()
            && self.guardrails.iter().all(GuardrailVerdict::permits_shipping)
        {
            (Ruling::Ship, format!("{at}, all of it above the margin of {said_margin}."))
        } else if low <= margin {
            (Ruling::Undecided, format!("{at}: it holds values on both sides of what would decide."))
        } else {
            (
                Ruling::Undecided,
                format!("{at}, all of it above the margin of {said_margin}, but not all else is shown."),
            )
        };
        self.ruling = ruling;
        self.reasons.push(reason);
        if ruling == Ruling::Undecided {
            self.what_would_decide(&top, registered, &worse);
        }
    }

    fn what_would_decide(&mut self, top: &Difference, registered: &Registered, worse: &[String]) {
        let rungs = if registered.decision.noise == Noise::Pooled { self.rungs.len() } else { 1 };
        let confidence = registered.decision.confidence;
        if let Some((low, high)) = top.interval()
            && low <= self.primary.margin
        {
            // An interval that leaves the margin out decides, on whichever side of it.
            let distance = (top.value - self.primary.margin).abs();
            let name = title_of(&self.primary.metric);
            self.next.push(more_seeds(&name, top, distance, rungs, confidence, high - low));
        }
        if !worse.is_empty() {
            self.reasons.push(format!(
                "The candidate is shown to be worse at {}, so its gain at the largest size needs another size to be \
                 believed.",
                worse.join(", ")
            ));
            self.next.push("Add a larger size to the ladder: does the gain hold where it turned up?".into());
        }
        for g in self.guardrails.iter().filter(|g| !g.permits_shipping()) {
            let name = title_of(&g.metric);
            let Some(difference) = &g.difference else {
                self.reasons.push(format!("The guardrail {name} was not measured in every run."));
                continue;
            };
            self.reasons.push(format!(
                "The guardrail {name} is open: {} does not exclude a loss of more than {}.",
                figures::interval(&g.metric, difference.interval()),
                figures::margin(&g.metric, g.margin),
            ));
            let width = difference.interval().map_or(f64::NAN, |(low, high)| high - low);
            let distance = difference.value + g.margin;
            self.next.push(more_seeds(&name, difference, distance, rungs, confidence, width));
        }
    }

    fn warn(&mut self, result: &BetResult) {
        let mut caveats = self.top().map_or_else(Vec::new, |top| top.difference.notes.clone());
        if let [first, .., last] = self.rungs.as_slice() {
            let (small, large) = (first.difference.value, last.difference.value);
            if small > 0.0 && large < small {
                caveats.push(format!(
                    "The gain shrinks with size, from {} at {} to {} at {}. Gains fade with scale, so do not take it \
                     for granted beyond the ladder.",
                    figures::difference(&self.primary.metric, small),
                    first.difference.size,
                    figures::difference(&self.primary.metric, large),
                    last.difference.size,
                ));
            }
        }
        if self.rungs.len() < 3 && !self.rungs.is_empty() {
            caveats.push(format!(
                "{} cannot be back-tested: what the curves say beyond the ladder is a drawing, not a prediction.",
                if self.rungs.len() == 1 { "A ladder of one size" } else { "A ladder of two sizes" }
            ));
        }
        for (arm, cost) in Arm::BOTH.into_iter().zip(&self.cost) {
            if cost.spikes + cost.incidents > 0 {
                caveats.push(format!(
                    "The {arm} did not train calmly: {}, {}.",
                    crate::rule::plural(cost.spikes, "spike of the loss", "spikes of the loss"),
                    crate::rule::plural(cost.incidents, "incident", "incidents"),
                ));
            }
        }
        let tolerance = result.registration.content.decision.compute_tolerance;
        for rung in &self.rungs {
            let excess = rung.flops[1] / rung.flops[0] - 1.0;
            if excess.abs() > tolerance {
                caveats.push(format!(
                    "At {} the candidate took {:+.1} % compute against the baseline; the comparison is not at equal \
                     compute.",
                    rung.difference.size,
                    excess * 100.0
                ));
            }
        }
        self.caveats = caveats;
    }
}

fn sentence(primary: &Criterion, top: &Difference, confidence: f64) -> String {
    let metric = &primary.metric;
    let way = if top.value >= 0.0 { "better" } else { "worse" };
    let interval = match top.interval() {
        Some(ends) => {
            format!("{} interval {}", crate::rule::percent(confidence), figures::interval(metric, Some(ends)))
        }
        None => "no interval".into(),
    };
    format!(
        "At {} the candidate is {} {way} than the baseline in {}, {} against {} ({interval}, {}).",
        top.size,
        figures::difference(metric, top.value.abs()).trim_start_matches('+').to_owned()
            + &figures::unit(metric),
        title_of(metric),
        figures::value(metric, top.candidate),
        figures::value(metric, top.baseline),
        crate::rule::plural(top.pairs.len(), "pair", "pairs"),
    )
}

/// How many pairs in all would bring the half-width below `distance`, at even odds and at four in five, if the estimate
/// and the noise stay what they are.
fn more_seeds(
    name: &str,
    d: &Difference,
    distance: f64,
    rungs: usize,
    confidence: f64,
    width: f64,
) -> String {
    let Some((sd, _)) = d.noise.filter(|_| distance.is_finite() && width.is_finite()) else {
        return format!("For {name} nothing can be said: its noise is not known.");
    };
    let task_half = d.task_halves.map_or(0.0, |(below, above)| below.max(above));
    if distance <= 0.0 {
        return format!(
            "For {name} the estimate itself lies on the wrong side: no number of seeds is likely to help."
        );
    }
    if task_half >= distance {
        let factor = (task_half / (0.7 * distance)).powi(2).ceil();
        return format!(
            "For {name} more seeds alone will not do: the choice of test tasks alone leaves ±{}. About {factor:.0} times \
             as many tasks are needed.",
            figures::digits(task_half)
        );
    }
    let needed = |luck: f64| {
        (d.pairs.len() + 1..=200).find(|n| {
            let root = (*n as f64).sqrt();
            let t = student_quantile(0.5 + confidence / 2.0, ((n - 1) * rungs) as f64);
            (t * sd / root).hypot(task_half) + luck * sd / root < distance
        })
    };
    let say = |n: Option<usize>| n.map_or("more than 200".to_owned(), |n| n.to_string());
    format!(
        "For {name}: about {} seeds in all would decide it at even odds, {} with four chances in five (now {}), if the \
         difference is what it looks like now.",
        say(needed(0.0)),
        say(needed(0.841_621)),
        d.pairs.len(),
    )
}

fn ladder(result: &BetResult, arm: Arm, metric: &str, rungs: &[Difference]) -> Vec<Rung> {
    rungs
        .iter()
        .map(|rung| {
            let cells = result.at(arm, &rung.size);
            let n = cells.len() as f64;
            let mean = |of: &dyn Fn(&CellResult) -> f64| cells.iter().map(|c| of(c)).sum::<f64>() / n;
            let value = |c: &CellResult| c.metrics.get(metric).map_or(f64::NAN, |m| m.value);
            let middle = mean(&value);
            let variance =
                cells.iter().map(|c| (value(c) - middle).powi(2)).sum::<f64>() / (n - 1.0).max(1.0);
            Rung { flops: mean(&|c| c.flops), value: middle, error: (variance / n).sqrt() }
        })
        .collect()
}

fn guardrails(result: &BetResult) -> Vec<GuardrailVerdict> {
    let registered = &result.registration.content;
    registered
        .guardrails
        .iter()
        .map(|g| {
            let top = registered.sizes.last();
            let difference = differences(result, &g.metric, g.direction, &registered.decision)
                .pop()
                .filter(|d| Some(&d.size) == top);
            let state = match difference.as_ref().and_then(Difference::interval) {
                Some((low, _)) if low > -g.margin => GuardrailState::Held,
                Some((_, high)) if high < -g.margin => GuardrailState::Broken,
                _ => GuardrailState::Open,
            };
            GuardrailVerdict {
                metric: g.metric.clone(),
                margin: g.margin,
                require: g.require,
                state,
                difference,
            }
        })
        .collect()
}

fn cost(result: &BetResult, arm: Arm) -> ArmCost {
    let mut cost = ArmCost::default();
    for cell in result.cells.iter().filter(|c| c.arm == arm) {
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
