//! The server over HTTP ("streamable HTTP"), on the machine itself.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

use super::protocol::{HANDSHAKE, HEADER_MISMATCH, STATELESS, stated_version, unsupported};
use super::server::McpServer;
use super::session::Session;
use crate::json_rpc::{INVALID_REQUEST, Incoming, METHOD_NOT_FOUND, Refusal, answered};

/// The path of the endpoint; `/mcp/NAME` is an endpoint with an episode of its own.
const PATH: &str = "/mcp";
/// Requests that are answered at the same time.
const THREADS: usize = 4;
/// Episodes that are kept; then the one that rested longest goes.
const MOST_EPISODES: usize = 256;
/// The longest message.
const LONGEST: u64 = 16 << 20;

/// Where a server listens.
pub struct Endpoint {
    server: Server,
}

impl Endpoint {
    /// Takes an address, such as `127.0.0.1:8765`; port 0 takes one that is free.
    ///
    /// # Errors
    /// An address that cannot be had.
    pub fn bind(address: SocketAddr) -> io::Result<Endpoint> {
        let server = Server::http(address).map_err(io::Error::other)?;
        Ok(Endpoint { server })
    }

    /// The address in URL form, with the path.
    pub fn url(&self) -> String {
        format!("http://{}{PATH}", self.server.server_addr())
    }
}

/// Serves any number of clients until the process ends.
///
/// In the dialect with a handshake every session (`Mcp-Session-Id`) is an episode. In the stateless one the episode is
/// that of the URL: `/mcp`, `/mcp/a` and `/mcp/b` are three, each begun by its first request. Requests that a web page of
/// another origin sends are refused. At most 256 episodes are kept.
pub fn serve_http(server: &McpServer, endpoint: &Endpoint) {
    let episodes = Mutex::new(Episodes { all: BTreeMap::new(), clock: 0 });
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                while let Ok(mut request) = endpoint.server.recv() {
                    let reply = reply(&mut request, server, &episodes);
                    // A client that is gone needs no answer.
                    let _ = request.respond(reply.into_response());
                }
            });
        }
    });
}

/// Episodes by their names, with the time of their last request.
struct Episodes {
    all: BTreeMap<String, (u64, Arc<Mutex<Session>>)>,
    clock: u64,
}

impl Episodes {
    fn get(&mut self, name: &str) -> Option<Arc<Mutex<Session>>> {
        self.clock += 1;
        let (last, session) = self.all.get_mut(name)?;
        *last = self.clock;
        Some(Arc::clone(session))
    }

    fn insert(&mut self, name: String, session: Session) -> Arc<Mutex<Session>> {
        if self.all.len() >= MOST_EPISODES
            && let Some(oldest) =
                self.all.iter().min_by_key(|(_, (last, _))| *last).map(|(name, _)| name.clone())
        {
            self.all.remove(&oldest);
        }
        self.clock += 1;
        let session = Arc::new(Mutex::new(session));
        self.all.insert(name, (self.clock, Arc::clone(&session)));
        session
    }
}

