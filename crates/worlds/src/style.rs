//! Styles of telling: the same task, solved by the same expert, told in several ways.
//!
//! | style | what is said |
//! |---|---|
//! | `terse` | actions and the answer, nothing else |
//! | `plan` | what the expert says by itself: a plan, and a reflection after every failure |
//! | `thought` | before every action, what was learned last and what is next |
//! | `explore` | also looks that were not needed, and steps that are taken back |
//! | `mistakes` | also calls that go wrong, what was wrong with them, and the repair |
//! | `retract` | as `thought`, also wrong thoughts (another value in the next call, a wrong result), taken back at once |
//! | `decide` | before an action, the candidates and the choice among them |
//!
//! What is added never changes the state for good: a look is only taken where it leaves the [state](Episode::state_hash) as it
//! was, and a step only where one more step leads back. So the expert's own part stays right, whatever the world.

use std::str::FromStr;

use groundwork_trace::{Call, Span, SpanKind, Trace, Value};
use serde::{Deserialize, Serialize};

use crate::dice::Dice;
use crate::episode::{Declare, Episode, Reply};
use crate::error::{WorldError, did_you_mean};
use crate::mistake::one_argument_off;
use crate::task::Task;
use crate::world::Outcome;

/// A way to tell an expert's solution; see the [module documentation](self).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Actions and the answer.
    Terse,
    /// With a plan, and reflections after failures.
    #[default]
    Plan,
    /// With a thought before every action.
    Thought,
    /// With detours.
    Explore,
    /// With mistakes and their repair.
    Mistakes,
    /// With candidates before every choice.
    Decide,
    /// With wrong thoughts that are taken back.
    Retract,
}

impl Style {
    /// Every style.
    pub const ALL: [Style; 7] = [
        Style::Terse,
        Style::Plan,
        Style::Thought,
        Style::Explore,
        Style::Mistakes,
        Style::Decide,
        Style::Retract,
    ];

    /// Its name in files and commands.
    pub const fn as_str(self) -> &'static str {
        match self {
            Style::Terse => "terse",
            Style::Plan => "plan",
            Style::Thought => "thought",
            Style::Explore => "explore",
            Style::Mistakes => "mistakes",
            Style::Decide => "decide",
            Style::Retract => "retract",
        }
    }
}

impl std::fmt::Display for Style {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Style {
    type Err = WorldError;

    fn from_str(name: &str) -> Result<Self, WorldError> {
        let names = || Style::ALL.into_iter().map(Style::as_str);
        Style::ALL.into_iter().find(|s| s.as_str() == name).ok_or_else(|| WorldError::UnknownStyle {
            name: name.to_owned(),
            hint: did_you_mean(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        })
    }
}

/// The expert's solution of a task, told in a style that goes astray in half of the places where it could: [`styled_trace_at`].
///
/// # Errors
/// As [`Episode::new`].
pub fn styled_trace(task: &Task, declare: Declare, style: Style, seed: u64) -> Result<Trace, WorldError> {
    styled_trace_at(task, declare, style, 0.5, seed)
}

/// The expert's solution of a task, told in a style. The same task, style, `rate` and `seed` give the same trace. `rate`, from 0 to 1, is
/// how often a detour, a mistake or a wrong thought is told where the style has such and there is room for one.
///
/// # Errors
/// As [`Episode::new`].
pub fn styled_trace_at(
    task: &Task,
    declare: Declare,
    style: Style,
    rate: f64,
    seed: u64,
) -> Result<Trace, WorldError> {
    let expert = Episode::expert_trace(task, declare)?;
    match style {
        Style::Plan => Ok(expert),
        Style::Terse => Ok(Trace::new(expert.spans.into_iter().filter(|s| !is_talk(s.kind)).collect())),
        _ => {
            let dice = Dice::new(style.as_str(), &[seed, task.seed, u64::from(task.level)]);
            let episode = Episode::new(task)?;
            let teller = Teller { style, rate, dice, episode, told: Vec::new(), left: MOST };
            // A solution that cannot be retold (its results would differ) is told as the expert does.
            Ok(teller.tell(&expert).unwrap_or(expert))
        }
    }
}

fn is_talk(kind: SpanKind) -> bool {
    matches!(kind, SpanKind::Plan | SpanKind::Thought | SpanKind::Reflection)
}

/// Detours or mistakes in one trace, at most.
const MOST: usize = 4;
/// Candidates that are tried for one of them.
const TRIES: usize = 4;
/// Actions that are tried to take a step back.
const WAYS_BACK: usize = 64;
/// Candidates that a decision lists.
const CHOICES: usize = 4;

struct Teller {
    style: Style,
    /// How often a mistake is made where one can be.
    rate: f64,
    dice: Dice,
    episode: Episode,
    told: Vec<Span>,
    /// Detours or mistakes that may still be made.
    left: usize,
}

impl Teller {
    fn tell(mut self, expert: &Trace) -> Option<Trace> {
        // Results that the expert's actions have had here and that it has not read yet.
        let mut waiting: std::collections::VecDeque<Span> = Default::default();
        // Actions that the prompt tells have been performed; they have no weight.
        let prompt = expert.spans.iter().rposition(|s| s.weight == Some(0.0)).map_or(0, |i| i + 2);
        for (i, span) in expert.spans.iter().enumerate() {
            match span.kind {
                _ if i < prompt => self.told.push(span.clone()),
                SpanKind::Action => {
                    if waiting.is_empty() {
                        self.before(&span.body);
                    }
                    let reply = self.episode.act(&span.body);
                    self.told.push(Span { failed: reply.failed, ..span.clone() });
                    waiting.push_back(reply.span);
                }
                SpanKind::Observation | SpanKind::Error => {
                    let reply = waiting.pop_front()?;
                    if (reply.kind, &reply.body) != (span.kind, &span.body) {
                        return None;
                    }
                    self.told.push(reply);
                }
                kind => {
                    if self.style == Style::Retract && kind == SpanKind::Thought && self.errs() {
                        self.miscalculate(&span.body);
                    }
                    self.told.push(span.clone());
                }
            }
        }
        Some(Trace::new(self.told))
    }

