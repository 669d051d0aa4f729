//! `groundwork train`

use std::time::Duration;

use groundwork_train::{Event, Outcome, Resolved, StepEvent};

use super::{print_json, resolve, set_threads};
use crate::cli::TrainArgs;
use crate::failure::Failure;
use crate::interrupt;
use crate::progress::{Bar, Bars, bytes, count, duration};

pub fn run(args: &TrainArgs) -> Result<(), Failure> {
    set_threads(args.threads)?;
    groundwork_train::keep_freed_memory();
    let resolved = resolve(&args.recipe)?;
    if let Some(seconds) = args.trial {
        return trial(&resolved, args, seconds);
    }
    let stop = interrupt::flag();
    let folder = args.runs.join(resolved.folder());
    let mut earlier = true;
    let outcome = if args.json {
        groundwork_train::train(&resolved, &args.runs, args.device, &stop, &mut |event| print_json(event))?
    } else {
        let mut screen = Screen { bars: Bars::new(), bar: None, stage: String::new() };
        let outcome = groundwork_train::train(&resolved, &args.runs, args.device, &stop, &mut |event| {
            earlier &= matches!(event, Event::Done(_));
            screen.show(event);
        })?;
        if let Some(bar) = screen.bar.take() {
            bar.clear();
        }
        outcome
    };
    match outcome {
        Outcome::Interrupted { step, of } => Err(Failure::interrupted(format!(
            "stopped at step {step} of {of}; the same command goes on from there"
        ))),
        Outcome::Finished(done) => {
            if !args.json {
                let when = if earlier { "finished earlier; nothing is trained again" } else { "finished" };
                println!("{}  {when}", folder.display());
                println!(
                    "  {} steps, {} tokens, {}FLOP in {}",
                    done.steps,
                    count(done.tokens as f64),
                    count(done.flops),
                    duration(done.seconds)
                );
                if let Some(loss) = done.final_loss {
                    println!("  loss {loss:.4} nats (weighted, last tenth)");
                }
                for (kind, loss) in &done.loss_by_kind {
                    println!("    {kind:14} {loss:.4}");
                }
            }
            Ok(())
        }
    }
}

fn trial(resolved: &Resolved, args: &TrainArgs, seconds: f64) -> Result<(), Failure> {
    let time = Duration::try_from_secs_f64(seconds).map_err(|_| {
        Failure::input(format!("`--trial {seconds}`: want a number of seconds, zero or more"))
    })?;
    let trial = resolved.trial(args.device, time)?;
    if args.json {
        print_json(&trial);
        return Ok(());
    }
    println!(
        "{}: {} tokens/s, {} of memory; the whole run ({} tokens) would take {}",
        resolved.recipe.name,
        count(trial.tokens_per_second),
        bytes(trial.peak_memory_bytes),
        count(resolved.tokens as f64),
        duration(trial.seconds)
    );
    Ok(())
}

/// What a training run looks like to a person.
struct Screen {
    bars: Bars,
    bar: Option<Bar>,
    stage: String,
}

impl Screen {
    fn stage(&mut self, name: &str, of: u64) -> &mut Bar {
        if self.stage != name
            && let Some(bar) = self.bar.take()
        {
            bar.clear();
        }
        self.stage = name.to_owned();
        let bars = &self.bars;
        self.bar.get_or_insert_with(|| bars.bar(name, of))
    }

    fn show(&mut self, event: &Event) {
        match event {
            Event::Corpus { stage, done, of } => {
                let bar = self.stage(stage, *of);
                bar.set_length(*of);
                bar.set(*done, &count(*done as f64));
            }
            Event::Start { run, steps, non_embedding, flops, .. } => self.bars.line(&format!(
                "{run}: {} non-embedding parameters, {steps} steps, {}FLOP",
                count(*non_embedding as f64),
                count(*flops)
            )),
            Event::Resume { step, .. } => self.bars.line(&format!("going on from step {step}")),
            Event::Step(s) => {
                let message = step_message(s);
                self.stage("training", s.of).set(s.step, &message);
            }
            Event::Incident { step, what, .. } => self.bars.line(&format!("step {step}: {what}")),
            Event::Checkpoint { .. } | Event::Done(_) => {}
        }
    }
}

fn step_message(s: &StepEvent) -> String {
    let left = (s.of - s.step) as f64 * s.seconds / s.step.max(1) as f64;
    format!(
        "loss {:.3}  {} tokens/s  MFU {:.0}%  {} left",
        s.loss,
        count(s.tokens_per_second),
        100.0 * s.mfu,
        duration(left)
    )
}
