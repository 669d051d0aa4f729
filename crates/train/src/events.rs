//! The append-only event log of a run.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use groundwork_objectives::LossByKind;
use serde::{Deserialize, Serialize};

use crate::TrainError;

/// One line of `events.jsonl.zst`, and of `--json` on standard output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// The corpus is being built or opened.
    Corpus {
        /// What is being done.
        stage: String,
        /// Units done (tokens or documents).
        done: u64,
        /// Units to do, where known.
        of: u64,
    },
    /// Training begins.
    Start {
        /// The run's folder name.
        run: String,
        /// Optimiser steps to take.
        steps: u64,
        /// Positions a step.
        tokens_per_step: u64,
        /// All parameters.
        parameters: u64,
        /// Parameters without embedding and head.
        non_embedding: u64,
        /// Model operations of the whole run.
        flops: f64,
        /// The machine's measured rate of matrix products, operations a second, against which
        /// utilisation is given.
        peak_flops: f64,
        /// Unix time.
        time: u64,
    },
    /// Training goes on from a checkpoint.
    Resume {
        /// Steps already taken.
        step: u64,
        /// Unix time.
        time: u64,
    },
    /// Some steps have been taken.
    Step(StepEvent),
    /// A checkpoint has been written.
    Checkpoint {
        /// Steps taken.
        step: u64,
    },
    /// Something that should not have happened.
    Incident {
        /// The step.
        step: u64,
        /// `spike` or `diverged`.
        kind: String,
        /// What was seen.
        what: String,
    },
    /// The run is finished.
    Done(Done),
}

/// The state of a run after a step, with means since the last such event.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepEvent {
    /// Steps taken.
    pub step: u64,
    /// Steps to take.
    pub of: u64,
    /// Positions trained on.
    pub tokens: u64,
    /// Weighted loss, nats.
    pub loss: f64,
    /// Unweighted loss in nats a token, by span kind.
    pub loss_by_kind: LossByKind,
    /// Learning rate of the hidden matrices.
    pub learning_rate: f64,
    /// Norm of the gradient before clipping, largest since the last event.
    pub gradient_norm: f64,
    /// Positions a second.
    pub tokens_per_second: f64,
    /// Model-FLOP utilisation against the machine's measured rate of matrix products.
    pub mfu: f64,
    /// Seconds of training so far, over all sittings.
    pub seconds: f64,
}

/// What a finished run came to; also `done.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    /// Steps taken.
    pub steps: u64,
    /// Positions trained on.
    pub tokens: u64,
    /// Model operations spent.
    pub flops: f64,
    /// Seconds of training over all sittings, corpus building left out.
    pub seconds: f64,
    /// Largest resident memory of the process that finished the run, bytes; 0 where unknown.
    pub peak_memory_bytes: u64,
    /// Weighted loss over the last tenth of the run, nats; none where all of it was masked.
    pub final_loss: Option<f64>,
    /// Unweighted loss over the last tenth of the run, nats a token, by span kind.
    pub loss_by_kind: LossByKind,
    /// Loss spikes seen.
    pub spikes: u64,
    /// Tokens of the corpus by source.
    pub tokens_by_source: BTreeMap<String, u64>,
    /// Hash of the recipe.
    pub recipe_hash: String,
}

/// Appends events to `events.jsonl.zst`.
///
/// Every append is one zstd frame of whole lines, so that whatever a kill leaves behind is a
/// readable log with at most one torn frame at its end.
pub struct EventLog {
    file: File,
    path: PathBuf,
    pending: String,
}

impl EventLog {
    /// Opens the log of a run's folder for appending.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(run: &Path) -> Result<Self, TrainError> {
        let path = run.join("events.jsonl.zst");
        let file = OpenOptions::new().create(true).append(true).open(&path).map_err(TrainError::io(&path))?;
        Ok(EventLog { file, path, pending: String::new() })
    }

    /// Adds an event; it reaches the disk with the next [`Self::flush`].
    pub fn push(&mut self, event: &Event) {
        self.pending += &serde_json::to_string(event).expect("events are plain data");
        self.pending.push('\n');
    }

    /// Writes what is pending.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn flush(&mut self) -> Result<(), TrainError> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let frame = zstd::encode_all(self.pending.as_bytes(), 3).map_err(TrainError::io(&self.path))?;
        self.file.write_all(&frame).map_err(TrainError::io(&self.path))?;
        self.pending.clear();
        Ok(())
    }
}
