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
    /// A type whose values no grammar can be held to: bounds other than ranges of integers and lengths, open records (of which no
    /// automaton can say that each name is given once), and types that are named and not declared.
    #[error(
        "actions cannot be held to the type `{ty}`: ranges of integers and lengths have a grammar, other bounds and open records have none; ask for plain types, or decode freely"
    )]
    Type {
        /// The type, as it is written.
        ty: String,
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
