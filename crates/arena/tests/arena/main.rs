//! The arena from outside, with scripted policies and with a small decoder.

mod doubles;
mod endpoints;
mod horizons;
mod journals;
mod measuring;
mod playing;
mod regrading;
mod scores;
mod suites;
