//! Constrained decoding: which tokens can go on to a valid action.
//!
//! [`lark`] writes the grammar of exactly the valid actions of a set of tools, in their canonical print and with the
//! arguments in any order. An [`ActionGrammar`] is that grammar, compiled for a [`Vocabulary`] by
//! [llguidance](https://github.com/guidance-ai/llguidance); each action that a model writes goes through an [`Action`], which
//! says after every token which ones may follow. What is written under it always parses and fits its declaration.
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
//!     assert!(action.allowed()?.has(u32::from(byte)));
//!     action.push(u32::from(byte))?;
//! }
//! assert!(!action.is_complete()? && action.allowed()?.has(u32::from(b')')));
//! # Ok::<(), groundwork_grammar::GrammarError>(())
//! ```

#![forbid(unsafe_code)]

mod action;
mod error;
mod lark;
mod vocabulary;

pub use action::{Action, ActionGrammar, Allowed};
pub use error::GrammarError;
pub use lark::{DEEPEST_ANY, lark};
pub use vocabulary::Vocabulary;
