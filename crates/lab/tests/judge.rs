//! The judge on plain tables: what it says, and what it says of bad input.

use groundwork_lab::judge::{
    ArchiveNoise, CostBasis, Defined, DropReason, Field, Group, GuardrailState, Judgement, Outcome, Rule,
    Ruling, RunRow, RunTable, RungNoise, Scale, eliminate, judge, judge_all,
};
use groundwork_lab::{Direction, Guardrail, Require};

const RUNGS: [(&str, f64); 4] = [("10M", 1e16), ("30M", 5e16), ("100M", 25e16), ("300M", 125e16)];

/// Noise in units of log compute that looks like noise and is the same every time.
fn wobble(i: usize, j: usize, k: usize) -> f64 {
    let x = ((i * 31 + j * 17 + k * 7 + 3) as f64 * 0.618_034).fract() - 0.5;
    x * 0.02
}

fn loss_at(flops: f64) -> f64 {
    1.7 + 60.0 * flops.powf(-0.09)
}

/// Four rungs of five pairs; the candidate trains as if it had `multiplier(rung)` times the compute.
fn table(multiplier: impl Fn(usize) -> f64) -> RunTable {
    let mut runs = Vec::new();
    for (i, (rung, flops)) in RUNGS.iter().enumerate() {
        for seed in 0..5 {
            for (k, arm) in ["old", "new"].into_iter().enumerate() {
                let worth = if k == 1 { multiplier(i) } else { 1.0 };
                runs.push(RunRow {
                    arm: arm.into(),
                    rung: (*rung).into(),
                    pair: seed.to_string(),
                    flops: Some(*flops),
                    seconds: Some(flops / 1e13 * if k == 1 { 1.25 } else { 1.0 }),
                    metrics: [(
                        "loss".to_owned(),
                        Outcome::Value(loss_at(flops * worth * wobble(i, seed, k).exp())),
                    )]
                    .into_iter()
                    .collect(),
                    ..RunRow::default()
                });
            }
        }
    }
    RunTable { baseline: "old".into(), planned: Vec::new(), runs }
}

fn rule() -> Rule {
    Rule { metric: "loss".into(), cap: 5, price: Some(2.0), ..Rule::default() }
}

/// Standard deviation of a pair: about 0.8 % of compute, in nats by the slope of each rung.
fn archive() -> ArchiveNoise {
    let rungs = RUNGS
        .iter()
        .map(|(rung, flops)| {
            let slope = 0.09 * 60.0 * flops.powf(-0.09);
            ((*rung).to_owned(), RungNoise { sd: 0.008 * slope, df: 20.0, correlation: Some(0.0) })
        })
        .collect();
    ArchiveNoise { rungs, misfit: Some(0.005), source: Some("made up".into()) }
}

fn judged(multiplier: impl Fn(usize) -> f64) -> Judgement {
    judge(&table(multiplier), "new", &rule(), &archive())
}

#[test]
fn a_steady_gain_ships_and_its_multiplier_is_found() {
    let j = judged(|_| 1.06);
    assert_eq!(j.ruling, Ruling::Ship, "{j:#?}");
    for rung in &j.rungs {
        let m = rung.multiplier.value().unwrap();
        assert!((m.value / 1.06 - 1.0).abs() < 0.01, "{m:?}");
        assert!(m.low.unwrap() > 1.03 && m.high.unwrap() < 1.09);
        // A quarter more time for each run.
        assert!((rung.time_multiplier.unwrap().value * 1.25 / m.value - 1.0).abs() < 1e-9);
    }
    let ladder = j.ladder.value().unwrap();
    assert!(ladder.probability > 0.9 && ladder.low < 0.06f64.ln_1p() && ladder.high > 0.06f64.ln_1p());
    assert!(ladder.back_test.value().unwrap().holds());
    assert!(j.sentence.contains("At 300M the candidate is worth 1.0"), "{}", j.sentence);
}

#[test]
fn each_reason_to_drop_has_its_case() {
    assert_eq!(judged(|_| 0.95).ruling, Ruling::Drop(DropReason::Harm));
    assert_eq!(judged(|i| [1.12, 1.09, 1.06, 1.03][i]).ruling, Ruling::Drop(DropReason::Fades));
    assert_eq!(judged(|_| 1.0).ruling, Ruling::Drop(DropReason::Futile));
    let narrow = ArchiveNoise {
        rungs: archive().rungs.into_iter().map(|(r, n)| (r, RungNoise { sd: n.sd / 4.0, ..n })).collect(),
        ..archive()
    };
    let calm: RunTable = RunTable {
        runs: table(|_| 1.0)
            .runs
            .into_iter()
            .map(|mut r| {
                let flops = r.flops.unwrap();
                let tiny = if r.arm == "new" { 0.001 * (r.pair.parse::<f64>().unwrap() - 2.0) } else { 0.0 };
                r.metrics.insert("loss".into(), Outcome::Value(loss_at(flops * (1.0 + tiny))));
                r
            })
            .collect(),
        ..table(|_| 1.0)
    };
    assert_eq!(judge(&calm, "new", &rule(), &narrow).ruling, Ruling::Drop(DropReason::Equal));
    // Shown to be worse at the smallest size: the rule cannot ship it any more.
    assert_eq!(judged(|i| [0.9, 1.0, 1.05, 1.1][i]).ruling, Ruling::Drop(DropReason::Futile));
}

