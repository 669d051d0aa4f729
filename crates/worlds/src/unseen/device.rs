//! What the unseen tools do: compositions of a few turns of dials, and the words that document them.

use crate::dice::Dice;
use crate::hash::mix;
use crate::task::Split;

/// One of the two dials that a tool is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Dial {
    X,
    Y,
}

/// One turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Turn {
    /// Up by so much.
    Up(Dial, u8),
    /// To nine minus what it shows.
    Mirror(Dial),
    /// To twice what it shows.
    Double(Dial),
    /// To what the other one shows.
    Copy(Dial),
    /// Up by what the other one shows.
    Add(Dial),
    Swap,
}

/// What the first dial must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Only {
    Always,
    Even,
    Odd,
    Low,
    High,
}

/// What a tool does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Device {
    pub(super) only: Only,
    pub(super) turns: Vec<Turn>,
}

impl Only {
    const fn met(self, x: u8) -> bool {
        match self {
            Only::Always => true,
            Only::Even => x.is_multiple_of(2),
            Only::Odd => !x.is_multiple_of(2),
            Only::Low => x < 5,
            Only::High => x >= 5,
        }
    }

    /// The condition in a word, as an error carries it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Only::Always => "",
            Only::Even => "even",
            Only::Odd => "odd",
            Only::Low => "below 5",
            Only::High => "above 4",
        }
    }
}

impl Turn {
    /// Whether the turn uses the second dial.
    const fn needs_y(self) -> bool {
        !matches!(self, Turn::Up(Dial::X, _) | Turn::Mirror(Dial::X) | Turn::Double(Dial::X))
    }

    fn apply(self, shows: &mut [u8; 2]) {
        let [x, y] = *shows;
        let mut set = |dial: Dial, to: u8| shows[dial as usize] = to % 10;
        let dial = match self {
            Turn::Up(d, _) | Turn::Mirror(d) | Turn::Double(d) | Turn::Copy(d) | Turn::Add(d) => d,
            Turn::Swap => Dial::X,
        };
        let (own, other) = if dial == Dial::X { (x, y) } else { (y, x) };
        match self {
            Turn::Up(d, n) => set(d, own + n),
            Turn::Mirror(d) => set(d, 9 - own),
            Turn::Double(d) => set(d, own * 2),
            Turn::Copy(d) => set(d, other),
            Turn::Add(d) => set(d, own + other),
            Turn::Swap => *shows = [y, x],
        }
    }

    fn words(self, names: [&str; 2]) -> String {
        let pair = |d: Dial| (names[d as usize], names[1 - d as usize]);
        match self {
            Turn::Up(d, n) => format!("turns {} up by {n}", pair(d).0),
            Turn::Mirror(d) => format!("turns {0} to 9 minus {0}", pair(d).0),
            Turn::Double(d) => format!("doubles {}", pair(d).0),
            Turn::Copy(d) => format!("turns {} to what {} shows", pair(d).0, pair(d).1),
            Turn::Add(d) => format!("turns {} up by {}", pair(d).0, pair(d).1),
            Turn::Swap => format!("exchanges {} and {}", names[0], names[1]),
        }
    }

    /// What counts for the split: the turn without its number.
    const fn sort(self) -> u64 {
        match self {
            Turn::Up(d, _) => 1 + d as u64,
            Turn::Mirror(d) => 3 + d as u64,
            Turn::Double(d) => 5 + d as u64,
            Turn::Copy(d) => 7 + d as u64,
            Turn::Add(d) => 9 + d as u64,
            Turn::Swap => 11,
        }
    }

    fn draw(two: bool, dice: &mut Dice) -> Turn {
        let dial = if two && dice.coin() { Dial::Y } else { Dial::X };
        match dice.below(if two { 7 } else { 4 }) {
            0 | 1 => Turn::Up(dial, dice.between(2, 8) as u8),
            2 => Turn::Mirror(dial),
            3 => Turn::Double(dial),
            4 => Turn::Copy(dial),
            5 => Turn::Add(dial),
            _ => Turn::Swap,
        }
    }
}

impl Device {
    /// The plain one that every task has: with it alone everything can be reached, slowly.
    pub(super) fn plain() -> Device {
        Device { only: Only::Always, turns: vec![Turn::Up(Dial::X, 1)] }
    }

    /// A composition of `turns` turns, of one dial or of two, that belongs to `split`.
    pub(super) fn draw(turns: usize, two: bool, conditions: bool, split: Split, dice: &mut Dice) -> Device {
        loop {
            let only = match dice.below(8) {
                1 if conditions => Only::Even,
                2 if conditions => Only::Odd,
                3 if conditions => Only::Low,
                4 if conditions => Only::High,
                _ => Only::Always,
            };
            let turns = (0..turns).map(|_| Turn::draw(two, dice)).collect();
            let device = Device { only, turns };
            if device.two() == two && !device.idle() && device.side() == split {
                return device;
            }
        }
    }

    /// Whether it is given two dials.
    pub(super) fn two(&self) -> bool {
        self.turns.iter().any(|t| t.needs_y())
    }

    /// Whether it changes nothing, or only what one of its turns would change alone.
    fn idle(&self) -> bool {
        let all = || (0..100u8).map(|n| [n / 10, n % 10]);
        let run = |turns: &[Turn], mut shows: [u8; 2]| {
            turns.iter().for_each(|t| t.apply(&mut shows));
            shows
        };
        all().all(|s| run(&self.turns, s) == s)
            || (self.turns.len() > 1
                && self.turns.iter().any(|t| all().all(|s| run(&self.turns, s) == run(&[*t], s))))
    }

    /// What the two dials show after it; `None` if its condition is not met.
    pub(super) fn run(&self, mut shows: [u8; 2]) -> Option<[u8; 2]> {
        self.only.met(shows[0]).then(|| {
            self.turns.iter().for_each(|t| t.apply(&mut shows));
            shows
        })
    }

    /// What it does, in words; `names` are those of its parameters.
    pub(super) fn doc(&self, names: [&str; 2]) -> String {
        let turns: Vec<String> = self.turns.iter().map(|t| t.words(names)).collect();
        let turns = turns.join(", then ");
        match self.only {
            Only::Always => {
                let (first, rest) = turns.split_at(1);
                format!("{}{rest}.", first.to_uppercase())
            }
            only => format!("If {} is {}: {turns}.", names[0], only.word()),
        }
    }

    /// The signature: condition and turns in their order, without numbers.
    pub(super) fn signature(&self) -> u64 {
        self.turns.iter().fold(mix(self.only as u64 + 77), |h, t| mix(h ^ t.sort()))
    }

    /// The side of the cut on which it lies.
    pub(super) fn side(&self) -> Split {
        if self.signature().is_multiple_of(4) { Split::Test } else { Split::Train }
    }
}
