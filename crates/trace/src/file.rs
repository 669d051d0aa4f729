//! The reader of whole files: spans, their metadata and the traces that they make up.
//!
//! It reads line by line and never gives up: after a mistake it goes on at the next line that makes sense.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Diagnostics, Parsed};
use crate::layout::{INDENT, SEPARATOR};
use crate::scan::Scanner;
use crate::{Span, SpanKind, Trace, quick, suggest};

/// The version of the language that this reader knows.
const VERSION: &str = "1";
/// The names of all metadata but those of one's own.
const ATTRIBUTES: [&str; 14] = [
    "failed",
    "fault",
    "own",
    "weight",
    "id",
    "after",
    "author",
    "time",
    "tokens",
    "cost",
    "score",
    "call",
    "signature",
    "attach",
];

/// A span with its places in the file.
pub(crate) struct Located {
    pub(crate) span: Span,
    /// Where the keyword stands.
    pub(crate) keyword: Range<usize>,
    /// The place of each attribute, by its name.
    attributes: Vec<(String, Range<usize>)>,
    /// For each line of the body: its offset in the body and in the file.
    lines: Vec<(usize, usize)>,
}

impl Located {
    /// Where the attribute `name` stands; without one, the keyword.
    pub(crate) fn attribute(&self, name: &str) -> Range<usize> {
        let found = self.attributes.iter().find(|(n, _)| n == name);
        found.map_or_else(|| self.keyword.clone(), |(_, place)| place.clone())
    }

    /// The place in the file of a range of the body.
    pub(crate) fn place(&self, range: &Range<usize>) -> Range<usize> {
        let start = self.place_of(range.start);
        start..self.place_of(range.end).max(start)
    }

    fn place_of(&self, at: usize) -> usize {
        let i = self.lines.partition_point(|&(body, _)| body <= at);
        match i.checked_sub(1).and_then(|i| self.lines.get(i)) {
            Some(&(body, file)) => file + (at - body),
            None => self.keyword.end,
        }
    }
}

/// A file as far as it could be read, and everything wrong with its form.
pub(crate) struct Document {
    pub(crate) traces: Vec<Vec<Located>>,
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The separator before the second trace, if there is one.
    second: Option<Range<usize>>,
}

impl Trace {
    /// Reads one trace, in training text or with metadata.
    ///
    /// # Errors
    /// Everything that is wrong with the form of the text, in order.
    pub fn parse(text: &str) -> Result<Trace, Diagnostics> {
        if let Some(mut traces) = quick::traces(text).filter(|t| t.len() < 2) {
            return Ok(traces.pop().unwrap_or_default());
        }
        let mut document = Document::read(text);
        if let Some(at) = document.second.take() {
            document.diagnostics.push(
                Diagnostic::error("several-traces", "a second trace begins here where one is read", at)
                    .hint("split the text at its `---` lines"),
            );
        }
        let traces = document.into_traces()?;
        Ok(traces.into_iter().next().unwrap_or_default())
    }

    /// Reads a file of traces, with a line `---` between two.
    ///
    /// # Errors
    /// Everything that is wrong with the form of the text, in order.
    pub fn parse_all(text: &str) -> Result<Vec<Trace>, Diagnostics> {
        match quick::traces(text) {
            Some(traces) => Ok(traces),
            None => Document::read(text).into_traces(),
        }
    }
}

impl Document {
    pub(crate) fn read(text: &str) -> Document {
        let mut reader = Reader {
            traces: vec![Vec::new()],
            diagnostics: Vec::new(),
            first_separator: 0..0,
            state: State::Outside,
            blanks: Vec::new(),
            stray: false,
            begun: false,
        };
        // Some editors put a byte order mark first; it can be no part of a trace, which begins with a keyword.
        let mut at = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        for line in text[at..].split_inclusive('\n') {
            reader.line(line.strip_suffix('\n').unwrap_or(line), at);
            at += line.len();
        }
        reader.close_braces(None);
        reader.traces.retain(|spans| !spans.is_empty());
        let second = (reader.traces.len() > 1).then_some(reader.first_separator);
        Document { traces: reader.traces, diagnostics: reader.diagnostics, second }
    }

