//! JSON lines: an object a line, its nested objects' fields joined by dots.

use std::path::Path;

use groundwork_lab::json_object;
use serde_json::Value;

use crate::table::{Cell, Row, Table};
use crate::{Findings, HistoryError};

/// Reads an object a line. Lists are left out; `NaN` and `Infinity`, which Python writes, are read.
pub(crate) fn read(
    path: &Path,
    source: &str,
    bytes: &[u8],
    findings: &mut Findings,
) -> Result<Table, HistoryError> {
    let mut table = Table::new(source, "line");
    let mut wrong = 0;
    let mut first = String::new();
    let lines: Vec<&[u8]> = bytes.split(|b| *b == b'\n').collect();
    for (i, line) in lines.iter().enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let mut row = Row { number: i as u64 + 1, cells: Vec::new() };
        match json_object(line) {
            Ok(fields) => {
                flatten(&mut table, &mut row, "", fields);
                table.rows.push(row);
            }
            Err(why) => {
                wrong += 1;
                if first.is_empty() {
                    first = format!("line {} {why}", row.number);
                }
                // A writer that was killed leaves half a line at the end.
                let what = if i + 1 == lines.len() {
                    "the last line breaks off"
                } else {
                    "a line is no JSON object"
                };
                findings.note(source, table.place(&row), what, "it is left out");
            }
        }
    }
    if table.rows.is_empty() && wrong > 0 {
        let hint = "every line must be an object, such as {\"step\": 10, \"loss\": 2.5}";
        return Err(HistoryError::malformed(path, format!("holds no JSON lines: {first}"), hint));
    }
    Ok(table)
}

/// Puts the fields of an object into a row, those of objects in it under `outer.inner`.
pub(crate) fn flatten(
    table: &mut Table,
    row: &mut Row,
    prefix: &str,
    fields: serde_json::Map<String, Value>,
) {
    for (key, value) in fields {
        let name = if prefix.is_empty() { key } else { format!("{prefix}.{key}") };
        let cell = match value {
            Value::Object(inner) => {
                flatten(table, row, &name, inner);
                continue;
            }
            Value::Array(_) => continue,
            Value::Null => Cell::Missing,
            Value::Bool(b) => Cell::Text(b.to_string()),
            Value::Number(n) => n.as_f64().map_or(Cell::Missing, Cell::Number),
            Value::String(s) => Cell::of_text(&s),
        };
        let column = table.column_or_new(&name);
        row.set(column, cell);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> Result<(Table, Vec<String>), String> {
        let mut findings = Findings::default();
        let table = read(Path::new("r.jsonl"), "r.jsonl", text.as_bytes(), &mut findings)
            .map_err(|e| e.to_string())?;
        Ok((table, findings.list().iter().map(ToString::to_string).collect()))
    }

    #[test]
    fn nested_fields_are_columns_and_columns_may_come_late() {
        let (t, _) =
            table("{\"step\":1,\"m\":{\"loss\":2.5}}\n\n{\"step\":2,\"m\":{\"acc\":1},\"x\":[1]}\n").unwrap();
        assert_eq!(t.names(), ["step", "m.loss", "m.acc"]);
        assert_eq!(t.rows[1].cell(1), &Cell::Missing);
        assert_eq!((t.rows[1].cell(2).number(), t.rows[1].number), (Some(1.0), 3));
    }

    #[test]
    fn what_python_writes_for_not_a_number_is_read() {
        let (t, findings) = table("{\"loss\": NaN, \"NaN \\\" x\": -Infinity}\n").unwrap();
        assert!(findings.is_empty() && t.rows[0].cell(0).number().unwrap().is_nan());
        assert_eq!(t.rows[0].cell(t.column("NaN \" x").unwrap()).number(), Some(f64::NEG_INFINITY));
    }

    #[test]
    fn half_a_line_at_the_end_is_named() {
        let (t, findings) = table("{\"a\":1}\n{\"a\":").unwrap();
        assert_eq!(t.rows.len(), 1);
        assert_eq!(findings, ["r.jsonl:2: the last line breaks off; it is left out"]);
        assert!(table("a,b\n1,2\n").unwrap_err().contains("holds no JSON lines: line 1 is no JSON"));
    }
}
