//! Power laws over the ladder, the compute multiplier, and the back-test.

use serde::{Deserialize, Serialize};

use crate::bet::Direction;

/// A value, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defined<T> {
    /// It is defined.
    Value(T),
    /// It is not, because of this.
    Undefined(String),
}

impl<T> Defined<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Defined::Value(value) => Some(value),
            Defined::Undefined(_) => None,
        }
    }

    fn undefined(why: &str) -> Defined<T> {
        Defined::Undefined(why.to_owned())
    }
}

/// y(C) = floor + scale · C^−exponent, C in FLOPs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PowerLaw {
    /// What no compute removes; 0 with fewer than four sizes, which cannot tell it.
    pub floor: f64,
    /// The value above the floor at one FLOP.
    pub scale: f64,
    /// How fast it falls.
    pub exponent: f64,
    /// Root mean square of the relative residuals. With two sizes it is 0 by construction and says nothing.
    pub misfit: f64,
    /// On how many sizes it rests.
    pub sizes: usize,
}

impl PowerLaw {
    /// Fits (FLOPs, value) pairs by least squares in log–log; with four sizes or more the floor is searched as well.
    pub fn fit(points: &[(f64, f64)], direction: Direction) -> Defined<PowerLaw> {
        if direction == Direction::Higher {
            return Defined::undefined("a power law describes losses; this metric rises and is bounded");
        }
        if points.len() < 2 {
            return Defined::undefined("a single size shows no slope");
        }
        if points.iter().any(|(c, y)| !(*c > 0.0 && *y > 0.0 && y.is_finite())) {
            return Defined::undefined("a value is zero, negative or not a number");
        }
        let lowest = points.iter().map(|p| p.1).fold(f64::INFINITY, f64::min);
        let fit = if points.len() < 4 {
            line(points, 0.0)
        } else {
            // The misfit over the floor has one valley in practice; a grid finds it and cannot be led astray.
            (0..1000)
                .map(|i| line(points, lowest * f64::from(i) / 1000.0))
                .min_by(|a, b| a.misfit.total_cmp(&b.misfit))
                .unwrap_or_else(|| line(points, 0.0))
        };
        if fit.exponent.is_finite() {
            Defined::Value(fit)
        } else {
            Defined::undefined("all sizes took the same compute")
        }
    }

    /// The fitted value at `flops`.
    pub fn at(&self, flops: f64) -> f64 {
        self.floor + self.scale * flops.powf(-self.exponent)
    }
}

fn line(points: &[(f64, f64)], floor: f64) -> PowerLaw {
    let n = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|(c, y)| (c.ln(), (y - floor).ln())).collect();
    let (mx, my) = (logs.iter().map(|p| p.0).sum::<f64>() / n, logs.iter().map(|p| p.1).sum::<f64>() / n);
    let slope = logs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum::<f64>()
        / logs.iter().map(|p| (p.0 - mx).powi(2)).sum::<f64>();
    let mut law = PowerLaw {
        floor,
        scale: (my - slope * mx).exp(),
        exponent: -slope,
        misfit: 0.0,
        sizes: points.len(),
    };
    law.misfit = (points.iter().map(|(c, y)| (law.at(*c) / y - 1.0).powi(2)).sum::<f64>() / n).sqrt();
    law
}

/// A size of the ladder in one arm.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Rung {
    /// FLOPs, mean over seeds.
    pub(crate) flops: f64,
    /// The metric, mean over seeds.
    pub(crate) value: f64,
    /// Standard error of that mean over seeds.
    pub(crate) error: f64,
}

/// How many times the baseline's compute would match the candidate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multiplier {
    /// The multiplier.
    pub value: f64,
    /// Its value at the lower end of the improvement's interval, the baseline's slope held fixed.
    pub low: Option<f64>,
    /// Its value at the upper end.
    pub high: Option<f64>,
    /// It points to more or less compute than any size of the ladder took.
    pub extrapolated: bool,
}

/// The compute multiplier at rung `at`: exp(d / b) · C_baseline / C_candidate, with d the improvement and
/// b = the baseline's own improvement for each factor e of compute, from the rungs next to it.
///
/// No irreducible loss is assumed; far from 1 the line in ln C understates the multiplier of a power law.
pub(crate) fn multiplier(
    baseline: &[Rung],
    at: usize,
    candidate_flops: f64,
    improvement: (f64, Option<f64>, Option<f64>),
    direction: Direction,
) -> Defined<Multiplier> {
    let here = baseline[at];
    let secants: Vec<(f64, f64)> = [at.checked_sub(1), Some(at + 1)]
        .into_iter()
        .flatten()
        .filter_map(|i| baseline.get(i))
        .filter(|other| (other.flops / here.flops).ln().abs() > 1e-6)
        .map(|other| {
            let (small, large) = if other.flops < here.flops { (*other, here) } else { (here, *other) };
            let run = (large.flops / small.flops).ln();
            (direction.improvement(small.value, large.value) / run, small.error.hypot(large.error) / run)
        })
        .collect();
    if secants.is_empty() {
        return Defined::undefined("a ladder of one size does not show what compute buys");
    }
    let n = secants.len() as f64;
    let slope = secants.iter().map(|s| s.0).sum::<f64>() / n;
    let error = secants.iter().map(|s| s.1).sum::<f64>() / n;
    if slope.is_nan() || slope <= 0.0 {
        return Defined::undefined("the baseline does not improve with compute here");
    }
    if slope < 2.0 * error {
        return Defined::undefined(
            "the baseline's improvement with compute is lost in the noise between seeds",
        );
    }
    let cost = here.flops / candidate_flops;
    let of = |d: f64| (d / slope).exp() * cost;
    let value = of(improvement.0);
    let span = baseline
        .iter()
        .map(|r| r.flops)
        .fold((f64::INFINITY, 0.0), |a, f| (f64::min(a.0, f), f64::max(a.1, f)));
    let matched = value * here.flops;
    Defined::Value(Multiplier {
        value,
        low: improvement.1.map(of),
        high: improvement.2.map(of),
        extrapolated: matched < span.0 * 0.999 || matched > span.1 * 1.001,
    })
}

