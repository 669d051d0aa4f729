//! Cuts text into words, exactly as the expression in `tokenizer.json` does, without a regular expression.

use std::sync::LazyLock;

use super::unicode::{NUMBER, WORD};

/// The expression that [`Words`] is equal to, as `tokenizer.json` states it.
pub(super) const EXPRESSION: &str = concat!(
    r"[^\r\n\p{L}\p{M}\p{N}]?[\p{L}\p{M}]+",
    r"|\p{N}",
    r"| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*",
    r"|\s*[\r\n]+",
    r"|\s+(?!\S)",
    r"|\s+",
);

/// What the expression tells apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Class {
    /// A letter or a mark.
    Word,
    Number,
    /// White space but for the two below.
    Space,
    /// Carriage return or line feed.
    Newline,
    Other,
}

/// Characters below this are looked up in a table, the others (rare ideographs, a few marks) searched for.
const TABLE: usize = 0x2_0000;

static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let mut table = vec![Class::Other; TABLE];
    for (ranges, class) in [(&WORD[..], Class::Word), (&NUMBER[..], Class::Number)] {
        for range in ranges.chunks_exact(2) {
            let (first, last) = (range[0] as usize, range[1] as usize);
            if first < TABLE {
                table[first..=last.min(TABLE - 1)].fill(class);
            }
        }
    }
    for (code, class) in table.iter_mut().enumerate() {
        if char::from_u32(code as u32).is_some_and(char::is_whitespace) {
            *class = Class::Space;
        }
    }
    table[usize::from(b'\n')] = Class::Newline;
    table[usize::from(b'\r')] = Class::Newline;
    table
});

fn search(code: u32) -> Class {
    // The number of bounds at or below the code is odd inside a range, unless the code is the range's last.
    let within = |ranges: &[u32]| {
        let above = ranges.partition_point(|&bound| bound <= code);
        above % 2 == 1 || (above > 0 && ranges[above - 1] == code)
    };
    if within(&WORD) {
        Class::Word
    } else if within(&NUMBER) {
        Class::Number
    } else {
        Class::Other
    }
}

/// The words of a text, in order and without gaps.
pub(super) struct Words<'a> {
    text: &'a str,
    at: usize,
    classes: &'static [Class],
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Words { text, at: 0, classes: &CLASSES }
    }

    /// Class and length of the character at a byte offset; none at the end.
    #[inline(always)]
    fn class(&self, at: usize) -> Option<(Class, usize)> {
        let byte = *self.text.as_bytes().get(at)?;
        if byte < 0x80 { Some((self.classes[usize::from(byte)], 1)) } else { self.class_beyond_ascii(at) }
    }

    fn class_beyond_ascii(&self, at: usize) -> Option<(Class, usize)> {
        let char = self.text[at..].chars().next()?;
        let code = char as usize;
        let class = if code < TABLE { self.classes[code] } else { search(code as u32) };
        Some((class, char.len_utf8()))
    }

    /// The end of the run of one class that starts at `at`.
    #[inline(always)]
    fn run(&self, class: Class, mut at: usize) -> usize {
        while let Some((found, length)) = self.class(at) {
            if found != class {
                break;
            }
            at += length;
        }
        at
    }

    /// The end of a run of punctuation and the line ends behind it.
    fn punctuation(&self, at: usize) -> usize {
        self.run(Class::Newline, self.run(Class::Other, at))
    }

    /// The end of a match of `\s*[\r\n]+|\s+(?!\S)|\s+`.
    fn blank(&self, start: usize) -> usize {
        let (mut at, mut last, mut line_end) = (start, start, None);
        while let Some((class, length)) = self.class(at) {
            if !matches!(class, Class::Space | Class::Newline) {
                break;
            }
            last = at;
            at += length;
            if class == Class::Newline {
                line_end = Some(at);
            }
        }
        match line_end {
            Some(end) => end,
            // A run before visible text leaves its last character to the word that follows.
            None if at < self.text.len() && last > start => last,
            None => at,
        }
    }

    fn end_of_word(&self, class: Class, start: usize, next: usize) -> usize {
        match class {
            Class::Word => self.run(Class::Word, next),
            Class::Number => next,
            Class::Newline => self.blank(start),
            Class::Space | Class::Other => match self.class(next) {
                Some((Class::Word, length)) => self.run(Class::Word, next + length),
                _ if class == Class::Other => self.punctuation(next),
                Some((Class::Other, length)) if self.text.as_bytes()[start] == b' ' => {
                    self.punctuation(next + length)
                }
                _ => self.blank(start),
            },
        }
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let start = self.at;
        let (class, length) = self.class(start)?;
        self.at = self.end_of_word(class, start, start + length);
        Some(&self.text.as_bytes()[start..self.at])
    }
}

