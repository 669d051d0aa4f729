//! What the runs of a bet measured, as plain data.

use std::collections::BTreeMap;
use std::path::Path;

use crate::bet::Arm;
use crate::evaluated::Evaluated;
use crate::event_log::{CurvePoint, Incident};
use crate::plan::Cell;
use crate::registration::Registration;
use crate::run_store::{Run, RunStoreError};
use crate::score::{MODEL, Metrics, Score};
use crate::tuning::Trial;

/// A bet and what its runs measured.
#[derive(Clone, Debug, PartialEq)]
pub struct BetResult {
    /// What was asked and how it is decided.
    pub registration: Registration,
    /// The runs, in the order of the plan.
    pub cells: Vec<CellResult>,
    /// The runs by which learning rates were chosen, where they were.
    pub trials: Vec<Trial>,
    /// Attempts of reference agents at the same tasks (an expert, one that does nothing, …): floor and ceiling.
    pub references: Vec<Score>,
    /// How test tasks are kept apart from training tasks, in a sentence or two.
    pub separation: String,
}

/// What one run measured.
#[derive(Clone, Debug, PartialEq)]
pub struct CellResult {
    /// Which side.
    pub arm: Arm,
    /// Model size as the bet writes it.
    pub size: String,
    /// Seed.
    pub seed: u64,
    /// Name of the run's folder.
    pub run: String,
    /// Parameters.
    pub params: u64,
    /// Floating-point operations of training.
    pub flops: f64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Wall time of training.
    pub seconds: f64,
    /// Wall time of the evaluation.
    pub evaluation_seconds: f64,
    /// Largest memory of the training process.
    pub peak_memory_bytes: u64,
    /// Metrics by name.
    pub metrics: Metrics,
    /// The model's attempts.
    pub scores: Vec<Score>,
    /// Loss over tokens.
    pub curve: Vec<CurvePoint>,
    /// What went wrong during training.
    pub incidents: Vec<Incident>,
    /// Steps at which the loss rose suddenly.
    pub spikes: Vec<u64>,
    /// How many of the tokens in the corpus came from where.
    pub tokens_by_source: BTreeMap<String, u64>,
    /// The resolved recipe.
    pub recipe: toml::Table,
}

impl CellResult {
    /// Reads what the run of `cell` left below `runs`. The caller reads scores and the corpus's manifest, whose formats
    /// are not the lab's; of `scores` the model's own are kept.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn load(
        runs: &Path,
        cell: &Cell,
        scores: Vec<Score>,
        tokens_by_source: BTreeMap<String, u64>,
    ) -> Result<CellResult, RunStoreError> {
        let path = runs.join(cell.folder());
        let Run { summary, log, recipe, .. } = Run::load(&path)?;
        let evaluation_seconds = Evaluated::read(&path)?.map_or(0.0, |e| e.seconds);
        let done = summary.done.unwrap_or_default();
        Ok(CellResult {
            arm: cell.arm,
            size: cell.size.clone(),
            seed: cell.seed,
            run: summary.folder,
            params: cell.recipe.params,
            // What was planned is what is compared; what the trainer counted stands in for it only if it says so.
            flops: if done.flops > 0.0 { done.flops } else { cell.recipe.flops },
            tokens: if done.tokens > 0 { done.tokens } else { cell.recipe.tokens },
            seconds: done.seconds,
            evaluation_seconds,
            peak_memory_bytes: done.peak_memory_bytes,
            metrics: summary.metrics,
            scores: scores.into_iter().filter(|s| s.policy == MODEL).collect(),
            spikes: log.spikes(),
            curve: log.curve,
            incidents: log.incidents,
            tokens_by_source,
            recipe,
        })
    }
}

impl BetResult {
    /// The run of an arm at a size with a seed.
    pub fn cell(&self, arm: Arm, size: &str, seed: u64) -> Option<&CellResult> {
        self.cells.iter().find(|c| c.arm == arm && c.size == size && c.seed == seed)
    }

    /// The runs of an arm at a size, by seed.
    pub fn at(&self, arm: Arm, size: &str) -> Vec<&CellResult> {
        self.cells.iter().filter(|c| c.arm == arm && c.size == size).collect()
    }

    /// The label of an arm.
    pub fn label(&self, arm: Arm) -> &str {
        match arm {
            Arm::Baseline => &self.registration.content.labels[0],
            Arm::Candidate => &self.registration.content.labels[1],
        }
    }
}
