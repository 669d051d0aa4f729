//! From a table of runs to a judgement.

use crate::bet::Direction;
use crate::distribution::normal_quantile;
use crate::judge::clustered::{Items, count_half};
use crate::judge::decide::{Design, Findings, RungDesign};
use crate::judge::defined::Defined;
use crate::judge::forecast::{PairCost, forecast};
use crate::judge::guards::{Watch, guardrail};
use crate::judge::ladder::predict;
use crate::judge::noise::{ArchiveNoise, USUAL_MISFIT};
use crate::judge::power_law::{BackTest, PowerLaw};
use crate::judge::rule::{CostBasis, Rule, Scale};
use crate::judge::sequential::{Boundary, Candidate, Excess, Known, Reading, Sample, nominal_level};
use crate::judge::slope::{Anchor, Slope, local_slope};
use crate::judge::stability::Stability;
use crate::judge::table::{Outcome, RunRow, RunTable, RungPairs, mean};
use crate::judge::verdict::{
    Effect, GuardrailVerdict, Judgement, LadderJudgement, Multiplier, PairJudgement, Ruling, RungJudgement,
    Step,
};
use crate::judge::words;
use crate::random::Draws;

/// Version of the judge. A verdict is only as good as the judge, so a change to how intervals or verdicts are computed
/// raises it, and with it every registration's hash.
pub const JUDGE: u32 = 4;

/// Judges `candidate` against the table's baseline by `rule`. Deterministic: the same input gives the same judgement.
///
/// Runs that cannot be used are left out and named in [`Judgement::problems`]; nothing in a table makes this fail.
pub fn judge(table: &RunTable, candidate: &str, rule: &Rule, noise: &ArchiveNoise) -> Judgement {
    let (all, problems) = table.pairs(candidate, &rule.metric);
    let planned = |rung: &str| table.planned.iter().find(|p| p.rung == rung).and_then(|p| p.flops);
    let anchors = anchors(&all, rule, noise);
    let rungs: Vec<Rung<'_>> = all
        .iter()
        .filter(|r| r.compared)
        .map(|pairs| Rung::of(pairs, planned(pairs.rung), &anchors, rule))
        .collect();
    let boundaries = boundaries(&rungs, rule, noise);
    let design = design(&rungs, boundaries, rule, noise);
    let samples: Vec<Sample> = rungs.iter().map(Rung::sample).collect();
    let stability = Stability::of(table, candidate, &rule.metric);
    let mut watch = Watch::new(!stability.against.is_empty());
    let guardrails: Vec<GuardrailVerdict> =
        rule.guardrails.iter().map(|g| guardrail(g, table, candidate, rule, &mut watch)).collect();
    let findings = design.decide(&samples, watch.guards());
    let undecided = findings.ruling == Ruling::Undecided;
    let cost = rungs.last().map(|top| top.pair_cost(rule)).unwrap_or_default();
    let forecast = undecided
        .then(|| forecast(&design, &samples, &watch, rule.prior, cost, (rule.resamples, rule.seed)))
        .flatten();
    let mut scattered = Candidate::default();
    let excess = design.excess(&samples);
    let mut judgement = Judgement {
        judge: JUDGE,
        baseline: table.baseline.clone(),
        candidate: candidate.to_owned(),
        rule: rule.clone(),
        ruling: findings.ruling,
        sentence: String::new(),
        reasons: Vec::new(),
        next: Vec::new(),
        caveats: Vec::new(),
        problems,
        power_laws: [0, 1].map(|arm| PowerLaw::fit(&curve(&rungs, arm, &rule.metric), rule.direction)),
        back_tests: [0, 1].map(|arm| BackTest::of(&curve(&rungs, arm, &rule.metric), rule.direction)),
        ladder: ladder(&design, &findings),
        chance: findings.chance,
        forecast,
        noise: words::noise(noise, &design, rule),
        guardrails,
        stability: Some(stability),
        rungs: rungs
            .iter()
            .zip(&design.rungs)
            .zip(&findings.readings)
            .map(|((rung, design), reading)| {
                let below = scattered;
                scattered.add(&design.boundary, &rung.sample());
                RungJudgement {
                    path: rung.path(&design.boundary, below, excess),
                    ..rung.judgement(*reading, &rungs, rule)
                }
            })
            .collect(),
    };
    words::explain(&mut judgement, &findings, &design);
    if let Some(why) = rungs.iter().rev().find_map(|r| r.without_items.as_ref()) {
        judgement
            .caveats
            .push(format!("The interval leaves out the chance in the choice of test items: {why}."));
    }
    judgement
}

