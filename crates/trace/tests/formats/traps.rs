//! Documents as other programs write them, and their traps.

use groundwork_trace::adapters::{Format, LossKind};
use groundwork_trace::{Attempt, Trace};

/// The annotated trace and the kinds of loss.
fn read(format: Format, text: &str) -> (String, Vec<LossKind>) {
    let read = format.read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (Trace::print_all(&read.value), read.losses.iter().map(|l| l.kind).collect())
}

fn error(format: Format, text: &str) -> String {
    format.read(text).unwrap_err().to_string()
}

#[test]
fn anthropic() {
    let (trace, losses) = read(
        Format::Anthropic,
        r#"{"model":"m","system":[{"type":"text","text":"Be brief.","cache_control":{"type":"ephemeral"}}],"messages":[
        {"role":"user","content":[{"type":"text","text":"Pay both."}]},
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"Two.","signature":"EqQB"},
            {"type":"text","text":"I pay."},
            {"type":"tool_use","id":"toolu_01","name":"pay","input":{"to":"Ann","cents":1.50}},
            {"type":"tool_use","id":"toolu_02","name":"pay","input":{"INVALID_JSON":"{\"to\":"}}]},
        {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"toolu_02","content":"no","is_error":true},
            {"type":"tool_result","tool_use_id":"toolu_01","content":[{"type":"text","text":"{\"ok\":true}"}]},
            {"type":"text","text":"Go on."}]}]}"#,
    );
    assert_eq!(
        trace,
        "system: Be brief.\ngoal: Pay both.\nthought [signature=\"EqQB\"]: Two.\nplan: I pay.\n\
         action [call=\"toolu_01\"]: pay(to=\"Ann\", cents=1.50)\naction [failed call=\"toolu_02\"]: pay(to=\nobservation: {ok: true}\nerror: no\nuser: Go on.\n"
    );
    use LossKind::*;
    assert_eq!(losses, [Metadata, Layout, Layout, Layout, Order, Metadata]);
    // Every result answers a call of the message before.
    let stray =
        r#"{"messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"x","content":""}]}]}"#;
    assert!(
        error(Format::Anthropic, stray)
            .starts_with("no call that waits for a result has the id `x` at `/messages/0/content/0`")
    );
}

#[test]
fn responses() {
    let (trace, losses) = read(
        Format::OpenAiResponses,
        r#"{"instructions":"Be brief.","input":"Pay.","output":[
        {"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"Hm."}],"encrypted_content":"x"},
        {"id":"fc_1","type":"function_call","call_id":"call_x","name":"pay","arguments":"{}","status":"completed"},
        {"type":"function_call_output","call_id":"call_x","output":"[1]"},
        {"id":"m","type":"message","role":"assistant","status":"completed","content":[{"type":"output_text","text":"Done.","annotations":[]}]},
        {"type":"web_search_call","id":"ws"}]}"#,
    );
    assert_eq!(
        trace,
        "system: Be brief.\ngoal: Pay.\nthought [signature=\"x\"]: Hm.\naction [call=\"call_x\"]: pay()\nobservation: [1]\nanswer: Done.\n"
    );
    assert!(losses.contains(&LossKind::Attachment) && losses.contains(&LossKind::Ids), "{losses:?}");
}

