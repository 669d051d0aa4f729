//! Runs the cells of a bet as child processes, side by side, and can be stopped and started again at any time.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::bet::Bet;
use crate::child::{Child, Ended, Message};
use crate::evaluated::Evaluated;
use crate::event_log::Incident;
use crate::outside::{Recorder, Sitting, Values};
use crate::plan::{Cell, Plan};
use crate::recipe::{canonical_json, hash_hex, table_to_json};
use crate::registration::write_atomically;
use crate::run_store::{Done, RunStoreError, read_json};
use crate::time_left::{Speed, TimeLeft};

/// How the cells of a bet are run.
#[derive(Clone, Debug)]
pub struct Runner {
    /// The program that trains and evaluates: called as `PROGRAM train RECIPE --runs DIR --json --threads N` and
    /// `PROGRAM eval RUN --suite FILE --json`.
    pub program: PathBuf,
    /// The folder of runs.
    pub runs: PathBuf,
    /// The folder of the bet file: the commands of an outside trainer are run in it.
    pub base: PathBuf,
    /// The folder of the registration; recipes, the suite and logs of the children are put there.
    pub folder: PathBuf,
    /// Children side by side.
    pub parallel: usize,
    /// Threads of each; also given to it as `RAYON_NUM_THREADS`.
    pub threads: usize,
    /// What is known about speed beforehand.
    pub speed: Speed,
    /// How long a child may take to write its checkpoint after an interruption before it is signalled again; after
    /// three times that it is killed.
    pub grace: Duration,
}

/// What happens while the cells run. `cell` is an index into [`Plan::cells`].
#[derive(Clone, Debug, PartialEq)]
pub enum RunnerEvent {
    /// A child was started.
    Started {
        /// Which run.
        cell: usize,
        /// Its folder exists already: it goes on where it was.
        resumed: bool,
    },
    /// The corpus is being built or opened; the runs of an arm share it.
    Preparing {
        /// Which run.
        cell: usize,
        /// What is being done.
        stage: String,
        /// Units done.
        done: u64,
        /// All units, 0 where that is not known.
        of: u64,
    },
    /// Training has moved on.
    Training {
        /// Which run.
        cell: usize,
        /// Step of the optimiser.
        step: u64,
        /// All steps, where they are known.
        steps: Option<u64>,
        /// Tokens seen.
        tokens: u64,
        /// All tokens.
        of_tokens: u64,
        /// Loss, nats a token; not a number where the trainer gave none with this step.
        loss: f64,
        /// Tokens a second.
        tokens_per_second: f64,
    },
    /// The trainer reports that something went wrong; it may go on.
    Incident {
        /// Which run.
        cell: usize,
        /// At which step.
        step: u64,
        /// What.
        message: String,
    },
    /// The evaluation has moved on.
    Evaluating {
        /// Which run.
        cell: usize,
        /// Attempts made.
        done: u64,
        /// All attempts.
        of: u64,
    },
    /// A run is trained and evaluated.
    Finished {
        /// Which run.
        cell: usize,
        /// It was so before this start.
        earlier: bool,
    },
    /// A child died. No further runs are started; those under way go on.
    Failed {
        /// Which run.
        cell: usize,
        /// How.
        failure: Failure,
    },
    /// The state of the whole bet, after each of the others.
    Overall {
        /// Runs finished.
        finished: usize,
        /// All runs.
        of: usize,
        /// Share of all training FLOPs done.
        share: f64,
        /// Estimated seconds until all are finished, as soon as they can be told.
        seconds_left: Option<f64>,
    },
}

/// How a child died.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What it was and how it ended.
    pub message: String,
    /// The last lines that it wrote to its standard error.
    pub stderr: Vec<String>,
    /// The file with everything that it wrote.
    pub log: PathBuf,
}

/// How the running of a bet ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunnerOutcome {
    /// All runs are finished.
    Finished,
    /// The runs so far decide; those that could not change the verdict any more were not started.
    Decided {
        /// Runs that were not started.
        spared: usize,
    },
    /// It was interrupted; the next start goes on.
    Interrupted,
    /// Runs failed: index of the cell and how. The next start tries them again.
    Failed(Vec<(usize, Failure)>),
}

