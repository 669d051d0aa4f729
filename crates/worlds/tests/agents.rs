//! The graders prove themselves: floors at zero, ceiling at one.

use groundwork_worlds::agent::{Agent, Expert, Garbage, ListAll, Null, RandomLegal, Repeat};
use groundwork_worlds::{FaultKind, Split, Task, faults_of, play, world_names};

fn successes(
    level: u32,
    seeds: u64,
    mut agent: impl FnMut(u64) -> Box<dyn Agent>,
) -> Vec<(String, u64, u64)> {
    let mut rows = Vec::new();
    for world in world_names() {
        let faults = faults_of(world).expect("a listed world").iter().map(|f| Some(*f));
        for fault in faults.chain([None]) {
            let won = (0..seeds)
                .filter(|&seed| {
                    let split = if seed % 2 == 0 { Split::Train } else { Split::Test };
                    let task = Task { world: (*world).to_owned(), split, seed, level, fault };
                    play(agent(seed).as_mut(), &task, 100).expect("a valid task").success
                })
                .count();
            rows.push((format!("{world} {}", fault.map_or("clean", FaultKind::as_str)), won as u64, seeds));
        }
    }
    rows
}

#[test]
fn the_expert_always_succeeds() {
    for level in 1..=12 {
        for (cell, won, of) in
            successes(level, if level < 7 { 12 } else { 2 }, |_| Box::new(Expert::default()))
        {
            assert_eq!(won, of, "level {level} {cell}");
        }
    }
}

#[test]
fn doing_nothing_rubbish_listing_and_repeating_never_succeed() {
    for level in [1, 2, 3, 4, 6, 9] {
        let seeds = if level < 5 { 40 } else { 4 };
        let floors = [
            successes(level, seeds, |_| Box::new(Null)),
            successes(level, seeds, |seed| Box::new(Garbage::new(seed))),
            successes(level, seeds, |_| Box::new(ListAll)),
            successes(level, seeds, |seed| Box::new(Repeat::new(seed))),
        ];
        for (cell, won, _) in floors.into_iter().flatten() {
            assert_eq!(won, 0, "level {level} {cell}");
        }
    }
}

#[test]
fn legal_actions_at_random_seldom_succeed() {
    let rows = successes(1, 300, |seed| Box::new(RandomLegal::new(seed)));
    for (cell, won, of) in rows {
        println!("{cell}: {won} of {of}");
        assert!(won * 5 < of, "{cell}: {won} of {of}");
    }
}
