//! Real text and code that is found wherever this program was built: the crates that cargo has downloaded.

use std::env;
use std::path::PathBuf;

use crate::CorpusError;

/// What a recipe writes for the registry.
pub(super) const NAME: &str = "cargo:registry";

/// The folder with the unpacked sources: `$CARGO_HOME/registry/src`, or the same under `~/.cargo`.
pub(super) fn find() -> Result<PathBuf, CorpusError> {
    let home = env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| env::home_dir().map(|h| h.join(".cargo"))).unwrap_or_default();
    let sources = home.join("registry").join("src");
    if sources.is_dir() {
        Ok(sources)
    } else {
        Err(CorpusError::Missing {
            path: sources,
            hint: "run `cargo fetch` in any Rust project, or set CARGO_HOME to the folder that cargo uses"
                .to_owned(),
        })
    }
}
