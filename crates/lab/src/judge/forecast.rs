//! What would decide an undecided bet, and how likely: the rule applied to simulated futures.
//!
//! The effect of the largest rung has a normal prior, from the sizes of past effects and from what the smaller rungs predict;
//! its noise the moderated variance. A future draws variance, effect and further pairs from their posterior, and the rule is
//! applied after each pair. Guardrails get further pairs too, each by itself.

use serde::{Deserialize, Serialize};

use crate::judge::decide::{Design, RungDesign};
use crate::judge::guards::Watch;
use crate::judge::ladder::predict;
use crate::judge::sequential::Sample;
use crate::judge::verdict::Ruling;
use crate::random::Draws;

/// How many further pairs are looked at.
pub(crate) const AHEAD: [u32; 4] = [1, 2, 4, 8];

/// Beyond so many standard deviations between prior and pairs the prior is widened to reach them.
const SURPRISE: f64 = 3.0;

/// What would decide an undecided bet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forecast {
    /// With further pairs at the largest rung.
    pub pairs: Vec<Outlook>,
    /// Further pairs in all for even odds and for four chances in five, as far as was looked.
    pub needed: [Option<u32>; 2],
    /// With one more, larger rung.
    pub rung: Option<RungOutlook>,
}

/// What further pairs would do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outlook {
    /// Further pairs.
    pub pairs: u32,
    /// Probability that they decide, either way.
    pub decides: f64,
    /// Probability that they make it ship.
    pub ships: f64,
    /// FLOPs that they take, both arms together.
    pub flops: Option<f64>,
    /// Seconds that they take, both arms together.
    pub seconds: Option<f64>,
    /// What they cost.
    pub money: Option<f64>,
}

/// What a larger rung would do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RungOutlook {
    /// Its compute as a multiple of the largest rung's.
    pub ratio: f64,
    /// What its pairs would do.
    pub outlook: Outlook,
}

/// What a pair at the largest rung costs.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct PairCost {
    pub(crate) flops: Option<f64>,
    pub(crate) seconds: Option<f64>,
    /// Of an hour.
    pub(crate) price: Option<f64>,
}

impl PairCost {
    fn outlook(&self, pairs: u32, factor: f64, decides: f64, ships: f64) -> Outlook {
        let times = |v: Option<f64>| v.map(|v| v * f64::from(pairs) * factor);
        let seconds = times(self.seconds);
        let money = seconds.zip(self.price).map(|(s, p)| s / 3600.0 * p);
        Outlook { pairs, decides, ships, flops: times(self.flops), seconds, money }
    }
}

/// The distribution of the largest rung's effect and noise, given everything so far.
struct Posterior {
    sample: Sample,
    /// Moderated variance of a pair and its degrees of freedom.
    variance: f64,
    df: f64,
    /// Normal prior: mean and variance.
    prior: (f64, f64),
}

impl Posterior {
    fn of(design: &Design, samples: &[Sample], prior: f64) -> Option<Posterior> {
        let last = design.rungs.len().checked_sub(1)?;
        let rung = &design.rungs[last];
        let sample = *samples.get(last)?;
        let readings = design.read(samples);
        let (variance, df) = match readings.last().copied().flatten() {
            Some(r) => (r.sd * r.sd, r.df),
            None if rung.boundary.df >= 2.0 => (rung.boundary.variance, rung.boundary.df),
            None => return None,
        };
        let mut precision = 1.0 / (prior * prior);
        let mut weighted = 0.0;
        let points = design.points(&readings[..last]);
        if let Some(below) = rung.x.and_then(|x| predict(&points, design.misfit, x)) {
            precision += 1.0 / (below.sd * below.sd);
            weighted += below.mean / (below.sd * below.sd);
        }
        let (mean, mut spread) = (weighted / precision, 1.0 / precision);
        if sample.n > 0 {
            // An effect far beyond what was expected says that the expectation was wrong, not that the pairs are.
            let seen = variance / f64::from(sample.n) + sample.items.powi(2);
            let surprise = (sample.mean - mean).powi(2);
            if surprise > SURPRISE * SURPRISE * (spread + seen) {
                spread = surprise;
            }
        }
        Some(Posterior { sample, variance, df, prior: (mean, spread) })
    }

    /// Draws variance and effect.
    fn draw(&self, draws: &mut Draws) -> (f64, f64) {
        let variance = self.variance * self.df / draws.chi_squared(self.df);
        let n = f64::from(self.sample.n);
        let data = if n > 0.0 { 1.0 / (variance / n + self.sample.items.powi(2)) } else { 0.0 };
        let prior = 1.0 / self.prior.1;
        let mean = (data * self.sample.mean + prior * self.prior.0) / (data + prior);
        (variance.sqrt(), mean + draws.normal() / (data + prior).sqrt())
    }

