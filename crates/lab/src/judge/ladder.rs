//! The ladder as a whole: a mixed model over rungs, its prediction at the target, and its back-test.
//!
//! m_r = θ + β (x_r − x̄) + u_r + e_r with x = ln C, u ~ N(0, τ²) the misfit of a rung that its seeds do not see,
//! e ~ N(0, v_r). Weights 1/(τ² + v_r), generalised least squares. The prediction at a target adds τ² once more.

use serde::{Deserialize, Serialize};

use crate::distribution::{student_cdf, student_quantile};

/// A rung: ln compute, mean effect, variance of that mean, degrees of freedom of the variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Point {
    pub(crate) x: f64,
    pub(crate) mean: f64,
    pub(crate) variance: f64,
    pub(crate) df: f64,
}

/// A prediction with its standard deviation and degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Prediction {
    pub(crate) mean: f64,
    pub(crate) sd: f64,
    pub(crate) df: f64,
    pub(crate) slope: f64,
    pub(crate) slope_error: f64,
}

/// Predicts the effect at ln compute `at` from at least two rungs at different compute; with `misfit` for the target's own.
pub(crate) fn predict(points: &[Point], misfit: f64, at: f64) -> Option<Prediction> {
    let tau2 = misfit * misfit;
    let (mut total, mut sum_x, mut sum_m) = (0.0, 0.0, 0.0);
    for p in points {
        let w = 1.0 / (tau2 + p.variance);
        total += w;
        sum_x += w * p.x;
        sum_m += w * p.mean;
    }
    let (centre, level) = (sum_x / total, sum_m / total);
    let (mut sxx, mut sxm) = (0.0, 0.0);
    for p in points {
        let w = 1.0 / (tau2 + p.variance);
        sxx += w * (p.x - centre).powi(2);
        sxm += w * (p.x - centre) * p.mean;
    }
    if points.len() < 2 || !total.is_finite() || sxx <= 1e-9 * total {
        return None;
    }
    let slope = sxm / sxx;
    let variance = 1.0 / total + (at - centre).powi(2) / sxx + tau2;
    // Satterthwaite: only the rungs' own variances are estimated, τ is given.
    let uncertain: f64 = points
        .iter()
        .map(|p| {
            let a = (1.0 / total + (at - centre) * (p.x - centre) / sxx) / (tau2 + p.variance);
            (a * a * p.variance).powi(2) / p.df
        })
        .sum();
    let df = if uncertain > 0.0 { (variance * variance / uncertain).max(1.0) } else { f64::INFINITY };
    Some(Prediction {
        mean: level + slope * (at - centre),
        sd: variance.sqrt(),
        df,
        slope,
        slope_error: (1.0 / sxx).sqrt(),
    })
}

impl Prediction {
    /// P(effect > `than`).
    pub(crate) fn above(&self, than: f64) -> f64 {
        student_cdf((self.mean - than) / self.sd, self.df)
    }

    /// The central interval that holds the effect with probability `share`.
    pub(crate) fn interval(&self, share: f64) -> (f64, f64) {
        let half = student_quantile(0.5 + share / 2.0, self.df) * self.sd;
        (self.mean - half, self.mean + half)
    }
}

/// The largest rung predicted from those below it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LadderBackTest {
    /// The effect that the smaller rungs predict.
    pub predicted: f64,
    /// Lower end of the 90 % prediction interval of the measured mean.
    pub low: f64,
    /// Upper end.
    pub high: f64,
    /// The effect that was measured.
    pub measured: f64,
}

impl LadderBackTest {
    /// True if the measurement lies in the interval.
    pub fn holds(&self) -> bool {
        self.low <= self.measured && self.measured <= self.high
    }
}

/// Predicts the last of at least three rungs from the others.
pub(crate) fn back_test(points: &[Point], misfit: f64) -> Option<LadderBackTest> {
    let (top, below) = points.split_last()?;
    let mut prediction = predict(below, misfit, top.x)?;
    prediction.sd = prediction.sd.hypot(top.variance.sqrt());
    let (low, high) = prediction.interval(0.9);
    Some(LadderBackTest { predicted: prediction.mean, low, high, measured: top.mean })
}

/// The misfit under which the back-test just holds: `misfit` itself, or a larger one.
pub(crate) fn raised_misfit(points: &[Point], misfit: f64) -> f64 {
    let holds = |tau: f64| back_test(points, tau).is_none_or(|t| t.holds());
    if holds(misfit) {
        return misfit;
    }
    let (mut low, mut high) = (misfit, misfit.max(1e-6) * 2.0);
    while !holds(high) && high < 1e3 {
        low = high;
        high *= 2.0;
    }
    for _ in 0..12 {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(means: [f64; 4], variance: f64) -> Vec<Point> {
        means
            .iter()
            .enumerate()
            .map(|(i, mean)| Point { x: 1.6 * i as f64, mean: *mean, variance, df: 22.0 })
            .collect()
    }

    #[test]
    fn a_line_is_continued() {
        let p = predict(&line([0.05, 0.04, 0.03, 0.02], 1e-6), 0.0, 8.0).unwrap();
        assert!(p.mean.abs() < 1e-9 && (p.slope + 0.01 / 1.6).abs() < 1e-9);
        // Ordinary least squares on equal weights, written out: v (1/4 + (8 − 2.4)² / (5 · 1.6²)).
        assert!((p.sd.powi(2) / (1e-6 * (0.25 + 5.6f64.powi(2) / (5.0 * 2.56))) - 1.0).abs() < 1e-9);
        assert!((p.above(0.0) - 0.5).abs() < 1e-6);
    }

    #[test]
    fn the_back_test_raises_the_misfit_to_what_was_seen() {
        let bent = line([0.03, 0.03, 0.03, -0.03], 1e-6);
        let test = back_test(&bent, 0.005).unwrap();
        assert!(!test.holds() && (test.predicted - 0.03).abs() < 1e-9);
        let raised = raised_misfit(&bent, 0.005);
        assert!(raised > 0.015 && back_test(&bent, raised).unwrap().holds(), "{raised}");
        assert_eq!(raised_misfit(&line([0.03; 4], 1e-6), 0.005), 0.005);
        assert!(back_test(&bent[..2], 0.01).is_none());
    }

    #[test]
    fn rungs_at_one_compute_show_no_slope() {
        let same = [Point { x: 1.0, mean: 0.0, variance: 1.0, df: 5.0 }; 3];
        assert!(predict(&same, 0.1, 2.0).is_none());
    }
}
