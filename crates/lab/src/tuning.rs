//! The learning rate's protocol: both arms try the same factors on a seed that is in no pair, before the runs that are judged.
//!
//! Seeds do not see a rate that suits one arm better than the other. With it tried for both in the same way, what is compared is
//! each arm at a rate of its own, and neither got more trials than the other.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bet::{Arm, Bet, Direction, nominal_params};
use crate::figures;
use crate::plan::{Cell, Plan};
use crate::result::CellResult;
use crate::run_store::RunStoreError;

/// How both arms find their learning rates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuning {
    /// Factors on what an arm's recipe says, all of them tried by both arms.
    pub factors: Vec<f64>,
    /// Seed of the trials; none of the ladder's.
    pub seed: u64,
    /// Sizes at which the factors are tried; empty: at all. The others take the factor of the next smaller one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<String>,
    /// The fields of a recipe, dotted, that a factor multiplies together.
    #[serde(default = "Tuning::rates")]
    pub fields: Vec<String>,
}

/// A trial: an arm at a size with a factor, and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The run.
    pub cell: CellResult,
    /// Its factor.
    pub factor: f64,
    /// The primary metric; not a number where the run gave none.
    pub value: f64,
    /// Its arm goes on with this factor.
    pub chosen: bool,
}

/// A trial as `verdict.json` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialSummary {
    /// Which side.
    pub arm: Arm,
    /// Model size.
    pub size: String,
    /// Factor on the recipe's rates.
    pub factor: f64,
    /// The primary metric; `None` where the run gave none.
    pub value: Option<f64>,
    /// Its arm went on with this factor.
    pub chosen: bool,
}

/// No trial of an arm at a size came to a number.
#[derive(Debug, thiserror::Error)]
#[error(
    "none of the trials of the {arm} at {size} came to a finite `{metric}`, so that no learning rate can be chosen; give \
     tuning.factors that reach lower"
)]
pub struct NothingChosen {
    arm: Arm,
    size: String,
    metric: String,
}

impl Tuning {
    /// The rates of our own trainer.
    fn rates() -> Vec<String> {
        ["learning_rate", "embedding_learning_rate", "head_learning_rate", "gain_learning_rate"]
            .map(|rate| format!("optimizer.{rate}"))
            .to_vec()
    }

    /// The sizes at which factors are tried, smallest first.
    pub(crate) fn sizes<'a>(&'a self, bet: &'a Bet) -> &'a [String] {
        if self.sizes.is_empty() { &bet.ladder.sizes } else { &self.sizes }
    }

    /// What is wrong with it in `bet`: field, message and hint.
    pub(crate) fn mistake(&self, bet: &Bet) -> Option<(&'static str, String, &'static str)> {
        let sound = self.factors.iter().all(|f| f.is_finite() && *f > 0.0);
        let mut sorted = self.factors.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.dedup();
        if !sound || sorted.len() < 2 || sorted.len() != self.factors.len() {
            let message = "wants at least two different positive numbers".to_owned();
            return Some(("factors", message, "; such as [0.5, 1, 2]"));
        }
        if bet.ladder.seeds.contains(&self.seed) {
            let message = format!("{} is one of the seeds that are judged", self.seed);
            return Some((
                "seed",
                message,
                "; choose by runs that are not judged afterwards: take another seed",
            ));
        }
        if i64::try_from(self.seed).is_err() {
            return Some(("seed", format!("{} is too large", self.seed), "; stay below 2^63"));
        }
        if let Some(size) = self.sizes.iter().find(|s| !bet.ladder.sizes.contains(s)) {
            return Some(("sizes", format!("`{size}` is not one of ladder.sizes"), ""));
        }
        if !self.sizes.is_sorted_by_key(|s| nominal_params(s).map(f64::to_bits)) {
            return Some(("sizes", "are not in order".to_owned(), "; list them smallest first"));
        }
        let ours = bet.trainer.is_none();
        if self.fields.is_empty() || (!ours && self.fields == Tuning::rates()) {
            let message = "must name the recipe's fields that a factor multiplies".to_owned();
            return Some(("fields", message, "; such as [\"optimizer.lr\"]"));
        }
        None
    }

