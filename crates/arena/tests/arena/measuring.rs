//! Teacher forcing and ranks, with policies whose numbers are known, and with the decoder.

use groundwork_arena::{Policy, SuiteSpec, breakdown, evaluate, likelihoods, play, rank, summarise};
use groundwork_model::{Decoder, ModelSpec};
use groundwork_trace::{Span, SpanKind, Trace};

use crate::doubles::{TOKENIZER, experts, garbage, replay, short_worlds, tokens, uniform};

fn suite() -> SuiteSpec {
    SuiteSpec { worlds: short_worlds(), tasks: 4, max_tokens: 1024, ..SuiteSpec::default() }
}

fn encoded(span: &Span) -> usize {
    tokens(std::slice::from_ref(span)).len()
}

#[test]
fn a_uniform_model_needs_the_logarithm_of_the_vocabulary() {
    let tasks = suite().tasks().unwrap();
    let traces = experts(&tasks);
    let bit = (TOKENIZER.vocabulary() as f64).log2();
    let measured = likelihoods(&uniform(), &TOKENIZER, &traces, 1024, &mut |_| {});
    for (trace, measured) in traces.iter().zip(measured) {
        let measured = measured.unwrap();
        // What the prompt tells of is not the agent's doing, and has no weight.
        let own = |s: &&Span| s.weight != Some(0.0);
        let actions: Vec<&Span> =
            trace.spans.iter().filter(|s| s.kind == SpanKind::Action).filter(own).collect();
        let bytes: usize = actions.iter().map(|s| s.body.len() + 1).sum();
        assert_eq!(measured.action_bytes, bytes as u64);
        let count: usize = actions.iter().map(|s| encoded(s)).sum();
        assert!((measured.action_bits / (bit * count as f64) - 1.0).abs() < 1e-12);

        let fault = trace.spans.iter().position(|s| s.fault.is_some());
        let after = fault.map_or(&[][..], |at| &trace.spans[at + 1..]);
        let after: Vec<&Span> = after
            .iter()
            .filter(|s| matches!(s.kind, SpanKind::Action | SpanKind::Answer))
            .filter(own)
            .collect();
        assert_eq!(measured.recovery_bytes, after.iter().map(|s| s.body.len() as u64 + 1).sum::<u64>());
        let count: usize = after.iter().map(|s| encoded(s)).sum();
        assert!((measured.recovery_bits - bit * count as f64).abs() < 1e-9);
    }
}

#[test]
fn bits_depend_on_the_trace_alone() {
    let traces = experts(&suite().tasks().unwrap());
    let together = likelihoods(&garbage(), &TOKENIZER, &traces, 1024, &mut |_| {});
    for (trace, expected) in traces.iter().zip(&together).step_by(7) {
        let alone = likelihoods(&garbage(), &TOKENIZER, std::slice::from_ref(trace), 1024, &mut |_| {});
        assert_eq!(&alone[0], expected);
    }
    let longest = traces.iter().map(|t| tokens(&t.spans).len()).max().unwrap();
    let short = likelihoods(&garbage(), &TOKENIZER, &traces, longest - 1, &mut |_| {});
    for (trace, (expected, short)) in traces.iter().zip(together.iter().zip(&short)) {
        assert_eq!(short, if tokens(&trace.spans).len() < longest { expected } else { &None });
    }
}

#[test]
fn who_knows_the_expert_ranks_it_first() {
    let tasks = suite().tasks().unwrap();
    let traces = experts(&tasks);
    let knows = replay(&traces);
    for (task, trace) in tasks.iter().zip(&traces).step_by(5) {
        let ranking = rank(&knows, &TOKENIZER, task, trace, 16, 1024).unwrap();
        assert!(ranking.actions > 0);
        assert_eq!(ranking.ranks, f64::from(ranking.actions), "{task:?}");
        assert_eq!(ranking.reciprocal_ranks, f64::from(ranking.actions));
        assert!(ranking.chance < ranking.reciprocal_ranks);
        assert!(ranking.candidates <= 16 * ranking.actions);
        let two = rank(&knows, &TOKENIZER, task, trace, 2, 1024).unwrap();
        assert_eq!((two.candidates, two.chance), (2 * two.actions, 0.75 * f64::from(two.actions)));
    }
}

