//! Models behind an endpoint: a small server that answers well, badly, late, or not at all.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use groundwork_arena::{
    Attempts, Ended, Endpoint, Journal, Protocol, Rollout, Spent, Stopped, SuiteSpec, play_endpoint,
};
use groundwork_trace::{Call, SpanKind, Trace};
use groundwork_worlds::{Declare, Episode, Task};
use serde_json::{Value, json};

/// What the server does with a request: its number, from 0, and its body.
type Script = dyn Fn(usize, &Value) -> Answer + Send + Sync;

enum Answer {
    /// 200 with this body.
    Json(Value),
    /// A status, more headers, and a body.
    Status(u16, &'static str, &'static str),
    /// A body that announces more than it has.
    Truncated,
    /// So many bytes of text in a reply that is otherwise right.
    Long(usize),
    /// Nothing, for so long.
    Hang(Duration),
}

struct Server {
    endpoint: Endpoint,
    requests: Arc<AtomicUsize>,
    bodies: Arc<Mutex<Vec<Value>>>,
}

fn serve(script: impl Fn(usize, &Value) -> Answer + Send + Sync + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (requests, bodies) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
    let script: Arc<Script> = Arc::new(script);
    let (counted, kept) = (Arc::clone(&requests), Arc::clone(&bodies));
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (script, counted, kept) = (Arc::clone(&script), Arc::clone(&counted), Arc::clone(&kept));
            std::thread::spawn(move || talk(stream, &*script, &counted, &kept));
        }
    });
    let mut endpoint = Endpoint::new(&format!("http://{address}/v1/"), "m");
    endpoint.backoff = Duration::from_millis(2);
    endpoint.timeout = Duration::from_secs(20);
    endpoint.concurrency = 3;
    endpoint.retries = 4;
    Server { endpoint, requests, bodies }
}

fn talk(stream: TcpStream, script: &Script, counted: &AtomicUsize, kept: &Mutex<Vec<Value>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    loop {
        let mut length = 0;
        let mut line = String::new();
        loop {
            line.clear();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = n.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let number = counted.fetch_add(1, Ordering::SeqCst);
        let answer = script(number, &body);
        kept.lock().unwrap().push(body);
        let (status, headers, text) = match answer {
            Answer::Json(json) => (200, "", json.to_string()),
            Answer::Status(status, headers, text) => (status, headers, text.to_owned()),
            Answer::Long(bytes) => (200, "", said(&"x".repeat(bytes)).to_string()),
            Answer::Truncated => {
                let _ = write!(writer, "HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{{\"choices\"");
                return;
            }
            Answer::Hang(time) => {
                std::thread::sleep(time);
                return;
            }
        };
        let length = text.len();
        let _ = write!(writer, "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{text}");
    }
}

fn said(text: &str) -> Value {
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 10});
    json!({"choices": [{"message": {"role": "assistant", "content": text}, "text": text}], "usage": usage})
}

fn suite() -> SuiteSpec {
    // Clean tasks, so that a goal tells which task it is.
    let (worlds, faults) = (vec!["files".into()], Vec::new());
    SuiteSpec { worlds, faults, levels: vec![1, 2], tasks: 3, ..SuiteSpec::default() }
}

fn attempts() -> Vec<(Task, u32)> {
    suite().tasks().unwrap().into_iter().map(|t| (t, 0)).collect()
}

/// Plays all attempts; returns what ended, in the order of the suite, and what stopped it.
fn play(endpoint: &Endpoint) -> (Vec<(usize, Rollout)>, Option<Stopped>) {
    play_these(endpoint, &attempts())
}

fn play_these(endpoint: &Endpoint, attempts: &[(Task, u32)]) -> (Vec<(usize, Rollout)>, Option<Stopped>) {
    let mut ended = Vec::new();
    let stop = Arc::new(AtomicBool::new(false));
    let stopped =
        play_endpoint(endpoint, &suite(), attempts, Spent::default(), &stop, &mut |place, rollout, _| {
            ended.push((place, rollout));
            Ok(())
        })
        .unwrap();
    ended.sort_by_key(|(place, _)| *place);
    (ended, stopped)
}

/// What the expert says next, given how many actions it has taken already, in the task whose goal is in `text`.
fn expert(text: &str) -> Option<(Trace, Task)> {
    suite().tasks().unwrap().into_iter().find_map(|task| {
        let trace = Episode::expert_trace(&task, Declare::None).unwrap();
        let goal = &trace.spans.iter().find(|s| s.kind == SpanKind::Goal)?.body;
        (text == *goal).then_some((trace, task))
    })
}

fn agents(trace: &Trace) -> Vec<(SpanKind, String)> {
    let own = trace.spans.iter().filter(|s| matches!(s.kind, SpanKind::Action | SpanKind::Answer));
    own.map(|s| (s.kind, s.body.clone())).collect()
}

