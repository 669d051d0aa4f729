//! A folder to work in, the program, and what it said.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A recipe that trains in a moment.
pub const RECIPE: &str = r#"name = "tiny"
seed = 1

[model]
size = "0.1M"

[tokenizer]
vocabulary = 320
bytes = 20000

[data]
sequence = 128
tokens = 4096

[[data.source]]
name = "files"
world = "files"
"#;

/// A suite that is played in a moment.
pub const SUITE: &str = r#"worlds = ["files"]
levels = [1]
faults = ["any"]
tasks = 2
max_steps = 2
max_tokens = 96
max_span = 16
rank_tasks = 1
rank_candidates = 2
"#;

/// A temporary folder in which the program is started.
pub struct Workshop {
    folder: TempDir,
}

impl Workshop {
    pub fn new() -> Workshop {
        Workshop { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    /// A workshop with a finished run of [`RECIPE`], which lies beside it as `tiny.toml`, and [`SUITE`].
    pub fn with_a_run() -> Workshop {
        let shop = Workshop::new();
        shop.write("tiny.toml", RECIPE);
        shop.write("suite.toml", SUITE);
        shop.run(["train", "tiny.toml", "--threads", "1"]).fine();
        shop
    }

    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(&path, contents).expect("a file");
        path
    }

    pub fn read(&self, name: impl AsRef<Path>) -> String {
        fs::read_to_string(self.path(&name)).unwrap_or_else(|e| panic!("{}: {e}", name.as_ref().display()))
    }

    pub fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    /// The one entry of `folder` whose name starts with `start`, as a path relative to the workshop.
    pub fn only(&self, folder: &str, start: &str) -> String {
        let found = self.entries(folder).into_iter().filter(|n| n.starts_with(start)).collect::<Vec<_>>();
        let [name] = found.as_slice() else { panic!("{folder}: {found:?}") };
        format!("{folder}/{name}")
    }

    /// The names in a folder, sorted; none where there is no folder.
    pub fn entries(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.filter_map(|e| e.file_name().into_string().ok()).collect();
        names.sort();
        names
    }

    /// Every file under the workshop with its bytes.
    pub fn contents(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).expect("a folder").flatten() {
                match entry.path() {
                    path if path.is_dir() => folders.push(path),
                    path => files.push((path.clone(), fs::read(&path).expect("a file"))),
                }
            }
        }
        files.sort();
        files
    }

    /// The program with its arguments, in this folder, not started yet.
    pub fn command<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_groundwork"));
        // A panic would show itself at its loudest.
        command.args(args).current_dir(self.folder.path()).env("RUST_BACKTRACE", "1").stdin(Stdio::null());
        command
    }

    /// Runs the program to its end.
    pub fn run<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Said {
        Said::of(self.command(args).output().expect("the program starts"))
    }

    /// Runs the program to its end with `input` on its standard input.
    pub fn pipe<'a>(&self, args: impl IntoIterator<Item = &'a str>, input: impl AsRef<[u8]>) -> Said {
        let mut command = self.command(args);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        let input = input.as_ref().to_owned();
        // The program may end before it has read everything.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let said = Said::of(child.wait_with_output().expect("the program ends"));
        writer.join().expect("the writer ends");
        said
    }

    /// Starts the program in the background.
    pub fn start<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Running {
        let mut command = self.command(args);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let out = child.stdout.take().map(BufReader::new);
        Running { child, out }
    }
}

/// Waits until `done` holds.
pub fn wait_until(what: &str, done: impl Fn() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(60), "waiting for {what}");
        thread::sleep(Duration::from_millis(10));
    }
}

/// The program at work. It is killed where a test fails before its end.
pub struct Running {
    child: Child,
    out: Option<BufReader<ChildStdout>>,
}

impl Running {
    /// The next line of standard output.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        let read = self.out.as_mut().expect("a pipe").read_line(&mut line).expect("standard output");
        assert!(read > 0, "there is another line");
        line
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.is_ok_and(|s| s.success()), "kill -s {name}");
    }

    /// Stops listening to its standard output.
    pub fn close(&mut self) {
        self.out = None;
    }

    /// Waits for its end. What has been read of its output is not in what it said.
    pub fn end(mut self) -> Said {
        let mut stderr = self.child.stderr.take().expect("a pipe");
        let errors = thread::spawn(move || {
            let mut err = String::new();
            stderr.read_to_string(&mut err).map(|_| err)
        });
        let mut out = String::new();
        if let Some(mut stdout) = self.out.take() {
            stdout.read_to_string(&mut out).expect("standard output");
        }
        let code = self.child.wait().expect("the program ends").code();
        Said { code, out, err: errors.join().expect("the reader ends").expect("standard error") }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // After its end there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the program said, and its exit code (none where a signal ended it).
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Said {
    fn of(output: Output) -> Said {
        let text = |bytes| String::from_utf8(bytes).expect("the program prints UTF-8");
        Said { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Asserts that it did what it was told.
    #[track_caller]
    pub fn fine(self) -> Said {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }

    /// Asserts that it refused its input: exit code 2, nothing on standard output, and a message with all of `words`,
    /// which should name the place and the way out.
    #[track_caller]
    pub fn refused(self, words: &[&str]) -> Said {
        assert_eq!(self.code, Some(2), "{self:?}");
        assert_eq!(self.out, "", "{self:?}");
        assert!(self.err.contains("error: "), "{self:?}");
        assert!(!self.err.contains("panicked") && !self.err.contains("backtrace"), "{self:?}");
        for word in words {
            assert!(self.err.contains(word), "no {word:?} in\n{}", self.err);
        }
        self
    }

    /// Standard output as one JSON value.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// Standard output as JSON lines.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<Value> {
        let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        self.out.lines().map(parse).collect()
    }
}
