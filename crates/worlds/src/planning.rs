//! Planning: problems of PDDL domains, whose operators are the tools.
//!
//! Four domains are our own, each a world: `blocks`, `gripper`, `logistics` and
//! `sokoban`. Any other domain and problem (STRIPS with types, equality and negative preconditions) is a world as well: its
//! name is `pddl:DOMAIN:PROBLEM` with the paths of the two files.
//!
//! | level | `blocks` | `gripper` | `logistics` | `sokoban` | what holds at first |
//! |---|---|---|---|---|---|
//! | ℓ | 3 + ⌊(ℓ−1)/3⌋ blocks, 1 + ⌊ℓ/2⌋ or more out of place | 2 + ⌊(ℓ−1)/4⌋ balls; 2 rooms, from level 3 on 3, from level 8 on 4 | 1 city, from level 4 on 2, of 2 to 4 places; 1 package, from level 8 on 2 | 3×3 to 5×5 cells, 1 box, from level 7 on 2 | told; from level 4 on `state()` tells it |
//!
//! Goal: `clear bada, on bada kilo, table kilo, empty; reach on kilo bada`: what holds, and what is to hold in the end. The
//! answer is `done`, and success asks that the goal holds. Whatever else is different then does not matter, so there is no
//! collateral damage.
//!
//! A tool refuses with `NotFound(object)`, `Unfit(object)` (of the wrong type) or `Unmet(condition)`, the first condition that fails.
//!
//! **Held-out structure**: besides the names, from level 3 on the *structure* of the problem decides its split: a hash of what
//! holds at first and in the end with the objects' names taken away (colour refinement over all facts). It belongs to
//! `Test` if it is divisible by four, otherwise to `Train`. A problem of a file has no such split: its objects keep their names.
//!
//! **Faults**: `transient` and `gone` strike the tool that the plan uses most, `denied` the first object of one of its steps,
//! `stale` the first use of that tool, until one asks about its first object. `broken` (`gripper`, `logistics`): an object that the plan
//! uses is out of order for good, `Broken(object)`, and there is another way. `wrong`: a step is answered `ok` but not done, and a later one
//! is then `Unmet`. `planted`, `inherited`: up to three steps were taken that help nothing.
//!
//! The expert's plan has the fewest steps (breadth-first search, or A* with an admissible heuristic); after a fault it plans
//! anew from what it knows. It waits where a tool is gone, though it might do something else first: at most two calls more. For a
//! problem of a file the planner gives optimality up after 100,000 states, and up to three times the least steps are possible.

mod domain;
mod expert;
mod file;
mod lmcut;
mod problem;
mod scene;
mod search;
mod sexp;
mod structure;
mod themes;

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use groundwork_trace::{Call, Tool, ToolError, Value};

use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::Names;
use crate::world::{Outcome, Verification, World, text};

use scene::{Facts, Scene, Step};

pub(crate) use file::{FAULTS, PREFIX, open};
pub(crate) use themes::{Blocks, Gripper, Logistics, Sokoban};

/// A planning world.
#[derive(Clone)]
pub(crate) struct Planning {
    scene: Arc<Scene>,
    facts: Facts,
    /// An object that no action can use.
    broken: Option<u16>,
    /// A step that is answered as if it were done, the first time it is tried.
    feigned: Option<u32>,
    /// Whether all that holds has been shown, and of which objects it has.
    shown: bool,
    asked: u128,
}

impl Hash for Planning {
    fn hash<H: Hasher>(&self, h: &mut H) {
        (&self.scene.domain().name, &self.scene.objects, &self.scene.goal).hash(h);
        (&self.facts, self.broken, self.feigned).hash(h);
    }
}

/// What can change, a fact a line; the scene, which cannot, would be a thousand times as long.
impl fmt::Debug for Planning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Holds(Vec<String>);
        impl fmt::Debug for Holds {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_map().entries(self.0.iter().map(|fact| (fact, true))).finish()
            }
        }
        f.debug_struct("Planning")
            .field("holds", &Holds(self.scene.list(&self.facts, false)))
            .field("broken", &self.broken.map(|object| &self.scene.objects[usize::from(object)].0))
            .field("feigned", &self.feigned)
            .field("seen", &format!("{} {:x}", self.shown, self.asked))
            .finish()
    }
}

