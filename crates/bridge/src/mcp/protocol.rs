//! The two dialects of the protocol.

use serde_json::{Value, json};

use crate::json_rpc::{INVALID_PARAMS, Refusal};

/// The stateless revision: every request says for itself what it needs.
pub(super) const STATELESS: &str = "2026-07-28";
/// The revisions whose sessions open with a handshake, newest first.
pub(super) const HANDSHAKE: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

/// The headers of a request do not say what its body says.
pub(super) const HEADER_MISMATCH: i64 = -32020;
/// A revision that is not known.
const UNSUPPORTED_VERSION: i64 = -32022;

const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";
const CAPABILITIES_KEY: &str = "io.modelcontextprotocol/clientCapabilities";
const SERVER_KEY: &str = "io.modelcontextprotocol/serverInfo";

/// How a request is to be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Handshake,
    Stateless,
}

/// The revision that a request states for itself, as those of the stateless dialect do.
pub(super) fn stated_version(params: &Value) -> Option<&str> {
    params["_meta"][VERSION_KEY].as_str()
}

/// The dialect of a request.
pub(super) fn dialect(params: &Value) -> Result<Dialect, Refusal> {
    match stated_version(params) {
        None => Ok(Dialect::Handshake),
        Some(STATELESS) if params["_meta"][CAPABILITIES_KEY].is_object() => Ok(Dialect::Stateless),
        Some(STATELESS) => Err(Refusal::new(
            INVALID_PARAMS,
            format!("`_meta` of the request lacks `{CAPABILITIES_KEY}`, an object"),
        )),
        Some(other) => Err(unsupported(other)),
    }
}

pub(super) fn unsupported(version: &str) -> Refusal {
    let mut supported = vec![STATELESS];
    supported.extend(HANDSHAKE);
    let data = json!({"supported": supported, "requested": version});
    Refusal { code: UNSUPPORTED_VERSION, message: "Unsupported protocol version".into(), data: Some(data) }
}

impl Dialect {
    /// Completes a result with what the dialect asks for.
    pub(super) fn complete(self, mut result: Value) -> Value {
        if self == Dialect::Stateless {
            result["resultType"] = json!("complete");
            result["_meta"][SERVER_KEY] = server_info();
        }
        result
    }

    /// The same for a result that may be kept: nothing that this server lists changes, but another task has other lists.
    pub(super) fn cacheable(self, mut result: Value) -> Value {
        if self == Dialect::Stateless {
            result["ttlMs"] = json!(0);
            result["cacheScope"] = json!("private");
        }
        self.complete(result)
    }
}

pub(super) fn server_info() -> Value {
    json!({"name": "groundwork", "title": "Groundwork", "version": env!("CARGO_PKG_VERSION")})
}
