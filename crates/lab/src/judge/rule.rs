//! The rule: everything that turns a table of runs into a verdict, fixed before the runs are made.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bet::{Direction, Guardrail};

/// On which scale a change is judged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    /// The logarithm of the compute multiplier: what the change is worth in the baseline's own compute, cost inside.
    #[default]
    Multiplier,
    /// The improvement in the metric's own unit. For ladders on which what compute buys cannot be told.
    Metric,
}

/// Which cost the compute multiplier charges for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostBasis {
    /// Floating-point operations of training.
    #[default]
    Flops,
    /// Seconds of training, for runs on the same machine.
    Seconds,
}

/// The decision rule. Defaults are those of the recommended bet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The metric that decides.
    pub metric: String,
    /// Which way of it is better.
    pub direction: Direction,
    /// On which scale it decides.
    pub scale: Scale,
    /// Which cost the multiplier charges for.
    pub cost: CostBasis,
    /// The smallest gain worth having: a share of compute (0.01 is a multiplier of 1.01), or in the metric's unit.
    pub margin: f64,
    /// Differences smaller than this are none, in the unit of `margin`.
    pub equal: f64,
    /// Probability of any wrong claim of a difference at a rung, over all looks and extensions together, two-sided.
    pub error: f64,
    /// The part of `error` that is kept for pairs beyond the cap.
    pub extension: f64,
    /// How many pairs a rung has at most before it is extended; rungs that are not named have `cap`.
    pub pairs: BTreeMap<String, u32>,
    /// The cap of a rung that `pairs` does not name.
    pub cap: u32,
    /// The numbers of pairs after which a rung is looked at; empty: after each pair to the cap, from the second where
    /// smaller rungs have shown how noisy the candidate is, and from the fifth at the smallest. Earlier looks rest on the
    /// archive's noise alone, which a candidate that trains less calmly does not share.
    pub looks: Vec<u32>,
    /// The scale that the verdict is about, as a multiple of the largest rung's compute; without it no claim is made beyond
    /// the ladder. Needs three rungs.
    pub target: Option<f64>,
    /// The probability of a gain at the target that a SHIP needs.
    pub assurance: f64,
    /// Below this probability of a SHIP with all pairs of the plan the bet is dropped as futile.
    pub futile: f64,
    /// Standard deviation of the effects of past bets on the scale that decides; forecasts start from it.
    pub prior: f64,
    /// Price of an hour of training.
    pub price: Option<f64>,
    /// The metrics that must not get worse.
    pub guardrails: Vec<Guardrail>,
    /// Bootstrap resamples of test items, and simulated futures of a forecast.
    pub resamples: u32,
    /// Seed of everything that is drawn: resamples, calibration, forecasts.
    pub seed: u64,
}

impl Default for Rule {
    fn default() -> Self {
        Rule {
            metric: String::new(),
            direction: Direction::Lower,
            scale: Scale::Multiplier,
            cost: CostBasis::Flops,
            margin: 0.01,
            equal: 0.01,
            error: 0.05,
            extension: 0.01,
            pairs: BTreeMap::new(),
            cap: 6,
            looks: Vec::new(),
            target: Some(10.0),
            assurance: 0.92,
            futile: 0.05,
            prior: 0.03,
            price: None,
            guardrails: Vec::new(),
            resamples: 2000,
            seed: 0,
        }
    }
}

impl Rule {
    /// The cap of a rung.
    pub fn cap_of(&self, rung: &str) -> u32 {
        self.pairs.get(rung).copied().unwrap_or(self.cap)
    }

    /// The looks at a rung with so many smaller rungs below it, in order; the last one is its cap.
    pub fn looks_at(&self, rung: &str, below: usize) -> Vec<u32> {
        let cap = self.cap_of(rung);
        let mut looks: Vec<u32> = if self.looks.is_empty() {
            (if below == 0 { 5 } else { 2 }..=cap).collect()
        } else {
            self.looks.iter().copied().filter(|n| (2..=cap).contains(n)).collect()
        };
        looks.sort_unstable();
        looks.dedup();
        if cap >= 2 && looks.last() != Some(&cap) {
            looks.push(cap);
        }
        looks
    }

    /// A margin on the scale that decides: the logarithm of a multiplier, or the number itself.
    pub(crate) fn on_scale(&self, margin: f64) -> f64 {
        match self.scale {
            Scale::Multiplier => margin.ln_1p(),
            Scale::Metric => margin,
        }
    }

    /// What is wrong with the rule itself, in words, or nothing.
    ///
    /// # Errors
    /// The field and what it should be.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let within = |field, value: f64, low: f64, high: f64| {
            if value >= low && value <= high {
                Ok(())
            } else {
                Err((field, format!("{value} is out of place: want {low} to {high}")))
            }
        };
        within("margin", self.margin, 0.0, f64::MAX)?;
        within("equal", self.equal, 0.0, f64::MAX)?;
        within("error", self.error, 1e-4, 0.5)?;
        within("extension", self.extension, 0.0, 0.9 * self.error)?;
        within("assurance", self.assurance, 0.5, 0.999)?;
        within("futile", self.futile, 0.0, 0.5)?;
        within("prior", self.prior, 1e-9, f64::MAX)?;
        if let Some(target) = self.target {
            within("target", target, 1.0, 1e9)?;
        }
        if let Some(cap) = self.pairs.values().chain([&self.cap]).find(|c| !(2..=1000).contains(*c)) {
            return Err(("pairs", format!("{cap} is out of place: want 2 to 1000 pairs a rung")));
        }
        if self.resamples < 200 {
            return Err(("resamples", format!("{} are too few: want at least 200", self.resamples)));
        }
        Ok(())
    }
}
