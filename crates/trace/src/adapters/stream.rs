//! Files of many documents, one at a time.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use super::json::{self, At, Kind, quoted};
use super::{Converted, Document, Format, FormatError, Loss, LossKind};
use crate::{Diagnostics, Trace};

/// The longest document that is read: what one takes is all the memory that is needed.
const LONGEST: usize = 1 << 28;

/// One side of a conversion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The trace language, in its annotated form.
    Trace,
    /// Another format.
    Format(Format),
}

impl Side {
    /// The side with this name: `trace`, or a format's.
    ///
    /// # Errors
    /// What was perhaps meant.
    pub fn from_name(name: &str) -> Result<Side, String> {
        if name == "trace" { Ok(Side::Trace) } else { Format::from_name(name).map(Side::Format) }
    }
}

/// What a conversion did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many traces were written.
    pub traces: usize,
    /// How often each kind of loss occurred, with the first: the number of its document (from 0) and the loss.
    pub losses: BTreeMap<LossKind, (usize, usize, Loss)>,
}

impl Summary {
    fn add(&mut self, document: usize, losses: Vec<Loss>) {
        for loss in losses {
            self.losses.entry(loss.kind).or_insert((0, document, loss)).0 += 1;
        }
    }
}

/// Why a conversion ended early. What was written before is whole.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The input could not be read, or the output not written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A document is not of its format.
    #[error("document {document}: {error}")]
    Format {
        /// The number of the document, from 0.
        document: usize,
        /// What is wrong with it.
        error: Box<FormatError>,
    },
    /// A trace that cannot be read.
    #[error("document {document}: {errors}")]
    Trace {
        /// The number of the trace, from 0.
        document: usize,
        /// What is wrong with it; its places are those of this trace's text alone.
        errors: Diagnostics,
    },
}

/// Converts all documents of `input`, one at a time.
///
/// JSONL is read a line at a time, and so are traces in the trace language; a file that is one document is read
/// whole. Documents of JSON formats are written one a line. A single document of chat text is written as it is,
/// several as JSONL with the text under `"text"`.
///
/// # Errors
/// The first document that cannot be read, and failures of `input` and `output`.
pub fn convert(
    from: Side,
    to: Side,
    mut input: impl BufRead,
    output: impl Write,
) -> Result<Summary, ConvertError> {
    let mut sink = Sink { to, output, held: None, summary: Summary::default(), document: 0 };
    match from {
        Side::Trace => traces(&mut input, &mut sink)?,
        Side::Format(format) => documents(format, &mut input, &mut sink)?,
    }
    sink.finish()
}

/// The next line, without its end; none after the last.
fn line(input: &mut impl BufRead, buffer: &mut String) -> io::Result<bool> {
    buffer.clear();
    let mut bytes = std::mem::take(buffer).into_bytes();
    let read = io::Read::take(&mut *input, LONGEST as u64).read_until(b'\n', &mut bytes)?;
    if read == LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line of more than 256 MiB"));
    }
    *buffer = String::from_utf8(bytes)
        .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, format!("the input is not UTF-8: {e}")))?;
    Ok(read > 0)
}

fn traces(input: &mut impl BufRead, sink: &mut Sink<impl Write>) -> Result<(), ConvertError> {
    let (mut text, mut next) = (String::new(), String::new());
    loop {
        let more = line(input, &mut next)?;
        if more && next.trim_end() != "---" {
            text.push_str(&next);
            continue;
        }
        let read = Trace::parse_all(&text);
        let traces = read.map_err(|errors| ConvertError::Trace { document: sink.document, errors })?;
        for trace in traces {
            sink.put(Converted { value: trace, losses: Vec::new() })?;
        }
        text.clear();
        if !more {
            return Ok(());
        }
    }
}

fn documents(
    format: Format,
    input: &mut impl BufRead,
    sink: &mut Sink<impl Write>,
) -> Result<(), ConvertError> {
    let mut text = String::new();
    // The first line says whether there is a document on every line.
    while line(input, &mut text)? && text.trim().is_empty() {}
    if text.is_empty() {
        return Ok(());
    }
    if !is_document(format, &text) {
        let mut next = String::new();
        while line(input, &mut next)? {
            text.push_str(&next);
        }
        return sink.all(format.read(&text));
    }
    loop {
        if !text.trim().is_empty() {
            let read = match format.document() {
                Document::Text => text_of(&text).and_then(|text| format.read(&text)),
                _ => format.read(&text),
            };
            sink.all(read)?;
        }
        if !line(input, &mut text)? {
            return Ok(());
        }
    }
}

/// Whether `line` is a whole document, so that the file is JSONL.
fn is_document(format: Format, line: &str) -> bool {
    let whole = || json::parse_all(line).is_ok_and(|v| v.len() == 1);
    match format.document() {
        Document::Json => whole(),
        Document::Lines => line.trim_start().starts_with('[') && whole(),
        Document::Text => line.starts_with('{') && text_of(line).is_ok(),
    }
}

/// The text in `{"text": …}`.
fn text_of(line: &str) -> Result<String, Box<FormatError>> {
    let nodes = json::parse_all(line)?;
    let object = nodes.first().filter(|n| matches!(n.kind, Kind::Object(_)));
    let missing =
        || FormatError::new(At::Root.place(), "this is no object with a `text`", "write `{\"text\": …}`");
    let text = object.and_then(|n| n.get("text")).ok_or_else(missing)?;
    Ok(text.text(At::Key(&At::Root, "text"))?.into_owned())
}

struct Sink<W> {
    to: Side,
    output: W,
    /// The first document of chat text, until it is known whether it is the only one.
    held: Option<String>,
    summary: Summary,
    document: usize,
}

impl<W: Write> Sink<W> {
    fn all(&mut self, read: Result<Converted<Vec<Trace>>, Box<FormatError>>) -> Result<(), ConvertError> {
        let read = read.map_err(|error| ConvertError::Format { document: self.document, error })?;
        self.summary.add(self.document, read.losses);
        for trace in read.value {
            self.put(Converted { value: trace, losses: Vec::new() })?;
        }
        Ok(())
    }

    fn put(&mut self, trace: Converted<Trace>) -> Result<(), ConvertError> {
        let first = self.document == 0;
        self.summary.add(self.document, trace.losses);
        match self.to {
            Side::Trace => {
                self.output.write_all(if first { b"" } else { b"---\n" })?;
                self.output.write_all(trace.value.to_annotated().as_bytes())?;
            }
            Side::Format(format) => {
                let written = format.write(&trace.value);
                self.summary.add(self.document, written.losses);
                let text = written.value;
                match format.document() {
                    Document::Json => writeln!(self.output, "{text}")?,
                    Document::Lines => {
                        let messages: Vec<&str> = text.lines().collect();
                        writeln!(self.output, "[{}]", messages.join(","))?;
                    }
                    Document::Text if first => self.held = Some(text),
                    Document::Text => {
                        if let Some(held) = self.held.take() {
                            writeln!(self.output, "{{\"text\":{}}}", quoted(&held))?;
                        }
                        writeln!(self.output, "{{\"text\":{}}}", quoted(&text))?;
                    }
                }
            }
        }
        self.document += 1;
        self.summary.traces += 1;
        Ok(())
    }

    fn finish(mut self) -> Result<Summary, ConvertError> {
        if let Some(only) = self.held.take() {
            self.output.write_all(only.as_bytes())?;
        }
        self.output.flush()?;
        Ok(self.summary)
    }
}
