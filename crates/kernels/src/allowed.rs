//! Which keys a query may see.

use std::ops::Range;

/// The mask of causal attention, with an optional window and documents, as one interval of keys a query.
///
/// The keys that position `i` may see lie between `first(i)` and `i`. If the documents lie one after the other, as in
/// packed rows, all keys of the interval are allowed; otherwise the documents are compared one by one within it.
#[derive(Debug)]
pub(crate) struct Allowed {
    keys: usize,
    window: usize,
    documents: Option<Documents>,
}

#[derive(Debug)]
struct Documents {
    /// `[batch, keys]`.
    ids: Vec<i64>,
    /// The first position with the same document, `[batch, keys]`.
    first: Vec<usize>,
    /// For each row of the batch, whether each document is one run.
    contiguous: Vec<bool>,
}

impl Allowed {
    /// `documents` is `[batch, keys]`; a window of `w` shows a query the last `w` positions, its own included.
    pub fn new(keys: usize, window: Option<usize>, documents: Option<Vec<i64>>) -> Allowed {
        let documents = documents.map(|ids| {
            let mut first = Vec::with_capacity(ids.len());
            let mut contiguous = Vec::with_capacity(ids.len() / keys.max(1));
            for row in ids.chunks_exact(keys) {
                let mut starts: Vec<(i64, usize)> = Vec::new();
                let mut runs = 0;
                for (i, &id) in row.iter().enumerate() {
                    if i > 0 && row[i - 1] == id {
                        first.push(first[first.len() - 1]);
                        continue;
                    }
                    runs += 1;
                    let start = starts.iter().find(|(other, _)| *other == id).map(|&(_, start)| start);
                    if start.is_none() {
                        starts.push((id, i));
                    }
                    first.push(start.unwrap_or(i));
                }
                contiguous.push(runs == starts.len());
            }
            Documents { ids, first, contiguous }
        });
        Allowed { keys, window: window.unwrap_or(usize::MAX), documents }
    }

    /// The first key that position `i` may see.
    fn first(&self, batch: usize, i: usize) -> usize {
        let of_window = (i + 1).saturating_sub(self.window);
        let of_document = self.documents.as_ref().map_or(0, |d| d.first[batch * self.keys + i]);
        of_window.max(of_document)
    }

    /// Intervals `(low, high)` of keys that cover all that any of `positions` may see: at most `chunk` long, cut at
    /// multiples of `chunk`, and their ends multiples of `panel` (so `high` may pass the last key).
    pub fn chunks(
        &self,
        batch: usize,
        positions: Range<usize>,
        chunk: usize,
        panel: usize,
    ) -> impl Iterator<Item = (usize, usize)> + use<> {
        let end = positions.end.next_multiple_of(panel);
        let start = positions.map(|i| self.first(batch, i)).min().unwrap_or(0) / panel * panel;
        (start / chunk..end.div_ceil(chunk)).map(move |c| (start.max(c * chunk), end.min((c + 1) * chunk)))
    }

    /// Writes `value` to those of `scores`, which belong to the keys from `low` on, that position `i` may not see.
    #[inline(always)]
    pub fn mask(&self, batch: usize, i: usize, low: usize, scores: &mut [f32], value: f32) {
        let first = self.first(batch, i).saturating_sub(low).min(scores.len());
        let end = (i + 1).saturating_sub(low).clamp(first, scores.len());
        scores[..first].fill(value);
        scores[end..].fill(value);
        if let Some(documents) = &self.documents
            && !documents.contiguous[batch]
        {
            let ids = &documents.ids[batch * self.keys..(batch + 1) * self.keys];
            for (score, &id) in scores[first..end].iter_mut().zip(&ids[low + first..]) {
                if id != ids[i] {
                    *score = value;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visible(allowed: &Allowed, batch: usize, i: usize, keys: usize) -> Vec<usize> {
        let mut seen = Vec::new();
        for (low, high) in allowed.chunks(batch, i..i + 1, 8, 4) {
            assert!(low % 4 == 0 && high % 4 == 0 && high - low <= 8);
            let mut scores = vec![1.0; high - low];
            allowed.mask(batch, i, low, &mut scores, 0.0);
            seen.extend((low..high).filter(|j| scores[j - low] == 1.0));
        }
        assert!(seen.iter().all(|&j| j < keys));
        seen
    }

    #[test]
    fn shows_what_the_definition_says() {
        let rows: [[i64; 13]; 3] = [
            [1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 0, 0, 0],
            [1, 2, 1, 2, 2, 1, 1, 3, 3, 1, 0, 3, 0],
            [7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7],
        ];
        for window in [None, Some(1), Some(3), Some(9), Some(100)] {
            for documents in [None, Some(rows.concat())] {
                let allowed = Allowed::new(13, window, documents.clone());
                for (batch, row) in rows.iter().enumerate() {
                    for i in 0..13 {
                        let expected: Vec<usize> = (0..=i)
                            .filter(|&j| documents.is_none() || row[j] == row[i])
                            .filter(|&j| window.is_none_or(|w| i - j < w))
                            .collect();
                        assert_eq!(visible(&allowed, batch, i, 13), expected);
                    }
                }
            }
        }
    }
}
