//! Problems from files: the worlds called `pddl:DOMAIN:PROBLEM`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use groundwork_trace::Diagnostic;

use super::Planning;
use super::domain::Domain;
use super::problem::Problem;
use super::scene::{QUERIES, Rules, Scene};
use crate::episode::assemble;
use crate::error::WorldError;
use crate::faults::{FaultKind, Faults};
use crate::task::Task;

/// What the names of these worlds begin with.
pub(crate) const PREFIX: &str = "pddl:";

/// The faults that make sense whatever the domain.
pub(crate) const FAULTS: &[FaultKind] = &{
    use FaultKind::*;
    [Transient, Timeout, RateLimit, Drift, Wrong, Planted, Inherited, Denied, Stale, Gone]
};

/// A problem's scenes: where the goal does not tell what holds, and where it does.
type Scenes = [Arc<Scene>; 2];

/// What has been read so far, by the world's name, so that files are read once and plans made once.
static READ: Mutex<BTreeMap<String, Scenes>> = Mutex::new(BTreeMap::new());

/// Sets up a task of a world that is called `pddl:DOMAIN:PROBLEM`. The level decides alone whether the goal tells what holds.
pub(crate) fn open(task: &Task) -> Result<(Planning, Faults), WorldError> {
    let mut read = READ.lock().unwrap_or_else(PoisonError::into_inner);
    let scenes = match read.get(&task.world) {
        Some(scenes) => scenes.clone(),
        None => {
            let scenes = load(&task.world)?;
            read.insert(task.world.clone(), scenes.clone());
            scenes
        }
    };
    drop(read);
    let told = task.level < super::themes::ASK_FOR_STATE;
    let scene = scenes[usize::from(told)].clone();
    assemble(task, FAULTS, |_, _, _| Planning::of(scene))
}

fn load(world: &str) -> Result<Scenes, WorldError> {
    let paths = world.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':'));
    let (domain_path, problem_path) = paths.ok_or_else(|| WorldError::PddlName { name: world.to_owned() })?;
    let file = |path: &str| {
        std::fs::read_to_string(path)
            .map_err(|e| WorldError::Unreadable { path: path.to_owned(), message: e.to_string() })
    };
    let drawn = |d: Box<Diagnostic>, text: &str, path: &str| {
        let (line, column) = d.position(text);
        let drawing = d.render(text, path, false);
        WorldError::Pddl { path: path.to_owned(), line, column, drawing }
    };
    let text = file(domain_path)?;
    let domain = Domain::parse(&text).map_err(|d| drawn(d, &text, domain_path))?;
    let rules = Arc::new(Rules::new(domain));
    let useless = |why: String| Err(WorldError::UselessProblem { path: problem_path.to_owned(), why });
    if let Some(name) = repeated_tool(&rules) {
        let queries: Vec<&str> = QUERIES.lines().filter_map(|l| l.split_once('(')).map(|l| l.0).collect();
        return useless(format!(
            "two of its tools would be called `{name}`; rename the action (every planning world has the tools {})",
            queries.join(", ")
        ));
    }
    let text = file(problem_path)?;
    let problem = Problem::parse(&text, &rules.domain).map_err(|d| drawn(d, &text, problem_path))?;
    let scene = |told| {
        Scene::new(rules.clone(), problem.objects.clone(), &problem.init, &problem.goal, told).map(Arc::new)
    };
    let (Some(untold), Some(told)) = (scene(false), scene(true)) else {
        return useless("it allows too many facts; 16 million are the most".to_owned());
    };
    if told.reached(&told.init) {
        return useless("its goal holds in the beginning".to_owned());
    }
    match told.plan() {
        Some(_) => Ok([untold, told]),
        None => useless("no plan was found among the first 500,000 states".to_owned()),
    }
}

fn repeated_tool(rules: &Rules) -> Option<&str> {
    let names: Vec<&str> = rules.tools.iter().map(|t| t.name.as_str()).collect();
    (1..names.len()).find(|i| names[..*i].contains(&names[*i])).map(|i| names[i])
}
