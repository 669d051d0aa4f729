//! Which bytes of an observation are the world's own.

use std::ops::Range;

use groundwork_trace::Value;

/// The byte ranges in `body`, the canonical print of `value`, of everything but punctuation: the insides of
/// strings and the numbers.
pub(crate) fn own_ranges(value: &Value, body: &str) -> Vec<Range<usize>> {
    let mut ranges = Vec::new();
    let mut at = 0;
    collect(value, body, &mut at, &mut ranges);
    ranges
}

/// Finds `text` in `body` from `at` on; leaves are printed in order, so the first find is the right one.
fn locate(text: &str, body: &str, at: &mut usize, ranges: &mut Vec<Range<usize>>) {
    if text.is_empty() {
        return;
    }
    if let Some(i) = body[*at..].find(text) {
        let start = *at + i;
        *at = start + text.len();
        ranges.push(start..*at);
    }
}

fn collect(value: &Value, body: &str, at: &mut usize, ranges: &mut Vec<Range<usize>>) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(n) => locate(n.as_str(), body, at, ranges),
        Value::Str(s) if s.bytes().all(|b| b >= b' ' && b != b'"' && b != b'\\') => {
            locate(s, body, at, ranges)
        }
        // With its escapes, without its quotes.
        Value::Str(_) => {
            let printed = value.to_string();
            locate(printed.get(1..printed.len() - 1).unwrap_or_default(), body, at, ranges);
        }
        Value::List(items) => items.iter().for_each(|v| collect(v, body, at, ranges)),
        Value::Record(fields) => {
            for (key, v) in fields {
                // The names of fields stand in the declarations.
                *at += body[*at..].find(key.as_str()).map_or(0, |i| i + key.len());
                collect(v, body, at, ranges);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_leaves_only() {
        let value = Value::Record(vec![(
            "old".into(),
            Value::List(vec![Value::str("bada"), Value::int(7), Value::str("a/b")]),
        )]);
        let body = value.to_string();
        let marked: Vec<&str> = own_ranges(&value, &body).into_iter().map(|r| &body[r]).collect();
        assert_eq!(marked, ["bada", "7", "a/b"]);
    }
}
