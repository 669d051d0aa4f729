//! Values against types.

use groundwork_trace::{Number, Tool, Type, Value};

fn mismatch(ty: &str, value: &str) -> Option<String> {
    let ty = Type::parse(ty).unwrap();
    ty.accepts(&Value::parse(value).unwrap()).err().map(|m| m.to_string())
}

#[test]
fn values_that_fit() {
    let cases = [
        ("any", "{a: [null]}"),
        ("int", "-123456789012345678901234567890"),
        ("float", "3"),
        ("float", "1e3"),
        ("path", "\"/a\""),
        ("[int?]", "[1, null]"),
        ("\"a\" | \"b\" | 3", "3"),
        ("int | [str]", "[\"x\"]"),
        ("{name: str, size: int = 0}", "{name: \"a\"}"),
        ("{name: str, size: int = 0}", "{size: 1, name: \"a\"}"),
        ("({a: int} | {b: int})?", "{b: 1}"),
        ("null", "null"),
        ("{*: int}", "{a: 1, \"b c\": 2}"),
        ("{a?: int, *: str}", "{z: \"x\"}"),
        ("int(min=-1, max=3)", "-1"),
        ("float(above=0, below=1)", "0.999999999999999999999999"),
        ("float(step=0.1)", "0.3"),
        ("str(min=1, max=2)", "\"äö\""),
        ("str(pattern=\"^[a-z]+$\")", "\"abc\""),
        // A pattern that looks ahead is not checked.
        ("str(pattern=\"^(?=a)\")", "\"b\""),
        ("str(format=\"date\")", "\"2024-02-29\""),
        ("[float](min=1, unique=true)", "[1, 1.0]"),
        ("{*: any}(max=1)", "{a: null}"),
    ];
    for (ty, value) in cases {
        assert_eq!(mismatch(ty, value), None, "{value} is a {ty}");
    }
}

#[test]
fn values_that_do_not_fit_are_told_where() {
    let cases = [
        ("int", "1.0", "expected `int`, found `1.0`"),
        ("int", "1e3", "expected `int`, found `1e3`"),
        ("bool", "null", "expected `bool`, found `null`"),
        ("[int]", "[1, 2, \"x\"]", "at `[2]`: expected `int`, found `\"x\"`"),
        (
            "{files: [{size: int}]}",
            "{files: [{size: 1}, {size: true}]}",
            "at `.files[1].size`: expected `int`, found `true`",
        ),
        ("{a: int}", "{}", "expected a field `a`, found none"),
        ("{name: int}", "{nmae: 1}", "expected the field `name`, found a field `nmae`"),
        ("{a: int}", "{a: 1, a: 2}", "expected the field `a` once, found it twice"),
        ("{a: int}?", "{a: \"x\"}", "at `.a`: expected `int`, found `\"x\"`"),
        ("\"a\" | \"b\"", "\"c\"", "expected `\"a\" | \"b\"`, found `\"c\"`"),
        ("int | [str]", "[1]", "expected `int | [str]`, found `[1]`"),
        ("int(max=3)", "4", "expected `int(max=3)`, found `4`"),
        ("float(above=0)", "-0", "expected `float(above=0)`, found `-0`"),
        ("[int(min=0)](min=1)", "[0, -1]", "at `[1]`: expected `int(min=0)`, found `-1`"),
        ("[int](min=1)", "[]", "expected `[int](min=1)`, found `[]`"),
        ("str(max=1)", "\"äö\"", "expected `str(max=1)`, found `\"äö\"`"),
        ("str(pattern=\"^a\")", "\"ba\"", "expected `str(pattern=\"^a\")`, found `\"ba\"`"),
        ("[any](unique=true)", "[{a: 1}, {a: 1}]", "expected `[any](unique=true)`, found `[{a: 1}, {a: 1}]`"),
        ("{a: int, *: str}", "{a: 1, b: 2}", "at `.b`: expected `str`, found `2`"),
        ("{*: str}", "{a: \"\", a: \"\"}", "expected the field `a` once, found it twice"),
    ];
    for (ty, value, message) in cases {
        assert_eq!(mismatch(ty, value).as_deref(), Some(message), "{value} is no {ty}");
    }
}

