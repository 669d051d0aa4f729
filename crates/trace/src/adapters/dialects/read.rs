//! The reader of all dialects.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::agent::agent;
use super::markers::spelt;
use super::{Content, Dialect, Notation, Outcomes, Stand, calls, gemma};
use crate::adapters::builder::Builder;
use crate::adapters::json::{self, At};
use crate::adapters::loss::{FormatError, Loss, LossKind, Place, Read};
use crate::adapters::schemas;
use crate::adapters::spelling::{Said, json_body, said};
use crate::adapters::verbatim::{Listener, Who};
use crate::{Span, Tool, Trace};

/// What is left of `text` after the marker `open`, and whether the marker's white space was there.
pub(super) fn opened<'t>(text: &'t str, open: &str) -> Option<(&'t str, bool)> {
    match text.strip_prefix(open) {
        Some(rest) => Some((rest, true)),
        None if open.trim_end().is_empty() => None,
        None => text.strip_prefix(open.trim_end()).map(|rest| (rest, false)),
    }
}

/// The text before the marker `close`, the text behind it, and whether the marker's white space was there.
pub(super) fn until<'t>(text: &'t str, close: &str) -> Option<(&'t str, &'t str, bool)> {
    let (mark, lead) = match close.trim() {
        "" => (close, ""),
        mark => (mark, &close[..close.len() - close.trim_start().len()]),
    };
    let tail = &close[lead.len() + mark.len()..];
    let at = text.find(mark)?;
    let (before, after) = (&text[..at], &text[at + mark.len()..]);
    let (inside, behind) = (before.strip_suffix(lead), after.strip_prefix(tail));
    let exact = inside.is_some() && behind.is_some() && !mark.is_empty();
    Some((inside.unwrap_or(before), behind.unwrap_or(after), exact))
}

/// Who speaks.
#[derive(Clone, Copy, PartialEq)]
enum Turn {
    Tools,
    System,
    User,
    Agent,
    Results,
}

/// Reads one text.
pub(crate) fn read(text: &str, d: &Dialect) -> Read<(Trace, Vec<Loss>)> {
    let mut r = Reader::new(text, d);
    match opened(text, d.begin) {
        Some((rest, _)) => r.go_to(rest),
        None => r.lose(LossKind::Layout, "the text begins in another way"),
    }
    let bare = d.system.is_some_and(|(open, _)| open.is_empty());
    if bare && r.turn().is_none() && !r.rest().is_empty() {
        let end = r.next_turn();
        let content = &text[r.at..end];
        r.system(content)?;
        r.at = end;
    }
    while r.at < text.len() {
        r.turn_at_cursor()?;
    }
    r.listener.finish(r.b, text, |trace| super::write::kept(trace, d))
}

/// What `text`, which `after` follows, says if it ends there: what an agent says, and the results of its calls. It may go
/// `on` with a turn that is open.
pub(super) fn read_part(
    (text, after): (&str, &str),
    on: bool,
    d: &Dialect,
    tools: &[Tool],
) -> Option<Vec<Span>> {
    let whole = [text, after].concat();
    let mut r = Reader::new(&whole, d);
    r.tools = Cow::Borrowed(tools);
    r.went_on = on;
    while r.at < text.len() {
        r.turn_at_cursor().ok()?;
    }
    let (trace, _) = (r.at == text.len()).then_some(r.b)?.finish().ok()?;
    Some(trace.spans)
}

/// The declarations at the beginning of a system text, and the text behind them.
fn split_declarations<'t>(declared: &'t str, d: &Dialect) -> Option<(&'t str, &'t str)> {
    if !d.tools.around.1.is_empty() {
        return declared.split_once(d.tools.around.1);
    }
    // Nothing closes them: they go on for as long as there is a JSON object.
    let close = d.tools.each.map_or("", |(_, close)| close);
    let mut rest = declared;
    while let Some((tool, after)) = rest.split_once(close)
        && json::parse_all(tool).is_ok_and(|n| matches!(n.as_slice(), [n] if n.get("type").is_some()))
    {
        rest = after;
    }
    Some(declared.split_at(declared.len() - rest.len()))
}

