//! Which tasks a suite stands for.

use std::collections::BTreeSet;

use groundwork_arena::{OverlapSearch, SuiteSpec, check_held_out, standard_suite, with_fresh_seeds};
use groundwork_worlds::{
    Capability, Declare, Episode, FaultKind, Split, Task, capabilities_of, faults_of, name_split, world_names,
};

use crate::doubles::short_worlds;

#[test]
fn the_grid_pairs_every_faulty_task_with_its_twin() {
    let suite = SuiteSpec { tasks: 6, levels: vec![1, 3], ..SuiteSpec::default() };
    let tasks = suite.tasks().unwrap();
    let faulty = world_names().iter().filter(|w| !faults_of(w).unwrap().is_empty()).count();
    assert_eq!(tasks.len(), (world_names().len() + faulty) * 2 * 6);
    assert!(tasks.iter().all(|t| t.split == Split::Test));
    for faulty in tasks.iter().filter(|t| t.fault.is_some()) {
        assert!(tasks.contains(&faulty.twin()));
    }
    let seen: BTreeSet<_> = tasks.iter().map(|t| (&t.world, t.fault)).collect();
    let offered: usize = world_names().iter().map(|w| faults_of(w).unwrap().len().min(6) + 1).sum();
    assert!(seen.len() >= offered, "the faults of a world take turns");
}

#[test]
fn seeds_do_not_depend_on_the_rest_of_the_suite() {
    let world = world_names()[1];
    let all = SuiteSpec { tasks: 6, ..SuiteSpec::default() }.tasks().unwrap();
    let few = SuiteSpec { tasks: 3, worlds: vec![world.into()], levels: vec![2], ..SuiteSpec::default() };
    let clean: Vec<_> = few.tasks().unwrap().into_iter().filter(|t| t.fault.is_none()).collect();
    let among: Vec<_> =
        all.into_iter().filter(|t| t.world == world && t.level == 2 && t.fault.is_none()).collect();
    assert_eq!(clean, among[..3]);
}

