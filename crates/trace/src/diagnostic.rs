//! What is wrong with a text, where, and what to do about it.

use std::fmt::{self, Display, Formatter};
use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

/// How bad a [`Diagnostic`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The text means something, but perhaps not what its author meant.
    Warning,
    /// The text cannot be used as it stands.
    Error,
}

/// One thing that is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// A stable name for this sort of mistake (`unclosed`, `unknown-tool`).
    pub code: &'static str,
    /// Whether the text is unusable or only doubtful.
    pub severity: Severity,
    /// What happened, in one line.
    pub message: String,
    /// The bytes of the text that it is about; empty ranges point between two bytes.
    pub range: Range<usize>,
    /// What to do about it.
    pub hint: Option<String>,
}

/// A parser's result; boxed so that the good case stays small.
pub(crate) type Parsed<T> = Result<T, Box<Diagnostic>>;

impl Diagnostic {
    pub(crate) fn error(code: &'static str, message: impl Into<String>, range: Range<usize>) -> Self {
        Diagnostic { code, severity: Severity::Error, message: message.into(), range, hint: None }
    }

    pub(crate) fn warning(code: &'static str, message: impl Into<String>, range: Range<usize>) -> Self {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, message, range) }
    }

    pub(crate) fn hint(self, hint: impl Into<String>) -> Self {
        Diagnostic { hint: Some(hint.into()), ..self }
    }

    pub(crate) fn maybe_hint(self, hint: Option<String>) -> Self {
        match hint {
            Some(hint) => self.hint(hint),
            None => self,
        }
    }

    /// The line and column (both from 1, columns in characters) at which the diagnostic points in `source`.
    pub fn position(&self, source: &str) -> (usize, usize) {
        let at = boundary(source, self.range.start);
        let before = &source[..at];
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        (before.bytes().filter(|&b| b == b'\n').count() + 1, source[line_start..at].chars().count() + 1)
    }

    /// Draws the diagnostic under the lines of `source` that it is about. `name` is the file's name.
    pub fn render(&self, source: &str, name: &str, colour: bool) -> String {
        self.render_from(source, name, 1, colour)
    }

    /// As [`Diagnostic::render`], where `source` begins at line `first` of the file.
    fn render_from(&self, source: &str, name: &str, first: usize, colour: bool) -> String {
        // Only the lines concerned go to the renderer: it reads all it is given, and corpora are large.
        let start = boundary(source, self.range.start);
        let end = boundary(source, self.range.end).max(start);
        let from = source[..start].rfind('\n').map_or(0, |i| i + 1);
        let to = source[end..].find('\n').map_or(source.len(), |i| end + i);
        let line = source[..from].bytes().filter(|&b| b == b'\n').count() + first;
        let level = match self.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let snippet = Snippet::source(&source[from..to])
            .path(name)
            .line_start(line)
            .annotation(AnnotationKind::Primary.span(start - from..end - from));
        let mut group: Group<'_> = level.primary_title(self.message.as_str()).id(self.code).element(snippet);
        if let Some(hint) = &self.hint {
            group = group.element(Level::HELP.message(hint.as_str()));
        }
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        renderer.render(&[group])
    }

    /// Moves the diagnostic by `offset` bytes, for a text that stands inside a larger one.
    pub(crate) fn moved(mut self, offset: usize) -> Self {
        self.range = self.range.start + offset..self.range.end + offset;
        self
    }
}

/// The nearest character boundary of `text` at or before `at`.
pub(crate) fn boundary(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

impl Display for Diagnostic {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " ({hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostic {}

/// Everything that is wrong with a text, in the order of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether one of them makes the text unusable.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|d| d.severity == Severity::Error)
    }

    /// Draws all of them, an empty line between two.
    pub fn render(&self, source: &str, name: &str, colour: bool) -> String {
        self.render_from(source, name, 1, colour)
    }

    /// As [`Diagnostics::render`], where `source` begins at line `first` of the file.
    pub fn render_from(&self, source: &str, name: &str, first: usize, colour: bool) -> String {
        let drawn = self.0.iter().map(|d| d.render_from(source, name, first, colour));
        drawn.collect::<Vec<_>>().join("\n\n")
    }

    pub(crate) fn sorted(mut self) -> Self {
        self.0.sort_by_key(|d| (d.range.start, d.range.end));
        self
    }
}

impl Display for Diagnostics {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (i, d) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            d.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
