//! Invented names, cut into those for training and those for testing.
//!
//! A name is two syllables, each a consonant of `bdfgklmnprstvz` and a vowel of `aeiou`: `kilo`, `bada`.
//! There are 70² = 4,900 of them. A name belongs to the test side if the hash of its letters
//! (FNV-1a with SplitMix64's finaliser) is divisible by four, otherwise to the training side; a task
//! draws every name, and every misspelling of one, from the side of its [`Split`] alone. So no test
//! name can ever stand in a training task, whatever the seeds. Words of this shape that the
//! worlds themselves use (`move`, `done`, …) are no names.

use std::hash::Hasher;
use std::sync::LazyLock;

use crate::dice::Dice;
use crate::hash::Fnv;
use crate::task::Split;

const CONSONANTS: &[u8] = b"bdfgklmnprstvz";
const VOWELS: &[u8] = b"aeiou";
/// Words of the worlds' own vocabulary that have the shape of a name.
const RESERVED: &[&[u8; 4]] = &[b"done", b"file", b"give", b"gone", b"move", b"name", b"rule", b"take"];

/// An invented name: four ASCII letters, consonant–vowel twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Name([u8; 4]);

impl Name {
    /// A place that no name has been drawn for yet.
    pub(crate) const NONE: Name = Name(*b"----");

    /// The name as text.
    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The name that `word` spells, if it has the length of one.
    pub(crate) fn parse(word: &str) -> Option<Name> {
        word.as_bytes().try_into().ok().map(Name)
    }

    /// In how many letters two names differ.
    pub(crate) fn distance(self, other: Name) -> usize {
        self.0.iter().zip(other.0).filter(|(a, b)| **a != *b).count()
    }

