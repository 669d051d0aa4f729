#![no_main]
//! Declarations and values: comparing ends, and what was declared comes back from JSON Schema.

use groundwork_trace::{Tool, Value};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str)| {
    let (declared, value) = input;
    let Ok(tools) = Tool::parse_all(declared) else { return };
    let value = Value::parse(value).ok();
    for tool in &tools {
        if let Some(value) = &value {
            let _ = tool.result.accepts_with(value, &tool.types);
        }
        if let Ok(schema) = tool.to_json_schema() {
            assert_eq!(&Tool::from_json_schema(&schema).expect("it was a tool"), tool);
        }
    }
    let printed = Tool::print_all(&tools);
    assert_eq!(Tool::print_all(&Tool::parse_all(&printed).expect("what was printed is read")), printed);
});
