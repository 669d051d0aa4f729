//! The words of the grammar, each as a small automaton over bytes. They are the canonical spellings of
//! `docs/trace-language.md`.

use std::sync::OnceLock;

use groundwork_trace::Value;

/// A word whose spellings are too many to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Lexeme {
    /// A number without fraction and exponent.
    Int,
    /// Any number.
    Float,
    /// A string.
    Str,
    /// The name of a field that is written without quotes.
    Name,
    /// The name of a field that must be quoted: a string that spells no identifier.
    Quoted,
}

/// Where an automaton is after a byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The state, from which it may go on where `open`.
    pub(crate) state: u8,
    /// Whether another byte can follow within the word.
    pub(crate) open: bool,
    /// Whether the word may end here.
    pub(crate) done: bool,
}

const fn step(state: u8, open: bool, done: bool) -> Option<Step> {
    Some(Step { state, open, done })
}

impl Lexeme {
    /// The step from `state` (0 at the beginning) by `byte`, if there is one.
    pub(crate) fn step(self, state: u8, byte: u8) -> Option<Step> {
        match self {
            Lexeme::Int => number(state, byte, false),
            Lexeme::Float => number(state, byte, true),
            Lexeme::Name => match (state, byte) {
                (_, b'a'..=b'z' | b'A'..=b'Z' | b'_') | (1, b'0'..=b'9') => step(1, true, true),
                _ => None,
            },
            Lexeme::Str => text(state, byte),
            Lexeme::Quoted => quoted(state, byte),
        }
    }
}

/// The step of a string.
pub(crate) fn text(state: u8, byte: u8) -> Option<Step> {
    let next = string(state, byte)?;
    step(next, next != CLOSED, next == CLOSED)
}

/// Whether a string in this state stands between two of its characters.
pub(crate) fn begins_character(state: u8) -> bool {
    state == INSIDE
}

fn number(state: u8, byte: u8, fraction: bool) -> Option<Step> {
    match (state, byte) {
        (0, b'-') => step(1, true, false),
        (0 | 1, b'0') => step(2, fraction, true),
        (0 | 1, b'1'..=b'9') | (3, b'0'..=b'9') => step(3, true, true),
        (2 | 3, b'.') if fraction => step(4, true, false),
        (4 | 5, b'0'..=b'9') => step(5, true, true),
        (2 | 3 | 5, b'e' | b'E') if fraction => step(6, true, false),
        (6, b'+' | b'-') => step(7, true, false),
        (6..=8, b'0'..=b'9') => step(8, true, true),
        _ => None,
    }
}

/// The state of a string between two of its characters.
pub(crate) const INSIDE: u8 = 1;
const CLOSED: u8 = 18;

/// A character of a string that is written with a backslash.
pub(crate) struct Escape {
    /// What follows the backslash.
    pub(crate) spelt: Box<[u8]>,
    pub(crate) character: char,
    pub(crate) utf8: Box<[u8]>,
}

/// All of them.
pub(crate) fn escapes() -> &'static [Escape] {
    static MADE: OnceLock<Vec<Escape>> = OnceLock::new();
    MADE.get_or_init(|| {
        let escaped = ('\0'..'\u{a0}').filter(|c| c.is_control() || matches!(c, '"' | '\\'));
        let escape = |c: char| {
            let printed = Value::str(c).to_string();
            let spelt = printed.as_bytes()[2..printed.len() - 1].into();
            Escape { spelt, character: c, utf8: c.to_string().as_bytes().into() }
        };
        escaped.map(escape).collect()
    })
}

/// A string between quotes: UTF-8, with `"`, `\` and control characters (U+0000 to U+001F, U+007F to U+009F) escaped,
/// the latter as `\n`, `\t`, `\r` or `\u{…}` without leading zeros.
fn string(state: u8, byte: u8) -> Option<u8> {
    Some(match (state, byte) {
        (0, b'"') => INSIDE,
        (INSIDE, b'"') => CLOSED,
        (INSIDE, b'\\') => 2,
        (INSIDE, 0x20..=0x7e) => INSIDE,
        // UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF; 0xC2 begins the C1 controls too.
        (INSIDE, 0xc2) => 11,
        (INSIDE, 0xc3..=0xdf) => 10,
        (INSIDE, 0xe0) => 13,
        (INSIDE, 0xed) => 14,
        (INSIDE, 0xe1..=0xef) => 12,
        (INSIDE, 0xf0) => 16,
        (INSIDE, 0xf1..=0xf3) => 15,
        (INSIDE, 0xf4) => 17,
        (10, 0x80..=0xbf) | (11, 0xa0..=0xbf) => INSIDE,
        (12, 0x80..=0xbf) | (13, 0xa0..=0xbf) | (14, 0x80..=0x9f) => 10,
        (15, 0x80..=0xbf) | (16, 0x90..=0xbf) | (17, 0x80..=0x8f) => 12,
        // Escapes.
        (2, b'"' | b'\\' | b'n' | b't' | b'r') => INSIDE,
        (2, b'u') => 3,
        (3, b'{') => 4,
        (4, b'0' | b'2'..=b'6' | b'b' | b'c' | b'e' | b'f') => 5,
        (4, b'1' | b'8') => 6,
        (4, b'7') => 7,
        (4, b'9') => 8,
        (6 | 8, b'0'..=b'9' | b'a'..=b'f') | (7, b'f') => 9,
        (5..=7 | 9, b'}') => INSIDE,
        _ => return None,
    })
}

