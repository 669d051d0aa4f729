//! Traces as tokens and tags.

use groundwork_corpus::{Encoded, SpanTag, encode_branches, encode_trace};
use groundwork_trace::{Span, SpanKind, Trace};
use proptest::prelude::*;

use crate::tokenizer;

#[test]
fn markers_bodies_and_the_end_stand_in_order() {
    let t = tokenizer();
    let trace = Trace::new(vec![
        Span::new(SpanKind::Goal, "read the report"),
        Span { failed: true, ..Span::new(SpanKind::Action, "read(path=\"/docs/raport\")") },
        Span::new(SpanKind::Answer, ""),
    ]);
    let e = encode_trace(&t, &trace);
    assert_eq!(
        String::from_utf8(t.decode(&e.tokens)).unwrap(),
        "<|goal|>read the report<|action|>read(path=\"/docs/raport\")<|answer|><|end|>"
    );
    assert_eq!(e.weight, None);
    let markers: Vec<_> = e.spans.iter().filter(|s| s.marker()).map(|s| s.kind().unwrap()).collect();
    assert_eq!(markers, [SpanKind::Goal, SpanKind::Action, SpanKind::Answer, SpanKind::Answer]);
    for tag in &e.spans {
        assert_eq!(tag.failed(), tag.kind() == Some(SpanKind::Action));
    }
}

#[test]
fn a_token_is_own_if_any_of_its_bytes_is() {
    let t = tokenizer();
    let body = "read the report";
    // One byte in the middle of a learnt word.
    let trace = Trace::new(vec![Span {
        own: std::iter::once(6..7).collect(),
        ..Span::new(SpanKind::Observation, body)
    }]);
    let e = encode_trace(&t, &trace);
    let mut at = 0;
    let mut own = Vec::new();
    for (token, tag) in e.tokens.iter().zip(&e.spans).filter(|(_, s)| !s.marker()) {
        let end = at + t.token_bytes(*token).len();
        assert_eq!(tag.own(), at <= 6 && 6 < end);
        own.push(tag.own());
        at = end;
    }
    assert_eq!(own.iter().filter(|o| **o).count(), 1);
    assert!(own.len() > 1);
}

#[test]
fn a_weight_goes_to_every_token_of_its_span() {
    let t = tokenizer();
    let trace = Trace::new(vec![
        Span::new(SpanKind::Goal, "read"),
        Span { weight: Some(0.25), ..Span::new(SpanKind::Action, "read(path=\"/x\")") },
    ]);
    let e = encode_trace(&t, &trace);
    let weight = e.weight.unwrap();
    assert_eq!(weight.len(), e.tokens.len());
    for (w, tag) in weight.iter().zip(&e.spans) {
        assert_eq!(*w, if tag.kind() == Some(SpanKind::Action) { 0.25 } else { 1.0 });
    }
}

#[test]
fn a_trace_without_spans_gives_nothing() {
    assert!(encode_trace(&tokenizer(), &Trace::default()).is_empty());
}

#[test]
fn special_tokens_in_a_body_are_text() {
    let t = tokenizer();
    let e = encode_trace(&t, &Trace::text("a <|end|> b <|action|>"));
    assert_eq!(e.tokens.iter().filter(|id| t.is_special(**id)).count(), 2);
}

proptest! {
    #[test]
    fn a_tag_survives_its_code(code in any::<u8>()) {
        prop_assert_eq!(SpanTag::from_code(code).code(), code);
        let known = code & 15 < 12;
        prop_assert_eq!(SpanTag::from_code(code).kind().is_some(), known);
    }

    #[test]
    fn every_body_comes_back(bodies in prop::collection::vec(".*", 1..5)) {
        let t = tokenizer();
        let spans = bodies.iter().enumerate().map(|(i, b)| Span::new(SpanKind::ALL[i + 3], b.as_str()));
        let e = encode_trace(&t, &Trace::new(spans.collect()));
        let text = String::from_utf8(t.decode(&e.tokens)).unwrap();
        let mut expected = String::new();
        for (i, body) in bodies.iter().enumerate() {
            expected += SpanKind::ALL[i + 3].marker();
            expected += body;
        }
        prop_assert_eq!(text, expected + "<|end|>");
    }
}

#[test]
fn padding_is_no_kind_and_has_no_marks() {
    let p = SpanTag::PADDING;
    assert_eq!((p.kind(), p.marker(), p.own(), p.failed(), p.code()), (None, false, false, false, 15));
}

#[test]
fn every_branch_is_a_document_and_what_they_share_is_learnt_once() {
    let t = tokenizer();
    let trace =
        Trace::parse("goal [id=\"a\"]: read\nanswer: the report\nanswer [after=\"a\" weight=0.5]: read\n")
            .unwrap();
    let documents = encode_branches(&t, &trace);
    let text = |e: &Encoded| String::from_utf8(t.decode(&e.tokens)).unwrap();
    assert_eq!(
        documents.iter().map(text).collect::<Vec<_>>(),
        ["<|goal|>read<|answer|>the report<|end|>", "<|goal|>read<|answer|>read<|end|>"]
    );
    assert_eq!(documents[0].weight, None);
    let weight = documents[1].weight.as_ref().unwrap();
    let goal = documents[1].spans.iter().filter(|s| s.kind() == Some(SpanKind::Goal)).count();
    assert!(weight[..goal].iter().all(|w| *w == 0.0) && weight[goal..].iter().all(|w| *w == 0.5));
    assert_eq!(encode_branches(&t, &documents_of_one()), [encode_trace(&t, &documents_of_one())]);
}

fn documents_of_one() -> Trace {
    Trace::parse("goal: read\nanswer: the report\n").unwrap()
}
