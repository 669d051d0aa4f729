//! The loss report of a written trace: the difference between it and what its text is read back as.
//!
//! A writer does not say what it loses, it is found out. So a report can be wrong only if the reader is.

use super::loss::{Loss, LossKind, Place};
use crate::align::{Step, align};
use crate::{Call, Span, SpanKind, Trace, Value};

/// What of `trace` is not in `back`. `number` gives the number of a span in the trace that the caller knows.
pub(crate) fn losses(
    trace: &Trace,
    back: &Trace,
    markers: &[&str],
    number: impl Fn(usize) -> usize,
) -> Vec<Loss> {
    let mut losses = Vec::new();
    let steps = align(&trace.spans, &back.spans);
    let only_there = |s: &Step| match s {
        Step::Right(j) => Some(&back.spans[*j]),
        _ => None,
    };
    let mut moved: Vec<&Span> = steps.iter().filter_map(only_there).collect();
    for step in steps {
        let (i, there) = match step {
            Step::Both(i, j) => (i, Some(&back.spans[j])),
            Step::Left(i) => (i, None),
            Step::Right(_) => continue,
        };
        let here = &trace.spans[i];
        let mut lose = |kind, what: String| {
            losses.push(Loss { kind, place: Place::Span(number(i)), what });
        };
        match there {
            None if let Some(at) = moved.iter().position(|s| s.kind == here.kind && s.body == here.body) => {
                moved.swap_remove(at);
                lose(LossKind::Order, format!("this `{}` comes back elsewhere", here.kind));
            }
            None if here.kind == SpanKind::Tools => {
                lose(LossKind::Tools, "the tools have no place".to_owned());
            }
            None => lose(LossKind::Dropped, format!("this `{}` has no place", here.kind)),
            Some(there) => {
                if here.kind != there.kind {
                    lose(LossKind::Kind, format!("it comes back as `{}`", there.kind));
                }
                if here.failed != there.failed {
                    let what = if here.failed { "`failed` is lost" } else { "it comes back as `failed`" };
                    lose(LossKind::Failed, what.to_owned());
                }
                if here.body != there.body {
                    let (kind, what) = body(here, there, markers);
                    lose(kind, what.to_owned());
                }
            }
        }
        for (name, value) in &here.meta {
            if there.is_none_or(|t| t.meta(name) != Some(value)) {
                let kind = match name.as_str() {
                    "call" | "id" | "after" => LossKind::Ids,
                    "attach" => LossKind::Attachment,
                    _ => LossKind::Metadata,
                };
                lose(kind, format!("the metadata `{name}`"));
            }
        }
        if let Some(fault) = &here.fault
            && there.is_none_or(|t| t.fault != here.fault)
        {
            lose(LossKind::Fault, format!("the fault `{fault}`"));
        }
        if !here.own.is_empty() && there.is_none_or(|t| t.own != here.own) {
            lose(LossKind::Own, "the world's own bytes".to_owned());
        }
        if let Some(weight) = here.weight
            && there.is_none_or(|t| t.weight != here.weight)
        {
            lose(LossKind::Weight, format!("the weight {weight}"));
        }
    }
    losses
}

/// How two bodies differ.
fn body(here: &Span, there: &Span, markers: &[&str]) -> (LossKind, &'static str) {
    if here.kind == SpanKind::Tools {
        return (LossKind::Tools, "the declarations come back changed");
    }
    let value = |s: &Span| match s.kind {
        SpanKind::Action => Call::parse(&s.body).ok().map(|c| (c.tool, Value::Record(c.args))),
        SpanKind::Observation | SpanKind::Error => Value::parse(&s.body).ok().map(|v| (String::new(), v)),
        _ => None,
    };
    let marked = markers.iter().any(|m| here.body.contains(m));
    match (value(here), value(there)) {
        (Some(a), Some(b)) if a == b => (LossKind::Spelling, "it comes back spelt in another way"),
        (Some((tool, mut a)), Some((other, mut b))) => {
            if tool == other {
                sort(&mut a);
                sort(&mut b);
                if a == b {
                    return (LossKind::Order, "its fields come back in another order");
                }
            }
            match marked {
                true => (LossKind::Marker, "it spells a marker of the format, which is broken up"),
                false => (LossKind::Type, "a value in it comes back as another"),
            }
        }
        _ if marked => (LossKind::Marker, "it spells a marker of the format, which is broken up"),
        (None, Some(_)) if matches!(here.kind, SpanKind::Action | SpanKind::Observation) => {
            (LossKind::Type, "it is no value, and comes back as one")
        }
        _ => (LossKind::Text, "its text comes back changed"),
    }
}

/// Brings the fields of records into one order.
fn sort(value: &mut Value) {
    match value {
        Value::List(items) => items.iter_mut().for_each(sort),
        Value::Record(fields) => {
            fields.iter_mut().for_each(|(_, v)| sort(v));
            fields.sort();
        }
        _ => {}
    }
}
