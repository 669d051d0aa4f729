//! `groundwork eval`

mod models;
mod play;
mod stored;
mod suites;
mod tables;

use std::cell::RefCell;
use std::rc::Rc;

use groundwork_arena::{FLOOR_TASKS, ScoreRow, SuiteSpec, floors, horizons, summarise};

use crate::cli::{EvalArgs, EvalCommand};
use crate::failure::Failure;

pub fn run(args: &EvalArgs) -> Result<(), Failure> {
    match &args.command {
        None => play::run(args),
        Some(EvalCommand::Suites { suites, floors, tasks, markdown }) => {
            suites::list(suites, floors.then_some(*tasks), *markdown)
        }
        Some(EvalCommand::Overlap { suite, corpus, json }) => suites::overlap(suite, corpus, *json),
        Some(EvalCommand::Regrade { scores, check }) => stored::regrade(scores, *check),
        Some(EvalCommand::Replay { scores, from, count, world, level, fault, failed, html }) => {
            let wanted = stored::Wanted {
                world: world.as_deref(),
                level: *level,
                fault: fault.as_deref(),
                failed: *failed,
            };
            stored::replay(scores, &wanted, *from, *count, html.as_deref())
        }
        Some(EvalCommand::Compare { scores, html, json }) => {
            stored::compare_scores(scores, html.as_deref(), *json)
        }
        Some(EvalCommand::Predict { smaller, larger, json }) => stored::predict(smaller, larger, *json),
    }
}

/// The share of tasks that an agent solved, of those that any of them played.
fn success_of(agent: &str, rows: &[ScoreRow]) -> Option<f64> {
    let own: Vec<ScoreRow> = rows.iter().filter(|r| r.policy == agent).cloned().collect();
    summarise(&own).get("success_rate").map(|m| m.value)
}

/// What the reference agents do in the tasks of a suite, at most [`FLOOR_TASKS`] a cell. The metrics, the table and the page of an
/// evaluation all want it, and it takes seconds: the last one is kept.
fn few_floors(suite: &SuiteSpec) -> Result<Rc<[ScoreRow]>, Failure> {
    thread_local! {
        static LAST: RefCell<Option<(SuiteSpec, Rc<[ScoreRow]>)>> = const { RefCell::new(None) };
    }
    // Reference agents take no tokens.
    let max_tokens = SuiteSpec::default().max_tokens;
    let few = SuiteSpec { tasks: suite.tasks.min(FLOOR_TASKS), max_tokens, ..suite.clone() };
    let known =
        LAST.with_borrow(|last| last.as_ref().filter(|(of, _)| *of == few).map(|(_, rows)| rows.clone()));
    if let Some(rows) = known {
        return Ok(rows);
    }
    let rows: Rc<[ScoreRow]> = floors(&few, &mut |_| {})?.into();
    LAST.set(Some((few, rows.clone())));
    Ok(rows)
}

/// Metrics of a model's rows, with its horizons where the suite is a grid that shows them.
fn metrics(suite: &SuiteSpec, rows: &[ScoreRow]) -> Result<groundwork_arena::Metrics, Failure> {
    let mut metrics = summarise(rows);
    if suite.levels.len() >= 3 {
        let floors = few_floors(suite)?;
        let ignorant = groundwork_arena::reference_agents().filter(|a| !a.ends_with("expert"));
        let floor = ignorant.filter_map(|agent| success_of(agent, &floors)).fold(0.0, f64::max);
        if let Some(found) = horizons(rows, floor) {
            metrics.extend(found.metrics().map(|(name, m)| (name.to_owned(), m)));
        }
    }
    Ok(metrics)
}
