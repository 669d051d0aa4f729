//! What a docstring says of a function: Google's sections, NumPy's, and the fields of reStructuredText.

/// A docstring taken apart.
#[derive(Default)]
pub(super) struct Docstring {
    /// What is said of the function, sections about anything else than its parameters and errors included.
    pub(super) text: String,
    /// What is said of each parameter, by its name.
    pub(super) params: Vec<(String, String)>,
    /// The errors that it may raise, as they are written, and when it does.
    pub(super) raises: Vec<(String, String)>,
}

#[derive(Clone, Copy, PartialEq)]
enum Section {
    Text,
    Params,
    Raises,
}

impl Docstring {
    /// Reads a docstring, of which the lines but the first are indented.
    pub(super) fn read(raw: &str) -> Docstring {
        let lines = dedented(raw);
        let mut found = Docstring::default();
        let mut text: Vec<&str> = Vec::new();
        let mut section = Section::Text;
        // How deep the entries of the section stand; none before the first.
        let mut entries: Option<usize> = None;
        let mut numpy = false;
        let mut i = 0;
        while i < lines.len() {
            let line = lines[i].as_str();
            i += 1;
            let depth = line.len() - line.trim_start().len();
            let trimmed = line.trim();
            if depth == 0 && !trimmed.is_empty() {
                let underlined =
                    lines.get(i).is_some_and(|l| l.len() >= 3 && l.trim_end().bytes().all(|b| b == b'-'));
                let heading = if underlined { Some(trimmed) } else { trimmed.strip_suffix(':') };
                let next = match heading.map(str::to_ascii_lowercase).as_deref() {
                    Some("args" | "arguments" | "parameters" | "params" | "keyword args") => {
                        Some(Section::Params)
                    }
                    Some("raises" | "errors") => Some(Section::Raises),
                    _ => None,
                };
                if let Some(next) = next {
                    (section, entries, numpy) = (next, None, underlined);
                    i += usize::from(underlined);
                    continue;
                }
                if !numpy || underlined {
                    section = Section::Text;
                }
                if section == Section::Text && found.field(trimmed) {
                    // Lines that are deeper go on with it.
                    while let Some(more) = lines.get(i).filter(|l| l.starts_with(' ') && !l.trim().is_empty())
                    {
                        found.go_on(trimmed, more.trim());
                        i += 1;
                    }
                    continue;
                }
            }
            let into = match section {
                Section::Text => {
                    text.push(line);
                    continue;
                }
                Section::Params => &mut found.params,
                Section::Raises => &mut found.raises,
            };
            if trimmed.is_empty() {
                if let Some((_, doc)) = into.last_mut() {
                    doc.push('\n');
                }
            } else if entries.is_none_or(|d| depth <= d) {
                entries = Some(depth);
                // NumPy describes on the lines below.
                into.push(if numpy { (named(trimmed), String::new()) } else { entry(trimmed) });
            } else if let Some((_, doc)) = into.last_mut() {
                if !doc.is_empty() {
                    doc.push('\n');
                }
                // What is indented further keeps that.
                let base = entries.unwrap_or(0) + 4;
                doc.push_str(&line[depth.min(base)..]);
            }
        }
        for (_, doc) in found.params.iter_mut().chain(&mut found.raises) {
            doc.truncate(doc.trim_end().len());
        }
        found.text = text.join("\n").trim_end().to_owned();
        found
    }

    /// Takes in a field of reStructuredText (`:param to: Who.`), if the line is one.
    fn field(&mut self, line: &str) -> bool {
        let Some((head, doc)) = line.strip_prefix(':').and_then(|l| l.split_once(':')) else { return false };
        let mut words = head.split_whitespace();
        let (kind, name) = (words.next().unwrap_or_default(), words.next_back().unwrap_or_default());
        let into = match kind {
            "param" | "parameter" | "arg" | "argument" => &mut self.params,
            "raises" | "raise" => &mut self.raises,
            _ => return false,
        };
        into.push((name.to_owned(), doc.trim().to_owned()));
        true
    }

    fn go_on(&mut self, field: &str, more: &str) {
        let into = if field.starts_with(":r") { &mut self.raises } else { &mut self.params };
        if let Some((_, doc)) = into.last_mut() {
            doc.push('\n');
            doc.push_str(more);
        }
    }
}

/// `to (str, optional): Who.` as name and description.
fn entry(line: &str) -> (String, String) {
    // A colon inside brackets ends nothing.
    let mut depth = 0;
    for (i, c) in line.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ':' if depth <= 0 => return (named(&line[..i]), line[i + 1..].trim().to_owned()),
            _ => {}
        }
    }
    (named(line), String::new())
}

/// `to (str, optional)` and `to : str` without the type. What errors carry belongs to them.
fn named(head: &str) -> String {
    let head = head.trim().trim_start_matches('*');
    let end = head.find(" (").or_else(|| head.find(" :")).unwrap_or(head.len());
    head[..end].trim_matches('`').to_owned()
}

/// The lines of a docstring without what they are all indented by.
fn dedented(raw: &str) -> Vec<String> {
    let lines: Vec<&str> = raw.lines().collect();
    let depth = |l: &&str| l.len() - l.trim_start_matches([' ', '\t']).len();
    let common = lines.iter().skip(1).filter(|l| !l.trim().is_empty()).map(depth).min().unwrap_or(0);
    let mut out: Vec<String> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let line = if i == 0 { line.trim_start() } else { line.get(common..).unwrap_or("") };
        out.push(line.trim_end().to_owned());
    }
    while out.first().is_some_and(String::is_empty) {
        out.remove(0);
    }
    out
}
