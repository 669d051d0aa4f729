//! Where the time of a training step goes: each operation, forward and backward, against what this machine can do.
//!
//! `cargo run --release -p groundwork-kernels --example profile [SIZES] [ROUNDS]`, sizes of `benches/train_step` (XS,S,M), with
//! `RAYON_NUM_THREADS` set to the number of threads of interest. A step is the operation as often as a step of the model has it.
//! Rates count the operations and the numbers that the operation cannot do without: what it computes again, or reads twice, is its
//! own affair. Peaks are measured: products of 1024 × 1024, and a sum of two vectors too large for the caches.

use std::time::Instant;

use burn::tensor::{Device, Int, Tensor};
use groundwork_kernels::{self as fused, Precision};
use rayon::prelude::*;

#[path = "timing/mod.rs"]
mod timing;

use timing::{median, random, repeats};

// The program's allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A shape of `benches/train_step`.
#[derive(Clone, Copy)]
struct Size {
    name: &'static str,
    d: usize,
    layers: usize,
    heads: usize,
    feed_forward: usize,
    vocabulary: usize,
    sequence: usize,
    batch: usize,
}

const SIZES: [Size; 3] = [
    Size {
        name: "XS",
        d: 96,
        layers: 3,
        heads: 3,
        feed_forward: 256,
        vocabulary: 512,
        sequence: 256,
        batch: 8,
    },
    Size {
        name: "S",
        d: 192,
        layers: 6,
        heads: 6,
        feed_forward: 512,
        vocabulary: 4096,
        sequence: 256,
        batch: 16,
    },
    Size {
        name: "M",
        d: 512,
        layers: 8,
        heads: 8,
        feed_forward: 1408,
        vocabulary: 4096,
        sequence: 512,
        batch: 8,
    },
];

/// What the machine can do with the threads at hand, a second.
struct Peaks {
    f32_flops: f64,
    bf16_flops: f64,
    bytes: f64,
}

fn main() {
    fused::keep_freed_memory();
    let mut args = std::env::args().skip(1);
    let sizes = args.next().unwrap_or_else(|| "XS,S,M".into());
    let rounds = args.next().and_then(|n| n.parse().ok()).unwrap_or(5);
    let peaks = peaks(rounds);
    println!(
        "{} threads: products {:.0} GFLOP/s in f32, {:.0} in bf16; memory {:.1} GB/s",
        rayon::current_num_threads(),
        peaks.f32_flops / 1e9,
        peaks.bf16_flops / 1e9,
        peaks.bytes / 1e9
    );
    for size in SIZES.iter().filter(|s| sizes.split(',').any(|name| name == s.name)) {
        step(size, rounds, &peaks);
    }
    println!("\nattention alone, causal, 8 heads of 64, forward and backward, against the f32 product rate:");
    for sequence in [512, 2048] {
        let run = attention(4096 / sequence, sequence, 8, 64);
        let seconds = seconds(rounds, &run.work);
        println!("  length {sequence:>4}: {:>5.1} %", 100.0 * run.flops / seconds / peaks.f32_flops);
    }
}

fn peaks(rounds: usize) -> Peaks {
    let square = || random([1024, 1024], 1, &Device::flex().autodiff()).inner();
    let rate = |precision| {
        let (a, b) = (square(), square());
        2.0 * 1024f64.powi(3)
            / seconds(rounds, &|| drop(fused::linear(a.clone(), b.clone(), None, precision)))
    };
    const NUMBERS: usize = 1 << 24;
    let (a, b, mut c) = (vec![1f32; NUMBERS], vec![2f32; NUMBERS], vec![0f32; NUMBERS]);
    let part = NUMBERS / rayon::current_num_threads();
    let mut times = Vec::new();
    for _ in 0..rounds {
        let start = Instant::now();
        c.par_chunks_mut(part).zip(a.par_chunks(part)).zip(b.par_chunks(part)).for_each(|((c, a), b)| {
            c.iter_mut().zip(a).zip(b).for_each(|((c, a), b)| *c = a + b);
        });
        times.push(start.elapsed().as_secs_f64());
    }
    std::hint::black_box(&c);
    Peaks {
        f32_flops: rate(Precision::F32),
        bf16_flops: rate(Precision::Bf16),
        bytes: 12.0 * NUMBERS as f64 / median(times),
    }
}

/// An operation, and what it cannot do without.
struct Run {
    work: Box<dyn Fn()>,
    flops: f64,
    /// Numbers read and written.
    numbers: f64,
}

