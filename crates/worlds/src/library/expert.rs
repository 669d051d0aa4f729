//! The expert of the library.

use groundwork_trace::{Call, SpanKind, Value};

use super::collection::{Collection, Line, Phrase, Relation};
use super::question::Question;
use super::{Library, PART};
use crate::expert::{Recorder, carried};
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Answers the question, knowing only what the prompt says and the tools answer.
pub(super) fn solve<const WHOLE: bool>(world: &Library<WHOLE>, expert: &mut Recorder) {
    let question = &world.question;
    expert.say(SpanKind::Plan, plan(question, WHOLE));
    let shelf: &mut dyn Shelf = if WHOLE {
        &mut Whole { collection: &world.scene.collection, expert }
    } else {
        &mut Searched { expert }
    };
    let answer = match question {
        Question::Chain { of, relations, day } => chain(*of, relations, *day, shelf),
        Question::Count { relation, at } => count(*relation, *at, shelf),
        Question::Letter { nth, from, to } => letter(*nth, *from, *to, shelf),
    };
    expert.say(SpanKind::Answer, answer.unwrap_or_default());
}

fn plan(question: &Question, whole: bool) -> String {
    let find = if whole { "look for" } else { "search" };
    match question {
        Question::Chain { of, relations, .. } => {
            let steps: Vec<String> = relations
                .iter()
                .enumerate()
                .map(
                    |(i, r)| {
                        if i == 0 { format!("{} of {of}", r.word()) } else { format!("its {}", r.word()) }
                    },
                )
                .collect();
            format!("{find} {}", steps.join(", "))
        }
        Question::Count { relation, at } => {
            format!("{find} is {at}, keep those whose last {} it is, count", relation.word())
        }
        Question::Letter { nth, from, to } => format!("{find} {from} writes to {to}, take number {nth}"),
    }
}

/// An entry that a search found, and its day.
type Hit = (i64, i64);

/// How one gets at the entries.
trait Shelf {
    /// The hits of a phrase that `names` stand in, by day; corrects a name that is misspelt.
    fn search(&mut self, phrase: &dyn Fn(Name) -> String, name: &mut Name) -> Vec<Hit>;

    /// The lines of an entry.
    fn read(&mut self, entry: i64) -> Vec<Line>;

    /// Concludes something.
    fn think(&mut self, thought: String);

    /// Notes where a line stands.
    fn cite(&mut self, entry: i64, line: Line);
}

fn chain(of: Name, relations: &[Relation], day: Option<i64>, shelf: &mut dyn Shelf) -> Option<String> {
    let mut at = of;
    for relation in relations {
        let hits = shelf.search(&|name| format!("{} of {name}", relation.word()), &mut at);
        let (entry, _) = *hits.iter().rev().find(|h| day.is_none_or(|day| h.1 <= day))?;
        let lines = shelf.read(entry);
        let line = lines
            .into_iter()
            .find(|l| matches!(l, Line::Fact { relation: r, of, .. } if r == relation && *of == at))?;
        shelf.cite(entry, line);
        let Line::Fact { is, .. } = line else { return None };
        at = is;
    }
    Some(at.to_string())
}

fn count(relation: Relation, mut at: Name, shelf: &mut dyn Shelf) -> Option<String> {
    // Who is said to have it, and where that is said last.
    let mut people: Vec<(Name, i64)> = Vec::new();
    for (entry, _) in shelf.search(&|name| format!("is {name}"), &mut at) {
        for line in shelf.read(entry) {
            let Line::Fact { relation: r, of, is } = line else { continue };
            if r == relation && is == at {
                shelf.cite(entry, line);
                people.retain(|p| p.0 != of);
                people.push((of, entry));
            }
        }
    }
    let mut still = Vec::new();
    for (mut person, told) in people {
        let hits = shelf.search(&|name| format!("{} of {name}", relation.word()), &mut person);
        if hits.last().is_some_and(|h| h.0 == told) {
            still.push(person.to_string());
        }
    }
    shelf.think(format!("{}: {}", still.join(" "), still.len()));
    Some(still.len().to_string())
}

fn letter(nth: usize, mut from: Name, to: Name, shelf: &mut dyn Shelf) -> Option<String> {
    let hits = shelf.search(&|name| format!("{name} writes to {to}"), &mut from);
    let (entry, _) = *hits.get(nth - 1)?;
    let lines = shelf.read(entry);
    let line = lines
        .into_iter()
        .find(|l| matches!(l, Line::Letter { from: f, to: t, .. } if *f == from && *t == to))?;
    shelf.cite(entry, line);
    let Line::Letter { word, .. } = line else { return None };
    Some(word.to_string())
}

