//! Tools to and from JSON Schema, in the shape that MCP lists tools in:
//! `{"name", "description", "inputSchema", "outputSchema"}`. Errors, for which JSON Schema has no place, stand
//! under `"x-errors"`.

use serde_json::{Map, Value as Json, json};

use crate::{ErrorType, Field, Number, Tool, Type, Value};

/// Keywords that say nothing about which values are valid.
const ANNOTATIONS: [&str; 11] = [
    "title",
    "description",
    "examples",
    "example",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$id",
    "$comment",
    "default",
];

/// Why a tool has no equivalent on the other side.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message} at `{pointer}` ({hint})")]
pub struct SchemaError {
    /// Where, as a JSON pointer (of the schema, or of the schema that would have been written).
    pub pointer: String,
    /// What is in the way.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Something that a schema says and the imported tool does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// Where in the schema, as a JSON pointer.
    pub pointer: String,
    /// What was left out.
    pub what: String,
}

fn failure<T>(pointer: &str, message: impl Into<String>, hint: &str) -> Result<T, SchemaError> {
    Err(SchemaError { pointer: pointer.to_owned(), message: message.into(), hint: hint.to_owned() })
}

impl Value {
    /// The same value in JSON.
    ///
    /// # Errors
    /// A number or a record that JSON cannot hold as it is written (`1e3`, a field given twice).
    pub fn to_json(&self) -> Result<Json, SchemaError> {
        to_json(self, "")
    }

    /// The same value in the trace language. Numbers are spelt as `serde_json` spells them.
    pub fn from_json(json: &Json) -> Value {
        match json {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => Value::Number(Number(n.to_string())),
            Json::String(s) => Value::Str(s.clone()),
            Json::Array(items) => Value::List(items.iter().map(Value::from_json).collect()),
            Json::Object(fields) => {
                Value::Record(fields.iter().map(|(k, v)| (k.clone(), Value::from_json(v))).collect())
            }
        }
    }
}

fn to_json(value: &Value, at: &str) -> Result<Json, SchemaError> {
    Ok(match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Number(n) => match serde_json::from_str::<serde_json::Number>(n.as_str()) {
            Ok(number) if number.to_string() == n.as_str() => Json::Number(number),
            _ => {
                let message = format!("`{n}` would be spelt otherwise in JSON");
                return failure(at, message, "write it plainly, as `1000.0`");
            }
        },
        Value::Str(s) => Json::String(s.clone()),
        Value::List(items) => {
            let items = items.iter().enumerate().map(|(i, v)| to_json(v, &format!("{at}/{i}")));
            Json::Array(items.collect::<Result<_, _>>()?)
        }
        Value::Record(fields) => {
            let mut map = Map::new();
            for (name, v) in fields {
                let at = format!("{at}/{}", escaped(name));
                if map.insert(name.clone(), to_json(v, &at)?).is_some() {
                    return failure(&at, format!("the field `{name}` is given twice"), "give it once");
                }
            }
            Json::Object(map)
        }
    })
}

/// A name as a part of a JSON pointer.
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

impl Tool {
    /// The tool as MCP lists it. [`Tool::from_json_schema`] gives the same tool back.
    ///
    /// # Errors
    /// A default or literal that JSON cannot hold, or two parameters of one name.
    pub fn to_json_schema(&self) -> Result<Json, SchemaError> {
        let mut tool = Map::new();
        tool.insert("name".to_owned(), json!(self.name));
        if !self.doc.is_empty() {
            tool.insert("description".to_owned(), json!(self.doc));
        }
        tool.insert("inputSchema".to_owned(), object(&self.params, "/inputSchema")?);
        tool.insert("outputSchema".to_owned(), schema(&self.result, "/outputSchema")?);
        if !self.errors.is_empty() {
            let mut errors = Vec::new();
            for (i, error) in self.errors.iter().enumerate() {
                let args = schemas(&error.args, &format!("/x-errors/{i}/args"))?;
                errors.push(json!({"name": error.name, "args": args}));
            }
            tool.insert("x-errors".to_owned(), Json::Array(errors));
        }
        Ok(Json::Object(tool))
    }

