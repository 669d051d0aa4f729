//! What was said in chat text, to the letter, where the format's writer would say it in another way.
//!
//! The first span of a run (all that an agent says before anybody else speaks, or all results that follow) holds the
//! bytes of the run in its metadata, under the name of the format. They are written back if reading them gives just
//! the spans of the run, so that what was changed since is not contradicted, and if no text among them spells a marker.

use super::Format;
use super::builder::Builder;
use super::dialects::markers::spelt;
use super::loss::{Loss, Read};
use super::spelling::{Style, observation_text};
use crate::{Span, SpanKind, Trace, Value};

/// The metadata that holds it: `x_said={hermes: "…"}`.
pub(crate) const KEY: &str = "x_said";

/// What the run that begins with `span` was in `format`.
pub(crate) fn said(span: &Span, format: Format) -> Option<&str> {
    match span.meta(KEY) {
        Some(Value::Record(fields)) => {
            fields.iter().find(|(name, _)| name == format.name()).and_then(|(_, text)| text.as_str())
        }
        _ => None,
    }
}

/// Takes it out again.
pub(crate) fn forget(span: &mut Span) {
    span.meta.retain(|(name, _)| name != KEY);
}

/// How a run was written that was kept to the letter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    /// As the format has it: nothing need be kept.
    Usual,
    /// To the letter.
    Raw,
    /// As the format has it, which is another way.
    Not,
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Agent,
    Tools,
    Others,
}

impl Who {
    fn says(self, kind: SpanKind) -> bool {
        use SpanKind::{Action, Answer, Error, Observation, Plan, Reflection, Thought};
        match kind {
            Thought | Reflection | Plan | Answer | Action => self == Who::Agent,
            Observation | Error => self == Who::Tools,
            _ => self == Who::Others,
        }
    }

    /// How many of the spans at the start are said by it.
    fn run(self, spans: &[Span]) -> usize {
        spans.iter().take_while(|s| self.says(s.kind)).count()
    }
}

/// All that an agent says before anybody else speaks, or all results that follow.
struct Run {
    who: Who,
    /// Its first byte, and the number of its first span.
    start: usize,
    span: usize,
    /// What was lost before it.
    losses: Vec<Loss>,
}

/// A run that has ended: its bytes, its first span, and whether it was kept.
struct Before {
    start: usize,
    end: usize,
    span: usize,
    kept: bool,
}

/// The side of the reader: it keeps the runs of which something would be written in another way.
pub(crate) struct Listener {
    format: Format,
    run: Option<Run>,
    /// The run before it.
    before: Option<Before>,
    /// What was lost in each run that was kept.
    kept: Vec<Vec<Loss>>,
}

impl Listener {
    pub(crate) fn new(format: Format) -> Self {
        Listener { format, run: None, before: None, kept: Vec::new() }
    }

    /// From byte `at` of `text` on it is `who` that speaks.
    pub(crate) fn speaks(&mut self, b: &mut Builder, who: Who, text: &str, at: usize) -> Read<()> {
        if self.run.as_ref().is_some_and(|run| run.who == who) {
            return Ok(());
        }
        b.settle()?;
        if let Some(run) = self.run.take() {
            let losses = std::mem::replace(&mut b.losses, run.losses);
            let part = (run.who, run.span, &text[run.start..at]);
            let before = self.before.take().filter(|_| run.who == Who::Tools);
            // Calls and results name each other, perhaps: where one is kept, so is the other.
            if losses.is_empty() && !before.as_ref().is_some_and(|before| before.kept) {
                self.before = Some(Before { start: run.start, end: at, span: run.span, kept: false });
            } else {
                if let Some(before) = before.filter(|before| !before.kept) {
                    self.keep(b, (Who::Agent, before.span, &text[before.start..before.end]), Vec::new());
                }
                self.keep(b, part, losses);
                self.before = Some(Before { start: run.start, end: at, span: run.span, kept: true });
            }
        }
        if who != Who::Others {
            let losses = std::mem::take(&mut b.losses);
            self.run = Some(Run { who, start: at, span: b.len(), losses });
        }
        Ok(())
    }

    /// Keeps the text of a run on its first span.
    fn keep(&mut self, b: &mut Builder, (who, span, text): (Who, usize, &str), losses: Vec<Loss>) {
        match b.span_mut(span).filter(|span| who.says(span.kind)) {
            Some(span) => {
                let said = Value::Record(vec![(self.format.name().to_owned(), Value::str(text))]);
                span.meta.push((KEY.to_owned(), said));
                self.kept.push(losses);
            }
            None => b.lose_all(losses),
        }
    }

