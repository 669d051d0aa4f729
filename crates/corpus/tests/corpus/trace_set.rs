//! Sets of generated traces: the same whatever the threads and interruptions, without repetition, and true.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use groundwork_corpus::{
    Generated, Mixture, MixturePart, generate_traces, read_traces, trace_files, verify_traces,
};
use groundwork_trace::SpanKind;
use groundwork_worlds::{Declare, Split, Style};

fn mixture() -> Mixture {
    let part = |worlds: &[&str], weight: f64| MixturePart {
        worlds: worlds.iter().map(|w| (*w).to_owned()).collect(),
        weight,
        levels: vec![1, 3],
        fault_rate: 0.3,
        faults: Vec::new(),
        styles: Style::ALL.into_iter().map(|s| (s, 1.0)).collect(),
        ..MixturePart::default()
    };
    let part = vec![part(&["files", "route"], 3.0), part(&["ledger"], 1.0)];
    Mixture { seed: 5, declare: Declare::Name, shard: 500, part }
}

fn generate(folder: &Path, count: u64, threads: usize) -> Generated {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
    let never = AtomicBool::new(false);
    pool.install(|| generate_traces(folder, &mixture(), count, &never, &mut |_| {})).unwrap().0
}

fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries
        .map(|p| (p.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(&p).unwrap()))
        .collect()
}

#[test]
fn a_set_is_a_function_of_mixture_and_size() {
    let home = tempfile::tempdir().unwrap();
    let (one, two, three) = (home.path().join("one"), home.path().join("two"), home.path().join("three"));
    assert_eq!(generate(&one, 1_300, 1), Generated::Whole);
    assert_eq!(generate(&two, 1_300, 3), Generated::Whole);
    assert!(contents(&one) == contents(&two), "the number of threads decides nothing");

    // Interrupted in the second shard, gone on with for fewer, then grown to the size.
    let stop = AtomicBool::new(false);
    let (ended, card) = generate_traces(&three, &mixture(), 2_900, &stop, &mut |done| {
        stop.store(done > 500, Ordering::Relaxed);
    })
    .unwrap();
    assert_eq!((ended, card.traces), (Generated::Stopped, 1_000));
    assert_eq!(generate(&three, 1_100, 2), Generated::Whole);
    assert_eq!(generate(&three, 1_300, 2), Generated::Whole);
    assert!(contents(&one) == contents(&three), "interruptions decide nothing");
    let before = contents(&three);
    assert_eq!(generate(&three, 1_300, 2), Generated::Whole);
    assert!(contents(&three) == before, "nothing is left to do");

    let records: Vec<_> = trace_files(&one).unwrap().iter().flat_map(|f| read_traces(f).unwrap()).collect();
    assert_eq!(records.len(), 1_300);
    let actions: BTreeSet<(String, Vec<String>)> = records
        .iter()
        .map(|r| {
            let task = r.task.as_ref().unwrap();
            assert_eq!(task.split, Split::Train);
            let said = r.trace.spans.iter().filter(|s| s.kind == SpanKind::Action);
            (task.world.clone(), said.map(|s| s.body.clone()).collect())
        })
        .collect();
    assert_eq!(actions.len(), records.len(), "no sequence of actions is there twice");
    let share = |of: &str| records.iter().filter(|r| r.id.starts_with(of)).count() as f64 / 1300.0;
    assert!((share("ledger") - 0.25).abs() < 0.05 && share("files") > 0.3, "{}", share("ledger"));

    for record in &records {
        let noted = record.trace.spans.iter().find(|s| s.fault.is_some()).map(|s| {
            let (_, value) =
                s.meta.iter().find(|(name, _)| name == "x_recovery").expect("a note of the recovery");
            value.to_string()
        });
        assert_eq!(noted.is_some(), record.task.as_ref().unwrap().fault.is_some());
        // Who only plans recovers as well as it can be done.
        assert!(
            record.source != "expert/plan" || noted.is_none_or(|n| n.ends_with("beyond: 0}")),
            "{}",
            record.id
        );
    }

    let mut last = 0;
    let verified = verify_traces(&one, &mut |done| last = done).unwrap();
    assert_eq!((verified.fine, verified.parted.len(), last), (1_300, 0, 1_300));
    let card = String::from_utf8(before["card.md"].clone()).unwrap();
    for word in
        ["# 1300 traces", "| files |", "| mistakes |", "| transient |", "files, explore:", "passed over"]
    {
        assert!(card.contains(word), "{word}: {card}");
    }
}

#[test]
fn what_cannot_go_on_is_said() {
    let home = tempfile::tempdir().unwrap();
    let never = AtomicBool::new(false);
    let go = |mixture: &Mixture, count| {
        generate_traces(home.path(), mixture, count, &never, &mut |_| {}).map_err(|e| e.to_string())
    };
    go(&mixture(), 100).unwrap();
    let other = Mixture { seed: 6, ..mixture() };
    assert!(go(&other, 100).unwrap_err().contains("another mixture"));
    assert!(go(&mixture(), 50).unwrap_err().contains("more than 50 traces"));
    let broken = |change: &dyn Fn(&mut Mixture)| {
        let mut mixture = mixture();
        change(&mut mixture);
        go(&mixture, 1).unwrap_err()
    };
    assert!(broken(&|m| m.shard = 0).contains("shard"));
    assert!(broken(&|m| m.part.clear()).contains("[[part]]"));
    assert!(broken(&|m| m.part[1].weight = -1.0).contains("part[1].weight"));
    assert!(broken(&|m| m.part[0].styles.clear()).contains("part[0].styles"));
    assert!(broken(&|m| m.part[0].fault_rate = 2.0).contains("part[0].fault_rate"));
    assert!(broken(&|m| m.part[0].worlds = vec!["fils".into()]).contains("did you mean `files`"));
}

#[test]
fn a_small_world_is_exhausted_not_repeated() {
    let home = tempfile::tempdir().unwrap();
    let never = AtomicBool::new(false);
    let part = MixturePart { worlds: vec!["arithmetic".into()], levels: vec![1], ..MixturePart::default() };
    let styles = BTreeMap::from([(Style::Terse, 1.0)]);
    let mixture = Mixture { part: vec![MixturePart { styles, ..part }], ..mixture() };
    // Whether this world runs out of action sequences or not, no trace is there twice.
    let (ended, card) = generate_traces(home.path(), &mixture, 300, &never, &mut |_| {}).unwrap();
    assert!(ended == Generated::Whole && card.traces == 300 || ended == Generated::Exhausted, "{ended:?}");
    assert_eq!(verify_traces(home.path(), &mut |_| {}).unwrap().fine, card.traces);
}
