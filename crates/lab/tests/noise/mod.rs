//! Noise for synthetic runs.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// A generator of noise.
pub struct Noise(Pcg64);

impl Noise {
    pub fn new(seed: u64) -> Noise {
        Noise(Pcg64::seed_from_u64(seed))
    }

    /// Uniform in [0, 1).
    pub fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
    }
}
