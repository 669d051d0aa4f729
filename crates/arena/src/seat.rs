//! One row of a batch: an agent in an episode, token by token.

use std::collections::VecDeque;

use groundwork_corpus::Tokenizer;
use groundwork_grammar::Action;
use groundwork_trace::{Span, SpanKind, Tool};
use groundwork_worlds::Task;
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use crate::{
    ArenaError, Ended, Rollout, SuiteSpec, constrain::Grammars, playing::Playing, sampler::choose,
    statistics::seed_of,
};

/// A place at the table. It takes one token at a time: from its queue while the world or the user has the word,
/// from the model otherwise.
pub(crate) struct Seat {
    playing: Playing,
    rng: Pcg64,
    /// Tokens that are said to the agent, not by it.
    queue: VecDeque<u32>,
    /// Tokens taken so far.
    taken: u32,
    /// Tokens that the agent said.
    said: u32,
    /// The span that the agent is in the middle of.
    open: Option<Open>,
}

struct Open {
    kind: SpanKind,
    body: Vec<u8>,
    tokens: u32,
    /// The action so far, where it is held to a grammar.
    action: Option<Action>,
}

impl Seat {
    /// A seat with the prompt in its queue.
    pub(crate) fn new(
        task: &Task,
        sample: u32,
        tokenizer: &Tokenizer,
        suite: &SuiteSpec,
    ) -> Result<Seat, ArenaError> {
        let playing = Playing::new(task, sample, suite.declare)?;
        let mut queue = Vec::new();
        playing.spans().iter().for_each(|span| say(span, tokenizer, &mut queue));
        // A task and its twin share their noise: where the fault has not been met yet, they are the same attempt.
        let numbers = [suite.seed, task.seed, task.level.into(), sample.into()];
        let rng = Pcg64::seed_from_u64(seed_of(&["sampler", &task.world], &numbers));
        Ok(Seat { playing, rng, queue: queue.into(), taken: 0, said: 0, open: None })
    }

    /// The next token that this row consumes, or how the attempt ended.
    ///
    /// `logits`: `[vocabulary]`, what the model expects after the last token; empty before the first.
    pub(crate) fn next(
        &mut self,
        logits: &[f32],
        tokenizer: &Tokenizer,
        suite: &SuiteSpec,
        grammars: &mut Grammars,
    ) -> Result<u32, Ended> {
        if self.queue.is_empty() {
            self.speak(logits, tokenizer, suite, grammars)?;
        }
        // What does not fit is not begun: the agent would never get the word again.
        if self.taken as usize + self.queue.len() > suite.max_tokens as usize {
            return Err(if self.said == 0 { Ended::Prompt } else { Ended::Context });
        }
        self.taken += 1;
        self.queue.pop_front().ok_or(Ended::GaveUp)
    }

    /// The tools that it can call now.
    pub(crate) fn tools(&self) -> &[Tool] {
        self.playing.episode().tools()
    }

    /// The tokens that are said to the agent before the model is asked again.
    pub(crate) fn given(&self) -> &VecDeque<u32> {
        &self.queue
    }

    /// Takes the next of those, at most `n`.
    pub(crate) fn take(&mut self, n: usize) -> Vec<u32> {
        let n = n.min(self.queue.len());
        self.taken += n as u32;
        self.queue.drain(..n).collect()
    }

    /// Takes a token from the model and queues what the row consumes in its place: itself, or the world's reply.
    fn speak(
        &mut self,
        logits: &[f32],
        tokenizer: &Tokenizer,
        suite: &SuiteSpec,
        grammars: &mut Grammars,
    ) -> Result<(), Ended> {
        // Spans have no end token, so the agent cannot see that it has the word. Its turn is marked by what it
        // may say: first a marker of its own, or that it is done.
        let begins = self.open.is_none();
        let mask = self.open.as_ref().and_then(|o| o.action.as_ref()).map(Action::allowed);
        // An action that is complete may be followed by any marker, one that is not by none.
        let fits = |id| {
            let id = if tokenizer.is_special(id) { tokenizer.end() } else { id };
            mask.as_ref().is_none_or(|m| m.has(id))
        };
        let allowed = |id: u32| {
            let own = || id == tokenizer.end() || tokenizer.marker_kind(id).is_some_and(SpanKind::is_agents);
            (id as usize) < tokenizer.vocabulary() && (!begins || own()) && fits(id)
        };
        let token = choose(logits, allowed, suite.temperature, &mut self.rng).ok_or(Ended::GaveUp)?;
        self.said += 1;
        if let Some(open) = self.open.as_mut().filter(|_| !tokenizer.is_special(token)) {
            open.tokens += 1;
            if open.tokens > suite.max_span {
                return Err(Ended::Context);
            }
            open.body.extend_from_slice(tokenizer.token_bytes(token));
            if let Some(action) = &mut open.action {
                action.push(token).map_err(|_| Ended::GaveUp)?;
            }
            self.queue.push_back(token);
            return Ok(());
        }
        if self.close() == Some(SpanKind::Answer) {
            return Err(Ended::Answer);
        }
        match tokenizer.marker_kind(token) {
            Some(SpanKind::Observation | SpanKind::Error) => {
                let mut tokens = Vec::new();
                self.playing.results().iter().for_each(|span| say(span, tokenizer, &mut tokens));
                self.queue.extend(tokens);
            }
            Some(SpanKind::Action) if self.playing.steps() >= suite.max_steps => return Err(Ended::Steps),
            Some(kind) if kind.is_agents() => {
                // The tools as they are now: a world may rename them, which leaves their types as they were.
                let acts = kind == SpanKind::Action;
                let action = acts.then(|| grammars.action(self.tools()).ok().flatten()).flatten();
                self.open = Some(Open { kind, body: Vec::new(), tokens: 0, action });
                self.queue.push_back(token);
            }
            _ => return Err(Ended::GaveUp),
        }
        Ok(())
    }

    /// Ends the span that the agent is in. An action is carried out; its result waits. Bytes that are no UTF-8 are
    /// replaced, so that the transcript says what the world was told.
    fn close(&mut self) -> Option<SpanKind> {
        let Open { kind, body, .. } = self.open.take()?;
        self.playing.say(kind, String::from_utf8_lossy(&body).into_owned());
        Some(kind)
    }

    /// The attempt as it stands, with this end to it.
    pub(crate) fn finish(mut self, ended: Ended) -> Rollout {
        if let Some(open) = self.open.take() {
            self.playing.cut(open.kind, String::from_utf8_lossy(&open.body).into_owned());
        }
        self.playing.finish(ended, self.taken, self.said)
    }
}

/// Appends a span's tokens: its marker, then its body as ordinary text.
pub(crate) fn say(span: &Span, tokenizer: &Tokenizer, tokens: &mut Vec<u32>) {
    tokens.push(tokenizer.marker(span.kind));
    tokenizer.encode(&span.body, tokens);
}
