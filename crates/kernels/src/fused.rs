//! The fused operations as Burn sees them: one trait, implemented for Flex and, with gradients, for `Autodiff`.

use crate::allowed::Allowed;
use crate::gradients::{
    AttentionLse, AttentionOutput, KeptByLse, LinearCrossEntropy, ReluSquared, RmsNorm, RmsNormGain, Rope,
    Swiglu,
};
use crate::primitives::Primitives;
use crate::rotation::Rotation;
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
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (sum, losses, _) = Self::linear_cross_entropy(hidden, head, &targets, weights, false);
        (sum, losses)
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
        let operation = AttentionOutput.prepare::<C>([lse.node()]);
        let o = match operation.compute_bound().stateful() {
            OpsKind::Tracked(prep) => prep.finish((o.clone(), d_o), o),
            OpsKind::UnTracked(prep) => prep.finish(o),
        };
        (o, lse)
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
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        assert!(
            !weights.is_tracked(),
            "`linear_cross_entropy` has no gradient for its weights; detach them if they are meant to be constant"
        );
        let tracked = hidden.is_tracked() || head.is_tracked();
        let ((hidden, hidden_node), (head, head_node)) = (hidden.into_parts(), head.into_parts());
        let weights = weights.into_primitive();
        let (sum, losses, gradients) = B::linear_cross_entropy(hidden, head, &targets, weights, tracked);
        let operation = LinearCrossEntropy.prepare::<C>([hidden_node, head_node]);
        let sum = match (operation.compute_bound().stateful(), gradients) {
            (OpsKind::Tracked(prep), Some(gradients)) => prep.finish(gradients, sum),
            (OpsKind::Tracked(_), None) => unreachable!("a tracked operation computes its gradients"),
            (OpsKind::UnTracked(prep), _) => prep.finish(sum),
        };
        (sum, <Self as AutodiffBackend>::from_inner(losses))
    }
}
