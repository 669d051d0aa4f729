//! Whole training steps (forward, backward, AdamW) on given weights and batches, for `benches/train_step`.
//!
//! `train_step make SIZE FOLDER` writes `shape.json`, `weights.safetensors` and `tokens.i32`, a little-endian
//! `[batches, batch, sequence + 1]`. `train_step run FOLDER STEPS [bf16]` trains on them and prints, as JSON, the losses, the
//! seconds of each step and the peak memory in bytes. `train_step decode FOLDER BATCH TOKENS` lets the same weights
//! write greedily, one prompt token a row, and prints the tokens and the seconds of each step.

use std::fs;
use std::path::Path;
use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};
use groundwork_kernels::{self as kernels, Precision};
use groundwork_model::{Activation, Decoder, ModelConfig, ModelSpec, read_tensors, tensor_bytes};
use groundwork_train::{Optimizer, OptimizerKind, OptimizerSpec, ParameterGradients, Rates, peak_memory};
use serde::{Deserialize, Serialize};

// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const BATCHES: usize = 8;

#[derive(Serialize, Deserialize)]
struct Shape {
    model: ModelConfig,
    sequence: usize,
    batch: usize,
}

/// The sizes of `benches/train_step`: width, layers, heads, feed-forward width, vocabulary, sequence, batch.
fn shape(size: &str) -> Option<Shape> {
    let [d_model, layers, heads, d_ff, vocabulary, sequence, batch] = match size {
        "XS" => [96, 3, 3, 256, 512, 256, 8],
        "S" => [192, 6, 6, 512, 4096, 256, 16],
        "M" => [512, 8, 8, 1408, 4096, 512, 8],
        "L" => [768, 12, 12, 2048, 50_304, 1024, 2],
        _ => return None,
    };
    let spec = ModelSpec {
        size: "1M".into(),
        d_model: Some(d_model),
        layers: Some(layers),
        head_dim: Some(d_model / heads),
        activation: Activation::Swiglu,
        ..ModelSpec::default()
    };
    let model = ModelConfig { d_ff, ..spec.resolve(vocabulary).expect("a shape") };
    Some(Shape { model, sequence, batch })
}

fn make(shape: &Shape, folder: &Path) {
    let decoder = Decoder::new(&shape.model, 1, &Device::flex());
    let mut weights = decoder.weights();
    // What starts at zero would leave whole layers out of the first steps.
    for (name, (values, _)) in &mut weights {
        if values.iter().all(|&v| v == 0.0) {
            let mut state = name.len() as u64;
            values.fill_with(|| (next(&mut state) as f32 / u64::MAX as f32 - 0.5) * 0.1);
        }
    }
    fs::create_dir_all(folder).expect("the folder");
    fs::write(folder.join("weights.safetensors"), tensor_bytes(&weights)).expect("the weights");
    fs::write(folder.join("shape.json"), serde_json::to_vec_pretty(shape).expect("json")).expect("the shape");
    let vocabulary = shape.model.vocabulary as u64;
    let (mut state, mut token) = (1, 0);
    let mut bytes = Vec::new();
    for _ in 0..BATCHES * shape.batch * (shape.sequence + 1) {
        // Every other token follows from the one before, so that there is something to learn.
        let random = next(&mut state);
        token =
            if random.is_multiple_of(2) { (7 * token + 3) % vocabulary } else { (random >> 8) % vocabulary };
        bytes.extend((token as i32).to_le_bytes());
    }
    fs::write(folder.join("tokens.i32"), bytes).expect("the tokens");
}

/// splitmix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn load(folder: &Path, device: &Device, precision: Precision) -> (Shape, Decoder) {
    let mut shape: Shape =
        serde_json::from_slice(&fs::read(folder.join("shape.json")).expect("the shape")).expect("json");
    shape.model.precision = precision;
    let file = folder.join("weights.safetensors");
    let weights = read_tensors(&file).expect("the weights");
    let decoder = Decoder::with_weights(&shape.model, &weights, &file, device).expect("the weights fit");
    (shape, decoder)
}

