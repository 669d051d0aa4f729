//! The values and traps of the conformance suite.
