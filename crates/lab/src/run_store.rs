//! The run store: folders of runs, what each holds, and how far it came.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::event_log::EventLog;
use crate::score::Metrics;

/// A run's `done.json`: what a finished training says about itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Done {
    /// Steps of the optimiser.
    pub steps: u64,
    /// Tokens trained on.
    pub tokens: u64,
    /// Floating-point operations of training.
    pub flops: f64,
    /// Wall time of training.
    pub seconds: f64,
    /// Largest memory of the process.
    pub peak_memory_bytes: u64,
    /// Loss at the end, nats a token; none where all of it was masked.
    pub final_loss: Option<f64>,
    /// Loss at the end by span kind.
    pub loss_by_kind: BTreeMap<String, f64>,
}

/// How far a run came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum RunStatus {
    /// Trained and evaluated.
    Finished,
    /// Trained, not evaluated.
    Trained,
    /// It has stopped, or is still running; starting it again goes on from its last checkpoint.
    Interrupted {
        /// Last logged step.
        step: u64,
    },
    /// The last thing it logged is an incident.
    Failed {
        /// At which step.
        step: u64,
        /// What happened.
        message: String,
    },
    /// A file in the folder cannot be understood.
    Unreadable {
        /// Which, and why.
        message: String,
    },
}

impl std::fmt::Display for RunStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            RunStatus::Finished => f.write_str("finished"),
            RunStatus::Trained => f.write_str("trained, not evaluated"),
            RunStatus::Interrupted { step } => write!(f, "unfinished, at step {step}"),
            RunStatus::Failed { step, message } => write!(f, "failed at step {step}: {message}"),
            RunStatus::Unreadable { message } => write!(f, "unreadable: {message}"),
        }
    }
}

/// A line of the list of runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Name of the folder: `<name>-<hash8>`.
    pub folder: String,
    /// How far it came.
    #[serde(flatten)]
    pub status: RunStatus,
    /// Model size as the recipe states it.
    pub size: Option<String>,
    /// Seed.
    pub seed: Option<u64>,
    /// What the finished training says about itself.
    pub done: Option<Done>,
    /// The metrics of its evaluation, empty before it.
    pub metrics: Metrics,
}

/// Everything that a run's folder says, scores apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The folder.
    pub path: PathBuf,
    /// The line in the list of runs.
    pub summary: RunSummary,
    /// The resolved recipe.
    pub recipe: toml::Table,
    /// The event log; empty if there is none yet.
    pub log: EventLog,
}

/// Why a run cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum RunStoreError {
    /// A file or folder cannot be read.
    #[error("{}: {source}\n  hint: check that the path is right and may be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not what it should be.
    #[error(
        "{} cannot be understood: {message}\n  hint: remove it and start the command that wrote it again",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// There is no such run.
    #[error("there is no run `{name}` in {}{hint}", runs.display())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The folder of runs.
        runs: PathBuf,
        /// The nearest name, starting with `; `, or empty.
        hint: String,
    },
    /// The name fits several runs.
    #[error("`{name}` fits {} runs: {}", fits.len(), fits.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The runs.
        fits: Vec<String>,
    },
}

/// The folder of runs.
#[derive(Clone, Debug)]
pub struct RunStore {
    runs: PathBuf,
}

impl RunStore {
    /// The store in the folder `runs`, which need not exist yet.
    pub fn new(runs: impl Into<PathBuf>) -> RunStore {
        RunStore { runs: runs.into() }
    }

    /// All runs, by name. A folder without a recipe is no run; a run with a damaged file is listed as unreadable.
    ///
    /// # Errors
    /// If the folder exists and cannot be read.
    pub fn list(&self) -> Result<Vec<RunSummary>, RunStoreError> {
        let folders = self.folders()?;
        Ok(folders
            .into_iter()
            .map(|folder| match self.show(&folder) {
                Ok(run) => run.summary,
                Err(e) => RunSummary {
                    folder,
                    status: RunStatus::Unreadable { message: e.to_string() },
                    size: None,
                    seed: None,
                    done: None,
                    metrics: Metrics::new(),
                },
            })
            .collect())
    }

    fn folders(&self) -> Result<Vec<String>, RunStoreError> {
        let entries = match fs::read_dir(&self.runs) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(RunStoreError::File { path: self.runs.clone(), source }),
        };
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .filter(|e| e.path().join("recipe.toml").is_file())
            .filter_map(|e| e.file_name().into_string().ok())
            .collect();
        names.sort();
        Ok(names)
    }

    /// Finds a run by the name of its folder, by its name without the hash, or by the start of either.
    ///
    /// # Errors
    /// If there is none, or several.
    pub fn find(&self, name: &str) -> Result<String, RunStoreError> {
        let folders = self.folders()?;
        let stem = |f: &str| f.rsplit_once('-').map_or(f.to_owned(), |(stem, _)| stem.to_owned());
        let fitting = |test: &dyn Fn(&str) -> bool| -> Vec<String> {
            folders.iter().filter(|f| test(f)).cloned().collect()
        };
        let mut fits = fitting(&|f| f == name);
        if fits.is_empty() {
            fits = fitting(&|f| stem(f) == name);
        }
        if fits.is_empty() {
            fits = fitting(&|f| f.starts_with(name));
        }
        match fits.len() {
            1 => Ok(fits.remove(0)),
            0 => {
                let nearest = folders
                    .iter()
                    .map(|f| (strsim::jaro_winkler(name, f).max(strsim::jaro_winkler(name, &stem(f))), f))
                    .max_by(|a, b| a.0.total_cmp(&b.0))
                    .filter(|(likeness, _)| *likeness > 0.75);
                let hint = nearest.map_or_else(
                    || "; `groundwork runs list` names them".to_owned(),
                    |(_, folder)| format!("; did you mean `{folder}`?"),
                );
                Err(RunStoreError::Unknown { name: name.to_owned(), runs: self.runs.clone(), hint })
            }
            _ => Err(RunStoreError::Ambiguous { name: name.to_owned(), fits }),
        }
    }

    /// Reads a run by the name of its folder.
    ///
    /// # Errors
    /// If its recipe cannot be read, or a file in it is malformed. A cut-off event log is none.
    pub fn show(&self, folder: &str) -> Result<Run, RunStoreError> {
        Run::load(&self.runs.join(folder))
    }
}

