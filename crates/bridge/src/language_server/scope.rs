//! What the names in a file mean.

use std::ops::Range;

use groundwork_trace::{CallPlace, Outline, SpanKind, SpanPlace, Tool};

use super::KnownTools;

/// A file with the tools of each of its traces.
pub(crate) struct Scope<'a> {
    pub(crate) outline: Outline,
    /// The tools of every trace.
    tools: Vec<Vec<Tool>>,
    pub(crate) known: &'a KnownTools,
}

impl Scope<'_> {
    pub(crate) fn read<'a>(text: &str, known: &'a KnownTools) -> Scope<'a> {
        let outline = Outline::read(text);
        let tools = |spans: &Vec<SpanPlace>| -> Vec<Tool> {
            let declared = spans.iter().flat_map(|s| {
                let set = s.tool_set().and_then(|name| (known.tools)(&name)).unwrap_or_default();
                s.declarations().into_iter().map(|(tool, _)| tool).chain(set)
            });
            declared.collect()
        };
        let tools = outline.traces.iter().map(tools).collect();
        Scope { outline, tools, known }
    }

    /// The span at a place of the file, and the tools of its trace.
    pub(crate) fn at(&self, at: usize) -> Option<(&SpanPlace, &[Tool])> {
        let (trace, span) = self.outline.at(at)?;
        Some((&self.outline.traces[trace][span], &self.tools[trace]))
    }

    /// The tool that the error or observation at a place answers.
    pub(crate) fn answered(&self, at: usize) -> Option<&Tool> {
        let (trace, span) = self.outline.at(at)?;
        let spans = &self.outline.traces[trace];
        let is_result = |s: &SpanPlace| matches!(s.span().kind, SpanKind::Observation | SpanKind::Error);
        let results = spans[..span].iter().rev().take_while(|s| is_result(s)).count();
        let actions: Vec<&SpanPlace> =
            spans[..span - results].iter().rev().take_while(|s| s.span().kind == SpanKind::Action).collect();
        let action = actions.into_iter().rev().nth(results)?;
        let call = action.call()?.call;
        self.tools[trace].iter().find(|t| t.name == call.tool)
    }

    /// Where the tool, or the parameter, that stands at a place of the file is declared.
    pub(crate) fn definition(&self, at: usize) -> Option<Range<usize>> {
        let (trace, span) = self.outline.at(at)?;
        let CallPlace { call, tool, args } = self.outline.traces[trace][span].call()?;
        let on = |r: &Range<usize>| r.start <= at && at <= r.end;
        if !on(&tool) && !args.iter().any(|(name, _)| on(name)) {
            return None;
        }
        let declared = self.outline.traces[trace].iter().flat_map(SpanPlace::declarations);
        declared.into_iter().find(|(t, _)| t.name == call.tool).map(|(_, at)| at)
    }
}

/// A name as it is written.
pub(crate) fn written(name: &str) -> String {
    let mut call = groundwork_trace::Call { tool: name.to_owned(), args: Vec::new() }.to_string();
    call.truncate(call.len() - "()".len());
    call
}
