//! The verdict as text for a terminal. No colour: the words carry all of it.

use std::fmt::Write;

use crate::figures;
use crate::rule::plural;
use crate::scaling::Defined;
use crate::score::title_of;
use crate::verdict::{DropReason, GuardrailState, Ruling, Verdict};

impl Verdict {
    /// The verdict as text, lines up to about 100 columns, tables aligned.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let because = match self.ruling {
            Ruling::Drop(DropReason::Harm) => " (harm)",
            Ruling::Drop(DropReason::Equal) => " (equal)",
            Ruling::Drop(DropReason::TooSmall) => " (too small)",
            Ruling::Drop(DropReason::Guardrail) => " (guardrail)",
            Ruling::Ship | Ruling::Undecided => "",
        };
        line(&mut out, &format!("{}{because}", self.ruling));
        paragraph(&mut out, "", &self.sentence);
        for reason in self.reasons.iter().filter(|r| **r != self.sentence) {
            paragraph(&mut out, "", reason);
        }
        out.push('\n');
        self.rung_table(&mut out);
        self.guardrail_table(&mut out);
        self.cost_table(&mut out);
        for (title, items) in [("What would decide it", &self.next), ("To bear in mind", &self.caveats)] {
            if !items.is_empty() {
                line(&mut out, &format!("\n{title}"));
                items.iter().for_each(|item| paragraph(&mut out, "  - ", item));
            }
        }
        out
    }

    fn rung_table(&self, out: &mut String) {
        let metric = &self.primary.metric;
        let mut rows =
            vec![row(["size", "baseline", "candidate", "improvement", "interval", "compute multiplier"])];
        for rung in &self.rungs {
            let d = &rung.difference;
            let multiplier = match &rung.multiplier {
                Defined::Value(m) => multiplier_in_words(m),
                Defined::Undefined(_) => "undefined".into(),
            };
            rows.push(vec![
                d.size.clone(),
                figures::value(metric, d.baseline),
                figures::value(metric, d.candidate),
                figures::difference(metric, d.value),
                figures::interval(metric, d.interval()),
                multiplier,
            ]);
        }
        let unit = figures::unit(metric);
        line(
            out,
            &format!(
                "{}{}, {} is better",
                title_of(metric),
                unit.replace(' ', ", in "),
                self.primary.direction
            ),
        );
        table(out, &rows);
        for rung in &self.rungs {
            if let Defined::Undefined(why) = &rung.multiplier {
                paragraph(out, "  ", &format!("No multiplier at {}: {why}.", rung.difference.size));
            }
        }
    }

    fn guardrail_table(&self, out: &mut String) {
        if self.guardrails.is_empty() {
            return;
        }
        let mut rows = vec![row(["guardrail", "baseline", "candidate", "change", "interval", "stands"])];
        for g in &self.guardrails {
            let number =
                |f: &dyn Fn(&crate::Difference) -> String| g.difference.as_ref().map_or("–".into(), f);
            rows.push(vec![
                title_of(&g.metric),
                number(&|d| figures::value(&g.metric, d.baseline)),
                number(&|d| figures::value(&g.metric, d.candidate)),
                number(&|d| figures::difference(&g.metric, d.value)),
                number(&|d| figures::interval(&g.metric, d.interval())),
                match g.state {
                    GuardrailState::Held => "held".into(),
                    GuardrailState::Open => "open".into(),
                    GuardrailState::Broken => "broken".into(),
                },
            ]);
        }
        out.push('\n');
        table(out, &rows);
    }

    fn cost_table(&self, out: &mut String) {
        let mut rows =
            vec![row(["cost", "runs", "compute", "tokens", "training", "evaluation", "memory", "calm"])];
        for (label, c) in ["baseline", "candidate"].into_iter().zip(&self.cost) {
            rows.push(vec![
                label.into(),
                c.runs.to_string(),
                figures::flops(c.flops),
                figures::count(c.tokens as f64),
                figures::time(c.train_seconds),
                figures::time(c.evaluation_seconds),
                figures::bytes(c.peak_memory_bytes),
                format!(
                    "{}, {}",
                    plural(c.spikes, "spike", "spikes"),
                    plural(c.incidents, "incident", "incidents")
                ),
            ]);
        }
        out.push('\n');
        table(out, &rows);
    }
}

/// A multiplier as it is written everywhere: `1.83× (1.41 to 2.37)`.
pub(crate) fn multiplier_in_words(m: &crate::Multiplier) -> String {
    let times = |v: f64| figures::times(v).trim_end_matches('×').to_owned();
    let mut words = figures::times(m.value);
    // Beyond what can be told apart, all three are the same words.
    if let (Some(low), Some(high)) = (m.low, m.high)
        && times(low) != times(high)
    {
        let _ = write!(words, " ({} to {})", times(low), times(high));
    }
    if m.extrapolated {
        words.push_str(", extrapolated");
    }
    words
}

fn row<const N: usize>(cells: [&str; N]) -> Vec<String> {
    cells.map(str::to_owned).to_vec()
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}

/// Breaks `text` into lines of at most 100 columns; the first begins with `lead`, the others are indented like it.
fn paragraph(out: &mut String, lead: &str, text: &str) {
    let indent = " ".repeat(lead.chars().count());
    let mut current = lead.to_owned();
    let mut empty = true;
    for word in text.split_whitespace() {
        if !empty && current.chars().count() + 1 + word.chars().count() > 100 {
            line(out, &current);
            current.clone_from(&indent);
            empty = true;
        }
        if !empty {
            current.push(' ');
        }
        current.push_str(word);
        empty = false;
    }
    line(out, &current);
}

/// Columns two spaces apart; the first is set to the left, the others to the right.
fn table(out: &mut String, rows: &[Vec<String>]) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |s: &String| s.chars().count();
    let widths: Vec<usize> =
        (0..columns).map(|i| rows.iter().filter_map(|r| r.get(i)).map(width).max().unwrap_or(0)).collect();
    for cells in rows {
        let mut text = String::from("  ");
        for (i, (cell, wide)) in cells.iter().zip(&widths).enumerate() {
            let pad = " ".repeat(wide - width(cell));
            let _ = if i == 0 { write!(text, "{cell}{pad}") } else { write!(text, "  {pad}{cell}") };
        }
        line(out, &text);
    }
}
