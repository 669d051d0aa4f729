//! What is done with stored scores.

use std::fs;
use std::path::{Path, PathBuf};

use groundwork_arena::{
    Evaluated, Replay, ScoreRow, SuiteSpec, compare, predictions, read_scores, render_page, render_replay,
    write_scores,
};

use super::{few_floors, metrics, tables};
use crate::commands::{print_json, runs, write_file};
use crate::failure::Failure;
use crate::table::plain;

/// Attempts that a page of stored scores shows step by step.
const EPISODES: usize = 60;

/// The file of scores that is meant: a file, one in a folder, or a run's.
fn scores_file(path: &Path) -> Result<PathBuf, Failure> {
    if path.is_file() {
        return Ok(path.to_owned());
    }
    let folder = if path.is_dir() { path.to_owned() } else { runs::folder(path)? };
    let file = folder.join("scores.parquet");
    if file.is_file() {
        return Ok(file);
    }
    Err(Failure::input(format!(
        "`{}` holds no scores\n  hint: `groundwork eval` writes them to `scores.parquet`",
        folder.display()
    )))
}

/// The suite that scores beside it are from, if it was stored, or what can be told from the scores.
fn suite_of(file: &Path, rows: &[ScoreRow]) -> SuiteSpec {
    let stored = fs::read(file.with_file_name("suite.json")).ok();
    if let Some(suite) = stored.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
        return suite;
    }
    let sorted = |mut all: Vec<String>| {
        all.sort();
        all.dedup();
        all
    };
    let mut levels: Vec<u32> = rows.iter().map(|r| r.level).collect();
    levels.sort_unstable();
    levels.dedup();
    SuiteSpec {
        worlds: sorted(rows.iter().map(|r| r.world.clone()).collect()),
        levels,
        faults: sorted(rows.iter().filter_map(|r| r.fault.clone()).collect()),
        ..SuiteSpec::default()
    }
}

/// Grades stored attempts again.
pub fn regrade(paths: &[PathBuf], check: bool) -> Result<(), Failure> {
    for path in paths {
        let file = scores_file(path)?;
        let rows = read_scores(&file)?;
        let mut regraded = Vec::with_capacity(rows.len());
        let (mut changed, mut drifted, mut first) = (0, 0, None);
        for row in &rows {
            let (again, differs) = row.regraded()?;
            if differs {
                drifted += 1;
                first.get_or_insert(row);
            }
            let same = (again.success, again.collateral) == (row.success, row.collateral);
            if !same {
                changed += 1;
                let fault = row.fault.as_deref().unwrap_or("no fault");
                println!(
                    "{}, level {}, {fault}, seed {}, {}: {} before, {} now",
                    row.world,
                    row.level,
                    row.seed,
                    row.policy,
                    grade(row),
                    grade(&again)
                );
            }
            regraded.push(again);
        }
        println!("{}: {changed} of {} grades change", file.display(), rows.len());
        if let Some(first) = first {
            println!(
                "  in {drifted} attempts the world says something else today: they were made in another version of it\n  \
                 the first: {}, level {}, seed {}",
                first.world, first.level, first.seed
            );
        }
        if !check && regraded != rows {
            write_scores(&file, &regraded)?;
            let model: Vec<ScoreRow> = regraded.into_iter().filter(|r| r.policy == "model").collect();
            let text = serde_json::to_vec_pretty(&metrics(&suite_of(&file, &model), &model)?)
                .expect("metrics are plain data");
            write_file(&file.with_file_name("metrics.json"), &text)?;
            println!("  written, with metrics.json beside it");
        }
    }
    Ok(())
}

fn grade(row: &ScoreRow) -> String {
    let word = if row.success { "solved" } else { "not solved" };
    if row.collateral > 0 { format!("{word} ({} collateral)", row.collateral) } else { word.to_owned() }
}

/// Which attempts are shown.
pub struct Wanted<'a> {
    pub world: Option<&'a str>,
    pub level: Option<u32>,
    pub fault: Option<&'a str>,
    pub failed: bool,
}

impl Wanted<'_> {
    fn holds(&self, row: &ScoreRow) -> bool {
        let fault = row.fault.as_deref().unwrap_or("none");
        self.world.is_none_or(|w| row.world == w)
            && self.level.is_none_or(|l| row.level == l)
            && self.fault.is_none_or(|f| fault == f)
            && !(self.failed && row.success)
    }
}

