//! The life of a bet: planned, interrupted, killed, finished, asked again.

use std::fs;
use std::time::{Duration, Instant};

use crate::workshop::{Said, Workshop, wait_until};

/// One size, two seeds: four runs of about a second.
pub const BET: &str = r#"name = "mini"
question = "Does a tiny model learn from faults & <other> mishaps?"

[primary]
metric = "bits_per_action_byte"
direction = "lower"
margin = 0.02

[ladder]
sizes = ["0.1M"]
seeds = [1, 2]

[evaluation]
worlds = ["files"]
levels = [1]
faults = ["any"]
tasks = 2
max_steps = 2
max_tokens = 96
max_span = 16
rank_tasks = 0

[recipe.tokenizer]
vocabulary = 320
bytes = 20000
source = [{ name = "files", world = "files" }]

[recipe.data]
sequence = 128
tokens = 65536

[baseline]
label = "clean"
[baseline.recipe.data]
source = [{ name = "files", world = "files" }]

[candidate]
label = "faults"
[candidate.recipe.data]
source = [{ name = "files", world = "files", fault_rate = 0.5 }]
"#;

const START: [&str; 6] = ["bet", "mini.toml", "--jobs", "2", "--threads", "1"];

/// The folders of the bet's runs.
fn runs(shop: &Workshop) -> Vec<String> {
    shop.entries("runs").into_iter().filter(|n| n.starts_with("mini-")).map(|n| format!("runs/{n}")).collect()
}

/// How many of the bet's runs have a file.
fn with(shop: &Workshop, file: &str) -> usize {
    runs(shop).iter().filter(|run| shop.exists(&format!("{run}/{file}"))).count()
}

/// What every run measured.
fn measured(shop: &Workshop) -> Vec<(String, String)> {
    runs(shop).into_iter().map(|run| (run.clone(), shop.read(format!("{run}/metrics.json")))).collect()
}

