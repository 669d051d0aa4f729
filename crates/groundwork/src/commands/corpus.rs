//! `groundwork corpus`

use std::io::IsTerminal;
use std::path::Path;

use groundwork_corpus::{BuildProgress, CorpusStats, Shards, build, show_row};
use groundwork_train::corpus_folder;

use super::{print_json, resolve};
use crate::cli::CorpusCommand;
use crate::failure::Failure;
use crate::progress::{Bars, count};

pub fn run(command: CorpusCommand) -> Result<(), Failure> {
    match command {
        CorpusCommand::Build { recipe, runs, json } => make(&recipe, &runs, json),
        CorpusCommand::Stats { corpus, json } => {
            let stats = CorpusStats::read(&corpus)?;
            if json {
                print_json(&stats);
            } else {
                print!("{stats}");
            }
            Ok(())
        }
        CorpusCommand::Show { corpus, row, count } => {
            let shards = Shards::open(&corpus)?;
            let tokenizer = shards.tokenizer()?;
            let colour = std::io::stdout().is_terminal();
            let last = row.saturating_add(count).min(shards.len().max(row + 1));
            for i in row..last {
                print!("{}", show_row(&shards, &tokenizer, i, colour)?);
            }
            Ok(())
        }
    }
}

fn make(recipe: &Path, runs: &Path, json: bool) -> Result<(), Failure> {
    let recipe = resolve(recipe)?.recipe;
    let dir = corpus_folder(runs, &recipe);
    let bars = Bars::new();
    let mut bar = bars.bar("building", recipe.data.rows());
    let manifest = build(&recipe.data, &recipe.tokenizer, recipe.seed, &dir, &mut |p| match p {
        BuildProgress::Rows { done, of } => {
            bar.set_length(of);
            bar.set(done, &format!("{} rows", count(done as f64)));
        }
        _ => bar.set(0, "training the tokeniser"),
    })?;
    bar.clear();
    if json {
        print_json(&manifest);
    } else {
        println!("{}\n", dir.display());
        print!("{}", CorpusStats::read(&dir)?);
    }
    Ok(())
}
