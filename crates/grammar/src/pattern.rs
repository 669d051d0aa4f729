//! What is asked of strings, as automata over their UTF-8: patterns, formats, lengths.
//!
//! A pattern means what `regex-lite` takes it for, which checks values: it matches somewhere in the string, `\d`, `\w`,
//! `\s` and `\b` are of ASCII, and so is the case that `(?i)` passes over.

use groundwork_trace::Bounds;
use regex_automata::dfa::{Automaton as _, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::start;
use regex_automata::{Anchored, MatchKind};
use regex_syntax::ast::{
    AssertionKind, Ast, ClassAsciiKind, ClassBracketed, ClassPerlKind, ClassSet, ClassSetItem, Flag, Flags,
    FlagsItemKind, GroupKind, RepetitionKind, RepetitionRange, parse::Parser,
};
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, Look, Repetition};

use crate::automaton::{Automaton, MOST_STATES, TooLarge};
use crate::lengths::Lengths;

/// The memory that the automaton of a pattern may take.
const MOST_BYTES: usize = 1 << 24;

/// The strings that keep `bounds`, of which `lengths` are the lengths; nothing where there are none.
///
/// # Errors
/// Says why there is no automaton.
pub(crate) fn strings(bounds: &Bounds, lengths: Lengths) -> Result<Option<Automaton>, String> {
    let searched = searched(bounds)?.into_iter().map(|(hir, what)| dense(&hir, &what));
    let dfas = searched.collect::<Result<Vec<_>, String>>()?;
    let counts = lengths != Lengths::ANY;
    let start = start::Config::new().anchored(Anchored::Yes);
    let begin = |dfa: &Dense| dfa.start_state(&start).map_err(|e| format!("its automaton cannot begin: {e}"));
    let begin: (Vec<StateID>, u32) = (dfas.iter().map(begin).collect::<Result<_, String>>()?, 0);
    let built = Automaton::build(
        begin,
        |byte| {
            let classes = dfas.iter().map(|dfa| u32::from(dfa.byte_classes().get(byte)));
            classes.fold(u32::from(begins_character(byte)), |all, class| all << 9 | class)
        },
        |(at, count), byte| {
            let ends = counts && begins_character(byte);
            if ends && !lengths.allow_more(*count) {
                return None;
            }
            let to: Vec<StateID> = dfas.iter().zip(at).map(|(dfa, at)| dfa.next_state(*at, byte)).collect();
            let dead = dfas.iter().zip(&to).any(|(dfa, to)| dfa.is_dead_state(*to) || dfa.is_quit_state(*to));
            (!dead).then_some((to, if ends { lengths.next(*count) } else { *count }))
        },
        |(at, count)| {
            let matches = |(dfa, at): (&Dense, &StateID)| dfa.is_match_state(dfa.next_eoi_state(*at));
            lengths.allow_end(*count) && dfas.iter().zip(at).all(matches)
        },
    );
    built.map_err(|TooLarge| {
        format!(
            "its text takes more than {MOST_STATES} states; ask for a simpler `pattern`, or for a smaller `max` beside it"
        )
    })
}

/// What must match somewhere in a string, and what that is.
pub(crate) fn searched(bounds: &Bounds) -> Result<Vec<(Hir, String)>, String> {
    let mut searched = Vec::new();
    if let Some(pattern) = bounds.checked_pattern() {
        searched.push((read(pattern)?, format!("its pattern `{pattern}`")));
    }
    if let Some(format) = bounds.checked_format() {
        let pattern =
            format_pattern(format).ok_or_else(|| format!("the format `{format}` has no grammar yet"))?;
        searched.push((read(&pattern)?, format!("the format `{format}`")));
    }
    Ok(searched)
}

type Dense = dense::DFA<Vec<u32>>;

/// Whether a byte of UTF-8 is the first of a character.
fn begins_character(byte: u8) -> bool {
    byte & 0xc0 != 0x80
}

