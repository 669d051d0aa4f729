//! Any model behind an OpenAI-compatible endpoint plays a suite.

mod client;
mod conversation;
mod said;

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use groundwork_trace::SpanKind;
use groundwork_worlds::{Declare, Episode, Split, Task};

use crate::{ArenaError, Ended, Rollout, SuiteSpec, playing::Playing};
use client::{Client, Failed};
use conversation::Conversation;

/// How the agent's words travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `/chat/completions` with the tools declared as JSON Schema, and the model's native tool calls.
    Tools,
    /// `/chat/completions` with the trace language as plain text.
    Chat,
    /// `/completions`: the model goes on with the text of the trace. This is how a base model is tested.
    Completions,
}

impl Protocol {
    /// Every protocol.
    pub const ALL: [Protocol; 3] = [Protocol::Tools, Protocol::Chat, Protocol::Completions];

    /// Its name on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Protocol::Tools => "tools",
            Protocol::Chat => "chat",
            Protocol::Completions => "completions",
        }
    }
}

/// An endpoint, and how it is treated.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// What the paths of the API are appended to: `http://localhost:8000/v1`.
    pub url: String,
    /// The model's name there.
    pub model: String,
    /// What is sent as the bearer token.
    pub key: Option<String>,
    /// How the agent's words travel.
    pub protocol: Protocol,
    /// Solved training tasks of the same world that the prompt shows first.
    pub shots: u32,
    /// Attempts that are played at the same time.
    pub concurrency: usize,
    /// Time that one request may take.
    pub timeout: Duration,
    /// Times that a request is repeated after a failure that may pass.
    pub retries: u32,
    /// The first wait before a repetition; it doubles each time, up to a minute, and is spread by ± a half. Where the
    /// endpoint says how long to wait, that holds, up to five minutes.
    pub backoff: Duration,
    /// Tokens that one reply may take.
    pub max_reply_tokens: u32,
    /// Price of a million prompt tokens and of a million completion tokens, in any one currency.
    pub price: (f64, f64),
    /// No request is begun once this much was spent.
    pub max_cost: Option<f64>,
    /// No request is begun once this many tokens, prompts included, were used.
    pub max_tokens: Option<u64>,
}

impl Endpoint {
    /// An endpoint with everything else at its default: native tool calls, two examples, 8 attempts at a time, two minutes
    /// a request, 6 repetitions from one second up, 1024 tokens a reply, no ceiling.
    pub fn new(url: &str, model: &str) -> Endpoint {
        Endpoint {
            url: url.trim_end_matches('/').to_owned(),
            model: model.to_owned(),
            key: None,
            protocol: Protocol::Tools,
            shots: 2,
            concurrency: 8,
            timeout: Duration::from_secs(120),
            retries: 6,
            backoff: Duration::from_secs(1),
            max_reply_tokens: 1024,
            price: (0.0, 0.0),
            max_cost: None,
            max_tokens: None,
        }
    }
}

/// What was used, by one attempt or by many.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spent {
    /// Requests that were answered.
    pub requests: u64,
    /// Tokens of the prompts, as the endpoint counts them, or a third of the bytes where it does not.
    pub prompt_tokens: u64,
    /// Tokens of the replies, likewise.
    pub reply_tokens: u64,
}

impl Spent {
    /// What it costs at these prices for a million tokens.
    pub fn cost(&self, price: (f64, f64)) -> f64 {
        (self.prompt_tokens as f64 * price.0 + self.reply_tokens as f64 * price.1) / 1e6
    }

    pub(crate) fn add(&mut self, other: Spent) {
        self.requests += other.requests;
        self.prompt_tokens += other.prompt_tokens;
        self.reply_tokens += other.reply_tokens;
    }
}

/// Why an evaluation stopped before its end. What was played until then was handed over.
#[derive(Clone, Debug, PartialEq)]
pub enum Stopped {
    /// The user asked for it.
    Interrupted,
    /// The ceiling of cost or tokens was reached.
    Ceiling(Spent),
    /// The endpoint failed, or refuses to work at all; a message for a person.
    Failed(String),
}

