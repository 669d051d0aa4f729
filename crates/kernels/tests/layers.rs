//! Linear layers, embedding, packed attention, and the optimisers' updates against the same in plain Burn tensors.

mod close;
mod sample;

use burn::tensor::{Device, Int, Tensor};
use close::assert_close;
use groundwork_kernels::Precision::{self, Bf16, F32};
use groundwork_kernels::{self as fused, Adamw, Muon, Positions, reference};
use sample::{Sample, numbers};

/// The value of `f` and the gradients of all tensors for a fixed upstream gradient.
fn value_and_gradients<const D: usize, const N: usize, const E: usize>(
    inputs: [Tensor<D>; N],
    f: impl Fn(&[Tensor<D>; N]) -> Tensor<E>,
) -> Vec<Vec<f32>> {
    let y = f(&inputs);
    let upstream = Sample::new(17).tensor(y.dims(), 1.0, &Device::flex().autodiff());
    let gradients = (y.clone() * upstream).sum().backward();
    let of = |x: &Tensor<D>| numbers(x.grad(&gradients).expect("a gradient"));
    [numbers(y)].into_iter().chain(inputs.iter().map(of)).collect()
}

fn assert_all_close(what: &str, fused: &[Vec<f32>], reference: &[Vec<f32>]) {
    assert_eq!(fused.len(), reference.len());
    for (at, (fused, reference)) in fused.iter().zip(reference).enumerate() {
        assert_close(&format!("{what}, part {at}"), fused, reference, 2e-5);
    }
}

type Layer<const D: usize> = fn(Tensor<D>, Tensor<2>, Option<Tensor<D>>, Precision) -> Tensor<D>;

#[test]
fn linear_with_and_without_a_residual() {
    let device = Device::flex().autodiff();
    for [rows, inputs, outputs] in [[1, 5, 7], [7, 24, 16], [255, 96, 40], [257, 300, 33], [64, 17, 600]] {
        let mut sample = Sample::new(3);
        let mut tensor = |shape: [usize; 2]| sample.tensor(shape, 1.0, &device).require_grad();
        let all = [tensor([rows, inputs]), tensor([inputs, outputs]), tensor([rows, outputs])];
        let what = format!("{rows} rows, {inputs} to {outputs}");
        let plus = |f: Layer<2>, precision| {
            value_and_gradients(all.clone(), |[x, w, r]| f(x.clone(), w.clone(), Some(r.clone()), precision))
        };
        assert_all_close(&what, &plus(fused::linear, F32), &plus(reference::linear, F32));
        // The reference passes gradients on as they come, the fused form rounds them as operands.
        let (fused, plain) = (plus(fused::linear, Bf16), plus(reference::linear, Bf16));
        assert_close(&format!("{what}, bf16"), &fused[0], &plain[0], 2e-5);
        for (at, (fused, plain)) in fused.iter().zip(&plain).enumerate() {
            assert_close(&format!("{what}, bf16, part {at}"), fused, plain, 2e-2);
        }
        let [x, w, _] = all;
        let plain = |f: Layer<2>| {
            value_and_gradients([x.clone(), w.clone()], |[x, w]| f(x.clone(), w.clone(), None, F32))
        };
        assert_all_close(&what, &plain(fused::linear), &plain(reference::linear));
    }
}

#[test]
fn linear_of_views_and_of_constants() {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(4);
    let x = sample.tensor([5, 6, 8], 1.0, &device).require_grad();
    // A tied head is the embedding's transpose.
    let table = sample.tensor([11, 8], 1.0, &device);
    let run = |f: Layer<3>| {
        value_and_gradients([x.clone()], |[x]| {
            f(x.clone().swap_dims(0, 1), table.clone().transpose(), None, F32)
        })
    };
    assert_all_close("views", &run(fused::linear), &run(reference::linear));
    let residual = sample.tensor([5, 6, 11], 1.0, &device).require_grad();
    let run = |f: Layer<3>| {
        let x = x.clone().detach();
        value_and_gradients([residual.clone()], |[r]| {
            f(x.clone(), table.clone().transpose(), Some(r.clone()), F32)
        })
    };
    assert_all_close("residual only", &run(fused::linear), &run(reference::linear));
}

