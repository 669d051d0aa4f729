//! Traces as Parquet.
//!
//! One row a trace, compressed with zstd:
//!
//! | column | type | |
//! |---|---|---|
//! | `id` | string | unique in the file |
//! | `source` | string | who wrote the trace |
//! | `world`, `split`, `level`, `seed`, `fault` | string, string, u32, u64, string; nullable | the task, if a world set one |
//! | `spans` | list of `{kind, body, failed, fault, own, weight, meta}` | the trace itself, in order |
//!
//! `kind` is the keyword (`action`), `own` a list of `{start, end}` in bytes of `body`, `weight` a nullable f32, `meta` the
//! other metadata as a record of the trace language, null where there is none; files without it are read too. Nothing
//! of a trace is lost, and nothing depends on the time or the machine: the same rows give the same bytes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow_array::builder::{BooleanBuilder, Float32Builder, StringBuilder, UInt32Builder, UInt64Builder};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, UInt32Type, UInt64Type};
use arrow_array::{Array, ArrayRef, ListArray, RecordBatch, StructArray};
use arrow_buffer::OffsetBuffer;
use arrow_schema::{DataType, Field, Fields, Schema};
use groundwork_trace::{Trace, Value};
use groundwork_worlds::{Split, Task};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use rayon::prelude::*;

use crate::source::{Generator, SpanRecord};
use crate::{CorpusError, durable, recovery};

/// The column that makes a Parquet file one of traces.
pub(crate) const SPANS: &str = "spans";
/// Traces that are turned into columns together.
const BATCH: usize = 4096;
/// They are turned into columns earlier if their texts have so many bytes.
const BATCH_BYTES: usize = 16 << 20;
/// A row group ends when it takes so much memory: however long a file is, writing it takes no more.
const GROUP_BYTES: usize = 64 << 20;

/// A row of a trace file.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceRecord {
    /// What names the trace in its file.
    pub id: String,
    /// Who wrote it.
    pub source: String,
    /// The task, if a world set one.
    pub task: Option<Task>,
    /// The trace.
    pub trace: Trace,
}

/// Writes a trace file. The file appears under its name when it is [finished](TraceWriter::finish), not before.
pub struct TraceWriter {
    path: PathBuf,
    temporary: durable::TemporaryFile,
    writer: ArrowWriter<File>,
    pending: Vec<TraceRecord>,
    /// Bytes of the pending texts.
    bytes: usize,
    schema: Arc<Schema>,
}

impl TraceWriter {
    /// Starts a file that will lie at `path`.
    ///
    /// # Errors
    /// [`CorpusError::Io`] if nothing can be written there.
    pub fn create(path: &Path) -> Result<TraceWriter, CorpusError> {
        if path.is_dir() {
            return Err(CorpusError::write(path)(std::io::ErrorKind::IsADirectory.into()));
        }
        let temporary = durable::TemporaryFile::beside(path)?;
        let file = File::create(temporary.path()).map_err(CorpusError::write(path))?;
        let schema = Arc::new(schema());
        let level = ZstdLevel::try_new(3).map_err(|e| unwritable(path, e))?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(level))
            .set_created_by(format!("groundwork {}", env!("CARGO_PKG_VERSION")))
            .build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties))
            .map_err(|e| unwritable(path, e))?;
        Ok(TraceWriter { path: path.to_owned(), temporary, writer, pending: Vec::new(), bytes: 0, schema })
    }

    /// Adds a row.
    ///
    /// # Errors
    /// [`CorpusError::Io`] if it cannot be written.
    pub fn write(&mut self, record: TraceRecord) -> Result<(), CorpusError> {
        self.bytes += record.trace.spans.iter().map(|s| s.body.len()).sum::<usize>();
        self.pending.push(record);
        if self.pending.len() >= BATCH || self.bytes >= BATCH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Ends the file, makes it durable and gives it its name.
    ///
    /// # Errors
    /// [`CorpusError::Io`] if that cannot be done.
    pub fn finish(mut self) -> Result<(), CorpusError> {
        self.flush()?;
        let file = self.writer.into_inner().map_err(|e| unwritable(&self.path, e))?;
        file.sync_all().map_err(CorpusError::write(&self.path))?;
        self.temporary.rename(&self.path)
    }

    fn flush(&mut self) -> Result<(), CorpusError> {
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns(&self.pending))
            .map_err(|e| unwritable(&self.path, e))?;
        self.pending.clear();
        self.bytes = 0;
        self.writer.write(&batch).map_err(|e| unwritable(&self.path, e))?;
        if self.writer.memory_size() < GROUP_BYTES {
            return Ok(());
        }
        self.writer.flush().map_err(|e| unwritable(&self.path, e))
    }
}

