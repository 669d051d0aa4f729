//! Which spans of two traces stand for each other.

use crate::Span;

/// One step of an alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// These two stand for each other.
    Both(usize, usize),
    /// Only the left trace has this span.
    Left(usize),
    /// Only the right one.
    Right(usize),
}

/// The most pairs that are compared: beyond it, spans stand for each other by their order alone.
const MOST_PAIRS: usize = 4_000_000;

/// How much it costs to put two spans beside each other, where leaving both alone costs 6.
fn cost(a: &Span, b: &Span) -> u32 {
    match (a.kind == b.kind, a.body == b.body) {
        (true, true) => 0,
        (true, false) => 2,
        (false, true) => 3,
        (false, false) => 5,
    }
}

const ALONE: u32 = 3;

/// The cheapest alignment of two lists of spans.
pub(crate) fn align(left: &[Span], right: &[Span]) -> Vec<Step> {
    let same = |(a, b): &(&Span, &Span)| cost(a, b) == 0;
    let head = left.iter().zip(right).take_while(same).count();
    let (l, r) = (&left[head..], &right[head..]);
    let tail = l.iter().rev().zip(r.iter().rev()).take_while(same).count();
    let (l, r) = (&l[..l.len() - tail], &r[..r.len() - tail]);
    let mut steps: Vec<Step> = (0..head).map(|i| Step::Both(i, i)).collect();
    if l.len() == r.len() && l.iter().zip(r).all(|(a, b)| a.kind == b.kind) {
        steps.extend((head..head + l.len()).map(|i| Step::Both(i, i)));
    } else if l.len().saturating_mul(r.len()) > MOST_PAIRS {
        let both = l.len().min(r.len());
        steps.extend((head..head + both).map(|i| Step::Both(i, i)));
        steps.extend((head + both..head + l.len()).map(Step::Left));
        steps.extend((head + both..head + r.len()).map(Step::Right));
    } else {
        cheapest(l, r, head, &mut steps);
    }
    let (from_left, from_right) = (left.len() - tail, right.len() - tail);
    steps.extend((0..tail).map(|i| Step::Both(from_left + i, from_right + i)));
    steps
}

/// Edit distance, from the ends to the front, so that the path is read off in order.
fn cheapest(l: &[Span], r: &[Span], head: usize, steps: &mut Vec<Step>) {
    let width = r.len() + 1;
    let mut costs = vec![0u32; (l.len() + 1) * width];
    for i in (0..=l.len()).rev() {
        for j in (0..=r.len()).rev() {
            let at = i * width + j;
            costs[at] = match (l.get(i), r.get(j)) {
                (None, None) => 0,
                (Some(_), None) => costs[at + width] + ALONE,
                (None, Some(_)) => costs[at + 1] + ALONE,
                (Some(a), Some(b)) => (costs[at + width + 1] + cost(a, b))
                    .min(costs[at + width] + ALONE)
                    .min(costs[at + 1] + ALONE),
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    while i < l.len() || j < r.len() {
        let at = i * width + j;
        let pair = match (l.get(i), r.get(j)) {
            (Some(a), Some(b)) => Some(costs[at + width + 1] + cost(a, b)),
            _ => None,
        };
        if pair == Some(costs[at]) {
            steps.push(Step::Both(head + i, head + j));
            (i, j) = (i + 1, j + 1);
        } else if i < l.len() && costs[at] == costs[at + width] + ALONE {
            steps.push(Step::Left(head + i));
            i += 1;
        } else {
            steps.push(Step::Right(head + j));
            j += 1;
        }
    }
}
