//! The folder as a whole: the same bytes for the same recipe, appearing at once.

use std::fs;
use std::path::Path;
use std::thread;

use groundwork_corpus::{
    BuildProgress, CorpusError, CorpusStats, DataSpec, Shards, TokenizerSection, build, corpus_hash, show_row,
};

use crate::{built, data, quick, rows, world};

fn small() -> DataSpec {
    data(128, 20_000, vec![world("files", 2.0), world("ledger", 1.0)])
}

/// Names and bytes of a folder's files.
fn contents(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap())
        .map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap()))
        .collect();
    files.sort();
    files
}

#[test]
fn same_recipe_same_bytes_on_any_number_of_threads() {
    let dir = tempfile::tempdir().unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let many = rayon::ThreadPoolBuilder::new().num_threads(5).build().unwrap();
    let (a, b) = (dir.path().join("a"), dir.path().join("b"));
    one.install(|| build(&small(), &quick(), 4, &a, &mut |_| ())).unwrap();
    many.install(|| build(&small(), &quick(), 4, &b, &mut |_| ())).unwrap();
    assert!(contents(&a) == contents(&b));
    let (other, _) = built(dir.path(), &small(), 5);
    assert_ne!(other.shards, Shards::open(&a).unwrap().manifest().shards);
    let names: Vec<String> = contents(&a).into_iter().map(|f| f.0).collect();
    assert_eq!(names, ["manifest.json", "shard-00000.arrow", "tokenizer.json"]);
}

#[test]
fn a_second_build_leaves_the_first_one_alone() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("c");
    let mut reports = Vec::new();
    let first = build(&small(), &quick(), 1, &out, &mut |p| reports.push(p)).unwrap();
    assert!(
        matches!(reports.last(), Some(BuildProgress::Rows { done: 157, of: 157 })),
        "{:?}",
        reports.last()
    );
    assert!(reports.iter().any(|p| matches!(p, BuildProgress::Tokenizer(_))));
    let before = contents(&out);
    let mut calls = 0;
    let second = build(&small(), &quick(), 1, &out, &mut |_| calls += 1).unwrap();
    assert_eq!((first, calls), (second, 0));
    assert!(before == contents(&out));
    let error = build(&small(), &quick(), 2, &out, &mut |_| ()).unwrap_err();
    assert!(matches!(error, CorpusError::Occupied { .. }), "{error}");
    let file = dir.path().join("file");
    fs::write(&file, "x").unwrap();
    assert!(matches!(build(&small(), &quick(), 1, &file, &mut |_| ()), Err(CorpusError::Occupied { .. })));
}

#[test]
fn builders_may_race() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/c");
    let manifests: Vec<_> = thread::scope(|s| {
        let builders: Vec<_> =
            (0..4).map(|_| s.spawn(|| build(&small(), &quick(), 1, &out, &mut |_| ()).unwrap())).collect();
        builders.into_iter().map(|b| b.join().unwrap()).collect()
    });
    assert!(manifests.windows(2).all(|w| w[0] == w[1]));
    assert_eq!(fs::read_dir(dir.path().join("deep")).unwrap().count(), 1, "no temporary folder is left");
    assert_eq!(Shards::open(&out).unwrap().len(), 157);
}

#[test]
fn the_name_covers_what_matters() {
    let base = corpus_hash(&small(), &quick(), 1);
    assert_eq!(base, corpus_hash(&small(), &quick(), 1));
    assert_ne!(base, corpus_hash(&small(), &quick(), 2));
    assert_ne!(base, corpus_hash(&small(), &TokenizerSection { vocabulary: 513, ..quick() }, 1));
    let mut other = small();
    other.sources[0].fault_rate = Some(0.25);
    assert_ne!(base, corpus_hash(&other, &quick(), 1));
}

#[test]
fn a_given_tokenizer_is_used_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let (first, shards) = built(dir.path(), &small(), 1);
    let section = TokenizerSection { file: Some(shards.dir().join("tokenizer.json")), ..quick() };
    let out = dir.path().join("second");
    let second = build(&small(), &section, 2, &out, &mut |_| ()).unwrap();
    assert_eq!(first.tokenizer_hash, second.tokenizer_hash);
    Shards::open(&out).unwrap().check_tokenizer(&shards.tokenizer().unwrap()).unwrap();
}

