//! Bets on paper: the judge's own rule on simulated or recorded pairs, to learn how often it errs and what it takes.

use std::thread;

use crate::judge::decide::{Design, Findings, Guards, RungDesign};
use crate::judge::forecast::{AHEAD, decides_after};
use crate::judge::guards::Watch;
use crate::judge::rule::Rule;
use crate::judge::sequential::{Boundary, Known, Sample, nominal_level};
use crate::judge::verdict::Ruling;
use crate::random::Draws;

/// A rung of a rehearsed bet.
#[derive(Clone, Debug, PartialEq)]
pub struct RehearsalRung {
    /// Compute of a run of the baseline, in any unit.
    pub compute: f64,
    /// Pairs before an extension.
    pub cap: u32,
    /// Degrees of freedom of the archive, 0 for none.
    pub archive_df: f64,
}

/// A bet that is rehearsed: its rule and its ladder. Effects are on the scale that decides.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    design: Design,
    prior: f64,
    extension: u32,
}

/// A pair of a rehearsed bet, on the scale that decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DrawnPair {
    /// The candidate's gain over the baseline.
    pub effect: f64,
    /// What the candidate's run alone came to, from any origin: its scatter is held against the archive.
    pub candidate: f64,
}

impl DrawnPair {
    fn join(self, sample: &mut Sample) {
        sample.add(self.effect, self.candidate);
    }
}

/// How a rehearsed bet went.
#[derive(Clone, Debug, PartialEq)]
pub struct Rehearsed {
    /// What the rule said in the end.
    pub ruling: Ruling,
    /// Pairs that were run, by rung.
    pub pairs: Vec<u32>,
    /// The largest rung was flagged as noisier than the archive.
    pub flagged: bool,
    /// The largest rung's interval at the end.
    pub interval: Option<(f64, f64)>,
    /// The 90 % prediction interval at the target, if there is one.
    pub at_target: Option<(f64, f64)>,
    /// The parts of a SHIP: gain above the margin, no rung harmed, gain at the target.
    pub parts: [bool; 3],
}

/// Probabilities of a decision with so many further pairs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Foreseen {
    /// Further pairs.
    pub pairs: u32,
    /// Probability that they decide, as the forecast says.
    pub said: f64,
    /// Whether they did.
    pub came: bool,
}

impl Rehearsal {
    /// A bet by `rule` on `rungs`, smallest first, with a registered `misfit` between rungs; `extension` more pairs are run
    /// at the largest rung if it is undecided at the cap.
    pub fn new(rule: &Rule, rungs: &[RehearsalRung], misfit: f64, extension: u32) -> Rehearsal {
        let top = rungs.last().map_or(1.0, |r| r.compute);
        let design = Design {
            rungs: rungs
                .iter()
                .enumerate()
                .map(|(below, rung)| {
                    let looks =
                        Rule { cap: rung.cap, pairs: Default::default(), ..rule.clone() }.looks_at("", below);
                    let error = rule.error - rule.extension;
                    let archived = rung.archive_df > 0.0;
                    let alone = below == 0 && archived;
                    let nominal = nominal_level(&looks, rung.archive_df, alone, error, rule.seed);
                    let known = Known { variance: 1.0, df: rung.archive_df, archived };
                    let boundary = Boundary::new(&looks, known, nominal, rule.extension);
                    RungDesign { x: Some(rung.compute.ln()), boundary }
                })
                .collect(),
            margin: rule.on_scale(rule.margin),
            equal: rule.on_scale(rule.equal.min(rule.margin)),
            misfit,
            target: rule.target.filter(|_| rungs.len() >= 3).map(|times| (top * times).ln()),
            assurance: rule.assurance,
            futile: rule.futile,
        };
        Rehearsal { design, prior: rule.prior, extension }
    }

    /// The nominal two-sided level of a look at each rung.
    pub fn nominal(&self) -> Vec<f64> {
        self.design.rungs.iter().map(|r| r.boundary.nominal).collect()
    }

    /// Plays a bet: smaller rungs first and in full, then the largest pair by pair until the rule decides.
    ///
    /// `archive` holds the archive's standard deviation of a pair by rung; `next` gives a rung's next pair.
    pub fn play(&mut self, archive: &[f64], next: &mut dyn FnMut(usize) -> DrawnPair) -> Rehearsed {
        let mut samples = vec![Sample::default(); self.design.rungs.len()];
        let findings = self.advance(archive, next, &mut samples, self.extension);
        let top = findings.readings.last().copied().flatten();
        Rehearsed {
            ruling: findings.ruling,
            pairs: samples.iter().map(|s| s.n).collect(),
            flagged: top.is_some_and(|r| r.noisier),
            interval: top.map(|r| (r.low, r.high)),
            at_target: findings.ladder.map(|l| l.at_target.interval(0.9)),
            parts: [findings.gains, findings.unharmed, findings.extrapolates],
        }
    }

