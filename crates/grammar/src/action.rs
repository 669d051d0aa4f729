//! The grammar of actions at work.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use groundwork_trace::Tool;

use crate::compile::compile;
use crate::machine::{DEAD, Machine, StateId};
use crate::{GrammarError, Vocabulary};

/// Masks that are kept; then they are made anew.
const MOST_MASKS: usize = 4096;

/// The valid actions of a set of tools, over a vocabulary. Cheap to clone; what one action finds out serves them all.
#[derive(Clone)]
pub struct ActionGrammar {
    vocabulary: Vocabulary,
    start: StateId,
    reader: Arc<Mutex<Reader>>,
}

struct Reader {
    machine: Machine,
    masks: HashMap<StateId, Arc<Allowed>>,
    /// The states along the bytes of a token.
    path: Vec<StateId>,
}

/// An action in the course of being written.
#[derive(Clone)]
pub struct Action {
    grammar: ActionGrammar,
    state: StateId,
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
    /// # Errors
    /// [`GrammarError::NothingToCall`] where no call is valid, [`GrammarError::Type`] for a type that has no grammar.
    pub fn new(tools: &[Tool], vocabulary: &Vocabulary) -> Result<ActionGrammar, GrammarError> {
        let (nodes, start) = compile(tools)?;
        let (machine, start) = Machine::new(nodes, start);
        let reader = Reader { machine, masks: HashMap::new(), path: Vec::new() };
        Ok(ActionGrammar { vocabulary: vocabulary.clone(), start, reader: Arc::new(Mutex::new(reader)) })
    }

    /// An action of which nothing is written yet.
    pub fn action(&self) -> Action {
        Action { grammar: self.clone(), state: self.start }
    }

    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.reader.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl Action {
    /// The tokens that may come next.
    pub fn allowed(&self) -> Arc<Allowed> {
        self.grammar.reader().allowed(self.state, &self.grammar.vocabulary)
    }

    /// Takes a token.
    ///
    /// # Errors
    /// [`GrammarError::NotAllowed`] for one that may not come next; the action stays as it was.
    pub fn push(&mut self, token: u32) -> Result<(), GrammarError> {
        let bytes = self.grammar.vocabulary.inner.tokens.get(token as usize);
        let bytes = bytes.filter(|b| !b.is_empty()).ok_or(GrammarError::NotAllowed { token })?;
        let mut reader = self.grammar.reader();
        let state = bytes.iter().fold(self.state, |state, byte| reader.machine.step(state, *byte));
        if state == DEAD {
            return Err(GrammarError::NotAllowed { token });
        }
        self.state = state;
        Ok(())
    }

    /// Whether what is written is a valid action as it stands.
    pub fn is_complete(&self) -> bool {
        self.grammar.reader().machine.accepts(self.state)
    }
}

impl Reader {
    fn allowed(&mut self, state: StateId, vocabulary: &Vocabulary) -> Arc<Allowed> {
        if let Some(mask) = self.masks.get(&state) {
            return Arc::clone(mask);
        }
        let v = &vocabulary.inner;
        let mut mask = Allowed { bits: vec![0; v.tokens.len().div_ceil(64)] };
        if self.machine.accepts(state) {
            mask.add(v.end);
        }
        self.path.clear();
        self.path.push(state);
        let mut at = 0;
        while let Some(branch) = v.tree.get(at) {
            let depth = usize::from(branch.depth);
            let next = self.machine.step(self.path[depth], branch.byte);
            if next == DEAD {
                at = branch.next as usize;
                continue;
            }
            self.path.truncate(depth + 1);
            self.path.push(next);
            let first = branch.first as usize;
            v.ends[first..first + usize::from(branch.ends)].iter().for_each(|id| mask.add(*id));
            at += 1;
        }
        let mask = Arc::new(mask);
        if self.masks.len() >= MOST_MASKS {
            self.masks.clear();
        }
        self.masks.insert(state, Arc::clone(&mask));
        mask
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
