//! The rule on numbers alone: sums over pairs in, ruling out. Reports and simulations run through the same code.

use crate::judge::ladder::{LadderBackTest, Point, Prediction, back_test, predict, raised_misfit};
use crate::judge::sequential::{Boundary, Candidate, Excess, Reading, Sample};
use crate::judge::verdict::{DropReason, Ruling};

/// What was fixed before the runs.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Design {
    /// The rungs, smallest first.
    pub(crate) rungs: Vec<RungDesign>,
    /// On the scale that decides.
    pub(crate) margin: f64,
    pub(crate) equal: f64,
    pub(crate) misfit: f64,
    /// ln compute of the target, if a claim is made about one.
    pub(crate) target: Option<f64>,
    pub(crate) assurance: f64,
    pub(crate) futile: f64,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RungDesign {
    /// ln compute of the baseline.
    pub(crate) x: Option<f64>,
    pub(crate) boundary: Boundary,
}

/// How the numbers beside the primary metric stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Guards {
    /// They permit a SHIP.
    #[default]
    Permit,
    /// One of them is open.
    Open,
    /// One of them is broken.
    Broken,
}

/// The ladder's part of the findings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct LadderReading {
    pub(crate) at_target: Prediction,
    /// P(effect at the target > 0).
    pub(crate) probability: f64,
    pub(crate) back_test: Option<LadderBackTest>,
    /// The misfit that was used: the registered one, or what the back-test raised it to.
    pub(crate) misfit: f64,
}

/// What the rule finds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Findings {
    pub(crate) ruling: Ruling,
    pub(crate) readings: Vec<Option<Reading>>,
    pub(crate) ladder: Option<LadderReading>,
    /// Probability of a SHIP if the plan is carried out and extended by as many pairs again; `None` where nothing can
    /// be said yet.
    pub(crate) chance: Option<f64>,
    /// The lower bound at the largest rung is above the margin.
    pub(crate) gains: bool,
    /// No rung is shown to be harmed.
    pub(crate) unharmed: bool,
    /// The ladder promises a gain at the target, or no claim is made about one.
    pub(crate) extrapolates: bool,
}

impl Design {
    /// Applies the rule to the pairs so far.
    pub(crate) fn decide(&self, samples: &[Sample], guards: Guards) -> Findings {
        let readings = self.read(samples);
        let points = self.points(&readings);
        let top = readings.last().copied().flatten();
        let ladder =
            self.target.filter(|_| top.is_some()).and_then(|target| self.read_ladder(&points, target));
        let unharmed = readings.iter().flatten().all(|r| !(r.decides && r.high < 0.0));
        let gains = top.is_some_and(|r| r.decides && r.low > self.margin);
        let extrapolates = match (&ladder, self.target) {
            (Some(ladder), _) => ladder.probability >= self.assurance,
            (None, target) => target.is_none(),
        };
        let chance = if unharmed {
            self.chance(&points, top.as_ref(), samples.last().map_or(0.0, |s| s.items))
        } else {
            Some(0.0)
        };
        let ruling = match top {
            _ if guards == Guards::Broken => Ruling::Drop(DropReason::Harm),
            Some(r) if r.decides && r.high < 0.0 => Ruling::Drop(DropReason::Harm),
            Some(r) if r.decides && -self.equal < r.low && r.high < self.equal => {
                Ruling::Drop(DropReason::Equal)
            }
            Some(_) if gains && unharmed && extrapolates && guards == Guards::Permit => Ruling::Ship,
            Some(r) if r.decides && r.low > 0.0 && ladder.is_some_and(|l| l.probability < 0.5) => {
                Ruling::Drop(DropReason::Fades)
            }
            _ if chance.is_some_and(|c| c < self.futile) => Ruling::Drop(DropReason::Futile),
            _ => Ruling::Undecided,
        };
        Findings { ruling, readings, ladder, chance, gains, unharmed, extrapolates }
    }

    /// How much noisier the pairs of all rungs together are than what is known, if they are.
    pub(crate) fn excess(&self, samples: &[Sample]) -> Option<Excess> {
        Excess::of(self.rungs.iter().map(|r| &r.boundary).zip(samples))
    }

    /// What the pairs of each rung say.
    pub(crate) fn read(&self, samples: &[Sample]) -> Vec<Option<Reading>> {
        let excess = self.excess(samples);
        let mut candidate = Candidate::default();
        self.rungs
            .iter()
            .zip(samples)
            .map(|(rung, sample)| {
                candidate.add(&rung.boundary, sample);
                rung.boundary.read(sample, excess, candidate.scatter())
            })
            .collect()
    }

    /// The rungs that can speak for the ladder.
    pub(crate) fn points(&self, readings: &[Option<Reading>]) -> Vec<Point> {
        self.rungs
            .iter()
            .zip(readings)
            .filter_map(|(rung, reading)| {
                let r = reading.as_ref()?;
                Some(Point { x: rung.x?, mean: r.mean, variance: r.error * r.error, df: r.df })
            })
            .collect()
    }

    fn read_ladder(&self, points: &[Point], target: f64) -> Option<LadderReading> {
        if points.len() < 3 {
            return None;
        }
        let test = back_test(points, self.misfit);
        let misfit =
            if test.is_some_and(|t| !t.holds()) { raised_misfit(points, self.misfit) } else { self.misfit };
        let at_target = predict(points, misfit, target)?;
        Some(LadderReading { at_target, probability: at_target.above(0.0), back_test: test, misfit })
    }

    /// Predictive probability that the largest rung's lower bound ends above the margin, at the cap or with as many pairs
    /// again. Pairs do not help where the choice of test items is most of the uncertainty; there nothing is said.
    fn chance(&self, points: &[Point], top: Option<&Reading>, items: f64) -> Option<f64> {
        let rung = self.rungs.last()?;
        let boundary = &rung.boundary;
        let cap = boundary.cap;
        if let Some(r) = top {
            if items * items > 0.5 * r.error * r.error {
                return None;
            }
            let of = |end: u32| {
                if end <= r.n {
                    return 0.0;
                }
                let more = (1.0 / f64::from(r.n) - 1.0 / f64::from(end)).sqrt() * r.sd;
                let need = self.margin + boundary.half_width(end, r.sd).hypot(2.0 * items);
                crate::distribution::student_cdf((r.mean - need) / more, r.df)
            };
            return Some(of(cap).max(of(2 * cap.max(r.n))));
        }
        if boundary.df < 5.0 {
            return None;
        }
        let mut ahead = predict(points, self.misfit, rung.x?)?;
        let sd = boundary.variance.sqrt();
        ahead.sd = ahead.sd.hypot(sd / f64::from(cap).sqrt());
        Some(ahead.above(self.margin + boundary.half_width(cap, sd)))
    }
}