    fn into_traces(self) -> Result<Vec<Trace>, Diagnostics> {
        let diagnostics = Diagnostics(self.diagnostics);
        if diagnostics.has_errors() {
            return Err(diagnostics.sorted());
        }
        let spans = self.traces.into_iter();
        Ok(spans.map(|spans| Trace::new(spans.into_iter().map(|l| l.span).collect())).collect())
    }
}

/// What the line before was part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// No span: the file's beginning, or the end of `tools {…}`.
    Outside,
    /// The last span of the last trace.
    Body,
    /// The same, between the braces of `tools {`.
    Braces,
    /// A span whose kind nobody could guess.
    Unknown,
}

struct Reader {
    traces: Vec<Vec<Located>>,
    diagnostics: Vec<Diagnostic>,
    /// The first separator that ends a trace.
    first_separator: Range<usize>,
    state: State,
    /// Offsets of empty lines that are part of the body if another line of it follows.
    blanks: Vec<usize>,
    /// Whether the line before was reported as belonging nowhere.
    stray: bool,
    /// Whether anything but empty lines was read.
    begun: bool,
}

/// The first line of a span, taken apart.
struct Header<'a> {
    word: &'a str,
    kind: Option<SpanKind>,
    /// Whether what follows the word is what follows a keyword.
    marked: bool,
}

fn header(line: &str) -> Header<'_> {
    let len = line.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(line.len());
    let word = &line[..len];
    let rest = line[len..].trim_start_matches(' ');
    let marked = !word.is_empty() && rest.starts_with([':', '[', '{']);
    Header { word, kind: SpanKind::from_keyword(word), marked }
}

impl Reader {
    fn line(&mut self, line: &str, at: usize) {
        if self.state == State::Braces {
            let head = header(line);
            if line.trim_end() == "}" {
                self.push_line("}", at);
                self.state = State::Outside;
                return;
            }
            if !(line == SEPARATOR || head.kind.is_some() && head.marked) {
                self.push_line(line, at);
                return;
            }
            self.close_braces(Some(head.word));
        }
        if let Some(continued) = line.strip_prefix(INDENT) {
            self.continuation(continued, at + INDENT.len());
        } else if line.trim().is_empty() {
            self.blanks.push(at);
        } else {
            self.blanks.clear();
            if line.trim_end() == SEPARATOR {
                self.separator(at);
            } else if line.starts_with('%') && !self.begun {
                self.version(line, at);
            } else {
                self.opening(line, at);
            }
            self.begun = true;
        }
    }

    fn last(&mut self) -> Option<&mut Located> {
        self.traces.last_mut().and_then(|spans| spans.last_mut())
    }

    fn push_line(&mut self, line: &str, at: usize) {
        if let Some(last) = self.last() {
            last.span.body.push('\n');
            last.lines.push((last.span.body.len(), at));
            last.span.body.push_str(line);
        }
    }

    fn continuation(&mut self, line: &str, at: usize) {
        match self.state {
            State::Body => {
                self.stray = false;
                for blank in std::mem::take(&mut self.blanks) {
                    self.push_line("", blank);
                }
                self.push_line(line, at);
            }
            State::Outside if !line.trim().is_empty() && !self.stray => {
                self.stray = true;
                let shift = line.len() - line.trim_start().len();
                self.diagnostics.push(
                    Diagnostic::error(
                        "stray-line",
                        "this line belongs to no span",
                        at + shift..at + line.trim_end().len(),
                    )
                    .hint("a span begins in the first column with its keyword: `goal: …`"),
                );
            }
            _ => {}
        }
        self.begun = true;
    }

    fn separator(&mut self, at: usize) {
        self.state = State::Outside;
        self.stray = false;
        if self.traces.last().is_some_and(|spans| !spans.is_empty()) {
            if self.traces.len() == 1 {
                self.first_separator = at..at + SEPARATOR.len();
            }
            self.traces.push(Vec::new());
        }
    }