#[test]
fn an_undecided_bet_says_what_would_decide_it_and_for_how_much() {
    let j = judged(|_| 1.018);
    assert_eq!(j.ruling, Ruling::Undecided, "{:?}", j.reasons);
    let f = j.forecast.as_ref().unwrap();
    assert!(f.pairs.windows(2).all(|w| w[0].decides <= w[1].decides));
    let one = f.pairs[0];
    assert_eq!(one.flops, Some(2.5e18));
    assert!((one.money.unwrap() - one.seconds.unwrap() / 3600.0 * 2.0).abs() < 1e-9);
    assert!((f.rung.unwrap().ratio - 5.0).abs() < 1e-9);
    assert!(j.next.iter().any(|n| n.contains("more pairs at 300M decide")), "{:?}", j.next);
    let json = serde_json::to_string(&j).unwrap();
    assert_eq!(serde_json::from_str::<Judgement>(&json).unwrap(), j);
    assert_eq!(judged(|_| 1.018), j);
}

#[test]
fn a_gain_of_the_runs_that_are_left_does_not_ship() {
    let mut t = table(|_| 1.06);
    let lost = t.runs.iter().rposition(|r| r.arm == "new").unwrap();
    t.runs[lost].metrics.insert("loss".into(), Outcome::Value(f64::NAN));
    let j = judge(&t, "new", &rule(), &archive());
    assert_eq!(j.ruling, Ruling::Undecided, "{}", j.sentence);
    assert!(
        j.reasons.iter().any(|r| r.contains("1 of 20 runs of the candidate diverged")),
        "{:?}",
        j.reasons
    );
    assert_eq!(j.stability.unwrap().arms[1].diverged, 1);
}

#[test]
fn the_cost_basis_is_inside() {
    let by_time = Rule { cost: CostBasis::Seconds, ..rule() };
    let j = judge(&table(|_| 1.1), "new", &by_time, &archive());
    assert_eq!(j.ruling, Ruling::Drop(DropReason::Harm), "{}", j.sentence);
    assert!(j.sentence.contains("worth 0.87"), "{}", j.sentence);
}

#[test]
fn missing_and_broken_cells_leave_a_verdict_on_the_rest() {
    let mut t = table(|_| 1.06);
    t.runs.retain(|r| !(r.rung == "300M" && r.arm == "new" && r.pair == "4"));
    t.runs[0].metrics.insert("loss".into(), Outcome::Value(f64::NAN));
    let j = judge(&t, "new", &rule(), &archive());
    assert_eq!(j.ruling, Ruling::Ship);
    assert_eq!(j.top().unwrap().pairs.len(), 4);
    assert!(
        j.problems.len() >= 3 && j.caveats.iter().any(|c| c.contains("no run to pair it with")),
        "{:?}",
        j.problems
    );
    // One seed only: nothing can be decided, and it says so.
    let mut single = table(|_| 1.06);
    single.runs.retain(|r| r.pair == "0");
    let j = judge(&single, "new", &rule(), &ArchiveNoise::default());
    assert_eq!(j.ruling, Ruling::Undecided);
    assert!(j.sentence.contains("one pair alone"), "{}", j.sentence);
    // No runs of the candidate at all, no compute, an empty table.
    assert_eq!(judge(&t, "nobody", &rule(), &archive()).ruling, Ruling::Undecided);
    let mut costless = table(|_| 1.06);
    costless.runs.iter_mut().for_each(|r| r.flops = None);
    let j = judge(&costless, "new", &rule(), &archive());
    assert_eq!(j.ruling, Ruling::Undecided);
    assert!(j.sentence.contains("does not say what compute"), "{}", j.sentence);
    assert_eq!(judge(&RunTable::default(), "new", &rule(), &archive()).ruling, Ruling::Undecided);
}

