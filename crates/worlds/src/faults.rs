//! Injected failures, as a wrapper over any world.
//!
//! | fault | what the agent meets | how one recovers |
//! |---|---|---|
//! | `transient` | `Busy`, once (twice from level 3 on) | the same call again |
//! | `misspelt` | the goal names something with a letter wrong: `NotFound` | list, take the nearest name |
//! | `denied` | `Denied(name)`, until one has asked | `ask(name)`, or another way |
//! | `stale` | a query answers `{old: …}` instead of the truth, or a change is refused as `Stale(name)` | query again; look at `name` first |
//! | `gone` | `Gone(tool, n)`: the tool is away for the next `n` calls | another tool, or wait |
//! | `closed` | `route` only: a road of the map is closed, `Closed("a>b")` | plan another way |
//! | `limit` | `ledger` only: a payment is larger than a limit that nobody stated, `Limit(n)` | split it |
//!
//! `transient`, `denied`, `stale` and `gone` live in the wrapper and know a world only through its
//! trait; `misspelt`, `closed` and `limit` live in the world, and the wrapper only notices them. A fault
//! draws from a random stream of its own, so the twin without it is the same task in every other respect.
//! Stale values are hinted at: the word `old` stands beside them. An action that met an old value has not
//! *failed* (the tool did answer), so its span has no `failed`; the observation names the fault.
//! Every fault strikes a call that every expert solution has to make, so the expert always meets it.

use std::borrow::Cow;
use std::str::FromStr;

use groundwork_trace::{Call, ToolError, Value};
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::error::{WorldError, did_you_mean};
use crate::names::Names;
use crate::world::{Outcome, World, text};

/// A kind of injected failure; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A tool is busy for a moment.
    Transient,
    /// The goal spells a name slightly wrong.
    Misspelt,
    /// Access must be asked for.
    Denied,
    /// A view of the world is out of date.
    Stale,
    /// A tool is away for some calls.
    Gone,
    /// A road of the map is closed.
    Closed,
    /// A payment is larger than allowed.
    Limit,
    /// A thing that the plan uses is out of order for good.
    Broken,
    /// A tool that the plan uses is gone for good.
    Removed,
}

impl FaultKind {
    /// Every fault.
    pub const ALL: [FaultKind; 9] = [
        FaultKind::Transient,
        FaultKind::Misspelt,
        FaultKind::Denied,
        FaultKind::Stale,
        FaultKind::Gone,
        FaultKind::Closed,
        FaultKind::Limit,
        FaultKind::Broken,
        FaultKind::Removed,
    ];

