//! Parquet files of others: which documents their rows hold.

use std::io;
use std::path::Path;

use groundwork_corpus::{CorpusError, RowColumn, RowDocument, RowFile, RowKind};
use groundwork_trace::adapters::{Document, Side, Summary, read_rows};

use super::convert::{Put, Skipped, guarded};
use crate::failure::Failure;

/// Gives the traces of a file's rows to `put`.
pub(super) fn each(
    from: Side,
    column: Option<&str>,
    path: &Path,
    file: RowFile,
    skipped: &mut Skipped,
    put: &mut Put<'_>,
) -> Result<Summary, Failure> {
    let columns = file.columns();
    let chosen = chosen(from, &columns, column).map_err(|why| wrong(path, &columns, &why))?;
    let mut broken: Option<CorpusError> = None;
    let rows = file.documents(chosen)?.map(|row| {
        row.map_err(|e| {
            broken = Some(e);
            io::ErrorKind::InvalidData.into()
        })
    });
    let read = guarded(path, skipped, put, |bad, each| read_rows(from, rows, bad, each));
    broken.map_or(read, |e| Err(e.into()))
}

/// What of a row is a document of `from`, or why that cannot be said, and what to do.
fn chosen<'a>(
    from: Side,
    columns: &'a [RowColumn],
    asked: Option<&'a str>,
) -> Result<RowDocument<'a>, (String, String)> {
    let keys = match from {
        Side::Trace => &[],
        Side::Format(format) => format.document_keys(),
    };
    let text_alone = match from {
        Side::Trace => true,
        Side::Format(format) => format.document() == Document::Text,
    };
    let may = |c: &RowColumn| c.kind == RowKind::Text || c.kind == RowKind::Nested && !text_alone;
    let wants = if text_alone { "text" } else { "JSON text, lists or objects" };
    if let Some(name) = asked {
        return match columns.iter().find(|c| c.name == name) {
            Some(column) if may(column) => Ok(RowDocument::Column(&column.name)),
            Some(column) => {
                let why = format!("the column `{name}` holds {}", column.described);
                Err((why, format!("documents of this format are {wants}")))
            }
            None => Err((format!("there is no column `{name}`"), "name one of them".to_owned())),
        };
    }
    if columns.iter().any(|c| keys.contains(&c.name.as_str()) && may(c)) {
        return Ok(RowDocument::Row);
    }
    let only = |kind: RowKind| {
        let mut those = columns.iter().filter(|c| c.kind == kind);
        those.next().filter(|_| those.next().is_none())
    };
    let named_text = || columns.iter().find(|c| text_alone && c.name == "text" && c.kind == RowKind::Text);
    let nested = columns.iter().any(|c| c.kind == RowKind::Nested) && !text_alone;
    let found = named_text().or_else(|| only(if nested { RowKind::Nested } else { RowKind::Text }));
    found.map(|c| RowDocument::Column(&c.name)).ok_or_else(|| {
        let whole = match keys {
            [] => String::new(),
            keys => {
                let keys: Vec<String> = keys.iter().map(|k| format!("`{k}`")).collect();
                format!("; with a column {} the whole row is one", keys.join(" or "))
            }
        };
        let why = format!("no column is known to hold the documents, which are {wants}");
        (why, format!("name it with `--column`{whole}"))
    })
}

fn wrong(file: &Path, columns: &[RowColumn], (why, hint): &(String, String)) -> Failure {
    let list: String = columns.iter().map(|c| format!("\n    {c}")).collect();
    Failure::input(format!("`{}`: {why}; its columns are{list}\n  hint: {hint}", file.display()))
}
