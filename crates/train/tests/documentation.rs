//! The recipes of the documentation and of `recipes/` are recipes.

use std::fs;
use std::path::Path;

use groundwork_train::Recipe;
use toml::{Table, Value};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The fenced blocks of `docs/recipes.md`: the line of the fence, the words after it, and the text.
fn blocks() -> Vec<(usize, String, String)> {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/recipes.md")).unwrap();
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
        let mut table: Table = if words == "toml recipe" { "" } else { complete }.parse().unwrap();
        merge(&mut table, text.parse().unwrap_or_else(|e| panic!("{from}: {e}")));
        Recipe::from_table(&table, &from).unwrap().resolve().unwrap_or_else(|e| panic!("{from}: {e}"));
    }
}

#[test]
fn recipes_of_the_folder_resolve() {
    for file in fs::read_dir(Path::new(ROOT).join("recipes")).unwrap() {
        let path = file.unwrap().path();
        Recipe::read(&path).unwrap().resolve().unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }
}
