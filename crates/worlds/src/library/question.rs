//! What is asked of a library, what is planted for it, and the chain's signature, which decides its split.

use super::collection::{Line, Relation};
use crate::dice::Dice;
use crate::hash::mix;
use crate::names::{Name, Names};
use crate::task::Split;

/// The question of the goal, with names as the goal spells them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Question {
    /// `mayor of home of kilo on day 40?`; the relations from `kilo` outwards.
    Chain { of: Name, relations: Vec<Relation>, day: Option<i64> },
    /// `how many have home tola?`
    Count { relation: Relation, at: Name },
    /// `what does letter 3 from bada to kilo say?`
    Letter { nth: usize, from: Name, to: Name },
}

impl Question {
    /// The name that a misspelling strikes.
    pub(super) fn named(&mut self) -> &mut Name {
        match self {
            Question::Chain { of, .. } => of,
            Question::Count { at, .. } => at,
            Question::Letter { from, .. } => from,
        }
    }

    /// The names in the goal.
    pub(super) fn names(&self) -> Vec<Name> {
        match *self {
            Question::Chain { of, .. } => vec![of],
            Question::Count { at, .. } => vec![at],
            Question::Letter { from, to, .. } => vec![from, to],
        }
    }

    pub(super) fn goal(&self) -> String {
        match self {
            Question::Chain { of, relations, day } => {
                let mut goal = String::with_capacity(48);
                for relation in relations.iter().rev() {
                    goal.push_str(relation.word());
                    goal.push_str(" of ");
                }
                goal.push_str(of.as_str());
                if let Some(day) = day {
                    goal.push_str(&format!(" on day {day}"));
                }
                goal.push('?');
                goal
            }
            Question::Count { relation, at } => format!("how many have {} {at}?", relation.word()),
            Question::Letter { nth, from, to } => format!("what does letter {nth} from {from} to {to} say?"),
        }
    }
}

/// A question with its answer and the lines that it needs, in the order of their days.
pub(super) struct Drawn {
    pub(super) question: Question,
    pub(super) answer: String,
    pub(super) lines: Vec<Line>,
    /// Which of the lines every way to the answer reads.
    pub(super) needed: Vec<usize>,
    /// After which of the lines the day in question falls.
    pub(super) as_of: Option<usize>,
}

/// Draws a question of this level. `others` are people of whom the collection tells other things.
pub(super) fn draw(level: u32, others: &[Name], names: &mut Names, dice: &mut Dice) -> Drawn {
    match dice.below(4) {
        0 | 1 => ask_chain(level, others, names, dice),
        2 => ask_count(level, others, names, dice),
        _ => ask_letter(level, others, names, dice),
    }
}

/// A new name such that a misspelling of it can mean it alone.
fn clear(names: &mut Names, dice: &mut Dice) -> Name {
    loop {
        let name = names.draw(dice);
        if names.is_clear(name) {
            return name;
        }
    }
}

/// Merges sequences at random, each in its own order.
fn interleave(mut sequences: Vec<Vec<Line>>, dice: &mut Dice) -> Vec<Line> {
    sequences.iter_mut().for_each(|s| s.reverse());
    let mut out = Vec::new();
    loop {
        let left: usize = sequences.iter().map(Vec::len).sum();
        if left == 0 {
            return out;
        }
        let mut at = dice.below(left);
        for sequence in &mut sequences {
            if at < sequence.len() {
                out.extend(sequence.pop());
                break;
            }
            at -= sequence.len();
        }
    }
}

fn ask_chain(level: u32, others: &[Name], names: &mut Names, dice: &mut Dice) -> Drawn {
    let relations = relations(1 + level as usize / 3, names.split(), dice);
    let dated = level > 1 && dice.coin();
    let updates = 1 + level.min(4) as usize;
    let other = |dice: &mut Dice| others[dice.below(others.len())];
    // From the end of the chain to its beginning, so that the name in the goal is drawn last.
    let mut values: Vec<Name> = relations.iter().map(|_| names.draw(dice)).collect();
    values.insert(0, Name::NONE);
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (i, &relation) in relations.iter().enumerate() {
        let fact = |is: Name| Line::Fact { relation, of: values[i], is };
        let mut told = Vec::new();
        for _ in 1..1 + dice.below(updates) {
            let old = names.draw(dice);
            told.push(fact(old));
            // One who follows the old value gets somewhere, too.
            if let Some(&next) = relations.get(i + 1) {
                before.push(vec![Line::Fact { relation: next, of: old, is: names.draw(dice) }]);
            }
        }
        told.push(fact(values[i + 1]));
        before.push(told);
        if dated {
            after.push((0..dice.below(updates)).map(|_| fact(names.draw(dice))).collect());
        }
        // Lines that name the same without telling what is asked.
        let unlike =
            Relation::ALL.into_iter().find(|r| r.of_place() == relation.of_place() && *r != relation);
        if let Some(unlike) = unlike.filter(|_| dice.coin()) {
            before.push(vec![Line::Fact { relation: unlike, of: values[i], is: names.draw(dice) }]);
        }
        if !relation.of_place() && dice.coin() {
            before.push(vec![Line::Fact { relation: Relation::Friend, of: other(dice), is: values[i] }]);
        }
    }
    let of = clear(names, dice);
    let rename = |sequence: &mut Vec<Line>| {
        for line in sequence {
            if let Line::Fact { of: subject, is, .. } = line {
                for name in [subject, is] {
                    if *name == Name::NONE {
                        *name = of;
                    }
                }
            }
        }
    };
    before.iter_mut().for_each(rename);
    after.iter_mut().for_each(rename);
    values[0] = of;
    let mut lines = interleave(before, dice);
    let as_of = dated.then(|| lines.len() - 1);
    let needed = (0..relations.len())
        .filter_map(|i| {
            let key = Line::Fact { relation: relations[i], of: values[i], is: values[i + 1] };
            lines.iter().position(|l| *l == key)
        })
        .collect();
    lines.extend(interleave(after, dice));
    let answer = values[relations.len()].to_string();
    Drawn { question: Question::Chain { of, relations, day: None }, answer, lines, needed, as_of }
}

