//! The standard suites, what reference agents score in them, and what they share with a corpus.

use std::path::PathBuf;

use comfy_table::ContentArrangement;
use groundwork_arena::{OverlapSearch, SuiteSpec, floors, reference_agents, standard_suite};
use groundwork_worlds::Capability;

use super::success_of;
use crate::commands::{print_json, trace};
use crate::failure::Failure;
use crate::suite;
use crate::table::{NONE, plain};

/// Lists suites; with `floors`, plays so many tasks a cell with the reference agents.
pub fn list(names: &[String], floors: Option<u32>, markdown: bool) -> Result<(), Failure> {
    let mut suites: Vec<(String, SuiteSpec)> = Vec::new();
    if names.is_empty() {
        let standard = Capability::ALL.map(|c| (c.to_string(), standard_suite(c)));
        // A capability that no world exercises yet has no suite.
        suites.extend(standard.into_iter().filter(|(_, s)| s.tasks().is_ok()));
    }
    for name in names {
        suites.push((name.clone(), suite::named(name)?));
    }
    match floors {
        None => {
            let mut table = plain(["suite", "worlds", "levels", "faults", "tasks"], 4);
            for (name, suite) in &suites {
                let tasks = suite.tasks()?;
                let mut worlds: Vec<&str> = tasks.iter().map(|t| t.world.as_str()).collect();
                worlds.dedup();
                let levels: Vec<String> = suite.levels.iter().map(ToString::to_string).collect();
                let faults = if suite.faults.is_empty() { NONE.to_owned() } else { suite.faults.join(", ") };
                let row =
                    [name.clone(), worlds.join(", "), levels.join(", "), faults, tasks.len().to_string()];
                table.add_row(row);
            }
            // Names of worlds go on in further lines where the terminal ends.
            table.set_content_arrangement(ContentArrangement::Dynamic);
            if table.width().is_none() {
                table.set_width(120);
            }
            println!("{table}");
        }
        Some(tasks) => print_floors(&suites, tasks, markdown)?,
    }
    Ok(())
}

fn print_floors(suites: &[(String, SuiteSpec)], tasks: u32, markdown: bool) -> Result<(), Failure> {
    let agents: Vec<&str> = reference_agents().collect();
    let mut header = vec!["suite".to_owned(), "tasks".to_owned()];
    header.extend(agents.iter().map(|a| (*a).to_owned()));
    let mut lines = Vec::new();
    for (name, suite) in suites {
        let few = SuiteSpec { tasks: suite.tasks.min(tasks), ..suite.clone() };
        let rows = floors(&few, &mut |_| {})?;
        let mut line = vec![name.clone(), few.tasks()?.len().to_string()];
        for agent in &agents {
            let rate = success_of(agent, &rows);
            line.push(rate.map_or(NONE.to_owned(), |rate| format!("{:.1}%", 100.0 * rate)));
        }
        lines.push(line);
    }
    if markdown {
        println!("| {} |", header.join(" | "));
        println!("|{}", "---|".repeat(header.len()));
        lines.iter().for_each(|line| println!("| {} |", line.join(" | ")));
    } else {
        let mut table = plain([""; 0], 0);
        table.set_header(header);
        for line in lines {
            table.add_row(line);
        }
        println!("{table}");
    }
    Ok(())
}

/// Looks for the longest sequence of actions that a suite and a corpus share.
pub fn overlap(name: &str, corpus: &[PathBuf], json: bool) -> Result<(), Failure> {
    let suite = suite::named(name)?;
    let mut search = OverlapSearch::new(&suite.tasks()?)?;
    for path in corpus {
        // File by file, so that a large set need not fit into memory.
        let files = if path.is_dir() { groundwork_corpus::trace_files(path)? } else { vec![path.clone()] };
        for file in files {
            trace::traces(&file)?.iter().for_each(|trace| search.read(trace));
        }
    }
    let found = search.result();
    if json {
        print_json(&found);
        return Ok(());
    }
    println!("{} tasks against {} traces with {} actions\n", found.tasks, found.traces, found.actions);
    for (what, shared) in
        [("to the letter", &found.literal), ("with names looked through", &found.structural)]
    {
        println!(
            "{what}: the longest shared sequence has {} actions; {} of {} solutions occur whole",
            shared.longest, shared.whole_solutions, found.tasks
        );
        shared.example.iter().for_each(|action| println!("    {action}"));
    }
    Ok(())
}
