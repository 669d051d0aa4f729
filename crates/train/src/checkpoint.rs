//! Checkpoints: atomic, checksummed, and enough to go on bit for bit.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::Device;
use groundwork_model::{Decoder, read_tensors, tensor_bytes};
use serde::{Deserialize, Serialize};

use crate::guard::Guard;
use crate::run::Tail;
use crate::{Optimizer, TrainError};

/// Checkpoints kept on disk.
const KEPT: usize = 2;

/// Where a run stood: `state.json` of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct State {
    /// Steps taken.
    pub step: u64,
    /// Steps in which the optimiser moved; a step without a supervised token moves nothing.
    pub updates: u64,
    pub recipe_hash: String,
    pub tokenizer_hash: String,
    pub seconds: f64,
    pub guard: Guard,
    pub tail: Tail,
}

/// `manifest.json` of a checkpoint: what is in it.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    version: u32,
    /// blake3 in hexadecimal digits by file name.
    files: BTreeMap<String, String>,
}

/// A checkpoint folder whose checksums hold.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    dir: PathBuf,
    pub(crate) state: State,
}

fn corrupt(path: &Path, what: impl Into<String>) -> TrainError {
    TrainError::Corrupt {
        path: path.into(),
        what: what.into(),
        hint: "remove this checkpoint's folder to go on from the one before it".into(),
    }
}

impl Checkpoint {
    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Steps taken.
    pub fn step(&self) -> u64 {
        self.state.step
    }

    /// Opens a checkpoint folder and verifies its checksums.
    ///
    /// # Errors
    /// A missing or damaged file, by name.
    pub fn open(dir: &Path) -> Result<Checkpoint, TrainError> {
        let path = dir.join("manifest.json");
        let text = fs::read_to_string(&path).map_err(|e| corrupt(&path, e.to_string()))?;
        let manifest: Manifest = serde_json::from_str(&text).map_err(|e| corrupt(&path, e.to_string()))?;
        for (name, sum) in &manifest.files {
            let path = dir.join(name);
            let bytes = fs::read(&path).map_err(|e| corrupt(&path, e.to_string()))?;
            if blake3::hash(&bytes).to_hex().as_str() != sum {
                return Err(corrupt(&path, "the checksum does not match the manifest"));
            }
        }
        let path = dir.join("state.json");
        let text = fs::read_to_string(&path).map_err(TrainError::io(&path))?;
        let state = serde_json::from_str(&text).map_err(|e| corrupt(&path, e.to_string()))?;
        Ok(Checkpoint { dir: dir.into(), state })
    }

    /// The decoder.
    ///
    /// # Errors
    /// A file that does not fit the model, by name.
    pub fn decoder(&self, device: &Device) -> Result<Decoder, TrainError> {
        Ok(Decoder::load(&self.dir, device)?)
    }

    pub(crate) fn restore(&self, optimizer: &mut Optimizer) -> Result<(), TrainError> {
        let path = self.dir.join("optimizer.safetensors");
        optimizer.restore(&read_tensors(&path)?, self.state.updates, &path)
    }
}

fn folder(run: &Path, step: u64) -> PathBuf {
    run.join("checkpoints").join(format!("step-{step:08}"))
}

/// Every checkpoint folder of a run, newest first.
fn folders(run: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(run.join("checkpoints")) else { return Vec::new() };
    let mut dirs: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| {
            p.extension().is_none() && p.file_name().is_some_and(|n| n.to_string_lossy().starts_with("step-"))
        })
        .collect();
    dirs.sort();
    dirs.reverse();
    dirs
}

/// The newest checkpoint of a run's folder; `None` where it has none.
///
/// # Errors
/// The newest checkpoint is damaged; the error names the file.
pub fn latest_checkpoint(run: &Path) -> Result<Option<Checkpoint>, TrainError> {
    folders(run).first().map(|dir| Checkpoint::open(dir)).transpose()
}

/// Removes the checkpoint of a step, if there is one: its weights have turned out to be no good.
pub(crate) fn discard(run: &Path, step: u64) -> Result<(), TrainError> {
    let dir = folder(run, step);
    if dir.exists() { fs::remove_dir_all(&dir).map_err(TrainError::io(&dir)) } else { Ok(()) }
}

fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let mut file = File::create(path).map_err(TrainError::io(path))?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(TrainError::io(path))
}

/// Writes a file by way of a temporary one, so that it is either the old or the new.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let temporary = path.with_extension("tmp");
    write_synced(&temporary, bytes)?;
    fs::rename(&temporary, path).map_err(TrainError::io(path))
}

/// Writes a checkpoint: into a temporary folder first, then renamed; older ones are thinned out.
pub(crate) fn save(
    run: &Path,
    decoder: &Decoder,
    optimizer: &Optimizer,
    state: &State,
) -> Result<(), TrainError> {
    let target = folder(run, state.step);
    let temporary = target.with_extension("tmp");
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(TrainError::io(&temporary))?;
    }
    fs::create_dir_all(&temporary).map_err(TrainError::io(&temporary))?;
    let files = [
        ("model.safetensors", tensor_bytes(&decoder.weights())),
        ("model.json", json(decoder.config())),
        ("optimizer.safetensors", tensor_bytes(&optimizer.state())),
        ("state.json", json(state)),
    ];
    let mut manifest = Manifest { version: 1, files: BTreeMap::new() };
    for (name, bytes) in &files {
        write_synced(&temporary.join(name), bytes)?;
        manifest.files.insert((*name).into(), blake3::hash(bytes).to_hex().to_string());
    }
    write_synced(&temporary.join("manifest.json"), &json(&manifest))?;
    if target.exists() {
        fs::remove_dir_all(&target).map_err(TrainError::io(&target))?;
    }
    fs::rename(&temporary, &target).map_err(TrainError::io(&target))?;
    for old in folders(run).into_iter().skip(KEPT) {
        fs::remove_dir_all(&old).map_err(TrainError::io(&old))?;
    }
    Ok(())
}

/// Pretty JSON of plain data.
pub(crate) fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("a run's metadata is plain data")
}
