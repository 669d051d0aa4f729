//! State tracking: keys change hands again and again, and no tool tells who has one.
//!
//! | level | people with keys, without | keys | jobs | kinds of job | people who will not swap |
//! |---|---|---|---|---|---|
//! | 1 | 3, 1 | 3 | 2 | `swap` | none |
//! | ℓ | 3 + ⌊ℓ/2⌋, 1 | 3 + ⌊ℓ/2⌋ + ⌊ℓ/4⌋ | 1 + ℓ | from level 3 on also `move`, from level 5 on `grant`, `revoke` | 0 or 1; from level 6 on 0 to 2 |
//!
//! Goal: `bada kilo, tola rimu, vuzi pema; swap bada tola; swap neko bada; who has kilo?`: first who has which keys, then
//! the jobs, to be done in order, then the question. A swap exchanges all keys of two people; it may be answered `no`,
//! and then nothing changes (who will not swap is the world's own, so the end cannot be known from the goal). `move kilo to
//! neko` and `revoke kilo` do not say who has the key: the call must. `grant kilo to neko` makes a copy.
//!
//! Who has the key has changed since the goal last named it, so whoever stands beside its name is never the answer. The key
//! asked for is one that is elsewhere because of a `no`, if there is such a one; among these, one that changed hands most
//! often. The one query, `look`, shows one person's keys, once. Success asks for the right name and for everybody to have
//! exactly the right keys; a key that somebody has, or lacks, against beginning and end alike is collateral damage.
//!
//! **Held-out structure**: besides the names, from level 3 on the *pattern* of jobs decides the split: a hash of which jobs
//! touch the same people and keys, and of what is asked. It belongs to `Test` if it is divisible by four, otherwise to
//! `Train`. (Two or three swaps have too few patterns for that.)
//!
//! **Faults**: `transient`, `gone` and `stale` (until one looks at whom it names first) strike one of the swaps, `denied` whom
//! one of them names first. `misspelt` strikes the person without keys, whom the goal names once.
//!
//! The expert makes one call a job (for `revoke`, one a holder) and waits where `swap` is gone. That is optimal among
//! agents that do the jobs as told; one that aims at the end alone could save swaps that undo each other, and up to two
//! waits by doing independent jobs first.

mod expert;
mod pattern;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::{Recorder, carried};
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::task::Split;
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

pub use pattern::pattern;

/// Room for the people of the highest level.
const PEOPLE: usize = 10;

/// Who has which keys: for each person the keys, as bits.
type Hands = [u16; PEOPLE];

/// One job of the goal; people and keys by their index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Job {
    Swap(usize, usize),
    /// From the only one who has it.
    Move {
        key: usize,
        to: usize,
    },
    Grant {
        key: usize,
        to: usize,
    },
    /// From all who have it.
    Revoke {
        key: usize,
    },
}

/// Does a job, as it would turn out in the end.
fn apply(job: Job, hands: &mut Hands, stubborn: u16) {
    match job {
        Job::Swap(a, b) if (stubborn >> a | stubborn >> b) & 1 == 0 => hands.swap(a, b),
        Job::Swap(..) => {}
        Job::Move { key, to } => {
            revoke(key, hands);
            hands[to] |= 1 << key;
        }
        Job::Grant { key, to } => hands[to] |= 1 << key,
        Job::Revoke { key } => revoke(key, hands),
    }
}

fn revoke(key: usize, hands: &mut Hands) {
    hands.iter_mut().for_each(|h| *h &= !(1 << key));
}

/// Who has this key.
fn holders(key: usize, hands: &Hands) -> impl Iterator<Item = usize> + '_ {
    (0..PEOPLE).filter(move |p| hands[*p] >> key & 1 == 1)
}

/// The holder of this key, if it is only one.
fn holder(key: usize, hands: &Hands) -> Option<usize> {
    let mut all = holders(key, hands);
    all.next().filter(|_| all.next().is_none())
}

