//! The rule on synthetic runs: what it says, and how often it says it wrongly.

mod noise;
mod synthetic;

use groundwork_lab::judge::{Defined, DropReason, GuardrailState, Ruling};
use groundwork_lab::{Arm, BetResult, Score, Verdict};
use noise::Noise;
use synthetic::{registered, result};

const BET: &str = r#"
name = "x"
question = "Is it better?"
primary = { metric = "bits_per_action_byte", direction = "lower", margin = 0.1 }
decision = { resamples = 200 }
ladder = { sizes = ["1K", "4K"], seeds = [1, 2] }
baseline = { label = "old", recipe = { way = 1 } }
candidate = { label = "new", recipe = { way = 2 } }
"#;

const GUARDED: &str = "\n[[guardrail]]\nmetric = \"success_rate\"\ndirection = \"higher\"\nmargin = 0.1\n";

/// Task `i` of `of`, its bits for a byte, and whether it is solved.
fn score(i: u64, bits: f64, success: bool) -> Score {
    Score {
        world: if i.is_multiple_of(2) { "files" } else { "route" }.to_owned(),
        level: 1,
        seed: i,
        policy: "model".into(),
        success,
        steps: 4,
        action_bits: bits,
        action_bytes: 1,
        ..Score::default()
    }
}

/// Sixty tasks whose bits are `base` in the baseline (less 0.5 at the larger size) and better by `gain` in the
/// candidate; seed 2 differs by `wobble`; a share `solved` of them is solved.
fn bits(bet: &str, gain: [f64; 2], wobble: f64, solved: [f64; 2]) -> BetResult {
    let (plan, registration) = registered(bet);
    result(&plan, &registration, |arm, size, seed| {
        let at = usize::from(size == "4K");
        let candidate = arm == Arm::Candidate;
        let mut level = 3.0 - 0.5 * at as f64;
        if candidate {
            level -= gain[at] + if seed == 2 { wobble } else { 0.0 };
        }
        let share = solved[usize::from(candidate)];
        (0..60).map(|i| score(i, level + (i % 7) as f64 * 0.01, (i as f64) < share * 60.0)).collect()
    })
}

fn ruling(gain: [f64; 2], wobble: f64) -> Ruling {
    Verdict::of(&bits(BET, gain, wobble, [0.5, 0.5])).judgement.ruling
}

#[test]
fn the_rule_follows_the_interval_at_the_largest_size() {
    assert_eq!(ruling([0.4, 0.4], 0.01), Ruling::Ship);
    assert_eq!(ruling([0.4, -0.4], 0.01), Ruling::Drop(DropReason::Harm));
    assert_eq!(ruling([0.0, 0.0], 0.01), Ruling::Drop(DropReason::Equal));
    assert_eq!(ruling([0.4, 0.4], 0.4), Ruling::Undecided);
    // Better at the top, shown to be worse below: the rule cannot ship it any more.
    assert_eq!(ruling([-0.4, 0.4], 0.01), Ruling::Drop(DropReason::Futile));
    // If it is better, then by less than the margin: more pairs are not going to change that.
    let wide = BET.replace("margin = 0.1", "margin = 0.3");
    let verdict = Verdict::of(&bits(&wide, [0.0, -0.2], 0.24, [0.5, 0.5]));
    assert_eq!(verdict.judgement.ruling, Ruling::Drop(DropReason::Futile), "{}", verdict.to_text());
}

#[test]
fn guardrails_stop_and_hold_back() {
    let bet = format!("{BET}{GUARDED}");
    let at = |solved| Verdict::of(&bits(&bet, [0.4, 0.4], 0.01, solved)).judgement;
    let held = at([0.5, 0.5]);
    assert_eq!((held.ruling, held.guardrails[0].state), (Ruling::Ship, GuardrailState::Held));
    let broken = at([0.9, 0.3]);
    assert_eq!(
        (broken.ruling, broken.guardrails[0].state),
        (Ruling::Drop(DropReason::Harm), GuardrailState::Broken)
    );
    let open = at([0.5, 0.45]);
    assert_eq!((open.ruling, open.guardrails[0].state), (Ruling::Undecided, GuardrailState::Open));
    assert!(open.reasons.iter().any(|n| n.contains("success rate is open")), "{:?}", open.reasons);
    let lenient =
        Verdict::of(&bits(&format!("{bet}require = \"unbroken\"\n"), [0.4, 0.4], 0.01, [0.5, 0.45]));
    assert_eq!(lenient.judgement.ruling, Ruling::Ship);
}

#[test]
fn an_unmeasured_guardrail_does_not_pass_and_a_missing_run_gives_no_verdict() {
    let guard = GUARDED.replace("success_rate", "success_faulty");
    for require in ["held", "unbroken"] {
        let bet = format!("{BET}{guard}require = \"{require}\"\n");
        let verdict = Verdict::of(&bits(&bet, [0.4, 0.4], 0.01, [0.5, 0.5]));
        assert_eq!(verdict.judgement.ruling, Ruling::Undecided);
        assert!(verdict.to_text().contains("was not measured"));
    }
    let mut incomplete = bits(BET, [0.4, 0.4], 0.01, [0.5, 0.5]);
    incomplete.cells.pop();
    let verdict = Verdict::of(&incomplete).judgement;
    assert_eq!(verdict.ruling, Ruling::Undecided);
    assert!(verdict.sentence.contains("no verdict at 4K, the largest size, yet"), "{}", verdict.sentence);
    let mut broken = bits(BET, [0.4, 0.4], 0.01, [0.5, 0.5]);
    broken.cells[7].metrics.get_mut("bits_per_action_byte").unwrap().value = f64::NAN;
    assert_eq!(Verdict::of(&broken).judgement.ruling, Ruling::Undecided);
}

