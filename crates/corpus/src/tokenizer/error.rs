//! What can go wrong with a tokeniser.

use std::path::PathBuf;

use super::{TokenizerSpec, special};
use crate::error::io_hint;

/// A tokeniser that cannot be trained, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The vocabulary asked for is too small or too large.
    #[error(
        "`vocabulary` is {vocabulary}, but must lie between {least} ({specials} special tokens and 256 bytes) \
         and {most}",
        least = TokenizerSpec::LEAST,
        specials = special::COUNT,
        most = TokenizerSpec::MOST
    )]
    Vocabulary {
        /// What was asked for.
        vocabulary: usize,
    },
    /// A file could not be read or written.
    #[error("cannot {action} `{}`: {source}\n  hint: {}", path.display(), io_hint(action))]
    Io {
        /// What was tried: "read" or "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A file is not JSON.
    #[error("{}:{line}:{column}: not a tokeniser: {message}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
        /// What is wrong there.
        message: String,
    },
    /// A field asks for something that this tokeniser does not do, or contradicts another.
    #[error(
        "{}: cannot honour the field `{field}`: {message}\n  hint: only tokenisers written by `groundwork` can be used; \
         train one with `groundwork corpus build`",
        path.display()
    )]
    Field {
        /// The file.
        path: PathBuf,
        /// The field, as a dotted path.
        field: String,
        /// What it holds and what it must hold.
        message: String,
    },
}
