//! Traces to convert: plausible episodes full of awkward text, and spans in any order.

use groundwork_trace::{Call, Number, Span, SpanKind, Tool, Trace, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

/// Text that spells what formats give a meaning to.
pub fn nasty() -> impl Strategy<Value = String> {
    let pieces = [
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "\t",
        "\"",
        "'",
        "\\",
        "\\u0041",
        "\\ud83e",
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ",",
        ":",
        "true",
        "false",
        "null",
        "None",
        "True",
        "1",
        "1.0",
        "-0",
        "1e3",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{200b}",
        "\u{feff}",
        "é",
        "🦀",
        "x",
        "pay",
        "```json\n",
        "```",
        "<",
        ">",
        "|",
        "｜",
        "<|im_start|>",
        "<|im_end|>",
        "<|im_start|>assistant\n",
        "<tool_call>",
        "</tool_call>",
        "<tool_response>",
        "</tool_response>",
        "<tools>",
        "</tools>",
        "<think>",
        "</think>",
        "<function=pay>",
        "</function>",
        "<parameter=to>",
        "</parameter>",
        "<|begin_of_text|>",
        "<|start_header_id|>",
        "<|eot_id|>",
        "<|eot|>",
        "[pay(to=\"Ann\")]",
        "{\"name\": \"pay\", \"parameters\": {}}",
        "<s>",
        "</s>",
        "[INST]",
        "[/INST]",
        "[TOOL_CALLS]",
        "[ARGS]",
        "[TOOL_RESULTS]",
        "[/TOOL_RESULTS]",
        "<｜User｜>",
        "<｜Assistant｜>",
        "<｜end▁of▁sentence｜>",
        "<｜tool▁call▁end｜>",
        "<｜DSML｜function_calls>",
        "</｜DSML｜parameter>",
        "<function_results>",
        "</result>",
        "<|user|>",
        "<|assistant|>",
        "<|observation|>",
        "<arg_key>",
        "</arg_value>",
        "<|tool_call_end|>",
        "<|tool_calls_section_begin|>",
        "<|start|>",
        "<|channel|>",
        "<|message|>",
        "<|call|>",
        "<|end|>",
        "<|return|>",
        "<minimax:tool_call>",
        "</invoke>",
        "]~b]user\n",
        "[e~[",
        "</response>",
        "<turn|>",
        "<|turn>",
        "<|\"|>",
        "<|tool_call>",
        "<tool_call|>",
        "<channel|>",
        "\nObservation: ",
        "\nThought: ",
        "Action: ",
        "\nFinal Answer: ",
        "\nAction Input: ",
        "## Return of functions.pay:0\n",
    ];
    let piece = prop_oneof![
        8 => select(pieces.to_vec()).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    vec(piece, 0..6).prop_map(|p| p.concat())
}

/// Mostly ordinary words.
fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["a", "Pay Ann.", "two\nlines", "It is done.", "größe"]).prop_map(str::to_owned),
        2 => nasty(),
    ]
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => select(vec!["to", "cents", "b_2", "name", "arguments"]).prop_map(str::to_owned),
        1 => nasty(),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    let odd = ["0", "-0", "1", "1.0", "1e3", "1E+3", "0.10", "123456789012345678901234567890", "-1.5e-300"];
    prop_oneof![
        select(odd.to_vec()).prop_map(|n| Value::Number(Number::parse(n).unwrap())),
        any::<i64>().prop_map(Value::int),
    ]
}

pub fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => number(),
        4 => words().prop_map(Value::Str),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::List),
            vec((name(), inner), 0..3).prop_map(Value::Record),
        ]
    })
}

pub fn call() -> impl Strategy<Value = Call> {
    let tool = prop_oneof![
        8 => select(vec!["pay", "list", "read_file", "get-weather", "a.b"]).prop_map(str::to_owned),
        1 => nasty(),
    ];
    (tool, vec((name(), value()), 0..4)).prop_map(|(tool, args)| Call { tool, args })
}

