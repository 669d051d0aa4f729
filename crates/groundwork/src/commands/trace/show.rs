//! `groundwork trace show`

use std::io::IsTerminal;
use std::path::Path;

use groundwork_trace::{Tool, Trace, page};
use groundwork_worlds::tool_set;

use super::{each_trace, name, plural};
use crate::cli::{Colour, ShowArgs};
use crate::commands::write_file;
use crate::failure::Failure;

/// The lines of a span that a terminal shows.
const LINES: usize = 12;

pub fn run(args: &ShowArgs) -> Result<(), Failure> {
    let count = args.count.unwrap_or(if args.html.is_some() { 50 } else { 3 });
    let last = args.from.saturating_add(count);
    let (mut shown, mut of) = (Vec::new(), 0);
    each_trace(&args.file, |trace| {
        if (args.from..last).contains(&of) {
            shown.push(trace);
        }
        of += 1;
    })?;
    if args.from >= of {
        return Err(Failure::input(match of {
            0 => format!("`{}` holds no trace\n  hint: it is empty", name(&args.file)),
            _ => format!(
                "there is no trace {} in `{}`\n  hint: it has {of} {}, counted from 0",
                args.from,
                name(&args.file),
                plural(of, "trace")
            ),
        }));
    }
    let last = last.min(of);
    match &args.html {
        Some(place) => web_page(args, &shown, of, place),
        None => terminal(args, &shown, of),
    }
    .inspect(|()| {
        if last < of && std::io::stderr().is_terminal() {
            eprintln!("note: traces {} to {} of {of}; `--from {last}` goes on", args.from, last - 1);
        }
    })
}

fn terminal(args: &ShowArgs, traces: &[Trace], of: usize) -> Result<(), Failure> {
    let terminal = std::io::stdout().is_terminal();
    let colour = match args.colour {
        Colour::Auto => terminal,
        Colour::Always => true,
        Colour::Never => false,
    };
    let lines = args.lines.unwrap_or(if terminal { LINES } else { 0 });
    for (i, trace) in traces.iter().enumerate() {
        if of > 1 {
            println!("{}trace {} of {of}", if i > 0 { "\n" } else { "" }, args.from + i);
        }
        print!(
            "{}",
            if lines == 0 { trace.to_terminal(colour) } else { trace.to_terminal_folded(colour, lines) }
        );
    }
    Ok(())
}

fn web_page(args: &ShowArgs, traces: &[Trace], of: usize, place: &Path) -> Result<(), Failure> {
    let file = args.file.file_name().map_or_else(|| name(&args.file), |f| f.to_string_lossy().into_owned());
    let file = if args.file.as_os_str() == "-" { "standard input".to_owned() } else { file };
    let title = match traces.len() {
        n if n == of => file,
        1 => format!("{file}, trace {} of {of}", args.from),
        n => format!("{file}, traces {} to {} of {of}", args.from, args.from + n - 1),
    };
    let page = page(traces, args.from, &title, |name| tool_set(name).map(<[Tool]>::to_vec));
    if place.as_os_str() == "-" {
        print!("{page}");
        return Ok(());
    }
    write_file(place, page.as_bytes())
}