    /// Reads a tool from its JSON Schema: MCP's shape, or OpenAI's (`parameters`, with `"type": "function"`
    /// around it or not).
    ///
    /// A parameter that need not be given and has no default becomes `name: T? = null`. Descriptions of
    /// parameters are added to the tool's. Objects that do not say so are taken to allow no further fields,
    /// and `oneOf` is read as `anyOf`.
    ///
    /// # Errors
    /// What the schema demands and the trace language cannot say (a `pattern`, a `minimum`, a recursive
    /// `$ref`); [`Tool::narrowed_from_json_schema`] reads such a tool without it.
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
    /// What is no tool at all: no name, no object, a broken `$ref`.
    pub fn narrowed_from_json_schema(json: &Json) -> Result<(Tool, Vec<Narrowed>), SchemaError> {
        let (json, at) = match json.get("function") {
            Some(function) if json.get("name").is_none() => (function, "/function"),
            _ => (json, ""),
        };
        let Some(name) = json.get("name").and_then(Json::as_str) else {
            return failure(at, "the tool has no `name`", "give it one: `\"name\": \"read\"`");
        };
        let mut doc = json.get("description").and_then(Json::as_str).unwrap_or_default().to_owned();
        let mut narrowed = Vec::new();
        let inputs = ["inputSchema", "input_schema", "parameters"];
        let params = match inputs.into_iter().find_map(|key| Some((key, json.get(key)?))) {
            None => Vec::new(),
            Some((key, root)) => {
                let at = format!("{at}/{key}");
                let mut reader = Reader { root, narrowed: &mut narrowed, refs: Vec::new(), read: 0 };
                let params = match reader.ty(root, &at)? {
                    Type::Record(params) => params,
                    // `{}` and `{"type": "object"}` alone: no parameter is declared.
                    Type::Any => {
                        reader.narrowed.retain(|n| n.pointer != at);
                        Vec::new()
                    }
                    _ => return failure(&at, "the parameters are no object", "use `\"type\": \"object\"`"),
                };
                describe(&mut doc, root);
                params
            }
        };
        let outputs = ["outputSchema", "output_schema"];
        let result = match outputs.into_iter().find_map(|key| Some((key, json.get(key)?))) {
            None => Type::Any,
            Some((key, root)) => {
                let mut reader = Reader { root, narrowed: &mut narrowed, refs: Vec::new(), read: 0 };
                reader.ty(root, &format!("{at}/{key}"))?
            }
        };
        let mut errors = Vec::new();
        for (i, error) in json.get("x-errors").and_then(Json::as_array).into_iter().flatten().enumerate() {
            let at = format!("{at}/x-errors/{i}");
            let Some(name) = error.get("name").and_then(Json::as_str) else {
                return failure(&at, "the error has no `name`", "give it one");
            };
            let mut args = Vec::new();
            for (j, arg) in error.get("args").and_then(Json::as_array).into_iter().flatten().enumerate() {
                let mut reader = Reader { root: arg, narrowed: &mut narrowed, refs: Vec::new(), read: 0 };
                args.push(reader.ty(arg, &format!("{at}/args/{j}"))?);
            }
            errors.push(ErrorType { name: name.to_owned(), args });
        }
        Ok((Tool { name: name.to_owned(), doc, params, result, errors }, narrowed))
    }
}

fn schemas(types: &[Type], at: &str) -> Result<Vec<Json>, SchemaError> {
    types.iter().enumerate().map(|(i, t)| schema(t, &format!("{at}/{i}"))).collect()
}

