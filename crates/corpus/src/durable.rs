//! Files and folders that appear under their names whole or not at all.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::CorpusError;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name beside `path` that no other builder uses.
fn beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let (process, n) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    path.with_file_name(format!(".{name}.partial-{process}-{n}"))
}

fn parent(path: &Path) -> &Path {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p,
        _ => Path::new("."),
    }
}

fn sync_folder(path: &Path) -> Result<(), CorpusError> {
    File::open(path).and_then(|f| f.sync_all()).map_err(CorpusError::write(path))
}

/// A file that is removed unless it is renamed.
pub(crate) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    /// A name in the folder of `path`, which is made if need be.
    pub(crate) fn beside(path: &Path) -> Result<Self, CorpusError> {
        fs::create_dir_all(parent(path)).map_err(CorpusError::write(parent(path)))?;
        Ok(TemporaryFile(beside(path)))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Gives the file its name, in place of one that has it. Its contents must have been synced.
    pub(crate) fn rename(self, path: &Path) -> Result<(), CorpusError> {
        fs::rename(&self.0, path).map_err(CorpusError::write(path))?;
        sync_folder(parent(path))
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // Nothing to do about a failure here, and after a rename there is no such file.
        let _ = fs::remove_file(&self.0);
    }
}

/// Writes a file that is there whole or not at all, in place of an earlier one.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CorpusError> {
    let temporary = TemporaryFile::beside(path)?;
    let mut file = File::create(temporary.path()).map_err(CorpusError::write(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(CorpusError::write(path))?;
    temporary.rename(path)
}

/// A folder that is removed unless it is renamed.
pub(crate) struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    /// An empty folder beside `path`.
    pub(crate) fn beside(path: &Path) -> Result<Self, CorpusError> {
        let folder = TemporaryFolder(beside(path));
        fs::create_dir_all(folder.path()).map_err(CorpusError::write(path))?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes the folder's entries durable and gives it its name. `false` if the name is taken.
    pub(crate) fn rename(self, path: &Path) -> Result<bool, CorpusError> {
        sync_folder(&self.0)?;
        match fs::rename(&self.0, path) {
            Ok(()) => sync_folder(parent(path)).map(|()| true),
            Err(_) if path.exists() => Ok(false),
            Err(e) => Err(CorpusError::write(path)(e)),
        }
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
