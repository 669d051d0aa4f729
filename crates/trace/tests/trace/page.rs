//! The page that shows traces in a browser.

use groundwork_trace::{Span, SpanKind, Tool, Trace, page};

const TEXT: &str = "tools {\n  read(path: path) -> str ! NotFound\n  list(dir: path) -> [str]\n}\ngoal: Find <it> & say so.\n\
                    action [failed]: raed(path=\"/x\")\nerror [fault=misspelt]: NotFound\nreflection: Try again.\n\
                    action: read(path=\"/y\")\nobservation [own=1..3]: \"ab\"\nanswer: it\n";

fn shown(traces: &[Trace]) -> String {
    page(traces, 0, "x.trace", |_| None)
}

#[test]
fn a_page_loads_nothing_and_escapes_everything() {
    let evil = "</pre><script>alert(1)</script>\u{202e}\u{1b}\"'";
    let trace = Trace::new(SpanKind::ALL.map(|kind| Span::new(kind, evil)).into());
    let page = page(&[trace], 0, evil, |_| None);
    assert_eq!(page.matches("<script>").count(), 1, "only the page's own");
    for outside in ["http:", "https:", "src=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
    assert!(!page.contains('\u{202e}') && page.contains("\\u{202e}") && page.contains('␛'));
}

#[test]
fn faults_failures_and_reflections_are_marked_in_words_and_signs() {
    let page = shown(&[Trace::parse(TEXT).unwrap()]);
    for part in [
        "Find &lt;it&gt; &amp; say so.",
        "class=\"span action failed marked\"",
        "class=\"span error fault marked\"",
        "class=\"span reflection marked\"",
        ">✗<",
        ">!<",
        ">↻<",
        "fault: misspelt",
        "there is no tool `raed` (did you mean `read`?)",
        "2 actions, ✗ 1 failed, 1 span shows a fault, ↻ 1 reflection",
        "predicted it\">ab</mark>",
        "read, list",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    // The declarations are closed at first, everything else is open.
    assert!(page.contains("<details class=\"span tools\"><summary>"), "{page}");
    assert_eq!(page.matches("<details").count() - 1, page.matches(" open>").count());
}

#[test]
fn several_traces_have_contents_with_their_numbers() {
    let trace = Trace::parse(TEXT).unwrap();
    let page = page(&[trace.clone(), trace], 7, "x", |_| None);
    assert!(page.contains("href=\"#trace-8\"") && page.contains("id=\"trace-8\""), "{page}");
    assert!(!shown(&[Trace::text("a")]).contains("<nav"));
}

#[test]
fn a_named_set_explains_failures_too() {
    let trace = Trace::parse("tools: files\ngoal: x\naction [failed]: raed(path=\"/x\")\n").unwrap();
    let tools = Tool::parse_all("read(path: path) -> str").unwrap();
    let page = page(&[trace], 0, "x", |name| (name == "files").then(|| tools.clone()));
    assert!(page.contains("did you mean `read`?"), "{page}");
}

#[test]
fn long_bodies_are_folded_without_losing_a_byte() {
    let body: Vec<String> = (0..100).map(|i| format!("line {i}")).collect();
    let page = shown(&[Trace::text(body.join("\n"))]);
    assert!(page.contains("… 84 more lines"), "{page}");
    assert!(body.iter().all(|line| page.contains(line.as_str())));
}

#[test]
fn branches_are_parts_that_lead_to_each_other() {
    let text = "goal [id=\"g\" author=\"ann\" tokens=3]: Count.\naction [failed]: cuont()\nanswer: 3\nanswer [after=\"g\" score=0.5]: 12\n\
                goal [after=null attach=[\"a<b\"]]: Anew.\n";
    let page = page(&[Trace::parse(text).unwrap()], 4, "x.trace", |_| None);
    for part in [
        "1 action, ✗ 1 failed, 3 branches",
        "<details class=\"branch\" id=\"branch-4-2\" style=\"--depth:1\" open>",
        "<b>Branch 2 of 3</b><span class=\"from\">after goal of branch 1: Count.</span>",
        "here leaves <a href=\"#branch-4-2\">branch 2</a></p>",
        "<span class=\"fact\"><span class=\"name\">author</span> ann</span><span class=\"fact\"><span class=\"name\">tokens</span> 3</span>",
        "<span class=\"flag\">failed</span>",
        "<span class=\"name\">score</span> 0.5",
        "<span class=\"name\">attach</span> [&quot;a&lt;b&quot;]",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert_eq!(page.matches("<details class=\"span ").count(), 5, "every span once");
    assert!(!page.contains("name\">after"), "it was said");
    // An `after` that changes nothing makes no branch.
    let plain = shown(&[Trace::parse("goal [id=\"a\"]: a\nanswer [after=\"a\"]: b\n").unwrap()]);
    assert!(!plain.contains("class=\"branch\"") && plain.contains("name\">after</span> a"));
}
