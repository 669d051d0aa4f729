//! Every kind of source, and what each says to bad input.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use groundwork_corpus::arrow_array::{ArrayRef, RecordBatch, StringArray};
use groundwork_corpus::parquet::arrow::ArrowWriter;
use groundwork_corpus::{
    CorpusError, DataSpec, Generator, SourceSpec, TraceRecord, TraceWriter, build, write_expert_traces,
};
use groundwork_trace::{Span, SpanKind, Trace};
use groundwork_worlds::{Declare, Split};

use crate::{built, data, documents, jsonl, quick, rows, world};

/// The training text of every document of a corpus, in order.
fn texts(dir: &Path, spec: &DataSpec) -> Vec<String> {
    let (_, shards) = built(dir, spec, 1);
    let tokenizer = shards.tokenizer().unwrap();
    let mut texts = Vec::new();
    for row in rows(&shards) {
        for part in documents(&row) {
            texts.push(String::from_utf8(tokenizer.decode(&row.tokens[part])).unwrap());
        }
    }
    texts.sort();
    texts
}

fn parquet(name: &str, path: &Path) -> SourceSpec {
    SourceSpec { name: name.into(), weight: 1.0, parquet: Some(path.to_owned()), ..SourceSpec::default() }
}

fn folder(name: &str, path: &Path) -> SourceSpec {
    let folder = Some(path.to_string_lossy().into_owned());
    SourceSpec { name: name.into(), weight: 1.0, folder, ..SourceSpec::default() }
}

fn fails(source: SourceSpec) -> CorpusError {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let error = build(&data(64, 1000, vec![source]), &quick(), 1, &out, &mut |_| ()).unwrap_err();
    assert!(!out.exists() && fs::read_dir(dir.path()).unwrap().count() == 0, "a failed build leaves nothing");
    assert!(error.is_input());
    error
}

const LINES: &str = "{\"text\": \"one two three\", \"url\": \"x\"}\n\n\
    {\"spans\": [{\"kind\": \"goal\", \"body\": \"go\"}, \
    {\"kind\": \"action\", \"body\": \"f()\", \"failed\": true, \"own\": [[0, 1]], \"weight\": 0.5}]}\n\
    {\"text\": \"déjà vu\", \"weight\": 2}";

#[test]
fn jsonl_plain_and_compressed_give_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let (plain, packed) = (dir.path().join("a.jsonl"), dir.path().join("b.jsonl.zst"));
    fs::write(&plain, LINES).unwrap();
    fs::write(&packed, zstd::encode_all(LINES.as_bytes(), 3).unwrap()).unwrap();
    let tokens = 64;
    let a = texts(dir.path(), &data(64, tokens, vec![jsonl("a", 1.0, &plain)]));
    let b = texts(&dir.path().join("b"), &data(64, tokens, vec![jsonl("b", 1.0, &packed)]));
    assert_eq!(a, b);
    let expected =
        ["<|goal|>go<|action|>f()<|end|>", "<|text|>déjà vu<|end|>", "<|text|>one two three<|end|>"];
    for text in expected {
        assert!(a.iter().any(|t| t == text), "{text} is missing from {a:?}");
    }
    assert!(a.iter().all(|t| expected.contains(&t.as_str())));
}

#[test]
fn marks_and_weights_of_a_file_reach_the_rows() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    fs::write(&path, LINES).unwrap();
    let (manifest, shards) = built(dir.path(), &data(64, 64, vec![jsonl("a", 1.0, &path)]), 1);
    let action = manifest.kinds[&SpanKind::Action];
    assert!(action.failed > 0 && action.own > 0);
    // The end of the trace is of the action's kind and weight.
    assert_eq!(action.weight, 0.5 * action.tokens as f64);
    let text = manifest.kinds[&SpanKind::Text];
    assert!(text.weight > text.tokens as f64);
    let row = shards.row(0).unwrap();
    let weight = row.weight.as_ref().unwrap();
    assert!(row.documents.iter().zip(weight).all(|(d, w)| (*d == 0) == (*w == 0.0)));
}

#[test]
fn parquet_traces_are_those_of_the_world() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    let generator = Generator {
        world: "ledger".into(),
        split: Split::Train,
        levels: vec![1],
        fault_rate: 0.5,
        faults: Vec::new(),
        declare: Declare::Name,
        seed: 3,
    };
    write_expert_traces(&path, &generator, 2000, &AtomicBool::new(false), &mut |_| ()).unwrap();
    let mut direct = world("ledger", 1.0);
    direct.seed = Some(3);
    let a = texts(dir.path(), &data(256, 20_000, vec![parquet("p", &path)]));
    let b = texts(&dir.path().join("b"), &data(256, 20_000, vec![direct]));
    assert_eq!(a, b);
}

