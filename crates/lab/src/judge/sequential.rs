//! One rung at a time: what the pairs so far say, with an error that holds over all looks together.
//!
//! *Stage 1* is group-sequential. After each registered number of pairs n the mean effect m gets the interval
//! m ± c(n) s̃ / √n with the moderated variance s̃² = (d₀ s₀² + SS) / (d₀ + n − 1) of Smyth (2004), s₀² from an archive of
//! A/A runs on d₀ degrees of freedom. c(n) is Student's quantile at one nominal level, which is calibrated by simulation
//! so that the intervals of all looks hold the truth together with probability 1 − (`error` − `extension`).
//!
//! *Stage 2* takes over beyond the cap: the e-process of the Bayes factor with a normal prior on the standardised effect
//! and the right Haar prior on the variance, and the confidence sequence that it inverts to. It may be looked at after
//! every pair, at any time, with error `extension`. By the union bound both stages together keep `error`.
//!
//! An archive knows how noisily the baseline trains, not the candidate. So the candidate's own runs are held against it, those
//! of the rung and of smaller ones together. Where they, or the pairs, are noisier (Fisher's test), the archive does not count
//! (d₀ = 0), half the nominal level is used, and the rung is flagged. Where the candidate's runs are too few to show anything
//! (fewer than four degrees of freedom), a look decides only if they are as calm as an archive's would usually be: two wild runs
//! often lie close together by chance. Where the pairs of all rungs together are noisier, the archive's variances are scaled to
//! what was seen, with the degrees of freedom of what was seen.

use std::collections::BTreeMap;
use std::sync::Mutex;

use crate::distribution::{fisher_tail, student_quantile};
use crate::random::Draws;

/// Prior variance of the standardised effect in the e-process.
const PRIOR: f64 = 2.0;
/// The pairs, or the candidate's runs, are called noisier than the archive if Fisher's tail is below this. Loose, because what it
/// protects against is worse than what it costs: a few bets in a hundred are judged by their own noise without need.
const FLAG: f64 = 0.025;
/// The same for the candidate's runs where the archive has fewer than [`SMALL`] degrees of freedom: its test sees less.
const FLAG_SMALL: f64 = 0.05;
const SMALL: f64 = 10.0;
/// The same for the pairs of all rungs together.
const EXCESS: f64 = 0.05;
/// What Fisher's tail must reach for a look to decide while the candidate's runs have one, two or three degrees of freedom. They
/// are set so that a candidate five times as noisy gets through in less than one bet in a hundred at each.
const CALM: [f64; 3] = [0.9, 0.33, 0.2];
/// The part of the nominal level at which noisier pairs are judged.
const NOISIER: f64 = 0.5;

/// Sums over the pairs of a rung.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sample {
    /// Pairs.
    pub(crate) n: u32,
    /// Mean effect.
    pub(crate) mean: f64,
    /// Sum of squared deviations from the mean.
    pub(crate) squares: f64,
    /// Mean of the candidate's runs alone, on the same scale from any origin.
    pub(crate) candidate: f64,
    /// Sum of their squared deviations from it.
    pub(crate) candidate_squares: f64,
    /// Standard error of the mean that comes from the choice of test items, which all pairs share.
    pub(crate) items: f64,
}

impl Sample {
    #[cfg(test)]
    pub(crate) fn of(effects: &[f64]) -> Sample {
        let mut sample = Sample::default();
        effects.iter().for_each(|e| sample.add(*e, 0.0));
        sample
    }

    /// Takes in one more pair (Welford): its effect, and what the candidate's run alone came to.
    pub(crate) fn add(&mut self, effect: f64, candidate: f64) {
        self.n += 1;
        let n = f64::from(self.n);
        let (delta, own) = (effect - self.mean, candidate - self.candidate);
        self.mean += delta / n;
        self.squares += delta * (effect - self.mean);
        self.candidate += own / n;
        self.candidate_squares += own * (candidate - self.candidate);
    }
}

