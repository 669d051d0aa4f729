//! What every world must keep to, whatever its level and fault.

use std::collections::{BTreeMap, BTreeSet};

use groundwork_trace::{ActionStatus, Attempt, Call, Span, SpanKind, Tool, Trace, Value};
use groundwork_worlds::{
    Declare, Episode, FaultKind, MAX_LEVEL, Outcome, Split, Task, WorldError, chain, faults_of, formula,
    name_split, pattern, tool_set, topology, world_names,
};

/// Tasks of every world, level, fault (and none) and split, `seeds` of each.
fn tasks(seeds: u64) -> impl Iterator<Item = Task> {
    tasks_of(&LEVELS, seeds)
}

const LEVELS: [u32; MAX_LEVEL as usize] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/// As [`tasks`], of some levels only: for what takes long in crowded worlds.
fn tasks_of(levels: &'static [u32], seeds: u64) -> impl Iterator<Item = Task> {
    world_names().iter().flat_map(move |world| {
        let faults = faults_of(world).expect("a listed world").iter().map(|f| Some(*f));
        let faults: Vec<Option<FaultKind>> = std::iter::once(None).chain(faults).collect();
        levels.iter().flat_map(move |&level| {
            let faults = faults.clone();
            Split::ALL.into_iter().flat_map(move |split| {
                let faults = faults.clone();
                // Fewer of the levels that take longest.
                let seeds = if level < 7 { seeds } else { seeds.div_ceil(6) };
                (0..seeds).flat_map(move |seed| {
                    faults.clone().into_iter().map(move |fault| Task {
                        world: (*world).to_owned(),
                        split,
                        seed,
                        level,
                        fault,
                    })
                })
            })
        })
    })
}

fn trace(task: &Task) -> Trace {
    Episode::expert_trace(task, Declare::Name).expect("a valid task")
}

fn episode(task: &Task) -> Episode {
    Episode::new(task).expect("a valid task")
}

fn goal(episode: &Episode) -> String {
    let prompt = episode.prompt(Declare::None);
    prompt.into_iter().find(|s| s.kind == SpanKind::Goal).expect("a goal").body
}

/// The expert's own actions: not those that the prompt tells, which have no weight.
fn actions(trace: &Trace) -> impl Iterator<Item = &Span> {
    trace.spans.iter().filter(|s| s.kind == SpanKind::Action && s.weight.is_none())
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|w| !w.is_empty())
}

/// In the language's own eyes too: declarations, actions and what answers them fit together.
#[test]
fn expert_traces_pass_the_checker() {
    let known = |name: &str| tool_set(name).map(<[Tool]>::to_vec).ok_or_else(|| "unknown".to_owned());
    for task in tasks(2) {
        let text = trace(&task).to_annotated();
        let found = groundwork_trace::check(&text, known);
        assert!(found.0.is_empty(), "{task:?}\n{}", found.render(&text, "trace", false));
    }
}

#[test]
fn the_expert_solves_every_task_and_its_trace_replays() {
    for task in tasks(12) {
        let trace = trace(&task);
        let mut episode = episode(&task);
        let prompt = episode.prompt(Declare::Name);
        assert_eq!(trace.spans[..prompt.len()], prompt);
        let mut spans = trace.spans[prompt.len()..].iter();
        while let Some(span) = spans.next() {
            if span.kind == SpanKind::Action {
                let reply = episode.act(&span.body);
                assert_eq!(reply.status, ActionStatus::Fine, "{task:?} {}", span.body);
                assert_eq!(Some(&reply.span), spans.next(), "{task:?}");
                if reply.turn.is_some() {
                    assert_eq!(reply.turn.as_ref(), spans.next(), "{task:?}");
                }
                assert_eq!(reply.failed, span.failed, "{task:?}");
                assert_eq!(reply.failed, reply.span.kind == SpanKind::Error);
            }
        }
        let answer = trace.spans.last().expect("an answer");
        assert_eq!(answer.kind, SpanKind::Answer, "{task:?}");
        let verdict = episode.verify(&answer.body);
        assert!(verdict.success && verdict.collateral == 0, "{task:?}\n{}", trace.to_text());
        assert!(!episode.verify(&format!("{} x", answer.body)).success);
        assert_eq!(episode.steps() as usize, actions(&trace).count());
    }
}

