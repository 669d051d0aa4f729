//! What an action changed: two written-out states of a world, compared.

/// A value of the state that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it stands: `folders[bada].files[kilo]`.
    pub path: String,
    /// What it was; `None` where there was nothing.
    pub before: Option<String>,
    /// What it is; `None` where it is gone.
    pub after: Option<String>,
}

impl std::fmt::Display for Change {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
        write!(f, "{}: {} → {}", self.path, of(&self.before), of(&self.after))
    }
}

/// The differences between two states as [`Episode::state`](groundwork_worlds::Episode::state) writes them.
///
/// Elements of lists are recognised by their `name` where they have one, so that one that is taken out does not make all
/// others look changed. What the world only notes about what was shown (`seen`) is left out.
pub(crate) fn changes(before: &str, after: &str) -> Vec<Change> {
    let mut found = Vec::new();
    // The world, and then its fault.
    for ((a, b), name) in read(before).iter().zip(&read(after)).zip(["", "fault"]) {
        differ(a, b, &mut name.to_owned(), &mut found);
    }
    found.retain(|c| !c.path.ends_with("seen"));
    found
}

enum Node {
    Leaf(String),
    /// Children by their labels.
    Branch {
        /// What stands in front of the bracket.
        kind: String,
        children: Vec<(String, Node)>,
    },
}

fn read(text: &str) -> Vec<Node> {
    type Open = (String, String, Vec<(String, Node)>);
    let mut root: Vec<Open> = vec![(String::new(), String::new(), Vec::new())];
    for line in text.lines() {
        let line = line.trim().trim_end_matches(',');
        if matches!(line, "}" | "]" | ")") {
            if root.len() > 1
                && let Some((label, kind, children)) = root.pop()
                && let Some(parent) = root.last_mut()
            {
                parent.2.push((label, Node::Branch { kind, children: by_name(children) }));
            }
            continue;
        }
        let here = root.last().map_or(0, |(_, _, c)| c.len());
        let (label, value) = labelled(line).unwrap_or_else(|| (format!("[{here}]"), line));
        match value.strip_suffix(['{', '[', '(']) {
            Some(kind) => root.push((label, kind.trim().to_owned(), Vec::new())),
            None => {
                if let Some(parent) = root.last_mut() {
                    parent.2.push((label, Node::Leaf(value.to_owned())));
                }
            }
        }
    }
    root.swap_remove(0).2.into_iter().map(|(_, node)| node).collect()
}

/// `key: value`, where the key is a plain word or a quoted text.
fn labelled(line: &str) -> Option<(String, &str)> {
    let (key, value) = line.split_once(": ")?;
    let word = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
    if word {
        return Some((key.to_owned(), value));
    }
    let quoted = key.len() > 1 && key.starts_with('"') && key.ends_with('"');
    quoted.then(|| (format!("[{key}]"), value))
}

/// Numbered elements that all have a `name` of their own go by it.
fn by_name(children: Vec<(String, Node)>) -> Vec<(String, Node)> {
    let names: Vec<Option<String>> = children
        .iter()
        .map(|(label, node)| match node {
            Node::Branch { children, .. } if label.starts_with('[') => match children.first() {
                Some((key, Node::Leaf(name))) if key == "name" => {
                    Some(format!("[{}]", name.trim_matches('"')))
                }
                _ => None,
            },
            _ => None,
        })
        .collect();
    let mut known: Vec<&String> = names.iter().flatten().collect();
    known.sort_unstable();
    known.dedup();
    if known.len() < children.len() {
        return children;
    }
    names.into_iter().flatten().zip(children).map(|(name, (_, node))| (name, node)).collect()
}

fn differ(a: &Node, b: &Node, path: &mut String, found: &mut Vec<Change>) {
    match (a, b) {
        (Node::Branch { kind, children: a }, Node::Branch { kind: other, children: b }) if kind == other => {
            for (label, node) in a {
                let length = path.len();
                step(path, label);
                match b.iter().find(|(l, _)| l == label) {
                    Some((_, other)) => differ(node, other, path, found),
                    None => {
                        found.push(Change { path: path.clone(), before: Some(short(node)), after: None });
                    }
                }
                path.truncate(length);
            }
            for (label, node) in b.iter().filter(|(label, _)| a.iter().all(|(l, _)| l != label)) {
                let length = path.len();
                step(path, label);
                found.push(Change { path: path.clone(), before: None, after: Some(short(node)) });
                path.truncate(length);
            }
        }
        _ => {
            let (before, after) = (short(a), short(b));
            if before != after {
                found.push(Change { path: path.clone(), before: Some(before), after: Some(after) });
            }
        }
    }
}

fn step(path: &mut String, label: &str) {
    if !path.is_empty() && !label.starts_with('[') {
        path.push('.');
    }
    path.push_str(label);
}

/// A value in a line.
fn short(node: &Node) -> String {
    const MOST: usize = 80;
    fn write(node: &Node, out: &mut String) {
        match node {
            Node::Leaf(value) => out.push_str(value),
            Node::Branch { kind, children } => {
                out.push_str(kind);
                out.push('(');
                for (i, (label, node)) in children.iter().enumerate() {
                    if i > 0 {
                        out.push_str(", ");
                    }
                    if !label.starts_with('[') {
                        out.push_str(label);
                        out.push(' ');
                    }
                    write(node, out);
                    if out.len() > 4 * MOST {
                        return;
                    }
                }
                out.push(')');
            }
        }
    }
    let mut out = String::new();
    write(node, &mut out);
    if out.chars().count() > MOST {
        out = out.chars().take(MOST - 1).chain(['…']).collect();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "read by way of its debug form")]
    struct Box {
        name: &'static str,
        holds: Option<u32>,
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "read by way of its debug form")]
    struct World {
        boxes: Vec<Box>,
        at: &'static str,
        root_seen: bool,
    }

    fn state(boxes: Vec<Box>, at: &'static str, root_seen: bool) -> String {
        format!("{:#?}", World { boxes, at, root_seen })
    }

    #[test]
    fn what_changed_is_named() {
        let some = |name, holds| Box { name, holds };
        let before = state(vec![some("a", Some(1)), some("b", None), some("c", None)], "x: y", false);
        let after = state(vec![some("b", Some(2)), some("c", None), some("d", None)], "z", true);
        let found: Vec<String> = changes(&before, &after).iter().map(ToString::to_string).collect();
        assert_eq!(
            found,
            [
                r#"boxes[a]: Box(name "a", holds Some(1)) → –"#,
                r#"boxes[b].holds: None → Some(2)"#,
                r#"boxes[d]: – → Box(name "d", holds None)"#,
                r#"at: "x: y" → "z""#,
            ]
        );
        assert_eq!(changes(&before, &before), []);
    }
}
