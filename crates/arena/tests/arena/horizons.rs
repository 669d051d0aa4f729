//! Horizons: against another implementation, and against curves that are known.

use groundwork_arena::{Ended, HORIZON_CAP, InvalidActions, ScoreRow, horizons};

fn row(world: &str, seed: u64, sample: u32, expert_steps: u32, success: bool) -> ScoreRow {
    ScoreRow {
        world: world.into(),
        level: 1,
        fault: None,
        seed,
        sample,
        policy: "model".into(),
        success,
        collateral: 0,
        steps: expert_steps,
        expert_steps,
        malformed: 0,
        invalid: InvalidActions::default(),
        fault_met: false,
        ended: Ended::Answer,
        tokens: 0,
        said: 0,
        action_bits: 0.0,
        action_bytes: 0,
        answer_bits: 0.0,
        answer_bytes: 0,
        recovery_bits: 0.0,
        recovery_bytes: 0,
        twin_bits: 0.0,
        twin_bytes: 0,
        ranked_actions: 0,
        legal_rank: None,
        legal_count: None,
        reciprocal_rank: None,
        chance_reciprocal_rank: None,
        legal_probability: None,
        chance_probability: None,
        branch_probability: None,
        chance_branch: None,
        transcript: String::new(),
    }
}

#[test]
fn metrs_estimator_is_scikit_learns() {
    let mut rows = Vec::new();
    for (f, (world, tasks)) in [("a", 8u32), ("b", 3)].into_iter().enumerate() {
        for i in 0..tasks {
            let steps = (1 << (i % 6)) + i;
            for j in 0..4 {
                let roll = (i * 7 + j * 5 + f as u32 * 3) % 10;
                rows.push(row(world, i.into(), j, steps, i64::from(roll) < 9 - 2 * i64::from(steps.ilog2())));
            }
        }
    }
    let found = horizons(&rows, 0.0).unwrap();
    // LogisticRegression(C = 10) of scikit-learn on the same rows with METR's weights.
    assert!((found.metr_50.value / 6.168_563_516_3 - 1.0).abs() < 1e-4, "{found:?}");
    assert!((found.metr_80.value / 2.270_827_642_5 - 1.0).abs() < 1e-4, "{found:?}");
    for m in [found.at_50, found.at_80, found.metr_50, found.metr_80] {
        assert!(m.low <= m.value && m.value <= m.high && m.n == 11, "{m:?}");
    }
    assert_eq!(found, horizons(&rows, 0.0).unwrap(), "the interval is a function of the rows");
    assert_eq!(found.tested, (1, 37));
}

/// Rows whose share of success follows a curve as closely as whole numbers allow.
fn of_curve(share: impl Fn(f64) -> f64) -> Vec<ScoreRow> {
    let mut rows = Vec::new();
    for steps in [1u32, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64] {
        let hits = (share(f64::from(steps)) * 100.0).round() as u64;
        for seed in 0..100 {
            let world = ["a", "b", "c"][seed as usize % 3];
            rows.push(row(world, u64::from(steps) * 1000 + seed, 0, steps, seed < hits));
        }
    }
    rows
}

#[test]
fn a_known_horizon_is_found_with_floor_and_lapse() {
    let sigma = |z: f64| 1.0 / (1.0 + (-z).exp());
    for (floor, lapse) in [(0.0, 0.0), (0.1, 0.1)] {
        let curve = |steps: f64| floor + (1.0 - floor - lapse) * sigma(3.0 * (3.0 - steps.log2()));
        let found = horizons(&of_curve(curve), floor).unwrap();
        assert!((found.lapse - lapse).abs() < 0.031, "{found:?}");
        for steps in [1.0, 4.0, 8.0, 16.0] {
            assert!((found.success(steps) - curve(steps)).abs() < 0.04, "{steps}: {found:?}");
        }
        let fifty = (1..6400).map(|s| f64::from(s) / 100.0).find(|&s| s >= 1.0 && curve(s) < 0.5).unwrap();
        assert!((found.at_50.value / fifty - 1.0).abs() < 0.08, "{fifty}: {found:?}");
        assert!(found.at_50.low < fifty && fifty < found.at_50.high, "{fifty}: {found:?}");
        assert!(found.at_80.value < found.at_50.value);
    }
}

#[test]
fn all_or_nothing_has_its_horizon_too() {
    let none = horizons(&of_curve(|_| 0.0), 0.0).unwrap();
    assert_eq!((none.at_50.value, none.metr_50.value), (0.0, 0.0));
    let all = horizons(&of_curve(|_| 1.0), 0.0).unwrap();
    assert_eq!((all.at_50.value, all.metr_80.value), (HORIZON_CAP, HORIZON_CAP));
    // What is solved up to 8 steps and never beyond is separable: the horizon lies between.
    let step = horizons(&of_curve(|s| if s <= 8.0 { 1.0 } else { 0.0 }), 0.0).unwrap();
    assert!((8.0..12.0).contains(&step.at_50.value), "{step:?}");
    assert_eq!(horizons(&[row("a", 1, 0, 3, true), row("a", 2, 0, 3, false)], 0.0), None, "one length");
    assert_eq!(horizons(&[], 0.0), None);
}
