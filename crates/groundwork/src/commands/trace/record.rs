//! `groundwork trace record`

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use groundwork_bridge::Recorder;

use super::plural;
use crate::cli::RecordArgs;
use crate::commands::write_file;
use crate::failure::Failure;
use crate::interrupt;

pub fn run(args: &RecordArgs) -> Result<(), Failure> {
    let log = args.log.as_deref().map(open).transpose()?;
    let recorder = Recorder::new(log);
    // Ctrl-C reaches the server as well; what was said until then is written when it ends.
    let _stop = interrupt::flag();
    let mut server = start(args)?;
    let (Some(to_server), Some(from_server)) = (server.stdin.take(), server.stdout.take()) else {
        return Err(Failure::work("the server has no input or output"));
    };
    let passed = recorder.run(io::stdin(), io::stdout(), to_server, from_server);
    let written = write(args, &recorder);
    if let Some(e) = recorder.log_failure() {
        eprintln!("warning: the log is incomplete: {e}");
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

fn open(path: &Path) -> Result<Box<dyn Write + Send>, Failure> {
    let file = File::create(path).map_err(|e| Failure::unwritable(path, &e))?;
    Ok(Box::new(file))
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

fn write(args: &RecordArgs, recorder: &Recorder) -> Result<(), Failure> {
    let Some(out) = &args.out else { return Ok(()) };
    let (trace, losses) = recorder.trace(args.goal.as_deref()).map_err(|e| {
        let hint = match &args.log {
            Some(log) => format!("every message is in `{}`", log.display()),
            None => "with `--log FILE` every message is kept, whatever it is".into(),
        };
        Failure::work(format!("the session is no trace: {e}\n  hint: {hint}"))
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
