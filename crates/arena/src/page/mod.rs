//! Evaluations as one HTML page that loads nothing from elsewhere.

mod episodes;
mod scores;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::{ArenaError, Replay, ScoreRow, SuiteSpec};

/// What one model did in a suite.
#[derive(Clone, Copy, Debug)]
pub struct Evaluated<'a> {
    /// What the model is called.
    pub name: &'a str,
    /// Its attempts.
    pub rows: &'a [ScoreRow],
    /// What was spent on it, in words; empty where nothing was.
    pub spent: &'a str,
}

/// Renders evaluations of one or several models in one suite: scores beside their floors and ceilings, success by level, horizons,
/// paired tests of every model against the first, and attempts step by step, at most `episodes` of them, those first in
/// which models differ.
///
/// `floors`: the attempts of the reference agents at tasks of the suite.
///
/// # Errors
/// A transcript that is no trace, or a task that its world refuses.
pub fn render_page(
    title: &str,
    suite: &SuiteSpec,
    models: &[Evaluated<'_>],
    floors: &[ScoreRow],
    episodes: usize,
) -> Result<String, ArenaError> {
    let body = html! {
        h1 { (title) }
        (scores::suite(suite))
        (scores::headline(models, floors))
        (scores::by_level(models))
        (scores::horizon_table(models, floors))
        (scores::tests(models))
        (scores::metrics(suite, models, floors))
        (scores::references(floors))
        (scores::cells(models))
        (episodes::section(models, episodes)?)
    };
    Ok(document(title, &body))
}

/// Renders one attempt as a page of its own.
pub fn render_replay(title: &str, replay: &Replay) -> String {
    document(title, &html! { h1 { (title) } (episodes::episode(replay)) })
}

fn document(title: &str, body: &Markup) -> String {
    let page: Markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (title) }
                style { (PreEscaped(include_str!("style.css"))) }
            }
            body { main { (body) footer { "Written by Groundwork. This file loads nothing from elsewhere." } } }
        }
    };
    page.into_string()
}

/// A table whose first column is set to the left; it scrolls by itself where the page is narrow.
fn table(head: &[Markup], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for h in head { th { (h) } } } }
                tbody { @for row in rows { tr { @for cell in row { td { (cell) } } } } }
            }
        }
    }
}
