//! Intervals: Wilson's for rates, the bootstrap for ratios of sums.

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

/// A measured number with its 95% interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    /// The estimate.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end of the interval.
    pub high: f64,
    /// How many independent units it rests on: tasks, or pairs of a task and its twin.
    pub n: u64,
}

/// The 97.5% quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// A rate `p` seen over `n` tasks, with Wilson's score interval (Wilson 1927, without continuity correction).
///
/// `p` may be a mean of means where a task was attempted several times; the interval then counts tasks, not
/// attempts, because attempts at one task are not independent.
pub(crate) fn rate(p: f64, n: u64) -> Metric {
    let trials = n as f64;
    let spread = Z * Z / trials;
    let centre = (p + spread / 2.0) / (1.0 + spread);
    let half = Z / (1.0 + spread) * (p * (1.0 - p) / trials + spread / (4.0 * trials)).sqrt();
    Metric { value: p, low: (centre - half).clamp(0.0, p), high: (centre + half).clamp(p, 1.0), n }
}

/// Σ numerators / Σ denominators over `units`, with the 2.5% and 97.5% quantiles of 1000 bootstrap resamples of
/// the units. `None` where the denominators sum to nothing.
///
/// `seed` makes the interval a function of the data.
pub(crate) fn ratio(units: &[(f64, f64)], seed: u64) -> Option<Metric> {
    let units: Vec<[f64; 2]> = units.iter().map(|&(n, d)| [n, d]).collect();
    bootstrap(&units, |u| u[1] > 0.0, seed, |[n, d]| (d > 0.0).then(|| n / d))
}

/// Two ratios of sums of the same units, the first less the second: `units` are (numerator, denominator) of both.
pub(crate) fn ratio_difference(units: &[[f64; 4]], seed: u64) -> Option<Metric> {
    let of = |[n, d, m, e]: [f64; 4]| (d > 0.0 && e > 0.0).then(|| n / d - m / e);
    bootstrap(units, |u| u[1] > 0.0 && u[3] > 0.0, seed, of)
}

/// A statistic of sums over `units`, with the 2.5% and 97.5% quantiles of 1000 bootstrap resamples of the units. `counts`
/// says which units it rests on.
pub(crate) fn bootstrap<const K: usize>(
    units: &[[f64; K]],
    counts: impl Fn(&[f64; K]) -> bool,
    seed: u64,
    of: impl Fn([f64; K]) -> Option<f64>,
) -> Option<Metric> {
    const DRAWS: usize = 1000;
    let add = |sum: &mut [f64; K], unit: &[f64; K]| sum.iter_mut().zip(unit).for_each(|(s, u)| *s += u);
    let mut sum = [0.0; K];
    units.iter().for_each(|unit| add(&mut sum, unit));
    let value = of(sum)?;
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut drawn = Vec::with_capacity(DRAWS);
    for _ in 0..DRAWS {
        let mut sum = [0.0; K];
        for _ in units {
            add(&mut sum, &units[below(&mut rng, units.len())]);
        }
        drawn.extend(of(sum));
    }
    drawn.sort_by(f64::total_cmp);
    let ends = (!drawn.is_empty()).then(|| (quantile(&drawn, 0.025), quantile(&drawn, 0.975)));
    let (low, high) = ends.unwrap_or((value, value));
    let n = units.iter().filter(|u| counts(u)).count() as u64;
    Some(Metric { value, low: low.min(value), high: high.max(value), n })
}

/// A number below `n`, uniformly to within 2⁻⁶⁴·n.
pub(crate) fn below(rng: &mut impl Rng, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The quantile of sorted values, by linear interpolation (type 7). `sorted` is not empty.
pub(crate) fn quantile(sorted: &[f64], at: f64) -> f64 {
    let place = at * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    if below == above { below } else { below + (above - below) * place.fract() }
}

/// A seed from words: 64-bit FNV-1a over them, each ended by a byte that no word of text holds.
pub(crate) fn seed_of(words: &[&str], numbers: &[u64]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    for word in words {
        word.bytes().for_each(&mut eat);
        eat(0xff);
    }
    numbers.iter().flat_map(|n| n.to_le_bytes()).for_each(eat);
    // FNV mixes its low bits poorly; one round of a finaliser (SplitMix64) spreads them.
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_matches_published_values() {
        // Newcombe (1998), table I, method 3.
        for (hits, n, low, high) in
            [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
        {
            let m = rate(f64::from(hits) / n as f64, n);
            assert!((m.low - low).abs() < 5e-5 && (m.high - high).abs() < 5e-5, "{m:?}");
        }
        let all = rate(1.0, 10);
        assert_eq!(all.high, 1.0);
        assert!((all.low - 0.7225).abs() < 5e-5);
    }

    #[test]
    fn bootstrap_covers_the_mean_and_is_reproducible() {
        let units: Vec<(f64, f64)> = (0..100).map(|i| (f64::from(i % 10), 1.0)).collect();
        let m = ratio(&units, 1).unwrap();
        assert_eq!(m.value, 4.5);
        // The standard error is 2.872 / √100.
        assert!(
            (m.low - (4.5 - 1.96 * 0.2872)).abs() < 0.06 && (m.high - (4.5 + 1.96 * 0.2872)).abs() < 0.06
        );
        assert_eq!(ratio(&units, 1), Some(m));
        assert_eq!(ratio(&[], 1), None);
        assert_eq!(ratio(&[(1.0, 0.0)], 1), None);
    }

    #[test]
    fn seeds_differ_by_every_part() {
        let base = seed_of(&["files", "x"], &[1]);
        for other in
            [seed_of(&["filesx", ""], &[1]), seed_of(&["files", "x"], &[2]), seed_of(&["x", "files"], &[1])]
        {
            assert_ne!(base, other);
        }
    }
}
