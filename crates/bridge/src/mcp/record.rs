//! A recorder between an MCP client and its server.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::{Arc, Mutex};
use std::thread;

use groundwork_trace::adapters::{Format, FormatError, Loss};
use groundwork_trace::{Span, SpanKind, Trace};
use serde_json::Value;

use super::log::{self, Line, Log, Side};
use super::protocol::stated_version;
use super::times;

/// Passes the messages of a session on, byte by byte, and keeps them.
///
/// Every line goes to the log before it goes on, as one object a line: `time`, `from` (`client` or `server`) and
/// `message`, the line as it was said. So nothing is lost where either side breaks off, or says something that is no
/// message; and [what was logged](Recorder::read_log) makes the same trace.
#[derive(Clone)]
pub struct Recorder {
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    lines: Vec<Line>,
    goal: Option<String>,
    log: Option<Box<dyn Write + Send>>,
    /// Why the log is no longer written.
    failed: Option<io::Error>,
}

impl Recorder {
    /// A recorder that keeps what it hears in memory, and writes it to `log` as it comes. `goal`, where there is one,
    /// says what the calls are for: the protocol does not.
    pub fn new(goal: Option<String>, mut log: Option<Box<dyn Write + Send>>) -> Recorder {
        let written = match (&goal, &mut log) {
            (Some(goal), Some(log)) => log::write_goal(log, goal),
            _ => Ok(()),
        };
        let mut kept = Kept { lines: Vec::new(), goal, log, failed: None };
        if let Err(e) = written {
            kept.give_up(e);
        }
        Recorder { kept: Arc::new(Mutex::new(kept)) }
    }

    /// A recorder that has heard what is in the log of another, and whether the log ends inside an entry, which is left
    /// out.
    ///
    /// # Errors
    /// Failures of `log`, and a line that is no entry.
    pub fn read_log(log: impl BufRead) -> io::Result<(Recorder, bool)> {
        let Log { lines, goal, cut } = Log::read(log)?;
        let kept = Kept { lines, goal, log: None, failed: None };
        Ok((Recorder { kept: Arc::new(Mutex::new(kept)) }, cut))
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
            to.write_all(&self.keep(Line::now(side, line)))?;
            to.flush()?;
        }
    }

    /// Keeps a line, and gives its bytes back.
    fn keep(&self, line: Line) -> Vec<u8> {
        let bytes = line.bytes.clone();
        let mut kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        if let Some(log) = &mut kept.log
            && let Err(e) = line.write(log)
        {
            kept.give_up(e);
        }
        kept.lines.push(line);
        bytes
    }

    /// Why the log is incomplete, if it is.
    pub fn log_failure(&self) -> Option<String> {
        let kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        kept.failed.as_ref().map(ToString::to_string)
    }

    /// The session as a trace, with what of it a trace cannot hold: tools, calls and results. A call has the `time` at
    /// which it was made, its result the `time` at which it came and how long that took, in `x_seconds`.
    ///
    /// # Errors
    /// A session that is no session of the protocol.
    pub fn trace(&self) -> Result<(Trace, Vec<Loss>), Box<FormatError>> {
        let kept = self.kept.lock().unwrap_or_else(|e| e.into_inner());
        let messages = dialogue(&kept.lines);
        let stateless = messages.iter().any(|m| stated_version(&m.json["params"]).is_some());
        let format = if stateless { Format::Mcp2026 } else { Format::Mcp2025 };
        // As it was said: numbers keep their spelling.
        let text: Vec<&str> = messages.iter().map(|m| m.text).collect();
        let read = format.read(&text.join("\n"))?;
        let mut trace = read.value.into_iter().next().unwrap_or_default();
        times::note(&mut trace, &messages);
        if let Some(goal) = &kept.goal {
            let after_tools = trace.spans.iter().take_while(|s| s.kind == SpanKind::Tools).count();
            trace.spans.insert(after_tools, Span::new(SpanKind::Goal, goal.as_str()));
        }
        Ok((trace, read.losses))
    }
}

impl Kept {
    /// The session matters more than its log.
    fn give_up(&mut self, e: io::Error) {
        self.failed = Some(e);
        self.log = None;
    }
}

/// A message of the dialogue.
pub(super) struct Message<'a> {
    pub(super) json: Value,
    pub(super) text: &'a str,
    pub(super) time: Option<&'a str>,
}

/// The client's requests and the server's responses to them. What the server asks its client for, in numbers of its
/// own, is another conversation; it is in the log.
fn dialogue(lines: &[Line]) -> Vec<Message<'_>> {
    let mut asked: BTreeSet<String> = BTreeSet::new();
    let mut messages = Vec::new();
    for Line { side, bytes, time } in lines {
        let Ok(text) = std::str::from_utf8(bytes) else { continue };
        let Ok(json) = serde_json::from_str::<Value>(text) else { continue };
        let id = json.get("id").map(ToString::to_string);
        let belongs = match (side, json.get("method"), &id) {
            (Side::Client, Some(_), Some(id)) => asked.insert(id.clone()),
            (Side::Client, Some(_), None) => true,
            (Side::Server, None, Some(id)) => asked.remove(id),
            _ => false,
        };
        if belongs {
            messages.push(Message { json, text, time: time.as_deref() });
        }
    }
    messages
}
