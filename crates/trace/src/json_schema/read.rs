//! Tools from JSON Schema.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::write::keywords;
use super::{Narrowed, NarrowedKind, SchemaError, escaped, failure};
use crate::declare_type::is_reserved;
use crate::scan::is_identifier;
use crate::tool::{adopt, by_name, endless};
use crate::{Bounds, ErrorType, Field, NamedType, Number, Tool, Type, Value};

/// Keywords that say nothing about which values are valid.
const ANNOTATIONS: [&str; 12] = [
    "title",
    "description",
    "default",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$id",
    "id",
    "$anchor",
    "$comment",
];

impl Tool {
    /// Reads a tool from its JSON Schema: MCP's shape, or OpenAI's (`parameters`, with `"type": "function"`
    /// around it or not).
    ///
    /// Whatever is referred to (`$ref`) becomes a type with a name. An object that says nothing about further fields
    /// is taken to allow none, a list of places to end after the last, and `oneOf` is read as `anyOf`. The drafts from
    /// 4 on are read alike.
    ///
    /// # Errors
    /// What the schema demands and the trace language cannot say (`not`, `patternProperties`, an enum of lists);
    /// [`Tool::narrowed_from_json_schema`] reads such a tool without it.
    pub fn from_json_schema(json: &Json) -> Result<Tool, SchemaError> {
        let (tool, narrowed) = Tool::narrowed_from_json_schema(json)?;
        match narrowed.into_iter().find(|n| n.kind == NarrowedKind::Demand) {
            None => Ok(tool),
            Some(n) => {
                failure(&n.pointer, format!("{} cannot be declared", n.what), "leave it out of the schema")
            }
        }
    }

    /// As [`Tool::from_json_schema`], but leaves out what cannot be said and lists it, with what was read in a certain
    /// way and what is said beside.
    ///
    /// # Errors
    /// What is no tool at all: no name, no object, a type that is nothing but itself.
    pub fn narrowed_from_json_schema(json: &Json) -> Result<(Tool, Vec<Narrowed>), SchemaError> {
        let (json, at) = match json.get("function") {
            Some(function) if json.get("name").is_none() => (function, "/function"),
            _ => (json, ""),
        };
        let Some(name) = json.get("name").and_then(Json::as_str) else {
            return failure(at, "the tool has no `name`", "give it one: `\"name\": \"read\"`");
        };
        let doc = json.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut read = Roots { types: Vec::new(), narrowed: Vec::new() };
        let first = |keys: &[&'static str]| {
            let found = keys.iter().find_map(|key| Some((*key, json.get(*key)?)));
            found.filter(|(_, root)| !root.is_null())
        };
        let params = match first(&["inputSchema", "input_schema", "parameters"]) {
            None => Vec::new(),
            Some((key, root)) => {
                let at = format!("{at}/{key}");
                let ty = read.root(root, &at)?;
                read.params(ty, &at)?
            }
        };
        let result = match first(&["outputSchema", "output_schema"]) {
            None => Type::Any,
            Some((key, root)) => read.root(root, &format!("{at}/{key}"))?,
        };
        let mut errors = Vec::new();
        for (i, error) in json.get("x-errors").and_then(Json::as_array).into_iter().flatten().enumerate() {
            let at = format!("{at}/x-errors/{i}");
            let Some(name) = error.get("name").and_then(Json::as_str) else {
                return failure(&at, "the error has no `name`", "give it one");
            };
            let doc = error.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
            let mut args = Vec::new();
            for (j, arg) in error.get("args").and_then(Json::as_array).into_iter().flatten().enumerate() {
                args.push(read.root(arg, &format!("{at}/args/{j}"))?);
            }
            errors.push(ErrorType { name: name.to_owned(), doc, args });
        }
        let mut tool = Tool { name: name.to_owned(), doc, params, result, errors, types: Vec::new() };
        tool.use_types(&read.types, &by_name(&read.types));
        Ok((tool, read.narrowed))
    }
}

/// The schemas of a tool: of its parameters, its result and its errors, each with definitions of its own.
struct Roots {
    types: Vec<Arc<NamedType>>,
    narrowed: Vec<Narrowed>,
}

