//! Logic: facts that follow from others by rules, and some that must be looked up.
//!
//! | level | rules needed, a chain | facts to be looked up, at most | rules not needed | order of the rules |
//! |---|---|---|---|---|
//! | ℓ | 2 + ℓ | 3 + ⌊ℓ/2⌋ | ⌊(ℓ+1)/2⌋ | of deduction; from level 2 on shuffled |
//!
//! Goal: `lupa if kilo and not tola; zeru if bimu or lupa; rika if not zeru or kilo; which of zeru lupa rika hold?`. A fact holds if its
//! rule says so, and only then; what has no rule is looked up. Every rule needs the one before it in the chain, so the depth of the
//! deduction is 2 + ℓ; the last three are asked for. The answer names those that hold in the order of the question; neither all nor
//! none do. Nothing can be changed, so there is no collateral damage.
//!
//! Whether a fact is to hold is drawn first, and then a rule and its `not`s that make it so, so that the words alone tell nothing of the
//! answer. What stands beside the chain decides a rule by itself in one of 2·(2 + ℓ): in most tasks the chain must be followed to its end.
//!
//! **Held-out structure**: besides the names, the *deduction* decides the split: a hash of what is asked for, unfolded by the rules, without
//! names. It belongs to `Test` if it is divisible by four, otherwise to `Train`.
//!
//! **Faults**: `transient` and `gone` strike `check`; `misspelt` and `denied` strike the fact that the expert looks up first, `stale` the first
//! check (the answer is the opposite of the truth, marked `old`).
//!
//! The expert looks up what decides a rule soonest, and nothing that no longer matters. How far that is from the fewest looks on average
//! is checked on small instances (see the tests). It waits where `check` is gone.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, SpanKind, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::{Recorder, carried};
use crate::faults::FaultKind;
use crate::hash::mix;
use crate::names::{Name, Names, nearest};
use crate::task::Split;
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

/// Facts that are asked for.
const ASKED: usize = 3;

/// A fact, or that it does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Literal {
    fact: usize,
    holds: bool,
}

/// What the goal tells of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Is {
    /// Nothing: it must be looked up.
    Hidden,
    /// By a rule: both, or one of them.
    Both(Literal, Literal),
    Either(Literal, Literal),
}

impl Is {
    fn parts(self) -> Option<(Literal, Literal)> {
        match self {
            Is::Hidden => None,
            Is::Both(a, b) | Is::Either(a, b) => Some((a, b)),
        }
    }
}

/// What never changes in an episode. Each fact depends only on those before it.
#[derive(Clone, Debug)]
struct Case {
    is: Vec<Is>,
    value: Vec<bool>,
    /// As the goal spells them.
    names: Vec<Name>,
    /// The fact that the expert looks up first, and what it is really called.
    first: (usize, Name),
    /// The order in which the goal tells the rules.
    told: Vec<usize>,
    asked: Vec<usize>,
    /// How many facts the expert looks up.
    looks: u32,
}

impl Case {
    fn literal(&self, l: Literal) -> String {
        format!("{}{}", if l.holds { "" } else { "not " }, self.names[l.fact])
    }

    /// The real names of what can be looked up.
    fn hidden(&self) -> impl Iterator<Item = (usize, Name)> {
        let name = |i| if i == self.first.0 { self.first.1 } else { self.names[i] };
        (0..self.is.len()).filter(|i| self.is[*i] == Is::Hidden).map(move |i| (i, name(i)))
    }

    fn find(&self, name: Option<Name>) -> Option<usize> {
        self.hidden().find(|(_, n)| Some(*n) == name).map(|(i, _)| i)
    }

    fn answer(&self) -> String {
        let hold: Vec<&str> =
            self.asked.iter().filter(|i| self.value[**i]).map(|i| self.names[*i].as_str()).collect();
        hold.join(" ")
    }
}

/// The logic world.
#[derive(Clone, Debug)]
pub(crate) struct Logic {
    case: Arc<Case>,
    /// Which facts have been looked up, as bits.
    seen: u64,
    names_seen: bool,
}

impl Hash for Logic {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let Case { is, value, names, first, told, asked, looks: _ } = &*self.case;
        (is, value, names, first, told, asked).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Tells whether a fact holds that no rule tells of.
check(fact: str) -> bool ! NotFound(str) | Denied(str) | Busy | Gone(str, int)
/// Lists the facts that can be checked.
list() -> [str]
/// Waits.
wait() -> str
/// Asks for access to a fact.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

fn check(name: Name) -> Call {
    Call::new("check", [("fact", Value::str(name.as_str()))])
}

/// What is known of the facts so far, and how the expert learns more.
struct Deduction<'a> {
    is: &'a [Is],
    known: Vec<Option<bool>>,
}

