//! Paired differences between the arms and their intervals.
//!
//! # What is honest with few seeds
//!
//! A difference d(s, i) between the arms, for seed s and test task i, is modelled as θ + a(s) + b(i) + e(s, i). The mean
//! over n seeds and m tasks has the variance σa²/n + σb²/m + σe²/nm: tasks are shared by all seeds, so more seeds do
//! not average them out, and the other way round.
//!
//! - **Seeds.** The variance of the n per-seed differences estimates σa² + σe²/m. With n = 2 that is one degree of
//!   freedom; resampling two seeds would give three different values and a variance too small by half. So seeds get
//!   Student's t and are never resampled. Pooling the variance over the sizes of the ladder gives it more degrees of
//!   freedom, at the price of an assumption that the rule states.
//! - **Tasks.** They are many. The bootstrap resamples groups of tasks (a clean task and its faulty twins belong
//!   together) within world and level, as the suite fixed their numbers, the same for both arms and all seeds. It
//!   estimates σb²/m + σe²/nm.
//! - **Together.** The half-widths are joined as √(h²seeds + h²tasks), on either side apart. This is never narrower than
//!   the wider of the two; σe² enters twice, so it errs on the wide side. A simulation in `tests/verdict.rs` checks
//!   the coverage with two seeds.
//! - **A share that nobody ever scores on** has no variance in the sample. Its half-width over tasks is not let fall
//!   below Wilson's for no event in m tasks.

use std::collections::BTreeMap;

use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::bet::{Arm, Decision, Direction, Noise};
use crate::distribution::{normal_quantile, student_quantile};
use crate::result::{BetResult, CellResult};
use crate::score;

/// An improvement of the candidate over the baseline at one size, positive where the candidate is better.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Model size.
    pub size: String,
    /// The baseline's value, mean over seeds.
    pub baseline: f64,
    /// The candidate's value, mean over seeds.
    pub candidate: f64,
    /// The improvement, mean over pairs.
    pub value: f64,
    /// Lower end of the interval that decides; `None` where it has none.
    pub low: Option<f64>,
    /// Upper end of the interval that decides; `None` where it has none.
    pub high: Option<f64>,
    /// The improvement of each pair, by seed.
    pub pairs: Vec<(u64, f64)>,
    /// Standard deviation of the pairs that the interval uses, and its degrees of freedom.
    pub noise: Option<(f64, f64)>,
    /// Half-width over seeds alone.
    pub seed_half: Option<f64>,
    /// Half-widths over tasks alone, below and above.
    pub task_halves: Option<(f64, f64)>,
    /// Groups of tasks that it rests on.
    pub tasks: usize,
    /// What weakens the interval.
    pub notes: Vec<String>,
}

impl Difference {
    /// The interval, if it has both ends.
    pub fn interval(&self) -> Option<(f64, f64)> {
        self.low.zip(self.high)
    }
}

/// The improvements in `metric` at every size, smallest first. A size of which a run is missing is left out.
pub fn differences(
    result: &BetResult,
    metric: &str,
    direction: Direction,
    decision: &Decision,
) -> Vec<Difference> {
    let seeds = &result.registration.content.seeds;
    let mut rungs: Vec<(Difference, Option<Tasks>)> = Vec::new();
    for size in &result.registration.content.sizes {
        let pair = |seed: &u64| {
            Some((result.cell(Arm::Baseline, size, *seed)?, result.cell(Arm::Candidate, size, *seed)?))
        };
        let Some(pairs) = seeds.iter().map(pair).collect::<Option<Vec<_>>>() else { continue };
        if let Some(mut difference) = point(size, &pairs, metric, direction) {
            let tasks = Tasks::of(&pairs, metric).map_err(|why| difference.notes.push(why)).ok();
            rungs.push((difference, tasks));
        }
    }
    let pooled = pooled_noise(rungs.iter().map(|(d, _)| d.pairs.as_slice()));
    let mut rng = Pcg64::seed_from_u64(decision.seed);
    for (difference, tasks) in &mut rungs {
        let own = pooled_noise(std::iter::once(difference.pairs.as_slice()));
        let noise = if decision.noise == Noise::Pooled { pooled } else { own };
        let halves = tasks.as_ref().and_then(|t| t.halves(direction, decision, metric, &mut rng));
        difference.tasks = tasks.as_ref().map_or(0, |t| t.groups());
        difference.widen(noise, halves, decision.confidence);
    }
    rungs.into_iter().map(|(difference, _)| difference).collect()
}

