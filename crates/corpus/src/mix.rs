//! Mixing: how many documents of each source go into a window of rows.
//!
//! The rows are filled window by window, so that memory is bounded. In a window every source gets its share of the
//! tokens placed since the start, this window included: what one window missed the next one makes up. The most tokens
//! that still fit are found by bisection. Padding is nobody's share. So a share is off by less than half a document
//! (a token, for texts that may be cut) over the whole corpus, as long as a source has documents that fit.

use std::collections::VecDeque;

use groundwork_trace::{SpanKind, Trace};
use rayon::prelude::*;

use crate::ledger::Ledger;
use crate::pack::{LEAST_PIECE, Piece, pack};
use crate::source::{Document, Source};
use crate::{CorpusError, Encoded, Tokenizer, encode_branches};

/// Traces in a row that are too long, after which an endless source is given up.
const HOPELESS: u64 = 50_000;

/// A document that waits to be placed.
pub(crate) struct Waiting {
    pub(crate) encoded: Encoded,
    /// Tokens that are placed already.
    pub(crate) start: usize,
    /// Text, which may be cut.
    text: bool,
    epochs: f64,
}

impl Waiting {
    fn left(&self) -> usize {
        self.encoded.len() - self.start
    }

    /// Whether it goes to the stream that is cut as need be: a text that is longer than a row, or was cut before.
    fn is_stream(&self, sequence: usize) -> bool {
        self.text && (self.start > 0 || self.left() > sequence)
    }
}

/// A source, its share and its queue of encoded documents.
pub(crate) struct Feed {
    pub(crate) name: String,
    source: Source,
    sequence: usize,
    pub(crate) share: f64,
    queue: VecDeque<Waiting>,
    queued: u64,
    /// Tokens placed so far.
    placed: u64,
    too_long: u64,
    too_long_tokens: u64,
    /// Documents since the last that fits, and the pass in which that one was.
    unfit: u64,
    fit_epochs: f64,
    pub(crate) endless: bool,
    /// Passes over the source up to the last document placed.
    pub(crate) epochs: f64,
    pub(crate) documents: u64,
    pub(crate) longest: u64,
    /// What went in.
    pub(crate) ledger: Ledger,
}

/// What a window takes from the front of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Take {
    /// Documents, to their end.
    documents: usize,
    /// Tokens of the one after them.
    part: usize,
}

impl Feed {
    pub(crate) fn new(name: &str, source: Source, share: f64, sequence: usize) -> Feed {
        Feed {
            name: name.to_owned(),
            endless: source.endless,
            source,
            sequence,
            share,
            queue: VecDeque::new(),
            queued: 0,
            placed: 0,
            too_long: 0,
            too_long_tokens: 0,
            unfit: 0,
            fit_epochs: 0.0,
            epochs: 0.0,
            documents: 0,
            longest: 0,
            ledger: Ledger::default(),
        }
    }

    /// What was left out.
    pub(crate) fn skipped(&self) -> crate::Skipped {
        crate::Skipped {
            too_long: self.too_long,
            too_long_tokens: self.too_long_tokens,
            ..self.source.skipped()
        }
    }

    /// Reads until `tokens` tokens wait.
    fn fill(&mut self, tokenizer: &Tokenizer, tokens: u64) -> Result<(), CorpusError> {
        while self.queued < tokens {
            let batch = self.source.next_batch()?;
            let encoded: Vec<(Encoded, bool, f64)> = batch
                .into_par_iter()
                .flat_map_iter(|Document { trace, epochs }| {
                    let text = is_text(&trace);
                    encode_branches(tokenizer, &trace).into_iter().map(move |e| (e, text, epochs))
                })
                .collect();
            for (encoded, text, epochs) in encoded {
                if !text && encoded.len() > self.sequence {
                    self.refuse(encoded.len(), epochs)?;
                    continue;
                }
                self.unfit = 0;
                self.fit_epochs = epochs;
                self.queued += encoded.len() as u64;
                self.queue.push_back(Waiting { encoded, start: 0, text, epochs });
            }
        }
        Ok(())
    }

