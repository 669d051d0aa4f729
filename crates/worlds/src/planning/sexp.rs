//! The brackets of PDDL, with the place of everything.

use std::ops::Range;

use groundwork_trace::{Diagnostic, Severity};

/// How deep brackets may be nested.
const MAX_DEPTH: usize = 64;

/// A mistake in a text; boxed so that the good case stays small.
pub(super) type Read<T> = Result<T, Box<Diagnostic>>;

/// A mistake at a place, with what to do about it.
pub(super) fn wrong<T>(message: impl Into<String>, at: &Range<usize>, hint: impl Into<String>) -> Read<T> {
    Err(Box::new(Diagnostic {
        code: "pddl",
        severity: Severity::Error,
        message: message.into(),
        range: at.clone(),
        hint: Some(hint.into()),
    }))
}

/// A word or a bracketed list, and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) is: Is,
}

/// What a node is. Words are in lower case: PDDL does not tell case apart.
#[derive(Clone, Debug)]
pub(super) enum Is {
    Word(String),
    List(Vec<Node>),
}

impl Node {
    /// The one bracket that `text` consists of. `;` opens a comment that ends with the line.
    pub(super) fn parse(text: &str) -> Read<Node> {
        let mut open: Vec<(usize, Vec<Node>)> = Vec::new();
        let mut whole: Option<Node> = None;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let node = match c {
                ';' => {
                    while chars.next_if(|(_, c)| *c != '\n').is_some() {}
                    continue;
                }
                c if c.is_whitespace() => continue,
                '(' if open.len() == MAX_DEPTH => {
                    return wrong("brackets are nested too deep", &(at..at + 1), "64 levels are enough");
                }
                '(' if whole.is_some() => {
                    return wrong(
                        "a second bracket",
                        &(at..at + 1),
                        "a file holds one domain or one problem",
                    );
                }
                '(' => {
                    open.push((at, Vec::new()));
                    continue;
                }
                ')' => match open.pop() {
                    None => {
                        return wrong(
                            "`)` closes nothing",
                            &(at..at + 1),
                            "remove it, or open a bracket before",
                        );
                    }
                    Some((from, nodes)) => Node { at: from..at + 1, is: Is::List(nodes) },
                },
                _ => {
                    let mut end = at + c.len_utf8();
                    let stops = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';');
                    while let Some((i, c)) = chars.next_if(|(_, c)| !stops(*c)) {
                        end = i + c.len_utf8();
                    }
                    Node { at: at..end, is: Is::Word(text[at..end].to_lowercase()) }
                }
            };
            match (open.last_mut(), &node.is) {
                (Some((_, nodes)), _) => nodes.push(node),
                (None, Is::List(_)) => whole = Some(node),
                (None, Is::Word(w)) => {
                    return wrong(
                        format!("`{w}` stands outside of any bracket"),
                        &node.at,
                        "a file begins with `(define`",
                    );
                }
            }
        }
        if let Some((at, _)) = open.first() {
            return wrong("`(` is never closed", &(*at..*at + 1), "add `)` at the end of what it opens");
        }
        match whole {
            Some(node) => Ok(node),
            None => wrong("there is nothing here", &(0..0), "a file holds `(define (domain …) …)`"),
        }
    }

    /// The word that this is.
    pub(super) fn word(&self, what: &str) -> Read<&str> {
        match &self.is {
            Is::Word(w) => Ok(w),
            Is::List(_) => {
                wrong(format!("expected {what}, found a bracket"), &self.at, "write one word here")
            }
        }
    }

    /// What stands in this bracket.
    pub(super) fn list(&self, what: &str) -> Read<&[Node]> {
        match &self.is {
            Is::List(nodes) => Ok(nodes),
            Is::Word(w) => wrong(format!("expected {what}, found `{w}`"), &self.at, "put it in brackets"),
        }
    }

    /// The first word of this bracket and what follows it.
    pub(super) fn form(&self, what: &str) -> Read<(&str, &[Node])> {
        match self.list(what)? {
            [] => wrong(format!("expected {what}, found nothing"), &self.at, "an empty bracket says nothing"),
            [head, rest @ ..] => Ok((head.word(what)?, rest)),
        }
    }
}
