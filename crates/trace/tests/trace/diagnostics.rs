//! What is wrong with a file is said all at once, with place and remedy.

use groundwork_trace::{Severity, Tool, Trace, check};

fn none(_: &str) -> Result<Vec<Tool>, String> {
    Err("the sets are `files`, `ledger` and `route`".to_owned())
}

fn drawn(text: &str) -> String {
    check(text, none).render(text, "a.trace", false)
}

fn codes(text: &str) -> Vec<&'static str> {
    check(text, none).0.iter().map(|d| d.code).collect()
}

#[test]
fn layout() {
    let text = "  lost\nacton [faild weight=x]: list()\n  more\nanswer 3\n\tdone\nwell, then\nand more\nNote: this\n";
    insta::assert_snapshot!(drawn(text), @r"
    error[stray-line]: this line belongs to no span
     --> a.trace:1:3
      |
    1 |   lost
      |   ^^^^
      |
      = help: a span begins in the first column with its keyword: `goal: …`

    error[unknown-span]: there is no span `acton`
     --> a.trace:2:1
      |
    2 | acton [faild weight=x]: list()
      | ^^^^^
      |
      = help: did you mean `action`?

    warning[unanswered]: no observation or error follows this action
     --> a.trace:2:1
      |
    2 | acton [faild weight=x]: list()
      | ^^^^^
      |
      = help: write what came of it: `observation: …` or `error: …`

    error[attribute]: there is no metadata `faild`
     --> a.trace:2:8
      |
    2 | acton [faild weight=x]: list()
      |        ^^^^^
      |
      = help: did you mean `failed`?

    error[attribute]: `x` is no weight
     --> a.trace:2:21
      |
    2 | acton [faild weight=x]: list()
      |                     ^
      |
      = help: a weight is a number of at least 0: `weight=0.5`

    error[syntax]: the call ends before this
     --> a.trace:3:3
      |
    3 |   more
      |   ^^^^
      |
      = help: if that is what was said, mark it: `action [failed]: …`

    error[missing-colon]: expected `:` after `answer`
     --> a.trace:4:8
      |
    4 | answer 3
      |        ^
      |
      = help: a span is written `answer: …`

    error[stray-line]: this line opens no span and continues none
     --> a.trace:5:2
      |
    5 |     done
      |     ^^^^
      |
      = help: a line that continues `answer` is indented by two spaces

    error[unknown-span]: there is no span `Note`
     --> a.trace:8:1
      |
    8 | Note: this
      | ^^^^
      |
      = help: indent the line by two spaces if it continues the span
    ");
}

#[test]
fn declarations_recover_at_the_next_one() {
    let text = "tools {\n  list(dir path) -> [str]\n  read(path: strr) -> str\n  read(a: int = \"x\", a: int) -> str ! E | E\n  \
                read() -> any\naction: read()\n";
    insta::assert_snapshot!(drawn(text), @r#"
    error[unclosed]: `{` is never closed
     --> a.trace:1:7
      |
    1 | tools {
      |       ^
      |
      = help: close the declarations with a line `}` before `action`

    error[syntax]: expected `:` and a type, found `p`
     --> a.trace:2:12
      |
    2 |   list(dir path) -> [str]
      |            ^

    error[unknown-type]: there is no type `strr`
     --> a.trace:3:14
      |
    3 |   read(path: strr) -> str
      |              ^^^^
      |
      = help: did you mean `str`?

    error[wrong-type]: the default of `a` in `read` does not fit: expected `int`, found `"x"`
     --> a.trace:4:3
      |
    4 |   read(a: int = "x", a: int) -> str ! E | E
      |   ^^^^
      |
      = help: change the default or the type

    error[repeated]: `read` has two parameters `a`
     --> a.trace:4:3
      |
    4 |   read(a: int = "x", a: int) -> str ! E | E
      |   ^^^^
      |
      = help: rename one, or take it out

    error[repeated]: `read` declares the error `E` twice
     --> a.trace:4:3
      |
    4 |   read(a: int = "x", a: int) -> str ! E | E
      |   ^^^^
      |
      = help: rename one, or take it out

    error[repeated]: `read` is declared twice
     --> a.trace:5:3
      |
    5 |   read() -> any
      |   ^^^^
      |
      = help: rename one, or take it out

    error[missing-argument]: `read` needs `a`
     --> a.trace:6:9
      |
    6 | action: read()
      |         ^^^^
      |
      = help: declared `read(a: int = "x", a: int) -> str ! E | E`
    "#);
}

#[test]
fn actions_and_results() {
    let text = "tools {\n  list(dir: path, deep: bool = false) -> [str] ! NotFound(path)\n}\ngoal: x\n\
                action: list(dri=3, deep=1)\nobservation: [\"a\", 2]\n\
                action: list(dir=\"/\")\naction: list(dir=\"/\n  b\", deep=maybe)\n\
                observation: [\"a\", 2]\nerror: NotFond\nerror: Gone\n\
                action: list(dir=\"/\")\nerror: NotFound(2)\n\
                action [failed]: nonsense\nthought: so\n";
    insta::assert_snapshot!(drawn(text), @r#"
    error[unknown-parameter]: `list` has no parameter `dri`
     --> a.trace:5:14
      |
    5 | action: list(dri=3, deep=1)
      |              ^^^
      |
      = help: did you mean `dir`?

    error[wrong-type]: `deep`: expected `bool`, found `1`
     --> a.trace:5:26
      |
    5 | action: list(dri=3, deep=1)
      |                          ^
      |
      = help: declared `deep: bool = false`

    error[wrong-result]: at `[1]`: expected `str`, found `2`
     --> a.trace:6:14
      |
    6 | observation: ["a", 2]
      |              ^^^^^^^^
      |
      = help: declared `list(dir: path, deep: bool = false) -> [str] ! NotFound(path)`

    error[syntax]: `maybe` is no value
     --> a.trace:9:12
      |
    9 |   b", deep=maybe)
      |            ^^^^^
      |
      = help: text is written in quotes: `"maybe"`

    error[wrong-result]: at `[1]`: expected `str`, found `2`
      --> a.trace:10:14
       |
    10 | observation: ["a", 2]
       |              ^^^^^^^^
       |
       = help: declared `list(dir: path, deep: bool = false) -> [str] ! NotFound(path)`

    warning[no-action]: this `error` answers no action
      --> a.trace:12:1
       |
    12 | error: Gone
       | ^^^^^
       |
       = help: results stand behind the actions that they answer, one each, in their order

    error[wrong-error]: expected `path`, found `2`
      --> a.trace:14:8
       |
    14 | error: NotFound(2)
       |        ^^^^^^^^^^^
       |
       = help: declared `list(dir: path, deep: bool = false) -> [str] ! NotFound(path)`

    warning[unanswered]: no observation or error follows this action
      --> a.trace:15:1
       |
    15 | action [failed]: nonsense
       | ^^^^^^
       |
       = help: write what came of it: `observation: …` or `error: …`
    "#);
}

#[test]
fn sets_metadata_and_versions() {
    let text = "%trace 2\ntools: fils\nobservation [failed own=0..9 weight=-1]: abc\n";
    insta::assert_snapshot!(drawn(text), @r"
    error[version]: version `2` of the trace language is unknown
     --> a.trace:1:1
      |
    1 | %trace 2
      | ^^^^^^^^
      |
      = help: this program reads version 1

    error[unknown-set]: there is no set of tools `fils`
     --> a.trace:2:8
      |
    2 | tools: fils
      |        ^^^^
      |
      = help: the sets are `files`, `ledger` and `route`

    warning[no-action]: this `observation` answers no action
     --> a.trace:3:1
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      | ^^^^^^^^^^^
      |
      = help: results stand behind the actions that they answer, one each, in their order

    warning[attribute]: only an action can be marked `failed`, this is `observation`
     --> a.trace:3:14
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      |              ^^^^^^
      |
      = help: mark the action that failed

    error[own]: `own=0..9` is no part of the body
     --> a.trace:3:21
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      |                     ^^^^^^^^
      |
      = help: ranges are bytes of the body (0 to 3) between characters, in order and apart

    error[attribute]: a weight is a finite number of at least 0
     --> a.trace:3:30
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      |                              ^^^^^^^^^
      |
      = help: write `weight=0` for what is not trained on, `weight=1` for the usual weight
    ");
}

#[test]
fn colour_is_only_added() {
    let text = "gaol: x\n";
    let d = check(text, none).0.remove(0);
    let plain = d.render(text, "a.trace", false);
    let mut coloured = d.render(text, "a.trace", true);
    assert!(coloured.contains("\x1b["));
    while let Some(from) = coloured.find("\x1b[") {
        let to = from + coloured[from..].find('m').unwrap();
        coloured.replace_range(from..=to, "");
    }
    assert_eq!(coloured, plain);
}

#[test]
fn a_misspelt_keyword_is_read_as_the_one_meant() {
    // Otherwise the observation would be reported as well.
    assert_eq!(codes("acton: list()\nobservation: 1\n"), ["unknown-span"]);
}

#[test]
fn training_text_of_good_traces_has_no_diagnostics() {
    assert_eq!(codes("goal: x\naction: a()\naction: b()\nobservation: 1\nerror: No\nanswer: y\n"), [""; 0]);
}

#[test]
fn crlf_is_one_warning() {
    let found = check("goal: x\r\nanswer: y\r\n", none);
    assert_eq!(found.0.len(), 1);
    assert_eq!((found.0[0].code, found.0[0].severity), ("crlf", Severity::Warning));
    assert_eq!(Trace::parse("goal: x\r\nanswer: y\r\n").unwrap().spans[0].body, "x\r");
}

#[test]
fn one_trace_means_one() {
    let wrong = Trace::parse("goal: x\n---\ngoal: y\n").unwrap_err();
    assert_eq!((wrong.0[0].code, wrong.0[0].range.clone()), ("several-traces", 8..11));
    assert_eq!(Trace::parse("---\ngoal: x\n---\n").unwrap().spans.len(), 1);
    assert_eq!(Trace::parse("").unwrap(), Trace::default());
}

#[test]
fn a_file_of_mistakes_is_read_in_linear_time() {
    let text = "tools {\n".to_owned()
        + &"  list(dir path\n".repeat(20_000)
        + "}\n"
        + &"stray\n\n  x\nacton: [\n".repeat(20_000);
    assert!(codes(&text).len() > 60_000);
}

/// Everything has a hint, and a word that is nearly right is taken for the one that was meant.
#[test]
fn hints() {
    let said = |text: &str, code: &str| {
        let found = check(text, none);
        let d = found.0.iter().find(|d| d.code == code).unwrap_or_else(|| panic!("{code}: {found:?}"));
        (d.message.clone(), d.hint.clone().unwrap_or_default(), text[d.range.clone()].to_owned())
    };
    let tools = "tools {\n  go(to: \"north\" | \"south\", by?: {speed: int}) -> int ! Blocked(str)\n}\n";
    let (message, ..) = said(&format!("{tools}action: go(to=\"nroth\")\nobservation: 1\n"), "wrong-type");
    assert!(message.ends_with("found `\"nroth\"` (did you mean `\"north\"`?)"), "{message}");
    let (message, ..) =
        said(&format!("{tools}action: go(to=\"north\", by={{sped: 1}})\nobservation: 1\n"), "wrong-type");
    assert!(message.contains("the field `speed`"), "{message}");
    let (_, hint, _) =
        said(&format!("{tools}action: go(to=\"north\")\nerror: Bloked(\"x\")\n"), "undeclared-error");
    assert!(hint.starts_with("did you mean `Blocked`? declared `go("), "{hint}");
    // What answers a call that does not fit is compared all the same, but may be an error of another sort.
    assert_eq!(
        codes(&format!("{tools}action: go(to=1)\nobservation: \"x\"\n")),
        ["wrong-type", "wrong-result"]
    );
    assert_eq!(codes(&format!("{tools}action [failed]: go(to=1)\nerror: Malformed\n")), [""; 0]);
    for (text, code, place) in [
        ("goal: x\ntools {\n}\n", "tools-first", "tools"),
        ("action: a()\nobservation: x y\n", "no-value", "x"),
        ("goal [id=\"a\"]: x\nuser [x_a=1 id=\"a\"]: y\n", "repeated", "id=\"a\""),
        ("goal [x_a=1 score=\"b\"]: x\n", "attribute", "score=\"b\""),
        ("goal [x_a=1 after=\"b\"]: x\n", "no-span", "after=\"b\""),
    ] {
        let (message, hint, at) = said(text, code);
        assert!(!hint.is_empty() || code == "no-span", "{text}: {message}");
        assert_eq!(at, place, "{text}");
    }
}

#[test]
fn a_wrong_bound_does_not_hide_what_follows() {
    let text = "tools {\n  a(x: int(mim=0, max=\"a\"), y: strr) -> int\n  b(z: [int](pattern=\"a\")) -> int\n}\n\
                action: a(x=\"q\")\nobservation: 1\naction: b(z=1)\nobservation: 2\n";
    let found = check(text, none);
    assert_eq!(found.0.iter().filter(|d| d.code == "bound").count(), 3);
    assert!(found.0.iter().any(|d| d.code == "unknown-type"));
    assert!(found.0.iter().all(|d| d.hint.is_some()), "{found:?}");
    // `b` is known, with its parameter.
    assert!(found.0.iter().any(|d| d.message.starts_with("`z`: expected")), "{found:?}");
    assert!(Tool::parse("a(x: int(mim=0)) -> int").is_err());
    assert!(groundwork_trace::Type::parse("int(mim=0)").is_err());
}

#[test]
fn a_pattern_is_wrong_or_only_not_checked() {
    let said = |pattern: &str| {
        let text =
            format!("tools {{\n  a(x: str(pattern={})) -> int\n}}\n", groundwork_trace::Value::str(pattern));
        check(&text, none).0.pop().map(|d| (d.severity, d.message, d.hint.unwrap_or_default()))
    };
    assert_eq!(said("^[a-z]+$"), None);
    for pattern in ["a(b", "[z-a]", "*a"] {
        let (severity, message, hint) = said(pattern).unwrap();
        assert_eq!(severity, Severity::Error, "{message}");
        assert!(message.contains("is no regular expression") && !hint.contains("look around"), "{hint}");
    }
    for pattern in ["(?=a)b", "(a)\\1", "\\p{L}"] {
        let (severity, message, _) = said(pattern).unwrap();
        assert_eq!(severity, Severity::Warning, "{message}");
        assert!(message.contains(pattern), "a backslash stands once: {message}");
    }
}
