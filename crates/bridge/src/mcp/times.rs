//! When the calls of a session were made and answered.

use std::collections::HashMap;

use groundwork_trace::{SpanKind, Trace, Value as Said};

use super::record::Message;

/// A call: what it says, when it was made, and when its result came.
struct Call<'a> {
    said: String,
    made: Option<&'a str>,
    answered: Option<&'a str>,
}

/// Notes the times of `messages` at the actions of `trace`, which was read from them, and at their results.
pub(super) fn note(trace: &mut Trace, messages: &[Message<'_>]) {
    let calls = calls(messages);
    if trace.spans.iter().filter(|s| s.kind == SpanKind::Action).count() != calls.len() {
        return;
    }
    // Results follow the actions that they belong to, in their order.
    let (mut made, mut answered) = (0, 0);
    for span in &mut trace.spans {
        match span.kind {
            SpanKind::Action => {
                if let Some(time) = calls[made].made {
                    span.meta.push(("time".to_owned(), Said::str(time)));
                }
                made += 1;
            }
            SpanKind::Observation | SpanKind::Error if answered < made => {
                let call = &calls[answered];
                if let Some(time) = call.answered {
                    span.meta.push(("time".to_owned(), Said::str(time)));
                    if let Some(seconds) = call.made.and_then(|made| between(made, time)) {
                        span.meta.push(("x_seconds".to_owned(), seconds));
                    }
                }
                answered += 1;
            }
            // What was not answered before something else came never was.
            _ => answered = made,
        }
    }
}

fn calls<'a>(messages: &[Message<'a>]) -> Vec<Call<'a>> {
    let mut calls: Vec<Call<'a>> = Vec::new();
    // The calls whose requests wait, by the ids of these.
    let mut waiting: HashMap<String, usize> = HashMap::new();
    for Message { json, time, .. } in messages {
        let id = json["id"].to_string();
        if json["method"] == "tools/call" {
            let params = &json["params"];
            let said = format!("{} {}", params["name"], params["arguments"]);
            // What the server asked in between is answered by the same call once more.
            let again = params.get("inputResponses").is_some() || params.get("requestState").is_some();
            let before = calls.iter().rposition(|c| again && c.said == said);
            let call = before.unwrap_or_else(|| {
                calls.push(Call { said, made: *time, answered: None });
                calls.len() - 1
            });
            waiting.insert(id, call);
        } else if json.get("method").is_none()
            && let Some(call) = waiting.remove(&id)
        {
            calls[call].answered = *time;
        }
    }
    calls
}

/// The seconds from one time to another, to the microsecond; none where a clock was set back.
fn between(from: &str, to: &str) -> Option<Said> {
    let at = |time: &str| time.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_microsecond);
    let micros = at(to)?.checked_sub(at(from)?).filter(|&n| n >= 0)?;
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    Said::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_are_those_between() {
        let second = |to: &str| between("2026-11-30T08:27:05.000000Z", to).map(|v| v.to_string());
        assert_eq!(second("2026-11-30T08:27:05.031200Z").as_deref(), Some("0.0312"));
        assert_eq!(second("2026-11-30T08:27:15.000000Z").as_deref(), Some("10"));
        assert_eq!(second("2026-11-30T08:27:05Z").as_deref(), Some("0"));
        assert_eq!(second("2026-11-30T08:27:04Z"), None);
        assert_eq!(second("soon"), None);
    }
}
