//! Traces.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::values::{at_least_one, share, the_worlds};

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
    /// Write every message as it passes to this file, one JSON object a line; `trace convert mcp-log trace` reads it
    /// [default: beside the trace, until that is written]
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
    /// The file to read; `-` reads standard input. A file `.parquet` holds traces, or documents in its rows
    #[arg(default_value = "-")]
    pub input: PathBuf,
    /// The column of a Parquet file that holds the documents, as JSON text or lists and objects, or as text [default: the
    /// whole row where it is a document, or else the only column that may be one]
    #[arg(long, value_name = "NAME")]
    pub column: Option<String>,
    /// The file to write [default: standard output]; one named `.parquet` holds traces
    #[arg(long, short)]
    pub out: Option<PathBuf>,
    /// Leave out documents that cannot be read, and name them; exit code 1 where there are any
    #[arg(long)]
    pub skip_bad: bool,
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
