//! From rows of scores to metrics with their intervals.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::passes::{pass_at, pass_hat, reported};
use crate::statistics::{rate, ratio, ratio_difference, seed_of};
use crate::{InvalidActions, Metric, ScoreRow};

/// Metrics by name. One that nothing was measured for is absent.
///
/// | name | meaning | interval |
/// |---|---|---|
/// | `bits_per_action_byte` | bits for the expert's actions ÷ their bytes | bootstrap |
/// | `bits_per_answer_byte` | bits for the expert's answer ÷ its bytes | bootstrap |
/// | `recovery_bits_per_byte` | the same for the actions and the answer after an injected fault | bootstrap |
/// | `recovery_bits_over_twin` | the same, less the bits per byte of what the clean twin has to do from there on | bootstrap |
/// | `success_rate`, `success_clean`, `success_faulty` | share of tasks solved | Wilson |
/// | `recovery_rate` | share solved of the faulty tasks in which the fault was met | Wilson |
/// | `recovery_gap` | success on clean twins minus success on their faulty tasks, paired | bootstrap |
/// | `recovery_ratio` | success on faulty tasks ÷ success on their clean twins, paired | bootstrap |
/// | `pass_at_k`, `pass_hat_k` | one of k attempts, all of k attempts succeed | bootstrap |
/// | `excess_steps` | steps beyond the expert's, over attempts that succeeded | bootstrap |
/// | `malformed_rate` | share of the attempts to act that were no valid calls | bootstrap |
/// | `invalid_…` | the same by what was wrong: `unclosed`, `malformed`, `unknown_tool`, `missing_argument`, `wrong_type` | bootstrap |
/// | `calls_per_attempt`, `tokens_per_attempt`, `said_per_attempt` | attempts to act; tokens in the context; tokens said | bootstrap |
/// | `tokens_per_success` | all tokens ÷ attempts that succeeded | bootstrap |
/// | `expert_action_mrr` | mean 1 / rank of the expert's action among the legal ones | bootstrap |
/// | `expert_action_probability` | mean probability of the expert's action, the legal ones together having 1 | bootstrap |
/// | `right_branch_probability` | the same right after a fault, among what the expert does and what one does who has not noticed | bootstrap |
/// | `expert_action_mrr_chance`, `expert_action_probability_chance`, `right_branch_chance` | what chance gives in its place, exactly | none |
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
    ratio_of("bits_per_answer_byte", &|r| (r.answer_bits, r.answer_bytes as f64));
    ratio_of("recovery_bits_per_byte", &|r| (r.recovery_bits, r.recovery_bytes as f64));
    ratio_of("malformed_rate", &|r| (f64::from(r.malformed), f64::from(r.steps)));
    for (name, of) in INVALID {
        ratio_of(name, &|r| (f64::from(of(&r.invalid)), f64::from(r.steps)));
    }
    ratio_of("calls_per_attempt", &|r| (f64::from(r.steps), 1.0));
    // An agent that is no language model has no tokens.
    let spoken = |r: &ScoreRow| f64::from(u8::from(r.tokens > 0));
    ratio_of("tokens_per_attempt", &|r| (f64::from(r.tokens), spoken(r)));
    ratio_of("said_per_attempt", &|r| (f64::from(r.said), spoken(r)));
    ratio_of("tokens_per_success", &|r| (f64::from(r.tokens), spoken(r) * f64::from(u8::from(r.success))));
    ratio_of("excess_steps", &|r| match r.success {
        true => (f64::from(r.steps) - f64::from(r.expert_steps), 1.0),
        false => (0.0, 0.0),
    });
    let ranked = |r: &ScoreRow, mean: Option<f64>| {
        let actions = f64::from(r.ranked_actions);
        mean.map_or((0.0, 0.0), |mean| (mean * actions, actions))
    };
    ratio_of("expert_action_mrr", &|r| ranked(r, r.reciprocal_rank));
    ratio_of("expert_action_probability", &|r| ranked(r, r.legal_probability));
    let branched = |p: Option<f64>| p.map_or((0.0, 0.0), |p| (p, 1.0));
    ratio_of("right_branch_probability", &|r| branched(r.branch_probability));
    let pairs: Vec<(f64, f64)> = groups.values().map(|rows| gaps(rows)).collect();
    metrics.extend(ratio(&pairs, seed_of(&["recovery_gap"], &[])).map(|m| ("recovery_gap".to_owned(), m)));

    let pairs: Vec<(f64, f64)> = groups.values().map(|rows| twins(rows)).collect();
    metrics
        .extend(ratio(&pairs, seed_of(&["recovery_ratio"], &[])).map(|m| ("recovery_ratio".to_owned(), m)));
    let beside_twins: Vec<[f64; 4]> = groups
        .values()
        .map(|rows| {
            let paired = || rows.iter().filter(|r| r.twin_bytes > 0);
            let own = sum(paired().map(|r| (r.recovery_bits, r.recovery_bytes as f64)));
            let twin = sum(paired().map(|r| (r.twin_bits, r.twin_bytes as f64)));
            [own.0, own.1, twin.0, twin.1]
        })
        .collect();
    let over = ratio_difference(&beside_twins, seed_of(&["recovery_bits_over_twin"], &[]));
    metrics.extend(over.map(|m| ("recovery_bits_over_twin".to_owned(), m)));
    metrics.extend(passes(&groups));

    let exactly = |name: &str, parts: &dyn Fn(&ScoreRow) -> (f64, f64)| {
        let (chance, of) = sum(rows.iter().map(|r| parts(r)));
        let n = rows.iter().filter(|r| parts(r).1 > 0.0).count() as u64;
        let value = chance / of;
        (of > 0.0).then(|| (name.to_owned(), Metric { value, low: value, high: value, n }))
    };
    metrics.extend(exactly("expert_action_mrr_chance", &|r| ranked(r, r.chance_reciprocal_rank)));
    metrics.extend(exactly("expert_action_probability_chance", &|r| ranked(r, r.chance_probability)));
    metrics.extend(exactly("right_branch_chance", &|r| branched(r.chance_branch)));
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

