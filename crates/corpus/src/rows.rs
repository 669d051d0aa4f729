//! Parquet files of others, as data sets on the Hugging Face hub are: each row a document, in a column or as a whole.

use std::fmt::{self, Display, Formatter};
use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Field};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::trace_file::SPANS;
use crate::{CorpusError, arrow_json};

/// Rows that are turned into documents together.
const BATCH: usize = 64;

/// A Parquet file, of which it is to be said what its documents are.
pub struct RowFile {
    path: PathBuf,
    builder: ParquetRecordBatchReaderBuilder<File>,
}

/// A column of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowColumn {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub kind: RowKind,
    /// Its type, for people.
    pub described: String,
}

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowKind {
    /// Text: of a document, or of JSON.
    Text,
    /// Lists or objects.
    Nested,
    /// Numbers, truth values, times.
    Plain,
    /// What has no JSON: bytes, for example.
    Other,
}

/// What of a row is its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowDocument<'a> {
    /// The value of a column: a text as it is, anything else as JSON.
    Column(&'a str),
    /// The row as a JSON object, without what is null and without columns that have no JSON. A text that is a whole JSON
    /// list or object is taken as that.
    Row,
}

impl RowFile {
    /// Opens a file.
    ///
    /// # Errors
    /// [`CorpusError::Missing`], [`CorpusError::Io`], or [`CorpusError::Parquet`] if this is no Parquet file.
    pub fn open(path: &Path) -> Result<RowFile, CorpusError> {
        if !path.exists() {
            return Err(CorpusError::Missing { path: path.to_owned(), hint: "check the path".to_owned() });
        }
        let file = File::open(path).map_err(CorpusError::read(path))?;
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|e| damaged(path, &e))?;
        Ok(RowFile { path: path.to_owned(), builder })
    }

    /// Whether this is a file of [traces](crate::TraceReader).
    pub fn holds_traces(&self) -> bool {
        self.builder.schema().column_with_name(SPANS).is_some()
    }

    /// Its columns.
    pub fn columns(&self) -> Vec<RowColumn> {
        self.builder.schema().fields().iter().map(|f| RowColumn::of(f)).collect()
    }

    /// The documents of the rows, in order, in the memory that some rows take.
    ///
    /// # Errors
    /// [`CorpusError::Parquet`] if there is no such column, or if it has no JSON.
    pub fn documents(self, document: RowDocument<'_>) -> Result<RowDocuments, CorpusError> {
        let schema = self.builder.schema();
        let column = match document {
            RowDocument::Row => None,
            RowDocument::Column(name) => Some(schema.column_with_name(name).ok_or_else(|| {
                let message = format!("there is no column `{name}`");
                CorpusError::Parquet { path: self.path.clone(), message }
            })?),
        };
        if let Some((_, field)) = column.filter(|(_, f)| !arrow_json::has_json(f.data_type())) {
            let message = format!("the column `{}` holds {}", field.name(), described(field.data_type()));
            return Err(CorpusError::Parquet { path: self.path, message });
        }
        let wanted: Vec<usize> = match column {
            Some((index, _)) => vec![index],
            None => {
                let fields = schema.fields().iter().enumerate();
                fields.filter(|(_, f)| arrow_json::has_json(f.data_type())).map(|(i, _)| i).collect()
            }
        };
        let whole = column.is_none();
        let mask = ProjectionMask::roots(self.builder.parquet_schema(), wanted);
        let reader = self.builder.with_projection(mask).with_batch_size(BATCH);
        let batches = reader.build().map_err(|e| damaged(&self.path, &e))?;
        Ok(RowDocuments { path: self.path, batches, whole, batch: None, row: 0 })
    }
}

impl RowColumn {
    fn of(field: &Field) -> RowColumn {
        let kind = match field.data_type() {
            kind if arrow_json::is_text(kind) => RowKind::Text,
            kind if arrow_json::is_nested(kind) => RowKind::Nested,
            kind if arrow_json::has_json(kind) => RowKind::Plain,
            _ => RowKind::Other,
        };
        RowColumn { name: field.name().clone(), kind, described: described(field.data_type()) }
    }
}

impl Display for RowColumn {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "`{}`: {}", self.name, self.described)
    }
}

/// A type as data sets write it: `list<struct<role: string, content: string>>`.
fn described(kind: &DataType) -> String {
    match kind {
        kind if arrow_json::is_text(kind) => "string".to_owned(),
        DataType::List(f) | DataType::LargeList(f) | DataType::FixedSizeList(f, _) => {
            format!("list<{}>", described(f.data_type()))
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|f| format!("{}: {}", f.name(), described(f.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        DataType::Dictionary(_, value) => described(value),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => "binary".to_owned(),
        other => other.to_string().to_lowercase(),
    }
}

/// The documents of a file's rows.
pub struct RowDocuments {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    /// Whether a row is a document, and not its only column.
    whole: bool,
    batch: Option<RecordBatch>,
    /// The next row of the batch.
    row: usize,
}

/// A document for each row; `None` where there is none. After what cannot be read there is nothing more.
impl Iterator for RowDocuments {
    type Item = Result<Option<String>, CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(batch) = self.batch.as_ref().filter(|b| self.row < b.num_rows()) {
                let row = self.row;
                self.row += 1;
                return Some(Ok(document(batch, row, self.whole)));
            }
            match self.batches.next()? {
                Ok(batch) => (self.batch, self.row) = (Some(batch), 0),
                Err(e) => return Some(Err(damaged(&self.path, &e))),
            }
        }
    }
}

fn document(batch: &RecordBatch, row: usize, whole: bool) -> Option<String> {
    let schema = batch.schema_ref();
    let mut out = Vec::new();
    if !whole {
        let column = batch.column(0);
        if column.is_null(row) {
            return None;
        }
        if let Some(text) = arrow_json::text(column, row) {
            return Some(text.to_owned());
        }
        arrow_json::write(&mut out, schema.field(0), column, row);
    } else {
        for (field, column) in schema.fields().iter().zip(batch.columns()) {
            if column.is_null(row) {
                continue;
            }
            out.push(if out.is_empty() { b'{' } else { b',' });
            arrow_json::put(&mut out, field.name().as_str());
            out.push(b':');
            match arrow_json::text(column, row).filter(|text| arrow_json::is_json(text)) {
                Some(json) => out.extend_from_slice(json.as_bytes()),
                None => arrow_json::write(&mut out, field, column, row),
            }
        }
        out.extend_from_slice(if out.is_empty() { b"{}" } else { b"}" });
    }
    // What was put together of texts is text.
    String::from_utf8(out).ok()
}

fn damaged(path: &Path, error: &dyn Display) -> CorpusError {
    let message = format!(
        "cannot be read as Parquet: {error}\n  hint: it may be truncated; copy or write it again; pages packed with \
         anything but zstd or snappy cannot be read"
    );
    CorpusError::Parquet { path: path.to_owned(), message }
}
