//! The reader of what an agent says in a turn: a thought, texts and calls.

use super::read::{left, opened, until};
use super::{Calls, Dialect, Notation, calls};
use crate::Tool;
use crate::adapters::builder::Builder;
use crate::adapters::loss::{LossKind, Place, Read};
use crate::adapters::spelling::Said;

/// Reads what an agent says in a turn.
pub(crate) fn agent(b: &mut Builder, content: &str, d: &Dialect, tools: &[Tool], place: &Place) -> Read<()> {
    let mut losses = Vec::new();
    let mut lose = |kind, what| losses.push((kind, what));
    let mut rest = content;
    let mut thought = None;
    if let Some(t) = &d.thought {
        if !t.none.is_empty() && rest.starts_with(t.none) {
            rest = &rest[t.none.len()..];
            // A turn of nothing else says an empty thought.
            thought = Some("").filter(|_| rest.is_empty() && t.none == [t.around.0, t.around.1].concat());
            if thought.is_some() {
                lose(LossKind::Layout, "a turn that says only that there is no thought");
            }
        } else if let Some((inside, opening)) = opened(rest, t.around.0) {
            let (inside, after, closing) = until(inside, t.around.1).unwrap_or((inside, "", false));
            if !(opening && closing) {
                lose(LossKind::Layout, "a thought that is laid out in another way, or never closed");
            }
            thought = Some(inside);
            rest = after;
        } else if let Some(after) = rest.strip_prefix(t.around.1.trim()) {
            lose(LossKind::Layout, "the end of a thought that is none");
            rest = after.strip_prefix(&t.around.1[t.around.1.trim_end().len()..]).unwrap_or(after);
        } else if !t.none.is_empty() {
            lose(LossKind::Layout, "no mark that there is no thought");
        }
    }
    let (mut texts, mut acts) = (Vec::new(), Vec::new());
    if d.calls.alone {
        (texts, acts) = alone(rest, d, tools, &mut lose);
    } else {
        let mut first = true;
        let mut ways = Ways::new(rest, d);
        loop {
            let found = ways.next(rest);
            let said = &rest[..found.map_or(rest.len(), |(at, ..)| at)];
            let (with, without) = d.calls.gap;
            let blank = said.trim().is_empty();
            let text = match found {
                Some(_) if first && blank => {
                    if said != without {
                        lose(LossKind::Layout, "white space before calls");
                    }
                    None
                }
                Some(_) if first => Some(said.strip_suffix(with).unwrap_or_else(|| {
                    lose(LossKind::Layout, "text and calls with something else between them");
                    said
                })),
                None if said.is_empty() && (!first || thought.is_some()) => None,
                None if !first && blank => {
                    lose(LossKind::Layout, "white space after calls");
                    None
                }
                _ if blank && !first => None,
                _ => Some(said),
            };
            if let Some(text) = text {
                if !first {
                    lose(LossKind::Order, "text after a call");
                }
                let own = text.strip_prefix(d.text);
                if own.is_none() {
                    lose(LossKind::Layout, "text that begins in another way");
                }
                texts.push(own.unwrap_or(text));
            }
            let Some((at, way, mark)) = found else { break };
            let start = &rest[at..];
            let (mut read, after) = calls::read_calls_of(start, way, d.style, tools);
            if !std::ptr::eq(way, &d.calls) {
                read.iter_mut().for_each(|call| call.usual = false);
            }
            if !first {
                lose(LossKind::Layout, "calls in several groups");
            }
            first = false;
            rest = after;
            if read.is_empty() {
                // The marker alone, and nothing of a call behind it.
                lose(LossKind::Dropped, "a marker of calls without a call");
                rest = &start[mark..];
            }
            let stray = d.calls.each.1.trim().rsplit('\n').next().filter(|s| !s.is_empty());
            if let Some(after) = stray.and_then(|stray| rest.trim_start().strip_prefix(stray)) {
                lose(LossKind::Layout, "a call that is closed twice");
                rest = after;
            }
            acts.extend(read);
        }
    }
    if !d.calls.alone {
        b.message(!acts.is_empty() && thought.is_none() && texts.is_empty())?;
    }
    for (kind, what) in losses {
        b.lose_once(kind, || place.clone(), what);
    }
    if let Some(thought) = thought {
        left(b, thought, d, || place.clone());
        b.thought(thought)?;
    }
    for text in texts {
        left(b, text, d, || place.clone());
        b.say(text)?;
    }
    for call in acts {
        act(b, call, d, place)?;
    }
    Ok(())
}

