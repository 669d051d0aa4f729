//! Attachments by reference: where the images and files lie that a message shows, in the metadata `attach`.

use super::json::{At, Kind, Node, quoted};
use super::output::Output;
use crate::{Span, Trace, Value};

/// What is inside a message is kept as a `data:` reference up to this length; more is for a file.
const LONGEST: usize = 4096;

/// Keys of a part that say where its content is.
const PLACES: [&str; 14] = [
    "type",
    "image_url",
    "file_url",
    "file_data",
    "file",
    "input_audio",
    "source",
    "uri",
    "resource",
    "data",
    "mimeType",
    "image",
    "document",
    "video",
];

/// Where MCP wants a name for bytes that have none.
const NAMELESS: &str = "attachment:";

/// What a part of a message refers to, and whether it says more about it than where it is.
pub(crate) fn reference(part: &Node<'_>) -> Option<(String, bool)> {
    let text = |node: &Node<'_>| node.text(At::Root).ok().map(|t| t.into_owned());
    let kind = text(part.get("type")?)?;
    let inline = |media: Option<&Node<'_>>, data: Option<&Node<'_>>| {
        Some(format!("data:{};base64,{}", text(media?)?, text(data?)?))
    };
    let (found, inner) = match kind.as_str() {
        "image_url" | "input_image" => {
            let node = part.get("image_url")?;
            match node.get("url") {
                Some(url) => (text(url)?, keys(node) > 1),
                None => (text(node)?, false),
            }
        }
        "input_file" => (text(part.get("file_url").or_else(|| part.get("file_data"))?)?, false),
        "file" => {
            let file = part.get("file")?;
            (text(file.get("file_data")?)?, keys(file) > 1)
        }
        "input_audio" => {
            let audio = part.get("input_audio")?;
            let (data, format) = (text(audio.get("data")?)?, text(audio.get("format")?)?);
            (format!("data:audio/{format};base64,{data}"), keys(audio) > 2)
        }
        // Bytes; what is text has no place in a reference.
        "resource" => {
            let resource = part.get("resource")?;
            let named = resource.get("uri").is_some_and(|uri| uri.raw != quoted(NAMELESS));
            (inline(resource.get("mimeType"), resource.get("blob"))?, named || keys(resource) > 3)
        }
        "resource_link" => (text(part.get("uri")?)?, false),
        "image" | "document" | "audio" | "video" => match (part.get("source"), part.get(&kind)) {
            (Some(source), _) => match source.get("url").or_else(|| source.get("path")) {
                // Its sort and the type of its content follow from the name.
                Some(url) => (text(url)?, false),
                None => (inline(source.get("media_type"), source.get("data"))?, false),
            },
            (None, Some(place)) => (text(place)?, false),
            (None, None) => (inline(part.get("mimeType"), part.get("data"))?, false),
        },
        _ => return None,
    };
    if found.starts_with("data:") && found.len() > LONGEST {
        return None;
    }
    let more = match &part.kind {
        Kind::Object(fields) => fields.iter().any(|(key, value)| {
            let ours = PLACES.contains(key) || *key == kind || value.is_null();
            !(ours || *key == "name" && value.raw == quoted(name(&found)))
        }),
        _ => false,
    };
    Some((found, more || inner))
}

fn keys(node: &Node<'_>) -> usize {
    match &node.kind {
        Kind::Object(fields) => fields.iter().filter(|(_, v)| !v.is_null()).count(),
        _ => 0,
    }
}

/// The last part of a reference.
fn name(reference: &str) -> &str {
    reference.rsplit('/').find(|part| !part.is_empty()).unwrap_or(reference)
}

/// What an attachment is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    Image,
    Audio,
    Video,
    Document,
}

impl Sort {
    /// What `reference` leads to, by its ending; without one that is known, an image.
    pub(crate) fn of(reference: &str) -> Sort {
        let media = |sort: &str| reference.strip_prefix("data:").is_some_and(|m| m.starts_with(sort));
        let path = reference.split(['?', '#']).next().unwrap_or_default();
        let ending = name(path).rsplit_once('.').map_or("", |(_, ending)| ending).to_ascii_lowercase();
        match ending.as_str() {
            _ if media("audio/") => Sort::Audio,
            _ if media("video/") => Sort::Video,
            _ if media("text/") || media("application/") => Sort::Document,
            _ if reference.starts_with("data:") => Sort::Image,
            "mp3" | "wav" | "ogg" | "flac" | "m4a" => Sort::Audio,
            "mp4" | "mov" | "webm" | "mkv" | "avi" => Sort::Video,
            "pdf" | "txt" | "md" | "csv" | "json" | "html" | "doc" | "docx" | "xls" | "xlsx" | "zip" => {
                Sort::Document
            }
            _ => Sort::Image,
        }
    }
}

