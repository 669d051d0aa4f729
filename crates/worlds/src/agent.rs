//! Agents that show what a score is worth: the floors and the ceiling of a grader.
//!
//! | agent | what it does |
//! |---|---|
//! | [`Null`] | nothing: ends at once with an empty answer |
//! | [`Garbage`] | says rubbish, as actions and as its answer |
//! | [`ListAll`] | looks at everything there is and answers with every candidate |
//! | [`Repeat`] | repeats its first action until the steps are used up |
//! | [`RandomLegal`] | takes legal actions at random, then answers something it has seen |
//! | [`Expert`] | solves the task |

use groundwork_trace::{Span, SpanKind, Trace, Value};

use crate::dice::Dice;
use crate::episode::{Declare, Episode, Reply};
use crate::error::WorldError;
use crate::task::Task;
use crate::world::Outcome;

/// Something that acts in an episode.
pub trait Agent {
    /// What it says next: an `action` span, which is performed; an `answer` span, which ends the episode; or
    /// a span of another kind, after which it is asked again. `reply` is what came of its last action.
    fn act(&mut self, episode: &Episode, reply: Option<&Reply>) -> Span;
}

/// How an agent fared.
#[derive(Clone, Debug)]
pub struct Played {
    /// The verifier's word; without an answer there is no success.
    pub success: bool,
    /// How many things were changed that the goal did not ask for.
    pub collateral: u32,
    /// How many attempts to act there were.
    pub steps: u32,
    /// How many of them were no valid call.
    pub malformed: u32,
    /// Whether it answered.
    pub answered: bool,
    /// Whether the fault showed itself.
    pub fault_met: bool,
    /// Everything said, the prompt first.
    pub trace: Trace,
}

/// Lets `agent` play `task` until it answers, has acted `max_steps` times, or has only been talking.
///
/// # Errors
/// The task cannot be set up.
pub fn play(agent: &mut dyn Agent, task: &Task, max_steps: u32) -> Result<Played, WorldError> {
    let mut episode = Episode::new(task)?;
    let mut spans = episode.prompt(Declare::Name);
    let (mut reply, mut malformed, mut answer): (Option<Reply>, u32, Option<String>) = (None, 0, None);
    let mut talk = 0;
    while answer.is_none() && episode.steps() < max_steps && talk <= 4 * max_steps + 16 {
        let mut span = agent.act(&episode, reply.as_ref());
        match span.kind {
            SpanKind::Answer => answer = Some(span.body.clone()),
            SpanKind::Action => {
                let r = episode.act(&span.body);
                malformed += u32::from(r.status != groundwork_trace::ActionStatus::Fine);
                span.failed = r.failed;
                spans.push(span);
                spans.push(r.span.clone());
                spans.extend(r.turn.clone());
                reply = Some(r);
                continue;
            }
            _ => talk += 1,
        }
        spans.push(span);
    }
    let verdict = episode.verify(answer.as_deref().unwrap_or_default());
    Ok(Played {
        success: verdict.success && answer.is_some(),
        collateral: verdict.collateral,
        steps: episode.steps(),
        malformed,
        answered: answer.is_some(),
        fault_met: episode.fault_met(),
        trace: Trace::new(spans),
    })
}

/// Does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

impl Agent for Null {
    fn act(&mut self, _: &Episode, _: Option<&Reply>) -> Span {
        Span::new(SpanKind::Answer, "")
    }
}

/// Says rubbish.
#[derive(Clone, Debug)]
pub struct Garbage(Dice);

impl Garbage {
    /// Rubbish of this seed.
    pub fn new(seed: u64) -> Self {
        Garbage(Dice::new("garbage", &[seed]))
    }
}

