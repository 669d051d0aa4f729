//! The grammar of actions at work.

use groundwork_trace::Tool;
use llguidance::Matcher;
use llguidance::api::TopLevelGrammar;
use llguidance::toktrie::SimpleVob;

use crate::{GrammarError, Vocabulary, lark};

/// The valid actions of a set of tools, compiled for a vocabulary.
pub struct ActionGrammar {
    start: Matcher,
    end: u32,
}

/// An action in the course of being written.
pub struct Action {
    matcher: Matcher,
    end: u32,
}

/// The tokens that may come next.
#[derive(Clone)]
pub struct Allowed {
    mask: SimpleVob,
}

impl Allowed {
    /// Whether token `id` may come next. The end token may where the action is complete.
    pub fn has(&self, id: u32) -> bool {
        (id as usize) < self.mask.len() && self.mask.is_allowed(id)
    }

    /// The number of tokens that may come next.
    pub fn count(&self) -> usize {
        self.mask.num_set()
    }
}

impl ActionGrammar {
    /// Compiles the grammar of `tools`.
    ///
    /// # Errors
    /// As [`lark`]; [`GrammarError::Engine`] for declarations that are too large.
    pub fn new(tools: &[Tool], vocabulary: &Vocabulary) -> Result<ActionGrammar, GrammarError> {
        let grammar = TopLevelGrammar::from_lark(lark(tools)?);
        let parser = vocabulary.factory().create_parser(grammar).map_err(GrammarError::engine)?;
        let mut start = Matcher::new(Ok(parser));
        // What is worked out here for the first token is shared by every action.
        start.compute_mask().map_err(GrammarError::engine)?;
        Ok(ActionGrammar { start, end: vocabulary.end() })
    }

    /// An action of which nothing is written yet.
    pub fn action(&self) -> Action {
        Action { matcher: self.start.clone(), end: self.end }
    }
}

impl Action {
    /// The tokens that may come next.
    ///
    /// # Errors
    /// [`GrammarError::Engine`] where the library beneath gives up.
    pub fn allowed(&mut self) -> Result<Allowed, GrammarError> {
        let mask = self.matcher.compute_mask_or_eos().map_err(GrammarError::engine)?;
        Ok(Allowed { mask })
    }

    /// Takes a token that is allowed.
    ///
    /// # Errors
    /// [`GrammarError::Engine`] for one that is not.
    pub fn push(&mut self, token: u32) -> Result<(), GrammarError> {
        self.matcher.consume_token(token).map_err(GrammarError::engine)
    }

    /// Whether what is written is a valid action as it stands.
    ///
    /// # Errors
    /// As [`Action::allowed`].
    pub fn is_complete(&mut self) -> Result<bool, GrammarError> {
        Ok(self.allowed()?.has(self.end))
    }
}

impl std::fmt::Debug for ActionGrammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ActionGrammar").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Action").finish_non_exhaustive()
    }
}
