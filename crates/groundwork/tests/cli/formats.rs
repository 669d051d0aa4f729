//! `trace convert`, `stats` and `diff`.

use crate::workshop::Workshop;

const TRACE: &str = "goal: Read it.\naction: read(path=\"/a\")\nobservation: \"x\"\nanswer: x\n";

#[test]
fn a_trace_goes_to_another_format_and_comes_back() {
    let shop = Workshop::new();
    shop.write("a.trace", TRACE);
    for format in ["openai-chat", "anthropic", "hermes", "harmony"] {
        let said = shop.run(["trace", "convert", "trace", format, "a.trace", "--out", "there"]).fine();
        assert!(said.err.contains("1 trace; nothing was lost"), "{said:?}");
        assert_eq!(shop.run(["trace", "convert", format, "trace", "there"]).fine().out, TRACE, "{format}");
    }
    let list = shop.run(["trace", "convert", "--list"]).fine().out;
    assert!(list.contains("openai-chat") && list.lines().count() > 20, "{list}");
}

#[test]
fn what_is_lost_is_said_and_what_cannot_be_read_is_named() {
    let shop = Workshop::new();
    let faulty = TRACE.replace("observation:", "observation [fault=stale]:");
    let said = shop.pipe(["trace", "convert", "trace", "openai-chat"], &faulty).fine();
    assert!(said.err.contains("fault: 1, first in document 0 at span 2"), "{said:?}");
    shop.run(["trace", "convert", "trace", "openai-chta"])
        .refused(&["openai-chta", "did you mean `openai-chat`?"]);
    shop.run(["trace", "convert"]).refused(&["--list"]);
    shop.write("bad.json", "{\"messages\": 3}");
    let place = ["bad.json", "document 0", "`/messages`"];
    shop.run(["trace", "convert", "openai-chat", "trace", "bad.json", "--out", "out.trace"]).refused(&place);
    assert_eq!(shop.entries(""), ["bad.json"]);
    shop.run(["trace", "convert", "openai-chat", "trace", "nowhere.json"]).refused(&["nowhere.json", "hint"]);
}

#[test]
fn traces_are_counted_and_compared() {
    let shop = Workshop::new();
    shop.write("a.trace", TRACE);
    shop.write("b.trace", TRACE.replace("\"x\"", "\"y\""));
    let counts = shop.run(["trace", "stats", "a.trace"]).fine().out;
    assert!(counts.contains("1 traces") && counts.contains("tools: read 1"), "{counts}");
    assert!(!shop.run(["trace", "diff", "a.trace", "a.trace"]).fine().out.contains("part"));
    let said = shop.run(["trace", "diff", "a.trace", "b.trace"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("here they part") && said.out.contains("-   observation  \"x\""), "{said:?}");
    shop.write("two.trace", format!("{TRACE}---\n{TRACE}"));
    shop.run(["trace", "diff", "a.trace", "two.trace"]).refused(&["two.trace", "several traces", "hint"]);
}