    /// What is told before the expert's next action.
    fn before(&mut self, next: &str) {
        let Ok(call) = Call::parse(next) else { return };
        let style = self.style;
        match style {
            Style::Thought => self.think(&call),
            Style::Decide => self.decide(next),
            Style::Explore if self.goes_astray() => self.explore(next),
            Style::Mistakes if self.goes_astray() => self.mistake(&call),
            Style::Retract => {
                if self.errs() {
                    self.think_of_another(&call);
                }
                self.think(&call);
            }
            _ => {}
        }
    }

    /// Whether a detour or a mistake is made here, of those that are left.
    fn goes_astray(&mut self) -> bool {
        self.left > 0 && self.errs()
    }

    /// Whether a mistake is made here.
    fn errs(&mut self) -> bool {
        (self.dice.below(1 << 20) as f64) < self.rate * f64::from(1 << 20)
    }

    /// Thinks of a call with a wrong value, and thinks better of it.
    fn think_of_another(&mut self, next: &Call) {
        let wrong = one_argument_off(next, &self.episode.legal_actions());
        if wrong.is_empty() {
            return;
        }
        let (place, call) = &wrong[self.dice.below(wrong.len())];
        let (name, right) = &next.args[*place];
        self.say(SpanKind::Thought, format!("next {}", plainly(call)));
        self.say(SpanKind::Reflection, format!("no, {name} is {right}"));
    }

    /// Before a thought of the expert that ends in a number that it has worked out: the thought with another number, and that it is not so.
    fn miscalculate(&mut self, thought: &str) {
        let Some((before, result)) = thought.rsplit_once(" = ") else { return };
        let Ok(right) = result.parse::<i64>() else { return };
        let off = self.dice.between(1, 9);
        let wrong = if self.dice.coin() || right < off { right + off } else { right - off };
        self.say(SpanKind::Thought, format!("{before} = {wrong}"));
        self.say(SpanKind::Reflection, format!("no, not {wrong}"));
    }

    fn say(&mut self, kind: SpanKind, text: String) {
        self.told.push(Span::new(kind, text));
    }

    /// What was learned last, and what is next.
    fn think(&mut self, next: &Call) {
        let mut thought = match self.told.last() {
            Some(s) if s.kind == SpanKind::Observation && s.body.len() <= 60 => format!("got {}; ", s.body),
            _ => String::new(),
        };
        thought += &format!("next {}", plainly(next));
        self.say(SpanKind::Thought, thought);
    }

    /// The candidates, and the choice among them.
    fn decide(&mut self, next: &str) {
        let mut others: Vec<String> =
            self.episode.legal_actions().iter().map(ToString::to_string).filter(|c| c != next).collect();
        if others.is_empty() {
            return;
        }
        self.dice.shuffle(&mut others);
        others.truncate(CHOICES - 1);
        let place = self.dice.below(others.len() + 1);
        others.insert(place, next.to_owned());
        let list: Vec<String> = others.iter().enumerate().map(|(i, c)| format!("{} {c}", i + 1)).collect();
        self.say(SpanKind::Thought, format!("{}\ntake {}", list.join("\n"), place + 1));
    }