#[test]
fn the_fault_is_met_marked_and_reflected_on_and_the_clean_expert_never_fails() {
    for task in tasks(12) {
        let trace = trace(&task);
        let faulty: Vec<usize> = (0..trace.spans.len()).filter(|i| trace.spans[*i].fault.is_some()).collect();
        let Some(fault) = task.fault else {
            assert!(
                faulty.is_empty() && trace.spans.iter().all(|s| !s.failed),
                "{task:?}\n{}",
                trace.to_text()
            );
            assert!(trace.spans.iter().all(|s| s.kind != SpanKind::Reflection), "{task:?}");
            continue;
        };
        let mut episode = episode(&task);
        let told = matches!(fault, FaultKind::Planted | FaultKind::Inherited);
        assert_eq!(episode.fault_met(), told);
        actions(&trace).for_each(|a| drop(episode.act(&a.body)));
        assert!(episode.fault_met(), "{task:?}\n{}", trace.to_text());
        assert!(!faulty.is_empty(), "{task:?}");
        for i in faulty {
            let span = &trace.spans[i];
            assert_eq!(span.fault.as_deref(), Some(fault.as_str()));
            // What is not true may be noticed later.
            let reflects = |s: &Span| s.kind == SpanKind::Reflection;
            let noticed = if fault == FaultKind::Wrong {
                trace.spans[i..].iter().any(reflects)
            } else {
                reflects(&trace.spans[i + 1])
            };
            assert!(noticed, "{task:?}\n{}", trace.to_text());
            if fault != FaultKind::Inherited {
                assert_eq!(trace.spans[i - 1].kind, SpanKind::Action);
                assert_eq!(trace.spans[i - 1].failed, span.kind == SpanKind::Error);
            }
            assert!(!fault.is_explicit() || span.kind == SpanKind::Error, "{task:?}");
        }
    }
}

#[test]
fn same_seed_same_bytes_and_other_seeds_other_tasks() {
    let mut goals: BTreeMap<(String, u32), BTreeSet<String>> = BTreeMap::new();
    for task in tasks(4) {
        assert_eq!(trace(&task), trace(&task.clone()));
        let goal = goal(&episode(&task.twin()));
        goals.entry((task.world, task.level)).or_default().insert(goal);
    }
    for ((world, level), goals) in goals {
        let expected = if level < 7 { 8 } else { 2 };
        assert_eq!(goals.len(), expected, "{world} {level}: {goals:?}");
    }
}

#[test]
fn the_expert_acts_legally_and_legal_actions_are_distinct_and_fit_the_declarations() {
    for task in tasks_of(&[1, 2, 3, 4, 7], 2).chain(tasks_of(&[12], 1)) {
        let mut episode = episode(&task);
        for action in actions(&trace(&task)) {
            let call = Call::parse(&action.body).expect("a call");
            let legal = episode.legal_actions();
            assert!(legal.contains(&call), "{task:?}: {call} is not legal");
            let distinct: BTreeSet<&Call> = legal.iter().collect();
            assert_eq!(distinct.len(), legal.len(), "{task:?}");
            for call in legal.iter().take(200) {
                let attempt = Attempt::parse(&call.to_string(), episode.tools());
                assert_eq!(attempt.status, ActionStatus::Fine, "{call}: {}", attempt.message);
            }
            episode.step(&call);
        }
    }
}

