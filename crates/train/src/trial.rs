//! A few training steps on random tokens: what a recipe costs on this machine, before anything is trained.

use std::time::{Duration, Instant};

use groundwork_corpus::SpanTag;
use groundwork_model::Decoder;
use groundwork_objectives::Batch;
use groundwork_trace::SpanKind;
use rand_core::{Rng, SeedableRng};
use rand_pcg::Pcg64;
use serde::{Deserialize, Serialize};

use crate::machine::peak_memory;
use crate::run::backward;
use crate::{Optimizer, Processor, Rates, Resolved, TrainError};

/// Steps that are taken at least, beside the first.
const LEAST: u32 = 2;

/// What a few steps showed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// Steps that were timed: all but the first, in which memory is taken and tables are made.
    pub steps: u32,
    /// Positions trained on a second.
    pub tokens_per_second: f64,
    /// Seconds that the whole run would take.
    pub seconds: f64,
    /// Largest resident memory of this process, bytes; 0 where the system does not say.
    pub peak_memory_bytes: u64,
}

impl Resolved {
    /// Trains a new model on random tokens for about `time`, whole steps with their optimiser, and keeps nothing.
    ///
    /// Every position has a target, as in packed text. The corpus, which a run holds mapped from its files, is not counted.
    ///
    /// # Errors
    /// If the processor cannot be used.
    pub fn trial(&self, processor: Processor, time: Duration) -> Result<Trial, TrainError> {
        let recipe = &self.recipe;
        let device = processor.device()?.autodiff();
        let mut decoder = Decoder::new(&self.config, recipe.seed, &device);
        let mut optimizer = Optimizer::new(&recipe.optimizer, &mut decoder);
        let mut rng = Pcg64::seed_from_u64(recipe.seed);
        let (rows, sequence) = (recipe.train.batch, recipe.data.sequence);
        let positions = rows * sequence;
        let mut step = || {
            let vocabulary = self.config.vocabulary as u64;
            let mut tokens =
                || (0..positions).map(|_| (rng.next_u64() % vocabulary) as u32).collect::<Vec<u32>>();
            let batch = Batch {
                rows,
                sequence,
                inputs: tokens(),
                targets: tokens(),
                weights: vec![1.0; positions],
                documents: vec![1; positions],
                tags: vec![SpanTag::new(SpanKind::Text); positions],
            };
            let micro = recipe.train.micro_batch;
            if let Some((_, _, gradients)) = backward(&mut decoder, &device, batch, positions as f64, micro) {
                optimizer.step(&mut decoder, gradients, Rates { factor: 1.0, gradient_scale: 1.0 });
            }
        };
        step();
        let began = Instant::now();
        let mut steps = 0;
        while steps < LEAST || began.elapsed() < time {
            step();
            steps += 1;
        }
        let tokens_per_second = f64::from(steps) * positions as f64 / began.elapsed().as_secs_f64();
        Ok(Trial {
            steps,
            tokens_per_second,
            seconds: self.tokens as f64 / tokens_per_second,
            peak_memory_bytes: peak_memory(),
        })
    }
}
