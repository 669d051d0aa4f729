//! Comma-separated values, with a header line.

use std::path::Path;

use crate::table::{Cell, Row, Table};
use crate::{Findings, HistoryError};

/// Reads comma-, semicolon- or tab-separated values (RFC 4180); the header line says which.
pub(crate) fn read(
    path: &Path,
    source: &str,
    bytes: &[u8],
    findings: &mut Findings,
) -> Result<Table, HistoryError> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let header_end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
    let mut lines = Lines { rest: bytes, delimiter: delimiter(&bytes[..header_end]), line: 1, open: None };
    let mut table = Table::new(source, "line");
    let (_, headers) = lines.next().ok_or_else(|| broken(path, "it is empty"))?;
    if headers.iter().all(|name| name.trim().is_empty()) {
        return Err(broken(path, "its first line is empty"));
    }
    for (i, name) in headers.iter().enumerate() {
        // A column without a name is the index that data frames write.
        let name = if name.trim().is_empty() { format!("column {}", i + 1) } else { name.trim().to_owned() };
        if table.column(&name).is_some() {
            return Err(broken(path, &format!("its header has `{name}` twice")));
        }
        table.column_or_new(&name);
    }
    let columns = table.names().len();
    for (number, fields) in lines.by_ref() {
        if fields.len() == 1 && fields[0].trim().is_empty() && columns > 1 {
            continue;
        }
        let row = Row { number, cells: fields.iter().map(|field| Cell::of_text(field)).collect() };
        let found = row.cells.len();
        if found > columns {
            let what = "a line has more cells than the header has columns";
            findings.note(source, table.place(&row), what, "it is left out");
            continue;
        }
        if found < columns {
            let what = "a line has fewer cells than the header has columns";
            findings.note(source, table.place(&row), what, "the others count as empty");
        }
        table.rows.push(row);
    }
    if let Some(line) = lines.open {
        let what = "a quote is not closed before the file ends";
        findings.note(source, format!("{source}:{line}"), what, "everything behind it is one cell");
    }
    Ok(table)
}

/// The records of a file, each with the number of its first line.
struct Lines<'a> {
    rest: &'a [u8],
    delimiter: u8,
    line: u64,
    /// The line of a quote that was not closed.
    open: Option<u64>,
}

impl Iterator for Lines<'_> {
    type Item = (u64, Vec<String>);

    fn next(&mut self) -> Option<(u64, Vec<String>)> {
        if self.rest.is_empty() {
            return None;
        }
        let (first, mut fields, mut field) = (self.line, Vec::new(), Vec::new());
        let mut quote: Option<u64> = None;
        let mut at = 0;
        while let Some(byte) = self.rest.get(at).copied() {
            at += 1;
            self.line += u64::from(byte == b'\n');
            match (byte, quote) {
                (b'"', Some(_)) if self.rest.get(at) == Some(&b'"') => {
                    field.push(b'"');
                    at += 1;
                }
                (b'"', Some(_)) => quote = None,
                (_, Some(_)) => field.push(byte),
                // A quote opens a cell only at its start; elsewhere it is an inch.
                (b'"', None) if field.is_empty() => quote = Some(self.line),
                (b'\n', None) => break,
                (b, None) if b == self.delimiter => fields.push(text(&mut field)),
                (_, None) => field.push(byte),
            }
        }
        self.rest = &self.rest[at..];
        self.open = quote;
        if field.last() == Some(&b'\r') && quote.is_none() {
            field.pop();
        }
        fields.push(text(&mut field));
        Some((first, fields))
    }
}

fn text(field: &mut Vec<u8>) -> String {
    String::from_utf8_lossy(&std::mem::take(field)).into_owned()
}

fn delimiter(header: &[u8]) -> u8 {
    let count = |d: u8| header.iter().filter(|b| **b == d).count();
    [b',', b'\t', b';'].into_iter().max_by_key(|d| (count(*d), *d == b',')).unwrap_or(b',')
}

fn broken(path: &Path, message: &str) -> HistoryError {
    HistoryError::malformed(
        path,
        format!("is no table of comma-separated values: {message}"),
        "the first line names the columns, each once; every other line is a row",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(text: &str) -> (Table, Vec<String>) {
        let mut findings = Findings::default();
        let table = read(Path::new("r.csv"), "r.csv", text.as_bytes(), &mut findings).unwrap();
        (table, findings.list().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn quotes_delimiters_and_byte_order_marks_are_understood() {
        let (t, findings) = table("\u{feff}arm;\"loss; all\"\nbase;3,5\n\"a \"\"b\"\"\";2.5\n");
        assert_eq!(t.names(), ["arm", "loss; all"]);
        assert_eq!(t.rows[1].cells[0], Cell::Text("a \"b\"".into()));
        assert_eq!(t.rows[1].number, 3);
        assert!(findings.is_empty());
        assert_eq!(table("a\tb\n1\t2\r\n").0.rows[0].cells[1].number(), Some(2.0));
    }

    #[test]
    fn cells_may_hold_line_ends_and_a_quote_that_stays_open_is_named() {
        let (t, _) = table("a,b\n\"x\ny\",2\n\nz\",3\r\n");
        assert_eq!(t.rows.iter().map(|r| r.number).collect::<Vec<_>>(), [2, 5]);
        assert_eq!(t.rows[0].cells[0], Cell::Text("x\ny".into()));
        assert_eq!(t.rows[1].cells, [Cell::Text("z\"".into()), Cell::Text("3".into())]);
        let (_, findings) = table("a,b\n1,2\n\"3,4\n5,6\n");
        assert!(findings.iter().any(|f| f.starts_with("r.csv:3: a quote is not closed")), "{findings:?}");
    }

    #[test]
    fn ragged_lines_are_named() {
        let (t, findings) = table("a,b\n1\n1,2,3\n4,5\n");
        assert_eq!(t.rows.len(), 2);
        assert!(findings[0].starts_with("r.csv:2: a line has fewer"), "{findings:?}");
        assert!(findings[1].starts_with("r.csv:3: a line has more"), "{findings:?}");
    }

    #[test]
    fn a_doubled_column_is_refused() {
        let e = read(Path::new("r.csv"), "r.csv", b"a,a\n1,2\n", &mut Findings::default()).unwrap_err();
        assert!(e.to_string().contains("`r.csv` is no table") && e.to_string().contains("`a` twice"), "{e}");
    }
}