#[test]
fn clones_are_independent_and_equal_histories_hash_alike() {
    for task in tasks_of(&[1, 2, 3, 5], 3) {
        let calls: Vec<Call> =
            actions(&trace(&task)).map(|a| Call::parse(&a.body).expect("a call")).collect();
        let (mut a, mut b) = (episode(&task), episode(&task));
        for (i, call) in calls.iter().enumerate() {
            let before = a.state_hash();
            let mut clone = a.clone();
            let (x, y) = (a.step(call), b.step(call));
            assert_eq!(x, y);
            assert_eq!(a.state_hash(), b.state_hash());
            assert_eq!(clone.state_hash(), before, "{task:?}");
            // What the clone does instead leaves no trace in the original.
            let legal = clone.legal_actions();
            clone.step(&legal[i % legal.len()]);
            assert_eq!(a.state_hash(), b.state_hash());
            let mut again = b.clone();
            assert_eq!(again.legal_actions(), a.legal_actions());
            again.act("rubbish");
            assert_eq!(again.state_hash(), b.state_hash(), "a malformed attempt changes nothing");
        }
    }
    // Progress shows in the hash.
    let task = Task { world: "route".into(), split: Split::Train, seed: 1, level: 2, fault: None };
    let mut states: BTreeSet<u64> = BTreeSet::new();
    let mut walk = episode(&task);
    states.insert(walk.state_hash());
    for action in actions(&trace(&task)) {
        walk.act(&action.body);
        states.insert(walk.state_hash());
    }
    assert_eq!(states.len(), actions(&trace(&task)).count() + 1);
}

#[test]
fn the_twin_is_the_same_task_without_the_fault() {
    for task in tasks(6).filter(|t| t.fault.is_some()) {
        let (faulty, clean) = (episode(&task), episode(&episode(&task).twin()));
        assert_eq!(clean.task().fault, None);
        assert_eq!(faulty.tools(), clean.tools());
        let (faulty, clean) = (goal(&faulty), goal(&clean));
        if task.fault == Some(FaultKind::Misspelt) {
            assert_eq!(faulty.len(), clean.len());
            let letters = faulty.bytes().zip(clean.bytes()).filter(|(a, b)| a != b).count();
            assert_eq!(letters, 1, "{faulty} / {clean}");
        } else {
            assert_eq!(faulty, clean);
        }
        // The same answer is right in both.
        let answer = |t: &Task| trace(t).spans.last().expect("an answer").body.clone();
        assert_eq!(answer(&task), answer(&task.twin()), "{task:?}");
    }
}

#[test]
fn expert_traces_round_trip() {
    for task in tasks(2) {
        for declare in [Declare::Full, Declare::Name, Declare::None] {
            let trace = Episode::expert_trace(&task, declare).expect("a valid task");
            let text = trace.to_annotated();
            let back = Trace::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert_eq!(back, trace, "{text}");
        }
    }
}

#[test]
fn tool_sets_resolve_and_declarations_round_trip() {
    for world in world_names() {
        let Some(tools) = tool_set(world) else { continue };
        assert!(tools.len() >= 3, "the declarations of {world} parse");
        assert_eq!(Tool::parse_all(&Tool::print_all(tools)).expect("canonical print"), tools);
        assert!(tools.iter().any(|t| t.name == "ask"));
    }
    assert!(tool_set("nothing").is_none());
}