/// A model that plays like the expert, by native calls or in text.
fn plays_well(body: &Value) -> Value {
    if let Some(prompt) = body["prompt"].as_str() {
        let own = prompt.rsplit("---\n").next().unwrap();
        let goal = own.lines().find_map(|l| l.strip_prefix("goal: ")).unwrap();
        let step = own.matches("\naction: ").count();
        let (kind, text) = agents(&expert(goal).unwrap().0)[step].clone();
        return said(&format!("{kind}: {text}\nobservation: \"dreamt\"\n"));
    }
    let messages = body["messages"].as_array().unwrap();
    let goal = messages[1]["content"].as_str().unwrap();
    let steps = agents(&expert(goal).unwrap().0);
    let taken = messages.iter().filter(|m| m["role"] == "assistant").count();
    let (kind, text) = steps[taken].clone();
    if body["tools"].is_null() {
        return said(&format!("I see.\n{kind}: {text}"));
    }
    if kind == SpanKind::Answer {
        return said(&text);
    }
    let call = Call::parse(&text).unwrap();
    let args: serde_json::Map<String, Value> =
        call.args.iter().map(|(k, v)| (k.clone(), v.to_json().unwrap())).collect();
    let function = json!({"name": call.tool, "arguments": Value::Object(args).to_string()});
    let calls = json!([{"id": "c", "type": "function", "function": function}]);
    let mut reply = said("");
    reply["choices"][0]["message"]["tool_calls"] = calls;
    reply
}

#[test]
fn an_expert_behind_an_endpoint_solves_everything_by_every_protocol() {
    for protocol in Protocol::ALL {
        let server = serve(|_, body| Answer::Json(plays_well(body)));
        let endpoint = Endpoint { protocol, ..server.endpoint.clone() };
        let (ended, stopped) = play(&endpoint);
        assert_eq!((ended.len(), stopped), (attempts().len(), None));
        for (place, r) in &ended {
            assert_eq!(r.task, attempts()[*place].0);
            assert!(r.success && r.ended == Ended::Answer, "{protocol:?}\n{}", r.trace.to_annotated());
            assert!(r.tokens == 110 && r.said >= 20, "{r:?}");
        }
        let bodies = server.bodies.lock().unwrap();
        assert!(bodies.iter().all(|b| b["model"] == "m"));
        let first = bodies[0].to_string();
        assert!(first.contains("goal: "), "examples of solved tasks come first: {first}");
    }
}

