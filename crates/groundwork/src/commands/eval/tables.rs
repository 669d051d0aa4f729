//! Scores as aligned tables.

use comfy_table::Table;
use groundwork_arena::{Faults, Metrics, ScoreRow, breakdown, compare, holm};

use crate::table::plain;

/// Success by world, level and fault, the single cells only.
pub fn success(rows: &[ScoreRow]) -> Table {
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

/// Metrics with their intervals.
pub fn metrics(metrics: &Metrics) -> Table {
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

/// Paired tests of two models.
pub fn tests(first: &[ScoreRow], second: &[ScoreRow]) -> Table {
    let tests = compare(first, second);
    let corrected = holm(&tests.iter().map(|t| t.p).collect::<Vec<_>>());
    let mut table =
        plain(["metric", "first", "other", "difference", "95% interval", "groups", "p", "corrected"], 1);
    for (t, corrected) in tests.iter().zip(corrected) {
        table.add_row([
            t.metric.clone(),
            format!("{:.3}", t.first),
            format!("{:.3}", t.second),
            format!("{:+.3}", t.difference.value),
            format!("{:+.3} – {:+.3}", t.difference.low, t.difference.high),
            t.difference.n.to_string(),
            format!("{:.4}", t.p),
            format!("{corrected:.4}"),
        ]);
    }
    table
}
