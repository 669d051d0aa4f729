//! `groundwork trace grammar`

use std::path::Path;

use groundwork_grammar::{GrammarError, lark};
use groundwork_trace::Tool;
use groundwork_worlds::tool_set;

use super::{name, single};
use crate::failure::Failure;

pub fn run(tools: &Path) -> Result<(), Failure> {
    let grammar = lark(&declared(tools)?).map_err(|e| {
        let hint = match e {
            GrammarError::NothingToCall { .. } => {
                "\n  hint: the trace must declare its tools: `tools {…}`, or the name of a world's set; `groundwork trace check` says what \
                 is wrong with a declaration"
            }
            // It says itself what to ask for instead.
            _ => "",
        };
        Failure::input(format!("`{}`: {e}{hint}", name(tools)))
    })?;
    print!("{grammar}");
    Ok(())
}

/// The tools of a world, or those that a trace declares.
fn declared(place: &Path) -> Result<Vec<Tool>, Failure> {
    let world = place.to_str().filter(|_| !place.exists()).and_then(tool_set);
    if let Some(tools) = world {
        return Ok(tools.to_vec());
    }
    if place.extension().is_none() && !place.exists() && place.as_os_str() != "-" {
        let hint = super::known_tools(&name(place)).err().unwrap_or_default();
        return Err(Failure::input(format!(
            "there is no file and no world `{}`\n  hint: {hint}",
            place.display()
        )));
    }
    let trace = single(place)?;
    match trace.tool_set() {
        Some(set) => super::known_tools(&set).map_err(|hint| {
            Failure::input(format!("`{}`: there is no set of tools `{set}`\n  hint: {hint}", name(place)))
        }),
        None => Ok(trace.tools()),
    }
}
