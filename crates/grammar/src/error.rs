//! What can go wrong.

/// Why a grammar or a mask could not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GrammarError {
    /// No call of the tools is valid: there are none, or each asks for a value of a type that has no values.
    #[error("no call is valid: {tools} tools are declared, and none of them can be called")]
    NothingToCall {
        /// The number of tools.
        tools: usize,
    },
    /// A type whose values no grammar can be held to, or not one of a sensible size. [`crate::ActionGrammar`] and
    /// [`crate::lark`] say which these are.
    #[error("actions cannot be held to the type `{ty}`: {why}")]
    Type {
        /// The type, as it is written.
        ty: String,
        /// What there is no grammar for, and what to ask for instead.
        why: String,
    },
    /// A vocabulary without tokens, or whose end token is none of them.
    #[error("a vocabulary of {tokens} tokens has no end token {end}")]
    Vocabulary {
        /// The number of tokens.
        tokens: usize,
        /// The end token asked for.
        end: u32,
    },
    /// A token that may not come next.
    #[error("token {token} cannot go on to a valid action")]
    NotAllowed {
        /// The token.
        token: u32,
    },
}
