//! The grammar is that of exactly the valid actions: what it lets through is valid, and what is valid it lets through.

use std::sync::OnceLock;

use groundwork_grammar::{Action, ActionGrammar, GrammarError, Vocabulary};
use groundwork_trace::{ActionStatus, Attempt, Bounds, Call, ErrorType, Field, Number, Tool, Type, Value};
use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

/// All bytes, some of the pieces that a trained vocabulary has, and special tokens at the end.
fn tokens() -> Vec<Vec<u8>> {
    let pieces = [
        "\", ", "=\"", "\")", "(path", "null", "true", "[]", "{}", "\"\"", ", \"", "\\n", "ä", "1.5e", "10",
        "abc", "a=", " ", "\\\"", "\\u{", "=[", "], ", "}]", "})", "<|end|>",
    ];
    let mut tokens: Vec<Vec<u8>> = (0..=255u8).map(|b| vec![b]).collect();
    tokens.extend(pieces.iter().map(|p| p.as_bytes().to_vec()));
    // Half a character, as byte-pair encoding makes them.
    tokens.push("\"ä".as_bytes()[..2].to_vec());
    tokens.push(b"<|action|>".to_vec());
    tokens.push(b"<|end|>".to_vec());
    tokens
}

fn vocabulary() -> &'static (Vec<Vec<u8>>, Vocabulary) {
    static MADE: OnceLock<(Vec<Vec<u8>>, Vocabulary)> = OnceLock::new();
    MADE.get_or_init(|| {
        let tokens = tokens();
        let end = tokens.len() as u32 - 1;
        let vocabulary = Vocabulary::new(tokens.iter().map(Vec::as_slice), |id| id + 1 >= end, end).unwrap();
        (tokens, vocabulary)
    })
}

/// Whether the grammar lets `text` through, in the longest tokens that fit.
fn accepts(grammar: &ActionGrammar, tokens: &[Vec<u8>], text: &str) -> bool {
    let mut action = grammar.action();
    let mut rest = text.as_bytes();
    let ordinary = &tokens[..tokens.len() - 2];
    while !rest.is_empty() {
        let longest = (0..).zip(ordinary).filter(|(_, t)| rest.starts_with(t)).max_by_key(|(_, t)| t.len());
        let (id, token) = longest.expect("every byte is a token");
        if !action.allowed().has(id) {
            return false;
        }
        action.push(id).unwrap();
        rest = &rest[token.len()..];
    }
    action.is_complete()
}

fn names() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z_][a-z0-9_]{0,3}",
        1 => select(vec!["", "my tool", "größe", "content-type", "a\"b\\", "read", "readall"]).prop_map(str::to_owned),
    ]
}

fn strings() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z/ ]{0,6}",
        1 => any::<String>(),
        1 => select(vec!["<|end|>", "\"", "\\", "\n\t\r", "\u{0}\u{1f}\u{7f}\u{85}\u{9f}", "\u{a0}\u{202e}𝄞", "true", ")"])
            .prop_map(str::to_owned),
    ]
}

fn numbers() -> impl Strategy<Value = Number> {
    let spelt =
        prop_oneof!["-?(0|[1-9][0-9]{0,3})", "-?(0|[1-9][0-9]{0,30})(\\.[0-9]{1,3})?([eE][+-]?[0-9]{1,2})?",];
    spelt.prop_map(|s| Number::parse(&s).expect("a number"))
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        strings().prop_map(Value::Str),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::List),
            prop::collection::vec((names(), inner), 0..3).prop_map(Value::Record),
        ]
    })
}

fn literals() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        numbers().prop_map(Value::Number),
        strings().prop_map(Value::Str),
    ]
}

