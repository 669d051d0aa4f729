//! Logs and trajectories as other programs write them.

use groundwork_trace::adapters::{Format, LossKind};
use groundwork_trace::{Span, SpanKind, Trace, Value, check};

/// The annotated traces and the kinds of loss.
fn read(format: Format, text: &str) -> (String, Vec<LossKind>) {
    let read = format.read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (Trace::print_all(&read.value), read.losses.iter().map(|l| l.kind).collect())
}

#[test]
fn atif() {
    let (trace, losses) = read(
        Format::Atif,
        r#"{"schema_version":"ATIF-v1.7","session_id":"s","agent":{"name":"terminus","version":"2","model_name":"m",
            "tool_definitions":[{"type":"function","function":{"name":"ls","parameters":{"type":"object","properties":{"dir":{"type":"string"}},"required":["dir"]}}}]},
        "steps":[
        {"step_id":1,"timestamp":"2026-11-30T08:00:00Z","source":"user","message":"List /."},
        {"step_id":2,"timestamp":"2026-11-30T08:00:01Z","source":"agent","model_name":"m","message":"","reasoning_content":"Easy.",
         "tool_calls":[{"tool_call_id":"x1","function_name":"ls","arguments":{"dir":"/"}}],
         "observation":{"results":[{"source_call_id":"x1","content":"a\nb"}]},
         "metrics":{"prompt_tokens":10,"completion_tokens":4,"cost_usd":0.25}},
        {"step_id":3,"source":"agent","message":"{\"keystrokes\":\"ls\"}","observation":{"results":[{"content":"a"}]}},
        {"step_id":4,"source":"agent","message":"There are two."}],
        "final_metrics":{"total_steps":4}}"#,
    );
    assert_eq!(
        trace,
        "tools {\n  ls(dir: str) -> any\n}\n\
         goal [time=\"2026-11-30T08:00:00Z\"]: List /.\n\
         thought [author=\"m\" time=\"2026-11-30T08:00:01Z\" tokens=4 cost=0.25]: Easy.\n\
         action [call=\"x1\"]: ls(dir=\"/\")\nobservation: \"a\\nb\"\n\
         action [failed]: {\"keystrokes\":\"ls\"}\nobservation: \"a\"\nanswer: There are two.\n"
    );
    use LossKind::*;
    assert_eq!(losses, [Metadata, Tools, Metadata, Metadata, Metadata, Metadata]);
    let found = check(&trace, |_| Err(String::new()));
    assert!(!found.has_errors(), "{}", found.render(&trace, "atif", false));
}

#[test]
fn adp() {
    let (trace, losses) = read(
        Format::Adp,
        r#"{"id":"t1","content":[
        {"class_":"text_observation","content":"Sort it.","source":"user"},
        {"class_":"code_action","language":"python","content":"sorted(x)","description":"I run it.","tool_call_id":"a"},
        {"class_":"text_observation","content":"NameError","source":"environment","tool_call_id":"a"},
        {"class_":"api_action","function":"look","kwargs":{"at":"x"},"reasoning_content":"What is x?","reward":0.5,"tool_call_id":"b"},
        {"class_":"web_observation","url":"u","tool_call_id":"b"},
        {"class_":"message_action","content":"There is no x."}],"details":{"dataset":"d"}}"#,
    );
    assert_eq!(
        trace,
        "goal: Sort it.\nplan: I run it.\naction [call=\"a\"]: code_action(language=\"python\", content=\"sorted(x)\")\n\
         observation: \"NameError\"\nthought [score=0.5]: What is x?\naction [call=\"b\"]: look(at=\"x\")\n\
         observation: {class_: \"web_observation\", url: \"u\", tool_call_id: \"b\"}\nanswer: There is no x.\n"
    );
    use LossKind::*;
    assert_eq!(losses, [Metadata, Attachment, Metadata]);
}

#[test]
fn open_telemetry() {
    let flat = r#"[{"name":"execute_tool pay","start_time":"2026-01-01T00:00:01Z","attributes":{"gen_ai.operation.name":"execute_tool"}},
        {"name":"chat m","start_time":"2026-01-01T00:00:00Z","attributes":{"gen_ai.input.messages":"[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"Pay.\"}]}]"}},
        {"name":"chat m","start_time":"2026-01-01T00:00:02Z","attributes":{"gen_ai.request.model":"m",
         "gen_ai.system_instructions":[{"type":"text","content":"Be brief."}],
         "gen_ai.input.messages":[{"role":"user","parts":[{"type":"text","content":"Pay."}]},
            {"role":"assistant","parts":[{"type":"tool_call","id":"c","name":"pay","arguments":{"to":"Ann"}}],"finish_reason":"tool_call"},
            {"role":"tool","parts":[{"type":"tool_call_response","id":"c","response":{"ok":true}}]}],
         "gen_ai.output.messages":[{"role":"assistant","parts":[{"type":"text","content":"Done."}],"finish_reason":"stop"}]}}]"#;
    let expected = "system: Be brief.\ngoal: Pay.\naction [call=\"c\"]: pay(to=\"Ann\")\nobservation: {ok: true}\nanswer: Done.\n";
    let (trace, losses) = read(Format::OpenTelemetry, flat);
    use LossKind::*;
    assert_eq!((trace.as_str(), losses), (expected, vec![Layout, Metadata]));
    let written = Format::OpenTelemetry.write(&Trace::parse(expected).unwrap());
    assert_eq!(written.losses, []);
    assert_eq!(read(Format::OpenTelemetry, &written.value).0, expected);
    let none = Format::OpenTelemetry.read(r#"{"resourceSpans":[]}"#).unwrap_err().to_string();
    assert!(none.starts_with("no span has `gen_ai.input.messages` at the whole document"), "{none}");
}

