//! The reader of types and tool declarations.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Diagnostics, Parsed};
use crate::scan::{MAX_DEPTH, Scanner};
use crate::{ErrorType, Field, Tool, Type, Value, suggest};

/// The names of the types that have one.
const TYPE_NAMES: [&str; 6] = ["any", "bool", "int", "float", "str", "path"];

/// A tool with the place of its name.
pub(crate) struct Declared {
    pub(crate) tool: Tool,
    pub(crate) at: Range<usize>,
}

/// Reads all declarations of `text`, in braces or not; after a mistake it goes on at the next declaration.
pub(crate) fn declarations(text: &str) -> (Vec<Declared>, Vec<Diagnostic>) {
    let mut s = Scanner::new(text);
    let mut found = Vec::new();
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
            Some(_) => match s.tool() {
                Ok(declared) => found.push(declared),
                Err(d) => {
                    let from = s.position().max(d.range.start);
                    wrong.push(*d);
                    s.go_to(next_declaration(text, from, brace.is_some()));
                }
            },
        }
    }
    (found, wrong)
}

/// Where the next line after `from` begins that looks like a declaration or closes them.
fn next_declaration(text: &str, from: usize, braced: bool) -> usize {
    let mut at = from;
    while let Some(newline) = text[at..].find('\n') {
        at += newline + 1;
        let line = text[at..].lines().next().unwrap_or_default().trim();
        let mut s = Scanner::new(line);
        let opens = line.starts_with("///") || (s.name("").is_ok() && s.peek() == Some(b'('));
        if opens || line == "}" {
            return at;
        }
    }
    // A closing brace on the last line still closes.
    let end = text.trim_end().len();
    if braced && at < end && text[..end].ends_with('}') { end - 1 } else { text.len() }
}

