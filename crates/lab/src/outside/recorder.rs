//! Keeps what an outside trainer reports, in the files that a run of our own trainer has: `recipe.toml`, `events.jsonl.zst`,
//! `done.json` and `metrics.json`. Everything that reads runs (curves, the archive of noise, exports) then reads these too.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Trainer;
use super::record::{json_object, numbers};
use crate::event_log::read_events;
use crate::locate::did_you_mean;
use crate::plan::Cell;
use crate::registration::write_atomically;
use crate::run_store::Done;
use crate::score::{Metric, Metrics};

/// Events are written in frames of at most this many, and not later than this after they came.
const FRAME: usize = 256;
const LATEST: Duration = Duration::from_secs(5);
/// A metric that was last reported before this share of the steps is not that of the finished model.
const FINISHED: f64 = 0.99;

/// Which of the trainer's programs is at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sitting {
    Training,
    Evaluation,
}

/// One sitting of a run.
pub(crate) struct Recorder {
    run: PathBuf,
    sitting: Sitting,
    trainer: Trainer,
    tokens: u64,
    flops: f64,
    /// The metrics that the bet needs.
    needed: Vec<String>,
    began: Instant,
    /// Seconds of earlier sittings.
    before: f64,
    /// An earlier sitting left a log, and no record of this one has come yet.
    resumes: bool,
    state: State,
    pending: Vec<u8>,
    lines: usize,
    written: Instant,
    /// Why the log cannot be written, if so.
    unwritable: Option<String>,
}

/// What the log says so far.
#[derive(Clone, Debug, Default)]
struct State {
    step: u64,
    of: Option<u64>,
    tokens: Option<f64>,
    flops: Option<f64>,
    seconds: f64,
    loss: Option<f64>,
    peak_memory_bytes: f64,
    diverged: bool,
    /// The last value of each metric and its step; no value where it was no number.
    metrics: BTreeMap<String, (u64, Option<f64>)>,
}

impl Recorder {
    /// Opens the folder of a run, new or begun.
    ///
    /// # Errors
    /// If its files cannot be read or written.
    pub(crate) fn begin(
        run: &Path,
        sitting: Sitting,
        trainer: &Trainer,
        cell: &Cell,
        needed: Vec<String>,
    ) -> io::Result<Recorder> {
        let recipe = toml::to_string(&cell.recipe.table).map_err(io::Error::other)?;
        write_atomically(&run.join("recipe.toml"), recipe.as_bytes())?;
        let mut state = State::default();
        let log = run.join("events.jsonl.zst");
        let resumes = log.exists();
        if resumes {
            read_events(&log)?.0.iter().for_each(|event| state.take(event));
        }
        let mut recorder = Recorder {
            run: run.to_owned(),
            sitting,
            trainer: trainer.clone(),
            tokens: cell.recipe.tokens,
            flops: cell.recipe.flops,
            needed,
            began: Instant::now(),
            before: state.seconds,
            resumes: resumes && sitting == Sitting::Training,
            state,
            pending: Vec::new(),
            lines: 0,
            written: Instant::now(),
            unwritable: None,
        };
        if !resumes {
            recorder.log(&json!({"event": "start", "time": unix_time(), "tokens": recorder.tokens, "flops": recorder.flops}));
        }
        Ok(recorder)
    }

