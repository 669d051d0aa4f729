//! Fused tensor operations: attention, norm, rotary positions, activations, and cross-entropy with its linear head.
//!
//! Each operation has a plain definition in [`mod@reference`] and, on the CPU backend (`Flex`) in f32, a fused form with
//! a backward pass of its own. The public functions choose: other backends and other element types get the
//! reference. bf16 has no fused form yet.
//!
//! The fused forms pick AVX-512, AVX2 with FMA, or plain code when they run, use rayon's current pool, and give the
//! same bits whatever its number of threads; a row's result does not depend on what else is in the batch.

mod allowed;
mod attention;
mod cross_entropy;
mod fused;
mod gating;
mod gradients;
mod norm;
mod operations;
mod parallel;
mod primitives;
mod product;
pub mod reference;
mod rotation;
mod simd;

pub use operations::{attention, linear_cross_entropy, relu_squared, rms_norm, rope, swiglu};
