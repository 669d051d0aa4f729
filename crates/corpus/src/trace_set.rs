//! Sets of generated traces: mixtures over worlds and styles, without repetition, in shards.
//!
//! A set is a folder:
//!
//! ```text
//! mixture.json            what it is generated from; a folder belongs to one mixture for good
//! shard-00000.parquet     traces, in the form of [`read_traces`](crate::read_traces)
//! shard-00000.keys        the hashes of their action sequences, 64 bits each, little-endian
//! shard-00000.json        what the shard holds, and the candidate after its last; written last
//! card.json, card.md      the data card: counts and examples
//! ```
//!
//! Candidate number i is a function of the mixture and of i. Candidates are taken in order, and one whose sequence of actions
//! (in its world) was met before is passed over. So a set is a function of its mixture and size, whatever the number of threads and
//! however often it was interrupted.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use groundwork_trace::SpanKind;
use groundwork_worlds::{
    Declare, FaultKind, Split, Style, Task, WorldError, faults_of, styled_trace_at, world_names,
};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::seed::{derive, unit};
use crate::source::Generator;
use crate::trace_file::{TraceRecord, TraceWriter};
use crate::{CorpusError, durable, recovery};

/// Candidates that are made at a time.
const BLOCK: u64 = 4096;
/// A mixture is exhausted once fewer than one in [`RARE`] of this many candidates were new.
const STALE: u64 = 8 * BLOCK;
const RARE: u64 = 200;

/// What traces are generated from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Mixture {
    /// The seed of everything.
    pub seed: u64,
    /// How traces state their tools.
    pub declare: Declare,
    /// Traces of a shard, at least 1.
    pub shard: u64,
    /// The parts, each drawn as often as its weight says.
    pub part: Vec<MixturePart>,
}

/// A part of a mixture: worlds with the same difficulties, faults and styles.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MixturePart {
    /// The worlds, each as often as the others; all of them where the list is empty.
    pub worlds: Vec<String>,
    /// The share of candidates, relative to the other parts.
    pub weight: f64,
    /// The levels, each as often as the others.
    pub levels: Vec<u32>,
    /// The share of tasks with an injected fault.
    pub fault_rate: f64,
    /// The faults, each as often as the others; one that a world does not have is left out there. Empty: all of the world.
    pub faults: Vec<FaultKind>,
    /// Styles by weight.
    pub styles: BTreeMap<Style, f64>,
    /// How often the styles `explore`, `mistakes` and `retract` go astray where they could, from 0 to 1.
    #[serde(skip_serializing_if = "is_usual")]
    pub mistake_rate: f64,
}

/// Whether a rate is what holds where nothing is said; it is then left out, so that sets from before there was one go on.
fn is_usual(rate: &f64) -> bool {
    *rate == MISTAKE_RATE
}

/// How often styles go astray where nothing is said.
const MISTAKE_RATE: f64 = 0.5;

impl Default for Mixture {
    fn default() -> Self {
        Mixture { seed: 0, declare: Declare::Full, shard: 20_000, part: vec![MixturePart::default()] }
    }
}

impl Default for MixturePart {
    fn default() -> Self {
        MixturePart {
            worlds: Vec::new(),
            weight: 1.0,
            levels: vec![1, 2],
            fault_rate: 0.0,
            faults: Vec::new(),
            styles: BTreeMap::from([(Style::Plan, 1.0)]),
            mistake_rate: MISTAKE_RATE,
        }
    }
}

/// How a generation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// The set has its size.
    Whole,
    /// It was interrupted; what it has is kept.
    Stopped,
    /// The mixture has hardly any trace that is not in the set.
    Exhausted,
}

