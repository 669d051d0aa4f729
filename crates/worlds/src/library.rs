//! A library: dated entries by many hands, a search, and a question that takes several of them.
//!
//! | level | tokens in the collection | relations of a chain | times a fact changes | letters alike | people counted |
//! |---|---|---|---|---|---|
//! | ℓ | 1,000 · 1,000^((ℓ−1)/11): a thousand to a million | 1 + ⌊ℓ/3⌋ | up to min(ℓ, 4) | 2 + ℓ | 2 to 3 + ℓ |
//!
//! Entries have a number, a day (later entries have later days), an author and five lines: facts (`home of kilo is tola`) and
//! letters (`bada writes to kilo: lupa`). Of facts that contradict each other the latest holds. Goals: `mayor of home of
//! kilo?` (half of all; from level 2 on half of these `… on day 40?`: what held then), `how many have home tola?`
//! (now), `what does letter 3 from bada to kilo say?` (the third of those alike, by day). Success is the exact answer;
//! nothing can be changed, so collateral damage is always 0.
//!
//! The collection is a function of the seed, line by line, so that a million tokens cost no memory and a clone costs
//! nothing. What the question is about stands in planted lines alone, beside contradictions and lines that look alike.
//!
//! `library` has a search. In `library_whole` the whole collection stands in the system text, as long as the level says, and
//! the expert answers from what it has read, without a call; it has no faults.
//!
//! **Held-out structure**: besides the names, from two relations on (level 3) the *chain of relations* decides the split: a
//! hash of it belongs to `Test` if it is divisible by four, otherwise to `Train`.
//!
//! **Faults**: `transient` and `gone` strike one of the reads that the answer needs (a `copy` can be read), `stale` the first
//! search (it lacks the latest hit), `denied` the author of an entry that must be read, `misspelt` the first name.
//!
//! The expert makes a search and a read for each relation of a chain; a search and a read for a letter; for a count one search
//! for each ten hits, a read for each hit, and a search for each candidate. That is optimal for chains and letters, up to
//! luck in counting (a hit that tells of something else cannot be told before it is read).

mod collection;
mod expert;
mod question;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, Tool, ToolError, Value};

use self::collection::{Collection, Phrase, Relation, entries};
use self::question::Question;
use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::{Recorder, carried};
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

pub use question::chain;

/// Hits in a part of what a search finds.
const PART: usize = 10;

/// What never changes in an episode.
#[derive(Debug)]
struct Scene {
    collection: Collection,
    answer: String,
    /// The entries that every way to the answer reads.
    needed: Vec<u32>,
}

/// The library world; `WHOLE`: the collection stands in the system text.
#[derive(Clone, Debug)]
pub(crate) struct Library<const WHOLE: bool> {
    scene: Arc<Scene>,
    question: Question,
    /// An entry that is not in its place: only the copy can be read.
    missing: Option<u32>,
    /// The names met so far, the goal's among them, and the entries, both sorted.
    names: Vec<Name>,
    hits: Vec<u32>,
    read: Vec<u32>,
    /// What was searched for, with the number of hits.
    searches: Vec<(Arc<str>, usize)>,
    /// The parts of searches shown so far, by the search's place in the list.
    parts: Vec<(usize, i64)>,
}

