//! The signature of a list of jobs, which decides its split.

use super::{Hands, Job, PEOPLE, holders};
use crate::hash::mix;
use crate::task::Split;

/// The level from which on the pattern decides the split; below there are too few.
pub(super) const FROM: usize = 3;

/// The side of the cut on which a signature lies.
pub(super) fn side(signature: u64) -> Split {
    if signature.is_multiple_of(4) { Split::Test } else { Split::Train }
}

/// What a job does to a person or a key.
#[derive(Clone, Copy)]
enum Role {
    Swapped = 1,
    Moved,
    Granted,
    Revoked,
    Asked,
}

/// The signature of jobs and a question. Two lists of jobs have the same one if they differ in names alone (and in
/// the order of two who swap): a person is known by the jobs that touch the person and the keys held in the
/// beginning, a key by the jobs that name it.
pub(super) fn signature(before: &Hands, jobs: &[Job], asked: usize) -> u64 {
    let mut people = [0u64; PEOPLE];
    let mut keys = [0u64; u16::BITS as usize];
    let touch = |h: &mut u64, i: usize, role: Role| *h = mix(*h ^ ((i as u64) << 3 | role as u64));
    for (i, job) in jobs.iter().enumerate() {
        match *job {
            Job::Swap(a, b) => {
                touch(&mut people[a], i, Role::Swapped);
                touch(&mut people[b], i, Role::Swapped);
            }
            Job::Move { key, to } => {
                touch(&mut people[to], i, Role::Moved);
                touch(&mut keys[key], i, Role::Moved);
            }
            Job::Grant { key, to } => {
                touch(&mut people[to], i, Role::Granted);
                touch(&mut keys[key], i, Role::Granted);
            }
            Job::Revoke { key } => touch(&mut keys[key], i, Role::Revoked),
        }
    }
    touch(&mut keys[asked], jobs.len(), Role::Asked);
    for (key, h) in keys.iter().enumerate().filter(|(_, h)| **h != 0) {
        for person in holders(key, before) {
            people[person] = people[person].wrapping_add(mix(*h));
        }
    }
    mix(people.iter().filter(|h| **h != 0).fold(0u64, |sum, h| sum.wrapping_add(mix(*h))))
}

/// The signature of the jobs in a goal of the world `tracking`, and the split it belongs to (from level 3 on): the same
/// for any names. `None` if `goal` is no such goal.
///
/// ```
/// use groundwork_worlds::pattern;
/// let one = pattern("bada kilo, tola rimu, vuzi pema; swap bada tola; swap neko bada; who has kilo?");
/// assert!(one.is_some());
/// assert_eq!(one, pattern("supa vime, gelo luka, bori zine; swap bori gelo; swap taro gelo; who has luka?"));
/// assert_ne!(one, pattern("bada kilo, tola rimu, vuzi pema; swap bada tola; swap neko bada; who has pema?"));
/// assert_eq!(pattern("read bada/kilo"), None);
/// ```
pub fn pattern(goal: &str) -> Option<(u64, Split)> {
    let mut parts: Vec<&str> = goal.split("; ").collect();
    let asked = parts.pop()?.strip_prefix("who has ")?.strip_suffix('?')?;
    let (mut people, mut keys) = (Vec::new(), Vec::new());
    let mut before: Hands = [0; PEOPLE];
    for person in parts.first()?.split(", ") {
        let mut words = person.split(' ');
        let person = number(words.next()?, &mut people, PEOPLE)?;
        for key in words {
            before[person] |= 1 << number(key, &mut keys, u16::BITS as usize)?;
        }
    }
    let mut jobs = Vec::new();
    for job in &parts[1..] {
        let mut person = |name| number(name, &mut people, PEOPLE);
        let key = |name: &str| keys.iter().position(|k| *k == name);
        let words: Vec<&str> = job.split(' ').collect();
        jobs.push(match words[..] {
            ["swap", a, b] => Job::Swap(person(a)?, person(b)?),
            ["move", k, "to", to] => Job::Move { key: key(k)?, to: person(to)? },
            ["grant", k, "to", to] => Job::Grant { key: key(k)?, to: person(to)? },
            ["revoke", k] => Job::Revoke { key: key(k)? },
            _ => return None,
        });
    }
    let signature = signature(&before, &jobs, keys.iter().position(|k| *k == asked)?);
    Some((signature, side(signature)))
}

/// The number of `name` among `names`, of which there may be `room`.
fn number<'a>(name: &'a str, names: &mut Vec<&'a str>, room: usize) -> Option<usize> {
    if let Some(i) = names.iter().position(|n| *n == name) {
        return Some(i);
    }
    names.push(name);
    (names.len() <= room).then(|| names.len() - 1)
}
