//! Every operation of this crate in plain Burn tensors.
//!
//! These are the definitions: they run on every backend, Burn's autodiff gives their gradients, and each fused
//! operation is tested against them. They keep whatever autodiff wants to keep, so they are slow and large.

use burn::tensor::activation::{log_softmax, relu, silu};
use burn::tensor::{Bool, Device, Int, Tensor, TensorData};

/// Causal softmax attention; shapes, masks and results as in [`crate::attention`].
///
/// With positions `i` of queries and `j` of keys, `s_ij = q_i·k_j / √head_dim`, `lse_i = log Σ_j exp s_ij` and
/// `o_i = Σ_j exp(s_ij - lse_i) v_j`, where `j` runs over the allowed positions only.
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
) -> (Tensor<4>, Tensor<3>) {
    let [_, queries, heads, head_dim] = q.dims();
    let keys = k.dims()[1];
    let forbidden = forbidden(queries, keys, documents, window, &q.device());
    let q = q.swap_dims(1, 2);
    let k = repeat_heads(k, heads);
    let v = repeat_heads(v, heads);
    let scores = q.matmul(k.swap_dims(2, 3)) * (head_dim as f64).powf(-0.5);
    let scores = scores.mask_fill(forbidden, f32::NEG_INFINITY);
    // The largest score only keeps exp in range; it cancels, so no gradient flows through it.
    let largest = scores.clone().detach().max_dim(3);
    let exp = (scores - largest.clone()).exp();
    let sum = exp.clone().sum_dim(3);
    let lse = (sum.clone().log() + largest).squeeze_dim::<3>(3);
    let o = (exp / sum).matmul(v).swap_dims(1, 2);
    (o, lse)
}

/// `[batch, sequence, kv_heads, head_dim]` to `[batch, heads, sequence, head_dim]`: each key head serves
/// `heads / kv_heads` query heads that lie next to each other.
fn repeat_heads(x: Tensor<4>, heads: usize) -> Tensor<4> {
    let [batch, sequence, kv_heads, head_dim] = x.dims();
    let x = x.swap_dims(1, 2);
    if kv_heads == heads {
        return x;
    }
    let x: Tensor<5> = x.reshape([batch, kv_heads, 1, sequence, head_dim]);
    x.expand([batch, kv_heads, heads / kv_heads, sequence, head_dim])
        .reshape([batch, heads, sequence, head_dim])
}

/// True where a query must not look: `[batch or 1, 1, queries, keys]`.
fn forbidden(
    queries: usize,
    keys: usize,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
    device: &Device,
) -> Tensor<4, Bool> {
    let first = keys - queries;
    let mut causal = Vec::with_capacity(queries * keys);
    for i in first..keys {
        causal.extend((0..keys).map(|j| j > i || window.is_some_and(|w| j + w <= i)));
    }
    let causal = Tensor::<2, Bool>::from_data(TensorData::new(causal, [queries, keys]), device);
    let causal: Tensor<4, Bool> = causal.reshape([1, 1, queries, keys]);
    let Some(documents) = documents else { return causal };
    let batch = documents.dims()[0];
    let of_key: Tensor<4, Int> = documents.clone().reshape([batch, 1, 1, keys]);
    let of_query: Tensor<4, Int> = documents.narrow(1, first, queries).reshape([batch, 1, queries, 1]);
    let shape = [batch, 1, queries, keys];
    causal.expand(shape).bool_or(of_query.expand(shape).not_equal(of_key.expand(shape)))
}

/// Root-mean-square norm over the last dimension; see [`crate::rms_norm`].
pub fn rms_norm<const D: usize>(x: Tensor<D>, gain: Option<Tensor<1>>, epsilon: f64) -> Tensor<D> {
    let mean_square = (x.clone() * x.clone()).mean_dim(D - 1);
    let y = x * (mean_square + epsilon).sqrt().recip();
    match gain {
        Some(gain) => y * gain.unsqueeze(),
        None => y,
    }
}

/// Rotary position embedding; see [`crate::rope`].
pub fn rope(x: Tensor<4>, base: f64, offset: usize) -> Tensor<4> {
    let [_, sequence, _, head_dim] = x.dims();
    let (cos, sin) = crate::rotation::tables(base, head_dim, offset, sequence);
    let half = head_dim / 2;
    let device = x.device();
    let cos = Tensor::<4>::from_data(TensorData::new(cos, [1, sequence, 1, half]), &device);
    let sin = Tensor::<4>::from_data(TensorData::new(sin, [1, sequence, 1, half]), &device);
    let a = x.clone().narrow(3, 0, half);
    let b = x.narrow(3, half, half);
    let first = a.clone() * cos.clone() - b.clone() * sin.clone();
    let second = b * cos + a * sin;
    Tensor::cat(vec![first, second], 3)
}

/// SwiGLU of gate and up halves; see [`crate::swiglu`].
pub fn swiglu<const D: usize>(gate_up: Tensor<D>) -> Tensor<D> {
    let half = gate_up.dims()[D - 1] / 2;
    silu(gate_up.clone().narrow(D - 1, 0, half)) * gate_up.narrow(D - 1, half, half)
}

/// `max(x, 0)²`; see [`crate::relu_squared`].
pub fn relu_squared<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let x = relu(x);
    x.clone() * x
}

/// Weighted cross-entropy of a linear head; see [`crate::linear_cross_entropy`].
pub fn linear_cross_entropy(
    hidden: Tensor<2>,
    head: Tensor<2>,
    targets: Tensor<1, Int>,
    weights: Tensor<1>,
) -> (Tensor<1>, Tensor<1>) {
    let [rows, _] = hidden.dims();
    let log_probabilities = log_softmax(hidden.matmul(head), 1);
    let losses: Tensor<1> = -log_probabilities.gather(1, targets.reshape([rows, 1])).reshape([rows]);
    // A row of weight nought is left out, not multiplied by nought: its loss may be infinite.
    let skipped = weights.clone().equal_elem(0.0);
    let sum = (losses.clone().mask_fill(skipped.clone(), 0.0) * weights).sum();
    (sum, losses.mask_fill(skipped, 0.0).detach())
}