/// An HTTP response.
struct Reply {
    status: u16,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl Reply {
    fn empty(status: u16) -> Reply {
        Reply { status, body: None, headers: Vec::new() }
    }

    fn json(status: u16, body: Value) -> Reply {
        Reply { status, body: Some(body), headers: vec![("Content-Type", "application/json".into())] }
    }

    fn refuse(status: u16, id: Value, refusal: Refusal) -> Reply {
        Reply::json(status, answered(id, Err(refusal)))
    }

    fn into_response(self) -> Response<io::Cursor<Vec<u8>>> {
        let body = self.body.map_or(Vec::new(), |b| b.to_string().into_bytes());
        let mut response = Response::from_data(body).with_status_code(self.status);
        for (name, value) in self.headers {
            if let Ok(header) = Header::from_bytes(name, value) {
                response.add_header(header);
            }
        }
        response
    }
}

fn reply(request: &mut Request, server: &McpServer, episodes: &Mutex<Episodes>) -> Reply {
    let bad = |message: &str| Reply::refuse(400, Value::Null, Refusal::new(INVALID_REQUEST, message));
    if header(request, "Origin").is_some_and(|origin| !is_local(&origin)) {
        return Reply::refuse(
            403,
            Value::Null,
            Refusal::new(INVALID_REQUEST, "requests from other origins are refused"),
        );
    }
    let path = request.url().split('?').next().unwrap_or_default().to_owned();
    let named = path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if !named {
        return Reply::json(404, json!({"error": format!("the endpoint is {PATH}")}));
    }
    let session = header(request, "Mcp-Session-Id");
    match request.method() {
        Method::Post => {}
        Method::Delete => {
            let gone = session.and_then(|id| lock(episodes).all.remove(&session_name(&id)));
            return Reply::empty(if gone.is_some() { 204 } else { 404 });
        }
        _ => return Reply { headers: vec![("Allow", "POST, DELETE".into())], ..Reply::empty(405) },
    }
    let mut body = Vec::new();
    match request.as_reader().take(LONGEST + 1).read_to_end(&mut body) {
        Ok(read) if read as u64 > LONGEST => return Reply::empty(413),
        Ok(_) => {}
        Err(_) => return bad("the body cannot be read"),
    }
    let (id, method, params) = match Incoming::read(&body) {
        Err(response) => return Reply::json(400, response),
        Ok(Incoming::Notification { .. } | Incoming::Response) => return Reply::empty(202),
        Ok(Incoming::Request { id, method, params }) => (id, method, params),
    };
    let version = header(request, "MCP-Protocol-Version");
    if stated_version(&params).is_some() || version.as_deref() == Some(STATELESS) {
        if let Err(refusal) = headers_agree(request, version.as_deref(), &method, &params) {
            return Reply::refuse(400, id, refusal);
        }
        let episode = {
            let mut episodes = lock(episodes);
            episodes.get(&path).unwrap_or_else(|| episodes.insert(path, server.session()))
        };
        let result = lock(&episode).answer(&method, &params);
        let status = match &result {
            Ok(_) => 200,
            Err(refusal) if refusal.code == METHOD_NOT_FOUND => 404,
            Err(_) => 400,
        };
        return Reply::json(status, answered(id, result));
    }
    if version.as_deref().is_some_and(|v| !HANDSHAKE.contains(&v)) {
        return Reply::refuse(400, id, unsupported(&version.unwrap_or_default()));
    }
    if method == "initialize" {
        let mut fresh = server.session();
        let result = fresh.answer(&method, &params);
        let session = new_session();
        lock(episodes).insert(session_name(&session), fresh);
        let mut reply = Reply::json(200, answered(id, result));
        reply.headers.push(("Mcp-Session-Id", session));
        return reply;
    }
    let Some(session) = session else {
        let message =
            format!("`Mcp-Session-Id` is missing; a request of {STATELESS} states its version in `_meta`");
        return Reply::refuse(400, id, Refusal::new(INVALID_REQUEST, message));
    };
    let Some(episode) = lock(episodes).get(&session_name(&session)) else {
        return Reply::refuse(404, id, Refusal::new(INVALID_REQUEST, "the session is over; open another"));
    };
    let result = lock(&episode).answer(&method, &params);
    Reply::json(200, answered(id, result))
}

/// The headers of a request in the stateless dialect say what its body says.
fn headers_agree(
    request: &Request,
    version: Option<&str>,
    method: &str,
    params: &Value,
) -> Result<(), Refusal> {
    let agree = |name: &str, found: Option<&str>, wanted: &str| match found {
        Some(found) if found == wanted => Ok(()),
        Some(found) => {
            Err(Refusal::new(HEADER_MISMATCH, format!("{name} is '{found}', and the body says '{wanted}'")))
        }
        None => Err(Refusal::new(HEADER_MISMATCH, format!("the header {name} is missing"))),
    };
    agree("MCP-Protocol-Version", version, stated_version(params).unwrap_or_default())?;
    agree("Mcp-Method", header(request, "Mcp-Method").as_deref(), method)?;
    if matches!(method, "tools/call" | "prompts/get") {
        let name = header(request, "Mcp-Name").map(|value| decoded(&value).unwrap_or(value));
        agree("Mcp-Name", name.as_deref(), params["name"].as_str().unwrap_or_default())?;
    }
    Ok(())
}

fn header(request: &Request, name: &'static str) -> Option<String> {
    let found = request.headers().iter().find(|h| h.field.equiv(name));
    found.map(|h| h.value.as_str().trim().to_owned())
}

/// Whether a page of this origin is one of this machine's own.
fn is_local(origin: &str) -> bool {
    let host = origin.split_once("://").map_or(origin, |(_, host)| host);
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    matches!(name, "localhost" | "127.0.0.1" | "::1")
}

/// The text of a header in the form for what is no plain ASCII: `=?base64?…?=`.
fn decoded(value: &str) -> Option<String> {
    let coded = value.strip_prefix("=?base64?")?.strip_suffix("?=")?;
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for c in coded.trim_end_matches('=').bytes() {
        let six = match c {
            b'A'..=b'Z' => c - b'A',
            b'a'..=b'z' => c - b'a' + 26,
            b'0'..=b'9' => c - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    String::from_utf8(bytes).ok()
}

/// A name that nobody can guess: the keys of the hashers are the system's random numbers.
fn new_session() -> String {
    let word = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", word(), word())
}

/// The name of a session's episode, which no path is.
fn session_name(id: &str) -> String {
    format!("session {id}")
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|e| e.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_in_base64() {
        assert_eq!(decoded("=?base64?SGVsbG8sIOS4lueVjA==?=").as_deref(), Some("Hello, 世界"));
        assert_eq!(decoded("=?base64?IHBhZGRlZCA=?=").as_deref(), Some(" padded "));
        assert_eq!(decoded("=?base64?_?="), None);
        assert_eq!(decoded("plain"), None);
    }

    #[test]
    fn only_this_machines_own_pages() {
        for own in ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:80", "https://localhost"] {
            assert!(is_local(own), "{own}");
        }
        for other in
            ["https://evil.example", "http://localhost.evil.example", "null", "http://127.0.0.1.evil"]
        {
            assert!(!is_local(other), "{other}");
        }
    }

    #[test]
    fn sessions_differ() {
        assert_ne!(new_session(), new_session());
    }
}