impl Run {
    /// Reads a run's folder.
    ///
    /// # Errors
    /// As [`RunStore::show`].
    pub fn load(path: &Path) -> Result<Run, RunStoreError> {
        let recipe_path = path.join("recipe.toml");
        let text = fs::read_to_string(&recipe_path)
            .map_err(|source| RunStoreError::File { path: recipe_path.clone(), source })?;
        let recipe: toml::Table = toml::from_str(&text)
            .map_err(|e| RunStoreError::Malformed { path: recipe_path, message: e.message().to_owned() })?;
        let done: Option<Done> = read_json(&path.join("done.json"))?;
        let metrics: Option<Metrics> = read_json(&path.join("metrics.json"))?;
        let log_path = path.join("events.jsonl.zst");
        let log = match EventLog::read(&log_path) {
            Ok(log) => log,
            Err(e) if e.kind() == io::ErrorKind::NotFound => EventLog::default(),
            Err(source) => return Err(RunStoreError::File { path: log_path, source }),
        };
        let step = log.curve.last().map_or(0, |p| p.step);
        let status = match (&done, &metrics, log.incidents.last()) {
            (Some(_), Some(_), _) => RunStatus::Finished,
            (Some(_), None, _) => RunStatus::Trained,
            (None, _, Some(last)) if log.last_event.as_deref() == Some("incident") && !last.is_spike() => {
                RunStatus::Failed { step: last.step, message: last.message.clone() }
            }
            _ => RunStatus::Interrupted { step },
        };
        let folder = path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let size =
            recipe.get("model").and_then(|m| m.get("size")).and_then(toml::Value::as_str).map(str::to_owned);
        let seed =
            recipe.get("seed").and_then(toml::Value::as_integer).and_then(|seed| u64::try_from(seed).ok());
        let summary = RunSummary { folder, status, size, seed, done, metrics: metrics.unwrap_or_default() };
        Ok(Run { path: path.to_owned(), summary, recipe, log })
    }
}

/// Reads a JSON file; `None` if there is none.
pub(crate) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<Option<T>, RunStoreError> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map(Some)
            .map_err(|e| RunStoreError::Malformed { path: path.to_owned(), message: e.to_string() }),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(RunStoreError::File { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn runs_are_listed_with_how_far_they_came() {
        let folder = tempfile::tempdir().unwrap();
        let runs = folder.path();
        let store = RunStore::new(runs);
        assert_eq!(RunStore::new(runs.join("none")).list().unwrap(), []);
        for name in ["a-00000001", "b-00000002", "c-00000003", "d-00000004"] {
            put(&runs.join(name).join("recipe.toml"), "seed = 7\n[model]\nsize = \"0.1M\"\n");
        }
        put(&runs.join("bets/x/registration.json"), "{}");
        put(&runs.join("a-00000001/done.json"), r#"{"steps": 10, "flops": 1e9}"#);
        put(
            &runs.join("a-00000001/metrics.json"),
            r#"{"success_rate": {"value": 0.5, "low": 0.4, "high": 0.6, "n": 9}}"#,
        );
        put(&runs.join("b-00000002/done.json"), r#"{"final_loss": null}"#);
        let log = |events: &str| zstd::encode_all(events.as_bytes(), 1).unwrap();
        fs::write(runs.join("c-00000003/events.jsonl.zst"), log("{\"event\":\"step\",\"step\":5}\n"))
            .unwrap();
        let failed = "{\"event\":\"incident\",\"step\":6,\"kind\":\"diverged\",\"what\":\"the loss is not a number\"}\n";
        fs::write(runs.join("d-00000004/events.jsonl.zst"), log(failed)).unwrap();
        let list = store.list().unwrap();
        let status: Vec<String> = list.iter().map(|r| r.status.to_string()).collect();
        assert_eq!(
            status,
            [
                "finished",
                "trained, not evaluated",
                "unfinished, at step 5",
                "failed at step 6: the loss is not a number"
            ]
        );
        assert_eq!((list[0].size.as_deref(), list[0].seed), (Some("0.1M"), Some(7)));
        assert_eq!(list[0].metrics["success_rate"].value, 0.5);

        assert_eq!(store.find("a").unwrap(), "a-00000001");
        assert_eq!(store.find("b-0000").unwrap(), "b-00000002");
        assert!(store.find("a-00000009").unwrap_err().to_string().contains("did you mean `a-00000001`?"));
        put(&runs.join("a-00000009/recipe.toml"), "");
        assert!(store.find("a").unwrap_err().to_string().contains("fits 2 runs"));
        put(&runs.join("a-00000009/done.json"), "{");
        let broken = &store.list().unwrap()[1].status;
        assert!(
            matches!(broken, RunStatus::Unreadable { message } if message.contains("a-00000009/done.json"))
        );
    }
}
