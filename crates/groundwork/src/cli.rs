//! The commands and their options.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use groundwork_train::Processor;
use groundwork_worlds::{FaultKind, world_names};

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
    /// Test a trained model in the worlds
    #[command(after_help = "The scores go to `scores.parquet` and `metrics.json` in the run's folder, \
                            in place of earlier ones.")]
    Eval(EvalArgs),
    /// Let a trained model continue a text or a trace
    Generate(GenerateArgs),
    /// Check, format, show and generate traces
    #[command(subcommand)]
    Trace(TraceCommand),
    /// Build and inspect token shards
    #[command(subcommand)]
    Corpus(CorpusCommand),
    /// Solve a task of a world yourself
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
    /// The bet (TOML)
    pub file: PathBuf,
    /// The folder of runs
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub runs: PathBuf,
    /// Runs at the same time [default: one a core]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub jobs: Option<usize>,
    /// Threads of each run [default: the cores, shared out among the jobs]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub threads: Option<usize>,
    /// Check the bet, say what would be run, and stop
    #[arg(long)]
    pub plan: bool,
    /// Print the verdict as JSON, and nothing else
    #[arg(long)]
    pub json: bool,
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
    /// Print events as JSON, one a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
pub struct EvalArgs {
    /// The run: its folder, or its name or the start of it
    pub run: PathBuf,
    /// The suite (TOML) [default: all worlds at levels 1 and 2, with and without faults]
    #[arg(long, value_name = "FILE")]
    pub suite: Option<PathBuf>,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub threads: Option<usize>,
    /// Where to compute: `cpu`, or `gpu` in a build with `--features wgpu`
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Processor,
    /// Print progress and metrics as JSON, one object a line
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
    /// Where to compute: `cpu`, or `gpu` in a build with `--features wgpu`
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Processor,
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
    /// Print a trace file in canonical form
    Fmt {
        /// The trace file; `-` reads standard input
        file: PathBuf,
        /// Rewrite the file instead of printing it
        #[arg(long)]
        write: bool,
    },
    /// Show traces for a person
    Show {
        /// A trace file (`-` reads standard input), or a Parquet file of traces
        file: PathBuf,
        /// The first trace to show, counted from 0
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: usize,
        /// Traces to show
        #[arg(long, value_name = "N", default_value_t = 3, value_parser = at_least_one::<usize>)]
        count: usize,
    },
    /// Let the expert solve training tasks of a world, and write its traces to a Parquet file
    Generate(GenerateTracesArgs),
    /// Convert traces from and to other formats (OpenAI, Anthropic, MCP, chat templates), and say what was lost
    Convert(ConvertArgs),
    /// Count what traces consist of
    Stats {
        /// A trace file (`-` reads standard input), or a Parquet file of traces
        file: PathBuf,
    },
    /// Compare two traces of the same task, and mark where they part; exit code 1 where they do
    Diff {
        /// A trace file
        left: PathBuf,
        /// Another
        right: PathBuf,
    },
}

#[derive(Args)]
pub struct ConvertArgs {
    /// The format to read: `trace`, or one that `--list` names
    pub from: Option<String>,
    /// The format to write
    pub to: Option<String>,
    /// The file to read; `-` reads standard input
    #[arg(default_value = "-")]
    pub input: PathBuf,
    /// The file to write [default: standard output]
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// List the formats, and stop
    #[arg(long)]
    pub list: bool,
}

#[derive(Args)]
pub struct GenerateTracesArgs {
    #[arg(help = the_world())]
    pub world: String,
    /// The Parquet file to write
    #[arg(long, short, value_name = "FILE")]
    pub out: PathBuf,
    /// Traces to write
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = at_least_one::<u64>)]
    pub count: u64,
    /// Levels of difficulty, each as often as the others
    #[arg(long, value_name = "N,…", value_delimiter = ',', default_value = "1,2")]
    pub levels: Vec<u32>,
    /// Share of tasks with an injected fault, from 0 to 1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.0,
        allow_negative_numbers = true,
        value_parser = share
    )]
    pub fault_rate: f64,
    /// Faults to inject, each as often as the others [default: all that occur in the world]
    #[arg(long, value_name = "FAULT,…", value_delimiter = ',')]
    pub faults: Vec<String>,
    /// Seed of the tasks
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How traces state their tools: in full, by the name of the set, or not at all
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Declared::Full)]
    pub declare: Declared,
}

/// How traces state their tools.
// Documented variants would turn the whole help text into its long form.
#[derive(Clone, Copy, ValueEnum)]
pub enum Declared {
    Full,
    Name,
    None,
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

#[derive(Args)]
pub struct PlayArgs {
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
}

fn the_world() -> String {
    format!("The world: {}", world_names().join(", "))
}

fn a_fault() -> String {
    format!("A fault to inject: {}", FaultKind::ALL.map(FaultKind::as_str).join(", "))
}

/// A number of things, of which one is the least that makes sense.
fn at_least_one<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, &'static str> {
    text.parse().ok().filter(|n| *n >= N::from(1)).ok_or("want a whole number, at least 1")
}

fn temperature(text: &str) -> Result<f32, &'static str> {
    let of_range = |t: &f32| t.is_finite() && *t >= 0.0;
    text.parse().ok().filter(of_range).ok_or("want a number from 0 up; 0 takes the likeliest token")
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|s| (0.0..=1.0).contains(s)).ok_or("want a share, from 0 to 1")
}
