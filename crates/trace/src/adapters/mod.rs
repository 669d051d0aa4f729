//! Other formats: each is read into a [`Trace`] and written from one, with a report of what was lost.
//!
//! A format's file knows traces and its own format, never another one. `docs/trace-formats.md` shows the same
//! trace in every format, with the table of what each cannot hold.

mod anthropic;
mod builder;
mod compare;
mod content;
mod json;
mod loss;
mod mcp;
mod openai_chat;
mod openai_responses;
mod schemas;
mod spelling;
mod turns;

pub use loss::{Converted, FormatError, Loss, LossKind, Place};

use crate::{Trace, suggest};
use json::{At, Kind, Node};
use loss::Read;
use mcp::Revision;

/// A format that traces are converted from and to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// OpenAI chat completions with tools.
    OpenAiChat,
    /// OpenAI Responses.
    OpenAiResponses,
    /// Anthropic messages.
    Anthropic,
    /// MCP 2025-11-25, which opens with a handshake.
    Mcp2025,
    /// MCP 2026-07-28, which is stateless.
    Mcp2026,
}

/// What a document of a format is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Document {
    /// A JSON value: a file holds one, a list of them, or one a line.
    Json,
    /// JSON values, one a line: a file holds one document, or a list for each.
    Lines,
    /// Plain text: a file is one document. A file of several is JSONL with the text under `"text"`.
    Text,
}

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Format; 5] =
        [Format::OpenAiChat, Format::OpenAiResponses, Format::Anthropic, Format::Mcp2025, Format::Mcp2026];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::OpenAiChat => "openai-chat",
            Format::OpenAiResponses => "openai-responses",
            Format::Anthropic => "anthropic",
            Format::Mcp2025 => "mcp-2025-11-25",
            Format::Mcp2026 => "mcp-2026-07-28",
        }
    }

    /// The format with this name.
    ///
    /// # Errors
    /// What was perhaps meant.
    pub fn from_name(name: &str) -> Result<Format, String> {
        let found = Format::ALL.into_iter().find(|f| f.name() == name);
        found.ok_or_else(|| suggest::hint(name, Format::ALL.map(Format::name)).unwrap_or_default())
    }

    /// What it is, in a line.
    pub const fn description(self) -> &'static str {
        match self {
            Format::OpenAiChat => "OpenAI chat completions: messages with tool calls",
            Format::OpenAiResponses => "OpenAI Responses: items",
            Format::Anthropic => "Anthropic messages: content blocks",
            Format::Mcp2025 => "Model Context Protocol of 2025-11-25, with a handshake",
            Format::Mcp2026 => "Model Context Protocol of 2026-07-28, stateless",
        }
    }

    /// What a document of it is.
    pub const fn document(self) -> Document {
        match self {
            Format::OpenAiChat | Format::OpenAiResponses | Format::Anthropic => Document::Json,
            Format::Mcp2025 | Format::Mcp2026 => Document::Lines,
        }
    }

    /// Reads all documents of `text`.
    ///
    /// # Errors
    /// What is wrong with the first document that cannot be read, where, and what to do about it. In a file of
    /// several documents, a JSON pointer begins with the number of the document.
    pub fn read(self, text: &str) -> Result<Converted<Vec<Trace>>, Box<FormatError>> {
        let mut all = Converted { value: Vec::new(), losses: Vec::new() };
        let mut add = |(trace, losses)| {
            all.value.push(trace);
            all.losses.extend(losses);
        };
        let values = json::parse_all(text)?;
        let place = |i: usize| if values.len() == 1 { At::Root } else { At::Item(&At::Root, i) };
        if self.document() == Document::Lines && values.iter().all(|v| !matches!(v.kind, Kind::Array(_))) {
            let messages: Vec<_> =
                values.iter().enumerate().map(|(i, v)| (v, At::Item(&At::Root, i))).collect();
            add(mcp::read(&messages)?);
            return Ok(all);
        }
        for (i, value) in values.iter().enumerate() {
            let at = place(i);
            match &value.kind {
                Kind::Array(documents) if documents.first().is_some_and(|d| self.is_document(d)) => {
                    for (j, document) in documents.iter().enumerate() {
                        add(self.read_json(document, At::Item(&at, j))?);
                    }
                }
                _ => add(self.read_json(value, at)?),
            }
        }
        Ok(all)
    }

    /// Whether `node`, an item of a list, is a document of its own.
    fn is_document(self, node: &Node<'_>) -> bool {
        let array = matches!(node.kind, Kind::Array(_));
        let keys = match self {
            Format::OpenAiResponses => ["input", "output"],
            _ => ["messages", "messages"],
        };
        let object = keys.iter().any(|k| node.get(k).is_some()) && node.get("type").is_none();
        array || (self.document() == Document::Json && object)
    }

    fn read_json(self, node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
        match self {
            Format::OpenAiChat => openai_chat::read(node, at),
            Format::OpenAiResponses => openai_responses::read(node, at),
            Format::Anthropic => anthropic::read(node, at),
            Format::Mcp2025 | Format::Mcp2026 => {
                let items = node.items(at)?;
                let messages: Vec<_> = items.iter().enumerate().map(|(i, v)| (v, At::Item(&at, i))).collect();
                mcp::read(&messages)
            }
        }
    }

    /// Writes one document. What the format cannot hold is in the report, which is the difference between
    /// `trace` and what the document is read back as.
    pub fn write(self, trace: &Trace) -> Converted<String> {
        let value = match self {
            Format::OpenAiChat => openai_chat::write(trace),
            Format::OpenAiResponses => openai_responses::write(trace),
            Format::Anthropic => anthropic::write(trace),
            Format::Mcp2025 => mcp::write(trace, Revision::Handshake),
            Format::Mcp2026 => mcp::write(trace, Revision::Stateless),
        };
        let back = self.read(&value).ok().and_then(|b| b.value.into_iter().next()).unwrap_or_default();
        let losses = compare::losses(trace, &back, &[], |i| i);
        Converted { value, losses }
    }
}