    /// A look that is not needed, or a step and the way back.
    fn explore(&mut self, next: &str) {
        let here = self.episode.state_hash();
        let legal = self.episode.legal_actions();
        for _ in 0..TRIES {
            let Some(call) = legal.get(self.dice.below(legal.len().max(1))) else { return };
            let body = call.to_string();
            if body == next || self.told.iter().any(|s| s.kind == SpanKind::Action && s.body == body) {
                continue;
            }
            let mut there = self.episode.clone();
            if matches!(there.step(call), Outcome::Error(_)) || there.said().is_some() {
                continue;
            }
            if there.state_hash() == here {
                self.act(&body);
                let thought = format!("no need for that, {} instead", tool_of(next));
                self.say(SpanKind::Thought, thought);
            } else {
                let Some(back) = self.way_back(&there, here) else { continue };
                self.act(&body);
                self.say(SpanKind::Reflection, "the wrong way, back".to_owned());
                self.act(&back.to_string());
            }
            self.left -= 1;
            return;
        }
    }

    /// A call that goes wrong, and what was wrong with it.
    fn mistake(&mut self, next: &Call) {
        // A call with a wrong value more often than one that is no call.
        if self.dice.below(4) == 0 { self.slip(next) } else { self.wrong_value(next) }
    }

    /// A call with a wrong value: refused, or taken back.
    fn wrong_value(&mut self, next: &Call) {
        let here = self.episode.state_hash();
        let mut wrong = one_argument_off(next, &self.episode.legal_actions());
        self.dice.shuffle(&mut wrong);
        for (place, call) in wrong.into_iter().take(TRIES) {
            let (name, right) = &next.args[place];
            let why = format!("{name} was wrong, it is {right}");
            let mut there = self.episode.clone();
            let refused = matches!(there.step(&call), Outcome::Error(_));
            if there.said().is_some() {
                continue;
            }
            if there.state_hash() == here {
                // A look at the wrong thing is a detour; a mistake is refused.
                if !refused {
                    continue;
                }
                self.act(&call.to_string());
                self.say(SpanKind::Reflection, why);
            } else {
                let Some(back) = self.way_back(&there, here) else { continue };
                self.act(&call.to_string());
                self.say(SpanKind::Reflection, format!("{why}; undo it"));
                self.act(&back.to_string());
            }
            self.left -= 1;
            return;
        }
    }

    /// A call that does not fit the declarations: a letter twice in the tool's name, or an argument left out.
    fn slip(&mut self, next: &Call) {
        let mut call = next.clone();
        let why = match call.args.pop().filter(|_| self.dice.coin()) {
            Some((name, _)) => format!("{name} was missing"),
            None => {
                call = next.clone();
                let letters: Vec<(usize, char)> = call.tool.char_indices().collect();
                let Some(&(at, letter)) = letters.get(self.dice.below(letters.len().max(1))) else { return };
                call.tool.insert(at, letter);
                format!("the tool is called {}", next.tool)
            }
        };
        let mut there = self.episode.clone();
        let body = call.to_string();
        if there.act(&body).failed && there.state_hash() == self.episode.state_hash() {
            self.act(&body);
            self.say(SpanKind::Reflection, why);
            self.left -= 1;
        }
    }

    /// An action that leads from `there` to the state `here`.
    fn way_back(&mut self, there: &Episode, here: u64) -> Option<Call> {
        let mut ways = there.legal_actions();
        self.dice.shuffle(&mut ways);
        ways.into_iter().take(WAYS_BACK).find(|call| {
            let mut back = there.clone();
            let refused = matches!(back.step(call), Outcome::Error(_));
            !refused && back.said().is_none() && back.state_hash() == here
        })
    }

    fn act(&mut self, body: &str) {
        let Reply { span, failed, .. } = self.episode.act(body);
        self.told.push(Span { failed, ..Span::new(SpanKind::Action, body) });
        self.told.push(span);
    }
}

/// A call in words: the tool, then the values.
fn plainly(call: &Call) -> String {
    let mut words = call.tool.clone();
    for (_, value) in &call.args {
        words.push(' ');
        match value {
            Value::Str(s) => words += s,
            other => words += &other.to_string(),
        }
    }
    words
}

fn tool_of(body: &str) -> &str {
    &body[..body.find('(').unwrap_or(body.len())]
}
