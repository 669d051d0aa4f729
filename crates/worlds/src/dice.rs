//! Seeded randomness: every random choice of a task comes from its own stream of its seed.

use std::hash::Hasher;

use rand_core::Rng;
use rand_pcg::Pcg64;

use crate::hash::Fnv;

/// A stream of random choices.
#[derive(Clone, Debug)]
pub(crate) struct Dice(Pcg64);

impl Dice {
    /// The stream for `purpose` of the seed `seed`. Streams of different purposes are independent, so
    /// that a fault draws nothing from the stream that builds the world.
    pub(crate) fn new(purpose: &str, words: &[u64]) -> Self {
        let half = |salt: u64| {
            let mut h = Fnv::default();
            h.write_u64(salt);
            h.write(purpose.as_bytes());
            for &w in words {
                h.write_u64(w);
            }
            u128::from(h.finish())
        };
        Dice(Pcg64::new(half(1) << 64 | half(2), half(3)))
    }

    /// A whole number below `n`, which is at least 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        // Multiply-shift: the bias is below n / 2^64.
        ((u128::from(self.0.next_u64()) * n as u128) >> 64) as usize
    }

    /// A whole number from `low` to `high`, both included.
    pub(crate) fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low + 1).max(1) as usize) as i64
    }

    /// True in half of all cases.
    pub(crate) fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// Puts `items` into a random order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}
