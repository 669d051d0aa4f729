//! The tokens of a model.

use std::sync::Arc;

use llguidance::ParserFactory;
use llguidance::toktrie::{ApproximateTokEnv, InferenceCapabilities, TokEnv, TokRxInfo, TokTrie};

use crate::GrammarError;
use crate::lark::{ESCAPE, PLAIN};

/// The tokens of a model, laid out for masks. Cheap to clone.
#[derive(Clone)]
pub struct Vocabulary {
    factory: Arc<ParserFactory>,
    tokens: usize,
    end: u32,
}

impl Vocabulary {
    /// Takes the bytes of every token, in the order of their ids. No text spells a token that is `special`; `end`
    /// is the special token that may follow an action that is complete.
    ///
    /// # Errors
    /// [`GrammarError::Vocabulary`] where there is no token `end`.
    pub fn new<'a>(
        tokens: impl IntoIterator<Item = &'a [u8]>,
        special: impl Fn(u32) -> bool,
        end: u32,
    ) -> Result<Vocabulary, GrammarError> {
        let words: Vec<Vec<u8>> = (0..)
            .zip(tokens)
            .map(|(id, bytes)| {
                // The marker byte, which no UTF-8 holds, keeps special tokens apart from text.
                let marker = if special(id) { &[TokTrie::SPECIAL_TOKEN_MARKER][..] } else { &[] };
                [marker, bytes].concat()
            })
            .collect();
        if words.get(end as usize).is_none() {
            return Err(GrammarError::Vocabulary { tokens: words.len(), end });
        }
        let trie = TokTrie::from(&TokRxInfo::new(words.len() as u32, end), &words);
        let env: TokEnv = Arc::new(ApproximateTokEnv::new(trie));
        // Inside strings, where most tokens are allowed, whole slices of the vocabulary are decided at once.
        let slices = [format!("{PLAIN}{{1,10}}"), format!("{PLAIN}{{1,30}}"), format!("({PLAIN}|{ESCAPE})+")];
        let capabilities = InferenceCapabilities::default();
        let mut factory = ParserFactory::new(&env, capabilities, &slices).map_err(GrammarError::engine)?;
        factory.quiet();
        Ok(Vocabulary { factory: Arc::new(factory), tokens: words.len(), end })
    }

    /// The number of tokens.
    pub fn len(&self) -> usize {
        self.tokens
    }

    /// Whether there are no tokens, which cannot be.
    pub fn is_empty(&self) -> bool {
        self.tokens == 0
    }

    pub(crate) fn factory(&self) -> &ParserFactory {
        &self.factory
    }

    pub(crate) fn end(&self) -> u32 {
        self.end
    }
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vocabulary").field("tokens", &self.tokens).finish_non_exhaustive()
    }
}
