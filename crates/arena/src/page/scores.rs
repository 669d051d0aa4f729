//! Scores of models beside each other, with what they are worth.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::{Evaluated, table};
use crate::floors::FLOOR_TASKS;
use crate::horizon::{HORIZON_CAP, horizons};
use crate::{Ended, Faults, Metric, Metrics, ScoreRow, SuiteSpec, breakdown, compare, holm, summarise};

pub(super) fn suite(suite: &SuiteSpec) -> Markup {
    let faults = if suite.faults.is_empty() { "none".to_owned() } else { suite.faults.join(", ") };
    let levels: Vec<String> = suite.levels.iter().map(ToString::to_string).collect();
    html! {
        p.note {
            @if let Some(capability) = suite.capability { "Suite " (capability) ": " }
            "worlds " (suite.world_names().join(", ")) "; levels " (levels.join(", ")) "; faults " (faults) "; "
            (suite.tasks) " tasks a cell, " (suite.samples) " attempts each; temperature " (suite.temperature)
            "; seed " (suite.seed) ". Intervals are 95%."
        }
    }
}

pub(super) fn percent(m: &Metric) -> Markup {
    html! {
        (format!("{:.1}%", 100.0 * m.value)) " "
        small { (format!("{:.1} – {:.1}", 100.0 * m.low, 100.0 * m.high)) }
    }
}

fn plain(m: &Metric) -> Markup {
    html! {
        (number(m.value))
        @if m.low < m.high { " " small { (number(m.low)) " – " (number(m.high)) } }
    }
}

/// A number with as many places as its size asks for.
fn number(x: f64) -> String {
    match x.abs() {
        a if a >= 1000.0 => format!("{x:.0}"),
        a if a >= 10.0 => format!("{x:.1}"),
        _ => format!("{x:.3}"),
    }
}

fn text(s: impl maud::Render) -> Markup {
    html! { (s) }
}

/// The reference agents' success, floor by floor; the expert's is the ceiling.
fn floor_rates(floors: &[ScoreRow]) -> Vec<(String, Metrics)> {
    let mut names: Vec<&str> = Vec::new();
    for row in floors {
        if !names.contains(&row.policy.as_str()) {
            names.push(&row.policy);
        }
    }
    names
        .into_iter()
        .map(|name| {
            let rows: Vec<ScoreRow> = floors.iter().filter(|r| r.policy == name).cloned().collect();
            (name.to_owned(), summarise(&rows))
        })
        .collect()
}

/// The success of the best reference agent that knows nothing.
pub(super) fn floor(floors: &[ScoreRow]) -> f64 {
    let ignorant = floor_rates(floors).into_iter().filter(|(name, _)| !name.ends_with("expert"));
    ignorant.filter_map(|(_, m)| m.get("success_rate").map(|m| m.value)).fold(0.0, f64::max)
}

