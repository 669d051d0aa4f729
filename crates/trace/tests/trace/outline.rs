//! Where things stand in a file.

use groundwork_trace::{Outline, SpanKind};

const TEXT: &str = "tools {\n  /// Reads.\n  read(path: path, max: int = 1) -> str\n  list() -> [str]\n}\ngoal: a\n\n    b\n  c\n\
                    action: read(\n    path=\"ä\",\n    max=2)\nobservation: \"x\"\n---\ntools: files\nanswer:\n";

#[test]
fn spans_calls_and_declarations_are_found() {
    let outline = Outline::read(TEXT);
    let shape: Vec<Vec<SpanKind>> =
        outline.traces.iter().map(|t| t.iter().map(|s| s.span().kind).collect()).collect();
    use SpanKind::*;
    assert_eq!(shape, [vec![Tools, Goal, Action, Observation], vec![Tools, Answer]]);
    let spans = &outline.traces[0];
    assert_eq!(&TEXT[spans[1].whole()], "goal: a\n\n    b\n  c");
    assert_eq!(&TEXT[spans[0].whole()], TEXT.split_once("\ngoal").unwrap().0);
    assert_eq!(&TEXT[spans[2].keyword()], "action");
    let call = spans[2].call().unwrap();
    assert_eq!(&TEXT[call.tool], "read");
    let args: Vec<(&str, &str)> =
        call.args.iter().map(|(n, v)| (&TEXT[n.clone()], &TEXT[v.clone()])).collect();
    assert_eq!(args, [("path", "\"ä\""), ("max", "2")]);
    let declared: Vec<String> = spans[0]
        .declarations()
        .into_iter()
        .map(|(tool, at)| format!("{} {}", tool.name, &TEXT[at]))
        .collect();
    assert_eq!(declared, ["read read", "list list"]);
    assert_eq!(outline.traces[1][0].tool_set().as_deref(), Some("files"));
    assert!(outline.traces[1][0].declarations().is_empty() && spans[0].tool_set().is_none());
    assert!(spans[1].call().is_none());
}

#[test]
fn every_byte_of_a_body_has_its_place_and_back() {
    let outline = Outline::read(TEXT);
    for span in outline.traces.iter().flatten() {
        let body = &span.span().body;
        for (i, c) in body.char_indices() {
            let at = span.in_file(i..i + c.len_utf8());
            assert_eq!(span.in_body(at.start), Some(i), "{body:?} {i}");
            assert!(c == '\n' || TEXT[at.clone()].starts_with(c), "{body:?} {i} {at:?}");
        }
        assert_eq!(span.in_body(span.keyword().start), None);
    }
}

#[test]
fn the_span_at_a_place() {
    let outline = Outline::read(TEXT);
    let kind = |at: usize| outline.at(at).map(|(t, s)| outline.traces[t][s].span().kind);
    assert_eq!(kind(0), Some(SpanKind::Tools));
    assert_eq!(kind(TEXT.find("goal").unwrap() + 5), Some(SpanKind::Goal));
    assert_eq!(kind(TEXT.find("max=2").unwrap()), Some(SpanKind::Action));
    assert_eq!(kind(TEXT.find("---").unwrap() + 1), None);
    assert_eq!(kind(TEXT.len() - 1), Some(SpanKind::Answer));
}

#[test]
fn unfinished_files_have_an_outline() {
    for text in
        ["tools {\n  read(", "action: read(\n  ", "goal", "goal: x\n  ", "\u{feff}goal: x", "tools {\r\n", ""]
    {
        for cut in text.char_indices().map(|(i, _)| i) {
            let outline = Outline::read(&text[..cut]);
            for span in outline.traces.iter().flatten() {
                assert!(span.whole().end <= cut);
                let _ = (span.call(), span.declarations(), span.in_body(cut));
            }
        }
    }
}