    fn version(&mut self, line: &str, at: usize) {
        let words: Vec<&str> = line[1..].split_whitespace().collect();
        let range = at..at + line.trim_end().len();
        match words.as_slice() {
            ["trace", VERSION] => {}
            ["trace", other] => self.diagnostics.push(
                Diagnostic::error(
                    "version",
                    format!("version `{other}` of the trace language is unknown"),
                    range,
                )
                .hint(format!("this program reads version {VERSION}")),
            ),
            _ => self.diagnostics.push(
                Diagnostic::error("version", "this is no version line", range)
                    .hint(format!("write `%trace {VERSION}`, or leave the line out")),
            ),
        }
    }

    /// A line that begins in the first column: it should open a span.
    fn opening(&mut self, line: &str, at: usize) {
        let head = header(line);
        let word = at..at + head.word.len();
        let kind = match head.kind {
            Some(kind) => kind,
            None if head.marked => {
                self.stray = false;
                let near = suggest::nearest(head.word, SpanKind::ALL.map(SpanKind::keyword));
                let hint = match (near, self.state) {
                    (Some(near), _) => format!("did you mean `{near}`?"),
                    (None, State::Body) => {
                        "indent the line by two spaces if it continues the span".to_owned()
                    }
                    (None, _) => format!("the spans are {}", SpanKind::ALL.map(SpanKind::keyword).join(", ")),
                };
                let message = format!("there is no span `{}`", head.word);
                self.diagnostics.push(Diagnostic::error("unknown-span", message, word.clone()).hint(hint));
                match near.and_then(SpanKind::from_keyword) {
                    Some(kind) => kind,
                    None => {
                        self.state = State::Unknown;
                        return;
                    }
                }
            }
            None => return self.stray_line(line, at),
        };
        self.stray = false;
        let mut span = Span::new(kind, "");
        let mut attributes = Vec::new();
        let mut s = Scanner::new(line);
        s.go_to(head.word.len());
        s.skip_blanks();
        if s.peek() == Some(b'[') {
            attributes = self.attributes(&mut s, &mut span, at);
            s.skip_blanks();
        }
        let from = s.position();
        let rest = &line[from..];
        let (state, body) = if kind == SpanKind::Tools && rest.starts_with('{') {
            if rest.trim_end() == "{" {
                (State::Braces, from..from + 1)
            } else {
                (State::Outside, from..line.len())
            }
        } else if let Some(body) = rest.strip_prefix(':') {
            let space = usize::from(body.starts_with(' '));
            (State::Body, from + 1 + space..line.len())
        } else {
            let after = from.max(head.word.len());
            self.diagnostics.push(
                Diagnostic::error(
                    "missing-colon",
                    format!("expected `:` after `{kind}`"),
                    at + after..at + after,
                )
                .hint(format!("a span is written `{kind}: …`")),
            );
            (State::Body, after..line.len())
        };
        span.body.push_str(&line[body.clone()]);
        self.state = state;
        if let Some(spans) = self.traces.last_mut() {
            spans.push(Located { span, keyword: word, attributes, lines: vec![(0, at + body.start)] });
        }
    }

    fn stray_line(&mut self, line: &str, at: usize) {
        let end = at + line.trim_end().len();
        if self.stray {
            return;
        }
        self.stray = true;
        let kind = match self.state {
            State::Body => self.last().map(|l| l.span.kind),
            _ => None,
        };
        let start = at + line.len() - line.trim_start().len();
        let hint = match kind {
            Some(kind) if line.starts_with([' ', '\t']) => {
                format!("a line that continues `{kind}` is indented by two spaces")
            }
            Some(kind) => format!("indent the line by two spaces if it continues `{kind}`"),
            None => "a span begins in the first column with its keyword: `goal: …`".to_owned(),
        };
        let message = "this line opens no span and continues none";
        self.diagnostics.push(Diagnostic::error("stray-line", message, start..end).hint(hint));
    }

    /// Closes `tools {` at the end of the file or at the keyword of another span.
    fn close_braces(&mut self, next: Option<&str>) {
        if self.state != State::Braces {
            return;
        }
        self.state = State::Outside;
        let Some(open) = self.last().map(|last| last.lines[0].1) else { return };
        let hint = match next {
            Some(word) if !word.is_empty() => {
                format!("close the declarations with a line `}}` before `{word}`")
            }
            _ => "close the declarations with a line `}`".to_owned(),
        };
        self.diagnostics
            .push(Diagnostic::error("unclosed", "`{` is never closed", open..open + 1).hint(hint));
        // Closed for them, so that the declarations can still be read without a second message.
        if let Some(last) = self.last() {
            last.span.body.push_str("\n}");
        }
    }

