//! A trace as a person reads it in a terminal.

use std::ops::Range;

use crate::graph::{Part, parts};
use crate::{Span, SpanKind, Trace};

const RESET: &str = "\x1b[0m";
const UNDERLINE: &str = "\x1b[4m";
const DIM: &str = "\x1b[2m";
/// The width of the column of keywords.
const COLUMN: usize = 13;
/// The width of the line above a branch.
const WIDTH: usize = 100;
/// The characters that count as one line when bodies are folded.
const LONG_LINE: usize = 160;

/// The branches of which all spans are shown when bodies are folded.
const BRANCHES: usize = 8;
/// The characters of a span that name it where a branch leaves it.
const NAMED: usize = 48;

impl Trace {
    /// Draws the trace for a person: one span under the other, with the mistakes and what followed from them
    /// marked (`✗` a failed action, `!` an error, `↻` a reflection). Colour, where asked for, only adds to
    /// that; with it the world's own values are underlined. Characters that would steer the terminal are
    /// shown, not sent.
    ///
    /// What a [branch](Trace::branches) has beyond those before it stands under a line that says where it leaves them.
    pub fn to_terminal(&self, colour: bool) -> String {
        self.drawn(colour, None)
    }

    /// As [`Trace::to_terminal`], with bodies folded after `lines` lines (a line that is very long counts as
    /// several); what is left out is said. A body that is little longer is shown whole. Of many branches, the first
    /// are shown and the others named.
    pub fn to_terminal_folded(&self, colour: bool, lines: usize) -> String {
        self.drawn(colour, Some(lines))
    }

    fn drawn(&self, colour: bool, lines: Option<usize>) -> String {
        let mut out = String::new();
        let (dim, reset) = if colour { (DIM, RESET) } else { ("", "") };
        let parts = parts(self);
        for (n, part) in parts.iter().enumerate() {
            if parts.len() > 1 {
                let title = format!("── branch {} of {}: {} ", n + 1, parts.len(), self.leaving(part));
                out.push_str(&format!(
                    "{dim}{title}{}{reset}\n",
                    "─".repeat(WIDTH.saturating_sub(title.chars().count()))
                ));
            }
            if lines.is_some() && n >= BRANCHES {
                let spans = if part.numbers.len() == 1 { "span" } else { "spans" };
                out.push_str(&format!(
                    "{}{dim}… {} {spans}{reset}\n",
                    " ".repeat(COLUMN + 2),
                    part.numbers.len()
                ));
                continue;
            }
            for (k, &i) in part.numbers.iter().enumerate() {
                let span = &self.spans[i];
                // Where the branch leaves was just said.
                let mut notes = notes(span, k == 0 && parts.len() > 1);
                let left: Vec<String> = left_by(&parts, i).map(|b| (b + 1).to_string()).collect();
                match left.as_slice() {
                    [] => {}
                    [one] => notes.push(format!("branch {one} leaves here")),
                    [_, _, _, _, ..] => notes.push(format!("{} branches leave here", left.len())),
                    few => notes.push(format!("branches {} leave here", few.join(" and "))),
                }
                let shown = lines.map_or(span.body.len(), |lines| fold(&span.body, lines));
                draw(&mut out, span, &notes.join(", "), colour, shown);
            }
        }
        out
    }

    /// Where a part leaves what is before it, in words.
    pub(crate) fn leaving(&self, part: &Part) -> String {
        let Some((i, from)) = part.leaves else { return "from the beginning".to_owned() };
        let span = &self.spans[i];
        let line = span.body.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
        let mut short = String::new();
        show(&mut short, line.get(..line.floor_char_boundary(4 * NAMED)).unwrap_or(line), 0, &[], false, "");
        let named: String = short.chars().take(NAMED).collect();
        let more = if named.len() < span.body.trim_end().len() { " …" } else { "" };
        format!("after {} of branch {}: {named}{more}", span.kind, from + 1)
    }
}

/// The numbers of the parts that leave span number `i`.
pub(crate) fn left_by(parts: &[Part], i: usize) -> impl Iterator<Item = usize> + '_ {
    let leaves = move |part: &Part| part.leaves.is_some_and(|(at, _)| at == i);
    parts.iter().enumerate().filter(move |(_, part)| leaves(part)).map(|(n, _)| n)
}

