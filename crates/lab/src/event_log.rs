//! The event log of a run: concatenated zstd frames of JSON lines, perhaps cut off in the middle.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One logged step of training.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CurvePoint {
    /// Step of the optimiser.
    pub step: u64,
    /// Tokens seen.
    pub tokens: u64,
    /// Weighted loss in nats a token.
    pub loss: f64,
    /// Loss by span kind, in nats a token.
    #[serde(rename = "loss_by_kind")]
    pub by_kind: BTreeMap<String, f64>,
    /// Tokens a second.
    pub tokens_per_second: f64,
    /// Norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Learning rate of the hidden matrices.
    pub learning_rate: f64,
    /// Model-FLOP utilisation against the machine's measured rate of matrix products.
    pub mfu: f64,
    /// Seconds of training so far, over all sittings.
    pub seconds: f64,
}

/// Something that went wrong during training and was logged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Incident {
    /// At which step.
    pub step: u64,
    /// Its kind: `spike` and what else the trainer distinguishes.
    #[serde(default)]
    pub kind: String,
    /// What, in the trainer's words.
    pub message: String,
}

impl Incident {
    /// Reads an `incident` event.
    pub(crate) fn of(event: &Value) -> Incident {
        let text = |key: &str| event[key].as_str().map(str::to_owned);
        Incident {
            step: event["step"].as_u64().unwrap_or_default(),
            kind: text("kind").unwrap_or_default(),
            message: text("what").or(text("message")).unwrap_or_else(|| event.to_string()),
        }
    }

    /// The loss rose suddenly, and training went on.
    pub fn is_spike(&self) -> bool {
        self.kind == "spike"
    }
}

/// What an event log says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventLog {
    /// The steps that count: those that a resumed run did again stand here once.
    pub curve: Vec<CurvePoint>,
    /// What went wrong.
    pub incidents: Vec<Incident>,
    /// How often the run was taken up again.
    pub resumes: u32,
    /// When a sitting began: the step, the seconds of training before it, and Unix time.
    pub sittings: Vec<(u64, f64, u64)>,
    /// Name of the last event.
    pub last_event: Option<String>,
    /// Bytes at the end or in the middle that could not be read: a frame was cut off there.
    pub damaged: bool,
}

impl EventLog {
    /// Reads a log. What was cut off by a kill is left out; everything before and after it is read.
    ///
    /// # Errors
    /// If the file cannot be read at all.
    pub fn read(path: &Path) -> io::Result<EventLog> {
        let (events, damaged) = read_events(path)?;
        let mut log = EventLog { damaged, ..EventLog::default() };
        events.iter().for_each(|event| log.take(event));
        Ok(log)
    }

    /// Takes one event into account.
    pub fn take(&mut self, event: &Value) {
        let Some(name) = event["event"].as_str() else { return };
        self.last_event = Some(name.to_owned());
        match name {
            "step" => {
                if let Ok(point) = CurvePoint::deserialize(event) {
                    let kept = self.curve.partition_point(|p| p.step < point.step);
                    self.curve.truncate(kept);
                    self.curve.push(point);
                }
            }
            "start" => self.sittings.extend(event["time"].as_u64().map(|time| (0, 0.0, time))),
            "resume" => {
                self.resumes += 1;
                if let Some(step) = event["step"].as_u64() {
                    self.curve.truncate(self.curve.partition_point(|p| p.step <= step));
                    self.incidents.retain(|i| i.step <= step);
                    let before = self.curve.last().map_or(0.0, |p| p.seconds);
                    self.sittings.extend(event["time"].as_u64().map(|time| (step, before, time)));
                }
            }
            "incident" => self.incidents.push(Incident::of(event)),
            _ => {}
        }
    }

    /// Unix time of a point of the curve, as well as the log tells it: the beginning of its sitting and the training since.
    pub fn time_of(&self, point: &CurvePoint) -> Option<f64> {
        let (_, before, began) = self.sittings.iter().rev().find(|(step, _, _)| *step < point.step)?;
        Some(*began as f64 + (point.seconds - before).max(0.0))
    }

    /// The steps of the sudden rises of the loss that the trainer saw.
    pub fn spikes(&self) -> Vec<u64> {
        self.incidents.iter().filter(|i| i.is_spike()).map(|i| i.step).collect()
    }
}

/// The events of a log, and whether something in it could not be read.
pub(crate) fn read_events(path: &Path) -> io::Result<(Vec<Value>, bool)> {
    let (text, mut damaged) = decompress(&fs::read(path)?);
    let mut events = Vec::new();
    for line in text.split(|b| *b == b'\n') {
        match serde_json::from_slice(line) {
            Ok(event) => events.push(event),
            Err(_) => damaged |= !line.is_empty(),
        }
    }
    Ok((events, damaged))
}

