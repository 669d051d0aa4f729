//! An interpreter of a small part of Python, for programs that nobody has looked at.
//!
//! A run is a pure function of the sources: work, depth and memory are counted, never timed, and nothing outside can be
//! reached. (Interpreters of the whole language that are to be had as a crate, such as `monty`, limit time by the clock and
//! memory by a global allocator, and can take the process with them; the same episode would not always end alike.)
//!
//! What there is of Python: modules that import names from each other; functions with positional parameters; `if`,
//! `while`, `for`, `break`, `continue`, `pass`, `return`, `assert`; assignment to names and items, also augmented; whole
//! numbers of 64 bits, strings, lists, `True`, `False`, `None`; `+ - * // % **`, comparisons and their chains, `in`, `and`,
//! `or`, `not`, `… if … else …`; items, slices, list comprehensions; `abs all any bool int len list max min print range
//! reversed sorted str sum`; the list methods `append extend index insert pop`, and `count` of lists. What is none of these
//! is a `SyntaxError`, `NameError`, `AttributeError` or `TypeError`, in Python's words where they are short. A number that
//! needs more than 64 bits is an `OverflowError`, which is not Python's way.

mod ast;
mod lexer;
mod machine;
mod parser;

pub(crate) use ast::Module;
pub(crate) use machine::{Argument, Machine, Program};
pub(crate) use parser::parse;

/// Why a program stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Error {
    /// The line of its module, from 1.
    pub(crate) line: u32,
    /// The kind of error and what Python would say: `IndexError: list index out of range`.
    pub(crate) message: String,
    /// The place of the module in the program.
    pub(crate) module: usize,
}

impl Error {
    fn new(line: u32, message: impl Into<String>) -> Error {
        Error { line, message: message.into(), module: 0 }
    }
}
