//! Statistics of traces, and the difference of two.

use groundwork_trace::{Difference, SpanKind, Stats, Tool, Trace, diff};

const LEFT: &str = "tools {\n  read(path: path) -> str ! NotFound\n}\ngoal: Read it.\naction [failed]: raed(path=\"/a\")\n\
    error [fault=misspelt]: NotFound\nreflection: Spell it right.\naction: read(path=\"/a\")\nobservation [own=1..4]: \"k7q\"\nanswer: k7q\n";

#[test]
fn counts() {
    let mut stats = Stats::default();
    let trace = Trace::parse(LEFT).unwrap();
    stats.add(&trace, |_| None);
    stats.add(&Trace::parse("action: any()\naction: broken(\n").unwrap(), |_| None);
    let known = |name: &str| (name == "files").then(|| Tool::parse_all("read(path: path) -> str").unwrap());
    stats.add(&Trace::parse("tools: files\naction: read()\n").unwrap(), known);
    assert_eq!((stats.traces, stats.failed, stats.own_bytes), (3, 1, 3));
    assert_eq!((stats.spans[&SpanKind::Action].spans, stats.spans[&SpanKind::Goal].bytes), (5, 8));
    let statuses: Vec<_> = stats.statuses.into_iter().collect();
    assert_eq!(statuses, [("fine", 2), ("missing argument", 1), ("unclosed", 1), ("unknown tool", 1)]);
    assert_eq!(stats.faults.into_iter().collect::<Vec<_>>(), [("misspelt".to_owned(), 1)]);
    assert_eq!((stats.tools["read"], stats.tools["raed"]), (2, 1));
}

#[test]
fn differences() {
    use Difference::*;
    let left = Trace::parse(LEFT).unwrap();
    let mut right = left.clone();
    right.spans.remove(4);
    right.spans[2].failed = false;
    right.spans.last_mut().unwrap().body = "k7".to_owned();
    let found = diff(&left, &right);
    let steps = [
        Same(0, 0),
        Same(1, 1),
        Metadata(2, 2),
        Same(3, 3),
        Removed(4),
        Same(5, 4),
        Same(6, 5),
        Changed(7, 6),
    ];
    assert_eq!((found.steps.as_slice(), found.divergence), (&steps[..], Some(4)));
    assert_eq!(diff(&left, &left).divergence, None);
    let none = diff(&Trace::default(), &left);
    assert_eq!((none.steps.len(), none.divergence), (8, Some(0)));
}
