//! Shares, packing and what is conserved.

use std::fs;

use groundwork_corpus::{CorpusError, SourceSpec, build};
use groundwork_trace::SpanKind;
use groundwork_worlds::Episode;

use crate::{built, data, documents, jsonl, quick, rows, world};

fn registry(weight: f64) -> SourceSpec {
    SourceSpec { name: "code".into(), weight, folder: Some("cargo:registry".into()), ..SourceSpec::default() }
}

fn three_worlds() -> Vec<SourceSpec> {
    let levels = |mut s: SourceSpec| {
        s.levels = vec![1, 2];
        s
    };
    vec![levels(world("files", 0.5)), levels(world("route", 0.3)), levels(world("ledger", 0.2))]
}

#[test]
fn shares_are_true_after_packing() {
    let dir = tempfile::tempdir().unwrap();
    let mut sources = three_worlds();
    sources.push(registry(0.111));
    let (manifest, shards) = built(dir.path(), &data(256, 500_000, sources), 1);
    let mut counted = vec![0u64; 4];
    for (i, row) in rows(&shards).iter().enumerate() {
        for (part, source) in documents(row).into_iter().zip(shards.sources(i).unwrap()) {
            counted[usize::from(*source)] += part.len() as u64;
        }
    }
    for (source, counted) in manifest.sources.iter().zip(counted) {
        assert!((source.share - source.share_asked).abs() < 0.001, "{source:?}");
        assert_eq!(source.tokens, counted, "the manifest agrees with the rows");
    }
    assert!(manifest.padding_share < 0.01, "{}", manifest.padding_share);
    assert_eq!(manifest.rows, 1954);
}

#[test]
fn traces_alone_leave_less_than_three_percent_of_padding() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, shards) = built(dir.path(), &data(256, 500_000, three_worlds()), 1);
    assert!(manifest.padding_share < 0.03, "{}", manifest.padding_share);
    assert!(rows(&shards).iter().all(|r| r.documents[0] == 1), "no row is empty");
}

#[test]
fn traces_are_whole_and_texts_go_on_where_they_were_cut() {
    let dir = tempfile::tempdir().unwrap();
    let long: String = (0..4000).map(|i| format!("word{i} ")).collect();
    let path = dir.path().join("long.jsonl");
    fs::write(&path, format!("{{\"text\": \"{long}\"}}\n")).unwrap();
    let mut sources = three_worlds();
    sources.push(jsonl("text", 0.2, &path));
    let (manifest, shards) = built(dir.path(), &data(256, 40_000, sources), 5);
    let tokenizer = shards.tokenizer().unwrap();
    let mut pieces = Vec::new();
    for row in rows(&shards) {
        for part in documents(&row) {
            let (tokens, tags) = (&row.tokens[part.clone()], &row.spans[part]);
            if tags[0].kind() == Some(SpanKind::Text) {
                pieces.push(tokenizer.decode(tokens));
            } else {
                assert!(tokenizer.marker_kind(tokens[0]).is_some());
                assert_eq!(tokens.last(), Some(&tokenizer.end()));
                assert_eq!(tokens.iter().filter(|t| **t == tokenizer.end()).count(), 1);
            }
        }
    }
    // Every piece is a part of the text as it was encoded, and together they make it up from its start.
    let whole = format!("<|text|>{long}<|end|>");
    let source = &manifest.sources[3];
    let total: usize = pieces.iter().map(Vec::len).sum();
    assert_eq!(source.pieces as usize, pieces.len());
    assert!(pieces.iter().all(|p| whole.contains(std::str::from_utf8(p).unwrap())));
    assert!(source.documents >= 1 && total as u64 > source.bytes);
    assert_eq!(manifest.cropped, source.cropped);
}

#[test]
fn a_finite_source_is_repeated_and_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let line = |i| format!("{{\"text\": \"document number {i} of ten\"}}\n");
    fs::write(&path, (0..10).map(line).collect::<String>()).unwrap();
    let (manifest, _) =
        built(dir.path(), &data(64, 20_000, vec![jsonl("a", 1.0, &path), world("route", 1.0)]), 1);
    let (finite, endless) = (&manifest.sources[0], &manifest.sources[1]);
    assert_eq!(finite.epochs.map(|e| e.floor() as u64), Some(finite.documents / 10));
    assert_eq!(endless.epochs, None);
    assert!((finite.share - 0.5).abs() < 0.002, "{}", finite.share);
}

#[test]
fn traces_longer_than_a_row_are_skipped_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let mut source = world("files", 1.0);
    source.levels = vec![1, 2, 3, 4];
    let (manifest, shards) = built(dir.path(), &data(96, 30_000, vec![source.clone()]), 1);
    let skipped = &manifest.sources[0].skipped;
    assert!(skipped.too_long > 0 && skipped.too_long_tokens > 96 * skipped.too_long);
    let tokenizer = shards.tokenizer().unwrap();
    for row in rows(&shards) {
        assert!(documents(&row).into_iter().all(|d| row.tokens[d.end - 1] == tokenizer.end()));
    }
    let out = dir.path().join("none");
    let error = build(&data(16, 1000, vec![source]), &quick(), 1, &out, &mut |_| ()).unwrap_err();
    assert!(matches!(error, CorpusError::NoDocuments { .. }), "{error}");
    assert!(error.to_string().contains("data.sequence"), "{error}");
}

#[test]
fn baseline_and_candidate_are_made_of_the_same_tasks() {
    // A bet on faults: the arms differ in names, weights' scale and fault rate, and share the tokeniser.
    let dir = tempfile::tempdir().unwrap();
    let mut section = quick();
    section.sources = vec![world("files", 1.0)];
    let goals = |fault_rate: f64, name: &str| {
        let mut source = world("files", 3.0 * fault_rate + 1.0);
        source.name = name.to_owned();
        source.fault_rate = Some(fault_rate);
        source.faults = vec!["gone".into()];
        let out = dir.path().join(name);
        let manifest = build(&data(256, 100_000, vec![source]), &section, 9, &out, &mut |_| ()).unwrap();
        let shards = groundwork_corpus::Shards::open(&out).unwrap();
        let tokenizer = shards.tokenizer().unwrap();
        let mut goals = Vec::new();
        for row in rows(&shards) {
            for part in documents(&row) {
                let text = String::from_utf8(tokenizer.decode(&row.tokens[part])).unwrap();
                let goal = text.split_once("<|goal|>").unwrap().1.split("<|").next().unwrap();
                goals.push(goal.to_owned());
            }
        }
        goals.sort();
        (goals, manifest.tokenizer_hash)
    };
    let ((clean, a), (faulty, b)) = (goals(0.0, "clean"), goals(1.0, "faulty"));
    assert_eq!(a, b);
    assert!(faulty.len() < clean.len(), "faulty traces are longer");
    let missing = faulty.iter().filter(|g| !clean.contains(g)).count();
    assert!(missing <= 2, "{missing} of {} tasks have no twin", faulty.len());
}

#[test]
fn expert_traces_have_the_tasks_of_the_training_split() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, _) = built(dir.path(), &data(256, 5_000, vec![world("files", 1.0)]), 1);
    assert!(manifest.kinds[&SpanKind::Action].failed > 0);
    assert!(manifest.kinds[&SpanKind::Observation].own > 0);
    let task = groundwork_worlds::Task {
        world: "files".into(),
        split: groundwork_worlds::Split::Train,
        seed: 1,
        level: 1,
        fault: None,
    };
    assert!(Episode::new(&task).is_ok());
}
