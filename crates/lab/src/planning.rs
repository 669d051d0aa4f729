//! What a bet can be expected to show, before anything runs: power, pairs, cost, and what the answer is worth.

use serde::{Deserialize, Serialize};

use crate::archive::{LEAST_SIGNAL, NoiseArchive};
use crate::distribution::normal_cdf;
use crate::judge::{
    Defined, DropReason, Rehearsal, RehearsalDraws, RehearsalRung, Rehearsed, Rule, Ruling, Scale,
    USUAL_MISFIT, rehearse,
};
use crate::plan::Plan;

/// Bets rehearsed for each number.
const BETS: u64 = 4000;

/// What a bet can be expected to show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prospect {
    /// By true effect, on the scale that decides.
    pub power: Vec<Power>,
    /// The effect for which designs are compared: twice the margin, or the standard deviation of past effects.
    pub typical: f64,
    /// The cheapest design with a probability of 80 % to ship a typical effect, of those tried.
    pub cheapest: Defined<Design>,
    /// What the answer is worth.
    pub worth: Defined<Worth>,
}

/// What happens at a true effect that is the same at every size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Power {
    /// The true effect, on the scale that decides.
    pub effect: f64,
    /// Probability of a SHIP.
    pub ships: f64,
    /// Probability of a DROP.
    pub drops: f64,
    /// Of these, as harm.
    pub harms: f64,
    /// Expected pairs at the largest size.
    pub pairs: f64,
    /// Expected FLOPs of the whole bet.
    pub flops: f64,
}

/// What is assumed of the primary metric where no archive knows it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct AssumedNoise {
    /// Standard deviation of a run, in the metric's unit.
    pub sd: f64,
    /// What a factor e of compute buys, in the metric's unit; a bet on the scale of multipliers needs it.
    pub slope: Option<f64>,
}

/// A ladder and a number of seeds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Design {
    /// Sizes, smallest first.
    pub sizes: Vec<String>,
    /// Pairs at each.
    pub seeds: u32,
    /// Probability of a SHIP at the typical effect.
    pub ships: f64,
    /// Expected FLOPs.
    pub flops: f64,
}

/// What the answer is worth: the expected gain of deciding with the bet over deciding without (normal prior, normal result).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Worth {
    /// As a share of the target run's compute.
    pub share: f64,
    /// In FLOPs of the target run.
    pub flops: f64,
}

/// Why a bet has no prospect.
#[derive(Debug, thiserror::Error)]
pub enum ProspectError {
    /// Nothing is known of the noise.
    #[error(
        "the archive of A/A runs has no noise of `{metric}` at {size}; make two runs or more that differ in their seed alone, \
         then `groundwork lab noise`, or assume its standard deviation with `--noise`"
    )]
    NoNoise {
        /// The metric.
        metric: String,
        /// The size.
        size: String,
    },
    /// The metric cannot decide.
    #[error(
        "`{metric}` cannot decide at {size}: recipes differ in it by {signal:.1} times what chance does, and {least} are needed{hint}"
    )]
    TooNoisy {
        /// The metric.
        metric: String,
        /// The size.
        size: String,
        /// Its signal-to-noise ratio.
        signal: f64,
        /// What is asked.
        least: f64,
        /// A better metric, starting with `; `, or empty.
        hint: String,
    },
    /// What compute buys cannot be told.
    #[error(
        "the archive does not show what compute buys at {size}, which a bet on the scale of multipliers needs; run the baseline \
         at a neighbouring size, assume it with `--slope`, or decide in the metric's unit"
    )]
    NoSlope {
        /// The size.
        size: String,
    },
}

impl Plan {
    /// Takes the noise of the primary metric from an archive.
    ///
    /// # Errors
    /// [`ProspectError::TooNoisy`] if the archive shows that the metric cannot decide at the largest size.
    pub fn with_archive(mut self, archive: &NoiseArchive) -> Result<Plan, ProspectError> {
        let metric = &self.bet.primary.metric;
        let top = self.bet.top_size();
        if let Some(signal) =
            archive.entry(metric, top).filter(|e| e.df >= 4.0).and_then(|e| e.signal_to_noise)
            && signal < LEAST_SIGNAL
        {
            let better = archive
                .entries
                .iter()
                .filter(|e| e.size == top && e.metric != *metric)
                .filter_map(|e| Some((e.signal_to_noise?, &e.metric)))
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .filter(|b| b.0 >= LEAST_SIGNAL);
            let hint = better.map_or_else(String::new, |(s, m)| format!("; `{m}` has {s:.1}"));
            return Err(ProspectError::TooNoisy {
                metric: metric.clone(),
                size: top.to_owned(),
                signal,
                least: LEAST_SIGNAL,
                hint,
            });
        }
        self.noise = archive.noise(metric, &self.bet.ladder.sizes);
        Ok(self)
    }