#[test]
fn a_text_column_of_any_name_is_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.parquet");
    write_column(&path, "content", &["first text", "second text"]);
    let mut source = parquet("p", &path);
    let error = fails(source.clone());
    assert!(error.to_string().contains("there are: content"), "{error}");
    source.column = Some("content".into());
    let found = texts(dir.path(), &data(64, 64, vec![source]));
    assert!(found.contains(&"<|text|>first text<|end|>".to_owned()), "{found:?}");
}

fn write_column(path: &Path, name: &str, texts: &[&str]) {
    let column: ArrayRef = Arc::new(StringArray::from(texts.to_vec()));
    let batch = RecordBatch::try_from_iter([(name, column)]).unwrap();
    let mut writer = ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_folder_is_walked_and_counts_what_it_skips() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("texts");
    fs::create_dir_all(root.join("deep/er")).unwrap();
    fs::create_dir_all(root.join(".git")).unwrap();
    fs::write(root.join("a.TXT"), "first file").unwrap();
    fs::write(root.join("deep/er/b.md"), "second file").unwrap();
    fs::write(root.join("same.txt"), "second file").unwrap();
    fs::write(root.join("blank.txt"), " \n").unwrap();
    fs::write(root.join("wrong.txt"), b"abc\xff").unwrap();
    fs::write(root.join("large.txt"), "x ".repeat(300)).unwrap();
    fs::write(root.join("code.rs"), "fn main() {}").unwrap();
    fs::write(root.join(".git/c.txt"), "hidden").unwrap();
    let mut source = folder("f", &root);
    source.max_file_bytes = Some(500);
    let (manifest, _) = built(dir.path(), &data(64, 256, vec![source.clone()]), 1);
    let counts = &manifest.sources[0];
    let s = &counts.skipped;
    assert_eq!((s.empty, s.invalid_utf8, s.too_large, s.duplicate, s.unreadable), (1, 1, 1, 1, 0));
    assert!(counts.epochs.unwrap() > 1.0, "{:?}", counts.epochs);
    let mut found = texts(&dir.path().join("b"), &data(64, 256, vec![source]));
    found.dedup();
    assert_eq!(found, ["<|text|>first file<|end|>", "<|text|>second file<|end|>"]);
}

#[test]
fn the_cargo_registry_is_a_folder() {
    let mut source = folder("code", Path::new("cargo:registry"));
    source.max_bytes = Some(100_000);
    let dir = tempfile::tempdir().unwrap();
    let (manifest, _) = built(dir.path(), &data(128, 10_000, vec![source.clone()]), 1);
    // Short files are placed whole, and a gap of a few tokens may be left.
    assert!(manifest.padding < 200, "{}", manifest.padding);
    assert!(manifest.sources[0].epochs.unwrap() > 0.0);
    let (again, _) = built(&dir.path().join("b"), &data(128, 10_000, vec![source]), 1);
    assert_eq!(manifest.shards, again.shards);
}

#[test]
fn missing_things_are_named() {
    let nowhere = Path::new("/no/such/place");
    for source in [jsonl("a", 1.0, nowhere), parquet("a", nowhere), folder("a", nowhere)] {
        let error = fails(source);
        assert!(matches!(error, CorpusError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("/no/such/place"), "{error}");
    }
    let error = fails(world("rout", 1.0));
    assert!(error.to_string().contains("did you mean `route`"), "{error}");
    let mut source = world("files", 1.0);
    source.faults = vec!["closed".into()];
    assert!(matches!(fails(source), CorpusError::World { .. }));
    let mut source = world("files", 1.0);
    source.levels = vec![1, 99];
    assert!(matches!(fails(source), CorpusError::World { .. }));
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(fails(folder("f", dir.path())), CorpusError::NoDocuments { .. }));
    assert!(matches!(fails(jsonl("f", 1.0, dir.path())), CorpusError::Missing { .. }));
}

