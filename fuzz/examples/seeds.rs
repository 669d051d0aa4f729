//! Writes the first inputs of every target: the examples of `docs/trace-language.md`, in every format.
//! Usage: `seeds FOLDER`

use std::{env, fs, io, path::Path};

use groundwork_trace::adapters::Format;
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
        for (j, trace) in Trace::parse_all(text).unwrap_or_default().iter().enumerate() {
            for (n, format) in Format::ALL.into_iter().enumerate() {
                let document = format.write(trace).value;
                let name = format!("{i}-{j}-{}", format.name());
                put("formats", &name, &[&[n as u8], document.as_bytes()].concat())?;
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
