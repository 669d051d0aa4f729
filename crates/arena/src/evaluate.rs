//! The whole of a suite for one model.

use groundwork_corpus::Tokenizer;
use groundwork_trace::{SpanKind, Trace};
use groundwork_worlds::{Episode, Task};

use crate::{ArenaError, Policy, ScoreRow, SuiteSpec, likelihood::likelihoods, rank::rank, rollout::play};

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
    let experts = expert_traces(&tasks, suite)?;
    let ranked = spread(suite.rank_tasks as usize, tasks.len());
    let attempts = tasks.len() * suite.samples as usize;
    let of = attempts + tasks.len() + ranked.len();
    let context = suite.max_tokens as usize;

    let rollouts = play(policy, tokenizer, suite, &tasks, &mut |p| progress(Progress { done: p.done, of }))?;
    let likelihoods = likelihoods(policy, tokenizer, &experts, context, &mut |done| {
        progress(Progress { done: attempts + done, of });
    });
    let mut rows: Vec<ScoreRow> = Vec::with_capacity(rollouts.len());
    for (i, rollout) in rollouts.iter().enumerate() {
        let task = i / suite.samples as usize;
        let mut row = ScoreRow::new(rollout, "model", actions(&experts[task]));
        if let (0, Some(likelihood)) = (rollout.sample, &likelihoods[task]) {
            row.with_likelihood(likelihood);
        }
        rows.push(row);
    }
    for (done, &i) in ranked.iter().enumerate() {
        let candidates = suite.rank_candidates as usize;
        let ranking = rank(policy, tokenizer, &tasks[i], &experts[i], candidates, context)?;
        rows[i * suite.samples as usize].with_ranking(&ranking);
        progress(Progress { done: attempts + tasks.len() + done + 1, of });
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
    trace.spans.iter().filter(|s| s.kind == SpanKind::Action).count() as u32
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