fn point(
    size: &str,
    pairs: &[(&CellResult, &CellResult)],
    metric: &str,
    direction: Direction,
) -> Option<Difference> {
    let value = |cell: &CellResult| cell.metrics.get(metric).map(|m| m.value);
    let values: Vec<(u64, f64, f64)> =
        pairs.iter().map(|(b, c)| Some((b.seed, value(b)?, value(c)?))).collect::<Option<_>>()?;
    let n = values.len() as f64;
    let paired: Vec<(u64, f64)> =
        values.iter().map(|(s, b, c)| (*s, direction.improvement(*b, *c))).collect();
    Some(Difference {
        size: size.to_owned(),
        baseline: values.iter().map(|v| v.1).sum::<f64>() / n,
        candidate: values.iter().map(|v| v.2).sum::<f64>() / n,
        value: paired.iter().map(|p| p.1).sum::<f64>() / n,
        low: None,
        high: None,
        pairs: paired,
        noise: None,
        seed_half: None,
        task_halves: None,
        tasks: 0,
        notes: Vec::new(),
    })
}

impl Difference {
    fn widen(&mut self, noise: Option<(f64, f64)>, task_halves: Option<(f64, f64)>, confidence: f64) {
        self.noise = noise;
        self.task_halves = task_halves;
        let Some((sd, df)) = noise.filter(|_| self.value.is_finite()) else {
            self.notes.push("The noise between seeds cannot be estimated, so there is no interval.".into());
            return;
        };
        let half = student_quantile(0.5 + confidence / 2.0, df) * sd / (self.pairs.len() as f64).sqrt();
        let (below, above) = task_halves.unwrap_or_default();
        self.seed_half = Some(half);
        self.low = Some(self.value - half.hypot(below));
        self.high = Some(self.value + half.hypot(above));
        if df < 4.0 {
            self.notes.push(format!(
                "The noise between seeds rests on {}, and the interval is as wide as so little knowledge demands.",
                crate::rule::plural(df as usize, "degree of freedom", "degrees of freedom"),
            ));
        }
    }
}

/// Standard deviation of paired differences around the mean of their rung, pooled over rungs, and its degrees of
/// freedom. `None` without a rung of two pairs, or if a difference is not a number.
fn pooled_noise<'a>(rungs: impl Iterator<Item = &'a [(u64, f64)]>) -> Option<(f64, f64)> {
    let (mut squares, mut df) = (0.0, 0.0);
    for pairs in rungs {
        let n = pairs.len() as f64;
        let mean = pairs.iter().map(|p| p.1).sum::<f64>() / n;
        squares += pairs.iter().map(|p| (p.1 - mean).powi(2)).sum::<f64>();
        df += n - 1.0;
    }
    (df > 0.0 && f64::is_finite(squares)).then(|| ((squares / df).sqrt(), df))
}

/// Numerators and denominators of one group of tasks, run by run.
type Sums = Vec<(f64, f64)>;

/// World, level and seed: a clean task and its faulty twins.
type Group<'a> = (&'a str, u32, u64);

/// Numerators and denominators of a metric by group of tasks, in every run of a rung.
struct Tasks {
    /// By world and level: for each group, the sums in every run, the arms of a pair next to each other.
    strata: Vec<Vec<Sums>>,
    runs: usize,
}

