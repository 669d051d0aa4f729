//! What a corpus folder says about itself: `manifest.json`.

use std::collections::BTreeMap;

use groundwork_trace::SpanKind;
use serde::{Deserialize, Serialize};

use crate::ledger::KindCounts;
use crate::{DataSpec, Skipped, TokenizerSection};

/// The version of the folder's form. A reader refuses any other.
pub const FORMAT: u32 = 1;

/// What is in a corpus folder, where it came from, and checksums of its files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the folder's form.
    pub version: u32,
    /// [`corpus_hash`](crate::corpus_hash) of what was asked for.
    pub spec_hash: String,
    /// Blake3 of `tokenizer.json`.
    pub tokenizer_hash: String,
    /// Number of tokens in the vocabulary.
    pub vocabulary: usize,
    /// The recipe's seed.
    pub seed: u64,
    /// Tokens in a row.
    pub sequence: usize,
    /// Number of rows.
    pub rows: u64,
    /// Tokens of documents, padding not included.
    pub tokens: u64,
    /// Positions without a token.
    pub padding: u64,
    /// Padding over all positions.
    pub padding_share: f64,
    /// Bytes of text that the tokens stand for, special tokens not counted.
    pub bytes: u64,
    /// Documents, in part or whole. One that is read again in another pass counts again.
    pub documents: u64,
    /// Tokens of documents that were cut off and left out at the end of the corpus.
    pub cropped: u64,
    /// Tokens of the longest document.
    pub longest: u64,
    /// The sources, in the recipe's order.
    pub sources: Vec<SourceCounts>,
    /// Counts by kind of span, over all sources.
    pub kinds: BTreeMap<SpanKind, KindCounts>,
    /// The files with the rows, in order.
    pub shards: Vec<FileEntry>,
    /// `tokenizer.json`.
    pub tokenizer_file: FileEntry,
    /// What was asked for: the data.
    pub data: DataSpec,
    /// What was asked for: the tokeniser.
    pub tokenizer: TokenizerSection,
}

/// What came from one source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceCounts {
    /// Its name in the recipe.
    pub name: String,
    /// The share of tokens asked for.
    pub share_asked: f64,
    /// The share of tokens that it has.
    pub share: f64,
    /// Tokens.
    pub tokens: u64,
    /// Bytes of text that they stand for.
    pub bytes: u64,
    /// Documents, in part or whole.
    pub documents: u64,
    /// Pieces that they were cut into; as many as documents if none was cut.
    pub pieces: u64,
    /// Tokens of texts that were cut off and left out at the end of the corpus.
    pub cropped: u64,
    /// How often the source was read through (below 1: in part); `None` if it has no end.
    pub epochs: Option<f64>,
    /// What was left out.
    pub skipped: Skipped,
    /// Counts by kind of span.
    pub kinds: BTreeMap<SpanKind, KindCounts>,
}

/// A file and its checksum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name in the folder.
    pub name: String,
    /// Its size.
    pub bytes: u64,
    /// Blake3 of its bytes, in hexadecimal.
    pub blake3: String,
    /// Its rows; 0 for a file without rows.
    pub rows: u64,
}
