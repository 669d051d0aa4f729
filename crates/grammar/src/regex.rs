//! Automata and patterns as regular expressions over what is written, for the Lark notation.

use std::collections::BTreeMap;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use crate::automaton::Automaton;
use crate::lexeme::escapes;

/// The longest expression that is written.
const LONGEST: usize = 1 << 16;

/// A character of a string that stands for itself: no quote, backslash or control character.
pub(crate) const PLAIN: &str = r#"[^"\\\x00-\x1f\x7f-\x{9f}]"#;
/// A character of a string that is written with a backslash.
pub(crate) const ESCAPE: &str = r#"\\(["\\ntr]|u\{([0-8bcef]|1[0-9a-f]|7f|8[0-9a-f]|9[0-9a-f])\})"#;

/// The words of an automaton over ASCII: one state after the other is left out, and what leads through it is written
/// out. Nothing where that becomes too long.
pub(crate) fn words(automaton: &Automaton) -> Option<String> {
    let automaton = automaton.minimal();
    // From each state to others; the last one stands behind the end.
    let last = automaton.states();
    let mut ways: Vec<BTreeMap<usize, String>> = vec![BTreeMap::new(); last + 1];
    for (at, ways) in ways.iter_mut().enumerate().take(last) {
        let mut bytes: BTreeMap<usize, Vec<u8>> = BTreeMap::new();
        for byte in 0..0x80 {
            if let Some(to) = automaton.step(at as u32, byte) {
                bytes.entry(to as usize).or_default().push(byte);
            }
        }
        ways.extend(bytes.into_iter().map(|(to, bytes)| (to, one_of(&bytes))));
        if automaton.ends(at as u32) {
            ways.insert(last, String::new());
        }
    }
    let start = automaton.start as usize;
    let mut left: Vec<usize> = (0..last).filter(|at| *at != start).collect();
    while !left.is_empty() {
        // The one through which the least leads.
        let cost = |at: usize| {
            let into = ways.iter().filter_map(|w| w.get(&at)).map(|w| w.len() + 1).sum::<usize>();
            into * ways[at].values().map(|w| w.len() + 1).sum::<usize>()
        };
        let at = left.iter().copied().min_by_key(|at| cost(*at))?;
        left.retain(|other| *other != at);
        let mut out = std::mem::take(&mut ways[at]);
        let again = out.remove(&at).map_or(String::new(), |way| format!("{}*", group(&way)));
        for way in &mut ways {
            let Some(into) = way.remove(&at) else { continue };
            for (to, rest) in &out {
                let through = format!("{}{again}{}", group_if_any(&into), group_if_any(rest));
                way.entry(*to).and_modify(|w| *w = format!("{w}|{through}")).or_insert(through);
            }
        }
        if ways.iter().flat_map(|w| w.values()).map(String::len).sum::<usize>() > LONGEST {
            return None;
        }
    }
    let again = ways[start].get(&start).map_or(String::new(), |way| format!("{}*", group(way)));
    let rest = ways[start].get(&last)?;
    Some(format!("{again}{}", group_if_any(rest)))
}

fn group(expression: &str) -> String {
    format!("({expression})")
}

/// Brackets where there are alternatives.
fn group_if_any(expression: &str) -> String {
    if expression.contains('|') { group(expression) } else { expression.to_owned() }
}

/// One of some bytes of ASCII, in their order.
fn one_of(bytes: &[u8]) -> String {
    let mut out = String::from("[");
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().zip(bytes[at]..).take_while(|(a, b)| **a == *b).count();
        let shown = |byte: u8| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("\\x{byte:02x}"),
        };
        out += &shown(bytes[at]);
        if run > 1 {
            out += &format!("-{}", shown(bytes[at + run - 1]));
        }
        at += run;
    }
    out + "]"
}

