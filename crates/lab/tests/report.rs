//! The report: complete, self-contained, and unharmed by what is missing.

mod synthetic;

use groundwork_lab::{Arm, BetResult, CurvePoint, Score, Verdict, render_report};
use groundwork_trace::{Span, SpanKind, Trace};
use synthetic::{registered, result};

const BET: &str = r#"
name = "x"
question = "Is <b> better & faster?"
primary = { metric = "bits_per_action_byte", direction = "lower", margin = 0.1 }
ladder = { sizes = ["1K", "4K"], seeds = [1, 2] }
baseline = { label = "old", recipe = { way = 1 } }
candidate = { label = "<script>alert(1)</script>", recipe = { way = 2 } }
"#;

fn data(scores: bool) -> BetResult {
    let (plan, registration) = registered(BET);
    result(&plan, &registration, |arm, _, seed| {
        let rows = (0..if scores { 12 } else { 0 }).map(|i| Score {
            world: "files".into(),
            level: 1,
            fault: (i % 2 == 1).then(|| "gone".into()),
            seed: i / 2,
            policy: "model".into(),
            success: arm == Arm::Candidate,
            fault_met: i % 2 == 1,
            steps: 3,
            action_bits: 2.0 + seed as f64 * 0.1,
            action_bytes: 1,
            transcript: transcript(),
            ..Score::default()
        });
        rows.collect()
    })
}

/// A trace of one failed action.
fn transcript() -> String {
    let mut action = Span::new(SpanKind::Action, "told </code>");
    action.failed = true;
    Trace::new(vec![Span::new(SpanKind::Goal, "find it"), action]).to_annotated()
}

fn page(result: &BetResult) -> String {
    render_report(result, &Verdict::of(result), &Default::default())
}

#[test]
fn the_page_needs_nothing_else_and_quotes_what_it_is_given() {
    let mut result = data(true);
    let curve = (1..50).map(|i| CurvePoint {
        step: i,
        tokens: i * 100,
        loss: 3.0 / i as f64,
        by_kind: [("action".to_owned(), 2.0 / i as f64)].into(),
        ..CurvePoint::default()
    });
    result.cells[7].curve = curve.collect();
    result.cells[0].tokens_by_source = [("text".to_owned(), 10)].into();
    result.separation = "By names.".into();
    let page = page(&result);
    for outside in ["http:", "https:", "src=", "@import", "url(", "<script", "<link"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for part in [
        "Is &lt;b&gt; better &amp; faster?",
        "&lt;script&gt;",
        "told &lt;/code&gt;",
        "failed action",
        "polyline",
        "By names.",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("NaN") && !page.contains("inf\""));
    assert_eq!(page.matches("<svg").count(), page.matches("</svg>").count());
}

#[test]
fn missing_runs_scores_and_curves_leave_a_page() {
    assert!(page(&data(true)).contains("Acting in the worlds"));
    assert!(!page(&data(false)).contains("Acting in the worlds"));
    let mut none = data(true);
    none.cells.clear();
    let page = page(&none);
    assert!(page.contains("UNDECIDED") && page.contains("There is no verdict at 4K"), "{page}");
}