#[test]
fn swe_agent() {
    let (trace, losses) = read(
        Format::SweAgent,
        r#"{"environment":"main","trajectory":[
        {"action":"ls -F\n","observation":"a.py\n","response":"Look.\n```\nls -F\n```","thought":"Look.","state":{"working_dir":"/"},"execution_time":0.1},
        {"action":"","observation":"No command was found.","response":"Hm.","thought":"Hm."},
        {"action":"submit","observation":"","response":"Done.submit","thought":"Done."}],
        "history":[{"role":"system","content":"You fix.","agent":"main","message_type":"system_prompt"},
        {"role":"user","content":"Fix a.py.","agent":"main"},{"role":"assistant","content":"Look.","agent":"main"}],
        "info":{"exit_status":"submitted","submission":"diff"}}"#,
    );
    assert_eq!(
        trace,
        "system: You fix.\ngoal: Fix a.py.\nplan: Look.\naction: bash(command=\"ls -F\\n\")\nobservation: \"a.py\\n\"\n\
         plan: Hm.\naction [failed]:\nobservation: \"No command was found.\"\n\
         plan: Done.\naction: bash(command=\"submit\")\nobservation: \"\"\n"
    );
    assert!(losses.contains(&LossKind::Layout) && losses.contains(&LossKind::Metadata), "{losses:?}");
}

#[test]
fn inspect() {
    let (trace, losses) = read(
        Format::Inspect,
        r#"{"version":2,"status":"success","eval":{"model":"m"},"samples":[{"id":7,"epoch":1,"input":"Pay.","target":"yes","messages":[
        {"id":"a","content":"Pay.","role":"user","source":"input"},
        {"id":"b","content":[{"type":"reasoning","reasoning":"Hm.","signature":"s","redacted":false},{"type":"text","text":"I pay."}],"role":"assistant","model":"m",
         "tool_calls":[{"id":"c","function":"pay","arguments":{"to":"Ann"},"type":"function"}]},
        {"id":"d","content":"","role":"tool","tool_call_id":"c","function":"pay","error":{"type":"permission","message":"no"}}],
        "scores":{"match":{"value":"I"}}},
        {"id":8,"epoch":1,"input":"Hi.","target":"","messages":[{"content":"Hi.","role":"user"}]}]}"#,
    );
    assert_eq!(
        trace,
        "goal: Pay.\nthought [author=\"m\" signature=\"s\"]: Hm.\nplan: I pay.\naction [failed call=\"c\"]: pay(to=\"Ann\")\n\
         error: no\n---\ngoal: Hi.\n"
    );
    assert!(losses.contains(&LossKind::Metadata) && losses.contains(&LossKind::Ids), "{losses:?}");
    let trace = Trace::parse(trace.split("---\n").next().unwrap()).unwrap();
    let written = Format::Inspect.write(&trace);
    assert_eq!(written.losses, []);
    // As a sample lies in an archive.
    let sample = written.value.split_once("\"samples\":[").unwrap().1.strip_suffix("]}").unwrap();
    assert_eq!(Format::Inspect.read(sample).unwrap().value, [trace]);
}

#[test]
fn verifiers() {
    let document = r#"{"version":1,"id":"x","task":{"type":"T","data":{}},"agent":{"config":{}},"tools":[],"nodes":[
        {"parent":null,"message":{"role":"user","content":"Pay."},"sampled":false,"timestamp":1.0},
        {"parent":0,"message":{"role":"assistant","content":null,"tool_calls":[{"id":"c","type":"function","name":"pay","arguments":"{\"to\":\"Ann\"}"}]},"sampled":true},
        {"parent":1,"message":{"role":"tool","tool_call_id":"c","content":"ok"},"sampled":false},
        {"parent":2,"message":{"role":"assistant","content":"Done."},"sampled":true},
        {"parent":0,"message":{"role":"assistant","content":"No."},"sampled":true}],"rewards":{"r":{"score":1.0,"weight":1.0}}}"#;
    let (trace, losses) = read(Format::Verifiers, document);
    assert_eq!(
        trace,
        "goal [id=\"n0\"]: Pay.\naction [call=\"c\"]: pay(to=\"Ann\")\nobservation: \"ok\"\nanswer: Done.\nanswer [after=\"n0\"]: No.\n"
    );
    use LossKind::*;
    assert_eq!(losses, [Metadata, Metadata, Metadata, Metadata]);
    let trace = Trace::parse(&trace).unwrap();
    let written = Format::Verifiers.write(&trace);
    assert_eq!(
        (Format::Verifiers.read(&written.value).unwrap().value, written.losses),
        (vec![trace.clone()], vec![])
    );
    // Other formats take the last branch, and say so.
    let written = Format::OpenAiChat.write(&trace);
    assert_eq!(
        written.value,
        r#"{"messages":[{"role":"user","content":"Pay."},{"role":"assistant","content":"No."}]}"#
    );
    assert_eq!(written.losses.iter().filter(|l| l.kind == Dropped).count(), 3);
    let wrong = document.replace("\"parent\":2", "\"parent\":7");
    let message = Format::Verifiers.read(&wrong).unwrap_err().to_string();
    assert!(message.starts_with("`7` is no node before this one at `/nodes/3/parent`"), "{message}");
}

