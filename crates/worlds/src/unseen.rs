//! Unseen tools: dials that are turned with tools of invented names, whose declarations alone say what they do.
//!
//! | level | dials | tools besides the plain one | turns in each | calls needed | what the dials show at first |
//! |---|---|---|---|---|---|
//! | ℓ | 2; from level 7 on 3 | one for one dial, one for two; from level 3 on with conditions | 2; from level 5 on 2 or 3 | 2 + ⌊(ℓ−1)/3⌋ | told; from level 4 on `show` tells it |
//!
//! A dial shows a digit; after 9 comes 0. Goal: `kilo 4, bada 7; reach kilo 2, bada 9`. A tool is declared like this, every name in it
//! drawn for this task:
//!
//! ```text
//! /// If lupa is even: turns lupa up by 3, then exchanges lupa and keno.
//! zupi(lupa: str, keno: str) -> "ok" ! NotFound(str) | Same(str) | Unmet(str) | …
//! ```
//!
//! One tool of every task, named anew like the others, turns a dial up by one: with it alone everything can be reached, slowly. The
//! answer is `done`, and success asks that every dial shows what it should: there is nothing else to be
//! changed, so there is no collateral damage. `Unmet` carries the condition of the declaration.
//!
//! **Held out**: the names of dials, tools and parameters, and what the tools *do*. The signature of a tool is its condition and its
//! turns in their order, without numbers; it belongs to `Test` if its hash is divisible by four, otherwise to `Train`. Only the plain
//! tool is common to both.
//!
//! **Faults**: `transient` and `gone` strike the tool that the plan uses most, `denied` a dial that it turns, `stale` the first use of
//! that tool, until one looks at its first dial. With `removed` the tool other than the plain one that the plan uses
//! most is gone for good, and the others must do. `planted`, `inherited`: up to three calls were made that help nothing.
//!
//! The expert's plan has the fewest calls (breadth-first search over all that the dials can show); after a fault it plans anew from
//! what it knows. It waits where a tool is gone, though it might call another: at most two calls more.

mod device;
mod expert;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use groundwork_trace::{Call, ErrorType, Param, Tool, ToolError, Type, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

use device::Device;

/// The most dials.
const DIALS: usize = 3;
/// The level from which on the goal does not tell what the dials show.
const ASK: u32 = 4;

/// What the dials show.
type Shows = [u8; DIALS];

/// A call of a device: which, and with which dials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Use {
    device: usize,
    x: usize,
    y: usize,
}

/// What never changes in an episode.
#[derive(Debug)]
struct Bench {
    dials: Vec<Name>,
    devices: Vec<Device>,
    /// One for each device, then those that every task has.
    tools: Vec<Tool>,
    start: Shows,
    /// What each dial is to show in the end, if that matters.
    goal: [Option<u8>; DIALS],
    told: bool,
    plan: Vec<Use>,
}

impl Bench {
    fn uses(&self) -> impl Iterator<Item = Use> + '_ {
        let n = self.dials.len();
        self.devices.iter().enumerate().flat_map(move |(device, d)| {
            let pairs = move |x| (0..n).filter(move |y| *y != x).map(move |y| Use { device, x, y });
            let one = move |x| std::iter::once(Use { device, x, y: x });
            let two = d.two();
            (0..n).flat_map(move |x| {
                let (a, b) = if two { (Some(pairs(x)), None) } else { (None, Some(one(x))) };
                a.into_iter().flatten().chain(b.into_iter().flatten())
            })
        })
    }

    fn call(&self, u: Use) -> Call {
        let tool = &self.tools[u.device];
        let args = tool.params.iter().zip([u.x, u.y]);
        Call {
            tool: tool.name.clone(),
            args: args.map(|(p, dial)| (p.name.clone(), Value::str(self.dials[dial].as_str()))).collect(),
        }
    }

    fn brief(&self, u: Use) -> String {
        let (tool, x) = (&self.tools[u.device].name, self.dials[u.x]);
        if u.x == u.y { format!("{tool} {x}") } else { format!("{tool} {x} {}", self.dials[u.y]) }
    }

    fn reached(&self, shows: &Shows) -> bool {
        self.goal.iter().zip(shows).all(|(g, s)| g.is_none_or(|g| g == *s))
    }

    fn dial(&self, name: Option<Name>) -> Option<usize> {
        self.dials.iter().position(|d| Some(*d) == name)
    }
}

/// What the dials show after a call, if its condition is met.
fn run(devices: &[Device], u: Use, mut shows: Shows) -> Option<Shows> {
    let [x, y] = devices[u.device].run([shows[u.x], shows[u.y]])?;
    if u.x != u.y {
        shows[u.y] = y;
    }
    shows[u.x] = x;
    Some(shows)
}