struct Reader<'t, 'd> {
    text: &'t str,
    at: usize,
    d: &'d Dialect,
    b: Builder,
    /// The tools that the text declares.
    tools: Cow<'d, [Tool]>,
    /// After results, the agent goes on without a new opening.
    went_on: bool,
    listener: Listener,
    /// How turns open, the longest first.
    openers: Vec<(Turn, String)>,
    /// The same without white space at their ends.
    marks: Vec<String>,
    /// Where each mark was last found: at the cursor or behind it.
    found: Vec<usize>,
    /// The line of a place that was asked for, and its byte.
    line: (usize, usize, usize),
}

impl<'t, 'd> Reader<'t, 'd> {
    fn new(text: &'t str, d: &'d Dialect) -> Self {
        let mut openers = vec![(Turn::Results, d.results.opening()), (Turn::User, d.user.0.to_owned())];
        openers.push((Turn::Agent, d.agent.0.to_owned()));
        openers.extend(d.system.map(|(open, _)| (Turn::System, open.to_owned())));
        if !d.tools.stand.in_system() {
            openers.push((Turn::Tools, d.tools.around.0.to_owned()));
        }
        openers.retain(|(_, open)| !open.is_empty());
        openers.sort_by_key(|(_, open)| std::cmp::Reverse(open.len()));
        let group = d.results.group.0.trim();
        let marks = openers.iter().map(|(turn, open)| match turn {
            Turn::Results if !group.is_empty() && open.starts_with(group) => group.to_owned(),
            _ => open.trim_end().to_owned(),
        });
        let (marks, found) = (marks.collect(), vec![0; openers.len()]);
        let b = Builder::new(d.style);
        Reader {
            text,
            at: 0,
            d,
            b,
            tools: Cow::Borrowed(&[]),
            went_on: false,
            listener: Listener::new(d.format),
            openers,
            marks,
            found,
            line: (0, 1, 0),
        }
    }

