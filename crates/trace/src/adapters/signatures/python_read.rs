//! Tools from Python: functions with their annotations and docstrings. What the functions do is skipped.

use super::cursor::Cursor;
use super::docstring::Docstring;
use super::{Found, union};
use crate::adapters::loss::{Loss, Place, Read};
use crate::{Bounds, ErrorType, Field, NamedType, Tool, Trace, Type, Value};

const HINT: &str = "a function is declared as `def pay(to: str, cents: int = 100) -> bool:`";

/// Reads one text. Private functions (`_pay`) and those inside others are no tools.
pub(crate) fn read(text: &str) -> Read<(Trace, Vec<Loss>)> {
    let mut r = Reader { c: Cursor::new(text, 0, "#"), found: Found::default() };
    r.module()?;
    r.found.resolve(|name| Place::of(text, text.find(name).unwrap_or(0)));
    r.found.into_trace()
}

struct Reader<'t> {
    c: Cursor<'t>,
    found: Found,
}

/// What stands beside a type in `Annotated`, or in a call of pydantic's `Field`.
#[derive(Default)]
struct Notes {
    doc: String,
    default: Option<Value>,
    required: bool,
    optional: bool,
    bounds: Vec<(&'static str, Value)>,
}

impl Notes {
    /// The type with its bounds; those that it cannot have are listed.
    fn bound(&self, ty: Type) -> (Type, Vec<String>) {
        let mut bounds = Bounds::default();
        let mut wrong = Vec::new();
        for (name, value) in &self.bounds {
            wrong.extend(bounds.set(&ty, name, value.clone()).err());
        }
        (if bounds.is_empty() { ty } else { Type::Bounded(Box::new(ty), bounds) }, wrong)
    }
}

impl Reader<'_> {
    fn module(&mut self) -> Read<()> {
        // The indentation of the function whose body is being skipped.
        let mut inside: Option<usize> = None;
        let mut comments: Vec<String> = Vec::new();
        while !self.c.rest().is_empty() {
            let start = self.c.at;
            let line = self.c.rest().split('\n').next().unwrap_or_default();
            let code = line.trim_start_matches([' ', '\t']);
            let depth = line.len() - code.len();
            let blank = code.trim().is_empty();
            if !blank && !code.starts_with(['#', ')']) && inside.is_some_and(|d| depth <= d) {
                inside = None;
            }
            self.c.at += depth;
            if blank || inside.is_some() {
                self.skip_line();
                continue;
            }
            if let Some(comment) = code.strip_prefix('#') {
                comments.push(comment.strip_prefix(' ').unwrap_or(comment).trim_end().to_owned());
                self.c.line();
                continue;
            }
            let doc = std::mem::take(&mut comments).join("\n");
            let code = code.strip_prefix("async ").map_or(code, str::trim_start);
            if code.starts_with("def ") {
                self.c.at = start + line.len() - code.len() + 4;
                self.function()?;
                inside = Some(depth);
            } else if code.starts_with("class ") {
                self.c.at += 6;
                self.class(depth)?;
            } else if code.starts_with("type ") && code.contains('=') {
                self.c.at += 5;
                let name = self.c.name().to_owned();
                if !name.is_empty() && self.c.eat("=") {
                    let ty = self.ty()?;
                    self.found.types.push(NamedType { name, doc, ty });
                }
                self.skip_line();
            } else {
                self.skip_line();
            }
        }
        Ok(())
    }

    /// Goes behind the line, and behind the strings in it, which may run over several.
    fn skip_line(&mut self) {
        loop {
            let rest = self.c.rest();
            let Some(at) = rest.find(['\n', '"', '\'', '#']) else {
                self.c.at = self.c.text.len();
                return;
            };
            self.c.at += at;
            match rest.as_bytes()[at] {
                b'\n' => {
                    self.c.at += 1;
                    return;
                }
                b'#' => {
                    self.c.line();
                    return;
                }
                _ => {
                    let from = self.c.at;
                    // A quote that is never closed is a character like another.
                    if self.c.string().is_none() {
                        self.c.at = from + 1;
                    }
                }
            }
        }
    }