/// A walk over all that the dials can show, from `from` on, in the order of the number of calls.
struct Walk {
    /// For each number that the dials can show: the call that led there and from where.
    came: Vec<Option<(Use, u16)>>,
    order: Vec<u16>,
    depth: Vec<u8>,
}

fn pack(shows: &Shows) -> u16 {
    shows.iter().rev().fold(0, |n, s| n * 10 + u16::from(*s))
}

fn unpack(n: u16) -> Shows {
    [(n % 10) as u8, (n / 10 % 10) as u8, (n / 100) as u8]
}

/// Walks until `done` says so, or everything has been met; the last state met is the one that `done` accepts.
fn walk(
    devices: &[Device],
    uses: &[Use],
    from: &Shows,
    mut done: impl FnMut(&Shows, u8) -> bool,
) -> (Walk, Option<u16>) {
    let size = if uses.iter().any(|u| u.x == 2 || u.y == 2) { 1000 } else { 100 };
    let start = pack(from);
    let mut walk =
        Walk { came: vec![None; size.max(usize::from(start) + 1)], order: vec![start], depth: vec![0] };
    let mut at = 0;
    while let Some(&here) = walk.order.get(at) {
        let (shows, depth) = (unpack(here), walk.depth[at]);
        if done(&shows, depth) {
            return (walk, Some(here));
        }
        at += 1;
        for &u in uses {
            let Some(next) = run(devices, u, shows).map(|s| pack(&s)) else { continue };
            if next != start && walk.came[usize::from(next)].is_none() {
                walk.came[usize::from(next)] = Some((u, here));
                walk.order.push(next);
                walk.depth.push(depth + 1);
            }
        }
    }
    (walk, None)
}

impl Walk {
    fn way_to(&self, mut state: u16) -> Vec<Use> {
        let mut way = Vec::new();
        while let Some((u, before)) = self.came[usize::from(state)] {
            way.push(u);
            state = before;
        }
        way.reverse();
        way
    }
}

/// The world of unseen tools.
#[derive(Clone, Debug)]
pub(crate) struct Unseen {
    bench: Arc<Bench>,
    shows: Shows,
    /// Which dials have been shown, as bits.
    seen: u8,
}

impl Hash for Unseen {
    fn hash<H: Hasher>(&self, h: &mut H) {
        (&self.bench.dials, &self.bench.devices, self.bench.goal).hash(h);
        self.shows.hash(h);
    }
}

const DECLARATIONS: &str = "
/// Lists the dials.
list() -> [str]
/// Tells what a dial shows.
show(name: str) -> int ! NotFound(str)
/// Waits.
wait() -> str
/// Asks for access to a dial.
ask(name: str) -> str ! NotFound(str)
";

fn declare(device: &Device, names: [Name; 3]) -> Tool {
    let error = |name: &str, args: &[Type]| ErrorType {
        name: name.to_owned(),
        doc: String::new(),
        args: args.to_vec(),
    };
    let params = if device.two() { 2 } else { 1 };
    Tool {
        name: names[0].to_string(),
        doc: device.doc([names[1].as_str(), names[2].as_str()]),
        params: names[1..=params].iter().map(|n| Param::new(n.to_string(), Type::Str)).collect(),
        result: Type::Enum(vec![Value::str("ok")]),
        errors: vec![
            error("NotFound", &[Type::Str]),
            error("Same", &[Type::Str]),
            error("Unmet", &[Type::Str]),
            error("Removed", &[Type::Str]),
            error("Denied", &[Type::Str]),
            error("Stale", &[Type::Str]),
            error("Busy", &[]),
            error("Gone", &[Type::Str, Type::Int]),
        ],
        types: Vec::new(),
    }
}

impl Unseen {
    fn turn(&mut self, device: usize, call: &Call) -> Outcome {
        let bench = self.bench.clone();
        let tool = &bench.tools[device];
        let mut dials = [0; 2];
        for (dial, param) in dials.iter_mut().zip(&tool.params) {
            match bench.dial(name_arg(call, &param.name)) {
                Some(found) => *dial = found,
                None => return Outcome::refuse("NotFound", [Value::str(text(call, &param.name))]),
            }
        }
        let [x, mut y] = dials;
        if tool.params.len() == 1 {
            y = x;
        } else if x == y {
            return Outcome::refuse("Same", [Value::str(bench.dials[x].as_str())]);
        }
        match run(&bench.devices, Use { device, x, y }, self.shows) {
            Some(shows) => {
                self.shows = shows;
                Outcome::known(Value::str("ok"))
            }
            None => Outcome::refuse("Unmet", [Value::str(bench.devices[device].only.word())]),
        }
    }
}