#[test]
fn another_tokenizer_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_, shards) = built(dir.path(), &small(), 1);
    let other = crate::tokenizer();
    let error = shards.check_tokenizer(&other).unwrap_err();
    assert!(matches!(error, CorpusError::TokenizerMismatch { .. }) && error.is_input());
    assert!(show_row(&shards, &other, 0, false).is_err());
}

#[test]
fn rows_are_complete_and_consistent() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, shards) = built(dir.path(), &small(), 1);
    let tokenizer = shards.tokenizer().unwrap();
    let mut padding = 0;
    for row in rows(&shards) {
        assert_eq!([row.tokens.len(), row.spans.len(), row.documents.len()], [128; 3]);
        // What a prompt tells of was done by somebody else and weighs nothing; no world states another weight.
        assert!(row.weight.iter().flatten().all(|w| [0.0, 1.0].contains(w)));
        for i in 0..128 {
            let pad = row.documents[i] == 0;
            padding += u64::from(pad);
            assert_eq!(pad, row.spans[i].kind().is_none());
            assert_eq!(pad, row.tokens[i] == tokenizer.pad());
            assert_eq!(row.spans[i].marker(), tokenizer.is_special(row.tokens[i]) && !pad);
            let step = i > 0 && row.documents[i] == row.documents[i - 1] + 1;
            assert!(i == 0 || pad || step || row.documents[i] == row.documents[i - 1]);
        }
    }
    assert_eq!((padding, padding + manifest.tokens), (manifest.padding, 157 * 128));
    assert!(matches!(shards.row(157), Err(CorpusError::NoRow { row: 157, rows: 157 })));
}

#[test]
fn rows_of_all_sources_are_interleaved() {
    let dir = tempfile::tempdir().unwrap();
    let (_, shards) = built(dir.path(), &small(), 1);
    let of_second = |i: &usize| shards.sources(*i).unwrap().contains(&1);
    let half = shards.len() / 2;
    let (first, all) = ((0..half).filter(of_second).count(), (0..shards.len()).filter(of_second).count());
    assert!((first as f64 / all as f64 - 0.5).abs() < 0.15, "{first} of {all}");
}

#[test]
fn a_recipe_says_what_it_means_in_toml_order() {
    let json = serde_json::json!({
        "sequence": 256, "tokens": 1000, "source": [{"name": "a", "world": "files", "levels": [1, 2]}]
    });
    let spec: DataSpec = serde_json::from_value(json).unwrap();
    assert_eq!(spec.sources[0].weight, 1.0);
    assert_eq!(serde_json::from_str::<DataSpec>(&serde_json::to_string(&spec).unwrap()).unwrap(), spec);
    let wrong = serde_json::json!({"name": "a", "wolrd": "files"});
    assert!(serde_json::from_value::<groundwork_corpus::SourceSpec>(wrong).is_err());
}

#[test]
fn stats_and_rows_can_be_read_by_people() {
    let dir = tempfile::tempdir().unwrap();
    let (manifest, shards) = built(dir.path(), &small(), 1);
    let stats = CorpusStats::read(shards.dir()).unwrap();
    assert_eq!(stats.tokens, manifest.tokens);
    assert!(stats.bytes_per_token > 1.0);
    let text = stats.to_string();
    for word in ["files", "ledger", "endless", "observation", "157 rows"] {
        assert!(text.contains(word), "{word}: {text}");
    }
    let tokenizer = shards.tokenizer().unwrap();
    let plain = show_row(&shards, &tokenizer, 3, false).unwrap();
    let colour = show_row(&shards, &tokenizer, 3, true).unwrap();
    assert!(plain.contains("action: ") && plain.contains("‹") && !plain.contains('\x1b'), "{plain}");
    let mut stripped = colour;
    while let Some(at) = stripped.find('\x1b') {
        let end = stripped[at..].find('m').unwrap();
        stripped.replace_range(at..=at + end, "");
    }
    assert_eq!(stripped, plain, "colour says nothing that the text does not");
    let failed = (0..shards.len())
        .any(|i| show_row(&shards, &tokenizer, i, false).unwrap().contains("action: [failed]"));
    assert!(failed);
}
