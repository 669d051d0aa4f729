//! Files of many documents.

use groundwork_trace::adapters::{ConvertError, Format, LossKind, Side, convert};
use groundwork_trace::{Span, SpanKind, Trace};

fn converted(from: &str, to: &str, input: &str) -> String {
    let mut out = Vec::new();
    convert(Side::from_name(from).unwrap(), Side::from_name(to).unwrap(), input.as_bytes(), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_is_converted_from_the_language_and_back() {
    let traces: Vec<Trace> = ["one", "two\n---\nlines"]
        .map(|text| {
            let mut spans = vec![
                Span::new(SpanKind::Goal, text),
                Span::new(SpanKind::Action, "pay(cents=5, to=\"Ann\")"),
            ];
            spans.push(Span::new(SpanKind::Observation, "null"));
            Trace::new(spans)
        })
        .to_vec();
    for format in Format::ALL {
        for n in 0..=traces.len() {
            let text = Trace::print_all(&traces[..n]);
            let there = converted("trace", format.name(), &text);
            let back = converted(format.name(), "trace", &there);
            match format {
                // Only what passes between client and server is there.
                Format::Mcp2025 | Format::Mcp2026 => assert!(!back.contains("goal")),
                // Only tools are there.
                Format::Python | Format::TypeScript => assert!(!back.contains("goal")),
                _ if n == 0 => {}
                _ => assert_eq!(back, text, "{}\n{there}", format.name()),
            }
            assert_eq!(converted(format.name(), format.name(), &there), there, "{}", format.name());
        }
    }
}

#[test]
fn losses_are_counted_and_the_first_of_each_kind_is_kept() {
    let input = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"model\":\"m\"}\n".repeat(3);
    let mut out = Vec::new();
    let summary = convert(Side::Format(Format::OpenAiChat), Side::Trace, input.as_bytes(), &mut out).unwrap();
    assert_eq!(summary.traces, 3);
    let (count, document, first) = &summary.losses[&LossKind::Metadata];
    assert_eq!((*count, *document, first.to_string()), (3, 0, "metadata at `/model`: `model`".to_owned()));
    assert_eq!(out, b"goal: a\n---\ngoal: a\n---\ngoal: a\n");
}

#[test]
fn the_document_that_fails_is_named() {
    let input = "{\"messages\":[]}\n{\"messages\":3}\n";
    let failed = convert(Side::Format(Format::OpenAiChat), Side::Trace, input.as_bytes(), Vec::new());
    assert!(matches!(&failed, Err(ConvertError::Format { document: 1, .. })), "{failed:?}");
    assert_eq!(
        failed.unwrap_err().to_string(),
        "document 1: this is no array at `/messages` (write it in `[` `]`)"
    );
    assert_eq!(Side::from_name("openai-chta"), Err("did you mean `openai-chat`?".to_owned()));
}
