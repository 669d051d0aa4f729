//! The recipes of the documentation and of `recipes/` are recipes.

use std::fs;
use std::path::{Path, PathBuf};

use groundwork_train::{Recipe, from_toml};
use toml::{Table, Value};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The fenced blocks of `docs/recipes.md`: the line of the fence, the words after it, and the text.
fn blocks() -> Vec<(usize, String, String)> {
    let page = fs::read_to_string(root().join("docs/recipes.md")).unwrap();
    let mut blocks: Vec<(usize, String, String)> = Vec::new();
    let mut open = false;
    for (i, line) in page.split_inclusive('\n').enumerate() {
        if let Some(words) = line.strip_prefix("```") {
            open = !open;
            if open {
                blocks.push((i + 1, words.trim().to_owned(), String::new()));
            }
        } else if open {
            blocks.last_mut().unwrap().2.push_str(line);
        }
    }
    assert!(!open, "a block of docs/recipes.md is never closed");
    blocks
}

/// Lays `over` on `base`: tables merge key by key, everything else replaces.
fn merge(base: &mut Table, over: Table) {
    for (key, value) in over {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above),
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

#[test]
fn recipes_and_fragments_of_the_reference_resolve() {
    let blocks = blocks();
    let (_, _, complete) = blocks.iter().find(|(_, words, _)| words == "toml recipe").unwrap();
    for (line, words, text) in blocks.iter().filter(|(_, words, _)| words.starts_with("toml")) {
        let from = format!("docs/recipes.md, block at line {line}");
        let base = if words == "toml recipe" { "" } else { complete };
        let mut table: Table = from_toml(base, &from, "").unwrap();
        merge(&mut table, from_toml(text, &from, "").unwrap());
        Recipe::from_table(&table, &from).unwrap().resolve().unwrap_or_else(|e| panic!("{from}: {e}"));
    }
}

#[test]
fn recipes_of_the_folder_resolve() {
    let files = fs::read_dir(root().join("recipes")).unwrap().map(|entry| entry.unwrap().path());
    assert!(files.map(|path| Recipe::read(&path).unwrap().resolve().unwrap()).count() > 0);
}
