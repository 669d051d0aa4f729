//! Times a training step's forward and backward pass: `cargo run --release -p groundwork-model
//! --example train_speed -- [SIZE] [BATCH] [SEQUENCE]`.

use std::time::Instant;

use burn::tensor::{Device, Int, Tensor, TensorData};
use groundwork_model::{Decoder, ModelSpec};

fn main() {
    let mut args = std::env::args().skip(1);
    let size = args.next().unwrap_or_else(|| "0.33M".into());
    let batch: usize = args.next().map_or(8, |a| a.parse().expect("the batch is a number"));
    let sequence: usize = args.next().map_or(256, |a| a.parse().expect("the sequence is a number"));
    let config = ModelSpec { size, ..ModelSpec::default() }.resolve(1024).expect("a size from 0.1M to 1B");
    let device = Device::flex().autodiff();
    let decoder = Decoder::new(&config, 1, &device);
    let n = batch * sequence;
    let ids: Vec<i64> = (0..n).map(|i| (i * 7919 % 1024) as i64).collect();
    let tokens = Tensor::<2, Int>::from_data(TensorData::new(ids.clone(), [batch, sequence]), &device);
    let targets = Tensor::<1, Int>::from_data(TensorData::new(ids, [n]), &device);
    let documents: Vec<i64> = (0..n).map(|i| (i % sequence / 100) as i64).collect();
    let documents = Tensor::<2, Int>::from_data(TensorData::new(documents, [batch, sequence]), &device);
    let mut seconds = Vec::new();
    for _ in 0..12 {
        let start = Instant::now();
        let hidden = decoder.hidden(tokens.clone(), Some(documents.clone())).reshape([n, config.d_model]);
        let weights = Tensor::<1>::ones([n], &device);
        let (loss, _) = groundwork_kernels::linear_cross_entropy(
            hidden,
            decoder.head(),
            targets.clone(),
            weights,
            decoder.config().precision,
        );
        let _gradients = loss.backward();
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    let median = seconds[seconds.len() / 2];
    let flops = config.train_flops(sequence).0 * n as f64;
    println!(
        "{:.0} tokens/s, {:.1} ms a step, {:.1} GFLOP/s",
        n as f64 / median,
        median * 1e3,
        flops / median / 1e9
    );
}
