//! Everything that can be said against a file of traces.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::ops::Range;
use std::rc::Rc;
use std::sync::LazyLock;

use crate::attempt::CallPlaces;
use crate::bounds::is_pattern;
use crate::declare::{Declared, declarations};
use crate::diagnostic::{Diagnostic, Diagnostics, boundary};
use crate::file::{Document, Located};
use crate::span::set_name;
use crate::typing::check_call;
use crate::{Call, SpanKind, Tool, ToolError, Type, Value, suggest};

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
        let mut trace =
            TraceCheck { tools: None, pending: VecDeque::new(), places: HashMap::new(), found: &mut found };
        for (i, located) in spans.iter().enumerate() {
            trace.metadata(located);
            trace.branch(located);
            match located.span.kind {
                SpanKind::Tools => trace.tools(located, i, &known),
                SpanKind::Action => trace.action(located),
                SpanKind::Observation | SpanKind::Error => trace.result(located),
                _ => trace.unanswered(),
            }
            trace.remember(located);
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
    /// What waits for results after each span that has an `id`.
    places: HashMap<String, VecDeque<Pending>>,
    found: &'a mut Vec<Diagnostic>,
}

#[derive(Clone)]
struct Pending {
    keyword: Range<usize>,
    /// The tool called, if it is declared, and whether the call fits its declaration.
    tool: Option<Rc<Tool>>,
    fits: bool,
}

