//! An objective: its terms, in order, and the denominator of its loss.

use groundwork_corpus::Row;
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::{Infill, NextToken};

/// What the weighted sum of token losses is divided by.
///
/// The two differ as experiments: under `tokens` a mask also lowers the gradient's norm, so that a
/// comparison of masks is confounded with the learning rate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denominator {
    /// Σ wᵢ: the mean over supervised tokens.
    #[default]
    Supervised,
    /// The number of tokens that have a target, whatever their weight.
    Tokens,
}

/// One entry of the recipe's `[[objective]]` list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "term", rename_all = "snake_case")]
pub enum TermSpec {
    /// Predict the next token, weighted by span kind.
    NextToken(NextToken),
    /// Hide a span, show what comes after it, ask for it.
    Infill(Infill),
}

/// One term of an objective.
pub trait Term {
    /// Rewrites a row before it is weighed; `special` are the tokens it may use.
    ///
    /// A rewrite keeps the row's length and its documents' places.
    fn rewrite(&self, _row: &mut Row, _special: Special, _rng: &mut Pcg64) {}

    /// Multiplies `weights[i]` by what predicting token `i` of the row is worth.
    fn weigh(&self, _row: &Row, _weights: &mut [f32]) {}
}

/// The special tokens that a term may write into a row.
#[derive(Clone, Copy, Debug)]
pub struct Special {
    /// Stands where a hidden span was.
    pub hole: u32,
    /// Opens the hidden span's body at the end of its document.
    pub fill: u32,
    /// Ends a document.
    pub end: u32,
}

/// What is wrong with an objective.
#[derive(Debug, thiserror::Error)]
#[error("`objective`: {what}\n  hint: {hint}")]
pub struct ObjectiveError {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub hint: String,
}

/// The terms of a recipe's objective, checked.
#[derive(Clone, Debug)]
pub struct Objective {
    terms: Vec<TermSpec>,
    denominator: Denominator,
}

impl Objective {
    /// Checks the terms of a recipe.
    ///
    /// # Errors
    /// No `next_token` term or more than one, negative or non-finite weights, a rate outside 0–1.
    pub fn new(terms: &[TermSpec]) -> Result<Self, ObjectiveError> {
        let mut next = terms.iter().filter_map(|t| match t {
            TermSpec::NextToken(n) => Some(n),
            TermSpec::Infill(_) => None,
        });
        let Some(first) = next.next() else {
            return Err(ObjectiveError {
                what: "no `next_token` term".into(),
                hint: "add `[[objective]]` with `term = \"next_token\"`".into(),
            });
        };
        if next.next().is_some() {
            return Err(ObjectiveError {
                what: "two `next_token` terms".into(),
                hint: "merge their weights into one".into(),
            });
        }
        for term in terms {
            match term {
                TermSpec::NextToken(t) => t.check()?,
                TermSpec::Infill(t) => t.check()?,
            }
        }
        Ok(Objective { terms: terms.to_vec(), denominator: first.denominator })
    }

    /// What the weighted loss is divided by.
    pub fn denominator(&self) -> Denominator {
        self.denominator
    }

    pub(crate) fn terms(&self) -> impl Iterator<Item = &dyn Term> {
        self.terms.iter().map(|t| match t {
            TermSpec::NextToken(t) => t as &dyn Term,
            TermSpec::Infill(t) => t as &dyn Term,
        })
    }
}
