//! Runs a whole bet against a stand-in for the program: a shell script that speaks the protocol.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use groundwork_lab::{
    Bet, Plan, RecipeHash, Registration, ResolvedRecipe, Runner, RunnerEvent, RunnerOutcome, Speed,
};

/// Ten steps a training, counted in the run's folder; stops at an interrupt; fails where a file `fail` says so. Where there is a file
/// `hold`, no training after the second gets further than to its fifth step.
const SCRIPT: &str = r#"#!/bin/sh
trap 'exit 130' INT
if [ "$1" = train ]; then
  run="$4/$(basename "$2" .toml)"
  mkdir -p "$run"
  cp "$2" "$run/recipe.toml"
  echo "$run" >> "$4/trained"
  step=$(cat "$run/step" 2>/dev/null || echo 0)
  echo '{"event":"corpus","stage":"packing","done":1,"of":2}'
  echo '{"event":"start","steps":10}'
  echo 'not an event'
  while [ "$step" -lt 10 ]; do
    step=$((step + 1))
    echo "$step" > "$run/step"
    echo "{\"event\":\"step\",\"step\":$step,\"tokens\":$((step * 100)),\"loss\":2.5,\"tokens_per_second\":1000}"
    if [ -f "$4/fail" ] && [ "$step" -eq 5 ]; then
      echo 'the loss is not a number' >&2
      exit 1
    fi
    while [ -f "$4/hold" ] && [ "$step" -eq 5 ] && [ "$(wc -l < "$4/trained")" -gt 2 ]; do sleep 0.02; done
    sleep 0.02
  done
  echo '{"steps":10,"tokens":1000,"flops":1e9,"seconds":0.2}' > "$run/done.json"
else
  echo '{"event":"progress","done":1,"of":2}'
  echo '{"success_rate":{"value":0.5,"low":0.4,"high":0.6,"n":2}}' > "$2/metrics.json"
  echo 'rows' > "$2/scores.parquet"
  echo "$2" >> "$(dirname "$2")/evaluated"
  echo '{"event":"metrics"}'
fi
"#;

const BET: &str = r#"
name = "x"
question = "Is it better?"
primary = { metric = "success_rate", direction = "higher", margin = 0.1 }
ladder = { sizes = ["1K", "4K"], seeds = [1, 2] }
evaluation = { tasks = 2 }
baseline = { label = "old", recipe = { way = 1 } }
candidate = { label = "new", recipe = { way = 2 } }
"#;

fn resolve(table: &toml::Table) -> Result<ResolvedRecipe, String> {
    let large = table["model"]["size"].as_str() == Some("4K");
    let flops = if large { 4e9 } else { 1e9 };
    Ok(ResolvedRecipe {
        table: table.clone(),
        hash: RecipeHash::of(table),
        params: 1000,
        tokens: 1000,
        flops,
    })
}

fn plan(bet: &str) -> Plan {
    Plan::new(Bet::parse(bet, Path::new("x.toml")).unwrap(), &resolve).unwrap()
}

