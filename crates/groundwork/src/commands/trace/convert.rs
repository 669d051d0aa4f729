//! `groundwork trace convert`

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use groundwork_corpus::{Archive, TraceReader, TraceRecord, TraceWriter, is_archive};
use groundwork_trace::Trace;
use groundwork_trace::adapters::{ConvertError, Format, Side, Summary, Writer, read_each};

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
    if is_parquet(&args.input) && from != Side::Trace {
        return Err(Failure::input("a Parquet file holds traces\n  hint: read it as `trace`"));
    }
    let summary = match &args.out {
        None => into_text(from, to, &args.input, io::stdout().lock())?,
        Some(out) if is_parquet(out) => {
            if to != Side::Trace {
                return Err(Failure::input("a Parquet file holds traces\n  hint: write it as `trace`"));
            }
            into_parquet(from, &args.input, out)?
        }
        // Appears whole or not at all.
        Some(out) => {
            let temporary = part(out);
            let file = File::create(&temporary).map_err(|e| Failure::unwritable(out, &e))?;
            let done = into_text(from, to, &args.input, file).and_then(|summary| {
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

fn is_parquet(file: &Path) -> bool {
    file.extension() == Some(OsStr::new("parquet"))
}

fn into_text(from: Side, to: Side, input: &Path, output: impl Write) -> Result<Summary, Failure> {
    let mut writer = Writer::new(to, BufWriter::new(output));
    let losses = each(from, input, |trace| writer.put(&trace).map_err(|e| unwritten(&e)))?;
    let mut summary = writer.finish().map_err(|e| unwritten(&e))?;
    summary.merge(losses);
    Ok(summary)
}

fn into_parquet(from: Side, input: &Path, out: &Path) -> Result<Summary, Failure> {
    let mut writer = TraceWriter::create(out)?;
    let source = match from {
        Side::Trace => "trace",
        Side::Format(format) => format.name(),
    };
    let mut number = 0;
    let summary = each(from, input, |trace| {
        let id = format!("{source}-{number:08}");
        number += 1;
        Ok(writer.write(TraceRecord { id, source: source.to_owned(), task: None, trace })?)
    })?;
    writer.finish()?;
    Ok(summary)
}

fn unwritten(e: &io::Error) -> Failure {
    Failure::work(format!("the output cannot be written: {e}"))
}

/// Gives the traces of a file to `put`, one at a time, and says how many there were and what reading them lost.
fn each(
    from: Side,
    input: &Path,
    mut put: impl FnMut(Trace) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    if is_parquet(input) {
        let mut summary = Summary::default();
        for record in TraceReader::open(input)? {
            put(record?.trace)?;
            summary.traces += 1;
        }
        return Ok(summary);
    }
    if from == Side::Format(Format::Inspect) && is_archive(input) {
        return archived(input, &mut put);
    }
    let reader: Box<dyn BufRead> = if input.as_os_str() == "-" {
        Box::new(io::stdin().lock())
    } else {
        Box::new(BufReader::with_capacity(
            1 << 20,
            File::open(input).map_err(|e| Failure::unreadable(input, &e))?,
        ))
    };
    from_text(from, reader, input, &mut put)
}

fn from_text(
    from: Side,
    reader: impl BufRead,
    file: &Path,
    put: &mut impl FnMut(Trace) -> Result<(), Failure>,
) -> Result<Summary, Failure> {
    let mut failed = None;
    let done = read_each(from, reader, |trace| {
        put(trace).map_err(|e| {
            failed = Some(e);
            ConvertError::Io(io::ErrorKind::Interrupted.into())
        })
    });
    if let Some(failed) = failed {
        return Err(failed);
    }
    done.map_err(|e| match e {
        ConvertError::Io(e) => Failure::unreadable(file, &e),
        wrong => Failure::input(format!("`{}`: {wrong}", file.display())),
    })
}

/// The samples of an `.eval` archive.
fn archived(file: &Path, put: &mut impl FnMut(Trace) -> Result<(), Failure>) -> Result<Summary, Failure> {
    let mut archive = Archive::open(file)?;
    let is_sample = |name: &str| name.starts_with("samples/") && name.ends_with(".json");
    let samples: Vec<usize> =
        archive.names().enumerate().filter(|(_, n)| is_sample(n)).map(|(i, _)| i).collect();
    if samples.is_empty() {
        return Err(Failure::input(format!(
            "`{}` holds no samples\n  hint: an `.eval` archive has them under `samples/`",
            file.display()
        )));
    }
    let mut summary = Summary::default();
    for index in samples {
        let text = archive.text(index)?;
        let read = from_text(Side::Format(Format::Inspect), text.as_bytes(), file, put)?;
        summary.traces += read.traces;
        summary.merge(read);
    }
    Ok(summary)
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
