//! JSONL files, plain or compressed with zstd: one document a line.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use groundwork_trace::{Span, SpanKind, Trace};
use serde_json::{Map, Value};

use super::span_record::{SpanRecord, check_weight, is_empty};
use super::{Read, Reader, files};
use crate::CorpusError;

/// Bytes that are read for one call.
const BATCH: usize = 1 << 20;

/// Reads JSONL files one after another.
pub(super) struct JsonlReader {
    files: Vec<PathBuf>,
    column: String,
    /// The file that is being read, and its number.
    at: usize,
    open: Option<Lines>,
}

impl JsonlReader {
    pub(super) fn open(path: &Path, column: &str) -> Result<Self, CorpusError> {
        let files = files::list(path, &[".jsonl", ".jsonl.zst", ".ndjson", ".ndjson.zst"])?;
        Ok(JsonlReader { files, column: column.to_owned(), at: 0, open: None })
    }
}

impl Reader for JsonlReader {
    fn next_batch(&mut self) -> Result<Vec<Read>, CorpusError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH && self.at < self.files.len() {
            let lines = match &mut self.open {
                Some(lines) => lines,
                None => self.open.insert(Lines::open(&self.files[self.at])?),
            };
            if !lines.advance()? {
                self.open = None;
                self.at += 1;
                continue;
            }
            bytes += lines.line.len();
            let trace = document(lines.text()?, &self.column, &lines.path, lines.number)?;
            let position = (self.at as f64 + lines.position()) / self.files.len() as f64;
            batch.push(Read { trace, position });
        }
        Ok(batch)
    }

    fn rewind(&mut self) {
        self.at = 0;
        self.open = None;
    }
}

/// The lines of one file that are not blank.
struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    /// Bytes taken from the file, where it is compressed, and bytes in it.
    taken: Option<Arc<AtomicU64>>,
    size: u64,
    line: Vec<u8>,
    /// The number of the present line, from 1, and the byte at which it starts.
    number: u64,
    start: u64,
}

impl Lines {
    fn open(path: &Path) -> Result<Self, CorpusError> {
        let read = CorpusError::read;
        let mut file = File::open(path).map_err(read(path))?;
        let size = file.metadata().map_err(read(path))?.len();
        let mut magic = [0; 4];
        let got = file.read(&mut magic).map_err(read(path))?;
        file.rewind().map_err(read(path))?;
        let (reader, taken): (Box<dyn BufRead + Send>, _) = if magic[..got] == [0x28, 0xb5, 0x2f, 0xfd] {
            let taken = Arc::new(AtomicU64::new(0));
            let counted = Counted { file, taken: Arc::clone(&taken) };
            (Box::new(BufReader::new(zstd::Decoder::new(counted).map_err(read(path))?)), Some(taken))
        } else {
            (Box::new(BufReader::new(file)), None)
        };
        Ok(Lines { path: path.to_owned(), reader, taken, size, line: Vec::new(), number: 0, start: 0 })
    }

    /// Goes to the next line, if there is one.
    fn advance(&mut self) -> Result<bool, CorpusError> {
        loop {
            self.start += self.line.len() as u64;
            self.line.clear();
            let got = self.reader.read_until(b'\n', &mut self.line).map_err(CorpusError::read(&self.path))?;
            if got == 0 {
                return Ok(false);
            }
            self.number += 1;
            if !self.line.trim_ascii().is_empty() {
                return Ok(true);
            }
        }
    }

    fn text(&self) -> Result<&str, CorpusError> {
        std::str::from_utf8(&self.line).map_err(|e| CorpusError::Utf8 {
            path: self.path.clone(),
            offset: self.start + e.valid_up_to() as u64,
        })
    }

    /// The share of the file up to the end of the present line; of a compressed file up to the end of its read buffer.
    fn position(&self) -> f64 {
        let read = match &self.taken {
            Some(taken) => taken.load(Ordering::Relaxed),
            None => self.start + self.line.len() as u64,
        };
        read as f64 / self.size.max(1) as f64
    }
}

/// A file that counts what is read from it.
struct Counted {
    file: File,
    taken: Arc<AtomicU64>,
}

impl std::io::Read for Counted {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let got = self.file.read(buf)?;
        self.taken.fetch_add(got as u64, Ordering::Relaxed);
        Ok(got)
    }
}

/// What is wrong with a line that is no JSON object, without serde's own count of lines: it has seen only one.
fn not_json(e: &serde_json::Error) -> String {
    let text = e.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("not a JSON object: {what}\n  hint: a JSONL file has one whole object a line")
}

/// The document of one line.
fn document(line: &str, column: &str, path: &Path, number: u64) -> Result<Trace, CorpusError> {
    let wrong = |column: usize, message: String| CorpusError::Record {
        path: path.to_owned(),
        line: number,
        column,
        message,
    };
    let mut record: Map<String, Value> =
        serde_json::from_str(line).map_err(|e| wrong(e.column(), not_json(&e)))?;
    let trace = match (record.remove("spans"), record.remove(column)) {
        (Some(spans), _) => {
            let spans: Vec<SpanRecord> =
                serde_json::from_value(spans).map_err(|e| wrong(1, format!("`spans`: {e}")))?;
            let spans: Result<Vec<Span>, String> = spans.into_iter().map(SpanRecord::into_span).collect();
            Trace::new(spans.map_err(|e| wrong(1, format!("`spans`: {e}")))?)
        }
        (None, Some(Value::String(text))) => {
            let weight: Option<f32> = serde_json::from_value(record.remove("weight").unwrap_or_default())
                .map_err(|e| wrong(1, format!("`weight`: {e}")))?;
            check_weight(weight).map_err(|e| wrong(1, format!("`weight`: {e}")))?;
            Trace::new(vec![Span { weight, ..Span::new(SpanKind::Text, text) }])
        }
        (None, Some(_)) => return Err(wrong(1, format!("`{column}` is not a string"))),
        (None, None) => {
            let hint = "  hint: name the field that holds the text with `column`";
            return Err(wrong(1, format!("the record has neither `spans` nor `{column}`\n{hint}")));
        }
    };
    if is_empty(&trace) {
        return Err(CorpusError::Empty { path: path.to_owned(), line: number });
    }
    Ok(trace)
}
