//! Traces as graphs, and what is known of spans beside the episode.

use groundwork_trace::{Span, Tool, Trace, Value, check};

const GRAPH: &str = "tools {\n  count(path: path) -> int\n}\nsystem [id=\"rules\"]: Be brief.\ngoal [id=\"task\"]: Count.\n\
    action: count(path=\"/a\")\nobservation: 3\nanswer: 3\n\
    action [after=\"task\" id=\"act\"]: count(path=\"/b\")\nobservation: 4\nanswer: 4\n\
    observation [after=\"act\"]: 5\n\
    goal [after=null]: Anew.\n";

fn none(_: &str) -> Result<Vec<Tool>, String> {
    Err(String::new())
}

fn codes(text: &str) -> Vec<&'static str> {
    check(text, none).0.iter().map(|d| d.code).collect()
}

#[test]
fn every_way_is_a_trace() {
    let trace = Trace::parse(GRAPH).unwrap();
    assert_eq!(trace.to_annotated(), GRAPH);
    assert_eq!(codes(GRAPH), Vec::<&str>::new());
    let ways: Vec<(String, usize)> = trace.branches().map(|b| (b.trace.to_text(), b.shared)).collect();
    let head = "tools {\n  count(path: path) -> int\n}\nsystem: Be brief.\ngoal: Count.\n";
    let expected = [
        (format!("{head}action: count(path=\"/a\")\nobservation: 3\nanswer: 3\n"), 0),
        (format!("{head}action: count(path=\"/b\")\nobservation: 4\nanswer: 4\n"), 3),
        (format!("{head}action: count(path=\"/b\")\nobservation: 5\n"), 4),
        ("goal: Anew.\n".to_owned(), 0),
    ];
    assert_eq!(ways, expected);
    let plain = Trace::parse("goal: a\nanswer: b\n").unwrap();
    assert!(!plain.is_branched());
    assert!(plain.branches().map(|b| b.trace).eq([plain.clone()]));
    assert_eq!(Trace::default().branches().count(), 0);
}

#[test]
fn results_belong_to_their_branch() {
    let text = GRAPH
        .replace("observation: 4", "observation: \"x\"")
        .replace("observation [after=\"act\"]: 5", "observation [after=\"acts\"]: 5");
    assert_eq!(codes(&text), ["wrong-result", "no-action", "no-span"]);
    assert_eq!(codes("goal [id=\"a\"]: b\nuser [id=\"a\"]: c\n"), ["repeated"]);
}

#[test]
fn metadata_is_typed_and_kept() {
    for (item, good) in [
        ("tokens=3", true),
        ("tokens=-3", false),
        ("tokens=1e3", false),
        ("cost=0.001e-7", true),
        ("score=\"1\"", false),
        ("time=\"2026-11-30T08:27:05Z\"", true),
        ("time=\"today\"", false),
        ("after=3", false),
        ("attach=[\"a\"]", true),
        ("x_any={a: [1, 2.0, \"]\"]}", true),
        ("y=1", false),
        ("tokens", false),
        ("score=1 score=1", false),
    ] {
        let text = format!("goal [{item}]: a\n");
        assert_eq!(codes(&text).is_empty(), good, "{item}");
        if good {
            assert_eq!(Trace::parse(&text).unwrap().to_annotated(), text);
        }
    }
    let span = Span::new(groundwork_trace::SpanKind::Goal, "a")
        .with_meta("author", Value::str("ann"))
        .with_meta("score", Value::int(1));
    let trace = Trace::new(vec![Span { weight: Some(0.5), ..span }]);
    assert_eq!(trace.to_text(), "goal: a\n");
    assert_eq!(trace.to_text_with(&["score"]), "goal [score=1]: a\n");
    assert_eq!(trace.to_text_with(&["weight", "author"]), "goal [weight=0.5 author=\"ann\"]: a\n");
    assert_eq!(trace.spans[0].meta("author").and_then(Value::as_str), Some("ann"));
}