impl Scanner<'_> {
    fn tool(&mut self) -> Parsed<Declared> {
        let mut doc: Option<String> = None;
        while self.eat_str("///") {
            let rest = &self.text()[self.position()..];
            let line = rest.split('\n').next().unwrap_or_default();
            self.go_to(self.position() + line.len());
            let line = line.strip_prefix(' ').unwrap_or(line);
            match &mut doc {
                Some(doc) => {
                    doc.push('\n');
                    doc.push_str(line);
                }
                None => doc = Some(line.to_owned()),
            }
            self.skip_space();
        }
        let from = self.position();
        let name = self.name("the declaration of a tool")?;
        let at = from..self.position();
        self.skip_space();
        if self.peek() != Some(b'(') {
            return self.expected("`(` after the tool's name");
        }
        let params = self.nested(|s| s.fields(b')', "a parameter's name or `)`"))?;
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
        Ok(Declared { tool: Tool { name, doc: doc.unwrap_or_default(), params, result, errors }, at })
    }

    /// Fields up to and with the bracket `close`.
    fn fields(&mut self, close: u8, what: &str) -> Parsed<Vec<Field>> {
        let mut fields = Vec::new();
        self.skip_space();
        let mut more = !self.eat(close);
        while more {
            let name = self.name(what)?;
            self.skip_space();
            if !self.eat(b':') {
                return self.expected("`:` and a type");
            }
            self.skip_space();
            let ty = self.ty()?;
            self.skip_space();
            let default = if self.eat(b'=') {
                self.skip_space();
                Some(self.value()?)
            } else {
                None
            };
            fields.push(Field { name, ty, default });
            more = self.more(close, if close == b')' { "`,` or `)`" } else { "`,` or `}`" })?;
        }
        Ok(fields)
    }

    fn error_type(&mut self) -> Parsed<ErrorType> {
        let name = self.name("the name of an error")?;
        if self.peek() != Some(b'(') {
            return Ok(ErrorType { name, args: Vec::new() });
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
        Ok(ErrorType { name, args })
    }

    fn ty(&mut self) -> Parsed<Type> {
        let mut alternatives: Vec<Type> = Vec::new();
        let mut after_literal = false;
        loop {
            let (ty, literal) = self.alternative()?;
            match (alternatives.last_mut(), ty) {
                (Some(Type::Enum(values)), Type::Enum(more)) if literal && after_literal => {
                    values.extend(more)
                }
                (_, ty) => alternatives.push(ty),
            }
            after_literal = literal;
            let end = self.position();
            self.skip_space();
            if !self.eat(b'|') {
                self.go_back_to(end);
                break;
            }
            self.skip_space();
        }
        match alternatives.len() {
            1 => Ok(alternatives.remove(0)),
            _ => Ok(Type::Union(alternatives)),
        }
    }

    /// One alternative of a union, and whether it is a literal without brackets.
    fn alternative(&mut self) -> Parsed<(Type, bool)> {
        let from = self.position();
        let (mut ty, mut literal) = match self.peek() {
            Some(b'"' | b'-' | b'0'..=b'9') => (Type::Enum(vec![self.value()?]), true),
            Some(b'[') => (Type::List(Box::new(self.nested(|s| s.closed_type(b']', "`]`"))?)), false),
            Some(b'(') => (self.nested(|s| s.closed_type(b')', "`|` or `)`"))?, false),
            Some(b'{') => (Type::Record(self.nested(|s| s.fields(b'}', "a field's name or `}`"))?), false),
            _ => match self.identifier() {
                "any" => (Type::Any, false),
                "bool" => (Type::Bool, false),
                "int" => (Type::Int, false),
                "float" => (Type::Float, false),
                "str" => (Type::Str, false),
                "path" => (Type::Path, false),
                "null" => (Type::Enum(vec![Value::Null]), true),
                "true" => (Type::Enum(vec![Value::Bool(true)]), true),
                "false" => (Type::Enum(vec![Value::Bool(false)]), true),
                "" => return self.expected("a type"),
                word => return Err(unknown_type(word, from..self.position())),
            },
        };
        let mut marks = 0;
        while self.eat(b'?') {
            marks += 1;
            if marks > MAX_DEPTH {
                return Err(Box::new(Diagnostic::error(
                    "too-deep",
                    format!("more than {MAX_DEPTH} `?` in a row"),
                    from..self.position(),
                )));
            }
            (ty, literal) = (Type::Optional(Box::new(ty)), false);
        }
        Ok((ty, literal))
    }

    fn closed_type(&mut self, close: u8, what: &str) -> Parsed<Type> {
        self.skip_space();
        let ty = self.ty()?;
        self.skip_space();
        if self.eat(close) { Ok(ty) } else { self.expected(what) }
    }
}

fn unknown_type(word: &str, at: Range<usize>) -> Box<Diagnostic> {
    let hint = match word.to_lowercase().as_str() {
        "string" | "text" => Some("did you mean `str`?".to_owned()),
        "integer" => Some("did you mean `int`?".to_owned()),
        "number" | "double" => Some("did you mean `float`?".to_owned()),
        "boolean" => Some("did you mean `bool`?".to_owned()),
        "list" | "array" => Some("a list of strings is written `[str]`".to_owned()),
        "object" | "record" | "dict" | "map" => {
            Some("a record is written `{name: str, size: int}`".to_owned())
        }
        "none" | "void" | "nil" | "unit" => Some("did you mean `null`?".to_owned()),
        _ => suggest::hint(word, TYPE_NAMES),
    };
    Box::new(Diagnostic::error("unknown-type", format!("there is no type `{word}`"), at).maybe_hint(hint))
}

impl Type {
    /// Reads one type, with white space around it or not.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<Type, Box<Diagnostic>> {
        let mut s = Scanner::new(text);
        s.skip_space();
        let ty = s.ty()?;
        s.end("the type")?;
        Ok(ty)
    }
}

impl Tool {
    /// Reads one declaration, with its `///` lines.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<Tool, Box<Diagnostic>> {
        let mut s = Scanner::new(text);
        s.skip_space();
        let declared = s.tool()?;
        s.end("the declaration")?;
        Ok(declared.tool)
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
