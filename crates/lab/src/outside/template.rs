//! Arguments with placeholders: `--lr={optimizer.lr}`.

use std::path::Path;

use crate::bet::CellSpec;
use crate::bet::nominal_params;
use crate::locate::did_you_mean;

use super::Trainer;

/// What the placeholders of one run stand for.
pub(crate) struct Values<'a> {
    pub(crate) recipe: &'a toml::Table,
    pub(crate) arm: &'a str,
    pub(crate) size: &'a str,
    pub(crate) seed: u64,
    pub(crate) name: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) recipe_file: &'a Path,
    pub(crate) threads: usize,
    pub(crate) slot: usize,
}

impl<'a> Values<'a> {
    /// The values of a run that is not planned yet, to check templates with.
    pub(crate) fn of(cell: &'a CellSpec, arm: &'a str) -> Values<'a> {
        let nowhere = Path::new("");
        Values {
            recipe: &cell.recipe,
            arm,
            size: &cell.size,
            seed: cell.seed,
            name: "",
            folder: nowhere,
            recipe_file: nowhere,
            threads: 1,
            slot: 0,
        }
    }

    /// The text with every `{name}` replaced; `{{` and `}}` are braces.
    ///
    /// # Errors
    /// A sentence about the first placeholder that stands for nothing, or a brace without its partner.
    pub(crate) fn fill(&self, text: &str) -> Result<String, String> {
        let mut out = String::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            out += &rest[..at];
            let (brace, after) = rest[at..].split_at(1);
            if after.starts_with(brace) {
                out += brace;
                rest = &after[1..];
                continue;
            }
            let end = after.find('}').filter(|_| brace == "{").ok_or_else(|| {
                format!(
                    "`{text}` has a brace without its partner; write {{{{ or }}}} for the character itself"
                )
            })?;
            out += &self.value(&after[..end], text)?;
            rest = &after[end + 1..];
        }
        Ok(out + rest)
    }

    fn value(&self, name: &str, text: &str) -> Result<String, String> {
        let path = |p: &Path| p.display().to_string();
        Ok(match name {
            "folder" => path(self.folder),
            "recipe" => path(self.recipe_file),
            "arm" => self.arm.to_owned(),
            "size" => self.size.to_owned(),
            "seed" => self.seed.to_string(),
            "name" => self.name.to_owned(),
            "threads" => self.threads.to_string(),
            "slot" => self.slot.to_string(),
            "params" => match self.recipe.get("params") {
                Some(value) => plain(value),
                None => format!("{:.0}", nominal_params(self.size).unwrap_or_default()),
            },
            _ => {
                let mut parts = name.split('.');
                let first = parts.next().and_then(|key| self.recipe.get(key));
                let found = parts.fold(first, |value, key| value.and_then(|v| v.get(key)));
                plain(found.ok_or_else(|| {
                    let mut known: Vec<String> = Trainer::PLACEHOLDERS.map(str::to_owned).to_vec();
                    fields("", self.recipe, &mut known);
                    let hint = did_you_mean(name, known.iter().map(String::as_str));
                    format!("`{text}`: there is no `{name}` in the recipe of this run{hint}")
                })?)
            }
        })
    }
}

/// A value as an argument: text without quotes, lists and tables as JSON.
fn plain(value: &toml::Value) -> String {
    match value {
        toml::Value::String(s) => s.clone(),
        toml::Value::Array(_) | toml::Value::Table(_) => {
            serde_json::to_string(value).unwrap_or_else(|_| value.to_string())
        }
        _ => value.to_string(),
    }
}

fn fields(prefix: &str, table: &toml::Table, into: &mut Vec<String>) {
    for (key, value) in table {
        match value {
            toml::Value::Table(inner) => fields(&format!("{prefix}{key}."), inner, into),
            _ => into.push(format!("{prefix}{key}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bet::Arm;

    fn fill(text: &str) -> Result<String, String> {
        let recipe = toml::from_str(
            "tokens = 5_000\nlist = [1, 2]\nway = 'a b'\n[optimizer]\nlr = 1e-3\nnesterov = true\n",
        )
        .unwrap();
        let cell = CellSpec { arm: Arm::Candidate, size: "4K".into(), seed: 7, recipe };
        let values =
            Values { folder: Path::new("runs/x"), threads: 2, slot: 1, ..Values::of(&cell, "candidate") };
        values.fill(text)
    }

    #[test]
    fn placeholders_stand_for_the_run_and_its_recipe() {
        assert_eq!(fill("--lr={optimizer.lr}").unwrap(), "--lr=0.001");
        assert_eq!(fill("{tokens} {optimizer.nesterov} {way} {list}").unwrap(), "5000 true a b [1,2]");
        assert_eq!(
            fill("{arm} {size} {seed} {params} {folder}/x {threads} {slot}").unwrap(),
            "candidate 4K 7 4000 runs/x/x 2 1"
        );
        assert_eq!(fill("{{seed}} and {{{seed}}}").unwrap(), "{seed} and {7}");
        assert_eq!(fill("none").unwrap(), "none");
    }

    #[test]
    fn what_stands_for_nothing_is_named() {
        let e = fill("--lr={optimizer.lrr}").unwrap_err();
        assert!(e.contains("no `optimizer.lrr`") && e.ends_with("did you mean `optimizer.lr`?"), "{e}");
        for wrong in ["{seed", "seed}", "a{b{c}"] {
            assert!(fill(wrong).is_err(), "{wrong}");
        }
        assert!(fill("{seed").unwrap_err().contains("without its partner"));
    }
}
