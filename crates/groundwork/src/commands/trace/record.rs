//! `groundwork trace record`

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use groundwork_bridge::Recorder;

use super::plural;
use crate::cli::RecordArgs;
use crate::commands::write_file;
use crate::failure::Failure;
use crate::interrupt;

pub fn run(args: &RecordArgs) -> Result<(), Failure> {
    let log = Log::open(args)?;
    let recorder = Recorder::new(args.goal.clone(), Some(Box::new(log.file)));
    // Ctrl-C reaches the server as well; what was said until then is written when it ends.
    let _stop = interrupt::flag();
    let mut server = start(args).inspect_err(|_| {
        let _ = log.beside.as_deref().map(fs::remove_file);
    })?;
    let (Some(to_server), Some(from_server)) = (server.stdin.take(), server.stdout.take()) else {
        return Err(Failure::work("the server has no input or output"));
    };
    let passed = recorder.run(io::stdin(), io::stdout(), to_server, from_server);
    let written = write(args, &recorder, &log.path);
    if let Some(e) = recorder.log_failure() {
        eprintln!("warning: the log is incomplete: {e}");
    }
    // What is in a trace needs no log, unless one was asked for.
    if let (Ok(()), Some(beside)) = (&written, &log.beside) {
        let _ = fs::remove_file(beside);
    }
    // A client that is gone cannot say that it has closed its side, and the server would wait for it.
    if passed.is_err() {
        let _ = server.kill();
    }
    let status = server.wait().map_err(|e| Failure::work(format!("the server's end was not seen: {e}")))?;
    written?;
    passed.map_err(|e| Failure::work(format!("the client cannot be spoken to: {e}")))?;
    if !status.success() {
        return Err(Failure::work(format!("the server failed: {status}")));
    }
    Ok(())
}

/// Where every message goes as it passes, so that a session of which nobody sees the end is not lost.
struct Log {
    file: File,
    path: PathBuf,
    /// The same, where nobody asked for it and it is removed once there is a trace.
    beside: Option<PathBuf>,
}

impl Log {
    fn open(args: &RecordArgs) -> Result<Log, Failure> {
        if let Some(path) = &args.log {
            let file = File::create(path).map_err(|e| Failure::unwritable(path, &e))?;
            return Ok(Log { file, path: path.clone(), beside: None });
        }
        let out = args.out.as_deref().unwrap_or(Path::new("session.trace"));
        // One that is there already is of a session that has not ended, or whose end nobody saw.
        let mut number = 0;
        loop {
            number += 1;
            let mut path = out.as_os_str().to_owned();
            path.push(if number == 1 { ".log".to_owned() } else { format!(".{number}.log") });
            let path = PathBuf::from(path);
            match File::create_new(&path) {
                Ok(file) => return Ok(Log { file, beside: Some(path.clone()), path }),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(Failure::unwritable(out, &e)),
            }
        }
    }
}

fn start(args: &RecordArgs) -> Result<Child, Failure> {
    let (program, arguments) =
        args.command.split_first().ok_or_else(|| Failure::input("no command is given"))?;
    Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|e| {
        Failure::input(format!(
            "cannot start `{}`: {e}\n  hint: the command after `--` starts the MCP server",
            program.display()
        ))
    })
}

fn write(args: &RecordArgs, recorder: &Recorder, log: &Path) -> Result<(), Failure> {
    let Some(out) = &args.out else { return Ok(()) };
    let (trace, losses) = recorder.trace().map_err(|e| {
        Failure::work(format!(
            "the session is no trace: {e}\n  hint: every message is in `{}`",
            log.display()
        ))
    })?;
    write_file(out, trace.to_annotated().as_bytes())?;
    // Standard output belongs to the client.
    let spans = trace.spans.len();
    eprintln!("{}: {spans} spans", out.display());
    // The same loss in every message is said once.
    let mut counts: BTreeMap<(String, String), (usize, String)> = BTreeMap::new();
    for loss in &losses {
        let key = (loss.kind.to_string(), loss.what.clone());
        counts.entry(key).or_insert_with(|| (0, loss.place.to_string())).0 += 1;
    }
    for ((kind, what), (count, first)) in counts {
        eprintln!("  {kind}: {what}, {count} {}, first at {first}", plural(count, "time"));
    }
    Ok(())
}
