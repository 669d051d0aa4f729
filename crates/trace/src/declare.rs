//! The reader of declarations: tools, and the types that they name.

use std::ops::Range;
use std::sync::Arc;

use crate::declare_type::{is_reserved, unknown_type};
use crate::diagnostic::{Diagnostic, Diagnostics, Parsed};
use crate::scan::Scanner;
use crate::tool::{by_name, endless};
use crate::{ErrorType, NamedType, Tool};

/// A tool with the place of its name.
pub(crate) struct Declared {
    pub(crate) tool: Tool,
    pub(crate) at: Range<usize>,
}

/// A named type with the place of its name.
struct Defined {
    named: NamedType,
    at: Range<usize>,
}

enum Declaration {
    Tool(Declared),
    Type(Defined),
}

/// Reads all declarations of `text`, in braces or not; after a mistake it goes on at the next declaration.
pub(crate) fn declarations(text: &str) -> (Vec<Declared>, Vec<Diagnostic>) {
    let mut s = Scanner::new(text);
    let (mut found, mut types) = (Vec::new(), Vec::new());
    let mut wrong = Vec::new();
    s.skip_space();
    let brace = s.eat(b'{').then(|| s.position() - 1);
    loop {
        s.skip_space();
        match s.peek() {
            None => {
                if let Some(at) = brace {
                    let message = "`{` is never closed";
                    wrong.push(
                        Diagnostic::error("unclosed", message, at..at + 1)
                            .hint("close the declarations with a line `}`"),
                    );
                }
                break;
            }
            Some(b'}') if brace.is_some() => {
                s.eat(b'}');
                wrong.extend(s.end("the declaration of tools").err().map(|d| *d));
                break;
            }
            Some(_) => match s.declaration() {
                Ok(Declaration::Tool(tool)) => found.push(tool),
                Ok(Declaration::Type(defined)) => types.push(defined),
                Err(d) => {
                    let from = s.position().max(d.range.start);
                    wrong.push(*d);
                    s.go_to(next_declaration(text, from, brace.is_some()));
                }
            },
        }
    }
    wrong.extend(s.take_wrong());
    resolve(&mut found, types, s.named_types(), text, &mut wrong);
    wrong.sort_by_key(|d| d.range.start);
    (found, wrong)
}

/// A block declares at most so many types.
const MOST_TYPES: usize = 1000;

/// Gives every tool the named types that it uses; `uses` are the places at which a type is named.
fn resolve(
    tools: &mut Vec<Declared>,
    types: Vec<Defined>,
    uses: Vec<Range<usize>>,
    text: &str,
    wrong: &mut Vec<Diagnostic>,
) {
    let (places, declared): (Vec<Range<usize>>, Vec<Arc<NamedType>>) =
        types.into_iter().map(|d| (d.at, Arc::new(d.named))).unzip();
    if let Some(at) = places.get(MOST_TYPES) {
        let message = format!("more than {MOST_TYPES} types are declared");
        wrong.push(Diagnostic::error("too-many", message, at.clone()));
        return;
    }
    let numbers = by_name(&declared);
    // A tool of which a type is not known is not known either.
    tools.retain(|d| d.tool.names_only(&numbers));
    for at in uses {
        let word = &text[at.clone()];
        if !numbers.contains_key(word) {
            wrong.push(*unknown_type(word, declared.iter().map(|t| t.name.as_str()), at));
        }
    }
    for (i, at) in places.iter().enumerate() {
        let name = &declared[i].name;
        if numbers[name.as_str()] != i {
            let message = format!("the type `{name}` is declared twice");
            wrong.push(Diagnostic::error("repeated", message, at.clone()).hint("rename one, or take it out"));
        }
    }
    for i in endless(&declared, &numbers) {
        let message = format!("`{}` is nothing but itself", declared[i].name);
        wrong.push(
            Diagnostic::error("endless-type", message, places[i].clone())
                .hint("a type may name itself inside a list or a record"),
        );
    }
    tools.iter_mut().for_each(|d| d.tool.use_types(&declared, &numbers));
}

