//! Suites from TOML: a file of their own, or a bet's `[evaluation]`.

use std::path::Path;

use groundwork_arena::{SuiteSpec, standard_suite};
use groundwork_train::{from_toml, from_toml_table};

use crate::failure::Failure;

/// The hint where nothing better is known.
const FIELDS: &str = "the fields of a suite are listed in docs/evaluation.md";

/// Reads and checks a suite file.
pub fn read(path: &Path) -> Result<SuiteSpec, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| Failure::unreadable(path, &e))?;
    checked(from_toml(&text, &path.display().to_string(), FIELDS)?, path)
}

/// The suite that is meant: a standard one by the name of its capability, or a file.
pub fn named(suite: &str) -> Result<SuiteSpec, Failure> {
    match suite.parse() {
        Ok(capability) => {
            let suite = standard_suite(capability);
            suite.tasks().map(|_| suite).map_err(Failure::from)
        }
        Err(e) if !Path::new(suite).exists() && !suite.contains(['/', '.']) => {
            Err(Failure::input(format!("`{suite}` is no standard suite and no file: {e}")))
        }
        Err(_) => read(Path::new(suite)),
    }
}

/// The suite of the bet in `path`, checked.
pub fn of_bet(evaluation: &toml::Table, path: &Path) -> Result<SuiteSpec, Failure> {
    let suite: Result<SuiteSpec, _> = from_toml_table(evaluation, "evaluation", FIELDS);
    let placed = |complaint: String| {
        Failure::input(groundwork_lab::Bet::place(path, &complaint, "evaluation", &["evaluation".to_owned()]))
    };
    let suite = suite.map_err(|e: groundwork_train::TrainError| placed(e.to_string()))?;
    match suite.tasks() {
        Ok(_) => Ok(suite),
        Err(e) => Err(placed(e.to_string())),
    }
}

fn checked(suite: SuiteSpec, path: &Path) -> Result<SuiteSpec, Failure> {
    match suite.tasks() {
        Ok(_) => Ok(suite),
        Err(e) => Err(Failure::from(e).in_file(path)),
    }
}
