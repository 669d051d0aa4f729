//! Drawing maps, finding ways, and the signature that decides a map's split.

use crate::dice::Dice;
use crate::hash::mix;
use crate::task::Split;

/// Room for a task's places, its start and its destination.
const PLACES: usize = 66;

/// A shortest way from `from` to `to` along `roads` without those in `closed`, as the places on it with both
/// ends. Among equally short ones, the first in the order of `roads`.
pub(super) fn shortest(roads: &[(u8, u8)], from: u8, to: u8, closed: &[(u8, u8)]) -> Option<Vec<u8>> {
    let mut came: [Option<u8>; PLACES] = [None; PLACES];
    let mut queue = vec![from];
    came[usize::from(from)] = Some(from);
    let mut next = 0;
    while let Some(&here) = queue.get(next) {
        next += 1;
        if here == to {
            let mut way = vec![to];
            let mut place = to;
            while place != from {
                place = came[usize::from(place)]?;
                way.push(place);
            }
            way.reverse();
            return Some(way);
        }
        for &(a, b) in roads {
            if a == here && came[usize::from(b)].is_none() && !closed.contains(&(a, b)) {
                came[usize::from(b)] = Some(here);
                queue.push(b);
            }
        }
    }
    None
}

/// The walks of at most `most` roads from `from`, around `to`, that end where the way to `to` is no shorter than it was, each
/// as the places that it comes to.
pub(super) fn walks_astray(roads: &[(u8, u8)], from: u8, to: u8, most: usize) -> Vec<Vec<u8>> {
    let far = |place| shortest(roads, place, to, &[]).map(|way| way.len());
    let mut walks: Vec<Vec<u8>> = vec![Vec::new()];
    let mut next = 0;
    while let Some(walk) = walks.get(next).cloned() {
        next += 1;
        let here = walk.last().copied().unwrap_or(from);
        let on = roads.iter().filter(|r| r.0 == here && r.1 != to && walk.len() < most);
        walks.extend(on.map(|r| [walk.as_slice(), &[r.1]].concat()));
    }
    walks.retain(|walk| walk.last().is_some_and(|&end| far(end) >= far(from) && far(end).is_some()));
    walks
}

/// Length and number (capped) of the shortest ways from `from` to `to`.
fn count_shortest(roads: &[(u8, u8)], from: u8, to: u8, places: usize) -> (usize, u32) {
    let mut ways = [0u32; PLACES];
    ways[usize::from(from)] = 1;
    let mut seen = [false; PLACES];
    seen[usize::from(from)] = true;
    for length in 0..places {
        if ways[usize::from(to)] > 0 {
            return (length, ways[usize::from(to)]);
        }
        let mut more = [0u32; PLACES];
        for &(a, b) in roads {
            if !seen[usize::from(b)] {
                more[usize::from(b)] = more[usize::from(b)].saturating_add(ways[usize::from(a)]).min(1000);
            }
        }
        for (s, m) in seen.iter_mut().zip(more) {
            *s |= m > 0;
        }
        ways = more;
    }
    (0, 0)
}

/// Draws a map for a level and split: its roads in random order and the number of its places. The shortest way
/// is 0, 1, …, 1 + `level`, alone of its length; one of its roads has a detour through a place off the way.
pub(super) fn draw(level: u32, split: Split, dice: &mut Dice) -> (Vec<(u8, u8)>, usize) {
    let steps = 1 + level as usize;
    let places = 3 + level as usize + level as usize / 3;
    loop {
        let mut roads: Vec<(u8, u8)> = (0..steps).map(|i| (i as u8, i as u8 + 1)).collect();
        let around = dice.below(steps);
        let detour = (steps + 1) as u8;
        roads.extend([(around as u8, detour), (detour, around as u8 + 1)]);
        for _ in 0..1 + level {
            let road = (dice.below(places) as u8, dice.below(places) as u8);
            if road.0 == road.1 || roads.contains(&road) {
                continue;
            }
            roads.push(road);
            if count_shortest(&roads, 0, steps as u8, places) != (steps, 1) {
                roads.pop();
            }
        }
        if topology_of(&roads, steps as u8).1 == split {
            dice.shuffle(&mut roads);
            return (roads, places);
        }
    }
}