/// The automaton of the strings in which `hir` matches somewhere.
fn dense(hir: &Hir, what: &str) -> Result<Dense, String> {
    let anything = || {
        let sub = Box::new(class(vec![('\0', char::MAX)]));
        Hir::repetition(Repetition { min: 0, max: None, greedy: true, sub })
    };
    let whole = Hir::concat(vec![anything(), hir.clone(), anything()]);
    let too_large = || format!("{what} takes too many states; ask for a simpler one");
    let config = thompson::Config::new()
        .nfa_size_limit(Some(MOST_BYTES))
        .which_captures(thompson::WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config).build_from_hir(&whole).map_err(|_| too_large())?;
    let config = dense::Config::new()
        .match_kind(MatchKind::All)
        .start_kind(regex_automata::dfa::StartKind::Anchored)
        .accelerate(false)
        .dfa_size_limit(Some(MOST_BYTES))
        .determinize_size_limit(Some(MOST_BYTES));
    dense::Builder::new().configure(config).build_from_nfa(&nfa).map_err(|_| too_large())
}

/// A pattern that the texts of a checked format match, and no others.
fn format_pattern(format: &str) -> Option<String> {
    let date = {
        let long = r"(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])";
        let short = r"(?:0[469]|11)-(?:0[1-9]|[12]\d|30)";
        let february = r"02-(?:0[1-9]|1\d|2[0-8])";
        let leap = r"(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29";
        format!("(?:{leap}|\\d{{4}}-(?:{long}|{short}|{february}))")
    };
    let minutes = r"(?:[01]\d|2[0-3]):[0-5]\d";
    let time = format!(r"{minutes}:(?:[0-5]\d|60)(?:\.\d+)?(?:[Zz]|[+-]{minutes})");
    let byte = r"(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])";
    let ipv4 = format!(r"{byte}(?:\.{byte}){{3}}");
    let pattern = match format {
        "date" => date,
        "time" => time,
        "date-time" => format!("{date}[Tt ]{time}"),
        "uuid" => r"[[:xdigit:]]{8}(?:-[[:xdigit:]]{4}){3}-[[:xdigit:]]{12}".to_owned(),
        "ipv4" => ipv4,
        "ipv6" => ipv6(&ipv4),
        _ => return None,
    };
    Some(format!("^(?:{pattern})$"))
}

/// Eight groups, the last two perhaps as an IPv4 address, or fewer on both sides of `::`, which stands for one at least.
fn ipv6(ipv4: &str) -> String {
    let group = "[[:xdigit:]]{1,4}";
    let exactly = |n: usize| vec![group; n].join(":");
    // At most that many behind the `::`.
    let behind = |most: usize| {
        let groups = (0..=most).map(exactly);
        let mixed = (2..=most).map(|n| [exactly(n - 2), ipv4.to_owned()].join(if n > 2 { ":" } else { "" }));
        groups.chain(mixed).collect::<Vec<_>>().join("|")
    };
    let full = [exactly(8), format!("{}:{ipv4}", exactly(6))];
    let short = (0..=7).map(|n| format!("{}::(?:{})", exactly(n), behind(7 - n)));
    full.into_iter().chain(short).collect::<Vec<_>>().join("|")
}

/// A pattern as `regex-lite` reads it.
fn read(pattern: &str) -> Result<Hir, String> {
    let ast = Parser::new().parse(pattern);
    let ast = ast.map_err(|e| format!("its pattern `{pattern}` has no automaton: {}", e.kind()))?;
    Reader::default().ast(&ast).map_err(|what| format!("its pattern `{pattern}` has no automaton: {what}"))
}

/// The flags that hold at a place of a pattern.
#[derive(Clone, Copy, Default)]
struct Reader {
    any_case: bool,
    many_lines: bool,
    dot_is_any: bool,
    crlf: bool,
}

impl Reader {
    fn flags(&mut self, flags: &Flags) {
        let mut on = true;
        for item in &flags.items {
            match item.kind {
                FlagsItemKind::Negation => on = false,
                FlagsItemKind::Flag(Flag::CaseInsensitive) => self.any_case = on,
                FlagsItemKind::Flag(Flag::MultiLine) => self.many_lines = on,
                FlagsItemKind::Flag(Flag::DotMatchesNewLine) => self.dot_is_any = on,
                FlagsItemKind::Flag(Flag::CRLF) => self.crlf = on,
                // Which of several matches is found makes no difference, and of spaces the parser takes care.
                FlagsItemKind::Flag(Flag::SwapGreed | Flag::IgnoreWhitespace | Flag::Unicode) => {}
            }
        }
    }

