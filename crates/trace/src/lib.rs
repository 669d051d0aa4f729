//! The trace language: one typed language for tools, tasks and what an agent did.
//!
//! A [`Trace`] is one episode: a list of [`Span`]s. A model is trained on exactly the text that
//! [`Trace::to_text`] prints, a person reads and writes it, and every other format converts to and
//! from it. What was said is kept as it was said: a span's body is the emitted bytes, and the
//! parsed forms ([`Call`], [`Value`], [`ToolError`]) are views of it.
//!
//! - [`Trace::parse`], [`Trace::parse_all`] read traces; [`Trace::to_text`] prints the training text,
//!   [`Trace::to_annotated`] the file form with metadata, [`Trace::to_terminal`] and [`page`] views for a person;
//!   [`Trace::branches`] takes a trace apart whose context was changed.
//! - [`Attempt::parse`] says what came of an attempt to act: the call, or why there is none.
//! - [`check`] reports everything that is wrong with a file; [`Diagnostic::render`] draws one report.
//! - [`Outline`] gives the place of everything in a file, for editors.
//! - [`Tool`] and [`Type`] declare tools, in the language or in JSON Schema.
//!
//! ```
//! use groundwork_trace::{ActionStatus, Attempt, Tool};
//!
//! let tools = Tool::parse_all("read(path: path, max: int = 4096) -> str ! NotFound")?;
//! let attempt = Attempt::parse(r#"raed(path="/docs/a")"#, &tools);
//! assert_eq!(attempt.status, ActionStatus::UnknownTool);
//! assert_eq!(attempt.message, "there is no tool `raed` (did you mean `read`?)");
//! # Ok::<(), groundwork_trace::Diagnostics>(())
//! ```
//!
//! The language is specified in `docs/trace-language.md`. [`adapters`] convert traces from and to other formats
//! (chat templates, tool-use APIs), one file a format, each between [`Trace`] and its format alone;
//! `docs/trace-formats.md` shows them. [`Stats`] counts what traces consist of, and [`diff`] compares two.

#![forbid(unsafe_code)]

pub mod adapters;
mod align;
mod attempt;
mod bounds;
mod check;
mod declare;
mod declare_type;
mod diagnostic;
mod diff;
mod file;
mod format_names;
mod graph;
mod json_schema;
mod kind;
mod layout;
mod number;
mod outline;
mod page;
mod plain;
mod print;
mod print_declaration;
mod quick;
mod scan;
mod span;
mod stats;
mod suggest;
mod terminal;
mod tool;
mod typing;
mod value;

pub use attempt::Attempt;
pub use bounds::Bounds;
pub use check::check;
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use diff::{Diff, Difference, diff};
pub use graph::Branch;
pub use json_schema::{Narrowed, NarrowedKind, SchemaError};
pub use kind::SpanKind;
pub use outline::{CallPlace, Outline, SpanPlace};
pub use page::page;
pub use span::{ActionStatus, Span, Trace};
pub use stats::{Count, Stats};
pub use suggest::nearest;
pub use tool::{ErrorType, Field, NamedType, Param, Tool, Type};
pub use typing::Mismatch;
pub use value::{Call, Number, ToolError, Value};
