//! What the judge says: everything that a report prints.

use serde::{Deserialize, Serialize};

use crate::bet::{Direction, Require};
use crate::judge::defined::Defined;
use crate::judge::forecast::Forecast;
use crate::judge::ladder::LadderBackTest;
use crate::judge::number;
use crate::judge::power_law::{BackTest, PowerLaw};
use crate::judge::rule::Rule;
use crate::judge::slope::Slope;
use crate::judge::stability::Stability;
use crate::judge::table::Problem;

/// What the rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "decision", content = "because", rename_all = "snake_case")]
pub enum Ruling {
    /// The candidate is better by more than the margin, it promises to stay so at the target, and nothing that matters got
    /// worse.
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
    /// It, or something that a guardrail protects, is worse.
    Harm,
    /// It is neither better nor worse by what would matter.
    Equal,
    /// It is better on the ladder, and more likely than not no better at the target.
    Fades,
    /// Finishing the plan is not likely to make it ship.
    Futile,
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

impl std::fmt::Display for DropReason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            DropReason::Harm => "harm",
            DropReason::Equal => "equal",
            DropReason::Fades => "fades",
            DropReason::Futile => "futile",
        })
    }
}

/// The verdict on one candidate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Version of the judge.
    pub judge: u32,
    /// The arm that stands for what is done today.
    pub baseline: String,
    /// The arm that was judged.
    pub candidate: String,
    /// The rule.
    pub rule: Rule,
    /// What it says.
    pub ruling: Ruling,
    /// The verdict in one plain sentence, with the number and the interval.
    pub sentence: String,
    /// Why the rule says so.
    pub reasons: Vec<String>,
    /// What would decide it, if it is undecided.
    pub next: Vec<String>,
    /// What else a reader must know before believing it.
    pub caveats: Vec<String>,
    /// What had to be left out of the table.
    pub problems: Vec<Problem>,
    /// The rungs, smallest first.
    pub rungs: Vec<RungJudgement>,
    /// The ladder as a whole.
    pub ladder: Defined<LadderJudgement>,
    /// The guardrails at the largest rung.
    pub guardrails: Vec<GuardrailVerdict>,
    /// How calmly both arms trained, over all rungs.
    #[serde(default)]
    pub stability: Option<Stability>,
    /// Score against compute of baseline and candidate.
    pub power_laws: [Defined<PowerLaw>; 2],
    /// The baseline's and the candidate's largest rung predicted from the smaller ones by a power law.
    pub back_tests: [Defined<BackTest>; 2],
    /// Probability of a SHIP if the plan is finished and extended by as many pairs again.
    pub chance: Option<f64>,
    /// What would decide it, and how likely, if it is undecided.
    pub forecast: Option<Forecast>,
    /// Where the noise comes from, in words.
    pub noise: String,
}

/// One rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RungJudgement {
    /// The rung as the table calls it.
    pub rung: String,
    /// FLOPs of a run of baseline and candidate, mean.
    pub flops: [Option<f64>; 2],
    /// Seconds of a run of baseline and candidate, mean.
    pub seconds: [Option<f64>; 2],
    /// The primary metric of baseline and candidate, mean over pairs.
    #[serde(deserialize_with = "number::two")]
    pub means: [f64; 2],
    /// The improvement in the metric's unit, mean over pairs; positive is better.
    #[serde(deserialize_with = "number::one")]
    pub improvement: f64,
    /// What compute buys the baseline here.
    pub slope: Defined<Slope>,
    /// The effect on the scale that decides, with the interval that holds over all looks.
    pub effect: Defined<Effect>,
    /// The compute multiplier, with the chosen cost inside.
    pub multiplier: Defined<Multiplier>,
    /// The multiplier charged by seconds instead of FLOPs, where both are known.
    pub time_multiplier: Option<Multiplier>,
    /// The pairs: label, baseline, candidate, effect on the scale that decides.
    pub pairs: Vec<PairJudgement>,
    /// The effect as it stood after each number of pairs from two on, with the interval of that time.
    pub path: Vec<Step>,
}

/// A pair of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairJudgement {
    /// What the runs share.
    pub label: String,
    /// The primary metric of baseline and candidate.
    pub values: [f64; 2],
    /// The improvement in the metric's unit.
    pub improvement: f64,
    /// The effect on the scale that decides, where it is defined.
    pub effect: Option<f64>,
}

