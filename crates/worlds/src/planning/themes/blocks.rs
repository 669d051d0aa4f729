//! Drawing towers of blocks.

use super::{Draft, fact};
use crate::dice::Dice;

// The predicates, in the order of the file.
const ON: usize = 0;
const TABLE: usize = 1;
const CLEAR: usize = 2;
const EMPTY: usize = 4;
const BLOCK: usize = 1;

/// For each block the one below it.
type Towers = Vec<Option<usize>>;

fn towers(blocks: usize, dice: &mut Dice) -> Towers {
    let mut order: Vec<usize> = (0..blocks).collect();
    dice.shuffle(&mut order);
    let mut below = vec![None; blocks];
    for pair in order.windows(2) {
        if dice.coin() {
            below[pair[1]] = Some(pair[0]);
        }
    }
    below
}

/// Whether the block, and all below it, are where they belong. Where the lowest one stands does not matter.
fn in_place(block: usize, now: &Towers, then: &Towers) -> bool {
    then[block].is_none_or(|below| now[block] == Some(below) && in_place(below, now, then))
}

pub(super) fn draw(level: u32, dice: &mut Dice) -> Draft {
    let level = level as usize;
    let blocks = 3 + (level - 1) / 3;
    loop {
        let (now, then) = (towers(blocks, dice), towers(blocks, dice));
        let out_of_place = (0..blocks).filter(|b| !in_place(*b, &now, &then)).count();
        if out_of_place < (1 + level / 2).min(blocks - 1) {
            continue;
        }
        let mut draft = Draft::new();
        draft.types = vec![BLOCK; blocks];
        for b in 0..blocks {
            draft.init.push(now[b].map_or(fact(TABLE, [b]), |below| fact(ON, [b, below])));
            if !now.contains(&Some(b)) {
                draft.init.push(fact(CLEAR, [b]));
            }
            draft.goal.extend(then[b].map(|below| fact(ON, [b, below])));
        }
        draft.init.push(fact(EMPTY, []));
        return draft;
    }
}
