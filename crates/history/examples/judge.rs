//! A verdict on run histories, without building the trainer:
//! `cargo run --release -p groundwork-history --example judge -- QUESTION.toml FILES…`.
//! `docs/run-histories.md` has the question's fields.

use std::path::PathBuf;
use std::process::ExitCode;

use groundwork_history::{Histories, HistoriesError, HistoryQuestion};
use groundwork_lab::judge::{ArchiveNoise, Defined, judge};

fn main() -> ExitCode {
    let args: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let Some((question, files)) = args.split_first().filter(|(_, files)| !files.is_empty()) else {
        eprintln!("error: want a question (TOML) and histories: judge QUESTION.toml FILES…");
        return ExitCode::from(2);
    };
    match answer(question, files) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(2)
        }
    }
}

fn answer(question: &std::path::Path, files: &[PathBuf]) -> Result<String, HistoriesError> {
    let question = HistoryQuestion::load(question)?;
    let Histories { table, rule, candidates, problems, assumed } = question.ask(files)?;
    let mut out = String::new();
    for candidate in &candidates {
        let j = judge(&table, candidate, &rule, &ArchiveNoise::default());
        out += &format!("{candidate} against {}: {}\n{}\n", table.baseline, j.ruling, j.sentence);
        j.reasons.iter().filter(|r| **r != j.sentence).for_each(|r| out += &format!("{r}\n"));
        for rung in &j.rungs {
            let multiplier = match &rung.multiplier {
                Defined::Value(m) => format!("multiplier {:.4}", m.value),
                Defined::Undefined(why) => format!("no multiplier: {why}"),
            };
            let [before, after] = rung.means;
            let pairs = rung.pairs.len();
            out += &format!("  {}: {pairs} pairs, {before:.5} to {after:.5}, {multiplier}\n", rung.rung);
        }
        let problems = problems.iter().chain(&j.problems).map(ToString::to_string);
        for (title, items) in [
            ("what would decide it", j.next.clone()),
            ("to bear in mind", j.caveats.clone()),
            ("assumed", assumed.clone()),
            ("in the data", problems.collect()),
        ] {
            if !items.is_empty() {
                out += &format!("{title}\n");
                items.iter().for_each(|item| out += &format!("  - {item}\n"));
            }
        }
    }
    Ok(out)
}