/// What never changes in an episode.
#[derive(Clone, Debug)]
struct Scene {
    people: Vec<Name>,
    keys: Vec<Name>,
    /// How the goal spells the last person, who has no keys in the beginning.
    spelt: Name,
    jobs: Vec<Job>,
    asked: usize,
    before: Hands,
    after: Hands,
    answer: usize,
    /// Who will not swap, as bits.
    stubborn: u16,
}

impl Scene {
    /// A person's name as the goal spells it.
    fn spelling(&self, person: usize) -> Name {
        if person + 1 == self.people.len() { self.spelt } else { self.people[person] }
    }

    fn person(&self, name: Option<Name>) -> Option<usize> {
        self.people.iter().position(|n| Some(*n) == name)
    }

    fn key(&self, name: Option<Name>) -> Option<usize> {
        self.keys.iter().position(|n| Some(*n) == name)
    }

    fn job(&self, job: Job) -> String {
        match job {
            Job::Swap(a, b) => format!("swap {} {}", self.spelling(a), self.spelling(b)),
            Job::Move { key, to } => format!("move {} to {}", self.keys[key], self.spelling(to)),
            Job::Grant { key, to } => format!("grant {} to {}", self.keys[key], self.spelling(to)),
            Job::Revoke { key } => format!("revoke {}", self.keys[key]),
        }
    }

    fn keys_of(&self, hand: u16) -> impl Iterator<Item = Name> + '_ {
        self.keys.iter().enumerate().filter(move |(k, _)| hand >> k & 1 == 1).map(|(_, n)| *n)
    }

    fn swaps(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        self.jobs.iter().filter_map(|j| if let Job::Swap(a, b) = *j { Some((a, b)) } else { None })
    }
}

/// The tracking world.
#[derive(Clone, Debug)]
pub(crate) struct Tracking {
    scene: Arc<Scene>,
    hands: Hands,
    looked: bool,
    names_seen: bool,
    /// Who is known to swap, and who is known not to, as bits.
    willing: u16,
    unwilling: u16,
    /// With whom a swap came to nothing, one of the two being unwilling.
    refused: Hands,
}

impl Hash for Tracking {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let Scene { people, keys, spelt, jobs, asked, before, after, answer, stubborn } = &*self.scene;
        (people, keys, spelt, jobs, asked).hash(h);
        (before, after, answer, stubborn).hash(h);
        (self.hands, self.looked).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Lists the people.
list() -> [str]
/// Shows the keys of a person; works once.
look(at: str) -> [str] ! NotFound(str) | Spent
/// Two people exchange all their keys; `no` if one of them will not.
swap(a: str, b: str) -> \"ok\" | \"no\" ! NotFound(str) | Denied(str) | Busy | Gone(str, int) | Stale(str)
/// Moves a key from one person to another.
move(key: str, from: str, to: str) -> \"ok\" ! NotFound(str) | Lacks(str) | Has(str)
/// Gives a copy of a key to a person.
grant(key: str, to: str) -> \"ok\" ! NotFound(str) | Has(str)
/// Takes a key away from a person.
revoke(key: str, from: str) -> \"ok\" ! NotFound(str) | Lacks(str)
/// Lets time pass.
wait() -> str
/// Asks for access to a person.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

fn spell(name: Name) -> Value {
    Value::str(name.as_str())
}

impl Tracking {
    fn person(&self, call: &Call, arg: &str) -> Result<usize, Outcome> {
        let found = self.scene.person(name_arg(call, arg));
        found.ok_or_else(|| Outcome::refuse("NotFound", [Value::str(text(call, arg))]))
    }

    fn key(&self, call: &Call) -> Result<usize, Outcome> {
        let found = self.scene.key(name_arg(call, "key"));
        found.ok_or_else(|| Outcome::refuse("NotFound", [Value::str(text(call, "key"))]))
    }

