//! The tokeniser: byte-level byte-pair encoding, trained and run here, stored as Hugging Face
//! `tokenizer.json`.
//!
//! Ids: the special tokens come first (`<|pad|>` = 0, `<|end|>` = 1, one marker a [`SpanKind`] in the order
//! of [`SpanKind::ALL`], `<|hole|>`, `<|fill|>`), then one token for each byte in byte order, then the merges
//! in the order in which they were learnt. Byte-pair encoding is Sennrich et al., *Neural Machine Translation
//! of Rare Words with Subword Units* (2016); its byte-level form is that of GPT-2.
//!
//! Text is first cut into words, and no token crosses a cut. A word is what this expression matches:
//!
//! ```text
//! [^\r\n\p{L}\p{M}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
//! ```
//!
//! It is the split of GPT-4 and Qwen with digits one by one, marks kept with their letters, and without the
//! alternative for English contractions: the `'t` of `don't` is a prefixed word anyway, and the alternative
//! would also cut the `'D` off `'Driscoll`.
//!
//! Tool syntax has no special tokens of its own, because ordinary merges learn it: with 1024 tokens trained
//! on expert traces of files, route and ledger, an action is `move`, `(path`, `="`, …, `",`, ` to`, `="`, …, `")`,
//! every piece of syntax one token. That is 5.5 tokens of syntax in 8.6 an action; fused tokens could save
//! some of them, but only for tools known before training.
//!
//! `benches/tokenizer.sh` measures training and encoding against the `tokenizers` crate.

mod count;
mod encode;
mod error;
mod fast_hash;
mod file;
mod special;
mod split;
mod train;
mod unicode;

use std::path::Path;
use std::sync::Mutex;

use groundwork_trace::SpanKind;
use serde::{Deserialize, Serialize};

pub use error::TokenizerError;
pub use train::TokenizerProgress;

use encode::{Cache, PairRanks};

/// What a tokeniser is to be: the recipe's `[tokenizer]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TokenizerSpec {
    /// Number of tokens wanted, special tokens and bytes included. Training stops early, with fewer, when no
    /// pair of tokens occurs twice in the text.
    pub vocabulary: usize,
}

impl Default for TokenizerSpec {
    fn default() -> Self {
        TokenizerSpec { vocabulary: 2048 }
    }
}

impl TokenizerSpec {
    /// The smallest vocabulary: the special tokens and the 256 bytes.
    pub const LEAST: usize = special::COUNT + 256;
    /// The largest vocabulary.
    pub const MOST: usize = 1 << 24;

    /// Checks that a tokeniser of this kind can exist.
    ///
    /// # Errors
    /// [`TokenizerError::Vocabulary`] if the vocabulary is out of range.
    pub fn validate(&self) -> Result<(), TokenizerError> {
        if (Self::LEAST..=Self::MOST).contains(&self.vocabulary) {
            Ok(())
        } else {
            Err(TokenizerError::Vocabulary { vocabulary: self.vocabulary })
        }
    }
}

/// A byte-level BPE tokeniser. Encoding takes `&self` and may run on many threads at once.
pub struct Tokenizer {
    tokens: TokenBytes,
    /// The pair of each merge, by rank.
    merges: Vec<(u32, u32)>,
    ranks: PairRanks,
    /// Memories of encoded words, one for each call of [`Tokenizer::encode`] that runs at the moment.
    caches: Mutex<Vec<Cache>>,
}

impl Tokenizer {
    /// The expression whose matches are the words that text is cut into.
    pub const SPLIT: &str = split::EXPRESSION;

    /// Learns a tokeniser from texts.
    ///
    /// Deterministic: the result depends on the multiset of words in the texts alone, not on their order nor
    /// on the number of threads. At each step the pair with the highest count is merged; among equal counts
    /// the pair with the lowest left id, then the lowest right id. Counts are 64-bit. Words longer than 256
    /// bytes are counted in pieces.
    ///
    /// The texts are read once, a few megabytes at a time. Special tokens are not recognised in them.
    ///
    /// # Errors
    /// [`TokenizerError::Vocabulary`] if `spec` does not hold.
    pub fn train<S: AsRef<str> + Sync>(
        spec: &TokenizerSpec,
        texts: impl IntoIterator<Item = S>,
        progress: &mut dyn FnMut(TokenizerProgress),
    ) -> Result<Tokenizer, TokenizerError> {
        spec.validate()?;
        let counts = count::count_words(texts, progress);
        let (tokens, merges) = train::learn(spec.vocabulary, counts, progress);
        Ok(Tokenizer::assemble(tokens, merges))
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`TokenizerError::Io`], [`TokenizerError::Json`] with line and column, or [`TokenizerError::Field`] if
    /// the file asks for something else than byte-level BPE with this split and these special tokens.
    pub fn load(path: &Path) -> Result<Tokenizer, TokenizerError> {
        file::load(path)
    }