/// How the candidate's runs of a rung and of the smaller ones scatter, against the archive.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Candidate {
    /// Squared deviations over the archive's variance of a run.
    squares: f64,
    df: f64,
    archive: f64,
}

/// What the scatter of the candidate's runs shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scatter {
    /// Nothing speaks against the archive, or there is none.
    Calm,
    /// Too little to tell.
    Open,
    /// They are noisier than the archive says.
    Noisy,
}

impl Candidate {
    /// Takes in the runs of the next larger rung. Half the variance of a pair is that of a run.
    pub(crate) fn add(&mut self, boundary: &Boundary, sample: &Sample) {
        if boundary.archived && boundary.variance > 0.0 && sample.n > 1 {
            self.squares += 2.0 * sample.candidate_squares / boundary.variance;
            self.df += f64::from(sample.n) - 1.0;
            self.archive += boundary.df;
        }
    }

    pub(crate) fn scatter(&self) -> Scatter {
        let (level, otherwise) = demanded(self.df, self.archive);
        // Fisher's tail of a ratio below one is above a third, whatever the degrees of freedom.
        if self.df == 0.0 || (level < 0.3 && self.squares < self.df) {
            return Scatter::Calm;
        }
        if fisher_tail(self.squares / self.df, self.df, self.archive) < level {
            otherwise
        } else {
            Scatter::Calm
        }
    }
}

/// What Fisher's tail must reach with so many degrees of freedom of the candidate's runs and of the archive, and what it means if it
/// does not.
fn demanded(df: f64, archive: f64) -> (f64, Scatter) {
    match CALM.get((df - 1.0).max(0.0) as usize) {
        Some(level) => (*level, Scatter::Open),
        None if archive < SMALL => (FLAG_SMALL, Scatter::Noisy),
        None => (FLAG, Scatter::Noisy),
    }
}

/// What the pairs of a rung say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reading {
    pub(crate) n: u32,
    pub(crate) mean: f64,
    /// Standard deviation of a pair that the interval uses, and its degrees of freedom.
    pub(crate) sd: f64,
    pub(crate) df: f64,
    /// Standard error of the mean, test items included.
    pub(crate) error: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// It is a registered look or lies beyond the cap, and the noise is known: it may decide.
    pub(crate) decides: bool,
    /// It is a look, and nothing shows yet that the candidate's runs are as calm as the archive's.
    pub(crate) waits: bool,
    /// The pairs, or the candidate's runs, are noisier than the archive says.
    pub(crate) noisier: bool,
    /// Evidence against no effect, as an e-value.
    pub(crate) evidence: f64,
}

/// How much noisier the pairs of all rungs together are than the archive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Excess {
    /// Of variances.
    ratio: f64,
    /// Degrees of freedom of the pairs.
    df: f64,
}

impl Excess {
    /// Compares the pairs of all rungs that have an archive with it.
    pub(crate) fn of<'a>(rungs: impl Iterator<Item = (&'a Boundary, &'a Sample)>) -> Option<Excess> {
        let (mut ratio, mut df, mut archive, mut rungs_seen) = (0.0, 0.0, 0.0, 0);
        for (boundary, sample) in rungs {
            if boundary.df > 0.0 && boundary.variance > 0.0 && sample.n > 1 {
                ratio += sample.squares / boundary.variance;
                df += f64::from(sample.n) - 1.0;
                archive += boundary.df;
                rungs_seen += 1;
            }
        }
        ratio /= df;
        // With a single rung this is the rung's own test, and it has nothing to borrow.
        (rungs_seen > 1 && ratio > 1.0 && fisher_tail(ratio, df, archive) < EXCESS)
            .then_some(Excess { ratio, df })
    }
}

