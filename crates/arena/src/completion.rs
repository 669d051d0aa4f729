//! Completion: a model goes on with a text or a trace, without a world that answers.

use groundwork_corpus::{Tokenizer, encode_trace};
use groundwork_grammar::{Action, ActionGrammar};
use groundwork_trace::{Span, SpanKind, Trace};
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use crate::{ArenaError, Policy, sampler::choose};

/// A prompt and what a model made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Completion {
    /// Prompt and continuation.
    pub trace: Trace,
    /// The continuation's tokens.
    pub tokens: Vec<u32>,
    /// Whether it ended because the context was full.
    pub full: bool,
}

/// Continues `prompt` by up to `limit` tokens, or until the model ends the document, or until prompt and continuation
/// together have `context` tokens.
///
/// The last span of the prompt is left open, so that the model may go on inside it. Every marker that the
/// model says opens a span, also those of tools: what a world would answer is dreamt up here. Temperature 0
/// takes the likeliest token; otherwise tokens are drawn with `seed`. With a `grammar` every action that is begun here,
/// and one that the prompt leaves open, goes on only with what can become a valid call, and ends only as one.
///
/// # Errors
/// A vocabulary that the model does not know, a prompt that fills the context, an open action that no valid call begins
/// with.
#[expect(
    clippy::too_many_arguments,
    reason = "each is a plain setting, named at the one place that calls this"
)]
pub fn complete<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    prompt: &Trace,
    limit: usize,
    context: usize,
    temperature: f32,
    seed: u64,
    grammar: Option<&ActionGrammar>,
) -> Result<Completion, ArenaError> {
    if policy.vocabulary() < tokenizer.vocabulary() {
        return Err(ArenaError::Vocabulary { model: policy.vocabulary(), tokenizer: tokenizer.vocabulary() });
    }
    let mut given = encode_trace(tokenizer, prompt).tokens;
    given.pop_if(|t| *t == tokenizer.end());
    if given.len() >= context {
        return Err(ArenaError::Context { prompt: given.len(), context });
    }
    let room = context - given.len();
    let mut state = policy.start(1);
    let mut logits = if given.is_empty() { Vec::new() } else { policy.step(&[(0, &given)], &mut state) };
    let mut rng = Pcg64::seed_from_u64(seed);
    let sayable = |id: u32| {
        let plain = !tokenizer.is_special(id) || tokenizer.marker_kind(id).is_some() || id == tokenizer.end();
        plain && (id as usize) < tokenizer.vocabulary()
    };
    let mut action = begun(prompt, tokenizer, grammar)?;
    let mut tokens = Vec::new();
    let mut ended = false;
    while tokens.len() < limit.min(room) {
        let mask = action.as_ref().map(Action::allowed);
        let fits = |id| {
            let id = if tokenizer.is_special(id) { tokenizer.end() } else { id };
            mask.as_ref().is_none_or(|m| m.has(id))
        };
        let allowed = |id| sayable(id) && fits(id);
        let Some(token) = choose(&logits, allowed, temperature, &mut rng) else { break };
        if token == tokenizer.end() {
            ended = true;
            break;
        }
        if tokenizer.is_special(token) {
            let acts = tokenizer.marker_kind(token) == Some(SpanKind::Action);
            action = grammar.filter(|_| acts).map(ActionGrammar::action);
        } else if let Some(action) = &mut action {
            action.push(token)?;
        }
        tokens.push(token);
        logits = policy.step(&[(0, &[token])], &mut state);
    }
    let full = !ended && tokens.len() == room && room < limit;
    Ok(Completion { trace: extended(prompt, &tokens, tokenizer), tokens, full })
}

/// The action that the prompt leaves open, if it is held to a grammar.
fn begun(
    prompt: &Trace,
    tokenizer: &Tokenizer,
    grammar: Option<&ActionGrammar>,
) -> Result<Option<Action>, ArenaError> {
    let last = prompt.spans.last().filter(|s| s.kind == SpanKind::Action);
    let (Some(span), Some(grammar)) = (last, grammar) else { return Ok(None) };
    let mut action = grammar.action();
    let mut tokens = Vec::new();
    tokenizer.encode(&span.body, &mut tokens);
    for token in tokens {
        action.push(token)?;
    }
    Ok(Some(action))
}

/// The prompt with `tokens` behind it, cut into spans at their markers.
fn extended(prompt: &Trace, tokens: &[u32], tokenizer: &Tokenizer) -> Trace {
    let mut trace = prompt.clone();
    let mut pending: Vec<u32> = Vec::new();
    let flush = |trace: &mut Trace, pending: &mut Vec<u32>| {
        if let (Some(span), false) = (trace.spans.last_mut(), pending.is_empty()) {
            span.body += &String::from_utf8_lossy(&tokenizer.decode(pending));
            pending.clear();
        }
    };
    for &token in tokens {
        match tokenizer.marker_kind(token) {
            Some(kind) => {
                flush(&mut trace, &mut pending);
                trace.spans.push(Span::new(kind, ""));
            }
            None => pending.push(token),
        }
    }
    flush(&mut trace, &mut pending);
    trace
}