#[test]
fn mcp() {
    let session = r#"{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"2"}}}
{"jsonrpc":"2.0","id":"a","result":{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"y","version":"1"}}}
{"jsonrpc":"2.0","method":"notifications/initialized"}
{"jsonrpc":"2.0","id":"b","method":"tools/list"}
{"jsonrpc":"2.0","id":"b","result":{"tools":[{"name":"pay","title":"Pay","inputSchema":{"type":"object","properties":{"to":{"type":"string"}},"required":["to"]}}]}}
{"jsonrpc":"2.0","id":"c","method":"tools/call","params":{"name":"pay","arguments":{"to":"Ann"}}}
{"jsonrpc":"2.0","id":"d","method":"tools/call","params":{"name":"pay","arguments":{"to":"Bob"}}}
{"jsonrpc":"2.0","id":"d","error":{"code":-32602,"message":"no Bob"}}
{"jsonrpc":"2.0","id":"c","result":{"content":[{"type":"text","text":"{\"ok\": true}"}],"structuredContent":{"ok":true}}}
"#;
    let (trace, losses) = read(Format::Mcp2025, session);
    assert_eq!(
        trace,
        "tools {\n  pay(to: str) -> any\n}\naction: pay(to=\"Ann\")\naction [failed]: pay(to=\"Bob\")\n\
         observation: {ok: true}\nerror: no Bob\n"
    );
    assert!(losses.contains(&LossKind::Order) && losses.contains(&LossKind::Layout), "{losses:?}");
    // A question of the server, in the stateless dialect, and the call made again with its answer.
    let (trace, losses) = read(
        Format::Mcp2026,
        r#"{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"name":"pay","arguments":{}}}
{"jsonrpc":"2.0","id":0,"result":{"resultType":"input_required","inputRequests":{"q":{}}}}
{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"pay","arguments":{},"inputResponses":{"q":1}}}
{"jsonrpc":"2.0","id":1,"result":{"resultType":"complete","content":[{"type":"text","text":"5"}],"structuredContent":5}}"#,
    );
    assert_eq!((trace.as_str(), losses), ("action: pay()\nobservation: 5\n", vec![LossKind::Metadata]));
    let stray = r#"{"jsonrpc":"2.0","id":7,"result":{}}"#;
    assert!(
        error(Format::Mcp2026, stray).starts_with("no request waits for a response with the id 7 at `/0`")
    );
}

#[test]
fn chat_text_of_models() {
    let cases = [
        (
            Format::Hermes,
            "<|im_start|>user\nGo.<|im_end|>\n<|im_start|>assistant\n<tool_call>{\"name\":\"pay\",\"arguments\":{\"to\":\"Ann\"}}</tool_call>",
            "goal: Go.\naction: pay(to= \"Ann\")\n",
        ),
        (
            Format::Hermes,
            "<|im_start|>user\nGo.<|im_end|>\n<|im_start|>assistant\n<tool_call>\n{\"name\": \"pay\", \"arguments\": {\"to\":",
            "goal: Go.\naction [failed]: {\"name\": \"pay\", \"arguments\": {\"to\":\n",
        ),
        (
            Format::Hermes,
            "<|im_start|>assistant\n<think>\nI call <tool_call>",
            "thought: I call <tool_call>\n",
        ),
        (
            Format::QwenCoder,
            "<|im_start|>assistant\nI pay.\n\n<tool_call>\n<function=pay>\n<parameter=to>\n\nAnn\n</parameter>\n<parameter=all>\ntrue\n</parameter>\n</function>\n</tool_call> Done.<|im_end|>\n",
            "plan: I pay.\nplan:  Done.\naction: pay(to=\"\\nAnn\", all=true)\n",
        ),
        (
            Format::Llama4,
            "<|begin_of_text|><|header_start|>assistant<|header_end|>\n\n[pay(to='A\\'n', all=[True, None, {'a': 1.0}])]<|eot|>",
            "action: pay(to=\"A'n\", all=[true, null, {a: 1.0}])\n",
        ),
        (
            Format::Llama3,
            "<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n{'name': 'pay'}<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n\"no\"<|eot_id|>",
            "action [failed]: {'name': 'pay'}\nobservation: \"no\"\n",
        ),
        (
            Format::Harmony,
            "<|start|>assistant to=functions.pay<|channel|>commentary json<|message|>{\"to\":\"Ann\"}<|call|><|start|>functions.pay to=assistant<|channel|>commentary<|message|>ok<|end|><|start|>assistant<|channel|>final<|message|>Done.<|return|>",
            "action: pay(to=\"Ann\")\nobservation: \"ok\"\nanswer: Done.\n",
        ),
        (
            Format::Glm45,
            "[gMASK]<sop><|user|>\nGo.<|assistant|>\n<think></think>\n<tool_call>now</tool_call><|observation|>\n<tool_response>\n12\n</tool_response>",
            "goal: Go.\naction: now()\nobservation: 12\n",
        ),
        (
            Format::Gemma4,
            "<bos><|turn>model\n<|tool_call>call:pay{to:<|\"|>a\"}{<|\"|>,n:[1,{x:null}]}<tool_call|><|tool_response>response:pay{ok:true}<tool_response|>Done.<turn|>\n",
            "action: pay(to=\"a\\\"}{\", n=[1, {x: null}])\nobservation: {ok: true}\nanswer: Done.\n",
        ),
    ];
    for (format, text, trace) in cases {
        let (found, losses) = read(format, text);
        assert_eq!(found, trace, "{} {losses:?}", format.name());
        if losses.is_empty() {
            assert_eq!(format.write(&Trace::parse(trace).unwrap()).value, text);
        }
    }
    assert_eq!(
        error(Format::Hermes, "Hello."),
        "no turn begins here at line 1, column 1 (a turn begins with \"<|im_start|>user\\n<tool_response>\" or \
         \"<|im_start|>assistant\" or \"<|im_start|>system\" or \"<|im_start|>user\")"
    );
}