fn schema(ty: &Type, at: &str) -> Result<Json, SchemaError> {
    Ok(match ty {
        Type::Any => json!({}),
        Type::Bool => json!({"type": "boolean"}),
        Type::Int => json!({"type": "integer"}),
        Type::Float => json!({"type": "number"}),
        Type::Str => json!({"type": "string"}),
        Type::Path => json!({"type": "string", "format": "path"}),
        Type::List(item) => json!({"type": "array", "items": schema(item, &format!("{at}/items"))?}),
        Type::Record(fields) => object(fields, at)?,
        Type::Enum(values) => {
            let values: Result<Vec<Json>, _> =
                values.iter().map(|v| to_json(v, &format!("{at}/enum"))).collect();
            json!({"enum": values?})
        }
        Type::Optional(inner) => {
            json!({"anyOf": [schema(inner, &format!("{at}/anyOf/0"))?, {"type": "null"}]})
        }
        Type::Union(types) => json!({"anyOf": schemas(types, &format!("{at}/anyOf"))?}),
    })
}

fn object(fields: &[Field], at: &str) -> Result<Json, SchemaError> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let at = format!("{at}/properties/{}", escaped(&field.name));
        let mut property = schema(&field.ty, &at)?;
        match &field.default {
            Some(value) => property["default"] = to_json(value, &format!("{at}/default"))?,
            None => required.push(json!(field.name)),
        }
        if properties.insert(field.name.clone(), property).is_some() {
            return failure(&at, format!("there are two fields `{}`", field.name), "rename one");
        }
    }
    Ok(json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    }))
}

/// Adds what a schema says about its properties to a description.
fn describe(doc: &mut String, root: &Json) {
    for (name, property) in root.get("properties").and_then(Json::as_object).into_iter().flatten() {
        if let Some(text) = property.get("description").and_then(Json::as_str) {
            if !doc.is_empty() {
                doc.push('\n');
            }
            doc.push_str(&format!("`{name}`: {text}"));
        }
    }
}

struct Reader<'a> {
    root: &'a Json,
    narrowed: &'a mut Vec<Narrowed>,
    /// The references being followed, to notice that one leads back to itself.
    refs: Vec<String>,
    /// How many schemas were read: references can multiply a short text without end.
    read: usize,
}

/// No tool has this many types.
const MOST_SCHEMAS: usize = 10_000;

