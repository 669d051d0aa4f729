//! Tools as Python functions and as a TypeScript namespace.

use groundwork_trace::adapters::{Format, Loss};
use groundwork_trace::{Span, SpanKind, Tool, Trace};

const TOOLS: &str = r#"{
  /// A place in an outline.
  type Node = {title: str, children: [Node]}
  /// Makes an outline.
  ///
  /// Of a text.
  outline(
    /// Where the text lies.
    text: path,
    /// How deep to go,
    /// from 1 on.
    depth?: int(min=1, max=6),
    kinds: ["noun" | "verb"] = ["noun"],
    words: {*: float(above=0)} = {},
    size: {x: float, y: float = 1.5}? = null,
    by: int | {name: str} = 3,
  ) -> Node !
    /// There is nothing in it.
    Empty |
    NotFound(path, int)
  now() -> any
}"#;

fn trace(tools: &str) -> Trace {
    let tools = Tool::parse_all(tools).unwrap_or_else(|d| panic!("{d}"));
    Trace::new(vec![Span::new(SpanKind::Tools, Tool::print_all(&tools))])
}

fn read(format: Format, text: &str) -> (String, Vec<Loss>) {
    let mut read = format.read(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    (read.value.remove(0).to_annotated(), read.losses)
}

#[test]
fn python_holds_everything() {
    let trace = trace(TOOLS);
    let written = Format::Python.write(&trace);
    assert_eq!(written.losses, [], "{}", written.value);
    assert_eq!(
        written.value,
        r#"from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired, TypedDict

from pydantic import Field


# A place in an outline.
type Node = TypedDict("Record", {"title": str, "children": list[Node]})


def outline(text: Path, depth: Annotated[int, Field(ge=1, le=6)] = ..., kinds: list[Literal["noun", "verb"]] = ["noun"], words: dict[str, Annotated[float, Field(gt=0)]] = {}, size: TypedDict("Record", {"x": float, "y": NotRequired[Annotated[float, Field(default=1.5)]]}) | None = None, by: int | TypedDict("Record", {"name": str}) = 3) -> "Node":
    """Makes an outline.

    Of a text.

    Args:
        text: Where the text lies.
        depth: How deep to go,
            from 1 on.

    Raises:
        Empty: There is nothing in it.
        NotFound(Path, int):
    """
    ...


def now() -> Any:
    ...
"#
    );
}

#[test]
fn typescript_is_laid_out_as_harmony_does() {
    let written = Format::TypeScript.write(&trace(TOOLS));
    assert_eq!(
        written.value,
        r#"namespace functions {

// A place in an outline.
type Node = {
    title: string,
    children: Node[],
    };

// Makes an outline.
//
// Of a text.
type outline = (_: {
// Where the text lies.
text: string,
// How deep to go,
// from 1 on.
depth?: number,
kinds?: ("noun" | "verb")[], // default: ["noun"]
words?: Record<string, number>, // default: {}
size?: {
    x: number,
    y?: number, // default: 1.5
    } | null, // default: null
by?: number | {
    name: string,
    }, // default: 3
}) => Node;

type now = () => any;

} // namespace functions
"#
    );
    let (back, losses) = read(Format::TypeScript, &written.value);
    assert_eq!(losses, []);
    // Integers, paths, bounds and errors are what TypeScript does not have.
    let without = TOOLS
        .replace("text: path", "text: str")
        .replace("int(min=1, max=6)", "float")
        .replace("float(above=0)", "float")
        .replace("by: int |", "by: float |")
        .replace(" !\n    /// There is nothing in it.\n    Empty |\n    NotFound(path, int)", "");
    assert_eq!(back, trace(&without).to_annotated());
    assert_eq!(written.losses.len(), 1);
}

/// What people write: other styles of docstrings, methods, decorators, bodies that look like functions.
#[test]
fn python_of_others() {
    let source = r#"
import os
from typing import Optional, List

MAX = """def not_a_function(a: int):"""

class Bank:
    """def neither(): this."""

    def __init__(self, name: str):
        self.name = name

    @tool(name="pay")
    async def pay(
        self,
        to: str,  # who
        cents: int = 1_00,
        *,
        notes: Optional[List[str]] = None,
        when: "datetime.datetime | None" = None,
        **further,
    ) -> bool:
        """
        Pays somebody.

        Args:
            to (str): Who is paid:
                the name.
            cents: How much.

        Returns:
            bool: Whether it worked.

        Raises:
            ValueError: If there is none.
        """
        def inner(x: int): ...
        return True

def find(word, limit=MAX, exact: bool = False) -> dict[str, list[int]]:
    '''Finds a word.

    :param word: What to find,
        in small letters.
    :param exact: Whether to the letter.
    :returns: Where it stands.
    '''

def numpy(x: float, mode: Literal['a', 'b'] = 'a'):
    """Computes.

    Parameters
    ----------
    x : float
        The number.
    mode : {'a', 'b'}
        How.

    Returns
    -------
    float
    """

class Point(BaseModel):
    """A point."""
    # Across.
    x: int
    y: int = Field(default=0, ge=0, description="Down.")

def draw(at: Point, to: Unknown) -> None: ...
"#;
    let (text, losses) = read(Format::Python, source);
    assert_eq!(
        text,
        r#"tools {
  /// A point.
  type Point = {
    /// Across.
    x: int,
    /// Down.
    y: int(min=0) = 0,
  }
  /// Pays somebody.
  ///
  /// Returns:
  ///     bool: Whether it worked.
  pay(
    /// Who is paid:
    /// the name.
    to: str,
    /// How much.
    cents: int = 100,
    notes: [str]? = null,
    when: str(format="date-time")? = null,
  ) -> bool !
    /// If there is none.
    ValueError
  /// Finds a word.
  ///
  /// :returns: Where it stands.
  find(
    /// What to find,
    /// in small letters.
    word: any,
    limit?: any,
    /// Whether to the letter.
    exact: bool = false,
  ) -> {*: [int]}
  /// Computes.
  ///
  /// Returns
  /// -------
  /// float
  numpy(
    /// The number.
    x: float,
    /// How.
    mode: "a" | "b" = "a",
  ) -> any
  draw(at: Point, to: any) -> null
}
"#
    );
    let losses: Vec<String> = losses.iter().map(ToString::to_string).collect();
    assert_eq!(
        losses,
        [
            "tools at line 21, column 18: further arguments of `pay` (`further`)",
            "tools at line 40, column 22: the default `MAX`",
            "tools at line 70, column 25: the type `Unknown`, which is not declared here",
        ]
    );
}

