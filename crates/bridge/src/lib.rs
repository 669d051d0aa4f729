//! Where other programs meet Groundwork: editors, and agents that speak the Model Context Protocol.
//!
//! - [`LanguageServer`] serves editors over standard input and output: diagnostics, hover, completion, formatting,
//!   symbols and quick fixes for trace files.
//! - [`McpServer`] offers a task of a world as an MCP server, over standard input and output ([`McpServer::serve`]) or
//!   HTTP ([`serve_http`]), in the dialect with a handshake (2025-11-25 and before) and the stateless one (2026-07-28).
//! - [`Recorder`] stands between an MCP client and its server and keeps every message.
//!
//! All of it is JSON-RPC 2.0; the messages are read and written by hand over `serde_json`, one at a time.

#![forbid(unsafe_code)]

mod framing;
mod json_rpc;
mod language_server;
mod mcp;

pub use language_server::{KnownTools, LanguageServer};
pub use mcp::{Endpoint, McpServer, Recorder, serve_http};
