//! How a command fails: one message for a person and an exit code for a program.

use std::fmt;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use groundwork_arena::ArenaError;
use groundwork_corpus::{CorpusError, is_wrong_path};
use groundwork_train::TrainError;
use groundwork_worlds::WorldError;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    message: String,
    code: u8,
}

impl Failure {
    /// The input or the usage was wrong: exit code 2.
    pub fn input(message: impl fmt::Display) -> Self {
        Failure { message: message.to_string(), code: 2 }
    }

    /// The work failed: exit code 1.
    pub fn work(message: impl fmt::Display) -> Self {
        Failure { message: message.to_string(), code: 1 }
    }

    /// The work was interrupted by the user: the exit code that shells give to Ctrl-C.
    pub fn interrupted(message: impl fmt::Display) -> Self {
        Failure { message: message.to_string(), code: 130 }
    }

    /// A file that the user named cannot be read.
    pub fn unreadable(path: &Path, e: &io::Error) -> Self {
        let hint = match e.kind() {
            io::ErrorKind::IsADirectory => "give a file, not a folder",
            io::ErrorKind::InvalidData => "the file must be UTF-8 text",
            _ => "check the path; one that is relative starts from the folder the program was started in",
        };
        Failure::input(format!("cannot read `{}`: {e}\n  hint: {hint}", path.display()))
    }

    /// A file that the user named cannot be written.
    pub fn unwritable(path: &Path, e: &io::Error) -> Self {
        let hint = "the path must be that of a file in a folder that is writable and has room";
        let message = format!("cannot write `{}`: {e}\n  hint: {hint}", path.display());
        Failure::judged(is_wrong_path(e), message)
    }

    /// The same failure, with the file that it is about in front.
    pub fn in_file(self, path: &Path) -> Self {
        Failure { message: format!("`{}`: {}", path.display(), self.message), ..self }
    }

    /// The process's exit code.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.code)
    }

    fn judged(input: bool, message: impl fmt::Display) -> Self {
        if input { Failure::input(message) } else { Failure::work(message) }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // An interruption is not an error.
        if self.code == 130 { f.write_str(&self.message) } else { write!(f, "error: {}", self.message) }
    }
}

impl From<TrainError> for Failure {
    fn from(e: TrainError) -> Self {
        Failure::judged(e.is_input(), e)
    }
}

impl From<CorpusError> for Failure {
    fn from(e: CorpusError) -> Self {
        Failure::judged(e.is_input(), e)
    }
}

impl From<WorldError> for Failure {
    fn from(e: WorldError) -> Self {
        Failure::input(e)
    }
}

impl From<ArenaError> for Failure {
    fn from(e: ArenaError) -> Self {
        Failure::judged(e.is_input(), e)
    }
}