#[test]
fn typescript_of_others() {
    let source = "/**\n * Tools of a shop.\n */\nexport namespace shop {\n  /** Buys.\n   * Something.\n   */\n  type buy = (args: {\n    readonly what: 'apple' | 'pear';\n    /* How many. */ count?: integer;\n    [key: string]: unknown;\n  }) => Promise<Array<string>>;\n}\n";
    let (text, losses) = read(Format::TypeScript, source);
    assert_eq!(
        text,
        "tools {\n  /// Buys.\n  /// Something.\n  buy(\n    what: \"apple\" | \"pear\",\n    /// How many.\n    count?: int,\n  ) -> [str]\n}\n"
    );
    assert_eq!(losses.len(), 1, "{losses:?}");
}

#[test]
fn mistakes_have_a_place_and_a_hint() {
    let error = |format: Format, text: &str| format.read(text).unwrap_err().to_string();
    assert_eq!(
        error(Format::Python, "def pay(to: str\n"),
        "expected `)`, found the end at line 2, column 1 (a comma stands between two parameters)"
    );
    assert_eq!(
        error(Format::Python, "x = 1\ndef pay(to: 5) -> int: ..."),
        "expected a type, found `5` at line 2, column 13 (a function is declared as `def pay(to: str, cents: int = 100) -> bool:`)"
    );
    assert_eq!(
        error(Format::TypeScript, "namespace functions {\ntype pay = (_: {to string}) => any;\n}"),
        "expected `:`, found `s` at line 2, column 20 (a field has a type: `to: string`)"
    );
    let deep = format!("def f(a: {}): ...", "list[".repeat(5000));
    assert!(error(Format::Python, &deep).starts_with("brackets nest deeper than 100"));
}

#[test]
fn python_that_is_written_runs() {
    let written = |tools: &str| Format::Python.write(&trace(tools)).value;
    // `"P" | None` raises a TypeError: the whole annotation is a text.
    let text = written("{\n  type P = {x: int}\n  paint(p: P?, all: [P] | int, q: \"a\" | \"b\") -> P?\n}");
    assert!(
        text.contains(
            "def paint(p: \"P | None\", all: \"list[P] | int\", q: Literal[\"a\", \"b\"]) -> \"P | None\":"
        ),
        "{text}"
    );
    assert!(!text.contains("TypedDict(\"\""), "{text}");
    // Further fields are known to typing_extensions alone.
    let text = written("{\n  paint(p: {x: int, *: str}) -> any\n}");
    assert!(text.contains("from typing import Any\n\nfrom typing_extensions import TypedDict\n"), "{text}");
}

#[test]
fn python_enums_are_enums() {
    let (trace, losses) = read(
        Format::Python,
        "import enum\n\nclass Way(enum.Enum):\n    \"\"\"Where to.\"\"\"\n\n    NORTH = \"n\"\n    # Down.\n    SOUTH = 2\n    \
         OTHER = enum.auto()\n\n    def _back(self): ...\n\nclass Hue(str, enum.Enum):\n    RED = \"red\"\n\n\
         def go(way: Way, hue: Hue | None = None) -> None:\n    \"\"\"Goes.\"\"\"\n",
    );
    assert_eq!(
        trace,
        "tools {\n  type Hue = \"red\"\n  /// Where to.\n  type Way = \"n\" | 2\n  /// Goes.\n  go(way: Way, hue: Hue? = null) -> null\n}\n"
    );
    assert_eq!(losses.len(), 1, "{losses:?}");
}

#[test]
fn typescript_as_programs_declare_it() {
    let (trace, losses) = read(
        Format::TypeScript,
        "import x from \"y\";\n/** A place. */\nexport interface Point extends Base {\n  readonly x: number; // default: 1\n  y?: number;\n  \
         far(from: Point): number;\n}\n/** Draws. */\nexport declare function draw(line: readonly Point[], \
         // How wide.\n  width?: number, ...more: string[]): void;\ntype pair = (at: [x: number, y: number], of: Point) => \
         [string, number];\ntype one = (name: string) => any;\ntype none = () => any;\ntype map = (_: Record<string, number>) => any;\n",
    );
    assert_eq!(
        trace,
        "tools {\n  /// A place.\n  type Point = {x: float = 1, y?: float}\n  /// Draws.\n  draw(\n    line: [Point],\n    /// How wide.\n    \
         width?: float,\n  ) -> null\n  pair(at: [float], of: Point) -> [str | float]\n  one(name: str) -> any\n  none() -> any\n  \
         map(_: {*: float}) -> any\n}\n"
    );
    let mut what: Vec<&str> = losses.iter().map(|l| l.what.as_str()).collect();
    what.sort_unstable();
    assert_eq!(
        what,
        [
            "further parameters of `draw`",
            "the method `far`",
            "the places of a tuple",
            "the places of a tuple",
            "what `Point` extends"
        ]
    );
}
