//! Where documents come from.
//!
//! A source is read in passes. A finite one (files) is read again from the start when it runs out; a world never
//! runs out.

mod cargo_registry;
mod files;
mod folder;
mod jsonl;
mod parquet;
mod span_record;
mod world;

use std::path::Path;

use groundwork_trace::Trace;
use groundwork_worlds::{Declare, Split};
use serde::{Deserialize, Serialize};

use crate::seed::derive;
use crate::{CorpusError, SourceSpec};

pub(crate) use span_record::SpanRecord;
pub use world::Generator;

/// Documents of a source that are not in the corpus, by reason. Counted in the first pass over it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Skipped {
    /// Traces longer than a row: they are never cropped.
    pub too_long: u64,
    /// Tokens in them.
    pub too_long_tokens: u64,
    /// Files of a folder without text.
    pub empty: u64,
    /// Files of a folder that are not UTF-8.
    pub invalid_utf8: u64,
    /// Files of a folder above `max_file_bytes`.
    pub too_large: u64,
    /// Files of a folder with the same bytes as one before.
    pub duplicate: u64,
    /// Files of a folder that could not be read.
    pub unreadable: u64,
}

impl Skipped {
    /// Documents in all.
    pub fn documents(&self) -> u64 {
        self.too_long + self.empty + self.invalid_utf8 + self.too_large + self.duplicate + self.unreadable
    }
}

/// A document as a reader gives it.
pub(crate) struct Read {
    pub(crate) trace: Trace,
    /// The share of the pass that is done with this document; 0 where there is no end.
    pub(crate) position: f64,
}

/// One pass after another over some documents.
pub(crate) trait Reader: Send {
    /// The next documents, in order. None at all: the pass is over, and the next call starts another.
    fn next_batch(&mut self) -> Result<Vec<Read>, CorpusError>;

    /// Starts a new pass.
    fn rewind(&mut self);

    /// What was left out since the reader was opened.
    fn skipped(&self) -> Skipped {
        Skipped::default()
    }
}

/// A document and how much of its source has been read with it.
pub(crate) struct Document {
    pub(crate) trace: Trace,
    /// Passes over the source, this document included; 0 for a world.
    pub(crate) epochs: f64,
}

/// A source that is being read.
pub(crate) struct Source {
    reader: Box<dyn Reader>,
    name: String,
    pub(crate) endless: bool,
    pass: u64,
    bytes: u64,
    max_bytes: u64,
    /// What was left out in the first pass.
    skipped: Option<Skipped>,
}

impl Source {
    /// Opens source number `index` of `specs`; `section` is the recipe's section that lists them.
    pub(crate) fn open(
        section: &str,
        specs: &[SourceSpec],
        index: usize,
        declare: Declare,
        seed: u64,
    ) -> Result<Source, CorpusError> {
        let spec = &specs[index];
        let field = format!("{section}.source[{index}]");
        let own_seed = spec.seed.unwrap_or_else(|| source_seed(specs, index, seed));
        let column = spec.column.as_deref().unwrap_or("text");
        let reader: Box<dyn Reader> = match origin(&field, spec)? {
            Origin::World => {
                let generator = generator(&field, spec, declare, own_seed)?;
                Box::new(world::WorldReader::new(&spec.name, generator))
            }
            Origin::Parquet(path) => Box::new(parquet::ParquetReader::open(path, column)?),
            Origin::Jsonl(path) => Box::new(jsonl::JsonlReader::open(path, column)?),
            Origin::Folder(folder) => Box::new(folder::FolderReader::open(folder, spec, own_seed)?),
        };
        Ok(Source {
            reader,
            name: spec.name.clone(),
            endless: spec.world.is_some(),
            pass: 0,
            bytes: 0,
            max_bytes: spec.max_bytes.unwrap_or(u64::MAX),
            skipped: None,
        })
    }

    /// The next documents, at least one.
    pub(crate) fn next_batch(&mut self) -> Result<Vec<Document>, CorpusError> {
        loop {
            let batch = if self.bytes >= self.max_bytes { Vec::new() } else { self.reader.next_batch()? };
            if batch.is_empty() {
                if self.bytes == 0 {
                    return Err(CorpusError::NoDocuments {
                        name: self.name.clone(),
                        why: self.why_nothing(),
                    });
                }
                self.skipped.get_or_insert_with(|| self.reader.skipped());
                self.reader.rewind();
                self.pass += 1;
                self.bytes = 0;
                continue;
            }
            let mut documents = Vec::with_capacity(batch.len());
            for Read { trace, position } in batch {
                if self.bytes >= self.max_bytes {
                    break;
                }
                self.bytes += trace.spans.iter().map(|s| s.body.len() as u64).sum::<u64>();
                let capped = self.bytes as f64 / self.max_bytes as f64;
                let epochs =
                    if self.endless { 0.0 } else { self.pass as f64 + position.max(capped).min(1.0) };
                documents.push(Document { trace, epochs });
            }
            return Ok(documents);
        }
    }