    /// What an item of a pattern matches; flags that it sets hold for what follows it in its group.
    fn ast(&mut self, ast: &Ast) -> Result<Hir, String> {
        Ok(match ast {
            Ast::Empty(_) => Hir::empty(),
            Ast::Flags(set) => {
                self.flags(&set.flags);
                Hir::empty()
            }
            Ast::Literal(literal) => self.folded(vec![(literal.c, literal.c)]),
            Ast::Dot(_) => {
                let excluded = match (self.dot_is_any, self.crlf) {
                    (true, _) => vec![],
                    (false, true) => vec![('\n', '\n'), ('\r', '\r')],
                    (false, false) => vec![('\n', '\n')],
                };
                class(without(excluded))
            }
            Ast::Assertion(assertion) => Hir::look(self.look(&assertion.kind)),
            Ast::ClassPerl(perl) => class(self::perl(&perl.kind, perl.negated)),
            Ast::ClassBracketed(bracketed) => self.bracketed(bracketed)?,
            Ast::ClassUnicode(_) => return Err("Unicode classes are not known".to_owned()),
            Ast::Repetition(repetition) => {
                let (min, max) = match &repetition.op.kind {
                    RepetitionKind::ZeroOrOne => (0, Some(1)),
                    RepetitionKind::ZeroOrMore => (0, None),
                    RepetitionKind::OneOrMore => (1, None),
                    RepetitionKind::Range(RepetitionRange::Exactly(n)) => (*n, Some(*n)),
                    RepetitionKind::Range(RepetitionRange::AtLeast(n)) => (*n, None),
                    RepetitionKind::Range(RepetitionRange::Bounded(min, max)) => (*min, Some(*max)),
                };
                let sub = Box::new(self.ast(&repetition.ast)?);
                Hir::repetition(Repetition { min, max, greedy: true, sub })
            }
            Ast::Group(group) => {
                let mut inner = *self;
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    inner.flags(flags);
                }
                inner.ast(&group.ast)?
            }
            Ast::Alternation(all) => Hir::alternation(self.all(&all.asts)?),
            Ast::Concat(all) => Hir::concat(self.all(&all.asts)?),
        })
    }

    fn all(&mut self, asts: &[Ast]) -> Result<Vec<Hir>, String> {
        asts.iter().map(|ast| self.ast(ast)).collect()
    }

    fn look(&self, kind: &AssertionKind) -> Look {
        match kind {
            AssertionKind::StartLine if self.many_lines && self.crlf => Look::StartCRLF,
            AssertionKind::StartLine if self.many_lines => Look::StartLF,
            AssertionKind::StartLine | AssertionKind::StartText => Look::Start,
            AssertionKind::EndLine if self.many_lines && self.crlf => Look::EndCRLF,
            AssertionKind::EndLine if self.many_lines => Look::EndLF,
            AssertionKind::EndLine | AssertionKind::EndText => Look::End,
            AssertionKind::WordBoundary => Look::WordAscii,
            AssertionKind::NotWordBoundary => Look::WordAsciiNegate,
            AssertionKind::WordBoundaryStart | AssertionKind::WordBoundaryStartAngle => Look::WordStartAscii,
            AssertionKind::WordBoundaryEnd | AssertionKind::WordBoundaryEndAngle => Look::WordEndAscii,
            AssertionKind::WordBoundaryStartHalf => Look::WordStartHalfAscii,
            AssertionKind::WordBoundaryEndHalf => Look::WordEndHalfAscii,
        }
    }

    fn bracketed(&self, bracketed: &ClassBracketed) -> Result<Hir, String> {
        let ClassSet::Item(item) = &bracketed.kind else {
            return Err("operations on classes are not known".to_owned());
        };
        let mut ranges = Vec::new();
        items(item, &mut ranges)?;
        let folded = self.fold(ranges);
        Ok(class(if bracketed.negated { without(folded) } else { folded }))
    }

    fn folded(&self, ranges: Vec<(char, char)>) -> Hir {
        class(self.fold(ranges))
    }

    /// With the ASCII letters of the other case, where it makes no difference. Of a range with letters of both cases,
    /// `regex-lite` adds those of the small ones alone.
    fn fold(&self, ranges: Vec<(char, char)>) -> Vec<(char, char)> {
        let mut folded = ranges;
        if self.any_case {
            for range in ranges_of(&folded).iter() {
                let letters = |from: char, to: char| range.start().max(from)..=range.end().min(to);
                let small = letters('a', 'z');
                let letters = if small.is_empty() { letters('A', 'Z') } else { small };
                folded.extend(letters.map(|c| char::from(c as u8 ^ 0x20)).map(|c| (c, c)));
            }
        }
        folded
    }
}

