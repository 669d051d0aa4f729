//! Whether the candidate trains as calmly as the baseline: runs that diverged, and spikes of the loss.
//!
//! The means of a comparison are over the runs that came to an end. An arm of which more runs diverge is flattered by that, and one
//! that spikes more often is likelier to diverge at scale, whatever it came to here.

use serde::{Deserialize, Serialize};

use crate::judge::table::{Outcome, RunTable};

/// A spike rate this many times the baseline's is not accepted once it is shown.
const WORST_RATIO: f64 = 2.0;
/// One-sided error of showing it.
const ERROR: f64 = 0.025;

/// How calmly an arm trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArmStability {
    /// Runs that were begun.
    pub runs: u32,
    /// Of these, those that came to no number.
    pub diverged: u32,
    /// Spikes of the loss, in runs that say.
    pub spikes: u32,
    /// Steps of these runs.
    pub steps: f64,
}

/// How calmly both arms trained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stability {
    /// Baseline and candidate.
    pub arms: [ArmStability; 2],
    /// The candidate's spikes a step over the baseline's; `None` where either has none, or nothing says.
    pub ratio: Option<f64>,
    /// Why the candidate may not ship, in words; empty where nothing speaks against it.
    pub against: Vec<String>,
}

impl Stability {
    /// Counts over all runs of the two arms.
    pub(crate) fn of(table: &RunTable, candidate: &str, metric: &str) -> Stability {
        let arms = [table.baseline.as_str(), candidate].map(|arm| {
            let mut counts = ArmStability::default();
            for run in table.runs.iter().filter(|r| r.arm == arm) {
                let lost = run.metrics.get(metric).map(Outcome::value).is_some_and(|v| !v.is_finite());
                counts.runs += 1;
                counts.diverged += u32::from(run.diverged || lost);
                if let Some(calm) = run.calm {
                    counts.spikes += calm.spikes;
                    counts.steps += calm.steps;
                }
            }
            counts
        });
        let [b, c] = arms;
        let mut against = Vec::new();
        if f64::from(c.diverged) * f64::from(b.runs) > f64::from(b.diverged) * f64::from(c.runs) {
            against.push(format!(
                "{} of {} runs of the candidate diverged, {} of {} of the baseline: the means are over the runs that are left.",
                c.diverged, c.runs, b.diverged, b.runs
            ));
        }
        let rates = [b.spikes, c.spikes].map(f64::from);
        let ratio = (rates[0] > 0.0 && rates[1] > 0.0 && b.steps > 0.0 && c.steps > 0.0)
            .then(|| rates[1] / c.steps / (rates[0] / b.steps));
        if b.steps > 0.0 && c.steps > 0.0 {
            // Given all spikes together, those of the candidate are binomial.
            let share = WORST_RATIO * c.steps / (WORST_RATIO * c.steps + b.steps);
            if at_least(c.spikes, b.spikes + c.spikes, share) < ERROR {
                against.push(format!(
                    "The candidate's loss spiked {} times in {:.0} steps, the baseline's {} times in {:.0}: more than {WORST_RATIO} \
                     times as often is shown.",
                    c.spikes, c.steps, b.spikes, b.steps
                ));
            }
        }
        Stability { arms, ratio, against }
    }
}

/// P(X ≥ `k`) of a binomial X of `n` draws.
fn at_least(k: u32, n: u32, share: f64) -> f64 {
    let odds = (share / (1.0 - share)).ln();
    let mut log = f64::from(n) * (1.0 - share).ln();
    let mut sum = if k == 0 { log.exp() } else { 0.0 };
    for i in 1..=n {
        log += (f64::from(n - i + 1) / f64::from(i)).ln() + odds;
        if i >= k {
            sum += log.exp();
        }
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::table::{Calm, RunRow};

    fn table(spikes: [u32; 2], diverged: [u32; 2]) -> Stability {
        let mut runs = Vec::new();
        for (i, arm) in ["a", "b"].into_iter().enumerate() {
            for n in 0..6 {
                runs.push(RunRow {
                    arm: arm.into(),
                    diverged: n < diverged[i],
                    calm: Some(Calm { steps: 1000.0, spikes: if n == 5 { spikes[i] } else { 0 } }),
                    ..RunRow::default()
                });
            }
        }
        Stability::of(&RunTable { baseline: "a".into(), runs, ..RunTable::default() }, "b", "loss")
    }

    #[test]
    fn binomial_tails_are_right() {
        assert!((at_least(0, 5, 0.3) - 1.0).abs() < 1e-12);
        assert!((at_least(5, 5, 0.3) - 0.3f64.powi(5)).abs() < 1e-12);
        assert!((at_least(8, 10, 0.5) - 56.0 / 1024.0).abs() < 1e-12);
    }

    #[test]
    fn an_arm_that_diverges_or_spikes_more_is_held_against_it() {
        let calm = table([4, 6], [0, 0]);
        assert!(calm.against.is_empty() && (calm.ratio.unwrap() - 1.5).abs() < 1e-12);
        assert!(table([2, 30], [0, 0]).against[0].contains("spiked 30 times"));
        assert!(table([0, 3], [0, 0]).against.is_empty(), "three spikes show nothing");
        let lost = table([0, 0], [0, 2]);
        assert!(lost.against[0].contains("2 of 6 runs of the candidate diverged") && lost.ratio.is_none());
        assert!(table([0, 0], [2, 2]).against.is_empty());
    }
}
