//! The backward steps of the fused operations in Burn's graph.

use crate::allowed::Allowed;
use crate::gating::Activation;
use crate::precision::Precision;
use crate::primitives::Primitives;
use crate::qk::QkHeads;
use crate::rotation::Rotation;
use burn::backend::Backend;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops};
use burn::backend::tensor::FloatTensor;
use std::sync::{Arc, Mutex, PoisonError};

/// The operand of a product, as it is kept for the backward pass: what is quickly computed again is not kept itself.
#[derive(Clone, Debug)]
pub(crate) enum Kept<B: Backend> {
    /// The operand.
    AsItIs(FloatTensor<B>),
    /// It is the norm of `x`, times the gain.
    RmsNorm { x: FloatTensor<B>, gain: FloatTensor<B>, epsilon: f64 },
    /// It is this with queries and keys normalised and rotated.
    QkNormRope { qkv: FloatTensor<B>, gains: [FloatTensor<B>; 2], heads: QkHeads },
}

impl<B: Primitives> Kept<B> {
    /// The operand, computed again if need be: to the same bits.
    pub fn operand(self) -> FloatTensor<B> {
        match self {
            Kept::AsItIs(operand) => operand,
            Kept::RmsNorm { x, gain, epsilon } => B::rms_norm(x, Some(gain), epsilon).0,
            Kept::QkNormRope { qkv, gains, heads } => B::qk_norm_rope(qkv, gains, heads),
        }
    }
}

/// Where the step of `o` leaves `do` for the step of `lse`; empty if the loss does not depend on `o`.
pub(crate) type LeftByOutput<B> = Arc<Mutex<Option<FloatTensor<B>>>>;

/// What the backward pass of attention needs.
#[derive(Clone, Debug)]
pub(crate) struct KeptByLse<B: Backend> {
    /// The operands.
    pub qkv: [FloatTensor<B>; 3],
    /// The mask.
    pub allowed: Arc<Allowed>,
    /// `[batch, heads, sequence]`.
    pub lse: FloatTensor<B>,
    /// See [`LeftByOutput`].
    pub d_o: LeftByOutput<B>,
}

/// The step of attention's second node: parent `lse`.
#[derive(Debug)]
pub(crate) struct AttentionOutput;

impl<B: Primitives> Backward<B, 1> for AttentionOutput {
    type State = (FloatTensor<B>, LeftByOutput<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_o = grads.consume::<B>(&ops.node);
        let (o, left) = ops.state;
        if let [Some(lse)] = ops.parents {
            grads.register::<B>(lse.id, B::attention_delta(d_o.clone(), o));
            *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(d_o);
        }
    }
}

/// The step of attention's first node: parents `q`, `k`, `v`.
#[derive(Debug)]
pub(crate) struct AttentionLse;

impl<B: Primitives> Backward<B, 3> for AttentionLse {
    type State = KeptByLse<B>;

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let delta = grads.consume::<B>(&ops.node);
        let KeptByLse { qkv, allowed, lse, d_o } = ops.state;
        let d_o = d_o.lock().unwrap_or_else(PoisonError::into_inner).take();
        let gradients = B::attention_backward(qkv, &allowed, lse, d_o, delta);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// What the backward pass of packed attention needs.
#[derive(Clone, Debug)]
pub(crate) struct KeptByPackedLse<B: Backend> {
    /// The operand.
    pub qkv: Kept<B>,
    /// Query heads.
    pub heads: usize,
    /// The mask.
    pub allowed: Arc<Allowed>,
    /// `[batch, heads, sequence]`.
    pub lse: FloatTensor<B>,
    /// See [`LeftByOutput`].
    pub d_o: LeftByOutput<B>,
}

/// The step of packed attention's first node: parent `qkv`.
#[derive(Debug)]
pub(crate) struct PackedAttentionLse;

impl<B: Primitives> Backward<B, 1> for PackedAttentionLse {
    type State = KeptByPackedLse<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let delta = grads.consume::<B>(&ops.node);
        let KeptByPackedLse { qkv, heads, allowed, lse, d_o } = ops.state;
        let d_o = d_o.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let [Some(parent)] = ops.parents {
            let gradient = B::packed_attention_backward(qkv.operand(), heads, &allowed, lse, d_o, delta);
            grads.register::<B>(parent.id, gradient);
        }
    }
}

/// The step of a linear layer: parents `x` and `weight`, and `residual` where `N` is 3.
#[derive(Debug)]
pub(crate) struct Linear;

impl<B: Primitives, const N: usize> Backward<B, N> for Linear {
    type State = (Kept<B>, FloatTensor<B>, Precision);

