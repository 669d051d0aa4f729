//! Drawing rooms with balls.

use super::{Draft, fact};
use crate::dice::Dice;

// The predicates and types, in the order of the file; `left` and `right` are the objects 0 and 1.
const ROBOT: usize = 0;
const IN: usize = 1;
const FREE: usize = 2;
const ROOM: usize = 1;
const BALL: usize = 2;
const HANDS: usize = 2;

pub(super) fn draw(level: u32, dice: &mut Dice) -> Draft {
    let level = level as usize;
    let (balls, rooms) = (2 + (level - 1) / 4, 2 + usize::from(level >= 3) + usize::from(level >= 8));
    let mut draft = Draft::new();
    draft.types = [vec![ROOM; rooms], vec![BALL; balls]].concat();
    draft.init.push(fact(ROBOT, [HANDS + dice.below(rooms)]));
    draft.init.extend([fact(FREE, [0]), fact(FREE, [1])]);
    for ball in 0..balls {
        let from = dice.below(rooms);
        let to = (from + 1 + dice.below(rooms - 1)) % rooms;
        let ball = HANDS + rooms + ball;
        draft.init.push(fact(IN, [ball, HANDS + from]));
        draft.goal.push(fact(IN, [ball, HANDS + to]));
    }
    draft
}
