//! Where in a TOML file a mistake stands, and what was probably meant.

/// `; did you mean …` for the nearest known name, or the list of them.
pub(crate) fn did_you_mean<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> String {
    let known: Vec<&str> = known.collect();
    let nearest = known
        .iter()
        .map(|k| (strsim::jaro_winkler(word, k), *k))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.75);
    match nearest {
        Some((_, name)) => format!("; did you mean `{name}`?"),
        None => {
            format!("; known are {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", "))
        }
    }
}

/// Words of a deserialisation message between backticks: the offender first, then what was expected.
fn quoted_names(message: &str) -> Vec<&str> {
    message.split('`').skip(1).step_by(2).collect()
}

/// The suggestion that fits a message about an unknown field or variant, or nothing.
pub(crate) fn suggestion_in(message: &str) -> String {
    let names = quoted_names(message);
    match names.split_first() {
        Some((word, known)) if message.starts_with("unknown") && !known.is_empty() => {
            did_you_mean(word, known.iter().copied())
        }
        _ => String::new(),
    }
}

/// The message without its list of what was expected.
pub(crate) fn first_sentence(message: &str) -> String {
    let message = message.lines().next().unwrap_or("").trim_end();
    if message.starts_with("unknown") {
        message.split(", expected").next().unwrap_or(message).to_owned()
    } else {
        message.to_owned()
    }
}

/// Line and column, from 1, of a byte offset.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// Byte offset of the key at `path` in TOML, however it is laid out: tables, dotted keys, inline tables, arrays of tables (any
/// of their elements). Where the last part is not there, that of the longest beginning that is.
pub(crate) fn key_offset(text: &str, path: &[&str]) -> Option<(usize, usize)> {
    let document = toml::de::DeTable::parse(text).ok()?;
    let mut found = None;
    let mut tables: Vec<&toml::de::DeTable<'_>> = vec![document.get_ref()];
    for (depth, part) in path.iter().enumerate() {
        let mut below = Vec::new();
        let mut here = None;
        for table in tables {
            let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else { continue };
            here.get_or_insert(key.span().start);
            match value.get_ref() {
                toml::de::DeValue::Table(table) => below.push(table),
                toml::de::DeValue::Array(items) => {
                    below.extend(items.iter().filter_map(|item| match item.get_ref() {
                        toml::de::DeValue::Table(table) => Some(table),
                        _ => None,
                    }))
                }
                _ => {}
            }
        }
        let Some(offset) = here else { break };
        found = Some((offset, depth + 1));
        tables = below;
    }
    found
}

fn header(line: &str) -> Option<&str> {
    let line = line.trim();
    line.strip_prefix('[').map(|rest| rest.trim_start_matches('[').split(']').next().unwrap_or("").trim())
}

/// The dotted path of what is set on `line`: the section above it and the key on it.
pub(crate) fn field_at(text: &str, line: usize) -> String {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let Some(here) = lines.last() else { return String::new() };
    if let Some(section) = header(here) {
        return section.to_owned();
    }
    let key = here.split_once('=').map_or("", |(key, _)| key.trim());
    match lines.iter().rev().find_map(|l| header(l)) {
        Some(section) if !key.is_empty() => format!("{section}.{key}"),
        Some(section) => section.to_owned(),
        None => key.to_owned(),
    }
}

/// Where a dotted field is set, or its section, or the start of the file.
pub(crate) fn find_field(text: &str, field: &str) -> (usize, usize) {
    let mut section_line = None;
    for (index, line) in text.lines().enumerate() {
        let path = field_at(text, index + 1);
        let column = line.chars().take_while(|c| c.is_whitespace()).count() + 1;
        if path == field {
            return (index + 1, column);
        }
        if field.rsplit_once('.').is_some_and(|(section, _)| section == path) {
            section_line.get_or_insert((index + 1, column));
        }
    }
    section_line.unwrap_or((1, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_however_it_is_laid_out() {
        let text = "[recipe]\ntrain = { batch = 0 }\n[recipe.model]\nsize = 1\n[[recipe.data.source]]\nname = 'a'\n\
                    [[recipe.data.source]]\nwrld = 'b'\n[candidate]\nrecipe.optimizer.rate = 3\n";
        let at =
            |path: &[&str]| key_offset(text, path).map(|(offset, depth)| (position(text, offset), depth));
        assert_eq!(at(&["recipe", "train", "batch"]), Some(((2, 11), 3)));
        assert_eq!(at(&["recipe", "model", "size"]), Some(((4, 1), 3)));
        assert_eq!(at(&["recipe", "data", "source", "wrld"]), Some(((8, 1), 4)));
        assert_eq!(at(&["candidate", "recipe", "optimizer", "rate"]), Some(((10, 18), 4)));
        assert_eq!(at(&["recipe", "train", "steps"]).map(|f| f.1), Some(2));
        assert_eq!(at(&["nothing"]), None);
    }
}
