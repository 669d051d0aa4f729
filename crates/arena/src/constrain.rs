//! Actions held to the grammar of their tools.

use std::collections::HashMap;

use groundwork_corpus::Tokenizer;
use groundwork_grammar::{Action, ActionGrammar, GrammarError, Vocabulary};
use groundwork_trace::Tool;

use crate::SuiteSpec;

/// The grammars of sets of tools, each compiled when it is first asked for.
pub(crate) struct Grammars {
    vocabulary: Option<Vocabulary>,
    made: HashMap<Vec<Tool>, ActionGrammar>,
}

impl Grammars {
    /// Grammars over a tokenizer's tokens; none where the suite leaves actions free.
    pub(crate) fn new(suite: &SuiteSpec, tokenizer: &Tokenizer) -> Result<Grammars, GrammarError> {
        let vocabulary = suite.constrained.then(|| vocabulary(tokenizer)).transpose()?;
        Ok(Grammars { vocabulary, made: HashMap::new() })
    }

    /// An action of these tools, of which nothing is said yet; none where actions are free.
    pub(crate) fn action(&mut self, tools: &[Tool]) -> Result<Option<Action>, GrammarError> {
        let Some(vocabulary) = &self.vocabulary else { return Ok(None) };
        if let Some(made) = self.made.get(tools) {
            return Ok(Some(made.action()));
        }
        let made = ActionGrammar::new(tools, vocabulary)?;
        let action = made.action();
        self.made.insert(tools.to_vec(), made);
        Ok(Some(action))
    }
}

/// The grammar of the valid actions of `tools`, over a tokenizer's tokens.
///
/// # Errors
/// [`GrammarError::NothingToCall`] where no call is valid.
pub fn action_grammar(tools: &[Tool], tokenizer: &Tokenizer) -> Result<ActionGrammar, GrammarError> {
    ActionGrammar::new(tools, &vocabulary(tokenizer)?)
}

fn vocabulary(tokenizer: &Tokenizer) -> Result<Vocabulary, GrammarError> {
    let tokens = (0..tokenizer.vocabulary() as u32).map(|id| tokenizer.token_bytes(id));
    Vocabulary::new(tokens, |id| tokenizer.is_special(id), tokenizer.end())
}
