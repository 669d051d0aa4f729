//! A recorder between an MCP client and its server.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex};
use std::thread;

use groundwork_trace::adapters::{Format, FormatError, Loss};
use groundwork_trace::{Span, SpanKind, Trace};
use serde_json::{Value, json};

use super::protocol::stated_version;

/// Passes the messages of a session on, byte by byte, and keeps them.
///
/// Every line goes to the log before it goes on, as one object a line: `from` (`client` or `server`) and `message`, the
/// line as it was said. So nothing is lost where either side breaks off, or says something that is no message.
#[derive(Clone)]
pub struct Recorder {
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    lines: Vec<(Side, Vec<u8>)>,
    log: Option<Box<dyn Write + Send>>,
    /// Why the log is no longer written.
    failed: Option<io::Error>,
}

#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}

impl Recorder {
    /// A recorder that keeps what it hears in memory, and writes it to `log` as it comes.
    pub fn new(log: Option<Box<dyn Write + Send>>) -> Recorder {
        Recorder { kept: Arc::new(Mutex::new(Kept { lines: Vec::new(), log, failed: None })) }
    }

    /// Stands between a client and a server until the server's side ends. The server's input is closed when the
    /// client's ends.
    ///
    /// # Errors
    /// A server or a client that cannot be spoken to any more.
    pub fn run(
        &self,
        client: impl Read + Send + 'static,
        to_client: impl Write,
        server: ChildStdin,
        from_server: ChildStdout,
    ) -> io::Result<()> {
        let recorder = self.clone();
        // It is left alone where the server ends first: nobody knows when the client says something again.
        thread::spawn(move || {
            // A server that does not listen any more is about to end, which the other direction sees.
            let _ = recorder.pass(Side::Client, BufReader::new(client), server);
        });
        self.pass(Side::Server, BufReader::new(from_server), to_client)
    }

    fn pass(&self, side: Side, mut from: impl BufRead, mut to: impl Write) -> io::Result<()> {
        loop {
            let mut line = Vec::new();
            if from.read_until(b'\n', &mut line)? == 0 {
                return Ok(());
            }
            self.keep(side, &line);
            to.write_all(&line)?;
            to.flush()?;
        }
    }

    fn keep(&self, side: Side, line: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(log) = &mut kept.log
            && let Err(e) = write_entry(log, side, line)
        {
            // The session matters more than its log.
            kept.failed = Some(e);
            kept.log = None;
        }
        kept.lines.push((side, line.to_owned()));
    }

    /// Why the log is incomplete, if it is.
    pub fn log_failure(&self) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        kept.failed.as_ref().map(ToString::to_string)
    }

    /// The session as a trace, with what of it a trace cannot hold: tools, calls and results. `goal`, where there is
    /// one, comes first: the protocol does not say what the calls were for.
    ///
    /// # Errors
    /// A session that is no session of the protocol.
    pub fn trace(&self, goal: Option<&str>) -> Result<(Trace, Vec<Loss>), Box<FormatError>> {
        let kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let messages = dialogue(&kept.lines);
        let stateless = messages.iter().any(|(m, _)| stated_version(&m["params"]).is_some());
        let format = if stateless { Format::Mcp2026 } else { Format::Mcp2025 };
        // As it was said: numbers keep their spelling.
        let text: Vec<&str> = messages.iter().map(|(_, line)| *line).collect();
        let read = format.read(&text.join("\n"))?;
        let mut trace = read.value.into_iter().next().unwrap_or_default();
        if let Some(goal) = goal {
            let after_tools = trace.spans.iter().take_while(|s| s.kind == SpanKind::Tools).count();
            trace.spans.insert(after_tools, Span::new(SpanKind::Goal, goal));
        }
        Ok((trace, read.losses))
    }
}

fn write_entry(log: &mut impl Write, side: Side, line: &[u8]) -> io::Result<()> {
    let from = if side == Side::Client { "client" } else { "server" };
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    // What is no UTF-8 is no message either; its bytes are kept one by one.
    let entry = match std::str::from_utf8(line) {
        Ok(message) => json!({"from": from, "message": message}),
        Err(_) => json!({"from": from, "bytes": line}),
    };
    writeln!(log, "{entry}")?;
    log.flush()
}

/// The client's requests and the server's responses to them. What the server asks its client for, in numbers of its
/// own, is another conversation; it is in the log.
fn dialogue(lines: &[(Side, Vec<u8>)]) -> Vec<(Value, &str)> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut messages = Vec::new();
    for (side, line) in lines {
        let Ok(line) = std::str::from_utf8(line) else { continue };
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let id = message.get("id").map(ToString::to_string);
        let belongs = match (side, message.get("method"), &id) {
            (Side::Client, Some(_), Some(id)) => asked.insert(id.clone()),
            (Side::Client, Some(_), None) => true,
            (Side::Server, None, Some(id)) => asked.remove(id),
            _ => false,
        };
        if belongs {
            messages.push((message, line));
        }
    }
    messages
}
