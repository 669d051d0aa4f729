//! Recorded traces, replayed in their worlds.

use std::fs;
use std::path::{Path, PathBuf};

use groundwork_worlds::replays;
use rayon::prelude::*;

use crate::{CorpusError, read_traces};

/// What a replay of trace files found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Traces that replay to the recorded observations and solve their task.
    pub fine: u64,
    /// Traces that no world has set, which cannot be replayed.
    pub without_task: u64,
    /// Traces that part from their world: the file, the trace's id, and where and how.
    pub parted: Vec<(PathBuf, String, String)>,
}

/// Replays every trace of a file, or of all Parquet files of a folder, in the world that it is from.
///
/// `progress` hears how many traces are done.
///
/// # Errors
/// A file that is no file of traces, or a folder without one.
pub fn verify_traces(path: &Path, progress: &mut dyn FnMut(u64)) -> Result<Verified, CorpusError> {
    let mut found = Verified::default();
    let mut done = 0;
    for file in trace_files(path)? {
        let records = read_traces(&file)?;
        let results: Vec<Option<Result<(), String>>> = records
            .par_iter()
            .map(|record| {
                record.task.as_ref().map(|task| match replays(task, &record.trace) {
                    Err(e) => Err(e.to_string()),
                    Ok(Err(parted)) => Err(format!("span {}: {}", parted.span, parted.what)),
                    Ok(Ok(())) => Ok(()),
                })
            })
            .collect();
        for (record, result) in records.iter().zip(results) {
            match result {
                None => found.without_task += 1,
                Some(Ok(())) => found.fine += 1,
                Some(Err(what)) => found.parted.push((file.clone(), record.id.clone(), what)),
            }
        }
        done += records.len() as u64;
        progress(done);
    }
    Ok(found)
}

/// The Parquet files of a path: itself, or those of the folder that it is, by name.
///
/// # Errors
/// A folder that cannot be read or has none.
pub fn trace_files(path: &Path) -> Result<Vec<PathBuf>, CorpusError> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(CorpusError::read(path))? {
        let file = entry.map_err(CorpusError::read(path))?.path();
        if file.extension().is_some_and(|e| e == "parquet") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        let hint =
            "give a folder with Parquet files of traces, as `groundwork trace generate` writes".to_owned();
        return Err(CorpusError::Missing { path: path.join("*.parquet"), hint });
    }
    Ok(files)
}
