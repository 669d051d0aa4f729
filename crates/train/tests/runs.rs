//! Whole runs of a tiny model: exact resume, the weighted-loss contract, damage and divergence.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use groundwork_train::{Event, Outcome, Processor, Resolved, TrainError, latest_checkpoint, train};
use tiny::{RECIPE, resolved};

mod tiny;

fn finish(recipe: &Resolved, runs: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let outcome =
        train(recipe, runs, Processor::Cpu, &AtomicBool::new(false), &mut |e| events.push(e.clone()))
            .unwrap();
    assert!(matches!(outcome, Outcome::Finished(_)));
    events
}

fn weights(recipe: &Resolved, runs: &Path) -> Vec<u8> {
    let run = runs.join(recipe.folder());
    let dir = latest_checkpoint(&run).unwrap().unwrap().dir().to_path_buf();
    fs::read(dir.join("model.safetensors")).unwrap()
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    bytes[8 + header..].as_chunks::<4>().0.iter().map(|&b| f32::from_le_bytes(b)).collect()
}

fn largest_difference(a: &[u8], b: &[u8]) -> f32 {
    floats(a).iter().zip(floats(b)).map(|(x, y)| (x - y).abs()).fold(0.0, f32::max)
}

/// Stops after `steps` optimiser steps.
fn interrupt(recipe: &Resolved, runs: &Path, steps: u64) {
    let stop = AtomicBool::new(false);
    let outcome = train(recipe, runs, Processor::Cpu, &stop, &mut |e| {
        if matches!(e, Event::Step(s) if s.step >= steps) {
            stop.store(true, Ordering::Relaxed);
        }
    });
    assert!(matches!(outcome.unwrap(), Outcome::Interrupted { .. }));
}

#[test]
fn a_run_that_was_interrupted_and_killed_ends_in_the_same_bytes() {
    let recipe = resolved(RECIPE);
    let (straight, broken) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let events = finish(&recipe, straight.path());
    let losses = |events: &[Event]| -> Vec<(u64, f64)> {
        events
            .iter()
            .filter_map(|e| if let Event::Step(s) = e { Some((s.step, s.loss)) } else { None })
            .collect()
    };
    interrupt(&recipe, broken.path(), 7);
    interrupt(&recipe, broken.path(), 12);
    // A kill while a checkpoint is being written leaves its temporary folder behind.
    let run = broken.path().join(recipe.folder());
    let torn = run.join("checkpoints").join("step-00000099.tmp");
    fs::create_dir_all(&torn).unwrap();
    fs::write(torn.join("model.safetensors"), b"half").unwrap();
    let rest = finish(&recipe, broken.path());
    assert!(rest.iter().any(|e| matches!(e, Event::Resume { step, .. } if *step >= 12)));
    assert_eq!(weights(&recipe, straight.path()), weights(&recipe, broken.path()));
    let tail = losses(&rest);
    assert_eq!(losses(&events)[20 - tail.len()..], tail[..], "the same losses after the interruption");
    assert!(tail.last().unwrap().1 < losses(&events)[0].1, "the loss falls");
}

#[test]
fn a_finished_run_is_not_repeated() {
    let recipe = resolved(RECIPE);
    let runs = tempfile::tempdir().unwrap();
    finish(&recipe, runs.path());
    let again = finish(&recipe, runs.path());
    assert!(matches!(again[..], [Event::Done(_)]), "{again:?}");
}

fn trained(recipe: &str) -> Vec<u8> {
    let recipe = resolved(recipe);
    let runs = tempfile::tempdir().unwrap();
    finish(&recipe, runs.path());
    weights(&recipe, runs.path())
}

#[test]
fn micro_batches_do_not_change_the_step() {
    let one_step = RECIPE.replace("tokens = 10240", "tokens = 512");
    let whole = trained(&one_step);
    for micro in [1, 2, 3] {
        let cut = trained(&one_step.replace("batch = 4\n", &format!("batch = 4\nmicro_batch = {micro}\n")));
        // Newton–Schulz magnifies rounding where a direction has next to no gradient.
        let d = largest_difference(&whole, &cut);
        assert!(d < 2e-4, "micro-batches of {micro}: {d}");
    }
}

#[test]
fn a_constant_weight_changes_nothing_under_the_supervised_denominator() {
    let text = RECIPE.replace("tokens = 10240", "tokens = 512");
    let all = |w: f32| {
        let kinds = ["text", "tools", "system", "goal", "user", "plan", "thought", "action", "observation"];
        let rest = ["error", "reflection", "answer"];
        let table: Vec<String> = kinds.iter().chain(&rest).map(|k| format!("{k} = {w:?}")).collect();
        text.replace("observation = 0.1, failed_action = 0.0", &table.join(", "))
    };
    let d = largest_difference(&trained(&all(1.0)), &trained(&all(0.25)));
    assert!(d < 1e-5, "{d}");
}

#[test]
fn a_fully_masked_run_changes_nothing_and_is_not_nan() {
    let text = RECIPE.replace("tokens = 10240", "tokens = 1024");
    let kinds = "text tools system goal user plan thought action observation error reflection answer";
    let zero: Vec<String> = kinds.split(' ').map(|k| format!("{k} = 0.0")).collect();
    let masked = floats(&trained(&text.replace("observation = 0.1, failed_action = 0.0", &zero.join(", "))));
    let fresh = floats(&trained(
        &text.replace("[schedule]", "[optimizer]\nlearning_rate = 0.0\nembedding_learning_rate = 0.0\nhead_learning_rate = 0.0\ngain_learning_rate = 0.0\n[schedule]"),
    ));
    assert_eq!(masked, fresh);
}

fn a_file_of_the_checkpoint(recipe: &Resolved, runs: &Path, name: &str) -> PathBuf {
    let run = runs.join(recipe.folder());
    latest_checkpoint(&run).unwrap().unwrap().dir().join(name)
}

#[test]
fn a_damaged_checkpoint_is_named() {
    let recipe = resolved(RECIPE);
    let runs = tempfile::tempdir().unwrap();
    interrupt(&recipe, runs.path(), 6);
    let path = a_file_of_the_checkpoint(&recipe, runs.path(), "optimizer.safetensors");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let e = train(&recipe, runs.path(), Processor::Cpu, &AtomicBool::new(false), &mut |_| ()).unwrap_err();
    assert!(e.to_string().contains("optimizer.safetensors") && e.to_string().contains("checksum"), "{e}");
}

#[test]
fn a_run_that_explodes_stops_and_keeps_its_last_good_checkpoint() {
    let text = RECIPE
        .replace("[schedule]", "[optimizer]\nkind = \"adamw\"\nlearning_rate = 1e30\nclip = 0.0\n[schedule]")
        .replace("warmup_steps = 2", "warmup_steps = 1");
    let recipe = resolved(&text);
    let runs = tempfile::tempdir().unwrap();
    let e = train(&recipe, runs.path(), Processor::Cpu, &AtomicBool::new(false), &mut |_| ()).unwrap_err();
    let TrainError::Diverged { step, .. } = &e else { panic!("{e}") };
    let good = latest_checkpoint(&runs.path().join(recipe.folder())).unwrap().unwrap();
    assert!(good.step() < *step && e.to_string().contains(&good.dir().display().to_string()), "{e}");
    let kept = floats(&fs::read(good.dir().join("model.safetensors")).unwrap());
    assert!(kept.iter().all(|w| w.abs() < 100.0), "the weights that broke the run are not kept");
}
