//! What can go wrong with a model.

use std::path::PathBuf;

/// What can go wrong with a model's description or its files.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// A field of `[model]` has a value that cannot be used.
    #[error("`model.{field}`: {what}\n  hint: {hint}")]
    Spec {
        /// The field.
        field: &'static str,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// A file could not be read or written.
    #[error("`{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("`{path}`: {what}\n  hint: {hint}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: &'static str,
    },
}
