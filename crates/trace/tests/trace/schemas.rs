//! Tools to and from JSON Schema.

use groundwork_trace::{NarrowedKind, Tool, Value};
use serde_json::{Value as Json, json};

#[test]
fn tools_come_back_from_json_schema() {
    let text = r#"{
  /// Says many things.
  ///
  ///   Indented.
  "odd name"(a: any, b: bool = true, c: int = -3, d: float = 0.5, e: path, f: [str]? = null, g: "x" | 2 | null) -> {h: {"i j": int?}, k: [int | str]} ! Gone(path, int) | Denied
  nothing() -> null
  bounds(a: int(min=-1, max=3, step=2), b: float(above=0, below=1.5), c: str(min=1, max=9, pattern="^a", format="date"), d: path(max=9), e: [int](min=1, max=2, unique=true), f: {*: str}(min=1)) -> {a?: int, *: any}
  /// Described.
  described(
    /// The first.
    ///
    /// It is.
    a: int,
    b?: {
      /// Inside.
      c: str,
      *: int,
    },
  ) -> any !
    /// Gone.
    Gone(path)
  type Tree = [Tree]
  /// A leaf.
  type Leaf = {
    /// Its value.
    value: int,
    of: Tree?,
  }
  named(a: Leaf, b?: Tree = []) -> Tree ! Bad(Tree, Leaf)
  unions(a: int | null, b: (int | null)?, c: ("x")? | "y", d: ("a" | "b") | int | ("c"), e: int | (str | bool)) -> {}
}"#;
    for tool in Tool::parse_all(text).unwrap() {
        let schema = tool.to_json_schema().unwrap();
        assert_eq!(Tool::from_json_schema(&schema).unwrap(), tool, "{schema:#}");
        assert_eq!(Tool::parse(&tool.to_string()).unwrap(), tool);
    }
}

#[test]
fn openai_shape() {
    let json = json!({"type": "function", "function": {
        "name": "get_weather", "description": "The weather.",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string", "description": "Where."},
                "unit": {"type": "string", "enum": ["C", "F"]},
                "when": {"$ref": "#/$defs/day"},
            },
            "required": ["city", "when"],
            "$defs": {"day": {"type": ["integer", "null"]}},
        },
    }});
    let tool = Tool::from_json_schema(&json).unwrap();
    assert_eq!(
        tool.to_string(),
        "type day = int?\n/// The weather.\nget_weather(\n  /// Where.\n  city: str,\n  unit?: \"C\" | \"F\",\n  when: day,\n) -> any"
    );
}

