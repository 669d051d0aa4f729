//! The files that a path stands for.

use std::fs;
use std::path::{Path, PathBuf};

use crate::CorpusError;

/// Checks that `path` is there.
pub(super) fn exists(path: &Path) -> Result<(), CorpusError> {
    match fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Err(CorpusError::Missing {
            path: path.to_owned(),
            hint: "check the path; one that is relative starts from the folder the program was started in"
                .to_owned(),
        }),
        Err(e) => Err(CorpusError::read(path)(e)),
    }
}

/// The file `path`, or the files in the folder `path` whose names end in one of `endings`, sorted.
pub(super) fn list(path: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, CorpusError> {
    exists(path)?;
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for entry in fs::read_dir(path).map_err(CorpusError::read(path))? {
        let entry = entry.map_err(CorpusError::read(path))?.path();
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && endings.iter().any(|e| name.ends_with(e)) && entry.is_file() {
            files.push(entry);
        }
    }
    files.sort();
    if files.is_empty() {
        let hint = format!("the folder has no file that ends in {}", endings.join(" or "));
        return Err(CorpusError::Missing { path: path.join(format!("*{}", endings[0])), hint });
    }
    Ok(files)
}

/// All files under `root` with one of `extensions` (in any case), as paths relative to it with `/` between the parts,
/// sorted. Hidden entries and symbolic links are left out.
pub(super) fn walk(root: &Path, extensions: &[String]) -> Result<Vec<String>, CorpusError> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let path = root.join(&folder);
        for entry in fs::read_dir(&path).map_err(CorpusError::read(&path))? {
            let entry = entry.map_err(CorpusError::read(&path))?;
            // A name that is not Unicode cannot be ordered the same everywhere.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if name.starts_with('.') {
                continue;
            }
            let kind = entry.file_type().map_err(CorpusError::read(&path))?;
            let relative = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            if kind.is_dir() {
                folders.push(relative);
            } else if kind.is_file() {
                let extension = relative.rsplit_once('.').map_or("", |(_, e)| e);
                if extensions.iter().any(|e| e.trim_start_matches('.').eq_ignore_ascii_case(extension)) {
                    found.push(relative);
                }
            }
        }
    }
    found.sort();
    Ok(found)
}