#[test]
fn embedding_adds_up_repeated_rows() {
    let device = Device::flex().autodiff();
    for [rows, dimension, positions] in [[1, 3, 4], [17, 8, 90], [700, 5, 40]] {
        let table = Sample::new(6).tensor([rows, dimension], 1.0, &device).require_grad();
        let ids: Vec<i64> = (0..2 * positions).map(|i| (i * i * 7 % rows) as i64).collect();
        let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([2, positions]);
        let run = |f: fn(Tensor<2>, Tensor<2, Int>) -> Tensor<3>| {
            value_and_gradients([table.clone()], |[table]| f(table.clone(), ids.clone()))
        };
        assert_all_close("embedding", &run(fused::embedding), &run(reference::embedding));
    }
}

#[test]
fn packed_attention_through_output_and_lse() {
    let device = Device::flex().autodiff();
    for (sequence, heads, kv_heads, head_dim, window) in
        [(1, 1, 1, 16, None), (7, 4, 2, 32, Some(3)), (257, 3, 1, 24, None), (90, 2, 2, 128, Some(40))]
    {
        let qkv =
            Sample::new(8).tensor([2, sequence, heads + 2 * kv_heads, head_dim], 1.0, &device).require_grad();
        let ids: Vec<i64> = (0..2 * sequence).map(|i| (i % sequence / 20) as i64).collect();
        let ids = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([2, sequence]);
        for documents in [None, Some(ids)] {
            let run = |use_fused: bool, o: f32, lse: f32| {
                let f = if use_fused { fused::packed_attention } else { reference::packed_attention };
                value_and_gradients([qkv.clone()], |[qkv]| {
                    let (of_o, of_lse) = f(qkv.clone(), heads, documents.clone(), window);
                    (of_o.sum_dim(3) * o).swap_dims(1, 2).squeeze_dim::<3>(3) + of_lse * lse
                })
            };
            for (o, lse) in [(1.0, 0.0), (0.0, 1.0), (1.0, -0.5)] {
                assert_all_close("packed attention", &run(true, o, lse), &run(false, o, lse));
            }
        }
    }
}

#[test]
fn packed_attention_gives_the_bits_of_attention() {
    let device = Device::flex();
    let qkv: Tensor<4> = Sample::new(3).tensor([2, 60, 8, 32], 1.0, &device);
    let part = |first, count| qkv.clone().narrow(2, first, count);
    let (o, lse) = fused::attention(part(0, 4), part(4, 2), part(6, 2), None, Some(30));
    let (packed_o, packed_lse) = fused::packed_attention(qkv.clone(), 4, None, Some(30));
    assert_eq!(packed_o.into_data(), o.into_data());
    assert_eq!(packed_lse.into_data(), lse.into_data());
}

#[test]
fn qk_norm_rope_of_odd_shapes() {
    let device = Device::flex().autodiff();
    for (sequence, heads, kv_heads, head_dim, offset) in
        [(1, 1, 1, 2, 0), (7, 4, 2, 32, 5), (257, 3, 1, 24, 1), (65, 2, 2, 128, 900)]
    {
        let mut sample = Sample::new(9);
        let qkv = sample.tensor([2, sequence, heads + 2 * kv_heads, head_dim], 1.5, &device).require_grad();
        let gains = [1, 2].map(|_| sample.tensor([head_dim], 1.0, &device).require_grad());
        let upstream = sample.tensor(qkv.dims(), 1.0, &device);
        let each = (0..2 * sequence).map(|at| (at * 7919 + offset) % 1000).collect();
        for positions in [Positions::From(offset), Positions::Each(each)] {
            let run = |use_fused: bool| {
                let f = if use_fused { fused::qk_norm_rope } else { reference::qk_norm_rope };
                let y =
                    f(qkv.clone(), gains[0].clone(), gains[1].clone(), heads, 1e-6, 1e4, positions.clone());
                let gradients = (y.clone() * upstream.clone()).sum().backward();
                let of_gain = |x: &Tensor<1>| numbers(x.grad(&gradients).expect("a gradient"));
                let of_qkv = numbers(qkv.grad(&gradients).expect("a gradient"));
                vec![numbers(y), of_qkv, of_gain(&gains[0]), of_gain(&gains[1])]
            };
            assert_all_close("qk_norm_rope", &run(true), &run(false));
        }
    }
}