/// The largest size predicted from the smaller ones.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BackTest {
    /// What the smaller sizes predict.
    pub predicted: f64,
    /// What was measured.
    pub measured: f64,
}

impl BackTest {
    /// Fits all points but the last and predicts that.
    pub fn of(points: &[(f64, f64)], direction: Direction) -> Defined<BackTest> {
        let Some(((flops, measured), below)) = points.split_last() else {
            return Defined::undefined("there is no size");
        };
        if below.len() < 2 {
            return Defined::undefined("a back-test needs at least three sizes");
        }
        match PowerLaw::fit(below, direction) {
            Defined::Value(law) => {
                Defined::Value(BackTest { predicted: law.at(*flops), measured: *measured })
            }
            Defined::Undefined(why) => Defined::Undefined(why),
        }
    }

    /// Prediction over measurement, less one.
    pub fn error(&self) -> f64 {
        self.predicted / self.measured - 1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOWER: Direction = Direction::Lower;

    fn planted(floor: f64, exponent: f64, sizes: u32) -> Vec<(f64, f64)> {
        (0..sizes)
            .map(|i| 1e12 * 4f64.powi(i as i32))
            .map(|c| (c, floor + 90.0 * c.powf(-exponent)))
            .collect()
    }

    #[test]
    fn a_planted_law_is_found_again() {
        let two = planted(0.0, 0.12, 2);
        let law = *PowerLaw::fit(&two, LOWER).value().unwrap();
        assert!((law.exponent - 0.12).abs() < 1e-9 && law.floor == 0.0 && law.misfit < 1e-9);
        assert!((law.at(two[1].0) / two[1].1 - 1.0).abs() < 1e-9);
        let law = *PowerLaw::fit(&planted(1.5, 0.15, 5), LOWER).value().unwrap();
        assert!((law.exponent - 0.15).abs() < 2e-3 && (law.floor - 1.5).abs() < 5e-3, "{law:?}");
        let test = *BackTest::of(&planted(0.0, 0.1, 3), LOWER).value().unwrap();
        assert!(test.error().abs() < 1e-9);
        assert!(BackTest::of(&two, LOWER).value().is_none());
        assert!(PowerLaw::fit(&two, Direction::Higher).value().is_none());
        assert!(PowerLaw::fit(&two[..1], LOWER).value().is_none());
        assert!(PowerLaw::fit(&[(1e12, 2.0), (1e12, 1.0)], LOWER).value().is_none());
    }

    fn rungs(values: &[f64], error: f64) -> Vec<Rung> {
        values
            .iter()
            .enumerate()
            .map(|(i, v)| Rung { flops: 1e12 * 4f64.powi(i as i32), value: *v, error })
            .collect()
    }

    #[test]
    fn a_candidate_as_good_as_the_next_size_is_worth_its_compute() {
        let baseline = rungs(&[3.0, 2.5, 2.0], 0.01);
        let of = |d: f64, flops: f64| multiplier(&baseline, 1, flops, (d, Some(0.0), None), LOWER);
        let m = *of(0.5, 4e12).value().unwrap();
        assert!((m.value - 4.0).abs() < 1e-9 && (m.low.unwrap() - 1.0).abs() < 1e-9 && m.high.is_none());
        assert!(!m.extrapolated);
        // The same improvement for twice the compute is worth half.
        assert!((of(0.5, 8e12).value().unwrap().value - 2.0).abs() < 1e-9);
        assert!(of(0.9, 4e12).value().unwrap().extrapolated);
    }

    #[test]
    fn an_undefined_multiplier_says_why() {
        let why = |rungs: &[Rung]| match multiplier(rungs, 0, 1e12, (0.1, None, None), LOWER) {
            Defined::Undefined(why) => why,
            Defined::Value(m) => panic!("{m:?}"),
        };
        assert!(why(&rungs(&[3.0, 3.1], 0.01)).contains("does not improve with compute"));
        assert!(why(&rungs(&[3.0, 2.9], 0.2)).contains("lost in the noise"));
        assert!(why(&rungs(&[3.0], 0.2)).contains("one size"));
        assert!(why(&rungs(&[3.0, f64::NAN], 0.2)).contains("does not improve"));
    }
}
