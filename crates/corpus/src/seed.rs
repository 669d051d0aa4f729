//! Seeds split by purpose.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;

/// 64 random bits for `purpose`: the first eight bytes, little-endian, of blake3 over the words and the purpose.
///
/// A generator that is seeded with the words themselves starts correlated where they differ in few bits.
pub fn derive(purpose: &str, words: &[u64]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for word in words {
        hasher.update(&word.to_le_bytes());
    }
    hasher.update(purpose.as_bytes());
    let mut first = [0; 8];
    hasher.finalize_xof().fill(&mut first);
    u64::from_le_bytes(first)
}

/// A number below `n` from 64 random bits (multiply–shift; the bias is below n / 2⁶⁴).
pub(crate) fn below(bits: u64, n: usize) -> usize {
    ((u128::from(bits) * n as u128) >> 64) as usize
}

/// A number in [0, 1) from 64 random bits.
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Puts items into a random order.
pub(crate) struct Shuffler(Pcg64);

impl Shuffler {
    pub(crate) fn new(purpose: &str, words: &[u64]) -> Self {
        let half = |i: u64| u128::from(derive(purpose, &[words, &[i]].concat()));
        Shuffler(Pcg64::new(half(0) << 64 | half(1), half(2)))
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, below(self.0.next_u64(), i + 1));
        }
    }
}
