//! What an agent says before anybody else speaks, and the results that follow: in the usual way, or to the letter as
//! it was read.

use super::read::read_part;
use super::write::{agents, outcomes};
use super::{Dialect, Notation, read_calls, write_calls};
use crate::Tool;
use crate::adapters::turns::{Agent, Outcome, Turn};
use crate::adapters::verbatim::Chooser;

/// Where the writer stands.
#[derive(Clone, Copy, Default)]
pub(super) struct State {
    /// How many calls there have been, and how many before the last turn of the agent.
    calls: usize,
    first: usize,
    /// How many calls the last turn of the agent is read as.
    readable: usize,
    /// The agent's turn is not closed.
    open: bool,
    after_results: bool,
}

/// What is written of a trace: who speaks, what was kept to the letter, and how that was written.
pub(super) struct Exchanges<'a> {
    pub(super) d: &'a Dialect,
    pub(super) tools: &'a [Tool],
    /// Whether all turns stand in the order of their spans, so that what was kept can be found.
    pub(super) in_order: bool,
    pub(super) state: State,
    pub(super) chooser: Chooser<'a>,
}

impl Exchanges<'_> {
    /// Somebody else has spoken.
    pub(super) fn interrupted(&mut self) {
        self.state.after_results = false;
    }

    /// Writes the exchange at the start of `turns`, which `next` follows.
    pub(super) fn write(&mut self, turns: &[Turn<'_>], next: Option<&Turn<'_>>) -> String {
        let (mut said, mut results) = (Vec::new(), None);
        for turn in turns {
            match turn {
                Turn::Agent(agent) => said.push(agent),
                Turn::Results(found) => results = Some(found.as_slice()),
                _ => {}
            }
        }
        let before = self.state;
        let usual_said = self.agents(&said, results.is_some());
        let usual_results = self.results(results.unwrap_or_default(), next);
        let after = self.state;
        let first = said.first().and_then(|agent| agent.first);
        let actions: usize = said.iter().map(|agent| agent.calls.len()).sum();
        let read = |text: &str, raw: bool| {
            let closed = if after.open && !raw { self.d.agent.1 } else { "" };
            let user = [closed, self.d.user.0, "x", self.d.user.1].concat();
            let follows = if next.is_none() { "" } else { &user };
            let on = before.open || (before.after_results && self.d.goes_on);
            let possible = self.in_order && (self.d.parallel || actions < 2);
            possible.then(|| read_part((text, follows), on, self.d, self.tools)).flatten()
        };
        let usual = (usual_said.as_str(), usual_results.as_str());
        let (raw_said, raw_results) = self.chooser.choose(first, usual, results.is_some(), read);
        if let Some(raw) = raw_results {
            self.state.open = self.d.stays_open && !raw.trim_end().ends_with(self.d.agent.1.trim_end());
        }
        [raw_said.unwrap_or(&usual_said), raw_results.unwrap_or(&usual_results)].concat()
    }

    fn agents(&mut self, said: &[&Agent<'_>], answered: bool) -> String {
        let (d, s) = (self.d, &mut self.state);
        let mut out = String::new();
        for (i, a) in said.iter().enumerate() {
            s.first = s.calls;
            // A list of calls that cannot be read is one attempt.
            s.readable = match d.calls.notation {
                Notation::List | Notation::Pythonic if !a.calls.is_empty() => {
                    read_calls(&write_calls(&a.calls, s.first, d), d, self.tools).0.len().max(1)
                }
                _ => a.calls.len(),
            };
            s.calls += s.readable;
            let results = answered && i + 1 == said.len();
            let pieces = agents(a, s.first, d, self.tools);
            for (n, content) in pieces.iter().enumerate() {
                let on = n == 0 && (s.open || (s.after_results && d.goes_on));
                if s.open && content.is_empty() {
                    // An open turn in which nothing more is said is only closed.
                    continue;
                }
                out.push_str(if on { "" } else { d.agent.0 });
                out.push_str(content);
                s.open = d.stays_open && results && n + 1 == pieces.len();
                out.push_str(if s.open { "" } else { d.agent.1 });
            }
            s.after_results = false;
        }
        out
    }

    fn results(&mut self, results: &[Outcome<'_>], next: Option<&Turn<'_>>) -> String {
        let (d, s) = (self.d, &mut self.state);
        let mut out = String::new();
        if !results.is_empty() {
            out = outcomes(&results[..s.readable.min(results.len())], s.first, d);
            s.after_results = true;
        }
        if s.open && !matches!(next, Some(Turn::Agent(_))) {
            out.push_str(d.agent.1);
            s.open = false;
        }
        out
    }
}
