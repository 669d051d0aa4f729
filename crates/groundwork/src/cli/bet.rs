//! Bets, and what they rest on.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::values::{at_least_one, positive};

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
