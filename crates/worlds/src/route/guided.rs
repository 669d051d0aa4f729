//! The road map with a policy and a user.

use std::sync::LazyLock;

use groundwork_trace::Tool;

use super::{DECLARATIONS, Route, map, solve};
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::guide::{First, Guidable, Guide, Policy, USER_TOOLS};

static TOOLS: LazyLock<Vec<Tool>> =
    LazyLock::new(|| Tool::parse_all(&format!("{DECLARATIONS}{USER_TOOLS}")).unwrap_or_default());

static CONFIRM: First = First {
    text: "confirm each place with the user before you go there",
    tools: &["go"],
    argument: "to",
    before: ("confirm", "name"),
};

/// The roads into a place.
pub(super) fn into(roads: &[(u8, u8)], place: u8) -> Vec<(u8, u8)> {
    roads.iter().copied().filter(|r| r.1 == place).collect()
}

impl Guidable for Route {
    const GUIDED: &str = "route_guided";

    fn guided_tools() -> &'static [Tool] {
        &TOOLS
    }

    fn guide(&mut self, dice: &mut Dice) -> Guide {
        let roads = self.map.roads.as_slice();
        let (start, goal) = (self.map.start, self.map.goal);
        let way = |from, to, closed: &[(u8, u8)]| map::shortest(roads, from, to, closed);
        // A place on the way that one can do without.
        let direct = way(start, goal, &[]).unwrap_or_default();
        let between = direct.iter().copied().filter(|p| *p != start && *p != goal);
        let avoidable: Vec<u8> = between.filter(|p| way(start, goal, &into(roads, *p)).is_some()).collect();
        let avoided =
            avoidable.get(dice.below(avoidable.len().max(1))).copied().filter(|_| dice.below(3) > 0);
        let closed = avoided.map_or_else(Vec::new, |place| into(roads, place));
        let policy = avoided.map_or(Policy::First(&CONFIRM), |place| Policy::Avoid(self.place(place)));
        let name = self.place(goal);
        let mut guide = Guide { policy, open: None, change: None, main: "go", guarded: name };
        match dice.below(3) {
            1 => guide.open = Some(name.to_string()),
            2 => {
                // Somewhere else to go at first, from whose way the goal can still be reached.
                let able = |to: &u8| {
                    let first = way(start, *to, &closed).and_then(|way| way.get(1).copied());
                    *to != start
                        && *to != goal
                        && first.is_some_and(|p| p == goal || way(p, goal, &closed).is_some())
                };
                let others: Vec<u8> = (0..self.map.names.len() as u8).filter(able).collect();
                if let Some(&first) = others.get(dice.below(others.len().max(1))) {
                    guide.change = Some((&["go"], format!("no, go to {name}")));
                    guide.open = dice.coin().then(|| self.place(first).to_string());
                    self.wanted = first;
                }
            }
            _ => {}
        }
        guide
    }

    fn open_goal(&self) -> String {
        self.goal_to("where I tell you")
    }

    fn solve_guided(self, guide: &Guide, expert: &mut Recorder) {
        let avoided = if let Policy::Avoid(name) = guide.policy { self.index(Some(name)) } else { None };
        solve(&self, avoided, guide.open.is_some(), expert);
    }
}
