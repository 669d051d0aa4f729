//! What a model is: the recipe's `[model]` section and its resolved form.

use groundwork_kernels::Precision;
use serde::{Deserialize, Serialize};

use crate::{AttentionKind, ModelError, shape_for};

/// The nonlinearity between the two matrices of a layer's feed-forward part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `silu(gate) · up`, hidden width 8/3 · d.
    Swiglu,
    /// `max(0, x)²`, hidden width 4 · d.
    ReluSquared,
}

/// The recipe's `[model]` section: one dial, and what may be set against it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelSpec {
    /// Non-embedding parameters, such as `"0.3M"`, from 0.1M to 1B. The dial.
    pub size: String,
    /// The pattern of attention over layers, repeated from the first layer on.
    pub attention: Vec<AttentionKind>,
    /// Width of the residual stream, against the dial.
    pub d_model: Option<usize>,
    /// Number of layers, against the dial.
    pub layers: Option<usize>,
    /// Width of an attention head, against the dial.
    pub head_dim: Option<usize>,
    /// Key and value heads; fewer than the query heads makes grouped queries. Default: as many.
    pub kv_heads: Option<usize>,
    /// The feed-forward nonlinearity.
    pub activation: Activation,
    /// Whether the output head is the embedding's transpose.
    pub tied: bool,
    /// Base of the rotary position embedding.
    pub rope_base: f64,
    /// How exactly the matrix products of linear layers take their operands: `"f32"` or `"bf16"`.
    pub precision: Precision,
}

impl Default for ModelSpec {
    fn default() -> Self {
        ModelSpec {
            size: "1M".into(),
            attention: vec![AttentionKind::Full],
            d_model: None,
            layers: None,
            head_dim: None,
            kv_heads: None,
            activation: Activation::ReluSquared,
            tied: false,
            rope_base: 10_000.0,
            precision: Precision::F32,
        }
    }
}

/// A decoder's shape with nothing left open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Number of tokens the model knows.
    pub vocabulary: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Attention of every layer, first to last.
    pub attention: Vec<AttentionKind>,
    /// Query heads.
    pub heads: usize,
    /// Key and value heads.
    pub kv_heads: usize,
    /// Width of a head.
    pub head_dim: usize,
    /// Hidden width of the feed-forward part.
    pub d_ff: usize,
    /// The feed-forward nonlinearity.
    pub activation: Activation,
    /// Whether the output head is the embedding's transpose.
    pub tied: bool,
    /// Base of the rotary position embedding.
    pub rope_base: f64,
    /// How exactly the matrix products of linear layers take their operands. Decoding takes them as training did.
    #[serde(default)]
    pub precision: Precision,
}

/// Reads a count with a suffix: `"0.3M"`, `"2B"`, `"1500k"`, `"4096"`.
pub(crate) fn parse_count(text: &str) -> Option<u64> {
    let (digits, scale) = match text.trim().strip_suffix(['k', 'K', 'M', 'B', 'G']) {
        Some(rest) => match text.trim().as_bytes()[rest.len()] {
            b'k' | b'K' => (rest, 1e3),
            b'M' => (rest, 1e6),
            _ => (rest, 1e9),
        },
        None => (text.trim(), 1.0),
    };
    let n: f64 = digits.trim().replace('_', "").parse().ok()?;
    (n.is_finite() && n >= 0.0).then_some((n * scale).round() as u64)
}

fn wrong(field: &'static str, what: String, hint: impl Into<String>) -> ModelError {
    ModelError::Spec { field, what, hint: hint.into() }
}

impl ModelSpec {
    /// The shape that this section describes for a vocabulary of this size.
    ///
    /// # Errors
    /// Names the field that cannot be used: a size outside 0.1M–1B, heads that do not divide, an
    /// empty pattern.
    pub fn resolve(&self, vocabulary: usize) -> Result<ModelConfig, ModelError> {
        let size = parse_count(&self.size).ok_or_else(|| {
            wrong(
                "size",
                format!("`{}` is no count", self.size),
                "write it like \"0.3M\", \"125M\" or \"1B\"",
            )
        })?;
        if !(100_000..=1_000_000_000).contains(&size) {
            return Err(wrong(
                "size",
                format!("`{}` is outside the dial", self.size),
                "sizes go from 0.1M to 1B",
            ));
        }
        if self.attention.is_empty() {
            return Err(wrong("attention", "the pattern is empty".into(), "write [\"full\"]"));
        }
        let shape = shape_for(size);
        let d_model = self.d_model.unwrap_or(shape.d_model);
        let layers = self.layers.unwrap_or(shape.layers);
        let head_dim = self.head_dim.unwrap_or(shape.head_dim);
        if head_dim == 0 || !head_dim.is_multiple_of(2) || d_model == 0 || !d_model.is_multiple_of(head_dim) {
            return Err(wrong(
                "head_dim",
                format!("{head_dim} does not fit into d_model {d_model}"),
                "d_model must be a multiple of an even head_dim",
            ));
        }
        if layers == 0 {
            return Err(wrong("layers", "a decoder needs a layer".into(), "write at least 1"));
        }
        let heads = d_model / head_dim;
        let kv_heads = self.kv_heads.unwrap_or(heads);
        if kv_heads == 0 || !heads.is_multiple_of(kv_heads) {
            return Err(wrong(
                "kv_heads",
                format!("{kv_heads} does not divide the {heads} query heads"),
                format!("use a divisor of {heads}"),
            ));
        }
        if !self.rope_base.is_finite() || self.rope_base <= 1.0 {
            return Err(wrong(
                "rope_base",
                format!("{} is no base", self.rope_base),
                "use a number above 1, usually 10000",
            ));
        }
        let d_ff = match self.activation {
            Activation::ReluSquared => 4 * d_model,
            Activation::Swiglu => (8 * d_model / 3).next_multiple_of(16),
        };
        let attention = (0..layers).map(|l| self.attention[l % self.attention.len()]).collect();
        Ok(ModelConfig {
            vocabulary,
            d_model,
            attention,
            heads,
            kv_heads,
            head_dim,
            d_ff,
            activation: self.activation,
            tied: self.tied,
            rope_base: self.rope_base,
            precision: self.precision,
        })
    }
}

impl ModelConfig {
    /// Number of layers.
    pub fn layers(&self) -> usize {
        self.attention.len()
    }
}
