//! A world over the Model Context Protocol, in both dialects and over both transports, as clients speak to it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use groundwork_bridge::{Endpoint, McpServer, Recorder, serve_http};
use groundwork_trace::{SpanKind, Trace, check};
use groundwork_worlds::{Declare, Episode, FaultKind, Split, Task};
use serde_json::{Value, json};

fn task(fault: Option<FaultKind>) -> Task {
    Task { world: "files".into(), split: Split::Train, seed: 3, level: 1, fault }
}

fn modern(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({"jsonrpc": "2.0", "id": method, "method": method, "params": params})
}

fn request(id: u32, method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

fn handshake() -> [Value; 2] {
    let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    [request(0, "initialize", params), json!({"jsonrpc": "2.0", "method": "notifications/initialized"})]
}

/// What the server answers to lines of input.
fn served(task: Task, lines: &[String]) -> Vec<Value> {
    let mut out = Vec::new();
    McpServer::new(task).unwrap().serve(lines.join("\n").as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn answers(task: Task, messages: &[Value]) -> Vec<Value> {
    served(task, &messages.iter().map(Value::to_string).collect::<Vec<_>>())
}

/// The expert's calls as the protocol makes them, and its answer.
fn expert(task: &Task) -> (Vec<(String, Value)>, String) {
    let trace = Episode::expert_trace(task, Declare::None).unwrap();
    let calls = trace.spans.iter().filter(|s| s.kind == SpanKind::Action).map(|s| {
        let call = groundwork_trace::Call::parse(&s.body).unwrap();
        let args = call.args.iter().map(|(k, v)| (k.clone(), v.to_json().unwrap()));
        (call.tool.clone(), Value::Object(args.collect()))
    });
    (calls.collect(), trace.spans.last().unwrap().body.clone())
}

#[test]
fn the_expert_solves_a_task_in_both_dialects() {
    for fault in [None, Some(FaultKind::Misspelt), Some(FaultKind::Stale)] {
        let Ok(_) = McpServer::new(task(fault)) else { continue };
        let (calls, answer) = expert(&task(fault));
        let mut session = handshake().to_vec();
        let mut stateless = Vec::new();
        let all = calls.iter().map(|(name, args)| (name.as_str(), args.clone()));
        for (i, (name, args)) in all.chain([("submit_answer", json!({"answer": answer}))]).enumerate() {
            let params = json!({"name": name, "arguments": args});
            session.push(request(i as u32 + 1, "tools/call", params.clone()));
            stateless.push(modern("tools/call", params));
        }
        for (messages, is_stateless) in [(session, false), (stateless, true)] {
            let said = answers(task(fault), &messages);
            let last = &said.last().unwrap()["result"];
            assert_eq!(last["content"][0]["text"], "Solved.", "{said:#?}");
            assert_eq!(last["structuredContent"]["success"], true);
            assert_eq!(last["structuredContent"]["steps"], calls.len());
            assert_eq!(last["resultType"] == "complete", is_stateless);
        }
    }
}

#[test]
fn a_session_opens_with_a_handshake() {
    let [initialize, initialized] = handshake();
    let said = answers(
        task(None),
        &[
            request(7, "tools/list", json!({})),
            request(8, "ping", json!({})),
            initialize,
            initialized,
            request(1, "tools/list", json!({})),
            request(2, "prompts/get", json!({"name": "task"})),
            request(3, "tools/call", json!({"name": "get_task"})),
            request(4, "nothing/here", json!({})),
        ],
    );
    assert_eq!(said.len(), 7, "a notification has no answer");
    assert_eq!(said[0]["error"]["code"], -32600);
    assert_eq!(said[1]["result"], json!({}));
    let opened = &said[2]["result"];
    assert_eq!(opened["protocolVersion"], "2025-11-25");
    assert!(opened["capabilities"]["tools"].is_object() && opened["serverInfo"]["name"] == "groundwork");
    let goal = opened["instructions"].as_str().unwrap();
    assert!(goal.contains("submit_answer"));
    let tools = said[3]["result"]["tools"].as_array().unwrap();
    let names: Vec<&str> = tools.iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert!(names.ends_with(&["get_task", "submit_answer"]) && names.contains(&"read"), "{names:?}");
    for tool in tools {
        assert_eq!(tool["inputSchema"]["type"], "object");
        assert!(tool["description"].as_str().is_some_and(|d| !d.is_empty()));
    }
    assert!(said[3]["result"].get("resultType").is_none());
    assert_eq!(said[4]["result"]["messages"][0]["content"]["text"], goal);
    assert_eq!(said[5]["result"]["content"][0]["text"], goal);
    assert_eq!(said[6]["error"]["code"], -32601);
    // A version that nobody knows gets the newest one; an older one is kept.
    for (asked, given) in
        [("1999-01-01", "2025-11-25"), ("2024-11-05", "2024-11-05"), ("2026-07-28", "2025-11-25")]
    {
        let said = answers(task(None), &[request(0, "initialize", json!({"protocolVersion": asked}))]);
        assert_eq!(said[0]["result"]["protocolVersion"], given);
    }
}

#[test]
fn the_stateless_dialect_needs_no_handshake() {
    let mut unknown = modern("tools/list", json!({}));
    unknown["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!("1900-01-01");
    let mut bare = modern("tools/list", json!({}));
    bare["params"]["_meta"].as_object_mut().unwrap().remove("io.modelcontextprotocol/clientCapabilities");
    let said = answers(
        task(None),
        &[
            modern("server/discover", json!({})),
            modern("tools/list", json!({})),
            unknown,
            bare,
            modern("initialize", json!({})),
            modern("tools/call", json!({"name": "list", "arguments": {"dir": "no such"}})),
        ],
    );
    let discovered = &said[0]["result"];
    assert_eq!(discovered["supportedVersions"][0], "2026-07-28");
    assert_eq!(discovered["resultType"], "complete");
    assert_eq!(discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "groundwork");
    assert!(discovered["ttlMs"].is_u64() && discovered["cacheScope"] == "private");
    assert!(said[1]["result"]["tools"].is_array() && said[1]["result"]["ttlMs"].is_u64());
    assert_eq!(said[2]["error"]["code"], -32022);
    assert_eq!(said[2]["error"]["data"]["requested"], "1900-01-01");
    assert_eq!(said[3]["error"]["code"], -32602);
    assert_eq!(said[4]["error"]["code"], -32601);
    assert_eq!(said[5]["result"]["isError"], true, "a refusal of the tool is for the model: {}", said[5]);
}

#[test]
fn bad_messages_get_an_answer_and_end_nothing() {
    let lines: Vec<String> = [
        "rubbish",
        "[]",
        "{}",
        "{\"id\": 1}",
        "{\"method\": 3, \"id\": 1}",
        "{\"jsonrpc\": \"2.0\", \"id\": 5, \"result\": {}}",
        "",
        "{\"method\": \"notifications/cancelled\"}",
        "\u{1}",
    ]
    .map(str::to_owned)
    .to_vec();
    let said = served(task(None), &lines);
    assert_eq!(
        said.iter().map(|s| s["error"]["code"].as_i64().unwrap()).collect::<Vec<_>>(),
        [-32700, -32600, -32600, -32600, -32600, -32700]
    );
    let call = |params| modern("tools/call", params);
    let said = answers(
        task(None),
        &[
            call(json!({})),
            call(json!({"name": "raed", "arguments": {}})),
            call(json!({"name": "read", "arguments": [1]})),
            call(json!({"name": "read", "arguments": {}})),
            call(json!({"name": "read", "arguments": {"path": 3}})),
            call(json!({"name": "submit_answer", "arguments": {}})),
            call(json!({"name": "submit_answer", "arguments": {"answer": "?"}})),
            call(json!({"name": "list", "arguments": {"dir": "/"}})),
        ],
    );
    for refused in &said[..3] {
        assert_eq!(refused["error"]["code"], -32602, "{refused}");
    }
    for told in [&said[3], &said[4], &said[5], &said[7]] {
        assert_eq!(told["result"]["isError"], true, "{told}");
    }
    assert!(said[3]["result"]["content"][0]["text"].as_str().unwrap().contains("path"));
    assert_eq!(said[6]["result"]["content"][0]["text"], "Not solved.");
}

/// A server that runs until the test ends.
fn listening() -> SocketAddr {
    let endpoint = Endpoint::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = endpoint.url()["http://".len()..].trim_end_matches("/mcp").parse().unwrap();
    thread::spawn(move || serve_http(&McpServer::new(task(None)).unwrap(), &endpoint));
    address
}

/// One HTTP request: status, headers in small letters, body.
fn http(address: SocketAddr, head: &str, headers: &[(&str, &str)], body: &str) -> (u16, String, Value) {
    let mut stream = TcpStream::connect(address).unwrap();
    let mut text =
        format!("{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        text += &format!("{name}: {value}\r\n");
    }
    stream.write_all(format!("{text}\r\n{body}").as_bytes()).unwrap();
    let mut said = String::new();
    stream.read_to_string(&mut said).unwrap();
    let (head, body) = said.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), serde_json::from_str(body).unwrap_or(Value::Null))
}

#[test]
fn http_keeps_sessions_apart() {
    let address = listening();
    let post = |session: Option<&str>, message: &Value| {
        let headers: Vec<(&str, &str)> = session.map(|s| ("Mcp-Session-Id", s)).into_iter().collect();
        http(address, "POST /mcp", &headers, &message.to_string())
    };
    let open = || {
        let (status, head, body) = post(None, &handshake()[0]);
        assert_eq!((status, body["result"]["protocolVersion"].as_str()), (200, Some("2025-11-25")));
        let session = head.lines().find_map(|l| l.strip_prefix("mcp-session-id: ")).unwrap().to_owned();
        assert_eq!(post(Some(&session), &handshake()[1]).0, 202);
        session
    };
    let (one, two) = (open(), open());
    let submit = request(1, "tools/call", json!({"name": "submit_answer", "arguments": {"answer": ""}}));
    let over = |session: &str| post(Some(session), &submit).2["result"]["isError"] == true;
    assert!(!over(&one) && over(&one), "the first episode is over");
    assert!(!over(&two), "the second is not");
    assert_eq!(post(None, &request(1, "tools/list", json!({}))).0, 400);
    assert_eq!(post(Some("foreign"), &request(1, "tools/list", json!({}))).0, 404);
    let delete = |session: &str| http(address, "DELETE /mcp", &[("Mcp-Session-Id", session)], "").0;
    assert_eq!((delete(&one), delete(&one)), (204, 404));
    assert_eq!(post(Some(&one), &request(1, "tools/list", json!({}))).0, 404);
}

#[test]
fn http_checks_what_a_stateless_request_says_of_itself() {
    let address = listening();
    let version = ("MCP-Protocol-Version", "2026-07-28");
    let post = |path: &str, headers: &[(&str, &str)], message: &Value| {
        http(address, &format!("POST {path}"), headers, &message.to_string())
    };
    let list = modern("tools/list", json!({}));
    let (status, _, body) = post("/mcp", &[version, ("Mcp-Method", "tools/list")], &list);
    assert_eq!(status, 200, "{body}");
    assert_eq!(body["result"]["resultType"], "complete");
    let call = modern("tools/call", json!({"name": "submit_answer", "arguments": {"answer": ""}}));
    let named = [version, ("mcp-method", "tools/call"), ("Mcp-Name", "=?base64?c3VibWl0X2Fuc3dlcg==?=")];
    let over = |path: &str| post(path, &named, &call).2["result"]["isError"] == true;
    assert!(!over("/mcp/a") && over("/mcp/a") && !over("/mcp/b"), "every path is an episode");
    for (headers, code) in [
        (vec![version], -32020),
        (vec![("Mcp-Method", "tools/list")], -32020),
        (vec![version, ("Mcp-Method", "tools/call")], -32020),
        (vec![("MCP-Protocol-Version", "2025-11-25"), ("Mcp-Method", "tools/list")], -32020),
    ] {
        let (status, _, body) = post("/mcp", &headers, &list);
        assert_eq!((status, body["error"]["code"].as_i64()), (400, Some(code)), "{headers:?} {body}");
    }
    let (status, _, body) =
        post("/mcp", &[version, ("Mcp-Method", "tools/call"), ("Mcp-Name", "read")], &call);
    assert_eq!((status, &body["error"]["code"]), (400, &json!(-32020)));
    let other = modern("no/such", json!({}));
    assert_eq!(post("/mcp", &[version, ("Mcp-Method", "no/such")], &other).0, 404);
    let (status, _, body) =
        post("/mcp", &[("MCP-Protocol-Version", "1900-01-01")], &request(1, "tools/list", json!({})));
    assert_eq!((status, &body["error"]["code"]), (400, &json!(-32022)));
}

#[test]
fn http_refuses_what_is_no_request() {
    let address = listening();
    let list = request(1, "tools/list", json!({})).to_string();
    assert_eq!(http(address, "POST /mcp", &[("Origin", "https://evil.example")], &list).0, 403);
    assert_eq!(http(address, "POST /mcp", &[("Origin", "http://localhost:5")], &list).0, 400);
    assert_eq!(http(address, "GET /mcp", &[], "").0, 405);
    assert_eq!(http(address, "POST /other", &[], &list).0, 404);
    assert_eq!(http(address, "POST /mcpx", &[], &list).0, 404);
    assert_eq!(http(address, "POST /mcp", &[], "rubbish").2["error"]["code"], -32700);
    assert_eq!(http(address, "POST /mcp", &[], "[]").0, 400);
}

/// A place to write to that the test can read.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Records a session with a server that says `answers` once it has read everything.
fn recorded(said: &[u8], answers: &[u8]) -> (Recorder, Vec<u8>, String) {
    let log = Shared::default();
    let recorder = Recorder::new(Some("Do it.".to_owned()), Some(Box::new(log.clone())));
    let mut server = Command::new("sh")
        .args(["-c", "cat >&2; printf %s \"$ANSWERS\""])
        .env("ANSWERS", String::from_utf8(answers.to_owned()).unwrap())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut heard = server.stderr.take().unwrap();
    let (to_server, from_server) = (server.stdin.take().unwrap(), server.stdout.take().unwrap());
    let mut to_client = Vec::new();
    recorder.run(std::io::Cursor::new(said.to_owned()), &mut to_client, to_server, from_server).unwrap();
    server.wait().unwrap();
    let mut bytes = Vec::new();
    heard.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, said, "the server hears what the client says");
    (recorder, to_client, log.text())
}

#[cfg(unix)]
#[test]
fn a_recorded_session_is_a_trace() {
    for stateless in [false, true] {
        let (calls, answer) = expert(&task(None));
        let mut messages: Vec<Value> = if stateless { Vec::new() } else { handshake().to_vec() };
        let mut id = 10;
        let mut ask = |method: &str, params: Value| {
            id += 1;
            let mut message = if stateless { modern(method, params) } else { request(id, method, params) };
            message["id"] = json!(id);
            message
        };
        messages.push(ask("tools/list", json!({})));
        for (name, args) in &calls {
            messages.push(ask("tools/call", json!({"name": name, "arguments": args})));
        }
        messages.push(ask("tools/call", json!({"name": "submit_answer", "arguments": {"answer": answer}})));
        let lines = |all: &[Value]| all.iter().map(|m| format!("{m}\n")).collect::<String>();
        let said = lines(&messages);
        let answers = lines(&answers(task(None), &messages));
        let (recorder, to_client, log) = recorded(said.as_bytes(), answers.as_bytes());
        assert_eq!(String::from_utf8(to_client).unwrap(), answers);

        // The log has every line of both sides, as it was.
        let entries: Vec<Value> = log.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        let of = |side: &str| -> String {
            let side = entries.iter().filter(|e| e["from"] == side);
            side.map(|e| format!("{}\n", e["message"].as_str().unwrap())).collect()
        };
        assert_eq!((of("client"), of("server")), (said, answers));

        let (trace, _) = recorder.trace().unwrap();
        // The log makes the same trace, also where its last line was cut off.
        let (again, cut) = Recorder::read_log(format!("{log}{{\"time\":\"20").as_bytes()).unwrap();
        assert_eq!((again.trace().unwrap().0, cut), (trace.clone(), true));
        // Every call and its result have their times.
        for span in &trace.spans {
            let result = matches!(span.kind, SpanKind::Observation | SpanKind::Error);
            assert_eq!(span.meta("time").is_some(), result || span.kind == SpanKind::Action, "{span:?}");
            assert_eq!(span.meta("x_seconds").is_some(), result, "{span:?}");
        }
        assert!(!check(&trace.to_annotated(), |_| Err(String::new())).has_errors());
        let kinds: Vec<SpanKind> = trace.spans.iter().map(|s| s.kind).collect();
        assert_eq!(kinds[..2], [SpanKind::Tools, SpanKind::Goal]);
        let actions: Vec<&str> =
            trace.spans.iter().filter(|s| s.kind == SpanKind::Action).map(|s| s.body.as_str()).collect();
        let expert = Episode::expert_trace(&task(None), Declare::None).unwrap();
        let its: Vec<&str> =
            expert.spans.iter().filter(|s| s.kind == SpanKind::Action).map(|s| s.body.as_str()).collect();
        assert_eq!(actions[..its.len()], its);
        assert_eq!(actions.len(), its.len() + 1);
        assert_eq!(Trace::parse(&trace.to_annotated()).unwrap(), trace);
        assert!(trace.tools().iter().any(|t| t.name == "read"));
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_message_passes_and_is_kept() {
    let said = b"rubbish\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"a\",\"arguments\":{\"x\":1e3,\"y\":123456789012345678901234567890}}}\nno line feed";
    let answers = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"roots/list\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}}\n";
    let (recorder, to_client, log) = recorded(said, answers.as_bytes());
    assert_eq!(to_client, answers.as_bytes());
    assert_eq!(log.lines().count(), 6);
    let (again, cut) = Recorder::read_log(log.as_bytes()).unwrap();
    assert!(again.trace().unwrap() == recorder.trace().unwrap() && !cut);
    let wrong = Recorder::read_log(&b"{\"goal\":\"a\"}\n{\"jsonrpc\":\"2.0\"}\n"[..]).err().unwrap();
    assert!(wrong.to_string().contains("line 2"), "{wrong}");
    let (trace, _) = recorder.trace().unwrap();
    let bodies: Vec<&str> = trace.spans.iter().map(|s| s.body.as_str()).collect();
    assert_eq!(bodies, ["Do it.", "a(x=1e3, y=123456789012345678901234567890)", "\"ok\""]);
}