/// The boundaries of one rung.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Boundary {
    /// Variance of a pair in the archive, and its degrees of freedom (0: no archive).
    pub(crate) variance: f64,
    pub(crate) df: f64,
    /// The variance is that of an archive, which the candidate has no part in; otherwise of the pairs of other rungs.
    pub(crate) archived: bool,
    pub(crate) cap: u32,
    /// Two-sided nominal level of each look.
    pub(crate) nominal: f64,
    extension: f64,
    looks: Vec<u32>,
    /// By n: quantiles with and without the archive, and the ratio of variances above which the archive does not count.
    steps: Vec<Step>,
    /// The quantile at twice the cap.
    doubled: f64,
}

/// What is known of the noise of a rung beforehand.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Known {
    /// Variance of a pair.
    pub(crate) variance: f64,
    /// Its degrees of freedom; 0: nothing is known.
    pub(crate) df: f64,
    /// It comes from an archive of A/A runs.
    pub(crate) archived: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Step {
    moderated: f64,
    own: f64,
    ratio: f64,
}

impl Boundary {
    /// The boundaries for `looks` (in order, the last is the cap), with a variance of a pair from `noise`. `nominal` is what
    /// [`nominal_level`] found for them.
    pub(crate) fn new(looks: &[u32], noise: Known, nominal: f64, extension: f64) -> Boundary {
        let Known { variance, df, archived } = noise;
        let cap = looks.last().copied().unwrap_or(2);
        let steps = (0..=cap).map(|n| Step::at(n, df, nominal)).collect();
        let doubled = student_quantile(1.0 - nominal / 2.0, df + 2.0 * f64::from(cap) - 1.0);
        Boundary { variance, df, archived, cap, nominal, extension, looks: looks.to_vec(), steps, doubled }
    }

    /// What `sample` says; `None` for fewer than two pairs, or if the noise cannot be told. `excess` is how much noisier the
    /// rungs together are than the archive, if they are; `scatter` what the candidate's runs show.
    pub(crate) fn read(&self, sample: &Sample, excess: Option<Excess>, scatter: Scatter) -> Option<Reading> {
        if sample.n < 2 {
            return None;
        }
        let n = f64::from(sample.n);
        let own = sample.squares / (n - 1.0);
        let step = match self.steps.get(sample.n as usize) {
            Some(step) => *step,
            None => Step { moderated: f64::NAN, own: f64::NAN, ratio: flag_ratio(sample.n, self.df) },
        };
        let noisier = self.df > 0.0 && (own > step.ratio * self.variance || scatter == Scatter::Noisy);
        let (variance, df) = match excess {
            Some(excess) if self.df > 0.0 => {
                let scaled = self.variance * excess.ratio;
                // Where the rung is wilder even than the rungs together, its own noise counts.
                if own > flag_ratio(sample.n, excess.df) * scaled {
                    (own, n - 1.0)
                } else {
                    (scaled, excess.df)
                }
            }
            _ if noisier => (own, n - 1.0),
            _ => ((self.df * self.variance + sample.squares) / (self.df + n - 1.0), self.df + n - 1.0),
        };
        let sd = variance.sqrt();
        let seeds = sd / n.sqrt();
        let quantile = if sample.n > self.cap {
            confidence_sequence(sample.n, df, self.extension)
        } else if excess.is_some() && self.df > 0.0 {
            student_quantile(1.0 - self.nominal / 2.0, df)
        } else if noisier {
            step.own
        } else {
            step.moderated
        };
        // The items' share of the uncertainty does not shrink with pairs; it is normal, as items are many.
        let half = (quantile * seeds).hypot(quantile.min(2.5) * sample.items);
        let error = seeds.hypot(sample.items);
        let t = if error > 0.0 { sample.mean / error } else { 0.0 };
        let look = sample.n > self.cap || self.looks.contains(&sample.n);
        Some(Reading {
            n: sample.n,
            mean: sample.mean,
            sd,
            df,
            error,
            low: sample.mean - half,
            high: sample.mean + half,
            decides: look && scatter != Scatter::Open,
            waits: look && scatter == Scatter::Open,
            noisier: noisier || (excess.is_some() && self.df > 0.0),
            evidence: e_value(t, sample.n, df),
        })
    }

