//! The archive of A/A runs: how far a metric scatters between runs that differ in their seed alone.
//!
//! Runs whose recipes agree in everything but name and seed are one family. Within a family a metric scatters by chance,
//! pooled over the families of a size; between families of a size it differs by what their recipes are worth, and the ratio
//! of the two is the signal-to-noise ratio (Signal and Noise, arXiv:2508.13144). Runs of two families with the same seed show
//! how far a shared seed makes runs alike.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::judge::{ArchiveNoise, RungNoise};
use crate::recipe::{RecipeHash, canonical_json, hash_hex};
use crate::registration::write_atomically;
use crate::run_store::{Run, RunStatus, RunStore, RunStoreError, read_json};

/// Name of the file in the folder of runs.
pub const ARCHIVE_FILE: &str = "noise.json";
/// Version of the file.
const VERSION: u32 = 1;
/// Runs older than this many days do not count: trainers change.
const AGE_LIMIT_DAYS: u64 = 90;
/// Below this signal-to-noise ratio a metric is refused as primary.
pub const LEAST_SIGNAL: f64 = 2.0;

/// What an archive of A/A runs holds, as `noise.json` has it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NoiseArchive {
    /// Version of the format.
    pub version: u32,
    /// When it was made, UTC, RFC 3339.
    pub made_at: String,
    /// By metric and size.
    pub entries: Vec<NoiseEntry>,
    /// Runs that were left out because they are too old.
    pub too_old: usize,
}

/// The noise of a metric at a size.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoiseEntry {
    /// The metric.
    pub metric: String,
    /// The size.
    pub size: String,
    /// Mean over all runs.
    pub mean: f64,
    /// Mean FLOPs of a run.
    pub flops: f64,
    /// Standard deviation of a run within its family, pooled over families.
    pub sd: f64,
    /// Degrees of freedom: runs less families.
    pub df: f64,
    /// Runs.
    pub runs: usize,
    /// Families of runs that differ in their seed alone.
    pub families: usize,
    /// Correlation of runs of two families with the same seed, over all pairs of families with at least three seeds in
    /// common.
    pub correlation: Option<f64>,
    /// Range of the families' means over the standard deviation; `None` with one family.
    pub signal_to_noise: Option<f64>,
}

impl NoiseEntry {
    /// Standard deviation of the difference within a pair. A correlation is believed only where it makes the noise larger: a
    /// small archive cannot show that pairing helps.
    pub fn pair_sd(&self) -> f64 {
        self.sd * (2.0 * (1.0 - self.correlation.unwrap_or(0.0).clamp(-1.0, 0.0))).sqrt()
    }
}

/// One run as the archive sees it.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchivedRun {
    /// Hash of the recipe without name and seed.
    pub family: String,
    /// Size of the model.
    pub size: String,
    /// Seed.
    pub seed: u64,
    /// FLOPs of training.
    pub flops: f64,
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
}

