//! The public operations: shapes are checked here, then the work goes to the fused form or to the reference.

use crate::allowed::Allowed;
use crate::fused::Fused;
use crate::reference;
use crate::rotation::Rotation;
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
) -> (Tensor<1>, Tensor<1>) {
    let ([rows, dimension], [head_dimension, vocabulary]) = (hidden.dims(), head.dims());
    assert_eq!(dimension, head_dimension, "`linear_cross_entropy`: hidden and head do not fit together");
    assert_eq!(targets.dims(), [rows], "`linear_cross_entropy`: one target a row");
    assert_eq!(weights.dims(), [rows], "`linear_cross_entropy`: one weight a row");
    if !has_fused_form(&hidden) {
        return reference::linear_cross_entropy(hidden, head, targets, weights);
    }
    let targets: Arc<[usize]> = targets.into_data().iter::<i64>().map(|target| target as usize).collect();
    let largest = targets.iter().max().copied().unwrap_or(0);
    assert!(largest < vocabulary, "`linear_cross_entropy`: target {} of {vocabulary}", largest as i64);
    let (hidden, head, weights) = (hidden.into_dispatch(), head.into_dispatch(), weights.into_dispatch());
    let (sum, losses) = Dispatch::fused_linear_cross_entropy(hidden, head, weights, targets);
    (Tensor::from_dispatch(sum), Tensor::from_dispatch(losses))
}