    /// Plays a bet to its cap; where it is undecided there, asks for the forecast, and goes on to see what comes.
    pub fn foresee(
        &mut self,
        archive: &[f64],
        next: &mut dyn FnMut(usize) -> DrawnPair,
        futures: u32,
        draws: &mut RehearsalDraws,
    ) -> Vec<Foreseen> {
        let mut samples = vec![Sample::default(); self.design.rungs.len()];
        let findings = self.advance(archive, next, &mut samples, 0);
        if findings.ruling != Ruling::Undecided {
            return Vec::new();
        }
        let said =
            decides_after(&self.design, &samples, &Watch::default(), self.prior, futures, &mut draws.0);
        let Some(said) = said else { return Vec::new() };
        let last = samples.len() - 1;
        let mut decided_at = u32::MAX;
        for more in 1..=AHEAD[3] {
            next(last).join(&mut samples[last]);
            if self.design.decide(&samples, Guards::Permit).ruling != Ruling::Undecided {
                decided_at = more;
                break;
            }
        }
        AHEAD
            .iter()
            .zip(said)
            .map(|(k, (said, _))| Foreseen { pairs: *k, said, came: decided_at <= *k })
            .collect()
    }

    fn advance(
        &mut self,
        archive: &[f64],
        next: &mut dyn FnMut(usize) -> DrawnPair,
        samples: &mut [Sample],
        extension: u32,
    ) -> Findings {
        for (rung, sd) in self.design.rungs.iter_mut().zip(archive) {
            rung.boundary.variance = sd * sd;
        }
        let last = self.design.rungs.len() - 1;
        for (rung, sample) in samples.iter_mut().enumerate().take(last) {
            for _ in 0..self.design.rungs[rung].boundary.cap {
                next(rung).join(sample);
            }
        }
        let end = self.design.rungs[last].boundary.cap + extension;
        loop {
            next(last).join(&mut samples[last]);
            if samples[last].n < 2 {
                continue;
            }
            let findings = self.design.decide(samples, Guards::Permit);
            if findings.ruling != Ruling::Undecided || samples[last].n >= end {
                return findings;
            }
        }
    }
}

/// A seeded source of chance for rehearsals.
#[derive(Clone, Debug)]
pub struct RehearsalDraws(Draws);

impl RehearsalDraws {
    /// The source of bet number `bet` under `seed`: no two bets share one, whatever the number of threads.
    pub fn new(seed: u64, bet: u64) -> RehearsalDraws {
        RehearsalDraws(Draws::new(seed, bet.wrapping_add(1)))
    }

    /// A standard normal draw.
    pub fn normal(&mut self) -> f64 {
        self.0.normal()
    }

    /// A pair with a true effect and noise of standard deviation `sd`, of which the candidate brings `ratio` times its half.
    pub fn pair(&mut self, effect: f64, sd: f64, ratio: f64) -> DrawnPair {
        let (effect, candidate) = self.0.pair(effect, sd, ratio);
        DrawnPair { effect, candidate }
    }

    /// A standard deviation as an archive of `df` degrees of freedom would estimate it; with 0 the thing itself.
    pub fn estimate(&mut self, sd: f64, df: f64) -> f64 {
        if df > 0.0 { sd * (self.0.chi_squared(df) / df).sqrt() } else { sd }
    }

    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0.below(n)
    }
}

/// Runs `bets` bets on all cores and returns what each gave, in order. `play` gets a rehearsal of its own and the number of
/// the bet; what it returns must depend on nothing else.
pub fn rehearse<T: Send>(
    rehearsal: &Rehearsal,
    bets: u64,
    play: impl Fn(&mut Rehearsal, u64) -> T + Sync,
) -> Vec<T> {
    let threads = thread::available_parallelism().map_or(1, |n| n.get() as u64).min(bets.max(1));
    let share = bets.div_ceil(threads);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                let play = &play;
                let mut own = rehearsal.clone();
                scope.spawn(move || {
                    (worker * share..((worker + 1) * share).min(bets))
                        .map(|bet| play(&mut own, bet))
                        .collect::<Vec<T>>()
                })
            })
            .collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}
