//! Tools to and from JSON Schema.

use groundwork_trace::{Tool, Value};
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
    assert_eq!(narrowed.len(), 3);
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
