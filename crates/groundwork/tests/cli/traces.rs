//! `trace check`, `fmt`, `show` and `generate`.

use std::fs;

use crate::workshop::Workshop;

const LOOSE: &str = "%trace 1\n\ngoal:Read it.\n\naction [ weight=0.50 failed ] : read(path=\"/a\")\nerror: \
                     Busy\nanswer: no\n---\n";
const CANONICAL: &str =
    "goal: Read it.\naction [failed weight=0.5]: read(path=\"/a\")\nerror: Busy\nanswer: no\n";
const WRONG: &str = "goal: x\naction: foo(\nobservation: 3\n";

#[test]
fn check_says_what_is_wrong_and_where() {
    let shop = Workshop::new();
    shop.write("good.trace", CANONICAL);
    shop.write("wrong.trace", WRONG);
    let said = shop.run(["trace", "check", "good.trace"]).fine();
    assert_eq!((said.out.as_str(), said.err.as_str()), ("", ""));
    let place = ["wrong.trace:2:12", "`(` is never closed", "help:", "1 mistake in `wrong.trace`"];
    shop.run(["trace", "check", "wrong.trace"]).refused(&place);
    shop.pipe(["trace", "check", "-"], CANONICAL).fine();
    shop.pipe(["trace", "check", "-"], WRONG).refused(&["standard input:2:12", "`(` is never closed"]);
    shop.pipe(["trace", "check", "-"], "").fine();
    // A tool set that no world has is named, with those there are.
    let said = shop.pipe(["trace", "check", "-"], "tools: filse\ngoal: x\naction: read(path=\"a\")\n");
    assert!(said.err.contains("filse") && said.err.contains("did you mean `files`?"), "{said:?}");
    let said = shop.pipe(["trace", "check", "-"], "tools: nonsense\ngoal: x\n");
    assert!(said.err.contains("nonsense") && said.err.contains("files, route, ledger"), "{said:?}");
}

#[test]
fn fmt_prints_the_canonical_form_and_writes_it_once() {
    let shop = Workshop::new();
    let path = shop.write("x.trace", LOOSE);
    assert_eq!(shop.run(["trace", "fmt", "x.trace"]).fine().out, CANONICAL);
    assert_eq!(shop.read("x.trace"), LOOSE);
    assert_eq!(shop.pipe(["trace", "fmt", "-"], LOOSE).fine().out, CANONICAL);
    assert_eq!(shop.pipe(["trace", "fmt", "-"], CANONICAL).fine().out, CANONICAL);

    assert_eq!(shop.run(["trace", "fmt", "x.trace", "--write"]).fine().out, "");
    assert_eq!(shop.read("x.trace"), CANONICAL);
    let written = fs::metadata(&path).unwrap().modified().unwrap();
    shop.run(["trace", "fmt", "x.trace", "--write"]).fine();
    assert_eq!(shop.read("x.trace"), CANONICAL);
    assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
    assert_eq!(shop.entries(""), ["x.trace"]);
}

#[test]
fn fmt_leaves_alone_what_it_cannot_read() {
    let shop = Workshop::new();
    let wrong = "gaol: x\n";
    shop.write("x.trace", wrong);
    let place = ["x.trace:1:1", "gaol", "did you mean `goal`?", "1 mistake in `x.trace`"];
    shop.run(["trace", "fmt", "x.trace", "--write"]).refused(&place);
    shop.run(["trace", "show", "x.trace"]).refused(&place);
    assert_eq!(shop.read("x.trace"), wrong);
    shop.pipe(["trace", "fmt", "-", "--write"], LOOSE).refused(&["standard input", "hint:", "`--write`"]);
    assert_eq!(shop.entries(""), ["x.trace"]);
}

#[cfg(unix)]
#[test]
fn fmt_keeps_links_and_permissions() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let shop = Workshop::new();
    let path = shop.write("deep/x.trace", LOOSE);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&path, shop.path("link.trace")).unwrap();
    shop.run(["trace", "fmt", "link.trace", "--write"]).fine();
    assert!(shop.path("link.trace").is_symlink());
    assert_eq!(shop.read("deep/x.trace"), CANONICAL);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn show_draws_files_and_standard_input_alike() {
    let shop = Workshop::new();
    shop.write("x.trace", CANONICAL);
    let said = shop.run(["trace", "show", "x.trace"]).fine();
    assert!(said.out.contains("goal") && said.out.contains("Read it."), "{said:?}");
    assert!(!said.out.contains('\u{1b}'), "no colours in a pipe: {said:?}");
    assert_eq!(shop.pipe(["trace", "show", "-"], CANONICAL).fine().out, said.out);
    shop.run(["trace", "show", "x.trace", "--from", "99"]).refused(&[
        "no trace 99",
        "`x.trace`",
        "hint: it has 1 trace",
    ]);
    shop.pipe(["trace", "show", "-"], "").refused(&["`standard input` holds no trace"]);
}

#[test]
fn generated_traces_are_shown_checked_and_the_same_again() {
    let shop = Workshop::new();
    let generate = "trace generate route --count 5 --levels 1,2 --fault-rate 0.5 --seed 7 -o";
    let said = shop.run(generate.split(' ').chain(["a.parquet"])).fine();
    assert!(said.out.starts_with("a.parquet  5 traces in "), "{said:?}");
    shop.run(generate.split(' ').chain(["b.parquet"])).fine();
    assert_eq!(fs::read(shop.path("a.parquet")).unwrap(), fs::read(shop.path("b.parquet")).unwrap());

    let said = shop.run(["trace", "show", "a.parquet"]).fine();
    assert_eq!(said.out.matches(" of 5\n").count(), 3, "{said:?}");
    let said = shop.run(["trace", "show", "a.parquet", "--from", "4", "--count", "9"]).fine();
    assert!(said.out.starts_with("trace 4 of 5\n") && said.out.contains("answer"), "{said:?}");
    shop.run(["trace", "show", "a.parquet", "--from", "99"])
        .refused(&["no trace 99", "hint: it has 5 traces"]);
}

