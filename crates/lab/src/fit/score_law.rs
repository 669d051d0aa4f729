//! A score from a loss: y = a / (1 + e^(−k (x − x₀))) + b, the second of two steps from compute to a benchmark's score.

use serde::{Deserialize, Serialize};

use crate::fit::simplex::minimise;

/// y = height / (1 + e^(−steepness (x − middle))) + base. Scores fall with the loss: steepness and height have opposite signs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreLaw {
    /// a.
    pub height: f64,
    /// x₀.
    pub middle: f64,
    /// k.
    pub steepness: f64,
    /// b.
    pub base: f64,
}

impl ScoreLaw {
    /// The score at `loss`.
    pub fn at(&self, loss: f64) -> f64 {
        self.height * logistic(self.steepness * (loss - self.middle)) + self.base
    }

    /// Fits (loss, score) pairs by least squares. Height and base are solved for, middle and steepness searched; the score at
    /// the lowest and at the highest loss stay between 0 and 1 and the base is a score too.
    ///
    /// # Errors
    /// A sentence, if there are fewer than five points or a value is not a number.
    pub fn fit(points: &[(f64, f64)]) -> Result<ScoreLaw, String> {
        if points.len() < 5 {
            return Err(format!("{} points cannot determine four unknowns; give five or more", points.len()));
        }
        if points.iter().any(|p| !p.0.is_finite() || !p.1.is_finite()) {
            return Err("a loss or a score is not a number".into());
        }
        let (low, high) =
            points.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |r, p| (r.0.min(p.0), r.1.max(p.0)));
        let span = (high - low).max(1e-9);
        // Searched in ln steepness, so that it keeps its sign.
        // The middle is a loss, so that it is not negative.
        let mut f =
            |x: [f64; 2]| if x[0] < 0.0 { f64::INFINITY } else { project(points, x[0], x[1].exp()).1 };
        let mut best = ([low, 0.0], f64::INFINITY);
        for i in -4..=8 {
            for j in 0..8 {
                let x = [low + span * f64::from(i) / 4.0, (1.0 / span).ln() + 0.4 * f64::from(j)];
                let value = f(x);
                if value < best.1 {
                    best = (x, value);
                }
            }
        }
        let x = minimise(best.0, [0.1 * span, 0.2], 2000, &mut f);
        let x = minimise(x, [0.1 * span, 0.2], 2000, &mut f);
        let ((height, base), _) = project(points, x[0], x[1].exp());
        Ok(ScoreLaw { height, middle: x[0], steepness: x[1].exp(), base })
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Height in −1..0 and base in 0..1 that fit best for a middle and a steepness, and the sum of squares.
fn project(points: &[(f64, f64)], middle: f64, steepness: f64) -> ((f64, f64), f64) {
    let n = points.len() as f64;
    let (mut su, mut sy, mut suu, mut suy, mut syy) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for (x, y) in points {
        let u = logistic(steepness * (x - middle));
        su += u;
        sy += y;
        suu += u * u;
        suy += u * y;
        syy += y * y;
    }
    let squares =
        |a: f64, b: f64| syy - 2.0 * (a * suy + b * sy) + a * a * suu + 2.0 * a * b * su + n * b * b;
    let inside = |a: f64, b: f64| (-1.0..=0.0).contains(&a) && (0.0..=1.0).contains(&b);
    let determinant = n * suu - su * su;
    let mut candidates = vec![((n * suy - su * sy) / determinant, (suu * sy - su * suy) / determinant)];
    for a in [-1.0, 0.0] {
        candidates.push((a, ((sy - a * su) / n).clamp(0.0, 1.0)));
    }
    for b in [0.0, 1.0] {
        candidates.push((((suy - b * su) / suu).clamp(-1.0, 0.0), b));
    }
    let mut best = ((0.0, sy / n), f64::INFINITY);
    for (a, b) in candidates {
        let value = squares(a, b);
        if inside(a, b) && value < best.1 {
            best = ((a, b), value);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_sigmoid_is_found_again() {
        let truth = ScoreLaw { height: -0.7, middle: 0.9, steepness: 6.0, base: 0.95 };
        let points: Vec<(f64, f64)> =
            (0..40).map(|i| 0.5 + 0.025 * f64::from(i)).map(|x| (x, truth.at(x))).collect();
        let found = ScoreLaw::fit(&points).unwrap();
        for x in [0.4, 0.8, 1.2] {
            assert!((found.at(x) - truth.at(x)).abs() < 1e-5, "{found:?}");
        }
        assert!(ScoreLaw::fit(&points[..4]).is_err());
    }
}
