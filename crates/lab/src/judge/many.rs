//! Several candidates in one table, and several bets in one programme.

use serde::{Deserialize, Serialize};

use crate::judge::judging::judge;
use crate::judge::noise::ArchiveNoise;
use crate::judge::rule::Rule;
use crate::judge::table::RunTable;
use crate::judge::verdict::Judgement;

/// Where an arm stands among several.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// The arm.
    pub arm: String,
    /// The arm that is shown to be better, and the evidence for it, an e-value; `None` while the arm is in the race.
    pub behind: Option<(String, f64)>,
}

/// Several candidates of one table, seen together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// Where every arm stands, the baseline first.
    pub standings: Vec<Standing>,
    /// The candidates that may be claimed to be better than the baseline, with a false discovery rate of [`DISCOVERY_RATE`].
    pub claimed: Vec<String>,
}

/// The false discovery rate of [`Field::claimed`].
pub const DISCOVERY_RATE: f64 = 0.1;

impl Field {
    /// Compares all arms of a table with each other; `judgements` are those of [`judge_all`].
    pub fn of(table: &RunTable, judgements: &[Judgement], rule: &Rule, noise: &ArchiveNoise) -> Field {
        let evidence: Vec<f64> = judgements
            .iter()
            .map(|j| match j.top().and_then(|t| t.effect.value()) {
                Some(effect) if effect.mean > 0.0 => effect.evidence,
                _ => 0.0,
            })
            .collect();
        let found = false_discovery(&evidence, DISCOVERY_RATE);
        let claimed = judgements.iter().zip(found).filter(|(_, yes)| *yes);
        Field {
            standings: eliminate(table, rule, noise),
            claimed: claimed.map(|(j, _)| j.candidate.clone()).collect(),
        }
    }

    /// The field in sentences.
    pub fn to_lines(&self) -> Vec<String> {
        let named = |arms: Vec<&str>| if arms.is_empty() { "none".to_owned() } else { arms.join(", ") };
        let in_race = self.standings.iter().filter(|s| s.behind.is_none()).map(|s| s.arm.as_str()).collect();
        let mut lines = vec![
            format!(
                "Better than the baseline, with a false discovery rate of {} over all candidates: {}.",
                crate::rule::percent(DISCOVERY_RATE),
                named(self.claimed.iter().map(String::as_str).collect())
            ),
            format!("No other arm is shown to be better than: {}.", named(in_race)),
        ];
        for standing in &self.standings {
            if let Some((better, evidence)) = &standing.behind {
                lines.push(format!(
                    "{} is out of the race: {better} is better (evidence {}).",
                    standing.arm,
                    crate::figures::evidence(*evidence)
                ));
            }
        }
        lines
    }
}

/// Judges every candidate of a table against its baseline. The error of the rule is shared out among them, so that it holds
/// for all claims of the table together.
pub fn judge_all(table: &RunTable, rule: &Rule, noise: &ArchiveNoise) -> Vec<Judgement> {
    let candidates = table.candidates();
    let share = candidates.len().max(1) as f64;
    let rule = Rule { error: rule.error / share, extension: rule.extension / share, ..rule.clone() };
    candidates.iter().map(|candidate| judge(table, candidate, &rule, noise)).collect()
}

/// Sequential elimination among all arms of a table, the baseline included: an arm leaves once the e-process for another arm
/// being different from it, and better, reaches K/`error` with K arms. It may be asked after every pair; runs of an arm that
/// has left need not be made.
pub fn eliminate(table: &RunTable, rule: &Rule, noise: &ArchiveNoise) -> Vec<Standing> {
    let mut arms = vec![table.baseline.as_str()];
    arms.extend(table.candidates());
    let threshold = arms.len() as f64 / rule.error;
    arms.iter()
        .map(|arm| {
            let against = RunTable { baseline: (*arm).to_owned(), ..table.clone() };
            let best = arms
                .iter()
                .filter(|other| *other != arm)
                .filter_map(|other| {
                    let judgement = judge(&against, other, rule, noise);
                    let effect = *judgement.top()?.effect.value()?;
                    (effect.mean > 0.0 && effect.evidence >= threshold)
                        .then(|| ((*other).to_owned(), effect.evidence))
                })
                .max_by(|a, b| a.1.total_cmp(&b.1));
            Standing { arm: (*arm).to_owned(), behind: best }
        })
        .collect()
}

/// Which of several bets may be claimed with a false discovery rate of at most `rate`, whatever their dependence: e-BH (Wang
/// and Ramdas 2022). `evidence` holds an e-value a bet, such as [`Effect::evidence`](crate::judge::Effect).
pub fn false_discovery(evidence: &[f64], rate: f64) -> Vec<bool> {
    let bets = evidence.len() as f64;
    let mut sorted: Vec<f64> = evidence.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let claimed = (1..=sorted.len()).rev().find(|k| *k as f64 * sorted[k - 1] >= bets / rate);
    let least = claimed.map_or(f64::INFINITY, |k| sorted[k - 1]);
    evidence.iter().map(|e| *e >= least).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn false_discovery_needs_more_of_few_than_of_many() {
        assert_eq!(false_discovery(&[30.0, 1.0, 1.0], 0.1), [true, false, false]);
        assert_eq!(false_discovery(&[29.0, 1.0, 1.0], 0.1), [false, false, false]);
        assert_eq!(false_discovery(&[16.0, 1.0, 15.0], 0.1), [true, false, true]);
        assert!(false_discovery(&[], 0.1).is_empty());
    }
}
