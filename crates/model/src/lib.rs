//! The decoder: a pre-norm transformer whose attention is a pattern over layers.
//!
//! One dial sets everything else: the number of non-embedding parameters ([`ModelSpec::size`]).
//! The parallel form ([`Decoder::logits`]) trains, the step form ([`Decoder::step`]) decodes with a
//! [`Cache`], and the two give the same logits.

#![forbid(unsafe_code)]

mod attention;
mod cache;
mod checkpoint;
mod config;
mod count;
mod decoder;
mod error;
mod init;
mod preset;

pub use attention::AttentionKind;
pub use cache::Cache;
pub use checkpoint::{TensorsByName, read_tensors, tensor_bytes};
pub use config::{Activation, ModelConfig, ModelSpec};
pub use count::{Flops, Parameters};
pub use decoder::{Decoder, Parameter};
pub use error::ModelError;
pub use preset::{Shape, shape_for};
