//! Tools from a TypeScript namespace: `type pay = (_: {to: string}) => any;`.

use super::cursor::Cursor;
use super::{Found, union};
use crate::adapters::json::parse_all;
use crate::adapters::loss::{Loss, Place, Read};
use crate::adapters::spelling::{COMPACT, json_body};
use crate::{Field, NamedType, Tool, Trace, Type, Value};

const HINT: &str = "a function is declared as `type pay = (_: {to: string, cents?: number}) => any;`";

/// Whether `text` begins with a namespace as Harmony prints it.
pub(crate) fn is_namespace(text: &str) -> bool {
    text.starts_with("namespace functions {")
}

/// Reads one text.
pub(crate) fn read(text: &str) -> Read<(Trace, Vec<Loss>)> {
    let mut r = Reader { c: Cursor::new(text, 0, "//"), found: Found::default() };
    r.declarations()?;
    r.found.resolve(|name| Place::of(text, text.find(name).unwrap_or(0)));
    r.found.into_trace()
}

struct Reader<'t> {
    c: Cursor<'t>,
    found: Found,
}

impl Reader<'_> {
    fn declarations(&mut self) -> Read<()> {
        let mut open = 0;
        loop {
            let doc = self.comments();
            if self.c.rest().is_empty() {
                return Ok(());
            }
            if open > 0 && self.c.eat("}") {
                open -= 1;
                continue;
            }
            if self.c.eat(";") {
                continue;
            }
            let mut word = self.c.name();
            while matches!(word, "export" | "declare") {
                word = self.c.name();
            }
            match word {
                "namespace" | "module" => {
                    self.c.name();
                    self.found.namespace = true;
                    self.c.need("{", "a namespace is opened: `namespace functions {`")?;
                    open += 1;
                }
                "type" => self.declaration(doc)?,
                "interface" => self.interface(doc)?,
                "function" => self.declared_function(doc)?,
                "import" => {
                    self.c.line();
                }
                _ => return self.c.expected("`type`, `interface`, `function` or `namespace`", HINT),
            }
        }
    }

    /// The comments at the cursor, as a description.
    fn comments(&mut self) -> String {
        let mut lines: Vec<&str> = Vec::new();
        loop {
            let rest = self.c.rest();
            let trimmed = rest.trim_start();
            self.c.at += rest.len() - trimmed.len();
            if let Some(line) = trimmed.strip_prefix("//") {
                let line = line.split('\n').next().unwrap_or_default().trim_end_matches('\r');
                self.c.line();
                lines.push(line.strip_prefix(' ').unwrap_or(line));
            } else if trimmed.starts_with("/*") {
                let end = trimmed.find("*/").unwrap_or(trimmed.len());
                let inside = trimmed[..end].trim_start_matches(['/', '*']);
                lines.extend(inside.trim().lines().map(|l| l.trim().trim_start_matches('*').trim()));
                self.c.at += (end + 2).min(trimmed.len());
            } else {
                return lines.join("\n");
            }
        }
    }

    fn declaration(&mut self, doc: String) -> Read<()> {
        let name = self.key()?;
        self.c.need("=", HINT)?;
        let at = self.c.at;
        let Some((params, rest)) = self.function()? else {
            self.c.at = at;
            let ty = self.ty()?;
            self.found.types.push(NamedType { name, doc, ty });
            return Ok(());
        };
        if let Some(place) = rest {
            self.found.lose(place, format!("further parameters of `{name}`"));
        }
        let result = self.ty()?;
        self.found.tools.push(Tool { name, doc, params, result, errors: Vec::new(), types: Vec::new() });
        Ok(())
    }

    /// `interface Point { x: number }`
    fn interface(&mut self, doc: String) -> Read<()> {
        let name = self.key()?;
        let place = self.c.place();
        if self.c.eat("extends") {
            self.found.lose(place, format!("what `{name}` extends"));
            self.c.word(|c| c != '{');
        }
        self.c.need("{", "the fields stand in braces: `interface Point { x: number }`")?;
        let ty = self.nested(Self::record)?;
        self.found.types.push(NamedType { name, doc, ty });
        Ok(())
    }

    /// `function pay(to: string, cents?: number): boolean;`
    fn declared_function(&mut self, doc: String) -> Read<()> {
        let name = self.key()?;
        let Some((params, rest)) = self.parameters()? else {
            return self.c.expected("the parameters", "as in `function pay(to: string): any;`");
        };
        if let Some(place) = rest {
            self.found.lose(place, format!("further parameters of `{name}`"));
        }
        let result = if self.c.eat(":") { self.ty()? } else { Type::Any };
        if self.c.peek() == Some('{') {
            return self.c.expected("`;`", "functions are declared, without what they do");
        }
        self.found.tools.push(Tool { name, doc, params, result, errors: Vec::new(), types: Vec::new() });
        Ok(())
    }

    /// The parameters of a function, up to its arrow; none where there is no function.
    fn function(&mut self) -> Read<Option<(Vec<Field>, Option<Place>)>> {
        let params = self.parameters()?;
        Ok(if params.is_some() && self.c.eat("=>") { params } else { None })
    }

    /// Parameters in brackets: one by one, or as the fields of a single record. None where there are none. The place is
    /// that of what allows further parameters.
    fn parameters(&mut self) -> Read<Option<(Vec<Field>, Option<Place>)>> {
        if !self.c.eat("(") {
            return Ok(None);
        }
        let (mut params, mut rest): (Vec<Field>, Option<Place>) = (Vec::new(), None);
        loop {
            let doc = self.comments();
            if self.c.eat(")") {
                break;
            }
            let place = self.c.place();
            let further = self.c.eat("...");
            let name = self.c.name().to_owned();
            let optional = self.c.eat("?");
            if name.is_empty() || !self.c.eat(":") {
                return Ok(None);
            }
            let ty = self.ty()?;
            match further {
                true => rest = Some(place),
                false => params.push(Field { name, doc, ty, optional, default: None }),
            }
            if !self.c.eat(",") {
                self.comments();
                self.c.need(")", "a comma stands between two parameters")?;
                break;
            }
        }
        if let [Field { ty: Type::Record(_) | Type::Open(..), .. }] = params.as_slice()
            && let Some(only) = params.pop()
        {
            match only.ty {
                Type::Record(fields) => params = fields,
                // A map is one parameter.
                Type::Open(fields, _) if !fields.is_empty() => {
                    rest = Some(self.c.place());
                    params = fields;
                }
                ty => params.push(Field { ty, ..only }),
            }
        }
        Ok(Some((params, rest)))
    }

    /// The name of a function, a type or a field.
    fn key(&mut self) -> Read<String> {
        self.c.space();
        if matches!(self.c.peek(), Some('"' | '\'')) {
            return match self.c.string() {
                Some(name) => Ok(name),
                None => self.c.expected("the end of the string", "close it with its quote"),
            };
        }
        // Harmony prints names as they are, hyphens too.
        let name = self.c.word(|c| c.is_alphanumeric() || "_$-.".contains(c));
        if name.is_empty() { self.c.expected("a name", HINT) } else { Ok(name.to_owned()) }
    }

    fn ty(&mut self) -> Read<Type> {
        self.c.eat("|");
        let mut types = vec![self.array()?];
        while self.c.eat("|") {
            types.push(self.array()?);
        }
        Ok(union(types, true))
    }

    fn array(&mut self) -> Read<Type> {
        self.c.eat("readonly ");
        let mut ty = self.primary()?;
        let mut marks = 0;
        while self.c.eat("[") {
            self.c.need("]", "a list is written `string[]`")?;
            ty = Type::List(Box::new(ty));
            marks += 1;
            if marks > 100 {
                return self.c.expected("fewer `[]`", "nest lists less deeply");
            }
        }
        Ok(ty)
    }

    fn primary(&mut self) -> Read<Type> {
        self.c.space();
        match self.c.peek() {
            Some('"' | '\'' | '`') => match self.c.string() {
                Some(text) => Ok(Type::Enum(vec![Value::Str(text)])),
                None => self.c.expected("the end of the string", "close it with its quote"),
            },
            Some('{') => {
                self.c.at += 1;
                self.nested(Self::record)
            }
            Some('[') => {
                self.c.at += 1;
                self.nested(Self::tuple)
            }
            Some('(') => {
                self.c.at += 1;
                let ty = self.nested(Self::ty)?;
                self.c.need(")", "close the bracket")?;
                Ok(ty)
            }
            Some(c) if c.is_ascii_digit() || c == '-' => match self.c.number() {
                Some(number) => Ok(Type::Enum(vec![number])),
                None => self.c.expected("a number", "numbers are written as in JSON"),
            },
            _ => {
                let place = self.c.place();
                let name = self.c.name().to_owned();
                self.named(name, place)
            }
        }
    }

    /// `[number, string]`, behind its opening bracket: a list of any of them.
    fn tuple(&mut self) -> Read<Type> {
        let place = self.c.place();
        let mut types: Vec<Type> = Vec::new();
        while !self.c.eat("]") {
            self.c.eat("...");
            // A place may have a name.
            let at = self.c.at;
            let named = !self.c.name().is_empty() && (self.c.eat("?:") || self.c.eat(":"));
            if !named {
                self.c.at = at;
            }
            let ty = self.ty()?;
            if !types.contains(&ty) {
                types.push(ty);
            }
            if !self.c.eat(",") {
                self.c.need("]", "a comma stands between two places")?;
                break;
            }
        }
        self.found.lose(place, "the places of a tuple");
        Ok(Type::List(Box::new(if types.is_empty() { Type::Any } else { union(types, true) })))
    }

    fn nested(&mut self, inside: impl FnOnce(&mut Self) -> Read<Type>) -> Read<Type> {
        self.c.enter()?;
        let ty = inside(self)?;
        self.c.leave();
        Ok(ty)
    }

    fn named(&mut self, name: String, place: Place) -> Read<Type> {
        let number = |b| Type::Enum(vec![Value::Bool(b)]);
        Ok(match name.as_str() {
            "any" | "unknown" | "object" => Type::Any,
            "string" => Type::Str,
            "number" => Type::Float,
            "integer" | "bigint" => Type::Int,
            "boolean" => Type::Bool,
            "null" | "undefined" | "void" => Type::Enum(vec![Value::Null]),
            "true" => number(true),
            "false" => number(false),
            "Array" | "ReadonlyArray" | "Set" => Type::List(Box::new(self.arguments(1)?.remove(0))),
            "Promise" | "Readonly" => self.arguments(1)?.remove(0),
            "Partial" => match self.arguments(1)?.remove(0) {
                Type::Record(fields) => {
                    Type::Record(fields.into_iter().map(|f| Field { optional: true, ..f }).collect())
                }
                other => other,
            },
            "Record" | "Map" => {
                let mut of = self.arguments(2)?;
                Type::Open(Vec::new(), Box::new(of.remove(1)))
            }
            "Date" => {
                self.found.lose(place, "that it is a date");
                Type::Str
            }
            "" => return self.c.expected("a type", HINT),
            _ => Type::Named(name),
        })
    }

    /// The arguments of a generic type, of which there are so many.
    fn arguments(&mut self, count: usize) -> Read<Vec<Type>> {
        self.c.need("<", "say of what: `Array<string>`")?;
        let mut all = Vec::new();
        loop {
            all.push(self.nested(Self::ty)?);
            if !self.c.eat(",") {
                break;
            }
        }
        self.c.need(">", "close it with `>`")?;
        if all.len() == count { Ok(all) } else { self.c.expected("another number of types", HINT) }
    }

    /// The fields of a record, and its closing brace.
    fn record(&mut self) -> Read<Type> {
        let (mut fields, mut rest): (Vec<Field>, Option<Type>) = (Vec::new(), None);
        loop {
            let doc = self.comments();
            if self.c.eat("}") {
                break;
            }
            self.c.eat("readonly ");
            if self.c.eat("[") {
                self.c.name();
                self.c.need(":", "further fields are declared as `[key: string]: any`")?;
                self.ty()?;
                self.c.need("]", "further fields are declared as `[key: string]: any`")?;
                self.c.need(":", "further fields are declared as `[key: string]: any`")?;
                rest = Some(self.ty()?);
                if !(self.c.eat(",") || self.c.eat(";")) {
                    self.c.need("}", "a comma stands between two fields")?;
                    break;
                }
                continue;
            }
            let name = self.key()?;
            let optional = self.c.eat("?");
            if self.c.peek() == Some('(') {
                let place = self.c.place();
                self.parameters()?;
                if self.c.eat(":") {
                    self.ty()?;
                }
                self.found.lose(place, format!("the method `{name}`"));
                if !(self.c.eat(",") || self.c.eat(";")) {
                    self.c.need("}", "a comma stands between two fields")?;
                    break;
                }
                continue;
            }
            self.c.need(":", "a field has a type: `to: string`")?;
            let ty = self.ty()?;
            let last = !(self.c.eat(",") || self.c.eat(";"));
            let default = self.default();
            fields.push(Field { name, doc, ty, optional: optional && default.is_none(), default });
            if last {
                self.comments();
                self.c.need("}", "a comma stands between two fields")?;
                break;
            }
        }
        Ok(match rest {
            Some(rest) => Type::Open(fields, Box::new(rest)),
            None => Type::Record(fields),
        })
    }

    /// What a comment behind a field, on its line, says is its default.
    fn default(&mut self) -> Option<Value> {
        let line = self.c.rest().split('\n').next()?;
        let text = line.trim_start().strip_prefix("//")?.trim().strip_prefix("default:")?.trim();
        self.c.line();
        let json = parse_all(text).is_ok_and(|n| n.len() == 1);
        let body = json.then(|| json_body(text, COMPACT)).flatten();
        Some(body.and_then(|b| Value::parse(&b).ok()).unwrap_or_else(|| Value::str(text)))
    }
}
