//! What a fault costs.

use groundwork_trace::SpanKind;

use crate::episode::{Declare, Episode};
use crate::error::WorldError;
use crate::faults::FaultKind;
use crate::task::Task;

/// What a fault costs one who recovers from it as the expert does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovery {
    /// The fault.
    pub fault: FaultKind,
    /// The index in the expert's trace (tools named) of the first span that shows it.
    pub at: usize,
    /// How many actions the expert takes with the fault. What another agent takes more is its excess.
    pub actions: u32,
    /// How many actions the expert takes in the twin.
    pub twin_actions: u32,
}

impl Recovery {
    /// How many actions more the fault costs the expert. Negative where what was done before the agent came helped.
    pub const fn cost(&self) -> i64 {
        self.actions as i64 - self.twin_actions as i64
    }
}

/// Where the fault of a task shows, and how many actions the optimal recovery costs. `None` for a task without one.
///
/// ```
/// use groundwork_worlds::{FaultKind, Split, Task, recovery};
/// let fault = Some(FaultKind::Timeout);
/// let task = Task { world: "blocks".into(), split: Split::Train, seed: 1, level: 2, fault };
/// let recovery = recovery(&task)?.expect("it has a fault");
/// assert_eq!(recovery.cost(), 1);
/// # Ok::<(), groundwork_worlds::WorldError>(())
/// ```
///
/// # Errors
/// The task cannot be set up.
pub fn recovery(task: &Task) -> Result<Option<Recovery>, WorldError> {
    let Some(fault) = task.fault else { return Ok(None) };
    let actions = |task: &Task| -> Result<(u32, usize), WorldError> {
        let told = Episode::new(task)?.prompt(Declare::Name).len();
        let trace = Episode::expert_trace(task, Declare::Name)?;
        let at = trace.spans.iter().position(|s| s.fault.is_some()).unwrap_or(trace.spans.len());
        let own = trace.spans.iter().skip(told);
        Ok((own.filter(|s| s.kind == SpanKind::Action).count() as u32, at))
    };
    let ((actions_with, at), (twin_actions, _)) = (actions(task)?, actions(&task.twin())?);
    Ok(Some(Recovery { fault, at, actions: actions_with, twin_actions }))
}
