//! The arguments of a call in formats that want a JSON object where a model may have said anything.

use super::builder::Builder;
use super::json::{self, At, Kind, Node, quoted};
use super::loss::{LossKind, Read};
use super::openai_chat;
use super::spelling::{COMPACT, Said, said};

/// The key under which such a format holds what is no object.
const INVALID: &str = "INVALID_JSON";

/// The tool of an action and its arguments as an object.
pub(crate) fn object(body: &str) -> (String, String) {
    let invalid = |text: &str| format!("{{\"{INVALID}\":{}}}", quoted(text));
    match said(body, COMPACT) {
        Said::Call { tool, arguments, whole: true } => (tool, arguments),
        Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => (tool, invalid(&arguments)),
        Said::Raw(text) => (String::new(), invalid(&text)),
    }
}

/// Reads what [`object`] wrote; `at` is the place of the arguments.
pub(crate) fn call(
    b: &mut Builder,
    tool: &str,
    arguments: &Node<'_>,
    id: Option<&str>,
    at: At<'_>,
) -> Read<()> {
    match &arguments.kind {
        Kind::Object(fields) => match fields.as_slice() {
            [(INVALID, text)] if matches!(text.kind, Kind::Str) => {
                let place = At::Key(&at, INVALID);
                let text = text.text(place)?;
                let objects = json::parse_all(&text).unwrap_or_default();
                if let [Node { kind: Kind::Object(_), .. }] = objects.as_slice() {
                    b.lose_once(LossKind::Layout, || place.place(), "an object that is called invalid");
                }
                openai_chat::call(b, tool, &text, id, at)
            }
            _ => b.call(tool, arguments.raw, id, at.place()),
        },
        // As a text, which is what they were before somebody parsed them.
        Kind::Str => openai_chat::call(b, tool, &arguments.text(at)?, id, at),
        _ => {
            b.lose_once(LossKind::Layout, || at.place(), "arguments that are no object");
            b.call(tool, arguments.raw, id, at.place())
        }
    }
}