#[test]
fn named_faults_have_cells_of_their_own_where_they_occur() {
    let faults = vec!["transient".into(), "closed".into(), "transient".into()];
    let suite = SuiteSpec { tasks: 2, levels: vec![1, 1], faults, ..SuiteSpec::default() };
    let tasks = suite.tasks().unwrap();
    let count = |fault| tasks.iter().filter(|t| t.fault == fault).count();
    assert_eq!(count(None), 2 * world_names().len());
    let transient = world_names().iter().filter(|w| faults_of(w).unwrap().contains(&FaultKind::Transient));
    assert_eq!(count(Some(FaultKind::Transient)), 2 * transient.count());
    assert_eq!(count(Some(FaultKind::Closed)), 2, "only a route has roads");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_hint() {
    let refusal = |change: fn(&mut SuiteSpec)| {
        let mut suite = SuiteSpec::default();
        change(&mut suite);
        suite.tasks().unwrap_err().to_string()
    };
    assert!(refusal(|s| s.tasks = 0).contains("`tasks` is 0"));
    assert!(refusal(|s| s.levels.clear()).contains("`levels`"));
    assert!(refusal(|s| s.samples = 2).contains("temperature"));
    assert!(refusal(|s| s.temperature = f32::NAN).contains("`temperature`"));
    assert!(refusal(|s| s.worlds = vec!["fils".into()]).contains("did you mean `files`"));
    assert!(refusal(|s| s.faults = vec!["transent".into()]).contains("did you mean `transient`"));
    let far = |s: &mut SuiteSpec| (s.worlds, s.faults) = (vec!["files".into()], vec!["closed".into()]);
    let mut suite = SuiteSpec::default();
    far(&mut suite);
    assert!(suite.tasks().unwrap_err().to_string().contains("no world of the suite has"));
    let error = serde_json::from_str::<SuiteSpec>(r#"{"tesks": 3}"#).unwrap_err().to_string();
    assert!(error.contains("unknown field `tesks`"), "{error}");
    let suite: SuiteSpec = serde_json::from_str(r#"{"tasks": 3}"#).unwrap();
    assert_eq!(suite, SuiteSpec { tasks: 3, ..SuiteSpec::default() });
}

#[test]
fn no_name_is_on_both_sides() {
    let suite = SuiteSpec { tasks: 20, levels: vec![1, 2, 3], ..SuiteSpec::default() };
    let found = check_held_out(&suite.tasks().unwrap(), 5).unwrap();
    assert_eq!(found.shared, Vec::<String>::new());
    assert!(found.test_names > 300 && found.train_names > 1000, "{found:?}");
}

#[test]
fn every_world_is_in_a_standard_suite_and_every_suite_is_a_grid() {
    let mut tested = BTreeSet::new();
    for capability in Capability::ALL {
        let suite = standard_suite(capability);
        let able = world_names().iter().filter(|w| capabilities_of(w).unwrap().contains(&capability)).count();
        let Ok(tasks) = suite.tasks() else {
            assert_eq!(able, 0, "{capability}");
            continue;
        };
        let worlds: BTreeSet<_> = tasks.iter().map(|t| t.world.clone()).collect();
        assert_eq!(worlds.len(), able, "{capability}");
        let levels: BTreeSet<_> = tasks.iter().map(|t| t.level).collect();
        assert!(levels.len() >= 3, "{capability}: {levels:?}");
        assert_eq!(tasks.iter().any(|t| t.fault.is_some()), capability == Capability::Recovery);
        tested.extend(worlds);
    }
    assert_eq!(tested.len(), world_names().len());
}

#[test]
fn the_recovery_suite_is_small_and_has_every_fault_of_every_world() {
    let tasks = standard_suite(Capability::Recovery).tasks().unwrap();
    assert!(tasks.len() < 1_000, "{}", tasks.len());
    let seen: BTreeSet<_> = tasks.iter().filter_map(|t| Some((t.world.as_str(), t.fault?))).collect();
    let offered: usize = world_names().iter().map(|w| faults_of(w).unwrap().len()).sum();
    assert_eq!(seen.len(), offered);
    // Each about as often as the others of its world.
    for world in world_names() {
        let here = |fault| tasks.iter().filter(|t| t.world == *world && t.fault == Some(fault)).count();
        let counts: Vec<usize> = faults_of(world).unwrap().iter().map(|f| here(*f)).collect();
        let (least, most) = (counts.iter().min(), counts.iter().max());
        assert!(most.zip(least).is_none_or(|(most, least)| most - least <= 1), "{world}: {counts:?}");
    }
}

#[test]
fn fresh_tasks_are_not_the_public_ones() {
    let public = SuiteSpec { tasks: 4, ..standard_suite(Capability::Recovery) };
    let seeds = |suite: &SuiteSpec| suite.tasks().unwrap().iter().map(|t| t.seed).collect::<BTreeSet<_>>();
    let fresh = with_fresh_seeds(public.clone(), 7);
    assert!(seeds(&public).is_disjoint(&seeds(&fresh)));
    assert_eq!(seeds(&fresh), seeds(&with_fresh_seeds(public.clone(), 7)));
    assert!(seeds(&fresh).is_disjoint(&seeds(&with_fresh_seeds(public, 8))));
}

#[test]
fn test_tasks_share_no_named_action_with_training_data() {
    let (worlds, levels) = (short_worlds(), vec![1, 2, 3]);
    let suite = SuiteSpec { worlds, levels, tasks: 8, faults: vec![], ..SuiteSpec::default() };
    let tasks = suite.tasks().unwrap();
    let mut search = OverlapSearch::new(&tasks).unwrap();
    for task in &tasks {
        for seed in 0..8 {
            let train = Task { split: Split::Train, seed, ..task.clone() };
            search.read(&Episode::expert_trace(&train, Declare::None).unwrap());
        }
    }
    let found = search.result();
    // What is shared to the letter can have no invented name in it: `look()`, a calculation of small numbers.
    let named = |a: &String| a.split(|c: char| !c.is_alphabetic()).any(|w| name_split(w).is_some());
    assert!(!found.literal.example.iter().any(named), "{found:?}");
    assert!(found.literal.longest < found.structural.longest, "{found:?}");
}
