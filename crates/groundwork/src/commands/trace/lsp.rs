//! `groundwork trace lsp`

use std::io;

use groundwork_bridge::{KnownTools, LanguageServer};
use groundwork_trace::Tool;
use groundwork_worlds::{tool_set, world_names};

use crate::failure::Failure;

pub fn run() -> Result<(), Failure> {
    let known = KnownTools {
        names: world_names().iter().map(ToString::to_string).collect(),
        tools: |name| tool_set(name).map(<[Tool]>::to_vec),
    };
    match LanguageServer::new(known).serve(io::stdin().lock(), io::stdout().lock()) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Failure::work("the editor is gone without `shutdown`")),
        Err(e) => Err(Failure::work(format!(
            "the editor cannot be spoken to: {e}\n  hint: this command is started by an editor, see `docs/trace-tools.md`"
        ))),
    }
}
