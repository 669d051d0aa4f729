//! Anyone's runs.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::values::condition;

#[derive(Args)]
pub struct VerdictArgs {
    /// The histories: files and folders of them
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// A file that states all of the below (TOML); what is given here comes first
    #[arg(long, value_name = "FILE")]
    pub question: Option<PathBuf>,
    /// The metric that decides: a column, or a tag
    #[arg(long, value_name = "COLUMN")]
    pub metric: Option<String>,
    /// Which way of it is better [default: told by its name]
    #[arg(long, value_enum, value_name = "WAY")]
    pub direction: Option<Way>,
    /// The arm that stands for what is done today
    #[arg(long, value_name = "ARM")]
    pub baseline: Option<String>,
    /// The arm to judge; may be given several times [default: all others]
    #[arg(long, value_name = "ARM")]
    pub candidate: Vec<String>,
    /// The smallest gain worth having: a share of compute (0.01), or in the metric's unit where that decides
    #[arg(long, value_name = "X")]
    pub margin: Option<f64>,
    /// On which scale to decide [default: multiplier where the baseline has several computes]
    #[arg(long, value_enum)]
    pub scale: Option<ScaleOf>,
    /// Which cost a multiplier charges for [default: flops]
    #[arg(long, value_enum)]
    pub cost: Option<CostOf>,
    /// The scale that the verdict is about, in times of the largest size's compute [default: 10]
    #[arg(long, value_name = "TIMES")]
    pub target: Option<f64>,
    /// All runs were planned beforehand and are here: look once, instead of after every pair
    #[arg(long)]
    pub once: bool,
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// Where to write the report
    #[arg(long, value_name = "FILE", default_value = "verdict.html")]
    pub report: PathBuf,
    /// Print the verdict as JSON, and nothing else
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct FitArgs {
    /// The histories: files and folders of them
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// The loss: a column, or a tag
    #[arg(long, value_name = "COLUMN")]
    pub metric: String,
    /// Leave out so many runs with the largest losses
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub drop_largest: usize,
    /// Bootstrap samples for the standard errors
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub resamples: u32,
    /// Seed of the bootstrap
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub random_seed: u64,
    #[command(flatten)]
    pub columns: ColumnArgs,
    /// Print as JSON
    #[arg(long)]
    pub json: bool,
}

/// Which columns hold what.
#[derive(Args)]
#[command(next_help_heading = "Columns (each by default the one of its own name, where there is one)")]
pub struct ColumnArgs {
    /// The arm of a run
    #[arg(long, value_name = "COLUMN")]
    pub arm: Option<String>,
    /// The size of its model
    #[arg(long, value_name = "COLUMN")]
    pub size: Option<String>,
    /// Its seed
    #[arg(long, value_name = "COLUMN")]
    pub seed: Option<String>,
    /// The step
    #[arg(long, value_name = "COLUMN")]
    pub step: Option<String>,
    /// The name of the run
    #[arg(long, value_name = "COLUMN")]
    pub run: Option<String>,
    /// FLOPs of training so far
    #[arg(long, value_name = "COLUMN")]
    pub flops: Option<String>,
    /// Tokens so far; FLOPs are then 6 · size · tokens
    #[arg(long, value_name = "COLUMN")]
    pub tokens: Option<String>,
    /// Tokens of a step, where no column counts them
    #[arg(long, value_name = "N")]
    pub tokens_per_step: Option<f64>,
    /// Seconds of training so far
    #[arg(long, value_name = "COLUMN")]
    pub seconds: Option<String>,
    /// Take fields from the names of runs or files, as in `{arm}-{size}-s{seed}`
    #[arg(long, value_name = "PATTERN")]
    pub pattern: Option<String>,
    /// Use only rows in which a column says this; may be given several times
    #[arg(long = "where", value_name = "COLUMN=VALUE", value_parser = condition)]
    pub only: Vec<(String, String)>,
    /// Compare at this step instead of at the end
    #[arg(long, value_name = "STEP")]
    pub at: Option<f64>,
}

// Documented variants would turn the whole help text into its long form.
#[derive(Clone, Copy, ValueEnum)]
pub enum Way {
    Lower,
    Higher,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum ScaleOf {
    Multiplier,
    Metric,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum CostOf {
    Flops,
    Seconds,
}
