//! From rows of scores to metrics with their intervals.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::statistics::{rate, ratio, seed_of};
use crate::{Metric, ScoreRow};

/// Metrics by name. One that nothing was measured for is absent.
///
/// | name | meaning | interval |
/// |---|---|---|
/// | `bits_per_action_byte` | bits for the expert's actions ÷ their bytes | bootstrap |
/// | `recovery_bits_per_byte` | the same for the actions and the answer after an injected fault | bootstrap |
/// | `success_rate`, `success_clean`, `success_faulty` | share of tasks solved | Wilson |
/// | `recovery_rate` | share solved of the faulty tasks in which the fault was met | Wilson |
/// | `recovery_gap` | success on clean twins minus success on their faulty tasks, paired | bootstrap |
/// | `excess_steps` | steps beyond the expert's, over attempts that succeeded | bootstrap |
/// | `malformed_rate` | share of the attempts to act that were no valid calls | bootstrap |
/// | `expert_action_mrr` | mean 1 / rank of the expert's action among the legal ones | bootstrap |
/// | `expert_action_mrr_chance` | what chance gives in its place, exactly | none |
///
/// The bootstrap resamples groups of a clean task with its faulty twins, which are not independent.
pub type Metrics = BTreeMap<String, Metric>;

/// The metrics of one policy's rows.
pub fn summarise(rows: &[ScoreRow]) -> Metrics {
    let all: Vec<&ScoreRow> = rows.iter().collect();
    summarise_refs(&all)
}

/// The metrics of a part of the grid of tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Breakdown {
    /// Who played.
    pub policy: String,
    /// The world, or all of them.
    pub world: Option<String>,
    /// The level, or all of them.
    pub level: Option<u32>,
    /// Clean tasks, those of one fault, or all of them.
    pub fault: Faults,
    /// The metrics of these rows.
    pub metrics: Metrics,
}

/// A choice of tasks by their fault.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Faults {
    /// All tasks.
    All,
    /// Those without a fault.
    Clean,
    /// Those with a fault, whichever it is.
    Faulty,
    /// Those with this fault.
    Only(String),
}

impl Faults {
    fn holds(&self, row: &ScoreRow) -> bool {
        match self {
            Faults::All => true,
            Faults::Clean => row.fault.is_none(),
            Faults::Faulty => row.fault.is_some(),
            Faults::Only(fault) => row.fault.as_deref() == Some(fault),
        }
    }
}

/// The metrics of every policy by world, level and fault, margins included; parts without rows are absent.
///
/// Parts come in order: policy, then world, then level, the margin over all before the single ones.
pub fn breakdown(rows: &[ScoreRow]) -> Vec<Breakdown> {
    let mut faults = vec![Faults::All, Faults::Clean, Faults::Faulty];
    faults.extend(
        rows.iter().filter_map(|r| r.fault.clone()).collect::<BTreeSet<_>>().into_iter().map(Faults::Only),
    );
    let policies: BTreeSet<&str> = rows.iter().map(|r| r.policy.as_str()).collect();
    let worlds: BTreeSet<Option<&str>> =
        std::iter::once(None).chain(rows.iter().map(|r| Some(r.world.as_str()))).collect();
    let levels: BTreeSet<Option<u32>> =
        std::iter::once(None).chain(rows.iter().map(|r| Some(r.level))).collect();
    let mut parts = Vec::new();
    for policy in policies {
        for &world in &worlds {
            for &level in &levels {
                let here: Vec<&ScoreRow> = rows
                    .iter()
                    .filter(|r| {
                        r.policy == policy
                            && world.is_none_or(|w| r.world == w)
                            && level.is_none_or(|l| r.level == l)
                    })
                    .collect();
                for fault in &faults {
                    let part: Vec<&ScoreRow> = here.iter().copied().filter(|r| fault.holds(r)).collect();
                    if !part.is_empty() {
                        parts.push(Breakdown {
                            policy: policy.to_owned(),
                            world: world.map(str::to_owned),
                            level,
                            fault: fault.clone(),
                            metrics: summarise_refs(&part),
                        });
                    }
                }
            }
        }
    }
    parts
}

/// The grid of cells that belong together: a clean task and its faulty twins.
type Group<'a> = (&'a str, u32, u64);
/// A task: its group and its fault.
type TaskKey<'a> = (Group<'a>, Option<&'a str>);

