//! Nothing but dependencies: see this crate's manifest.
#![forbid(unsafe_code)]