    /// Its name in files, traces and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            FaultKind::Transient => "transient",
            FaultKind::Misspelt => "misspelt",
            FaultKind::Denied => "denied",
            FaultKind::Stale => "stale",
            FaultKind::Gone => "gone",
            FaultKind::Closed => "closed",
            FaultKind::Limit => "limit",
            FaultKind::Broken => "broken",
            FaultKind::Removed => "removed",
        }
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FaultKind {
    type Err = WorldError;

    fn from_str(name: &str) -> Result<Self, WorldError> {
        let names = || FaultKind::ALL.into_iter().map(FaultKind::as_str);
        FaultKind::ALL.into_iter().find(|k| k.as_str() == name).ok_or_else(|| WorldError::UnknownFault {
            name: name.to_owned(),
            hint: did_you_mean(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        })
    }
}

/// How far a fault has come. `skip` counts the calls of the tool that pass before it strikes.
#[derive(Clone, Debug, Hash)]
enum State {
    Off,
    Transient { tool: Cow<'static, str>, skip: u32, left: u32 },
    Denied { name: String },
    Stale { tool: Cow<'static, str>, view: View },
    Gone { tool: Cow<'static, str>, skip: u32, calls: u32, left: Option<u32> },
    InWorld { fault: FaultKind },
}

/// What a stale fault has done so far.
#[derive(Clone, Debug, Hash)]
enum View {
    /// Nothing yet.
    Waiting,
    /// Changes to the name are refused until it is looked at.
    Old(String),
    /// It is over.
    Fresh,
}

/// The fault of one episode.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Faults {
    kind: Option<FaultKind>,
    state: State,
    met: bool,
}

impl Faults {
    /// No fault at all.
    pub(crate) fn none() -> Self {
        Faults { kind: None, state: State::Off, met: false }
    }

    /// Puts `kind` into `world`.
    pub(crate) fn arm<W: World>(
        kind: FaultKind,
        level: u32,
        world: &mut W,
        names: &mut Names,
        dice: &mut Dice,
    ) -> Self {
        world.arm(kind, names, dice);
        let (tool, calls) = world.main_tool();
        let state = match kind {
            FaultKind::Transient => {
                let skip = dice.below(calls as usize) as u32;
                State::Transient { tool, skip, left: if level < 3 { 1 } else { 2 } }
            }
            FaultKind::Denied => State::Denied { name: world.guarded(dice) },
            FaultKind::Stale => State::Stale { tool: world.stale_tool(), view: View::Waiting },
            FaultKind::Gone => {
                let skip = dice.below(calls as usize) as u32;
                State::Gone { tool, skip, calls: dice.between(1, 2) as u32, left: None }
            }
            FaultKind::Misspelt
            | FaultKind::Closed
            | FaultKind::Limit
            | FaultKind::Broken
            | FaultKind::Removed => State::InWorld { fault: kind },
        };
        Faults { kind: Some(kind), state, met: false }
    }

    /// Whether the fault has shown itself.
    pub(crate) fn met(&self) -> bool {
        self.met
    }

    /// Performs a checked call; says which fault shows in the outcome, if one does.
    pub(crate) fn step<W: World>(&mut self, world: &mut W, call: &Call) -> (Outcome, Option<FaultKind>) {
        let struck = self.strike(world, call);
        let (outcome, shows) = match struck {
            Some(outcome) => (outcome, true),
            None => {
                let outcome = world.step(call);
                let shows = match (&outcome, &self.state) {
                    (Outcome::Error(e), State::InWorld { fault }) => world.shows(*fault, call, e),
                    _ => false,
                };
                (outcome, shows)
            }
        };
        self.met |= shows;
        (outcome, if shows { self.kind } else { None })
    }

    /// What the fault makes of the call, if it interferes.
    fn strike<W: World>(&mut self, world: &mut W, call: &Call) -> Option<Outcome> {
        match &mut self.state {
            State::Off | State::InWorld { .. } => None,
            State::Transient { tool, skip, left } => {
                if call.tool != *tool || *left == 0 {
                    return None;
                }
                if *skip > 0 {
                    *skip -= 1;
                    return None;
                }
                *left -= 1;
                Some(Outcome::refuse("Busy", []))
            }
            State::Denied { name } => {
                if call.tool == "ask" && text(call, "name") == name {
                    self.state = State::Off;
                    return None;
                }
                (world.resource(call).as_ref() == Some(name))
                    .then(|| Outcome::refuse("Denied", [Value::str(name.clone())]))
            }
            State::Stale { tool, view } => match view {
                View::Fresh => None,
                View::Waiting if call.tool != *tool => None,
                View::Waiting => match world.outdated(call) {
                    Some(old) => {
                        // A query that fails anyway shows nothing old.
                        if let Outcome::Error(_) = world.clone().step(call) {
                            return None;
                        }
                        *view = View::Fresh;
                        let value = Value::Record(vec![("old".to_owned(), old)]);
                        Some(Outcome::Observation { value, own: true })
                    }
                    None => {
                        let name = world.resource(call)?;
                        *view = View::Old(name.clone());
                        Some(Outcome::refuse("Stale", [Value::str(name.clone())]))
                    }
                },
                View::Old(name) => {
                    if *call == W::refresh(name) {
                        *view = View::Fresh;
                        return None;
                    }
                    (call.tool == *tool && world.resource(call).as_ref() == Some(name))
                        .then(|| Outcome::refuse("Stale", [Value::str(name.clone())]))
                }
            },
            State::Gone { tool, skip, calls, left } => {
                let now = match left {
                    None if call.tool != *tool => return None,
                    None if *skip > 0 => {
                        *skip -= 1;
                        return None;
                    }
                    None => *calls,
                    Some(0) => return None,
                    Some(n) => *n - 1,
                };
                *left = Some(now);
                let error =
                    || ToolError::new("Gone", [Value::str(tool.as_ref()), Value::int(i64::from(now))]);
                (call.tool == *tool).then(|| Outcome::Error(error()))
            }
        }
    }
}