pub(super) fn headline(models: &[Evaluated<'_>], floors: &[ScoreRow]) -> Markup {
    let head = [
        "model",
        "success",
        "clean",
        "faulty",
        "recovery ÷ twin",
        "invalid actions",
        "calls",
        "tokens",
        "spent",
    ]
    .map(text);
    let mut rows: Vec<Vec<Markup>> = Vec::new();
    for (i, model) in models.iter().enumerate() {
        let metrics = summarise(model.rows);
        let cell = |name: &str, of: &dyn Fn(&Metric) -> Markup| metrics.get(name).map_or(text("–"), of);
        rows.push(vec![
            html! { span class=(format!("key m{}", i % 6)) { (model.name) } },
            cell("success_rate", &percent),
            cell("success_clean", &percent),
            cell("success_faulty", &percent),
            cell("recovery_ratio", &percent),
            cell("malformed_rate", &percent),
            cell("calls_per_attempt", &|m| text(number(m.value))),
            cell("tokens_per_attempt", &|m| text(number(m.value))),
            text(if model.spent.is_empty() { "–" } else { model.spent }),
        ]);
    }
    let rates = floor_rates(floors);
    let ceiling = rates.iter().find(|(name, _)| name == "expert").and_then(|(_, m)| m.get("success_rate"));
    html! {
        h2 { "Scores" }
        (table(&head, &rows))
        @if !floors.is_empty() {
            p.note {
                "What knows nothing reaches at most " (format!("{:.1}%", 100.0 * floor(floors)))
                @if let Some(m) = ceiling { ", the expert " (format!("{:.1}%", 100.0 * m.value)) }
                " of these tasks."
            }
        }
        @for model in models {
            @let not_begun = model.rows.iter().filter(|r| r.ended == Ended::Prompt).count();
            @if not_begun > 0 {
                p.note {
                    (model.name) ": " (not_begun) " of " (model.rows.len()) " attempts were not begun, as the prompt alone takes more \
                    tokens than it may. They count as not solved, and nothing is measured on their tasks."
                }
            }
        }
    }
}

/// Success over levels, a chart a world.
pub(super) fn by_level(models: &[Evaluated<'_>]) -> Markup {
    let mut worlds: BTreeMap<String, Vec<Vec<(u32, Metric)>>> = BTreeMap::new();
    let mut levels = BTreeSet::new();
    for (i, model) in models.iter().enumerate() {
        for part in breakdown(model.rows) {
            let (Some(world), Some(level), Faults::All) = (&part.world, part.level, &part.fault) else {
                continue;
            };
            if let Some(m) = part.metrics.get("success_rate") {
                levels.insert(level);
                let series = worlds.entry(world.clone()).or_insert_with(|| vec![Vec::new(); models.len()]);
                series[i].push((level, *m));
            }
        }
    }
    html! {
        h2 { "Success by level" }
        div.charts { @for (world, series) in &worlds { (chart(world, series, &levels)) } }
    }
}

fn chart(world: &str, series: &[Vec<(u32, Metric)>], levels: &BTreeSet<u32>) -> Markup {
    let (left, right, top, bottom) = (40.0, 310.0, 26.0, 170.0);
    let span = (levels.len().max(2) - 1) as f64;
    let x = |level: u32| {
        let place = levels.iter().position(|l| *l == level).unwrap_or(0) as f64;
        left + 14.0 + place / span * (right - left - 28.0)
    };
    let y = |share: f64| bottom - share * (bottom - top);
    html! {
        svg viewBox="0 0 320 200" width="320" role="img" aria-label=(format!("success by level in {world}")) {
            text x=(left) y="14" { (world) }
            @for share in [0.0, 0.5, 1.0] {
                path.axis d=(format!("M{left} {} H{right}", y(share))) {}
                text x=(left - 6.0) y=(y(share) + 4.0) text-anchor="end" { (format!("{:.0}%", 100.0 * share)) }
            }
            @for level in levels { text x=(x(*level)) y=(bottom + 16.0) text-anchor="middle" { (level) } }
            @for (i, points) in series.iter().enumerate() {
                g class=(format!("m{}", i % 6)) {
                    @let line: Vec<String> = points.iter().map(|(l, m)| format!("{:.1},{:.1}", x(*l), y(m.value))).collect();
                    polyline.series points=(line.join(" ")) {}
                    @for (level, m) in points {
                        path.whisker d=(format!("M{:.1} {:.1} V{:.1}", x(*level), y(m.low), y(m.high))) {}
                        circle.dot cx=(x(*level)) cy=(y(m.value)) r="3" {
                            title { (format!("level {level}: {:.1}% ({:.1} – {:.1}), n = {}", 100.0 * m.value, 100.0 * m.low, 100.0 * m.high, m.n)) }
                        }
                    }
                }
            }
        }
    }
}

pub(super) fn horizon_table(models: &[Evaluated<'_>], floors: &[ScoreRow]) -> Markup {
    let g = floor(floors);
    let steps = |m: &Metric| {
        let one = |x: f64| if x >= HORIZON_CAP { "beyond".to_owned() } else { number(x) };
        html! { (one(m.value)) " " small { (one(m.low)) " – " (one(m.high)) } }
    };
    let mut rows = Vec::new();
    for model in models {
        if let Some(h) = horizons(model.rows, g) {
            rows.push(vec![
                text(model.name),
                steps(&h.at_50),
                steps(&h.at_80),
                steps(&h.metr_50),
                steps(&h.metr_80),
                text(format!("{:.0}%", 100.0 * h.lapse)),
                text(format!("{} – {}", h.tested.0, h.tested.1)),
            ]);
        }
    }
    let head = ["model", "at 50%", "at 80%", "METR's at 50%", "METR's at 80%", "lapse", "tested"].map(text);
    html! {
        @if !rows.is_empty() {
            h2 { "Horizon" }
            p.note {
                "The number of the expert's steps at which success falls to a half, to four fifths. Ours takes the floor ("
                (format!("{:.1}%", 100.0 * g)) ") as guess rate and fits a lapse rate; METR's has neither, and a prior on the slope. Outside of "
                "the tested lengths a horizon is an extrapolation."
            }
            (table(&head, &rows))
        }
    }
}

pub(super) fn tests(models: &[Evaluated<'_>]) -> Markup {
    let [first, others @ ..] = models else { return html! {} };
    let tests: Vec<_> = others
        .iter()
        .flat_map(|model| compare(first.rows, model.rows).into_iter().map(move |t| (model.name, t)))
        .collect();
    let corrected = holm(&tests.iter().map(|(_, t)| t.p).collect::<Vec<_>>());
    let rows: Vec<Vec<Markup>> = tests
        .iter()
        .zip(corrected)
        .map(|((name, t), corrected)| {
            let better = (t.difference.value > 0.0) == t.higher_is_better && t.difference.value != 0.0;
            let class = match (corrected < 0.05, better) {
                (false, _) => "",
                (true, true) => "good",
                (true, false) => "bad",
            };
            vec![
                html! { (name) " − " (first.name) },
                text(&t.metric),
                text(number(t.first)),
                text(number(t.second)),
                html! { span class=(class) { (plain(&t.difference)) } },
                text(t.difference.n),
                text(format!("{:.4}", t.p)),
                text(format!("{corrected:.4}")),
            ]
        })
        .collect();
    let head =
        ["models", "metric", first.name, "other", "difference", "groups", "p", "p, corrected"].map(text);
    html! {
        @if !rows.is_empty() {
            h2 { "Paired tests" }
            p.note {
                "On the tasks that both models attempted. A task and its faulty twins are one group; p is from exchanging the models within "
                "groups, corrected by Holm's method for all tests on this page. Coloured: corrected p below 0.05, green where the "
                "other model is better."
            }
            (table(&head, &rows))
        }
    }
}

pub(super) fn metrics(suite: &SuiteSpec, models: &[Evaluated<'_>], floors: &[ScoreRow]) -> Markup {
    let all: Vec<Metrics> = models.iter().map(|m| summarise(m.rows)).collect();
    let names: BTreeSet<&String> = all.iter().flat_map(|m| m.keys()).collect();
    let known = floor_rates(floors);
    let of = |agent: &str, name: &str| {
        let metrics = known.iter().find(|(a, _)| a == agent).map(|(_, m)| m);
        metrics.and_then(|m| m.get(name)).map_or(text("–"), |m| text(number(m.value)))
    };
    let rows: Vec<Vec<Markup>> = names
        .into_iter()
        .filter(|name| !name.ends_with("chance"))
        .map(|name| {
            let mut row = vec![text(name)];
            row.extend(all.iter().map(|m| m.get(name).map_or(text("–"), plain)));
            let chance = [
                Some(format!("{name}_chance")),
                name.strip_suffix("_probability").map(|n| format!("{n}_chance")),
            ];
            let exact = all.iter().find_map(|m| chance.iter().flatten().find_map(|c| m.get(c)));
            row.push(exact.map_or(text("–"), |m| text(number(m.value))));
            row.extend(["random-legal", "expert"].map(|agent| of(agent, name)));
            row
        })
        .collect();
    let mut head = vec![text("metric")];
    head.extend(models.iter().map(|m| text(m.name)));
    head.extend(["chance", "random-legal", "expert"].map(text));
    html! {
        h2 { "All metrics" }
        p.note {
            "Ranks are of the expert's actions in " (suite.rank_tasks) " tasks, spread evenly over the suite, among "
            @if suite.rank_candidates == 0 { "all legal actions." } @else { (suite.rank_candidates) " legal actions at most." }
        }
        (table(&head, &rows))
    }
}

pub(super) fn references(floors: &[ScoreRow]) -> Markup {
    let rows: Vec<Vec<Markup>> = floor_rates(floors)
        .into_iter()
        .map(|(name, m)| {
            let cell = |metric: &str| m.get(metric).map_or(text("–"), percent);
            vec![
                text(name),
                cell("success_rate"),
                cell("success_clean"),
                cell("success_faulty"),
                cell("malformed_rate"),
            ]
        })
        .collect();
    html! {
        @if !rows.is_empty() {
            h2 { "Floors and ceiling" }
            p.note {
                "Agents that know nothing, an expert that gets one argument wrong, and the expert, on the tasks of the suite, at most "
                (FLOOR_TASKS) " a cell."
            }
            (table(&["agent", "success", "clean", "faulty", "invalid actions"].map(text), &rows))
        }
    }
}

/// Success cell by cell.
pub(super) fn cells(models: &[Evaluated<'_>]) -> Markup {
    type Cell = (String, u32, String);
    let mut cells: BTreeMap<Cell, Vec<Option<Metric>>> = BTreeMap::new();
    for (i, model) in models.iter().enumerate() {
        for part in breakdown(model.rows) {
            let fault = match part.fault {
                Faults::Clean => "none".to_owned(),
                Faults::Only(fault) => fault,
                Faults::All | Faults::Faulty => continue,
            };
            if let (Some(world), Some(level), Some(m)) =
                (part.world, part.level, part.metrics.get("success_rate"))
            {
                cells.entry((world, level, fault)).or_insert_with(|| vec![None; models.len()])[i] = Some(*m);
            }
        }
    }
    let rows: Vec<Vec<Markup>> = cells
        .iter()
        .map(|((world, level, fault), found)| {
            let mut row = vec![html! { (world) ", level " (level) }, text(fault)];
            row.extend(found.iter().map(|m| m.as_ref().map_or(text("–"), percent)));
            row.push(text(found.iter().flatten().map(|m| m.n).max().unwrap_or(0)));
            row
        })
        .collect();
    let mut head = vec![text("cell"), text("fault")];
    head.extend(models.iter().map(|m| text(m.name)));
    head.push(text("tasks"));
    html! {
        h2 { "Success by world, level and fault" }
        details { summary { (rows.len()) " cells" } (table(&head, &rows)) }
    }
}