/// How a format writes its parts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    OpenAi,
    Responses,
    Anthropic,
    Mcp,
    Inspect,
    Atif,
}

/// The spans of a trace that have attachments.
pub(crate) struct Attached<'a>(Vec<&'a Span>);

impl<'a> Attached<'a> {
    pub(crate) fn of(trace: &'a Trace) -> Self {
        Attached(trace.spans.iter().filter(|s| s.meta("attach").is_some() && !s.body.is_empty()).collect())
    }

    /// What the span is attached to that says `body`, which is its text and no copy of it.
    fn to(&self, body: &str, style: Style) -> Vec<&'a str> {
        let span = self.0.iter().find(|s| std::ptr::eq(s.body.as_bytes(), body.as_bytes()));
        let Some(Value::List(all)) = span.and_then(|s| s.meta("attach")) else { return Vec::new() };
        let holds = |reference: &&str| match (style, Sort::of(reference)) {
            (Style::OpenAi, Sort::Audio | Sort::Document) => inline(reference).is_some(),
            (Style::OpenAi | Style::Atif, sort) => sort == Sort::Image,
            (Style::Anthropic, sort) => matches!(sort, Sort::Image | Sort::Document),
            _ => true,
        };
        all.iter().filter_map(Value::as_str).filter(holds).collect()
    }

    /// The content of a message that shows `text`, which is `body` or made of it: a string, or parts where something
    /// is attached.
    pub(crate) fn content(&self, body: &str, text: &str, style: Style) -> String {
        let mut out = Output::default();
        let attached = self.to(body, style);
        if attached.is_empty() && style != Style::Mcp {
            out.text(text);
            return out.finish();
        }
        out.open('[').open('{').key("type").text(match style {
            Style::Responses => "input_text",
            _ => "text",
        });
        out.key("text").text(text).close('}');
        for reference in attached {
            write(&mut out, reference, style);
        }
        out.close(']');
        out.finish()
    }
}

/// The type of the content of a reference that holds it, and the content in base64.
fn inline(reference: &str) -> Option<(&str, &str)> {
    reference.strip_prefix("data:")?.split_once(";base64,")
}

fn write(out: &mut Output, reference: &str, style: Style) {
    let (sort, bytes) = (Sort::of(reference), inline(reference));
    out.open('{').key("type");
    match style {
        Style::OpenAi if let (Sort::Audio, Some((media, data))) = (sort, bytes) => {
            out.text("input_audio").key("input_audio").open('{').key("data").text(data);
            out.key("format").text(media.trim_start_matches("audio/")).close('}');
        }
        Style::OpenAi if sort == Sort::Document => {
            out.text("file").key("file").open('{').key("file_data").text(reference).close('}');
        }
        Style::OpenAi => {
            out.text("image_url").key("image_url").open('{').key("url").text(reference).close('}');
        }
        Style::Responses if sort == Sort::Image => {
            out.text("input_image").key("image_url").text(reference);
        }
        Style::Responses => {
            let key = if bytes.is_some() { "file_data" } else { "file_url" };
            out.text("input_file").key(key).text(reference);
        }
        Style::Mcp if let Some((media, data)) = bytes => match sort {
            Sort::Image | Sort::Audio => {
                out.text(if sort == Sort::Image { "image" } else { "audio" });
                out.key("data").text(data).key("mimeType").text(media);
            }
            _ => {
                out.text("resource").key("resource").open('{').key("uri").text(NAMELESS);
                out.key("mimeType").text(media).key("blob").text(data).close('}');
            }
        },
        Style::Mcp => {
            out.text("resource_link").key("uri").text(reference).key("name").text(name(reference));
        }
        Style::Inspect => {
            let kind = match sort {
                Sort::Image => "image",
                Sort::Audio => "audio",
                Sort::Video => "video",
                Sort::Document => "document",
            };
            out.text(kind).key(kind).text(reference);
        }
        Style::Anthropic => {
            out.text(if sort == Sort::Image { "image" } else { "document" }).key("source").open('{');
            match bytes {
                Some((media, data)) => {
                    out.key("type").text("base64").key("media_type").text(media).key("data").text(data)
                }
                None => out.key("type").text("url").key("url").text(reference),
            };
            out.close('}');
        }
        Style::Atif => {
            let ending = name(reference).rsplit_once('.').map_or("png", |(_, ending)| ending);
            let media = match ending {
                "jpg" | "jpeg" => "image/jpeg".to_owned(),
                ending if ending.bytes().all(|b| b.is_ascii_alphanumeric()) => format!("image/{ending}"),
                _ => "image/png".to_owned(),
            };
            out.text("image").key("source").open('{').key("media_type").text(&media);
            out.key("path").text(reference).close('}');
        }
    }
    out.close('}');
}