/// An effect with the interval that holds over all looks together.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Pairs.
    pub n: u32,
    /// Mean.
    pub mean: f64,
    /// Lower end; `None` where nothing is excluded yet.
    pub low: Option<f64>,
    /// Upper end; `None` where nothing is excluded yet.
    pub high: Option<f64>,
    /// Standard deviation of a pair.
    pub sd: f64,
    /// Its degrees of freedom.
    pub df: f64,
    /// Standard error of the mean, the choice of test items included.
    pub error: f64,
    /// The part of it that is due to the choice of test items.
    pub items: f64,
    /// The pairs, or the candidate's runs, are noisier than the archive says, so that it does not count.
    pub noisier: bool,
    /// It is a look, but the candidate's runs are too few to show that they are as calm as the archive's.
    #[serde(default)]
    pub waits: bool,
    /// This number of pairs is a registered look, or lies beyond the cap.
    pub decides: bool,
    /// Evidence against no effect, an e-value: 20 is as good as p = 0.05, and it may be looked at at any time.
    pub evidence: f64,
}

impl Effect {
    /// The interval, if it has both ends.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }
}

/// The effect after some pairs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Pairs.
    pub n: u32,
    /// Mean effect.
    pub mean: f64,
    /// Lower end of its interval.
    pub low: Option<f64>,
    /// Upper end of its interval.
    pub high: Option<f64>,
    /// It was a registered look, or lay beyond the cap.
    pub decides: bool,
}

/// How many times the baseline's compute would match the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multiplier {
    /// The multiplier.
    pub value: f64,
    /// Its value at the lower end of the effect's interval, the baseline's slope held fixed.
    pub low: Option<f64>,
    /// Its value at the upper end.
    pub high: Option<f64>,
    /// It points to more or less compute than any rung took.
    pub extrapolated: bool,
}

/// The ladder as a whole, on the scale that decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LadderJudgement {
    /// FLOPs at the target.
    pub target: f64,
    /// Change of the effect with each factor ten of compute.
    pub slope: f64,
    /// Its standard error.
    pub slope_error: f64,
    /// The effect predicted at the target.
    pub at_target: f64,
    /// Lower end of its 90 % prediction interval.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// Probability that the effect at the target is positive.
    pub probability: f64,
    /// Standard deviation of a rung's misfit that was used, and whether the back-test raised it.
    pub misfit: (f64, bool),
    /// The largest rung predicted from those below it.
    pub back_test: Defined<LadderBackTest>,
    /// The fan of the report: FLOPs, mean, and the ends of the 90 % prediction interval.
    pub fan: Vec<[f64; 4]>,
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

/// A guardrail and how it stands at the largest rung.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardrailVerdict {
    /// The metric.
    pub metric: String,
    /// Which way of it is better.
    pub direction: Direction,
    /// The loss that would be accepted.
    pub margin: f64,
    /// What must be shown.
    pub require: Require,
    /// How it stands.
    pub state: GuardrailState,
    /// Means of baseline and candidate and the improvement with its interval; or why there is none.
    pub change: Defined<GuardrailChange>,
}

/// The improvement in a guardrail's metric.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuardrailChange {
    /// Means of baseline and candidate.
    #[serde(deserialize_with = "number::two")]
    pub means: [f64; 2],
    /// The improvement; positive is better.
    pub effect: Effect,
    /// What weakens the interval.
    pub notes: Vec<String>,
}

impl GuardrailState {
    /// Whether a guardrail that stands so permits a SHIP.
    pub(crate) fn permits(self, require: Require) -> bool {
        match require {
            Require::Held => self == GuardrailState::Held,
            Require::Unbroken => self != GuardrailState::Broken,
        }
    }
}

impl GuardrailVerdict {
    pub(crate) fn permits_shipping(&self) -> bool {
        // A metric that nobody measured shows nothing, and may not pass for having shown no loss.
        self.change.value().is_some() && self.state.permits(self.require)
    }
}

impl Judgement {
    /// The largest rung.
    pub fn top(&self) -> Option<&RungJudgement> {
        self.rungs.last()
    }
}
