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
    Play(PlayArgs),
    /// Measure what bets rest on
    #[command(subcommand)]
    Lab(LabCommand),
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
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct BetArgs {
    #[command(subcommand)]
    pub command: Option<BetCommand>,
    /// The bet (TOML)
    #[arg(required = true)]
    pub file: Option<PathBuf>,
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

#[derive(Subcommand)]
pub enum BetCommand {
    /// Say what a bet can be expected to show: power, pairs, cost, the cheapest design, and what the answer is worth
    #[command(after_help = "It rests on the archive of A/A runs that `groundwork lab noise` makes.")]
    Plan(BetPlanArgs),
}

#[derive(Args)]
pub struct BetPlanArgs {
    /// The bet (TOML)
    pub file: PathBuf,
    /// The folder of runs, with the archive of A/A runs
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub runs: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Subcommand)]
pub enum LabCommand {
    /// Measure how far metrics scatter between runs that differ in their seed alone
    #[command(
        after_help = "The archive goes to `noise.json` in the folder of runs. Bets that are registered after it take \
                      their noise from it, and refuse a metric that it shows cannot decide."
    )]
    Noise {
        /// The folder of runs
        #[arg(long, value_name = "FOLDER", default_value = "runs")]
        runs: PathBuf,
        /// Print JSON
        #[arg(long)]
        json: bool,
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
    /// Print events as JSON, one a line
    #[arg(long)]
    pub json: bool,
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct EvalArgs {
    #[command(subcommand)]
    pub command: Option<EvalCommand>,
    /// Models: runs (their folders, or their names or the starts of them), or addresses such as
    /// `http://localhost:8000/v1#name-of-the-model`
    #[arg(value_name = "MODEL")]
    pub models: Vec<String>,
    /// A further model
    #[arg(long = "model", value_name = "MODEL")]
    pub more: Vec<String>,
    /// The suite: a file (TOML), or the name of a standard one, see `groundwork eval suites` [default: all worlds at
    /// levels 1 and 2, with and without faults]
    #[arg(long, value_name = "SUITE")]
    pub suite: Option<String>,
    /// Tasks that nobody has seen, drawn from this seed, in place of the suite's public ones
    #[arg(long, value_name = "SEED")]
    pub fresh: Option<u64>,
    /// Tasks in a cell, in place of the suite's
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>)]
    pub tasks: Option<u32>,
    /// Attempts at each task, in place of the suite's; more than one needs a temperature
    #[arg(long, value_name = "N", value_parser = at_least_one::<u32>)]
    pub samples: Option<u32>,
    /// Temperature of the sampler, in place of the suite's
    #[arg(long, value_name = "T", allow_negative_numbers = true, value_parser = temperature)]
    pub temperature: Option<f32>,
    /// The folder for scores and page [default for a single run: its own folder; otherwise `evaluations`]
    #[arg(long, value_name = "FOLDER")]
    pub out: Option<PathBuf>,
    /// Write a page with scores, floors, tests and attempts to this file
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Attempts that the page shows step by step
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub episodes: usize,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub threads: Option<usize>,
    /// Where to compute: `cpu`, or `gpu` in a build with `--features wgpu`
    #[arg(long, value_name = "DEVICE", default_value_t)]
    pub device: Processor,
    /// Print progress and metrics as JSON, one object a line
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub endpoint: EndpointArgs,
}

#[derive(Args)]
#[command(next_help_heading = "Endpoints")]
pub struct EndpointArgs {
    /// How the agent's words travel: native tool calls, the trace language in a chat, or the continuation of a text
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Wire::Tools)]
    pub protocol: Wire,
    /// Solved training tasks that the prompt shows first
    #[arg(long, value_name = "N", default_value_t = 2)]
    pub shots: u32,
    /// The environment variable that holds the key
    #[arg(long, value_name = "VARIABLE", default_value = "OPENAI_API_KEY")]
    pub key_env: String,
    /// Attempts at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = at_least_one::<usize>)]
    pub concurrency: usize,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = at_least_one::<u64>)]
    pub timeout: u64,
    /// Times that a request is repeated after a failure that may pass
    #[arg(long, value_name = "N", default_value_t = 6)]
    pub retries: u32,
    /// Tokens that one reply may take
    #[arg(long, value_name = "N", default_value_t = 1024, value_parser = at_least_one::<u32>)]
    pub max_reply: u32,
    /// Price of a million prompt tokens, and of a million completion tokens
    #[arg(long, value_name = "PROMPT,COMPLETION", value_parser = prices)]
    pub price: Option<(f64, f64)>,
    /// Begin no request once this much was spent; needs `--price`
    #[arg(long, value_name = "COST", value_parser = price, requires = "price")]
    pub max_cost: Option<f64>,
    /// Begin no request once this many tokens were used
    #[arg(long, value_name = "N", value_parser = at_least_one::<u64>)]
    pub max_total_tokens: Option<u64>,
}

/// How the agent's words travel to an endpoint.
#[derive(Clone, Copy, ValueEnum)]
pub enum Wire {
    Tools,
    Chat,
    Completions,
}