/// The two highest bits of the state say what the characters so far spell: nothing, an identifier, or something else.
const IDENTIFIER: u8 = 1 << 6;
const OTHER: u8 = 2 << 6;

fn quoted(state: u8, byte: u8) -> Option<Step> {
    let (spelt, inner) = (state & (IDENTIFIER | OTHER), state & !(IDENTIFIER | OTHER));
    let next = string(inner, byte)?;
    if next == CLOSED {
        return if spelt == IDENTIFIER { None } else { step(CLOSED, false, true) };
    }
    let spelt = match (inner, byte, spelt) {
        (0, ..) => 0,
        (INSIDE, b'a'..=b'z' | b'A'..=b'Z' | b'_', 0 | IDENTIFIER) | (INSIDE, b'0'..=b'9', IDENTIFIER) => {
            IDENTIFIER
        }
        _ => OTHER,
    };
    step(next | spelt, true, false)
}

#[cfg(test)]
mod tests {
    use groundwork_trace::Number;

    use super::*;

    fn spells(lexeme: Lexeme, text: &[u8]) -> bool {
        let mut at = Step { state: 0, open: true, done: false };
        for byte in text {
            match lexeme.step(at.state, *byte).filter(|_| at.open) {
                Some(next) => at = next,
                None => return false,
            }
        }
        at.done
    }

    #[test]
    fn numbers() {
        for text in ["0", "-0", "12", "-120", "0.5", "1.0", "1e3", "-1.25E-07", "0e0", "9e+1"] {
            assert!(spells(Lexeme::Float, text.as_bytes()) && Number::parse(text).is_some(), "{text}");
            assert_eq!(spells(Lexeme::Int, text.as_bytes()), !text.contains(['.', 'e', 'E']), "{text}");
        }
        for text in ["", "-", "01", "00", "1.", ".5", "1e", "1e+", "+1", "1.e1", "0x1"] {
            assert!(
                !spells(Lexeme::Float, text.as_bytes()) && !spells(Lexeme::Int, text.as_bytes()),
                "{text}"
            );
        }
    }

    #[test]
    fn every_character_is_spelt_in_one_way() {
        for c in '\0'..=char::MAX {
            let printed = Value::str(c).to_string();
            assert!(spells(Lexeme::Str, printed.as_bytes()), "{printed}");
            let raw = format!("\"{c}\"");
            assert_eq!(spells(Lexeme::Str, raw.as_bytes()), raw == printed, "{c:?}");
            if c.is_control() {
                for escape in [format!("\"\\u{{{:x}}}\"", c as u32), format!("\"\\u{{{:X}}}\"", c as u32)] {
                    assert_eq!(spells(Lexeme::Str, escape.as_bytes()), escape == printed, "{escape}");
                }
            }
        }
        for wrong in [
            &b"\"\\x\""[..],
            b"\"\\u{41}\"",
            b"\"\\u{}\"",
            b"\"\\u{01}\"",
            b"\"\xff\"",
            b"\"\xc3\"",
            b"\"\xed\xa0\x80\"",
            b"\"",
            b"a",
        ] {
            assert!(!spells(Lexeme::Str, wrong), "{wrong:?}");
        }
    }

    #[test]
    fn names_are_quoted_where_they_must() {
        for name in ["", "a", "_1", "a b", "1a", "größe", "a\"", "a\n", "A9", "ä", "-"] {
            let printed = groundwork_trace::Call { tool: name.into(), args: Vec::new() }.to_string();
            let printed = printed.strip_suffix("()").unwrap().as_bytes();
            assert_eq!(spells(Lexeme::Quoted, printed), printed.starts_with(b"\""), "{name}");
            assert_eq!(spells(Lexeme::Name, printed), !printed.starts_with(b"\""), "{name}");
        }
        assert!(!spells(Lexeme::Quoted, b"\"abc\"") && !spells(Lexeme::Name, b"1"));
    }
}
