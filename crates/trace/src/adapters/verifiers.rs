//! Traces of verifiers (`TRACE_VERSION` 1): a graph of messages, each with the one that it follows.

use std::collections::HashMap;

use super::attach::Attached;
use super::beside;
use super::builder::Builder;
use super::json::{At, Kind, Node};
use super::loss::{FormatError, Loss, LossKind, Read};
use super::openai_chat::{self, Calls};
use super::output::Output;
use super::schemas::{self, Shape};
use super::turns::{Turn, placed_with_calls, take_tools};
use crate::Trace;
use crate::graph::joined;

/// Writes one document.
pub(crate) fn write(trace: &Trace, beside: Option<&str>) -> String {
    // A message under the same one before it is the same node.
    let mut nodes: Vec<(Option<usize>, String)> = Vec::new();
    let mut known: HashMap<(Option<usize>, String), usize> = HashMap::new();
    let mut tools = None;
    for branch in trace.branches() {
        let mut turns = placed_with_calls(&branch.trace, |t| matches!(t, Turn::Tools(_)));
        tools = take_tools(&mut turns).or(tools);
        let attached = Attached::of(&branch.trace);
        let mut parent = None;
        for message in openai_chat::messages(turns, &attached, Calls::Flat) {
            let key = (parent, message);
            let node = *known.entry(key.clone()).or_insert_with(|| {
                nodes.push(key);
                nodes.len() - 1
            });
            parent = Some(node);
        }
    }
    let mut out = Output::default();
    out.open('{').key("version").raw("1").key("id").text("0");
    out.key("task").raw("{\"type\":\"Task\",\"data\":{}}").key("agent").raw("{\"config\":{}}");
    out.key("tools");
    match tools {
        Some(tools) => out.raw(&schemas::list(&tools, Shape::Flat)),
        None => out.raw("[]"),
    };
    out.key("nodes").open('[');
    for (parent, message) in &nodes {
        out.open('{').key("parent");
        match parent {
            Some(parent) => out.raw(&parent.to_string()),
            None => out.raw("null"),
        };
        let sampled = message.starts_with("{\"role\":\"assistant\"");
        out.key("message").raw(message).key("sampled").raw(if sampled { "true" } else { "false" }).close('}');
    }
    out.close(']');
    if let Some(object) = beside::object(beside) {
        out.key("info").raw(&object);
    }
    out.close('}');
    out.finish()
}

/// Reads one document.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut fields = node.fields(at)?;
    let mut losses = Vec::new();
    fields.take("version", at)?;
    for (key, node, usual) in [
        ("id", fields.take("id", at)?, "\"0\""),
        ("task", fields.take("task", at)?, "{\"type\":\"Task\",\"data\":{}}"),
        ("agent", fields.take("agent", at)?, "{\"config\":{}}"),
    ] {
        if node.is_some_and(|n| n.raw != usual) {
            let place = At::Key(&at, key).place();
            losses.push(Loss { kind: LossKind::Metadata, place, what: format!("`{key}`") });
        }
    }
    let inside = At::Key(&at, "nodes");
    let nodes = fields.need("nodes", at)?.items(inside)?;
    let tools_at = At::Key(&at, "tools");
    let tools = fields.take("tools", at)?.map(|t| t.items(tools_at)).transpose()?.unwrap_or_default();
    let tools = if tools.is_empty() { None } else { Some(schemas::read(tools, tools_at, &mut losses)?) };
    let beside = beside::take(&mut fields, "info", &mut losses, at)?;
    fields.rest(at, &mut losses);

    let mut parents = Vec::with_capacity(nodes.len());
    for (i, node) in nodes.iter().enumerate() {
        parents.push(parent(node, i, At::Item(&inside, i))?);
    }
    let mut is_parent = vec![false; nodes.len()];
    parents.iter().flatten().for_each(|&p| is_parent[p] = true);
    let mut branches = Vec::new();
    let mut read = vec![false; nodes.len()];
    for end in (0..nodes.len()).filter(|&i| !is_parent[i]) {
        let mut way: Vec<usize> = std::iter::successors(Some(end), |&i| parents[i]).collect();
        way.reverse();
        let mut b = Builder::new(super::spelling::COMPACT);
        for i in way {
            read_node(&mut b, &nodes[i], At::Item(&inside, i))?;
            // What a branch shares was reported with the first.
            if !std::mem::replace(&mut read[i], true) {
                losses.append(&mut b.losses);
            }
            b.losses.clear();
        }
        if let Some(tools) = &tools {
            b.tools(tools.clone());
        }
        let (trace, _) = b.finish()?;
        branches.push(trace);
    }
    if branches.is_empty()
        && let Some(tools) = tools
    {
        branches.push(Trace::new(vec![crate::Span::new(crate::SpanKind::Tools, tools)]));
    }
    let mut trace = joined(branches);
    beside::add(&mut trace, &mut losses, beside, At::Key(&at, "info"));
    Ok((trace, losses))
}