/// What a set or a shard of one holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceCard {
    /// Traces.
    pub traces: u64,
    /// Candidates that were passed over, because their actions had been met.
    pub duplicates: u64,
    /// Bytes of the bodies of all spans.
    pub bytes: u64,
    /// Actions that failed.
    pub failed_actions: u64,
    /// Traces by world, by level (`level 2`), by fault (`none` or its name) and by style.
    pub worlds: BTreeMap<String, u64>,
    /// Traces by level.
    pub levels: BTreeMap<u32, u64>,
    /// Traces by fault; `none` for clean ones.
    pub faults: BTreeMap<String, u64>,
    /// Traces by style.
    pub styles: BTreeMap<String, u64>,
    /// Spans by kind.
    pub spans: BTreeMap<String, u64>,
    /// Candidates that were passed over, by world.
    pub duplicates_by_world: BTreeMap<String, u64>,
    /// The first trace of each world and style, as annotated text.
    pub examples: BTreeMap<String, String>,
}

impl TraceCard {
    fn add(&mut self, record: &TraceRecord, style: Style) {
        self.traces += 1;
        for span in &record.trace.spans {
            self.bytes += span.body.len() as u64;
            self.failed_actions += u64::from(span.failed);
            count(&mut self.spans, span.kind.keyword(), 1);
        }
        let Some(task) = &record.task else { return };
        count(&mut self.worlds, &task.world, 1);
        *self.levels.entry(task.level).or_default() += 1;
        count(&mut self.faults, task.fault.map_or("none", FaultKind::as_str), 1);
        count(&mut self.styles, style.as_str(), 1);
        let example = format!("{}, {style}", task.world);
        self.examples.entry(example).or_insert_with(|| record.trace.to_annotated());
    }

    fn pass_over(&mut self, world: &str) {
        self.duplicates += 1;
        count(&mut self.duplicates_by_world, world, 1);
    }

    fn merge(&mut self, other: &TraceCard) {
        self.traces += other.traces;
        self.duplicates += other.duplicates;
        self.bytes += other.bytes;
        self.failed_actions += other.failed_actions;
        let maps = [
            (&mut self.worlds, &other.worlds),
            (&mut self.faults, &other.faults),
            (&mut self.styles, &other.styles),
            (&mut self.spans, &other.spans),
            (&mut self.duplicates_by_world, &other.duplicates_by_world),
        ];
        for (own, others) in maps {
            others.iter().for_each(|(name, n)| count(own, name, *n));
        }
        other.levels.iter().for_each(|(level, n)| *self.levels.entry(*level).or_default() += n);
        for (name, text) in &other.examples {
            self.examples.entry(name.clone()).or_insert_with(|| text.clone());
        }
    }

