//! The decision rule in plain words, as it is printed before a bet runs and frozen in its registration.

use crate::bet::{Bet, Direction, Require};
use crate::judge::{ArchiveNoise, CostBasis, Scale};
use crate::score::{title_of, unit_of};

impl Bet {
    /// The rule by which this bet will be decided, a sentence or two for each line.
    pub fn rule_in_words(&self, noise: &ArchiveNoise) -> Vec<String> {
        let rule = self.rule();
        let p = &self.primary;
        let seeds = self.ladder.seeds.len();
        let sizes = self.ladder.sizes.len();
        let confidence = rule.confidence();
        let top = self.top_size();
        let name = title_of(&p.metric);
        let margin = match p.scale {
            Scale::Multiplier => format!("{} of compute", percent(p.margin)),
            Scale::Metric => format!("{} {}", p.margin, unit_of(&p.metric)).trim_end().to_owned(),
        };
        let difference = match p.direction {
            Direction::Lower => "baseline minus candidate",
            Direction::Higher => "candidate minus baseline",
        };
        let mut words = vec![match p.scale {
            Scale::Metric => format!(
                "Improvement is {difference} in {name} ({} is better), within pairs: runs of the same size and seed. It must \
                 be worth at least {margin}.",
                p.direction
            ),
            Scale::Multiplier => format!(
                "The effect of a pair is the logarithm of the compute multiplier: {difference} in {name} ({} is better), over \
                 what one factor e of compute buys the baseline at that size, plus ln(cost of the baseline / cost of the \
                 candidate) in {}. It must be worth at least {margin}.",
                p.direction,
                match rule.cost {
                    CostBasis::Flops => "FLOPs",
                    CostBasis::Seconds => "seconds",
                }
            ),
        }];
        let looks: Vec<String> = rule.looks_at(top, sizes - 1).iter().map(ToString::to_string).collect();
        words.push(format!(
            "Looks at {top} after {} pairs, {seeds} at most. Its {confidence} interval holds over all looks together: Student's \
             t at a level calibrated for them, with {}{}.",
            looks.join(", "),
            if noise.rungs.is_empty() {
                "the noise of the pairs and of the other sizes' pairs".to_owned()
            } else {
                "the noise of an archive of A/A runs and of the pairs".to_owned()
            },
            if self.trainer.is_none() {
                format!(", joined with a bootstrap over test tasks ({} resamples)", rule.resamples)
            } else {
                String::new()
            },
        ));
        let guard = match self.guardrails.len() {
            0 => "",
            1 => ", and the guardrail permits it",
            _ => ", and the guardrails permit it",
        };
        words.push(format!(
            "SHIP if at {top} the whole interval lies above {margin}{}{}{guard}.",
            if sizes > 1 { ", no size is shown to be worse" } else { "" },
            if sizes > 2 {
                format!(
                    ", a gain at {} times its compute has probability {} by the ladder",
                    rule.target.unwrap_or(1.0),
                    percent(rule.assurance)
                )
            } else {
                String::new()
            },
        ));
        let equal = match p.scale {
            Scale::Multiplier => format!("{} of compute", percent(rule.equal)),
            Scale::Metric => rule.equal.to_string(),
        };
        words.push(format!(
            "DROP as harm if at {top} the interval lies below 0{}; as equal if it lies within ±{equal}; {}as futile if finishing \
             the plan and as many pairs again would make it ship with less than {}.",
            if self.guardrails.is_empty() { "" } else { " or a guardrail is shown to be broken" },
            if sizes > 2 { "as fading if it lies above 0 and a gain at the target is less likely than not; " } else { "" },
            percent(rule.futile),
        ));
        if let Some(tuning) = &self.tuning {
            words.insert(1, tuning.words(self));
        }
        words.push("UNDECIDED otherwise, with what would decide it. Runs that cannot change the verdict any more are not started.".into());
        for g in &self.guardrails {
            let name = title_of(&g.metric);
            words.push(match g.require {
                Require::Held => format!(
                    "Guardrail: {name}. To ship, its interval at {top} must exclude a loss of more than {}.",
                    g.margin
                ),
                Require::Unbroken => format!(
                    "Guardrail: {name}. To ship, no loss of more than {} may be shown at {top} (its interval may \
                     still include one).",
                    g.margin
                ),
            });
        }
        words
    }
}

pub(crate) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

pub(crate) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
