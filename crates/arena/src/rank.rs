//! Where the expert's action ranks among all the legal ones.

use groundwork_corpus::Tokenizer;
use groundwork_trace::{SpanKind, Trace};
use groundwork_worlds::{Episode, Task};
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use crate::{
    ArenaError, Policy,
    likelihood::is_step,
    policy::{GIVEN, surprisal},
    seat::say,
    statistics::{below, seed_of},
};

/// How a model ranks an expert's actions among the legal ones, summed over the actions of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Ranking {
    /// Actions that were ranked: those with at least one legal alternative.
    pub actions: u32,
    /// Σ rank, from 1. Equals share the mean of their places.
    pub ranks: f64,
    /// Σ 1 / rank. Equals share the mean of what their places give.
    pub reciprocal_ranks: f64,
    /// Σ of what chance gives: the mean of 1/1 … 1/n over n candidates.
    pub chance: f64,
    /// Σ probability, the candidates together having 1.
    pub probabilities: f64,
    /// Σ of what chance gives as that: 1 / n over n candidates.
    pub chance_probabilities: f64,
    /// Σ candidates.
    pub candidates: u32,
}

/// Actions that are scored side by side.
const ROWS: usize = 16;

/// Ranks the expert's actions in a task by the log-probability of their text, in the context of the expert's trace.
///
/// Every legal action of the state competes, in canonical print, or, where they are more than `candidates` (and that is not
/// 0), the expert's and a random choice of others (seeded by the task). The probability is that of the body; the marker
/// before it is the same for all, and no canonical call is the beginning of another one, so that none is favoured
/// for being short of an end. Actions that would not fit into `context` tokens are left out.
///
/// # Errors
/// A task that its world refuses.
pub fn rank<P: Policy>(
    policy: &P,
    tokenizer: &Tokenizer,
    task: &Task,
    trace: &Trace,
    candidates: usize,
    context: usize,
) -> Result<Ranking, ArenaError> {
    Ranker::new(policy, tokenizer).rank(task, trace, candidates, context)
}

/// As [`rank`], for many tasks: what the model knows of one action's context serves its candidates and the next action.
pub(crate) struct Ranker<'a, P: Policy> {
    policy: &'a P,
    tokenizer: &'a Tokenizer,
    state: P::State,
    /// The tokens that the state knows of each row.
    known: Vec<Vec<u32>>,
}

impl<'a, P: Policy> Ranker<'a, P> {
    pub(crate) fn new(policy: &'a P, tokenizer: &'a Tokenizer) -> Self {
        Ranker { policy, tokenizer, state: policy.start(ROWS), known: vec![Vec::new(); ROWS] }
    }

    pub(crate) fn rank(
        &mut self,
        task: &Task,
        trace: &Trace,
        candidates: usize,
        context: usize,
    ) -> Result<Ranking, ArenaError> {
        let mut episode = Episode::new(task)?;
        let mut rng = Pcg64::seed_from_u64(seed_of(&["rank", &task.world], &[task.seed, task.level.into()]));
        let mut said = Vec::new();
        let mut ranking = Ranking::default();
        for span in &trace.spans {
            if span.kind == SpanKind::Action && is_step(span) {
                let bodies: Vec<Vec<u32>> = field(&episode, &span.body, candidates, &mut rng)
                    .iter()
                    .map(|body| {
                        let mut tokens = Vec::new();
                        self.tokenizer.encode(body, &mut tokens);
                        tokens
                    })
                    .collect();
                said.push(self.tokenizer.marker(SpanKind::Action));
                if bodies.len() > 1 && bodies.iter().all(|body| said.len() + body.len() <= context) {
                    ranking.add(&self.bits(&said, &bodies));
                }
                said.pop();
                episode.act(&span.body);
            }
            say(span, self.tokenizer, &mut said);
        }
        Ok(ranking)
    }

