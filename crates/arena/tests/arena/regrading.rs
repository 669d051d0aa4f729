//! Stored attempts, graded again without the model.

use groundwork_arena::{Policy, Rollout, SuiteSpec, play, regrade};
use groundwork_trace::Trace;

use crate::doubles::{TOKENIZER, experts, garbage, replay, short_worlds};

fn suite() -> SuiteSpec {
    SuiteSpec {
        worlds: short_worlds(),
        tasks: 8,
        levels: vec![1, 3],
        max_tokens: 1024,
        ..SuiteSpec::default()
    }
}

fn check<P: Policy>(policy: &P, suite: &SuiteSpec) -> Vec<Rollout> {
    let rollouts = play(policy, &TOKENIZER, suite, &suite.tasks().unwrap(), &mut |_| {}).unwrap();
    for r in &rollouts {
        // By way of the text that is stored.
        let stored = Trace::parse(&r.trace.to_annotated()).unwrap();
        let again = regrade(&r.task, r.sample, r.ended, r.tokens, r.said, &stored).unwrap();
        assert_eq!(again.differs_at, None, "{}", r.trace.to_annotated());
        assert_eq!(&again.rollout, r);
    }
    rollouts
}

#[test]
fn a_second_grade_is_the_first() {
    let tasks = suite().tasks().unwrap();
    let rollouts = check(&replay(&experts(&tasks)), &suite());
    assert!(rollouts.iter().all(|r| r.success));
    for (max_tokens, max_span, max_steps) in [(300, 128, 24), (200, 6, 24), (1024, 128, 2)] {
        let suite = SuiteSpec { temperature: 1.5, tasks: 16, max_tokens, max_span, max_steps, ..suite() };
        check(&garbage(), &suite);
    }
}

#[test]
fn another_world_and_another_word_are_noticed() {
    let suite = suite();
    let rollout = check(&replay(&experts(&suite.tasks().unwrap())), &suite).remove(0);
    let again = |trace: &Trace| {
        regrade(&rollout.task, 0, rollout.ended, rollout.tokens, rollout.said, trace).unwrap()
    };
    let mut changed = rollout.trace.clone();
    let place = changed.spans.iter().position(|s| s.kind.keyword() == "observation").unwrap();
    changed.spans[place].body = "\"something else\"".into();
    assert_eq!(again(&changed).differs_at, Some(place));
    let mut wrong = rollout.trace.clone();
    wrong.spans.last_mut().unwrap().body = "42".into();
    assert!(!again(&wrong).rollout.success && again(&wrong).differs_at.is_none());
    let mut short = rollout.trace.clone();
    short.spans.truncate(1);
    assert!(!again(&short).rollout.success && again(&short).differs_at == Some(1));
}
