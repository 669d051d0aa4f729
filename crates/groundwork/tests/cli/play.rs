//! `play`, with a script on standard input.

use groundwork_worlds::{faults_of, world_names};

use crate::workshop::Workshop;

/// What the expert does, taken from what `play` shows somebody who gives up.
fn experts_way(shop: &Workshop, args: &[&str]) -> String {
    let said = shop.pipe(args.iter().copied(), "give up\n").fine();
    let (_, way) = said.out.split_once("The expert would have done this:").expect("the expert's way");
    let mut script = String::new();
    for line in way.lines().map(str::trim) {
        // An action that failed is marked on both sides; it is done again all the same.
        if let Some((_, action)) = line.split_once("action  ") {
            script += &format!("{}\n", action.split("  ←").next().unwrap_or(action).trim());
        } else if let Some(answer) = line.strip_prefix("answer ") {
            script += &format!("answer {}\n", answer.trim());
        }
    }
    assert!(script.lines().any(|line| line.starts_with("answer ")), "{way}");
    script
}

#[test]
fn the_experts_actions_solve_every_world_with_and_without_faults() {
    let shop = Workshop::new();
    for world in world_names() {
        let faults = faults_of(world).expect("a world").iter().map(|f| Some(f.as_str()));
        for fault in faults.chain([None]) {
            for level in ["1", "3"] {
                let mut args = vec!["play", world, "--seed", "5", "--level", level];
                args.extend(fault.into_iter().flat_map(|f| ["--fault", f]));
                let script = experts_way(&shop, &args);
                let said = shop.pipe(args.iter().copied(), &script).fine();
                assert!(said.out.contains("\nSolved.\n"), "{args:?}\n{script}\n{}", said.out);
                assert!(said.out.contains("The expert did it like this:"), "{}", said.out);
            }
        }
    }
}

#[test]
fn input_may_end_anywhere() {
    let shop = Workshop::new();
    let script = experts_way(&shop, &["play", "files"]);
    let first = script.lines().next().unwrap_or_default();
    for input in ["", "\n\n", first, &first[..first.len() / 2], "answer", "help\ntools\nlegal\n"] {
        let said = shop.pipe(["play", "files"], input).fine();
        assert!(said.out.contains("The expert would have done this:"), "{input:?}: {said:?}");
        assert!(!said.out.contains("Solved.") && said.err.is_empty(), "{input:?}: {said:?}");
    }
}

#[test]
fn mistakes_are_answered_and_cost_nothing() {
    let shop = Workshop::new();
    let script = format!("nonsense\nmove(\nfly(to=\"moon\")\n{}", experts_way(&shop, &["play", "files"]));
    let said = shop.pipe(["play", "files"], script).fine();
    for word in ["Malformed(", "Unclosed(", "UnknownTool(", "\nSolved.\n"] {
        assert!(said.out.contains(word), "{word}: {}", said.out);
    }
    let said = shop.pipe(["play", "files"], "answer wrong\n").fine();
    assert!(said.out.contains("Not solved.") && said.out.contains("The expert would have done this:"));
    let said = shop.pipe(["play", "files"], b"\xff\xfe(\nanswer wrong\n").fine();
    assert!(said.out.contains("Malformed(") && said.out.contains("Not solved."), "{said:?}");
}

#[test]
fn what_there_is_not_is_refused() {
    let shop = Workshop::new();
    shop.run(["play", "filse"]).refused(&["`filse`", "did you mean `files`?"]);
    shop.run(["play", "files", "--fault", "transiet"]).refused(&["`transiet`", "did you mean `transient`?"]);
    shop.run(["play", "files", "--fault", "limit"]).refused(&["`limit` does not occur in the world `files`"]);
    shop.run(["play", "files", "--level", "99"]).refused(&["no level 99", "from 1 to 12"]);
}