    fn function(&mut self) -> Read<()> {
        let place = self.c.place();
        let name = self.c.name().to_owned();
        if name.is_empty() {
            return self.c.expected("the name of the function", HINT);
        }
        if self.c.eat("[") {
            // Type parameters are types like others, which are not known.
            self.brackets()?;
        }
        self.c.need("(", HINT)?;
        let mut params = Vec::new();
        while !self.c.eat(")") {
            if self.c.eat("/") {
                self.c.eat(",");
                continue;
            }
            let further = self.c.eat("**") || self.c.eat("*");
            if further && self.c.eat(",") {
                continue;
            }
            let field = self.parameter()?;
            if further {
                let place = self.c.place();
                self.found.lose(place, format!("further arguments of `{name}` (`{}`)", field.name));
            } else if !(params.is_empty() && matches!(field.name.as_str(), "self" | "cls")) {
                params.push(field);
            }
            if !self.c.eat(",") {
                self.c.need(")", "a comma stands between two parameters")?;
                break;
            }
        }
        let result = if self.c.eat("->") { self.ty()? } else { Type::Any };
        self.c.need(":", HINT)?;
        let doc = self.docstring();
        if name.starts_with('_') {
            return Ok(());
        }
        for (param, text) in doc.params {
            match params.iter_mut().find(|p| p.name == param) {
                Some(p) => p.doc = text,
                None if param.is_empty() => {}
                None => self
                    .found
                    .lose(place.clone(), format!("what `{name}` says of `{param}`, which it has not")),
            }
        }
        let mut errors = Vec::new();
        for (head, text) in doc.raises {
            let mut reader = Reader { c: Cursor::new(&head, 0, "#"), found: Found::default() };
            match reader.error(&text) {
                Some(error) => errors.push(error),
                None => self.found.lose(place.clone(), format!("the error `{head}` of `{name}`")),
            }
        }
        let tool = Tool { name, doc: doc.text, params, result, errors, types: Vec::new() };
        self.found.tools.push(tool);
        Ok(())
    }

    /// An error of the docstring: `NotFound(str)`.
    fn error(&mut self, doc: &str) -> Option<ErrorType> {
        let mut name = self.c.name().to_owned();
        while self.c.eat(".") {
            self.c.name().clone_into(&mut name);
        }
        let mut args = Vec::new();
        if self.c.eat("(") {
            while !self.c.eat(")") {
                args.push(self.ty().ok()?);
                if !self.c.eat(",") {
                    self.c.eat(")").then_some(())?;
                    break;
                }
            }
        }
        let whole = !name.is_empty() && self.c.rest().trim().is_empty();
        whole.then(|| ErrorType { name, doc: doc.to_owned(), args })
    }

    fn docstring(&mut self) -> Docstring {
        let from = self.c.at;
        self.c.space();
        self.c.word(|c| "rRuU".contains(c));
        match self.c.string() {
            Some(raw) => Docstring::read(&raw),
            None => {
                self.c.at = from;
                Docstring::default()
            }
        }
    }

    /// `name: type = default`
    fn parameter(&mut self) -> Read<Field> {
        let name = self.c.name().to_owned();
        if name.is_empty() {
            return self.c.expected("the name of a parameter", HINT);
        }
        let (mut ty, mut notes) = (Type::Any, Notes::default());
        if self.c.eat(":") {
            (ty, notes) = self.annotation()?;
        }
        if self.c.eat("=") {
            self.default(&mut ty, &mut notes)?;
        }
        Ok(self.field(name, ty, notes))
    }

