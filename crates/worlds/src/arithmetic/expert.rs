//! The expert of arithmetic.

use groundwork_trace::{Call, SpanKind, Value};

use super::{Arithmetic, Is, Op, Part, Problem, by_name, calculation};
use crate::expert::{Recorder, carried, is_away};
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Solves the problem, knowing only what the goal says and the tools answer.
pub(super) fn solve<const CALCULATOR: bool>(problem: &Problem, expert: &mut Recorder) {
    let stated = |is: &Is| if let Is::Stated(n) = *is { Some(n) } else { None };
    let value: Vec<Option<i64>> = problem.is.iter().map(stated).collect();
    let mut open: Vec<usize> = problem.needed().into_iter().filter(|i| value[*i].is_none()).collect();
    let names: Vec<&str> = open.iter().map(|i| problem.names[*i].as_str()).collect();
    expert.say(SpanKind::Plan, names.join(", "));
    let mut work = Work::<CALCULATOR> { problem, expert, value, said: None };
    while let Some(next) = work.next(&open) {
        match work.find(next) {
            Found::Number(n) => {
                work.value[next] = Some(n);
                open.retain(|i| *i != next);
            }
            Found::Gone(tool) => {
                let instead = match (work.next(&open), work.problem.is[next]) {
                    (Some(other), _) if other != next => format!("first {}", work.problem.names[other]),
                    (_, Is::Made(Op::Add, _, b)) => format!("sub -{}", work.part(b).unwrap_or(0)),
                    (_, Is::Made(Op::Sub, _, b)) => format!("add -{}", work.part(b).unwrap_or(0)),
                    _ => "add".to_owned(),
                };
                work.expert.reflect(format!("{tool} is gone, {instead}"));
            }
            Found::Nothing => return,
        }
    }
    if let Some(n) = work.value[problem.asked] {
        work.expert.say(SpanKind::Answer, n.to_string());
    }
}

/// What became of a wish to know a quantity.
enum Found {
    Number(i64),
    /// The tool is away.
    Gone(&'static str),
    Nothing,
}

struct Work<'a, const CALCULATOR: bool> {
    problem: &'a Problem,
    expert: &'a mut Recorder,
    value: Vec<Option<i64>>,
    /// The calculation last thought of.
    said: Option<usize>,
}

impl<const CALCULATOR: bool> Work<'_, CALCULATOR> {
    fn part(&self, part: Part) -> Option<i64> {
        match part {
            Part::Number(n) => Some(n),
            Part::Of(i) => self.value[i],
        }
    }

    /// What to find next: the first that costs no more than one call, else the first that can be found at all.
    fn next(&self, open: &[usize]) -> Option<usize> {
        let cost = |i: usize| match self.problem.is[i] {
            Is::Hidden | Is::Stated(_) => Some(1),
            Is::Made(op, a, b) => {
                let (_, b) = (self.part(a)?, self.part(b)?);
                Some(if op == Op::Mul && b > 2 && self.expert.away("mul") > 0 { 2 } else { 1 })
            }
        };
        open.iter().copied().filter_map(|i| Some((cost(i)?, i))).min_by_key(|(cost, _)| *cost).map(|(_, i)| i)
    }

    fn find(&mut self, i: usize) -> Found {
        let Is::Made(op, a, b) = self.problem.is[i] else {
            return self.look(self.problem.names[i]).map_or(Found::Nothing, Found::Number);
        };
        let (Some(a), Some(b)) = (self.part(a), self.part(b)) else { return Found::Nothing };
        if !CALCULATOR {
            let n = op.apply(a, b);
            self.expert
                .say(SpanKind::Thought, format!("{} = {a} {} {b} = {n}", self.problem.names[i], op.sign()));
            return Found::Number(n);
        }
        if self.said != Some(i) {
            self.expert.say(SpanKind::Thought, format!("{} = {a} {} {b}", self.problem.names[i], op.sign()));
            self.said = Some(i);
        }
        let found = if self.expert.away(op.tool()) == 0 {
            match self.calculate(op, a, b) {
                Err(()) => return Found::Gone(op.tool()),
                Ok(n) => n,
            }
        } else {
            self.otherwise(op, a, b)
        };
        found.map_or(Found::Nothing, Found::Number)
    }

    /// A result; `Err` if the tool is away. One that is not true is seen to be so, and asked for again.
    fn calculate(&mut self, op: Op, a: i64, b: i64) -> Result<Option<i64>, ()> {
        loop {
            match self.expert.attempt::<Arithmetic<CALCULATOR>>(&calculation(op.tool(), a, b)) {
                Outcome::Observation { value, .. } if value.as_i64() == Some(op.apply(a, b)) => {
                    return Ok(value.as_i64());
                }
                Outcome::Observation { value, .. } => {
                    self.expert.reflect(format!("{a} {} {b} is not {value}, again", op.sign()));
                }
                Outcome::Error(error) if is_away(&error) => return Err(()),
                Outcome::Error(_) => return Ok(None),
            }
        }
    }

    /// A result without the tool made for it.
    fn otherwise(&mut self, op: Op, a: i64, b: i64) -> Option<i64> {
        let mut sum = |a, b| self.calculate(Op::Add, a, b).ok().flatten();
        match (op, b) {
            (Op::Add, _) => self.calculate(Op::Sub, a, -b).ok().flatten(),
            (Op::Sub, _) => sum(a, -b),
            (Op::Mul, 2) => sum(a, a),
            (Op::Mul, 3) => sum(a, a).and_then(|n| sum(n, a)),
            (Op::Mul, _) => sum(a, a).and_then(|n| sum(n, n)),
        }
    }

    /// Looks a quantity up, under the nearest name if there is none of this name.
    fn look(&mut self, name: Name) -> Option<i64> {
        match self.expert.attempt_asking::<Arithmetic<CALCULATOR>>(&by_name("look", "of", name)) {
            Outcome::Observation { value, .. } => value.as_i64(),
            Outcome::Error(error) => {
                let wrong = carried(&error);
                self.expert.reflect(format!("there is no {wrong}, list the names"));
                let outcome = self.expert.attempt_asking::<Arithmetic<CALCULATOR>>(&Call::new("list", []));
                let Outcome::Observation { value: Value::List(items), .. } = outcome else { return None };
                let name = nearest(wrong, items.iter().filter_map(|v| Name::parse(v.as_str()?)))?;
                self.expert.reflect(format!("it is {name}"));
                match self.expert.attempt_asking::<Arithmetic<CALCULATOR>>(&by_name("look", "of", name)) {
                    Outcome::Observation { value, .. } => value.as_i64(),
                    Outcome::Error(_) => None,
                }
            }
        }
    }
}
