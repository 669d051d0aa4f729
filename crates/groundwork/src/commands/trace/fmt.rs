//! `groundwork trace fmt`

use std::fs;
use std::path::Path;

use groundwork_trace::Trace;

use super::{each, name, parse, read};
use crate::cli::FmtArgs;
use crate::commands::write_file;
use crate::failure::Failure;

pub fn run(args: &FmtArgs) -> Result<(), Failure> {
    let mut loose = 0;
    each(&args.files, |file| {
        let text = read(file)?;
        let printed = Trace::print_all(&parse(&text, file)?);
        if args.check {
            if printed != text {
                loose += 1;
                println!("{}", name(file));
            }
        } else if args.write {
            rewrite(file, &text, &printed)?;
        } else {
            print!("{printed}");
        }
        Ok(())
    })?;
    match loose {
        0 => Ok(()),
        1 => Err(Failure::work("1 file is not in canonical form\n  hint: `--write` rewrites it")),
        n => Err(Failure::work(format!(
            "{n} files are not in canonical form\n  hint: `--write` rewrites them"
        ))),
    }
}

fn rewrite(file: &Path, text: &str, printed: &str) -> Result<(), Failure> {
    if file.as_os_str() == "-" {
        return Err(Failure::input(
            "standard input cannot be written back\n  hint: leave out `--write`, and the text is printed",
        ));
    }
    if printed == text {
        return Ok(());
    }
    // A link stays a link.
    let place = fs::canonicalize(file).map_err(|e| Failure::unwritable(file, &e))?;
    write_file(&place, printed.as_bytes())
}
