//! The judge's operating characteristics in full: `cargo run --release -p groundwork-lab --example verdict_bars`.

#[path = "../tests/bars/mod.rs"]
mod bars;

use std::time::Instant;

fn main() {
    let bets: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(100_000);
    let begin = Instant::now();
    println!("One rung, Gaussian noise, no effect, {bets} bets (bars: ship 0.028, ship or harm 0.055)");
    for s in &bars::SCHEDULES {
        let shares = bars::single(s, 0.0, 1.0, bets, 1);
        println!("  {:45} ship {:.4}  claims {:.4}", s.name, shares.ship, shares.claims());
    }
    println!(
        "  naive t at 2..5 pairs {:.4}, at 2..6 {:.4}",
        bars::naive_peeking(5, bets, 2),
        bars::naive_peeking(6, bets, 2)
    );
    println!("Effect of 2 standard deviations, 20 archive degrees of freedom, 6 pairs (bar: 0.97)");
    for effect in [0.5, 1.0, 1.5, 2.0, 3.0] {
        println!("  effect {effect}: {}", bars::single(&bars::SCHEDULES[3], effect, 1.0, bets, 3).line());
    }
    println!(
        "Candidate five times as noisy, no effect (bars: ship 0.03, flagged of bets with five pairs or more 0.90)"
    );
    for s in &bars::SCHEDULES[..7] {
        let shares = bars::single(s, 0.0, 5.0, bets, 4);
        println!("  {:45} ship {:.4}  flagged {:.4}", s.name, shares.ship, shares.flagged_of_long);
    }
    let s = bars::ladder(&bars::TRUTHS[0], 0.01, 0.01, 5.0, bets, 6);
    println!("  {:45} ship {:.4}  flagged {:.4}", "the ladder, misfit 1 %", s.ship, s.flagged_of_long);
    println!(
        "The ladder (bars: A/A 0.01, fading 0.06, crossing 0.01, constant 3 % 0.45, coverage 0.87 to 0.93 at misfit = planned)"
    );
    for truth in &bars::TRUTHS {
        for (misfit, planned) in [(0.0, 0.01), (0.01, 0.01), (0.0, 0.0), (0.005, 0.005), (0.02, 0.02)] {
            let s = bars::ladder(truth, misfit, planned, 1.0, bets.min(40_000), 5);
            println!(
                "  {:22} misfit {misfit:.3} planned {planned:.3}  {}  parts {:.3?}  covers {:.3}",
                truth.name,
                s.line(),
                s.parts,
                s.covers
            );
        }
    }
    println!("{:.1} s", begin.elapsed().as_secs_f64());
}
