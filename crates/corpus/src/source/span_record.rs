//! A span as a record: the fields that JSONL and Parquet share.

use groundwork_trace::{Span, SpanKind, Trace, Value};
use serde::Deserialize;

/// `{"kind": "action", "body": "…", "failed": true, "fault": "gone", "own": [[3, 7]], "weight": 0.5,
/// "meta": {"author": "ann"}}`; all but the
/// kind and the body may be left out.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SpanRecord {
    pub(crate) kind: String,
    pub(crate) body: String,
    #[serde(default)]
    pub(crate) failed: bool,
    #[serde(default)]
    pub(crate) fault: Option<String>,
    #[serde(default)]
    pub(crate) own: Vec<(usize, usize)>,
    #[serde(default)]
    pub(crate) weight: Option<f32>,
    #[serde(default)]
    pub(crate) meta: serde_json::Map<String, serde_json::Value>,
}

impl SpanRecord {
    /// The span, or what is wrong with the record.
    pub(crate) fn into_span(self) -> Result<Span, String> {
        let Some(kind) = SpanKind::from_keyword(&self.kind) else {
            let known: Vec<_> = SpanKind::ALL.iter().map(|k| k.keyword()).collect();
            return Err(format!("there is no span kind `{}`; the kinds are {}", self.kind, known.join(", ")));
        };
        if let Some((start, end)) = self.own.iter().find(|(s, e)| s > e || *e > self.body.len()) {
            let length = self.body.len();
            return Err(format!("`own` has the range {start}..{end}, but the body has {length} bytes"));
        }
        check_weight(self.weight)?;
        Ok(Span {
            kind,
            body: self.body,
            failed: self.failed,
            fault: self.fault,
            own: self.own.into_iter().map(|(start, end)| start..end).collect(),
            weight: self.weight,
            meta: self.meta.iter().map(|(name, value)| (name.clone(), Value::from_json(value))).collect(),
        })
    }
}

/// A weight multiplies a loss: a number that is finite and not below 0.
pub(super) fn check_weight(weight: Option<f32>) -> Result<(), String> {
    match weight {
        Some(w) if !(w.is_finite() && w >= 0.0) => {
            Err(format!("{w} is no weight: it must be a number from 0 up"))
        }
        _ => Ok(()),
    }
}

/// Whether a trace has no text at all.
pub(super) fn is_empty(trace: &Trace) -> bool {
    trace.spans.iter().all(|s| s.body.is_empty())
}
