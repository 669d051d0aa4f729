//! The journal of an evaluation: every attempt is written down when it ends, so that nothing that was played is lost.
//!
//! A file of JSON lines: a header that says what is evaluated, then an attempt a line. Only what the agent said is kept of an
//! attempt, and how it ended; the grade is made again when the journal is read. A last line that was not finished is cut off.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use groundwork_trace::Trace;
use groundwork_worlds::Task;
use serde::{Deserialize, Serialize};

use crate::endpoint::Spent;
use crate::{ArenaError, Ended, Rollout, SuiteSpec, regrade};

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize, PartialEq)]
struct Header {
    format: u32,
    model: String,
    suite: SuiteSpec,
}

#[derive(Serialize, Deserialize)]
struct Line {
    task: Task,
    sample: u32,
    ended: Ended,
    tokens: u32,
    said: u32,
    #[serde(default)]
    requests: u64,
    #[serde(default)]
    prompt_tokens: u64,
    #[serde(default)]
    reply_tokens: u64,
    transcript: String,
}

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    /// Bytes up to the end of the last whole line.
    length: u64,
    attempts: usize,
}

/// An attempt that a journal holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Journalled {
    /// The attempt, graded anew.
    pub rollout: Rollout,
    /// What an endpoint used for it.
    pub spent: Spent,
}

impl Journal {
    /// Opens the journal of an evaluation of `model` in `suite`, or begins one, and returns the attempts that it holds.
    ///
    /// # Errors
    /// The file cannot be read or written, is damaged before its last line, or belongs to another evaluation.
    pub fn open(
        path: &Path,
        model: &str,
        suite: &SuiteSpec,
    ) -> Result<(Journal, Vec<Journalled>), ArenaError> {
        let header = Header { format: FORMAT, model: model.to_owned(), suite: suite.clone() };
        let failed = |what: String, hint| ArenaError::Scores { path: path.to_owned(), what, hint };
        let io = |e: std::io::Error| {
            failed(
                format!("cannot be used as a journal: {e}"),
                "the folder must exist, be writable and have room",
            )
        };
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut journal = Journal { path: path.to_owned(), file: file.map_err(io)?, length: 0, attempts: 0 };
        if let Err(std::fs::TryLockError::WouldBlock) = journal.file.try_lock() {
            let hint = "wait for it, or stop it; its attempts are kept";
            return Err(failed("is being written by another evaluation".to_owned(), hint));
        }
        let mut reader = BufReader::new(journal.file.try_clone().map_err(io)?);
        let mut held = Vec::new();
        let mut line = Vec::new();
        let mut number = 0;
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(io)?;
            if line.last() != Some(&b'\n') {
                break;
            }
            number += 1;
            let damaged = |e: serde_json::Error| {
                failed(
                    format!("line {number} is damaged: {e}"),
                    "move the file away to begin anew, or delete the line",
                )
            };
            if number == 1 {
                let found: Header = serde_json::from_slice(&line).map_err(damaged)?;
                if found != header {
                    return Err(failed(
                        format!("is the journal of another evaluation, of `{}`", found.model),
                        "evaluate with the same suite and model as before, or give another place with `--out`",
                    ));
                }
            } else {
                let line: Line = serde_json::from_slice(&line).map_err(damaged)?;
                held.push(
                    graded(&line).map_err(|e| failed(format!("line {number}: {e}"), "move the file away"))?,
                );
            }
            journal.length += line.len() as u64;
        }
        journal.attempts = held.len();
        if number == 0 {
            journal.put(&header)?;
        }
        Ok((journal, held))
    }

    /// Writes an attempt down.
    ///
    /// # Errors
    /// It cannot be written. What was written before is whole.
    pub fn write(&mut self, rollout: &Rollout, spent: Spent) -> Result<(), ArenaError> {
        self.put(&Line {
            task: rollout.task.clone(),
            sample: rollout.sample,
            ended: rollout.ended,
            tokens: rollout.tokens,
            said: rollout.said,
            requests: spent.requests,
            prompt_tokens: spent.prompt_tokens,
            reply_tokens: spent.reply_tokens,
            transcript: rollout.trace.to_annotated(),
        })?;
        self.attempts += 1;
        Ok(())
    }

    /// Makes what was written durable.
    ///
    /// # Errors
    /// The system cannot.
    pub fn sync(&mut self) -> Result<(), ArenaError> {
        self.file.sync_data().map_err(|e| self.unwritable(&e))
    }

    /// Removes the file: its attempts have gone into scores.
    ///
    /// # Errors
    /// The system cannot.
    pub fn remove(self) -> Result<(), ArenaError> {
        std::fs::remove_file(&self.path).map_err(|e| self.unwritable(&e))
    }

    fn put(&mut self, line: &impl Serialize) -> Result<(), ArenaError> {
        let mut bytes = serde_json::to_vec(line).map_err(|e| self.unwritable(&e.into()))?;
        bytes.push(b'\n');
        let written = self.file.seek(SeekFrom::Start(self.length)).and_then(|_| self.file.write_all(&bytes));
        if let Err(e) = written {
            // Half a line would be cut off at the next start anyway; on a full disk this gives its room back.
            let _ = self.file.set_len(self.length);
            return Err(self.unwritable(&e));
        }
        self.length += bytes.len() as u64;
        // What an earlier, torn line has left behind the new one.
        self.file.set_len(self.length).map_err(|e| self.unwritable(&e))
    }

    fn unwritable(&self, e: &std::io::Error) -> ArenaError {
        ArenaError::Machine {
            path: self.path.clone(),
            what: format!("cannot be written: {e}; {} attempts are kept in it", self.attempts),
            hint: "make room and run the same command again: it goes on where it was",
        }
    }
}

fn graded(line: &Line) -> Result<Journalled, String> {
    let transcript =
        Trace::parse(&line.transcript).map_err(|e| format!("its transcript cannot be read: {e}"))?;
    let again = regrade(&line.task, line.sample, line.ended, line.tokens, line.said, &transcript);
    let again = again.map_err(|e| e.to_string())?;
    if let Some(at) = again.differs_at {
        return Err(format!("the world `{}` has changed since (span {at} of the attempt)", line.task.world));
    }
    let spent =
        Spent { requests: line.requests, prompt_tokens: line.prompt_tokens, reply_tokens: line.reply_tokens };
    Ok(Journalled { rollout: again.rollout, spent })
}