    /// The two syllables, as bits of a set.
    fn syllables(self) -> [u128; 2] {
        let place = |letters: &[u8], l: u8| letters.iter().position(|x| *x == l).unwrap_or(0);
        let bit = |c: u8, v: u8| 1u128 << (place(CONSONANTS, c) * VOWELS.len() + place(VOWELS, v));
        [bit(self.0[0], self.0[1]), bit(self.0[2], self.0[3])]
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The side of the cut on which `word` lies, or `None` if it is no invented name.
///
/// ```
/// use groundwork_worlds::name_split;
/// assert!(name_split("kilo").is_some());
/// assert_eq!(name_split("move"), None);
/// assert_eq!(name_split("folder"), None);
/// ```
pub fn name_split(word: &str) -> Option<Split> {
    let word: &[u8; 4] = word.as_bytes().try_into().ok()?;
    let shaped = CONSONANTS.contains(&word[0])
        && VOWELS.contains(&word[1])
        && CONSONANTS.contains(&word[2])
        && VOWELS.contains(&word[3]);
    (shaped && !RESERVED.contains(&word)).then(|| {
        let mut h = Fnv::default();
        h.write(word);
        if h.finish().is_multiple_of(4) { Split::Test } else { Split::Train }
    })
}

static POOLS: LazyLock<[Vec<Name>; 2]> = LazyLock::new(|| {
    let syllables: Vec<[u8; 2]> =
        CONSONANTS.iter().flat_map(|&c| VOWELS.iter().map(move |&v| [c, v])).collect();
    let all = syllables.iter().flat_map(|a| syllables.iter().map(|b| Name([a[0], a[1], b[0], b[1]])));
    let of = |split| all.clone().filter(|n| name_split(n.as_str()) == Some(split)).collect();
    [of(Split::Train), of(Split::Test)]
});

/// Draws names of one split, none of them twice.
pub(crate) struct Names {
    pool: &'static [Name],
    split: Split,
    used: Vec<Name>,
    /// The first and the second syllables used.
    syllables: [u128; 2],
}

impl Names {
    /// No name drawn so far.
    pub(crate) fn new(split: Split) -> Self {
        Names { pool: &POOLS[split as usize], split, used: Vec::with_capacity(16), syllables: [0; 2] }
    }

    /// The split that the names come from.
    pub(crate) fn split(&self) -> Split {
        self.split
    }

    /// A new name; one that shares a syllable (at the same place) with none so far, while there are such.
    pub(crate) fn draw(&mut self, dice: &mut Dice) -> Name {
        let mut tries = 0;
        loop {
            let name = self.pool[dice.below(self.pool.len())];
            tries += 1;
            let [first, second] = name.syllables();
            let shares = (self.syllables[0] & first) | (self.syllables[1] & second) != 0;
            // A name whose syllables are not both used cannot be used itself.
            let clash = shares && (tries < 8 || self.used.contains(&name));
            if !clash {
                self.used.push(name);
                self.syllables[0] |= first;
                self.syllables[1] |= second;
                return name;
            }
        }
    }

    /// Whether a letter of `name` can be wrong so that only `name` is near: whether, without it, the other three
    /// letters stand in no other name drawn.
    pub(crate) fn is_clear(&self, name: Name) -> bool {
        let twin = |at: usize, u: &Name| *u != name && (0..4).all(|i| i == at || u.0[i] == name.0[i]);
        (0..4).any(|at| !self.used.iter().any(|u| twin(at, u)))
    }

    /// `name` with one letter wrong, unlike every other name drawn in at least two letters (there is such a
    /// spelling if `name` [is clear](Names::is_clear)), so that the right name is the only near one. It is a name of
    /// the same split, or (where no such name is left, as in crowded worlds) has a letter that no name has.
    pub(crate) fn misspell(&mut self, name: Name, dice: &mut Dice) -> Name {
        let mut found: Vec<Name> = Vec::new();
        for (consonants, vowels, shaped) in
            [(CONSONANTS, VOWELS, true), (b"chjwx".as_slice(), b"y".as_slice(), false)]
        {
            for at in 0..4 {
                for &letter in if at % 2 == 0 { consonants } else { vowels } {
                    let mut wrong = name;
                    wrong.0[at] = letter;
                    let allowed = !shaped || name_split(wrong.as_str()) == Some(self.split);
                    let clear = || self.used.iter().all(|u| *u == name || u.distance(wrong) > 1);
                    if wrong != name && allowed && clear() {
                        found.push(wrong);
                    }
                }
            }
            if !found.is_empty() {
                return found[dice.below(found.len())];
            }
        }
        // `name` is not clear.
        Name([name.0[0], name.0[1], name.0[2], b'h'])
    }
}

/// The name among `names` that `wrong` most likely means: the one that differs in the fewest letters.
pub(crate) fn nearest(wrong: &str, names: impl IntoIterator<Item = Name>) -> Option<Name> {
    let wrong = Name::parse(wrong)?;
    names.into_iter().min_by_key(|n| (n.distance(wrong), *n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_is_for_testing() {
        let (train, test) = (POOLS[0].len(), POOLS[1].len());
        assert_eq!(train + test, 4900 - RESERVED.len());
        assert!((0.23..0.27).contains(&(test as f64 / 4900.0)), "{test}");
    }

    #[test]
    fn a_misspelling_stays_on_its_side_and_means_one_name() {
        for split in [Split::Train, Split::Test] {
            let mut dice = Dice::new("test", &[split as u64]);
            for _ in 0..200 {
                let mut names = Names::new(split);
                let all: Vec<Name> = (0..12).map(|_| names.draw(&mut dice)).collect();
                let wrong = names.misspell(all[5], &mut dice);
                assert_eq!(name_split(wrong.as_str()), Some(split));
                assert_eq!(nearest(wrong.as_str(), all.iter().copied()), Some(all[5]));
                // As crowded as the highest level of the file tree.
                let crowd: Vec<Name> = (0..365).map(|_| names.draw(&mut dice)).collect();
                let Some(target) = crowd.iter().find(|n| names.is_clear(**n)) else {
                    panic!("none is clear")
                };
                let wrong = names.misspell(*target, &mut dice);
                assert!(name_split(wrong.as_str()).is_none_or(|side| side == split));
                assert_eq!(nearest(wrong.as_str(), crowd.iter().copied()), Some(*target));
            }
        }
    }
}
