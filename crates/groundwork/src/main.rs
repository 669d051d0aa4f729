//! `groundwork`: the command-line program. It parses, wires the rooms together and prints.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod failure;
mod interrupt;
mod progress;
mod side_by_side;
mod suite;
mod table;

use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code that shells give to a process that SIGPIPE ended.
const CLOSED_PIPE: i32 = 128 + 13;

fn main() -> ExitCode {
    end_where_nothing_can_be_printed();
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

/// Makes the process end quietly when it prints to a pipe that nobody reads any more, as in `… | head`, and with a message when
/// it prints to a full disk. Rust ignores SIGPIPE, and printing panics instead.
fn end_where_nothing_can_be_printed() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        match panic.payload_as_str().and_then(|m| m.strip_prefix("failed printing to std")) {
            Some(why) if why.contains("Broken pipe") => std::process::exit(CLOSED_PIPE),
            Some(why) => {
                let why = why.split_once(": ").map_or(why, |(_, why)| why);
                // Where even that cannot be said, the exit code says it.
                let _ = writeln!(std::io::stderr(), "error: the output cannot be written: {why}");
                std::process::exit(1);
            }
            None => usual(panic),
        }
    }));
}
