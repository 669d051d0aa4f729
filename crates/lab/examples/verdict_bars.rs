//! The judge's operating characteristics in full: `benches/verdict.sh`, or
//! `cargo run --release -p groundwork-lab --example verdict_bars -- BETS [rung|ladder|forecast|runs|fits|speed]`.

#[path = "../tests/bars/mod.rs"]
#[allow(dead_code)]
mod bars;

use std::time::Instant;

use bars::published;
use groundwork_lab::fit::LossLaw;

fn main() {
    let bets: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let part = std::env::args().nth(2);
    let parts: [(&str, &dyn Fn()); 6] = [
        ("rung", &|| one_rung(bets)),
        ("ladder", &|| ladder(bets.min(40_000))),
        ("forecast", &|| forecast(bets.min(20_000))),
        ("runs", &|| real_runs(bets.min(60_000))),
        ("fits", &fits),
        ("speed", &|| speed(bets)),
    ];
    for (_, run) in parts.iter().filter(|(name, _)| part.as_deref().is_none_or(|p| p == *name)) {
        run();
    }
}

fn one_rung(bets: u64) {
    println!("One rung, Gaussian noise, no effect, {bets} bets (bars: ship 0.028, ship or harm 0.055)");
    for s in &bars::SCHEDULES {
        let shares = bars::single(s, 0.0, 1.0, bets, 1);
        println!("  {:48} ship {:.4}  claims {:.4}", s.name, shares.ship, shares.claims());
    }
    let naive = [5, 6].map(|cap| bars::naive_peeking(cap, bets, 2));
    println!("  naive t at 2..5 pairs {:.4}, at 2..6 {:.4}", naive[0], naive[1]);
    println!(
        "Effects in standard deviations of a pair, 20 archive degrees of freedom, 6 pairs (bar at 2: 0.97)"
    );
    for effect in [0.5, 1.0, 1.5, 2.0, 3.0] {
        println!("  effect {effect}: {}", bars::single(&bars::SCHEDULES[3], effect, 1.0, bets, 3).line());
    }
    println!(
        "Candidate five times as noisy, no effect (bars: ship 0.03, flagged of bets with five pairs or more 0.90)"
    );
    for s in &bars::SCHEDULES {
        let shares = bars::single(s, 0.0, 5.0, bets, 4);
        println!("  {:48} ship {:.4}  flagged {:.4}", s.name, shares.ship, shares.flagged_of_long);
    }
    let s = bars::ladder(&bars::TRUTHS[0], 0.01, 0.01, 5.0, bets, 6);
    println!("  {:48} ship {:.4}", "the ladder, misfit 1 %", s.ship);
}

fn ladder(bets: u64) {
    println!(
        "The ladder, {bets} bets (bars: A/A 0.01, fading 0.06, crossing 0.01, constant 3 % 0.45, coverage 0.87 to 0.93 at \
         misfit = planned)"
    );
    for truth in &bars::TRUTHS {
        for (misfit, planned) in [(0.0, 0.01), (0.01, 0.01), (0.0, 0.0), (0.005, 0.005), (0.02, 0.02)] {
            let s = bars::ladder(truth, misfit, planned, 1.0, bets, 5);
            println!(
                "  {:22} misfit {misfit:.3} planned {planned:.3}  {}  covers {:.3}",
                truth.name,
                s.line(),
                s.covers
            );
        }
    }
}

fn forecast(bets: u64) {
    println!("Forecasts of undecided bets, {bets} bets (bar: within 0.05 in every decile)");
    for d in bars::forecast(bets, 1000, 8) {
        println!("  said {:.3}  came {:.3}  ({} forecasts)", d.said, d.came, d.n);
    }
}

fn real_runs(bets: u64) {
    println!(
        "Published runs' noise, looks at 2..5 pairs, {bets} bets (bars: A/A ship 0.025; 3 % ship 0.93, pairs 3.5)"
    );
    for (gain, margin) in
        [(0.0, 0.0), (0.02, 0.0), (0.03, 0.0), (0.05, 0.0), (0.0, 0.01), (0.03, 0.01), (0.05, 0.01)]
    {
        match published::real_noise(gain, margin, bets, 1) {
            Some((s, naive)) => {
                println!("  gain {gain:.2} margin {margin:.2}  {}  naive finds {naive:.3}", s.line());
            }
            None => println!("  skipped: no published runs"),
        }
    }
}

fn fits() {
    println!("Published fits");
    let (Some(points), Some(fit)) = (published::chinchilla(), published::chinchilla_fit()) else {
        return println!("  skipped: no published runs");
    };
    let errors = LossLaw::standard_errors(&points, 4000, 1);
    println!("  Chinchilla: {:?}", fit.law);
    println!(
        "  objective {:.11}, condition {:.1}, of five {:.2e}",
        fit.objective, fit.condition, fit.condition_of_five
    );
    println!("  standard errors of floor, A, B, alpha, beta over 4000 resamples: {errors:.4?}");
    for t in published::olmo().unwrap_or_default() {
        println!(
            "  OLMo {:26} error {:5.2} %  published {:5.2} %",
            t.task,
            100.0 * t.ours,
            100.0 * t.published
        );
    }
}

fn speed(bets: u64) {
    let begin = Instant::now();
    let s = bars::ladder(&bars::TRUTHS[3], 0.01, 0.01, 1.0, bets, 9);
    let seconds = begin.elapsed().as_secs_f64();
    println!(
        "Speed: {:.0} ladder bets a second ({bets} in {seconds:.2} s; ship {:.3})",
        bets as f64 / seconds,
        s.ship
    );
}
