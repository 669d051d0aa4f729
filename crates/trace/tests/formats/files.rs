//! Files of many documents.

use groundwork_trace::adapters::{ConvertError, Format, LossKind, Side, convert, read_each};
use groundwork_trace::{Span, SpanKind, Trace};

fn converted(from: &str, to: &str, input: &str) -> String {
    let mut out = Vec::new();
    convert(Side::from_name(from).unwrap(), Side::from_name(to).unwrap(), input.as_bytes(), &mut out)
        .unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_format_is_converted_from_the_language_and_back() {
    let traces: Vec<Trace> = ["one", "two\n---\nlines"]
        .map(|text| {
            let mut spans = vec![
                Span::new(SpanKind::Goal, text),
                Span::new(SpanKind::Action, "pay(cents=5, to=\"Ann\")"),
            ];
            spans.push(Span::new(SpanKind::Observation, "null"));
            Trace::new(spans)
        })
        .to_vec();
    for format in Format::ALL {
        for n in 0..=traces.len() {
            let text = Trace::print_all(&traces[..n]);
            let there = converted("trace", format.name(), &text);
            let back = converted(format.name(), "trace", &there);
            match format {
                // Only what passes between client and server is there.
                Format::Mcp2025 | Format::Mcp2026 => assert!(!back.contains("goal")),
                // Only tools are there.
                Format::JsonSchema | Format::Python | Format::TypeScript => assert!(!back.contains("goal")),
                _ if n == 0 => {}
                _ => assert_eq!(back, text, "{}\n{there}", format.name()),
            }
            assert_eq!(converted(format.name(), format.name(), &there), there, "{}", format.name());
        }
    }
}

#[test]
fn losses_are_counted_and_the_first_of_each_kind_is_kept() {
    let input = "{\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"model\":\"m\"}\n".repeat(3);
    let mut out = Vec::new();
    let summary = convert(Side::Format(Format::OpenAiChat), Side::Trace, input.as_bytes(), &mut out).unwrap();
    assert_eq!(summary.traces, 3);
    let (count, document, first) = &summary.losses[&LossKind::Metadata];
    assert_eq!((*count, *document, first.to_string()), (3, 0, "metadata at `/model`: `model`".to_owned()));
    assert_eq!(out, b"goal: a\n---\ngoal: a\n---\ngoal: a\n");
}

#[test]
fn the_document_that_fails_is_named() {
    let input = "{\"messages\":[]}\n{\"messages\":3}\n";
    let failed = convert(Side::Format(Format::OpenAiChat), Side::Trace, input.as_bytes(), Vec::new());
    assert!(matches!(&failed, Err(ConvertError::Format { place, .. }) if place.document == 1), "{failed:?}");
    assert_eq!(
        failed.unwrap_err().to_string(),
        "document 1, line 2: this is no array at `/messages` (write it in `[` `]`)"
    );
    assert_eq!(Side::from_name("openai-chta"), Err("did you mean `openai-chat`?".to_owned()));
}

/// The documents that could not be read, by name, and the goals of those that could.
fn good_and_bad(format: Format, input: &[u8]) -> (Vec<String>, Vec<String>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    let keep_on = |e: ConvertError| match e {
        ConvertError::Io(e) => Err(e.into()),
        e => {
            bad.push(e.to_string());
            Ok(())
        }
    };
    read_each(Side::Format(format), input, keep_on, |trace| {
        good.push(trace.spans[0].body.clone());
        Ok(())
    })
    .unwrap();
    (good, bad)
}

const CHAT: Format = Format::OpenAiChat;

fn chat(goal: &str) -> String {
    format!("{{\"messages\":[{{\"role\":\"user\",\"content\":\"{goal}\"}}]}}")
}

#[test]
fn a_list_of_documents_is_read_item_by_item() {
    // Of a file that goes on and on, the first items come before its end was looked for.
    struct Endless(Vec<u8>, usize);
    impl std::io::Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
            assert!(self.1 < 1 << 20, "a megabyte was read for three short documents");
            let n = out.len().min(1000);
            (0..n).for_each(|i| out[i] = self.0[(self.1 + i) % self.0.len()]);
            if self.1 == 0 {
                out[0] = b'[';
            }
            self.1 += n;
            Ok(n)
        }
    }
    let item = format!(",\n  {}", chat("a"));
    let input = std::io::BufReader::with_capacity(4096, Endless(item.into_bytes(), 0));
    let mut seen = 0;
    let done = read_each(Side::Format(CHAT), input, Err, |_| {
        seen += 1;
        if seen == 3 { Err(ConvertError::Io(std::io::ErrorKind::Interrupted.into())) } else { Ok(()) }
    });
    assert!(matches!(done, Err(ConvertError::Io(_))) && seen == 3, "{done:?}");
    // However the file is laid out.
    let (a, b, c) = (chat("a"), chat("b"), chat("c"));
    for text in [
        format!("[{a},{b},{c}]"),
        format!("\u{feff} [\n {a}\n,\n\n{b},{c}\n]\n\n"),
        format!("[{a}]\n[{b},{c}]\n"),
        format!("{a}\n[{b},{c}]\n"),
        format!("{}\n{b}\n{c}", a.replace(':', ":\n")),
        format!("[{a},[{{\"role\":\"user\",\"content\":\"b\"}}],{c}]"),
    ] {
        let (good, bad) = good_and_bad(CHAT, text.as_bytes());
        assert_eq!((good.concat().as_str(), bad), ("abc", vec![]), "{text}");
    }
    // One document that is a list itself.
    let messages = "[\n {\"role\":\"user\",\"content\":\"a\"},\n {\"role\":\"assistant\",\"content\":\"b\"}]";
    assert_eq!(good_and_bad(CHAT, messages.as_bytes()), (vec!["a".to_owned()], vec![]));
    let (_, bad) = good_and_bad(CHAT, messages.replace("\"b\"", "b").as_bytes());
    assert_eq!(
        bad,
        ["document 0, line 1: this is no JSON value at line 3, column 32 (strings stand in double quotes)"]
    );
}