impl Deduction<'_> {
    fn new(is: &[Is]) -> Deduction<'_> {
        Deduction { is, known: vec![None; is.len()] }
    }

    /// How many facts must be looked up, at most, to know this one.
    fn unknown(&self, fact: usize) -> u32 {
        let mut below = vec![false; self.is.len()];
        below[fact] = true;
        let mut count = 0;
        for i in (0..=fact).rev().filter(|i| self.known[*i].is_none()) {
            if !below[i] {
                continue;
            }
            match self.is[i].parts() {
                None => count += 1,
                Some((a, b)) => [a, b].iter().for_each(|l| below[l.fact] = true),
            }
        }
        count
    }

    /// Whether a fact holds. `look` looks one up, `told` is given what follows: the fact, whether it holds, and from what.
    fn holds(
        &mut self,
        fact: usize,
        look: &mut dyn FnMut(usize) -> Option<bool>,
        told: &mut dyn FnMut(usize, bool, &[Literal]),
    ) -> Option<bool> {
        if let Some(known) = self.known[fact] {
            return Some(known);
        }
        let holds = match self.is[fact].parts() {
            None => look(fact)?,
            Some((a, b)) => {
                // One that is so (or not so) decides; the sooner known one first.
                let decides = matches!(self.is[fact], Is::Either(..));
                let (a, b) = if self.unknown(b.fact) < self.unknown(a.fact) { (b, a) } else { (a, b) };
                let first = self.holds(a.fact, look, told)?;
                let is_so = |l: Literal, holds| Literal { fact: l.fact, holds };
                if (first == a.holds) == decides {
                    told(fact, decides, &[is_so(a, first)]);
                    decides
                } else {
                    let second = self.holds(b.fact, look, told)?;
                    let holds = second == b.holds;
                    if holds == decides {
                        told(fact, holds, &[is_so(b, second)]);
                    } else {
                        told(fact, holds, &[is_so(a, first), is_so(b, second)]);
                    }
                    holds
                }
            }
        };
        self.known[fact] = Some(holds);
        Some(holds)
    }
}

/// What is asked for in the order of the chain: what one must know anyway decides what builds on it.
fn in_order(asked: &[usize]) -> Vec<usize> {
    let mut order = asked.to_vec();
    order.sort_unstable();
    order
}

/// The facts that the expert looks up to know what is asked for, in its order.
fn looks(is: &[Is], value: &[bool], asked: &[usize]) -> Vec<usize> {
    let mut looked = Vec::new();
    let mut deduction = Deduction::new(is);
    for fact in in_order(asked) {
        let mut look = |i: usize| {
            looked.push(i);
            Some(value[i])
        };
        deduction.holds(fact, &mut look, &mut |_, _, _| ());
    }
    looked
}

/// The signature of what is asked for, unfolded.
fn signature(is: &[Is], asked: &[usize]) -> u64 {
    let mut of: Vec<u64> = Vec::with_capacity(is.len());
    for is in is {
        let literal = |l: Literal| mix(of.get(l.fact).copied().unwrap_or_default() ^ u64::from(l.holds) << 7);
        of.push(match *is {
            Is::Hidden => 1,
            Is::Both(a, b) => mix(literal(a).wrapping_add(literal(b)) ^ 0x61),
            Is::Either(a, b) => mix(literal(a).wrapping_add(literal(b)) ^ 0x6f),
        });
    }
    asked.iter().fold(3, |h, i| mix(h ^ of[*i]))
}

fn side(signature: u64) -> Split {
    if signature.is_multiple_of(4) { Split::Test } else { Split::Train }
}

/// A rule that makes a fact hold or not, of two others.
fn rule(a: usize, b: usize, value: &[bool], dice: &mut Dice) -> (Is, bool) {
    let (both, holds) = (dice.coin(), dice.coin());
    // Whether the two parts are so: what both (or either) of them makes of it is what was drawn.
    let parts = match (both == holds, dice.below(3)) {
        (true, _) => [holds, holds],
        (false, 0) => [holds, holds],
        (false, 1) => [holds, !holds],
        (false, _) => [!holds, holds],
    };
    let literal = |fact: usize, so: bool| Literal { fact, holds: value[fact] == so };
    let (a, b) = (literal(a, parts[0]), literal(b, parts[1]));
    (if both { Is::Both(a, b) } else { Is::Either(a, b) }, holds)
}

