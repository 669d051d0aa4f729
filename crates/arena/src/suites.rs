//! The standard suites: one a capability, with fixed public seeds.

use groundwork_worlds::{Capability, Declare};

use crate::SuiteSpec;
use crate::statistics::seed_of;

/// The standard suite of a capability: a grid of difficulty over every world that exercises it, with the public seeds.
///
/// Which worlds those are is the registry's to say, so a new world slots in. Only `recovery` has faulty tasks, all the
/// others measure the ability by itself. All legal actions compete in a ranking, in `long-context` a choice of them.
pub fn standard_suite(capability: Capability) -> SuiteSpec {
    let spec = SuiteSpec {
        capability: Some(capability),
        levels: vec![1, 2, 3, 4, 6, 8],
        faults: Vec::new(),
        tasks: 24,
        max_steps: 64,
        max_tokens: 1024,
        rank_tasks: 24,
        rank_candidates: 0,
        ..SuiteSpec::default()
    };
    match capability {
        Capability::Planning | Capability::ToolUse | Capability::Reasoning | Capability::StateTracking => {
            spec
        }
        // A name says nothing of a tool that was never seen.
        Capability::UnseenTools => SuiteSpec { declare: Declare::Full, levels: vec![1, 2, 3, 4], ..spec },
        // A library has thousands of legal actions: every word in it can be asked for.
        Capability::LongContext => {
            let levels = vec![1, 2, 4, 6, 8, 12];
            SuiteSpec { levels, max_tokens: 16_384, rank_candidates: 64, ..spec }
        }
        Capability::Recovery => {
            let faults = vec!["any".to_owned()];
            // Five tasks a cell, in which twenty faults take turns over the four levels.
            SuiteSpec { levels: vec![1, 2, 3, 4], faults, tasks: 5, rank_tasks: 96, ..spec }
        }
    }
}

/// The same suite with tasks that nobody has seen: their seeds are drawn from `seed`, and no suite with public seeds
/// has them.
///
/// Public seeds make results comparable between laboratories; fresh ones show whether a model has met the public tasks.
pub fn with_fresh_seeds(suite: SuiteSpec, seed: u64) -> SuiteSpec {
    // The top bit keeps a fresh seed apart from every small number that a person would write into a suite.
    SuiteSpec { seed: seed_of(&["fresh"], &[seed]) | 1 << 63, ..suite }
}
