//! What must hold for any input: nothing panics, nothing hangs, and what was written is read back.
//!
//! The fuzz targets hand these functions the bytes of libFuzzer; `crates/trace/tests/fuzz.rs` runs them for a bounded
//! number of mutations in every build.

use std::str;

use groundwork_trace::adapters::Format;
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
