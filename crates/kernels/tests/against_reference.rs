//! The fused operations against the same in plain Burn tensors: values and gradients.

mod close;
mod sample;

use burn::tensor::{Device, Int, Tensor};
use close::assert_close;
use groundwork_kernels as fused;
use groundwork_kernels::Precision;
use groundwork_kernels::reference;
use sample::Sample;

struct Case {
    batch: usize,
    queries: usize,
    keys: usize,
    heads: usize,
    kv_heads: usize,
    head_dim: usize,
    window: Option<usize>,
    documents: Documents,
}

#[derive(Clone, Copy)]
enum Documents {
    None,
    InRuns,
    Mixed,
}

impl Documents {
    fn tensor(self, batch: usize, keys: usize, device: &Device) -> Option<Tensor<2, Int>> {
        let id = |b: usize, j: usize| match self {
            Documents::InRuns => (j + 3 * b) / 11 + 1,
            _ => (j * (j + b) / 5) % 3,
        };
        let ids: Vec<i64> = (0..batch * keys).map(|at| id(at / keys, at % keys) as i64).collect();
        match self {
            Documents::None => None,
            _ => Some(Tensor::<1, Int>::from_data(ids.as_slice(), device).reshape([batch, keys])),
        }
    }
}

/// `o` and `lse`, and the gradients of `q`, `k` and `v` for a loss that uses both.
fn run(case: &Case, use_fused: bool, use_o: bool, use_lse: bool) -> Vec<Vec<f32>> {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(7);
    let q_shape = [case.batch, case.queries, case.heads, case.head_dim];
    let k_shape = [case.batch, case.keys, case.kv_heads, case.head_dim];
    let q = sample.tensor(q_shape, 1.5, &device).require_grad();
    let k = sample.tensor(k_shape, 1.0, &device).require_grad();
    let v = sample.tensor(k_shape, 1.0, &device).require_grad();
    let d_o = sample.tensor(q_shape, 1.0, &device);
    let d_lse = sample.tensor([case.batch, case.heads, case.queries], 1.0, &device);
    let documents = case.documents.tensor(case.batch, case.keys, &device);
    let attention = if use_fused { fused::attention } else { reference::attention };
    let (o, lse) = attention(q.clone(), k.clone(), v.clone(), documents, case.window);
    let mut loss = Tensor::<1>::zeros([1], &device);
    if use_o {
        loss = loss + (o.clone() * d_o).sum();
    }
    if use_lse {
        loss = loss + (lse.clone() * d_lse).sum();
    }
    let gradients = loss.backward();
    let mut out = vec![sample::numbers(o), sample::numbers(lse)];
    for x in [q, k, v] {
        let gradient = x.grad(&gradients);
        out.push(gradient.map_or_else(|| vec![0.0; x.shape().num_elements()], sample::numbers));
    }
    out
}

fn compare(case: &Case) {
    for (use_o, use_lse) in [(true, false), (false, true), (true, true)] {
        let fused = run(case, true, use_o, use_lse);
        let reference = run(case, false, use_o, use_lse);
        for (name, (fused, reference)) in
            ["o", "lse", "dq", "dk", "dv"].iter().zip(fused.iter().zip(&reference))
        {
            let Case { batch, queries, keys, heads, kv_heads, head_dim, window, .. } = case;
            let what = format!(
                "{name} of batch {batch}, {queries}/{keys} positions, {heads}/{kv_heads} heads of {head_dim}, \
                 window {window:?}, o {use_o}, lse {use_lse}"
            );
            assert_close(&what, fused, reference, 2e-5);
        }
    }
}

const PLAIN: Case = Case {
    batch: 1,
    queries: 7,
    keys: 7,
    heads: 2,
    kv_heads: 2,
    head_dim: 16,
    window: None,
    documents: Documents::None,
};

#[test]
fn attention_at_odd_lengths() {
    for length in [1, 7, 64, 255, 257] {
        compare(&Case { queries: length, keys: length, head_dim: 32, ..PLAIN });
    }
}

#[test]
fn attention_of_any_head_dim() {
    for head_dim in [16, 20, 24, 32, 48, 64, 96, 128] {
        compare(&Case { queries: 37, keys: 37, head_dim, ..PLAIN });
    }
}

#[test]
fn attention_with_grouped_queries_and_batch() {
    for (heads, kv_heads) in [(3, 1), (4, 2), (6, 3)] {
        compare(&Case { batch: 3, queries: 50, keys: 50, heads, kv_heads, ..PLAIN });
    }
}

