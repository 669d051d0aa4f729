//! The file of scores: Parquet, a row an attempt.

use std::path::Path;
use std::sync::Arc;

use groundwork_corpus::arrow_array::types::{Float64Type, UInt32Type, UInt64Type};
use groundwork_corpus::arrow_array::{
    Array, ArrayRef, ArrowPrimitiveType, BooleanArray, PrimitiveArray, RecordBatch, StringArray,
    cast::AsArray,
};
use groundwork_corpus::parquet;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::{ArenaError, Ended, InvalidActions, ScoreRow};

/// Writes rows to a Parquet file. It is written beside its place and then moved there, so that a reader never
/// sees half of it.
///
/// # Errors
/// The file cannot be written.
pub fn write_scores(path: &Path, rows: &[ScoreRow]) -> Result<(), ArenaError> {
    let failed = |what: String| ArenaError::Scores {
        path: path.to_owned(),
        what: format!("cannot be written: {what}"),
        hint: "the folder must exist, be writable and have room",
    };
    let batch = columns(rows).map_err(|e| failed(e.to_string()))?;
    let level = ZstdLevel::try_new(3).map_err(|e| failed(e.to_string()))?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(level)).build();
    let mut name = path.file_name().ok_or_else(|| failed("it names no file".to_owned()))?.to_owned();
    name.push(".part");
    let part = path.with_file_name(name);
    let file = std::fs::File::create(&part).map_err(|e| failed(e.to_string()))?;
    let written = ArrowWriter::try_new(file, batch.schema(), Some(properties))
        .and_then(|mut writer| writer.write(&batch).and_then(|()| writer.into_inner()));
    let file = written.map_err(|e| failed(e.to_string()))?;
    file.sync_all().and_then(|()| std::fs::rename(&part, path)).map_err(|e| failed(e.to_string()))
}

fn columns(rows: &[ScoreRow]) -> Result<RecordBatch, groundwork_corpus::arrow_schema::ArrowError> {
    fn number<T: ArrowPrimitiveType>(rows: &[ScoreRow], of: impl Fn(&ScoreRow) -> T::Native) -> ArrayRef {
        Arc::new(PrimitiveArray::<T>::from_iter_values(rows.iter().map(of)))
    }
    fn maybe(rows: &[ScoreRow], of: impl Fn(&ScoreRow) -> Option<f64>) -> ArrayRef {
        Arc::new(PrimitiveArray::<Float64Type>::from_iter(rows.iter().map(of)))
    }
    fn text<'a>(rows: &'a [ScoreRow], of: impl Fn(&'a ScoreRow) -> Option<&'a str>) -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    }
    fn truth(rows: &[ScoreRow], of: impl Fn(&ScoreRow) -> bool) -> ArrayRef {
        Arc::new(BooleanArray::from_iter(rows.iter().map(|r| Some(of(r)))))
    }
    let columns = [
        ("world", text(rows, |r| Some(&r.world))),
        ("level", number::<UInt32Type>(rows, |r| r.level)),
        ("fault", text(rows, |r| r.fault.as_deref())),
        ("seed", number::<UInt64Type>(rows, |r| r.seed)),
        ("sample", number::<UInt32Type>(rows, |r| r.sample)),
        ("policy", text(rows, |r| Some(&r.policy))),
        ("success", truth(rows, |r| r.success)),
        ("collateral", number::<UInt32Type>(rows, |r| r.collateral)),
        ("steps", number::<UInt32Type>(rows, |r| r.steps)),
        ("expert_steps", number::<UInt32Type>(rows, |r| r.expert_steps)),
        ("malformed", number::<UInt32Type>(rows, |r| r.malformed)),
        ("unclosed", number::<UInt32Type>(rows, |r| r.invalid.unclosed)),
        ("no_call", number::<UInt32Type>(rows, |r| r.invalid.malformed)),
        ("unknown_tool", number::<UInt32Type>(rows, |r| r.invalid.unknown_tool)),
        ("missing_argument", number::<UInt32Type>(rows, |r| r.invalid.missing_argument)),
        ("wrong_type", number::<UInt32Type>(rows, |r| r.invalid.wrong_type)),
        ("fault_met", truth(rows, |r| r.fault_met)),
        ("ended", text(rows, |r| Some(r.ended.as_str()))),
        ("tokens", number::<UInt32Type>(rows, |r| r.tokens)),
        ("said", number::<UInt32Type>(rows, |r| r.said)),
        ("action_bits", number::<Float64Type>(rows, |r| r.action_bits)),
        ("action_bytes", number::<UInt64Type>(rows, |r| r.action_bytes)),
        ("answer_bits", number::<Float64Type>(rows, |r| r.answer_bits)),
        ("answer_bytes", number::<UInt64Type>(rows, |r| r.answer_bytes)),
        ("recovery_bits", number::<Float64Type>(rows, |r| r.recovery_bits)),
        ("recovery_bytes", number::<UInt64Type>(rows, |r| r.recovery_bytes)),
        ("twin_bits", number::<Float64Type>(rows, |r| r.twin_bits)),
        ("twin_bytes", number::<UInt64Type>(rows, |r| r.twin_bytes)),
        ("ranked_actions", number::<UInt32Type>(rows, |r| r.ranked_actions)),
        ("legal_rank", maybe(rows, |r| r.legal_rank)),
        ("legal_count", maybe(rows, |r| r.legal_count)),
        ("reciprocal_rank", maybe(rows, |r| r.reciprocal_rank)),
        ("chance_reciprocal_rank", maybe(rows, |r| r.chance_reciprocal_rank)),
        ("legal_probability", maybe(rows, |r| r.legal_probability)),
        ("chance_probability", maybe(rows, |r| r.chance_probability)),
        ("branch_probability", maybe(rows, |r| r.branch_probability)),
        ("chance_branch", maybe(rows, |r| r.chance_branch)),
        ("transcript", text(rows, |r| Some(&r.transcript))),
    ];
    // A column may hold nothing in one file and something in the next, so the types say which may.
    let nullable = |name: &str| {
        let measured = ["_rank", "_count", "_probability", "_branch"];
        name == "fault" || measured.iter().any(|m| name.ends_with(m))
    };
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, nullable(name))))
}

