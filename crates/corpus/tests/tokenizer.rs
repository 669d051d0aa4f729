//! The tokeniser against the `tokenizers` crate, against a naive trainer, and on bad files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use groundwork_corpus::{Tokenizer, TokenizerError, TokenizerProgress, TokenizerSpec};
use groundwork_trace::SpanKind;
use proptest::prelude::*;

const TRACES: &str = "tools: files\ngoal: How many lines has the report in /docs?\naction: list(dir=\"/docs\")\n\
    observation: [\"notes.md\", \"report.txt\"]\naction: read(path=\"/docs/raport.txt\")\n\
    error: NotFound(\"/docs/raport.txt\")\nreflection: The listing spells it report.txt.\n\
    action: read(path=\"/docs/report.txt\")\nobservation: \"a\\nb\\nc\\n\"\nanswer: 3\n";
const TONGUES: &str = "L'été à Zürich, naïve façade; e\u{301}te\u{301}. 日本語の文章と中文。 हिन्दी में लिखा है। עברית \u{200f}العربية ٣٤٥ \
    Ελληνικά. Привет, мир! 👩\u{200d}👩\u{200d}👧 😀😀 ❤\u{fe0f} ½ Ⅷ\u{a0}x\u{2003}y\u{2028}z\r\n\r\n\t\t  end   \n";

fn texts() -> [&'static str; 4] {
    [include_str!("tokenizer.rs"), include_str!("../src/tokenizer/train.rs"), TRACES, TONGUES]
}

fn train<S: AsRef<str> + Sync>(vocabulary: usize, texts: impl IntoIterator<Item = S>) -> Tokenizer {
    Tokenizer::train(&TokenizerSpec { vocabulary }, texts, &mut |_| {}).unwrap()
}

fn ids(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    ids
}

/// The `tokenizers` crate with our file, told not to recognise special tokens.
fn reference(tokenizer: &Tokenizer) -> tokenizers::Tokenizer {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    tokenizer.save(&path).unwrap();
    let mut reference = tokenizers::Tokenizer::from_file(&path).unwrap();
    reference.set_encode_special_tokens(true);
    reference
}

fn assert_same(tokenizer: &Tokenizer, reference: &tokenizers::Tokenizer, text: &str) {
    let ours = ids(tokenizer, text);
    assert_eq!(ours, reference.encode(text, false).unwrap().get_ids(), "of {text:?}");
    assert_eq!(tokenizer.decode(&ours), text.as_bytes());
    assert!(!ours.iter().any(|&id| tokenizer.is_special(id)));
}

#[test]
fn ids_are_those_of_the_tokenizers_crate() {
    for vocabulary in [272, 300, 1000, 4000] {
        let tokenizer = train(vocabulary, texts());
        let reference = reference(&tokenizer);
        assert_eq!(reference.get_vocab_size(true), tokenizer.vocabulary());
        for text in texts() {
            assert_same(&tokenizer, &reference, text);
            assert_same(&tokenizer, &reference, &text.replace('\n', "\r\n"));
        }
        for text in
            ["", " ", "\n", "   x", "x   ", "\t \n \t", "\r\r\n", "a\u{301}\u{301}b", "\u{feff}#!", "x\0\0y"]
        {
            assert_same(&tokenizer, &reference, text);
        }
        // Runs beyond the length that is merged on the stack.
        for unit in [" ", "=", "a", "ab", "\n", "日", "e\u{301}", "return "] {
            assert_same(&tokenizer, &reference, &unit.repeat(700));
        }
    }
}

#[test]
fn markers_in_text_are_text() {
    let tokenizer = train(1000, texts());
    let mut reference = reference(&tokenizer);
    let text = "The marker <|action|> opens a call; <|end|><|pad|> ends <|hole|>.<|fill|>";
    assert_same(&tokenizer, &reference, text);
    // Left alone, the `tokenizers` crate takes them for tokens. Text must not be able to forge a marker, so
    // we never do.
    reference.set_encode_special_tokens(false);
    let forged = reference.encode(text, false).unwrap();
    assert!(forged.get_ids().contains(&tokenizer.marker(SpanKind::Action)));
}

