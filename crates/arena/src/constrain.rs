//! Actions held to the grammar of their tools.

use std::collections::BTreeMap;

use groundwork_corpus::Tokenizer;
use groundwork_grammar::{ActionGrammar, GrammarError, Vocabulary};
use groundwork_trace::Tool;
use groundwork_worlds::{Episode, Task, tool_set};

use crate::{ArenaError, SuiteSpec};

/// The grammars of the worlds' actions, each compiled when it is first asked for.
pub(crate) struct Grammars {
    vocabulary: Option<Vocabulary>,
    made: BTreeMap<String, ActionGrammar>,
}

impl Grammars {
    /// Grammars over a tokenizer's tokens; none where the suite leaves actions free.
    pub(crate) fn new(suite: &SuiteSpec, tokenizer: &Tokenizer) -> Result<Grammars, GrammarError> {
        let vocabulary = suite.constrained.then(|| vocabulary(tokenizer)).transpose()?;
        Ok(Grammars { vocabulary, made: BTreeMap::new() })
    }

    /// The grammar of the actions in a task.
    pub(crate) fn of(&mut self, task: &Task) -> Result<Option<ActionGrammar>, ArenaError> {
        let Some(vocabulary) = &self.vocabulary else { return Ok(None) };
        let Some(tools) = tool_set(&task.world) else {
            // A world whose tools differ from task to task.
            return Ok(Some(ActionGrammar::new(Episode::new(task)?.tools(), vocabulary)?));
        };
        if let Some(made) = self.made.get(&task.world) {
            return Ok(Some(made.clone()));
        }
        let made = ActionGrammar::new(tools, vocabulary)?;
        self.made.insert(task.world.clone(), made.clone());
        Ok(Some(made))
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
