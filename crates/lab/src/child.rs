//! A child process that speaks JSON lines: its events, its log, its end.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use crate::outside::{Recorder, Tail};

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
    /// Whether its results could be kept, where that is not its own affair.
    pub(crate) kept: Result<(), String>,
    pub(crate) stderr: Vec<String>,
    pub(crate) log: PathBuf,
}

/// A child under way, in a process group of its own, so that Ctrl-C in a terminal reaches its parent alone. Dropping
/// it does not end it.
pub(crate) struct Child {
    id: u32,
}

/// How often a file with records is looked at.
const LOOK: Duration = Duration::from_millis(200);

impl Child {
    /// Starts a child. Its events and in the end [`Message::Ended`] go to `sender` with the number `cell`; standard
    /// error, and whatever on standard output is no event, go to the file `log`. What a child that is not ours reports is
    /// turned into events, and kept, by `recorder`.
    pub(crate) fn start(
        mut command: Command,
        cell: usize,
        log: &Path,
        recorder: Option<Recorder>,
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
            let ended = Arc::new(AtomicBool::new(false));
            let records = recorder.as_ref().and_then(Recorder::file);
            let recorder = Arc::new(Mutex::new(recorder));
            let follower = records.clone().map(|path| {
                let (recorder, ended, sender) = (recorder.clone(), ended.clone(), sender.clone());
                thread::spawn(move || follow(&path, &ended, &recorder, &|event| send(&sender, cell, event)))
            });
            for_lines(stdout, |line| {
                let event = match lock(&recorder).as_mut() {
                    Some(_) if records.is_some() => None,
                    Some(recorder) => recorder.line(line),
                    None => serde_json::from_str(line).ok().filter(|e: &Value| e["event"].is_string()),
                };
                match event {
                    Some(event) => send(&sender, cell, event),
                    None => drop(writeln!(file, "{line}")),
                }
            });
            let status = child.wait();
            ended.store(true, Ordering::SeqCst);
            if let Some(follower) = follower {
                drop(follower.join());
            }
            let stderr = tail.join().unwrap_or_default();
            if let Ok(status) = status {
                let kept = lock(&recorder).take().map_or(Ok(()), |r| r.end(status.success()));
                drop(sender.send((cell, Message::Ended(Ended { status, kept, stderr, log }))));
            }
        });
        Ok(Child { id })
    }

    /// Sends a signal by name (`INT`, `KILL`) to the child and whatever it has started.
    ///
    /// Through the `kill` program, because the system call needs unsafe code. A child that is gone is no error.
    pub(crate) fn signal(&self, name: &str) {
        drop(
            Command::new("kill")
                .args(["-s", name, "--", &format!("-{}", self.id)])
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status(),
        );
    }
}

/// A receiver that is gone has stopped caring; the child is still read to its end.
fn send(sender: &Sender<(usize, Message)>, cell: usize, event: Value) {
    drop(sender.send((cell, Message::Event(event))));
}

fn lock(recorder: &Mutex<Option<Recorder>>) -> std::sync::MutexGuard<'_, Option<Recorder>> {
    recorder.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads records from a file until the child has ended.
fn follow(path: &Path, ended: &AtomicBool, recorder: &Mutex<Option<Recorder>>, send: &dyn Fn(Value)) {
    let mut tail = Tail::default();
    loop {
        let last = ended.load(Ordering::SeqCst);
        tail.read(path, last, |line| {
            if let Some(event) = lock(recorder).as_mut().and_then(|r| r.line(line)) {
                send(event);
            }
        });
        if last {
            return;
        }
        thread::sleep(LOOK);
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
