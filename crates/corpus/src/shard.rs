//! Token shards: packed rows in Arrow IPC files, memory-mapped.
//!
//! One row of the file is one packed row: `tokens: list<u32>`, `spans: list<u8>` ([`SpanTag`]), `document: list<u32>`,
//! and, where a source of the shard states weights, `weight: list<f32>` (null in rows without any). `source: list<u16>`
//! has one entry a *document* of the row: its place in the manifest's list of sources.

use std::fs::File;
use std::io::BufWriter;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float32Type, UInt8Type, UInt16Type, UInt32Type};
use arrow_array::{Array, ArrayRef, ListArray, PrimitiveArray, RecordBatch};
use arrow_buffer::{Buffer, NullBuffer, OffsetBuffer};
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{DataType, Field, Schema};
use bytes::Bytes;
use memmap2::Mmap;

use crate::{CorpusError, SpanTag};

/// Tokens in a record batch: few enough for 32-bit offsets, many enough to cost nothing.
const BATCH_TOKENS: usize = 1 << 20;

/// A packed row. The lists are as long as the corpus's `sequence`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Token ids; `<|pad|>` where there is no document.
    pub tokens: Vec<u32>,
    /// What each token is; [`SpanTag::PADDING`] where there is no document.
    pub spans: Vec<SpanTag>,
    /// The document that each token belongs to, numbered from 1 within the row; 0 is padding.
    pub documents: Vec<u32>,
    /// The weights that sources state, 1 where they state none, 0 for padding; `None` if no document of the row has
    /// any stated.
    pub weight: Option<Vec<f32>>,
}

/// Writes one shard.
pub(crate) struct ShardWriter {
    path: PathBuf,
    writer: FileWriter<BufWriter<File>>,
    schema: Arc<Schema>,
    sequence: usize,
    rows: Vec<(Row, Vec<u16>)>,
}

impl ShardWriter {
    /// Starts a shard at `path`; `weighted` if any of its rows may have weights.
    pub(crate) fn create(path: &Path, sequence: usize, weighted: bool) -> Result<ShardWriter, CorpusError> {
        let schema = Arc::new(schema(weighted));
        let file = File::create(path).map_err(CorpusError::write(path))?;
        let writer = FileWriter::try_new_buffered(file, &schema).map_err(|e| unwritable(path, e))?;
        Ok(ShardWriter { path: path.to_owned(), writer, schema, sequence, rows: Vec::new() })
    }

    /// Adds a row; `sources` has an entry a document.
    pub(crate) fn write(&mut self, row: Row, sources: Vec<u16>) -> Result<(), CorpusError> {
        self.rows.push((row, sources));
        if self.rows.len() * self.sequence >= BATCH_TOKENS { self.flush() } else { Ok(()) }
    }

    /// Ends the shard and makes it durable.
    pub(crate) fn finish(mut self) -> Result<(), CorpusError> {
        self.flush()?;
        self.writer.finish().map_err(|e| unwritable(&self.path, e))?;
        let buffered = self.writer.into_inner().map_err(|e| unwritable(&self.path, e))?;
        let file = buffered.into_inner().map_err(|e| unwritable(&self.path, e))?;
        file.sync_all().map_err(CorpusError::write(&self.path))
    }

    fn flush(&mut self) -> Result<(), CorpusError> {
        let rows = std::mem::take(&mut self.rows);
        if rows.is_empty() {
            return Ok(());
        }
        let lengths = || std::iter::repeat_n(self.sequence, rows.len());
        let each = || rows.iter().map(|(row, _)| row);
        let mut columns: Vec<ArrayRef> = vec![
            list::<UInt32Type>(each().flat_map(|r| r.tokens.iter().copied()), lengths(), None),
            list::<UInt8Type>(each().flat_map(|r| r.spans.iter().map(|t| t.code())), lengths(), None),
            list::<UInt32Type>(each().flat_map(|r| r.documents.iter().copied()), lengths(), None),
            list::<UInt16Type>(
                rows.iter().flat_map(|r| r.1.iter().copied()),
                rows.iter().map(|r| r.1.len()),
                None,
            ),
        ];
        if self.schema.fields().len() > columns.len() {
            let stated: Vec<bool> = each().map(|r| r.weight.is_some()).collect();
            let weights = each().filter_map(|r| r.weight.as_ref()).flatten().copied();
            let lengths = stated.iter().map(|s| if *s { self.sequence } else { 0 });
            columns.push(list::<Float32Type>(weights, lengths, Some(NullBuffer::from(stated.clone()))));
        }
        let batch =
            RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| unwritable(&self.path, e))?;
        self.writer.write(&batch).map_err(|e| unwritable(&self.path, e))
    }
}

