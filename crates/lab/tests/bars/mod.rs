//! The judge's operating characteristics: simulated bets and bets on published runs. Tests run them at reduced size,
//! `examples/verdict_bars.rs` in full.

pub mod published;

use groundwork_lab::judge::{
    CostBasis, DropReason, Rehearsal, RehearsalDraws, RehearsalRung, Rehearsed, Rule, Ruling, Scale, rehearse,
};

/// Shares of bets.
#[derive(Clone, Debug, Default)]
pub struct Shares {
    pub ship: f64,
    pub harm: f64,
    pub equal: f64,
    pub fades: f64,
    pub futile: f64,
    pub undecided: f64,
    /// Mean pairs at the largest rung.
    pub pairs: f64,
    /// Flagged, of the bets with five pairs or more.
    pub flagged_of_long: f64,
    /// The 90 % prediction interval holds the truth at the target.
    pub covers: f64,
    /// Parts of a SHIP.
    pub parts: [f64; 3],
}

impl Shares {
    /// Shares over `played`; `truth` is the effect at the target.
    pub fn of(played: &[(Rehearsed, f64)]) -> Shares {
        let n = played.len() as f64;
        let share = |yes: &dyn Fn(&Rehearsed) -> bool| played.iter().filter(|p| yes(&p.0)).count() as f64 / n;
        let drop = |why| share(&|p: &Rehearsed| p.ruling == Ruling::Drop(why));
        let top = |p: &Rehearsed| p.pairs.last().copied().unwrap_or(0);
        let long: Vec<&(Rehearsed, f64)> = played.iter().filter(|p| top(&p.0) >= 5).collect();
        let held = |p: &(Rehearsed, f64)| p.0.at_target.is_some_and(|(low, high)| low <= p.1 && p.1 <= high);
        Shares {
            ship: share(&|p| p.ruling == Ruling::Ship),
            harm: drop(DropReason::Harm),
            equal: drop(DropReason::Equal),
            fades: drop(DropReason::Fades),
            futile: drop(DropReason::Futile),
            undecided: share(&|p| p.ruling == Ruling::Undecided),
            pairs: played.iter().map(|p| f64::from(top(&p.0))).sum::<f64>() / n,
            flagged_of_long: long.iter().filter(|p| p.0.flagged).count() as f64 / long.len().max(1) as f64,
            covers: played.iter().filter(|p| held(p)).count() as f64 / n,
            parts: [0, 1, 2].map(|i| share(&|p: &Rehearsed| p.parts[i])),
        }
    }

    /// Claims of a difference, right or wrong.
    pub fn claims(&self) -> f64 {
        self.ship + self.harm
    }

    /// One line of a table.
    pub fn line(&self) -> String {
        format!(
            "ship {:.4}  harm {:.4}  equal {:.4}  fades {:.4}  futile {:.4}  undecided {:.4}  mean pairs {:.3}",
            self.ship, self.harm, self.equal, self.fades, self.futile, self.undecided, self.pairs
        )
    }
}

/// A look schedule at a single rung.
pub struct Schedule {
    pub name: &'static str,
    pub cap: u32,
    pub looks: &'static [u32],
    pub extension: u32,
    pub archive_df: f64,
}