/// The insides of the strings, as they are written, in which `hir` matches somewhere.
///
/// # Errors
/// Says what of it cannot be written.
pub(crate) fn insides(hir: &Hir) -> Result<String, String> {
    if let HirKind::Alternation(all) = hir.kind() {
        let all = all.iter().map(insides).collect::<Result<Vec<_>, _>>()?;
        return Ok(group(&all.join("|")));
    }
    let mut parts = match hir.kind() {
        HirKind::Concat(parts) => parts.as_slice(),
        _ => std::slice::from_ref(hir),
    };
    let is = |part: &Hir, look: Look| matches!(part.kind(), HirKind::Look(l) if *l == look);
    let (mut before, mut after) = (true, true);
    while let Some((_, rest)) = parts.split_first().filter(|(first, _)| is(first, Look::Start)) {
        (before, parts) = (false, rest);
    }
    while let Some((_, rest)) = parts.split_last().filter(|(last, _)| is(last, Look::End)) {
        (after, parts) = (false, rest);
    }
    // An alternative in the middle of such anchors has none itself, or is refused.
    let inside = parts.iter().map(inside).collect::<Result<String, _>>()?;
    let anything = |wanted: bool| if wanted { format!("({PLAIN}|{ESCAPE})*") } else { String::new() };
    Ok(format!("{}{inside}{}", anything(before), anything(after)))
}

fn inside(hir: &Hir) -> Result<String, String> {
    Ok(match hir.kind() {
        HirKind::Empty => String::new(),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).map_err(|_| "bytes that are no text".to_owned())?;
            text.chars().map(|c| class([(c, c)])).collect()
        }
        HirKind::Class(Class::Unicode(ranges)) => class(ranges.iter().map(|r| (r.start(), r.end()))),
        HirKind::Class(Class::Bytes(ranges)) => {
            class(ranges.iter().map(|r| (char::from(r.start()), char::from(r.end()))))
        }
        HirKind::Look(Look::Start | Look::End) => {
            return Err("anchors anywhere but at its ends".to_owned());
        }
        HirKind::Look(_) => return Err("word boundaries and ends of lines".to_owned()),
        HirKind::Repetition(repetition) => {
            let sub = inside(&repetition.sub)?;
            let max = repetition.max.map_or(String::new(), |max| max.to_string());
            format!("({sub}){{{},{max}}}", repetition.min)
        }
        HirKind::Capture(capture) => inside(&capture.sub)?,
        HirKind::Concat(all) => all.iter().map(inside).collect::<Result<String, _>>()?,
        HirKind::Alternation(all) => group(&all.iter().map(inside).collect::<Result<Vec<_>, _>>()?.join("|")),
    })
}

/// One of some characters, as it is written inside a string.
fn class(ranges: impl IntoIterator<Item = (char, char)>) -> String {
    let (mut plain, mut options) = (String::new(), Vec::new());
    for (from, to) in ranges {
        // What stands between those that are escaped.
        let mut next = u32::from(from);
        let escaped = escapes().iter().filter(|e| (from..=to).contains(&e.character));
        for escape in escaped {
            let spelt: String = escape.spelt.iter().map(|b| one_of(&[*b])).collect();
            options.push(format!("[\\x5c]{spelt}"));
            plain += &range(next, u32::from(escape.character));
            next = u32::from(escape.character) + 1;
        }
        plain += &range(next, u32::from(to) + 1);
    }
    if !plain.is_empty() {
        options.push(format!("[{plain}]"));
    }
    match options.len() {
        // No character at all.
        0 => r"[^\x00-\x{10ffff}]".to_owned(),
        1 => options.remove(0),
        _ => group(&options.join("|")),
    }
}

/// The characters from one up to another, without that one.
fn range(from: u32, to: u32) -> String {
    if from < to { format!("\\x{{{from:x}}}-\\x{{{:x}}}", to - 1) } else { String::new() }
}

#[cfg(test)]
mod tests {
    use groundwork_trace::{Type, Value};
    use regex_automata::dfa::{Automaton as _, StartKind, dense};
    use regex_automata::util::start;
    use regex_automata::{Anchored, MatchKind};

    use super::*;
    use crate::lengths::Lengths;
    use crate::{numbers, pattern};

    /// Whether a regular expression matches all of a text.
    struct Whole(dense::DFA<Vec<u32>>);

