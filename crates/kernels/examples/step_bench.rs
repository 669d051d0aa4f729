//! Times each operation, forward and backward, fused against reference.
//!
//! `cargo run --release -p groundwork-kernels --example step_bench [rounds]`, with `RAYON_NUM_THREADS` set to the
//! number of threads of interest. The two forms alternate; the table has the medians in milliseconds and their ratio.
//! Where the system tells it (Linux), processor time is taken rather than time on the wall, so that other programs
//! disturb less.

use burn::tensor::module::linear;
use burn::tensor::{Device, Int, Tensor};
use groundwork_kernels as fused;
use groundwork_kernels::Precision;
use groundwork_kernels::reference;
use std::time::Instant;

#[path = "timing/mod.rs"]
mod timing;

use timing::{median, random, repeats};

struct Size {
    name: &'static str,
    d: usize,
    heads: usize,
    feed_forward: usize,
    vocabulary: usize,
}

const BATCH: usize = 8;
const SEQUENCE: usize = 256;
const HEAD_DIM: usize = 32;
const SIZES: [Size; 2] = [
    Size { name: "XS", d: 96, heads: 3, feed_forward: 256, vocabulary: 512 },
    Size { name: "S", d: 192, heads: 6, feed_forward: 512, vocabulary: 1024 },
];

fn main() {
    let rounds = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(9);
    println!("{:<4} {:<28} {:>10} {:>10} {:>7}", "size", "operation", "reference", "fused", "ratio");
    for size in &SIZES {
        operations(size, rounds);
    }
}

fn operations(size: &Size, rounds: usize) {
    let device = Device::flex().autodiff();
    let rows = BATCH * SEQUENCE;
    let heads = [BATCH, SEQUENCE, size.heads, HEAD_DIM];
    let [q, k, v] = [1, 2, 3].map(|seed| random(heads, seed, &device));
    let ids: Vec<i64> = (0..rows).map(|i| ((i % SEQUENCE) / 100) as i64).collect();
    let documents = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([BATCH, SEQUENCE]);
    let row = |name: &str, reference: &dyn Fn(), fused: &dyn Fn()| {
        let (reference, fused) = alternate(rounds, reference, fused);
        println!("{:<4} {name:<28} {reference:>10.3} {fused:>10.3} {:>6.1}x", size.name, reference / fused);
    };
    for (name, documents, window) in [
        ("attention", None, None),
        ("attention, documents of 100", Some(documents), None),
        ("attention, window of 64", None, Some(64)),
    ] {
        let run = |attention: AttentionFn| {
            let (o, _) = attention(q.clone(), k.clone(), v.clone(), documents.clone(), window);
            o.sum().backward();
        };
        row(name, &|| run(reference::attention), &|| run(fused::attention));
    }

    let hidden = random([rows, size.d], 4, &device);
    let head = random([size.d, size.vocabulary], 5, &device);
    let targets: Vec<i64> = (0..rows).map(|i| (i * 31 % size.vocabulary) as i64).collect();
    let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &device);
    for (name, every) in [("linear cross-entropy", 1), ("… a third of the rows", 3)] {
        let weights: Vec<f32> = (0..rows).map(|i| if i % every == 0 { 1.0 } else { 0.0 }).collect();
        let weights = Tensor::<1>::from_data(weights.as_slice(), &device);
        let run = |f: CrossEntropyFn| {
            f(hidden.clone(), head.clone(), targets.clone(), weights.clone(), Precision::F32).0.backward();
        };
        row(name, &|| run(reference::linear_cross_entropy), &|| run(fused::linear_cross_entropy));
    }

    let x = random([BATCH, SEQUENCE, size.d], 6, &device);
    let gain = random([size.d], 7, &device);
    let norm = |f: fn(Tensor<3>, Option<Tensor<1>>, f64) -> Tensor<3>| {
        f(x.clone(), Some(gain.clone()), 1e-6).sum().backward();
    };
    row("rms_norm with gain", &|| norm(reference::rms_norm), &|| norm(fused::rms_norm));
    let head_norm = |f: fn(Tensor<4>, Option<Tensor<1>>, f64) -> Tensor<4>| {
        f(q.clone(), None, 1e-6).sum().backward();
    };
    row("rms_norm of heads", &|| head_norm(reference::rms_norm), &|| head_norm(fused::rms_norm));
    let rope = |f: fn(Tensor<4>, f64, usize) -> Tensor<4>| {
        f(q.clone(), 1e4, 0).sum().backward();
    };
    row("rope", &|| rope(reference::rope), &|| rope(fused::rope));
    let gate_up = random([BATCH, SEQUENCE, 2 * size.feed_forward], 8, &device);
    let activation = |f: fn(Tensor<3>) -> Tensor<3>| {
        f(gate_up.clone()).sum().backward();
    };
    row("swiglu", &|| activation(reference::swiglu), &|| activation(fused::swiglu));
    row("relu_squared", &|| activation(reference::relu_squared), &|| activation(fused::relu_squared));

    // Not an operation of this crate: what it costs to leave a linear layer's input in three dimensions.
    let weight = random([size.d, 3 * size.d], 9, &device);
    let in_three = || {
        linear(x.clone(), weight.clone(), None).sum().backward();
    };
    let in_two = || {
        x.clone().reshape([rows, size.d]).matmul(weight.clone()).sum().backward();
    };
    row("Burn: linear, 3-d against 2-d", &in_three, &in_two);
}

type AttentionFn =
    fn(Tensor<4>, Tensor<4>, Tensor<4>, Option<Tensor<2, Int>>, Option<usize>) -> (Tensor<4>, Tensor<3>);
type CrossEntropyFn =
    fn(Tensor<2>, Tensor<2>, Tensor<1, Int>, Tensor<1>, Precision) -> (Tensor<1>, Tensor<1>);

/// The medians of both in milliseconds.
fn alternate(rounds: usize, first: &dyn Fn(), second: &dyn Fn()) -> (f64, f64) {
    let repeats = [repeats(first), repeats(second)];
    let mut times = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        times.0.push(time(first, repeats[0]));
        times.1.push(time(second, repeats[1]));
    }
    (median(times.0), median(times.1))
}

fn time(f: &dyn Fn(), repeats: usize) -> f64 {
    let (wall, processor) = (Instant::now(), processor_time());
    (0..repeats).for_each(|_| f());
    let milliseconds = match (processor, processor_time()) {
        (Some(before), Some(after)) => (after - before) / 1e6,
        _ => wall.elapsed().as_secs_f64() * 1e3,
    };
    milliseconds / repeats as f64
}

/// Nanoseconds that all threads of this process have run.
fn processor_time() -> Option<f64> {
    let mut sum = 0.0;
    for task in std::fs::read_dir("/proc/self/task").ok()? {
        let line = std::fs::read_to_string(task.ok()?.path().join("schedstat")).ok()?;
        sum += line.split(' ').next()?.parse::<f64>().ok()?;
    }
    Some(sum)
}
