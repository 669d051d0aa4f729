//! Whether a smooth metric of a small model predicts the success of a larger one.

use rand_core::SeedableRng;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::statistics::{below, quantile, seed_of};
use crate::{Breakdown, Faults, Metric, ScoreRow, breakdown};

/// A rank correlation over the cells of a suite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// The metric of the smaller model.
    pub metric: String,
    /// Whether more of it should mean more success.
    pub higher_is_better: bool,
    /// Spearman's ρ between that metric and the success of the larger model, with the sign turned where less is better, so
    /// that 1 is the best that can be; the interval is from 1000 bootstrap resamples of the cells, `n` their number.
    pub correlation: Metric,
}

/// What might predict success, and whether more of it is better. The first is success itself, for comparison.
const PREDICTORS: [(&str, bool); 7] = [
    ("success_rate", true),
    ("bits_per_action_byte", false),
    ("bits_per_answer_byte", false),
    ("recovery_bits_per_byte", false),
    ("expert_action_mrr", true),
    ("expert_action_probability", true),
    ("right_branch_probability", true),
];

/// For each smooth metric: how well its values in the cells (world, level, fault) of pairs of a smaller and a larger model's
/// rows order the success of the larger in the same cells. A metric that fewer than 4 cells have, or that is the same in all of them,
/// is left out.
pub fn predictions(pairs: &[(&[ScoreRow], &[ScoreRow])]) -> Vec<Prediction> {
    let mut found = Vec::new();
    for (metric, higher_is_better) in PREDICTORS {
        let mut points = Vec::new();
        for (small, large) in pairs {
            let large = cells(large);
            for cell in cells(small) {
                let same =
                    |c: &&Breakdown| (&c.world, c.level, &c.fault) == (&cell.world, cell.level, &cell.fault);
                let success = large.iter().find(same).and_then(|c| c.metrics.get("success_rate"));
                if let (Some(x), Some(y)) = (cell.metrics.get(metric), success) {
                    points.push((if higher_is_better { x.value } else { -x.value }, y.value));
                }
            }
        }
        let seed = seed_of(&["prediction", metric], &[]);
        if let Some(correlation) = spearman(&points, seed) {
            found.push(Prediction { metric: metric.to_owned(), higher_is_better, correlation });
        }
    }
    found
}

fn cells(rows: &[ScoreRow]) -> Vec<Breakdown> {
    let single = |b: &Breakdown| {
        b.world.is_some() && b.level.is_some() && matches!(b.fault, Faults::Clean | Faults::Only(_))
    };
    breakdown(rows).into_iter().filter(single).collect()
}

/// Spearman's ρ with the 2.5% and 97.5% quantiles of 1000 resamples of the points; `None` for fewer than 4 points or where
/// one side is constant.
fn spearman(points: &[(f64, f64)], seed: u64) -> Option<Metric> {
    if points.len() < 4 {
        return None;
    }
    let value = rho(points)?;
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut drawn: Vec<f64> = (0..1000)
        .filter_map(|_| {
            let sample: Vec<_> = points.iter().map(|_| points[below(&mut rng, points.len())]).collect();
            rho(&sample)
        })
        .collect();
    drawn.sort_by(f64::total_cmp);
    let ends = (!drawn.is_empty()).then(|| (quantile(&drawn, 0.025), quantile(&drawn, 0.975)));
    let (low, high) = ends.unwrap_or((value, value));
    Some(Metric { value, low: low.min(value), high: high.max(value), n: points.len() as u64 })
}

/// The correlation of ranks, equals sharing the mean of theirs.
fn rho(points: &[(f64, f64)]) -> Option<f64> {
    let (x, y): (Vec<f64>, Vec<f64>) = points.iter().copied().unzip();
    let (x, y) = (ranks(&x), ranks(&y));
    let middle = (points.len() as f64 + 1.0) / 2.0;
    let sum =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - middle) * (b - middle)).sum() };
    let spread = (sum(&x, &x) * sum(&y, &y)).sqrt();
    (spread > 0.0).then(|| sum(&x, &y) / spread)
}

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    while from < order.len() {
        let equal = order[from..].iter().take_while(|&&i| values[i] == values[order[from]]).count();
        let rank = from as f64 + (equal as f64 + 1.0) / 2.0;
        order[from..from + equal].iter().for_each(|&i| ranks[i] = rank);
        from += equal;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_by_hand() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
        let rising: Vec<(f64, f64)> = (0..10).map(|i| (f64::from(i), f64::from(i * i))).collect();
        let m = spearman(&rising, 1).unwrap();
        assert!((m.value - 1.0).abs() < 1e-12 && m.n == 10, "{m:?}");
        // Ranks 1 2 3 4 5 against 2 1 4 3 5: 1 − 6·4 / (5·24).
        let mixed = [(1.0, 2.0), (2.0, 1.0), (3.0, 4.0), (4.0, 3.0), (5.0, 5.0)];
        let m = spearman(&mixed, 1).unwrap();
        assert!((m.value - 0.8).abs() < 1e-12 && m.low <= 0.8 && m.high >= 0.8, "{m:?}");
        assert_eq!(spearman(&[(1.0, 1.0); 8], 1), None, "nothing is ordered");
        assert_eq!(spearman(&mixed[..3], 1), None);
    }
}