/// Cuts a text into pieces of about `size` bytes whose words are the words of the text.
///
/// A piece ends between an ASCII letter and a space, where a word always ends: only a run of letters and
/// marks can hold the letter, and it cannot hold the space. A text without such a place stays whole.
pub(super) fn pieces(mut text: &str, size: usize) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let bytes = text.as_bytes();
        let cut = bytes.windows(2).skip(size).position(|w| w[0].is_ascii_alphabetic() && w[1] == b' ');
        let (piece, rest) = text.split_at(cut.map_or(text.len(), |n| size + n + 1));
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
    use tokenizers::{
        OffsetReferential, OffsetType, PreTokenizedString, PreTokenizer, SplitDelimiterBehavior,
    };

    use super::{Class, EXPRESSION, Words, pieces, search};
    use crate::tokenizer::unicode::{NUMBER, WORD};

    fn words(text: &str) -> Vec<&str> {
        Words::new(text).map(|w| std::str::from_utf8(w).unwrap()).collect()
    }

    #[test]
    fn words_of_code_and_prose() {
        assert_eq!(words("don't stop"), ["don", "'t", " stop"]);
        assert_eq!(words("O'Driscoll &'static str"), ["O", "'Driscoll", " &'", "static", " str"]);
        assert_eq!(words("read(path=\"/docs\")"), ["read", "(path", "=\"/", "docs", "\")"]);
        assert_eq!(words("a  b\n\n  c 12\t"), ["a", " ", " b", "\n\n", " ", " c", " ", "1", "2", "\t"]);
        assert_eq!(words("};\r\n\tx"), ["};\r\n", "\tx"]);
        assert_eq!(words("e\u{301}té \u{1f600}!"), ["e\u{301}té", " \u{1f600}!"]);
    }

    /// The words that the `tokenizers` crate finds by the expression.
    fn words_by_expression(text: &str) -> Vec<String> {
        static SPLIT: LazyLock<Split> = LazyLock::new(|| {
            Split::new(SplitPattern::Regex(EXPRESSION.to_owned()), SplitDelimiterBehavior::Isolated, false)
                .unwrap()
        });
        let mut cut = PreTokenizedString::from(text);
        SPLIT.pre_tokenize(&mut cut).unwrap();
        let found = cut.get_splits(OffsetReferential::Original, OffsetType::Byte);
        found.into_iter().map(|(word, ..)| word.to_owned()).collect()
    }

    #[test]
    fn every_character_is_of_the_expressions_class() {
        // Planes 4 to 13 and the private ones are empty but for a few marks: there, some characters must do.
        let dense = ('\0'..'\u{40000}').chain('\u{e0000}'..'\u{e1000}');
        let all: Vec<char> = dense.chain(('\u{40000}'..=char::MAX).step_by(101)).collect();
        for some in all.chunks(4096) {
            let text: String =
                some.iter().flat_map(|&c| ['a', c, 'a', '.', c, c, '1', ' ', c, '.']).collect();
            if words(&text) != words_by_expression(&text) {
                let wrong = some.iter().find(|&&c| {
                    let text = format!("a{c}a.{c}{c}1 {c}.");
                    words(&text) != words_by_expression(&text)
                });
                panic!(
                    "differs in U+{:04X} to U+{:04X}, at {wrong:?}",
                    some[0] as u32,
                    some[some.len() - 1] as u32
                );
            }
        }
    }

    /// Text in which the classes meet in every way.
    fn tangled() -> impl Strategy<Value = String> {
        let pieces = prop::sample::select(vec![
            " ",
            "  ",
            "\t",
            "\n",
            "\r",
            "\r\n",
            "\n\n",
            "\u{a0}",
            "\u{2003}",
            "\u{2028}",
            "\u{85}",
            "\u{b}",
            "a",
            "Z",
            "the",
            "é",
            "e\u{301}",
            "\u{301}",
            "ß",
            "\u{17f}",
            "日本",
            "ع",
            "\u{940}",
            "𠀀",
            "\u{e0100}",
            "0",
            "12",
            "٣",
            "½",
            "Ⅷ",
            "'",
            "'s",
            "'T",
            "\"",
            ".",
            "...",
            "-",
            "=",
            "(",
            "😀",
            "👩\u{200d}👩",
            "\u{fe0f}",
            "\u{200b}",
            "\u{feff}",
            "\u{0}",
            "\u{378}",
            "<|action|>",
            "<|end|>",
        ]);
        prop_oneof![prop::collection::vec(pieces, 0..40).prop_map(|p| p.concat()), any::<String>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn words_are_those_of_the_expression(text in tangled()) {
            prop_assert_eq!(words(&text), words_by_expression(&text));
        }
    }

    #[test]
    fn search_knows_the_ends_of_ranges() {
        for (ranges, class) in [(&WORD[..], Class::Word), (&NUMBER[..], Class::Number)] {
            for range in ranges.chunks_exact(2) {
                assert_eq!((search(range[0]), search(range[1])), (class, class));
            }
        }
        assert_eq!(search(0xE_01F0), Class::Other);
        assert_eq!(search(0x10_FFFF), Class::Other);
    }

    #[test]
    fn pieces_have_the_words_of_the_whole() {
        let text = "fn main() {\n    let  x = 12;  // naïve é  words\n}\n".repeat(50);
        for size in [0, 1, 7, 100, 10_000] {
            let cut: Vec<&str> = pieces(&text, size).flat_map(words).collect();
            assert_eq!(cut, words(&text), "pieces of {size} bytes");
        }
        assert!(pieces(&text, 100).count() > 10);
        assert_eq!(pieces("", 10).count(), 0);
    }
}
