//! What a message carries beside its text: attachments, and what is known of a span.

use groundwork_trace::Trace;
use groundwork_trace::adapters::{Format, LossKind};

fn read(format: Format, text: &str) -> (String, Vec<LossKind>) {
    let read = format.read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (Trace::print_all(&read.value), read.losses.iter().map(|l| l.kind).collect())
}

const ATTACHED: &str = "goal [attach=[\"https://a.org/x.png\", \"https://a.org/y.pdf\"]]: Look.\n\
    action: look()\nobservation [attach=[\"https://a.org/z.jpg\"]]: \"seen\"\nanswer: Yes.\n";

#[test]
fn attachments_are_read_as_references() {
    for (format, text) in [
        (
            Format::OpenAiChat,
            r#"[{"role":"user","content":[{"type":"text","text":"Look."},{"type":"image_url","image_url":{"url":"u"}}]}]"#,
        ),
        (
            Format::OpenAiResponses,
            r#"[{"type":"message","role":"user","content":[{"type":"input_text","text":"Look."},{"type":"input_image","image_url":"u"}]}]"#,
        ),
        (
            Format::Anthropic,
            r#"[{"role":"user","content":[{"type":"text","text":"Look."},{"type":"image","source":{"type":"url","url":"u"}}]}]"#,
        ),
        (
            Format::Inspect,
            r#"{"messages":[{"role":"user","content":[{"type":"text","text":"Look."},{"type":"image","image":"u"}]}]}"#,
        ),
        (
            Format::Atif,
            r#"{"steps":[{"step_id":1,"source":"user","message":[{"type":"text","text":"Look."},{"type":"image","source":{"media_type":"image/png","path":"u"}}]}]}"#,
        ),
    ] {
        let (trace, losses) = read(format, text);
        assert_eq!(trace, "goal [attach=[\"u\"]]: Look.\n", "{}", format.name());
        assert!(!losses.contains(&LossKind::Attachment), "{}: {losses:?}", format.name());
    }
    let session = r#"{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{"name":"look","arguments":{}}}
{"jsonrpc":"2.0","id":0,"result":{"content":[{"type":"text","text":"seen"},{"type":"resource_link","uri":"file:///x","name":"x"},{"type":"image","data":"QQ==","mimeType":"image/png"}]}}"#;
    assert_eq!(
        read(Format::Mcp2025, session),
        (
            "action: look()\nobservation [attach=[\"file:///x\", \"data:image/png;base64,QQ==\"]]: \"seen\"\n".to_owned(),
            vec![]
        )
    );
    // What is long is for a file.
    let long = session.replace("QQ==", &"Q".repeat(5000));
    assert_eq!(read(Format::Mcp2025, &long).1, [LossKind::Layout, LossKind::Attachment]);
}

