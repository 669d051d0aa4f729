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
    /// Adds the losses of another summary, of the same conversion.
    pub fn merge(&mut self, other: Summary) {
        for (kind, (count, document, loss)) in other.losses {
            let entry = self.losses.entry(kind).or_insert((0, document, loss.clone()));
            entry.0 += count;
            if document < entry.1 {
                (entry.1, entry.2) = (document, loss);
            }
        }
    }

    /// Adds what the conversion of one document lost.
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
/// Documents of JSON formats are written one a line. A single document of chat text is written as it is, several as
/// JSONL with the text under `"text"`.
///
/// # Errors
/// The first document that cannot be read, and failures of `input` and `output`.
pub fn convert(
    from: Side,
    to: Side,
    input: impl BufRead,
    output: impl Write,
) -> Result<Summary, ConvertError> {
    let mut writer = Writer::new(to, output);
    let losses = read_each(from, input, |trace| writer.put(&trace).map_err(ConvertError::from))?;
    let mut summary = writer.finish()?;
    summary.merge(losses);
    Ok(summary)
}

/// Gives every trace of `input` to `each`, in order, and says what reading lost.
///
/// JSONL is read a line at a time, and so are traces in the trace language; a file that is one document is read
/// whole.
///
/// # Errors
/// The first document that cannot be read, failures of `input`, and those of `each`.
pub fn read_each(
    from: Side,
    mut input: impl BufRead,
    each: impl FnMut(Trace) -> Result<(), ConvertError>,
) -> Result<Summary, ConvertError> {
    let mut reader = Reader { each, summary: Summary::default() };
    match from {
        Side::Trace => reader.traces(&mut input)?,
        Side::Format(format) => reader.documents(format, &mut input)?,
    }
    Ok(reader.summary)
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

struct Reader<F> {
    each: F,
    /// What was lost, and how many traces there were.
    summary: Summary,
}

impl<F: FnMut(Trace) -> Result<(), ConvertError>> Reader<F> {
    fn traces(&mut self, input: &mut impl BufRead) -> Result<(), ConvertError> {
        let (mut text, mut next) = (String::new(), String::new());
        loop {
            let more = line(input, &mut next)?;
            if more && next.trim_end() != "---" {
                text.push_str(&next);
                continue;
            }
            let read = Trace::parse_all(&text);
            let document = self.summary.traces;
            let traces = read.map_err(|errors| ConvertError::Trace { document, errors })?;
            self.all(Ok(Converted { value: traces, losses: Vec::new() }))?;
            text.clear();
            if !more {
                return Ok(());
            }
        }
    }

    fn documents(&mut self, format: Format, input: &mut impl BufRead) -> Result<(), ConvertError> {
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
            return self.all(format.read(&text));
        }
        loop {
            if !text.trim().is_empty() {
                let read = match format.document() {
                    Document::Text => text_of(&text).and_then(|text| format.read(&text)),
                    _ => format.read(&text),
                };
                self.all(read)?;
            }
            if !line(input, &mut text)? {
                return Ok(());
            }
        }
    }

    fn all(&mut self, read: Result<Converted<Vec<Trace>>, Box<FormatError>>) -> Result<(), ConvertError> {
        let document = self.summary.traces;
        let read = read.map_err(|error| ConvertError::Format { document, error })?;
        self.summary.add(document, read.losses);
        for trace in read.value {
            (self.each)(trace)?;
            self.summary.traces += 1;
        }
        Ok(())
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

/// Writes traces one after the other, in the trace language or another format.
pub struct Writer<W> {
    to: Side,
    output: W,
    /// The first document of chat text, until it is known whether it is the only one.
    held: Option<String>,
    summary: Summary,
}

impl<W: Write> Writer<W> {
    /// A writer to `output`.
    pub fn new(to: Side, output: W) -> Self {
        Writer { to, output, held: None, summary: Summary::default() }
    }

    /// Writes a trace. Where the format has no branches, each is a document of its own.
    ///
    /// # Errors
    /// Failures of the output.
    pub fn put(&mut self, trace: &Trace) -> io::Result<()> {
        if let Side::Format(format) = self.to
            && trace.is_branched()
            && !format.holds_branches()
        {
            return trace.branches().try_for_each(|branch| self.put(&branch.trace));
        }
        let first = self.summary.traces == 0;
        match self.to {
            Side::Trace => {
                self.output.write_all(if first { b"" } else { b"---\n" })?;
                self.output.write_all(trace.to_annotated().as_bytes())?;
            }
            Side::Format(format) => {
                let written = format.write(trace);
                self.summary.add(self.summary.traces, written.losses);
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
        self.summary.traces += 1;
        Ok(())
    }

    /// Ends the output, and says what writing lost.
    ///
    /// # Errors
    /// Failures of the output.
    pub fn finish(mut self) -> io::Result<Summary> {
        if let Some(only) = self.held.take() {
            self.output.write_all(only.as_bytes())?;
        }
        self.output.flush()?;
        Ok(self.summary)
    }
}
