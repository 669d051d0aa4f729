//! Learning rates: both arms try the same, on a seed that is in no pair.

mod synthetic;

use std::path::Path;

use groundwork_lab::{Arm, Bet, BetResult, Metric, Plan, Registration, Trial, Verdict, render_report};
use synthetic::{registered, result};

const BET: &str = r#"
name = "x"
question = "Is it better?"
primary = { metric = "bits_per_action_byte", direction = "lower", margin = 0.1 }
tuning = { factors = [0.5, 1, 2], seed = 99, fields = ["optimizer.lr"] }
ladder = { sizes = ["1K", "4K"], seeds = [1, 2] }
recipe = { optimizer = { lr = 0.01 } }
baseline = { label = "old", recipe = { way = 1 } }
candidate = { label = "new", recipe = { way = 2, optimizer = { lr = 0.03 } } }
"#;

fn lr(recipe: &toml::Table) -> f64 {
    recipe["optimizer"]["lr"].as_float().expect("a number")
}

/// Trials whose metric is what `value` says.
fn trials(plan: &Plan, registration: &Registration, value: fn(Arm, &str, f64) -> f64) -> Vec<Trial> {
    let planned = plan.of_trials();
    let made = result(&planned, registration, |_, _, _| Vec::new());
    let trials = made.cells.into_iter().zip(&planned.cells).map(|(mut cell, planned)| {
        let factor = planned.factor.expect("a factor");
        let value = value(cell.arm, &cell.size, factor);
        let metric = Metric { value, low: None, high: None, n: 1 };
        cell.metrics.insert("bits_per_action_byte".into(), metric);
        (cell, factor)
    });
    Trial::choose(trials.collect(), &plan.bet)
}

#[test]
fn every_choice_is_registered_before_it_is_made() {
    let (plan, registration) = registered(BET);
    assert_eq!((plan.cells.len(), plan.of_trials().cells.len(), plan.to_make().cells.len()), (24, 12, 20));
    let frozen = registration.content;
    assert_eq!(frozen.cells.len(), 24);
    let tuning = frozen.tuning.expect("the protocol");
    assert!(tuning.trials.iter().all(|t| t.seed == 99) && tuning.protocol.factors == [0.5, 1.0, 2.0]);
    assert!(frozen.words[1].contains("at 1K, 4K both arms try 0.5, 1, 2 times"), "{}", frozen.words[1]);
    let own: Vec<f64> = plan.cells[..6].iter().map(|c| lr(&c.recipe.table)).collect();
    assert_eq!(own, [0.005, 0.015, 0.01, 0.03, 0.02, 0.06]);
}

#[test]
fn each_arm_goes_on_with_its_best_factor() {
    let (plan, registration) = registered(BET);
    let trials = trials(&plan, &registration, |arm, size, factor| match (arm, size) {
        (Arm::Baseline, _) => (factor - 1.0).abs(),
        // Half and twice are equal; what changes nothing diverged.
        (Arm::Candidate, "1K") => {
            if factor == 1.0 {
                f64::NAN
            } else {
                3.0
            }
        }
        (Arm::Candidate, _) => 3.0 - factor,
    });
    let tuned = plan.tuned(&trials).expect("choices");
    let chosen: Vec<(Arm, &str, u64, f64)> =
        tuned.cells.iter().map(|c| (c.arm, c.size.as_str(), c.seed, lr(&c.recipe.table))).collect();
    assert_eq!(
        chosen,
        [
            (Arm::Baseline, "1K", 1, 0.01),
            (Arm::Candidate, "1K", 1, 0.015),
            (Arm::Baseline, "1K", 2, 0.01),
            (Arm::Candidate, "1K", 2, 0.015),
            (Arm::Baseline, "4K", 1, 0.01),
            (Arm::Candidate, "4K", 1, 0.06),
            (Arm::Baseline, "4K", 2, 0.01),
            (Arm::Candidate, "4K", 2, 0.06),
        ]
    );
    let result = BetResult { trials, ..result(&tuned, &registration, |_, _, _| Vec::new()) };
    let verdict = Verdict::of(&result);
    let edges =
        verdict.judgement.caveats.iter().filter(|c| c.contains("a better one may lie beyond")).count();
    assert_eq!((edges, verdict.tuning_cost.as_ref().map(|c| c.runs)), (2, Some(12)));
    let text = verdict.to_text();
    assert!(text.contains("candidate 1K   * 3.00  none    3.00"), "{text}");
    assert!(
        render_report(&result, &verdict, &Default::default()).contains("How the learning rates were chosen")
    );
}

#[test]
fn sizes_that_try_nothing_follow_the_next_smaller_one() {
    let (plan, registration) = registered(&BET.replace("seed = 99", "seed = 99, sizes = [\"1K\"]"));
    assert_eq!(plan.to_make().cells.len(), 14);
    let trials = trials(&plan, &registration, |_, _, factor| factor);
    let tuned = plan.tuned(&trials).expect("choices");
    assert!(tuned.cells.iter().all(|c| c.factor == Some(0.5)) && tuned.cells.len() == 8);
}

#[test]
fn an_arm_that_never_trains_is_named() {
    let (plan, registration) = registered(BET);
    let trials =
        trials(&plan, &registration, |arm, _, factor| if arm == Arm::Candidate { f64::NAN } else { factor });
    let text = plan.tuned(&trials).expect_err("no choice").to_string();
    assert!(
        text.contains("none of the trials of the candidate at 1K") && text.contains("reach lower"),
        "{text}"
    );
}

#[test]
fn a_protocol_that_would_choose_by_what_is_judged_is_refused() {
    let complaint = |from: &str, to: &str| {
        Bet::parse(&BET.replace(from, to), Path::new("b.toml")).expect_err("refused").to_string()
    };
    for (from, to, want) in [
        ("seed = 99", "seed = 2", "tuning.seed"),
        ("[0.5, 1, 2]", "[1]", "at least two different"),
        ("[0.5, 1, 2]", "[1, 1]", "at least two different"),
        ("[0.5, 1, 2]", "[0, 1]", "positive"),
        ("seed = 99", "seed = 99, sizes = [\"2K\"]", "`2K` is not one of ladder.sizes"),
        ("fields = [\"optimizer.lr\"]", "fields = []", "tuning.fields"),
    ] {
        let text = complaint(from, to);
        assert!(text.contains(want) && text.starts_with("b.toml:5:"), "{text}");
    }
}
