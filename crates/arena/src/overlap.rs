//! What a suite shares with a training corpus: the longest sequence of actions that occurs in both.

use std::collections::{BTreeMap, HashMap};

use groundwork_trace::{SpanKind, Trace};
use groundwork_worlds::{Declare, Episode, Task, name_split};
use serde::{Deserialize, Serialize};

use crate::{ArenaError, statistics::seed_of};

/// What a training corpus shares with the tasks of a suite.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// Tasks of the suite.
    pub tasks: usize,
    /// Traces of the corpus.
    pub traces: usize,
    /// Actions of the corpus.
    pub actions: usize,
    /// Sequences of consecutive actions, to the letter.
    pub literal: Shared,
    /// The same with every invented name replaced by the order in which it first appears in the sequence: what is left
    /// is the structure.
    pub structural: Shared,
}

/// Sequences of actions that occur both in the suite and in the corpus.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shared {
    /// Actions in the longest of them.
    pub longest: usize,
    /// The longest one, the first of equals.
    pub example: Vec<String>,
    /// Tasks whose expert solution, from its first to its last action, occurs in the corpus.
    pub whole_solutions: usize,
    /// Tasks by the length of the longest sequence that they share.
    pub tasks_by_length: BTreeMap<usize, usize>,
}

/// Looks for the action sequences of a suite's experts in a corpus that is read trace by trace.
pub struct OverlapSearch {
    tasks: Vec<Vec<String>>,
    literal: Side,
    structural: Side,
    traces: usize,
    actions: usize,
}

impl OverlapSearch {
    /// Prepares the search for these tasks.
    ///
    /// # Errors
    /// A task that its world refuses.
    pub fn new(tasks: &[Task]) -> Result<OverlapSearch, ArenaError> {
        let tasks = tasks
            .iter()
            .map(|task| Ok(actions(&Episode::expert_trace(task, Declare::None)?)))
            .collect::<Result<Vec<_>, ArenaError>>()?;
        let (literal, structural) = (Side::of(&tasks, literally), Side::of(&tasks, by_structure));
        Ok(OverlapSearch { tasks, literal, structural, traces: 0, actions: 0 })
    }

    /// Takes up a trace of the corpus.
    pub fn read(&mut self, trace: &Trace) {
        let actions = actions(trace);
        self.traces += 1;
        self.actions += actions.len();
        self.literal.read(&actions);
        self.structural.read(&actions);
    }

    /// What was found so far.
    pub fn result(&self) -> Overlap {
        Overlap {
            tasks: self.tasks.len(),
            traces: self.traces,
            actions: self.actions,
            literal: self.literal.shared(&self.tasks),
            structural: self.structural.shared(&self.tasks),
        }
    }
}

fn actions(trace: &Trace) -> Vec<String> {
    trace.spans.iter().filter(|s| s.kind == SpanKind::Action).map(|s| s.body.clone()).collect()
}

/// The hashes of the prefixes of a sequence, shortest first.
type Prefixes = fn(&[String]) -> Vec<u64>;

fn literally(actions: &[String]) -> Vec<u64> {
    let mut hash = 0;
    actions
        .iter()
        .map(|action| {
            hash = seed_of(&[action], &[hash]);
            hash
        })
        .collect()
}

fn by_structure(actions: &[String]) -> Vec<u64> {
    let mut names: Vec<&str> = Vec::new();
    let mut hash = 0;
    let mut hashes = Vec::with_capacity(actions.len());
    for action in actions {
        let mut shape = String::with_capacity(action.len());
        let mut rest = action.as_str();
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            shape.push_str(&rest[..start]);
            let word = &rest[start..];
            let word = &word[..word.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(word.len())];
            if name_split(word).is_some() {
                let place = names.iter().position(|n| *n == word).unwrap_or_else(|| {
                    names.push(word);
                    names.len() - 1
                });
                shape.push_str(&format!("#{place}"));
            } else {
                shape.push_str(word);
            }
            rest = &rest[start + word.len()..];
        }
        shape.push_str(rest);
        hash = seed_of(&[&shape], &[hash]);
        hashes.push(hash);
    }
    hashes
}

/// One way to compare sequences.
struct Side {
    prefixes: Prefixes,
    /// For each sequence of consecutive actions in a task, whether the corpus has it. Only ever looked up.
    seen: HashMap<u64, bool>,
}