impl<const WHOLE: bool> Hash for Library<WHOLE> {
    fn hash<H: Hasher>(&self, h: &mut H) {
        let scene = &*self.scene;
        (scene.collection.seed(), scene.collection.entries, &scene.answer).hash(h);
        (&self.question, self.missing, &self.names, &self.hits, &self.searches).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Finds the entries that have a line with a phrase, by day, ten at once; tells how many there are.
search(phrase: str, part: int = 1) -> {total: int, found: [{entry: int, day: int}]} ! NotFound(str)
/// Reads an entry.
read(entry: int) -> [str] ! NotFound(int) | Denied(str) | Busy | Gone(str, int)
/// Reads the copy of an entry.
copy(entry: int) -> [str] ! NotFound(int) | Denied(str)
/// Lists the names that are spelt like a word, but for a letter.
names(near: str) -> [str]
/// Asks for access to the entries of an author.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

/// Puts `item` into its place in a sorted list.
fn insert<T: Ord>(list: &mut Vec<T>, item: T) -> bool {
    match list.binary_search(&item) {
        Ok(_) => false,
        Err(i) => {
            list.insert(i, item);
            true
        }
    }
}

fn hits(total: usize, found: &[u32], collection: &Collection) -> Value {
    let hit = |e: &u32| {
        let day = Value::int(collection.day(*e));
        Value::Record(vec![("entry".to_owned(), Value::int(i64::from(*e))), ("day".to_owned(), day)])
    };
    Value::Record(vec![
        ("total".to_owned(), Value::int(total as i64)),
        ("found".to_owned(), Value::List(found.iter().map(hit).collect())),
    ])
}

/// The `part`th part, from 1, of what was found.
fn part(found: &[u32], part: i64) -> Option<&[u32]> {
    let at = usize::try_from(part.checked_sub(1)?).ok()?.checked_mul(PART)?;
    found.get(at..).filter(|f| !f.is_empty()).map(|f| &f[..f.len().min(PART)])
}

fn part_arg(call: &Call) -> i64 {
    call.arg("part").map_or(Some(1), Value::as_i64).unwrap_or(0)
}

impl<const WHOLE: bool> Library<WHOLE> {
    fn search(&mut self, call: &Call) -> Outcome {
        let phrase = text(call, "phrase");
        let found = self.scene.collection.search(&Phrase::parse(phrase));
        let number = part_arg(call);
        let Some(shown) = part(&found, number) else {
            return Outcome::refuse("NotFound", [Value::str(phrase)]);
        };
        let known = self.searches.iter().position(|s| &*s.0 == phrase);
        let known = known.unwrap_or_else(|| {
            self.searches.push((phrase.into(), found.len()));
            self.searches.len() - 1
        });
        for &entry in shown {
            insert(&mut self.hits, entry);
            insert(&mut self.names, self.scene.collection.author(entry));
        }
        let own = insert(&mut self.parts, (known, number));
        Outcome::Observation { value: hits(found.len(), shown, &self.scene.collection), own }
    }

    fn read(&mut self, call: &Call) -> Outcome {
        let entry = call.arg("entry").and_then(Value::as_i64).unwrap_or(0);
        let there = call.tool != "read" || self.missing.map(i64::from) != Some(entry);
        let Some(lines) = self.scene.collection.read(entry).filter(|_| there) else {
            return Outcome::refuse("NotFound", call.arg("entry").cloned());
        };
        let entry = entry as u32;
        let own = insert(&mut self.read, entry);
        if own {
            insert(&mut self.hits, entry);
            let names = lines.iter().flat_map(|l| l.names()).flatten();
            for name in names {
                insert(&mut self.names, name);
            }
        }
        let heading = Value::str(self.scene.collection.heading(entry));
        let lines = lines.iter().map(|l| Value::str(l.text()));
        Outcome::Observation { value: Value::List([heading].into_iter().chain(lines).collect()), own }
    }
}

impl<const WHOLE: bool> Kind for Library<WHOLE> {
    type World = Self;
    const NAME: &str = if WHOLE { "library_whole" } else { "library" };
    const HELD_OUT: Option<&str> = Some("the chains of relations (from level 3 on)");

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        if WHOLE {
            &[Capability::LongContext, Capability::Reasoning]
        } else {
            &[Capability::ToolUse, Capability::Reasoning]
        }
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        if WHOLE { &[] } else { &[Transient, Misspelt, NotFound, Denied, Stale, Gone, Truncated] }
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let people: Vec<Name> = (0..6 + 4 * level).map(|_| names.draw(dice)).collect();
        let places: Vec<Name> = (0..3 + 2 * level).map(|_| names.draw(dice)).collect();
        let drawn = question::draw(level, &people, names, dice);
        let (collection, at) = Collection::new(entries(level), people, places, &drawn.lines, dice);
        let mut question = drawn.question;
        if let (Question::Chain { day, .. }, Some(last)) = (&mut question, drawn.as_of) {
            *day = Some(collection.day(at[last]));
        }
        let needed = drawn.needed.iter().map(|i| at[*i]).collect();
        let scene = Scene { collection, answer: drawn.answer, needed };
        let mut names = question.names();
        names.sort_unstable();
        Library {
            scene: Arc::new(scene),
            question,
            missing: None,
            names,
            hits: Vec::new(),
            read: Vec::new(),
            searches: Vec::new(),
            parts: Vec::new(),
        }
    }
}

impl<const WHOLE: bool> World for Library<WHOLE> {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        if fault == FaultKind::NotFound {
            self.missing = Some(self.scene.needed[dice.below(self.scene.needed.len())]);
        }
        if fault == FaultKind::Misspelt {
            let name = self.question.named();
            *name = names.misspell(*name, dice);
            insert(&mut self.names, *name);
            self.names.retain(|n| self.question.names().contains(n));
        }
    }