    /// The card as Markdown.
    pub fn to_markdown(&self, mixture: &Mixture) -> String {
        let mut out = format!(
            "# {} traces\n\nGenerated by the experts of simulated worlds, all of the training split. Every trace replays in its \
             world to the recorded observations and solves its task (`groundwork trace verify`). {} candidates with \
             action sequences that were met before were passed over. {} bytes of text; {} actions failed.\n\n\
             Seed {}, tools declared: {:?}.\n",
            self.traces, self.duplicates, self.bytes, self.failed_actions, mixture.seed, mixture.declare
        );
        let levels: BTreeMap<String, u64> =
            self.levels.iter().map(|(l, n)| (format!("{l:02}"), *n)).collect();
        for (title, of, counts) in [
            ("World", "traces", &self.worlds),
            ("Level", "traces", &levels),
            ("Fault", "traces", &self.faults),
            ("Style", "traces", &self.styles),
            ("Span", "spans", &self.spans),
            ("World", "passed over", &self.duplicates_by_world),
        ] {
            out += &format!("\n| {title} | {of} | share |\n|---|---:|---:|\n");
            let sum: u64 = counts.values().sum();
            for (name, n) in counts {
                out += &format!("| {name} | {n} | {:.1}% |\n", 100.0 * *n as f64 / sum.max(1) as f64);
            }
        }
        out += "\n## Examples\n";
        for (name, text) in &self.examples {
            out += &format!("\n{name}:\n\n```text\n{}\n```\n", text.trim_end());
        }
        out
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str, n: u64) {
    match counts.get_mut(name) {
        Some(held) => *held += n,
        None => drop(counts.insert(name.to_owned(), n)),
    }
}

/// What `shard-….json` holds.
#[derive(Serialize, Deserialize)]
struct ShardNote {
    next_candidate: u64,
    card: TraceCard,
}

/// A mixture whose every task exists.
struct Source {
    seed: u64,
    declare: Declare,
    parts: Vec<Part>,
}

struct Part {
    /// The share of this part and of those before it.
    up_to: f64,
    generators: Vec<Generator>,
    /// Styles, each with the share of it and of those before it.
    styles: Vec<(Style, f64)>,
    mistake_rate: f64,
}

impl Source {
    fn new(mixture: &Mixture) -> Result<Source, CorpusError> {
        let wrong = |field: String, message: &str| CorpusError::Spec { field, message: message.to_owned() };
        if mixture.part.is_empty() {
            return Err(wrong("part".into(), "there is none; a mixture has at least one `[[part]]`"));
        }
        if mixture.shard == 0 {
            return Err(wrong("shard".into(), "is 0; a shard has at least one trace"));
        }
        let usable = |w: f64| w.is_finite() && w >= 0.0;
        let total: f64 = mixture.part.iter().map(|p| p.weight).sum();
        let mut parts = Vec::new();
        let mut up_to = 0.0;
        for (i, part) in mixture.part.iter().enumerate() {
            let field = |name: &str| format!("part[{i}].{name}");
            if !usable(part.weight) || !usable(total) || total == 0.0 {
                return Err(wrong(field("weight"), "want a number from 0 up, and one of them above 0"));
            }
            if !(0.0..=1.0).contains(&part.fault_rate) {
                return Err(wrong(field("fault_rate"), "want a share, from 0 to 1"));
            }
            if !(0.0..=1.0).contains(&part.mistake_rate) {
                return Err(wrong(field("mistake_rate"), "want a share, from 0 to 1"));
            }
            let styles: f64 = part.styles.values().sum();
            if part.styles.values().any(|w| !usable(*w)) || styles <= 0.0 {
                return Err(wrong(
                    field("styles"),
                    "want a weight from 0 up for each style, and one above 0",
                ));
            }
            up_to += part.weight / total;
            let names: Vec<String> = match part.worlds.as_slice() {
                [] => world_names().iter().map(|w| (*w).to_owned()).collect(),
                named => named.to_vec(),
            };
            let generators = names.into_iter().map(|world| {
                let in_world = |source: WorldError| CorpusError::World { name: world.clone(), source };
                let here = faults_of(&world).map_err(in_world)?;
                let faults: Vec<FaultKind> =
                    part.faults.iter().copied().filter(|f| here.contains(f)).collect();
                // Where a world has none of the faults asked for, its tasks are clean.
                let none = !part.faults.is_empty() && faults.is_empty();
                Generator {
                    world: world.clone(),
                    split: Split::Train,
                    levels: part.levels.clone(),
                    fault_rate: if none { 0.0 } else { part.fault_rate },
                    faults,
                    declare: mixture.declare,
                    seed: derive(&format!("mixture {i} {world}"), &[mixture.seed]),
                }
                .resolve()
                .map_err(in_world)
            });
            let mut share = 0.0;
            parts.push(Part {
                up_to,
                generators: generators.collect::<Result<_, _>>()?,
                styles: part
                    .styles
                    .iter()
                    .map(|(style, weight)| {
                        share += weight / styles;
                        (*style, share)
                    })
                    .collect(),
                mistake_rate: part.mistake_rate,
            });
        }
        Ok(Source { seed: mixture.seed, declare: mixture.declare, parts })
    }

