//! Reference agents on the same tasks: what a score is worth.

use groundwork_trace::SpanKind;
use groundwork_worlds::agent::{Agent, Expert, Garbage, ListAll, Null, RandomLegal, Repeat};
use groundwork_worlds::{Declare, Task};
use rayon::prelude::*;

use crate::evaluate::{actions, expert_traces};
use crate::{
    ArenaError, Ended, Progress, Rollout, ScoreRow, SuiteSpec, mutant::MutatedExpert, playing::Playing,
};

/// An agent from a seed.
type Make = fn(u64) -> Box<dyn Agent>;

/// Tasks in a cell that reference agents play beside a model: all those of a standard suite.
pub const FLOOR_TASKS: u32 = 24;

/// The reference agents, from the one that does nothing to the expert, with the names that stand in
/// [`ScoreRow::policy`].
const AGENTS: [(&str, Make); 7] = [
    ("null", |_| Box::new(Null)),
    ("garbage", |seed| Box::new(Garbage::new(seed))),
    ("list-all", |_| Box::new(ListAll)),
    ("repeat", |seed| Box::new(Repeat::new(seed))),
    ("random-legal", |seed| Box::new(RandomLegal::new(seed))),
    ("mutated-expert", |seed| Box::new(MutatedExpert::new(seed))),
    ("expert", |_| Box::new(Expert::default())),
];

/// The names of the reference agents, from the one that does nothing to the expert.
pub fn reference_agents() -> impl Iterator<Item = &'static str> {
    AGENTS.iter().map(|(name, _)| *name)
}

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
        let played = tasks.par_iter().zip(&experts).map(|(task, expert)| {
            let rollout = attempt(agent(suite.seed ^ task.seed).as_mut(), task, suite.max_steps)?;
            Ok(ScoreRow::new(&rollout, name, actions(expert)))
        });
        rows.extend(played.collect::<Result<Vec<_>, ArenaError>>()?);
        progress(Progress { done: rows.len(), of });
    }
    Ok(rows)
}

/// Lets an agent play until it answers, has acted `max_steps` times, or has only been talking.
fn attempt(agent: &mut dyn Agent, task: &Task, max_steps: u32) -> Result<Rollout, ArenaError> {
    let mut playing = Playing::new(task, 0, Declare::Name)?;
    let mut reply = None;
    let mut talk = 0;
    let ended = loop {
        let span = agent.act(playing.episode(), reply.as_ref());
        match span.kind {
            SpanKind::Action if playing.steps() >= max_steps => break Ended::Steps,
            SpanKind::Action => {
                reply = playing.say(span.kind, span.body);
                playing.results();
            }
            kind => {
                playing.say(kind, span.body);
                talk += 1;
                if kind == SpanKind::Answer {
                    break Ended::Answer;
                }
                if talk > 4 * max_steps + 16 {
                    break Ended::GaveUp;
                }
            }
        }
    };
    Ok(playing.finish(ended, 0, 0))
}
