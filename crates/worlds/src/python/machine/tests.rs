use super::{Machine, Program};
use crate::python::parse;

/// What the function `f` of a source answers, or its error with its line.
fn run(source: &str) -> String {
    let module = parse(source);
    let program = Program { modules: vec![("main", module.as_ref())] };
    match Machine::new(&program).call("main", "f", &[]) {
        Ok(value) => value,
        Err(error) => format!("{}: {}", error.line, error.message),
    }
}

/// The value of an expression.
fn value(expression: &str) -> String {
    run(&format!("def f():\n    return {expression}\n"))
}

/// Every pair was checked against CPython 3.11 (`benches/python_subset.sh` does it again).
#[test]
fn expressions_mean_what_they_mean_in_python() {
    for line in include_str!("expressions.txt").lines() {
        let (expression, expected) = line.split_once(" => ").expect("an expression and its value");
        assert_eq!(value(expression), expected, "{expression}");
    }
}

#[test]
fn statements_mean_what_they_mean_in_python() {
    let programs = [
        (
            "def f():\n    n = 0\n    for i in range(10):\n        if i == 3:\n            continue\n        if i == 6:\n            break\n        n += i\n    return n\n",
            "12",
        ),
        (
            "def g(xs):\n    xs.append(1)\ndef f():\n    ys = []\n    zs = ys\n    g(ys)\n    zs += [2]\n    return ys\n",
            "[1, 2]",
        ),
        ("def f():\n    xs = [1, 2, 3]\n    xs[0] = 5\n    xs[-1] *= 4\n    return xs\n", "[5, 2, 12]"),
        ("def f():\n    n = 40\n    while n > 1:\n        n //= 3\n    return n\n", "1"),
        (
            "k = 3\ndef g(n):\n    if n < 1:\n        return 0\n    elif n == 1:\n        return k\n    else:\n        return g(n - 1) + g(n - 2)\ndef f(): return g(7)\n",
            "39",
        ),
        ("def f():\n    \"\"\"Says nothing.\"\"\"\n    # nothing\n    pass\n", "None"),
        ("def f():\n    return (1 +\n            2)\n", "3"),
        (
            "def f():\n    return x\n    x = 1\n",
            "2: UnboundLocalError: cannot access local variable 'x' where it is not associated with a value",
        ),
        ("def f():\n    return x\n", "2: NameError: name 'x' is not defined"),
        ("def f():\n    xs = [1]\n\n    return xs[1]\n", "4: IndexError: list index out of range"),
        ("def f():\n    assert 1 + 1 == 3\n", "2: AssertionError: 2 == 3"),
        ("def f():\n    assert [], 'no items'\n", "2: AssertionError: no items"),
        (
            "def g(a):\n    return a\ndef f():\n    return g()\n",
            "4: TypeError: g() takes 1 positional argument but 0 were given",
        ),
        (
            "def f():\n  if True:\n      return 1\n   return 2\n",
            "4: IndentationError: unindent does not match any outer indentation level",
        ),
        ("def f()\n    return 1\n", "1: SyntaxError: expected ':'"),
        ("from other import g\n", "1: ModuleNotFoundError: No module named 'other'"),
        ("def f():\n    while True:\n        pass\n", "2: TimeoutError: the program takes too long"),
        ("def f():\n    return f()\n", "2: RecursionError: maximum recursion depth exceeded"),
        (
            "def f():\n    x = [1]\n    while True:\n        x = x + x\n",
            "4: MemoryError: the list is too long",
        ),
        ("def f():\n    x = 'ab' * 1000000000000\n", "2: MemoryError: the result is too long"),
        (
            "def f():\n    x = 2\n    while True:\n        x = x ** 9\n",
            "4: OverflowError: the number is too large",
        ),
        (
            "def f():\n    x = []\n    x.append(x)\n    return x == x\n",
            "4: RecursionError: maximum recursion depth exceeded in comparison",
        ),
    ];
    for (source, expected) in programs {
        assert_eq!(run(source), expected, "{source}");
    }
}

#[test]
fn modules_import_from_each_other_and_errors_know_their_module() {
    let (a, b) =
        (parse("from b import g\ndef f(): return g(2)\n"), parse("def g(n):\n    return 6 // (n - 2)\n"));
    let program = Program { modules: vec![("a", a.as_ref()), ("b", b.as_ref())] };
    let error = Machine::new(&program).call("a", "f", &[]).expect_err("a division by zero");
    assert_eq!((error.module, error.line), (1, 2));
    assert_eq!(error.message, "ZeroDivisionError: integer division or modulo by 0");
    let (a, b) = (parse("from b import g\ng = 1\n"), parse("from a import g\n"));
    let program = Program { modules: vec![("a", a.as_ref()), ("b", b.as_ref())] };
    let error = Machine::new(&program).call("a", "f", &[]).expect_err("a circle");
    assert_eq!(error.message, "ImportError: cannot import name 'g' from 'a'");
}

#[test]
fn rubbish_is_an_error_and_never_a_panic() {
    let pieces = [
        "def",
        "f",
        "(",
        ")",
        ":",
        "\n",
        "    ",
        "return",
        "1",
        "[",
        "]",
        "for",
        "in",
        "x",
        "'",
        "\"\"\"",
        "\\",
        "=",
        "**",
        "-",
        "9223372036854775807",
        "é",
        "\0",
        "\t",
        "if",
        "else",
        ".",
        "#",
        ",",
        "not",
        "{",
        "range",
        "//=",
        "%",
    ];
    let mut dice = crate::dice::Dice::new("rubbish", &[1]);
    for _ in 0..20_000 {
        let source: String =
            (0..1 + dice.below(24)).map(|_| pieces[dice.below(pieces.len())].to_owned() + " ").collect();
        run(&source);
        run(&format!("def f():\n    return {source}\n"));
    }
    run(&"(".repeat(100_000));
    run(&format!("def f():\n    return {}1\n", "-".repeat(100_000)));
    run(&format!("x = {}", "not ".repeat(100_000)));
    run(&format!("x = 1{}", " ** 1".repeat(10_000)));
    run(&format!("x = 1{}", " + 1".repeat(10_000)));
    run(&format!("x = y{}", "[0]".repeat(10_000)));
}
