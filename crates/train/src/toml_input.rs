//! Plain data from TOML, with the place and a hint where it does not fit.

use serde::de::DeserializeOwned;

use crate::TrainError;

/// Reads TOML text; `from` names it in errors, `fields` says where the fields are listed.
///
/// # Errors
/// Malformed TOML or a field that is unknown or has the wrong type, with line and column.
pub fn from_toml<T: DeserializeOwned>(text: &str, from: &str, fields: &str) -> Result<T, TrainError> {
    toml::from_str(text).map_err(|e| TrainError::Recipe {
        what: format!("`{from}`: {}", e.to_string().trim_end()),
        hint: match text.parse::<toml::Table>() {
            Ok(_) => hint(e.message(), fields),
            Err(_) => "this is not TOML: look for a quote, a bracket or an `=` that is missing".into(),
        },
    })
}

/// Reads a table; `from` is its dotted path in errors, `fields` says where the fields are listed.
///
/// # Errors
/// A field that is unknown or has the wrong type, by its dotted path.
pub fn from_toml_table<T: DeserializeOwned>(
    table: &toml::Table,
    from: &str,
    fields: &str,
) -> Result<T, TrainError> {
    let text = toml::to_string(table).map_err(|e| TrainError::Recipe {
        what: format!("`{from}`: {e}"),
        hint: "the table must be plain TOML".into(),
    })?;
    toml::from_str(&text).map_err(|e| {
        // Nobody wrote this text, so that its lines are of no use; and a field that is missing has none.
        let span = e.span().filter(|_| !e.message().starts_with("missing"));
        let field = span.map_or(String::new(), |s| format!(".{}", field_at(&text, s.start)));
        TrainError::Recipe {
            what: format!("`{from}{field}`: {}", e.message()),
            hint: hint(e.message(), fields),
        }
    })
}

/// The dotted path of what is set on the line of an offset, in text as a serialiser lays it out.
fn field_at(text: &str, offset: usize) -> String {
    let read = text[offset..].find('\n').map_or(text, |end| &text[..offset + end]);
    let key = read.lines().last().and_then(|line| line.split_once(" = ")).map_or("", |(key, _)| key);
    let section = read.lines().rev().find_map(|line| Some(line.strip_prefix('[')?.trim_matches(['[', ']'])));
    let parts = [section.unwrap_or(""), key];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(".")
}

/// What to do about serde's message: of an unknown field, the nearest of those it expected.
fn hint(message: &str, fields: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    let near = quoted.split_first().and_then(|(given, known)| {
        known
            .iter()
            .map(|k| (strsim::jaro(given, k), *k))
            .filter(|(score, _)| *score > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
    });
    match near {
        Some((_, name)) if message.starts_with("unknown") => format!("did you mean `{name}`?"),
        _ => fields.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_a_table_are_named_by_their_path() {
        let table: toml::Table = toml::from_str("[data]\nsequence = 8\n[[data.source]]\nnme = 'x'").unwrap();
        let text = toml::to_string(&table).unwrap();
        assert_eq!(field_at(&text, text.find("nme").unwrap()), "data.source.nme");
        assert_eq!(field_at(&text, text.find("sequence").unwrap()), "data.sequence");
        assert_eq!(field_at("a = 1", 0), "a");
    }
}
