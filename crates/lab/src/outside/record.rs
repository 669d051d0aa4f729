//! Records: JSON objects, a line each, as trainers print them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Reads a line as a JSON object. `NaN`, `Infinity` and `-Infinity`, which Python writes, become text of that spelling.
///
/// # Errors
/// What the line is instead, to stand after "the line".
pub fn json_object(line: &[u8]) -> Result<Map<String, Value>, String> {
    let value = serde_json::from_slice(line).or_else(|e| match without_bare_words(line) {
        Some(line) => serde_json::from_slice(&line).map_err(|_| e),
        None => Err(e),
    });
    match value {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err("is JSON, but no object".into()),
        Err(e) => Err(format!("is no JSON: {e}")),
    }
}

/// The line with `NaN`, `Infinity` and `-Infinity` outside of strings put in quotes; `None` if there are none.
fn without_bare_words(line: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(line.len() + 8);
    let (mut quoted, mut changed, mut i) = (false, false, 0);
    while i < line.len() {
        let word = [&b"NaN"[..], b"-Infinity", b"Infinity"]
            .into_iter()
            .find(|w| !quoted && line[i..].starts_with(w));
        if let Some(word) = word {
            out.push(b'"');
            out.extend(word);
            out.push(b'"');
            i += word.len();
            changed = true;
            continue;
        }
        match line[i] {
            b'\\' if quoted && i + 1 < line.len() => {
                out.push(line[i]);
                i += 1;
            }
            b'"' => quoted = !quoted,
            _ => {}
        }
        out.push(line[i]);
        i += 1;
    }
    changed.then_some(out)
}

/// The numbers of an object by dotted name; those that are no finite number are `None`.
pub(super) fn numbers(object: &Map<String, Value>) -> BTreeMap<String, Option<f64>> {
    let mut out = BTreeMap::new();
    collect("", object, &mut out);
    out
}

fn collect(prefix: &str, object: &Map<String, Value>, out: &mut BTreeMap<String, Option<f64>>) {
    for (key, value) in object {
        let name = format!("{prefix}{key}");
        match value {
            Value::Object(inner) => collect(&format!("{name}."), inner, out),
            Value::Number(n) => drop(out.insert(name, n.as_f64())),
            Value::String(s) if ["NaN", "Infinity", "-Infinity"].contains(&s.as_str()) => {
                out.insert(name, None);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_by_dotted_name() {
        let line =
            br#"{"step": 5, "train": {"loss": NaN, "note": "NaN"}, "acc": 1e-3, "ok": true, "x\"NaN": 2}"#;
        let object = json_object(line).unwrap();
        let found = numbers(&object);
        assert_eq!(found["step"], Some(5.0));
        assert_eq!(found["train.loss"], None);
        assert_eq!(found["acc"], Some(0.001));
        assert_eq!(found["x\"NaN"], Some(2.0));
        assert_eq!(found.len(), 5);
        assert!(json_object(b"[1]").unwrap_err().contains("no object"));
        assert!(json_object(b"step 5").unwrap_err().contains("is no JSON"));
    }
}