fn step(size: &Size, rounds: usize, peaks: &Peaks) {
    let Size { d, layers, heads, feed_forward, vocabulary, sequence, batch, .. } = *size;
    let rows = batch * sequence;
    let layer = layers as f64;
    let f32 = Precision::F32;
    let mut table: Vec<(&str, f64, f64, f64, f64)> = Vec::new();
    let mut add = |name, times: f64, peak: f64, run: Run| {
        table.push((name, times * seconds(rounds, &run.work), times * run.flops, times * run.numbers, peak));
    };
    for (precision, peak, name) in
        [(f32, peaks.f32_flops, "linear, f32"), (Precision::Bf16, peaks.bf16_flops, "linear, bf16")]
    {
        let shapes = [(d, 3 * d), (d, d), (d, 2 * feed_forward), (feed_forward, d)];
        let runs: Vec<Run> = shapes.iter().map(|&(from, to)| linear(rows, from, to, precision)).collect();
        let (flops, numbers) = (runs.iter().map(|r| r.flops).sum(), runs.iter().map(|r| r.numbers).sum());
        let work = Box::new(move || runs.iter().for_each(|r| (r.work)()));
        add(name, layer, peak, Run { work, flops, numbers });
    }
    for (precision, peak, name) in [
        (f32, peaks.f32_flops, "head and loss, f32"),
        (Precision::Bf16, peaks.bf16_flops, "head and loss, bf16"),
    ] {
        add(name, 1.0, peak, loss(rows, d, vocabulary, precision));
    }
    add("attention", layer, peaks.f32_flops, attention(batch, sequence, heads, d / heads));
    add("norms and rotation of heads", layer, peaks.f32_flops, head_norms(batch, sequence, heads, d / heads));
    add("norms", 2.0 * layer + 2.0, peaks.f32_flops, norm(rows, d));
    add("SwiGLU", layer, peaks.f32_flops, swiglu(rows, feed_forward));
    println!("\n{}: a step of {rows} tokens", size.name);
    println!(
        "{:<28} {:>9} {:>10} {:>9} {:>8} {:>9}",
        "operation", "ms", "GFLOP/s", "of peak", "GB/s", "of peak"
    );
    for (name, seconds, flops, numbers, peak) in &table {
        let bytes = 4.0 * numbers;
        println!(
            "{name:<28} {:>9.2} {:>10.1} {:>7.0} % {:>8.1} {:>7.0} %",
            1e3 * seconds,
            flops / seconds / 1e9,
            100.0 * flops / seconds / peak,
            bytes / seconds / 1e9,
            100.0 * bytes / seconds / peaks.bytes
        );
    }
    for (precision, other) in [("f32", "bf16"), ("bf16", "f32")] {
        let ms: f64 = table.iter().filter(|row| !row.0.ends_with(other)).map(|row| 1e3 * row.1).sum();
        println!("{:<28} {ms:>9.2}", format!("together, {precision}"));
    }
}

/// Median seconds of a call, on the wall.
fn seconds(rounds: usize, work: &dyn Fn()) -> f64 {
    let repeats = repeats(work);
    let times = (0..rounds).map(|_| {
        let start = Instant::now();
        (0..repeats).for_each(|_| work());
        start.elapsed().as_secs_f64() / repeats as f64
    });
    median(times.collect())
}

fn linear(rows: usize, from: usize, to: usize, precision: Precision) -> Run {
    let device = Device::flex().autodiff();
    let (x, w) = (random([rows, from], 1, &device), random([from, to], 2, &device));
    let numbers = 3 * (rows * from + rows * to + from * to);
    let work = move || drop(fused::linear(x.clone(), w.clone(), None, precision).sum().backward());
    Run { work: Box::new(work), flops: 6.0 * (rows * from * to) as f64, numbers: numbers as f64 }
}

fn loss(rows: usize, d: usize, vocabulary: usize, precision: Precision) -> Run {
    let device = Device::flex().autodiff();
    let (hidden, head) = (random([rows, d], 1, &device), random([d, vocabulary], 2, &device));
    let targets: Vec<i64> = (0..rows).map(|i| (i * 31 % vocabulary) as i64).collect();
    let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &device);
    let weights = Tensor::<1>::ones([rows], &device);
    let work = move || {
        let (sum, _) = fused::linear_cross_entropy(
            hidden.clone(),
            head.clone(),
            targets.clone(),
            weights.clone(),
            precision,
        );
        drop(sum.backward());
    };
    let numbers = 2 * (rows * d + d * vocabulary);
    Run { work: Box::new(work), flops: 6.0 * (rows * d * vocabulary) as f64, numbers: numbers as f64 }
}

/// Two products forward and four backward (the scores again are not counted), half of each masked away.
fn attention(batch: usize, sequence: usize, heads: usize, width: usize) -> Run {
    let device = Device::flex().autodiff();
    let qkv = random([batch, sequence, 3 * heads, width], 1, &device);
    let work = move || drop(fused::packed_attention(qkv.clone(), heads, None, None).0.sum().backward());
    let products = (batch * heads * sequence * sequence * width) as f64;
    let numbers = (batch * sequence * heads * width) as f64 * 12.0;
    Run { work: Box::new(work), flops: 6.0 * products, numbers }
}

fn head_norms(batch: usize, sequence: usize, heads: usize, width: usize) -> Run {
    let device = Device::flex().autodiff();
    let qkv = random([batch, sequence, 3 * heads, width], 1, &device);
    let gains = [random([width], 2, &device), random([width], 3, &device)];
    let numbers = 5 * 3 * batch * sequence * heads * width;
    let work = move || {
        let [q, k] = gains.clone();
        drop(
            fused::qk_norm_rope(qkv.clone(), q, k, heads, 1e-6, 1e4, fused::Positions::From(0))
                .sum()
                .backward(),
        );
    };
    Run { work: Box::new(work), flops: 0.0, numbers: numbers as f64 }
}

fn norm(rows: usize, d: usize) -> Run {
    let device = Device::flex().autodiff();
    let (x, gain) = (random([rows, d], 1, &device), random([d], 2, &device));
    let work = move || drop(fused::rms_norm(x.clone(), Some(gain.clone()), 1e-6).sum().backward());
    Run { work: Box::new(work), flops: 0.0, numbers: (5 * rows * d) as f64 }
}

fn swiglu(rows: usize, width: usize) -> Run {
    let device = Device::flex().autodiff();
    let x = random([rows, 2 * width], 1, &device);
    let work = move || drop(fused::swiglu(x.clone()).sum().backward());
    Run { work: Box::new(work), flops: 0.0, numbers: (8 * rows * width) as f64 }
}
