//! Arithmetic: named quantities that depend on each other, some to be looked up, and a calculator.
//!
//! | level | calculations | looked up | not needed: calculations, looked up | stated numbers | order |
//! |---|---|---|---|---|---|
//! | ℓ | 1 + ℓ | 1 + ⌊ℓ/3⌋ | ⌊(ℓ+1)/2⌋, 1 | to 9; from level 3 on to 20, half of them named | of computing; from level 2 on shuffled |
//!
//! Goal: `lupa = kilo + 7; zeru = bimu - 2; tola = lupa * 3; tola?`. A name that stands on no left side (`kilo`) is
//! looked up. The needed calculations form a graph: from level 3 on a quantity may be used more than once. All
//! numbers on the way are whole, from 0 to 99. The answer is the number asked for, and success is the exact
//! answer; nothing can be changed, so there is no collateral damage.
//!
//! **Held-out structure**: besides the names, the *formula* decides the split. Its signature is a hash of the needed
//! calculation, unfolded from what is asked down to `looked up` and `stated`, without names and numbers, sums and
//! products in any order; it belongs to `Test` if it is divisible by four, otherwise to `Train`.
//!
//! **Faults**: `transient` and `gone` strike the tool that computes what is asked, in one of its calls. `misspelt` and
//! `denied` strike a quantity that is looked up, `stale` the first `look` (wrong by 1 to 9).
//!
//! `arithmetic_mental` is the same without the tools that calculate: what is not looked up is worked out in thought. Its faults strike
//! `look`.
//!
//! The expert is optimal among agents that find every needed quantity with the tools: one look or calculation each. While
//! a tool is away it takes another at no cost (`sub` of a negative number for `add`, `add` for `sub`, `add` for doubling),
//! or does what else can be done; only where nothing else is left, three or four times something is two sums.

mod expert;
mod formula;

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

pub use formula::formula;

/// No number on the way is larger.
const LARGEST: i64 = 99;
/// Arguments of a calculation may be this large.
const RANGE: i64 = 1_000_000;
/// How many results an agent is taken to have in mind, for the legal actions.
const IN_MIND: usize = 24;

/// A calculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Op {
    Add,
    Sub,
    Mul,
}

impl Op {
    const fn tool(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Sub => "sub",
            Op::Mul => "mul",
        }
    }

    const fn sign(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
        }
    }

    const fn apply(self, a: i64, b: i64) -> i64 {
        match self {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
        }
    }
}

/// One side of a calculation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Part {
    Number(i64),
    /// The quantity with this index.
    Of(usize),
}

/// What is known of a quantity from the goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Is {
    /// Nothing: it must be looked up.
    Hidden,
    Stated(i64),
    /// For a product, the second part is from 2 to 4.
    Made(Op, Part, Part),
}

/// The quantities, the same throughout an episode. Each depends only on those before it.
#[derive(Clone, Debug)]
struct Problem {
    is: Vec<Is>,
    value: Vec<i64>,
    /// As the goal spells them; a misspelling concerns the first alone.
    names: Vec<Name>,
    /// What the first, which is looked up, is really called.
    first: Name,
    /// The order in which the goal tells what is not hidden.
    told: Vec<usize>,
    asked: usize,
}

impl Problem {
    fn part(&self, part: Part) -> String {
        match part {
            Part::Number(n) => n.to_string(),
            Part::Of(i) => self.names[i].to_string(),
        }
    }

    /// Every number that the goal states.
    fn stated(&self) -> impl Iterator<Item = i64> {
        self.is
            .iter()
            .flat_map(|is| {
                let number = |p: &Part| if let Part::Number(n) = *p { Some(n) } else { None };
                match is {
                    Is::Hidden => [None, None],
                    Is::Stated(n) => [Some(*n), None],
                    Is::Made(_, a, b) => [number(a), number(b)],
                }
            })
            .flatten()
    }

    /// The quantities that the asked one depends on and the asked one, in the order of computing.
    fn needed(&self) -> Vec<usize> {
        let mut needed = vec![false; self.is.len()];
        needed[self.asked] = true;
        for i in (0..self.is.len()).rev().filter(|i| *i <= self.asked) {
            if let (true, Is::Made(_, a, b)) = (needed[i], self.is[i]) {
                for part in [a, b] {
                    if let Part::Of(j) = part {
                        needed[j] = true;
                    }
                }
            }
        }
        (0..self.is.len()).filter(|i| needed[*i]).collect()
    }

