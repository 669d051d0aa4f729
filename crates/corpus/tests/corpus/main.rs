//! The corpus through its public interface: from files and worlds to rows and back.

mod build;
mod contract;
mod damage;
mod encode;
mod mixing;
mod sources;
mod trace_file;
mod trace_set;

use std::path::Path;

use groundwork_corpus::{
    DataSpec, Manifest, Row, Shards, SourceSpec, Tokenizer, TokenizerSection, TokenizerSpec, build,
};
use groundwork_worlds::Declare;

/// A tokeniser that has learnt a little.
fn tokenizer() -> Tokenizer {
    let text = "observation action read(path=\"/docs/report\") the cat sat on the mat and read the report\n"
        .repeat(20);
    Tokenizer::train(&TokenizerSpec { vocabulary: 320 }, [text], &mut |_| ()).unwrap()
}

/// A tokeniser section that is trained in no time.
fn quick() -> TokenizerSection {
    TokenizerSection { vocabulary: 512, bytes: 50_000, ..TokenizerSection::default() }
}

fn data(sequence: usize, tokens: u64, sources: Vec<SourceSpec>) -> DataSpec {
    DataSpec { sequence, tokens, declare: Declare::Name, sources }
}

fn world(name: &str, weight: f64) -> SourceSpec {
    let fault_rate = Some(0.5);
    SourceSpec { name: name.into(), weight, world: Some(name.into()), fault_rate, ..SourceSpec::default() }
}

fn jsonl(name: &str, weight: f64, path: &Path) -> SourceSpec {
    SourceSpec { name: name.into(), weight, jsonl: Some(path.to_owned()), ..SourceSpec::default() }
}

/// Builds into a folder under `dir` and opens it.
fn built(dir: &Path, data: &DataSpec, seed: u64) -> (Manifest, Shards) {
    let out = dir.join(format!("corpus-{seed}"));
    let manifest = build(data, &quick(), seed, &out, &mut |_| ()).unwrap();
    (manifest, Shards::open(&out).unwrap())
}

/// All rows.
fn rows(shards: &Shards) -> Vec<Row> {
    (0..shards.len()).map(|i| shards.row(i).unwrap()).collect()
}

/// The documents of a row, as ranges of positions.
fn documents(row: &Row) -> Vec<std::ops::Range<usize>> {
    let last = row.documents.iter().max().copied().unwrap_or(0);
    let place = |d| {
        let start = row.documents.iter().position(|x| *x == d).unwrap();
        start..start + row.documents.iter().filter(|x| **x == d).count()
    };
    (1..=last).map(place).collect()
}