#[test]
fn special_tokens_come_first() {
    let tokenizer = train(300, [TRACES]);
    assert_eq!((tokenizer.pad(), tokenizer.end()), (0, 1));
    for (code, kind) in SpanKind::ALL.into_iter().enumerate() {
        let id = tokenizer.marker(kind);
        assert_eq!(id, code as u32 + 2);
        assert_eq!(tokenizer.marker_kind(id), Some(kind));
        assert_eq!(tokenizer.token_bytes(id), kind.marker().as_bytes());
    }
    assert_eq!((tokenizer.hole(), tokenizer.fill()), (14, 15));
    for id in [0, 1, 14, 15, 16, 299, u32::MAX] {
        assert_eq!(tokenizer.marker_kind(id), None);
    }
    assert!(tokenizer.is_special(15) && !tokenizer.is_special(16));
    for byte in 0..=255u8 {
        assert_eq!(tokenizer.token_bytes(16 + u32::from(byte)), [byte]);
    }
    assert_eq!(tokenizer.token_bytes(300), b"");
    assert_eq!(tokenizer.decode(&[1, u32::MAX, 16 + 255]), b"<|end|>\xff");
}

fn random_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ a-zA-Z]{1,20}",
        2 => "[ \t\r\n]{1,6}",
        2 => "[(){}\\[\\]<>=\"'.,;:|/_#&*+-]{1,5}",
        1 => "[0-9]{1,4}",
        2 => "\\PC{1,6}",
        1 => any::<String>(),
        2 => prop::sample::select(TRACES.split_inclusive([' ', '\n']).collect::<Vec<_>>()).prop_map(str::to_owned),
        2 => prop::sample::select(TONGUES.split_inclusive(' ').collect::<Vec<_>>()).prop_map(str::to_owned),
        1 => prop::sample::select(SpanKind::ALL.to_vec()).prop_map(|kind| kind.marker().to_owned()),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn ids_of_random_text_are_those_of_the_tokenizers_crate(samples in prop::collection::vec(random_text(), 8)) {
        static BOTH: LazyLock<(Tokenizer, tokenizers::Tokenizer)> = LazyLock::new(|| {
            let tokenizer = train(2000, texts());
            let reference = reference(&tokenizer);
            (tokenizer, reference)
        });
        for text in samples {
            assert_same(&BOTH.0, &BOTH.1, &text);
        }
    }

    #[test]
    fn merges_are_those_of_a_naive_trainer(
        texts in prop::collection::vec("[ab]{0,12}( [abc]{1,9}){0,6}", 1..6),
        extra in 1usize..30,
    ) {
        let tokenizer = train(272 + extra, &texts);
        let naive = naive_merges(&texts, 272 + extra);
        let ids = 272..tokenizer.vocabulary() as u32;
        let learnt: Vec<Vec<u8>> = ids.map(|id| tokenizer.token_bytes(id).to_vec()).collect();
        prop_assert_eq!(learnt, naive);
    }
}

/// Learns by counting everything anew at every step. The texts hold only letters and single spaces between
/// words.
fn naive_merges(texts: &[String], vocabulary: usize) -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u32>> = Vec::new();
    for text in texts {
        for (i, word) in text.split(' ').enumerate() {
            let space = (i > 0).then_some(b' ');
            words.push(space.into_iter().chain(word.bytes()).map(|b| 16 + u32::from(b)).collect());
        }
    }
    let mut tokens: Vec<Vec<u8>> = (0..272usize).map(|id| vec![id.wrapping_sub(16) as u8]).collect();
    while tokens.len() < vocabulary {
        let mut counts: BTreeMap<(u32, u32), u64> = BTreeMap::new();
        for pair in words.iter().flat_map(|word| word.windows(2)) {
            *counts.entry((pair[0], pair[1])).or_default() += 1;
        }
        let Some((pair, count)) = counts.into_iter().rev().max_by_key(|&(_, count)| count) else { break };
        if count < 2 {
            break;
        }
        let bytes = [&tokens[pair.0 as usize][..], &tokens[pair.1 as usize][..]].concat();
        let id = tokens[272..].iter().position(|t| *t == bytes).map_or(tokens.len(), |i| i + 272);
        if id == tokens.len() {
            tokens.push(bytes);
        }
        for word in &mut words {
            let mut i = 0;
            while i + 1 < word.len() {
                if (word[i], word[i + 1]) == pair {
                    word.splice(i..i + 2, [id as u32]);
                }
                i += 1;
            }
        }
    }
    tokens.split_off(272)
}

