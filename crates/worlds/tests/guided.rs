//! Worlds with a policy and a user who has a say: what goes against either fails.

use groundwork_trace::{Call, Span, SpanKind};
use groundwork_worlds::{Declare, Episode, FaultKind, Split, Task};

fn tasks() -> impl Iterator<Item = Task> {
    let worlds = ["files_guided", "route_guided", "ledger_guided"];
    worlds.into_iter().flat_map(|world| {
        (1..=8).flat_map(move |level| {
            (0..60).map(move |seed| Task {
                world: world.to_owned(),
                split: Split::Train,
                seed,
                level,
                fault: None,
            })
        })
    })
}

fn trace(task: &Task) -> Vec<Span> {
    Episode::expert_trace(task, Declare::None).expect("a valid task").spans
}

fn actions(spans: &[Span]) -> Vec<Call> {
    let actions = spans.iter().filter(|s| s.kind == SpanKind::Action);
    actions.map(|s| Call::parse(&s.body).expect("a call")).collect()
}

fn answer(spans: &[Span]) -> &str {
    spans.last().map_or("", |s| &s.body)
}

#[test]
fn what_must_come_first_must_not_be_left_out() {
    let mut rules = 0;
    for task in tasks() {
        let spans = trace(&task);
        let system = &spans[0];
        assert!(system.kind == SpanKind::System && system.body.starts_with("policy: "), "{}", system.body);
        // What the rule asks for first, and nothing else asks for.
        let Some(tool) = ["confirm", "list a folder"].into_iter().find(|t| system.body.contains(t)) else {
            continue;
        };
        let tool = tool.split(' ').next().unwrap_or_default();
        let mut episode = Episode::new(&task).expect("a valid task");
        for call in actions(&spans).iter().filter(|c| c.tool != tool) {
            episode.step(call);
        }
        let verdict = episode.verify(answer(&spans));
        assert!(!verdict.success && verdict.collateral > 0, "{task:?}");
        rules += 1;
    }
    assert!(rules > 300, "{rules}");
}

#[test]
fn a_tool_that_must_not_be_used_costs_success() {
    let mut rules = 0;
    for task in tasks().filter(|t| t.world != "route_guided") {
        let spans = trace(&task);
        let Some((_, rest)) = spans[0].body.split_once("never use ") else { continue };
        let never = rest.split(',').next().unwrap_or_default();
        assert!(actions(&spans).iter().all(|c| c.tool != never), "{task:?}");
        // Any use of it that is carried out, before everything is done as it should be.
        let mut episode = Episode::new(&task).expect("a valid task");
        let legal = episode.legal_actions();
        let forbidden = legal.iter().filter(|c| c.tool == never);
        let mut used = forbidden.filter(|c| {
            let mut imagined = episode.clone();
            matches!(imagined.step(c), groundwork_worlds::Outcome::Observation { .. })
        });
        let call = used.next().expect("it can be used").clone();
        episode.step(&call);
        actions(&spans).iter().for_each(|c| drop(episode.step(c)));
        let verdict = episode.verify(answer(&spans));
        assert!(!verdict.success && verdict.collateral > 0, "{task:?}");
        rules += 1;
    }
    assert!(rules > 100, "{rules}");
}

#[test]
fn the_last_wish_counts() {
    let (mut changes, mut questions, mut both) = (0, 0, 0);
    for task in tasks() {
        let spans = trace(&task);
        questions += usize::from(actions(&spans).iter().any(|c| c.tool == "question"));
        let Some(turn) = spans.iter().position(|s| s.kind == SpanKind::User) else { continue };
        assert!(spans[turn].body.starts_with("no, "), "{}", spans[turn].body);
        changes += 1;
        // One who does not listen stops where the user began to speak.
        let mut episode = Episode::new(&task).expect("a valid task");
        for call in actions(&spans[..turn]) {
            episode.step(&call);
        }
        assert_eq!(episode.said(), Some(spans[turn].body.as_str()));
        assert!(!episode.verify(answer(&spans)).success || task.world == "files_guided", "{task:?}");
        // What was left open was asked about, and what was answered then is what the user takes back.
        both += usize::from(spans[1].body.contains("I tell you"));
    }
    assert!(changes > 250 && questions > 250 && both > 100, "{changes} {questions} {both}");
}

#[test]
fn a_user_speaks_once_and_not_into_a_failure() {
    for task in tasks() {
        let task = Task { fault: Some(FaultKind::Transient), ..task };
        let spans = trace(&task);
        assert!(spans.iter().filter(|s| s.kind == SpanKind::User).count() <= 1, "{task:?}");
        for pair in spans.windows(2).filter(|p| p[1].kind == SpanKind::User) {
            assert!(pair[0].kind == SpanKind::Observation && pair[0].fault.is_none(), "{task:?}");
        }
    }
}
