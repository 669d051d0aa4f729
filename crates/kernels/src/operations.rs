//! The public operations: shapes are checked here, then the work goes to the fused form or to the reference.

use crate::allowed::Allowed;
use crate::cached::Advance;
use crate::fused::Fused;
use crate::gating::Activation;
use crate::matmul::Matrix;
use crate::packed::Packed;
use crate::precision::Precision;
use crate::qk::QkHeads;
use crate::reference;
use crate::rotation::{Positions, Rotation};
use crate::update::{Adamw, Muon};
use burn::backend::Dispatch;
use burn::tensor::{DType, Device, Int, Tensor};
use std::sync::Arc;

/// Whether the fused form can serve: the CPU backend, in f32. Elsewhere the reference does.
fn has_fused_form<const D: usize>(x: &Tensor<D>) -> bool {
    x.dtype() == DType::F32 && x.device() == Device::flex()
}

/// Causal softmax attention.
///
/// - `q`: `[batch, sequence, heads, head_dim]`; `k`, `v`: `[batch, keys, kv_heads, head_dim]`. `kv_heads` divides
///   `heads`: key head `g` serves the query heads from `g · heads / kv_heads` on. There may be more keys than queries
///   (decoding with a cache); the queries are then the last positions.
/// - `documents`: `[batch, keys]`; a query sees only keys with the same number as its own position.
/// - `window`: a query sees the last `window` positions, its own included; at least 1.
///
/// Returns `o`, shaped like `q`, and `lse` `[batch, heads, sequence]`, the logarithm of the sum of the exponentials of
/// the scores `q·k / √head_dim`. Both have gradients, so that sinks, gates and merges can be built on them. Views of
/// which only the last dimension is contiguous (parts of one `[batch, sequence, heads, head_dim]` tensor) are not
/// copied.
///
/// The fused form keeps q, k, v, o and lse for the backward pass, and touches only keys between the first and the
/// last one that a group of neighbouring queries may see. A query's result depends on nothing but its own keys.
///
/// # Panics
/// If the shapes do not fit together, or the window is nought.
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
) -> (Tensor<4>, Tensor<3>) {
    let ([batch, queries, heads, head_dim], [_, keys, kv_heads, _]) = (q.dims(), k.dims());
    assert_eq!(
        k.dims(),
        [batch, keys, kv_heads, head_dim],
        "`attention`: q is {:?}, k {:?}",
        q.dims(),
        k.dims()
    );
    assert_eq!(v.dims(), k.dims(), "`attention`: k and v must have the same shape");
    assert!(
        kv_heads > 0 && heads.is_multiple_of(kv_heads),
        "`attention`: {heads} heads, {kv_heads} key heads"
    );
    assert!(keys >= queries && queries > 0, "`attention`: {queries} queries, {keys} keys");
    assert_ne!(window, Some(0), "`attention`: a window of 0 shows nothing; use at least 1");
    if let Some(documents) = &documents {
        assert_eq!(documents.dims(), [batch, keys], "`attention`: documents must be [batch, keys]");
    }
    if !has_fused_form(&q) {
        return reference::attention(q, k, v, documents, window);
    }
    let documents = documents.map(|documents| documents.into_data().iter::<i64>().collect());
    let allowed = Arc::new(Allowed::new(keys, window, documents));
    let (o, lse) =
        Dispatch::fused_attention(q.into_dispatch(), k.into_dispatch(), v.into_dispatch(), allowed);
    (Tensor::from_dispatch(o), Tensor::from_dispatch(lse))
}

/// [`attention`] of queries, keys and values that lie side by side in one tensor, without taking them apart.
///
/// `qkv`: `[batch, sequence, heads + 2 kv_heads, head_dim]`, the query heads first, then those of the keys, then those
/// of the values. `documents`: `[batch, sequence]`. Returns `o` `[batch, sequence, heads, head_dim]` and `lse`
/// `[batch, heads, sequence]`; the gradient is one tensor like `qkv`.
///
/// # Panics
/// If the shapes do not fit together, or the window is nought.
pub fn packed_attention(
    qkv: Tensor<4>,
    heads: usize,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
) -> (Tensor<4>, Tensor<3>) {
    if !has_fused_form(&qkv) {
        return reference::packed_attention(qkv, heads, documents, window);
    }
    let allowed = allowed_of("packed_attention", &qkv, heads, documents, window);
    let (o, lse) = Dispatch::fused_packed_attention(qkv.into_dispatch(), heads, allowed);
    (Tensor::from_dispatch(o), Tensor::from_dispatch(lse))
}