impl Roots {
    fn root(&mut self, root: &Json, at: &str) -> Result<Type, SchemaError> {
        let mut reader = Reader {
            root,
            narrowed: &mut self.narrowed,
            names: HashMap::new(),
            types: Vec::new(),
            read: 0,
            depth: 0,
            kept: &[],
            closed: false,
        };
        if !(root.is_object() || root.is_boolean()) {
            return failure(at, "this is no schema", "a schema is an object");
        }
        let mut ty = reader.ty(root, at)?;
        let mut types: Vec<Arc<NamedType>> = reader.types.into_iter().map(Arc::new).collect();
        if let Some(&i) = endless(&types, &by_name(&types)).first() {
            let message = format!("the definition `{}` is nothing but itself", types[i].name);
            return failure(at, message, "a definition may refer to itself inside an array or an object");
        }
        if let Some(number) = adopt(&self.types, &types) {
            let own: Vec<String> = types.iter().map(|t| t.name.clone()).collect();
            let change = |name: &mut String| {
                if own.contains(name) {
                    name.push_str(&format!("_{number}"));
                }
            };
            ty.rename(&change);
            for named in types.iter_mut().map(Arc::make_mut) {
                change(&mut named.name);
                named.ty.rename(&change);
            }
        }
        types.retain(|t| !self.types.contains(t));
        self.types.extend(types);
        Ok(ty)
    }

    /// The parameters that the type of an object declares.
    fn params(&mut self, ty: Type, at: &str) -> Result<Vec<Field>, SchemaError> {
        match ty {
            Type::Record(params) => Ok(params),
            // `{}` and `{"type": "object"}` alone: no parameter is declared.
            Type::Any => Ok(Vec::new()),
            Type::Open(params, _) => {
                if !params.is_empty() {
                    let (kind, what) = (NarrowedKind::Demand, "`additionalProperties`".to_owned());
                    self.narrowed.push(Narrowed { kind, pointer: at.to_owned(), what });
                }
                Ok(params)
            }
            Type::Optional(inner) => self.params(*inner, at),
            // Any of several objects: what each of them needs is needed.
            Type::Union(types) => {
                let what = "which parameters belong together".to_owned();
                self.narrowed.push(Narrowed { kind: NarrowedKind::Demand, pointer: at.to_owned(), what });
                let sets = types.into_iter().map(|t| self.params(t, at)).collect::<Result<Vec<_>, _>>()?;
                Ok(in_any(sets))
            }
            Type::Bounded(inner, _) => self.params(*inner, at),
            Type::Named(name) => match self.types.iter().find(|t| t.name == name).map(|t| t.ty.clone()) {
                Some(ty) => self.params(ty, at),
                None => Ok(Vec::new()),
            },
            _ => failure(at, "the parameters are no object", "use `\"type\": \"object\"`"),
        }
    }
}

/// The parameters of a call that fits one of several declarations.
fn in_any(sets: Vec<Vec<Field>>) -> Vec<Field> {
    let mut all: Vec<Field> = Vec::new();
    for field in sets.iter().flatten() {
        match all.iter_mut().find(|f| f.name == field.name) {
            None => all.push(field.clone()),
            Some(known) => {
                let ty = std::mem::replace(&mut known.ty, Type::Any);
                known.ty = either(vec![ty, field.ty.clone()]);
                if known.default != field.default {
                    known.default = None;
                    known.optional = true;
                }
            }
        }
    }
    for field in &mut all {
        let needed = sets.iter().all(|s| s.iter().any(|f| f.name == field.name && f.is_needed()));
        field.optional = !needed && field.default.is_none();
    }
    all
}

/// A value of one of these types, each of which is named once.
fn either(types: Vec<Type>) -> Type {
    let mut all: Vec<Type> = Vec::new();
    for ty in types {
        match ty {
            Type::Union(inner) => inner.into_iter().for_each(|t| {
                if !all.contains(&t) {
                    all.push(t);
                }
            }),
            ty if !all.contains(&ty) => all.push(ty),
            _ => {}
        }
    }
    match all.len() {
        0 => Type::Any,
        1 => all.remove(0),
        _ if all.contains(&Type::Any) => Type::Any,
        _ => Type::Union(all),
    }
}

struct Reader<'a> {
    root: &'a Json,
    narrowed: &'a mut Vec<Narrowed>,
    /// The names of what was referred to.
    names: HashMap<String, String>,
    types: Vec<NamedType>,
    /// How many schemas were read.
    read: usize,
    depth: u32,
    /// Which annotations of the schema that is read next are kept already.
    kept: &'static [&'static str],
    /// Whether it was reported that objects are closed.
    closed: bool,
}

