//! Rows made into runs: roles of columns, and every fault of the data named with its place.

use std::path::PathBuf;

use groundwork_history::{
    Columns, EventWriter, Findings, Gathered, HistoryError, MetricSpec, TrackioWriter, gather, read,
};

struct Files {
    folder: tempfile::TempDir,
    paths: Vec<PathBuf>,
}

impl Files {
    fn new(files: &[(&str, &str)]) -> Files {
        let folder = tempfile::tempdir().unwrap();
        let mut paths = Vec::new();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, text).unwrap();
            paths.push(path);
        }
        Files { folder, paths }
    }

    fn gather(&self, columns: &str, metrics: &[MetricSpec]) -> Result<Gathered, HistoryError> {
        let columns: Columns = toml::from_str(columns).unwrap();
        let mut findings = Findings::default();
        let tables = read(&self.paths, &mut findings)?;
        gather(&tables, &columns, metrics, findings)
    }

    fn loss(&self, columns: &str) -> Gathered {
        self.gather(columns, &[MetricSpec::named("loss")]).unwrap()
    }

    /// The findings without the path of the folder.
    fn findings(&self, gathered: &Gathered) -> Vec<String> {
        let prefix = format!("{}/", self.folder.path().display());
        gathered.findings.list().iter().map(|f| f.to_string().replace(&prefix, "")).collect()
    }
}

fn ends(gathered: &Gathered) -> Vec<String> {
    let last = |r: &groundwork_history::RunHistory| r.last("loss").map_or(f64::NAN, |p| p.value);
    gathered.runs.iter().map(|r| format!("{}/{}/{}={}", r.arm, r.size, r.seed, last(r))).collect()
}

/// Curves of two arms, two sizes and two seeds.
fn curves() -> String {
    let mut text = String::from("arm,size,seed,step,tokens,loss\n");
    for (arm, gain) in [("base", 0.0), ("new", 0.1)] {
        for (size, floor) in [("1M", 3.0), ("4M", 2.5)] {
            for seed in [1, 2] {
                for step in [10, 20, 30] {
                    let loss = floor - gain + 1.0 / f64::from(step) + f64::from(seed) / 128.0;
                    text += &format!("{arm},{size},{seed},{step},{},{loss}\n", step * 1000);
                }
            }
        }
    }
    text
}

#[test]
fn usual_columns_need_no_words() {
    let files = Files::new(&[("r.csv", &curves())]);
    let got = files.loss("");
    assert_eq!(got.runs.len(), 8);
    assert!(files.findings(&got).is_empty());
    let run = &got.runs[7];
    assert_eq!((run.arm.as_str(), run.size.as_str(), run.seed.as_str()), ("new", "4M", "2"));
    let last = run.last("loss").unwrap();
    assert_eq!((last.step, run.params), (30.0, Some(4e6)));
    assert_eq!(last.flops, Some(6.0 * 4e6 * 30_000.0));
    let at = files.loss("at = 20");
    assert!(at.runs.iter().all(|r| r.last("loss").unwrap().step == 20.0));
}

#[test]
fn names_of_files_and_runs_say_what_columns_do_not() {
    let files = Files::new(&[
        ("base-1M-s1.jsonl", "{\"it\":1,\"val\":{\"loss\":3}}\n{\"it\":2,\"val\":{\"loss\":2}}\n"),
        ("new-1M-s1.jsonl", "{\"it\":1,\"val\":{\"loss\":3}}\n{\"it\":2,\"val\":{\"loss\":1.5}}\n"),
        ("odd.jsonl", "{\"it\":1,\"val\":{\"loss\":3}}\n"),
    ]);
    let spec = MetricSpec { name: "loss".into(), column: Some("val.loss".into()), only: Default::default() };
    let columns = "step = \"it\"\npattern = \"{arm}-{size}-s{seed}.jsonl\"";
    let got = files.gather(columns, &[spec]).unwrap();
    assert_eq!(ends(&got), ["base/1M/1=2", "new/1M/1=1.5"]);
    let findings = files.findings(&got);
    assert!(findings[0].starts_with("odd.jsonl: the run's name does not fit the pattern"), "{findings:?}");
}