/// Lets the model behind `endpoint` play these attempts (a task and the number of the sample), several at a time.
///
/// `finished` hears of every attempt when it has ended, with its place in `attempts` and what it used, in the order in
/// which they end; where it fails, nothing more is begun. Attempts that are in the middle when something stops the evaluation
/// are dropped: they are begun anew another time. `before`: what earlier evaluations have used, for the ceilings.
///
/// # Errors
/// A task that its world refuses, or what `finished` fails with.
pub fn play_endpoint(
    endpoint: &Endpoint,
    suite: &SuiteSpec,
    attempts: &[(Task, u32)],
    before: Spent,
    stop: &Arc<AtomicBool>,
    finished: &mut dyn FnMut(usize, Rollout, Spent) -> Result<(), ArenaError>,
) -> Result<Option<Stopped>, ArenaError> {
    let shared = Arc::new(Shared {
        endpoint: endpoint.clone(),
        suite: suite.clone(),
        attempts: attempts.to_vec(),
        client: Client::new(endpoint),
        next: AtomicUsize::new(0),
        newer: AtomicBool::new(false),
        prompt_tokens: AtomicU64::new(before.prompt_tokens),
        reply_tokens: AtomicU64::new(before.reply_tokens),
        requests: AtomicU64::new(before.requests),
        stop: Arc::clone(stop),
        halt: AtomicBool::new(false),
    });
    let (tell, hear) = mpsc::channel();
    for _ in 0..endpoint.concurrency.clamp(1, attempts.len().max(1)) {
        let (shared, tell) = (Arc::clone(&shared), tell.clone());
        // Not joined: a request that hangs must not keep the program from ending.
        std::thread::spawn(move || shared.work(&tell));
    }
    drop(tell);
    loop {
        match hear.recv_timeout(Duration::from_millis(50)) {
            Ok(Ok((place, rollout, spent))) => {
                if let Err(e) = finished(place, rollout, spent) {
                    shared.halt.store(true, Ordering::Relaxed);
                    return Err(e);
                }
            }
            Ok(Err(Halt::Error(e))) => {
                shared.halt.store(true, Ordering::Relaxed);
                return Err(e);
            }
            Ok(Err(Halt::Stopped(why))) => {
                shared.halt.store(true, Ordering::Relaxed);
                // What has ended meanwhile was paid for, and is kept.
                while let Ok(more) = hear.try_recv() {
                    if let Ok((place, rollout, spent)) = more {
                        finished(place, rollout, spent)?;
                    }
                }
                return Ok(Some(why));
            }
            Err(mpsc::RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => {
                return Ok(Some(Stopped::Interrupted));
            }
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
        }
    }
}

/// What the workers have in common.
struct Shared {
    endpoint: Endpoint,
    suite: SuiteSpec,
    attempts: Vec<(Task, u32)>,
    client: Client,
    next: AtomicUsize,
    /// The endpoint wants the limit of a reply under its newer name.
    newer: AtomicBool,
    prompt_tokens: AtomicU64,
    reply_tokens: AtomicU64,
    requests: AtomicU64,
    /// The user's wish.
    stop: Arc<AtomicBool>,
    /// Something else has ended the evaluation.
    halt: AtomicBool,
}

/// Why a worker stops all of them.
enum Halt {
    Stopped(Stopped),
    Error(ArenaError),
}

type Heard = Result<(usize, Rollout, Spent), Halt>;

impl Shared {
    fn work(&self, tell: &mpsc::Sender<Heard>) {
        loop {
            let place = self.next.fetch_add(1, Ordering::Relaxed);
            let Some((task, sample)) = self.attempts.get(place) else { return };
            let played = self.play(task, *sample).map(|(rollout, spent)| (place, rollout, spent));
            let last = played.is_err();
            if tell.send(played).is_err() || last {
                return;
            }
        }
    }

    /// Plays one attempt to its end.
    fn play(&self, task: &Task, sample: u32) -> Result<(Rollout, Spent), Halt> {
        let (endpoint, suite) = (&self.endpoint, &self.suite);
        let declare = match (endpoint.protocol, suite.declare) {
            // A model that has not been trained on the name of a set of tools must be told what they are.
            (Protocol::Tools | Protocol::Chat, _) => Declare::Full,
            (Protocol::Completions, declare) => declare,
        };
        let error = |e: ArenaError| Halt::Error(e);
        let mut playing = Playing::new(task, sample, declare).map_err(error)?;
        let examples = examples(task, declare, endpoint.shots).map_err(error)?;
        let mut conversation = Conversation::new(endpoint.protocol, playing.spans(), &examples);
        let mut spent = Spent::default();
        let mut context = 0;
        let ended = loop {
            self.may_go_on()?;
            let newer = self.newer.load(Ordering::Relaxed);
            let (path, body) = conversation.request(endpoint, suite, sample, newer);
            let reply = match self.client.post(path, &body, &[&self.stop, &self.halt]) {
                Ok(reply) => reply,
                Err(Failed::TooLong) => break Ended::TooLong,
                Err(Failed::Refused(why)) if !newer && why.contains(NEWER_LIMIT) => {
                    self.newer.store(true, Ordering::Relaxed);
                    continue;
                }
                Err(Failed::Refused(why)) if self.requests.load(Ordering::Relaxed) == 0 => {
                    return Err(Halt::Stopped(Stopped::Failed(why)));
                }
                Err(Failed::Refused(_)) => break Ended::Refused,
                Err(Failed::Stopped) => return Err(Halt::Stopped(Stopped::Interrupted)),
                Err(Failed::Broken(why)) => return Err(Halt::Stopped(Stopped::Failed(why))),
            };
            let used = reply.used(&body);
            spent.add(used);
            self.requests.fetch_add(used.requests, Ordering::Relaxed);
            self.prompt_tokens.fetch_add(used.prompt_tokens, Ordering::Relaxed);
            self.reply_tokens.fetch_add(used.reply_tokens, Ordering::Relaxed);
            context = used.prompt_tokens + used.reply_tokens;
            let turn = conversation.take(&reply.json);
            let mut ended = None;
            let last = turn.spans.len().saturating_sub(1);
            for (i, (kind, text)) in turn.spans.into_iter().enumerate() {
                let text_is_long = text.len() > MAX_SPAN_BYTES;
                if turn.cut && i == last || text_is_long {
                    playing.cut(kind, beginning(text));
                    ended = Some(if text_is_long { Ended::TooLong } else { Ended::Context });
                } else if kind == SpanKind::Action && playing.steps() >= suite.max_steps {
                    ended = Some(Ended::Steps);
                } else {
                    playing.say(kind, text);
                    ended = (kind == SpanKind::Answer).then_some(Ended::Answer);
                }
                if ended.is_some() {
                    break;
                }
            }
            if let Some(ended) = ended {
                break ended;
            }
            // Who only talks has asked for the result of nothing; that counts, so that it comes to an end.
            if playing.steps() >= suite.max_steps {
                break Ended::Steps;
            }
            conversation.tell(playing.results());
        };
        let tokens = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        Ok((playing.finish(ended, tokens(context), tokens(spent.reply_tokens)), spent))
    }

    fn may_go_on(&self) -> Result<(), Halt> {
        if self.stop.load(Ordering::Relaxed) || self.halt.load(Ordering::Relaxed) {
            return Err(Halt::Stopped(Stopped::Interrupted));
        }
        let spent = Spent {
            requests: self.requests.load(Ordering::Relaxed),
            prompt_tokens: self.prompt_tokens.load(Ordering::Relaxed),
            reply_tokens: self.reply_tokens.load(Ordering::Relaxed),
        };
        let endpoint = &self.endpoint;
        let cost = endpoint.max_cost.is_some_and(|most| spent.cost(endpoint.price) >= most);
        let tokens = endpoint.max_tokens.is_some_and(|most| spent.prompt_tokens + spent.reply_tokens >= most);
        if cost || tokens { Err(Halt::Stopped(Stopped::Ceiling(spent))) } else { Ok(()) }
    }
}

/// How newer models of OpenAI want the limit of a reply to be called.
const NEWER_LIMIT: &str = "max_completion_tokens";

/// Bytes of one span that are read: more is no attempt to act.
const MAX_SPAN_BYTES: usize = 1 << 16;

/// As much of a text as is kept of one that is too long.
fn beginning(mut text: String) -> String {
    if text.len() > MAX_SPAN_BYTES {
        let end = (0..=MAX_SPAN_BYTES).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.truncate(end);
    }
    text
}

/// Solved tasks of the world at its lowest level, all of the training split, as texts of traces.
fn examples(task: &Task, declare: Declare, shots: u32) -> Result<Vec<String>, ArenaError> {
    // The tools are declared once, in front of the task itself.
    let declare = if declare == Declare::Full { Declare::None } else { declare };
    (0..u64::from(shots))
        .map(|seed| {
            let world = task.world.clone();
            let example = Task { world, split: Split::Train, seed, level: task.level.min(2), fault: None };
            Ok(Episode::expert_trace(&example, declare)?.to_text())
        })
        .collect()
}
