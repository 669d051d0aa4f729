//! The verdict as text for a terminal. No colour: the words carry all of it.

use std::fmt::Write;

use crate::figures;
use crate::judge::{Defined, GuardrailChange, GuardrailState, Judgement, Ruling, Scale};
use crate::rule::plural;
use crate::score::title_of;
use crate::tuning::by_place;
use crate::verdict::Verdict;

impl Judgement {
    /// The judgement as text, lines up to about 100 columns, tables aligned.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.head(&mut out);
        self.foot(&mut out);
        out
    }

    fn head(&self, out: &mut String) {
        let because = match self.ruling {
            Ruling::Drop(reason) => format!(" ({reason})"),
            Ruling::Ship | Ruling::Undecided => String::new(),
        };
        line(out, &format!("{}{because}", self.ruling));
        paragraph(out, "", &self.sentence);
        for reason in &self.reasons {
            paragraph(out, "", reason);
        }
        out.push('\n');
        self.rung_table(out);
        self.guardrail_table(out);
    }

    fn foot(&self, out: &mut String) {
        paragraph(out, "", &format!("\nNoise: {}", self.noise));
        for (title, items) in [("What would decide it", &self.next), ("To bear in mind", &self.caveats)] {
            if !items.is_empty() {
                line(out, &format!("\n{title}"));
                items.iter().for_each(|item| paragraph(out, "  - ", item));
            }
        }
    }

    fn rung_table(&self, out: &mut String) {
        let metric = &self.rule.metric;
        let mut rows = vec![row([
            "size",
            "pairs",
            "baseline",
            "candidate",
            "improvement",
            "effect",
            "interval",
            "compute multiplier",
        ])];
        for rung in &self.rungs {
            let multiplier = match &rung.multiplier {
                Defined::Value(m) => multiplier_in_words(m),
                Defined::Undefined(_) => "undefined".into(),
            };
            let [before, after] = figures::both(metric, rung.means);
            let effect = rung.effect.value();
            rows.push(vec![
                rung.rung.clone(),
                rung.pairs.len().to_string(),
                before,
                after,
                figures::difference(metric, rung.improvement),
                effect.map_or("–".into(), |e| self.rule.say(e.mean)),
                effect.map_or("–".into(), |e| self.rule.say_interval(e.low, e.high)),
                multiplier,
            ]);
        }
        // On the scale of the multiplier, effect and multiplier are one; on the metric's, effect and improvement.
        let spare = match self.rule.scale {
            Scale::Multiplier => 7,
            Scale::Metric => 5,
        };
        rows.iter_mut().for_each(|row| {
            row.remove(spare);
        });
        let unit = figures::unit(metric);
        line(
            out,
            &format!("{}{}, {} is better", title_of(metric), unit.replace(' ', ", in "), self.rule.direction),
        );
        table(out, &rows);
        for rung in &self.rungs {
            if let Defined::Undefined(why) = &rung.multiplier
                && !rung.pairs.is_empty()
            {
                paragraph(out, "  ", &format!("No multiplier at {}: {why}.", rung.rung));
            }
        }
    }

    fn guardrail_table(&self, out: &mut String) {
        if self.guardrails.is_empty() {
            return;
        }
        let mut rows = vec![row(["guardrail", "baseline", "candidate", "change", "interval", "stands"])];
        for g in &self.guardrails {
            let number = |f: &dyn Fn(&GuardrailChange) -> String| g.change.value().map_or("–".into(), f);
            rows.push(vec![
                title_of(&g.metric),
                number(&|c| figures::value(&g.metric, c.means[0])),
                number(&|c| figures::value(&g.metric, c.means[1])),
                number(&|c| figures::difference(&g.metric, c.effect.mean)),
                number(&|c| figures::interval(&g.metric, c.effect.interval())),
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
}

impl Verdict {
    /// The verdict as text, lines up to about 100 columns, tables aligned.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        self.judgement.head(&mut out);
        self.trial_table(&mut out);
        self.cost_table(&mut out);
        self.judgement.foot(&mut out);
        out
    }

    fn trial_table(&self, out: &mut String) {
        if self.trials.is_empty() {
            return;
        }
        let metric = &self.judgement.rule.metric;
        let (factors, places) = by_place(&self.trials);
        let mut head = vec!["learning rate".to_owned()];
        head.extend(factors.iter().map(|f| format!("×{f}")));
        let mut rows = vec![head];
        for (arm, size, trials) in places {
            let mut row = vec![format!("{arm} {size}")];
            row.extend(trials.into_iter().map(|trial| match trial {
                Some(t) if t.chosen => format!("* {}", t.in_words(metric)),
                Some(t) => t.in_words(metric),
                None => "–".into(),
            }));
            rows.push(row);
        }
        out.push('\n');
        table(out, &rows);
        line(out, "  * what the arm went on with");
    }

    fn cost_table(&self, out: &mut String) {
        let mut rows =
            vec![row(["cost", "runs", "compute", "tokens", "training", "evaluation", "memory", "calm"])];
        let arms = ["baseline", "candidate"].into_iter().zip(&self.cost);
        for (label, c) in arms.chain(self.tuning_cost.iter().map(|c| ("rates", c))) {
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
pub(crate) fn multiplier_in_words(m: &crate::judge::Multiplier) -> String {
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
