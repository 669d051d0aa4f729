//! One row of scores an attempt.

use serde::{Deserialize, Serialize};

use crate::{Ended, Likelihood, Ranking, Rollout};

/// One attempt at one task, and what was measured on the task without playing.
///
/// What belongs to the task and not to the attempt (`action_…`, `recovery_…`, `legal_…`) stands in the row of its
/// first attempt only, so that sums over rows count it once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ScoreRow {
    /// The world.
    pub world: String,
    /// The level of difficulty.
    pub level: u32,
    /// The injected fault, if there was one.
    pub fault: Option<String>,
    /// The task's seed; a faulty task and its clean twin have the same.
    pub seed: u64,
    /// Which of several attempts at the task this is, from 0.
    pub sample: u32,
    /// Who played: `model`, or the name of a reference agent.
    pub policy: String,
    /// Whether the answer and the state that the agent left are what the task asked for.
    pub success: bool,
    /// Changes to the world that the task did not ask for.
    pub collateral: u32,
    /// Attempts to act, malformed ones included.
    pub steps: u32,
    /// Actions that the expert takes in the same task.
    pub expert_steps: u32,
    /// Attempts to act that were no valid calls.
    pub malformed: u32,
    /// Whether the agent met the injected fault.
    pub fault_met: bool,
    /// How the attempt ended.
    pub ended: Ended,
    /// Tokens in the context at the end, prompt included; 0 for an agent that is no language model.
    pub tokens: u32,
    /// Bits that the model needs for the expert's actions.
    pub action_bits: f64,
    /// Bytes of the expert's actions; 0 where they were not measured.
    pub action_bytes: u64,
    /// Bits that the model needs for what the expert does after the fault.
    pub recovery_bits: f64,
    /// Bytes of what the expert does after the fault.
    pub recovery_bytes: u64,
    /// The expert's actions that were ranked among the legal ones.
    pub ranked_actions: u32,
    /// Mean rank of the expert's action among the legal ones, from 1.
    pub legal_rank: Option<f64>,
    /// Mean number of legal actions that competed.
    pub legal_count: Option<f64>,
    /// Mean of 1 / rank.
    pub reciprocal_rank: Option<f64>,
    /// What chance gives as the mean of 1 / rank.
    pub chance_reciprocal_rank: Option<f64>,
    /// Everything that was said, as an annotated trace.
    pub transcript: String,
}

impl ScoreRow {
    /// The row of an attempt that nothing was measured on besides.
    pub(crate) fn new(rollout: &Rollout, policy: &str, expert_steps: u32) -> ScoreRow {
        let task = &rollout.task;
        ScoreRow {
            world: task.world.clone(),
            level: task.level,
            fault: task.fault.map(|f| f.as_str().to_owned()),
            seed: task.seed,
            sample: rollout.sample,
            policy: policy.to_owned(),
            success: rollout.success,
            collateral: rollout.collateral,
            steps: rollout.steps,
            expert_steps,
            malformed: rollout.malformed,
            fault_met: rollout.fault_met,
            ended: rollout.ended,
            tokens: rollout.tokens,
            action_bits: 0.0,
            action_bytes: 0,
            recovery_bits: 0.0,
            recovery_bytes: 0,
            ranked_actions: 0,
            legal_rank: None,
            legal_count: None,
            reciprocal_rank: None,
            chance_reciprocal_rank: None,
            transcript: rollout.trace.to_annotated(),
        }
    }

    pub(crate) fn with_likelihood(&mut self, likelihood: &Likelihood) {
        self.action_bits = likelihood.action_bits;
        self.action_bytes = likelihood.action_bytes;
        self.recovery_bits = likelihood.recovery_bits;
        self.recovery_bytes = likelihood.recovery_bytes;
    }

    pub(crate) fn with_ranking(&mut self, ranking: &Ranking) {
        let mean = |sum: f64| (ranking.actions > 0).then(|| sum / f64::from(ranking.actions));
        self.ranked_actions = ranking.actions;
        self.legal_rank = mean(ranking.ranks);
        self.legal_count = mean(f64::from(ranking.candidates));
        self.reciprocal_rank = mean(ranking.reciprocal_ranks);
        self.chance_reciprocal_rank = mean(ranking.chance);
    }
}
