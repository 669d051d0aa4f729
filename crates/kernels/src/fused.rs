//! The fused operations as Burn sees them: one trait, implemented for Flex and, with gradients, for `Autodiff`.

use crate::allowed::Allowed;
use crate::cached::Advance;
use crate::gating::Activation;
use crate::gradients::{
    ActivationLinear, AttentionLse, AttentionOutput, Embedding, Kept, KeptByLse, KeptByPackedLse,
    LeftByOutput, Linear, LinearCrossEntropy, PackedAttentionLse, QkNormRope, ReluSquared, RmsNorm,
    RmsNormGain, Rope, Swiglu,
};
use crate::packed::Packed;
use crate::precision::Precision;
use crate::primitives::Primitives;
use crate::qk::QkHeads;
use crate::rotation::Rotation;
use crate::update::{Adamw, Muon};
use burn::backend::TensorMetadata;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::ops::{Backward, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, AutodiffBackend, Backend, Flex, backend_extension};
use std::sync::{Arc, Mutex};

/// The operations, for any backend that has them; shapes have been checked by the caller.
#[backend_extension(Flex, Autodiff)]
pub(crate) trait Fused: Backend {
    /// `(o, lse)`.
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// `(o, lse)` of packed queries, keys and values.
    fn fused_packed_attention(
        qkv: FloatTensor<Self>,
        heads: usize,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// `(o, keys, values)`; no gradient.
    fn fused_cached_attention(
        qkv: FloatTensor<Self>,
        heads: usize,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: Arc<[Advance]>,
        window: Option<usize>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// `x W`.
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// `x W + residual`.
    fn fused_linear_plus(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// `x W`, the weight packed beforehand; no gradient.
    fn fused_packed_linear(x: FloatTensor<Self>, weight: Arc<Packed>) -> FloatTensor<Self>;
    /// `x W + residual`, likewise.
    fn fused_packed_linear_plus(
        x: FloatTensor<Self>,
        weight: Arc<Packed>,
        residual: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// [`Self::fused_linear`] of the norm of `x`.
    fn fused_rms_norm_linear(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        epsilon: f64,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// [`Self::fused_linear_plus`] of the activation of `x`.
    fn fused_activation_linear_plus(
        x: FloatTensor<Self>,
        activation: Activation,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// [`Self::fused_packed_attention`] after [`Self::fused_qk_norm_rope`].
    fn fused_qk_norm_rope_attention(
        qkv: FloatTensor<Self>,
        query_gain: FloatTensor<Self>,
        key_gain: FloatTensor<Self>,
        heads: QkHeads,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// Rows of a table.
    fn fused_embedding(table: FloatTensor<Self>, ids: Arc<[usize]>) -> FloatTensor<Self>;
    /// Norm, gain and rotation of queries and keys.
    fn fused_qk_norm_rope(
        qkv: FloatTensor<Self>,
        query_gain: FloatTensor<Self>,
        key_gain: FloatTensor<Self>,
        heads: QkHeads,
    ) -> FloatTensor<Self>;
    /// Without a gain.
    fn fused_rms_norm(x: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self>;
    /// With a gain.
    fn fused_rms_norm_gain(x: FloatTensor<Self>, gain: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self>;
    /// Rotary position embedding.
    fn fused_rope(x: FloatTensor<Self>, rotation: Rotation) -> FloatTensor<Self>;
    /// SwiGLU.
    fn fused_swiglu(gate_up: FloatTensor<Self>) -> FloatTensor<Self>;
    /// Squared ReLU.
    fn fused_relu_squared(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// `(sum, losses)`.
    fn fused_linear_cross_entropy(
        hidden: FloatTensor<Self>,
        head: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        targets: Arc<[usize]>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// `Σ x²`; no gradient.
    fn fused_squared_norm(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// Parameter, first and second moment; no gradient.
    fn fused_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: Adamw,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>);
    /// Parameter and momentum; no gradient.
    fn fused_muon(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        momentum: FloatTensor<Self>,
        step: Muon,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
}

impl Fused for Flex {
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        Self::attention_forward(q, k, v, &allowed)
    }
    fn fused_packed_attention(
        qkv: FloatTensor<Self>,
        heads: usize,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        Self::packed_attention_forward(qkv, heads, &allowed)
    }
    fn fused_cached_attention(
        qkv: FloatTensor<Self>,
        heads: usize,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
        rows: Arc<[Advance]>,
        window: Option<usize>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        Self::cached_attention(qkv, heads, [keys, values], &rows, window).into()
    }
    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        Self::linear_forward(x, weight, None, precision)
    }
    fn fused_linear_plus(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        Self::linear_forward(x, weight, Some(residual), precision)
    }
    fn fused_packed_linear(x: FloatTensor<Self>, weight: Arc<Packed>) -> FloatTensor<Self> {
        Self::packed_linear(x, &weight, None)
    }
    fn fused_packed_linear_plus(
        x: FloatTensor<Self>,
        weight: Arc<Packed>,
        residual: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        Self::packed_linear(x, &weight, Some(residual))
    }
    fn fused_rms_norm_linear(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        epsilon: f64,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        Self::linear_forward(Self::rms_norm(x, Some(gain), epsilon).0, weight, None, precision)
    }
    fn fused_activation_linear_plus(
        x: FloatTensor<Self>,
        activation: Activation,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        Self::activation_linear(x, activation, weight, residual, precision)
    }
    fn fused_qk_norm_rope_attention(
        qkv: FloatTensor<Self>,
        query_gain: FloatTensor<Self>,
        key_gain: FloatTensor<Self>,
        heads: QkHeads,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let queries = heads.queries;
        Self::packed_attention_forward(
            Self::qk_norm_rope(qkv, [query_gain, key_gain], heads),
            queries,
            &allowed,
        )
    }
    fn fused_embedding(table: FloatTensor<Self>, ids: Arc<[usize]>) -> FloatTensor<Self> {
        Self::gather_rows(table, &ids)
    }
    fn fused_qk_norm_rope(
        qkv: FloatTensor<Self>,
        query_gain: FloatTensor<Self>,
        key_gain: FloatTensor<Self>,
        heads: QkHeads,
    ) -> FloatTensor<Self> {
        Self::qk_norm_rope(qkv, [query_gain, key_gain], heads)
    }
    fn fused_rms_norm(x: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        Self::rms_norm(x, None, epsilon).0
    }
    fn fused_rms_norm_gain(x: FloatTensor<Self>, gain: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        Self::rms_norm(x, Some(gain), epsilon).0
    }
    fn fused_rope(x: FloatTensor<Self>, rotation: Rotation) -> FloatTensor<Self> {
        Self::rotate(x, rotation)
    }
    fn fused_swiglu(gate_up: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::swiglu(gate_up)
    }
    fn fused_relu_squared(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::relu_squared(x)
    }
    fn fused_linear_cross_entropy(
        hidden: FloatTensor<Self>,
        head: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        targets: Arc<[usize]>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (sum, losses, _) = Self::linear_cross_entropy(hidden, head, &targets, weights, precision, false);
        (sum, losses)
    }
    fn fused_squared_norm(x: FloatTensor<Self>) -> FloatTensor<Self> {
        Self::squared_norm(x)
    }
    fn fused_adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: Adamw,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        Self::adamw(parameter, gradient, first, second, step).into()
    }
    fn fused_muon(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        momentum: FloatTensor<Self>,
        step: Muon,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        Self::muon(parameter, gradient, momentum, step).into()
    }
}

/// Attention's `o` as a node whose parent is `lse`; see [`Fused::fused_attention`] for `Autodiff`.
fn output_of<B: Primitives, C: CheckpointStrategy>(
    o: FloatTensor<B>,
    lse: &FloatTensor<Autodiff<B, C>>,
    d_o: LeftByOutput<B>,
) -> FloatTensor<Autodiff<B, C>> {
    match AttentionOutput.prepare::<C>([lse.node()]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((o.clone(), d_o), o),
        OpsKind::UnTracked(prep) => prep.finish(o),
    }
}

type Tracked<B, C> = FloatTensor<Autodiff<B, C>>;

/// Attention of packed queries, keys and values, for whose backward pass `kept` is kept.
fn attention_of<B: Primitives, C: CheckpointStrategy>(
    qkv: Tracked<B, C>,
    kept: Kept<B>,
    heads: usize,
    allowed: Arc<Allowed>,
) -> (Tracked<B, C>, Tracked<B, C>) {
    let (qkv, node) = qkv.into_parts();
    let (o, lse) = B::packed_attention_forward(qkv, heads, &allowed);
    let d_o = Arc::new(Mutex::new(None));
    let lse = match PackedAttentionLse.prepare::<C>([node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => {
            let kept = KeptByPackedLse { qkv: kept, heads, allowed, lse: lse.clone(), d_o: d_o.clone() };
            prep.finish(kept, lse)
        }
        OpsKind::UnTracked(prep) => prep.finish(lse),
    };
    (output_of::<B, C>(o, &lse, d_o), lse)
}

/// A linear layer, for whose backward pass `kept` is kept in place of `x`.
fn linear_of<B: Primitives, C: CheckpointStrategy>(
    x: Tracked<B, C>,
    kept: Kept<B>,
    weight: Tracked<B, C>,
    precision: Precision,
) -> Tracked<B, C> {
    let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
    let y = B::linear_forward(x, weight.clone(), None, precision);
    match Linear.prepare::<C>([x_node, weight_node]).compute_bound().stateful() {
        OpsKind::Tracked(prep) => prep.finish((kept, weight, precision), y),
        OpsKind::UnTracked(prep) => prep.finish(y),
    }
}

impl<B: Primitives, C: CheckpointStrategy> Fused for Autodiff<B, C> {
    /// Burn's graph knows operations with one result only, attention has two. So there are two nodes: `lse`, a
    /// function of q, k and v, and `o = P(q, k; lse) v`, whose parent is `lse`. The second one's backward pass gives
    /// `lse` its gradient `-do·o` and leaves `do` for the first one, which then does all the work, once.
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let ((q, q_node), (k, k_node), (v, v_node)) = (q.into_parts(), k.into_parts(), v.into_parts());
        let (o, lse) = B::attention_forward(q.clone(), k.clone(), v.clone(), &allowed);
        let d_o = Arc::new(Mutex::new(None));
        let operation = AttentionLse.prepare::<C>([q_node, k_node, v_node]);
        let lse: FloatTensor<Self> = match operation.compute_bound().stateful() {
            OpsKind::Tracked(prep) => {
                let kept = KeptByLse { qkv: [q, k, v], allowed, lse: lse.clone(), d_o: d_o.clone() };
                prep.finish(kept, lse)
            }
            OpsKind::UnTracked(prep) => prep.finish(lse),
        };
        (output_of::<B, C>(o, &lse, d_o), lse)
    }

    fn fused_packed_attention(
        qkv: FloatTensor<Self>,
        heads: usize,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let kept = Kept::AsItIs(qkv.clone().into_primitive());
        attention_of::<B, C>(qkv, kept, heads, allowed)
    }

    fn fused_linear(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let kept = Kept::AsItIs(x.clone().into_primitive());
        linear_of::<B, C>(x, kept, weight, precision)
    }

    fn fused_linear_plus(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (residual, residual_node) = residual.into_parts();
        let y = B::linear_forward(x.clone(), weight.clone(), Some(residual), precision);
        match Linear.prepare::<C>([x_node, weight_node, residual_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((Kept::AsItIs(x), weight, precision), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    /// Two nodes, as for the norm and the linear layer by themselves; what is between them is not kept.
    fn fused_rms_norm_linear(
        x: FloatTensor<Self>,
        gain: FloatTensor<Self>,
        epsilon: f64,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let [kept_x, kept_gain] = [&x, &gain].map(|tensor| tensor.clone().into_primitive());
        let kept = Kept::RmsNorm { x: kept_x, gain: kept_gain, epsilon };
        linear_of::<B, C>(Self::fused_rms_norm_gain(x, gain, epsilon), kept, weight, precision)
    }

    fn fused_activation_linear_plus(
        x: FloatTensor<Self>,
        activation: Activation,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self> {
        let ((x, x_node), (weight, weight_node)) = (x.into_parts(), weight.into_parts());
        let (residual, residual_node) = residual.into_parts();
        let y = B::activation_linear(x.clone(), activation, weight.clone(), residual, precision);
        let operation = ActivationLinear.prepare::<C>([x_node, weight_node, residual_node]);
        match operation.compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, activation, weight, precision), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn fused_qk_norm_rope_attention(
        qkv: FloatTensor<Self>,
        query_gain: FloatTensor<Self>,
        key_gain: FloatTensor<Self>,
        heads: QkHeads,
        allowed: Arc<Allowed>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [kept_qkv, of_queries, of_keys] =
            [&qkv, &query_gain, &key_gain].map(|tensor| tensor.clone().into_primitive());
        let kept = Kept::QkNormRope { qkv: kept_qkv, gains: [of_queries, of_keys], heads: heads.clone() };
        let queries = heads.queries;
        attention_of::<B, C>(
            Self::fused_qk_norm_rope(qkv, query_gain, key_gain, heads),
            kept,
            queries,
            allowed,
        )
    }

    fn fused_embedding(table: FloatTensor<Self>, ids: Arc<[usize]>) -> FloatTensor<Self> {
        let (table, node) = table.into_parts();
        let rows = table.shape()[0];
        let y = B::gather_rows(table, &ids);
        match Embedding.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((ids, rows), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn fused_qk_norm_rope(
        qkv: FloatTensor<Self>,
        query_gain: FloatTensor<Self>,
        key_gain: FloatTensor<Self>,
        heads: QkHeads,
    ) -> FloatTensor<Self> {
        let (qkv, qkv_node) = qkv.into_parts();
        let ((query_gain, query_node), (key_gain, key_node)) =
            (query_gain.into_parts(), key_gain.into_parts());
        let gains = [query_gain, key_gain];
        let y = B::qk_norm_rope(qkv.clone(), gains.clone(), heads.clone());
        match QkNormRope.prepare::<C>([qkv_node, query_node, key_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((qkv, gains, heads), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn fused_rms_norm(x: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let (y, r) = B::rms_norm(x.clone(), None, epsilon);
        match RmsNorm.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, r), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn fused_rms_norm_gain(x: FloatTensor<Self>, gain: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        let ((x, x_node), (gain, gain_node)) = (x.into_parts(), gain.into_parts());
        let (y, r) = B::rms_norm(x.clone(), Some(gain.clone()), epsilon);
        match RmsNormGain.prepare::<C>([x_node, gain_node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((x, gain, r), y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn fused_rope(x: FloatTensor<Self>, rotation: Rotation) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let y = B::rotate(x, rotation);
        match Rope.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(rotation, y),
            OpsKind::UnTracked(prep) => prep.finish(y),
        }
    }

    fn fused_swiglu(gate_up: FloatTensor<Self>) -> FloatTensor<Self> {
        let (gate_up, node) = gate_up.into_parts();
        let out = B::swiglu(gate_up.clone());
        match Swiglu.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(gate_up, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn fused_relu_squared(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (x, node) = x.into_parts();
        let out = B::relu_squared(x.clone());
        match ReluSquared.prepare::<C>([node]).compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish(x, out),
            OpsKind::UnTracked(prep) => prep.finish(out),
        }
    }

    fn fused_linear_cross_entropy(
        hidden: FloatTensor<Self>,
        head: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        targets: Arc<[usize]>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        assert!(
            !weights.is_tracked(),
            "`linear_cross_entropy` has no gradient for its weights; detach them if they are meant to be constant"
        );
        let tracked = hidden.is_tracked() || head.is_tracked();
        let ((hidden, hidden_node), (head, head_node)) = (hidden.into_parts(), head.into_parts());
        let weights = weights.into_primitive();
        let (sum, losses, gradients) =
            B::linear_cross_entropy(hidden, head, &targets, weights, precision, tracked);
        let operation = LinearCrossEntropy.prepare::<C>([hidden_node, head_node]);
        let sum = match (operation.compute_bound().stateful(), gradients) {
            (OpsKind::Tracked(prep), Some(gradients)) => prep.finish(gradients, sum),
            (OpsKind::Tracked(_), None) => unreachable!("a tracked operation computes its gradients"),
            (OpsKind::UnTracked(prep), _) => prep.finish(sum),
        };
        (sum, <Self as AutodiffBackend>::from_inner(losses))
    }

    fn fused_cached_attention(
        _: FloatTensor<Self>,
        _: usize,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Arc<[Advance]>,
        _: Option<usize>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("the public operation refuses tracked tensors")
    }

    fn fused_packed_linear(_: FloatTensor<Self>, _: Arc<Packed>) -> FloatTensor<Self> {
        unreachable!("the public operation refuses tracked tensors")
    }

    fn fused_packed_linear_plus(
        _: FloatTensor<Self>,
        _: Arc<Packed>,
        _: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        unreachable!("the public operation refuses tracked tensors")
    }

    fn fused_squared_norm(_: FloatTensor<Self>) -> FloatTensor<Self> {
        unreachable!("the public operation takes its operand out of the graph")
    }

    fn fused_adamw(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Adamw,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("the public operation refuses tracked tensors")
    }

    fn fused_muon(
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: FloatTensor<Self>,
        _: Muon,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        unreachable!("the public operation refuses tracked tensors")
    }
}
