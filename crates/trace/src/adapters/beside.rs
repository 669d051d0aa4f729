//! What is known of spans and has no place of its own in a format that lets a document hold anything beside: an object
//! `{"groundwork": {"3": "action [weight=0.5]:"}}`, each span by its number with its metadata as the language writes it.

use super::builder::Builder;
use super::json::{At, Fields, Kind, Node, quoted};
use super::loss::{Loss, LossKind, Read};
use super::output::Output;
use crate::align::{Step, align};
use crate::layout::has_attributes;
use crate::{Span, SpanKind, Trace};

/// The key under which it stands.
pub(crate) const KEY: &str = "groundwork";

/// What of `trace` is not in `back`, which is what a document without it is read back as; none if that is nothing.
pub(crate) fn of(trace: &Trace, back: &Trace) -> Option<String> {
    let mut out = Output::default();
    out.open('{');
    let mut any = false;
    for step in align(&trace.spans, &back.spans) {
        let Step::Both(i, j) = step else { continue };
        let (here, there) = (&trace.spans[i], &back.spans[j]);
        let mut missing = Span::new(there.kind, "");
        missing.failed = here.failed && !there.failed && there.kind == SpanKind::Action;
        missing.fault = here.fault.clone().filter(|_| there.fault.is_none());
        missing.weight = here.weight.filter(|_| there.weight.is_none());
        if here.body == there.body {
            missing.own.clone_from(&here.own);
        }
        // Branches are how a format of graphs says them.
        let is_missing = |name: &str| !matches!(name, "id" | "after") && there.meta(name).is_none();
        missing.meta = here.meta.iter().filter(|(name, _)| is_missing(name)).cloned().collect();
        if has_attributes(&missing) {
            any = true;
            let printed = Trace::new(vec![missing]).to_annotated();
            out.key(&j.to_string()).text(printed.trim_end());
        }
    }
    out.close('}');
    any.then(|| out.finish())
}

/// The object that holds it, if there is anything to hold.
pub(crate) fn object(beside: Option<&str>) -> Option<String> {
    beside.map(|b| format!("{{{}:{b}}}", quoted(KEY)))
}

/// Takes it out of the object `key` of a document, whose other fields are lost.
pub(crate) fn take<'n, 'a>(
    fields: &mut Fields<'n, 'a>,
    key: &'static str,
    losses: &mut Vec<Loss>,
    at: At<'_>,
) -> Read<Option<&'n Node<'a>>> {
    let Some(node) = fields.take(key, at)? else { return Ok(None) };
    let inside = At::Key(&at, key);
    let Ok(mut inner) = node.fields(inside) else {
        losses.push(Loss { kind: LossKind::Metadata, place: inside.place(), what: format!("`{key}`") });
        return Ok(None);
    };
    let beside = inner.take(KEY, inside)?;
    inner.rest(inside, losses);
    Ok(beside)
}

/// The trace that was built, with what stood beside it.
pub(crate) fn finish(b: Builder, beside: Option<&Node<'_>>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let (mut trace, mut losses) = b.finish()?;
    add(&mut trace, &mut losses, beside, at);
    Ok((trace, losses))
}

/// Adds what stood beside a trace. What is about a span that is another now is lost.
pub(crate) fn add(trace: &mut Trace, losses: &mut Vec<Loss>, beside: Option<&Node<'_>>, at: At<'_>) {
    let Some(node) = beside else { return };
    let entries = match &node.kind {
        Kind::Object(entries) => entries.as_slice(),
        _ => &[],
    };
    let mut strange = !matches!(node.kind, Kind::Object(_));
    for (key, value) in entries {
        let said = value.text(at).ok().and_then(|text| Trace::parse(&text).ok());
        let said = said.and_then(|mut t| t.spans.pop());
        let span = key.parse().ok().and_then(|n: usize| trace.spans.get_mut(n));
        let (Some(said), Some(span)) = (said, span) else {
            strange = true;
            continue;
        };
        let inside = said.own.iter().all(|r| r.start <= r.end && span.body.get(r.clone()).is_some());
        if said.kind != span.kind || !inside {
            strange = true;
            continue;
        }
        span.failed |= said.failed;
        span.fault = span.fault.take().or(said.fault);
        span.weight = span.weight.or(said.weight);
        if span.own.is_empty() {
            span.own = said.own;
        }
        for (name, value) in said.meta {
            if span.meta(&name).is_none() {
                span.meta.push((name, value));
            }
        }
    }
    if strange {
        let what = "metadata of spans that are others now".to_owned();
        losses.push(Loss { kind: LossKind::Metadata, place: at.place(), what });
    }
}