#[test]
fn junk_gives_errors_and_never_a_panic() {
    let bodies = [
        "",
        " ",
        "\0",
        "read",
        "read(",
        "read(path=\"",
        "go(to=3)",
        "go()",
        "go(to=\"x\", to=\"y\")",
        "fly(to=\"x\")",
        "pay(from=\"a\", to=\"b\", amount=\"c\")",
        "balance(of=null)",
        "list(dir=[1, {a: 2}])",
        "ask(name=\"\")",
        "read(path=\"🦀/é\")",
        "read(path=\"/\")",
        "move(path=\"a/b\", to=\"\")",
        "list(dir=\"///\")",
        "((((((((",
        "pay(from=\"a\", to=\"a\", amount=99999999999999999999999)",
        "take(from=\"a\", amount=-5)",
        "look() look()",
        "look(of=\"\")",
        "look(at=\"nobody\")",
        "swap(a=\"\", b=\"\")",
        "grant(key=\"x\", to=\"y\")",
        "add(a=99999999999999999999999, b=1)",
        "mul(a=1000000, b=-1000000)",
        "mul(a=-9223372036854775808, b=-1)",
        "sub(a=1e3, b=1)",
        "é(é=\"é\")",
        "list(dir=\"/\") trailing",
        "go(to=\"bada\"",
        "read(path=\"bada/kilo\", max=3)",
    ];
    for task in tasks(1) {
        let mut episode = episode(&task);
        for (i, body) in bodies.iter().enumerate() {
            let hash = episode.state_hash();
            let reply = episode.act(body);
            assert_eq!(episode.steps() as usize, i + 1);
            assert_eq!(reply.failed, reply.span.kind == SpanKind::Error);
            if reply.status != ActionStatus::Fine {
                assert!(reply.failed);
                assert_eq!(episode.state_hash(), hash);
            }
        }
        for call in [
            Call::new("fly", [("to", Value::str("x"))]),
            Call::new("ask", []),
            Call::new("ask", [("name", Value::int(3))]),
            Call::new("ask", [("nome", Value::str("x"))]),
            Call::new("ask", [("name", Value::str("x")), ("name", Value::str("y"))]),
        ] {
            assert!(matches!(episode.step(&call), Outcome::Error(_)), "{call}");
        }
        assert!(!episode.verify("").success);
    }
}

#[test]
fn own_bytes_are_what_nothing_said_before() {
    for task in tasks(3) {
        let trace = trace(&task);
        let mut shown = 0;
        for (i, span) in trace.spans.iter().enumerate() {
            for range in &span.own {
                assert_eq!(span.kind, SpanKind::Observation);
                assert!(!span.body[range.clone()].is_empty());
                shown += 1;
            }
            // A word read out of a file for the first time cannot have been said before.
            let read = i > 0 && trace.spans[i - 1].body.starts_with("read(");
            if task.world == "files" && read && !span.own.is_empty() {
                let word = &span.body[span.own[0].clone()];
                let before = trace.spans[..i].iter().any(|s| words(&s.body).any(|w| w == word));
                assert!(!before, "{task:?} {word}");
            }
        }
        assert!(shown > 0 || task.world != "ledger", "{task:?}");
    }
}

#[test]
fn no_test_name_stands_in_a_training_task() {
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    for world in world_names() {
        let faults = faults_of(world).expect("a listed world");
        for (split, count) in [(Split::Train, 3_000), (Split::Test, 1_500)] {
            for seed in 0..count {
                let fault = faults.get(seed as usize % (faults.len() + 1)).copied();
                let task =
                    Task { world: (*world).to_owned(), split, seed, level: 1 + (seed % 6) as u32, fault };
                for span in trace(&task).spans {
                    for word in words(&span.body) {
                        if let Some(side) = name_split(word) {
                            assert_eq!(side, split, "{task:?}: {word} in {}", span.body);
                            seen[split as usize].insert(word.to_owned());
                        }
                    }
                }
            }
        }
    }
    assert!(seen[0].is_disjoint(&seen[1]));
    assert!(seen[0].len() > 3_000 && seen[1].len() > 1_000, "{} {}", seen[0].len(), seen[1].len());
}

