//! A file tree: read a value out of a file, follow files that name files, move files between folders.
//!
//! | level | folders | files in each | jobs | a `follow` chain | folder told |
//! |---|---|---|---|---|---|
//! | ℓ | 1 + ℓ | 2 + ℓ | 1 + ⌊(ℓ−1)/3⌋ | 1; from level 4 on 1 + ⌊(ℓ−2)/2⌋ | always; from level 3 on in half of the jobs |
//!
//! Goals: `read bada/kilo`, `move bada/kilo to tola`, `read kilo` (find it first), `follow bada/kilo` (read; what
//! it holds is the path of the next file, until one holds a word). Several jobs are joined by `; `. The answer is
//! what a read or follow found, `done` for a move, joined by `, `. Success asks for the exact answer and
//! for the tree to be exactly as asked; every file that is missing, or is somewhere it need not be, is
//! collateral damage.
//!
//! The expert makes the fewest calls that the goal, the observations and the fault so far allow. After a
//! misspelling with no folder told it lists folders in turn, which no order beats on average.

mod expert;
mod guided;

use std::borrow::Cow;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, LazyLock};

use groundwork_trace::{Call, Tool, ToolError, Value};

use crate::capability::Capability;
use crate::dice::Dice;
use crate::expert::Recorder;
use crate::faults::FaultKind;
use crate::names::{Name, Names};
use crate::world::{Kind, Outcome, Verification, World, name_arg, text};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Content {
    Word(Name),
    Path(Name, Name),
}