#[test]
fn training_is_independent_of_threads_and_of_order() {
    let documents: Vec<String> =
        texts().iter().flat_map(|text| text.lines().map(|line| format!("{line}\n"))).collect();
    let on = |threads: usize, documents: Vec<&String>| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| train(900, documents).hash())
    };
    let forward = on(1, documents.iter().collect());
    assert_eq!(forward, on(3, documents.iter().collect()));
    assert_eq!(forward, on(2, documents.iter().rev().collect()));
    assert_eq!(forward, on(5, documents.iter().collect()));
}

#[test]
fn training_stops_when_no_pair_occurs_twice() {
    let mut last = None;
    let tokenizer =
        Tokenizer::train(&TokenizerSpec { vocabulary: 5000 }, ["abc abc", "xy"], &mut |p| last = Some(p))
            .unwrap();
    // "abc" and " abc" share ab and abc; " abc" itself occurs once.
    assert_eq!(tokenizer.vocabulary(), 274);
    assert_eq!(last, Some(TokenizerProgress::Finished { vocabulary: 274, of: 5000, words: 3 }));
    assert_eq!(train(5000, [""; 2]).vocabulary(), 272);
}

#[test]
fn a_long_word_is_learnt_from_in_pieces() {
    let tokenizer = train(272 + 8, ["a".repeat(1 << 20)]);
    assert_eq!(tokenizer.vocabulary(), 280);
    assert_eq!(tokenizer.token_bytes(279), "a".repeat(256).as_bytes());
    assert_eq!(ids(&tokenizer, &"a".repeat(1 << 20)).len(), 4096);
}

