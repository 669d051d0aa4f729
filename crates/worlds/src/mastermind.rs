//! Mastermind: a hidden code, and for every guess how many of its signs are right.
//!
//! | level | places | signs |
//! |---|---|---|
//! | ℓ | 2; from level 3 on 3, from level 7 on 4 | 4; from level 5 on 5, from level 9 on 6 |
//!
//! Goal: `a code of 3 signs, each one of bada kilo tupi rika; what is it?`. `guess(code=["bada", "kilo", "bada"])` tells how many signs are in
//! their place (`right`) and how many of the others are in the code at another place (`near`). The answer is the code, a space between
//! two signs. Guessing changes nothing, so there is no collateral damage.
//!
//! Only the names are held out: there are too few codes to keep some for testing.
//!
//! **Faults**: `transient` and `gone` strike `guess`.
//!
//! The expert guesses a code that may still be right, among up to 24 of them the one after which the fewest are left on average; the last
//! one left it answers without guessing it. The best strategy for 4 places and 6 signs needs 4.34 guesses, the last one included (Koyama and
//! Lai 1993); `docs/worlds.md` has the expert's figure.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, SpanKind, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World};

/// The most places and signs.
const PLACES: usize = 4;
const SIGNS: usize = 6;
/// So many codes the expert weighs against each other.
const WEIGHED: usize = 24;
/// So many guesses an agent is taken to have in mind, for the legal actions.
const IN_MIND: usize = 16;

/// A code: the signs by their index, in the first `places`.
type Code = [u8; PLACES];

/// How many signs are in their place, and how many more are in the code.
type Marks = (u8, u8);

fn marks(guess: &Code, code: &Code, places: usize) -> Marks {
    let (mut right, mut counts) = (0, [[0u8; SIGNS]; 2]);
    for (g, c) in guess.iter().zip(code).take(places) {
        right += u8::from(g == c);
        counts[0][usize::from(*g)] += 1;
        counts[1][usize::from(*c)] += 1;
    }
    let common: u8 = (0..SIGNS).map(|s| counts[0][s].min(counts[1][s])).sum();
    (right, common - right)
}

/// Every code, in order.
fn codes(places: usize, signs: usize) -> impl Iterator<Item = Code> {
    (0..signs.pow(places as u32)).map(move |mut n| {
        let mut code = [0; PLACES];
        for sign in code[..places].iter_mut().rev() {
            *sign = (n % signs) as u8;
            n /= signs;
        }
        code
    })
}

/// What to guess next among the codes that may be right.
fn choose(left: &[Code], places: usize) -> Option<Code> {
    let apart = left.len().div_ceil(WEIGHED).max(1);
    // As many to compare with as are weighed themselves, five times over.
    let among = left.len().div_ceil(5 * WEIGHED).max(1);
    let cost = |guess: &Code| {
        let mut counts = [[0u32; PLACES + 1]; PLACES + 1];
        for code in left.iter().step_by(among) {
            let (right, near) = marks(guess, code, places);
            counts[usize::from(right)][usize::from(near)] += 1;
        }
        counts.iter().flatten().map(|n| n * n).sum::<u32>()
    };
    left.iter().step_by(apart).min_by_key(|c| (cost(c), **c)).copied()
}

/// How many guesses the expert makes until it knows the code, and whether the last one was the code itself.
fn play(code: &Code, places: usize, signs: usize) -> (u32, bool) {
    let mut left: Vec<Code> = codes(places, signs).collect();
    let mut guesses = 0;
    while left.len() > 1
        && let Some(guess) = choose(&left, places)
    {
        guesses += 1;
        if guess == *code {
            return (guesses, true);
        }
        let got = marks(&guess, code, places);
        left.retain(|c| marks(&guess, c, places) == got);
    }
    (guesses, false)
}

/// What never changes in an episode.
#[derive(Debug)]
struct Board {
    signs: Vec<Name>,
    places: usize,
    code: Code,
    /// How many guesses the expert makes.
    guesses: u32,
}

/// The mastermind world.
#[derive(Clone, Debug)]
pub(crate) struct Mastermind {
    board: Arc<Board>,
    /// The latest guesses that differ.
    guessed: Vec<Code>,
}

impl Hash for Mastermind {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let Board { signs, places, code, guesses: _ } = &*self.board;
        (signs, places, code).hash(h);
        self.guessed.hash(h);
    }
}

const DECLARATIONS: &str = "
/// Tells how many signs are in their place, and how many others are in the code elsewhere.
guess(code: [str]) -> {right: int, near: int} ! NotFound(str) | BadLength(int) | Busy | Gone(str, int)
/// Lists the signs.
list() -> [str]
/// Waits.
wait() -> str
/// Asks for access.
ask(name: str) -> str
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

/// Marks as a guess is answered.
fn told((right, near): Marks) -> Value {
    let count = |name: &str, n: u8| (name.to_owned(), Value::int(i64::from(n)));
    Value::Record(vec![count("right", right), count("near", near)])
}

impl Board {
    fn call(&self, code: &Code) -> Call {
        let signs = code[..self.places].iter().map(|s| Value::str(self.signs[usize::from(*s)].as_str()));
        Call::new("guess", [("code", Value::List(signs.collect()))])
    }

    fn words(&self, code: &Code) -> String {
        let signs: Vec<&str> =
            code[..self.places].iter().map(|s| self.signs[usize::from(*s)].as_str()).collect();
        signs.join(" ")
    }

