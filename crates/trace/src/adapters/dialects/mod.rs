//! Formats that are plain text with markers: the chat templates of open models.
//!
//! A [`Dialect`] is data: the markers around turns, tools, thoughts, calls and results, and a [`Notation`] for one
//! call. One writer and one reader serve them all. No text may spell a marker: what would is broken up.

mod agent;
mod calls;
mod exchange;
mod gemma;
pub(crate) mod markers;
mod pythonic;
mod read;
mod table;
mod write;

pub(crate) use pythonic::write_text as python_string;

pub(crate) use agent::agent as read_agent;
use calls::{read_calls, write_calls};
pub(crate) use read::{outcomes as read_outcomes, read};
pub(crate) use table::*;
pub(crate) use write::{agent as write_agent, outcomes as write_outcomes, quiet, write};

use super::Format;
use super::schemas::Shape;
use super::spelling::Style;

/// What stands before and after something.
pub(crate) type Pair = (&'static str, &'static str);

/// A format of chat text.
pub(crate) struct Dialect {
    pub(crate) format: Format,
    pub(crate) style: Style,
    /// What every text begins with.
    pub(crate) begin: &'static str,
    /// None where the system text stands before the user's first, with an empty line between them.
    pub(crate) system: Option<Pair>,
    pub(crate) user: Pair,
    pub(crate) agent: Pair,
    /// After results the agent goes on without a new opening.
    pub(crate) goes_on: bool,
    /// The agent's turn stays open for the results, and is closed when it has nothing more to say.
    pub(crate) stays_open: bool,
    /// Other marks at which the agent's turn ends; they are read, and never written.
    pub(crate) ends: &'static [&'static str],
    /// Where a turn is either text or calls: what marks an attempt to act that would be taken for a text.
    pub(crate) attempt: Pair,
    /// Other ways in which its models make calls; they are read, and never written.
    pub(crate) other_calls: &'static [Calls],
    pub(crate) tools: Declarations,
    pub(crate) thought: Option<Thought>,
    /// What stands before the agent's text after a thought.
    pub(crate) text: &'static str,
    pub(crate) calls: Calls,
    pub(crate) results: Outcomes,
    /// Whether calls can be made in parallel.
    pub(crate) parallel: bool,
    /// What no text may spell.
    pub(crate) markers: &'static [&'static str],
}

/// How tools are declared.
pub(crate) struct Declarations {
    pub(crate) stand: Stand,
    pub(crate) around: Pair,
    /// Around every tool; none where the tools are one JSON list.
    pub(crate) each: Option<Pair>,
    pub(crate) shape: Shape,
    /// Whether every tool is laid out over several lines, four spaces deep.
    pub(crate) indented: bool,
}

/// Where declarations stand.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stand {
    /// At the end of the system text, after an empty line.
    InSystem,
    /// At the beginning of the system text, which follows after this.
    BeforeSystem(&'static str),
    /// In a turn of their own, before everything else.
    First,
    /// In a turn of their own, after the system text.
    AfterSystem,
}

impl Stand {
    /// Whether the declarations stand in the system text.
    pub(crate) fn in_system(self) -> bool {
        matches!(self, Stand::InSystem | Stand::BeforeSystem(_))
    }
}

/// How a thought is marked, and what stands where there is none.
pub(crate) struct Thought {
    pub(crate) around: Pair,
    pub(crate) none: &'static str,
}

/// How calls are made.
pub(crate) struct Calls {
    /// Around all calls of a turn.
    pub(crate) group: Pair,
    /// Around every call.
    pub(crate) each: Pair,
    pub(crate) between: &'static str,
    /// Between the agent's text and its calls, and before calls without a text.
    pub(crate) gap: Pair,
    /// A turn is either text or calls.
    pub(crate) alone: bool,
    pub(crate) notation: Notation,
}

/// How one call is spelt, or for the last three all of a turn.
pub(crate) enum Notation {
    /// `{"name": "pay", "arguments": {…}}`; the key of the arguments.
    Object(&'static str),
    /// `pay`, a separator and the arguments as JSON; an id may stand behind the name, after a mark of its own.
    Named { id: &'static str, arguments: &'static str },
    /// As [`Notation::Named`], with `functions.pay:0` for the name, which is also the call's id.
    Numbered(&'static str),
    /// `pay`, what follows it, and one element an argument.
    Tagged { after_name: &'static str, tags: Tags },
    /// `call:pay{cents:5,to:<|"|>Ann<|"|>}`
    Gemma,
    /// A JSON list of objects with ids of nine characters.
    List,
    /// `[pay(to="Ann", cents=5)]`
    Pythonic,
}

/// How an argument is spelt in elements.
pub(crate) struct Tags {
    pub(crate) open: &'static str,
    /// Between the name and a string, and between the name and any other value.
    pub(crate) after_name: Pair,
    pub(crate) close: &'static str,
    /// Whether `true`, `false` and `null` are spelt as in Python.
    pub(crate) python: bool,
}

/// How results are given.
pub(crate) struct Outcomes {
    pub(crate) group: Pair,
    pub(crate) each: Pair,
    pub(crate) between: &'static str,
    /// Where others give results under another role, or their tool's name: what stands before it, what follows it,
    /// and what the result begins with.
    pub(crate) named: Option<(&'static str, &'static str, &'static str)>,
    pub(crate) content: Content,
}

/// What stands in a result.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Content {
    /// The text that the tool returned.
    Text,
    /// As [`Content::Text`]; the call's id may stand before it, and then this mark.
    After(&'static str),
    /// JSON: a string is in quotes.
    Json,
    /// The call's id, a line break and the text.
    Numbered,
    /// `{"content": …, "call_id": "c00000000"}`
    Object,
    /// `response:pay{value:…}`
    Gemma,
}
