//! Tools alone, as JSON Schema: the result of MCP's `tools/list`, `{"tools": […]}`, the list in it, or one tool.

use super::builder::Builder;
use super::json::{At, Kind, Node};
use super::loss::{Loss, Read};
use super::schemas::{self, Shape};
use super::spelling::COMPACT;
use crate::{SpanKind, Trace};

/// Writes one document.
pub(crate) fn write(trace: &Trace) -> String {
    let bodies = trace.spans.iter().filter(|s| s.kind == SpanKind::Tools);
    let tools = bodies.filter_map(|s| schemas::declared(&s.body)).next_back().unwrap_or_default();
    format!("{{\"tools\":{}}}", schemas::list(&tools, Shape::Mcp(true)))
}

/// Reads one document. The tools may be in any of the shapes that formats give them.
pub(crate) fn read(node: &Node<'_>, at: At<'_>) -> Read<(Trace, Vec<Loss>)> {
    let mut b = Builder::new(COMPACT);
    match &node.kind {
        Kind::Array(tools) => declare(&mut b, tools, at)?,
        // The response to a request.
        Kind::Object(_) if node.get("jsonrpc").is_some() && node.get("result").is_some() => {
            let mut fields = node.fields(at)?;
            fields.take("jsonrpc", at)?;
            fields.take("id", at)?;
            let result = fields.need("result", at)?;
            list(&mut b, result, At::Key(&at, "result"))?;
            fields.rest(at, &mut b.losses);
        }
        Kind::Object(_) if node.get("name").is_some() || node.get("function").is_some() => {
            declare(&mut b, std::slice::from_ref(node), at)?;
        }
        _ => list(&mut b, node, at)?,
    }
    b.finish()
}

fn list(b: &mut Builder, node: &Node<'_>, at: At<'_>) -> Read<()> {
    let mut fields = node.fields(at)?;
    let inside = At::Key(&at, "tools");
    let tools = fields.need("tools", at)?.items(inside)?;
    declare(b, tools, inside)?;
    fields.rest(at, &mut b.losses);
    Ok(())
}

fn declare(b: &mut Builder, tools: &[Node<'_>], at: At<'_>) -> Read<()> {
    if !tools.is_empty() {
        let body = schemas::read(tools, at, &mut b.losses)?;
        b.tools(body);
    }
    Ok(())
}
