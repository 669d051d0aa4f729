//! The expert of tracking.

use groundwork_trace::{Call, SpanKind, Value};

use super::{Hands, Job, Scene, Tracking, holder, holders, spell};
use crate::expert::{Recorder, carried};
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Does the jobs in order and answers, knowing only what the goal says and the tools answer.
pub(super) fn solve(scene: &Scene, expert: &mut Recorder) {
    expert.take_over::<Tracking>();
    let people = (0..scene.people.len()).map(|p| scene.spelling(p)).collect();
    let mut work = Work { scene, expert, people, hands: scene.before };
    let keys: Vec<&str> = work.tracked(0).into_iter().map(|k| scene.keys[k].as_str()).collect();
    work.expert.say(SpanKind::Plan, format!("track {}", keys.join(", ")));
    for (i, job) in scene.jobs.iter().enumerate() {
        match *job {
            Job::Swap(a, b) => {
                let Some(done) = work.swap(a, b) else { return };
                if done {
                    work.hands.swap(a, b);
                }
                work.recall(&[a, b], i + 1);
            }
            Job::Move { key, to } => {
                let Some(from) = holder(key, &work.hands) else { return };
                work.call("move", key, &[("from", from), ("to", to)]);
                work.hands[from] &= !(1 << key);
                work.hands[to] |= 1 << key;
            }
            Job::Grant { key, to } => {
                work.call("grant", key, &[("to", to)]);
                work.hands[to] |= 1 << key;
            }
            Job::Revoke { key } => {
                for from in holders(key, &work.hands.clone()) {
                    work.call("revoke", key, &[("from", from)]);
                    work.hands[from] &= !(1 << key);
                }
            }
        }
    }
    if let Some(who) = holder(scene.asked, &work.hands) {
        let name = work.people[who].to_string();
        work.expert.say(SpanKind::Answer, name);
    }
}

struct Work<'a> {
    scene: &'a Scene,
    expert: &'a mut Recorder,
    /// What people are called, as far as is known.
    people: Vec<Name>,
    /// Who has what.
    hands: Hands,
}

impl Work<'_> {
    /// The keys whose holders still matter before the job with this index: those asked for, and those that a later
    /// job takes from whoever has them.
    fn tracked(&self, from: usize) -> Vec<usize> {
        let mut keys = vec![self.scene.asked];
        for job in &self.scene.jobs[from..] {
            if let Job::Move { key, .. } | Job::Revoke { key } = *job {
                keys.push(key);
            }
        }
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Says which of the keys that still matter these people have.
    fn recall(&mut self, of: &[usize], from: usize) {
        let tracked = self.tracked(from);
        let mut said: Vec<String> = Vec::new();
        for &p in of {
            let keys = tracked.iter().filter(|k| self.hands[p] >> **k & 1 == 1);
            let keys: Vec<&str> = keys.map(|k| self.scene.keys[*k].as_str()).collect();
            if !keys.is_empty() {
                said.push(format!("{} has {}", self.people[p], keys.join(" ")));
            }
        }
        if !said.is_empty() {
            self.expert.say(SpanKind::Thought, said.join(", "));
        }
    }

    fn call(&mut self, tool: &str, key: usize, people: &[(&'static str, usize)]) {
        let key = [("key", spell(self.scene.keys[key]))];
        let args = key.into_iter().chain(people.iter().map(|(arg, p)| (*arg, spell(self.people[*p]))));
        self.expert.attempt_asking::<Tracking>(&Call::new(tool, args));
    }

    /// Whether two people swapped; `None` if it cannot be known.
    fn swap(&mut self, a: usize, b: usize) -> Option<bool> {
        loop {
            for _ in 0..self.expert.away("swap") {
                self.expert.act(&Call::new("wait", []));
            }
            let call = Call::new("swap", [("a", spell(self.people[a])), ("b", spell(self.people[b]))]);
            match self.expert.attempt_asking::<Tracking>(&call) {
                Outcome::Observation { value, .. } => return Some(value.as_str() == Some("ok")),
                Outcome::Error(e) if e.name == "Gone" => {
                    let calls = self.expert.away("swap");
                    self.expert.reflect(format!("swap is gone, wait {calls}"));
                }
                Outcome::Error(e) if e.name == "NotFound" => {
                    let wrong = carried(&e);
                    self.expert.reflect(format!("there is no {wrong}, list the names"));
                    let outcome = self.expert.attempt_asking::<Tracking>(&Call::new("list", []));
                    let Outcome::Observation { value: Value::List(items), .. } = outcome else { return None };
                    let name = nearest(wrong, items.iter().filter_map(|v| Name::parse(v.as_str()?)))?;
                    self.expert.reflect(format!("it is {name}"));
                    let person = self.people.iter().position(|n| n.as_str() == wrong)?;
                    self.people[person] = name;
                }
                Outcome::Error(_) => return None,
            }
        }
    }
}
