//! Measures the tokeniser side by side with the `tokenizers` crate; `benches/tokenizer.sh` runs it.
//!
//! Arguments: a folder of text, megabytes to train on, megabytes to encode, rounds. Each round runs both
//! programs, in turns one first and then the other. A ratio is the other's median time over ours.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Instant;

use groundwork_corpus::{Tokenizer, TokenizerProgress, TokenizerSpec};
use rayon::prelude::*;
use tokenizers::models::TrainerWrapper;
use tokenizers::models::bpe::{BPE, BpeTrainer};
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{AddedToken, PreTokenizerWrapper, SplitDelimiterBehavior, Tokenizer as Other, Trainer};

type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

const MEGABYTE: usize = 1_000_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, train_mb, encode_mb, rounds] = &arguments[..] else {
        return Err("arguments: FOLDER MEGABYTES_TO_TRAIN MEGABYTES_TO_ENCODE ROUNDS".into());
    };
    let (train_mb, encode_mb, rounds): (usize, usize, usize) =
        (train_mb.parse()?, encode_mb.parse()?, rounds.parse()?);
    let texts = read_texts(Path::new(folder), train_mb.max(encode_mb) * MEGABYTE)?;
    let training = first(&texts, train_mb * MEGABYTE);
    let encoding = first(&texts, encode_mb * MEGABYTE);
    let threads = rayon::current_num_threads();
    println!("train on {}, encode {}, {threads} threads, {rounds} rounds", size(training), size(encoding));
    for vocabulary in [1024, 8192] {
        let (mut ours, mut theirs) = (None, None);
        let mut merging = Vec::new();
        let times = alternate(
            rounds,
            || {
                let mut counted = Instant::now();
                let spec = TokenizerSpec { vocabulary };
                ours = Some(Tokenizer::train(&spec, training, &mut |progress| {
                    if matches!(progress, TokenizerProgress::Counting { .. }) {
                        counted = Instant::now();
                    }
                })?);
                merging.push(counted.elapsed().as_secs_f64());
                Ok(())
            },
            || {
                theirs = Some(train_other(vocabulary, training)?);
                Ok(())
            },
        )?;
        report(&format!("train {vocabulary}"), bytes(training), &times);
        let (Some(ours), Some((theirs, trainer))) = (ours, theirs) else { return Err("no rounds".into()) };
        // Their trainer keeps the words it was fed: once more, for the merges alone.
        let start = Instant::now();
        trainer.train(&mut BPE::default().into())?;
        let (ours_alone, theirs_alone) = (median(merging.into_iter()), start.elapsed().as_secs_f64());
        let ratio = theirs_alone / ours_alone;
        println!(
            "  of it the merges, after counting: {ratio:.2}x ({ours_alone:.2} s; the other {theirs_alone:.2} s)"
        );
        let learnt = (272..ours.vocabulary() as u32).map(|id| written(ours.token_bytes(id)));
        let shared = learnt.filter(|token| theirs.token_to_id(token).is_some()).count();
        println!("  {shared} of {} learnt tokens are learnt by both", ours.vocabulary() - 272);
        compare_encoding(vocabulary, &ours, encoding, rounds)?;
    }
    Ok(())
}

fn compare_encoding(vocabulary: usize, ours: &Tokenizer, texts: &[String], rounds: usize) -> Result<()> {
    let path = std::env::temp_dir().join(format!("tokenizer-bench-{}.json", std::process::id()));
    ours.save(&path)?;
    let theirs = Other::from_file(&path);
    fs::remove_file(&path)?;
    let mut theirs = theirs?;
    theirs.set_encode_special_tokens(true);
    let inputs: Vec<&str> = texts.iter().map(String::as_str).collect();

    let mut tokens = 0;
    for text in &inputs {
        let mut ids = Vec::new();
        ours.encode(text, &mut ids);
        tokens += ids.len();
        if theirs.encode_fast(*text, false)?.get_ids() != ids {
            return Err("the ids differ".into());
        }
    }
    println!("  ids equal over {}: {:.3} bytes a token", size(texts), bytes(texts) as f64 / tokens as f64);

    let times = alternate(
        rounds,
        || {
            for text in &inputs {
                let mut ids = Vec::new();
                ours.encode(text, &mut ids);
                black_box(&ids);
            }
            Ok(())
        },
        || {
            for text in &inputs {
                black_box(theirs.encode_fast(*text, false)?.get_ids());
            }
            Ok(())
        },
    )?;
    report(&format!("encode {vocabulary}, one thread, against encode_fast"), bytes(texts), &times);

    let times = alternate(
        rounds,
        || {
            let all: Vec<Vec<u32>> = inputs.par_iter().map(|text| encoded(ours, text)).collect();
            black_box(&all);
            Ok(())
        },
        || {
            black_box(&theirs.encode_batch_fast(inputs.clone(), false)?);
            Ok(())
        },
    )?;
    report(&format!("encode {vocabulary}, all threads, against encode_batch_fast"), bytes(texts), &times);
    Ok(())
}

