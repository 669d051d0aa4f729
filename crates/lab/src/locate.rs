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