fn unwritable(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> CorpusError {
    CorpusError::write(path)(std::io::Error::other(error))
}

fn list_type(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, false)))
}

fn schema(weighted: bool) -> Schema {
    let mut fields = vec![
        Field::new("tokens", list_type(DataType::UInt32), false),
        Field::new("spans", list_type(DataType::UInt8), false),
        Field::new("document", list_type(DataType::UInt32), false),
        Field::new("source", list_type(DataType::UInt16), false),
    ];
    if weighted {
        fields.push(Field::new("weight", list_type(DataType::Float32), true));
    }
    Schema::new(fields)
}

fn list<T: ArrowPrimitiveType>(
    values: impl Iterator<Item = T::Native>,
    lengths: impl Iterator<Item = usize>,
    nulls: Option<NullBuffer>,
) -> ArrayRef {
    let values = Arc::new(PrimitiveArray::<T>::from_iter_values(values));
    let field = Arc::new(Field::new("item", T::DATA_TYPE, false));
    Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, nulls))
}

/// A shard that is mapped into memory.
pub(crate) struct Shard {
    batches: Vec<RecordBatch>,
    /// The first row of each batch, and the number of all rows.
    starts: Vec<usize>,
    sequence: usize,
}

impl Shard {
    /// Maps the bytes of a file; see [`map`]. `path` is for messages.
    pub(crate) fn open(path: &Path, bytes: Bytes, sequence: usize) -> Result<Shard, CorpusError> {
        let damaged = |message: String| CorpusError::Damaged { path: path.to_owned(), message };
        // Arrow checks much of a file, but panics over some impossible lengths; nothing outlives the call that could be
        // left half done.
        let decoded = std::panic::catch_unwind(|| decode(Buffer::from(bytes)));
        let batches =
            decoded.unwrap_or_else(|_| Err("its parts do not fit together".into())).map_err(damaged)?;
        let mut starts = vec![0];
        for batch in &batches {
            check(batch, sequence).map_err(damaged)?;
            starts.push(starts.last().copied().unwrap_or(0) + batch.num_rows());
        }
        Ok(Shard { batches, starts, sequence })
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Row number `i`, which must exist.
    pub(crate) fn row(&self, i: usize) -> Row {
        let (batch, i) = self.locate(i);
        let tokens = values::<UInt32Type>(batch, "tokens", i).to_vec();
        let spans = values::<UInt8Type>(batch, "spans", i).iter().map(|c| SpanTag::from_code(*c)).collect();
        let documents = values::<UInt32Type>(batch, "document", i).to_vec();
        let stated = batch.column_by_name("weight").is_some_and(|w| w.is_valid(i));
        let weight = stated.then(|| values::<Float32Type>(batch, "weight", i).to_vec());
        debug_assert_eq!(tokens.len(), self.sequence);
        Row { tokens, spans, documents, weight }
    }

    /// The source of each document of row `i`, which must exist.
    pub(crate) fn sources(&self, i: usize) -> &[u16] {
        let (batch, i) = self.locate(i);
        values::<UInt16Type>(batch, "source", i)
    }

    fn locate(&self, i: usize) -> (&RecordBatch, usize) {
        let batch = self.starts.partition_point(|start| *start <= i) - 1;
        (&self.batches[batch], i - self.starts[batch])
    }
}

/// The values of list number `i` in a column that [`check`] has seen.
fn values<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str, i: usize) -> &'a [T::Native] {
    let lists = batch.column_by_name(name).and_then(|c| c.as_list_opt::<i32>());
    let values = lists.and_then(|l| l.values().as_primitive_opt::<T>().map(|v| (l, v)));
    values.map_or(&[], |(l, v)| {
        let offsets = l.value_offsets();
        &v.values()[offsets[i] as usize..offsets[i + 1] as usize]
    })
}

