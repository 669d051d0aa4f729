//! What several attempts at a task say: pass@k and pass^k.

/// How likely one of `k` attempts succeeds, of `n` of which `hits` did: 1 − C(n − hits, k) / C(n, k), the unbiased
/// estimate of Chen et al. (2021, arXiv 2107.03374, equation 1). `k` is at most `n`.
pub(crate) fn pass_at(k: u32, n: u32, hits: u32) -> f64 {
    1.0 - drawn(k, n, n - hits)
}

/// How likely all of `k` attempts succeed: C(hits, k) / C(n, k), the unbiased estimate of Yao et al. (2024, τ-bench,
/// arXiv 2406.12045). `k` is at most `n`.
pub(crate) fn pass_hat(k: u32, n: u32, hits: u32) -> f64 {
    drawn(k, n, hits)
}

/// C(of, k) / C(n, k): the probability that `k` draws without replacement from `n` are all among `of`.
fn drawn(k: u32, n: u32, of: u32) -> f64 {
    (0..k).map(|i| f64::from(of.saturating_sub(i)) / f64::from(n - i)).product()
}

/// The numbers of attempts that are reported for `n`: powers of two, and `n` itself.
pub(crate) fn reported(n: u32) -> Vec<u32> {
    let mut ks: Vec<u32> = (0..32).map(|i| 1 << i).take_while(|k| *k <= n).collect();
    if ks.last().is_some_and(|k| *k < n) {
        ks.push(n);
    }
    ks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_counting() {
        // Of 4 attempts 2 succeed: of the 6 pairs 1 holds only failures and 1 only successes.
        assert!((pass_at(2, 4, 2) - 5.0 / 6.0).abs() < 1e-12);
        assert!((pass_hat(2, 4, 2) - 1.0 / 6.0).abs() < 1e-12);
        for hits in 0..=5 {
            let share = f64::from(hits) / 5.0;
            assert!((pass_at(1, 5, hits) - share).abs() < 1e-12);
            assert!((pass_hat(1, 5, hits) - share).abs() < 1e-12);
        }
        assert_eq!((pass_at(5, 5, 1), pass_hat(5, 5, 4)), (1.0, 0.0));
        assert_eq!((pass_at(3, 5, 0), pass_hat(3, 5, 5)), (0.0, 1.0));
        assert_eq!(reported(6), [1, 2, 4, 6]);
        assert_eq!(reported(1), [1]);
    }
}
