//! What went in: tokens by source, the separation of test and training, cost, recipes.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{chart, table};
use crate::bet::Arm;
use crate::figures;
use crate::result::BetResult;
use crate::rule::plural;
use crate::score::title_of;
use crate::tuning::{TrialSummary, by_place};
use crate::verdict::Verdict;

pub(super) fn data(result: &BetResult) -> Markup {
    let Some(top) = result.registration.content.sizes.last() else { return html! {} };
    let arms = Arm::BOTH.map(|arm| {
        let cells = result.at(arm, top);
        (arm, cells.first().map(|c| c.tokens_by_source.clone()).unwrap_or_default())
    });
    if arms.iter().all(|(_, sources)| sources.is_empty()) && result.separation.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "Where the tokens came from" }
            p.lead { "The training corpus of each arm at " (top) ", first seed. The largest source stands first." }
            @for (arm, sources) in &arms {
                @if !sources.is_empty() {
                    h3 { (result.label(*arm)) }
                    (source_bar(*arm, sources))
                }
            }
            @if !result.separation.is_empty() {
                h3 { "How test tasks are kept apart from training tasks" }
                p { (result.separation) }
            }
        }
    }
}

fn source_bar(arm: Arm, sources: &BTreeMap<String, u64>) -> Markup {
    let mut sorted: Vec<(&String, f64)> = sources.iter().map(|(name, n)| (name, *n as f64)).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1));
    let total: f64 = sorted.iter().map(|s| s.1).sum();
    let rows: Vec<Vec<Markup>> = sorted
        .iter()
        .map(|(name, n)| {
            vec![
                html! { (name) },
                html! { (figures::count(*n)) },
                html! { (format!("{:.1} %", n / total.max(1.0) * 100.0)) },
            ]
        })
        .collect();
    html! {
        (chart::parts(&sorted.iter().map(|s| s.1).collect::<Vec<_>>(), arm))
        (table(&["source", "tokens", "share"], &rows))
    }
}

/// What both arms tried to find their learning rates.
pub(super) fn trials(verdict: &Verdict) -> Markup {
    if verdict.trials.is_empty() {
        return html! {};
    }
    let metric = &verdict.judgement.rule.metric;
    let (factors, places) = by_place(&verdict.trials);
    let mut head = vec![String::new()];
    head.extend(factors.iter().map(|f| format!("×{f}")));
    let cell = |trial: Option<&TrialSummary>| match trial {
        Some(t) if t.chosen => html! { strong { (t.in_words(metric)) " ✓" } },
        Some(t) => html! { (t.in_words(metric)) },
        None => html! { "–" },
    };
    let rows: Vec<Vec<Markup>> = places
        .into_iter()
        .map(|(arm, size, trials)| {
            std::iter::once(html! { (arm) " " (size) }).chain(trials.into_iter().map(cell)).collect()
        })
        .collect();
    html! {
        section {
            h2 { "How the learning rates were chosen" }
            p.lead {
                (title_of(metric)) " by factor on the rates of the recipe, on a seed that is in no pair. Both arms tried the same; "
                "ticked is what an arm went on with."
            }
            (table(&head.iter().map(String::as_str).collect::<Vec<_>>(), &rows))
        }
    }
}

pub(super) fn cost(verdict: &Verdict) -> Markup {
    let row = |name: &str, of: &dyn Fn(&crate::ArmCost) -> String| {
        vec![html! { (name) }, html! { (of(&verdict.cost[0])) }, html! { (of(&verdict.cost[1])) }]
    };
    let rows = vec![
        row("runs", &|c| c.runs.to_string()),
        row("training compute", &|c| figures::flops(c.flops)),
        row("tokens trained on", &|c| figures::count(c.tokens as f64)),
        row("training time, summed over runs", &|c| figures::time(c.train_seconds)),
        row("evaluation time, summed over runs", &|c| figures::time(c.evaluation_seconds)),
        row("training speed", &|c| figures::flops(c.flops / c.train_seconds.max(1e-9)) + " a second"),
        row("largest memory of a process", &|c| figures::bytes(c.peak_memory_bytes)),
        row("spikes of the loss", &|c| format!("{} in {} steps", c.spikes, figures::count(c.steps as f64))),
        row("incidents", &|c| c.incidents.to_string()),
    ];
    html! {
        section {
            h2 { "What it cost, and how calmly it trained" }
            p.lead { "A spike is a step whose loss stands seven standard deviations above its mean over the 128 steps before." }
            (table(&["", "baseline", "candidate"], &rows))
            @if let Some(c) = &verdict.tuning_cost {
                p { "Besides, " (plural(c.runs, "run", "runs")) " to choose learning rates: " (figures::flops(c.flops)) ", "
                    (figures::time(c.train_seconds)) " of training." }
            }
        }
    }
}

