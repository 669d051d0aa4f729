//! `groundwork lab`

use std::path::Path;

use comfy_table::Table;
use groundwork_lab::{ARCHIVE_FILE, LEAST_SIGNAL, NoiseArchive};

use super::print_json;
use crate::cli::LabCommand;
use crate::failure::Failure;
use crate::table::{NONE, plain};

pub fn run(command: LabCommand) -> Result<(), Failure> {
    match command {
        LabCommand::Noise { runs, json } => noise(&runs, json),
    }
}

fn noise(runs: &Path, json: bool) -> Result<(), Failure> {
    let archive = NoiseArchive::gather(runs)?;
    if !archive.entries.is_empty() {
        archive.write(runs).map_err(|e| Failure::unwritable(&runs.join(ARCHIVE_FILE), &e))?;
    }
    if json {
        print_json(&archive);
        return Ok(());
    }
    if archive.entries.is_empty() {
        println!(
            "no noise can be told in `{}`: it takes two finished runs that differ in their seed alone",
            runs.display()
        );
    } else {
        println!("{}", table(&archive));
        println!(
            "\nsd: of a run, within runs that differ in their seed alone, on df degrees of freedom\npair: standard \
             deviation of the difference within a pair\nsignal: range of the recipes' means over sd; below {LEAST_SIGNAL} a \
             metric is refused as primary"
        );
        println!("archive {}: {}", archive.digest(), runs.join(ARCHIVE_FILE).display());
    }
    if archive.too_old > 0 {
        println!("{} runs are more than 90 days old and do not count", archive.too_old);
    }
    Ok(())
}

fn table(archive: &NoiseArchive) -> Table {
    let mut table =
        plain(["metric", "size", "runs", "recipes", "mean", "sd", "df", "pair", "correlation", "signal"], 2);
    let digits = |v: f64| format!("{v:.4}");
    let or_dash = |v: Option<f64>| v.map_or_else(|| NONE.to_owned(), |v| format!("{v:.2}"));
    for e in &archive.entries {
        table.add_row([
            e.metric.clone(),
            e.size.clone(),
            e.runs.to_string(),
            e.families.to_string(),
            digits(e.mean),
            digits(e.sd),
            format!("{:.0}", e.df),
            digits(e.pair_sd()),
            or_dash(e.correlation),
            or_dash(e.signal_to_noise),
        ]);
    }
    table
}