impl Content {
    fn value(self) -> Value {
        match self {
            Content::Word(word) => Value::str(word.as_str()),
            Content::Path(folder, file) => Value::str(format!("{folder}/{file}")),
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct File {
    name: Name,
    content: Content,
    seen: bool,
}

#[derive(Clone, Debug)]
struct Folder {
    name: Name,
    files: Vec<File>,
    seen: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Act {
    Read,
    Follow,
    Move { to: Name },
}

/// One job of the goal, as the goal states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Job {
    /// Where the file is, if the goal tells.
    folder: Option<Name>,
    file: Name,
    act: Act,
}

impl Job {
    /// The file, with its folder if the goal tells it.
    fn path(&self) -> String {
        match self.folder {
            Some(folder) => format!("{folder}/{}", self.file),
            None => self.file.to_string(),
        }
    }

    fn goal(&self) -> String {
        let path = self.path();
        match self.act {
            Act::Read => format!("read {path}"),
            Act::Follow => format!("follow {path}"),
            Act::Move { to } => format!("move {path} to {to}"),
        }
    }
}

type Entry = (Name, Name, Content);

/// What the verifier knows.
#[derive(Debug)]
struct Truth {
    /// Sorted, as is `after`.
    before: Vec<Entry>,
    after: Vec<Entry>,
    answer: String,
}

/// The file-tree world.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    folders: Vec<Folder>,
    root_seen: bool,
    /// The jobs as the goal states them (a misspelling included).
    jobs: Vec<Job>,
    /// Where the first job's file is, and how many calls of its tool the job takes.
    first: (Name, u32),
    /// What a read answers when its view is stale.
    outdated: Option<Name>,
    /// A file that `find` does not know.
    unlisted: Option<Name>,
    truth: Arc<Truth>,
}

impl Hash for Files {
    fn hash<H: Hasher>(&self, h: &mut H) {
        for folder in &self.folders {
            folder.name.hash(h);
            h.write_usize(folder.files.len());
            for file in &folder.files {
                (file.name, file.content).hash(h);
            }
        }
        self.jobs.hash(h);
        (self.outdated, self.unlisted).hash(h);
    }
}

const DECLARATIONS: &str = "
/// Lists the names in a folder; `/` holds the folders.
list(dir: path) -> [str] ! NotFound(path) | Denied(str)
/// Reads a file.
read(path: path) -> str ! NotFound(path) | Denied(str) | Busy | Gone(str, int)
/// Reads the backup of a file.
backup(path: path) -> str ! NotFound(path) | Denied(str)
/// Finds the path of the file with a name.
find(name: str) -> path ! NotFound(str)
/// Moves a file to a folder.
move(path: path, to: path) -> path ! NotFound(path) | Exists(path) | Denied(str) | Busy | Gone(str, int) | Stale(str)
/// Copies a file to a folder.
copy(path: path, to: path) -> path ! NotFound(path) | Exists(path) | Denied(str)
/// Deletes a file.
delete(path: path) -> path ! NotFound(path) | Denied(str)
/// Asks for access to a folder.
ask(name: str) -> str ! NotFound(str)
";

static TOOLS: LazyLock<Vec<Tool>> = LazyLock::new(|| Tool::parse_all(DECLARATIONS).unwrap_or_default());

fn not_found(what: &str) -> Outcome {
    Outcome::refuse("NotFound", [Value::str(what)])
}

fn move_call(path: &str, to: &str) -> Call {
    Call::new("move", [("path", Value::str(path)), ("to", Value::str(to))])
}

fn parse_path(path: &str) -> Option<(Name, Name)> {
    let (folder, file) = path.split_once('/')?;
    Some((Name::parse(folder)?, Name::parse(file)?))
}

impl Files {
    fn folder(&self, name: Name) -> Option<usize> {
        self.folders.iter().position(|f| f.name == name)
    }

    /// The folder and place of the file at `path`.
    fn locate(&self, path: &str) -> Option<(usize, usize)> {
        let (folder, file) = parse_path(path)?;
        let folder = self.folder(folder)?;
        let place = self.folders[folder].files.iter().position(|f| f.name == file)?;
        Some((folder, place))
    }

    /// Every file, sorted.
    fn entries(&self) -> Vec<Entry> {
        let all = self.folders.iter().flat_map(|d| d.files.iter().map(|f| (d.name, f.name, f.content)));
        let mut all: Vec<Entry> = all.collect();
        all.sort_unstable();
        all
    }

    /// Puts a copy of the file at `path` into the folder `to`; says where the original is.
    fn transfer(&mut self, path: &str, to: &str) -> Result<(usize, usize), Outcome> {
        let (from, place) = self.locate(path).ok_or_else(|| not_found(path))?;
        let target = Name::parse(to).and_then(|n| self.folder(n)).ok_or_else(|| not_found(to))?;
        let file = self.folders[from].files[place];
        if self.folders[target].files.iter().any(|f| f.name == file.name) {
            return Err(Outcome::refuse("Exists", [Value::str(format!("{to}/{}", file.name))]));
        }
        self.folders[target].files.push(file);
        Ok((from, place))
    }

    /// Puts the first job's file where the goal does not say: into a folder more; or, where the goal does not say where it is, out
    /// of what `find` knows.
    fn mislay(&mut self, name: Name, dice: &mut Dice) {
        let Job { folder, file, .. } = self.jobs[0];
        let Some((d, f)) = folder.and_then(|told| self.locate(&format!("{told}/{file}"))) else {
            self.unlisted = Some(file);
            return;
        };
        let (from, file) = (self.folders[d].name, self.folders[d].files.remove(f));
        let place = dice.below(self.folders.len() + 1);
        self.folders.insert(place, Folder { name, files: vec![file], seen: false });
        let Truth { before, after, answer } = &*self.truth;
        let moved = |entries: &[Entry]| {
            let here = |e: Entry| if (e.0, e.1) == (from, file.name) { (name, e.1, e.2) } else { e };
            let mut entries: Vec<Entry> = entries.iter().copied().map(here).collect();
            entries.sort_unstable();
            entries
        };
        self.truth = Arc::new(Truth { before: moved(before), after: moved(after), answer: answer.clone() });
    }

    fn arrived(path: &str, to: &str) -> Outcome {
        let file = path.split_once('/').map_or(path, |(_, file)| file);
        Outcome::known(Value::str(format!("{to}/{file}")))
    }
}

impl Kind for Files {
    type World = Self;
    const NAME: &str = "files";

    fn tools() -> Option<&'static [Tool]> {
        Some(&TOOLS)
    }

    fn capabilities() -> &'static [Capability] {
        &[Capability::ToolUse, Capability::LongContext]
    }