/// The bytes of `body` that are shown when it is folded after `lines` lines.
pub(crate) fn fold(body: &str, lines: usize) -> usize {
    let (mut line, mut column) = (0, 0);
    for (at, c) in body.char_indices() {
        if c == '\n' || column == LONG_LINE {
            line += 1;
            column = 0;
        }
        column += usize::from(c != '\n');
        if line == lines.max(1) {
            let rest = &body[at..];
            let little = rest.len() <= LONG_LINE && rest.matches('\n').count() <= 1;
            return if little { body.len() } else { at };
        }
    }
    body.len()
}

/// What is left out of a body of which `shown` bytes are shown: `12 more lines`.
pub(crate) fn folded(body: &str, shown: usize) -> String {
    match body[shown..].matches('\n').count() {
        0 => format!("{} more bytes", body.len() - shown),
        1 => "1 more line".to_owned(),
        n => format!("{n} more lines"),
    }
}

fn draw(out: &mut String, span: &Span, notes: &str, colour: bool, shown: usize) {
    let ink = if colour { ink(span) } else { "" };
    let mark = match span.kind {
        SpanKind::Action if span.failed => "✗",
        SpanKind::Error => "!",
        SpanKind::Reflection => "↻",
        _ => " ",
    };
    out.push_str(ink);
    out.push_str(mark);
    out.push(' ');
    out.push_str(&format!("{:<COLUMN$}", span.kind.keyword()));
    let mut at = 0;
    for (i, line) in span.body[..shown].split('\n').enumerate() {
        if i > 0 {
            out.push_str(&" ".repeat(COLUMN + 2));
            out.push_str(ink);
        }
        show(out, line, at, &span.own, colour, ink);
        if i == 0 && !notes.is_empty() {
            out.push_str(if colour { "\x1b[0;2m" } else { "" });
            out.push_str("  ← ");
            let mut note = String::new();
            show(&mut note, notes, 0, &[], false, "");
            out.push_str(&note);
        }
        out.push_str(if colour { RESET } else { "" });
        out.truncate(out.trim_end_matches(' ').len());
        out.push('\n');
        at += line.len() + 1;
    }
    if shown < span.body.len() {
        let (dim, reset) = if colour { (DIM, RESET) } else { ("", "") };
        out.push_str(&format!("{}{dim}… {}{reset}\n", " ".repeat(COLUMN + 2), folded(&span.body, shown)));
    }
}

/// What is known about a span beside its body; `placed` where it was said what it follows.
pub(crate) fn notes(span: &Span, placed: bool) -> Vec<String> {
    let mut notes = Vec::new();
    if span.failed {
        notes.push("failed".to_owned());
    }
    if let Some(fault) = &span.fault {
        notes.push(format!("fault: {fault}"));
    }
    if let Some(weight) = span.weight {
        notes.push(format!("weight {weight}"));
    }
    let meta = span.meta.iter().filter(|(name, _)| !placed || name != "after");
    notes.extend(meta.map(|(name, value)| format!("{name} {value}")));
    notes
}

const fn ink(span: &Span) -> &'static str {
    match span.kind {
        SpanKind::Text | SpanKind::Observation => "",
        SpanKind::Tools | SpanKind::System | SpanKind::Thought => DIM,
        SpanKind::Goal | SpanKind::User => "\x1b[1;36m",
        SpanKind::Plan => "\x1b[34m",
        SpanKind::Action if span.failed => "\x1b[31m",
        SpanKind::Action => "\x1b[32m",
        SpanKind::Error => "\x1b[1;31m",
        SpanKind::Reflection => "\x1b[35m",
        SpanKind::Answer => "\x1b[1;32m",
    }
}

/// Writes a line that begins at byte `at` of its body.
fn show(out: &mut String, line: &str, at: usize, own: &[Range<usize>], colour: bool, ink: &str) {
    let mut underlined = false;
    for (i, c) in line.char_indices() {
        let inside = colour && own.iter().any(|r| r.contains(&(at + i)));
        if inside != underlined {
            out.push_str(if inside { UNDERLINE } else { RESET });
            out.push_str(if inside { "" } else { ink });
            underlined = inside;
        }
        match c {
            '\t' => out.push_str("    "),
            c => match visible(c) {
                Some(shown) => out.push_str(&shown),
                None => out.push(c),
            },
        }
    }
    if underlined {
        out.push_str(RESET);
    }
}

/// What stands for a character that is not seen, or that would change how others are.
pub(crate) fn visible(c: char) -> Option<String> {
    match c {
        '\0'..='\x1f' => Some(char::from_u32(0x2400 + c as u32).unwrap_or('␀').to_string()),
        '\x7f' => Some('␡'.to_string()),
        // Marks that reverse the order of what is shown could hide text.
        c if c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}') => {
            Some(c.escape_unicode().to_string())
        }
        _ => None,
    }
}
