//! The content of a message: a string, or a list of parts.

use super::attach;
use super::builder::Builder;
use super::json::{At, Kind, Node};
use super::loss::{LossKind, Read};

/// What an agent's content says.
pub(crate) enum Part {
    Text(String),
    Thought(String),
}

/// The parts of `content` that are text. Others are losses.
pub(crate) fn parts(b: &mut Builder, content: Option<&Node<'_>>, at: At<'_>) -> Read<Vec<Part>> {
    let Some(node) = content else { return Ok(Vec::new()) };
    let items = match &node.kind {
        Kind::Array(items) => items,
        Kind::Object(_) => std::slice::from_ref(node),
        _ => return Ok(vec![Part::Text(node.text(at)?.into_owned())]),
    };
    // A text and what is attached to it is how it is written.
    let is_text = |n: &Node<'_>| n.get("type").is_some_and(|t| t.raw.ends_with("text\""));
    let usual = matches!(items, [text, attached @ ..]
        if is_text(text) && !attached.is_empty() && attached.iter().all(|a| attach::reference(a).is_some()));
    if !usual {
        b.lose_once(LossKind::Layout, || at.place(), "content in parts");
    }
    let mut parts = Vec::new();
    for (i, item) in items.iter().enumerate() {
        let at = At::Item(&at, i);
        if let Kind::Str = item.kind {
            parts.push(Part::Text(item.text(at)?.into_owned()));
            continue;
        }
        let mut fields = item.fields(at)?;
        let kind = fields.need_text("type", at)?;
        match &*kind {
            "text" | "input_text" | "output_text" => {
                parts.push(Part::Text(fields.need_text("text", at)?.into_owned()));
            }
            "refusal" => parts.push(Part::Text(fields.need_text("refusal", at)?.into_owned())),
            "thinking" => parts.push(Part::Thought(fields.need_text("thinking", at)?.into_owned())),
            other => {
                attached(b, item, other, at);
                continue;
            }
        }
        fields.rest(at, &mut b.losses);
    }
    Ok(parts)
}

/// Keeps what a part refers to; one that refers to nothing is a loss.
pub(crate) fn attached(b: &mut Builder, part: &Node<'_>, kind: &str, at: At<'_>) {
    match attach::reference(part) {
        Some((reference, more)) => {
            b.attach(reference);
            if more {
                b.lose_once(LossKind::Metadata, || at.place(), "what is said of an attachment");
            }
        }
        None => b.lose(LossKind::Attachment, at.place(), format!("a part of type `{kind}`")),
    }
}

/// All text of `content`, run together; none where there is no content at all.
pub(crate) fn text(b: &mut Builder, content: Option<&Node<'_>>, at: At<'_>) -> Read<Option<String>> {
    if content.is_none() {
        return Ok(None);
    }
    let mut all = String::new();
    for part in parts(b, content, at)? {
        match part {
            Part::Text(text) | Part::Thought(text) => all.push_str(&text),
        }
    }
    Ok(Some(all))
}