    /// Reads the turn that opens at the cursor, or goes on with one that is open.
    fn turn_at_cursor(&mut self) -> Read<()> {
        let turn = self.turn();
        if !matches!(turn, Some((.., true))) && self.marks.iter().any(|mark| mark == self.rest()) {
            self.lose(LossKind::Layout, "a turn that opens at the end, in which nothing is said");
            self.at = self.text.len();
            return Ok(());
        }
        let on = self.went_on || self.d.agent.0.is_empty();
        let Some((turn, rest, exact)) = turn.or_else(|| on.then(|| (Turn::Agent, self.rest(), true))) else {
            let openers: Vec<String> = self.openers.iter().map(|(_, o)| format!("{:?}", o.trim())).collect();
            let hint = format!("a turn begins with {}", openers.join(" or "));
            return Err(FormatError::new(self.place(), "no turn begins here", hint));
        };
        let who = match turn {
            Turn::Agent => Who::Agent,
            Turn::Results => Who::Tools,
            _ => Who::Others,
        };
        self.listener.speaks(&mut self.b, who, self.text, self.at)?;
        if !exact {
            self.lose(LossKind::Layout, "a turn that is opened in another way");
        }
        self.went_on = false;
        match turn {
            Turn::Results => {
                self.went_on = self.d.goes_on || self.d.stays_open;
                self.results()?;
                if self.d.stays_open
                    && let Some((rest, _)) = opened(self.rest(), self.d.agent.1)
                {
                    self.go_to(rest);
                    self.went_on = false;
                }
            }
            Turn::Tools => {
                self.go_to(rest);
                let content = self.declared();
                let body = self.declarations(content)?;
                self.b.tools(body);
            }
            Turn::System => {
                self.go_to(rest);
                let content = self.content(self.d.system.map_or("", |s| s.1), &[]);
                self.system(content)?;
            }
            Turn::User => {
                self.go_to(rest);
                let content = self.content(self.d.user.1, &[]);
                self.left(content);
                self.b.user(content)?;
            }
            Turn::Agent => {
                self.go_to(rest);
                self.agent_turn()?;
            }
        }
        Ok(())
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    /// Moves the cursor to `rest`, a tail of the text.
    fn go_to(&mut self, rest: &str) {
        self.at = self.text.len() - rest.len();
    }

    /// The place of the cursor. Lines are counted on from the last place that was asked for.
    fn place(&mut self) -> Place {
        let (byte, line, start) = self.line;
        if self.at < byte {
            return Place::of(self.text, self.at);
        }
        let between = &self.text[byte..self.at];
        let lines = between.bytes().filter(|&b| b == b'\n').count();
        let start = between.rfind('\n').map_or(start, |i| byte + i + 1);
        self.line = (self.at, line + lines, start);
        // Of a very long line, the column is not worth the time.
        let column =
            if self.at - start > 4096 { self.at - start } else { self.text[start..self.at].chars().count() };
        Place::Line(line + lines, column + 1)
    }

    fn lose(&mut self, kind: LossKind, what: &str) {
        let place = self.place();
        self.b.lose_once(kind, || place, what);
    }

    /// Reports what of the dialect's own markers is left in `content`, which ends at the cursor or before it.
    fn left(&mut self, content: &str) {
        let at = content.as_ptr().addr() - self.text.as_ptr().addr();
        left(&mut self.b, content, self.d, || Place::of(self.text, at));
    }

    /// The turn that opens at the cursor, and what follows its opener (for results, the opener itself).
    fn turn(&self) -> Option<(Turn, &'t str, bool)> {
        if let Some((_, exact)) = self.d.results.opened(self.rest()) {
            return Some((Turn::Results, self.rest(), exact));
        }
        let exact = self
            .openers
            .iter()
            .find_map(|(turn, open)| self.rest().strip_prefix(open.as_str()).map(|rest| (*turn, rest, true)));
        exact.or_else(|| {
            self.openers.iter().find_map(|(turn, open)| {
                let (rest, exact) = opened(self.rest(), open)?;
                Some((*turn, rest, exact))
            })
        })
    }

    /// Where the next turn opens.
    fn next_turn(&mut self) -> usize {
        let mut next = self.text.len();
        for (i, mark) in self.marks.iter().enumerate() {
            if self.found[i] < self.at {
                let at = self.text[self.at..].find(mark.as_str());
                self.found[i] = at.map_or(self.text.len(), |n| self.at + n);
            } else if self.found[i] == 0 {
                self.found[i] = self.text.find(mark.as_str()).unwrap_or(self.text.len());
            }
            next = next.min(self.found[i]);
        }
        next
    }

    /// The text up to `close` or one of the `others`, or up to the next turn where turns are not closed; the cursor
    /// goes behind it.
    fn content(&mut self, close: &str, others: &[&str]) -> &'t str {
        let rest = self.rest();
        let (mut content, mut after, mut exact) = if close.is_empty() {
            let end = self.next_turn();
            (&self.text[self.at..end], &self.text[end..], true)
        } else {
            until(rest, close).unwrap_or((rest, "", false))
        };
        for other in others {
            if let Some(at) = content.find(other) {
                (content, after, exact) = (&rest[..at], &rest[at + other.len()..], false);
            }
        }
        if !exact {
            self.lose(LossKind::Layout, "a turn that is closed in another way, or not at all");
        }
        self.go_to(after);
        content
    }

