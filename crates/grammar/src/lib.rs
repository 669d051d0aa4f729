//! Constrained decoding: which tokens can go on to a valid action.
//!
//! An [`ActionGrammar`] is the grammar of exactly the valid actions of a set of tools, in their canonical print and with the
//! arguments in any order, over a [`Vocabulary`]; each action that a model writes goes through an [`Action`], which says
//! after every token which ones may follow. What is written under it always parses and fits its declaration.
//!
//! Actions are so simple a language that a machine of a few hundred lines reads them byte by byte, in all ways at once, and
//! keeps what it has found out: a mask is worked out once a state. [`lark`] writes the same grammar in the notation of
//! [llguidance](https://github.com/guidance-ai/llguidance), which other servers of models take; `benches/constrained.sh`
//! compares the two, mask by mask.
//!
//! ```
//! use groundwork_grammar::{ActionGrammar, Vocabulary};
//! use groundwork_trace::Tool;
//!
//! // A vocabulary of the 256 bytes and an end token.
//! let tokens: Vec<Vec<u8>> = (0..=255).map(|b| vec![b]).chain([b"<|end|>".to_vec()]).collect();
//! let vocabulary = Vocabulary::new(tokens.iter().map(Vec::as_slice), |id| id == 256, 256)?;
//! let tools = Tool::parse_all("read(path: path) -> str").expect("a declaration");
//! let grammar = ActionGrammar::new(&tools, &vocabulary)?;
//!
//! let mut action = grammar.action();
//! for byte in "read(path=\"/a\"".bytes() {
//!     assert!(action.allowed().has(u32::from(byte)));
//!     action.push(u32::from(byte))?;
//! }
//! assert!(!action.is_complete() && action.allowed().has(u32::from(b')')));
//! # Ok::<(), groundwork_grammar::GrammarError>(())
//! ```

#![forbid(unsafe_code)]

mod action;
mod automaton;
mod compile;
mod error;
mod given;
mod lark;
mod lengths;
mod lexeme;
mod machine;
mod numbers;
mod pattern;
mod regex;
mod vocabulary;

pub use action::{Action, ActionGrammar, Allowed};
pub use error::GrammarError;
pub use lark::lark;
pub use vocabulary::Vocabulary;