    fn field(&mut self, name: String, ty: Type, notes: Notes) -> Field {
        let (ty, wrong) = notes.bound(ty);
        for what in wrong {
            let place = self.c.place();
            self.found.lose(place, what);
        }
        let optional = notes.optional && notes.default.is_none() && !notes.required;
        Field { name, doc: notes.doc, ty, optional, default: notes.default }
    }

    /// What stands behind `=`.
    fn default(&mut self, ty: &mut Type, notes: &mut Notes) -> Read<()> {
        let from = self.c.at;
        let place = self.c.place();
        notes.optional = true;
        if self.c.eat("...") {
            return Ok(());
        }
        if self.c.eat("Field") && self.c.eat("(") {
            notes.optional = false;
            return self.notes(ty, notes);
        }
        let value = self.literal();
        let after = self.c.at;
        self.c.space();
        let ended = self.c.text[after..self.c.at].contains('\n')
            || matches!(self.c.rest().chars().next(), None | Some(',' | ')' | '}' | ']'));
        self.c.at = after;
        match value {
            Some(value) if ended => notes.default = Some(value),
            _ => {
                self.c.at = from;
                self.expression();
                let what: String = self.c.text[from..self.c.at].trim().chars().take(40).collect();
                self.found.lose(place, format!("the default `{what}`"));
            }
        }
        Ok(())
    }

    /// Goes behind an expression: up to a comma or a bracket that it did not open, or the end of the line outside brackets.
    fn expression(&mut self) {
        let mut depth = 0;
        while let Some(c) = self.c.rest().chars().next() {
            match c {
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' if depth == 0 => return,
                ')' | ']' | '}' => depth -= 1,
                ',' | '\n' if depth == 0 => return,
                '"' | '\'' => {
                    let at = self.c.at;
                    if self.c.string().is_some() {
                        continue;
                    }
                    self.c.at = at;
                }
                _ => {}
            }
            self.c.at += c.len_utf8();
        }
    }

    /// Goes behind a closing bracket.
    fn brackets(&mut self) -> Read<()> {
        loop {
            self.expression();
            if self.c.eat(",") {
                continue;
            }
            self.c.space();
            if self.c.rest().starts_with([')', ']', '}']) {
                self.c.at += 1;
                return Ok(());
            }
            if self.c.rest().is_empty() {
                return self.c.expected("a closing bracket", "close what was opened");
            }
            self.c.at += self.c.rest().chars().next().map_or(0, char::len_utf8);
        }
    }

    /// A literal of Python; none where there is anything else.
    fn literal(&mut self) -> Option<Value> {
        let depth = self.c.depth;
        let value = self.constant();
        self.c.depth = depth;
        value
    }

    fn constant(&mut self) -> Option<Value> {
        self.c.space();
        let rest = self.c.rest();
        let prefixed =
            rest.len() > 1 && rest.starts_with(['r', 'R', 'u', 'U']) && rest[1..].starts_with(['"', '\'']);
        if prefixed {
            self.c.at += 1;
        }
        match self.c.rest().chars().next()? {
            '"' | '\'' => {
                let mut text = self.c.string()?;
                // Strings that stand next to each other are one.
                loop {
                    let rest = self.c.rest();
                    let inside = self.c.depth > 0;
                    let next = rest.trim_start_matches(|c| c == ' ' || c == '\t' || (inside && c == '\n'));
                    if !next.starts_with(['"', '\'']) {
                        return Some(Value::Str(text));
                    }
                    self.c.at += rest.len() - next.len();
                    text.push_str(&self.c.string()?);
                }
            }
            '[' => self.items(']').map(Value::List),
            '(' => {
                let from = self.c.at;
                let mut items = self.items(')')?;
                // Brackets around one thing are only brackets.
                let tuple = items.len() != 1 || self.c.text[from..self.c.at - 1].trim_end().ends_with(',');
                Some(if tuple { Value::List(items) } else { items.remove(0) })
            }
            '{' => {
                self.c.at += 1;
                self.c.enter().ok()?;
                let mut fields = Vec::new();
                while !self.c.eat("}") {
                    let name = match self.literal()? {
                        Value::Str(name) => name,
                        _ => return None,
                    };
                    self.c.eat(":").then_some(())?;
                    fields.push((name, self.literal()?));
                    if !self.c.eat(",") {
                        self.c.eat("}").then_some(())?;
                        break;
                    }
                }
                self.c.leave();
                Some(Value::Record(fields))
            }
            c if c.is_ascii_digit() || matches!(c, '-' | '+' | '.') => self.c.number(),
            _ => {
                let at = self.c.at;
                let value = match self.c.name() {
                    "None" => Value::Null,
                    "True" => Value::Bool(true),
                    "False" => Value::Bool(false),
                    _ => {
                        self.c.at = at;
                        return None;
                    }
                };
                Some(value)
            }
        }
    }