#[test]
fn failures_that_pass_are_waited_out() {
    let server = serve(|number, body| match number {
        0 => Answer::Status(500, "", "oops"),
        1 => Answer::Status(429, "retry-after: 0.05\r\n", r#"{"error": {"message": "slow down"}}"#),
        2 => Answer::Status(200, "", "<html>rubbish</html>"),
        3 => Answer::Truncated,
        4 => Answer::Status(200, "", r#"{"choices": []}"#),
        5 => Answer::Status(503, "retry-after: Sun, 06 Nov 1994 08:49:37 GMT\r\n", ""),
        _ => Answer::Json(plays_well(body)),
    });
    let (ended, stopped) = play(&server.endpoint);
    assert_eq!((ended.len(), stopped), (attempts().len(), None));
    assert!(ended.iter().all(|(_, r)| r.success));
}

#[test]
fn one_that_stays_broken_stops_the_evaluation_with_what_it_said() {
    let broken = |answer: fn() -> Answer, retries: u32, timeout: Duration| {
        let mut server = serve(move |_, _| answer());
        server.endpoint.retries = retries;
        server.endpoint.timeout = timeout;
        let (ended, stopped) = play(&server.endpoint);
        assert!(ended.is_empty());
        let Some(Stopped::Failed(why)) = stopped else { panic!("{stopped:?}") };
        (why, server.requests.load(Ordering::SeqCst))
    };
    let long = Duration::from_secs(20);
    let (why, _) = broken(|| Answer::Status(500, "", "out of order"), 2, long);
    assert!(why.contains("500: out of order") && why.contains("3 times in a row"), "{why}");
    let (why, requests) = broken(|| Answer::Status(401, "", r#"{"error": {"message": "no key"}}"#), 5, long);
    assert!(why.contains("no key") && why.contains("--key-env") && requests <= 3, "{why}, {requests}");
    let (why, _) = broken(|| Answer::Status(404, "", "what?"), 5, long);
    assert!(why.contains("model's name"), "{why}");
    let (why, _) = broken(|| Answer::Status(400, "", r#"{"error": {"message": "tools? no"}}"#), 5, long);
    assert!(why.contains("400: tools? no"), "{why}");
    let start = Instant::now();
    let (why, _) = broken(|| Answer::Hang(Duration::from_secs(30)), 1, Duration::from_millis(200));
    assert!(why.to_lowercase().contains("timeout") && start.elapsed() < Duration::from_secs(10), "{why}");
    let mut gone = Endpoint::new("http://127.0.0.1:9/v1", "m");
    (gone.retries, gone.backoff) = (1, Duration::from_millis(1));
    assert!(matches!(play(&gone).1, Some(Stopped::Failed(_))));
}

#[test]
fn hostile_models_end_their_attempts_and_nothing_else() {
    // One that calls a tool for ever, one that says 100 MB, one that talks for ever, one whose calls are rubbish.
    type Model = fn(&Value) -> Answer;
    let models: [(Model, Protocol, &[Ended]); 5] = [
        (|_| Answer::Json(said("action: list(dir=\"/\")")), Protocol::Chat, &[Ended::Steps]),
        (|_| Answer::Long(100 << 20), Protocol::Chat, &[Ended::TooLong]),
        (|_| Answer::Long(1 << 20), Protocol::Chat, &[Ended::TooLong]),
        (|_| Answer::Json(said("hm")), Protocol::Chat, &[Ended::Steps]),
        (
            |_| {
                let call = json!([{"function": {"name": "é(", "arguments": "{\"a\": "}}, {}]);
                let mut reply = said("");
                reply["choices"][0]["message"]["tool_calls"] = call;
                Answer::Json(reply)
            },
            Protocol::Tools,
            &[Ended::Steps],
        ),
    ];
    for (model, protocol, expected) in models {
        let server = serve(move |_, body| model(body));
        let endpoint = Endpoint { protocol, ..server.endpoint.clone() };
        let (ended, stopped) = play_these(&endpoint, &attempts()[..1]);
        assert_eq!((ended.len(), stopped), (1, None), "{expected:?}");
        for (_, r) in ended {
            assert!(!r.success && expected.contains(&r.ended), "{:?} {expected:?}", r.ended);
            assert!(r.steps <= suite().max_steps && r.trace.to_annotated().len() < 200_000);
        }
    }
}

#[test]
fn a_ceiling_holds_and_the_rest_is_played_later() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("attempts.jsonl");
    let server = serve(|_, body| Answer::Json(plays_well(body)));
    let mut endpoint = server.endpoint.clone();
    endpoint.price = (1000.0, 1000.0);
    endpoint.concurrency = 1;
    // A request costs 0.11.
    endpoint.max_cost = Some(0.5);
    let stop = Arc::new(AtomicBool::new(false));
    let go = |endpoint: &Endpoint| {
        let (mut journal, before) = Journal::open(&path, "m", &suite()).unwrap();
        let mut attempts = Attempts::new(&suite(), before).unwrap();
        let mut heard = 0;
        let stopped =
            attempts.play_endpoint(endpoint, &suite(), &mut journal, &stop, &mut |_, _| heard += 1).unwrap();
        (attempts.made(), attempts.spent(), stopped, heard)
    };
    let (made, spent, stopped, _) = go(&endpoint);
    assert!(matches!(stopped, Some(Stopped::Ceiling(_))), "{stopped:?}");
    assert!(!made.is_empty() && made.len() < attempts().len());
    assert!(spent.cost(endpoint.price) <= 0.62, "{spent:?}");
    let kept = made.len();
    // What was spent counts on: nothing more is begun.
    let (made, _, stopped, heard) = go(&endpoint);
    assert!(matches!(stopped, Some(Stopped::Ceiling(_))) && made.len() == kept && heard == 0);
    endpoint.max_cost = None;
    let (made, _, stopped, heard) = go(&endpoint);
    assert_eq!((made.len(), stopped, heard), (attempts().len(), None, attempts().len() - kept));
    assert!(made.iter().all(|r| r.success));
    assert!(made.iter().map(|r| &r.task).eq(attempts().iter().map(|(t, _)| t)), "in the suite's order");
}

#[test]
fn stopping_is_quick_even_while_requests_hang() {
    let server = serve(|_, _| Answer::Hang(Duration::from_secs(30)));
    let stop = Arc::new(AtomicBool::new(false));
    let setter = Arc::clone(&stop);
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(150));
        setter.store(true, Ordering::Relaxed);
    });
    let start = Instant::now();
    let stopped = play_endpoint(
        &server.endpoint,
        &suite(),
        &attempts(),
        Spent::default(),
        &stop,
        &mut |_, _, _| Ok(()),
    );
    assert_eq!(stopped.unwrap(), Some(Stopped::Interrupted));
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn a_newer_endpoint_gets_the_limit_under_its_newer_name() {
    let server = serve(|_, body| match body["max_completion_tokens"].is_null() {
        true => Answer::Status(400, "", r#"{"error": {"message": "use 'max_completion_tokens' instead"}}"#),
        false => Answer::Json(plays_well(body)),
    });
    let (ended, stopped) = play(&server.endpoint);
    assert_eq!((ended.len(), stopped), (attempts().len(), None));
}