/// Why the cells cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// A file cannot be written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file of a run cannot be read.
    #[error(transparent)]
    Store(#[from] RunStoreError),
    /// A run's folder holds another recipe than its name says.
    #[error("{} holds another recipe than its name says; move it away and start again", path.display())]
    OtherRecipe {
        /// The folder.
        path: PathBuf,
    },
    /// Another process runs this bet.
    #[error("another process is running this bet (it holds {}); wait for it or stop it", path.display())]
    Busy {
        /// The file that it holds.
        path: PathBuf,
    },
    /// A table cannot be written as TOML.
    #[error("the recipe of {cell} cannot be written as TOML: {message}")]
    Toml {
        /// Which run.
        cell: String,
        /// Why.
        message: String,
    },
}

/// What a run still needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Training,
    Evaluation,
    Nothing,
}

impl Runner {
    /// Runs whatever is not finished yet, in the order of the plan. Returns when all is finished, when something
    /// failed and the others have ended, or after `stop` became true and the children have ended.
    ///
    /// Whenever a pair is complete while runs wait, `decided` is asked with the finished cells, indices into
    /// [`Plan::cells`]; once it says yes no further run is started, and those under way are brought to their end.
    ///
    /// # Errors
    /// [`RunnerError`] before any child is started, if the folders are not as they should be.
    pub fn run(
        &self,
        plan: &Plan,
        stop: &AtomicBool,
        decided: &mut dyn FnMut(&[usize]) -> bool,
        report: &mut dyn FnMut(RunnerEvent),
    ) -> Result<RunnerOutcome, RunnerError> {
        let suite = self.write_inputs(plan)?;
        let _held_until_the_end = self.lock()?;
        let suite_hash = suite_hash(plan);
        let mut floor = Floor {
            runner: self,
            plan,
            suite: &suite,
            suite_hash: &suite_hash,
            left: TimeLeft::new(plan, self.speed, self.parallel),
            finished: BTreeSet::new(),
            decided,
            asked: 0,
            over: false,
            failed: Vec::new(),
            active: BTreeMap::new(),
            waiting: Vec::new(),
            report,
        };
        for cell in 0..plan.cells.len() {
            match self.need(&plan.cells[cell], &suite_hash)? {
                Need::Nothing => floor.finish(cell, true),
                need => floor.waiting.push((cell, need)),
            }
        }
        floor.waiting.reverse();
        Ok(floor.work(stop))
    }

