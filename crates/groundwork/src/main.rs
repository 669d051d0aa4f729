//! `groundwork`: the command-line program. It parses, wires the rooms together and prints.

#![forbid(unsafe_code)]

mod cli;
mod commands;
mod failure;
mod interrupt;
mod progress;
mod table;

use std::process::ExitCode;

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match commands::run(cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("{failure}");
            failure.exit_code()
        }
    }
}