#[test]
fn bad_records_are_named_by_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    let says = |line: &str| {
        fs::write(&path, format!("{{\"text\": \"fine\"}}\n{line}\n")).unwrap();
        fails(jsonl("a", 1.0, &path)).to_string()
    };
    let cases = [
        ("{\"text\": ", ":2:", "not a JSON object"),
        ("{\"text\": \"\"}", ":2:", "the document is empty"),
        ("{\"spans\": []}", ":2:", "the document is empty"),
        ("{\"text\": 7}", ":2:", "`text` is not a string"),
        ("{\"other\": \"x\"}", ":2:", "neither `spans` nor `text`"),
        ("{\"text\": \"x\", \"weight\": \"high\"}", ":2:", "`weight`"),
        ("{\"text\": \"x\", \"weight\": -1}", ":2:", "no weight"),
        ("{\"spans\": [{\"kind\": \"acton\", \"body\": \"x\"}]}", ":2:", "no span kind `acton`"),
        ("{\"spans\": [{\"kind\": \"goal\", \"body\": \"x\", \"own\": [[0, 2]]}]}", ":2:", "0..2"),
        ("{\"spans\": [{\"kind\": \"goal\", \"body\": \"x\", \"wieght\": 1}]}", ":2:", "wieght"),
    ];
    for (line, place, what) in cases {
        let message = says(line);
        assert!(message.contains(place) && message.contains(what), "{line}: {message}");
    }
}

#[test]
fn invalid_utf8_in_a_named_file_is_placed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    fs::write(&path, b"{\"text\": \"fine\"}\n{\"text\": \"\xff\"}\n").unwrap();
    assert!(matches!(fails(jsonl("a", 1.0, &path)), CorpusError::Utf8 { offset: 27, .. }));
}

#[test]
fn damaged_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let (table, stream) = (dir.path().join("t.parquet"), dir.path().join("t.jsonl.zst"));
    let trace = Trace::new(vec![Span::new(SpanKind::Goal, "go somewhere")]);
    let mut writer = TraceWriter::create(&table).unwrap();
    for i in 0..1000 {
        let (id, source) = (i.to_string(), "x".to_owned());
        writer.write(TraceRecord { id, source, task: None, trace: trace.clone() }).unwrap();
    }
    writer.finish().unwrap();
    let whole = fs::read(&table).unwrap();
    for length in [0, 3, 100, whole.len() / 2, whole.len() - 1] {
        fs::write(&table, &whole[..length]).unwrap();
        let error = fails(parquet("p", &table));
        assert!(matches!(error, CorpusError::Parquet { .. }), "{error}");
        assert!(error.to_string().contains("t.parquet"), "{error}");
    }
    let whole = zstd::encode_all(LINES.repeat(50).replace('}', "}\n").as_bytes(), 3).unwrap();
    let mut file = fs::File::create(&stream).unwrap();
    file.write_all(&whole[..whole.len() - 3]).unwrap();
    let error = fails(jsonl("j", 1.0, &stream));
    assert!(error.to_string().contains("t.jsonl.zst"), "{error}");
    write_column(&table, "text", &["a", ""]);
    assert!(matches!(fails(parquet("p", &table)), CorpusError::Empty { line: 2, .. }));
}

#[test]
fn fields_that_make_no_sense_are_named() {
    let path = Path::new("x.jsonl");
    let says = |change: &dyn Fn(&mut SourceSpec)| {
        let mut source = jsonl("a", 1.0, path);
        change(&mut source);
        data(64, 100, vec![source]).validate().unwrap_err().to_string()
    };
    assert!(says(&|s| s.weight = 0.0).contains("data.source[0].weight"));
    assert!(says(&|s| s.weight = f64::NAN).contains("data.source[0].weight"));
    assert!(says(&|s| s.levels = vec![1]).contains("data.source[0].levels"));
    assert!(says(&|s| s.extensions = vec!["rs".into()]).contains("data.source[0].extensions"));
    assert!(says(&|s| s.world = Some("files".into())).contains("exactly one"));
    assert!(says(&|s| s.jsonl = None).contains("exactly one"));
    assert!(says(&|s| s.name.clear()).contains("data.source[0].name"));
    assert!(says(&|s| s.max_bytes = Some(0)).contains("max_bytes"));
    let twice = data(64, 100, vec![jsonl("a", 1.0, path), jsonl("a", 1.0, path)]);
    assert!(twice.validate().unwrap_err().to_string().contains("data.source[1].name"));
    assert!(data(64, 0, vec![jsonl("a", 1.0, path)]).validate().is_err());
    assert!(data(1, 10, vec![jsonl("a", 1.0, path)]).validate().is_err());
    assert!(data(64, 10, vec![]).validate().is_err());
    let mut source = world("files", 1.0);
    source.fault_rate = Some(1.5);
    assert!(data(64, 10, vec![source]).validate().unwrap_err().to_string().contains("fault_rate"));
}
