//! Every operation of this crate in plain Burn tensors.
//!
//! These are the definitions: they run on every backend, Burn's autodiff gives their gradients, and each fused
//! operation is tested against them. They keep whatever autodiff wants to keep, so they are slow and large.

use crate::cached::Advance;
use crate::precision::Precision;
use crate::rotation::Positions;
use crate::update::{Adamw, Muon, NEWTON_SCHULZ, NORM_EPSILON};
use burn::tensor::activation::{log_softmax, relu, silu, softmax};
use burn::tensor::{Bool, DType, Device, Int, Tensor, TensorData};

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

/// [`attention`] of queries, keys and values side by side; see [`crate::packed_attention`].
pub fn packed_attention(
    qkv: Tensor<4>,
    heads: usize,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
) -> (Tensor<4>, Tensor<3>) {
    let kv_heads = (qkv.dims()[2] - heads) / 2;
    let part = |first, count| qkv.clone().narrow(2, first, count);
    let (k, v) = (part(heads, kv_heads), part(heads + kv_heads, kv_heads));
    attention(part(0, heads), k, v, documents, window)
}

/// One step of decoding; see [`crate::cached_attention`]. Rows that take one position each do so together, as masked attention
/// over the whole cache, the others one after the other.
pub fn cached_attention(
    qkv: Tensor<3>,
    heads: usize,
    mut keys: Tensor<4>,
    mut values: Tensor<4>,
    rows: &[Advance],
    window: Option<usize>,
) -> (Tensor<3>, Tensor<4>, Tensor<4>) {
    let [_, _, head_dim] = qkv.dims();
    let [count, kv_heads, capacity, _] = values.dims();
    let device = qkv.device();
    let mut outputs: Vec<Option<Tensor<3>>> = vec![None; rows.len()];
    let mut singles: Vec<Option<usize>> = vec![None; count];
    let mut first = 0;
    for (index, &Advance { row, held, taken }) in rows.iter().enumerate() {
        let own: Tensor<4> = qkv.clone().narrow(0, first, taken).unsqueeze();
        first += taken;
        if taken == 1 {
            singles[row] = Some(index);
            continue;
        }
        let part = |first, count| own.clone().narrow(2, first, count);
        let (q, k, v) = (part(0, heads), part(heads, kv_heads), part(heads + kv_heads, kv_heads));
        let end = held + taken;
        let place = [row..row + 1, 0..kv_heads, held..end, 0..head_dim];
        let seen = [row..row + 1, 0..kv_heads, 0..end, 0..head_dim];
        keys = keys.slice_assign(place.clone(), k.swap_dims(1, 2));
        values = values.slice_assign(place, v.swap_dims(1, 2));
        let [k, v] = [&keys, &values].map(|held| held.clone().slice(seen.clone()).swap_dims(1, 2));
        let (o, _lse) = attention(q, k, v, None, window);
        outputs[index] = Some(o.squeeze_dim(0));
    }
    if singles.iter().any(Option::is_some) {
        let firsts: Vec<i64> = rows
            .iter()
            .scan(0, |first, row| Some(std::mem::replace(first, *first + row.taken as i64)))
            .collect();
        // A row that takes nothing here computes something that nobody looks at.
        let places: Vec<i64> = singles.iter().map(|index| index.map_or(0, |index| firsts[index])).collect();
        let at = |row: usize| singles[row].map(|index| rows[index].held);
        let end = (0..count).filter_map(at).max().unwrap_or(0) + 1;
        let places = Tensor::<1, Int>::from_data(TensorData::new(places, [count]), &device);
        let own: Tensor<4> = qkv.select(0, places).unsqueeze_dim(2);
        let part = |first, count| own.clone().narrow(1, first, count);
        let (q, k, v) = (part(0, heads), part(heads, kv_heads), part(heads + kv_heads, kv_heads));
        let mask = |holds: &dyn Fn(usize, usize) -> bool, positions: usize| {
            let bits: Vec<bool> = (0..count)
                .flat_map(|row| (0..positions).map(move |p| (row, p)))
                .map(|(row, p)| holds(row, p))
                .collect();
            Tensor::<2, Bool>::from_data(TensorData::new(bits, [count, positions]), &device)
        };
        let new = mask(&|row, position| at(row) == Some(position), capacity);
        let new: Tensor<4, Bool> = new.reshape([count, 1, capacity, 1]);
        let new = new.expand([count, kv_heads, capacity, head_dim]);
        keys = keys.mask_where(new.clone(), k.expand([count, kv_heads, capacity, head_dim]));
        values = values.mask_where(new, v.expand([count, kv_heads, capacity, head_dim]));
        let hidden = mask(
            &|row, position| match at(row) {
                Some(last) => position > last || window.is_some_and(|window| position + window <= last),
                None => position > 0,
            },
            end,
        );
        let [k, v] =
            [&keys, &values].map(|held| repeat_heads(held.clone().narrow(2, 0, end).swap_dims(1, 2), heads));
        let scores = q.matmul(k.swap_dims(2, 3)) * (head_dim as f64).powf(-0.5);
        let hidden: Tensor<4, Bool> = hidden.reshape([count, 1, 1, end]);
        let scores = scores.mask_fill(hidden.expand([count, heads, 1, end]), f32::NEG_INFINITY);
        let o: Tensor<3> = softmax(scores, 3).matmul(v).squeeze_dim(2);
        for (row, index) in singles.iter().enumerate().filter_map(|(row, index)| Some((row, (*index)?))) {
            outputs[index] = Some(o.clone().narrow(0, row, 1));
        }
    }
    (Tensor::cat(outputs.into_iter().flatten().collect(), 0), keys, values)
}