    /// The real names of what can be looked up, with the quantities.
    fn hidden(&self) -> impl Iterator<Item = (usize, Name)> {
        let name = |i| if i == 0 { self.first } else { self.names[i] };
        (0..self.is.len()).filter(|i| self.is[*i] == Is::Hidden).map(move |i| (i, name(i)))
    }

    fn find(&self, name: Option<Name>) -> Option<usize> {
        self.hidden().find(|(_, n)| Some(*n) == name).map(|(i, _)| i)
    }
}

/// Draws quantities.
struct Draft<'a> {
    level: usize,
    is: Vec<Is>,
    value: Vec<i64>,
    dice: &'a mut Dice,
}

impl Draft<'_> {
    fn push(&mut self, is: Is, value: i64) -> usize {
        self.is.push(is);
        self.value.push(value);
        self.is.len() - 1
    }

    fn hide(&mut self) -> usize {
        let value = self.dice.between(2, if self.level < 3 { 20 } else { 40 });
        self.push(Is::Hidden, value)
    }

    /// A stated number, with or without a name.
    fn state(&mut self, n: i64) -> Part {
        let named = self.level >= 3 && self.dice.coin();
        if named { Part::Of(self.push(Is::Stated(n), n)) } else { Part::Number(n) }
    }

    fn make(&mut self, op: Op, a: (Part, i64), b: (Part, i64)) -> usize {
        self.push(Is::Made(op, a.0, b.0), op.apply(a.1, b.1))
    }

    /// A sum or difference of two quantities.
    fn join(&mut self, a: usize, b: usize) -> usize {
        let (x, y) = (self.value[a], self.value[b]);
        let add = x + y <= LARGEST && (x == y || self.dice.coin());
        let (a, b) = ((Part::Of(a), x), (Part::Of(b), y));
        match (add, x >= y) {
            (true, _) => self.make(Op::Add, a, b),
            (false, true) => self.make(Op::Sub, a, b),
            (false, false) => self.make(Op::Sub, b, a),
        }
    }

    /// A quantity made of another and a stated number.
    fn alter(&mut self, a: usize) -> usize {
        let x = self.value[a];
        let a = (Part::Of(a), x);
        let n = self.dice.between(2, if self.level < 3 { 9 } else { 20 });
        let factor = self.dice.between(2, 4);
        loop {
            let (op, n, first) = match self.dice.below(6) {
                0 | 1 => (Op::Add, n, true),
                2 => (Op::Sub, n, true),
                3 => (Op::Sub, x + n, false),
                _ => (Op::Mul, factor, true),
            };
            let fits = |n: i64| (1..=LARGEST).contains(&n);
            let result = if first { op.apply(x, n) } else { n - x };
            // There is always one that fits: a sum or a difference.
            if fits(n) && fits(result) {
                let b = (self.state(n), n);
                return if first { self.make(op, a, b) } else { self.make(op, b, a) };
            }
        }
    }

    /// Whether this quantity may be used once more: all but the first, which the goal mentions once.
    fn again(&mut self, not: usize) -> Option<usize> {
        let i = self.dice.below(self.is.len());
        (self.level >= 3 && i != 0 && i != not && self.dice.coin()).then_some(i)
    }
}

/// The arithmetic world; `CALCULATOR`: there are tools that calculate.
#[derive(Clone, Debug)]
pub(crate) struct Arithmetic<const CALCULATOR: bool> {
    problem: Arc<Problem>,
    /// The numbers found so far that the goal does not state, the latest last.
    found: Vec<i64>,
    /// Which quantities have been looked up, as bits.
    seen: u64,
    names_seen: bool,
    /// By how much an old value is wrong.
    drift: i64,
}

impl<const CALCULATOR: bool> Hash for Arithmetic<CALCULATOR> {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let Problem { is, value, names, first, told, asked } = &*self.problem;
        (is, names, first, told, asked).hash(h);
        (&value[..], &self.found, self.drift).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Lists what can be looked up.
list() -> [str]
/// Looks a quantity up.
look(of: str) -> int ! NotFound(str) | Denied(str)
/// a + b
add(a: int, b: int) -> int ! Range(int) | Busy | Gone(str, int)
/// a - b
sub(a: int, b: int) -> int ! Range(int) | Busy | Gone(str, int)
/// a * b
mul(a: int, b: int) -> int ! Range(int) | Busy | Gone(str, int)
/// Asks for access to a quantity.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

/// The tools without those that calculate.
static LOOKS: LazyLock<Vec<Tool>> = LazyLock::new(|| {
    let calculates = |t: &Tool| ["add", "sub", "mul"].contains(&t.name.as_str());
    TOOLS.iter().filter(|t| !calculates(t)).cloned().collect()
});

fn calculation(tool: &str, a: i64, b: i64) -> Call {
    Call::new(tool, [("a", Value::int(a)), ("b", Value::int(b))])
}

fn by_name(tool: &str, arg: &'static str, name: Name) -> Call {
    Call::new(tool, [(arg, Value::str(name.as_str()))])
}

impl<const CALCULATOR: bool> Arithmetic<CALCULATOR> {
    fn find(&mut self, n: i64) {
        if self.found.contains(&n) || self.problem.stated().any(|s| s == n) {
            return;
        }
        if self.found.len() == IN_MIND {
            self.found.remove(0);
        }
        self.found.push(n);
    }

