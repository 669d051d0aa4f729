//! What a bet can be expected to show, from an archive.

#[allow(dead_code)]
mod synthetic;

use groundwork_lab::judge::Defined;
use groundwork_lab::{ArchivedRun, AssumedNoise, NoiseArchive, ProspectError};
use synthetic::registered;

const BET: &str = r#"
name = "x"
question = "Is it better?"
primary = { metric = "bits_per_action_byte", direction = "lower", margin = 0.01, scale = "multiplier" }
ladder = { sizes = ["1K", "4K", "16K"], seeds = [1, 2, 3, 4, 5] }
baseline = { label = "old", recipe = { way = 1 } }
candidate = { label = "new", recipe = { way = 2 } }
"#;

/// Twelve runs of two recipes at each size: bits fall by 0.1 with each factor e of compute; `spread` is chance, `apart` the
/// difference between the recipes.
fn archive(spread: f64, apart: f64) -> NoiseArchive {
    let mut runs = Vec::new();
    for (i, size) in ["1K", "4K", "16K"].into_iter().enumerate() {
        let flops = 120.0 * 1e6 * 16f64.powi(i as i32);
        for family in 0..2 {
            for seed in 0..6u64 {
                let off = [-1.2, -0.7, -0.1, 0.2, 0.6, 1.2][(seed as usize * 5 + family + i) % 6];
                let value = 3.0 - 0.1 * flops.ln() / 1.0 + spread * off + apart * family as f64 + 2.0;
                runs.push(ArchivedRun {
                    family: family.to_string(),
                    size: size.into(),
                    seed,
                    flops,
                    metrics: [("bits_per_action_byte".to_owned(), value)].into(),
                });
            }
        }
    }
    NoiseArchive::of(&runs)
}

#[test]
fn power_rises_with_the_effect_and_the_cheapest_design_is_named() {
    let archive = archive(0.0005, 0.02);
    let plan = registered(BET).0.with_archive(&archive).expect("a metric that can decide");
    assert_eq!(plan.noise.rungs.len(), 3);
    let prospect = plan.prospect(&archive, None).expect("a prospect");
    let ships: Vec<f64> = prospect.power.iter().map(|p| p.ships).collect();
    assert!(ships.windows(2).all(|w| w[0] <= w[1] + 0.01), "{ships:?}");
    assert!(ships[0] < 0.001 && ships[1] < 0.01 && ships[4] > 0.5, "{ships:?}");
    assert!(prospect.power[0].harms > 0.5 && prospect.power.iter().all(|p| p.pairs >= 2.0 && p.flops > 0.0));
    match &prospect.cheapest {
        Defined::Value(d) => assert!(d.ships >= 0.8 && d.sizes.last().is_some_and(|s| s == "16K")),
        Defined::Undefined(why) => assert!(why.contains("pairs reach"), "{why}"),
    }
    let worth = prospect.worth.value().expect("a worth");
    assert!(worth.share > 0.0 && worth.share < 0.4 * 0.03);
    assert_eq!(plan.prospect(&archive, None).unwrap(), prospect);
}

#[test]
fn a_metric_that_cannot_decide_and_an_empty_archive_are_refused() {
    let (plan, _) = registered(BET);
    let error = plan.clone().with_archive(&archive(0.05, 0.001)).unwrap_err();
    assert!(matches!(error, ProspectError::TooNoisy { .. }), "{error}");
    assert!(error.to_string().contains("cannot decide at 16K"), "{error}");
    let error = plan.prospect(&NoiseArchive::default(), None).unwrap_err().to_string();
    assert!(error.contains("groundwork lab noise"), "{error}");
    // A stated noise stands in for one, and is worth less than an archive of the same noise.
    let assume = |slope| Some(AssumedNoise { sd: 0.0005, slope });
    let error = plan.prospect(&NoiseArchive::default(), assume(None)).unwrap_err().to_string();
    assert!(error.contains("--slope"), "{error}");
    let assumed = plan.prospect(&NoiseArchive::default(), assume(Some(0.1))).expect("a prospect");
    let known = plan.prospect(&archive(0.0005, 0.02), None).expect("a prospect");
    let ships = |p: &groundwork_lab::Prospect| p.power[3].ships;
    assert!(ships(&assumed) > 0.0 && ships(&assumed) <= ships(&known) + 0.05, "{assumed:?} {known:?}");
}
