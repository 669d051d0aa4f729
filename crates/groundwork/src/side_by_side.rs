//! How many runs of a bet go side by side, and with how many threads each: whatever trains fastest on this machine, as far as
//! its memory reaches.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use groundwork_train::{Trial, available_memory};

use crate::failure::Failure;
use crate::progress::{bytes, count};

/// Seconds that each way is tried, beside its start and first step.
const SECONDS: &str = "1.5";
/// The share of the available memory that runs may take.
const SHARE: f64 = 0.8;

/// A number of runs side by side and the threads of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    pub parallel: usize,
    pub threads: usize,
}

/// The layout that is best at one recipe, and why.
#[derive(Clone, Debug)]
pub struct Choice {
    pub layout: Layout,
    /// Every layout that was tried: tokens a second of all its runs together, and the largest memory of one.
    tried: Vec<(Layout, f64, u64)>,
    /// Memory that was available.
    available: Option<u64>,
}

impl Choice {
    /// Tries the layouts that use all of `cores` with at most `runs` at a time on the recipe of a run.
    ///
    /// # Errors
    /// If the recipe cannot be handed to a trial, or the trial of one run alone fails.
    pub fn measure(recipe: &toml::Table, runs: usize, cores: usize) -> Result<Choice, Failure> {
        let file = std::env::temp_dir().join(format!("groundwork-trial-{}.toml", std::process::id()));
        let text = toml::to_string(recipe).map_err(Failure::work)?;
        fs::write(&file, text).map_err(|e| Failure::unwritable(&file, &e))?;
        let choice = Choice::of_file(&file, runs, cores);
        // It lies among temporary files; one that cannot be removed is no reason to stop.
        drop(fs::remove_file(&file));
        choice
    }

    fn of_file(recipe: &Path, runs: usize, cores: usize) -> Result<Choice, Failure> {
        let available = available_memory();
        let mut choice =
            Choice { layout: Layout { parallel: 1, threads: cores }, tried: Vec::new(), available };
        let (rate, memory) = together(recipe, choice.layout).map_err(Failure::work)?;
        choice.tried.push((choice.layout, rate, memory));
        for parallel in (2..=cores.min(runs)).filter(|n| cores.is_multiple_of(*n)) {
            let layout = Layout { parallel, threads: cores / parallel };
            if !fits(parallel, memory, available) {
                break;
            }
            // A layout that cannot even be tried is none.
            let Ok((rate, memory)) = together(recipe, layout) else { continue };
            if fits(parallel, memory, available) {
                choice.tried.push((layout, rate, memory));
            }
        }
        if let Some((best, ..)) = choice.tried.iter().max_by(|a, b| a.1.total_cmp(&b.1)) {
            choice.layout = *best;
        }
        Ok(choice)
    }

    /// Tokens a second of one of the runs.
    pub fn tokens_per_second(&self) -> f64 {
        let best = self.tried.iter().find(|t| t.0 == self.layout);
        best.map_or(0.0, |(layout, rate, _)| rate / layout.parallel as f64)
    }

    /// What was tried, in a sentence.
    pub fn to_text(&self) -> String {
        let of = |(layout, rate, memory): &(Layout, f64, u64)| {
            format!(
                "{} × {}: {} tokens/s, {} a run",
                layout.parallel,
                layout.threads,
                count(*rate),
                bytes(*memory)
            )
        };
        let tried: Vec<String> = self.tried.iter().map(of).collect();
        let room = self.available.map_or_else(String::new, |n| format!("; {} of memory available", bytes(n)));
        format!("tried, runs × threads: {}{room}", tried.join("; "))
    }
}

fn fits(parallel: usize, memory: u64, available: Option<u64>) -> bool {
    available.is_none_or(|all| parallel as f64 * memory as f64 <= SHARE * all as f64)
}

/// Runs the trials of a layout side by side; returns their tokens a second together and the largest memory of one.
fn together(recipe: &Path, layout: Layout) -> Result<(f64, u64), String> {
    let program: PathBuf = std::env::current_exe().map_err(|e| e.to_string())?;
    let start = || -> std::io::Result<Child> {
        Command::new(&program)
            .arg("train")
            .arg(recipe)
            .args(["--trial", SECONDS, "--json", "--threads", &layout.threads.to_string()])
            .env("RAYON_NUM_THREADS", layout.threads.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
    };
    let children: Vec<Child> =
        (0..layout.parallel).map(|_| start()).collect::<Result<_, _>>().map_err(|e| e.to_string())?;
    let mut all = (0.0, 0);
    let mut failed = None;
    // Every child is waited for, also after one has failed.
    for child in children {
        let output = child.wait_with_output().map_err(|e| e.to_string())?;
        match serde_json::from_slice::<Trial>(&output.stdout) {
            Ok(trial) if output.status.success() => {
                all = (all.0 + trial.tokens_per_second, trial.peak_memory_bytes.max(all.1));
            }
            _ => failed = Some(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        }
    }
    match failed {
        Some(why) => Err(format!("a trial of the largest size failed: {why}")),
        None => Ok(all),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_bounds_how_many_go_side_by_side() {
        assert!(fits(4, 1 << 30, Some(8 << 30)));
        assert!(!fits(8, 1 << 30, Some(8 << 30)));
        assert!(fits(64, 1 << 40, None));
    }

    #[test]
    fn the_rate_of_one_run_is_its_share() {
        let (two, one) = (Layout { parallel: 2, threads: 1 }, Layout { parallel: 1, threads: 2 });
        let tried = vec![(one, 40_000.0, 100 << 20), (two, 50_000.0, 90 << 20)];
        let choice = Choice { layout: two, tried, available: Some(4 << 30) };
        assert_eq!(choice.tokens_per_second(), 25_000.0);
        assert_eq!(
            choice.to_text(),
            "tried, runs × threads: 1 × 2: 40 k tokens/s, 100 MiB a run; 2 × 1: 50 k tokens/s, 90 MiB a run; \
             4.0 GiB of memory available"
        );
    }
}
