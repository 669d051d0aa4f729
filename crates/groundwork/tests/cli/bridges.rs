//! `mcp`, `trace lsp`, `trace record` and `trace grammar`: the program among others.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;

use crate::workshop::{Said, Workshop};

const PROGRAM: &str = env!("CARGO_BIN_EXE_groundwork");
const SESSION: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":2,"method":"tools/list"}
{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"list","arguments":{"dir":"nowhere"}}}
{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"submit_answer","arguments":{"answer":"3"}}}
"#;

/// A command that did its work and failed at it.
#[track_caller]
fn failed(said: &Said, words: &[&str]) {
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(words.iter().all(|w| said.err.contains(w)), "{said:?}");
}

#[test]
fn a_world_is_served_to_a_client() {
    let shop = Workshop::new();
    let said = shop.pipe(["mcp", "files", "--fault", "misspelt", "--seed", "3"], SESSION).fine();
    let answers = said.json_lines();
    assert_eq!(answers.len(), 4, "{said:?}");
    assert_eq!(answers[0]["result"]["protocolVersion"], "2025-11-25");
    assert_eq!(answers[2]["result"]["isError"], true);
    assert_eq!(answers[3]["result"]["structuredContent"]["success"], false);
    shop.run(["mcp", "filse"]).refused(&["`filse`", "did you mean `files`?"]);
    shop.run(["mcp", "files", "--level", "99"]).refused(&["99"]);
    shop.run(["mcp", "files", "--http", "0.0.0.0:0"]).refused(&["other machines", "127.0.0.1"]);
    let mut server = shop.start(["mcp", "files", "--http", "127.0.0.1:0"]);
    let url = server.line();
    assert!(url.starts_with("http://127.0.0.1:") && url.ends_with("/mcp\n"), "{url}");
    let address = url["http://".len()..].trim_end().trim_end_matches("/mcp").to_owned();
    shop.run(["mcp", "files", "--http", &address]).refused(&["cannot listen", &address, "hint:"]);
}

#[test]
fn a_session_is_recorded_as_a_trace_and_word_for_word() {
    let shop = Workshop::new();
    let server = [PROGRAM, "mcp", "files", "--seed", "3"];
    let plain = shop.pipe(server[1..].iter().copied(), SESSION).fine().out;
    let record = ["trace", "record", "--goal", "Look around.", "-o", "x.trace", "--log", "x.jsonl", "--"];
    let said = shop.pipe(record.into_iter().chain(server), SESSION).fine();
    assert_eq!(said.out, plain, "the client hears the server and nothing else");
    assert!(said.err.contains("x.trace"), "{said:?}");
    let trace = shop.read("x.trace");
    for part in [
        "goal: Look around.\n",
        "action [failed time=\"20",
        "]: list(dir=\"nowhere\")\n",
        "]: submit_answer(answer=\"3\")\n",
        " x_seconds=",
    ] {
        assert!(trace.contains(part), "{part}\n{trace}");
    }
    shop.run(["trace", "check", "x.trace"]).fine();
    shop.run(["trace", "fmt", "--check", "x.trace"]).fine();
    assert_eq!(shop.read("x.jsonl").lines().count(), 1 + 5 + 4);
    // What was logged makes the trace again, and as much of it as was logged when all was over at once.
    assert_eq!(shop.run(["trace", "convert", "mcp-log", "trace", "x.jsonl"]).fine().out, trace);
    let log = shop.read("x.jsonl");
    shop.write("cut.jsonl", &log[..log.trim_end().rfind('\n').unwrap() + 20]);
    let said = shop.run(["trace", "convert", "mcp-log", "trace", "cut.jsonl"]).fine();
    assert!(trace.starts_with(&said.out[..said.out.len() - 1]), "{said:?}");
    assert!(said.err.contains("ends inside an entry") && said.out.contains("submit_answer"), "{said:?}");
    shop.run(["trace", "convert", "mcp-log", "trace", "x.trace"]).refused(&["`x.trace`: line 1 is no entry"]);
    shop.run(["trace", "convert", "trace", "mcp-log", "x.trace"])
        .refused(&["`mcp-log` is read and not written"]);
}

