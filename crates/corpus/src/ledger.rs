//! Counts that prove that nothing was lost: what goes into the packing comes out of it, kind by kind.

use std::collections::BTreeMap;

use groundwork_trace::SpanKind;
use serde::{Deserialize, Serialize};

use crate::{CorpusError, SpanTag};

/// Counts of tokens, of one kind of span or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KindCounts {
    /// Tokens, special ones included.
    pub tokens: u64,
    /// Special tokens: openings of spans and ends of traces.
    pub markers: u64,
    /// Tokens whose stated weight is above 0, or that have none stated.
    pub supervised: u64,
    /// The world's own tokens.
    pub own: u64,
    /// Tokens of failed actions.
    pub failed: u64,
    /// Σ weight, with 1 where none is stated.
    pub weight: f64,
}

impl std::ops::AddAssign for KindCounts {
    fn add_assign(&mut self, other: KindCounts) {
        self.tokens += other.tokens;
        self.markers += other.markers;
        self.supervised += other.supervised;
        self.own += other.own;
        self.failed += other.failed;
        self.weight += other.weight;
    }
}

const KINDS: usize = SpanKind::ALL.len();
/// Weights are summed as multiples of 2⁻³², so that the sum does not depend on the order.
const WEIGHT_UNIT: f64 = (1u64 << 32) as f64;

/// Running counts of some tokens, and a fingerprint of which tokens with which tags and weights they were.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Ledger {
    kinds: [Counts; KINDS],
    /// Tokens whose tag names no kind.
    unknown: u64,
    /// Σ over tokens of a hash of (token, tag, weight), modulo 2⁶⁴: blind to the order, to nothing else.
    fingerprint: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    tokens: u64,
    markers: u64,
    supervised: u64,
    own: u64,
    failed: u64,
    weight: i128,
}

impl Ledger {
    /// Counts these tokens. `weight` has their weights, or is `None` where all are 1.
    pub(crate) fn add(&mut self, tokens: &[u32], spans: &[SpanTag], weight: Option<&[f32]>) {
        for (i, (&token, &tag)) in tokens.iter().zip(spans).enumerate() {
            let w = weight.map_or(1.0, |w| w[i]);
            self.fingerprint = self.fingerprint.wrapping_add(mix(token, tag.code(), w));
            let Some(kind) = tag.kind() else {
                self.unknown += 1;
                continue;
            };
            let counts = &mut self.kinds[kind as usize];
            counts.tokens += 1;
            counts.markers += u64::from(tag.marker());
            counts.supervised += u64::from(w > 0.0);
            counts.own += u64::from(tag.own());
            counts.failed += u64::from(tag.failed());
            counts.weight += (f64::from(w) * WEIGHT_UNIT).round() as i128;
        }
    }

    /// Takes `other` out again.
    pub(crate) fn subtract(&mut self, other: &Ledger) {
        self.fingerprint = self.fingerprint.wrapping_sub(other.fingerprint);
        self.unknown = self.unknown.wrapping_sub(other.unknown);
        for (a, b) in self.kinds.iter_mut().zip(&other.kinds) {
            a.tokens = a.tokens.wrapping_sub(b.tokens);
            a.markers = a.markers.wrapping_sub(b.markers);
            a.supervised = a.supervised.wrapping_sub(b.supervised);
            a.own = a.own.wrapping_sub(b.own);
            a.failed = a.failed.wrapping_sub(b.failed);
            a.weight -= b.weight;
        }
    }

    /// Checks that `after` holds exactly these tokens.
    pub(crate) fn check(&self, after: &Ledger, name: &str) -> Result<(), CorpusError> {
        let wrong = |what: &str, before: &dyn std::fmt::Debug, after: &dyn std::fmt::Debug| {
            let (before, after) = (format!("{before:?}"), format!("{after:?}"));
            Err(CorpusError::Conservation { name: name.to_owned(), what: what.to_owned(), before, after })
        };
        for (kind, (a, b)) in SpanKind::ALL.iter().zip(self.kinds.iter().zip(&after.kinds)) {
            if a != b {
                return wrong(&format!("the tokens of kind `{kind}`"), a, b);
            }
        }
        if self.unknown != after.unknown {
            return wrong("the tokens without a kind", &self.unknown, &after.unknown);
        }
        if self.fingerprint != after.fingerprint {
            return wrong(
                "the fingerprint of tokens, tags and weights",
                &self.fingerprint,
                &after.fingerprint,
            );
        }
        Ok(())
    }

    /// Tokens in all.
    pub(crate) fn tokens(&self) -> u64 {
        self.unknown + self.kinds.iter().map(|c| c.tokens).sum::<u64>()
    }

    /// The counts of the kinds that occur.
    pub(crate) fn by_kind(&self) -> BTreeMap<SpanKind, KindCounts> {
        let kinds = SpanKind::ALL.into_iter().zip(&self.kinds).filter(|(_, c)| c.tokens > 0);
        kinds
            .map(|(kind, c)| {
                let counts = KindCounts {
                    tokens: c.tokens,
                    markers: c.markers,
                    supervised: c.supervised,
                    own: c.own,
                    failed: c.failed,
                    weight: c.weight as f64 / WEIGHT_UNIT,
                };
                (kind, counts)
            })
            .collect()
    }
}

/// SplitMix64's finaliser over the three values.
fn mix(token: u32, tag: u8, weight: f32) -> u64 {
    let mut z = u64::from(token) << 32 | u64::from(weight.to_bits());
    z = z
        .wrapping_add(u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15))
        .wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: SpanTag = SpanTag::new(SpanKind::Action);

    fn ledger(tokens: &[u32], spans: &[SpanTag], weight: Option<&[f32]>) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.add(tokens, spans, weight);
        ledger
    }

    #[test]
    fn a_swapped_weight_is_noticed_though_the_sums_are_right() {
        let before = ledger(&[1, 2], &[ACTION; 2], Some(&[0.0, 1.0]));
        let after = ledger(&[1, 2], &[ACTION; 2], Some(&[1.0, 0.0]));
        assert!(matches!(before.check(&after, "s"), Err(CorpusError::Conservation { .. })));
    }

    #[test]
    fn a_lost_mark_is_noticed_and_named() {
        let before = ledger(&[1], &[ACTION.with_failed(true)], None);
        let after = ledger(&[1], &[ACTION], None);
        let error = before.check(&after, "s").unwrap_err().to_string();
        assert!(error.contains("`action`"), "{error}");
    }

    #[test]
    fn order_and_grouping_do_not_matter() {
        let mut whole = ledger(&[1, 2, 3], &[ACTION; 3], Some(&[0.1, 0.2, 0.7]));
        let mut parts = ledger(&[3, 1], &[ACTION; 2], Some(&[0.7, 0.1]));
        parts.add(&[2], &[ACTION], Some(&[0.2]));
        whole.check(&parts, "s").unwrap();
        whole.subtract(&parts);
        assert_eq!(whole, Ledger::default());
    }

    #[test]
    fn a_missing_weight_counts_as_one() {
        ledger(&[1], &[ACTION], None).check(&ledger(&[1], &[ACTION], Some(&[1.0])), "s").unwrap();
    }
}
