//! The expert of planning.

use groundwork_trace::{Call, SpanKind, Value};

use super::Planning;
use super::scene::{Facts, Scene, put};
use super::search;
use crate::expert::{Recorder, carried};
use crate::world::Outcome;

/// Plans, acts, and plans anew where things are not as expected. Of the world it uses what the goal tells (and what follows from the
/// steps that the prompt tells): `facts`; or `state()`.
pub(super) fn solve(scene: &Scene, facts: Facts, expert: &mut Recorder) {
    let mut work = Work { scene, expert, facts, broken: None };
    work.expert.take_over::<Planning>();
    if !scene.told {
        work.expert.say(SpanKind::Plan, "see what holds");
        if work.look().is_none() {
            return;
        }
    }
    let kind = if scene.told { SpanKind::Plan } else { SpanKind::Thought };
    let Some(mut plan) = work.plan() else { return };
    work.expert.say(kind, work.brief(&plan));
    let mut at = 0;
    while let Some(&next) = plan.get(at) {
        let step = &scene.steps()[next as usize];
        let call = scene.call(step);
        match work.expert.insist::<Planning>(&call) {
            Outcome::Observation { .. } => {
                step.apply(&mut work.facts);
                at += 1;
            }
            Outcome::Error(e) if e.name == "Broken" => {
                let broken = carried(&e).to_owned();
                work.broken = scene.object(&broken);
                let Some(other) = work.plan() else { return };
                work.expert.reflect(format!("{broken} is broken, then {}", work.brief(&other)));
                (plan, at) = (other, 0);
            }
            Outcome::Error(e) if e.name == "Unmet" => {
                work.expert.reflect(format!("not so: {}; see what holds", carried(&e)));
                if work.look().is_none() {
                    return;
                }
                let Some(other) = work.plan() else { return };
                work.expert.say(SpanKind::Thought, work.brief(&other));
                (plan, at) = (other, 0);
            }
            Outcome::Error(_) => return,
        }
    }
    work.expert.say(SpanKind::Answer, "done");
}

struct Work<'a> {
    scene: &'a Scene,
    expert: &'a mut Recorder,
    /// What holds, as far as is known.
    facts: Facts,
    /// What is known to be out of order.
    broken: Option<u16>,
}

impl Work<'_> {
    /// Asks what holds.
    fn look(&mut self) -> Option<()> {
        match self.expert.attempt_asking::<Planning>(&Call::new("state", [])) {
            Outcome::Observation { value: Value::List(items), .. } => {
                self.facts.fill(0);
                for item in &items {
                    if let Some(bit) = item.as_str().and_then(|words| self.scene.read(words)) {
                        put(&mut self.facts, bit, true);
                    }
                }
                Some(())
            }
            _ => None,
        }
    }

    fn plan(&self) -> Option<Vec<u32>> {
        if self.broken.is_none() && self.facts == self.scene.init {
            return self.scene.plan().cloned();
        }
        search::plan(self.scene, &self.facts, self.broken)
    }

    fn brief(&self, plan: &[u32]) -> String {
        let mut words = String::with_capacity(24 * plan.len());
        for (n, i) in plan.iter().enumerate() {
            words += if n > 0 { ", " } else { "" };
            self.scene.brief(&self.scene.steps()[*i as usize], &mut words);
        }
        words
    }
}
