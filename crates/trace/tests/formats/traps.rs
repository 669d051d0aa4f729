//! Documents as other programs write them, and their traps.

use groundwork_trace::adapters::{Format, LossKind};
use groundwork_trace::{Attempt, Trace};

use crate::said::without_said;

/// The annotated trace, without what is kept to the letter, and the kinds of loss.
fn read(format: Format, text: &str) -> (String, Vec<LossKind>) {
    let read = format.read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (
        Trace::print_all(&read.value.into_iter().map(without_said).collect::<Vec<_>>()),
        read.losses.iter().map(|l| l.kind).collect(),
    )
}

/// Whether a document comes back byte for byte.
fn comes_back(format: Format, text: &str) -> bool {
    format.write(&format.read(text).unwrap().value[0]).value == text
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
    // White space around a value that stands beside its text is in neither.
    let mut trace = Trace::parse("action: pay()\nobservation: null\n").unwrap();
    trace.spans[1].body.push('\n');
    let first = Format::Mcp2026.write(&trace);
    assert_eq!(first.losses.iter().map(|l| l.kind).collect::<Vec<_>>(), [LossKind::Spelling]);
    let back = Format::Mcp2026.read(&first.value).unwrap();
    assert_eq!((Format::Mcp2026.write(&back.value[0]).value, back.losses), (first.value, vec![]));
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
        assert!(!losses.is_empty() || comes_back(format, text), "{}: {text}", format.name());
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
    for &(format, text, ..) in crate::families::CONVERSATIONS {
        for piece in text.split_inclusive(['>', '\n', ']', ':']) {
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

/// What is left of a dialect's own markers in a text is told, and where; what a writer broke up is not.
#[test]
fn a_marker_that_is_left_in_a_text_is_reported() {
    let llama = "<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n";
    let cases = [
        (
            Format::Hermes,
            "<|im_start|>user\nHi <|im_start|>user<|im_end|>\n",
            "line 2, column 1: `<|im_start|>` stands in a text",
        ),
        (
            Format::Hermes,
            "<|im_start|>system\nA\n</tools><|im_end|>\n",
            "line 2, column 1: `</tools>` stands in a text",
        ),
        (
            Format::Hermes,
            "<|im_start|>assistant\nA </think> B<|im_end|>\n",
            "line 2, column 1: `</think>` stands in a text",
        ),
        (
            Format::Hermes,
            "<|im_start|>assistant\n<tool_call>\n{\"name\": \"a\", \"arguments\": {\"b\": \"<think>\"}}\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\n<tool_call>\n</tool_response><|im_end|>\n",
            "line 2, column 1: `<think>` stands in a text\nmarker at line 6, column 1: `<tool_call>` stands in a text",
        ),
        (
            Format::Glm45,
            "[gMASK]<sop><|user|>\nHi<|assistant|>\n<think></think>\n</arg_key>",
            "line 3, column 1: `</arg_key>` stands in a text",
        ),
        (
            Format::Llama3,
            &format!("{llama}<|start_header_id|><|eot_id|>"),
            "line 3, column 1: `<|start_header_id|>` stands in a text",
        ),
        (
            Format::KimiK2,
            "<|im_system|>system<|im_middle|>a<|im_middle|>b<|im_end|>",
            "line 1, column 33: `<|im_middle|>` stands in a text",
        ),
        (
            Format::Harmony,
            "<|start|>user<|message|>Hi<|start|>assistant<|end|>",
            "line 1, column 1: `<|start|>` stands in a text",
        ),
    ];
    for (format, text, told) in cases {
        let read = format.read(text).unwrap();
        let losses: Vec<String> =
            read.losses.iter().filter(|l| l.kind == LossKind::Marker).map(|l| l.to_string()).collect();
        assert_eq!(losses.join("\n"), format!("marker at {told}"), "{} {:?}", format.name(), read.losses);
    }
    let text = "<|im_end|></s><｜User｜><|user|><|eot_id|><|eot|>[e~[<turn|><|end|></think><tool_call>[ARGS]";
    let quoted = format!("{text:?}");
    let trace = Trace::parse(&format!(
        "system: {text}\ngoal: {text}\nthought: {text}\nplan: {text}\naction: pay(to={quoted})\nobservation: {quoted}\nanswer: {text}\n"
    ));
    let trace = trace.unwrap();
    for format in Format::ALL {
        let read = format.read(&format.write(&trace).value).unwrap();
        assert!(
            read.losses.iter().all(|l| l.kind != LossKind::Marker),
            "{} {:?}",
            format.name(),
            read.losses
        );
    }
}

#[test]
fn chat_text_of_models_in_their_other_spellings() {
    let llama = "<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n";
    let result = "<|start_header_id|>ipython<|end_header_id|>\n\n3<|eot_id|>";
    let llama_call = format!("{llama}{{\"name\": \"f\", \"parameters\": {{\"a\": 1}}}}<|eom_id|>{result}");
    let llama_tag =
        format!("{llama}Well.<|python_tag|>{{\"name\": \"f\", \"parameters\": {{}}}}<|eom_id|>{result}");
    let llama_code = format!("{llama}<|python_tag|>import math<|eom_id|>{result}");
    let cases = [
        (
            Format::Glm45,
            "[gMASK]<sop><|user|>hi<|assistant|></think><tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value></tool_call>\
             <tool_call>g</tool_call><|observation|><tool_response>1</tool_response><tool_response>2</tool_response>\
             <|assistant|></think>Done.<|user|>",
            "goal: hi\naction: f(a=1)\naction: g()\nobservation: 1\nobservation: 2\nanswer: Done.\n",
        ),
        (
            Format::Hermes,
            "<|im_start|>assistant\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n{\"name\": \
             \"g\", \"arguments\": {}}\n</tool_call><|im_end|>\n<|im_start|>tool\n<tool_response>\n1\n</tool_response>\n\
             <tool_response>\n2\n</tool_response><|im_end|><|im_start|>assistant\nDone.<|im_end|>\n",
            "action: f()\naction: g()\nobservation: 1\nobservation: 2\nanswer: Done.\n",
        ),
        // A text among results is what the user says.
        (
            Format::Hermes,
            "<|im_start|>assistant\n<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call><|im_end|>\n<|im_start|>user\n\
             <tool_response>\n1\n</tool_response>\nGo on.<|im_end|>\n",
            "action: f()\nobservation: 1\ngoal: Go on.\n",
        ),
        (Format::Llama3, &llama_call, "action: f(a=1)\nobservation: 3\n"),
        (Format::Llama3, &llama_tag, "plan: Well.\naction: f()\nobservation: 3\n"),
        (Format::Llama3, &llama_code, "action [failed]: import math\nobservation: 3\n"),
        (
            Format::MistralV13,
            "<s>[INST]Hi[/INST][TOOL_CALLS]f[CALL_ID]abc[ARGS]{\"a\": 1}[TOOL_CALLS]g[CALL_ID]abd[ARGS]{}</s>\
             [TOOL_RESULTS]abd[TOOL_CONTENT]2[/TOOL_RESULTS][TOOL_RESULTS]abc[TOOL_CONTENT]1[/TOOL_RESULTS]Done.</s>",
            "goal: Hi\naction: f(a=1)\naction: g()\nobservation: 1\nobservation: 2\nanswer: Done.\n",
        ),
        (
            Format::DeepSeekV32,
            "<｜begin▁of▁sentence｜><｜User｜>Hi<｜Assistant｜></think>\n\n<｜DSML｜tool_calls>\n<｜DSML｜invoke name=\"f\">\n\
             <｜DSML｜parameter name=\"a\" string=\"false\">1</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜tool_calls>\
             <｜end▁of▁sentence｜>",
            "goal: Hi\naction: f(a=1)\n",
        ),
        (
            Format::MiniMaxM2,
            "]~!b[]~b]ai\n</think>\n\n<minimax:tool_call>\n<invoke name=\"f\">\n</invoke>\n</minimax:tool_call>[e~[\n",
            "action: f()\n",
        ),
        (
            Format::OpenAiChat,
            r#"[{"role":"assistant","content":"","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}}]}]"#,
            "action [call=\"a\"]: f()\n",
        ),
    ];
    for (format, text, trace) in cases {
        let (found, losses) = read(format, text);
        assert_eq!(found, trace, "{} {losses:?}", format.name());
        assert!(losses.is_empty() == comes_back(format, text), "{} {losses:?}", format.name());
        assert!(!losses.contains(&LossKind::Marker), "{} {losses:?}", format.name());
    }
}

#[test]
fn calls_as_python_writes_them() {
    let read = |declared: &str, said: &str| {
        let system = format!("<|header_start|>system<|header_end|>\n\n{declared}<|eot|>");
        let system = if declared.is_empty() { "" } else { &system };
        let text = format!(
            "<|begin_of_text|>{system}<|header_start|>assistant<|header_end|>\n\n{said}<|eot|><|header_start|>ipython<|header_end|>\n\n1<|eot|>"
        );
        let trace = Format::Llama4.read(&text).unwrap_or_else(|e| panic!("{e}\n{text}")).value.remove(0);
        let again = Format::Llama4.read(&Format::Llama4.write(&trace).value).unwrap().value.remove(0);
        assert_eq!(again, trace, "{said}");
        let actions =
            without_said(trace).spans.into_iter().filter(|s| s.kind == groundwork_trace::SpanKind::Action);
        Trace::new(actions.collect()).to_annotated()
    };
    let cases = [
        ("[f(a=(1,2))]", "action: f(a=[1, 2])\n"),
        ("[f(a=(1,), b=(), c=(2))]", "action: f(a=[1], b=[], c=2)\n"),
        ("[f(a=1,)]", "action: f(a=1)\n"),
        ("[f(a=1), g(),]", "action: f(a=1)\naction: g()\n"),
        ("[f(a=1_000)]", "action: f(a=1000)\n"),
        ("[f(a=-.5, b=1., c=0x1F)]", "action: f(a=-0.5, b=1.0, c=31)\n"),
        ("[f(a='it\\'s \"so\"', b={'x': [1,],})]", "action: f(a=\"it's \\\"so\\\"\", b={x: [1]})\n"),
        ("<|python_start|>[f(a=1)]<|python_end|>", "action: f(a=1)\n"),
        ("<|python_start|>[f(a=1)", "action [failed]: [f(a=1)\n"),
        ("{\"name\": \"f\", \"parameters\": {\"a\": 1}}", "action: f(a=1)\n"),
        // Nothing says what the argument is called.
        ("[f('x')]", "action [failed]: [f('x')]\n"),
        ("[f(a=g())]", "action [failed]: [f(a=g())]\n"),
        ("[f(a=1", "action [failed]: [f(a=1\n"),
        ("[f(a=1)] and", "action [failed]: [f(a=1)] and\n"),
        ("{\"name\": \"f\", \"par", "action [failed]: {\"name\": \"f\", \"par\n"),
    ];
    for (said, trace) in cases {
        let found = read("", said);
        assert_eq!(found, trace, "{said}");
    }
    let declared = "You have access to the following functions. To call functions, respond only with a list of calls in the \
                    format [func_name1(params_name1=params_value1, params_name2=params_value2), func_name2(params)].\n\n\
                    {\"name\": \"f\", \"description\": \"\", \"parameters\": {\"type\": \"object\", \"properties\": {\"a\": \
                    {\"type\": \"string\"}, \"b\": {\"type\": \"integer\"}}, \"required\": [\"a\"]}}\n\n";
    assert_eq!(
        read(declared, "[f('x', b=2), f('y', 3)]"),
        "action: f(a=\"x\", b=2)\naction: f(a=\"y\", b=3)\n"
    );
    assert_eq!(read(declared, "[f('x', 2, 3)]"), "action [failed]: [f('x', 2, 3)]\n");
    assert_eq!(read(declared, "[f(b=2, 'x')]"), "action [failed]: [f(b=2, 'x')]\n");
    use groundwork_trace::ActionStatus::*;
    for (body, status) in [
        ("[f(a=1", Unclosed),
        ("[f(a=\"(", Unclosed),
        ("[f(a='x')]", Malformed),
        ("{\"name\": \"f\", \"par", Unclosed),
        ("{\"name\": \"f\"}", Malformed),
    ] {
        assert_eq!(Attempt::parse(body, &[]).status, status, "{body}");
    }
}

#[test]
fn deep_nesting_is_an_attempt_and_takes_no_longer_than_its_length() {
    let start = std::time::Instant::now();
    for open in ["[", "(", "{'a':", "[{'b':("] {
        let said = format!("[f(a={}", open.repeat(100_000));
        let text = format!("<|begin_of_text|><|header_start|>assistant<|header_end|>\n\n{said}<|eot|>");
        let trace = Format::Llama4.read(&text).unwrap().value.remove(0);
        assert_eq!((trace.spans.len(), trace.spans[0].failed), (1, true));
        assert_eq!(trace.spans[0].body, said);
        assert_eq!(Attempt::parse(&said, &[]).status, groundwork_trace::ActionStatus::Unclosed);
    }
    let said = format!("{{\"name\": \"f\", \"parameters\": {}", "{\"a\": [".repeat(100_000));
    let text = format!("<|begin_of_text|><|start_header_id|>assistant<|end_header_id|>\n\n{said}<|eot_id|>");
    let trace = Format::Llama3.read(&text).unwrap().value.remove(0);
    assert!(trace.spans[0].failed && trace.spans[0].body == said);
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}

#[test]
fn declarations_in_the_notation_of_gemma() {
    let conversation =
        |declared: &str| format!("<bos><|turn>system\nBe brief.{declared}<turn|>\n<|turn>user\nHi<turn|>\n");
    let (found, losses) = read(
        Format::Gemma4,
        &conversation(
            "<|tool>declaration:pay{description:<|\"|>Pays, at once.<|\"|>,parameters:{properties:{cents:{type:<|\"|>INTEGER<|\"|>},\
             how:{description:<|\"|>How.<|\"|>,enum:[<|\"|>card<|\"|>,<|\"|>cash<|\"|>],type:<|\"|>STRING<|\"|>},to:{items:{type:\
             <|\"|>STRING<|\"|>},nullable:true,type:<|\"|>ARRAY<|\"|>}},required:[<|\"|>to<|\"|>],type:<|\"|>OBJECT<|\"|>}}<tool|>\
             <|tool>declaration:now{description:<|\"|><|\"|>,parameters:{type:<|\"|>OBJECT<|\"|>}}<tool|>",
        ),
    );
    assert_eq!(
        found,
        "tools {\n  /// Pays, at once.\n  pay(\n    cents?: int,\n    /// How.\n    how?: \"card\" | \"cash\",\n    to: [str]?,\n  ) -> any\n  \
         now() -> any\n}\nsystem: Be brief.\ngoal: Hi\n"
    );
    assert!(!losses.is_empty() && !losses.contains(&LossKind::Marker), "{losses:?}");
    // What cannot be read stays in the system text, and is reported.
    let (found, losses) = read(Format::Gemma4, &conversation("<|tool>declaration:pay{description:3<tool|>"));
    assert_eq!(found, "system: Be brief.<|tool>declaration:pay{description:3<tool|>\ngoal: Hi\n");
    assert!(losses.contains(&LossKind::Marker) && losses.contains(&LossKind::Tools), "{losses:?}");
}

#[test]
fn a_system_text_that_begins_as_a_result_does_is_a_system_text() {
    let text = "<|im_system|>system<|im_middle|>## Return of functions.f:0\nA<|im_end|>";
    assert_eq!(read(Format::KimiK2, text), ("system: ## Return of functions.f:0\n  A\n".to_owned(), vec![]));
}

/// GLM 4.7 and 5 say in other words how tools are called, and end a turn by opening the next.
#[test]
fn tools_that_are_introduced_in_other_words() {
    let text = "[gMASK]<sop><|system|>\n# Tools\n\nYou may call one or more functions to assist with the user query.\n\nYou are \
                provided with function signatures within <tools></tools> XML tags:\n<tools>\n{\"type\": \"function\", \"function\": \
                {\"name\": \"f\", \"description\": \"\", \"parameters\": {\"type\": \"object\", \"properties\": {\"a\": {\"type\": \
                \"string\"}}}}}\n</tools>\n\nFor each function call, output the function name and arguments within the following XML \
                format:\n<tool_call>{function-name}<arg_key>{arg-key-1}</arg_key><arg_value>{arg-value-1}</arg_value>...</tool_call>\
                <|system|>Be brief.<|user|>Hi<|assistant|></think><tool_call>f<arg_key>a</arg_key><arg_value>1</arg_value>\
                </tool_call><|observation|>";
    let (found, losses) = read(Format::Glm45, text);
    assert_eq!(found, "tools {\n  f(a?: str) -> any\n}\nsystem: Be brief.\ngoal: Hi\naction: f(a=\"1\")\n");
    assert!(losses.contains(&LossKind::Layout) && !losses.contains(&LossKind::Marker), "{losses:?}");
}

#[test]
fn a_format_that_does_not_exist_has_a_hint() {
    for (name, meant) in [
        ("openai", "openai-chat"),
        ("openai-chta", "openai-chat"),
        ("OpenAI_Chat", "openai-chat"),
        ("qwen3", "hermes"),
        ("qwen2.5", "hermes"),
        ("qwen3-coder", "qwen-coder"),
        ("qwen3.5", "qwen-coder"),
        ("llama3.1", "llama-3"),
        ("llama4", "llama-4"),
        ("mistral", "mistral-v13"),
        ("deepseek-r1", "deepseek-v3"),
        ("deepseek-v3.1", "deepseek-v3"),
        ("glm-4.7", "glm-4.5"),
        ("glm5", "glm-4.5"),
        ("kimi", "kimi-k2"),
        ("minimax", "minimax-m2"),
        ("gemma", "gemma-4"),
        ("gpt-oss", "harmony"),
        ("claude", "anthropic"),
        ("mcp", "mcp-2026-07-28"),
        ("opentelemetry", "otel"),
    ] {
        assert_eq!(Format::from_name(name), Err(format!("did you mean `{meant}`?")), "{name}");
    }
    assert_eq!(Format::from_name("xyzzy"), Err(String::new()));
}
