//! The examples of the language reference hold.

use groundwork_trace::{Tool, Trace, check};

const REFERENCE: &str = include_str!("../../../../docs/trace-language.md");

/// The fenced blocks of the reference: the words after the fence, and the text.
fn blocks() -> Vec<(String, String)> {
    let mut blocks: Vec<(String, String)> = Vec::new();
    let mut open = false;
    for line in REFERENCE.split_inclusive('\n') {
        if let Some(words) = line.strip_prefix("```") {
            open = !open;
            if open {
                blocks.push((words.trim().to_owned(), String::new()));
            }
        } else if open {
            blocks.last_mut().unwrap().1.push_str(line);
        }
    }
    assert!(!open, "a block of the reference is never closed");
    blocks
}

fn files(name: &str) -> Result<Vec<Tool>, String> {
    let declared = "read(path: path) -> str write(path: path, text: str) -> null";
    if name == "files" { Ok(Tool::parse_all(declared).unwrap()) } else { Err(String::new()) }
}

#[test]
fn examples_are_what_the_reference_says() {
    let blocks = blocks();
    assert!(blocks.iter().filter(|(words, _)| words.starts_with("trace")).count() > 8);
    for (i, (words, text)) in blocks.iter().enumerate() {
        let print = || Trace::print_all(&Trace::parse_all(text).unwrap());
        let wrong = check(text, files);
        match words.as_str() {
            "trace" => {
                assert_eq!(wrong.0, [], "{text}");
                assert_eq!(print(), *text);
            }
            "trace loose" => {
                assert_eq!(wrong.0, [], "{text}");
                assert_eq!(print(), blocks[i + 1].1);
            }
            "trace wrong" => {
                let codes: Vec<&str> = wrong.0.iter().map(|d| d.code).collect();
                assert_eq!(codes, ["unknown-type", "unknown-span", "unknown-tool", "wrong-type"]);
                assert_eq!(
                    wrong.0[0].render(text, "example.trace", false).trim_end(),
                    blocks[i + 1].1.trim_end()
                );
            }
            _ => {}
        }
    }
}

/// "Training text = annotated text without the brackets and the space before them."
#[test]
fn metadata_is_all_that_annotation_adds() {
    let (_, text) = &blocks()[0];
    let trace = Trace::parse(text).unwrap();
    let bare =
        text.replace(" [own=2..10,14..24]", "").replace(" [failed]", "").replace(" [fault=misspelt]", "");
    assert_eq!(trace.to_text(), bare);
    let own: Vec<&str> = trace.spans[4].own.iter().map(|r| &trace.spans[4].body[r.clone()]).collect();
    assert_eq!(own, ["notes.md", "report.txt"]);
}

#[test]
fn every_code_is_in_the_reference() {
    let sources = [
        include_str!("../../src/check.rs"),
        include_str!("../../src/declare.rs"),
        include_str!("../../src/file.rs"),
        include_str!("../../src/scan.rs"),
        include_str!("../../src/typing.rs"),
    ];
    for source in sources {
        let calls = ["Diagnostic::error(", "Diagnostic::warning(", "wrong("];
        for rest in calls.iter().flat_map(|call| source.split(call).skip(1)) {
            let rest = rest.trim_start();
            if let Some(code) = rest.strip_prefix('"').and_then(|r| r.split('"').next()) {
                assert!(REFERENCE.contains(&format!("`{code}`")), "`{code}` is not in the reference");
            }
        }
    }
}