#[test]
fn a_session_that_nobody_ends_is_not_lost() {
    let shop = Workshop::new();
    let record = ["trace", "record", "-o", "x.trace", "--", PROGRAM, "mcp", "files", "--seed", "3"];
    // While a session goes on there is a log, which is not needed after it.
    shop.pipe(record, SESSION).fine();
    assert_eq!(shop.entries(""), ["x.trace"]);
    let mut running = shop.command(record).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    running.stdin.as_mut().unwrap().write_all(SESSION.as_bytes()).unwrap();
    let mut answers = BufReader::new(running.stdout.take().unwrap()).lines();
    for _ in 0..4 {
        answers.next().unwrap().unwrap();
    }
    running.kill().unwrap();
    running.wait().unwrap();
    assert_eq!(shop.entries(""), ["x.trace", "x.trace.log"]);
    // The next session leaves it alone.
    shop.pipe(record, SESSION).fine();
    assert_eq!(shop.entries(""), ["x.trace", "x.trace.log"]);
    let lost = shop.run(["trace", "convert", "mcp-log", "trace", "x.trace.log"]).fine().out;
    assert!(
        lost.contains("]: submit_answer(answer=\"3\")\n") && lost.contains("]: {success: false"),
        "{lost}"
    );
}

#[test]
fn what_cannot_be_recorded_is_told() {
    let shop = Workshop::new();
    shop.run(["trace", "record", "-o", "x.trace", "--", "no-such-program"])
        .refused(&["cannot start `no-such-program`", "hint:"]);
    shop.run(["trace", "record", "-o", "x.trace"]).refused(&["COMMAND"]);
    shop.run(["trace", "record", "--", PROGRAM]).refused(&["--out"]);
    shop.run(["trace", "record", "--log", "no/x", "--", PROGRAM]).refused(&["cannot write `no/x`"]);
    // The server refuses its own arguments and ends; what the client said is kept.
    let said = shop.pipe(["trace", "record", "--log", "x.jsonl", "--", PROGRAM, "mcp", "filse"], "");
    failed(&said, &["the server failed", "did you mean `files`?"]);
}

#[test]
fn an_editor_is_served_and_nobody_else() {
    let shop = Workshop::new();
    let messages = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"capabilities":{}}}"#,
        r#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///x","version":1,"text":"tools: files\naction: raed(path=\"a\")\n"}}}"#,
        r#"{"jsonrpc":"2.0","id":2,"method":"shutdown"}"#,
        r#"{"jsonrpc":"2.0","method":"exit"}"#,
    ];
    let framed: String = messages.iter().map(|m| format!("Content-Length: {}\r\n\r\n{m}", m.len())).collect();
    let said = shop.pipe(["trace", "lsp"], framed).fine();
    assert!(said.out.contains("did you mean `read`?"), "{said:?}");
    failed(&shop.pipe(["trace", "lsp"], "hello\n"), &["hint:", "editor"]);
}

#[test]
fn grammars_are_written() {
    let shop = Workshop::new();
    let files = shop.run(["trace", "grammar", "files"]).fine().out;
    assert!(files.starts_with("start: ") && files.contains("\"read(\""), "{files}");
    shop.write("x.trace", "tools: files\ngoal: x\n");
    assert_eq!(shop.run(["trace", "grammar", "x.trace"]).fine().out, files);
    shop.write("none.trace", "goal: x\n");
    shop.run(["trace", "grammar", "none.trace"]).refused(&["no call is valid", "hint:"]);
    shop.run(["trace", "grammar", "filse"])
        .refused(&["no file and no world `filse`", "did you mean `files`?"]);
    shop.write("set.trace", "tools: fiels\ngoal: x\n");
    for command in ["check", "grammar"] {
        shop.run(["trace", command, "set.trace"])
            .refused(&["no set of tools `fiels`", "did you mean `files`?"]);
    }
}