    /// The tools of a turn of their own.
    fn declared(&mut self) -> &'t str {
        let close = self.d.tools.around.1;
        let turn = &self.text[self.at..self.next_turn()];
        // Others follow them up with another text.
        if let Some((mark, _)) = close.split_once('\n')
            && !turn.contains(close)
            && let Some(at) = turn.find(mark)
        {
            self.lose(LossKind::Layout, "tools that are introduced in other words");
            self.at += turn.len();
            return &turn[..at];
        }
        self.content(close, &[])
    }

    fn declarations(&mut self, content: &str) -> Read<String> {
        let place = self.place();
        let mut source = String::new();
        let content = match self.d.tools.each {
            None => content,
            Some((open, close)) => {
                let mut rest = content;
                while let Some((inside, _)) = opened(rest, open).filter(|_| !rest.is_empty()) {
                    let Some((tool, after, _)) = until(inside, close) else { break };
                    source.push_str(if source.is_empty() { "[" } else { "," });
                    match gemma::read_declaration(tool) {
                        Some(json) if matches!(self.d.calls.notation, Notation::Gemma) => {
                            self.lose(LossKind::Layout, "tools in the notation of the model's own template");
                            source.push_str(&json);
                        }
                        _ => source.push_str(tool),
                    }
                    rest = after;
                }
                if !rest.trim().is_empty() {
                    let hint = "every tool is declared in the same way";
                    return Err(FormatError::new(place, "something else among the tools", hint));
                }
                source.push_str(if source.is_empty() { "[]" } else { "]" });
                source.as_str()
            }
        };
        let here = |e: Box<FormatError>| {
            FormatError::new(place.clone(), format!("in the tools: {}", e.message), e.hint)
        };
        let nodes = json::parse_all(content).map_err(here)?;
        let items = nodes.first().map(|n| n.items(At::Root)).transpose().map_err(here)?;
        let mut losses = Vec::new();
        let body = schemas::read(items.unwrap_or_default(), At::Root, &mut losses).map_err(here)?;
        self.b.losses.extend(losses.into_iter().map(|l| Loss { place: place.clone(), ..l }));
        self.tools = Cow::Owned(Tool::parse_all(&body).unwrap_or_default());
        Ok(body)
    }

    /// A system text, at the end of which tools may be declared.
    fn system(&mut self, content: &str) -> Read<()> {
        let t = &self.d.tools;
        if let Stand::BeforeSystem(between) = t.stand
            && let Some(declared) = content.strip_prefix(t.around.0)
            && let Some((inside, text)) = split_declarations(declared, self.d)
            && let text = text.strip_prefix(between).filter(|t| !(between.is_empty() && t.is_empty()))
            && (text.is_some() || inside.len() + t.around.0.len() + t.around.1.len() == content.len())
            && let Ok(body) = self.declarations(inside)
        {
            self.b.tools(body);
            let Some(text) = text else { return Ok(()) };
            self.left(text);
            return self.b.system(text);
        }
        if t.stand == Stand::InSystem {
            let start = if t.around.0.is_empty() { t.each.map_or("", |e| e.0) } else { t.around.0 };
            let at = content.find(start).filter(|_| !start.is_empty());
            let text = at.map(|at| (&content[..at], &content[at + t.around.0.len()..]));
            // Only our own declarations are understood, and Gemma's: any others are a system text like another.
            let native = |declared: &str| declared.starts_with("<|tool>declaration:");
            if let Some((text, declared)) = text
                && let Some(inside) = declared.strip_suffix(t.around.1)
                && (text.is_empty() || text.ends_with("\n\n") || native(declared))
                && let Ok(body) = self.declarations(inside)
            {
                self.b.tools(body);
                return match text.strip_suffix("\n\n").unwrap_or(text) {
                    "" if text.is_empty() => Ok(()),
                    text => {
                        self.left(text);
                        self.b.system(text)
                    }
                };
            }
            if at.is_some() {
                self.lose(LossKind::Tools, "tools that are declared in another way stay in the system text");
            }
        }
        self.left(content);
        self.b.system(content)
    }

    fn agent_turn(&mut self) -> Read<()> {
        let d = self.d;
        let place = self.place();
        let rest = self.rest();
        let content = match rest.find(&d.results.opening()).filter(|_| d.stays_open) {
            Some(at) if until(&rest[..at], d.agent.1).is_none() => {
                self.at += at;
                &rest[..at]
            }
            _ => self.content(d.agent.1, d.ends),
        };
        agent(&mut self.b, content, d, &self.tools, &place)
    }

    fn results(&mut self) -> Read<()> {
        let r = &self.d.results;
        let group = r.grouped(self.rest());
        if let Some((rest, _)) = group {
            self.go_to(rest);
        }
        let rest = outcomes(&mut self.b, self.text, self.at, self.d)?;
        self.go_to(rest);
        if r.group.1.is_empty() || group.is_none() {
            return Ok(());
        }
        match opened(self.rest(), r.group.1) {
            Some((rest, true)) => self.go_to(rest),
            Some((rest, false)) => {
                self.go_to(rest);
                self.lose(LossKind::Layout, "a turn that is closed in another way, or not at all");
            }
            None => {
                let content = self.content(r.group.1, &[]).trim_start();
                self.lose(LossKind::Layout, "something else among results");
                if !content.is_empty() {
                    self.left(content);
                    self.b.user(content)?;
                }
            }
        }
        Ok(())
    }
}

