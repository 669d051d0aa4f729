//! What can go wrong in training.

use std::path::PathBuf;

use groundwork_corpus::{CorpusError, is_wrong_path};
use groundwork_model::ModelError;
use groundwork_objectives::ObjectiveError;

/// What can go wrong in training.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// A recipe cannot be read or used.
    #[error("{what}\n  hint: {hint}")]
    Recipe {
        /// What is wrong, with file, line and field.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The corpus cannot be built or read.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The model's description or its files cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The objective cannot be used.
    #[error(transparent)]
    Objective(#[from] ObjectiveError),
    /// A file could not be read or written.
    #[error("`{path}`: {source}\n  hint: check that the path is right, may be used, and has room")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: std::io::Error,
    },
    /// A file of a run does not hold what it should.
    #[error("`{path}`: {what}\n  hint: {hint}")]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
        /// What to do.
        hint: String,
    },
    /// The processor asked for cannot be had.
    #[error("{what}\n  hint: {hint}")]
    Processor {
        /// What is missing.
        what: String,
        /// What to do.
        hint: String,
    },
    /// Another process trains this run.
    #[error("`{path}` is being trained by another process\n  hint: wait for it, or stop it first")]
    Busy {
        /// The run's folder.
        path: PathBuf,
    },
    /// The loss or its gradient left the numbers, or rose far above where it had been.
    #[error("training stopped at step {step}: {what}\n  hint: {hint}")]
    Diverged {
        /// The step at which it was noticed.
        step: u64,
        /// What was seen.
        what: String,
        /// What to do; names the last good checkpoint.
        hint: String,
    },
}

impl TrainError {
    /// Whether the input, not the run, was wrong (exit code 2).
    pub fn is_input(&self) -> bool {
        match self {
            TrainError::Diverged { .. } | TrainError::Busy { .. } => false,
            TrainError::Io { source, .. } => is_wrong_path(source),
            TrainError::Corpus(e) => e.is_input(),
            _ => true,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> TrainError {
        let path = path.into();
        move |source| TrainError::Io { path, source }
    }
}
