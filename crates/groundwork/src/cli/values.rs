//! What values of options may be.

use std::str::FromStr;

use groundwork_worlds::{FaultKind, world_names};

pub fn the_world() -> String {
    format!("The world: {}", world_names().join(", "))
}

pub fn the_worlds() -> String {
    format!("The worlds, each as often as the others: {}", world_names().join(", "))
}

pub fn a_fault() -> String {
    format!("A fault to inject: {}", FaultKind::ALL.map(FaultKind::as_str).join(", "))
}

/// A number above zero.
pub fn positive(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|v: &f64| v.is_finite() && *v > 0.0).ok_or("want a number above 0")
}

/// A number of things, of which one is the least that makes sense.
pub fn at_least_one<N: FromStr + PartialOrd + From<u8>>(text: &str) -> Result<N, &'static str> {
    text.parse().ok().filter(|n| *n >= N::from(1)).ok_or("want a whole number, at least 1")
}

pub fn condition(text: &str) -> Result<(String, String), &'static str> {
    let (column, value) = text.split_once('=').ok_or("want COLUMN=VALUE")?;
    Ok((column.trim().to_owned(), value.trim().to_owned()))
}

pub fn temperature(text: &str) -> Result<f32, &'static str> {
    let of_range = |t: &f32| t.is_finite() && *t >= 0.0;
    text.parse().ok().filter(of_range).ok_or("want a number from 0 up; 0 takes the likeliest token")
}

pub fn prices(text: &str) -> Result<(f64, f64), &'static str> {
    let wanted = "want two numbers from 0 up, as in `0.5,1.5`";
    let (prompt, completion) = text.split_once(',').ok_or(wanted)?;
    Ok((price(prompt).map_err(|_| wanted)?, price(completion).map_err(|_| wanted)?))
}

pub fn price(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|p: &f64| p.is_finite() && *p >= 0.0).ok_or("want a number from 0 up")
}

pub fn share(text: &str) -> Result<f64, &'static str> {
    text.parse().ok().filter(|s| (0.0..=1.0).contains(s)).ok_or("want a share, from 0 to 1")
}
