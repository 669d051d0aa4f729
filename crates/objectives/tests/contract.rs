//! The weighted-loss contract: what is weighed, what is not, and that nothing gets lost.

use groundwork_corpus::{Row, SpanTag, Tokenizer, TokenizerSpec, encode_trace};
use groundwork_objectives::{Batch, Denominator, Objective, TermSpec};
use groundwork_trace::{Span, SpanKind, Trace};
use proptest::prelude::*;

fn tokenizer() -> Tokenizer {
    let spec = TokenizerSpec { vocabulary: 272 };
    Tokenizer::train(&spec, [String::from("ab ab")], &mut |_| ()).unwrap()
}

fn objective(text: &str) -> Objective {
    #[derive(serde::Deserialize)]
    struct File {
        objective: Vec<TermSpec>,
    }
    let file: File = toml::from_str(text).unwrap();
    Objective::new(&file.objective).unwrap()
}

const MASKED: &str = "[[objective]]\nterm = \"next_token\"\nweights = { observation = 0.1, error = 0.1, goal = 0.5, failed_action = 0.0 }\n";

/// goal, failed action, error, reflection, action, observation, answer.
fn trace() -> Trace {
    let mut failed = Span::new(SpanKind::Action, "ra(x=1)");
    failed.failed = true;
    Trace::new(vec![
        Span::new(SpanKind::Goal, "go"),
        failed,
        Span::new(SpanKind::Error, "No"),
        Span::new(SpanKind::Reflection, "so"),
        Span::new(SpanKind::Action, "rb(x=1)"),
        Span::new(SpanKind::Observation, "7"),
        Span::new(SpanKind::Answer, "7"),
    ])
}

fn row(tokenizer: &Tokenizer, traces: &[Trace], sequence: usize) -> Row {
    let mut row = Row { tokens: vec![], spans: vec![], documents: vec![], weight: None };
    for (i, trace) in traces.iter().enumerate() {
        let e = encode_trace(tokenizer, trace);
        row.documents.extend(std::iter::repeat_n(i as u32 + 1, e.tokens.len()));
        row.tokens.extend(e.tokens);
        row.spans.extend(e.spans);
    }
    assert!(row.tokens.len() <= sequence);
    row.tokens.resize(sequence, tokenizer.pad());
    row.spans.resize(sequence, SpanTag::PADDING);
    row.documents.resize(sequence, 0);
    row
}

#[test]
fn spans_weigh_what_their_kind_does_and_borders_the_larger_side() {
    let t = tokenizer();
    let row = row(&t, &[trace(), trace()], 96);
    let spans = row.spans.clone();
    let batch = Batch::new(&objective(MASKED), &t, vec![row], 1, &[0]);
    for (i, &span) in spans[..95].iter().enumerate() {
        let (target, tag) = (batch.targets[i], batch.tags[i]);
        if tag == SpanTag::PADDING {
            assert_eq!(batch.weights[i], 0.0, "no target, no weight");
            continue;
        }
        let own = |tag: SpanTag| match tag.kind().unwrap() {
            SpanKind::Action if tag.failed() => 0.0,
            SpanKind::Observation | SpanKind::Error => 0.1,
            SpanKind::Goal => 0.5,
            _ => 1.0,
        };
        let expected = if tag.marker() { f32::max(own(tag), own(span)) } else { own(tag) };
        assert_eq!(batch.weights[i], expected, "position {i}, token {target}");
    }
    // The failed action's own tokens teach nothing, the decision to act (after the goal) does.
    let failed: Vec<f32> = (0..95).filter(|&i| batch.tags[i].failed()).map(|i| batch.weights[i]).collect();
    assert!(failed.contains(&0.0) && failed.contains(&0.5));
}

#[test]
fn nothing_crosses_from_one_document_to_the_next() {
    let t = tokenizer();
    let row = row(&t, &[trace(), trace()], 96);
    let first = row.documents.iter().filter(|&&d| d == 1).count();
    let batch = Batch::new(&objective(MASKED), &t, vec![row], 1, &[0]);
    assert_eq!(batch.tags[first - 1], SpanTag::PADDING);
    assert_eq!(batch.weights[first - 1], 0.0);
    assert_eq!(batch.targets[first - 1], t.pad());
}

#[test]
fn denominators_add_up_over_micro_batches() {
    let t = tokenizer();
    let rows: Vec<Row> = (0..4).map(|i| row(&t, &vec![trace(); 1 + i % 2], 96)).collect();
    let o = objective(MASKED);
    let batch = Batch::new(&o, &t, rows, 1, &[0, 1, 2, 3]);
    for kind in [Denominator::Supervised, Denominator::Tokens] {
        let whole = batch.denominator(kind);
        for micro in [1, 2, 3, 4] {
            let parts = batch.micro_batches(micro);
            let sum: f64 = parts.iter().map(|b| b.denominator(kind)).sum();
            assert!((sum - whole).abs() < 1e-12 * whole, "{micro}");
            assert_eq!(parts.iter().map(|b| b.rows).sum::<usize>(), 4);
        }
    }
    let all: f64 = batch.tags.iter().filter(|&&tag| tag != SpanTag::PADDING).count() as f64;
    assert_eq!(batch.denominator(Denominator::Tokens), all);
}

