//! Scores of task attempts, metrics, and which metric is what ratio of sums over attempts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bet::Direction;

/// One attempt at one task, as the arena scored it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Name of the world.
    pub world: String,
    /// Difficulty, from 1.
    pub level: u32,
    /// The injected fault, where there is one.
    pub fault: Option<String>,
    /// Seed of the task.
    pub seed: u64,
    /// Who acted: the model, or a reference agent.
    pub policy: String,
    /// The task was solved.
    pub success: bool,
    /// Actions taken.
    pub steps: u32,
    /// Actions that the expert needs.
    pub expert_steps: u32,
    /// Actions that were no valid call.
    pub malformed: u32,
    /// The injected fault showed itself.
    pub fault_met: bool,
    /// How it ended: `answer`, `steps`, `context`, `gave up`.
    pub ended: String,
    /// Bits that the model needs for the expert's actions, under teacher forcing.
    pub action_bits: f64,
    /// Bytes of the expert's actions.
    pub action_bytes: u64,
    /// Bits for what the expert says after a failure.
    pub recovery_bits: f64,
    /// Bytes of what the expert says after a failure.
    pub recovery_bytes: u64,
    /// The expert's actions that were ranked among the legal ones.
    pub ranked_actions: u32,
    /// Mean rank of the expert's action among the legal ones, from 1.
    pub legal_rank: Option<f64>,
    /// Mean number of legal actions.
    pub legal_count: Option<f64>,
    /// Mean of one over that rank.
    pub reciprocal_rank: Option<f64>,
    /// The attempt as annotated trace text.
    pub transcript: String,
}

/// A metric of one run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Metric {
    /// The value.
    pub value: f64,
    /// Lower end of its interval over tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// Upper end of its interval over tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
    /// On how many items it rests.
    #[serde(default)]
    pub n: u64,
}

/// The policy of a score that the trained model made, and not a reference agent.
pub const MODEL: &str = "model";

/// Metrics by name.
pub type Metrics = BTreeMap<String, Metric>;

/// What one attempt adds to a metric: numerator and denominator, or nothing.
type Part = fn(&Score) -> Option<(f64, f64)>;

struct Known {
    name: &'static str,
    direction: Direction,
    unit: &'static str,
    meaning: &'static str,
    part: Option<Part>,
}

fn rate(yes: bool) -> Option<(f64, f64)> {
    Some((f64::from(u8::from(yes)), 1.0))
}

const KNOWN: [Known; 10] = [
    Known {
        name: "bits_per_action_byte",
        direction: Direction::Lower,
        unit: "bits/byte",
        meaning: "How surprised the model is by the expert's actions on test tasks: bits for each byte of them, \
                  with the expert's own history before it.",
        part: Some(|s| (s.action_bytes > 0).then_some((s.action_bits, s.action_bytes as f64))),
    },
    Known {
        name: "recovery_bits_per_byte",
        direction: Direction::Lower,
        unit: "bits/byte",
        meaning: "The same for what the expert says and does right after a failure.",
        part: Some(|s| (s.recovery_bytes > 0).then_some((s.recovery_bits, s.recovery_bytes as f64))),
    },
    Known {
        name: "success_rate",
        direction: Direction::Higher,
        unit: "share",
        meaning: "Share of test tasks solved when the model acts by itself.",
        part: Some(|s| rate(s.success)),
    },
    Known {
        name: "success_clean",
        direction: Direction::Higher,
        unit: "share",
        meaning: "Share solved of the tasks in which nothing fails.",
        part: Some(|s| if s.fault.is_none() { rate(s.success) } else { None }),
    },
    Known {
        name: "success_faulty",
        direction: Direction::Higher,
        unit: "share",
        meaning: "Share solved of the tasks with an injected fault.",
        part: Some(|s| if s.fault.is_some() { rate(s.success) } else { None }),
    },
    Known {
        name: "recovery_rate",
        direction: Direction::Higher,
        unit: "share",
        meaning: "Share solved of the tasks in which the model really met the injected fault.",
        part: Some(|s| if s.fault.is_some() && s.fault_met { rate(s.success) } else { None }),
    },
    Known {
        name: "recovery_gap",
        direction: Direction::Lower,
        unit: "share",
        meaning: "Success on the clean twins minus success on the same tasks with a fault.",
        part: None,
    },
    Known {
        name: "excess_steps",
        direction: Direction::Lower,
        unit: "steps",
        meaning: "Actions beyond what the expert needs, over the tasks solved.",
        part: Some(|s| s.success.then(|| (f64::from(s.steps) - f64::from(s.expert_steps), 1.0))),
    },
    Known {
        name: "malformed_rate",
        direction: Direction::Lower,
        unit: "share",
        meaning: "Share of the model's actions that are no valid call.",
        part: Some(|s| (s.steps > 0).then(|| (f64::from(s.malformed), f64::from(s.steps)))),
    },
    Known {
        name: "expert_action_mrr",
        direction: Direction::Higher,
        unit: "",
        meaning: "One over the rank that the model gives the expert's action among all legal ones, averaged.",
        part: Some(|s| {
            let actions = f64::from(s.ranked_actions);
            s.reciprocal_rank.filter(|_| actions > 0.0).map(|mean| (mean * actions, actions))
        }),
    },
];

fn known(metric: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|k| k.name == metric)
}

/// All metrics that a bet may name.
pub fn metric_names() -> impl Iterator<Item = &'static str> {
    KNOWN.iter().map(|k| k.name)
}

pub(crate) fn direction_of(metric: &str) -> Option<Direction> {
    known(metric).map(|k| k.direction)
}

pub(crate) fn unit_of(metric: &str) -> &'static str {
    known(metric).map_or("", |k| k.unit)
}

pub(crate) fn meaning_of(metric: &str) -> &'static str {
    known(metric).map_or("", |k| k.meaning)
}

/// `success_clean` as `success, clean tasks`, and so on: how a report writes a metric.
pub(crate) fn title_of(metric: &str) -> String {
    match metric {
        "success_clean" => "success on clean tasks".into(),
        "success_faulty" => "success on faulty tasks".into(),
        "expert_action_mrr" => "rank of the expert's action".into(),
        other => other.replace('_', " "),
    }
}

/// What an attempt adds to `metric`; `None` for a metric that is no ratio of sums over attempts.
pub(crate) fn part_of(metric: &str) -> Option<Part> {
    known(metric).and_then(|k| k.part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_pick_the_attempts_that_count() {
        let clean = Score { success: true, ..Score::default() };
        let faulty = Score { fault: Some("gone".into()), ..Score::default() };
        let met = Score { fault_met: true, ..faulty.clone() };
        assert_eq!(part_of("success_clean").unwrap()(&clean), Some((1.0, 1.0)));
        assert_eq!(part_of("success_clean").unwrap()(&faulty), None);
        assert_eq!(part_of("recovery_rate").unwrap()(&faulty), None);
        assert_eq!(part_of("recovery_rate").unwrap()(&met), Some((0.0, 1.0)));
        assert_eq!(part_of("bits_per_action_byte").unwrap()(&clean), None);
        assert!(part_of("no_such_metric").is_none());
    }
}
