//! How many parameters a decoder has and how many operations it costs.

use serde::{Deserialize, Serialize};

use crate::{Activation, ModelConfig};

/// Parameters by where they sit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The token embedding.
    pub embedding: u64,
    /// The output head; 0 where it is tied to the embedding.
    pub head: u64,
    /// The matrices of the layers.
    pub matrices: u64,
    /// The gains of the norms.
    pub gains: u64,
}

impl Parameters {
    /// All of them.
    pub fn total(self) -> u64 {
        self.embedding + self.head + self.matrices + self.gains
    }

    /// All but embedding and head: what the size dial counts.
    pub fn non_embedding(self) -> u64 {
        self.matrices + self.gains
    }
}

/// Floating-point operations (a multiplication and an addition are two).
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize)]
pub struct Flops(pub f64);

impl ModelConfig {
    /// Counts the parameters.
    pub fn parameters(&self) -> Parameters {
        let (d, layers) = (self.d_model as u64, self.layers() as u64);
        let qkv = d * ((self.heads + 2 * self.kv_heads) * self.head_dim) as u64;
        let out = (self.heads * self.head_dim) as u64 * d;
        let up = match self.activation {
            Activation::Swiglu => 2,
            Activation::ReluSquared => 1,
        };
        let feed_forward = (up + 1) * d * self.d_ff as u64;
        Parameters {
            embedding: self.vocabulary as u64 * d,
            head: if self.tied { 0 } else { self.vocabulary as u64 * d },
            matrices: layers * (qkv + out + feed_forward),
            gains: layers * (2 * d + 2 * self.head_dim as u64) + d,
        }
    }

    /// Model operations of the forward pass for one token at a sequence length.
    ///
    /// 2 a matrix parameter (the head counts, the embedding's look-up does not) and
    /// 4 · heads · head_dim · min(window, sequence) a layer for attention. As is usual, the causal
    /// mask is not halved, so that figures compare with other programs'.
    pub fn forward_flops(&self, sequence: usize) -> Flops {
        let p = self.parameters();
        let matmul = p.matrices + self.vocabulary as u64 * self.d_model as u64;
        let attention: usize = self
            .attention
            .iter()
            .map(|a| 4 * self.heads * self.head_dim * a.window().unwrap_or(sequence).min(sequence))
            .sum();
        Flops(2.0 * matmul as f64 + attention as f64)
    }

    /// Model operations of training on one token: forward and, at twice its cost, backward.
    pub fn train_flops(&self, sequence: usize) -> Flops {
        Flops(3.0 * self.forward_flops(sequence).0)
    }
}

#[cfg(test)]
mod tests {
    use crate::{AttentionKind, ModelSpec};

    /// By hand, for 3 layers of width 96, 3 heads of 32, relu² of 384, vocabulary 512:
    /// a layer has 96·288 + 96·96 + 2·96·384 = 110 592 matrix parameters and 2·96 + 2·32 gains.
    #[test]
    fn counts_match_a_hand_calculation() {
        let c = ModelSpec { size: "0.33M".into(), ..ModelSpec::default() }.resolve(512).unwrap();
        assert_eq!((c.d_model, c.layers(), c.heads, c.d_ff), (96, 3, 3, 384));
        let p = c.parameters();
        assert_eq!(p.matrices, 3 * 110_592);
        assert_eq!(p.gains, 3 * 256 + 96);
        assert_eq!((p.embedding, p.head), (49_152, 49_152));
        assert_eq!(p.total(), 430_944);
        // 6·(331 776 + 49 152) for the products and 3 layers · 12·96·256 for attention.
        assert_eq!(c.train_flops(256).0, 6.0 * 380_928.0 + 3.0 * 12.0 * 96.0 * 256.0);
        let mut windowed = c.clone();
        windowed.attention[0] = AttentionKind::Window(64);
        assert_eq!(c.train_flops(256).0 - windowed.train_flops(256).0, 12.0 * 96.0 * 192.0);
    }

    #[test]
    fn swiglu_and_grouped_queries_are_counted() {
        let spec = ModelSpec {
            size: "0.33M".into(),
            activation: crate::Activation::Swiglu,
            kv_heads: Some(1),
            tied: true,
            ..ModelSpec::default()
        };
        let c = spec.resolve(512).unwrap();
        let p = c.parameters();
        assert_eq!(p.matrices, 3 * (96 * (96 + 64) + 96 * 96 + 3 * 96 * 256));
        assert_eq!(p.head, 0);
    }
}