    impl Whole {
        fn new(expression: &str) -> Whole {
            let config = dense::Config::new().match_kind(MatchKind::All).start_kind(StartKind::Anchored);
            let made = dense::Builder::new().configure(config).build(&format!("(?:{expression})$"));
            Whole(made.unwrap_or_else(|e| panic!("{expression}: {e}")))
        }

        fn matches(&self, text: &str) -> bool {
            let start = start::Config::new().anchored(Anchored::Yes);
            let at = self.0.start_state(&start).unwrap();
            let at = text.bytes().fold(at, |at, byte| self.0.next_state(at, byte));
            self.0.is_match_state(self.0.next_eoi_state(at))
        }
    }

    #[test]
    fn numbers_as_expressions() {
        for written in [
            "int(min=-57, max=1234)",
            "int(above=3)",
            "int(step=25)",
            "int(step=1000)",
            "float(min=-1.5, below=10.25)",
            "float(min=0)",
            "float(min=0.25, max=0.75)",
            "float(step=0.5)",
            "int(max=9223372036854775807)",
        ] {
            let Type::Bounded(inner, bounds) = Type::parse(written).unwrap() else { panic!("{written}") };
            let automaton = numbers::spellings(&bounds, *inner == Type::Float).unwrap().unwrap();
            let expression = words(&automaton).unwrap_or_else(|| panic!("{written}"));
            assert!(expression.len() < 5000, "{written}: {}", expression.len());
            let whole = Whole::new(&expression);
            for n in (-1300..1300_i64).chain([9_223_372_036_854_775_807, -9_223_372_036_854_775_807]) {
                for text in
                    [format!("{n}"), format!("{n}.25"), format!("{n}.50"), format!("{n}e5"), format!("0{n}")]
                {
                    assert_eq!(whole.matches(&text), automaton.accepts(&text), "{written} {text}");
                }
            }
        }
        let Type::Bounded(_, bounds) = Type::parse("int(step=97)").unwrap() else { unreachable!() };
        assert_eq!(words(&numbers::spellings(&bounds, false).unwrap().unwrap()), None);
    }

    #[test]
    fn strings_as_expressions() {
        let texts = [
            "",
            "a",
            "ab",
            "abc",
            "\"",
            "\\",
            "a\nb",
            "\n",
            "\u{85}",
            "\u{0}",
            "\u{7f}",
            "\u{9f}\u{a0}",
            "é",
            "/",
            "2024-02-29",
            "::1",
            "1.2.3.4",
            "𝄞",
            "x-1",
            "[",
        ];
        for pattern in [
            "",
            "a",
            "^a",
            "^a$",
            "^(?:a|é)+$",
            "^a|b$",
            ".",
            "^.$",
            r"^\s",
            r"[^a]",
            r"\\",
            "\"",
            "[\u{80}-\u{9f}]",
            "^[\0-\u{10ffff}]$",
            "^$",
            "/",
            r"^\W",
            "[^\0-\u{10ffff}]",
        ] {
            let ty = Type::parse(&format!("str(pattern={})", Value::str(pattern))).unwrap();
            let Type::Bounded(_, bounds) = &ty else { unreachable!() };
            let searched = pattern::searched(bounds).unwrap();
            let inside = insides(&searched[0].0).unwrap();
            let whole = Whole::new(&format!("\"{inside}\""));
            for text in texts {
                let value = Value::str(text);
                assert_eq!(
                    whole.matches(&value.to_string()),
                    ty.accepts(&value).is_ok(),
                    "{pattern} {value} {inside}"
                );
            }
            assert!(!whole.matches("\"\n\"") && !whole.matches("\"\\u{a}\"") && !whole.matches("\"\u{85}\""));
            assert!(pattern::strings(bounds, Lengths::ANY).is_ok());
        }
        for (pattern, why) in
            [(r"\ba", "word boundaries"), ("(?m)^a", "ends of lines"), ("(^a|b)c", "anchors")]
        {
            let ty = Type::parse(&format!("str(pattern={})", Value::str(pattern))).unwrap();
            let Type::Bounded(_, bounds) = &ty else { unreachable!() };
            let refused = insides(&pattern::searched(bounds).unwrap()[0].0).unwrap_err();
            assert!(refused.contains(why), "{pattern}: {refused}");
        }
    }
}
