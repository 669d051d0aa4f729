//! What is wrong with the data, where, and what was done about it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// Something wrong with the data that did not stop the reading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The first place: file and line, row or step; or a run.
    pub place: String,
    /// Further places with the same fault.
    pub more: usize,
    /// What is wrong there.
    pub what: String,
    /// What was done about it, and so what can still be said.
    pub consequence: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.place)?;
        match self.more {
            0 => {}
            1 => write!(f, " (and one more place)")?,
            n => write!(f, " (and {n} more places)")?,
        }
        write!(f, ": {}; {}", self.what, self.consequence)
    }
}

/// Findings in the order in which they were first met, the same fault counted once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    list: Vec<Finding>,
    seen: BTreeMap<(String, String), usize>,
}

impl Findings {
    /// Notes a fault. One with the same `group` and `what` as an earlier one adds to its count.
    pub fn note(
        &mut self,
        group: &str,
        place: impl Into<String>,
        what: impl Into<String>,
        consequence: impl Into<String>,
    ) {
        let what = what.into();
        let key = (group.to_owned(), what.clone());
        if let Some(at) = self.seen.get(&key) {
            self.list[*at].more += 1;
            return;
        }
        self.seen.insert(key, self.list.len());
        self.list.push(Finding { place: place.into(), more: 0, what, consequence: consequence.into() });
    }

    /// All of them.
    pub fn list(&self) -> &[Finding] {
        &self.list
    }

    /// Appends those of another reading.
    pub fn extend(&mut self, other: Findings) {
        let base = self.list.len();
        self.list.extend(other.list);
        for (key, at) in other.seen {
            self.seen.entry(key).or_insert(base + at);
        }
    }

    /// The findings, without the means to add to them.
    pub fn into_list(self) -> Vec<Finding> {
        self.list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_fault_is_said_once_with_its_first_place() {
        let mut findings = Findings::default();
        findings.note("a.csv", "a.csv:3", "`loss` is empty", "left out");
        findings.note("a.csv", "a.csv:4", "`loss` is empty", "left out");
        findings.note("b.csv", "b.csv:4", "`loss` is empty", "left out");
        let text: Vec<String> = findings.list().iter().map(Finding::to_string).collect();
        assert_eq!(
            text,
            ["a.csv:3 (and one more place): `loss` is empty; left out", "b.csv:4: `loss` is empty; left out"]
        );
    }
}
