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
        "/// The weather.\n/// `city`: Where.\nget_weather(city: str, unit: (\"C\" | \"F\")? = null, when: int?) -> any"
    );
}

#[test]
fn what_cannot_be_said_is_refused_or_listed() {
    let json = json!({"name": "t", "inputSchema": {"type": "object", "properties": {
        "a/b": {"type": "string", "pattern": "^x"},
        "n": {"type": "object"},
    }, "required": ["a/b", "n"]}});
    let error = Tool::from_json_schema(&json).unwrap_err();
    assert_eq!(
        error.to_string(),
        "`pattern` cannot be declared at `/inputSchema/properties/a~1b` (leave it out of the schema)"
    );
    let (tool, narrowed) = Tool::narrowed_from_json_schema(&json).unwrap();
    assert_eq!(tool.to_string(), "t(\"a/b\": str, n: any) -> any");
    assert_eq!(narrowed.len(), 2);
    for wrong in [json!(null), json!({}), json!({"name": "x", "parameters": 3})] {
        assert!(Tool::narrowed_from_json_schema(&wrong).is_err(), "{wrong}");
    }
}

#[test]
fn references_that_never_end_are_not_followed() {
    let own = json!({"name": "t", "parameters": {"properties": {"x": {"$ref": "#"}}}});
    assert!(Tool::from_json_schema(&own).is_err());
    let mut defs = json!({"d0": {"type": "string"}});
    for i in 1..40 {
        let r = json!({"$ref": format!("#/$defs/d{}", i - 1)});
        defs[format!("d{i}")] = json!({"properties": {"a": r, "b": r}, "required": ["a", "b"]});
    }
    let many =
        json!({"name": "t", "parameters": {"properties": {"x": {"$ref": "#/$defs/d39"}}, "$defs": defs}});
    assert!(Tool::narrowed_from_json_schema(&many).unwrap_err().message.contains("more than 10000"));
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
