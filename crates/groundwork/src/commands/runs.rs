//! `groundwork runs`

use std::path::{Path, PathBuf};

use comfy_table::Table;
use groundwork_history::{TrackioWriter, export_to_tensorboard, export_to_trackio};
use groundwork_lab::{Run, RunStore, RunStoreError, RunSummary};

use super::print_json;
use crate::cli::{ExportArgs, RunsCommand};
use crate::failure::Failure;
use crate::progress::{count, duration};
use crate::table::{NONE, plain};

impl From<RunStoreError> for Failure {
    fn from(e: RunStoreError) -> Self {
        Failure::input(e)
    }
}

pub fn run(command: RunsCommand) -> Result<(), Failure> {
    match command {
        RunsCommand::List { runs, json } => {
            let all = RunStore::new(&runs).list()?;
            if json {
                print_json(&all);
            } else if all.is_empty() {
                println!("no runs in `{}` yet", runs.display());
            } else {
                println!("{}", list(&all));
            }
            Ok(())
        }
        RunsCommand::Show { run, json } => {
            let found = Run::load(&folder(&run)?)?;
            if json {
                print_json(&found.summary);
            } else {
                show(&found);
            }
            Ok(())
        }
        RunsCommand::Export(args) => export(&args),
    }
}

fn export(args: &ExportArgs) -> Result<(), Failure> {
    let store = RunStore::new(&args.runs);
    let mut folders = Vec::new();
    for name in &args.names {
        let as_name = || store.find(&name.to_string_lossy()).map(|found| args.runs.join(found));
        folders.push(if name.is_dir() { name.clone() } else { as_name()? });
    }
    if args.names.is_empty() {
        folders.extend(store.list()?.into_iter().map(|r| args.runs.join(r.folder)));
    }
    if folders.is_empty() {
        return Err(Failure::input(format!("there are no runs in `{}`", args.runs.display())));
    }
    let mut trackio = args.trackio.as_deref().map(TrackioWriter::open).transpose().map_err(Failure::work)?;
    for folder in &folders {
        let run = Run::load(folder)?;
        if let Some(to) = &args.tensorboard {
            export_to_tensorboard(&run, to).map_err(Failure::work)?;
        }
        if let Some(to) = &mut trackio {
            export_to_trackio(&run, to).map_err(Failure::work)?;
        }
    }
    for to in args.tensorboard.iter().chain(&args.trackio) {
        println!("{} runs written to `{}`", folders.len(), to.display());
    }
    Ok(())
}

/// The folder of a run that is given as such, or by its name (or the beginning of it) under `runs/`.
pub fn folder(run: &Path) -> Result<PathBuf, Failure> {
    if run.is_dir() {
        return Ok(run.to_owned());
    }
    let parent = run.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("runs"));
    let name = run.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(parent.join(RunStore::new(parent).find(&name)?))
}

fn list(all: &[RunSummary]) -> Table {
    let mut table = plain(["run", "status", "size", "seed", "tokens", "loss", "success"], 2);
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| NONE.into());
    for r in all {
        let done = r.done.as_ref();
        table.add_row([
            r.folder.clone(),
            r.status.to_string(),
            or_dash(r.size.clone()),
            or_dash(r.seed.map(|s| s.to_string())),
            or_dash(done.map(|d| count(d.tokens as f64))),
            or_dash(done.and_then(|d| d.final_loss).map(|l| format!("{l:.3}"))),
            or_dash(r.metrics.get("success_rate").map(|m| format!("{:.1}%", 100.0 * m.value))),
        ]);
    }
    table
}

fn show(run: &Run) {
    let s = &run.summary;
    println!("{}  {}", run.path.display(), s.status);
    if let Some(d) = &s.done {
        println!(
            "  {} steps, {} tokens, {}FLOP in {}, {}B of memory",
            d.steps,
            count(d.tokens as f64),
            count(d.flops),
            duration(d.seconds),
            count(d.peak_memory_bytes as f64)
        );
        println!("\nloss, nats a token, over the last tenth");
        if let Some(loss) = d.final_loss {
            println!("  {:14} {loss:.4}", "weighted");
        }
        for (kind, loss) in &d.loss_by_kind {
            println!("  {kind:14} {loss:.4}");
        }
    }
    if !s.metrics.is_empty() {
        println!("\nscores");
        for (name, m) in &s.metrics {
            let interval = match (m.low, m.high) {
                (Some(low), Some(high)) => format!("{low:.3} – {high:.3}"),
                _ => String::new(),
            };
            println!("  {name:28} {:>8.3}  {interval}", m.value);
        }
    }
    for incident in &run.log.incidents {
        println!("\nincident at step {}: {}", incident.step, incident.message);
    }
    println!("\nrecipe\n{}", indent(&toml::to_string(&run.recipe).unwrap_or_default()));
}

fn indent(text: &str) -> String {
    text.lines().map(|l| if l.is_empty() { "\n".into() } else { format!("  {l}\n") }).collect()
}
