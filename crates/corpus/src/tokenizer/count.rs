//! Counts the words of a corpus on all cores.

use rayon::prelude::*;

use super::fast_hash::FastMap;
use super::split::{Words, pieces};
use super::train::TokenizerProgress;

/// How often each word occurs.
pub(super) type WordCounts = FastMap<Box<[u8]>, u64>;

/// Bytes of text that are read before they are counted, for each thread.
const BATCH: usize = 4 << 20;
/// Bytes that one thread counts at a time.
const PIECE: usize = 256 << 10;
/// Longer words are counted in pieces of this many bytes, so that no merge has to walk a megabyte.
const LONGEST: usize = 256;

/// The words of all texts. Every thread counts into a table of its own, and sums do not depend on who counted
/// what.
pub(super) fn count_words<S: AsRef<str> + Sync>(
    texts: impl IntoIterator<Item = S>,
    progress: &mut dyn FnMut(TokenizerProgress),
) -> WordCounts {
    let mut tables = vec![WordCounts::default(); rayon::current_num_threads()];
    let batch_bytes = BATCH * tables.len();
    let (mut batch, mut waiting) = (Vec::new(), 0);
    let (mut documents, mut bytes) = (0, 0);
    let mut texts = texts.into_iter();
    loop {
        let text = texts.next();
        let at_end = text.is_none();
        if let Some(text) = text {
            waiting += text.as_ref().len();
            batch.push(text);
        }
        if waiting >= batch_bytes || at_end {
            count_batch(&batch, &mut tables);
            documents += batch.len() as u64;
            bytes += waiting as u64;
            (batch, waiting) = (Vec::new(), 0);
            progress(TokenizerProgress::Counting { documents, bytes });
        }
        if at_end {
            return total(tables);
        }
    }
}

fn count_batch<S: AsRef<str> + Sync>(batch: &[S], tables: &mut [WordCounts]) {
    let parts: Vec<&str> = batch.iter().flat_map(|text| pieces(text.as_ref(), PIECE)).collect();
    let stride = tables.len();
    tables.par_iter_mut().enumerate().for_each(|(first, table)| {
        for part in parts.iter().skip(first).step_by(stride) {
            for word in Words::new(part).flat_map(|word| word.chunks(LONGEST)) {
                match table.get_mut(word) {
                    Some(count) => *count += 1,
                    None => {
                        table.insert(word.into(), 1);
                    }
                }
            }
        }
    });
}

fn total(mut tables: Vec<WordCounts>) -> WordCounts {
    tables.sort_by_key(WordCounts::len);
    let mut all = tables.pop().unwrap_or_default();
    for (word, count) in tables.into_iter().flatten() {
        *all.entry(word).or_default() += count;
    }
    all
}
