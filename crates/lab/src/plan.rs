//! A bet with every recipe resolved: the runs to be made, in the order that completes pairs early.

use crate::bet::{Arm, Bet, CellSpec};
use crate::judge::ArchiveNoise;
use crate::recipe::{RecipeHash, ResolvedRecipe};

/// A bet and its runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The bet.
    pub bet: Bet,
    /// Its runs: smallest size first, both arms of a pair together. Before learning rates are [chosen](Plan::tuned) every run stands
    /// here once for each factor that may be chosen.
    pub cells: Vec<Cell>,
    /// The runs by which learning rates are chosen, both arms together; they are not judged.
    pub trials: Vec<Cell>,
    /// What is known of the primary metric's noise beforehand.
    pub noise: ArchiveNoise,
}

/// One run of a bet, resolved.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Which side.
    pub arm: Arm,
    /// Model size as the bet writes it.
    pub size: String,
    /// Seed of the run.
    pub seed: u64,
    /// Name of the run, without the hash.
    pub name: String,
    /// The factor on its learning rates, where the bet [tunes](crate::Tuning) them.
    pub factor: Option<f64>,
    /// The resolved recipe, its hash, and what it will take.
    pub recipe: ResolvedRecipe,
}

impl Cell {
    /// The run's folder below the folder of runs: `<name>-<first eight digits of the hash>`.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.name, self.recipe.hash.short())
    }

    /// How progress and reports call it: `candidate 0.4M seed 2`.
    pub fn label(&self) -> String {
        let rate = self.factor.map_or_else(String::new, |f| format!(" rate ×{f}"));
        format!("{} {} seed {}{rate}", self.arm, self.size, self.seed)
    }
}

/// Why a bet cannot be planned.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The trainer refuses a recipe.
    #[error("the recipe of {arm} at {size}, seed {seed}: {message}")]
    Recipe {
        /// Which side.
        arm: Arm,
        /// Model size.
        size: String,
        /// Seed.
        seed: u64,
        /// What the trainer says.
        message: String,
    },
    /// The comparison would not be at equal compute.
    #[error(
        "at {size}, seed {seed}, the candidate takes {candidate:.3e} FLOPs and the baseline {baseline:.3e}, \
         {percent:+.1} %; give both arms the same compute, or raise decision.compute_tolerance"
    )]
    UnequalCompute {
        /// Model size.
        size: String,
        /// Seed.
        seed: u64,
        /// FLOPs of the baseline.
        baseline: f64,
        /// FLOPs of the candidate.
        candidate: f64,
        /// How many per cent more the candidate takes.
        percent: f64,
    },
    /// Two runs that should differ have the same recipe.
    #[error("{first} and {second} resolve to the same recipe, so the change does not reach the trainer")]
    SameRecipe {
        /// One run.
        first: String,
        /// The other.
        second: String,
    },
}

impl Plan {
    /// Resolves every recipe of `bet` through the trainer and checks that the comparison is fair.
    ///
    /// # Errors
    /// [`PlanError`] if the trainer refuses a recipe, if the arms of a pair differ in FLOPs by more than
    /// `decision.compute_tolerance`, or if they differ in nothing but their names.
    pub fn new(
        bet: Bet,
        resolve: &dyn Fn(&toml::Table) -> Result<ResolvedRecipe, String>,
    ) -> Result<Plan, PlanError> {
        let mut cells = Vec::new();
        let mut trials = Vec::new();
        for size in &bet.ladder.sizes {
            for seed in &bet.ladder.seeds {
                resolve_pair(&bet, size, *seed, resolve, &mut cells)?;
            }
        }
        if let Some(tuning) = &bet.tuning {
            for size in tuning.sizes(&bet) {
                resolve_pair(&bet, size, tuning.seed, resolve, &mut trials)?;
            }
        }
        for pair in cells.chunks(2) {
            if let [baseline, candidate] = pair {
                check_pair(baseline, candidate, bet.decision.compute_tolerance)?;
            }
        }
        Ok(Plan { bet, cells, trials, noise: ArchiveNoise::default() })
    }

    /// The runs that will be made at most: the trials, and of those that stand for a choice of learning rates one.
    pub fn to_make(&self) -> Plan {
        let factor = self.cells.first().and_then(|c| c.factor);
        let one = self.cells.iter().filter(|c| c.factor == factor);
        Plan { cells: self.trials.iter().chain(one).cloned().collect(), trials: Vec::new(), ..self.clone() }
    }

    /// FLOPs of all runs together.
    pub fn flops(&self) -> f64 {
        self.cells.iter().map(|c| c.recipe.flops).sum()
    }

    /// Tokens of all runs together.
    pub fn tokens(&self) -> u64 {
        self.cells.iter().map(|c| c.recipe.tokens).sum()
    }
}

/// Adds both arms' runs at a size with a seed, once for each factor on their learning rates if the bet tunes them.
fn resolve_pair(
    bet: &Bet,
    size: &str,
    seed: u64,
    resolve: &dyn Fn(&toml::Table) -> Result<ResolvedRecipe, String>,
    cells: &mut Vec<Cell>,
) -> Result<(), PlanError> {
    let specs = bet.pair(size, seed);
    let refused = |arm| move |message| PlanError::Recipe { arm, size: size.to_owned(), seed, message };
    let mut add = |spec: &CellSpec, recipe: ResolvedRecipe, factor| {
        let name = spec.recipe.get("name").and_then(toml::Value::as_str).unwrap_or_default().to_owned();
        cells.push(Cell { arm: spec.arm, size: size.to_owned(), seed, name, factor, recipe });
    };
    let mut stated = Vec::new();
    for spec in &specs {
        stated.push(resolve(&spec.recipe).map_err(refused(spec.arm))?);
    }
    let Some(tuning) = &bet.tuning else {
        specs.iter().zip(stated).for_each(|(spec, recipe)| add(spec, recipe, None));
        return Ok(());
    };
    for factor in &tuning.factors {
        for (spec, stated) in specs.iter().zip(&stated) {
            let mut table = spec.recipe.clone();
            tuning.scale(&mut table, &stated.table, *factor).map_err(refused(spec.arm))?;
            add(spec, resolve(&table).map_err(refused(spec.arm))?, Some(*factor));
        }
    }
    Ok(())
}

fn check_pair(baseline: &Cell, candidate: &Cell, tolerance: f64) -> Result<(), PlanError> {
    let (b, c) = (baseline.recipe.flops, candidate.recipe.flops);
    if (c / b - 1.0).abs() > tolerance {
        return Err(PlanError::UnequalCompute {
            size: baseline.size.clone(),
            seed: baseline.seed,
            baseline: b,
            candidate: c,
            percent: (c / b - 1.0) * 100.0,
        });
    }
    let nameless = |cell: &Cell| {
        let mut table = cell.recipe.table.clone();
        table.remove("name");
        RecipeHash::of(&table)
    };
    if nameless(baseline) == nameless(candidate) {
        return Err(PlanError::SameRecipe { first: baseline.label(), second: candidate.label() });
    }
    Ok(())
}
