//! Tests of the adapters to other formats through their public surface.

mod arbitrary;
mod beside;
#[path = "../chance/mod.rs"]
mod chance;
mod families;
mod files;
mod logs;
mod mutations;
mod openai;
mod properties;
mod reference;
mod said;
mod signatures;
mod traps;
