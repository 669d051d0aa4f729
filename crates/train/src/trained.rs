//! A trained run, opened for use.

use std::path::{Path, PathBuf};

use groundwork_corpus::{CorpusError, Tokenizer};
use groundwork_model::Decoder;

use crate::{Processor, Recipe, TrainError, latest_checkpoint};

/// What a run's folder gives to evaluation and generation.
pub struct Trained {
    /// The run's recipe.
    pub recipe: Recipe,
    /// Its tokeniser.
    pub tokenizer: Tokenizer,
    /// The decoder of its newest checkpoint, without automatic differentiation.
    pub decoder: Decoder,
    /// Steps that the decoder was trained for.
    pub step: u64,
}

impl Trained {
    /// Opens a run's folder at its newest checkpoint, on `processor`.
    ///
    /// # Errors
    /// A folder that is no run, a run without a checkpoint, a damaged file, a tokeniser that is not
    /// the one trained with.
    pub fn open(run: &Path, processor: Processor) -> Result<Trained, TrainError> {
        let missing = |what: String| TrainError::Recipe {
            what,
            hint:
                "give a folder under `runs/` that `groundwork train` made; `groundwork runs list` shows them"
                    .into(),
        };
        if !run.is_dir() {
            return Err(missing(format!("`{}` is no folder", run.display())));
        }
        let recipe_file: PathBuf = run.join("recipe.toml");
        if !recipe_file.is_file() {
            return Err(missing(format!("`{}` holds no recipe.toml, so it is no run", run.display())));
        }
        let recipe = Recipe::read(&recipe_file)?;
        let checkpoint = latest_checkpoint(run)?
            .ok_or_else(|| missing(format!("`{}` has no checkpoint yet", run.display())))?;
        let tokenizer = Tokenizer::load(&run.join("tokenizer.json")).map_err(CorpusError::from)?;
        if checkpoint.state.tokenizer_hash != tokenizer.hash() {
            return Err(TrainError::Corrupt {
                path: run.join("tokenizer.json"),
                what: "this is not the tokeniser that the run was trained with".into(),
                hint: "copy it from the run's corpus folder".into(),
            });
        }
        let decoder = checkpoint.decoder(&processor.device()?)?;
        Ok(Trained { recipe, tokenizer, decoder, step: checkpoint.step() })
    }
}
