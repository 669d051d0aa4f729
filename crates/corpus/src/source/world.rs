//! Expert traces, generated on the fly.

use groundwork_trace::Trace;
use groundwork_worlds::{Declare, Episode, FaultKind, Split, Task, WorldError, faults_of};
use rayon::prelude::*;

use super::{Read, Reader};
use crate::CorpusError;
use crate::seed::{below, derive, unit};

/// Traces that are generated for one call.
const BATCH: u64 = 1024;

/// An endless list of tasks of one world, and their expert traces. Each is a function of its index alone.
///
/// What a task is, its level and its fault come from three separate streams of the seed. So generators that differ
/// in `fault_rate` or `faults` only give the same tasks, with and without faults: twins.
#[derive(Clone, Debug, PartialEq)]
pub struct Generator {
    /// The world's name.
    pub world: String,
    /// The side of the cut between training and testing.
    pub split: Split,
    /// The levels, each as often as the others.
    pub levels: Vec<u32>,
    /// The share of tasks with a fault.
    pub fault_rate: f64,
    /// The faults, each as often as the others; empty for all that the world knows.
    pub faults: Vec<FaultKind>,
    /// How the traces state their tools.
    pub declare: Declare,
    /// The seed.
    pub seed: u64,
}

impl Generator {
    /// Fills in the faults of the world where none are given, and checks that every task will exist.
    ///
    /// # Errors
    /// An unknown world, a fault that does not occur in it, a level that it does not have.
    pub fn resolve(mut self) -> Result<Generator, WorldError> {
        let known = faults_of(&self.world)?;
        if self.faults.is_empty() {
            self.faults = known.to_vec();
        }
        if self.levels.is_empty() {
            self.levels.push(1);
        }
        let faults = self.faults.iter().copied().map(Some).chain([None]);
        for fault in faults {
            for &level in &self.levels {
                Episode::new(&Task { world: self.world.clone(), split: self.split, seed: 0, level, fault })?;
            }
        }
        Ok(self)
    }

    /// Task number `index`.
    pub fn task(&self, index: u64) -> Task {
        let bits = |purpose| derive(purpose, &[self.seed, index]);
        let faulty = unit(bits("whether")) < self.fault_rate && !self.faults.is_empty();
        Task {
            world: self.world.clone(),
            split: self.split,
            seed: bits("task"),
            level: self.levels.get(below(bits("level"), self.levels.len())).copied().unwrap_or(1),
            fault: faulty.then(|| self.faults[below(bits("fault"), self.faults.len())]),
        }
    }

    /// The expert's trace of task number `index`.
    ///
    /// # Errors
    /// As [`Generator::resolve`].
    pub fn trace(&self, index: u64) -> Result<Trace, WorldError> {
        Episode::expert_trace(&self.task(index), self.declare)
    }
}

/// Reads a generator from its first task on.
pub(super) struct WorldReader {
    name: String,
    generator: Generator,
    next: u64,
}

impl WorldReader {
    pub(super) fn new(name: &str, generator: Generator) -> Self {
        WorldReader { name: name.to_owned(), generator, next: 0 }
    }
}

impl Reader for WorldReader {
    fn next_batch(&mut self) -> Result<Vec<Read>, CorpusError> {
        let start = self.next;
        self.next += BATCH;
        (start..self.next)
            .into_par_iter()
            .map(|i| match self.generator.trace(i) {
                Ok(trace) => Ok(Read { trace, position: 0.0 }),
                Err(source) => Err(CorpusError::World { name: self.name.clone(), source }),
            })
            .collect()
    }

    fn rewind(&mut self) {
        self.next = 0;
    }
}
