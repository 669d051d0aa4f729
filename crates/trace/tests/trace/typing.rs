//! Values against types.

use groundwork_trace::{Number, Type, Value};

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
