//! Traces as tokens, each with a tag that says what it is.

use groundwork_trace::{Span, SpanKind, Trace};

use crate::Tokenizer;

/// What is known of one token: its span's kind and three marks. The byte is part of the shard format:
/// bits 0–3 the kind (15 for padding), bit 4 "marker", bit 6 "the world's own", bit 7 "this action failed".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SpanTag(u8);

const KIND: u8 = 0b0000_1111;
const MARKER: u8 = 0b0001_0000;
const OWN: u8 = 0b0100_0000;
const FAILED: u8 = 0b1000_0000;

impl SpanTag {
    /// The tag of a position that holds no token of any document.
    pub const PADDING: SpanTag = SpanTag(15);

    /// The tag of an ordinary token in a span of `kind`.
    pub const fn new(kind: SpanKind) -> Self {
        SpanTag(kind as u8)
    }

    /// The same tag, marked as a special token (the one that opens the span, or the end of the trace) or not.
    pub const fn with_marker(self, on: bool) -> Self {
        self.with(MARKER, on)
    }

    /// The same tag, marked as the world's own or not.
    pub const fn with_own(self, on: bool) -> Self {
        self.with(OWN, on)
    }

    /// The same tag, marked as part of a failed action or not.
    pub const fn with_failed(self, on: bool) -> Self {
        self.with(FAILED, on)
    }

    /// The span's kind; `None` for padding.
    pub fn kind(self) -> Option<SpanKind> {
        SpanKind::from_code(self.0 & KIND)
    }

    /// Whether this is a special token: the one that opens the span, or the end of the trace.
    pub const fn marker(self) -> bool {
        self.0 & MARKER != 0
    }

    /// Whether any byte of the token is a value that nobody could have predicted.
    pub const fn own(self) -> bool {
        self.0 & OWN != 0
    }

    /// Whether the token belongs to an action that failed.
    pub const fn failed(self) -> bool {
        self.0 & FAILED != 0
    }

    /// The tag as it stands in a shard.
    pub const fn code(self) -> u8 {
        self.0
    }

    /// The tag that stands in a shard as `code`.
    pub const fn from_code(code: u8) -> Self {
        SpanTag(code)
    }

    const fn with(self, bit: u8, on: bool) -> Self {
        SpanTag(if on { self.0 | bit } else { self.0 & !bit })
    }
}

/// A document as tokens. The lists are of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Encoded {
    /// Token ids.
    pub tokens: Vec<u32>,
    /// What each token is.
    pub spans: Vec<SpanTag>,
    /// The training weight of each token, if any span states one; 1 where its span states none.
    pub weight: Option<Vec<f32>>,
}

impl Encoded {
    /// Number of tokens.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether there are no tokens.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}

/// Encodes a trace: for each span its marker and the tokens of its body, and `<|end|>` at the end.
///
/// `failed` and the weight of a span go to all of its tokens, the marker included. A token is the world's own if
/// any of its bytes lies in one of the span's own ranges. The end has the kind and the weight of the last span
/// and is a marker; it is never failed. A trace without spans gives no tokens.
pub fn encode_trace(tokenizer: &Tokenizer, trace: &Trace) -> Encoded {
    let Some(last) = trace.spans.last() else { return Encoded::default() };
    let mut out = Encoded::default();
    let mut weight = trace.spans.iter().any(|s| s.weight.is_some()).then(Vec::new);
    for span in &trace.spans {
        encode_span(tokenizer, span, &mut out);
        if let Some(weight) = &mut weight {
            weight.resize(out.len(), span.weight.unwrap_or(1.0));
        }
    }
    out.tokens.push(tokenizer.end());
    out.spans.push(SpanTag::new(last.kind).with_marker(true));
    if let Some(weight) = &mut weight {
        weight.push(last.weight.unwrap_or(1.0));
    }
    out.weight = weight;
    out
}

/// Encodes each [branch](Trace::branches) of a trace as a document. What an earlier branch has too gets the weight 0.
pub fn encode_branches(tokenizer: &Tokenizer, trace: &Trace) -> Vec<Encoded> {
    if !trace.is_branched() {
        return vec![encode_trace(tokenizer, trace)];
    }
    let branches = trace.branches().map(|mut branch| {
        branch.trace.spans[..branch.shared].iter_mut().for_each(|s| s.weight = Some(0.0));
        encode_trace(tokenizer, &branch.trace)
    });
    branches.collect()
}

fn encode_span(tokenizer: &Tokenizer, span: &Span, out: &mut Encoded) {
    let tag = SpanTag::new(span.kind).with_failed(span.failed);
    out.tokens.push(tokenizer.marker(span.kind));
    out.spans.push(tag.with_marker(true));
    let start = out.tokens.len();
    tokenizer.encode(&span.body, &mut out.tokens);
    out.spans.resize(out.tokens.len(), tag);
    if span.own.is_empty() {
        return;
    }
    let mut at = 0;
    for i in start..out.tokens.len() {
        let end = at + tokenizer.token_bytes(out.tokens[i]).len();
        if span.own.iter().any(|r| r.start < end && at < r.end) {
            out.spans[i] = tag.with_own(true);
        }
        at = end;
    }
}
