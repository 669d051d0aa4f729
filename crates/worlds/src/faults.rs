//! The catalogue of injected failures.
//!
//! A fault is *explicit* where an error says that something is wrong, *implicit* where only its consequences or a closer look tell; it is
//! *transient* where it is over after a while or a recovery, *permanent* where it stays for the episode.
//!
//! | fault | sort | what the agent meets | optimal response | its cost in calls |
//! |---|---|---|---|---|
//! | `transient` | explicit, transient | `Busy`, once (twice from level 3 on) | the same call again | 1 (2) |
//! | `timeout` | explicit, transient | `Timeout`: no answer, and nothing was done | the same call again | 1 |
//! | `rate_limit` | explicit, transient | `RateLimit(n)`: the tool refuses for the next `n` calls, of whatever tool | something else, or wait, then the call again | 1 + n at most |
//! | `gone` | explicit, transient | `Gone(tool, n)`: the tool is away for the next `n` calls | another tool, or wait | 1 to 1 + n |
//! | `denied` | explicit, permanent | `Denied(name)`, until one has asked | `ask(name)` and again, or another way | 2 at most |
//! | `misspelt` | explicit, permanent | the goal names something with a letter wrong: `NotFound` | list, take the nearest name | 2 where one list suffices |
//! | `drift` | explicit, permanent | `Renamed(old, new)`: a parameter of the tool has got another name | the same call with the new name | 1 |
//! | `not_found` | explicit, permanent | `NotFound(name)`: what is there is not where it should be | look for it elsewhere | 1 for the failure and what the other way costs |
//! | `removed` | explicit, permanent | `Removed(tool)`: the tool is gone for good | the other tools | 1 and what the other way costs more |
//! | `broken` | explicit, permanent | `Broken(object)`: a thing is out of order for good | plan without it | 1 and what the other plan costs more |
//! | `closed` | explicit, permanent | `route` only: a road of the map is closed, `Closed("a>b")` | plan another way | 1 and what the other way costs more |
//! | `limit` | explicit, permanent | `ledger` only: a payment is larger than a limit that nobody stated, `Limit(n)` | split it | 1 and the payments more |
//! | `stale` | implicit, transient | a query answers `{old: …}` instead of the truth, or a change is refused as `Stale(name)` | query again; look at `name` first | 1; 2 |
//! | `truncated` | implicit, transient | a list ends in `"..."`: it was cut off | look again | 1 |
//! | `wrong` | implicit, transient | an answer that is not true: a wrong result, or an `ok` for what was not done | check against what one knows; again | 1; the symptom, a look and the plan anew |
//! | `planted` | implicit, permanent | one's own first calls, in the prompt, lead away from the goal | plan from where one is | what the plan from there has more |
//! | `inherited` | implicit, permanent | the prompt tells what somebody else did before giving up | plan from where things are | what the plan from there has more |
//!
//! A fault draws from a random stream of its own, so the twin without it is the same task in every other respect. Every fault strikes a call
//! that the expert has to make, so the expert always meets it, and re-plans from the faulty state with what it then knows:
//! [`recovery`](crate::recovery) tells where a fault shows and how many calls it costs. An action that met a wrong, old or cut-off value has
//! not *failed* (the tool did answer), so its span has no `failed`; the observation names the fault.

mod wrapper;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::{WorldError, did_you_mean};

pub(crate) use wrapper::Faults;

/// A kind of injected failure; see the [module documentation](self).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// A tool is busy for a moment.
    Transient,
    /// The goal spells a name slightly wrong.
    Misspelt,
    /// Access must be asked for.
    Denied,
    /// A view of the world is out of date.
    Stale,
    /// A tool is away for some calls.
    Gone,
    /// A road of the map is closed.
    Closed,
    /// A payment is larger than allowed.
    Limit,
    /// A thing that the plan uses is out of order for good.
    Broken,
    /// A tool that the plan uses is gone for good.
    Removed,
    /// A tool refuses for some calls and says for how many.
    RateLimit,
    /// No answer comes, and nothing is done.
    Timeout,
    /// A parameter gets another name in mid-episode.
    Drift,
    /// An answer is cut off.
    Truncated,
    /// An answer is not true.
    Wrong,
    /// One's own earlier mistake stands in the prompt.
    Planted,
    /// Somebody else's failed attempt stands in the prompt.
    Inherited,
    /// Something is not where it should be.
    NotFound,
}

impl FaultKind {
    /// Every fault.
    pub const ALL: [FaultKind; 17] = [
        FaultKind::Transient,
        FaultKind::Misspelt,
        FaultKind::Denied,
        FaultKind::Stale,
        FaultKind::Gone,
        FaultKind::Closed,
        FaultKind::Limit,
        FaultKind::Broken,
        FaultKind::Removed,
        FaultKind::RateLimit,
        FaultKind::Timeout,
        FaultKind::Drift,
        FaultKind::Truncated,
        FaultKind::Wrong,
        FaultKind::Planted,
        FaultKind::Inherited,
        FaultKind::NotFound,
    ];

    /// Its name in files, traces and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            FaultKind::Transient => "transient",
            FaultKind::Misspelt => "misspelt",
            FaultKind::Denied => "denied",
            FaultKind::Stale => "stale",
            FaultKind::Gone => "gone",
            FaultKind::Closed => "closed",
            FaultKind::Limit => "limit",
            FaultKind::Broken => "broken",
            FaultKind::Removed => "removed",
            FaultKind::RateLimit => "rate_limit",
            FaultKind::Timeout => "timeout",
            FaultKind::Drift => "drift",
            FaultKind::Truncated => "truncated",
            FaultKind::Wrong => "wrong",
            FaultKind::Planted => "planted",
            FaultKind::Inherited => "inherited",
            FaultKind::NotFound => "not_found",
        }
    }
}

impl FaultKind {
    /// Whether an error says that something is wrong; otherwise only its consequences, or a closer look, tell.
    pub const fn is_explicit(self) -> bool {
        use FaultKind::*;
        !matches!(self, Stale | Truncated | Wrong | Planted | Inherited)
    }

    /// Whether it stays for the whole episode; otherwise it is over after a while or a recovery.
    pub const fn is_permanent(self) -> bool {
        use FaultKind::*;
        matches!(
            self,
            Denied | Misspelt | Drift | Removed | Broken | Closed | Limit | Planted | Inherited | NotFound
        )
    }
}

impl std::fmt::Display for FaultKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for FaultKind {
    type Err = WorldError;

    fn from_str(name: &str) -> Result<Self, WorldError> {
        let names = || FaultKind::ALL.into_iter().map(FaultKind::as_str);
        FaultKind::ALL.into_iter().find(|k| k.as_str() == name).ok_or_else(|| WorldError::UnknownFault {
            name: name.to_owned(),
            hint: did_you_mean(name, names()),
            known: names().collect::<Vec<_>>().join(", "),
        })
    }
}
