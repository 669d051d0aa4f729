//! Printing and parsing are each other's inverse, and nothing makes the parser panic.

use std::ops::Range;

use groundwork_trace::{
    Attempt, Call, ErrorType, Field, Number, Span, SpanKind, Tool, ToolError, Trace, Type, Value, check,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Strings made of what the language gives a meaning to, and of what editors and terminals do.
fn nasty() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "\n\n",
        "\r",
        "\r\n",
        "  ",
        " ",
        "\t",
        ":",
        "action: ",
        "goal",
        "\n---\n",
        "tools {\n",
        "}",
        "\n}",
        "{",
        "[",
        "]",
        "(",
        ")",
        "\"",
        "\\",
        "\\u{",
        "///",
        "=",
        "null",
        "true",
        "-",
        "1",
        "1e3",
        "é",
        "\u{85}",
        "\u{2028}",
        "\u{0}",
        "\u{7f}",
        "🦀",
        "x",
        "%trace 1",
        "\u{feff}",
        "| ",
        "! ",
        "-> ",
        "? ",
        "failed",
        "own=1..2",
        ",",
        "list(dir: path)",
    ];
    let piece = prop_oneof![
        4 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..10).prop_map(|p| p.concat())
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => proptest::sample::select(vec!["a", "b_2", "_", "null", "int", "any", "path"]).prop_map(str::to_owned),
        1 => nasty(),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    (any::<i64>(), proptest::option::of(0u32..1000), proptest::option::of(-400i32..400)).prop_map(
        |(n, f, e)| {
            let fraction = f.map_or(String::new(), |f| format!(".{f}"));
            let exponent = e.map_or(String::new(), |e| format!("e{e}"));
            Value::Number(Number::parse(&format!("{n}{fraction}{exponent}")).unwrap())
        },
    )
}

fn literal() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number(),
        nasty().prop_map(Value::Str)
    ]
}

fn value() -> impl Strategy<Value = Value> {
    literal().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::List),
            vec((name(), inner), 0..4).prop_map(Value::Record),
        ]
    })
}

fn call() -> impl Strategy<Value = Call> {
    (name(), vec((name(), value()), 0..4)).prop_map(|(tool, args)| Call { tool, args })
}

fn ty() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        proptest::sample::select(vec![Type::Any, Type::Bool, Type::Int, Type::Float, Type::Str, Type::Path]),
        vec(literal(), 1..4).prop_map(Type::Enum),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| Type::List(Box::new(t))),
            inner.clone().prop_map(|t| Type::Optional(Box::new(t))),
            vec(inner.clone(), 2..4).prop_map(Type::Union),
            vec(field(inner), 0..3).prop_map(Type::Record),
        ]
    })
}

fn field(ty: impl Strategy<Value = Type>) -> impl Strategy<Value = Field> {
    (name(), ty, proptest::option::of(literal())).prop_map(|(name, ty, default)| Field { name, ty, default })
}

fn tool() -> impl Strategy<Value = Tool> {
    let error = (name(), vec(ty(), 0..2)).prop_map(|(name, args)| ErrorType { name, args });
    (name(), nasty(), vec(field(ty()), 0..3), ty(), vec(error, 0..3))
        .prop_map(|(name, doc, params, result, errors)| Tool { name, doc, params, result, errors })
}

/// Ranges of `body` between characters, in order and apart.
fn own(body: &str, cuts: &[prop::sample::Index]) -> Vec<Range<usize>> {
    let places: Vec<usize> = body.char_indices().map(|(i, _)| i).chain([body.len()]).collect();
    let mut at: Vec<usize> = cuts.iter().map(|c| *c.get(&places)).collect();
    at.sort_unstable();
    at.chunks_exact(2).map(|p| p[0]..p[1]).collect()
}

fn span() -> impl Strategy<Value = Span> {
    let body = prop_oneof![
        4 => nasty(),
        1 => call().prop_map(|c| c.to_string()),
        1 => vec(tool(), 0..3).prop_map(|t| Tool::print_all(&t)),
        1 => nasty().prop_map(|s| format!("{{{s}")),
        1 => nasty().prop_map(|s| format!("{{\n{s}\n}}")),
    ];
    (
        prop_oneof![proptest::sample::select(SpanKind::ALL.to_vec()), Just(SpanKind::Tools)],
        body,
        any::<bool>(),
        proptest::option::of(name()),
        vec(any::<prop::sample::Index>(), 0..5),
        proptest::option::of(prop::num::f32::POSITIVE | prop::num::f32::ZERO),
    )
        .prop_map(|(kind, body, failed, fault, cuts, weight)| {
            let own = own(&body, &cuts);
            Span { kind, failed, fault, own, weight, body }
        })
}