    /// Candidate number `i` and its key.
    fn candidate(&self, i: u64) -> Result<Candidate, CorpusError> {
        let draw = |purpose| unit(derive(purpose, &[self.seed, i]));
        let at = draw("part");
        let part = self.parts.iter().find(|p| at < p.up_to).unwrap_or(&self.parts[self.parts.len() - 1]);
        let place = (draw("world") * part.generators.len() as f64) as usize;
        let task: Task = part.generators[place.min(part.generators.len() - 1)].task(i);
        let at = draw("style");
        let style = part.styles.iter().find(|(_, up_to)| at < *up_to).or(part.styles.last());
        let style = style.map_or(Style::Plan, |(style, _)| *style);
        let seed = derive("telling", &[self.seed, i]);
        let in_world = |source| CorpusError::World { name: task.world.clone(), source };
        let mut trace =
            styled_trace_at(&task, self.declare, style, part.mistake_rate, seed).map_err(in_world)?;
        recovery::note(&task, &mut trace).map_err(in_world)?;
        let mut hasher = blake3::Hasher::new();
        hasher.update(task.world.as_bytes());
        for action in trace.spans.iter().filter(|s| s.kind == SpanKind::Action) {
            hasher.update(&(action.body.len() as u64).to_le_bytes());
            hasher.update(action.body.as_bytes());
        }
        let mut key = [0; 8];
        hasher.finalize_xof().fill(&mut key);
        let record = TraceRecord {
            id: format!("{}-{i:09}", task.world),
            source: format!("expert/{style}"),
            task: Some(task),
            trace,
        };
        Ok(Candidate { record, style, key: u64::from_le_bytes(key) })
    }

    fn block(&self, from: u64) -> Result<Vec<Candidate>, CorpusError> {
        (from..from + BLOCK).into_par_iter().map(|i| self.candidate(i)).collect()
    }
}

struct Candidate {
    record: TraceRecord,
    style: Style,
    key: u64,
}

/// A shard that is being written.
struct Shard {
    path: PathBuf,
    writer: TraceWriter,
    keys: Vec<u8>,
    card: TraceCard,
}

impl Shard {
    fn create(folder: &Path, number: u64) -> Result<Shard, CorpusError> {
        let path = folder.join(format!("shard-{number:05}.parquet"));
        let writer = TraceWriter::create(&path)?;
        Ok(Shard { path, writer, keys: Vec::new(), card: TraceCard::default() })
    }

