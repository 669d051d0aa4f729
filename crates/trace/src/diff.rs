//! How two traces of a task differ.

use crate::Trace;
use crate::align::{Step, align};

/// One step of the comparison of two traces, `left` and `right`; spans are given by their numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Difference {
    /// The two spans are the same.
    Same(usize, usize),
    /// The two spans say the same, and differ in metadata alone.
    Metadata(usize, usize),
    /// The one stands where the other does, and they say different things.
    Changed(usize, usize),
    /// Only `left` has this span.
    Removed(usize),
    /// Only `right` has this span.
    Added(usize),
}

/// Two traces, span by span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diff {
    /// Every span of both, in order.
    pub steps: Vec<Difference>,
    /// The first step that differs in more than metadata: where the episodes part.
    pub divergence: Option<usize>,
}

/// Aligns two traces of the same task.
pub fn diff(left: &Trace, right: &Trace) -> Diff {
    let difference = |step| match step {
        Step::Left(i) => Difference::Removed(i),
        Step::Right(j) => Difference::Added(j),
        Step::Both(i, j) => {
            let (a, b) = (&left.spans[i], &right.spans[j]);
            match (a == b, a.kind == b.kind && a.body == b.body) {
                (true, _) => Difference::Same(i, j),
                (_, true) => Difference::Metadata(i, j),
                _ => Difference::Changed(i, j),
            }
        }
    };
    let steps: Vec<Difference> = align(&left.spans, &right.spans).into_iter().map(difference).collect();
    let same = |s: &Difference| matches!(s, Difference::Same(..) | Difference::Metadata(..));
    let divergence = steps.iter().position(|s| !same(s));
    Diff { steps, divergence }
}