/// A rule that builds on the last one of the chain. What stands beside the chain seldom `decides`: then the chain must be followed down.
fn link(last: usize, beside: usize, value: &[bool], decides: bool, dice: &mut Dice) -> (Is, bool) {
    let holds = dice.coin();
    let (both, last_is_so, beside_is_so) = if decides {
        (!holds, dice.coin(), holds)
    } else {
        let both = dice.coin();
        (both, holds, both)
    };
    let literal = |fact: usize, so: bool| Literal { fact, holds: value[fact] == so };
    let (mut a, mut b) = (literal(last, last_is_so), literal(beside, beside_is_so));
    if dice.coin() {
        std::mem::swap(&mut a, &mut b);
    }
    (if both { Is::Both(a, b) } else { Is::Either(a, b) }, holds)
}

/// Draws facts and rules until the deduction is of the split, and what is looked up first stands in one rule alone.
fn draw(level: usize, split: Split, dice: &mut Dice) -> Case {
    loop {
        let base = 3 + level / 2;
        let mut is = vec![Is::Hidden; base];
        let mut value: Vec<bool> = (0..base).map(|_| dice.coin()).collect();
        let mut unused: Vec<usize> = (0..base).collect();
        let mut last = unused.swap_remove(dice.below(unused.len()));
        for left in (1..=2 + level).rev() {
            let other = if unused.len() >= left || (!unused.is_empty() && dice.coin()) {
                unused.swap_remove(dice.below(unused.len()))
            } else {
                // One used before, but not the last one.
                let earlier: Vec<usize> =
                    (0..is.len()).filter(|i| *i != last && !unused.contains(i)).collect();
                match earlier.get(dice.below(earlier.len().max(1))) {
                    Some(i) => *i,
                    None => unused.swap_remove(0),
                }
            };
            let decides = dice.below(2 * (2 + level)) == 0;
            let (rule, holds) = link(last, other, &value, decides, dice);
            is.push(rule);
            value.push(holds);
            last = is.len() - 1;
        }
        let mut asked: Vec<usize> = (is.len() - ASKED..is.len()).collect();
        dice.shuffle(&mut asked);
        let looked = looks(&is, &value, &asked);
        let uses = |fact: usize| {
            is.iter().filter_map(|r| r.parts()).filter(|(a, b)| a.fact == fact || b.fact == fact).count()
        };
        let mixed = asked.iter().any(|i| value[*i]) && !asked.iter().all(|i| value[*i]);
        if !mixed || looked.len() < 2 || uses(looked[0]) != 1 || side(signature(&is, &asked)) != split {
            continue;
        }
        // What is not needed, of anything but what is looked up first.
        is.push(Is::Hidden);
        value.push(dice.coin());
        for i in 0..level.div_ceil(2) {
            let a = if i == 0 { is.len() - 1 } else { other_than(&[looked[0]], is.len(), dice) };
            let b = other_than(&[looked[0], a], is.len(), dice);
            let (rule, holds) = rule(a, b, &value, dice);
            is.push(rule);
            value.push(holds);
        }
        let mut told: Vec<usize> = (0..is.len()).filter(|i| is[*i] != Is::Hidden).collect();
        if level > 1 {
            dice.shuffle(&mut told);
        }
        let (first, looks) = ((looked[0], Name::NONE), looked.len() as u32);
        return Case { is, value, names: Vec::new(), first, told, asked, looks };
    }
}

/// A number below `n` that is none of these.
fn other_than(these: &[usize], n: usize, dice: &mut Dice) -> usize {
    loop {
        let i = dice.below(n);
        if !these.contains(&i) {
            return i;
        }
    }
}

impl Kind for Logic {
    type World = Self;
    const NAME: &str = "logic";
    const HELD_OUT: Option<&str> = Some("the deductions");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Misspelt, Denied, Stale, Gone]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let mut case = draw(level as usize, names.split(), dice);
        let mut all: Vec<Name> = (0..case.is.len()).map(|_| names.draw(dice)).collect();
        let first = &mut all[case.first.0];
        while !names.is_clear(*first) {
            *first = names.draw(dice);
        }
        case.first.1 = *first;
        case.names = all;
        Logic { case: Arc::new(case), seen: 0, names_seen: false }
    }
}

impl Logic {
    fn fact(&self, call: &Call, arg: &str) -> Result<usize, Outcome> {
        let found = self.case.find(name_arg(call, arg));
        found.ok_or_else(|| Outcome::refuse("NotFound", [Value::str(text(call, arg))]))
    }
}

