//! Files of many documents, one at a time.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::io::{self, BufRead, Write};

use super::json::{self, At, Kind, quoted};
use super::loss::Read;
use super::source::{Reached, Shape, Source};
use super::{Converted, Document, Format, FormatError, Loss, LossKind, Place};
use crate::{Diagnostics, Trace};

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
    /// How often each kind of loss occurred, with the first: the number of its document, or, where writing
    /// lost it, of its trace (both from 0), and the loss.
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
    fn add(&mut self, document: usize, losses: &[Loss]) {
        for loss in losses {
            self.losses.entry(loss.kind).or_insert_with(|| (0, document, loss.clone())).0 += 1;
        }
    }
}

/// Where in a file a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentPlace {
    /// Its number in the file, from 0.
    pub document: usize,
    /// The line on which it begins, from 1.
    pub line: usize,
    /// Its row in a table, from 1; lines are then those of its text.
    pub row: Option<usize>,
    /// Its number in a list of documents, from 0.
    pub item: Option<usize>,
}

impl Display for DocumentPlace {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(row) = self.row {
            return write!(f, "document {}, row {row}", self.document);
        }
        write!(f, "document {}, line {}", self.document, self.line)?;
        self.item.map_or(Ok(()), |item| write!(f, ", item {item} of a list"))
    }
}

/// Why a document was not converted, or why a conversion ended early. What was written before is whole.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The input could not be read, or the output not written.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// A document is not of its format.
    #[error("{place}: {error}")]
    Format {
        /// Which one.
        place: DocumentPlace,
        /// What is wrong with it; lines and columns are those of the file.
        error: Box<FormatError>,
    },
    /// A trace that cannot be read.
    #[error("{place}: {errors}")]
    Trace {
        /// Which one.
        place: DocumentPlace,
        /// Its text.
        text: String,
        /// What is wrong with it; the places are those of its text.
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
    let losses = read_each(from, input, Err, |trace| writer.put(&trace).map_err(ConvertError::from))?;
    let mut summary = writer.finish()?;
    summary.merge(losses);
    Ok(summary)
}

/// Gives every trace of `input` to `each`, in order, and says what reading lost.
///
/// JSONL is read a line at a time, a list of JSON documents an item at a time, and traces in the trace language one
/// at a time; a document is read whole. One that cannot be read goes to `bad`, which decides whether the next is
/// looked for ([`Err`] itself as `bad` ends it there).
///
/// # Errors
/// Failures of `input`, and those of `bad` and `each`.
pub fn read_each(
    from: Side,
    input: impl BufRead,
    bad: impl FnMut(ConvertError) -> Result<(), ConvertError>,
    each: impl FnMut(Trace) -> Result<(), ConvertError>,
) -> Result<Summary, ConvertError> {
    let mut reader = Reader { each, bad, summary: Summary::default(), documents: 0, row: None };
    let mut source = Source::new(input);
    if let Side::Format(_) = from {
        source.skip_mark()?;
    }
    match from {
        Side::Trace => reader.traces(&mut source)?,
        Side::Format(format) if format.document() == Document::Text => reader.texts(format, &mut source)?,
        Side::Format(format) => reader.values(format, &mut source)?,
    }
    Ok(reader.summary)
}

/// As [`read_each`], for documents that are rows of a table: each is whole, and a row may have none.
///
/// # Errors
/// Failures of `rows`, and those of `bad` and `each`.
pub fn read_rows(
    from: Side,
    rows: impl IntoIterator<Item = io::Result<Option<String>>>,
    bad: impl FnMut(ConvertError) -> Result<(), ConvertError>,
    each: impl FnMut(Trace) -> Result<(), ConvertError>,
) -> Result<Summary, ConvertError> {
    let mut reader = Reader { each, bad, summary: Summary::default(), documents: 0, row: None };
    for (i, row) in rows.into_iter().enumerate() {
        reader.row = Some(i + 1);
        match (row?, from) {
            (None, _) => {
                let error = FormatError::new(At::Root.place(), "this row is null", "it holds no document");
                reader.failed((1, 1, None), error)?;
            }
            (Some(text), Side::Trace) => reader.language(text, 1)?,
            (Some(text), Side::Format(format)) => {
                reader.document((1, 1, None), &mut text.into_bytes(), |text| format.read(text))?;
            }
        }
    }
    Ok(reader.summary)
}

