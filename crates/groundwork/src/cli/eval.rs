//! Tests of models.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use groundwork_arena::FLOOR_TASKS;
use groundwork_train::Processor;

use super::values::{at_least_one, price, prices, temperature};

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
        #[arg(long, value_name = "N", default_value_t = FLOOR_TASKS, value_parser = at_least_one::<u32>)]
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
