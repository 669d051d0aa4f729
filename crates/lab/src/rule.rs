//! The decision rule in plain words, as it is printed before a bet runs and frozen in its registration.

use crate::bet::{Bet, Direction, Noise, Require};
use crate::score::{title_of, unit_of};

impl Bet {
    /// The rule by which this bet will be decided, a sentence or two for each line.
    pub fn rule_in_words(&self) -> Vec<String> {
        let p = &self.primary;
        let seeds = self.ladder.seeds.len();
        let sizes = self.ladder.sizes.len();
        let confidence = percent(self.decision.confidence);
        let difference = match p.direction {
            Direction::Lower => "baseline minus candidate",
            Direction::Higher => "candidate minus baseline",
        };
        let noise = match self.decision.noise {
            Noise::Pooled if sizes > 1 => {
                format!("noise pooled over the {sizes} sizes, {} degrees of freedom", sizes * (seeds - 1))
            }
            _ => format!(
                "noise of that size alone, {}",
                plural(seeds - 1, "degree of freedom", "degrees of freedom")
            ),
        };
        let margin = format!("{} {}", p.margin, unit_of(&p.metric));
        let top = self.top_size();
        let mut rule = vec![
            format!(
                "Improvement is {difference} in {} ({} is better), for runs of the same size and seed, averaged \
                 over the {seeds} seeds. It must be worth at least {}.",
                title_of(&p.metric),
                p.direction,
                margin.trim_end(),
            ),
            format!(
                "Its {confidence} interval joins two half-widths as the sides of a right angle: Student's t over \
                 seeds ({noise}) and a bootstrap over test tasks ({} resamples).",
                self.decision.resamples,
            ),
            format!(
                "SHIP if at {top} the whole interval lies above {}{}{}.",
                p.margin,
                if sizes > 1 { ", no smaller size is shown to be worse" } else { "" },
                match self.guardrails.len() {
                    0 => "",
                    1 => ", and the guardrail permits it",
                    _ => ", and the guardrails permit it",
                },
            ),
            format!(
                "DROP if at {top} the interval lies below 0 (harm), within ±{m} (equal) or below {m} (too small){}.",
                if self.guardrails.is_empty() { "" } else { ", or if a guardrail is shown to be broken" },
                m = p.margin,
            ),
            "UNDECIDED otherwise, with what would decide it.".to_owned(),
        ];
        for g in &self.guardrails {
            let name = title_of(&g.metric);
            rule.push(match g.require {
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
        rule.push(format!(
            "One look: the verdict is computed once, when all {} runs are finished.",
            sizes * seeds * 2
        ));
        rule
    }
}

pub(crate) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 100.0)
}

pub(crate) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}