    /// Two processes at one bet would train the same run twice into one folder. The system lets go of the lock when the
    /// process ends, however it ends.
    fn lock(&self) -> Result<File, RunnerError> {
        let path = self.folder.join("lock");
        let file = File::create(&path).map_err(|source| RunnerError::File { path: path.clone(), source })?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(RunnerError::Busy { path }),
            Err(TryLockError::Error(source)) => Err(RunnerError::File { path, source }),
        }
    }

    /// True if no run of `plan` is left to do.
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn is_finished(&self, plan: &Plan) -> Result<bool, RunnerError> {
        Ok(self.finished_cells(plan)?.len() == plan.cells.len())
    }

    /// The runs of `plan` that are trained and evaluated: indices into [`Plan::cells`].
    ///
    /// # Errors
    /// As [`Runner::run`].
    pub fn finished_cells(&self, plan: &Plan) -> Result<Vec<usize>, RunnerError> {
        let suite_hash = suite_hash(plan);
        let mut finished = Vec::new();
        for (index, cell) in plan.cells.iter().enumerate() {
            if self.need(cell, &suite_hash)? == Need::Nothing {
                finished.push(index);
            }
        }
        Ok(finished)
    }

    fn need(&self, cell: &Cell, suite_hash: &str) -> Result<Need, RunnerError> {
        let run = self.runs.join(cell.folder());
        let Ok(text) = std::fs::read_to_string(run.join("recipe.toml")) else { return Ok(Need::Training) };
        if toml::from_str::<toml::Table>(&text).ok().as_ref() != Some(&cell.recipe.table) {
            return Err(RunnerError::OtherRecipe { path: run });
        }
        if read_json::<Done>(&run.join("done.json"))?.is_none() {
            return Ok(Need::Training);
        }
        let current = Evaluated::read(&run)?.is_some_and(|e| e.is_current(&run, suite_hash));
        Ok(if current { Need::Nothing } else { Need::Evaluation })
    }

    /// Writes the recipes and the suite for the children; returns the path of the suite.
    fn write_inputs(&self, plan: &Plan) -> Result<PathBuf, RunnerError> {
        let put = |path: PathBuf, table: &toml::Table, cell: &str| {
            let text = toml::to_string(table)
                .map_err(|e| RunnerError::Toml { cell: cell.to_owned(), message: e.to_string() })?;
            write_atomically(&path, text.as_bytes())
                .map_err(|source| RunnerError::File { path: path.clone(), source })?;
            Ok::<PathBuf, RunnerError>(path)
        };
        for cell in &plan.cells {
            put(self.recipe_file(cell), &cell.recipe.table, &cell.label())?;
        }
        put(self.folder.join("suite.toml"), &plan.bet.evaluation, "the suite")
    }

    fn recipe_file(&self, cell: &Cell) -> PathBuf {
        self.folder.join("recipes").join(format!("{}.toml", cell.folder()))
    }

    fn command(
        &self,
        bet: &Bet,
        cell: &Cell,
        need: Need,
        suite: &Path,
        slot: usize,
    ) -> Result<Command, String> {
        let mut command = Command::new(&self.program);
        if let Some(trainer) = &bet.trainer {
            let whole = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
            let arm = cell.arm.to_string();
            let values = Values {
                recipe: &cell.recipe.table,
                arm: &arm,
                size: &cell.size,
                seed: cell.seed,
                name: &cell.name,
                folder: &whole(self.runs.join(cell.folder())),
                recipe_file: &whole(self.recipe_file(cell)),
                threads: self.threads,
                slot,
            };
            let words = if need == Need::Training { &trainer.command } else { &trainer.evaluate };
            command = trainer.command(words, &values, &self.base)?;
            command.env("OMP_NUM_THREADS", self.threads.to_string());
        } else if need == Need::Training {
            command.arg("train").arg(self.recipe_file(cell)).arg("--runs").arg(&self.runs);
            command.args(["--json", "--threads"]).arg(self.threads.to_string());
        } else {
            command.arg("eval").arg(self.runs.join(cell.folder())).arg("--suite").arg(suite).arg("--json");
        }
        command.env("RAYON_NUM_THREADS", self.threads.to_string());
        Ok(command)
    }

    /// What keeps the records of a trainer that is not ours.
    fn recorder(&self, bet: &Bet, cell: &Cell, need: Need) -> std::io::Result<Option<Recorder>> {
        let Some(trainer) = &bet.trainer else { return Ok(None) };
        let sitting = if need == Need::Training { Sitting::Training } else { Sitting::Evaluation };
        let mut needed = vec![bet.primary.metric.clone()];
        needed.extend(bet.guardrails.iter().map(|g| g.metric.clone()));
        Recorder::begin(&self.runs.join(cell.folder()), sitting, trainer, cell, needed).map(Some)
    }
}

/// The hash of the suite, by content.
fn suite_hash(plan: &Plan) -> String {
    hash_hex(&canonical_json(&table_to_json(&plan.bet.evaluation)))
}

/// The state of a run of the runner.
struct Floor<'a> {
    runner: &'a Runner,
    plan: &'a Plan,
    suite: &'a Path,
    suite_hash: &'a str,
    left: TimeLeft,
    finished: BTreeSet<usize>,
    decided: &'a mut dyn FnMut(&[usize]) -> bool,
    /// Complete pairs when `decided` was asked last.
    asked: usize,
    /// The verdict is in; nothing more is started.
    over: bool,
    failed: Vec<(usize, Failure)>,
    active: BTreeMap<usize, Active>,
    /// The next one last.
    waiting: Vec<(usize, Need)>,
    report: &'a mut dyn FnMut(RunnerEvent),
}

struct Active {
    child: Child,
    need: Need,
    /// Its place among those side by side.
    slot: usize,
    started: Instant,
    steps: Option<u64>,
    /// The last step seen: share done, and when.
    last: Option<(f64, Instant)>,
}

