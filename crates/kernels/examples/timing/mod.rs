//! What the examples that measure share.

use std::time::Instant;

use burn::tensor::{Device, Tensor};

/// Numbers in (-1, 1), the same in every run, of which gradients are wanted.
pub fn random<const D: usize>(shape: [usize; D], seed: u64, device: &Device) -> Tensor<D> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    };
    let numbers: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::<1>::from_data(numbers.as_slice(), device).reshape(shape).detach().require_grad()
}

/// How often to run `f` in one measurement: processor time advances in steps of some milliseconds.
pub fn repeats(f: &dyn Fn()) -> usize {
    f();
    let start = Instant::now();
    f();
    (0.08 / start.elapsed().as_secs_f64()).ceil().clamp(1.0, 500.0) as usize
}

pub fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