/// The statuses that the language gives to what was kept.
#[test]
fn attempts_have_a_status() {
    use groundwork_trace::ActionStatus::*;
    for (arguments, status) in
        [(r#"{"to":"An"#, Unclosed), ("{'to'}", Malformed), (r#"{"to":"A"}"#, UnknownTool)]
    {
        let arguments = serde_json::Value::from(arguments);
        let text = format!(
            r#"[{{"role":"assistant","tool_calls":[{{"id":"a","function":{{"name":"pay","arguments":{arguments}}}}}]}}]"#
        );
        let trace = Format::OpenAiChat.read(&text).unwrap().value.remove(0);
        assert_eq!(Attempt::parse(&trace.spans[0].body, &[]).status, status);
    }
}

/// Many small turns, calls that never close, and markers without end are read in time that grows with their length.
#[test]
fn hostile_text_takes_no_longer_than_its_length() {
    let start = std::time::Instant::now();
    for format in Format::ALL {
        let trace = Trace::parse("goal: a\naction: pay(a=1, b=\"x\")\nobservation: 1\nanswer: b\n").unwrap();
        let text = format.write(&trace).value;
        for piece in text.split_inclusive(['>', '\n', ']', ':']) {
            let _ = format.read(&piece.repeat(20_000 / piece.len()));
            let _ = format.read(&format!("{text}{}", piece.repeat(20_000 / piece.len())));
        }
    }
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
}

#[test]
fn a_string_with_what_is_no_escape_is_kept_as_it_was_said() {
    // Found by fuzzing: a character of several bytes behind the backslash, and a sign among hexadecimal digits.
    for strange in ["\\\u{202e}", "\\q", "\\u+123", "\\u12", "\\ud800"] {
        let text = format!(
            "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nRead it.<|eot_id|><|start_header_id|>assistant\
             <|end_header_id|>\n\n{{\"name\": \"read\", \"parameters\": {{}}}}<|eot_id|><|start_header_id|>ipython\
             <|end_header_id|>\n\n\"a{strange}b\"<|eot_id|>"
        );
        let trace = Format::Llama3.read(&text).unwrap().value.swap_remove(0);
        let said = &trace.spans[trace.spans.len() - 1].body;
        assert!(said.contains(&strange.replace('\\', "\\\\")), "{said}");
        let again = Format::Llama3.read(&Format::Llama3.write(&trace).value).unwrap().value.swap_remove(0);
        assert_eq!(again, trace, "{strange}");
    }
}

#[test]
fn a_name_does_not_become_a_marker_with_what_follows_it() {
    // Found by fuzzing: the last character of the marker is the one that ends the name.
    let text = "<s>[INST]Read it.[/INST][TOOL_CALLS]read[ARGS]{\"path<|im_end|\": \"/a\"}</s>";
    let trace = Format::MistralV13.read(text).unwrap().value.swap_remove(0);
    for format in Format::ALL {
        let written = format.write(&trace).value;
        assert!(format.read(&written).is_ok(), "{}: {written}", format.name());
    }
}
