//! A trace as a graph: spans that follow another one than the one before them.

use std::collections::HashMap;

use crate::{Span, Trace, Value};

/// One way through a trace, from a beginning to an end.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// The spans on the way, without their `after`.
    pub trace: Trace,
    /// How many of the first spans an earlier branch has too.
    pub shared: usize,
    /// For each span, its number in the whole trace.
    pub numbers: Vec<usize>,
}

impl Trace {
    /// Whether a span follows another one than the one before it.
    pub fn is_branched(&self) -> bool {
        self.spans.iter().any(|s| s.meta("after").is_some())
    }

    /// Every way through the trace, in the order of their ends.
    ///
    /// A span follows the one before it, or the one whose `id` its `after` names; `after=null` begins anew, which is
    /// how a compacted context is written. Text that several branches share is trained on once if the first `shared`
    /// spans of each are given the weight 0.
    pub fn branches(&self) -> impl Iterator<Item = Branch> + '_ {
        self.ways().map(|way| {
            let spans = way.numbers.iter().map(|&i| {
                let mut span: Span = self.spans[i].clone();
                span.meta.retain(|(name, _)| name != "after");
                span
            });
            Branch { trace: Trace::new(spans.collect()), shared: way.shared, numbers: way.numbers }
        })
    }

    /// As [`Trace::branches`], without their spans.
    pub(crate) fn ways(&self) -> impl Iterator<Item = Way> + use<> {
        let mut ids: HashMap<&str, usize> = HashMap::new();
        let mut parents: Vec<Option<usize>> = Vec::with_capacity(self.spans.len());
        for (i, span) in self.spans.iter().enumerate() {
            parents.push(match span.meta("after") {
                Some(Value::Null) => None,
                Some(Value::Str(id)) if let Some(&parent) = ids.get(id.as_str()) => Some(parent),
                _ => i.checked_sub(1),
            });
            if let Some(Value::Str(id)) = span.meta("id") {
                ids.insert(id, i);
            }
        }
        let mut is_parent = vec![false; self.spans.len()];
        parents.iter().flatten().for_each(|&p| is_parent[p] = true);
        let mut seen = vec![false; self.spans.len()];
        let ends = (0..self.spans.len()).filter(move |&i| !is_parent[i]);
        ends.map(move |end| {
            let mut numbers: Vec<usize> = std::iter::successors(Some(end), |&i| parents[i]).collect();
            numbers.reverse();
            let shared = numbers.iter().take_while(|&&i| seen[i]).count();
            numbers.iter().for_each(|&i| seen[i] = true);
            Way { numbers, shared }
        })
    }
}

/// One way through a trace: the numbers of its spans, of which an earlier way has the first `shared` too.
pub(crate) struct Way {
    pub(crate) numbers: Vec<usize>,
    pub(crate) shared: usize,
}

/// A part of a trace as it is shown: what a branch has beyond those before it. Every span is in one part.
pub(crate) struct Part {
    /// The numbers of its spans.
    pub(crate) numbers: Vec<usize>,
    /// Where it leaves an earlier part: the number of the span that it follows, and of its part.
    pub(crate) leaves: Option<(usize, usize)>,
    /// How many branches it is away from one that begins anew.
    pub(crate) depth: usize,
}

/// The parts of a trace, in the order of its branches.
pub(crate) fn parts(trace: &Trace) -> Vec<Part> {
    let mut part_of = vec![0; trace.spans.len()];
    let mut parts: Vec<Part> = Vec::new();
    for mut way in trace.ways() {
        let numbers = way.numbers.split_off(way.shared);
        numbers.iter().for_each(|&i| part_of[i] = parts.len());
        let leaves = way.numbers.last().map(|&i| (i, part_of[i]));
        let depth = leaves.map_or(0, |(_, part)| parts[part].depth + 1);
        parts.push(Part { numbers, leaves, depth });
    }
    parts
}

/// The trace of which these are the branches. What two have in common at their beginning stands there once.
pub(crate) fn joined(branches: Vec<Trace>) -> Trace {
    let mut spans: Vec<Span> = Vec::new();
    // The spans that follow each one, and those that follow none.
    let mut followers: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for branch in branches {
        let mut at: Option<usize> = None;
        for mut span in branch.spans {
            let following = followers.entry(at).or_default();
            let number = spans.len();
            // What an earlier branch was given to be named by is no difference.
            let same = |i: &usize| {
                let known: &Span = &spans[*i];
                let plain =
                    |s: &Span| s.meta.iter().filter(|(n, _)| n != "id" && n != "after").cloned().collect();
                let (a, b): (Vec<_>, Vec<_>) = (plain(known), plain(&span));
                (known.kind, &known.body, known.failed) == (span.kind, &span.body, span.failed) && a == b
            };
            if let Some(&known) = following.iter().find(|i| same(i)) {
                at = Some(known);
                continue;
            }
            following.push(number);
            if at != number.checked_sub(1) {
                let after = match at {
                    None => Value::Null,
                    Some(parent) => {
                        let id = Value::Str(format!("n{parent}"));
                        if spans[parent].meta("id").is_none() {
                            spans[parent].meta.push(("id".to_owned(), id.clone()));
                        }
                        spans[parent].meta("id").cloned().unwrap_or(id)
                    }
                };
                span.meta.push(("after".to_owned(), after));
            }
            spans.push(span);
            at = Some(number);
        }
    }
    Trace::new(spans)
}
