//! The report: one HTML file that needs nothing else, verdict first.

mod answer;
mod chart;
mod curves;
mod glossary;
mod inputs;
mod ladder_chart;
mod plain;
mod registered;
mod rollouts;
mod tasks;

use maud::{DOCTYPE, Markup, PreEscaped, html};

pub use plain::render_judgement;

use crate::ledger::Coverage;
use crate::result::BetResult;
use crate::verdict::Verdict;

/// Renders the report as one HTML page that loads nothing from elsewhere.
pub fn render_report(result: &BetResult, verdict: &Verdict, ledger: &Coverage) -> String {
    let registration = &result.registration;
    let j = &verdict.judgement;
    let heading = answer::Heading {
        kind: "Groundwork bet",
        name: &registration.content.name,
        notes: vec![
            registration.registered_at.get(..10).unwrap_or(""),
            registration.hash.get(..8).unwrap_or(""),
        ],
        question: &registration.content.question,
    };
    page(
        &format!("{} – {}", j.ruling, verdict.name),
        &html! {
            (answer::section(&heading, j))
            (registered::section(registration))
            (answer::by_size(j))
            (answer::extrapolation(j))
            (answer::path(j))
            (curves::compute(j))
            @if result.cells.iter().any(|c| !c.scores.is_empty()) { (tasks::section(result)) }
            (rollouts::section(result))
            (curves::losses(result))
            (inputs::data(result))
            (inputs::trials(verdict))
            (inputs::cost(verdict))
            (answer::ledger(ledger))
            (inputs::recipes(result))
            (glossary::section(result))
            footer {
                "Registered " (registration.registered_at) " as " code { (registration.hash) }
                ", before the first training step. Judged by rule version " (j.judge)
                ". This file loads nothing from elsewhere."
            }
        },
    )
}

/// A page with its style in itself.
fn page(title: &str, body: &Markup) -> String {
    let page: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { main { (body) } }
        }
    };
    // A number stays with its unit.
    page.into_string().replace(" %", "\u{a0}%")
}

/// A table whose first column is set to the left; it scrolls by itself where the page is narrow.
fn table(head: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for h in head { th { (h) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
    }
}
