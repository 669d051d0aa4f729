//! The signature of a problem without its names, which decides its split.

use super::domain::Literal;
use crate::hash::mix;
use crate::task::Split;

/// The level from which on the structure decides: below, there are too few structures.
pub(super) const FROM: u32 = 3;

/// How often colours spread. Problems that differ only farther away count as one.
const ROUNDS: usize = 3;

/// The side of the cut on which a signature lies.
pub(super) fn side(signature: u64) -> Split {
    if signature.is_multiple_of(4) { Split::Test } else { Split::Train }
}

/// The signature of a problem whose objects have these types.
pub(super) fn signature(types: &[usize], init: &[Literal<u16>], goal: &[Literal<u16>]) -> u64 {
    let mut colour: Vec<u64> = types.iter().map(|t| mix(*t as u64 + 1)).collect();
    let mut whole = 0u64;
    for _ in 0..ROUNDS {
        let mut next: Vec<u64> = colour.iter().map(|c| mix(*c)).collect();
        whole = 0;
        for (role, facts) in [(0x69, init), (0x67, goal)] {
            for fact in facts {
                let start = mix(role << 32 | (fact.predicate as u64) << 1 | u64::from(fact.holds));
                let hash = fact
                    .args
                    .iter()
                    .fold(start, |h, o| mix(h ^ colour[usize::from(*o)]).wrapping_add(h << 1));
                whole = whole.wrapping_add(mix(hash));
                for (place, object) in fact.args.iter().enumerate() {
                    let to = &mut next[usize::from(*object)];
                    *to = to.wrapping_add(mix(hash ^ (place as u64 + 1)));
                }
            }
        }
        colour = next;
    }
    mix(colour.iter().fold(whole, |sum, c| sum.wrapping_add(mix(*c))))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::dice::Dice;
    use crate::names::Names;
    use crate::planning::{Blocks, Gripper, Logistics, Planning, Sokoban};
    use crate::world::Kind;

    /// The signature of a task as it stands, with its own names and order.
    fn of(world: &Planning) -> u64 {
        let scene = &*world.scene;
        let literals = |text: Vec<String>| -> Vec<Literal<u16>> {
            let read = |t: &String| {
                let mut words = t.split(' ');
                let name = words.next()?;
                let predicate = scene.domain().predicates.iter().position(|p| p.name == name)?;
                let args = words.map(|w| scene.object(w)).collect::<Option<Vec<u16>>>()?;
                Some(Literal { holds: true, predicate, args })
            };
            text.iter().map(|t| read(t).expect("a fact")).collect()
        };
        let types: Vec<usize> = scene.objects.iter().map(|o| o.1).collect();
        let goal = scene.goal.iter().map(|g| scene.say(g.0)).collect();
        signature(&types, &literals(scene.list(&scene.init, true)), &literals(goal))
    }

    #[test]
    fn no_test_structure_stands_in_a_training_task() {
        type Generate = fn(u32, &mut Names, &mut Dice) -> Planning;
        let worlds: [Generate; 4] =
            [Blocks::generate, Gripper::generate, Logistics::generate, Sokoban::generate];
        for generate in worlds {
            let mut seen = [BTreeSet::new(), BTreeSet::new()];
            for split in Split::ALL {
                for seed in 0..300 {
                    let mut dice = Dice::new("test", &[seed, split as u64]);
                    let world = generate(FROM + (seed % 2) as u32, &mut Names::new(split), &mut dice);
                    let signature = of(&world);
                    assert_eq!(side(signature), split);
                    seen[split as usize].insert(signature);
                }
            }
            assert!(seen[0].is_disjoint(&seen[1]));
            assert!(seen[0].len() >= 8 && seen[1].len() >= 3, "{:?}", seen.map(|s| s.len()));
        }
    }
}