    /// Multiplies the rates in `recipe`, which are as in `resolved` unless it states them, by `factor`.
    pub(crate) fn scale(
        &self,
        recipe: &mut toml::Table,
        resolved: &toml::Table,
        factor: f64,
    ) -> Result<(), String> {
        for field in &self.fields {
            let found = field.split('.').try_fold(None, |value: Option<&toml::Value>, key| match value {
                None => resolved.get(key).map(Some),
                Some(value) => value.get(key).map(Some),
            });
            let rate = match found.flatten() {
                Some(toml::Value::Float(rate)) => *rate,
                Some(toml::Value::Integer(rate)) => *rate as f64,
                _ => return Err(format!("`{field}`, which tuning.fields names, is no number of the recipe")),
            };
            let mut over = toml::Value::Float(rate * factor);
            for key in field.rsplit('.') {
                over = toml::Value::Table([(key.to_owned(), over)].into_iter().collect());
            }
            if let toml::Value::Table(over) = &over {
                crate::recipe::merge(recipe, over);
            }
        }
        Ok(())
    }

    /// The protocol in a sentence or two.
    pub(crate) fn words(&self, bet: &Bet) -> String {
        let factors: Vec<String> = self.factors.iter().map(ToString::to_string).collect();
        let sizes = self.sizes(bet);
        format!(
            "Learning rates: at {} both arms try {} times what their recipes say, with seed {}, which is in no pair. At each size an arm \
             goes on with the factor of the {} {}{}.",
            sizes.join(", "),
            factors.join(", "),
            self.seed,
            if bet.primary.direction == Direction::Lower { "lowest" } else { "highest" },
            crate::score::title_of(&bet.primary.metric),
            if sizes.len() < bet.ladder.sizes.len() {
                ", elsewhere with that of the next smaller size"
            } else {
                ""
            },
        )
    }
}

impl Plan {
    /// The trials alone, for the runner.
    pub fn of_trials(&self) -> Plan {
        Plan { cells: self.trials.clone(), trials: Vec::new(), ..self.clone() }
    }

    /// Reads what the trials left below `runs`, and chooses.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn read_trials(&self, runs: &Path) -> Result<Vec<Trial>, RunStoreError> {
        let made = self.trials.iter().map(|cell| {
            let made = CellResult::load(runs, cell, Vec::new(), BTreeMap::new())?;
            Ok((made, cell.factor.unwrap_or(1.0)))
        });
        Ok(Trial::choose(made.collect::<Result<_, RunStoreError>>()?, &self.bet))
    }

    /// The plan with the runs at the factors that `trials` have chosen.
    ///
    /// # Errors
    /// [`NothingChosen`] if an arm has no choice at a size where it tried.
    pub fn tuned(&self, trials: &[Trial]) -> Result<Plan, NothingChosen> {
        let Some(tuning) = &self.bet.tuning else { return Ok(self.clone()) };
        let tried = tuning.sizes(&self.bet);
        let params = |size: &str| nominal_params(size).unwrap_or(0.0);
        let mut cells: Vec<Cell> = Vec::new();
        for cell in &self.cells {
            let below = tried.iter().rev().find(|size| params(size) <= params(&cell.size));
            let Some(source) = below.or(tried.first()) else { continue };
            let chosen = trials.iter().find(|t| t.chosen && t.cell.arm == cell.arm && t.cell.size == *source);
            let factor = chosen.map(|t| t.factor).ok_or_else(|| NothingChosen {
                arm: cell.arm,
                size: source.clone(),
                metric: self.bet.primary.metric.clone(),
            })?;
            if cell.factor == Some(factor) {
                cells.push(cell.clone());
            }
        }
        // Options stand factor by factor; pairs stand together again.
        let order = |c: &Cell| {
            let size = self.bet.ladder.sizes.iter().position(|s| *s == c.size);
            (size, self.bet.ladder.seeds.iter().position(|s| *s == c.seed), c.arm)
        };
        cells.sort_by_key(order);
        Ok(Plan { cells, trials: Vec::new(), ..self.clone() })
    }
}