#[test]
fn generate_refuses_what_there_is_not_and_keeps_what_there_was() {
    let shop = Workshop::new();
    shop.write("x.parquet", "an earlier file");
    shop.write("file", "no folder");
    let before = shop.contents();
    for (args, words) in [
        ("filse -o x.parquet", ["`filse`", "did you mean `files`?"]),
        ("files -o x.parquet --fault-rate 1 --faults transiet", ["`transiet`", "did you mean `transient`?"]),
        (
            "files -o x.parquet --fault-rate 1 --faults closed",
            ["`closed` does not occur in the world `files`", "gone"],
        ),
        ("files -o x.parquet --levels 1,99", ["no level 99", "from 1 to 12"]),
        ("files -o file/x.parquet", ["cannot write `file", "hint:"]),
        ("files -o .", ["`.`: this folder holds something else", "hint: give a new or an empty folder"]),
        ("files,route -o x.parquet", ["a single Parquet file", "give a folder"]),
        ("files -o set --styles pln", ["no style `pln`", "did you mean `plan`?"]),
    ] {
        shop.run(["trace", "generate"].into_iter().chain(args.split(' '))).refused(&words);
    }
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_set_of_traces_is_generated_shown_and_verified() {
    let shop = Workshop::new();
    let generate = "trace generate files,route -o set --count 60 --levels 1,3 --fault-rate 0.4 --declare name \
                    --styles terse,plan,thought,explore,mistakes,decide";
    let said = shop.run(generate.split_whitespace()).fine();
    assert!(said.out.starts_with("set  60 traces in ") && said.out.contains("mistakes"), "{said:?}");
    let card = shop.read("set/card.md");
    assert!(card.contains("# 60 traces") && card.contains("| route |"), "{card}");
    let said = shop.run(["trace", "verify", "set"]).fine();
    assert!(said.out.starts_with("60 of 60 traces replay"), "{said:?}");
    let said = shop.run(["trace", "show", "set", "--from", "59"]).fine();
    assert!(said.out.starts_with("trace 59 of 60\n"), "{said:?}");
    // A larger set begins with the smaller one, and another mixture goes elsewhere.
    shop.run("trace generate files -o set --count 60".split(' ')).refused(&["another mixture", "hint:"]);
    shop.write("mix.toml", "seed = 3\n[[part]]\nworlds = [\"ledger\"]\nstyles = { terse = 1.0 }\n");
    let said = shop.run("trace generate --mixture mix.toml -o other --count 20".split(' ')).fine();
    assert!(said.out.contains("ledger 100%") && said.out.contains("terse 100%"), "{said:?}");
    shop.write("mix.toml", "[[part]]\nworld = [\"ledger\"]\n");
    shop.run("trace generate --mixture mix.toml -o third".split(' ')).refused(&["mix.toml", "`world`"]);
    shop.write("traces.parquet", "no Parquet");
    shop.run(["trace", "verify", "traces.parquet"]).refused(&["traces.parquet", "Parquet"]);
}

#[test]
fn check_and_fmt_go_through_all_files() {
    let shop = Workshop::new();
    shop.write("good.trace", CANONICAL);
    shop.write("wrong.trace", WRONG);
    shop.write("loose.trace", LOOSE);
    let all = ["wrong.trace", "good.trace", "none.trace", "loose.trace"];
    shop.run(["trace", "check"].into_iter().chain(all))
        .refused(&["1 mistake in `wrong.trace`", "cannot read `none.trace`"]);
    let said = shop.run(["trace", "fmt", "--check", "good.trace", "loose.trace"]);
    assert_eq!((said.code, said.out.as_str()), (Some(1), "loose.trace\n"), "{said:?}");
    assert!(said.err.contains("1 file is not in canonical form\n  hint:"), "{said:?}");
    assert_eq!(shop.read("loose.trace"), LOOSE);
    shop.run(["trace", "fmt", "--write", "good.trace", "loose.trace"]).fine();
    shop.run(["trace", "fmt", "--check", "good.trace", "loose.trace"]).fine();
}

#[test]
fn show_folds_colours_and_writes_a_page() {
    let shop = Workshop::new();
    let lines: Vec<String> = (0..40).map(|i| format!("line {i}")).collect();
    shop.write("x.trace", format!("goal: {}\nanswer: \u{1f}\n", lines.join("\n  ")));
    let all = shop.run(["trace", "show", "x.trace"]).fine().out;
    assert!(all.contains("line 39"), "{all}");
    let folded = shop.run(["trace", "show", "x.trace", "--lines", "5"]).fine().out;
    assert!(folded.contains("line 4\n") && folded.contains("… 35 more lines\n"), "{folded}");
    assert!(shop.run(["trace", "show", "x.trace", "--colour", "always"]).fine().out.contains("\u{1b}[1;36m"));
    shop.run(["trace", "show", "x.trace", "--html", "x.html"]).fine();
    let page = shop.read("x.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("<title>x.trace</title>"), "{page}");
    assert!(lines.iter().all(|l| page.contains(l)));
    assert_eq!(shop.run(["trace", "show", "x.trace", "--html", "-"]).fine().out, page);
    shop.run(["trace", "show", "x.trace", "--html", "no/x.html"]).refused(&["cannot write `no/x.html`"]);
}
