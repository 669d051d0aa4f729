//! Parquet files: our own traces, or a column of text.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_schema::DataType;
use groundwork_trace::Trace;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use super::span_record::is_empty;
use super::{Read, Reader, files};
use crate::CorpusError;
use crate::trace_file::{SPANS, spans_of};

/// Rows that are read for one call.
const BATCH: usize = 512;

/// Reads Parquet files one after another.
pub(super) struct ParquetReader {
    files: Vec<PathBuf>,
    column: String,
    at: usize,
    open: Option<Table>,
}

impl ParquetReader {
    pub(super) fn open(path: &Path, column: &str) -> Result<Self, CorpusError> {
        let files = files::list(path, &[".parquet"])?;
        Ok(ParquetReader { files, column: column.to_owned(), at: 0, open: None })
    }
}

impl Reader for ParquetReader {
    fn next_batch(&mut self) -> Result<Vec<Read>, CorpusError> {
        while self.at < self.files.len() {
            let table = match &mut self.open {
                Some(table) => table,
                None => self.open.insert(Table::open(&self.files[self.at], &self.column)?),
            };
            let traces = table.next_batch()?;
            if traces.is_empty() {
                self.open = None;
                self.at += 1;
                continue;
            }
            let first = table.row - traces.len() as u64;
            let (at, files, rows) = (self.at as f64, self.files.len() as f64, table.rows.max(1) as f64);
            let reads = traces.into_iter().enumerate().map(|(i, trace)| {
                let done = (first + i as u64 + 1) as f64 / rows;
                Read { trace, position: (at + done) / files }
            });
            return Ok(reads.collect());
        }
        Ok(Vec::new())
    }

    fn rewind(&mut self) {
        self.at = 0;
        self.open = None;
    }
}

/// One file.
struct Table {
    path: PathBuf,
    reader: ParquetRecordBatchReader,
    column: String,
    /// Rows read so far, and in all.
    row: u64,
    rows: u64,
}

impl Table {
    fn open(path: &Path, column: &str) -> Result<Table, CorpusError> {
        let file = File::open(path).map_err(CorpusError::read(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| unreadable(path, &e))?;
        let schema = builder.schema();
        let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
        let wanted = if names.contains(&SPANS) { SPANS } else { column };
        let Some(index) = names.iter().position(|n| *n == wanted) else {
            let has = names.join(", ");
            let message = format!(
                "there is neither a column `{SPANS}` nor `{column}`; there are: {has}\n\
                 \x20 hint: name the column that holds the text with `column`"
            );
            return Err(CorpusError::Parquet { path: path.to_owned(), message });
        };
        let wanted = wanted.to_owned();
        let rows = builder.metadata().file_metadata().num_rows().max(0) as u64;
        let mask = ProjectionMask::roots(builder.parquet_schema(), [index]);
        let reader =
            builder.with_projection(mask).with_batch_size(BATCH).build().map_err(|e| unreadable(path, &e))?;
        Ok(Table { path: path.to_owned(), reader, column: wanted, row: 0, rows })
    }

    /// The next traces; none at the end.
    fn next_batch(&mut self) -> Result<Vec<Trace>, CorpusError> {
        loop {
            let Some(batch) = self.reader.next() else { return Ok(Vec::new()) };
            let batch = batch.map_err(|e| unreadable(&self.path, &e))?;
            let traces = if self.column == SPANS {
                spans_of(&batch).map_err(|m| self.wrong_row(m))?
            } else {
                texts_of(&batch, &self.column)
                    .map_err(|message| CorpusError::Parquet { path: self.path.clone(), message })?
                    .into_iter()
                    .map(Trace::text)
                    .collect()
            };
            if let Some(i) = traces.iter().position(is_empty) {
                return Err(CorpusError::Empty { path: self.path.clone(), line: self.row + i as u64 + 1 });
            }
            self.row += traces.len() as u64;
            if !traces.is_empty() {
                return Ok(traces);
            }
        }
    }

    fn wrong_row(&self, (row, message): (usize, String)) -> CorpusError {
        let line = self.row + row as u64 + 1;
        CorpusError::Record { path: self.path.clone(), line, column: 1, message }
    }
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display) -> CorpusError {
    let message =
        format!("cannot be read as Parquet: {error}\n  hint: it may be truncated; copy or write it again");
    CorpusError::Parquet { path: path.to_owned(), message }
}

/// The texts of a column; a null is an empty text.
fn texts_of(batch: &RecordBatch, name: &str) -> Result<Vec<String>, String> {
    let column = batch.column_by_name(name).ok_or_else(|| format!("there is no column `{name}`"))?;
    let own = |text: Option<&str>| text.unwrap_or_default().to_owned();
    match column.data_type() {
        DataType::Utf8 => Ok(column.as_string::<i32>().iter().map(own).collect()),
        DataType::LargeUtf8 => Ok(column.as_string::<i64>().iter().map(own).collect()),
        DataType::Utf8View => Ok(column.as_string_view().iter().map(own).collect()),
        other => Err(format!("the column `{name}` holds {other}, not text")),
    }
}
