//! Calls that are nearly right.

use groundwork_trace::Call;

/// Calls that differ from `call` in the value of one argument, by values that this argument of this tool takes in `pool`, each with
/// the place of that argument; in order and without repetition.
pub fn one_argument_off(call: &Call, pool: &[Call]) -> Vec<(usize, Call)> {
    let mut wrong = Vec::new();
    for (place, (name, value)) in call.args.iter().enumerate() {
        for other in pool.iter().filter(|c| c.tool == call.tool).filter_map(|c| c.arg(name)) {
            if other != value {
                let mut mistaken = call.clone();
                mistaken.args[place].1 = other.clone();
                wrong.push((place, mistaken));
            }
        }
    }
    wrong.sort_unstable();
    wrong.dedup();
    wrong
}
