//! The signature of a calculation, which decides its split.

use super::{Is, Op, Part};
use crate::hash::mix;
use crate::task::Split;

/// The side of the cut on which a signature lies.
pub(super) fn side(signature: u64) -> Split {
    if signature.is_multiple_of(4) { Split::Test } else { Split::Train }
}

/// The signature of what `asked` is, unfolded.
pub(super) fn signature(is: &[Is], asked: usize) -> u64 {
    let mut of: Vec<u64> = Vec::with_capacity(is.len());
    for is in is {
        let part = |part: Part| match part {
            Part::Number(_) => STATED,
            Part::Of(i) => of.get(i).copied().unwrap_or_default(),
        };
        of.push(match *is {
            Is::Hidden => HIDDEN,
            Is::Stated(_) => STATED,
            Is::Made(op, a, b) => made(op, part(a), part(b)),
        });
    }
    of.get(asked).copied().unwrap_or_default()
}

const HIDDEN: u64 = 1;
const STATED: u64 = 2;

fn made(op: Op, a: u64, b: u64) -> u64 {
    let both = match op {
        Op::Add => mix(a ^ 0x61).wrapping_add(mix(b ^ 0x61)),
        Op::Mul => mix(a ^ 0x6d).wrapping_add(mix(b ^ 0x6d)),
        Op::Sub => mix(a ^ 0x73).wrapping_add(mix(b ^ 0x7473)),
    };
    mix(both)
}

/// The signature of the formula that a goal of the world `arithmetic` asks for, and the split it belongs to: the
/// same for any names, numbers and order. `None` if `goal` is no such goal.
///
/// ```
/// use groundwork_worlds::formula;
/// let one = formula("lupa = kilo + 7; tola = lupa * 3; tola?");
/// assert!(one.is_some());
/// assert_eq!(one, formula("gome = 2; zeru = bimu - 2; rika = veto * 4; veto = gome + suna; rika?"));
/// assert_ne!(one, formula("lupa = kilo - 7; tola = lupa * 3; tola?"));
/// assert_eq!(formula("read bada/kilo"), None);
/// ```
pub fn formula(goal: &str) -> Option<(u64, Split)> {
    let (definitions, asked) = goal.rsplit_once("; ")?;
    let definitions: Vec<(&str, &str)> =
        definitions.split("; ").map(|d| d.split_once(" = ")).collect::<Option<_>>()?;
    let signature = unfold(asked.strip_suffix('?')?, &definitions, definitions.len() + 1)?;
    Some((signature, side(signature)))
}

/// The signature of `term`, a name or number, at most `depth` definitions deep.
fn unfold(term: &str, definitions: &[(&str, &str)], depth: usize) -> Option<u64> {
    if term.parse::<i64>().is_ok() {
        return Some(STATED);
    }
    let Some((_, right)) = definitions.iter().find(|(left, _)| *left == term) else { return Some(HIDDEN) };
    let depth = depth.checked_sub(1)?;
    let words: Vec<&str> = right.split(' ').collect();
    match words[..] {
        [one] => unfold(one, definitions, depth),
        [a, sign, b] => {
            let op = [Op::Add, Op::Sub, Op::Mul].into_iter().find(|op| op.sign() == sign)?;
            Some(made(op, unfold(a, definitions, depth)?, unfold(b, definitions, depth)?))
        }
        _ => None,
    }
}