    fn items(&mut self, close: char) -> Option<Vec<Value>> {
        self.c.at += 1;
        self.c.enter().ok()?;
        let close = close.to_string();
        let mut items = Vec::new();
        while !self.c.eat(&close) {
            items.push(self.literal()?);
            if !self.c.eat(",") {
                self.c.eat(&close).then_some(())?;
                break;
            }
        }
        self.c.leave();
        Some(items)
    }

    fn ty(&mut self) -> Read<Type> {
        let noted = self.annotation()?;
        Ok(self.bounded(noted))
    }

    /// The type with the bounds that its notes state.
    fn bounded(&mut self, (ty, notes): (Type, Notes)) -> Type {
        let (ty, wrong) = notes.bound(ty);
        for what in wrong {
            let place = self.c.place();
            self.found.lose(place, what);
        }
        ty
    }

    /// A type, with what is said of the field that has it.
    fn annotation(&mut self) -> Read<(Type, Notes)> {
        self.c.enter()?;
        let first = self.primary()?;
        if !self.c.eat("|") {
            self.c.leave();
            return Ok(first);
        }
        let mut types = vec![self.bounded(first)];
        loop {
            let next = self.primary()?;
            types.push(self.bounded(next));
            if !self.c.eat("|") {
                break;
            }
        }
        self.c.leave();
        Ok((union(types, false), Notes::default()))
    }

    fn primary(&mut self) -> Read<(Type, Notes)> {
        self.c.space();
        let plain = |ty| Ok((ty, Notes::default()));
        let place = self.c.place();
        match self.c.peek() {
            Some('"' | '\'') => {
                let Some(text) = self.c.string() else {
                    return self.c.expected("the end of the string", "close it with its quote");
                };
                // The name of a type that is declared further down.
                let mut inner = Reader { c: Cursor::new(&text, 0, "#"), found: Found::default() };
                return match inner.ty() {
                    Ok(ty) if inner.c.rest().trim().is_empty() => plain(ty),
                    _ => {
                        self.found.lose(place, format!("the type `{text}`"));
                        plain(Type::Any)
                    }
                };
            }
            Some('(') => {
                self.c.at += 1;
                let inner = self.annotation()?;
                self.c.need(")", "close the bracket")?;
                return Ok(inner);
            }
            Some('[') => {
                // A list of types, as in `Callable[[int], str]`.
                self.c.at += 1;
                self.brackets()?;
                return plain(Type::Any);
            }
            Some('.') if self.c.eat("...") => return plain(Type::Any),
            _ => {}
        }
        let mut name = self.c.name().to_owned();
        if name.is_empty() {
            return self.c.expected("a type", HINT);
        }
        while self.c.rest().starts_with('.') && self.c.eat(".") {
            self.c.name().clone_into(&mut name);
        }
        if name == "TypedDict" && self.c.eat("(") {
            return plain(self.typed_dict()?);
        }
        if self.c.rest().starts_with('[') {
            self.c.at += 1;
            return self.generic(&name, place);
        }
        plain(self.simple(name))
    }