fn action() -> impl Strategy<Value = Span> {
    prop_oneof![
        8 => call().prop_map(|c| Span::action(&c)),
        1 => nasty().prop_map(|body| Span { failed: true, ..Span::new(SpanKind::Action, body) }),
        // Cut off somewhere.
        1 => (call(), any::<prop::sample::Index>()).prop_map(|(c, at)| {
            let body = c.to_string();
            let at = body.floor_char_boundary(at.index(body.len() + 1));
            Span { failed: true, ..Span::new(SpanKind::Action, &body[..at]) }
        }),
    ]
}

fn result() -> impl Strategy<Value = Span> {
    prop_oneof![
        4 => value().prop_map(|v| Span::observation(&v)),
        1 => words().prop_map(|e| Span::new(SpanKind::Error, e)),
        1 => nasty().prop_map(|t| Span::new(SpanKind::Observation, t)),
    ]
}

/// Parallel calls with their results.
fn step() -> impl Strategy<Value = Vec<Span>> {
    let said = prop_oneof![
        Just(None),
        words().prop_map(|t| Some(Span::new(SpanKind::Thought, t))),
        words().prop_map(|t| Some(Span::new(SpanKind::Plan, t))),
        words().prop_map(|t| Some(Span::new(SpanKind::Reflection, t))),
    ];
    (vec(said, 0..3), vec((action(), result()), 1..4), any::<bool>()).prop_map(|(said, pairs, whole)| {
        let (mut actions, mut results): (Vec<Span>, Vec<Span>) = pairs.into_iter().unzip();
        for (action, result) in actions.iter_mut().zip(&results) {
            action.failed |= result.kind == SpanKind::Error;
        }
        if !whole {
            results.pop();
        }
        said.into_iter().flatten().chain(actions).chain(results).collect()
    })
}

fn tools() -> impl Strategy<Value = Span> {
    let declared = "/// Pays.\n///\n/// At once.\npay(to: str, cents: int = 5) -> {ok: bool} ! NoMoney(int) | Denied
        list(dir: path, kind: \"a\" | \"b\" = \"a\") -> any  \"get-weather\"(at: {x: float, y: float?}) -> [str]";
    prop_oneof![
        Just(Span::new(SpanKind::Tools, Tool::print_all(&Tool::parse_all(declared).unwrap()))),
        Just(Span::new(SpanKind::Tools, "{\n}")),
        Just(Span::new(SpanKind::Tools, "files")),
    ]
}

/// Episodes that could be.
pub fn episode() -> impl Strategy<Value = Trace> {
    let system = words().prop_map(|t| Span::new(SpanKind::System, t));
    let turn = (words(), vec(step(), 0..3), proptest::option::of(words()));
    (proptest::option::of(tools()), proptest::option::of(system), vec(turn, 1..3)).prop_map(
        |(tools, system, turns)| {
            let mut spans: Vec<Span> = tools.into_iter().chain(system).collect();
            for (i, (said, steps, answer)) in turns.into_iter().enumerate() {
                spans.push(Span::new(if i == 0 { SpanKind::Goal } else { SpanKind::User }, said));
                spans.extend(steps.into_iter().flatten());
                spans.extend(answer.map(|a| Span::new(SpanKind::Answer, a)));
            }
            Trace::new(spans)
        },
    )
}

/// Spans of any kind in any order.
pub fn rubble() -> impl Strategy<Value = Trace> {
    let span = (select(SpanKind::ALL.to_vec()), nasty(), any::<bool>(), proptest::option::of(Just(0.5)));
    vec(
        prop_oneof![
            3 => span.prop_map(|(kind, body, failed, weight)| Span { failed, weight, ..Span::new(kind, body) }),
            1 => action(),
            1 => result(),
        ],
        0..7,
    )
    .prop_map(Trace::new)
}

pub fn any_trace() -> impl Strategy<Value = Trace> {
    prop_oneof![3 => episode(), 1 => rubble()]
}