/// The baseline at each compute at which it was run, by compute.
fn anchors(rungs: &[RungPairs<'_>], rule: &Rule, noise: &ArchiveNoise) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = rungs
        .iter()
        .filter_map(|rung| {
            let flops = mean(rung.baseline.iter().filter_map(|r| r.flops))?;
            let values: Vec<f64> = rung.baseline.iter().map(|r| value(r, &rule.metric)).collect();
            let middle = mean(values.iter().copied())?;
            let n = values.len() as f64;
            let own = values.iter().map(|v| (v - middle).powi(2)).sum::<f64>() / (n - 1.0);
            // A single run has no spread of its own; half the variance of a pair stands in for it.
            let archive = noise.rungs.get(rung.rung).map(|a| a.sd * a.sd / 2.0);
            let variance = if n > 1.0 { own } else { archive.unwrap_or(0.0) };
            let goodness = rule.direction.improvement(0.0, middle);
            Some(Anchor { x: flops.ln(), goodness, error: (variance / n).sqrt() })
        })
        .collect();
    anchors.sort_by(|a, b| a.x.total_cmp(&b.x));
    anchors
}

pub(crate) fn value(run: &RunRow, metric: &str) -> f64 {
    run.metrics.get(metric).map_or(f64::NAN, Outcome::value)
}

/// A rung with everything that is computed from its runs alone.
struct Rung<'a> {
    pairs: &'a RungPairs<'a>,
    /// FLOPs of a run of the baseline and of the candidate.
    flops: [Option<f64>; 2],
    seconds: [Option<f64>; 2],
    slope: Defined<Slope>,
    /// Effect of each pair on the scale that decides.
    effects: Defined<Vec<f64>>,
    /// The candidate's runs alone on that scale, cost left out.
    candidates: Vec<f64>,
    /// Standard error of the mean effect that is due to the choice of test items.
    items: f64,
    /// Why it is left out, where the runs had test items.
    without_items: Option<String>,
}

