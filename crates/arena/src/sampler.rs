//! From logits to a token.

use rand_core::Rng;

/// The next token under `logits`, `[vocabulary]`, among those that are `allowed`.
///
/// Temperature 0 takes the likeliest token, the first of equals. Otherwise token `i` is drawn with probability
/// softmax(logits / temperature)ᵢ, one number of `rng` a token. Logits that are not numbers count as −∞; where
/// nothing is left, and for a vocabulary without an allowed token, the answer is `None`.
pub(crate) fn choose(
    logits: &[f32],
    allowed: impl Fn(u32) -> bool,
    temperature: f32,
    rng: &mut impl Rng,
) -> Option<u32> {
    let mut best: Option<(u32, f32)> = None;
    for (id, &logit) in (0u32..).zip(logits) {
        if logit > best.map_or(f32::NEG_INFINITY, |b| b.1) && allowed(id) {
            best = Some((id, logit));
        }
    }
    let (best, top) = best?;
    if temperature == 0.0 {
        return Some(best);
    }
    let weight = |id: u32, logit: f32| {
        let usable = !logit.is_nan() && allowed(id);
        if usable { f64::from((logit - top) / temperature).exp() } else { 0.0 }
    };
    let weights: Vec<f64> = (0u32..).zip(logits).map(|(id, &logit)| weight(id, logit)).collect();
    let total: f64 = weights.iter().sum();
    // 53 bits: every double in [0, 1) that is a multiple of 2⁻⁵³.
    let mut left = (rng.next_u64() >> 11) as f64 * 2f64.powi(-53) * total;
    for (id, weight) in (0u32..).zip(weights) {
        if weight > 0.0 && left < weight {
            return Some(id);
        }
        left -= weight;
    }
    // Rounding can leave a crumb after the last token.
    Some(best)
}

#[cfg(test)]
mod tests {
    use rand_core::SeedableRng;
    use rand_pcg::Pcg64;

    use super::*;

    #[test]
    fn greedy_takes_the_first_best_that_is_allowed() {
        let rng = &mut Pcg64::seed_from_u64(0);
        let logits = [1.0, 3.0, f32::NAN, 3.0, 2.0];
        assert_eq!(choose(&logits, |_| true, 0.0, rng), Some(1));
        assert_eq!(choose(&logits, |id| id != 1, 0.0, rng), Some(3));
        assert_eq!(choose(&logits, |_| false, 0.0, rng), None);
        assert_eq!(choose(&[f32::NAN; 3], |_| true, 1.0, rng), None);
    }

    #[test]
    fn sampling_follows_the_softmax() {
        let mut rng = Pcg64::seed_from_u64(7);
        let logits = [0.0, 3f32.ln(), 9.0, f32::NAN];
        let mut seen = [0u32; 4];
        for _ in 0..10_000 {
            seen[choose(&logits, |id| id != 2, 1.0, &mut rng).unwrap() as usize] += 1;
        }
        assert_eq!((seen[2], seen[3]), (0, 0));
        assert!((seen[1] as f64 / 10_000.0 - 0.75).abs() < 0.02, "{seen:?}");
        // At temperature ½ the odds of 3 to 1 become 9 to 1.
        let hits = (0..10_000).filter(|_| choose(&logits[..2], |_| true, 0.5, &mut rng) == Some(1)).count();
        assert!((hits as f64 / 10_000.0 - 0.9).abs() < 0.02, "{hits}");
    }
}
