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
    assert!(said.err.contains("fault: 1, first in trace 0 at span 2"), "{said:?}");
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
    assert!(counts.contains("1 trace, 0 bytes") && counts.contains("tools: read 1"), "{counts}");
    assert!(!shop.run(["trace", "diff", "a.trace", "a.trace"]).fine().out.contains("part"));
    let said = shop.run(["trace", "diff", "a.trace", "b.trace"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.out.contains("here they part") && said.out.contains("-   observation  \"x\""), "{said:?}");
    shop.write("two.trace", format!("{TRACE}---\n{TRACE}"));
    shop.run(["trace", "diff", "a.trace", "two.trace"]).refused(&["two.trace", "several traces", "hint"]);
}

#[test]
fn a_document_that_cannot_be_read_is_named_and_left_out_where_that_is_asked_for() {
    let shop = Workshop::new();
    let chat = |text: &str| format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{text}\"}}]}}\n");
    shop.write("x.jsonl", chat("a") + "{\"messages\":[\n" + &chat("b"));
    let convert = ["trace", "convert", "openai-chat", "trace", "x.jsonl", "-o", "x.trace"];
    shop.run(convert).refused(&["`x.jsonl`: document 1, line 2: ", "at line 2, column 14"]);
    assert_eq!(shop.entries(""), ["x.jsonl"]);
    let said = shop.run(convert.into_iter().chain(["--skip-bad"]));
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("left out: `x.jsonl`: document 1, line 2: "), "{said:?}");
    assert!(
        said.err.contains("2 traces; nothing was lost") && said.err.contains("1 document was left out"),
        "{said:?}"
    );
    assert_eq!(shop.read("x.trace"), "goal: a\n---\ngoal: b\n");
    let said =
        shop.run(["trace", "convert", "openai-chat", "trace", "x.jsonl", "-o", "x.parquet", "--skip-bad"]);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(shop.run(["trace", "show", "x.parquet"]).fine().out.contains(" of 2\n"));
    shop.run(["trace", "convert", "trace", "inspect", "x.trace", "-o", "x.eval"])
        .refused(&["`x.eval`", "hint: name the file `.json`"]);
    // Of several traces, the mistake has its line in the file.
    shop.write("y.trace", "goal: a\n---\ngaol: b\n");
    shop.run(["trace", "stats", "y.trace"]).refused(&[
        "y.trace:3:1",
        "did you mean `goal`?",
        "1 mistake in `y.trace`",
    ]);
    shop.run(["trace", "check", "y.trace"]).refused(&["y.trace:3:1", "1 mistake in `y.trace`"]);
    fs_write(&shop, "z.trace", b"goal: a\n---\ngoal: \xff\n");
    for command in ["stats", "check", "show"] {
        shop.run(["trace", command, "z.trace"]).refused(&["z.trace", "line 3", "not UTF-8"]);
    }
}

fn fs_write(shop: &Workshop, name: &str, bytes: &[u8]) {
    std::fs::write(shop.path(name), bytes).unwrap();
}
