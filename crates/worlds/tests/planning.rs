//! Planning problems from files: any PDDL domain is a world, and mistakes in it are told with their place.

use groundwork_trace::{SpanKind, Value};
use groundwork_worlds::{Declare, Episode, FaultKind, Split, Task, WorldError, faults_of, tool_set};

fn path(file: &str) -> String {
    format!("{}/tests/pddl/{file}", env!("CARGO_MANIFEST_DIR"))
}

fn world(domain: &str, problem: &str) -> String {
    format!("pddl:{}:{}", path(domain), path(problem))
}

fn task(world: &str, level: u32, fault: Option<FaultKind>) -> Task {
    Task { world: world.to_owned(), split: Split::Train, seed: 3, level, fault }
}

#[test]
fn a_domain_and_problem_of_files_are_a_world() {
    let ferry = world("ferry.pddl", "two-cars.pddl");
    let mut episode = Episode::new(&task(&ferry, 1, None)).unwrap();
    let names: Vec<&str> = episode.tools().iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["sail_to", "board", "debark", "state", "about", "wait", "ask"]);
    assert_eq!(
        episode.tools()[0].doc,
        "Needs port from, port to, at ship from, not from = to; makes at ship to, not at ship from."
    );
    let prompt = episode.prompt(Declare::Name);
    assert!(prompt[0].body.contains("sail_to(from: str, to: str)"), "no name stands for these tools");
    assert_eq!(
        prompt[1].body,
        "at ship dover, at mini dover, at beetle calais; reach at mini calais, at beetle ostend, not loaded"
    );
    for (said, heard) in [
        ("board(c=\"beetle\", p=\"dover\")", "Unmet(\"at beetle dover\")"),
        ("sail_to(from=\"dover\", to=\"dover\")", "Unmet(\"not dover = dover\")"),
        ("board(c=\"ship\", p=\"dover\")", "Unfit(\"ship\")"),
        ("board(c=\"trabant\", p=\"dover\")", "NotFound(\"trabant\")"),
        ("board(c=\"mini\", p=\"dover\")", "\"ok\""),
        ("about(name=\"mini\")", "[\"aboard mini\"]"),
        ("state()", "[\"at ship dover\", \"at beetle calais\", \"aboard mini\", \"loaded\"]"),
    ] {
        assert_eq!(episode.act(said).span.body, heard, "{said}");
    }
    assert!(!episode.verify("done").success);
    assert!(tool_set(&ferry).is_none());
}

#[test]
fn the_expert_solves_it_optimally_under_every_fault_and_its_traces_replay() {
    let ferry = world("ferry.pddl", "two-cars.pddl");
    for fault in faults_of(&ferry).unwrap().iter().map(|f| Some(*f)).chain([None]) {
        for level in [1, 5] {
            let task = task(&ferry, level, fault);
            let trace = Episode::expert_trace(&task, Declare::Name).unwrap();
            let mut episode = Episode::new(&task).unwrap();
            let actions = trace.spans.iter().filter(|s| s.kind == SpanKind::Action);
            actions.for_each(|a| drop(episode.act(&a.body)));
            assert!(episode.verify("done").success, "{}", trace.to_text());
            assert_eq!(episode.fault_met(), fault.is_some());
            if fault.is_none() {
                // board sail debark, board sail debark, and a look where the goal does not tell.
                assert_eq!(episode.steps(), if level < 4 { 6 } else { 7 });
            }
            let found = groundwork_trace::check(&trace.to_annotated(), |_| Err(String::new()));
            assert!(found.0.is_empty(), "{found}\n{}", trace.to_text());
        }
    }
    assert!(matches!(
        Episode::new(&task(&ferry, 1, Some(FaultKind::Closed))),
        Err(WorldError::FaultNotHere { .. })
    ));
}

/// A mistake, made by replacing a piece of a good file, and the place and words that it must be told with.
fn told(file: &str, piece: &str, instead: &str) -> String {
    let text = std::fs::read_to_string(path(file)).unwrap();
    assert!(text.contains(piece), "{piece}");
    let folder = std::env::temp_dir().join(format!("groundwork-pddl-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let wrong = folder.join(format!(
        "{:x}.pddl",
        piece
            .bytes()
            .chain(instead.bytes())
            .fold(7u64, |h, b| { h.wrapping_mul(31).wrapping_add(u64::from(b)) })
    ));
    std::fs::write(&wrong, text.replacen(piece, instead, 1)).unwrap();
    let wrong = wrong.display();
    let name = match file {
        "ferry.pddl" => format!("pddl:{wrong}:{}", path("two-cars.pddl")),
        _ => format!("pddl:{}:{wrong}", path("ferry.pddl")),
    };
    let error = Episode::new(&task(&name, 1, None)).map(drop).expect_err(instead).to_string();
    std::fs::remove_file(wrong.to_string()).unwrap();
    error
}

