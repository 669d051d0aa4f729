//! Questions put to histories: the judge's table, the rule, and what had to be assumed.

use std::path::PathBuf;

use groundwork_history::{Columns, FitQuestion, Histories, HistoriesError, HistoryQuestion};
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

#[test]
fn one_run_a_size_is_judged_over_sizes_if_they_are_named_as_the_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("arm,size,accuracy\n");
    for (i, size) in ["70m", "160m", "410m", "1b", "1.4b", "2.8b"].iter().enumerate() {
        let score = 0.2 + 0.08 * i as f64;
        let gain = [0.008, 0.011, 0.009, 0.012, 0.010, 0.009][i];
        text += &format!("base,{size},{score}\nnew,{size},{}\n", score + gain);
    }
    let files = [file(&folder, "r.csv", &text)];
    let alone = ask("metric = \"accuracy\"\nonce = true", &files).unwrap();
    let hint = alone.problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    assert!(hint.contains("name the column of the size as that of the seed too"), "{hint}");
    assert_eq!(alone.problems.len(), 3, "one line an arm, and the missing seeds: {hint}");

    let got = ask("metric = \"accuracy\"\nonce = true\n[columns]\nseed = \"size\"", &files).unwrap();
    assert!(got.problems.is_empty(), "{:?}", got.problems);
    let verdict = judge(&got.table, "new", &got.rule, &ArchiveNoise::default());
    assert_eq!((verdict.ruling, verdict.rungs.len()), (Ruling::Ship, 1), "{}", verdict.sentence);
    assert_eq!(verdict.rungs[0].pairs[3].label, "1b");
}

#[test]
fn only_the_arms_that_are_asked_about_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let stray = "other,4M,1,7,9.0,0.5\nother,4M,1,7,8.0,0.5\n";
    let files = [file(&folder, "r.csv", &(ladder(0.05) + stray))];
    let got = ask("metric = \"loss\"\ncandidates = [\"new\"]", &files).unwrap();
    assert!(got.problems.is_empty(), "{:?}", got.problems);
    let e = ask("metric = \"loss\"\ncandidates = [\"othr\"]", &files).unwrap_err().to_string();
    assert!(e.contains("did you mean `other`?"), "{e}");
}

#[test]
fn a_candidate_whose_runs_diverge_does_not_ship() {
    let folder = tempfile::tempdir().unwrap();
    let text = ladder(0.05).lines().map(str::to_owned).collect::<Vec<_>>();
    let mut text: Vec<String> = text;
    let lost = text.iter().position(|l| l.starts_with("new,16M,4")).unwrap();
    text[lost] = "new,16M,4,320e6,nan,0.5".into();
    let got = ask("metric = \"loss\"", &[file(&folder, "r.csv", &text.join("\n"))]).unwrap();
    let verdict = judge(&got.table, "new", &got.rule, &ArchiveNoise::default());
    assert_eq!(verdict.ruling, Ruling::Undecided, "{}", verdict.sentence);
    assert!(verdict.reasons.iter().any(|r| r.contains("1 of 12 runs of the candidate diverged")));
}

#[test]
fn a_fit_in_compute_takes_the_runs_that_no_cheaper_one_beats() {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::from("flops,loss\n");
    for i in 0..6 {
        let flops = 1e17 * 4f64.powi(i);
        let loss = 1.7 + 300.0 * flops.powf(-0.13);
        // One of each compute is as good as can be, another one was made for a quarter of it.
        text += &format!("{flops},{loss}\n{},{}\n", 1.5 * flops, loss + 0.01);
    }
    let question = FitQuestion {
        metric: "loss".into(),
        columns: Columns::default(),
        drop_largest: 0,
        resamples: 200,
        seed: 0,
    };
    let fit = question.ask(&[file(&folder, "r.csv", &text)]).unwrap();
    let law = fit.compute.value().expect("a law");
    assert_eq!((fit.points, law.sizes), (12, 6));
    assert!((law.exponent - 0.13).abs() < 0.01, "{law:?}");
    assert!(fit.findings.is_empty(), "{:?}", fit.findings);
}
