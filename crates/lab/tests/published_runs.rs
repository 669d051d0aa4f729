//! The engine on published runs, at reduced size. Where the data is absent the tests say so and pass.

#[allow(dead_code)]
mod bars;

use bars::published;

fn skipped(what: &str) {
    println!("skipped: no published runs for {what}; set GROUNDWORK_PUBLISHED_RUNS");
}

#[test]
fn real_noise_does_not_ship_and_a_planted_gain_is_found() {
    let Some((none, naive)) = published::real_noise(0.0, 0.0, 6_000, 1) else { return skipped("real noise") };
    println!("A/A: {}  naive {naive:.3}", none.line());
    assert!(none.ship <= 0.025 + 0.004, "{}", none.line());
    assert!((0.10..0.16).contains(&naive), "{naive}");
    let Some((gain, _)) = published::real_noise(0.03, 0.0, 3_000, 2) else { return };
    println!("3 %: {}", gain.line());
    assert!(gain.ship >= 0.93 && gain.pairs <= 3.5, "{}", gain.line());
}

#[test]
fn the_chinchilla_points_give_the_published_law() {
    let Some(fit) = published::chinchilla_fit() else { return skipped("the Chinchilla points") };
    println!("{fit:?}");
    // The minimum of the published full grid: floor, A, B, α, β.
    for (got, want) in fit.law.values().iter().zip([1.817_236, 477.842, 2143.864, 0.347_313, 0.367_183]) {
        assert!((got / want - 1.0).abs() < 0.01, "{got} {want}");
    }
    assert!(fit.objective < 0.001_018_275, "{}", fit.objective);
    assert!(fit.condition < 100.0 && fit.condition_of_five > 1e6, "{fit:?}");
}

#[test]
fn the_olmo_ladder_gives_the_published_errors() {
    let Some(tasks) = published::olmo() else { return skipped("the OLMo ladder") };
    for t in &tasks {
        println!(
            "{:26} error {:5.2} % published {:5.2} %   predicted {:.4} published {:.4}",
            t.task,
            100.0 * t.ours,
            100.0 * t.published,
            t.predicted,
            t.published_prediction
        );
        assert!((t.ours - t.published).abs() < 0.002, "{t:?}");
    }
    assert_eq!(tasks.len(), 8);
}
