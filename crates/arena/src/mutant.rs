//! An expert that gets one argument wrong: a grader that lets it pass is no grader.

use groundwork_trace::{Call, Span, SpanKind, Value};
use groundwork_worlds::agent::Agent;
use groundwork_worlds::{Declare, Episode, Outcome, Reply, one_argument_off};
use rand_core::SeedableRng;
use rand_pcg::Pcg64;

use crate::state::changes;
use crate::statistics::below;

/// Says what the expert says, with one value wrong, and goes on as though nothing had happened.
///
/// Where the task asks for something, the wrong value is in the answer. Where it asks for a change only (the answer is `done`),
/// it is an argument of an action, replaced by another that is legal somewhere in the task: the last action whose mistake the world
/// notices, by refusing this call or a later one that it granted the expert, and that leaves another world than the expert leaves. An
/// expert whose every call is needed has then done one call too few, so no grader may let it pass; a mistake that nothing refuses may
/// be another way to the same end (a payment from the other of two named sources). Where none is refused, one that is not is made.
#[derive(Debug)]
pub(crate) struct MutatedExpert {
    seed: u64,
    rest: Option<std::vec::IntoIter<Span>>,
}

impl MutatedExpert {
    pub(crate) fn new(seed: u64) -> Self {
        MutatedExpert { seed, rest: None }
    }
}

impl Agent for MutatedExpert {
    fn act(&mut self, episode: &Episode, _: Option<&Reply>) -> Span {
        let rest = self.rest.get_or_insert_with(|| mutated(episode, self.seed).into_iter());
        rest.next().unwrap_or_else(|| Span::new(SpanKind::Answer, ""))
    }
}

/// Alternatives that are tried for an action.
const TRIES: usize = 24;

/// What the expert says in the task of `start`, with a mistake in it.
fn mutated(start: &Episode, seed: u64) -> Vec<Span> {
    let trace = Episode::expert_trace(start.task(), Declare::None).unwrap_or_default();
    let mut said: Vec<Span> =
        trace.spans.into_iter().filter(|s| s.kind.is_agents() && s.weight != Some(0.0)).collect();
    let actions: Vec<usize> = (0..said.len()).filter(|&i| said[i].kind == SpanKind::Action).collect();
    // The state before each action, and the one that the expert leaves.
    let mut before = vec![start.clone()];
    for &i in &actions {
        let mut next = before[before.len() - 1].clone();
        next.act(&said[i].body);
        before.push(next);
    }
    let left = before[actions.len()].state();
    let only_asks = said.last().is_some_and(|s| s.body.split(", ").any(|part| part != "done"));
    let mut pool: Vec<Call> = before.iter().flat_map(Episode::legal_actions).collect();
    pool.sort_unstable();
    pool.dedup();
    let mut rng = Pcg64::seed_from_u64(seed);
    let mut quiet = None;
    for at in (0..actions.len()).rev().filter(|_| !only_asks) {
        let Ok(call) = Call::parse(&said[actions[at]].body) else { continue };
        let mut wrong = one_argument_off(&call, &pool);
        for _ in 0..TRIES.min(wrong.len()) {
            let (_, other) = wrong.swap_remove(below(&mut rng, wrong.len()));
            let mut world = before[at].clone();
            let mut noticed = matches!(world.step(&other), Outcome::Error(_)) && !said[actions[at]].failed;
            for &i in &actions[at + 1..] {
                noticed |= world.act(&said[i].body).failed && !said[i].failed;
            }
            if !noticed && quiet.is_some() {
                continue;
            }
            // What only the fault remembers is no other world.
            if !changes(&left, &world.state()).iter().any(|c| !c.path.starts_with("fault")) {
                continue;
            }
            if noticed {
                said[actions[at]] = Span::action(&other);
                return said;
            }
            quiet.get_or_insert((actions[at], other));
        }
    }
    if let Some((at, other)) = quiet {
        said[at] = Span::action(&other);
        return said;
    }
    if let Some(answer) = said.last_mut().filter(|s| s.kind == SpanKind::Answer) {
        answer.body = other_answer(&answer.body, &pool, &mut rng);
    }
    said
}

/// An answer that is not `answer` and looks like it: a word of the task in its place, or another number.
fn other_answer(answer: &str, pool: &[Call], rng: &mut Pcg64) -> String {
    if let Ok(number) = answer.parse::<i64>() {
        return number.wrapping_add(1).to_string();
    }
    // Of several parts, one is wrong.
    if let Some((first, rest)) = answer.split_once(", ") {
        return match first {
            "done" => format!("done, {}", other_answer(rest, pool, rng)),
            part => format!("{}, {rest}", other_answer(part, pool, rng)),
        };
    }
    let words = pool.iter().flat_map(|c| &c.args).filter_map(|(_, v)| match v {
        Value::Str(s) if s != answer => Some(s.clone()),
        _ => None,
    });
    let mut words: Vec<String> = words.collect();
    words.sort_unstable();
    words.dedup();
    if words.is_empty() { format!("not {answer}") } else { words.swap_remove(below(rng, words.len())) }
}
