//! L(N, D) = E + A/N^α + B/D^β (Hoffmann et al. 2022), fitted as Besiroglu et al. (2024) do: Huber's loss with δ = 10⁻³ on
//! the logarithm of the loss.

use serde::{Deserialize, Serialize};

use crate::fit::simplex::minimise;
use crate::fit::solve::{condition, non_negative, solve};
use crate::random::Draws;

/// Where Huber's loss turns from square to linear, in log loss.
const DELTA: f64 = 1e-3;

/// A trained model: parameters, tokens, loss.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LossPoint {
    /// Parameters N.
    pub params: f64,
    /// Training tokens D.
    pub tokens: f64,
    /// The loss, positive.
    pub loss: f64,
}

/// L = E + A/N^α + B/D^β.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossLaw {
    /// The loss that neither parameters nor tokens remove.
    pub floor: f64,
    /// A.
    pub params_scale: f64,
    /// B.
    pub tokens_scale: f64,
    /// α.
    pub params_exponent: f64,
    /// β.
    pub tokens_exponent: f64,
}

/// A law, how well it fits and how well its unknowns are determined.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LossFit {
    /// The law.
    pub law: LossLaw,
    /// Huber's loss at it, summed over points.
    pub objective: f64,
    /// Condition number of the search that is left after the linear unknowns are projected out: of two exponents.
    pub condition: f64,
    /// Condition number of a search in all five unknowns, for comparison.
    pub condition_of_five: f64,
}

impl LossLaw {
    /// The loss at `params` parameters and `tokens` tokens.
    pub fn at(&self, params: f64, tokens: f64) -> f64 {
        self.floor
            + self.params_scale * (-self.params_exponent * params.ln()).exp()
            + self.tokens_scale * (-self.tokens_exponent * tokens.ln()).exp()
    }

    /// E, A, B, α, β.
    pub fn values(&self) -> [f64; 5] {
        [self.floor, self.params_scale, self.tokens_scale, self.params_exponent, self.tokens_exponent]
    }

    /// Fits the law.
    ///
    /// # Errors
    /// A sentence, if there are fewer than six points or a value is not positive.
    pub fn fit(points: &[LossPoint]) -> Result<LossFit, String> {
        Problem::new(points).map(|problem| problem.fit())
    }

    /// Standard errors of E, A, B, α and β over `resamples` bootstrap samples of the points.
    ///
    /// # Errors
    /// As [`LossLaw::fit`].
    pub fn standard_errors(points: &[LossPoint], resamples: u32, seed: u64) -> Result<[f64; 5], String> {
        let problem = Problem::new(points)?;
        let begin = problem.descend(problem.start());
        let mut draws = Draws::new(seed, 31);
        let (mut sums, mut squares, mut n) = ([0.0; 5], [0.0; 5], 0.0);
        for _ in 0..resamples {
            let drawn: Vec<Row> =
                (0..problem.rows.len()).map(|_| problem.rows[draws.below(problem.rows.len())]).collect();
            let again = Problem { rows: drawn, ..problem };
            let law = again.law(again.descend(begin));
            let values = law.values();
            if values.iter().all(|v| v.is_finite()) {
                n += 1.0;
                for i in 0..5 {
                    sums[i] += values[i];
                    squares[i] += values[i] * values[i];
                }
            }
        }
        Ok([0, 1, 2, 3, 4].map(|i| ((squares[i] - sums[i] * sums[i] / n) / (n - 1.0)).max(0.0).sqrt()))
    }
}

/// ln N and ln D around their means, and ln L.
#[derive(Clone, Copy)]
struct Row {
    n: f64,
    d: f64,
    log_loss: f64,
}

#[derive(Clone)]
struct Problem {
    rows: Vec<Row>,
    centre: [f64; 2],
}

impl Problem {
    fn new(points: &[LossPoint]) -> Result<Problem, String> {
        if points.len() < 6 {
            return Err(format!("{} points cannot determine five unknowns; give six or more", points.len()));
        }
        if let Some(p) =
            points.iter().find(|p| !(p.params > 0.0 && p.tokens > 0.0 && p.loss > 0.0 && p.loss.is_finite()))
        {
            return Err(format!(
                "{} parameters, {} tokens, loss {}: want positive numbers",
                p.params, p.tokens, p.loss
            ));
        }
        let count = points.len() as f64;
        let centre = [
            points.iter().map(|p| p.params.ln()).sum::<f64>() / count,
            points.iter().map(|p| p.tokens.ln()).sum::<f64>() / count,
        ];
        let rows = points
            .iter()
            .map(|p| Row {
                n: p.params.ln() - centre[0],
                d: p.tokens.ln() - centre[1],
                log_loss: p.loss.ln(),
            })
            .collect();
        Ok(Problem { rows, centre })
    }

