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

impl TermSpec {
    /// The term of this entry. With the variant above, the one place that a new term is added to.
    fn term(&self) -> &dyn Term {
        match self {
            TermSpec::NextToken(t) => t,
            TermSpec::Infill(t) => t,
        }
    }
}

/// One term of an objective.
pub trait Term {
    /// Checks what the recipe says.
    ///
    /// # Errors
    /// What is wrong, and what to write in its place.
    fn check(&self) -> Result<(), ObjectiveError>;

    /// The denominator of the loss, from the one term that owns it.
    fn denominator(&self) -> Option<Denominator> {
        None
    }

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
        let wrong = |what: &str, hint: &str| ObjectiveError { what: what.into(), hint: hint.into() };
        terms.iter().try_for_each(|t| t.term().check())?;
        let mut owners = terms.iter().filter_map(|t| t.term().denominator());
        let Some(denominator) = owners.next() else {
            return Err(wrong("no `next_token` term", "add `[[objective]]` with `term = \"next_token\"`"));
        };
        if owners.next().is_some() {
            return Err(wrong("two `next_token` terms", "merge their weights into one"));
        }
        Ok(Objective { terms: terms.to_vec(), denominator })
    }

    /// What the weighted loss is divided by.
    pub fn denominator(&self) -> Denominator {
        self.denominator
    }

    pub(crate) fn terms(&self) -> impl Iterator<Item = &dyn Term> {
        self.terms.iter().map(TermSpec::term)
    }
}