impl Agent for Garbage {
    fn act(&mut self, episode: &Episode, _: Option<&Reply>) -> Span {
        let length = 1 + self.0.below(24);
        let alphabet: Vec<char> = "abcdefgz0179 =,:;(){}[]\"\\/\n\0é∂🦀".chars().collect();
        let rubbish: String = (0..length).map(|_| alphabet[self.0.below(alphabet.len())]).collect();
        let kind = if episode.steps() < 4 { SpanKind::Action } else { SpanKind::Answer };
        Span::new(kind, rubbish)
    }
}

/// Looks at everything that one call can show, without changing anything, and answers with all of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct ListAll;

impl Agent for ListAll {
    fn act(&mut self, episode: &Episode, _: Option<&Reply>) -> Span {
        let mut candidates = vec!["done".to_owned()];
        for call in episode.legal_actions() {
            let mut imagined = episode.clone();
            if let Outcome::Observation { value, .. } = imagined.step(&call) {
                leaves(&value, &mut candidates);
            }
        }
        candidates.sort_unstable();
        candidates.dedup();
        Span::new(SpanKind::Answer, candidates.join(", "))
    }
}

fn leaves(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::Null => {}
        Value::Bool(b) => out.push(b.to_string()),
        Value::Number(n) => out.push(n.to_string()),
        Value::Str(s) => out.push(s.clone()),
        Value::List(items) => items.iter().for_each(|v| leaves(v, out)),
        Value::Record(fields) => fields.iter().for_each(|(_, v)| leaves(v, out)),
    }
}

/// Repeats its first action, a legal one drawn by its seed.
#[derive(Clone, Debug)]
pub struct Repeat {
    dice: Dice,
    action: Option<Span>,
}

impl Repeat {
    /// The repeater of this seed.
    pub fn new(seed: u64) -> Self {
        Repeat { dice: Dice::new("repeat", &[seed]), action: None }
    }
}

impl Agent for Repeat {
    fn act(&mut self, episode: &Episode, _: Option<&Reply>) -> Span {
        let dice = &mut self.dice;
        self.action.get_or_insert_with(|| random_action(episode, dice)).clone()
    }
}

fn random_action(episode: &Episode, dice: &mut Dice) -> Span {
    let calls = episode.legal_actions();
    calls.get(dice.below(calls.len().max(1))).map_or(Span::new(SpanKind::Answer, ""), Span::action)
}

/// Takes legal actions at random, then answers with something it has seen, or `done`.
#[derive(Clone, Debug)]
pub struct RandomLegal {
    dice: Dice,
    seen: Vec<String>,
}

impl RandomLegal {
    /// The random agent of this seed.
    pub fn new(seed: u64) -> Self {
        RandomLegal { dice: Dice::new("random", &[seed]), seen: vec!["done".to_owned()] }
    }
}

impl Agent for RandomLegal {
    fn act(&mut self, episode: &Episode, reply: Option<&Reply>) -> Span {
        if let Some(value) = reply.filter(|r| !r.failed).and_then(|r| Value::parse(&r.span.body).ok()) {
            leaves(&value, &mut self.seen);
        }
        if episode.steps() > 0 && self.dice.below(4) == 0 {
            return Span::new(SpanKind::Answer, self.seen[self.dice.below(self.seen.len())].as_str());
        }
        random_action(episode, &mut self.dice)
    }
}

/// Solves the task, saying what an expert trace says.
#[derive(Clone, Debug, Default)]
pub struct Expert {
    rest: Option<std::vec::IntoIter<Span>>,
}

impl Agent for Expert {
    fn act(&mut self, episode: &Episode, _: Option<&Reply>) -> Span {
        let rest = self.rest.get_or_insert_with(|| {
            let trace = Episode::expert_trace(episode.task(), Declare::None).unwrap_or_default();
            let told = episode.prompt(Declare::None).len();
            let own: Vec<Span> = trace.spans.into_iter().skip(told).filter(|s| s.kind.is_agents()).collect();
            own.into_iter()
        });
        rest.next().unwrap_or_else(|| Span::new(SpanKind::Answer, ""))
    }
}