fn strings(all: Vec<String>) -> Value {
    Value::List(all.into_iter().map(Value::Str).collect())
}

impl Planning {
    fn of(scene: Arc<Scene>) -> Planning {
        let (facts, shown) = (scene.init.clone(), scene.told);
        Planning { scene, facts, broken: None, feigned: None, shown, asked: 0 }
    }

    /// The objects that a call names, in the order of its tool's parameters.
    fn args(&self, action: usize, call: &Call) -> Result<Vec<u16>, Outcome> {
        let params = &self.scene.domain().actions[action].params;
        let tool = &self.scene.rules.tools[action];
        let mut args = Vec::with_capacity(params.len());
        for (param, (_, types)) in tool.params.iter().zip(params) {
            let name = text(call, &param.name);
            let refuse = |error| Err(Outcome::refuse(error, [Value::str(name)]));
            match self.scene.object(name) {
                None => return refuse("NotFound"),
                Some(o) if !self.scene.domain().fits(self.scene.objects[usize::from(o)].1, types) => {
                    return refuse("Unfit");
                }
                Some(o) if self.broken == Some(o) => return refuse("Broken"),
                Some(o) => args.push(o),
            }
        }
        Ok(args)
    }

    fn act(&mut self, action: usize, call: &Call) -> Result<Outcome, Outcome> {
        let args = self.args(action, call)?;
        if let Some(condition) = self.scene.unmet(action, &args, &self.facts) {
            return Err(Outcome::refuse("Unmet", [Value::str(condition)]));
        }
        self.scene.apply(action, &args, &mut self.facts);
        Ok(Outcome::known(Value::str("ok")))
    }

    fn query(&mut self, call: &Call) -> Outcome {
        match call.tool.as_str() {
            "state" => {
                let list = self.scene.list(&self.facts, !self.scene.told);
                Outcome::shown(strings(list), &mut self.shown)
            }
            "wait" => Outcome::known(Value::str("ok")),
            _ => match self.scene.object(text(call, "name")) {
                None => Outcome::refuse("NotFound", [Value::str(text(call, "name"))]),
                Some(_) if call.tool == "ask" => Outcome::known(Value::str("granted")),
                Some(o) => {
                    let name = &self.scene.objects[usize::from(o)].0;
                    let mut facts = self.scene.list(&self.facts, !self.scene.told);
                    facts.retain(|f| f.split(' ').skip(1).any(|w| w == name));
                    let bit = 1u128.checked_shl(u32::from(o)).unwrap_or(0);
                    let mut seen = self.shown || self.asked & bit != 0;
                    self.asked |= bit;
                    Outcome::shown(strings(facts), &mut seen)
                }
            },
        }
    }

    /// The steps of the plan, as steps.
    fn planned(&self) -> impl Iterator<Item = &Step> {
        let plan = self.scene.plan().map_or(&[][..], |p| p);
        plan.iter().map(|i| &self.scene.steps()[*i as usize])
    }

    /// A step of the plan that a later one cannot do without, at its first use.
    fn missed(&self, dice: &mut Dice) -> Option<u32> {
        let plan = self.scene.plan()?;
        let steps = self.scene.steps();
        let missed = |i: &usize| {
            let mut facts = self.facts.clone();
            let mut rest = plan.iter().enumerate().filter(|(j, _)| j != i).map(|(_, s)| &steps[*s as usize]);
            !plan[..*i].contains(&plan[*i])
                && rest.any(|step| {
                    let possible = step.possible(&facts);
                    step.apply(&mut facts);
                    !possible
                })
        };
        let all: Vec<usize> = (0..plan.len()).filter(missed).collect();
        all.get(dice.below(all.len().max(1))).map(|i| plan[*i])
    }

    /// An object that the plan uses and without which the goal can still be reached from where it is used first.
    fn breakable(&self, dice: &mut Dice) -> Option<u16> {
        let mut objects: Vec<u16> = self.planned().flat_map(|s| s.args.iter().copied()).collect();
        objects.sort_unstable();
        objects.dedup();
        dice.shuffle(&mut objects);
        objects.into_iter().find(|o| {
            let mut facts = self.facts.clone();
            self.planned().take_while(|s| !s.args.contains(o)).for_each(|s| s.apply(&mut facts));
            search::plan(&self.scene, &facts, Some(*o)).is_some()
        })
    }
}