#[test]
fn adamw_over_three_steps() {
    let device = Device::flex();
    for length in [1, 7, 40_000] {
        let run = |use_fused: bool| {
            let mut sample = Sample::new(12);
            let mut x = sample.tensor([length], 1.0, &device);
            let [mut m, mut v] = [x.zeros_like(), x.zeros_like()];
            for step in 1..=3 {
                let g = sample.tensor([length], 2.0, &device);
                let step = Adamw {
                    rate: 0.02,
                    keep: 0.999,
                    gradient_scale: 0.7,
                    beta1: 0.9,
                    beta2: 0.95,
                    epsilon: 1e-8,
                    step,
                };
                let f = if use_fused { fused::adamw } else { reference::adamw };
                [x, m, v] = f(x, g, m, v, step);
            }
            [x, m, v].map(numbers).to_vec()
        };
        assert_all_close("adamw", &run(true), &run(false));
    }
}

#[test]
fn muon_of_wide_and_tall_matrices() {
    let device = Device::flex();
    for shape in [[1, 5], [32, 32], [24, 300], [257, 96]] {
        let run = |use_fused: bool| {
            let mut sample = Sample::new(13);
            let mut x = sample.tensor(shape, 1.0, &device);
            let mut m = x.zeros_like();
            for _ in 0..2 {
                let g = sample.tensor(shape, 2.0, &device);
                let step = Muon { rate: 0.1, keep: 0.99, gradient_scale: 0.5, momentum: 0.95 };
                let f = if use_fused { fused::muon } else { reference::muon };
                [x, m] = f(x, g, m, step);
            }
            [x, m].map(numbers).to_vec()
        };
        for (at, (fused, reference)) in run(true).iter().zip(&run(false)).enumerate() {
            // Fifteen products in a row: rounding differs more than in one.
            assert_close(&format!("muon {shape:?}, part {at}"), fused, reference, 2e-4);
        }
    }
}

#[test]
fn updates_leave_shared_tensors_alone() {
    let device = Device::flex();
    let x: Tensor<1> = Sample::new(1).tensor([10], 1.0, &device);
    let before = numbers(x.clone());
    let step = Muon { rate: 0.1, keep: 1.0, gradient_scale: 1.0, momentum: 0.9 };
    let matrix: Tensor<2> = x.clone().reshape([2, 5]);
    let [moved, _] = fused::muon(matrix.clone(), matrix.clone(), matrix.zeros_like(), step);
    assert_eq!(numbers(x), before);
    assert_ne!(numbers(moved), before);
}

#[test]
fn squared_norm_of_many_numbers() {
    let x: Tensor<2> = Sample::new(2).tensor([300, 401], 3.0, &Device::flex());
    let expected: f64 = numbers(x.clone()).iter().map(|&x| f64::from(x).powi(2)).sum();
    let found = fused::squared_norm(x);
    assert!((found - expected).abs() < 1e-5 * expected, "{found} instead of {expected}");
}

#[test]
#[should_panic(expected = "`adamw` has no gradient")]
fn updates_refuse_tracked_tensors() {
    let x: Tensor<1> = Sample::new(1).tensor([3], 1.0, &Device::flex().autodiff()).require_grad();
    let step =
        Adamw { rate: 0.1, keep: 1.0, gradient_scale: 1.0, beta1: 0.9, beta2: 0.9, epsilon: 1e-8, step: 1 };
    fused::adamw(x.clone(), x.clone(), x.clone(), x, step);
}

