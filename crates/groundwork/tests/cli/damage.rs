//! Files that are broken, empty or of somebody else: named, never a crash, and nothing else is lost.

use std::fs;
use std::path::Path;

use crate::workshop::{RECIPE, Workshop};

/// Changes one byte in the middle of a file; done twice, it is as before.
fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(path, bytes).expect("a file");
}

/// [`RECIPE`] with another source.
fn recipe(source: &str) -> String {
    RECIPE.replace("world = \"files\"", source)
}

#[test]
fn truncated_parquet_is_named() {
    let shop = Workshop::new();
    shop.run("trace generate files -o whole.parquet --count 50 --levels 1 --declare name".split(' ')).fine();
    let whole = fs::read(shop.path("whole.parquet")).unwrap();
    for (name, bytes) in [
        ("half.parquet", &whole[..whole.len() / 2]),
        ("headless.parquet", &whole[whole.len() / 2..]),
        ("tiny.parquet", &whole[..3]),
        ("empty.parquet", &[]),
        ("text.parquet", b"this is no Parquet file at all"),
    ] {
        shop.write(name, bytes);
        let words = [&format!("`{name}`: cannot be read as Parquet")[..], "hint: it may be truncated"];
        shop.run(["trace", "show", name]).refused(&words);
        shop.write("x.toml", recipe(&format!("parquet = \"{name}\"")));
        shop.run(["train", "x.toml"]).refused(&words);
        shop.run(["corpus", "build", "x.toml"]).refused(&words);
        assert_eq!(fs::read(shop.path(name)).unwrap(), bytes);
    }
    assert_eq!(shop.entries("runs/corpora"), [""; 0], "no half corpus is left");
    shop.write("x.toml", recipe("parquet = \"whole.parquet\""));
    shop.run(["corpus", "build", "x.toml"]).fine();
}

#[test]
fn a_corrupt_checkpoint_is_named_and_left_alone() {
    let shop = Workshop::with_a_run();
    let run = shop.only("runs", "tiny-");
    let checkpoint = shop.only(&format!("{run}/checkpoints"), "step-");
    for file in ["model.safetensors", "optimizer.safetensors", "model.json"] {
        let path = shop.path(format!("{checkpoint}/{file}"));
        flip(&path);
        let before = shop.contents();
        let words = [
            &format!("`{checkpoint}/{file}`: the checksum does not match")[..],
            "hint: remove this checkpoint",
        ];
        shop.run(["eval", &run, "--suite", "suite.toml"]).refused(&words);
        shop.run(["generate", &run, "goal: x"]).refused(&words);
        assert_eq!(shop.contents(), before);
        flip(&path);
    }
    for file in ["model.safetensors", "manifest.json"] {
        let path = shop.path(format!("{checkpoint}/{file}"));
        let bytes = fs::read(&path).unwrap();
        fs::remove_file(&path).unwrap();
        shop.run(["eval", &run])
            .refused(&[&format!("`{checkpoint}/{file}`"), "hint: remove this checkpoint"]);
        fs::write(&path, bytes).unwrap();
    }
    shop.run(["eval", &run, "--suite", "suite.toml"]).fine();
}

#[test]
fn a_run_goes_on_once_its_corrupt_checkpoint_is_mended() {
    let shop = Workshop::new();
    // Longer than the test, which interrupts it.
    shop.write("long.toml", RECIPE.replace("[data]", "[train]\nepochs = 1000\n\n[data]"));
    let train = ["train", "long.toml", "--threads", "1", "--json"];
    let mut running = shop.start(train);
    while !running.line().contains("\"event\":\"step\"") {}
    running.signal("INT");
    let said = running.end();
    assert_eq!(said.code, Some(130), "{said:?}");
    assert!(
        said.err.contains("stopped at step ") && said.err.contains("the same command goes on"),
        "{said:?}"
    );

    let run = shop.only("runs", "tiny-");
    let checkpoint = shop.only(&format!("{run}/checkpoints"), "step-");
    let path = shop.path(format!("{checkpoint}/model.safetensors"));
    flip(&path);
    let before = fs::read(&path).unwrap();
    let words =
        [&format!("`{checkpoint}/model.safetensors`: the checksum does not match")[..], "hint: remove this"];
    shop.run(train.into_iter().take(4)).refused(&words);
    assert_eq!(fs::read(&path).unwrap(), before);

    flip(&path);
    let mut running = shop.start(train);
    while !running.line().contains("\"event\":\"resume\"") {}
}

