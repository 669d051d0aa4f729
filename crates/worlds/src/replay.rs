//! Recorded traces, held against the world that they are from.

use groundwork_trace::{Span, SpanKind, Trace};

use crate::episode::{Declare, Episode};
use crate::error::WorldError;
use crate::task::Task;

/// Where a recorded trace and its world part.
#[derive(Clone, Debug, PartialEq)]
pub struct Parted {
    /// The span of the trace, counted from 0; its length where something is missing at its end.
    pub span: usize,
    /// What the world says there.
    pub world: Option<Span>,
    /// What is wrong, in a few words.
    pub what: &'static str,
}

/// Takes the actions of a recorded trace again and compares everything that the world has said in it, to the byte: the prompt, the
/// results with their marks, which actions failed, and that the task is solved in the end.
///
/// # Errors
/// The task cannot be set up. The inner result says where trace and world part.
pub fn replays(task: &Task, trace: &Trace) -> Result<Result<(), Parted>, WorldError> {
    let spans = &trace.spans;
    let declare = match spans.first().filter(|s| s.kind == SpanKind::Tools) {
        None => Declare::None,
        Some(tools) if tools.body == task.world => Declare::Name,
        Some(_) => Declare::Full,
    };
    let mut episode = Episode::new(task)?;
    let prompt = episode.prompt(declare);
    let parted = |span, world, what| Ok(Err(Parted { span, world, what }));
    for (i, told) in prompt.iter().enumerate() {
        if !spans.get(i).is_some_and(|span| same(span, told)) {
            return parted(i, Some(told.clone()), "the prompt differs");
        }
    }
    let mut waiting: std::collections::VecDeque<Span> = Default::default();
    for (i, span) in spans.iter().enumerate().skip(prompt.len()) {
        match span.kind {
            SpanKind::Action => {
                let reply = episode.act(&span.body);
                if reply.failed != span.failed {
                    return parted(i, Some(reply.span), "whether the action failed differs");
                }
                waiting.push_back(reply.span);
                waiting.extend(reply.turn);
            }
            SpanKind::Observation | SpanKind::Error | SpanKind::User => match waiting.pop_front() {
                Some(told) if same(span, &told) => {}
                told => return parted(i, told, "the result differs"),
            },
            _ => {}
        }
    }
    let answer = spans.last().filter(|s| s.kind == SpanKind::Answer);
    match answer {
        None => parted(spans.len(), None, "there is no answer"),
        Some(answer) if episode.verify(&answer.body).success => Ok(Ok(())),
        Some(_) => parted(spans.len() - 1, None, "the task is not solved"),
    }
}

/// Whether the world said the same; metadata was added by others.
fn same(a: &Span, b: &Span) -> bool {
    (a.kind, &a.body, a.failed, &a.fault, &a.own, a.weight)
        == (b.kind, &b.body, b.failed, &b.fault, &b.own, b.weight)
}