    fn system(&self) -> Option<String> {
        WHOLE.then(|| self.scene.collection.text())
    }

    fn goal(&self) -> String {
        self.question.goal()
    }

    fn step(&mut self, call: &Call) -> Outcome {
        match call.tool.as_str() {
            "search" => self.search(call),
            "read" | "copy" => self.read(call),
            "names" => {
                let near = name_arg(call, "near");
                let alike = |n: &Name| near.is_some_and(|near| n.distance(near) < 2);
                let found: Vec<Name> = self.scene.collection.names().into_iter().filter(alike).collect();
                let mut own = false;
                for &name in &found {
                    own |= insert(&mut self.names, name);
                }
                let value = Value::List(found.iter().map(|n| Value::str(n.as_str())).collect());
                Outcome::Observation { value, own }
            }
            _ => match name_arg(call, "name")
                .filter(|n| self.scene.collection.names().binary_search(n).is_ok())
            {
                Some(_) => Outcome::known(Value::str("granted")),
                None => Outcome::refuse("NotFound", call.arg("name").cloned()),
            },
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        Verification { success: answer == self.scene.answer, collateral: 0 }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut phrases: BTreeSet<String> = BTreeSet::new();
        let mut calls = Vec::new();
        for name in &self.names {
            calls.push(Call::new("ask", [("name", Value::str(name.as_str()))]));
            phrases.insert(name.to_string());
            phrases.insert(format!("is {name}"));
            phrases.extend(Relation::ALL.iter().map(|r| format!("{} of {name}", r.word())));
        }
        if let Question::Letter { from, to, .. } = self.question {
            for from in self.names.iter().filter(|n| n.distance(from) < 2) {
                phrases.insert(format!("{from} writes to {to}"));
                phrases.insert(format!("{to} writes to {from}"));
            }
        }
        calls.extend(
            self.question.names().iter().map(|n| Call::new("names", [("near", Value::str(n.as_str()))])),
        );
        calls.extend(phrases.into_iter().map(|p| Call::new("search", [("phrase", Value::str(p))])));
        for (phrase, total) in &self.searches {
            for number in 2..=total.div_ceil(PART).min(20) {
                let part = Value::int(number as i64);
                calls.push(Call::new("search", [("phrase", Value::str(&**phrase)), ("part", part)]));
            }
        }
        for &entry in &self.hits {
            for tool in ["read", "copy"] {
                calls.push(Call::new(tool, [("entry", Value::int(i64::from(entry)))]));
            }
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        ("read".into(), self.scene.needed.len() as u32)
    }

    fn stale_tool(&self) -> Cow<'static, str> {
        "search".into()
    }

    fn guarded(&self, dice: &mut Dice) -> String {
        self.scene.collection.author(self.scene.needed[dice.below(self.scene.needed.len())]).to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        let entry = call.arg("entry").and_then(Value::as_i64)?;
        let entry = u32::try_from(entry).ok().filter(|e| (1..=self.scene.collection.entries).contains(e))?;
        Some(self.scene.collection.author(entry).to_string())
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        if call.tool != "search" {
            return None;
        }
        let mut found = self.scene.collection.search(&Phrase::parse(text(call, "phrase")));
        found.pop();
        Some(hits(found.len(), part(&found, part_arg(call)).unwrap_or_default(), &self.scene.collection))
    }

    fn listing_tool(&self) -> (Cow<'static, str>, u32) {
        ("search".into(), 1)
    }

    fn refresh(name: &str) -> Call {
        Call::new("names", [("near", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, _: &Call, error: &ToolError) -> bool {
        if fault == FaultKind::NotFound {
            let entry = error.args.first().and_then(Value::as_i64);
            return error.name == "NotFound" && entry.is_some() && entry == self.missing.map(i64::from);
        }
        let named = self.question.clone().named().to_string();
        fault == FaultKind::Misspelt
            && error.name == "NotFound"
            && carried(error).split(' ').any(|word| word == named)
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self, expert);
    }
}