    fn finish(self, next_candidate: u64) -> Result<TraceCard, CorpusError> {
        self.writer.finish()?;
        durable::write_file(&self.path.with_extension("keys"), &self.keys)?;
        let note = ShardNote { next_candidate, card: self.card };
        write_json(&self.path.with_extension("json"), &note)?;
        Ok(note.card)
    }
}

/// What is there of a set.
struct Held {
    shards: u64,
    next: u64,
    seen: HashSet<u64>,
    card: TraceCard,
}

/// Generates a set of `count` traces in `folder`, or goes on with one that was begun, and writes its data card.
///
/// `progress` hears how many traces are written. Once `stop` is set, the shard that is being written is given up, and the
/// rest is kept.
///
/// # Errors
/// [`CorpusError::Spec`] or [`CorpusError::World`] if the mixture does not hold, [`CorpusError::Io`] if something cannot be
/// written or read, [`CorpusError::TraceSet`] if the folder belongs to another mixture.
pub fn generate_traces(
    folder: &Path,
    mixture: &Mixture,
    count: u64,
    stop: &AtomicBool,
    progress: &mut dyn FnMut(u64),
) -> Result<(Generated, TraceCard), CorpusError> {
    let source = Source::new(mixture)?;
    fs::create_dir_all(folder).map_err(CorpusError::write(folder))?;
    claim(folder, mixture)?;
    let Held { shards: mut number, mut next, mut seen, mut card } = held(folder, mixture.shard, count)?;
    // The first of the candidates that are made and not looked at yet is number `next`.
    let mut made: VecDeque<Candidate> = VecDeque::new();
    let mut ended = Generated::Whole;
    while card.traces < count && ended == Generated::Whole {
        let mut shard = Shard::create(folder, number)?;
        let size = mixture.shard.min(count - card.traces);
        let (mut accepted, mut looked_at, mut new) = (0, 0, 0);
        while accepted < size {
            let mut batch = Vec::new();
            while accepted < size
                && let Some(candidate) = made.pop_front()
            {
                next += 1;
                looked_at += 1;
                if seen.insert(candidate.key) {
                    shard.keys.extend_from_slice(&candidate.key.to_le_bytes());
                    batch.push(candidate);
                    (accepted, new) = (accepted + 1, new + 1);
                } else {
                    shard.card.pass_over(candidate.record.task.as_ref().map_or("", |t| &t.world));
                }
            }
            // One thread writes while the others make the next block.
            let ahead = next + made.len() as u64;
            let enough = accepted == size && (!made.is_empty() || card.traces + size == count);
            let (written, block) = rayon::join(
                || {
                    for Candidate { record, style, .. } in batch {
                        shard.card.add(&record, style);
                        shard.writer.write(record)?;
                    }
                    Ok::<(), CorpusError>(())
                },
                || if enough { Ok(Vec::new()) } else { source.block(ahead) },
            );
            written?;
            made.extend(block?);
            progress(card.traces + accepted);
            if accepted < size && stop.load(Ordering::Relaxed) {
                ended = Generated::Stopped;
                break;
            }
            // Counted from the beginning of the shard, so that an interruption changes nothing.
            if looked_at >= STALE {
                if new * RARE < looked_at && accepted < size {
                    ended = Generated::Exhausted;
                    break;
                }
                (looked_at, new) = (0, 0);
            }
        }
        if ended != Generated::Stopped && accepted > 0 {
            card.merge(&shard.finish(next)?);
            number += 1;
            if ended == Generated::Whole && card.traces < count && stop.load(Ordering::Relaxed) {
                ended = Generated::Stopped;
            }
        }
    }
    write_json(&folder.join("card.json"), &card)?;
    durable::write_file(&folder.join("card.md"), card.to_markdown(mixture).as_bytes())?;
    Ok((ended, card))
}

/// Makes the folder this mixture's, or finds out that it is another's.
fn claim(folder: &Path, mixture: &Mixture) -> Result<(), CorpusError> {
    let path = folder.join("mixture.json");
    match fs::read(&path) {
        Ok(bytes) if serde_json::from_slice::<Mixture>(&bytes).is_ok_and(|m| m == *mixture) => Ok(()),
        Ok(_) => Err(CorpusError::TraceSet {
            path,
            message: "this folder holds traces of another mixture\n  hint: give another folder, or the same mixture and seed".to_owned(),
        }),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            if fs::read_dir(folder).map_err(CorpusError::read(folder))?.next().is_some() {
                return Err(CorpusError::TraceSet {
                    path: folder.to_owned(),
                    message: "this folder holds something else\n  hint: give a new or an empty folder".to_owned(),
                });
            }
            write_json(&path, mixture)
        }
        Err(e) => Err(CorpusError::read(&path)(e)),
    }
}

/// Reads what an earlier generation has left: whole shards, and the last one if `count` traces end with it.
fn held(folder: &Path, shard: u64, count: u64) -> Result<Held, CorpusError> {
    let mut held = Held { shards: 0, next: 0, seen: HashSet::new(), card: TraceCard::default() };
    loop {
        let path = folder.join(format!("shard-{:05}.json", held.shards));
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(held),
            Err(e) => return Err(CorpusError::read(&path)(e)),
        };
        let note: ShardNote = serde_json::from_slice(&bytes).map_err(|e| CorpusError::TraceSet {
            path: path.clone(),
            message: format!("{e}\n  hint: delete it; the shard is generated again"),
        })?;
        // A short shard was the last one of a smaller set: it is made anew where more is wanted.
        if note.card.traces < shard && held.card.traces + note.card.traces < count {
            return Ok(held);
        }
        if held.card.traces + note.card.traces > count {
            return Err(CorpusError::TraceSet {
                path: folder.to_owned(),
                message: format!(
                    "it holds more than {count} traces already\n  hint: give another folder, or a larger count"
                ),
            });
        }
        let keys = path.with_extension("keys");
        let bytes = fs::read(&keys).map_err(CorpusError::read(&keys))?;
        held.seen.extend(bytes.as_chunks::<8>().0.iter().map(|key| u64::from_le_bytes(*key)));
        held.next = note.next_candidate;
        held.card.merge(&note.card);
        held.shards += 1;
    }
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CorpusError> {
    let mut bytes = serde_json::to_vec_pretty(value).map_err(|e| CorpusError::write(path)(e.into()))?;
    bytes.push(b'\n');
    durable::write_file(path, &bytes)
}