/// The capacity of a cache, and what a row of it goes back to, is a multiple of so many positions.
pub const CACHE_PANEL: usize = crate::attention::KEY_PANEL;

/// One step of decoding: rows of a cache take new positions, as many as each of them likes, and attend over all that
/// they hold.
///
/// - `qkv`: `[taken, heads + 2 kv_heads, head_dim]`, normalised and rotated, the positions of the first row of `rows`
///   first;
/// - `keys` and `values`: `[all rows, kv_heads, capacity, head_dim]`. They are taken over, and written to in place where nobody
///   else holds them. How keys lie within 32 positions is not told: whole panels are transposed for the products to come. So a row
///   may go back only to a multiple of 32, see [`CACHE_PANEL`];
/// - `window`: as in [`attention`].
///
/// Returns `o`, `[taken, heads, head_dim]`, then `keys` and `values` with the new positions in them. A row's result is that
/// of [`attention`] over the whole of it, bit for bit in the fused form, whatever the other rows do and
/// however its positions fall into steps.
///
/// # Panics
/// If the shapes do not fit together, a row stands twice in `rows`, takes nothing or has no room, the capacity is no multiple of
/// 32, or a tensor is tracked by automatic differentiation.
pub fn cached_attention(
    qkv: Tensor<3>,
    heads: usize,
    keys: Tensor<4>,
    values: Tensor<4>,
    rows: &[Advance],
    window: Option<usize>,
) -> (Tensor<3>, Tensor<4>, Tensor<4>) {
    let ([taken, all, head_dim], [count, kv_heads, capacity, _]) = (qkv.dims(), values.dims());
    assert_eq!(all, heads + 2 * kv_heads, "`cached_attention`: {heads} query and {kv_heads} key heads");
    assert!(heads.is_multiple_of(kv_heads), "`cached_attention`: {heads} heads, {kv_heads} key heads");
    assert_eq!(values.dims()[3], head_dim, "`cached_attention`: qkv and values differ in head_dim");
    assert!(capacity.is_multiple_of(CACHE_PANEL), "`cached_attention`: room for {capacity} positions");
    assert_eq!(keys.dims(), values.dims(), "`cached_attention`: keys and values must have the same shape");
    assert_ne!(window, Some(0), "`cached_attention`: a window of 0 shows nothing; use at least 1");
    let mut seen = vec![false; count];
    for &Advance { row, held, taken } in rows {
        assert!(row < count && taken > 0, "`cached_attention`: row {row} of {count} takes {taken}");
        assert!(held + taken <= capacity, "`cached_attention`: {held} + {taken} of {capacity} positions");
        assert!(!std::mem::replace(&mut seen[row], true), "`cached_attention`: row {row} stands there twice");
    }
    let of_rows: usize = rows.iter().map(|row| row.taken).sum();
    assert_eq!(of_rows, taken, "`cached_attention`: the rows do not take what there is");
    assert!(
        !(qkv.is_autodiff() || keys.is_autodiff() || values.is_autodiff()),
        "`cached_attention` has no gradient; give it tensors without automatic differentiation"
    );
    if !has_fused_form(&qkv) {
        return reference::cached_attention(qkv, heads, keys, values, rows, window);
    }
    let (keys, values) = (keys.into_dispatch(), values.into_dispatch());
    let (o, keys, values) =
        Dispatch::fused_cached_attention(qkv.into_dispatch(), heads, keys, values, rows.into(), window);
    (Tensor::from_dispatch(o), Tensor::from_dispatch(keys), Tensor::from_dispatch(values))
}