    fn faults() -> &'static [FaultKind] {
        use FaultKind::*;
        &[Transient, Timeout, Drift, Removed, Misspelt, NotFound, Denied, Stale, Gone, Planted, Inherited]
    }

    fn generate(level: u32, names: &mut Names, dice: &mut Dice) -> Self {
        let level = level as usize;
        let mut folders: Vec<Folder> = (0..1 + level)
            .map(|_| Folder { name: names.draw(dice), files: Vec::with_capacity(3 + level), seen: false })
            .collect();
        for folder in &mut folders {
            for _ in 0..2 + level {
                let (name, word) = (names.draw(dice), names.draw(dice));
                folder.files.push(File { name, content: Content::Word(word), seen: false });
            }
        }
        let mut places: Vec<(usize, usize)> =
            (0..folders.len()).flat_map(|d| (0..2 + level).map(move |f| (d, f))).collect();
        dice.shuffle(&mut places);
        let hops = if level < 4 { 1 } else { 1 + (level - 2) / 2 };
        let mut jobs: Vec<Job> = Vec::new();
        let mut answers = Vec::new();
        let mut moves = Vec::new();
        // Where the first job's file is, and how many calls of its tool the job takes.
        let mut first = (folders[0].name, 1);
        let mut places = places.into_iter();
        for _ in 0..1 + (level - 1) / 3 {
            let Some((d, f)) = places.next() else { break };
            // A misspelling of the first file must mean that file alone, and none may look like a misspelling of it.
            let near = |folders: &[Folder], name: Name| {
                folders.iter().flat_map(|d| &d.files).any(|f| f.name.distance(name) == 1)
            };
            while jobs.is_empty()
                && (!names.is_clear(folders[d].files[f].name) || near(&folders, folders[d].files[f].name))
            {
                folders[d].files[f].name = names.draw(dice);
            }
            let (folder, file) = (folders[d].name, folders[d].files[f].name);
            let act = if dice.coin() {
                let mut to = dice.below(folders.len() - 1);
                to += usize::from(to >= d);
                moves.push((d, f, to));
                answers.push("done".to_owned());
                Act::Move { to: folders[to].name }
            } else {
                let mut at = (d, f);
                for next in places.by_ref().take(hops - 1) {
                    let path = Content::Path(folders[next.0].name, folders[next.0].files[next.1].name);
                    folders[at.0].files[at.1].content = path;
                    at = next;
                }
                let Content::Word(word) = folders[at.0].files[at.1].content else { break };
                answers.push(word.to_string());
                if jobs.is_empty() {
                    first.1 = hops as u32;
                }
                if hops > 1 { Act::Follow } else { Act::Read }
            };
            if jobs.is_empty() {
                first.0 = folder;
            }
            let told = level < 3 || dice.coin();
            jobs.push(Job { folder: told.then_some(folder), file, act });
        }
        let truth = Arc::new(Truth { before: Vec::new(), after: Vec::new(), answer: String::new() });
        let mut files =
            Files { folders, root_seen: false, jobs, first, outdated: None, unlisted: None, truth };
        let before = files.entries();
        let mut after = before.clone();
        for (d, f, to) in moves {
            let file = files.folders[d].files[f];
            if let Ok(i) = after.binary_search(&(files.folders[d].name, file.name, file.content)) {
                after[i].0 = files.folders[to].name;
                after.sort_unstable();
            }
        }
        files.truth = Arc::new(Truth { before, after, answer: answers.join(", ") });
        files
    }
}