/// The ranges of an item between brackets.
fn items(item: &ClassSetItem, ranges: &mut Vec<(char, char)>) -> Result<(), String> {
    match item {
        ClassSetItem::Empty(_) => {}
        ClassSetItem::Literal(literal) => ranges.push((literal.c, literal.c)),
        ClassSetItem::Range(range) => ranges.push((range.start.c, range.end.c)),
        ClassSetItem::Ascii(ascii) => {
            let named = named(&ascii.kind);
            ranges.extend(if ascii.negated { without(named) } else { named });
        }
        ClassSetItem::Perl(perl) => ranges.extend(self::perl(&perl.kind, perl.negated)),
        ClassSetItem::Union(union) => union.items.iter().try_for_each(|item| items(item, ranges))?,
        ClassSetItem::Unicode(_) => return Err("Unicode classes are not known".to_owned()),
        ClassSetItem::Bracketed(_) => return Err("classes inside classes are not known".to_owned()),
    }
    Ok(())
}

fn perl(kind: &ClassPerlKind, negated: bool) -> Vec<(char, char)> {
    let ranges = named(match kind {
        ClassPerlKind::Digit => &ClassAsciiKind::Digit,
        ClassPerlKind::Space => &ClassAsciiKind::Space,
        ClassPerlKind::Word => &ClassAsciiKind::Word,
    });
    if negated { without(ranges) } else { ranges }
}

