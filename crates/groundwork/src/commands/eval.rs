//! `groundwork eval`

use std::fs;
use std::path::Path;

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, Table};
use groundwork_arena::{Metrics, Progress, SuiteSpec, breakdown, evaluate, summarise, write_scores};
use groundwork_train::Trained;

use super::{print_json, set_threads};
use crate::cli::EvalArgs;
use crate::failure::Failure;
use crate::progress::Bars;

pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    set_threads(args.threads)?;
    let suite = match &args.suite {
        Some(path) => read_suite(path)?,
        None => SuiteSpec::default(),
    };
    let trained = Trained::open(&args.run)?;
    let bars = Bars::new();
    let mut bar = (!args.json).then(|| bars.bar("evaluating", 1));
    let rows = evaluate(&trained.decoder, &trained.tokenizer, &suite, &mut |p: Progress| match &mut bar {
        Some(bar) => {
            bar.set_length(p.of as u64);
            bar.set(p.done as u64, &format!("{} of {}", p.done, p.of));
        }
        None => print_json(&serde_json::json!({"event": "progress", "done": p.done, "of": p.of})),
    })?;
    if let Some(bar) = bar {
        bar.clear();
    }
    let metrics = summarise(&rows);
    write_scores(&args.run.join("scores.parquet"), &rows)?;
    // The metrics come last: where they are, the evaluation is whole.
    let path = args.run.join("metrics.json");
    let text = serde_json::to_vec_pretty(&metrics).expect("metrics are plain data");
    let temporary = path.with_extension("tmp");
    fs::write(&temporary, text)
        .and_then(|()| fs::rename(&temporary, &path))
        .map_err(|e| Failure::work(format!("`{}`: {e}", path.display())))?;
    if args.json {
        print_json(&serde_json::json!({"event": "metrics", "metrics": metrics}));
    } else {
        println!("{}, {} steps: {} attempts\n", args.run.display(), trained.step, rows.len());
        println!("{}\n", metric_table(&metrics));
        let mut table = Table::new();
        table.load_preset(NOTHING).set_header(["world", "level", "fault", "success", "95%", "n"]);
        for b in breakdown(&rows) {
            table.add_row([
                b.world.clone(),
                b.level.to_string(),
                b.fault.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string),
                format!("{:.1}%", 100.0 * b.success.value),
                format!("{:.1}–{:.1}", 100.0 * b.success.low, 100.0 * b.success.high),
                b.success.n.to_string(),
            ]);
        }
        right(&mut table, 3..6);
        println!("{table}");
    }
    Ok(())
}

fn right(table: &mut Table, columns: std::ops::Range<usize>) {
    for i in columns {
        if let Some(column) = table.column_mut(i) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}

/// Metrics as an aligned table.
pub fn metric_table(metrics: &Metrics) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(["metric", "value", "95% interval", "n"]);
    for (name, m) in metrics {
        table.add_row([
            name.clone(),
            format!("{:.3}", m.value),
            format!("{:.3} – {:.3}", m.low, m.high),
            m.n.to_string(),
        ]);
    }
    right(&mut table, 1..4);
    table
}

/// Reads a suite file.
fn read_suite(path: &Path) -> Result<SuiteSpec, Failure> {
    let text = fs::read_to_string(path).map_err(|e| Failure::input(format!("`{}`: {e}", path.display())))?;
    toml::from_str(&text)
        .map_err(|e| Failure::input(format!("`{}`: {}", path.display(), e.to_string().trim_end())))
}
