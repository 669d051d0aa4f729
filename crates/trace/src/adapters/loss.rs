//! What a conversion lost, and where; and why a text could not be read.

use std::fmt::{self, Display, Formatter};

/// A sort of loss. The catalogue is closed: `docs/trace-formats.md` has a table of it for every format, and a
/// test compares the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LossKind {
    /// Tools: a set that is only named, a result type, an error type, or a part of a schema.
    Tools,
    /// A span that the format has no place for.
    Dropped,
    /// A span that comes back as another kind.
    Kind,
    /// Calls made in parallel that come back one after the other.
    Parallel,
    /// Whether an attempt failed, where that does not follow from its result.
    Failed,
    /// The name of an injected fault.
    Fault,
    /// Which bytes are the world's own.
    Own,
    /// The training weight.
    Weight,
    /// The spelling of a call or value; the value is the same.
    Spelling,
    /// The order of fields or results.
    Order,
    /// The type of a value: text that looks like a number or a constant comes back as one.
    Type,
    /// Text that spells a marker of the format. When a trace is written it is broken up by a zero-width space or an
    /// escape; when a document is read it was left where it stands.
    Marker,
    /// The text of a span in another way: white space at its ends, or an empty text.
    Text,
    /// Identifiers of calls; they become positions.
    Ids,
    /// What a source says beside the episode: models, times, names, signatures, usage.
    Metadata,
    /// Images, sound and files.
    Attachment,
    /// The layout of the source: it is written back otherwise.
    Layout,
}

impl LossKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [LossKind; 17] = [
        LossKind::Tools,
        LossKind::Dropped,
        LossKind::Kind,
        LossKind::Parallel,
        LossKind::Failed,
        LossKind::Fault,
        LossKind::Own,
        LossKind::Weight,
        LossKind::Spelling,
        LossKind::Order,
        LossKind::Type,
        LossKind::Marker,
        LossKind::Text,
        LossKind::Ids,
        LossKind::Metadata,
        LossKind::Attachment,
        LossKind::Layout,
    ];

    /// Its name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            LossKind::Tools => "tools",
            LossKind::Dropped => "dropped",
            LossKind::Kind => "kind",
            LossKind::Parallel => "parallel",
            LossKind::Failed => "failed",
            LossKind::Fault => "fault",
            LossKind::Own => "own",
            LossKind::Weight => "weight",
            LossKind::Spelling => "spelling",
            LossKind::Order => "order",
            LossKind::Type => "type",
            LossKind::Marker => "marker",
            LossKind::Text => "text",
            LossKind::Ids => "ids",
            LossKind::Metadata => "metadata",
            LossKind::Attachment => "attachment",
            LossKind::Layout => "layout",
        }
    }
}

impl Display for LossKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Where in a document or trace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// A span of the trace, counted from 0.
    Span(usize),
    /// A place in a JSON document, as a JSON pointer; empty for the whole document.
    Pointer(String),
    /// A line and a column of a text, both from 1, columns in characters.
    Line(usize, usize),
}

impl Place {
    /// The line and column of byte `at` of `text`.
    pub(crate) fn of(text: &str, at: usize) -> Place {
        let at = text.floor_char_boundary(at.min(text.len()));
        let before = &text[..at];
        let start = before.rfind('\n').map_or(0, |i| i + 1);
        let line = before.bytes().filter(|&b| b == b'\n').count() + 1;
        Place::Line(line, before[start..].chars().count() + 1)
    }
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Place::Span(i) => write!(f, "span {i}"),
            Place::Pointer(p) if p.is_empty() => f.write_str("the whole document"),
            Place::Pointer(p) => write!(f, "`{p}`"),
            Place::Line(line, column) => write!(f, "line {line}, column {column}"),
        }
    }
}

/// One thing that the other side cannot hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What sort of thing.
    pub kind: LossKind,
    /// Where: a span when a trace is written, a place in the document when one is read.
    pub place: Place,
    /// What, in a few words.
    pub what: String,
}

impl Display for Loss {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.kind, self.place, self.what)
    }
}

/// What was converted, and what was lost on the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted<T> {
    /// The result.
    pub value: T,
    /// The loss report: empty where the result says all that was said.
    pub losses: Vec<Loss>,
}

/// Why a document could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at {place} ({hint})")]
pub struct FormatError {
    /// Where.
    pub place: Place,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl FormatError {
    pub(crate) fn new(place: Place, message: impl Into<String>, hint: impl Into<String>) -> Box<Self> {
        Box::new(FormatError { place, message: message.into(), hint: hint.into() })
    }
}

/// The result of reading; boxed so that the good case stays small.
pub(crate) type Read<T> = Result<T, Box<FormatError>>;
