//! Folders of text files.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use groundwork_trace::Trace;

use super::{Read, Reader, Skipped, cargo_registry, files};
use crate::seed::derive;
use crate::{CorpusError, SourceSpec};

/// Bytes that are read for one call.
const BATCH: usize = 1 << 20;
/// Larger files are skipped where the recipe says nothing: most are generated tables.
const MAX_FILE_BYTES: u64 = 1 << 16;

/// Reads the files of a folder in an order that depends on their relative paths and the seed alone, so that a
/// few of them are a fair sample, and a new file moves none of the others.
pub(super) struct FolderReader {
    root: PathBuf,
    files: Vec<String>,
    next: usize,
    max_file_bytes: u64,
    seen: HashSet<[u8; 32]>,
    skipped: Skipped,
}

impl FolderReader {
    pub(super) fn open(folder: &str, spec: &SourceSpec, seed: u64) -> Result<Self, CorpusError> {
        let registry = folder == cargo_registry::NAME;
        let root = if registry { cargo_registry::find()? } else { PathBuf::from(folder) };
        files::exists(&root)?;
        if !root.is_dir() {
            let hint = "`folder` wants a folder; use `jsonl` or `parquet` for a file of documents".to_owned();
            return Err(CorpusError::Missing { path: root, hint });
        }
        let usual: &[&str] = if registry { &["rs", "md"] } else { &["txt", "md"] };
        let extensions = match spec.extensions.as_slice() {
            [] => usual.iter().map(|e| (*e).to_owned()).collect(),
            given => given.to_vec(),
        };
        let mut files = files::walk(&root, &extensions)?;
        if files.is_empty() {
            let why = format!(
                ": no file under `{}` ends in .{}\n  hint: set `extensions`",
                root.display(),
                extensions.join(" or .")
            );
            return Err(CorpusError::NoDocuments { name: spec.name.clone(), why });
        }
        files.sort_by_cached_key(|path| derive(path, &[seed]));
        Ok(FolderReader {
            root,
            files,
            next: 0,
            max_file_bytes: spec.max_file_bytes.unwrap_or(MAX_FILE_BYTES),
            seen: HashSet::new(),
            skipped: Skipped::default(),
        })
    }

    /// The text of a file, or the counter that its omission goes to.
    fn text<'a>(&self, path: &Path, skipped: &'a mut Skipped) -> Result<String, &'a mut u64> {
        let bytes = match read_at_most(path, self.max_file_bytes) {
            Ok(Some(bytes)) => bytes,
            Ok(None) => return Err(&mut skipped.too_large),
            Err(_) => return Err(&mut skipped.unreadable),
        };
        match String::from_utf8(bytes) {
            Ok(text) if text.trim().is_empty() => Err(&mut skipped.empty),
            Ok(text) => Ok(text),
            Err(_) => Err(&mut skipped.invalid_utf8),
        }
    }
}

impl Reader for FolderReader {
    fn next_batch(&mut self) -> Result<Vec<Read>, CorpusError> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        let mut skipped = std::mem::take(&mut self.skipped);
        while bytes < BATCH && self.next < self.files.len() {
            let path = self.root.join(&self.files[self.next]);
            self.next += 1;
            match self.text(&path, &mut skipped) {
                Err(counter) => *counter += 1,
                Ok(text) if !self.seen.insert(*blake3::hash(text.as_bytes()).as_bytes()) => {
                    skipped.duplicate += 1
                }
                Ok(text) => {
                    bytes += text.len();
                    let position = self.next as f64 / self.files.len() as f64;
                    batch.push(Read { trace: Trace::text(text), position });
                }
            }
        }
        self.skipped = skipped;
        Ok(batch)
    }

    fn rewind(&mut self) {
        self.next = 0;
        self.seen.clear();
    }

    fn skipped(&self) -> Skipped {
        self.skipped.clone()
    }
}

/// The bytes of a file, or `None` if there are more than `limit`.
fn read_at_most(path: &Path, limit: u64) -> io::Result<Option<Vec<u8>>> {
    if fs::metadata(path)?.len() > limit { Ok(None) } else { fs::read(path).map(Some) }
}