/// The ways in which a dialect makes calls, and where in a text the next ones are made.
struct Ways<'t, 'd> {
    text: &'t str,
    /// Of every way, what its calls begin with, and where it was last found: at the cursor, behind it, or nowhere.
    ways: Vec<(&'d Calls, String, usize)>,
}

impl<'t, 'd> Ways<'t, 'd> {
    fn new(text: &'t str, d: &'d Dialect) -> Self {
        let mark = |way: &Calls| [way.group.0, way.each.0].concat().trim_end().to_owned();
        let ways = std::iter::once(&d.calls).chain(d.other_calls).map(|way| {
            let mark = mark(way);
            let at = text.find(&mark).unwrap_or(usize::MAX);
            (way, mark, at)
        });
        Ways { text, ways: ways.collect() }
    }

    /// Where in `rest`, a tail of the text, the next calls are made, in which way, and the length of what they begin with.
    /// Of two at the same place it is the first, whose mark is the longer one.
    fn next(&mut self, rest: &str) -> Option<(usize, &'d Calls, usize)> {
        let cursor = self.text.len() - rest.len();
        for (_, mark, at) in &mut self.ways {
            if *at < cursor {
                *at = rest.find(mark.as_str()).map_or(usize::MAX, |n| cursor + n);
            }
        }
        let (way, mark, at) = self.ways.iter().min_by_key(|(.., at)| *at)?;
        (*at < usize::MAX).then(|| (at - cursor, *way, mark.len()))
    }
}

/// What a turn says that is either text or calls.
fn alone<'t>(
    text: &'t str,
    d: &Dialect,
    tools: &[Tool],
    lose: &mut impl FnMut(LossKind, &'static str),
) -> (Vec<&'t str>, Vec<calls::ReadCall>) {
    let read = |text: &str| {
        let raw = || vec![calls::ReadCall::new(Said::Raw(text.to_owned()))];
        calls::read_alone(text, d, tools).unwrap_or_else(raw)
    };
    let (open, close) = d.attempt;
    let Some((before, marked)) = text.split_once(open) else {
        return match calls::is_attempt(text, d, tools) {
            true => (Vec::new(), read(text)),
            false => (vec![text], Vec::new()),
        };
    };
    let (inside, after) = marked.split_once(close).filter(|_| !close.is_empty()).unwrap_or((marked, ""));
    let closed = marked.len() == inside.len() + close.len();
    if !before.is_empty() || !closed || calls::is_attempt(inside, d, tools) {
        lose(LossKind::Layout, "a mark of a call that needs none");
    }
    let mut texts = vec![before];
    if !after.trim().is_empty() {
        lose(LossKind::Order, "text after a call");
        texts.push(after);
    }
    texts.retain(|text| !text.trim().is_empty());
    (texts, read(inside))
}

fn act(b: &mut Builder, call: calls::ReadCall, d: &Dialect, place: &Place) -> Read<()> {
    if !call.usual {
        b.lose_once(LossKind::Spelling, || place.clone(), "a call that is spelt in another way");
    }
    let id = call.id.as_deref();
    match &call.said {
        Said::Raw(text) => left(b, text, d, || place.clone()),
        Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => {
            left(b, tool, d, || place.clone());
            left(b, arguments, d, || place.clone());
        }
    }
    let (tool, arguments) = match call.said {
        Said::Raw(text) => return b.action(text, false, id, place.clone()),
        Said::Call { tool, arguments, .. } | Said::Unread { tool, arguments } => (tool, arguments),
    };
    let usual = match d.calls.notation {
        Notation::Numbered(_) => Some(format!("functions.{tool}:{}", b.calls())),
        Notation::List => Some(calls::list_id(b.calls())),
        _ => None,
    };
    if id != usual.as_deref() {
        b.lose_once(LossKind::Ids, || place.clone(), "ids of calls");
    }
    b.call(&tool, &arguments, id, place.clone())
}