/// A library that is searched with tools.
struct Searched<'a> {
    expert: &'a mut Recorder,
}

impl Searched<'_> {
    /// One part of a search: the hits, and how many there are in all.
    fn part(&mut self, phrase: &str, part: usize) -> Result<(Vec<Hit>, usize), Outcome> {
        let mut call = Call::new("search", [("phrase", Value::str(phrase))]);
        if part > 1 {
            call.args.push(("part".to_owned(), Value::int(part as i64)));
        }
        match self.expert.attempt_asking::<Library<false>>(&call) {
            Outcome::Observation { value: Value::Record(fields), .. } => {
                let field = |name: &str| fields.iter().find(|f| f.0 == name).map(|f| &f.1);
                let total = field("total").and_then(Value::as_i64).unwrap_or(0);
                let Some(Value::List(items)) = field("found") else { return Ok((Vec::new(), 0)) };
                Ok((items.iter().filter_map(hit).collect(), total as usize))
            }
            other => Err(other),
        }
    }
}

fn hit(value: &Value) -> Option<Hit> {
    let Value::Record(fields) = value else { return None };
    let field = |name: &str| fields.iter().find(|f| f.0 == name).and_then(|f| f.1.as_i64());
    Some((field("entry")?, field("day")?))
}

impl Shelf for Searched<'_> {
    fn search(&mut self, phrase: &dyn Fn(Name) -> String, name: &mut Name) -> Vec<Hit> {
        let mut found = Vec::new();
        let mut part = 1;
        loop {
            match self.part(&phrase(*name), part) {
                Ok((hits, total)) => {
                    found.extend(hits);
                    if part * PART >= total {
                        return found;
                    }
                    part += 1;
                }
                Err(Outcome::Error(error)) if error.name == "NotFound" => {
                    let wrong = *name;
                    self.expert.reflect(format!("nothing about {wrong}, look for names near it"));
                    let call = Call::new("names", [("near", Value::str(wrong.as_str()))]);
                    let Outcome::Observation { value: Value::List(items), .. } =
                        self.expert.attempt_asking::<Library<false>>(&call)
                    else {
                        return found;
                    };
                    let names = items.iter().filter_map(|v| Name::parse(v.as_str()?)).filter(|n| *n != wrong);
                    let Some(right) = nearest(wrong.as_str(), names) else { return found };
                    self.expert.reflect(format!("it is {right}"));
                    *name = right;
                }
                Err(_) => return found,
            }
        }
    }

    fn read(&mut self, entry: i64) -> Vec<Line> {
        let call = |tool: &str| Call::new(tool, [("entry", Value::int(entry))]);
        let tool = if self.expert.away("read") > 0 { "copy" } else { "read" };
        let mut outcome = self.expert.attempt_asking::<Library<false>>(&call(tool));
        let failed = match &outcome {
            Outcome::Error(e) if e.name == "Gone" && carried(e) == "read" => Some("read is gone".to_owned()),
            Outcome::Error(e) if e.name == "NotFound" => Some(format!("entry {entry} is not there")),
            _ => None,
        };
        if let Some(failed) = failed {
            self.expert.reflect(format!("{failed}, read the copy"));
            outcome = self.expert.attempt_asking::<Library<false>>(&call("copy"));
        }
        let Outcome::Observation { value: Value::List(lines), .. } = outcome else { return Vec::new() };
        lines.iter().filter_map(|l| Line::parse(l.as_str()?)).collect()
    }

    fn think(&mut self, thought: String) {
        self.expert.say(SpanKind::Thought, thought);
    }

    fn cite(&mut self, _: i64, line: Line) {
        self.expert.say(SpanKind::Thought, line.text());
    }
}

/// A library that stands in the prompt.
struct Whole<'a> {
    collection: &'a Collection,
    expert: &'a mut Recorder,
}

impl Shelf for Whole<'_> {
    fn search(&mut self, phrase: &dyn Fn(Name) -> String, name: &mut Name) -> Vec<Hit> {
        let found = self.collection.search(&Phrase::parse(&phrase(*name)));
        found.into_iter().map(|e| (i64::from(e), self.collection.day(e))).collect()
    }

    fn read(&mut self, entry: i64) -> Vec<Line> {
        self.collection.read(entry).unwrap_or_default()
    }

    fn think(&mut self, thought: String) {
        self.expert.say(SpanKind::Thought, thought);
    }

    fn cite(&mut self, entry: i64, line: Line) {
        self.expert.say(SpanKind::Thought, format!("entry {entry}: {}", line.text()));
    }
}
