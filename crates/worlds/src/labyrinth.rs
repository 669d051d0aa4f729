//! A labyrinth: rooms that are seen only from inside, one of which holds a word.
//!
//! | level | rooms | passages more than a tree has |
//! |---|---|---|
//! | ℓ | 2 + ⌊ℓ/3⌋ by 3 + ⌊ℓ/4⌋ | ⌊ℓ/3⌋ |
//!
//! Goal: `what is the word of kilo in a labyrinth of 2 by 3 rooms?`. `go(to="north")` goes through a passage and tells what one sees in the next room:
//! its exits, and the word where it is. The answer is the word. Walking changes nothing, so there is no collateral damage.
//!
//! **Held-out structure**: besides the words, the *plan* of the labyrinth decides its split: a hash of the passages, of where one starts and of
//! where the word is. It belongs to `Test` if it is divisible by four, otherwise to `Train`.
//!
//! **Faults**: `transient` and `gone` strike `go`; `wrong` lets the first room lack the exit through which one came.
//!
//! The expert goes to the nearest room not seen yet, through rooms that it knows, and stops where the word is. No agent that does not
//! know the labyrinth can do it in the fewest steps always: `docs/worlds.md` has how many more the expert makes than the shortest way has.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, SpanKind, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::hash::mix;
use crate::names::{Name, Names};
use crate::task::Split;
use crate::world::{Kind, Outcome, Verification, World, text};

/// The directions, with the steps that they are.
const WAYS: [(&str, isize, isize); 4] = [("north", 0, -1), ("east", 1, 0), ("south", 0, 1), ("west", -1, 0)];

/// The rooms, row by row, the same throughout an episode.
#[derive(Debug)]
struct Plan {
    width: usize,
    /// For each room its exits, as bits in the order of [`WAYS`].
    exits: Vec<u8>,
    start: usize,
    treasure: usize,
    /// Whose word is to be found, and the word.
    owner: Name,
    word: Name,
    /// How many steps the expert makes.
    steps: u32,
}

impl Plan {
    /// The room behind an exit.
    fn behind(&self, room: usize, way: usize) -> Option<usize> {
        let (_, x, y) = WAYS[way];
        let open = self.exits[room] >> way & 1 == 1;
        open.then(|| room.wrapping_add_signed(x + y * self.width as isize))
    }

    fn signature(&self) -> u64 {
        let ends = mix((self.start as u64) << 16 | (self.treasure as u64) << 8 | self.width as u64);
        self.exits.iter().fold(ends, |h, e| mix(h ^ u64::from(*e)))
    }
}

/// The labyrinth world.
#[derive(Clone, Debug)]
pub(crate) struct Labyrinth {
    plan: Arc<Plan>,
    at: usize,
    /// Which rooms have been seen, as bits.
    seen: u64,
    /// Whether what is seen next may be told wrongly.
    lies: bool,
}

impl Hash for Labyrinth {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let Plan { width, exits, start, treasure, owner, word, steps: _ } = &*self.plan;
        (width, exits, start, treasure, owner, word).hash(h);
        (self.at, self.lies).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Goes through an exit; tells what one sees then.
go(to: \"north\" | \"east\" | \"south\" | \"west\") -> {exits: [str], word: str?} ! Wall(str) | Busy | Gone(str, int)
/// Tells what one sees.
look() -> {exits: [str], word: str?}
/// Waits.
wait() -> str
/// Asks for access.
ask(name: str) -> str
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

/// The way back.
fn back(way: usize) -> usize {
    (way + 2) % WAYS.len()
}

fn go(way: usize) -> Call {
    Call::new("go", [("to", Value::str(WAYS[way].0))])
}

impl Labyrinth {
    fn see(&mut self) -> Outcome {
        let mut seen = self.seen >> self.at & 1 == 1;
        self.seen |= 1 << self.at;
        Outcome::shown(self.sight(self.plan.exits[self.at]), &mut seen)
    }

    /// What one sees here, with these exits.
    fn sight(&self, exits: u8) -> Value {
        let names = WAYS.iter().enumerate().filter(|(i, _)| exits >> i & 1 == 1);
        let exits = Value::List(names.map(|(_, w)| Value::str(w.0)).collect());
        let here = self.at == self.plan.treasure;
        let word = if here { Value::str(self.plan.word.as_str()) } else { Value::Null };
        Value::Record(vec![("exits".to_owned(), exits), ("word".to_owned(), word)])
    }
}

impl Kind for Labyrinth {
    type World = Self;
    const NAME: &str = "labyrinth";
    const HELD_OUT: Option<&str> = Some("the plans of the rooms");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::StateTracking, Capability::Planning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Truncated, Wrong, Gone]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let (owner, word) = (names.draw(dice), names.draw(dice));
        let plan = loop {
            let mut plan = draw(level as usize, owner, word, dice);
            let side = if plan.signature().is_multiple_of(4) { Split::Test } else { Split::Train };
            if side == names.split() {
                plan.steps = explore(&plan, |_, _| ());
                break plan;
            }
        };
        Labyrinth { at: plan.start, seen: 0, lies: false, plan: Arc::new(plan) }
    }
}

