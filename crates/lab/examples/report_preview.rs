//! Renders a report from synthetic data: `cargo run -p groundwork-lab --example report_preview -- OUT.html [SEEDS]`.
//!
//! The numbers are invented to show every part of the report; nothing here was measured.

#[path = "../tests/noise/mod.rs"]
mod noise;
#[path = "../tests/synthetic/mod.rs"]
mod synthetic;

use groundwork_lab::{Arm, BetResult, CurvePoint, Score, Verdict, render_report};
use groundwork_trace::{Span, SpanKind, Trace};
use noise::Noise;
use synthetic::{registered, result};

const BET: &str = r#"
name = "preview"
question = "At equal compute, does training on traces with injected faults and reflections make a model recover better than clean expert traces?"

[primary]
metric = "recovery_bits_per_byte"
direction = "lower"
margin = 0.02

[ladder]
sizes = ["0.1M", "0.4M", "1.6M"]
seeds = [1, 2]

[evaluation]
tasks = 32

[[guardrail]]
metric = "success_clean"
direction = "higher"
margin = 0.25

[[guardrail]]
metric = "bits_per_action_byte"
direction = "lower"
margin = 0.1
require = "unbroken"

[recipe]
[recipe.optimizer]
name = "muon"
learning_rate = 0.02
[recipe.train]
batch = 32
[[recipe.data.source]]
name = "text"
weight = 0.2

[baseline]
label = "clean traces"
[baseline.recipe.data]
fault_rate = 0.0

[candidate]
label = "faults and reflections"
[candidate.recipe.data]
fault_rate = 0.5
[candidate.recipe.objective]
failed_action = 0.0
"#;

const FAULTS: [&str; 5] = ["denied", "gone", "misspelt", "stale", "transient"];

fn scores(arm: Arm, size: &str, seed: u64) -> Vec<Score> {
    let rung = ["0.1M", "0.4M", "1.6M"].iter().position(|s| *s == size).unwrap_or(0) as f64;
    let candidate = f64::from(u8::from(arm == Arm::Candidate));
    let mut noise = Noise::new(seed * 31 + rung as u64 * 7 + candidate as u64);
    let run = noise.normal() * 0.015;
    let mut rows = Vec::new();
    for (w, world) in ["files", "ledger", "route"].iter().enumerate() {
        for level in 1..=3u32 {
            for task in 0..24u64 {
                for fault in [None, Some(FAULTS[(task as usize + w) % 5])] {
                    let ease = 0.25 + 0.2 * rung - 0.14 * f64::from(level - 1) - 0.04 * w as f64;
                    let ease =
                        if fault.is_some() { ease - 0.2 + 0.22 * candidate } else { ease - 0.01 * candidate };
                    let success = noise.uniform() < ease + 0.2;
                    let recovery = 1.9 - 0.32 * rung - 0.28 * candidate + run + 0.1 * noise.normal();
                    let action = 1.2 - 0.2 * rung - 0.03 * candidate + run + 0.1 * noise.normal();
                    rows.push(Score {
                        world: (*world).to_owned(),
                        level,
                        fault: fault.map(str::to_owned),
                        seed: task,
                        policy: "model".into(),
                        success,
                        steps: 3 + level,
                        expert_steps: 2 + level,
                        malformed: u32::from(noise.uniform() < 0.05),
                        fault_met: fault.is_some() && noise.uniform() < 0.8,
                        ended: if success { "answer" } else { "steps" }.into(),
                        action_bits: action * 60.0,
                        action_bytes: 60,
                        recovery_bits: if fault.is_some() { recovery * 30.0 } else { 0.0 },
                        recovery_bytes: if fault.is_some() { 30 } else { 0 },
                        transcript: transcript(fault, success),
                        ..Score::default()
                    });
                }
            }
        }
    }
    rows
}

