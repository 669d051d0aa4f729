//! The planner: breadth first where that is quick, otherwise A* with the LM-cut heuristic.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::lmcut::LmCut;
use super::scene::{Facts, Scene, Step};
use crate::hash::mix;

/// So many states are looked at breadth first before A* takes over. It is the quicker one in small worlds.
const BREADTH: usize = 12_000;
/// So many states A* opens before it gives optimality up and follows the heuristic more greedily.
const OPTIMAL: usize = 100_000;
/// So many states are opened at all.
const MOST: usize = 400_000;
/// By how much the heuristic counts when optimality is given up: the plan has at most so many times the least steps.
const WEIGHT: u32 = 3;

/// A plan: steps by their index in [`Scene::steps`].
pub(super) type Plan = Vec<u32>;

/// Finds a plan from `facts` to the scene's goal, without any step that uses the object `avoid`. `None` if there is no plan, or
/// none is found among the first states looked at.
pub(super) fn plan(scene: &Scene, facts: &Facts, avoid: Option<u16>) -> Option<Plan> {
    let usable = |s: &Step| avoid.is_none_or(|o| !s.args.contains(&o));
    let steps: Vec<(u32, &Step)> =
        scene.steps().iter().enumerate().filter(|(_, s)| usable(s)).map(|(i, s)| (i as u32, s)).collect();
    match breadth_first(scene, &steps, facts, BREADTH) {
        Found::Plan(steps) => Some(steps),
        Found::Nothing => None,
        Found::Limit => {
            let mut heuristic = LmCut::new(scene, &steps);
            match a_star(scene, &steps, facts, &mut heuristic, 1, OPTIMAL) {
                Found::Plan(steps) => Some(steps),
                Found::Nothing => None,
                Found::Limit => match a_star(scene, &steps, facts, &mut heuristic, WEIGHT, MOST) {
                    Found::Plan(steps) => Some(steps),
                    Found::Nothing | Found::Limit => None,
                },
            }
        }
    }
}

enum Found {
    Plan(Vec<u32>),
    /// There is none.
    Nothing,
    /// The search was given up.
    Limit,
}

/// The states met so far, each once.
struct States {
    width: usize,
    facts: Vec<u64>,
    /// Open addressing: one more than the state's index, or 0.
    slots: Vec<u32>,
    /// The state before, and the step from there.
    came: Vec<(u32, u32)>,
}

impl States {
    fn new(first: &[u64]) -> States {
        let mut states =
            States { width: first.len(), facts: Vec::new(), slots: vec![0; 256], came: Vec::new() };
        states.add(first, (0, u32::MAX));
        states
    }

    fn len(&self) -> usize {
        self.came.len()
    }

    fn get(&self, i: usize) -> &[u64] {
        &self.facts[i * self.width..(i + 1) * self.width]
    }

