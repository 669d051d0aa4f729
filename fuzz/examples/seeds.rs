//! Writes the first inputs of every target: the examples of `docs/trace-language.md`, in every format.
//! Usage: `seeds FOLDER`

use std::{env, fs, io, path::Path};

use groundwork_trace::adapters::{Document, Format};
use groundwork_trace::{Tool, Trace};

const LANGUAGE: &str = include_str!("../../docs/trace-language.md");

fn main() -> io::Result<()> {
    let folder = env::args().nth(1).unwrap_or_else(|| "corpus".to_owned());
    let put = |target: &str, name: &str, bytes: &[u8]| {
        let folder = Path::new(&folder).join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)
    };
    for (i, block) in LANGUAGE.split("```trace").skip(1).enumerate() {
        let text = block.split_once('\n').map_or("", |(_, rest)| rest).split("```").next().unwrap_or("");
        put("language", &i.to_string(), text.as_bytes())?;
        put("stream", &i.to_string(), &[&[0, 6], text.as_bytes()].concat())?;
        for (j, trace) in Trace::parse_all(text).unwrap_or_default().iter().enumerate() {
            for (n, format) in Format::ALL.into_iter().enumerate() {
                let document = format.write(trace).value;
                let name = format!("{i}-{j}-{}", format.name());
                put("formats", &name, &[&[n as u8], document.as_bytes()].concat())?;
                // Alone, one a line, in a list, and over several lines: 0 is the trace language.
                let side = n as u8 + 1;
                for (k, file) in files(format, &document).iter().enumerate() {
                    put("stream", &format!("{name}-{k}"), &[&[side, 6], file.as_bytes()].concat())?;
                }
                put("across", &name, &[&[n as u8, (n + j + 1) as u8], document.as_bytes()].concat())?;
            }
            for tool in Tool::parse_all(&trace.spans[0].body).unwrap_or_default() {
                put("types", &tool.name, Tool::print_all(std::slice::from_ref(&tool)).as_bytes())?;
                let schema = tool.to_json_schema().map(|s| s.to_string()).unwrap_or_default();
                put("schemas", &tool.name, schema.as_bytes())?;
            }
        }
    }
    Ok(())
}

/// How a document of a format may lie in a file.
fn files(format: Format, document: &str) -> Vec<String> {
    match format.document() {
        Document::Text => {
            let line = serde_json::json!({"text": document}).to_string();
            vec![document.to_owned(), format!("{line}\n{line}\n")]
        }
        Document::Lines => {
            let messages = serde_json::Deserializer::from_str(document).into_iter::<serde_json::Value>();
            let messages: Vec<String> = messages.flatten().map(|m| m.to_string()).collect();
            let messages = messages.join(",\n");
            vec![
                document.to_owned(),
                format!("[{messages}]\n[{messages}]"),
                format!("[[{messages}],[{messages}]]"),
            ]
        }
        Document::Json => {
            let value: serde_json::Value = serde_json::from_str(document).unwrap_or_default();
            let pretty = format!("{value:#}");
            vec![
                format!("{document}\n{document}\n"),
                format!("[{document},\n{document}]"),
                format!("{pretty}\n{pretty}"),
            ]
        }
    }
}
