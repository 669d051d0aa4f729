//! Power laws over the ladder by variable projection, and the back-test.

use serde::{Deserialize, Serialize};

use crate::bet::Direction;
use crate::judge::defined::Defined;

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
    /// Fits (FLOPs, value) pairs by least squares on relative residuals. For each exponent floor and scale are the solution
    /// of a linear problem with non-negative unknowns (variable projection); the exponent is searched. With fewer than four
    /// points the floor is 0.
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
        let middle = points.iter().map(|p| p.0.ln()).sum::<f64>() / points.len() as f64;
        if points.iter().all(|p| (p.0.ln() - middle).abs() < 1e-9) {
            return Defined::undefined("all sizes took the same compute");
        }
        let with_floor = points.len() >= 4;
        let of = |exponent: f64| project(points, middle, exponent, with_floor);
        let grid = |i: i32| -0.5 + 0.01 * f64::from(i);
        let best = (0..=250).min_by(|a, b| of(grid(*a)).2.total_cmp(&of(grid(*b)).2)).unwrap_or(60);
        let exponent = golden(grid(best) - 0.01, grid(best) + 0.01, |e| of(e).2);
        let (floor, scale, squares) = of(exponent);
        Defined::Value(PowerLaw {
            floor,
            scale: (scale.ln() + exponent * middle).exp(),
            exponent,
            misfit: (squares / points.len() as f64).sqrt(),
            sizes: points.len(),
        })
    }

    /// The fitted value at `flops`.
    pub fn at(&self, flops: f64) -> f64 {
        self.floor + (self.scale.ln() - self.exponent * flops.ln()).exp()
    }
}

/// The best floor and scale (of compute in units of its middle) for an exponent, and the sum of squared relative residuals.
fn project(points: &[(f64, f64)], middle: f64, exponent: f64, with_floor: bool) -> (f64, f64, f64) {
    let (mut s11, mut s12, mut s22, mut b1, mut b2) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (c, y) in points {
        let (u, v) = (1.0 / y, (-exponent * (c.ln() - middle)).exp() / y);
        s11 += u * u;
        s12 += u * v;
        s22 += v * v;
        b1 += u;
        b2 += v;
    }
    let n = points.len() as f64;
    let squares =
        |e: f64, a: f64| n - 2.0 * (e * b1 + a * b2) + e * e * s11 + 2.0 * e * a * s12 + a * a * s22;
    let only_scale = (0.0, b2 / s22);
    let determinant = s11 * s22 - s12 * s12;
    let both = ((s22 * b1 - s12 * b2) / determinant, (s11 * b2 - s12 * b1) / determinant);
    let (floor, scale) = if with_floor && determinant > 1e-12 * s11 * s22 && both.0 >= 0.0 && both.1 >= 0.0 {
        both
    } else {
        only_scale
    };
    (floor, scale, squares(floor, scale).max(0.0))
}

/// The minimum of `f` between `low` and `high` by golden section.
fn golden(mut low: f64, mut high: f64, f: impl Fn(f64) -> f64) -> f64 {
    let ratio = 0.5 * (5f64.sqrt() - 1.0);
    for _ in 0..60 {
        let (a, b) = (high - ratio * (high - low), low + ratio * (high - low));
        if f(a) <= f(b) {
            high = b;
        } else {
            low = a;
        }
    }
    0.5 * (low + high)
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

    fn planted(floor: f64, exponent: f64, sizes: i32) -> Vec<(f64, f64)> {
        (0..sizes).map(|i| 1e12 * 4f64.powi(i)).map(|c| (c, floor + 90.0 * c.powf(-exponent))).collect()
    }

    #[test]
    fn a_planted_law_is_found_again() {
        let two = planted(0.0, 0.12, 2);
        let law = *PowerLaw::fit(&two, LOWER).value().unwrap();
        assert!((law.exponent - 0.12).abs() < 1e-6 && law.floor == 0.0 && law.misfit < 1e-6);
        assert!((law.at(two[1].0) / two[1].1 - 1.0).abs() < 1e-6);
        let law = *PowerLaw::fit(&planted(1.5, 0.15, 5), LOWER).value().unwrap();
        assert!((law.exponent - 0.15).abs() < 1e-4 && (law.floor - 1.5).abs() < 1e-3, "{law:?}");
        let test = *BackTest::of(&planted(0.0, 0.1, 3), LOWER).value().unwrap();
        assert!(test.error().abs() < 1e-6);
        assert!(BackTest::of(&two, LOWER).value().is_none());
        assert!(PowerLaw::fit(&two, Direction::Higher).value().is_none());
        assert!(PowerLaw::fit(&two[..1], LOWER).value().is_none());
        assert!(PowerLaw::fit(&[(1e12, 2.0), (1e12, 1.0)], LOWER).value().is_none());
    }
}