fn curve(arm: Arm, size: &str, seed: u64, tokens: u64) -> Vec<CurvePoint> {
    let mut noise = Noise::new(seed + size.len() as u64);
    let floor = 2.2 - nominal(size);
    let kinds = [
        ("action", 0.6),
        ("observation", 1.3),
        ("plan", 0.8),
        ("answer", 0.4),
        ("text", 2.2),
        ("error", 0.7),
        ("reflection", 0.5),
    ];
    (1..=400u64)
        .map(|i| {
            let x = i as f64 / 400.0;
            let fall = 4.0 * (-14.0 * x).exp() + 0.5 / (x + 0.1).sqrt() - 0.25 * (x - 0.8).max(0.0);
            let by_kind = kinds
                .iter()
                .filter(|(k, _)| arm == Arm::Candidate || !["error", "reflection"].contains(k))
                .map(|(k, scale)| ((*k).to_owned(), scale * (floor * 0.4 + fall) + 0.03 * noise.normal()))
                .collect();
            let loss = floor * 0.5 + fall + 0.03 * noise.normal();
            CurvePoint { step: i * 5, tokens: tokens * i / 400, loss, by_kind, ..CurvePoint::default() }
        })
        .collect()
}

fn nominal(size: &str) -> f64 {
    groundwork_lab::nominal_params(size).unwrap_or(1e5).log10() - 5.0
}

fn preview() -> BetResult {
    let seeds: u64 = std::env::args().nth(2).and_then(|n| n.parse().ok()).unwrap_or(2);
    let list: Vec<String> = (1..=seeds).map(|s| s.to_string()).collect();
    let (plan, registration) =
        registered(&BET.replace("seeds = [1, 2]", &format!("seeds = [{}]", list.join(", "))));
    let mut result = result(&plan, &registration, scores);
    for cell in &mut result.cells {
        cell.curve = curve(cell.arm, &cell.size, cell.seed, cell.tokens);
        cell.tokens_by_source = [("files", 0.3), ("ledger", 0.25), ("route", 0.25), ("text and code", 0.2)]
            .into_iter()
            .map(|(name, share)| (name.to_owned(), (share * cell.tokens as f64) as u64))
            .collect();
    }
    for (policy, chance) in [("expert", 1.0), ("does nothing", 0.0), ("random legal actions", 0.06)] {
        let mut noise = Noise::new(policy.len() as u64);
        let rows = scores(Arm::Baseline, "0.1M", 1).into_iter();
        result.references.extend(rows.map(|s| Score {
            policy: policy.into(),
            success: noise.uniform() < chance,
            ..s
        }));
    }
    result.separation =
        "Invented names are cut in two by a hash: training tasks use one half, test tasks the other, so \
                         no test task can occur in training, whatever its seed."
            .into();
    result
}

/// An invented transcript, which goes well or not.
fn transcript(fault: Option<&str>, solved: bool) -> String {
    let failed = |body: &str| Span { failed: true, ..Span::new(SpanKind::Action, body) };
    let mut spans = vec![
        Span::new(SpanKind::Goal, "How many lines has the report in /docs?"),
        Span::new(SpanKind::Plan, "1. list /docs\n2. read the report\n3. count its lines"),
        Span::new(SpanKind::Action, "list(dir=\"/docs\")"),
        Span::new(SpanKind::Observation, "[\"notes.md\", \"report.txt\"]"),
        failed("read(path=\"/docs/raport.txt\")"),
        Span {
            fault: fault.map(str::to_owned),
            ..Span::new(SpanKind::Error, "NotFound(\"/docs/raport.txt\")")
        },
    ];
    if solved {
        spans.push(Span::new(SpanKind::Reflection, "The listing spells it report.txt."));
        spans.push(Span::new(SpanKind::Action, "read(path=\"/docs/report.txt\")"));
        spans.push(Span::new(SpanKind::Observation, "\"a\\nb\\nc\\n\""));
        spans.push(Span::new(SpanKind::Answer, "3"));
    } else {
        for _ in 0..2 {
            spans.push(failed("read(path=\"/docs/raport.txt\")"));
            spans.push(Span::new(SpanKind::Error, "NotFound(\"/docs/raport.txt\")"));
        }
    }
    Trace::new(spans).to_annotated()
}

fn main() -> std::io::Result<()> {
    let result = preview();
    let verdict = Verdict::of(&result);
    println!("{}", verdict.to_text());
    let out = std::env::args().nth(1).unwrap_or_else(|| "report_preview.html".into());
    std::fs::write(&out, render_report(&result, &verdict, &Default::default()))
}