#[test]
fn what_cannot_be_said_is_refused_or_listed() {
    let json = json!({"name": "t", "inputSchema": {"type": "object", "properties": {
        "a/b": {"type": "string", "not": {"const": "x"}},
        "n": {"type": "integer", "minLength": 3, "exclusiveMinimum": true},
    }, "required": ["a/b", "n"]}});
    let error = Tool::from_json_schema(&json).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`not` cannot be declared at `/inputSchema/properties/a~1b` (leave it out of the schema)"
    );
    let (tool, narrowed) = Tool::narrowed_from_json_schema(&json).unwrap();
    assert_eq!(tool.to_string(), "t(\"a/b\": str, n: int) -> any");
    assert_eq!(narrowed.iter().filter(|n| n.kind == NarrowedKind::Demand).count(), 3);
    for wrong in [json!(null), json!({}), json!({"name": "x", "parameters": 3})] {
        assert!(Tool::narrowed_from_json_schema(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn references_become_named_types() {
    let own = json!({"name": "t", "parameters": {"properties": {"x": {"$ref": "#"}}}});
    assert_eq!(Tool::from_json_schema(&own).unwrap().to_string(), "type T_ = {x?: T_}\nt(x?: T_) -> any");
    // Each definition is read once, however often it is referred to.
    let mut defs = json!({"d0": {"type": "string"}});
    for i in 1..40 {
        let r = json!({"$ref": format!("#/$defs/d{}", i - 1)});
        defs[format!("d{i}")] = json!({"properties": {"a": r, "b": r}, "required": ["a", "b"]});
    }
    let many =
        json!({"name": "t", "parameters": {"properties": {"x": {"$ref": "#/$defs/d39"}}, "$defs": defs}});
    assert_eq!(Tool::from_json_schema(&many).unwrap().types.len(), 40);
    let endless = json!({"name": "t", "parameters": {"properties": {"x": {"$ref": "#/$defs/a"}},
        "$defs": {"a": {"anyOf": [{"$ref": "#/$defs/b"}]}, "b": {"$ref": "#/$defs/a"}}}});
    assert!(Tool::narrowed_from_json_schema(&endless).unwrap_err().message.contains("nothing but itself"));
    // What a result and a parameter call by one name may be different.
    let two = json!({"name": "t", "inputSchema": {"properties": {"x": {"$ref": "#/$defs/a"}}, "$defs": {"a": {"type": "string"}}},
        "outputSchema": {"$ref": "#/$defs/a", "$defs": {"a": {"type": "integer"}}}});
    assert_eq!(
        Tool::from_json_schema(&two).unwrap().to_string(),
        "type a = str\ntype a_2 = int\nt(x?: a) -> a_2"
    );
}

#[test]
fn numbers_that_json_would_respell_are_refused() {
    assert_eq!(Value::parse("[1, 1.5, -0.25]").unwrap().to_json().unwrap(), json!([1, 1.5, -0.25]));
    for spelt in ["1e3", "1.50", "123456789012345678901234567890"] {
        assert!(Value::parse(spelt).unwrap().to_json().is_err(), "{spelt}");
    }
    let json: Json = serde_json::from_str("{\"a\": [null, true, \"x\", 1.0]}").unwrap();
    assert_eq!(Value::from_json(&json).to_json().unwrap(), json);
}

/// The parameters of a tool with one parameter `x`, and what is reported of it.
fn read(schema: &Json) -> (String, Vec<String>) {
    let json = json!({"name": "t", "parameters": {
        "type": "object", "properties": {"x": schema}, "additionalProperties": false}});
    let (tool, narrowed) = Tool::narrowed_from_json_schema(&json).unwrap();
    let again = Tool::from_json_schema(&tool.to_json_schema().unwrap()).unwrap();
    assert_eq!(again, tool);
    let declared = tool.to_string();
    let declared =
        declared.strip_prefix("t(x?: ").and_then(|d| d.strip_suffix(") -> any")).unwrap_or(&declared);
    (declared.to_owned(), narrowed.into_iter().map(|n| n.what).collect())
}

#[test]
fn earlier_drafts_are_read_exactly_where_the_language_can() {
    let number = json!({"type": "number"});
    for (schema, declared) in [
        (json!({"type": "integer", "minimum": 3, "exclusiveMinimum": true}), "int(above=3)"),
        (
            json!({"type": "integer", "maximum": 3, "exclusiveMaximum": true, "minimum": 1, "exclusiveMinimum": false}),
            "int(min=1, below=3)",
        ),
        (
            json!({"type": "array", "items": [number, number], "additionalItems": false, "minItems": 2}),
            "[float](min=2, max=2)",
        ),
        (json!({"type": "array", "items": [number, number], "additionalItems": number}), "[float]"),
        (json!({"prefixItems": [number, number], "items": false, "maxItems": 1}), "[float](max=1)"),
        (json!({"type": "array", "items": false}), "[any](max=0)"),
        (json!({"type": "array", "items": true}), "[any]"),
        (json!({"$schema": "http://json-schema.org/draft-04/schema#", "type": "string"}), "str"),
        (json!({"oneOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}), "(str | int)?"),
        (json!({"oneOf": [{"const": "a"}, {"enum": ["b", 1]}]}), "\"a\" | (\"b\" | 1)"),
    ] {
        assert_eq!(read(&schema), (declared.to_owned(), vec![]), "{schema}");
    }
    let json = json!({"name": "t", "parameters": {
        "properties": {"x": {"type": "string", "required": true}, "y": false}, "additionalProperties": false}});
    assert_eq!(Tool::from_json_schema(&json).unwrap().to_string(), "t(x: str) -> any");
}

#[test]
fn no_keyword_refuses_a_tool_and_each_is_reported() {
    let (number, text) = (json!({"type": "number"}), json!({"type": "string"}));
    for (schema, declared, reported) in [
        (
            json!({"prefixItems": [number, text]}),
            "[float | str](max=2)",
            vec![
                "a list that goes on after its `prefixItems`, which is taken to end there",
                "the places of `prefixItems`",
            ],
        ),
        (
            json!({"type": "array", "items": [number, text], "additionalItems": true}),
            "[any]",
            vec!["the places of `items`"],
        ),
        (json!({"anyOf": [false, number]}), "any | float", vec!["that no value is valid"]),
        (json!({"anyOf": []}), "any", vec!["`anyOf`"]),
        (json!({"type": []}), "any", vec!["a `type` that names no type"]),
        (json!({"type": 3}), "any", vec!["a `type` that is neither a name nor a list of names"]),
        (json!({"type": "array", "items": 3}), "[any]", vec!["what is no schema"]),
        (
            json!({"$ref": "other.json#/a"}),
            "any",
            vec!["`other.json#/a`, which leads nowhere in the schema,"],
        ),
        (
            json!({"oneOf": [{"type": "integer"}, {"type": "number"}]}),
            "int | float",
            vec!["`oneOf`, which is read as `anyOf`,"],
        ),
        (
            json!({"properties": {"a": text}, "anyOf": [{"required": ["a"]}]}),
            "{a?: str}",
            vec!["objects that say nothing of further fields, which are taken to have none,", "`anyOf`"],
        ),
        (
            json!({"type": "string", "examples": ["a"], "readOnly": true, "deprecated": false, "$comment": "c", "x-y": 1}),
            "str",
            vec!["`examples`", "`readOnly`", "`$comment`", "`x-y`"],
        ),
        (
            json!({"type": "string", "title": "X", "default": "a"}),
            "t(x: str = \"a\") -> any",
            vec!["`title`"],
        ),
        (
            json!({"type": "string", "title": "Where to", "description": ""}),
            "t(\n  /// Where to\n  x?: str,\n) -> any",
            vec![],
        ),
        (
            json!({"type": "array", "items": {"type": "string", "description": "d", "default": "e"}}),
            "[str]",
            vec!["`description`", "`default`"],
        ),
    ] {
        let (found, said) = read(&schema);
        let mut said: Vec<&str> = said.iter().map(String::as_str).collect();
        said.sort_by_key(|s| !s.contains(' '));
        assert_eq!((found.as_str(), said), (declared, reported), "{schema}");
    }
    // What is only said beside does not make a tool unusable; alternatives of all parameters leave each of them optional.
    let noted = json!({"name": "t", "parameters": {"properties": {"x": {"title": "X", "oneOf": [{}, {}]}}}});
    assert_eq!(Tool::from_json_schema(&noted).unwrap().to_string(), "t(x?: any | any) -> any");
    let several = json!({"name": "t", "parameters": {"anyOf": [
        {"properties": {"a": text, "b": number}, "required": ["a", "b"]},
        {"properties": {"a": number, "c": text}, "required": ["a"]}]}});
    let (tool, _) = Tool::narrowed_from_json_schema(&several).unwrap();
    assert_eq!(tool.to_string(), "t(a: str | float, b?: float, c?: str) -> any");
}
