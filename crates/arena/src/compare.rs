//! Two models on the same tasks: paired differences and tests.

use std::collections::BTreeMap;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::statistics::{ratio_difference, seed_of};
use crate::{Metric, ScoreRow};

/// One metric of two models on the tasks that both have attempted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PairedTest {
    /// The metric's name, as in [`summarise`](crate::summarise).
    pub metric: String,
    /// Whether more of it is better.
    pub higher_is_better: bool,
    /// The first model's value on these tasks.
    pub first: f64,
    /// The second model's.
    pub second: f64,
    /// Second less first; the interval is from 1000 bootstrap resamples of the groups of a clean task and its faulty twins.
    pub difference: Metric,
    /// The probability of a difference at least as large if, in each group, it were a coin's toss which model is which: exact up to
    /// 12 groups that differ, otherwise from 10 000 tosses.
    pub p: f64,
}

/// What a row adds to a metric: numerator and denominator.
type Part = fn(&ScoreRow) -> (f64, f64);

fn hit(r: &ScoreRow) -> f64 {
    f64::from(u8::from(r.success))
}

fn mean_of(value: Option<f64>, weight: f64) -> (f64, f64) {
    value.map_or((0.0, 0.0), |v| (v * weight, weight))
}

/// What is compared: name, whether higher is better, and the parts of the ratio.
const COMPARED: [(&str, bool, Part); 11] = [
    ("success_rate", true, |r| (hit(r), 1.0)),
    ("success_clean", true, |r| if r.fault.is_none() { (hit(r), 1.0) } else { (0.0, 0.0) }),
    ("success_faulty", true, |r| if r.fault.is_some() { (hit(r), 1.0) } else { (0.0, 0.0) }),
    ("bits_per_action_byte", false, |r| (r.action_bits, r.action_bytes as f64)),
    ("bits_per_answer_byte", false, |r| (r.answer_bits, r.answer_bytes as f64)),
    ("recovery_bits_per_byte", false, |r| (r.recovery_bits, r.recovery_bytes as f64)),
    ("expert_action_mrr", true, |r| mean_of(r.reciprocal_rank, r.ranked_actions.into())),
    ("expert_action_probability", true, |r| mean_of(r.legal_probability, r.ranked_actions.into())),
    ("right_branch_probability", true, |r| mean_of(r.branch_probability, 1.0)),
    ("malformed_rate", false, |r| (r.malformed.into(), r.steps.into())),
    ("calls_per_attempt", false, |r| (r.steps.into(), 1.0)),
];

/// Compares two models on the tasks that both have attempted. A metric that one of them does not have is left out.
pub fn compare(first: &[ScoreRow], second: &[ScoreRow]) -> Vec<PairedTest> {
    type Task<'a> = (&'a str, u32, u64, Option<&'a str>);
    fn key(r: &ScoreRow) -> Task<'_> {
        (&r.world, r.level, r.seed, r.fault.as_deref())
    }
    let mut tasks: BTreeMap<Task<'_>, [Vec<&ScoreRow>; 2]> = BTreeMap::new();
    for (side, rows) in [first, second].into_iter().enumerate() {
        rows.iter().for_each(|r| tasks.entry(key(r)).or_default()[side].push(r));
    }
    tasks.retain(|_, [a, b]| !a.is_empty() && !b.is_empty());
    let mut tests = Vec::new();
    for (name, higher_is_better, part) in COMPARED {
        let mut groups: BTreeMap<(&str, u32, u64), [f64; 4]> = BTreeMap::new();
        for ((world, level, seed, _), sides) in &tasks {
            let group = groups.entry((world, *level, *seed)).or_default();
            for (side, rows) in sides.iter().enumerate() {
                // Attempts of a task share its weight, so that models may have made different numbers of them.
                let sum = rows.iter().map(|r| part(r)).fold((0.0, 0.0), |s, p| (s.0 + p.0, s.1 + p.1));
                let shared = if rows.iter().all(|r| part(r).1 > 0.0) { rows.len() as f64 } else { 1.0 };
                group[2 * side] += sum.0 / shared;
                group[2 * side + 1] += sum.1 / shared;
            }
        }
        let units: Vec<[f64; 4]> = groups.into_values().map(|[n, d, m, e]| [m, e, n, d]).collect();
        let Some(difference) = ratio_difference(&units, seed_of(&["compare", name], &[])) else { continue };
        let of = |side: usize| {
            units.iter().map(|u| u[side]).sum::<f64>() / units.iter().map(|u| u[side + 1]).sum::<f64>()
        };
        let (first, second) = (of(2), of(0));
        let p = tossed(&units, seed_of(&["tossed", name], &[]));
        tests.push(PairedTest { metric: name.to_owned(), higher_is_better, first, second, difference, p });
    }
    tests
}