impl World for Files {
    fn tools(&self) -> &[Tool] {
        &TOOLS
    }

    fn arm(&mut self, fault: FaultKind, names: &mut Names, dice: &mut Dice) {
        match fault {
            FaultKind::Misspelt => self.jobs[0].file = names.misspell(self.jobs[0].file, dice),
            FaultKind::Stale => self.outdated = Some(names.draw(dice)),
            FaultKind::NotFound => self.mislay(names.draw(dice), dice),
            _ => {}
        }
    }

    fn goal(&self) -> String {
        self.jobs.iter().map(Job::goal).collect::<Vec<_>>().join("; ")
    }

    fn step(&mut self, call: &Call) -> Outcome {
        match call.tool.as_str() {
            "list" if text(call, "dir") == "/" => {
                let names = self.folders.iter().map(|f| Value::str(f.name.as_str())).collect();
                Outcome::shown(Value::List(names), &mut self.root_seen)
            }
            "list" => match name_arg(call, "dir").and_then(|n| self.folder(n)) {
                Some(i) => {
                    let folder = &mut self.folders[i];
                    let names = folder.files.iter().map(|f| Value::str(f.name.as_str())).collect();
                    Outcome::shown(Value::List(names), &mut folder.seen)
                }
                None => not_found(text(call, "dir")),
            },
            "read" | "backup" => match self.locate(text(call, "path")) {
                Some((d, f)) => {
                    let file = &mut self.folders[d].files[f];
                    Outcome::shown(file.content.value(), &mut file.seen)
                }
                None => not_found(text(call, "path")),
            },
            "find" => {
                let wanted = name_arg(call, "name");
                let listed = wanted.is_some_and(|name| self.unlisted != Some(name));
                let has = |d: &&Folder| listed && d.files.iter().any(|f| Some(f.name) == wanted);
                let found = self.folders.iter().find(has);
                match (found, wanted) {
                    (Some(folder), Some(file)) => {
                        let value = Value::str(format!("{}/{file}", folder.name));
                        Outcome::Observation { value, own: !folder.seen }
                    }
                    _ => not_found(text(call, "name")),
                }
            }
            "move" | "copy" => {
                let (path, to) = (text(call, "path"), text(call, "to"));
                match self.transfer(path, to) {
                    Ok((d, f)) => {
                        if call.tool == "move" {
                            self.folders[d].files.remove(f);
                        }
                        Files::arrived(path, to)
                    }
                    Err(refusal) => refusal,
                }
            }
            "delete" => {
                let path = text(call, "path");
                match self.locate(path) {
                    Some((d, f)) => {
                        self.folders[d].files.remove(f);
                        Outcome::known(Value::str(path))
                    }
                    None => not_found(path),
                }
            }
            _ => match name_arg(call, "name").and_then(|n| self.folder(n)) {
                Some(_) => Outcome::known(Value::str("granted")),
                None => not_found(text(call, "name")),
            },
        }
    }

    fn verify(&self, answer: &str) -> Verification {
        let Truth { before, after, answer: right } = &*self.truth;
        let now = self.entries();
        let has = |set: &[Entry], e: &Entry| set.binary_search(e).is_ok();
        let added = now.iter().filter(|e| !has(before, e) && !has(after, e)).count();
        let lost = after.iter().filter(|e| has(before, e) && !has(&now, e)).count();
        // Files that a job moves: there should be one of each, here or there.
        let at_either = now.iter().filter(|e| has(before, e) != has(after, e)).count();
        let to_move = after.iter().filter(|e| !has(before, e)).count();
        Verification {
            success: now == *after && answer == right,
            collateral: (added + lost + at_either.abs_diff(to_move)) as u32,
        }
    }