/// The start of every zstd frame.
const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Decompresses frame by frame. A frame that was cut off gives what is in it, then reading goes on at the next frame.
fn decompress(bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut text = Vec::new();
    let mut damaged = false;
    let mut at = 0;
    while at < bytes.len() {
        let whole = zstd::zstd_safe::find_frame_compressed_size(&bytes[at..]).ok().filter(|size| *size > 0);
        let start = text.len();
        if whole.is_some_and(|size| read_frame(&bytes[at..at + size], &mut text)) {
            at += whole.unwrap_or_default();
            continue;
        }
        damaged = true;
        text.truncate(start);
        // Where the cut frame ends is written nowhere: look for the start of the next one.
        let next = (at + 1..bytes.len()).find(|i| bytes[*i..].starts_with(&MAGIC)).unwrap_or(bytes.len());
        read_frame(&bytes[at..next], &mut text);
        // A line that was cut must not run into the next one.
        text.push(b'\n');
        at = next;
    }
    (text, damaged)
}

/// Appends what can be read of a frame; false if it broke off.
fn read_frame(bytes: &[u8], text: &mut Vec<u8>) -> bool {
    let Ok(mut decoder) = zstd::stream::read::Decoder::new(bytes) else { return false };
    let mut buffer = [0; 1 << 14];
    loop {
        match decoder.read(&mut buffer) {
            Ok(0) => return true,
            Ok(n) => text.extend_from_slice(&buffer[..n]),
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use super::*;

    fn frame(steps: std::ops::Range<u64>) -> Vec<u8> {
        let mut text = String::new();
        for step in steps {
            let loss = 5.0 - step as f64 * 0.01;
            writeln!(
                text,
                r#"{{"event":"step","step":{step},"tokens":{},"loss":{loss},"loss_by_kind":{{"action":{loss}}}}}"#,
                step * 10
            )
            .unwrap();
        }
        zstd::encode_all(text.as_bytes(), 3).unwrap()
    }

    fn steps(bytes: &[u8]) -> (Vec<u64>, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl.zst");
        fs::write(&path, bytes).unwrap();
        let log = EventLog::read(&path).unwrap();
        (log.curve.iter().map(|p| p.step).collect(), log.damaged)
    }

    #[test]
    fn frames_follow_each_other_and_a_cut_one_loses_only_its_end() {
        let (a, b, c) = (frame(0..50), frame(50..100), frame(100..120));
        assert_eq!(steps(&[a.clone(), b.clone()].concat()), ((0..100).collect(), false));
        for cut in [1, 5, b.len() / 2, b.len() - 1] {
            let (seen, damaged) = steps(&[a.clone(), b[..cut].to_vec()].concat());
            assert!(damaged && seen.len() >= 50 && seen == (0..seen.len() as u64).collect::<Vec<_>>());
            let (seen, damaged) = steps(&[a.clone(), b[..cut].to_vec(), c.clone()].concat());
            assert!(damaged && seen.starts_with(&(0..50).collect::<Vec<_>>()));
            assert!(seen.ends_with(&(100..120).collect::<Vec<_>>()), "cut at {cut}: {seen:?}");
        }
        assert_eq!(steps(b""), (vec![], false));
        assert_eq!(steps(b"no zstd at all"), (vec![], true));
    }

    #[test]
    fn steps_that_a_resumed_run_did_again_stand_once() {
        let resume = zstd::encode_all(&b"{\"event\":\"resume\",\"step\":30}\n"[..], 3).unwrap();
        let (seen, _) = steps(&[frame(0..40), resume, frame(31..45)].concat());
        assert_eq!(seen, (0..45).collect::<Vec<_>>());
        let (seen, _) = steps(&[frame(0..40), frame(31..45)].concat());
        assert_eq!(seen, (0..45).collect::<Vec<_>>());
    }

    #[test]
    fn time_passes_between_sittings() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl.zst");
        let text = [
            r#"{"event":"start","time":1000}"#,
            r#"{"event":"step","step":10,"seconds":50.0}"#,
            r#"{"event":"step","step":20,"seconds":99.0}"#,
            r#"{"event":"resume","step":10,"time":9000}"#,
            r#"{"event":"step","step":20,"seconds":105.0}"#,
        ];
        fs::write(&path, zstd::encode_all(text.join("\n").as_bytes(), 3).unwrap()).unwrap();
        let log = EventLog::read(&path).unwrap();
        let times: Vec<f64> = log.curve.iter().filter_map(|p| log.time_of(p)).collect();
        assert_eq!(times, [1050.0, 9055.0]);
    }

    #[test]
    fn a_spike_that_a_resumed_run_met_again_counts_once() {
        let spike = |step: u64| {
            let line =
                format!("{{\"event\":\"incident\",\"step\":{step},\"kind\":\"spike\",\"what\":\"x\"}}\n");
            zstd::encode_all(line.as_bytes(), 3).unwrap()
        };
        let resume = zstd::encode_all(&b"{\"event\":\"resume\",\"step\":30}\n"[..], 3).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.jsonl.zst");
        fs::write(&path, [spike(20), spike(35), resume, spike(35)].concat()).unwrap();
        assert_eq!(EventLog::read(&path).unwrap().spikes(), [20, 35]);
    }
}
