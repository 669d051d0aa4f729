//! Help, version, completions, pipes.

use crate::workshop::Workshop;

/// Every command there is, as the help texts list them: `""`, `"bet"`, …, `"trace check"`, ….
fn commands(shop: &Workshop) -> Vec<String> {
    let mut commands = vec![String::new()];
    let mut next = 0;
    while let Some(command) = commands.get(next) {
        let help = shop.run(command.split_whitespace().chain(["--help"])).fine().out;
        let list = help.split_once("Commands:\n").map_or("", |(_, rest)| rest);
        let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| {
            let name = line.strip_prefix("  ")?.split(' ').next()?;
            (!name.is_empty() && name != "help").then(|| format!("{command} {name}").trim().to_owned())
        });
        let names: Vec<String> = names.collect();
        commands.extend(names);
        next += 1;
    }
    commands
}

#[test]
fn every_command_has_help_in_both_lengths() {
    let shop = Workshop::new();
    let commands = commands(&shop);
    for known in ["bet", "train", "eval", "generate", "trace check", "corpus build", "play", "runs show"] {
        assert!(commands.iter().any(|c| c == known), "{known}: {commands:?}");
    }
    for command in commands {
        for help in ["--help", "-h"] {
            let said = shop.run(command.split_whitespace().chain([help])).fine();
            assert!(said.out.contains(format!("Usage: groundwork {command}").trim_end()), "{said:?}");
            assert_eq!(said.err, "");
        }
    }
    let worlds = shop.run(["play", "--help"]).out;
    assert!(worlds.contains("files, route, ledger") && worlds.contains("transient, misspelt"), "{worlds}");
    assert!(shop.contents().is_empty());
}

#[test]
fn the_version_is_the_packages() {
    for flag in ["--version", "-V"] {
        let said = Workshop::new().run([flag]).fine();
        assert_eq!(said.out, concat!("groundwork ", env!("CARGO_PKG_VERSION"), "\n"));
    }
}

#[test]
fn there_are_completions_for_the_shells() {
    let shop = Workshop::new();
    for shell in ["bash", "zsh", "fish"] {
        let said = shop.run(["completions", shell]).fine();
        assert!(said.out.contains("groundwork") && said.out.lines().count() > 20, "{said:?}");
    }
}

#[test]
fn usage_mistakes_name_the_argument() {
    let shop = Workshop::new();
    let said = shop.run([""; 0]);
    assert!(said.code == Some(2) && said.err.contains("Usage: groundwork <COMMAND>"), "{said:?}");
    shop.run(["trian", "x.toml"]).refused(&["unrecognized subcommand 'trian'", "'train'"]);
    shop.run(["train"]).refused(&["<RECIPE>"]);
    shop.run(["train", "x.toml", "--thread", "1"]).refused(&["'--thread'", "'--threads'"]);
    for (args, argument, hint) in [
        ("train x.toml --threads 0", "--threads", "at least 1"),
        ("train x.toml --threads many", "--threads", "at least 1"),
        ("eval x --threads 0", "--threads", "at least 1"),
        ("bet x.toml --threads 0", "--threads", "at least 1"),
        ("bet x.toml --jobs 0", "--jobs", "at least 1"),
        ("generate x --tokens 0", "--tokens", "at least 1"),
        ("generate x --tokens -3", "-3", ""),
        ("generate x --temperature -1", "--temperature", "from 0 up"),
        ("generate x --temperature nan", "--temperature", "from 0 up"),
        ("generate x --seed -1", "-1", ""),
        ("trace generate files -o x.parquet --count 0", "--count", "at least 1"),
        ("trace generate files -o x.parquet --fault-rate 1.5", "--fault-rate", "from 0 to 1"),
        ("trace generate files -o x.parquet --fault-rate -1", "--fault-rate", "from 0 to 1"),
        ("trace show x.parquet --count 0", "--count", "at least 1"),
        ("corpus show x --count 0", "--count", "at least 1"),
        ("completions tcsh", "tcsh", "bash"),
    ] {
        shop.run(args.split(' ')).refused(&[argument, hint]);
    }
    assert!(shop.contents().is_empty());
}

#[test]
fn a_closed_pipe_ends_the_program_quietly() {
    let shop = Workshop::with_a_run();
    shop.run(["trace", "generate", "files", "-o", "many.parquet", "--count", "3000"]).fine();
    for args in
        ["trace show many.parquet --count 3000", "completions bash", "runs show tiny", "train tiny.toml"]
    {
        let mut running = shop.start(args.split(' '));
        running.close();
        let said = running.end();
        assert!(!said.err.contains("panicked") && !said.err.contains("error:"), "{args}: {said:?}");
        // As a shell has it of a process that SIGPIPE ended; a program that had printed all before is fine.
        assert!(matches!(said.code, Some(0 | 141)), "{args}: {said:?}");
    }
    let mut running = shop.start(["trace", "show", "many.parquet", "--count", "3000"]);
    assert_eq!(running.line(), "trace 0 of 3000\n");
    running.close();
    let said = running.end();
    assert_eq!((said.code, said.err.as_str()), (Some(141), ""));
}