/// The name that JSON Schema has for a type, where others write it in capitals (Google's services) or as Python and Java
/// do (the function-calling leaderboard, and data sets made for it).
fn usual_name(name: &str) -> &str {
    match name.to_ascii_lowercase().as_str() {
        "string" | "str" | "char" => "string",
        "integer" | "int" | "long" => "integer",
        "number" | "float" | "double" => "number",
        "boolean" | "bool" => "boolean",
        "array" | "list" | "tuple" | "set" | "arraylist" => "array",
        "object" | "dict" | "hashmap" => "object",
        "null" | "none" => "null",
        "any" => "any",
        _ => name,
    }
}

/// The sort of JSON value that a type is of, where it is plain.
fn sort(ty: &Type) -> Option<u8> {
    Some(match ty {
        Type::Bool => 0,
        Type::Int | Type::Float => 1,
        Type::Str | Type::Path => 2,
        Type::List(_) => 3,
        Type::Record(_) | Type::Open(..) => 4,
        _ => return None,
    })
}

/// Whether a title says no more than the name: `Max results` of `max_results`.
fn repeats(title: &str, name: &str) -> bool {
    let plain = |text: &str| {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>()
    };
    plain(title) == plain(name)
}

/// No tool has this many types.
const MOST_SCHEMAS: usize = 10_000;
/// Definitions that lead to each other are read one inside the other.
const DEEPEST: u32 = 200;

