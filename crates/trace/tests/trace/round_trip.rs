//! Printing and parsing are each other's inverse, and nothing makes the parser panic.

use std::ops::Range;
use std::sync::Arc;

use groundwork_trace::{
    Attempt, Bounds, Call, ErrorType, Field, NamedType, Number, Span, SpanKind, Tool, ToolError, Trace, Type,
    Value, check,
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
        (proptest::sample::select(vec![Type::Int, Type::Float, Type::Str]), bounds())
            .prop_map(|(t, b)| bounded(t, b)),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| Type::List(Box::new(t))),
            inner.clone().prop_map(|t| Type::Optional(Box::new(t))),
            vec(inner.clone(), 2..4).prop_map(Type::Union),
            vec(field(inner.clone()), 0..3).prop_map(Type::Record),
            (vec(field(inner.clone()), 0..3), inner.clone()).prop_map(|(f, t)| Type::Open(f, Box::new(t))),
            (bounds(), inner).prop_map(|(bounds, item)| bounded(Type::List(Box::new(item)), bounds)),
        ]
    })
}

fn bounds() -> impl Strategy<Value = Bounds> {
    let number = || {
        proptest::option::of(number().prop_map(|v| match v {
            Value::Number(n) => n,
            _ => unreachable!("a number"),
        }))
    };
    let text = || proptest::option::of(nasty());
    ((number(), number(), number(), number(), number()), text(), text(), any::<bool>()).prop_map(
        |((min, max, above, below, step), pattern, format, unique)| Bounds {
            min,
            max,
            above,
            below,
            step,
            pattern,
            format,
            unique,
        },
    )
}

/// `ty` with those of `bounds` that it can have.
fn bounded(ty: Type, bounds: Bounds) -> Type {
    let length = |n: Option<Number>| n.filter(|n| n.is_integer() && !n.as_str().starts_with('-'));
    let bounds = match ty {
        Type::Int | Type::Float => Bounds { pattern: None, format: None, unique: false, ..bounds },
        Type::Str => Bounds {
            min: length(bounds.min),
            max: length(bounds.max),
            pattern: bounds.pattern,
            format: bounds.format.filter(|f| f != "path"),
            ..Bounds::default()
        },
        _ => Bounds {
            min: length(bounds.min),
            max: length(bounds.max),
            unique: bounds.unique,
            ..Bounds::default()
        },
    };
    if bounds.is_empty() { ty } else { Type::Bounded(Box::new(ty), bounds) }
}

fn doc() -> impl Strategy<Value = String> {
    prop_oneof![2 => Just(String::new()), 1 => nasty()]
}

fn field(ty: impl Strategy<Value = Type>) -> impl Strategy<Value = Field> {
    (name(), doc(), ty, any::<bool>(), proptest::option::of(literal())).prop_map(
        |(name, doc, ty, optional, default)| Field {
            name,
            doc,
            ty,
            optional: optional && default.is_none(),
            default,
        },
    )
}

fn tool() -> impl Strategy<Value = Tool> {
    let error = (name(), doc(), vec(ty(), 0..2)).prop_map(|(name, doc, args)| ErrorType { name, doc, args });
    (name(), doc(), vec(field(ty()), 0..3), ty(), vec(error, 0..3)).prop_map(
        |(name, doc, params, result, errors)| Tool { name, doc, params, result, errors, types: Vec::new() },
    )
}

/// A tool that uses types with names, which lead to each other.
fn typed_tool() -> impl Strategy<Value = Tool> {
    let names = ["Tree", "a_1", "types"];
    let link = move || proptest::sample::select(names.to_vec()).prop_map(|n| Type::Named(n.to_owned()));
    let inner =
        move || (link(), ty()).prop_map(|(t, u)| Type::Record(vec![Field::new("x", t), Field::new("y", u)]));
    let types = (doc(), inner(), doc(), inner(), doc(), inner());
    (tool(), types).prop_map(move |(mut tool, (d0, t0, d1, t1, d2, t2))| {
        let named = [(d0, t0), (d1, t1), (d2, t2)].into_iter().zip(names);
        tool.types =
            named.map(|((doc, ty), name)| Arc::new(NamedType { name: name.to_owned(), doc, ty })).collect();
        tool.types.sort_by(|a, b| a.name.cmp(&b.name));
        // All three are used.
        tool.result = Type::Union(names.map(|n| Type::Named(n.to_owned())).to_vec());
        tool
    })
}

/// Ranges of `body` between characters, in order and apart.
fn own(body: &str, cuts: &[prop::sample::Index]) -> Vec<Range<usize>> {
    let places: Vec<usize> = body.char_indices().map(|(i, _)| i).chain([body.len()]).collect();
    let mut at: Vec<usize> = cuts.iter().map(|c| *c.get(&places)).collect();
    at.sort_unstable();
    at.chunks_exact(2).map(|p| p[0]..p[1]).collect()
}

const META: [&str; 5] = ["id", "after", "score", "x_y", "attach"];

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
        proptest::collection::btree_map(proptest::sample::select(META.to_vec()), value(), 0..3),
    )
        .prop_map(|(kind, body, failed, fault, cuts, weight, meta)| {
            let own = own(&body, &cuts);
            let meta = meta.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Span { kind, failed, fault, own, weight, body, meta }
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
        prop_assert_eq!(again.to_annotated(), annotated.as_str());
        let text = trace.to_text();
        prop_assert_eq!(Trace::parse(&text).unwrap(), bare(&trace));
        let all = ["failed", "fault", "own", "weight"].into_iter().chain(META);
        prop_assert_eq!(trace.to_text_with(&all.collect::<Vec<_>>()), annotated);
        // Every span is in a branch, in the order of the trace, and what is not shared is in one alone.
        let ways: Vec<_> = trace.branches().collect();
        prop_assert_eq!(ways.iter().map(|w| w.trace.spans.len() - w.shared).sum::<usize>(), trace.spans.len());
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

    #[test]
    fn tools_with_named_types(tools in vec(prop_oneof![typed_tool(), tool()], 0..3)) {
        for tool in &tools {
            let text = tool.to_string();
            prop_assert_eq!(&Tool::parse(&text).map_err(|d| TestCaseError::fail(d.render(&text, "tool", false)))?, tool);
        }
        // Types of one name that differ are renamed, once.
        let body = Tool::print_all(&tools);
        let read = Tool::parse_all(&body).map_err(|d| TestCaseError::fail(d.render(&body, "tools", false)))?;
        prop_assert_eq!(Tool::print_all(&read), body);
    }

    #[test]
    fn tools_in_json_schema(tool in prop_oneof![typed_tool(), tool()]) {
        if let Ok(schema) = tool.to_json_schema() {
            prop_assert_eq!(Tool::from_json_schema(&schema).map_err(|e| TestCaseError::fail(format!("{e}\n{schema:#}")))?, tool);
        }
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