    fn calculate(&mut self, op: Op, call: &Call) -> Outcome {
        let number = |name| match call.arg(name).and_then(Value::as_i64) {
            Some(n) if (-RANGE..=RANGE).contains(&n) => Ok(n),
            _ => Err(Outcome::refuse("Range", call.arg(name).cloned())),
        };
        match (number("a"), number("b")) {
            (Ok(a), Ok(b)) => {
                let n = op.apply(a, b);
                self.find(n);
                Outcome::known(Value::int(n))
            }
            (Err(refusal), _) | (_, Err(refusal)) => refusal,
        }
    }
}

impl<const CALCULATOR: bool> Kind for Arithmetic<CALCULATOR> {
    type World = Self;
    const NAME: &str = if CALCULATOR { "arithmetic" } else { "arithmetic_mental" };
    const HELD_OUT: Option<&str> = Some("the formulas");

    fn tools() -> Option<&'static [Tool]> {
        Some(if CALCULATOR { &TOOLS } else { &LOOKS })
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        if CALCULATOR {
            &[Transient, Timeout, Drift, Removed, Wrong, Misspelt, Denied, Stale, Gone]
        } else {
            &[Transient, Timeout, Drift, Misspelt, Denied, Stale]
        }
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let level = level as usize;
        let (is, value, told, asked) = draw(level, names.split(), dice);
        let mut first = names.draw(dice);
        let mut all = vec![first];
        all.extend((1..is.len()).map(|_| names.draw(dice)));
        while !names.is_clear(first) {
            first = names.draw(dice);
        }
        all[0] = first;
        let problem = Problem { is, value, names: all, first, told, asked };
        Arithmetic { problem: Arc::new(problem), found: Vec::new(), seen: 0, names_seen: false, drift: 0 }
    }
}

impl<const CALCULATOR: bool> World for Arithmetic<CALCULATOR> {
    fn tools(&self) -> &[Tool] {
        if CALCULATOR { &TOOLS } else { &LOOKS }
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        match fault {
            FaultKind::Misspelt => {
                let problem = Arc::make_mut(&mut self.problem);
                problem.names[0] = names.misspell(problem.first, dice);
            }
            FaultKind::Stale | FaultKind::Wrong => {
                let up = dice.between(1, 9);
                self.drift = if dice.coin() { up } else { -up };
            }
            _ => {}
        }
    }

    fn goal(&self) -> String {
        let p = &*self.problem;
        let mut goal = String::new();
        for &i in &p.told {
            let name = p.names[i];
            goal += &match p.is[i] {
                Is::Hidden => continue,
                Is::Stated(n) => format!("{name} = {n}; "),
                Is::Made(op, a, b) => format!("{name} = {} {} {}; ", p.part(a), op.sign(), p.part(b)),
            };
        }
        goal += p.names[p.asked].as_str();
        goal + "?"
    }