fn named(kind: &ClassAsciiKind) -> Vec<(char, char)> {
    let ranges: &[(char, char)] = match kind {
        ClassAsciiKind::Alnum => &[('0', '9'), ('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Alpha => &[('A', 'Z'), ('a', 'z')],
        ClassAsciiKind::Ascii => &[('\0', '\x7f')],
        ClassAsciiKind::Blank => &[('\t', '\t'), (' ', ' ')],
        ClassAsciiKind::Cntrl => &[('\0', '\x1f'), ('\x7f', '\x7f')],
        ClassAsciiKind::Digit => &[('0', '9')],
        ClassAsciiKind::Graph => &[('!', '~')],
        ClassAsciiKind::Lower => &[('a', 'z')],
        ClassAsciiKind::Print => &[(' ', '~')],
        ClassAsciiKind::Punct => &[('!', '/'), (':', '@'), ('[', '`'), ('{', '~')],
        ClassAsciiKind::Space => &[('\t', '\r'), (' ', ' ')],
        ClassAsciiKind::Upper => &[('A', 'Z')],
        ClassAsciiKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        ClassAsciiKind::Xdigit => &[('0', '9'), ('A', 'F'), ('a', 'f')],
    };
    ranges.to_vec()
}

fn ranges_of(ranges: &[(char, char)]) -> ClassUnicode {
    ClassUnicode::new(ranges.iter().map(|(from, to)| ClassUnicodeRange::new(*from, *to)))
}

/// All other characters.
fn without(ranges: Vec<(char, char)>) -> Vec<(char, char)> {
    let mut class = ranges_of(&ranges);
    class.negate();
    class.iter().map(|range| (range.start(), range.end())).collect()
}

fn class(ranges: Vec<(char, char)>) -> Hir {
    Hir::class(Class::Unicode(ranges_of(&ranges)))
}

#[cfg(test)]
mod tests {
    use groundwork_trace::{Type, Value};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn automaton(ty: &Type) -> Result<Option<Automaton>, String> {
        let Type::Bounded(_, bounds) = ty else { panic!("{ty}") };
        strings(bounds, Lengths::of(bounds).expect("lengths"))
    }

    fn of_pattern(pattern: &str) -> Type {
        Type::parse(&format!("str(pattern={})", Value::str(pattern))).unwrap()
    }

    /// Compares the automaton with what checks values.
    fn agrees(ty: &Type, automaton: &Option<Automaton>, text: &str) {
        let found = automaton.as_ref().is_some_and(|a| a.accepts(text));
        assert_eq!(found, ty.accepts(&Value::str(text)).is_ok(), "{ty} {text:?}");
    }

    #[test]
    fn formats_are_what_is_checked() {
        let good: [(&str, &[&str]); 6] = [
            ("date", &["2024-02-29", "2023-02-28", "2000-02-29", "1900-02-28", "2026-11-30", "0000-02-29"]),
            ("time", &["08:27:05.25Z", "23:59:60+23:59", "00:00:00z", "12:34:56-00:00"]),
            ("date-time", &["2026-11-30T08:27:05Z", "2024-02-29 23:59:60.5+01:00", "1999-12-31t00:00:00z"]),
            ("uuid", &["123e4567-e89b-12d3-a456-426614174000", "ABCDEF01-2345-6789-abcd-ef0123456789"]),
            ("ipv4", &["127.0.0.1", "255.255.255.255", "192.168.10.99", "0.0.0.0"]),
            (
                "ipv6",
                &[
                    "::",
                    "::1",
                    "1::",
                    "1:2:3:4:5:6:7:8",
                    "1:2:3:4:5:6:7::",
                    "::2:3:4:5:6:7:8",
                    "fe80::1:0",
                    "0:0::0:0",
                    "::ffff:1.2.3.4",
                    "1:2:3:4:5:6:1.2.3.4",
                    "1::2:1.2.3.4",
                    "::1.2.3.4",
                    "1:2:3:4:5::1.2.3.4",
                    "ABCD:00ef::",
                    "1::3:4:5:6:7:8",
                    "1:2:3:4:5:6::8",
                ],
            ),
        ];
        let pieces = [
            "", "0", "1", "2", "3", "9", "29", "30", "31", ":", "::", "-", ".", "T", "Z", "+", "a", "g", " ",
            "00",
        ];
        for (format, texts) in good {
            let ty = Type::parse(&format!("str(format={format:?})")).unwrap();
            let found = automaton(&ty).unwrap();
            for text in texts {
                assert!(ty.accepts(&Value::str(*text)).is_ok(), "{format} {text}");
                // Every text with up to three characters of it changed to something else, and two such changes.
                for from in 0..=text.len() {
                    for to in from..=text.len().min(from + 3) {
                        for piece in pieces {
                            let changed = format!("{}{piece}{}", &text[..from], &text[to..]);
                            agrees(&ty, &found, &changed);
                            let at = (from * 7 + to) % (changed.len() + 1);
                            for piece in [":", "0", "1.2.3.4", ""] {
                                agrees(&ty, &found, &format!("{}{piece}{}", &changed[..at], &changed[at..]));
                            }
                        }
                    }
                }
            }
        }
        let date = Type::parse("str(format=\"date\")").unwrap();
        let found = automaton(&date).unwrap();
        for year in 0..=9999 {
            for day in ["02-28", "02-29", "02-30", "04-31", "12-31"] {
                agrees(&date, &found, &format!("{year:04}-{day}"));
            }
        }
    }

    #[test]
    fn patterns_mean_what_is_checked() {
        let texts = [
            "", "a", "A", "ab", "abc", "b", "1", "12", " ", "a b", "a\nb", "\n", "a\r\nb", "é", "É", "aé",
            "é1", "ſ", "K", "k", "K", "_", "-", "foo", "FOO", "foo bar", "x-y", "Z", "[", "٣", "\u{85}",
            "\u{a0}", "a\u{0}", "𝄞", "\"", "\\",
        ];
        for pattern in [
            "",
            "^$",
            "^a",
            "a$",
            "^a$",
            "a|b",
            "^(?:a|b)c?$",
            r"\d",
            r"^\d+$",
            r"\w",
            r"^\W$",
            r"\s",
            r"^\S+$",
            r"\bfoo\b",
            r"\B",
            r"^\B.",
            r"a\b",
            r"^a\B",
            ".",
            "^.$",
            "(?s)^.$",
            "(?s).",
            "(?m)^b$",
            "(?mR)^b$",
            "(?R)^.+$",
            "(?i)^foo$",
            "(?i)k",
            "(?i)é",
            "(?i:f)oo",
            "a(?i)b|C",
            "(a(?i)b)C",
            "[^a]",
            "^[^a]*$",
            r"[\w-]",
            r"^[\W_]$",
            r"[^\d\s]",
            "[[:alpha:]]",
            "[[:^alpha:]]",
            "(?i)[[:lower:]]",
            "(?i)[X-c]",
            "(?i)[^a-c]",
            r"\x41",
            r"\u{e9}",
            r"\.",
            "a{2,3}",
            "^(?:ab?){2}$",
            "(?x) a # b",
            r"\b{start}a",
            r"a\b{end}",
            r"\b{start-half}b",
            r"\b{end-half}",
            "(?U)a+",
            "a*?",
            "(?P<n>a)",
            "a^",
            "$a",
            "^^a$$",
            "()",
        ] {
            let ty = of_pattern(pattern);
            let found = automaton(&ty).unwrap_or_else(|why| panic!("{why}"));
            for text in texts {
                agrees(&ty, &found, text);
            }
        }
    }

    #[test]
    fn lengths_count_with_patterns() {
        let ty = Type::parse(r#"str(min=2, max=3, pattern="^(?:é|ab)*$")"#).unwrap();
        let found = automaton(&ty).unwrap();
        for text in ["", "é", "éé", "ab", "éab", "abé", "ééé", "abab", "éééé", "a"] {
            agrees(&ty, &found, text);
        }
        for (nothing, yes) in [
            (r#"str(max=1, pattern="^ab")"#, true),
            (r#"str(min=3, pattern="^.$")"#, true),
            (r#"str(pattern="a^")"#, true),
            (r#"str(pattern="^[0-9]+$", format="date")"#, true),
            (r#"str(pattern="^20", format="date")"#, false),
        ] {
            assert_eq!(automaton(&Type::parse(nothing).unwrap()).unwrap().is_none(), yes, "{nothing}");
        }
    }

    #[test]
    fn what_takes_too_much_is_refused_by_name() {
        for (written, why) in [
            (r#"str(pattern="(a|b)*a(a|b){20}c")"#, "`(a|b)*a(a|b){20}c` takes too many states"),
            (r#"str(max=100000, pattern="a")"#, "more than 65536 states"),
        ] {
            let refused = automaton(&Type::parse(written).unwrap()).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn random_patterns_mean_what_is_checked(
            parts in prop::collection::vec(
                select(vec![
                    "a", "b", "é", ".", "^", "$", "|", "(", ")", "(?:", "(?i)", "(?m)", "(?s)", "*", "+", "?", "{2}", "{0,1}", "[ab]", "[^a]",
                    r"\b", r"\B", r"\w", r"\W", r"\d", r"\s", "[", "]", "-", "\n", "[B-b]", "(?-i)", "&&", "(?x) ", "#",
                ]),
                0..10,
            ),
            texts in prop::collection::vec("[abABé1 \n\r_-]{0,5}", 20),
        ) {
            let pattern = parts.concat();
            let ty = of_pattern(&pattern);
            let Type::Bounded(_, bounds) = &ty else { unreachable!() };
            if bounds.checked_pattern().is_some() {
                // `regex-lite` lets flags be repeated, which says nothing; that is refused.
                let found = match automaton(&ty) {
                    Ok(found) => found,
                    Err(why) => {
                        prop_assert!(why.contains("repetition operator missing expression"), "{why}");
                        return Ok(());
                    }
                };
                for text in &texts {
                    agrees(&ty, &found, text);
                }
                agrees(&ty, &found, &pattern);
            }
        }
    }
}
