//! Objectives: what every token of a packed row teaches.
//!
//! An objective is a list of terms ([`Objective`]); each term may rewrite a row ([`Term::rewrite`])
//! and weigh its tokens ([`Term::weigh`]). The loss of one optimiser step is Σ wᵢ ℓᵢ / D over all
//! its rows, however they are cut into micro-batches; [`Denominator`] names D.
//!
//! # Adding a term
//! Write one file with a specification that serde reads and an implementation of [`Term`], and name it in
//! [`TermSpec`]: a variant and the line that reaches it.

#![forbid(unsafe_code)]

mod batch;
mod infill;
mod next_token;
mod objective;

pub use batch::{Batch, LossByKind, kind_label};
pub use infill::Infill;
pub use next_token::{KindWeights, NextToken};
pub use objective::{Denominator, Objective, ObjectiveError, Term, TermSpec};
