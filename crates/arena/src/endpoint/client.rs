//! One request at a time: repetitions, waits, limits.

use std::hash::Hasher;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use ureq::Agent;

use super::{Endpoint, Spent};
use crate::statistics::seed_of;

/// Bytes of a reply that are read.
const MAX_BYTES: u64 = 8 << 20;
/// The longest wait before a repetition that is not the endpoint's own wish.
const MAX_BACKOFF: Duration = Duration::from_secs(60);
/// The longest wait that the endpoint may wish for.
const MAX_WISH: Duration = Duration::from_secs(300);

/// An endpoint, reached over HTTP.
pub(super) struct Client {
    agent: Agent,
    url: String,
    key: Option<String>,
    timeout: Duration,
    retries: u32,
    backoff: Duration,
}

/// What came back.
pub(super) struct Reply {
    pub(super) json: Json,
    bytes: usize,
}

/// Why nothing usable came back.
#[derive(Debug)]
pub(super) enum Failed {
    /// The endpoint refuses this request, and would again.
    Refused(String),
    /// It failed so often that there is no point in going on.
    Broken(String),
    /// The reply is longer than anything that makes sense.
    TooLong,
    /// The evaluation is over.
    Stopped,
}

/// What one try came to.
enum Try {
    Fine(Reply),
    /// It may work another time; after this wait, if the endpoint said so.
    Again(String, Option<Duration>),
    Never(Failed),
}

impl Reply {
    /// What the request and this reply used.
    pub(super) fn used(&self, request: &Json) -> Spent {
        let counted = |name: &str| self.json["usage"][name].as_u64();
        Spent {
            requests: 1,
            prompt_tokens: counted("prompt_tokens").unwrap_or(request.to_string().len() as u64 / 3),
            reply_tokens: counted("completion_tokens").unwrap_or(self.bytes as u64 / 3),
        }
    }
}

impl Client {
    pub(super) fn new(endpoint: &Endpoint) -> Client {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(endpoint.timeout))
            .max_idle_connections_per_host(endpoint.concurrency.max(1))
            .user_agent(concat!("groundwork/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Client {
            agent,
            url: endpoint.url.clone(),
            key: endpoint.key.clone(),
            timeout: endpoint.timeout,
            retries: endpoint.retries,
            backoff: endpoint.backoff,
        }
    }

    /// Posts `body` and reads the JSON that comes back. Any of `stop` ends the waiting.
    pub(super) fn post(&self, path: &str, body: &Json, stop: &[&AtomicBool]) -> Result<Reply, Failed> {
        let text = body.to_string();
        let mut tries = 0;
        loop {
            let (why, wish) = match self.once(path, &text) {
                Try::Fine(reply) => return Ok(reply),
                Try::Never(failed) => return Err(failed),
                Try::Again(why, wish) => (why, wish),
            };
            if tries >= self.retries {
                let again = match tries {
                    0 => String::new(),
                    _ => format!("; it failed {} times in a row", tries + 1),
                };
                return Err(Failed::Broken(format!("{}{path}: {why}{again}", self.url)));
            }
            let wait = match wish {
                Some(wish) => wish.min(MAX_WISH),
                None => {
                    spread(self.backoff.saturating_mul(1 << tries.min(16)).min(MAX_BACKOFF), &text, tries)
                }
            };
            tries += 1;
            let until = Instant::now() + wait;
            while Instant::now() < until {
                if stop.iter().any(|s| s.load(Ordering::Relaxed)) {
                    return Err(Failed::Stopped);
                }
                std::thread::sleep(
                    until.saturating_duration_since(Instant::now()).min(Duration::from_millis(50)),
                );
            }
        }
    }

    fn silent(&self) -> String {
        format!("timeout: no whole reply within {} s (`--timeout`)", self.timeout.as_secs_f32())
    }