/// The signature of the unlabelled graph with start (0) and destination marked, and its split. Places without
/// roads do not count.
fn topology_of(roads: &[(u8, u8)], goal: u8) -> (u64, Split) {
    let mut on_a_road = [false; PLACES];
    for &(a, b) in roads {
        on_a_road[usize::from(a)] = true;
        on_a_road[usize::from(b)] = true;
    }
    let mut colour = [0u64; PLACES];
    colour[0] = 1;
    colour[usize::from(goal)] = 2;
    for _ in 0..on_a_road.iter().filter(|on| **on).count() {
        let mut next = colour.map(mix);
        for &(a, b) in roads {
            let (a, b) = (usize::from(a), usize::from(b));
            next[a] = next[a].wrapping_add(mix(colour[b] ^ 0x6f75_7400));
            next[b] = next[b].wrapping_add(mix(colour[a] ^ 0x696e_0000));
        }
        colour = next;
    }
    let counted = colour.iter().zip(on_a_road).filter(|(_, on)| *on);
    let signature = mix(counted.fold(0u64, |sum, (c, _)| sum.wrapping_add(mix(*c))));
    (signature, if signature.is_multiple_of(4) { Split::Test } else { Split::Train })
}

/// The signature of a map given as roads `(from, to)` between numbered places, and the split it belongs to;
/// the same for any numbering of the places. `start` and `goal` are the ends of the task.
///
/// Places must be numbered below 64; roads that name others are left out.
pub fn topology(roads: &[(u8, u8)], start: u8, goal: u8) -> (u64, Split) {
    // Number anew: the start first, the goal second, the others as they come.
    let mut order = vec![start, goal];
    let mut number = |p: u8| match order.iter().position(|o| *o == p) {
        Some(i) => i as u8,
        None => {
            order.push(p);
            order.len() as u8 - 1
        }
    };
    let roads: Vec<(u8, u8)> =
        roads.iter().filter(|r| r.0 < 64 && r.1 < 64).map(|r| (number(r.0), number(r.1))).collect();
    topology_of(&roads, 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_splits_have_topologies_and_share_none() {
        for level in [1, 2, 5, 12] {
            let mut seen: [std::collections::BTreeSet<u64>; 2] = Default::default();
            for split in Split::ALL {
                let mut dice = Dice::new("test", &[u64::from(level), split as u64]);
                for _ in 0..400 {
                    let (roads, places) = draw(level, split, &mut dice);
                    let goal = level as u8 + 1;
                    seen[split as usize].insert(topology_of(&roads, goal).0);
                    assert_eq!(count_shortest(&roads, 0, goal, places), (level as usize + 1, 1));
                }
            }
            assert!(seen[0].is_disjoint(&seen[1]));
            assert!(seen[0].len() >= 8 && seen[1].len() >= 3, "level {level}: {:?}", seen.map(|s| s.len()));
        }
    }

    #[test]
    fn a_walk_astray_leads_no_nearer() {
        let mut dice = Dice::new("test", &[3]);
        let mut found = 0;
        for level in [1, 2, 5, 12] {
            for _ in 0..100 {
                let (roads, _) = draw(level, Split::Train, &mut dice);
                let goal = level as u8 + 1;
                for walk in walks_astray(&roads, 0, goal, 3) {
                    let whole = [&[0], walk.as_slice()].concat();
                    assert!(whole.windows(2).all(|w| roads.contains(&(w[0], w[1]))) && walk.len() <= 3);
                    assert!(!walk.contains(&goal));
                    let rest = shortest(&roads, whole[walk.len()], goal, &[]).map_or(0, |way| way.len() - 1);
                    assert!(rest > level as usize, "{roads:?} {walk:?}");
                    found += 1;
                }
            }
        }
        assert!(found > 200, "{found}");
    }

    #[test]
    fn the_signature_does_not_depend_on_the_numbering() {
        let mut dice = Dice::new("test", &[7]);
        for _ in 0..200 {
            let (roads, places) = draw(3, Split::Train, &mut dice);
            let mut to: Vec<u8> = (0..places as u8).collect();
            dice.shuffle(&mut to);
            let other: Vec<(u8, u8)> =
                roads.iter().map(|r| (to[usize::from(r.0)], to[usize::from(r.1)])).collect();
            let signature = topology(&other, to[0], to[4]);
            assert_eq!(signature, topology(&roads, 0, 4));
            assert_eq!(signature.1, Split::Train);
        }
    }
}
