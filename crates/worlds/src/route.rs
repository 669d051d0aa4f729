//! A road map: walk from one place to another; a road may turn out closed.
//!
//! | level | places | steps of the shortest way | roads | map |
//! |---|---|---|---|---|
//! | ℓ | 3 + ℓ + ⌊ℓ/3⌋ | 1 + ℓ | 4 + 2ℓ at most | in the goal; from level 4 on `roads()` tells it |
//!
//! Goal: `roads bada>kilo kilo>lupa …; go from bada to lupa`. Roads are one-way. The answer is the name of the
//! destination, and success asks that one is there. The shortest way is the only one of its length, and at
//! least one of its roads can be closed without cutting the destination off.
//!
//! **Held-out structure**: besides the names, the *topology* of the map decides its split. Its signature is a
//! hash of the unlabelled graph with start and destination marked (colour refinement, one round a place); maps
//! are drawn until the signature belongs to the split: to `Test` if it is divisible by four, otherwise to
//! `Train`. So no test map is a training map with other names.
//!
//! **Faults**: `closed` is this world's own. A road of the shown map is closed; the expert meets the closure
//! and walks the shortest way that is left. A misspelt name would be seen in the map at once, so
//! `misspelt` does not occur here. `stale`: a step is refused until one has looked where one is (where the map
//! must be asked for: the first answer of `roads` is an old map). `planted`, `inherited`: up to three roads were walked
//! that lead no nearer; where all lead nearer, one was tried that is not there.
//!
//! The expert is optimal: with what it knows at each moment it walks a shortest way.

mod guided;
mod map;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, SpanKind, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::guide::ask_user;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

pub use map::topology;

/// The level from which on the map must be asked for.
const ASK_FOR_MAP: u32 = 4;

/// The places and roads, the same throughout an episode.
#[derive(Debug)]
struct Map {
    names: Vec<Name>,
    /// In the order in which they are told.
    roads: Vec<(u8, u8)>,
    start: u8,
    goal: u8,
    steps: u32,
    told: bool,
}

/// The road-map world.
#[derive(Clone, Debug)]
pub(crate) struct Route {
    map: Arc<Map>,
    at: u8,
    /// Where the goal says to go (at first, if the user changes their mind).
    wanted: u8,
    closed: Option<(u8, u8)>,
    /// A road that an old map lacks.
    lacking: Option<(u8, u8)>,
    /// The place of the way from which a step is answered as if it were made.
    feigned: Option<u8>,
    roads_seen: bool,
}

impl Hash for Route {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let map = &*self.map;
        (&map.names, &map.roads, map.goal).hash(h);
        (self.at, self.wanted, self.closed, self.lacking, self.feigned).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Goes one road to a place; says where that is.
go(to: str) -> str ! NoRoad(str) | Closed(str) | Denied(str) | Busy | Gone(str, int) | Stale(str)
/// Says where you are.
look() -> str
/// Lists the roads.
roads() -> [str]
/// Lets time pass.
wait() -> str
/// Asks for access to a place.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

impl Route {
    fn road(&self, (a, b): (u8, u8)) -> String {
        format!("{}>{}", self.map.names[usize::from(a)], self.map.names[usize::from(b)])
    }

    fn place(&self, index: u8) -> Name {
        self.map.names[usize::from(index)]
    }

    fn index(&self, name: Option<Name>) -> Option<u8> {
        let name = name?;
        self.map.names.iter().position(|n| *n == name).map(|i| i as u8)
    }

    /// The goal, with these words for the destination.
    fn goal_to(&self, to: &str) -> String {
        let from = self.place(self.map.start);
        if !self.map.told {
            return format!("go from {from} {to}");
        }
        let roads: Vec<String> = self.map.roads.iter().map(|r| self.road(*r)).collect();
        format!("roads {}; go from {from} {to}", roads.join(" "))
    }

    fn roads(&self, lacking: Option<(u8, u8)>) -> Value {
        let roads = self.map.roads.iter().filter(|r| Some(**r) != lacking);
        Value::List(roads.map(|r| Value::str(self.road(*r))).collect())
    }
}

impl Kind for Route {
    type World = Self;
    const NAME: &str = "route";
    const HELD_OUT: Option<&str> = Some("the shapes of the maps");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::Planning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Denied, Stale, Gone, Closed, Wrong, Planted, Inherited]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let (roads, places) = map::draw(level, names.split(), dice);
        // Places 0, 1, … of the drawn map are the way; their names and the roads' order hide that.
        let names: Vec<Name> = (0..places).map(|_| names.draw(dice)).collect();
        let steps = 1 + level;
        let map = Map { names, roads, start: 0, goal: steps as u8, steps, told: level < ASK_FOR_MAP };
        let (at, wanted) = (map.start, map.goal);
        let map = Arc::new(map);
        Route { map, at, wanted, closed: None, lacking: None, feigned: None, roads_seen: false }
    }
}

