//! A run of ours, exported and read back as anyone would.

use groundwork_history::{Findings, Table, TrackioWriter, export_to_tensorboard, export_to_trackio, read};
use groundwork_lab::Run;

fn run(folder: &std::path::Path) -> Run {
    let path = folder.join("runs/tiny-0123abcd");
    std::fs::create_dir_all(&path).unwrap();
    let put = |name: &str, text: &str| std::fs::write(path.join(name), text).unwrap();
    put("recipe.toml", "name = \"tiny\"\nseed = 7\n[model]\nsize = \"1M\"\n");
    put("done.json", r#"{"steps": 20, "tokens": 2000, "flops": 1e9, "seconds": 9.0}"#);
    put("metrics.json", r#"{"success_rate": {"value": 0.25, "low": 0.1, "high": 0.4}}"#);
    let events = [
        r#"{"event":"start","time":1700000000}"#,
        r#"{"event":"step","step":10,"tokens":1000,"loss":2.5,"loss_by_kind":{"action":1.5},"learning_rate":0.01,"seconds":4.0}"#,
        r#"{"event":"step","step":20,"tokens":2000,"loss":2.25,"loss_by_kind":{"action":1.25},"learning_rate":0.005,"seconds":8.0}"#,
    ];
    std::fs::write(path.join("events.jsonl.zst"), zstd::encode_all(events.join("\n").as_bytes(), 3).unwrap())
        .unwrap();
    Run::load(&path).unwrap()
}

fn one(path: std::path::PathBuf) -> Table {
    let mut findings = Findings::default();
    let mut tables = read(&[path], &mut findings).unwrap();
    assert!(findings.list().is_empty() && tables.len() == 1, "{:?}", findings.list());
    tables.remove(0)
}

fn number(table: &Table, row: usize, name: &str) -> Option<f64> {
    table.rows[row].cell(table.column(name)?).number()
}

#[test]
fn event_files_hold_losses_rates_and_the_evaluation() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path());
    // A second export takes the place of the first.
    for _ in 0..2 {
        export_to_tensorboard(&run, &folder.path().join("tb")).unwrap();
    }
    let table = one(folder.path().join("tb"));
    assert!(table.run.ends_with("tiny-0123abcd"));
    assert_eq!(table.rows.len(), 2);
    assert_eq!(number(&table, 0, "loss"), Some(2.5));
    assert_eq!(number(&table, 1, "loss/action"), Some(1.25));
    assert_eq!(number(&table, 1, "wall_time"), Some(1_700_000_008.0));
    assert_eq!(
        (number(&table, 0, "eval/success_rate"), number(&table, 1, "eval/success_rate")),
        (None, Some(0.25))
    );
}

#[test]
fn trackio_gets_the_recipe_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let run = run(folder.path());
    let path = folder.path().join("lab.db");
    let mut writer = TrackioWriter::open(&path).unwrap();
    for _ in 0..2 {
        export_to_trackio(&run, &mut writer).unwrap();
    }
    drop(writer);
    let table = one(path);
    assert_eq!(table.rows.len(), 2);
    assert_eq!(
        (number(&table, 1, "loss"), number(&table, 1, "train/learning_rate")),
        (Some(2.25), Some(0.005))
    );
    assert_eq!(number(&table, 0, "seed"), Some(7.0));
    let text = |name: &str| table.rows[0].cell(table.column(name).unwrap()).text().unwrap().into_owned();
    assert_eq!((text("run").as_str(), text("size").as_str()), ("tiny", "1M"));
    assert_eq!(text("timestamp"), "2023-11-14T22:13:24.000+00:00");
}