/// The mask of packed attention, whose shapes are checked.
fn allowed_of(
    operation: &str,
    qkv: &Tensor<4>,
    heads: usize,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
) -> Arc<Allowed> {
    let [batch, sequence, _, _] = qkv.dims();
    let kv_heads = kv_heads(operation, qkv, heads);
    assert!(heads.is_multiple_of(kv_heads), "`{operation}`: {heads} heads, {kv_heads} key heads");
    assert_ne!(window, Some(0), "`{operation}`: a window of 0 shows nothing; use at least 1");
    if let Some(documents) = &documents {
        let expected = [batch, sequence];
        assert_eq!(documents.dims(), expected, "`{operation}`: documents must be [batch, sequence]");
    }
    let documents = documents.map(|documents| documents.into_data().iter::<i64>().collect());
    Arc::new(Allowed::new(sequence, window, documents))
}

/// [`packed_attention`] after [`qk_norm_rope`], in which each row of the batch begins at position 0. What is between the two is not kept
/// for the backward pass but computed again.
///
/// # Panics
/// As those two.
#[expect(clippy::too_many_arguments, reason = "those of the two operations that it joins")]
pub fn qk_norm_rope_attention(
    qkv: Tensor<4>,
    query_gain: Tensor<1>,
    key_gain: Tensor<1>,
    heads: usize,
    epsilon: f64,
    base: f64,
    documents: Option<Tensor<2, Int>>,
    window: Option<usize>,
) -> (Tensor<4>, Tensor<3>) {
    let from = Positions::From(0);
    if !has_fused_form(&qkv) {
        let qkv = reference::qk_norm_rope(qkv, query_gain, key_gain, heads, epsilon, base, from);
        return packed_attention(qkv, heads, documents, window);
    }
    let qk_heads = qk_heads(&qkv, [&query_gain, &key_gain], heads, epsilon, base, from);
    let allowed = allowed_of("qk_norm_rope_attention", &qkv, heads, documents, window);
    let (query_gain, key_gain) = (query_gain.into_dispatch(), key_gain.into_dispatch());
    let (o, lse) =
        Dispatch::fused_qk_norm_rope_attention(qkv.into_dispatch(), query_gain, key_gain, qk_heads, allowed);
    (Tensor::from_dispatch(o), Tensor::from_dispatch(lse))
}

/// How many heads of `[batch, sequence, heads + 2 kv_heads, head_dim]` are keys.
fn kv_heads(operation: &str, qkv: &Tensor<4>, heads: usize) -> usize {
    let all = qkv.dims()[2];
    assert!(
        heads > 0 && all > heads && (all - heads).is_multiple_of(2),
        "`{operation}`: {all} heads in all do not go with {heads} query heads"
    );
    (all - heads) / 2
}

/// What queries and keys go through before attention: [`rms_norm`] over each head with a gain, then [`rope`]; values
/// stay as they are.
///
/// `qkv`: as in [`packed_attention`]; the gains: `[head_dim]`. Returns what is shaped like `qkv`.
///
/// # Panics
/// If the shapes do not fit together, `head_dim` is odd, or there is not one position an element.
pub fn qk_norm_rope(
    qkv: Tensor<4>,
    query_gain: Tensor<1>,
    key_gain: Tensor<1>,
    heads: usize,
    epsilon: f64,
    base: f64,
    positions: Positions,
) -> Tensor<4> {
    let qk_heads = qk_heads(&qkv, [&query_gain, &key_gain], heads, epsilon, base, positions.clone());
    if !has_fused_form(&qkv) {
        return reference::qk_norm_rope(qkv, query_gain, key_gain, heads, epsilon, base, positions);
    }
    let (query_gain, key_gain) = (query_gain.into_dispatch(), key_gain.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_qk_norm_rope(qkv.into_dispatch(), query_gain, key_gain, qk_heads))
}

/// What is done to queries and keys; the shapes are checked.
fn qk_heads(
    qkv: &Tensor<4>,
    gains: [&Tensor<1>; 2],
    heads: usize,
    epsilon: f64,
    base: f64,
    positions: Positions,
) -> QkHeads {
    let [batch, sequence, _, head_dim] = qkv.dims();
    let keys = kv_heads("qk_norm_rope", qkv, heads);
    assert!(head_dim.is_multiple_of(2), "`qk_norm_rope`: head_dim must be even, it is {head_dim}");
    for gain in gains {
        assert_eq!(gain.dims(), [head_dim], "`qk_norm_rope`: a gain must have head_dim numbers");
    }
    if let Positions::Each(positions) = &positions {
        assert_eq!(positions.len(), batch * sequence, "`qk_norm_rope`: one position an element");
    }
    QkHeads { queries: heads, keys, head_dim, epsilon: epsilon as f32, base, sequence, positions }
}