#[test]
fn mistakes_are_told_with_file_line_and_column() {
    for (file, piece, instead, says) in [
        ("ferry.pddl", "(loaded))\n", "(loaded)))))\n", "line 7, column 82"),
        ("ferry.pddl", "(domain Ferry)", "(domain Ferry", "line 3, column 1"),
        ("ferry.pddl", ":equality", ":fluents", "`:fluents` is not supported"),
        ("ferry.pddl", "(aboard ?c) (loaded)", "(abord ?c) (loaded)", "line 15, column 18"),
        ("ferry.pddl", "(at ?c ?p) (at ship", "(at ?c) (at ship", "`at` has 2 places, not 1"),
        (
            "ferry.pddl",
            "(aboard ?c) (at",
            "(aboard ?k) (at",
            "neither a parameter of this action nor a constant",
        ),
        ("ferry.pddl", "?from ?to - port", "?from ?to - harbour", "the types are object, port"),
        ("ferry.pddl", "(not (loaded)))\n", "(or (loaded)))\n", "`or` is not supported"),
        ("ferry.pddl", "debark", "wait", "two of its tools would be called `wait`"),
        ("two-cars.pddl", "(:domain ferry)", "(:domain blocks)", "the domain read before is `ferry`"),
        ("two-cars.pddl", "(at mini dover)", "(at maxi dover)", "line 4, column 30"),
        ("two-cars.pddl", "(at mini dover)", "(at dover mini)", "of the wrong type"),
        ("two-cars.pddl", "(at mini calais)", "(at mini dover) (at mini calais)", "no plan was found"),
        ("two-cars.pddl", "(at mini calais) (at beetle ostend)", "(at mini dover)", "holds in the beginning"),
        ("two-cars.pddl", "(:goal", "(:ziel", "`:ziel` is not understood"),
    ] {
        let error = told(file, piece, instead);
        assert!(error.contains(says), "{instead}: {error}");
    }
    let missing = Episode::new(&task("pddl:a.pddl:b.pddl", 1, None)).map(drop).expect_err("missing");
    assert!(missing.to_string().starts_with("cannot read `a.pddl`"));
    let one = Episode::new(&task("pddl:a.pddl", 1, None)).map(drop).expect_err("one file");
    assert!(one.to_string().contains("write `pddl:DOMAIN:PROBLEM`"), "{one}");
}

#[test]
fn any_bytes_are_read_or_refused_but_never_panic() {
    let good = std::fs::read_to_string(path("ferry.pddl")).unwrap();
    let folder = std::env::temp_dir().join(format!("groundwork-pddl-cut-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for at in (0..good.len()).step_by(3) {
        let file = folder.join(format!("{at}.pddl"));
        // Cut off, and with a bracket gone.
        let text = if at % 2 == 0 { good[..at].to_owned() } else { good.replacen(&good[at..at + 1], "", 1) };
        std::fs::write(&file, text).unwrap();
        let name = format!("pddl:{}:{}", file.display(), path("two-cars.pddl"));
        drop(Episode::new(&task(&name, 1, None)));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn worlds_of_our_own_refuse_and_answer_as_they_say() {
    for world in ["blocks", "gripper", "logistics", "sokoban"] {
        let trace = Episode::expert_trace(&task(world, 2, None), Declare::Full).unwrap();
        assert!(trace.to_text().len() < 4_000, "{}", trace.to_text());
        let mut episode = Episode::new(&task(world, 2, None)).unwrap();
        let steps: Vec<_> = episode.legal_actions();
        let mut refused = 0;
        for call in &steps {
            let mut copy = episode.clone();
            let hash = copy.state_hash();
            let reply = copy.act(&call.to_string());
            if reply.failed {
                refused += 1;
                assert_eq!(copy.state_hash(), hash, "a refusal changes nothing: {call}");
            }
        }
        assert!(refused > 0 && refused < steps.len());
        // State is what was told.
        let told = episode.prompt(Declare::None)[0].body.split("; reach").next().unwrap().to_owned();
        if let Ok(Value::List(facts)) = Value::parse(&episode.act("state()").span.body) {
            assert!(facts.iter().all(|f| told.split(", ").any(|t| Some(t) == f.as_str())), "{told}");
        }
    }
}