fn trace() -> impl Strategy<Value = Trace> {
    vec(span(), 0..6).prop_map(Trace::new)
}

fn bare(trace: &Trace) -> Trace {
    Trace::new(trace.spans.iter().map(|s| Span::new(s.kind, s.body.clone())).collect())
}

fn none(_: &str) -> Result<Vec<Tool>, String> {
    Err(String::new())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1500) })]

    #[test]
    fn traces(trace in trace()) {
        let annotated = trace.to_annotated();
        let again = Trace::parse(&annotated).map_err(|d| TestCaseError::fail(d.render(&annotated, "annotated", false)))?;
        prop_assert_eq!(&again, &trace);
        prop_assert_eq!(again.to_annotated(), annotated);
        let text = trace.to_text();
        prop_assert_eq!(Trace::parse(&text).unwrap(), bare(&trace));
    }

    #[test]
    fn files(traces in vec(trace(), 0..4)) {
        let text = Trace::print_all(&traces);
        let kept: Vec<Trace> = traces.into_iter().filter(|t| !t.spans.is_empty()).collect();
        prop_assert_eq!(Trace::parse_all(&text).unwrap(), kept);
    }

    #[test]
    fn values(value in value()) {
        prop_assert_eq!(Value::parse(&value.to_string()).unwrap(), value);
    }

    #[test]
    fn calls(call in call()) {
        prop_assert_eq!(Call::parse(&call.to_string()).unwrap(), call);
    }

    #[test]
    fn errors(name in name(), args in vec(value(), 0..3)) {
        let error = ToolError { name, args };
        prop_assert_eq!(ToolError::parse(&error.to_string()).unwrap(), error);
    }

    #[test]
    fn types(ty in ty()) {
        prop_assert_eq!(Type::parse(&ty.to_string()).unwrap(), ty);
    }

    #[test]
    fn tools(tools in vec(tool(), 0..4)) {
        let body = Tool::print_all(&tools);
        prop_assert_eq!(&Tool::parse_all(&body).map_err(|d| TestCaseError::fail(d.render(&body, "tools", false)))?, &tools);
        let trace = Trace::new(vec![Span::new(SpanKind::Tools, body)]);
        prop_assert_eq!(trace.tools(), tools);
    }

    /// Whatever the text, reading it ends, every message points into it and can be drawn, and what could be
    /// read is printed so that it is read again.
    #[test]
    fn any_text_is_read_without_panic(text in prop_oneof![nasty(), vec(nasty(), 0..8).prop_map(|l| l.join("\n"))]) {
        let wrong = check(&text, none);
        for d in &wrong.0 {
            prop_assert!(d.range.start <= d.range.end && d.range.end <= text.len(), "{d:?}");
            d.position(&text);
            d.render(&text, "any", false);
        }
        if let Ok(traces) = Trace::parse_all(&text) {
            prop_assert_eq!(Trace::parse_all(&Trace::print_all(&traces)).unwrap(), traces);
        } else {
            prop_assert!(wrong.has_errors());
        }
        let declared = Tool::parse_all("list(dir: path) -> [str]").unwrap();
        let attempt = Attempt::parse(&text, &declared);
        prop_assert!(text.get(attempt.at).is_some());
        let _ = (Value::parse(&text), ToolError::parse(&text), Type::parse(&text), Tool::parse_all(&text));
        Trace::text(text).to_terminal(true);
    }

    /// A file without a mistake is read by a shorter way, which a byte order mark keeps it from.
    #[test]
    fn both_readers_agree(traces in vec(trace(), 0..3), cut in any::<prop::sample::Index>(), piece in nasty(), whole in any::<bool>()) {
        let mut text = Trace::print_all(&traces);
        if !whole {
            let at = text.floor_char_boundary(cut.index(text.len() + 1));
            text.insert_str(at, &piece);
        }
        prop_assume!(!text.starts_with('\u{feff}'));
        let slowly = Trace::parse_all(&format!("\u{feff}{text}"));
        match Trace::parse_all(&text) {
            Ok(traces) => prop_assert_eq!(slowly.unwrap(), traces),
            Err(_) => prop_assert!(slowly.is_err()),
        }
    }

    #[test]
    fn any_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..64)) {
        let text = String::from_utf8_lossy(&bytes);
        check(&text, none);
        Attempt::parse(&text, &[]);
    }
}