impl Outcomes {
    /// How results open.
    fn opening(&self) -> String {
        [self.group.0, self.each.0].concat()
    }

    /// What follows the opening of all results, and whether it is the usual one.
    fn grouped<'t>(&self, text: &'t str) -> Option<(&'t str, bool)> {
        let other = || Some((self.under_other_role(text)?, false));
        opened(text, self.group.0).or_else(|| other().filter(|_| !self.group.0.is_empty()))
    }

    /// What follows the opening of a result.
    fn each<'t>(&self, text: &'t str) -> Option<(&'t str, bool)> {
        let short = self.each.0.trim_start();
        let squeezed = || opened(text.trim_start(), short).map(|(rest, _)| (rest, false));
        opened(text, self.each.0).or_else(|| squeezed().filter(|_| short != self.each.0)).or_else(|| {
            let (.., first) = self.named.filter(|_| self.group.0.is_empty())?;
            Some((self.under_other_role(text)?.strip_prefix(first)?, false))
        })
    }

    /// What follows the opening of a first result.
    fn opened<'t>(&self, text: &'t str) -> Option<(&'t str, bool)> {
        if let Some((inside, usual)) = self.grouped(text)
            && let Some((rest, exact)) = self.each(inside)
        {
            return Some((rest, usual && exact));
        }
        self.each(text).map(|(rest, _)| (rest, false))
    }

    /// What a result begins with, under another role than the usual, or its tool's name.
    fn under_other_role<'t>(&self, text: &'t str) -> Option<&'t str> {
        let (before, after, first) = self.named?;
        let text = text.strip_prefix(before)?;
        let end = text.find(after)?;
        let role = &text[..end];
        if role.contains(['<', '\n']) || ["system", "user", "assistant"].contains(&role) {
            return None;
        }
        Some(&text[end + after.len()..]).filter(|rest| rest.starts_with(first))
    }
}

/// Reports what of the dialect's own markers is left in a text that was read.
pub(super) fn left(b: &mut Builder, text: &str, d: &Dialect, place: impl Fn() -> Place) {
    for marker in spelt(text, d.markers) {
        b.lose_once(LossKind::Marker, &place, &format!("`{marker}` stands in a text"));
    }
}

/// Reads results at `at`, without what stands around all of them; gives what follows.
pub(crate) fn outcomes<'t>(b: &mut Builder, text: &'t str, at: usize, d: &Dialect) -> Read<&'t str> {
    let r = &d.results;
    let mut rest = &text[at..];
    while let Some((inside, opening)) = r.each(rest) {
        let place = || Place::of(text, text.len() - rest.len());
        let closed = match r.each.1 == d.agent.1 {
            true => ended(inside, d),
            false => until(inside, r.each.1),
        };
        let (content, after, closing) = closed.unwrap_or((inside, "", false));
        if !(opening && closing) {
            b.lose_once(LossKind::Layout, place, "a result that is laid out in another way");
        }
        outcome(b, content, d, place)?;
        rest = after;
        match rest.strip_prefix(r.between) {
            Some(next) if r.each(next).is_some() => rest = next,
            _ => break,
        }
    }
    Ok(rest)
}