    fn has(&self, person: usize, key: usize) -> bool {
        self.hands[person] >> key & 1 == 1
    }

    /// Refuses, with the person's name, unless the person has or lacks the key as `must` says.
    fn require(&self, person: usize, key: usize, must: bool) -> Result<(), Outcome> {
        if self.has(person, key) == must {
            return Ok(());
        }
        let error = if must { "Lacks" } else { "Has" };
        Err(Outcome::refuse(error, [spell(self.scene.people[person])]))
    }

    fn swap(&mut self, a: usize, b: usize) -> Outcome {
        let pair = 1 << a | 1 << b;
        let ok = a == b || self.scene.stubborn & pair == 0;
        let known = a == b
            || self.willing & pair == pair
            || self.unwilling & pair != 0
            || self.refused[a] >> b & 1 == 1;
        if ok {
            self.hands.swap(a, b);
            self.willing |= if a == b { 0 } else { pair };
        } else {
            self.refused[a] |= 1 << b;
            self.refused[b] |= 1 << a;
        }
        // Who was refused by one known to swap will not.
        for p in 0..PEOPLE {
            if self.refused[p] & self.willing != 0 {
                self.unwilling |= 1 << p;
            }
        }
        Outcome::Observation { value: Value::str(if ok { "ok" } else { "no" }), own: !known }
    }

    fn change(&mut self, call: &Call) -> Result<Outcome, Outcome> {
        match call.tool.as_str() {
            "swap" => {
                let (a, b) = (self.person(call, "a")?, self.person(call, "b")?);
                return Ok(self.swap(a, b));
            }
            "move" => {
                let (key, from, to) = (self.key(call)?, self.person(call, "from")?, self.person(call, "to")?);
                self.require(from, key, true)?;
                self.require(to, key, false)?;
                self.hands[from] &= !(1 << key);
                self.hands[to] |= 1 << key;
            }
            "grant" => {
                let (key, to) = (self.key(call)?, self.person(call, "to")?);
                self.require(to, key, false)?;
                self.hands[to] |= 1 << key;
            }
            "revoke" => {
                let (key, from) = (self.key(call)?, self.person(call, "from")?);
                self.require(from, key, true)?;
                self.hands[from] &= !(1 << key);
            }
            "look" => {
                let at = self.person(call, "at")?;
                if std::mem::replace(&mut self.looked, true) {
                    return Err(Outcome::refuse("Spent", []));
                }
                let keys = self.scene.keys_of(self.hands[at]).map(spell).collect();
                return Ok(Outcome::known(Value::List(keys)));
            }
            "list" => {
                let mut people = self.scene.people.clone();
                people.sort_unstable();
                let people = people.into_iter().map(spell).collect();
                return Ok(Outcome::shown(Value::List(people), &mut self.names_seen));
            }
            "ask" => {
                self.person(call, "name")?;
                return Ok(Outcome::known(Value::str("granted")));
            }
            _ => {}
        }
        Ok(Outcome::known(Value::str("ok")))
    }
}

impl Kind for Tracking {
    type World = Self;
    const NAME: &str = "tracking";
    const HELD_OUT: Option<&str> = Some("the patterns of jobs (from level 3 on)");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::StateTracking]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Misspelt, Denied, Stale, Gone, Planted, Inherited]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let listed = 3 + level as usize / 2;
        let mut scene = draw(level as usize, listed, names.split(), dice);
        scene.people.extend((0..=listed).map(|_| names.draw(dice)));
        let keys = listed + level as usize / 4;
        scene.keys.extend((0..keys).map(|_| names.draw(dice)));
        while !names.is_clear(scene.people[listed]) {
            scene.people[listed] = names.draw(dice);
        }
        scene.spelt = scene.people[listed];
        let hands = scene.before;
        Tracking {
            scene: Arc::new(scene),
            hands,
            looked: false,
            names_seen: false,
            willing: 0,
            unwilling: 0,
            refused: [0; PEOPLE],
        }
    }
}