/// Shows stored attempts step by step.
pub fn replay(
    path: &Path,
    wanted: &Wanted<'_>,
    from: usize,
    count: usize,
    html: Option<&Path>,
) -> Result<(), Failure> {
    use std::io::IsTerminal;
    let file = scores_file(path)?;
    let rows = read_scores(&file)?;
    let chosen: Vec<&ScoreRow> = rows.iter().filter(|r| wanted.holds(r)).collect();
    if from >= chosen.len() {
        return Err(Failure::input(format!(
            "there is no attempt {from} among the {} that are chosen, of {} in all\n  hint: they are counted from 0",
            chosen.len(),
            rows.len()
        )));
    }
    let shown = &chosen[from..chosen.len().min(from + count)];
    if let Some(page) = html {
        let text = match shown {
            [row] => render_replay(&title(row), &Replay::of(row)?),
            _ => {
                let rows: Vec<ScoreRow> = shown.iter().map(|r| (*r).clone()).collect();
                let suite = suite_of(&file, &rows);
                let model = Evaluated { name: "attempts", rows: &rows, spent: "" };
                render_page("Attempts", &suite, &[model], &[], rows.len())?
            }
        };
        write_file(page, text.as_bytes())?;
        println!("page: {}", page.display());
        return Ok(());
    }
    let colour = std::io::stdout().is_terminal();
    for (i, row) in shown.iter().enumerate() {
        println!("{}attempt {} of {}: {}", if i > 0 { "\n" } else { "" }, from + i, chosen.len(), title(row));
        print!("{}", Replay::of(row)?.to_terminal(colour));
    }
    Ok(())
}

fn title(row: &ScoreRow) -> String {
    let fault = row.fault.as_deref().map_or("no fault".to_owned(), |f| format!("fault {f}"));
    format!("{}, level {}, {fault}, seed {}, by {}", row.world, row.level, row.seed, row.policy)
}

/// A name for scores: that of their folder.
fn name(file: &Path) -> String {
    let folder = file.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
    if folder.is_empty() { file.display().to_string() } else { folder.into_owned() }
}

fn model_rows(path: &Path) -> Result<(PathBuf, Vec<ScoreRow>), Failure> {
    let file = scores_file(path)?;
    let rows: Vec<ScoreRow> = read_scores(&file)?.into_iter().filter(|r| r.policy == "model").collect();
    Ok((file, rows))
}

/// Compares stored scores with those of the first.
pub fn compare_scores(paths: &[PathBuf], html: Option<&Path>, json: bool) -> Result<(), Failure> {
    let all = paths.iter().map(|p| model_rows(p)).collect::<Result<Vec<_>, _>>()?;
    let [(file, first), others @ ..] = all.as_slice() else { return Ok(()) };
    for (other, rows) in others {
        let tests = compare(first, rows);
        if tests.is_empty() {
            return Err(Failure::input(format!(
                "`{}` and `{}` have no task in common\n  hint: compare scores of the same suite and seed",
                file.display(),
                other.display()
            )));
        }
        if json {
            print_json(&serde_json::json!({"first": name(file), "other": name(other), "tests": tests}));
        } else {
            println!("{} compared with {}\n{}\n", name(other), name(file), tables::tests(first, rows));
        }
    }
    if let Some(page) = html {
        let suite = suite_of(file, first);
        let names: Vec<String> = all.iter().map(|(file, _)| name(file)).collect();
        let models: Vec<Evaluated<'_>> =
            all.iter().zip(&names).map(|((_, rows), name)| Evaluated { name, rows, spent: "" }).collect();
        let text = render_page(&names.join(", "), &suite, &models, &few_floors(&suite)?, EPISODES)?;
        write_file(page, text.as_bytes())?;
        if !json {
            println!("page: {}", page.display());
        }
    }
    Ok(())
}

/// Says how well the smaller model's metrics order the larger one's success.
pub fn predict(smaller: &Path, larger: &Path, json: bool) -> Result<(), Failure> {
    let (_, small) = model_rows(smaller)?;
    let (_, large) = model_rows(larger)?;
    let found = predictions(&[(&small, &large)]);
    if json {
        print_json(&found);
        return Ok(());
    }
    if found.is_empty() {
        return Err(Failure::input(
            "nothing can be ordered: the models share fewer than 4 cells, or the larger one's success is the same in all\n  \
             hint: evaluate both in a suite with several worlds and levels in which the larger one solves something",
        ));
    }
    let mut table = plain(["metric of the smaller", "rank correlation", "95% interval", "cells"], 1);
    for p in found {
        let m = p.correlation;
        table.add_row([
            p.metric,
            format!("{:+.3}", m.value),
            format!("{:+.3} – {:+.3}", m.low, m.high),
            m.n.to_string(),
        ]);
    }
    println!("{table}");
    println!(
        "with the larger one's success over cells of world, level and fault; +1: the better the metric, the more success"
    );
    Ok(())
}
