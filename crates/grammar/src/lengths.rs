//! How many characters, items or fields there may be.

use std::str::FromStr;

use groundwork_trace::{Bounds, Number};

/// How many characters, items or fields there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lengths {
    min: u32,
    max: Option<u32>,
}

impl Lengths {
    /// Any number of them.
    pub(crate) const ANY: Lengths = Lengths { min: 0, max: None };

    /// What the bounds say of lengths; nothing where that is more than can be counted, or than lengths have.
    pub(crate) fn of(bounds: &Bounds) -> Option<Lengths> {
        if bounds.above.is_some() || bounds.below.is_some() || bounds.step.is_some() {
            return None;
        }
        Some(Lengths { min: whole(&bounds.min)?.unwrap_or(0), max: whole(&bounds.max)? })
    }

    /// Whether anything is so long.
    pub(crate) fn exist(self) -> bool {
        self.max.is_none_or(|max| self.min <= max)
    }

    pub(crate) fn min(self) -> u32 {
        self.min
    }

    pub(crate) fn most(self) -> u32 {
        self.max.unwrap_or(u32::MAX)
    }

    /// No more than `most`.
    pub(crate) fn up_to(self, most: u32) -> Lengths {
        Lengths { max: Some(self.max.map_or(most, |max| max.min(most))), ..self }
    }

    pub(crate) fn at_most(self, most: u32) -> bool {
        self.max.is_some_and(|max| max <= most)
    }

    /// Whether there may be so many, if they come to at least the least number.
    pub(crate) fn allow(self, count: u64) -> bool {
        self.max.is_none_or(|max| count <= max.into())
    }

    pub(crate) fn allow_end(self, count: u32) -> bool {
        count >= self.min
    }

    pub(crate) fn allow_more(self, count: u32) -> bool {
        self.max.is_none_or(|max| count < max)
    }

    /// One more, as far as it matters: lengths that allow the same stand for each other.
    pub(crate) fn next(self, count: u32) -> u32 {
        (count + 1).min(self.max.unwrap_or(self.min.max(1)))
    }

    /// As a repetition of `what`, in a regular expression or in Lark.
    pub(crate) fn times(self, what: &str) -> String {
        match (self.min, self.max) {
            (0, None) => format!("{what}*"),
            (min, None) => format!("{what}{{{min},}}"),
            (min, Some(max)) => format!("{what}{{{min},{max}}}"),
        }
    }

    /// Of what comes after the first.
    pub(crate) fn after_first(self) -> Lengths {
        Lengths { min: self.min.saturating_sub(1), max: self.max.map(|max| max.saturating_sub(1)) }
    }
}

/// A bound as a whole number; nothing where it is none, or too large.
fn whole<N: FromStr>(bound: &Option<Number>) -> Option<Option<N>> {
    bound.as_ref().map_or(Some(None), |n| n.as_str().parse().ok().map(Some))
}
