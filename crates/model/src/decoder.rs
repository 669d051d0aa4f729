//! The forward pass, top to bottom, and its step form.

use std::sync::Arc;

use burn::tensor::{Device, Int, Tensor, TensorData};
use groundwork_kernels as kernels;
use groundwork_kernels::{Advance, Positions, ReadyWeight, ready_linear};

use crate::cache::LayerCache;
use crate::{Activation, Cache, ModelConfig, init};

const EPSILON: f64 = 1e-6;

/// A pre-norm decoder: RMSNorm, rotary positions, normalised queries and keys, no biases.
///
/// With `N` for RMSNorm, a layer maps the residual stream `x` of `[batch, sequence, d_model]` to
/// `x ← x + W_o · attention(rope(N(q)), rope(N(k)), v)`, `(q, k, v) = W_qkv · N(x)`, and then
/// `x ← x + W_down · activation(W_up · N(x))`. The embedding is normalised before the first layer,
/// `W_o`, `W_down` and an untied head start at zero, so that the fresh model is the identity and
/// every token equally likely.
#[derive(Clone, Debug)]
pub struct Decoder {
    pub(crate) config: ModelConfig,
    /// `[vocabulary, d_model]`
    embedding: Tensor<2>,
    layers: Vec<Layer>,
    /// `[d_model]`
    norm: Tensor<1>,
    /// `[d_model, vocabulary]`; `None` where it is tied to the embedding
    head: Option<Tensor<2>>,
}

/// One layer's parameters. Matrices are `[in, out]`.
#[derive(Clone, Debug)]
struct Layer {
    attention_norm: Tensor<1>,
    qkv: Tensor<2>,
    query_norm: Tensor<1>,
    key_norm: Tensor<1>,
    out: Tensor<2>,
    ff_norm: Tensor<1>,
    up: Tensor<2>,
    down: Tensor<2>,
}