    /// What was left out in the first pass.
    pub(crate) fn skipped(&self) -> Skipped {
        self.skipped.clone().unwrap_or_else(|| self.reader.skipped())
    }

    fn why_nothing(&self) -> String {
        let skipped = self.reader.skipped();
        if skipped.documents() > 0 {
            format!(
                " ({} files were skipped)\n  hint: look at `extensions` and `max_file_bytes`",
                skipped.documents()
            )
        } else {
            "\n  hint: the file or folder has nothing in it".to_owned()
        }
    }
}

enum Origin<'a> {
    World,
    Parquet(&'a Path),
    Jsonl(&'a Path),
    Folder(&'a str),
}

/// Checks sources as far as that goes without opening them.
pub(crate) fn check(section: &str, specs: &[SourceSpec]) -> Result<(), CorpusError> {
    for (i, spec) in specs.iter().enumerate() {
        let field = format!("{section}.source[{i}]");
        if spec.name.is_empty() {
            return Err(CorpusError::spec(format!("{field}.name"), "a source needs a name"));
        }
        if specs[..i].iter().any(|s| s.name == spec.name) {
            let message = format!("there are two sources called `{}`", spec.name);
            return Err(CorpusError::spec(format!("{field}.name"), message));
        }
        if !(spec.weight.is_finite() && spec.weight > 0.0) {
            let message = format!("{} is no weight: it must be above 0", spec.weight);
            return Err(CorpusError::spec(format!("{field}.weight"), message));
        }
        if let Origin::World = origin(&field, spec)? {
            generator(&field, spec, Declare::default(), 0)?;
        }
    }
    Ok(())
}

/// The one origin that is given, when all the other fields fit it.
fn origin<'a>(field: &str, spec: &'a SourceSpec) -> Result<Origin<'a>, CorpusError> {
    let given = [
        spec.world.is_some().then_some(Origin::World),
        spec.parquet.as_deref().map(Origin::Parquet),
        spec.jsonl.as_deref().map(Origin::Jsonl),
        spec.folder.as_deref().map(Origin::Folder),
    ];
    let mut given = given.into_iter().flatten();
    let (Some(origin), None) = (given.next(), given.next()) else {
        let message = "give exactly one of `world`, `parquet`, `jsonl` and `folder`";
        return Err(CorpusError::spec(field, message));
    };
    let (world, table, folder) = match origin {
        Origin::World => (true, false, false),
        Origin::Parquet(_) | Origin::Jsonl(_) => (false, true, false),
        Origin::Folder(_) => (false, false, true),
    };
    let fields = [
        ("levels", spec.levels.is_empty(), world),
        ("fault_rate", spec.fault_rate.is_none(), world),
        ("faults", spec.faults.is_empty(), world),
        ("seed", spec.seed.is_none(), world || folder),
        ("column", spec.column.is_none(), table),
        ("extensions", spec.extensions.is_empty(), folder),
        ("max_file_bytes", spec.max_file_bytes.is_none(), folder),
        ("max_bytes", spec.max_bytes.is_none(), table || folder),
    ];
    for (name, absent, fits) in fields {
        if !absent && !fits {
            return Err(CorpusError::spec(
                format!("{field}.{name}"),
                "this field does not go with such a source",
            ));
        }
    }
    if spec.max_bytes == Some(0) {
        return Err(CorpusError::spec(format!("{field}.max_bytes"), "the source could give nothing"));
    }
    Ok(origin)
}

fn generator(field: &str, spec: &SourceSpec, declare: Declare, seed: u64) -> Result<Generator, CorpusError> {
    let fault_rate = spec.fault_rate.unwrap_or(0.0);
    if !(0.0..=1.0).contains(&fault_rate) {
        let message = format!("{fault_rate} is no share: it must lie between 0 and 1");
        return Err(CorpusError::spec(format!("{field}.fault_rate"), message));
    }
    let in_source = |source| CorpusError::World { name: spec.name.clone(), source };
    let faults = spec.faults.iter().map(|f| f.parse()).collect::<Result<_, _>>().map_err(in_source)?;
    let generator = Generator {
        world: spec.world.clone().unwrap_or_default(),
        split: Split::Train,
        levels: if spec.levels.is_empty() { vec![1] } else { spec.levels.clone() },
        fault_rate,
        faults,
        declare,
        seed,
    };
    generator.resolve().map_err(in_source)
}

/// The seed of a source that states none. It depends on the recipe's seed, on what the source reads, and on how many
/// sources before it read the same; not on names, weights, levels or faults.
fn source_seed(specs: &[SourceSpec], index: usize, seed: u64) -> u64 {
    let what = |s: &SourceSpec| s.world.clone().or(s.folder.clone()).unwrap_or_default();
    let same = specs[..index].iter().filter(|s| what(s) == what(&specs[index])).count();
    derive(&format!("source {}", what(&specs[index])), &[seed, same as u64])
}
