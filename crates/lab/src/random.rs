//! Seeded draws: uniform, normal, chi-squared.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// A source of draws; the same seed gives the same draws everywhere.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    rng: Pcg64,
    spare: Option<f64>,
}

impl Draws {
    /// A source for one purpose: `stream` keeps purposes with the same seed apart.
    pub(crate) fn new(seed: u64, stream: u64) -> Draws {
        Draws { rng: Pcg64::seed_from_u64(seed ^ stream.wrapping_mul(0x9e37_79b9_7f4a_7c15)), spare: None }
    }

    /// Uniform on the open interval from 0 to 1.
    pub(crate) fn uniform(&mut self) -> f64 {
        ((self.rng.next_u64() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// A number below `n`, uniformly to within n / 2⁶⁴.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.rng.next_u64()) * n as u128) >> 64) as usize
    }

    /// Standard normal (polar method).
    pub(crate) fn normal(&mut self) -> f64 {
        if let Some(spare) = self.spare.take() {
            return spare;
        }
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s < 1.0 && s > 0.0 {
                let scale = (-2.0 * s.ln() / s).sqrt();
                self.spare = Some(v * scale);
                return u * scale;
            }
        }
    }

    /// The effect of a pair and its candidate's run alone: noise of standard deviation `sd` a pair, to which the candidate
    /// brings `ratio` times what it does where both arms are alike.
    pub(crate) fn pair(&mut self, effect: f64, sd: f64, ratio: f64) -> (f64, f64) {
        let of_arm = sd * std::f64::consts::FRAC_1_SQRT_2;
        let candidate = effect + ratio * of_arm * self.normal();
        (candidate - of_arm * self.normal(), candidate)
    }

    /// Chi-squared with `df` > 0 degrees of freedom (Marsaglia and Tsang 2000).
    pub(crate) fn chi_squared(&mut self, df: f64) -> f64 {
        let shape = df / 2.0;
        if shape < 1.0 {
            let boost = self.uniform().powf(1.0 / shape);
            return boost * self.chi_squared(df + 2.0);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = self.normal();
            let v = (1.0 + c * x).powi(3);
            if v > 0.0 && self.uniform().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return 2.0 * d * v;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_right() {
        let mut draws = Draws::new(1, 2);
        let n = 200_000;
        let (mut m1, mut m2, mut m4) = (0.0, 0.0, 0.0);
        for _ in 0..n {
            let z = draws.normal();
            m1 += z;
            m2 += z * z;
            m4 += z.powi(4);
        }
        let n_ = f64::from(n);
        assert!((m1 / n_).abs() < 0.01 && (m2 / n_ - 1.0).abs() < 0.02 && (m4 / n_ - 3.0).abs() < 0.1);
        for df in [1.0, 3.0, 20.0] {
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..n {
                let x = draws.chi_squared(df);
                sum += x;
                squares += x * x;
            }
            let mean = sum / n_;
            let variance = squares / n_ - mean * mean;
            assert!((mean / df - 1.0).abs() < 0.02 && (variance / (2.0 * df) - 1.0).abs() < 0.05, "{df}");
        }
    }
}
