//! TensorBoard's event files: TFRecords of `Event` messages, read and written for scalars.
//!
//! Formats: `tensorflow/core/lib/io/record_writer.h` (records), `tensorflow/core/util/event.proto`,
//! `tensorflow/core/framework/summary.proto` and `tensor.proto` (messages).

mod event;
mod protobuf;
mod record;
mod write;

pub use write::EventWriter;

use std::path::{Path, PathBuf};

use event::Event;
use record::{End, Records};

use crate::table::{Cell, Row, Table};
use crate::{Findings, HistoryError};

/// The name of an event file has this in it.
pub(crate) fn is_event_file(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains("tfevents"))
}

/// Reads the event files of one folder, in the order of their names, as one run: a row a step, a column a tag, and
/// `step` and `wall_time`. Where files overlap, because a run was resumed, the later one counts.
pub(crate) fn read(files: &[PathBuf], run: &str, findings: &mut Findings) -> Result<Table, HistoryError> {
    let mut table = Table::new(run, "step");
    let (step_column, time_column) = (table.column_or_new("step"), table.column_or_new("wall_time"));
    for path in files {
        let bytes =
            std::fs::read(path).map_err(|source| HistoryError::Read { path: path.clone(), source })?;
        read_file(path, &bytes, &mut table, step_column, time_column, findings)?;
    }
    table.rows.sort_by_key(|row| row.number);
    Ok(table)
}

fn read_file(
    path: &Path,
    bytes: &[u8],
    table: &mut Table,
    step_column: usize,
    time_column: usize,
    findings: &mut Findings,
) -> Result<(), HistoryError> {
    let name = path.display().to_string();
    let mut records = Records::new(bytes);
    let (mut last_step, mut any, mut undecodable) = (None, false, None);
    let mut at: std::collections::BTreeMap<i64, usize> =
        table.rows.iter().enumerate().map(|(i, row)| (row.number.cast_signed(), i)).collect();
    let mut first_step = true;
    for record in records.by_ref() {
        let Some(data) = record.data else {
            let what = "a record does not have its checksum";
            findings.note(&name, format!("{name}, byte {}", record.offset), what, "it is left out");
            continue;
        };
        let Some(event) = Event::read(data) else {
            undecodable.get_or_insert(record.offset);
            continue;
        };
        any = true;
        if event.scalars.is_empty() {
            continue;
        }
        // A run that was taken up again writes a new file from its checkpoint on: what the earlier file says from there on
        // was undone.
        if first_step {
            first_step = false;
            let before = table.rows.len();
            table.rows.retain(|row| row.number.cast_signed() < event.step);
            let undone = before - table.rows.len();
            if undone > 0 {
                let what =
                    format!("the file goes back to step {}, behind an earlier one of its folder", event.step);
                findings.note(&name, &name, what, format!("{undone} steps of the earlier file are left out"));
                at.retain(|step, _| *step < event.step);
            }
        }
        last_step = Some(event.step);
        let row = *at.entry(event.step).or_insert_with(|| {
            table.rows.push(Row { number: event.step.cast_unsigned(), cells: Vec::new() });
            table.rows.len() - 1
        });
        table.rows[row].set(step_column, Cell::Number(event.step as f64));
        table.rows[row].set(time_column, Cell::Number(event.wall_time));
        for (tag, value) in event.scalars {
            let column = table.column_or_new(&tag);
            table.rows[row].set(column, Cell::Number(value));
        }
    }
    if let Some(offset) = undecodable {
        let what = "a record has its checksum but holds no event";
        findings.note(&name, format!("{name}, byte {offset}"), what, "it is left out");
    }
    if let End::Broken { offset, why } = records.end() {
        if !any {
            let hint = "event files begin with a record of the file's version; is it an event file?";
            return Err(HistoryError::malformed(
                path,
                format!("is no event file: {why} at byte {offset}"),
                hint,
            ));
        }
        let read = last_step
            .map_or("no step was read".to_owned(), |step| format!("what was read ends at step {step}"));
        findings.note(&name, format!("{name}, byte {offset}"), format!("the file breaks off: {why}"), read);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(folder: &Path) -> PathBuf {
        let mut writer = EventWriter::create(folder, 100.0).unwrap();
        for step in 0..10 {
            let values = [("loss", 5.0 - f64::from(step)), ("loss/action", 0.5)];
            writer.scalars(i64::from(step), 100.0 + f64::from(step), &values).unwrap();
        }
        writer.finish().unwrap()
    }

    fn read_one(path: &Path) -> Result<(Table, Vec<String>), String> {
        let mut findings = Findings::default();
        let table = read(&[path.to_owned()], "run", &mut findings).map_err(|e| e.to_string())?;
        Ok((table, findings.list().iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        assert!(is_event_file(&path));
        let (table, findings) = read_one(&path).unwrap();
        assert_eq!(table.names(), ["step", "wall_time", "loss", "loss/action"]);
        assert_eq!(table.rows.len(), 10);
        assert_eq!(table.rows[3].cells, [3.0, 103.0, 2.0, 0.5].map(Cell::Number));
        assert!(findings.is_empty());
    }

    #[test]
    fn a_file_that_breaks_off_gives_what_is_before_the_break() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let bytes = std::fs::read(&path).unwrap();
        let mut seen = Vec::new();
        for cut in 40..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let Ok((table, findings)) = read_one(&path) else { continue };
            if let Some(finding) = findings.first() {
                assert!(finding.contains("the file breaks off"), "{finding}");
            }
            seen.push(table.rows.len());
        }
        assert!(seen.is_sorted() && seen.contains(&0) && seen.contains(&9), "{seen:?}");
    }

    #[test]
    fn a_flipped_bit_loses_one_record_and_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let mut bytes = std::fs::read(&path).unwrap();
        let data = bytes.windows(4).position(|w| w == b"loss").unwrap();
        bytes[data] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        let (table, findings) = read_one(&path).unwrap();
        assert_eq!(table.rows.len(), 9);
        assert!(findings[0].contains("does not have its checksum"), "{findings:?}");
        std::fs::write(&path, b"no event file, but long enough").unwrap();
        assert!(read_one(&path).unwrap_err().contains("is no event file"));
    }

    #[test]
    fn a_resumed_run_counts_from_its_last_file() {
        let folder = tempfile::tempdir().unwrap();
        let first = written(folder.path());
        let mut writer = EventWriter::create(folder.path(), 200.0).unwrap();
        for step in 7..9 {
            writer.scalars(step, 200.0, &[("loss", 0.0)]).unwrap();
        }
        let second = writer.finish().unwrap();
        assert!(first < second);
        let mut findings = Findings::default();
        let table = read(&[first, second], "run", &mut findings).unwrap();
        let loss = table.column("loss").unwrap();
        let got: Vec<(u64, f64)> =
            table.rows.iter().map(|r| (r.number, r.cell(loss).number().unwrap())).collect();
        assert_eq!(got.len(), 9);
        assert_eq!(got[6..], [(6, -1.0), (7, 0.0), (8, 0.0)]);
        assert!(findings.list()[0].what.contains("goes back to step 7"));
    }
}