impl NoiseArchive {
    /// Gathers the finished runs below `runs`.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn gather(runs: &Path) -> Result<NoiseArchive, RunStoreError> {
        let mut found = Vec::new();
        let mut too_old = 0;
        for summary in RunStore::new(runs).list()? {
            if summary.status != RunStatus::Finished {
                continue;
            }
            let path = runs.join(&summary.folder);
            if age_in_days(&path.join("done.json")).is_some_and(|days| days > AGE_LIMIT_DAYS) {
                too_old += 1;
                continue;
            }
            let run = Run::load(&path)?;
            let (Some(size), Some(seed), Some(done)) = (summary.size, summary.seed, summary.done) else {
                continue;
            };
            let metrics = summary.metrics.iter().map(|(name, m)| (name.clone(), m.value)).collect();
            found.push(ArchivedRun { family: family(&run.recipe), size, seed, flops: done.flops, metrics });
        }
        let mut archive = NoiseArchive::of(&found);
        archive.too_old = too_old;
        archive.made_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Ok(archive)
    }

    /// Pools `runs`; a metric and size without two runs of one family has no entry.
    pub fn of(runs: &[ArchivedRun]) -> NoiseArchive {
        let mut cells: BTreeMap<(&str, &str), Families<'_>> = BTreeMap::new();
        for run in runs {
            for (metric, value) in run.metrics.iter().filter(|m| m.1.is_finite()) {
                let families = cells.entry((metric, &run.size)).or_default();
                let members = families.entry(&run.family).or_default();
                if !members.iter().any(|m| m.0 == run.seed) {
                    members.push((run.seed, *value, run.flops));
                }
            }
        }
        let entries = cells
            .into_iter()
            .filter_map(|((metric, size), families)| entry(metric, size, &families))
            .collect();
        NoiseArchive { version: VERSION, made_at: String::new(), entries, too_old: 0 }
    }

    /// Reads the archive in the folder of runs; `None` if there is none yet.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    pub fn load(runs: &Path) -> Result<Option<NoiseArchive>, RunStoreError> {
        let path = runs.join(ARCHIVE_FILE);
        let archive: Option<NoiseArchive> = read_json(&path)?;
        match archive {
            Some(archive) if archive.version != VERSION => Err(RunStoreError::Malformed {
                path,
                message: format!("it has version {}, this program knows {VERSION}", archive.version),
            }),
            other => Ok(other),
        }
    }

    /// Writes the archive into the folder of runs.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, runs: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        write_atomically(&runs.join(ARCHIVE_FILE), text.as_bytes())
    }

    /// The entry of a metric at a size.
    pub fn entry(&self, metric: &str, size: &str) -> Option<&NoiseEntry> {
        self.entries.iter().find(|e| e.metric == metric && e.size == size)
    }

    /// What the judge needs to know of a metric at some sizes.
    pub fn noise(&self, metric: &str, sizes: &[String]) -> ArchiveNoise {
        let rungs: BTreeMap<String, RungNoise> = sizes
            .iter()
            .filter_map(|size| {
                let e = self.entry(metric, size)?;
                Some((size.clone(), RungNoise { sd: e.pair_sd(), df: e.df, correlation: e.correlation }))
            })
            .collect();
        let source = (!rungs.is_empty()).then(|| self.digest());
        ArchiveNoise { rungs, misfit: None, source }
    }

    /// The first eight digits of the archive's hash.
    pub fn digest(&self) -> String {
        let value = serde_json::to_value(&self.entries).unwrap_or_default();
        hash_hex(&canonical_json(&value))[..8].to_owned()
    }
}

/// Runs of a family: seed, value, FLOPs.
type Members = Vec<(u64, f64, f64)>;
/// The members of each family.
type Families<'a> = BTreeMap<&'a str, Members>;

fn entry(metric: &str, size: &str, families: &Families<'_>) -> Option<NoiseEntry> {
    let mean_of = |m: &Members| m.iter().map(|r| r.1).sum::<f64>() / m.len() as f64;
    let (mut squares, mut df, mut sum, mut flops, mut runs) = (0.0, 0.0, 0.0, 0.0, 0usize);
    for members in families.values() {
        let mean = mean_of(members);
        squares += members.iter().map(|r| (r.1 - mean).powi(2)).sum::<f64>();
        df += members.len() as f64 - 1.0;
        sum += members.iter().map(|r| r.1).sum::<f64>();
        flops += members.iter().map(|r| r.2).sum::<f64>();
        runs += members.len();
    }
    if df < 1.0 {
        return None;
    }
    let sd = (squares / df).sqrt();
    let means: Vec<f64> = families.values().map(mean_of).collect();
    let range = means.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |r, m| (r.0.min(*m), r.1.max(*m)));
    let signal = (families.len() > 1 && sd > 0.0).then(|| (range.1 - range.0) / sd);
    Some(NoiseEntry {
        metric: metric.to_owned(),
        size: size.to_owned(),
        mean: sum / runs as f64,
        flops: flops / runs as f64,
        sd,
        df,
        runs,
        families: families.len(),
        correlation: correlation(families),
        signal_to_noise: signal,
    })
}

