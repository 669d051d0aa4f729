//! A value, or the reason why there is none.

use serde::{Deserialize, Serialize};

/// A value, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defined<T> {
    /// It is defined.
    Value(T),
    /// It is not, because of this.
    Undefined(String),
}

impl<T> Defined<T> {
    /// The value, if there is one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Defined::Value(value) => Some(value),
            Defined::Undefined(_) => None,
        }
    }

    pub(crate) fn undefined(why: &str) -> Defined<T> {
        Defined::Undefined(why.to_owned())
    }
}
