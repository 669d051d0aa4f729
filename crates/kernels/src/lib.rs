//! Fused tensor operations: attention, norm, rotary positions, linear layers, embedding, activations, cross-entropy with
//! its linear head, and the optimisers' updates.
//!
//! Each operation has a plain definition in [`mod@reference`] and, on the CPU backend (`Flex`) in f32, a fused form with
//! a backward pass of its own. The public functions choose: other backends and other element types get the
//! reference. Linear layers and the head may take their operands in bf16 ([`Precision`]).
//!
//! The fused forms pick AVX-512, AVX2 with FMA, NEON, or plain code when they run, use as many threads as rayon's current pool has, and give the
//! same bits whatever its number of threads; a row's result does not depend on what else is in the batch.

mod activated;
mod allowed;
mod attention;
mod bf16;
mod cached;
mod cross_entropy;
mod embedding;
mod fused;
mod gating;
mod gradients;
mod linear;
mod matmul;
mod memory;
mod norm;
mod operations;
mod packed;
mod parallel;
mod precision;
mod primitives;
mod product;
mod qk;
pub mod reference;
mod rotation;
mod simd;
mod team;
mod update;

pub use cached::Advance;
pub use memory::keep_freed_memory;
pub use operations::{
    CACHE_PANEL, ReadyWeight, adamw, attention, cached_attention, embedding, linear, linear_cross_entropy,
    muon, packed_attention, qk_norm_rope, qk_norm_rope_attention, ready_linear, relu_squared,
    relu_squared_linear, rms_norm, rms_norm_linear, rope, squared_norm, swiglu, swiglu_linear,
};
pub use parallel::in_pool;
pub use precision::Precision;
pub use rotation::Positions;
pub use update::{Adamw, Muon};