    fn legal_actions(&self) -> Vec<Call> {
        let mut calls = vec![Call::new("list", [("dir", Value::str("/"))])];
        let path_call = |tool: &str, path: &str| Call::new(tool, [("path", Value::str(path))]);
        let mut paths: Vec<String> = Vec::new();
        let mut files: Vec<Name> = Vec::new();
        for folder in &self.folders {
            calls.push(Call::new("list", [("dir", Value::str(folder.name.as_str()))]));
            calls.push(Call::new("ask", [("name", Value::str(folder.name.as_str()))]));
            paths.extend(folder.files.iter().map(|f| format!("{}/{}", folder.name, f.name)));
            files.extend(folder.files.iter().map(|f| f.name));
        }
        // What the goal says may be misspelt or already moved; to try it is legal all the same.
        for job in &self.jobs {
            files.push(job.file);
            paths.extend(job.folder.map(|d| format!("{d}/{}", job.file)));
        }
        files.sort_unstable();
        files.dedup();
        paths.sort_unstable();
        paths.dedup();
        calls.extend(files.iter().map(|f| Call::new("find", [("name", Value::str(f.as_str()))])));
        for path in &paths {
            for tool in ["read", "backup", "delete"] {
                calls.push(path_call(tool, path));
            }
            for folder in &self.folders {
                let to = folder.name.as_str();
                if path.starts_with(to) {
                    continue;
                }
                for tool in ["move", "copy"] {
                    calls
                        .push(Call::new(tool, [("path", Value::str(path.as_str())), ("to", Value::str(to))]));
                }
            }
        }
        calls
    }

    fn main_tool(&self) -> (Cow<'static, str>, u32) {
        match self.jobs[0].act {
            Act::Move { .. } => ("move".into(), 1),
            Act::Read | Act::Follow => ("read".into(), self.first.1),
        }
    }

    fn guarded(&self, _: &mut Dice) -> String {
        self.first.0.to_string()
    }

    fn resource(&self, call: &Call) -> Option<String> {
        match call.tool.as_str() {
            "list" => Some(text(call, "dir").to_owned()),
            "find" | "ask" => None,
            _ => parse_path(text(call, "path")).map(|(folder, _)| folder.to_string()),
        }
    }

    fn outdated(&self, call: &Call) -> Option<Value> {
        (call.tool == "read").then_some(self.outdated).flatten().map(|n| Value::str(n.as_str()))
    }

    fn mistake(&self, dice: &mut Dice) -> Vec<Call> {
        // A file that the goal does not name is put into another folder.
        let named = |f: &File| self.jobs.iter().any(|j| j.file == f.name);
        let all = self.folders.iter().flat_map(|d| d.files.iter().map(move |f| (d.name, f)));
        let others: Vec<(Name, Name)> = all.filter(|(_, f)| !named(f)).map(|(d, f)| (d, f.name)).collect();
        let Some(&(from, file)) = others.get(dice.below(others.len().max(1))) else { return Vec::new() };
        let folders: Vec<Name> = self.folders.iter().map(|d| d.name).filter(|d| *d != from).collect();
        let to = folders[dice.below(folders.len())];
        vec![move_call(&format!("{from}/{file}"), to.as_str())]
    }

    fn undo(call: &Call) -> Option<Call> {
        let (from, file) = text(call, "path").split_once('/')?;
        Some(move_call(&format!("{}/{file}", text(call, "to")), from))
    }

    fn refresh(name: &str) -> Call {
        Call::new("list", [("dir", Value::str(name))])
    }

    fn shows(&self, fault: FaultKind, call: &Call, error: &ToolError) -> bool {
        let shown = self.jobs[0].file;
        matches!(fault, FaultKind::Misspelt | FaultKind::NotFound)
            && error.name == "NotFound"
            && (name_arg(call, "name") == Some(shown)
                || parse_path(text(call, "path")).is_some_and(|(_, file)| file == shown))
    }

    fn solve(self, expert: &mut Recorder) {
        expert::solve(&self.jobs, expert);
    }
}