#[test]
fn attention_with_windows_and_documents() {
    for window in [None, Some(1), Some(5), Some(40), Some(1000)] {
        for documents in [Documents::None, Documents::InRuns, Documents::Mixed] {
            compare(&Case {
                batch: 3,
                queries: 67,
                keys: 67,
                heads: 2,
                kv_heads: 1,
                window,
                documents,
                ..PLAIN
            });
        }
    }
}

#[test]
fn attention_over_several_chunks_and_with_earlier_keys() {
    compare(&Case { queries: 530, keys: 530, heads: 1, kv_heads: 1, ..PLAIN });
    compare(&Case { queries: 1100, keys: 1100, heads: 1, kv_heads: 1, window: Some(300), ..PLAIN });
    for queries in [1, 5, 30] {
        compare(&Case { batch: 2, queries, keys: 600, documents: Documents::InRuns, ..PLAIN });
        compare(&Case { batch: 2, queries, keys: 600, window: Some(70), ..PLAIN });
    }
}

#[test]
fn attention_reads_views() {
    let device = Device::flex();
    let qkv: Tensor<4> = Sample::new(3).tensor([2, 33, 6, 32], 1.0, &device);
    let part = |start| qkv.clone().narrow(2, start, 2);
    let of_views = fused::attention(part(0), part(2), part(4), None, None);
    let copy = |start| Tensor::from_data(part(start).into_data(), &device);
    let of_copies = fused::attention(copy(0), copy(2), copy(4), None, None);
    assert_eq!(of_views.0.into_data(), of_copies.0.into_data());
    let swapped = |start| part(start).swap_dims(1, 2);
    let of_swapped = fused::attention(swapped(0), swapped(2), swapped(4), None, None);
    let expected = reference::attention(swapped(0), swapped(2), swapped(4), None, None);
    assert_close("swapped", &sample::numbers(of_swapped.0), &sample::numbers(expected.0), 2e-5);
}

#[test]
fn attention_of_large_scores_and_of_nan() {
    let device = Device::flex();
    let x: Tensor<4> = Sample::new(5).tensor([1, 40, 1, 16], 40.0, &device);
    let (o, lse) = fused::attention(x.clone(), x.clone(), x.clone(), None, None);
    let (expected_o, expected_lse) = reference::attention(x.clone(), x.clone(), x.clone(), None, None);
    assert_close("o", &sample::numbers(o), &sample::numbers(expected_o), 2e-5);
    assert_close("lse", &sample::numbers(lse), &sample::numbers(expected_lse), 2e-5);
    let mut numbers = sample::numbers(x);
    numbers[20 * 16] = f32::NAN;
    let x = Tensor::<1>::from_data(numbers.as_slice(), &device).reshape([1, 40, 1, 16]);
    let (o, _) = fused::attention(x.clone(), x.clone(), x, None, None);
    let o = sample::numbers(o);
    assert!(o[39 * 16..].iter().any(|o| o.is_nan()), "later positions do not hide it");
}

/// The value of `f` and its gradient for a fixed upstream gradient.
fn value_and_gradient<const D: usize, const E: usize>(
    shape: [usize; D],
    f: impl Fn(Tensor<D>) -> Tensor<E>,
) -> [Vec<f32>; 2] {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(11);
    let x = sample.tensor(shape, 2.0, &device).require_grad();
    let y = f(x.clone());
    let upstream = sample.tensor(y.dims(), 1.0, &device);
    let gradients = (y.clone() * upstream).sum().backward();
    [sample::numbers(y), sample::numbers(x.grad(&gradients).expect("x has a gradient"))]
}

fn compare_maps<const D: usize, const E: usize>(
    what: &str,
    shape: [usize; D],
    fused: impl Fn(Tensor<D>) -> Tensor<E>,
    reference: impl Fn(Tensor<D>) -> Tensor<E>,
) {
    let (fused, reference) = (value_and_gradient(shape, fused), value_and_gradient(shape, reference));
    for (part, (fused, reference)) in ["value", "gradient"].iter().zip(fused.iter().zip(&reference)) {
        assert_close(&format!("{what} {part} at {shape:?}"), fused, reference, 1e-5);
    }
}

