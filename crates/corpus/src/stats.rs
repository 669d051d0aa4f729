//! A corpus in numbers, for people and programs.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::path::Path;

use groundwork_trace::SpanKind;
use serde::Serialize;

use crate::ledger::KindCounts;
use crate::{CorpusError, Manifest, SourceCounts, read_manifest};

/// A corpus in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CorpusStats {
    /// Number of rows.
    pub rows: u64,
    /// Tokens in a row.
    pub sequence: usize,
    /// Tokens of documents.
    pub tokens: u64,
    /// Bytes of text that they stand for.
    pub bytes: u64,
    /// Bytes of text over ordinary tokens (special ones left out).
    pub bytes_per_token: f64,
    /// Padding over all positions.
    pub padding_share: f64,
    /// Documents, in part or whole.
    pub documents: u64,
    /// Tokens over documents.
    pub tokens_per_document: f64,
    /// Tokens of the longest document.
    pub longest: u64,
    /// Tokens of texts that were cut off and left out at the end.
    pub cropped: u64,
    /// Number of tokens in the vocabulary.
    pub vocabulary: usize,
    /// Bytes of the folder's files.
    pub disk_bytes: u64,
    /// What came from where.
    pub sources: Vec<SourceCounts>,
    /// Counts by kind of span.
    pub kinds: BTreeMap<SpanKind, KindCounts>,
}

impl CorpusStats {
    /// The numbers that a manifest holds.
    pub fn of(manifest: &Manifest) -> CorpusStats {
        let markers: u64 = manifest.kinds.values().map(|k| k.markers).sum();
        let ratio = |a: u64, b: u64| if b == 0 { 0.0 } else { a as f64 / b as f64 };
        CorpusStats {
            rows: manifest.rows,
            sequence: manifest.sequence,
            tokens: manifest.tokens,
            bytes: manifest.bytes,
            bytes_per_token: ratio(manifest.bytes, manifest.tokens - markers),
            padding_share: manifest.padding_share,
            documents: manifest.documents,
            tokens_per_document: ratio(manifest.tokens, manifest.documents),
            longest: manifest.longest,
            cropped: manifest.cropped,
            vocabulary: manifest.vocabulary,
            disk_bytes: manifest.shards.iter().chain([&manifest.tokenizer_file]).map(|f| f.bytes).sum(),
            sources: manifest.sources.clone(),
            kinds: manifest.kinds.clone(),
        }
    }

    /// The numbers of a corpus folder.
    ///
    /// # Errors
    /// As [`read_manifest`].
    pub fn read(dir: &Path) -> Result<CorpusStats, CorpusError> {
        read_manifest(dir).map(|m| CorpusStats::of(&m))
    }
}

impl Display for CorpusStats {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} tokens in {} rows of {}; {:.2}% padding; vocabulary {}",
            count(self.tokens),
            count(self.rows),
            self.sequence,
            100.0 * self.padding_share,
            count(self.vocabulary as u64)
        )?;
        writeln!(
            f,
            "{} documents of {:.1} tokens (longest {}); {:.2} bytes a token; {:.1} MB on disk",
            count(self.documents),
            self.tokens_per_document,
            count(self.longest),
            self.bytes_per_token,
            self.disk_bytes as f64 / 1e6
        )?;
        let sources = self.sources.iter().map(|s| {
            let epochs = s.epochs.map_or_else(|| "endless".to_owned(), |e| format!("{e:.2}"));
            let (share, asked) =
                (format!("{:.2}%", 100.0 * s.share), format!("{:.2}%", 100.0 * s.share_asked));
            let skipped = count(s.skipped.documents());
            [s.name.clone(), count(s.tokens), share, asked, count(s.documents), epochs, skipped]
        });
        writeln!(f)?;
        table(f, ["source", "tokens", "share", "asked", "documents", "epochs", "skipped"], sources)?;
        for source in &self.sources {
            for (n, what) in reasons(source) {
                writeln!(f, "  {}: {} {what}", source.name, count(n))?;
            }
        }
        let kinds = self.kinds.iter().map(|(kind, k)| {
            let share = format!("{:.2}%", 100.0 * k.tokens as f64 / self.tokens.max(1) as f64);
            let weight = count(k.weight.round() as u64);
            [
                kind.to_string(),
                count(k.tokens),
                share,
                count(k.supervised),
                weight,
                count(k.own),
                count(k.failed),
            ]
        });
        writeln!(f)?;
        table(f, ["span", "tokens", "share", "supervised", "weight", "own", "failed"], kinds)
    }
}

/// Why documents or parts of them are not there.
fn reasons(source: &SourceCounts) -> Vec<(u64, &'static str)> {
    let s = &source.skipped;
    let all = [
        (s.too_long, "traces are longer than a row"),
        (s.empty, "files are empty"),
        (s.invalid_utf8, "files are not UTF-8"),
        (s.too_large, "files are too large"),
        (s.duplicate, "files are duplicates"),
        (s.unreadable, "files cannot be read"),
        (source.cropped, "tokens of the last text were cut off"),
    ];
    all.into_iter().filter(|(n, _)| *n > 0).collect()
}

/// A number with its thousands apart.
fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The first column to the left, the others to the right.
fn table<const N: usize>(
    f: &mut Formatter<'_>,
    head: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> fmt::Result {
    let rows: Vec<[String; N]> = std::iter::once(head.map(str::to_owned)).chain(rows).collect();
    let width: [usize; N] =
        std::array::from_fn(|c| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or_default());
    for row in rows {
        write!(f, "{:<1$}", row[0], width[0])?;
        for (cell, width) in row.iter().zip(width).skip(1) {
            write!(f, "  {cell:>width$}")?;
        }
        writeln!(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn thousands_stand_apart() {
        assert_eq!([0, 999, 1000, 1234567].map(count), ["0", "999", "1,000", "1,234,567"]);
    }
}
