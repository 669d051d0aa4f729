//! One row of scores an attempt.

use groundwork_trace::Trace;
use groundwork_worlds::{Declare, Episode, Split, Task};
use serde::{Deserialize, Serialize};

use crate::evaluate::actions;
use crate::{ArenaError, Branch, Ended, InvalidActions, Likelihood, Ranking, Rollout, regrade};

/// One attempt at one task, and what was measured on the task without playing.
///
/// What belongs to the task and not to the attempt (`action_…`, `recovery_…`, `twin_…`, `legal_…`, `branch_…`) stands in the row of its
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
    /// The same by what was wrong with them. Files of earlier versions have zeros here.
    #[serde(default)]
    pub invalid: InvalidActions,
    /// Whether the agent met the injected fault.
    pub fault_met: bool,
    /// How the attempt ended.
    pub ended: Ended,
    /// Tokens in the context at the end, prompt included; 0 for an agent that is no language model.
    pub tokens: u32,
    /// Tokens that the agent said; 0 for one that is no language model.
    #[serde(default)]
    pub said: u32,
    /// Bits that the model needs for the expert's actions.
    pub action_bits: f64,
    /// Bytes of the expert's actions; 0 where they were not measured.
    pub action_bytes: u64,
    /// Bits that the model needs for the expert's answer.
    #[serde(default)]
    pub answer_bits: f64,
    /// Bytes of the expert's answer; 0 where it was not measured.
    #[serde(default)]
    pub answer_bytes: u64,
    /// Bits that the model needs for what the expert does after the fault.
    pub recovery_bits: f64,
    /// Bytes of what the expert does after the fault.
    pub recovery_bytes: u64,
    /// Bits that the model needs for what the expert does in the clean twin from the same place on.
    #[serde(default)]
    pub twin_bits: f64,
    /// Bytes of that.
    #[serde(default)]
    pub twin_bytes: u64,
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
    /// Mean probability of the expert's action, the legal ones together having 1.
    #[serde(default)]
    pub legal_probability: Option<f64>,
    /// What chance gives as that: the mean of 1 / number.
    #[serde(default)]
    pub chance_probability: Option<f64>,
    /// Where the fault has shown: the probability of what the expert does next, among that and what one would do who has not
    /// noticed.
    #[serde(default)]
    pub branch_probability: Option<f64>,
    /// What chance gives as that.
    #[serde(default)]
    pub chance_branch: Option<f64>,
    /// Everything that was said, as an annotated trace.
    pub transcript: String,
}

impl ScoreRow {
    /// The task that was attempted.
    ///
    /// # Errors
    /// A fault that does not exist any more.
    pub fn task(&self) -> Result<Task, ArenaError> {
        let fault = self.fault.as_deref().map(str::parse).transpose()?;
        Ok(Task { world: self.world.clone(), split: Split::Test, seed: self.seed, level: self.level, fault })
    }

    /// Everything that was said.
    ///
    /// # Errors
    /// A transcript that is no trace.
    pub fn trace(&self) -> Result<Trace, ArenaError> {
        Trace::parse(&self.transcript).map_err(|e| {
            let (world, seed) = (self.world.clone(), self.seed);
            ArenaError::Transcript { world, level: self.level, seed, what: e.to_string() }
        })
    }

    /// The same attempt, graded by the worlds of today; what was measured besides stays. Says whether a span of the world's is not
    /// what it would say today.
    ///
    /// # Errors
    /// A transcript that is no trace, or a task that its world refuses.
    pub fn regraded(&self) -> Result<(ScoreRow, bool), ArenaError> {
        let (task, trace) = (self.task()?, self.trace()?);
        let again = regrade(&task, self.sample, self.ended, self.tokens, self.said, &trace)?;
        let fresh = ScoreRow::new(&again.rollout, &self.policy, self.expert_steps);
        let row = ScoreRow {
            success: fresh.success,
            collateral: fresh.collateral,
            steps: fresh.steps,
            malformed: fresh.malformed,
            invalid: fresh.invalid,
            fault_met: fresh.fault_met,
            expert_steps: actions(&Episode::expert_trace(&task, Declare::None)?),
            ..self.clone()
        };
        Ok((row, again.differs_at.is_some()))
    }

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
            malformed: rollout.invalid.total(),
            invalid: rollout.invalid,
            fault_met: rollout.fault_met,
            ended: rollout.ended,
            tokens: rollout.tokens,
            said: rollout.said,
            action_bits: 0.0,
            action_bytes: 0,
            answer_bits: 0.0,
            answer_bytes: 0,
            recovery_bits: 0.0,
            recovery_bytes: 0,
            twin_bits: 0.0,
            twin_bytes: 0,
            ranked_actions: 0,
            legal_rank: None,
            legal_count: None,
            reciprocal_rank: None,
            chance_reciprocal_rank: None,
            legal_probability: None,
            chance_probability: None,
            branch_probability: None,
            chance_branch: None,
            transcript: rollout.trace.to_annotated(),
        }
    }

    pub(crate) fn with_likelihood(&mut self, likelihood: &Likelihood) {
        self.action_bits = likelihood.action_bits;
        self.action_bytes = likelihood.action_bytes;
        self.answer_bits = likelihood.answer_bits;
        self.answer_bytes = likelihood.answer_bytes;
        self.recovery_bits = likelihood.recovery_bits;
        self.recovery_bytes = likelihood.recovery_bytes;
    }

    /// `twin`: the likelihood of the clean twin.
    pub(crate) fn with_twin(&mut self, own: &Likelihood, twin: &Likelihood) {
        (self.twin_bits, self.twin_bytes) = own.twin_from_the_same_place(twin);
    }

    pub(crate) fn with_branch(&mut self, branch: &Branch) {
        self.branch_probability = Some(branch.probability);
        self.chance_branch = Some(branch.chance);
    }

    pub(crate) fn with_ranking(&mut self, ranking: &Ranking) {
        let mean = |sum: f64| (ranking.actions > 0).then(|| sum / f64::from(ranking.actions));
        self.ranked_actions = ranking.actions;
        self.legal_rank = mean(ranking.ranks);
        self.legal_count = mean(f64::from(ranking.candidates));
        self.reciprocal_rank = mean(ranking.reciprocal_ranks);
        self.chance_reciprocal_rank = mean(ranking.chance);
        self.legal_probability = mean(ranking.probabilities);
        self.chance_probability = mean(ranking.chance_probabilities);
    }
}
