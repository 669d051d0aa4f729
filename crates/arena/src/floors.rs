//! Reference agents on the same tasks: what a score is worth.

use groundwork_worlds::Task;
use groundwork_worlds::agent::{Agent, Expert, Garbage, ListAll, Null, RandomLegal, Repeat, play};

use crate::evaluate::{actions, expert_traces};
use crate::{ArenaError, Ended, Progress, Rollout, ScoreRow, SuiteSpec};

/// An agent from a seed.
type Make = fn(u64) -> Box<dyn Agent>;

/// The reference agents, from the one that does nothing to the expert, with the names that stand in
/// [`ScoreRow::policy`].
const AGENTS: [(&str, Make); 6] = [
    ("null", |_| Box::new(Null)),
    ("garbage", |seed| Box::new(Garbage::new(seed))),
    ("list-all", |_| Box::new(ListAll)),
    ("repeat", |seed| Box::new(Repeat::new(seed))),
    ("random-legal", |seed| Box::new(RandomLegal::new(seed))),
    ("expert", |_| Box::new(Expert::default())),
];

/// Plays a suite with every reference agent, each task once: the floors and the ceiling of the suite.
///
/// Returns a row a task and agent, agent by agent, with the agent's name as its policy. Nothing that needs a
/// model is measured in them.
///
/// # Errors
/// A suite that makes no sense.
pub fn floors(suite: &SuiteSpec, progress: &mut dyn FnMut(Progress)) -> Result<Vec<ScoreRow>, ArenaError> {
    let tasks = suite.tasks()?;
    let experts = expert_traces(&tasks, suite)?;
    let of = AGENTS.len() * tasks.len();
    let mut rows = Vec::with_capacity(of);
    for (name, agent) in AGENTS {
        for (task, expert) in tasks.iter().zip(&experts) {
            let rollout = attempt(agent(suite.seed ^ task.seed).as_mut(), task, suite.max_steps)?;
            rows.push(ScoreRow::new(&rollout, name, actions(expert)));
        }
        progress(Progress { done: rows.len(), of });
    }
    Ok(rows)
}

fn attempt(agent: &mut dyn Agent, task: &Task, max_steps: u32) -> Result<Rollout, ArenaError> {
    let played = play(agent, task, max_steps)?;
    let ended = match (played.answered, played.steps >= max_steps) {
        (true, _) => Ended::Answer,
        (false, true) => Ended::Steps,
        (false, false) => Ended::GaveUp,
    };
    Ok(Rollout {
        task: task.clone(),
        sample: 0,
        trace: played.trace,
        ended,
        success: played.success,
        collateral: played.collateral,
        steps: played.steps,
        malformed: played.malformed,
        fault_met: played.fault_met,
        tokens: 0,
    })
}
