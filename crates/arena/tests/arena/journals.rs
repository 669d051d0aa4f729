//! The journal: nothing that was played is lost, and nothing else is believed.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use groundwork_arena::{Attempts, Journal, SuiteSpec, play};

use crate::doubles::{TOKENIZER, experts, replay};

fn suite() -> SuiteSpec {
    SuiteSpec {
        worlds: vec!["files".into()],
        tasks: 4,
        levels: vec![1],
        max_tokens: 1024,
        batch: 3,
        ..SuiteSpec::default()
    }
}

#[test]
fn an_interrupted_evaluation_goes_on_where_it_was() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("attempts.jsonl");
    let suite = suite();
    let tasks = suite.tasks().unwrap();
    let traces = experts(&tasks);
    let model = replay(&traces);
    let whole = play(&model, &TOKENIZER, &suite, &tasks, &mut |_| {}).unwrap();

    let (stop, ended) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (mut journal, before) = Journal::open(&path, "m", &suite).unwrap();
    assert!(before.is_empty());
    let mut attempts = Attempts::new(&suite, before).unwrap();
    let done = attempts
        .play(&model, &TOKENIZER, &suite, &mut journal, &stop, &mut |p| {
            ended.store(p.done, Ordering::Relaxed);
            stop.store(p.done >= 4, Ordering::Relaxed);
        })
        .unwrap();
    assert!(!done && attempts.progress().done == ended.load(Ordering::Relaxed), "{:?}", attempts.progress());
    assert!((4..whole.len()).contains(&attempts.progress().done), "it stops soon: {:?}", attempts.progress());
    drop(journal);

    // The process was killed in the middle of a line.
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, [text.as_slice(), b"{\"task\": {\"wor"].concat()).unwrap();
    let (mut journal, before) = Journal::open(&path, "m", &suite).unwrap();
    assert_eq!(before.len(), ended.load(Ordering::Relaxed), "all that had ended are kept");
    assert!(before.iter().all(|held| whole.contains(&held.rollout)));
    let mut attempts = Attempts::new(&suite, before).unwrap();
    let never = AtomicBool::new(false);
    assert!(attempts.play(&model, &TOKENIZER, &suite, &mut journal, &never, &mut |_| {}).unwrap());
    assert_eq!(attempts.made(), whole);
    drop(journal);
    assert_eq!(Journal::open(&path, "m", &suite).unwrap().1.len(), whole.len());
    let (journal, _) = Journal::open(&path, "m", &suite).unwrap();
    journal.remove().unwrap();
    assert!(!path.exists());
}

#[test]
fn what_does_not_belong_together_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("attempts.jsonl");
    let open = |model: &str, suite: &SuiteSpec| Journal::open(&path, model, suite).map_err(|e| e.to_string());
    let held = open("m", &suite()).unwrap();
    assert!(open("m", &suite()).unwrap_err().contains("another evaluation"), "one at a time");
    drop(held);
    assert!(open("n", &suite()).unwrap_err().contains("of `m`"));
    let other = SuiteSpec { seed: 1, ..suite() };
    assert!(open("m", &other).unwrap_err().contains("another evaluation"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}rubbish\n")).unwrap();
    assert!(open("m", &suite()).unwrap_err().contains("line 2 is damaged"));
    assert!(Journal::open(&home.path().join("no/where"), "m", &suite()).is_err());
}
