//! Registrations: what a bet asks and how it will be decided, frozen before the first training step.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::bet::{Arm, Criterion, Decision, Guardrail, Ladder};
use crate::judge::{ArchiveNoise, JUDGE, Rule};
use crate::plan::{Cell, Plan};
use crate::recipe::{RecipeHash, canonical_json, hash_hex, table_to_json};
use crate::tuning::Tuning;

/// A frozen bet, as `registration.json` holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registration {
    /// Content hash; it names the folder.
    pub hash: String,
    /// When it was frozen, UTC, RFC 3339.
    pub registered_at: String,
    /// The registration of the same name that this one amends, before any result of it was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amends: Option<String>,
    /// Hash over the three above: none can be changed without a trace.
    pub seal: String,
    /// What was frozen.
    pub content: Registered,
}

/// What is frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// Version of the rule's implementation.
    pub judge: u32,
    /// Name of the bet.
    pub name: String,
    /// The question.
    pub question: String,
    /// Labels of baseline and candidate.
    pub labels: [String; 2],
    /// The number that decides.
    pub primary: Criterion,
    /// How it decides.
    pub decision: Decision,
    /// The numbers that must not get worse.
    pub guardrails: Vec<Guardrail>,
    /// The rule as the judge applies it.
    pub rule: Rule,
    /// What the archive of A/A runs says of the primary metric's noise.
    pub noise: ArchiveNoise,
    /// The rule in plain words.
    pub words: Vec<String>,
    /// Sizes of the ladder.
    pub sizes: Vec<String>,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// The suite.
    pub evaluation: Value,
    /// The runs; where learning rates are tuned, every run with each factor that may be chosen.
    pub cells: Vec<RegisteredCell>,
    /// How learning rates are chosen, and by which runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tuning: Option<RegisteredTuning>,
}

/// The protocol of learning rates as it is frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisteredTuning {
    /// What both arms try.
    pub protocol: Tuning,
    /// The runs in which they try it.
    pub trials: Vec<RegisteredCell>,
}

/// A run as it is frozen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegisteredCell {
    /// Which side.
    pub arm: Arm,
    /// Model size.
    pub size: String,
    /// Seed.
    pub seed: u64,
    /// Content hash of the resolved recipe.
    pub recipe: RecipeHash,
    /// Parameters.
    pub params: u64,
    /// Tokens of training.
    pub tokens: u64,
    /// FLOPs of training.
    pub flops: f64,
    /// Factor on its learning rates, where they are tuned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub factor: Option<f64>,
}

impl From<&Cell> for RegisteredCell {
    fn from(c: &Cell) -> RegisteredCell {
        RegisteredCell {
            arm: c.arm,
            size: c.size.clone(),
            seed: c.seed,
            recipe: c.recipe.hash.clone(),
            params: c.recipe.params,
            tokens: c.recipe.tokens,
            flops: c.recipe.flops,
            factor: c.factor,
        }
    }
}

/// A registration of the same name found in the folder of runs.
struct Earlier {
    hash: String,
    registered_at: String,
    /// Runs of it whose results are known.
    known: usize,
}

/// Why a bet cannot be registered or its registration not be trusted.
#[derive(Debug, thiserror::Error)]
pub enum RegistrationError {
    /// A file cannot be read or written.
    #[error("{}: {source}\n  hint: the runs must be in a folder that is writable and has room", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a registration.
    #[error(
        "{} is not a registration: {message}; move the folder away and start again to register anew", path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// Results of a bet of the same name are known already.
    #[error(
        "the bet `{name}` was registered as {earlier} and results of {known} of its runs are known; a rule that is changed \
         after that proves nothing: give the changed bet a name of its own, or go back to what was registered"
    )]
    Unsealed {
        /// The bet.
        name: String,
        /// First digits of the earlier registration's hash.
        earlier: String,
        /// Runs whose results are known.
        known: usize,
    },
    /// The file was changed after it was frozen.
    #[error(
        "{} was changed after it was frozen ({what}); results under a changed rule prove nothing: restore it, or \
         move the folder away and start again to register anew",
        path.display()
    )]
    Tampered {
        /// The file.
        path: PathBuf,
        /// Which check failed.
        what: &'static str,
    },
}

impl Registration {
    /// Where the registration of `plan` belongs below `runs`: `bets/<name>-<first eight digits of its hash>`.
    pub fn folder(runs: &Path, plan: &Plan) -> PathBuf {
        let hash = content_hash(&content(plan));
        runs.join("bets").join(format!("{}-{}", plan.bet.name, &hash[..8]))
    }