fn types() -> impl Strategy<Value = Type> {
    let leaf = prop_oneof![
        select(vec![Type::Any, Type::Bool, Type::Int, Type::Float, Type::Str, Type::Path]),
        prop::collection::vec(literals(), 1..4).prop_map(Type::Enum),
        select(vec![
            "int(min=0, max=10)",
            "int(min=-57)",
            "int(above=3, below=1000)",
            "int(max=-4)",
            "int(min=-105, max=99)",
            "str(min=1, max=4)",
            "str(max=3, format=\"email\")",
            "path(min=2)",
            "int(min=-100, max=100, step=7)",
            "int(above=-1e3, step=25)",
            "float(min=0)",
            "float(above=-1.5, below=10.25)",
            "float(min=-3, step=0.25)",
            "float(max=99.5)",
            "str(pattern=\"^[a-c\\n\\\"]+$\")",
            "str(pattern=\"[0-9]\", max=4)",
            "str(pattern=\"^(?i:[é-ü]|x)*\\\\b\")",
            "path(pattern=\"^/\", min=2)",
            "str(format=\"date\")",
            "str(format=\"time\")",
            "str(format=\"ipv4\")",
            "str(format=\"ipv6\", max=20)",
            "str(format=\"uuid\", pattern=\"^[0-9a-f-]*$\")",
        ])
        .prop_map(|t| Type::parse(t).unwrap()),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|t| Type::List(Box::new(t))),
            (inner.clone(), 0..3i64, 0..3i64).prop_map(|(t, min, more)| {
                let (min, max) = (Some(min.into()), (more > 0).then(|| (min + more - 1).into()));
                Type::Bounded(Box::new(Type::List(Box::new(t))), Bounds { min, max, ..Bounds::default() })
            }),
            (inner.clone(), 0..2i64, 0..4i64).prop_map(|(t, min, more)| {
                let (min, max) = (Some(min.into()), (more > 0).then(|| (min + more - 1).into()));
                let bounds = Bounds { min, max, unique: true, ..Bounds::default() };
                Type::Bounded(Box::new(Type::List(Box::new(t))), bounds)
            }),
            (fields(inner.clone()), inner.clone(), 0..2i64, 0..4i64).prop_map(|(fields, rest, min, more)| {
                let most = fields.len() as i64 + more;
                let open = Type::Open(fields, Box::new(rest));
                let bounds = Bounds { min: Some(min.into()), max: Some(most.into()), ..Bounds::default() };
                if more == 0 { open } else { Type::Bounded(Box::new(open), bounds) }
            }),
            inner.clone().prop_map(|t| Type::Optional(Box::new(t))),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Type::Union),
            fields(inner).prop_map(Type::Record),
        ]
    })
}

fn fields(types: impl Strategy<Value = Type>) -> impl Strategy<Value = Vec<Field>> {
    let field = (names(), types, any::<bool>());
    prop::collection::vec(field, 0..5).prop_map(|fields| {
        let mut made: Vec<Field> = Vec::new();
        for (name, ty, default) in fields {
            if made.iter().all(|f| f.name != name) {
                // Which default it is changes nothing; that there is one does.
                made.push(Field { default: default.then_some(Value::Null), ..Field::new(name, ty) });
            }
        }
        made
    })
}

fn tools() -> impl Strategy<Value = Vec<Tool>> {
    prop::collection::vec((names(), fields(types())), 1..4).prop_map(|tools| {
        let mut made: Vec<Tool> = Vec::new();
        for (name, params) in tools {
            if made.iter().all(|t| t.name != name) {
                let errors: Vec<ErrorType> = Vec::new();
                let types = Vec::new();
                made.push(Tool { name, doc: String::new(), params, result: Type::Any, errors, types });
            }
        }
        made
    })
}

/// A value of a type.
fn of(ty: &Type) -> BoxedStrategy<Value> {
    match ty {
        Type::Any => values().boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Int => "-?(0|[1-9][0-9]{0,25})".prop_map(|s| Value::Number(Number::parse(&s).unwrap())).boxed(),
        Type::Float => numbers().prop_map(Value::Number).boxed(),
        Type::Str | Type::Path => strings().prop_map(Value::Str).boxed(),
        Type::Enum(values) => select(values.clone()).boxed(),
        Type::Optional(inner) => prop_oneof![Just(Value::Null), of(inner)].boxed(),
        Type::Union(types) => proptest::strategy::Union::new(types.iter().map(of)).boxed(),
        Type::List(item) => prop::collection::vec(of(item), 0..3).prop_map(Value::List).boxed(),
        Type::Record(fields) => arguments(fields).prop_map(Value::Record).boxed(),
        Type::Open(fields, rest) => open(fields, rest).boxed(),
        Type::Bounded(inner, bounds) => bounded(ty, inner, bounds),
        Type::Named(_) => unreachable!("none is drawn above"),
    }
}