/// Gives the text of every trace of a file in the trace language to `each`, with the line on which it begins, from 1.
///
/// # Errors
/// Text that is not UTF-8, failures of `input`, and those of `each`.
pub fn each_text(
    input: impl BufRead,
    mut each: impl FnMut(&str, usize) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    let mut source = Source::new(input);
    let (mut bytes, mut begin, mut document) = (Vec::new(), 1, 0);
    loop {
        let more = source.trace(&mut bytes)?;
        let text = utf8(&mut bytes).map_err(|mut error| {
            if let Place::Line(line, _) = &mut error.place {
                *line += begin - 1;
            }
            let place = DocumentPlace { document, line: begin, row: None, item: None };
            ConvertError::Format { place, error }
        })?;
        each(&text, begin)?;
        document += 1;
        begin = source.line;
        if !more {
            return Ok(());
        }
        bytes = text.into_bytes();
        bytes.clear();
    }
}

/// Where a document begins in its file: the line, the column, and its number in a list.
type Start = (usize, usize, Option<usize>);

struct Reader<E, B> {
    each: E,
    bad: B,
    /// What was lost, and how many traces there were.
    summary: Summary,
    /// How many documents there were, also those that could not be read.
    documents: usize,
    /// The row that is read, where they are those of a table.
    row: Option<usize>,
}

