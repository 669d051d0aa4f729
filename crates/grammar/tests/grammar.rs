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
        Type::Bounded(inner, bounds) if **inner != Type::Int => {
            let least = bounds.min.as_ref().and_then(Number::as_i64).unwrap_or(0) as usize;
            let most = bounds.max.as_ref().and_then(Number::as_i64).map_or(least + 3, |n| n as usize);
            match &**inner {
                Type::List(item) => {
                    prop::collection::vec(of(item), least..=most).prop_map(Value::List).boxed()
                }
                _ => prop::collection::vec(any::<char>(), least..=most)
                    .prop_map(|all| Value::Str(all.into_iter().collect()))
                    .boxed(),
            }
        }
        Type::Bounded(_, bounds) => {
            let end = |n: &Option<Number>| n.as_ref().and_then(Number::as_i64);
            let low = end(&bounds.min).or(end(&bounds.above).map(|n| n + 1)).unwrap_or(-100_000);
            let high = end(&bounds.max).or(end(&bounds.below).map(|n| n - 1)).unwrap_or(100_000);
            (low..=high).prop_map(Value::int).boxed()
        }
        Type::Open(..) | Type::Named(_) => unreachable!("none is drawn above"),
    }
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

/// Writes an action by picking tokens: any at first, and later those that bring it to an end.
fn write(mut action: Action, tokens: &[Vec<u8>], picks: &[Index]) -> String {
    let end = tokens.len() as u32 - 1;
    let mut text = Vec::new();
    for step in 0..4000 {
        let allowed = action.allowed();
        let some: Vec<u32> = (0..=end).filter(|id| allowed.has(*id)).collect();
        // A name ends with its colon, everything else with a bracket or a quote.
        let closing =
            |id: &&u32| matches!(tokens[**id as usize].as_slice(), b"\"" | b")" | b"]" | b"}" | b":");
        let token = match picks.get(step) {
            Some(pick) => *pick.get(&some),
            None if allowed.has(end) => end,
            None => *some.iter().find(closing).unwrap_or(&some[0]),
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
        let text = write(grammar.action(), tokens, &picks);
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
    let bounded = Tool::parse_all("f(a: [float(min=0)]) -> any").unwrap();
    let refused = GrammarError::Type { ty: "float(min=0)".into() };
    assert_eq!(nothing(&bounded), Some(refused.clone()));
    assert_eq!(groundwork_grammar::lark(&bounded), Err(refused));
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