#[test]
fn a_bad_document_is_named_and_the_next_is_read() {
    let (a, b) = (chat("a"), chat("b"));
    let broken = "{\"messages\":[{\"role\":\"us";
    let cut = "{\"messages\":[";
    let at = |s: &str| (s.split(':').next().unwrap_or_default().to_owned(), s.to_owned());
    for (text, place, wrong) in [
        (format!("{a}\n\n{broken}\n{b}\n"), "document 1, line 3", "never closed at line 3, column 22"),
        (format!("{broken}\n{a}\n{b}\n"), "document 0, line 1", "not closed on its line at line 1"),
        (format!("{cut}\n{a}\n{b}\n"), "document 0, line 1", "at line 3, column 1"),
        (format!("{a}\n{{\"messages\":3}}\n{b}\n"), "document 1, line 2", "no array at `/messages`"),
        (format!("[{a},\n{{\"messages\":3}},\n{b}]"), "document 1, line 2, item 1 of a list", "`/messages`"),
        (
            format!("[{a},{{\"messages\":\"\\q\"}},{b}]"),
            "document 1, line 1, item 1 of a list",
            "escape at line 1, column 60",
        ),
        (format!("{{\n \"messages\": [,]\n}}\n{a}\n{b}"), "document 0, line 1", "at line 2, column 15"),
        (format!("[{a},{{\"messages\" 3}}]\n[{b}]"), "document 1, line 1, item 1 of a list", "`:`"),
    ] {
        let (good, bad) = good_and_bad(CHAT, text.as_bytes());
        let (named, said) = at(&bad.concat());
        assert_eq!((good.concat().as_str(), bad.len(), named.as_str()), ("ab", 1, place), "{text}\n{said}");
        assert!(said.contains(wrong), "{said}");
    }
    // Bytes that are no text are those of a line.
    let text = [a.as_bytes(), b"\n{\"messages\":[\xe2\x82]}\n", b.as_bytes()].concat();
    let (good, bad) = good_and_bad(CHAT, &text);
    assert_eq!(good.concat(), "ab");
    assert_eq!(
        bad,
        [
            "document 1, line 2: this is not UTF-8 at line 2, column 14 (convert it, for example with `iconv -t utf-8`)"
        ]
    );
    // Chat text, a document on each line.
    let lines = "{\"text\":\"<|im_start|>user\\na<|im_end|>\\n\"}\n{\"text\":\"x\"}\n{\"text\":3\n";
    let (good, bad) = good_and_bad(Format::Hermes, lines.as_bytes());
    assert_eq!(good, ["a"]);
    assert!(
        bad[0].starts_with("document 1, line 2: in its text, at line 1, column 1: no turn begins here"),
        "{bad:?}"
    );
    assert!(bad[1].starts_with("document 2, line 3: expected `,` or `}`"), "{bad:?}");
    let (_, bad) =
        good_and_bad(Format::Hermes, b"{\"text\":\n{\"text\":\"<|im_start|>user\\na<|im_end|>\\n\"}\n");
    assert_eq!(bad.len(), 1);
}

#[test]
fn a_document_of_several_traces_counts_once() {
    let sample = "{\"id\":1,\"epoch\":1,\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}";
    let text = format!("{{\"samples\":[{sample},{sample}]}}\n{{\"samples\":3}}\n");
    let (good, bad) = good_and_bad(Format::Inspect, text.as_bytes());
    assert_eq!((good.len(), bad.len()), (2, 1));
    assert!(bad[0].starts_with("document 1, line 2: "), "{bad:?}");
}

#[test]
fn a_trace_that_cannot_be_read_is_named_by_its_line() {
    let text = "goal: a\n---\ngaol: b\n---\ngoal: c\n";
    let (mut good, mut bad) = (0, Vec::new());
    let keep = |e: ConvertError| {
        bad.push(e.to_string());
        Ok(())
    };
    read_each(Side::Trace, text.as_bytes(), keep, |_| {
        good += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(
        (good, bad),
        (2, vec!["document 1, line 3: there is no span `gaol` (did you mean `goal`?)".to_owned()])
    );
}
