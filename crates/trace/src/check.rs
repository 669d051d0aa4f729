//! Everything that can be said against a file of traces.

use std::collections::VecDeque;
use std::ops::Range;

use crate::attempt::CallPlaces;
use crate::declare::{Declared, declarations};
use crate::diagnostic::{Diagnostic, Diagnostics, boundary};
use crate::file::{Document, Located};
use crate::span::set_name;
use crate::typing::check_call;
use crate::{Call, SpanKind, Tool, ToolError, Value};

/// Reads a file of traces and reports everything that is wrong with it: its form, the declarations, and every
/// action, observation and error that does not fit the declared tools.
///
/// `known` gives the tools of a named set (`tools: files`); where there is none, its error becomes the hint.
/// An action marked `[failed]` may be anything: it is kept as it was said.
pub fn check(text: &str, known: impl Fn(&str) -> Result<Vec<Tool>, String>) -> Diagnostics {
    let document = Document::read(text);
    let mut found = document.diagnostics;
    if let Some(crlf) = crlf(text) {
        found.push(crlf);
    }
    for spans in &document.traces {
        let mut trace = TraceCheck { tools: None, pending: VecDeque::new(), found: &mut found };
        for (i, located) in spans.iter().enumerate() {
            trace.metadata(located);
            match located.span.kind {
                SpanKind::Tools => trace.tools(located, i, &known),
                SpanKind::Action => trace.action(located),
                SpanKind::Observation | SpanKind::Error => trace.result(located),
                _ => trace.unanswered(),
            }
        }
    }
    // The brace that the reader adds to declarations that are never closed is in no file.
    for d in &mut found {
        d.range = boundary(text, d.range.start)..boundary(text, d.range.end);
    }
    Diagnostics(found).sorted()
}

fn crlf(text: &str) -> Option<Diagnostic> {
    let first = text.find("\r\n")?;
    let all = text.lines().count() > 1 && text.split_inclusive('\n').all(|l| l.ends_with("\r\n"));
    all.then(|| {
        Diagnostic::warning("crlf", "the lines of this file end in CR LF", first..first + 1)
            .hint("every CR is read as part of a body; save the file with LF alone")
    })
}

struct TraceCheck<'a> {
    /// The declared tools, once there are any.
    tools: Option<Vec<Tool>>,
    /// The actions that wait for their results.
    pending: VecDeque<Pending>,
    found: &'a mut Vec<Diagnostic>,
}

struct Pending {
    keyword: Range<usize>,
    /// The tool called, if the call fits its declaration.
    tool: Option<Tool>,
}

