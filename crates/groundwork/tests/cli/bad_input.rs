//! Files that are wrong: each is refused with exit code 2, the place, and a hint, before anything is written.

use std::fs;

use crate::bet::BET;
use crate::workshop::{RECIPE, SUITE, Workshop};

/// `text` with one change, which must be one.
#[track_caller]
fn changed(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn recipes_are_refused_with_place_and_hint() {
    let shop = Workshop::new();
    for (from, to, words) in [
        ("\"0.1M\"", "\"0.1M", ["line 5", "size = ", "hint: this is not TOML"]),
        ("[model]", "[model", ["line 4", "[model", "hint: this is not TOML"]),
        ("sequence = 128", "sequence 128", ["line 12", "sequence 128", "hint: this is not TOML"]),
        ("bytes =", "bites =", ["line 9", "unknown field `bites`", "did you mean `bytes`?"]),
        ("[model]", "[modle]", ["line 4", "unknown field `modle`", "did you mean `model`?"]),
        ("world = ", "wrld = ", ["line 17", "unknown field `wrld`", "did you mean `world`?"]),
        ("= 128", "= \"much\"", ["line 12", "sequence = \"much\"", "docs/recipes.md"]),
        ("= 4096", "= -1", ["line 13", "tokens = -1", "docs/recipes.md"]),
        ("name = \"tiny\"\n", "", ["line 1", "missing field `name`", "docs/recipes.md"]),
        ("name = \"tiny\"", "name = \"../up\"", ["`name`", "cannot name a folder", "hint: use letters"]),
        ("\"0.1M\"", "\"9B\"", ["`model.size`", "outside the dial", "hint: sizes go from"]),
        ("= 4096", "= 100", ["`data.tokens`", "less than one step", "hint: ask for more"]),
        ("= 320", "= 3", ["`vocabulary` is 3", "256 bytes", ""]),
        ("world = \"files\"", "world = \"filse\"", ["`files`", "`filse`", "did you mean `files`?"]),
        (
            "world = \"files\"",
            "world = \"files\"\nfaults = [\"transiet\"]",
            ["`files`", "`transiet`", "did you mean `transient`?"],
        ),
        ("world = \"files\"", "world = \"files\"\nlevels = [99]", ["`files`", "no level 99", "from 1 to 12"]),
        ("world = \"files\"", "", ["`data.source[0]`", "exactly one of `world`", ""]),
        (
            "world = \"files\"",
            "folder = \"x\"\nlevels = [1]",
            ["`data.source[0].levels`", "does not go with", ""],
        ),
        (
            "[data]",
            "[[objective]]\nterm = \"next_tokn\"\n[data]",
            ["next_tokn", "did you mean `next_token`?", ""],
        ),
        ("size =", "attention = [\"ful\"]\nsize =", ["line 5", "ful", "hint:"]),
    ] {
        shop.write("x.toml", changed(RECIPE, from, to));
        let words = [&words[..], &["x.toml"]].concat();
        shop.run(["train", "x.toml"]).refused(&words);
        shop.run(["corpus", "build", "x.toml"]).refused(&words);
    }
    assert_eq!(shop.entries(""), ["x.toml"], "a refused recipe leaves nothing behind");
}

#[test]
fn bets_are_refused_with_place_and_hint() {
    let shop = Workshop::new();
    for (from, to, words) in [
        ("name = \"mini\"", "name = \"mini", ["x.toml:1:13: field `name`", "", ""]),
        ("[primary]", "[primary", ["x.toml:4:", "", ""]),
        ("margin =", "margn =", ["x.toml:7:1: field `primary.margn`", "did you mean `margin`?", ""]),
        ("[ladder]", "[lader]", ["x.toml:9:", "`lader`", "did you mean `ladder`?"]),
        ("= 0.02", "= \"much\"", ["x.toml:7:10: field `primary.margin`", "invalid type", ""]),
        (
            "\"lower\"",
            "\"higher\"",
            ["field `primary.direction`", "not the better way", "direction = \"lower\""],
        ),
        (
            "bits_per_action_byte",
            "bits_per_acton_byte",
            ["x.toml:5:1: field `primary.metric`", "no metric", "did you mean `bits_per_action_byte`?"],
        ),
        (
            "seeds = [1, 2]",
            "seeds = [1]",
            ["x.toml:11:1: field `ladder.seeds`", "two different seeds", "at least two"],
        ),
        ("seeds = [1, 2]", "seeds = [1, 1]", ["field `ladder.seeds`", "two different seeds", "each once"]),
        (
            ", fault_rate = 0.5",
            "",
            ["field `candidate`", "the arms are the same recipe", "[candidate.recipe]"],
        ),
        ("\"0.1M\"]", "\"small\"]", ["field `ladder.sizes`", "`small` is not a size", "write it as"]),
        (
            "tasks = 2",
            "tsks = 2",
            ["x.toml:17:1: `evaluation.tsks`", "unknown field", "did you mean `tasks`?"],
        ),
        ("tasks = 2", "tasks = 0", ["x.toml", "`tasks` is 0", "hint: leave it out"]),
        ("levels = [1]", "levels = [99]", ["x.toml", "no level 99", "from 1 to 12"]),
        ("worlds = [\"files\"]", "worlds = [\"filse\"]", ["x.toml", "`filse`", "did you mean `files`?"]),
        ("[\"any\"]", "[\"gon\"]", ["x.toml", "`gon`", "did you mean `gone`?"]),
        (
            "vocabulary =",
            "vocabulry =",
            ["x.toml", "`recipe.tokenizer.vocabulry`", "did you mean `vocabulary`?"],
        ),
        ("sequence = 128", "sequence = \"a\"", ["x.toml", "`recipe.data.sequence`", "docs/recipes.md"]),
        ("world = \"files\"", "world = \"filse\"", ["x.toml", "`filse`", "did you mean `files`?"]),
        ("tokens = 65536", "tokens = 1", ["x.toml", "`data.tokens`", "hint:"]),
    ] {
        shop.write("x.toml", changed(BET, from, to));
        let words = [&words[..], &["x.toml"]].concat();
        shop.run(["bet", "x.toml"]).refused(&words);
        shop.run(["bet", "x.toml", "--plan", "--json"]).refused(&words);
    }
    assert_eq!(shop.entries(""), ["x.toml"], "a refused bet registers nothing");
}

#[test]
fn suites_are_refused_with_place_and_hint() {
    let shop = Workshop::with_a_run();
    let before = shop.contents();
    for (from, to, words) in [
        ("levels = [1]", "levels = [1", ["line 3", "hint: this is not TOML"]),
        ("tasks = 2", "tsks = 2", ["line 4", "did you mean `tasks`?"]),
        ("tasks = 2", "tasks = \"two\"", ["line 4", "docs/evaluation.md"]),
        ("tasks = 2", "tasks = 0", ["`tasks` is 0", "hint: leave it out"]),
        ("[\"files\"]", "[\"filse\"]", ["`filse`", "did you mean `files`?"]),
        ("[\"any\"]", "[\"gon\"]", ["`gon`", "did you mean `gone`?"]),
        ("[\"any\"]", "[\"closed\"]", ["`closed`, which no world of the suite has", "hint: choose another"]),
        ("[1]", "[99]", ["no level 99", "from 1 to 12"]),
    ] {
        let path = shop.write("x.toml", changed(SUITE, from, to));
        let words = [&words[..], &["x.toml"]].concat();
        shop.run(["eval", "tiny", "--suite", "x.toml"]).refused(&words);
        fs::remove_file(path).unwrap();
    }
    assert_eq!(shop.contents(), before);
}

#[test]
fn what_is_missing_is_named() {
    let shop = Workshop::with_a_run();
    let before = shop.contents();
    for (args, words) in [
        ("train none.toml", ["`none.toml`", "hint: give a recipe"]),
        ("train runs", ["`runs`", "hint: give a recipe"]),
        ("corpus build none.toml", ["`none.toml`", "hint: give a recipe"]),
        ("bet none.toml", ["`none.toml`", "hint: give a bet"]),
        ("bet runs", ["`runs`", "hint: give a bet"]),
        ("eval tiny --suite none.toml", ["`none.toml`", "hint: check the path"]),
        ("eval tniy", ["no run `tniy` in runs", "did you mean `tiny-"]),
        ("eval elsewhere/tiny", ["no run `tiny` in elsewhere", "`groundwork runs list`"]),
        ("eval runs/corpora", ["`runs/corpora`", "hint: give a folder under `runs/`"]),
        ("generate nothing", ["no run `nothing` in runs", "`groundwork runs list`"]),
        ("runs show nothing", ["no run `nothing` in runs", "`groundwork runs list`"]),
        ("runs list --runs tiny.toml", ["tiny.toml", "hint: check that the path"]),
        ("corpus stats none", ["`none/manifest.json` does not exist", "`groundwork corpus build`"]),
        ("corpus show none", ["`none/manifest.json` does not exist", "`groundwork corpus build`"]),
        ("trace check none", ["`none`", "hint: check the path"]),
        ("trace fmt none --write", ["`none`", "hint: check the path"]),
        ("trace show none", ["`none`", "hint: check the path"]),
        ("trace show none.parquet", ["`none.parquet` does not exist", "hint: check the path"]),
        ("trace check runs", ["`runs`", "hint: give a file"]),
    ] {
        shop.run(args.split(' ')).refused(&words);
    }
    let recipe = |source: &str| changed(RECIPE, "world = \"files\"", source);
    for source in ["parquet = \"none\"", "jsonl = \"none\"", "folder = \"none\""] {
        let path = shop.write("x.toml", recipe(source));
        shop.run(["corpus", "build", "x.toml"]).refused(&["`none` does not exist", "hint: check the path"]);
        fs::remove_file(path).unwrap();
    }
    assert_eq!(shop.contents(), before);
}

#[test]
fn a_place_that_cannot_be_written_is_named() {
    let shop = Workshop::new();
    shop.write("tiny.toml", RECIPE);
    shop.write("mini.toml", BET);
    let before = shop.contents();
    for args in ["train tiny.toml", "corpus build tiny.toml", "bet mini.toml --json"] {
        // A file where a folder should be: not even root can write into it.
        shop.run(args.split(' ').chain(["--runs", "tiny.toml"])).refused(&["tiny.toml/", "hint:"]);
    }
    assert_eq!(shop.contents(), before);
}

#[test]
fn prompts_must_fit() {
    let shop = Workshop::with_a_run();
    let long = "word ".repeat(400);
    shop.run(["generate", "tiny", &long]).refused(&["the prompt has", "sequences of 128", "hint: shorten"]);
    // What fits only just is continued to the end of the context, and the user is told.
    let said = shop.run(["generate", "tiny", "abc", "--tokens", "100000", "--json"]).fine();
    assert!(said.json()["tokens"].as_array().is_some_and(|t| t.len() < 128), "{said:?}");
    let said = shop.run(["generate", "tiny", "abc", "--tokens", "3"]).fine();
    assert_eq!(said.err, "");
}

#[test]
fn rows_are_counted_from_zero() {
    let shop = Workshop::with_a_run();
    let corpus = shop.only("runs/corpora", "");
    shop.run(["corpus", "show", &corpus, "--row", "32"]).refused(&["no row 32", "hint: the corpus has 32"]);
    shop.run(["corpus", "show", &corpus, "--row", "31", "--count", "9"]).fine();
}