/// Where the next line after `from` begins that looks like a declaration or closes them.
fn next_declaration(text: &str, from: usize, braced: bool) -> usize {
    let mut at = from;
    while let Some(newline) = text[at..].find('\n') {
        at += newline + 1;
        let line = text[at..].lines().next().unwrap_or_default().trim();
        let mut s = Scanner::new(line);
        let named = s.name("").is_ok();
        let opens = line.starts_with("///") || (named && s.peek() == Some(b'(')) || line.starts_with("type ");
        if opens || line == "}" {
            return at;
        }
    }
    // A closing brace on the last line still closes.
    let end = text.trim_end().len();
    if braced && at < end && text[..end].ends_with('}') { end - 1 } else { text.len() }
}

impl Scanner<'_> {
    fn declaration(&mut self) -> Parsed<Declaration> {
        let doc = self.docs();
        let from = self.position();
        if self.identifier() == "type" {
            self.skip_space();
            // A tool may be called `type` too.
            if self.peek() != Some(b'(') {
                return self.type_declaration(doc).map(Declaration::Type);
            }
        }
        self.go_back_to(from);
        self.tool(doc).map(Declaration::Tool)
    }

    fn type_declaration(&mut self, doc: String) -> Parsed<Defined> {
        let from = self.position();
        let name = self.identifier().to_owned();
        let at = from..self.position();
        if name.is_empty() {
            return self.expected("the name of the type");
        }
        if is_reserved(&name) {
            let message = format!("`{name}` is a type of the language");
            return Err(Box::new(Diagnostic::error("repeated", message, at).hint("choose another name")));
        }
        self.skip_space();
        if !self.eat(b'=') {
            return self.expected("`=` and the type");
        }
        self.skip_space();
        let ty = self.ty()?;
        Ok(Defined { named: NamedType { name, doc, ty }, at })
    }

    fn tool(&mut self, doc: String) -> Parsed<Declared> {
        let from = self.position();
        let name = self.name("the declaration of a tool")?;
        let at = from..self.position();
        self.skip_space();
        if self.peek() != Some(b'(') {
            return self.expected("`(` after the tool's name");
        }
        let (params, _) = self.nested(|s| s.fields(b')', "a parameter's name or `)`"))?;
        self.skip_space();
        if !self.eat_str("->") {
            return self.expected("`->` and the type of the result");
        }
        self.skip_space();
        let result = self.ty()?;
        let mut errors = Vec::new();
        self.skip_space();
        if self.eat(b'!') {
            loop {
                self.skip_space();
                errors.push(self.error_type()?);
                self.skip_space();
                if !self.eat(b'|') {
                    break;
                }
            }
        }
        Ok(Declared { tool: Tool { name, doc, params, result, errors, types: Vec::new() }, at })
    }

    fn error_type(&mut self) -> Parsed<ErrorType> {
        let doc = self.docs();
        let name = self.name("the name of an error")?;
        if self.peek() != Some(b'(') {
            return Ok(ErrorType { name, doc, args: Vec::new() });
        }
        let args = self.nested(|s| {
            let mut args = Vec::new();
            s.skip_space();
            let mut more = !s.eat(b')');
            while more {
                args.push(s.ty()?);
                more = s.more(b')', "`,` or `)`")?;
            }
            Ok(args)
        })?;
        Ok(ErrorType { name, doc, args })
    }
}

impl Tool {
    /// Reads one declaration, with its `///` lines, and with the types that it names.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<Tool, Box<Diagnostic>> {
        let (mut found, wrong) = declarations(text);
        if let Some(first) = wrong.into_iter().next() {
            return Err(Box::new(first));
        }
        match (found.len(), found.pop()) {
            (1, Some(declared)) => Ok(declared.tool),
            (n, _) => {
                let message = format!("{n} tools are declared where one is read");
                Err(Box::new(Diagnostic::error("syntax", message, 0..text.len())))
            }
        }
    }

    /// Reads declarations, between braces (the body of a `tools` span) or bare.
    ///
    /// # Errors
    /// All mistakes in `text`, in order.
    pub fn parse_all(text: &str) -> Result<Vec<Tool>, Diagnostics> {
        let (found, wrong) = declarations(text);
        if wrong.is_empty() {
            Ok(found.into_iter().map(|d| d.tool).collect())
        } else {
            Err(Diagnostics(wrong))
        }
    }
}
