//! Drawing grids with boxes, by playing them.

use super::{Draft, fact};
use crate::dice::Dice;

// The predicates and types, in the order of the file.
const EAST: usize = 0;
const SOUTH: usize = 1;
const PLAYER: usize = 2;
const BOX: usize = 3;
const TAKEN: usize = 4;
const CELL: usize = 1;
const A_BOX: usize = 2;

/// Room for the cells of the largest grid, walls around it included.
const WIDTH: usize = 7;

/// The most boxes.
const BOXES: usize = 2;

/// Where the boxes are, as cells of the grid with its walls, in order; 0, a cell of the wall, for a box that there is not.
type Boxes = [u8; BOXES];
/// Where the player is, and the boxes.
type Place = (u8, Boxes);

/// The cells of the grid.
const CELLS: usize = WIDTH * WIDTH;

/// Numbers that have been met.
struct Met(Vec<u64>);

impl Met {
    /// Adds a number; says whether it is new.
    fn insert(&mut self, n: usize) -> bool {
        let (word, bit) = (&mut self.0[n / 64], 1 << (n % 64));
        let new = *word & bit == 0;
        *word |= bit;
        new
    }
}

/// The number of an arrangement of boxes.
fn number(boxes: &Boxes) -> usize {
    boxes.iter().fold(0, |n, b| n * CELLS + usize::from(*b))
}

pub(super) fn draw(level: u32, dice: &mut Dice) -> Draft {
    let side = 3 + (level as usize / 4).min(2);
    let boxes = if level < 7 { 1 } else { 2 };
    let least = 2 + level as usize;
    loop {
        let mut open = [false; WIDTH * WIDTH];
        let mut cells = Vec::with_capacity(25);
        for y in 1..=side {
            for x in 1..=side {
                if side == 3 || dice.below(6) > 0 {
                    open[y * WIDTH + x] = true;
                    cells.push((y * WIDTH + x) as u8);
                }
            }
        }
        let mut spots = cells.clone();
        dice.shuffle(&mut spots);
        if spots.len() < 2 * boxes + 3 {
            continue;
        }
        let mut placed = [0; BOXES];
        placed[BOXES - boxes..].copy_from_slice(&spots[1..=boxes]);
        placed.sort_unstable();
        let start: Place = (spots[0], placed);
        let Some(goal) = far_goal(&open, &start, least, dice) else { continue };
        return write(&cells, &start, &goal, boxes);
    }
}

/// Where the boxes can be brought in `least` to `least + 3` moves and no fewer, each of them somewhere else than now.
fn far_goal(open: &[bool], start: &Place, least: usize, dice: &mut Dice) -> Option<Boxes> {
    // A box that there is not is cell 0, which makes small numbers of small problems.
    let arrangements = number(&start.1.map(|b| if b == 0 { 0 } else { CELLS as u8 - 1 })) + 1;
    let met = |n: usize| Met(vec![0; n.div_ceil(64)]);
    let (mut met, mut seen) = (met(arrangements * CELLS), met(arrangements));
    met.insert(number(&start.1) * CELLS + usize::from(start.0));
    seen.insert(number(&start.1));
    let mut goals: Vec<Boxes> = Vec::new();
    let mut now = vec![*start];
    for moves in 1..=least + 3 {
        let mut next = Vec::new();
        for (player, boxes) in &now {
            for by in [1i8, -1, WIDTH as i8, -(WIDTH as i8)] {
                let to = player.wrapping_add_signed(by);
                let mut boxes = *boxes;
                if let Some(pushed) = boxes.iter().position(|b| *b == to) {
                    let behind = to.wrapping_add_signed(by);
                    if !open[usize::from(behind)] || boxes.contains(&behind) {
                        continue;
                    }
                    boxes[pushed] = behind;
                    boxes.sort_unstable();
                }
                if !open[usize::from(to)] || !met.insert(number(&boxes) * CELLS + usize::from(to)) {
                    continue;
                }
                let elsewhere = || boxes.iter().all(|b| *b == 0 || !start.1.contains(b));
                if seen.insert(number(&boxes)) && moves >= least && elsewhere() {
                    goals.push(boxes);
                }
                next.push((to, boxes));
            }
        }
        now = next;
    }
    (!goals.is_empty()).then(|| goals.swap_remove(dice.below(goals.len())))
}

fn write(cells: &[u8], start: &Place, goal: &Boxes, boxes: usize) -> Draft {
    let index = |cell: u8| cells.iter().position(|c| *c == cell);
    let mut draft = Draft::new();
    draft.types = [vec![CELL; cells.len()], vec![A_BOX; boxes]].concat();
    for (i, &cell) in cells.iter().enumerate() {
        draft.init.extend(index(cell + 1).map(|east| fact(EAST, [i, east])));
        draft.init.extend(index(cell + WIDTH as u8).map(|south| fact(SOUTH, [i, south])));
    }
    draft.init.extend(index(start.0).map(|c| fact(PLAYER, [c])));
    for (b, &cell) in start.1[BOXES - boxes..].iter().enumerate() {
        if let Some(cell) = index(cell) {
            draft.init.extend([fact(BOX, [cells.len() + b, cell]), fact(TAKEN, [cell])]);
        }
    }
    // Any box will do.
    draft.goal.extend(goal.iter().filter_map(|g| index(*g)).map(|cell| fact(TAKEN, [cell])));
    draft
}