    /// Freezes `plan`, or finds it frozen already. Returns the registration, its folder, and whether it is new.
    ///
    /// # Errors
    /// [`RegistrationError`] if files fail, or if a registration in that folder is not the one that was frozen.
    pub fn open(runs: &Path, plan: &Plan) -> Result<(Registration, PathBuf, bool), RegistrationError> {
        let folder = Registration::folder(runs, plan);
        let path = folder.join("registration.json");
        let wanted = content(plan);
        if path.exists() {
            let found = Registration::load(&path)?;
            if found.hash != content_hash(&wanted) {
                return Err(RegistrationError::Tampered { path, what: "it freezes another bet" });
            }
            return Ok((found, folder, false));
        }
        let hash = content_hash(&wanted);
        let mut earlier = Registration::earlier(runs, &plan.bet.name);
        if let Some(known) = earlier.iter().find(|e| e.known > 0) {
            return Err(RegistrationError::Unsealed {
                name: plan.bet.name.clone(),
                earlier: known.hash[..8].to_owned(),
                known: known.known,
            });
        }
        earlier.sort_by(|a, b| a.registered_at.cmp(&b.registered_at));
        let amends = earlier.pop().map(|e| e.hash);
        let registered_at = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let seal = seal(&hash, &registered_at, amends.as_deref());
        let registration = Registration { hash, registered_at, amends, seal, content: wanted };
        let text = serde_json::to_string_pretty(&registration)
            .map_err(|e| RegistrationError::Unreadable { path: path.clone(), message: e.to_string() })?;
        write_atomically(&path, text.as_bytes())
            .map_err(|source| RegistrationError::File { path: path.clone(), source })?;
        Ok((registration, folder, true))
    }

    /// The registrations of bets called `name`.
    fn earlier(runs: &Path, name: &str) -> Vec<Earlier> {
        Registration::of_name(runs, name)
            .into_iter()
            .map(|registration| {
                let cells = &registration.content.cells;
                let folder = |c: &RegisteredCell| {
                    format!("{name}-{}-{}-s{}-{}", c.arm, c.size, c.seed, c.recipe.short())
                };
                let known =
                    cells.iter().filter(|c| runs.join(folder(c)).join("metrics.json").exists()).count();
                Earlier { hash: registration.hash, registered_at: registration.registered_at, known }
            })
            .collect()
    }

    /// All sound registrations of bets called `name`, by folder.
    fn of_name(runs: &Path, name: &str) -> Vec<Registration> {
        let Ok(entries) = fs::read_dir(runs.join("bets")) else { return Vec::new() };
        let mut folders: Vec<PathBuf> = entries.filter_map(Result::ok).map(|e| e.path()).collect();
        folders.sort();
        folders
            .into_iter()
            .filter_map(|folder| Registration::load(&folder.join("registration.json")).ok())
            .filter(|registration| registration.content.name == name)
            .collect()
    }

    /// The noise that `plan` was registered with, if it was. The archive grows while a bet runs; the bet's noise does not.
    pub fn noise_of(runs: &Path, plan: &Plan) -> Option<ArchiveNoise> {
        let asked = content(plan);
        Registration::of_name(runs, &plan.bet.name).into_iter().find_map(|found| {
            let found = found.content;
            // Noise and the words that name it apart, it must be the same bet.
            let same = Registered { noise: asked.noise.clone(), words: asked.words.clone(), ..found.clone() }
                == asked;
            same.then_some(found.noise)
        })
    }

    /// Reads a registration and checks that it is what was frozen.
    ///
    /// # Errors
    /// [`RegistrationError`] if the file cannot be read or was changed.
    pub fn load(path: &Path) -> Result<Registration, RegistrationError> {
        let text = fs::read_to_string(path)
            .map_err(|source| RegistrationError::File { path: path.to_owned(), source })?;
        let registration: Registration = serde_json::from_str(&text)
            .map_err(|e| RegistrationError::Unreadable { path: path.to_owned(), message: e.to_string() })?;
        // The hash covers the file's own words, so that a field this version does not know counts too.
        let raw: Value = serde_json::from_str(&text)
            .map_err(|e| RegistrationError::Unreadable { path: path.to_owned(), message: e.to_string() })?;
        let tampered = |what| Err(RegistrationError::Tampered { path: path.to_owned(), what });
        if hash_hex(&canonical_json(&raw["content"])) != registration.hash {
            return tampered("its content does not have its hash");
        }
        let amends = registration.amends.as_deref();
        if seal(&registration.hash, &registration.registered_at, amends) != registration.seal {
            return tampered("its time or hash does not have its seal");
        }
        Ok(registration)
    }
}

fn content(plan: &Plan) -> Registered {
    let bet = &plan.bet;
    let Ladder { sizes, seeds, .. } = bet.ladder.clone();
    Registered {
        judge: JUDGE,
        name: bet.name.clone(),
        question: bet.question.clone(),
        labels: [bet.baseline.label.clone(), bet.candidate.label.clone()],
        primary: bet.primary.clone(),
        decision: bet.decision.clone(),
        guardrails: bet.guardrails.clone(),
        rule: bet.rule(),
        noise: plan.noise.clone(),
        words: bet.rule_in_words(&plan.noise),
        sizes,
        seeds,
        evaluation: table_to_json(&bet.evaluation),
        cells: plan.cells.iter().map(RegisteredCell::from).collect(),
        tuning: bet.tuning.clone().map(|protocol| RegisteredTuning {
            protocol,
            trials: plan.trials.iter().map(RegisteredCell::from).collect(),
        }),
    }
}

fn content_hash(content: &Registered) -> String {
    // Plain data without maps of foreign keys: turning it into JSON cannot fail.
    let value = serde_json::to_value(content).unwrap_or(Value::Null);
    hash_hex(&canonical_json(&value))
}

fn seal(hash: &str, registered_at: &str, amends: Option<&str>) -> String {
    let amended = amends.map(|hash| format!("\n{hash}")).unwrap_or_default();
    hash_hex(&format!("{hash}\n{registered_at}{amended}"))
}

/// Writes a file so that it is either whole or not there: beside it, to the disk, then in place.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
