//! The entries of a library: a function of a seed, with what the question needs planted in it.

use std::fmt::Write;

use crate::dice::Dice;
use crate::hash::mix;
use crate::names::Name;

/// Lines in every entry.
pub(super) const LINES: u32 = 5;

/// Bytes of an entry as text, about.
const ENTRY_BYTES: u32 = 150;

/// The size of a collection by level, in thousands of tokens of four bytes: even steps from one thousand to one million.
const SIZE: [f64; 12] = [1.0, 1.874, 3.511, 6.579, 12.33, 23.1, 43.29, 81.11, 152.0, 284.8, 533.7, 1000.0];

/// How many entries a collection of this level has.
pub(super) fn entries(level: u32) -> u32 {
    let thousands = SIZE[(level.clamp(1, 12) - 1) as usize];
    (thousands * 4096.0) as u32 / ENTRY_BYTES
}

/// What a fact says of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Relation {
    Boss,
    Friend,
    Teacher,
    Heir,
    Home,
    Office,
    Mayor,
    Guard,
}

impl Relation {
    pub(super) const ALL: [Relation; 8] = [
        Relation::Boss,
        Relation::Friend,
        Relation::Teacher,
        Relation::Heir,
        Relation::Home,
        Relation::Office,
        Relation::Mayor,
        Relation::Guard,
    ];

    pub(super) fn word(self) -> &'static str {
        match self {
            Relation::Boss => "boss",
            Relation::Friend => "friend",
            Relation::Teacher => "teacher",
            Relation::Heir => "heir",
            Relation::Home => "home",
            Relation::Office => "office",
            Relation::Mayor => "mayor",
            Relation::Guard => "guard",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Relation> {
        Self::ALL.into_iter().find(|r| r.word() == word)
    }

    /// Whether it is said of places; the others are said of people.
    pub(super) fn of_place(self) -> bool {
        matches!(self, Relation::Mayor | Relation::Guard)
    }

    /// Whether its value is a place; otherwise it is a person.
    pub(super) fn is_place(self) -> bool {
        matches!(self, Relation::Home | Relation::Office)
    }
}

/// One line of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// `home of kilo is tola`
    Fact { relation: Relation, of: Name, is: Name },
    /// `bada writes to kilo: lupa`
    Letter { from: Name, to: Name, word: Name },
}

impl Line {
    pub(super) fn write(self, out: &mut String) {
        match self {
            Line::Fact { relation, of, is } => {
                out.push_str(relation.word());
                out.push_str(" of ");
                out.push_str(of.as_str());
                out.push_str(" is ");
                out.push_str(is.as_str());
            }
            Line::Letter { from, to, word } => {
                out.push_str(from.as_str());
                out.push_str(" writes to ");
                out.push_str(to.as_str());
                out.push_str(": ");
                out.push_str(word.as_str());
            }
        }
    }

    pub(super) fn text(self) -> String {
        let mut out = String::with_capacity(32);
        self.write(&mut out);
        out
    }

    /// The line that `text` is.
    pub(super) fn parse(text: &str) -> Option<Line> {
        let words: Vec<&str> = text.split(' ').collect();
        match words[..] {
            [relation, "of", of, "is", is] => Some(Line::Fact {
                relation: Relation::from_word(relation)?,
                of: Name::parse(of)?,
                is: Name::parse(is)?,
            }),
            [from, "writes", "to", to, word] => Some(Line::Letter {
                from: Name::parse(from)?,
                to: Name::parse(to.strip_suffix(':')?)?,
                word: Name::parse(word)?,
            }),
            _ => None,
        }
    }

    /// The names in it.
    pub(super) fn names(self) -> [Option<Name>; 3] {
        match self {
            Line::Fact { of, is, .. } => [Some(of), Some(is), None],
            Line::Letter { from, to, word } => [Some(from), Some(to), Some(word)],
        }
    }
}

/// What a search looks for in a line.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phrase<'a> {
    /// `kilo`
    Word(Name),
    /// `home of kilo`
    Of(Relation, Name),
    /// `is tola`
    Is(Name),
    /// `bada writes to kilo`
    Letters(Name, Name),
    /// Anything else: whole words that stand in a line.
    Text(&'a str),
}

