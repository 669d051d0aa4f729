//! What came of an attempt to act.

use std::ops::Range;

use crate::typing::{CallProblem, check_call};
use crate::{ActionStatus, Call, Diagnostic, Tool};

/// An attempt to act, read and compared with the declared tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// What came of it.
    pub status: ActionStatus,
    /// The call, if it could be read (whether or not it fits a declaration).
    pub call: Option<Call>,
    /// What is wrong, in one line; empty where nothing is.
    pub message: String,
    /// The bytes of the body that the message is about; the whole body where nothing is wrong.
    pub at: Range<usize>,
}

impl Attempt {
    /// Reads the body of an `action` span. Where several things are wrong, the first one counts:
    /// syntax, then the tool's name, then the arguments as written, then those left out.
    pub fn parse(body: &str, tools: &[Tool]) -> Attempt {
        let call = match Call::parse(body) {
            Ok(call) => call,
            Err(d) => {
                let d = unclosed(body).map_or(d, Box::new);
                let status = syntax_status(&d);
                return Attempt { status, call: None, message: d.to_string(), at: d.range };
            }
        };
        let mut first = None;
        check_call(&call, tools, &mut |problem| {
            first = Some(problem);
            false
        });
        match first {
            None => Attempt {
                status: ActionStatus::Fine,
                call: Some(call),
                message: String::new(),
                at: 0..body.len(),
            },
            Some(problem) => {
                let d = CallPlaces::of(body).diagnostic(problem);
                let status = d.0;
                Attempt { status, call: Some(call), message: d.1.to_string(), at: d.1.range }
            }
        }
    }
}

/// What is never closed in a text in brackets, as other notations write calls; none if it is all closed.
fn unclosed(body: &str) -> Option<Diagnostic> {
    let mut open = Vec::new();
    let mut quote = None;
    let mut bytes = body.bytes().enumerate();
    if !body.starts_with(['[', '{']) {
        return None;
    }
    while let Some((at, byte)) = bytes.next() {
        match (quote, byte) {
            (Some(_), b'\\') => drop(bytes.next()),
            (Some((_, mark)), _) if mark == byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some((at, byte)),
            (None, b'[' | b'(' | b'{') => open.push(at),
            (None, b']' | b')' | b'}') => drop(open.pop()),
            _ => {}
        }
    }
    let at = quote.map(|(at, _)| at).or(open.pop())?;
    let message = format!("`{}` is never closed", char::from(body.as_bytes()[at]));
    Some(Diagnostic::error("unclosed", message, at..at + 1))
}

pub(crate) fn syntax_status(d: &Diagnostic) -> ActionStatus {
    if d.code == "unclosed" { ActionStatus::Unclosed } else { ActionStatus::Malformed }
}

/// Where the parts of a call stand in its text; read only once something is known to be wrong.
pub(crate) struct CallPlaces {
    pub(crate) tool: Range<usize>,
    pub(crate) args: Vec<(Range<usize>, Range<usize>)>,
}

impl CallPlaces {
    pub(crate) fn of(body: &str) -> CallPlaces {
        let mut args = Vec::new();
        let tool = match Call::parse_noting(body, &mut |name, value| args.push((name, value))) {
            Ok((_, tool)) => tool,
            Err(_) => 0..body.len(),
        };
        CallPlaces { tool, args }
    }

    pub(crate) fn diagnostic(&self, problem: CallProblem) -> (ActionStatus, Diagnostic) {
        let range = match problem.arg {
            None => self.tool.clone(),
            Some((i, true)) => self.args[i].0.clone(),
            Some((i, false)) => self.args[i].1.clone(),
        };
        (problem.status, Diagnostic::error(problem.code, problem.message, range).maybe_hint(problem.hint))
    }
}
