//! Learns the merges from counted words.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::count::WordCounts;
use super::fast_hash::FastMap;
use super::{Pair, TokenBytes, special};

/// How far training has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenizerProgress {
    /// The texts are being read and their words counted.
    Counting {
        /// Documents so far.
        documents: u64,
        /// Bytes of text so far.
        bytes: u64,
    },
    /// Merges are being learnt.
    Merging {
        /// Tokens in the vocabulary so far.
        vocabulary: usize,
        /// Tokens asked for.
        of: usize,
    },
    /// Training is over. The vocabulary is smaller than asked for if no pair of tokens was left that occurs
    /// twice.
    Finished {
        /// Tokens in the vocabulary.
        vocabulary: usize,
        /// Tokens asked for.
        of: usize,
        /// Different words in the texts.
        words: usize,
    },
}

/// Merges between two reports of progress.
const REPORT_EVERY: usize = 64;

/// The tokens, and the merges by rank with the token each makes.
///
/// Two merges may make the same bytes (`a` + `bc` and `ab` + `c`); they then share one token, as in the
/// `tokenizers` library, because a vocabulary file has one id for one text.
pub(super) fn learn(
    vocabulary: usize,
    counts: WordCounts,
    progress: &mut dyn FnMut(TokenizerProgress),
) -> (TokenBytes, Vec<(Pair, u32)>) {
    let mut tokens = TokenBytes::base();
    let mut made: FastMap<Vec<u8>, u32> = FastMap::default();
    let mut merges = Vec::new();
    let mut words = Words::new(counts);
    let mut pairs = Pairs::new(&words);
    let mut around = Around::default();
    while tokens.len() < vocabulary {
        let Some((pair, places)) = pairs.pop() else { break };
        let bytes = tokens.joined(pair);
        let id = *made.entry(bytes).or_insert_with_key(|bytes| {
            tokens.push(bytes);
            tokens.len() as u32 - 1
        });
        merges.push((pair, id));
        around.reset(tokens.len());
        words.merge(pair, id, &places, &mut around);
        pairs.update(pair, id, &mut around);
        if merges.len() % REPORT_EVERY == 0 {
            progress(TokenizerProgress::Merging { vocabulary: tokens.len(), of: vocabulary });
        }
    }
    progress(TokenizerProgress::Finished {
        vocabulary: tokens.len(),
        of: vocabulary,
        words: words.counts.len(),
    });
    (tokens, merges)
}

/// The different words, as tokens.
struct Words {
    tokens: Vec<u32>,
    /// Where each word starts in `tokens`, and how many tokens it has now.
    spans: Vec<(usize, u32)>,
    counts: Vec<u64>,
}

impl Words {
    fn new(table: WordCounts) -> Self {
        let mut words = Words {
            tokens: Vec::with_capacity(table.keys().map(|word| word.len()).sum()),
            spans: Vec::with_capacity(table.len()),
            counts: Vec::with_capacity(table.len()),
        };
        for (word, count) in table {
            words.spans.push((words.tokens.len(), word.len() as u32));
            words.tokens.extend(word.iter().map(|&byte| special::byte(byte)));
            words.counts.push(count);
        }
        words
    }

    /// Replaces a pair by a token in the words of `places`, left to right, and notes what stood around it.
    fn merge(&mut self, (left, right): Pair, id: u32, places: &[u32], around: &mut Around) {
        for &place in places {
            let (start, length) = self.spans[place as usize];
            let word = &mut self.tokens[start..start + length as usize];
            let count = self.counts[place as usize];
            let (mut read, mut write) = (0, 0);
            while read < word.len() {
                if word[read] == left && word.get(read + 1) == Some(&right) {
                    if write > 0 {
                        around.before.add(word[write - 1], count, place);
                    }
                    if let Some(&next) = word.get(read + 2) {
                        around.after.add(next, count, place);
                    }
                    word[write] = id;
                    read += 2;
                } else {
                    word[write] = word[read];
                    read += 1;
                }
                write += 1;
            }
            self.spans[place as usize].1 = write as u32;
        }
    }
}

