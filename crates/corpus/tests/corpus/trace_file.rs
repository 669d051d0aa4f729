//! Traces as Parquet.

use std::fs;
use std::sync::atomic::AtomicBool;

use groundwork_corpus::{CorpusError, Generator, TraceRecord, TraceWriter, read_traces, write_expert_traces};
use groundwork_trace::{Span, SpanKind, Trace, Value};
use groundwork_worlds::{Declare, FaultKind, Split, Task};
use proptest::prelude::*;

fn generator(fault_rate: f64) -> Generator {
    Generator {
        world: "files".into(),
        split: Split::Train,
        levels: vec![1, 2],
        fault_rate,
        faults: Vec::new(),
        declare: Declare::Name,
        seed: 7,
    }
}

fn span() -> impl Strategy<Value = Span> {
    let own = prop::collection::vec((0usize..6, 0usize..6), 0..3);
    let weight = prop::option::of(0.0f32..10.0);
    let meta = prop::collection::vec((prop::sample::select(vec!["author", "x_y"]), ".*"), 0..2);
    (0usize..12, ".{6,20}", any::<bool>(), prop::option::of(".*"), own, weight, meta).prop_map(
        |(kind, body, failed, fault, own, weight, meta)| Span {
            kind: SpanKind::ALL[kind],
            body,
            failed,
            fault,
            own: own.into_iter().map(|(a, b)| a.min(b)..a.max(b)).collect(),
            weight,
            meta: meta.into_iter().map(|(name, value)| (name.to_owned(), Value::str(value))).collect(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn nothing_of_a_trace_is_lost(
        traces in prop::collection::vec(prop::collection::vec(span(), 0..5), 0..4),
        task in any::<bool>(),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.parquet");
        let fault = Some(FaultKind::Gone);
        let task = task.then(|| Task { world: "files".into(), split: Split::Test, seed: u64::MAX, level: 3, fault });
        let record = |(i, spans)| TraceRecord {
            id: format!("{i}"),
            source: "ü".into(),
            task: task.clone(),
            trace: Trace::new(spans),
        };
        let records: Vec<TraceRecord> = traces.into_iter().enumerate().map(record).collect();
        let mut writer = TraceWriter::create(&path).unwrap();
        for record in &records {
            writer.write(record.clone()).unwrap();
        }
        writer.finish().unwrap();
        prop_assert_eq!(read_traces(&path).unwrap(), records);
    }
}

#[test]
fn same_seed_same_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let [a, b, c] = ["a", "b", "c"].map(|n| dir.path().join(n));
    let mut heard = 0;
    write_expert_traces(&a, &generator(0.5), 5000, &AtomicBool::new(false), &mut |n| heard = n).unwrap();
    write_expert_traces(&b, &generator(0.5), 5000, &AtomicBool::new(false), &mut |_| ()).unwrap();
    write_expert_traces(
        &c,
        &Generator { seed: 8, ..generator(0.5) },
        5000,
        &AtomicBool::new(false),
        &mut |_| (),
    )
    .unwrap();
    assert_eq!(heard, 5000);
    let [a, b, c] = [a, b, c].map(|p| fs::read(p).unwrap());
    assert!(a == b);
    assert!(a != c);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 3, "no temporary file is left");
}

#[test]
fn faulty_and_clean_tasks_are_twins() {
    let (clean, faulty) = (generator(0.0).resolve().unwrap(), generator(0.5).resolve().unwrap());
    let mut faults = 0;
    for i in 0..400 {
        let (c, f) = (clean.task(i), faulty.task(i));
        assert_eq!(c, f.twin());
        faults += usize::from(f.fault.is_some());
        assert_eq!(f.fault.is_some(), faulty.trace(i).unwrap().spans.iter().any(|s| s.fault.is_some()));
    }
    assert!((150..250).contains(&faults), "{faults} of 400");
}

#[test]
fn traces_can_be_made_in_any_order() {
    let generator = generator(1.0).resolve().unwrap();
    let forwards: Vec<_> = (0..50).map(|i| generator.trace(i).unwrap()).collect();
    for i in (0..50).rev() {
        assert_eq!(generator.trace(i).unwrap(), forwards[i as usize]);
    }
}

#[test]
fn what_does_not_exist_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let unknown = Generator { world: "flies".into(), ..generator(0.0) };
    let error = write_expert_traces(&path, &unknown, 1, &AtomicBool::new(false), &mut |_| ()).unwrap_err();
    assert!(error.to_string().contains("did you mean `files`"), "{error}");
    let foreign = Generator { faults: vec![FaultKind::Closed], ..generator(1.0) };
    assert!(matches!(
        write_expert_traces(&path, &foreign, 1, &AtomicBool::new(false), &mut |_| ()),
        Err(CorpusError::World { .. })
    ));
    assert!(!path.exists());
    assert!(matches!(read_traces(&path), Err(CorpusError::Missing { .. })));
}