impl Floor<'_> {
    fn work(mut self, stop: &AtomicBool) -> RunnerOutcome {
        let (sender, messages) = mpsc::channel();
        let mut stopped_at: Option<Instant> = None;
        let mut signals = 0;
        loop {
            if stop.load(Ordering::SeqCst) && stopped_at.is_none() {
                stopped_at = Some(Instant::now());
            }
            if stopped_at.is_none() && self.failed.is_empty() && !self.is_decided() {
                while self.active.len() < self.runner.parallel.max(1) {
                    let Some((cell, need)) = self.waiting.pop() else { break };
                    self.start(cell, need, &sender);
                }
            }
            if self.active.is_empty() {
                break;
            }
            if let Some(at) = stopped_at {
                self.urge(at.elapsed(), &mut signals);
            }
            match messages.recv_timeout(Duration::from_millis(50)) {
                Ok((cell, message)) => self.take(cell, message, stop, &sender),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if !self.failed.is_empty() {
            RunnerOutcome::Failed(self.failed)
        } else if self.finished.len() == self.plan.cells.len() {
            RunnerOutcome::Finished
        } else if self.over {
            RunnerOutcome::Decided { spared: self.plan.cells.len() - self.finished.len() }
        } else {
            RunnerOutcome::Interrupted
        }
    }

    /// True once the finished pairs decide. Cells come in pairs, so that a pair is two neighbours.
    fn is_decided(&mut self) -> bool {
        if self.over || self.waiting.is_empty() {
            return self.over;
        }
        let pairs =
            self.finished.iter().filter(|c| *c % 2 == 0 && self.finished.contains(&(**c + 1))).count();
        if pairs > self.asked {
            self.asked = pairs;
            let finished: Vec<usize> = self.finished.iter().copied().collect();
            self.over = (self.decided)(&finished);
        }
        self.over
    }

    /// Asks the children to stop, asks those again that do not end, and in the end kills them: a checkpoint is
    /// written atomically, so nothing breaks.
    fn urge(&self, waited: Duration, signals: &mut u32) {
        let grace = self.runner.grace;
        let due = if waited > 3 * grace { 3 } else { 1 + u32::from(waited > grace) };
        if due > *signals {
            *signals = due;
            for active in self.active.values() {
                active.child.signal(if due == 3 { "KILL" } else { "INT" });
            }
        }
    }

    fn start(&mut self, cell: usize, need: Need, sender: &mpsc::Sender<(usize, Message)>) {
        let (bet, c) = (&self.plan.bet, &self.plan.cells[cell]);
        if need == Need::Evaluation && bet.trainer.as_ref().is_some_and(|t| t.evaluate.is_empty()) {
            // Its training has reported what is measured.
            self.evaluated(cell, 0.0);
            self.overall();
            return;
        }
        let log = self.runner.folder.join("logs").join(format!("{}.log", c.folder()));
        let resumed = self.runner.runs.join(c.folder()).join("recipe.toml").is_file();
        let slot = (0..).find(|s| self.active.values().all(|a| a.slot != *s)).unwrap_or(0);
        let child = self.runner.command(bet, c, need, self.suite, slot).and_then(|command| {
            let program = command.get_program().to_string_lossy().into_owned();
            let recorder =
                self.runner.recorder(bet, c, need).map_err(|e| format!("cannot write its folder: {e}"))?;
            Child::start(command, cell, &log, recorder, sender.clone())
                .map_err(|e| format!("cannot start `{program}`: {e}"))
        });
        match child {
            Ok(child) => {
                let active = Active { child, need, slot, started: Instant::now(), steps: None, last: None };
                self.active.insert(cell, active);
                if need == Need::Training {
                    (self.report)(RunnerEvent::Started { cell, resumed });
                } else {
                    self.left.evaluated(cell, 0.0);
                    (self.report)(RunnerEvent::Evaluating { cell, done: 0, of: 0 });
                }
            }
            Err(message) => self.fail(cell, Failure { message, stderr: Vec::new(), log }),
        }
        self.overall();
    }

    /// The run is trained and measured: what lies in its folder belongs to this bet's suite.
    fn evaluated(&mut self, cell: usize, seconds: f64) {
        let c = &self.plan.cells[cell];
        let run = self.runner.runs.join(c.folder());
        match Evaluated::of(&run, self.suite_hash, seconds).and_then(|e| e.write(&run)) {
            Ok(()) => {
                self.left.evaluation_took(seconds);
                self.finish(cell, false);
            }
            Err(e) => {
                let log = self.runner.folder.join("logs").join(format!("{}.log", c.folder()));
                let message = format!("evaluating {} left no scores: {e}", c.label());
                self.fail(cell, Failure { message, stderr: Vec::new(), log });
            }
        }
    }

    fn take(
        &mut self,
        cell: usize,
        message: Message,
        stop: &AtomicBool,
        sender: &mpsc::Sender<(usize, Message)>,
    ) {
        match message {
            Message::Event(event) => {
                self.event(cell, &event);
                self.overall();
            }
            Message::Ended(ended) => {
                if let Some(active) = self.active.remove(&cell) {
                    self.ended(cell, &active, ended, stop, sender);
                }
            }
        }
    }

    fn event(&mut self, cell: usize, event: &serde_json::Value) {
        let Some(active) = self.active.get_mut(&cell) else { return };
        let number = |key: &str| event[key].as_u64();
        match event["event"].as_str() {
            Some("start") => active.steps = number("steps"),
            Some("step") => {
                let tokens = number("tokens").unwrap_or_default();
                let of_tokens = self.plan.cells[cell].recipe.tokens;
                let share = if of_tokens > 0 {
                    tokens as f64 / of_tokens as f64
                } else {
                    let of = number("of").or(active.steps).unwrap_or_default();
                    number("step").unwrap_or_default() as f64 / of.max(1) as f64
                };
                let now = Instant::now();
                if let Some((before, at)) = active.last.replace((share, now)) {
                    self.left.trained(cell, share, share - before, (now - at).as_secs_f64());
                } else {
                    self.left.trained(cell, share, 0.0, 0.0);
                }
                (self.report)(RunnerEvent::Training {
                    cell,
                    step: number("step").unwrap_or_default(),
                    steps: number("of").or(active.steps),
                    tokens,
                    of_tokens,
                    loss: event["loss"].as_f64().unwrap_or(f64::NAN),
                    tokens_per_second: event["tokens_per_second"].as_f64().unwrap_or_default(),
                });
            }
            Some("incident") => {
                let Incident { step, message, .. } = Incident::of(event);
                (self.report)(RunnerEvent::Incident { cell, step, message });
            }
            Some("corpus") => (self.report)(RunnerEvent::Preparing {
                cell,
                stage: event["stage"].as_str().unwrap_or("corpus").to_owned(),
                done: number("done").unwrap_or_default(),
                of: number("of").unwrap_or_default(),
            }),
            Some("progress") => {
                let (done, of) = (number("done").unwrap_or_default(), number("of").unwrap_or_default());
                self.left.evaluated(cell, done as f64 / of.max(1) as f64);
                (self.report)(RunnerEvent::Evaluating { cell, done, of });
            }
            _ => {}
        }
    }

    fn ended(
        &mut self,
        cell: usize,
        active: &Active,
        ended: Ended,
        stop: &AtomicBool,
        sender: &mpsc::Sender<(usize, Message)>,
    ) {
        let c = &self.plan.cells[cell];
        let run = self.runner.runs.join(c.folder());
        let seconds = active.started.elapsed().as_secs_f64();
        let verb = if active.need == Need::Training { "training" } else { "evaluating" };
        let result = if !ended.status.success() {
            Err(format!("{verb} {} ended with {}", c.label(), ended.status))
        } else if let Err(why) = &ended.kept {
            Err(format!("{verb} {} ended, but {why}", c.label()))
        } else if active.need == Need::Evaluation || run.join("done.json").is_file() {
            Ok(())
        } else {
            Err(format!("{verb} {} ended without {}", c.label(), run.join("done.json").display()))
        };
        match result {
            Ok(()) if active.need == Need::Evaluation => self.evaluated(cell, seconds),
            Ok(()) if stop.load(Ordering::SeqCst) => self.waiting.push((cell, Need::Evaluation)),
            Ok(()) => self.start(cell, Need::Evaluation, sender),
            Err(message) if !interrupted(stop) => {
                self.fail(cell, Failure { message, stderr: ended.stderr, log: ended.log });
            }
            Err(_) => self.waiting.push((cell, active.need)),
        }
        self.overall();
    }

    fn finish(&mut self, cell: usize, earlier: bool) {
        self.finished.insert(cell);
        self.left.evaluated(cell, 1.0);
        (self.report)(RunnerEvent::Finished { cell, earlier });
    }

    fn fail(&mut self, cell: usize, failure: Failure) {
        (self.report)(RunnerEvent::Failed { cell, failure: failure.clone() });
        self.failed.push((cell, failure));
    }

    fn overall(&mut self) {
        (self.report)(RunnerEvent::Overall {
            finished: self.finished.len(),
            of: self.plan.cells.len(),
            share: self.left.share(),
            seconds_left: self.left.seconds(),
        });
    }
}

/// A child may die of the terminal's Ctrl-C a moment before this process has taken note of its own.
fn interrupted(stop: &AtomicBool) -> bool {
    for _ in 0..10 {
        if stop.load(Ordering::SeqCst) {
            return true;
        }
        std::thread::sleep(Duration::from_millis(30));
    }
    false
}
