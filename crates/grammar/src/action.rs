//! The grammar of actions at work.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};

use groundwork_trace::Tool;

use crate::compile::compile;
use crate::machine::{DEAD, Machine, START, StateId};
use crate::{GrammarError, Vocabulary};

/// Masks that are kept; then they are made anew.
const MOST_MASKS: usize = 4096;

/// The valid actions of a set of tools, over a vocabulary. Cheap to clone; what one action finds out serves them all.
#[derive(Clone)]
pub struct ActionGrammar {
    vocabulary: Vocabulary,
    reader: Arc<Mutex<Reader>>,
}

struct Reader {
    machine: Machine,
    masks: HashMap<StateId, Mask>,
    /// The states along the bytes of a token.
    path: Vec<StateId>,
}

/// What may come next in a state.
struct Mask {
    allowed: Arc<Allowed>,
    /// The branches of the vocabulary at which that depends on what was written; their tokens are not among the
    /// allowed ones.
    open: Vec<usize>,
}

/// An action in the course of being written.
#[derive(Clone)]
pub struct Action {
    grammar: ActionGrammar,
    text: Vec<u8>,
    /// The state of the text, in this generation of the machine.
    state: StateId,
    generation: u32,
}

/// The tokens that may come next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    bits: Vec<u64>,
}

impl Allowed {
    /// Whether token `id` may come next. The end token may where the action is complete.
    pub fn has(&self, id: u32) -> bool {
        self.bits.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// The number of tokens that may come next.
    pub fn count(&self) -> usize {
        self.bits.iter().map(|word| word.count_ones() as usize).sum()
    }

    fn add(&mut self, id: u32) {
        self.bits[id as usize / 64] |= 1 << (id % 64);
    }
}

impl ActionGrammar {
    /// Compiles the grammar of `tools`.
    ///
    /// It has a sentence for every valid call, but for these: a `float` with bounds has no exponent, unless all of them are
    /// zero; a list whose items differ has at most 4096 of them; the fields of a tool or a record that declares more than
    /// 60 come in the declared order.
    ///
    /// # Errors
    /// [`GrammarError::NothingToCall`] where no call is valid. [`GrammarError::Type`] for a type that is named and not
    /// declared, and for bounds that would take too much: a bound of a number with more than 200 digits, a `step` of whose
    /// multiples no automaton of 65 536 states keeps count, a `pattern` that has none (also together with its `max`), a
    /// list without equals of more than 4096 items.
    pub fn new(tools: &[Tool], vocabulary: &Vocabulary) -> Result<ActionGrammar, GrammarError> {
        let (nodes, start) = compile(tools)?;
        let machine = Machine::new(nodes, start);
        let reader = Reader { machine, masks: HashMap::new(), path: Vec::new() };
        Ok(ActionGrammar { vocabulary: vocabulary.clone(), reader: Arc::new(Mutex::new(reader)) })
    }

