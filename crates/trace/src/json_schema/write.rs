//! Tools as JSON Schema.

use serde_json::{Map, Value as Json, json};

use super::{SchemaError, escaped, failure, to_json};
use crate::{Bounds, Field, NamedType, Tool, Type};

impl Tool {
    /// The tool as MCP lists it. [`Tool::from_json_schema`] gives the same tool back.
    ///
    /// # Errors
    /// A default, bound or literal that JSON cannot hold, or two parameters of one name.
    pub fn to_json_schema(&self) -> Result<Json, SchemaError> {
        let mut tool = Map::new();
        tool.insert("name".to_owned(), json!(self.name));
        if !self.doc.is_empty() {
            tool.insert("description".to_owned(), json!(self.doc));
        }
        let params: Vec<&Type> = self.params.iter().map(|p| &p.ty).collect();
        let inputs = object(&self.params, Json::Bool(false), "/inputSchema")?;
        tool.insert("inputSchema".to_owned(), self.defining(inputs, &params, "/inputSchema")?);
        let result = schema(&self.result, "/outputSchema")?;
        tool.insert("outputSchema".to_owned(), self.defining(result, &[&self.result], "/outputSchema")?);
        if !self.errors.is_empty() {
            let mut errors = Vec::new();
            for (i, error) in self.errors.iter().enumerate() {
                let mut args = Vec::new();
                for (j, arg) in error.args.iter().enumerate() {
                    let at = format!("/x-errors/{i}/args/{j}");
                    args.push(self.defining(schema(arg, &at)?, &[arg], &at)?);
                }
                let mut json = json!({"name": error.name, "args": args});
                if !error.doc.is_empty() {
                    json["description"] = json!(error.doc);
                }
                errors.push(json);
            }
            tool.insert("x-errors".to_owned(), Json::Array(errors));
        }
        Ok(Json::Object(tool))
    }

    /// The schema with the definitions of all named types that `types`, which stand in it, lead to.
    fn defining(&self, mut schema_of: Json, types: &[&Type], at: &str) -> Result<Json, SchemaError> {
        let mut used: Vec<&NamedType> = Vec::new();
        let mut to_follow = types.to_vec();
        while let Some(ty) = to_follow.pop() {
            ty.names(&mut |name| {
                let named = self.types.iter().map(|t| &**t).find(|t| t.name == name);
                if let Some(named) = named.filter(|n| !used.iter().any(|u| u.name == n.name)) {
                    used.push(named);
                    to_follow.push(&named.ty);
                }
            });
        }
        if used.is_empty() {
            return Ok(schema_of);
        }
        let mut definitions = Map::new();
        for named in self.types.iter().filter(|t| used.iter().any(|u| u.name == t.name)) {
            let mut definition = schema(&named.ty, &format!("{at}/$defs/{}", named.name))?;
            if !named.doc.is_empty() {
                definition["description"] = json!(named.doc);
            }
            definitions.insert(named.name.clone(), definition);
        }
        schema_of["$defs"] = Json::Object(definitions);
        Ok(schema_of)
    }
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
        Type::Record(fields) => object(fields, Json::Bool(false), at)?,
        Type::Open(fields, rest) => {
            let rest = match **rest {
                Type::Any => Json::Bool(true),
                _ => schema(rest, &format!("{at}/additionalProperties"))?,
            };
            object(fields, rest, at)?
        }
        Type::Enum(values) => {
            let values: Result<Vec<Json>, _> =
                values.iter().map(|v| to_json(v, &format!("{at}/enum"))).collect();
            let values = values?;
            // Many services want the type beside the values.
            match values.iter().all(Json::is_string) {
                true => json!({"type": "string", "enum": values}),
                false => json!({"enum": values}),
            }
        }
        Type::Optional(inner) => {
            json!({"anyOf": [schema(inner, &format!("{at}/anyOf/0"))?, {"type": "null"}]})
        }
        Type::Union(types) => {
            let types = types.iter().enumerate().map(|(i, t)| schema(t, &format!("{at}/anyOf/{i}")));
            json!({"anyOf": types.collect::<Result<Vec<_>, _>>()?})
        }
        Type::Bounded(inner, bounds) => bounded(schema(inner, at)?, inner, bounds, at)?,
        Type::Named(name) => json!({"$ref": format!("#/$defs/{name}")}),
    })
}

/// The names that JSON Schema has for the bounds of a type, each with ours.
pub(super) fn keywords(ty: &Type) -> &'static [(&'static str, &'static str)] {
    match ty {
        Type::Int | Type::Float => &[
            ("minimum", "min"),
            ("maximum", "max"),
            ("exclusiveMinimum", "above"),
            ("exclusiveMaximum", "below"),
            ("multipleOf", "step"),
        ],
        Type::Str => {
            &[("minLength", "min"), ("maxLength", "max"), ("pattern", "pattern"), ("format", "format")]
        }
        Type::Path => &[("minLength", "min"), ("maxLength", "max"), ("pattern", "pattern")],
        Type::List(_) => &[("minItems", "min"), ("maxItems", "max"), ("uniqueItems", "unique")],
        Type::Open(..) => &[("minProperties", "min"), ("maxProperties", "max")],
        _ => &[],
    }
}

fn bounded(mut schema: Json, ty: &Type, bounds: &Bounds, at: &str) -> Result<Json, SchemaError> {
    for (ours, value) in bounds.given() {
        if let Some((keyword, _)) = keywords(ty).iter().find(|(_, name)| *name == ours) {
            schema[keyword] = to_json(&value, &format!("{at}/{keyword}"))?;
        }
    }
    Ok(schema)
}

fn object(fields: &[Field], rest: Json, at: &str) -> Result<Json, SchemaError> {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for field in fields {
        let at = format!("{at}/properties/{}", escaped(&field.name));
        let mut property = schema(&field.ty, &at)?;
        if !field.doc.is_empty() {
            property["description"] = json!(field.doc);
        }
        if let Some(value) = &field.default {
            property["default"] = to_json(value, &format!("{at}/default"))?;
        }
        if field.is_needed() {
            required.push(json!(field.name));
        }
        if properties.insert(field.name.clone(), property).is_some() {
            return failure(&at, format!("there are two fields `{}`", field.name), "rename one");
        }
    }
    Ok(json!({
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": rest,
    }))
}
