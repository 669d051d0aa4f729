//! What a corpus is to be: the recipe's `[data]` and `[tokenizer]`.

use std::path::PathBuf;

use groundwork_worlds::Declare;
use serde::{Deserialize, Serialize};

use crate::{CorpusError, TokenizerSpec};

/// The recipe's `[data]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSpec {
    /// Tokens in a row.
    pub sequence: usize,
    /// Positions to fill, padding included: the corpus has `tokens / sequence` rows, rounded up. So two corpora of
    /// one size cost the same to train on, whatever is in them.
    pub tokens: u64,
    /// How traces generated from worlds state their tools.
    #[serde(default)]
    pub declare: Declare,
    /// Where the documents come from.
    #[serde(rename = "source")]
    pub sources: Vec<SourceSpec>,
}

/// One `[[data.source]]` (or `[[tokenizer.source]]`). Exactly one of `world`, `parquet`, `jsonl` and `folder` is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// What reports call the source; nothing else depends on it.
    pub name: String,
    /// The share of all tokens, relative to the other sources' weights.
    #[serde(default = "one")]
    pub weight: f64,
    /// A world, whose expert writes traces without end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
    /// World: the levels, each as often as the others. Level 1 where none is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<u32>,
    /// World: the share of tasks with an injected fault. A task is the same with and without its fault, so that two
    /// corpora that differ in this field alone are made of the same tasks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_rate: Option<f64>,
    /// World: the faults to inject; all that the world knows where none is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
    /// World, folder: a seed of its own, in place of one derived from the recipe's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// A Parquet file with a column `spans` (traces) or a column of text, or a folder of such files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parquet: Option<PathBuf>,
    /// A JSONL file, plain or `.zst`, or a folder of such files. A record has `text` or `spans`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jsonl: Option<PathBuf>,
    /// A folder of text files, or `cargo:registry`: the sources of all crates that cargo has downloaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// Parquet, JSONL: the column or field that holds the text, `text` where none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Folder: the files to read, by extension. For `cargo:registry` `rs` and `md`, else `txt` and `md`, where none
    /// is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// Folder: larger files are skipped and counted. 65536 where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_file_bytes: Option<u64>,
    /// Files: read no more than this many bytes of text, then start again. No limit where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_bytes: Option<u64>,
}

fn one() -> f64 {
    1.0
}

/// The recipe's `[tokenizer]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenizerSection {
    /// Number of tokens, special tokens and bytes included.
    pub vocabulary: usize,
    /// A `tokenizer.json` to use as it is, in place of training one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Bytes of text to train on.
    pub bytes: u64,
    /// What the sample of text is drawn with.
    pub seed: u64,
    /// How traces generated from worlds state their tools.
    pub declare: Declare,
    /// Where the sample comes from. With sources of its own, the tokeniser is a function of this section alone, and
    /// recipes that share the section share the tokeniser. Where there are none, the sample comes from `[data]`.
    #[serde(rename = "source", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceSpec>,
}

impl Default for TokenizerSection {
    fn default() -> Self {
        TokenizerSection {
            vocabulary: TokenizerSpec::default().vocabulary,
            file: None,
            bytes: 4_000_000,
            seed: 0,
            declare: Declare::default(),
            sources: Vec::new(),
        }
    }
}

impl DataSpec {
    /// Number of rows.
    pub fn rows(&self) -> u64 {
        self.tokens.div_ceil(self.sequence.max(1) as u64)
    }

    /// Checks everything that can be checked without opening a file.
    ///
    /// # Errors
    /// [`CorpusError::Spec`] with the field, [`CorpusError::World`] for an unknown world, level or fault.
    pub fn validate(&self) -> Result<(), CorpusError> {
        if !(8..=1 << 24).contains(&self.sequence) {
            return Err(CorpusError::spec("data.sequence", "a row has between 8 and 16777216 tokens"));
        }
        if self.tokens == 0 {
            return Err(CorpusError::spec("data.tokens", "a corpus has at least one token"));
        }
        if self.sources.is_empty() {
            return Err(CorpusError::spec(
                "data.source",
                "a corpus needs a source: add a section `[[data.source]]`",
            ));
        }
        if self.sources.len() > 1 << 16 {
            return Err(CorpusError::spec("data.source", "a corpus has at most 65536 sources"));
        }
        crate::source::check("data", &self.sources)
    }
}

impl TokenizerSection {
    /// Checks everything that can be checked without opening a file.
    ///
    /// # Errors
    /// As [`DataSpec::validate`], and a vocabulary that is out of range.
    pub fn validate(&self) -> Result<(), CorpusError> {
        self.spec().validate()?;
        if self.bytes == 0 && self.file.is_none() {
            return Err(CorpusError::spec("tokenizer.bytes", "a tokeniser needs text to be trained on"));
        }
        if self.file.is_some() && !self.sources.is_empty() {
            return Err(CorpusError::spec("tokenizer.file", "give a file or sources to train on, not both"));
        }
        crate::source::check("tokenizer", &self.sources)
    }

    pub(crate) fn spec(&self) -> TokenizerSpec {
        TokenizerSpec { vocabulary: self.vocabulary }
    }
}
