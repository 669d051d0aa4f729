//! The arena from outside, with scripted policies and with a small decoder.

mod doubles;
mod measuring;
mod playing;
mod scores;
mod suites;
