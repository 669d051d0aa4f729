//! One file a command.

mod bet;
mod bet_plan;
mod corpus;
mod eval;
mod generate;
mod lab;
mod mcp;
mod play;
mod runs;
pub(crate) mod trace;
mod train;
mod verdict;

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use clap::CommandFactory;
use groundwork_train::{Recipe, Resolved};
use groundwork_worlds::{Split, Task};

use crate::cli::{Cli, Command, TaskArgs};
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
        Command::Mcp(args) => mcp::run(&args),
        Command::Play(args) => play::run(&args),
        Command::Lab(command) => lab::run(command),
        Command::Runs(command) => runs::run(command),
        Command::Verdict(args) => verdict::run(&args),
        Command::Fit(args) => verdict::fit(&args),
        Command::Completions { shell } => {
            // By way of memory, because clap panics in its own words where the pipe is closed.
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "groundwork", &mut script);
            print!("{}", String::from_utf8_lossy(&script));
            Ok(())
        }
    }
}

/// Sets the number of threads that tensors use, for the whole process.
fn set_threads(threads: Option<usize>) -> Result<(), Failure> {
    let Some(n) = threads else { return Ok(()) };
    rayon::ThreadPoolBuilder::new().num_threads(n).build_global().map_err(Failure::work)
}

/// The task that the options name.
fn task(args: &TaskArgs, split: Split) -> Result<Task, Failure> {
    let fault = args.fault.as_deref().map(str::parse).transpose()?;
    Ok(Task { world: args.world.clone(), split, seed: args.seed, level: args.level, fault })
}

/// Reads a recipe and works out what follows from it.
fn resolve(recipe: &Path) -> Result<Resolved, Failure> {
    Recipe::read(recipe)?.resolve().map_err(|e| Failure::from(e).in_file(recipe))
}

/// Whether something stands there that is no file: a device, a pipe, a folder.
fn is_no_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| !there.is_file())
}

/// Writes a file that is there whole or not at all, in place of an earlier one. What is no file, a device or a pipe, is written to
/// and never replaced.
fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    if is_no_file(path) {
        return fs::write(path, bytes).map_err(|e| Failure::unwritable(path, &e));
    }
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let written = File::create(&part).and_then(|mut f| f.write_all(bytes).and_then(|()| f.sync_all()));
    if let Ok(earlier) = fs::metadata(path) {
        // Where the system refuses, the file has the usual permissions.
        let _ = fs::set_permissions(&part, earlier.permissions());
    }
    written.and_then(|()| fs::rename(&part, path)).map_err(|e| {
        // What is wrong is said already, and the file may never have come to be.
        let _ = fs::remove_file(&part);
        Failure::unwritable(path, &e)
    })
}

/// Prints a value as one line of JSON.
fn print_json(value: &impl serde::Serialize) {
    println!("{}", serde_json::to_string(value).expect("results are plain data"));
}
