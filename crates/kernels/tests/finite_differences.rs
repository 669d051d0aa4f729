//! Gradients of the fused operations against finite differences, in f64, of scalar code written from the formulas.

mod close;
mod sample;

use burn::tensor::{Device, Int, Tensor};
use close::assert_close;
use groundwork_kernels::{Positions, Precision};
use sample::Sample;

/// The gradient of `f` at `x`, by central differences.
fn gradient(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f32> {
    let step = 1e-5;
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let at = x[i];
            x[i] = at + step;
            let above = f(&x);
            x[i] = at - step;
            let below = f(&x);
            x[i] = at;
            ((above - below) / (2.0 * step)) as f32
        })
        .collect()
}

fn widen(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

const SEQUENCE: usize = 9;
const HEADS: usize = 4;
const KV_HEADS: usize = 2;
const HEAD_DIM: usize = 6;
const WINDOW: usize = 4;
const DOCUMENTS: [i64; SEQUENCE] = [1, 1, 1, 1, 1, 2, 2, 2, 2];

/// `Σ o·d_o + Σ lse·d_lse` for one row of the batch.
fn attention_loss(q: &[f64], k: &[f64], v: &[f64], d_o: &[f64], d_lse: &[f64]) -> f64 {
    let mut loss = 0.0;
    for head in 0..HEADS {
        let kv_head = head * KV_HEADS / HEADS;
        for i in 0..SEQUENCE {
            let q = &q[(i * HEADS + head) * HEAD_DIM..][..HEAD_DIM];
            let visible = |j: &usize| i - j < WINDOW && DOCUMENTS[*j] == DOCUMENTS[i];
            let keys: Vec<usize> = (0..=i).filter(visible).collect();
            let score = |j: &usize| {
                let k = &k[(j * KV_HEADS + kv_head) * HEAD_DIM..][..HEAD_DIM];
                q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>() / (HEAD_DIM as f64).sqrt()
            };
            let lse = keys.iter().map(|j| score(j).exp()).sum::<f64>().ln();
            loss += lse * d_lse[head * SEQUENCE + i];
            for j in &keys {
                let p = (score(j) - lse).exp();
                for c in 0..HEAD_DIM {
                    let v = v[(j * KV_HEADS + kv_head) * HEAD_DIM + c];
                    loss += p * v * d_o[(i * HEADS + head) * HEAD_DIM + c];
                }
            }
        }
    }
    loss
}

#[test]
fn attention_through_output_and_lse() {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(1);
    let q = sample.tensor([1, SEQUENCE, HEADS, HEAD_DIM], 1.0, &device).require_grad();
    let k = sample.tensor([1, SEQUENCE, KV_HEADS, HEAD_DIM], 1.0, &device).require_grad();
    let v = sample.tensor([1, SEQUENCE, KV_HEADS, HEAD_DIM], 1.0, &device).require_grad();
    let d_o = sample.tensor([1, SEQUENCE, HEADS, HEAD_DIM], 1.0, &device);
    let d_lse = sample.tensor([1, HEADS, SEQUENCE], 1.0, &device);
    let documents = Tensor::<1, Int>::from_data(DOCUMENTS, &device).reshape([1, SEQUENCE]);
    let (o, lse) =
        groundwork_kernels::attention(q.clone(), k.clone(), v.clone(), Some(documents), Some(WINDOW));
    let loss = (o * d_o.clone()).sum() + (lse * d_lse.clone()).sum();
    let [q_, k_, v_, d_o, d_lse] = [
        sample::numbers(q.clone()),
        sample::numbers(k.clone()),
        sample::numbers(v.clone()),
        sample::numbers(d_o),
        sample::numbers(d_lse),
    ]
    .map(|x| widen(&x));
    let expected = attention_loss(&q_, &k_, &v_, &d_o, &d_lse) as f32;
    assert_close("loss", &sample::numbers(loss.clone()), &[expected], 1e-5);
    let gradients = loss.backward();
    let found = |x: &Tensor<4>| x.grad(&gradients).map(sample::numbers).expect("a gradient");
    assert_close("dq", &found(&q), &gradient(&q_, |q| attention_loss(q, &k_, &v_, &d_o, &d_lse)), 1e-5);
    assert_close("dk", &found(&k), &gradient(&k_, |k| attention_loss(&q_, k, &v_, &d_o, &d_lse)), 1e-5);
    assert_close("dv", &found(&v), &gradient(&v_, |v| attention_loss(&q_, &k_, v, &d_o, &d_lse)), 1e-5);
}

#[test]
fn linear_cross_entropy() {
    const ROWS: usize = 5;
    const DIMENSION: usize = 4;
    const VOCABULARY: usize = 7;
    let targets = [0usize, 6, 3, 3, 1];
    let weights = [1.0f64, 0.25, 0.0, -0.5, 2.0];
    let loss = |hidden: &[f64], head: &[f64]| {
        let mut loss = 0.0;
        for i in 0..ROWS {
            let logit = |c: usize| {
                (0..DIMENSION).map(|d| hidden[i * DIMENSION + d] * head[d * VOCABULARY + c]).sum::<f64>()
            };
            let lse = (0..VOCABULARY).map(|c| logit(c).exp()).sum::<f64>().ln();
            loss += weights[i] * (lse - logit(targets[i]));
        }
        loss
    };
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(2);
    let hidden = sample.tensor([ROWS, DIMENSION], 1.0, &device).require_grad();
    let head = sample.tensor([DIMENSION, VOCABULARY], 1.0, &device).require_grad();
    let (sum, _) = groundwork_kernels::linear_cross_entropy(
        hidden.clone(),
        head.clone(),
        Tensor::from_data(targets.map(|t| t as i64), &device),
        Tensor::from_data(weights.map(|w| w as f32), &device),
        Precision::F32,
    );
    let (hidden_, head_) = (widen(&sample::numbers(hidden.clone())), widen(&sample::numbers(head.clone())));
    assert_close("loss", &sample::numbers(sum.clone()), &[loss(&hidden_, &head_) as f32], 1e-5);
    let gradients = sum.backward();
    let found = |x: &Tensor<2>| x.grad(&gradients).map(sample::numbers).expect("a gradient");
    assert_close("dhidden", &found(&hidden), &gradient(&hidden_, |hidden| loss(hidden, &head_)), 1e-5);
    assert_close("dhead", &found(&head), &gradient(&head_, |head| loss(&hidden_, head)), 1e-5);
}

/// Checks `f`'s gradient for one vector `x` and a random upstream gradient.
fn check(
    what: &str,
    length: usize,
    fused: impl Fn(Tensor<2>) -> Tensor<2>,
    scalar: impl Fn(&[f64]) -> Vec<f64>,
) {
    let device = Device::flex().autodiff();
    let mut sample = Sample::new(3);
    let x = sample.tensor([1, length], 2.0, &device).require_grad();
    let y = fused(x.clone());
    let upstream = sample.tensor(y.dims(), 1.0, &device);
    let (x_, upstream_) = (widen(&sample::numbers(x.clone())), widen(&sample::numbers(upstream.clone())));
    let expected: Vec<f32> = scalar(&x_).iter().map(|&y| y as f32).collect();
    assert_close(what, &sample::numbers(y.clone()), &expected, 1e-5);
    let gradients = (y * upstream).sum().backward();
    let found = x.grad(&gradients).map(sample::numbers).expect("a gradient");
    let loss = |x: &[f64]| scalar(x).iter().zip(&upstream_).map(|(y, u)| y * u).sum();
    assert_close(what, &found, &gradient(&x_, loss), 1e-5);
}

#[test]
fn the_others() {
    check("swiglu", 10, groundwork_kernels::swiglu, |x| {
        (0..5).map(|i| x[i] / (1.0 + (-x[i]).exp()) * x[i + 5]).collect()
    });
    check("relu_squared", 9, groundwork_kernels::relu_squared, |x| {
        x.iter().map(|x| x.max(0.0).powi(2)).collect()
    });
    check(
        "rms_norm",
        11,
        |x| groundwork_kernels::rms_norm(x, None, 1e-3),
        |x| {
            let r = (x.iter().map(|x| x * x).sum::<f64>() / 11.0 + 1e-3).sqrt();
            x.iter().map(|x| x / r).collect()
        },
    );
    let rope = |x: Tensor<2>| groundwork_kernels::rope(x.reshape([1, 2, 1, 6]), 100.0, 3).reshape([1, 12]);
    check("rope", 12, rope, |x| {
        let rotated = |at: usize| {
            let (position, i) = (at / 6, at % 6);
            let angle = (3 + position) as f64 * 100f64.powf(-2.0 * (i % 3) as f64 / 6.0);
            let (sin, cos) = angle.sin_cos();
            if i < 3 { x[at] * cos - x[at + 3] * sin } else { x[at] * cos + x[at - 3] * sin }
        };
        (0..12).map(rotated).collect()
    });
    // Two positions of one query head, one key head and one value head; the gains are fixed.
    let gains = [[1.5f64, 0.5, -1.0, 2.0], [0.25, 1.0, 1.0, -0.5]];
    let device = Device::flex().autodiff();
    let [query_gain, key_gain] = gains.map(|gain| Tensor::<1>::from_data(gain.map(|g| g as f32), &device));
    let qk_norm_rope = |x: Tensor<2>| {
        let x = x.reshape([1, 2, 3, 4]);
        groundwork_kernels::qk_norm_rope(
            x,
            query_gain.clone(),
            key_gain.clone(),
            1,
            1e-3,
            100.0,
            Positions::From(3),
        )
        .reshape([1, 24])
    };
    check("qk_norm_rope", 24, qk_norm_rope, |x| {
        let mut out = x.to_vec();
        for (at, head) in out.chunks_exact_mut(4).enumerate() {
            let Some(gain) = gains.get(at % 3) else { continue };
            let r = (head.iter().map(|x| x * x).sum::<f64>() / 4.0 + 1e-3).sqrt();
            let n: Vec<f64> = head.iter().zip(gain).map(|(x, g)| g * x / r).collect();
            for i in 0..2 {
                let (sin, cos) = ((3 + at / 3) as f64 * 100f64.powf(-2.0 * i as f64 / 4.0)).sin_cos();
                head[i] = n[i] * cos - n[i + 2] * sin;
                head[i + 2] = n[i + 2] * cos + n[i] * sin;
            }
        }
        out
    });
    let weight = [[0.5f64, -1.0, 2.0], [1.5, 0.25, -0.75]];
    let linear = |x: Tensor<2>| {
        let weight = Tensor::<2>::from_data(weight.map(|row| row.map(|w| w as f32)), &device);
        groundwork_kernels::linear(x.clone().narrow(1, 0, 2), weight, Some(x.narrow(1, 2, 3)), Precision::F32)
    };
    check("linear", 5, linear, |x| {
        (0..3).map(|j| x[0] * weight[0][j] + x[1] * weight[1][j] + x[2 + j]).collect()
    });
}
