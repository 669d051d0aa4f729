//! The words that the report uses.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::result::BetResult;
use crate::score::{meaning_of, title_of};

const TERMS: [(&str, &str); 10] = [
    (
        "bet",
        "A comparison of a candidate recipe with a baseline whose question, number and rule were fixed beforehand.",
    ),
    ("arm", "One side of the bet: the baseline or the candidate."),
    ("ladder", "The same pair of recipes at several model sizes. Sizes count parameters without embeddings."),
    ("pair", "A run of each arm with the same size and the same seed. Differences are taken within pairs."),
    (
        "interval",
        "A range that holds the true value in the stated share of bets. It joins what chance does between seeds with \
         what it does in the choice of test tasks.",
    ),
    ("margin", "The smallest difference worth having, fixed beforehand."),
    (
        "guardrail",
        "A number that must not get worse by more than its margin, however good the primary number is.",
    ),
    (
        "compute multiplier",
        "How many times the baseline's training compute would match the candidate, by what compute buys the baseline \
         between neighbouring sizes.",
    ),
    (
        "fault",
        "A failure injected into a task on purpose: a call that fails once, a misspelt name, a denied permission.",
    ),
    (
        "span",
        "A part of a trace: goal, plan, action, observation, error, reflection, answer. Plain text is one span.",
    ),
];

pub(super) fn section(result: &BetResult) -> Markup {
    let registered = &result.registration.content;
    let metrics: BTreeSet<&str> = std::iter::once(registered.primary.metric.as_str())
        .chain(registered.guardrails.iter().map(|g| g.metric.as_str()))
        .chain(["recovery_rate"])
        .collect();
    html! {
        section {
            h2 { "Words" }
            dl {
                @for metric in metrics { dt { (title_of(metric)) } dd { (meaning_of(metric)) } }
                @for (term, meaning) in TERMS { dt { (term) } dd { (meaning) } }
            }
        }
    }
}
