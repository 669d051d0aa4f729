//! What can go wrong between documents and shards.

use std::path::{Path, PathBuf};

use groundwork_worlds::WorldError;

use crate::TokenizerError;

/// A corpus that cannot be built or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CorpusError {
    /// A field of the recipe does not make sense.
    #[error("`{field}`: {message}")]
    Spec {
        /// The field, as a dotted path: `data.source[1].weight`.
        field: String,
        /// What is wrong with it, and what would be right.
        message: String,
    },
    /// A world source asks for something that does not exist.
    #[error("the source `{name}`: {source}")]
    World {
        /// The source's name.
        name: String,
        /// The world's complaint.
        source: WorldError,
    },
    /// A file or folder does not exist.
    #[error("`{}` does not exist\n  hint: {hint}", path.display())]
    Missing {
        /// The path.
        path: PathBuf,
        /// What to do.
        hint: String,
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
    /// A Parquet file is truncated, corrupt, or not of a known form.
    #[error("`{}`: {message}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What is wrong, with a hint.
        message: String,
    },
    /// A ZIP archive is damaged, or holds what cannot be read.
    #[error("`{}`: {message}", path.display())]
    Archive {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A line of a JSONL file is no record.
    #[error("{}:{line}:{column}: {message}", path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// The line, or for Parquet the row, from 1.
        line: u64,
        /// The column, from 1.
        column: usize,
        /// What is wrong, with a hint.
        message: String,
    },
    /// A record holds no text.
    #[error("{}:{line}: the document is empty\n  hint: remove the record; it cannot teach anything", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
        /// The line, or for Parquet the row, from 1.
        line: u64,
    },
    /// A file is not UTF-8.
    #[error("`{}`: not UTF-8 at byte {offset}\n  hint: convert it, for example with `iconv -t utf-8`", path.display())]
    Utf8 {
        /// The file.
        path: PathBuf,
        /// The first byte that is wrong, from 0.
        offset: u64,
    },
    /// A source has nothing that could be used.
    #[error("the source `{name}` gives no document{why}")]
    NoDocuments {
        /// The source's name.
        name: String,
        /// Why not, and what to do.
        why: String,
    },
    /// Tokens were lost, invented or changed on the way: a fault of this program.
    #[error(
        "the source `{name}`: {what} went in as {before} and came out as {after}; this is a fault of groundwork"
    )]
    Conservation {
        /// The source's name.
        name: String,
        /// What was counted.
        what: String,
        /// The count before.
        before: String,
        /// The count after.
        after: String,
    },
    /// A file of a corpus is not what was written.
    #[error("`{}` is damaged: {message}\n  hint: delete the folder and build the corpus again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        message: String,
    },
    /// A folder of generated traces cannot be gone on with.
    #[error("`{}`: {message}", path.display())]
    TraceSet {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong, with a hint.
        message: String,
    },
    /// The corpus was written by another version of the format.
    #[error("`{}` has version {found}, this program reads version {known}\n  hint: build the corpus again", path.display())]
    Version {
        /// The manifest.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// The version that is read.
        known: u32,
    },
    /// A folder is in the way.
    #[error("`{}` exists and is not this corpus\n  hint: delete it, or write to another folder", path.display())]
    Occupied {
        /// The folder.
        path: PathBuf,
    },
    /// A tokeniser that is not the one the shards were written with.
    #[error("`{}` was tokenised with {expected}, not with {found}\n  hint: use the tokenizer.json in that folder", path.display())]
    TokenizerMismatch {
        /// The corpus.
        path: PathBuf,
        /// The hash in its manifest.
        expected: String,
        /// The tokeniser's hash.
        found: String,
    },
    /// There is no such row.
    #[error("there is no row {row}\n  hint: the corpus has {rows}, counted from 0")]
    NoRow {
        /// The row asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
    /// The tokeniser cannot be trained, read or written.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// What to do about a file that cannot be read or written.
pub(crate) fn io_hint(action: &str) -> &'static str {
    match action {
        "read" => "check that it exists and may be read",
        _ => "the path must be that of a file in a folder that is writable and has room",
    }
}

/// Whether the path is at fault, rather than the machine (a full disk, a broken device).
pub fn is_wrong_path(e: &std::io::Error) -> bool {
    use std::io::ErrorKind::{
        AlreadyExists, InvalidFilename, IsADirectory, NotADirectory, NotFound, PermissionDenied,
        ReadOnlyFilesystem,
    };
    matches!(
        e.kind(),
        AlreadyExists
            | InvalidFilename
            | IsADirectory
            | NotADirectory
            | NotFound
            | PermissionDenied
            | ReadOnlyFilesystem
    )
}

impl CorpusError {
    /// Whether the input or its description is at fault, rather than this machine or this program.
    pub fn is_input(&self) -> bool {
        match self {
            CorpusError::Io { action, source, .. }
            | CorpusError::Tokenizer(TokenizerError::Io { action, source, .. }) => {
                *action == "read" || is_wrong_path(source)
            }
            CorpusError::Conservation { .. } => false,
            _ => true,
        }
    }

    pub(crate) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> CorpusError {
        let path = path.to_owned();
        move |source| CorpusError::Io { action: "read", path, source }
    }

    pub(crate) fn write(path: &Path) -> impl FnOnce(std::io::Error) -> CorpusError {
        let path = path.to_owned();
        move |source| CorpusError::Io { action: "write", path, source }
    }

    pub(crate) fn spec(field: impl Into<String>, message: impl Into<String>) -> CorpusError {
        CorpusError::Spec { field: field.into(), message: message.into() }
    }
}