    /// Where the trainer writes its records, if not to its standard output.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        let file = self.trainer.records.as_ref().filter(|_| self.sitting == Sitting::Training);
        file.map(|name| self.run.join(name))
    }

    /// Takes a line that the trainer wrote. Returns what the runner should know of it, nothing where the line is no record.
    pub(crate) fn line(&mut self, line: &str) -> Option<Value> {
        let object = json_object(line.as_bytes()).ok()?;
        match object.get("event").and_then(Value::as_str) {
            Some("incident") => {
                let event = Value::Object(object);
                self.log(&event);
                return Some(event);
            }
            Some("progress" | "corpus") => return Some(Value::Object(object)),
            _ => {}
        }
        let mut numbers = numbers(&object);
        if numbers.is_empty() {
            return None;
        }
        let mut field = |name: &str| numbers.remove(self.trainer.name_of(name));
        let whole = |n: f64| n.max(0.0) as u64;
        let step = field("step").flatten().map_or(self.state.step, whole);
        let of = field("of").flatten().map(whole).or(self.state.of);
        let tokens = field("tokens")
            .flatten()
            .or_else(|| of.filter(|of| *of > 0).map(|of| self.tokens as f64 * step as f64 / of as f64));
        let seconds = field("seconds").flatten().unwrap_or(self.before + self.began.elapsed().as_secs_f64());
        let loss = field("loss");
        let rate = field("tokens_per_second").flatten().or_else(|| {
            let moved = tokens? - self.state.tokens?;
            let took = seconds - self.state.seconds;
            (moved > 0.0 && took > 0.0).then_some(moved / took)
        });
        let mut event = json!({
            "event": if loss.flatten().is_some() { "step" } else { "record" },
            "step": step,
            "of": of,
            "tokens": tokens.map(whole),
            "seconds": seconds,
            "tokens_per_second": rate.unwrap_or_default(),
        });
        for name in ["flops", "gradient_norm", "learning_rate", "peak_memory_bytes"] {
            if let Some(value) = field(name).flatten() {
                event[name] = value.into();
            }
        }
        if let Some(loss) = loss.flatten() {
            event["loss"] = loss.into();
        }
        if let Some(loss) = loss {
            numbers.insert("loss".to_owned(), loss);
        }
        event["metrics"] = json!(numbers);
        if std::mem::take(&mut self.resumes) {
            let at = step.saturating_sub(1);
            self.log(&json!({"event": "resume", "step": at, "time": unix_time()}));
        }
        let event = without_nulls(event);
        self.log(&event);
        if loss == Some(None) && !self.state.diverged {
            self.state.diverged = true;
            let incident = json!({"event": "incident", "step": step, "kind": "diverged", "what": "the loss is not a number"});
            self.log(&incident);
            return Some(incident);
        }
        let mut told = event;
        told["event"] = "step".into();
        Some(told)
    }

    fn log(&mut self, event: &Value) {
        self.state.take(event);
        self.pending.extend(event.to_string().bytes());
        self.pending.push(b'\n');
        self.lines += 1;
        if self.lines >= FRAME || self.written.elapsed() > LATEST {
            self.flush();
        }
    }

    /// Appends what is pending as a frame of its own, so that a kill costs no more than that.
    fn flush(&mut self) {
        let lines = std::mem::take(&mut self.pending);
        let append = || -> io::Result<()> {
            let frame = zstd::encode_all(lines.as_slice(), 3)?;
            let path = self.run.join("events.jsonl.zst");
            OpenOptions::new().create(true).append(true).open(path)?.write_all(&frame)
        };
        if !lines.is_empty()
            && let Err(e) = append()
        {
            self.unwritable.get_or_insert(e.to_string());
        }
        self.lines = 0;
        self.written = Instant::now();
    }

    /// The program has ended. After a success the run's results are written.
    ///
    /// # Errors
    /// A sentence if files cannot be written, or if a metric that the bet needs was not reported of the finished model.
    pub(crate) fn end(mut self, success: bool) -> Result<(), String> {
        self.flush();
        if let Some(why) = self.unwritable {
            return Err(format!("its log cannot be written: {why}"));
        }
        if !success {
            return Ok(());
        }
        let last = self.sitting == Sitting::Evaluation || self.trainer.evaluate.is_empty();
        if last {
            self.complete()?;
            let metrics: Metrics = self
                .state
                .metrics
                .iter()
                .filter_map(|(name, (_, value))| {
                    Some((name.clone(), Metric { value: (*value)?, low: None, high: None, n: 1 }))
                })
                .collect();
            self.write("metrics.json", &serde_json::to_value(&metrics).map_err(|e| e.to_string())?)?;
        }
        if self.sitting == Sitting::Training {
            let state = &self.state;
            let tokens = state.tokens.map_or(self.tokens, |n| n as u64);
            let done = Done {
                steps: state.step,
                tokens,
                flops: state.flops.unwrap_or_else(|| match state.tokens {
                    Some(tokens) if self.tokens > 0 => self.flops * tokens / self.tokens as f64,
                    _ => self.flops,
                }),
                seconds: state.seconds.max(self.before + self.began.elapsed().as_secs_f64()),
                peak_memory_bytes: state.peak_memory_bytes as u64,
                final_loss: state.loss,
                loss_by_kind: BTreeMap::new(),
            };
            self.write("done.json", &serde_json::to_value(&done).map_err(|e| e.to_string())?)?;
        }
        Ok(())
    }

    /// True if every metric that the bet needs was reported, and of the finished model.
    fn complete(&self) -> Result<(), String> {
        let state = &self.state;
        for name in &self.needed {
            let Some((step, _)) = state.metrics.get(name) else {
                let known: Vec<&str> = state.metrics.keys().map(String::as_str).collect();
                return Err(if known.is_empty() {
                    format!(
                        "it reported no `{name}`, nor any other number; want lines such as {{\"step\": 100, \"{name}\": 2.5}}"
                    )
                } else {
                    format!("it reported no `{name}`{}", did_you_mean(name, known.into_iter()))
                });
            };
            if (*step as f64) < FINISHED * state.step as f64 {
                return Err(format!(
                    "it last reported `{name}` at step {step} of {}; a bet compares finished models: report it at the end of \
                     training, or name a command that measures it in trainer.evaluate",
                    state.step
                ));
            }
        }
        Ok(())
    }

    fn write(&self, name: &str, value: &Value) -> Result<(), String> {
        let path = self.run.join(name);
        write_atomically(&path, value.to_string().as_bytes())
            .map_err(|e| format!("`{}`: {e}", path.display()))
    }
}

