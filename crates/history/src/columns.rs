//! Which columns hold what.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Which columns say what a run is and what it cost. A field that is not given falls back to a column of the same name
/// where there is one, then to the field of the same name in [`pattern`](Columns::pattern).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Columns {
    /// The side of the comparison that a run belongs to.
    pub arm: Option<String>,
    /// All runs belong to this arm, whatever their files say: for a fit, which knows no arms.
    pub only_arm: Option<String>,
    /// The size of the model: a number, or one with `K`, `M` or `B`.
    pub size: Option<String>,
    /// The seed: runs of both arms with the same size and seed are a pair.
    pub seed: Option<String>,
    /// The step of training.
    pub step: Option<String>,
    /// The name of the run.
    pub run: Option<String>,
    /// Floating-point operations of training so far.
    pub flops: Option<String>,
    /// What a number in the column of `flops` counts: `1e9` for a column of GFLOPs.
    pub flops_unit: Option<f64>,
    /// Tokens trained on so far. Where no column gives FLOPs, they are 6 · size · tokens.
    pub tokens: Option<String>,
    /// Tokens of a step, where no column gives tokens.
    pub tokens_per_step: Option<f64>,
    /// Wall time of training so far, seconds.
    pub seconds: Option<String>,
    /// Takes fields from the name of the run, such as `{arm}-{size}-s{seed}`. A run that no column names is called by its
    /// file, one of event files by its folder.
    pub pattern: Option<String>,
    /// The step at which runs are compared: each is taken at its last point up to there. Otherwise at its end.
    pub at: Option<f64>,
    /// Only rows in which these columns say this are read.
    #[serde(rename = "where")]
    pub only: BTreeMap<String, String>,
}

/// A metric, and where it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MetricSpec {
    /// What it is called.
    pub name: String,
    /// The column that holds it; the one of its name if this is not given.
    #[serde(default)]
    pub column: Option<String>,
    /// Only rows in which these columns say this are of this metric.
    #[serde(default, rename = "where")]
    pub only: BTreeMap<String, String>,
}

impl MetricSpec {
    /// The metric in the column of its name.
    pub fn named(name: &str) -> MetricSpec {
        MetricSpec { name: name.to_owned(), column: None, only: BTreeMap::new() }
    }

    /// The column that holds it.
    pub fn column(&self) -> &str {
        self.column.as_deref().unwrap_or(&self.name)
    }
}

/// Reads a size: `124439808`, `124M`, `6.9b`.
pub fn parse_size(text: &str) -> Option<f64> {
    let text = text.trim();
    let unit = match text.chars().last()?.to_ascii_uppercase() {
        'K' => 1e3,
        'M' => 1e6,
        'B' | 'G' => 1e9,
        'T' => 1e12,
        _ => 1.0,
    };
    let digits = if unit == 1.0 { text } else { &text[..text.len() - 1] };
    let number: f64 = digits.trim_end().parse().ok()?;
    (number > 0.0 && number.is_finite()).then_some(number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, want) in [("124M", 124e6), ("6.9b", 6.9e9), ("70m", 70e6), ("1e6", 1e6), ("350 K", 350e3)]
        {
            assert_eq!(parse_size(text), Some(want), "{text}");
        }
        for text in ["", "small", "-1M", "M", "infB"] {
            assert_eq!(parse_size(text), None, "{text}");
        }
    }
}
