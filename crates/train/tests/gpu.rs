//! The same ten steps on a graphics processor and on the CPU. A software Vulkan driver counts as one.
#![cfg(feature = "wgpu")]

use std::sync::atomic::AtomicBool;

use groundwork_train::{Event, Processor, TrainError, train};

mod tiny;

/// The loss of every step.
fn losses(processor: Processor) -> Result<Vec<f64>, TrainError> {
    let recipe = tiny::resolved(&tiny::RECIPE.replace("tokens = 10240", "tokens = 5120"));
    let runs = tempfile::tempdir().unwrap();
    let mut losses = Vec::new();
    train(&recipe, runs.path(), processor, &AtomicBool::new(false), &mut |event| {
        if let Event::Step(step) = event {
            losses.push(step.loss);
        }
    })?;
    Ok(losses)
}

#[test]
fn ten_steps_give_the_losses_of_the_cpu() {
    let gpu = match losses(Processor::Gpu) {
        Ok(losses) => losses,
        Err(e @ TrainError::Processor { .. }) => return eprintln!("skipped: {e}"),
        Err(e) => panic!("{e}"),
    };
    let cpu = losses(Processor::Cpu).unwrap();
    assert_eq!(cpu.len(), 10);
    for (step, (cpu, gpu)) in cpu.iter().zip(&gpu).enumerate() {
        assert!(
            (cpu - gpu).abs() < 1e-3 * cpu,
            "step {step}: {cpu} on the CPU, {gpu} on the graphics processor"
        );
    }
}