    fn refuse(&mut self, length: usize, epochs: f64) -> Result<(), CorpusError> {
        if self.endless || epochs <= 1.0 {
            self.too_long += 1;
            self.too_long_tokens += length as u64;
        }
        self.unfit += 1;
        let hopeless = if self.endless { self.unfit >= HOPELESS } else { epochs - self.fit_epochs > 1.0 };
        if hopeless {
            let why = format!(
                " that fits: its traces are longer than `data.sequence` ({} tokens; the last one seen has {length}), \
                 and traces are never cropped\n  hint: take longer rows or easier levels",
                self.sequence
            );
            return Err(CorpusError::NoDocuments { name: self.name.clone(), why });
        }
        Ok(())
    }

    /// What to take from the queue so that about `target` tokens are taken.
    fn take(&self, target: f64) -> Take {
        let mut taken = 0.0;
        for (documents, waiting) in self.queue.iter().enumerate() {
            let left = waiting.left() as f64;
            if taken + left > target {
                let rest = target - taken;
                if waiting.is_stream(self.sequence) {
                    let part = rest as usize;
                    return Take { documents, part: if part < LEAST_PIECE { 0 } else { part } };
                }
                return Take { documents: documents + usize::from(rest > left / 2.0), part: 0 };
            }
            taken += left;
        }
        Take { documents: self.queue.len(), part: 0 }
    }
}

fn is_text(trace: &Trace) -> bool {
    matches!(trace.spans.as_slice(), [span] if span.kind == SpanKind::Text)
}

/// A piece of a waiting document, in a row.
pub(crate) struct Placed {
    /// The feed, and the document's place in its queue.
    pub(crate) feed: usize,
    pub(crate) waiting: usize,
    /// Which of the document's tokens.
    pub(crate) part: std::ops::Range<usize>,
}

/// The feeds of a corpus, and what has been placed of them.
pub(crate) struct Mixer {
    pub(crate) feeds: Vec<Feed>,
    sequence: usize,
    placed: u64,
}

/// Which documents lie in the rows of a window.
pub(crate) struct Window {
    pub(crate) rows: Vec<Vec<Placed>>,
    takes: Vec<Take>,
}

fn too_small() -> CorpusError {
    CorpusError::spec("data.tokens", "no document fits into so small a corpus")
}

impl Window {
    /// Gives a row that is left empty a document of a row that has several: a row of padding trains nothing.
    fn fill_empty_rows(&mut self) {
        let mut from = 0;
        for to in 0..self.rows.len() {
            if self.rows[to].is_empty() {
                while from < self.rows.len() && self.rows[from].len() < 2 {
                    from += 1;
                }
                let Some(piece) = self.rows.get_mut(from).and_then(Vec::pop) else { return };
                self.rows[to].push(piece);
            }
        }
    }
}

impl Mixer {
    pub(crate) fn new(feeds: Vec<Feed>, sequence: usize) -> Mixer {
        Mixer { feeds, sequence, placed: 0 }
    }

    /// Plans a window of `rows` rows; some at its end may be empty. [`Mixer::advance`] must follow.
    pub(crate) fn window(&mut self, tokenizer: &Tokenizer, rows: usize) -> Result<Window, CorpusError> {
        let most = (rows * self.sequence) as u64;
        for i in 0..self.feeds.len() {
            let target = self.target(i, most);
            self.feeds[i].fill(tokenizer, target.max(0.0) as u64 + 1)?;
        }
        let step = (self.sequence as u64 / 4).max(most / 8192).max(1);
        let mut best = self.plan(most, rows);
        let (mut low, mut high) = if best.is_some() { (most, most) } else { (0, most) };
        while high - low > step {
            let middle = low + (high - low) / 2;
            match self.plan(middle, rows) {
                Some(window) => (best, low) = (Some(window), middle),
                None => high = middle,
            }
        }
        let mut window = best.ok_or_else(too_small)?;
        if window.rows.iter().all(Vec::is_empty) {
            return Err(too_small());
        }
        window.fill_empty_rows();
        Ok(window)
    }