impl World for Tracking {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        if fault == FaultKind::Misspelt {
            let scene = Arc::make_mut(&mut self.scene);
            scene.spelt = names.misspell(scene.spelt, dice);
        }
    }

    fn goal(&self) -> String {
        let scene = &*self.scene;
        let with_keys = (0..scene.people.len()).filter(|p| scene.before[*p] != 0);
        let have = with_keys.map(|p| {
            let keys = scene.keys_of(scene.before[p]).map(|k| format!(" {k}")).collect::<String>();
            format!("{}{keys}", scene.people[p])
        });
        let mut goal = have.collect::<Vec<_>>().join(", ");
        for job in &scene.jobs {
            goal += "; ";
            goal += &scene.job(*job);
        }
        format!("{goal}; who has {}?", scene.keys[scene.asked])
    }

    fn step(&mut self, call: &Call) -> Outcome {
        self.change(call).unwrap_or_else(|refusal| refusal)
    }

    fn verify(&self, answer: &str) -> Verification {
        let scene = &*self.scene;
        let hands = scene.before.iter().zip(&scene.after).zip(&self.hands);
        let collateral =
            hands.map(|((before, after), now)| (!(before ^ after) & (before ^ now)).count_ones()).sum();
        let success = self.hands == scene.after && answer == scene.people[scene.answer].as_str();
        Verification { success, collateral }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let scene = &*self.scene;
        let mut people = scene.people.clone();
        // A misspelt name may be tried all the same.
        people.push(scene.spelt);
        people.sort_unstable();
        people.dedup();
        let (n, keys) = (people.len(), scene.keys.len());
        let mut calls = Vec::with_capacity(2 + 2 * n + n * n * (keys + 1) + 2 * n * keys);
        calls.extend(["list", "wait"].map(|tool| Call::new(tool, [])));
        for &a in &people {
            calls.push(Call::new("look", [("at", spell(a))]));
            calls.push(Call::new("ask", [("name", spell(a))]));
            for &key in &scene.keys {
                calls.push(Call::new("grant", [("key", spell(key)), ("to", spell(a))]));
                calls.push(Call::new("revoke", [("key", spell(key)), ("from", spell(a))]));
            }
            for &b in people.iter().filter(|b| **b != a) {
                calls.push(Call::new("swap", [("a", spell(a)), ("b", spell(b))]));
                for &key in &scene.keys {
                    let args = [("key", spell(key)), ("from", spell(a)), ("to", spell(b))];
                    calls.push(Call::new("move", args));
                }
            }
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("swap".into(), self.scene.swaps().count() as u32)
    }

    fn guarded(&self, dice: &mut Dice) -> String {
        let swaps: Vec<usize> = self.scene.swaps().map(|(a, _)| a).collect();
        self.scene.people[swaps[dice.below(swaps.len())]].to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        (call.tool == "swap").then(|| text(call, "a").to_owned())
    }

    fn mistake(&self, dice: &mut Dice) -> Vec<Call> {
        // A swap that is no job now, of two who will.
        let scene = &*self.scene;
        let with_keys = || (0..scene.people.len()).filter(|p| scene.before[*p] != 0);
        let willing = |p: usize| scene.stubborn >> p & 1 == 0;
        let pairs = with_keys().flat_map(|a| with_keys().map(move |b| (a, b)));
        let first = |(a, b)| matches!(scene.jobs[0], Job::Swap(x, y) if (x, y) == (a, b) || (y, x) == (a, b));
        let wrong: Vec<(usize, usize)> =
            pairs.filter(|&(a, b)| a != b && willing(a) && willing(b) && !first((a, b))).collect();
        let Some(&(a, b)) = wrong.get(dice.below(wrong.len().max(1))) else { return Vec::new() };
        vec![Call::new("swap", [("a", spell(scene.people[a])), ("b", spell(scene.people[b]))])]
    }

    fn undo(call: &Call) -> Option<Call> {
        Some(call.clone())
    }

    fn refresh(name: &str) -> Call {
        Call::new("look", [("at", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        fault == FaultKind::Misspelt
            && error.name == "NotFound"
            && carried(error) == self.scene.spelt.as_str()
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self.scene, expert);
    }
}

/// Draws a scene without names, until the pattern of its jobs is of the split and there is something to ask.
fn draw(level: usize, listed: usize, split: Split, dice: &mut Dice) -> Scene {
    let keys = listed + level / 4;
    loop {
        let mut before: Hands = [0; PEOPLE];
        for key in 0..keys {
            before[if key < listed { key } else { dice.below(listed) }] |= 1 << key;
        }
        let mut stubborn = 0u16;
        if level > 1 {
            for _ in 0..if level < 6 { dice.below(3).min(1) } else { dice.below(3) } {
                stubborn |= 1 << dice.below(listed + 1);
            }
        }
        // As things are, and as they would be if everybody swapped.
        let (mut hands, mut naive) = (before, before);
        let mut jobs = Vec::with_capacity(1 + level);
        // Who had a key when the goal last named it, and how often it has changed hands.
        let mut named: Vec<Option<usize>> = (0..keys).map(|k| holder(k, &before)).collect();
        let mut changes = vec![0u32; keys];
        let newcomer = dice.below(1 + level);
        for i in 0..1 + level {
            let job = job(level, listed, i == newcomer, &hands, dice);
            let old = hands;
            apply(job, &mut hands, stubborn);
            apply(job, &mut naive, 0);
            for (key, n) in changes.iter_mut().enumerate() {
                *n += u32::from(holder(key, &old) != holder(key, &hands));
            }
            match job {
                Job::Move { key, to } | Job::Grant { key, to } => named[key] = Some(to),
                _ => {}
            }
            jobs.push(job);
        }
        let askable = |k: &usize| holder(*k, &hands).is_some_and(|p| named[*k] != Some(p));
        // What the refusals matter to, before what changed hands most often.
        let worth = |k: usize| (holder(k, &hands) != holder(k, &naive), changes[k]);
        let most = (0..keys).filter(askable).map(worth).max();
        let candidates: Vec<usize> = (0..keys).filter(askable).filter(|k| Some(worth(*k)) == most).collect();
        let Some(&asked) = candidates.get(dice.below(candidates.len().max(1))) else { continue };
        let Some(answer) = holder(asked, &hands) else { continue };
        if level < pattern::FROM || pattern::side(pattern::signature(&before, &jobs, asked)) == split {
            let spelt = Name::NONE;
            let (people, keys) = (Vec::with_capacity(listed + 1), Vec::with_capacity(keys));
            return Scene { people, keys, spelt, jobs, asked, before, after: hands, answer, stubborn };
        }
    }
}

/// Draws a job; the newcomer (who has no keys in the beginning and is named once) swaps.
fn job(level: usize, listed: usize, newcomer: bool, hands: &Hands, dice: &mut Dice) -> Job {
    let to = dice.below(listed);
    let other = (to + 1 + dice.below(listed - 1)) % listed;
    if newcomer {
        return if dice.coin() { Job::Swap(listed, to) } else { Job::Swap(to, listed) };
    }
    let key = dice.below(listed + level / 4);
    let kind = match level {
        1 | 2 => 0,
        3 | 4 => dice.below(3),
        _ => dice.below(6),
    };
    match (kind, holder(key, hands)) {
        (2 | 3, Some(from)) if from != to => Job::Move { key, to },
        (4, Some(from)) if from != to => Job::Grant { key, to },
        (5, _) if holders(key, hands).next().is_some() => Job::Revoke { key },
        _ => Job::Swap(to, other),
    }
}