pub(super) fn recipes(result: &BetResult) -> Markup {
    let registered = &result.registration.content;
    let (Some(top), Some(&seed)) = (registered.sizes.last(), registered.seeds.first()) else {
        return html! {};
    };
    let cells = Arm::BOTH.map(|arm| result.cell(arm, top, seed));
    let changes = match cells {
        [Some(b), Some(c)] => changes(&b.recipe, &c.recipe),
        _ => Vec::new(),
    };
    let rows: Vec<Vec<Markup>> = changes
        .iter()
        .map(|(path, b, c)| vec![html! { code { (path) } }, html! { code { (b) } }, html! { code { (c) } }])
        .collect();
    html! {
        section {
            h2 { "Recipes" }
            p.lead { "What the candidate changes, and then everything, with every default written out." }
            @if !rows.is_empty() { div.changes { (table(&["field", "baseline", "candidate"], &rows)) } }
            @for cell in &result.cells {
                details {
                    summary { (cell.arm) " " (cell.size) ", seed " (cell.seed) small { code { (cell.run) } } }
                    pre { (toml::to_string(&cell.recipe).unwrap_or_default()) }
                }
            }
        }
    }
}

/// Fields that differ, by dotted path, names apart.
fn changes(baseline: &toml::Table, candidate: &toml::Table) -> Vec<(String, String, String)> {
    let flat = |table: &toml::Table| {
        let mut fields = BTreeMap::new();
        flatten("", &toml::Value::Table(table.clone()), &mut fields);
        fields
    };
    let (b, c) = (flat(baseline), flat(candidate));
    let paths: BTreeSet<&String> = b.keys().chain(c.keys()).filter(|p| *p != "name").collect();
    let shown =
        |fields: &BTreeMap<String, String>, path: &String| fields.get(path).cloned().unwrap_or("–".into());
    paths
        .into_iter()
        .filter(|p| b.get(*p) != c.get(*p))
        .map(|p| (p.clone(), shown(&b, p), shown(&c, p)))
        .collect()
}

fn flatten(path: &str, value: &toml::Value, fields: &mut BTreeMap<String, String>) {
    match value {
        toml::Value::Table(table) => {
            for (key, value) in table {
                let below = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                flatten(&below, value, fields);
            }
        }
        // Entries with names of their own read better one by one; plain lists stay whole.
        toml::Value::Array(items) if items.iter().any(toml::Value::is_table) => {
            for (i, item) in items.iter().enumerate() {
                let name = item.get("name").or(item.get("term")).and_then(toml::Value::as_str);
                flatten(&format!("{path}[{}]", name.map_or(i.to_string(), str::to_owned)), item, fields);
            }
        }
        plain => {
            fields.insert(path.to_owned(), plain.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_found_by_path() {
        let table = |text: &str| toml::from_str::<toml::Table>(text).unwrap();
        let b = table("name = 'a'\nx = 1\n[[source]]\nname = 'files'\nrate = 0.0\n[t]\ny = [1, 2]\n");
        let c =
            table("name = 'b'\nx = 1\n[[source]]\nname = 'files'\nrate = 0.5\n[t]\ny = [1, 3]\nz = true\n");
        assert_eq!(
            changes(&b, &c),
            [
                ("source[files].rate".into(), "0.0".into(), "0.5".into()),
                ("t.y".into(), "[1, 2]".into(), "[1, 3]".into()),
                ("t.z".into(), "–".to_owned(), "true".to_owned()),
            ]
        );
    }
}