/// The number of the node that this one follows, which stands before it.
fn parent(node: &Node<'_>, number: usize, at: At<'_>) -> Read<Option<usize>> {
    let Some(parent) = node.get("parent").filter(|p| !p.is_null()) else { return Ok(None) };
    let found = match parent.kind {
        Kind::Number => parent.raw.parse().ok().filter(|&p: &usize| p < number),
        _ => None,
    };
    found.map(Some).ok_or_else(|| {
        let message = format!("`{}` is no node before this one", parent.raw);
        FormatError::new(At::Key(&at, "parent").place(), message, "a node follows an earlier one, or `null`")
    })
}

fn read_node(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut f = node.fields(at)?;
    f.take("parent", at)?;
    // Whether the model said it follows from its role, save where a turn was made up.
    let sampled = f.take("sampled", at)?.is_some_and(|s| s.raw == "true");
    let message = f.need("message", at)?;
    if message.get("role").is_some_and(|r| r.raw == "\"assistant\"") && !sampled {
        b.lose_once(LossKind::Metadata, || at.place(), "that a turn of the agent was not sampled");
    }
    let weights = f.take("loss_weights", at)?.filter(|w| !w.is_null());
    let weight = weights.and_then(|weights| constant(weights, node.get("mask")));
    if weights.is_some() && weight.is_none() {
        let what = "weights that are not the same for a whole message, or of several sorts";
        b.lose_once(LossKind::Weight, || At::Key(&at, "loss_weights").place(), what);
    }
    // Results of several messages come in together; whoever else speaks ends them.
    if message.get("role").is_none_or(|r| r.raw != "\"tool\"") {
        b.settle()?;
    }
    let from = b.len();
    openai_chat::read_message(b, message, Calls::Flat, At::Key(&at, "message"))?;
    weight.into_iter().for_each(|weight| b.weigh(from, weight));
    f.rest(at, &mut b.losses);
    Ok(())
}

/// The one weight of all tokens of a message: of those that are trained on, where a mask says so of any. It stands in a
/// list, or in the only list of an object.
fn constant(weights: &Node<'_>, mask: Option<&Node<'_>>) -> Option<f32> {
    let weights = match &weights.kind {
        Kind::Object(streams) if let [(_, only)] = streams.as_slice() => only,
        _ => weights,
    };
    let Kind::Array(weights) = &weights.kind else { return None };
    let mask = match mask.map(|mask| &mask.kind) {
        Some(Kind::Array(mask)) if mask.iter().any(|m| m.raw == "true") => mask.as_slice(),
        _ => &[],
    };
    let counts = |i: usize| mask.is_empty() || mask.get(i).is_some_and(|m| m.raw == "true");
    let mut trained =
        weights.iter().enumerate().filter(|(i, _)| counts(*i)).map(|(_, w)| w.raw.parse::<f32>());
    let first = trained.next()?.ok().filter(|w| w.is_finite() && *w >= 0.0)?;
    trained.all(|w| w == Ok(first)).then_some(first)
}