impl World for Logic {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        if fault == FaultKind::Misspelt {
            let case = Arc::make_mut(&mut self.case);
            case.names[case.first.0] = names.misspell(case.first.1, dice);
        }
    }

    fn goal(&self) -> String {
        let case = &*self.case;
        let mut goal = String::with_capacity(case.told.len() * 32);
        for &i in &case.told {
            let (Is::Both(a, b) | Is::Either(a, b)) = case.is[i] else { continue };
            let join = if matches!(case.is[i], Is::Both(..)) { "and" } else { "or" };
            goal += &format!("{} if {} {join} {}; ", case.names[i], case.literal(a), case.literal(b));
        }
        let asked: Vec<&str> = case.asked.iter().map(|i| case.names[*i].as_str()).collect();
        goal + &format!("which of {} hold?", asked.join(" "))
    }

    fn step(&mut self, call: &Call) -> Outcome {
        match call.tool.as_str() {
            "check" => match self.fact(call, "fact") {
                Ok(i) => {
                    let mut seen = self.seen >> i & 1 == 1;
                    self.seen |= 1 << i;
                    Outcome::shown(Value::Bool(self.case.value[i]), &mut seen)
                }
                Err(refusal) => refusal,
            },
            "list" => {
                let names = self.case.hidden().map(|(_, n)| Value::str(n.as_str())).collect();
                Outcome::shown(Value::List(names), &mut self.names_seen)
            }
            "wait" => Outcome::known(Value::str("ok")),
            _ => match self.fact(call, "name") {
                Ok(_) => Outcome::known(Value::str("granted")),
                Err(refusal) => refusal,
            },
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == self.case.answer(), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut names: Vec<Name> = self.case.hidden().map(|(_, n)| n).collect();
        // A misspelt name may be tried all the same.
        names.push(self.case.names[self.case.first.0]);
        names.sort_unstable();
        names.dedup();
        let mut calls = ["list", "wait"].map(|tool| Call::new(tool, [])).to_vec();
        for name in names {
            calls.extend([check(name), Call::new("ask", [("name", Value::str(name.as_str()))])]);
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("check".into(), self.case.looks)
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.case.first.1.to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        (call.tool == "check").then(|| text(call, "fact").to_owned())
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        let fact = self.case.find(name_arg(call, "fact")).filter(|_| call.tool == "check")?;
        Some(Value::Bool(!self.case.value[fact]))
    }

    fn refresh(name: &str) -> Call {
        Call::new("check", [("fact", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        fault == FaultKind::Misspelt
            && error.name == "NotFound"
            && carried(error) == self.case.names[self.case.first.0].as_str()
    }

    fn solve(self, expert: &mut Recorder) {
        let case = &*self.case;
        let asked: Vec<&str> = case.asked.iter().map(|i| case.names[*i].as_str()).collect();
        expert.say(SpanKind::Plan, format!("deduce {}", asked.join(", ")));
        let expert = std::cell::RefCell::new(expert);
        let mut deduction = Deduction::new(&case.is);
        for fact in in_order(&case.asked) {
            let mut look = |i: usize| look_up(case.names[i], &mut expert.borrow_mut());
            let mut told = |i: usize, holds: bool, from: &[Literal]| {
                let from: Vec<String> = from.iter().map(|l| case.literal(*l)).collect();
                let follows = case.literal(Literal { fact: i, holds });
                expert.borrow_mut().say(SpanKind::Thought, format!("{}: {follows}", from.join(", ")));
            };
            if deduction.holds(fact, &mut look, &mut told).is_none() {
                return;
            }
        }
        let holds = |i: &&usize| deduction.known[**i] == Some(true);
        let hold: Vec<&str> = case.asked.iter().filter(holds).map(|i| case.names[*i].as_str()).collect();
        expert.borrow_mut().say(SpanKind::Answer, hold.join(" "));
    }
}

/// Looks a fact up, under the nearest name if there is none of this name.
fn look_up(name: Name, expert: &mut Recorder) -> Option<bool> {
    let outcome = match expert.insist::<Logic>(&check(name)) {
        Outcome::Error(error) => {
            let wrong = carried(&error);
            expert.reflect(format!("there is no {wrong}, list the facts"));
            let Outcome::Observation { value: Value::List(items), .. } =
                expert.insist::<Logic>(&Call::new("list", []))
            else {
                return None;
            };
            let name = nearest(wrong, items.iter().filter_map(|v| Name::parse(v.as_str()?)))?;
            expert.reflect(format!("it is {name}"));
            expert.insist::<Logic>(&check(name))
        }
        seen => seen,
    };
    match outcome {
        Outcome::Observation { value: Value::Bool(holds), .. } => Some(holds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn evaluate(is: &[Is], base: &dyn Fn(usize) -> bool) -> Vec<bool> {
        let mut value: Vec<bool> = Vec::new();
        for (i, rule) in is.iter().enumerate() {
            let so = |l: Literal| value[l.fact] == l.holds;
            value.push(match *rule {
                Is::Hidden => base(i),
                Is::Both(a, b) => so(a) && so(b),
                Is::Either(a, b) => so(a) || so(b),
            });
        }
        value
    }

    #[test]
    fn deductions_are_as_deep_as_the_level_says_and_true_as_often_as_not() {
        for level in [1, 2, 5, 12] {
            let (mut holding, mut of, mut looked) = (0, 0, 0);
            for seed in 0..400 {
                let mut dice = Dice::new("test", &[seed, level]);
                let case = draw(level as usize, Split::Train, &mut dice);
                assert_eq!(case.value, evaluate(&case.is, &|i| case.value[i]));
                let mut depth: Vec<usize> = Vec::new();
                for is in &case.is {
                    depth.push(is.parts().map_or(0, |(a, b)| 1 + depth[a.fact].max(depth[b.fact])));
                }
                assert_eq!(case.asked.iter().map(|i| depth[*i]).max(), Some(2 + level as usize));
                looked += case.looks;
                holding += case.asked.iter().filter(|i| case.value[**i]).count();
                of += ASKED;
            }
            assert!((0.45..0.55).contains(&(holding as f64 / of as f64)), "{holding} of {of}");
            // Most of what can be looked up matters.
            let most = 400 * (3 + level as u32 / 2);
            assert!(looked * 10 > most * 7, "level {level}: {looked} of {most}");
        }
    }

    #[test]
    fn what_a_test_task_asks_no_training_task_does() {
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        for split in Split::ALL {
            for seed in 0..1_500 {
                let mut dice = Dice::new("test", &[seed, split as u64]);
                let case = draw(1 + (seed % 3) as usize, split, &mut dice);
                seen[split as usize].insert(signature(&case.is, &case.asked));
            }
        }
        assert!(seen[0].is_disjoint(&seen[1]) && seen[1].len() > 100, "{:?}", seen.map(|s| s.len()));
    }

    /// The fewest looks on average over all that the facts may be (each as likely as the others), for one who knows what `told` says:
    /// by exhaustive search.
    fn optimum(is: &[Is], asked: &[usize], base: &[usize], told: &mut Vec<Option<bool>>) -> f64 {
        // Whether what is asked for is the same whatever the rest is.
        let open: Vec<usize> = (0..base.len()).filter(|i| told[*i].is_none()).collect();
        let mut answers = BTreeSet::new();
        for bits in 0..1u32 << open.len() {
            let at = |i: usize| base.iter().position(|b| *b == i).expect("a fact that is looked up");
            let of = |i: usize| {
                let i = at(i);
                told[i].unwrap_or_else(|| bits >> open.iter().position(|o| *o == i).expect("open") & 1 == 1)
            };
            let value = evaluate(is, &of);
            answers.insert(asked.iter().map(|i| value[*i]).collect::<Vec<bool>>());
        }
        if answers.len() == 1 {
            return 0.0;
        }
        let mut least = f64::INFINITY;
        for i in open {
            let mut sum = 0.0;
            for holds in [false, true] {
                told[i] = Some(holds);
                sum += optimum(is, asked, base, told);
            }
            told[i] = None;
            least = least.min(1.0 + sum / 2.0);
        }
        least
    }

    #[test]
    fn the_expert_looks_little_more_than_the_best_strategy() {
        let (mut made, mut least) = (0.0, 0.0);
        for seed in 0..60 {
            let level = 1 + seed % 4;
            let mut dice = Dice::new("test", &[seed]);
            let case = draw(level as usize, Split::Train, &mut dice);
            // Without what is not needed.
            let is = &case.is[..3 + level as usize / 2 + 2 + level as usize];
            let base: Vec<usize> = (0..is.len()).filter(|i| is[*i] == Is::Hidden).collect();
            least += optimum(is, &case.asked, &base, &mut vec![None; base.len()]);
            for bits in 0..1u32 << base.len() {
                let value = evaluate(is, &|i| {
                    bits >> base.iter().position(|b| *b == i).expect("a fact that is looked up") & 1 == 1
                });
                made += looks(is, &value, &case.asked).len() as f64 / f64::from(1 << base.len());
            }
        }
        println!("{made:.2} looks, at best {least:.2}");
        assert!(made >= least - 1e-9 && made < 1.15 * least, "{made} {least}");
    }
}
