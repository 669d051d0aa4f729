//! Packing: which documents lie in which row.
//!
//! Traces and short texts are placed whole by best fit, longest first. Long texts are a stream that is cut to fill the
//! gaps of those rows and then rows of its own. (Best fit without truncation: Ding et al., *Fewer Truncations Improve
//! Language Modeling*, 2024.)

use std::ops::Range;

/// Gaps smaller than this are left as padding: so little text has no context to learn from.
pub(crate) const LEAST_PIECE: usize = 16;

/// A part of a document, in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The document: its place in `whole`, or `whole.len()` + its place in `stream`.
    pub(crate) item: usize,
    /// Which of its tokens.
    pub(crate) part: Range<usize>,
}

/// Places documents in at most `rows` rows of `sequence` tokens: `whole` has the lengths of those that may not be cut
/// (none above `sequence`), `stream` of those that may. `None` if they do not fit. Never gives more rows than it needs,
/// nor an empty row.
pub(crate) fn pack(
    whole: &[usize],
    stream: &[usize],
    rows: usize,
    sequence: usize,
) -> Option<Vec<Vec<Piece>>> {
    let needed: usize = whole.iter().sum::<usize>() + stream.iter().sum::<usize>();
    if needed > rows * sequence {
        return None;
    }
    let Bins { of, mut left } = best_fit(whole, rows, sequence)?;
    let mut packed = vec![Vec::new(); left.len()];
    for (item, (&row, &length)) in of.iter().zip(whole).enumerate() {
        packed[row].push(Piece { item, part: 0..length });
    }
    let mut row = 0;
    for (i, &length) in stream.iter().enumerate() {
        let mut start = 0;
        while start < length {
            while row < left.len() && left[row] < LEAST_PIECE {
                row += 1;
            }
            if row == left.len() {
                if row == rows {
                    return None;
                }
                left.push(sequence);
                packed.push(Vec::new());
            }
            let end = length.min(start + left[row]);
            packed[row].push(Piece { item: whole.len() + i, part: start..end });
            left[row] -= end - start;
            start = end;
        }
    }
    Some(packed)
}

struct Bins {
    /// The row of each item.
    of: Vec<usize>,
    /// What is free in each row.
    left: Vec<usize>,
}

/// Best-fit decreasing: items from the longest to the shortest, each into the fullest row that has room for it.
fn best_fit(lengths: &[usize], rows: usize, sequence: usize) -> Option<Bins> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let mut of = vec![0; lengths.len()];
    let mut left = Vec::new();
    let mut open = OpenRows::new(sequence);
    for i in order {
        let length = lengths[i];
        let row = match open.fullest(length) {
            Some(row) => row,
            None if left.len() < rows && length <= sequence => {
                left.push(sequence);
                left.len() - 1
            }
            None => return None,
        };
        of[i] = row;
        left[row] -= length;
        open.add(left[row], row);
    }
    Some(Bins { of, left })
}

/// Rows by what is free in them.
struct OpenRows {
    rows: Vec<Vec<usize>>,
    /// One bit a number of free tokens: whether any row has just that many.
    occupied: Vec<u64>,
}

impl OpenRows {
    fn new(sequence: usize) -> Self {
        OpenRows { rows: vec![Vec::new(); sequence + 1], occupied: vec![0; sequence / 64 + 1] }
    }

    fn add(&mut self, left: usize, row: usize) {
        self.rows[left].push(row);
        self.occupied[left / 64] |= 1 << (left % 64);
    }

    /// Takes out the row with the least free space that is at least `length`.
    fn fullest(&mut self, length: usize) -> Option<usize> {
        let mut word = length / 64;
        let mut bits = self.occupied.get(word)? & (u64::MAX << (length % 64));
        while bits == 0 {
            word += 1;
            bits = *self.occupied.get(word)?;
        }
        let left = word * 64 + bits.trailing_zeros() as usize;
        let row = self.rows[left].pop()?;
        if self.rows[left].is_empty() {
            self.occupied[word] &= !(1 << (left % 64));
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The rows that best-fit decreasing needs, the slow and obvious way.
    fn plain_best_fit(lengths: &[usize], sequence: usize) -> usize {
        let mut lengths = lengths.to_vec();
        lengths.sort_by(|a, b| b.cmp(a));
        let mut left: Vec<usize> = Vec::new();
        for length in lengths {
            match left.iter_mut().filter(|l| **l >= length).min() {
                Some(l) => *l -= length,
                None => left.push(sequence - length),
            }
        }
        left.len()
    }

    proptest! {
        #[test]
        fn every_token_is_placed_once_and_no_row_overflows(
            sequence in 8usize..300,
            whole in prop::collection::vec(1usize..300, 0..200),
            stream in prop::collection::vec(1usize..3000, 0..8),
        ) {
            let whole: Vec<usize> = whole.into_iter().map(|l| l.min(sequence)).collect();
            let packed = pack(&whole, &stream, 10_000, sequence).unwrap();
            let mut next = vec![0; whole.len() + stream.len()];
            for row in &packed {
                prop_assert!(!row.is_empty());
                prop_assert!(row.iter().map(|p| p.part.len()).sum::<usize>() <= sequence);
                for piece in row {
                    prop_assert_eq!(piece.part.start, next[piece.item], "pieces follow one another");
                    prop_assert!(!piece.part.is_empty());
                    next[piece.item] = piece.part.end;
                }
            }
            let lengths: Vec<usize> = whole.iter().chain(&stream).copied().collect();
            prop_assert_eq!(next, lengths);
            prop_assert_eq!(packed.iter().flatten().filter(|p| p.item < whole.len()).count(), whole.len());
        }

        #[test]
        fn it_is_best_fit_decreasing(
            sequence in 8usize..300,
            whole in prop::collection::vec(1usize..300, 0..200),
        ) {
            let whole: Vec<usize> = whole.into_iter().map(|l| l.min(sequence)).collect();
            prop_assert_eq!(pack(&whole, &[], 10_000, sequence).unwrap().len(), plain_best_fit(&whole, sequence));
        }

        #[test]
        fn a_stream_leaves_only_gaps_that_are_too_small(
            sequence in 32usize..300,
            whole in prop::collection::vec(1usize..300, 0..100),
        ) {
            let whole: Vec<usize> = whole.into_iter().map(|l| l.min(sequence)).collect();
            let packed = pack(&whole, &[100 * sequence], 10_000, sequence).unwrap();
            for row in &packed[..packed.len() - 1] {
                let used: usize = row.iter().map(|p| p.part.len()).sum();
                prop_assert!(sequence - used < LEAST_PIECE);
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        assert!(pack(&[8, 8, 8], &[], 2, 8).is_none());
        assert!(pack(&[9], &[], 2, 8).is_none());
        assert!(pack(&[20, 20], &[], 1, 32).is_none());
        assert!(pack(&[20], &[13], 1, 32).is_none());
        assert!(pack(&[16], &[16], 1, 32).is_some());
        assert_eq!(pack(&[], &[], 1, 32).unwrap().len(), 0);
    }
}
