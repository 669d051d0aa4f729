//! Tests of the adapters to other formats through their public surface.

mod arbitrary;
mod openai;
mod properties;
mod traps;
