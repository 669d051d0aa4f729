//! An attempt in the making: what was said so far, and what waits to be said by the world.

use groundwork_trace::{ActionStatus, Span, SpanKind, ToolError, Trace, Value};
use groundwork_worlds::{Declare, Episode, Reply, Task};
use serde::{Deserialize, Serialize};

use crate::{ArenaError, Ended, Rollout};

/// Attempts to act that were no valid calls, by what was wrong with them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidActions {
    /// A bracket or a string was never closed.
    pub unclosed: u32,
    /// It was no call at all.
    pub malformed: u32,
    /// No such tool is declared.
    pub unknown_tool: u32,
    /// A parameter without a default was left out.
    pub missing_argument: u32,
    /// An argument did not fit its parameter, or there is no such parameter.
    pub wrong_type: u32,
}

impl InvalidActions {
    /// All of them.
    pub fn total(self) -> u32 {
        self.unclosed + self.malformed + self.unknown_tool + self.missing_argument + self.wrong_type
    }

    fn count(&mut self, status: ActionStatus) {
        match status {
            ActionStatus::Fine => {}
            ActionStatus::Unclosed => self.unclosed += 1,
            ActionStatus::Malformed => self.malformed += 1,
            ActionStatus::UnknownTool => self.unknown_tool += 1,
            ActionStatus::MissingArgument => self.missing_argument += 1,
            ActionStatus::WrongType => self.wrong_type += 1,
        }
    }
}

/// An attempt in the making. Whoever plays it (token by token, message by message, or from a transcript) goes through
/// these few operations, so that one attempt means the same everywhere.
pub(crate) struct Playing {
    sample: u32,
    episode: Episode,
    spans: Vec<Span>,
    /// What came of actions whose results the agent has not asked for yet.
    waiting: Vec<Span>,
    steps: u32,
    invalid: InvalidActions,
}

impl Playing {
    /// Sets the task up and begins with its prompt.
    pub(crate) fn new(task: &Task, sample: u32, declare: Declare) -> Result<Playing, ArenaError> {
        let episode = Episode::new(task)?;
        let spans = episode.prompt(declare);
        let waiting = Vec::new();
        Ok(Playing { sample, episode, spans, waiting, steps: 0, invalid: InvalidActions::default() })
    }

    /// The world as it stands.
    pub(crate) fn episode(&self) -> &Episode {
        &self.episode
    }

    /// Everything said so far.
    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Attempts to act so far.
    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    /// The agent has said a span, whole. An action is carried out, and its result waits.
    pub(crate) fn say(&mut self, kind: SpanKind, body: String) -> Option<Reply> {
        let mut span = Span::new(kind, body);
        let reply = (kind == SpanKind::Action).then(|| {
            let reply = self.episode.act(&span.body);
            self.steps += 1;
            self.invalid.count(reply.status);
            span.failed = reply.failed;
            self.waiting.push(reply.span.clone());
            self.waiting.extend(reply.turn.clone());
            reply
        });
        self.spans.push(span);
        reply
    }

    /// The agent was cut off in the middle of a span: it stands in the transcript, and nothing comes of it.
    pub(crate) fn cut(&mut self, kind: SpanKind, body: String) {
        self.spans.push(Span::new(kind, body));
    }

    /// Something that was to be an action and is no call at all; `why` is told.
    pub(crate) fn refuse(&mut self, why: &str) {
        self.steps += 1;
        self.invalid.malformed += 1;
        self.waiting.push(Span::error(&ToolError::new("Malformed", [Value::str(why)])));
    }

    /// Gives the word to the world: the results of the actions so far, in order. To ask for the result of nothing is
    /// an attempt to act that is no call.
    pub(crate) fn results(&mut self) -> &[Span] {
        if self.waiting.is_empty() {
            self.refuse("no action is waiting for a result");
        }
        let from = self.spans.len();
        self.spans.append(&mut self.waiting);
        &self.spans[from..]
    }

    /// The attempt as it stands, with this end to it. `tokens`: in the context at the end; `said`: by the agent.
    pub(crate) fn finish(self, ended: Ended, tokens: u32, said: u32) -> Rollout {
        let answer = self.spans.last().filter(|s| ended == Ended::Answer && s.kind == SpanKind::Answer);
        let verification = self.episode.verify(answer.map_or("", |s| &s.body));
        Rollout {
            task: self.episode.task().clone(),
            sample: self.sample,
            ended,
            success: answer.is_some() && verification.success,
            collateral: verification.collateral,
            steps: self.steps,
            invalid: self.invalid,
            fault_met: self.episode.fault_met(),
            tokens,
            said,
            trace: Trace::new(self.spans),
        }
    }
}