    /// What each of `bodies` costs after `context`, which is not empty, in bits.
    fn bits(&mut self, context: &[u32], bodies: &[Vec<u32>]) -> Vec<f64> {
        let vocabulary = self.policy.vocabulary();
        let all = context.len() - 1;
        let mut bits = Vec::with_capacity(bodies.len());
        for bodies in bodies.chunks(ROWS) {
            for (row, known) in self.known.iter_mut().enumerate().take(bodies.len()) {
                let shared = known.iter().zip(&context[..all]).take_while(|(known, token)| known == token);
                let kept = self.policy.rewind(&mut self.state, row, shared.count());
                known.truncate(kept);
            }
            // The context up to its last token, of which nobody asks what follows.
            let behind = |known: &Vec<u32>| known.len() < all;
            while self.known[..bodies.len()].iter().any(behind) {
                let advances: Vec<(usize, &[u32])> = self.known[..bodies.len()]
                    .iter()
                    .enumerate()
                    .filter(|(_, known)| behind(known))
                    .map(|(row, known)| (row, &context[known.len()..all.min(known.len() + GIVEN)]))
                    .collect();
                self.policy.step(&advances, &mut self.state);
                for known in self.known[..bodies.len()].iter_mut().filter(|known| behind(known)) {
                    let end = all.min(known.len() + GIVEN);
                    known.extend_from_slice(&context[known.len()..end]);
                }
            }
            // Its last token and the bodies, but for their last ones.
            let lines: Vec<Vec<u32>> = bodies
                .iter()
                .map(|body| [&context[all..], &body[..body.len().saturating_sub(1)]].concat())
                .collect();
            let advances: Vec<(usize, &[u32])> = lines.iter().map(Vec::as_slice).enumerate().collect();
            let logits = self.policy.follow(&advances, &mut self.state);
            let mut expected = logits.chunks_exact(vocabulary);
            for ((line, body), known) in lines.iter().zip(bodies).zip(&mut self.known) {
                known.extend_from_slice(line);
                let expected = expected.by_ref().take(line.len());
                bits.push(expected.zip(body).map(|(logits, &token)| surprisal(logits, token)).sum());
            }
        }
        bits
    }
}

/// The bodies that compete: the expert's first, then legal ones, at most `candidates` in all unless that is 0.
fn field(episode: &Episode, expert: &str, candidates: usize, rng: &mut Pcg64) -> Vec<String> {
    let mut others: Vec<String> = episode.legal_actions().iter().map(ToString::to_string).collect();
    others.sort_unstable();
    others.dedup();
    others.retain(|body| body != expert);
    let wanted = if candidates == 0 { others.len() } else { (candidates - 1).min(others.len()) };
    // The first steps of a Fisher–Yates shuffle are a draw without replacement.
    for i in 0..wanted {
        let j = i + below(rng, others.len() - i);
        others.swap(i, j);
    }
    others.truncate(wanted);
    others.insert(0, expert.to_owned());
    others
}

/// The probability of the first of these, whose bits are given, where they together have 1; chance where no bits are
/// finite.
pub(crate) fn share(bits: &[f64]) -> f64 {
    let least = bits.iter().copied().fold(f64::INFINITY, f64::min);
    if !least.is_finite() {
        return 1.0 / bits.len().max(1) as f64;
    }
    let odds = |b: f64| (least - b).exp2();
    bits.first().map_or(0.0, |&b| odds(b)) / bits.iter().map(|&b| odds(b)).sum::<f64>()
}

impl Ranking {
    /// Adds one action. `bits`: those of the candidates, the expert's first.
    fn add(&mut self, bits: &[f64]) {
        let [expert, others @ ..] = bits else { return };
        let better = others.iter().filter(|b| *b < expert).count();
        let equal = others.iter().filter(|b| *b == expert).count();
        let mean = |from: usize, to: usize, of: &dyn Fn(f64) -> f64| {
            (from..=to).map(|place| of(place as f64)).sum::<f64>() / (to + 1 - from) as f64
        };
        self.actions += 1;
        self.ranks += mean(better + 1, better + 1 + equal, &|place| place);
        self.reciprocal_ranks += mean(better + 1, better + 1 + equal, &|place| 1.0 / place);
        self.chance += mean(1, bits.len(), &|place| 1.0 / place);
        self.probabilities += share(bits);
        self.chance_probabilities += 1.0 / bits.len() as f64;
        self.candidates += bits.len() as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_relative() {
        assert_eq!(share(&[1.0, 2.0, 2.0]), 0.5);
        assert_eq!(share(&[5000.0, 5001.0]), 2.0 / 3.0, "nothing underflows");
        assert_eq!(share(&[f64::INFINITY, 1.0]), 0.0);
        assert_eq!(share(&[f64::INFINITY, f64::INFINITY]), 0.5);
    }

    #[test]
    fn ranks_share_their_places() {
        let mut ranking = Ranking::default();
        ranking.add(&[2.0, 1.0, 3.0, 4.0]);
        assert_eq!((ranking.ranks, ranking.reciprocal_ranks), (2.0, 0.5));
        assert!((ranking.chance - (1.0 + 0.5 + 1.0 / 3.0 + 0.25) / 4.0).abs() < 1e-15);
        // All equal is chance.
        let mut ranking = Ranking::default();
        ranking.add(&[1.0; 5]);
        assert_eq!(ranking.reciprocal_ranks, ranking.chance);
        assert_eq!((ranking.ranks, ranking.candidates, ranking.actions), (3.0, 5, 1));
        assert_eq!((ranking.probabilities, ranking.chance_probabilities), (0.2, 0.2));
    }
}