impl TraceCheck<'_> {
    /// Reports `d`, which is about the body of `located`.
    fn report(&mut self, located: &Located, d: Diagnostic) {
        self.found.push(Diagnostic { range: located.place(&d.range), ..d });
    }

    fn metadata(&mut self, located: &Located) {
        let span = &located.span;
        if span.failed && span.kind != SpanKind::Action {
            let message = format!("only an action can be marked `failed`, this is `{}`", span.kind);
            let d = Diagnostic::warning("attribute", message, located.attribute("failed"));
            self.found.push(d.hint("mark the action that failed"));
        }
        if span.weight.is_some_and(|w| !w.is_finite() || w < 0.0) {
            let message = "a weight is a finite number of at least 0";
            let d = Diagnostic::error("attribute", message, located.attribute("weight"));
            self.found
                .push(d.hint("write `weight=0` for what is not trained on, `weight=1` for the usual weight"));
        }
        for (name, value) in &span.meta {
            if let Some(wanted) = meta_type(name).filter(|t| t.accepts(value).is_err()) {
                let message = format!("`{name}` is a `{wanted}`, not `{value}`");
                let d = Diagnostic::error("attribute", message, located.attribute(name));
                self.found.push(d.hint(meta_hint(name)));
            }
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
                let d = Diagnostic::error("own", message, located.attribute("own"));
                self.found.push(d.hint(hint));
            }
            last = last.max(range.end);
        }
    }

    /// Goes back to the span that this one follows, if it says so.
    fn branch(&mut self, located: &Located) {
        match located.span.meta("after") {
            None => {}
            Some(Value::Null) => self.pending.clear(),
            Some(Value::Str(id)) => match self.places.get(id) {
                Some(pending) => self.pending = pending.clone(),
                None => {
                    let hint =
                        suggest::hint(id, self.places.keys().map(String::as_str).collect::<BTreeSet<_>>());
                    let message = format!("no span before this one has the id `{id}`");
                    let d = Diagnostic::error("no-span", message, located.attribute("after"));
                    self.found.push(d.maybe_hint(hint));
                }
            },
            // Said already: it is no string.
            Some(_) => {}
        }
    }

    fn remember(&mut self, located: &Located) {
        let Some(Value::Str(id)) = located.span.meta("id") else { return };
        if self.places.insert(id.clone(), self.pending.clone()).is_some() {
            let message = format!("two spans have the id `{id}`");
            let d = Diagnostic::error("repeated", message, located.attribute("id"));
            self.found.push(d.hint("give each its own; `after` names one of them"));
        }
    }

    fn tools(&mut self, located: &Located, index: usize, known: &impl Fn(&str) -> Result<Vec<Tool>, String>) {
        if index > 0 {
            let message = "tools are declared once, before everything else";
            let d = Diagnostic::warning("tools-first", message, located.keyword.clone());
            self.found.push(d.hint("move the declarations to the top of the trace, into one `tools`"));
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
            let wrong = |code, message| {
                let hint = match code {
                    "repeated" => "rename one, or take it out",
                    _ => "change the default or the type",
                };
                Diagnostic::error(code, message, at.clone()).hint(hint)
            };
            if declared[..i].iter().any(|d| d.tool.name == tool.name) {
                self.report(located, wrong("repeated", format!("`{}` is declared twice", tool.name)));
            }
            for (j, param) in tool.params.iter().enumerate() {
                if tool.params[..j].iter().any(|p| p.name == param.name) {
                    let message = format!("`{}` has two parameters `{}`", tool.name, param.name);
                    self.report(located, wrong("repeated", message));
                }
                if let Some(pattern) = unread_pattern(&param.ty) {
                    self.report(located, unread(pattern, &param.name, at.clone()));
                }
                if let Some(Err(mismatch)) =
                    param.default.as_ref().map(|v| param.ty.accepts_with(v, &tool.types))
                {
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
        let (mut tool, mut fits) = (None, false);
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
                    fits = problems.is_empty();
                    tool = tools.iter().find(|t| t.name == call.tool).map(|t| Rc::new(t.clone()));
                }
                if !located.span.failed && !problems.is_empty() {
                    let places = CallPlaces::of(body);
                    for problem in problems {
                        self.report(located, keep(places.diagnostic(problem).1));
                    }
                }
            }
        }
        self.pending.push_back(Pending { keyword: located.keyword.clone(), tool, fits });
    }

    fn result(&mut self, located: &Located) {
        let span = &located.span;
        let Some(pending) = self.pending.pop_front() else {
            let message = format!("this `{}` answers no action", span.kind);
            let d = Diagnostic::warning("no-action", message, located.keyword.clone());
            self.found
                .push(d.hint("results stand behind the actions that they answer, one each, in their order"));
            return;
        };
        let whole = 0..span.body.trim_end().len();
        let wrong = if span.kind == SpanKind::Observation {
            match (Value::parse(&span.body), &pending.tool) {
                (Err(d), _) => {
                    let hint = d
                        .hint
                        .unwrap_or_else(|| "text is written in quotes: `observation: \"…\"`".to_owned());
                    Some(
                        Diagnostic::warning("no-value", format!("no value: {}", d.message), d.range)
                            .hint(hint),
                    )
                }
                // An injected fault may answer what no tool declares.
                (Ok(value), Some(tool)) if span.fault.is_none() => {
                    tool.result.accepts_with(&value, &tool.types).err().map(|mismatch| {
                        Diagnostic::error("wrong-result", mismatch.to_string(), whole)
                            .hint(format!("declared `{}`", tool.signature()))
                    })
                }
                (Ok(_), _) => None,
            }
        } else {
            match (ToolError::parse(&span.body), &pending.tool) {
                (Err(d), _) => {
                    let hint =
                        d.hint.unwrap_or_else(|| "an error is written `error: NotFound(\"/a\")`".to_owned());
                    Some(
                        Diagnostic::warning("no-error", format!("no error: {}", d.message), d.range)
                            .hint(hint),
                    )
                }
                (Ok(error), Some(tool)) => {
                    if span.fault.is_some() && error.name == "Renamed" {
                        rename(self.tools.as_deref_mut(), &tool.name, &error);
                    }
                    // What refuses a call that does not fit need not be declared.
                    undeclared(&error, tool, span.fault.is_some() || !pending.fits, whole)
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
            let d = Diagnostic::warning("unanswered", message, pending.keyword);
            self.found.push(d.hint("write what came of it: `observation: …` or `error: …`"));
        }
    }
}

/// An injected fault may give a parameter another name: `Renamed(old, new)`.
fn rename(tools: Option<&mut [Tool]>, tool: &str, error: &ToolError) {
    let [Value::Str(old), Value::Str(new)] = &error.args[..] else { return };
    let tools = tools.into_iter().flatten().filter(|t| t.name == tool);
    tools.flat_map(|t| &mut t.params).filter(|p| p.name == *old).for_each(|p| p.name.clone_from(new));
}

/// What the metadata called `name` is, where the language says so.
fn meta_type(name: &str) -> Option<&'static Type> {
    static TYPES: LazyLock<Vec<(&str, Type)>> = LazyLock::new(|| {
        let types = [
            ("id", "str"),
            ("after", "str?"),
            ("author", "str"),
            ("time", "str(format=\"date-time\")"),
            ("tokens", "int(min=0)"),
            ("cost", "float"),
            ("score", "float"),
            ("call", "str"),
            ("signature", "str"),
            ("attach", "[str]"),
        ];
        types.into_iter().filter_map(|(name, ty)| Some((name, Type::parse(ty).ok()?))).collect()
    });
    TYPES.iter().find(|(known, _)| *known == name).map(|(_, ty)| ty)
}