#[test]
fn event_files_and_trackio_give_the_same_runs() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("p.db");
    let mut trackio = TrackioWriter::open(&database).unwrap();
    for (arm, loss) in [("base", 2.0), ("new", 1.5)] {
        let mut events = EventWriter::create(&folder.path().join(format!("tb/{arm}/seed-7")), 0.0).unwrap();
        for step in 1..=3i64 {
            events.scalars(step, step as f64, &[("loss", loss / step as f64), ("other", 1.0)]).unwrap();
        }
        events.finish().unwrap();
        let config = serde_json::json!({"seed": 7, "arm": arm});
        let rows = (1..=3i64).map(|s| (s, String::from("t"), vec![("loss", loss / s as f64)]));
        trackio.run(arm, &format!("run {arm}"), "t", &config, rows).unwrap();
    }
    let one = |path: PathBuf, columns: &str| {
        let mut findings = Findings::default();
        let tables = read(&[path], &mut findings).unwrap();
        let got = gather(&tables, &toml::from_str(columns).unwrap(), &[MetricSpec::named("loss")], findings)
            .unwrap();
        assert!(got.findings.list().is_empty());
        ends(&got)
    };
    let want = ["base/one size/7=0.6666666", "new/one size/7=0.5"];
    let from_events = one(folder.path().join("tb"), "pattern = \"{arm}/seed-{seed}\"");
    assert!(from_events.iter().zip(want).all(|(got, want)| got.starts_with(want)), "{from_events:?}");
    let from_trackio = one(database, "");
    assert!(from_trackio.iter().zip(want).all(|(got, want)| got.starts_with(want)), "{from_trackio:?}");
}

#[test]
fn long_tables_are_filtered_and_metrics_have_their_own_conditions() {
    let text =
        "arm,seed,split,metric,value\na,1,val,loss,2\na,1,val,acc,0.5\na,1,train,loss,9\nb,1,val,loss,1\n";
    let files = Files::new(&[("long.csv", text)]);
    let metric = |name: &str| MetricSpec {
        name: name.into(),
        column: Some("value".into()),
        only: [("metric".to_owned(), name.to_owned())].into_iter().collect(),
    };
    // With steps or one row a run, the rows of a run's metrics belong together only by step.
    let with_steps = Files::new(&[(
        "long.csv",
        &text.replace("arm,", "step,arm,").replace("\na", "\n5,a").replace("\nb", "\n5,b"),
    )]);
    let got = with_steps.gather("where = { split = \"val\" }", &[metric("loss"), metric("acc")]).unwrap();
    assert_eq!(ends(&got), ["a/one size/1=2", "b/one size/1=1"]);
    assert_eq!(got.runs[0].last("acc").unwrap().value, 0.5);
    let one = files.gather("where = { split = \"val\", metric = \"loss\" }", &[metric("loss")]).unwrap();
    assert_eq!(ends(&one), ["a/one size/1=2", "b/one size/1=1"]);
}

#[test]
fn missing_cells_and_numbers_that_are_none_are_named_with_their_line() {
    let mut text = curves();
    text = text.replacen("base,1M,1,20,20000,3.0578125", "base,1M,1,20,20000,", 1);
    text = text.replacen("base,1M,2,20,20000,3.065625", "base,1M,2,20,20000,NaN", 1);
    text += "new,4M,2,,1,1\nnew,,2,30,1,1\n,4M,2,30,1,1\nnew,4M,2,40,40000,much\n";
    let files = Files::new(&[("r.csv", &text)]);
    let got = files.loss("size = \"size\"\nseed = \"seed\"\nstep = \"step\"");
    let findings = files.findings(&got).join("\n");
    for want in [
        "r.csv:3: `loss` is empty; the point is left out",
        "r.csv:6: `loss` is NaN; the point is left out",
        "r.csv:26: the cell of the step is empty or no number; the row is left out",
        "r.csv:27: the cell of the size is empty; the row is left out",
        "r.csv:28: nothing says the arm; the row is left out",
        "r.csv:29: `loss` is text and no number; the point is left out",
    ] {
        assert!(findings.contains(want), "{want}\nin\n{findings}");
    }
    assert_eq!(got.runs.len(), 8);
}

#[test]
fn a_run_that_diverged_is_left_out_and_said_to_flatter() {
    let broken = |line: &str| ["new,1M,2,20,", "new,1M,2,30,"].iter().any(|start| line.starts_with(start));
    let text: String = curves()
        .lines()
        .map(|line| match line.rsplit_once(',') {
            Some((start, _)) if broken(line) => format!("{start},nan\n"),
            _ => format!("{line}\n"),
        })
        .collect();
    assert_eq!(text.matches("nan").count(), 2);
    let files = Files::new(&[("r.csv", &text)]);
    let got = files.loss("");
    assert_eq!((got.runs.len(), got.left_out.len()), (7, 1));
    assert_eq!(got.left_out[0].diverged, Some(20.0));
    let findings = files.findings(&got).join("\n");
    assert!(findings.contains("new, 1M, seed 2: `loss` is no number from step 20 to the end"), "{findings}");
    assert!(findings.contains("flatters its arm"));
}