/// A text up to the first mark at which turns end, and what follows; where a result is a turn of its own.
fn ended<'t>(text: &'t str, d: &Dialect) -> Option<(&'t str, &'t str, bool)> {
    let first = d.agent.1.as_bytes()[0];
    memchr_iter(first, text.as_bytes()).find_map(|at| {
        let mut ends = std::iter::once(&d.agent.1).chain(d.ends);
        let end = ends.find(|end| text[at..].starts_with(**end))?;
        Some((&text[..at], &text[at + end.len()..], *end == d.agent.1))
    })
}

fn outcome(b: &mut Builder, content: &str, d: &Dialect, place: impl Fn() -> Place) -> Read<()> {
    let (mut json, mut id) = (None, None);
    if d.calls.alone && b.was_attempt(place()) {
        b.lose_once(LossKind::Layout, &place, "an attempt to act of which only its result tells");
    }
    let marked = |mark: &str| content.split_once(mark).map_or(content, |(_, text)| text);
    match d.results.content {
        Content::Gemma => {}
        Content::After(mark) => left(b, marked(mark), d, &place),
        _ => left(b, content, d, &place),
    }
    match d.results.content {
        Content::Text => {}
        Content::After(mark) => {
            if let Some((id, text)) = content.split_once(mark) {
                b.lose_once(LossKind::Ids, &place, "ids of calls");
                return b.result(Some(id), text, false, place());
            }
        }
        Content::Json => json = Some(content.to_owned()),
        Content::Numbered => {
            let (name, text) = content.split_once('\n').unwrap_or((content, ""));
            if b.waits(name).is_none() && name != format!("functions.:{}", b.result_number()) {
                b.lose_once(LossKind::Ids, &place, "ids of calls");
            }
            return b.result(Some(name), text, false, place());
        }
        Content::Object => {
            let nodes = json::parse_all(content).ok();
            let node = nodes.as_deref().and_then(|n| n.first());
            json = node.and_then(|n| n.get("content")).map(|c| c.raw.to_owned());
            let call = node.and_then(|n| n.get("call_id").or_else(|| n.get("id")));
            id = call.map(|id| id.raw.trim_matches('"').to_owned());
            if id.as_ref().is_some_and(|id| b.waits(id).is_none() && *id != calls::list_id(b.result_number()))
            {
                b.lose_once(LossKind::Ids, &place, "ids of calls");
            }
            let usual = (json.as_deref(), id.as_deref());
            if let (Some(json), id) = usual
                && content != format!("{{\"content\": {json}, \"call_id\": \"{}\"}}", id.unwrap_or_default())
            {
                b.lose_once(LossKind::Layout, &place, "a result that is laid out in another way");
            }
        }
        Content::Gemma => {
            let tool = match b.next_call().map(|body| said(body, d.style)) {
                Some(Said::Call { tool, .. } | Said::Unread { tool, .. }) => tool,
                _ => String::new(),
            };
            if !content
                .strip_prefix("response:")
                .and_then(|c| c.strip_prefix(tool.as_str()))
                .is_some_and(|c| c.starts_with('{'))
            {
                b.lose_once(LossKind::Layout, &place, "a result of another tool than its call's");
            }
            if let Some(text) = gemma::read_text(content) {
                left(b, text, d, &place);
                return b.result(None, text, false, place());
            }
            json = gemma::read_response(content);
            left(b, json.as_deref().unwrap_or(content), d, &place);
            if json.is_some() {
                b.lose_once(LossKind::Spelling, &place, "a result that is spelt in another way");
            }
        }
    }
    if let Some(body) = json.and_then(|json| json_body(&json, d.style)) {
        return b.result_body(id.as_deref(), body, false, place());
    }
    if !matches!(d.results.content, Content::Text | Content::After(_)) {
        b.lose_once(LossKind::Layout, &place, "a result that is no JSON");
    }
    b.result(id.as_deref(), content, false, place())
}