impl<'a> Phrase<'a> {
    pub(super) fn parse(text: &'a str) -> Phrase<'a> {
        let words: Vec<&str> = text.split(' ').collect();
        let parsed = match words[..] {
            [word] => Name::parse(word).filter(|_| name_like(word)).map(Phrase::Word),
            [relation, "of", of] => Relation::from_word(relation)
                .zip(Name::parse(of).filter(|_| name_like(of)))
                .map(|(r, n)| Phrase::Of(r, n)),
            ["is", is] => Name::parse(is).filter(|_| name_like(is)).map(Phrase::Is),
            [from, "writes", "to", to] if name_like(from) && name_like(to) => {
                Name::parse(from).zip(Name::parse(to)).map(|(from, to)| Phrase::Letters(from, to))
            }
            _ => None,
        };
        parsed.unwrap_or(Phrase::Text(text))
    }

    fn matches(&self, line: Line, text: &mut String) -> bool {
        match (self, line) {
            (Phrase::Word(name), line) => line.names().contains(&Some(*name)),
            (Phrase::Of(r, name), Line::Fact { relation, of, .. }) => relation == *r && of == *name,
            (Phrase::Is(name), Line::Fact { is, .. }) => is == *name,
            (Phrase::Letters(a, b), Line::Letter { from, to, .. }) => from == *a && to == *b,
            (Phrase::Text(phrase), line) => {
                text.clear();
                line.write(text);
                contains_words(text, phrase)
            }
            _ => false,
        }
    }

    /// The names it asks for.
    fn names(&self) -> [Option<Name>; 2] {
        match *self {
            Phrase::Word(a) | Phrase::Of(_, a) | Phrase::Is(a) => [Some(a), None],
            Phrase::Letters(a, b) => [Some(a), Some(b)],
            Phrase::Text(_) => [None, None],
        }
    }
}

/// Whether a word may be an entity's name: relation words of four letters are none.
fn name_like(word: &str) -> bool {
    Relation::from_word(word).is_none() && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// Whether `phrase` stands in `text`, bounded by spaces, a colon, or the ends.
fn contains_words(text: &str, phrase: &str) -> bool {
    let bound = |c: Option<&u8>| c.is_none_or(|c| matches!(c, b' ' | b':'));
    !phrase.trim().is_empty()
        && text.match_indices(phrase).any(|(i, _)| {
            let bytes = text.as_bytes();
            bound(i.checked_sub(1).and_then(|i| bytes.get(i))) && bound(bytes.get(i + phrase.len()))
        })
}

/// A collection of entries, sorted by day. All but what is planted follows from the seed, line by line, so that its
/// size costs no memory.
#[derive(Debug)]
pub(super) struct Collection {
    seed: u64,
    pub(super) entries: u32,
    /// Who and what the lines that are not planted are about, and who writes the entries.
    people: Vec<Name>,
    places: Vec<Name>,
    /// Sorted by entry (from 1); one line of an entry at most.
    planted: Vec<(u32, u32, Line)>,
    /// Every name in planted lines, sorted.
    special: Vec<Name>,
}

impl Collection {
    /// Plants `lines` in their order into a collection of `entries` entries, at random places.
    pub(super) fn new(
        entries: u32,
        people: Vec<Name>,
        places: Vec<Name>,
        lines: &[Line],
        dice: &mut Dice,
    ) -> (Collection, Vec<u32>) {
        let seed = dice.below(usize::MAX) as u64;
        let mut at: Vec<u32> = Vec::with_capacity(lines.len());
        // Floyd's choice of a subset.
        let (n, k) = (entries, (lines.len() as u32).min(entries));
        for j in n - k..n {
            let pick = 1 + dice.below(j as usize + 1) as u32;
            at.push(if at.contains(&pick) { j + 1 } else { pick });
        }
        at.sort_unstable();
        let planted: Vec<(u32, u32, Line)> =
            at.iter().zip(lines).map(|(e, l)| (*e, dice.below(LINES as usize) as u32, *l)).collect();
        let mut special: Vec<Name> = lines
            .iter()
            .flat_map(|l| l.names())
            .flatten()
            .filter(|n| !people.contains(n) && !places.contains(n))
            .collect();
        special.sort_unstable();
        special.dedup();
        (Collection { seed, entries, people, places, planted, special }, at)
    }

    /// What all of it follows from.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// The day of an entry: later entries have later days.
    pub(super) fn day(&self, entry: u32) -> i64 {
        2 * i64::from(entry) + (mix(self.seed ^ u64::from(entry) << 20) & 1) as i64
    }

    /// Who wrote an entry.
    pub(super) fn author(&self, entry: u32) -> Name {
        let h = mix(self.seed.rotate_left(17) ^ u64::from(entry));
        self.people[h as usize % self.people.len()]
    }

    fn line(&self, entry: u32, line: u32, planted: Option<(u32, Line)>) -> Line {
        match planted {
            Some((at, planted)) if at == line => planted,
            _ => self.filler(entry, line),
        }
    }

    fn planted(&self, entry: u32) -> Option<(u32, Line)> {
        let i = self.planted.binary_search_by_key(&entry, |p| p.0).ok()?;
        Some((self.planted[i].1, self.planted[i].2))
    }

    fn filler(&self, entry: u32, line: u32) -> Line {
        let h = mix(self.seed ^ u64::from(entry) << 3 ^ u64::from(line));
        let pick = |names: &[Name], shift: u32| names[(h >> shift) as usize % 0x1_0000 % names.len()];
        let (a, b, c) = (pick(&self.people, 4), pick(&self.people, 20), pick(&self.people, 36));
        let kind = (h >> 56) as usize % 10;
        match Relation::ALL.get(kind) {
            None => Line::Letter { from: a, to: b, word: c },
            Some(&relation) => Line::Fact {
                relation,
                of: if relation.of_place() { pick(&self.places, 4) } else { a },
                is: if relation.is_place() { pick(&self.places, 20) } else { b },
            },
        }
    }

    /// The lines of an entry, if there is one of this number.
    pub(super) fn read(&self, entry: i64) -> Option<Vec<Line>> {
        let entry = u32::try_from(entry).ok().filter(|e| (1..=self.entries).contains(e))?;
        let planted = self.planted(entry);
        Some((0..LINES).map(|l| self.line(entry, l, planted)).collect())
    }

    /// The first line of an entry.
    pub(super) fn heading(&self, entry: u32) -> String {
        format!("day {}, by {}", self.day(entry), self.author(entry))
    }

    /// The entries that have a line with `phrase`, in order.
    pub(super) fn search(&self, phrase: &Phrase<'_>) -> Vec<u32> {
        let mut text = String::new();
        let special = |n: &Name| self.special.binary_search(n).is_ok();
        // What is asked about is in no line but planted ones.
        if phrase.names().iter().flatten().any(special) {
            return self.planted.iter().filter(|p| phrase.matches(p.2, &mut text)).map(|p| p.0).collect();
        }
        (1..=self.entries)
            .filter(|&e| {
                let planted = self.planted(e);
                (0..LINES).any(|l| phrase.matches(self.line(e, l, planted), &mut text))
            })
            .collect()
    }

    /// All of it as text.
    pub(super) fn text(&self) -> String {
        let mut out = String::with_capacity((self.entries * ENTRY_BYTES) as usize);
        let mut planted = self.planted.iter().peekable();
        for entry in 1..=self.entries {
            if entry > 1 {
                out.push('\n');
            }
            // Writing into a String cannot fail.
            let _ = write!(out, "entry {entry}, day {}, by ", self.day(entry));
            out.push_str(self.author(entry).as_str());
            let here = planted.next_if(|p| p.0 == entry).map(|p| (p.1, p.2));
            for line in 0..LINES {
                out.push('\n');
                self.line(entry, line, here).write(&mut out);
            }
        }
        out
    }

    /// Every name that a search can ask for, sorted.
    pub(super) fn names(&self) -> Vec<Name> {
        let mut all: Vec<Name> =
            self.people.iter().chain(&self.places).chain(&self.special).copied().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names::Names;
    use crate::task::Split;

    #[test]
    fn searching_for_a_planted_name_finds_what_reading_everything_finds() {
        let mut dice = Dice::new("test", &[1]);
        let mut names = Names::new(Split::Train);
        let people: Vec<Name> = (0..9).map(|_| names.draw(&mut dice)).collect();
        let places: Vec<Name> = (0..4).map(|_| names.draw(&mut dice)).collect();
        let (a, b, c) = (names.draw(&mut dice), names.draw(&mut dice), names.draw(&mut dice));
        let lines = [
            Line::Fact { relation: Relation::Boss, of: a, is: b },
            Line::Letter { from: a, to: b, word: c },
            Line::Fact { relation: Relation::Boss, of: people[0], is: a },
            Line::Fact { relation: Relation::Home, of: a, is: places[0] },
        ];
        let (all, at) = Collection::new(60, people.clone(), places, &lines, &mut dice);
        let by_reading = |phrase: &str| -> Vec<u32> {
            let has = |e: &u32| {
                let lines = all.read(i64::from(*e)).expect("an entry");
                lines.iter().any(|l| contains_words(&l.text(), phrase))
            };
            (1..=60).filter(has).collect()
        };
        let phrases = [
            a.to_string(),
            format!("boss of {a}"),
            format!("is {a}"),
            format!("{a} writes to {b}"),
            people[0].to_string(),
            format!("home of {}", people[1]),
            format!("writes to {b}"),
            "heir".to_owned(),
            "of".to_owned(),
        ];
        for phrase in &phrases {
            assert_eq!(all.search(&Phrase::parse(phrase)), by_reading(phrase), "{phrase}");
        }
        assert_eq!(at.len(), 4);
        assert!(at.windows(2).all(|w| w[0] < w[1]));
        for (line, entry) in lines.iter().zip(&at) {
            assert!(all.read(i64::from(*entry)).expect("an entry").contains(line));
            assert_eq!(Line::parse(&line.text()), Some(*line));
            assert!(all.text().contains(&line.text()));
        }
        assert!((1..60).all(|e| all.day(e) < all.day(e + 1)));
        assert_eq!(all.read(0), None);
        assert_eq!(all.read(61), None);
    }

    #[test]
    fn sizes_go_from_a_thousand_to_a_million_tokens() {
        let mut dice = Dice::new("test", &[2]);
        let mut names = Names::new(Split::Train);
        let people: Vec<Name> = (0..9).map(|_| names.draw(&mut dice)).collect();
        for (level, tokens) in [(1, 1_000), (12, 1_000_000)] {
            let (all, _) = Collection::new(entries(level), people.clone(), people.clone(), &[], &mut dice);
            let found = all.text().len() / 4;
            assert!(found * 10 > tokens * 9 && found * 10 < tokens * 11, "{found}");
        }
    }
}