#[test]
fn elementwise_operations() {
    for last in [2, 6, 16, 34, 512] {
        for rows in [1, 7, 255, 257] {
            compare_maps("swiglu", [rows, last], fused::swiglu, reference::swiglu);
            compare_maps("relu_squared", [rows, last], fused::relu_squared, reference::relu_squared);
        }
    }
    compare_maps("swiglu", [2, 3, 5, 14], fused::swiglu, reference::swiglu);
    compare_maps("relu_squared", [13], fused::relu_squared, reference::relu_squared);
    let view = |x: Tensor<3>| x.swap_dims(0, 1);
    compare_maps("swiglu", [4, 5, 6], |x| fused::swiglu(view(x)), |x| reference::swiglu(view(x)));
}

#[test]
fn rope_at_any_offset() {
    for (sequence, head_dim, offset) in [(1, 16, 0), (7, 32, 5), (257, 24, 1), (33, 128, 1000), (5, 2, 3)] {
        compare_maps(
            "rope",
            [3, sequence, 2, head_dim],
            |x| fused::rope(x, 10_000.0, offset),
            |x| reference::rope(x, 10_000.0, offset),
        );
    }
}

#[test]
fn rms_norm_with_and_without_gain() {
    for shape in [[1, 1, 5], [3, 7, 32], [2, 257, 96], [1, 600, 20]] {
        compare_maps(
            "rms_norm",
            shape,
            |x| fused::rms_norm(x, None, 1e-6),
            |x| reference::rms_norm(x, None, 1e-6),
        );
        let device = Device::flex().autodiff();
        let run = |f: fn(Tensor<3>, Option<Tensor<1>>, f64) -> Tensor<3>| {
            let mut sample = Sample::new(2);
            let x = sample.tensor(shape, 1.0, &device).require_grad();
            let gain = sample.tensor([shape[2]], 1.0, &device).require_grad();
            let upstream = sample.tensor(shape, 1.0, &device);
            let gradients = (f(x.clone(), Some(gain.clone()), 1e-6) * upstream).sum().backward();
            let [dx, d_gain] =
                [x.grad(&gradients).map(sample::numbers), gain.grad(&gradients).map(sample::numbers)];
            (dx.expect("dx"), d_gain.expect("dgain"))
        };
        let (fused, reference) = (run(fused::rms_norm), run(reference::rms_norm));
        assert_close("dx", &fused.0, &reference.0, 1e-5);
        assert_close("dgain", &fused.1, &reference.1, 1e-5);
    }
}

/// Sum, losses, and the gradients of `hidden` and `head`.
fn cross_entropy(
    sizes: [usize; 3],
    weight: fn(usize) -> f32,
    upstream: f32,
    use_fused: bool,
) -> [Vec<f32>; 4] {
    let [rows, dimension, vocabulary] = sizes;
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(9);
    let hidden = sample.tensor([rows, dimension], 2.0, &device).require_grad();
    let head = sample.tensor([dimension, vocabulary], 1.0, &device).require_grad();
    let targets: Vec<i64> = (0..rows).map(|i| (i * 31 % vocabulary) as i64).collect();
    let targets = Tensor::<1, Int>::from_data(targets.as_slice(), &device);
    let weights: Vec<f32> = (0..rows).map(weight).collect();
    let weights = Tensor::<1>::from_data(weights.as_slice(), &device);
    let f = if use_fused { fused::linear_cross_entropy } else { reference::linear_cross_entropy };
    let (sum, losses) = f(hidden.clone(), head.clone(), targets, weights, Precision::F32);
    let gradients = (sum.clone() * upstream).sum().backward();
    let gradient = |x: Tensor<2>| x.grad(&gradients).map(sample::numbers).expect("a gradient");
    [sample::numbers(sum), sample::numbers(losses), gradient(hidden), gradient(head)]
}

#[test]
fn linear_cross_entropy_of_any_shape_and_weight() {
    let weights: [fn(usize) -> f32; 3] =
        [|_| 1.0, |i| [0.1, 0.0, 1.0, 2.5, -0.5][i % 5], |i| if i % 7 == 3 { 0.3 } else { 0.0 }];
    for sizes in [[1, 16, 11], [7, 24, 512], [255, 96, 100], [257, 32, 513], [600, 16, 40]] {
        for weight in weights {
            for upstream in [1.0, 0.37, -2.0] {
                let fused = cross_entropy(sizes, weight, upstream, true);
                let reference = cross_entropy(sizes, weight, upstream, false);
                for (name, (fused, reference)) in
                    ["sum", "losses", "dhidden", "dhead"].iter().zip(fused.iter().zip(&reference))
                {
                    assert_close(
                        &format!("{name} at {sizes:?}, upstream {upstream}"),
                        fused,
                        reference,
                        2e-5,
                    );
                }
            }
        }
    }
}

