//! An attempt step by step: what was said, which fault showed, and what every action changed.

use groundwork_trace::{ActionStatus, Span, Trace};
use groundwork_worlds::{Declare, Episode, Task};

use crate::regrade::{begun, replayed};
use crate::state::{Change, changes};
use crate::{ArenaError, Ended, ScoreRow};

/// An attempt, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    /// The task.
    pub task: Task,
    /// Everything said, with what became of it.
    pub steps: Vec<ReplayStep>,
    /// How it ended.
    pub ended: Ended,
    /// The grade by today's world.
    pub success: bool,
    /// Changes to the world that the task did not ask for.
    pub collateral: u32,
    /// The first step that today's world would not say.
    pub differs_at: Option<usize>,
    /// How the expert does it.
    pub expert: Trace,
}

/// One span of an attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct ReplayStep {
    /// What was said, with its marks: failed, fault, the world's own.
    pub span: Span,
    /// For an action: what came of it as a piece of language.
    pub status: Option<ActionStatus>,
    /// For an action: what it changed.
    pub changes: Vec<Change>,
    /// For an action: how many were legal in the state that it was taken in, and whether it was one of them.
    pub legal: Option<(usize, bool)>,
}

impl Replay {
    /// Takes a stored attempt apart.
    ///
    /// # Errors
    /// A transcript that is no trace, or a task that its world refuses.
    pub fn of(row: &ScoreRow) -> Result<Replay, ArenaError> {
        let task = row.task()?;
        let transcript = row.trace()?;
        let mut playing = begun(&task, row.sample, &transcript)?;
        let mut acts = Vec::new();
        let mut before = String::new();
        let mut legal = (0, false);
        let differs_at = replayed(&mut playing, row.ended, &transcript, &mut |at, playing, reply| {
            let state = playing.episode().state();
            match reply {
                None => {
                    before = state;
                    let all = playing.episode().legal_actions();
                    let said = &transcript.spans[at].body;
                    legal = (all.len(), all.iter().any(|call| call.to_string() == *said));
                }
                Some(reply) => acts.push((at, reply.status, changes(&before, &state), legal)),
            }
        });
        let rollout = playing.finish(row.ended, row.tokens, row.said);
        let mut acts = acts.into_iter().peekable();
        let steps = rollout.trace.spans.into_iter().enumerate().map(|(i, span)| {
            match acts.next_if(|(at, ..)| *at == i) {
                Some((_, status, changes, legal)) => {
                    ReplayStep { span, status: Some(status), changes, legal: Some(legal) }
                }
                None => ReplayStep { span, status: None, changes: Vec::new(), legal: None },
            }
        });
        Ok(Replay {
            steps: steps.collect(),
            ended: row.ended,
            success: rollout.success,
            collateral: rollout.collateral,
            differs_at,
            expert: Episode::expert_trace(&task, Declare::None)?,
            task,
        })
    }

    /// Draws the attempt for a person at a terminal: the spans as `groundwork trace show` draws them, under each action what it
    /// changed, and the grade.
    pub fn to_terminal(&self, colour: bool) -> String {
        let mut out = String::new();
        for (i, step) in self.steps.iter().enumerate() {
            out += &Trace::new(vec![step.span.clone()]).to_terminal(colour);
            let (dim, plain) = if colour { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
            for change in &step.changes {
                out += &format!("{dim}               · {change}{plain}\n");
            }
            if self.differs_at == Some(i) {
                out += "               · the world would say something else today\n";
            }
        }
        out += &format!("\n{}\n", self.verdict());
        out
    }

    /// The grade in a sentence.
    pub fn verdict(&self) -> String {
        let mut verdict = if self.success { "Solved." } else { "Not solved." }.to_owned();
        if !self.success {
            verdict += match self.ended {
                Ended::Answer => " The answer or the state is not what the task asked for.",
                Ended::Steps => " It used up its actions.",
                Ended::Context => " It ran out of tokens.",
                Ended::Prompt => " Its prompt alone takes more tokens than it may: it was not begun.",
                Ended::TooLong => " The endpoint's reply was longer than is read.",
                Ended::GaveUp => " It ended without an answer.",
                Ended::Refused => " The endpoint refused to go on.",
            };
        }
        if self.collateral > 0 {
            let things = if self.collateral == 1 { "thing was" } else { "things were" };
            verdict += &format!(" {} {things} changed that nobody asked for.", self.collateral);
        }
        verdict
    }
}