    fn read(&self, call: &Call) -> Result<Code, Outcome> {
        let signs = match call.arg("code") {
            Some(Value::List(signs)) => &signs[..],
            _ => &[],
        };
        let mut code = [0; PLACES];
        for (i, sign) in signs.iter().enumerate() {
            let found = self.signs.iter().position(|s| Some(s.as_str()) == sign.as_str());
            let Some(found) = found else { return Err(Outcome::refuse("NotFound", [sign.clone()])) };
            if let Some(place) = code.get_mut(i) {
                *place = found as u8;
            }
        }
        if signs.len() == self.places {
            Ok(code)
        } else {
            Err(Outcome::refuse("BadLength", [Value::int(signs.len() as i64)]))
        }
    }
}

impl Kind for Mastermind {
    type World = Self;
    const NAME: &str = "mastermind";

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Wrong, Gone]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let places = 2 + usize::from(level >= 3) + usize::from(level >= 7);
        let signs = 4 + usize::from(level >= 5) + usize::from(level >= 9);
        let mut code = [0; PLACES];
        code[..places].iter_mut().for_each(|s| *s = dice.below(signs) as u8);
        let signs: Vec<Name> = (0..signs).map(|_| names.draw(dice)).collect();
        let (guesses, _) = play(&code, places, signs.len());
        Mastermind { board: Arc::new(Board { signs, places, code, guesses }), guessed: Vec::new() }
    }
}

impl World for Mastermind {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, _: FaultKind, _: &mut Names, _: &mut Dice) {}

    fn goal(&self) -> String {
        let signs: Vec<&str> = self.board.signs.iter().map(Name::as_str).collect();
        format!("a code of {} signs, each one of {}; what is it?", self.board.places, signs.join(" "))
    }

    fn step(&mut self, call: &Call) -> Outcome {
        let board = self.board.clone();
        match call.tool.as_str() {
            "guess" => {
                let code = match board.read(call) {
                    Ok(code) => code,
                    Err(refusal) => return refusal,
                };
                let mut seen = self.guessed.contains(&code);
                if !seen {
                    if self.guessed.len() == IN_MIND {
                        self.guessed.remove(0);
                    }
                    self.guessed.push(code);
                }
                Outcome::shown(told(marks(&code, &board.code, board.places)), &mut seen)
            }
            "list" => {
                Outcome::known(Value::List(board.signs.iter().map(|s| Value::str(s.as_str())).collect()))
            }
            "wait" => Outcome::known(Value::str("ok")),
            _ => Outcome::known(Value::str("granted")),
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == self.board.words(&self.board.code), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let b = &*self.board;
        let told: Vec<(Code, Marks)> =
            self.guessed.iter().map(|g| (*g, marks(g, &b.code, b.places))).collect();
        let may_be =
            |c: &Code| self.guessed.contains(c) || told.iter().all(|(g, got)| marks(g, c, b.places) == *got);
        let mut calls = ["list", "wait"].map(|tool| Call::new(tool, [])).to_vec();
        calls.extend(codes(b.places, b.signs.len()).filter(may_be).map(|c| b.call(&c)));
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("guess".into(), self.board.guesses)
    }

    fn refresh(_: &str) -> Call {
        Call::new("list", [])
    }

    fn deceive(&mut self, call: &Call) -> Option<Value> {
        // The one sign that is not in its place cannot be elsewhere.
        (call.tool == "guess" && self.board.read(call).is_ok())
            .then(|| told((self.board.places as u8 - 1, 1)))
    }

    fn shows(&self, _: FaultKind, _: &Call, _: &ToolError) -> bool {
        false
    }

    fn solve(self, expert: &mut Recorder) {
        let b = &*self.board;
        let mut left: Vec<Code> = codes(b.places, b.signs.len()).collect();
        expert.say(SpanKind::Plan, "guess what may still be right");
        while left.len() > 1
            && let Some(guess) = choose(&left, b.places)
        {
            let outcome = expert.insist::<Mastermind>(&b.call(&guess));
            let Outcome::Observation { value: Value::Record(fields), .. } = outcome else { return };
            let count = |i: usize| fields.get(i).and_then(|f| f.1.as_i64()).unwrap_or(0) as u8;
            let got = (count(0), count(1));
            if usize::from(got.0) == b.places {
                expert.say(SpanKind::Answer, b.words(&guess));
                return;
            }
            let fit = left.iter().copied().filter(|c| marks(&guess, c, b.places) == got);
            let fit: Vec<Code> = fit.collect();
            if fit.is_empty() {
                expert.reflect("that cannot be, guess again");
                continue;
            }
            left = fit;
            expert.say(SpanKind::Thought, format!("{} left", left.len()));
        }
        if let [one] = &left[..] {
            expert.say(SpanKind::Answer, b.words(one));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_count_every_sign_once() {
        assert_eq!(marks(&[0, 0, 1, 2], &[0, 1, 1, 3], 4), (2, 0));
        assert_eq!(marks(&[1, 2, 3, 0], &[0, 1, 2, 3], 4), (0, 4));
        assert_eq!(marks(&[0, 0, 0, 0], &[0, 1, 2, 0], 4), (2, 0));
        assert_eq!(marks(&[0, 1, 0, 0], &[1, 0, 0, 0], 2), (0, 2));
    }

    #[test]
    fn the_expert_is_near_the_best_strategy_known() {
        // As the figures of others count: the code itself must be guessed.
        let of = |code: Code| {
            let (guesses, last) = play(&code, 4, 6);
            guesses + u32::from(!last)
        };
        let all: u32 = codes(4, 6).step_by(5).map(of).sum();
        println!("{all} guesses for 260 codes");
        assert!((1_100..1_250).contains(&all), "{all} guesses for 260 codes; 4.34 each is the best there is");
    }
}
