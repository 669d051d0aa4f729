//! Scores as aligned tables.

use comfy_table::Table;
use groundwork_arena::{Ended, Faults, Metrics, ScoreRow, breakdown, compare, holm, reference_agents};

use super::success_of;
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

/// How attempts ended, and what is not the model's doing.
pub fn endings(rows: &[ScoreRow]) -> String {
    let count = |ended: Ended| rows.iter().filter(|r| r.ended == ended).count();
    let all = Ended::ALL.into_iter().filter(|e| count(*e) > 0).map(|e| format!("{e} {}", count(e)));
    let mut line = all.collect::<Vec<_>>().join(", ");
    let not_played = count(Ended::Prompt);
    if not_played > 0 {
        line += &format!(
            "\nwarning: {not_played} of {} attempts were not begun, as the prompt alone takes more than `max_tokens`; they count as \
             not solved",
            rows.len()
        );
    }
    let too_long = count(Ended::TooLong);
    if too_long > 0 {
        line += &format!("\nwarning: {too_long} replies were longer than is read, and ended their attempts");
    }
    line
}

/// What the reference agents reach.
pub fn floors(rows: &[ScoreRow]) -> String {
    let rate = |agent| Some(format!("{agent} {:.1}%", 100.0 * success_of(agent, rows)?));
    let all: Vec<String> = reference_agents().filter_map(rate).collect();
    format!("success of reference agents: {}", all.join(", "))
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
