//! Recipes as the lab sees them: tables that are merged, resolved by somebody else, and hashed.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The content hash of a resolved recipe: 64 hexadecimal digits of blake3.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecipeHash(String);

impl RecipeHash {
    /// Hashes a table by content: the order of its keys and its layout in the file do not matter.
    ///
    /// The hash is blake3 over compact JSON with sorted keys.
    pub fn of(recipe: &toml::Table) -> RecipeHash {
        RecipeHash(hash_hex(&canonical_json(&table_to_json(recipe))))
    }

    /// A hash computed elsewhere.
    ///
    /// # Errors
    /// A sentence if `hex` has fewer than 8 or other than lower-case hexadecimal digits.
    pub fn from_hex(hex: &str) -> Result<RecipeHash, String> {
        if hex.len() >= 8 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(RecipeHash(hex.to_owned()))
        } else {
            Err(format!("`{hex}` is not a recipe hash: want at least 8 lower-case hexadecimal digits"))
        }
    }

    /// The first eight digits, as they stand in the names of folders.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl fmt::Display for RecipeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What the trainer makes of a recipe table.
#[derive(Clone, Debug, PartialEq)]
pub struct ResolvedRecipe {
    /// The table with every default written out, exactly as a run's `recipe.toml` will hold it.
    pub table: toml::Table,
    /// The content hash that names the run's folder.
    pub hash: RecipeHash,
    /// Parameters of the model.
    pub params: u64,
    /// Tokens it will be trained on.
    pub tokens: u64,
    /// Floating-point operations of training.
    pub flops: f64,
}

/// Lays `over` on `base`: tables merge key by key, everything else replaces.
pub fn merge(base: &mut toml::Table, over: &toml::Table) {
    for (key, value) in over {
        match (base.get_mut(key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(above)) => merge(below, above),
            _ => {
                base.insert(key.clone(), value.clone());
            }
        }
    }
}

pub(crate) fn table_to_json(table: &toml::Table) -> Value {
    Value::Object(table.iter().map(|(k, v)| (k.clone(), toml_to_json(v))).collect())
}

fn toml_to_json(value: &toml::Value) -> Value {
    match value {
        toml::Value::String(s) => Value::from(s.as_str()),
        toml::Value::Integer(i) => Value::from(*i),
        // JSON has no word for these; the text keeps them apart from each other and from null.
        toml::Value::Float(f) if !f.is_finite() => Value::from(format!("{f}")),
        toml::Value::Float(f) => Value::from(*f),
        toml::Value::Boolean(b) => Value::from(*b),
        toml::Value::Datetime(d) => Value::from(d.to_string()),
        toml::Value::Array(items) => Value::Array(items.iter().map(toml_to_json).collect()),
        toml::Value::Table(table) => table_to_json(table),
    }
}

/// Compact JSON with the keys of every object in byte order.
pub(crate) fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let fields: Vec<String> = keys
                .iter()
                .map(|k| format!("{}:{}", Value::from(k.as_str()), canonical_json(&map[*k])))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}

pub(crate) fn hash_hex(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> toml::Table {
        toml::from_str(text).expect("the test's own TOML")
    }

    #[test]
    fn merging_goes_into_tables_and_replaces_the_rest() {
        let mut base = table("a = 1\nlist = [1, 2]\n[t]\nx = 1\ny = 2\n");
        merge(&mut base, &table("list = [3]\n[t]\ny = 5\nz = 6\n[new]\nq = true\n"));
        assert_eq!(base, table("a = 1\nlist = [3]\n[t]\nx = 1\ny = 5\nz = 6\n[new]\nq = true\n"));
    }

    #[test]
    fn the_hash_sees_content_and_not_layout() {
        let one = RecipeHash::of(&table("a = 1\nb = { c = 2.0, d = 'x' }\n"));
        assert_eq!(one, RecipeHash::of(&table("[b]\nd = \"x\"\nc = 2.0\n").tap_insert("a", 1)));
        assert_ne!(one, RecipeHash::of(&table("a = 1\nb = { c = 2.5, d = 'x' }\n")));
        assert_ne!(RecipeHash::of(&table("a = 1")), RecipeHash::of(&table("a = 1.0")));
        assert_ne!(RecipeHash::of(&table("a = inf")), RecipeHash::of(&table("a = nan")));
        assert_eq!(one.short().len(), 8);
    }

    trait TapInsert {
        fn tap_insert(self, key: &str, value: i64) -> Self;
    }
    impl TapInsert for toml::Table {
        fn tap_insert(mut self, key: &str, value: i64) -> Self {
            self.insert(key.to_owned(), value.into());
            self
        }
    }

    #[test]
    fn a_bad_hash_is_refused() {
        assert!(RecipeHash::from_hex("0123abcd").is_ok());
        assert!(RecipeHash::from_hex("0123").is_err());
        assert!(RecipeHash::from_hex("0123ABCD").is_err());
    }
}
