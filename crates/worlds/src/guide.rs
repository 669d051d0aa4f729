//! Rules that the system text states, and a user who has a say during the episode.
//!
//! `files_guided`, `route_guided` and `ledger_guided` are the worlds of those names with three things more:
//!
//! - **A policy** in the system text: a tool that is not to be used (another way exists), a place that is not to be entered, or
//!   something to be done first (`confirm` a folder before a file goes there). A call against it is performed all the same,
//!   and counts as collateral damage, so that success is lost.
//! - **A user who answers**: `confirm(name)`, and `question()` where the goal leaves something open (`move bada/kilo where I
//!   tell you`).
//! - **A user who changes their mind**: after the first call that does what the goal says, a `user` span follows the
//!   observation (`no, move it to tola`). What was done must be undone, and what is wanted now done; the verifier knows
//!   only the last wish.
//!
//! Every task has a policy; a third has nothing more, a third (where the goal allows it) leaves something open, a third has a
//! change of mind. Half of the last leave something open as well, so that the user speaks three times: the goal, the answer to
//! the question, and the change of what was answered. The faults are `transient` and `denied`. The expert keeps to the policy with the fewest calls that it
//! takes: one for each name that must be confirmed or looked at first.

use std::borrow::Cow;
use std::hash::Hash;
use std::sync::Arc;

use groundwork_trace::{Call, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, text};

/// The tools that reach the user, beside those of the world.
pub(crate) const USER_TOOLS: &str = "
/// Asks the user to confirm a name.
confirm(name: str) -> \"yes\" ! NotFound(str)
/// Asks the user what the goal leaves open.
question() -> str
";

/// Something to be done before something else.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct First {
    /// The rule in words.
    pub(crate) text: &'static str,
    /// Before these tools are called …
    pub(crate) tools: &'static [&'static str],
    /// … on what this argument names (of a path its folder) …
    pub(crate) argument: &'static str,
    /// … this tool must have been called on it, as its argument of this name.
    pub(crate) before: (&'static str, &'static str),
}

/// A rule of the system text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Policy {
    /// A tool is not to be used; the rule in words.
    Never { tool: &'static str, text: &'static str },
    /// A place is not to be entered.
    Avoid(Name),
    /// Something is to be done first.
    First(&'static First),
}

impl Policy {
    fn text(self) -> String {
        match self {
            Policy::Never { text, .. } => format!("policy: {text}"),
            Policy::Avoid(name) => format!("policy: do not enter {name}"),
            Policy::First(first) => format!("policy: {}", first.text),
        }
    }

    /// The call that must have been made before this one.
    pub(crate) fn required(self, call: &Call) -> Option<Call> {
        let Policy::First(first) = self else { return None };
        if !first.tools.contains(&call.tool.as_str()) {
            return None;
        }
        let name = text(call, first.argument).split('/').next().unwrap_or_default();
        Some(Call::new(first.before.0, [(first.before.1, Value::str(name))]))
    }

    /// Whether a call is one that must have been made before others.
    fn asks_for(self, call: &Call) -> bool {
        matches!(self, Policy::First(first) if first.before.0 == call.tool)
    }

    /// Whether a call is never allowed.
    fn forbids(self, call: &Call) -> bool {
        match self {
            Policy::Never { tool, .. } => call.tool == tool,
            Policy::Avoid(name) => call.tool == "go" && text(call, "to") == name.as_str(),
            Policy::First(_) => false,
        }
    }
}

/// The rule of a task, and what its user does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Guide {
    pub(crate) policy: Policy,
    /// What the user answers to `question()`, where the goal leaves something open: what they want at first.
    pub(crate) open: Option<String>,
    /// What the user says after the first call of one of these tools that comes to something.
    pub(crate) change: Option<(&'static [&'static str], String)>,
    /// The tool that every solution has to use.
    pub(crate) main: &'static str,
    /// What every solution needs access to.
    pub(crate) guarded: Name,
}

/// A world that can be had with a guide.
pub(crate) trait Guidable: Kind<World = Self> + World + std::fmt::Debug {
    /// The name of the guided world.
    const GUIDED: &str;

    /// Its tools and the user's.
    fn guided_tools() -> &'static [Tool];