/// Writes the first `count` expert traces of a generator, in order; `progress` hears how many are done. The bytes
/// depend on the generator and `count` alone. Once `stop` is set nothing is written, and the answer is `false`.
///
/// # Errors
/// [`CorpusError::World`] if the generator does not hold, [`CorpusError::Io`] if the file cannot be written.
pub fn write_expert_traces(
    path: &Path,
    generator: &Generator,
    count: u64,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64),
) -> Result<bool, CorpusError> {
    let in_world = |source| CorpusError::World { name: generator.world.clone(), source };
    let generator = generator.clone().resolve().map_err(in_world)?;
    let mut writer = TraceWriter::create(path)?;
    let mut start = 0;
    while start < count {
        let end = count.min(start + BATCH as u64);
        let records: Result<Vec<_>, _> = (start..end)
            .into_par_iter()
            .map(|i| {
                let task = generator.task(i);
                let mut trace = generator.trace(i)?;
                recovery::note(&task, &mut trace)?;
                let id = format!("{}-{i:08}", generator.world);
                Ok(TraceRecord { id, source: "expert".to_owned(), task: Some(task), trace })
            })
            .collect();
        for record in records.map_err(in_world)? {
            writer.write(record)?;
        }
        start = end;
        progress(start);
        if start < count && stop.load(Ordering::Relaxed) {
            return Ok(false);
        }
    }
    writer.finish()?;
    Ok(true)
}

/// Reads a trace file, some rows at a time.
pub struct TraceReader {
    path: PathBuf,
    batches: ParquetRecordBatchReader,
    waiting: std::vec::IntoIter<TraceRecord>,
    /// How many rows were read.
    rows: usize,
}

impl TraceReader {
    /// Opens a trace file.
    ///
    /// # Errors
    /// [`CorpusError::Missing`], or [`CorpusError::Parquet`] if this is no Parquet file.
    pub fn open(path: &Path) -> Result<TraceReader, CorpusError> {
        if !path.exists() {
            return Err(CorpusError::Missing { path: path.to_owned(), hint: "check the path".to_owned() });
        }
        let file = File::open(path).map_err(CorpusError::read(path))?;
        let batches = ParquetRecordBatchReaderBuilder::try_new(file)
            .and_then(|b| b.build())
            .map_err(|e| damaged(path, &e))?;
        Ok(TraceReader { path: path.to_owned(), batches, waiting: Vec::new().into_iter(), rows: 0 })
    }

    fn records(&mut self, batch: &RecordBatch) -> Result<Vec<TraceRecord>, CorpusError> {
        let rows = self.rows;
        self.rows += batch.num_rows();
        let wrong = |message: String| CorpusError::Parquet { path: self.path.clone(), message };
        let traces = spans_of(batch).map_err(|(row, m)| wrong(format!("row {}: {m}", rows + row + 1)))?;
        let texts = |name: &str| {
            let column = batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
            column.ok_or_else(|| wrong(format!("there is no column `{name}` of strings")))
        };
        let (ids, sources) = (texts("id")?, texts("source")?);
        let mut records = Vec::with_capacity(traces.len());
        for (i, trace) in traces.into_iter().enumerate() {
            let task = task_of(batch, i).map_err(|m| wrong(format!("row {}: {m}", rows + i + 1)))?;
            let (id, source) = (ids.value(i).to_owned(), sources.value(i).to_owned());
            records.push(TraceRecord { id, source, task, trace });
        }
        Ok(records)
    }
}

/// The rows in order; after one that cannot be read there are no more.
impl Iterator for TraceReader {
    type Item = Result<TraceRecord, CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(record) = self.waiting.next() {
                return Some(Ok(record));
            }
            let read = match self.batches.next()? {
                Ok(batch) => self.records(&batch),
                Err(e) => Err(damaged(&self.path, &e)),
            };
            match read {
                Ok(records) => self.waiting = records.into_iter(),
                Err(e) => return Some(Err(e)),
            }
        }
    }
}

