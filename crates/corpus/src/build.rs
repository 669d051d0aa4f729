//! From a recipe's `[data]` and `[tokenizer]` to a folder of token shards.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use groundwork_trace::SpanKind;
use groundwork_worlds::Declare;

use crate::durable::TemporaryFolder;
use crate::ledger::{KindCounts, Ledger};
use crate::manifest::{FORMAT, FileEntry, Manifest, SourceCounts};
use crate::mix::{Feed, Mixer, Placed, Window};
use crate::seed::Shuffler;
use crate::shard::{Row, ShardWriter};
use crate::shards::{MANIFEST, Shards, TOKENIZER, entry, read_manifest};
use crate::source::Source;
use crate::{CorpusError, DataSpec, SourceSpec, SpanTag, Tokenizer, TokenizerProgress, TokenizerSection};

/// Positions in a shard: what is packed together and held in memory.
const SHARD_POSITIONS: u64 = 1 << 24;

/// How far a build has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BuildProgress {
    /// The tokeniser is being trained.
    Tokenizer(TokenizerProgress),
    /// Rows are being written.
    Rows {
        /// Rows so far.
        done: u64,
        /// Rows in all.
        of: u64,
    },
}

/// Names what [`build`] would write: blake3, in hexadecimal, of the format's version, the two sections and the seed.
/// What the files of a source hold is not part of it.
pub fn corpus_hash(data: &DataSpec, tokenizer: &TokenizerSection, seed: u64) -> String {
    let asked = serde_json::json!({ "format": FORMAT, "data": data, "tokenizer": tokenizer, "seed": seed });
    blake3::hash(asked.to_string().as_bytes()).to_hex().to_string()
}

/// Trains the tokeniser (or takes the one given), encodes, mixes and packs the sources, and writes the folder `out` with
/// `tokenizer.json`, `manifest.json` and the shards. If the folder holds just this corpus already, it is left as it is.
///
/// The folder appears complete or not at all. If another builder is faster, its folder stays and this one's work is
/// thrown away. The result is a function of the arguments and of the sources' files: same bytes, on any number of
/// threads.
///
/// # Errors
/// Everything that [`CorpusError`] knows: a section that makes no sense, sources that cannot be read, a folder `out`
/// that holds something else.
pub fn build(
    data: &DataSpec,
    tokenizer: &TokenizerSection,
    seed: u64,
    out: &Path,
    progress: &mut dyn FnMut(BuildProgress),
) -> Result<Manifest, CorpusError> {
    data.validate()?;
    tokenizer.validate()?;
    let spec_hash = corpus_hash(data, tokenizer, seed);
    if occupied(out)? {
        return existing(out, &spec_hash);
    }
    let folder = TemporaryFolder::beside(out)?;
    let trained = make_tokenizer(data, tokenizer, seed, progress)?;
    trained.save(&folder.path().join(TOKENIZER))?;
    let mut writer = Writer::new(folder.path(), &trained, data, seed)?;
    writer.write(progress)?;
    let manifest = writer.manifest(data, tokenizer, spec_hash)?;
    let path = folder.path().join(MANIFEST);
    let text =
        serde_json::to_string_pretty(&manifest).map_err(|e| CorpusError::write(&path)(e.into()))? + "\n";
    let written =
        File::create(&path).and_then(|mut f| f.write_all(text.as_bytes()).and_then(|()| f.sync_all()));
    written.map_err(CorpusError::write(&path))?;
    if folder.rename(out)? { Ok(manifest) } else { existing(out, &manifest.spec_hash) }
}

/// Whether `out` exists and has something in it.
fn occupied(out: &Path) -> Result<bool, CorpusError> {
    match fs::read_dir(out) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory && out.exists() => {
            Err(CorpusError::Occupied { path: out.to_owned() })
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotADirectory => Err(CorpusError::write(out)(e)),
        Err(e) => Err(CorpusError::read(out)(e)),
    }
}

/// The manifest of the corpus in `out`, if it is the one asked for and undamaged.
fn existing(out: &Path, spec_hash: &str) -> Result<Manifest, CorpusError> {
    match read_manifest(out) {
        Err(CorpusError::Missing { .. }) => Err(CorpusError::Occupied { path: out.to_owned() }),
        Err(e) => Err(e),
        Ok(manifest) if manifest.spec_hash != spec_hash => {
            Err(CorpusError::Occupied { path: out.to_owned() })
        }
        Ok(_) => Ok(Shards::open(out)?.manifest().clone()),
    }
}

