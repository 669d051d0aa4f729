//! The expert of the code base.

use groundwork_trace::{Call, SpanKind, Value};

use super::program::Fix;
use super::{Repository, definition};
use crate::expert::{Recorder, carried};
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Finds the wrong function by tests alone, and repairs it. `fix` is what follows from comparing its body with its
/// documentation.
pub(super) fn solve(named: Name, fix: &Fix, expert: &mut Recorder) {
    expert.say(SpanKind::Plan, format!("test {named}, go down to the function that is wrong, repair it"));
    let mut work = Work { expert, read: Vec::new() };
    let Some(first) = work.first(named) else {
        work.expert.say(SpanKind::Answer, "");
        return;
    };
    let mut wrong = first;
    let mut above = vec![first];
    while let Some(below) = work.below(wrong, &above) {
        above.push(below);
        wrong = below;
    }
    work.expert.say(SpanKind::Thought, format!("{wrong} is wrong: {}", described(fix)));
    work.repair(fix);
    for name in if wrong == first { vec![first] } else { vec![wrong, first] } {
        work.passes(name);
    }
    work.expert.say(SpanKind::Answer, wrong.as_str());
}

/// What is to be done, in a few words.
fn described(fix: &Fix) -> String {
    let said = |text: &str| text.split('\n').map(str::trim).collect::<Vec<_>>().join(" ");
    match &fix.before {
        Some(before) => format!("{} is missing before {}", said(before), fix.at),
        None => format!("at {} should be {}", fix.at, said(&fix.text)),
    }
}

struct Work<'a> {
    expert: &'a mut Recorder,
    /// The files read so far: path and lines.
    read: Vec<(String, Vec<String>)>,
}

impl Work<'_> {
    /// Whether a function's test passes, if it has one.
    fn test(&mut self, function: Name) -> Option<bool> {
        let call = Call::new("test", [("of", Value::str(function.as_str()))]);
        match self.expert.attempt_asking::<Repository>(&call) {
            Outcome::Observation { value, .. } => Some(value.as_str() == Some("passed")),
            Outcome::Error(_) => None,
        }
    }

    fn passes(&mut self, function: Name) -> bool {
        self.test(function) == Some(true)
    }

    /// Runs the test that the goal names; corrects the name.
    fn first(&mut self, named: Name) -> Option<Name> {
        match self.test(named) {
            Some(true) => {
                self.expert.reflect("the goal says that it fails, run it again");
                return self.test(named).map(|_| named);
            }
            Some(false) => return Some(named),
            None => {}
        }
        self.expert.reflect(format!("there is no test of {named}, list the functions"));
        let outcome = self.expert.attempt_asking::<Repository>(&Call::new("tested", []));
        let Outcome::Observation { value: Value::List(items), .. } = outcome else { return None };
        let right = nearest(named.as_str(), items.iter().filter_map(|v| Name::parse(v.as_str()?)))?;
        self.expert.reflect(format!("it is {right}"));
        self.test(right).map(|_| right)
    }

    /// Among what a function calls, but for those that lead to it, the first whose test fails.
    fn below(&mut self, function: Name, above: &[Name]) -> Option<Name> {
        let (path, at) = self.find(function)?;
        let lines = self.lines(&path);
        let body = lines.iter().skip(at as usize).take_while(|l| !l.starts_with("def "));
        let mut calls: Vec<Name> = Vec::new();
        for line in body.filter(|l| !l.trim_start().starts_with('"')) {
            let mut before = line.as_str();
            while let Some((text, rest)) = before.split_once('(') {
                let word = text.rsplit(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
                if let Some(name) = Name::parse(word).filter(|n| !calls.contains(n) && !above.contains(n)) {
                    calls.push(name);
                }
                before = rest;
            }
        }
        calls.into_iter().find(|c| self.test(*c) == Some(false))
    }

    /// The file and the line in which a function is defined.
    fn find(&mut self, function: Name) -> Option<(String, i64)> {
        let call = Call::new("find", [("function", Value::str(function.as_str()))]);
        match self.expert.attempt_asking::<Repository>(&call) {
            Outcome::Observation { value: Value::Record(fields), .. } => {
                let path = fields.iter().find(|f| f.0 == "path").and_then(|f| f.1.as_str())?;
                let at = fields.iter().find(|f| f.0 == "at").and_then(|f| f.1.as_i64())?;
                Some((path.to_owned(), at))
            }
            Outcome::Observation { .. } => None,
            Outcome::Error(_) => {
                self.expert.reflect(format!("find does not know {function}, search its definition"));
                let call = Call::new("search", [("text", Value::str(definition(function.as_str())))]);
                let outcome = self.expert.attempt_asking::<Repository>(&call);
                let Outcome::Observation { value: Value::List(found), .. } = outcome else { return None };
                // `vofu.py:7: def tivi(n, k):`
                let mut place = found.first()?.as_str()?.split(':');
                Some((place.next()?.to_owned(), place.next()?.parse().ok()?))
            }
        }
    }

    /// The lines of a file, which is read once.
    fn lines(&mut self, path: &str) -> Vec<String> {
        if let Some((_, lines)) = self.read.iter().find(|r| r.0 == path) {
            return lines.clone();
        }
        let call = Call::new("read", [("path", Value::str(path))]);
        let Outcome::Observation { value: Value::List(items), .. } =
            self.expert.attempt_asking::<Repository>(&call)
        else {
            return Vec::new();
        };
        let line = |v: &Value| v.as_str().map(|l| l.split_once(' ').map_or("", |(_, l)| l).to_owned());
        let lines: Vec<String> = items.iter().filter_map(line).collect();
        self.read.push((path.to_owned(), lines.clone()));
        lines
    }

    fn repair(&mut self, fix: &Fix) {
        let at = |n: usize| ("at", Value::int(n as i64));
        let path = || ("path", Value::str(fix.path.as_str()));
        let edit = Call::new("edit", [path(), at(fix.at), ("text", Value::str(fix.text.as_str()))]);
        let outcome = self.expert.attempt_asking::<Repository>(&edit);
        if !matches!(&outcome, Outcome::Error(e) if e.name == "Gone" && carried(e) == "edit") {
            return;
        }
        self.expert.reflect(if fix.before.is_some() {
            "edit is gone, insert"
        } else {
            "edit is gone, insert and remove"
        });
        let text = fix.before.as_deref().unwrap_or(&fix.text);
        let insert = Call::new("insert", [path(), at(fix.at), ("text", Value::str(text))]);
        self.expert.attempt_asking::<Repository>(&insert);
        if fix.before.is_none() {
            let remove = Call::new("remove", [path(), at(fix.at + 1)]);
            self.expert.attempt_asking::<Repository>(&remove);
        }
    }
}