/// Weights that verifiers states token by token are the message's where they are all the same.
#[test]
fn weights_of_messages() {
    let document = |user: &str, agent: &str, tool: &str| {
        format!(
            r#"{{"version":1,"nodes":[{{"parent":null,"message":{{"role":"user","content":"Pay."}},"sampled":false{user}}},
{{"parent":0,"message":{{"role":"assistant","content":"I pay.","tool_calls":[{{"id":"call_0","type":"function","name":"f","arguments":"{{}}"}},{{"id":"call_1","type":"function","name":"g","arguments":"{{}}"}}]}},"sampled":true{agent}}},
{{"parent":1,"message":{{"role":"tool","tool_call_id":"call_0","content":"1"}},"sampled":false}},
{{"parent":2,"message":{{"role":"tool","tool_call_id":"call_1","content":"2"}},"sampled":false{tool}}},
{{"parent":3,"message":{{"role":"assistant","content":"Done."}},"sampled":true}}]}}"#
        )
    };
    let read = |text: &str| {
        let read = Format::Verifiers.read(text).unwrap();
        let weights = read.losses.iter().filter(|l| l.kind == LossKind::Weight).count();
        (Trace::print_all(&read.value), weights)
    };
    let with = |u: &str, a: &str, t: &str| {
        format!(
            "goal{u}: Pay.\nplan{a}: I pay.\naction{a}: f()\naction{a}: g()\nobservation: 1\nobservation{t}: 2\nanswer: Done.\n"
        )
    };
    let text = document(
        r#","loss_weights":{"sft":[0,0]}"#,
        r#","mask":[false,true,true],"loss_weights":{"sft":[0.0,0.5,0.50]}"#,
        r#","loss_weights":[2,2.0]"#,
    );
    assert_eq!(read(&text), (with(" [weight=0]", " [weight=0.5]", " [weight=2]"), 0));
    // It is written beside the episode: a weight a token needs the tokens.
    let trace = Trace::parse(&with(" [weight=0]", " [weight=0.5]", " [weight=2]")).unwrap();
    let written = Format::Verifiers.write(&trace);
    assert_eq!((read(&written.value).0, written.losses), (trace.to_annotated(), vec![]));
    for odd in [r#"{"a":[1,2]}"#, r#"{"a":[1],"b":[2]}"#, "[]", r#"{"a":[-1]}"#, r#"{"a":["x"]}"#, "1"] {
        let text = document("", &format!(",\"loss_weights\":{odd}"), "");
        assert_eq!(read(&text), (with("", "", ""), 1), "{odd}");
    }
}

/// What is known of spans is written where a format has a place for it, and reported elsewhere.
#[test]
fn metadata_is_kept_or_reported() {
    let note = |name: &str, value: &str| (name.to_owned(), Value::parse(value).unwrap());
    let trace = Trace::new(vec![
        Span::new(SpanKind::Goal, "Pay."),
        Span {
            meta: vec![
                note("author", "\"m\""),
                note("tokens", "4"),
                note("cost", "0.25"),
                note("score", "1"),
            ],
            ..Span::new(SpanKind::Thought, "Hm.")
        },
        Span { meta: vec![note("call", "\"c1\"")], ..Span::new(SpanKind::Action, "pay(to=\"Ann\")") },
        Span::new(SpanKind::Observation, "null"),
    ]);
    for (format, lost) in [
        (Format::Atif, 0),
        (Format::Adp, 3),
        (Format::Inspect, 0),
        (Format::OpenTelemetry, 0),
        (Format::Verifiers, 0),
        (Format::OpenAiChat, 4),
        (Format::Hermes, 5),
    ] {
        let losses = format.write(&trace).losses;
        let kinds =
            |l: &&groundwork_trace::adapters::Loss| matches!(l.kind, LossKind::Metadata | LossKind::Ids);
        assert_eq!(losses.iter().filter(kinds).count(), lost, "{} {losses:?}", format.name());
    }
}