/// Invalid actions by the name of their metric.
type InvalidMetric = (&'static str, fn(&InvalidActions) -> u32);
const INVALID: [InvalidMetric; 5] = [
    ("invalid_unclosed", |i| i.unclosed),
    ("invalid_malformed", |i| i.malformed),
    ("invalid_unknown_tool", |i| i.unknown_tool),
    ("invalid_missing_argument", |i| i.missing_argument),
    ("invalid_wrong_type", |i| i.wrong_type),
];

/// pass@k and pass^k, for tasks that were attempted several times.
fn passes(groups: &BTreeMap<Group<'_>, Vec<&ScoreRow>>) -> Vec<(String, Metric)> {
    // By group: attempts and successes of each of its tasks.
    let counted: Vec<Vec<(u32, u32)>> = groups
        .values()
        .map(|rows| {
            let mut tasks: BTreeMap<Option<&str>, (u32, u32)> = BTreeMap::new();
            for row in rows {
                let task = tasks.entry(row.fault.as_deref()).or_default();
                task.0 += 1;
                task.1 += u32::from(row.success);
            }
            tasks.into_values().collect()
        })
        .collect();
    let attempts = counted.iter().flatten().map(|t| t.0).min().unwrap_or(0);
    if attempts < 2 {
        return Vec::new();
    }
    type Pass = fn(u32, u32, u32) -> f64;
    let kinds: [(&str, Pass); 2] = [("pass_at", pass_at), ("pass_hat", pass_hat)];
    let mut metrics = Vec::new();
    for k in reported(attempts) {
        for (kind, pass) in kinds {
            let name = format!("{kind}_{k}");
            let units: Vec<(f64, f64)> =
                counted.iter().map(|tasks| sum(tasks.iter().map(|&(n, c)| (pass(k, n, c), 1.0)))).collect();
            metrics.extend(ratio(&units, seed_of(&[&name], &[])).map(|m| (name, m)));
        }
    }
    metrics
}

/// For the faulty attempts of a group whose twin was played: their successes, and those of the clean twin's same attempts.
fn twins(group: &[&ScoreRow]) -> (f64, f64) {
    let hit = |r: &ScoreRow| f64::from(u8::from(r.success));
    let twin =
        |r: &ScoreRow| group.iter().find(|c| c.fault.is_none() && c.sample == r.sample).map(|c| hit(c));
    sum(group.iter().filter(|r| r.fault.is_some()).filter_map(|r| twin(r).map(|clean| (hit(r), clean))))
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
            invalid: InvalidActions { wrong_type: 1, ..InvalidActions::default() },
            fault_met: fault.is_some(),
            ended: Ended::Answer,
            tokens: 10,
            said: 4,
            action_bits: 30.0,
            action_bytes: 20,
            answer_bits: 2.0,
            answer_bytes: 4,
            recovery_bits: if fault.is_some() { 8.0 } else { 0.0 },
            recovery_bytes: if fault.is_some() { 4 } else { 0 },
            twin_bits: if fault.is_some() { 6.0 } else { 0.0 },
            twin_bytes: if fault.is_some() { 4 } else { 0 },
            ranked_actions: 2,
            legal_rank: Some(1.5),
            legal_count: Some(4.0),
            reciprocal_rank: Some(0.75),
            chance_reciprocal_rank: Some(25.0 / 48.0),
            legal_probability: Some(0.5),
            chance_probability: Some(0.25),
            branch_probability: fault.map(|_| 0.75),
            chance_branch: fault.map(|_| 0.5),
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
        assert_eq!(value("bits_per_answer_byte"), 0.5);
        assert_eq!(value("recovery_bits_per_byte"), 2.0);
        assert_eq!(value("success_rate"), 0.5);
        assert_eq!(value("success_clean"), 0.75);
        assert_eq!(value("success_faulty"), 0.25);
        assert_eq!(value("recovery_rate"), 0.25);
        assert_eq!(value("recovery_gap"), 0.5);
        assert_eq!(value("excess_steps"), 1.0);
        assert_eq!(value("malformed_rate"), 0.25);
        assert_eq!((value("invalid_wrong_type"), value("invalid_unclosed")), (0.25, 0.0));
        assert_eq!((value("calls_per_attempt"), value("tokens_per_attempt")), (4.0, 10.0));
        assert_eq!((value("said_per_attempt"), value("tokens_per_success")), (4.0, 20.0));
        assert!((value("recovery_ratio") - 1.0 / 3.0).abs() < 1e-12);
        assert_eq!(value("recovery_bits_over_twin"), 0.5);
        assert_eq!(value("expert_action_probability"), 0.5);
        assert_eq!(value("expert_action_probability_chance"), 0.25);
        assert_eq!((value("right_branch_probability"), value("right_branch_chance")), (0.75, 0.5));
        assert!(!metrics.contains_key("pass_at_1"), "tasks were attempted once");
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
        let value = |name: &str| metrics[name].value;
        assert_eq!((value("pass_at_1"), value("pass_hat_1")), (0.75, 0.75));
        assert_eq!((value("pass_at_2"), value("pass_hat_2")), (1.0, 0.5));
    }

    #[test]
    fn nothing_measured_is_absent_not_nan() {
        assert!(summarise(&[]).is_empty());
        let mut null = row(1, Some("gone"), false);
        (null.steps, null.malformed, null.fault_met, null.action_bytes, null.recovery_bytes) =
            (0, 0, false, 0, 0);
        (null.ranked_actions, null.reciprocal_rank, null.chance_reciprocal_rank) = (0, None, None);
        (null.tokens, null.twin_bytes, null.branch_probability, null.chance_branch) = (0, 0, None, None);
        null.answer_bytes = 0;
        let names: Vec<String> = summarise(&[null]).into_keys().collect();
        assert_eq!(names, ["calls_per_attempt", "success_faulty", "success_rate"]);
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
