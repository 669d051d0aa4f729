//! Suites: which tasks an agent is tested on, and how it plays them.

use std::collections::BTreeSet;

use groundwork_worlds::{
    Capability, Declare, FaultKind, MAX_LEVEL, Split, Task, WorldError, capabilities_of, faults_of,
    world_names,
};
use serde::{Deserialize, Serialize};

use crate::{ArenaError, statistics::seed_of};

/// By so many the faults that take turns are moved on with each level.
const FAULTS_A_LEVEL: usize = 5;

/// Which tasks an agent is tested on, and how it plays them. Every field has a default.
///
/// The tasks are a grid of cells, world × level × {clean, each fault}. A faulty task has the seed of a clean one
/// (its twin), and both are played, so that recovery is a paired difference.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SuiteSpec {
    /// The worlds to play in; where the list is empty, all that have the `capability`.
    pub worlds: Vec<String>,
    /// What is tested, where no worlds are named; without it, all worlds are played in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capability: Option<Capability>,
    /// The levels of difficulty, from 1.
    pub levels: Vec<u32>,
    /// The faults to inject: names from the catalogue, each a row of cells of its own, or `any`, one row of
    /// cells in which the faults of the world take turns. A fault that a world does not have is left out there.
    pub faults: Vec<String>,
    /// Tasks in a cell.
    pub tasks: u32,
    /// The temperature of the sampler; 0 takes the likeliest token.
    pub temperature: f32,
    /// Attempts at each task. More than one needs a temperature.
    pub samples: u32,
    /// How the prompt states the tools.
    pub declare: Declare,
    /// Actions that an attempt may take.
    pub max_steps: u32,
    /// Tokens that an attempt may take, prompt included; it should not exceed the sequence trained on.
    pub max_tokens: u32,
    /// Tokens that one span of the agent may take.
    pub max_span: u32,
    /// Whether the sampler holds actions to the grammar of the tools: they are then always valid calls, and how well a
    /// model knows the format is no longer measured.
    pub constrained: bool,
    /// Attempts that are played side by side.
    pub batch: u32,
    /// Tasks, spread evenly over the suite, in which the expert's actions are ranked among the legal ones.
    pub rank_tasks: u32,
    /// Legal actions that compete in a ranking, the expert's included; drawn at random where there are more. 0 lets
    /// all of them compete.
    pub rank_candidates: u32,
    /// What the seeds of the tasks and of the sampler are drawn from.
    pub seed: u64,
}

impl Default for SuiteSpec {
    fn default() -> Self {
        SuiteSpec {
            worlds: Vec::new(),
            capability: None,
            levels: vec![1, 2],
            faults: vec!["any".to_owned()],
            tasks: 32,
            temperature: 0.0,
            samples: 1,
            declare: Declare::Name,
            max_steps: 24,
            max_tokens: 256,
            max_span: 128,
            constrained: false,
            batch: 64,
            rank_tasks: 24,
            rank_candidates: 16,
            seed: 0,
        }
    }
}

impl SuiteSpec {
    /// The tasks of the suite, all of the test split: cell by cell, a clean cell before its faulty ones.
    ///
    /// The seeds of a world and level depend neither on the other worlds, levels and faults in the suite nor,
    /// as far as it reaches, on `tasks`.
    ///
    /// # Errors
    /// An unknown world or fault, or a field out of its range.
    pub fn tasks(&self) -> Result<Vec<Task>, ArenaError> {
        self.check()?;
        let mut tasks = Vec::new();
        let mut seen = BTreeSet::new();
        for world in self.world_names() {
            for &level in &self.levels {
                if !seen.insert((world.clone(), level)) {
                    continue;
                }
                let seeds: Vec<u64> = (0..self.tasks)
                    .map(|i| seed_of(&[&world], &[self.seed, level.into(), i.into()]))
                    .collect();
                let task =
                    |seed, fault| Task { world: world.clone(), split: Split::Test, seed, level, fault };
                tasks.extend(seeds.iter().map(|&seed| task(seed, None)));
                let mut faulty = BTreeSet::new();
                for row in self.fault_rows(&world)? {
                    for (i, &seed) in seeds.iter().enumerate().filter(|_| !row.is_empty()) {
                        // Each level begins elsewhere, so that few tasks in a cell do for many faults.
                        let fault = row[(i + FAULTS_A_LEVEL * level as usize) % row.len()];
                        if faulty.insert((seed, fault.as_str())) {
                            tasks.push(task(seed, Some(fault)));
                        }
                    }
                }
            }
        }
        Ok(tasks)
    }