/// Pooled correlation under equal seeds over all pairs of families with at least three of them.
fn correlation(families: &Families<'_>) -> Option<f64> {
    let all: Vec<&Members> = families.values().collect();
    let (mut cross, mut left, mut right) = (0.0, 0.0, 0.0);
    for (i, a) in all.iter().enumerate() {
        for b in &all[i + 1..] {
            let common: Vec<(f64, f64)> =
                a.iter().filter_map(|x| Some((x.1, b.iter().find(|y| y.0 == x.0)?.1))).collect();
            if common.len() < 3 {
                continue;
            }
            let n = common.len() as f64;
            let (ma, mb) =
                (common.iter().map(|c| c.0).sum::<f64>() / n, common.iter().map(|c| c.1).sum::<f64>() / n);
            for (x, y) in common {
                cross += (x - ma) * (y - mb);
                left += (x - ma).powi(2);
                right += (y - mb).powi(2);
            }
        }
    }
    (left > 0.0 && right > 0.0).then(|| cross / (left * right).sqrt())
}

/// Hash of a recipe without its name and seed: what a family of runs shares.
fn family(recipe: &toml::Table) -> String {
    let mut recipe = recipe.clone();
    recipe.remove("name");
    recipe.remove("seed");
    RecipeHash::of(&recipe).to_string()
}

fn age_in_days(path: &Path) -> Option<u64> {
    let made = fs::metadata(path).ok()?.modified().ok()?;
    Some(SystemTime::now().duration_since(made).ok()?.as_secs() / 86_400)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(family: &str, seed: u64, value: f64) -> ArchivedRun {
        ArchivedRun {
            family: family.into(),
            size: "1M".into(),
            seed,
            flops: 1e15,
            metrics: [("loss".to_owned(), value)].into(),
        }
    }

    #[test]
    fn noise_is_pooled_within_families_and_signal_is_between_them() {
        let mut runs = Vec::new();
        for (seed, off) in [(1, -0.01), (2, 0.01), (3, 0.0)] {
            runs.push(run("a", seed, 2.0 + off));
            runs.push(run("b", seed, 1.9 - off));
        }
        runs.push(run("a", 3, 9.0)); // the same run again
        runs.push(run("c", 1, f64::NAN));
        let archive = NoiseArchive::of(&runs);
        let e = archive.entry("loss", "1M").unwrap();
        assert!((e.sd - 0.01).abs() < 1e-12 && e.df == 4.0 && e.families == 2 && e.runs == 6, "{e:?}");
        assert!((e.signal_to_noise.unwrap() - 10.0).abs() < 1e-9);
        assert!((e.correlation.unwrap() + 1.0).abs() < 1e-9);
        // Runs that pull apart under a shared seed make a pair noisier, and that is believed.
        assert!((e.pair_sd() - 0.02).abs() < 1e-12);
        let noise = archive.noise("loss", &["1M".to_owned(), "4M".to_owned()]);
        assert_eq!(noise.rungs.len(), 1);
        assert_eq!(noise.source.as_deref(), Some(archive.digest().as_str()));
        assert!(archive.noise("other", &["1M".to_owned()]).source.is_none());
    }

    #[test]
    fn single_runs_show_no_noise() {
        assert!(NoiseArchive::of(&[run("a", 1, 2.0), run("b", 1, 3.0)]).entries.is_empty());
    }

    #[test]
    fn the_file_comes_back_and_another_version_is_named() {
        let folder = tempfile::tempdir().unwrap();
        assert!(NoiseArchive::load(folder.path()).unwrap().is_none());
        let archive = NoiseArchive::of(&[run("a", 1, 2.0), run("a", 2, 2.1)]);
        archive.write(folder.path()).unwrap();
        assert_eq!(NoiseArchive::load(folder.path()).unwrap(), Some(archive.clone()));
        NoiseArchive { version: 9, ..archive }.write(folder.path()).unwrap();
        assert!(NoiseArchive::load(folder.path()).unwrap_err().to_string().contains("version 9"));
        assert!(NoiseArchive::gather(folder.path()).unwrap().entries.is_empty());
    }
}