#[test]
fn losses_are_reported_by_kind_with_failed_actions_apart() {
    let t = tokenizer();
    let batch = Batch::new(&objective(MASKED), &t, vec![row(&t, &[trace()], 48)], 1, &[0]);
    let losses: Vec<f32> = batch.tags.iter().map(|tag| if tag.failed() { 4.0 } else { 2.0 }).collect();
    let mut sums = std::collections::BTreeMap::new();
    batch.add_losses(&losses, &mut sums);
    let mean = |k: &str| sums[k].0 / sums[k].1 as f64;
    assert_eq!(mean("failed_action"), 4.0);
    assert_eq!(mean("action"), 2.0);
    assert!(sums.contains_key("goal") && !sums.contains_key("text"));
}

fn infill(rate: f64) -> Objective {
    objective(&format!(
        "[[objective]]\nterm = \"next_token\"\n[[objective]]\nterm = \"infill\"\nspans = [\"action\", \"reflection\"]\nrate = {rate:?}\n"
    ))
}

/// Undoes [`infill`]: `prefix hole suffix fill body` to `prefix M body suffix end`.
fn unfill(t: &Tokenizer, tokens: &[u32], marker: u32) -> Vec<u32> {
    let hole = tokens.iter().position(|&x| x == t.hole()).unwrap();
    let fill = tokens.iter().position(|&x| x == t.fill()).unwrap();
    let mut out = tokens[..hole].to_vec();
    out.push(marker);
    out.extend(&tokens[fill + 1..]);
    out.extend(&tokens[hole + 1..fill]);
    out.push(t.end());
    out
}

proptest! {
    #[test]
    fn infilling_keeps_every_token_and_can_be_undone(seed in any::<u64>(), copies in 1usize..4) {
        let t = tokenizer();
        let plain = row(&t, &vec![trace(); copies], 200);
        let batch = Batch::new(&infill(1.0), &t, vec![plain.clone()], seed, &[7]);
        prop_assert_eq!(&batch.documents, &plain.documents);
        for d in 1..=copies as u32 {
            let of = |v: &[u32]| -> Vec<u32> {
                v.iter().zip(&plain.documents).filter(|(_, doc)| **doc == d).map(|(x, _)| *x).collect()
            };
            let (before, after) = (of(&plain.tokens), of(&batch.inputs));
            prop_assert_ne!(&before, &after);
            let restored = [SpanKind::Action, SpanKind::Reflection]
                .iter()
                .any(|&k| unfill(&t, &after, t.marker(k)) == before);
            prop_assert!(restored, "{:?} from {:?}", after, before);
        }
    }

    #[test]
    fn a_rate_of_zero_changes_nothing(seed in any::<u64>()) {
        let t = tokenizer();
        let plain = row(&t, &[trace(), trace()], 96);
        let batch = Batch::new(&infill(0.0), &t, vec![plain.clone()], seed, &[7]);
        prop_assert_eq!(batch.inputs, plain.tokens);
    }
}

#[test]
fn the_rate_of_infilling_is_the_one_asked_for_and_rows_draw_alone() {
    let t = tokenizer();
    let plain = row(&t, &[trace()], 48);
    let n = 2000;
    let keys: Vec<u64> = (0..n).collect();
    let o = infill(0.3);
    let batch = Batch::new(&o, &t, vec![plain.clone(); n as usize], 5, &keys);
    let holes = batch.inputs.iter().filter(|&&x| x == t.hole()).count() as f64;
    // Three standard deviations of a binomial.
    assert!((holes - 600.0).abs() < 3.0 * (2000.0f64 * 0.3 * 0.7).sqrt(), "{holes}");
    let alone = Batch::new(&o, &t, vec![plain], 5, &[17]);
    assert_eq!(alone.inputs[..], batch.inputs[17 * 48..18 * 48]);
}

#[test]
fn objectives_that_cannot_be_used_say_why() {
    let parse = |text: &str| toml::from_str::<TermSpec>(text).map(|t| Objective::new(&[t]).map(|_| ()));
    let e = parse("term = \"next_token\"\nweights = { acton = 1.0 }\n").unwrap_err().to_string();
    assert!(e.contains("`acton`") && e.contains("did you mean `action`"), "{e}");
    let e = parse("term = \"next_token\"\nweights = { action = -1.0 }\n").unwrap().unwrap_err().to_string();
    assert!(e.contains("negative") && e.contains("hint"), "{e}");
    let e = parse("term = \"infill\"\nspans = [\"action\"]\nrate = 0.5\n").unwrap().unwrap_err().to_string();
    assert!(e.contains("next_token"), "{e}");
    assert!(parse("term = \"infil\"").is_err());
}