/// The two-sided p-value of the difference of two ratios under exchange of the sides of each unit.
fn tossed(units: &[[f64; 4]], seed: u64) -> f64 {
    const EXACT: usize = 12;
    const TOSSES: u32 = 10_000;
    let difference = |sum: [f64; 4]| sum[0] / sum[1] - sum[2] / sum[3];
    let add = |sum: &mut [f64; 4], unit: &[f64; 4], swap: bool| {
        for i in 0..4 {
            sum[i] += unit[if swap { (i + 2) % 4 } else { i }];
        }
    };
    // Units whose sides are equal change nothing.
    let (differ, equal): (Vec<&[f64; 4]>, Vec<&[f64; 4]>) =
        units.iter().partition(|u| u[0] != u[2] || u[1] != u[3]);
    let mut fixed = [0.0; 4];
    equal.iter().for_each(|u| add(&mut fixed, u, false));
    let with = |swaps: &dyn Fn(usize) -> bool| {
        let mut sum = fixed;
        differ.iter().enumerate().for_each(|(i, u)| add(&mut sum, u, swaps(i)));
        difference(sum).abs()
    };
    // A little below the observed value, so that rounding does not decide about ties.
    let observed = with(&|_| false) * (1.0 - 1e-9) - 1e-15;
    if differ.len() <= EXACT {
        let all = 1u32 << differ.len();
        let extreme = (0..all).filter(|bits| with(&|i| bits >> i & 1 == 1) >= observed).count();
        return extreme as f64 / f64::from(all);
    }
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut extreme = 0;
    for _ in 0..TOSSES {
        let bits: Vec<u64> = (0..differ.len().div_ceil(64)).map(|_| rng.next_u64()).collect();
        extreme += u32::from(with(&|i| bits[i / 64] >> (i % 64) & 1 == 1) >= observed);
    }
    f64::from(extreme + 1) / f64::from(TOSSES + 1)
}

/// Holm's correction (1979) of p-values that are looked at together: each stays below α only where the whole family's error
/// does.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut corrected = vec![0.0; p.len()];
    let mut highest: f64 = 0.0;
    for (done, &i) in order.iter().enumerate() {
        highest = highest.max(((p.len() - done) as f64 * p[i]).min(1.0));
        corrected[i] = highest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exact_test_is_a_sign_test() {
        // Five tasks of which the first model solves none and the second all: 2 of 32 tosses are as extreme.
        let units = vec![[1.0, 1.0, 0.0, 1.0]; 5];
        assert!((tossed(&units, 1) - 2.0 / 32.0).abs() < 1e-12);
        // Tasks that both solve do not count.
        let mut more = units.clone();
        more.extend(vec![[1.0, 1.0, 1.0, 1.0]; 40]);
        assert!((tossed(&more, 1) - 2.0 / 32.0).abs() < 1e-12);
        assert_eq!(tossed(&[[1.0, 1.0, 1.0, 1.0]; 3], 1), 1.0);
    }

    #[test]
    fn many_tosses_come_near_the_exact_value() {
        // 15 wins and 5 losses: the two-sided sign test has p = 0.0414.
        let mut units = vec![[1.0, 1.0, 0.0, 1.0]; 15];
        units.extend(vec![[0.0, 1.0, 1.0, 1.0]; 5]);
        let p = tossed(&units, 1);
        assert!((p - 0.0414).abs() < 0.008, "{p}");
        assert_eq!(p, tossed(&units, 1));
    }

    #[test]
    fn holm_by_hand() {
        assert_eq!(holm(&[0.01, 0.04, 0.03]), [0.03, 0.06, 0.06]);
        assert_eq!(holm(&[0.6, 0.7]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }
}
