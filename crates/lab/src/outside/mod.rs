//! A trainer that is not ours: a command that a bet names. It gets its arguments by template and reports by printing JSON
//! objects, a line each; what its checkpoints are is its own affair.

mod record;
mod recorder;
mod template;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

pub use record::json_object;
pub(crate) use recorder::{Recorder, Sitting, Tail};
pub(crate) use template::Values;

use crate::bet::nominal_params;
use crate::recipe::{RecipeHash, ResolvedRecipe};

/// The `[trainer]` of a bet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trainer {
    /// The program and its arguments. `{…}` stands for a field of the run's recipe or for one of [`Trainer::PLACEHOLDERS`].
    pub command: Vec<String>,
    /// The program that measures a trained model, and its arguments; without one, training reports what is measured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evaluate: Vec<String>,
    /// Variables of both programs' environment, also with placeholders.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// The file in the run's folder that the trainer writes its records to; without one, its standard output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub records: Option<PathBuf>,
    /// What the trainer calls the fields of a record, where that is not one of [`Trainer::FIELDS`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
    /// Files whose contents belong to every recipe: with one of them changed, the runs are others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<PathBuf>,
}

impl Trainer {
    /// What may stand between braces beside the fields of the recipe: the folder of the run (checkpoints go there), the file
    /// with its recipe (TOML), its arm, size, seed and name, the parameters of its size, its threads, and the number of its
    /// place among the runs that go side by side, from 0.
    pub const PLACEHOLDERS: [&str; 9] =
        ["folder", "recipe", "arm", "size", "seed", "name", "params", "threads", "slot"];

    /// The fields of a record that mean something to the lab; every other number is a metric.
    pub const FIELDS: [&str; 10] = [
        "step",
        "of",
        "tokens",
        "loss",
        "flops",
        "seconds",
        "tokens_per_second",
        "gradient_norm",
        "learning_rate",
        "peak_memory_bytes",
    ];

    /// The name that the trainer gives to one of [`Trainer::FIELDS`].
    pub(crate) fn name_of<'a>(&'a self, field: &'a str) -> &'a str {
        self.names.get(field).map_or(field, String::as_str)
    }

    /// What a run of `recipe` will take, and the recipe as it is hashed: with this trainer and the contents of its
    /// [`Trainer::files`], which are looked for below `base`.
    ///
    /// Parameters are the recipe's `params`, or those of `model.size`; FLOPs its `flops`, or 6 · params · `tokens`.
    ///
    /// # Errors
    /// A sentence if the recipe does not say what it takes, or a file cannot be read.
    pub fn resolve(&self, recipe: &toml::Table, base: &Path) -> Result<ResolvedRecipe, String> {
        let number = |field: &str| -> Result<Option<f64>, String> {
            let Some(value) = recipe.get(field) else { return Ok(None) };
            let number = value.as_float().or(value.as_integer().map(|i| i as f64));
            match number.filter(|n| n.is_finite() && *n > 0.0) {
                Some(n) => Ok(Some(n)),
                None => Err(format!("`recipe.{field}` is {value}; want a number above zero")),
            }
        };
        let size = recipe.get("model").and_then(|m| m.get("size")).and_then(toml::Value::as_str);
        let params = number("params")?.or(size.and_then(nominal_params)).unwrap_or_default();
        let tokens = number("tokens")?;
        let flops = number("flops")?.or(tokens.map(|tokens| 6.0 * params * tokens)).ok_or(
            "`recipe.tokens` is not given, so that nobody can say whether the arms take the same compute; give `tokens` (or \
             `flops`) in [recipe], by size in [ladder.at.\"SIZE\"]",
        )?;
        let mut table = recipe.clone();
        let mut trainer = toml::Table::try_from(self).map_err(|e| e.to_string())?;
        let mut contents = toml::Table::new();
        for file in &self.files {
            let path = base.join(file);
            let bytes = std::fs::read(&path)
                .map_err(|e| format!("`trainer.files`: cannot read `{}`: {e}", path.display()))?;
            contents.insert(file.display().to_string(), blake3::hash(&bytes).to_hex().to_string().into());
        }
        if !contents.is_empty() {
            trainer.insert("files".to_owned(), contents.into());
        }
        table.insert("trainer".to_owned(), trainer.into());
        let hash = RecipeHash::of(&table);
        Ok(ResolvedRecipe {
            table,
            hash,
            params: params as u64,
            tokens: tokens.unwrap_or_default() as u64,
            flops,
        })
    }

