//! The expert of unseen tools.

use groundwork_trace::{Call, SpanKind, Value};

use super::{Bench, DIALS, Shows, Unseen, Use, run, walk};
use crate::expert::Recorder;
use crate::world::Outcome;

/// Reads the declarations, plans, acts. What the dials show it knows from the goal (and from
/// the calls that the prompt tells), or asks.
pub(super) fn solve(bench: &Bench, known: Shows, expert: &mut Recorder) {
    let mut shows = known;
    expert.take_over::<Unseen>();
    if !bench.told {
        expert.say(SpanKind::Plan, "see the dials");
        shows = [0; DIALS];
        for (dial, name) in bench.dials.iter().enumerate() {
            let Outcome::Observation { value, .. } =
                expert.attempt_asking::<Unseen>(&Unseen::look_at(name.as_str()))
            else {
                return;
            };
            shows[dial] = value.as_i64().unwrap_or(0) as u8;
        }
    }
    let mut removed = None;
    let mut plan = if shows == bench.start { bench.plan.clone() } else { find(bench, &shows, removed) };
    expert.say(if bench.told { SpanKind::Plan } else { SpanKind::Thought }, brief(bench, &plan));
    let mut at = 0;
    while let Some(&next) = plan.get(at) {
        let call = bench.call(next);
        match expert.insist::<Unseen>(&call) {
            Outcome::Observation { .. } => {
                shows = run(&bench.devices, next, shows).unwrap_or(shows);
                at += 1;
            }
            Outcome::Error(e) if e.name == "Removed" => {
                removed = Some(next.device);
                (plan, at) = (find(bench, &shows, removed), 0);
                expert.reflect(format!("{} is gone for good, then {}", call.tool, brief(bench, &plan)));
            }
            Outcome::Error(_) => return,
        }
    }
    expert.say(SpanKind::Answer, "done");
}

fn find(bench: &Bench, from: &Shows, removed: Option<usize>) -> Vec<Use> {
    let uses: Vec<Use> = bench.uses().filter(|u| Some(u.device) != removed).collect();
    let (walked, end) = walk(&bench.devices, &uses, from, |shows, _| bench.reached(shows));
    end.map_or_else(Vec::new, |end| walked.way_to(end))
}

fn brief(bench: &Bench, plan: &[Use]) -> String {
    plan.iter().map(|u| bench.brief(*u)).collect::<Vec<_>>().join(", ")
}

impl Unseen {
    /// The call that tells what a dial shows.
    fn look_at(name: &str) -> Call {
        Call::new("show", [("name", Value::str(name))])
    }
}
