//! Automata over bytes, as tables.

use std::collections::HashMap;
use std::hash::Hash;

/// A state of an automaton.
pub(crate) type At = u32;

/// The states that an automaton may have.
pub(crate) const MOST_STATES: usize = 1 << 16;

/// A deterministic automaton over bytes. From each of its states there is a way to the end of a word.
#[derive(Debug)]
pub(crate) struct Automaton {
    /// Bytes of one class lead to the same states.
    classes: [u8; 256],
    /// How many classes there are.
    width: usize,
    /// The next state by state and class, and one more than it.
    next: Vec<u32>,
    ends: Vec<bool>,
    /// The state of no bytes.
    pub(crate) start: At,
}

/// An automaton would have more than [`MOST_STATES`] states.
#[derive(Debug)]
pub(crate) struct TooLarge;

impl Automaton {
    /// Explores all states that can be reached from `start`: `step` gives the next one, if there is one, by a byte for
    /// whose class (bytes of one `class` lead to the same states) it stands; where `ends`, a word may end. Nothing where
    /// no word is accepted.
    pub(crate) fn build<S: Clone + Eq + Hash>(
        start: S,
        class: impl Fn(u8) -> u32,
        mut step: impl FnMut(&S, u8) -> Option<S>,
        mut ends: impl FnMut(&S) -> bool,
    ) -> Result<Option<Automaton>, TooLarge> {
        let (classes, examples) = classes(class);
        let width = examples.len();
        let mut ids: HashMap<S, u32> = HashMap::from([(start.clone(), 0)]);
        let mut states = vec![start];
        let (mut next, mut accepting) = (Vec::new(), Vec::new());
        let mut at = 0;
        while at < states.len() {
            let state = states[at].clone();
            accepting.push(ends(&state));
            for byte in &examples {
                let Some(to) = step(&state, *byte) else {
                    next.push(0);
                    continue;
                };
                let id = *ids.entry(to).or_insert_with_key(|to| {
                    states.push(to.clone());
                    states.len() as u32 - 1
                });
                next.push(id + 1);
            }
            if states.len() > MOST_STATES {
                return Err(TooLarge);
            }
            at += 1;
        }
        let automaton = Automaton { classes, width, next, ends: accepting, start: 0 };
        Ok(automaton.alive())
    }

    /// The automaton of the states from which a word can end; none where no word can.
    fn alive(mut self) -> Option<Automaton> {
        // The ways back, from each state the ones before it.
        let mut before = vec![Vec::new(); self.ends.len()];
        for (i, to) in self.next.iter().enumerate().filter(|(_, to)| **to > 0) {
            before[*to as usize - 1].push(i / self.width);
        }
        let mut alive = self.ends.clone();
        let mut open: Vec<usize> = (0..alive.len()).filter(|s| alive[*s]).collect();
        while let Some(state) = open.pop() {
            for &earlier in &before[state] {
                if !std::mem::replace(&mut alive[earlier], true) {
                    open.push(earlier);
                }
            }
        }
        let mut count = 0;
        let ids: Vec<u32> = alive
            .iter()
            .map(|a| {
                if *a {
                    count += 1;
                    count
                } else {
                    0
                }
            })
            .collect();
        let rows = self.next.chunks(self.width).zip(&alive).filter(|(_, alive)| **alive);
        let to = |to: &u32| if *to == 0 { 0 } else { ids[*to as usize - 1] };
        self.next = rows.flat_map(|(row, _)| row.iter().map(to)).collect();
        self.ends =
            self.ends.iter().zip(&alive).filter(|(_, alive)| **alive).map(|(ends, _)| *ends).collect();
        // The first state that was explored is the first that is kept.
        alive[0].then_some(self)
    }

    /// The same words with as few states as can be: states that differ in nothing are one.
    pub(crate) fn minimal(&self) -> Automaton {
        let mut kinds: Vec<u32> = self.ends.iter().map(|ends| u32::from(*ends)).collect();
        let mut count = 0;
        // States of one kind that lead to different kinds are told apart, until there are none.
        loop {
            let mut found: HashMap<(u32, Vec<u32>), u32> = HashMap::new();
            let rows = self.next.chunks(self.width).zip(&kinds);
            let to = |to: &u32| if *to == 0 { 0 } else { kinds[*to as usize - 1] + 1 };
            let next: Vec<u32> = rows
                .map(|(row, kind)| {
                    let new = found.len() as u32;
                    *found.entry((*kind, row.iter().map(to).collect())).or_insert(new)
                })
                .collect();
            kinds = next;
            if found.len() == count {
                break;
            }
            count = found.len();
        }
        // A kind is numbered when the first of its states is met, so that the first state has the first kind.
        let examples = (0..count as u32).filter_map(|kind| kinds.iter().position(|k| *k == kind));
        let (mut next, mut ends) = (Vec::new(), Vec::new());
        for at in examples {
            let row = &self.next[at * self.width..][..self.width];
            next.extend(row.iter().map(|to| if *to == 0 { 0 } else { kinds[*to as usize - 1] + 1 }));
            ends.push(self.ends[at]);
        }
        Automaton { classes: self.classes, width: self.width, next, ends, start: 0 }
    }

    /// The state after another byte, if a word goes on with it.
    pub(crate) fn step(&self, at: At, byte: u8) -> Option<At> {
        self.next[at as usize * self.width + usize::from(self.classes[usize::from(byte)])].checked_sub(1)
    }

    /// The state after several bytes.
    pub(crate) fn steps(&self, at: At, bytes: &[u8]) -> Option<At> {
        bytes.iter().try_fold(at, |at, byte| self.step(at, *byte))
    }

    /// The number of its states, which are numbered from 0 on.
    pub(crate) fn states(&self) -> usize {
        self.ends.len()
    }

    /// Whether it accepts a word.
    #[cfg(test)]
    pub(crate) fn accepts(&self, word: &str) -> bool {
        self.steps(self.start, word.as_bytes()).is_some_and(|at| self.ends(at))
    }

    /// Whether a word may end here.
    pub(crate) fn ends(&self, at: At) -> bool {
        self.ends[at as usize]
    }

    /// Whether a word may go on from here.
    pub(crate) fn goes_on(&self, at: At) -> bool {
        let from = at as usize * self.width;
        self.next[from..from + self.width].iter().any(|to| *to > 0)
    }
}

/// The number of every byte's class, and a byte of each class.
fn classes(class: impl Fn(u8) -> u32) -> ([u8; 256], Vec<u8>) {
    let mut found: HashMap<u32, u8> = HashMap::new();
    let mut examples = Vec::new();
    let mut classes = [0; 256];
    for byte in 0..=255 {
        classes[usize::from(byte)] = *found.entry(class(byte)).or_insert_with(|| {
            examples.push(byte);
            examples.len() as u8 - 1
        });
    }
    (classes, examples)
}