fn runner(runs: &Path, folder: &Path, parallel: usize) -> Runner {
    let program = runs.join("fake");
    if !program.exists() {
        fs::write(&program, SCRIPT).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    Runner {
        program,
        runs: runs.to_owned(),
        base: runs.to_owned(),
        folder: folder.to_owned(),
        parallel,
        threads: 1,
        speed: Speed { flops_per_second: Some(1e9), evaluation_seconds: 1.0 },
        grace: Duration::from_millis(100),
    }
}

fn lines(path: &Path) -> usize {
    fs::read_to_string(path).map_or(0, |text| text.lines().count())
}

#[test]
fn a_bet_runs_pairs_first_and_never_repeats_a_finished_run() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let plan = plan(BET);
    let (_, place, new) = Registration::open(runs, &plan).unwrap();
    assert!(new && place.starts_with(runs.join("bets")));
    let runner = runner(runs, &place, 2);
    assert_eq!(runner.speed.seconds(&plan, 2), Some((4.0 + 16.0 + 8.0) / 2.0));
    assert!(!runner.is_finished(&plan).unwrap());

    let mut events = Vec::new();
    let outcome =
        runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |e| events.push(e)).unwrap();
    assert_eq!(outcome, RunnerOutcome::Finished);
    let started: Vec<usize> = events
        .iter()
        .filter_map(|e| match e {
            RunnerEvent::Started { cell, resumed: false } => Some(*cell),
            _ => None,
        })
        .collect();
    assert_eq!(started, (0..8).collect::<Vec<_>>());
    assert!(
        events
            .iter()
            .any(|e| matches!(e, RunnerEvent::Training { step: 10, steps: Some(10), of_tokens: 1000, .. }))
    );
    let packing = |e: &RunnerEvent| matches!(e, RunnerEvent::Preparing { stage, done: 1, of: 2, .. } if stage == "packing");
    assert!(events.iter().any(packing));
    assert!(events.iter().any(|e| matches!(e, RunnerEvent::Evaluating { done: 1, of: 2, .. })));
    let Some(RunnerEvent::Overall { finished: 8, of: 8, share, seconds_left }) = events.last() else {
        panic!("{:?}", events.last());
    };
    assert_eq!((*share, *seconds_left), (1.0, Some(0.0)));
    let log = place.join("logs").join(format!("{}.log", plan.cells[0].folder()));
    assert!(fs::read_to_string(log).unwrap().contains("not an event"));

    let lock = fs::File::open(place.join("lock")).unwrap();
    lock.try_lock().unwrap();
    let error =
        runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("another process is running this bet"), "{error}");
    drop(lock);

    assert!(runner.is_finished(&plan).unwrap());
    assert_eq!(
        runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap(),
        RunnerOutcome::Finished
    );
    assert_eq!((lines(&runs.join("trained")), lines(&runs.join("evaluated"))), (8, 8));

    // Metrics that this bet's evaluation did not leave are made again, the training is not.
    let run = runs.join(plan.cells[3].folder());
    fs::write(run.join("metrics.json"), "{}").unwrap();
    assert_eq!(
        runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap(),
        RunnerOutcome::Finished
    );
    assert_eq!((lines(&runs.join("trained")), lines(&runs.join("evaluated"))), (8, 9));

    fs::write(run.join("recipe.toml"), "way = 3\n").unwrap();
    let error =
        runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap_err().to_string();
    assert!(error.contains("holds another recipe"), "{error}");
}

#[test]
fn an_interrupted_bet_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let plan = plan(BET);
    let (_, place, _) = Registration::open(runs, &plan).unwrap();
    let runner = runner(runs, &place, 2);
    let stop = AtomicBool::new(false);
    fs::write(runs.join("hold"), "").unwrap();
    let mut started = Vec::new();
    let outcome = runner
        .run(&plan, &stop, &mut |_| false, &mut |e| match e {
            RunnerEvent::Started { cell, .. } => started.push(cell),
            RunnerEvent::Training { cell, step: 5, .. } if started.get(2) == Some(&cell) => {
                stop.store(true, Ordering::SeqCst);
            }
            _ => {}
        })
        .unwrap();
    assert_eq!(outcome, RunnerOutcome::Interrupted);
    fs::remove_file(runs.join("hold")).unwrap();
    let before = lines(&runs.join("trained"));
    assert!(before < 8);
    let mut resumed = 0;
    let outcome = runner
        .run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |e| {
            resumed += usize::from(matches!(e, RunnerEvent::Started { resumed: true, .. }));
        })
        .unwrap();
    assert_eq!(outcome, RunnerOutcome::Finished);
    assert!(resumed > 0);
    assert_eq!(lines(&runs.join("trained")), 8 + resumed);
}

#[test]
fn a_dead_child_is_reported_with_its_last_words_and_nothing_more_is_started() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let plan = plan(BET);
    let (_, place, _) = Registration::open(runs, &plan).unwrap();
    let runner = runner(runs, &place, 1);
    fs::write(runs.join("fail"), "").unwrap();
    let outcome = runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap();
    let RunnerOutcome::Failed(failures) = outcome else { panic!("{outcome:?}") };
    let [(0, failure)] = failures.as_slice() else { panic!("{failures:?}") };
    assert_eq!(failure.stderr, ["the loss is not a number"]);
    assert!(
        failure.message.contains("training baseline 1K seed 1 ended with exit status: 1"),
        "{}",
        failure.message
    );
    assert!(fs::read_to_string(&failure.log).unwrap().contains("the loss is not a number"));
    assert_eq!(lines(&runs.join("trained")), 1);

    fs::remove_file(runs.join("fail")).unwrap();
    assert_eq!(
        runner.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap(),
        RunnerOutcome::Finished
    );

    let mut missing = runner.clone();
    missing.program = runs.join("nothing-here");
    fs::remove_file(runs.join(plan.cells[0].folder()).join("done.json")).unwrap();
    let outcome = missing.run(&plan, &AtomicBool::new(false), &mut |_| false, &mut |_| ()).unwrap();
    assert!(
        matches!(&outcome, RunnerOutcome::Failed(f) if f[0].1.message.contains("cannot start")),
        "{outcome:?}"
    );
}

