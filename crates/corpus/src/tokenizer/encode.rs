//! Applies the merges to text.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::fast_hash::FastMap;
use super::split::Words;
use super::{Pair, special};

/// Words of at most this many bytes are merged by scanning all pairs for the best; longer ones with a queue.
const SHORT: usize = 64;
/// Stands for "no merge".
const NONE: u64 = u64::MAX;

/// For each pair that merges, its rank (high half) and the token it makes (low half).
pub(super) struct PairRanks(FastMap<Pair, u64>);

impl PairRanks {
    pub(super) fn new(merges: &[(Pair, u32)]) -> Self {
        let entry = |(rank, &(pair, id)): (usize, &(Pair, u32))| (pair, (rank as u64) << 32 | u64::from(id));
        PairRanks(merges.iter().enumerate().map(entry).collect())
    }

    fn get(&self, left: u32, right: u32) -> u64 {
        self.0.get(&(left, right)).copied().unwrap_or(NONE)
    }
}

/// Appends the ids of a text.
pub(super) fn encode(ranks: &PairRanks, cache: &mut Cache, text: &str, out: &mut Vec<u32>) {
    for word in Words::new(text) {
        if word.len() == 1 {
            out.push(special::byte(word[0]));
        } else if let Some(key) = Key::new(word) {
            let slot = &mut cache.slots[key.slot()];
            if slot.key != key {
                let start = out.len();
                merge_short(ranks, word, out);
                slot.remember(key, &out[start..]);
            } else {
                out.extend_from_slice(&slot.ids[..usize::from(slot.count)]);
            }
        } else if word.len() <= SHORT {
            merge_short(ranks, word, out);
        } else {
            merge_long(ranks, word, out);
        }
    }
}

/// Repeats the best merge (lowest rank, then leftmost) in arrays on the stack until none is left.
fn merge_short(ranks: &PairRanks, word: &[u8], out: &mut Vec<u32>) {
    let mut ids = [0u32; SHORT];
    // `found[i]` is the merge of the tokens i and i + 1.
    let mut found = [NONE; SHORT];
    let mut length = word.len();
    for (id, &byte) in ids.iter_mut().zip(word) {
        *id = special::byte(byte);
    }
    for i in 0..length - 1 {
        found[i] = ranks.get(ids[i], ids[i + 1]);
    }
    loop {
        let (mut best, mut at) = (NONE, 0);
        for (i, &merge) in found[..length - 1].iter().enumerate() {
            if merge < best {
                (best, at) = (merge, i);
            }
        }
        if best == NONE {
            break;
        }
        ids[at] = best as u32;
        ids.copy_within(at + 2..length, at + 1);
        found.copy_within(at + 1..length, at);
        length -= 1;
        if at > 0 {
            found[at - 1] = ranks.get(ids[at - 1], ids[at]);
        }
        found[at] = if at + 1 < length { ranks.get(ids[at], ids[at + 1]) } else { NONE };
    }
    out.extend_from_slice(&ids[..length]);
}

/// The same in O(n log n), for words that may be megabytes long.
fn merge_long(ranks: &PairRanks, word: &[u8], out: &mut Vec<u32>) {
    const END: usize = usize::MAX;
    let mut ids: Vec<u32> = word.iter().map(|&byte| special::byte(byte)).collect();
    let mut next: Vec<usize> = (1..=ids.len()).collect();
    let mut previous: Vec<usize> = (0..ids.len()).map(|i| i.wrapping_sub(1)).collect();
    next[ids.len() - 1] = END;
    // `found[i]` is the merge of the token at i with the one after it, NONE also where i was merged away.
    let mut found: Vec<u64> = ids.windows(2).map(|pair| ranks.get(pair[0], pair[1])).collect();
    found.push(NONE);
    let mut queue: BinaryHeap<Reverse<(u64, usize)>> = found
        .iter()
        .enumerate()
        .filter(|&(_, &merge)| merge != NONE)
        .map(|(i, &merge)| Reverse((merge, i)))
        .collect();
    while let Some(Reverse((merge, at))) = queue.pop() {
        if found[at] != merge {
            continue;
        }
        let gone = next[at];
        ids[at] = merge as u32;
        found[gone] = NONE;
        next[at] = next[gone];
        found[at] = NONE;
        if next[at] != END {
            previous[next[at]] = at;
            found[at] = ranks.get(ids[at], ids[next[at]]);
        }
        if previous[at] != END {
            found[previous[at]] = ranks.get(ids[previous[at]], ids[at]);
        }
        for changed in [at, previous[at]] {
            if changed != END && found[changed] != NONE {
                queue.push(Reverse((found[changed], changed)));
            }
        }
    }
    let mut at = 0;
    while at != END {
        out.push(ids[at]);
        at = next[at];
    }
}

/// Bytes of the longest word that is remembered.
const KEY: usize = 16;
/// Most tokens of a word that is remembered.
const IDS: usize = 7;
const SLOTS: usize = 1 << 15;

/// A word of 2 to 16 bytes, filled up with zeros.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Key {
    bytes: u128,
    length: u8,
}

impl Key {
    fn new(word: &[u8]) -> Option<Key> {
        if word.len() > KEY {
            return None;
        }
        let mut bytes = [0; KEY];
        bytes[..word.len()].copy_from_slice(word);
        Some(Key { bytes: u128::from_le_bytes(bytes), length: word.len() as u8 })
    }

    fn slot(self) -> usize {
        let low = (self.bytes as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let high = ((self.bytes >> 64) as u64).wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        let mixed = (low ^ high.rotate_left(32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> (64 - SLOTS.trailing_zeros())) as usize
    }
}

/// Remembers the tokens of the words seen last. A new word takes the place of the one with the same hash.
pub(super) struct Cache {
    slots: Vec<Slot>,
}

#[derive(Clone, Default)]
struct Slot {
    key: Key,
    ids: [u32; IDS],
    count: u8,
}

impl Cache {
    pub(super) fn new() -> Self {
        Cache { slots: vec![Slot::default(); SLOTS] }
    }
}

impl Slot {
    fn remember(&mut self, key: Key, ids: &[u32]) {
        if ids.len() <= IDS {
            self.key = key;
            self.ids[..ids.len()].copy_from_slice(ids);
            self.count = ids.len() as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_of_merging_agree() {
        let (a, b) = (special::byte(b'a'), special::byte(b'b'));
        let first = special::byte(255) + 1;
        let merges = [
            ((a, b), first),
            ((first, first), first + 1),
            ((a, a), first + 2),
            ((first + 2, first + 1), first + 3),
            ((b, a), first + 4),
            ((first + 1, a), first + 5),
        ];
        let ranks = PairRanks::new(&merges);
        for bits in 0..1u32 << 12 {
            for length in 2..=12 {
                let word: Vec<u8> = (0..length).map(|i| b'a' + (bits >> i & 1) as u8).collect();
                let (mut short, mut long) = (Vec::new(), Vec::new());
                merge_short(&ranks, &word, &mut short);
                merge_long(&ranks, &word, &mut long);
                assert_eq!(short, long, "{}", String::from_utf8_lossy(&word));
            }
        }
    }
}