/// How the metadata `name` is written.
fn meta_hint(name: &str) -> &'static str {
    match name {
        "time" => "write the time as `time=\"2026-11-30T08:00:00Z\"`",
        "tokens" => "write a number: `tokens=120`",
        "cost" | "score" => "write a number: `score=0.5`",
        "attach" => "write a list: `attach=[\"a.png\"]`",
        _ => "write a text in quotes",
    }
}

/// What is to be said of a pattern that cannot be read.
fn unread(pattern: &str, of: &str, at: Range<usize>) -> Diagnostic {
    // What other readers of patterns know, and too large ones.
    let strange = ["(?=", "(?!", "(?<", "(?>", "\\p", "\\P", "\\u", "\\c", "\\k"];
    let back = pattern.as_bytes().windows(2).any(|w| w[0] == b'\\' && w[1].is_ascii_digit());
    let error = regex_lite::Regex::new(pattern).err().map(|e| e.to_string());
    match error {
        Some(error) if !back && !strange.iter().any(|s| pattern.contains(s)) && !error.contains("size") => {
            Diagnostic::error(
                "bound",
                format!("the pattern `{pattern}` of `{of}` is no regular expression"),
                at,
            )
            .hint(format!("{error}; what is meant as it stands follows a backslash: `\\\\(`"))
        }
        _ => Diagnostic::warning("bound", format!("the pattern `{pattern}` of `{of}` is not checked"), at)
            .hint("patterns that look around or back, or name classes of Unicode, cannot be read"),
    }
}

/// The first pattern in `ty` that cannot be read.
fn unread_pattern(ty: &Type) -> Option<&str> {
    match ty {
        Type::Bounded(inner, bounds) => {
            bounds.pattern.as_deref().filter(|p| !is_pattern(p)).or_else(|| unread_pattern(inner))
        }
        Type::List(inner) | Type::Optional(inner) => unread_pattern(inner),
        Type::Union(types) => types.iter().find_map(unread_pattern),
        Type::Record(fields) => fields.iter().find_map(|f| unread_pattern(&f.ty)),
        Type::Open(fields, rest) => {
            fields.iter().find_map(|f| unread_pattern(&f.ty)).or_else(|| unread_pattern(rest))
        }
        _ => None,
    }
}

/// An injected fault may raise errors that no tool declares.
fn undeclared(error: &ToolError, tool: &Tool, injected: bool, at: Range<usize>) -> Option<Diagnostic> {
    let declared = tool.errors.iter().find(|e| e.name == error.name);
    let mut hint = format!("declared `{}`", tool.signature());
    if let Some(near) = suggest::nearest(&error.name, tool.errors.iter().map(|e| e.name.as_str()))
        && declared.is_none()
    {
        hint = format!("did you mean `{near}`? {hint}");
    }
    match declared {
        None if injected => None,
        None => {
            let message = format!("`{}` declares no error `{}`", tool.name, error.name);
            Some(Diagnostic::warning("undeclared-error", message, at).hint(hint))
        }
        Some(ty) if ty.args.len() != error.args.len() => {
            let values = if ty.args.len() == 1 { "value" } else { "values" };
            let message =
                format!("`{}` carries {} {values}, not {}", ty.name, ty.args.len(), error.args.len());
            Some(Diagnostic::warning("wrong-error", message, at).hint(hint))
        }
        Some(ty) => {
            let mismatch =
                ty.args.iter().zip(&error.args).find_map(|(t, v)| t.accepts_with(v, &tool.types).err())?;
            Some(Diagnostic::error("wrong-error", mismatch.to_string(), at).hint(hint))
        }
    }
}