    /// The first mistake in the templates, with the field of `[trainer]` that it stands in.
    pub(crate) fn mistake(&self, values: &Values<'_>) -> Option<(String, String)> {
        let of = |field: &str, text: &str| values.fill(text).err().map(|message| (field.to_owned(), message));
        if self.command.is_empty() {
            return Some(("command".into(), "is empty; give a program and its arguments".into()));
        }
        let commands = [("command", &self.command), ("evaluate", &self.evaluate)];
        let mut arguments = commands.iter().flat_map(|(field, words)| words.iter().map(move |w| (*field, w)));
        arguments.find_map(|(field, text)| of(field, text)).or_else(|| {
            self.environment.iter().find_map(|(key, text)| of(&format!("environment.{key}"), text))
        })
    }

    /// One of the commands with its placeholders filled in, to be run in `base`.
    ///
    /// # Errors
    /// A sentence if a placeholder stands for nothing.
    pub(crate) fn command(
        &self,
        words: &[String],
        values: &Values<'_>,
        base: &Path,
    ) -> Result<Command, String> {
        let words: Vec<String> = words.iter().map(|w| values.fill(w)).collect::<Result<_, _>>()?;
        let (program, arguments) = words.split_first().ok_or("the command is empty")?;
        // A path is meant from the bet's folder; a bare name is looked for on the path of programs.
        let mut command = match Path::new(program) {
            path if program.contains('/') => Command::new(base.join(path)),
            _ => Command::new(program),
        };
        command.args(arguments).current_dir(base);
        for (key, text) in &self.environment {
            command.env(key, values.fill(text)?);
        }
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trainer(text: &str) -> Trainer {
        toml::from_str(text).unwrap()
    }

    fn recipe(text: &str) -> toml::Table {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn what_a_run_takes_comes_from_its_recipe() {
        let t = trainer("command = ['train']");
        let at = Path::new(".");
        let r = t.resolve(&recipe("tokens = 1000\n[model]\nsize = '1K'"), at).unwrap();
        assert_eq!((r.params, r.tokens, r.flops), (1000, 1000, 6e6));
        let r = t.resolve(&recipe("tokens = 1000\nparams = 1200\n[model]\nsize = '1K'"), at).unwrap();
        assert_eq!((r.params, r.flops), (1200, 7.2e6));
        let r = t.resolve(&recipe("flops = 5e9\n[model]\nsize = '1K'"), at).unwrap();
        assert_eq!((r.tokens, r.flops), (0, 5e9));
        let e = t.resolve(&recipe("[model]\nsize = '1K'"), at).unwrap_err();
        assert!(e.contains("`recipe.tokens` is not given"), "{e}");
        let e = t.resolve(&recipe("tokens = 'many'\n[model]\nsize = '1K'"), at).unwrap_err();
        assert!(e.contains("`recipe.tokens` is \"many\""), "{e}");
    }

    #[test]
    fn the_command_and_the_contents_of_its_files_are_part_of_the_recipe() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("train.py");
        std::fs::write(&script, "print(1)").unwrap();
        let r = recipe("tokens = 10\n[model]\nsize = '1K'");
        let hash = |t: &Trainer| t.resolve(&r, folder.path()).unwrap().hash;
        let plain = trainer("command = ['python3', 'train.py']");
        let frozen = trainer("command = ['python3', 'train.py']\nfiles = ['train.py']");
        assert_ne!(hash(&plain), hash(&trainer("command = ['python3', 'train.py', '-v']")));
        let (before, loose) = (hash(&frozen), hash(&plain));
        std::fs::write(&script, "print(2)").unwrap();
        assert_ne!(before, hash(&frozen));
        assert_eq!(loose, hash(&plain));
        std::fs::remove_file(&script).unwrap();
        assert!(frozen.resolve(&r, folder.path()).unwrap_err().contains("cannot read"));
    }
}
