//! What a world is.

use std::borrow::Cow;
use std::hash::Hash;

use groundwork_trace::{Call, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::{Name, Names};

/// What a call came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The tool answered.
    Observation {
        /// Its answer.
        value: Value,
        /// Whether the names and numbers in `value` are the world's own: shown here for the first time,
        /// so that nothing said before determines them. `false` where they follow from the rules.
        own: bool,
    },
    /// The tool refused, and nothing changed.
    Error(ToolError),
}

impl Outcome {
    /// An answer that follows from the rules and from what was shown before.
    pub(crate) fn known(value: Value) -> Self {
        Outcome::Observation { value, own: false }
    }

    /// An answer that is the world's own unless it was `seen` before; marks it as seen.
    pub(crate) fn shown(value: Value, seen: &mut bool) -> Self {
        Outcome::Observation { value, own: !std::mem::replace(seen, true) }
    }

    /// A refusal called `name` that carries `args`.
    pub(crate) fn refuse(name: &str, args: impl IntoIterator<Item = Value>) -> Self {
        Outcome::Error(ToolError::new(name, args))
    }
}

/// What the verifier says of a final state and an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The goal is met, the answer is right to the letter, and nothing else was changed.
    pub success: bool,
    /// How many things were changed that the goal did not ask for.
    pub collateral: u32,
}

/// A kind of world, as the registry lists it.
pub(crate) trait Kind {
    /// The state machine that it generates.
    type World: World;

    /// Its name in tasks, recipes and suites.
    const NAME: &str;

    /// Its tools, if all its tasks have the same: the set that its name stands for.
    fn tools() -> Option<&'static [Tool]>;

    /// What it asks of an agent: the suites of these capabilities contain it.
    fn capabilities() -> &'static [Capability] {
        &[Capability::ToolUse]
    }

    /// The faults that make sense in it.
    fn faults() -> &'static [FaultKind];

    /// What is cut into training and testing besides the names, in a few words.
    const HELD_OUT: Option<&str> = None;

    /// Builds a task of this level. All names come from `names`, all choices from `dice`.
    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self::World;
}

/// A world: a state machine with a goal, a pure function of its seed and of the calls made.
///
/// `Hash` must cover everything that decides the future (and may leave out what only decides metadata).
pub(crate) trait World: Clone + Hash {
    /// Its tools. Every world has `ask(name)` (asks for access, answers "granted").
    fn tools(&self) -> &[Tool];

    /// Prepares the part of a fault that lives inside the world: the misspelling in the goal, the closed
    /// road, the limit, the outdated value.
    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice);

    /// The rules that hold for the whole episode and what there is to read, if the prompt says any.
    fn system(&self) -> Option<String> {
        None
    }

    /// The task in words.
    fn goal(&self) -> String;

    /// Performs a call whose tool and argument types have been checked against [`World::tools`].
    fn step(&mut self, call: &Call) -> Outcome;

    /// What the user says after a call that was answered (and showed no fault), if they do.
    fn interject(&mut self, _: &Call) -> Option<String> {
        None
    }

    /// Judges the present state and `answer`.
    fn verify(&self, answer: &str) -> Verification;

    /// Every sensible call in this state, without repetition, the expert's among them.
    fn legal_actions(&self) -> Vec<Call>;

    /// The tool that every solution has to use, and how often at least: where wrapper faults strike.
    fn main_tool(&self) -> (Cow<'static, str>, u32);

    /// The tool on which a stale view shows.
    fn stale_tool(&self) -> Cow<'static, str> {
        self.main_tool().0
    }

    /// A name such that every expert solution makes a call whose [`World::resource`] it is; empty where nothing is guarded.
    fn guarded(&self, _: &mut Dice) -> String {
        String::new()
    }

    /// The tool that can be gone for good because there is another way, and how often the expert uses it.
    fn removable(&self) -> (Cow<'static, str>, u32) {
        self.main_tool()
    }

    /// The tool of whose answers one is cut off, and how often the expert calls it.
    fn listing_tool(&self) -> (Cow<'static, str>, u32) {
        self.main_tool()
    }

    /// What a tool answers to this call that is not true, where [`FaultKind::Wrong`] is armed and means this call; the call
    /// comes to nothing but what is done here.
    fn deceive(&mut self, _: &Call) -> Option<Value> {
        None
    }

    /// Calls that lead away from the goal but leave it within reach; no fewer calls are needed after them than before.
    fn mistake(&self, _: &mut Dice) -> Vec<Call> {
        Vec::new()
    }

    /// The call that takes back one of those calls, where that is better than to plan anew.
    fn undo(_: &Call) -> Option<Call> {
        None
    }

    /// The query that shows again what the answer to `call` showed.
    fn reread(call: &Call) -> Call {
        call.clone()
    }

    /// The thing that a call needs access to.
    fn resource(&self, _: &Call) -> Option<String> {
        None
    }

    /// What a query would have answered before a change; `None` if the call changes something, or nothing goes out of date.
    fn outdated(&self, _: &Call) -> Option<Value> {
        None
    }

    /// The query that brings the agent's view of `name` up to date.
    fn refresh(name: &str) -> Call;

    /// Whether this refusal is how the armed fault shows (for faults that live inside the world).
    fn shows(&self, fault: FaultKind, call: &Call, error: &ToolError) -> bool;

    /// The expert: solves the task, knowing only what the goal says and the tools answer.
    fn solve(self, expert: &mut Recorder);
}

/// The string argument `name` of a checked call.
pub(crate) fn text<'a>(call: &'a Call, name: &str) -> &'a str {
    call.arg(name).and_then(Value::as_str).unwrap_or_default()
}

/// The invented name that the argument `name` of a checked call spells.
pub(crate) fn name_arg(call: &Call, name: &str) -> Option<Name> {
    Name::parse(text(call, name))
}