/// A value of `ty`, which is `inner` with bounds.
fn bounded(ty: &Type, inner: &Type, bounds: &Bounds) -> BoxedStrategy<Value> {
    let least = bounds.min.as_ref().and_then(Number::as_i64).unwrap_or(0) as usize;
    let most = bounds.max.as_ref().and_then(Number::as_i64).map_or(least + 3, |n| n as usize);
    let texts = |texts: &[&'static str]| select(texts.to_vec()).prop_map(Value::str).boxed();
    let some: BoxedStrategy<Value> = match inner {
        Type::Int | Type::Float => {
            let fractions: &[&str] =
                if *inner == Type::Int { &[""] } else { &["", ".0", ".5", ".25", ".10", ".125"] };
            let wholes =
                (-130..130).map(|n| n.to_string()).chain(["-0".into(), "12345678901234567890123400".into()]);
            let all =
                wholes.flat_map(|n| fractions.iter().map(move |f| Value::parse(&format!("{n}{f}")).unwrap()));
            select(all.filter(|v| ty.accepts(v).is_ok()).collect::<Vec<_>>()).boxed()
        }
        Type::List(item) if bounds.unique => prop::collection::vec(of(item), least..=most.max(least + 2))
            .prop_map(move |mut items| {
                let mut seen = Vec::new();
                items.retain(|i| {
                    !seen.contains(i) && {
                        seen.push(i.clone());
                        true
                    }
                });
                items.truncate(most);
                Value::List(items)
            })
            .boxed(),
        Type::List(item) => prop::collection::vec(of(item), least..=most).prop_map(Value::List).boxed(),
        Type::Open(fields, rest) => open(fields, rest).boxed(),
        _ => match (bounds.format.as_deref(), bounds.pattern.as_deref()) {
            (Some("date"), _) => texts(&["2024-02-29", "1999-12-31", "0001-01-01"]),
            (Some("time"), _) => texts(&["08:27:05Z", "23:59:60.25+01:00"]),
            (Some("ipv4"), _) => texts(&["127.0.0.1", "255.249.10.0"]),
            (Some("ipv6"), _) => texts(&["::", "1::2:3", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"]),
            (Some("uuid"), _) => texts(&["123e4567-e89b-12d3-a456-426614174000"]),
            (_, Some("^[a-c\n\"]+$")) => "[a-c\n\"]{1,5}".prop_map(Value::Str).boxed(),
            (_, Some("[0-9]")) => "[a\n]{0,2}[0-9].?".prop_map(Value::Str).boxed(),
            (_, Some(r"^(?i:[é-ü]|x)*\b")) => texts(&["x", "é ", "éxx", "a", "X-", "éxé\n"]),
            (_, Some("^/")) => "/.{1,3}".prop_map(Value::Str).boxed(),
            (_, Some(other)) => unreachable!("no values for the pattern {other}"),
            _ => prop::collection::vec(any::<char>(), least..=most)
                .prop_map(|all| Value::Str(all.into_iter().collect()))
                .boxed(),
        },
    };
    let ty = ty.clone();
    some.prop_filter("values keep the bounds", move |value| ty.accepts(value).is_ok()).boxed()
}

/// Declared fields, and some others with other names.
fn open(fields: &[Field], rest: &Type) -> impl Strategy<Value = Value> + use<> {
    let declared: Vec<String> = fields.iter().map(|f| f.name.clone()).collect();
    (arguments(fields), prop::collection::vec((names(), of(rest)), 0..3)).prop_flat_map(
        move |(mut given, others)| {
            for (name, value) in others {
                if !declared.contains(&name) && given.iter().all(|(n, _)| *n != name) {
                    given.push((name, value));
                }
            }
            Just(given).prop_shuffle().prop_map(Value::Record)
        },
    )
}

/// Values for fields: those that must be given, some of the others, in any order.
fn arguments(fields: &[Field]) -> BoxedStrategy<Vec<(String, Value)>> {
    let (free, needed): (Vec<Field>, Vec<Field>) = fields.iter().cloned().partition(|f| f.default.is_some());
    let count = free.len();
    subsequence(free, 0..=count)
        .prop_flat_map(move |some| {
            let given: Vec<Field> = needed.iter().cloned().chain(some).collect();
            given.iter().map(|f| (Just(f.name.clone()), of(&f.ty))).collect::<Vec<_>>().prop_shuffle()
        })
        .boxed()
}

fn calls(tools: &[Tool]) -> BoxedStrategy<Call> {
    let calls = tools.iter().map(|tool| {
        let name = tool.name.clone();
        arguments(&tool.params).prop_map(move |args| Call { tool: name.clone(), args })
    });
    proptest::strategy::Union::new(calls.collect::<Vec<_>>()).boxed()
}

fn tools_and_call() -> impl Strategy<Value = (Vec<Tool>, Call)> {
    tools().prop_flat_map(|tools| (Just(tools.clone()), calls(&tools)))
}

/// Whether `text` is a valid action in canonical print.
fn valid(text: &str, tools: &[Tool]) -> bool {
    let attempt = Attempt::parse(text, tools);
    attempt.status == ActionStatus::Fine && attempt.call.is_some_and(|c| c.to_string() == text)
}

/// The names of the fields in a type, each with its colon.
fn declared(ty: &Type, names: &mut Vec<String>) {
    match ty {
        Type::List(inner) | Type::Optional(inner) | Type::Bounded(inner, _) => declared(inner, names),
        Type::Union(types) => types.iter().for_each(|t| declared(t, names)),
        Type::Record(fields) | Type::Open(fields, _) => {
            for field in fields {
                let name = Call { tool: field.name.clone(), args: Vec::new() }.to_string();
                names.push(name.replace("()", ": "));
                declared(&field.ty, names);
            }
        }
        _ => {}
    }
    if let Type::Open(_, rest) = ty {
        declared(rest, names);
    }
}

/// Writes an action by picking tokens: any at first, and later mostly those that bring it to an end.
///
/// Nobody comes upon a name that must be given among all that may be: behind a bracket or a comma it tries `names`.
fn write(mut action: Action, tokens: &[Vec<u8>], picks: &[Index], names: &[String]) -> String {
    let end = tokens.len() as u32 - 1;
    let mut text = Vec::new();
    let mut random: u64 = 1;
    for step in 0..4000 {
        let allowed = action.allowed();
        let some: Vec<u32> = (0..=end).filter(|id| allowed.has(*id)).collect();
        assert!(!some.is_empty(), "a dead end: {}", String::from_utf8_lossy(&text));
        if step % 8 == 0 {
            let pushed = |id| action.clone().push(id).is_ok();
            assert!((0..end).all(|id| pushed(id) == allowed.has(id)), "{}", String::from_utf8_lossy(&text));
        }
        random = random.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        if step >= picks.len() && (text.ends_with(b"{") || text.ends_with(b", ")) && !names.is_empty() {
            let name = &names[(random >> 33) as usize % names.len()];
            let mut named = action.clone();
            if name.bytes().all(|b| named.push(u32::from(b)).is_ok()) {
                text.extend_from_slice(name.as_bytes());
                action = named;
                continue;
            }
        }
        // A name ends with its colon, everything else with a bracket or a quote.
        let closing = [b"\"", b")", b"]", b"}", b":", b","].map(|b| u32::from(b[0]));
        let closing = closing.into_iter().find(|id| allowed.has(*id)).filter(|_| random >> 60 < 12);
        let token = match picks.get(step) {
            Some(pick) => *pick.get(&some),
            None if allowed.has(end) => end,
            None => closing.unwrap_or(some[(random >> 33) as usize % some.len()]),
        };
        if token == end {
            return String::from_utf8(text).expect("an action is UTF-8");
        }
        action.push(token).unwrap();
        text.extend_from_slice(&tokens[token as usize]);
    }
    panic!("no end: {}", String::from_utf8_lossy(&text));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_valid(tools in tools(), picks in prop::collection::vec(any::<Index>(), 0..60)) {
        let (tokens, vocabulary) = vocabulary();
        let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
        let mut names = Vec::new();
        tools.iter().flat_map(|t| &t.params).for_each(|p| declared(&p.ty, &mut names));
        let text = write(grammar.action(), tokens, &picks, &names);
        prop_assert!(valid(&text, &tools), "{text}\n{}", Attempt::parse(&text, &tools).message);
    }

    #[test]
    fn what_is_valid_can_be_written((tools, call) in tools_and_call()) {
        let (tokens, vocabulary) = vocabulary();
        let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
        let text = call.to_string();
        prop_assert!(valid(&text, &tools), "the test makes valid calls: {text}");
        prop_assert!(accepts(&grammar, tokens, &text), "{text}");
    }

    #[test]
    fn what_is_not_valid_cannot(
        (tools, call) in tools_and_call(),
        at in any::<Index>(),
        other in select(vec!["", "\"", ",", ", ", ")", "]", "}", "1", "-", "a", "=", " ", "null", "\n", "\\", "(", "[", "{"]),
        cut in 0usize..3,
    ) {
        let (tokens, vocabulary) = vocabulary();
        let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
        let text = call.to_string();
        let places: Vec<usize> = text.char_indices().map(|(i, _)| i).collect();
        let from = *at.get(&places);
        let to = text[from..].char_indices().nth(cut).map_or(text.len(), |(i, _)| from + i);
        let changed = format!("{}{other}{}", &text[..from], &text[to..]);
        prop_assert_eq!(accepts(&grammar, tokens, &changed), valid(&changed, &tools), "{}", changed);
    }
}

#[test]
fn arguments_come_in_any_order_and_once() {
    let (tokens, vocabulary) = vocabulary();
    let tools = Tool::parse_all("f(a: int, b: int, c: int = 0) -> int\n ff() -> int").unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    for (text, fine) in [
        ("f(a=1, b=2)", true),
        ("f(b=2, a=1)", true),
        ("f(c=3, b=2, a=1)", true),
        ("ff()", true),
        ("f(a=1)", false),
        ("f(a=1, b=2, a=3)", false),
        ("f(a=1, b=2, )", false),
        ("f(a=1,b=2)", false),
        ("f(a=01, b=2)", false),
        ("f()", false),
        ("ff", false),
        ("g()", false),
    ] {
        assert_eq!(accepts(&grammar, tokens, text), fine, "{text}");
    }
}

#[test]
fn many_parameters_come_in_their_order() {
    let (tokens, vocabulary) = vocabulary();
    let names: Vec<String> = (0..90).map(|i| format!("p{i}")).collect();
    let params: Vec<String> = names
        .iter()
        .enumerate()
        .map(|(i, n)| format!("{n}: int{}", if i % 3 == 0 { "" } else { " = 0" }))
        .collect();
    let tools = Tool::parse_all(&format!("f({}) -> int", params.join(", "))).unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    let given = |keep: &dyn Fn(usize) -> bool| {
        let args: Vec<String> = (0..90).filter(|i| keep(*i)).map(|i| format!("p{i}=1")).collect();
        format!("f({})", args.join(", "))
    };
    assert!(accepts(&grammar, tokens, &given(&|_| true)));
    assert!(accepts(&grammar, tokens, &given(&|i| i % 3 == 0)));
    assert!(!accepts(&grammar, tokens, &given(&|i| i != 30)));
}

#[test]
fn text_that_spells_a_special_token_is_text() {
    let (tokens, vocabulary) = vocabulary();
    let tools = Tool::parse_all("say(text: str) -> null").unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    assert!(accepts(&grammar, tokens, "say(text=\"<|end|><|action|>\")"));
    let mut action = grammar.action();
    for byte in b"say(text=\"" {
        action.push(u32::from(*byte)).unwrap();
    }
    let allowed = action.allowed();
    let special = tokens.len() as u32 - 1;
    assert!(!allowed.has(special) && !allowed.has(special - 1) && !allowed.has(0xff) && !allowed.has(9999));
    assert!(matches!(action.push(special), Err(GrammarError::NotAllowed { .. })));
}

#[test]
fn actions_of_one_grammar_do_not_disturb_each_other() {
    let (_, vocabulary) = vocabulary();
    let tools = Tool::parse_all("f(a: int) -> int\n g() -> int").unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    let (mut one, mut two) = (grammar.action(), grammar.action());
    one.push(u32::from(b'f')).unwrap();
    two.push(u32::from(b'g')).unwrap();
    let both = [one.allowed(), two.allowed()];
    assert!(both.iter().all(|a| a.has(u32::from(b'(')) && !a.has(u32::from(b'f'))));
    two.push(u32::from(b'(')).unwrap();
    assert!(!two.allowed().has(u32::from(b'a')) && one.allowed().count() == 1);
}

#[test]
fn there_must_be_something_to_call() {
    let (_, vocabulary) = vocabulary();
    let nothing = |tools: &[Tool]| ActionGrammar::new(tools, vocabulary).err();
    assert_eq!(nothing(&[]), Some(GrammarError::NothingToCall { tools: 0 }));
    let param = Field::new("a", Type::Enum(Vec::new()));
    let tool = Tool {
        name: "f".into(),
        doc: String::new(),
        params: vec![param],
        result: Type::Any,
        errors: Vec::new(),
        types: Vec::new(),
    };
    assert_eq!(nothing(&[tool]), Some(GrammarError::NothingToCall { tools: 1 }));
    assert!(matches!(
        Vocabulary::new([&b"a"[..]], |_| false, 1),
        Err(GrammarError::Vocabulary { tokens: 1, end: 1 })
    ));
}

#[test]
fn a_type_may_name_itself() {
    let tools =
        Tool::parse_all("type Tree = {value: int, children?: [Tree]}\nplant(tree: Tree) -> any").unwrap();
    assert!(groundwork_grammar::lark(&tools).unwrap().contains("children"));
    let (_, vocabulary) = vocabulary();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    let read = |text: &str| {
        let mut action = grammar.action();
        text.bytes().all(|b| action.push(u32::from(b)).is_ok()) && action.is_complete()
    };
    assert!(read("plant(tree={value: 1})"));
    assert!(read("plant(tree={value: 1, children: [{value: 2, children: []}, {value: 3}]})"));
    assert!(!read("plant(tree={value: 1, children: [2]})"));
}

/// Compares what the grammar of one tool lets through with what is valid.
fn agrees(declared: &str, texts: &[(&str, bool)]) {
    let (tokens, vocabulary) = vocabulary();
    let tools = Tool::parse_all(declared).unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    for (text, fine) in texts {
        assert_eq!(valid(text, &tools), *fine, "{declared} {text}");
        assert_eq!(accepts(&grammar, tokens, text), *fine, "{declared} {text}");
    }
}

#[test]
fn items_of_a_list_differ() {
    agrees(
        "f(a: [\"x\" | \"xy\" | 1](unique=true, min=2)) -> null",
        &[
            ("f(a=[\"x\", \"xy\"])", true),
            ("f(a=[\"xy\", \"x\", 1])", true),
            ("f(a=[\"x\"])", false),
            ("f(a=[\"x\", \"x\"])", false),
            ("f(a=[\"x\", 1, \"x\"])", false),
        ],
    );
    // Spellings of one number are different values.
    agrees(
        "f(a: [float](unique=true)) -> null",
        &[
            ("f(a=[1, 1.0, 10, 1e1])", true),
            ("f(a=[1, 10, 1])", false),
            ("f(a=[])", true),
            ("f(a=[0, -0])", true),
        ],
    );
    agrees(
        "f(a: [{k: int, l?: bool}](unique=true, max=3)) -> null",
        &[
            ("f(a=[{k: 1}, {k: 2}, {k: 1, l: true}])", true),
            // The order of fields counts.
            ("f(a=[{k: 1, l: true}, {l: true, k: 1}])", true),
            ("f(a=[{k: 1, l: true}, {k: 2}, {k: 1, l: true}])", false),
            ("f(a=[{k: 1}, {k: 2}, {k: 3}, {k: 4}])", false),
        ],
    );
    agrees(
        "f(a: [[bool](unique=true)](unique=true) | [int], b: int = 0) -> null",
        &[
            ("f(a=[[true], [], [true, false], [false, true], [false]])", true),
            ("f(b=1, a=[[true], [true]])", false),
            ("f(a=[[true, true]])", false),
            ("f(a=[1, 1])", true),
            ("f(a=[1, []])", false),
        ],
    );
    agrees(
        "f(a: [str](unique=true), b: [str](unique=true)) -> null",
        &[
            ("f(a=[\"x\", \"], [\", \"\\\"\"], b=[\"x\", \"y\"])", true),
            ("f(b=[\"\\\", \\\"\", \"\", \"\\\", \\\"\"], a=[])", false),
            ("f(a=[\"a, b\", \"b\"], b=[\"a, b\", \"b\", \"a, b\"])", false),
        ],
    );
}

#[test]
fn no_list_without_equals_is_a_dead_end() {
    let (_, vocabulary) = vocabulary();
    let tools = Tool::parse_all("f(a: [bool | 1 | 12](unique=true, min=4)) -> null").unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    let after = |text: &str| {
        let mut action = grammar.action();
        text.bytes().for_each(|b| action.push(u32::from(b)).unwrap());
        let allowed = action.allowed();
        (0..=255u8).filter(|b| allowed.has(u32::from(*b))).map(char::from).collect::<String>()
    };
    assert_eq!(after("f(a=["), "1ft");
    assert_eq!(after("f(a=[12, "), "1ft");
    assert_eq!(after("f(a=[12, 1"), ",");
    assert_eq!(after("f(a=[1, 1"), "2");
    assert_eq!(after("f(a=[1, 12, "), "ft");
    assert_eq!(after("f(a=[1, 12, true, "), "f");
    assert_eq!(after("f(a=[1, 12, true, false"), "]");
    let nothing = Tool::parse_all("f(a: [bool](unique=true, min=3)) -> null").unwrap();
    assert_eq!(
        ActionGrammar::new(&nothing, vocabulary).err(),
        Some(GrammarError::NothingToCall { tools: 1 })
    );
    let nested = Tool::parse_all("f(a: [[bool](unique=true)](unique=true, min=5)) -> null").unwrap();
    assert!(ActionGrammar::new(&nested, vocabulary).is_ok());
    let nested = Tool::parse_all("f(a: [[bool](unique=true)](unique=true, min=6)) -> null").unwrap();
    assert!(ActionGrammar::new(&nested, vocabulary).is_err());
}

#[test]
fn further_fields_have_other_names() {
    agrees(
        "f(a: {k: int, \"l m\"?: int, *: bool}) -> null",
        &[
            ("f(a={k: 1})", true),
            ("f(a={x: true, k: 1, y: false})", true),
            ("f(a={\"\": true, \"l m\": 2, k: 1, kk: true, \"k \": true})", true),
            ("f(a={x: true})", false),
            ("f(a={k: 1, k: 1})", false),
            ("f(a={k: true})", false),
            ("f(a={k: 1, x: 1})", false),
            ("f(a={k: 1, x: true, y: true, x: true})", false),
            ("f(a={k: 1, \"x\": true})", false),
            ("f(a={k: 1, \"l m\": true})", false),
        ],
    );
    agrees(
        "f(a: {k: int, l?: int, *: {*: int}}(min=2, max=3)) -> null",
        &[
            ("f(a={k: 1})", false),
            ("f(a={k: 1, l: 2})", true),
            ("f(a={x: {x: 1, y: 1}, y: {x: 1}, k: 1})", true),
            ("f(a={x: {}, y: {}, z: {}})", false),
            ("f(a={x: {x: 1, x: 2}, k: 1})", false),
            ("f(a={k: 1, l: 2, x: {}, y: {}})", false),
        ],
    );
    // What may be anything may have a name twice.
    agrees("f(a: any) -> null", &[("f(a={x: 1, x: 2})", true)]);
    let (_, vocabulary) = vocabulary();
    for nothing in ["f(a: {k: int, l: int, *: int}(max=1)) -> null", "f(a: {*: int}(min=2, max=1)) -> null"] {
        let tools = Tool::parse_all(nothing).unwrap();
        assert!(ActionGrammar::new(&tools, vocabulary).is_err(), "{nothing}");
    }
}

#[test]
fn many_fields_and_others_besides() {
    let (tokens, vocabulary) = vocabulary();
    let fields: Vec<String> = (0..70).map(|i| format!("p{i}?: int")).collect();
    let tools = Tool::parse_all(&format!("f(a: {{{}, *: bool}}(min=2)) -> null", fields.join(", "))).unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    assert!(accepts(&grammar, tokens, "f(a={p3: 1, x: true, p69: 2, y: true})"));
    assert!(accepts(&grammar, tokens, "f(a={p69: 2, y: true})"));
    assert!(!accepts(&grammar, tokens, "f(a={p69: 2})"));
    assert!(!accepts(&grammar, tokens, "f(a={y: true, y: true})"));
    // No place is left for two where others may not stand.
    let none = Field::new("x", Type::Enum(Vec::new()));
    let mut all: Vec<Field> =
        (0..70).map(|i| Field { optional: true, ..Field::new(format!("p{i}"), Type::Int) }).collect();
    all.push(Field { optional: true, ..none.clone() });
    let bounds = Bounds { min: Some(2.into()), ..Bounds::default() };
    let open = Type::Bounded(Box::new(Type::Open(all, Box::new(none.ty))), bounds);
    let tool = Tool { params: vec![Field::new("a", open)], ..tools[0].clone() };
    let grammar = ActionGrammar::new(&[tool], vocabulary).unwrap();
    assert!(accepts(&grammar, tokens, "f(a={p68: 1, p69: 1})"));
    let mut action = grammar.action();
    "f(a={p6".bytes().for_each(|b| action.push(u32::from(b)).unwrap());
    assert!(action.allowed().has(u32::from(b'8')) && !action.allowed().has(u32::from(b'9')));
}

#[test]
fn escapes_lead_to_what_a_pattern_allows() {
    let (_, vocabulary) = vocabulary();
    let tools = Tool::parse_all(r#"f(a: str(pattern="^[\u{85}\u{8}\n\u{a0}]$")) -> null"#).unwrap();
    let grammar = ActionGrammar::new(&tools, vocabulary).unwrap();
    let after = |bytes: &[u8]| {
        let mut action = grammar.action();
        bytes.iter().for_each(|b| action.push(u32::from(*b)).unwrap());
        let allowed = action.allowed();
        (0..=255u8).filter(|b| allowed.has(u32::from(*b))).collect::<Vec<u8>>()
    };
    assert_eq!(after(b"f(a=\""), b"\\\xc2");
    assert_eq!(after(b"f(a=\"\xc2"), b"\xa0");
    assert_eq!(after(b"f(a=\"\\"), b"nu");
    assert_eq!(after(b"f(a=\"\\u{"), b"8");
    assert_eq!(after(b"f(a=\"\\u{8"), b"5}");
    assert_eq!(after(b"f(a=\"\\u{85}"), b"\"");
}

#[test]
fn what_is_refused_is_named() {
    let (_, vocabulary) = vocabulary();
    let refused = |declared: &str| match ActionGrammar::new(&Tool::parse_all(declared).unwrap(), vocabulary) {
        Err(GrammarError::Type { ty, why }) => format!("{ty}: {why}"),
        other => panic!("{declared}: {other:?}"),
    };
    for (declared, why) in [
        (
            "f(a: [float(min=1e-999)]) -> any",
            "float(min=1e-999): its bound 1e-999 takes more than 200 digits",
        ),
        ("f(a: int(step=123456789)) -> any", "ask for a rounder `step`"),
        ("f(a: str(max=99999, pattern=\"a\")) -> any", "more than 65536 states"),
        ("f(a: [int](unique=true, min=5000)) -> any", "no more than 4096 items are kept apart"),
    ] {
        assert!(refused(declared).contains(why), "{}", refused(declared));
    }
    let lark = |declared: &str| match groundwork_grammar::lark(&Tool::parse_all(declared).unwrap()) {
        Err(GrammarError::Type { ty, why }) => format!("{ty}: {why}"),
        other => panic!("{declared}: {other:?}"),
    };
    for (declared, why) in [
        ("f(a: [int](unique=true)) -> any", "Lark cannot say that the items of a list differ"),
        ("f(a: {*: int}) -> any", "Lark cannot say that no other name is given twice"),
        (
            "f(a: str(pattern=\"\\\\bx\")) -> any",
            "has word boundaries and ends of lines, which Lark cannot say",
        ),
        ("f(a: int(step=97)) -> any", "becomes too long for Lark"),
    ] {
        assert!(lark(declared).contains(why), "{}", lark(declared));
        assert!(ActionGrammar::new(&Tool::parse_all(declared).unwrap(), vocabulary).is_ok(), "{declared}");
    }
}
