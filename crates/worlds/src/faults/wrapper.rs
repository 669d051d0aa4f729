//! The part of a fault that needs to know nothing of the world: it stands between the agent and the tools.

use std::borrow::Cow;

use groundwork_trace::{Call, Tool, ToolError, Value};

use super::FaultKind;
use crate::dice::Dice;
use crate::names::Names;
use crate::world::{Outcome, World, text};

/// How far a fault has come. `skip` counts the calls of the tool that pass before it strikes.
#[derive(Clone, Debug, Hash)]
enum State {
    Off,
    /// Refuses `left` times.
    Transient {
        tool: Cow<'static, str>,
        error: &'static str,
        skip: u32,
        left: u32,
    },
    Denied {
        name: String,
    },
    Stale {
        tool: Cow<'static, str>,
        view: View,
    },
    /// Away for so many calls: `Gone(tool, n)`, or `RateLimit(n)` where `limit`.
    Gone {
        tool: Cow<'static, str>,
        limit: bool,
        skip: u32,
        calls: u32,
        left: Option<u32>,
    },
    Removed {
        tool: Cow<'static, str>,
        skip: u32,
    },
    Drift(Drift),
    /// The next answer of the tool is cut off.
    Truncated {
        tool: Cow<'static, str>,
        skip: u32,
        done: bool,
    },
    /// The world says what is wrong, once.
    Wrong {
        done: bool,
    },
    /// It lives in the world, which shows it.
    InWorld {
        fault: FaultKind,
    },
    /// It stands in the prompt.
    InContext,
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

/// A parameter that gets another name in mid-episode.
#[derive(Clone, Debug, Hash)]
pub(crate) struct Drift {
    tool: Cow<'static, str>,
    old: String,
    new: String,
    skip: u32,
    /// Whether it has happened.
    on: bool,
}

impl Drift {
    /// The tools as they are declared afterwards.
    pub(crate) fn declare(&self, tools: &[Tool]) -> Vec<Tool> {
        let mut tools = tools.to_vec();
        let params = tools.iter_mut().filter(|t| t.name == self.tool).flat_map(|t| &mut t.params);
        params.filter(|p| p.name == self.old).for_each(|p| p.name.clone_from(&self.new));
        tools
    }

    /// The call with the parameter's name of now in place of the old one, or the reverse.
    fn rename(&self, mut call: Call, inward: bool) -> Call {
        let (from, to) = if inward { (&self.new, &self.old) } else { (&self.old, &self.new) };
        if self.on && call.tool == self.tool {
            call.args.iter_mut().filter(|a| a.0 == *from).for_each(|a| a.0.clone_from(to));
        }
        call
    }
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
        let mut skip = |calls: u32| dice.below(calls.max(1) as usize) as u32;
        let state = match kind {
            FaultKind::Transient => {
                let skip = skip(calls);
                State::Transient { tool, error: "Busy", skip, left: if level < 3 { 1 } else { 2 } }
            }
            FaultKind::Timeout => State::Transient { tool, error: "Timeout", skip: skip(calls), left: 1 },
            FaultKind::Denied => State::Denied { name: world.guarded(dice) },
            FaultKind::Stale => State::Stale { tool: world.stale_tool(), view: View::Waiting },
            FaultKind::Gone | FaultKind::RateLimit => {
                let (skip, limit) = (skip(calls), kind == FaultKind::RateLimit);
                State::Gone { tool, limit, skip, calls: dice.between(1, 2) as u32, left: None }
            }
            FaultKind::Removed => {
                let (tool, calls) = world.removable();
                State::Removed { tool, skip: skip(calls) }
            }
            FaultKind::Drift => {
                let skip = skip(calls);
                let params = world.tools().iter().find(|t| t.name == tool).map_or(&[][..], |t| &t.params);
                let old = params.get(dice.below(params.len().max(1)));
                let old = old.map_or_else(String::new, |p| p.name.clone());
                State::Drift(Drift { tool, old, new: names.draw(dice).to_string(), skip, on: false })
            }
            FaultKind::Truncated => {
                let (tool, calls) = world.listing_tool();
                State::Truncated { tool, skip: skip(calls), done: false }
            }
            FaultKind::Wrong => State::Wrong { done: false },
            FaultKind::Planted | FaultKind::Inherited => State::InContext,
            FaultKind::Misspelt
            | FaultKind::NotFound
            | FaultKind::Closed
            | FaultKind::Limit
            | FaultKind::Broken => State::InWorld { fault: kind },
        };
        let met = matches!(state, State::InContext);
        Faults { kind: Some(kind), state, met }
    }

