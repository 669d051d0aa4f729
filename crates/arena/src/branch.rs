//! The right branch: whether a model would notice that something failed.

use groundwork_corpus::Tokenizer;
use groundwork_trace::{Span, Trace};

use crate::{
    Policy,
    likelihood::{Line, bits, is_step},
    rank::share,
    seat::say,
};

/// How probable the expert's next step is to a model right after a fault has shown itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// The probability of what the expert does next, among the steps that compete.
    pub probability: f64,
    /// What chance gives: one over their number.
    pub chance: f64,
}

/// For each faulty trace and its clean twin: how probable the right branch is; `None` where nothing competes, or where
/// it does not fit into `context` tokens.
///
/// After the span that first shows the fault, up to three next steps (an action or the answer) compete: what the expert
/// does, what it does in the twin at this place (going on as though nothing had happened), and the action that met
/// the fault, once more. What the expert says before it acts is left out, because it would give the branch away.
///
/// `scored` hears how many lines are done.
pub fn branches<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    pairs: &[(&Trace, &Trace)],
    context: usize,
    scored: &mut dyn FnMut(usize),
) -> Vec<Option<Branch>> {
    let mut lines = Vec::new();
    let mut sizes = Vec::with_capacity(pairs.len());
    for (faulty, clean) in pairs {
        let competing = competing(faulty, clean, tokenizer);
        let fits = competing.len() > 1 && competing.iter().all(|line| line.tokens.len() <= context);
        sizes.push(if fits { competing.len() } else { 0 });
        if fits {
            lines.extend(competing);
        }
    }
    let bits = bits(policy, tokenizer.pad(), &lines.iter().collect::<Vec<_>>(), scored);
    let mut bits = bits.iter().map(|parts| parts.iter().sum::<f64>());
    sizes
        .into_iter()
        .map(|size| {
            let field: Vec<f64> = bits.by_ref().take(size).collect();
            (size > 0).then(|| Branch { probability: share(&field), chance: 1.0 / size as f64 })
        })
        .collect()
}

/// The lines that compete, the expert's first.
fn competing(faulty: &Trace, clean: &Trace, tokenizer: &Tokenizer) -> Vec<Line> {
    let Some(shown) = faulty.spans.iter().position(|s| s.fault.is_some()) else { return Vec::new() };
    let (before, after) = faulty.spans.split_at(shown + 1);
    let steps = |spans: &[Span]| spans.iter().filter(|s| is_step(s)).cloned().collect::<Vec<Span>>();
    let so_far = steps(before);
    let Some(right) = after.iter().find(|s| is_step(s)) else { return Vec::new() };
    let mut next = vec![right.clone()];
    let twin = steps(&clean.spans).get(so_far.len()).cloned();
    for other in twin.into_iter().chain(so_far.last().cloned()) {
        if next.iter().all(|s| (s.kind, &s.body) != (other.kind, &other.body)) {
            next.push(other);
        }
    }
    let mut said = Vec::new();
    before.iter().for_each(|span| say(span, tokenizer, &mut said));
    next.iter()
        .map(|span| {
            let mut tokens = said.clone();
            say(span, tokenizer, &mut tokens);
            Line { parts: std::iter::once(said.len()..tokens.len()).collect(), tokens }
        })
        .collect()
}
