//! The domains of our own, and how their problems are drawn.

mod blocks;
mod gripper;
mod logistics;
mod sokoban;

use std::sync::{Arc, LazyLock};

use groundwork_trace::Tool;

use super::Planning;
use super::domain::{Domain, Literal};
use super::scene::{Rules, Scene};
use super::structure;
use crate::capability::Capability;
use crate::dice::Dice;
use crate::faults::FaultKind;
use crate::names::Names;
use crate::world::Kind;

/// The level from which on the goal does not tell what holds at first.
pub(super) const ASK_FOR_STATE: u32 = 4;

/// A problem without names.
struct Draft {
    /// The types of the objects after the domain's constants.
    types: Vec<usize>,
    init: Vec<Literal<u16>>,
    goal: Vec<Literal<u16>>,
}

impl Draft {
    fn new() -> Self {
        Draft { types: Vec::with_capacity(16), init: Vec::with_capacity(32), goal: Vec::with_capacity(8) }
    }
}

fn fact<const N: usize>(predicate: usize, args: [usize; N]) -> Literal<u16> {
    Literal { holds: true, predicate, args: args.iter().map(|a| *a as u16).collect() }
}

/// Draws problems until one has a structure of the split, and names its objects.
fn generate(
    rules: &Arc<Rules>,
    draw: fn(u32, &mut Dice) -> Draft,
    level: u32,
    names: &mut Names,
    dice: &mut Dice,
) -> Planning {
    loop {
        let mut draft = draw(level, dice);
        let constants = &rules.domain.constants;
        let types: Vec<usize> = constants.iter().map(|c| c.1).chain(draft.types.iter().copied()).collect();
        if level >= structure::FROM
            && structure::side(structure::signature(&types, &draft.init, &draft.goal)) != names.split()
        {
            continue;
        }
        dice.shuffle(&mut draft.goal);
        let mut objects = constants.clone();
        objects.extend(draft.types.iter().map(|t| (names.draw(dice).to_string(), *t)));
        let told = level < ASK_FOR_STATE;
        // Drawn problems are never too large.
        if let Some(scene) = Scene::new(rules.clone(), objects, &draft.init, &draft.goal, told) {
            return Planning::of(Arc::new(scene));
        }
    }
}

/// Declares a world of our own: its type, its name and file, how problems are drawn, its faults.
macro_rules! theme {
    ($(#[$doc:meta])* $kind:ident, $name:literal, $draw:path, $faults:expr) => {
        $(#[$doc])*
        pub(crate) struct $kind;

        impl $kind {
            fn rules() -> &'static Arc<Rules> {
                static RULES: LazyLock<Arc<Rules>> = LazyLock::new(|| {
                    // The tests read every one of these files.
                    let domain = Domain::parse(include_str!(concat!("themes/", $name, ".pddl")));
                    Arc::new(Rules::new(domain.unwrap_or_else(|_| Domain::nothing())))
                });
                &RULES
            }
        }

        impl Kind for $kind {
            type World = Planning;
            const NAME: &str = $name;
            const HELD_OUT: Option<&str> = Some("the structures of problems (from level 3 on)");

            fn tools() -> Option<&'static [Tool]> {
                Some(&$kind::rules().tools)
            }

            fn capabilities() -> &'static [Capability] {
                &[Capability::Planning]
            }

            fn faults() -> &'static [FaultKind] {
                use FaultKind::*;
                const { &$faults }
            }

            fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Planning {
                generate($kind::rules(), $draw, level, names, dice)
            }
        }
    };
}

theme!(
    /// Blocks on a table.
    Blocks, "blocks", blocks::draw, [Transient, Timeout, RateLimit, Drift, Wrong, Planted, Inherited, Denied, Stale, Gone]
);
theme!(
    /// A robot that carries balls.
    Gripper, "gripper", gripper::draw, [Transient, Timeout, RateLimit, Drift, Wrong, Planted, Inherited, Denied, Stale, Gone, Broken]
);
theme!(
    /// Packages in trucks and planes.
    Logistics, "logistics", logistics::draw, [Transient, Timeout, RateLimit, Drift, Wrong, Planted, Inherited, Denied, Stale, Gone, Broken]
);
theme!(
    /// Boxes to be pushed.
    Sokoban, "sokoban", sokoban::draw, [Transient, Timeout, RateLimit, Drift, Wrong, Planted, Inherited, Denied, Stale, Gone]
);
