//! How often the rule errs and how much it finds: the bars of the judge at reduced size. `benches/verdict.sh` runs them in
//! full.

#[allow(dead_code)]
mod bars;

use bars::{SCHEDULES, TRUTHS, Truth, ladder, naive_peeking, single};

/// Bets for each number; a share of 2 % then has a standard error of 0.14 points.
const BETS: u64 = 10_000;

#[test]
fn no_effect_is_claimed_no_more_often_than_promised_whatever_the_looks() {
    for schedule in &SCHEDULES {
        let s = single(schedule, 0.0, 1.0, BETS, 1);
        assert!(s.ship <= 0.028 && s.claims() <= 0.055, "{}: {}", schedule.name, s.line());
    }
    // The negative control: a plain t-test at each pair.
    let naive = naive_peeking(5, BETS, 2);
    assert!((0.11..0.14).contains(&naive), "{naive}");
}

#[test]
fn two_standard_deviations_are_found_within_six_pairs() {
    let peeking = SCHEDULES.iter().find(|s| s.name == "peek at each pair to 6").expect("a schedule");
    let s = single(peeking, 2.0, 1.0, BETS, 3);
    assert!(s.ship >= 0.97 && s.pairs < 4.0, "{}", s.line());
}

#[test]
fn an_arm_five_times_as_noisy_is_flagged_and_does_not_ship_whatever_the_looks() {
    for schedule in SCHEDULES.iter().filter(|s| s.archive_df == 20.0) {
        let s = single(schedule, 0.0, 5.0, BETS, 4);
        assert!(
            s.ship <= 0.03 && s.flagged_of_long >= 0.90,
            "{}: {} flagged {:.3}",
            schedule.name,
            s.line(),
            s.flagged_of_long
        );
    }
    let s = ladder(&TRUTHS[0], 0.01, 0.01, 5.0, BETS, 6);
    assert!(s.ship <= 0.03, "{}", s.line());
}

fn at(truth: &Truth, misfit: f64, planned: f64) -> bars::Shares {
    ladder(truth, misfit, planned, 1.0, BETS, 5)
}

#[test]
fn the_ladder_ships_what_lasts_and_not_what_fades() {
    // Three standard errors of 10,000 bets above the bars where these are met narrowly.
    for misfit in [0.0, 0.01] {
        let [none, fading, crossing, constant, _] = [0, 1, 2, 3, 4].map(|i| at(&TRUTHS[i], misfit, 0.01));
        assert!(none.ship <= 0.010 + 0.003, "misfit {misfit}: {}", none.line());
        assert!(fading.ship <= 0.06, "misfit {misfit}: {}", fading.line());
        assert!(crossing.ship <= 0.01, "misfit {misfit}: {}", crossing.line());
        assert!(constant.ship >= 0.45, "misfit {misfit}: {}", constant.line());
    }
}

#[test]
fn the_prediction_interval_holds_what_it_promises_where_the_misfit_is_known() {
    for misfit in [0.0, 0.005, 0.01, 0.02] {
        let covers = at(&TRUTHS[3], misfit, misfit).covers;
        assert!((0.87..=0.93).contains(&covers), "misfit {misfit}: {covers}");
    }
}

#[test]
fn the_forecast_of_an_undecided_bet_comes_true_as_often_as_it_says() {
    for decile in bars::forecast(4_000, 400, 8) {
        // Two standard errors beside the five points, as the deciles of this size are small.
        let slack = 0.05 + 2.0 * (0.25 / decile.n as f64).sqrt();
        assert!((decile.said - decile.came).abs() <= slack, "{decile:?}");
    }
}
