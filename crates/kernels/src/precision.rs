//! How exactly matrix products take their operands.

use serde::{Deserialize, Serialize};

/// How exactly the matrix products of linear layers take their operands. Sums, results and gradients are f32 in any case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Rounded to bf16 (eight bits of precision, the range of f32), forward and backward. On processors with bf16 products
    /// (AMX, AVX-512 BF16) that is faster; on others the rounding is done all the same, and costs a little.
    Bf16,
}

impl Precision {
    /// What multiplies under this precision on this machine: `f32`, `bf16 by tiles (AMX)`, `bf16 by dot products (AVX-512)`, or
    /// `bf16 rounded, multiplied in f32`.
    pub fn unit(self) -> &'static str {
        match (self, crate::bf16::unit()) {
            (Precision::F32, _) => "f32",
            (Precision::Bf16, Some(crate::bf16::Unit::Tiles)) => "bf16 by tiles (AMX)",
            (Precision::Bf16, Some(crate::bf16::Unit::Dots)) => "bf16 by dot products (AVX-512)",
            (Precision::Bf16, None) => "bf16 rounded, multiplied in f32",
        }
    }
}
