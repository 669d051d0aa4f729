//! A text and its positions as editors count them.

use std::ops::Range;

use serde_json::{Value, json};

/// What editors count in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Units {
    Utf8,
    Utf16,
    Utf32,
}

impl Units {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Units::Utf8 => "utf-8",
            Units::Utf16 => "utf-16",
            Units::Utf32 => "utf-32",
        }
    }

    fn of(self, c: char) -> usize {
        match self {
            Units::Utf8 => c.len_utf8(),
            Units::Utf16 => c.len_utf16(),
            Units::Utf32 => 1,
        }
    }
}

/// A file that is open in the editor.
pub(crate) struct Document {
    text: String,
    /// Where each line begins. Editors also end lines at a CR.
    lines: Vec<usize>,
    units: Units,
}

impl Document {
    pub(crate) fn new(text: String, units: Units) -> Document {
        let mut lines = vec![0];
        let bytes = text.as_bytes();
        for (i, b) in bytes.iter().enumerate() {
            if *b == b'\n' || (*b == b'\r' && bytes.get(i + 1) != Some(&b'\n')) {
                lines.push(i + 1);
            }
        }
        Document { text, lines, units }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The byte at a position; what lies behind the end of a line or of the text counts as that end.
    pub(crate) fn offset(&self, position: &Value) -> Option<usize> {
        let line = position["line"].as_u64()? as usize;
        let character = position["character"].as_u64()? as usize;
        let Some(&start) = self.lines.get(line) else { return Some(self.text.len()) };
        let end = self.lines.get(line + 1).copied().unwrap_or(self.text.len());
        let line = self.text[start..end].trim_end_matches(['\n', '\r']);
        let mut counted = 0;
        for (i, c) in line.char_indices() {
            // The middle of a character counts as its beginning.
            if counted + self.units.of(c) > character {
                return Some(start + i);
            }
            counted += self.units.of(c);
        }
        Some(start + line.len())
    }

    pub(crate) fn position(&self, at: usize) -> Value {
        let at = self.text.floor_char_boundary(at);
        let line = self.lines.partition_point(|&start| start <= at) - 1;
        let before = &self.text[self.lines[line]..at];
        let character: usize = before.chars().map(|c| self.units.of(c)).sum();
        json!({"line": line, "character": character})
    }

    pub(crate) fn range(&self, range: &Range<usize>) -> Value {
        json!({"start": self.position(range.start), "end": self.position(range.end.max(range.start))})
    }

    /// The text after one change of the editor's: of a range, or of everything.
    pub(crate) fn changed(&self, change: &Value) -> Option<String> {
        let new = change["text"].as_str()?;
        let Some(range) = change.get("range").filter(|r| !r.is_null()) else { return Some(new.to_owned()) };
        let (start, end) = (self.offset(&range["start"])?, self.offset(&range["end"])?);
        let (start, end) = (start.min(end), start.max(end));
        Some([&self.text[..start], new, &self.text[end..]].concat())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "aä𝄞b\r\n\rc\n";

    fn at(line: u32, character: u32) -> Value {
        json!({"line": line, "character": character})
    }

    #[test]
    fn positions_in_every_unit() {
        for (units, after_clef) in [(Units::Utf8, 7), (Units::Utf16, 4), (Units::Utf32, 3)] {
            let document = Document::new(TEXT.to_owned(), units);
            assert_eq!(document.position(7), at(0, after_clef));
            assert_eq!(document.offset(&at(0, after_clef)), Some(7));
            for (i, _) in TEXT.char_indices().filter(|(_, c)| !matches!(c, '\n' | '\r')) {
                assert_eq!(document.offset(&document.position(i)), Some(i));
            }
        }
    }

    #[test]
    fn positions_that_are_not_there_are_moved_to_the_nearest_before() {
        let document = Document::new(TEXT.to_owned(), Units::Utf16);
        assert_eq!(document.offset(&at(0, 3)), Some(3), "the middle of the clef");
        assert_eq!(document.offset(&at(0, 99)), Some(8), "before the line's end");
        assert_eq!(document.offset(&at(1, 5)), Some(10));
        assert_eq!(document.offset(&at(2, 0)), Some(11));
        assert_eq!(document.offset(&at(99, 0)), Some(TEXT.len()));
        assert_eq!(document.offset(&json!({"line": -1, "character": 0})), None);
    }

    #[test]
    fn changes() {
        let document = Document::new(TEXT.to_owned(), Units::Utf16);
        let change = json!({"range": {"start": at(0, 1), "end": at(0, 4)}, "text": "x"});
        assert_eq!(document.changed(&change).unwrap(), "axb\r\n\rc\n");
        assert_eq!(document.changed(&json!({"text": "y"})).unwrap(), "y");
        assert_eq!(document.changed(&json!({})), None);
    }
}
