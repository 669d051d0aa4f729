//! The training loop.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use burn::tensor::{Device, Int, Tensor, TensorData};
use groundwork_corpus::{BuildProgress, Manifest, Shards, Tokenizer};
use groundwork_kernels as kernels;
use groundwork_model::Decoder;
use groundwork_objectives::{Batch, Objective};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, State, latest_checkpoint, write_atomically};
use crate::feed::Feed;
use crate::guard::{Finding, Guard};
use crate::machine::{measure_peak, peak_memory};
use crate::optimizer::ParameterGradients;
use crate::{Done, Event, EventLog, Optimizer, Processor, Rates, Recipe, Resolved, StepEvent, TrainError};

/// Step events a run logs, about.
const LOGGED: u64 = 250;
/// How long a run waits for another process that trains it.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);

/// How a call of [`train`] ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The run is finished, now or already before.
    Finished(Done),
    /// It was asked to stop; a checkpoint holds this step.
    Interrupted {
        /// Steps taken.
        step: u64,
        /// Steps to take.
        of: u64,
    },
}

/// Losses over the last tenth of a run; part of a checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tail {
    loss: f64,
    steps: u64,
    by_kind: BTreeMap<String, (f64, u64)>,
}

/// Running sums between two step events.
#[derive(Default)]
struct Interval {
    loss: f64,
    steps: u64,
    largest_norm: f64,
    by_kind: BTreeMap<&'static str, (f64, u64)>,
}

fn means<K: AsRef<str>>(sums: &BTreeMap<K, (f64, u64)>) -> BTreeMap<String, f64> {
    sums.iter().map(|(k, (sum, n))| (k.as_ref().to_owned(), sum / *n as f64)).collect()
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Claims a run's folder for this process as long as the file lives.
///
/// The trainers of a bet that was killed notice it with the next event they print, so a bet that is started again
/// at once waits for them.
fn claim(run: &Path) -> Result<File, TrainError> {
    let path = run.join("lock");
    let file = File::create(&path).map_err(TrainError::io(&path))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if start.elapsed() < CLAIM_PATIENCE => {
                std::thread::sleep(Duration::from_millis(100));
            }
            Err(TryLockError::WouldBlock) => return Err(TrainError::Busy { path: run.into() }),
            Err(TryLockError::Error(e)) => return Err(TrainError::io(&path)(e)),
        }
    }
}

fn finished(run: &Path, resolved: &Resolved) -> Result<Option<Done>, TrainError> {
    let path = run.join("done.json");
    let Ok(text) = fs::read_to_string(&path) else { return Ok(None) };
    let corrupt = |what: String| TrainError::Corrupt {
        path: path.clone(),
        what,
        hint: "remove the file to train on from the last checkpoint".into(),
    };
    let done: Done = serde_json::from_str(&text).map_err(|e| corrupt(e.to_string()))?;
    if done.recipe_hash != resolved.hash.as_str() {
        return Err(corrupt("it belongs to another recipe".into()));
    }
    Ok(Some(done))
}

/// Where the corpus of a recipe belongs: `runs/corpora/<hash8>`. Runs with the same data, tokeniser and
/// seed share it.
pub fn corpus_folder(runs: &Path, recipe: &Recipe) -> PathBuf {
    let hash = groundwork_corpus::corpus_hash(&recipe.data, &recipe.tokenizer, recipe.seed);
    runs.join("corpora").join(&hash[..8])
}

/// The corpus of a recipe, built under `runs/corpora/` unless it is there already.
fn corpus(
    resolved: &Resolved,
    runs: &Path,
    on_event: &mut dyn FnMut(&Event),
) -> Result<(Shards, Tokenizer, Manifest), TrainError> {
    let recipe = &resolved.recipe;
    let dir = corpus_folder(runs, recipe);
    groundwork_corpus::build(&recipe.data, &recipe.tokenizer, recipe.seed, &dir, &mut |p| {
        on_event(&match p {
            BuildProgress::Rows { done, of } => Event::Corpus { stage: "packing".into(), done, of },
            _ => Event::Corpus { stage: "tokeniser".into(), done: 0, of: 0 },
        });
    })?;
    let shards = Shards::open(&dir)?;
    let tokenizer = shards.tokenizer()?;
    let manifest = shards.manifest().clone();
    Ok((shards, tokenizer, manifest))
}

