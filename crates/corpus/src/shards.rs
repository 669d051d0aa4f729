//! A corpus folder, opened for reading.

use std::fs;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use crate::manifest::{FORMAT, FileEntry};
use crate::shard::{Row, Shard, map};
use crate::{CorpusError, Manifest, Tokenizer};

/// The manifest's name in a corpus folder.
pub(crate) const MANIFEST: &str = "manifest.json";
/// The tokeniser's name in a corpus folder.
pub(crate) const TOKENIZER: &str = "tokenizer.json";

/// The rows of a corpus, memory-mapped.
pub struct Shards {
    dir: PathBuf,
    manifest: Manifest,
    shards: Vec<Shard>,
    /// The first row of each shard, and the number of all rows.
    starts: Vec<usize>,
}

impl Shards {
    /// Opens a corpus folder. Every byte is read once, to compare the checksums.
    ///
    /// # Errors
    /// [`CorpusError::Missing`] where there is no corpus, [`CorpusError::Version`], and [`CorpusError::Damaged`] with
    /// the name of the file that is not what was written.
    pub fn open(dir: &Path) -> Result<Shards, CorpusError> {
        let manifest = read_manifest(dir)?;
        verify(dir, &manifest.tokenizer_file)?;
        let shards: Vec<Shard> = manifest
            .shards
            .par_iter()
            .map(|entry| {
                let path = dir.join(&entry.name);
                let shard = Shard::open(&path, verify(dir, entry)?, manifest.sequence)?;
                let (found, expected) = (shard.len() as u64, entry.rows);
                if found == expected {
                    Ok(shard)
                } else {
                    let message = format!("it has {found} rows, the manifest says {expected}");
                    Err(CorpusError::Damaged { path, message })
                }
            })
            .collect::<Result<_, _>>()?;
        let mut starts = vec![0];
        for shard in &shards {
            starts.push(starts.last().copied().unwrap_or(0) + shard.len());
        }
        Ok(Shards { dir: dir.to_owned(), manifest, shards, starts })
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What the folder says about itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Row number `i`, from 0.
    ///
    /// # Errors
    /// [`CorpusError::NoRow`] if there is none.
    pub fn row(&self, i: usize) -> Result<Row, CorpusError> {
        self.locate(i).map(|(shard, i)| shard.row(i))
    }

    /// For each document of row `i`, in order, its place in [`Manifest::sources`].
    ///
    /// # Errors
    /// [`CorpusError::NoRow`] if there is no such row.
    pub fn sources(&self, i: usize) -> Result<&[u16], CorpusError> {
        self.locate(i).map(|(shard, i)| shard.sources(i))
    }

    /// The tokeniser that the rows were written with.
    ///
    /// # Errors
    /// [`CorpusError::Tokenizer`] if its file does not hold.
    pub fn tokenizer(&self) -> Result<Tokenizer, CorpusError> {
        let tokenizer = Tokenizer::load(&self.dir.join(TOKENIZER))?;
        self.check_tokenizer(&tokenizer)?;
        Ok(tokenizer)
    }

    /// Checks that `tokenizer` is the one that the rows were written with.
    ///
    /// # Errors
    /// [`CorpusError::TokenizerMismatch`] if it is not.
    pub fn check_tokenizer(&self, tokenizer: &Tokenizer) -> Result<(), CorpusError> {
        let found = tokenizer.hash();
        if found == self.manifest.tokenizer_hash {
            return Ok(());
        }
        let expected = self.manifest.tokenizer_hash.clone();
        Err(CorpusError::TokenizerMismatch { path: self.dir.clone(), expected, found })
    }

    fn locate(&self, i: usize) -> Result<(&Shard, usize), CorpusError> {
        if i >= self.len() {
            return Err(CorpusError::NoRow { row: i, rows: self.len() });
        }
        let shard = self.starts.partition_point(|start| *start <= i) - 1;
        Ok((&self.shards[shard], i - self.starts[shard]))
    }
}

impl std::fmt::Debug for Shards {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shards").field("dir", &self.dir).field("rows", &self.len()).finish_non_exhaustive()
    }
}

/// Reads the manifest of a corpus folder, and nothing else of it.
///
/// # Errors
/// [`CorpusError::Missing`] where there is none, [`CorpusError::Version`], [`CorpusError::Damaged`].
pub fn read_manifest(dir: &Path) -> Result<Manifest, CorpusError> {
    let path = dir.join(MANIFEST);
    if !path.exists() {
        let hint = "build the corpus with `groundwork corpus build`".to_owned();
        return Err(CorpusError::Missing { path, hint });
    }
    let text = fs::read(&path).map_err(CorpusError::read(&path))?;
    let damaged = |e: serde_json::Error| CorpusError::Damaged { path: path.clone(), message: e.to_string() };
    // Another version may have other fields, so the version is looked at first.
    let json: serde_json::Value = serde_json::from_slice(&text).map_err(damaged)?;
    let found = json.get("version").and_then(serde_json::Value::as_u64).unwrap_or(0) as u32;
    if found != FORMAT {
        return Err(CorpusError::Version { path, found, known: FORMAT });
    }
    serde_json::from_value(json).map_err(damaged)
}

/// The bytes of a file, when they are those that were written.
fn verify(dir: &Path, entry: &FileEntry) -> Result<bytes::Bytes, CorpusError> {
    let path = dir.join(&entry.name);
    let damaged = |message: String| CorpusError::Damaged { path: path.clone(), message };
    let size = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(damaged("it is missing".to_owned()));
        }
        Err(e) => return Err(CorpusError::read(&path)(e)),
    };
    if size != entry.bytes {
        return Err(damaged(format!("it has {size} bytes, the manifest says {}", entry.bytes)));
    }
    let bytes = map(&path)?;
    if blake3::hash(&bytes).to_hex().as_str() != entry.blake3 {
        return Err(damaged("its checksum differs from the manifest's".to_owned()));
    }
    Ok(bytes)
}

/// The name, size and checksum of a file of a corpus folder.
pub(crate) fn entry(dir: &Path, name: &str, rows: u64) -> Result<FileEntry, CorpusError> {
    let path = dir.join(name);
    let bytes = map(&path)?;
    let blake3 = blake3::hash(&bytes).to_hex().to_string();
    Ok(FileEntry { name: name.to_owned(), bytes: bytes.len() as u64, blake3, rows })
}
