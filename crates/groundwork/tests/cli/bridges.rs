//! `mcp`, `trace lsp`, `trace record` and `trace grammar`: the program among others.

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
        "action [failed]: list(dir=\"nowhere\")\n",
        "action: submit_answer(answer=\"3\")\n",
    ] {
        assert!(trace.contains(part), "{part}\n{trace}");
    }
    shop.run(["trace", "check", "x.trace"]).fine();
    shop.run(["trace", "fmt", "--check", "x.trace"]).fine();
    assert_eq!(shop.read("x.jsonl").lines().count(), 5 + 4);
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
    shop.run(["trace", "grammar", "filse"]).refused(&["no file and no world `filse`", "hint:"]);
}
