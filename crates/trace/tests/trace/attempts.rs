//! What comes of attempts to act.

use groundwork_trace::{ActionStatus, Attempt, Tool};

fn tools() -> Vec<Tool> {
    let text = "{
  /// Lists.
  list(dir: path) -> [str] ! NotFound(path)
  read(path: path, max: int = 4096) -> str ! NotFound(path) | Denied
  \"my tool\"() -> any
}";
    Tool::parse_all(text).unwrap()
}

fn attempt(body: &str) -> (ActionStatus, String, String) {
    let a = Attempt::parse(body, &tools());
    assert_eq!(
        a.call.is_none(),
        matches!(a.status, ActionStatus::Unclosed | ActionStatus::Malformed),
        "{body}"
    );
    (a.status, a.message, body[a.at].to_owned())
}

#[test]
fn fine() {
    for body in [
        "list(dir=\"/\")",
        " read( path = \"/a\" ,\n max = 3, ) \n",
        "\"my tool\"()",
        "read(max=1, path=\"\")",
    ] {
        assert_eq!(attempt(body), (ActionStatus::Fine, String::new(), body.to_owned()));
    }
}

#[test]
fn each_status_has_its_message_and_place() {
    use ActionStatus::*;
    let cases = [
        (
            "list(dir=\"/docs",
            Unclosed,
            "this string is never closed (a quote inside a string is written `\\\"`)",
            "\"",
        ),
        (
            "list(dir=[1, 2",
            Unclosed,
            "`[` is never closed (the text ends where `,` or `]` should stand)",
            "[",
        ),
        (
            "list(",
            Unclosed,
            "`(` is never closed (the text ends where a parameter's name or `)` should stand)",
            "(",
        ),
        (
            "list(di",
            Unclosed,
            "`(` is never closed (the text ends where `=` after the parameter's name should stand)",
            "(",
        ),
        ("", Malformed, "expected the name of a tool, found the end of the text", ""),
        ("list", Malformed, "expected `(` after the tool's name, found the end of the text", ""),
        ("I will list it", Malformed, "expected `(` after the tool's name, found `w`", "w"),
        ("list(dir=\"/\") now", Malformed, "the call ends before this", "now"),
        (
            "list(\"/\")",
            Malformed,
            "this argument has no name (arguments are named: `path=\"/docs\"`)",
            "\"/\"",
        ),
        ("list(dir: \"/\")", Malformed, "expected `=`, found `:` (arguments are written `dir=…`)", ":"),
        ("list(dir=docs)", Malformed, "`docs` is no value (text is written in quotes: `\"docs\"`)", "docs"),
        ("list(dir=None)", Malformed, "`None` is no value (did you mean `null`?)", "None"),
        (
            "list(dir=\"\\x\")",
            Malformed,
            "there is no escape `\\x` (the escapes are `\\\"`, `\\\\`, `\\n`, `\\t`, `\\r` and `\\u{…}`)",
            "\\x",
        ),
        (
            "list(dir=01)",
            Malformed,
            "`01` is no number (numbers are written as in JSON: `-12`, `0.5`, `1e3`)",
            "01",
        ),
        ("lst(dir=\"/\")", UnknownTool, "there is no tool `lst` (did you mean `list`?)", "lst"),
        (
            "frobnicate()",
            UnknownTool,
            "there is no tool `frobnicate` (there is `list`, `read` and `my tool`)",
            "frobnicate",
        ),
        ("read(pth=\"/a\")", WrongType, "`read` has no parameter `pth` (did you mean `path`?)", "pth"),
        (
            "read(path=\"/a\", path=\"/b\")",
            WrongType,
            "`path` is given twice (an argument is given once; take one out)",
            "path",
        ),
        (
            "read(path=\"/a\", max=1.5)",
            WrongType,
            "`max`: expected `int`, found `1.5` (declared `max: int = 4096`)",
            "1.5",
        ),
        (
            "read(max=1)",
            MissingArgument,
            "`read` needs `path` (declared `read(path: path, max: int = 4096) -> str ! NotFound(path) | Denied`)",
            "read",
        ),
    ];
    for (body, status, message, place) in cases {
        let (s, m, p) = attempt(body);
        assert_eq!((s, m.as_str()), (status, message), "{body}");
        let at = Attempt::parse(body, &tools()).at;
        assert_eq!(p, place, "{body} at {at:?}");
    }
}

#[test]
fn deep_nesting_is_refused_and_not_followed() {
    let body = format!("read(path={}", "[".repeat(1_000_000));
    assert_eq!(attempt(&body).0, ActionStatus::Malformed);
    assert!(groundwork_trace::Type::parse(&format!("int{}", "?".repeat(1_000_000))).is_err());
    assert!(groundwork_trace::Type::parse(&"(".repeat(1_000_000)).is_err());
}
