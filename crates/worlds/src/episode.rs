//! An episode: a world, its fault and the calls made so far.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use groundwork_trace::{ActionStatus, Attempt, Call, Span, SpanKind, Tool, ToolError, Trace, Value};
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::error::WorldError;
use crate::expert::Recorder;
use crate::faults::{FaultKind, Faults};
use crate::hash::Fnv;
use crate::names::Names;
use crate::own::own_ranges;
use crate::registry::{AnyWorld, Built, each, tool_set};
use crate::renamed::Disguise;
use crate::task::Task;
use crate::world::{Kind, Outcome, Verification, World};

/// The highest level of every world.
pub const MAX_LEVEL: u32 = 12;

/// How a prompt tells which tools there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Declare {
    /// Every declaration in full.
    Full,
    /// The name of the set, which [`tool_set`](crate::tool_set) resolves; in full where tools differ from task to
    /// task, so that no name stands for them.
    #[default]
    Name,
    /// Not at all.
    None,
}

/// What the world says to an attempt to act.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// What came of the attempt as a piece of language.
    pub status: ActionStatus,
    /// The `observation` or `error` span, with its metadata.
    pub span: Span,
    /// Whether the tool refused or the attempt was no valid call.
    pub failed: bool,
    /// What the user says then, if they do: a `user` span that follows `span`.
    pub turn: Option<Span>,
}

/// What was done before the agent comes.
#[derive(Debug, Default)]
struct Context {
    /// How the prompt tells it.
    told: Vec<Span>,
    calls: Vec<Call>,
}

/// A world, its fault wrapper and a step counter: a pure function of the task and the actions.
///
/// ```
/// use groundwork_worlds::{Declare, Episode, Split, Task};
/// let task = Task { world: "route".into(), split: Split::Train, seed: 1, level: 1, fault: None };
/// let mut episode = Episode::new(&task)?;
/// assert!(episode.prompt(Declare::Name)[1].body.starts_with("roads "));
/// let reply = episode.act("look()");
/// assert!(!reply.failed);
/// # Ok::<(), groundwork_worlds::WorldError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Episode {
    task: Task,
    pub(crate) world: AnyWorld,
    faults: Faults,
    /// The tools as a fault declares them in mid-episode.
    drifted: Option<Arc<[Tool]>>,
    /// Other names for the tools of the world.
    disguise: Option<Arc<Disguise>>,
    /// What was done before.
    context: Arc<Context>,
    steps: u32,
    /// What the user said after the last call.
    said: Option<String>,
}

impl Episode {
    /// Sets the task up.
    ///
    /// # Errors
    /// An unknown world, a level out of range, or a fault that the world does not have.
    pub fn new(task: &Task) -> Result<Episode, WorldError> {
        if !(1..=MAX_LEVEL).contains(&task.level) {
            return Err(WorldError::Level { level: task.level, max: MAX_LEVEL });
        }
        let Built { world, faults, disguise } = AnyWorld::build(task)?;
        let drifted = faults.drift().map(|d| d.declare(each!(&world, w => w.tools())).into());
        let mut episode = Episode {
            task: task.clone(),
            world,
            faults,
            drifted,
            disguise: disguise.map(Arc::new),
            context: Arc::default(),
            steps: 0,
            said: None,
        };
        if let Some(fault) = episode.faults.in_context() {
            episode.context = Arc::new(episode.go_wrong(fault));
        }
        Ok(episode)
    }

    /// Does what a fault says was done before, and tells it.
    fn go_wrong(&mut self, fault: FaultKind) -> Context {
        let words = [self.task.split as u64, self.task.seed, u64::from(self.task.level)];
        let mut dice = Dice::new("before", &words);
        let mut spans = Vec::new();
        let calls = each!(&self.world, w => w.mistake(&mut dice));
        for call in &calls {
            let outcome = self.perform(call).0;
            let reply = reply(&self.shown(&call.tool, Cow::Owned(outcome)), None);
            // What was wrong is not to be learnt.
            let action =
                Span { weight: Some(0.0), failed: reply.failed, ..Span::action(&self.outward(call)) };
            spans.extend([action, reply.span]);
        }
        if fault == FaultKind::Inherited {
            // The other one gave up when something was refused.
            let mut tries = self.legal_actions();
            dice.shuffle(&mut tries);
            let refused = tries.iter().find_map(|call| match self.clone().step(call) {
                Outcome::Error(e) => Some([Span::action(call), Span::error(&e)]),
                Outcome::Observation { .. } => None,
            });
            spans.extend(refused.into_iter().flatten());
            let told: Vec<String> =
                spans.chunks(2).map(|s| format!("{} was answered {}", s[0].body, s[1].body)).collect();
            spans = vec![Span::new(SpanKind::System, format!("somebody else began: {}", told.join("; ")))];
        }
        if let Some(last) = spans.last_mut() {
            last.fault = Some(fault.as_str().to_owned());
        }
        self.steps = 0;
        Context { told: spans, calls }
    }

    /// The task.
    pub fn task(&self) -> &Task {
        &self.task
    }