    /// Whether the fault has shown itself.
    pub(crate) fn met(&self) -> bool {
        self.met
    }

    /// The fault, if it stands in the prompt.
    pub(crate) fn in_context(&self) -> Option<FaultKind> {
        self.kind.filter(|_| matches!(self.state, State::InContext))
    }

    /// The change of a parameter's name, whether or not it has happened.
    pub(crate) fn drift(&self) -> Option<&Drift> {
        if let State::Drift(drift) = &self.state { Some(drift) } else { None }
    }

    /// Whether a parameter has got another name.
    pub(crate) fn drifted(&self) -> bool {
        self.drift().is_some_and(|d| d.on)
    }

    /// A call as it must be made now, from one in the world's own names.
    pub(crate) fn outward(&self, call: Call) -> Call {
        match self.drift() {
            Some(drift) => drift.rename(call, false),
            None => call,
        }
    }

    /// The reverse of [`Faults::outward`].
    pub(crate) fn inward(&self, call: Call) -> Call {
        match self.drift() {
            Some(drift) => drift.rename(call, true),
            None => call,
        }
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
            State::Off | State::InWorld { .. } | State::InContext => None,
            State::Transient { tool, error, skip, left } => {
                if call.tool != *tool || *left == 0 || passes(skip) {
                    return None;
                }
                *left -= 1;
                Some(Outcome::refuse(error, []))
            }
            State::Removed { tool, skip } => (call.tool == *tool && !passes(skip))
                .then(|| Outcome::refuse("Removed", [Value::str(tool.as_ref())])),
            State::Drift(drift) => {
                if drift.on || call.tool != drift.tool || passes(&mut drift.skip) {
                    return None;
                }
                drift.on = true;
                let names = [&drift.old, &drift.new].map(|n| Value::str(n.as_str()));
                Some(Outcome::refuse("Renamed", names))
            }
            State::Truncated { tool, skip, done } => {
                if *done || call.tool != *tool || passes(skip) {
                    return None;
                }
                match world.clone().step(call) {
                    Outcome::Observation { mut value, own } => {
                        *done = cut(&mut value);
                        done.then(|| {
                            world.step(call);
                            Outcome::Observation { value, own }
                        })
                    }
                    Outcome::Error(_) => None,
                }
            }
            State::Wrong { done } => {
                if *done {
                    return None;
                }
                let value = world.deceive(call)?;
                *done = true;
                Some(Outcome::Observation { value, own: true })
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
            State::Gone { tool, limit, skip, calls, left } => {
                let now = match left {
                    None if call.tool != *tool || passes(skip) => return None,
                    None => *calls,
                    Some(0) => return None,
                    Some(n) => *n - 1,
                };
                *left = Some(now);
                let left = Value::int(i64::from(now));
                let error = match limit {
                    true => ToolError::new("RateLimit", [left]),
                    false => ToolError::new("Gone", [Value::str(tool.as_ref()), left]),
                };
                (call.tool == *tool).then_some(Outcome::Error(error))
            }
        }
    }
}

/// Whether this call of the tool still passes; counts it.
fn passes(skip: &mut u32) -> bool {
    let passes = *skip > 0;
    *skip = skip.saturating_sub(1);
    passes
}

/// Cuts the first list in a value off: half of it is left, and `...`. Says whether there was something to cut.
fn cut(value: &mut Value) -> bool {
    match value {
        Value::List(items) if !items.is_empty() => {
            items.truncate(items.len() / 2);
            items.push(Value::str("..."));
            true
        }
        Value::Record(fields) => fields.iter_mut().any(|(_, v)| cut(v)),
        _ => false,
    }
}