/// A parameter by reference, for optimisers and checkpoints.
pub enum Parameter<'a> {
    /// A hidden matrix, `[in, out]`.
    Matrix(&'a mut Tensor<2>),
    /// The embedding `[vocabulary, d_model]` or the head `[d_model, vocabulary]`.
    Token(&'a mut Tensor<2>),
    /// A norm's gain.
    Gain(&'a mut Tensor<1>),
}

impl Decoder {
    /// A fresh decoder. The same seed and configuration give the same weights on every device.
    ///
    /// On a device with automatic differentiation its parameters require gradients.
    pub fn new(config: &ModelConfig, seed: u64, device: &Device) -> Self {
        let c = config;
        let matrix = |name: &str, rows: usize, cols: usize, std: f64| {
            let values = init::normal(seed, name, rows * cols, std);
            Tensor::<2>::from_data(TensorData::new(values, [rows, cols]), device)
        };
        // The spread of a uniform distribution within ±1/√in, as PyTorch initialises a linear layer.
        let spread = |inputs: usize| (1.0 / (3.0 * inputs as f64)).sqrt();
        let gain = |n: usize| Tensor::<1>::ones([n], device);
        let up_width = match c.activation {
            Activation::Swiglu => 2 * c.d_ff,
            Activation::ReluSquared => c.d_ff,
        };
        let layers = (0..c.layers())
            .map(|l| Layer {
                attention_norm: gain(c.d_model),
                qkv: matrix(
                    &format!("layers.{l}.qkv"),
                    c.d_model,
                    (c.heads + 2 * c.kv_heads) * c.head_dim,
                    spread(c.d_model),
                ),
                query_norm: gain(c.head_dim),
                key_norm: gain(c.head_dim),
                out: Tensor::zeros([c.heads * c.head_dim, c.d_model], device),
                ff_norm: gain(c.d_model),
                up: matrix(&format!("layers.{l}.up"), c.d_model, up_width, spread(c.d_model)),
                down: Tensor::zeros([c.d_ff, c.d_model], device),
            })
            .collect();
        // A tied head must start small, since it is the embedding.
        let embedding_std = if c.tied { spread(c.d_model) } else { 1.0 };
        let decoder = Decoder {
            config: c.clone(),
            embedding: matrix("embedding", c.vocabulary, c.d_model, embedding_std),
            layers,
            norm: gain(c.d_model),
            head: (!c.tied).then(|| Tensor::zeros([c.d_model, c.vocabulary], device)),
        };
        if device.is_autodiff() { decoder.tracked() } else { decoder }
    }

    fn tracked(mut self) -> Self {
        self.visit(|_, p| match p {
            Parameter::Matrix(t) | Parameter::Token(t) => t.inplace(Tensor::require_grad),
            Parameter::Gain(t) => t.inplace(Tensor::require_grad),
        });
        self
    }

    /// The shape.
    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    /// The device that the parameters are on.
    pub fn device(&self) -> Device {
        self.embedding.device()
    }

    /// The same weights without automatic differentiation, for evaluation.
    pub fn inner(&self) -> Decoder {
        let mut decoder = self.clone();
        decoder.visit(|_, p| match p {
            Parameter::Matrix(t) | Parameter::Token(t) => t.inplace(Tensor::without_autodiff),
            Parameter::Gain(t) => t.inplace(Tensor::without_autodiff),
        });
        decoder
    }

    /// Calls `f` with every parameter and its name, always in the same order.
    pub fn visit(&mut self, mut f: impl FnMut(&str, Parameter<'_>)) {
        f("embedding", Parameter::Token(&mut self.embedding));
        for (l, layer) in self.layers.iter_mut().enumerate() {
            let mut visit = |name: &str, p: Parameter<'_>| f(&format!("layers.{l}.{name}"), p);
            visit("attention_norm", Parameter::Gain(&mut layer.attention_norm));
            visit("qkv", Parameter::Matrix(&mut layer.qkv));
            visit("query_norm", Parameter::Gain(&mut layer.query_norm));
            visit("key_norm", Parameter::Gain(&mut layer.key_norm));
            visit("out", Parameter::Matrix(&mut layer.out));
            visit("ff_norm", Parameter::Gain(&mut layer.ff_norm));
            visit("up", Parameter::Matrix(&mut layer.up));
            visit("down", Parameter::Matrix(&mut layer.down));
        }
        f("norm", Parameter::Gain(&mut self.norm));
        if let Some(head) = &mut self.head {
            f("head", Parameter::Token(head));
        }
    }

    /// The output head, `[d_model, vocabulary]`.
    pub fn head(&self) -> Tensor<2> {
        self.head.clone().unwrap_or_else(|| self.embedding.clone().transpose())
    }

    /// The last hidden states, normalised, ready for [`Self::head`].
    ///
    /// `tokens`: `[batch, sequence]`. `documents`: `[batch, sequence]`, equal where attention may
    /// pass; `None` is one document a row. Returns `[batch, sequence, d_model]`.
    pub fn hidden(&self, tokens: Tensor<2, Int>, documents: Option<Tensor<2, Int>>) -> Tensor<3> {
        let mut x = kernels::rms_norm(kernels::embedding(self.embedding.clone(), tokens), None, EPSILON);
        for (layer, kind) in self.layers.iter().zip(&self.config.attention) {
            x = layer.forward(&self.config, kind.window(), x, documents.clone());
        }
        kernels::rms_norm(x, Some(self.norm.clone()), EPSILON)
    }

    /// The parallel form: logits of every position at once.
    ///
    /// Shapes as in [`Self::hidden`]; returns `[batch, sequence, vocabulary]`.
    pub fn logits(&self, tokens: Tensor<2, Int>, documents: Option<Tensor<2, Int>>) -> Tensor<3> {
        kernels::linear(self.hidden(tokens, documents), self.head(), None, self.config.precision)
    }

    /// An empty cache for `rows` sequences, and the weights made ready to decode with: it belongs to this decoder as it is now.
    ///
    /// # Panics
    /// If the decoder tracks gradients (take [`Self::inner`]).
    pub fn cache(&self, rows: usize) -> Cache {
        let c = &self.config;
        let ready = |weight: &Tensor<2>| ReadyWeight::new(weight.clone(), c.precision);
        let matrices = [Matrix::Qkv, Matrix::Out, Matrix::Up, Matrix::Down];
        let weights = self.layers.iter().map(|layer| matrices.map(|m| ready(layer.matrix(m)))).collect();
        Cache::empty(rows, [c.kv_heads, c.head_dim], weights, ready(&self.head()), &self.device())
    }

    /// The step form: rows of the cache advance side by side, each by as many tokens as it likes, one or a whole prompt.
    ///
    /// On the CPU a row's logits are those of the parallel form, bit for bit, however its tokens fall into steps and whatever
    /// the other rows do.
    ///
    /// `advances`: a row and its tokens, each row at most once. Returns the logits that follow the last token of each of them,
    /// `[advances, vocabulary]`.
    ///
    /// # Panics
    /// If there is nothing to take, a row does not exist, stands there twice or takes nothing, a token is outside the
    /// vocabulary, or the cache is another decoder's.
    pub fn step(&self, advances: &[(usize, &[u32])], cache: &mut Cache) -> Tensor<2> {
        kernels::in_pool(|| {
            let hidden = self.advance(advances, cache);
            let lasts = advances.iter().scan(0, |end, (_, tokens)| {
                *end += tokens.len() as i64;
                Some(*end - 1)
            });
            let lasts: Vec<i64> = lasts.collect();
            let lasts = TensorData::new(lasts, [advances.len()]);
            let hidden = hidden.select(0, Tensor::<1, Int>::from_data(lasts, &self.device()));
            self.cached_logits(hidden, cache)
        })
    }

    /// [`Self::step`], with the logits that follow each of the tokens, in their order: `[tokens, vocabulary]`.
    ///
    /// # Panics
    /// As there.
    pub fn follow(&self, advances: &[(usize, &[u32])], cache: &mut Cache) -> Tensor<2> {
        kernels::in_pool(|| {
            let hidden = self.advance(advances, cache);
            self.cached_logits(hidden, cache)
        })
    }

    /// `hidden`: `[rows, d_model]`, before the last norm.
    fn cached_logits(&self, hidden: Tensor<2>, cache: &Cache) -> Tensor<2> {
        ready_linear(kernels::rms_norm(hidden, Some(self.norm.clone()), EPSILON), &cache.head, None)
    }

    /// The residual stream after the last layer for each of the tokens: `[tokens, d_model]`.
    fn advance(&self, advances: &[(usize, &[u32])], cache: &mut Cache) -> Tensor<2> {
        let c = &self.config;
        let rows: Vec<Advance> = advances
            .iter()
            .map(|&(row, tokens)| Advance { row, held: cache.len(row), taken: tokens.len() })
            .collect();
        let ends: Vec<usize> = rows.iter().map(|row| row.held + row.taken).collect();
        let tokens = || advances.iter().flat_map(|&(_, tokens)| tokens);
        assert!(tokens().all(|&t| (t as usize) < c.vocabulary), "a token lies outside the vocabulary");
        let ids: Vec<i64> = tokens().map(|&t| i64::from(t)).collect();
        let taken = ids.len();
        assert!(taken > 0, "a step takes at least one token");
        assert_eq!(cache.layers.len(), self.layers.len(), "the cache is another decoder's");
        cache.reserve(ends.iter().max().copied().unwrap_or(0));
        let device = self.device();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [1, taken]), &device);
        let positions: Arc<[usize]> = rows.iter().flat_map(|r| r.held..r.held + r.taken).collect();
        let mut x = kernels::rms_norm(kernels::embedding(self.embedding.clone(), ids), None, EPSILON);
        for ((layer, kind), held) in
            self.layers.iter().zip(&c.attention).zip(std::mem::take(&mut cache.layers))
        {
            let (next, held) = layer.step(c, kind.window(), x, held, &rows, positions.clone());
            x = next;
            cache.layers.push(held);
        }
        for (row, end) in rows.iter().zip(ends) {
            cache.lengths[row.row] = end;
        }
        x.squeeze_dim(0)
    }
}

/// A matrix of a layer.
#[derive(Clone, Copy)]
enum Matrix {
    Qkv,
    Out,
    Up,
    Down,
}

impl Layer {
    fn matrix(&self, matrix: Matrix) -> &Tensor<2> {
        match matrix {
            Matrix::Qkv => &self.qkv,
            Matrix::Out => &self.out,
            Matrix::Up => &self.up,
            Matrix::Down => &self.down,
        }
    }

    /// The layer over whole sequences. Of what it computes only what takes products is kept for the backward pass.
    ///
    /// `x` and the result: `[batch, sequence, d_model]`.
    fn forward(
        &self,
        c: &ModelConfig,
        window: Option<usize>,
        x: Tensor<3>,
        documents: Option<Tensor<2, Int>>,
    ) -> Tensor<3> {
        let [batch, sequence, _] = x.dims();
        let normed = |x, gain: &Tensor<1>, weight: &Tensor<2>| {
            kernels::rms_norm_linear(x, gain.clone(), EPSILON, weight.clone(), c.precision)
        };
        let qkv = normed(x.clone(), &self.attention_norm, &self.qkv);
        let qkv = qkv.reshape([batch, sequence, c.heads + 2 * c.kv_heads, c.head_dim]);
        let (query_gain, key_gain) = (self.query_norm.clone(), self.key_norm.clone());
        let (o, _lse) = kernels::qk_norm_rope_attention(
            qkv,
            query_gain,
            key_gain,
            c.heads,
            EPSILON,
            c.rope_base,
            documents,
            window,
        );
        let o = o.reshape([batch, sequence, c.heads * c.head_dim]);
        let x = kernels::linear(o, self.out.clone(), Some(x), c.precision);
        let h = normed(x.clone(), &self.ff_norm, &self.up);
        match c.activation {
            Activation::Swiglu => kernels::swiglu_linear(h, self.down.clone(), x, c.precision),
            Activation::ReluSquared => kernels::relu_squared_linear(h, self.down.clone(), x, c.precision),
        }
    }

    /// The layer for tokens of rows of a cache, of which it takes keys and values over.
    ///
    /// `x` and the result: `[1, taken, d_model]`; `positions`: those of the tokens.
    fn step(
        &self,
        c: &ModelConfig,
        window: Option<usize>,
        x: Tensor<3>,
        held: LayerCache,
        rows: &[Advance],
        positions: Arc<[usize]>,
    ) -> (Tensor<3>, LayerCache) {
        let LayerCache { keys, values, weights } = held;
        let multiply = |x, matrix, residual| ready_linear(x, &weights[matrix as usize], residual);
        let [_, taken, _] = x.dims();
        let normed = kernels::rms_norm(x.clone(), Some(self.attention_norm.clone()), EPSILON);
        let qkv = multiply(normed, Matrix::Qkv, None);
        let qkv = qkv.reshape([1, taken, c.heads + 2 * c.kv_heads, c.head_dim]);
        let (query_gain, key_gain) = (self.query_norm.clone(), self.key_norm.clone());
        let positions = Positions::Each(positions);
        let qkv = kernels::qk_norm_rope(qkv, query_gain, key_gain, c.heads, EPSILON, c.rope_base, positions);
        let (o, keys, values) =
            kernels::cached_attention(qkv.squeeze_dim(0), c.heads, keys, values, rows, window);
        let x = multiply(o.reshape([1, taken, c.heads * c.head_dim]), Matrix::Out, Some(x));
        let h = kernels::rms_norm(x.clone(), Some(self.ff_norm.clone()), EPSILON);
        let h = multiply(h, Matrix::Up, None);
        let h = match c.activation {
            Activation::Swiglu => kernels::swiglu(h),
            Activation::ReluSquared => kernels::relu_squared(h),
        };
        let x = multiply(h, Matrix::Down, Some(x));
        (x, LayerCache { keys, values, weights })
    }
}