#[derive(Subcommand)]
pub enum EvalCommand {
    /// List the standard suites; with `--floors`, play them with the reference agents
    Suites {
        /// Standard suites or files [default: all standard suites]
        suites: Vec<String>,
        /// Play the reference agents, and show what they score
        #[arg(long)]
        floors: bool,
        /// Tasks in a cell for the reference agents
        #[arg(long, value_name = "N", default_value_t = 16, value_parser = at_least_one::<u32>)]
        tasks: u32,
        /// Print as a table in Markdown
        #[arg(long)]
        markdown: bool,
    },
    /// Grade stored attempts again, without the model
    Regrade {
        /// Runs, folders of an evaluation, or files of scores
        #[arg(required = true)]
        scores: Vec<PathBuf>,
        /// Say what would change, and change nothing
        #[arg(long)]
        check: bool,
    },
    /// Show a stored attempt step by step, with the fault and what every action changed
    Replay {
        /// A run, the folder of an evaluation, or a file of scores
        scores: PathBuf,
        /// The first attempt to show, counted from 0 among those chosen
        #[arg(long, value_name = "N", default_value_t = 0)]
        from: usize,
        /// Attempts to show
        #[arg(long, value_name = "N", default_value_t = 1, value_parser = at_least_one::<usize>)]
        count: usize,
        /// Only attempts in this world
        #[arg(long, value_name = "WORLD")]
        world: Option<String>,
        /// Only attempts at this level
        #[arg(long, value_name = "N")]
        level: Option<u32>,
        /// Only attempts with this fault; `none` for clean ones
        #[arg(long, value_name = "FAULT")]
        fault: Option<String>,
        /// Only attempts that failed
        #[arg(long)]
        failed: bool,
        /// Write a page in place of printing
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
    },
    /// Compare stored scores of several models on the same tasks, with paired tests
    Compare {
        /// Runs, folders of an evaluation, or files of scores; the first is what the others are compared with
        #[arg(required = true, num_args = 2..)]
        scores: Vec<PathBuf>,
        /// Write a page with everything
        #[arg(long, value_name = "FILE")]
        html: Option<PathBuf>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say how well the smooth metrics of a smaller model predict the success of a larger one
    Predict {
        /// Scores of the smaller model
        smaller: PathBuf,
        /// Scores of the larger model, in the same suite
        larger: PathBuf,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
    /// Look for the longest sequence of actions that a suite shares with a training corpus
    Overlap {
        /// The suite: a file, or the name of a standard one
        suite: String,
        /// Trace files, or folders of Parquet files
        #[arg(required = true)]
        corpus: Vec<PathBuf>,
        /// Print as JSON
        #[arg(long)]
        json: bool,
    },
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
    /// Let the experts solve training tasks of worlds, and write their traces: to a Parquet file, or to a set in shards
    #[command(
        after_help = "A set may be stopped at any time: the same command goes on where it was, and a larger `--count` makes it grow."
    )]
    Generate(GenerateTracesArgs),
    /// Replay traces in their worlds, and report every one that differs; exit code 1 where one does
    Verify {
        /// A Parquet file of traces, or a folder of them
        path: PathBuf,
    },
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
    /// The file to read; `-` reads standard input. A file `.parquet` holds traces
    #[arg(default_value = "-")]
    pub input: PathBuf,
    /// The file to write [default: standard output]; one named `.parquet` holds traces
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// List the formats, and stop
    #[arg(long)]
    pub list: bool,
}

#[derive(Args)]
pub struct GenerateTracesArgs {
    #[arg(help = the_worlds(), value_delimiter = ',', required_unless_present = "mixture")]
    pub worlds: Vec<String>,
    /// The Parquet file to write, or a folder for a set in shards, without repetition and with a data card
    #[arg(long, short, value_name = "PATH")]
    pub out: PathBuf,
    /// A mixture of worlds, levels, faults and styles (TOML), in place of the options below
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["worlds", "levels", "fault_rate", "faults", "styles", "seed", "declare"]
    )]
    pub mixture: Option<PathBuf>,
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
    /// Styles of telling, each as often as the others: terse, plan, thought, explore, mistakes, decide
    #[arg(long, value_name = "STYLE,…", value_delimiter = ',', default_value = "plan")]
    pub styles: Vec<String>,
    /// Seed of the tasks
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// How traces state their tools: in full, by the name of the set, or not at all
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Declared::Full)]
    pub declare: Declared,
    /// Threads [default: one a core]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub threads: Option<usize>,
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

fn the_worlds() -> String {
    format!("The worlds, each as often as the others: {}", world_names().join(", "))
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

fn prices(text: &str) -> Result<(f64, f64), &'static str> {
    let wanted = "want two numbers from 0 up, as in `0.5,1.5`";
    let (prompt, completion) = text.split_once(',').ok_or(wanted)?;
    Ok((price(prompt).map_err(|_| wanted)?, price(completion).map_err(|_| wanted)?))
}

fn price(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|p: &f64| p.is_finite() && *p >= 0.0).ok_or("want a number from 0 up")
}

fn share(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|s| (0.0..=1.0).contains(s)).ok_or("want a share, from 0 to 1")
}
