//! The ledger of predictions: every interval that the engine gave, and whether the truth fell into it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::judge::{Defined, Judgement};

/// Name of the file in the folder of runs; one prediction a line.
pub const LEDGER_FILE: &str = "predictions.jsonl";
/// From so many predictions on their errors, and not a distribution, can say how wide an interval must be: with 90 % the
/// quantile exists from 19 (two-sided split-conformal).
const CONFORMAL: usize = 19;

/// A prediction of an effect with its 90 % interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Registration of the bet, or the name of what was judged.
    pub bet: String,
    /// What was predicted: `rung 300M`, `target 1.2e21`.
    pub what: String,
    /// Version of the judge.
    pub judge: u32,
    /// The prediction.
    pub predicted: f64,
    /// Lower end of its 90 % interval.
    pub low: f64,
    /// Upper end of its 90 % interval.
    pub high: f64,
    /// What was measured; `None` while it is open.
    pub measured: Option<f64>,
}

/// How the predictions fared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Coverage {
    /// Predictions whose truth is known.
    pub known: usize,
    /// Of these, inside their interval.
    pub inside: usize,
    /// Predictions whose truth is not known yet.
    pub open: usize,
    /// By how much the intervals would have had to be widened to hold 90 %, from 19 known predictions on (split-conformal).
    pub widen: Option<f64>,
}

impl std::fmt::Display for Coverage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.known == 0 {
            write!(f, "no prediction has met its truth yet")?;
        } else {
            write!(f, "{} of the last {} 90 % intervals held the truth", self.inside, self.known)?;
        }
        if self.open > 0 {
            write!(f, ", {} are open", self.open)?;
        }
        if let Some(widen) = self.widen {
            write!(f, "; {:.2} times their width would have held 90 %", widen)?;
        }
        Ok(())
    }
}

/// The ledger in a folder of runs.
#[derive(Clone, Debug)]
pub struct Ledger {
    path: PathBuf,
    predictions: Vec<Prediction>,
}

impl Ledger {
    /// Reads the ledger; lines that cannot be understood, such as a last one cut short, are passed over.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn open(runs: &Path) -> std::io::Result<Ledger> {
        let path = runs.join(LEDGER_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(e),
        };
        let predictions = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Ledger { path, predictions })
    }

    /// Enters the predictions of a judgement that are not there yet: the largest rung as the smaller ones predict it, and the
    /// target.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn enter(&mut self, bet: &str, judgement: &Judgement) -> std::io::Result<()> {
        let Defined::Value(ladder) = &judgement.ladder else { return Ok(()) };
        let mut new = vec![Prediction {
            bet: bet.to_owned(),
            what: format!("target {:.3e}", ladder.target),
            judge: judgement.judge,
            predicted: ladder.at_target,
            low: ladder.low,
            high: ladder.high,
            measured: None,
        }];
        if let (Defined::Value(test), Some(top)) = (&ladder.back_test, judgement.top()) {
            new.push(Prediction {
                what: format!("rung {}", top.rung),
                predicted: test.predicted,
                low: test.low,
                high: test.high,
                measured: Some(test.measured),
                ..new[0].clone()
            });
        }
        for prediction in new {
            if self.predictions.iter().any(|p| p.bet == prediction.bet && p.what == prediction.what) {
                continue;
            }
            let mut line = serde_json::to_string(&prediction).map_err(std::io::Error::other)?;
            line.push('\n');
            if let Some(folder) = self.path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(line.as_bytes())?;
            self.predictions.push(prediction);
        }
        Ok(())
    }

    /// How the last hundred predictions with a known truth fared.
    pub fn coverage(&self) -> Coverage {
        let known: Vec<&Prediction> =
            self.predictions.iter().filter(|p| p.measured.is_some()).rev().take(100).collect();
        let mut scores: Vec<f64> = known
            .iter()
            .filter_map(|p| Some((p.measured? - p.predicted).abs() / (0.5 * (p.high - p.low))))
            .collect();
        scores.sort_by(f64::total_cmp);
        let place = (0.9 * (scores.len() as f64 + 1.0)).ceil() as usize;
        Coverage {
            known: known.len(),
            inside: scores.iter().filter(|s| **s <= 1.0).count(),
            open: self.predictions.iter().filter(|p| p.measured.is_none()).count(),
            widen: (scores.len() >= CONFORMAL).then(|| scores.get(place - 1).copied()).flatten(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coverage_counts_what_is_known_and_a_broken_line_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut text = String::new();
        for i in 0..20 {
            let p = Prediction {
                bet: format!("{i}"),
                what: "rung".into(),
                judge: 2,
                predicted: 0.0,
                low: -1.0,
                high: 1.0,
                measured: Some(f64::from(i) / 10.0),
            };
            text += &(serde_json::to_string(&p).unwrap() + "\n");
        }
        fs::write(folder.path().join(LEDGER_FILE), text + "{\"bet\": \"cut sho").unwrap();
        let coverage = Ledger::open(folder.path()).unwrap().coverage();
        assert_eq!((coverage.known, coverage.inside, coverage.open), (20, 11, 0));
        assert!((coverage.widen.unwrap() - 1.8).abs() < 1e-12);
        assert!(coverage.to_string().starts_with("11 of the last 20"));
        let empty = tempfile::tempdir().unwrap();
        assert_eq!(Ledger::open(empty.path()).unwrap().coverage(), Coverage::default());
    }
}