impl World for Planning {
    fn tools(&self) -> &[Tool] {
        &self.scene.rules.tools
    }

    fn arm(&mut self, fault: FaultKind, _: &mut Names, dice: &mut Dice) {
        match fault {
            FaultKind::Broken => self.broken = self.breakable(dice),
            FaultKind::Wrong => self.feigned = self.missed(dice),
            _ => {}
        }
    }

    fn goal(&self) -> String {
        let scene = &*self.scene;
        let mut goal = String::with_capacity(256);
        if scene.told {
            scene.tell(&scene.init, true, &mut goal);
            goal += "; ";
        }
        goal += "reach ";
        for (i, &(bit, on)) in scene.goal.iter().enumerate() {
            goal += if i > 0 { ", " } else { "" };
            goal += if on { "" } else { "not " };
            goal += &scene.say(bit);
        }
        goal
    }

    fn step(&mut self, call: &Call) -> Outcome {
        match self.scene.rules.tools.iter().position(|t| t.name == call.tool) {
            Some(i) if i < self.scene.domain().actions.len() => self.act(i, call).unwrap_or_else(|e| e),
            _ => self.query(call),
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == "done" && self.scene.reached(&self.facts), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let scene = &*self.scene;
        let mut calls = Vec::with_capacity(2 + 2 * scene.objects.len() + scene.steps().len());
        calls.extend(["state", "wait"].map(|tool| Call::new(tool, [])));
        for (name, _) in &scene.objects {
            calls.extend(["about", "ask"].map(|t| Call::new(t, [("name", Value::str(name.as_str()))])));
        }
        calls.extend(scene.steps().iter().map(|s| scene.call(s)));
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        let mut uses = vec![0u32; self.scene.domain().actions.len()];
        self.planned().for_each(|s| uses[usize::from(s.action)] += 1);
        let most = (0..uses.len()).max_by_key(|a| (uses[*a], std::cmp::Reverse(*a))).unwrap_or(0);
        (self.scene.rules.tools[most].name.clone().into(), uses[most].max(1))
    }

    fn guarded(&self, dice: &mut Dice) -> String {
        let first: Vec<u16> = self.planned().filter_map(|s| s.args.first().copied()).collect();
        let object = first.get(dice.below(first.len().max(1)));
        object.map_or_else(String::new, |o| self.scene.objects[usize::from(*o)].0.clone())
    }

    fn resource(&self, call: &Call) -> Option<String> {
        let action = self.scene.rules.tools.iter().position(|t| t.name == call.tool)?;
        let first = self.scene.rules.tools[action].params.first()?;
        (action < self.scene.domain().actions.len()).then(|| text(call, &first.name).to_owned())
    }

    fn deceive(&mut self, call: &Call) -> Option<Value> {
        let step = &self.scene.steps()[self.feigned? as usize];
        (step.possible(&self.facts) && self.scene.call(step) == *call).then(|| Value::str("ok"))
    }

    fn mistake(&self, dice: &mut Dice) -> Vec<Call> {
        let scene = &*self.scene;
        let needed = scene.plan().map_or(0, Vec::len);
        let mut last = Vec::new();
        // Where little can be undone, few walks will do.
        for _ in 0..200 {
            let (mut facts, mut walk) = (self.facts.clone(), Vec::new());
            for _ in 0..1 + dice.below(3) {
                let possible: Vec<&Step> = scene.steps().iter().filter(|s| s.possible(&facts)).collect();
                let Some(step) = possible.get(dice.below(possible.len().max(1))) else { break };
                step.apply(&mut facts);
                walk.push(scene.call(step));
            }
            if let Some(rest) = search::plan(scene, &facts, None) {
                let worse = rest.len() >= needed;
                if worse || (last.is_empty() && !rest.is_empty()) {
                    last = walk;
                }
                if worse {
                    break;
                }
            }
        }
        last
    }

    fn refresh(name: &str) -> Call {
        Call::new("about", [("name", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        fault == FaultKind::Broken && error.name == "Broken"
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self.scene, self.facts, expert);
    }
}
