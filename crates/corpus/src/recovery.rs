//! What a trace says of the fault that it recovers from.

use groundwork_trace::{SpanKind, Trace, Value};
use groundwork_worlds::{Declare, Episode, Task, WorldError, recovery};

/// Notes at the span that shows the fault, as `x_recovery={cost: 2, beyond: 0}`, how many actions the best recovery costs
/// more than the task without the fault, and how many this one takes beyond that.
pub(crate) fn note(task: &Task, trace: &mut Trace) -> Result<(), WorldError> {
    let Some(best) = recovery(task)? else { return Ok(()) };
    let actions =
        |spans: &[groundwork_trace::Span]| spans.iter().filter(|s| s.kind == SpanKind::Action).count() as i64;
    // What the prompt tells was done before.
    let taken = actions(&trace.spans) - actions(&Episode::new(task)?.prompt(Declare::None));
    let beyond = taken - i64::from(best.actions);
    if let Some(shown) = trace.spans.iter_mut().find(|s| s.fault.is_some()) {
        let fields = [("cost", best.cost()), ("beyond", beyond)];
        let fields = fields.map(|(name, n)| (name.to_owned(), Value::int(n))).into();
        shown.meta.push(("x_recovery".to_owned(), Value::Record(fields)));
    }
    Ok(())
}
