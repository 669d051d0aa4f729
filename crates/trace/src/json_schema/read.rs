//! Tools from JSON Schema.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::write::keywords;
use super::{Narrowed, SchemaError, escaped, failure};
use crate::declare_type::is_reserved;
use crate::scan::is_identifier;
use crate::tool::{adopt, by_name, endless};
use crate::{Bounds, ErrorType, Field, NamedType, Tool, Type, Value};

/// Keywords that say nothing about which values are valid.
const ANNOTATIONS: [&str; 12] = [
    "title",
    "description",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$id",
    "$anchor",
    "$comment",
    "default",
];

impl Tool {
    /// Reads a tool from its JSON Schema: MCP's shape, or OpenAI's (`parameters`, with `"type": "function"`
    /// around it or not).
    ///
    /// Whatever is referred to (`$ref`) becomes a type with a name. An object that says nothing about further fields
    /// is taken to allow none, and `oneOf` is read as `anyOf`.
    ///
    /// # Errors
    /// What the schema demands and the trace language cannot say (`not`, `patternProperties`, an enum of lists);
    /// [`Tool::narrowed_from_json_schema`] reads such a tool without it.
    pub fn from_json_schema(json: &Json) -> Result<Tool, SchemaError> {
        let (tool, narrowed) = Tool::narrowed_from_json_schema(json)?;
        match narrowed.into_iter().next() {
            None => Ok(tool),
            Some(n) => {
                failure(&n.pointer, format!("{} cannot be declared", n.what), "leave it out of the schema")
            }
        }
    }

    /// As [`Tool::from_json_schema`], but leaves out what cannot be said and lists it.
    ///
    /// # Errors
    /// What is no tool at all: no name, no object, a broken `$ref`, a type that is nothing but itself.
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
        };
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
                    let what = "`additionalProperties`".to_owned();
                    self.narrowed.push(Narrowed { pointer: at.to_owned(), what });
                }
                Ok(params)
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

struct Reader<'a> {
    root: &'a Json,
    narrowed: &'a mut Vec<Narrowed>,
    /// The names of what was referred to.
    names: HashMap<String, String>,
    types: Vec<NamedType>,
    /// How many schemas were read.
    read: usize,
    depth: u32,
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

/// No tool has this many types.
const MOST_SCHEMAS: usize = 10_000;
/// Definitions that lead to each other are read one inside the other.
const DEEPEST: u32 = 200;

impl Reader<'_> {
    fn left_out(&mut self, at: &str, what: impl Into<String>) {
        self.narrowed.push(Narrowed { pointer: at.to_owned(), what: what.into() });
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
        let map = match json {
            Json::Bool(true) => return Ok(Type::Any),
            Json::Object(map) => map,
            _ => return failure(at, "this is no schema", "a schema is an object"),
        };
        let list = |key: &str| map.get(key).and_then(Json::as_array);
        let (ty, used): (Type, Vec<&str>) = if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
            (self.reference(reference, at)?, vec!["$ref"])
        } else if let Some(values) = list("enum") {
            (self.literals(values, &format!("{at}/enum")), vec!["enum", "type"])
        } else if let Some(value) = map.get("const") {
            (self.literals(std::slice::from_ref(value), &format!("{at}/const")), vec!["const", "type"])
        } else if let Some(schemas) = list("anyOf") {
            (self.any_of(schemas, &format!("{at}/anyOf"))?, vec!["anyOf"])
        } else if let Some(schemas) = list("oneOf") {
            (self.any_of(schemas, &format!("{at}/oneOf"))?, vec!["oneOf"])
        } else if let Some([one]) = list("allOf").map(Vec::as_slice) {
            (self.ty(one, &format!("{at}/allOf/0"))?, vec!["allOf"])
        } else {
            match map.get("type") {
                None if map.contains_key("properties") => self.named("object", map, at)?,
                None => (Type::Any, Vec::new()),
                Some(Json::String(name)) => self.named(name, map, at)?,
                Some(Json::Array(names)) => self.several(names, map, at)?,
                Some(_) => {
                    let hint = "use `\"string\"`";
                    return failure(at, "`type` is neither a name nor a list of names", hint);
                }
            }
        };
        for key in map.keys() {
            let known = used.contains(&key.as_str()) || ANNOTATIONS.contains(&key.as_str());
            let beside = ["$defs", "definitions", "nullable"].contains(&key.as_str());
            if !(known || beside || key.starts_with("x-")) {
                self.left_out(at, format!("`{key}`"));
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
                let item = match map.get("items") {
                    Some(items) => self.ty(items, &format!("{at}/items"))?,
                    None => Type::Any,
                };
                (Type::List(Box::new(item)), vec!["type", "items"])
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
            // What allows every value is no bound.
            if *value == Json::Bool(false) || bounds.set(&ty, ours, Value::from_json(value)).is_ok() {
                used.push(keyword);
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
            0 => return failure(at, "`type` names no type", "name one"),
            1 => types.remove(0),
            _ => Type::Union(types),
        };
        Ok((if null { Type::Optional(Box::new(ty)) } else { ty }, used))
    }

    fn record(&mut self, map: &Map<String, Json>, at: &str) -> Result<Type, SchemaError> {
        let none = Map::new();
        let properties = map.get("properties").and_then(Json::as_object);
        let required = map.get("required").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut fields = Vec::new();
        for (name, property) in properties.unwrap_or(&none) {
            let ty = self.ty(property, &format!("{at}/properties/{}", escaped(name)))?;
            let doc = property.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
            let default = property.get("default").map(Value::from_json);
            let optional = default.is_none() && !required.iter().any(|r| r == name);
            fields.push(Field { name: name.clone(), doc, ty, optional, default });
        }
        match map.get("additionalProperties") {
            None if properties.is_none() => Ok(Type::Open(fields, Box::new(Type::Any))),
            None | Some(Json::Bool(false)) => Ok(Type::Record(fields)),
            Some(rest) => {
                let rest = self.ty(rest, &format!("{at}/additionalProperties"))?;
                Ok(Type::Open(fields, Box::new(rest)))
            }
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
            0 => return failure(at, "there is no alternative", "list one"),
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
            return failure(
                at,
                format!("`{reference}` leads nowhere"),
                "references stay inside the schema: `#/$defs/…`",
            );
        };
        let name = self.name_for(reference);
        self.names.insert(reference.to_owned(), name.clone());
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
