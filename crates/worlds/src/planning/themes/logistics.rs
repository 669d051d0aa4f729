//! Drawing cities with trucks, planes between them, and packages.

use super::{Draft, fact};
use crate::dice::Dice;

// The predicates and types, in the order of the file.
const SERVES: usize = 0;
const AT: usize = 1;
const PACKAGE: usize = 1;
const VEHICLE: usize = 2;
const PLACE: usize = 3;

pub(super) fn draw(level: u32, dice: &mut Dice) -> Draft {
    let level = level as usize;
    let cities = if level < 4 { 1 } else { 2 };
    let in_city = if level < 3 { 2 } else { 2 + level.div_ceil(6) };
    let packages = if level < 8 { 1 } else { 2 };
    let places = cities * in_city;
    let mut draft = Draft::new();
    draft.types = vec![PLACE; places];
    // The first place of a city is its airport.
    let airports: Vec<usize> = (0..cities).map(|c| c * in_city).collect();
    let vehicle = |serves: Vec<usize>, draft: &mut Draft, dice: &mut Dice| {
        let v = draft.types.len();
        draft.types.push(VEHICLE);
        draft.init.push(fact(AT, [v, serves[dice.below(serves.len())]]));
        draft.init.extend(serves.into_iter().map(|place| fact(SERVES, [v, place])));
    };
    for city in 0..cities {
        // Two in the first one, where every package begins or ends: one of them may break.
        for _ in 0..if city == 0 { 2 } else { 1 } {
            vehicle((city * in_city..(city + 1) * in_city).collect(), &mut draft, dice);
        }
    }
    if cities > 1 {
        vehicle(airports, &mut draft, dice);
    }
    for _ in 0..packages {
        let p = draft.types.len();
        draft.types.push(PACKAGE);
        // Never at the first city's airport, so that a truck there is needed.
        let here = 1 + dice.below(in_city - 1);
        let other = match cities {
            1 => (here + 1 + dice.below(in_city - 1)) % in_city,
            _ => in_city + dice.below(places - in_city),
        };
        let (from, to) = if dice.coin() { (here, other) } else { (other, here) };
        draft.init.push(fact(AT, [p, from]));
        draft.goal.push(fact(AT, [p, to]));
    }
    draft
}