#[test]
fn no_test_topology_stands_in_a_training_task() {
    let mut seen = [BTreeSet::new(), BTreeSet::new()];
    for split in Split::ALL {
        for seed in 0..1_500 {
            let task = Task { world: "route".into(), split, seed, level: 1 + (seed % 3) as u32, fault: None };
            let goal = episode(&task).prompt(Declare::None)[0].body.clone();
            let mut numbers: BTreeMap<String, u8> = BTreeMap::new();
            let mut number = |name: &str| {
                let next = numbers.len() as u8;
                *numbers.entry(name.to_owned()).or_insert(next)
            };
            let roads: Vec<(u8, u8)> = goal
                .split([' ', ';'])
                .filter_map(|w| w.split_once('>'))
                .map(|(a, b)| (number(a), number(b)))
                .collect();
            let (_, ends) = goal.split_once("go from ").expect("the form of a goal");
            let (start, goal) = ends.split_once(" to ").expect("the form of a goal");
            let (signature, side) = topology(&roads, number(start), number(goal));
            assert_eq!(side, split);
            seen[split as usize].insert(signature);
        }
    }
    assert!(seen[0].is_disjoint(&seen[1]) && seen[1].len() >= 10);
}

#[test]
fn no_test_formula_or_pattern_stands_in_a_training_task() {
    type Signature = fn(&str) -> Option<(u64, Split)>;
    let structured: [(&str, u32, Signature); 4] = [
        ("arithmetic", 1, formula),
        ("arithmetic_mental", 1, formula),
        ("tracking", 3, pattern),
        ("library", 6, chain),
    ];
    for (world, from, signature) in structured {
        let mut seen = [BTreeSet::new(), BTreeSet::new()];
        for split in Split::ALL {
            for seed in 0..1_500 {
                let level = from + (seed % 3) as u32;
                let task = Task { world: world.into(), split, seed, level, fault: None };
                let goal = episode(&task).prompt(Declare::None)[0].body.clone();
                // Not every goal of a library is a chain.
                let Some((signature, side)) = signature(&goal) else {
                    assert_eq!(world, "library", "{goal}");
                    continue;
                };
                assert_eq!(side, split, "{goal}");
                seen[split as usize].insert(signature);
            }
        }
        assert!(seen[0].is_disjoint(&seen[1]) && seen[1].len() >= 10, "{world}");
    }
}

#[test]
fn recovery_costs_what_it_must() {
    for task in tasks(12).filter(|t| ["arithmetic", "tracking"].contains(&t.world.as_str())) {
        let Some(fault) = task.fault else { continue };
        let (faulty, clean) = (trace(&task), trace(&task.twin()));
        let more = actions(&faulty).count() - actions(&clean).count();
        let arithmetic = task.world == "arithmetic";
        let (least, most) = match fault {
            FaultKind::Transient if task.level < 3 => (1, 1),
            FaultKind::Timeout | FaultKind::Drift | FaultKind::Wrong => (1, 1),
            // What nobody asked for is taken back.
            FaultKind::Planted | FaultKind::Inherited => (1, 1),
            FaultKind::RateLimit => (2, 3),
            // The failed call, and a sum more for each product by three or four that is left.
            FaultKind::Removed => (1, 14),
            FaultKind::Transient | FaultKind::Misspelt | FaultKind::Denied => (2, 2),
            FaultKind::Stale if arithmetic => (1, 1),
            FaultKind::Gone if arithmetic => (1, 2),
            FaultKind::Gone => (2, 3),
            _ => (2, 2),
        };
        assert!((least..=most).contains(&more), "{task:?}: {more}\n{}", faulty.to_text());
    }
}

#[test]
fn arithmetic_stays_small() {
    for task in tasks(20).filter(|t| t.world == "arithmetic" && t.fault.is_none()) {
        let trace = trace(&task);
        let numbers = trace.spans.iter().flat_map(|s| s.body.split(|c: char| !c.is_ascii_digit()));
        assert!(numbers.filter_map(|n| n.parse::<i64>().ok()).all(|n| n <= 99), "{}", trace.to_text());
        assert_eq!(actions(&trace).count() as u32, 2 + task.level + task.level / 3);
        assert!(task.level > 2 || trace.to_text().len() < 450, "{}", trace.to_text());
    }
}

