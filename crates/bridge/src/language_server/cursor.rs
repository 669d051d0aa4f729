//! What stands at the cursor in a call that is being written.

use groundwork_trace::Value;

/// The part of a call that the text ends in.
#[derive(Debug, PartialEq)]
pub(crate) enum Cursor {
    /// The tool's name, which begins at this byte.
    Tool(usize),
    /// The name of an argument.
    Name { tool: String, given: Vec<String>, from: usize },
    /// The value of an argument.
    Value { tool: String, name: String, from: usize },
    /// Something that says nothing about what could follow.
    Elsewhere,
}

/// Reads a call up to the cursor.
pub(crate) fn cursor(text: &str) -> Cursor {
    let mut at = space(text, 0);
    let tool_from = at;
    let Some(tool) = name(text, &mut at) else { return Cursor::Tool(tool_from) };
    at = space(text, at);
    match text[at..].chars().next() {
        None if at > tool_from => return Cursor::Tool(tool_from),
        Some('(') => at += 1,
        _ => return Cursor::Elsewhere,
    }
    let mut given = Vec::new();
    loop {
        at = space(text, at);
        let from = at;
        let Some(argument) = name(text, &mut at).filter(|_| at < text.len()) else {
            return Cursor::Name { tool, given, from };
        };
        at = space(text, at);
        if !text[at..].starts_with('=') {
            return Cursor::Elsewhere;
        }
        at = space(text, at + 1);
        let from = at;
        let Some(end) = value(text, at) else { return Cursor::Value { tool, name: argument, from } };
        given.push(argument);
        if !text[end..].starts_with(',') {
            return Cursor::Elsewhere;
        }
        at = end + 1;
    }
}

fn space(text: &str, at: usize) -> usize {
    text.len() - text[at..].trim_start_matches([' ', '\n', '\t', '\r']).len()
}

/// The name at `at`; `None` where the text ends inside it.
fn name(text: &str, at: &mut usize) -> Option<String> {
    if text[*at..].starts_with('"') {
        let end = string(text, *at)?;
        let name = match Value::parse(&text[*at..end]) {
            Ok(Value::Str(name)) => name,
            _ => String::new(),
        };
        *at = end;
        return Some(name);
    }
    let rest = &text[*at..];
    let len = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    *at += len;
    (*at < text.len()).then(|| rest[..len].to_owned())
}

/// Where the string at `at` ends.
fn string(text: &str, at: usize) -> Option<usize> {
    let mut escaped = false;
    for (i, c) in text[at + 1..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some(at + 1 + i + 1),
            _ => {}
        }
    }
    None
}

/// The comma or bracket that ends the value at `at`.
fn value(text: &str, mut at: usize) -> Option<usize> {
    let mut depth = 0;
    while let Some(c) = text[at..].chars().next() {
        match c {
            '"' => {
                at = string(text, at)?;
                continue;
            }
            '[' | '{' | '(' => depth += 1,
            ',' | ']' | '}' | ')' if depth == 0 => return Some(at),
            ']' | '}' | ')' => depth -= 1,
            _ => {}
        }
        at += c.len_utf8();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_knows_where_it_is() {
        let name = |given: &[&str], from| Cursor::Name {
            tool: "read".into(),
            given: given.iter().map(|s| (*s).to_owned()).collect(),
            from,
        };
        let value = |name: &str, from| Cursor::Value { tool: "read".into(), name: name.into(), from };
        for (text, expected) in [
            ("", Cursor::Tool(0)),
            (" re", Cursor::Tool(1)),
            ("\"my to", Cursor::Tool(0)),
            ("read(", name(&[], 5)),
            ("read( pa", name(&[], 6)),
            ("read(path=", value("path", 10)),
            ("read(path = [1, {a: \"x,)\"", value("path", 12)),
            ("read(path=\"a\\\",", value("path", 10)),
            ("read(path=\"a,(\",", name(&["path"], 16)),
            ("read(\"größe\"=1, m", name(&["größe"], 18)),
            ("read(path=1)", Cursor::Elsewhere),
            ("read(path 1", Cursor::Elsewhere),
            ("read path", Cursor::Elsewhere),
        ] {
            assert_eq!(cursor(text), expected, "{text}");
        }
    }
}