impl TraceCheck<'_> {
    /// Reports `d`, which is about the body of `located`.
    fn report(&mut self, located: &Located, d: Diagnostic) {
        self.found.push(Diagnostic { range: located.place(&d.range), ..d });
    }

    fn metadata(&mut self, located: &Located) {
        let span = &located.span;
        let keyword = || located.keyword.clone();
        if span.failed && span.kind != SpanKind::Action {
            let message = format!("only an action can be marked `failed`, this is `{}`", span.kind);
            self.found.push(Diagnostic::warning("attribute", message, keyword()));
        }
        if span.weight.is_some_and(|w| !w.is_finite() || w < 0.0) {
            let message = "a weight is a finite number of at least 0";
            self.found.push(Diagnostic::error("attribute", message, keyword()));
        }
        let mut last = 0;
        for range in &span.own {
            let body = &span.body;
            let inside = range.start <= range.end && body.get(range.clone()).is_some();
            if !inside || range.start < last {
                let message = format!("`own={}..{}` is no part of the body", range.start, range.end);
                let hint = format!(
                    "ranges are bytes of the body (0 to {}) between characters, in order and apart",
                    body.len()
                );
                self.found.push(Diagnostic::error("own", message, keyword()).hint(hint));
            }
            last = last.max(range.end);
        }
    }

    fn tools(&mut self, located: &Located, index: usize, known: &impl Fn(&str) -> Result<Vec<Tool>, String>) {
        if index > 0 {
            self.found.push(Diagnostic::warning(
                "tools-first",
                "tools are declared once, before everything else",
                located.keyword.clone(),
            ));
        }
        let body = located.span.body.as_str();
        if body.trim_start().starts_with('{') {
            let (declared, wrong) = declarations(body);
            for d in wrong {
                self.report(located, d);
            }
            self.declarations(located, &declared);
            self.tools = Some(declared.into_iter().map(|d| d.tool).collect());
            return;
        }
        let whole = 0..body.len();
        match set_name(body) {
            None => {
                let d = Diagnostic::error(
                    "syntax",
                    "these are neither declarations nor the name of a set",
                    whole,
                )
                .hint("declarations stand between `{` and `}`");
                self.report(located, d);
            }
            Some(name) => match known(&name) {
                Ok(tools) => self.tools = Some(tools),
                Err(hint) => {
                    let d =
                        Diagnostic::error("unknown-set", format!("there is no set of tools `{name}`"), whole)
                            .maybe_hint((!hint.is_empty()).then_some(hint));
                    self.report(located, d);
                }
            },
        }
    }

    fn declarations(&mut self, located: &Located, declared: &[Declared]) {
        for (i, Declared { tool, at }) in declared.iter().enumerate() {
            let wrong = |code, message| Diagnostic::error(code, message, at.clone());
            if declared[..i].iter().any(|d| d.tool.name == tool.name) {
                self.report(located, wrong("repeated", format!("`{}` is declared twice", tool.name)));
            }
            for (j, param) in tool.params.iter().enumerate() {
                if tool.params[..j].iter().any(|p| p.name == param.name) {
                    let message = format!("`{}` has two parameters `{}`", tool.name, param.name);
                    self.report(located, wrong("repeated", message));
                }
                if let Some(Err(mismatch)) = param.default.as_ref().map(|v| param.ty.accepts(v)) {
                    let message = format!(
                        "the default of `{}` in `{}` does not fit: {mismatch}",
                        param.name, tool.name
                    );
                    self.report(located, wrong("wrong-type", message));
                }
            }
            for (j, error) in tool.errors.iter().enumerate() {
                if tool.errors[..j].iter().any(|e| e.name == error.name) {
                    let message = format!("`{}` declares the error `{}` twice", tool.name, error.name);
                    self.report(located, wrong("repeated", message));
                }
            }
        }
    }

    fn action(&mut self, located: &Located) {
        let body = located.span.body.as_str();
        let keep = |d: Diagnostic| match d.hint {
            Some(_) => d,
            None => d.hint("if that is what was said, mark it: `action [failed]: …`"),
        };
        let mut fitting = None;
        match Call::parse(body) {
            Err(d) if !located.span.failed => self.report(located, keep(*d)),
            Err(_) => {}
            Ok(call) => {
                let mut problems = Vec::new();
                if let Some(tools) = &self.tools {
                    check_call(&call, tools, &mut |problem| {
                        problems.push(problem);
                        true
                    });
                    if problems.is_empty() {
                        fitting = tools.iter().find(|t| t.name == call.tool).cloned();
                    }
                }
                if !located.span.failed && !problems.is_empty() {
                    let places = CallPlaces::of(body);
                    for problem in problems {
                        self.report(located, keep(places.diagnostic(problem).1));
                    }
                }
            }
        }
        self.pending.push_back(Pending { keyword: located.keyword.clone(), tool: fitting });
    }

    fn result(&mut self, located: &Located) {
        let span = &located.span;
        let Some(pending) = self.pending.pop_front() else {
            let message = format!("this `{}` answers no action", span.kind);
            self.found.push(Diagnostic::warning("no-action", message, located.keyword.clone()));
            return;
        };
        let whole = 0..span.body.trim_end().len();
        let wrong = if span.kind == SpanKind::Observation {
            match (Value::parse(&span.body), &pending.tool) {
                (Err(d), _) => {
                    Some(Diagnostic::warning("no-value", format!("no value: {}", d.message), d.range))
                }
                // An injected fault may answer what no tool declares.
                (Ok(value), Some(tool)) if span.fault.is_none() => {
                    tool.result.accepts(&value).err().map(|mismatch| {
                        Diagnostic::error("wrong-result", mismatch.to_string(), whole)
                            .hint(format!("declared `{}`", tool.signature()))
                    })
                }
                (Ok(_), _) => None,
            }
        } else {
            match (ToolError::parse(&span.body), &pending.tool) {
                (Err(d), _) => {
                    Some(Diagnostic::warning("no-error", format!("no error: {}", d.message), d.range))
                }
                (Ok(error), Some(tool)) => {
                    if span.fault.is_some() && error.name == "Renamed" {
                        rename(self.tools.as_deref_mut(), &tool.name, &error);
                    }
                    undeclared(&error, tool, span.fault.is_some(), whole)
                }
                (Ok(_), None) => None,
            }
        };
        if let Some(d) = wrong {
            self.report(located, d);
        }
    }

    /// Actions that another span than a result follows.
    fn unanswered(&mut self) {
        for pending in self.pending.drain(..) {
            let message = "no observation or error follows this action";
            self.found.push(Diagnostic::warning("unanswered", message, pending.keyword));
        }
    }
}

/// An injected fault may give a parameter another name: `Renamed(old, new)`.
fn rename(tools: Option<&mut [Tool]>, tool: &str, error: &ToolError) {
    let [Value::Str(old), Value::Str(new)] = &error.args[..] else { return };
    let tools = tools.into_iter().flatten().filter(|t| t.name == tool);
    tools.flat_map(|t| &mut t.params).filter(|p| p.name == *old).for_each(|p| p.name.clone_from(new));
}

/// An injected fault may raise errors that no tool declares.
fn undeclared(error: &ToolError, tool: &Tool, injected: bool, at: Range<usize>) -> Option<Diagnostic> {
    let declared = tool.errors.iter().find(|e| e.name == error.name);
    let hint = format!("declared `{}`", tool.signature());
    match declared {
        None if injected => None,
        None => {
            let message = format!("`{}` declares no error `{}`", tool.name, error.name);
            Some(Diagnostic::warning("undeclared-error", message, at).hint(hint))
        }
        Some(ty) if ty.args.len() != error.args.len() => {
            let message = format!("`{}` carries {} values, not {}", ty.name, ty.args.len(), error.args.len());
            Some(Diagnostic::warning("wrong-error", message, at).hint(hint))
        }
        Some(ty) => {
            let mismatch = ty.args.iter().zip(&error.args).find_map(|(t, v)| t.accepts(v).err())?;
            Some(Diagnostic::error("wrong-error", mismatch.to_string(), at).hint(hint))
        }
    }
}
