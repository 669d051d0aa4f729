//! A child process that speaks JSON lines: its events, its log, its end.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::Sender;
use std::thread;

use serde_json::Value;

/// Lines of standard error that are kept for the report of a failure.
const TAIL: usize = 20;

/// What comes from a child.
pub(crate) enum Message {
    /// A JSON line with an `event`.
    Event(Value),
    /// It has ended.
    Ended(Ended),
}

/// The end of a child.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stderr: Vec<String>,
    pub(crate) log: PathBuf,
}

/// A child under way, in a process group of its own, so that Ctrl-C in a terminal reaches its parent alone. Dropping
/// it does not end it.
pub(crate) struct Child {
    id: u32,
}

impl Child {
    /// Starts a child. Its events and in the end [`Message::Ended`] go to `sender` with the number `cell`; standard
    /// error, and whatever on standard output is no event, go to the file `log`.
    pub(crate) fn start(
        mut command: Command,
        cell: usize,
        log: &Path,
        sender: Sender<(usize, Message)>,
    ) -> io::Result<Child> {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        let mut file = OpenOptions::new().create(true).append(true).open(log)?;
        writeln!(file, "$ {command:?}")?;
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let id = child.id();
        let stdout = child.stdout.take().ok_or_else(|| io::Error::other("no standard output"))?;
        let stderr = child.stderr.take().ok_or_else(|| io::Error::other("no standard error"))?;
        let stderr_file = file.try_clone()?;
        let tail = thread::spawn(move || keep_tail(stderr, stderr_file));
        let log = log.to_owned();
        thread::spawn(move || {
            for_lines(stdout, |line| match serde_json::from_str::<Value>(line) {
                // A receiver that is gone has stopped caring; the child is still read to its end.
                Ok(event) if event["event"].is_string() => drop(sender.send((cell, Message::Event(event)))),
                _ => drop(writeln!(file, "{line}")),
            });
            let status = child.wait();
            let stderr = tail.join().unwrap_or_default();
            if let Ok(status) = status {
                drop(sender.send((cell, Message::Ended(Ended { status, stderr, log }))));
            }
        });
        Ok(Child { id })
    }

    /// Sends a signal by name (`INT`, `KILL`).
    ///
    /// Through the `kill` program, because the system call needs unsafe code. A child that is gone is no error.
    pub(crate) fn signal(&self, name: &str) {
        drop(
            Command::new("kill")
                .args(["-s", name, &self.id.to_string()])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status(),
        );
    }
}

fn keep_tail(stream: impl io::Read, mut log: File) -> Vec<String> {
    let mut tail = VecDeque::new();
    for_lines(stream, |line| {
        drop(writeln!(log, "{line}"));
        if tail.len() == TAIL {
            tail.pop_front();
        }
        tail.push_back(line.to_owned());
    });
    tail.into()
}

/// Lines of a stream, whatever bytes they hold.
fn for_lines(stream: impl io::Read, mut take: impl FnMut(&str)) {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
        take(String::from_utf8_lossy(&line).trim_end_matches(['\n', '\r']));
        line.clear();
    }
}
