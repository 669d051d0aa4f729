//! A bounded part of what `fuzz/` does: the same checks, on inputs that are mutated without knowing which code they reach.
//! `FUZZ_RUNS` sets how many; each target gets so many. `FUZZ_SEED` sets which, so that a later sitting makes others.

mod chance;
#[path = "../../../fuzz/src/lib.rs"]
mod targets;

use chance::Chance;
use groundwork_trace::adapters::{Document, Format, Side};
use groundwork_trace::{Tool, Trace};
use targets::Streamed;

/// The examples of the documentation are the first inputs.
const LANGUAGE: &str = include_str!("../../../docs/trace-language.md");

/// What stands between other bytes in some format, and what breaks readers.
const PIECES: [&str; 24] = [
    "\"", "\\", "{", "}", "[", "]", "(", ")", ":", ",", "\n", "\r\n", "  ", "\0", "\u{202e}", "\\u{",
    "\\ud800", "1e999", "null", "<|", "|>", "</", "---\n", "///",
];

/// `bytes` with one to four changes; pieces of `other` are put in.
fn mutated(chance: &mut Chance, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=chance.below(4) {
        let at = chance.below(bytes.len() + 1);
        let end = (at + chance.below(16)).min(bytes.len());
        match chance.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << chance.below(8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len() + 1);
                bytes.splice(to..to, piece);
            }
            3 => {
                let from = chance.below(other.len());
                let piece = &other[from..(from + chance.below(32)).min(other.len())];
                bytes.splice(at..at, piece.iter().copied());
            }
            4 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, PIECES[chance.below(PIECES.len())].bytes())),
        }
    }
    bytes
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable)
        .map_or(default, |n| n.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn examples() -> Vec<String> {
    let blocks = LANGUAGE.split("```trace").skip(1);
    let text = |b: &str| Some(b.split_once('\n')?.1.split("```").next()?.to_owned());
    blocks.filter_map(text).collect()
}

/// Runs `target` on mutations of `seeds`, which it must hold for too. What fails is told, so that it can be kept.
fn fuzz(target: fn(&[u8]), seeds: &[Vec<u8>]) {
    let mut chance = Chance(number("FUZZ_SEED", 0x5eed));
    assert!(!seeds.is_empty());
    for seed in seeds {
        target(seed);
    }
    for run in 0..number("FUZZ_RUNS", 1500) {
        if run > 0 && run.is_multiple_of(1_000_000) {
            eprintln!("{}: {run} runs", std::thread::current().name().unwrap_or("fuzz"));
        }
        let (seed, other) = (&seeds[chance.below(seeds.len())], &seeds[chance.below(seeds.len())]);
        let input = mutated(&mut chance, seed, other);
        let held = std::panic::catch_unwind(|| target(&input));
        if let (Err(_), Ok(path)) = (&held, std::env::var("FUZZ_KEEP")) {
            std::fs::write(path, &input).unwrap();
        }
        assert!(held.is_ok(), "does not hold for {:?}", String::from_utf8_lossy(&input));
    }
}

fn documents() -> Vec<(usize, String)> {
    let traces = examples().iter().flat_map(|t| Trace::parse_all(t).unwrap_or_default()).collect::<Vec<_>>();
    let each = traces.iter().flat_map(|t| Format::ALL.iter().enumerate().map(|(n, f)| (n, f.write(t).value)));
    each.collect()
}

fn tools() -> Vec<Tool> {
    let traces = examples().iter().flat_map(|t| Trace::parse_all(t).unwrap_or_default()).collect::<Vec<_>>();
    traces.iter().flat_map(|t| Tool::parse_all(&t.spans[0].body).unwrap_or_default()).collect()
}

#[test]
fn language() {
    fuzz(targets::language, &examples().into_iter().map(String::into_bytes).collect::<Vec<_>>());
}

#[test]
fn formats() {
    let seed = |(n, text): (usize, String)| [&[n as u8], text.as_bytes()].concat();
    fuzz(targets::formats, &documents().into_iter().map(seed).collect::<Vec<_>>());
}

#[test]
fn across() {
    let seed = |(i, (n, text)): (usize, (usize, String))| [&[n as u8, i as u8], text.as_bytes()].concat();
    fuzz(targets::across, &documents().into_iter().enumerate().map(seed).collect::<Vec<_>>());
}

/// How a document of a format may lie in a file.
fn files(format: Format, document: &str) -> Vec<String> {
    match format.document() {
        Document::Text => {
            let line = format!("{{\"text\":{}}}", serde_json::json!(document));
            vec![document.to_owned(), format!("{line}\n\n{line}\n")]
        }
        Document::Lines => {
            let messages = serde_json::Deserializer::from_str(document).into_iter::<serde_json::Value>();
            let messages: Vec<String> = messages.map(|m| m.unwrap().to_string()).collect();
            let messages = messages.join(",\n");
            vec![
                document.to_owned(),
                format!("[{messages}]\n[{messages}]"),
                format!("[[{messages}],[{messages}]]"),
            ]
        }
        Document::Json => {
            let value: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
            let (pretty, long) =
                (format!("{value:#}"), format!("\u{feff}[{document},\n{document}]\n[{document}]"));
            vec![format!("{document}\n{document}\n"), long, format!("{pretty}\n{pretty}")]
        }
    }
}

/// Files of every format and of the trace language, each with its number for the target `stream`.
fn all_files() -> Vec<(u8, String)> {
    let own = examples().into_iter().filter(|t| Trace::parse_all(t).is_ok()).map(|text| (0, text));
    let others = documents().into_iter().flat_map(|(n, document)| {
        files(Format::ALL[n], &document).into_iter().map(move |file| (n as u8 + 1, file))
    });
    own.chain(others).collect()
}

#[test]
fn stream() {
    let seed = |(n, file): (u8, String)| [&[n, 6], file.as_bytes()].concat();
    fuzz(targets::stream, &all_files().into_iter().map(seed).collect::<Vec<_>>());
}

/// The shortest files of every kind in pieces of every size, and cut off behind every byte; of the others some.
#[test]
fn every_piece_and_every_cut() {
    let mut chance = Chance(number("FUZZ_SEED", 0x5eed));
    let mut files = all_files();
    files.sort_by_key(|(side, file)| (*side, file.len()));
    let mut short = [0; 256];
    for (n, file) in files {
        let side = match n {
            0 => Side::Trace,
            n => Side::Format(Format::ALL[usize::from(n) - 1]),
        };
        let bytes = file.as_bytes();
        let whole = Streamed::read(side, bytes, bytes.len());
        assert_eq!(whole.mistakes, [], "{file}");
        short[usize::from(n)] += 1;
        let all = short[usize::from(n)] <= 6 && bytes.len() < 3000;
        let some = |chance: &mut Chance| {
            (0..if all { bytes.len() } else { 8 })
                .map(|i| if all { i + 1 } else { 1 + chance.below(bytes.len()) })
                .collect::<Vec<_>>()
        };
        for size in some(&mut chance) {
            assert_eq!(Streamed::read(side, bytes, size), whole, "in pieces of {size}: {file}");
        }
        for cut in some(&mut chance) {
            let bytes = &bytes[..cut - 1];
            let read = Streamed::read(side, bytes, bytes.len());
            read.assert_placed(bytes);
            assert_eq!(Streamed::read(side, bytes, 1 + chance.below(64)), read, "cut at {cut}: {file}");
            // What lies before the document that was cut off is as it was.
            let good = whole.traces.len().min(read.traces.len()).saturating_sub(1);
            assert_eq!(whole.traces[..good], read.traces[..good], "cut at {cut}: {file}");
            assert!(read.mistakes.len() <= 1, "cut at {cut}: {:?}", read.mistakes);
        }
    }
}

#[test]
fn types() {
    let seed = |tool: Tool| [Tool::print_all(&[tool]).as_bytes(), b"\n=\n{a: [1, \"b\"]}"].concat();
    fuzz(targets::types, &tools().into_iter().map(seed).collect::<Vec<_>>());
}

#[test]
fn schemas() {
    let seed = |tool: Tool| tool.to_json_schema().map(|s| s.to_string().into_bytes()).ok();
    fuzz(targets::schemas, &tools().into_iter().filter_map(seed).collect::<Vec<_>>());
}