/// Reads rows that [`write_scores`] wrote. Columns that it does not know are passed over.
///
/// # Errors
/// The file is missing, truncated, or lacks a column; the message names it.
pub fn read_scores(path: &Path) -> Result<Vec<ScoreRow>, ArenaError> {
    let failed = |what: String| ArenaError::Scores {
        path: path.to_owned(),
        what,
        hint: "`groundwork eval` writes such a file; run it again where this one is damaged",
    };
    let file = std::fs::File::open(path).map_err(|e| failed(format!("cannot be opened: {e}")))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file)
        .and_then(|builder| builder.build())
        .map_err(|e| failed(format!("is no readable Parquet file: {e}")))?;
    let mut rows = Vec::new();
    for batch in reader {
        let batch = batch.map_err(|e| failed(format!("is damaged: {e}")))?;
        for row in 0..batch.num_rows() {
            rows.push(read_row(&Columns { batch: &batch, row }).map_err(&failed)?);
        }
    }
    Ok(rows)
}

fn read_row(columns: &Columns<'_>) -> Result<ScoreRow, String> {
    let need = |name: &str, text: Option<String>| text.ok_or_else(|| format!("has a row without `{name}`"));
    let small = |name: &str| columns.number::<UInt32Type>(name).map(Option::unwrap_or_default);
    let large = |name: &str| columns.number::<UInt64Type>(name).map(Option::unwrap_or_default);
    let maybe = |name: &str| columns.number::<Float64Type>(name);
    let real = |name: &str| maybe(name).map(Option::unwrap_or_default);
    // Columns that files of earlier versions do not have.
    let new = |name: &str| if columns.has(name) { small(name) } else { Ok(0) };
    let new_large = |name: &str| if columns.has(name) { large(name) } else { Ok(0) };
    let new_maybe = |name: &str| if columns.has(name) { maybe(name) } else { Ok(None) };
    let ended = need("ended", columns.text("ended")?)?;
    Ok(ScoreRow {
        world: need("world", columns.text("world")?)?,
        level: small("level")?,
        fault: columns.text("fault")?,
        seed: large("seed")?,
        sample: small("sample")?,
        policy: need("policy", columns.text("policy")?)?,
        success: columns.truth("success")?,
        collateral: small("collateral")?,
        steps: small("steps")?,
        expert_steps: small("expert_steps")?,
        malformed: small("malformed")?,
        invalid: InvalidActions {
            unclosed: new("unclosed")?,
            malformed: new("no_call")?,
            unknown_tool: new("unknown_tool")?,
            missing_argument: new("missing_argument")?,
            wrong_type: new("wrong_type")?,
        },
        fault_met: columns.truth("fault_met")?,
        ended: Ended::ALL
            .into_iter()
            .find(|e| e.as_str() == ended)
            .ok_or_else(|| format!("says that an attempt ended by `{ended}`, which is no way to end"))?,
        tokens: small("tokens")?,
        said: new("said")?,
        action_bits: real("action_bits")?,
        action_bytes: large("action_bytes")?,
        answer_bits: new_maybe("answer_bits")?.unwrap_or_default(),
        answer_bytes: new_large("answer_bytes")?,
        recovery_bits: real("recovery_bits")?,
        recovery_bytes: large("recovery_bytes")?,
        twin_bits: new_maybe("twin_bits")?.unwrap_or_default(),
        twin_bytes: new_large("twin_bytes")?,
        ranked_actions: small("ranked_actions")?,
        legal_rank: maybe("legal_rank")?,
        legal_count: maybe("legal_count")?,
        reciprocal_rank: maybe("reciprocal_rank")?,
        chance_reciprocal_rank: maybe("chance_reciprocal_rank")?,
        legal_probability: new_maybe("legal_probability")?,
        chance_probability: new_maybe("chance_probability")?,
        branch_probability: new_maybe("branch_probability")?,
        chance_branch: new_maybe("chance_branch")?,
        transcript: need("transcript", columns.text("transcript")?)?,
    })
}

/// One row of a batch, by column name.
struct Columns<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Columns<'_> {
    fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    fn column<'a, T: 'a>(
        &'a self,
        name: &str,
        of: impl Fn(&'a dyn Array) -> Option<&'a T>,
    ) -> Result<&'a T, String> {
        let column = self.batch.column_by_name(name).ok_or_else(|| format!("has no column `{name}`"))?;
        of(column.as_ref()).ok_or_else(|| format!("holds {} in column `{name}`", column.data_type()))
    }

    fn number<T: ArrowPrimitiveType>(&self, name: &str) -> Result<Option<T::Native>, String> {
        let column = self.column(name, |c| c.as_primitive_opt::<T>())?;
        Ok(column.is_valid(self.row).then(|| column.value(self.row)))
    }

    fn text(&self, name: &str) -> Result<Option<String>, String> {
        let column = self.column(name, |c| c.as_string_opt::<i32>())?;
        Ok(column.is_valid(self.row).then(|| column.value(self.row).to_owned()))
    }

    fn truth(&self, name: &str) -> Result<bool, String> {
        let column = self.column(name, |c| c.as_boolean_opt())?;
        Ok(column.is_valid(self.row) && column.value(self.row))
    }
}
