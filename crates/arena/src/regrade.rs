//! Attempts graded again from their transcripts, without whoever made them.

use groundwork_trace::{SpanKind, Trace};
use groundwork_worlds::{Declare, Reply, Task};

use crate::{ArenaError, Ended, Rollout, playing::Playing};

/// A stored attempt, played again.
#[derive(Clone, Debug, PartialEq)]
pub struct Regraded {
    /// The attempt, graded by the worlds of today.
    pub rollout: Rollout,
    /// The first span of the transcript that the world would not say today, counted from 0: where there is one, the
    /// world has changed since.
    pub differs_at: Option<usize>,
}

/// Plays what the agent said in `transcript` again and grades it. Nothing of the earlier grade is used but how the
/// attempt `ended`; of `tokens` and `said`, which nobody can count again, the earlier values are kept.
///
/// # Errors
/// A task that its world refuses.
pub fn regrade(
    task: &Task,
    sample: u32,
    ended: Ended,
    tokens: u32,
    said: u32,
    transcript: &Trace,
) -> Result<Regraded, ArenaError> {
    let mut playing = begun(task, sample, transcript)?;
    let differs_at = replayed(&mut playing, ended, transcript, &mut |_, _, _| {});
    Ok(Regraded { rollout: playing.finish(ended, tokens, said), differs_at })
}

/// The attempt at its beginning, with the tools stated as the transcript has them.
pub(crate) fn begun(task: &Task, sample: u32, transcript: &Trace) -> Result<Playing, ArenaError> {
    let declare = match transcript.spans.first().filter(|s| s.kind == SpanKind::Tools) {
        None => Declare::None,
        Some(tools) if tools.body == task.world => Declare::Name,
        Some(_) => Declare::Full,
    };
    Playing::new(task, sample, declare)
}

/// What came of an action of a transcript: the place of its span, the world before it, and what was replied.
pub(crate) type Acted<'a> = &'a mut dyn FnMut(usize, &Playing, Option<&Reply>);

/// Takes the agent's part of a transcript again; returns the first span that the world would not say. `acted` hears of
/// every action twice: before it is carried out, and with the reply after it.
pub(crate) fn replayed(
    playing: &mut Playing,
    ended: Ended,
    transcript: &Trace,
    acted: Acted<'_>,
) -> Option<usize> {
    let spans = &transcript.spans;
    let mut differs_at = None;
    for (at, span) in playing.spans().iter().enumerate() {
        if spans.get(at).is_none_or(|s| (s.kind, &s.body) != (span.kind, &span.body)) {
            differs_at = differs_at.or(Some(at));
        }
    }
    let mut at = playing.spans().len().min(spans.len());
    while let Some(span) = spans.get(at) {
        if span.kind.is_agents() {
            // What runs out of tokens is cut off; every other action was carried out.
            if matches!(ended, Ended::Context | Ended::TooLong) && at + 1 == spans.len() {
                playing.cut(span.kind, span.body.clone());
            } else {
                if span.kind == SpanKind::Action {
                    acted(at, playing, None);
                }
                let reply = playing.say(span.kind, span.body.clone());
                if reply.is_some() {
                    acted(at, playing, reply.as_ref());
                }
            }
            at += 1;
            continue;
        }
        let mut recorded = spans[at..].iter().take_while(|s| !s.kind.is_agents());
        for told in playing.results() {
            if recorded.next().is_none_or(|s| (s.kind, &s.body) != (told.kind, &told.body)) {
                differs_at = differs_at.or(Some(at));
            }
            at += 1;
        }
    }
    differs_at
}