/// A linear layer without a bias, and the residual stream that it is added to: `x · weight + residual`.
///
/// `x`: `[…, in]`, `weight`: `[in, out]`, `residual`: `[…, out]`. The fused form adds the residual while it writes the
/// product, and neither pass copies or transposes an operand. An element of the result is a sum whose order depends
/// on nothing but `in`. `precision` says how the operands of this product and of the two of the backward pass are taken.
///
/// # Panics
/// If the shapes do not fit together.
pub fn linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    residual: Option<Tensor<D>>,
    precision: Precision,
) -> Tensor<D> {
    let [inputs, outputs] = weight.dims();
    let mut shape = x.dims();
    assert_eq!(shape[D - 1], inputs, "`linear`: x is {shape:?}, the weight [{inputs}, {outputs}]");
    shape[D - 1] = outputs;
    if let Some(residual) = &residual {
        assert_eq!(residual.dims(), shape, "`linear`: the residual must have the result's shape");
    }
    if !has_fused_form(&x) {
        return reference::linear(x, weight, residual, precision);
    }
    let (x, weight) = (x.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(match residual {
        Some(residual) => Dispatch::fused_linear_plus(x, weight, residual.into_dispatch(), precision),
        None => Dispatch::fused_linear(x, weight, precision),
    })
}

/// [`linear`] of the [`rms_norm`] of `x`: `rms_norm(x) · weight`. The norm is not kept for the backward pass but computed again.
///
/// # Panics
/// If the shapes do not fit together.
pub fn rms_norm_linear<const D: usize>(
    x: Tensor<D>,
    gain: Tensor<1>,
    epsilon: f64,
    weight: Tensor<2>,
    precision: Precision,
) -> Tensor<D> {
    if !has_fused_form(&x) {
        return linear(rms_norm(x, Some(gain), epsilon), weight, None, precision);
    }
    assert_eq!(gain.dims()[0], x.dims()[D - 1], "`rms_norm_linear`: the gain must have x's last dimension");
    assert_eq!(
        weight.dims()[0],
        x.dims()[D - 1],
        "`rms_norm_linear`: the weight must have x's last dimension"
    );
    let (x, gain, weight) = (x.into_dispatch(), gain.into_dispatch(), weight.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_rms_norm_linear(x, gain, epsilon, weight, precision))
}

/// [`linear`] of the [`swiglu`] of `gate_up`: `swiglu(gate_up) · weight + residual`. The SwiGLU is not kept for the backward pass but
/// computed again.
///
/// # Panics
/// If the shapes do not fit together.
pub fn swiglu_linear<const D: usize>(
    gate_up: Tensor<D>,
    weight: Tensor<2>,
    residual: Tensor<D>,
    precision: Precision,
) -> Tensor<D> {
    activation_linear("swiglu_linear", gate_up, Activation::Swiglu, weight, residual, precision)
}

/// The same with [`relu_squared`].
///
/// # Panics
/// If the shapes do not fit together.
pub fn relu_squared_linear<const D: usize>(
    x: Tensor<D>,
    weight: Tensor<2>,
    residual: Tensor<D>,
    precision: Precision,
) -> Tensor<D> {
    activation_linear("relu_squared_linear", x, Activation::ReluSquared, weight, residual, precision)
}

fn activation_linear<const D: usize>(
    operation: &str,
    x: Tensor<D>,
    activation: Activation,
    weight: Tensor<2>,
    residual: Tensor<D>,
    precision: Precision,
) -> Tensor<D> {
    let (mut shape, [inputs, outputs]) = (x.dims(), weight.dims());
    let (activated, wanted): (fn(Tensor<D>) -> Tensor<D>, usize) = match activation {
        Activation::Swiglu => (swiglu, 2 * inputs),
        Activation::ReluSquared => (relu_squared, inputs),
    };
    if !has_fused_form(&x) {
        return linear(activated(x), weight, Some(residual), precision);
    }
    assert_eq!(shape[D - 1], wanted, "`{operation}`: {shape:?} and {:?}", weight.dims());
    shape[D - 1] = outputs;
    assert_eq!(residual.dims(), shape, "`{operation}`: the residual must have the result's shape");
    let (x, weight, residual) = (x.into_dispatch(), weight.into_dispatch(), residual.into_dispatch());
    Tensor::from_dispatch(Dispatch::fused_activation_linear_plus(x, activation, weight, residual, precision))
}

/// The weight of a linear layer, `[in, out]`, made ready for many products: in the fused form it is packed once, in the order in
/// which it is read, and rounded if the precision says so.
#[derive(Clone, Debug)]
pub struct ReadyWeight {
    sizes: [usize; 2],
    form: ReadyForm,
}

#[derive(Clone, Debug)]
enum ReadyForm {
    Packed(Arc<Packed>),
    AsItIs(Box<Tensor<2>>, Precision),
}

impl ReadyWeight {
    /// Makes a weight ready for [`ready_linear`] of this precision.
    ///
    /// # Panics
    /// If the tensor is tracked by automatic differentiation.
    pub fn new(weight: Tensor<2>, precision: Precision) -> ReadyWeight {
        refuse_tracked("ready_linear", [&weight]);
        let sizes = weight.dims();
        if !has_fused_form(&weight) {
            return ReadyWeight { sizes, form: ReadyForm::AsItIs(Box::new(weight), precision) };
        }
        let numbers = weight.try_into_vec_as::<f32>().expect("an f32 tensor");
        let packed = Packed::new(Matrix::by_rows(&numbers, sizes[1]), precision);
        ReadyWeight { sizes, form: ReadyForm::Packed(Arc::new(packed)) }
    }
}

/// [`linear`] by a weight that was made ready, to the same bits; it has no gradient.
///
/// # Panics
/// If the shapes do not fit together, or a tensor is tracked by automatic differentiation.
pub fn ready_linear<const D: usize>(
    x: Tensor<D>,
    weight: &ReadyWeight,
    residual: Option<Tensor<D>>,
) -> Tensor<D> {
    let [inputs, outputs] = weight.sizes;
    let mut shape = x.dims();
    assert_eq!(shape[D - 1], inputs, "`ready_linear`: x is {shape:?}, the weight [{inputs}, {outputs}]");
    shape[D - 1] = outputs;
    if let Some(residual) = &residual {
        assert_eq!(residual.dims(), shape, "`ready_linear`: the residual must have the result's shape");
        refuse_tracked("ready_linear", [residual]);
    }
    refuse_tracked("ready_linear", [&x]);
    match &weight.form {
        ReadyForm::AsItIs(weight, precision) => {
            reference::linear(x, Tensor::clone(weight), residual, *precision)
        }
        ReadyForm::Packed(packed) => Tensor::from_dispatch(match residual {
            Some(residual) => Dispatch::fused_packed_linear_plus(
                x.into_dispatch(),
                packed.clone(),
                residual.into_dispatch(),
            ),
            None => Dispatch::fused_packed_linear(x.into_dispatch(), packed.clone()),
        }),
    }
}

/// Rows of a table: `table[ids]`.
///
/// `table`: `[rows, dimension]`; `ids`: `[batch, sequence]`. Returns `[batch, sequence, dimension]`. The gradient adds
/// up the positions of a row in their order.
///
/// # Panics
/// If an id is not a row of the table.
pub fn embedding(table: Tensor<2>, ids: Tensor<2, Int>) -> Tensor<3> {
    let ([rows, dimension], [batch, sequence]) = (table.dims(), ids.dims());
    if !has_fused_form(&table) {
        return reference::embedding(table, ids);
    }
    let ids: Arc<[usize]> = ids.into_data().iter::<i64>().map(|id| id as usize).collect();
    let largest = ids.iter().max().copied().unwrap_or(0);
    assert!(largest < rows, "`embedding`: id {} of {rows}", largest as i64);
    let out: Tensor<2> = Tensor::from_dispatch(Dispatch::fused_embedding(table.into_dispatch(), ids));
    out.reshape([batch, sequence, dimension])
}

/// Root-mean-square norm over the last dimension: `y = gain · x / √(mean x² + epsilon)` (Zhang & Sennrich 2019).
///
/// `x` has any shape; `gain`: `[last dimension of x]`.
///
/// # Panics
/// If the gain's length is not the last dimension.
pub fn rms_norm<const D: usize>(x: Tensor<D>, gain: Option<Tensor<1>>, epsilon: f64) -> Tensor<D> {
    if let Some(gain) = &gain {
        assert_eq!(gain.dims()[0], x.dims()[D - 1], "`rms_norm`: the gain must have x's last dimension");
    }
    if !has_fused_form(&x) {
        return reference::rms_norm(x, gain, epsilon);
    }
    Tensor::from_dispatch(match gain {
        Some(gain) => Dispatch::fused_rms_norm_gain(x.into_dispatch(), gain.into_dispatch(), epsilon),
        None => Dispatch::fused_rms_norm(x.into_dispatch(), epsilon),
    })
}

/// Rotary position embedding (Su et al. 2021), half-split: number `i` of the first half and number `i` of the second
/// half of a head are rotated by `(offset + position) · base^(-2i / head_dim)`.
///
/// `x`: `[batch, sequence, heads, head_dim]`; `offset`: the position of the first element, for decoding.
///
/// # Panics
/// If `head_dim` is odd.
pub fn rope(x: Tensor<4>, base: f64, offset: usize) -> Tensor<4> {
    let [_, sequence, heads, head_dim] = x.dims();
    assert!(head_dim.is_multiple_of(2), "`rope`: head_dim must be even, it is {head_dim}");
    if !has_fused_form(&x) {
        return reference::rope(x, base, offset);
    }
    let rotation = Rotation { sequence, heads, head_dim, base, offset, inverse: false };
    Tensor::from_dispatch(Dispatch::fused_rope(x.into_dispatch(), rotation))
}

/// SwiGLU (Shazeer 2020): `silu(gate) · up`, where `gate_up` holds the gate in the first half of its last dimension
/// and up in the second. The result's last dimension is half as long.
///
/// # Panics
/// If the last dimension is odd.
pub fn swiglu<const D: usize>(gate_up: Tensor<D>) -> Tensor<D> {
    let last = gate_up.dims()[D - 1];
    assert!(last.is_multiple_of(2), "`swiglu`: the last dimension must be even, it is {last}");
    if !has_fused_form(&gate_up) {
        return reference::swiglu(gate_up);
    }
    Tensor::from_dispatch(Dispatch::fused_swiglu(gate_up.into_dispatch()))
}

/// Squared ReLU (So et al. 2021): `max(x, 0)²`.
pub fn relu_squared<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if !has_fused_form(&x) {
        return reference::relu_squared(x);
    }
    Tensor::from_dispatch(Dispatch::fused_relu_squared(x.into_dispatch()))
}