impl State {
    fn take(&mut self, event: &Value) {
        let number = |key: &str| event[key].as_f64();
        match event["event"].as_str() {
            Some("step" | "record") => {
                self.step = event["step"].as_u64().unwrap_or(self.step);
                self.of = event["of"].as_u64().or(self.of);
                self.tokens = number("tokens").or(self.tokens);
                self.flops = number("flops").or(self.flops);
                self.seconds = number("seconds").unwrap_or(self.seconds);
                self.loss = number("loss").or(self.loss);
                self.peak_memory_bytes =
                    number("peak_memory_bytes").unwrap_or_default().max(self.peak_memory_bytes);
                for (name, value) in event["metrics"].as_object().into_iter().flatten() {
                    self.metrics.insert(name.clone(), (self.step, value.as_f64()));
                }
            }
            Some("resume") => {
                let step = event["step"].as_u64().unwrap_or_default();
                self.step = self.step.min(step);
                self.metrics.retain(|_, (at, _)| *at <= step);
            }
            Some("incident") => self.diverged |= event["kind"] == "diverged",
            _ => {}
        }
    }
}

/// Metrics that are no number stay as `null`; fields that nobody reported go.
fn without_nulls(mut event: Value) -> Value {
    if let Some(fields) = event.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    event
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs())
}

/// Reads what is new in the file at `path`, by lines; a file that has become shorter is read from its start.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    at: usize,
    half: Vec<u8>,
}

impl Tail {
    pub(crate) fn read(&mut self, path: &Path, last: bool, mut take: impl FnMut(&str)) {
        use std::io::{Read, Seek, SeekFrom};
        let mut bytes = Vec::new();
        let mut new = || -> io::Result<()> {
            let mut file = fs::File::open(path)?;
            if file.metadata()?.len() < self.at as u64 {
                self.at = 0;
                self.half.clear();
            }
            file.seek(SeekFrom::Start(self.at as u64))?;
            file.read_to_end(&mut bytes)?;
            Ok(())
        };
        // A file that is not there yet has nothing new.
        if new().is_err() {
            return;
        }
        self.at += bytes.len();
        self.half.extend(bytes);
        while let Some(end) = self.half.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.half.drain(..=end).collect();
            take(String::from_utf8_lossy(&line).trim_end());
        }
        if last && !self.half.is_empty() {
            take(String::from_utf8_lossy(&std::mem::take(&mut self.half)).trim_end());
        }
    }
}
