//! The Model Context Protocol: a world as a server, and the recorder between a client and its server.

mod http;
mod log;
mod protocol;
mod record;
mod server;
mod session;
mod times;

pub use http::{Endpoint, serve_http};
pub use record::Recorder;
pub use server::McpServer;