/// Weighted cross-entropy of a linear head: `Σ wᵢ ℓᵢ` with `ℓᵢ = -log softmax(hiddenᵢ · head)[targetᵢ]`.
///
/// - `hidden`: `[rows, dimension]`; `head`: `[dimension, vocabulary]`; `targets`: `[rows]`;
/// - `weights`: `[rows]`, any real numbers. They are constants. A row of weight 0 is skipped: it contributes exactly
///   nothing, even if its loss would be infinite, and its `ℓ` is given as 0 (so count only rows with a weight).
///
/// - `precision`: how the operands of the products, forward and backward, are taken.
///
/// Returns the sum `[1]` (divide it by whatever the objective names), with gradients for `hidden` and `head`, and the
/// losses `[rows]`, which are a constant: no gradient flows through them. The fused form has at most a block of rows
/// of logits at a time, and computes the gradients along with the loss, so do not call it with tracked tensors where
/// only the loss is wanted.
///
/// # Panics
/// If the shapes do not fit together, a target is not in the vocabulary, or the weights want a gradient.
pub fn linear_cross_entropy(
    hidden: Tensor<2>,
    head: Tensor<2>,
    targets: Tensor<1, Int>,
    weights: Tensor<1>,
    precision: Precision,
) -> (Tensor<1>, Tensor<1>) {
    let ([rows, dimension], [head_dimension, vocabulary]) = (hidden.dims(), head.dims());
    assert_eq!(dimension, head_dimension, "`linear_cross_entropy`: hidden and head do not fit together");
    assert_eq!(targets.dims(), [rows], "`linear_cross_entropy`: one target a row");
    assert_eq!(weights.dims(), [rows], "`linear_cross_entropy`: one weight a row");
    if !has_fused_form(&hidden) {
        return reference::linear_cross_entropy(hidden, head, targets, weights, precision);
    }
    let targets: Arc<[usize]> = targets.into_data().iter::<i64>().map(|target| target as usize).collect();
    let largest = targets.iter().max().copied().unwrap_or(0);
    assert!(largest < vocabulary, "`linear_cross_entropy`: target {} of {vocabulary}", largest as i64);
    let (hidden, head, weights) = (hidden.into_dispatch(), head.into_dispatch(), weights.into_dispatch());
    let (sum, losses) = Dispatch::fused_linear_cross_entropy(hidden, head, weights, targets, precision);
    (Tensor::from_dispatch(sum), Tensor::from_dispatch(losses))
}

