//! Which kind of file a path is, and folders of them.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::table::Table;
use crate::{Findings, HistoryError, csv, jsonl, parquet, tensorboard, trackio};

/// Reads files, and all files of a kind that is known below folders, in the order of their names. Event files of one
/// folder are one table, every other file is one.
///
/// The kind is told by the name: `.csv`, `.tsv`, `.jsonl`, `.ndjson` (each also with `.gz` or `.zst`), `.parquet`,
/// `tfevents` in it, `.db`, `.sqlite`; a database also by its first bytes.
///
/// # Errors
/// [`HistoryError`] if a path cannot be read or is of no known kind, or a folder holds no file of one. What is damaged
/// in part is read in part, and noted in `findings`.
pub fn read(paths: &[PathBuf], findings: &mut Findings) -> Result<Vec<Table>, HistoryError> {
    let mut tables = Vec::new();
    for path in paths {
        if path.is_dir() {
            read_folder(path, &mut tables, findings)?;
        } else if tensorboard::is_event_file(path) {
            let run = path.parent().unwrap_or(path).display().to_string();
            tables.push(tensorboard::read(std::slice::from_ref(path), &run, findings)?);
        } else {
            tables.push(read_file(path, findings)?);
        }
    }
    Ok(tables)
}

fn read_folder(folder: &Path, tables: &mut Vec<Table>, findings: &mut Findings) -> Result<(), HistoryError> {
    let (mut runs, mut files) = (BTreeMap::<PathBuf, Vec<PathBuf>>::new(), Vec::new());
    walk(folder, &mut |path| {
        if tensorboard::is_event_file(&path) {
            runs.entry(path.parent().unwrap_or(folder).to_owned()).or_default().push(path);
        } else if kind(&path).is_some() {
            files.push(path);
        }
    })?;
    if runs.is_empty() && files.is_empty() {
        return Err(HistoryError::malformed(folder, "is a folder without histories in it", KINDS));
    }
    for (run, events) in &runs {
        tables.push(tensorboard::read(events, &run.display().to_string(), findings)?);
    }
    for path in files {
        tables.push(read_file(&path, findings)?);
    }
    Ok(())
}

fn walk(folder: &Path, take: &mut dyn FnMut(PathBuf)) -> Result<(), HistoryError> {
    let failed = |source| HistoryError::Read { path: folder.to_owned(), source };
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .map_err(failed)?
        .map(|entry| entry.map(|e| e.path()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    entries.sort();
    for path in entries {
        if path.is_dir() { walk(&path, take)? } else { take(path) }
    }
    Ok(())
}

const KINDS: &str = "files are known by their names: .csv, .tsv, .jsonl (also .gz, .zst), .parquet, …tfevents…, .db (Trackio)";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Csv,
    Jsonl,
    Parquet,
    Database,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

fn kind(path: &Path) -> Option<(Kind, Packing)> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let (stem, packing) = match name.rsplit_once('.') {
        Some((stem, "gz")) => (stem, Packing::Gzip),
        Some((stem, "zst")) => (stem, Packing::Zstd),
        _ => (name.as_str(), Packing::None),
    };
    let kind = match (stem.rsplit_once('.')?.1, packing) {
        ("csv" | "tsv", _) => Kind::Csv,
        ("jsonl" | "ndjson", _) => Kind::Jsonl,
        ("parquet", Packing::None) => Kind::Parquet,
        ("db" | "sqlite" | "sqlite3", Packing::None) => Kind::Database,
        _ => return None,
    };
    Some((kind, packing))
}

fn read_file(path: &Path, findings: &mut Findings) -> Result<Table, HistoryError> {
    let failed = |source| HistoryError::Read { path: path.to_owned(), source };
    let source = path.display().to_string();
    let mut file = fs::File::open(path).map_err(failed)?;
    let Some((kind, packing)) = kind(path) else {
        let mut start = Vec::new();
        file.take(16).read_to_end(&mut start).map_err(failed)?;
        if trackio::is_database(&start) {
            return trackio::read(path, &source, findings);
        }
        return Err(HistoryError::malformed(path, "is of no kind that is known", KINDS));
    };
    match kind {
        Kind::Parquet => return parquet::read(path, &source, findings),
        Kind::Database => return trackio::read(path, &source, findings),
        Kind::Csv | Kind::Jsonl => {}
    }
    let mut bytes = Vec::new();
    let unpacked = match packing {
        Packing::None => file.read_to_end(&mut bytes).map_err(failed).map(|_| Ok(()))?,
        Packing::Gzip => flate2::read::MultiGzDecoder::new(file).read_to_end(&mut bytes).map(|_| ()),
        Packing::Zstd => zstd::stream::read::Decoder::new(file)
            .and_then(|mut decoder| decoder.read_to_end(&mut bytes).map(|_| ())),
    };
    if let Err(e) = unpacked {
        if bytes.is_empty() {
            return Err(HistoryError::malformed(
                path,
                format!("cannot be unpacked: {e}"),
                "is it what its name says?",
            ));
        }
        let what = format!("the packed file breaks off ({e})");
        findings.note(&source, &source, what, format!("the first {} bytes of it are read", bytes.len()));
    }
    match kind {
        Kind::Csv => csv::read(path, &source, &bytes, findings),
        _ => jsonl::read(path, &source, &bytes, findings),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let k = |name: &str| kind(Path::new(name));
        assert_eq!(k("a/b.CSV.gz"), Some((Kind::Csv, Packing::Gzip)));
        assert_eq!(k("events.jsonl.zst"), Some((Kind::Jsonl, Packing::Zstd)));
        assert_eq!(k("x.parquet"), Some((Kind::Parquet, Packing::None)));
        assert_eq!(k("notes.txt"), None);
        assert_eq!(k("csv"), None);
    }

    #[test]
    fn a_folder_is_read_whole_and_a_cut_file_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::from("step,loss\n");
        (0..20_000).for_each(|i| text += &format!("{i},{}\n", (i * 7919) % 10_007));
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(text.as_bytes()).unwrap();
        let packed = packer.finish().unwrap();
        fs::create_dir(folder.path().join("b")).unwrap();
        fs::write(folder.path().join("b/x.csv.gz"), &packed[..packed.len() / 2]).unwrap();
        fs::write(folder.path().join("a.jsonl"), "{\"loss\": 1}\n").unwrap();
        fs::write(folder.path().join("notes.txt"), "none of ours").unwrap();
        let mut findings = Findings::default();
        let tables = read(&[folder.path().to_owned()], &mut findings).unwrap();
        assert_eq!(tables.len(), 2);
        assert!((1000..20_000).contains(&tables[1].rows.len()));
        assert!(findings.list()[0].what.contains("breaks off"));
        let e = read(&[folder.path().join("notes.txt")], &mut findings).unwrap_err().to_string();
        assert!(e.contains("no kind that is known") && e.contains(".jsonl"), "{e}");
        assert!(read(&[folder.path().join("none.csv")], &mut findings).is_err());
    }
}