impl Reader<'_> {
    fn left_out(&mut self, at: &str, what: impl Into<String>) {
        self.narrowed.push(Narrowed { pointer: at.to_owned(), what: what.into() });
    }

    fn ty(&mut self, json: &Json, at: &str) -> Result<Type, SchemaError> {
        self.read += 1;
        if self.read > MOST_SCHEMAS {
            let message = format!("more than {MOST_SCHEMAS} schemas, references followed");
            return failure(at, message, "refer to fewer schemas");
        }
        let map = match json {
            Json::Bool(true) => return Ok(Type::Any),
            Json::Object(map) => map,
            _ => return failure(at, "this is no schema", "a schema is an object"),
        };
        let alternatives = ["anyOf", "oneOf"].into_iter().find_map(|k| Some((k, map.get(k)?.as_array()?)));
        let (ty, used): (Type, &[&str]) = if let Some(reference) = map.get("$ref").and_then(Json::as_str) {
            (self.reference(reference, at)?, &["$ref"])
        } else if let Some(values) = map.get("enum").and_then(Json::as_array) {
            (self.literals(values, &format!("{at}/enum")), &["enum", "type"])
        } else if let Some(value) = map.get("const") {
            (self.literals(std::slice::from_ref(value), &format!("{at}/const")), &["const", "type"])
        } else if let Some((key, schemas)) = alternatives {
            (
                self.any_of(schemas, &format!("{at}/{key}"))?,
                if key == "anyOf" { &["anyOf"] } else { &["oneOf"] },
            )
        } else if let Some([one]) = map.get("allOf").and_then(Json::as_array).map(Vec::as_slice) {
            (self.ty(one, &format!("{at}/allOf/0"))?, &["allOf"])
        } else {
            match map.get("type") {
                None if map.contains_key("properties") => self.named("object", map, at)?,
                None => (Type::Any, &[]),
                Some(Json::String(name)) => self.named(name, map, at)?,
                Some(Json::Array(names)) => (self.several(names, map, at)?, &SEVERAL),
                Some(_) => {
                    return failure(at, "`type` is neither a name nor a list of names", "use `\"string\"`");
                }
            }
        };
        for key in map.keys() {
            let known = used.contains(&key.as_str()) || ANNOTATIONS.contains(&key.as_str());
            if !(known || key == "$defs" || key == "definitions" || key.starts_with("x-")) {
                self.left_out(at, format!("`{key}`"));
            }
        }
        Ok(ty)
    }

    /// The type called `name` in JSON Schema, and the keywords that it takes into account.
    fn named(
        &mut self,
        name: &str,
        map: &Map<String, Json>,
        at: &str,
    ) -> Result<(Type, &'static [&'static str]), SchemaError> {
        Ok(match name {
            "boolean" => (Type::Bool, &["type"]),
            "integer" => (Type::Int, &["type"]),
            "number" => (Type::Float, &["type"]),
            "null" => (Type::Enum(vec![Value::Null]), &["type"]),
            "string" if map.get("format").is_some_and(|f| f == "path") => (Type::Path, &["type", "format"]),
            "string" => (Type::Str, &["type"]),
            "array" => {
                let item = match map.get("items") {
                    Some(items) => self.ty(items, &format!("{at}/items"))?,
                    None => Type::Any,
                };
                (Type::List(Box::new(item)), &["type", "items"])
            }
            "object" => (self.record(map, at)?, &["type", "properties", "required", "additionalProperties"]),
            other => {
                let hint = "the types are string, number, integer, boolean, array, object and null";
                return failure(at, format!("there is no type `{other}` in JSON Schema"), hint);
            }
        })
    }

    fn several(&mut self, names: &[Json], map: &Map<String, Json>, at: &str) -> Result<Type, SchemaError> {
        let mut types = Vec::new();
        let mut null = false;
        for name in names.iter().filter_map(Json::as_str) {
            match name {
                "null" => null = true,
                _ => types.push(self.named(name, map, at)?.0),
            }
        }
        let ty = match types.len() {
            0 if null => return Ok(Type::Enum(vec![Value::Null])),
            0 => return failure(at, "`type` names no type", "name one"),
            1 => types.remove(0),
            _ => Type::Union(types),
        };
        Ok(if null { Type::Optional(Box::new(ty)) } else { ty })
    }

    fn record(&mut self, map: &Map<String, Json>, at: &str) -> Result<Type, SchemaError> {
        let closed = map.get("additionalProperties") == Some(&Json::Bool(false));
        let Some(properties) = map.get("properties").and_then(Json::as_object) else {
            if closed {
                return Ok(Type::Record(Vec::new()));
            }
            self.left_out(at, "an object with any fields");
            return Ok(Type::Any);
        };
        if map.get("additionalProperties").is_some_and(|a| *a != Json::Bool(false)) {
            self.left_out(at, "`additionalProperties`");
        }
        let required = map.get("required").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
        let mut fields = Vec::new();
        for (name, property) in properties {
            let mut ty = self.ty(property, &format!("{at}/properties/{}", escaped(name)))?;
            let mut default = property.get("default").map(Value::from_json);
            if default.is_none() && !required.iter().any(|r| r == name) {
                if ty.accepts(&Value::Null).is_err() {
                    ty = Type::Optional(Box::new(ty));
                }
                default = Some(Value::Null);
            }
            fields.push(Field { name: name.clone(), ty, default });
        }
        Ok(Type::Record(fields))
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
        let root = self.root;
        let Some(target) = reference.strip_prefix('#').and_then(|pointer| root.pointer(pointer)) else {
            return failure(
                at,
                format!("`{reference}` leads nowhere"),
                "references stay inside the schema: `#/$defs/…`",
            );
        };
        if self.refs.iter().any(|r| r == reference) {
            self.left_out(at, format!("`{reference}`, which contains itself,"));
            return Ok(Type::Any);
        }
        self.refs.push(reference.to_owned());
        let ty = self.ty(target, at);
        self.refs.pop();
        ty
    }
}

/// The keywords that a list of types may take into account.
const SEVERAL: [&str; 5] = ["type", "items", "properties", "required", "additionalProperties"];