/// The loss, its parts (nats, one a position) and the gradients of a batch, by way of micro-batches of `micro` rows (0: all at
/// once). `denominator` is what the weighted sum of losses is divided by. Nothing if no position counts.
pub(crate) fn backward(
    decoder: &mut Decoder,
    device: &Device,
    batch: Batch,
    denominator: f64,
    micro: usize,
) -> Option<(f64, Vec<f32>, ParameterGradients)> {
    if batch.weights.iter().all(|&w| w == 0.0) {
        return None;
    }
    let micro = if micro == 0 { batch.rows } else { micro };
    let (mut loss, mut losses, mut gradients) = (0.0, Vec::with_capacity(batch.inputs.len()), None);
    for part in batch.micro_batches(micro) {
        let (n, shape) = (part.inputs.len(), [part.rows, part.sequence]);
        let ids = |v: &[u32]| v.iter().map(|&t| i64::from(t)).collect::<Vec<i64>>();
        let grid = |v: &[u32]| Tensor::<2, Int>::from_data(TensorData::new(ids(v), shape), device);
        let weights: Vec<f32> = part.weights.iter().map(|&w| (f64::from(w) / denominator) as f32).collect();
        let hidden = decoder.hidden(grid(&part.inputs), Some(grid(&part.documents)));
        let (sum, each) = kernels::linear_cross_entropy(
            hidden.reshape([n, decoder.config().d_model]),
            decoder.head(),
            Tensor::from_data(TensorData::new(ids(&part.targets), [n]), device),
            Tensor::from_data(TensorData::new(weights, [n]), device),
            decoder.config().precision,
        );
        let mut all = sum.backward();
        loss += f64::from(sum.into_scalar::<f32>());
        losses.extend(each.try_into_vec_as::<f32>().expect("losses are floats"));
        let taken = ParameterGradients::take(decoder, &mut all);
        gradients = Some(match gradients {
            None => taken,
            Some(held) => ParameterGradients::add(held, taken),
        });
    }
    gradients.map(|g| (loss, losses, g))
}

/// One training run in progress.
struct Loop<'a> {
    resolved: &'a Resolved,
    run: PathBuf,
    device: Device,
    objective: Objective,
    tokenizer: Tokenizer,
    feed: Feed,
    decoder: Decoder,
    optimizer: Optimizer,
    state: State,
}

impl Loop<'_> {
    /// Takes one optimiser step; returns the finding of the guard.
    fn step(&mut self, interval: &mut Interval) -> Result<Finding, TrainError> {
        let recipe = &self.resolved.recipe;
        let (rows, keys) = self.feed.rows(self.state.step, recipe.train.batch)?;
        let batch = Batch::new(&self.objective, &self.tokenizer, rows, recipe.seed, &keys);
        let tags = batch.clone();
        let denominator = batch.denominator(self.objective.denominator());
        let micro = recipe.train.micro_batch;
        let Some((loss, losses, gradients)) =
            backward(&mut self.decoder, &self.device, batch, denominator, micro)
        else {
            self.state.step += 1;
            return Ok(Finding::Calm);
        };
        let norm = gradients.norm();
        let finding = self.state.guard.check(loss, norm);
        if matches!(finding, Finding::Diverged { .. }) {
            return Ok(finding);
        }
        let clip = recipe.optimizer.clip;
        let rates = Rates {
            factor: recipe.schedule.factor(self.state.step, self.resolved.steps),
            gradient_scale: if clip > 0.0 && norm > clip { clip / norm } else { 1.0 },
        };
        self.optimizer.step(&mut self.decoder, gradients, rates);
        self.state.step += 1;
        self.state.updates += 1;
        interval.loss += loss;
        interval.steps += 1;
        interval.largest_norm = interval.largest_norm.max(norm);
        tags.add_losses(&losses, &mut interval.by_kind);
        if self.state.step * 10 > self.resolved.steps * 9 {
            let mut sums = BTreeMap::new();
            tags.add_losses(&losses, &mut sums);
            self.state.tail.loss += loss;
            self.state.tail.steps += 1;
            for (kind, (sum, n)) in sums {
                let held = self.state.tail.by_kind.entry(kind.to_owned()).or_default();
                *held = (held.0 + sum, held.1 + n);
            }
        }
        Ok(finding)
    }

    fn save(&self) -> Result<Event, TrainError> {
        checkpoint::save(&self.run, &self.decoder, &self.optimizer, &self.state)?;
        Ok(Event::Checkpoint { step: self.state.step })
    }
}

