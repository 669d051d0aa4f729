//! `groundwork trace convert`

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use groundwork_trace::adapters::{ConvertError, Format, Side, Summary, convert};

use crate::cli::ConvertArgs;
use crate::failure::Failure;
use crate::table::plain;

pub fn run(args: &ConvertArgs) -> Result<(), Failure> {
    if args.list {
        return list();
    }
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Err(Failure::input("give the formats to read and to write\n  hint: `--list` names them all"));
    };
    let (from, to) = (side(from)?, side(to)?);
    let input: Box<dyn BufRead> = if args.input.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::new(File::open(&args.input).map_err(|e| Failure::unreadable(&args.input, &e))?))
    };
    let summary = match &args.out {
        None => converted(from, to, input, io::stdout().lock(), &args.input)?,
        // Appears whole or not at all.
        Some(out) => {
            let temporary = part(out);
            let file = File::create(&temporary).map_err(|e| Failure::unwritable(out, &e))?;
            let done = converted(from, to, input, file, &args.input).and_then(|summary| {
                fs::rename(&temporary, out).map_err(|e| Failure::unwritable(out, &e))?;
                Ok(summary)
            });
            if done.is_err() {
                let _ = fs::remove_file(&temporary);
            }
            done?
        }
    };
    report(&summary);
    Ok(())
}

fn part(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    out.with_file_name(name)
}

fn side(name: &str) -> Result<Side, Failure> {
    Side::from_name(name).map_err(|hint| {
        let hint =
            if hint.is_empty() { "`groundwork trace convert --list` names them all".into() } else { hint };
        Failure::input(format!("there is no format `{name}`\n  hint: {hint}"))
    })
}

fn converted(
    from: Side,
    to: Side,
    input: impl BufRead,
    output: impl Write,
    file: &Path,
) -> Result<Summary, Failure> {
    let mut output = BufWriter::new(output);
    let done = convert(from, to, input, &mut output).map_err(|e| match e {
        ConvertError::Io(e) => Failure::unreadable(file, &e),
        wrong => Failure::input(format!("`{}`: {wrong}", file.display())),
    })?;
    output.flush().map_err(|e| Failure::work(format!("the output cannot be written: {e}")))?;
    Ok(done)
}

/// The loss report, on standard error.
fn report(summary: &Summary) {
    let traces = if summary.traces == 1 { "trace" } else { "traces" };
    if summary.losses.is_empty() {
        eprintln!("{} {traces}; nothing was lost", summary.traces);
        return;
    }
    eprintln!("{} {traces}; what the other side cannot hold:", summary.traces);
    for (kind, (count, document, first)) in &summary.losses {
        eprintln!("  {kind}: {count}, first in document {document} at {}: {}", first.place, first.what);
    }
}

fn list() -> Result<(), Failure> {
    let mut table = plain(["format", "what it is"], 2);
    table.add_row(["trace", "the trace language, in its annotated form"]);
    for format in Format::ALL {
        table.add_row([format.name(), format.description()]);
    }
    println!("{table}");
    Ok(())
}