    fn simple(&mut self, name: String) -> Type {
        let formatted = |format: &str| {
            let bounds = Bounds { format: Some(format.to_owned()), ..Bounds::default() };
            Type::Bounded(Box::new(Type::Str), bounds)
        };
        match name.as_str() {
            "Any" | "object" => Type::Any,
            "bool" => Type::Bool,
            "int" => Type::Int,
            "float" => Type::Float,
            "str" => Type::Str,
            "Path" | "PurePath" | "PathLike" => Type::Path,
            "None" | "NoneType" => Type::Enum(vec![Value::Null]),
            "list" | "List" | "tuple" | "Tuple" | "set" | "Set" | "Sequence" | "Iterable" => {
                Type::List(Box::new(Type::Any))
            }
            "dict" | "Dict" | "Mapping" => Type::Open(Vec::new(), Box::new(Type::Any)),
            "datetime" => formatted("date-time"),
            "date" => formatted("date"),
            "time" => formatted("time"),
            "UUID" => formatted("uuid"),
            _ => Type::Named(name),
        }
    }

    /// A type with arguments, behind its opening bracket.
    fn generic(&mut self, name: &str, place: Place) -> Read<(Type, Notes)> {
        const CLOSE: &str = "close it with `]`";
        if name == "Literal" {
            let mut values = Vec::new();
            while !self.c.eat("]") {
                match self.literal() {
                    Some(value) => values.push(value),
                    None => {
                        self.expression();
                        let place = self.c.place();
                        self.found.lose(place, "a literal that is no constant");
                    }
                }
                if !self.c.eat(",") {
                    self.c.need("]", CLOSE)?;
                    break;
                }
            }
            let ty = if values.is_empty() { Type::Any } else { Type::Enum(values) };
            return Ok((ty, Notes::default()));
        }
        if name == "Annotated" {
            let (mut ty, mut notes) = self.annotation()?;
            while self.c.eat(",") {
                if matches!(self.c.peek(), Some(']')) {
                    break;
                }
                self.note(&mut ty, &mut notes)?;
            }
            self.c.need("]", CLOSE)?;
            return Ok((ty, notes));
        }
        if matches!(name, "NotRequired" | "Required" | "ReadOnly" | "Final" | "ClassVar" | "Awaitable") {
            let (ty, mut notes) = self.annotation()?;
            notes.optional |= name == "NotRequired";
            self.c.need("]", CLOSE)?;
            return Ok((ty, notes));
        }
        let mut all = vec![self.ty()?];
        while self.c.eat(",") && !matches!(self.c.peek(), Some(']')) {
            all.push(self.ty()?);
        }
        self.c.need("]", CLOSE)?;
        let several = all.len() > 1;
        let ty = match name {
            "Optional" => {
                let inner = all.remove(0);
                if matches!(inner, Type::Optional(_)) { inner } else { Type::Optional(Box::new(inner)) }
            }
            "Union" => union(all, false),
            "list" | "List" | "Sequence" | "Iterable" | "Collection" | "set" | "Set" | "frozenset"
            | "FrozenSet" | "Iterator" | "MutableSequence" | "AsyncIterator" => {
                Type::List(Box::new(all.remove(0)))
            }
            "tuple" | "Tuple" => {
                let same = all.iter().skip(1).all(|t| *t == all[0] || *t == Type::Any);
                if several && !(same && all.len() == 2 && all[1] == Type::Any) {
                    self.found.lose(place, "the length of a tuple, and which type stands where");
                }
                let item = if same { all.remove(0) } else { union(all, false) };
                Type::List(Box::new(item))
            }
            "dict" | "Dict" | "Mapping" | "MutableMapping" | "defaultdict" | "OrderedDict" if several => {
                Type::Open(Vec::new(), Box::new(all.remove(1)))
            }
            _ => {
                self.found.lose(place, format!("the type `{name}[…]`"));
                Type::Any
            }
        };
        Ok((ty, Notes::default()))
    }

