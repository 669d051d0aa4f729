//! What a backend must be able to do for the fused operations, and how Flex does it.
//!
//! A further backend (CubeCL) joins by implementing [`Primitives`], being named in [`crate::fused::Fused`] and in
//! `operations.rs` where the fused form is chosen.

use crate::activated;
use crate::allowed::Allowed;
use crate::attention::{self, Given, Heads, Keys, Sizes};
use crate::cached::{self, Advance, CacheSizes};
use crate::cross_entropy::{self, Task};
use crate::embedding;
use crate::gating::{self, Activation};
use crate::linear;
use crate::matmul::Matrix;
use crate::norm;
use crate::packed::Packed;
use crate::precision::Precision;
use crate::qk::{self, QkHeads};
use crate::rotation::{self, Rotation};
use crate::update::{self, Adamw, Muon};
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Flex};
use burn::tensor::{Shape, TensorData};
use burn_flex::FlexTensor;

/// Forward and backward passes on plain tensors; see [`crate::attention`] and its neighbours for what they compute.
pub(crate) trait Primitives: Backend {
    /// `(o, lse)`.
    fn attention_forward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        allowed: &Allowed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// `-Σ do·o` over `head_dim`: `[batch, heads, sequence]`, the gradient that `o` gives to `lse`.
    fn attention_delta(d_o: FloatTensor<Self>, o: FloatTensor<Self>) -> FloatTensor<Self>;
    /// `(dq, dk, dv)`; `delta` is the whole gradient of `lse`, that through `o` included.
    fn attention_backward(
        qkv: [FloatTensor<Self>; 3],
        allowed: &Allowed,
        lse: FloatTensor<Self>,
        d_o: Option<FloatTensor<Self>>,
        delta: FloatTensor<Self>,
    ) -> [FloatTensor<Self>; 3];
    /// `(o, lse)` of queries, keys and values side by side: `[batch, sequence, heads + 2 kv_heads, head_dim]`.
    fn packed_attention_forward(
        qkv: FloatTensor<Self>,
        heads: usize,
        allowed: &Allowed,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// The gradient of `qkv`; see [`Self::attention_backward`].
    fn packed_attention_backward(
        qkv: FloatTensor<Self>,
        heads: usize,
        allowed: &Allowed,
        lse: FloatTensor<Self>,
        d_o: Option<FloatTensor<Self>>,
        delta: FloatTensor<Self>,
    ) -> FloatTensor<Self>;
    /// `(o, keys, values)`, the cache with what the rows have taken.
    fn cached_attention(
        qkv: FloatTensor<Self>,
        heads: usize,
        held: [FloatTensor<Self>; 2],
        rows: &[Advance],
        window: Option<usize>,
    ) -> [FloatTensor<Self>; 3];
    /// `x W + residual`.
    fn linear_forward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        residual: Option<FloatTensor<Self>>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// The same by a weight that was packed beforehand.
    fn packed_linear(
        x: FloatTensor<Self>,
        weight: &Packed,
        residual: Option<FloatTensor<Self>>,
    ) -> FloatTensor<Self>;
    /// `dy Wᵀ`.
    fn linear_d_input(
        d_y: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// `xᵀ dy`.
    fn linear_d_weight(
        x: FloatTensor<Self>,
        d_y: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// `φ(x) W + residual`.
    fn activation_linear(
        x: FloatTensor<Self>,
        activation: Activation,
        weight: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        precision: Precision,
    ) -> FloatTensor<Self>;
    /// The gradient of `x`, and `φ(x)`.
    fn activation_linear_d_input(
        d_y: FloatTensor<Self>,
        x: FloatTensor<Self>,
        activation: Activation,
        weight: FloatTensor<Self>,
        precision: Precision,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// Rows of a table: `[ids, dimension]`.
    fn gather_rows(table: FloatTensor<Self>, ids: &[usize]) -> FloatTensor<Self>;
    /// The gradient of a table of `rows` rows.
    fn scatter_rows(d_out: FloatTensor<Self>, ids: &[usize], rows: usize) -> FloatTensor<Self>;
    /// The norm, its gain and the rotation of queries and keys.
    fn qk_norm_rope(
        qkv: FloatTensor<Self>,
        gains: [FloatTensor<Self>; 2],
        heads: QkHeads,
    ) -> FloatTensor<Self>;
    /// The gradients of `qkv` and of the gains.
    fn qk_norm_rope_backward(
        d_out: FloatTensor<Self>,
        qkv: FloatTensor<Self>,
        gains: [FloatTensor<Self>; 2],
        heads: QkHeads,
    ) -> [FloatTensor<Self>; 3];
    /// `(y, r)`, `r` for the backward pass.
    fn rms_norm(
        x: FloatTensor<Self>,
        gain: Option<FloatTensor<Self>>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>);
    /// `(dx, dgain)`.
    fn rms_norm_backward(
        dy: FloatTensor<Self>,
        x: FloatTensor<Self>,
        gain: Option<FloatTensor<Self>>,
        r: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, Option<FloatTensor<Self>>);
    /// Rotates; the rotation says in which direction.
    fn rotate(x: FloatTensor<Self>, rotation: Rotation) -> FloatTensor<Self>;
    /// `silu(gate) up`.
    fn swiglu(gate_up: FloatTensor<Self>) -> FloatTensor<Self>;
    /// The gradient of `gate_up`.
    fn swiglu_backward(gate_up: FloatTensor<Self>, d_out: FloatTensor<Self>) -> FloatTensor<Self>;
    /// `max(x, 0)²`.
    fn relu_squared(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// The gradient of `x`.
    fn relu_squared_backward(x: FloatTensor<Self>, d_out: FloatTensor<Self>) -> FloatTensor<Self>;
    /// The weighted sum, the losses, and the gradients of the sum for `hidden` and `head`.
    fn linear_cross_entropy(
        hidden: FloatTensor<Self>,
        head: FloatTensor<Self>,
        targets: &[usize],
        weights: FloatTensor<Self>,
        precision: Precision,
        with_gradients: bool,
    ) -> LossAndGradients<Self>;
    /// `Σ x²` as `[1]`.
    fn squared_norm(x: FloatTensor<Self>) -> FloatTensor<Self>;
    /// Parameter, first and second moment after one step.
    fn adamw(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        first: FloatTensor<Self>,
        second: FloatTensor<Self>,
        step: Adamw,
    ) -> [FloatTensor<Self>; 3];
    /// Parameter and momentum after one step.
    fn muon(
        parameter: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        momentum: FloatTensor<Self>,
        step: Muon,
    ) -> [FloatTensor<Self>; 2];
    /// `x` times the one number in `by`.
    fn scale(x: FloatTensor<Self>, by: FloatTensor<Self>) -> FloatTensor<Self>;
}

/// The sum and the losses, then the gradients for `hidden` and `head`.
pub(crate) type LossAndGradients<B> =
    (FloatTensor<B>, FloatTensor<B>, Option<(FloatTensor<B>, FloatTensor<B>)>);

impl Primitives for Flex {
    fn attention_forward(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        allowed: &Allowed,
    ) -> (FlexTensor, FlexTensor) {
        let sizes = sizes(&q, &k);
        let [q, k, v] = [q, k, v].map(with_contiguous_rows);
        let (o, lse) = attention::forward(&sizes, heads(&q), Keys::Rows(heads(&k)), heads(&v), allowed);
        let Sizes { batch, queries, heads, head_dim, .. } = sizes;
        (tensor(o, [batch, queries, heads, head_dim]), tensor(lse, [batch, heads, queries]))
    }

    fn attention_delta(d_o: FlexTensor, o: FlexTensor) -> FlexTensor {
        let sizes = sizes(&o, &o);
        let [d_o, o] = [d_o, o].map(with_contiguous_rows);
        let delta = attention::delta(&sizes, heads(&d_o), heads(&o));
        tensor(delta, [sizes.batch, sizes.heads, sizes.queries])
    }

    fn attention_backward(
        [q, k, v]: [FlexTensor; 3],
        allowed: &Allowed,
        lse: FlexTensor,
        d_o: Option<FlexTensor>,
        delta: FlexTensor,
    ) -> [FlexTensor; 3] {
        let sizes = sizes(&q, &k);
        let shapes = [&q, &k, &v].map(|x| x.layout().shape().clone());
        let [q, k, v] = [q, k, v].map(with_contiguous_rows);
        let d_o = d_o.map(with_contiguous_rows);
        let [lse, delta] = [lse, delta].map(contiguous);
        let gradients = attention::backward(Given {
            sizes: &sizes,
            qkv: [&q, &k, &v].map(heads),
            allowed,
            lse: numbers(&lse),
            d_o: d_o.as_ref().map(heads),
            delta: numbers(&delta),
        });
        let [q_shape, k_shape, v_shape] = shapes;
        [tensor(gradients.0, q_shape), tensor(gradients.1, k_shape), tensor(gradients.2, v_shape)]
    }

    fn packed_attention_forward(
        qkv: FlexTensor,
        heads: usize,
        allowed: &Allowed,
    ) -> (FlexTensor, FlexTensor) {
        let [q, k, v] = parts(with_contiguous_rows(qkv), heads);
        Self::attention_forward(q, k, v, allowed)
    }

    fn packed_attention_backward(
        qkv: FlexTensor,
        query_heads: usize,
        allowed: &Allowed,
        lse: FlexTensor,
        d_o: Option<FlexTensor>,
        delta: FlexTensor,
    ) -> FlexTensor {
        let shape = qkv.layout().shape().clone();
        let [q, k, v] = parts(with_contiguous_rows(qkv), query_heads);
        let d_o = d_o.map(with_contiguous_rows);
        let [lse, delta] = [lse, delta].map(contiguous);
        let gradient = attention::backward_packed(Given {
            sizes: &sizes(&q, &k),
            qkv: [&q, &k, &v].map(heads),
            allowed,
            lse: numbers(&lse),
            d_o: d_o.as_ref().map(heads),
            delta: numbers(&delta),
        });
        tensor(gradient, shape)
    }

    fn cached_attention(
        qkv: FlexTensor,
        heads: usize,
        held: [FlexTensor; 2],
        rows: &[Advance],
        window: Option<usize>,
    ) -> [FlexTensor; 3] {
        let shape = held[1].layout().shape();
        let sizes = CacheSizes { heads, kv_heads: shape[1], capacity: shape[2], head_dim: shape[3] };
        let qkv = contiguous(qkv);
        let [mut keys, mut values] = held.map(contiguous);
        let o = cached::forward(
            numbers(&qkv),
            numbers_mut(&mut keys),
            numbers_mut(&mut values),
            sizes,
            rows,
            window,
        );
        let taken = qkv.layout().shape()[0];
        [tensor(o, [taken, heads, sizes.head_dim]), keys, values]
    }

    fn linear_forward(
        x: FlexTensor,
        weight: FlexTensor,
        residual: Option<FlexTensor>,
        precision: Precision,
    ) -> FlexTensor {
        let mut shape = x.layout().shape().clone();
        let [inputs, outputs] = matrix(&weight);
        let last = shape.num_dims() - 1;
        shape[last] = outputs;
        let ([x, weight], residual) = ([x, weight].map(contiguous), residual.map(contiguous));
        let residual = residual.as_ref().map(numbers);
        tensor(linear::forward(numbers(&x), numbers(&weight), [inputs, outputs], residual, precision), shape)
    }

    fn activation_linear(
        x: FlexTensor,
        activation: Activation,
        weight: FlexTensor,
        residual: FlexTensor,
        precision: Precision,
    ) -> FlexTensor {
        let shape = residual.layout().shape().clone();
        let [x, weight, residual] = [x, weight, residual].map(contiguous);
        let [_, outputs] = matrix(&weight);
        let weight = Matrix::by_rows(numbers(&weight), outputs);
        tensor(activated::forward(numbers(&x), activation, weight, numbers(&residual), precision), shape)
    }

    fn activation_linear_d_input(
        d_y: FlexTensor,
        x: FlexTensor,
        activation: Activation,
        weight: FlexTensor,
        precision: Precision,
    ) -> (FlexTensor, FlexTensor) {
        let shape = x.layout().shape().clone();
        let [inputs, outputs] = matrix(&weight);
        let mut activated_shape = shape.clone();
        activated_shape[shape.num_dims() - 1] = inputs;
        let [d_y, x, weight] = [d_y, x, weight].map(contiguous);
        let weight = Matrix::by_rows(numbers(&weight), outputs);
        let (d_x, out) = activated::d_input(numbers(&d_y), numbers(&x), activation, weight, precision);
        (tensor(d_x, shape), tensor(out, activated_shape))
    }

    fn packed_linear(x: FlexTensor, weight: &Packed, residual: Option<FlexTensor>) -> FlexTensor {
        let mut shape = x.layout().shape().clone();
        let last = shape.num_dims() - 1;
        shape[last] = weight.columns();
        let (x, residual) = (contiguous(x), residual.map(contiguous));
        tensor(linear::forward_packed(numbers(&x), weight, residual.as_ref().map(numbers)), shape)
    }

    fn linear_d_input(d_y: FlexTensor, weight: FlexTensor, precision: Precision) -> FlexTensor {
        let mut shape = d_y.layout().shape().clone();
        let [inputs, outputs] = matrix(&weight);
        let last = shape.num_dims() - 1;
        shape[last] = inputs;
        let [d_y, weight] = [d_y, weight].map(contiguous);
        tensor(linear::d_input(numbers(&d_y), numbers(&weight), outputs, precision), shape)
    }

    fn linear_d_weight(x: FlexTensor, d_y: FlexTensor, precision: Precision) -> FlexTensor {
        let last = x.layout().shape().num_dims() - 1;
        let sizes = [&x, &d_y].map(|x| x.layout().shape()[last]);
        let [x, d_y] = [x, d_y].map(contiguous);
        tensor(linear::d_weight(numbers(&x), numbers(&d_y), sizes, precision), sizes)
    }

    fn gather_rows(table: FlexTensor, ids: &[usize]) -> FlexTensor {
        let [_, dimension] = matrix(&table);
        let table = contiguous(table);
        tensor(embedding::gather(numbers(&table), dimension, ids), [ids.len(), dimension])
    }

    fn scatter_rows(d_out: FlexTensor, ids: &[usize], rows: usize) -> FlexTensor {
        let [_, dimension] = matrix(&d_out);
        let d_out = contiguous(d_out);
        tensor(embedding::scatter(numbers(&d_out), dimension, ids, rows), [rows, dimension])
    }

    fn qk_norm_rope(qkv: FlexTensor, gains: [FlexTensor; 2], heads: QkHeads) -> FlexTensor {
        let shape = qkv.layout().shape().clone();
        let (qkv, gains) = (contiguous(qkv), gains.map(contiguous));
        tensor(qk::forward(numbers(&qkv), [&gains[0], &gains[1]].map(numbers), &heads), shape)
    }

    fn qk_norm_rope_backward(
        d_out: FlexTensor,
        qkv: FlexTensor,
        gains: [FlexTensor; 2],
        heads: QkHeads,
    ) -> [FlexTensor; 3] {
        let shape = qkv.layout().shape().clone();
        let ([d_out, qkv], gains) = ([d_out, qkv].map(contiguous), gains.map(contiguous));
        let gains = [&gains[0], &gains[1]].map(numbers);
        let (d_qkv, d_gains) = qk::backward(numbers(&d_out), numbers(&qkv), gains, &heads);
        let [d_query_gain, d_key_gain] = d_gains.map(|gain| tensor(gain, [heads.head_dim]));
        [tensor(d_qkv, shape), d_query_gain, d_key_gain]
    }

    fn rms_norm(x: FlexTensor, gain: Option<FlexTensor>, epsilon: f64) -> (FlexTensor, FlexTensor) {
        let shape = x.layout().shape().clone();
        let (x, gain) = (contiguous(x), gain.map(contiguous));
        let dimension = shape[shape.num_dims() - 1];
        let (y, r) = norm::forward(numbers(&x), dimension, gain.as_ref().map(numbers), epsilon as f32);
        let rows = r.len();
        (tensor(y, shape), tensor(r, [rows]))
    }

    fn rms_norm_backward(
        dy: FlexTensor,
        x: FlexTensor,
        gain: Option<FlexTensor>,
        r: FlexTensor,
    ) -> (FlexTensor, Option<FlexTensor>) {
        let shape = x.layout().shape().clone();
        let ([dy, x, r], gain) = ([dy, x, r].map(contiguous), gain.map(contiguous));
        let dimension = shape[shape.num_dims() - 1];
        let gain = gain.as_ref().map(numbers);
        let (dx, d_gain) = norm::backward(numbers(&dy), numbers(&x), dimension, gain, numbers(&r));
        (tensor(dx, shape), d_gain.map(|d_gain| tensor(d_gain, [dimension])))
    }

    fn rotate(x: FlexTensor, rotation: Rotation) -> FlexTensor {
        let shape = x.layout().shape().clone();
        let x = contiguous(x);
        tensor(rotation::rotate(numbers(&x), rotation), shape)
    }

    fn swiglu(gate_up: FlexTensor) -> FlexTensor {
        let mut shape = gate_up.layout().shape().clone();
        let last = shape.num_dims() - 1;
        shape[last] /= 2;
        let gate_up = contiguous(gate_up);
        tensor(gating::swiglu(numbers(&gate_up), shape[last]), shape)
    }

    fn swiglu_backward(gate_up: FlexTensor, d_out: FlexTensor) -> FlexTensor {
        let shape = gate_up.layout().shape().clone();
        let half = shape[shape.num_dims() - 1] / 2;
        let [gate_up, d_out] = [gate_up, d_out].map(contiguous);
        tensor(gating::swiglu_backward(numbers(&gate_up), half, numbers(&d_out)), shape)
    }

    fn relu_squared(x: FlexTensor) -> FlexTensor {
        let shape = x.layout().shape().clone();
        let x = contiguous(x);
        tensor(gating::relu_squared(numbers(&x)), shape)
    }

    fn relu_squared_backward(x: FlexTensor, d_out: FlexTensor) -> FlexTensor {
        let shape = x.layout().shape().clone();
        let [x, d_out] = [x, d_out].map(contiguous);
        tensor(gating::relu_squared_backward(numbers(&x), numbers(&d_out)), shape)
    }

    fn linear_cross_entropy(
        hidden: FlexTensor,
        head: FlexTensor,
        targets: &[usize],
        weights: FlexTensor,
        precision: Precision,
        with_gradients: bool,
    ) -> LossAndGradients<Self> {
        let [hidden, head, weights] = [hidden, head, weights].map(contiguous);
        let (dimension, vocabulary) = (head.layout().shape()[0], head.layout().shape()[1]);
        let task = Task {
            hidden: numbers(&hidden),
            head: numbers(&head),
            dimension,
            vocabulary,
            targets,
            weights: numbers(&weights),
            precision,
        };
        let outcome = cross_entropy::cross_entropy(task, with_gradients);
        let rows = targets.len();
        let gradients = outcome.gradients.map(|(d_hidden, d_head)| {
            (tensor(d_hidden, [rows, dimension]), tensor(d_head, [dimension, vocabulary]))
        });
        (tensor(vec![outcome.sum], [1]), tensor(outcome.losses, [rows]), gradients)
    }

    fn squared_norm(x: FlexTensor) -> FlexTensor {
        let x = contiguous(x);
        tensor(vec![update::squared_norm(numbers(&x)) as f32], [1])
    }

    fn adamw(
        parameter: FlexTensor,
        gradient: FlexTensor,
        first: FlexTensor,
        second: FlexTensor,
        step: Adamw,
    ) -> [FlexTensor; 3] {
        let [mut parameter, gradient, mut first, mut second] =
            [parameter, gradient, first, second].map(contiguous);
        let (x, m, v) = (numbers_mut(&mut parameter), numbers_mut(&mut first), numbers_mut(&mut second));
        update::adamw(x, numbers(&gradient), m, v, step);
        [parameter, first, second]
    }

    fn muon(
        parameter: FlexTensor,
        gradient: FlexTensor,
        momentum: FlexTensor,
        step: Muon,
    ) -> [FlexTensor; 2] {
        let [_, columns] = matrix(&parameter);
        let [mut parameter, gradient, mut momentum] = [parameter, gradient, momentum].map(contiguous);
        let (x, m) = (numbers_mut(&mut parameter), numbers_mut(&mut momentum));
        update::muon(x, numbers(&gradient), m, columns, step);
        [parameter, momentum]
    }

    fn scale(x: FlexTensor, by: FlexTensor) -> FlexTensor {
        let by = contiguous(by);
        let by = numbers(&by)[0];
        if by == 1.0 {
            return x;
        }
        let shape = x.layout().shape().clone();
        let x = contiguous(x);
        tensor(numbers(&x).iter().map(|x| x * by).collect(), shape)
    }
}

fn tensor(numbers: Vec<f32>, shape: impl Into<Shape>) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(numbers, shape.into()))
}

/// `x` itself where its numbers lie in order without gaps, else a copy.
fn contiguous(x: FlexTensor) -> FlexTensor {
    if x.layout().contiguous_offsets().is_some() { x } else { x.to_contiguous() }
}

/// The numbers of a tensor that went through [`contiguous`].
fn numbers(x: &FlexTensor) -> &[f32] {
    x.as_slice().expect("a contiguous f32 tensor")
}

/// The same to write to; shared numbers are copied first.
fn numbers_mut(x: &mut FlexTensor) -> &mut [f32] {
    let (start, end) = x.layout().contiguous_offsets().expect("a contiguous tensor");
    &mut x.storage_mut()[start..end]
}

/// `x` itself where at least its last dimension is contiguous (the usual view of a part of q, k and v), else a copy.
fn with_contiguous_rows(x: FlexTensor) -> FlexTensor {
    let strides = x.layout().strides();
    if strides[3] == 1 && strides.iter().all(|&stride| stride >= 0) { x } else { x.to_contiguous() }
}

/// A tensor `[batch, sequence, heads, head_dim]` that went through [`with_contiguous_rows`].
fn heads(x: &FlexTensor) -> Heads<'_> {
    let strides = x.layout().strides();
    let data = &x.storage::<f32>()[x.layout().start_offset()..];
    Heads { data, strides: [strides[0] as usize, strides[1] as usize, strides[2] as usize] }
}

/// Rows and columns of a tensor of two dimensions.
fn matrix(x: &FlexTensor) -> [usize; 2] {
    [0, 1].map(|dimension| x.layout().shape()[dimension])
}

/// Queries, keys and values as views of `[batch, sequence, heads + 2 kv_heads, head_dim]`.
fn parts(qkv: FlexTensor, heads: usize) -> [FlexTensor; 3] {
    let kv_heads = (qkv.layout().shape()[2] - heads) / 2;
    [(0, heads), (heads, kv_heads), (heads + kv_heads, kv_heads)]
        .map(|(first, count)| qkv.narrow(2, first, count))
}

fn sizes(q: &FlexTensor, k: &FlexTensor) -> Sizes {
    let (q, k) = (q.layout().shape(), k.layout().shape());
    Sizes { batch: q[0], queries: q[1], keys: k[1], heads: q[2], kv_heads: k[2], head_dim: q[3] }
}