#[test]
fn without_compute_the_metric_itself_can_decide() {
    let mut t = table(|_| 1.2);
    t.runs.iter_mut().for_each(|r| r.flops = None);
    t.runs.retain(|r| r.rung == "300M");
    let by_metric = Rule { scale: Scale::Metric, margin: 0.005, equal: 0.005, prior: 0.02, ..rule() };
    let j = judge(&t, "new", &by_metric, &ArchiveNoise::default());
    assert_eq!(j.ruling, Ruling::Ship, "{} {:?}", j.sentence, j.reasons);
    assert!(j.sentence.contains("better than the baseline"), "{}", j.sentence);
    assert!(j.caveats.iter().any(|c| c.contains("says nothing about larger sizes")));
    assert!(matches!(&j.top().unwrap().multiplier, Defined::Undefined(why) if why.contains("compute")));
}

#[test]
fn a_guardrail_over_items_holds_breaks_or_stays_open() {
    let with = |solved: [f64; 2], require| {
        let mut t = table(|_| 1.06);
        for r in &mut t.runs {
            let share = solved[usize::from(r.arm == "new")];
            let groups = (0..100)
                .map(|id| Group {
                    stratum: 0,
                    id,
                    numerator: f64::from(u8::from((id as f64) < share * 100.0)),
                    denominator: 1.0,
                })
                .collect();
            r.metrics.insert("success".into(), Outcome::Groups(groups));
        }
        let guard =
            Guardrail { metric: "success".into(), direction: Direction::Higher, margin: 0.1, require };
        let j = judge(&t, "new", &Rule { guardrails: vec![guard], ..rule() }, &archive());
        (j.ruling, j.guardrails[0].state)
    };
    assert_eq!(with([0.5, 0.5], Require::Held), (Ruling::Ship, GuardrailState::Held));
    assert_eq!(with([0.9, 0.5], Require::Held), (Ruling::Drop(DropReason::Harm), GuardrailState::Broken));
    assert_eq!(with([0.5, 0.44], Require::Held), (Ruling::Undecided, GuardrailState::Open));
    assert_eq!(with([0.5, 0.44], Require::Unbroken), (Ruling::Ship, GuardrailState::Open));
}

/// A gain far beyond what was expected, and a guardrail that its pairs leave open by their number alone.
#[test]
fn a_forecast_sees_that_pairs_settle_guardrails() {
    let with = |changes: [f64; 3]| {
        let mut t = table(|_| 1.5);
        t.runs.retain(|r| r.pair.as_str() < "3" && (r.rung == "100M" || r.rung == "300M"));
        for r in &mut t.runs {
            let pair: usize = r.pair.parse().unwrap();
            let change = if r.arm == "new" { changes[pair] } else { 0.0 };
            r.metrics.insert("success".into(), Outcome::Value(0.7 + change));
        }
        let guard = Guardrail {
            metric: "success".into(),
            direction: Direction::Higher,
            margin: 0.1,
            require: Require::Held,
        };
        let j = judge(&t, "new", &Rule { cap: 3, guardrails: vec![guard], ..rule() }, &archive());
        assert_eq!((j.ruling, j.guardrails[0].state), (Ruling::Undecided, GuardrailState::Open), "{j:?}");
        j.forecast.expect("a forecast").pairs[3].decides
    };
    let likely = with([0.145, -0.025, 0.06]);
    assert!(likely > 0.5, "{likely}");
    // One that sits at its margin stays open.
    let unlikely = with([-0.02, -0.18, -0.1]);
    assert!(unlikely < 0.2, "{unlikely}");
}

#[test]
fn several_candidates_share_the_error_and_the_worse_ones_leave() {
    let mut t = table(|_| 1.08);
    let third: Vec<RunRow> = table(|_| 0.95)
        .runs
        .into_iter()
        .filter(|r| r.arm == "new")
        .map(|r| RunRow { arm: "worse".into(), ..r })
        .collect();
    t.runs.extend(third);
    let all = judge_all(&t, &rule(), &archive());
    assert_eq!(all.iter().map(|j| j.candidate.as_str()).collect::<Vec<_>>(), ["new", "worse"]);
    assert_eq!(all[0].ruling, Ruling::Ship);
    assert!((all[0].rule.error - 0.025).abs() < 1e-12);
    assert_eq!(all[1].ruling, Ruling::Drop(DropReason::Harm));
    let standings = eliminate(&t, &rule(), &archive());
    let behind =
        |arm: &str| standings.iter().find(|s| s.arm == arm).unwrap().behind.as_ref().map(|b| b.0.clone());
    assert_eq!(
        (behind("new"), behind("old"), behind("worse")),
        (None, Some("new".into()), Some("new".into()))
    );
    let field = Field::of(&t, &all, &rule(), &archive());
    assert_eq!((field.claimed.as_slice(), &field.standings), (&["new".to_owned()][..], &standings));
    let lines = field.to_lines();
    assert!(
        lines[1].ends_with("better than: new.") && lines[2].starts_with("old is out of the race"),
        "{lines:?}"
    );
}
