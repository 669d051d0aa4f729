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

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The exit code that shells give to a process that SIGPIPE ended.
const CLOSED_PIPE: i32 = 128 + 13;

fn main() -> ExitCode {
    end_with_closed_pipe();
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}

/// Makes the process end quietly when it prints to a pipe that nobody reads any more, as in `… | head`. Rust ignores
/// SIGPIPE, and printing panics instead.
fn end_with_closed_pipe() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let printing = |m: &str| m.starts_with("failed printing to std") && m.contains("Broken pipe");
        if panic.payload_as_str().is_some_and(printing) {
            std::process::exit(CLOSED_PIPE);
        }
        usual(panic);
    }));
}
