//! The forward pass, top to bottom, and its step form.

use burn::tensor::{Device, Int, Tensor, TensorData};
use groundwork_kernels as kernels;

use crate::cache::LayerCache;
use crate::{Activation, Cache, ModelConfig, init};

const EPSILON: f64 = 1e-6;
/// First allocation of a cache, in positions.
const CACHE_POSITIONS: usize = 64;

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
            let qkv = layer.qkv(&self.config, x.clone(), 0);
            let (o, _lse) =
                kernels::packed_attention(qkv, self.config.heads, documents.clone(), kind.window());
            x = layer.project(&self.config, o, x);
            x = layer.feed_forward(&self.config, x);
        }
        kernels::rms_norm(x, Some(self.norm.clone()), EPSILON)
    }

    /// The parallel form: logits of every position at once.
    ///
    /// Shapes as in [`Self::hidden`]; returns `[batch, sequence, vocabulary]`.
    pub fn logits(&self, tokens: Tensor<2, Int>, documents: Option<Tensor<2, Int>>) -> Tensor<3> {
        kernels::linear(self.hidden(tokens, documents), self.head(), None, self.config.precision)
    }

    /// An empty cache for `batch` sequences.
    pub fn cache(&self, batch: usize) -> Cache {
        let shape = [batch, CACHE_POSITIONS, self.config.kv_heads, self.config.head_dim];
        let device = self.device();
        let layers = self.layers.iter().map(|_| LayerCache::empty(shape, &device)).collect();
        Cache { layers, batch, len: 0 }
    }

    /// The step form: every row of the batch advances by the same number of tokens, one or a whole prompt.
    ///
    /// On the CPU its logits are those of the parallel form, bit for bit, however the tokens fall into steps.
    ///
    /// `tokens`: `[batch, n]`, row by row, for the rows of the cache. Returns the logits that follow the last token of
    /// each row, `[batch, vocabulary]`.
    ///
    /// # Panics
    /// If the tokens are none, or do not make up rows of equal length, or one is outside the vocabulary.
    pub fn step(&self, tokens: &[u32], cache: &mut Cache) -> Tensor<2> {
        let c = &self.config;
        let batch = cache.batch;
        assert!(
            !tokens.is_empty() && tokens.len().is_multiple_of(batch),
            "a step takes as many tokens for each of the {batch} rows of the cache, not {} in all",
            tokens.len()
        );
        let n = tokens.len() / batch;
        assert!(tokens.iter().all(|&t| (t as usize) < c.vocabulary), "a token lies outside the vocabulary");
        let ids: Vec<i64> = tokens.iter().map(|&t| i64::from(t)).collect();
        let ids = Tensor::<2, Int>::from_data(TensorData::new(ids, [batch, n]), &self.device());
        let at = cache.len;
        let mut x = kernels::rms_norm(kernels::embedding(self.embedding.clone(), ids), None, EPSILON);
        for ((layer, kind), held) in self.layers.iter().zip(&c.attention).zip(&mut cache.layers) {
            let qkv = layer.qkv(c, x.clone(), at);
            let part = |first, heads| qkv.clone().narrow(2, first, heads);
            held.write(at, part(c.heads, c.kv_heads), part(c.heads + c.kv_heads, c.kv_heads));
            let (keys, values) = held.seen(at + n);
            let (o, _lse) = kernels::attention(part(0, c.heads), keys, values, None, kind.window());
            x = layer.project(&self.config, o, x);
            x = layer.feed_forward(c, x);
        }
        cache.len += n;
        let x = x.narrow(1, n - 1, 1);
        let x = kernels::rms_norm(x, Some(self.norm.clone()), EPSILON);
        kernels::linear(x, self.head(), None, c.precision).reshape([batch, c.vocabulary])
    }
}

impl Layer {
    /// Queries, keys and values of positions `offset..` side by side, the first two normalised and rotated.
    ///
    /// `x`: `[batch, sequence, d_model]`; returns `[batch, sequence, heads + 2 kv_heads, head_dim]`.
    fn qkv(&self, c: &ModelConfig, x: Tensor<3>, offset: usize) -> Tensor<4> {
        let [batch, sequence, _] = x.dims();
        let x = kernels::rms_norm(x, Some(self.attention_norm.clone()), EPSILON);
        let qkv = kernels::linear(x, self.qkv.clone(), None, c.precision);
        let qkv = qkv.reshape([batch, sequence, c.heads + 2 * c.kv_heads, c.head_dim]);
        let (query_gain, key_gain) = (self.query_norm.clone(), self.key_norm.clone());
        kernels::qk_norm_rope(qkv, query_gain, key_gain, c.heads, EPSILON, c.rope_base, offset)
    }

    /// The residual stream after attention: `x + W_o o`.
    ///
    /// `o`: `[batch, sequence, heads, head_dim]`; `x` and the result: `[batch, sequence, d_model]`.
    fn project(&self, c: &ModelConfig, o: Tensor<4>, x: Tensor<3>) -> Tensor<3> {
        let [batch, sequence, heads, width] = o.dims();
        kernels::linear(o.reshape([batch, sequence, heads * width]), self.out.clone(), Some(x), c.precision)
    }

    fn feed_forward(&self, c: &ModelConfig, x: Tensor<3>) -> Tensor<3> {
        let h = kernels::rms_norm(x.clone(), Some(self.ff_norm.clone()), EPSILON);
        let h = kernels::linear(h, self.up.clone(), None, c.precision);
        let h = match c.activation {
            Activation::Swiglu => kernels::swiglu(h),
            Activation::ReluSquared => kernels::relu_squared(h),
        };
        kernels::linear(h, self.down.clone(), Some(x), c.precision)
    }
}
