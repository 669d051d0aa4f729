//! What can be wrong with a task description.

use thiserror::Error;

/// Why a task cannot be set up. Nothing that an *agent* does raises one of these.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorldError {
    /// No world has this name.
    #[error("there is no world called `{name}`{hint}; the worlds are {known}")]
    UnknownWorld {
        /// The name asked for.
        name: String,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
        /// The names there are.
        known: String,
    },
    /// No fault has this name.
    #[error("there is no fault called `{name}`{hint}; the faults are {known}")]
    UnknownFault {
        /// The name asked for.
        name: String,
        /// ` (did you mean …?)`, or nothing.
        hint: String,
        /// The names there are.
        known: String,
    },
    /// The fault exists, but not in this world.
    #[error("the fault `{fault}` does not occur in the world `{world}`; its faults are {known}")]
    FaultNotHere {
        /// The world.
        world: String,
        /// The fault.
        fault: String,
        /// The faults of that world.
        known: String,
    },
    /// No capability has this name.
    #[error("there is no capability `{name}`{hint}\n  hint: the capabilities are {known}")]
    UnknownCapability {
        /// The name asked for.
        name: String,
        /// What may have been meant.
        hint: String,
        /// The capabilities that there are.
        known: String,
    },
    /// The name of a planning world does not name two files.
    #[error(
        "`{name}` names no files\n  hint: write `pddl:DOMAIN:PROBLEM` with the paths of a domain and a problem"
    )]
    PddlName {
        /// The name given.
        name: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{path}`: {message}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why not.
        message: String,
    },
    /// A file is not the PDDL that can be read.
    #[error("`{path}`, line {line}, column {column}:\n{drawing}")]
    Pddl {
        /// The file.
        path: String,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The mistake, drawn under the lines it is about.
        drawing: String,
    },
    /// A problem can be read but makes no task.
    #[error("`{path}` makes no task: {why}")]
    UselessProblem {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// No style has this name.
    #[error("there is no style `{name}`{hint}\n  hint: the styles are {known}")]
    UnknownStyle {
        /// The name asked for.
        name: String,
        /// What may have been meant.
        hint: String,
        /// The styles that there are.
        known: String,
    },
    /// The level is out of range.
    #[error("there is no level {level}; levels go from 1 to {max}")]
    Level {
        /// The level asked for.
        level: u32,
        /// The highest level.
        max: u32,
    },
}

/// ` (did you mean \`x\`?)` for the known name nearest to `name`, or nothing if none is near.
pub(crate) fn did_you_mean<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> String {
    known
        .map(|k| (strsim::jaro_winkler(name, k), k))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, k)| format!(" (did you mean `{k}`?)"))
}
