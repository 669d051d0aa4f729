//! JSON-RPC 2.0 messages.

use serde_json::{Value, json};

/// A message that is no JSON.
pub(crate) const PARSE_ERROR: i64 = -32700;
/// JSON that is no message, or one that may not come now.
pub(crate) const INVALID_REQUEST: i64 = -32600;
/// A method that is not known.
pub(crate) const METHOD_NOT_FOUND: i64 = -32601;
/// Parameters that the method does not take.
pub(crate) const INVALID_PARAMS: i64 = -32602;

/// Why a request was refused.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
    pub(crate) data: Option<Value>,
}

impl Refusal {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Refusal { code, message: message.into(), data: None }
    }

    pub(crate) fn unknown_method(method: &str) -> Self {
        Refusal::new(METHOD_NOT_FOUND, format!("there is no method `{method}` here"))
    }
}

/// A message from the other side.
pub(crate) enum Incoming {
    /// It wants an answer.
    Request { id: Value, method: String, params: Value },
    /// It wants none.
    Notification { method: String, params: Value },
    /// An answer to a request of ours.
    Response,
}

impl Incoming {
    /// Reads a message.
    ///
    /// # Errors
    /// The response that the other side is owed.
    pub(crate) fn read(bytes: &[u8]) -> Result<Incoming, Value> {
        let mut message: Value = match serde_json::from_slice(bytes) {
            Ok(message) => message,
            Err(e) => return Err(refused(Value::Null, &Refusal::new(PARSE_ERROR, format!("no JSON: {e}")))),
        };
        let Some(fields) = message.as_object_mut() else {
            return Err(refused(Value::Null, &Refusal::new(INVALID_REQUEST, "a message is one object")));
        };
        let id = fields.remove("id");
        let params = fields.remove("params").unwrap_or(Value::Null);
        match (fields.remove("method"), id) {
            (Some(Value::String(method)), Some(id @ (Value::String(_) | Value::Number(_)))) => {
                Ok(Incoming::Request { id, method, params })
            }
            (Some(Value::String(method)), None) => Ok(Incoming::Notification { method, params }),
            (None, Some(_)) if fields.contains_key("result") || fields.contains_key("error") => {
                Ok(Incoming::Response)
            }
            (_, id) => {
                let message = "a message has a `method`, a string, and an `id`, a string or a number, if it asks for an answer";
                let id = id.filter(|id| id.is_string() || id.is_number()).unwrap_or(Value::Null);
                Err(refused(id, &Refusal::new(INVALID_REQUEST, message)))
            }
        }
    }
}

/// The response to a request.
pub(crate) fn answered(id: Value, result: Result<Value, Refusal>) -> Value {
    match result {
        Ok(result) => json!({"jsonrpc": "2.0", "id": id, "result": result}),
        Err(refusal) => refused(id, &refusal),
    }
}

fn refused(id: Value, refusal: &Refusal) -> Value {
    let mut error = json!({"code": refusal.code, "message": refusal.message});
    if let Some(data) = &refusal.data {
        error["data"] = data.clone();
    }
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}