    /// An action of which nothing is written yet.
    pub fn action(&self) -> Action {
        let generation = self.reader().machine.generation;
        Action { grammar: self.clone(), text: Vec::new(), state: START, generation }
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Action {
    /// The tokens that may come next.
    pub fn allowed(&self) -> Arc<Allowed> {
        let mut reader = self.grammar.reader();
        let state = reader.state(self);
        reader.allowed(state, &self.text, &self.grammar.vocabulary)
    }

    /// Takes a token.
    ///
    /// # Errors
    /// [`GrammarError::NotAllowed`] for one that may not come next; the action stays as it was.
    pub fn push(&mut self, token: u32) -> Result<(), GrammarError> {
        let bytes = self.grammar.vocabulary.inner.tokens.get(token as usize);
        let bytes = bytes.filter(|b| !b.is_empty()).ok_or(GrammarError::NotAllowed { token })?;
        let mut reader = self.grammar.reader();
        let state = reader.state(self);
        let state = reader.read(state, &self.text, bytes);
        if state == DEAD {
            return Err(GrammarError::NotAllowed { token });
        }
        self.generation = reader.machine.generation;
        self.state = state;
        self.text.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether what is written is a valid action as it stands.
    pub fn is_complete(&self) -> bool {
        let mut reader = self.grammar.reader();
        let state = reader.state(self);
        reader.machine.accepts(state)
    }
}

impl Reader {
    /// The state of an action, read again where the machine has begun anew since.
    fn state(&mut self, action: &Action) -> StateId {
        if self.machine.forget() {
            self.masks.clear();
        }
        match action.generation == self.machine.generation {
            true => action.state,
            false => self.read(START, &[], &action.text),
        }
    }

    /// The state after `bytes` behind `text`, which has led to `state`.
    fn read(&mut self, state: StateId, text: &[u8], bytes: &[u8]) -> StateId {
        let machine = &mut self.machine;
        machine.text.clear();
        machine.text.extend_from_slice(text);
        bytes.iter().fold(state, |state, byte| {
            let next = machine.step(state, *byte);
            machine.text.push(*byte);
            next
        })
    }

    fn allowed(&mut self, state: StateId, text: &[u8], vocabulary: &Vocabulary) -> Arc<Allowed> {
        if !self.masks.contains_key(&state) {
            let v = &vocabulary.inner;
            let mut allowed = Allowed { bits: vec![0; v.tokens.len().div_ceil(64)] };
            if self.machine.accepts(state) {
                allowed.add(v.end);
            }
            let mut open = Vec::new();
            self.read(state, text, &[]);
            self.path.clear();
            self.path.push(state);
            self.walk(0..v.tree.len(), text.len(), vocabulary, &mut allowed, Some(&mut open));
            if self.masks.len() >= MOST_MASKS {
                self.masks.clear();
            }
            self.masks.insert(state, Mask { allowed: Arc::new(allowed), open });
        }
        let mask = &self.masks[&state];
        if mask.open.is_empty() {
            return Arc::clone(&mask.allowed);
        }
        let (mut allowed, open) = (Allowed::clone(&mask.allowed), mask.open.clone());
        let v = &vocabulary.inner;
        for at in open {
            // The bytes above the branch are those of a token below it.
            let branch = &v.tree[at];
            let above = &v.tokens[v.ends[branch.first as usize] as usize][..usize::from(branch.depth)];
            self.read(state, text, &[]);
            self.path.clear();
            self.path.push(state);
            for byte in above {
                let next = self.machine.step(self.path[self.path.len() - 1], *byte);
                self.machine.text.push(*byte);
                self.path.push(next);
            }
            self.walk(at..branch.next as usize, text.len(), vocabulary, &mut allowed, None);
        }
        Arc::new(allowed)
    }

    /// Adds the tokens of some branches, above which the path stands already; where a step looks into the text, whose
    /// first `length` bytes are written, it notes the branch instead if it is to note it.
    fn walk(
        &mut self,
        branches: Range<usize>,
        length: usize,
        vocabulary: &Vocabulary,
        allowed: &mut Allowed,
        mut open: Option<&mut Vec<usize>>,
    ) {
        let v = &vocabulary.inner;
        let mut at = branches.start;
        while at < branches.end {
            let branch = &v.tree[at];
            let depth = usize::from(branch.depth);
            self.machine.text.truncate(length + depth);
            self.machine.looked = false;
            let next = self.machine.step(self.path[depth], branch.byte);
            if let Some(open) = open.as_mut().filter(|_| self.machine.looked) {
                open.push(at);
                at = branch.next as usize;
                continue;
            }
            if next == DEAD {
                at = branch.next as usize;
                continue;
            }
            self.machine.text.push(branch.byte);
            self.path.truncate(depth + 1);
            self.path.push(next);
            let first = branch.first as usize;
            v.ends[first..first + usize::from(branch.ends)].iter().for_each(|id| allowed.add(*id));
            at += 1;
        }
    }
}

impl std::fmt::Debug for ActionGrammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActionGrammar").field("vocabulary", &self.vocabulary.size()).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action").field("state", &self.state).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A grammar over all bytes.
    fn grammar(declared: &str) -> ActionGrammar {
        let tokens: Vec<Vec<u8>> =
            (0..=255).map(|b| vec![b]).chain([b"\", ".to_vec(), b"<|end|>".to_vec()]).collect();
        let vocabulary = Vocabulary::new(tokens.iter().map(Vec::as_slice), |id| id == 257, 257).unwrap();
        ActionGrammar::new(&Tool::parse_all(declared).unwrap(), &vocabulary).unwrap()
    }

    #[test]
    fn a_machine_that_begins_anew_changes_nothing() {
        let declared = "f(tags: [str](unique=true), facts: {*: int} = {}) -> null";
        let (endless, forgetful) = (grammar(declared), grammar(declared));
        forgetful.reader().machine.most = 40;
        let mut pairs = [0, 1].map(|_| (endless.action(), forgetful.action()));
        let texts = [
            "f(tags=[\"a\", \"ab\", \"b\"], facts={x: 1, y: 2})",
            "f(facts={ab: 1, a: 2}, tags=[\"\", \" \"])",
        ];
        for at in 0..texts[0].len() {
            // Two actions in turns.
            for (text, (one, other)) in texts.iter().zip(&mut pairs) {
                assert_eq!(one.allowed(), other.allowed());
                let Some(byte) = text.as_bytes().get(at) else { continue };
                one.push(u32::from(*byte)).unwrap();
                other.push(u32::from(*byte)).unwrap();
                assert_eq!(one.is_complete(), other.is_complete());
            }
        }
        assert!(pairs.iter().all(|(one, other)| one.is_complete() && other.is_complete()));
        let most = forgetful.reader().machine.generation;
        assert!(most > 10 && endless.reader().machine.generation == 0, "{most}");
    }

    #[test]
    fn a_machine_does_not_grow_without_end() {
        let grammar = grammar("f(tags: [str](unique=true)) -> null");
        grammar.reader().machine.most = 10_000;
        for round in 1..200 {
            let mut action = grammar.action();
            let text = format!("f(tags=[\"{round}\", \"{}\", \"x{round}\", \"x\"])", round * 7919);
            for byte in text.bytes() {
                assert!(action.allowed().has(u32::from(byte)), "{text}");
                action.push(u32::from(byte)).unwrap();
            }
            assert!(grammar.reader().machine.size() < 12_000);
        }
        assert!(grammar.reader().machine.generation > 0);
    }

    #[test]
    fn a_mask_knows_what_was_written() {
        let grammar = grammar("f(tags: [str](unique=true, max=9)) -> null");
        let after = |text: &str| {
            let mut action = grammar.action();
            text.bytes().for_each(|b| action.push(u32::from(b)).unwrap());
            action.allowed()
        };
        // The same state inside a first item, whatever it says; `", ` goes on to another.
        assert!(after("f(tags=[\"x").has(256) && after("f(tags=[\"y").has(256));
        assert!(!after("f(tags=[\"x\", \"x").has(u32::from(b'"')));
        assert!(after("f(tags=[\"x\", \"y").has(u32::from(b'"')));
        assert!(!after("f(tags=[\"y\", \"y").has(256));
    }
}