#[test]
fn a_plan_is_said_and_not_carried_out() {
    let shop = Workshop::new();
    shop.write("mini.toml", BET);
    let said = shop.run(["bet", "mini.toml", "--plan"]).fine();
    for word in ["Does a tiny model learn", "SHIP if", "DROP as harm if", "4 runs", "0.1M"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    assert_eq!(shop.entries(""), ["mini.toml"]);
}

#[test]
fn a_bet_survives_interrupts_and_kills_and_ends_with_the_same_verdict() {
    let shop = Workshop::new();
    shop.write("mini.toml", BET);

    let running = shop.start(START);
    wait_until("a run to begin", || with(&shop, "events.jsonl.zst") > 0);
    let asked = Instant::now();
    running.signal("INT");
    let said = running.end();
    assert_eq!(said.code, Some(130), "{said:?}");
    assert!(said.err.contains("interrupted; the same command goes on from here"), "{said:?}");
    assert!(!said.err.contains("error") && !said.err.contains("failed"), "{said:?}");
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
    assert!(said.out.contains("registered in runs/bets/mini-"), "{said:?}");
    assert!(with(&shop, "done.json") < 4);
    let folder = shop.only("runs/bets", "mini-");
    let registration = shop.read(format!("{folder}/registration.json"));
    assert!(!shop.exists(&format!("{folder}/verdict.json")));

    let running = shop.start(START);
    wait_until("a run to finish", || with(&shop, "evaluated.json") > 0);
    running.signal("KILL");
    assert_eq!(running.end().code, None);
    assert!(with(&shop, "evaluated.json") < 4);
    assert!(!shop.exists(&format!("{folder}/verdict.json")));

    // At once: what the killed bet left running is waited for.
    let said = shop.run(START).fine();
    assert!(said.out.contains(&format!("going on with {folder}/registration.json")), "{said:?}");
    assert!(said.err.contains("finished earlier"), "{said:?}");
    verdict_is_given(&said, &folder);
    assert_eq!(shop.read(format!("{folder}/registration.json")), registration);
    report_is_whole(&shop.read(format!("{folder}/report.html")));
    finished_bets_are_shown_at_once(&shop, &folder);

    // The same bet without a break.
    let calm = Workshop::new();
    calm.write("mini.toml", BET);
    let said = calm.run(START.into_iter().chain(["--json"])).fine();
    assert_eq!(measured(&calm), measured(&shop), "breaks leave no trace in what was measured");
    assert_eq!(
        without_time(said.json()),
        without_time(verdict(&shop, &folder)),
        "the same but for the time it took"
    );
}

/// The sizes of a verdict without what wall time makes of them.
fn without_time(mut verdict: serde_json::Value) -> serde_json::Value {
    let mut rungs = verdict["rungs"].take();
    for rung in rungs.as_array_mut().into_iter().flatten().filter_map(|r| r.as_object_mut()) {
        rung.remove("seconds");
        rung.remove("time_multiplier");
    }
    rungs
}

fn verdict(shop: &Workshop, folder: &str) -> serde_json::Value {
    serde_json::from_str(&shop.read(format!("{folder}/verdict.json"))).expect("JSON")
}

fn verdict_is_given(said: &Said, folder: &str) {
    assert!(
        ["SHIP\n", "DROP (", "UNDECIDED\n"].iter().any(|v| said.out.contains(&format!("\n{v}"))),
        "{said:?}"
    );
    assert!(said.out.contains(&format!("report: {folder}/report.html")), "{said:?}");
    assert!(!said.out.contains("NaN"), "{said:?}");
}

fn report_is_whole(html: &str) {
    assert!(html.contains("Does a tiny model learn from faults &amp; &lt;other&gt; mishaps?"));
    assert!(!html.contains("NaN"));
    let unquoted = html.replace(['"', '\'', ' '], "");
    for load in ["src=", "href=", "url(", "@import"] {
        for place in ["http://", "https://", "//"] {
            assert!(!unquoted.contains(&format!("{load}{place}")), "the report loads {load}{place}");
        }
    }
}

fn finished_bets_are_shown_at_once(shop: &Workshop, folder: &str) {
    let before = shop.contents();
    let start = Instant::now();
    let said = shop.run(START).fine();
    assert!(said.out.contains("`mini` is finished; nothing is run again."), "{said:?}");
    verdict_is_given(&said, folder);
    let said = shop.run(START.into_iter().chain(["--json"])).fine();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert_eq!(said.err, "");
    assert_eq!(said.json(), verdict(shop, folder));
    assert!(said.json()["ruling"]["decision"].is_string(), "{said:?}");
    assert_eq!(shop.contents(), before);

    // A report that is gone is written again from what the runs left.
    fs::remove_file(shop.path(format!("{folder}/report.html"))).unwrap();
    let said = shop.run(START.into_iter().chain(["--json"])).fine();
    assert_eq!(said.json(), verdict(shop, folder));
    report_is_whole(&shop.read(format!("{folder}/report.html")));
}

#[test]
fn a_registration_that_was_changed_is_refused() {
    let shop = Workshop::new();
    shop.write("mini.toml", BET);
    let running = shop.start(START);
    wait_until("the registration", || {
        shop.entries("runs/bets").iter().any(|bet| shop.exists(&format!("runs/bets/{bet}/registration.json")))
    });
    running.signal("KILL");
    running.end();
    let path = format!("{}/registration.json", shop.only("runs/bets", "mini-"));
    let text = shop.read(&path);
    shop.write(&path, text.replace("\"margin\": 0.02", "\"margin\": 0.01"));
    shop.run(START).refused(&[&path, "changed after it was frozen", "restore it"]);
    shop.write(&path, "{");
    shop.run(START).refused(&[&path, "is not a registration", "start again to register anew"]);
}

/// The example's own trainer, in plain Python or PyTorch.
#[test]
fn a_bet_on_another_trainer_ends_with_a_verdict() {
    let shop = Workshop::new();
    let bet = include_str!("../../../../examples/outside-trainer/bet.toml")
        .replace("tokens = 3000 }", "tokens = 300 }")
        .replace("tokens = 6000 }", "tokens = 400 }")
        .replace("tokens = 12000 }", "tokens = 500 }");
    shop.write("bets/bet.toml", bet);
    shop.write("bets/train.py", include_str!("../../../../examples/outside-trainer/train.py"));
    let plan = shop.run(["bet", "bets/bet.toml", "--plan"]).fine().out;
    assert!(
        plan.contains("36 runs, 1 side by side") && plan.contains("how long the trainer takes will show"),
        "{plan}"
    );
    let said = shop.run(["bet", "bets/bet.toml", "--jobs", "2"]).fine().out;
    assert!(said.contains("val loss, lower is better"), "{said}");
    assert!(said.contains("candidate 0.9K: learning rates times"), "{said}");
    let report = shop.read(format!("{}/report.html", shop.only("runs/bets", "momentum-")));
    assert!(report.contains("momentum 0.9") && report.contains("[trainer.files]"));
    assert!(report.contains("How the learning rates were chosen"));
    let listed = shop.run(["runs", "list", "--json"]).fine().out;
    assert!(listed.contains("\"val_loss\""), "{listed}");
    // With another train.py, the runs are others: the old results must not stand for them.
    shop.write("bets/train.py", "print(1)");
    shop.run(["bet", "bets/bet.toml"]).refused(&["results of", "a name of its own"]);
}
