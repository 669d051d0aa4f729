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
use crate::ledger::Ledger;
use crate::library::Library;
use crate::repository::Repository;
use crate::route::Route;
use crate::task::Task;
use crate::tracking::Tracking;
use crate::world::World;

/// A world of any kind.
#[derive(Clone, Debug)]
pub(crate) enum AnyWorld {
    Files(Files),
    Route(Route),
    Ledger(Ledger),
    Tracking(Tracking),
    Arithmetic(Arithmetic),
    Library(Library<false>),
    LibraryWhole(Library<true>),
    Database(Database),
    Repository(Repository),
    FilesGuided(Guided<Files>),
    RouteGuided(Guided<Route>),
    LedgerGuided(Guided<Ledger>),
}

/// Does the same with a world of any kind.
macro_rules! each {
    ($world:expr, $w:ident => $do:expr) => {
        match $world {
            AnyWorld::Files($w) => $do,
            AnyWorld::Route($w) => $do,
            AnyWorld::Ledger($w) => $do,
            AnyWorld::Tracking($w) => $do,
            AnyWorld::Arithmetic($w) => $do,
            AnyWorld::Library($w) => $do,
            AnyWorld::LibraryWhole($w) => $do,
            AnyWorld::Database($w) => $do,
            AnyWorld::Repository($w) => $do,
            AnyWorld::FilesGuided($w) => $do,
            AnyWorld::RouteGuided($w) => $do,
            AnyWorld::LedgerGuided($w) => $do,
        }
    };
}
pub(crate) use each;

/// What is known of a kind of world without building one.
struct Entry {
    name: &'static str,
    tools: fn() -> &'static [Tool],
    faults: fn() -> &'static [FaultKind],
    capabilities: fn() -> &'static [Capability],
    build: fn(&Task) -> Result<(AnyWorld, Faults), WorldError>,
}

const fn entry<W: World>(
    name: &'static str,
    build: fn(&Task) -> Result<(AnyWorld, Faults), WorldError>,
) -> Entry {
    Entry { name, tools: W::tools, faults: W::faults, capabilities: W::capabilities, build }
}

const ENTRIES: [Entry; 12] = [
    entry::<Files>("files", |t| build(t).map(|(w, f)| (AnyWorld::Files(w), f))),
    entry::<Route>("route", |t| build(t).map(|(w, f)| (AnyWorld::Route(w), f))),
    entry::<Ledger>("ledger", |t| build(t).map(|(w, f)| (AnyWorld::Ledger(w), f))),
    entry::<Tracking>("tracking", |t| build(t).map(|(w, f)| (AnyWorld::Tracking(w), f))),
    entry::<Arithmetic>("arithmetic", |t| build(t).map(|(w, f)| (AnyWorld::Arithmetic(w), f))),
    entry::<Library<false>>("library", |t| build(t).map(|(w, f)| (AnyWorld::Library(w), f))),
    entry::<Library<true>>("library_whole", |t| build(t).map(|(w, f)| (AnyWorld::LibraryWhole(w), f))),
    entry::<Database>("database", |t| build(t).map(|(w, f)| (AnyWorld::Database(w), f))),
    entry::<Repository>("repository", |t| build(t).map(|(w, f)| (AnyWorld::Repository(w), f))),
    entry::<Guided<Files>>("files_guided", |t| build(t).map(|(w, f)| (AnyWorld::FilesGuided(w), f))),
    entry::<Guided<Route>>("route_guided", |t| build(t).map(|(w, f)| (AnyWorld::RouteGuided(w), f))),
    entry::<Guided<Ledger>>("ledger_guided", |t| build(t).map(|(w, f)| (AnyWorld::LedgerGuided(w), f))),
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

fn find(name: &str) -> Result<&'static Entry, WorldError> {
    const { &ENTRIES }.iter().find(|e| e.name == name).ok_or_else(|| WorldError::UnknownWorld {
        name: name.to_owned(),
        hint: did_you_mean(name, NAMES.into_iter()),
        known: NAMES.join(", "),
    })
}

/// The names of the worlds.
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

/// The tools behind a name in a `tools` span: each world's name stands for its tools.
pub fn tool_set(name: &str) -> Option<&'static [Tool]> {
    find(name).ok().map(|e| (e.tools)())
}

impl AnyWorld {
    /// Builds the task's world and arms its fault.
    pub(crate) fn build(task: &Task) -> Result<(AnyWorld, Faults), WorldError> {
        (find(&task.world)?.build)(task)
    }

    /// Its tools.
    pub(crate) fn tools(&self) -> &'static [Tool] {
        fn of<W: World>(_: &W) -> &'static [Tool] {
            W::tools()
        }
        each!(self, w => of(w))
    }
}
