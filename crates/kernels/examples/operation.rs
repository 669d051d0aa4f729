//! Runs one operation, forward and backward, a number of times: `operation NAME REPEATS`; without arguments, lists the
//! names. `benches/instructions.sh` counts what it executes.

use burn::tensor::{Device, Int, Tensor};
use groundwork_kernels::Precision;
use groundwork_kernels::{self as kernels, Adamw, Muon};

const ROWS: usize = 128;
const WIDTH: usize = 96;

/// An operation's name and how to prepare it: what comes back runs it once.
type Operation = (&'static str, fn(&Device) -> Box<dyn Fn()>);

const OPERATIONS: [Operation; 12] = [
    ("attention", |device| attention(device, None, None)),
    ("attention-window", |device| attention(device, None, Some(32))),
    ("attention-documents", |device| {
        let ids: Vec<i64> = (0..ROWS as i64).map(|i| i / 50).collect();
        attention(device, Some(Tensor::<1, Int>::from_data(ids.as_slice(), device).reshape([1, ROWS])), None)
    }),
    ("qk-norm-rope", |device| {
        let (qkv, gain) = (numbers([1, ROWS, 9, 32], device), numbers([32], device));
        backward(move || {
            kernels::qk_norm_rope(
                qkv.clone(),
                gain.clone(),
                gain.clone(),
                3,
                1e-6,
                1e4,
                kernels::Positions::From(0),
            )
        })
    }),
    ("linear", |device| {
        let (x, weight) = (numbers([ROWS, WIDTH], device), numbers([WIDTH, 256], device));
        let residual = numbers([ROWS, 256], device);
        backward(move || kernels::linear(x.clone(), weight.clone(), Some(residual.clone()), Precision::F32))
    }),
    ("linear-cross-entropy", |device| {
        let (hidden, head) = (numbers([ROWS, WIDTH], device), numbers([WIDTH, 512], device));
        let targets = Tensor::<1, Int>::arange(0..ROWS as i64, device);
        let weights = Tensor::ones([ROWS], device);
        backward(move || {
            let (hidden, head) = (hidden.clone(), head.clone());
            kernels::linear_cross_entropy(hidden, head, targets.clone(), weights.clone(), Precision::F32).0
        })
    }),
    ("embedding", |device| {
        let table = numbers([512, WIDTH], device);
        let ids = Tensor::<1, Int>::arange(0..ROWS as i64, device).reshape([1, ROWS]);
        backward(move || kernels::embedding(table.clone(), ids.clone()))
    }),
    ("rms-norm", |device| {
        let (x, gain) = (numbers([ROWS, WIDTH], device), numbers([WIDTH], device));
        backward(move || kernels::rms_norm(x.clone(), Some(gain.clone()), 1e-6))
    }),
    ("swiglu", |device| {
        let gate_up = numbers([ROWS, 512], device);
        backward(move || kernels::swiglu(gate_up.clone()))
    }),
    ("relu-squared", |device| {
        let x = numbers([ROWS, 512], device);
        backward(move || kernels::relu_squared(x.clone()))
    }),
    ("adamw", |device| {
        let x = numbers([WIDTH, 256], device).without_autodiff();
        let step = Adamw {
            rate: 1e-3,
            keep: 1.0,
            gradient_scale: 1.0,
            beta1: 0.9,
            beta2: 0.95,
            epsilon: 1e-8,
            step: 1,
        };
        Box::new(move || {
            kernels::adamw(x.clone(), x.clone(), x.clone(), x.clone(), step);
        })
    }),
    ("muon", |device| {
        let x = numbers([WIDTH, 256], device).without_autodiff();
        let step = Muon { rate: 0.02, keep: 1.0, gradient_scale: 1.0, momentum: 0.95 };
        Box::new(move || {
            kernels::muon(x.clone(), x.clone(), x.clone(), step);
        })
    }),
];

fn attention(device: &Device, documents: Option<Tensor<2, Int>>, window: Option<usize>) -> Box<dyn Fn()> {
    let qkv = numbers([1, ROWS, 9, 32], device);
    backward(move || kernels::packed_attention(qkv.clone(), 3, documents.clone(), window).0)
}

/// The operation and the backward pass from the sum of its results.
fn backward<const D: usize>(operation: impl Fn() -> Tensor<D> + 'static) -> Box<dyn Fn()> {
    Box::new(move || {
        operation().sum().backward();
    })
}

/// Numbers in (0, 1), of which gradients are wanted.
fn numbers<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    let count: usize = shape.iter().product();
    let numbers: Vec<f32> = (0..count).map(|i| (i * 7919 % 1000) as f32 / 1000.0).collect();
    Tensor::<1>::from_data(numbers.as_slice(), device).reshape(shape).detach().require_grad()
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [name, repeats] = &args[..] else {
        OPERATIONS.iter().for_each(|(name, _)| println!("{name}"));
        return;
    };
    let operation = OPERATIONS.iter().find(|(known, _)| known == name);
    let (Some((_, prepare)), Ok(repeats)) = (operation, repeats.parse::<usize>()) else {
        eprintln!("usage: operation NAME REPEATS; the names are those that `operation` lists");
        std::process::exit(2);
    };
    let run = prepare(&Device::flex().autodiff());
    (0..repeats).for_each(|_| run());
}