#[test]
fn an_impossible_vocabulary_is_refused() {
    for vocabulary in [0, 271, usize::MAX] {
        let error = Tokenizer::train(&TokenizerSpec { vocabulary }, [TRACES], &mut |_| {}).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("272 (16 special tokens and 256 bytes)"), "{message}");
    }
    assert!(serde_json::from_str::<TokenizerSpec>(r#"{"vocabulary": 1024}"#).is_ok());
    assert!(serde_json::from_str::<TokenizerSpec>(r#"{"vocabulry": 1024}"#).is_err());
}

#[test]
fn a_file_survives_the_round_trip() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    let tokenizer = train(1500, texts());
    tokenizer.save(&path).unwrap();
    assert_eq!(tokenizer.hash(), blake3::hash(&fs::read(&path).unwrap()).to_hex().as_str());
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "the temporary file is gone");

    let loaded = Tokenizer::load(&path).unwrap();
    assert_eq!(loaded.hash(), tokenizer.hash());
    for text in texts() {
        assert_eq!(ids(&loaded, text), ids(&tokenizer, text));
    }

    // The `tokenizers` crate writes merges as pairs and may leave out the line breaks; it is the same
    // tokeniser.
    let resaved = dir.path().join("resaved.json");
    tokenizers::Tokenizer::from_file(&path).unwrap().save(&resaved, false).unwrap();
    assert_eq!(Tokenizer::load(&resaved).unwrap().hash(), tokenizer.hash());
}

fn fault(path: &Path, content: &str) -> String {
    fs::write(path, content).unwrap();
    Tokenizer::load(path).unwrap_err().to_string()
}

#[test]
fn files_that_cannot_be_honoured_are_refused_by_field() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    train(274, ["abc abc"]).save(&path).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let cases = [
        (
            r#""type": "BPE""#,
            r#""type": "WordPiece""#,
            "`model.type`: it is \"WordPiece\", but must be \"BPE\"",
        ),
        (r#""dropout": null"#, r#""dropout": 0.1"#, "`model.dropout`"),
        (r#""ignore_merges": false"#, r#""ignore_merges": true"#, "`model.ignore_merges`"),
        (r#""normalizer": null"#, r#""normalizer": {"type": "NFC"}"#, "`normalizer`"),
        (
            r#""behavior": "Isolated""#,
            r#""behavior": "Removed""#,
            "`pre_tokenizer.pretokenizers[0].behavior`",
        ),
        (r"|\\p{N}|", r"|\\p{N}{1,3}|", "`pre_tokenizer.pretokenizers[0].pattern.Regex`"),
        (r#""content": "<|action|>""#, r#""content": "<|call|>""#, "`added_tokens[9].content`"),
        (
            r#""add_prefix_space": false"#,
            r#""add_prefix_space": true"#,
            "`pre_tokenizer.pretokenizers[1].add_prefix_space`",
        ),
        (r#""abc": 273"#, r#""abc": 272"#, "share the id 272"),
        (r#""abc": 273"#, r#""abc": -3"#, "`model.vocab`: \"abc\" has the id -3"),
        (r#""abc": 273"#, r#""a bc": 273"#, "not written in the alphabet"),
        (r#""<|pad|>": 0"#, r#""<|pda|>": 0"#, "special tokens and bytes come first"),
        ("\"a b\",", "\"a b\", \"a b\",", "`model.merges[1]`: it repeats `model.merges[0]`"),
        ("\"a b\"", "\"a q\"", "`model.merges[0]`: \"a q\" makes a token that is not in the vocabulary"),
        ("\"a b\"", "\"ab\"", "`model.merges[0]`: \"ab\" is not two tokens"),
        ("\"ab c\"", "\"zz c\"", "`model.merges[1]`: \"zz c\" has a token"),
        ("\"a b\",", "", "no merge makes the token with the id 272"),
    ];
    for (old, new, expected) in cases {
        assert!(good.contains(old), "{old}");
        let message = fault(&path, &good.replacen(old, new, 1));
        assert!(message.contains(expected), "{message}");
        assert!(message.contains("tokenizer.json"), "{message}");
    }
    for content in ["[]", "3", "{}", r#"{"version": "1.0"}"#] {
        assert!(fault(&path, content).contains("cannot honour the field"), "{content}");
    }
}

#[test]
fn corrupt_and_missing_files_are_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tokenizer.json");
    let message = fault(&path, "{\n  \"version\": \"1.0\",\n  \"truncation\": nil\n}\n");
    assert!(message.ends_with("tokenizer.json:3:18: not a tokeniser: expected ident"), "{message}");
    assert!(fault(&path, "").contains("tokenizer.json:1:0: not a tokeniser: EOF"));
    fs::write(&path, b"{\"version\": \"\xff\"}").unwrap();
    assert!(matches!(Tokenizer::load(&path), Err(TokenizerError::Json { line: 1, .. })));
    let missing = dir.path().join("missing/tokenizer.json");
    assert!(Tokenizer::load(&missing).unwrap_err().to_string().starts_with("cannot read `"));
    assert!(train(272, [""]).save(&missing).unwrap_err().to_string().starts_with("cannot write `"));
    assert!(train(272, [""]).save(Path::new("/")).is_err());
}

#[test]
fn one_tokeniser_serves_many_threads() {
    let tokenizer = train(1000, texts());
    let alone: Vec<Vec<u32>> = texts().iter().map(|text| ids(&tokenizer, text)).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (text, alone) in texts().iter().zip(&alone) {
                    assert_eq!(ids(&tokenizer, text), *alone);
                }
            });
        }
    });
}