    fn fit(&self) -> LossFit {
        let x = self.descend(self.start());
        let (hessian, _, objective) = self.expand(&x);
        LossFit {
            law: self.law(x),
            objective,
            condition: self.projected_condition(&x),
            condition_of_five: {
                // In the unknowns as they are usually searched, not centred: ln A and ln B take α and β along.
                let mut jacobian = [[0.0; 5]; 5];
                for (i, row) in jacobian.iter_mut().enumerate() {
                    row[i] = 1.0;
                }
                jacobian[1][3] = -self.centre[0];
                jacobian[2][4] = -self.centre[1];
                condition(transform(&hessian, &jacobian))
            },
        }
    }

    /// For each pair of exponents the other three unknowns are the solution of a linear problem in relative residuals.
    fn project(&self, exponents: [f64; 2]) -> ([f64; 3], f64) {
        let (mut a, mut b, mut count) = ([[0.0; 3]; 3], [0.0; 3], 0.0);
        for r in &self.rows {
            let inverse = (-r.log_loss).exp();
            let terms =
                [inverse, (-exponents[0] * r.n).exp() * inverse, (-exponents[1] * r.d).exp() * inverse];
            for i in 0..3 {
                b[i] += terms[i];
                for j in 0..3 {
                    a[i][j] += terms[i] * terms[j];
                }
            }
            count += 1.0;
        }
        let x = non_negative(a, b);
        let fit: f64 =
            (0..3).map(|i| x[i] * (0..3).map(|j| a[i][j] * x[j]).sum::<f64>() - 2.0 * b[i] * x[i]).sum();
        (x, count + fit)
    }

    /// The least-squares solution: floor, ln A′, ln B′, α, β, with A′ and B′ in the centred unknowns.
    fn start(&self) -> [f64; 5] {
        let mut f = |x: [f64; 2]| if x[0] > 0.0 && x[1] > 0.0 { self.project(x).1 } else { f64::INFINITY };
        let mut best = ([0.3, 0.3], f64::INFINITY);
        for i in 1..=10 {
            for j in 1..=10 {
                let x = [0.1 * f64::from(i), 0.1 * f64::from(j)];
                let value = f(x);
                if value < best.1 {
                    best = (x, value);
                }
            }
        }
        let exponents = minimise(best.0, [0.05, 0.05], 300, &mut f);
        let (linear, _) = self.project(exponents);
        [linear[0], linear[1].max(1e-12).ln(), linear[2].max(1e-12).ln(), exponents[0], exponents[1]]
    }

    /// Gauss–Newton matrix, gradient and value of the objective.
    #[allow(clippy::needless_range_loop)]
    fn expand(&self, x: &[f64; 5]) -> ([[f64; 5]; 5], [f64; 5], f64) {
        let (mut hessian, mut gradient, mut objective) = ([[0.0; 5]; 5], [0.0; 5], 0.0);
        for r in &self.rows {
            let (a, b) = ((x[1] - x[3] * r.n).exp(), (x[2] - x[4] * r.d).exp());
            let loss = x[0] + a + b;
            let residual = loss.ln() - r.log_loss;
            let size = residual.abs();
            let (weight, value) = if size <= DELTA {
                (1.0, 0.5 * size * size)
            } else {
                (DELTA / size, DELTA * (size - 0.5 * DELTA))
            };
            objective += value;
            let j = [1.0 / loss, a / loss, b / loss, -a * r.n / loss, -b * r.d / loss];
            for p in 0..5 {
                gradient[p] += weight * residual * j[p];
                for q in 0..=p {
                    hessian[p][q] += weight * j[p] * j[q];
                }
            }
        }
        for p in 0..5 {
            for q in p + 1..5 {
                hessian[p][q] = hessian[q][p];
            }
        }
        (hessian, gradient, objective)
    }