    /// One of the notes of `Annotated`.
    fn note(&mut self, ty: &mut Type, notes: &mut Notes) -> Read<()> {
        let from = self.c.at;
        if let Some(Value::Str(doc)) = self.literal() {
            notes.doc = doc;
            return Ok(());
        }
        self.c.at = from;
        let name = self.c.name();
        if matches!(name, "Field" | "Param") && self.c.eat("(") {
            return self.notes(ty, notes);
        }
        if matches!(name, "Doc")
            && self.c.eat("(")
            && let Some(Value::Str(doc)) = self.literal()
        {
            notes.doc = doc;
            return self.c.need(")", "close the bracket");
        }
        self.c.at = from;
        self.expression();
        let what: String = self.c.text[from..self.c.at].trim().chars().take(40).collect();
        let place = self.c.place();
        self.found.lose(place, format!("the note `{what}`"));
        Ok(())
    }

    /// The arguments of `Field`, behind its opening bracket.
    fn notes(&mut self, ty: &mut Type, notes: &mut Notes) -> Read<()> {
        let of_numbers = matches!(ty, Type::Int | Type::Float);
        let mut first = true;
        while !self.c.eat(")") {
            let place = self.c.place();
            let from = self.c.at;
            let mut key = self.c.name().to_owned();
            if key.is_empty() || !self.c.eat("=") {
                self.c.at = from;
                key = if first { "default".to_owned() } else { String::new() };
            }
            first = false;
            let start = self.c.at;
            if self.c.eat("...") {
                notes.required |= key == "default";
                self.c.eat(",");
                continue;
            }
            let value = self.literal();
            let bound = match key.as_str() {
                "ge" => Some("min"),
                "le" => Some("max"),
                "gt" => Some("above"),
                "lt" => Some("below"),
                "multiple_of" => Some("step"),
                "min_length" if !of_numbers => Some("min"),
                "max_length" if !of_numbers => Some("max"),
                "pattern" | "regex" => Some("pattern"),
                _ => None,
            };
            match (key.as_str(), value, bound) {
                (_, Some(value), Some(bound)) => notes.bounds.push((bound, value)),
                ("description", Some(Value::Str(doc)), _) => notes.doc = doc,
                ("default", Some(value), _) => {
                    notes.default = Some(value);
                    notes.optional = true;
                }
                ("json_schema_extra", Some(Value::Record(extra)), _) => {
                    for (name, value) in extra {
                        match name.as_str() {
                            "format" => notes.bounds.push(("format", value)),
                            "uniqueItems" => notes.bounds.push(("unique", value)),
                            _ => self.found.lose(place.clone(), format!("`{name}` of a field")),
                        }
                    }
                }
                (key, _, _) => {
                    self.c.at = start;
                    self.expression();
                    notes.optional |= key == "default_factory" || key == "default";
                    self.found.lose(place, format!("`{key}` of a field"));
                }
            }
            if !self.c.eat(",") {
                self.c.need(")", "close the bracket")?;
                break;
            }
        }
        Ok(())
    }

    /// `TypedDict("Point", {"x": float}, extra_items=Any)`, behind its opening bracket.
    fn typed_dict(&mut self) -> Read<Type> {
        self.literal();
        self.c.need(",", "a name and the fields: `TypedDict(\"Point\", {\"x\": float})`")?;
        self.c.need("{", "the fields stand in braces")?;
        let mut fields = Vec::new();
        while !self.c.eat("}") {
            let Some(Value::Str(name)) = self.literal() else {
                return self.c.expected("the name of a field", "names stand in quotes");
            };
            self.c.need(":", "a type follows the name")?;
            let (ty, notes) = self.annotation()?;
            fields.push(self.field(name, ty, notes));
            if !self.c.eat(",") {
                self.c.need("}", "a comma stands between two fields")?;
                break;
            }
        }
        let mut rest = None;
        while self.c.eat(",") {
            match self.c.name() {
                "" => break,
                "extra_items" => {
                    self.c.need("=", "as in `extra_items=int`")?;
                    rest = Some(self.ty()?);
                }
                _ => self.expression(),
            }
        }
        self.c.need(")", "close the bracket")?;
        Ok(match rest {
            Some(rest) => Type::Open(fields, Box::new(rest)),
            None => Type::Record(fields),
        })
    }

