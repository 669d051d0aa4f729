//! `groundwork trace convert`

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use groundwork_bridge::Recorder;
use groundwork_corpus::{Archive, RowFile, TraceReader, TraceRecord, TraceWriter, is_archive};
use groundwork_trace::Trace;
use groundwork_trace::adapters::{ConvertError, Format, Place, Side, Summary, Writer, read_each};

use super::{name, plural, rows};
use crate::cli::ConvertArgs;
use crate::commands::is_no_file;
use crate::failure::Failure;
use crate::table::plain;

pub fn run(args: &ConvertArgs) -> Result<(), Failure> {
    if args.list {
        return list();
    }
    let (Some(from), Some(to)) = (&args.from, &args.to) else {
        return Err(Failure::input("give the formats to read and to write\n  hint: `--list` names them all"));
    };
    let (from, to) = (if from == LOG { Source::Log } else { Source::Side(side(from)?) }, side(to)?);
    if args.column.is_some() && !is_parquet(&args.input) {
        return Err(Failure::input(format!(
            "`{}` has no columns\n  hint: `--column` is for files that are named `.parquet`",
            name(&args.input)
        )));
    }
    let input = Input { from, file: &args.input, column: args.column.as_deref() };
    let mut skipped = Skipped { allowed: args.skip_bad, count: 0 };
    let summary = match &args.out {
        None => into_text(&input, to, io::stdout().lock(), &mut skipped)?,
        Some(out) if out.extension() == Some(OsStr::new("eval")) => {
            return Err(Failure::input(format!(
                "`{}`: `.eval` archives are read and not written\n  hint: name the file `.json`; Inspect reads such logs too",
                out.display()
            )));
        }
        Some(out) if is_parquet(out) => {
            if to != Side::Trace {
                return Err(Failure::input("a Parquet file holds traces\n  hint: write it as `trace`"));
            }
            into_parquet(&input, out, &mut skipped)?
        }
        // A device or a pipe is written to, and never replaced.
        Some(out) if is_no_file(out) => {
            let file = File::options().write(true).open(out).map_err(|e| Failure::unwritable(out, &e))?;
            into_text(&input, to, file, &mut skipped)?
        }
        // Appears whole or not at all.
        Some(out) => {
            let temporary = part(out);
            let file = File::create(&temporary).map_err(|e| Failure::unwritable(out, &e))?;
            let done = into_text(&input, to, file, &mut skipped).and_then(|summary| {
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
    match skipped.count {
        0 => Ok(()),
        n => {
            let were = if n == 1 { "was" } else { "were" };
            Err(Failure::work(format!("{n} {} {were} left out", plural(n, "document"))))
        }
    }
}

/// The documents that cannot be read.
pub(super) struct Skipped {
    /// Whether the others are read all the same.
    allowed: bool,
    count: usize,
}

impl Skipped {
    /// The first one ends it all.
    pub(super) const fn none() -> Skipped {
        Skipped { allowed: false, count: 0 }
    }

    /// Names a document that cannot be read.
    fn add(&mut self, file: &Path, e: ConvertError) -> Result<(), ConvertError> {
        if !self.allowed || matches!(e, ConvertError::Io(_)) {
            return Err(e);
        }
        self.count += 1;
        eprintln!("left out: {}", described(file, e));
        Ok(())
    }
}

fn is_parquet(file: &Path) -> bool {
    file.extension() == Some(OsStr::new("parquet"))
}

/// The log of `trace record`, as a source.
const LOG: &str = "mcp-log";

/// What a file is read as.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Source {
    Side(Side),
    /// The log of a recorded session.
    Log,
}

/// A file to read, and as what.
pub(super) struct Input<'a> {
    pub(super) from: Source,
    pub(super) file: &'a Path,
    /// The column of a Parquet file that holds the documents, if it was said.
    pub(super) column: Option<&'a str>,
}

/// Where the traces that were read go.
pub(super) type Put<'a> = dyn FnMut(Trace) -> Result<(), Failure> + 'a;

fn into_text(
    input: &Input<'_>,
    to: Side,
    output: impl Write,
    skipped: &mut Skipped,
) -> Result<Summary, Failure> {
    let mut writer = Writer::new(to, BufWriter::new(output));
    let losses = each(input, skipped, &mut |trace| writer.put(&trace).map_err(|e| unwritten(&e)))?;
    let mut summary = writer.finish().map_err(|e| unwritten(&e))?;
    summary.merge(losses);
    Ok(summary)
}

fn into_parquet(input: &Input<'_>, out: &Path, skipped: &mut Skipped) -> Result<Summary, Failure> {
    let mut writer = TraceWriter::create(out)?;
    let source = match input.from {
        Source::Side(Side::Trace) => "trace",
        Source::Side(Side::Format(format)) => format.name(),
        Source::Log => LOG,
    };
    let mut number = 0;
    let summary = each(input, skipped, &mut |trace| {
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
pub(super) fn each(input: &Input<'_>, skipped: &mut Skipped, put: &mut Put<'_>) -> Result<Summary, Failure> {
    let &Input { from, file, column } = input;
    let Source::Side(from) = from else { return session(file, put) };
    if is_parquet(file) {
        let rows = RowFile::open(file)?;
        if column.is_some() || from != Side::Trace || !rows.holds_traces() {
            return rows::each(from, column, file, rows, skipped, put);
        }
        let mut summary = Summary::default();
        for record in TraceReader::open(file)? {
            put(record?.trace)?;
            summary.traces += 1;
        }
        return Ok(summary);
    }
    if from == Side::Format(Format::Inspect) && is_archive(file) {
        return archived(file, skipped, put);
    }
    from_text(from, open(file)?, file, skipped, put)
}

/// The session of a log, also of one that ends before the session did.
fn session(file: &Path, put: &mut Put<'_>) -> Result<Summary, Failure> {
    let (recorder, cut) = Recorder::read_log(open(file)?).map_err(|e| match e.kind() {
        io::ErrorKind::InvalidInput => Failure::input(format!("`{}`: {e}", name(file))),
        _ => Failure::unreadable(Path::new(&name(file)), &e),
    })?;
    if cut {
        eprintln!("warning: `{}` ends inside an entry, which is left out", name(file));
    }
    let (trace, losses) = recorder
        .trace()
        .map_err(|e| Failure::input(format!("`{}`: the session is no trace: {e}", name(file))))?;
    put(trace)?;
    let mut summary = Summary { traces: 1, ..Summary::default() };
    for loss in losses {
        summary.losses.entry(loss.kind).or_insert_with(|| (0, 0, loss)).0 += 1;
    }
    Ok(summary)
}

/// A file, or standard input.
pub(super) fn open(input: &Path) -> Result<Box<dyn BufRead>, Failure> {
    if input.as_os_str() == "-" {
        return Ok(Box::new(io::stdin().lock()));
    }
    let file = File::open(input).map_err(|e| Failure::unreadable(input, &e))?;
    Ok(Box::new(BufReader::with_capacity(1 << 20, file)))
}

fn from_text(
    from: Side,
    reader: impl BufRead,
    file: &Path,
    skipped: &mut Skipped,
    put: &mut Put<'_>,
) -> Result<Summary, Failure> {
    guarded(file, skipped, put, |bad, each| read_each(from, reader, bad, each))
}

/// Has `read` give what cannot be read to `skipped` and traces to `put`, and says what ended it.
pub(super) fn guarded(
    file: &Path,
    skipped: &mut Skipped,
    put: &mut Put<'_>,
    read: impl FnOnce(
        &mut dyn FnMut(ConvertError) -> Result<(), ConvertError>,
        &mut dyn FnMut(Trace) -> Result<(), ConvertError>,
    ) -> Result<Summary, ConvertError>,
) -> Result<Summary, Failure> {
    let mut failed = None;
    let done = read(&mut |e| skipped.add(file, e), &mut |trace| {
        put(trace).map_err(|e| {
            failed = Some(e);
            ConvertError::Io(io::ErrorKind::Interrupted.into())
        })
    });
    if let Some(failed) = failed {
        return Err(failed);
    }
    done.map_err(|e| match e {
        ConvertError::Io(e) => Failure::unreadable(Path::new(&name(file)), &e),
        wrong => Failure::input(described(file, wrong)),
    })
}

/// What is wrong with a document of `file`. What is wrong with a trace is drawn.
pub(super) fn described(file: &Path, e: ConvertError) -> String {
    let file = name(file);
    match e {
        ConvertError::Trace { place, text, errors } => {
            let colour = io::stderr().is_terminal();
            eprintln!("{}", errors.render_from(&text, &file, place.line, colour));
            let n = errors.0.len();
            format!("{n} {} in `{file}`", plural(n, "mistake"))
        }
        wrong => format!("`{file}`: {wrong}"),
    }
}

/// The samples of an `.eval` archive.
fn archived(file: &Path, skipped: &mut Skipped, put: &mut Put<'_>) -> Result<Summary, Failure> {
    let mut archive = Archive::open(file)?;
    let is_sample = |name: &str| name.starts_with("samples/") && name.ends_with(".json");
    let named = archive.names().enumerate().filter(|(_, n)| is_sample(n));
    let samples: Vec<(usize, String)> = named.map(|(i, n)| (i, n.to_owned())).collect();
    if samples.is_empty() {
        return Err(Failure::input(format!(
            "`{}` holds no samples\n  hint: an `.eval` archive has them under `samples/`",
            file.display()
        )));
    }
    let mut summary = Summary::default();
    for (index, sample) in samples {
        let text = archive.text(index)?;
        let place = file.join(sample);
        let read = from_text(Side::Format(Format::Inspect), text.as_bytes(), &place, skipped, put)?;
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
        if name == LOG {
            return Failure::input(format!("`{LOG}` is read and not written\n  hint: write it as `trace`"));
        }
        let hint =
            if hint.is_empty() { "`groundwork trace convert --list` names them all".into() } else { hint };
        Failure::input(format!("there is no format `{name}`\n  hint: {hint}"))
    })
}

/// The loss report, on standard error.
fn report(summary: &Summary) {
    let traces = plural(summary.traces, "trace");
    if summary.losses.is_empty() {
        eprintln!("{} {traces}; nothing was lost", summary.traces);
        return;
    }
    eprintln!("{} {traces}; what the other side cannot hold:", summary.traces);
    for (kind, (count, document, first)) in &summary.losses {
        let whose = if let Place::Span(_) = first.place { "trace" } else { "document" };
        eprintln!("  {kind}: {count}, first in {whose} {document} at {}: {}", first.place, first.what);
    }
}

fn list() -> Result<(), Failure> {
    let mut table = plain(["format", "what it is"], 2);
    table.add_row(["trace", "the trace language, in its annotated form"]);
    for format in Format::ALL {
        table.add_row([format.name(), format.description()]);
    }
    table.add_row([LOG, "the log of `groundwork trace record`, which is read alone"]);
    println!("{table}");
    Ok(())
}
