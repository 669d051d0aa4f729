//! A batch: rows turned into inputs, targets and weights.

use std::collections::BTreeMap;

use groundwork_corpus::{Row, SpanTag, Tokenizer, derive_seed};
use groundwork_trace::SpanKind;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use crate::objective::Special;
use crate::{Denominator, Objective};

/// Mean loss in nats a target token that has a weight, by span kind (`failed_action` apart).
pub type LossByKind = BTreeMap<String, f64>;

/// What a tag's losses are reported under: the kind's keyword, or `failed_action`.
pub fn kind_label(tag: SpanTag) -> Option<&'static str> {
    match tag.kind()? {
        SpanKind::Action if tag.failed() => Some("failed_action"),
        kind => Some(kind.keyword()),
    }
}

/// Rows ready for a forward pass; every vector is `[rows × sequence]`, row by row.
///
/// Position `i` reads `inputs[i]` and predicts `targets[i]`, the token after it in its row. Where
/// that token belongs to another document, or there is none, the position has no target: its weight
/// is 0 and its tag [`SpanTag::PADDING`].
#[derive(Clone, Debug)]
pub struct Batch {
    /// Number of rows.
    pub rows: usize,
    /// Positions a row.
    pub sequence: usize,
    /// Token read at every position.
    pub inputs: Vec<u32>,
    /// Token to predict at every position.
    pub targets: Vec<u32>,
    /// What the prediction is worth.
    pub weights: Vec<f32>,
    /// Document of every input, counted from 1 in its row; 0 is padding.
    pub documents: Vec<u32>,
    /// Tag of every target.
    pub tags: Vec<SpanTag>,
}

impl Batch {
    /// Applies an objective to rows of equal length.
    ///
    /// `keys` gives every row a number of its own; what is random about a row depends on `seed` and
    /// its key alone, so neither on the batch it shares nor on how it is cut.
    ///
    /// # Panics
    /// If there are no rows, their lengths differ, or there is not one key a row.
    pub fn new(
        objective: &Objective,
        tokenizer: &Tokenizer,
        rows: Vec<Row>,
        seed: u64,
        keys: &[u64],
    ) -> Batch {
        let sequence = rows.first().map_or(0, |r| r.tokens.len());
        assert!(sequence > 0 && rows.iter().all(|r| r.tokens.len() == sequence), "rows must have one length");
        assert_eq!(rows.len(), keys.len(), "one key a row");
        let special = Special { hole: tokenizer.hole(), fill: tokenizer.fill(), end: tokenizer.end() };
        let positions = rows.len() * sequence;
        let mut batch = Batch {
            rows: rows.len(),
            sequence,
            inputs: Vec::with_capacity(positions),
            targets: Vec::with_capacity(positions),
            weights: Vec::with_capacity(positions),
            documents: Vec::with_capacity(positions),
            tags: Vec::with_capacity(positions),
        };
        for (mut row, &key) in rows.into_iter().zip(keys) {
            let mut rng = Pcg64::seed_from_u64(derive_seed("objective", &[seed, key]));
            let mut worth = vec![1.0f32; sequence];
            for term in objective.terms() {
                term.rewrite(&mut row, special, &mut rng);
            }
            for term in objective.terms() {
                term.weigh(&row, &mut worth);
            }
            for i in 0..sequence {
                let next = i + 1;
                let has_target =
                    next < sequence && row.documents[i] != 0 && row.documents[next] == row.documents[i];
                batch.inputs.push(row.tokens[i]);
                batch.targets.push(if has_target { row.tokens[next] } else { tokenizer.pad() });
                batch.weights.push(if has_target { worth[next] } else { 0.0 });
                batch.tags.push(if has_target { row.spans[next] } else { SpanTag::PADDING });
            }
            batch.documents.extend_from_slice(&row.documents);
        }
        batch
    }

    /// What this batch adds to the loss's denominator.
    pub fn denominator(&self, kind: Denominator) -> f64 {
        match kind {
            Denominator::Supervised => self.weights.iter().map(|&w| f64::from(w)).sum(),
            Denominator::Tokens => self.tags.iter().filter(|&&t| t != SpanTag::PADDING).count() as f64,
        }
    }

    /// Cuts the batch into micro-batches of at most `rows` rows.
    pub fn micro_batches(&self, rows: usize) -> Vec<Batch> {
        let step = rows.max(1) * self.sequence;
        let positions = self.inputs.len();
        (0..positions)
            .step_by(step)
            .map(|a| {
                let r = a..(a + step).min(positions);
                Batch {
                    rows: r.len() / self.sequence,
                    sequence: self.sequence,
                    inputs: self.inputs[r.clone()].to_vec(),
                    targets: self.targets[r.clone()].to_vec(),
                    weights: self.weights[r.clone()].to_vec(),
                    documents: self.documents[r.clone()].to_vec(),
                    tags: self.tags[r].to_vec(),
                }
            })
            .collect()
    }

    /// Adds `losses` (nats, one a position) and counts to running sums by kind. Positions without a weight are left
    /// out: their loss was not computed.
    pub fn add_losses(&self, losses: &[f32], sums: &mut BTreeMap<&'static str, (f64, u64)>) {
        for ((&tag, &loss), &weight) in self.tags.iter().zip(losses).zip(&self.weights) {
            if let Some(label) = kind_label(tag).filter(|_| weight != 0.0) {
                let entry = sums.entry(label).or_default();
                entry.0 += f64::from(loss);
                entry.1 += 1;
            }
        }
    }
}
