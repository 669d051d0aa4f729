//! Scaling laws: loss against parameters and tokens, and scores against loss.
//!
//! [`LossLaw`] is the three-term law L = E + A/N^α + B/D^β, [`ScoreLaw`] a sigmoid from loss to score; one after the other
//! they predict a score that small models do not show yet. Both are fitted by variable projection: where unknowns enter
//! linearly they are solved for, and only the exponents are searched, which conditions the problem far better than a search
//! in all of them.

mod loss_law;
mod score_law;
mod simplex;
mod solve;

pub use loss_law::{LossFit, LossLaw, LossPoint};
pub use score_law::ScoreLaw;
