//! The recipe: everything that determines a trained model.

use std::path::Path;

use groundwork_corpus::{DataSpec, TokenizerSection};
use groundwork_model::{ModelConfig, ModelSpec};
use groundwork_objectives::{Objective, TermSpec};
use serde::{Deserialize, Serialize};

use crate::{OptimizerSpec, ScheduleSpec, TrainError, from_toml, from_toml_table};

/// The hint where nothing better is known.
const FIELDS: &str = "the fields of a recipe are listed in docs/recipes.md";

/// Everything that determines a trained model, as TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Names the run's folder, together with the recipe's hash.
    pub name: String,
    /// Seed of the initial weights, of the tasks drawn and of the order of the data.
    #[serde(default)]
    pub seed: u64,
    /// How batches are laid out.
    #[serde(default)]
    pub train: TrainSpec,
    /// The decoder.
    #[serde(default)]
    pub model: ModelSpec,
    /// What moves the parameters.
    #[serde(default)]
    pub optimizer: OptimizerSpec,
    /// The learning rate over the run.
    #[serde(default)]
    pub schedule: ScheduleSpec,
    /// The tokeniser and what it is trained on.
    #[serde(default)]
    pub tokenizer: TokenizerSection,
    /// What is trained on.
    pub data: DataSpec,
    /// The terms of the loss.
    #[serde(default = "plain_next_token")]
    pub objective: Vec<TermSpec>,
}

fn plain_next_token() -> Vec<TermSpec> {
    vec![TermSpec::NextToken(Default::default())]
}

/// The recipe's `[train]` section.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TrainSpec {
    /// Rows an optimiser step.
    pub batch: usize,
    /// Rows a forward pass; 0 is the whole batch. Does not change the step.
    pub micro_batch: usize,
    /// Passes over the corpus.
    pub epochs: f64,
    /// Seconds between checkpoints. Does not change the model.
    pub checkpoint_seconds: u64,
}

impl Default for TrainSpec {
    fn default() -> Self {
        TrainSpec { batch: 8, micro_batch: 0, epochs: 1.0, checkpoint_seconds: 30 }
    }
}

/// The content hash of a resolved recipe: blake3 in hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecipeHash(String);

impl RecipeHash {
    /// All digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first eight digits, as folders are named.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

/// A recipe with what follows from it.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The recipe, every default written out.
    pub recipe: Recipe,
    /// Its hash.
    pub hash: RecipeHash,
    /// The model's shape, for the vocabulary that was asked for. A corpus with few distinct words
    /// may yield a smaller vocabulary; the run's own `model.json` has the true one.
    pub config: ModelConfig,
    /// Optimiser steps.
    pub steps: u64,
    /// Positions trained on.
    pub tokens: u64,
    /// Model operations of training.
    pub flops: f64,
}

impl Resolved {
    /// The name of the run's folder: `<name>-<hash8>`.
    pub fn folder(&self) -> String {
        format!("{}-{}", self.recipe.name, self.hash.short())
    }
}

impl Recipe {
    /// Reads a recipe from a TOML file.
    ///
    /// # Errors
    /// A missing file; malformed TOML or an unknown field, with line and column.
    pub fn read(path: &Path) -> Result<Recipe, TrainError> {
        let text = std::fs::read_to_string(path).map_err(|e| TrainError::Recipe {
            what: format!("cannot read `{}`: {e}", path.display()),
            hint: "give a recipe, such as those under `recipes/`".into(),
        })?;
        Recipe::parse(&text, &path.display().to_string())
    }

    /// Reads a recipe from TOML text; `from` names it in errors.
    ///
    /// # Errors
    /// Malformed TOML or an unknown field, with line and column.
    pub fn parse(text: &str, from: &str) -> Result<Recipe, TrainError> {
        from_toml(text, from, FIELDS)
    }

    /// Reads a recipe from a table.
    ///
    /// # Errors
    /// A field that is unknown or has the wrong type.
    pub fn from_table(table: &toml::Table, from: &str) -> Result<Recipe, TrainError> {
        from_toml_table(table, from, FIELDS)
    }