    fn once(&self, path: &str, text: &str) -> Try {
        let url = format!("{}{path}", self.url);
        let mut request = self.agent.post(&url).header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response = match request.send(text) {
            Ok(response) => response,
            Err(ureq::Error::BadUri(what)) => {
                return Try::Never(Failed::Broken(format!("`{url}` is no address: {what}")));
            }
            Err(ureq::Error::Timeout(_)) => return Try::Again(self.silent(), None),
            Err(e) => return Try::Again(e.to_string(), None),
        };
        let status = response.status().as_u16();
        let wish = response.headers().get("retry-after").and_then(|v| v.to_str().ok()).and_then(wait_of);
        let bytes = match response.body_mut().with_config().limit(MAX_BYTES).read_to_vec() {
            Ok(bytes) => bytes,
            Err(ureq::Error::BodyExceedsLimit(_)) if status == 200 => return Try::Never(Failed::TooLong),
            Err(ureq::Error::Timeout(_)) => return Try::Again(self.silent(), wish),
            Err(e) => return Try::Again(format!("the reply broke off: {e}"), wish),
        };
        let said = || complaint(&bytes);
        match status {
            200..300 => match serde_json::from_slice::<Json>(&bytes) {
                Ok(json) if json["choices"][0].is_object() => Try::Fine(Reply { json, bytes: bytes.len() }),
                Ok(_) => Try::Again(format!("the reply has no `choices`: {}", said()), wish),
                Err(e) => Try::Again(format!("the reply is no JSON ({e}): {}", said()), wish),
            },
            401 | 403 => Try::Never(Failed::Broken(format!(
                "{url}: {status}, not allowed: {}\n  hint: put the key into the environment variable that `--key-env` names",
                said()
            ))),
            404 | 405 => Try::Never(Failed::Broken(format!(
                "{url}: {status}: {}\n  hint: check the address (it should end in `/v1`), the model's name and `--protocol`",
                said()
            ))),
            408 | 409 | 425 | 429 | 500.. => Try::Again(format!("{status}: {}", said()), wish),
            _ => Try::Never(Failed::Refused(format!("{url}: {status}: {}", said()))),
        }
    }
}

/// What an error's body says, in a line.
fn complaint(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(4096)]);
    let json = serde_json::from_slice::<Json>(bytes).unwrap_or_default();
    let message = json["error"]["message"].as_str().or(json["error"].as_str()).unwrap_or(&text);
    // It goes to a terminal, to which a control character would be a command.
    let plain: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let line: String = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = line.chars().take(200).collect();
    if short.len() < line.len() {
        short.push('…');
    }
    if short.is_empty() { "it says nothing".to_owned() } else { short }
}

/// `wait`, more or less by up to a half, so that many workers do not come back at the same moment; a function of what is
/// sent and of the number of the try.
fn spread(wait: Duration, text: &str, tries: u32) -> Duration {
    let mut hash = std::collections::hash_map::DefaultHasher::new();
    hash.write(text.as_bytes());
    let noise = seed_of(&["backoff"], &[hash.finish(), tries.into()]) >> 11;
    wait.mul_f64(0.5 + noise as f64 * 2f64.powi(-53))
}

/// The wait that a `Retry-After` header asks for: seconds, or a date.
fn wait_of(header: &str) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.max(0.0)).ok();
    }
    let date = jiff::fmt::rfc2822::parse(header).ok()?;
    let left = date.timestamp().as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_read_in_both_forms() {
        assert_eq!(wait_of("3"), Some(Duration::from_secs(3)));
        assert_eq!(wait_of("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(wait_of("-1"), Some(Duration::ZERO));
        assert_eq!(wait_of("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::ZERO));
        assert!(wait_of("Sat, 06 Nov 2094 08:49:37 GMT").is_some_and(|d| d > MAX_WISH));
        assert_eq!(wait_of("soon"), None);
    }

    #[test]
    fn waits_are_spread_within_a_half() {
        let waits: Vec<Duration> = (0..50).map(|i| spread(Duration::from_secs(2), "x", i)).collect();
        assert!(waits.iter().all(|w| (1.0..3.0).contains(&w.as_secs_f64())));
        assert!(waits.windows(2).any(|w| w[0] != w[1]));
        assert_eq!(waits[7], spread(Duration::from_secs(2), "x", 7));
    }
}
