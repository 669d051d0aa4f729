//! What is known of the noise before a bet runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The noise of a metric at one rung, from pairs of runs that differ in nothing but chance.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RungNoise {
    /// Standard deviation of the difference within a pair, in the metric's unit.
    pub sd: f64,
    /// Degrees of freedom that it rests on.
    pub df: f64,
    /// Correlation of the two runs of a pair, where it was measured.
    pub correlation: Option<f64>,
}

/// What an archive of A/A runs says about a metric.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ArchiveNoise {
    /// By rung.
    pub rungs: BTreeMap<String, RungNoise>,
    /// How far rungs miss a straight line in the logarithm of compute for reasons that seeds do not see (learning rates
    /// not tuned again, batch, schedule): a standard deviation of the log multiplier. `None`: one per cent of compute.
    pub misfit: Option<f64>,
    /// Where it comes from: the archive's digest, or words.
    pub source: Option<String>,
}

/// The misfit that is assumed where no archive says another: one per cent of compute.
pub const USUAL_MISFIT: f64 = 0.01;
