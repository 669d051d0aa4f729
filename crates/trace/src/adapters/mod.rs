//! Other formats: each is read into a [`Trace`] and written from one, with a report of what was lost.
//!
//! A format's file knows traces and its own format, never another one. `docs/trace-formats.md` shows the same
//! trace in every format, with the table of what each cannot hold.

mod adp;
mod anthropic;
mod arguments;
mod atif;
mod attach;
mod beside;
mod builder;
mod compare;
mod content;
mod dialects;
mod harmony;
mod inspect;
mod json;
mod loss;
mod mcp;
mod openai_chat;
mod openai_responses;
mod otel;
mod output;
mod react;
mod schemas;
mod sharegpt;
mod signatures;
mod source;
mod spelling;
mod stream;
mod swe_agent;
mod tool_list;
mod turns;
mod verbatim;
mod verifiers;

pub use loss::{Converted, FormatError, Loss, LossKind, Place};
pub use stream::{
    ConvertError, DocumentPlace, Side, Summary, Writer, convert, each_text, read_each, read_rows,
};

use crate::{Trace, suggest};
use dialects::Dialect;
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
    /// Hermes, Qwen 2.5 and Qwen 3.
    Hermes,
    /// Qwen3-Coder and Qwen 3.5.
    QwenCoder,
    /// Llama 3.1 to 3.3.
    Llama3,
    /// Llama 4.
    Llama4,
    /// Mistral, tokeniser of version 3.
    MistralV3,
    /// Mistral, tokeniser of version 13.
    MistralV13,
    /// DeepSeek V3.
    DeepSeekV3,
    /// DeepSeek V3.2.
    DeepSeekV32,
    /// GLM 4.5 and 4.6.
    Glm45,
    /// Kimi K2.
    KimiK2,
    /// MiniMax M2.
    MiniMaxM2,
    /// Gemma 4.
    Gemma4,
    /// Harmony, of gpt-oss.
    Harmony,
    /// ReAct.
    ReAct,
    /// ShareGPT.
    ShareGpt,
    /// ATIF, of Harbor.
    Atif,
    /// The Agent Data Protocol.
    Adp,
    /// OpenTelemetry spans of generative AI.
    OpenTelemetry,
    /// Trajectories of SWE-agent.
    SweAgent,
    /// Logs of Inspect.
    Inspect,
    /// Traces of verifiers.
    Verifiers,
    /// Tools as JSON Schema.
    JsonSchema,
    /// Tools as Python functions.
    Python,
    /// Tools as a TypeScript namespace.
    TypeScript,
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

/// How other names of formats begin, without what is no letter or digit; of two, the longer stands first.
const OTHER_NAMES: &[(&str, Format)] = &[
    ("openairesponse", Format::OpenAiResponses),
    ("response", Format::OpenAiResponses),
    ("openai", Format::OpenAiChat),
    ("chatcompletion", Format::OpenAiChat),
    ("gptoss", Format::Harmony),
    ("gpt", Format::OpenAiChat),
    ("claude", Format::Anthropic),
    ("mcp2025", Format::Mcp2025),
    ("mcp", Format::Mcp2026),
    ("qwen3coder", Format::QwenCoder),
    ("qwen35", Format::QwenCoder),
    ("qwen", Format::Hermes),
    ("chatml", Format::Hermes),
    ("nous", Format::Hermes),
    ("llama4", Format::Llama4),
    ("llama", Format::Llama3),
    ("mixtral", Format::MistralV3),
    ("mistral", Format::MistralV13),
    ("magistral", Format::MistralV13),
    ("devstral", Format::MistralV13),
    ("deepseekv32", Format::DeepSeekV32),
    ("deepseekv4", Format::DeepSeekV32),
    ("deepseek", Format::DeepSeekV3),
    ("dsml", Format::DeepSeekV32),
    ("glm", Format::Glm45),
    ("kimi", Format::KimiK2),
    ("minimax", Format::MiniMaxM2),
    ("gemma", Format::Gemma4),
    ("harbor", Format::Atif),
    ("opentelemetry", Format::OpenTelemetry),
    ("sweagent", Format::SweAgent),
];