fn make_tokenizer(
    data: &DataSpec,
    section: &TokenizerSection,
    seed: u64,
    progress: &mut dyn FnMut(BuildProgress),
) -> Result<Tokenizer, CorpusError> {
    if let Some(path) = &section.file {
        return Ok(Tokenizer::load(path)?);
    }
    let texts = if section.sources.is_empty() {
        sample("data", &data.sources, data.declare, seed, section.bytes)?
    } else {
        sample("tokenizer", &section.sources, section.declare, section.seed, section.bytes)?
    };
    let mut report = |p| progress(BuildProgress::Tokenizer(p));
    Ok(Tokenizer::train(&section.spec(), texts, &mut report)?)
}

/// Bodies of spans, about `bytes` in all, each source with its share, and none read more than once.
fn sample(
    section: &str,
    specs: &[SourceSpec],
    declare: Declare,
    seed: u64,
    bytes: u64,
) -> Result<Vec<String>, CorpusError> {
    let all: f64 = specs.iter().map(|s| s.weight).sum();
    let mut texts = Vec::new();
    for (i, spec) in specs.iter().enumerate() {
        let mut source = Source::open(section, specs, i, declare, seed)?;
        let mut left = (bytes as f64 * spec.weight / all).ceil();
        'source: while left > 0.0 {
            for document in source.next_batch()? {
                if document.epochs > 1.0 || left <= 0.0 {
                    break 'source;
                }
                for span in document.trace.spans {
                    left -= span.body.len() as f64;
                    texts.push(span.body);
                }
            }
        }
    }
    Ok(texts)
}

/// Writes the shards and keeps the counts.
struct Writer<'a> {
    folder: &'a Path,
    tokenizer: &'a Tokenizer,
    mixer: Mixer,
    sequence: usize,
    rows: u64,
    seed: u64,
    /// By feed: what was written, pieces, bytes of text.
    written: Vec<(Ledger, u64, u64)>,
    shards: Vec<FileEntry>,
}

impl<'a> Writer<'a> {
    fn new(
        folder: &'a Path,
        tokenizer: &'a Tokenizer,
        data: &DataSpec,
        seed: u64,
    ) -> Result<Self, CorpusError> {
        let all: f64 = data.sources.iter().map(|s| s.weight).sum();
        let mut feeds = Vec::new();
        for (i, spec) in data.sources.iter().enumerate() {
            let source = Source::open("data", &data.sources, i, data.declare, seed)?;
            feeds.push(Feed::new(&spec.name, source, spec.weight / all, data.sequence));
        }
        let written = vec![(Ledger::default(), 0, 0); feeds.len()];
        let mixer = Mixer::new(feeds, data.sequence);
        let (sequence, rows) = (data.sequence, data.rows());
        Ok(Writer { folder, tokenizer, mixer, sequence, rows, seed, written, shards: Vec::new() })
    }

    fn write(&mut self, progress: &mut dyn FnMut(BuildProgress)) -> Result<(), CorpusError> {
        let shards = (self.rows * self.sequence as u64).div_ceil(SHARD_POSITIONS).min(self.rows);
        progress(BuildProgress::Rows { done: 0, of: self.rows });
        for shard in 0..shards {
            // The rows are spread evenly, so that no window is too small to mix well.
            let (start, end) = (self.rows * shard / shards, self.rows * (shard + 1) / shards);
            let mut window = self.mixer.window(self.tokenizer, (end - start) as usize)?;
            let mut shuffler = Shuffler::new("rows", &[self.seed, shard]);
            shuffler.shuffle(&mut window.rows);
            for row in &mut window.rows {
                shuffler.shuffle(row);
            }
            self.write_shard(shard, &window, (start, progress))?;
            self.mixer.advance(window);
        }
        Ok(())
    }

    fn write_shard(
        &mut self,
        shard: u64,
        window: &Window,
        (start, progress): (u64, &mut dyn FnMut(BuildProgress)),
    ) -> Result<(), CorpusError> {
        let name = format!("shard-{shard:05}.arrow");
        let weighted = window.rows.iter().flatten().any(|p| self.mixer.encoded(p).weight.is_some());
        let mut writer = ShardWriter::create(&self.folder.join(&name), self.sequence, weighted)?;
        for (i, pieces) in window.rows.iter().enumerate() {
            let row = self.assemble(pieces);
            self.count(pieces, &row);
            writer.write(row, pieces.iter().map(|p| p.feed as u16).collect())?;
            let done = start + i as u64 + 1;
            if done.is_multiple_of(1024) || done == self.rows {
                progress(BuildProgress::Rows { done, of: self.rows });
            }
        }
        writer.finish()?;
        self.shards.push(entry(self.folder, &name, window.rows.len() as u64)?);
        Ok(())
    }