impl Kind for Unseen {
    type World = Self;
    const NAME: &str = "unseen";
    const HELD_OUT: Option<&str> = Some("what the tools do");

    fn tools() -> Option<&'static [Tool]> {
        None
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::UnseenTools, Capability::Planning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Denied, Stale, Gone, Removed, Planted, Inherited]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let l = level as usize;
        let dials = if l < 7 { 2 } else { 3 };
        let needed = (2 + (l - 1) / 3) as u8;
        let (devices, start, goal, plan) = loop {
            let mut devices = vec![Device::plain()];
            for two in [false, true] {
                let turns = if l < 5 { 2 } else { 2 + dice.below(2) };
                devices.push(Device::draw(turns, two, l >= 3, names.split(), dice));
            }
            dice.shuffle(&mut devices);
            let mut start = [0; DIALS];
            start[..dials].iter_mut().for_each(|s| *s = dice.below(10) as u8);
            let target = |shows: &Shows| {
                let mut goal = [None; DIALS];
                (0..dials).for_each(|i| goal[i] = Some(shows[i]));
                goal
            };
            let mut bench = Bench {
                dials: vec![Name::NONE; dials],
                devices,
                tools: Vec::new(),
                start,
                goal: [None; DIALS],
                told: level < ASK,
                plan: Vec::new(),
            };
            let uses: Vec<Use> = bench.uses().collect();
            let (mut met, mut far) = (vec![false; 1000], Vec::new());
            let (walked, _) = walk(&bench.devices, &uses, &start, |shows, depth| {
                let key = usize::from(pack(&[shows[0], shows[1], shows[2]]));
                if !std::mem::replace(&mut met[key], true) && depth == needed {
                    far.push(pack(shows));
                }
                depth > needed
            });
            let Some(&end) = far.get(dice.below(far.len().max(1))) else { continue };
            bench.goal = target(&unpack(end));
            let plan = walked.way_to(end);
            // The plain tool alone would not need its declaration to be read.
            if plan.iter().any(|u| bench.devices[u.device] != Device::plain()) {
                break (bench.devices, start, bench.goal, plan);
            }
        };
        let dials = (0..dials).map(|_| names.draw(dice)).collect();
        let mut tools: Vec<Tool> = devices
            .iter()
            .map(|d| declare(d, [names.draw(dice), names.draw(dice), names.draw(dice)]))
            .collect();
        tools.extend(Tool::parse_all(DECLARATIONS).unwrap_or_default());
        let told = level < ASK;
        let bench = Bench { dials, devices, tools, start, goal, told, plan };
        Unseen { shows: start, seen: if told { u8::MAX } else { 0 }, bench: Arc::new(bench) }
    }
}

impl World for Unseen {
    fn tools(&self) -> &[Tool] {
        &self.bench.tools
    }

    fn arm(&mut self, _: FaultKind, _: &mut Names, _: &mut Dice) {}

    fn goal(&self) -> String {
        let b = &*self.bench;
        let list = |shows: &mut dyn Iterator<Item = (Name, u8)>| {
            shows.map(|(n, s)| format!("{n} {s}")).collect::<Vec<_>>().join(", ")
        };
        let wanted = b.dials.iter().zip(b.goal).filter_map(|(n, g)| Some((*n, g?)));
        let goal = format!("reach {}", list(&mut { wanted }));
        if b.told { format!("{}; {goal}", list(&mut b.dials.iter().copied().zip(b.start))) } else { goal }
    }