pub const SCHEDULES: [Schedule; 9] = [
    Schedule {
        name: "the default: 5 and 6 pairs, extend to 12",
        cap: 6,
        looks: &[],
        extension: 6,
        archive_df: 20.0,
    },
    Schedule { name: "one look at 6", cap: 6, looks: &[6], extension: 0, archive_df: 20.0 },
    Schedule { name: "looks at 3 and 6", cap: 6, looks: &[3, 6], extension: 0, archive_df: 20.0 },
    Schedule {
        name: "peek at each pair to 6",
        cap: 6,
        looks: &[2, 3, 4, 5, 6],
        extension: 0,
        archive_df: 20.0,
    },
    Schedule {
        name: "peek at each pair to 10",
        cap: 10,
        looks: &[2, 3, 4, 5, 6, 7, 8, 9, 10],
        extension: 0,
        archive_df: 20.0,
    },
    Schedule {
        name: "peek at each pair to 6, extend to 9 and 12",
        cap: 6,
        looks: &[2, 3, 4, 5, 6],
        extension: 6,
        archive_df: 20.0,
    },
    Schedule {
        name: "peek at each pair to 6, extend to 40",
        cap: 6,
        looks: &[2, 3, 4, 5, 6],
        extension: 34,
        archive_df: 20.0,
    },
    Schedule {
        name: "peek at each pair to 6, no archive",
        cap: 6,
        looks: &[2, 3, 4, 5, 6],
        extension: 6,
        archive_df: 0.0,
    },
    Schedule {
        name: "peek at each pair to 6, small archive",
        cap: 6,
        looks: &[2, 3, 4, 5, 6],
        extension: 6,
        archive_df: 6.0,
    },
];

/// The rule at one rung without a margin, so that every claim of a difference counts.
pub fn bare_rule(cap: u32, looks: &[u32]) -> Rule {
    Rule {
        metric: "loss".into(),
        scale: Scale::Metric,
        cost: CostBasis::Flops,
        margin: 0.0,
        equal: 0.0,
        cap,
        looks: looks.to_vec(),
        target: None,
        prior: 1.0,
        // Nothing is dropped as futile, so that every bet goes to its end: the hardest case for the error.
        futile: 0.0,
        ..Rule::default()
    }
}

/// Bets at one rung with Gaussian noise of standard deviation 1 (a pair); `ratio` is the candidate's noise over the
/// baseline's.
pub fn single(schedule: &Schedule, effect: f64, ratio: f64, bets: u64, seed: u64) -> Shares {
    let rule = bare_rule(schedule.cap, schedule.looks);
    let rung = RehearsalRung { compute: 1.0, cap: schedule.cap, archive_df: schedule.archive_df };
    let rehearsal = Rehearsal::new(&rule, &[rung], 0.0, schedule.extension);
    let played = rehearse(&rehearsal, bets, |own, bet| {
        let mut draws = RehearsalDraws::new(seed, bet);
        let archive = draws.estimate(1.0, schedule.archive_df);
        (own.play(&[archive], &mut |_| draws.pair(effect, 1.0, ratio)), 0.0)
    });
    Shares::of(&played)
}

/// Share of A/A bets in which a plain paired t-test, looked at after each pair from the second to the `cap`, finds an effect.
pub fn naive_peeking(cap: u32, bets: u64, seed: u64) -> f64 {
    // Student's 97.5 % points for 1, 2, … degrees of freedom.
    const CRITICAL: [f64; 9] = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];
    let found = (0..bets).filter(|bet| {
        let mut draws = RehearsalDraws::new(seed, *bet);
        naive_finds(&mut |_| draws.normal(), cap, &CRITICAL)
    });
    found.count() as f64 / bets as f64
}

