//! Success by world and level, recovery by fault, and what reference agents reach.

use std::collections::{BTreeMap, BTreeSet};

use maud::{Markup, html};

use super::chart::{self, Share};
use super::table;
use crate::bet::Arm;
use crate::distribution::wilson;
use crate::result::BetResult;
use crate::score::Score;

pub(super) fn section(result: &BetResult) -> Markup {
    let Some(top) = result.registration.content.sizes.last() else { return html! {} };
    let confidence = result.registration.content.decision.confidence;
    let arms = Arm::BOTH
        .map(|arm| result.at(arm, top).into_iter().flat_map(|c| c.scores.iter()).collect::<Vec<_>>());
    let rows = |keep: &dyn Fn(&Score) -> bool| by_world_and_level(&arms, keep, confidence);
    let clean = rows(&|s| s.fault.is_none());
    let faulty = rows(&|s| s.fault.is_some());
    let faults = by_fault(&arms, confidence);
    html! {
        section {
            h2 { "Acting in the worlds" }
            p.lead {
                "Success on test tasks at " (top) ", the model acting by itself; means over seeds. Intervals are Wilson's and "
                "count tasks, not attempts: runs with different seeds face the same tasks. n is the number of tasks."
            }
            div.pair {
                figure { (chart::shares("Nothing fails", &clean, 460.0, ["baseline", "candidate"])) }
                figure { (chart::shares("With an injected fault", &faulty, 460.0, ["baseline", "candidate"])) }
            }
            @if !faults.is_empty() {
                h3 { "Recovery by kind of fault" }
                p.note { "Share solved of the tasks in which the model really met the fault. The arms may have met it in different tasks." }
                figure { (chart::shares("Solved after meeting the fault", &faults, 960.0, ["baseline", "candidate"])) }
            }
            (references(result, &arms))
        }
    }
}

/// World, level, seed and fault.
type Task<'a> = (&'a str, u32, u64, Option<&'a str>);

/// Value, low, high over tasks; attempts at one task count as one. `None` without attempts.
fn rate(
    scores: &[&Score],
    keep: &dyn Fn(&Score) -> bool,
    confidence: f64,
) -> (Option<(f64, f64, f64)>, usize) {
    let mut tasks: BTreeMap<Task<'_>, (f64, f64)> = BTreeMap::new();
    for s in scores.iter().filter(|s| keep(s)) {
        let task = tasks.entry((&s.world, s.level, s.seed, s.fault.as_deref())).or_default();
        task.0 += f64::from(u8::from(s.success));
        task.1 += 1.0;
    }
    let n = tasks.len();
    let p = tasks.values().map(|(solved, tries)| solved / tries).sum::<f64>() / n as f64;
    let (low, high) = wilson(p, n as f64, confidence);
    ((n > 0).then_some((p, low, high)), n)
}

fn by_world_and_level(arms: &[Vec<&Score>; 2], keep: &dyn Fn(&Score) -> bool, confidence: f64) -> Vec<Share> {
    let cells: BTreeSet<(&str, u32)> =
        arms.iter().flatten().filter(|s| keep(s)).map(|s| (s.world.as_str(), s.level)).collect();
    let mut last = "";
    cells
        .into_iter()
        .map(|(world, level)| {
            let both = arms
                .each_ref()
                .map(|scores| rate(scores, &|s| keep(s) && s.world == world && s.level == level, confidence));
            let group = (world != last).then(|| world.to_owned());
            last = world;
            Share {
                name: format!("level {level}"),
                n: both[0].1.max(both[1].1),
                arms: both.map(|b| b.0),
                group,
            }
        })
        .collect()
}

fn by_fault(arms: &[Vec<&Score>; 2], confidence: f64) -> Vec<Share> {
    let faults: BTreeSet<&str> =
        arms.iter().flatten().filter(|s| s.fault_met).filter_map(|s| s.fault.as_deref()).collect();
    faults
        .into_iter()
        .map(|fault| {
            let met = |s: &Score| s.fault_met && s.fault.as_deref() == Some(fault);
            let both = arms.each_ref().map(|scores| rate(scores, &met, confidence));
            let n = both[0].1.max(both[1].1);
            Share { name: fault.to_owned(), n, arms: both.map(|b| b.0), group: None }
        })
        .collect()
}

fn references(result: &BetResult, arms: &[Vec<&Score>; 2]) -> Markup {
    let mut agents: BTreeMap<&str, Vec<&Score>> = BTreeMap::new();
    for s in &result.references {
        agents.entry(s.policy.as_str()).or_default().push(s);
    }
    let share = |scores: &[&Score], keep: &dyn Fn(&Score) -> bool| {
        rate(scores, keep, 0.95).0.map_or("–".to_owned(), |(p, _, _)| format!("{:.1} %", p * 100.0))
    };
    let mean = |name: &str, scores: &[&Score]| -> (f64, Vec<Markup>) {
        let rank = rate(scores, &|_| true, 0.95).0.map_or(0.0, |(p, _, _)| p);
        let cells = vec![
            html! { (name) },
            html! { (share(scores, &|s| s.fault.is_none())) },
            html! { (share(scores, &|s| s.fault.is_some())) },
            html! { (share(scores, &|s| s.fault_met)) },
        ];
        (rank, cells)
    };
    let mut rows: Vec<(f64, Vec<Markup>)> = agents.iter().map(|(name, scores)| mean(name, scores)).collect();
    if rows.is_empty() {
        return html! {};
    }
    rows.extend(Arm::BOTH.into_iter().zip(arms).map(|(arm, scores)| mean(&format!("the {arm}"), scores)));
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let rows: Vec<Vec<Markup>> = rows.into_iter().map(|r| r.1).collect();
    html! {
        h3 { "Floor and ceiling" }
        p.note {
            "Agents that are no models, at the same tasks: what can be reached, and what comes without understanding. An agent "
            "that knows nothing and scores well would mean that the tasks are broken."
        }
        (table(&["agent", "success on clean tasks", "success on faulty tasks", "recovery rate"], &rows))
    }
}
