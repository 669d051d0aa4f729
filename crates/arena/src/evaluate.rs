//! The whole of a suite for one model.

use std::collections::BTreeMap;

use groundwork_corpus::Tokenizer;
use groundwork_trace::{SpanKind, Trace};
use groundwork_worlds::{Declare, Episode, Task};

use crate::{
    ArenaError, Policy, Rollout, ScoreRow, SuiteSpec,
    branch::branches,
    likelihood::{is_step, likelihoods},
    rank::Ranker,
    rollout::play,
};

/// How far an evaluation is, in attempts, traces and rankings together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is done.
    pub done: usize,
    /// Out of how many.
    pub of: usize,
}

/// Plays a suite with a model and measures the likelihood and the rank of the expert's actions in the same tasks.
///
/// Returns a row an attempt, in the order of [`SuiteSpec::tasks`], with the policy's name `model`.
///
/// # Errors
/// A suite that makes no sense, or a vocabulary that the model does not know.
pub fn evaluate<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    suite: &SuiteSpec,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<ScoreRow>, ArenaError> {
    let tasks = suite.tasks()?;
    let attempts = tasks.len() * suite.samples as usize;
    let of = attempts + measurements(suite, &tasks);
    let rollouts = play(policy, tokenizer, suite, &tasks, &mut |p| progress(Progress { done: p.done, of }))?;
    measure(policy, tokenizer, suite, &rollouts, &mut |p| progress(Progress { done: attempts + p.done, of }))
}

/// The rows of attempts that nothing is measured on besides, with the policy's name `model`: those behind an endpoint, which gives no
/// likelihoods. They may be some of a suite's attempts only.
///
/// # Errors
/// A task that its world refuses.
pub fn score(rollouts: &[Rollout]) -> Result<Vec<ScoreRow>, ArenaError> {
    let mut rows = Vec::with_capacity(rollouts.len());
    for rollout in rollouts {
        let expert = Episode::expert_trace(&rollout.task, Declare::None)?;
        rows.push(ScoreRow::new(rollout, "model", actions(&expert)));
    }
    Ok(rows)
}

/// How many things [`measure`] measures.
fn measurements(suite: &SuiteSpec, tasks: &[Task]) -> usize {
    tasks.len() + (suite.rank_tasks as usize).min(tasks.len())
}

/// The rows of attempts that a model has made, with what is measured on their tasks without playing: the likelihood and
/// the rank of the expert's actions, and the probability of the right branch after a fault.
///
/// `rollouts` are those of every task of the suite, in its order.
///
/// # Errors
/// A suite that makes no sense, or a vocabulary that the model does not know.
pub fn measure<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    suite: &SuiteSpec,
    rollouts: &[Rollout],
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<ScoreRow>, ArenaError> {
    let tasks = suite.tasks()?;
    let experts = expert_traces(&tasks, suite)?;
    let samples = suite.samples as usize;
    let ranked = spread(suite.rank_tasks as usize, tasks.len());
    let context = suite.max_tokens as usize;
    let of = measurements(suite, &tasks);

    let mut rows: Vec<ScoreRow> = rollouts
        .iter()
        .enumerate()
        .map(|(i, rollout)| ScoreRow::new(rollout, "model", actions(&experts[i / samples])))
        .collect();
    let likelihoods = likelihoods(policy, tokenizer, &experts, context, &mut |done| {
        progress(Progress { done, of });
    });
    // Clean tasks by their places in the suite.
    let mut clean: BTreeMap<(&str, u32, u64), usize> = BTreeMap::new();
    for (i, task) in tasks.iter().enumerate().filter(|(_, task)| task.fault.is_none()) {
        clean.insert((&task.world, task.level, task.seed), i);
    }
    let twin = |task: &Task| clean.get(&(task.world.as_str(), task.level, task.seed)).copied();
    let pairs: Vec<(usize, usize)> = tasks
        .iter()
        .enumerate()
        .filter(|(_, task)| task.fault.is_some())
        .filter_map(|(i, task)| Some((i, twin(task)?)))
        .collect();
    for (i, likelihood) in likelihoods.iter().enumerate() {
        if let Some(likelihood) = likelihood {
            rows[i * samples].with_likelihood(likelihood);
        }
    }
    let traces: Vec<(&Trace, &Trace)> = pairs.iter().map(|&(i, j)| (&experts[i], &experts[j])).collect();
    let branches = branches(policy, tokenizer, &traces, context, &mut |_| {});
    for (&(i, j), branch) in pairs.iter().zip(branches) {
        if let (Some(own), Some(twin)) = (&likelihoods[i], &likelihoods[j]) {
            rows[i * samples].with_twin(own, twin);
        }
        if let Some(branch) = branch {
            rows[i * samples].with_branch(&branch);
        }
    }
    // Its state costs something: it is made where something is ranked.
    let mut ranker = None;
    for (done, &i) in ranked.iter().enumerate() {
        let candidates = suite.rank_candidates as usize;
        let ranker = ranker.get_or_insert_with(|| Ranker::new(policy, tokenizer));
        let ranking = ranker.rank(&tasks[i], &experts[i], candidates, context)?;
        rows[i * samples].with_ranking(&ranking);
        progress(Progress { done: tasks.len() + done + 1, of });
    }
    progress(Progress { done: of, of });
    Ok(rows)
}

/// What the expert does in each task.
pub(crate) fn expert_traces(tasks: &[Task], suite: &SuiteSpec) -> Result<Vec<Trace>, ArenaError> {
    tasks.iter().map(|task| Ok(Episode::expert_trace(task, suite.declare)?)).collect()
}

/// The number of actions in a trace.
pub(crate) fn actions(trace: &Trace) -> u32 {
    trace.spans.iter().filter(|s| s.kind == SpanKind::Action && is_step(s)).count() as u32
}

/// `count` places, or all, spread evenly over `of`.
fn spread(count: usize, of: usize) -> Vec<usize> {
    let count = count.min(of);
    (0..count).map(|i| (2 * i + 1) * of / (2 * count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_spread() {
        assert_eq!(spread(3, 9), [1, 4, 7]);
        assert_eq!(spread(4, 2), [0, 1]);
        assert!(spread(0, 2).is_empty());
        assert!(spread(5, 0).is_empty());
        for (count, of) in [(24, 192), (7, 10), (10, 10)] {
            let places = spread(count, of);
            assert!(places.windows(2).all(|w| w[0] < w[1]) && places.last().is_some_and(|&p| p < of));
        }
    }
}