    /// The tools that may be called.
    pub fn tools(&self) -> &[Tool] {
        match &self.drifted {
            Some(tools) if self.faults.drifted() => tools,
            _ if self.disguise.is_some() => self.disguise.as_ref().map_or(&[], |d| d.tools()),
            _ => each!(&self.world, w => w.tools()),
        }
    }

    /// What the agent is told before it acts: the tools as `declare` says, system text where the world has some, then
    /// the goal, and what was done before ([`FaultKind::Planted`], [`FaultKind::Inherited`]). Actions in it *have* been
    /// performed: who replays a trace begins after the prompt.
    pub fn prompt(&self, declare: Declare) -> Vec<Span> {
        let mut spans = Vec::with_capacity(16);
        match declare {
            Declare::None => {}
            Declare::Name if tool_set(&self.task.world).is_some() => {
                spans.push(Span::new(SpanKind::Tools, self.task.world.as_str()));
            }
            Declare::Name | Declare::Full => {
                spans.push(Span::new(SpanKind::Tools, Tool::print_all(self.tools())));
            }
        }
        spans.extend(each!(&self.world, w => w.system()).map(|text| Span::new(SpanKind::System, text)));
        spans.push(Span::new(SpanKind::Goal, each!(&self.world, w => w.goal())));
        spans.extend(self.context.told.iter().cloned());
        spans
    }

    /// Reads an attempt to act and performs it. Whatever `body` says, the answer is a reply: what is no
    /// valid call becomes an `error` span (`Malformed`, `Unclosed`, `UnknownTool`, `MissingArgument`,
    /// `WrongType`) and changes nothing but the step counter.
    pub fn act(&mut self, body: &str) -> Reply {
        let attempt = Attempt::parse(body, self.tools());
        match (attempt.status, attempt.call) {
            (ActionStatus::Fine, Some(call)) => {
                let call = self.inward(call);
                let (outcome, fault) = self.perform(&call);
                let outcome = self.shown(&call.tool, Cow::Owned(outcome));
                let turn = self.said.as_deref().map(|said| Span::new(SpanKind::User, said));
                Reply { turn, ..reply(&outcome, fault) }
            }
            (status, _) => {
                self.steps += 1;
                self.said = None;
                let name = match status {
                    ActionStatus::UnknownTool => "UnknownTool",
                    ActionStatus::MissingArgument => "MissingArgument",
                    ActionStatus::WrongType => "WrongType",
                    ActionStatus::Unclosed => "Unclosed",
                    ActionStatus::Fine | ActionStatus::Malformed => "Malformed",
                };
                let error = ToolError::new(name, [Value::str(attempt.message)]);
                Reply { status, span: Span::error(&error), failed: true, turn: None }
            }
        }
    }

    /// Performs a call. One that does not fit the tools' declarations is refused as `UnknownTool`,
    /// `MissingArgument` or `WrongType`.
    pub fn step(&mut self, call: &Call) -> Outcome {
        match misfit(call, self.tools()) {
            None if self.drifted.is_some() || self.disguise.is_some() => {
                let call = self.inward(call.clone());
                let outcome = self.perform(&call).0;
                self.shown(&call.tool, Cow::Owned(outcome)).into_owned()
            }
            None => self.perform(call).0,
            Some(error) => {
                self.steps += 1;
                self.said = None;
                Outcome::Error(error)
            }
        }
    }