fn summarise_refs(rows: &[&ScoreRow]) -> Metrics {
    let mut groups: BTreeMap<Group<'_>, Vec<&ScoreRow>> = BTreeMap::new();
    for row in rows {
        groups.entry((&row.world, row.level, row.seed)).or_default().push(row);
    }
    let mut metrics = Metrics::new();
    let mut ratio_of = |name: &str, of: &dyn Fn(&ScoreRow) -> (f64, f64)| {
        let units: Vec<(f64, f64)> =
            groups.values().map(|rows| sum(rows.iter().map(|row| of(row)))).collect();
        metrics.extend(ratio(&units, seed_of(&[name], &[])).map(|m| (name.to_owned(), m)));
    };
    ratio_of("bits_per_action_byte", &|r| (r.action_bits, r.action_bytes as f64));
    ratio_of("recovery_bits_per_byte", &|r| (r.recovery_bits, r.recovery_bytes as f64));
    ratio_of("malformed_rate", &|r| (f64::from(r.malformed), f64::from(r.steps)));
    ratio_of("excess_steps", &|r| match r.success {
        true => (f64::from(r.steps) - f64::from(r.expert_steps), 1.0),
        false => (0.0, 0.0),
    });
    let ranked = |r: &ScoreRow, mean: Option<f64>| {
        let actions = f64::from(r.ranked_actions);
        mean.map_or((0.0, 0.0), |mean| (mean * actions, actions))
    };
    ratio_of("expert_action_mrr", &|r| ranked(r, r.reciprocal_rank));
    let pairs: Vec<(f64, f64)> = groups.values().map(|rows| gaps(rows)).collect();
    metrics.extend(ratio(&pairs, seed_of(&["recovery_gap"], &[])).map(|m| ("recovery_gap".to_owned(), m)));

    let (chance, actions) = sum(rows.iter().map(|r| ranked(r, r.chance_reciprocal_rank)));
    if actions > 0.0 {
        let value = chance / actions;
        let n = rows.iter().filter(|r| r.ranked_actions > 0).count() as u64;
        metrics.insert("expert_action_mrr_chance".to_owned(), Metric { value, low: value, high: value, n });
    }
    let mut rate_of = |name: &str, of: &dyn Fn(&ScoreRow) -> bool| {
        metrics.extend(success(rows.iter().copied().filter(|r| of(r))).map(|m| (name.to_owned(), m)));
    };
    rate_of("success_rate", &|_| true);
    rate_of("success_clean", &|r| r.fault.is_none());
    rate_of("success_faulty", &|r| r.fault.is_some());
    rate_of("recovery_rate", &|r| r.fault.is_some() && r.fault_met);
    metrics
}

fn sum(parts: impl Iterator<Item = (f64, f64)>) -> (f64, f64) {
    parts.fold((0.0, 0.0), |a, b| (a.0 + b.0, a.1 + b.1))
}

/// The share of tasks solved: the mean over tasks of the mean over their attempts.
fn success<'a>(rows: impl Iterator<Item = &'a ScoreRow>) -> Option<Metric> {
    let mut tasks: BTreeMap<TaskKey<'a>, (f64, f64)> = BTreeMap::new();
    for row in rows {
        let task = tasks.entry(((&row.world, row.level, row.seed), row.fault.as_deref())).or_default();
        task.0 += f64::from(u8::from(row.success));
        task.1 += 1.0;
    }
    let n = tasks.len() as u64;
    (n > 0).then(|| rate(tasks.values().map(|(hits, tries)| hits / tries).sum::<f64>() / n as f64, n))
}