/// Relations that can follow each other; from two on, such as belong to the split.
fn relations(count: usize, split: Split, dice: &mut Dice) -> Vec<Relation> {
    loop {
        let mut chain: Vec<Relation> = Vec::with_capacity(count);
        while chain.len() < count {
            let relation = Relation::ALL[dice.below(Relation::ALL.len())];
            if chain.last().is_none_or(|last| last.is_place() == relation.of_place()) {
                chain.push(relation);
            }
        }
        if count == 1 || side(signature(&chain)) == split {
            return chain;
        }
    }
}

fn ask_count(level: u32, others: &[Name], names: &mut Names, dice: &mut Dice) -> Drawn {
    let relation = if dice.coin() { Relation::Home } else { Relation::Office };
    let unlike = if relation == Relation::Home { Relation::Office } else { Relation::Home };
    let stay = dice.between(2, 3 + i64::from(level)) as usize;
    let moved = dice.below(2 + level as usize / 2);
    let mut people: Vec<Name> = (0..stay + moved).map(|_| names.draw(dice)).collect();
    let elsewhere = names.draw(dice);
    let at = clear(names, dice);
    let fact = |relation, of, is| Line::Fact { relation, of, is };
    let mut sequences: Vec<Vec<Line>> = Vec::new();
    for (i, &person) in people.iter().enumerate() {
        let mut told = vec![fact(relation, person, at)];
        if i >= stay {
            told.push(fact(relation, person, elsewhere));
        } else if dice.below(3) == 0 {
            told.insert(0, fact(relation, person, elsewhere));
        }
        sequences.push(told);
    }
    for _ in 0..1 + level / 3 {
        sequences.push(vec![fact(unlike, others[dice.below(others.len())], at)]);
    }
    let lines = interleave(sequences, dice);
    people.truncate(stay);
    let needed =
        people.iter().filter_map(|p| lines.iter().position(|l| *l == fact(relation, *p, at))).collect();
    Drawn { question: Question::Count { relation, at }, answer: stay.to_string(), lines, needed, as_of: None }
}

fn ask_letter(level: u32, others: &[Name], names: &mut Names, dice: &mut Dice) -> Drawn {
    let same = 2 + level as usize;
    let nth = 1 + dice.below(same);
    let words: Vec<Name> = (0..same).map(|_| names.draw(dice)).collect();
    let to = names.draw(dice);
    let unlike: Vec<(bool, Name)> = (0..1 + level / 2).map(|_| (dice.coin(), names.draw(dice))).collect();
    let from = clear(names, dice);
    let mut sequences =
        vec![words.iter().map(|&word| Line::Letter { from, to, word }).collect::<Vec<Line>>()];
    for (reverse, word) in unlike {
        let other = others[dice.below(others.len())];
        let letter = |from, to| Line::Letter { from, to, word };
        sequences.push(vec![if reverse { letter(to, from) } else { letter(from, other) }]);
    }
    let lines = interleave(sequences, dice);
    let word = words[nth - 1];
    let needed = lines.iter().position(|l| *l == Line::Letter { from, to, word }).into_iter().collect();
    Drawn {
        question: Question::Letter { nth, from, to },
        answer: word.to_string(),
        lines,
        needed,
        as_of: None,
    }
}

fn side(signature: u64) -> Split {
    if signature.is_multiple_of(4) { Split::Test } else { Split::Train }
}

fn signature(relations: &[Relation]) -> u64 {
    relations.iter().fold(0x6c69_6272, |h, r| mix(h ^ (1 + *r as u64)))
}

/// The signature of the chain of relations that a goal of the world `library` asks for, and the split it belongs to: the
/// same for any names and days. `None` if `goal` asks for no chain of two or more.
///
/// ```
/// use groundwork_worlds::chain;
/// let one = chain("mayor of home of kilo?");
/// assert!(one.is_some());
/// assert_eq!(one, chain("mayor of home of bada on day 41?"));
/// assert_ne!(one, chain("guard of home of kilo?"));
/// assert_eq!(chain("home of kilo?"), None);
/// ```
pub fn chain(goal: &str) -> Option<(u64, Split)> {
    let asked = goal.strip_suffix('?')?;
    let asked = asked.split_once(" on day ").map_or(asked, |(asked, _)| asked);
    let mut words: Vec<&str> = asked.split(" of ").collect();
    words.pop()?;
    let relations: Vec<Relation> =
        words.iter().rev().map(|w| Relation::from_word(w)).collect::<Option<_>>()?;
    let signature = signature(&relations);
    (relations.len() > 1).then(|| (signature, side(signature)))
}
