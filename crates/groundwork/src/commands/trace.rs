//! `groundwork trace`

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use groundwork_corpus::trace_files;
use groundwork_trace::adapters::{ConvertError, Side, each_text};
use groundwork_trace::{Severity, Tool, Trace, check, nearest};
use groundwork_worlds::{tool_set, world_names};

use crate::cli::TraceCommand;
use crate::failure::Failure;

mod compare;
mod convert;
mod fmt;
mod generate;
mod grammar;
mod lsp;
mod record;
mod rows;
mod show;

use convert::{Input, Skipped, Source};

pub fn run(command: TraceCommand) -> Result<(), Failure> {
    match command {
        TraceCommand::Check { files } => each(&files, check_file),
        TraceCommand::Fmt(args) => fmt::run(&args),
        TraceCommand::Show(args) => show::run(&args),
        TraceCommand::Grammar { tools } => grammar::run(&tools),
        TraceCommand::Lsp => lsp::run(),
        TraceCommand::Record(args) => record::run(&args),
        TraceCommand::Generate(args) => generate::run(&args),
        TraceCommand::Verify { path } => generate::verify(&path),
        TraceCommand::Convert(args) => convert::run(&args),
        TraceCommand::Stats { file } => {
            print!("{}", compare::stats(&file)?);
            Ok(())
        }
        TraceCommand::Diff { left, right } => {
            let (text, parted) = compare::differences(&single(&left)?, &single(&right)?);
            print!("{text}");
            if parted { Err(Failure::work("the traces differ")) } else { Ok(()) }
        }
    }
}

/// Does the same with every file, also after one that fails; the last failure counts, the others are printed.
fn each(files: &[PathBuf], mut work: impl FnMut(&Path) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut failed = None;
    for file in files {
        if let Err(failure) = work(file)
            && let Some(earlier) = failed.replace(failure)
        {
            eprintln!("{earlier}");
        }
    }
    failed.map_or(Ok(()), Err)
}

fn check_file(file: &Path) -> Result<(), Failure> {
    let colour = std::io::stderr().is_terminal();
    let (mut mistakes, mut said) = (0, false);
    let done = each_text(convert::open(file)?, |text, line| {
        let found = check(text, known_tools);
        if !found.0.is_empty() {
            let space = if said { "\n" } else { "" };
            eprintln!("{space}{}", found.render_from(text, &name(file), line, colour));
            said = true;
        }
        mistakes += found.0.iter().filter(|d| d.severity == Severity::Error).count();
        Ok(())
    });
    match (done, mistakes) {
        (Err(ConvertError::Io(e)), _) => Err(Failure::unreadable(Path::new(&name(file)), &e)),
        (Err(wrong), _) => Err(Failure::input(convert::described(file, wrong))),
        (Ok(()), 0) => Ok(()),
        (Ok(()), n) => Err(Failure::input(format!("{n} {} in `{}`", plural(n, "mistake"), name(file)))),
    }
}

/// Gives the traces of a Parquet file, a folder of them, or a trace file to `put`, one at a time.
fn each_trace(file: &Path, mut put: impl FnMut(Trace)) -> Result<(), Failure> {
    let files = if file.is_dir() { trace_files(file)? } else { vec![file.to_owned()] };
    let mut skipped = Skipped::none();
    for file in files {
        let input = Input { from: Source::Side(Side::Trace), file: &file, column: None };
        convert::each(&input, &mut skipped, &mut |trace| {
            put(trace);
            Ok(())
        })?;
    }
    Ok(())
}

/// The traces of a Parquet file, a folder of them, or a trace file.
pub(crate) fn traces(file: &Path) -> Result<Vec<Trace>, Failure> {
    let mut all = Vec::new();
    each_trace(file, |trace| all.push(trace))?;
    Ok(all)
}

/// The one trace of a file.
fn single(file: &Path) -> Result<Trace, Failure> {
    let mut all = traces(file)?;
    match (all.pop(), all.is_empty()) {
        (Some(trace), true) => Ok(trace),
        (None, _) => Err(Failure::input(format!("`{}` holds no trace\n  hint: it is empty", name(file)))),
        _ => Err(Failure::input(format!(
            "`{}` holds several traces\n  hint: two files with a trace each are compared",
            name(file)
        ))),
    }
}

fn plural(n: usize, word: &str) -> String {
    if n == 1 { word.to_owned() } else { format!("{word}s") }
}

fn name(file: &Path) -> String {
    if file.as_os_str() == "-" { "standard input".into() } else { file.display().to_string() }
}

fn read(file: &Path) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    let done = if file.as_os_str() == "-" {
        std::io::stdin().read_to_end(&mut bytes).map(|_| ())
    } else {
        fs::read(file).map(|b| bytes = b)
    };
    done.map_err(|e| Failure::unreadable(Path::new(&name(file)), &e))?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        let line = 1 + e.as_bytes()[..at].iter().filter(|b| **b == b'\n').count();
        Failure::input(format!(
            "`{}`: line {line} is not UTF-8, from byte {at} of the file on\n  hint: {}",
            name(file),
            "traces are UTF-8 text; convert it, for example with `iconv -t utf-8`"
        ))
    })
}

fn parse(text: &str, file: &Path) -> Result<Vec<Trace>, Failure> {
    Trace::parse_all(text).map_err(|found| {
        let colour = std::io::stderr().is_terminal();
        let n = found.0.len();
        eprintln!("{}", found.render(text, &name(file), colour));
        Failure::input(format!("{n} {} in `{}`", plural(n, "mistake"), name(file)))
    })
}

fn known_tools(name: &str) -> Result<Vec<Tool>, String> {
    let names = world_names();
    let hint = || match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the named sets are those of the worlds: {}", names.join(", ")),
    };
    tool_set(name).map(<[Tool]>::to_vec).ok_or_else(hint)
}