    /// Writes a `tokenizer.json`, whole or not at all.
    ///
    /// The `tokenizers` library reads it to the same ids, but recognises special tokens in ordinary text
    /// unless it is told not to (`set_encode_special_tokens(true)`).
    ///
    /// # Errors
    /// [`TokenizerError::Io`] if the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), TokenizerError> {
        file::save(self, path)
    }

    /// Blake3 of the bytes that [`Tokenizer::save`] writes, in hexadecimal.
    pub fn hash(&self) -> String {
        blake3::hash(&file::to_json(self)).to_hex().to_string()
    }

    /// Appends the ids of `text` to `out`. Special tokens are never recognised in text: `<|end|>` in a
    /// document is seven characters.
    pub fn encode(&self, text: &str, out: &mut Vec<u32>) {
        let mut cache = self.take_cache();
        encode::encode(&self.ranks, &mut cache, text, out);
        self.return_cache(cache);
    }

    /// The bytes of a sequence of ids, special tokens as they are written. Ids outside the vocabulary are
    /// skipped. The result need not be UTF-8: a token may be part of a character.
    pub fn decode(&self, ids: &[u32]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(ids.len() * 4);
        for &id in ids {
            bytes.extend_from_slice(self.token_bytes(id));
        }
        bytes
    }

    /// The bytes of one token; none for an id outside the vocabulary.
    pub fn token_bytes(&self, id: u32) -> &[u8] {
        self.tokens.get(id)
    }

    /// The token that opens a span.
    pub fn marker(&self, kind: SpanKind) -> u32 {
        special::marker(kind)
    }

    /// The kind of span that a token opens, if it is a marker.
    pub fn marker_kind(&self, id: u32) -> Option<SpanKind> {
        special::marker_kind(id)
    }

    /// `<|end|>`, which ends a trace.
    pub fn end(&self) -> u32 {
        special::END
    }

    /// `<|pad|>`, which fills a row.
    pub fn pad(&self) -> u32 {
        special::PAD
    }

    /// `<|hole|>`, which stands where a hidden span was.
    pub fn hole(&self) -> u32 {
        special::HOLE
    }

    /// `<|fill|>`, after which the hidden span is asked for.
    pub fn fill(&self) -> u32 {
        special::FILL
    }

    /// Whether a token is one of the special ones, which no text encodes to.
    pub fn is_special(&self, id: u32) -> bool {
        (id as usize) < special::COUNT
    }

    /// Number of tokens: ids run from 0 to one less.
    pub fn vocabulary(&self) -> usize {
        self.tokens.len()
    }

    fn assemble(tokens: TokenBytes, merges: Vec<(Pair, u32)>) -> Tokenizer {
        let ranks = PairRanks::new(&merges);
        let merges = merges.into_iter().map(|(pair, _)| pair).collect();
        Tokenizer { tokens, merges, ranks, caches: Mutex::new(Vec::new()) }
    }

    fn take_cache(&self) -> Cache {
        let pooled = self.caches.lock().unwrap_or_else(|e| e.into_inner()).pop();
        pooled.unwrap_or_else(Cache::new)
    }

    fn return_cache(&self, cache: Cache) {
        self.caches.lock().unwrap_or_else(|e| e.into_inner()).push(cache);
    }
}

impl std::fmt::Debug for Tokenizer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokenizer").field("vocabulary", &self.vocabulary()).finish_non_exhaustive()
    }
}

/// Two tokens side by side.
type Pair = (u32, u32);

/// The bytes of every token, one after another.
struct TokenBytes {
    bytes: Vec<u8>,
    /// Where each token starts, and where the last one ends.
    starts: Vec<usize>,
}

impl TokenBytes {
    /// The special tokens and the 256 bytes, with which every vocabulary begins.
    fn base() -> Self {
        let mut tokens = TokenBytes { bytes: Vec::new(), starts: vec![0] };
        for text in special::texts() {
            tokens.push(text.as_bytes());
        }
        for byte in 0..=255u8 {
            tokens.push(&[byte]);
        }
        tokens
    }

    fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        self.starts.push(self.bytes.len());
    }

    fn len(&self) -> usize {
        self.starts.len() - 1
    }

    fn get(&self, id: u32) -> &[u8] {
        let id = id as usize;
        match self.starts.get(id..id.saturating_add(2)) {
            Some(&[start, end]) => &self.bytes[start..end],
            _ => &[],
        }
    }

    fn joined(&self, (left, right): Pair) -> Vec<u8> {
        [self.get(left), self.get(right)].concat()
    }
}
