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

    error[repeated]: `read` has two parameters `a`
     --> a.trace:4:3
      |
    4 |   read(a: int = "x", a: int) -> str ! E | E
      |   ^^^^

    error[repeated]: `read` declares the error `E` twice
     --> a.trace:4:3
      |
    4 |   read(a: int = "x", a: int) -> str ! E | E
      |   ^^^^

    error[repeated]: `read` is declared twice
     --> a.trace:5:3
      |
    5 |   read() -> any
      |   ^^^^

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

    warning[attribute]: only an action can be marked `failed`, this is `observation`
     --> a.trace:3:1
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      | ^^^^^^^^^^^

    error[attribute]: a weight is a finite number of at least 0
     --> a.trace:3:1
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      | ^^^^^^^^^^^

    error[own]: `own=0..9` is no part of the body
     --> a.trace:3:1
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      | ^^^^^^^^^^^
      |
      = help: ranges are bytes of the body (0 to 3) between characters, in order and apart

    warning[no-action]: this `observation` answers no action
     --> a.trace:3:1
      |
    3 | observation [failed own=0..9 weight=-1]: abc
      | ^^^^^^^^^^^
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