    fn assemble(&self, pieces: &[Placed]) -> Row {
        let mut row = Row {
            tokens: Vec::with_capacity(self.sequence),
            spans: Vec::with_capacity(self.sequence),
            documents: Vec::with_capacity(self.sequence),
            weight: None,
        };
        let weighted = pieces.iter().any(|p| self.mixer.encoded(p).weight.is_some());
        let mut weights = Vec::new();
        for (n, piece) in pieces.iter().enumerate() {
            let encoded = self.mixer.encoded(piece);
            row.tokens.extend_from_slice(&encoded.tokens[piece.part.clone()]);
            row.spans.extend_from_slice(&encoded.spans[piece.part.clone()]);
            row.documents.resize(row.tokens.len(), n as u32 + 1);
            match &encoded.weight {
                Some(w) => weights.extend_from_slice(&w[piece.part.clone()]),
                None => weights.resize(row.tokens.len(), 1.0),
            }
        }
        row.tokens.resize(self.sequence, self.tokenizer.pad());
        row.spans.resize(self.sequence, SpanTag::PADDING);
        row.documents.resize(self.sequence, 0);
        weights.resize(self.sequence, 0.0);
        row.weight = weighted.then_some(weights);
        row
    }

    /// Counts what stands in the row, by the feed that it should be from.
    fn count(&mut self, pieces: &[Placed], row: &Row) {
        for (n, piece) in pieces.iter().enumerate() {
            let document = n as u32 + 1;
            let start = row.documents.partition_point(|d| *d != 0 && *d < document);
            let end = start + row.documents[start..].iter().take_while(|d| **d == document).count();
            let (tokens, spans) = (&row.tokens[start..end], &row.spans[start..end]);
            let (ledger, pieces, bytes) = &mut self.written[piece.feed];
            ledger.add(tokens, spans, row.weight.as_ref().map(|w| &w[start..end]));
            *pieces += 1;
            let text = tokens.iter().zip(spans).filter(|(_, tag)| !tag.marker());
            *bytes += text.map(|(t, _)| self.tokenizer.token_bytes(*t).len() as u64).sum::<u64>();
        }
    }

    fn manifest(
        &self,
        data: &DataSpec,
        section: &TokenizerSection,
        spec_hash: String,
    ) -> Result<Manifest, CorpusError> {
        let ledgers: Vec<Ledger> = self.written.iter().map(|w| w.0.clone()).collect();
        let cropped = self.mixer.check(&ledgers)?;
        let tokens: u64 = ledgers.iter().map(Ledger::tokens).sum();
        let positions = self.rows * self.sequence as u64;
        let mut kinds: BTreeMap<SpanKind, KindCounts> = BTreeMap::new();
        let mut sources = Vec::new();
        for ((feed, (ledger, pieces, bytes)), cropped) in
            self.mixer.feeds.iter().zip(&self.written).zip(&cropped)
        {
            for (kind, counts) in ledger.by_kind() {
                *kinds.entry(kind).or_default() += counts;
            }
            sources.push(SourceCounts {
                name: feed.name.clone(),
                share_asked: feed.share,
                share: ledger.tokens() as f64 / tokens as f64,
                tokens: ledger.tokens(),
                bytes: *bytes,
                documents: feed.documents,
                pieces: *pieces,
                cropped: *cropped,
                epochs: (!feed.endless).then_some(feed.epochs),
                skipped: feed.skipped(),
                kinds: ledger.by_kind(),
            });
        }
        Ok(Manifest {
            version: FORMAT,
            spec_hash,
            tokenizer_hash: self.tokenizer.hash(),
            vocabulary: self.tokenizer.vocabulary(),
            seed: self.seed,
            sequence: self.sequence,
            rows: self.rows,
            tokens,
            padding: positions - tokens,
            padding_share: (positions - tokens) as f64 / positions as f64,
            bytes: sources.iter().map(|s| s.bytes).sum(),
            documents: sources.iter().map(|s| s.documents).sum(),
            cropped: sources.iter().map(|s| s.cropped).sum(),
            longest: self.mixer.feeds.iter().map(|f| f.longest).max().unwrap_or(0),
            sources,
            kinds,
            shards: self.shards.clone(),
            tokenizer_file: entry(self.folder, TOKENIZER, 0)?,
            data: data.clone(),
            tokenizer: section.clone(),
        })
    }
}