impl World for Labyrinth {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, _: &mut Names, _: &mut Dice) {
        self.lies = fault == FaultKind::Wrong;
    }

    fn goal(&self) -> String {
        let p = &*self.plan;
        format!(
            "what is the word of {} in a labyrinth of {} by {} rooms?",
            p.owner,
            p.width,
            p.exits.len() / p.width
        )
    }

    fn step(&mut self, call: &Call) -> Outcome {
        match call.tool.as_str() {
            "go" => {
                let to = text(call, "to");
                let way = WAYS.iter().position(|w| w.0 == to);
                match way.and_then(|w| self.plan.behind(self.at, w)) {
                    Some(room) => {
                        self.at = room;
                        self.see()
                    }
                    None => Outcome::refuse("Wall", [Value::str(to)]),
                }
            }
            "look" => self.see(),
            "wait" => Outcome::known(Value::str("ok")),
            _ => Outcome::known(Value::str("granted")),
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == self.plan.word.as_str(), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let simple = ["look", "wait"].map(|tool| Call::new(tool, []));
        simple.into_iter().chain((0..WAYS.len()).map(go)).collect()
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("go".into(), self.plan.steps)
    }

    fn deceive(&mut self, call: &Call) -> Option<Value> {
        let way = WAYS.iter().position(|w| call.tool == "go" && w.0 == text(call, "to"))?;
        let room = self.plan.behind(self.at, way).filter(|_| self.lies)?;
        self.at = room;
        // The exit through which one has come is not told.
        Some(self.sight(self.plan.exits[room] & !(1 << back(way))))
    }

    fn refresh(_: &str) -> Call {
        Call::new("look", [])
    }

    fn reread(_: &Call) -> Call {
        Call::new("look", [])
    }

    fn shows(&self, _: FaultKind, _: &Call, _: &ToolError) -> bool {
        false
    }

    fn solve(self, expert: &mut Recorder) {
        let plan = &*self.plan;
        expert.say(SpanKind::Plan, "look at every room until the word is there");
        let seen = expert.insist::<Labyrinth>(&Call::new("look", []));
        // At the start the word never is.
        let Outcome::Observation { .. } = seen else { return };
        let mut word = String::new();
        explore(plan, |way, first| {
            if way.len() > 1 && first {
                let names: Vec<&str> = way.iter().map(|w| WAYS[*w].0).collect();
                expert.say(SpanKind::Thought, format!("back to an open exit: {}", names.join(" ")));
            }
            let mut seen = expert.insist::<Labyrinth>(&go(way[0]));
            let behind = Value::str(WAYS[back(way[0])].0);
            if let Outcome::Observation { value: Value::Record(fields), .. } = &seen
                && let Some((_, Value::List(exits))) = fields.first()
                && !exits.contains(&behind)
            {
                expert.reflect(format!("there must be an exit {}, look again", WAYS[back(way[0])].0));
                seen = expert.insist::<Labyrinth>(&Call::new("look", []));
            }
            if let Outcome::Observation { value: Value::Record(fields), .. } = seen
                && let Some((_, Value::Str(found))) = fields.get(1)
            {
                word.clone_from(found);
            }
        });
        expert.say(SpanKind::Answer, word);
    }
}

/// Walks as the expert does; `step` is given the rest of the way to the room that comes next, and whether the way has just been
/// chosen. What is known of a room is what one sees in it. Returns the number of steps.
fn explore(plan: &Plan, mut step: impl FnMut(&[usize], bool)) -> u32 {
    let mut seen = vec![false; plan.exits.len()];
    let (mut at, mut steps) = (plan.start, 0);
    seen[at] = true;
    while at != plan.treasure {
        let way = nearest_unseen(plan, &seen, at);
        if way.is_empty() {
            break;
        }
        for i in 0..way.len() {
            step(&way[i..], i == 0);
            at = plan.behind(at, way[i]).unwrap_or(at);
            steps += 1;
        }
        seen[at] = true;
    }
    steps
}

