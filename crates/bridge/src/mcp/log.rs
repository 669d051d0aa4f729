//! The log of a recorded session: one JSON object a line.

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

/// What one side said, and when.
pub(super) struct Line {
    pub(super) side: Side,
    /// The line as it was said.
    pub(super) bytes: Vec<u8>,
    /// UTC, RFC 3339; unknown in logs of earlier programs.
    pub(super) time: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Side {
    Client,
    Server,
}

impl Line {
    /// What was said just now.
    pub(super) fn now(side: Side, bytes: Vec<u8>) -> Line {
        let time = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string();
        Line { side, bytes, time: Some(time) }
    }

    /// Writes the line as an entry, whole or not at all as far as the system lets it.
    pub(super) fn write(&self, log: &mut impl Write) -> io::Result<()> {
        let from = if self.side == Side::Client { "client" } else { "server" };
        let said = self.bytes.strip_suffix(b"\n").unwrap_or(&self.bytes);
        // What is no UTF-8 is no message either; its bytes are kept one by one.
        write(
            log,
            &match std::str::from_utf8(said) {
                Ok(message) => json!({"time": self.time, "from": from, "message": message}),
                Err(_) => json!({"time": self.time, "from": from, "bytes": said}),
            },
        )
    }

    fn of(entry: &Value) -> Option<Line> {
        let side = match entry["from"].as_str()? {
            "client" => Side::Client,
            "server" => Side::Server,
            _ => return None,
        };
        let byte = |b: &Value| u8::try_from(b.as_u64()?).ok();
        let bytes = match (&entry["message"], &entry["bytes"]) {
            (Value::String(message), _) => message.clone().into_bytes(),
            (_, Value::Array(bytes)) => bytes.iter().map(byte).collect::<Option<_>>()?,
            _ => return None,
        };
        Some(Line { side, bytes, time: entry["time"].as_str().map(str::to_owned) })
    }
}

/// Writes what the session is for.
pub(super) fn write_goal(log: &mut impl Write, goal: &str) -> io::Result<()> {
    write(log, &json!({"goal": goal}))
}

fn write(log: &mut impl Write, entry: &Value) -> io::Result<()> {
    log.write_all(format!("{entry}\n").as_bytes())?;
    log.flush()
}

/// A log that was read.
pub(super) struct Log {
    pub(super) lines: Vec<Line>,
    pub(super) goal: Option<String>,
    /// Whether it ends inside an entry, which is left out.
    pub(super) cut: bool,
}

impl Log {
    /// Reads a log to its end.
    pub(super) fn read(mut input: impl BufRead) -> io::Result<Log> {
        let mut log = Log { lines: Vec::new(), goal: None, cut: false };
        let mut text = Vec::new();
        for number in 1.. {
            text.clear();
            if input.read_until(b'\n', &mut text)? == 0 {
                break;
            }
            let entry = serde_json::from_slice::<Value>(&text).unwrap_or_default();
            if let Some(line) = Line::of(&entry) {
                log.lines.push(line);
            } else if let Some(goal) = entry["goal"].as_str() {
                log.goal = Some(goal.to_owned());
            } else if !text.ends_with(b"\n") {
                log.cut = true;
            } else {
                let message = format!(
                    "line {number} is no entry of a recorded session, as `trace record --log` writes them"
                );
                return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
            }
        }
        Ok(log)
    }
}