#[test]
fn attachments_are_written_where_the_format_has_a_place() {
    let trace = Trace::parse(ATTACHED).unwrap();
    for (format, kept) in [
        (Format::OpenAiResponses, true),
        (Format::Anthropic, true),
        (Format::Inspect, true),
        (Format::OpenAiChat, false),
        (Format::Hermes, false),
    ] {
        let written = format.write(&trace);
        let kinds: Vec<LossKind> = written.losses.iter().map(|l| l.kind).collect();
        if kept {
            assert_eq!(
                (read(format, &written.value), kinds),
                ((ATTACHED.to_owned(), vec![]), vec![]),
                "{}",
                format.name()
            );
        } else {
            assert_eq!(kinds, [LossKind::Attachment; 2], "{}", format.name());
        }
    }
    let chat = Format::OpenAiChat.write(&trace).value;
    assert!(chat.contains(r#"{"type":"image_url","image_url":{"url":"https://a.org/x.png"}}"#), "{chat}");
    let mcp = Format::Mcp2026.write(&trace).value;
    assert!(read(Format::Mcp2026, &mcp).0.contains("[attach=[\"https://a.org/z.jpg\"]]"), "{mcp}");
}

/// Bytes stand in a reference, in base64, and go back to where a format has them.
#[test]
fn bytes_come_back() {
    let (pdf, png, wav) = (
        "data:application/pdf;base64,JVBERg==",
        "data:image/png;base64,iVBORw==",
        "data:audio/wav;base64,UklGRg==",
    );
    let messages =
        |parts: &str| format!(r#"[{{"role":"user","content":[{{"type":"text","text":"Look."}},{parts}]}}]"#);
    let session = |blocks: &str| {
        format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"tools/call","params":{{"name":"look","arguments":{{}}}}}}
{{"jsonrpc":"2.0","id":0,"result":{{"content":[{{"type":"text","text":"seen"}},{blocks}]}}}}"#
        )
    };
    let result = "action: look()\nobservation [attach=[\"REFERENCE\"]]: \"seen\"\n";
    let goal = "goal [attach=[\"REFERENCE\"]]: Look.\n";
    for (format, text, trace, reference) in [
        (
            Format::OpenAiChat,
            messages(&format!(r#"{{"type":"image_url","image_url":{{"url":"{png}"}}}}"#)),
            goal,
            png,
        ),
        (
            Format::OpenAiChat,
            messages(r#"{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}"#),
            goal,
            wav,
        ),
        (
            Format::OpenAiChat,
            messages(&format!(r#"{{"type":"file","file":{{"file_data":"{pdf}"}}}}"#)),
            goal,
            pdf,
        ),
        (
            Format::OpenAiResponses,
            format!(
                r#"[{{"type":"message","role":"user","content":[{{"type":"input_text","text":"Look."}},{{"type":"input_file","file_data":"{pdf}"}}]}}]"#
            ),
            goal,
            pdf,
        ),
        (
            Format::Anthropic,
            messages(
                r#"{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERg=="}}"#,
            ),
            goal,
            pdf,
        ),
        (
            Format::Mcp2026,
            session(r#"{"type":"image","data":"iVBORw==","mimeType":"image/png"}"#),
            result,
            png,
        ),
        (
            Format::Mcp2026,
            session(r#"{"type":"audio","data":"UklGRg==","mimeType":"audio/wav"}"#),
            result,
            wav,
        ),
        (
            Format::Mcp2025,
            session(
                r#"{"type":"resource","resource":{"uri":"attachment:","mimeType":"application/pdf","blob":"JVBERg=="}}"#,
            ),
            result,
            pdf,
        ),
    ] {
        let trace = trace.replace("REFERENCE", reference);
        let (found, losses) = read(format, &text);
        assert_eq!(found, trace, "{}", format.name());
        assert!(
            !losses.contains(&LossKind::Attachment) && !losses.contains(&LossKind::Metadata),
            "{losses:?}"
        );
        let written = format.write(&Trace::parse(&trace).unwrap());
        assert_eq!((read(format, &written.value).0, written.losses), (trace, vec![]), "{}", written.value);
    }
    // The name of a resource is lost, its bytes are not; a resource that is text is no bytes.
    let named = session(
        r#"{"type":"resource","resource":{"uri":"file:///a.pdf","mimeType":"application/pdf","blob":"JVBERg=="}}"#,
    );
    assert_eq!(read(Format::Mcp2026, &named), (result.replace("REFERENCE", pdf), vec![LossKind::Metadata]));
    let text =
        session(r#"{"type":"resource","resource":{"uri":"file:///a","mimeType":"text/plain","text":"a"}}"#);
    assert!(read(Format::Mcp2026, &text).1.contains(&LossKind::Attachment));
}

#[test]
fn a_hidden_thought_goes_back_as_it_came() {
    let text = r#"{"messages":[{"role":"user","content":"Go."},{"role":"assistant","content":[{"type":"redacted_thinking","data":"Ab+/="},{"type":"text","text":"Yes."}]}]}"#;
    let (trace, losses) = read(Format::Anthropic, text);
    assert_eq!(trace, "goal: Go.\nthought [signature=\"Ab+/=\" x_redacted=true]:\nanswer: Yes.\n");
    assert_eq!(losses, []);
    let trace = Trace::parse(&trace).unwrap();
    let written = Format::Anthropic.write(&trace);
    assert_eq!((written.value.as_str(), written.losses), (text, vec![]));
    let written = Format::Inspect.write(&trace);
    assert_eq!(written.losses, []);
    assert!(written.value.contains(r#""reasoning":"Ab+/=","redacted":true"#), "{}", written.value);
}

#[test]
fn what_is_known_of_spans_stands_beside_them() {
    let text = "goal [weight=0 time=\"2026-11-30T08:00:00Z\"]: Go.\nthought [x_n=1]: Hm.\n\
        action [failed score=0.5]: look(a=1)\nobservation [fault=stale own=1..3]: \"abc\"\nanswer [weight=2.5]: Yes.\n";
    let trace = Trace::parse(text).unwrap();
    for format in [Format::Atif, Format::Inspect, Format::OpenTelemetry, Format::Verifiers] {
        let written = format.write(&trace);
        assert_eq!(written.losses, [], "{}", written.value);
        assert_eq!(read(format, &written.value), (text.to_owned(), vec![]), "{}", written.value);
        // Metadata of another span than it was is reported and not used.
        let other = written.value.replace("observation [", "error [").replace("[weight=2.5]", "[own=70..80]");
        let (back, losses) = read(format, &other);
        assert!(!back.contains("stale") && !back.contains("70..80"), "{back}");
        assert!(losses.contains(&LossKind::Metadata), "{losses:?}");
    }
    let written = Format::Atif.write(&trace).value;
    assert!(written.contains(r#""timestamp":"2026-11-30T08:00:00Z","source":"user""#), "{written}");
    // Where there is no place, each is a loss.
    let kinds: Vec<LossKind> = Format::OpenAiChat.write(&trace).losses.iter().map(|l| l.kind).collect();
    for kind in [LossKind::Weight, LossKind::Fault, LossKind::Own, LossKind::Metadata] {
        assert!(kinds.contains(&kind), "{kinds:?}");
    }
}

#[test]
fn tools_alone_are_read_in_every_shape() {
    let tool = r#""name":"pay","inputSchema":{"type":"object","properties":{"to":{"type":"string"}},"required":["to"],"additionalProperties":false}"#;
    let declared = "tools {\n  pay(to: str) -> any\n}\n";
    let bare = format!("{{{tool}}}");
    let function = bare.replace("inputSchema", "parameters");
    for text in [
        format!("[{bare}]"),
        format!("{{\"tools\":[{bare}]}}"),
        format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{{\"tools\":[{bare}]}}}}"),
        format!("{{\"tools\":[{{\"type\":\"function\",\"function\":{function}}}]}}"),
        bare.clone(),
    ] {
        assert_eq!(read(Format::JsonSchema, &text), (declared.to_owned(), vec![]), "{text}");
    }
    let written = Format::JsonSchema.write(&Trace::parse(declared).unwrap());
    assert_eq!((read(Format::JsonSchema, &written.value).0.as_str(), written.losses), (declared, vec![]));
    // Several documents, and what is beside the tools.
    let (trace, losses) =
        read(Format::JsonSchema, &format!("[{{\"tools\":[{bare}],\"nextCursor\":\"c\"}},{{\"tools\":[]}}]"));
    assert_eq!((trace.as_str(), losses), (declared, vec![LossKind::Metadata]));
}

#[test]
fn a_tool_that_the_service_has_built_in_is_reported_and_the_rest_is_read() {
    let text = r#"{"input":"Go.","tools":[{"type":"web_search"},{"type":"function","name":"pay","parameters":{"type":"object","properties":{},"additionalProperties":false}}]}"#;
    let (trace, losses) = read(Format::OpenAiResponses, text);
    assert_eq!(trace, "tools {\n  pay() -> any\n}\ngoal: Go.\n");
    assert_eq!(losses, [LossKind::Layout, LossKind::Tools]);
}

#[test]
fn every_trace_of_an_export_is_read() {
    let span = |trace: &str, start: u32, text: &str| {
        format!(
            r#"{{"traceId":"{trace}","name":"chat","startTimeUnixNano":"{start}","attributes":{{"gen_ai.input.messages":[{{"role":"user","parts":[{{"type":"text","content":"{text}"}}]}}]}}}}"#
        )
    };
    let spans = [span("a", 1, "one"), span("b", 3, "two"), span("a", 2, "three")].join(",");
    let (trace, losses) = read(
        Format::OpenTelemetry,
        &format!(r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}"#),
    );
    assert_eq!((trace.as_str(), losses), ("goal: three\n---\ngoal: two\n", vec![LossKind::Layout]));
}