    fn step(&mut self, call: &Call) -> Outcome {
        if let Some(device) = self.bench.tools.iter().position(|t| t.name == call.tool)
            && device < self.bench.devices.len()
        {
            return self.turn(device, call);
        }
        let bench = &self.bench;
        match call.tool.as_str() {
            "wait" => Outcome::known(Value::str("ok")),
            "list" => {
                let dials = bench.dials.iter().map(|d| Value::str(d.as_str())).collect();
                Outcome::known(Value::List(dials))
            }
            tool => match bench.dial(name_arg(call, "name")) {
                None => Outcome::refuse("NotFound", [Value::str(text(call, "name"))]),
                Some(_) if tool == "ask" => Outcome::known(Value::str("granted")),
                Some(dial) => {
                    let mut seen = self.seen >> dial & 1 == 1;
                    self.seen |= 1 << dial;
                    Outcome::shown(Value::int(i64::from(self.shows[dial])), &mut seen)
                }
            },
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == "done" && self.bench.reached(&self.shows), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let b = &*self.bench;
        let mut calls: Vec<Call> = ["list", "wait"].map(|tool| Call::new(tool, [])).to_vec();
        for dial in &b.dials {
            calls.extend(["show", "ask"].map(|t| Call::new(t, [("name", Value::str(dial.as_str()))])));
        }
        calls.extend(b.uses().map(|u| b.call(u)));
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        let b = &*self.bench;
        let uses = |device: usize| b.plan.iter().filter(|u| u.device == device).count();
        let most = (0..b.devices.len()).max_by_key(|d| (uses(*d), std::cmp::Reverse(*d))).unwrap_or(0);
        (b.tools[most].name.clone().into(), uses(most).max(1) as u32)
    }

    fn guarded(&self, dice: &mut Dice) -> String {
        let plan = &self.bench.plan;
        self.bench.dials[plan[dice.below(plan.len())].x].to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        let device = self.bench.tools.iter().position(|t| t.name == call.tool)?;
        let first = self.bench.tools[device].params.first()?;
        (device < self.bench.devices.len()).then(|| text(call, &first.name).to_owned())
    }

    fn refresh(name: &str) -> Call {
        Call::new("show", [("name", Value::str(name))])
    }

    fn removable(&self) -> (Cow<'static, str>, u32) {
        // Without the plain one not everything could be reached.
        let (b, plain) = (&*self.bench, Device::plain());
        let uses = |device: usize| b.plan.iter().filter(|u| u.device == device).count();
        let others = (0..b.devices.len()).filter(|d| b.devices[*d] != plain);
        let most = others.max_by_key(|d| (uses(*d), std::cmp::Reverse(*d))).unwrap_or(0);
        (b.tools[most].name.clone().into(), uses(most) as u32)
    }

    fn mistake(&self, dice: &mut Dice) -> Vec<Call> {
        let b = &*self.bench;
        let uses: Vec<Use> = b.uses().collect();
        loop {
            let (mut shows, mut calls) = (self.shows, Vec::new());
            for _ in 0..1 + dice.below(3) {
                let u = uses[dice.below(uses.len())];
                if let Some(next) = run(&b.devices, u, shows) {
                    shows = next;
                    calls.push(b.call(u));
                }
            }
            let (walked, end) = walk(&b.devices, &uses, &shows, |s, _| b.reached(s));
            if !calls.is_empty() && end.is_some_and(|end| walked.way_to(end).len() >= b.plan.len()) {
                return calls;
            }
        }
    }

    fn shows(&self, _: FaultKind, _: &Call, _: &ToolError) -> bool {
        false
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self.bench, self.shows, expert);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::task::Split;

    #[test]
    fn what_test_tools_do_no_training_tool_does() {
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        for split in Split::ALL {
            for seed in 0..2_000 {
                let mut dice = Dice::new("test", &[seed, split as u64]);
                let world = Unseen::generate(1 + (seed % 12) as u32, &mut Names::new(split), &mut dice);
                for device in world.bench.devices.iter().filter(|d| **d != Device::plain()) {
                    seen[split as usize].insert(device.signature());
                }
            }
        }
        assert!(seen[0].is_disjoint(&seen[1]));
        assert!(seen[0].len() > 300 && seen[1].len() > 80, "{:?}", seen.map(|s| s.len()));
    }

    #[test]
    fn the_plan_is_as_short_as_the_level_says_and_no_shorter_one_exists() {
        for level in 1..=12 {
            for seed in 0..20 {
                let mut dice = Dice::new("test", &[seed]);
                let world = Unseen::generate(level, &mut Names::new(Split::Train), &mut dice);
                let bench = &*world.bench;
                assert_eq!(bench.plan.len() as u32, 2 + (level - 1) / 3);
                // Layer by layer: all that can be shown after so many calls.
                let mut layer = BTreeSet::from([bench.start]);
                for _ in 0..bench.plan.len() {
                    assert!(!layer.iter().any(|s| bench.reached(s)));
                    let next =
                        layer.iter().flat_map(|s| bench.uses().filter_map(|u| run(&bench.devices, u, *s)));
                    layer = next.collect();
                }
                assert!(layer.iter().any(|s| bench.reached(s)));
            }
        }
    }

    #[test]
    fn a_declaration_says_what_its_tool_does() {
        use device::{Dial, Only, Turn};
        let device =
            Device { only: Only::Even, turns: vec![Turn::Up(Dial::X, 3), Turn::Swap, Turn::Add(Dial::Y)] };
        assert_eq!(
            device.doc(["lupa", "keno"]),
            "If lupa is even: turns lupa up by 3, then exchanges lupa and keno, then turns keno up by lupa."
        );
        assert_eq!(device.run([4, 8]), Some([8, 5]));
        assert_eq!(device.run([5, 8]), None);
        assert_eq!(Device::plain().doc(["lupa", ""]), "Turns lupa up by 1.");
        assert_eq!(Device::plain().run([9, 0]), Some([0, 0]));
    }
}
