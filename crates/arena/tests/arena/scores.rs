//! The file of scores, and the reference agents.

use groundwork_arena::{SuiteSpec, evaluate, floors, read_scores, standard_suite, summarise, write_scores};

use crate::doubles::{TOKENIZER, garbage, short_worlds};

fn suite() -> SuiteSpec {
    SuiteSpec { worlds: short_worlds(), tasks: 3, levels: vec![1], rank_tasks: 3, ..SuiteSpec::default() }
}

#[test]
fn rows_come_back_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.parquet");
    let mut rows = evaluate(&garbage(), &TOKENIZER, &suite(), &mut |_| {}).unwrap();
    rows[0].seed = u64::MAX;
    rows.extend(floors(&suite(), &mut |_| {}).unwrap());
    write_scores(&path, &rows).unwrap();
    assert_eq!(read_scores(&path).unwrap(), rows);
    write_scores(&path, &[]).unwrap();
    assert_eq!(read_scores(&path).unwrap(), []);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_bad_file_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("scores.parquet");
    let error = |path| read_scores(path).unwrap_err().to_string();
    assert!(error(&path).contains("scores.parquet") && error(&path).contains("cannot be opened"));
    write_scores(&path, &floors(&suite(), &mut |_| {}).unwrap()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(error(&path).contains("no readable Parquet"), "{}", error(&path));
    assert!(write_scores(&folder.path().join("no/where.parquet"), &[]).is_err());
}

#[test]
fn the_floors_lie_low_and_the_ceiling_high() {
    let suite = SuiteSpec { tasks: 10, levels: vec![1, 2], ..suite() };
    let rows = floors(&suite, &mut |_| {}).unwrap();
    let rate = |policy: &str| {
        let rows: Vec<_> = rows.iter().filter(|r| r.policy == policy).cloned().collect();
        assert_eq!(rows.len(), suite.tasks().unwrap().len(), "{policy}");
        summarise(&rows)["success_rate"].value
    };
    assert_eq!(rate("expert"), 1.0);
    for floor in ["null", "garbage", "mutated-expert"] {
        assert_eq!(rate(floor), 0.0, "{floor}");
    }
    let mut policies: Vec<&str> = rows.iter().map(|r| r.policy.as_str()).collect();
    policies.dedup();
    assert!(policies.len() >= 6, "{policies:?}");
    for policy in policies {
        assert!(policy == "expert" || rate(policy) < 0.2, "{policy}: {}", rate(policy));
    }
}

/// In planning several ways lead to the goal, so a wrong argument may be another way; one that costs a step is none.
#[test]
fn an_expert_with_a_wrong_argument_fails_in_planning() {
    let suite = SuiteSpec {
        tasks: 3,
        levels: vec![1, 2, 4],
        ..standard_suite(groundwork_worlds::Capability::Planning)
    };
    let rows = floors(&suite, &mut |_| ()).unwrap();
    let of = |policy: &str| rows.iter().filter(|r| r.policy == policy).map(|r| r.success).collect::<Vec<_>>();
    assert!(of("expert").iter().all(|s| *s));
    let passed: Vec<_> = rows.iter().filter(|r| r.policy == "mutated-expert" && r.success).collect();
    assert!(passed.is_empty(), "{passed:?}");
}
