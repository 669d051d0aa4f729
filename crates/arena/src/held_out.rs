//! How test tasks are kept apart from training tasks.

use std::collections::BTreeSet;

use groundwork_worlds::{Declare, Episode, Split, Task, held_out_structure, name_split, world_names};

use crate::ArenaError;

/// How the tasks of a suite are kept apart from those of the training data, in a few sentences for a report.
pub fn how_test_tasks_are_held_out() -> String {
    let structure = |world: &&str| Some(format!("in `{world}` {}", held_out_structure(world)?));
    let structures: Vec<String> = world_names().iter().filter_map(structure).collect();
    format!(
        "Every task is made of invented names (of folders, files, places, accounts). The pool of names is cut in two \
         by a hash of the name's letters: a quarter is for testing, the rest for training, and a task draws all of its \
         names, and every misspelling of one, from its own side. A test task therefore shares no name with any \
         training task, whatever the seeds, and so no goal, no observation and no action with an invented name in it. \
         Cut in two as well are {}. Tools, the rules of the worlds and the kinds of fault are the same on both sides.",
        structures.join("; ")
    )
}

/// What a comparison of tasks of the two splits found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldOut {
    /// Test tasks looked at.
    pub test_tasks: usize,
    /// Invented names in them.
    pub test_names: usize,
    /// Training tasks looked at.
    pub train_tasks: usize,
    /// Invented names in them.
    pub train_names: usize,
    /// Names that are on both sides, which should be none.
    pub shared: Vec<String>,
}

/// Compares the names in test tasks with those in training tasks: the same worlds, levels and faults with
/// `per_task` other seeds for each test task, on the training side.
///
/// # Errors
/// A task that its world refuses.
pub fn check_held_out(tests: &[Task], per_task: u64) -> Result<HeldOut, ArenaError> {
    let mut test_names = BTreeSet::new();
    let mut train_names = BTreeSet::new();
    for task in tests {
        names_in(task, &mut test_names)?;
        for i in 0..per_task {
            let train = Task { split: Split::Train, seed: task.seed.wrapping_add(i), ..task.clone() };
            names_in(&train, &mut train_names)?;
        }
    }
    Ok(HeldOut {
        test_tasks: tests.len(),
        test_names: test_names.len(),
        train_tasks: tests.len() * per_task as usize,
        train_names: train_names.len(),
        shared: test_names.intersection(&train_names).cloned().collect(),
    })
}

/// Collects the words of a task's expert trace that have the shape of an invented name.
fn names_in(task: &Task, names: &mut BTreeSet<String>) -> Result<(), ArenaError> {
    for span in Episode::expert_trace(task, Declare::None)?.spans {
        let words = span.body.split(|c: char| !c.is_ascii_alphabetic());
        names.extend(words.filter(|w| name_split(w).is_some()).map(str::to_owned));
    }
    Ok(())
}