    /// Levenberg and Marquardt on reweighted least squares, from `x` to the minimum of Huber's loss.
    fn descend(&self, mut x: [f64; 5]) -> [f64; 5] {
        let mut damping = 1e-6;
        let (mut hessian, mut gradient, mut objective) = self.expand(&x);
        let mut calm = 0;
        for _ in 0..2000 {
            let (mut damped, mut downhill) = (hessian, gradient);
            for (i, row) in damped.iter_mut().enumerate() {
                row[i] += damping * row[i] + 1e-15;
            }
            // A floor that wants to be negative stays at zero, and the others go on without it.
            if x[0] <= 0.0 && gradient[0] > 0.0 {
                damped[0] = [1.0, 0.0, 0.0, 0.0, 0.0];
                damped[1..].iter_mut().for_each(|row| row[0] = 0.0);
                downhill[0] = 0.0;
            }
            let Some(step) = solve(damped, downhill) else {
                damping = (damping * 10.0).max(1e-9);
                continue;
            };
            // Reweighting takes steps that are too short; a stretched one is tried first.
            let moved = |stretch: f64| {
                let mut next = x;
                next.iter_mut().zip(step).for_each(|(v, s)| *v -= stretch * s);
                next[0] = next[0].max(0.0);
                next
            };
            let mut next = moved(1.8);
            let mut found = self.expand(&next);
            if found.2.is_nan() || found.2 >= objective {
                next = moved(1.0);
                found = self.expand(&next);
            }
            if found.2 < objective {
                calm = if objective - found.2 < 1e-11 * objective { calm + 1 } else { 0 };
                x = next;
                (hessian, gradient, objective) = found;
                damping = (damping * 0.3).max(1e-12);
                if calm > 8 {
                    break;
                }
            } else {
                damping *= 10.0;
                if damping > 1e8 {
                    break;
                }
            }
        }
        x
    }

    fn law(&self, x: [f64; 5]) -> LossLaw {
        LossLaw {
            floor: x[0],
            params_scale: (x[1] + x[3] * self.centre[0]).exp(),
            tokens_scale: (x[2] + x[4] * self.centre[1]).exp(),
            params_exponent: x[3],
            tokens_exponent: x[4],
        }
    }

    /// Of the Schur complement of the linear unknowns: what is left for the exponents.
    fn projected_condition(&self, x: &[f64; 5]) -> f64 {
        let (h, _, _) = self.expand(x);
        let linear = [[h[0][0], h[0][1], h[0][2]], [h[1][0], h[1][1], h[1][2]], [h[2][0], h[2][1], h[2][2]]];
        let mut left = [[h[3][3], h[3][4]], [h[4][3], h[4][4]]];
        for j in 0..2 {
            let column = [h[0][3 + j], h[1][3 + j], h[2][3 + j]];
            let Some(solved) = solve(linear, column) else { return f64::INFINITY };
            for (i, row) in left.iter_mut().enumerate() {
                row[j] -= (0..3).map(|k| h[3 + i][k] * solved[k]).sum::<f64>();
            }
        }
        condition(left)
    }
}

/// JᵀHJ.
fn transform(h: &[[f64; 5]; 5], j: &[[f64; 5]; 5]) -> [[f64; 5]; 5] {
    let mut out = [[0.0; 5]; 5];
    for (a, row) in out.iter_mut().enumerate() {
        for (b, cell) in row.iter_mut().enumerate() {
            for p in 0..5 {
                for q in 0..5 {
                    *cell += j[p][a] * h[p][q] * j[q][b];
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planted_law_is_found_again_through_outliers() {
        let truth = LossLaw {
            floor: 1.7,
            params_scale: 400.0,
            tokens_scale: 1500.0,
            params_exponent: 0.34,
            tokens_exponent: 0.36,
        };
        let mut draws = Draws::new(4, 4);
        let points: Vec<LossPoint> = (0..80)
            .map(|i| {
                let params = 5e7 * 2f64.powi(i % 8);
                let tokens = 1e9 * 3f64.powi(i / 16);
                let off = if i % 19 == 7 { 0.05 } else { 2e-4 * draws.normal() };
                LossPoint { params, tokens, loss: truth.at(params, tokens) * f64::exp(off) }
            })
            .collect();
        let fit = LossLaw::fit(&points).unwrap();
        for (got, want, slack) in fit
            .law
            .values()
            .iter()
            .zip(truth.values())
            .zip([0.01, 0.15, 0.2, 0.02, 0.02])
            .map(|((a, b), c)| (a, b, c))
        {
            assert!((got / want - 1.0).abs() < slack, "{got} {want}");
        }
        // A floor below zero is not allowed, and the best of what is allowed is found all the same.
        let sunk: Vec<LossPoint> = points.iter().map(|p| LossPoint { loss: p.loss - 1.8, ..*p }).collect();
        let held = LossLaw::fit(&sunk).unwrap();
        let problem = Problem::new(&sunk).unwrap();
        let (_, gradient, _) = problem.expand(&problem.descend(problem.start()));
        assert!(held.law.floor == 0.0 && gradient[0] > 0.0, "{held:?} {gradient:?}");
        assert!(gradient[1..].iter().all(|g| g.abs() < 1e-6), "{gradient:?}");
        assert!(fit.condition < 1e3 && fit.condition_of_five > 1e5, "{fit:?}");
        assert!(LossLaw::fit(&points[..5]).unwrap_err().contains("six or more"));
        let bad = [LossPoint { loss: f64::NAN, ..points[0] }; 6];
        assert!(LossLaw::fit(&bad).unwrap_err().contains("positive"));
    }
}