    /// The worlds of the suite, in its order.
    pub(crate) fn world_names(&self) -> Vec<String> {
        match self.worlds.as_slice() {
            [] => {
                let able = |world: &str| {
                    self.capability.is_none_or(|c| capabilities_of(world).is_ok_and(|all| all.contains(&c)))
                };
                world_names().iter().filter(|w| able(w)).map(|&w| w.to_owned()).collect()
            }
            named => named.to_vec(),
        }
    }

    /// For each entry of `faults`, the faults that take turns in this world; none where it does not have them.
    fn fault_rows(&self, world: &str) -> Result<Vec<Vec<FaultKind>>, ArenaError> {
        let here = faults_of(world)?;
        self.faults
            .iter()
            .map(|name| match name.as_str() {
                "any" => Ok(here.to_vec()),
                name => {
                    let fault: FaultKind = name.parse()?;
                    Ok(here.iter().copied().filter(|&f| f == fault).collect())
                }
            })
            .collect()
    }

    fn check(&self) -> Result<(), ArenaError> {
        let wrong = |field, what: &str, hint: &str| {
            Err(ArenaError::Suite { field, what: what.to_owned(), hint: hint.to_owned() })
        };
        for (field, value) in [
            ("tasks", self.tasks),
            ("samples", self.samples),
            ("max_steps", self.max_steps),
            ("max_tokens", self.max_tokens),
            ("max_span", self.max_span),
            ("batch", self.batch),
        ] {
            if value == 0 {
                return wrong(field, "is 0", "leave it out for the default, or give at least 1");
            }
        }
        if self.levels.is_empty() {
            return wrong("levels", "is empty", "name at least one level, as in `levels = [1]`");
        }
        if let Some(&level) = self.levels.iter().find(|l| !(1..=MAX_LEVEL).contains(l)) {
            return Err(WorldError::Level { level, max: MAX_LEVEL }.into());
        }
        if let Some(capability) = self.capability.filter(|_| self.world_names().is_empty()) {
            let hint = "name worlds, or another capability";
            return wrong("capability", &format!("is `{capability}`, which no world exercises"), hint);
        }
        if self.rank_candidates == 1 {
            return wrong(
                "rank_candidates",
                "is 1",
                "a ranking needs two; 0 lets all legal actions compete, and `rank_tasks = 0` turns it off",
            );
        }
        if !self.temperature.is_finite() || self.temperature < 0.0 {
            return wrong(
                "temperature",
                "is not a number from 0 up",
                "0 takes the likeliest token, 1 samples",
            );
        }
        if self.samples > 1 && self.temperature == 0.0 {
            return wrong(
                "samples",
                "is above 1 at temperature 0",
                "all attempts would be equal: set `temperature`",
            );
        }
        for name in self.faults.iter().filter(|name| *name != "any") {
            let fault: FaultKind = name.parse()?;
            let mut somewhere = false;
            for world in self.world_names() {
                somewhere |= faults_of(&world)?.contains(&fault);
            }
            if !somewhere {
                let hint = "choose another fault or add a world that has it";
                return wrong("faults", &format!("names `{name}`, which no world of the suite has"), hint);
            }
        }
        Ok(())
    }
}