/// Trains a recipe under `runs` on `processor`, going on from its last checkpoint if there is one.
///
/// A finished run is not repeated. `stop` is looked at after every step: once it is true, a
/// checkpoint is written and the call returns. Events go to the run's log and to `on_event`.
///
/// # Errors
/// Input that cannot be used, with a place and a hint; a loss that left the numbers.
pub fn train(
    resolved: &Resolved,
    runs: &Path,
    processor: Processor,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(&Event),
) -> Result<Outcome, TrainError> {
    let device = processor.device()?;
    let run = runs.join(resolved.folder());
    fs::create_dir_all(&run).map_err(TrainError::io(&run))?;
    let _claim = claim(&run)?;
    if let Some(done) = finished(&run, resolved)? {
        on_event(&Event::Done(done.clone()));
        return Ok(Outcome::Finished(done));
    }
    let recipe = &resolved.recipe;
    let written = toml::to_string(recipe).map_err(|e| TrainError::Recipe {
        what: format!("the recipe cannot be written out: {e}"),
        hint: "please report this".into(),
    })?;
    write_atomically(&run.join("recipe.toml"), written.as_bytes())?;

    let (shards, tokenizer, manifest) = corpus(resolved, runs, on_event)?;
    tokenizer.save(&run.join("tokenizer.json")).map_err(groundwork_corpus::CorpusError::from)?;
    let config = recipe.model.resolve(tokenizer.vocabulary())?;
    let device = device.autodiff();
    let held = latest_checkpoint(&run)?;
    let mut decoder = match &held {
        Some(c) => c.decoder(&device)?,
        None => Decoder::new(&config, recipe.seed, &device),
    };
    let mut optimizer = Optimizer::new(&recipe.optimizer, &mut decoder);
    let state = match &held {
        Some(c) => {
            if c.state.recipe_hash != resolved.hash.as_str() || c.state.tokenizer_hash != tokenizer.hash() {
                return Err(TrainError::Corrupt {
                    path: c.dir().into(),
                    what: "the checkpoint belongs to another recipe or tokeniser".into(),
                    hint: "remove the run's folder to start again".into(),
                });
            }
            c.restore(&mut optimizer)?;
            c.state.clone()
        }
        None => State {
            step: 0,
            updates: 0,
            recipe_hash: resolved.hash.as_str().into(),
            tokenizer_hash: tokenizer.hash(),
            seconds: 0.0,
            guard: Guard::default(),
            tail: Tail::default(),
        },
    };
    let mut log = EventLog::open(&run)?;
    let mut emit = |log: &mut EventLog, event: Event| {
        log.push(&event);
        on_event(&event);
    };
    let peak = measure_peak(&device);
    let tokens_per_step = (recipe.train.batch * recipe.data.sequence) as u64;
    let flops_per_token = config.train_flops(recipe.data.sequence).0;
    emit(
        &mut log,
        Event::Start {
            run: resolved.folder(),
            steps: resolved.steps,
            tokens_per_step,
            parameters: config.parameters().total(),
            non_embedding: config.parameters().non_embedding(),
            flops: flops_per_token * resolved.tokens as f64,
            peak_flops: peak,
            time: unix_time(),
        },
    );
    if state.step > 0 {
        emit(&mut log, Event::Resume { step: state.step, time: unix_time() });
    }
    let mut training = Loop {
        resolved,
        run: run.clone(),
        device,
        objective: Objective::new(&recipe.objective)?,
        tokenizer,
        feed: Feed::new(shards, recipe.seed),
        decoder,
        optimizer,
        state,
    };
    let every = (resolved.steps / LOGGED).max(1);
    let mut interval = Interval::default();
    let mut since_event = Instant::now();
    let mut since_checkpoint = Instant::now();
    while training.state.step < resolved.steps {
        let finding = training.step(&mut interval)?;
        let step = training.state.step;
        match finding {
            Finding::Calm => {}
            Finding::Spike { above, deviations } => {
                let what = format!(
                    "the loss stood {above:.2} nats, {deviations:.0} standard deviations, above its mean over the steps before"
                );
                emit(&mut log, Event::Incident { step, kind: "spike".into(), what });
            }
            Finding::Diverged { what, poisoned } => {
                if poisoned {
                    checkpoint::discard(&run, step)?;
                }
                emit(&mut log, Event::Incident { step, kind: "diverged".into(), what: what.clone() });
                log.flush()?;
                let good = latest_checkpoint(&run)?;
                let hint = match good {
                    Some(c) => format!(
                        "the last good checkpoint is `{}`; lower the learning rates or set `optimizer.clip`",
                        c.dir().display()
                    ),
                    None => "no checkpoint had been written; lower the learning rates".into(),
                };
                return Err(TrainError::Diverged { step, what, hint });
            }
        }
        let stopping = stop.load(Ordering::Relaxed);
        let last = step == resolved.steps;
        if !step.is_multiple_of(every) && !last && !stopping {
            continue;
        }
        let seconds = since_event.elapsed().as_secs_f64();
        since_event = Instant::now();
        training.state.seconds += seconds;
        if interval.steps > 0 {
            let rate = (interval.steps * tokens_per_step) as f64 / seconds;
            emit(
                &mut log,
                Event::Step(StepEvent {
                    step,
                    of: resolved.steps,
                    tokens: step * tokens_per_step,
                    loss: interval.loss / interval.steps as f64,
                    loss_by_kind: means(&interval.by_kind),
                    learning_rate: recipe.optimizer.learning_rate
                        * recipe.schedule.factor(step - 1, resolved.steps),
                    gradient_norm: interval.largest_norm,
                    tokens_per_second: rate,
                    mfu: rate * flops_per_token / peak,
                    seconds: training.state.seconds,
                }),
            );
            interval = Interval::default();
        }
        // Checkpoints only stand where an interval ends, so that a resumed run logs the same means.
        if last || stopping || since_checkpoint.elapsed().as_secs() >= recipe.train.checkpoint_seconds {
            let event = training.save()?;
            emit(&mut log, event);
            log.flush()?;
            since_checkpoint = Instant::now();
        }
        if stopping && !last {
            return Ok(Outcome::Interrupted { step, of: resolved.steps });
        }
    }
    let tail = &training.state.tail;
    let done = Done {
        steps: resolved.steps,
        tokens: resolved.tokens,
        flops: flops_per_token * resolved.tokens as f64,
        seconds: training.state.seconds,
        peak_memory_bytes: peak_memory(),
        final_loss: (tail.steps > 0).then(|| tail.loss / tail.steps as f64),
        loss_by_kind: means(&tail.by_kind),
        spikes: training.state.guard.spikes,
        tokens_by_source: manifest.sources.iter().map(|s| (s.name.clone(), s.tokens)).collect(),
        recipe_hash: resolved.hash.as_str().into(),
    };
    emit(&mut log, Event::Done(done.clone()));
    log.flush()?;
    write_atomically(&run.join("done.json"), &checkpoint::json(&done))?;
    Ok(Outcome::Finished(done))
}
