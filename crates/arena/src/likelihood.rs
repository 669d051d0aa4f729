//! Teacher forcing: how likely a model finds what the expert does.

use std::ops::Range;

use groundwork_corpus::Tokenizer;
use groundwork_trace::{Span, SpanKind, Trace};

use crate::{Policy, policy::surprisal, seat::say};

/// Bits that a model needs for an expert's spans, given everything said before them.
///
/// A span's bits are those of its marker and its body, both of which the agent must come up with; its bytes are
/// the body's and one for the marker. The text and the bytes are the same for every model, whatever its
/// tokenizer, so that bits per byte can be compared between models.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Likelihood {
    /// Bits of the actions.
    pub action_bits: f64,
    /// Bytes of the actions.
    pub action_bytes: u64,
    /// Bits of the answer.
    pub answer_bits: f64,
    /// Bytes of the answer.
    pub answer_bytes: u64,
    /// Bits of the actions and the answer that come after the first span that shows an injected fault.
    pub recovery_bits: f64,
    /// Bytes of those actions and that answer.
    pub recovery_bytes: u64,
    /// Bits and bytes of every action and answer, in order.
    pub steps: Vec<(f64, u64)>,
    /// How many of those come before the first span that shows the fault.
    pub until_fault: Option<usize>,
}

impl Likelihood {
    /// Bits and bytes of what the clean `twin` of this task has from the place on where the fault shows here: what there
    /// would have been to do without it, at least the last step.
    pub(crate) fn twin_from_the_same_place(&self, twin: &Likelihood) -> (f64, u64) {
        let Some(until) = self.until_fault else { return (0.0, 0) };
        let from = until.min(twin.steps.len().saturating_sub(1));
        twin.steps[from..].iter().fold((0.0, 0), |sum, step| (sum.0 + step.0, sum.1 + step.1))
    }
}

/// The likelihood of expert traces, in their order; `None` for one of more than `context` tokens, which would be
/// judged in places that the model was never trained on.
///
/// `scored` hears how many traces are done.
pub fn likelihoods<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    traces: &[Trace],
    context: usize,
    scored: &mut dyn FnMut(usize),
) -> Vec<Option<Likelihood>> {
    let lines: Vec<Line> = traces.iter().map(|trace| Line::of(trace, tokenizer)).collect();
    let fitting: Vec<usize> = (0..lines.len()).filter(|&i| lines[i].tokens.len() <= context).collect();
    let forced: Vec<&Line> = fitting.iter().map(|&i| &lines[i]).collect();
    let bits = bits(policy, tokenizer.pad(), &forced, scored);
    let mut likelihoods = vec![None; lines.len()];
    for (&i, bits) in fitting.iter().zip(bits) {
        likelihoods[i] = Some(tally(&traces[i], &bits));
    }
    likelihoods
}

/// Adds up a trace. `bits`: those of each of its agent's actions and answers, in order.
fn tally(trace: &Trace, bits: &[f64]) -> Likelihood {
    let mut sums = Likelihood::default();
    let mut bits = bits.iter();
    let mut after_fault = false;
    for span in &trace.spans {
        if is_step(span) {
            let (Some(&bits), bytes) = (bits.next(), span.body.len() as u64 + 1) else { break };
            sums.steps.push((bits, bytes));
            if span.kind == SpanKind::Action {
                sums.action_bits += bits;
                sums.action_bytes += bytes;
            } else {
                sums.answer_bits += bits;
                sums.answer_bytes += bytes;
            }
            if after_fault {
                sums.recovery_bits += bits;
                sums.recovery_bytes += bytes;
            }
        }
        if span.fault.is_some() && !after_fault {
            after_fault = true;
            sums.until_fault = Some(sums.steps.len());
        }
    }
    sums
}

/// Whether the agent acts or answers here. What a prompt tells of was done before; it has no weight.
pub(crate) fn is_step(span: &Span) -> bool {
    matches!(span.kind, SpanKind::Action | SpanKind::Answer) && span.weight != Some(0.0)
}

/// Logits of one forward pass, at most: 64 MiB.
const LOGITS: usize = 1 << 24;

/// A sequence of tokens and the parts of it that are scored. No part begins at 0, where nothing is expected yet.
pub(crate) struct Line {
    pub(crate) tokens: Vec<u32>,
    pub(crate) parts: Vec<Range<usize>>,
}

impl Line {
    /// A trace whose actions and answers are the parts.
    fn of(trace: &Trace, tokenizer: &Tokenizer) -> Line {
        let mut line = Line { tokens: Vec::new(), parts: Vec::new() };
        for span in &trace.spans {
            let from = line.tokens.len();
            say(span, tokenizer, &mut line.tokens);
            if is_step(span) {
                line.parts.push(from..line.tokens.len());
            }
        }
        line
    }
}

/// The bits of each part of each line.
///
/// Lines of similar length are forced together, padded on the right with tokens of document 0, in pieces whose
/// logits stay below 64 MiB. `scored` hears how many lines are done.
pub(crate) fn bits<P: Policy>(
    policy: &P,
    pad: u32,
    lines: &[&Line],
    scored: &mut dyn FnMut(usize),
) -> Vec<Vec<f64>> {
    let vocabulary = policy.vocabulary();
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lines[i].tokens.len()));
    let mut bits = vec![Vec::new(); lines.len()];
    let mut done = 0;
    while let Some(&longest) = order.get(done) {
        let sequence = lines[longest].tokens.len().max(1);
        let rows = (LOGITS / (sequence * vocabulary)).clamp(1, order.len() - done);
        let mut tokens = vec![pad; rows * sequence];
        let mut documents = vec![0; rows * sequence];
        let piece = &order[done..done + rows];
        for (row, &i) in piece.iter().enumerate() {
            let held = row * sequence..row * sequence + lines[i].tokens.len();
            tokens[held.clone()].copy_from_slice(&lines[i].tokens);
            documents[held].fill(1);
        }
        let logits = policy.logits(&tokens, &documents, rows);
        for (row, &i) in piece.iter().enumerate() {
            let at = |position: usize| {
                let before = (row * sequence + position - 1) * vocabulary;
                surprisal(&logits[before..before + vocabulary], lines[i].tokens[position])
            };
            bits[i] = lines[i].parts.iter().map(|part| part.clone().map(at).sum()).collect();
        }
        done += rows;
        scored(done);
    }
    bits
}
