//! The LM-cut heuristic: never more than the steps that are left.
//!
//! Helmert and Domshlak, *Landmarks, Critical Paths and Abstractions: What's the Difference Anyway?* (ICAPS 2009). What steps end is
//! ignored, and so are conditions that something does not hold; both only make the problem easier.

use super::scene::{Scene, Step};

/// The bits that are set.
fn set(facts: &[u64]) -> impl Iterator<Item = u32> + '_ {
    facts.iter().enumerate().flat_map(|(i, &word)| {
        let mut left = word;
        std::iter::from_fn(move || {
            let bit = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            (bit < 64).then_some(i as u32 * 64 + bit)
        })
    })
}

const NEVER: u32 = u32::MAX;

/// The relaxed problem, with room to work in. One operator more than there are steps makes the goal.
pub(super) struct LmCut<'a> {
    /// What each operator needs and makes.
    needs: Vec<Vec<u32>>,
    makes: Vec<&'a [u32]>,
    /// The operators that need a fact, and that make it.
    needed_by: Vec<Vec<u32>>,
    made_by: Vec<Vec<u32>>,
    cost: Vec<u32>,
    /// hᵐᵃˣ of each fact.
    value: Vec<u32>,
    /// The costliest need of each operator, once all of them are reached.
    supporter: Vec<u32>,
    missing: Vec<u32>,
    queue: Vec<Vec<u32>>,
    zone: Vec<bool>,
    before: Vec<bool>,
    stack: Vec<u32>,
    /// The fact that holds always, for operators that need nothing. The goal is the fact after it.
    always: u32,
    goal: [u32; 1],
}

impl<'a> LmCut<'a> {
    pub(super) fn new(scene: &Scene, steps: &[(u32, &'a Step)]) -> LmCut<'a> {
        let always = (scene.init.len() * 64) as u32;
        let positive = |all: &[(u32, bool)]| -> Vec<u32> {
            let mut needs: Vec<u32> = all.iter().filter(|n| n.1).map(|n| n.0).collect();
            needs.sort_unstable();
            needs.dedup();
            if needs.is_empty() {
                needs.push(always);
            }
            needs
        };
        let mut needs: Vec<Vec<u32>> = steps.iter().map(|(_, s)| positive(&s.needs)).collect();
        needs.push(positive(&scene.goal));
        let makes: Vec<&[u32]> = steps.iter().map(|(_, s)| &*s.makes).collect();
        let facts = always as usize + 2;
        let (mut needed_by, mut made_by) = (vec![Vec::new(); facts], vec![Vec::new(); facts]);
        for (o, n) in needs.iter().enumerate() {
            n.iter().for_each(|f| needed_by[*f as usize].push(o as u32));
        }
        for (o, m) in makes.iter().enumerate() {
            m.iter().for_each(|f| made_by[*f as usize].push(o as u32));
        }
        made_by[always as usize + 1].push(makes.len() as u32);
        let operators = needs.len();
        LmCut {
            needs,
            makes,
            needed_by,
            made_by,
            cost: vec![0; operators],
            value: vec![NEVER; facts],
            supporter: vec![NEVER; operators],
            missing: vec![0; operators],
            queue: Vec::new(),
            zone: vec![false; facts],
            before: vec![false; facts],
            stack: Vec::new(),
            always,
            goal: [always + 1],
        }
    }

    fn makes(&self, operator: usize) -> &[u32] {
        self.makes.get(operator).copied().unwrap_or(&self.goal)
    }

    /// At least so many steps are left; `None` if the goal can never be reached.
    pub(super) fn steps_left(&mut self, facts: &[u64]) -> Option<u32> {
        self.cost.fill(1);
        *self.cost.last_mut()? = 0;
        let mut left = 0;
        loop {
            self.spread(facts);
            match self.value[self.goal[0] as usize] {
                NEVER => return None,
                0 => return Some(left),
                _ => left += self.cut(facts),
            }
        }
    }

    /// hᵐᵃˣ of every fact, and the supporter of every operator.
    fn spread(&mut self, facts: &[u64]) {
        self.value.fill(NEVER);
        self.supporter.fill(NEVER);
        for (missing, needs) in self.missing.iter_mut().zip(&self.needs) {
            *missing = needs.len() as u32;
        }
        self.queue.iter_mut().for_each(Vec::clear);
        for f in set(facts) {
            self.reach(f, 0);
        }
        self.reach(self.always, 0);
        let mut at = 0;
        while at < self.queue.len() {
            while let Some(fact) = self.queue[at].pop() {
                if self.value[fact as usize] != at as u32 {
                    continue;
                }
                for i in 0..self.needed_by[fact as usize].len() {
                    let o = self.needed_by[fact as usize][i] as usize;
                    self.missing[o] -= 1;
                    if self.missing[o] > 0 {
                        continue;
                    }
                    // Facts are reached in the order of their values: the last one is the costliest.
                    self.supporter[o] = fact;
                    let value = at as u32 + self.cost[o];
                    for k in 0..self.makes(o).len() {
                        let made = self.makes(o)[k];
                        self.reach(made, value);
                    }
                }
            }
            at += 1;
        }
    }

    fn reach(&mut self, fact: u32, value: u32) {
        if self.value[fact as usize] > value {
            self.value[fact as usize] = value;
            if self.queue.len() <= value as usize {
                self.queue.resize_with(value as usize + 1, Vec::new);
            }
            self.queue[value as usize].push(fact);
        }
    }

    /// Finds operators of which every plan has one, takes their least cost from each of them, and returns it.
    fn cut(&mut self, facts: &[u64]) -> u32 {
        self.zone.fill(false);
        self.before.fill(false);
        // From what leads to the goal at no cost …
        self.stack.clear();
        self.stack.push(self.goal[0]);
        self.zone[self.goal[0] as usize] = true;
        while let Some(fact) = self.stack.pop() {
            for &o in &self.made_by[fact as usize] {
                let support = self.supporter[o as usize];
                if support != NEVER && self.cost[o as usize] == 0 && !self.zone[support as usize] {
                    self.zone[support as usize] = true;
                    self.stack.push(support);
                }
            }
        }
        // … to what can be reached without entering that: the operators that enter are the cut.
        let mut cut: Vec<u32> = Vec::new();
        let mut least = NEVER;
        self.stack.extend(set(facts));
        self.stack.push(self.always);
        for f in &self.stack {
            self.before[*f as usize] = true;
        }
        while let Some(fact) = self.stack.pop() {
            for i in 0..self.needed_by[fact as usize].len() {
                let o = self.needed_by[fact as usize][i] as usize;
                if self.supporter[o] != fact {
                    continue;
                }
                if self.makes(o).iter().any(|m| self.zone[*m as usize]) {
                    cut.push(o as u32);
                    least = least.min(self.cost[o]);
                    continue;
                }
                for k in 0..self.makes(o).len() {
                    let made = self.makes(o)[k] as usize;
                    if !self.before[made] {
                        self.before[made] = true;
                        self.stack.push(made as u32);
                    }
                }
            }
        }
        for o in cut {
            self.cost[o as usize] -= least;
        }
        // There is always a cut while the goal has a cost.
        if least == NEVER { 1 } else { least }
    }
}
