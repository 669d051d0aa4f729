//! Numbers in JSON, which has no word for "not a number": it is written as `null` and read back as what it was.

use serde::{Deserialize, Deserializer};

/// Reads a number or `null`.
pub(crate) fn one<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
    Ok(Option::<f64>::deserialize(from)?.unwrap_or(f64::NAN))
}

/// Reads two numbers, either of which may be `null`.
pub(crate) fn two<'de, D: Deserializer<'de>>(from: D) -> Result<[f64; 2], D::Error> {
    Ok(<[Option<f64>; 2]>::deserialize(from)?.map(|v| v.unwrap_or(f64::NAN)))
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Numbers {
        #[serde(deserialize_with = "one")]
        one: f64,
        #[serde(deserialize_with = "two")]
        two: [f64; 2],
    }

    #[test]
    fn what_is_not_a_number_comes_back_as_such() {
        let text = serde_json::to_string(&Numbers { one: f64::NAN, two: [1.5, f64::NAN] }).unwrap();
        assert_eq!(text, "{\"one\":null,\"two\":[1.5,null]}");
        let back: Numbers = serde_json::from_str(&text).unwrap();
        assert!(back.one.is_nan() && back.two[0] == 1.5 && back.two[1].is_nan());
    }
}