    /// Reads the metadata between brackets, and says where each stands; `s` reads the line that begins at `at` in the
    /// file.
    fn attributes(&mut self, s: &mut Scanner<'_>, span: &mut Span, at: usize) -> Vec<(String, Range<usize>)> {
        let open = s.position();
        s.eat(b'[');
        let mut seen: Vec<&str> = Vec::new();
        let mut places = Vec::new();
        loop {
            s.skip_blanks();
            if s.eat(b']') {
                return places;
            }
            if s.peek().is_none() || s.peek() == Some(b':') {
                self.diagnostics.push(
                    Diagnostic::error("unclosed", "`[` is never closed", at + open..at + open + 1)
                        .hint("metadata is written `[failed fault=transient]`"),
                );
                return places;
            }
            let from = s.position();
            let name = s.identifier();
            let result = if seen.contains(&name) {
                let message = format!("`{name}` is given twice");
                let d = Diagnostic::error("attribute", message, from..s.position());
                Err(Box::new(d.hint("metadata is given once; take one out")))
            } else {
                attribute(s, name, from, span)
            };
            seen.push(name);
            places.push((name.to_owned(), at + from..at + s.position()));
            if let Err(d) = result {
                self.diagnostics.push(d.moved(at));
                // The next attribute stands after a space.
                s.until_blank_or(b']');
            }
        }
    }
}

pub(crate) fn attribute(s: &mut Scanner<'_>, name: &str, from: usize, span: &mut Span) -> Parsed<()> {
    match name {
        "failed" => span.failed = true,
        "fault" => {
            equals(s, "fault=transient")?;
            span.fault = Some(s.name("the name of a fault")?);
        }
        "own" => {
            equals(s, "own=0..4")?;
            loop {
                let start = offset(s)?;
                if !s.eat_str("..") {
                    return s.expected("`..`");
                }
                let end = offset(s)?;
                span.own.push(start..end);
                if !s.eat(b',') {
                    break;
                }
            }
        }
        "weight" => {
            equals(s, "weight=0.5")?;
            let from = s.position();
            let word = s.until_blank_or(b']');
            let weight = word.parse().map_err(|_| {
                let message = format!("`{word}` is no weight");
                let d = Diagnostic::error("attribute", message, from..from + word.len());
                Box::new(d.hint("a weight is a number of at least 0: `weight=0.5`"))
            })?;
            span.weight = Some(weight);
        }
        "" => {
            return s.expected("metadata or `]`").map_err(|d: Box<Diagnostic>| {
                Box::new(d.hint("metadata is separated by spaces: `[failed weight=0.5]`"))
            });
        }
        _ if name.starts_with("x_") || ATTRIBUTES.contains(&name) => {
            equals(s, &format!("{name}=1"))?;
            span.meta.push((name.to_owned(), s.value()?));
        }
        _ => {
            let message = format!("there is no metadata `{name}`");
            let range = from..s.position();
            return Err(Box::new(
                Diagnostic::error("attribute", message, range).maybe_hint(suggest::hint(name, ATTRIBUTES)),
            ));
        }
    }
    Ok(())
}

fn equals(s: &mut Scanner<'_>, example: &str) -> Parsed<()> {
    if s.eat(b'=') {
        return Ok(());
    }
    s.expected("`=`").map_err(|d: Box<Diagnostic>| Box::new(d.hint(format!("write `{example}`"))))
}

fn offset(s: &mut Scanner<'_>) -> Parsed<usize> {
    let from = s.position();
    let digits = s.digits();
    digits.parse().map_err(|_| {
        let message = if digits.is_empty() { "expected a byte offset" } else { "this offset is too large" };
        Box::new(
            Diagnostic::error("attribute", message, from..from + digits.len())
                .hint("ranges of bytes are written `own=1..9,12..20`"),
        )
    })
}