    /// The values of an enum's members, each on a line deeper than `depth`: `NORTH = "n"`.
    fn members(&mut self, depth: usize) -> Vec<Value> {
        let mut values = Vec::new();
        while !self.c.rest().is_empty() {
            let line = self.c.rest().split('\n').next().unwrap_or_default();
            let code = line.trim_start_matches([' ', '\t']);
            if !code.trim().is_empty() && line.len() - code.len() <= depth {
                break;
            }
            let from = self.c.at;
            let is_member = code.split_once('=').is_some_and(|(name, _)| {
                let name = name.trim_end();
                !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_')
            });
            if code.starts_with(['@']) || ["def ", "async ", "class "].iter().any(|w| code.starts_with(w)) {
                break;
            }
            if is_member {
                self.c.name();
                self.c.eat("=");
                let place = self.c.place();
                match self.literal() {
                    Some(value) => values.push(value),
                    None => self.found.lose(place, "a member of an enum that is no constant"),
                }
            }
            if self.c.at == from || !self.c.text[from..self.c.at].contains('\n') {
                self.c.line();
            }
        }
        values
    }

    /// A class: where it is a record or an enum, a type. Methods are functions like others.
    fn class(&mut self, depth: usize) -> Read<()> {
        let name = self.c.name().to_owned();
        let (mut record, mut literals) = (false, false);
        let before = self.c.text[..self.c.at].rsplit('\n').nth(1).unwrap_or_default().trim();
        record |= before.starts_with("@dataclass") || before.starts_with("@dataclasses.dataclass");
        if self.c.eat("(") {
            let from = self.c.at;
            self.brackets()?;
            let bases = &self.c.text[from..self.c.at];
            record |= ["TypedDict", "BaseModel", "NamedTuple"].iter().any(|b| bases.contains(b));
            literals = bases.contains("Enum");
        }
        self.c.eat(":");
        if !(record || literals) || name.is_empty() {
            self.c.line();
            return Ok(());
        }
        let doc = self.docstring();
        let from = self.c.at;
        self.skip_line();
        if doc.text.is_empty() && doc.params.is_empty() {
            self.c.at = from;
            self.c.line();
        }
        if literals {
            let values = self.members(depth);
            if !values.is_empty() {
                self.found.types.push(NamedType { name, doc: doc.text, ty: Type::Enum(values) });
            }
            return Ok(());
        }
        let mut fields = Vec::new();
        let mut comments: Vec<&str> = Vec::new();
        while !self.c.rest().is_empty() {
            let line = self.c.rest().split('\n').next().unwrap_or_default();
            let code = line.trim_start_matches([' ', '\t']);
            if code.trim().is_empty() {
                self.c.line();
                continue;
            }
            if line.len() - code.len() <= depth {
                break;
            }
            if let Some(comment) = code.strip_prefix('#') {
                comments.push(comment.trim());
                self.c.line();
                continue;
            }
            let field_name =
                code.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            let behind = code[field_name.len()..].trim_start();
            if field_name.is_empty()
                || field_name == "class"
                || !behind.starts_with(':')
                || code.starts_with("def ")
            {
                break;
            }
            let mut field = self.parameter()?;
            if field.doc.is_empty() {
                field.doc = comments.join("\n");
            }
            comments.clear();
            if let Some((_, text)) = doc.params.iter().find(|(n, _)| *n == field.name) {
                field.doc.clone_from(text);
            }
            fields.push(field);
            self.c.line();
        }
        self.found.types.push(NamedType { name, doc: doc.text, ty: Type::Record(fields) });
        Ok(())
    }
}