    /// Draws a rule that matters and what the user does. Where they change their mind, the goal is what they want at first,
    /// and the verifier's what they want in the end.
    fn guide(&mut self, dice: &mut Dice) -> Guide;

    /// The goal with something left open.
    fn open_goal(&self) -> String;

    /// The expert, which has been told the policy.
    fn solve_guided(self, guide: &Guide, expert: &mut Recorder);
}

/// A world with a guide.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Guided<W> {
    inner: W,
    guide: Arc<Guide>,
    /// The calls made that the rule asks for.
    done: Vec<Call>,
    /// Calls against the rule.
    violations: u32,
    /// Whether the user has changed their mind, and whether they were asked.
    changed: bool,
    asked: bool,
}

impl<W: Guidable> Kind for Guided<W> {
    type World = Self;
    const NAME: &str = W::GUIDED;
    const HELD_OUT: Option<&str> = W::HELD_OUT;

    fn tools() -> Option<&'static [Tool]> {
        Some(W::guided_tools())
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::ToolUse, Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        &[FaultKind::Transient, FaultKind::Denied]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let mut inner = W::generate(level, names, dice);
        let guide = Arc::new(inner.guide(dice));
        Guided { inner, guide, done: Vec::new(), violations: 0, changed: false, asked: false }
    }
}

impl<W: Guidable> World for Guided<W> {
    fn tools(&self) -> &[Tool] {
        W::guided_tools()
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        self.inner.arm(fault, names, dice);
    }

    fn system(&self) -> Option<String> {
        Some(self.guide.policy.text())
    }

    fn goal(&self) -> String {
        if self.guide.open.is_some() { self.inner.open_goal() } else { self.inner.goal() }
    }

    fn step(&mut self, call: &Call) -> Outcome {
        let policy = self.guide.policy;
        let outcome = match call.tool.as_str() {
            "confirm" => {
                // The user knows the names that there are.
                let known = Call::new("ask", call.arg("name").map(|name| ("name", name.clone())));
                match self.inner.clone().step(&known) {
                    Outcome::Observation { .. } => Outcome::known(Value::str("yes")),
                    refusal => refusal,
                }
            }
            "question" => match &self.guide.open {
                Some(answer) => Outcome::shown(Value::str(answer.as_str()), &mut self.asked),
                None => Outcome::known(Value::str("nothing")),
            },
            _ => self.inner.step(call),
        };
        if let Outcome::Observation { .. } = outcome {
            let missing = policy.required(call).is_some_and(|required| !self.done.contains(&required));
            self.violations += u32::from(missing || policy.forbids(call));
            if policy.asks_for(call) && !self.done.contains(call) {
                self.done.push(call.clone());
            }
        }
        outcome
    }

    fn interject(&mut self, call: &Call) -> Option<String> {
        let (after, words) = self.guide.change.as_ref()?;
        let now = !self.changed && after.contains(&call.tool.as_str());
        self.changed |= now;
        now.then(|| words.clone())
    }

    fn verify(&self, answer: &str) -> Verification {
        let Verification { success, collateral } = self.inner.verify(answer);
        Verification { success: success && self.violations == 0, collateral: collateral + self.violations }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut calls = self.inner.legal_actions();
        let mut names: Vec<Value> =
            calls.iter().filter(|c| c.tool == "ask").filter_map(|c| c.arg("name").cloned()).collect();
        names.dedup();
        calls.push(Call::new("question", []));
        calls.extend(names.into_iter().map(|name| Call::new("confirm", [("name", name)])));
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        (self.guide.main.into(), 1)
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.guide.guarded.to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        self.inner.resource(call)
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        self.inner.outdated(call)
    }

    fn refresh(name: &str) -> Call {
        W::refresh(name)
    }

    fn shows(&self, fault: FaultKind, call: &Call, error: &ToolError) -> bool {
        self.inner.shows(fault, call, error)
    }

    fn solve(self, expert: &mut Recorder) {
        expert.keep_to(self.guide.policy);
        self.inner.solve_guided(&self.guide, expert);
    }
}

/// What the user answers to a question, asked by the expert.
pub(crate) fn ask_user(expert: &mut Recorder) -> String {
    match expert.act(&Call::new("question", [])) {
        Outcome::Observation { value: Value::Str(answer), .. } => answer,
        _ => String::new(),
    }
}