    /// What the bet can be expected to show.
    ///
    /// # Errors
    /// [`ProspectError`] if the archive does not know enough, and nothing is assumed in its place.
    pub fn prospect(
        &self,
        archive: &NoiseArchive,
        assumed: Option<AssumedNoise>,
    ) -> Result<Prospect, ProspectError> {
        let rule = self.bet.rule();
        let rungs = self.rungs(&rule, archive, assumed)?;
        let margin = match rule.scale {
            Scale::Multiplier => rule.margin.ln_1p(),
            Scale::Metric => rule.margin,
        };
        let typical = if margin > 0.0 { 2.0 * margin } else { rule.prior };
        let effects = [-typical, 0.0, 0.5 * typical, typical, 2.0 * typical];
        let rehearsal = rehearsal(&rule, &rungs);
        let power = effects.map(|effect| power(&rehearsal, &rungs, effect, rule.seed)).to_vec();
        Ok(Prospect {
            power,
            typical,
            cheapest: cheapest(&rule, &rungs, typical),
            worth: self.worth(&rule, &rungs),
        })
    }

    /// The rungs as they will be run, with their noise on the scale that decides. What is assumed is no archive: the bet will
    /// have to learn its noise from its own pairs, and is planned so.
    fn rungs(
        &self,
        rule: &Rule,
        archive: &NoiseArchive,
        assumed: Option<AssumedNoise>,
    ) -> Result<Vec<Rung>, ProspectError> {
        let sizes = &self.bet.ladder.sizes;
        sizes
            .iter()
            .map(|size| {
                let (sd, df) = archive
                    .entry(&rule.metric, size)
                    .map(|e| (e.pair_sd(), e.df))
                    .or(assumed.map(|a| (a.sd * std::f64::consts::SQRT_2, 0.0)))
                    .ok_or_else(|| ProspectError::NoNoise {
                        metric: rule.metric.clone(),
                        size: size.clone(),
                    })?;
                let runs: Vec<f64> =
                    self.cells.iter().filter(|c| c.size == *size).map(|c| c.recipe.flops).collect();
                let flops = runs.iter().sum::<f64>() / runs.len().max(1) as f64;
                let slope = match rule.scale {
                    Scale::Metric => 1.0,
                    Scale::Multiplier => slope(rule, archive, size)
                        .or(assumed.and_then(|a| a.slope))
                        .ok_or(ProspectError::NoSlope { size: size.clone() })?,
                };
                Ok(Rung { size: size.clone(), flops, sd: sd / slope, df, cap: rule.cap_of(size) })
            })
            .collect()
    }

    fn worth(&self, rule: &Rule, rungs: &[Rung]) -> Defined<Worth> {
        let Some(top) = rungs.last() else { return Defined::Undefined("there is no size".into()) };
        if rule.scale == Scale::Metric {
            return Defined::Undefined(
                "the bet is decided in the metric's unit, which has no price; decide on the scale of multipliers".into(),
            );
        }
        let error = top.sd * top.sd / f64::from(top.cap) + 2.0 * USUAL_MISFIT * USUAL_MISFIT;
        let prior = rule.prior * rule.prior;
        let share = information(0.0, prior, error);
        Defined::Value(Worth { share, flops: share * top.flops * rule.target.unwrap_or(1.0) })
    }
}

/// Expected value of a measurement of variance `error` of an effect with prior N(mean, `prior`), when the choice is between
/// taking the effect and leaving it: s φ(m/s) + m Φ(m/s) − max(0, m) with s = prior / √(prior + error).
fn information(mean: f64, prior: f64, error: f64) -> f64 {
    let s = prior / (prior + error).sqrt();
    let density = (-0.5 * (mean / s).powi(2)).exp() / (2.0 * std::f64::consts::PI).sqrt();
    s * density + mean * normal_cdf(mean / s) - mean.max(0.0)
}

#[derive(Clone, Debug)]
struct Rung {
    size: String,
    /// Of one run.
    flops: f64,
    sd: f64,
    df: f64,
    cap: u32,
}