/// Reads a whole trace file.
///
/// # Errors
/// [`CorpusError::Missing`], or [`CorpusError::Parquet`] if the file is damaged or not of this form.
pub fn read_traces(path: &Path) -> Result<Vec<TraceRecord>, CorpusError> {
    TraceReader::open(path)?.collect()
}

fn damaged(path: &Path, error: &dyn std::fmt::Display) -> CorpusError {
    let message = format!("cannot be read as Parquet: {error}\n  hint: it may be truncated");
    CorpusError::Parquet { path: path.to_owned(), message }
}

fn unwritable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> CorpusError {
    CorpusError::write(path)(std::io::Error::other(error))
}

fn own_fields() -> Fields {
    Fields::from(vec![
        Field::new("start", DataType::UInt32, false),
        Field::new("end", DataType::UInt32, false),
    ])
}

fn span_fields() -> Fields {
    let range = Field::new("item", DataType::Struct(own_fields()), false);
    Fields::from(vec![
        Field::new("kind", DataType::Utf8, false),
        Field::new("body", DataType::Utf8, false),
        Field::new("failed", DataType::Boolean, false),
        Field::new("fault", DataType::Utf8, true),
        Field::new("own", DataType::List(Arc::new(range)), false),
        Field::new("weight", DataType::Float32, true),
        Field::new("meta", DataType::Utf8, true),
    ])
}

fn schema() -> Schema {
    let span = Field::new("item", DataType::Struct(span_fields()), false);
    Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("source", DataType::Utf8, false),
        Field::new("world", DataType::Utf8, true),
        Field::new("split", DataType::Utf8, true),
        Field::new("level", DataType::UInt32, true),
        Field::new("seed", DataType::UInt64, true),
        Field::new("fault", DataType::Utf8, true),
        Field::new(SPANS, DataType::List(Arc::new(span)), false),
    ])
}

const SPLITS: [(Split, &str); 2] = [(Split::Train, "train"), (Split::Test, "test")];

fn columns(records: &[TraceRecord]) -> Vec<ArrayRef> {
    let mut texts: [StringBuilder; 5] = std::array::from_fn(|_| StringBuilder::new());
    let (mut level, mut seed) = (UInt32Builder::new(), UInt64Builder::new());
    for TraceRecord { id, source, task, .. } in records {
        let task = task.as_ref();
        let split = task.and_then(|t| SPLITS.iter().find(|(s, _)| *s == t.split)).map(|(_, name)| *name);
        let fault = task.and_then(|t| t.fault).map(|f| f.as_str());
        let row = [Some(id.as_str()), Some(source.as_str()), task.map(|t| t.world.as_str()), split, fault];
        for (builder, value) in texts.iter_mut().zip(row) {
            builder.append_option(value);
        }
        level.append_option(task.map(|t| t.level));
        seed.append_option(task.map(|t| t.seed));
    }
    let [id, source, world, split, fault] = texts.map(|mut b| Arc::new(b.finish()) as ArrayRef);
    let (level, seed) = (Arc::new(level.finish()), Arc::new(seed.finish()));
    vec![id, source, world, split, level, seed, fault, Arc::new(span_column(records))]
}

fn span_column(records: &[TraceRecord]) -> ListArray {
    let spans = || records.iter().flat_map(|r| &r.trace.spans);
    let (mut kind, mut body, mut fault) = (StringBuilder::new(), StringBuilder::new(), StringBuilder::new());
    let (mut failed, mut weight) = (BooleanBuilder::new(), Float32Builder::new());
    let mut meta = StringBuilder::new();
    let (mut start, mut end) = (UInt32Builder::new(), UInt32Builder::new());
    for span in spans() {
        kind.append_value(span.kind.keyword());
        body.append_value(&span.body);
        failed.append_value(span.failed);
        fault.append_option(span.fault.as_deref());
        weight.append_option(span.weight);
        meta.append_option((!span.meta.is_empty()).then(|| Value::Record(span.meta.clone()).to_string()));
        for range in &span.own {
            start.append_value(range.start as u32);
            end.append_value(range.end as u32);
        }
    }
    let ranges: Vec<ArrayRef> = vec![Arc::new(start.finish()), Arc::new(end.finish())];
    let own = list(own_fields(), ranges, spans().map(|s| s.own.len()));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(kind.finish()),
        Arc::new(body.finish()),
        Arc::new(failed.finish()),
        Arc::new(fault.finish()),
        Arc::new(own),
        Arc::new(weight.finish()),
        Arc::new(meta.finish()),
    ];
    list(span_fields(), columns, records.iter().map(|r| r.trace.spans.len()))
}

