//! The chance in the choice of test items: a bootstrap over the groups that all runs share.
//!
//! A difference d(s, i) for seed s and item i is modelled as θ + a(s) + b(i) + e(s, i). The mean over n seeds and m items has
//! the variance σa²/n + σb²/m + σe²/nm: more seeds do not average out the choice of items, and the other way round. Seeds
//! get Student's t (two seeds resampled would give three values and half of the variance); groups of items are resampled
//! within their stratum, the same in all runs; the half-widths are joined as √(h²seeds + h²items). σe² enters twice, so it
//! errs on the wide side.

use std::collections::BTreeMap;

use crate::bet::Direction;
use crate::distribution::normal_quantile;
use crate::judge::table::Outcome;
use crate::random::Draws;

/// Numerators and denominators of one group, run by run.
type Sums = Vec<(f64, f64)>;

/// A metric by group of items in every run of a rung; the runs of a pair stand next to each other, the baseline first.
#[derive(Clone, Debug)]
pub(crate) struct Items {
    strata: Vec<Vec<Sums>>,
    runs: usize,
    share: bool,
}

impl Items {
    /// Gathers the groups of `outcomes`.
    ///
    /// # Errors
    /// Why the choice of items cannot be taken into account, as the end of a sentence.
    pub(crate) fn of(outcomes: &[&Outcome]) -> Result<Items, String> {
        let mut found: BTreeMap<(u32, u64), (Sums, Vec<usize>)> = BTreeMap::new();
        let mut share = true;
        for (run, outcome) in outcomes.iter().enumerate() {
            let Outcome::Groups(groups) = outcome else {
                return Err("the metric is a single number of each run".into());
            };
            if groups.is_empty() {
                return Err("a run has no test items".into());
            }
            for g in groups {
                let (sums, seen) = found
                    .entry((g.stratum, g.id))
                    .or_insert_with(|| (vec![(0.0, 0.0); outcomes.len()], vec![0; outcomes.len()]));
                sums[run].0 += g.numerator;
                sums[run].1 += g.denominator;
                seen[run] += 1;
                share &= g.numerator >= 0.0 && g.numerator <= g.denominator && g.numerator.fract() == 0.0;
            }
        }
        if found.values().any(|(_, seen)| seen.contains(&0)) {
            return Err("the runs were not tested on the same items".into());
        }
        let mut strata: BTreeMap<u32, Vec<Sums>> = BTreeMap::new();
        for ((stratum, _), (sums, _)) in found {
            strata.entry(stratum).or_default().push(sums);
        }
        Ok(Items { strata: strata.into_values().collect(), runs: outcomes.len(), share })
    }

    fn groups(&self) -> usize {
        self.strata.iter().map(Vec::len).sum()
    }

    /// Half-widths of the mean improvement over items at `confidence`, below and above its value. For a share neither falls
    /// below z² / (m + z²), Wilson's for no event in m groups: what is 0 in every run is not certain to be 0.
    pub(crate) fn halves(
        &self,
        direction: Direction,
        confidence: f64,
        resamples: u32,
        draws: &mut Draws,
    ) -> Option<(f64, f64)> {
        let mut sums = vec![(0.0, 0.0); self.runs];
        self.strata.iter().flatten().for_each(|group| add(&mut sums, group));
        let value = improvement(&sums, direction)?;
        let mut drawn = Vec::with_capacity(resamples as usize);
        for _ in 0..resamples {
            self.resample(&mut sums, draws);
            drawn.extend(improvement(&sums, direction));
        }
        drawn.sort_by(f64::total_cmp);
        let tail = (1.0 - confidence) / 2.0;
        let z = normal_quantile(1.0 - tail);
        let floor = if self.share { z * z / (self.groups() as f64 + z * z) } else { 0.0 };
        Some((
            (value - quantile(&drawn, tail)?).max(floor),
            (quantile(&drawn, 1.0 - tail)? - value).max(floor),
        ))
    }

    fn resample(&self, sums: &mut [(f64, f64)], draws: &mut Draws) {
        sums.fill((0.0, 0.0));
        for groups in &self.strata {
            for _ in groups {
                add(sums, &groups[draws.below(groups.len())]);
            }
        }
    }
}

/// Half-width over items of a difference of two shares of which only counts are known: items are taken as independent and
/// shared by all seeds, so that only the attempts of one run count.
pub(crate) fn count_half(outcomes: &[&Outcome], confidence: f64) -> Option<f64> {
    let z = normal_quantile(0.5 + confidence / 2.0);
    let mut variance = 0.0;
    let mut fewest = f64::INFINITY;
    for outcome in outcomes {
        let Outcome::Counts { successes, attempts } = outcome else { return None };
        let p = successes / attempts;
        variance += p * (1.0 - p) / attempts;
        fewest = fewest.min(*attempts);
    }
    let pairs = outcomes.len() as f64 / 2.0;
    Some((z * (variance / pairs).sqrt()).max(z * z / (fewest + z * z)))
}

fn add(sums: &mut [(f64, f64)], group: &[(f64, f64)]) {
    for (sum, part) in sums.iter_mut().zip(group) {
        sum.0 += part.0;
        sum.1 += part.1;
    }
}

/// The mean over pairs of the improvement of their ratios; `None` where a denominator is nothing.
fn improvement(sums: &[(f64, f64)], direction: Direction) -> Option<f64> {
    let mut total = 0.0;
    for pair in sums.chunks_exact(2) {
        if pair[0].1 <= 0.0 || pair[1].1 <= 0.0 {
            return None;
        }
        total += direction.improvement(pair[0].0 / pair[0].1, pair[1].0 / pair[1].1);
    }
    Some(total / (sums.len() / 2) as f64)
}

/// The quantile of sorted values, by linear interpolation (type 7).
fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}