#[test]
fn files_of_a_run_that_are_no_json_are_named() {
    let shop = Workshop::with_a_run();
    let run = shop.only("runs", "tiny-");
    let done = shop.write(&format!("{run}/done.json"), "{");
    let words = [&format!("{run}/done.json")[..], "hint: remove"];
    shop.run(["train", "tiny.toml"]).refused(&words);
    shop.run(["runs", "show", &run]).refused(&words);
    let list = shop.run(["runs", "list"]).fine();
    assert!(list.out.contains("unreadable"), "{list:?}");
    fs::remove_file(done).unwrap();
    shop.run(["train", "tiny.toml"]).fine();
}

#[test]
fn a_tokeniser_of_another_corpus_is_noticed() {
    let shop = Workshop::with_a_run();
    shop.write("text/a.txt", "This text has other words than those that a world's expert says.");
    shop.write("other.toml", recipe("folder = \"text\""));
    shop.run(["corpus", "build", "other.toml", "--runs", "others"]).fine();
    let other = fs::read(shop.path(shop.only("others/corpora", "")).join("tokenizer.json")).unwrap();
    let run = shop.only("runs", "tiny-");
    let corpus = shop.only("runs/corpora", "");

    let own = fs::read(shop.path(format!("{run}/tokenizer.json"))).unwrap();
    shop.write(&format!("{run}/tokenizer.json"), &other);
    let words = [&format!("`{run}/tokenizer.json`: this is not the tokeniser")[..], "hint: copy it from"];
    shop.run(["eval", &run]).refused(&words);
    shop.run(["generate", &run]).refused(&words);
    shop.write(&format!("{run}/tokenizer.json"), own);

    let own = fs::read(shop.path(format!("{corpus}/tokenizer.json"))).unwrap();
    shop.write(&format!("{corpus}/tokenizer.json"), &other);
    fs::remove_file(shop.path(format!("{run}/done.json"))).unwrap();
    let words = [&format!("`{corpus}/tokenizer.json` is damaged")[..], "hint: delete the folder"];
    shop.run(["corpus", "show", &corpus]).refused(&words);
    shop.run(["corpus", "build", "tiny.toml"]).refused(&words);
    shop.run(["train", "tiny.toml"]).refused(&words);

    // Whoever changes the manifest too is still found out.
    let entry = |text: &str| {
        let (_, rest) = text.split_once("\"tokenizer_file\": {").expect("an entry");
        rest.split('}').next().expect("its end").to_owned()
    };
    let manifest = shop.read(format!("{corpus}/manifest.json"));
    let others = shop.read(format!("{}/manifest.json", shop.only("others/corpora", "")));
    let forged = manifest.replace(&entry(&manifest), &entry(&others));
    assert_ne!(forged, manifest);
    shop.write(&format!("{corpus}/manifest.json"), forged);
    let words = ["was tokenised with", "hint: use the tokenizer.json in that folder"];
    shop.run(["corpus", "show", &corpus]).refused(&words);
    shop.run(["train", "tiny.toml"]).refused(&words);

    shop.write(&format!("{corpus}/manifest.json"), manifest);
    shop.write(&format!("{corpus}/tokenizer.json"), own);
    shop.run(["train", "tiny.toml"]).fine();
}

#[test]
fn damaged_shards_are_named() {
    let shop = Workshop::with_a_run();
    let corpus = shop.only("runs/corpora", "");
    let shard = shop.only(&corpus, "shard-");
    flip(&shop.path(&shard));
    let words = [&format!("`{shard}` is damaged: its checksum differs")[..], "hint: delete the folder"];
    shop.run(["corpus", "show", &corpus]).refused(&words);
    fs::remove_file(shop.path(shop.only("runs", "tiny-")).join("done.json")).unwrap();
    shop.run(["train", "tiny.toml"]).refused(&words);
}