#[test]
fn a_registration_is_frozen() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let first = plan(BET);
    let (registration, place, _) = Registration::open(runs, &first).unwrap();
    let (again, same_place, new) = Registration::open(runs, &first).unwrap();
    assert_eq!((&again, &same_place, new), (&registration, &place, false));
    assert!(registration.registered_at.ends_with('Z'));
    assert_eq!(registration.content.cells.len(), 8);

    let changed = plan(&BET.replace("margin = 0.1", "margin = 0.2"));
    assert_ne!(Registration::folder(runs, &changed), place);

    let path = place.join("registration.json");
    let text = fs::read_to_string(&path).unwrap();
    for (from, to) in [
        ("\"margin\": 0.1", "\"margin\": 0.05"),
        ("Is it better?", "Is it worse?"),
        ("\"judge\": 4", "\"judge\": 4, \"note\": \"added\""),
        (&registration.registered_at[..4], "2001"),
    ] {
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let error = Registration::open(runs, &first).unwrap_err().to_string();
        assert!(error.contains("was changed after it was frozen"), "{error}");
    }
    fs::write(&path, "{").unwrap();
    assert!(Registration::open(runs, &first).unwrap_err().to_string().contains("is not a registration"));
}

#[test]
fn an_amendment_is_possible_while_results_are_sealed_and_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let (first, _, _) = Registration::open(runs, &plan(BET)).unwrap();
    assert_eq!(first.amends, None);
    let changed = plan(&BET.replace("margin = 0.1", "margin = 0.2"));
    let (amended, place, new) = Registration::open(runs, &changed).unwrap();
    assert!(new);
    assert_eq!(amended.amends.as_ref(), Some(&first.hash));
    assert_eq!(Registration::load(&place.join("registration.json")).unwrap(), amended);
    // The amendment cannot be taken out without a trace.
    let path = place.join("registration.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(&first.hash, &amended.hash)).unwrap();
    assert!(Registration::load(&path).is_err());
    fs::write(&path, text).unwrap();
    // A result is known: from now on only what is registered already may be judged under this name.
    let run = runs.join(changed.cells[0].folder());
    fs::create_dir_all(&run).unwrap();
    fs::write(run.join("metrics.json"), "{}").unwrap();
    let third = plan(&BET.replace("margin = 0.1", "margin = 0.3"));
    let error = Registration::open(runs, &third).unwrap_err().to_string();
    assert!(error.contains("results of 1 of its runs are known"), "{error}");
    assert!(Registration::open(runs, &changed).is_ok());
}

#[test]
fn a_decided_bet_starts_nothing_more() {
    let folder = tempfile::tempdir().unwrap();
    let runs = folder.path();
    let plan = plan(BET);
    let (_, place, _) = Registration::open(runs, &plan).unwrap();
    let runner = runner(runs, &place, 2);
    let mut asked = Vec::new();
    let outcome = runner
        .run(
            &plan,
            &AtomicBool::new(false),
            &mut |finished| {
                asked.push(finished.to_vec());
                finished.len() >= 4
            },
            &mut |_| (),
        )
        .unwrap();
    let finished = runner.finished_cells(&plan).unwrap();
    assert_eq!(outcome, RunnerOutcome::Decided { spared: plan.cells.len() - finished.len() });
    assert!((4..8).contains(&finished.len()), "{finished:?}");
    assert!(asked.iter().all(|cells| cells.len() >= 2), "{asked:?}");
}

#[test]
fn unfair_or_empty_comparisons_are_refused() {
    let bet = || Bet::parse(BET, Path::new("x.toml")).unwrap();
    let uneven = |table: &toml::Table| {
        let mut recipe = resolve(table)?;
        recipe.flops *= if table["way"].as_integer() == Some(2) { 1.05 } else { 1.0 };
        Ok(recipe)
    };
    let error = Plan::new(bet(), &uneven).unwrap_err().to_string();
    assert!(error.contains("+5.0 %"), "{error}");
    let deaf = |table: &toml::Table| {
        let mut recipe = resolve(table)?;
        recipe.table.remove("way");
        Ok(recipe)
    };
    let error = Plan::new(bet(), &deaf).unwrap_err().to_string();
    assert!(error.contains("the change does not reach the trainer"), "{error}");
    let refusing = |_: &toml::Table| Err("unknown field `way`".to_owned());
    let error = Plan::new(bet(), &refusing).unwrap_err().to_string();
    assert_eq!(error, "the recipe of baseline at 1K, seed 1: unknown field `way`");
}