fn list(fields: Fields, columns: Vec<ArrayRef>, lengths: impl Iterator<Item = usize>) -> ListArray {
    let field = Arc::new(Field::new("item", DataType::Struct(fields.clone()), false));
    let values = Arc::new(StructArray::new(fields, columns, None));
    ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, None)
}

/// The traces of a batch of rows, or the row that is wrong and why.
pub(crate) fn spans_of(batch: &RecordBatch) -> Result<Vec<Trace>, (usize, String)> {
    let form =
        || (0, "the column `spans` is not a list of {kind, body, failed, fault, own, weight}".to_owned());
    let spans = batch.column_by_name(SPANS).and_then(|c| c.as_list_opt::<i32>()).ok_or_else(form)?;
    let fields = spans.values().as_struct_opt().ok_or_else(form)?;
    let field = |name: &str| fields.column_by_name(name).ok_or_else(form);
    let kind = field("kind")?.as_string_opt::<i32>().ok_or_else(form)?;
    let body = field("body")?.as_string_opt::<i32>().ok_or_else(form)?;
    let failed = field("failed")?.as_boolean_opt().ok_or_else(form)?;
    let fault = field("fault")?.as_string_opt::<i32>().ok_or_else(form)?;
    let weight = field("weight")?.as_primitive_opt::<Float32Type>().ok_or_else(form)?;
    let meta =
        fields.column_by_name("meta").map(|c| c.as_string_opt::<i32>().ok_or_else(form)).transpose()?;
    let own = field("own")?.as_list_opt::<i32>().ok_or_else(form)?;
    let ranges = own.values().as_struct_opt().ok_or_else(form)?;
    let bound = |name: &str| {
        ranges.column_by_name(name).and_then(|c| c.as_primitive_opt::<UInt32Type>()).ok_or_else(form)
    };
    let (start, end) = (bound("start")?, bound("end")?);
    let mut traces = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let mut trace = Trace::default();
        for i in extent(spans, row) {
            let record = SpanRecord {
                kind: kind.value(i).to_owned(),
                body: body.value(i).to_owned(),
                failed: failed.value(i),
                fault: fault.is_valid(i).then(|| fault.value(i).to_owned()),
                own: extent(own, i).map(|j| (start.value(j) as usize, end.value(j) as usize)).collect(),
                weight: weight.is_valid(i).then(|| weight.value(i)),
                meta: serde_json::Map::new(),
            };
            let mut span = record.into_span().map_err(|message| (row, message))?;
            if let Some(text) = meta.filter(|m| m.is_valid(i)).map(|m| m.value(i)) {
                span.meta = match Value::parse(text) {
                    Ok(Value::Record(meta)) => meta,
                    _ => return Err((row, format!("`meta` is no record of the trace language: `{text}`"))),
                };
            }
            trace.spans.push(span);
        }
        traces.push(trace);
    }
    Ok(traces)
}

/// Where the items of list number `row` lie among the values.
fn extent(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    offsets[row] as usize..offsets[row + 1] as usize
}

fn task_of(batch: &RecordBatch, row: usize) -> Result<Option<Task>, String> {
    let text = |name: &str| {
        let column = batch.column_by_name(name).and_then(|c| c.as_string_opt::<i32>());
        let column = column.ok_or_else(|| format!("there is no column `{name}` of strings"))?;
        Ok::<_, String>(column.is_valid(row).then(|| column.value(row)))
    };
    let Some(world) = text("world")? else { return Ok(None) };
    let level = batch.column_by_name("level").and_then(|c| c.as_primitive_opt::<UInt32Type>());
    let seed = batch.column_by_name("seed").and_then(|c| c.as_primitive_opt::<UInt64Type>());
    let (Some(level), Some(seed)) = (level, seed) else {
        return Err("there is no column `level` or `seed` of numbers".to_owned());
    };
    let split = text("split")?.unwrap_or_default();
    let Some((split, _)) = SPLITS.into_iter().find(|(_, name)| *name == split) else {
        return Err(format!("there is no split `{split}`"));
    };
    let fault = text("fault")?.map(|f| f.parse().map_err(|e| format!("{e}"))).transpose()?;
    let (level, seed) = (level.value(row), seed.value(row));
    Ok(Some(Task { world: world.to_owned(), split, seed, level, fault }))
}