impl Format {
    /// Every format, in the order of the documentation.
    pub const ALL: [Format; 29] = [
        Format::OpenAiChat,
        Format::OpenAiResponses,
        Format::Anthropic,
        Format::Mcp2025,
        Format::Mcp2026,
        Format::Hermes,
        Format::QwenCoder,
        Format::Llama3,
        Format::Llama4,
        Format::MistralV3,
        Format::MistralV13,
        Format::DeepSeekV3,
        Format::DeepSeekV32,
        Format::Glm45,
        Format::KimiK2,
        Format::MiniMaxM2,
        Format::Gemma4,
        Format::Harmony,
        Format::ReAct,
        Format::ShareGpt,
        Format::Atif,
        Format::Adp,
        Format::OpenTelemetry,
        Format::SweAgent,
        Format::Inspect,
        Format::Verifiers,
        Format::JsonSchema,
        Format::Python,
        Format::TypeScript,
    ];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Format::OpenAiChat => "openai-chat",
            Format::OpenAiResponses => "openai-responses",
            Format::Anthropic => "anthropic",
            Format::Mcp2025 => "mcp-2025-11-25",
            Format::Mcp2026 => "mcp-2026-07-28",
            Format::Hermes => "hermes",
            Format::QwenCoder => "qwen-coder",
            Format::Llama3 => "llama-3",
            Format::Llama4 => "llama-4",
            Format::MistralV3 => "mistral-v3",
            Format::MistralV13 => "mistral-v13",
            Format::DeepSeekV3 => "deepseek-v3",
            Format::DeepSeekV32 => "deepseek-v3.2",
            Format::Glm45 => "glm-4.5",
            Format::KimiK2 => "kimi-k2",
            Format::MiniMaxM2 => "minimax-m2",
            Format::Gemma4 => "gemma-4",
            Format::Harmony => "harmony",
            Format::ReAct => "react",
            Format::ShareGpt => "sharegpt",
            Format::Atif => "atif",
            Format::Adp => "adp",
            Format::OpenTelemetry => "otel",
            Format::SweAgent => "swe-agent",
            Format::Inspect => "inspect",
            Format::Verifiers => "verifiers",
            Format::JsonSchema => "json-schema",
            Format::Python => "python",
            Format::TypeScript => "typescript",
        }
    }

    /// The format with this name.
    ///
    /// # Errors
    /// What was perhaps meant.
    pub fn from_name(name: &str) -> Result<Format, String> {
        let found = Format::ALL.into_iter().find(|f| f.name() == name);
        found.ok_or_else(|| {
            let other = Format::of_other_name(name).map(|f| format!("did you mean `{}`?", f.name()));
            other.or_else(|| suggest::hint(name, Format::ALL.map(Format::name))).unwrap_or_default()
        })
    }

    /// The format of a model, a maker or a protocol that has another name; the letters and digits of `name` count.
    fn of_other_name(name: &str) -> Option<Format> {
        let plain = |name: &str| -> String {
            name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
        };
        let name = plain(name);
        if let Some(format) = Format::ALL.into_iter().find(|f| plain(f.name()) == name) {
            return Some(format);
        }
        OTHER_NAMES.iter().find(|(start, _)| name.starts_with(start)).map(|(_, format)| *format)
    }

    /// What it is, in a line.
    pub const fn description(self) -> &'static str {
        match self {
            Format::OpenAiChat => "OpenAI chat completions: messages with tool calls",
            Format::OpenAiResponses => "OpenAI Responses: items",
            Format::Anthropic => "Anthropic messages: content blocks",
            Format::Mcp2025 => "Model Context Protocol of 2025-11-25, with a handshake",
            Format::Mcp2026 => "Model Context Protocol of 2026-07-28, stateless",
            Format::Hermes => "chat text of Hermes, Qwen 2.5 and Qwen 3: JSON in `<tool_call>`",
            Format::QwenCoder => "chat text of Qwen3-Coder and Qwen 3.5: `<function=…>` elements",
            Format::Llama3 => "chat text of Llama 3.1 to 3.3: one bare JSON object",
            Format::Llama4 => "chat text of Llama 4: calls as Python writes them",
            Format::MistralV3 => "chat text of Mistral's tokeniser 3: a JSON list of calls",
            Format::MistralV13 => "chat text of Mistral's tokeniser 13: `[TOOL_CALLS]name[ARGS]{…}`",
            Format::DeepSeekV3 => "chat text of DeepSeek V3 and R1: fenced JSON",
            Format::DeepSeekV32 => "chat text of DeepSeek V3.2: DSML elements",
            Format::Glm45 => "chat text of GLM 4.5 and 4.6: `<arg_key>` and `<arg_value>`",
            Format::KimiK2 => "chat text of Kimi K2: numbered calls",
            Format::MiniMaxM2 => "chat text of MiniMax M2: `<invoke>` elements",
            Format::Gemma4 => "chat text of Gemma 4: `call:name{…}`",
            Format::Harmony => "Harmony, the chat text of gpt-oss: messages in channels",
            Format::ReAct => "ReAct: `Thought:`, `Action:`, `Observation:`",
            Format::ShareGpt => "ShareGPT: conversations with the calls of Hermes",
            Format::Atif => "ATIF of Harbor: steps with their calls and results",
            Format::Adp => "Agent Data Protocol: actions and observations",
            Format::OpenTelemetry => "OpenTelemetry spans of generative AI: the last chat of each trace",
            Format::SweAgent => "SWE-agent's `.traj`: texts to a shell",
            Format::Inspect => "Inspect: samples of an evaluation log, in JSON or in an `.eval` archive",
            Format::Verifiers => "verifiers: a graph of messages",
            Format::JsonSchema => "JSON Schema, as MCP lists tools: tools alone",
            Format::Python => "Python functions with annotations and docstrings: tools alone",
            Format::TypeScript => "a TypeScript namespace, as Harmony prints it: tools alone",
        }
    }

    /// What a document of it is.
    pub const fn document(self) -> Document {
        match self {
            Format::Mcp2025 | Format::Mcp2026 => Document::Lines,
            Format::Harmony | Format::ReAct | Format::Python | Format::TypeScript => Document::Text,
            _ if self.dialect().is_some() => Document::Text,
            _ => Document::Json,
        }
    }

    /// The dialect of chat text that this format is.
    const fn dialect(self) -> Option<&'static Dialect> {
        Some(match self {
            Format::Hermes => &dialects::HERMES,
            Format::QwenCoder => &dialects::QWEN_CODER,
            Format::Llama3 => &dialects::LLAMA3,
            Format::Llama4 => &dialects::LLAMA4,
            Format::MistralV3 => &dialects::MISTRAL_V3,
            Format::MistralV13 => &dialects::MISTRAL_V13,
            Format::DeepSeekV3 => &dialects::DEEPSEEK_V3,
            Format::DeepSeekV32 => &dialects::DEEPSEEK_V32,
            Format::Glm45 => &dialects::GLM45,
            Format::KimiK2 => &dialects::KIMI_K2,
            Format::MiniMaxM2 => &dialects::MINIMAX_M2,
            Format::Gemma4 => &dialects::GEMMA4,
            _ => return None,
        })
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
        if let Some(dialect) = self.dialect() {
            add(dialects::read(text, dialect)?);
            return Ok(all);
        }
        if self.document() == Document::Text {
            add(match self {
                Format::Harmony => harmony::read(text)?,
                Format::Python => signatures::read_python(text)?,
                Format::TypeScript => signatures::read_typescript(text)?,
                _ => react::read(text)?,
            });
            return Ok(all);
        }
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
                        self.read_json(document, At::Item(&at, j))?.into_iter().for_each(&mut add);
                    }
                }
                _ => self.read_json(value, at)?.into_iter().for_each(&mut add),
            }
        }
        Ok(all)
    }

    /// The keys of an object of which a document has at least one; none where documents are no objects.
    pub const fn document_keys(self) -> &'static [&'static str] {
        match self {
            Format::OpenAiResponses => &["input", "output"],
            Format::ShareGpt => &["conversations"],
            Format::Atif => &["steps"],
            Format::Adp => &["content"],
            Format::OpenTelemetry => &["resourceSpans"],
            Format::SweAgent => &["trajectory"],
            Format::Inspect => &["samples", "messages"],
            Format::Verifiers => &["nodes"],
            Format::JsonSchema => &["tools", "result"],
            Format::OpenAiChat | Format::Anthropic => &["messages"],
            _ => &[],
        }
    }

    /// Whether `node`, an item of a list, is a document of its own.
    fn is_document(self, node: &Node<'_>) -> bool {
        let array = matches!(node.kind, Kind::Array(_));
        array || self.document_keys().iter().any(|k| node.get(k).is_some()) && node.get("type").is_none()
    }

    fn read_json(self, node: &Node<'_>, at: At<'_>) -> Read<Vec<(Trace, Vec<Loss>)>> {
        Ok(vec![match self {
            Format::OpenAiChat => openai_chat::read(node, at)?,
            Format::OpenAiResponses => openai_responses::read(node, at)?,
            Format::Anthropic => anthropic::read(node, at)?,
            Format::ShareGpt => sharegpt::read(node, at)?,
            Format::Atif => atif::read(node, at)?,
            Format::Adp => adp::read(node, at)?,
            Format::OpenTelemetry => return otel::read(node, at),
            Format::SweAgent => swe_agent::read(node, at)?,
            Format::Inspect => return inspect::read(node, at),
            Format::Verifiers => verifiers::read(node, at)?,
            Format::JsonSchema => tool_list::read(node, at)?,
            _ => {
                let items = node.items(at)?;
                let messages: Vec<_> = items.iter().enumerate().map(|(i, v)| (v, At::Item(&at, i))).collect();
                mcp::read(&messages)?
            }
        }])
    }

    /// Whether a document holds a trace with [branches](Trace::branches).
    pub const fn holds_branches(self) -> bool {
        matches!(self, Format::Verifiers)
    }

    /// Writes one document. What the format cannot hold is in the report, which is the difference between
    /// `trace` and what the document is read back as. Of a trace with branches, a format that holds none gets the
    /// last.
    pub fn write(self, trace: &Trace) -> Converted<String> {
        if trace.is_branched()
            && !self.holds_branches()
            && let Some(last) = trace.branches().last()
        {
            let mut written = self.write(&last.trace);
            for loss in &mut written.losses {
                if let Place::Span(i) = &mut loss.place {
                    *i = last.numbers[*i];
                }
            }
            for i in (0..trace.spans.len()).filter(|i| last.numbers.binary_search(i).is_err()) {
                let what = "it stands in another branch".to_owned();
                written.losses.push(Loss { kind: LossKind::Dropped, place: Place::Span(i), what });
            }
            return written;
        }
        let dialect = self.dialect();
        let one_by_one = matches!(self, Format::ReAct | Format::SweAgent);
        if one_by_one || dialect.is_some_and(|d| !d.parallel) {
            let (one_by_one, order) = turns::sequential(trace);
            let mut written = self.write_as_is(&one_by_one, |i| order[i]);
            let mut now = vec![None; trace.spans.len()];
            order.iter().enumerate().for_each(|(to, &from)| now[from] = Some(to));
            let mut left_out = 0;
            for (i, to) in now.into_iter().enumerate() {
                let (kind, what) = match to {
                    None => {
                        left_out += 1;
                        (LossKind::Dropped, "it was not answered, and a call follows")
                    }
                    Some(to) if to + left_out == i => continue,
                    Some(_) => (LossKind::Parallel, "parallel calls are made one after the other"),
                };
                written.losses.push(Loss { kind, place: Place::Span(i), what: what.to_owned() });
            }
            return written;
        }
        self.write_as_is(trace, |i| i)
    }

    fn write_as_is(self, trace: &Trace, number: impl Fn(usize) -> usize) -> Converted<String> {
        let read = |value: &str| self.read(value).ok().and_then(|b| b.value.into_iter().next());
        let mut value = self.written(trace, None);
        let mut back = read(&value).unwrap_or_default();
        if self.holds_anything()
            && let Some(beside) = beside::of(trace, &back)
        {
            value = self.written(trace, Some(&beside));
            back = read(&value).unwrap_or_default();
        }
        let markers = self.markers();
        let losses = compare::losses(trace, &back, markers, &number);
        if !trace.spans.iter().any(|s| verbatim::said(s, self).is_some()) {
            return Converted { value, losses };
        }
        // What was kept to the letter is written only where nothing is lost by it, and nothing comes in.
        let mut usual = trace.clone();
        usual.spans.iter_mut().for_each(verbatim::forget);
        let usual = self.written(&usual, None);
        let usually = read(&usual).unwrap_or_default();
        let less = compare::losses(trace, &usually, markers, &number);
        let spans = trace.spans.len().max(usually.spans.len());
        match losses.len() > less.len() || back.spans.len() > spans {
            true => Converted { value: usual, losses: less },
            false => Converted { value, losses },
        }
    }

    /// What no text in it may spell.
    fn markers(self) -> &'static [&'static str] {
        match self {
            Format::Harmony => harmony::MARKERS,
            Format::ReAct => react::MARKERS,
            Format::ShareGpt => dialects::SHAREGPT.markers,
            _ => self.dialect().map_or(&[][..], |d| d.markers),
        }
    }

    /// Whether a document has a place for whatever its writer wants to say beside.
    const fn holds_anything(self) -> bool {
        matches!(self, Format::Atif | Format::Inspect | Format::OpenTelemetry | Format::Verifiers)
    }

    /// The text of a document, with what else is known of the spans.
    fn written(self, trace: &Trace, beside: Option<&str>) -> String {
        match self {
            Format::OpenAiChat => openai_chat::write(trace),
            Format::OpenAiResponses => openai_responses::write(trace),
            Format::Anthropic => anthropic::write(trace),
            Format::Mcp2025 => mcp::write(trace, Revision::Handshake),
            Format::Mcp2026 => mcp::write(trace, Revision::Stateless),
            Format::Harmony => harmony::write(trace),
            Format::ReAct => react::write(trace),
            Format::ShareGpt => sharegpt::write(trace),
            Format::Atif => atif::write(trace, beside),
            Format::Adp => adp::write(trace),
            Format::OpenTelemetry => otel::write(trace, beside),
            Format::SweAgent => swe_agent::write(trace),
            Format::Inspect => inspect::write(trace, beside),
            Format::Verifiers => verifiers::write(trace, beside),
            Format::JsonSchema => tool_list::write(trace),
            Format::Python => signatures::write_python(trace),
            Format::TypeScript => signatures::write_typescript(trace),
            _ => self.dialect().map_or(String::new(), |d| dialects::write(trace, d)),
        }
    }
}