impl<E, B> Reader<E, B>
where
    E: FnMut(Trace) -> Result<(), ConvertError>,
    B: FnMut(ConvertError) -> Result<(), ConvertError>,
{
    fn traces(&mut self, source: &mut Source<impl BufRead>) -> Result<(), ConvertError> {
        let (mut bytes, mut begin) = (Vec::new(), 1);
        loop {
            let more = source.trace(&mut bytes)?;
            match utf8(&mut bytes) {
                Err(error) => self.failed((begin, 1, None), error)?,
                Ok(text) => self.language(text, begin)?,
            }
            begin = source.line;
            if !more {
                return Ok(());
            }
        }
    }

    /// A text in the trace language that begins on line `begin`.
    fn language(&mut self, text: String, begin: usize) -> Result<(), ConvertError> {
        match Trace::parse_all(&text) {
            Ok(value) => {
                self.documents += usize::from(!value.is_empty());
                self.all(Converted { value, losses: Vec::new() })
            }
            Err(errors) => {
                let place = self.place((begin, 1, None));
                self.documents += 1;
                (self.bad)(ConvertError::Trace { place, text, errors })
            }
        }
    }

    /// Chat text and the like: one document, or one on every line under `"text"`.
    fn texts(&mut self, format: Format, source: &mut Source<impl BufRead>) -> Result<(), ConvertError> {
        let (mut bytes, mut begin) = (Vec::new(), 1);
        while source.line(&mut bytes)? && bytes.trim_ascii().is_empty() {
            bytes.clear();
            begin = source.line;
        }
        if bytes.is_empty() {
            return Ok(());
        }
        let inside = bytes.strip_prefix(b"{").unwrap_or_default().trim_ascii_start();
        let lines = inside.starts_with(b"\"text\"")
            || bytes.starts_with(b"{") && utf8(&mut bytes.clone()).and_then(|t| text_of(&t)).is_ok();
        if !lines {
            while source.line(&mut bytes)? {}
            return self.document((begin, 1, None), &mut bytes, |text| format.read(text));
        }
        // The lines of the text are none of the file.
        let inside = |mut e: Box<FormatError>| {
            let place = std::mem::replace(&mut e.place, Place::Line(1, 1));
            e.message.insert_str(0, &format!("in its text, at {place}: "));
            e
        };
        self.lines(source, bytes, begin, |line| format.read(&text_of(line)?).map_err(inside))
    }

    /// A document on every line, of which `bytes` is the first.
    fn lines(
        &mut self,
        source: &mut Source<impl BufRead>,
        mut bytes: Vec<u8>,
        mut begin: usize,
        read: impl Fn(&str) -> Read<Converted<Vec<Trace>>>,
    ) -> Result<(), ConvertError> {
        loop {
            // What is cut off ends on its line, not on the next.
            bytes.truncate(bytes.trim_ascii_end().len());
            if !bytes.is_empty() {
                self.document((begin, 1, None), &mut bytes, &read)?;
            }
            bytes.clear();
            begin = source.line;
            if !source.line(&mut bytes)? {
                return Ok(());
            }
        }
    }

    /// Values of JSON: a document each, a list of documents each, or the messages of one document.
    fn values(&mut self, format: Format, source: &mut Source<impl BufRead>) -> Result<(), ConvertError> {
        let mut bytes = Vec::new();
        while let Some(first) = source.peek()? {
            bytes.clear();
            let start = (source.line, source.column, None);
            if first == b'[' {
                self.list(format, source)?;
                continue;
            }
            if format.document() == Document::Lines {
                while source.line(&mut bytes)? {}
                return self.document(start, &mut bytes, |text| format.read(text));
            }
            // The first line says whether there is a document on every line.
            source.line(&mut bytes)?;
            if std::str::from_utf8(&bytes).is_ok_and(is_whole) {
                return self.lines(source, bytes, start.0, |line| format.read(line));
            }
            let mut shape = Shape::new();
            let reached = match shape.push(&bytes) {
                (n, Some(reached)) => {
                    // What stands behind it on its line is no document.
                    if reached == Reached::End && bytes[n..].trim_ascii().is_empty() {
                        reached
                    } else {
                        Reached::Nowhere
                    }
                }
                (_, None) => source.value(&mut shape, &mut bytes)?,
            };
            self.value(format, source, start, &mut bytes, reached)?;
        }
        Ok(())
    }

    /// A document that was read as far as it goes.
    fn value(
        &mut self,
        format: Format,
        source: &mut Source<impl BufRead>,
        start: Start,
        bytes: &mut Vec<u8>,
        reached: Reached,
    ) -> Result<(), ConvertError> {
        if reached == Reached::Nowhere {
            let first = bytes[0];
            source.again(bytes, start.0, first)?;
            let text = String::from_utf8_lossy(bytes);
            let error = format.read(&text).err().unwrap_or_else(|| {
                FormatError::new(Place::Line(1, 1), "this is no JSON", "strings stand in double quotes")
            });
            return self.failed(start, error);
        }
        self.document(start, bytes, |text| format.read(text))
    }

    /// A list: of documents, each of which is read alone, or of the messages of one document.
    fn list(&mut self, format: Format, source: &mut Source<impl BufRead>) -> Result<(), ConvertError> {
        let whole = (source.line, source.column, None);
        source.skip();
        let mut bytes = vec![b'['];
        let mut reached = Reached::End;
        let close = source.peek()? == Some(b']');
        if !close {
            // So that places in it are right: nothing but white space was passed over.
            bytes.extend(std::iter::repeat_n(b'\n', source.line - whole.0));
            let from = if source.line == whole.0 { whole.1 + 1 } else { 1 };
            bytes.extend(std::iter::repeat_n(b' ', source.column - from));
            let start = (source.line, source.column, Some(0));
            let begin = bytes.len();
            reached = source.value(&mut Shape::new(), &mut bytes)?;
            let item = std::str::from_utf8(&bytes[begin..]).ok().and_then(|text| json::parse_all(text).ok());
            let unknown = item.is_none() && reached == Reached::End;
            if unknown || item.is_some_and(|nodes| nodes.iter().any(|n| format.is_document(n))) {
                bytes.drain(..begin);
                return self.items(format, source, whole, start, bytes);
            }
        }
        if reached == Reached::End {
            let mut shape = Shape::new();
            shape.push(&bytes);
            reached = source.value(&mut shape, &mut bytes)?;
        }
        self.value(format, source, whole, &mut bytes, reached)
    }

    /// The documents of a list that began at `whole`; the first is in `bytes`.
    fn items(
        &mut self,
        format: Format,
        source: &mut Source<impl BufRead>,
        whole: Start,
        mut start: Start,
        mut bytes: Vec<u8>,
    ) -> Result<(), ConvertError> {
        loop {
            self.document(start, &mut bytes, |text| format.read(text))?;
            bytes.clear();
            let next = source.peek()?;
            let mut wrong = None;
            match next {
                Some(b']') => {
                    source.skip();
                    return Ok(());
                }
                Some(b',') => {
                    source.skip();
                    source.peek()?;
                    start = (source.line, source.column, start.2.map(|i| i + 1));
                    if source.value(&mut Shape::new(), &mut bytes)? == Reached::Nowhere {
                        let text = String::from_utf8_lossy(&bytes);
                        wrong = format.read(&text).err();
                    }
                }
                Some(_) => {
                    start = (source.line, source.column, start.2);
                    let hint = "items are separated by commas";
                    wrong = Some(FormatError::new(Place::Line(1, 1), "expected `,` or `]`", hint));
                }
                None => {
                    start = (source.line, source.column, start.2);
                    let message = "the list of documents is never closed";
                    wrong = Some(FormatError::new(Place::Line(1, 1), message, "was the file cut off?"));
                }
            }
            if let Some(error) = wrong {
                self.failed(start, error)?;
                // Where the next document begins is not known, unless it has a line of its own.
                return Ok(source.again(&bytes, start.0, if whole.0 == start.0 { b'[' } else { 0 })?);
            }
        }
    }

    /// Reads a document that begins at `start`.
    fn document(
        &mut self,
        start: Start,
        bytes: &mut Vec<u8>,
        read: impl Fn(&str) -> Read<Converted<Vec<Trace>>>,
    ) -> Result<(), ConvertError> {
        let text = match utf8(bytes) {
            Ok(text) => text,
            Err(error) => return self.failed(start, error),
        };
        let read = read(&text);
        *bytes = text.into_bytes();
        match read {
            Ok(read) => {
                self.summary.add(self.documents, &read.losses);
                self.documents += 1;
                self.all(read)
            }
            Err(error) => self.failed(start, error),
        }
    }

    /// Reports a document that cannot be read.
    fn failed(&mut self, start: Start, mut error: Box<FormatError>) -> Result<(), ConvertError> {
        let (line, column, _) = start;
        if let Place::Line(l, c) = &mut error.place {
            if *l == 1 {
                *c += column - 1;
            }
            *l += line - 1;
        }
        let place = self.place(start);
        self.documents += 1;
        (self.bad)(ConvertError::Format { place, error })
    }

    fn place(&self, (line, _, item): Start) -> DocumentPlace {
        DocumentPlace { document: self.documents, line, row: self.row, item }
    }

    fn all(&mut self, read: Converted<Vec<Trace>>) -> Result<(), ConvertError> {
        for trace in read.value {
            (self.each)(trace)?;
            self.summary.traces += 1;
        }
        Ok(())
    }
}

/// `bytes` as text; they are left empty.
fn utf8(bytes: &mut Vec<u8>) -> Read<String> {
    String::from_utf8(std::mem::take(bytes)).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&e.as_bytes()[..good]).into_owned();
        let hint = "convert it, for example with `iconv -t utf-8`";
        FormatError::new(Place::of(&before, good), "this is not UTF-8", hint)
    })
}

/// Whether `line` is a whole value.
fn is_whole(line: &str) -> bool {
    json::parse_all(line).is_ok_and(|v| v.len() == 1)
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
                self.summary.add(self.summary.traces, &written.losses);
                let text = written.value;
                match format.document() {
                    Document::Json => writeln!(self.output, "{text}")?,
                    Document::Lines => {
                        // A message may go over several lines.
                        let read = json::parse_all(&text).unwrap_or_default();
                        let messages: Vec<&str> = read.iter().map(|node| node.raw).collect();
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