impl Reader<'_> {
    fn left_out(&mut self, at: &str, what: impl Into<String>) {
        self.narrow(NarrowedKind::Demand, at, what);
    }

    fn narrow(&mut self, kind: NarrowedKind, at: &str, what: impl Into<String>) {
        self.narrowed.push(Narrowed { kind, pointer: at.to_owned(), what: what.into() });
    }

    fn ty(&mut self, json: &Json, at: &str) -> Result<Type, SchemaError> {
        self.read += 1;
        if self.read > MOST_SCHEMAS {
            return failure(at, format!("more than {MOST_SCHEMAS} schemas"), "declare fewer");
        }
        if self.depth == DEEPEST {
            return failure(at, format!("schemas nest deeper than {DEEPEST}"), "nest them less deeply");
        }
        self.depth += 1;
        let ty = self.any_type(json, at)?;
        self.depth -= 1;
        Ok(ty)
    }

    fn any_type(&mut self, json: &Json, at: &str) -> Result<Type, SchemaError> {
        let kept = std::mem::take(&mut self.kept);
        let map = match json {
            Json::Bool(true) => return Ok(Type::Any),
            Json::Bool(false) => {
                self.left_out(at, "that no value is valid");
                return Ok(Type::Any);
            }
            Json::Object(map) => map,
            _ => {
                self.left_out(at, "what is no schema");
                return Ok(Type::Any);
            }
        };
        let list = |key: &str| map.get(key).and_then(Json::as_array).filter(|l| !l.is_empty());
        // Beside fields, alternatives mostly say which of them belong together.
        let alternatives = |key: &str| list(key).filter(|_| !map.contains_key("properties"));
        let reference =
            ["$ref", "$recursiveRef"].into_iter().find(|key| map.get(*key).is_some_and(Json::is_string));
        let (ty, used): (Type, Vec<&str>) = if let Some(key) = reference {
            (self.reference(map[key].as_str().unwrap_or_default(), at)?, vec![key])
        } else if let Some(values) = list("enum") {
            (self.literals(values, &format!("{at}/enum")), vec!["enum", "type"])
        } else if let Some(value) = map.get("const") {
            (self.literals(std::slice::from_ref(value), &format!("{at}/const")), vec!["const", "type"])
        } else if let Some(schemas) = alternatives("anyOf") {
            (self.any_of(schemas, &format!("{at}/anyOf"))?, vec!["anyOf"])
        } else if let Some(schemas) = alternatives("oneOf") {
            (self.one_of(schemas, &format!("{at}/oneOf"))?, vec!["oneOf"])
        } else if let Some([one]) = list("allOf").map(Vec::as_slice) {
            (self.ty(one, &format!("{at}/allOf/0"))?, vec!["allOf"])
        } else {
            match map.get("type") {
                None if map.contains_key("properties") => self.named("object", map, at)?,
                None if map.contains_key("prefixItems") || map.contains_key("items") => {
                    self.named("array", map, at)?
                }
                None => (Type::Any, Vec::new()),
                Some(Json::String(name)) => self.named(name, map, at)?,
                Some(Json::Array(names)) => self.several(names, map, at)?,
                Some(_) => {
                    self.left_out(at, "a `type` that is neither a name nor a list of names");
                    (Type::Any, vec!["type"])
                }
            }
        };
        for (key, value) in map {
            let key = key.as_str();
            // The draft, definitions, and what says nothing.
            let beside = ["$schema", "$defs", "definitions", "nullable"].contains(&key) || value.is_null();
            let silent = matches!(key, "deprecated" | "readOnly" | "writeOnly")
                && *value == Json::Bool(false)
                || key == "required" && value.is_boolean()
                || matches!(key, "description" | "title" | "$comment") && *value == "";
            if used.contains(&key) || kept.contains(&key) || beside || silent {
                continue;
            }
            match ANNOTATIONS.contains(&key) || key.starts_with("x-") {
                true => self.narrow(NarrowedKind::Note, at, format!("`{key}`")),
                false => self.left_out(at, format!("`{key}`")),
            }
        }
        // OpenAPI 3.0 says so of what may be null.
        let nullable = map.get("nullable") == Some(&Json::Bool(true));
        Ok(if nullable && !matches!(ty, Type::Optional(_)) { Type::Optional(Box::new(ty)) } else { ty })
    }

    /// The type called `name` in JSON Schema, and the keywords that it takes into account.
    fn named(
        &mut self,
        name: &str,
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<(Type, Vec<&'static str>), SchemaError> {
        // The length of a list that ends after certain places.
        let mut most = None;
        let (ty, mut used) = match usual_name(name) {
            "any" => (Type::Any, vec!["type"]),
            "boolean" => (Type::Bool, vec!["type"]),
            "integer" => (Type::Int, vec!["type"]),
            "number" => (Type::Float, vec!["type"]),
            "null" => (Type::Enum(vec![Value::Null]), vec!["type"]),
            "string" if map.get("format").is_some_and(|f| f == "path") => {
                (Type::Path, vec!["type", "format"])
            }
            "string" => (Type::Str, vec!["type"]),
            "array" => {
                let (item, longest) = self.items(map, at)?;
                most = longest;
                (Type::List(Box::new(item)), vec!["type", "items", "prefixItems", "additionalItems"])
            }
            "object" => {
                (self.record(map, at)?, vec!["type", "properties", "required", "additionalProperties"])
            }
            other => {
                self.left_out(at, format!("the type `{other}`, which JSON Schema does not know,"));
                (Type::Any, vec!["type"])
            }
        };
        let mut bounds = Bounds::default();
        for &(keyword, ours) in keywords(&ty) {
            let Some(value) = map.get(keyword) else { continue };
            // In draft 4, whether the bound is among the values stands beside it.
            let beside = match keyword {
                "minimum" => map.get("exclusiveMinimum").map(|e| ("above", e)),
                "maximum" => map.get("exclusiveMaximum").map(|e| ("below", e)),
                "exclusiveMinimum" if map.contains_key("minimum") && value.is_boolean() => {
                    used.push(keyword);
                    continue;
                }
                "exclusiveMaximum" if map.contains_key("maximum") && value.is_boolean() => {
                    used.push(keyword);
                    continue;
                }
                _ => None,
            };
            let ours = match beside {
                Some((exclusive, Json::Bool(true))) => exclusive,
                _ => ours,
            };
            // What allows every value is no bound.
            if *value == Json::Bool(false) || bounds.set(&ty, ours, Value::from_json(value)).is_ok() {
                used.push(keyword);
            }
        }
        if let Some(most) = most {
            let most = Number::from(most as i64);
            if bounds.max.as_ref().is_none_or(|max| max.compare(&most).is_gt()) {
                bounds.max = Some(most);
            }
        }
        Ok(if bounds.is_empty() { (ty, used) } else { (Type::Bounded(Box::new(ty), bounds), used) })
    }

    fn several(
        &mut self,
        names: &[Json],
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<(Type, Vec<&'static str>), SchemaError> {
        let mut types = Vec::new();
        let mut used = vec!["type"];
        let mut null = false;
        for name in names.iter().filter_map(Json::as_str) {
            match name {
                "null" => null = true,
                _ => {
                    let (ty, keywords) = self.named(name, map, at)?;
                    types.push(ty);
                    used.extend(keywords);
                }
            }
        }
        let ty = match types.len() {
            0 if null => return Ok((Type::Enum(vec![Value::Null]), used)),
            0 => {
                self.left_out(at, "a `type` that names no type");
                Type::Any
            }
            1 => types.remove(0),
            _ => Type::Union(types),
        };
        Ok((if null { Type::Optional(Box::new(ty)) } else { ty }, used))
    }

    /// The type of a list's items, and the greatest length that follows from them.
    fn items(&mut self, map: &Map<String, Json>, at: &str) -> Result<(Type, Option<usize>), SchemaError> {
        // A schema for each place, as it is written since 2020 and was before.
        let (places, key, rest) = match (map.get("prefixItems"), map.get("items")) {
            (Some(Json::Array(places)), rest) => (places, "prefixItems", ("items", rest)),
            (_, Some(Json::Array(places))) => {
                (places, "items", ("additionalItems", map.get("additionalItems")))
            }
            (_, Some(Json::Bool(false))) => return Ok((Type::Any, Some(0))),
            (_, Some(items)) => return Ok((self.ty(items, &format!("{at}/items"))?, None)),
            (_, None) => return Ok((Type::Any, None)),
        };
        let mut types = Vec::with_capacity(places.len());
        for (i, place) in places.iter().enumerate() {
            types.push(self.ty(place, &format!("{at}/{key}/{i}"))?);
        }
        let longest = match rest {
            (_, Some(Json::Bool(false))) => Some(places.len()),
            (_, None) => {
                let what = format!("a list that goes on after its `{key}`, which is taken to end there");
                self.narrow(NarrowedKind::Reading, at, what);
                Some(places.len())
            }
            (key, Some(rest)) => {
                types.push(self.ty(rest, &format!("{at}/{key}"))?);
                None
            }
        };
        if types.windows(2).any(|w| w[0] != w[1]) {
            self.left_out(at, format!("the places of `{key}`"));
        }
        Ok((either(types), longest))
    }

    fn record(&mut self, map: &Map<String, Json>, at: &str) -> Result<Type, SchemaError> {
        let none = Map::new();
        let properties = map.get("properties").and_then(Json::as_object);
        let required = map.get("required").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut fields = Vec::new();
        let rest = map.get("additionalProperties");
        for (name, property) in properties.unwrap_or(&none) {
            let at = format!("{at}/properties/{}", escaped(name));
            let is_required = required.iter().any(|r| r == name);
            // A field that is never valid is none, where there are no others.
            if *property == Json::Bool(false)
                && !is_required
                && matches!(rest, None | Some(Json::Bool(false)))
            {
                continue;
            }
            let text = |key: &str| property.get(key).and_then(Json::as_str).filter(|t| !t.is_empty());
            let title = text("title").filter(|t| text("description").is_none() && !repeats(t, name));
            let doc = text("description").or(title).unwrap_or_default().to_owned();
            self.kept = if title.is_some() { &["title", "default"] } else { &["description", "default"] };
            let ty = self.ty(property, &at)?;
            let default = property.get("default").map(Value::from_json);
            let needed = is_required || property.get("required") == Some(&Json::Bool(true));
            let optional = default.is_none() && !needed;
            fields.push(Field { name: name.clone(), doc, ty, optional, default });
        }
        let is_field = |r: &&Json| r.as_str().is_none_or(|r| fields.iter().any(|f| f.name == r));
        if let Some(unknown) = required.iter().find(|r| !is_field(r)) {
            self.left_out(at, format!("`required` of {unknown}, which is no field,"));
        }
        match rest {
            None if properties.is_none() => Ok(Type::Open(fields, Box::new(Type::Any))),
            None => {
                if !std::mem::replace(&mut self.closed, true) {
                    let what = "objects that say nothing of further fields, which are taken to have none,";
                    self.narrow(NarrowedKind::Reading, at, what);
                }
                Ok(Type::Record(fields))
            }
            Some(Json::Bool(false)) => Ok(Type::Record(fields)),
            Some(rest) => {
                let rest = self.ty(rest, &format!("{at}/additionalProperties"))?;
                Ok(Type::Open(fields, Box::new(rest)))
            }
        }
    }

    /// Exactly one of several: the same as any of them where a value fits one at most.
    fn one_of(&mut self, schemas: &[Json], at: &str) -> Result<Type, SchemaError> {
        let ty = self.any_of(schemas, at)?;
        let alternatives = match &ty {
            Type::Optional(inner) => std::slice::from_ref(&**inner),
            ty => std::slice::from_ref(ty),
        };
        let alternatives = match alternatives {
            [Type::Union(types)] => types,
            other => other,
        };
        let apart = |(i, a): (usize, &Type)| alternatives[..i].iter().all(|b| self.are_apart(a, b));
        if !alternatives.iter().enumerate().all(apart) {
            self.narrow(NarrowedKind::Reading, at, "`oneOf`, which is read as `anyOf`,");
        }
        Ok(ty)
    }

    /// Whether it is plain that no value is of both types.
    fn are_apart(&self, a: &Type, b: &Type) -> bool {
        let plain = |ty: &Type| match ty {
            Type::Bounded(inner, _) => (**inner).clone(),
            Type::Named(name) => {
                let known = self.types.iter().find(|t| t.name == *name);
                known.map_or(Type::Any, |t| t.ty.clone())
            }
            ty => ty.clone(),
        };
        match (plain(a), plain(b)) {
            (Type::Enum(values), other) | (other, Type::Enum(values)) => match other {
                Type::Named(_) => false,
                other => values.iter().all(|v| other.accepts(v).is_err()),
            },
            // A field that both need tells them apart.
            (Type::Record(ours), Type::Record(theirs)) => ours.iter().filter(|f| f.is_needed()).any(|f| {
                let other = theirs.iter().find(|o| o.name == f.name && o.is_needed());
                other.is_some_and(|o| matches!(o.ty, Type::Enum(_)) && self.are_apart(&f.ty, &o.ty))
            }),
            (a, b) => match (sort(&a), sort(&b)) {
                (Some(a), Some(b)) => a != b,
                _ => false,
            },
        }
    }

    fn any_of(&mut self, schemas: &[Json], at: &str) -> Result<Type, SchemaError> {
        let is_null = |s: &Json| s.get("type").is_some_and(|t| t == "null");
        let mut types = Vec::new();
        // A `null` at the end is an optional; elsewhere it keeps its place.
        let optional = schemas.len() > 1 && schemas.last().is_some_and(is_null);
        for (i, s) in schemas[..schemas.len() - usize::from(optional)].iter().enumerate() {
            types.push(self.ty(s, &format!("{at}/{i}"))?);
        }
        let ty = match types.len() {
            0 => Type::Any,
            1 => types.remove(0),
            _ => Type::Union(types),
        };
        Ok(if optional { Type::Optional(Box::new(ty)) } else { ty })
    }

    fn literals(&mut self, values: &[Json], at: &str) -> Type {
        if values.is_empty() || values.iter().any(|v| v.is_array() || v.is_object()) {
            self.left_out(at, "an enum of other than strings, numbers, booleans and null");
            return Type::Any;
        }
        Type::Enum(values.iter().map(Value::from_json).collect())
    }

    fn reference(&mut self, reference: &str, at: &str) -> Result<Type, SchemaError> {
        if let Some(name) = self.names.get(reference) {
            return Ok(Type::Named(name.clone()));
        }
        let root = self.root;
        // The pointer stands in a URI, where some characters are written in hexadecimal.
        let pointer = reference.strip_prefix('#').map(|p| p.replace("%24", "$").replace("%25", "%"));
        let Some(target) = pointer.and_then(|p| root.pointer(&p)) else {
            self.left_out(at, format!("`{reference}`, which leads nowhere in the schema,"));
            return Ok(Type::Any);
        };
        let name = self.name_for(reference);
        self.names.insert(reference.to_owned(), name.clone());
        self.kept = &["description"];
        let ty = self.ty(target, at)?;
        let doc = target.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
        self.types.push(NamedType { name: name.clone(), doc, ty });
        Ok(Type::Named(name))
    }

    /// An identifier for what `reference` leads to.
    fn name_for(&self, reference: &str) -> String {
        let last = reference.rsplit('/').next().unwrap_or_default();
        let mut name: String =
            last.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        if !is_identifier(&name) || name == "_" {
            name.insert(0, 'T');
        }
        let taken = |name: &str| is_reserved(name) || self.names.values().any(|n| n == name);
        let numbered = (2..).map(|n| format!("{name}_{n}"));
        std::iter::once(name.clone()).chain(numbered).find(|n| !taken(n)).unwrap_or(name)
    }
}