/// The shortest way through seen rooms to one not seen.
fn nearest_unseen(plan: &Plan, seen: &[bool], from: usize) -> Vec<usize> {
    let mut came: Vec<Option<(usize, usize)>> = vec![None; plan.exits.len()];
    let mut queue = VecDeque::from([from]);
    while let Some(room) = queue.pop_front() {
        for way in 0..WAYS.len() {
            let Some(next) = plan.behind(room, way).filter(|n| *n != from && came[*n].is_none()) else {
                continue;
            };
            came[next] = Some((room, way));
            if !seen[next] {
                let mut ways = Vec::new();
                let mut back = next;
                while let Some((before, way)) = came[back] {
                    ways.push(way);
                    back = before;
                }
                ways.reverse();
                return ways;
            }
            queue.push_back(next);
        }
    }
    Vec::new()
}

fn draw(level: usize, owner: Name, word: Name, dice: &mut Dice) -> Plan {
    let (width, height) = (2 + level / 3, 3 + level / 4);
    let rooms = width * height;
    let mut plan = Plan { width, exits: vec![0; rooms], start: 0, treasure: 0, owner, word, steps: 0 };
    let neighbour = |room: usize, way: usize| {
        let (_, x, y) = WAYS[way];
        let (x, y) = ((room % width).wrapping_add_signed(x), (room / width).wrapping_add_signed(y));
        (x < width && y < height).then_some(y * width + x)
    };
    let open = |plan: &mut Plan, room: usize, way: usize, next: usize| {
        plan.exits[room] |= 1 << way;
        plan.exits[next] |= 1 << back(way);
    };
    // A tree grows until it has every room.
    let mut inside = vec![dice.below(rooms)];
    while inside.len() < rooms {
        let room = inside[dice.below(inside.len())];
        let way = dice.below(4);
        if let Some(next) = neighbour(room, way).filter(|n| !inside.contains(n)) {
            open(&mut plan, room, way, next);
            inside.push(next);
        }
    }
    for _ in 0..level / 3 {
        let (room, way) = (dice.below(rooms), dice.below(4));
        if let Some(next) = neighbour(room, way) {
            open(&mut plan, room, way, next);
        }
    }
    plan.start = dice.below(rooms);
    // Never beside the start.
    loop {
        plan.treasure = dice.below(rooms);
        let beside = (0..4).any(|w| plan.behind(plan.start, w) == Some(plan.treasure));
        if plan.treasure != plan.start && !beside {
            return plan;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The shortest way, for one who knows the labyrinth.
    fn shortest(plan: &Plan) -> u32 {
        let mut far = vec![u32::MAX; plan.exits.len()];
        far[plan.start] = 0;
        let mut queue = VecDeque::from([plan.start]);
        while let Some(room) = queue.pop_front() {
            for next in (0..4).filter_map(|w| plan.behind(room, w)) {
                if far[next] == u32::MAX {
                    far[next] = far[room] + 1;
                    queue.push_back(next);
                }
            }
        }
        far[plan.treasure]
    }

    #[test]
    fn no_test_plan_is_a_training_plan() {
        let plans = |split| -> std::collections::BTreeSet<_> {
            let drawn = (0..1500u64).map(|seed| {
                let (level, mut dice) = (1 + (seed % 4) as u32, Dice::new("test", &[seed]));
                let plan = Labyrinth::generate(level, &mut Names::new(split), &mut dice).plan;
                (plan.width, plan.exits.clone(), plan.start, plan.treasure)
            });
            drawn.collect()
        };
        let (train, test) = (plans(Split::Train), plans(Split::Test));
        assert!(
            train.is_disjoint(&test) && train.len() > 500 && test.len() > 200,
            "{} {}",
            train.len(),
            test.len()
        );
    }

    #[test]
    fn the_expert_is_never_quicker_than_the_shortest_way_nor_slower_than_twice_every_room() {
        for level in 1..=12 {
            let (mut made, mut least) = (0, 0);
            for seed in 0..200 {
                let mut dice = Dice::new("test", &[seed, u64::from(level)]);
                let world = Labyrinth::generate(level, &mut Names::new(Split::Train), &mut dice);
                let plan = &*world.plan;
                assert!(plan.steps >= shortest(plan) && plan.steps <= 2 * plan.exits.len() as u32);
                made += plan.steps;
                least += shortest(plan);
            }
            println!("level {level}: {made} steps, {least} on the shortest ways");
            assert!(made < 5 * least, "level {level}: {made} steps, {least} on the shortest ways");
        }
    }
}
