//! The life of a run: trained, evaluated, asked to write, listed and shown.

use std::collections::BTreeSet;

use crate::workshop::{RECIPE, SUITE, Workshop};

#[test]
fn a_run_is_trained_once_and_used() {
    let shop = Workshop::new();
    shop.write("tiny.toml", RECIPE);
    shop.write("suite.toml", SUITE);

    let said = shop.run(["train", "tiny.toml", "--json", "--threads", "1"]).fine();
    let events = said.json_lines();
    let kinds: Vec<&str> = events.iter().filter_map(|e| e["event"].as_str()).collect();
    assert_eq!(kinds.len(), events.len(), "every line is an event");
    let count = |kind: &str| kinds.iter().filter(|k| **k == kind).count();
    assert_eq!((count("start"), count("step"), count("done"), count("resume")), (1, 4, 1, 0), "{kinds:?}");
    assert_eq!((kinds.last(), said.err.as_str()), (Some(&"done"), ""));
    let run = shop.only("runs", "tiny-");
    assert_eq!(
        format!("runs/{}", events.iter().find(|e| e["event"] == "start").unwrap()["run"].as_str().unwrap()),
        run
    );

    // A second start trains nothing and changes nothing.
    let before = shop.contents();
    let said = shop.run(["train", "tiny.toml"]).fine();
    assert!(
        said.out.starts_with(&format!("{run}  finished earlier; nothing is trained again\n")),
        "{said:?}"
    );
    let again = shop.run(["train", "tiny.toml", "--json"]).fine().json_lines();
    assert_eq!(again.as_slice(), &events[events.len() - 1..]);
    assert_eq!(shop.contents(), before);

    let said = shop.run(["eval", &run, "--suite", "suite.toml", "--json", "--threads", "1"]).fine();
    let lines = said.json_lines();
    let metrics = &lines.last().unwrap()["metrics"];
    assert!(lines[..lines.len() - 1].iter().all(|l| l["event"] == "progress") && lines.len() > 2, "{said:?}");
    assert!(metrics["bits_per_action_byte"]["value"].as_f64().is_some_and(|v| v > 0.0), "{metrics}");
    assert_eq!(shop.read(format!("{run}/metrics.json")), serde_json::to_string_pretty(metrics).unwrap());
    assert!(shop.exists(&format!("{run}/scores.parquet")));
    let said = shop.run(["eval", "tiny", "--suite", "suite.toml"]).fine();
    assert!(said.out.contains("bits_per_action_byte") && said.out.contains("4 attempts"), "{said:?}");

    listed_and_shown(&shop, &run);
    let leftovers = |n: &String| n.ends_with(".tmp") || n.ends_with(".part");
    assert!(!shop.entries(&run).iter().any(leftovers), "{:?}", shop.entries(&run));
}

fn listed_and_shown(shop: &Workshop, run: &str) {
    let name = run.strip_prefix("runs/").unwrap();
    let list = shop.run(["runs", "list"]).fine();
    assert!(
        list.out.contains(name) && list.out.contains("finished") && list.out.contains("0.1M"),
        "{list:?}"
    );
    let list = shop.run(["runs", "list", "--json"]).fine().json();
    assert_eq!((list[0]["folder"].as_str(), list[0]["status"].as_str()), (Some(name), Some("finished")));
    assert_eq!(shop.run(["runs", "list", "--runs", "none", "--json"]).fine().json(), serde_json::json!([]));
    assert!(shop.run(["runs", "list", "--runs", "none"]).fine().out.contains("no runs in `none`"));

    let show = shop.run(["runs", "show", run]).fine();
    for word in ["finished", "4 steps", "loss", "scores", "bits_per_action_byte", "recipe", "size = \"0.1M\""]
    {
        assert!(show.out.contains(word), "{word}: {}", show.out);
    }
    assert!(!show.out.contains("NaN"), "{}", show.out);
    for by in ["tiny", "tin", name] {
        assert_eq!(shop.run(["runs", "show", by]).fine().out, show.out);
    }
    let show = shop.run(["runs", "show", run, "--json"]).fine().json();
    assert_eq!((show["size"].as_str(), show["done"]["steps"].as_u64()), (Some("0.1M"), Some(4)));
}

#[test]
fn a_model_writes_the_same_with_the_same_seed() {
    let shop = Workshop::with_a_run();
    let write = |more: &[&str]| {
        let args = ["generate", "tiny", "goal: read a/b", "--tokens", "40"];
        shop.run(args.into_iter().chain(more.iter().copied())).fine()
    };
    let mut texts = BTreeSet::new();
    for seed in ["1", "2", "3", "4"] {
        let text = write(&["--seed", seed]).out;
        assert!(text.starts_with("goal: read a/b"), "{text}");
        assert_eq!(write(&["--seed", seed]).out, text);
        let json = write(&["--seed", seed, "--json"]).json();
        assert_eq!(json["text"].as_str(), Some(text.as_str()));
        assert!(json["tokens"].as_array().is_some_and(|t| t.len() <= 40), "{json}");
        texts.insert(text);
    }
    assert!(texts.len() > 1, "seeds differ: {texts:?}");
    let likeliest = write(&["--seed", "1", "--temperature", "0"]).out;
    assert_eq!(write(&["--seed", "2", "--temperature", "0"]).out, likeliest);
    // No prompt, plain text, and text that only looks like a trace.
    for prompt in ["", "Once", "goal", "tools {", "\u{1f980} \\"] {
        shop.run(["generate", "tiny", prompt, "--tokens", "5"]).fine();
    }
}

#[test]
fn a_corpus_is_built_described_and_drawn() {
    let shop = Workshop::new();
    shop.write("tiny.toml", RECIPE);
    let manifest = shop.run(["corpus", "build", "tiny.toml", "--json"]).fine().json();
    assert_eq!((manifest["rows"].as_u64(), manifest["sequence"].as_u64()), (Some(32), Some(128)));
    let corpus = shop.only("runs/corpora", "");
    // It is there already, and training takes it.
    let before = shop.contents();
    assert!(shop.run(["corpus", "build", "tiny.toml"]).fine().out.contains(&corpus));
    assert_eq!(shop.contents(), before);

    let stats = shop.run(["corpus", "stats", &corpus]).fine();
    for word in ["32 rows of 128", "source", "files", "100.00%", "span", "action"] {
        assert!(stats.out.contains(word), "{word}: {}", stats.out);
    }
    let json = shop.run(["corpus", "stats", &corpus, "--json"]).fine().json();
    assert!(json.is_object(), "{json}");
    let drawn = shop.run(["corpus", "show", &corpus, "--row", "3", "--count", "2"]).fine();
    assert!(drawn.out.starts_with("row 3 of 32: ") && drawn.out.contains("\nrow 4 of 32: "), "{}", drawn.out);
    assert!(drawn.out.contains("goal: ") && drawn.out.contains("action: "), "{}", drawn.out);
    assert!(!drawn.out.contains('\u{1b}'), "no colours in a pipe");
}

#[test]
fn progress_goes_to_standard_error() {
    let shop = Workshop::new();
    shop.write("tiny.toml", RECIPE);
    let said = shop.run(["train", "tiny.toml"]).fine();
    assert!(said.out.starts_with("runs/tiny-") && said.out.contains("  finished\n"), "{said:?}");
    assert!(said.err.contains("4 steps") && said.err.contains("training  "), "{said:?}");
    assert!(!said.err.contains('\u{1b}') && !said.err.contains('\r'), "no bars in a pipe: {said:?}");
}
