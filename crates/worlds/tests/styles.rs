//! Styles of telling: every one replays, solves, and adds what it promises.

use groundwork_trace::SpanKind;
use groundwork_worlds::{
    Declare, Episode, Split, Style, Task, faults_of, replays, styled_trace, styled_trace_at, world_names,
};

fn tasks(seeds: u64, levels: &[u32]) -> Vec<Task> {
    let mut tasks = Vec::new();
    for world in world_names() {
        for &level in levels {
            let faults = faults_of(world).unwrap().iter().map(|f| Some(*f)).chain([None]);
            for fault in faults {
                let task = |seed| Task { world: (*world).into(), split: Split::Train, seed, level, fault };
                tasks.extend((0..seeds).map(task));
            }
        }
    }
    tasks
}

#[test]
fn every_style_replays_to_a_solution() {
    for task in tasks(1, &[1, 4]) {
        for style in Style::ALL {
            let trace = styled_trace(&task, Declare::Name, style, 3).unwrap();
            let found = replays(&task, &trace).unwrap();
            assert_eq!(found, Ok(()), "{task:?} {style}\n{}", trace.to_annotated());
            assert_eq!(trace, styled_trace(&task, Declare::Name, style, 3).unwrap());
        }
    }
}

#[test]
fn styles_add_what_they_promise() {
    let count = |style: Style, kind: SpanKind| {
        let all = tasks(10, &[2]).into_iter().filter(|t| t.fault.is_none());
        let traces = all.map(|t| styled_trace(&t, Declare::Name, style, 1).unwrap());
        traces.map(|t| t.spans.iter().filter(|s| s.kind == kind).count()).sum::<usize>()
    };
    let actions = count(Style::Plan, SpanKind::Action);
    assert_eq!(count(Style::Terse, SpanKind::Action), actions);
    for kind in [SpanKind::Plan, SpanKind::Thought, SpanKind::Reflection] {
        assert_eq!(count(Style::Terse, kind), 0, "{kind}");
    }
    assert!(count(Style::Thought, SpanKind::Thought) >= actions);
    assert!(count(Style::Decide, SpanKind::Thought) * 2 > actions);
    assert_eq!(count(Style::Decide, SpanKind::Action), actions);
    assert!(count(Style::Explore, SpanKind::Action) * 10 > actions * 11);
    assert!(count(Style::Mistakes, SpanKind::Action) * 10 > actions * 11);
    assert!(count(Style::Mistakes, SpanKind::Error) > count(Style::Plan, SpanKind::Error));
    assert!(count(Style::Explore, SpanKind::Error) == count(Style::Plan, SpanKind::Error));
}

#[test]
fn wrong_thoughts_are_taken_back_as_often_as_the_rate_says() {
    let task =
        |seed| Task { world: "arithmetic_mental".into(), split: Split::Train, seed, level: 6, fault: None };
    let count = |rate: f64, kind: SpanKind| {
        let told = |seed| styled_trace_at(&task(seed), Declare::Name, Style::Retract, rate, 1).unwrap();
        (0..60).map(|s| told(s).spans.iter().filter(|s| s.kind == kind).count()).sum::<usize>()
    };
    let right = count(0.0, SpanKind::Thought);
    assert_eq!(count(0.0, SpanKind::Reflection), 0);
    for rate in [0.2, 0.5, 1.0] {
        let taken_back = count(rate, SpanKind::Reflection);
        assert_eq!(count(rate, SpanKind::Thought), right + taken_back, "each wrong thought is taken back");
        let share = taken_back as f64 / right as f64;
        assert!((share - rate).abs() < 0.07, "{share} of {rate}");
    }
}

#[test]
fn a_changed_record_is_found_out() {
    let task = Task { world: "files".into(), split: Split::Train, seed: 1, level: 3, fault: None };
    let trace = Episode::expert_trace(&task, Declare::Full).unwrap();
    assert_eq!(replays(&task, &trace).unwrap(), Ok(()));
    let at = trace.spans.iter().position(|s| s.kind == SpanKind::Observation).unwrap();
    let mut changed = trace.clone();
    changed.spans[at].body.push('x');
    let parted = replays(&task, &changed).unwrap().unwrap_err();
    assert_eq!((parted.span, parted.what), (at, "the result differs"));
    assert_eq!(parted.world.as_ref(), Some(&trace.spans[at]));
    let mut wrong = trace.clone();
    wrong.spans.last_mut().unwrap().body = "no".into();
    assert_eq!(replays(&task, &wrong).unwrap().unwrap_err().what, "the task is not solved");
    let mut short = trace.clone();
    short.spans.pop();
    assert_eq!(replays(&task, &short).unwrap().unwrap_err().what, "there is no answer");
    let mut other = trace;
    other.spans[1].body.push('.');
    assert_eq!(replays(&task, &other).unwrap().unwrap_err().what, "the prompt differs");
    assert!("explor".parse::<Style>().unwrap_err().to_string().contains("did you mean `explore`"));
}