impl Side {
    fn of(tasks: &[Vec<String>], prefixes: Prefixes) -> Side {
        let starts = tasks.iter().flat_map(|actions| (0..actions.len()).map(move |from| &actions[from..]));
        let seen = starts.flat_map(prefixes).map(|hash| (hash, false)).collect();
        Side { prefixes, seen }
    }

    fn read(&mut self, actions: &[String]) {
        for from in 0..actions.len() {
            for hash in (self.prefixes)(&actions[from..]) {
                // A sequence that no task has is the beginning of none that a task has.
                match self.seen.get_mut(&hash) {
                    Some(seen) => *seen = true,
                    None => break,
                }
            }
        }
    }

    fn shared(&self, tasks: &[Vec<String>]) -> Shared {
        let mut shared = Shared::default();
        for actions in tasks {
            let mut longest = 0;
            for from in 0..actions.len() {
                let hashes = (self.prefixes)(&actions[from..]);
                let known = hashes.iter().take_while(|h| self.seen.get(*h) == Some(&true)).count();
                longest = longest.max(known);
                if known > shared.longest {
                    shared.longest = known;
                    shared.example = actions[from..from + known].to_vec();
                }
            }
            shared.whole_solutions += usize::from(longest == actions.len() && longest > 0);
            *shared.tasks_by_length.entry(longest).or_default() += 1;
        }
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use groundwork_trace::{Call, Span, Value};
    use groundwork_worlds::Split;

    fn trace(actions: &[&str]) -> Trace {
        Trace::new(actions.iter().map(|a| Span::new(SpanKind::Action, *a)).collect())
    }

    fn search(tasks: &[&[&str]]) -> OverlapSearch {
        let tasks: Vec<Vec<String>> =
            tasks.iter().map(|t| t.iter().map(|a| (*a).to_owned()).collect()).collect();
        let (literal, structural) = (Side::of(&tasks, literally), Side::of(&tasks, by_structure));
        OverlapSearch { tasks, literal, structural, traces: 0, actions: 0 }
    }

    #[test]
    fn the_longest_common_sequence_is_found() {
        let mut search = search(&[&["a()", "b()", "c()", "d()"], &["x()"]]);
        search.read(&trace(&["z()", "b()", "c()", "a()", "b()"]));
        search.read(&trace(&["c()", "d()", "x()"]));
        let found = search.result();
        assert_eq!((found.tasks, found.traces, found.actions), (2, 2, 8));
        assert_eq!((found.literal.longest, found.literal.whole_solutions), (2, 1));
        assert_eq!(found.literal.example, ["a()", "b()"]);
        assert_eq!(found.literal.tasks_by_length, BTreeMap::from([(1, 1), (2, 1)]));
    }

    #[test]
    fn names_are_looked_through_but_not_mixed_up() {
        let mut search = search(&[&[r#"go(to="kilo")"#, r#"back(from="kilo", to="bada")"#]]);
        search.read(&trace(&[r#"go(to="tola")"#, r#"back(from="tola", to="mive")"#]));
        let found = search.result();
        assert_eq!((found.literal.longest, found.structural.longest), (0, 2));
        assert_eq!(found.structural.whole_solutions, 1);
        let mut other = self::search(&[&[r#"go(to="kilo")"#, r#"back(from="kilo", to="bada")"#]]);
        other.read(&trace(&[r#"go(to="tola")"#, r#"back(from="mive", to="tola")"#]));
        assert_eq!(other.result().structural.longest, 1, "another name goes back");
    }

    #[test]
    fn a_corpus_of_the_tasks_themselves_is_found_out() {
        let task = Task { world: "files".into(), split: Split::Test, seed: 3, level: 4, fault: None };
        let mut search = OverlapSearch::new(std::slice::from_ref(&task)).unwrap();
        let expert = Episode::expert_trace(&task, Declare::Name).unwrap();
        search.read(&Trace::new(vec![Span::action(&Call::new("read", [("path", Value::str("a"))]))]));
        assert_eq!(search.result().literal.longest, 0);
        search.read(&expert);
        let found = search.result();
        assert_eq!(found.literal.whole_solutions, 1);
        assert_eq!(found.literal.longest, actions(&expert).len());
    }
}