#[test]
fn rows_of_weight_nought_contribute_exactly_nothing() {
    let device = Device::flex().autodiff();
    let run = |spoilt: f32| {
        let mut hidden = sample::numbers(Sample::new(4).tensor([6, 8], 1.0, &device));
        hidden[8..16].fill(spoilt);
        let hidden = Tensor::<1>::from_data(hidden.as_slice(), &device).reshape([6, 8]).require_grad();
        let head = Sample::new(5).tensor([8, 10], 1.0, &device).require_grad();
        let targets = Tensor::<1, Int>::from_data([1, 2, 3, 4, 5, 6], &device);
        let weights = Tensor::<1>::from_data([1.0f32, 0.0, 2.0, 0.5, 1.0, 1.0], &device);
        let (sum, losses) =
            fused::linear_cross_entropy(hidden.clone(), head.clone(), targets, weights, Precision::F32);
        let gradients = sum.clone().backward();
        let gradient = |x: Tensor<2>| x.grad(&gradients).map(sample::numbers).expect("a gradient");
        (sample::numbers(sum), sample::numbers(losses), gradient(hidden), gradient(head))
    };
    assert_eq!(run(1.0), run(f32::NAN));
    let (_, losses, d_hidden, _) = run(f32::INFINITY);
    assert_eq!(losses[1], 0.0);
    assert!(d_hidden[8..16].iter().all(|&d| d == 0.0));
    let none = cross_entropy([5, 8, 9], |_| 0.0, 1.0, true);
    assert!(none.iter().flatten().all(|&x| x == 0.0));
}

#[test]
#[should_panic(expected = "no gradient for its weights")]
fn linear_cross_entropy_refuses_weights_that_want_a_gradient() {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(1);
    let (hidden, head) = (sample.tensor([2, 4], 1.0, &device), sample.tensor([4, 5], 1.0, &device));
    let targets = Tensor::<1, Int>::from_data([0, 1], &device);
    let weights = sample.tensor([2], 1.0, &device).require_grad();
    fused::linear_cross_entropy(hidden, head, targets, weights, Precision::F32);
}

/// Rows of a cache that take different numbers of positions in four steps: the outputs of all steps, and the values held.
fn decode(use_fused: bool, [heads, kv_heads, head_dim]: [usize; 3], window: Option<usize>) -> Vec<Vec<f32>> {
    let device = Device::flex();
    let mut sample = Sample::new(11);
    let (rows, capacity) = (5, 96);
    let [mut keys, mut values] = [1, 2].map(|_| Tensor::zeros([rows, kv_heads, capacity, head_dim], &device));
    let mut held = [0; 5];
    let mut results = Vec::new();
    // Of the last three rows one rests, one is alone, one is full after the second step.
    for takes in [[0, 31, 64, 7, 95], [3, 1, 0, 40, 1], [1, 1, 1, 1, 0], [1, 2, 31, 1, 0]] {
        let advances: Vec<fused::Advance> = (0..rows)
            .map(|row| fused::Advance { row, held: held[row], taken: takes[row] })
            .filter(|advance| advance.taken > 0)
            .collect();
        let qkv = sample.tensor([takes.iter().sum(), heads + 2 * kv_heads, head_dim], 1.0, &device);
        let step = if use_fused { fused::cached_attention } else { reference::cached_attention };
        let (o, new_keys, new_values) = step(qkv, heads, keys, values, &advances, window);
        (keys, values) = (new_keys, new_values);
        results.push(sample::numbers(o));
        held.iter_mut().zip(takes).for_each(|(held, takes)| *held += takes);
    }
    results.push(sample::numbers(values));
    results
}

#[test]
fn cached_attention_of_rows_that_advance_at_will() {
    for sizes in [[4, 4, 32], [4, 1, 32], [6, 3, 20], [2, 2, 64], [1, 1, 8]] {
        for window in [None, Some(1), Some(33), Some(500)] {
            for (is, should) in decode(true, sizes, window).iter().zip(decode(false, sizes, window)) {
                assert_close(&format!("{sizes:?} {window:?}"), is, &should, 1e-5);
            }
        }
    }
}