impl Trial {
    /// Trials with their factors, of which for every arm and size the one with the best primary metric is chosen; of equals the one
    /// whose factor changes least.
    pub fn choose(made: Vec<(CellResult, f64)>, bet: &Bet) -> Vec<Trial> {
        let metric = &bet.primary.metric;
        let trial = |(cell, factor): (CellResult, f64)| {
            let value = cell.metrics.get(metric).map_or(f64::NAN, |m| m.value);
            Trial { cell, factor, value, chosen: false }
        };
        let mut trials: Vec<Trial> = made.into_iter().map(trial).collect();
        let better = |a: &Trial, b: &Trial| {
            let gain = bet.primary.direction.improvement(a.value, b.value);
            gain.total_cmp(&0.0).then(a.factor.ln().abs().total_cmp(&b.factor.ln().abs()))
        };
        for i in 0..trials.len() {
            let rivals = trials.iter().filter(|t| t.is_beside(&trials[i]) && t.value.is_finite());
            let best = rivals.min_by(|a, b| better(a, b));
            trials[i].chosen = best.is_some_and(|best| best.factor == trials[i].factor);
        }
        trials
    }

    /// Whether the two are of the same arm and size.
    fn is_beside(&self, other: &Trial) -> bool {
        self.cell.arm == other.cell.arm && self.cell.size == other.cell.size
    }
}

/// What the choices leave open: arms whose best factor was the smallest or the largest that was tried.
pub(crate) fn caveats(trials: &[Trial]) -> Vec<String> {
    let mut caveats = Vec::new();
    for best in trials.iter().filter(|t| t.chosen) {
        let mut beside = trials.iter().filter(|t| t.is_beside(best));
        let lower = beside.clone().any(|t| t.factor < best.factor);
        let higher = beside.any(|t| t.factor > best.factor);
        if !lower || !higher {
            caveats.push(format!(
                "The best learning rate of the {} at {} is the {} that was tried ({} times its recipe's): a better one may lie beyond.",
                best.cell.arm,
                best.cell.size,
                if lower { "largest" } else { "smallest" },
                best.factor
            ));
        }
    }
    caveats
}

impl From<&Trial> for TrialSummary {
    fn from(t: &Trial) -> TrialSummary {
        TrialSummary {
            arm: t.cell.arm,
            size: t.cell.size.clone(),
            factor: t.factor,
            value: t.value.is_finite().then_some(t.value),
            chosen: t.chosen,
        }
    }
}

impl TrialSummary {
    /// Its metric, as tables have it.
    pub(crate) fn in_words(&self, metric: &str) -> String {
        self.value.map_or_else(|| "none".to_owned(), |value| figures::value(metric, value))
    }
}

/// A row of a table of trials: an arm at a size, and its trial with each factor.
type Place<'a> = (Arm, &'a str, Vec<Option<&'a TrialSummary>>);

/// Trials as a table: all factors, and for each size and arm its trial with each of them.
pub(crate) fn by_place(trials: &[TrialSummary]) -> (Vec<f64>, Vec<Place<'_>>) {
    let mut factors: Vec<f64> = trials.iter().map(|t| t.factor).collect();
    factors.sort_by(f64::total_cmp);
    factors.dedup();
    let mut places: Vec<Place<'_>> = Vec::new();
    for t in trials.iter().filter(|t| !factors.is_empty() && t.factor == trials[0].factor) {
        let here = |f: &f64| trials.iter().find(|o| o.arm == t.arm && o.size == t.size && o.factor == *f);
        places.push((t.arm, &t.size, factors.iter().map(here).collect()));
    }
    (factors, places)
}