fn decode(folder: &Path, batch: usize, tokens: usize) {
    let (shape, decoder) = load(folder, &Device::flex(), Precision::F32);
    let vocabulary = shape.model.vocabulary;
    let mut rows: Vec<Vec<u32>> = (0..batch).map(|row| vec![(row * 7 % vocabulary) as u32]).collect();
    let mut cache = decoder.cache(batch);
    let mut seconds = Vec::new();
    for at in 0..tokens {
        let start = Instant::now();
        let last: Vec<(usize, &[u32])> = rows.iter().map(|row| &row[at..=at]).enumerate().collect();
        let logits = decoder.step(&last, &mut cache).try_into_vec_as::<f32>().expect("logits are floats");
        for (row, logits) in rows.iter_mut().zip(logits.chunks_exact(vocabulary)) {
            let best = (0..vocabulary).fold(0, |best, t| if logits[t] > logits[best] { t } else { best });
            row.push(best as u32);
        }
        seconds.push(start.elapsed().as_secs_f64());
    }
    println!("{}", serde_json::json!({ "tokens": rows, "seconds": seconds, "peak_bytes": peak_memory() }));
}

fn run(folder: &Path, steps: usize, precision: Precision) {
    let device = Device::flex().autodiff();
    let (shape, mut decoder) = load(folder, &device, precision);
    let tokens: Vec<i64> = fs::read(folder.join("tokens.i32"))
        .expect("the tokens")
        .chunks_exact(4)
        .map(|b| i64::from(i32::from_le_bytes([b[0], b[1], b[2], b[3]])))
        .collect();
    let spec = OptimizerSpec {
        kind: OptimizerKind::Adamw,
        learning_rate: 1e-3,
        embedding_learning_rate: 1e-3,
        head_learning_rate: 1e-3,
        gain_learning_rate: 1e-3,
        ..OptimizerSpec::default()
    };
    let mut optimizer = Optimizer::new(&spec, &mut decoder);
    let Shape { model, sequence, batch } = shape;
    let n = batch * sequence;
    let (mut losses, mut seconds) = (Vec::new(), Vec::new());
    for step in 0..steps {
        let rows: Vec<&[i64]> =
            tokens.chunks_exact(sequence + 1).skip(step % BATCHES * batch).take(batch).collect();
        let start = Instant::now();
        let part = |from: usize| rows.iter().flat_map(|row| &row[from..from + sequence]).copied().collect();
        let inputs = Tensor::<2, Int>::from_data(TensorData::new(part(0), [batch, sequence]), &device);
        let targets = Tensor::<1, Int>::from_data(TensorData::new(part(1), [n]), &device);
        let weights = Tensor::<1>::full([n], 1.0 / n as f64, &device);
        let hidden = decoder.hidden(inputs, None).reshape([n, model.d_model]);
        let (sum, _) =
            kernels::linear_cross_entropy(hidden, decoder.head(), targets, weights, model.precision);
        let mut gradients = sum.backward();
        losses.push(sum.into_scalar::<f32>());
        let gradients = ParameterGradients::take(&mut decoder, &mut gradients);
        optimizer.step(&mut decoder, gradients, Rates { factor: 1.0, gradient_scale: 1.0 });
        seconds.push(start.elapsed().as_secs_f64());
    }
    let out = serde_json::json!({ "losses": losses, "seconds": seconds, "peak_bytes": peak_memory() });
    println!("{out}");
}

fn main() {
    groundwork_train::keep_freed_memory();
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["make", size, folder] if shape(size).is_some() => {
            make(&shape(size).expect("just seen"), Path::new(folder))
        }
        ["run", folder, steps] if steps.parse::<usize>().is_ok() => {
            run(Path::new(folder), steps.parse().expect("just seen"), Precision::F32);
        }
        ["run", folder, steps, "bf16"] if steps.parse::<usize>().is_ok() => {
            run(Path::new(folder), steps.parse().expect("just seen"), Precision::Bf16);
        }
        ["decode", folder, batch, tokens] if [batch, tokens].iter().all(|n| n.parse::<usize>().is_ok()) => {
            decode(Path::new(folder), batch.parse().expect("just seen"), tokens.parse().expect("just seen"));
        }
        _ => {
            eprintln!(
                "usage: train_step make XS|S|M|L FOLDER\n       train_step run FOLDER STEPS [bf16]\n       \
                 train_step decode FOLDER BATCH TOKENS"
            );
            std::process::exit(2);
        }
    }
}
