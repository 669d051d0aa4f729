//! A packed row as a person can read it.

use std::fmt::Write;

use groundwork_trace::SpanKind;

use crate::shard::Row;
use crate::{CorpusError, Shards, Tokenizer};

/// Draws row `i`: its documents, their spans by kind, and for every token what is known of it.
///
/// `‹…›` encloses the world's own tokens, `failed` stands behind the kind of a failed action, `×0.5` before tokens whose
/// weight is not that of the one before (at first 1). In the text, these three signs and control characters stand as
/// escapes (`\u{d7}`). With `colour` (ANSI escapes) each kind has its colour and tokens of weight 0 are dim; nothing is said
/// by colour alone.
///
/// # Errors
/// [`CorpusError::NoRow`], or [`CorpusError::TokenizerMismatch`] if `tokenizer` is not the corpus's.
pub fn show_row(
    shards: &Shards,
    tokenizer: &Tokenizer,
    i: usize,
    colour: bool,
) -> Result<String, CorpusError> {
    shards.check_tokenizer(tokenizer)?;
    let row = shards.row(i)?;
    let sources = shards.sources(i)?;
    let padding = row.documents.iter().filter(|d| **d == 0).count();
    let mut out =
        format!("row {i} of {}: {} documents, {padding} positions of padding\n", shards.len(), sources.len());
    for (n, source) in sources.iter().enumerate() {
        let document = n as u32 + 1;
        let start = row.documents.iter().position(|d| *d == document).unwrap_or(0);
        let end = row.documents.iter().rposition(|d| *d == document).map_or(start, |e| e + 1);
        let name = shards.manifest().sources.get(usize::from(*source)).map_or("?", |s| &s.name);
        let _ = write!(out, "\ndocument {document}, from {name}, {} tokens\n", end - start);
        draw(&row, start, end, tokenizer, colour, &mut out);
    }
    Ok(out)
}

/// Draws one document: a line a span, or more where its text has several lines.
fn draw(row: &Row, start: usize, end: usize, tokenizer: &Tokenizer, colour: bool, out: &mut String) {
    let mut at = start;
    while at < end {
        let stop = (at + 1..end).find(|&i| row.spans[i].marker()).unwrap_or(end);
        if row.tokens[at] != tokenizer.end() {
            draw_span(row, at, stop, tokenizer, colour, out);
        }
        at = stop;
    }
}

fn draw_span(row: &Row, start: usize, end: usize, tokenizer: &Tokenizer, colour: bool, out: &mut String) {
    let tag = row.spans[start];
    let kind = tag.kind();
    let name = kind.map_or("?", SpanKind::keyword);
    // A text that goes on from another row has no marker.
    let (first, head) =
        if tag.marker() { (start + 1, format!("{name}:")) } else { (start, format!("{name} (continued):")) };
    let failed = if row.spans[start..end].iter().any(|t| t.failed()) { " [failed]" } else { "" };
    let painted = |text: &str, codes: &str| {
        if colour && !codes.is_empty() { format!("\x1b[{codes}m{text}\x1b[0m") } else { text.to_owned() }
    };
    let _ = write!(out, "  {}{failed} ", painted(&head, &format!("1;{}", paint(kind))));
    let mut at = first;
    let mut weight = 1.0;
    while at < end {
        let look = |i: usize| (row.spans[i].own(), row.weight.as_ref().map_or(1.0, |w| w[i]));
        let stop = (at + 1..end).find(|&i| look(i) != look(at)).unwrap_or(end);
        let (own, w) = look(at);
        if w != weight {
            let _ = write!(out, "×{w} ");
            weight = w;
        }
        let bytes = tokenizer.decode(&row.tokens[at..stop]);
        let text = escaped(&String::from_utf8_lossy(&bytes));
        let text = if own { format!("‹{text}›") } else { text };
        let codes = [paint(kind), if own { ";4" } else { "" }, if w == 0.0 { ";2" } else { "" }].concat();
        out.push_str(&painted(&text, &codes));
        at = stop;
    }
    out.push('\n');
}

/// Text in which nothing looks like a sign of the drawing, nor steers the terminal.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\n    "),
            '‹' | '›' | '×' => out.extend(c.escape_unicode()),
            c if c.is_control() && c != '\t' => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// The ANSI colour of a kind: what the agent writes is bright, what it meets is not.
fn paint(kind: Option<SpanKind>) -> &'static str {
    match kind {
        None => "31",
        Some(SpanKind::Text) => "39",
        Some(SpanKind::Tools | SpanKind::System) => "90",
        Some(SpanKind::Goal | SpanKind::User) => "37",
        Some(SpanKind::Plan) => "94",
        Some(SpanKind::Thought) => "96",
        Some(SpanKind::Action) => "92",
        Some(SpanKind::Observation) => "33",
        Some(SpanKind::Error) => "31",
        Some(SpanKind::Reflection) => "95",
        Some(SpanKind::Answer) => "93",
    }
}