#[test]
fn an_evaluation_has_it_all() {
    let suite = SuiteSpec { rank_tasks: 5, ..suite() };
    let tasks = suite.tasks().unwrap();
    let mut seen = Vec::new();
    let rows = evaluate(&replay(&experts(&tasks)), &TOKENIZER, &suite, &mut |p| seen.push(p)).unwrap();
    assert!(seen.windows(2).all(|w| w[0].done <= w[1].done));
    assert!(seen.last().is_some_and(|p| p.done == p.of));
    assert_eq!(rows.len(), tasks.len());
    assert_eq!(rows.iter().filter(|r| r.ranked_actions > 0).count(), 5);
    let metrics = summarise(&rows);
    for name in ["success_rate", "success_clean", "success_faulty", "recovery_rate", "expert_action_mrr"] {
        assert_eq!(metrics[name].value, 1.0, "{name}");
    }
    for name in ["malformed_rate", "excess_steps", "recovery_gap"] {
        assert_eq!(metrics[name].value, 0.0, "{name}");
    }
    assert!(metrics["bits_per_action_byte"].value < 1e-3);
    assert!(metrics["recovery_bits_per_byte"].value < 1e-3);
    assert!(breakdown(&rows).len() > 20);
}

#[test]
fn attempts_share_what_is_measured_once() {
    let suite =
        SuiteSpec { samples: 2, temperature: 1.0, tasks: 1, levels: vec![1], rank_tasks: 2, ..suite() };
    let rows = evaluate(&garbage(), &TOKENIZER, &suite, &mut |_| {}).unwrap();
    assert!(rows.iter().all(|r| (r.action_bytes > 0) == (r.sample == 0)));
    assert!(rows.iter().all(|r| r.ranked_actions == 0 || r.sample == 0));
}

/// A decoder that is not fresh: every weight that starts at zero is filled with noise.
fn decoder() -> Decoder {
    let spec = ModelSpec { size: "0.1M".into(), ..ModelSpec::default() };
    let config = spec.resolve(TOKENIZER.vocabulary()).unwrap();
    let fresh = Decoder::new(&config, 3, &Default::default());
    let mut weights = fresh.weights();
    let mut noise = 1u64;
    for (values, _) in weights.values_mut().filter(|(values, _)| values.iter().all(|v| *v == 0.0)) {
        for value in values {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            *value = ((noise >> 40) as f32 / (1 << 24) as f32 - 0.5) * 0.5;
        }
    }
    Decoder::with_weights(&config, &weights, "memory".as_ref(), &Default::default()).unwrap()
}

#[test]
fn a_fresh_decoder_is_uniform() {
    let config =
        ModelSpec { size: "0.1M".into(), ..ModelSpec::default() }.resolve(TOKENIZER.vocabulary()).unwrap();
    let fresh = Decoder::new(&config, 3, &Default::default());
    let traces = experts(&suite().tasks().unwrap()[..4]);
    let expected = likelihoods(&uniform(), &TOKENIZER, &traces, 1024, &mut |_| {});
    for (measured, expected) in
        likelihoods(&fresh, &TOKENIZER, &traces, 1024, &mut |_| {}).iter().zip(expected)
    {
        let (measured, expected) = (measured.as_ref().unwrap(), expected.unwrap());
        assert!((measured.action_bits / expected.action_bits - 1.0).abs() < 1e-5);
    }
}

#[test]
fn the_decoders_two_forms_agree() {
    let decoder = decoder();
    let trace = &experts(&suite().tasks().unwrap()[..1])[0];
    let line = tokens(&trace.spans);
    let vocabulary = Policy::vocabulary(&decoder);
    let forced = Policy::logits(&decoder, &line, &vec![1; line.len()], 1);
    let mut state = decoder.start(2);
    for (at, &token) in line.iter().enumerate() {
        let stepped = Policy::step(&decoder, &[(0, &[token]), (1, &[token])], &mut state);
        let expected = &forced[at * vocabulary..(at + 1) * vocabulary];
        for row in stepped.chunks(vocabulary) {
            let off = row.iter().zip(expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-3, "position {at}: {off}");
        }
    }
}

#[test]
fn the_decoder_plays_alike_in_every_batch() {
    let decoder = decoder();
    let suite = |batch| SuiteSpec { batch, tasks: 2, max_tokens: 150, temperature: 1.0, ..suite() };
    let tasks = suite(1).tasks().unwrap();
    let play = |batch| play(&decoder, &TOKENIZER, &suite(batch), &tasks, &mut |_| {}).unwrap();
    let alone = play(1);
    let spoke = |t: &Trace| t.spans.iter().filter(|s| s.kind.is_agents()).count();
    assert!(alone.iter().any(|r| spoke(&r.trace) > 1));
    assert_eq!(alone, play(5));
}
