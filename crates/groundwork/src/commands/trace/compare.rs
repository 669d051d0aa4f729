//! `groundwork trace stats` and `groundwork trace diff`

use std::io::IsTerminal;
use std::path::Path;

use groundwork_trace::{Difference, Span, Stats, Tool, Trace, diff};
use groundwork_worlds::tool_set;

use super::{each_trace, plural};
use crate::failure::Failure;
use crate::table::plain;

/// Counts over the traces of a file, as text.
pub fn stats(file: &Path) -> Result<String, Failure> {
    let mut stats = Stats::default();
    each_trace(file, |trace| stats.add(&trace, |name| tool_set(name).map(<[Tool]>::to_vec)))?;
    let mut kinds = plain(["kind", "spans", "bytes"], 1);
    for (kind, count) in &stats.spans {
        kinds.add_row([kind.to_string(), count.spans.to_string(), count.bytes.to_string()]);
    }
    let own = match stats.own_bytes {
        1 => "1 byte is".to_owned(),
        n => format!("{n} bytes are"),
    };
    let traces = plural(stats.traces, "trace");
    let mut text = format!("{} {traces}, {own} the world's own\n\n{kinds}\n", stats.traces);
    text += &format!("\nactions: {} marked failed\n", stats.failed);
    let mut counted = |title: &str, counts: Vec<(&str, usize)>| {
        if !counts.is_empty() {
            let parts: Vec<String> = counts.iter().map(|(name, n)| format!("{name} {n}")).collect();
            text += &format!("{title}: {}\n", parts.join(", "));
        }
    };
    counted("status", stats.statuses.iter().map(|(k, n)| (*k, *n)).collect());
    counted("tools", stats.tools.iter().map(|(k, n)| (k.as_str(), *n)).collect());
    counted("faults", stats.faults.iter().map(|(k, n)| (k.as_str(), *n)).collect());
    Ok(text)
}

/// The steps of two traces side by side, and whether they differ at all.
pub fn differences(left: &Trace, right: &Trace) -> (String, bool) {
    let colour = std::io::stdout().is_terminal();
    let drawn = |span: &Span| Trace::new(vec![span.clone()]).to_terminal(colour);
    let marked = |mark: char, span: &Span| -> String {
        drawn(span).lines().map(|line| format!("{mark} {line}\n")).collect()
    };
    let found = diff(left, right);
    let mut text = String::new();
    for (i, step) in found.steps.iter().enumerate() {
        if found.divergence == Some(i) {
            text += "──── here they part ────\n";
        }
        text += &match *step {
            Difference::Same(i, _) => marked(' ', &left.spans[i]),
            Difference::Metadata(i, j) => marked('~', &left.spans[i]) + &marked('~', &right.spans[j]),
            Difference::Changed(i, j) => marked('-', &left.spans[i]) + &marked('+', &right.spans[j]),
            Difference::Removed(i) => marked('-', &left.spans[i]),
            Difference::Added(j) => marked('+', &right.spans[j]),
        };
    }
    (text, found.divergence.is_some())
}
