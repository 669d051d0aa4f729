//! Writing event files.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use super::event::Event;
use super::record;
use crate::HistoryError;

/// Writes the scalars of one run to an event file in a folder of its own, as TensorBoard wants it.
#[derive(Debug)]
pub struct EventWriter {
    path: PathBuf,
    file: File,
    pending: Vec<u8>,
}

/// Bytes that are gathered before they are written.
const CHUNK: usize = 1 << 16;

impl EventWriter {
    /// Begins `events.out.tfevents.<seconds>.groundwork[.<n>]` in `folder`, which is made; `wall_time` is that of the first
    /// event, in seconds since 1970. A file that is there already is left alone.
    ///
    /// # Errors
    /// If the folder or the file cannot be made.
    pub fn create(folder: &Path, wall_time: f64) -> Result<EventWriter, HistoryError> {
        fs::create_dir_all(folder).map_err(|e| HistoryError::write(folder, e))?;
        // TensorBoard reads the files of a folder in the order of their names.
        let stem = format!("events.out.tfevents.{:010}.groundwork", wall_time.max(0.0) as u64);
        let mut path = folder.join(&stem);
        let mut n = 1;
        let file = loop {
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => break file,
                Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => {
                    path = folder.join(format!("{stem}.{n}"));
                    n += 1;
                }
                Err(e) => return Err(HistoryError::write(&path, e)),
            }
        };
        let mut writer = EventWriter { path, file, pending: Vec::new() };
        record::write(&mut writer.pending, &Event::version(wall_time));
        Ok(writer)
    }

    /// Adds scalars of one step. They are kept in single precision.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn scalars(&mut self, step: i64, wall_time: f64, values: &[(&str, f64)]) -> Result<(), HistoryError> {
        record::write(&mut self.pending, &Event::write(wall_time, step, values));
        if self.pending.len() >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Writes what is pending, whole records only.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<(), HistoryError> {
        self.file.write_all(&self.pending).map_err(|e| HistoryError::write(&self.path, e))?;
        self.pending.clear();
        Ok(())
    }

    /// Writes what is pending and gives the file's path.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(mut self) -> Result<PathBuf, HistoryError> {
        self.flush()?;
        self.file.sync_all().map_err(|e| HistoryError::write(&self.path, e))?;
        Ok(self.path)
    }
}