fn encoded(tokenizer: &Tokenizer, text: &str) -> Vec<u32> {
    let mut ids = Vec::new();
    tokenizer.encode(text, &mut ids);
    ids
}

/// The `tokenizers` crate's trainer with the same split and the same number of tokens.
fn train_other(vocabulary: usize, texts: &[String]) -> Result<(Other, TrainerWrapper)> {
    let bare = Tokenizer::train(&TokenizerSpec { vocabulary: TokenizerSpec::LEAST }, [""], &mut |_| {})?;
    let special = (0..16).map(|id| AddedToken::from(String::from_utf8_lossy(bare.token_bytes(id)), true));
    let split = SplitPattern::Regex(Tokenizer::SPLIT.to_owned());
    let mut other = Other::new(BPE::default());
    other.with_pre_tokenizer(Some(Sequence::new(vec![
        PreTokenizerWrapper::Split(Split::new(split, SplitDelimiterBehavior::Isolated, false)?),
        PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, false)),
    ])));
    let trainer = BpeTrainer::builder()
        .vocab_size(vocabulary)
        .min_frequency(2)
        .show_progress(false)
        .initial_alphabet(ByteLevel::alphabet().into_iter().collect())
        .special_tokens(special.collect())
        .build();
    let mut trainer = TrainerWrapper::BpeTrainer(trainer);
    other.train(&mut trainer, texts.iter())?;
    Ok((other, trainer))
}

/// A token's bytes as a vocabulary file writes them.
fn written(bytes: &[u8]) -> String {
    let printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..);
    let unprintable = |byte: u8| (0..byte).filter(|&b| !printable(b)).count() as u32;
    let char = |&byte: &u8| match printable(byte) {
        true => char::from(byte),
        false => char::from_u32(0x100 + unprintable(byte)).unwrap_or_default(),
    };
    bytes.iter().map(char).collect()
}

/// Seconds of both in each round.
fn alternate(
    rounds: usize,
    mut ours: impl FnMut() -> Result<()>,
    mut theirs: impl FnMut() -> Result<()>,
) -> Result<Vec<(f64, f64)>> {
    fn seconds(run: &mut impl FnMut() -> Result<()>) -> Result<f64> {
        let start = Instant::now();
        run()?;
        Ok(start.elapsed().as_secs_f64())
    }
    (0..rounds)
        .map(|round| {
            if round % 2 == 0 {
                let first = seconds(&mut ours)?;
                Ok((first, seconds(&mut theirs)?))
            } else {
                let first = seconds(&mut theirs)?;
                Ok((seconds(&mut ours)?, first))
            }
        })
        .collect()
}

fn report(what: &str, bytes: usize, times: &[(f64, f64)]) {
    let (ours, theirs) = (median(times.iter().map(|t| t.0)), median(times.iter().map(|t| t.1)));
    let speed = |seconds: f64| bytes as f64 / MEGABYTE as f64 / seconds;
    println!(
        "{what}: {:.2}x ({ours:.2} s, {:.0} MB/s; the other {theirs:.2} s, {:.0} MB/s)",
        theirs / ours,
        speed(ours),
        speed(theirs)
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
}

/// The `*.rs`, `*.md` and `*.toml` files of a folder, in the order of their paths, up to a number of bytes.
fn read_texts(folder: &Path, limit: usize) -> Result<Vec<String>> {
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                folders.push(path);
            } else if kind.is_file()
                && path.extension().is_some_and(|e| e == "rs" || e == "md" || e == "toml")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    let (mut texts, mut total) = (Vec::new(), 0);
    for path in files {
        if let Ok(text) = fs::read_to_string(&path) {
            total += text.len();
            texts.push(text);
            if total >= limit {
                break;
            }
        }
    }
    Ok(texts)
}

/// The first texts, of at least this many bytes together.
fn first(texts: &[String], limit: usize) -> &[String] {
    let mut total = 0;
    let enough = texts.iter().position(|text| {
        total += text.len();
        total >= limit
    });
    &texts[..enough.map_or(texts.len(), |last| last + 1)]
}

fn bytes(texts: &[String]) -> usize {
    texts.iter().map(String::len).sum()
}

fn size(texts: &[String]) -> String {
    format!("{:.1} MB in {} texts", bytes(texts) as f64 / MEGABYTE as f64, texts.len())
}
