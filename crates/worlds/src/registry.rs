//! The worlds that there are.

use groundwork_trace::Tool;

use crate::arithmetic::Arithmetic;
use crate::capability::Capability;
use crate::database::Database;
use crate::episode::build;
use crate::error::{WorldError, did_you_mean};
use crate::faults::{FaultKind, Faults};
use crate::files::Files;
use crate::guide::Guided;
use crate::labyrinth::Labyrinth;
use crate::ledger::Ledger;
use crate::library::Library;
use crate::logic::Logic;
use crate::mastermind::Mastermind;
use crate::planning::{self, Blocks, Gripper, Logistics, Planning, Sokoban};
use crate::questions::Questions;
use crate::renamed::{self, Disguise, Renamable};
use crate::repository::Repository;
use crate::route::Route;
use crate::task::Task;
use crate::tracking::Tracking;
use crate::unseen::Unseen;
use crate::world::Kind;

/// Declares the states that there are, each under the name of its type, and what is done alike with all of them.
macro_rules! states {
    ($($state:ident),*) => {
        /// A world of any kind.
        #[derive(Clone, Debug)]
        pub(crate) enum AnyWorld {
            $($state($state)),*
        }

        $(impl From<$state> for AnyWorld {
            fn from(world: $state) -> Self {
                AnyWorld::$state(world)
            }
        })*

        /// Does the same with a world of any kind.
        macro_rules! each {
            ($world:expr, $w:ident => $do:expr) => {
                match $world {
                    $($crate::registry::AnyWorld::$state($w) => $do),*
                }
            };
        }
    };
}

type ArithmeticTools = Arithmetic<true>;
type ArithmeticMental = Arithmetic<false>;
type LibrarySearched = Library<false>;
type LibraryWhole = Library<true>;
type FilesGuided = Guided<Files>;
type RouteGuided = Guided<Route>;
type LedgerGuided = Guided<Ledger>;

states!(
    Files,
    Route,
    Ledger,
    Tracking,
    ArithmeticTools,
    ArithmeticMental,
    Logic,
    LibrarySearched,
    LibraryWhole,
    Database,
    Repository,
    FilesGuided,
    RouteGuided,
    LedgerGuided,
    Planning,
    Unseen,
    Labyrinth,
    Questions,
    Mastermind
);
#[expect(clippy::single_component_path_imports, reason = "the path of a macro, not of a crate")]
pub(crate) use each;

/// What is known of a kind of world without building one.
struct Entry {
    name: &'static str,
    tools: fn() -> Option<&'static [Tool]>,
    faults: fn() -> &'static [FaultKind],
    capabilities: fn() -> &'static [Capability],
    held_out: Option<&'static str>,
    build: fn(&Task) -> Result<Built, WorldError>,
}

/// A task that has been set up.
pub(crate) struct Built {
    pub(crate) world: AnyWorld,
    pub(crate) faults: Faults,
    /// Other names for the tools of the world.
    pub(crate) disguise: Option<Disguise>,
}

impl Built {
    fn plain<W: Into<AnyWorld>>((world, faults): (W, Faults)) -> Built {
        Built { world: world.into(), faults, disguise: None }
    }
}

const fn entry<K: Kind>() -> Entry
where
    AnyWorld: From<K::World>,
{
    let build = |task: &Task| build::<K>(task).map(Built::plain);
    let held_out = K::HELD_OUT;
    Entry {
        name: K::NAME,
        tools: K::tools,
        faults: K::faults,
        capabilities: K::capabilities,
        held_out,
        build,
    }
}

/// A known world with other names for its tools.
const fn renamed<K: Renamable>() -> Entry
where
    AnyWorld: From<K::World>,
{
    let build = |task: &Task| {
        renamed::build::<K>(task).map(|(world, faults, disguise)| Built {
            disguise: Some(disguise),
            ..Built::plain((world, faults))
        })
    };
    let capabilities = || -> &'static [Capability] { &[Capability::UnseenTools] };
    let held_out = K::HELD_OUT;
    Entry { name: K::RENAMED, tools: || None, faults: || renamed::FAULTS, capabilities, held_out, build }
}

/// One line a world.
const ENTRIES: &[Entry] = &[
    entry::<Files>(),
    entry::<Route>(),
    entry::<Ledger>(),
    entry::<Tracking>(),
    entry::<ArithmeticTools>(),
    entry::<ArithmeticMental>(),
    entry::<Logic>(),
    entry::<LibrarySearched>(),
    entry::<LibraryWhole>(),
    entry::<Database>(),
    entry::<Repository>(),
    entry::<FilesGuided>(),
    entry::<RouteGuided>(),
    entry::<LedgerGuided>(),
    entry::<Blocks>(),
    entry::<Gripper>(),
    entry::<Logistics>(),
    entry::<Sokoban>(),
    entry::<Unseen>(),
    renamed::<Files>(),
    renamed::<Ledger>(),
    entry::<Labyrinth>(),
    entry::<Questions>(),
    entry::<Mastermind>(),
];

const NAMES: [&str; ENTRIES.len()] = {
    let mut names = [""; ENTRIES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ENTRIES[i].name;
        i += 1;
    }
    names
};

/// The worlds that are read from files.
static FROM_FILES: Entry = Entry {
    name: planning::PREFIX,
    tools: || None,
    faults: || planning::FAULTS,
    capabilities: || &[Capability::Planning, Capability::UnseenTools],
    held_out: None,
    build: |task| planning::open(task).map(Built::plain),
};

fn find(name: &str) -> Result<&'static Entry, WorldError> {
    if name.starts_with(planning::PREFIX) {
        return Ok(&FROM_FILES);
    }
    ENTRIES.iter().find(|e| e.name == name).ok_or_else(|| WorldError::UnknownWorld {
        name: name.to_owned(),
        hint: did_you_mean(name, NAMES.into_iter()),
        known: NAMES.join(", "),
    })
}

/// The names of the worlds, but for those that are read from files.
pub fn world_names() -> &'static [&'static str] {
    &NAMES
}

/// The faults that make sense in the world called `name`.
///
/// # Errors
/// There is no such world.
pub fn faults_of(name: &str) -> Result<&'static [FaultKind], WorldError> {
    find(name).map(|e| (e.faults)())
}

/// What the world called `name` asks of an agent. Every world that has faults also tests [`Capability::Recovery`].
///
/// # Errors
/// There is no such world.
pub fn capabilities_of(name: &str) -> Result<Vec<Capability>, WorldError> {
    find(name).map(|e| {
        let recovery = (!(e.faults)().is_empty()).then_some(Capability::Recovery);
        let mut all: Vec<Capability> = (e.capabilities)().iter().copied().chain(recovery).collect();
        all.sort_unstable();
        all.dedup();
        all
    })
}

/// What is cut into training and testing in the world called `name`, besides the names, in a few words; `None` where that is names alone,
/// or there is no such world.
pub fn held_out_structure(name: &str) -> Option<&'static str> {
    find(name).ok()?.held_out
}

/// The tools behind a name in a `tools` span: each world's name stands for its tools, if all its tasks have the same.
pub fn tool_set(name: &str) -> Option<&'static [Tool]> {
    find(name).ok().and_then(|e| (e.tools)())
}

impl AnyWorld {
    /// Builds the task's world and arms its fault.
    pub(crate) fn build(task: &Task) -> Result<Built, WorldError> {
        (find(&task.world)?.build)(task)
    }
}