#[test]
fn documents_without_text_are_named_or_counted() {
    let shop = Workshop::new();
    for (name, text, words) in [
        (
            "empty.jsonl",
            "{\"text\": \"some\"}\n{\"text\": \"\"}\n",
            ["empty.jsonl:2", "is empty", "hint: remove"],
        ),
        ("only.jsonl", "{\"text\": \"\"}\n", ["only.jsonl:1", "is empty", "hint: remove"]),
        ("spans.jsonl", "{\"spans\": []}\n", ["spans.jsonl:1", "is empty", "hint: remove"]),
        ("none.jsonl", "", ["`files` gives no document", "nothing in it", "hint:"]),
        ("blank.jsonl", "\n\n\n", ["`files` gives no document", "nothing in it", "hint:"]),
        (
            "other.jsonl",
            "{\"txt\": \"a\"}\n",
            ["other.jsonl:1:", "neither `spans` nor `text`", "hint: name the field"],
        ),
        (
            "cut.jsonl",
            "{\"text\": \"some\"}\n{\"text\": \"mo",
            ["cut.jsonl:2:", "not a JSON object", "hint: a JSONL"],
        ),
        ("list.jsonl", "[1, 2]\n", ["list.jsonl:1:", "not a JSON object", "hint: a JSONL"]),
        (
            "kind.jsonl",
            "{\"spans\": [{\"kind\": \"gaol\", \"body\": \"x\"}]}\n",
            ["kind.jsonl:1:", "`gaol`", "goal"],
        ),
    ] {
        shop.write(name, text);
        shop.write("x.toml", recipe(&format!("jsonl = \"{name}\"")));
        shop.run(["corpus", "build", "x.toml"]).refused(&words);
        shop.run(["train", "x.toml"]).refused(&words);
    }
    shop.write("texts/empty.txt", "");
    shop.write("texts/blank.txt", " \n\t\n");
    shop.write("x.toml", recipe("folder = \"texts\""));
    shop.run(["corpus", "build", "x.toml"]).refused(&[
        "`files` gives no document",
        "2 files were skipped",
        "hint:",
    ]);
    assert_eq!(shop.entries("runs/corpora"), [""; 0]);
    shop.write("texts/full.txt", "This file has words.");
    let manifest = shop.run(["corpus", "build", "x.toml", "--json"]).fine().json();
    assert_eq!(manifest["sources"][0]["skipped"]["empty"], 2);
    let stats = shop.run(["corpus", "stats", &shop.only("runs/corpora", "")]).fine();
    assert!(stats.out.contains("2 files are empty"), "{stats:?}");
    shop.run(["train", "x.toml"]).fine();
}

#[test]
fn text_that_is_not_utf8_is_named_or_counted() {
    let shop = Workshop::new();
    shop.write("x.trace", b"goal: x\nanswer: \xff\n");
    for command in ["check", "fmt", "show"] {
        let words = ["`x.trace`", "line 2", "not UTF-8", "iconv"];
        shop.run(["trace", command, "x.trace"]).refused(&words);
    }
    shop.pipe(["trace", "check", "-"], b"\xfe").refused(&[
        "`standard input`",
        "not UTF-8 at line 1",
        "iconv",
    ]);

    shop.write("x.jsonl", b"{\"text\": \"some\"}\n{\"text\": \"\xff\"}\n");
    shop.write("x.toml", recipe("jsonl = \"x.jsonl\""));
    shop.run(["corpus", "build", "x.toml"]).refused(&["`x.jsonl`: not UTF-8 at byte 27", "hint: convert it"]);

    shop.write("texts/bad.txt", b"caf\xe9");
    shop.write("texts/good.txt", "café");
    shop.write("x.toml", recipe("folder = \"texts\""));
    let manifest = shop.run(["corpus", "build", "x.toml", "--json"]).fine().json();
    assert_eq!(manifest["sources"][0]["skipped"]["invalid_utf8"], 1);

    for args in [["train", "latin.toml"], ["bet", "latin.toml"]] {
        shop.write("latin.toml", b"name = \"caf\xe9\"\n");
        shop.run(args).refused(&["latin.toml", "UTF-8", "hint:"]);
    }
}