    fn slot(&self, facts: &[u64]) -> usize {
        let hash = facts.iter().fold(0u64, |h, w| mix(h ^ *w).wrapping_add(0x9e37_79b9));
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        while self.slots[slot] != 0 && self.get(self.slots[slot] as usize - 1) != facts {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// The index of a state, and whether it is new.
    fn add(&mut self, facts: &[u64], came: (u32, u32)) -> (usize, bool) {
        let slot = self.slot(facts);
        if self.slots[slot] != 0 {
            return (self.slots[slot] as usize - 1, false);
        }
        self.facts.extend_from_slice(facts);
        self.came.push(came);
        self.slots[slot] = self.came.len() as u32;
        if self.came.len() * 2 > self.slots.len() {
            self.slots = vec![0; self.slots.len() * 4];
            for i in 0..self.came.len() {
                let slot = self.slot(self.get(i));
                self.slots[slot] = i as u32 + 1;
            }
        }
        (self.came.len() - 1, true)
    }

    fn way_to(&self, mut i: usize) -> Vec<u32> {
        let mut way = Vec::new();
        while self.came[i].1 != u32::MAX {
            way.push(self.came[i].1);
            i = self.came[i].0 as usize;
        }
        way.reverse();
        way
    }
}

fn breadth_first(scene: &Scene, steps: &[(u32, &Step)], from: &[u64], limit: usize) -> Found {
    if scene.reached(from) {
        return Found::Plan(Vec::new());
    }
    let mut states = States::new(from);
    let mut next = vec![0u64; from.len()];
    let mut at = 0;
    while at < states.len() {
        if at == limit {
            return Found::Limit;
        }
        for (i, step) in steps {
            if !step.possible(states.get(at)) {
                continue;
            }
            next.copy_from_slice(states.get(at));
            step.apply(&mut next);
            let (new, fresh) = states.add(&next, (at as u32, *i));
            if fresh && scene.reached(&next) {
                return Found::Plan(states.way_to(new));
            }
        }
        at += 1;
    }
    Found::Nothing
}

fn a_star(
    scene: &Scene,
    steps: &[(u32, &Step)],
    from: &[u64],
    heuristic: &mut LmCut<'_>,
    weight: u32,
    limit: usize,
) -> Found {
    let mut states = States::new(from);
    // For each state the steps to it, and what the heuristic says (`None` for a dead end).
    let mut reached: Vec<(u32, Option<u32>)> = vec![(0, heuristic.steps_left(from))];
    let Some(h) = reached[0].1 else { return Found::Nothing };
    let mut open = BinaryHeap::from([Reverse((weight * h, h, 0usize, 0u32))]);
    let mut opened = 0;
    let mut next = vec![0u64; from.len()];
    while let Some(Reverse((_, _, at, steps_to))) = open.pop() {
        if reached[at].0 < steps_to {
            continue;
        }
        if scene.reached(states.get(at)) {
            return Found::Plan(states.way_to(at));
        }
        opened += 1;
        if opened > limit {
            return Found::Limit;
        }
        for (i, step) in steps {
            if !step.possible(states.get(at)) {
                continue;
            }
            next.copy_from_slice(states.get(at));
            step.apply(&mut next);
            let (new, fresh) = states.add(&next, (at as u32, *i));
            if fresh {
                reached.push((steps_to + 1, heuristic.steps_left(&next)));
            } else if reached[new].0 > steps_to + 1 {
                reached[new].0 = steps_to + 1;
                states.came[new] = (at as u32, *i);
            } else {
                continue;
            }
            if let Some(h) = reached[new].1 {
                open.push(Reverse((steps_to + 1 + weight * h, h, new, steps_to + 1)));
            }
        }
    }
    Found::Nothing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dice::Dice;
    use crate::names::Names;
    use crate::planning::{Blocks, Gripper, Logistics, Planning, Sokoban};
    use crate::task::Split;
    use crate::world::Kind;

    fn small(seed: u64) -> [Planning; 4] {
        let dice = |purpose| Dice::new(purpose, &[seed]);
        let names = || Names::new(Split::Train);
        let level = 1 + (seed % 3) as u32;
        [
            Blocks::generate(level, &mut names(), &mut dice("b")),
            Gripper::generate(level, &mut names(), &mut dice("g")),
            Logistics::generate(level, &mut names(), &mut dice("l")),
            Sokoban::generate(level, &mut names(), &mut dice("s")),
        ]
    }

    /// Every way is tried, up to the length at which the goal is reached first.
    #[test]
    fn plans_are_as_short_as_exhaustive_search_finds_and_both_searches_agree() {
        for world in (0..60).flat_map(small) {
            let scene = &*world.scene;
            let plan = scene.plan().expect("a plan");
            let mut facts = scene.init.clone();
            for i in plan {
                let step = &scene.steps()[*i as usize];
                assert!(step.possible(&facts));
                step.apply(&mut facts);
            }
            assert!(scene.reached(&facts));
            // A layer holds every state that some sequence of that length leads to.
            let mut layer = std::collections::BTreeSet::from([scene.init.clone()]);
            for length in 0.. {
                let there = layer.iter().any(|f| scene.reached(f));
                assert_eq!(there, length == plan.len(), "after {length} steps of {}", plan.len());
                if there {
                    break;
                }
                let mut next = std::collections::BTreeSet::new();
                for (facts, step) in layer.iter().flat_map(|f| scene.steps().iter().map(move |s| (f, s))) {
                    if step.possible(facts) {
                        let mut facts = facts.clone();
                        step.apply(&mut facts);
                        next.insert(facts);
                    }
                }
                layer = next;
            }
            let steps: Vec<(u32, &Step)> =
                scene.steps().iter().enumerate().map(|(i, s)| (i as u32, s)).collect();
            let mut heuristic = LmCut::new(scene, &steps);
            assert!(heuristic.steps_left(&scene.init).expect("reachable") as usize <= plan.len());
            match a_star(scene, &steps, &scene.init, &mut heuristic, 1, usize::MAX) {
                Found::Plan(other) => assert_eq!(other.len(), plan.len()),
                Found::Nothing | Found::Limit => panic!("A* finds nothing"),
            }
        }
    }
}