impl Tasks {
    fn of(pairs: &[(&CellResult, &CellResult)], metric: &str) -> Result<Tasks, String> {
        let without = |why: &str| {
            Err(format!("The interval leaves out the chance in the choice of test tasks: {why}."))
        };
        let Some(part) = score::part_of(metric) else {
            return without("the metric is no ratio of sums over attempts");
        };
        let cells: Vec<&CellResult> = pairs.iter().flat_map(|(b, c)| [*b, *c]).collect();
        if cells.iter().any(|c| c.scores.is_empty()) {
            return without("a run has no scores");
        }
        let mut groups: BTreeMap<Group<'_>, Sums> = BTreeMap::new();
        let mut attempts: BTreeMap<Group<'_>, Vec<usize>> = BTreeMap::new();
        for (run, cell) in cells.iter().enumerate() {
            let mut sums = (0.0, 0.0);
            for s in &cell.scores {
                let group = (s.world.as_str(), s.level, s.seed);
                attempts.entry(group).or_insert_with(|| vec![0; cells.len()])[run] += 1;
                if let Some((numerator, denominator)) = part(s) {
                    let here = &mut groups.entry(group).or_insert_with(|| vec![(0.0, 0.0); cells.len()])[run];
                    here.0 += numerator;
                    here.1 += denominator;
                    sums.0 += numerator;
                    sums.1 += denominator;
                }
            }
            let said = cell.metrics.get(metric).map_or(f64::NAN, |m| m.value);
            let agrees = (sums.0 / sums.1 - said).abs() <= 1e-6 * said.abs().max(1.0);
            if !agrees {
                return without("the scores of a run do not add up to its metric");
            }
        }
        if attempts.values().any(|runs| runs.iter().any(|n| *n != runs[0])) {
            return without("the runs were not tested on the same tasks");
        }
        let mut strata: BTreeMap<(&str, u32), Vec<Sums>> = BTreeMap::new();
        for ((world, level, _), sums) in groups {
            strata.entry((world, level)).or_default().push(sums);
        }
        Ok(Tasks { strata: strata.into_values().collect(), runs: cells.len() })
    }

    fn groups(&self) -> usize {
        self.strata.iter().map(Vec::len).sum()
    }

    /// Half-widths of the mean improvement over tasks, below and above its value.
    fn halves(
        &self,
        direction: Direction,
        decision: &Decision,
        metric: &str,
        rng: &mut Pcg64,
    ) -> Option<(f64, f64)> {
        let mut sums = vec![(0.0, 0.0); self.runs];
        self.strata.iter().flatten().for_each(|group| add(&mut sums, group));
        let value = improvement(&sums, direction)?;
        let mut drawn = Vec::with_capacity(decision.resamples as usize);
        for _ in 0..decision.resamples {
            sums.fill((0.0, 0.0));
            for groups in &self.strata {
                for _ in groups {
                    add(&mut sums, &groups[below(rng, groups.len())]);
                }
            }
            drawn.extend(improvement(&sums, direction));
        }
        drawn.sort_by(f64::total_cmp);
        let tail = (1.0 - decision.confidence) / 2.0;
        let z = normal_quantile(1.0 - tail);
        let floor =
            if score::unit_of(metric) == "share" { z * z / (self.groups() as f64 + z * z) } else { 0.0 };
        Some((
            (value - quantile(&drawn, tail)?).max(floor),
            (quantile(&drawn, 1.0 - tail)? - value).max(floor),
        ))
    }
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

/// The half-widths, below and above, of an arm's own mean over the tasks, its seeds held fixed.
pub(crate) fn arm_interval(cells: &[&CellResult], metric: &str, decision: &Decision) -> Option<(f64, f64)> {
    let pairs: Vec<(&CellResult, &CellResult)> = cells.iter().map(|c| (*c, *c)).collect();
    let tasks = Tasks::of(&pairs, metric).ok()?;
    let mean = |sums: &[(f64, f64)]| -> Option<f64> {
        let ratios: Option<Vec<f64>> = sums.iter().map(|(n, d)| (*d > 0.0).then(|| n / d)).collect();
        ratios.map(|r| r.iter().sum::<f64>() / r.len() as f64)
    };
    let mut rng = Pcg64::seed_from_u64(decision.seed);
    let mut drawn = Vec::new();
    for _ in 0..decision.resamples {
        let mut sums = vec![(0.0, 0.0); tasks.runs];
        for groups in &tasks.strata {
            for _ in groups {
                add(&mut sums, &groups[below(&mut rng, groups.len())]);
            }
        }
        drawn.extend(mean(&sums));
    }
    drawn.sort_by(f64::total_cmp);
    let tail = (1.0 - decision.confidence) / 2.0;
    Some((quantile(&drawn, tail)?, quantile(&drawn, 1.0 - tail)?))
}

/// A number below `n`, uniformly to within n / 2⁶⁴.
fn below(rng: &mut Pcg64, n: usize) -> usize {
    ((u128::from(rng.next_u64()) * n as u128) >> 64) as usize
}

/// The quantile of sorted values, by linear interpolation (type 7).
fn quantile(sorted: &[f64], at: f64) -> Option<f64> {
    let place = at * sorted.len().checked_sub(1)? as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}
