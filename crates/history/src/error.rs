//! Why histories cannot be read at all. What is wrong with a part of them is a [`Finding`](crate::Finding).

use std::io;
use std::path::{Path, PathBuf};

/// Why run histories cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A file or folder cannot be opened.
    #[error("cannot read `{}`: {source}\n  hint: check that the path is right and may be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write `{}`: {message}\n  hint: the folder must be writable and have room", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A file is not what its name or its first bytes say.
    #[error("`{}` {message}\n  hint: {hint}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, after the file's name.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A column that was named, or that is needed, is in none of the files.
    #[error("{message}\n  hint: {hint}")]
    Column {
        /// What is missing.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A pattern for the names of runs is not one.
    #[error(
        "the pattern `{pattern}` {message}\n  hint: write it as `{{arm}}-{{size}}-s{{seed}}`; `*` stands for anything"
    )]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// The files are readable, but hold no run.
    #[error("{message}\n  hint: {hint}")]
    Nothing {
        /// What was looked for.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl HistoryError {
    pub(crate) fn malformed(
        path: &Path,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> HistoryError {
        HistoryError::Malformed { path: path.to_owned(), message: message.into(), hint: hint.into() }
    }

    pub(crate) fn write(path: &Path, message: impl ToString) -> HistoryError {
        HistoryError::Write { path: path.to_owned(), message: message.to_string() }
    }
}