impl World for Route {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, _: &mut Names, dice: &mut Dice) {
        let way = map::shortest(&self.map.roads, self.map.start, self.map.goal, &[]).unwrap_or_default();
        match fault {
            FaultKind::Closed => {
                let closable: Vec<(u8, u8)> = way
                    .windows(2)
                    .map(|w| (w[0], w[1]))
                    .filter(|r| map::shortest(&self.map.roads, r.0, self.map.goal, &[*r]).is_some())
                    .collect();
                self.closed = closable.get(dice.below(closable.len().max(1))).copied();
            }
            FaultKind::Stale => self.lacking = Some(self.map.roads[dice.below(self.map.roads.len())]),
            // Not the last one, which nothing follows that would show it.
            FaultKind::Wrong => self.feigned = Some(dice.below(self.map.steps as usize - 1) as u8),
            _ => {}
        }
    }

    fn goal(&self) -> String {
        self.goal_to(&format!("to {}", self.place(self.wanted)))
    }

    fn step(&mut self, call: &Call) -> Outcome {
        let here = |world: &Route| Outcome::known(Value::str(world.place(world.at).as_str()));
        match call.tool.as_str() {
            "go" => {
                let to = self.index(name_arg(call, "to"));
                match to.map(|to| (self.at, to)).filter(|road| self.map.roads.contains(road)) {
                    Some(road) if Some(road) == self.closed => {
                        Outcome::refuse("Closed", [Value::str(self.road(road))])
                    }
                    Some((_, to)) => {
                        self.at = to;
                        here(self)
                    }
                    None => Outcome::refuse("NoRoad", call.arg("to").cloned()),
                }
            }
            "look" => here(self),
            "roads" => {
                let roads = self.roads(None);
                let mut seen = self.roads_seen || self.map.told;
                self.roads_seen = true;
                Outcome::shown(roads, &mut seen)
            }
            "wait" => Outcome::known(Value::str("ok")),
            _ => match self.index(name_arg(call, "name")) {
                Some(_) => Outcome::known(Value::str("granted")),
                None => Outcome::refuse("NotFound", call.arg("name").cloned()),
            },
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        let success = self.at == self.map.goal && answer == self.place(self.map.goal).as_str();
        Verification { success, collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut calls: Vec<Call> = ["look", "roads", "wait"].into_iter().map(|t| Call::new(t, [])).collect();
        // One who has been told so takes themselves to be a step further.
        let places = [Some(self.at), self.feigned.filter(|at| *at == self.at).map(|at| at + 1)];
        let mut ends: Vec<u8> =
            self.map.roads.iter().filter(|r| places.contains(&Some(r.0))).map(|r| r.1).collect();
        ends.sort_unstable();
        ends.dedup();
        for to in ends {
            let to = Value::str(self.place(to).as_str());
            calls.push(Call::new("go", [("to", to.clone())]));
            calls.push(Call::new("ask", [("name", to)]));
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("go".into(), self.map.steps)
    }

    fn stale_tool(&self) -> Cow<'static, str> {
        if self.map.told { "go".into() } else { "roads".into() }
    }

    fn guarded(&self, dice: &mut Dice) -> String {
        // The way is the only shortest one, so the expert enters each of its places.
        self.place(1 + dice.below(self.map.steps as usize) as u8).to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        (call.tool == "go").then(|| text(call, "to").to_owned())
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        (call.tool == "roads").then(|| self.roads(self.lacking))
    }

    fn deceive(&mut self, call: &Call) -> Option<Value> {
        let to = self.index(name_arg(call, "to"))?;
        // Places 0, 1, … are the way.
        (call.tool == "go" && self.feigned == Some(self.at) && to == self.at + 1)
            .then(|| Value::str(self.place(to).as_str()))
    }

    fn mistake(&self, dice: &mut Dice) -> Vec<Call> {
        let go = |to: u8| Call::new("go", [("to", Value::str(self.place(to).as_str()))]);
        let walks = map::walks_astray(&self.map.roads, self.at, self.map.goal, 3);
        match walks.get(dice.below(walks.len().max(1))) {
            Some(walk) => walk.iter().map(|&to| go(to)).collect(),
            // All roads from here lead nearer: one was tried that is not there. None leads to the goal at once.
            None => {
                let roads = &self.map.roads;
                let places = 0..self.map.names.len() as u8;
                let far: Vec<u8> =
                    places.filter(|&p| p != self.at && !roads.contains(&(self.at, p))).collect();
                far.get(dice.below(far.len().max(1))).map(|&to| go(to)).into_iter().collect()
            }
        }
    }

    fn refresh(_: &str) -> Call {
        Call::new("look", [])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        fault == FaultKind::Closed && error.name == "Closed"
    }

    fn solve(self, expert: &mut Recorder) {
        solve(&self, None, false, expert);
    }
}

/// The expert. Of the world it uses what the goal tells; the map, where the goal does not tell it, and the destination, where it
/// is left `open`, it asks for; where it is, it knows from the prompt. It goes round the place that is to be `avoided`.
fn solve(world: &Route, avoided: Option<u8>, open: bool, expert: &mut Recorder) {
    let map = &*world.map;
    let mut goal = world.wanted;
    expert.take_over::<Route>();
    if open {
        expert.say(SpanKind::Plan, "ask what is open, then do it");
        goal = world.index(Name::parse(&ask_user(expert))).unwrap_or(goal);
    }
    let mut roads = map.roads.clone();
    if !map.told {
        if !open {
            expert.say(SpanKind::Plan, "ask for the roads");
        }
        if let Outcome::Observation { value: Value::List(items), .. } =
            expert.attempt_asking::<Route>(&Call::new("roads", []))
        {
            let read = |v: &Value| {
                let (a, b) = v.as_str()?.split_once('>')?;
                Some((world.index(Name::parse(a))?, world.index(Name::parse(b))?))
            };
            roads = items.iter().filter_map(read).collect();
        }
    }
    let spell = |way: &[u8]| way.iter().map(|&p| world.place(p).to_string()).collect::<Vec<_>>().join(" ");
    let mut closed = avoided.map_or_else(Vec::new, |place| guided::into(&map.roads, place));
    let mut way = map::shortest(&roads, world.at, goal, &closed).unwrap_or_default();
    expert.say(if map.told && !open { SpanKind::Plan } else { SpanKind::Thought }, spell(&way));
    let mut at = 0;
    while at + 1 < way.len() {
        for _ in 0..expert.away("go") {
            expert.act(&Call::new("wait", []));
        }
        let next = world.place(way[at + 1]);
        match expert.attempt_asking::<Route>(&Call::new("go", [("to", Value::str(next.as_str()))])) {
            Outcome::Observation { .. } => {
                at += 1;
                let heard = expert.heard();
                let wish = heard.and_then(|said| world.index(Name::parse(said.rsplit(' ').next()?)));
                if let Some(wish) = wish {
                    goal = wish;
                    (way, at) = (map::shortest(&roads, way[at], goal, &closed).unwrap_or_default(), 0);
                    expert.say(SpanKind::Thought, spell(&way));
                }
            }
            Outcome::Error(e) if e.name == "Gone" => {
                expert.reflect(format!("go is gone, wait {}", expert.away("go")));
            }
            Outcome::Error(e) if e.name == "NoRoad" => {
                expert.reflect(format!("no road to {next} from here, look"));
                let Outcome::Observation { value, .. } =
                    expert.attempt_asking::<Route>(&Call::new("look", []))
                else {
                    return;
                };
                let Some(here) = world.index(value.as_str().and_then(Name::parse)) else { return };
                let Some(other) = map::shortest(&roads, here, goal, &closed) else { return };
                expert.say(SpanKind::Thought, spell(&other));
                (way, at) = (other, 0);
            }
            Outcome::Error(_) => {
                let road = (way[at], way[at + 1]);
                closed.push(road);
                let Some(other) = map::shortest(&roads, way[at], goal, &closed) else { return };
                expert.reflect(format!("{} is closed, new way {}", world.road(road), spell(&other)));
                (way, at) = (other, 0);
            }
        }
    }
    expert.say(SpanKind::Answer, world.place(goal).as_str());
}