#[test]
fn scores_that_do_not_add_up_are_left_out_and_it_is_said() {
    let mut wrong = bits(BET, [0.4, 0.4], 0.01, [0.5, 0.5]);
    wrong.cells[7].metrics.get_mut("bits_per_action_byte").unwrap().value += 0.01;
    let verdict = Verdict::of(&wrong).judgement;
    assert!(verdict.caveats.iter().any(|c| c.contains("do not add up")), "{:?}", verdict.caveats);
    let mut other_tasks = bits(BET, [0.4, 0.4], 0.01, [0.5, 0.5]);
    other_tasks.cells[7].scores[3].seed = 999;
    let caveats = Verdict::of(&other_tasks).judgement.caveats;
    assert!(caveats.iter().any(|c| c.contains("not tested on the same items")), "{caveats:?}");
}

#[test]
fn a_metric_at_zero_in_every_run_is_not_certain() {
    let bet =
        BET.replace("bits_per_action_byte", "success_rate").replace("lower", "higher").replace("0.1", "0.02");
    let verdict = Verdict::of(&bits(&bet, [0.0, 0.0], 0.0, [0.0, 0.0]));
    assert_eq!(verdict.judgement.ruling, Ruling::Undecided, "{}", verdict.to_text());
    let (low, high) = verdict.judgement.top().unwrap().effect.value().unwrap().interval().unwrap();
    assert!(low < -0.05 && high > 0.05);
}

#[test]
fn the_verdict_is_reproducible_and_says_what_would_decide() {
    let undecided = bits(BET, [0.2, 0.2], 0.1, [0.5, 0.5]);
    let verdict = Verdict::of(&undecided);
    assert_eq!(verdict, Verdict::of(&undecided));
    assert!(verdict.judgement.next[0].contains("more pairs at 4K decide"), "{:?}", verdict.judgement.next);
    let text = verdict.to_text();
    assert!(text.starts_with("UNDECIDED\n") && text.lines().all(|l| l.chars().count() <= 110), "{text}");
    let multiplier = &verdict.judgement.rungs[0].multiplier;
    assert!(matches!(multiplier, Defined::Value(m) if m.value > 1.0), "{multiplier:?}");
    let json = serde_json::to_string(&verdict).unwrap();
    assert_eq!(serde_json::from_str::<Verdict>(&json).unwrap(), verdict);
}

/// Two arms that differ by chance only: `seed_sd` between runs, `task_sd` in how tasks take to the change, `rest_sd`
/// in both at once. Returns the shares of bets that ship, that harm, and whose interval holds the truth.
fn by_chance(bet: &str, bets: u64, seed_sd: [f64; 2], task_sd: f64, rest_sd: f64) -> (f64, f64, f64) {
    let (plan, registration) = registered(bet);
    let (mut ships, mut harms, mut covered) = (0.0, 0.0, 0.0);
    for b in 0..bets {
        let mut noise = Noise::new(b);
        let effects: Vec<f64> = (0..60).map(|_| noise.normal() * task_sd).collect();
        let data = result(&plan, &registration, |arm, size, _| {
            let run = noise.normal() * seed_sd[usize::from(size == "4K")];
            (0..60)
                .map(|i| {
                    let own = if arm == Arm::Candidate { effects[i as usize] } else { 0.0 };
                    score(i, 3.0 + run + own + noise.normal() * rest_sd, false)
                })
                .collect()
        });
        let verdict = Verdict::of(&data);
        let verdict = verdict.judgement;
        let (low, high) = verdict.top().unwrap().effect.value().unwrap().interval().unwrap();
        ships += f64::from(u8::from(verdict.ruling == Ruling::Ship));
        harms += f64::from(u8::from(verdict.ruling == Ruling::Drop(DropReason::Harm)));
        covered += f64::from(u8::from(low <= 0.0 && 0.0 <= high));
    }
    let n = bets as f64;
    (ships / n, harms / n, covered / n)
}

#[test]
fn chance_ships_no_more_often_than_the_rule_promises() {
    let pooled = BET.replace("margin = 0.1", "margin = 0.0");
    for (bet, seed_sd, task_sd, rest_sd) in [
        (&pooled, [0.10, 0.10], 0.0, 0.05),
        (&pooled, [0.02, 0.02], 0.15, 0.15),
        (&pooled, [0.0, 0.0], 0.3, 0.3),
        (&pooled, [0.02, 0.02], 0.3, 0.1),
    ] {
        let (ships, harms, covered) = by_chance(bet, 250, seed_sd, task_sd, rest_sd);
        println!(
            "seeds {seed_sd:?} tasks {task_sd} rest {rest_sd}: ships {ships:.3}, harms {harms:.3}, covers {covered:.3}"
        );
        // 2.5 % on either side; 250 bets leave a standard error of 1 %.
        assert!(ships <= 0.046 && harms <= 0.046 && covered >= 0.93);
    }
}
