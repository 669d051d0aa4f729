//! The judge: a verdict on a plain table of runs, by a rule that was fixed before.
//!
//! [`judge`] knows nothing of how the runs were made. A [`RunTable`] holds them, a [`Rule`] says how they decide,
//! [`ArchiveNoise`] what is known of chance beforehand, and a [`Judgement`] is everything that a report prints.
//! `docs/verdicts.md` has the statistics with their sources, and how often the rule errs.

mod clustered;
mod decide;
mod defined;
mod forecast;
mod guards;
mod judging;
mod ladder;
mod many;
mod noise;
mod number;
mod power_law;
mod rehearsal;
mod rule;
mod sequential;
mod slope;
mod stability;
mod table;
mod verdict;
mod words;

pub use defined::Defined;
pub use forecast::{Forecast, Outlook, RungOutlook};
pub use judging::{JUDGE, judge};
pub use ladder::LadderBackTest;
pub use many::{DISCOVERY_RATE, Field, Standing, eliminate, false_discovery, judge_all};
pub use noise::{ArchiveNoise, RungNoise, USUAL_MISFIT};
pub use power_law::{BackTest, PowerLaw};
pub use rehearsal::{DrawnPair, Foreseen, Rehearsal, RehearsalDraws, RehearsalRung, Rehearsed, rehearse};
pub use rule::{CostBasis, Rule, Scale};
pub use slope::Slope;
pub use stability::{ArmStability, Stability};
pub use table::{Calm, Group, Outcome, PlannedRung, Problem, RunRow, RunTable};
pub use verdict::{
    DropReason, Effect, GuardrailChange, GuardrailState, GuardrailVerdict, Judgement, LadderJudgement,
    Multiplier, PairJudgement, Ruling, RungJudgement, Step,
};