#[test]
fn unequal_steps_are_named() {
    let short: String =
        curves().lines().filter(|l| !l.starts_with("new,4M,2,30")).map(|l| format!("{l}\n")).collect();
    // Two of two runs do not make a majority, so a third seed says what is usual.
    let text = short + "new,4M,3,30,30000,2.4\n";
    let files = Files::new(&[("r.csv", &text)]);
    let got = files.loss("");
    assert_eq!(got.left_out.len(), 1);
    let findings = files.findings(&got).join("\n");
    assert!(
        findings.contains("new, 4M, seed 2: `loss` ends at step 20, other runs of its arm and size at 30"),
        "{findings}"
    );
    let longer = curves().replace("new,4M,1,30", "new,4M,1,33").replace("new,4M,2,30", "new,4M,2,33");
    let files = Files::new(&[("r.csv", &longer)]);
    let findings = files.findings(&files.loss("")).join("\n");
    assert!(findings.contains("4M: the arms end at different steps: base at 30, new at 33"), "{findings}");
}

#[test]
fn duplicated_seeds_count_only_if_they_agree() {
    let rows = "arm,seed,loss\na,1,3\na,1,3\na,2,3.1\nb,1,2.9\nb,2,2.8\nb,2,2.7\n";
    let files = Files::new(&[("r.csv", rows)]);
    let got = files.loss("");
    assert_eq!(ends(&got), ["a/one size/1=3", "a/one size/2=3.1", "b/one size/1=2.9"]);
    let findings = files.findings(&got).join("\n");
    assert!(findings.contains("a, one size, seed 1: the seed stands 2 times"), "{findings}");
    assert!(
        findings.contains("b, one size, seed 2: the seed stands 2 times in its arm and size, with different")
    );
    assert!(findings.contains("to choose one would be to choose the result"));
}

#[test]
fn steps_written_twice_count_once() {
    let files = Files::new(&[("r.csv", "arm,seed,step,loss\na,1,1,3\na,1,2,2.5\na,1,2,2\nb,1,2,1\n")]);
    let got = files.loss("");
    assert_eq!(ends(&got), ["a/one size/1=2", "b/one size/1=1"]);
    assert_eq!(
        files.findings(&got),
        ["r.csv:3: `loss` stands twice for one step of a run, with two values; the later row counts (r.csv:4)"]
            .map(String::from)
    );
}

#[test]
fn runs_without_seeds_are_numbered_and_that_is_said() {
    let files = Files::new(&[("r.csv", "arm,loss\na,3\na,4\nb,1\nb,2\n")]);
    let got = files.loss("");
    assert_eq!(ends(&got), ["a/one size/1=3", "a/one size/2=4", "b/one size/1=1", "b/one size/2=2"]);
    assert!(files.findings(&got)[0].contains("no column says the seed"));
}

#[test]
fn arms_with_different_metrics_are_told_apart_with_the_likely_name() {
    let files =
        Files::new(&[("a-1.csv", "step,val/loss\n1,3\n2,2\n"), ("b-1.csv", "step,val_loss\n1,3\n2,2\n")]);
    let got = files.gather("pattern = \"{arm}-{seed}.csv\"", &[MetricSpec::named("val_loss")]).unwrap();
    let findings = files.findings(&got).join("\n");
    assert!(findings.contains("arm a: none of its runs has `val_loss`, which other arms have"), "{findings}");
    assert!(findings.contains("do its runs call it `val/loss`?"), "{findings}");
    assert_eq!(got.runs.len(), 1);
}

#[test]
fn a_column_that_is_not_there_is_refused_with_the_likely_one() {
    let files = Files::new(&[("r.csv", &curves())]);
    let complaint = |columns: &str, metric: &str| {
        files.gather(columns, &[MetricSpec::named(metric)]).unwrap_err().to_string()
    };
    assert!(
        complaint("", "los").contains("no column `los` (the primary metric)\n  hint: did you mean `loss`?")
    );
    assert!(complaint("seed = \"sed\"", "loss").contains("did you mean `seed`?"));
    assert!(complaint("where = { armm = \"x\" }", "loss").contains("did you mean `arm`?"));
    assert!(complaint("where = { arm = \"x\" }", "loss").contains("none of the 24 rows belongs to a run"));
    let nameless = Files::new(&[("r.csv", "step,loss\n1,2\n")]);
    let e = nameless.gather("", &[MetricSpec::named("loss")]).unwrap_err().to_string();
    assert!(e.contains("nothing says which arm") && e.contains("`step`"), "{e}");
}
