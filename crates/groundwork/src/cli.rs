//! The commands and their options.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

/// A laboratory for pre-training language models that act.
///
/// Start with `groundwork bet bets/quickstart.toml`: it trains both arms of a real question on a
/// ladder of sizes and ends with a verdict and a report.
#[derive(Parser)]
#[command(version, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Subcommand)]
pub enum Command {
    /// Run a bet: train both arms on the ladder, evaluate, and give the verdict
    Bet(BetArgs),
    /// Train a model from a recipe
    Train(TrainArgs),
    /// Test a trained model in the worlds
    Eval(EvalArgs),
    /// Let a trained model continue a text or a trace
    Generate(GenerateArgs),
    /// Check, format, show and generate traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Build and inspect token shards
    #[command(subcommand)]
    Corpus(CorpusCommand),
    /// Play a task of a world yourself
    Play(PlayArgs),
    /// List and show runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Args)]
pub struct BetArgs {
    /// The bet file
    pub file: PathBuf,
    /// Where runs are kept
    #[arg(long, default_value = "runs")]
    pub runs: PathBuf,
    /// Runs side by side [default: one a core]
    #[arg(long)]
    pub jobs: Option<usize>,
    /// Threads a run [default: the cores shared out among the jobs]
    #[arg(long)]
    pub threads: Option<usize>,
    /// Say what would be done, and stop
    #[arg(long)]
    pub plan: bool,
    /// Print the verdict as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct TrainArgs {
    /// The recipe file
    pub recipe: PathBuf,
    /// Where runs are kept
    #[arg(long, default_value = "runs")]
    pub runs: PathBuf,
    /// Threads [default: all cores]
    #[arg(long)]
    pub threads: Option<usize>,
    /// Print events as JSON lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct EvalArgs {
    /// The run's folder
    pub run: PathBuf,
    /// The suite file (TOML); left out, the default suite
    #[arg(long)]
    pub suite: Option<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long)]
    pub threads: Option<usize>,
    /// Print progress and metrics as JSON lines
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct GenerateArgs {
    /// The run's folder
    pub run: PathBuf,
    /// Text to continue; read as a trace where it opens with a span such as `goal:`
    #[arg(default_value = "")]
    pub prompt: String,
    /// Tokens to generate at most
    #[arg(long, default_value_t = 120)]
    pub tokens: usize,
    /// Temperature; 0 takes the likeliest token
    #[arg(long, default_value_t = 0.8)]
    pub temperature: f32,
    /// Seed of the sampler
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Print the tokens and the text as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum TraceCommand {
    /// Report every mistake in a trace file, with its place and a hint
    Check {
        /// The trace file; `-` reads standard input
        file: PathBuf,
    },
    /// Rewrite a trace file in canonical form
    Fmt {
        /// The trace file; `-` reads standard input
        file: PathBuf,
        /// Write the file instead of printing it
        #[arg(long)]
        write: bool,
    },
    /// Show traces for a person: a trace file, or rows of a Parquet file
    Show {
        /// The trace file (`-` reads standard input) or a Parquet file of traces
        file: PathBuf,
        /// First trace to show, from 0
        #[arg(long, default_value_t = 0)]
        from: usize,
        /// Traces to show
        #[arg(long, default_value_t = 3)]
        count: usize,
    },
    /// Let an expert solve generated tasks and write its traces to Parquet
    Generate(GenerateTracesArgs),
}

#[derive(Args)]
pub struct GenerateTracesArgs {
    /// The world
    pub world: String,
    /// The Parquet file to write
    #[arg(long, short)]
    pub out: PathBuf,
    /// Traces to write
    #[arg(long, default_value_t = 10_000)]
    pub count: u64,
    /// Levels of difficulty
    #[arg(long, value_delimiter = ',', default_value = "1,2")]
    pub levels: Vec<u32>,
    /// Share of tasks with an injected fault
    #[arg(long, default_value_t = 0.0)]
    pub fault_rate: f64,
    /// Faults to inject [default: all that the world knows]
    #[arg(long, value_delimiter = ',')]
    pub faults: Vec<String>,
    /// Seed
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// How traces state their tools
    #[arg(long, value_enum, default_value_t = Declared::Full)]
    pub declare: Declared,
}

/// How traces state their tools.
#[derive(Clone, Copy, ValueEnum)]
pub enum Declared {
    /// In full
    Full,
    /// By the name of the set
    Name,
    /// Not at all
    None,
}

#[derive(Subcommand)]
pub enum CorpusCommand {
    /// Build the token shards of a recipe
    Build {
        /// The recipe file
        recipe: PathBuf,
        /// Where runs are kept
        #[arg(long, default_value = "runs")]
        runs: PathBuf,
        /// Print the manifest as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a corpus is made of
    Stats {
        /// The corpus folder
        corpus: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw rows with their span kinds and weights
    Show {
        /// The corpus folder
        corpus: PathBuf,
        /// First row, from 0
        #[arg(long, default_value_t = 0)]
        row: usize,
        /// Rows to draw
        #[arg(long, default_value_t = 1)]
        count: usize,
    },
}

#[derive(Args)]
pub struct PlayArgs {
    /// The world
    pub world: String,
    /// Level of difficulty
    #[arg(long, default_value_t = 1)]
    pub level: u32,
    /// A fault to inject
    #[arg(long)]
    pub fault: Option<String>,
    /// Seed
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
}

#[derive(Subcommand)]
pub enum RunsCommand {
    /// List the runs and how far they are
    List {
        /// Where runs are kept
        #[arg(long, default_value = "runs")]
        runs: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one run: recipe, losses, scores
    Show {
        /// The run's folder
        run: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
}