/// For the faulty attempts of a group: Σ (success of the clean twin's same attempt − own success), and their number.
fn gaps(group: &[&ScoreRow]) -> (f64, f64) {
    let hit = |r: &ScoreRow| f64::from(u8::from(r.success));
    let twin =
        |r: &ScoreRow| group.iter().find(|c| c.fault.is_none() && c.sample == r.sample).map(|c| hit(c));
    sum(group.iter().filter(|r| r.fault.is_some()).filter_map(|r| twin(r).map(|clean| (clean - hit(r), 1.0))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ended;

    fn row(seed: u64, fault: Option<&str>, success: bool) -> ScoreRow {
        ScoreRow {
            world: "files".into(),
            level: 1,
            fault: fault.map(str::to_owned),
            seed,
            sample: 0,
            policy: "model".into(),
            success,
            collateral: 0,
            steps: 4,
            expert_steps: 3,
            malformed: 1,
            fault_met: fault.is_some(),
            ended: Ended::Answer,
            tokens: 10,
            action_bits: 30.0,
            action_bytes: 20,
            recovery_bits: if fault.is_some() { 8.0 } else { 0.0 },
            recovery_bytes: if fault.is_some() { 4 } else { 0 },
            ranked_actions: 2,
            legal_rank: Some(1.5),
            legal_count: Some(4.0),
            reciprocal_rank: Some(0.75),
            chance_reciprocal_rank: Some(25.0 / 48.0),
            transcript: String::new(),
        }
    }

    /// Tasks 1 to 4, clean and faulty: all clean ones solved but the last, of the faulty ones only the first.
    fn rows() -> Vec<ScoreRow> {
        (1..=4).flat_map(|s| [row(s, None, s < 4), row(s, Some("gone"), s == 1)]).collect()
    }

    #[test]
    fn metrics_by_hand() {
        let metrics = summarise(&rows());
        let value = |name: &str| metrics[name].value;
        assert_eq!(value("bits_per_action_byte"), 1.5);
        assert_eq!(value("recovery_bits_per_byte"), 2.0);
        assert_eq!(value("success_rate"), 0.5);
        assert_eq!(value("success_clean"), 0.75);
        assert_eq!(value("success_faulty"), 0.25);
        assert_eq!(value("recovery_rate"), 0.25);
        assert_eq!(value("recovery_gap"), 0.5);
        assert_eq!(value("excess_steps"), 1.0);
        assert_eq!(value("malformed_rate"), 0.25);
        assert_eq!(value("expert_action_mrr"), 0.75);
        assert!((value("expert_action_mrr_chance") - 25.0 / 48.0).abs() < 1e-12);
        // Equal units leave nothing to resample; the gap's units are 0, 1, 1 and 0.
        assert_eq!((metrics["bits_per_action_byte"].low, metrics["bits_per_action_byte"].high), (1.5, 1.5));
        assert_eq!(
            (metrics["recovery_gap"].low, metrics["recovery_gap"].high, metrics["recovery_gap"].n),
            (0.0, 1.0, 4)
        );
        assert_eq!(metrics["success_rate"].n, 8);
        assert!(metrics.values().all(|m| m.low <= m.value && m.value <= m.high));
    }

    #[test]
    fn several_attempts_count_as_one_task() {
        let mut rows = vec![row(1, None, true), row(1, None, false), row(2, None, true), row(2, None, true)];
        rows[1].sample = 1;
        rows[3].sample = 1;
        let metrics = summarise(&rows);
        assert_eq!((metrics["success_rate"].value, metrics["success_rate"].n), (0.75, 2));
    }

    #[test]
    fn nothing_measured_is_absent_not_nan() {
        assert!(summarise(&[]).is_empty());
        let mut null = row(1, Some("gone"), false);
        (null.steps, null.malformed, null.fault_met, null.action_bytes, null.recovery_bytes) =
            (0, 0, false, 0, 0);
        (null.ranked_actions, null.reciprocal_rank, null.chance_reciprocal_rank) = (0, None, None);
        let names: Vec<String> = summarise(&[null]).into_keys().collect();
        assert_eq!(names, ["success_faulty", "success_rate"]);
    }

    #[test]
    fn breakdown_covers_the_grid_and_its_margins() {
        let mut rows = rows();
        rows.extend(self::rows().into_iter().map(|r| ScoreRow {
            policy: "null".into(),
            success: false,
            ..r
        }));
        let parts = breakdown(&rows);
        // Two policies × (all worlds, files) × (all levels, 1) × (all, clean, faulty, gone).
        assert_eq!(parts.len(), 2 * 2 * 2 * 4);
        let part = parts
            .iter()
            .find(|p| p.policy == "model" && p.level == Some(1) && p.fault == Faults::Only("gone".into()))
            .unwrap();
        assert_eq!(part.metrics["success_rate"].value, 0.25);
        assert!(!part.metrics.contains_key("recovery_gap"), "its clean twins are in another part");
    }
}