    /// The trace that was built from `text`. What is kept of it to the letter is not lost; `written` says of each span
    /// that holds something how its run is written.
    pub(crate) fn finish(
        mut self,
        mut b: Builder,
        text: &str,
        written: impl Fn(&Trace) -> Vec<(usize, Kept)>,
    ) -> Read<(Trace, Vec<Loss>)> {
        self.speaks(&mut b, Who::Others, text, text.len())?;
        let (mut trace, losses) = b.finish()?;
        if self.kept.is_empty() {
            return Ok((trace, losses));
        }
        let mut written = written(&trace).into_iter().peekable();
        let runs: Vec<usize> =
            (0..trace.spans.len()).filter(|&i| said(&trace.spans[i], self.format).is_some()).collect();
        let mut all = Builder::new(super::spelling::COMPACT);
        all.losses = losses;
        let mut before = Kept::Not;
        for (span, losses) in runs.into_iter().zip(self.kept) {
            let kept = written.next_if(|(n, _)| *n == span).map_or(Kept::Not, |(_, kept)| kept);
            if kept != Kept::Raw {
                forget(&mut trace.spans[span]);
            }
            // What is odd about results in the usual way is what the agent said before them.
            let explained =
                kept == Kept::Usual && before == Kept::Raw && Who::Tools.says(trace.spans[span].kind);
            if kept != Kept::Raw && !explained {
                all.lose_all(losses);
            }
            before = kept;
        }
        Ok((trace, all.losses))
    }
}

/// The side of the writer: it decides, run by run, what is written to the letter.
pub(crate) struct Chooser<'a> {
    pub(crate) trace: &'a Trace,
    pub(crate) format: Format,
    pub(crate) style: Style,
    pub(crate) markers: &'static [&'static str],
    /// For each span that holds what its run was, how that is written.
    pub(crate) kept: Vec<(usize, Kept)>,
}

/// What is written of an exchange: what the agent says, and the results.
pub(crate) type Exchange<T> = (T, T);

impl<'a> Chooser<'a> {
    pub(crate) fn new(
        trace: &'a Trace,
        format: Format,
        style: Style,
        markers: &'static [&'static str],
    ) -> Self {
        Chooser { trace, format, style, markers, kept: Vec::new() }
    }

    /// The number of `span`, which is one of the trace's own.
    fn number(&self, span: &Span) -> Option<usize> {
        let bytes = std::ptr::from_ref(span).addr().checked_sub(self.trace.spans.as_ptr().addr())?;
        let number = bytes / size_of::<Span>();
        self.trace.spans.get(number).filter(|s| std::ptr::eq(*s, span)).map(|_| number)
    }

    /// What of an exchange that begins with the span `first`, and is usually written so, is written to the letter
    /// instead. `read` reads both, where the results are to the letter or not.
    pub(crate) fn choose(
        &mut self,
        first: Option<&Span>,
        usual: Exchange<&str>,
        answered: bool,
        read: impl Fn(&str, bool) -> Option<Vec<Span>>,
    ) -> Exchange<Option<&'a str>> {
        let Some(from) = first.and_then(|first| self.number(first)) else { return (None, None) };
        let spans = &self.trace.spans[from..];
        let count = Who::Agent.run(spans);
        let results = if answered { Who::Tools.run(&spans[count..]) } else { 0 };
        let raw = |number: usize| spans.get(number).and_then(|s| said(s, self.format));
        let (said, result) = (raw(0), raw(count).filter(|_| results > 0));
        if (said, result) == (None, None) {
            return (None, None);
        }
        let unusual = (said.filter(|raw| *raw != usual.0), result.filter(|raw| *raw != usual.1));
        let ways = [unusual, (unusual.0, None), (None, unusual.1)];
        let fits = |way: &Exchange<Option<&str>>| {
            let text = [way.0.unwrap_or(usual.0), way.1.unwrap_or(usual.1)].concat();
            *way != (None, None)
                && read(&text, way.1.is_some())
                    .is_some_and(|read| says(&read, &spans[..count + results], self.style, self.markers))
        };
        let chosen = ways.into_iter().find(fits).unwrap_or_default();
        let how = |unusual: Option<&str>, chosen: Option<&str>| match (unusual, chosen) {
            (None, _) => Kept::Usual,
            (_, Some(_)) => Kept::Raw,
            _ => Kept::Not,
        };
        self.kept.extend(said.map(|_| (from, how(unusual.0, chosen.0))));
        self.kept.extend(result.map(|_| (from + count, how(unusual.1, chosen.1))));
        chosen
    }
}

/// Whether `read` says what `meant` does, and no text in it spells a marker: only a call may.
fn says(read: &[Span], meant: &[Span], style: Style, markers: &[&str]) -> bool {
    let kind = |kind| match kind {
        SpanKind::Plan => SpanKind::Answer,
        SpanKind::Reflection => SpanKind::Thought,
        other => other,
    };
    let clean = |span: &Span| match span.kind {
        SpanKind::Action => true,
        SpanKind::Observation => spelt(&observation_text(&span.body, style), markers).is_empty(),
        _ => spelt(&span.body, markers).is_empty(),
    };
    read.len() == meant.len()
        && read.iter().zip(meant).all(|(a, b)| kind(a.kind) == kind(b.kind) && a.body == b.body && clean(a))
}