/// What an e-fold of compute buys, between the nearest sizes of the archive.
fn slope(rule: &Rule, archive: &NoiseArchive, size: &str) -> Option<f64> {
    let here = archive.entry(&rule.metric, size)?;
    let distance = |e: &&crate::archive::NoiseEntry| (e.flops / here.flops).ln().abs();
    let other = archive
        .entries
        .iter()
        .filter(|e| e.metric == rule.metric && e.size != size && distance(e) > 0.1)
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let (small, large) = if other.flops < here.flops { (other, here) } else { (here, other) };
    let slope = rule.direction.improvement(small.mean, large.mean) / (large.flops / small.flops).ln();
    (slope > 0.0).then_some(slope)
}

fn rehearsal(rule: &Rule, rungs: &[Rung]) -> Rehearsal {
    let planned: Vec<RehearsalRung> =
        rungs.iter().map(|r| RehearsalRung { compute: r.flops, cap: r.cap, archive_df: r.df }).collect();
    let misfit = if rule.scale == Scale::Multiplier { USUAL_MISFIT } else { 0.0 };
    Rehearsal::new(rule, &planned, misfit, 0)
}

fn power(rehearsal: &Rehearsal, rungs: &[Rung], effect: f64, seed: u64) -> Power {
    let played: Vec<Rehearsed> = rehearse(rehearsal, BETS, |own, bet| {
        let mut draws = RehearsalDraws::new(seed, bet);
        let archive: Vec<f64> = rungs.iter().map(|r| draws.estimate(r.sd, r.df)).collect();
        own.play(&archive, &mut |rung| draws.pair(effect, rungs[rung].sd, 1.0))
    });
    let n = played.len() as f64;
    let share = |yes: &dyn Fn(Ruling) -> bool| played.iter().filter(|p| yes(p.ruling)).count() as f64 / n;
    let flops =
        |p: &Rehearsed| p.pairs.iter().zip(rungs).map(|(n, r)| 2.0 * f64::from(*n) * r.flops).sum::<f64>();
    Power {
        effect,
        ships: share(&|r| r == Ruling::Ship),
        drops: share(&|r| matches!(r, Ruling::Drop(_))),
        harms: share(&|r| r == Ruling::Drop(DropReason::Harm)),
        pairs: played.iter().filter_map(|p| p.pairs.last()).map(|p| f64::from(*p)).sum::<f64>() / n,
        flops: played.iter().map(flops).sum::<f64>() / n,
    }
}

/// Tries two to ten pairs on the whole ladder and on the ladder without its smallest sizes.
fn cheapest(rule: &Rule, rungs: &[Rung], typical: f64) -> Defined<Design> {
    let mut best: Option<Design> = None;
    let mut most: Option<Design> = None;
    // A claim beyond the ladder needs three sizes; without them the design would be another bet.
    let least = if rungs.len() >= 3 { 3 } else { 1 };
    for from in 0..=rungs.len().saturating_sub(least) {
        for seeds in 2..=10u32 {
            let tried: Vec<Rung> = rungs[from..].iter().map(|r| Rung { cap: seeds, ..r.clone() }).collect();
            let p = power(&rehearsal(rule, &tried), &tried, typical, rule.seed);
            let design = Design {
                sizes: tried.iter().map(|r| r.size.clone()).collect(),
                seeds,
                ships: p.ships,
                flops: p.flops,
            };
            if most.as_ref().is_none_or(|m| design.ships > m.ships) {
                most = Some(design.clone());
            }
            if design.ships >= 0.8 {
                if best.as_ref().is_none_or(|b| design.flops < b.flops) {
                    best = Some(design);
                }
                // More pairs of the same sizes only cost more.
                break;
            }
        }
    }
    match (best, most) {
        (Some(best), _) => Defined::Value(best),
        (None, Some(most)) => Defined::Undefined(format!(
            "no design with up to 10 pairs on these sizes reaches 80 %; {} pairs reach {:.0} %. Larger sizes, or a metric with \
             less noise, would help",
            most.seeds,
            100.0 * most.ships
        )),
        (None, None) => Defined::Undefined("there is no size".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn information_is_worth_most_where_the_choice_is_open() {
        // Perfect information on a standard normal effect: φ(0).
        assert!((information(0.0, 1.0, 0.0) - 0.398_942).abs() < 1e-6);
        assert!(information(0.0, 1.0, 1.0) < information(0.0, 1.0, 0.1));
        assert!(information(3.0, 1.0, 0.1) < 0.01 * information(0.0, 1.0, 0.1));
    }
}