#[test]
fn tracking_cannot_be_copied_and_a_wrong_argument_fails() {
    for task in tasks(20).filter(|t| t.world == "tracking" && t.fault.is_none()) {
        let trace = trace(&task);
        let goal = &trace.spans[1].body;
        let answer = &trace.spans.last().expect("an answer").body;
        assert!(task.level > 2 || trace.to_text().len() < 450, "{}", trace.to_text());
        // Who stands beside the key where the goal last names it, but for the question.
        let (told, question) = goal.rsplit_once("; who has ").expect("the form of a goal");
        let key = question.trim_end_matches('?');
        let (listing, jobs) = told.split_once("; ").expect("the form of a goal");
        let listed = listing.split(", ").find(|p| words(p).skip(1).any(|w| w == key));
        let named = jobs.split("; ").filter(|j| words(j).any(|w| w == key)).last();
        let beside = named.and_then(|j| words(j).last()).or(listed.and_then(|p| words(p).next()));
        assert_ne!(beside, Some(answer.as_str()), "{goal}");
        // The expert's last call that changes something, made with another person, spoils it.
        let calls: Vec<Call> = actions(&trace).map(|a| Call::parse(&a.body).expect("a call")).collect();
        let mut played = episode(&task);
        let changing = |c: &&Call| c.tool != "swap";
        let Some(wrong) = calls.iter().rposition(|c| changing(&c)) else { continue };
        for (i, call) in calls.iter().enumerate() {
            let mut call = call.clone();
            if i == wrong {
                let person = words(listing).next().expect("a person");
                let other = words(listing.split(", ").nth(1).expect("two people")).next().expect("a person");
                let last = call.args.last_mut().expect("arguments");
                last.1 = Value::str(if last.1.as_str() == Some(person) { other } else { person });
            }
            played.step(&call);
        }
        assert!(!played.verify(answer).success, "{goal}\n{}", calls[wrong]);
    }
}

#[test]
fn tracking_lets_one_look_once() {
    let task = Task { world: "tracking".into(), split: Split::Train, seed: 1, level: 1, fault: None };
    let mut episode = episode(&task);
    let goal = episode.prompt(Declare::None)[0].body.clone();
    let mut words = words(&goal);
    let (person, key) = (words.next().expect("a person"), words.next().expect("a key"));
    let look = format!("look(at=\"{person}\")");
    assert_eq!(episode.act(&look).span.body, format!("[\"{key}\"]"));
    assert_eq!(episode.act(&look).span.body, "Spent");
    assert_eq!(episode.verify("").collateral, 0, "looking is no damage");
    for call in episode.legal_actions().iter().filter(|c| c.tool == "grant") {
        episode.step(call);
    }
    assert!(episode.verify("").collateral > 0, "keys for everybody are");
}

#[test]
fn a_wrong_task_is_refused_with_a_hint() {
    let task = |world: &str, level, fault| Task {
        world: world.to_owned(),
        split: Split::Train,
        seed: 0,
        level,
        fault,
    };
    let message = |t: Task| Episode::new(&t).map(drop).expect_err("refused").to_string();
    assert_eq!(
        message(task("fils", 1, None)),
        format!(
            "there is no world called `fils` (did you mean `files`?); the worlds are {}",
            world_names().join(", ")
        )
    );
    assert!(
        message(task("route", 1, Some(FaultKind::Limit))).contains("does not occur in the world `route`")
    );
    assert!(message(task("route", 0, None)).contains("from 1 to 12"));
    assert!(matches!(Episode::new(&task("route", 13, None)), Err(WorldError::Level { .. })));
    let fault = "mispelt".parse::<FaultKind>().expect_err("misspelt itself").to_string();
    assert!(fault.contains("did you mean `misspelt`?"), "{fault}");
}
