//! Which suite a run's scores and metrics belong to.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::recipe::canonical_json;
use crate::registration::write_atomically;
use crate::run_store::{RunStoreError, read_json};

const FILE: &str = "evaluated.json";

/// A run's `evaluated.json`: it ties metrics and scores to a suite, so that an evaluation by hand, with another suite,
/// cannot slip into a bet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Evaluated {
    /// Hash of the suite by content.
    suite: String,
    /// Hash of `metrics.json`.
    metrics: String,
    /// Hash of `scores.parquet`, if the evaluation leaves one.
    scores: Option<String>,
    /// Wall time of the evaluation.
    pub(crate) seconds: f64,
}

impl Evaluated {
    /// What an evaluation with `suite` has just left in `run`.
    ///
    /// # Errors
    /// If there are no metrics.
    pub(crate) fn of(run: &Path, suite: &str, seconds: f64) -> io::Result<Evaluated> {
        let metrics = hash_file(&run.join("metrics.json"))?;
        let scores = hash_file(&run.join("scores.parquet")).ok();
        Ok(Evaluated { suite: suite.to_owned(), metrics, scores, seconds })
    }

    pub(crate) fn read(run: &Path) -> Result<Option<Evaluated>, RunStoreError> {
        read_json(&run.join(FILE))
    }

    pub(crate) fn write(&self, run: &Path) -> io::Result<()> {
        let value = serde_json::to_value(self).map_err(io::Error::other)?;
        write_atomically(&run.join(FILE), canonical_json(&value).as_bytes())
    }

    /// True if what lies in `run` is what this evaluation left, and it was made with `suite`.
    pub(crate) fn is_current(&self, run: &Path, suite: &str) -> bool {
        Evaluated::of(run, suite, self.seconds).is_ok_and(|now| now == *self)
    }
}

fn hash_file(path: &Path) -> io::Result<String> {
    Ok(blake3::hash(&fs::read(path)?).to_hex().to_string())
}
