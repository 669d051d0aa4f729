//! Documents that were damaged, cut off at every byte, or come in pieces: a bounded part of what `fuzz/` does.

use std::io::{BufReader, Read};

use groundwork_trace::Trace;
use groundwork_trace::adapters::{Format, Side, convert};

use crate::chance::Chance;
use crate::families::CONVERSATIONS;

/// A trace with something of everything.
const TRACE: &str = "tools {\n  /// Pays.\n  pay(to: str, cents?: int(min=0)) -> any\n}\nsystem: Be brief.\ngoal: Pay.\n\
    thought: Two.\nplan: I pay.\naction: pay(to=\"Ann\", cents=5)\naction [failed]: pay(to=\"B\\\"ö\\n\")\nobservation: {ok: true}\n\
    error: no\nanswer: Done.\nuser: And?\nanswer: No.\n";

fn documents() -> Vec<(Format, String)> {
    let trace = Trace::parse(TRACE).unwrap();
    Format::ALL.map(|f| (f, f.write(&trace).value)).to_vec()
}

/// Reads, and writes and reads again what could be read.
fn holds(format: Format, text: &str) {
    match format.read(text) {
        Err(e) => assert!(!e.message.is_empty() && !e.hint.is_empty(), "{e}"),
        Ok(read) => {
            for trace in &read.value {
                let written = format.write(trace).value;
                assert!(format.read(&written).is_ok(), "{}\n{text}\n{written}", format.name());
            }
        }
    }
}

#[test]
fn damaged_documents() {
    let mut chance = Chance(0x5eed);
    let mut documents = documents();
    documents.extend(CONVERSATIONS.iter().map(|&(format, text, ..)| (format, text.to_owned())));
    for (format, text) in &documents {
        let other = &documents[chance.below(documents.len())].1;
        for _ in 0..150 {
            let mut bytes = text.clone().into_bytes();
            for _ in 0..=chance.below(3) {
                let (at, length) = (chance.below(bytes.len()), chance.below(12));
                let end = (at + length).min(bytes.len());
                match chance.below(5) {
                    0 => bytes[at] ^= 1 << chance.below(8),
                    1 => drop(bytes.drain(at..end)),
                    2 => {
                        let piece = bytes[at..end].to_vec();
                        let to = chance.below(bytes.len());
                        bytes.splice(to..to, piece);
                    }
                    3 => {
                        let from = chance.below(other.len());
                        let piece = other.as_bytes()[from..(from + length).min(other.len())].to_vec();
                        bytes.splice(at..at, piece);
                    }
                    _ => bytes.insert(at, b"\"\\{}[]<>|\0\r\n,:"[chance.below(14)]),
                }
            }
            holds(*format, &String::from_utf8_lossy(&bytes));
        }
    }
}

#[test]
fn cut_off_at_every_byte() {
    let others = CONVERSATIONS.iter().map(|&(format, text, ..)| (format, text.to_owned()));
    for (format, text) in documents().into_iter().chain(others) {
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            holds(format, &text[..at]);
        }
    }
}

/// Gives at most so many bytes at a time.
struct Pieces<'a>(&'a [u8], usize);

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.0.len().min(self.1).min(buffer.len());
        buffer[..n].copy_from_slice(&self.0[..n]);
        self.0 = &self.0[n..];
        Ok(n)
    }
}

#[test]
fn in_pieces_of_every_size() {
    for format in Format::ALL {
        let mut two = Vec::new();
        let traces = format!("{TRACE}---\n{TRACE}");
        convert(Side::Trace, Side::Format(format), traces.as_bytes(), &mut two).unwrap();
        let mut whole = Vec::new();
        convert(Side::Format(format), Side::Trace, two.as_slice(), &mut whole).unwrap();
        for size in (1..40).chain([two.len() / 2, two.len()]) {
            let mut out = Vec::new();
            let input = BufReader::with_capacity(size, Pieces(&two, size));
            convert(Side::Format(format), Side::Trace, input, &mut out).unwrap();
            assert!(out == whole, "{} in pieces of {size}", format.name());
        }
    }
}

/// Text that hides, turns around or ends other text is kept to the letter.
#[test]
fn hostile_text_is_kept() {
    let texts = [
        "\u{202e}txt.exe",
        "\u{2066}a\u{2069}",
        "a\0b",
        "a\r\nb\r",
        "\u{feff}a",
        "\u{85}\u{2028}",
        "e\u{301}",
        "\u{10ffff}",
    ];
    for text in texts {
        let call = groundwork_trace::Call::new("pay", [("to", groundwork_trace::Value::str(text))]);
        let trace = Trace::new(vec![
            groundwork_trace::Span::new(groundwork_trace::SpanKind::Goal, text),
            groundwork_trace::Span::action(&call),
            groundwork_trace::Span::observation(&groundwork_trace::Value::str(text)),
        ]);
        assert_eq!(Trace::parse(&trace.to_annotated()).unwrap(), trace);
        for format in Format::ALL {
            let written = format.write(&trace);
            let back = format.read(&written.value).unwrap().value.remove(0);
            let lost = |i: usize| {
                written.losses.iter().any(|l| l.place == groundwork_trace::adapters::Place::Span(i))
            };
            for (i, span) in trace.spans.iter().enumerate().filter(|(i, _)| !lost(*i)) {
                assert!(back.spans.contains(span), "{} {i} {text:?}", format.name());
            }
        }
    }
}
