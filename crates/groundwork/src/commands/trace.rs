//! `groundwork trace`

use std::fs;
use std::io::{IsTerminal, Read};
use std::path::Path;

use groundwork_trace::{Tool, Trace, check};
use groundwork_worlds::{tool_set, world_names};

use crate::cli::TraceCommand;
use crate::failure::Failure;

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
            } else if printed != text {
                fs::write(&file, printed).map_err(|e| Failure::work(format!("`{}`: {e}", file.display())))?;
            }
            Ok(())
        }
        TraceCommand::Show { file, from, count } => {
            let traces = if file.extension().is_some_and(|e| e == "parquet") {
                generate::read(&file)?
            } else {
                parse(&read(&file)?, &file)?
            };
            let of = traces.len();
            if from >= of {
                return Err(Failure::input(format!(
                    "`{}` has {of} traces; there is no number {from}",
                    name(&file)
                )));
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
    done.map_err(|e| Failure::input(format!("`{}`: {e}", name(file))))?;
    String::from_utf8(bytes).map_err(|e| {
        Failure::input(format!(
            "`{}`: not UTF-8 at byte {}\n  hint: traces are UTF-8 text",
            name(file),
            e.utf8_error().valid_up_to()
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
