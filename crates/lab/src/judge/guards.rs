//! Guardrails: how the numbers beside the primary metric stand, and how they may stand after further pairs.

use crate::bet::{Guardrail, Require};
use crate::judge::decide::Guards;
use crate::judge::defined::Defined;
use crate::judge::judging::{boundary, effect, items_error, pooled, value};
use crate::judge::rule::Rule;
use crate::judge::sequential::{Boundary, Reading, Sample, Scatter};
use crate::judge::table::{Outcome, RunTable, mean};
use crate::judge::verdict::{GuardrailChange, GuardrailState, GuardrailVerdict};
use crate::random::Draws;

/// What stands beside the primary metric.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// Something that further pairs do not settle bars a SHIP.
    barred: bool,
    guarded: Vec<Guarded>,
}

/// A guardrail that was measured.
#[derive(Clone, Debug)]
struct Guarded {
    boundary: Boundary,
    sample: Sample,
    reading: Reading,
    margin: f64,
    require: Require,
}

impl Watch {
    /// Nothing is watched yet; `barred` says that something else bars a SHIP.
    pub(crate) fn new(barred: bool) -> Watch {
        Watch { barred, guarded: Vec::new() }
    }

    /// How it stands now.
    pub(crate) fn guards(&self) -> Guards {
        self.stand(self.guarded.iter().map(|g| state(&g.reading, g.margin)))
    }

    fn stand(&self, states: impl Iterator<Item = GuardrailState>) -> Guards {
        let mut stands = if self.barred { Guards::Open } else { Guards::Permit };
        for (guarded, state) in self.guarded.iter().zip(states) {
            if state == GuardrailState::Broken {
                return Guards::Broken;
            }
            if !state.permits(guarded.require) {
                stands = Guards::Open;
            }
        }
        stands
    }

    /// A future: noise and mean change of each guardrail, drawn from what its pairs say of them.
    pub(crate) fn future(&self, draws: &mut Draws) -> Future<'_> {
        let course = self.guarded.iter().map(|g| {
            let sd = g.reading.sd * (g.reading.df / draws.chi_squared(g.reading.df)).sqrt();
            (g.sample.mean + sd / f64::from(g.sample.n).sqrt() * draws.normal(), sd, g.sample)
        });
        Future { watch: self, course: course.collect() }
    }
}

/// Further pairs of every guardrail, one course of many.
pub(crate) struct Future<'a> {
    watch: &'a Watch,
    /// True change over these test items, noise of a pair, and the pairs so far.
    course: Vec<(f64, f64, Sample)>,
}

impl Future<'_> {
    /// Adds a pair, and says how it then stands.
    pub(crate) fn add(&mut self, draws: &mut Draws) -> Guards {
        for (mean, sd, sample) in &mut self.course {
            sample.add(*mean + *sd * draws.normal(), 0.0);
        }
        self.watch.stand(self.watch.guarded.iter().zip(&self.course).map(|(g, (_, _, sample))| {
            let reading = g.boundary.read(sample, None, Scatter::Calm);
            reading.map_or(GuardrailState::Open, |r| state(&r, g.margin))
        }))
    }
}

fn state(reading: &Reading, margin: f64) -> GuardrailState {
    if reading.low > -margin {
        GuardrailState::Held
    } else if reading.high < -margin {
        GuardrailState::Broken
    } else {
        GuardrailState::Open
    }
}

/// A guardrail at the largest rung, with the noise of the other rungs to help.
pub(crate) fn guardrail(
    g: &Guardrail,
    table: &RunTable,
    candidate: &str,
    rule: &Rule,
    watch: &mut Watch,
) -> GuardrailVerdict {
    let (rungs, _) = table.pairs(candidate, &g.metric);
    let samples: Vec<Sample> = rungs
        .iter()
        .map(|rung| {
            let mut sample = Sample::default();
            for (b, c) in &rung.pairs {
                sample.add(g.direction.improvement(value(b, &g.metric), value(c, &g.metric)), 0.0);
            }
            sample
        })
        .collect();
    let stands = |state, change| GuardrailVerdict {
        metric: g.metric.clone(),
        direction: g.direction,
        margin: g.margin,
        require: g.require,
        state,
        change,
    };
    // What was not measured permits nothing, and further pairs do not change that.
    let mut open = |why: &str| {
        watch.barred = true;
        stands(GuardrailState::Open, Defined::undefined(why))
    };
    let Some(last) = rungs.iter().rposition(|r| r.compared) else { return open("there are no runs") };
    let expected =
        table.pairs(candidate, &rule.metric).0.iter().rfind(|r| r.compared).map_or(0, |r| r.pairs.len());
    let (rung, mut sample) = (&rungs[last], samples[last]);
    if (sample.n as usize) < expected {
        return open("it was not measured in every run");
    }
    let known = pooled(samples[..last].iter());
    let outcomes: Vec<&Outcome> =
        rung.pairs.iter().flat_map(|p| [p.0, p.1]).filter_map(|r| r.metrics.get(&g.metric)).collect();
    let mut notes = Vec::new();
    match items_error(&outcomes, g.direction, rule) {
        Ok(error) => sample.items = error,
        Err(why) => {
            notes.push(format!("The interval leaves out the chance in the choice of test items: {why}."))
        }
    }
    let boundary = boundary(&rule.looks_at(rung.rung, last), known, false, rule);
    let Some(reading) = boundary.read(&sample, None, Scatter::Calm) else {
        return open("it needs at least two pairs");
    };
    let both =
        |arm: usize| mean(rung.pairs.iter().map(|p| value([p.0, p.1][arm], &g.metric))).unwrap_or(f64::NAN);
    let state = state(&reading, g.margin);
    watch.guarded.push(Guarded { boundary, sample, reading, margin: g.margin, require: g.require });
    let effect = effect(&reading, sample.items);
    stands(state, Defined::Value(GuardrailChange { means: [both(0), both(1)], effect, notes }))
}