impl<'a> Rung<'a> {
    fn of(pairs: &'a RungPairs<'a>, planned: Option<f64>, anchors: &[Anchor], rule: &Rule) -> Rung<'a> {
        let of = |arm: usize, field: fn(&RunRow) -> Option<f64>| {
            let all: Option<Vec<f64>> = pairs.pairs.iter().map(|p| field([p.0, p.1][arm])).collect();
            mean(all?.into_iter())
        };
        let mut flops = [of(0, |r| r.flops), of(1, |r| r.flops)];
        flops[0] = flops[0].or_else(|| mean(pairs.baseline.iter().filter_map(|r| r.flops))).or(planned);
        let seconds = [of(0, |r| r.seconds), of(1, |r| r.seconds)];
        let slope = match flops[0] {
            Some(flops) => local_slope(anchors, flops.ln()),
            None => Defined::undefined("the table does not say what compute the runs took"),
        };
        let mut rung = Rung {
            pairs,
            flops,
            seconds,
            slope,
            effects: Defined::Value(Vec::new()),
            candidates: Vec::new(),
            items: 0.0,
            without_items: None,
        };
        rung.effects = match rule.scale {
            Scale::Metric => Defined::Value(rung.improvements(rule).collect()),
            Scale::Multiplier => match &rung.slope {
                Defined::Undefined(why) => Defined::Undefined(why.clone()),
                Defined::Value(slope) => match rung.charge(rule.cost) {
                    Some(charge) => {
                        Defined::Value(rung.improvements(rule).map(|d| d / slope.value + charge).collect())
                    }
                    None if rung.pairs.pairs.is_empty() => Defined::Value(Vec::new()),
                    None => Defined::undefined("the table does not say what the runs of both arms cost"),
                },
            },
        };
        let outcomes: Vec<&Outcome> =
            pairs.pairs.iter().flat_map(|p| [p.0, p.1]).filter_map(|r| r.metrics.get(&rule.metric)).collect();
        let scale = match (rule.scale, &rung.slope) {
            (Scale::Multiplier, Defined::Value(slope)) => slope.value,
            _ => 1.0,
        };
        let goodness = |r: &RunRow| rule.direction.improvement(0.0, value(r, &rule.metric)) / scale;
        rung.candidates = pairs.pairs.iter().map(|p| goodness(p.1)).collect();
        match items_error(&outcomes, rule.direction, rule) {
            Ok(error) => rung.items = error / scale,
            Err(why) if outcomes.iter().any(|o| matches!(o, Outcome::Groups(_))) => {
                rung.without_items = Some(why)
            }
            Err(_) => {}
        }
        rung
    }

    fn improvements(&self, rule: &Rule) -> impl Iterator<Item = f64> {
        self.pairs
            .pairs
            .iter()
            .map(move |(b, c)| rule.direction.improvement(value(b, &rule.metric), value(c, &rule.metric)))
    }

    /// ln(cost of the baseline / cost of the candidate).
    fn charge(&self, cost: CostBasis) -> Option<f64> {
        let [b, c] = match cost {
            CostBasis::Flops => self.flops,
            CostBasis::Seconds => self.seconds,
        };
        Some((b? / c?).ln())
    }

    fn sample(&self) -> Sample {
        let mut sample = Sample::default();
        self.scaled().for_each(|(effect, candidate)| sample.add(effect, candidate));
        sample.items = self.items;
        sample
    }

    /// Effect and candidate's run of each pair on the scale that decides, the run from some origin.
    fn scaled(&self) -> impl Iterator<Item = (f64, f64)> {
        let effects = self.effects.value().map_or(&[][..], Vec::as_slice);
        effects.iter().copied().zip(self.candidates.iter().copied())
    }

    fn pair_cost(&self, rule: &Rule) -> PairCost {
        let both = |v: [Option<f64>; 2]| v[0].zip(v[1]).map(|(a, b)| a + b);
        PairCost { flops: both(self.flops), seconds: both(self.seconds), price: rule.price }
    }

    fn multiplier(
        &self,
        effect: &Effect,
        cost: CostBasis,
        rungs: &[Rung<'_>],
        rule: &Rule,
    ) -> Defined<Multiplier> {
        let slope = match &self.slope {
            Defined::Value(slope) => slope.value,
            Defined::Undefined(why) => return Defined::Undefined(why.clone()),
        };
        let Some(charge) = self.charge(cost) else {
            return Defined::undefined("the table does not say what the runs of both arms cost");
        };
        let paid = self.charge(rule.cost).unwrap_or(0.0);
        let of = |e: f64| match rule.scale {
            Scale::Multiplier => (e - paid + charge).exp(),
            Scale::Metric => (e / slope + charge).exp(),
        };
        let value = of(effect.mean);
        let spread = rungs
            .iter()
            .filter_map(|r| r.flops[0])
            .fold((f64::INFINITY, 0.0), |a, f| (f64::min(a.0, f), f64::max(a.1, f)));
        let matched = value * self.flops[0].unwrap_or(f64::NAN);
        Defined::Value(Multiplier {
            value,
            low: effect.low.map(of),
            high: effect.high.map(of),
            extrapolated: matched < spread.0 * 0.999 || matched > spread.1 * 1.001,
        })
    }

    fn judgement(&self, reading: Option<Reading>, rungs: &[Rung<'_>], rule: &Rule) -> RungJudgement {
        let effect = match (&self.effects, reading) {
            (Defined::Undefined(why), _) => Defined::Undefined(why.clone()),
            (_, None) if self.pairs.pairs.is_empty() => Defined::undefined("there is no pair of runs yet"),
            (_, None) => Defined::undefined("one pair alone cannot show how far chance reaches"),
            (_, Some(reading)) => Defined::Value(effect(&reading, self.items)),
        };
        let multiplier = match &effect {
            Defined::Value(e) => self.multiplier(e, rule.cost, rungs, rule),
            Defined::Undefined(why) => Defined::Undefined(why.clone()),
        };
        let time_multiplier = effect
            .value()
            .filter(|_| rule.cost == CostBasis::Flops)
            .and_then(|e| self.multiplier(e, CostBasis::Seconds, rungs, rule).value().copied());
        let improvements: Vec<f64> = self.improvements(rule).collect();
        let both = |arm: usize| {
            mean(self.pairs.pairs.iter().map(|p| value([p.0, p.1][arm], &rule.metric))).unwrap_or(f64::NAN)
        };
        let pairs = self
            .pairs
            .pairs
            .iter()
            .enumerate()
            .map(|(i, (b, c))| PairJudgement {
                label: b.pair.clone(),
                values: [value(b, &rule.metric), value(c, &rule.metric)],
                improvement: improvements[i],
                effect: self.effects.value().and_then(|e| e.get(i)).copied(),
            })
            .collect();
        RungJudgement {
            rung: self.pairs.rung.to_owned(),
            flops: self.flops,
            seconds: self.seconds,
            means: [both(0), both(1)],
            improvement: mean(improvements.iter().copied()).unwrap_or(f64::NAN),
            slope: self.slope.clone(),
            effect,
            multiplier,
            time_multiplier,
            pairs,
            path: Vec::new(),
        }
    }

    /// `below` is what the candidate's runs at smaller rungs show, `excess` what all pairs do.
    fn path(&self, boundary: &Boundary, below: Candidate, excess: Option<Excess>) -> Vec<Step> {
        let mut sample = Sample { items: self.items, ..Sample::default() };
        self.scaled()
            .filter_map(|(effect, candidate)| {
                sample.add(effect, candidate);
                let mut scattered = below;
                scattered.add(boundary, &sample);
                let r = boundary.read(&sample, excess, scattered.scatter())?;
                Some(Step {
                    n: r.n,
                    mean: r.mean,
                    low: finite(r.low),
                    high: finite(r.high),
                    decides: r.decides,
                })
            })
            .collect()
    }
}

fn finite(v: f64) -> Option<f64> {
    v.is_finite().then_some(v)
}

pub(crate) fn effect(r: &Reading, items: f64) -> Effect {
    Effect {
        n: r.n,
        mean: r.mean,
        low: finite(r.low),
        high: finite(r.high),
        sd: r.sd,
        df: r.df,
        error: r.error,
        items,
        noisier: r.noisier,
        waits: r.waits,
        decides: r.decides,
        evidence: r.evidence,
    }
}

/// Standard error of a mean improvement that is due to the choice of test items; or why it is left out.
pub(crate) fn items_error(outcomes: &[&Outcome], direction: Direction, rule: &Rule) -> Result<f64, String> {
    const CONFIDENCE: f64 = 0.95;
    let z = normal_quantile(0.5 + CONFIDENCE / 2.0);
    if outcomes.is_empty() {
        return Err("there is no pair of runs".into());
    }
    if let Some(half) = count_half(outcomes, CONFIDENCE) {
        return Ok(half / z);
    }
    let items = Items::of(outcomes)?;
    let mut draws = Draws::new(rule.seed, 7);
    let (below, above) = items
        .halves(direction, CONFIDENCE, rule.resamples, &mut draws)
        .ok_or("in some resamples nothing was attempted")?;
    Ok(below.max(above) / z)
}

/// The boundary of each rung. Without an archive the pairs of the other rungs stand in for one.
fn boundaries(rungs: &[Rung<'_>], rule: &Rule, noise: &ArchiveNoise) -> Vec<Boundary> {
    let samples: Vec<Sample> = rungs.iter().map(Rung::sample).collect();
    rungs
        .iter()
        .enumerate()
        .map(|(i, rung)| {
            let looks = rule.looks_at(rung.pairs.rung, i);
            let slope = match rule.scale {
                Scale::Multiplier => rung.slope.value().map_or(f64::NAN, |s| s.value),
                Scale::Metric => 1.0,
            };
            let known = noise
                .rungs
                .get(rung.pairs.rung)
                .map(|a| Known { variance: (a.sd / slope).powi(2), df: a.df, archived: true })
                .filter(|known| known.variance.is_finite() && known.df > 0.0)
                .unwrap_or_else(|| {
                    pooled(samples.iter().enumerate().filter(|(j, _)| *j != i).map(|(_, s)| s))
                });
            boundary(&looks, known, i == 0, rule)
        })
        .collect()
}

/// `smallest` says that no smaller rung has shown how noisy the candidate is.
pub(crate) fn boundary(looks: &[u32], known: Known, smallest: bool, rule: &Rule) -> Boundary {
    let alone = smallest && known.archived;
    let nominal = nominal_level(looks, known.df, alone, rule.error - rule.extension, rule.seed);
    Boundary::new(looks, known, nominal, rule.extension)
}

/// The noise within several samples.
pub(crate) fn pooled<'a>(samples: impl Iterator<Item = &'a Sample>) -> Known {
    let (squares, df) =
        samples.fold((0.0, 0.0), |a, s| (a.0 + s.squares, a.1 + f64::from(s.n.saturating_sub(1))));
    if df > 0.0 { Known { variance: squares / df, df, archived: false } } else { Known::default() }
}

fn design(rungs: &[Rung<'_>], boundaries: Vec<Boundary>, rule: &Rule, noise: &ArchiveNoise) -> Design {
    let top = rungs.last();
    let misfit = noise.misfit.unwrap_or(USUAL_MISFIT);
    let misfit = match rule.scale {
        Scale::Multiplier => misfit,
        Scale::Metric => misfit * top.and_then(|t| t.slope.value()).map_or(0.0, |s| s.value),
    };
    let target =
        rule.target.filter(|_| rungs.len() >= 3).and_then(|times| Some((top?.flops[0]? * times).ln()));
    Design {
        rungs: rungs
            .iter()
            .zip(boundaries)
            .map(|(rung, boundary)| RungDesign { x: rung.flops[0].map(f64::ln), boundary })
            .collect(),
        margin: rule.on_scale(rule.margin),
        equal: rule.on_scale(rule.equal.min(rule.margin)),
        misfit,
        target,
        assurance: rule.assurance,
        futile: rule.futile,
    }
}

/// Compute and mean score of an arm at each rung.
fn curve(rungs: &[Rung<'_>], arm: usize, metric: &str) -> Vec<(f64, f64)> {
    let mean_of = |r: &Rung<'_>| mean(r.pairs.pairs.iter().map(|p| value([p.0, p.1][arm], metric)));
    rungs.iter().filter_map(|r| r.flops[arm].zip(mean_of(r))).collect()
}

fn ladder(design: &Design, findings: &Findings) -> Defined<LadderJudgement> {
    let Some(target) = design.target else {
        return Defined::undefined(
            "no claim is made beyond the ladder: that needs a target and at least three sizes",
        );
    };
    let Some(found) = findings.ladder else {
        return Defined::undefined("fewer than three sizes have two pairs and a known compute");
    };
    let points: Vec<_> = design
        .rungs
        .iter()
        .zip(&findings.readings)
        .filter_map(|(rung, reading)| {
            let r = reading.as_ref()?;
            Some(crate::judge::ladder::Point {
                x: rung.x?,
                mean: r.mean,
                variance: r.error * r.error,
                df: r.df,
            })
        })
        .collect();
    let first = points.first().map_or(target, |p| p.x);
    let fan = (0..=24)
        .filter_map(|i| {
            let x = first + (target - first) * f64::from(i) / 24.0;
            let p = predict(&points, found.misfit, x)?;
            let (low, high) = p.interval(0.9);
            Some([x.exp(), p.mean, low, high])
        })
        .collect();
    let (low, high) = found.at_target.interval(0.9);
    let decade = std::f64::consts::LN_10;
    Defined::Value(LadderJudgement {
        target: target.exp(),
        slope: found.at_target.slope * decade,
        slope_error: found.at_target.slope_error * decade,
        at_target: found.at_target.mean,
        low,
        high,
        probability: found.probability,
        misfit: (found.misfit, found.misfit > design.misfit * 1.000_001),
        back_test: match found.back_test {
            Some(test) => Defined::Value(test),
            None => Defined::undefined("a back-test needs at least three sizes"),
        },
        fan,
    })
}
