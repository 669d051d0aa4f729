//! Predict the next token, weighted by span kind.

use std::collections::BTreeMap;

use groundwork_corpus::{Row, SpanTag};
use groundwork_trace::SpanKind;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::objective::Term;
use crate::{Denominator, ObjectiveError};

/// The key of [`KindWeights`] for actions that failed.
const FAILED_ACTION: &str = "failed_action";

/// A weight for every span kind, and one for actions that failed.
///
/// Written as a table `{ observation = 0.1, failed_action = 0.0 }`: kinds left out weigh 1, and
/// failed actions, left out, weigh what actions do.
#[derive(Clone, Debug, PartialEq)]
pub struct KindWeights {
    kinds: [f32; SpanKind::ALL.len()],
    failed_action: Option<f32>,
}

impl Default for KindWeights {
    fn default() -> Self {
        KindWeights { kinds: [1.0; SpanKind::ALL.len()], failed_action: None }
    }
}

impl KindWeights {
    /// The weight of a token inside a span with this tag.
    pub fn of(&self, tag: SpanTag) -> f32 {
        match tag.kind() {
            None => 0.0,
            Some(SpanKind::Action) if tag.failed() => {
                self.failed_action.unwrap_or(self.kinds[SpanKind::Action as usize])
            }
            Some(kind) => self.kinds[kind as usize],
        }
    }

    fn all(&self) -> impl Iterator<Item = f32> {
        self.kinds.into_iter().chain(self.failed_action)
    }
}

impl Serialize for KindWeights {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        let mut table: BTreeMap<&str, f32> =
            SpanKind::ALL.iter().map(|&k| (k.keyword(), self.kinds[k as usize])).collect();
        if let Some(w) = self.failed_action {
            table.insert(FAILED_ACTION, w);
        }
        table.serialize(s)
    }
}

impl<'de> Deserialize<'de> for KindWeights {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let mut weights = KindWeights::default();
        for (key, w) in BTreeMap::<String, f32>::deserialize(d)? {
            match SpanKind::from_keyword(&key) {
                Some(kind) => weights.kinds[kind as usize] = w,
                None if key == FAILED_ACTION => weights.failed_action = Some(w),
                None => {
                    let known = SpanKind::ALL.iter().map(|k| k.keyword()).chain([FAILED_ACTION]);
                    let near = known.max_by(|a, b| strsim::jaro(a, &key).total_cmp(&strsim::jaro(b, &key)));
                    return Err(serde::de::Error::custom(format!(
                        "`{key}` is no span kind; did you mean `{}`?",
                        near.unwrap_or_default()
                    )));
                }
            }
        }
        Ok(weights)
    }
}

/// The `next_token` term.
///
/// A token inside a span weighs what its kind does. A marker is the agent's decision to close one
/// span and to open another, so it weighs the larger of the two: this is the rule for the token
/// that straddles a border. A document's first token has no context and no weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NextToken {
    /// The weight of every span kind.
    pub weights: KindWeights,
    /// A factor on tokens that are the world's own: values that nobody could predict.
    pub own: f32,
    /// What the loss is divided by.
    pub denominator: Denominator,
}

impl Default for NextToken {
    fn default() -> Self {
        NextToken { weights: KindWeights::default(), own: 1.0, denominator: Denominator::default() }
    }
}

impl Term for NextToken {
    fn check(&self) -> Result<(), ObjectiveError> {
        if self.weights.all().chain([self.own]).all(|w| w.is_finite() && w >= 0.0) {
            return Ok(());
        }
        Err(ObjectiveError {
            what: "a weight of `next_token` is negative or not finite".into(),
            hint: "weights are 0 or more; 0 masks".into(),
        })
    }
    fn denominator(&self) -> Option<Denominator> {
        Some(self.denominator)
    }

    fn weigh(&self, row: &Row, weights: &mut [f32]) {
        for i in 0..row.tokens.len() {
            let tag = row.spans[i];
            let mut w = self.weights.of(tag);
            if tag.marker() && i > 0 && row.documents[i - 1] == row.documents[i] {
                w = w.max(self.weights.of(row.spans[i - 1]));
            }
            if tag.own() {
                w *= self.own;
            }
            if let Some(stated) = &row.weight {
                w *= stated[i];
            }
            weights[i] *= w;
        }
    }
}
