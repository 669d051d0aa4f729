//! Twenty questions: one of many things is meant, and one finds out which by asking for its features.
//!
//! | level | things | features |
//! |---|---|---|
//! | ℓ | 6 + 2ℓ | 4 + ⌊ℓ/2⌋ |
//!
//! Goal: `bada: kilo tupi; lune: kilo; zeru: ; … which is it?`: each thing with the features that it has. `has(feature="kilo")` tells whether
//! the thing that is meant has one. The answer is the thing. Asking changes nothing, so there is no collateral damage.
//!
//! **Held-out structure**: besides the names, the *table* decides the split: a hash of which things have which features, in any order of
//! the things, and of which is meant. It belongs to `Test` if it is divisible by four, otherwise to `Train`.
//!
//! **Faults**: `transient` and `gone` strike `has`, `denied` a feature that the expert asks for, `stale` the first question (the answer
//! is the opposite of the truth, marked `old`).
//!
//! The expert asks for the feature that halves what is left best. That is optimal in the number of questions on average up to a
//! tenth of a question on tables small enough to check (see the tests); it waits where `has` is gone.

use std::borrow::Cow;
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
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

/// Which features a thing has, as bits.
type Row = u16;

/// What never changes in an episode.
#[derive(Debug)]
struct Table {
    things: Vec<Name>,
    features: Vec<Name>,
    rows: Vec<Row>,
    meant: usize,
    /// The features that the expert asks for, in order.
    asked: Vec<usize>,
}

/// The world of questions.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    table: Arc<Table>,
    /// Which features have been asked for, as bits.
    known: Row,
}

impl Hash for Questions {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let Table { things, features, rows, meant, asked: _ } = &*self.table;
        (things, features, rows, meant).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Tells whether what is meant has a feature.
has(feature: str) -> bool ! NotFound(str) | Denied(str) | Busy | Gone(str, int)
/// Lists the features.
list() -> [str]
/// Waits.
wait() -> str
/// Asks for access to a feature.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

/// The feature that halves `left` best; `None` if only one thing is left.
fn best(rows: &[Row], left: &[usize], features: usize) -> Option<usize> {
    let uneven = |f: &usize| {
        let with = left.iter().filter(|t| rows[**t] >> f & 1 == 1).count();
        with.abs_diff(left.len() - with)
    };
    (0..features).filter(|f| uneven(f) < left.len()).min_by_key(|f| (uneven(f), *f))
}

/// The questions that lead to `meant`.
fn questions(rows: &[Row], features: usize, meant: usize) -> Vec<usize> {
    let mut left: Vec<usize> = (0..rows.len()).collect();
    let mut asked = Vec::new();
    while let Some(f) = best(rows, &left, features) {
        left.retain(|t| (rows[*t] ^ rows[meant]) >> f & 1 == 0);
        asked.push(f);
    }
    asked
}

impl Kind for Questions {
    type World = Self;
    const NAME: &str = "questions";
    const HELD_OUT: Option<&str> = Some("the tables of features");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::Reasoning]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, RateLimit, Drift, Denied, Stale, Gone]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let level = level as usize;
        let (count, features) = (6 + 2 * level, 4 + level / 2);
        let (rows, meant) = loop {
            let mut rows: Vec<Row> = Vec::with_capacity(count);
            while rows.len() < count {
                let row = dice.below(1 << features) as Row;
                if !rows.contains(&row) {
                    rows.push(row);
                }
            }
            let meant = dice.below(count);
            let sum = rows.iter().fold(0u64, |sum, r| sum.wrapping_add(mix(u64::from(*r) + 1)));
            let signature = mix(sum ^ mix(u64::from(rows[meant]) << 20 | features as u64));
            if (if signature.is_multiple_of(4) { Split::Test } else { Split::Train }) == names.split() {
                break (rows, meant);
            }
        };
        let asked = questions(&rows, features, meant);
        let things = (0..count).map(|_| names.draw(dice)).collect();
        let features = (0..features).map(|_| names.draw(dice)).collect();
        Questions { table: Arc::new(Table { things, features, rows, meant, asked }), known: 0 }
    }
}

impl Questions {
    fn feature(&self, call: &Call, arg: &str) -> Result<usize, Outcome> {
        let name = name_arg(call, arg);
        let found = self.table.features.iter().position(|f| Some(*f) == name);
        found.ok_or_else(|| Outcome::refuse("NotFound", [Value::str(text(call, arg))]))
    }

    fn truth(&self, feature: usize) -> bool {
        self.table.rows[self.table.meant] >> feature & 1 == 1
    }

    fn try_step(&mut self, call: &Call) -> Result<Outcome, Outcome> {
        match call.tool.as_str() {
            "has" => {
                let feature = self.feature(call, "feature")?;
                let mut seen = self.known >> feature & 1 == 1;
                self.known |= 1 << feature;
                Ok(Outcome::shown(Value::Bool(self.truth(feature)), &mut seen))
            }
            "list" => {
                let names = self.table.features.iter().map(|f| Value::str(f.as_str()));
                Ok(Outcome::known(Value::List(names.collect())))
            }
            "wait" => Ok(Outcome::known(Value::str("ok"))),
            _ => self.feature(call, "name").map(|_| Outcome::known(Value::str("granted"))),
        }
    }
}