    /// Half-width that `n` pairs would have if they were a registered look and the standard deviation stays `sd`.
    pub(crate) fn half_width(&self, n: u32, sd: f64) -> f64 {
        let quantile = match self.steps.get(n as usize) {
            Some(step) => step.moderated,
            None if n == 2 * self.cap => self.doubled,
            None => student_quantile(1.0 - self.nominal / 2.0, self.df + f64::from(n) - 1.0),
        };
        quantile * sd / f64::from(n).sqrt()
    }
}

impl Step {
    fn at(n: u32, archive: f64, nominal: f64) -> Step {
        if n < 2 {
            return Step { moderated: f64::INFINITY, own: f64::INFINITY, ratio: f64::INFINITY };
        }
        let own = f64::from(n) - 1.0;
        let quantile = |level: f64, df| student_quantile(1.0 - level / 2.0, df);
        Step {
            moderated: quantile(nominal, archive + own),
            own: quantile(NOISIER * nominal, own),
            ratio: flag_ratio(n, archive),
        }
    }
}

/// The ratio of the pairs' own variance to the archive's that Fisher's test calls too large.
fn flag_ratio(n: u32, archive: f64) -> f64 {
    ratio_at(n, archive, FLAG)
}

/// The ratio of variances at which Fisher's tail is `level`.
fn ratio_at(n: u32, archive: f64, level: f64) -> f64 {
    if archive <= 0.0 || n < 2 {
        return f64::INFINITY;
    }
    let (mut low, mut high) = (0.0, 1.0);
    let too_large = |ratio: f64| fisher_tail(ratio, f64::from(n) - 1.0, archive) < level;
    while !too_large(high) && high < 1e12 {
        high *= 2.0;
    }
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if too_large(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

/// The e-value against no effect of a t statistic from `n` pairs on `df` degrees of freedom: the Bayes factor
/// (1 + ng)^(−1/2) [(1 + t²/ν) / (1 + t²/(ν(1 + ng)))]^((ν+1)/2), g = 2.
pub(crate) fn e_value(t: f64, n: u32, df: f64) -> f64 {
    let spread = 1.0 + f64::from(n) * PRIOR;
    let t2 = t * t / df;
    let log = -0.5 * spread.ln() + 0.5 * (df + 1.0) * (t2.ln_1p() - (t2 / spread).ln_1p());
    log.min(700.0).exp()
}

/// The t at which [`e_value`] reaches 1/`error`; infinite where no t does.
fn confidence_sequence(n: u32, df: f64, error: f64) -> f64 {
    let spread = 1.0 + f64::from(n) * PRIOR;
    let k = (spread / (error * error)).powf(1.0 / (df + 1.0));
    if k < spread { (df * (k - 1.0) / (1.0 - k / spread)).sqrt() } else { f64::INFINITY }
}

/// The nominal two-sided level of each of `looks` at which the intervals of all looks together miss the truth with
/// probability `error`. By simulation: the moderated t has no closed form over several looks. `alone` says that no smaller rung
/// has shown how noisy the candidate is, so that early looks may have to wait.
pub(crate) fn nominal_level(looks: &[u32], archive: f64, alone: bool, error: f64, seed: u64) -> f64 {
    /// Looks, archive, alone, error and seed, to the bit.
    type Key = (Vec<u32>, u64, bool, u64, u64);
    // The same question is asked for every rung and in every simulated bet; the answer is a function of the key.
    static KNOWN: Mutex<BTreeMap<Key, f64>> = Mutex::new(BTreeMap::new());
    if looks.len() < 2 {
        return error;
    }
    let key = (looks.to_vec(), archive.to_bits(), alone, error.to_bits(), seed);
    let known = |map: &BTreeMap<Key, f64>| map.get(&key).copied();
    if let Some(level) = KNOWN.lock().ok().and_then(|map| known(&map)) {
        return level;
    }
    let level = calibrate(looks, archive, alone, error, seed);
    if let Ok(mut map) = KNOWN.lock() {
        map.insert(key, level);
    }
    level
}

fn calibrate(looks: &[u32], archive: f64, alone: bool, error: f64, seed: u64) -> f64 {
    let cap = looks.last().copied().unwrap_or(2);
    let draws_of = (1_200_000 / cap).clamp(20_000, 200_000) as usize;
    // The ratios that pairs and candidate must not exceed, and what it means if the candidate does.
    let limits: Vec<(f64, f64, Scatter)> = looks
        .iter()
        .map(|n| {
            let (level, otherwise) =
                if alone { demanded(f64::from(*n) - 1.0, archive) } else { (FLAG, Scatter::Noisy) };
            (flag_ratio(*n, archive), ratio_at(*n, archive, level), otherwise)
        })
        .collect();
    let mut draws = Draws::new(seed, 11);
    // |t| at each look; negative where the archive does not count, zero where the look waits.
    let mut statistics = vec![0f32; draws_of * looks.len()];
    for row in statistics.chunks_exact_mut(looks.len()) {
        let variance = if archive > 0.0 { draws.chi_squared(archive) / archive } else { 1.0 };
        let mut sample = Sample::default();
        for ((slot, look), (pairs, candidate, otherwise)) in row.iter_mut().zip(looks).zip(&limits) {
            while sample.n < *look {
                let (effect, candidate) = draws.pair(0.0, 1.0, 1.0);
                sample.add(effect, candidate);
            }
            let n = f64::from(*look);
            let wild = 2.0 * sample.candidate_squares / (n - 1.0) > candidate * variance;
            let noisier =
                sample.squares / (n - 1.0) > pairs * variance || (wild && *otherwise == Scatter::Noisy);
            let d0 = if noisier { 0.0 } else { archive };
            let s2 = (d0 * variance + sample.squares) / (d0 + n - 1.0);
            let t = (sample.mean.abs() * (n / s2).sqrt()) as f32;
            *slot = match (wild, otherwise) {
                (true, Scatter::Open) => 0.0,
                _ if noisier => -t,
                _ => t,
            };
        }
    }
    let exceeds = |level: f64| {
        let steps: Vec<(f32, f32)> = looks
            .iter()
            .map(|n| {
                let own = f64::from(*n) - 1.0;
                let q = |level: f64, df| student_quantile(1.0 - level / 2.0, df) as f32;
                (q(level, archive + own), q(NOISIER * level, own))
            })
            .collect();
        let outside =
            |row: &[f32]| row.iter().zip(&steps).any(|(t, (m, o))| if *t < 0.0 { -*t > *o } else { *t > *m });
        statistics.chunks_exact(looks.len()).filter(|row| outside(row)).count() as f64 / draws_of as f64
    };
    let (mut low, mut high) = (error / (2.0 * looks.len() as f64), error);
    for _ in 0..18 {
        let middle = 0.5 * (low + high);
        if exceeds(middle) > error {
            high = middle;
        } else {
            low = middle;
        }
    }
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nominal_level_is_the_one_that_was_found_before() {
        // Field note B.2: looks at 2..6 pairs, total 0.05, 20 archive degrees of freedom: 0.0183.
        let level = nominal_level(&[2, 3, 4, 5, 6], 20.0, false, 0.05, 1);
        assert!((level / 0.0183 - 1.0).abs() < 0.06, "{level}");
        // Looks that mostly wait leave more to the later ones.
        assert!(nominal_level(&[2, 3, 4, 5, 6], 20.0, true, 0.05, 1) > 1.2 * level);
        assert_eq!(nominal_level(&[4], 20.0, false, 0.05, 1), 0.05);
        assert_eq!(level, nominal_level(&[2, 3, 4, 5, 6], 20.0, false, 0.05, 1));
    }

    #[test]
    fn the_confidence_sequence_inverts_the_e_process() {
        for (n, half) in [(2u32, 2.46), (3, 1.95), (4, 1.67), (6, 1.35), (10, 1.04)] {
            let df = 20.0 + f64::from(n) - 1.0;
            let t = confidence_sequence(n, df, 0.05);
            assert!((e_value(t, n, df) / 20.0 - 1.0).abs() < 1e-9);
            // Field note B.3: half-widths in standard deviations of a pair.
            assert!((t / f64::from(n).sqrt() - half).abs() < 0.006, "{n}: {}", t / f64::from(n).sqrt());
        }
        assert!(confidence_sequence(2, 1.0, 0.01).is_infinite());
        assert!((e_value(0.0, 4, 23.0) - 1.0 / 3.0).abs() < 1e-12);
    }

    fn known(archived: bool) -> Known {
        Known { variance: 1.0, df: 20.0, archived }
    }

    #[test]
    fn a_noisy_rung_is_flagged_and_judged_by_its_own_noise() {
        let boundary = Boundary::new(&[2, 3, 4, 5, 6], known(true), 0.015, 0.01);
        let read = |effects: &[f64]| boundary.read(&Sample::of(effects), None, Scatter::Calm);
        let calm = read(&[1.0, -1.0, 0.5, -0.5]).unwrap();
        assert!(!calm.noisier && calm.df == 23.0 && calm.decides);
        let wild = read(&[9.0, -9.0, 7.0, -7.0]).unwrap();
        assert!(wild.noisier && wild.df == 3.0 && wild.high > 20.0);
        assert!(read(&[1.0]).is_none());
    }

    #[test]
    fn early_looks_wait_until_the_candidate_is_seen_to_be_calm() {
        let boundary = Boundary::new(&[2, 3, 4, 5, 6], known(true), 0.015, 0.01);
        let of = |runs: &[f64]| {
            let mut sample = Sample::default();
            runs.iter().for_each(|r| sample.add(3.0, *r));
            sample
        };
        let scatter = |samples: &[Sample]| {
            let mut candidate = Candidate::default();
            samples.iter().for_each(|s| candidate.add(&boundary, s));
            candidate.scatter()
        };
        // The archive says 0.7 for a run.
        let (three, close) = (of(&[0.8, -0.8, 0.0]), of(&[0.3, -0.3, 0.0]));
        assert_eq!((scatter(&[three]), scatter(&[close])), (Scatter::Open, Scatter::Calm));
        let waiting = boundary.read(&three, None, scatter(&[three])).unwrap();
        assert!(waiting.waits && !waiting.decides && !waiting.noisier);
        // What a smaller rung has shown counts.
        assert_eq!(scatter(&[three, three]), Scatter::Calm);
        let wild = of(&[3.0, -3.0, 2.0, -2.0, 0.0]);
        assert_eq!(scatter(&[wild]), Scatter::Noisy);
        assert!(boundary.read(&wild, None, Scatter::Noisy).unwrap().noisier);
        // The noise of other pairs is the candidate's too.
        let borrowed = Boundary::new(&[2, 3, 4, 5, 6], known(false), 0.015, 0.01);
        let mut candidate = Candidate::default();
        candidate.add(&borrowed, &wild);
        assert_eq!(candidate.scatter(), Scatter::Calm);
    }

    #[test]
    fn test_items_widen_the_interval() {
        let boundary = Boundary::new(&[2, 4], known(true), 0.02, 0.01);
        let mut sample = Sample::of(&[1.0, -1.0, 0.5, -0.5]);
        let without = boundary.read(&sample, None, Scatter::Calm).unwrap();
        sample.items = 2.0;
        let with = boundary.read(&sample, None, Scatter::Calm).unwrap();
        assert!(with.high - with.low > 2.0 * (without.high - without.low));
    }
}