#[test]
#[should_panic(expected = "`embedding`: id 9 of 4")]
fn embedding_refuses_an_unknown_row() {
    let device = Device::flex();
    let table: Tensor<2> = Sample::new(1).tensor([4, 2], 1.0, &device);
    fused::embedding(table, Tensor::<1, Int>::from_data([1, 9], &device).reshape([1, 2]));
}

#[test]
fn joined_operations_are_their_parts_to_the_bit() {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(21);
    let x = sample.tensor([2, 37, 48], 1.0, &device).require_grad();
    let gain = sample.tensor([48], 1.0, &device).require_grad();
    let weight = sample.tensor([48, 40], 1.0, &device).require_grad();
    let half = sample.tensor([24, 40], 1.0, &device).require_grad();
    let residual = sample.tensor([2, 37, 40], 1.0, &device).require_grad();
    let qkv = sample.tensor([2, 37, 8, 16], 1.0, &device).require_grad();
    let gains = [1, 2].map(|_| sample.tensor([16], 1.0, &device).require_grad());
    let ids: Vec<i64> = (0..74).map(|i| i / 13).collect();
    let documents = Tensor::<1, Int>::from_data(ids.as_slice(), &device).reshape([2, 37]);
    let upstream = sample.tensor([2, 37, 40], 1.0, &device);
    let of_o = sample.tensor([2, 37, 4, 16], 1.0, &device);
    for precision in [F32, Bf16] {
        let run = |joined: bool| {
            let (a, w, h, r) = (x.clone(), weight.clone(), half.clone(), residual.clone());
            let (normed, gated, squared) = if joined {
                (
                    fused::rms_norm_linear(a.clone(), gain.clone(), 1e-6, w.clone(), precision),
                    fused::swiglu_linear(a.clone(), h, r.clone(), precision),
                    fused::relu_squared_linear(a, w, r, precision),
                )
            } else {
                (
                    fused::linear(
                        fused::rms_norm(a.clone(), Some(gain.clone()), 1e-6),
                        w.clone(),
                        None,
                        precision,
                    ),
                    fused::linear(fused::swiglu(a.clone()), h, Some(r.clone()), precision),
                    fused::linear(fused::relu_squared(a), w, Some(r), precision),
                )
            };
            let (packed, [q, k], d) = (qkv.clone(), gains.clone(), Some(documents.clone()));
            let (o, lse) = if joined {
                fused::qk_norm_rope_attention(packed, q, k, 4, 1e-6, 1e4, d, Some(20))
            } else {
                let packed = fused::qk_norm_rope(packed, q, k, 4, 1e-6, 1e4, Positions::From(0));
                fused::packed_attention(packed, 4, d, Some(20))
            };
            let loss = [&normed, &gated, &squared].map(|y| (y.clone() * upstream.clone()).sum());
            let [first, second, third] = loss;
            let loss =
                first + second.powi_scalar(2) + third + (o.clone() * of_o.clone()).sum() + lse.clone().sum();
            let gradients = loss.backward();
            let of = |x: &Tensor<3>| numbers(x.grad(&gradients).expect("a gradient"));
            let of_weight = |x: &Tensor<2>| numbers(x.grad(&gradients).expect("a gradient"));
            let of_gain = |x: &Tensor<1>| numbers(x.grad(&gradients).expect("a gradient"));
            vec![
                numbers(normed),
                numbers(gated),
                numbers(squared),
                numbers(o),
                numbers(lse),
                of(&residual),
                of(&x),
                of_weight(&weight),
                of_weight(&half),
                numbers(qkv.grad(&gradients).expect("a gradient")),
                of_gain(&gain),
                of_gain(&gains[0]),
                of_gain(&gains[1]),
            ]
        };
        assert_eq!(run(true), run(false), "{precision:?}");
    }
}
