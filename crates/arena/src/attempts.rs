//! All attempts of a suite, those that a journal holds and those that are still to be made.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use groundwork_corpus::Tokenizer;
use groundwork_worlds::Task;

use crate::endpoint::{Endpoint, Spent, Stopped, play_endpoint};
use crate::journal::{Journal, Journalled};
use crate::rollout::play_attempts;
use crate::{ArenaError, Policy, Progress, Rollout, SuiteSpec};

/// Attempts by their place in the suite: task by task, the samples of one task together.
pub struct Attempts {
    all: Vec<(Task, u32)>,
    made: BTreeMap<usize, Rollout>,
    spent: Spent,
}

impl Attempts {
    /// The attempts of a suite, with those that were made before.
    ///
    /// # Errors
    /// A suite that makes no sense.
    pub fn new(suite: &SuiteSpec, before: Vec<Journalled>) -> Result<Attempts, ArenaError> {
        let all: Vec<(Task, u32)> = suite
            .tasks()?
            .into_iter()
            .flat_map(|t| (0..suite.samples).map(move |s| (t.clone(), s)))
            .collect();
        let keys = all.iter().enumerate().map(|(i, (t, s))| (key(t, *s), i));
        let places: BTreeMap<_, usize> = keys.collect();
        let (mut made, mut spent) = (BTreeMap::new(), Spent::default());
        for held in before {
            if let Some(&place) = places.get(&key(&held.rollout.task, held.rollout.sample)) {
                made.insert(place, held.rollout);
            }
            spent.add(held.spent);
        }
        drop(places);
        Ok(Attempts { all, made, spent })
    }

    /// How many were made, of how many.
    pub fn progress(&self) -> Progress {
        Progress { done: self.made.len(), of: self.all.len() }
    }

    /// What endpoints used for all of them.
    pub fn spent(&self) -> Spent {
        self.spent
    }

    /// Those that were made, in the order of the suite.
    pub fn made(&self) -> Vec<Rollout> {
        self.made.values().cloned().collect()
    }

    fn left(&self) -> Vec<usize> {
        (0..self.all.len()).filter(|place| !self.made.contains_key(place)).collect()
    }

    /// Lets a model make those that are left, and writes each down when it has ended. `false`: `stop` was set, and some are
    /// still left.
    ///
    /// # Errors
    /// A vocabulary that the model does not know, or a journal that cannot be written.
    pub fn play<P: Policy>(
        &mut self,
        policy: &P,
        tokenizer: &Tokenizer,
        suite: &SuiteSpec,
        journal: &mut Journal,
        stop: &AtomicBool,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<bool, ArenaError> {
        let left = self.left();
        let attempts: Vec<(&Task, u32)> = left.iter().map(|&i| (&self.all[i].0, self.all[i].1)).collect();
        let (of, batch) = (self.all.len(), suite.batch.max(1) as usize);
        let made = &mut self.made;
        let all = play_attempts(policy, tokenizer, suite, &attempts, stop, &mut |place, rollout| {
            journal.write(&rollout, Spent::default())?;
            made.insert(left[place], rollout);
            if made.len().is_multiple_of(batch) {
                journal.sync()?;
            }
            progress(Progress { done: made.len(), of });
            Ok(())
        })?;
        journal.sync()?;
        Ok(all)
    }

    /// Lets the model behind an endpoint make those that are left, and writes each down when it has ended.
    ///
    /// # Errors
    /// A journal that cannot be written.
    pub fn play_endpoint(
        &mut self,
        endpoint: &Endpoint,
        suite: &SuiteSpec,
        journal: &mut Journal,
        stop: &Arc<AtomicBool>,
        progress: &mut dyn FnMut(Progress, Spent),
    ) -> Result<Option<Stopped>, ArenaError> {
        let left = self.left();
        let attempts: Vec<(Task, u32)> = left.iter().map(|&i| self.all[i].clone()).collect();
        let before = self.spent;
        play_endpoint(endpoint, suite, &attempts, before, stop, &mut |place, rollout, spent| {
            journal.write(&rollout, spent)?;
            journal.sync()?;
            self.made.insert(left[place], rollout);
            self.spent.add(spent);
            progress(self.progress(), self.spent);
            Ok(())
        })
    }
}

type Key = (String, u32, u64, Option<&'static str>, u32);

fn key(task: &Task, sample: u32) -> Key {
    (task.world.clone(), task.level, task.seed, task.fault.map(|f| f.as_str()), sample)
}
