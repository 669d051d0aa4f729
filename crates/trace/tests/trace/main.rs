//! Tests of the trace language through its public surface.

mod attempts;
mod branches;
mod comparing;
mod diagnostics;
mod outline;
mod page;
mod reference;
mod round_trip;
mod schemas;
mod terminal;
mod typing;
