//! How a trace looks in a terminal.

use groundwork_trace::{Span, SpanKind, Trace};

#[test]
fn faults_and_failures_are_marked_without_colour() {
    let text = "tools: files\ngoal: Find it.\n  Quickly.\naction [failed weight=0.5]: read(path=\"/x\")\n\
                error [fault=gone]: Gone\nreflection: Try again.\nanswer:\n";
    let shown = Trace::parse(text).unwrap().to_terminal(false);
    insta::assert_snapshot!(shown, @r#"
      tools        files
      goal         Find it.
                   Quickly.
    ✗ action       read(path="/x")  ← failed, weight 0.5
    ! error        Gone  ← fault: gone
    ↻ reflection   Try again.
      answer
    "#);
}

#[test]
fn colour_underlines_the_worlds_own_and_adds_nothing_else() {
    let mut span = Span::new(SpanKind::Observation, "\"ab\"");
    span.own.push(1..3);
    let trace = Trace::new(vec![span]);
    assert_eq!(trace.to_terminal(true), "  observation  \"\x1b[4mab\x1b[0m\"\x1b[0m\n");
}

#[test]
fn bodies_cannot_steer_the_terminal() {
    let shown = Trace::text("\x1b[2J\r\u{9b}\u{202e}\tx").to_terminal(false);
    assert_eq!(shown, "  text         ␛[2J␍\\u{9b}\\u{202e}    x\n");
}

#[test]
fn long_bodies_are_folded_and_the_rest_is_counted() {
    let trace = Trace::text("a\nb\nc\nd\ne");
    let shown = trace.to_terminal_folded(false, 2);
    assert_eq!(shown, "  text         a\n               b\n               … 3 more lines\n");
    // One line more than that is as long as the note would be.
    assert_eq!(trace.to_terminal_folded(false, 4), trace.to_terminal(false));
    assert_eq!(trace.to_terminal_folded(false, 5), trace.to_terminal(false));
    // A long line is as much to read as several.
    let long = Trace::text("é".repeat(1000)).to_terminal_folded(false, 2);
    assert!(long.contains(&"é".repeat(320)) && !long.contains(&"é".repeat(321)), "{long}");
    assert!(long.ends_with("… 1360 more bytes\n"), "{long}");
}

const BRANCHED: &str = "goal [id=\"g\" author=\"ann\"]: Count.\naction: count()\nobservation: 3\nanswer: 3\nthought [after=\"g\" id=\"t\"]: I guess.\n\
                        answer: 12\nanswer [after=\"t\" score=0]: 13\ngoal [after=null]: Anew.\n";

#[test]
fn a_branch_says_where_it_leaves_and_shows_what_is_new() {
    let shown = Trace::parse(BRANCHED).unwrap().to_terminal(false);
    insta::assert_snapshot!(shown, @r#"
    ── branch 1 of 4: from the beginning ───────────────────────────────────────────────────────────────
      goal         Count.  ← id "g", author "ann", branch 2 leaves here
      action       count()
      observation  3
      answer       3
    ── branch 2 of 4: after goal of branch 1: Count. ───────────────────────────────────────────────────
      thought      I guess.  ← id "t", branch 3 leaves here
      answer       12
    ── branch 3 of 4: after thought of branch 2: I guess. ──────────────────────────────────────────────
      answer       13  ← score 0
    ── branch 4 of 4: from the beginning ───────────────────────────────────────────────────────────────
      goal         Anew.
    "#);
    // Of many branches, the first are shown where bodies are folded.
    let many: String = (0..20).map(|i| format!("answer [after=\"g\"]: {i}\nuser: no\n")).collect();
    let many = Trace::parse(&format!("goal [id=\"g\"]: {}\n{many}", "a long task ".repeat(20))).unwrap();
    let folded = many.to_terminal_folded(false, 12);
    assert_eq!((folded.matches("── branch ").count(), folded.matches("… 2 spans\n").count()), (20, 12));
    assert_eq!(
        (folded.matches("  answer ").count(), many.to_terminal(false).matches("  answer ").count()),
        (8, 20)
    );
    assert!(folded.contains("19 branches leave here"), "{folded}");
    assert!(
        folded.contains("after goal of branch 1: a long task a long task a long task a long task  … ──"),
        "{folded}"
    );
}
