//! The special tokens and their ids.

use groundwork_trace::SpanKind;

/// `<|pad|>`.
pub(super) const PAD: u32 = 0;
/// `<|end|>`.
pub(super) const END: u32 = 1;
const FIRST_MARKER: u32 = 2;
/// `<|hole|>`.
pub(super) const HOLE: u32 = FIRST_MARKER + SpanKind::ALL.len() as u32;
/// `<|fill|>`.
pub(super) const FILL: u32 = HOLE + 1;
/// Number of special tokens.
pub(super) const COUNT: usize = FILL as usize + 1;

/// The special tokens as they are written, in the order of their ids.
pub(super) fn texts() -> impl Iterator<Item = &'static str> {
    let markers = SpanKind::ALL.into_iter().map(SpanKind::marker);
    ["<|pad|>", "<|end|>"].into_iter().chain(markers).chain(["<|hole|>", "<|fill|>"])
}

/// The token that opens a span of this kind.
pub(super) fn marker(kind: SpanKind) -> u32 {
    FIRST_MARKER + kind as u32
}

/// The kind of the span that this token opens.
pub(super) fn marker_kind(id: u32) -> Option<SpanKind> {
    let code = id.checked_sub(FIRST_MARKER)?;
    SpanKind::ALL.get(code as usize).copied()
}

/// The token of a single byte.
pub(super) const fn byte(byte: u8) -> u32 {
    COUNT as u32 + byte as u32
}
