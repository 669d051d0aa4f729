//! The commands and their options.

use std::ffi::OsString;
use std::net::SocketAddr;
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
    /// Runs at the same time [default: whatever is fastest at the largest size, by a trial of some seconds]
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
    #[command(
        after_help = "It rests on the archive of A/A runs that `groundwork lab noise` makes, or on the noise that is assumed."
    )]
    Plan(BetPlanArgs),
}

#[derive(Args)]
pub struct BetPlanArgs {
    /// The bet (TOML)
    pub file: PathBuf,
    /// The folder of runs, with the archive of A/A runs
    #[arg(long, value_name = "FOLDER", default_value = "runs")]
    pub runs: PathBuf,
    /// Where the archive knows no noise: the standard deviation of a run, in the metric's unit
    #[arg(long, value_name = "SD", value_parser = positive)]
    pub noise: Option<f64>,
    /// With it: what a factor e of compute buys, in the metric's unit
    #[arg(long, value_name = "X", value_parser = positive, requires = "noise")]
    pub slope: Option<f64>,
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
    /// Take steps on random tokens for some seconds, say how fast they are and what memory they take, and keep nothing
    #[arg(long, value_name = "SECONDS", num_args = 0..=1, default_missing_value = "5")]
    pub trial: Option<f64>,
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
    /// Hold actions to the grammar of the tools: they are always valid calls
    #[arg(long)]
    pub constrained: bool,
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

#[derive(Subcommand)]
pub enum TraceCommand {
    /// Report every mistake in trace files, with its place and a hint
    Check {
        /// The trace files; `-` reads standard input
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Print a trace file in canonical form
    Fmt(FmtArgs),
    /// Show traces for a person, in the terminal or as a web page
    Show(ShowArgs),
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
    /// Write the grammar of the valid actions of a trace's tools, for constrained decoding (Lark notation of llguidance)
    Grammar {
        /// A trace file that declares its tools, or the name of a world
        tools: PathBuf,
    },
    /// Serve editors: a language server over standard input and output
    Lsp,
    /// Record a session with an MCP server: run it, and stand between it and its client
    #[command(
        after_help = "The client starts this command in place of the server, as `groundwork trace record -o x.trace -- \
                            COMMAND`, and speaks to it over standard input and output. Nothing is changed on the way."
    )]
    Record(RecordArgs),
    /// Compare two traces of the same task, and mark where they part; exit code 1 where they do
    Diff {
        /// A trace file
        left: PathBuf,
        /// Another
        right: PathBuf,
    },
}

#[derive(Args)]
pub struct RecordArgs {
    /// The trace file to write when the session ends
    #[arg(long, short, value_name = "FILE", required_unless_present = "log")]
    pub out: Option<PathBuf>,
    /// Write every message as it passes to this file, one JSON object a line
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// The goal of the trace: the protocol does not say what the calls are for
    #[arg(long, value_name = "TEXT")]
    pub goal: Option<String>,
    /// The server and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
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

#[derive(Args)]
pub struct FmtArgs {
    /// The trace files; `-` reads standard input
    #[arg(required = true)]
    pub files: Vec<PathBuf>,
    /// Rewrite the files instead of printing them
    #[arg(long)]
    pub write: bool,
    /// Only say which files are not in canonical form; exit code 1 where there are any
    #[arg(long, conflicts_with = "write")]
    pub check: bool,
}

#[derive(Args)]
pub struct ShowArgs {
    /// A trace file (`-` reads standard input), or a Parquet file of traces
    pub file: PathBuf,
    /// The first trace to show, counted from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub from: usize,
    /// Traces to show [default: 3; on a page 50]
    #[arg(long, value_name = "N", value_parser = at_least_one::<usize>)]
    pub count: Option<usize>,
    /// Lines of a span to show; 0 shows all [default: 12 in a terminal, all elsewhere]
    #[arg(long, value_name = "N", conflicts_with = "html")]
    pub lines: Option<usize>,
    /// Whether to use colour
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto, conflicts_with = "html")]
    pub colour: Colour,
    /// Write a web page that needs nothing else to this file (`-` prints it)
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

/// When to use colour.
// Documented variants would turn the whole help text into its long form.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub enum Colour {
    Auto,
    Always,
    Never,
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
        conflicts_with_all = ["worlds", "levels", "fault_rate", "faults", "styles", "mistake_rate", "seed", "declare"]
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
    /// Styles of telling, each as often as the others: terse, plan, thought, explore, mistakes, decide, retract
    #[arg(long, value_name = "STYLE,…", value_delimiter = ',', default_value = "plan")]
    pub styles: Vec<String>,
    /// How often explore, mistakes and retract go astray where they could, from 0 to 1
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.5,
        allow_negative_numbers = true,
        value_parser = share
    )]
    pub mistake_rate: f64,
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

fn the_world() -> String {
    format!("The world: {}", world_names().join(", "))
}

fn the_worlds() -> String {
    format!("The worlds, each as often as the others: {}", world_names().join(", "))
}

fn a_fault() -> String {
    format!("A fault to inject: {}", FaultKind::ALL.map(FaultKind::as_str).join(", "))
}

/// A number above zero.
fn positive(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0).ok_or("want a number above 0")
}

/// A number of things, of which one is the least that makes sense.
fn at_least_one<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, &'static str> {
    text.parse().ok().filter(|n| *n >= N::from(1)).ok_or("want a whole number, at least 1")
}

fn condition(text: &str) -> Result<(String, String), &'static str> {
    let (column, value) = text.split_once('=').ok_or("want COLUMN=VALUE")?;
    Ok((column.trim().to_owned(), value.trim().to_owned()))
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
