//! Batched rollouts: many attempts at tasks side by side.

use std::sync::atomic::{AtomicBool, Ordering};

use groundwork_corpus::Tokenizer;
use groundwork_trace::Trace;
use groundwork_worlds::Task;
use serde::{Deserialize, Serialize};

use crate::{
    ArenaError, InvalidActions, Policy, Progress, SuiteSpec, constrain::Grammars, policy::GIVEN, seat::Seat,
};

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
    /// Its prompt alone would take more tokens than it may: it was not begun.
    #[serde(rename = "prompt")]
    Prompt,
    /// An endpoint's reply was longer than is read.
    #[serde(rename = "too long")]
    TooLong,
    /// It ended the episode without an answer, or spoke in a place that is not an agent's.
    #[serde(rename = "gave up")]
    GaveUp,
    /// An endpoint refused to go on with it, for what was said in it.
    #[serde(rename = "refused")]
    Refused,
}

impl Ended {
    /// Every way to end.
    pub const ALL: [Ended; 7] = [
        Ended::Answer,
        Ended::Steps,
        Ended::Context,
        Ended::Prompt,
        Ended::TooLong,
        Ended::GaveUp,
        Ended::Refused,
    ];

    /// Its name, as it stands in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Ended::Answer => "answer",
            Ended::Steps => "steps",
            Ended::Context => "context",
            Ended::Prompt => "prompt",
            Ended::TooLong => "too long",
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

/// Plays attempts at tasks with a model, `suite.samples` at each, `suite.batch` of them side by side.
///
/// In a step every row takes a token that it said, or what was said to it, as many tokens as that has. A row whose attempt has
/// ended goes to the next attempt at once, and keeps what it knows of a prompt that begins like its last one. Results are
/// in the order of `tasks`, the samples of one task together, and do not depend on the size of the batch.
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
    let mut rollouts = Vec::with_capacity(attempts.len());
    play_attempts(policy, tokenizer, suite, &attempts, &never, &mut |place, rollout| {
        rollouts.push((place, rollout));
        progress(Progress { done: rollouts.len(), of: attempts.len() });
        Ok(())
    })?;
    rollouts.sort_by_key(|(place, _)| *place);
    Ok(rollouts.into_iter().map(|(_, rollout)| rollout).collect())
}

/// A row of the policy's state.
#[derive(Default)]
struct Row {
    /// The attempt that it plays, by its place, until that has ended.
    seat: Option<(usize, Seat)>,
    /// The tokens that the state knows of it.
    known: Vec<u32>,
    /// Where its logits stand among those of the last step.
    logits: Option<usize>,
}

/// As [`play`], for these attempts; `ended` is told of each, with its place, when it has ended. `false`: `stop` was set before
/// all of them had.
pub(crate) fn play_attempts<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    suite: &SuiteSpec,
    attempts: &[(&Task, u32)],
    stop: &AtomicBool,
    ended: &mut dyn FnMut(usize, Rollout) -> Result<(), ArenaError>,
) -> Result<bool, ArenaError> {
    let vocabulary = policy.vocabulary();
    if vocabulary < tokenizer.vocabulary() {
        return Err(ArenaError::Vocabulary { model: vocabulary, tokenizer: tokenizer.vocabulary() });
    }
    let mut grammars = Grammars::new(suite, tokenizer)?;
    let size = (suite.batch.max(1) as usize).min(attempts.len());
    let mut state = policy.start(size);
    let mut rows: Vec<Row> = (0..size).map(|_| Row::default()).collect();
    let mut waiting = attempts.iter().enumerate();
    let mut logits: Vec<f32> = Vec::new();
    loop {
        if stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let free = rows.iter().filter(|row| row.seat.is_none()).count();
        for (place, &(task, sample)) in waiting.by_ref().take(free) {
            let seat = Seat::new(task, sample, tokenizer, suite)?;
            // Here it can still be said that tools have no grammar.
            grammars.action(seat.tools())?;
            sit_down(policy, &mut state, &mut rows, place, seat);
        }
        if rows.iter().all(|row| row.seat.is_none()) {
            return Ok(true);
        }
        let mut advances: Vec<(usize, usize)> = Vec::with_capacity(size);
        for (index, row) in rows.iter_mut().enumerate() {
            let Some((place, mut seat)) = row.seat.take() else { continue };
            let expected = row.logits.take().map_or(&[][..], |at| &logits[at * vocabulary..][..vocabulary]);
            match seat.next(expected, tokenizer, suite, &mut grammars) {
                Ok(token) => {
                    let before = row.known.len();
                    row.known.push(token);
                    row.known.extend(seat.take(GIVEN - 1));
                    row.logits = Some(advances.len());
                    advances.push((index, before));
                    row.seat = Some((place, seat));
                }
                Err(how) => ended(place, seat.finish(how))?,
            }
        }
        if !advances.is_empty() {
            let advances: Vec<(usize, &[u32])> =
                advances.into_iter().map(|(row, before)| (row, &rows[row].known[before..])).collect();
            logits = policy.step(&advances, &mut state);
        }
    }
}

/// Gives the attempt a free row, the one that knows most of how it begins.
fn sit_down<P: Policy>(policy: &P, state: &mut P::State, rows: &mut [Row], place: usize, mut seat: Seat) {
    let shared =
        |row: &Row| row.known.iter().zip(seat.given()).take_while(|(known, given)| known == given).count();
    // The first of those that know equally much.
    let free = rows.iter().enumerate().rev().filter(|(_, row)| row.seat.is_none());
    let Some((index, shared)) = free.map(|(index, row)| (index, shared(row))).max_by_key(|&(_, n)| n) else {
        return;
    };
    // The last token given is taken in any case: its logits are wanted.
    let known = policy.rewind(state, index, shared.min(seat.given().len().saturating_sub(1)));
    seat.take(known);
    rows[index].known.truncate(known);
    rows[index].seat = Some((place, seat));
}
