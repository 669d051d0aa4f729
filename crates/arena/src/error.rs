//! What can go wrong when agents are tested.

use std::path::PathBuf;

use groundwork_grammar::GrammarError;
use groundwork_worlds::WorldError;

/// Why a suite could not be played or its scores not be kept.
#[derive(Debug, thiserror::Error)]
pub enum ArenaError {
    /// A world refused: an unknown name, or a level or fault that it does not have.
    #[error(transparent)]
    World(#[from] WorldError),
    /// Actions cannot be held to a grammar.
    #[error(transparent)]
    Grammar(#[from] GrammarError),
    /// The model does not know all of the tokenizer's tokens.
    #[error(
        "the model knows {model} tokens and the tokenizer has {tokenizer}\n  hint: take the tokenizer that the model was trained with"
    )]
    Vocabulary {
        /// Tokens that the model knows.
        model: usize,
        /// Tokens that the tokenizer has.
        tokenizer: usize,
    },
    /// The prompt leaves no room for a continuation.
    #[error(
        "the prompt has {prompt} tokens, and the model was trained on sequences of {context}\n  hint: shorten the prompt, so that the continuation fits behind it"
    )]
    Context {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens that the context takes.
        context: usize,
    },
    /// The transcript of an attempt cannot be read.
    #[error(
        "the transcript of an attempt at `{world}`, level {level}, seed {seed} is no trace: {what}\n  hint: the file of scores is damaged; evaluate again"
    )]
    Transcript {
        /// The world.
        world: String,
        /// The level.
        level: u32,
        /// The seed of the task.
        seed: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A field of a suite has a value that makes no sense.
    #[error("suite: `{field}` {what}\n  hint: {hint}")]
    Suite {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        what: String,
        /// What to write instead.
        hint: String,
    },
    /// The machine failed: a full disk, a broken device.
    #[error("`{}`: {what}\n  hint: {hint}", path.display())]
    Machine {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },
    /// A file of scores cannot be read or written.
    #[error("`{}`: {what}\n  hint: {hint}", path.display())]
    Scores {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
        /// What to do about it.
        hint: &'static str,
    },
}

impl ArenaError {
    /// Whether the input is at fault, and not the machine.
    pub fn is_input(&self) -> bool {
        !matches!(self, ArenaError::Machine { .. })
    }
}
