//! `groundwork eval`

use comfy_table::Table;
use groundwork_arena::{
    Faults, Metrics, Progress, ScoreRow, SuiteSpec, breakdown, evaluate, summarise, write_scores,
};
use groundwork_train::Trained;

use super::{print_json, runs, set_threads, write_file};
use crate::cli::EvalArgs;
use crate::failure::Failure;
use crate::progress::Bars;
use crate::suite;
use crate::table::plain;

pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    set_threads(args.threads)?;
    let suite = match &args.suite {
        Some(path) => suite::read(path)?,
        None => SuiteSpec::default(),
    };
    let run = runs::folder(&args.run)?;
    let trained = Trained::open(&run, args.device)?;
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
    write_scores(&run.join("scores.parquet"), &rows)?;
    // The metrics come last: where they are, the evaluation is whole.
    let text = serde_json::to_vec_pretty(&metrics).expect("metrics are plain data");
    write_file(&run.join("metrics.json"), &text)?;
    if args.json {
        print_json(&serde_json::json!({"event": "metrics", "metrics": metrics}));
    } else {
        println!("{}, {} steps: {} attempts\n", run.display(), trained.step, rows.len());
        println!("{}\n", metric_table(&metrics));
        println!("{}", success_table(&rows));
    }
    Ok(())
}

/// Success by world, level and fault, the single cells only.
fn success_table(rows: &[ScoreRow]) -> Table {
    let mut table = plain(["world", "level", "fault", "success", "95% interval", "n"], 3);
    for part in breakdown(rows) {
        let (Some(world), Some(level)) = (&part.world, part.level) else { continue };
        let fault = match &part.fault {
            Faults::Clean => "none",
            Faults::Only(fault) => fault,
            Faults::All | Faults::Faulty => continue,
        };
        if let Some(m) = part.metrics.get("success_rate") {
            table.add_row([
                world.clone(),
                level.to_string(),
                fault.to_owned(),
                format!("{:.1}%", 100.0 * m.value),
                format!("{:.1} – {:.1}", 100.0 * m.low, 100.0 * m.high),
                m.n.to_string(),
            ]);
        }
    }
    table
}

/// Metrics as an aligned table.
fn metric_table(metrics: &Metrics) -> Table {
    let mut table = plain(["metric", "value", "95% interval", "n"], 1);
    for (name, m) in metrics {
        table.add_row([
            name.clone(),
            format!("{:.3}", m.value),
            format!("{:.3} – {:.3}", m.low, m.high),
            m.n.to_string(),
        ]);
    }
    table
}