    /// Checks the recipe and works out what follows from it.
    ///
    /// # Errors
    /// Names the field that cannot be used.
    pub fn resolve(&self) -> Result<Resolved, TrainError> {
        let wrong = |what: String, hint: &str| Err(TrainError::Recipe { what, hint: hint.into() });
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.name.is_empty() || !self.name.chars().all(plain) {
            return wrong(
                format!("`name`: `{}` cannot name a folder", self.name),
                "use letters, digits, `-`, `_`, `.`",
            );
        }
        if self.train.batch == 0 {
            return wrong("`train.batch` is 0".into(), "a step needs at least one row");
        }
        if !(self.train.epochs.is_finite() && self.train.epochs > 0.0) {
            return wrong(format!("`train.epochs` is {}", self.train.epochs), "use a number above 0");
        }
        if !(0.0..=1.0).contains(&self.schedule.decay) || !(0.0..=1.0).contains(&self.schedule.floor) {
            return wrong("`schedule.decay` and `schedule.floor` are shares".into(), "use 0 to 1");
        }
        let o = &self.optimizer;
        let rates = [
            o.learning_rate,
            o.embedding_learning_rate,
            o.head_learning_rate,
            o.gain_learning_rate,
            o.weight_decay,
            o.clip,
        ];
        if !rates.iter().all(|r| r.is_finite() && *r >= 0.0) {
            return wrong("`optimizer`: a rate is negative or not finite".into(), "rates are 0 or more");
        }
        if !(o.epsilon.is_finite() && o.epsilon > 0.0) {
            return wrong(
                format!("`optimizer.epsilon` is {}", o.epsilon),
                "use a small number above 0, as 1e-8",
            );
        }
        for (name, b) in [("beta1", o.beta1), ("beta2", o.beta2), ("momentum", o.momentum)] {
            if !(0.0..1.0).contains(&b) {
                return wrong(format!("`optimizer.{name}` is {b}"), "use 0 or more and less than 1");
            }
        }
        Objective::new(&self.objective)?;
        self.data.validate()?;
        self.tokenizer.validate()?;
        let config = self.model.resolve(self.tokenizer.vocabulary)?;
        let per_step = (self.train.batch * self.data.sequence) as u64;
        let steps = ((self.data.tokens as f64 * self.train.epochs) / per_step as f64).floor() as u64;
        if steps == 0 {
            return wrong(
                format!("`data.tokens` = {} is less than one step of {per_step} positions", self.data.tokens),
                "ask for more tokens, or a smaller batch",
            );
        }
        let tokens = steps * per_step;
        let flops = config.train_flops(self.data.sequence).0 * tokens as f64;
        let canonical = serde_json::to_value(self).expect("a recipe is plain data");
        let hash = RecipeHash(blake3::hash(sorted(&canonical).as_bytes()).to_hex().to_string());
        Ok(Resolved { recipe: self.clone(), hash, config, steps, tokens, flops })
    }
}

/// Compact JSON with the keys of every object in byte order.
fn sorted(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(map) => {
            let mut fields: Vec<(&String, &serde_json::Value)> = map.iter().collect();
            fields.sort_by_key(|(k, _)| *k);
            let fields: Vec<String> = fields
                .into_iter()
                .map(|(k, v)| format!("{}:{}", serde_json::Value::from(k.as_str()), sorted(v)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = "name = \"small\"\n[data]\nsequence = 64\ntokens = 4096\n[[data.source]]\nname = \"files\"\nworld = \"files\"\n";

    #[test]
    fn defaults_are_written_out_and_hashed_by_content() {
        let a = Recipe::parse(SMALL, "a").unwrap().resolve().unwrap();
        let written = toml::to_string(&a.recipe).unwrap();
        let b = Recipe::parse(&written, "b").unwrap().resolve().unwrap();
        assert_eq!(a.hash, b.hash);
        assert_eq!((a.steps, a.tokens), (8, 4096));
        let c = Recipe::parse(&SMALL.replace("4096", "8192"), "c").unwrap().resolve().unwrap();
        assert_ne!(a.hash, c.hash);
    }

    #[test]
    fn mistakes_are_named_with_line_and_hint() {
        let e = Recipe::parse(&SMALL.replace("sequence", "sequense"), "x.toml").unwrap_err().to_string();
        assert!(e.contains("x.toml") && e.contains("line 3") && e.contains("did you mean `sequence`"), "{e}");
        let e = Recipe::parse("name = ", "x.toml").unwrap_err().to_string();
        assert!(e.contains("line 1"), "{e}");
        let tiny = SMALL.replace("4096", "100");
        let e = Recipe::parse(&tiny, "x").unwrap().resolve().unwrap_err().to_string();
        assert!(e.contains("data.tokens"), "{e}");
    }
}
