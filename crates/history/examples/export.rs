//! Our own runs for TensorBoard and Trackio, without building the trainer:
//! `cargo run --release -p groundwork-history --example export -- RUNS tensorboard FOLDER`, or `… RUNS trackio FILE.db`.

use std::path::PathBuf;
use std::process::ExitCode;

use groundwork_history::{TrackioWriter, export_to_tensorboard, export_to_trackio};
use groundwork_lab::{Run, RunStore};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [runs, kind, to] = args.as_slice() else {
        eprintln!(
            "error: want three arguments: export RUNS tensorboard FOLDER, or export RUNS trackio FILE.db"
        );
        return ExitCode::from(2);
    };
    match export(&PathBuf::from(runs), kind, &PathBuf::from(to)) {
        Ok(n) => {
            println!("{n} runs written to `{to}`");
            ExitCode::SUCCESS
        }
        Err(e) => {
            eprintln!("error: {e}");
            ExitCode::from(2)
        }
    }
}

fn export(
    runs: &std::path::Path,
    kind: &str,
    to: &std::path::Path,
) -> Result<usize, Box<dyn std::error::Error>> {
    let all: Vec<Run> = RunStore::new(runs)
        .list()?
        .into_iter()
        .map(|summary| Run::load(&runs.join(summary.folder)))
        .collect::<Result<_, _>>()?;
    match kind {
        "tensorboard" => {
            for run in &all {
                export_to_tensorboard(run, to)?;
            }
        }
        "trackio" => {
            let mut writer = TrackioWriter::open(to)?;
            for run in &all {
                export_to_trackio(run, &mut writer)?;
            }
        }
        other => return Err(format!("`{other}` is neither `tensorboard` nor `trackio`").into()),
    }
    Ok(all.len())
}
