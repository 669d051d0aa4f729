//! Questions put to histories: the judge's table, the rule, and what had to be assumed.

use std::path::PathBuf;

use groundwork_history::{Histories, HistoriesError, HistoryQuestion};
use groundwork_lab::Direction;
use groundwork_lab::judge::{ArchiveNoise, DropReason, Ruling, Scale, judge};

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A ladder of three sizes and four seeds, noise of about 0.001, the new arm better by `gain`.
fn ladder(gain: f64) -> String {
    let mut text = String::from("arm,size,seed,tokens,loss,accuracy\n");
    let noise = [3, -5, 1, 4, -2, 0, -3, 5, 2, -1, -4, 1, 3, 0, -5, 2, -1, 4, -2, 3, 1, -4, 5, 0];
    let mut draws = noise.iter().cycle();
    for (arm, gain) in [("base", 0.0), ("new", gain)] {
        for size in [1.0, 4.0, 16.0] {
            let loss = 1.7 + 60.0 * (6.0 * size * size * 20e12_f64).powf(-0.12);
            for seed in 1..=4 {
                let drawn = 0.0004 * f64::from(*draws.next().unwrap());
                let loss = loss - gain + drawn;
                text += &format!("{arm},{size}M,{seed},{},{loss},{}\n", size * 20e6, 0.5 + drawn);
            }
        }
    }
    text
}

fn ask(text: &str, files: &[PathBuf]) -> Result<Histories, HistoriesError> {
    let question: HistoryQuestion = toml::from_str(text).unwrap();
    question.ask(files)
}

#[test]
fn a_ladder_is_judged_by_its_multiplier() {
    let folder = tempfile::tempdir().unwrap();
    let got = ask("metric = \"loss\"", &[file(&folder, "r.csv", &ladder(0.05))]).unwrap();
    assert!(got.problems.is_empty(), "{:?}", got.problems);
    assert_eq!((got.table.baseline.as_str(), got.candidates.as_slice()), ("base", &["new".to_owned()][..]));
    assert_eq!((got.rule.scale, got.rule.direction), (Scale::Multiplier, Direction::Lower));
    assert!(got.assumed.iter().any(|a| a.contains("lower is better in `loss`, by its name")));
    let verdict = judge(&got.table, "new", &got.rule, &ArchiveNoise::default());
    assert_eq!(verdict.ruling, Ruling::Ship, "{}", verdict.sentence);
    let order: Vec<&str> = verdict.rungs.iter().map(|r| r.rung.as_str()).collect();
    assert_eq!(order, ["1M", "4M", "16M"]);

    let worse = ask("metric = \"loss\"", &[file(&folder, "r.csv", &ladder(-0.05))]).unwrap();
    let verdict = judge(&worse.table, "new", &worse.rule, &ArchiveNoise::default());
    assert_eq!(verdict.ruling, Ruling::Drop(DropReason::Harm), "{}", verdict.sentence);
}

#[test]
fn one_size_is_judged_in_the_metrics_unit() {
    let folder = tempfile::tempdir().unwrap();
    let only = ladder(0.05)
        .lines()
        .filter(|l| !l.contains("4M") && !l.contains("16M"))
        .collect::<Vec<_>>()
        .join("\n");
    let files = [file(&folder, "r.csv", &only)];
    let got = ask("metric = \"loss\"\nonce = true", &files).unwrap();
    assert_eq!((got.rule.scale, got.rule.margin), (Scale::Metric, 0.0));
    assert_eq!(got.rule.looks_at("1M", 0), [4]);
    assert!(got.assumed.iter().any(|a| a.contains("No margin was given")));
    let verdict = judge(&got.table, "new", &got.rule, &ArchiveNoise::default());
    let effect = verdict.rungs[0].effect.value().unwrap();
    assert!((effect.mean - 0.05).abs() < 0.002, "{effect:?}");
    assert_eq!(got.rule.cap_of("1M"), 4);
    assert_eq!(ask("metric = \"loss\"", &files).unwrap().rule.cap_of("1M"), 6);
}

#[test]
fn guardrails_and_conditions_come_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"
metric = "loss"
candidates = ["new"]
[columns]
where = { size = "4M" }
[rule]
margin = 0.002
[[rule.guardrail]]
metric = "acc"
direction = "higher"
margin = 0.01
[[in]]
name = "acc"
column = "accuracy"
"#;
    let path = file(&folder, "q.toml", text);
    let question = HistoryQuestion::load(&path).unwrap();
    let got = question.ask(&[file(&folder, "r.csv", &ladder(0.05))]).unwrap();
    assert_eq!(got.table.runs.len(), 8);
    assert!(got.table.runs.iter().all(|r| r.metrics.contains_key("acc")));
    assert_eq!((got.rule.margin, got.rule.guardrails.len()), (0.002, 1));
    let wrong =
        HistoryQuestion::load(&file(&folder, "q.toml", &text.replace("[rule]\nmargin", "[rule]\nmargn")));
    let e = wrong.unwrap_err().to_string();
    assert!(e.contains("q.toml:7:1: unknown field `margn`"), "{e}");
}

#[test]
fn what_cannot_be_asked_is_refused_with_what_can() {
    let folder = tempfile::tempdir().unwrap();
    let files = [file(&folder, "r.csv", &ladder(0.0).replace("base", "old").replace("loss", "value"))];
    let complaint = |text: &str| ask(text, &files).unwrap_err().to_string();
    assert!(complaint("").contains("no metric is named"));
    let e = complaint("metric = \"value\"");
    assert!(e.contains("which arm is the baseline") && e.contains("`old`, `new`"), "{e}");
    assert!(complaint("metric = \"value\"\nbaseline = \"bas\"").contains("no run belongs to the arm `bas`"));
    assert!(complaint("metric = \"value\"\nbaseline = \"old\"").contains("which way of `value` is better"));
    let same = "metric = \"value\"\nbaseline = \"old\"\ncandidates = [\"old\"]";
    assert!(complaint(same).contains("two different arms"));
}

#[test]
fn one_run_of_an_arm_is_named_and_decides_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let got =
        ask("metric = \"loss\"", &[file(&folder, "r.csv", "arm,seed,loss\nbase,1,3\nnew,1,2\n")]).unwrap();
    assert_eq!(got.problems.len(), 2);
    assert!(got.problems[0].to_string().contains("there is one run only"));
    let verdict = judge(&got.table, "new", &got.rule, &ArchiveNoise::default());
    assert_eq!(verdict.ruling, Ruling::Undecided);
}
