//! The program as a user meets it: every test starts the real binary.

mod bad_input;
mod bet;
mod bridges;
mod damage;
mod evaluation;
mod formats;
mod histories;
mod play;
mod rows;
mod run;
mod traces;
mod usage;
mod workshop;
