//! The commands and their options.

mod bet;
mod eval;
mod histories;
mod trace;
mod values;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;
use groundwork_train::Processor;

use values::{a_fault, at_least_one, temperature, the_world};

pub use bet::{BetArgs, BetCommand, BetPlanArgs, LabCommand};
pub use eval::{EndpointArgs, EvalArgs, EvalCommand, Wire};
pub use histories::{ColumnArgs, CostOf, FitArgs, ScaleOf, VerdictArgs, Way};
pub use trace::{
    Colour, ConvertArgs, Declared, FmtArgs, GenerateTracesArgs, RecordArgs, ShowArgs, TraceCommand,
};

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
    /// Run a bet: train both arms on the ladder, evaluate them, and give the verdict
    #[command(after_help = "It may be stopped at any time: the same command goes on where it was. \
                            Once the bet is finished, the command shows the verdict again.")]
    Bet(BetArgs),
    /// Train a model from a recipe
    #[command(
        after_help = "It may be stopped at any time: the same command goes on from the last checkpoint."
    )]
    Train(TrainArgs),
    /// Test models in the worlds: trained runs, or any model behind an OpenAI-compatible endpoint
    #[command(
        after_help = "The scores of one run go to `scores.parquet` and `metrics.json` in its folder, in place of \
                            earlier ones; those of several models, or of an endpoint, to a folder each in `--out`, with a \
                            page beside them. It may be stopped at any time: the same command goes on where it was."
    )]
    Eval(Box<EvalArgs>),
    /// Let a trained model continue a text or a trace
    Generate(GenerateArgs),
    /// Check, format, show and generate traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Build and inspect token shards
    #[command(subcommand)]
    Corpus(CorpusCommand),
    /// Solve a task of a world yourself
    Play(TaskArgs),
    /// Measure what bets rest on
    #[command(subcommand)]
    Lab(LabCommand),
    /// Offer a task of a world to any agent, as an MCP server
    #[command(
        after_help = "It speaks both dialects of the protocol: with a handshake (2025-11-25 and before) and stateless \
                            (2026-07-28). Beside the world's tools there is `get_task`, which states the task, and \
                            `submit_answer`, which ends the episode and says whether it is solved."
    )]
    Mcp(McpArgs),
    /// List, show and export runs
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Judge anyone's runs from their histories, without training
    #[command(
        after_help = "Files: CSV (also .tsv), JSON lines (each also .gz or .zst), Parquet, TensorBoard event files and \
                            Trackio databases, and folders of them. docs/run-histories.md has the columns and examples."
    )]
    Verdict(Box<VerdictArgs>),
    /// Fit scaling laws to anyone's runs: loss against compute, or against parameters and tokens
    Fit(Box<FitArgs>),
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
}

#[derive(Args)]
pub struct TrainArgs {
    /// The recipe (TOML)
    pub recipe: PathBuf,
    /// The folder of runs
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub runs: PathBuf,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub threads: Option<usize>,
    /// Where to compute: `cpu`, or `gpu` in a build with `--features wgpu`
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Processor,
    /// Take steps on random tokens for some seconds, say how fast they are and what memory they take, and keep nothing
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5")]
    pub trial: Option<f64>,
    /// Print events as JSON, one a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct GenerateArgs {
    /// The run: its folder, or its name or the start of it
    pub run: PathBuf,
    /// The text to continue; a trace where it opens with a span, such as `goal: read /docs/notes`
    #[arg(default_value = "", hide_default_value = true)]
    pub prompt: String,
    /// Tokens to generate at most
    #[arg(long, value_name = "N", default_value_t = 120, value_parser = at_least_one::<usize>)]
    pub tokens: usize,
    /// Temperature of the sampler; 0 takes the likeliest token
    #[arg(
        long,
        value_name = "T",
        default_value_t = 0.8,
        allow_negative_numbers = true,
        value_parser = temperature
    )]
    pub temperature: f32,
    /// Seed of the sampler
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Hold actions to the grammar of the tools that the prompt declares: they are always valid calls
    #[arg(long)]
    pub constrained: bool,
    /// Where to compute: `cpu`, or `gpu` in a build with `--features wgpu`
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Processor,
    /// Print the tokens and the text as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct McpArgs {
    #[command(flatten)]
    pub task: TaskArgs,
    /// Take a task of the test split
    #[arg(long)]
    pub test: bool,
    /// Serve over HTTP at this address of the machine, such as 127.0.0.1:8765, and not over standard input and output
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
}

#[derive(Subcommand)]
pub enum CorpusCommand {
    /// Build the token shards of a recipe, as training would
    Build {
        /// The recipe (TOML)
        recipe: PathBuf,
        /// The folder of runs; the corpus goes to `corpora/` in it
        #[arg(long, value_name = "FOLDER", default_value = "runs")]
        runs: PathBuf,
        /// Print the manifest as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say what a corpus is made of
    Stats {
        /// The corpus, a folder under `runs/corpora/`
        corpus: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Draw rows, their tokens' span kinds and weights
    Show {
        /// The corpus, a folder under `runs/corpora/`
        corpus: PathBuf,
        /// The first row to draw, counted from 0
        #[arg(long, value_name = "N", default_value_t = 0)]
        row: usize,
        /// Rows to draw
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one::<usize>)]
        count: usize,
    },
}

/// A task of a world.
#[derive(Args)]
pub struct TaskArgs {
    #[arg(help = the_world())]
    pub world: String,
    /// Level of difficulty, from 1
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub level: u32,
    #[arg(long, help = a_fault())]
    pub fault: Option<String>,
    /// Seed of the task
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
}

#[derive(Subcommand)]
pub enum RunsCommand {
    /// List the runs and how far they are
    List {
        /// The folder of runs
        #[arg(long, value_name = "FOLDER", default_value = "runs")]
        runs: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one run: losses, scores, incidents, recipe
    Show {
        /// The run: its folder, or its name or the start of it
        run: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Write the curves of runs for TensorBoard or Trackio
    Export(ExportArgs),
}

#[derive(Args)]
#[group(id = "to", required = true, multiple = true)]
pub struct ExportArgs {
    /// The runs: their folders, or their names or the starts of them [default: all]
    pub names: Vec<PathBuf>,
    /// The folder of runs
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub runs: PathBuf,
    /// Write event files to this folder, one folder a run: `tensorboard --logdir FOLDER`
    #[arg(long, value_name = "FOLDER", group = "to")]
    pub tensorboard: Option<PathBuf>,
    /// Write to this Trackio database: `TRACKIO_DIR=FOLDER trackio show` for `FOLDER/PROJECT.db`
    #[arg(long, value_name = "FILE", group = "to")]
    pub trackio: Option<PathBuf>,
}