    /// A call as it must be made now, from one in the world's own names.
    pub(crate) fn outward<'a>(&self, call: &'a Call) -> Cow<'a, Call> {
        if self.drifted.is_none() && self.disguise.is_none() {
            return Cow::Borrowed(call);
        }
        let call = self.faults.outward(call.clone());
        Cow::Owned(match &self.disguise {
            Some(disguise) => disguise.outward(call),
            None => call,
        })
    }

    /// The reverse of [`Episode::outward`].
    fn inward(&self, call: Call) -> Call {
        self.faults.inward(match &self.disguise {
            Some(disguise) => disguise.inward(call),
            None => call,
        })
    }

    /// What came of a call of `tool`, in the world's own names, as the agent is shown it.
    pub(crate) fn shown<'a>(&self, tool: &str, outcome: Cow<'a, Outcome>) -> Cow<'a, Outcome> {
        match &self.disguise {
            Some(disguise) => Cow::Owned(disguise.shown(tool, outcome.into_owned())),
            None => outcome,
        }
    }

    /// The fault that stands in the prompt, if one does.
    pub(crate) fn in_context(&self) -> Option<FaultKind> {
        self.faults.in_context()
    }

    /// The calls that were made before, in the world's own names.
    pub(crate) fn begun(&self) -> &[Call] {
        &self.context.calls
    }

    /// Performs a call in the world's own names that fits the declarations; says which fault shows in the outcome.
    pub(crate) fn perform(&mut self, call: &Call) -> (Outcome, Option<FaultKind>) {
        self.steps += 1;
        let faults = &mut self.faults;
        let (outcome, fault) = each!(&mut self.world, w => faults.step(w, call));
        let answered = fault.is_none() && matches!(outcome, Outcome::Observation { .. });
        self.said = if answered { each!(&mut self.world, w => w.interject(call)) } else { None };
        (outcome, fault)
    }

    /// What the user says now that the last call has been answered, if they do: they may change their mind.
    pub fn said(&self) -> Option<&str> {
        self.said.as_deref()
    }

    /// Judges the present state and `answer`. White space around the answer does not count; everything
    /// else does.
    pub fn verify(&self, answer: &str) -> Verification {
        each!(&self.world, w => w.verify(answer.trim()))
    }

    /// Every sensible call in this state, without repetition; it contains every action of the expert.
    pub fn legal_actions(&self) -> Vec<Call> {
        let calls = each!(&self.world, w => w.legal_actions());
        if self.drifted.is_some() || self.disguise.is_some() {
            return calls.iter().map(|c| self.outward(c).into_owned()).collect();
        }
        calls
    }

    /// A hash of everything that decides what follows (and not of the number of steps): equal for equal
    /// histories, on every machine.
    pub fn state_hash(&self) -> u64 {
        let mut h = Fnv::default();
        each!(&self.world, w => w.hash(&mut h));
        self.faults.hash(&mut h);
        h.finish()
    }

    /// The state of world and fault, written out for a person, one value a line. Two states can be compared line by
    /// line; the form is that of Rust's `{:#?}`, and nothing should rely on more.
    pub fn state(&self) -> String {
        let world = each!(&self.world, w => format!("{w:#?}"));
        format!("{world}\n{:#?}", self.faults)
    }

    /// Whether the fault has shown itself.
    pub fn fault_met(&self) -> bool {
        self.faults.met()
    }

    /// How many attempts to act there were, failed ones included.
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// The same task without its fault.
    pub fn twin(&self) -> Task {
        self.task.twin()
    }

    /// The expert's whole episode: prompt, plan, actions with what came of them, reflections, answer.
    /// Failed actions have `failed`, spans that show the fault name it, and `own` marks the bytes of
    /// observations that nobody could have predicted.
    ///
    /// # Errors
    /// As [`Episode::new`].
    pub fn expert_trace(task: &Task, declare: Declare) -> Result<Trace, WorldError> {
        let episode = Episode::new(task)?;
        let world = episode.world.clone();
        let mut recorder = Recorder::new(episode, declare);
        each!(world, w => w.solve(&mut recorder));
        Ok(recorder.finish())
    }
}

/// The span for an outcome.
pub(crate) fn reply(outcome: &Outcome, fault: Option<FaultKind>) -> Reply {
    let (mut span, failed) = match outcome {
        Outcome::Observation { value, own } => {
            let mut span = Span::observation(value);
            if *own {
                span.own = own_ranges(value, &span.body);
            }
            (span, false)
        }
        Outcome::Error(error) => (Span::error(error), true),
    };
    span.fault = fault.map(|f| f.as_str().to_owned());
    Reply { status: ActionStatus::Fine, span, failed, turn: None }
}

/// How `call` fails to fit the declarations, if it does.
fn misfit(call: &Call, tools: &[Tool]) -> Option<ToolError> {
    let refuse = |error: &str, what: &str| Some(ToolError::new(error, [Value::str(what)]));
    let Some(tool) = tools.iter().find(|t| t.name == call.tool) else {
        return refuse("UnknownTool", &call.tool);
    };
    for (i, (name, value)) in call.args.iter().enumerate() {
        let declared = tool.params.iter().find(|p| p.name == *name);
        let repeated = call.args[..i].iter().any(|(n, _)| n == name);
        if repeated || declared.is_none_or(|p| p.ty.accepts(value).is_err()) {
            return refuse("WrongType", name);
        }
    }
    let missing = tool.params.iter().find(|p| p.is_needed() && call.arg(&p.name).is_none())?;
    refuse("MissingArgument", &missing.name)
}

/// Builds a world of one kind and puts the task's fault into it.
pub(crate) fn build<K: Kind>(task: &Task) -> Result<(K::World, Faults), WorldError> {
    assemble(task, K::faults(), K::generate)
}

/// Builds a world with `generate` and puts the task's fault, one of `known`, into it.
pub(crate) fn assemble<W: World>(
    task: &Task,
    known: &[FaultKind],
    generate: impl FnOnce(u32, &mut Names, &mut Dice) -> W,
) -> Result<(W, Faults), WorldError> {
    let words = [task.split as u64, task.seed, u64::from(task.level)];
    let mut names = Names::new(task.split);
    let mut world = generate(task.level, &mut names, &mut Dice::new(&task.world, &words));
    let faults = match task.fault {
        None => Faults::none(),
        Some(kind) if known.contains(&kind) => {
            // A stream of the fault's own, so that the twin is built from the same choices.
            let mut dice = Dice::new(kind.as_str(), &words);
            Faults::arm(kind, task.level, &mut world, &mut names, &mut dice)
        }
        Some(kind) => {
            return Err(WorldError::FaultNotHere {
                world: task.world.clone(),
                fault: kind.as_str().to_owned(),
                known: known.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(", "),
            });
        }
    };
    Ok((world, faults))
}
