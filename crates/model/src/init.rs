//! Initial weights: a function of the seed and the parameter's name alone.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;

/// Draws `n` values from N(0, `std`²), by the name of the parameter they are for.
///
/// Every parameter has a generator of its own, so that the same name has the same initial values
/// in models that differ elsewhere.
pub(crate) fn normal(seed: u64, name: &str, n: usize, std: f64) -> Vec<f32> {
    // FNV-1a: the stream must not depend on a hasher that may change between versions.
    let stream =
        name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    let mut key = [0u8; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&stream.to_le_bytes());
    key[16] = 1;
    let mut rng = Pcg64::from_seed(key);
    let mut uniform = || (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
    let mut values = Vec::with_capacity(n + 1);
    while values.len() < n {
        // Box–Muller; 1 − u keeps the logarithm finite.
        let (r, angle) = ((-2.0 * (1.0 - uniform()).ln()).sqrt(), std::f64::consts::TAU * uniform());
        values.push((r * angle.cos() * std) as f32);
        values.push((r * angle.sin() * std) as f32);
    }
    values.truncate(n);
    values
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn values_have_the_stated_spread_and_depend_on_the_name() {
        let x = normal(1, "a", 100_000, 0.5);
        let mean = x.iter().map(|&v| f64::from(v)).sum::<f64>() / 1e5;
        let var = x.iter().map(|&v| f64::from(v).powi(2)).sum::<f64>() / 1e5;
        assert!(mean.abs() < 0.006 && (var - 0.25).abs() < 0.005, "{mean} {var}");
        assert_ne!(x[..8], normal(1, "b", 8, 0.5)[..]);
        assert_ne!(x[..8], normal(2, "a", 8, 0.5)[..]);
        assert_eq!(x[..8], normal(1, "a", 8, 0.5)[..]);
    }
}
