//! `groundwork trace`

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::Path;

use groundwork_trace::{Tool, Trace, check};
use groundwork_worlds::{tool_set, world_names};

use super::write_file;
use crate::cli::TraceCommand;
use crate::failure::Failure;

mod compare;
mod convert;
mod generate;

pub fn run(command: TraceCommand) -> Result<(), Failure> {
    match command {
        TraceCommand::Check { file } => {
            let text = read(&file)?;
            let found = check(&text, known_tools);
            if !found.0.is_empty() {
                let colour = std::io::stderr().is_terminal();
                eprintln!("{}", found.render(&text, &name(&file), colour));
            }
            match found.0.len() {
                0 => Ok(()),
                _ if !found.has_errors() => Ok(()),
                n => Err(Failure::input(format!("{n} {} in `{}`", plural(n, "mistake"), name(&file)))),
            }
        }
        TraceCommand::Fmt { file, write } => {
            let text = read(&file)?;
            let printed = Trace::print_all(&parse(&text, &file)?);
            if !write {
                print!("{printed}");
            } else if file.as_os_str() == "-" {
                return Err(Failure::input(
                    "standard input cannot be written back\n  hint: leave out `--write`, and the text is printed",
                ));
            } else if printed != text {
                // A link stays a link.
                let place = fs::canonicalize(&file).map_err(|e| Failure::unwritable(&file, &e))?;
                write_file(&place, printed.as_bytes())?;
            }
            Ok(())
        }
        TraceCommand::Show { file, from, count } => {
            let traces = traces(&file)?;
            let of = traces.len();
            if from >= of {
                return Err(Failure::input(match of {
                    0 => format!("`{}` holds no trace\n  hint: it is empty", name(&file)),
                    _ => format!(
                        "there is no trace {from} in `{}`\n  hint: it has {of} {}, counted from 0",
                        name(&file),
                        plural(of, "trace")
                    ),
                }));
            }
            let colour = std::io::stdout().is_terminal();
            for (i, trace) in traces.iter().enumerate().skip(from).take(count) {
                if of > 1 {
                    println!("{}trace {i} of {of}", if i > from { "\n" } else { "" });
                }
                print!("{}", trace.to_terminal(colour));
            }
            Ok(())
        }
        TraceCommand::Generate(args) => generate::run(&args),
        TraceCommand::Verify { path } => generate::verify(&path),
        TraceCommand::Convert(args) => convert::run(&args),
        TraceCommand::Stats { file } => {
            print!("{}", compare::stats(&traces(&file)?));
            Ok(())
        }
        TraceCommand::Diff { left, right } => {
            let (text, parted) = compare::differences(&single(&left)?, &single(&right)?);
            print!("{text}");
            if parted { Err(Failure::work("the traces differ")) } else { Ok(()) }
        }
    }
}

/// The traces of a Parquet file, a folder of them, or a trace file.
pub(crate) fn traces(file: &Path) -> Result<Vec<Trace>, Failure> {
    if file.is_dir() || file.extension().is_some_and(|e| e == "parquet") {
        generate::read(file)
    } else {
        parse(&read(file)?, file)
    }
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
    tool_set(name)
        .map(<[Tool]>::to_vec)
        .ok_or_else(|| format!("the named sets are those of the worlds: {}", world_names().join(", ")))
}