#[test]
fn numbers_keep_their_spelling() {
    for spelt in ["0", "-0", "1.0", "1e3", "1E+3", "-12.50e-07", "123456789012345678901234567890"] {
        assert_eq!(Number::parse(spelt).unwrap().as_str(), spelt);
        assert_eq!(Value::parse(spelt).unwrap().to_string(), spelt);
    }
    for wrong in ["", "-", "01", "1.", ".5", "1e", "+1", "0x1", "1_000", "NaN", "- 1"] {
        assert_eq!(Number::parse(wrong), None, "{wrong}");
        assert!(Value::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn bounds_that_make_no_sense_are_refused() {
    for wrong in [
        "int()",
        "int(min=\"a\")",
        "int(pattern=\"a\")",
        "str(min=-1)",
        "str(min=1.5)",
        "bool(min=1)",
        "int(min=1, min=2)",
        "int(least=1)",
        "[int](unique=false)",
        "str(format=\"path\")",
        "(int | str)(min=1)",
        "int (min=1)",
        "{a: int}(max=1)",
        "str(pattern=1)",
    ] {
        assert!(Type::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn named_types() {
    let tools = Tool::parse_all(
        "{\n  type Tree = {value: int, left?: Tree, right?: Tree}\n  type Unused = int\n  sum(of: Tree) -> int\n  type(type: str) -> any\n}",
    )
    .unwrap();
    assert_eq!(tools[0].types.len(), 1);
    let fits = |text: &str| tools[0].params[0].ty.accepts_with(&Value::parse(text).unwrap(), &tools[0].types);
    assert_eq!(fits("{value: 1, left: {value: 2}}"), Ok(()));
    assert_eq!(
        fits("{value: 1, left: {value: 2, right: {value: \"x\"}}}").unwrap_err().to_string(),
        "at `.left.right.value`: expected `int`, found `\"x\"`"
    );
    assert!(tools[0].params[0].ty.accepts(&Value::Null).is_err());
    for (wrong, code) in [
        ("type A = A? f() -> A", "endless-type"),
        ("type A = int type B = A(min=1) f() -> A", "bound"),
        ("type A = B | int type B = A? f() -> A", "endless-type"),
        ("type A = int type A = str f() -> A", "repeated"),
        ("type int = str f() -> int", "repeated"),
        ("f() -> Tree", "unknown-type"),
        ("type Tree = int f() -> Trea", "unknown-type"),
    ] {
        assert_eq!(Tool::parse_all(wrong).unwrap_err().0[0].code, code, "{wrong}");
    }
    let hint = Tool::parse_all("type Tree = int f() -> Trea").unwrap_err().0[0].hint.clone();
    assert_eq!(hint.as_deref(), Some("did you mean `Tree`?"));
}

/// A type that names itself twice would be compared without end.
#[test]
fn comparing_ends() {
    let tool = Tool::parse("type T = [T] | [T] | int f(x: T) -> any").unwrap();
    let deep = Value::parse(&format!("{}\"x\"{}", "[".repeat(100), "]".repeat(100))).unwrap();
    let start = std::time::Instant::now();
    assert!(tool.params[0].ty.accepts_with(&deep, &tool.types).is_err());
    let chain: String = (0..900).map(|i| format!("type T{i} = T{}? ", i + 1)).collect();
    let tool = Tool::parse(&format!("{chain} type T900 = int f(x: T0) -> any")).unwrap();
    assert!(tool.params[0].ty.accepts_with(&Value::str("x"), &tool.types).is_err());
    let many: String = (0..2000).map(|i| format!("type T{i} = T{}? ", (i + 1) % 2000)).collect();
    assert_eq!(Tool::parse_all(&many).unwrap_err().0[0].code, "too-many");
    assert!(start.elapsed().as_secs() < 10, "{:?}", start.elapsed());
}