    fn backward(self, ops: Ops<Self::State, N>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_y = grads.consume::<B>(&ops.node);
        let (x, weight, precision) = ops.state;
        let [of_x, of_weight] = [0, 1].map(|parent| ops.parents[parent].as_ref());
        if let Some(parent) = of_x {
            grads.register::<B>(parent.id, B::linear_d_input(d_y.clone(), weight, precision));
        }
        if let Some(parent) = of_weight {
            grads.register::<B>(parent.id, B::linear_d_weight(x.operand(), d_y.clone(), precision));
        }
        if let Some(Some(parent)) = ops.parents.get(2) {
            grads.register::<B>(parent.id, d_y);
        }
    }
}

/// The step of a linear layer of an activation: parents `x`, `weight` and `residual`.
#[derive(Debug)]
pub(crate) struct ActivationLinear;

impl<B: Primitives> Backward<B, 3> for ActivationLinear {
    type State = (FloatTensor<B>, Activation, FloatTensor<B>, Precision);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_y = grads.consume::<B>(&ops.node);
        let (x, activation, weight, precision) = ops.state;
        let [of_x, of_weight, of_residual] = ops.parents;
        if of_x.is_some() || of_weight.is_some() {
            let (d_x, activated) =
                B::activation_linear_d_input(d_y.clone(), x, activation, weight, precision);
            if let Some(parent) = of_x {
                grads.register::<B>(parent.id, d_x);
            }
            if let Some(parent) = of_weight {
                grads.register::<B>(parent.id, B::linear_d_weight(activated, d_y.clone(), precision));
            }
        }
        if let Some(parent) = of_residual {
            grads.register::<B>(parent.id, d_y);
        }
    }
}

/// The step of the embedding.
#[derive(Debug)]
pub(crate) struct Embedding;

impl<B: Primitives> Backward<B, 1> for Embedding {
    /// The ids and the rows of the table.
    type State = (Arc<[usize]>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_out = grads.consume::<B>(&ops.node);
        let (ids, rows) = ops.state;
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, B::scatter_rows(d_out, &ids, rows));
        }
    }
}

/// The step of the norm and rotation of queries and keys: parents `qkv` and the two gains.
#[derive(Debug)]
pub(crate) struct QkNormRope;

impl<B: Primitives> Backward<B, 3> for QkNormRope {
    type State = (FloatTensor<B>, [FloatTensor<B>; 2], QkHeads);

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_out = grads.consume::<B>(&ops.node);
        let (qkv, gains, heads) = ops.state;
        let gradients = B::qk_norm_rope_backward(d_out, qkv, gains, heads);
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, gradient);
            }
        }
    }
}

/// The step of the norm without a gain.
#[derive(Debug)]
pub(crate) struct RmsNorm;

impl<B: Primitives> Backward<B, 1> for RmsNorm {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let (x, r) = ops.state;
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, B::rms_norm_backward(dy, x, None, r).0);
        }
    }
}

/// The step of the norm with a gain.
#[derive(Debug)]
pub(crate) struct RmsNormGain;

impl<B: Primitives> Backward<B, 2> for RmsNormGain {
    type State = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let (x, gain, r) = ops.state;
        let (dx, d_gain) = B::rms_norm_backward(dy, x, Some(gain), r);
        let [of_x, of_gain] = ops.parents;
        if let Some(parent) = of_x {
            grads.register::<B>(parent.id, dx);
        }
        if let (Some(parent), Some(d_gain)) = (of_gain, d_gain) {
            grads.register::<B>(parent.id, d_gain);
        }
    }
}

/// The step of rotary position embedding.
#[derive(Debug)]
pub(crate) struct Rope;

impl<B: Primitives> Backward<B, 1> for Rope {
    type State = Rotation;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let dy = grads.consume::<B>(&ops.node);
        let back = Rotation { inverse: !ops.state.inverse, ..ops.state };
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, B::rotate(dy, back));
        }
    }
}

/// The step of SwiGLU.
#[derive(Debug)]
pub(crate) struct Swiglu;

impl<B: Primitives> Backward<B, 1> for Swiglu {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_out = grads.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, B::swiglu_backward(ops.state, d_out));
        }
    }
}

/// The step of the squared ReLU.
#[derive(Debug)]
pub(crate) struct ReluSquared;

impl<B: Primitives> Backward<B, 1> for ReluSquared {
    type State = FloatTensor<B>;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let d_out = grads.consume::<B>(&ops.node);
        if let [Some(parent)] = ops.parents {
            grads.register::<B>(parent.id, B::relu_squared_backward(ops.state, d_out));
        }
    }
}

/// The step of linear cross-entropy; its state is the gradients for an upstream gradient of one.
#[derive(Debug)]
pub(crate) struct LinearCrossEntropy;

impl<B: Primitives> Backward<B, 2> for LinearCrossEntropy {
    type State = (FloatTensor<B>, FloatTensor<B>);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let upstream = grads.consume::<B>(&ops.node);
        let gradients: [FloatTensor<B>; 2] = ops.state.into();
        for (parent, gradient) in ops.parents.into_iter().zip(gradients) {
            if let Some(parent) = parent {
                grads.register::<B>(parent.id, B::scale(gradient, upstream.clone()));
            }
        }
    }
}