    fn step(&mut self, call: &Call) -> Outcome {
        let not_found = |arg| Outcome::refuse("NotFound", [Value::str(text(call, arg))]);
        match call.tool.as_str() {
            "add" => self.calculate(Op::Add, call),
            "sub" => self.calculate(Op::Sub, call),
            "mul" => self.calculate(Op::Mul, call),
            "look" => match self.problem.find(name_arg(call, "of")) {
                Some(i) => {
                    let (n, mut seen) = (self.problem.value[i], self.seen >> i & 1 == 1);
                    self.seen |= 1 << i;
                    self.find(n);
                    Outcome::shown(Value::int(n), &mut seen)
                }
                None => not_found("of"),
            },
            "list" => {
                let names = self.problem.hidden().map(|(_, n)| Value::str(n.as_str())).collect();
                Outcome::shown(Value::List(names), &mut self.names_seen)
            }
            _ => match self.problem.find(name_arg(call, "name")) {
                Some(_) => Outcome::known(Value::str("granted")),
                None => not_found("name"),
            },
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        let p = &*self.problem;
        Verification { success: answer == p.value[p.asked].to_string(), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let p = &*self.problem;
        let mut names: Vec<Name> = p.hidden().map(|(_, n)| n).collect();
        // A misspelt name may be tried all the same.
        names.push(p.names[0]);
        names.sort_unstable();
        names.dedup();
        if !CALCULATOR {
            let looks = names.iter().flat_map(|n| [by_name("look", "of", *n), by_name("ask", "name", *n)]);
            return std::iter::once(Call::new("list", [])).chain(looks).collect();
        }
        let mut numbers: Vec<i64> = p.stated().chain(self.found.iter().copied()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut calls = Vec::with_capacity(1 + 2 * names.len() + 5 * numbers.len() * numbers.len());
        calls.push(Call::new("list", []));
        calls.extend(names.iter().flat_map(|n| [by_name("look", "of", *n), by_name("ask", "name", *n)]));
        for &a in &numbers {
            for &b in &numbers {
                calls.extend([Op::Add, Op::Sub, Op::Mul].map(|op| calculation(op.tool(), a, b)));
                if b > 0 && numbers.binary_search(&-b).is_err() {
                    calls.extend([Op::Add, Op::Sub].map(|op| calculation(op.tool(), a, -b)));
                }
            }
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        let p = &*self.problem;
        if !CALCULATOR {
            let looks = p.needed().into_iter().filter(|i| p.is[*i] == Is::Hidden).count();
            return ("look".into(), looks as u32);
        }
        let op = |i: usize| if let Is::Made(op, ..) = p.is[i] { Some(op) } else { None };
        let last = op(p.asked);
        let calls = p.needed().into_iter().filter(|i| last.is_some() && op(*i) == last).count();
        (last.map_or("add", Op::tool).into(), calls as u32)
    }

    fn stale_tool(&self) -> Cow<'static, str> {
        "look".into()
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.problem.first.to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        (call.tool == "look").then(|| text(call, "of").to_owned())
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        if call.tool != "look" {
            return None;
        }
        let n = self.problem.value[self.problem.find(name_arg(call, "of"))?];
        // Never the truth, and never below zero.
        Some(Value::int(if n + self.drift < 0 { n - self.drift } else { n + self.drift }))
    }

    fn deceive(&mut self, call: &Call) -> Option<Value> {
        if call.tool != self.main_tool().0 {
            return None;
        }
        match self.clone().step(call) {
            Outcome::Observation { value, .. } => {
                // Never the truth, and never below zero.
                let wrong = |n: i64| if n + self.drift < 0 { n - self.drift } else { n + self.drift };
                value.as_i64().map(|n| Value::int(wrong(n)))
            }
            Outcome::Error(_) => None,
        }
    }

    fn refresh(name: &str) -> Call {
        Call::new("look", [("of", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        fault == FaultKind::Misspelt
            && error.name == "NotFound"
            && carried(error) == self.problem.names[0].as_str()
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve::<CALCULATOR>(&self.problem, expert);
    }
}

type Drawn = (Vec<Is>, Vec<i64>, Vec<usize>, usize);

/// Draws the quantities of a task, the order of telling them, and the asked one, until the formula is of the split.
fn draw(level: usize, split: Split, dice: &mut Dice) -> Drawn {
    loop {
        let (is, value) = (Vec::with_capacity(40), Vec::with_capacity(40));
        let mut draft = Draft { level, is, value, dice: &mut *dice };
        // What is not used so far; in the end only the asked quantity.
        let mut open: Vec<usize> = (0..1 + level / 3).map(|_| draft.hide()).collect();
        for left in (1..=1 + level).rev() {
            let a = open.swap_remove(draft.dice.below(open.len()));
            // Each join makes one less of what is open.
            let made = if open.len() >= left || (!open.is_empty() && draft.dice.coin()) {
                let b = open.swap_remove(draft.dice.below(open.len()));
                draft.join(a, b)
            } else if let Some(b) = draft.again(a) {
                open.retain(|o| *o != b);
                draft.join(a, b)
            } else {
                draft.alter(a)
            };
            open.push(made);
        }
        let asked = open[0];
        if formula::side(formula::signature(&draft.is, asked)) == split {
            let idle = draft.hide();
            for i in 0..level.div_ceil(2) {
                let of = if i == 0 { idle } else { 1 + draft.dice.below(draft.is.len() - 1) };
                draft.alter(of);
            }
            let Draft { is, value, .. } = draft;
            let mut told: Vec<usize> = (0..is.len()).filter(|i| is[*i] != Is::Hidden).collect();
            if level > 1 {
                dice.shuffle(&mut told);
            }
            return (is, value, told, asked);
        }
    }
}