/// Norm, gain and rotation of queries and keys; see [`crate::qk_norm_rope`].
pub fn qk_norm_rope(
    qkv: Tensor<4>,
    query_gain: Tensor<1>,
    key_gain: Tensor<1>,
    heads: usize,
    epsilon: f64,
    base: f64,
    positions: Positions,
) -> Tensor<4> {
    let kv_heads = (qkv.dims()[2] - heads) / 2;
    let part = |first, count| qkv.clone().narrow(2, first, count);
    let place = |x, gain| rotated(rms_norm(x, Some(gain), epsilon), base, &positions);
    let (q, k) = (place(part(0, heads), query_gain), place(part(heads, kv_heads), key_gain));
    Tensor::cat(vec![q, k, part(heads + kv_heads, kv_heads)], 2)
}

/// What a product under this precision sees of `x`. Its gradient is passed on as it is.
fn rounded<const D: usize>(x: Tensor<D>, precision: Precision) -> Tensor<D> {
    match precision {
        Precision::F32 => x,
        Precision::Bf16 => {
            let seen = x.clone().detach().cast(DType::BF16).cast(DType::F32);
            x.clone() + (seen - x.detach())
        }
    }
}

/// `x · weight + residual`; see [`crate::linear`].
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    residual: Option<Tensor<D>>,
    precision: Precision,
) -> Tensor<D> {
    let y = burn::tensor::module::linear(rounded(x, precision), rounded(weight, precision), None);
    match residual {
        Some(residual) => residual + y,
        None => y,
    }
}

/// Rows of a table; see [`crate::embedding`].
pub fn embedding(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    burn::tensor::module::embedding(table, ids)
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
    rotated(x, base, &Positions::From(offset))
}

fn rotated(x: Tensor<4>, base: f64, positions: &Positions) -> Tensor<4> {
    let [batch, sequence, _, head_dim] = x.dims();
    let rows = if let Positions::Each(_) = positions { batch } else { 1 };
    let half = head_dim / 2;
    let device = x.device();
    let [cos, sin] = crate::rotation::tables(base, head_dim, positions, rows, sequence)
        .map(|table| Tensor::<4>::from_data(TensorData::new(table, [rows, sequence, 1, half]), &device));
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
    precision: Precision,
) -> (Tensor<1>, Tensor<1>) {
    let [rows, _] = hidden.dims();
    let logits = rounded(hidden, precision).matmul(rounded(head, precision));
    let log_probabilities = log_softmax(logits, 1);
    let losses: Tensor<1> = -log_probabilities.gather(1, targets.reshape([rows, 1])).reshape([rows]);
    // A row of weight nought is left out, not multiplied by nought: its loss may be infinite.
    let skipped = weights.clone().equal_elem(0.0);
    let sum = (losses.clone().mask_fill(skipped.clone(), 0.0) * weights).sum();
    (sum, losses.mask_fill(skipped, 0.0).detach())
}

/// One step of AdamW; see [`crate::adamw`].
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    first: Tensor<D>,
    second: Tensor<D>,
    step: Adamw,
) -> [Tensor<D>; 3] {
    let [c1, c2] = step.corrections();
    let gradient = gradient * step.gradient_scale;
    let first = first * step.beta1 + gradient.clone() * (1.0 - step.beta1);
    let second = second * step.beta2 + gradient.square() * (1.0 - step.beta2);
    let change = (first.clone() / c1) / ((second.clone() / c2).sqrt() + step.epsilon);
    [parameter * step.keep - change * step.rate, first, second]
}

/// One step of Muon; see [`crate::muon`].
pub fn muon(parameter: Tensor<2>, gradient: Tensor<2>, momentum: Tensor<2>, step: Muon) -> [Tensor<2>; 2] {
    let gradient = gradient * step.gradient_scale;
    let momentum = momentum * step.momentum + gradient.clone();
    let ahead = gradient + momentum.clone() * step.momentum;
    [parameter * step.keep - orthogonalised(ahead) * step.rate, momentum]
}

/// Five Newton–Schulz iterations `X ← aX + (bA + cA²)X`, `A = XXᵀ`, on the wide orientation.
fn orthogonalised(g: Tensor<2>) -> Tensor<2> {
    let [rows, columns] = g.dims();
    let [a, b, c] = NEWTON_SCHULZ;
    let norm = g.clone().square().sum().sqrt().into_scalar::<f32>();
    let tall = rows > columns;
    let mut x = g / (f64::from(norm) + NORM_EPSILON);
    if tall {
        x = x.transpose();
    }
    for _ in 0..5 {
        let gram = x.clone().matmul(x.clone().transpose());
        let step = gram.clone() * b + gram.clone().matmul(gram) * c;
        x = x.clone() * a + step.matmul(x);
    }
    if tall { x.transpose() } else { x }
}