/// Whether the naive test finds an effect in the differences that `next` gives.
pub fn naive_finds(next: &mut dyn FnMut(usize) -> f64, cap: u32, critical: &[f64]) -> bool {
    let mut seen: Vec<f64> = Vec::new();
    for _ in 0..cap {
        seen.push(next(0));
        let n = seen.len() as f64;
        if seen.len() < 2 {
            continue;
        }
        let mean = seen.iter().sum::<f64>() / n;
        let sd = (seen.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
        if (mean / (sd / n.sqrt())).abs() > critical[seen.len() - 2] {
            return true;
        }
    }
    false
}

/// A truth on the ladder of the field note: effect (a share of compute) at the smallest rung and at the target, linear in ln
/// compute between.
pub struct Truth {
    pub name: &'static str,
    pub small: f64,
    pub target: f64,
}

pub const TRUTHS: [Truth; 5] = [
    Truth { name: "A/A", small: 0.0, target: 0.0 },
    Truth { name: "5 % fading to nothing", small: 0.05, target: 0.0 },
    Truth { name: "5 % crossing to -3 %", small: 0.05, target: -0.03 },
    Truth { name: "constant 3 %", small: 0.03, target: 0.03 },
    Truth { name: "1 % growing to 4 %", small: 0.01, target: 0.04 },
];

/// The field note's ladder: four rungs of compute 1, 5, 25, 125 with 6, 5, 4, 3 pairs, standard deviation of a pair 1.15 %
/// of compute on 20 archive degrees of freedom, target 1,250.
/// `ratio` is the candidate's noise over the baseline's.
pub fn ladder(truth: &Truth, misfit: f64, planned: f64, ratio: f64, bets: u64, seed: u64) -> Shares {
    const COMPUTE: [f64; 4] = [1.0, 5.0, 25.0, 125.0];
    const SD: f64 = 0.0115;
    let rule = Rule { metric: "loss".into(), looks: vec![3], ..Rule::default() };
    let rungs: Vec<RehearsalRung> = COMPUTE
        .iter()
        .zip([6, 5, 4, 3])
        .map(|(compute, cap)| RehearsalRung { compute: *compute, cap, archive_df: 20.0 })
        .collect();
    let rehearsal = Rehearsal::new(&rule, &rungs, planned, 0);
    let span = 1250f64.ln();
    let played = rehearse(&rehearsal, bets, |own, bet| {
        let mut draws = RehearsalDraws::new(seed, bet);
        let archive: Vec<f64> = COMPUTE.iter().map(|_| draws.estimate(SD, 20.0)).collect();
        let effect = |x: f64, u: f64| (truth.small + (truth.target - truth.small) * x / span).ln_1p() + u;
        let at: Vec<f64> = COMPUTE.iter().map(|c| effect(c.ln(), misfit * draws.normal())).collect();
        let beyond = effect(span, misfit * draws.normal());
        (own.play(&archive, &mut |rung| draws.pair(at[rung], SD, ratio)), beyond)
    });
    Shares::of(&played)
}

/// Forecasts of one decile: what they said and what came.
#[derive(Clone, Debug)]
pub struct Decile {
    pub n: usize,
    pub said: f64,
    pub came: f64,
}

/// Forecasts of bets that are undecided at their cap, by decile of what they say. True effects are drawn from the registered
/// prior.
pub fn forecast(bets: u64, futures: u32, seed: u64) -> Vec<Decile> {
    const PRIOR: f64 = 0.03;
    const SD: f64 = 0.02;
    let rule = Rule {
        metric: "loss".into(),
        target: None,
        cap: 4,
        looks: vec![2, 3, 4],
        prior: PRIOR,
        ..Rule::default()
    };
    let rung = RehearsalRung { compute: 1.0, cap: 4, archive_df: 20.0 };
    let rehearsal = Rehearsal::new(&rule, &[rung], 0.0, 0);
    let found: Vec<(f64, bool)> = rehearse(&rehearsal, bets, |own, bet| {
        let mut draws = RehearsalDraws::new(seed, bet);
        let archive = draws.estimate(SD, 20.0);
        let effect = PRIOR * draws.normal();
        let mut futures_draws = RehearsalDraws::new(seed + 1, bet);
        own.foresee(&[archive], &mut |_| draws.pair(effect, SD, 1.0), futures, &mut futures_draws)
    })
    .into_iter()
    .flatten()
    .map(|f| (f.said, f.came))
    .collect();
    (0..10)
        .filter_map(|d| {
            let (low, high) = (f64::from(d) / 10.0, f64::from(d + 1) / 10.0);
            let here: Vec<&(f64, bool)> =
                found.iter().filter(|f| f.0 >= low && (f.0 < high || d == 9)).collect();
            let n = here.len();
            (n >= 30).then(|| Decile {
                n,
                said: here.iter().map(|f| f.0).sum::<f64>() / n as f64,
                came: here.iter().filter(|f| f.1).count() as f64 / n as f64,
            })
        })
        .collect()
}
