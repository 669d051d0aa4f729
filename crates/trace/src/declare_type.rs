//! The reader of types.

use std::ops::Range;

use crate::diagnostic::{Diagnostic, Parsed};
use crate::scan::{MAX_DEPTH, Scanner};
use crate::{Bounds, Field, Type, Value, suggest};

/// The names of the types that have one.
const TYPE_NAMES: [&str; 6] = ["any", "bool", "int", "float", "str", "path"];

/// Whether `name` means something in a type already.
pub(crate) fn is_reserved(name: &str) -> bool {
    TYPE_NAMES.contains(&name) || matches!(name, "null" | "true" | "false")
}

impl Scanner<'_> {
    /// The lines `///` at the cursor, each without one leading space, and the white space behind them.
    pub(crate) fn docs(&mut self) -> String {
        let mut doc: Option<String> = None;
        while self.eat_str("///") {
            let rest = &self.text()[self.position()..];
            let line = rest.split('\n').next().unwrap_or_default();
            self.go_back_to(self.position() + line.len());
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
        doc.unwrap_or_default()
    }

    /// Fields up to and with the bracket `close`, and the type of further ones, which only a record may allow.
    pub(crate) fn fields(&mut self, close: u8, what: &str) -> Parsed<(Vec<Field>, Option<Type>)> {
        let mut fields = Vec::new();
        self.skip_space();
        let mut more = !self.eat(close);
        while more {
            let doc = self.docs();
            if close == b'}' && self.eat(b'*') {
                self.skip_space();
                let ty = self.field_type()?;
                if self.more(close, "`}`")? {
                    return self.expected("`}`: nothing follows the type of further fields");
                }
                return Ok((fields, Some(ty)));
            }
            let name = self.name(what)?;
            self.skip_space();
            let optional = self.eat(b'?');
            self.skip_space();
            let ty = self.field_type()?;
            self.skip_space();
            let default = if self.eat(b'=') {
                self.skip_space();
                Some(self.value()?)
            } else {
                None
            };
            // What has a default may be left out anyway.
            let optional = optional && default.is_none();
            fields.push(Field { name, doc, ty, optional, default });
            more = self.more(close, if close == b')' { "`,` or `)`" } else { "`,` or `}`" })?;
        }
        Ok((fields, None))
    }

    fn field_type(&mut self) -> Parsed<Type> {
        if !self.eat(b':') {
            return self.expected("`:` and a type");
        }
        self.skip_space();
        self.ty()
    }

    pub(crate) fn ty(&mut self) -> Parsed<Type> {
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
            Some(b'{') => {
                let (fields, rest) = self.nested(|s| s.fields(b'}', "a field's name or `}`"))?;
                let ty = match rest {
                    Some(rest) => Type::Open(fields, Box::new(rest)),
                    None => Type::Record(fields),
                };
                (ty, false)
            }
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
                word => {
                    let named = Type::Named(word.to_owned());
                    self.note_type(from..self.position());
                    (named, false)
                }
            },
        };
        if !literal && self.peek() == Some(b'(') {
            let bounds = self.nested(|s| s.bounds(&ty))?;
            if !bounds.is_empty() {
                ty = Type::Bounded(Box::new(ty), bounds);
            }
        }
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

    /// What narrows `ty`, up to and with the closing bracket.
    fn bounds(&mut self, ty: &Type) -> Parsed<Bounds> {
        let mut bounds = Bounds::default();
        let mut more = true;
        while more {
            self.skip_space();
            let from = self.position();
            let name = self.identifier();
            if name.is_empty() {
                return self.expected("a bound, as in `int(min=0)`,");
            }
            let twice = bounds.given().any(|(given, _)| given == name);
            self.skip_space();
            if !self.eat(b'=') {
                return self.expected("`=` after the bound's name");
            }
            self.skip_space();
            let value = self.value()?;
            let set =
                if twice { Err(format!("`{name}` is given twice")) } else { bounds.set(ty, name, value) };
            if let Err(message) = set {
                let hint = bounds_hint(ty);
                let d = Diagnostic::error("bound", message, from..self.position()).hint(hint);
                self.note_wrong(d);
            }
            more = self.more(b')', "`,` or `)`")?;
        }
        Ok(bounds)
    }

    fn closed_type(&mut self, close: u8, what: &str) -> Parsed<Type> {
        self.skip_space();
        let ty = self.ty()?;
        self.skip_space();
        if self.eat(close) { Ok(ty) } else { self.expected(what) }
    }
}

/// How bounds of a type are written.
fn bounds_hint(ty: &Type) -> &'static str {
    match ty {
        Type::Int | Type::Float => "bounds of a number are written `int(min=0, max=10)`",
        Type::Str | Type::Path => "bounds of a text are written `str(max=80, pattern=\"^[a-z]+$\")`",
        Type::List(_) => "bounds of a list are written `[str](min=1, unique=true)`",
        Type::Open(..) => "bounds of an open record are written `{*: int}(max=10)`",
        _ => "numbers, texts, lists and open records have bounds; leave them out here",
    }
}

/// The message for a type that is neither of the language nor among the `declared`.
pub(crate) fn unknown_type<'a>(
    word: &str,
    declared: impl Iterator<Item = &'a str> + Clone,
    at: Range<usize>,
) -> Box<Diagnostic> {
    let hint = match word.to_lowercase().as_str() {
        "string" | "text" => Some("did you mean `str`?".to_owned()),
        "integer" => Some("did you mean `int`?".to_owned()),
        "number" | "double" => Some("did you mean `float`?".to_owned()),
        "boolean" => Some("did you mean `bool`?".to_owned()),
        "list" | "array" => Some("a list of strings is written `[str]`".to_owned()),
        "object" | "record" => Some("a record is written `{name: str, size: int}`".to_owned()),
        "dict" | "map" => Some("a map to numbers is written `{*: int}`".to_owned()),
        "none" | "void" | "nil" | "unit" => Some("did you mean `null`?".to_owned()),
        _ => suggest::hint(word, TYPE_NAMES.into_iter().chain(declared)),
    };
    Box::new(Diagnostic::error("unknown-type", format!("there is no type `{word}`"), at).maybe_hint(hint))
}

impl Type {
    /// Reads one type, with white space around it or not. Types that are declared by name are known to
    /// [`crate::Tool::parse_all`] alone.
    ///
    /// # Errors
    /// Says what is wrong and which bytes of `text` it is about.
    pub fn parse(text: &str) -> Result<Type, Box<Diagnostic>> {
        let mut s = Scanner::new(text);
        s.skip_space();
        let ty = s.ty()?;
        s.end("the type")?;
        if let Some(wrong) = s.take_wrong().into_iter().next() {
            return Err(Box::new(wrong));
        }
        match s.named_types().into_iter().next() {
            Some(at) => Err(unknown_type(&text[at.clone()], std::iter::empty(), at)),
            None => Ok(ty),
        }
    }
}
