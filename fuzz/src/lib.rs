//! What must hold for any input: nothing panics, nothing hangs, and what was written is read back.
//!
//! The fuzz targets hand these functions the bytes of libFuzzer; `crates/trace/tests/fuzz.rs` runs them for a bounded
//! number of mutations in every build.

use std::io::{self, BufRead, Read};
use std::str;

use groundwork_trace::adapters::{ConvertError, DocumentPlace, Format, Place, Side, each_text, read_each};
use groundwork_trace::{Attempt, Tool, Trace, Value, check};

/// Files of traces: whatever the text, reading ends, and what could be read is printed so that it is read again.
pub fn language(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let found = check(text, |_| Err(String::new()));
    for d in &found.0 {
        assert!(d.range.end <= text.len());
        d.render(text, "fuzz", false);
    }
    match Trace::parse_all(text) {
        Ok(traces) => {
            let printed = Trace::print_all(&traces);
            let again = Trace::parse_all(&printed).expect("what was printed is read");
            assert_eq!(Trace::print_all(&again), printed);
            assert!(traces.iter().all(|t| t.branches().count() > 0 || t.spans.is_empty()));
        }
        Err(_) => assert!(found.has_errors()),
    }
    Attempt::parse(text, &[]);
}

/// Every format, of which the first byte chooses one: what is read is written, and that is read again.
pub fn formats(bytes: &[u8]) {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(bytes) else { return };
    let format = Format::ALL[usize::from(choice) % Format::ALL.len()];
    match format.read(text) {
        Ok(read) => {
            for trace in &read.value {
                format.read(&format.write(trace).value).expect("what was written is read");
            }
        }
        Err(e) => assert!(!e.message.is_empty() && !e.hint.is_empty()),
    }
}

/// From each format to another, which the first two bytes choose: it is written, and read.
pub fn across(bytes: &[u8]) {
    let [from, to, bytes @ ..] = bytes else { return };
    let Ok(text) = str::from_utf8(bytes) else { return };
    let format = |choice: u8| Format::ALL[usize::from(choice) % Format::ALL.len()];
    let Ok(read) = format(*from).read(text) else { return };
    for trace in &read.value {
        format(*to).read(&format(*to).write(trace).value).expect("what was written is read");
    }
}

/// Declarations, and a value behind the last line `=`: comparing ends, and what was declared comes back from JSON Schema.
pub fn types(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    let (declared, value) = text.rsplit_once("\n=\n").unwrap_or((text, "null"));
    let Ok(tools) = Tool::parse_all(declared) else { return };
    let value = Value::parse(value).ok();
    for tool in &tools {
        if let Some(value) = &value {
            let _ = tool.result.accepts_with(value, &tool.types);
        }
        if let Ok(schema) = tool.to_json_schema() {
            assert_eq!(&Tool::from_json_schema(&schema).expect("it was a tool"), tool);
        }
    }
    let printed = Tool::print_all(&tools);
    assert_eq!(Tool::print_all(&Tool::parse_all(&printed).expect("what was printed is read")), printed);
}

/// A tool's JSON Schema: what could be read is declared, and comes back.
pub fn schemas(bytes: &[u8]) {
    let Ok(json) = serde_json::from_slice(bytes) else { return };
    let Ok((tool, _)) = Tool::narrowed_from_json_schema(&json) else { return };
    let printed = Tool::print_all(std::slice::from_ref(&tool));
    assert_eq!(Tool::parse_all(&printed).expect("what was printed is read"), [tool]);
}

/// A file of documents, of a format that the first byte chooses, read in pieces of a size that the second one does: what
/// comes of it is what comes of it in one piece, and every mistake has its place in the file.
pub fn stream(bytes: &[u8]) {
    let [from, size, bytes @ ..] = bytes else { return };
    let from = match usize::from(*from) % (Format::ALL.len() + 1) {
        0 => Side::Trace,
        n => Side::Format(Format::ALL[n - 1]),
    };
    let whole = Streamed::read(from, bytes, bytes.len());
    whole.assert_placed(bytes);
    assert_eq!(Streamed::read(from, bytes, usize::from(*size) + 1), whole);
    if from == Side::Trace {
        let mut texts = 0;
        let read = each_text(Pieces { bytes, size: usize::from(*size) + 1 }, |text, line| {
            texts += text.len();
            assert!(line >= 1);
            Ok(())
        });
        assert!(read.is_err() || texts <= bytes.len());
    }
}

/// What came of a file that was read to its end.
#[derive(Debug, PartialEq)]
pub struct Streamed {
    /// The traces that could be read.
    pub traces: Vec<Trace>,
    /// What was lost in reading them, in words.
    pub losses: String,
    /// The documents that could not be read.
    pub mistakes: Vec<Mistake>,
}

/// Where a document lies that could not be read, the line and column of the mistake, and what is said of it.
pub type Mistake = (DocumentPlace, Option<(usize, usize)>, String);

impl Streamed {
    /// Reads a file of which so many bytes are there at a time.
    pub fn read(from: Side, bytes: &[u8], size: usize) -> Streamed {
        let (mut traces, mut mistakes) = (Vec::new(), Vec::new());
        let keep = |e: ConvertError| {
            let said = e.to_string();
            match e {
                ConvertError::Format { place, error } => {
                    let inside =
                        if let Place::Line(line, column) = error.place { Some((line, column)) } else { None };
                    mistakes.push((place, inside, said));
                }
                ConvertError::Trace { place, .. } => mistakes.push((place, None, said)),
                ConvertError::Io(e) => panic!("nothing that was read can fail: {e}"),
            }
            Ok(())
        };
        let input = Pieces { bytes, size: size.max(1) };
        let summary = read_each(from, input, keep, |trace| {
            traces.push(trace);
            Ok(())
        });
        let summary = summary.expect("it is read to its end");
        assert_eq!(summary.traces, traces.len());
        Streamed { traces, losses: format!("{:?}", summary.losses), mistakes }
    }

    /// Asserts that the mistakes lie in the file, one behind the other.
    pub fn assert_placed(&self, bytes: &[u8]) {
        // The last line may be empty, and a mistake may stand at its end.
        let lines = bytes.iter().filter(|&&b| b == b'\n').count() + 1;
        let mut before = None;
        for (place, inside, said) in &self.mistakes {
            assert!((1..=lines).contains(&place.line), "{said}");
            // Where a format holds JSON in a string, the place is one of that text.
            if let Some((line, column)) = *inside {
                assert!(place.line <= line && column >= 1, "{said}");
            }
            assert!(before < Some((place.document, place.line)), "{said}");
            before = Some((place.document, place.line));
        }
    }
}

/// Bytes of which only some are there at a time.
struct Pieces<'a> {
    bytes: &'a [u8],
    size: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let n = self.fill_buf()?.len().min(out.len());
        out[..n].copy_from_slice(&self.bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Pieces<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(&self.bytes[..self.bytes.len().min(self.size)])
    }

    fn consume(&mut self, n: usize) {
        self.bytes = &self.bytes[n..];
    }
}