    /// The token count of feed `i` that brings it to its share when `content` tokens are placed in all.
    fn target(&self, i: usize, content: u64) -> f64 {
        self.feeds[i].share * (self.placed + content) as f64 - self.feeds[i].placed as f64
    }

    fn plan(&self, content: u64, rows: usize) -> Option<Window> {
        let takes: Vec<Take> =
            (0..self.feeds.len()).map(|i| self.feeds[i].take(self.target(i, content))).collect();
        let (mut whole, mut stream) = (Vec::new(), Vec::new());
        for (f, (feed, take)) in self.feeds.iter().zip(&takes).enumerate() {
            let count = take.documents + usize::from(take.part > 0);
            for (w, waiting) in feed.queue.iter().take(count).enumerate() {
                let length = if w < take.documents { waiting.left() } else { take.part };
                if waiting.is_stream(self.sequence) {
                    // Texts of several sources take turns.
                    stream.push(((w as f64 + 0.5) / count as f64, f, w, length));
                } else {
                    whole.push((f, w, length));
                }
            }
        }
        stream.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let lengths: Vec<usize> = whole.iter().map(|d| d.2).collect();
        let stream_lengths: Vec<usize> = stream.iter().map(|d| d.3).collect();
        let packed = pack(&lengths, &stream_lengths, rows, self.sequence)?;
        let placed = |Piece { item, part }: Piece| {
            let (feed, waiting) = match whole.get(item) {
                Some(&(f, w, _)) => (f, w),
                None => (stream[item - whole.len()].1, stream[item - whole.len()].2),
            };
            let start = self.feeds[feed].queue[waiting].start;
            Placed { feed, waiting, part: start + part.start..start + part.end }
        };
        let mut rows_of: Vec<Vec<Placed>> =
            packed.into_iter().map(|row| row.into_iter().map(placed).collect()).collect();
        rows_of.resize_with(rows, Vec::new);
        Some(Window { rows: rows_of, takes })
    }

    /// Takes what the window holds out of the queues. Afterwards the window's pieces name nothing any more.
    pub(crate) fn advance(&mut self, window: Window) {
        for (feed, take) in self.feeds.iter_mut().zip(window.takes) {
            let mut taken = 0;
            for waiting in feed.queue.iter_mut().take(take.documents + usize::from(take.part > 0)) {
                if waiting.start == 0 {
                    feed.documents += 1;
                    feed.longest = feed.longest.max(waiting.encoded.len() as u64);
                    let Encoded { tokens, spans, weight } = &waiting.encoded;
                    feed.ledger.add(tokens, spans, weight.as_deref());
                }
                feed.epochs = waiting.epochs;
            }
            for waiting in feed.queue.drain(..take.documents) {
                taken += waiting.left() as u64;
            }
            if take.part > 0 {
                feed.queue[0].start += take.part;
                taken += take.part as u64;
            }
            feed.queued -= taken;
            feed.placed += taken;
            self.placed += taken;
        }
    }

    /// The documents of the window that is planned.
    pub(crate) fn encoded(&self, placed: &Placed) -> &Encoded {
        &self.feeds[placed.feed].queue[placed.waiting].encoded
    }

    /// Checks that `after` (what was written, by feed) and what was cut off at the end make up what went in. Gives the
    /// number of tokens cut off, by feed.
    pub(crate) fn check(&self, after: &[Ledger]) -> Result<Vec<u64>, CorpusError> {
        let mut cropped = Vec::new();
        for (feed, after) in self.feeds.iter().zip(after) {
            let mut rest = Ledger::default();
            if let Some(Waiting { encoded, start, .. }) = feed.queue.front()
                && *start > 0
            {
                let weight = encoded.weight.as_ref().map(|w| &w[*start..]);
                rest.add(&encoded.tokens[*start..], &encoded.spans[*start..], weight);
            }
            let mut before = feed.ledger.clone();
            before.subtract(&rest);
            before.check(after, &feed.name)?;
            cropped.push(rest.tokens());
        }
        Ok(cropped)
    }
}