/// Maps a whole file, which must not be empty.
pub(crate) fn map(path: &Path) -> Result<Bytes, CorpusError> {
    let file = File::open(path).map_err(CorpusError::read(path))?;
    // SAFETY: the mapping is read-only, and the bytes under it do not change: a shard is written under a temporary name,
    // renamed when it is complete, and never opened for writing again. Somebody else who overwrites the file in
    // place while it is mapped breaks this, as with any mapped file.
    #[allow(unsafe_code)]
    let map = unsafe { Mmap::map(&file) }.map_err(CorpusError::read(path))?;
    Ok(Bytes::from_owner(map))
}

/// The record batches of an IPC file, without copying.
fn decode(buffer: Buffer) -> Result<Vec<RecordBatch>, String> {
    let say = |e: &dyn std::fmt::Display| format!("not an Arrow IPC file: {e}");
    let end = buffer.len().checked_sub(10).ok_or_else(|| say(&"it is too short"))?;
    let tail: [u8; 10] = buffer[end..].try_into().map_err(|_| say(&"it is too short"))?;
    let footer_length = read_footer_length(tail).map_err(|e| say(&e))?;
    let start = end.checked_sub(footer_length).ok_or_else(|| say(&"its footer is longer than the file"))?;
    let footer = arrow_ipc::root_as_footer(&buffer[start..end]).map_err(|e| say(&e))?;
    let schema = footer.schema().ok_or_else(|| say(&"it has no schema"))?;
    let schema = Arc::new(arrow_ipc::convert::fb_to_schema(schema));
    let decoder = FileDecoder::new(schema, footer.version());
    let mut batches = Vec::new();
    for block in footer.recordBatches().into_iter().flatten() {
        let place = block_range(block.offset(), block.bodyLength(), block.metaDataLength(), start);
        let place = place.ok_or_else(|| say(&"a record batch lies outside of the file"))?;
        let bytes = buffer.slice_with_length(place.start, place.len());
        batches.extend(decoder.read_record_batch(block, &bytes).map_err(|e| say(&e))?);
    }
    Ok(batches)
}

fn block_range(offset: i64, body: i64, metadata: i32, end: usize) -> Option<Range<usize>> {
    let start = usize::try_from(offset).ok()?;
    let length = usize::try_from(body).ok()?.checked_add(usize::try_from(metadata).ok()?)?;
    let stop = start.checked_add(length).filter(|stop| *stop <= end)?;
    Some(start..stop)
}

/// Checks that a batch has the columns of a shard, with lists of the right lengths.
fn check(batch: &RecordBatch, sequence: usize) -> Result<(), String> {
    let column = |name: &str, item: DataType| {
        let column = batch.column_by_name(name).filter(|c| *c.data_type() == list_type(item.clone()));
        column
            .and_then(|c| c.as_list_opt::<i32>())
            .ok_or_else(|| format!("there is no column `{name}: list<{item}>`"))
    };
    let tokens = column("tokens", DataType::UInt32)?;
    let spans = column("spans", DataType::UInt8)?;
    let document = column("document", DataType::UInt32)?;
    column("source", DataType::UInt16)?;
    let mut columns = vec![("tokens", tokens), ("spans", spans), ("document", document)];
    if batch.column_by_name("weight").is_some() {
        columns.push(("weight", column("weight", DataType::Float32)?));
    }
    for (name, lists) in columns {
        let right = |(i, w): (usize, &[i32])| lists.is_null(i) || (w[1] - w[0]) as usize == sequence;
        if let Some(i) = lists.value_offsets().windows(2).enumerate().position(|w| !right(w)) {
            return Err(format!("`{name}` of row {i} of a batch has not {sequence} entries"));
        }
        if name != "weight" && lists.null_count() > 0 {
            return Err(format!("`{name}` is null in some row"));
        }
    }
    Ok(())
}
