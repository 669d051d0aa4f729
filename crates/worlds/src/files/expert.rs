//! The expert of the file tree.

use groundwork_trace::{Call, SpanKind, Value};

use super::{Act, Files, Job, parse_path};
use crate::expert::{Recorder, is_away};
use crate::guide::{Guide, ask_user};
use crate::names::{Name, nearest};
use crate::world::Outcome;

/// Solves the jobs, knowing only what the goal says and the tools answer.
pub(super) fn solve(jobs: &[Job], expert: &mut Recorder) {
    expert.take_over::<Files>();
    let plan: Vec<String> = jobs.iter().map(plan).collect();
    expert.say(SpanKind::Plan, plan.join("; "));
    let answers: Vec<String> = jobs.iter().map(|job| do_job(job, expert)).collect();
    expert.say(SpanKind::Answer, answers.join(", "));
}

/// As [`solve`], with a policy to keep to and a user: asks what the goal leaves open.
pub(super) fn solve_guided(jobs: &[Job], guide: &Guide, expert: &mut Recorder) {
    let mut jobs = jobs.to_vec();
    if guide.open.is_some() {
        expert.say(SpanKind::Plan, "ask what is open, then do it");
        let answer = ask_user(expert);
        match &mut jobs[0].act {
            Act::Move { to } => *to = Name::parse(&answer).unwrap_or(*to),
            Act::Read | Act::Follow => {
                let (folder, file) =
                    answer.split_once('/').map_or((None, &*answer), |(d, f)| (Name::parse(d), f));
                jobs[0] = Job { folder, file: Name::parse(file).unwrap_or(jobs[0].file), act: jobs[0].act };
            }
        }
    }
    solve(&jobs, expert);
}

fn plan(job: &Job) -> String {
    let file = job.file;
    let find = if job.folder.is_none() { format!("find {file}, ") } else { String::new() };
    match job.act {
        Act::Read => format!("{find}read {file}"),
        Act::Follow => format!("{find}read {file} and on to a word"),
        Act::Move { to } => format!("{find}move {file} to {to}"),
    }
}

fn do_job(job: &Job, expert: &mut Recorder) -> String {
    let mut path = match job.folder {
        Some(folder) => format!("{folder}/{}", job.file),
        None => find(job.file, expert),
    };
    match job.act {
        Act::Read | Act::Follow => loop {
            let word = read(&mut path, expert);
            // The user wants something else.
            if let Some(wish) = expert.heard().as_deref().and_then(|said| said.rsplit(' ').next()) {
                path = match Name::parse(wish) {
                    Some(file) => find(file, expert),
                    None => wish.to_owned(),
                };
                continue;
            }
            if !word.contains('/') || word == path {
                return word;
            }
            path = word;
        },
        Act::Move { to } => {
            move_to(&mut path, to, expert);
            while let Some(wish) =
                expert.heard().as_deref().and_then(|said| Name::parse(said.rsplit(' ').next()?))
            {
                path = format!("{to}/{}", path.split('/').next_back().unwrap_or_default());
                move_to(&mut path, wish, expert);
            }
            "done".to_owned()
        }
    }
}

/// Finds a file whose folder the goal does not tell.
fn find(file: Name, expert: &mut Recorder) -> String {
    let call = Call::new("find", [("name", Value::str(file.as_str()))]);
    if let Outcome::Observation { value, .. } = expert.attempt_asking::<Files>(&call) {
        return value.as_str().unwrap_or_default().to_owned();
    }
    expert.reflect(format!("there is no {file}, list the folders"));
    let mut best: Option<(usize, Name, Name)> = None;
    for folder in list("/", expert) {
        let Some(name) = nearest(file.as_str(), list(folder.as_str(), expert)) else { continue };
        let distance = name.distance(file);
        if best.is_none_or(|(d, ..)| distance < d) {
            best = Some((distance, folder, name));
        }
        if distance <= 1 {
            break;
        }
    }
    let Some((_, folder, name)) = best else { return file.to_string() };
    expert.reflect(format!("it is {folder}/{name}"));
    format!("{folder}/{name}")
}

fn list(dir: &str, expert: &mut Recorder) -> Vec<Name> {
    match expert.attempt_asking::<Files>(&Call::new("list", [("dir", Value::str(dir))])) {
        Outcome::Observation { value: Value::List(items), .. } => {
            items.iter().filter_map(|v| Name::parse(v.as_str()?)).collect()
        }
        _ => Vec::new(),
    }
}

/// After a `NotFound`: lists the folder and puts the nearest name into `path`; where none is near, looks for the file elsewhere. Says
/// whether that helped.
fn correct(path: &mut String, expert: &mut Recorder) -> bool {
    let Some((folder, file)) = parse_path(path) else { return false };
    expert.reflect(format!("there is no {file} in {folder}, list it"));
    let name = nearest(file.as_str(), list(folder.as_str(), expert));
    let corrected = match name.filter(|n| n.distance(file) <= 1) {
        Some(name) => {
            expert.reflect(format!("it is {name}"));
            format!("{folder}/{name}")
        }
        None => {
            expert.reflect(format!("nothing near {file} is there, find it"));
            find(file, expert)
        }
    };
    corrected != std::mem::replace(path, corrected.clone())
}

fn read(path: &mut String, expert: &mut Recorder) -> String {
    loop {
        let tool = if expert.away("read") > 0 { "backup" } else { "read" };
        match expert.attempt_asking::<Files>(&Call::new(tool, [("path", Value::str(path.as_str()))])) {
            Outcome::Observation { value, .. } => return value.as_str().unwrap_or_default().to_owned(),
            Outcome::Error(e) if is_away(&e) => {
                expert.reflect("read is gone, use backup");
                let call = Call::new("backup", [("path", Value::str(path.as_str()))]);
                if let Outcome::Observation { value, .. } = expert.attempt_asking::<Files>(&call) {
                    return value.as_str().unwrap_or_default().to_owned();
                }
            }
            Outcome::Error(_) => {
                if !correct(path, expert) {
                    return String::new();
                }
            }
        }
    }
}

fn move_to(path: &mut String, to: Name, expert: &mut Recorder) {
    let call = |tool: &str, path: &str| {
        Call::new(tool, [("path", Value::str(path)), ("to", Value::str(to.as_str()))])
    };
    loop {
        if expert.away("move") == 0 {
            match expert.attempt_asking::<Files>(&call("move", path)) {
                Outcome::Observation { .. } => return,
                Outcome::Error(e) if is_away(&e) => expert.reflect("move is gone, copy and delete"),
                Outcome::Error(_) => {
                    if !correct(path, expert) {
                        return;
                    }
                    continue;
                }
            }
        }
        if let Outcome::Error(_) = expert.attempt_asking::<Files>(&call("copy", path)) {
            return;
        }
        expert.attempt_asking::<Files>(&Call::new("delete", [("path", Value::str(path.as_str()))]));
        return;
    }
}