/// What stood beside the merged pairs of one step.
#[derive(Default)]
struct Around {
    before: Neighbours,
    after: Neighbours,
}

impl Around {
    fn reset(&mut self, vocabulary: usize) {
        self.before.slots.resize_with(vocabulary, Default::default);
        self.after.slots.resize_with(vocabulary, Default::default);
    }
}

/// For each token: how often it stood on one side of the merged pair, and in which words.
#[derive(Default)]
struct Neighbours {
    slots: Vec<(u64, Vec<u32>)>,
    /// The tokens whose slots are in use.
    touched: Vec<u32>,
}

impl Neighbours {
    fn add(&mut self, token: u32, count: u64, place: u32) {
        let (total, places) = &mut self.slots[token as usize];
        if places.is_empty() {
            self.touched.push(token);
        }
        *total += count;
        if places.last() != Some(&place) {
            places.push(place);
        }
    }
}

/// How often a pair occurs, and the words that may hold it (some may have lost it since).
#[derive(Default)]
struct Occurrences {
    count: u64,
    places: Vec<u32>,
}

struct Pairs {
    table: FastMap<Pair, Occurrences>,
    /// Candidates, best first. A count may be too high: it is checked when it comes up.
    queue: BinaryHeap<(u64, Reverse<Pair>)>,
}

impl Pairs {
    fn new(words: &Words) -> Self {
        let mut table: FastMap<Pair, Occurrences> = FastMap::default();
        for (place, (&(start, length), &count)) in words.spans.iter().zip(&words.counts).enumerate() {
            for pair in words.tokens[start..start + length as usize].windows(2) {
                let found = table.entry((pair[0], pair[1])).or_default();
                found.count += count;
                if found.places.last() != Some(&(place as u32)) {
                    found.places.push(place as u32);
                }
            }
        }
        let queue = table.iter().map(|(&pair, found)| (found.count, Reverse(pair))).collect();
        Pairs { table, queue }
    }

    /// Takes out the pair that occurs most often, if it occurs twice.
    fn pop(&mut self) -> Option<(Pair, Vec<u32>)> {
        while let Some((count, Reverse(pair))) = self.queue.pop() {
            let Some(found) = self.table.get(&pair) else { continue };
            if found.count < count {
                self.queue.push((found.count, Reverse(pair)));
            } else if count < 2 {
                return None;
            } else {
                return self.table.remove(&pair).map(|found| (pair, found.places));
            }
        }
        None
    }

    /// Moves counts from the pairs that a merge broke to those that it made.
    fn update(&mut self, merged: Pair, id: u32, around: &mut Around) {
        let Around { before, after } = around;
        // All additions come first: between two merged pairs in a row, what one adds the other takes away
        // again.
        let sides = |token: u32, is_before: bool| if is_before { (token, id) } else { (id, token) };
        for (side, is_before) in [(&mut *before, true), (&mut *after, false)] {
            for &token in &side.touched {
                let (count, places) = &mut side.slots[token as usize];
                let found = self.table.entry(sides(token, is_before)).or_default();
                found.count += *count;
                if found.places.is_empty() {
                    found.places = std::mem::take(places);
                } else {
                    found.places.append(places);
                }
            }
        }
        for (side, is_before) in [(&mut *before, true), (&mut *after, false)] {
            for &token in &side.touched {
                let broken = if is_before { (token, merged.0) } else { (merged.1, token) };
                let count = side.slots[token as usize].0;
                if let Some(found) = self.table.get_mut(&broken) {
                    found.count -= count;
                    if found.count == 0 {
                        self.table.remove(&broken);
                    }
                }
            }
        }
        for (side, is_before) in [(before, true), (after, false)] {
            for token in side.touched.drain(..) {
                side.slots[token as usize].0 = 0;
                let pair = sides(token, is_before);
                if let Some(found) = self.table.get(&pair) {
                    self.queue.push((found.count, Reverse(pair)));
                }
            }
        }
    }
}
