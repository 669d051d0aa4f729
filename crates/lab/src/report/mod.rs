//! The report: one HTML file that needs nothing else, verdict first.

mod answer;
mod chart;
mod curves;
mod glossary;
mod inputs;
mod rollouts;
mod tasks;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::result::BetResult;
use crate::verdict::Verdict;

/// Renders the report as one HTML page that loads nothing from elsewhere.
pub fn render_report(result: &BetResult, verdict: &Verdict) -> String {
    let registration = &result.registration;
    let page: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (verdict.ruling) " – " (verdict.name) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body {
                main {
                    (answer::section(result, verdict))
                    (answer::rule(registration))
                    (answer::by_size(result, verdict))
                    (curves::compute(result, verdict))
                    (tasks::section(result))
                    (rollouts::section(result))
                    (curves::losses(result))
                    (inputs::data(result))
                    (inputs::cost(verdict))
                    (inputs::recipes(result))
                    (glossary::section(result))
                    footer {
                        "Registered " (registration.registered_at) " as " code { (registration.hash) }
                        ", before the first training step. Judged by rule version " (verdict.judge)
                        ". This file loads nothing from elsewhere."
                    }
                }
            }
        }
    };
    page.into_string()
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