impl World for Questions {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, _: FaultKind, _: &mut Names, _: &mut Dice) {}

    fn goal(&self) -> String {
        let t = &*self.table;
        let mut goal = String::with_capacity(t.things.len() * 24);
        for (thing, row) in t.things.iter().zip(&t.rows) {
            goal += thing.as_str();
            goal.push(':');
            for (f, name) in t.features.iter().enumerate() {
                if row >> f & 1 == 1 {
                    goal.push(' ');
                    goal += name.as_str();
                }
            }
            goal += "; ";
        }
        goal + "which is it?"
    }

    fn step(&mut self, call: &Call) -> Outcome {
        self.try_step(call).unwrap_or_else(|refusal| refusal)
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == self.table.things[self.table.meant].as_str(), collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut calls = ["list", "wait"].map(|tool| Call::new(tool, [])).to_vec();
        for f in &self.table.features {
            let name = || Value::str(f.as_str());
            calls.extend([Call::new("has", [("feature", name())]), Call::new("ask", [("name", name())])]);
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("has".into(), self.table.asked.len() as u32)
    }

    fn guarded(&self, dice: &mut Dice) -> String {
        let asked = &self.table.asked;
        self.table.features[asked[dice.below(asked.len())]].to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        (call.tool == "has").then(|| text(call, "feature").to_owned())
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        (call.tool == "has")
            .then(|| self.feature(call, "feature").ok())
            .flatten()
            .map(|f| Value::Bool(!self.truth(f)))
    }

    fn refresh(name: &str) -> Call {
        Call::new("has", [("feature", Value::str(name))])
    }

    fn shows(&self, _: FaultKind, _: &Call, _: &ToolError) -> bool {
        false
    }

    fn solve(self, expert: &mut Recorder) {
        let t = &*self.table;
        let mut left: Vec<usize> = (0..t.rows.len()).collect();
        expert.say(SpanKind::Plan, "halve what is left");
        while let Some(f) = best(&t.rows, &left, t.features.len()) {
            let call = Call::new("has", [("feature", Value::str(t.features[f].as_str()))]);
            let Outcome::Observation { value: Value::Bool(has), .. } = expert.insist::<Questions>(&call)
            else {
                return;
            };
            left.retain(|thing| (t.rows[*thing] >> f & 1 == 1) == has);
            let names: Vec<&str> = left.iter().map(|thing| t.things[*thing].as_str()).collect();
            expert.say(SpanKind::Thought, names.join(" "));
        }
        if let [one] = left[..] {
            expert.say(SpanKind::Answer, t.things[one].as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_test_table_is_a_training_table() {
        let tables = |split| -> std::collections::BTreeSet<_> {
            let drawn = (0..1500u64).map(|seed| {
                let (level, mut dice) = (1 + (seed % 3) as u32, Dice::new("test", &[seed]));
                let table = Questions::generate(level, &mut Names::new(split), &mut dice).table;
                // Things have no order.
                let mut rows = table.rows.clone();
                rows.sort_unstable();
                (table.features.len(), rows, table.rows[table.meant])
            });
            drawn.collect()
        };
        let (train, test) = (tables(Split::Train), tables(Split::Test));
        assert!(
            train.is_disjoint(&test) && train.len() > 500 && test.len() > 500,
            "{} {}",
            train.len(),
            test.len()
        );
    }

    /// The fewest questions that all of `left` need together, whichever of them is meant.
    fn optimum(rows: &[Row], left: &[usize], features: usize) -> usize {
        if left.len() < 2 {
            return 0;
        }
        let split = |f: usize| left.iter().partition::<Vec<usize>, _>(|t| rows[**t] >> f & 1 == 1);
        let costs = (0..features).filter_map(|f| {
            let (with, without) = split(f);
            (!with.is_empty() && !without.is_empty())
                .then(|| left.len() + optimum(rows, &with, features) + optimum(rows, &without, features))
        });
        costs.min().unwrap_or(0)
    }

    #[test]
    fn halving_is_within_a_tenth_of_a_question_of_the_optimum() {
        let (mut halved, mut best, mut things) = (0, 0, 0);
        for seed in 0..60 {
            let mut dice = Dice::new("test", &[seed]);
            let world = Questions::generate(1 + (seed % 2) as u32, &mut Names::new(Split::Train), &mut dice);
            let (rows, features) = (&world.table.rows, world.table.features.len());
            let all: Vec<usize> = (0..rows.len()).collect();
            halved += all.iter().map(|t| questions(rows, features, *t).len()).sum::<usize>();
            best += optimum(rows, &all, features);
            things += rows.len();
        }
        println!("{halved} questions, at best {best}, {things} things");
        assert!(halved >= best && (halved - best) * 10 < things, "{halved} {best} {things}");
    }
}
