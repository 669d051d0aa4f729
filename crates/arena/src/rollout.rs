//! Batched rollouts: many attempts at tasks side by side.

use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};

use groundwork_corpus::Tokenizer;
use groundwork_trace::Trace;
use groundwork_worlds::Task;
use serde::{Deserialize, Serialize};

use crate::{ArenaError, InvalidActions, Policy, Progress, SuiteSpec, constrain::Grammars, seat::Seat};

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Ended {
    /// The agent gave an answer.
    #[serde(rename = "answer")]
    Answer,
    /// It had taken all the actions that it may take and wanted another.
    #[serde(rename = "steps")]
    Steps,
    /// It ran out of tokens: of the context, or of what one span may take.
    #[serde(rename = "context")]
    Context,
    /// It ended the episode without an answer, or spoke in a place that is not an agent's.
    #[serde(rename = "gave up")]
    GaveUp,
    /// An endpoint refused to go on with it, for what was said in it.
    #[serde(rename = "refused")]
    Refused,
}

impl Ended {
    /// Every way to end.
    pub const ALL: [Ended; 5] = [Ended::Answer, Ended::Steps, Ended::Context, Ended::GaveUp, Ended::Refused];

    /// Its name, as it stands in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ended::Answer => "answer",
            Ended::Steps => "steps",
            Ended::Context => "context",
            Ended::GaveUp => "gave up",
            Ended::Refused => "refused",
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One attempt at a task, from prompt to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Rollout {
    /// The task.
    pub task: Task,
    /// Which of several attempts at the task this is, from 0.
    pub sample: u32,
    /// Everything that was said.
    pub trace: Trace,
    /// How it ended.
    pub ended: Ended,
    /// Whether an answer was given and the world's verifier accepts it and the state.
    pub success: bool,
    /// Changes to the world that the task did not ask for.
    pub collateral: u32,
    /// Attempts to act, malformed ones included.
    pub steps: u32,
    /// Attempts to act that were no valid calls.
    pub invalid: InvalidActions,
    /// Whether the agent met the injected fault.
    pub fault_met: bool,
    /// Tokens in the context, prompt included.
    pub tokens: u32,
    /// Tokens that the agent said.
    pub said: u32,
}

/// Plays attempts at tasks with a model, `suite.samples` at each, in batches of `suite.batch`.
///
/// In every step each row of a batch takes the same number of tokens, one unless all are given, so that the cache is rectangular and nothing is
/// padded; rows that have ended are dropped. Results are in the order of `tasks`, the samples of one task
/// together, and do not depend on how the tasks fall into batches.
///
/// The agent's turn begins with a marker of its own (the choice is limited to those and `<|end|>`). An action is
/// carried out when the next marker ends it; by saying `<|observation|>` or `<|error|>` the agent asks for the
/// results, and the world's reply takes that marker's place. An attempt ends when anything follows an answer. Where the
/// suite is `constrained`, an action goes on only with what can become a valid call, and ends only as one.
///
/// # Errors
/// A task that its world refuses, or a vocabulary that the model does not know.
pub fn play<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    suite: &SuiteSpec,
    tasks: &[Task],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<Rollout>, ArenaError> {
    let attempts: Vec<(&Task, u32)> =
        tasks.iter().flat_map(|task| (0..suite.samples).map(move |sample| (task, sample))).collect();
    let never = AtomicBool::new(false);
    Ok(play_attempts(policy, tokenizer, suite, &attempts, &never, progress)?.unwrap_or_default())
}

/// As [`play`], for these attempts; `None` where `stop` was set before all of them had ended.
pub(crate) fn play_attempts<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    suite: &SuiteSpec,
    attempts: &[(&Task, u32)],
    stop: &AtomicBool,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Vec<Rollout>>, ArenaError> {
    if policy.vocabulary() < tokenizer.vocabulary() {
        return Err(ArenaError::Vocabulary { model: policy.vocabulary(), tokenizer: tokenizer.vocabulary() });
    }
    let mut grammars = Grammars::new(suite, tokenizer)?;
    let mut rollouts = Vec::with_capacity(attempts.len());
    for batch in attempts.chunks(suite.batch.max(1) as usize) {
        let seats = batch
            .iter()
            .map(|&(task, sample)| Seat::new(task, sample, tokenizer, suite))
            .collect::<Result<Vec<_>, _>>()?;
        // Here it can still be said that tools have no grammar.
        for seat in &seats {
            grammars.action(seat.tools())?;
        }
        let before = rollouts.len();
        let played = play_batch(policy, tokenizer, suite, &mut grammars, seats, stop, &mut |done| {
            progress(Progress { done: before + done, of: attempts.len() });
        });
        let Some(played) = played else { return Ok(None) };
        rollouts.extend(played);
    }
    Ok(Some(rollouts))
}

/// Plays one batch to its end, or until `stop` is set. `ended` hears how many rows have ended whenever one does.
fn play_batch<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    suite: &SuiteSpec,
    grammars: &mut Grammars,
    seats: Vec<Seat>,
    stop: &AtomicBool,
    ended: &mut dyn FnMut(usize),
) -> Option<Vec<Rollout>> {
    let size = seats.len();
    let vocabulary = policy.vocabulary();
    let mut state = policy.start(size);
    let mut rollouts: Vec<(usize, Rollout)> = Vec::with_capacity(size);
    let mut seats: Vec<(usize, Seat)> = seats.into_iter().enumerate().collect();
    let mut logits: Vec<f32> = Vec::new();
    loop {
        if stop.load(Ordering::Relaxed) {
            return None;
        }
        let playing = seats.len();
        let mut tokens = Vec::with_capacity(playing);
        let mut rows = Vec::with_capacity(playing);
        let mut still = Vec::with_capacity(playing);
        for (row, (place, mut seat)) in seats.into_iter().enumerate() {
            let expected = logits.get(row * vocabulary..(row + 1) * vocabulary).unwrap_or_default();
            match seat.next(expected, tokenizer, suite, grammars) {
                Ok(token) => {
                    tokens.push(token);
                    rows.push(row);
                    still.push((place, seat));
                }
                Err(how) => rollouts.push((place, seat.finish(how))),
            }
        }
        seats = still;
        if seats.len() < playing {
            ended(rollouts.len());
            if seats.is_empty() {
                break;
            }
            policy.keep(&mut state, &rows);
        }
        // While the world has the word everywhere, as in the prompts, what it says is taken at once.
        let more = seats.iter().map(|(_, seat)| seat.given()).min().unwrap_or(0);
        if more > 0 {
            let rows = tokens.into_iter().zip(&mut seats);
            tokens = rows.flat_map(|(first, (_, seat))| iter::once(first).chain(seat.take(more))).collect();
        }
        logits = policy.step(&tokens, &mut state);
    }
    rollouts.sort_by_key(|(place, _)| *place);
    Some(rollouts.into_iter().map(|(_, rollout)| rollout).collect())
}
