//! Results do not depend on the number of threads, nor a row's on what else is in the batch.

mod sample;

use burn::tensor::{Device, Int, Tensor};
use groundwork_kernels as kernels;
use groundwork_kernels::{Positions, Precision};
use rayon::ThreadPoolBuilder;
use sample::Sample;

/// Every operation, forward and backward, on shapes with several jobs.
fn everything() -> Vec<Vec<u32>> {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(1);
    let q = sample.tensor([3, 70, 4, 32], 1.0, &device).require_grad();
    let k = sample.tensor([3, 70, 2, 32], 1.0, &device).require_grad();
    let gain = sample.tensor([32], 1.0, &device).require_grad();
    let x = sample.tensor([700, 64], 1.0, &device).require_grad();
    let head = sample.tensor([32, 600], 1.0, &device).require_grad();
    let weights = sample.tensor([700], 1.0, &device);
    let ids: Vec<i64> = (0..210).map(|i| i / 29).collect();
    let documents = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([3, 70]);
    let targets: Vec<i64> = (0..700).map(|i| i * 13 % 600).collect();
    let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &device);
    let normed = kernels::rms_norm(q.clone(), Some(gain.clone()), 1e-6);
    let rotated = kernels::rope(normed, 1e4, 0);
    let (o, lse) = kernels::attention(rotated, k.clone(), k.clone(), Some(documents), Some(50));
    let hidden = kernels::relu_squared(kernels::swiglu(x.clone()));
    let (sum, losses) = kernels::linear_cross_entropy(hidden, head.clone(), targets, weights, Precision::F32);
    let table = sample.tensor([500, 48], 1.0, &device).require_grad();
    let weight = sample.tensor([48, 8 * 16], 1.0, &device).require_grad();
    let gains = [1, 2].map(|_| sample.tensor([16], 1.0, &device).require_grad());
    let tokens: Vec<i64> = (0..420).map(|i| i * i % 500).collect();
    let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([2, 210]);
    let qkv =
        kernels::linear(kernels::embedding(table.clone(), tokens), weight.clone(), None, Precision::F32);
    let qkv = qkv.reshape([2, 210, 8, 16]);
    let qkv =
        kernels::qk_norm_rope(qkv, gains[0].clone(), gains[1].clone(), 4, 1e-6, 1e4, Positions::From(0));
    let (packed_o, packed_lse) = kernels::packed_attention(qkv, 4, None, None);
    let packed = packed_o.powi_scalar(2).sum() + packed_lse.sum();
    let loss = packed + o.clone().powi_scalar(2).sum() + lse.clone().sum() + sum.clone();
    let gradients = loss.backward();
    let bits = |numbers: Vec<f32>| numbers.into_iter().map(f32::to_bits).collect::<Vec<_>>();
    vec![
        bits(sample::numbers(o)),
        bits(sample::numbers(lse)),
        bits(sample::numbers(sum)),
        bits(sample::numbers(losses)),
        bits(sample::numbers(q.grad(&gradients).expect("dq"))),
        bits(sample::numbers(k.grad(&gradients).expect("dk"))),
        bits(sample::numbers(gain.grad(&gradients).expect("dgain"))),
        bits(sample::numbers(x.grad(&gradients).expect("dx"))),
        bits(sample::numbers(head.grad(&gradients).expect("dhead"))),
        bits(sample::numbers(table.grad(&gradients).expect("dtable"))),
        bits(sample::numbers(weight.grad(&gradients).expect("dweight"))),
        bits(sample::numbers(gains[0].grad(&gradients).expect("dgain of queries"))),
        bits(updated(&weight.without_autodiff())),
    ]
}

/// A matrix after a step of each optimiser.
fn updated(weight: &Tensor<2>) -> Vec<f32> {
    let gradient = Sample::new(8).tensor(weight.dims(), 1.0, &Device::flex());
    let zeros = weight.zeros_like();
    let step = kernels::Muon { rate: 0.1, keep: 1.0, gradient_scale: 1.0, momentum: 0.9 };
    let [weight, _] = kernels::muon(weight.clone(), gradient.clone(), zeros.clone(), step);
    let scale = kernels::squared_norm(gradient.clone()).sqrt().recip();
    let step = kernels::Adamw {
        rate: 0.1,
        keep: 0.9,
        gradient_scale: scale,
        beta1: 0.9,
        beta2: 0.9,
        epsilon: 1e-8,
        step: 3,
    };
    let [weight, ..] = kernels::adamw(weight, gradient, zeros.clone(), zeros, step);
    sample::numbers(weight)
}

