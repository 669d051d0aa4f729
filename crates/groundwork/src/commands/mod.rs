//! One file a command.

mod bet;
mod corpus;
mod eval;
mod generate;
mod play;
mod runs;
mod trace;
mod train;

use clap::CommandFactory;

use crate::cli::{Cli, Command};
use crate::failure::Failure;

/// Runs the command that was asked for.
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Bet(args) => bet::run(&args),
        Command::Train(args) => train::run(&args),
        Command::Eval(args) => eval::run(&args),
        Command::Generate(args) => generate::run(&args),
        Command::Trace(command) => trace::run(command),
        Command::Corpus(command) => corpus::run(command),
        Command::Play(args) => play::run(&args),
        Command::Runs(command) => runs::run(command),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "groundwork", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Sets the number of threads that tensors use, for the whole process.
fn set_threads(threads: Option<usize>) -> Result<(), Failure> {
    let Some(n) = threads else { return Ok(()) };
    if n == 0 {
        return Err(Failure::input("`--threads` is 0\n  hint: leave it out to use every core"));
    }
    rayon::ThreadPoolBuilder::new().num_threads(n).build_global().map_err(Failure::work)
}

/// Prints a value as one line of JSON.
fn print_json(value: &impl serde::Serialize) {
    println!("{}", serde_json::to_string(value).expect("results are plain data"));
}