    /// Where the candidate's runs lie.
    fn origin(&self, sd: f64, draws: &mut Draws) -> f64 {
        let n = f64::from(self.sample.n);
        if n > 0.0 { self.sample.candidate + sd / (2.0 * n).sqrt() * draws.normal() } else { 0.0 }
    }
}

/// Probabilities that up to each of [`AHEAD`] further pairs at the largest rung decide, and that they make it ship.
pub(crate) fn decides_after(
    design: &Design,
    samples: &[Sample],
    watch: &Watch,
    prior: f64,
    futures: u32,
    draws: &mut Draws,
) -> Option<[(f64, f64); 4]> {
    let posterior = Posterior::of(design, samples, prior)?;
    let last = samples.len() - 1;
    let mut counts = [(0u32, 0u32); 4];
    let mut ahead = samples.to_vec();
    for _ in 0..futures {
        let (sd, mean) = posterior.draw(draws);
        ahead[last] = posterior.sample;
        let origin = posterior.origin(sd, draws) - mean;
        let mut beside = watch.future(draws);
        for more in 1..=AHEAD[3] {
            let (effect, candidate) = draws.pair(mean, sd, 1.0);
            ahead[last].add(effect, origin + candidate);
            let ruling = design.decide(&ahead, beside.add(draws)).ruling;
            if ruling != Ruling::Undecided {
                for (count, k) in counts.iter_mut().zip(AHEAD) {
                    if more <= k {
                        count.0 += 1;
                        count.1 += u32::from(ruling == Ruling::Ship);
                    }
                }
                break;
            }
        }
    }
    let share = |n: u32| f64::from(n) / f64::from(futures);
    Some(counts.map(|(decided, shipped)| (share(decided), share(shipped))))
}

/// Looks ahead from an undecided state.
pub(crate) fn forecast(
    design: &Design,
    samples: &[Sample],
    watch: &Watch,
    prior: f64,
    cost: PairCost,
    (futures, seed): (u32, u64),
) -> Option<Forecast> {
    let mut draws = Draws::new(seed, 23);
    let found = decides_after(design, samples, watch, prior, futures, &mut draws)?;
    let pairs: Vec<Outlook> =
        AHEAD.iter().zip(found).map(|(k, (decides, ships))| cost.outlook(*k, 1.0, decides, ships)).collect();
    let needed = [0.5, 0.8].map(|odds| pairs.iter().find(|o| o.decides >= odds).map(|o| o.pairs));
    let rung = larger_rung(design, samples, watch, cost, futures, &mut draws);
    Some(Forecast { pairs, needed, rung })
}

/// What one more rung, as far above the largest as that is above the one below it, would do.
fn larger_rung(
    design: &Design,
    samples: &[Sample],
    watch: &Watch,
    cost: PairCost,
    futures: u32,
    draws: &mut Draws,
) -> Option<RungOutlook> {
    let [.., below, top] = design.rungs.as_slice() else { return None };
    let (x0, x1) = (below.x?, top.x?);
    let readings = design.read(samples);
    let points = design.points(&readings);
    let reading = readings.last().copied()??;
    let step = x1 - x0;
    let there = predict(&points, design.misfit, x1 + step)?;
    let mut longer = design.clone();
    // The target stays where it was; a rung beyond it makes it the target.
    longer.target = design.target.map(|t| t.max(x1 + step));
    longer.rungs.push(RungDesign { x: Some(x1 + step), boundary: top.boundary.clone() });
    let n = top.boundary.cap;
    let (mut decided, mut shipped) = (0u32, 0u32);
    let mut ahead = samples.to_vec();
    ahead.push(Sample::default());
    for _ in 0..futures {
        let sd = reading.sd * (reading.df / draws.chi_squared(reading.df)).sqrt();
        let t = draws.normal() / (draws.chi_squared(there.df.min(1e6)) / there.df.min(1e6)).sqrt();
        let effect = there.mean + there.sd * t;
        let mut sample = Sample::default();
        for _ in 0..n {
            let (effect, candidate) = draws.pair(effect, sd, 1.0);
            sample.add(effect, candidate);
        }
        if let Some(last) = ahead.last_mut() {
            *last = sample;
        }
        // What a guardrail would change by at another size nobody knows; it is taken to stand there as it would here.
        let mut beside = watch.future(draws);
        let guards = (0..n).map(|_| beside.add(draws)).last().unwrap_or_else(|| watch.guards());
        let ruling = longer.decide(&ahead, guards).ruling;
        decided += u32::from(ruling != Ruling::Undecided);
        shipped += u32::from(ruling == Ruling::Ship);
    }
    let share = |k: u32| f64::from(k) / f64::from(futures);
    let ratio = step.exp();
    Some(RungOutlook { ratio, outlook: cost.outlook(n, ratio, share(decided), share(shipped)) })
}