#[test]
fn under_any_number_of_threads() {
    let with_threads = |threads| {
        let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
        pool.install(everything)
    };
    let one = with_threads(1);
    for threads in [2, 3] {
        assert!(with_threads(threads) == one, "{threads} threads");
    }
}

#[test]
fn of_a_row_in_any_batch() {
    let device = Device::flex();
    let q: Tensor<4> = Sample::new(2).tensor([3, 45, 4, 16], 1.0, &device);
    let k: Tensor<4> = Sample::new(3).tensor([3, 45, 2, 16], 1.0, &device);
    let (o, lse) = kernels::attention(q.clone(), k.clone(), k.clone(), None, None);
    for row in 0..3 {
        let of = |x: &Tensor<4>| x.clone().narrow(0, row, 1);
        let (alone_o, alone_lse) = kernels::attention(of(&q), of(&k), of(&k), None, None);
        assert_eq!(alone_o.into_data(), of(&o).into_data());
        assert_eq!(alone_lse.into_data(), lse.clone().narrow(0, row, 1).into_data());
    }
    // Nor does a position's result depend on later positions, or on how many are asked for at once.
    for length in [1, 2, 17, 44] {
        let first = |x: &Tensor<4>| x.clone().narrow(1, 0, length);
        let (shorter, _) = kernels::attention(first(&q), first(&k), first(&k), None, None);
        assert_eq!(shorter.into_data(), first(&o).into_data());
        let last = q.clone().narrow(1, length - 1, 1);
        let (step, _) = kernels::attention(last, first(&k), first(&k), None, None);
        assert_eq!(step.into_data(), o.clone().narrow(1, length - 1, 1).into_data());
    }

    let hidden: Tensor<2> = Sample::new(4).tensor([300, 24], 1.0, &device);
    let head: Tensor<2> = Sample::new(5).tensor([24, 520], 1.0, &device);
    let targets = Tensor::<1, Int>::arange(0..300, &device);
    let weights = Tensor::<1>::ones([300], &device);
    let (_, losses) = kernels::linear_cross_entropy(
        hidden.clone(),
        head.clone(),
        targets.clone(),
        weights.clone(),
        Precision::F32,
    );
    for (start, length) in [(0, 1), (299, 1), (5, 2), (100, 63), (3, 130)] {
        let (_, some) = kernels::linear_cross_entropy(
            hidden.clone().narrow(0, start, length),
            head.clone(),
            targets.clone().narrow(0, start, length),
            weights.clone().narrow(0, start, length),
            Precision::F32,
        );
        assert_eq!(some.into_data(), losses.clone().narrow(0, start, length).into_data(), "{start}+{length}");
    }
}

/// Keys that lie with their positions side by side, as a cache holds them, are read in place; without room for whole panels they
/// are copied. Neither changes a bit.
#[test]
fn keys_may_lie_either_way() {
    let device = Device::flex();
    let mut sample = Sample::new(9);
    for (queries, keys, heads, kv_heads, width) in
        [(1, 300, 6, 6, 32), (1, 31, 4, 2, 16), (7, 64, 4, 1, 20), (5, 700, 2, 2, 64)]
    {
        let q = sample.tensor([3, queries, heads, width], 1.0, &device);
        let [k, v] = [1, 2].map(|_| sample.tensor([3, keys, kv_heads, width], 1.0, &device));
        for window in [None, Some(40)] {
            let attend = |k: Tensor<4>| {
                let (o, lse) = kernels::attention(q.clone(), k, v.clone(), None, window);
                [o.into_data(), lse.into_data()]
                    .map(|x| x.iter::<f32>().map(f32::to_bits).collect::<Vec<_>>())
            };
            let rows = attend(k.clone());
            for room in [keys, keys.next_multiple_of(32), keys.next_power_of_two().max(64)] {
                // What lies beyond the keys must not matter.
                let beyond = Tensor::<4>::full([3, kv_heads, width, room - keys], f32::NAN, &device);
                let columns = Tensor::cat(vec![k.clone().permute([0, 2, 3, 1]), beyond], 3);
                let columns = columns.narrow(3, 0, keys).permute([0, 3, 1, 2]);
                assert_eq!(rows, attend(columns), "{keys} keys, room {room}, window {window:?}");
            }
        }
    }
}
