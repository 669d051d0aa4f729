//! OpenAI chat completions.

use groundwork_trace::adapters::{Format, LossKind};
use groundwork_trace::{Span, SpanKind, Trace, Value};

fn read(text: &str) -> (Trace, Vec<LossKind>) {
    let mut read = Format::OpenAiChat.read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (read.value.remove(0), read.losses.iter().map(|l| l.kind).collect())
}

fn error(text: &str) -> String {
    Format::OpenAiChat.read(text).unwrap_err().to_string()
}

fn with_arguments(arguments: &str) -> String {
    let arguments = serde_json::Value::from(arguments);
    format!(
        r#"{{"messages":[{{"role":"user","content":"go"}},{{"role":"assistant","content":null,"tool_calls":[{{"id":"call_0","type":"function","function":{{"name":"pay","arguments":{arguments}}}}}]}}]}}"#
    )
}

/// Every spelling of arguments is kept to the byte, and those that are JSON objects are calls.
#[test]
fn arguments_are_kept_as_they_were_said() {
    let cases = [
        // what the model said, the body, failed
        (r#"{"to":"Ann","cents":5}"#, r#"pay(to="Ann", cents=5)"#, false),
        (r#"{"to": "Ann", "cents": 5}"#, r#"pay(to= "Ann",cents= 5)"#, false),
        ("{\n  \"to\": \"Ann\"\n}", "pay(\n  to= \"Ann\"\n)", false),
        ("{}", "pay()", false),
        ("{ }", "pay( )", false),
        (
            r#"{"a":1e3,"b":1.0,"c":-0,"d":12345678901234567890123}"#,
            "pay(a=1e3, b=1.0, c=-0, d=12345678901234567890123)",
            false,
        ),
        (r#"{"a":{"b":[1,2]}}"#, "pay(a={b: [1, 2]})", false),
        (r#"{"a":{"b": [1, 2]}}"#, "pay(a={b:[1,2]})", false),
        (r#"{"größe":"é"}"#, r#"pay("größe"="é")"#, false),
        (r#"{"gr\u00f6\u00DFe":"\u00e9"}"#, r#"pay("gr\u{00f6}\u{00DF}e"="\u{00e9}")"#, false),
        (
            r#"{"a":"\ud83e\udd80\uD83E\uDD80\/\b\u0008\n\u000a"}"#,
            r#"pay(a="\u{1f980}\u{01F980}\u{2f}\u{8}\u{0008}\n\u{000a}")"#,
            false,
        ),
        (r#"{"a":1,"a":2}"#, "pay(a=1, a=2)", false),
        (r#"{"to":"An"#, r#"pay(to="An"#, true),
        (r#"{"to":tru"#, "pay(to=tru", true),
        (r#"{"to""#, "pay(to", true),
        ("{", "pay(", true),
        ("", "pay: ", true),
        ("null", "pay: null", true),
        ("[1]", "pay: [1]", true),
        ("Ann, 5", "pay: Ann, 5", true),
        (r#"{"to":"Ann",}"#, r#"pay: {"to":"Ann",}"#, true),
        (r#"{"a":"\ud800"}"#, r#"pay: {"a":"\ud800"}"#, true),
        (r#"{"a":"\uD83e\uDD80"}"#, r#"pay: {"a":"\uD83e\uDD80"}"#, true),
        ("{'to': 'Ann'}", "pay: {'to': 'Ann'}", true),
    ];
    for (said, body, failed) in cases {
        let text = with_arguments(said);
        let (trace, losses) = read(&text);
        assert_eq!(losses, [], "{said}");
        assert_eq!((trace.spans[1].body.as_str(), trace.spans[1].failed), (body, failed), "{said}");
        let written = Format::OpenAiChat.write(&trace);
        assert_eq!((written.value, written.losses), (text, vec![]), "{said}");
    }
}

#[test]
fn results_are_values_where_they_are_json() {
    let cases = [
        ("", r#""""#),
        ("hello", r#""hello""#),
        ("\"hello\"", r#""\"hello\"""#),
        ("5", "5"),
        ("\"5\"", r#""5""#),
        ("\"\\\"5\\\"\"", r#""\"5\"""#),
        ("5\n", r#""5\n""#),
        ("[1,2]", "[1, 2]"),
        ("{\"a\": 1}", "{a:1}"),
        ("true", "true"),
        ("True", r#""True""#),
        ("{", r#""{""#),
    ];
    for (content, body) in cases {
        let text = format!(
            "{},{{\"role\":\"tool\",\"tool_call_id\":\"call_0\",\"content\":{}}}]}}",
            with_arguments("{}").strip_suffix("]}").unwrap(),
            serde_json::Value::from(content)
        );
        let (trace, losses) = read(&text);
        assert_eq!((trace.spans[2].body.as_str(), losses), (body, vec![]), "{content}");
        assert_eq!(Format::OpenAiChat.write(&trace).value, text);
    }
}

#[test]
fn an_episode() {
    let (trace, losses) = read(
        r#"{"model":"m","messages":[
        {"role":"developer","content":"Be brief."},
        {"role":"user","content":[{"type":"text","text":"Pay both."},{"type":"image_url","image_url":{"url":"x"}}]},
        {"role":"assistant","content":"First I pay.","reasoning_content":"Hm.","tool_calls":[
            {"id":"a","type":"function","function":{"name":"pay","arguments":"{\"to\":\"Ann\"}"}},
            {"id":"b","type":"function","function":{"name":"pay","arguments":"{\"to\":\"Bob\"}"}}]},
        {"role":"tool","tool_call_id":"b","content":"2"},
        {"role":"tool","tool_call_id":"a","content":"1"},
        {"role":"assistant","content":"Done."},
        {"role":"user","content":"Thanks."}],
        "tools":[{"type":"function","function":{"name":"pay","description":"Pays.","strict":true,"parameters":
            {"type":"object","properties":{"to":{"type":"string","pattern":"A"}},"required":["to"],"additionalProperties":false}}}]}"#,
    );
    let expected = [
        (SpanKind::Tools, "{\n  /// Pays.\n  pay(to: str(pattern=\"A\")) -> any\n}"),
        (SpanKind::System, "Be brief."),
        (SpanKind::Goal, "Pay both."),
        (SpanKind::Thought, "Hm."),
        (SpanKind::Plan, "First I pay."),
        (SpanKind::Action, "pay(to=\"Ann\")"),
        (SpanKind::Action, "pay(to=\"Bob\")"),
        (SpanKind::Observation, "1"),
        (SpanKind::Observation, "2"),
        (SpanKind::Answer, "Done."),
        (SpanKind::User, "Thanks."),
    ];
    let mut expected = expected.map(|(k, b)| Span::new(k, b));
    for (span, id) in expected[5..7].iter_mut().zip(["a", "b"]) {
        span.meta.push(("call".to_owned(), Value::str(id)));
    }
    expected[2].meta.push(("attach".to_owned(), Value::List(vec![Value::str("x")])));
    assert_eq!(trace, Trace::new(expected.to_vec()));
    use LossKind::*;
    assert_eq!(losses, [Metadata, Order, Metadata, Metadata]);
}

#[test]
fn errors_have_a_place_and_a_hint() {
    let start = r#"[{"role":"user","content":"go"},{"role":"assistant","tool_calls":[
        {"id":"a","type":"function","function":{"name":"p","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"p","arguments":"{}"}}]}"#;
    let cases = [
        (
            "{\"messages\": [",
            "the document ends where a value should stand at line 1, column 15 (was it cut off?)",
        ),
        ("{\"messages\": 3}", "this is no array at `/messages` (write it in `[` `]`)"),
        ("{}", "`messages` is missing at the whole document (add `\"messages\"`)"),
        (
            r#"[{"role":"user","content":"\ud800"}]"#,
            "a string with half a surrogate pair at `/0/content` (it spells no text; replace it by `\\ufffd`)",
        ),
        (
            r#"[{"role":"user","content":"a","content":"b"}]"#,
            "`content` is given twice at `/0/content` (give it once)",
        ),
        (
            r#"[{"role":"bot","content":"a"}]"#,
            "there is no role `bot` at `/0/role` (the roles are system, developer, user, assistant and tool)",
        ),
        (
            r#"[{"role":"tool","tool_call_id":"x","content":"a"}]"#,
            "no call that waits for a result has the id `x` at `/0` (results follow the message that made the calls, each with its call's id)",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(error(text), message, "{text}");
    }
    let cases = [
        (
            r#"{"role":"tool","tool_call_id":"b","content":"1"}]"#,
            "this call has no result, though a later one",
        ),
        (
            r#"{"role":"tool","tool_call_id":"c","content":"1"}]"#,
            "no call that waits for a result has the id `c` at `/2`",
        ),
        (
            r#"{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"a","content":"2"}]"#,
            "a second result of the same call at `/3`",
        ),
        (
            r#"{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"p","arguments":""}}]}]"#,
            "this call has no result, and other calls follow it at `/1/tool_calls/0/function`",
        ),
    ];
    for (rest, message) in cases {
        let said = error(&format!("{start},{rest}"));
        assert!(said.starts_with(message), "{said}");
    }
}

/// Deep nesting and large literals end in an error or are kept, soon.
#[test]
fn hostile_documents_are_bounded() {
    let deep = "[".repeat(1_000_000);
    assert!(error(&deep).starts_with("nested too deeply"));
    for n in [127, 128, 200, 100_000] {
        let said = format!("{{\"a\":{}{}}}", "[".repeat(n), "]".repeat(n));
        let (trace, _) = read(&with_arguments(&said));
        assert_eq!(trace.spans[1].failed, n > 127, "{n}");
        assert_eq!(Format::OpenAiChat.write(&trace).value, with_arguments(&said));
    }
    let digits = format!("{{\"a\":{}}}", "9".repeat(1_000_000));
    let (trace, _) = read(&with_arguments(&digits));
    assert_eq!(Format::OpenAiChat.write(&trace).value, with_arguments(&digits));
}