/// One step of AdamW: returns the moved parameter and its two moments, all shaped like `gradient`.
///
/// The tensors are taken over: where nobody else holds them, the fused form works in place and in one pass.
///
/// # Panics
/// If a tensor is tracked by automatic differentiation (an update has no gradient), or the shapes differ.
pub fn adamw<const D: usize>(
    parameter: Tensor<D>,
    gradient: Tensor<D>,
    first: Tensor<D>,
    second: Tensor<D>,
    step: Adamw,
) -> [Tensor<D>; 3] {
    for other in [&gradient, &first, &second] {
        assert_eq!(other.dims(), parameter.dims(), "`adamw`: the shapes differ");
    }
    refuse_tracked("adamw", [&parameter, &gradient, &first, &second]);
    if !has_fused_form(&parameter) {
        return reference::adamw(parameter, gradient, first, second, step);
    }
    let [parameter, gradient, first, second] =
        [parameter, gradient, first, second].map(Tensor::into_dispatch);
    let (parameter, first, second) = Dispatch::fused_adamw(parameter, gradient, first, second, step);
    [parameter, first, second].map(Tensor::from_dispatch)
}

/// One step of Muon on a matrix: returns the moved parameter and its momentum.
///
/// The tensors are taken over, as in [`adamw`].
///
/// # Panics
/// If a tensor is tracked by automatic differentiation (an update has no gradient), or the shapes differ.
pub fn muon(parameter: Tensor<2>, gradient: Tensor<2>, momentum: Tensor<2>, step: Muon) -> [Tensor<2>; 2] {
    for other in [&gradient, &momentum] {
        assert_eq!(other.dims(), parameter.dims(), "`muon`: the shapes differ");
    }
    refuse_tracked("muon", [&parameter, &gradient, &momentum]);
    if !has_fused_form(&parameter) {
        return reference::muon(parameter, gradient, momentum, step);
    }
    let [parameter, gradient, momentum] = [parameter, gradient, momentum].map(Tensor::into_dispatch);
    let (parameter, momentum) = Dispatch::fused_muon(parameter, gradient, momentum, step);
    [parameter, momentum].map(Tensor::from_dispatch)
}

/// `Σ x²`, a constant: its gradient does not flow.
pub fn squared_norm<const D: usize>(x: Tensor<D>) -> f64 {
    let x = x.without_autodiff();
    if !has_fused_form(&x) {
        return f64::from(x.square().sum().into_scalar::<f32>());
    }
    let norm = Tensor::<1>::from_dispatch(Dispatch::fused_squared_norm(x.into_dispatch()));
    f64::from(norm.into_scalar::<f32>())
}

fn refuse_tracked<const D: usize, const N: usize>(operation: &str, tensors: [&Tensor<D>; N]) {
    assert!(
        tensors.iter().all(|tensor| !tensor.is_autodiff()),
        "`{operation}` has no gradient; give it tensors without automatic differentiation"
    );
}
